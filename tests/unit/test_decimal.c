/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mappings/decimal.h"

static struct slt_decimal d(const char *s)
{
	struct slt_decimal x = {0, 0};

	assert_true(slt_decimal_parse(slt_str(s), '.', &x));
	return x;
}

static void shows(struct slt_decimal x, const char *s)
{
	char text[SLT_DECIMAL_LEN];

	assert_string_equal(slt_decimal_format(x, '.', text), s);
}

static void numbers_are_printed_as_they_were_read(void **state)
{
	static const char *const same[] = {"0",
					   "1",
					   "-1",
					   "16.00",
					   "0.005",
					   "-0.50",
					   "12.5",
					   "000",
					   "0.0",
					   "999999999999999999",
					   "0.000000000000000001"};
	char text[SLT_DECIMAL_LEN];

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(same); i++) {
		slt_decimal_format(d(same[i]), '.', text);
		assert_string_equal(text, strcmp(same[i], "000") ? same[i] : "0");
	}
	shows(d("+7.10"), "7.10");
}

static void a_comma_is_a_point_where_it_is_asked_for(void **state)
{
	struct slt_decimal x;
	char text[SLT_DECIMAL_LEN];

	(void)state;
	assert_true(slt_decimal_parse(slt_str("12,5"), ',', &x));
	assert_string_equal(slt_decimal_format(x, ',', text), "12,5");
	shows(x, "12.5");
	assert_false(slt_decimal_parse(slt_str("12.5"), ',', &x));
	assert_false(slt_decimal_parse(slt_str("12,5"), '.', &x));
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "-",
					  "+",
					  "1.",
					  ".5",
					  "1..2",
					  "1.2.3",
					  " 1",
					  "1 ",
					  "1e3",
					  "0x1",
					  "--1",
					  "1-",
					  "1,000",
					  "NaN",
					  "inf",
					  "\xd9\xa1",
					  "1000000000000000000",
					  "0.0000000000000000001",
					  "99999999999999999999999999999999999999999"};
	struct slt_decimal x;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		if (slt_decimal_parse(slt_str(bad[i]), '.', &x)) {
			fail_msg("\"%s\" was read", bad[i]);
		}
	}
	assert_false(slt_decimal_parse((struct slt_str){"1\0", 2}, '.', &x));
}

static void trailing_zeros_do_not_count_in_comparison(void **state)
{
	(void)state;
	assert_int_equal(slt_decimal_cmp(d("16.00"), d("16")), 0);
	assert_int_equal(slt_decimal_cmp(d("-0"), d("0.000")), 0);
	assert_int_equal(slt_decimal_cmp(d("2"), d("10")), -1);
	assert_int_equal(slt_decimal_cmp(d("0.10"), d("0.09")), 1);
	assert_int_equal(slt_decimal_cmp(d("-2"), d("-10")), 1);
	assert_int_equal(slt_decimal_cmp(d("999999999999999999"), d("0.000000000000000001")), 1);
}

static void products_are_exact_or_refused(void **state)
{
	struct slt_decimal x;

	(void)state;
	assert_true(slt_decimal_mul(d("0.1"), d("0.2"), &x));
	shows(x, "0.02");
	assert_true(slt_decimal_mul(d("-2.5"), d("4"), &x));
	assert_int_equal(slt_decimal_cmp(x, d("-10")), 0);
	assert_true(slt_decimal_mul(d("50000000000000000.0"), d("10.0"), &x));
	assert_int_equal(slt_decimal_cmp(x, d("500000000000000000")), 0);
	assert_false(slt_decimal_mul(d("999999999999999999"), d("2"), &x));
	assert_false(slt_decimal_mul(d("0.000000000000000001"), d("0.1"), &x));
}

static void quotients_are_exact_or_refused(void **state)
{
	struct slt_decimal x;

	(void)state;
	assert_true(slt_decimal_div(d("1"), d("8"), &x));
	shows(x, "0.125");
	assert_true(slt_decimal_div(d("20"), d("2.5"), &x));
	shows(x, "8");
	assert_true(slt_decimal_div(d("-1.50"), d("0.5"), &x));
	assert_int_equal(slt_decimal_cmp(x, d("-3")), 0);
	assert_false(slt_decimal_div(d("1"), d("3"), &x));
	assert_false(slt_decimal_div(d("1"), d("0.00"), &x));
	assert_false(slt_decimal_div(d("1"), d("999999999999999999"), &x));
}

static void multiples_are_told_from_the_rest(void **state)
{
	(void)state;
	assert_true(slt_decimal_divides(d("400"), d("100")));
	assert_true(slt_decimal_divides(d("7.5"), d("2.5")));
	assert_true(slt_decimal_divides(d("0"), d("28")));
	assert_false(slt_decimal_divides(d("400"), d("30")));
	assert_false(slt_decimal_divides(d("1"), d("2.5")));
	assert_false(slt_decimal_divides(d("1"), d("0")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_printed_as_they_were_read),
		cmocka_unit_test(a_comma_is_a_point_where_it_is_asked_for),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(trailing_zeros_do_not_count_in_comparison),
		cmocka_unit_test(products_are_exact_or_refused),
		cmocka_unit_test(quotients_are_exact_or_refused),
		cmocka_unit_test(multiples_are_told_from_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
