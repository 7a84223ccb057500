/* SPDX-License-Identifier: MIT */
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

static int set_up(void **state)
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

static int tear_down(void **state)
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

static void presented_fini(struct presented *p)
{
	for (size_t i = 0; i < p->n_ocsp; i++) {
		slt_buf_fini(&p->ocsp[i]);
	}
}

static void present_cert(struct presented *p, const struct pki_cert *c)
{
	assert_true(p->n < CERTS_MAX);
	p->cert[p->n++] = c->x509;
}

static void present_ocsp(struct presented *p, const struct pki_ocsp *o)
{
	assert_true(p->n_ocsp < CERTS_MAX);
	struct slt_buf *b = &p->ocsp[p->n_ocsp];
	slt_buf_init(b, SLT_OCSP_BYTES_MAX);
	pki_ocsp(o, b);
	p->der[p->n_ocsp++] = slt_buf_str(b);
}

static void present(struct presented *p, const struct pki_cert *c, const struct pki_cert *issuer)
{
	struct pki_ocsp o = {.single = {{c, issuer, .this_update = PKI_NOW}}};
	present_cert(p, c);
	present_ocsp(p, &o);
}

static bool verify_at(const struct world *w, const struct presented *p, const char *instance,
		      int64_t at_ms, bool lax, struct slt_path *ret, struct slt_err *err)
{
	struct slt_ocsp_source ocsp = {p->der, p->n_ocsp};
	return slt_chain_verify(w->gc, instance, p->cert[0], p->cert + 1, p->n - 1, &ocsp, at_ms,
				lax, NULL, ret, err);
}

static void expect_good(const struct world *w, struct presented *p)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path path;
	if (!verify_at(w, p, "FI", PKI_NOW, false, &path, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(path.ocsp.this_update, PKI_NOW);
	presented_fini(p);
}

static void expect_good_lax(const struct world *w, struct presented *p)
{
	struct slt_err err = SLT_ERR_INIT;
	if (!verify_at(w, p, "FI", PKI_NOW, true, NULL, &err)) {
		fail_msg("%s", err.msg);
	}
	presented_fini(p);
}

static void check_refusal(const struct world *w, const struct presented *p, int64_t at_ms, bool lax,
			  const char *code, const char *reason)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path path = {.valid_until_ms = -7};
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

static void expect_refusal(const struct world *w, struct presented *p, const char *code,
			   const char *reason)
{
	check_refusal(w, p, PKI_NOW, false, code, reason);
	presented_fini(p);
}

/* A certificate made to a specification, issued by the root, with a good response: refused as
 * such. */
static void expect_leaf_refused(const struct world *w, const struct pki_spec *spec,
				const char *reason)
{
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(w->root, spec);
	struct presented p = {.n = 0};
	present(&p, c, w->root);
	expect_refusal(w, &p, NO_PATH, reason);
}

static struct pki_spec leaf_spec(void)
{
	return (struct pki_spec){.subject = "C=FI;CN=leaf",
				 .kind = PKI_P256,
				 .key_index = 5,
				 .ext = {"keyUsage=critical,nonRepudiation"}};
}

/* --- good ones --- */

static void under_root(void **state)
{
	struct world *w = *state;
	struct presented p = {.n = 0};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path path;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(w->root, "C=FI;CN=leaf", PKI_P256, 5);
	present(&p, c, w->root);
	assert_true(verify_at(w, &p, "FI", PKI_NOW, false, &path, &err));
	assert_int_equal(X509_cmp(path.ca->cert, w->root->x509), 0);
	assert_true(path.ca->top);
	assert_int_equal(path.valid_until_ms, PKI_NOW + PKI_FRESHNESS * 1000);
	expect_good(w, &p);
}

static void under_listed_intermediate(void **state)
{
	struct world *w = *state;
	struct presented p = {.n = 0};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path path;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(w->listed, "C=FI;CN=leaf", PKI_P256, 5);
	present(&p, c, w->listed); /* no response about the intermediate: it is the anchor */
	assert_true(verify_at(w, &p, "FI", PKI_NOW, false, &path, &err));
	assert_false(path.ca->top);
	/* presented too, it changes nothing */
	present_cert(&p, w->listed);
	present_cert(&p, w->root);
	expect_good(w, &p);
}

static void through_presented_intermediates(void **state)
{
	struct world *w = *state;
	SLT_AUTO(pki_cert_free) struct pki_cert *one = pki_ca(w->root, "CN=One", PKI_P256, 6);
	SLT_AUTO(pki_cert_free) struct pki_cert *two = pki_ca(one, "CN=Two", PKI_P384, 0);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(two, "C=FI;CN=leaf", PKI_P256, 5);
	struct presented p = {.n = 0};
	present(&p, c, two);
	present(&p, two, one);
	present(&p, one, w->root);
	expect_good(w, &p);
	/* in any order */
	p = (struct presented){.n = 0};
	present(&p, c, two);
	present(&p, one, w->root);
	present_cert(&p, w->other_root);
	present(&p, two, one);
	expect_good(w, &p);
}

static void every_intermediate_needs_ocsp(void **state)
{
	struct world *w = *state;
	SLT_AUTO(pki_cert_free) struct pki_cert *one = pki_ca(w->root, "CN=One", PKI_P256, 6);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(one, "C=FI;CN=leaf", PKI_P256, 5);
	struct presented p = {.n = 0};
	present(&p, c, one);
	present_cert(&p, one);
	expect_refusal(w, &p, NOT_GOOD, "no OCSP response for certificate \"CN=One\"");
	p = (struct presented){.n = 0};
	present(&p, c, one);
	present_cert(&p, one);
	struct pki_ocsp o = {.single = {{one, w->root, PKI_REVOKED, .this_update = PKI_NOW}}};
	present_ocsp(&p, &o);
	expect_refusal(w, &p, NOT_GOOD, "certificate \"CN=One\"");
}

static void authority_with_two_keys(void **state)
{
	struct world *w = *state;
	static const unsigned orders[2][2] = {{7, 8}, {8, 7}};
	for (size_t i = 0; i < SLT_COUNT(orders); i++) {
		SLT_AUTO(pki_cert_free)
		struct pki_cert *a = pki_ca(NULL, "C=FI;CN=Renewed", PKI_P256, orders[i][0]);
		SLT_AUTO(pki_cert_free)
		struct pki_cert *b = pki_ca(NULL, "C=FI;CN=Renewed", PKI_P256, orders[i][1]);
		struct pki_gc_instance inst = {.name = "FI", .ca = {{.top = a}, {.top = b}}};
		SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = pki_globalconf(&inst, 1);
		struct world renewed = {.root = w->root, .gc = gc};
		struct pki_cert *issuers[] = {a, b};
		for (size_t j = 0; j < SLT_COUNT(issuers); j++) {
			SLT_AUTO(pki_cert_free)
			struct pki_cert *c = pki_sign_cert(issuers[j], "C=FI;CN=leaf", PKI_P256, 5);
			struct presented p = {.n = 0};
			present(&p, c, issuers[j]);
			expect_good(&renewed, &p);
		}
	}
}

static void anchor_given(void **state)
{
	struct world *w = *state;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path path;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *unlisted = pki_ca(NULL, "CN=Unlisted", PKI_P256, 6);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(unlisted, "C=FI;CN=leaf", PKI_P256, 5);
	struct slt_gc_ca ca = {.name = "given", .cert = unlisted->x509};
	struct presented p = {.n = 0};
	present(&p, c, unlisted);
	struct slt_ocsp_source ocsp = {p.der, p.n_ocsp};
	assert_true(slt_chain_verify(w->gc, "FI", c->x509, NULL, 0, &ocsp, PKI_NOW, false, &ca,
				     &path, &err));
	assert_ptr_equal(path.ca, &ca);
	/* instead of the listed ones, not beside them */
	SLT_AUTO(pki_cert_free)
	struct pki_cert *listed = pki_sign_cert(w->root, "C=FI;CN=leaf", PKI_P256, 5);
	assert_false(slt_chain_verify(w->gc, "FI", listed->x509, NULL, 0, &ocsp, PKI_NOW, false,
				      &ca, &path, &err));
	assert_int_equal(err.code, SLT_CANNOT_CREATE_CERT_PATH);
	presented_fini(&p);
}

/* --- no path --- */

static void issuer_not_listed(void **state)
{
	struct world *w = *state;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *unlisted = pki_ca(NULL, "CN=Unlisted", PKI_P256, 6);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(unlisted, "C=FI;CN=leaf", PKI_P256, 5);
	struct presented p = {.n = 0};
	present(&p, c, unlisted);
	check_refusal(w, &p, PKI_NOW, false, NO_PATH,
		      "its issuer \"CN=Unlisted\" is neither listed in instance FI nor");
	present_cert(&p, unlisted); /* bringing the root along does not make it trusted */
	expect_refusal(w, &p, NO_PATH, "certificate \"CN=Unlisted\"");
}

static void authority_of_another_instance(void **state)
{
	struct world *w = *state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(w->other_root, "C=EE;CN=leaf", PKI_P256, 5);
	struct presented p = {.n = 0};
	present(&p, c, w->other_root);
	assert_true(verify_at(w, &p, "EE", PKI_NOW, false, NULL, &err));
	check_refusal(w, &p, PKI_NOW, false, NO_PATH, "neither listed in instance FI");
	assert_false(verify_at(w, &p, "LV", PKI_NOW, false, NULL, &err));
	present_cert(&p, w->other_root);
	expect_refusal(w, &p, NO_PATH, "neither listed in instance FI");
}

static void self_signed_leaf(void **state)
{
	struct world *w = *state;
	struct pki_spec s = leaf_spec();
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(NULL, &s);
	struct presented p = {.n = 0};
	present(&p, c, c);
	expect_refusal(w, &p, NO_PATH, "not issued by an approved");
}

static void authority_itself_as_leaf(void **state)
{
	struct world *w = *state;
	struct presented p = {.n = 0};
	present(&p, w->root, w->root);
	expect_refusal(w, &p, NO_PATH, "not issued by an approved");
}

static void wrong_issuer_of_same_name(void **state)
{
	struct world *w = *state;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *impostor = pki_ca(NULL, "C=FI;O=Test CA;CN=Root", PKI_P256, 6);
	struct pki_spec s = leaf_spec();
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(impostor, &s);
	struct presented p = {.n = 0};
	present(&p, c, impostor);
	present_cert(&p, impostor);
	expect_refusal(w, &p, NO_PATH, "signature failure");
}

static void bad_signature(void **state)
{
	struct world *w = *state;
	struct pki_spec s = leaf_spec();
	s.bad_signature = true;
	expect_leaf_refused(w, &s, "signature failure");
}

static void name_chaining(void **state)
{
	struct world *w = *state;
	/* signed by the root's key, naming another issuer */
	struct pki_spec s = leaf_spec();
	s.issuer = "C=FI;O=Test CA;CN=Listed intermediate";
	expect_leaf_refused(w, &s, "signature failure");
	s.issuer = "C=FI;O=Test CA;CN=Nobody";
	expect_leaf_refused(w, &s, "not issued by an approved");
}

static void missing_intermediate(void **state)
{
	struct world *w = *state;
	SLT_AUTO(pki_cert_free) struct pki_cert *one = pki_ca(w->root, "CN=One", PKI_P256, 6);
	SLT_AUTO(pki_cert_free) struct pki_cert *two = pki_ca(one, "CN=Two", PKI_P256, 7);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(two, "C=FI;CN=leaf", PKI_P256, 5);
	struct presented p = {.n = 0};
	present(&p, c, two);
	present(&p, two, one);
	expect_refusal(w, &p, NO_PATH, "its issuer \"CN=One\"");
}

static void issued_by_no_authority(void **state)
{
	struct world *w = *state;
	static const char *const exts[][2] = {
		{"basicConstraints=critical,CA:FALSE", "keyUsage=nonRepudiation"},
		{"keyUsage=critical,keyCertSign", NULL}, /* no basic constraints */
		{"basicConstraints=critical,CA:TRUE", "keyUsage=critical,digitalSignature"},
		{NULL, NULL},
	};
	for (size_t i = 0; i < SLT_COUNT(exts); i++) {
		struct pki_spec s = {.subject = "CN=Pretender",
				     .kind = PKI_P256,
				     .key_index = 6,
				     .ext = {exts[i][0], exts[i][1]}};
		SLT_AUTO(pki_cert_free) struct pki_cert *pretender = pki_issue(w->root, &s);
		SLT_AUTO(pki_cert_free)
		struct pki_cert *c = pki_sign_cert(pretender, "C=FI;CN=leaf", PKI_P256, 5);
		struct presented p = {.n = 0};
		present(&p, c, pretender);
		present(&p, pretender, w->root);
		check_refusal(w, &p, PKI_NOW, true, NO_PATH, "");
		expect_refusal(w, &p, NO_PATH, "\"CN=Pretender\"");
	}
}

static void path_length(void **state)
{
	struct world *w = *state;
	struct pki_spec s = {.subject = "CN=One",
			     .kind = PKI_P256,
			     .key_index = 6,
			     .ext = {"basicConstraints=critical,CA:TRUE,pathlen:0",
				     "keyUsage=critical,keyCertSign"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *one = pki_issue(w->root, &s);
	SLT_AUTO(pki_cert_free) struct pki_cert *two = pki_ca(one, "CN=Two", PKI_P256, 7);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *good = pki_sign_cert(one, "C=FI;CN=leaf", PKI_P256, 5);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *bad = pki_sign_cert(two, "C=FI;CN=leaf", PKI_P256, 5);
	struct presented p = {.n = 0};
	present(&p, good, one);
	present(&p, one, w->root);
	expect_good(w, &p);
	p = (struct presented){.n = 0};
	present(&p, bad, two);
	present(&p, two, one);
	present(&p, one, w->root);
	check_refusal(w, &p, PKI_NOW, true, NO_PATH, "path length constraint exceeded");
	expect_refusal(w, &p, NO_PATH, "path length constraint exceeded");
}

static void name_constraints(void **state)
{
	struct world *w = *state;
	struct pki_spec s = {.subject = "CN=One",
			     .kind = PKI_P256,
			     .key_index = 6,
			     .ext = {"basicConstraints=critical,CA:TRUE",
				     "nameConstraints=critical,permitted;email:example.fi"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *one = pki_issue(w->root, &s);
	struct pki_spec l = leaf_spec();
	l.ext[1] = "subjectAltName=email:a@example.fi";
	SLT_AUTO(pki_cert_free) struct pki_cert *good = pki_issue(one, &l);
	l.ext[1] = "subjectAltName=email:a@example.ee";
	SLT_AUTO(pki_cert_free) struct pki_cert *bad = pki_issue(one, &l);
	struct presented p = {.n = 0};
	present(&p, good, one);
	present(&p, one, w->root);
	expect_good(w, &p);
	p = (struct presented){.n = 0};
	present(&p, bad, one);
	present(&p, one, w->root);
	expect_refusal(w, &p, NO_PATH, "permitted subtree violation");
}

static void critical_extensions(void **state)
{
	struct world *w = *state;
	struct pki_spec s = leaf_spec();
	s.ext[1] = "1.2.3.4.5=critical,ASN1:NULL";
	expect_leaf_refused(w, &s, "unhandled critical extension");
	s.ext[1] = "1.2.3.4.5=ASN1:NULL";
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(w->root, &s);
	struct presented p = {.n = 0};
	present(&p, c, w->root);
	expect_good(w, &p);
	struct pki_spec ca = {
		.subject = "CN=One",
		.kind = PKI_P256,
		.key_index = 6,
		.ext = {"basicConstraints=critical,CA:TRUE", "1.2.3.4.5=critical,ASN1:NULL"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *one = pki_issue(w->root, &ca);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *under = pki_sign_cert(one, "C=FI;CN=leaf", PKI_P256, 5);
	p = (struct presented){.n = 0};
	present(&p, under, one);
	present(&p, one, w->root);
	expect_refusal(w, &p, NO_PATH, "unhandled critical extension");
}

static void too_many_presented(void **state)
{
	struct world *w = *state;
	struct presented p = {.n = 0};
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(w->root, "C=FI;CN=leaf", PKI_P256, 5);
	present(&p, c, w->root);
	for (size_t i = 0; i < SLT_CHAIN_MAX; i++) {
		present_cert(&p, w->other_root);
	}
	expect_refusal(w, &p, NO_PATH, "more than 5");
}

/* Two authorities that certify each other lead nowhere, and soon. */
static void circle(void **state)
{
	struct world *w = *state;
	SLT_AUTO(pki_cert_free) struct pki_cert *a = pki_ca(NULL, "CN=A", PKI_P256, 6);
	SLT_AUTO(pki_cert_free) struct pki_cert *b = pki_ca(a, "CN=B", PKI_P256, 7);
	SLT_AUTO(pki_cert_free) struct pki_cert *a_by_b = pki_ca(b, "CN=A", PKI_P256, 6);
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_sign_cert(b, "CN=leaf", PKI_P256, 5);
	struct presented p = {.n = 0};
	present(&p, c, b);
	present(&p, b, a);
	present(&p, a_by_b, b);
	expect_refusal(w, &p, NO_PATH, "not issued by an approved");
}

/* --- validity --- */

static void expired(void **state)
{
	struct world *w = *state;
	struct pki_spec s = leaf_spec();
	s.not_after = PKI_NOW - 2 * 24 * 60 * MINUTE;
	expect_leaf_refused(w, &s,
			    "expired at 2026-11-21T16:00:00Z, 2 days earlier; it must be renewed");
	s.not_after = PKI_NOW;
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(w->root, &s);
	struct presented p = {.n = 0};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path path;
	present(&p, c, w->root);
	assert_true(verify_at(w, &p, "FI", PKI_NOW + 999, false, &path, &err));
	assert_int_equal(path.valid_until_ms, PKI_NOW);
	check_refusal(w, &p, PKI_NOW + 1000, false, NO_PATH, "expired");
	presented_fini(&p);
}

static void not_yet_valid(void **state)
{
	struct world *w = *state;
	struct pki_spec s = leaf_spec();
	s.not_before = PKI_NOW + MINUTE;
	expect_leaf_refused(w, &s,
			    "its validity begins at 2026-11-23T16:01:00Z, 1 minute later; if");
	expect_leaf_refused(w, &s, "the clock of the issuer or of this server is wrong");
	s.not_before = PKI_NOW + 3 * 24 * 60 * MINUTE;
	expect_leaf_refused(w, &s, "3 days later");
}

static void intermediate_expired(void **state)
{
	struct world *w = *state;
	struct pki_spec s = {.subject = "CN=One",
			     .kind = PKI_P256,
			     .key_index = 6,
			     .not_after = PKI_NOW - MINUTE,
			     .ext = {"basicConstraints=critical,CA:TRUE"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *one = pki_issue(w->root, &s);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(one, "C=FI;CN=leaf", PKI_P256, 5);
	struct presented p = {.n = 0};
	present(&p, c, one);
	present(&p, one, w->root);
	expect_refusal(w, &p, NO_PATH, "certificate \"CN=One\"");
}

/* The configuration approves it; X-Road does not look at its dates. */
static void anchor_expired(void **state)
{
	(void)state;
	struct pki_spec s = {.subject = "CN=Old root",
			     .kind = PKI_P256,
			     .key_index = 6,
			     .not_after = PKI_NOW - MINUTE,
			     .ext = {"basicConstraints=critical,CA:TRUE"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *root = pki_issue(NULL, &s);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(root, "C=FI;CN=leaf", PKI_P256, 5);
	struct pki_gc_instance inst = {.name = "FI", .ca = {{.top = root}}};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = pki_globalconf(&inst, 1);
	struct world w = {.root = root, .gc = gc};
	struct presented p = {.n = 0};
	present(&p, c, root);
	expect_good(&w, &p);
}

static void anchor_without_constraints(void **state)
{
	(void)state;
	struct pki_spec s = {.subject = "CN=Bare root",
			     .kind = PKI_P256,
			     .key_index = 6,
			     .ext = {"basicConstraints=critical,CA:FALSE"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *root = pki_issue(NULL, &s);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(root, "C=FI;CN=leaf", PKI_P256, 5);
	struct pki_gc_instance inst = {.name = "FI", .ca = {{.top = root}}};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = pki_globalconf(&inst, 1);
	struct world w = {.root = root, .gc = gc};
	struct presented p = {.n = 0};
	present(&p, c, root);
	check_refusal(&w, &p, PKI_NOW, false, NO_PATH, "invalid CA certificate");
	expect_good_lax(&w, &p);
}

/* --- algorithms --- */

static void weak_signatures(void **state)
{
	(void)state;
	SLT_AUTO(pki_cert_free) struct pki_cert *root = pki_ca(NULL, "CN=RSA", PKI_RSA2048, 0);
	struct pki_gc_instance inst = {.name = "FI", .ca = {{.top = root}}};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = pki_globalconf(&inst, 1);
	struct world w = {.root = root, .gc = gc};
	struct pki_spec s = leaf_spec();
	s.digest = "MD5";
	SLT_AUTO(pki_cert_free) struct pki_cert *md5 = pki_issue(root, &s);
	struct presented p = {.n = 0};
	present(&p, md5, root);
	check_refusal(&w, &p, PKI_NOW, true, NO_PATH, "md5WithRSAEncryption, which is not allowed");
	expect_refusal(&w, &p, NO_PATH, "md5WithRSAEncryption, which is not allowed");
	s.digest = "SHA1";
	SLT_AUTO(pki_cert_free) struct pki_cert *sha1 = pki_issue(root, &s);
	p = (struct presented){.n = 0};
	present(&p, sha1, root);
	check_refusal(&w, &p, PKI_NOW, false, NO_PATH, "sha1WithRSAEncryption, which is not");
	expect_good_lax(&w, &p);
}

static void weak_keys(void **state)
{
	struct world *w = *state;
	struct pki_spec s = leaf_spec();
	s.kind = PKI_RSA1024;
	s.key_index = 0;
	expect_leaf_refused(w, &s, "its RSA key is shorter than 2048 bits");
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(w->root, &s);
	struct presented p = {.n = 0};
	present(&p, c, w->root);
	expect_good_lax(w, &p);
	/* a weak authority, too */
	SLT_AUTO(pki_cert_free) struct pki_cert *weak = pki_ca(NULL, "CN=Weak", PKI_RSA1024, 1);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *under = pki_sign_cert(weak, "C=FI;CN=leaf", PKI_P256, 5);
	struct pki_gc_instance inst = {.name = "FI", .ca = {{.top = weak}}};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = pki_globalconf(&inst, 1);
	struct world ww = {.root = weak, .gc = gc};
	p = (struct presented){.n = 0};
	present(&p, under, weak);
	expect_refusal(&ww, &p, NO_PATH, "\"CN=Weak\"");
	/* a presented one is as good as not there */
	SLT_AUTO(pki_cert_free) struct pki_cert *one = pki_ca(w->root, "CN=One", PKI_RSA1024, 1);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *leaf = pki_sign_cert(one, "C=FI;CN=leaf", PKI_P256, 5);
	p = (struct presented){.n = 0};
	present(&p, leaf, one);
	present(&p, one, w->root);
	expect_refusal(w, &p, NO_PATH, "its issuer \"CN=One\"");
}

/* --- OCSP --- */

static void without_ocsp(void **state)
{
	struct world *w = *state;
	struct slt_err err = SLT_ERR_INIT;
	struct presented p = {.n = 0};
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(w->root, "C=FI;CN=leaf", PKI_P256, 5);
	present_cert(&p, c);
	check_refusal(w, &p, PKI_NOW, false, NOT_GOOD, "(0 at hand, none about it)");
	assert_false(slt_chain_verify(w->gc, "FI", c->x509, NULL, 0, NULL, PKI_NOW, false, NULL,
				      NULL, &err));
	assert_int_equal(err.code, SLT_ECERT_VALIDATION);
}

static void ocsp_about_another(void **state)
{
	struct world *w = *state;
	struct presented p = {.n = 0};
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(w->root, "C=FI;CN=leaf", PKI_P256, 5);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *d = pki_sign_cert(w->root, "C=FI;CN=leaf", PKI_P256, 5);
	struct pki_ocsp o = {.single = {{d, w->root, .this_update = PKI_NOW}}};
	present_cert(&p, c);
	present_ocsp(&p, &o);
	expect_refusal(w, &p, NOT_GOOD, "(1 at hand, none about it)");
}

static void ocsp_bad(void **state)
{
	struct world *w = *state;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(w->root, "C=FI;CN=leaf", PKI_P256, 5);
	struct pki_ocsp o = {.single = {{c, w->root, .this_update = PKI_NOW}}};
	static const struct {
		enum pki_status status;
		int64_t age_ms;
		bool bad_signature;
		const char *code, *reason;
	} cases[] = {
		{PKI_REVOKED, 0, false, NOT_GOOD, "was revoked"},
		{PKI_UNKNOWN, 0, false, NOT_GOOD, "is unknown"},
		{PKI_GOOD, PKI_FRESHNESS * 1000 + MINUTE, false, NO_INFO, "is too old"},
		{PKI_GOOD, -2 * MINUTE, false, NO_INFO, "is from the future"},
		{PKI_GOOD, 0, true, NO_INFO, "has a wrong signature"},
	};
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		struct presented p = {.n = 0};
		o.single[0].status = cases[i].status;
		o.single[0].this_update = PKI_NOW - cases[i].age_ms;
		o.bad_signature = cases[i].bad_signature;
		present_cert(&p, c);
		present_ocsp(&p, &o);
		expect_refusal(w, &p, cases[i].code, cases[i].reason);
	}
}

static void several_responses(void **state)
{
	struct world *w = *state;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(w->root, "C=FI;CN=leaf", PKI_P256, 5);
	struct pki_ocsp good = {.single = {{c, w->root, .this_update = PKI_NOW}}};
	struct pki_ocsp stale = {.single = {{c, w->root, .this_update = PKI_NOT_BEFORE}}};
	struct pki_ocsp revoked = {
		.single = {{c, w->root, PKI_REVOKED, .this_update = PKI_NOW - MINUTE}}};
	/* one that cannot be used does not spoil one that can, in either order */
	struct presented p = {.n = 0};
	present_cert(&p, c);
	present_ocsp(&p, &stale);
	present_ocsp(&p, &good);
	expect_good(w, &p);
	p = (struct presented){.n = 0};
	present_cert(&p, c);
	present_ocsp(&p, &good);
	present_ocsp(&p, &stale);
	expect_good(w, &p);
	/* but a revocation cannot be hidden behind a good answer */
	p = (struct presented){.n = 0};
	present_cert(&p, c);
	present_ocsp(&p, &good);
	present_ocsp(&p, &revoked);
	expect_refusal(w, &p, NOT_GOOD, "was revoked");
}

static void how_long_it_holds(void **state)
{
	struct world *w = *state;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path path;
	struct presented p = {.n = 0};
	SLT_AUTO(pki_cert_free) struct pki_cert *one = pki_ca(w->root, "CN=One", PKI_P256, 6);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(one, "C=FI;CN=leaf", PKI_P256, 5);
	struct pki_ocsp o = {.single = {{one, w->root, .this_update = PKI_NOW - 10 * MINUTE,
					 .next_update = PKI_NOW + 5 * MINUTE}}};
	present(&p, c, one);
	present_cert(&p, one);
	present_ocsp(&p, &o);
	assert_true(verify_at(w, &p, "FI", PKI_NOW, false, &path, &err));
	assert_int_equal(path.valid_until_ms, PKI_NOW + 5 * MINUTE);
	assert_int_equal(path.ocsp.this_update, PKI_NOW);
	presented_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(under_root),
		cmocka_unit_test(under_listed_intermediate),
		cmocka_unit_test(through_presented_intermediates),
		cmocka_unit_test(every_intermediate_needs_ocsp),
		cmocka_unit_test(authority_with_two_keys),
		cmocka_unit_test(anchor_given),
		cmocka_unit_test(issuer_not_listed),
		cmocka_unit_test(authority_of_another_instance),
		cmocka_unit_test(self_signed_leaf),
		cmocka_unit_test(authority_itself_as_leaf),
		cmocka_unit_test(wrong_issuer_of_same_name),
		cmocka_unit_test(bad_signature),
		cmocka_unit_test(name_chaining),
		cmocka_unit_test(missing_intermediate),
		cmocka_unit_test(issued_by_no_authority),
		cmocka_unit_test(path_length),
		cmocka_unit_test(name_constraints),
		cmocka_unit_test(critical_extensions),
		cmocka_unit_test(too_many_presented),
		cmocka_unit_test(circle),
		cmocka_unit_test(expired),
		cmocka_unit_test(not_yet_valid),
		cmocka_unit_test(intermediate_expired),
		cmocka_unit_test(anchor_expired),
		cmocka_unit_test(anchor_without_constraints),
		cmocka_unit_test(weak_signatures),
		cmocka_unit_test(weak_keys),
		cmocka_unit_test(without_ocsp),
		cmocka_unit_test(ocsp_about_another),
		cmocka_unit_test(ocsp_bad),
		cmocka_unit_test(several_responses),
		cmocka_unit_test(how_long_it_holds),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
