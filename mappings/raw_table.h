/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A table as it is written, cell by cell: for comparing tables, and for exchanging them with
 * others.
 */

#include "mappings/table.h"

enum slt_column { /* in the order of slt_table_columns */
		  SLT_COL_CODE,
		  SLT_COL_DISPLAY,
		  SLT_COL_LANG,
		  SLT_COL_RELATION,
		  SLT_COL_PIVOT_CODE,
		  SLT_COL_PIVOT_DISPLAY,
		  SLT_COL_DIRECTION,
		  SLT_COL_PREFERRED,
		  SLT_COL_WHEN,
		  SLT_COL_VALID_FROM,
		  SLT_COL_VALID_TO,
		  SLT_COL_REPLACED_BY,
		  SLT_COL_STATUS,
		  SLT_COL_JUSTIFICATION,
		  SLT_COL_SOURCE,
		  SLT_COL_REVIEWED,
		  SLT_COL_NOTE,
};

struct slt_raw_row {
	const char *cell[SLT_TABLE_COLUMNS]; /* never NULL */
	unsigned line;
};

struct slt_raw_table {
	struct slt_arena *arena;
	struct slt_raw_row *row;
	size_t n, cap;
};

struct slt_raw_table *slt_raw_table_new(void);
void slt_raw_table_free(struct slt_raw_table *t);
SLT_DEFINE_AUTO(struct slt_raw_table *, slt_raw_table_free)

/* Problems go to the lint. */
SLT_CHECK bool slt_raw_table_load(const char *path, struct slt_lint *lint,
				  struct slt_raw_table **ret);
/* Copies the cells; NULL is empty. */
void slt_raw_table_add(struct slt_raw_table *t, const struct slt_raw_row *row);
/* Is a cell as a table may hold it? *ret_why says why not. */
bool slt_raw_cell_fits(const char *cell, const char **ret_why);
/* By code, byte by byte; rows of one code keep their order. */
void slt_raw_table_sort(struct slt_raw_table *t);
void slt_raw_table_format(const struct slt_raw_table *t, struct slt_buf *out);
