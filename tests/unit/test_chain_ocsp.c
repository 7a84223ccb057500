/* SPDX-License-Identifier: MIT */
#include "tests/unit/chain_world.h"

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
	struct slt_cert_path path;
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
		cmocka_unit_test(weak_signatures),   cmocka_unit_test(weak_keys),
		cmocka_unit_test(without_ocsp),	     cmocka_unit_test(ocsp_about_another),
		cmocka_unit_test(ocsp_bad),	     cmocka_unit_test(several_responses),
		cmocka_unit_test(how_long_it_holds),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
