/* SPDX-License-Identifier: MIT */
#include "tests/support/evidence.h"

#include <openssl/err.h>
#include <openssl/ts.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "federation/xades_form.h"

#define DOCUMENT_MAX (4u << 20)

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "test evidence: %s failed\n", what);
		ERR_print_errors_fp(stderr);
		abort();
	}
}

static void must_not_err(bool ok, const struct slt_err *err)
{
	must(ok, err->msg);
}

struct slt_key *evidence_key(const struct pki_cert *cert, enum slt_sig_alg alg)
{
	char dir[] = "/tmp/slt-evidence-XXXXXX";
	struct slt_err err = SLT_ERR_INIT;
	struct slt_key *key = NULL;

	must(mkdtemp(dir) != NULL, "making a directory");
	SLT_AUTO_STR char *c = slt_path_join(dir, "c");
	SLT_AUTO_STR char *k = slt_path_join(dir, "k");
	pki_write_pem(cert, c, k);
	must_not_err(slt_key_load(k, c, NULL, false, &key, &err) && slt_rm_tree(dir, &err), &err);
	key->alg = alg;
	return key;
}

/* --- time-stamps --- */

static int stamp_time(struct TS_resp_ctx *ctx, void *arg, long *sec, long *usec)
{
	const int64_t *ms = arg;

	(void)ctx;
	*sec = (long)(*ms / 1000);
	*usec = (long)(*ms % 1000) * 1000;
	return 1;
}

static ASN1_INTEGER *stamp_serial(struct TS_resp_ctx *ctx, void *arg)
{
	static long next = 1;
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	(void)ctx;
	(void)arg;
	must(n != NULL && ASN1_INTEGER_set(n, next++) == 1, "numbering a time-stamp");
	return n;
}

/* DER of a request that asks for the certificate too. */
static BIO *stamp_request(struct slt_str data)
{
	struct slt_digest d;
	TS_REQ *req = TS_REQ_new();
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *alg = X509_ALGOR_new();
	BIO *ret = BIO_new(BIO_s_mem());

	slt_digest_of(SLT_SHA512, data.p, data.n, &d);
	must(X509_ALGOR_set0(alg, OBJ_nid2obj(NID_sha512), V_ASN1_NULL, NULL) == 1 &&
		     TS_MSG_IMPRINT_set_algo(imprint, alg) == 1 &&
		     TS_MSG_IMPRINT_set_msg(imprint, d.v, (int)d.n) == 1 &&
		     TS_REQ_set_version(req, 1) == 1 && TS_REQ_set_msg_imprint(req, imprint) == 1 &&
		     TS_REQ_set_cert_req(req, 1) == 1 && i2d_TS_REQ_bio(ret, req) == 1,
	     "asking for a time-stamp");
	X509_ALGOR_free(alg);
	TS_MSG_IMPRINT_free(imprint);
	TS_REQ_free(req);
	return ret;
}

void evidence_stamp(const struct pki_cert *tsa, int64_t gen_time_ms, struct slt_str data,
		    struct slt_buf *out)
{
	TS_RESP_CTX *ctx = TS_RESP_CTX_new();
	ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4", 1);
	BIO *in = stamp_request(data);
	unsigned char *der = NULL;

	must(TS_RESP_CTX_set_signer_cert(ctx, tsa->x509) == 1 &&
		     TS_RESP_CTX_set_signer_key(ctx, tsa->key) == 1 &&
		     TS_RESP_CTX_set_signer_digest(ctx, EVP_sha256()) == 1 &&
		     TS_RESP_CTX_set_ess_cert_id_digest(ctx, EVP_sha256()) == 1 &&
		     TS_RESP_CTX_set_def_policy(ctx, policy) == 1 &&
		     TS_RESP_CTX_add_md(ctx, EVP_sha512()) == 1 &&
		     TS_RESP_CTX_set_clock_precision_digits(ctx, 3) == 1,
	     "setting up a time-stamping authority");
	TS_RESP_CTX_set_time_cb(ctx, stamp_time, &gen_time_ms);
	TS_RESP_CTX_set_serial_cb(ctx, stamp_serial, NULL);

	TS_RESP *resp = TS_RESP_create_response(ctx, in);

	must(resp != NULL && TS_RESP_get_token(resp) != NULL, "making a time-stamp");

	int n = i2d_PKCS7(TS_RESP_get_token(resp), &der);

	must(n > 0, "encoding a time-stamp");
	slt_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	TS_RESP_free(resp);
	BIO_free(in);
	ASN1_OBJECT_free(policy);
	TS_RESP_CTX_free(ctx);
}

/* --- changing documents --- */

static const char *find(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	must(at != NULL, what);
	return at;
}

char *evidence_replace(const char *text, const char *from, const char *to)
{
	const char *at = find(text, from);

	return slt_asprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

char *evidence_cut(const char *text, const char *from, const char *to)
{
	const char *at = find(text, from);

	return slt_asprintf("%.*s%s", (int)(at - text), text, find(at, to) + strlen(to));
}

/* Replaces what stands between two texts, the first of which occurs behind `after`. */
static char *fill(const char *text, const char *after, const char *from, const char *to,
		  struct slt_str bytes)
{
	const char *start = find(find(text, after), from) + strlen(from);
	SLT_AUTO_BUF(b, 8192);

	slt_buf_add_base64(&b, bytes.p, bytes.n);
	return slt_asprintf("%.*s%s%s", (int)(start - text), text, slt_buf_str(&b).p,
			    find(start, to));
}

static void canonical_digest(const char *text, bool info, enum slt_digest_alg alg,
			     struct slt_digest *ret)
{
	SLT_AUTO(slt_xades_free) struct slt_xades *x = NULL;
	SLT_AUTO_BUF(b, DOCUMENT_MAX);
	struct slt_err err = SLT_ERR_INIT;

	must_not_err(slt_xades_parse(slt_str(text), &x, &err), &err);

	/* the tree is this function's own; only the view is const */
	xmlNode *node = info ? x->signed_info : (xmlNode *)(uintptr_t)x->signed_properties;

	must_not_err(slt_xml_c14n(node, SLT_C14N_INCLUSIVE, &b, &err), &err);
	slt_digest_of(alg, b.p, b.n, ret);
}

char *evidence_resign(struct slt_key *key, const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;
	SLT_AUTO_BUF(sig, 4096);
	SLT_AUTO_BUF(raw, 4096);
	SLT_AUTO_STR char *t = slt_strdup(text);

	if (strstr(t, "Type=\"" SLT_TYPE_SIGNED_PROPERTIES) != NULL) {
		canonical_digest(t, false, SLT_SHA512, &d);
		char *filled = fill(t, "Type=\"" SLT_TYPE_SIGNED_PROPERTIES, "<ds:DigestValue>",
				    "</ds:DigestValue>", (struct slt_str){(const char *)d.v, d.n});
		free(t);
		t = filled;
	}
	canonical_digest(t, true, slt_sig_digest(key->alg), &d);
	must_not_err(key->sign(key, &d, &sig, &err), &err);

	EVP_PKEY *pub = X509_get0_pubkey(key->cert);

	if (EVP_PKEY_is_a(pub, "EC")) {
		must_not_err(slt_sig_der_to_raw(pub, slt_buf_str(&sig), &raw, &err), &err);
	}
	return fill(t, "<ds:SignatureValue", ">", "<", slt_buf_str(raw.n > 0 ? &raw : &sig));
}

char *evidence_stamp_single(const struct pki_cert *tsa, int64_t gen_time_ms, const char *text)
{
	static const char at[] = "<xades:UnsignedSignatureProperties>";
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xades_free) struct slt_xades *x = NULL;
	SLT_AUTO_BUF(value, 4096);
	SLT_AUTO_BUF(token, 65536);
	SLT_AUTO_BUF(out, DOCUMENT_MAX);
	const char *split = find(text, at) + sizeof(at) - 1;

	must_not_err(slt_xades_parse(slt_str(text), &x, &err) &&
			     slt_xades_signature_value(x, &value, &err),
		     &err);
	evidence_stamp(tsa, gen_time_ms, slt_buf_str(&value), &token);
	slt_buf_add(&out, text, (size_t)(split - text));
	slt_buf_adds(&out, "<xades:SignatureTimeStamp><xades:EncapsulatedTimeStamp>");
	slt_buf_add_base64(&out, token.p, token.n);
	slt_buf_adds(&out, "</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>");
	slt_buf_adds(&out, split);
	return slt_buf_take(&out, NULL);
}

void evidence_stamp_batch(const struct pki_cert *tsa, int64_t gen_time_ms, const char *const *texts,
			  size_t n, struct slt_hc_result *ret, struct slt_buf *token)
{
	static const char *const name = SLT_URI_SIGNATURES;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest *d = slt_calloc(n, sizeof(*d));
	struct slt_hc_input *in = slt_calloc(n, sizeof(*in));

	for (size_t i = 0; i < n; i++) {
		slt_digest_of(SLT_SHA512, texts[i], strlen(texts[i]), &d[i]);
		in[i] = (struct slt_hc_input){&d[i], &name, 1};
	}
	must_not_err(slt_hashchain_build(SLT_SHA512, in, n, SLT_URI_TS_HC, ret, &err), &err);
	evidence_stamp(tsa, gen_time_ms, slt_str(ret->result), token);
	free(in);
	free(d);
}
