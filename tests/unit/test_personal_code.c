/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mappings/personal_code.h"

static void reads(enum slt_code_scheme s, const char *code, unsigned y, unsigned m, unsigned d,
		  char sex)
{
	struct slt_personal_code c;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_personal_code_parse(s, slt_str(code), &c, &err)) {
		fail_msg("%s: %s", code, err.msg);
	}
	assert_int_equal(c.year, y);
	assert_int_equal(c.month, m);
	assert_int_equal(c.day, d);
	assert_int_equal(c.sex, sex);
}

static void refuses(enum slt_code_scheme s, const char *code, enum slt_code why)
{
	struct slt_personal_code c;
	struct slt_err err = SLT_ERR_INIT;

	if (slt_personal_code_parse(s, slt_str(code), &c, &err)) {
		fail_msg("%s was accepted", code);
	}
	assert_int_equal(err.code, why);
	if (*code) {
		assert_null(strstr(err.msg, code));
	}
}

static void finnish_codes_are_read(void **state)
{
	(void)state;
	reads(SLT_SCHEME_HETU, "131052-308T", 1952, 10, 13, 'F');
	reads(SLT_SCHEME_HETU, "041082-995W", 1982, 10, 4, 'M');
	reads(SLT_SCHEME_HETU, "210887-222L", 1987, 8, 21, 'F');
}

/* The check character does not depend on the sign of the century. */
static void every_sign_of_a_century_is_known(void **state)
{
	static const struct {
		char sign;
		unsigned year;
	} signs[] = {{'+', 1852}, {'-', 1952}, {'Y', 1952}, {'X', 1952}, {'W', 1952},
		     {'V', 1952}, {'U', 1952}, {'A', 2052}, {'B', 2052}, {'C', 2052},
		     {'D', 2052}, {'E', 2052}, {'F', 2052}};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(signs); i++) {
		char code[] = "131052-308T";
		code[6] = signs[i].sign;
		reads(SLT_SCHEME_HETU, code, signs[i].year, 10, 13, 'F');
	}
}

static void other_signs_are_refused(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char code[] = "131052-308T";
		struct slt_personal_code p;
		struct slt_err err = SLT_ERR_INIT;
		code[6] = (char)c;
		bool known = strchr("+-YXWVUABCDEF", c) != NULL;
		assert_int_equal(slt_personal_code_parse(SLT_SCHEME_HETU, slt_str(code), &p, &err),
				 known);
	}
}

static void malformed_finnish_codes_are_refused(void **state)
{
	static const char *const bad[] = {"",
					  "131052",
					  "131052-308",
					  "131052-308TT",
					  " 131052-308T",
					  "1310 2-308T",
					  "131052-30aT",
					  "131052308T",
					  "321052-308T",
					  "001052-308T",
					  "131352-308T",
					  "130052-308T",
					  "290201A3083",
					  "131052-001T",
					  "131052-000T",
					  "13105２-308T"};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		refuses(SLT_SCHEME_HETU, bad[i], SLT_FED_ID_001);
	}
}

static void a_wrong_finnish_check_character_is_refused(void **state)
{
	static const char all[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZt";

	(void)state;
	for (const char *c = all; *c; c++) {
		char code[] = "131052-308T";
		code[10] = *c;
		if (*c != 'T') {
			refuses(SLT_SCHEME_HETU, code, SLT_FED_ID_002);
		}
	}
	refuses(SLT_SCHEME_HETU, "131052-309T", SLT_FED_ID_002);
	refuses(SLT_SCHEME_HETU, "131053-308T", SLT_FED_ID_002);
}

static void estonian_codes_are_read(void **state)
{
	(void)state;
	reads(SLT_SCHEME_ISIKUKOOD, "37605030299", 1976, 5, 3, 'M');
	reads(SLT_SCHEME_ISIKUKOOD, "38301105216", 1983, 1, 10, 'M');
	reads(SLT_SCHEME_ISIKUKOOD, "49008039720", 1990, 8, 3, 'F');
}

/* Codes whose first sum leaves ten, and then the second too. */
static void the_second_weights_are_used(void **state)
{
	unsigned second = 0, zero = 0;

	(void)state;
	for (unsigned n = 0; n < 1000; n++) {
		static const int w1[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1};
		static const int w2[] = {3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
		char code[12];
		int a = 0, b = 0;
		snprintf(code, sizeof(code), "3760503%03u0", n);
		for (int i = 0; i < 10; i++) {
			a += w1[i] * (code[i] - '0');
			b += w2[i] * (code[i] - '0');
		}
		if (a % 11 != 10) {
			continue;
		}
		second++;
		zero += b % 11 == 10;
		code[10] = (char)('0' + (b % 11 == 10 ? 0 : b % 11));
		reads(SLT_SCHEME_ISIKUKOOD, code, 1976, 5, 3, 'M');
		code[10] = (char)(code[10] == '9' ? '0' : code[10] + 1);
		refuses(SLT_SCHEME_ISIKUKOOD, code, SLT_FED_ID_002);
	}
	assert_true(second > zero && zero > 0);
}

static void centuries_follow_the_first_digit(void **state)
{
	(void)state;
	for (unsigned first = 1; first <= 8; first++) {
		for (unsigned check = 0; check < 10; check++) {
			char code[12];
			struct slt_personal_code c;
			struct slt_err err = SLT_ERR_INIT;
			snprintf(code, sizeof(code), "%u760503029%u", first, check);
			if (slt_personal_code_parse(SLT_SCHEME_ISIKUKOOD, slt_str(code), &c,
						    &err)) {
				assert_int_equal(c.year, 1876 + (first - 1) / 2 * 100);
				assert_int_equal(c.sex, first % 2 ? 'M' : 'F');
			}
		}
	}
}

static void malformed_estonian_codes_are_refused(void **state)
{
	static const char *const bad[] = {"",
					  "3760503029",
					  "376050302999",
					  "07605030299",
					  "97605030299",
					  "37613030299",
					  "37600030299",
					  "37605320299",
					  "37605000299",
					  "3760503029A",
					  "37602300299",
					  "-7605030299",
					  "39902290299"};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		refuses(SLT_SCHEME_ISIKUKOOD, bad[i], SLT_FED_ID_001);
	}
	refuses(SLT_SCHEME_ISIKUKOOD, "37605030298", SLT_FED_ID_002);
	refuses(SLT_SCHEME_ISIKUKOOD, "37605030399", SLT_FED_ID_002);
}

static void a_code_of_the_other_country_is_refused(void **state)
{
	(void)state;
	refuses(SLT_SCHEME_HETU, "37605030299", SLT_FED_ID_001);
	refuses(SLT_SCHEME_ISIKUKOOD, "131052-308T", SLT_FED_ID_001);
	refuses(SLT_SCHEME_NONE, "131052-308T", SLT_EINVAL);
}

static void schemes_have_names(void **state)
{
	enum slt_code_scheme s;

	(void)state;
	assert_true(slt_code_scheme_by_name("isikukood", &s));
	assert_int_equal(s, SLT_SCHEME_ISIKUKOOD);
	assert_string_equal(slt_code_scheme_name(SLT_SCHEME_HETU), "hetu");
	assert_false(slt_code_scheme_by_name("Hetu", &s));
	assert_false(slt_code_scheme_by_name("", &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finnish_codes_are_read),
		cmocka_unit_test(every_sign_of_a_century_is_known),
		cmocka_unit_test(other_signs_are_refused),
		cmocka_unit_test(malformed_finnish_codes_are_refused),
		cmocka_unit_test(a_wrong_finnish_check_character_is_refused),
		cmocka_unit_test(estonian_codes_are_read),
		cmocka_unit_test(the_second_weights_are_used),
		cmocka_unit_test(centuries_follow_the_first_digit),
		cmocka_unit_test(malformed_estonian_codes_are_refused),
		cmocka_unit_test(a_code_of_the_other_country_is_refused),
		cmocka_unit_test(schemes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
