/* SPDX-License-Identifier: MIT */
#include "seal.h"

#include <stdio.h>

static bool verify(void *arg, xmlNode *document, struct slt_map_seal *ret, struct slt_err *err)
{
	const struct slt_seal *s = arg;
	const struct slt_cdasig_query q = {.document = document,
					   .authority = s->authorities->cert,
					   .n_authorities = s->authorities->n,
					   .now_ms = s->now_ms,
					   .allow_sha1 = s->allow_sha1};
	struct slt_cdasig_verdict v;

	if (!slt_cdasig_verify(&q, &v, err)) {
		return false;
	}
	ret->covered = v.covered;
	ret->signed_ms = v.signed_ms;
	(void)snprintf(ret->signer, sizeof(ret->signer), "%s", v.signer);
	return true;
}

const struct slt_map_judge *slt_seal_judge(struct slt_seal *s)
{
	s->judge = (struct slt_map_judge){verify, s};
	return s->authorities ? &s->judge : NULL;
}
