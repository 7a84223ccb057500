/* SPDX-License-Identifier: MIT */
#include "mappings/decimal.h"

#include <inttypes.h>
#include <stdio.h>

#define LIMIT INT64_C(1000000000000000000) /* 10^18 */

__extension__ typedef __int128 wide;

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool slt_decimal_parse(struct slt_str s, char point, struct slt_decimal *ret)
{
	size_t i = 0;
	bool negative = false, fraction = false;
	unsigned digits = 0, scale = 0;
	int64_t c = 0;

	if (i < s.n && (s.p[i] == '-' || s.p[i] == '+')) {
		negative = s.p[i++] == '-';
	}
	if (i >= s.n || !is_digit(s.p[i]) || !is_digit(s.p[s.n - 1])) {
		return false;
	}
	for (; i < s.n; i++) {
		if (s.p[i] == point && !fraction) {
			fraction = true;
			continue;
		}
		if (!is_digit(s.p[i])) {
			return false;
		}
		/* leading zeros do not count against the limit, but a fraction's do */
		digits += c != 0 || s.p[i] != '0';
		scale += fraction;
		if (digits > SLT_DECIMAL_DIGITS || scale > SLT_DECIMAL_DIGITS) {
			return false;
		}
		c = c * 10 + (s.p[i] - '0');
	}
	ret->coefficient = negative ? -c : c;
	ret->scale = scale;
	return true;
}

const char *slt_decimal_format(struct slt_decimal d, char point, char ret[SLT_DECIMAL_LEN])
{
	char digits[SLT_DECIMAL_LEN];
	uint64_t c = d.coefficient < 0 ? (uint64_t)-d.coefficient : (uint64_t)d.coefficient;
	int n = snprintf(digits, sizeof(digits), "%0*" PRIu64, (int)d.scale + 1, c);
	size_t at = 0;

	slt_assert(n > (int)d.scale && n < SLT_DECIMAL_LEN - 2);
	if (d.coefficient < 0) {
		ret[at++] = '-';
	}
	for (int i = 0; i < n; i++) {
		if (i == n - (int)d.scale) {
			ret[at++] = point;
		}
		ret[at++] = digits[i];
	}
	ret[at] = '\0';
	return ret;
}

static wide scaled(int64_t c, unsigned by)
{
	wide w = c;

	for (; by > 0; by--) {
		w *= 10;
	}
	return w;
}

int slt_decimal_cmp(struct slt_decimal a, struct slt_decimal b)
{
	wide x = scaled(a.coefficient, b.scale);
	wide y = scaled(b.coefficient, a.scale);

	return (x > y) - (x < y);
}

/* Drops zeros behind the point until the coefficient fits. */
static bool fit(wide c, unsigned scale, struct slt_decimal *ret)
{
	while ((c >= LIMIT || c <= -LIMIT || scale > SLT_DECIMAL_DIGITS) && scale > 0 &&
	       c % 10 == 0) {
		c /= 10;
		scale--;
	}
	if (c >= LIMIT || c <= -LIMIT || scale > SLT_DECIMAL_DIGITS) {
		return false;
	}
	ret->coefficient = (int64_t)c;
	ret->scale = scale;
	return true;
}

bool slt_decimal_mul(struct slt_decimal a, struct slt_decimal b, struct slt_decimal *ret)
{
	return fit((wide)a.coefficient * b.coefficient, a.scale + b.scale, ret);
}

bool slt_decimal_div(struct slt_decimal a, struct slt_decimal b, struct slt_decimal *ret)
{
	if (b.coefficient == 0) {
		return false;
	}
	/* both 36 digits at most: within the 38 of 128 bits */
	wide n = scaled(a.coefficient, b.scale);
	wide d = scaled(b.coefficient, a.scale);
	wide q = n / d, r = n % d;
	unsigned scale = 0;

	while (r != 0) {
		if (scale == SLT_DECIMAL_DIGITS || q >= LIMIT || q <= -LIMIT) {
			return false;
		}
		/* r < d <= 10^36: ten times that still fits */
		r *= 10;
		q = q * 10 + r / d;
		r %= d;
		scale++;
	}
	return fit(q, scale, ret);
}

bool slt_decimal_divides(struct slt_decimal a, struct slt_decimal b)
{
	if (b.coefficient == 0) {
		return false;
	}
	return scaled(a.coefficient, b.scale) % scaled(b.coefficient, a.scale) == 0;
}
