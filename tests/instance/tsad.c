/* SPDX-License-Identifier: MIT */
#include "tests/instance/tsad.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ts.h>

#define POLICY "2.25.63301874922170834128953407191205347811"

static ASN1_INTEGER *next_serial(TS_RESP_CTX *ctx, void *arg)
{
	(void)ctx;
	struct slt_tsad *t = arg;
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	if (n != NULL && ASN1_INTEGER_set_int64(n, atomic_fetch_add(&t->serial, 1) + 1) != 1) {
		ASN1_INTEGER_free(n);
		return NULL;
	}
	return n;
}

static TS_RESP_CTX *make_ctx(struct slt_tsad *t)
{
	const struct slt_pki_entry *e = slt_pki_get(t->pki, "tsa");
	ASN1_OBJECT *policy = OBJ_txt2obj(POLICY, 1);
	TS_RESP_CTX *ctx = TS_RESP_CTX_new();
	bool ok = ctx != NULL && policy != NULL && TS_RESP_CTX_set_signer_cert(ctx, e->cert) == 1 &&
		  TS_RESP_CTX_set_signer_key(ctx, e->key) == 1 &&
		  TS_RESP_CTX_set_signer_digest(ctx, EVP_sha256()) == 1 &&
		  TS_RESP_CTX_set_ess_cert_id_digest(ctx, EVP_sha256()) == 1 &&
		  TS_RESP_CTX_set_def_policy(ctx, policy) == 1 &&
		  TS_RESP_CTX_add_md(ctx, EVP_sha256()) == 1 &&
		  TS_RESP_CTX_add_md(ctx, EVP_sha384()) == 1 &&
		  TS_RESP_CTX_add_md(ctx, EVP_sha512()) == 1;
	ASN1_OBJECT_free(policy);
	if (!ok) {
		TS_RESP_CTX_free(ctx);
		return NULL;
	}
	TS_RESP_CTX_set_serial_cb(ctx, next_serial, t);
	return ctx;
}

bool slt_tsad_answer(struct slt_tsad *t, struct slt_str request, struct slt_buf *out)
{
	TS_RESP_CTX *ctx = make_ctx(t);
	BIO *in = request.n > INT_MAX ? NULL : BIO_new_mem_buf(request.p, (int)request.n);
	TS_RESP *resp = ctx == NULL || in == NULL ? NULL : TS_RESP_create_response(ctx, in);
	unsigned char *der = NULL;
	int n = resp == NULL ? -1 : i2d_TS_RESP(resp, &der);
	if (n > 0) {
		slt_buf_add(out, der, (size_t)n);
	}
	OPENSSL_free(der);
	TS_RESP_free(resp);
	BIO_free(in);
	TS_RESP_CTX_free(ctx);
	ERR_clear_error();
	return n > 0;
}
