/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The XPath subset of rules: child and descendant steps, a last attribute step, predicates over
 * attributes and children. Everything else is refused when the path is read, with the place.
 * JSONPath (jsonpath.h) is compiled into the same.
 */

#include "base/xml.h"

#define SLT_PATH_BYTES	      1024
#define SLT_PATH_STEPS	      24
#define SLT_PATH_PREDS	      32 /* nodes of all predicates of a path */
#define SLT_PATH_ALTERNATIVES 8

struct slt_prefix {
	const char *prefix, *uri;
	const char *parts; /* prefix in whose namespace datatype parts stand; NULL: its own */
};

struct slt_prefixes {
	struct slt_prefix *v;
	size_t n;
};

const char *slt_prefix_uri(const struct slt_prefixes *p, const char *prefix, size_t n);

struct slt_test {	   /* of a name */
	const char *uri;   /* NULL: in no namespace, unless any_uri */
	const char *local; /* NULL: any */
	bool any_uri;
};

struct slt_path;

enum slt_pred_kind {
	SLT_PRED_AND,
	SLT_PRED_OR,
	SLT_PRED_NOT,
	SLT_PRED_EXISTS,
	SLT_PRED_EQ,
	SLT_PRED_NE
};

struct slt_pred {
	enum slt_pred_kind kind;
	struct slt_pred *a, *b;
	struct slt_path *path; /* relative */
	const char *literal;
};

struct slt_step {
	bool descendant; /* "//" before it */
	bool attribute;
	struct slt_test test;
	struct slt_pred *pred; /* NULL: none */
	const char *pred_text; /* as written: equal texts are equal predicates */
};

struct slt_path {
	const char *text;
	bool absolute; /* begins with one "/" */
	bool json;     /* JSONPath (jsonpath.h): about JSON documents */
	struct slt_step *step;
	size_t n;	       /* 0: "." */
	struct slt_path *next; /* the alternative after "|" */
};

/* SLT_EINVAL with the character. In the arena. */
SLT_CHECK bool slt_path_parse(const char *text, const struct slt_prefixes *prefixes,
			      struct slt_arena *a, struct slt_path **ret, struct slt_err *err);

bool slt_test_matches(const struct slt_test *t, const xmlNode *node);
bool slt_pred_holds(const struct slt_pred *p, const xmlNode *element);

/* Calls fn for each node (element or attribute) found from the context element, in document order,
 * until it returns false. A path without a leading "/" begins at the context's children; one
 * that begins with "//" anywhere below; an absolute one tests the context itself first.
 * Alternatives come one after the other. */
typedef bool slt_path_fn(void *arg, xmlNode *node);
void slt_path_each(const struct slt_path *p, xmlNode *context, slt_path_fn *fn, void *arg);
/* The same without the alternatives behind it; false when fn said so. */
bool slt_path_each_of_one(const struct slt_path *p, xmlNode *context, slt_path_fn *fn, void *arg);
/* The same of what the path finds over this element as its first step. */
bool slt_path_try(const struct slt_path *p, xmlNode *node, slt_path_fn *fn, void *arg);
/* The first one, NULL when there is none. */
xmlNode *slt_path_first(const struct slt_path *p, xmlNode *context);
/* Text of an element or attribute, in the arena; NULL for NULL. */
const char *slt_path_value(struct slt_arena *a, const xmlNode *node);
/* An unqualified attribute's value without copying where possible; NULL when absent. */
const char *slt_attr(struct slt_arena *a, const xmlNode *element, const char *name);
