/* SPDX-License-Identifier: MIT */
/* Maps of others: the first byte chooses ConceptMap R4, R5 or SSSOM. What was read is a table: it
 * is written in all three forms, and each reads back with as many rows. */
#include <string.h>

#include "mappings/interchange.h"

static struct slt_raw_table *read_map(enum slt_interchange form, struct slt_str text)
{
	SLT_AUTO_LINT(losses);
	SLT_AUTO_LINT(refused);
	struct slt_interchange_report report = {&losses, &refused};
	struct slt_raw_table *t = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_interchange_read(form, text, "map", &report, &t, &err)) {
		slt_assert(!t && err.code != SLT_OK);
		return NULL;
	}
	return t;
}

static void there_and_back(enum slt_interchange form, const struct slt_raw_table *t)
{
	static const struct slt_country country = {.code = "FI", .name = "Finland", .version = "1"},
					pivot = {.code = "pivot", .version = "1"};
	static const struct slt_list list = {.id = "doseform", .version = "1"};
	const struct slt_interchange_info info = {&country, &pivot, &list, &list};
	SLT_AUTO_LINT(losses);
	SLT_AUTO_BUF(out, SLT_INTERCHANGE_MAX);

	slt_interchange_write(form, t, &info, &losses, &out);
	slt_assert(!out.failed);
	SLT_AUTO(slt_raw_table_free) struct slt_raw_table *u = read_map(form, slt_buf_str(&out));
	slt_assert(u && (u->n == t->n || losses.total > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	SLT_AUTO_BUF(table, SLT_INTERCHANGE_MAX);

	if (n == 0) {
		return 0;
	}
	SLT_AUTO(slt_raw_table_free)
	struct slt_raw_table *t = read_map((enum slt_interchange)(p[0] % 3),
					   (struct slt_str){(const char *)p + 1, n - 1});
	if (!t) {
		return 0;
	}
	slt_raw_table_format(t, &table);
	for (size_t i = 0; i < t->n; i++) {
		for (size_t k = 0; k < SLT_TABLE_COLUMNS; k++) {
			const char *why;
			slt_assert(slt_raw_cell_fits(t->row[i].cell[k], &why));
		}
	}
	for (int form = 0; form < 3 && t->n > 0; form++) {
		there_and_back((enum slt_interchange)form, t);
	}
	return 0;
}
