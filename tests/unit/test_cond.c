/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mappings/cond.h"
#include "mappings/date.h"

static struct slt_str get(void *arg, const char *name)
{
	(void)arg;
	static const char *const known[][2] = {{"document", "eP"},
					       {"prescription.date", "20231115093000+0200"},
					       {"pack.kind", "2"},
					       {"amount", "12.50"},
					       {"empty", ""}};

	for (size_t i = 0; i < SLT_COUNT(known); i++) {
		if (strcmp(known[i][0], name) == 0) {
			return slt_str(known[i][1]);
		}
	}
	return (struct slt_str){NULL, 0};
}

static bool eval(const char *text)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	static const struct slt_cond_fields fields = {get, NULL};
	struct slt_cond *c = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_cond_parse(text, a, &c, &err)) {
		fail_msg("%s: %s", text, err.msg);
	}
	return slt_cond_eval(c, &fields);
}

static void refused(const char *text, const char *why)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_cond *c = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (slt_cond_parse(text, a, &c, &err)) {
		fail_msg("\"%s\" was read", text);
	}
	if (!strstr(err.msg, why)) {
		fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
	}
}

static void conditions_that_hold(void **state)
{
	static const char *const good[] = {
		"document = 'eP'",
		"document != 'eD'",
		"prescription.date < 2024-01-01",
		"prescription.date = 2023-11-15",
		"prescription.date >= 2023-11-15 and prescription.date <= 2023-11-15",
		"pack.kind = 2",
		"pack.kind = '2'",
		"pack.kind=2.0",
		"amount = 12.5",
		"amount > 12.49",
		"not amount > 13",
		"document in ('eD', 'eP')",
		"amount in (1, 12.5)",
		"document not in ('eD')",
		"document = 'eD' or pack.kind = 2 and amount = 12.5",
		"(document = 'eD' or pack.kind = 2) and not (amount = 1)",
		"missing != 'x'",
		"missing not in ('x')",
		"not missing = 'x'",
		"empty = ''",
		"2 < amount",
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(good); i++) {
		if (!eval(good[i])) {
			fail_msg("does not hold: %s", good[i]);
		}
	}
}

static void conditions_that_do_not_hold(void **state)
{
	static const char *const bad[] = {
		"document = 'EP'",
		"document != 'eP'",
		"prescription.date >= 2024-01-01",
		"pack.kind = 3",
		"amount = '12.5'", /* as a text it is another one */
		"missing = 'x'",
		"missing < 5",
		"missing >= 5",
		"missing in ('x')",
		"missing = missing",
		"document < 5",
		"document > 5",
		"document = 2024-01-01",
		"empty > 0",
		"document = 'eD' and missing != 'x'",
		"not (document = 'eP')",
		"pack.kind < 2024-01-01",
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		if (eval(bad[i])) {
			fail_msg("holds: %s", bad[i]);
		}
	}
}

static void what_is_no_condition_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{"", "expected"},
		{"document", "comparison"},
		{"document =", "expected"},
		{"= 'eP'", "expected"},
		{"document = 'eP", "not closed"},
		{"document == 'eP'", "expected"},
		{"document = 'eP' 'eD'", "left over"},
		{"document = 'eP' and", "expected"},
		{"(document = 'eP'", ") is expected"},
		{"document = 'eP')", "left over"},
		{"document in 'eP'", "( is expected"},
		{"document in ()", "expected"},
		{"document in ('eP'", ") is expected"},
		{"document in (pack.kind)", "only texts"},
		{"document not = 'eP'", "in is expected"},
		{"document < 'eP'", "texts can only"},
		{"'a' >= amount", "texts can only"},
		{"prescription.date < 2024-13-01", "neither"},
		{"prescription.date < 2024-02-30", "neither"},
		{"amount < 1.2.3", "neither"},
		{"amount < 1e5", "neither"},
		{"document = \"eP\"", "expected"},
		{"system('x') = 1", "comparison"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		refused(bad[i][0], bad[i][1]);
	}
}

static void conditions_have_an_end(void **state)
{
	SLT_AUTO_BUF(b, 1 << 16);

	(void)state;
	for (int i = 0; i < 100; i++) {
		slt_buf_adds(&b, "(");
	}
	refused(b.p, "deeply");
	slt_buf_reset(&b);
	for (int i = 0; i < 100; i++) {
		slt_buf_adds(&b, "not ");
	}
	refused(b.p, "deeply");
	slt_buf_reset(&b);
	slt_buf_adds(&b, "a=1");
	for (int i = 0; i < 300; i++) {
		slt_buf_adds(&b, " or a=1");
	}
	refused(b.p, "too long");
	slt_buf_reset(&b);
	slt_buf_adds(&b, "a in (1");
	for (int i = 0; i < 300; i++) {
		slt_buf_adds(&b, ",1");
	}
	refused(b.p, "too long");
	slt_buf_reset(&b);
	for (int i = 0; i < 5000; i++) {
		slt_buf_adds(&b, " ");
	}
	refused(b.p, "bytes");
}

static void fields_are_listed(void **state)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_cond *c = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_cond_parse("a.b = 'x' or 5 < c and a.b in (1)", a, &c, &err));
	assert_string_equal(slt_cond_field(c, 0), "a.b");
	assert_string_equal(slt_cond_field(c, 1), "c");
	assert_string_equal(slt_cond_field(c, 2), "a.b");
	assert_null(slt_cond_field(c, 3));
}

static void dates_exist(void **state)
{
	static const char *const good[] = {"2023",
					   "202311",
					   "20231115",
					   "2023111509",
					   "202311150930",
					   "20231115093000",
					   "20231115093000.1234",
					   "20231115093000+0200",
					   "20231115093000.5-0330",
					   "202311150930+02",
					   "20240229"};
	static const char *const bad[] = {"",
					  "202",
					  "20231",
					  "2023-11-15",
					  "20231315",
					  "20230229",
					  "20231132",
					  "202313",
					  "2023111524",
					  "202311150960",
					  "20231115093061",
					  "20231115+0200",
					  "20231115093000.",
					  "20231115093000.12345678",
					  "20231115093000+2",
					  "20231115093000Z",
					  "20231115093000+0200x",
					  " 20231115"};
	uint32_t d;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(good); i++) {
		assert_true(slt_date_is_hl7(slt_str(good[i])));
	}
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		if (slt_date_is_hl7(slt_str(bad[i]))) {
			fail_msg("\"%s\" is a time stamp", bad[i]);
		}
	}
	assert_true(slt_date_parse_hl7(slt_str("20231115093000+0200"), &d));
	assert_int_equal(d, 20231115);
	assert_false(slt_date_parse_hl7(slt_str("202311"), &d));
	assert_true(slt_date_parse_iso(slt_str("2024-02-29"), &d));
	assert_int_equal(d, 20240229);
	assert_false(slt_date_parse_iso(slt_str("2023-02-29"), &d));
	assert_false(slt_date_parse_iso(slt_str("2024-2-29"), &d));
	assert_false(slt_date_parse_iso(slt_str("2024-02-29T"), &d));
	assert_int_equal(slt_date_of_ms(1700000000000), 20231114);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_that_hold),
		cmocka_unit_test(conditions_that_do_not_hold),
		cmocka_unit_test(what_is_no_condition_is_refused),
		cmocka_unit_test(conditions_have_an_end),
		cmocka_unit_test(fields_are_listed),
		cmocka_unit_test(dates_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
