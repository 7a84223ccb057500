/* SPDX-License-Identifier: MIT */
/*
 * X-Road's own time-stamps (TimestampVerifierTest), read at run time from SLT_SHARED. The TSA's
 * certificate expired in 2014, which neither X-Road nor we ask about.
 */
#include "sig_vectors.h"

#include <openssl/ts.h>

#include "base/clock.h"
#include "federation/tsp.h"

static const char conf[] = "globalconf/globalconf_good_v2";

static void judge(const char *token, const char *conf_name, int flip, const char *code)
{
	struct slt_str t = load(token), data = load("timestamps/stamped-data");
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = load_conf(conf_name);
	SLT_AUTO_STR char *changed = slt_strndup(data.p, data.n);
	struct slt_str d = {changed, data.n};
	struct slt_err err = SLT_ERR_INIT;
	int64_t ms = 0;
	char text[SLT_TIME_LEN];

	memcpy(changed, data.p, data.n);
	if (flip >= 0) {
		changed[flip] = 1;
	}
	if (slt_tsp_verify(gc, t, d, &ms, &err)) {
		assert_string_equal(code, "");
		assert_string_equal(slt_time_format(ms, false, text), "2012-11-29T13:10:04Z");
	} else {
		expect_code(&err, code);
	}
	unload(t);
	unload(data);
}

static void valid(void **state)
{
	(void)state;
	judge("timestamps/valid", conf, -1, "");
}

static void invalid_signature(void **state)
{
	(void)state;
	judge("timestamps/invalid-signature", conf, -1,
	      "mlog.timestamp_signer_verification_failed");
}

static void other_data(void **state)
{
	(void)state;
	judge("timestamps/valid", conf, 42, "malformed_signature");
}

static void unrelated_authorities(void **state)
{
	(void)state;
	judge("timestamps/valid", "globalconf/globalconf_good2_v3", -1,
	      "mlog.tsp_certificate_not_found");
}

/* A whole answer, with a nonce that we would not have sent. */
static void response(void **state)
{
	struct slt_str der = load("timestamps/tsp.response");
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = load_conf(conf);
	const unsigned char *p = (const unsigned char *)der.p;
	TS_RESP *resp = d2i_TS_RESP(NULL, &p, (long)der.n);
	struct slt_digest d = {.alg = SLT_SHA256, .n = 32};
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(token, SLT_TSP_BYTES_MAX);
	int64_t ms = 0;

	(void)state;
	assert_non_null(resp);
	memcpy(d.v,
	       ASN1_STRING_get0_data(TS_MSG_IMPRINT_get_msg(
		       TS_TST_INFO_get_msg_imprint(TS_RESP_get_tst_info(resp)))),
	       d.n);
	TS_RESP_free(resp);
	/* its authority is in none of the configurations: the imprint must be judged before */
	d.v[0] ^= 1;
	assert_false(slt_tsp_response(gc, der, &d, &token, &ms, &err));
	expect_code(&err, "malformed_signature");
	d.v[0] ^= 1;
	if (!slt_tsp_response(gc, der, &d, &token, &ms, &err)) {
		expect_code(&err, "mlog.tsp_certificate_not_found");
	} else {
		assert_int_equal(ms, INT64_C(1399364929000));
		assert_true(token.n > 0);
	}
	unload(der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid),      cmocka_unit_test(invalid_signature),
		cmocka_unit_test(other_data), cmocka_unit_test(unrelated_authorities),
		cmocka_unit_test(response),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
