/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One rule of a flow: where, what, and what happens when it cannot be done.
 * (mappings/README.md describes the options.)
 */

#include "mappings/cond.h"
#include "mappings/country.h"
#include "mappings/path.h"
#include "mappings/problem.h"

enum slt_what { /* in the order of the words in rule.c */
		SLT_DO_CODE,
		SLT_DO_UNIT,
		SLT_DO_IDENTIFIER,
		SLT_DO_DATE,
		SLT_DO_NUMBER,
		SLT_DO_TEXT,
		SLT_DO_SET,
		SLT_DO_COPY,
		SLT_DO_RENAME,
		SLT_DO_NAMESPACE,
		SLT_DO_MOVE,
		SLT_DO_SPLIT,
		SLT_DO_JOIN,
		SLT_DO_REPEAT,
		SLT_DO_DROP,
		SLT_DO_REQUIRE,
		SLT_DO_FORBID,
		SLT_DO_COUNT
};

enum slt_policy {
	SLT_POLICY_REJECT,
	SLT_POLICY_NULL,
	SLT_POLICY_ORIGINAL,
	SLT_POLICY_DEFAULT,
	SLT_POLICY_DROP,
};

enum slt_keep { SLT_KEEP_AUTO, SLT_KEEP_TRANSLATION, SLT_KEEP_ORIGINAL_TEXT, SLT_KEEP_NONE };
enum slt_usage { SLT_USAGE_RNFA, SLT_USAGE_R, SLT_USAGE_O, SLT_USAGE_NA };

struct slt_name { /* of an element (uri and local) or an attribute (uri NULL) */
	const char *prefix, *uri, *local;
};

struct slt_rule {
	/* as written */
	const char *id, *where_text, *field, *when_text, *table, *error_text, *null_flavor;
	const char *default_code, *class, *value, *from_text_path, *to_text, *separator,
		*in_text_path;
	const char *min_text, *max_text;
	struct slt_conf_strings documents, good_words, before_words, into_words, from_all_words;
	int what, policy, keep, usage, severity, format, decimal;
	bool assume, from_text, names_only, agree, in_text;
	int64_t at_least, at_most; /* at_most 0: any number */
	/* made of it */
	struct slt_path *where, *in, *from;
	struct slt_path **from_all; /* NULL terminated, of from_all_words.n */
	struct slt_cond *when;
	unsigned good;			  /* bits of enum slt_relation */
	const struct slt_test *attribute; /* last step of where, NULL for elements */
	struct slt_name to;
	struct slt_name *before, *into;
	struct slt_decimal min, max;
	enum slt_code error; /* SLT_OK: by kind of failure */
	const char *file;
	unsigned line;
};

enum slt_format { SLT_FORMAT_SAME, SLT_FORMAT_HL7, SLT_FORMAT_ISO };
enum slt_decimal_sign { SLT_SIGN_SAME, SLT_SIGN_COMMA, SLT_SIGN_POINT };

struct slt_rules {
	struct slt_rule *v;
	size_t n;
};

/* Reads the list of groups `list` of the root of the file at `path` (kept by reference). Problems
 * go to the conf's list. */
void slt_rules_read(struct slt_conf *c, const char *path, const char *list,
		    const struct slt_prefixes *prefixes, struct slt_arena *a,
		    struct slt_rules *ret);
/* A name with a prefix of the file, or a bare one. False (with a problem) when unknown. */
bool slt_name_parse(const char *text, const struct slt_prefixes *prefixes, struct slt_name *ret);
/* No list of kinds: every kind. */
bool slt_rule_applies(const struct slt_conf_strings *documents, const char *kind);
const char *slt_what_name(enum slt_what w);
