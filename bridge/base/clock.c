/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static _Atomic int64_t fixed_ms = -1;

int64_t slt_now_ms(void)
{
	int64_t f = atomic_load(&fixed_ms);
	struct timespec ts;

	if (f >= 0) {
		return f;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t slt_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void slt_clock_set(int64_t ms)
{
	atomic_store(&fixed_ms, ms);
}

const char *slt_time_format(int64_t t_ms, bool ms, char ret[SLT_TIME_LEN])
{
	int64_t part = t_ms % 1000;
	time_t t = (time_t)(t_ms / 1000);
	struct tm tm;

	if (part < 0) {
		part += 1000;
		t--;
	}
	gmtime_r(&t, &tm);
	size_t n = strftime(ret, SLT_TIME_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	if (ms) {
		snprintf(ret + n, SLT_TIME_LEN - n, ".%03dZ", (int)part);
	} else {
		snprintf(ret + n, SLT_TIME_LEN - n, "Z");
	}
	return ret;
}

/* n digits at *p as a number; -1 if they are not all digits. Moves on. */
static int digits(const char **p, const char *end, int n)
{
	int v = 0;

	if (end - *p < n) {
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char c = *(*p)++;
		if (c < '0' || c > '9') {
			return -1;
		}
		v = v * 10 + (c - '0');
	}
	return v;
}

static bool skip(const char **p, const char *end, char c)
{
	if (*p < end && **p == c) {
		(*p)++;
		return true;
	}
	return false;
}

/* Z, +hh:mm, -hh:mm; minutes east of UTC. */
static bool parse_zone(const char **p, const char *end, int *ret)
{
	if (skip(p, end, 'Z')) {
		*ret = 0;
		return true;
	}
	int sign = skip(p, end, '+') ? 1 : skip(p, end, '-') ? -1 : 0;
	int h = sign ? digits(p, end, 2) : -1;
	int m = h >= 0 && skip(p, end, ':') ? digits(p, end, 2) : -1;
	if (m < 0 || h > 14 || m > 59) {
		return false;
	}
	*ret = sign * (h * 60 + m);
	return true;
}

static bool parse_clock(const char **p, const char *end, struct tm *tm, int *ret_ms, int *ret_zone)
{
	tm->tm_hour = digits(p, end, 2);
	tm->tm_min = skip(p, end, ':') ? digits(p, end, 2) : -1;
	tm->tm_sec = skip(p, end, ':') ? digits(p, end, 2) : -1;
	if (tm->tm_hour < 0 || tm->tm_min < 0 || tm->tm_sec < 0 || tm->tm_hour > 23 ||
	    tm->tm_min > 59 || tm->tm_sec > 60) {
		return false;
	}
	if (skip(p, end, '.')) {
		int unit = 100, any = 0;
		for (; *p < end && **p >= '0' && **p <= '9' && any < 12; any++, (*p)++) {
			*ret_ms += (**p - '0') * unit;
			unit /= 10;
		}
		if (!any) {
			return false;
		}
	}
	return parse_zone(p, end, ret_zone);
}

bool slt_time_parse(struct slt_str s, int64_t *ret_ms, struct slt_err *err)
{
	static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const char *p = s.p, *end = s.p + s.n;
	struct tm tm = {0};
	int ms = 0, zone = 0;
	int year = digits(&p, end, 4);
	int month = skip(&p, end, '-') ? digits(&p, end, 2) : -1;
	int day = skip(&p, end, '-') ? digits(&p, end, 2) : -1;
	bool ok =
		year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= month_days[month - 1];

	if (ok && p < end) {
		ok = skip(&p, end, 'T') && parse_clock(&p, end, &tm, &ms, &zone);
	}
	if (!ok || p != end) {
		return slt_fail(err, SLT_EINVAL, "\"%.*s\" is not a date-time with zone",
				(int)(s.n > 40 ? 40 : s.n), s.p);
	}
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	*ret_ms = ((int64_t)timegm(&tm) - (int64_t)zone * 60) * 1000 + ms;
	return true;
}
