/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * RFC 3161 time-stamps as X-Road uses them (xroad-wire 2.7, 6.2).
 *
 * Checks: that the token stamps these bytes, that its one signer is the certificate of an approved
 * TSA (found by issuer and serial number, or by subject key identifier), the signature, and that a
 * signing time inside lies in that certificate's validity.
 * Does not check, as X-Road does not: a chain above the TSA's certificate (its presence in the
 * configuration is the trust), its extended key usage, its validity at the time of the stamp, the
 * TSA's policy.
 */

#include "federation/globalconf.h"

#define SLT_TSP_BYTES_MAX 65536

/* DER TimeStampReq, version 1, without nonce, policy or certReq, as X-Road sends. */
SLT_CHECK bool slt_tsp_request(const struct slt_digest *imprint, struct slt_buf *out,
			       struct slt_err *err);
/* Takes the token out of a TimeStampResp, checks status, imprint and signature by an approved TSA
 * of gc, and returns it (DER ContentInfo) with the TSA's certificate added (as it came where an
 * odd encoding would break by that). */
SLT_CHECK bool slt_tsp_response(const struct slt_globalconf *gc, struct slt_str der,
				const struct slt_digest *imprint, struct slt_buf *ret_token,
				int64_t *ret_gen_time_ms, struct slt_err *err);
/* Verifies a stored token over data. SLT_EMALFORMED_SIGNATURE, SLT_EMLOG_…. */
SLT_CHECK bool slt_tsp_verify(const struct slt_globalconf *gc, struct slt_str token,
			      struct slt_str data, int64_t *ret_gen_time_ms, struct slt_err *err);
