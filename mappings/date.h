/* SPDX-License-Identifier: MIT */
#pragma once

/* Calendar dates as numbers YYYYMMDD, which compare as dates do; 0 is no date. */

#include "base/buf.h"

/* "2026-11-23", nothing else; false also for days that do not exist. */
SLT_CHECK bool slt_date_parse_iso(struct slt_str s, uint32_t *ret);
/* The date of an HL7 time stamp ("20191122143500+0200", "20130411"); false when it has none
 * ("2013", "201304") or is malformed. */
SLT_CHECK bool slt_date_parse_hl7(struct slt_str s, uint32_t *ret);
/* The form of an HL7 time stamp: YYYY[MM[DD[HH[MM[SS[.f…]]]]]][±ZZZZ]. */
bool slt_date_is_hl7(struct slt_str s);
/* The form of an ISO 8601 date and time of day as XML Schema and FHIR have it
 * ("2026-11-02T10:15:00+02:00", with Z or an offset), or a year and month ("2026-11"). */
bool slt_date_is_datetime(struct slt_str s);
/* The date of any of these forms. */
SLT_CHECK bool slt_date_parse(struct slt_str s, uint32_t *ret);
uint32_t slt_date_of_ms(int64_t now_ms); /* of the UTC day */
#define SLT_DATE_LEN 11
const char *slt_date_format(uint32_t date, char ret[SLT_DATE_LEN]); /* "2026-11-23" */
