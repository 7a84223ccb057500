/* SPDX-License-Identifier: MIT */
#pragma once

/* The time-stamping authority (RFC 3161 over HTTP). */

#include <stdatomic.h>

#include "tests/instance/pki.h"

struct slt_tsad {
	const struct slt_pki *pki;
	_Atomic int64_t serial;
};

/* Adds the DER TimeStampResp, which may be a refusal. False only when OpenSSL gave up. */
bool slt_tsad_answer(struct slt_tsad *t, struct slt_str request, struct slt_buf *out);
