/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * National personal codes: syntax, date of birth, check character, sex; and the codes of companies
 * (company_code.h), of which only form and check digit are told.
 *
 * Finland (henkilötunnus): DDMMYY, a sign for the century (+ 1800; - Y X W V U 1900; A B C D E F
 * 2000), a number of three digits (odd: male) and a check character. Estonia (isikukood): a digit
 * for century and sex, YYMMDD, three digits and a check digit.
 *
 * A code is never turned into a code of the other country.
 */

#include "base/buf.h"

enum slt_code_scheme {
	SLT_SCHEME_NONE,
	SLT_SCHEME_HETU,
	SLT_SCHEME_ISIKUKOOD,
	SLT_SCHEME_YTUNNUS,
	SLT_SCHEME_REGISTRIKOOD
};

struct slt_personal_code { /* all zero for a company */
	unsigned year, month, day;
	char sex; /* 'M' or 'F' */
};

/* SLT_FED_ID_001: the form or the date is wrong; SLT_FED_ID_002: the check character. The code
 * itself is never in the message. */
SLT_CHECK bool slt_personal_code_parse(enum slt_code_scheme scheme, struct slt_str code,
				       struct slt_personal_code *ret, struct slt_err *err);
bool slt_code_scheme_is_personal(enum slt_code_scheme s);
/* "hetu", "isikukood", "ytunnus", "registrikood", "none"; false when unknown. */
SLT_CHECK bool slt_code_scheme_by_name(const char *name, enum slt_code_scheme *ret);
const char *slt_code_scheme_name(enum slt_code_scheme s);
