/* SPDX-License-Identifier: MIT */
#include "mappings/company_code.h"

#define DIGITS 7 /* before the check digit, in both countries */

static bool are_digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9') {
			return false;
		}
	}
	return true;
}

static unsigned remainder_of(const char *p, const unsigned char *weights)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < DIGITS; i++) {
		sum += weights[i] * (unsigned)(p[i] - '0');
	}
	return sum % 11;
}

bool slt_ytunnus_check(struct slt_str s, struct slt_err *err)
{
	static const unsigned char weights[DIGITS] = {7, 9, 10, 5, 8, 4, 2};

	if (s.n != DIGITS + 2 || !are_digits(s.p, DIGITS) || s.p[DIGITS] != '-' ||
	    !are_digits(s.p + DIGITS + 1, 1)) {
		return slt_fail(err, SLT_FED_ID_001,
				"the Finnish business identity code is not of the form seven "
				"digits, hyphen, check digit");
	}
	unsigned r = remainder_of(s.p, weights);
	if (r == 1 || (unsigned)(s.p[DIGITS + 1] - '0') != (11 - r) % 11) {
		return slt_fail(err, SLT_FED_ID_002,
				"the check digit of the Finnish business identity code is wrong");
	}
	return true;
}

bool slt_registrikood_check(struct slt_str s, struct slt_err *err)
{
	static const unsigned char first[DIGITS] = {1, 2, 3, 4, 5, 6, 7};
	static const unsigned char second[DIGITS] = {3, 4, 5, 6, 7, 8, 9};

	if (s.n != DIGITS + 1 || !are_digits(s.p, DIGITS + 1)) {
		return slt_fail(err, SLT_FED_ID_001,
				"the Estonian registry code is not of eight digits");
	}
	unsigned r = remainder_of(s.p, first);
	if (r == 10) {
		r = remainder_of(s.p, second) % 10;
	}
	if ((unsigned)(s.p[DIGITS] - '0') != r) {
		return slt_fail(err, SLT_FED_ID_002,
				"the check digit of the Estonian registry code is wrong");
	}
	return true;
}
