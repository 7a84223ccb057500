/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is different between two versions of a set: rows of tables, and which other files.
 *
 * Rows are compared code by code: those written in the same way in both are put aside; of what is
 * left, rows with the same pivot code, then rows in their order, are taken for changed ones.
 */

#include "mappings/mapset.h"
#include "mappings/raw_table.h"

enum slt_difference {
	SLT_DIFF_ADDED,
	SLT_DIFF_REMOVED,
	SLT_DIFF_CHANGED,
};

struct slt_set_difference { /* borrowed for the call */
	const char *where;  /* country code, "pivot", id of a flow, "messages" */
	const char *list;   /* id of the list; NULL: `where` as a whole, or its rules */
	enum slt_difference what;
	const struct slt_raw_row *before, *after; /* of a row; NULL where it is not there */
	const char *rule; /* of a flow: id of the rule added, removed or changed; NULL */
};

typedef void slt_set_diff_fn(void *arg, const struct slt_set_difference *d);

/* SLT_ECONFIG when a table cannot be read any more. */
SLT_CHECK bool slt_set_diff(const struct slt_mapset *before, const struct slt_mapset *after,
			    slt_set_diff_fn *fn, void *arg, struct slt_err *err);
