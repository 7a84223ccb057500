/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading a large XML document of known shape in one pass, without a tree: a table says which
 * element may stand in which, and what to do at its begin and end. Memory does not grow with the
 * document.
 *
 * Refuses DOCTYPE (and with it every entity but XML's own), elements that the table does not
 * know, and text longer than the cap. Loads nothing from outside.
 */

#include "base/arena.h"

#define SLT_GCSAX_DEPTH_MAX 64	   /* also of what is skipped */
#define SLT_GCSAX_TEXT_MAX  131072 /* bytes of one text element */

enum {			    /* kinds of elements beside the caller's own, which start at 1 */
       SLT_GCSAX_ROOT = 0,  /* what the document element stands in */
       SLT_GCSAX_TEXT = -1, /* holds text only */
       SLT_GCSAX_SKIP = -2, /* ignored with all that it holds */
};

struct slt_gcsax_attrs;
/* The value of an attribute in the arena; NULL when absent. ns NULL: unqualified. */
const char *slt_gcsax_attr(const struct slt_gcsax_attrs *a, const char *ns, const char *name,
			   struct slt_arena *arena);

struct slt_gcsax_rule {
	int parent;
	const char *ns; /* NULL: none */
	const char *name;
	int kind;
	bool (*begin)(void *arg, const char *name, const struct slt_gcsax_attrs *a,
		      struct slt_err *err);
	bool (*end)(void *arg, struct slt_str text, struct slt_err *err); /* text of TEXT only */
};

struct slt_gcsax {
	const struct slt_gcsax_rule *rule; /* those of one parent stand together */
	size_t n_rule;
	/* May an element that no rule names be skipped here? NULL: never. */
	bool (*skip)(void *arg, int parent);
	const bool *stop; /* ends the reading, successfully, when a handler sets it; may be NULL */
	void *arg;
};

/* `what` names the document in messages. SLT_EINVALID_XML, or what a handler said, with line. */
SLT_CHECK bool slt_gcsax_parse(const struct slt_gcsax *s, const void *p, size_t n, const char *what,
			       struct slt_err *err);
