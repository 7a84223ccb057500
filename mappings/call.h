/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calls: the path and query of a REST request in one country's form, as a template that gives the
 * values their pivot names: "/yritykset/{companyId}?sivu={page?}". A literal or {name} for each
 * segment of the path, and name={name} or name=literal for each parameter; {name?} may be left out.
 *
 * Strict: a request fits when its segments are exactly those, and every parameter is one of the
 * template's and stands once, in any order. Percent-encoding must be right and decode to UTF-8
 * without control characters; '+' is a blank in a query.
 */

#include "base/arena.h"

#define SLT_CALL_BYTES 2048 /* of a template, of a path and of a query */
#define SLT_CALL_PARTS 32   /* segments and parameters of a template */
#define SLT_CALLS      16   /* templates of a service */

struct slt_call_part {
	const char *name;    /* of the parameter, decoded; NULL: a segment of the path */
	const char *literal; /* decoded; NULL: a value */
	const char *value;   /* the pivot's name of it; NULL for a literal */
	bool optional;
};

struct slt_call {
	const char *text;
	struct slt_call_part part[SLT_CALL_PARTS]; /* segments first */
	size_t n_segments, n;
};

struct slt_call_values {
	struct {
		const char *name, *value; /* pivot name; decoded */
	} v[SLT_CALL_PARTS];
	size_t n;
};

/* SLT_EINVAL says what is wrong. In the arena. */
SLT_CHECK bool slt_call_parse(const char *text, struct slt_arena *a, struct slt_call *ret,
			      struct slt_err *err);
/* Whether path (after the service, "" or "/…") and query (without '?', NULL when none) fit; then
 * their values, in the arena. */
bool slt_call_read(const struct slt_call *c, const char *path, const char *query,
		   struct slt_arena *a, struct slt_call_values *ret);
/* Adds the path, and the query where there is one (*ret_query false: none). All but unreserved
 * characters are percent-encoded. SLT_FED_STR_003 without a value that must be there, or with one
 * in the path that somebody could take for more than one segment; SLT_FED_STR_002 with one for
 * which the template has no place. */
SLT_CHECK bool slt_call_write(const struct slt_call *c, const struct slt_call_values *v,
			      struct slt_buf *path, struct slt_buf *query, bool *ret_query,
			      struct slt_err *err);
/* Whether both have the same values, optional in both or in none. */
bool slt_call_same(const struct slt_call *a, const struct slt_call *b);
