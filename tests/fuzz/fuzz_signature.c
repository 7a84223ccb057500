/* SPDX-License-Identifier: MIT */
/* A signature document, then (each after a NUL) a hash chain result and a hash chain. */
#include <string.h>

#include "tests/fuzz/sign_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Takes the bytes up to the next NUL. */
static struct slt_str take(const char **p, const char *end)
{
	const char *stop = *p < end ? memchr(*p, '\0', (size_t)(end - *p)) : NULL;
	struct slt_str s = {*p, (size_t)((stop != NULL ? stop : end) - *p)};

	*p = stop != NULL ? stop + 1 : end;
	return s.n > 0 ? s : (struct slt_str){NULL, 0};
}

static bool verify(const struct slt_verify_input *in)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_verdict v;

	if (!slt_xades_verify(in, &v, &err)) {
		slt_assert(err.code != SLT_OK && err.msg[0] != '\0');
		return false;
	}
	slt_verdict_fini(&v);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct sign_world *w;

	if (w == NULL) {
		w = sign_world_new();
	}

	const char *at = (const char *)p, *end = at + n;
	struct slt_verify_part part[2] = {
		{.name = "/message.xml", .data = SLT_STR_C(SIGN_MESSAGE)},
		{.name = "/attachment1", .data = SLT_STR_C(SIGN_ATTACHMENT)},
	};
	struct slt_verify_input in = {
		.gc = w->gc, .signer = w->signer, .at_ms = PKI_NOW, .parts = part};

	in.signature = take(&at, end);
	in.hash_chain_result = take(&at, end);
	in.hash_chain = take(&at, end);
	in.n_parts = in.hash_chain.n > 0 ? 2 : 1;

	bool strict = verify(&in);

	in.lax = true;

	bool lax = verify(&in);

	/* strict is never the weaker of the two, and what it accepts depends on every part */
	slt_assert(!strict || lax);
	in.lax = false;
	part[in.n_parts - 1].data = SLT_STR_C("something else");
	slt_assert(!strict || !verify(&in));
	return 0;
}
