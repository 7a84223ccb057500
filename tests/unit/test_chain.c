/* SPDX-License-Identifier: MIT */
#include "tests/unit/chain_world.h"

/* --- good ones --- */

static void under_root(void **state)
{
	struct world *w = *state;
	struct presented p = {.n = 0};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_cert_path path;
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
	struct slt_cert_path path;
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
	struct slt_cert_path path;
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

/* Two instances whose authorities bear the same name: the key of one proves nothing in the
 * other. */
static void namesake_of_another_instance(void **state)
{
	(void)state;
	SLT_AUTO(pki_cert_free) struct pki_cert *ours = pki_ca(NULL, "CN=Same", PKI_P256, 6);
	SLT_AUTO(pki_cert_free) struct pki_cert *theirs = pki_ca(NULL, "CN=Same", PKI_P256, 7);
	struct pki_gc_instance inst[] = {{.name = "FI", .ca = {{.top = ours}}},
					 {.name = "EE", .ca = {{.top = theirs}}}};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = pki_globalconf(inst, 2);
	struct world w = {.gc = gc};
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_sign_cert(theirs, "C=FI;CN=leaf", PKI_P256, 5);
	struct presented p = {.n = 0};
	present(&p, c, theirs);
	assert_true(verify_at(&w, &p, "EE", PKI_NOW, false, NULL, &err));
	expect_refusal(&w, &p, NO_PATH, "signature failure");
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
	struct slt_cert_path path;
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
		cmocka_unit_test(namesake_of_another_instance),
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
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
