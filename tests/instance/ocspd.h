/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The OCSP responder (RFC 6960): answers for every authority of the instance through a delegated
 * responder certificate of that authority, with thisUpdate = now and nextUpdate. The authorities
 * that are bad on purpose answer for themselves.
 */

#include <stdatomic.h>

#include "tests/instance/pki.h"

struct slt_ocspd {
	struct slt_pki *pki;
	int64_t validity_s;    /* nextUpdate - thisUpdate */
	_Atomic int64_t age_s; /* thisUpdate lies so far back (negative: in the future) */
};

/* Adds the DER response, which may be one that says "malformed request". age_s is added to the
 * responder's own. */
void slt_ocspd_answer(struct slt_ocspd *o, struct slt_str request, int64_t age_s,
		      struct slt_buf *out);
