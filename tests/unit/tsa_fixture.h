/* SPDX-License-Identifier: MIT */
#pragma once

/* A time-stamping authority for tests. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ts.h>

#include "federation/tsp.h"
#include "tests/support/pki.h"

#define TSA_MS 345 /* of the second in which it stamps */

static int tsa_time(struct TS_resp_ctx *ctx, void *arg, long *sec, long *usec)
{
	(void)ctx;
	(void)arg;
	*sec = (long)(PKI_NOW / 1000);
	*usec = TSA_MS * 1000;
	return 1;
}

static ASN1_INTEGER *tsa_serial(struct TS_resp_ctx *ctx, void *arg)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	(void)ctx;
	(void)arg;
	assert_true(n != NULL && ASN1_INTEGER_set(n, 7));
	return n;
}

/* A TimeStampResp to a request. */
SLT_UNUSED static void tsa_answer(const struct pki_cert *tsa, struct slt_str request,
				  struct slt_buf *out)
{
	TS_RESP_CTX *ctx = TS_RESP_CTX_new();
	BIO *in = BIO_new_mem_buf(request.p, (int)request.n);
	ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4", 1);

	assert_true(TS_RESP_CTX_set_signer_cert(ctx, tsa->x509) &&
		    TS_RESP_CTX_set_signer_key(ctx, tsa->key) &&
		    TS_RESP_CTX_set_signer_digest(ctx, EVP_sha256()) &&
		    TS_RESP_CTX_set_def_policy(ctx, policy) &&
		    TS_RESP_CTX_add_md(ctx, EVP_sha256()) &&
		    TS_RESP_CTX_add_md(ctx, EVP_sha512()) &&
		    TS_RESP_CTX_set_clock_precision_digits(ctx, 3));
	TS_RESP_CTX_set_time_cb(ctx, tsa_time, NULL);
	TS_RESP_CTX_set_serial_cb(ctx, tsa_serial, NULL);

	TS_RESP *resp = TS_RESP_create_response(ctx, in);
	unsigned char *der = NULL;
	int n = i2d_TS_RESP(resp, &der);

	assert_true(n > 0);
	slt_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	TS_RESP_free(resp);
	TS_RESP_CTX_free(ctx);
	ASN1_OBJECT_free(policy);
	BIO_free(in);
}

/* A stored token over data, SHA-512. */
SLT_UNUSED static void tsa_stamp(const struct slt_globalconf *gc, const struct pki_cert *tsa,
				 struct slt_str data, struct slt_buf *token)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;
	SLT_AUTO_BUF(request, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(answer, SLT_TSP_BYTES_MAX);
	int64_t ms = 0;

	slt_digest_of(SLT_SHA512, data.p, data.n, &d);
	assert_true(slt_tsp_request(&d, &request, &err));
	tsa_answer(tsa, slt_buf_str(&request), &answer);
	if (!slt_tsp_response(gc, slt_buf_str(&answer), &d, token, &ms, &err)) {
		fail_msg("%s", err.msg);
	}
}
