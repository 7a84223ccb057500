/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One message translated with two mapping sets: what would become of it under a new version.
 * Values that can name a person are "***".
 */

#include "mappings/mapset.h"

enum slt_map_change {
	SLT_MAP_SAME,	     /* the same bytes, or refused for the same reason */
	SLT_MAP_DIFFERENT,   /* both translate it, not to the same bytes */
	SLT_MAP_NOW_REFUSED, /* only the old one translates it */
	SLT_MAP_NOW_PASSED,  /* only the new one translates it */
	SLT_MAP_OTHER_REASON,
};

struct slt_map_place { /* where the traces part; "" where there is nothing */
	const char *rule, *place, *before, *after;
};

#define SLT_MAP_PLACES 20 /* kept of a message */

struct slt_map_comparison { /* everything in the arena */
	enum slt_map_change change;
	const char *reason[2]; /* fault code and sentence; NULL where it was translated */
	struct slt_map_place place[SLT_MAP_PLACES];
	size_t n_places; /* all of them, also beyond those kept */
};

const char *slt_map_change_name(enum slt_map_change c);
/* in->take_doc must be NULL. */
void slt_map_compare(const struct slt_mapset *before, const struct slt_mapset *after,
		     const struct slt_map_input *in, struct slt_arena *a,
		     struct slt_map_comparison *ret);
