/* SPDX-License-Identifier: MIT */
#include "mappings/date.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static size_t count_digits(struct slt_str s, size_t from)
{
	size_t n = 0;

	while (from + n < s.n && s.p[from + n] >= '0' && s.p[from + n] <= '9') {
		n++;
	}
	return n;
}

static unsigned number(const char *p, size_t n)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		v = v * 10 + (unsigned)(p[i] - '0');
	}
	return v;
}

static bool make(unsigned y, unsigned m, unsigned d, uint32_t *ret)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	if (y < 1000 || m < 1 || m > 12 || d < 1 || d > days[m - 1] + (unsigned)(m == 2 && leap)) {
		return false;
	}
	*ret = y * 10000 + m * 100 + d;
	return true;
}

bool slt_date_parse_iso(struct slt_str s, uint32_t *ret)
{
	if (s.n != 10 || count_digits(s, 0) != 4 || s.p[4] != '-' || count_digits(s, 5) != 2 ||
	    s.p[7] != '-' || count_digits(s, 8) != 2) {
		return false;
	}
	return make(number(s.p, 4), number(s.p + 5, 2), number(s.p + 8, 2), ret);
}

bool slt_date_is_hl7(struct slt_str s)
{
	size_t n = count_digits(s, 0);
	size_t at = n;
	uint32_t date;

	if (n < 4 || n > 14 || n % 2 != 0) {
		return false;
	}
	if (n >= 8 && !make(number(s.p, 4), number(s.p + 4, 2), number(s.p + 6, 2), &date)) {
		return false;
	}
	if (n == 6 && (number(s.p + 4, 2) < 1 || number(s.p + 4, 2) > 12)) {
		return false;
	}
	if ((n >= 10 && number(s.p + 8, 2) > 23) || (n >= 12 && number(s.p + 10, 2) > 59) ||
	    (n >= 14 && number(s.p + 12, 2) > 60)) {
		return false;
	}
	if (at < s.n && s.p[at] == '.') {
		size_t fraction = count_digits(s, at + 1);
		if (n != 14 || fraction < 1 || fraction > 6) {
			return false;
		}
		at += 1 + fraction;
	}
	if (at < s.n && (s.p[at] == '+' || s.p[at] == '-')) {
		size_t zone = count_digits(s, at + 1);
		if (n < 10 || (zone != 4 && zone != 2)) {
			return false;
		}
		at += 1 + zone;
	}
	return at == s.n;
}

bool slt_date_parse_hl7(struct slt_str s, uint32_t *ret)
{
	if (!slt_date_is_hl7(s) || count_digits(s, 0) < 8) {
		return false;
	}
	return make(number(s.p, 4), number(s.p + 4, 2), number(s.p + 6, 2), ret);
}

static bool in_range(const char *p, unsigned max)
{
	return number(p, 2) <= max;
}

/* hh:mm:ss[.f…](Z|±hh:mm) */
static bool is_time(struct slt_str s)
{
	size_t at = 8;

	if (s.n < 9 || count_digits(s, 0) != 2 || s.p[2] != ':' || count_digits(s, 3) != 2 ||
	    s.p[5] != ':' || count_digits(s, 6) != 2 || !in_range(s.p, 23) ||
	    !in_range(s.p + 3, 59) || !in_range(s.p + 6, 60)) {
		return false;
	}
	if (s.p[at] == '.') {
		size_t fraction = count_digits(s, at + 1);
		if (fraction < 1 || fraction > 9) {
			return false;
		}
		at += 1 + fraction;
	}
	if (at + 1 == s.n) {
		return s.p[at] == 'Z';
	}
	return at + 6 == s.n && (s.p[at] == '+' || s.p[at] == '-') &&
	       count_digits(s, at + 1) == 2 && s.p[at + 3] == ':' && count_digits(s, at + 4) == 2 &&
	       in_range(s.p + at + 1, 14) && in_range(s.p + at + 4, 59);
}

bool slt_date_is_datetime(struct slt_str s)
{
	uint32_t date;

	if (s.n == 7) {
		return count_digits(s, 0) == 4 && s.p[4] == '-' && count_digits(s, 5) == 2 &&
		       make(number(s.p, 4), number(s.p + 5, 2), 1, &date);
	}
	return s.n > 11 && s.p[10] == 'T' && slt_date_parse_iso((struct slt_str){s.p, 10}, &date) &&
	       is_time((struct slt_str){s.p + 11, s.n - 11});
}

bool slt_date_parse(struct slt_str s, uint32_t *ret)
{
	if (s.n > 10 && slt_date_is_datetime(s)) {
		return slt_date_parse_iso((struct slt_str){s.p, 10}, ret);
	}
	return slt_date_parse_iso(s, ret) || slt_date_parse_hl7(s, ret);
}

uint32_t slt_date_of_ms(int64_t now_ms)
{
	char text[SLT_TIME_LEN];
	uint32_t date = 0;

	slt_time_format(now_ms, false, text);
	if (strlen(text) < 10 || !slt_date_parse_iso((struct slt_str){text, 10}, &date)) {
		return 0;
	}
	return date;
}

const char *slt_date_format(uint32_t date, char ret[SLT_DATE_LEN])
{
	snprintf(ret, SLT_DATE_LEN, "%04u-%02u-%02u", date / 10000 % 10000, date / 100 % 100,
		 date % 100);
	return ret;
}
