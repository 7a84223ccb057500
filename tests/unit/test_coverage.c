/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mapset_fixture.h"
#include "mappings/coverage.h"

#define TODAY 20261123u
#define EXACT (1u << SLT_REL_EQUIVALENT)

static struct slt_mapset *set;

static void list_one(void *arg, const struct slt_coding *code, enum slt_lookup_status reason,
		     const struct slt_found *found)
{
	(void)found;
	slt_buf_addf(arg, "%s:%d ", code->code, (int)reason);
}

static void what_does_not_arrive_is_listed(void **state)
{
	struct slt_coverage c;
	SLT_AUTO_BUF(b, 4096);
	SLT_AUTO_BUF(expected, 4096);

	(void)state;
	slt_coverage_count(set, "form", "AA", "BB", TODAY, EXACT, &c, list_one, &b);
	assert_int_equal(c.pivot_forms, 9);
	/* P0 to P7 with a row in force; P8's ended in 2023 */
	assert_int_equal(c.from_named, 8);
	/* the draft, the retired and the dated one are no codes of today */
	assert_int_equal(c.codes, 11);
	assert_int_equal(c.reach_target, 5);
	slt_buf_addf(&expected, "12:%d 15:%d 22:%d 23:%d 25:%d 26:%d ", (int)SLT_LOOKUP_AMBIGUOUS,
		     (int)SLT_LOOKUP_NO_TARGET, (int)SLT_LOOKUP_NOT_GOOD,
		     (int)SLT_LOOKUP_UNKNOWN_CODE, (int)SLT_LOOKUP_UNKNOWN_CODE,
		     (int)SLT_LOOKUP_UNKNOWN_CODE);
	assert_string_equal(b.p, expected.p);
}

static void relations_and_dates_count(void **state)
{
	struct slt_coverage c;

	(void)state;
	slt_coverage_count(set, "form", "AA", "BB", TODAY, EXACT | 1u << SLT_REL_NARROWER, &c, NULL,
			   NULL);
	assert_int_equal(c.reach_target, 6);
	slt_coverage_count(set, "form", "AA", "BB", 20230101, EXACT, &c, NULL, NULL);
	assert_int_equal(c.codes, 12);
	assert_int_equal(c.from_named, 9);
}

static void what_is_not_there_is_nothing(void **state)
{
	struct slt_coverage c;

	(void)state;
	slt_coverage_count(set, "none", "AA", "BB", TODAY, EXACT, &c, NULL, NULL);
	assert_int_equal(c.codes + c.pivot_forms + c.reach_target, 0);
	slt_coverage_count(set, "form", "AA", "CC", TODAY, EXACT, &c, NULL, NULL);
	assert_int_equal(c.codes, 11);
	assert_int_equal(c.reach_target, 0);
	slt_coverage_count(set, "form", "CC", "BB", TODAY, EXACT, &c, NULL, NULL);
	assert_int_equal(c.codes, 0);
}

static void list_trip(void *arg, const struct slt_round_trip *r)
{
	slt_buf_addf(arg, "%s>%s>%s:%d ", r->code, r->there ? r->there : "-",
		     r->back ? r->back : "-", (int)r->result);
}

static void there_and_back(void **state)
{
	SLT_AUTO_BUF(b, 4096);

	(void)state;
	slt_round_trips(set, "form", "BB", "AA", TODAY, EXACT, list_trip, &b);
	assert_non_null(strstr(b.p, "T>10>T:0 "));
	assert_non_null(strstr(b.p, "c1>11>c2:1 "));
	assert_non_null(strstr(b.p, "c2>11>c2:0 "));
	assert_non_null(strstr(b.p, "k1>->-:2 "));
	assert_non_null(strstr(b.p, "l4>13>l4:0 "));
	/* AA's only code for P6 cannot come back: BB's row goes one way */
	assert_non_null(strstr(b.p, "x>15>-:3 "));
}

static int setup(void **state)
{
	struct fixture f;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	fixture_begin(&f);
	bool good = slt_mapset_load(f.dir, &set, &err);
	fixture_end(&f);
	return good ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	slt_mapset_free(set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_arrive_is_listed),
		cmocka_unit_test(relations_and_dates_count),
		cmocka_unit_test(what_is_not_there_is_nothing),
		cmocka_unit_test(there_and_back),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, setup, teardown);
}
