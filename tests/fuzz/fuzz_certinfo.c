/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/fuzz/certs_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void read_all(X509 *x)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_BUF(name, 1 << 20);
	char text[SLT_CERT_TEXT];
	bool no_ku = false;
	slt_assert(strlen(slt_certinfo_text(x, text)) < SLT_CERT_TEXT);
	slt_certinfo_name(X509_get_issuer_name(x), &name);
	slt_assert(!slt_certinfo_is_signing(x, &no_ku) || !no_ku);
	(void)slt_certinfo_is_auth(x);
	for (int i = SLT_PROFILE_UNKNOWN; i <= SLT_PROFILE_TEST; i++) {
		struct slt_err err = SLT_ERR_INIT;
		struct slt_id id = {0};
		if (slt_certinfo_member(x, (enum slt_profile)i, "FI", a, &id, &err)) {
			slt_assert(id.instance[0] && id.member_class[0] && id.member_code[0]);
			slt_assert(strlen(id.member_code) <= SLT_ID_PART_MAX);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct certs_world *w;
	const unsigned char *q = p;
	X509 *x = d2i_X509(NULL, &q, (long)n);
	if (w == NULL) {
		w = certs_world_new();
	}
	if (x != NULL) {
		struct slt_err err = SLT_ERR_INIT;
		struct slt_chain c;
		struct slt_chain_query as_leaf = {w->gc, "FI", x, &x, 1, PKI_NOW, true, NULL};
		struct slt_chain_query as_ca = as_leaf;
		as_ca.leaf = w->cert->x509;
		(void)!slt_chain_build(&as_leaf, &c, &err);
		slt_assert(slt_chain_build(&as_ca, &c, &err));
		read_all(x);
	}
	X509_free(x);
	return 0;
}
