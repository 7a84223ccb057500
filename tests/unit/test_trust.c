/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "federation/trust.h"
#include "tests/support/pki.h"

#define MINUTE INT64_C(60000)

/* FI with two servers; EE with one server, which has a client of its own. */
struct world {
	struct pki_cert *fi_ca, *ee_ca, *unlisted_ca;
	struct pki_cert *ss1, *ss2, *ee_ss;    /* registered TLS certificates */
	struct pki_cert *intermediate, *under; /* under: of ss1 too, by an unlisted intermediate */
	struct slt_globalconf *gc;
	struct slt_arena *arena;
};

static int set_up(void **state)
{
	struct world *w = slt_calloc(1, sizeof(*w));
	w->arena = slt_arena_new();
	w->fi_ca = pki_ca(NULL, "C=FI;CN=Root", PKI_P256, 0);
	w->ee_ca = pki_ca(NULL, "C=EE;CN=Root", PKI_P256, 1);
	w->unlisted_ca = pki_ca(NULL, "C=FI;CN=Unlisted", PKI_P256, 2);
	w->ss1 = pki_auth_cert(w->fi_ca, "C=FI;CN=ss1", PKI_P256, 3);
	w->ss2 = pki_auth_cert(w->fi_ca, "C=FI;CN=ss2", PKI_P256, 4);
	w->ee_ss = pki_auth_cert(w->ee_ca, "C=EE;CN=ss", PKI_P256, 5);
	w->intermediate = pki_ca(w->fi_ca, "C=FI;CN=Intermediate", PKI_P256, 6);
	w->under = pki_auth_cert(w->intermediate, "C=FI;CN=ss1", PKI_P256, 7);
	struct pki_gc_instance inst[] = {
		{.name = "FI",
		 .ca = {{.top = w->fi_ca}},
		 .server = {{.id = "FI/COM/1/ss1",
			     .address = "ss1.invalid",
			     .auth = {w->ss1, w->under},
			     .client = {"FI/COM/1/pharmacy", "FI/COM/3", "FI/COM/3/sub"}},
			    {.id = "FI/COM/2/ss2", .address = "ss2.invalid", .auth = {w->ss2}},
			    {.id = "FI/COM/4/ss4",
			     .address = "ss4.invalid",
			     .auth = {w->ss1},
			     .client = {"FI/COM/4/sub"}}}},
		{.name = "EE",
		 .ca = {{.top = w->ee_ca}},
		 .server = {{.id = "EE/GOV/9/ss",
			     .auth = {w->ee_ss},
			     .client = {"EE/GOV/9/registry"}}}},
	};
	w->gc = pki_globalconf(inst, SLT_COUNT(inst));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	struct pki_cert *certs[] = {w->fi_ca, w->ee_ca, w->unlisted_ca,	 w->ss1,
				    w->ss2,   w->ee_ss, w->intermediate, w->under};
	for (size_t i = 0; i < SLT_COUNT(certs); i++) {
		pki_cert_free(certs[i]);
	}
	slt_globalconf_free(w->gc);
	slt_arena_free(w->arena);
	free(w);
	return 0;
}

struct attempt { /* one TLS peer */
	const struct pki_cert *chain[SLT_CHAIN_MAX + 1];
	struct pki_ocsp ocsp[2]; /* up to the first without certificate */
	const char *member;
	int64_t now_ms; /* 0: PKI_NOW */
};

static struct pki_ocsp answer(const struct pki_cert *c, const struct pki_cert *issuer)
{
	return (struct pki_ocsp){.single = {{c, issuer, .this_update = PKI_NOW}}};
}

static bool judge(const struct world *w, const struct attempt *t, int *ret_missing,
		  struct slt_err *err)
{
	X509 *chain[SLT_CHAIN_MAX + 1];
	struct slt_buf bufs[2] = {SLT_BUF_INIT(SLT_OCSP_BYTES_MAX),
				  SLT_BUF_INIT(SLT_OCSP_BYTES_MAX)};
	struct slt_str der[2];
	struct slt_ocsp_source ocsp = {der, 0};
	struct slt_err ignored = SLT_ERR_INIT;
	struct slt_id member;
	struct slt_cert_path path = {.valid_until_ms = -7};
	size_t n = 0;
	while (n < SLT_COUNT(t->chain) && t->chain[n] != NULL) {
		chain[n] = t->chain[n]->x509;
		n++;
	}
	for (size_t i = 0; i < SLT_COUNT(bufs) && t->ocsp[i].single[0].cert != NULL; i++) {
		pki_ocsp(&t->ocsp[i], &bufs[i]);
		der[ocsp.n++] = slt_buf_str(&bufs[i]);
	}
	assert_true(slt_id_parse_client(t->member, false, w->arena, &member, &ignored));
	bool ok = slt_trust_tls_peer(w->gc, chain, n, &ocsp, &member,
				     t->now_ms != 0 ? t->now_ms : PKI_NOW, &path, ret_missing, err);
	assert_int_equal(ok, path.valid_until_ms != -7);
	slt_buf_fini(&bufs[0]);
	slt_buf_fini(&bufs[1]);
	return ok;
}

static void expect_good(const struct world *w, const struct attempt *t)
{
	struct slt_err err = SLT_ERR_INIT;
	if (!judge(w, t, NULL, &err)) {
		fail_msg("%s", err.msg);
	}
}

/* missing: the index that the caller is told to fetch a response for, -1 for none. */
static void expect_refusal(const struct world *w, const struct attempt *t, const char *code,
			   const char *reason, int missing)
{
	struct slt_err err = SLT_ERR_INIT;
	char got[200];
	int got_missing = -9;
	assert_false(judge(w, t, &got_missing, &err));
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, got, sizeof(got));
	SLT_AUTO_STR char *expected =
		slt_asprintf("ssl_authentication_failed%s%s", code[0] != '\0' ? "." : "", code);
	if (strcmp(got, expected) != 0 || strstr(err.msg, reason) == NULL) {
		fail_msg("%s: \"%s\" is not %s with \"%s\"", got, err.msg, expected, reason);
	}
	assert_int_equal(got_missing, missing);
}

/* --- good ones --- */

static void owner_and_clients(void **state)
{
	struct world *w = *state;
	static const char *const members[] = {"FI/COM/1", "FI/COM/1/pharmacy", "FI/COM/3",
					      "FI/COM/3/sub",
					      /* of another server with the same certificate */
					      "FI/COM/4/sub"};
	for (size_t i = 0; i < SLT_COUNT(members); i++) {
		struct attempt t = {.chain = {w->ss1},
				    .ocsp = {answer(w->ss1, w->fi_ca)},
				    .member = members[i]};
		expect_good(w, &t);
	}
}

static void foreign_instance(void **state)
{
	struct world *w = *state;
	struct attempt t = {.chain = {w->ee_ss, w->ee_ca}, /* the root comes along */
			    .ocsp = {answer(w->ee_ss, w->ee_ca)},
			    .member = "EE/GOV/9/registry"};
	expect_good(w, &t);
}

static void with_intermediate(void **state)
{
	struct world *w = *state;
	struct attempt t = {
		.chain = {w->under, w->intermediate},
		.ocsp = {answer(w->under, w->intermediate), answer(w->intermediate, w->fi_ca)},
		.member = "FI/COM/1"};
	expect_good(w, &t);
}

/* --- certificates --- */

static void no_certificate(void **state)
{
	struct world *w = *state;
	struct attempt t = {.member = "FI/COM/1"};
	expect_refusal(w, &t, "", "presented no certificate", -1);
}

static void too_many_certificates(void **state)
{
	struct world *w = *state;
	struct attempt t = {.ocsp = {answer(w->ss1, w->fi_ca)}, .member = "FI/COM/1"};
	for (size_t i = 0; i < SLT_COUNT(t.chain); i++) {
		t.chain[i] = w->ss1;
	}
	expect_refusal(w, &t, "", "more than 6 certificates", -1);
}

static void expect_uses_refused(const struct world *w, const char *ext, const char *more)
{
	struct pki_spec s = {
		.subject = "C=FI;CN=x", .kind = PKI_P256, .key_index = 8, .ext = {ext, more}};
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(w->fi_ca, &s);
	struct attempt t = {.chain = {c}, .ocsp = {answer(c, w->fi_ca)}, .member = "FI/COM/1"};
	expect_refusal(w, &t, "", "is not one for authentication", -1);
}

static void no_key_usage(void **state)
{
	expect_uses_refused(*state, NULL, NULL);
}

static void signing_certificate(void **state)
{
	expect_uses_refused(*state, "keyUsage=critical,nonRepudiation", NULL);
}

static void wrong_extended_key_usage(void **state)
{
	expect_uses_refused(*state, "extendedKeyUsage=serverAuth", NULL);
	expect_uses_refused(*state, "keyUsage=nonRepudiation",
			    "extendedKeyUsage=emailProtection,OCSPSigning");
}

/* The other way round: what is_signing() says of a TLS certificate is what refuses it under a
 * message. */
static void auth_certificate_does_not_sign(void **state)
{
	struct world *w = *state;
	bool no_ku = true;
	assert_true(slt_certinfo_is_auth(w->ss1->x509));
	assert_false(slt_certinfo_is_signing(w->ss1->x509, &no_ku));
	assert_false(no_ku);
}

static void authority_not_of_the_instance(void **state)
{
	struct world *w = *state;
	struct attempt t = {
		.chain = {w->ee_ss}, .ocsp = {answer(w->ee_ss, w->ee_ca)}, .member = "FI/COM/1"};
	expect_refusal(w, &t, "cannot_create_cert_path", "neither listed in instance FI", -1);
	t.member = "LV/COM/1";
	expect_refusal(w, &t, "cannot_create_cert_path", "neither listed in instance LV", -1);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_auth_cert(w->unlisted_ca, "C=FI;CN=ss1", PKI_P256, 3);
	t = (struct attempt){.chain = {c, w->unlisted_ca},
			     .ocsp = {answer(c, w->unlisted_ca)},
			     .member = "FI/COM/1"};
	expect_refusal(w, &t, "cannot_create_cert_path", "neither listed in instance FI", -1);
}

static void expired(void **state)
{
	struct world *w = *state;
	struct pki_spec s = {.subject = "C=FI;CN=x",
			     .kind = PKI_P256,
			     .key_index = 8,
			     .not_after = PKI_NOW - 5 * MINUTE,
			     .ext = {"keyUsage=digitalSignature"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(w->fi_ca, &s);
	struct attempt t = {.chain = {c}, .ocsp = {answer(c, w->fi_ca)}, .member = "FI/COM/1"};
	expect_refusal(w, &t, "cannot_create_cert_path",
		       "expired at 2026-11-23T15:55:00Z, 5 minutes earlier", -1);
}

/* --- registration --- */

static void not_registered(void **state)
{
	struct world *w = *state;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = pki_auth_cert(w->fi_ca, "C=FI;CN=ss1", PKI_P256, 8);
	struct attempt t = {.chain = {c}, .ocsp = {answer(c, w->fi_ca)}, .member = "FI/COM/1"};
	expect_refusal(w, &t, "", "is not registered to any security server", -1);
	/* nor does it help to register the same key: the certificate counts */
	SLT_AUTO(pki_cert_free)
	struct pki_cert *again = pki_auth_cert(w->fi_ca, "C=FI;CN=ss1", PKI_P256, 3);
	t.chain[0] = again;
	t.ocsp[0] = answer(again, w->fi_ca);
	expect_refusal(w, &t, "", "is not registered to any security server", -1);
}

static void server_does_not_serve(void **state)
{
	struct world *w = *state;
	static const char *const members[] = {"FI/COM/2", "FI/COM/2/pharmacy", "FI/COM/1/other",
					      "FI/COM/3/SUB", "FI/GOV/1"};
	for (size_t i = 0; i < SLT_COUNT(members); i++) {
		struct attempt t = {.chain = {w->ss1},
				    .ocsp = {answer(w->ss1, w->fi_ca)},
				    .member = members[i]};
		SLT_AUTO_STR char *reason = slt_asprintf(
			"client %s is not registered at security server FI/COM/1/ss1", members[i]);
		expect_refusal(w, &t, "", reason, -1);
	}
}

/* --- OCSP --- */

static void ocsp_missing(void **state)
{
	struct world *w = *state;
	struct attempt t = {.chain = {w->ss1}, .member = "FI/COM/1"};
	expect_refusal(w, &t, "invalid_cert_path.cert_validation", "no OCSP response", 0);
	t = (struct attempt){.chain = {w->under, w->intermediate},
			     .ocsp = {answer(w->under, w->intermediate)},
			     .member = "FI/COM/1"};
	expect_refusal(w, &t, "invalid_cert_path.cert_validation", "CN=Intermediate", 1);
	/* it would not help a peer that may not speak for the member anyway: that is the reason */
	t = (struct attempt){.chain = {w->ss1}, .member = "FI/COM/2"};
	expect_refusal(w, &t, "", "not registered at", -1);
}

static void ocsp_stale(void **state)
{
	struct world *w = *state;
	struct attempt t = {.chain = {w->ss1},
			    .ocsp = {answer(w->ss1, w->fi_ca)},
			    .member = "FI/COM/1",
			    .now_ms = PKI_NOW + PKI_FRESHNESS * 1000 + MINUTE};
	expect_refusal(w, &t, "invalid_cert_path.incorrect_validation_info", "is too old", 0);
}

static void ocsp_revoked(void **state)
{
	struct world *w = *state;
	struct attempt t = {
		.chain = {w->ss1}, .ocsp = {answer(w->ss1, w->fi_ca)}, .member = "FI/COM/1"};
	t.ocsp[0].single[0].status = PKI_REVOKED;
	expect_refusal(w, &t, "invalid_cert_path.cert_validation", "was revoked", -1);
	t.ocsp[0].single[0].status = PKI_UNKNOWN;
	expect_refusal(w, &t, "invalid_cert_path.cert_validation", "is unknown", -1);
}

static void ocsp_by_a_stranger(void **state)
{
	struct world *w = *state;
	struct attempt t = {
		.chain = {w->ss1}, .ocsp = {answer(w->ss1, w->fi_ca)}, .member = "FI/COM/1"};
	t.ocsp[0].responder = w->ee_ca;
	expect_refusal(w, &t, "invalid_cert_path.incorrect_validation_info",
		       "may not answer for this authority", 0);
}

/* --- configuration --- */

static void configuration_expired(void **state)
{
	struct world *w = *state;
	struct attempt t = {.chain = {w->ss1},
			    .ocsp = {answer(w->ss1, w->fi_ca)},
			    .member = "FI/COM/1",
			    .now_ms = PKI_NOT_AFTER + 1000};
	expect_refusal(w, &t, "global_conf_outdated", "expired", -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owner_and_clients),
		cmocka_unit_test(foreign_instance),
		cmocka_unit_test(with_intermediate),
		cmocka_unit_test(no_certificate),
		cmocka_unit_test(too_many_certificates),
		cmocka_unit_test(no_key_usage),
		cmocka_unit_test(signing_certificate),
		cmocka_unit_test(wrong_extended_key_usage),
		cmocka_unit_test(auth_certificate_does_not_sign),
		cmocka_unit_test(authority_not_of_the_instance),
		cmocka_unit_test(expired),
		cmocka_unit_test(not_registered),
		cmocka_unit_test(server_does_not_serve),
		cmocka_unit_test(ocsp_missing),
		cmocka_unit_test(ocsp_stale),
		cmocka_unit_test(ocsp_revoked),
		cmocka_unit_test(ocsp_by_a_stranger),
		cmocka_unit_test(configuration_expired),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
