/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a running bridge is: a list of checks, each with a sentence that an operator can act on.
 * Failed means that exchanges are refused now, for reasons of the bridge's own or of its
 * surroundings; a warning that they will be, or that something does not work which they do not
 * need at once. Looks at what there is, and changes nothing; may be asked from any thread.
 */

#include "bridge.h"

enum slt_health_level { SLT_HEALTH_GOOD, SLT_HEALTH_WARNING, SLT_HEALTH_FAILED };
const char *slt_health_level_name(enum slt_health_level l); /* "good", "warning", "failed" */

#define SLT_HEALTH_ITEMS_MAX 512

struct slt_health_item {
	const char *side; /* NULL: of the bridge as a whole */
	const char *what; /* "globalconf", "ocsp-sign", … */
	enum slt_health_level level;
	const char *text; /* a sentence without full stop */
	int64_t until_ms; /* how long it stays so; 0: not known */
};

struct slt_health {
	struct slt_arena *arena;
	int64_t at_ms;
	enum slt_health_level level; /* of the worst item */
	struct slt_health_item item[SLT_HEALTH_ITEMS_MAX];
	size_t n;
};

/* In the arena. Also sets the gauges that are known by looking (metrics.h). */
struct slt_health *slt_health_examine(const struct slt_bridge *b, struct slt_arena *a);

/* --- between health.c and health_side.c --- */

void slt_health_add(struct slt_health *h, const char *side, const char *what,
		    enum slt_health_level level, int64_t until_ms, const char *fmt, ...)
	SLT_PRINTF(6, 7);
/* "3 d 4 h", "5 min", "12 s"; in the arena. */
const char *slt_health_span(const struct slt_health *h, int64_t ms);
const char *slt_health_time(const struct slt_health *h, int64_t t_ms);
/* What concerns one side. */
void slt_health_side(struct slt_health *h, const struct slt_bridge *b, size_t side);
