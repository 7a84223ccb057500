/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Codes that national registers give to companies.
 *
 * Finland (Y-tunnus): seven digits, a hyphen and a check digit, modulo 11 with the weights 7 9 10 5
 * 8 4 2; a remainder of one is never issued. Estonia (registrikood): eight digits, the last one
 * modulo 11 with the weights 1 to 7, and where that gives ten, with 3 to 9.
 */

#include "base/buf.h"

/* SLT_FED_ID_001: the form is wrong; SLT_FED_ID_002: the check digit. */
SLT_CHECK bool slt_ytunnus_check(struct slt_str code, struct slt_err *err);
SLT_CHECK bool slt_registrikood_check(struct slt_str code, struct slt_err *err);
