/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One code from country A over the pivot to country B. (mappings/README.md, "How a code is
 * chosen", is the rule; this is it.) Allocates nothing; the time does not depend on the size of
 * the tables.
 */

#include "mappings/country.h"

#define SLT_LOOKUP_CANDIDATES 24 /* different counterparts of one code; more are ambiguous */
#define SLT_LOOKUP_REPLACED   8	 /* steps of a replaced_by chain */

struct slt_coding {
	const char *system, *code, *display; /* NULL where absent */
};

struct slt_lookup {
	const struct slt_list *from, *pivot, *to; /* from, to: NULL when that country has no list */
	const char *from_language, *to_language;
	uint32_t date; /* of the document; 0: unknown */
	unsigned good; /* bits 1 << enum slt_relation */
	bool assume;   /* without a codeSystem it is a code of `from` */
	bool by_name;  /* the display is looked up among the names of `from` */
	const struct slt_cond_fields *fields;
	const struct slt_coding *others; /* the element's translations */
	size_t n_others;
};

enum slt_lookup_status {
	SLT_LOOKUP_FOUND,
	SLT_LOOKUP_UNKNOWN_SYSTEM, /* neither the country's nor the pivot's code system */
	SLT_LOOKUP_UNKNOWN_CODE,   /* no row of the source country in force names a pivot code */
	SLT_LOOKUP_NOT_IN_SET,	   /* the pivot code is no member */
	SLT_LOOKUP_NO_TARGET,	   /* the target country has no row */
	SLT_LOOKUP_NOT_GOOD,	   /* only relations that the field does not accept */
	SLT_LOOKUP_AMBIGUOUS,
};

struct slt_found {
	struct slt_coding from, pivot, to; /* `to` only when found */
	const char *factor; /* of a unit: "3" of "3 mo", with its length; NULL when there is none */
	size_t factor_len;
	enum slt_relation relation; /* composed */
	bool restored;		    /* taken from a translation */
	const char *replaced_by;    /* the code that took the place of an old one; NULL */
};

enum slt_lookup_status slt_lookup(const struct slt_lookup *l, const struct slt_coding *coding,
				  struct slt_found *ret);
/* Only to the pivot (for guards and coverage): found when there is exactly one. */
enum slt_lookup_status slt_lookup_pivot(const struct slt_lookup *l, const struct slt_coding *coding,
					struct slt_found *ret);
/* The name of a pivot code in the target's language; NULL when it has none. */
const char *slt_lookup_name(const struct slt_lookup *l, const char *pivot_code);
const char *slt_lookup_status_text(enum slt_lookup_status s);
