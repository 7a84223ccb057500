/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Exact decimals: strengths, amounts and package sizes are never binary floats.
 *
 * A decimal is coefficient × 10^-scale. Operations that would need more than 18 digits fail
 * instead of rounding. Trailing zeros are kept ("16.00" prints as "16.00"), comparison ignores
 * them.
 */

#include "base/buf.h"

#define SLT_DECIMAL_DIGITS 18

struct slt_decimal {
	int64_t coefficient;
	unsigned scale; /* digits behind the point, at most SLT_DECIMAL_DIGITS */
};

/* "-12.50" with `point` '.' or ','; a sign only before digits; digits on both sides of the point;
 * no exponent, no blanks, no grouping. */
SLT_CHECK bool slt_decimal_parse(struct slt_str s, char point, struct slt_decimal *ret);
#define SLT_DECIMAL_LEN 24
const char *slt_decimal_format(struct slt_decimal d, char point, char ret[SLT_DECIMAL_LEN]);

int slt_decimal_cmp(struct slt_decimal a, struct slt_decimal b); /* -1, 0, 1 */
SLT_CHECK bool slt_decimal_mul(struct slt_decimal a, struct slt_decimal b, struct slt_decimal *ret);
/* False when b is zero or the quotient has no finite decimal of 18 digits. */
SLT_CHECK bool slt_decimal_div(struct slt_decimal a, struct slt_decimal b, struct slt_decimal *ret);
/* a is a whole multiple of b (b not zero). */
bool slt_decimal_divides(struct slt_decimal a, struct slt_decimal b);
