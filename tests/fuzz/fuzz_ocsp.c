/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/certs_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct certs_world *w;
	struct slt_str der = {(const char *)p, n};
	if (w == NULL) {
		w = certs_world_new();
	}
	bool matches = slt_ocsp_matches(der, w->cert->x509, w->ca->x509);
	for (int lax = 0; lax < 2; lax++) {
		struct slt_err err = SLT_ERR_INIT;
		struct slt_ocsp_info info;
		bool ok = slt_ocsp_verify(w->gc, der, w->cert->x509, &w->issuer, PKI_NOW, lax == 1,
					  &info, &err);
		slt_assert(ok ? matches : err.code != SLT_OK);
	}
	return 0;
}
