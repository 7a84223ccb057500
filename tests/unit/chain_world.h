/* SPDX-License-Identifier: MIT */
#pragma once

/* The authorities and the helpers that the tests of chain.c share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "federation/trust.h"
#include "tests/support/pki.h"

#define MINUTE	  INT64_C(60000)
#define CERTS_MAX 16

/* FI: a root with a listed intermediate. EE: another root. */
struct world {
	struct pki_cert *root, *listed, *other_root;
	struct slt_globalconf *gc;
};

static inline int set_up(void **state)
{
	struct world *w = slt_calloc(1, sizeof(*w));
	w->root = pki_ca(NULL, "C=FI;O=Test CA;CN=Root", PKI_P256, 0);
	w->listed = pki_ca(w->root, "C=FI;O=Test CA;CN=Listed intermediate", PKI_P256, 1);
	w->other_root = pki_ca(NULL, "C=EE;O=Other;CN=Root", PKI_P256, 2);
	struct pki_gc_instance inst[] = {
		{.name = "FI", .ca = {{.top = w->root, .intermediate = {w->listed}}}},
		{.name = "EE", .ca = {{.top = w->other_root}}},
	};
	w->gc = pki_globalconf(inst, SLT_COUNT(inst));
	*state = w;
	return 0;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;
	slt_globalconf_free(w->gc);
	pki_cert_free(w->root);
	pki_cert_free(w->listed);
	pki_cert_free(w->other_root);
	free(w);
	return 0;
}

/* What is presented: certificates, each with an OCSP response of its issuer. */
struct presented {
	X509 *cert[CERTS_MAX];
	size_t n;
	struct slt_buf ocsp[CERTS_MAX];
	struct slt_str der[CERTS_MAX];
	size_t n_ocsp;
};

static inline void presented_fini(struct presented *p)
{
	for (size_t i = 0; i < p->n_ocsp; i++) {
		slt_buf_fini(&p->ocsp[i]);
	}
}

static inline void present_cert(struct presented *p, const struct pki_cert *c)
{
	assert_true(p->n < CERTS_MAX);
	p->cert[p->n++] = c->x509;
}

static inline void present_ocsp(struct presented *p, const struct pki_ocsp *o)
{
	assert_true(p->n_ocsp < CERTS_MAX);
	struct slt_buf *b = &p->ocsp[p->n_ocsp];
	slt_buf_init(b, SLT_OCSP_BYTES_MAX);
	pki_ocsp(o, b);
	p->der[p->n_ocsp++] = slt_buf_str(b);
}

static inline void present(struct presented *p, const struct pki_cert *c,
			   const struct pki_cert *issuer)
{
	struct pki_ocsp o = {.single = {{c, issuer, .this_update = PKI_NOW}}};
	present_cert(p, c);
	present_ocsp(p, &o);
}

static inline bool verify_at(const struct world *w, const struct presented *p, const char *instance,
			     int64_t at_ms, bool lax, struct slt_cert_path *ret,
			     struct slt_err *err)
{
	struct slt_ocsp_source ocsp = {p->der, p->n_ocsp};
	return slt_chain_verify(w->gc, instance, p->cert[0], p->cert + 1, p->n - 1, &ocsp, at_ms,
				lax, NULL, ret, err);
}

static inline void expect_good(const struct world *w, struct presented *p)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_cert_path path;
	if (!verify_at(w, p, "FI", PKI_NOW, false, &path, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(path.ocsp.this_update, PKI_NOW);
	presented_fini(p);
}

static inline void expect_good_lax(const struct world *w, struct presented *p)
{
	struct slt_err err = SLT_ERR_INIT;
	if (!verify_at(w, p, "FI", PKI_NOW, true, NULL, &err)) {
		fail_msg("%s", err.msg);
	}
	presented_fini(p);
}

static inline void check_refusal(const struct world *w, const struct presented *p, int64_t at_ms,
				 bool lax, const char *code, const char *reason)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_cert_path path = {.valid_until_ms = -7};
	char got[200];
	assert_false(verify_at(w, p, "FI", at_ms, lax, &path, &err));
	assert_int_equal(path.valid_until_ms, -7);
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, got, sizeof(got));
	if (strcmp(got, code) != 0 || strstr(err.msg, reason) == NULL) {
		fail_msg("%s: \"%s\" is not %s with \"%s\"", got, err.msg, code, reason);
	}
}

#define NO_PATH	 "cannot_create_cert_path"
#define NOT_GOOD "invalid_cert_path.cert_validation"
#define NO_INFO	 "invalid_cert_path.incorrect_validation_info"

static inline void expect_refusal(const struct world *w, struct presented *p, const char *code,
				  const char *reason)
{
	check_refusal(w, p, PKI_NOW, false, code, reason);
	presented_fini(p);
}

/* A certificate made to a specification, issued by the root, with a good response: refused as
 * such. */
static inline void expect_leaf_refused(const struct world *w, const struct pki_spec *spec,
				       const char *reason)
{
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(w->root, spec);
	struct presented p = {.n = 0};
	present(&p, c, w->root);
	expect_refusal(w, &p, NO_PATH, reason);
}

static inline struct pki_spec leaf_spec(void)
{
	return (struct pki_spec){.subject = "C=FI;CN=leaf",
				 .kind = PKI_P256,
				 .key_index = 5,
				 .ext = {"keyUsage=critical,nonRepudiation"}};
}
