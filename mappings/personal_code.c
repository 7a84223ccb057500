/* SPDX-License-Identifier: MIT */
#include "mappings/personal_code.h"

#include <string.h>

#include "mappings/company_code.h"

#define HETU_LEN      11
#define ISIKUKOOD_LEN 11

static const char *const scheme_names[] = {
	[SLT_SCHEME_NONE] = "none",
	[SLT_SCHEME_HETU] = "hetu",
	[SLT_SCHEME_ISIKUKOOD] = "isikukood",
	[SLT_SCHEME_YTUNNUS] = "ytunnus",
	[SLT_SCHEME_REGISTRIKOOD] = "registrikood",
};

const char *slt_code_scheme_name(enum slt_code_scheme s)
{
	return scheme_names[s];
}

bool slt_code_scheme_is_personal(enum slt_code_scheme s)
{
	return s == SLT_SCHEME_HETU || s == SLT_SCHEME_ISIKUKOOD;
}

bool slt_code_scheme_by_name(const char *name, enum slt_code_scheme *ret)
{
	for (unsigned i = 0; i < SLT_COUNT(scheme_names); i++) {
		if (strcmp(name, scheme_names[i]) == 0) {
			*ret = (enum slt_code_scheme)i;
			return true;
		}
	}
	return false;
}

static bool digits(const char *p, size_t n, unsigned *ret)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9') {
			return false;
		}
		v = v * 10 + (unsigned)(p[i] - '0');
	}
	*ret = v;
	return true;
}

static bool date_exists(unsigned year, unsigned month, unsigned day)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month < 1 || month > 12 || day < 1) {
		return false;
	}
	return day <= days[month - 1] + (unsigned)(month == 2 && leap);
}

static bool hetu_century(char sign, unsigned *ret)
{
	static const struct {
		unsigned century;
		const char *signs;
	} centuries[] = {{1800, "+"}, {1900, "-YXWVU"}, {2000, "ABCDEF"}};

	for (size_t i = 0; i < SLT_COUNT(centuries); i++) {
		if (sign != '\0' && strchr(centuries[i].signs, sign)) {
			*ret = centuries[i].century;
			return true;
		}
	}
	return false;
}

static bool parse_hetu(struct slt_str s, struct slt_personal_code *ret, struct slt_err *err)
{
	static const char check[] = "0123456789ABCDEFHJKLMNPRSTUVWXY";
	unsigned day, month, yy, number, century;

	if (s.n != HETU_LEN || !digits(s.p, 2, &day) || !digits(s.p + 2, 2, &month) ||
	    !digits(s.p + 4, 2, &yy) || !hetu_century(s.p[6], &century) ||
	    !digits(s.p + 7, 3, &number) || number < 2) {
		return slt_fail(
			err, SLT_FED_ID_001,
			"the Finnish personal code is not of the form DDMMYY, century sign, "
			"three digits, check character");
	}
	if (!date_exists(century + yy, month, day)) {
		return slt_fail(err, SLT_FED_ID_001,
				"the Finnish personal code holds no date that exists");
	}
	unsigned all = ((day * 100 + month) * 100 + yy) * 1000 + number;
	if (check[all % 31] != s.p[10]) {
		return slt_fail(err, SLT_FED_ID_002,
				"the check character of the Finnish personal code is wrong");
	}
	*ret = (struct slt_personal_code){century + yy, month, day, number % 2 ? 'M' : 'F'};
	return true;
}

static unsigned isikukood_check(const char *p)
{
	static const unsigned char weights[2][10] = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 1},
						     {3, 4, 5, 6, 7, 8, 9, 1, 2, 3}};

	for (unsigned w = 0; w < 2; w++) {
		unsigned sum = 0;
		for (unsigned i = 0; i < 10; i++) {
			sum += weights[w][i] * (unsigned)(p[i] - '0');
		}
		if (sum % 11 < 10) {
			return sum % 11;
		}
	}
	return 0;
}

static bool parse_isikukood(struct slt_str s, struct slt_personal_code *ret, struct slt_err *err)
{
	unsigned first, yy, month, day, rest;

	if (s.n != ISIKUKOOD_LEN || !digits(s.p, 1, &first) || first < 1 || first > 8 ||
	    !digits(s.p + 1, 2, &yy) || !digits(s.p + 3, 2, &month) || !digits(s.p + 5, 2, &day) ||
	    !digits(s.p + 7, 4, &rest)) {
		return slt_fail(
			err, SLT_FED_ID_001,
			"the Estonian personal code is not of eleven digits beginning with 1 "
			"to 8");
	}
	unsigned year = 1800 + (first - 1) / 2 * 100 + yy;
	if (!date_exists(year, month, day)) {
		return slt_fail(err, SLT_FED_ID_001,
				"the Estonian personal code holds no date that exists");
	}
	if (isikukood_check(s.p) != rest % 10) {
		return slt_fail(err, SLT_FED_ID_002,
				"the check digit of the Estonian personal code is wrong");
	}
	*ret = (struct slt_personal_code){year, month, day, first % 2 ? 'M' : 'F'};
	return true;
}

bool slt_personal_code_parse(enum slt_code_scheme scheme, struct slt_str code,
			     struct slt_personal_code *ret, struct slt_err *err)
{
	switch (scheme) {
	case SLT_SCHEME_HETU:
		return parse_hetu(code, ret, err);
	case SLT_SCHEME_ISIKUKOOD:
		return parse_isikukood(code, ret, err);
	case SLT_SCHEME_YTUNNUS:
		*ret = (struct slt_personal_code){0, 0, 0, '\0'};
		return slt_ytunnus_check(code, err);
	case SLT_SCHEME_REGISTRIKOOD:
		*ret = (struct slt_personal_code){0, 0, 0, '\0'};
		return slt_registrikood_check(code, err);
	case SLT_SCHEME_NONE:
		break;
	}
	return slt_fail(err, SLT_EINVAL, "no personal code scheme is named");
}
