/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mappings/company_code.h"
#include "mappings/personal_code.h"

/* what both checks are */
typedef bool check_fn(struct slt_str code, struct slt_err *err);

static void accepts(check_fn *check, const char *code)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!check(slt_str(code), &err)) {
		fail_msg("%s: %s", code, err.msg);
	}
}

static void refuses(check_fn *check, const char *code, enum slt_code why)
{
	struct slt_err err = SLT_ERR_INIT;

	if (check(slt_str(code), &err)) {
		fail_msg("%s was accepted", code);
	}
	assert_int_equal(err.code, why);
	assert_true(*code == '\0' || !strstr(err.msg, code));
}

static void finnish_codes(void **state)
{
	static const char *const malformed[] = {
		"",	     "9900112",	  "99001125",  "9900112-",   "9900112-55", "990011-25",
		"9900112 5", "990011a-5", "9900112-a", " 9900112-5", "9900112-5 ", "FI99001125"};

	(void)state;
	accepts(slt_ytunnus_check, "9900112-5");
	accepts(slt_ytunnus_check, "0000000-0");
	accepts(slt_ytunnus_check, "1234567-1");
	for (char c = '0'; c <= '9'; c++) {
		char code[] = "9900112-5", never[] = "9000002-0";
		code[8] = never[8] = c;
		if (c != '5') {
			refuses(slt_ytunnus_check, code, SLT_FED_ID_002);
		}
		/* a remainder of one has no check digit */
		refuses(slt_ytunnus_check, never, SLT_FED_ID_002);
	}
	refuses(slt_ytunnus_check, "9900121-5", SLT_FED_ID_002);
	for (size_t i = 0; i < SLT_COUNT(malformed); i++) {
		refuses(slt_ytunnus_check, malformed[i], SLT_FED_ID_001);
	}
}

static void estonian_codes(void **state)
{
	static const char *const malformed[] = {"",	    "9990011",	"999001111", "9990011a",
						"9990011 ", "EE999001", "9990011-1"};

	(void)state;
	accepts(slt_registrikood_check, "99900111");
	accepts(slt_registrikood_check, "00000000");
	/* the first weights leave ten: the second decide */
	accepts(slt_registrikood_check, "99900009");
	accepts(slt_registrikood_check, "99900173");
	for (char c = '0'; c <= '9'; c++) {
		char first[] = "99900111", second[] = "99900173";
		first[7] = second[7] = c;
		if (c != '1') {
			refuses(slt_registrikood_check, first, SLT_FED_ID_002);
		}
		if (c != '3') {
			refuses(slt_registrikood_check, second, SLT_FED_ID_002);
		}
	}
	refuses(slt_registrikood_check, "99900112", SLT_FED_ID_002);
	refuses(slt_registrikood_check, "99901011", SLT_FED_ID_002);
	for (size_t i = 0; i < SLT_COUNT(malformed); i++) {
		refuses(slt_registrikood_check, malformed[i], SLT_FED_ID_001);
	}
}

static void companies_are_no_persons(void **state)
{
	static const struct {
		const char *name;
		bool personal;
	} all[] = {{"hetu", true},
		   {"isikukood", true},
		   {"ytunnus", false},
		   {"registrikood", false},
		   {"none", false}};
	struct slt_personal_code c;
	struct slt_err err = SLT_ERR_INIT;
	enum slt_code_scheme s;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		assert_true(slt_code_scheme_by_name(all[i].name, &s));
		assert_string_equal(slt_code_scheme_name(s), all[i].name);
		assert_int_equal(slt_code_scheme_is_personal(s), all[i].personal);
	}
	assert_false(slt_code_scheme_by_name("y-tunnus", &s));
	assert_true(slt_personal_code_parse(SLT_SCHEME_YTUNNUS, SLT_STR_C("9900112-5"), &c, &err));
	assert_int_equal(c.year, 0);
	assert_true(
		slt_personal_code_parse(SLT_SCHEME_REGISTRIKOOD, SLT_STR_C("99900111"), &c, &err));
	assert_false(
		slt_personal_code_parse(SLT_SCHEME_REGISTRIKOOD, SLT_STR_C("9900112-5"), &c, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finnish_codes),
		cmocka_unit_test(estonian_codes),
		cmocka_unit_test(companies_are_no_persons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
