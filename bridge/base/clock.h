/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The only source of time. Instants are milliseconds since 1970-01-01T00:00:00Z; intervals are
 * measured on the monotonic clock in microseconds. federation/ and mappings/ take instants as
 * arguments and never ask.
 */

#include "base/buf.h"

int64_t slt_now_ms(void);  /* the wall clock, or what slt_clock_set() fixed */
int64_t slt_mono_us(void); /* monotonic, not settable */
/* Fixes the wall clock (tests, replay); a negative value lets it run again. */
void slt_clock_set(int64_t ms);

#define SLT_TIME_LEN 32
/* "2026-11-23T16:18:24.123Z"; without milliseconds when ms is false. */
const char *slt_time_format(int64_t t_ms, bool ms, char ret[SLT_TIME_LEN]);
/* An xs:dateTime with zone or Z ("2035-11-11T03:07:40Z", fraction allowed) or a date
 * ("2026-11-23", midnight UTC). SLT_EINVAL otherwise. */
SLT_CHECK bool slt_time_parse(struct slt_str s, int64_t *ret_ms, struct slt_err *err);
