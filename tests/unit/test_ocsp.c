/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/ocsp.h>

#include "federation/trust.h"
#include "tests/support/pki.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

/* Two instances: FI with an authority that lists a responder, EE with another authority. */
struct world {
	struct pki_cert *ca, *other_ca, *cert, *sibling, *listed;
	struct slt_globalconf *gc, *gc_no_next_update;
	struct slt_gc_ca as_ca; /* what chain.c passes */
};

static int set_up(void **state)
{
	struct world *w = slt_calloc(1, sizeof(*w));
	w->ca = pki_ca(NULL, "C=FI;O=Test CA;CN=Root of FI", PKI_P256, 0);
	w->other_ca = pki_ca(NULL, "C=EE;O=Other CA;CN=Root of EE", PKI_P256, 1);
	w->cert = pki_sign_cert(w->ca, "C=FI;O=x;CN=subject", PKI_P256, 2);
	w->sibling = pki_sign_cert(w->ca, "C=FI;O=x;CN=sibling", PKI_P256, 3);
	/* by nobody: that it is listed is all that it has */
	w->listed = pki_ocsp_responder(NULL, "C=FI;O=Test CA;CN=Listed responder", PKI_P256, 4);
	struct pki_gc_instance inst[] = {
		{.name = "FI", .ca = {{.top = w->ca, .top_ocsp = {w->listed}}}},
		{.name = "EE", .ca = {{.top = w->other_ca}}},
	};
	w->gc = pki_globalconf(inst, SLT_COUNT(inst));
	inst[0].no_verify_next_update = true;
	w->gc_no_next_update = pki_globalconf(inst, SLT_COUNT(inst));
	w->as_ca = *slt_globalconf_find_ca(w->gc, "FI", X509_get_subject_name(w->ca->x509));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	slt_globalconf_free(w->gc);
	slt_globalconf_free(w->gc_no_next_update);
	pki_cert_free(w->ca);
	pki_cert_free(w->other_ca);
	pki_cert_free(w->cert);
	pki_cert_free(w->sibling);
	pki_cert_free(w->listed);
	free(w);
	return 0;
}

/* A good response about the certificate by its authority, made now; tests spoil it. */
static struct pki_ocsp good(const struct world *w)
{
	return (struct pki_ocsp){.single = {{w->cert, w->ca, .this_update = PKI_NOW}}};
}

static bool verify_under(const struct slt_globalconf *gc, const struct world *w,
			 const struct pki_ocsp *o, int64_t at_ms, bool lax, struct slt_err *err)
{
	SLT_AUTO_BUF(der, SLT_OCSP_BYTES_MAX);
	struct slt_ocsp_info info = {.this_update = -1};
	pki_ocsp(o, &der);
	bool ok = slt_ocsp_verify(gc, slt_buf_str(&der), w->cert->x509, &w->as_ca, at_ms, lax,
				  &info, err);
	assert_int_equal(ok, info.this_update != -1);
	return ok;
}

static void expect_good_at(const struct world *w, const struct pki_ocsp *o, int64_t at_ms, bool lax)
{
	struct slt_err err = SLT_ERR_INIT;
	if (!verify_under(w->gc, w, o, at_ms, lax, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(err.code, SLT_OK);
}

static void expect_good(const struct world *w, const struct pki_ocsp *o)
{
	expect_good_at(w, o, PKI_NOW, false);
}

static void expect_refusal_at(const struct world *w, const struct pki_ocsp *o, int64_t at_ms,
			      bool lax, enum slt_code code, const char *reason)
{
	struct slt_err err = SLT_ERR_INIT;
	assert_false(verify_under(w->gc, w, o, at_ms, lax, &err));
	if (err.code != code || strstr(err.msg, reason) == NULL) {
		fail_msg("%s: \"%s\" does not say \"%s\"",
			 slt_code_name(err.code, SLT_DIALECT_SNAKE), err.msg, reason);
	}
}

static void expect_refusal(const struct world *w, const struct pki_ocsp *o, const char *reason)
{
	expect_refusal_at(w, o, PKI_NOW, false, SLT_EINCORRECT_VALIDATION_INFO, reason);
}

/* --- good ones --- */

static void by_issuer(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	expect_good(w, &o);
	o.by_key = true;
	expect_good(w, &o);
	expect_good_at(w, &o, PKI_NOW, true);
}

static void what_it_said(void **state)
{
	struct world *w = *state;
	SLT_AUTO_BUF(der, SLT_OCSP_BYTES_MAX);
	struct pki_ocsp o = good(w);
	struct slt_ocsp_info info;
	struct slt_err err = SLT_ERR_INIT;
	o.single[0].this_update = PKI_NOW - 5 * MINUTE;
	o.single[0].next_update = PKI_NOW + 10 * MINUTE;
	o.produced_at = PKI_NOW - MINUTE;
	pki_ocsp(&o, &der);
	assert_true(slt_ocsp_verify(w->gc, slt_buf_str(&der), w->cert->x509, &w->as_ca, PKI_NOW,
				    false, &info, &err));
	assert_int_equal(info.this_update, PKI_NOW - 5 * MINUTE);
	assert_int_equal(info.next_update, PKI_NOW + 10 * MINUTE);
	assert_int_equal(info.produced_at, PKI_NOW - MINUTE);
	assert_int_equal(slt_ocsp_valid_until(w->gc, &info), PKI_NOW + 10 * MINUTE);
	assert_int_equal(slt_ocsp_valid_until(w->gc_no_next_update, &info),
			 PKI_NOW - 5 * MINUTE + PKI_FRESHNESS * 1000);
	assert_true(slt_ocsp_verify(w->gc, slt_buf_str(&der), w->cert->x509, &w->as_ca, PKI_NOW,
				    false, NULL, &err));
}

static void by_listed_responder(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.responder = w->listed;
	expect_good(w, &o);
	o.by_key = true;
	expect_good(w, &o);
}

static void by_delegated_responder(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *r = pki_ocsp_responder(w->ca, "C=FI;CN=Delegated", PKI_P256, 5);
	o.responder = r;
	expect_refusal(w, &o, "neither in the global configuration nor in the response");
	o.embed[0] = r->x509;
	expect_good(w, &o);
	o.by_key = true;
	expect_good(w, &o);
	/* a certificate that is not the signer's may stand before it */
	o.embed[0] = w->sibling->x509;
	o.embed[1] = r->x509;
	expect_good(w, &o);
}

static void responder_name_compared_loosely(void **state)
{
	struct world *w = *state;
	static const char *const same[] = {
		"CN=Listed responder;O=Test CA;C=FI",
		"C=fi;O=TEST ca;CN=LISTED RESPONDER",
		"C=FI;O=Test  CA;CN=Listed   responder",
	};
	static const char *const different[] = {
		"C=FI;O=Test CA",
		"C=FI;O=Test CA;CN=Listed responder;L=x",
		"C=FI;O=Test CA;CN=Listedresponder",
		"C=FI;O=Test CA;OU=Listed responder",
		"C=FI;O=Test CA;+CN=Listed responder",
		"C=FI;O=Test CA;O=Test CA",
	};
	for (size_t i = 0; i < SLT_COUNT(same) + SLT_COUNT(different); i++) {
		bool is_same = i < SLT_COUNT(same);
		struct pki_spec s = {
			.subject = is_same ? same[i] : different[i - SLT_COUNT(same)],
			.kind = PKI_P256,
		};
		SLT_AUTO(pki_cert_free) struct pki_cert *alias = pki_issue(NULL, &s);
		struct pki_ocsp o = good(w);
		o.responder = w->listed;
		o.responder_name = alias->x509;
		if (is_same) {
			expect_good(w, &o);
		} else {
			expect_refusal(w, &o, "neither in the global configuration");
		}
	}
}

static void other_keys_and_digests(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	static const enum pki_key kinds[] = {PKI_RSA2048, PKI_P384};
	for (size_t i = 0; i < SLT_COUNT(kinds); i++) {
		SLT_AUTO(pki_cert_free)
		struct pki_cert *r = pki_ocsp_responder(w->ca, "CN=Delegated", kinds[i], 0);
		o.responder = r;
		o.embed[0] = r->x509;
		o.digest = "SHA512";
		expect_good(w, &o);
	}
}

/* --- who may answer --- */

static void wrong_signature(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.bad_signature = true;
	expect_refusal(w, &o, "has a wrong signature");
}

static void unauthorised_responder(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	/* an authority of another instance, found by its name in the configuration */
	o.responder = w->other_ca;
	expect_refusal(w, &o, "may not answer for this authority");
	/* a stranger who brings his own certificate */
	SLT_AUTO(pki_cert_free)
	struct pki_cert *stranger = pki_ca(NULL, "CN=Stranger", PKI_P256, 6);
	o.responder = stranger;
	o.embed[0] = stranger->x509;
	expect_refusal(w, &o, "may not answer for this authority");
}

static void listed_for_another_authority(void **state)
{
	struct world *w = *state;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *theirs = pki_sign_cert(w->other_ca, "C=EE;CN=theirs", PKI_P256, 7);
	struct slt_gc_ca ee =
		*slt_globalconf_find_ca(w->gc, "EE", X509_get_subject_name(w->other_ca->x509));
	SLT_AUTO_BUF(der, SLT_OCSP_BYTES_MAX);
	struct slt_err err = SLT_ERR_INIT;
	struct pki_cert *const responders[] = {w->ca, w->listed};
	for (size_t i = 0; i < SLT_COUNT(responders); i++) {
		struct pki_ocsp o = {.single = {{theirs, w->other_ca, .this_update = PKI_NOW}},
				     .responder = responders[i]};
		slt_buf_reset(&der);
		pki_ocsp(&o, &der);
		assert_false(slt_ocsp_verify(w->gc, slt_buf_str(&der), theirs->x509, &ee, PKI_NOW,
					     false, NULL, &err));
		assert_non_null(strstr(err.msg, "may not answer for this authority"));
	}
}

static void delegated_without_purpose(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.responder = w->sibling; /* issued by the authority, for signing messages */
	o.embed[0] = w->sibling->x509;
	expect_refusal(w, &o, "may not answer for this authority");
	expect_refusal_at(w, &o, PKI_NOW, true, SLT_EINCORRECT_VALIDATION_INFO, "may not answer");
	struct pki_spec s = {.subject = "CN=wrong purpose",
			     .kind = PKI_P256,
			     .key_index = 5,
			     .ext = {"extendedKeyUsage=clientAuth,timeStamping"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *r = pki_issue(w->ca, &s);
	o.responder = r;
	o.embed[0] = r->x509;
	expect_refusal(w, &o, "may not answer for this authority");
}

static void delegated_by_another(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *r = pki_ocsp_responder(w->other_ca, "CN=theirs", PKI_P256, 5);
	o.responder = r;
	o.embed[0] = r->x509;
	expect_refusal(w, &o, "may not answer for this authority");
	/* the issuer's name alone does not help */
	struct pki_spec s = {.subject = "CN=impostor",
			     .kind = PKI_P256,
			     .key_index = 5,
			     .issuer = "C=FI;O=Test CA;CN=Root of FI",
			     .ext = {"extendedKeyUsage=OCSPSigning"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *impostor = pki_issue(w->other_ca, &s);
	o.responder = impostor;
	o.embed[0] = impostor->x509;
	expect_refusal(w, &o, "may not answer for this authority");
	/* nor does delegation by a delegate */
	SLT_AUTO(pki_cert_free)
	struct pki_cert *delegate = pki_ocsp_responder(w->ca, "CN=delegate", PKI_P256, 6);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *second = pki_ocsp_responder(delegate, "CN=second", PKI_P256, 5);
	o.responder = second;
	o.embed[0] = second->x509;
	o.embed[1] = delegate->x509;
	expect_refusal(w, &o, "may not answer for this authority");
}

static void delegated_expired(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	struct pki_spec s = {.subject = "CN=delegate",
			     .kind = PKI_P256,
			     .key_index = 5,
			     .not_after = PKI_NOW - HOUR,
			     .ext = {"extendedKeyUsage=OCSPSigning"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *expired = pki_issue(w->ca, &s);
	o.responder = expired;
	o.embed[0] = expired->x509;
	expect_refusal(w, &o, "was not valid at thisUpdate");
	expect_good_at(w, &o, PKI_NOW, true);
	s.not_after = 0;
	s.not_before = PKI_NOW + MINUTE;
	SLT_AUTO(pki_cert_free) struct pki_cert *early = pki_issue(w->ca, &s);
	o.responder = early;
	o.embed[0] = early->x509;
	expect_refusal(w, &o, "was not valid at thisUpdate");
}

static void weak_algorithms(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.digest = "SHA1";
	expect_refusal(w, &o, "algorithm that is not allowed");
	expect_good_at(w, &o, PKI_NOW, true);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *rsa = pki_ocsp_responder(w->ca, "CN=rsa", PKI_RSA2048, 0);
	o.responder = rsa;
	o.embed[0] = rsa->x509;
	o.digest = "MD5";
	expect_refusal(w, &o, "algorithm that is not allowed");
	expect_refusal_at(w, &o, PKI_NOW, true, SLT_EINCORRECT_VALIDATION_INFO, "algorithm");
	SLT_AUTO(pki_cert_free)
	struct pki_cert *small = pki_ocsp_responder(w->ca, "CN=small", PKI_RSA1024, 0);
	o.responder = small;
	o.embed[0] = small->x509;
	o.digest = NULL;
	expect_refusal(w, &o, "key that is not allowed");
	expect_good_at(w, &o, PKI_NOW, true);
	/* a responder whose own certificate is signed with SHA-1 */
	struct pki_spec s = {.subject = "CN=sha1",
			     .kind = PKI_P256,
			     .key_index = 5,
			     .digest = "SHA1",
			     .ext = {"extendedKeyUsage=OCSPSigning"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *sha1 = pki_issue(w->ca, &s);
	o.responder = sha1;
	o.embed[0] = sha1->x509;
	expect_refusal(w, &o, "may not answer for this authority");
	expect_good_at(w, &o, PKI_NOW, true);
}

/* --- which certificate --- */

static void wrong_cert_id(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.single[0].cert = w->sibling;
	expect_refusal(w, &o, "is about another certificate");
	/* same serial number, other authority */
	struct pki_spec s = {.subject = "CN=x",
			     .kind = PKI_P256,
			     .serial = ASN1_INTEGER_get(X509_get_serialNumber(w->cert->x509))};
	SLT_AUTO(pki_cert_free) struct pki_cert *twin = pki_issue(w->other_ca, &s);
	o.single[0].cert = twin;
	o.single[0].issuer = w->other_ca;
	o.responder = w->ca;
	expect_refusal(w, &o, "is about another certificate");
	/* same authority name, other key */
	o = good(w);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *renewed = pki_ca(NULL, "C=FI;O=Test CA;CN=Root of FI", PKI_P256, 8);
	o.single[0].issuer = renewed;
	o.responder = w->ca;
	expect_refusal(w, &o, "is about another certificate");
}

static void cert_id_of_other_digest(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.single[0].digest = "SHA256";
	expect_refusal(w, &o, "is about another certificate");
}

static void several_answers(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.single[1] = (struct pki_single){w->sibling, w->ca, .this_update = PKI_NOW};
	expect_good(w, &o);
	o.single[0] = o.single[1];
	o.single[1] = (struct pki_single){w->cert, w->ca, .this_update = PKI_NOW};
	expect_good(w, &o);
	/* X-Road looks at the first only */
	expect_refusal_at(w, &o, PKI_NOW, true, SLT_EINCORRECT_VALIDATION_INFO,
			  "about another certificate");
	o.single[0] = (struct pki_single){w->cert, w->ca, .this_update = PKI_NOW};
	o.single[1].status = PKI_REVOKED;
	expect_refusal(w, &o, "more than once");
	expect_good_at(w, &o, PKI_NOW, true);
}

static void matching(void **state)
{
	struct world *w = *state;
	SLT_AUTO_BUF(der, SLT_OCSP_BYTES_MAX);
	struct pki_ocsp o = good(w);
	pki_ocsp(&o, &der);
	assert_true(slt_ocsp_matches(slt_buf_str(&der), w->cert->x509, w->ca->x509));
	assert_false(slt_ocsp_matches(slt_buf_str(&der), w->sibling->x509, w->ca->x509));
	assert_false(slt_ocsp_matches(slt_buf_str(&der), w->cert->x509, w->other_ca->x509));
	assert_false(slt_ocsp_matches(SLT_STR_C("\x30\x03\x0a\x01"), w->cert->x509, w->ca->x509));
	assert_false(slt_ocsp_matches(slt_str(NULL), w->cert->x509, w->ca->x509));
}

/* --- status --- */

static void revoked(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.single[0].status = PKI_REVOKED;
	o.single[0].revoked_at = PKI_NOW - HOUR;
	expect_refusal_at(w, &o, PKI_NOW, false, SLT_ECERT_VALIDATION,
			  "was revoked at 2026-11-23T15:00:00Z (reason: keyCompromise)");
	expect_refusal_at(w, &o, PKI_NOW, true, SLT_ECERT_VALIDATION, "was revoked");
}

static void unknown(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.single[0].status = PKI_UNKNOWN;
	expect_refusal_at(w, &o, PKI_NOW, false, SLT_ECERT_VALIDATION, "is unknown to the OCSP");
	expect_refusal_at(w, &o, PKI_NOW, true, SLT_ECERT_VALIDATION, "is unknown to the OCSP");
}

static void no_answer(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.response_status = OCSP_RESPONSE_STATUS_TRYLATER;
	expect_refusal(w, &o, "trylater");
}

/* --- times --- */

static void stale(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.single[0].this_update = PKI_NOW - PKI_FRESHNESS * 1000;
	expect_good(w, &o);
	expect_refusal_at(w, &o, PKI_NOW + 1000, false, SLT_EINCORRECT_VALIDATION_INFO,
			  "is too old: its thisUpdate 2026-11-23T15:00:00Z is 1 hour (3601 s) ago");
	o.single[0].this_update = PKI_NOW - 26 * HOUR;
	expect_refusal(
		w, &o,
		"is 1 day 2 hours (93600 s) ago, the global configuration allows 1 hour (3600 s)");
	expect_refusal_at(w, &o, PKI_NOW, true, SLT_EINCORRECT_VALIDATION_INFO, "is too old");
}

static void future(void **state)
{
	struct world *w = *state;
	struct pki_ocsp o = good(w);
	o.single[0].this_update = PKI_NOW + 60000;
	expect_good(w, &o);
	o.single[0].this_update = PKI_NOW + 90000;
	expect_refusal(w, &o, "is from the future");
	expect_refusal(w, &o, "is 1 minute 30 seconds ahead; probably the clock");
	expect_good_at(w, &o, PKI_NOW, true);
}

static void next_update_passed(void **state)
{
	struct world *w = *state;
	struct slt_err err = SLT_ERR_INIT;
	struct pki_ocsp o = good(w);
	o.single[0].this_update = PKI_NOW - 30 * MINUTE;
	o.single[0].next_update = PKI_NOW - 20 * MINUTE;
	expect_refusal(w, &o, "due at 2026-11-23T15:40:00Z, 20 minutes ago");
	expect_refusal_at(w, &o, PKI_NOW, true, SLT_EINCORRECT_VALIDATION_INFO, "has run out");
	/* where the configuration says that nextUpdate does not count */
	assert_true(verify_under(w->gc_no_next_update, w, &o, PKI_NOW, false, &err));
	o.single[0].next_update = PKI_NOW;
	expect_good(w, &o);
}

static void next_update_before_this(void **state)
{
	struct world *w = *state;
	struct slt_err err = SLT_ERR_INIT;
	struct pki_ocsp o = good(w);
	o.single[0].next_update = PKI_NOW - MINUTE;
	expect_refusal(w, &o, "a nextUpdate before its thisUpdate");
	assert_false(verify_under(w->gc_no_next_update, w, &o, PKI_NOW, false, &err));
}

static void malformed_times(void **state)
{
	struct world *w = *state;
	static const char *const bad[] = {
		"20261123160000",	 "202611231600Z",
		"20261123160000+0000",	 "20261123160000.0Z",
		"20261323160000Z",	 "20261123250000Z",
		"2026112316000aZ",	 "",
		"99999999999999999999Z", "20261123160000Z ",
		"261123160000Z",	 "20260230160000Z",
	};
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct pki_ocsp o = good(w);
		o.single[0].raw_this_update = bad[i];
		expect_refusal(w, &o, "malformed thisUpdate");
		expect_refusal_at(w, &o, PKI_NOW, true, SLT_EINCORRECT_VALIDATION_INFO,
				  "malformed thisUpdate");
		o = good(w);
		o.single[0].next_update = PKI_NOW + HOUR;
		o.single[0].raw_next_update = bad[i];
		expect_refusal(w, &o, "malformed nextUpdate");
	}
}

/* --- bytes --- */

static void expect_bytes_refused(const struct world *w, struct slt_str der)
{
	struct slt_err err = SLT_ERR_INIT;
	assert_false(
		slt_ocsp_verify(w->gc, der, w->cert->x509, &w->as_ca, PKI_NOW, false, NULL, &err));
	assert_int_equal(err.code, SLT_EINCORRECT_VALIDATION_INFO);
}

static void not_a_response(void **state)
{
	struct world *w = *state;
	SLT_AUTO_BUF(der, 2 * SLT_OCSP_BYTES_MAX);
	struct pki_ocsp o = good(w);
	expect_bytes_refused(w, slt_str(NULL));
	expect_bytes_refused(w, SLT_STR_C(""));
	expect_bytes_refused(w, SLT_STR_C("not DER"));
	pki_ocsp(&o, &der);
	for (size_t n = 0; n < der.n; n++) {
		expect_bytes_refused(w, (struct slt_str){der.p, n});
	}
	slt_buf_addc(&der, 'x');
	expect_bytes_refused(w, slt_buf_str(&der));
	while (der.n <= SLT_OCSP_BYTES_MAX) {
		slt_buf_addc(&der, '\0');
	}
	expect_bytes_refused(w, slt_buf_str(&der));
}

/* Whatever single bit is turned over: either it is noticed, or it stands outside of what is
 * signed and judged. */
static void every_bit_counts(void **state)
{
	struct world *w = *state;
	SLT_AUTO_BUF(der, SLT_OCSP_BYTES_MAX);
	struct pki_ocsp o = good(w);
	size_t accepted = 0;
	pki_ocsp(&o, &der);
	for (size_t i = 0; i < der.n * 8; i++) {
		struct slt_err err = SLT_ERR_INIT;
		der.p[i / 8] = (char)(der.p[i / 8] ^ (1 << i % 8));
		accepted += slt_ocsp_verify(w->gc, slt_buf_str(&der), w->cert->x509, &w->as_ca,
					    PKI_NOW, false, NULL, &err);
		der.p[i / 8] = (char)(der.p[i / 8] ^ (1 << i % 8));
	}
	assert_int_equal(accepted, 0);
}

static void request(void **state)
{
	struct world *w = *state;
	SLT_AUTO_BUF(der, 4096);
	struct slt_err err = SLT_ERR_INIT;
	assert_true(slt_ocsp_request(w->cert->x509, w->ca->x509, &der, &err));
	const unsigned char *p = (const unsigned char *)der.p;
	OCSP_REQUEST *req = d2i_OCSP_REQUEST(NULL, &p, (long)der.n);
	assert_non_null(req);
	assert_int_equal(OCSP_request_onereq_count(req), 1);
	assert_int_equal(OCSP_REQUEST_get_ext_count(req), 0); /* no nonce */
	OCSP_CERTID *expected = OCSP_cert_to_id(EVP_sha1(), w->cert->x509, w->ca->x509);
	assert_int_equal(
		OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(req, 0)), expected), 0);
	OCSP_CERTID_free(expected);
	OCSP_REQUEST_free(req);
	struct slt_buf full = SLT_BUF_INIT(8);
	assert_false(slt_ocsp_request(w->cert->x509, w->ca->x509, &full, &err));
	slt_buf_fini(&full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_issuer),
		cmocka_unit_test(what_it_said),
		cmocka_unit_test(by_listed_responder),
		cmocka_unit_test(by_delegated_responder),
		cmocka_unit_test(responder_name_compared_loosely),
		cmocka_unit_test(other_keys_and_digests),
		cmocka_unit_test(wrong_signature),
		cmocka_unit_test(unauthorised_responder),
		cmocka_unit_test(listed_for_another_authority),
		cmocka_unit_test(delegated_without_purpose),
		cmocka_unit_test(delegated_by_another),
		cmocka_unit_test(delegated_expired),
		cmocka_unit_test(weak_algorithms),
		cmocka_unit_test(wrong_cert_id),
		cmocka_unit_test(cert_id_of_other_digest),
		cmocka_unit_test(several_answers),
		cmocka_unit_test(matching),
		cmocka_unit_test(revoked),
		cmocka_unit_test(unknown),
		cmocka_unit_test(no_answer),
		cmocka_unit_test(stale),
		cmocka_unit_test(future),
		cmocka_unit_test(next_update_passed),
		cmocka_unit_test(next_update_before_this),
		cmocka_unit_test(malformed_times),
		cmocka_unit_test(not_a_response),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(request),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
