/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Many paths matched in one walk over a document.
 *
 * The paths share their beginnings in a tree of steps; a run keeps, for each open element, which
 * steps may go on below it. The cost of an element depends on the paths that could still match
 * there, found by name, not on how many paths there are.
 */

#include "mappings/path.h"

#define SLT_MATCHER_STEPS 8192 /* steps of all paths */

struct slt_matcher;

struct slt_matcher *slt_matcher_new(struct slt_arena *a); /* lives in the arena */
/* Adds the element part of the path (and of its alternatives); a last attribute step is the
 * caller's business. `id` comes out where it matches. False when there are too many steps. */
SLT_CHECK bool slt_matcher_add(struct slt_matcher *m, const struct slt_path *p, uint32_t id);
void slt_matcher_finish(struct slt_matcher *m); /* once, after the last addition */

struct slt_match_run;

/* max_depth: elements nested deeper are a bug of the caller. */
struct slt_match_run *slt_match_begin(const struct slt_matcher *m, unsigned max_depth);
void slt_match_end(struct slt_match_run *r);
SLT_DEFINE_AUTO(struct slt_match_run *, slt_match_end)
/* Enters an element (the first one is the document's root), and gives the ids that match it, each
 * once, ascending; borrowed until the next call. */
size_t slt_match_enter(struct slt_match_run *r, const xmlNode *element, const uint32_t **ret_ids);
void slt_match_leave(struct slt_match_run *r);
