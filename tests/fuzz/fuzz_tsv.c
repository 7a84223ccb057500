/* SPDX-License-Identifier: MIT */
/* A code table: whatever was read is found again by code, pivot code and name. */
#include <string.h>

#include "mappings/table.h"

static void check(const struct slt_table *t)
{
	for (uint32_t i = 0; i < slt_table_rows(t); i++) {
		const struct slt_row *r = slt_table_row(t, i);
		const char *code = slt_table_text(t, r->code);
		uint32_t k = slt_table_by_code(t, code);

		while (*code && k != i) {
			slt_assert(k != SLT_ROW_NONE);
			k = slt_table_next_code(t, k);
		}
		slt_table_by_pivot(t, slt_table_text(t, r->pivot_code));
		slt_table_by_name(t, slt_table_text(t, r->display));
		(void)slt_row_in_force(r, 20240101);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO(slt_table_free) struct slt_table *t = NULL;

	if (slt_table_load_bytes("fuzz.tsv", (struct slt_str){(const char *)p, n},
				 SLT_TABLE_COUNTRY, &lint, &t)) {
		check(t);
	}
	return 0;
}
