/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mappings/table.h"

static struct slt_table *load(const char *text, struct slt_lint *lint)
{
	struct slt_table *t = NULL;

	if (!slt_table_load_bytes("t.tsv", slt_str(text), SLT_TABLE_COUNTRY, lint, &t)) {
		return NULL;
	}
	return t;
}

static void a_table_is_read(void **state)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO(slt_table_free)
	struct slt_table *t = load("# list 1\n"
				   "pivot_code\tcode\tdisplay\trelation\tvalid_to\tpreferred\n"
				   "P1\ta\tÕli\tsource-is-narrower-than-target\t2024-01-01\tyes\n"
				   "\n"
				   "P2\tb\tVoide\n"
				   "P1\tc\tõli\tequivalent\n",
				   &lint);

	(void)state;
	assert_int_equal(lint.total, 0);
	assert_non_null(t);
	assert_int_equal(slt_table_rows(t), 3);
	const struct slt_row *r = slt_table_row(t, 0);
	assert_string_equal(slt_table_text(t, r->display), "Õli");
	assert_int_equal(r->relation, SLT_REL_NARROWER);
	assert_int_equal(r->valid_to, 20240101);
	assert_true(r->preferred);
	assert_int_equal(r->line, 3);
	assert_int_equal(slt_table_row(t, 2)->line, 6);
	assert_string_equal(slt_table_text(t, slt_table_row(t, 1)->replaced_by), "");
}

static void rows_are_found_in_the_order_of_the_file(void **state)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO(slt_table_free)
	struct slt_table *t = load("code\tdisplay\tpivot_code\tlang\n"
				   "a\tSalv\tP1\tet\n"
				   "a\tSalva\tP1\tsv\n"
				   "b\tSALV\tP1\tet\n"
				   "c\t\tP2\tet\n",
				   &lint);
	uint32_t i;

	(void)state;
	assert_int_equal(lint.total, 0);
	i = slt_table_by_code(t, "a");
	assert_int_equal(i, 0);
	assert_int_equal(i = slt_table_next_code(t, i), 1);
	assert_int_equal(slt_table_next_code(t, i), SLT_ROW_NONE);
	i = slt_table_by_pivot(t, "P1");
	assert_int_equal(i, 0);
	assert_int_equal(i = slt_table_next_pivot(t, i), 1);
	assert_int_equal(i = slt_table_next_pivot(t, i), 2);
	assert_int_equal(slt_table_next_pivot(t, i), SLT_ROW_NONE);
	i = slt_table_by_name(t, "sALV");
	assert_int_equal(i, 0);
	assert_int_equal(slt_table_next_name(t, i), 2);
	assert_int_equal(slt_table_by_code(t, "A"), SLT_ROW_NONE);
	assert_int_equal(slt_table_by_code(t, ""), SLT_ROW_NONE);
	assert_int_equal(slt_table_by_name(t, ""), SLT_ROW_NONE);
	assert_int_equal(slt_table_by_name(t, "Salv "), SLT_ROW_NONE);
	assert_int_equal(slt_table_by_pivot(t, "P3"), SLT_ROW_NONE);
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "t.tsv: the file has no header"},
		{"# only\n", "no header"},
		{"code\tfoo\n", "t.tsv:1: unknown column 'foo'"},
		{"display\n", "t.tsv:1: column 'code' is missing"},
		{"code\tcode\n", "stands twice"},
		{"code\tdisplay \n", "unknown column 'display '"},
		{"\xef\xbb\xbf"
		 "code\n",
		 "byte order mark"},
		{"code\na\tb\n", "t.tsv:2: more cells"},
		{"code\tdisplay\n\tx\n", "t.tsv:2: code '' is empty"},
		{"code\n a\n", "begins or ends with a blank"},
		{"code\tdisplay\na\tb \n", "begins or ends with a blank"},
		{"code\r\na\n", "t.tsv:1: not UTF-8, or a control character"},
		{"code\na\r\n", "t.tsv:2: not UTF-8, or a control character"},
		{"code\na\x01\n", "t.tsv:2: not UTF-8"},
		{"code\n\xff\n", "t.tsv:2: not UTF-8"},
		{"code\n\xc0\xaf\n", "t.tsv:2: not UTF-8"},
		{"code\n\xed\xa0\x80\n", "t.tsv:2: not UTF-8"},
		{"code\n\xe2\x82\n", "t.tsv:2: not UTF-8"},
		{"code\trelation\na\tequal\n", "t.tsv:2: relation 'equal' is not one"},
		{"code\tdirection\na\tback\n", "direction 'back'"},
		{"code\tpreferred\na\tmaybe\n", "preferred 'maybe'"},
		{"code\tstatus\na\tgone\n", "status 'gone'"},
		{"code\tvalid_from\na\t1.1.2024\n", "valid_from '1.1.2024' is not a date"},
		{"code\tvalid_to\na\t2023-02-29\n", "valid_to '2023-02-29' is not a date"},
		{"code\tvalid_from\tvalid_to\na\t2024-01-02\t2024-01-01\n", "is before valid_from"},
		{"code\twhen\na\tdocument =\n", "when 'document =' "},
		{"code\twhen\na\tdocument < 'x'\n", "texts can only"},
		{"code\nb\na\n", "t.tsv:3: code 'a' is not in the order"},
		{"code\na\nB\n", "t.tsv:3: code 'B' is not in the order"},
		{"code\treplaced_by\na\tb\n", "replaced_by 'b' is no code"},
		{"code\treplaced_by\na\ta\n", "is the code itself"},
		{"code\tpivot_code\na\tP\na\tP\n", "t.tsv:3: the same mapping stands in line 2"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		SLT_AUTO_LINT(lint);
		SLT_AUTO(slt_table_free) SLT_UNUSED struct slt_table *t = load(bad[i].text, &lint);
		bool said = false;
		for (size_t k = 0; k < lint.n; k++) {
			said |= strstr(lint.v[k], bad[i].says) != NULL;
		}
		if (!said) {
			fail_msg("case %zu: \"%s\" does not say \"%s\"", i,
				 lint.n ? lint.v[0] : "nothing", bad[i].says);
		}
	}
}

static void lines_and_codes_have_a_longest(void **state)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO_BUF(b, 1 << 20);

	(void)state;
	slt_buf_adds(&b, "code\n");
	for (size_t i = 0; i < SLT_CODE_MAX + 1; i++) {
		slt_buf_addc(&b, 'a');
	}
	slt_buf_adds(&b, "\nb");
	for (size_t i = 0; i < 65600; i++) {
		slt_buf_addc(&b, 'b');
	}
	slt_buf_adds(&b, "\nc\n");
	SLT_AUTO(slt_table_free) struct slt_table *t = load(b.p, &lint);
	assert_int_equal(lint.total, 2);
	assert_non_null(strstr(lint.v[0], "t.tsv:2: code"));
	assert_non_null(strstr(lint.v[1], "t.tsv:3: the line is too long"));
	assert_int_equal(slt_table_rows(t), 2);
}

static void a_file_must_have_the_digest_named(void **state)
{
	static const char wrong[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	char path[] = "/tmp/slt-table-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	SLT_AUTO_LINT(lint);
	SLT_AUTO(slt_table_free) struct slt_table *t = NULL;
	struct slt_table *none = NULL;

	(void)state;
	fputs("code\na\n", f);
	fclose(f);
	assert_true(slt_table_load(path, NULL, SLT_TABLE_COUNTRY, &lint, &t));
	assert_false(slt_table_load(path, wrong, SLT_TABLE_COUNTRY, &lint, &none));
	assert_non_null(strstr(lint.v[0], slt_table_digest(t)));
	assert_false(slt_table_load("/nonexistent.tsv", NULL, SLT_TABLE_COUNTRY, &lint, &none));
	assert_null(none);
	remove(path);
}

static void a_pivot_list_maps_to_nothing(void **state)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO(slt_table_free) struct slt_table *t = NULL;

	(void)state;
	assert_true(slt_table_load_bytes("p.tsv", slt_str("code\tpivot_code\na\tb\n"),
					 SLT_TABLE_PIVOT, &lint, &t));
	assert_int_equal(lint.total, 1);
}

static void rows_are_in_force_by_the_date_of_the_document(void **state)
{
	static const struct slt_row open_ended = {.status = SLT_ROW_ACTIVE};
	static const struct slt_row from = {.valid_from = 20240101};
	static const struct slt_row until = {.valid_to = 20231231};
	static const struct slt_row draft = {.status = SLT_ROW_DRAFT};
	static const struct slt_row retired = {.status = SLT_ROW_RETIRED};
	static const struct slt_row was = {.status = SLT_ROW_RETIRED, .valid_to = 20231231};

	(void)state;
	assert_true(slt_row_in_force(&open_ended, 20231115));
	assert_true(slt_row_in_force(&open_ended, 0));
	assert_false(slt_row_in_force(&from, 20231231));
	assert_true(slt_row_in_force(&from, 20240101));
	assert_true(slt_row_in_force(&until, 20231231));
	assert_false(slt_row_in_force(&until, 20240101));
	assert_false(slt_row_in_force(&until, 0));
	assert_false(slt_row_in_force(&draft, 20231115));
	assert_false(slt_row_in_force(&retired, 20231115));
	assert_true(slt_row_in_force(&was, 20231115));
	assert_false(slt_row_in_force(&was, 20240101));
}

static void relations_compose(void **state)
{
	static const enum slt_relation E = SLT_REL_EQUIVALENT, N = SLT_REL_NARROWER,
				       B = SLT_REL_BROADER, R = SLT_REL_RELATED,
				       X = SLT_REL_NOT_RELATED;
	/* in the order of the enumeration */
	const enum slt_relation table[5][5] = {{E, N, B, R, X},
					       {N, N, R, R, X},
					       {B, R, B, R, X},
					       {R, R, R, R, X},
					       {X, X, X, X, X}};
	enum slt_relation r;

	(void)state;
	for (int a = 0; a < 5; a++) {
		for (int b = 0; b < 5; b++) {
			assert_int_equal(
				slt_relation_compose((enum slt_relation)a, (enum slt_relation)b),
				table[a][b]);
		}
	}
	assert_int_equal(slt_relation_flip(N), B);
	assert_int_equal(slt_relation_flip(B), N);
	assert_int_equal(slt_relation_flip(R), R);
	assert_false(slt_relation_by_name("equal", &r));
	assert_false(slt_relation_by_name("", &r));
	assert_true(slt_relation_by_name("source-is-broader-than-target", &r));
	assert_int_equal(r, B);
}

static void letters_are_folded(void **state)
{
	static const char *const same[][2] = {{"ÕÄÖÜŠŽ", "õäöüšž"}, {"ÅÆØÞ", "åæøþ"},
					      {"ĀĶŁŃŸ", "āķłńŸ"},   {"Läpipaino-1", "läpipaino-1"},
					      {"×÷ß", "×÷ß"},	    {"Ж€𝄞", "Ж€𝄞"}};
	char out[64];

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(same); i++) {
		assert_true(slt_fold(same[i][0], out, sizeof(out)));
		assert_string_equal(out, same[i][1]);
	}
	assert_false(slt_fold("abcdef", out, 5));
	assert_true(slt_fold("\xc3", out, sizeof(out)));
}

/* A lookup costs the same in a table of a hundred rows and of a hundred thousand: counted in
 * rows seen, not in seconds. */
static void large_tables_are_indexed(void **state)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO_BUF(b, 16 << 20);
	char code[16];

	(void)state;
	slt_buf_adds(&b, "code\tpivot_code\n");
	for (unsigned i = 0; i < 100000; i++) {
		slt_buf_addf(&b, "c%06u\tp%06u\n", i, i / 2);
	}
	SLT_AUTO(slt_table_free) struct slt_table *t = load(b.p, &lint);
	assert_int_equal(lint.total, 0);
	for (unsigned i = 0; i < 100000; i += 777) {
		snprintf(code, sizeof(code), "c%06u", i);
		assert_int_equal(slt_table_by_code(t, code), i);
		snprintf(code, sizeof(code), "p%06u", i / 2);
		assert_int_equal(slt_table_by_pivot(t, code), i / 2 * 2);
	}
	assert_int_equal(slt_table_by_code(t, "c100000"), SLT_ROW_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_read),
		cmocka_unit_test(rows_are_found_in_the_order_of_the_file),
		cmocka_unit_test(what_is_wrong_is_said_with_its_line),
		cmocka_unit_test(lines_and_codes_have_a_longest),
		cmocka_unit_test(a_file_must_have_the_digest_named),
		cmocka_unit_test(a_pivot_list_maps_to_nothing),
		cmocka_unit_test(rows_are_in_force_by_the_date_of_the_document),
		cmocka_unit_test(relations_compose),
		cmocka_unit_test(letters_are_folded),
		cmocka_unit_test(large_tables_are_indexed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
