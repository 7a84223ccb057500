/* SPDX-License-Identifier: MIT */
#include "mappings/raw_table.h"

#include <stdlib.h>
#include <string.h>

#include "mappings/tsv.h"

struct slt_raw_table *slt_raw_table_new(void)
{
	struct slt_raw_table *t = slt_calloc(1, sizeof(*t));

	t->arena = slt_arena_new();
	return t;
}

void slt_raw_table_free(struct slt_raw_table *t)
{
	if (t) {
		slt_arena_free(t->arena);
		free(t->row);
		free(t);
	}
}

void slt_raw_table_add(struct slt_raw_table *t, const struct slt_raw_row *row)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 256;
		t->row = slt_realloc(t->row, t->cap, sizeof(*t->row));
	}
	struct slt_raw_row *r = &t->row[t->n++];
	r->line = row->line;
	for (size_t i = 0; i < SLT_TABLE_COLUMNS; i++) {
		const char *cell = row->cell[i];
		r->cell[i] = cell && *cell ? slt_arena_strdup(t->arena, cell) : "";
	}
}

bool slt_raw_table_load(const char *path, struct slt_lint *lint, struct slt_raw_table **ret)
{
	SLT_AUTO(slt_tsv_free) struct slt_tsv *tsv = NULL;
	uint32_t cell[SLT_TABLE_COLUMNS];

	if (!slt_tsv_open(path, NULL, slt_table_columns, SLT_TABLE_COLUMNS, 1, lint, &tsv)) {
		return false;
	}
	SLT_AUTO(slt_raw_table_free) struct slt_raw_table *t = slt_raw_table_new();
	while (slt_tsv_next(tsv, cell)) {
		struct slt_raw_row r = {.line = slt_tsv_line(tsv)};
		for (size_t i = 0; i < SLT_TABLE_COLUMNS; i++) {
			r.cell[i] = slt_tsv_text(tsv) + cell[i];
		}
		slt_raw_table_add(t, &r);
	}
	*ret = SLT_TAKE(t);
	return true;
}

bool slt_raw_cell_fits(const char *cell, const char **ret_why)
{
	size_t n = strlen(cell);

	if (n > SLT_CODE_MAX) {
		*ret_why = "is too long";
		return false;
	}
	if (memchr(cell, '\t', n) || !slt_tsv_is_text(cell, n)) {
		*ret_why = "holds a tab, a line break or another control character, or is not "
			   "UTF-8";
		return false;
	}
	if (n > 0 && (cell[0] == ' ' || cell[n - 1] == ' ')) {
		*ret_why = "begins or ends with a blank";
		return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct slt_raw_row *x = a, *y = b;
	int order = strcmp(x->cell[SLT_COL_CODE], y->cell[SLT_COL_CODE]);

	/* line: the place before sorting, since qsort() is not stable */
	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

void slt_raw_table_sort(struct slt_raw_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		t->row[i].line = (unsigned)i;
	}
	if (t->n > 0) {
		qsort(t->row, t->n, sizeof(*t->row), compare);
	}
}

void slt_raw_table_format(const struct slt_raw_table *t, struct slt_buf *out)
{
	for (size_t i = 0; i < SLT_TABLE_COLUMNS; i++) {
		slt_buf_adds(out, i ? "\t" : "");
		slt_buf_adds(out, slt_table_columns[i]);
	}
	slt_buf_addc(out, '\n');
	for (size_t k = 0; k < t->n; k++) {
		for (size_t i = 0; i < SLT_TABLE_COLUMNS; i++) {
			slt_buf_adds(out, i ? "\t" : "");
			slt_buf_adds(out, t->row[k].cell[i]);
		}
		slt_buf_addc(out, '\n');
	}
}
