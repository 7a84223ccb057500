/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What could not be mapped, in a form that a program can read and a pharmacist can act on: fault
 * code, field, the code and text found, table and version, and a sentence in each language of
 * messages.tsv.
 */

#include "base/arena.h"

struct slt_messages; /* messages.tsv, see catalogue.h */

enum slt_severity { SLT_SEV_ERROR, SLT_SEV_WARNING };

struct slt_map_problem {
	enum slt_code code; /* SLT_FED_… */
	enum slt_severity severity;
	const char *field; /* key of messages.tsv or the rule's id */
	const char *rule;
	const char *place; /* XPath */
	const char *found_system, *found_code,
		*found_text;	     /* NULL where there is none, or masked */
	const char *table, *version; /* the list that has no answer, of `country` */
	const char *country;
	const char *target; /* country translated into */
	const char *detail; /* English, for the integrator */
};

struct slt_problems {
	struct slt_arena *arena;
	const struct slt_messages *messages; /* borrowed from the set; NULL: English only */
	const char *flow; /* whose own sentences go before the general ones; NULL: none */
	struct slt_map_problem *v;
	size_t n, cap;
	size_t errors; /* of severity error, counted even beyond the cap */
};

#define SLT_PROBLEMS_MAX 1000 /* kept, warnings half of it; further errors are only counted */

struct slt_problems *slt_problems_new(void);
void slt_problems_free(struct slt_problems *p);
SLT_DEFINE_AUTO(struct slt_problems *, slt_problems_free)

/* Copies. */
void slt_problems_add(struct slt_problems *p, const struct slt_map_problem *problem);
/* The first one of severity error, NULL when there is none. */
const struct slt_map_problem *slt_problems_first(const struct slt_problems *p);
/* The sentence in a language ("et", "fi", "en"), English where that language has none. */
void slt_problem_text(const struct slt_problems *p, const struct slt_map_problem *m,
		      const char *lang, struct slt_buf *out);
/* <problems xmlns="urn:silta:problems:1"><problem code= severity= …><text xml:lang=…>…, for a
 * SOAP fault's detail; and {"problems":[…]}. */
#define SLT_NS_PROBLEMS "urn:silta:problems:1"
void slt_problems_xml(const struct slt_problems *p, struct slt_buf *out);
void slt_problems_json(const struct slt_problems *p, struct slt_buf *out);
