/* SPDX-License-Identifier: MIT */
/* Stored tokens and whole answers of a time-stamping authority. */
#include "federation/tsp.h"
#include "tests/fuzz/sign_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct sign_world *w;
	struct slt_str der = {(const char *)p, n};
	struct slt_err err = SLT_ERR_INIT, other = SLT_ERR_INIT;
	struct slt_digest d;
	int64_t ms = 0;
	SLT_AUTO_BUF(token, 2 * SLT_TSP_BYTES_MAX);

	if (w == NULL) {
		w = sign_world_new();
	}
	slt_digest_of(SLT_SHA512, SIGN_MESSAGE, sizeof(SIGN_MESSAGE) - 1, &d);
	if (slt_tsp_verify(w->gc, der, SLT_STR_C(SIGN_MESSAGE), &ms, &err)) {
		slt_assert(!slt_tsp_verify(w->gc, der, SLT_STR_C("else"), &ms, &other));
	} else {
		slt_assert(err.code != SLT_OK);
	}
	err = (struct slt_err)SLT_ERR_INIT;
	if (slt_tsp_response(w->gc, der, &d, &token, &ms, &err)) {
		/* what we would store must verify */
		slt_assert(slt_tsp_verify(w->gc, slt_buf_str(&token), SLT_STR_C(SIGN_MESSAGE), &ms,
					  &other));
	}
	return 0;
}
