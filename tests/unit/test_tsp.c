/* SPDX-License-Identifier: MIT */
/* Time-stamp requests, answers and stored tokens. */
#include "tsa_fixture.h"

#include <openssl/cms.h>

static struct pki_cert *ca, *tsa, *ec_tsa, *stranger;
static struct slt_globalconf *gc, *bare;

static int set_up(void **state)
{
	struct pki_gc_instance inst = {.name = "FI"};

	(void)state;
	slt_xml_init();
	ca = pki_ca(NULL, "C=FI;CN=CA", PKI_RSA2048, 0);
	tsa = pki_tsa_cert(ca, "C=FI;CN=TSA", PKI_RSA2048, 1);
	ec_tsa = pki_tsa_cert(ca, "C=FI;CN=EC TSA", PKI_P256, 0);
	stranger = pki_tsa_cert(ca, "C=FI;CN=Stranger", PKI_RSA2048, 2);
	inst.ca[0].top = ca;
	bare = pki_globalconf(&inst, 1);
	inst.tsa[0] = tsa;
	inst.tsa[1] = ec_tsa;
	gc = pki_globalconf(&inst, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pki_cert_free(ca);
	pki_cert_free(tsa);
	pki_cert_free(ec_tsa);
	pki_cert_free(stranger);
	slt_globalconf_free(gc);
	slt_globalconf_free(bare);
	return 0;
}

static const struct slt_str data = {"stamped", 7};

static void expect(const struct slt_err *err, const char *want)
{
	char code[128];

	slt_err_fault_code(err, SLT_DIALECT_SNAKE, code, sizeof(code));
	if (strcmp(code, want) != 0) {
		fail_msg("got %s (%s), expected %s", code, err->msg, want);
	}
}

static void answer_of(const struct pki_cert *by, enum slt_digest_alg alg, struct slt_digest *d,
		      struct slt_buf *answer)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(request, SLT_TSP_BYTES_MAX);

	slt_digest_of(alg, data.p, data.n, d);
	assert_true(slt_tsp_request(d, &request, &err));
	tsa_answer(by, slt_buf_str(&request), answer);
}

static void asks_as_xroad_does(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;
	SLT_AUTO_BUF(out, SLT_TSP_BYTES_MAX);

	(void)state;
	slt_digest_of(SLT_SHA512, data.p, data.n, &d);
	assert_true(slt_tsp_request(&d, &out, &err));

	const unsigned char *p = (const unsigned char *)out.p;
	TS_REQ *req = d2i_TS_REQ(NULL, &p, (long)out.n);

	assert_non_null(req);
	assert_ptr_equal(p, (const unsigned char *)out.p + out.n);
	assert_int_equal(TS_REQ_get_version(req), 1);
	assert_null(TS_REQ_get_nonce(req));
	assert_null(TS_REQ_get_policy_id(req));
	assert_int_equal(TS_REQ_get_cert_req(req), 0);
	assert_int_equal(ASN1_STRING_length(TS_MSG_IMPRINT_get_msg(TS_REQ_get_msg_imprint(req))),
			 64);
	TS_REQ_free(req);
	d.alg = SLT_DIGEST_NONE;
	assert_false(slt_tsp_request(&d, &out, &err));
}

static void accepts_answers(void **state)
{
	const struct pki_cert *by[] = {tsa, ec_tsa};
	const enum slt_digest_alg algs[] = {SLT_SHA256, SLT_SHA512};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct slt_err err = SLT_ERR_INIT;
		struct slt_digest d;
		SLT_AUTO_BUF(answer, SLT_TSP_BYTES_MAX);
		SLT_AUTO_BUF(token, SLT_TSP_BYTES_MAX);
		int64_t ms = 0, again = 0;

		answer_of(by[i / 2], algs[i % 2], &d, &answer);
		if (!slt_tsp_response(gc, slt_buf_str(&answer), &d, &token, &ms, &err)) {
			fail_msg("%s", err.msg);
		}
		assert_int_equal(ms, PKI_NOW + TSA_MS);

		/* the answer had no certificate, the token has */
		const unsigned char *p = (const unsigned char *)token.p;
		CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)token.n);
		STACK_OF(X509) *certs = CMS_get1_certs(cms);

		assert_int_equal(sk_X509_num(certs), 1);
		assert_int_equal(X509_cmp(sk_X509_value(certs, 0), by[i / 2]->x509), 0);
		sk_X509_pop_free(certs, X509_free);
		CMS_ContentInfo_free(cms);
		assert_true(slt_tsp_verify(gc, slt_buf_str(&token), data, &again, &err));
		assert_int_equal(again, ms);
		assert_false(slt_tsp_verify(gc, slt_buf_str(&token), SLT_STR_C("stampEd"), &again,
					    &err));
		expect(&err, "malformed_signature");
	}
}

static void refuses_other_imprints(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d, short_one;
	SLT_AUTO_BUF(answer, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(token, SLT_TSP_BYTES_MAX);
	int64_t ms = 0;

	(void)state;
	answer_of(tsa, SLT_SHA512, &d, &answer);
	d.v[63] ^= 1;
	assert_false(slt_tsp_response(gc, slt_buf_str(&answer), &d, &token, &ms, &err));
	expect(&err, "malformed_signature");
	slt_digest_of(SLT_SHA256, data.p, data.n, &short_one);
	assert_false(slt_tsp_response(gc, slt_buf_str(&answer), &short_one, &token, &ms, &err));
	expect(&err, "malformed_signature");
	assert_int_equal(token.n, 0);
	assert_int_equal(ms, 0);
}

static void refuses_other_authorities(void **state)
{
	struct slt_err err = SLT_ERR_INIT, none = SLT_ERR_INIT;
	struct slt_digest d;
	SLT_AUTO_BUF(answer, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(token, SLT_TSP_BYTES_MAX);
	int64_t ms = 0;

	(void)state;
	answer_of(stranger, SLT_SHA512, &d, &answer);
	assert_false(slt_tsp_response(gc, slt_buf_str(&answer), &d, &token, &ms, &err));
	expect(&err, "mlog.tsp_certificate_not_found");
	assert_false(slt_tsp_response(bare, slt_buf_str(&answer), &d, &token, &ms, &none));
	expect(&none, "mlog.no_timestamping_provider_found");
}

/* A certificate of the same issuer and serial number, with another key. */
static void refuses_a_namesake(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct pki_spec spec = {.subject = "C=FI;CN=TSA",
				.kind = PKI_RSA2048,
				.key_index = 9,
				.serial = ASN1_INTEGER_get(X509_get_serialNumber(tsa->x509)),
				.ext = {"extendedKeyUsage=critical,timeStamping"}};
	struct pki_cert *namesake = pki_issue(ca, &spec);
	struct slt_digest d;
	SLT_AUTO_BUF(answer, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(token, SLT_TSP_BYTES_MAX);
	int64_t ms = 0;

	(void)state;
	answer_of(namesake, SLT_SHA512, &d, &answer);
	assert_false(slt_tsp_response(gc, slt_buf_str(&answer), &d, &token, &ms, &err));
	expect(&err, "mlog.timestamp_signer_verification_failed");
	pki_cert_free(namesake);
}

static void refuses_refusals(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;
	SLT_AUTO_BUF(request, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(answer, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(token, SLT_TSP_BYTES_MAX);
	int64_t ms = 0;

	(void)state;
	slt_digest_of(SLT_SHA384, data.p, data.n, &d); /* which the authority does not take */
	assert_true(slt_tsp_request(&d, &request, &err));
	tsa_answer(tsa, slt_buf_str(&request), &answer);
	assert_false(slt_tsp_response(gc, slt_buf_str(&answer), &d, &token, &ms, &err));
	expect(&err, "mlog.timestamper_failed");
	assert_non_null(strstr(err.msg, "status 2"));
}

static void refuses_damaged_answers(void **state)
{
	struct slt_digest d;
	SLT_AUTO_BUF(answer, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(token, SLT_TSP_BYTES_MAX);
	int64_t ms = 0;

	(void)state;
	answer_of(tsa, SLT_SHA512, &d, &answer);
	for (size_t n = 0; n < answer.n; n += 3) {
		struct slt_err err = SLT_ERR_INIT;

		assert_false(
			slt_tsp_response(gc, (struct slt_str){answer.p, n}, &d, &token, &ms, &err));
	}
	/* the signature is at the end: each of its bits counts */
	for (size_t i = answer.n - 200; i < answer.n; i += 7) {
		struct slt_err err = SLT_ERR_INIT;

		answer.p[i] ^= 1;
		assert_false(slt_tsp_response(gc, slt_buf_str(&answer), &d, &token, &ms, &err));
		expect(&err, "mlog.timestamp_signer_verification_failed");
		answer.p[i] ^= 1;
	}
	slt_buf_addc(&answer, 'x');

	struct slt_err err = SLT_ERR_INIT;

	assert_false(slt_tsp_response(gc, slt_buf_str(&answer), &d, &token, &ms, &err));
	expect(&err, "mlog.timestamper_failed");
	assert_int_equal(token.n, 0);
}

static void refuses_what_is_no_token(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	BIO *in = BIO_new_mem_buf(data.p, (int)data.n);
	CMS_ContentInfo *cms = CMS_sign(tsa->x509, tsa->key, NULL, in, CMS_BINARY);
	unsigned char *der = NULL;
	int n = i2d_CMS_ContentInfo(cms, &der);
	int64_t ms = 0;

	(void)state;
	/* well signed by the authority, but no time-stamp */
	assert_false(slt_tsp_verify(gc, (struct slt_str){(const char *)der, (size_t)n}, data, &ms,
				    &err));
	expect(&err, "malformed_signature");
	assert_non_null(strstr(err.msg, "TSTInfo"));
	assert_false(slt_tsp_verify(gc, SLT_STR_C(""), data, &ms, &err));
	assert_false(slt_tsp_verify(gc, SLT_STR_C("0"), data, &ms, &err));
	assert_false(slt_tsp_verify(gc, SLT_STR_C("\x30\x80\x00\x00"), data, &ms, &err));
	expect(&err, "malformed_signature");
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

static void refuses_two_signers(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(token, SLT_TSP_BYTES_MAX);
	int64_t ms = 0;

	(void)state;
	tsa_stamp(gc, tsa, data, &token);

	const unsigned char *p = (const unsigned char *)token.p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)token.n);

	assert_non_null(CMS_add1_signer(cms, stranger->x509, stranger->key, EVP_sha256(),
					CMS_BINARY | CMS_REUSE_DIGEST));

	unsigned char *der = NULL;
	int n = i2d_CMS_ContentInfo(cms, &der);

	assert_true(n > 0);
	assert_false(slt_tsp_verify(gc, (struct slt_str){(const char *)der, (size_t)n}, data, &ms,
				    &err));
	expect(&err, "malformed_signature");
	assert_non_null(strstr(err.msg, "exactly one signer"));
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_as_xroad_does),
		cmocka_unit_test(accepts_answers),
		cmocka_unit_test(refuses_other_imprints),
		cmocka_unit_test(refuses_other_authorities),
		cmocka_unit_test(refuses_a_namesake),
		cmocka_unit_test(refuses_refusals),
		cmocka_unit_test(refuses_damaged_answers),
		cmocka_unit_test(refuses_what_is_no_token),
		cmocka_unit_test(refuses_two_signers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
