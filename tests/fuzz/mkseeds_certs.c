/* SPDX-License-Identifier: MIT */
/*
 * Makes the seeds of fuzz_ocsp and fuzz_certinfo:
 *   make build/tests/fuzz/mkseeds_certs && build/tests/fuzz/mkseeds_certs tests/fuzz/corpus
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "tests/fuzz/certs_world.h"

static void keep(const char *corpus, const char *target, const char *name, struct slt_str bytes)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *dir = slt_path_join(corpus, target);
	SLT_AUTO_STR char *path = slt_path_join(dir, name);
	if (!slt_mkdir_p(dir, 0755, &err) || !slt_file_write(path, bytes.p, bytes.n, 0644, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		exit(2);
	}
}

static void keep_ocsp(const char *corpus, const char *name, const struct pki_ocsp *o)
{
	SLT_AUTO_BUF(der, SLT_OCSP_BYTES_MAX);
	pki_ocsp(o, &der);
	keep(corpus, "ocsp", name, slt_buf_str(&der));
}

static void ocsp_seeds(const char *corpus, const struct certs_world *w)
{
	struct pki_ocsp o = {.single = {{w->cert, w->ca, .this_update = PKI_NOW}}};
	keep_ocsp(corpus, "good", &o);
	o.by_key = true;
	o.single[0].next_update = PKI_NOW + 1000;
	o.embed[0] = w->cert->x509;
	keep_ocsp(corpus, "by-key", &o);
	o.single[1] = o.single[0];
	o.responder = w->cert;
	keep_ocsp(corpus, "two-answers", &o);
	o.single[0].status = PKI_REVOKED;
	keep_ocsp(corpus, "revoked", &o);
	o.single[1].cert = NULL;
	o.single[0].raw_this_update = "20261123160000+0000";
	keep_ocsp(corpus, "odd-time", &o);
	o.response_status = 3;
	keep_ocsp(corpus, "try-later", &o);
}

static void certinfo_seeds(const char *corpus, const struct certs_world *w)
{
	static const struct {
		const char *name, *subject, *ext[3];
	} seeds[] = {
		{"fivrk", "C=FI;O=x;serialNumber=FI/s/COM;CN=1", {"keyUsage=nonRepudiation"}},
		{"klass3", "C=EE;2.5.4.97=NTREE-10747013", {"extendedKeyUsage=clientAuth"}},
		{"klass3-number", "serialNumber=70000001", {"keyUsage=digitalSignature"}},
		{"basic", "businessCategory=GOV;serialNumber=1", {NULL}},
		{"iceland", "C=IS;O=IS;OU=GOV;serialNumber=1;CN=a, b", {NULL}},
		{"multi-valued", "C=XX;O=Foo;+OU=x;CN=#b ", {NULL}},
		{"authority", "C=FI;CN=Fuzz CA", {"basicConstraints=CA:TRUE,pathlen:1"}},
		{"constrained",
		 "C=FI;CN=Fuzz CA",
		 {"basicConstraints=CA:TRUE", "nameConstraints=critical,permitted;email:a.fi"}},
	};
	for (size_t i = 0; i < SLT_COUNT(seeds); i++) {
		struct pki_spec s = {.subject = seeds[i].subject,
				     .use_key = pki_fixed_key(),
				     .serial = 3,
				     .ext = {seeds[i].ext[0], seeds[i].ext[1]}};
		SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(w->ca, &s);
		unsigned char *der = NULL;
		int n = i2d_X509(c->x509, &der);
		slt_assert(n > 0);
		keep(corpus, "certinfo", seeds[i].name,
		     (struct slt_str){(const char *)der, (size_t)n});
		OPENSSL_free(der);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: mkseeds_certs CORPUS\n");
		return 2;
	}
	struct certs_world *w = certs_world_new();
	ocsp_seeds(argv[1], w);
	certinfo_seeds(argv[1], w);
	return 0;
}
