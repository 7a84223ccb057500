/* SPDX-License-Identifier: MIT */
#pragma once

/* The inside of a loaded set; for engine.c, coverage.c and their tests. */

#include <stdatomic.h>

#include "mappings/walk.h"

#define SLT_SET_COUNTRIES 64
#define SLT_SET_FLOWS	  64

struct slt_mapset {
	atomic_uint refs;
	struct slt_arena *arena;
	struct slt_country *pivot;
	const struct slt_country *country[SLT_SET_COUNTRIES];
	size_t n_countries;
	struct slt_flow *flow[SLT_SET_FLOWS];
	struct slt_plans *plans[SLT_SET_FLOWS]; /* one per country of the flow, in its order */
	size_t n_flows;
	struct slt_messages *messages;
	const char *digest;
	uint32_t effective_from, effective_to; /* of the set as a whole; 0: open */
};

const struct slt_country *slt_mapset_find_country(const struct slt_mapset *s, const char *code);
/* NULL when there is no such flow; *ret_plans has one entry per country of the flow. */
const struct slt_flow *slt_mapset_find_flow(const struct slt_mapset *s, const char *id,
					    const struct slt_plans **ret_plans);
