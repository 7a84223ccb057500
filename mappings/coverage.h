/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a set covers, and what survives a journey there and back: for the people who own tables.
 */

#include "mappings/mapset.h"

struct slt_coverage { /* one list, one country to another */
	const char *list, *from, *to;
	size_t pivot_forms;  /* members of the pivot's list; codes named by any country without one
			      */
	size_t codes;	     /* distinct codes of the sending country in force */
	size_t reach_pivot;  /* of them, with a pivot code */
	size_t reach_target; /* of them, with exactly one code of the receiving country */
	size_t from_named;   /* pivot codes that the sending country names */
	size_t to_named;     /* pivot codes that the receiving country names */
	size_t both_named;
};

/* Called for each code that does not arrive, with the reason. */
typedef void slt_uncovered_fn(void *arg, const struct slt_coding *code,
			      enum slt_lookup_status reason, const struct slt_found *found);

/* date: of the documents thought of; good: relations that count (bits). */
void slt_coverage_count(const struct slt_mapset *s, const char *list, const char *from,
			const char *to, uint32_t date, unsigned good, struct slt_coverage *ret,
			slt_uncovered_fn *fn, void *arg);

enum slt_round { SLT_ROUND_SAME, SLT_ROUND_OTHER, SLT_ROUND_LOST_THERE, SLT_ROUND_LOST_BACK };

struct slt_round_trip {
	const char *code, *display;
	enum slt_round result;
	const char *there, *back; /* codes, NULL where there is none */
	enum slt_lookup_status why;
};

typedef void slt_round_trip_fn(void *arg, const struct slt_round_trip *r);

/* There and back for each code of the list that is in force, without the help of translations. */
void slt_round_trips(const struct slt_mapset *s, const char *list, const char *from, const char *to,
		     uint32_t date, unsigned good, slt_round_trip_fn *fn, void *arg);
