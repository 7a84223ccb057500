/* SPDX-License-Identifier: MIT */
#include "federation/private_params.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What reads as an anchor is written and reads back as the same. */
static void again(const struct slt_anchor *a)
{
	SLT_AUTO_BUF(out, 4 * SLT_ANCHOR_MAX);
	SLT_AUTO(slt_anchor_free) struct slt_anchor *b = NULL;
	struct slt_err err = SLT_ERR_INIT;
	size_t n = 0, m = 0;

	if (!slt_anchor_write(a, &out, &err)) {
		slt_assert(err.code == SLT_ELIMIT);
		return;
	}
	slt_assert(out.n > SLT_ANCHOR_MAX || slt_anchor_parse(out.p, out.n, &b, &err));
	if (b) {
		free(slt_anchor_certs(a, &n));
		free(slt_anchor_certs(b, &m));
		slt_assert(n == m && strcmp(a->instance, b->instance) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	SLT_AUTO(slt_anchor_free) struct slt_anchor *a = NULL;
	SLT_AUTO(slt_private_params_free) struct slt_private_params *pp = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (slt_anchor_parse(p, n, &a, &err)) {
		again(a);
	} else {
		slt_assert(err.code == SLT_EMALFORMED_GLOBALCONF);
	}
	slt_assert(slt_private_params_parse(p, n, &pp, &err) || err.code != SLT_OK);
	return 0;
}
