/* SPDX-License-Identifier: MIT */
#include "federation/tsp.h"

#include <string.h>
#include <time.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ts.h>

SLT_DEFINE_AUTO(TS_REQ *, TS_REQ_free)
SLT_DEFINE_AUTO(TS_MSG_IMPRINT *, TS_MSG_IMPRINT_free)
SLT_DEFINE_AUTO(TS_TST_INFO *, TS_TST_INFO_free)
SLT_DEFINE_AUTO(TS_STATUS_INFO *, TS_STATUS_INFO_free)
SLT_DEFINE_AUTO(X509_ALGOR *, X509_ALGOR_free)
SLT_DEFINE_AUTO(CMS_ContentInfo *, CMS_ContentInfo_free)
SLT_DEFINE_AUTO(BIO *, BIO_free_all)

static void stack_free(STACK_OF(X509) * s)
{
	sk_X509_pop_free(s, X509_free);
}
SLT_DEFINE_AUTO(STACK_OF(X509) *, stack_free)

/* --- request --- */

static bool fill_request(TS_REQ *req, const struct slt_digest *imprint)
{
	SLT_AUTO(TS_MSG_IMPRINT_free) TS_MSG_IMPRINT *mi = TS_MSG_IMPRINT_new();
	SLT_AUTO(X509_ALGOR_free) X509_ALGOR *alg = X509_ALGOR_new();
	unsigned char v[SLT_DIGEST_MAX];

	memcpy(v, imprint->v, imprint->n);
	/* the setters copy */
	return mi != NULL && alg != NULL &&
	       X509_ALGOR_set0(alg, OBJ_nid2obj(EVP_MD_get_type(slt_digest_md(imprint->alg))),
			       V_ASN1_NULL, NULL) == 1 &&
	       TS_MSG_IMPRINT_set_algo(mi, alg) == 1 &&
	       TS_MSG_IMPRINT_set_msg(mi, v, (int)imprint->n) == 1 &&
	       TS_REQ_set_version(req, 1) == 1 && TS_REQ_set_msg_imprint(req, mi) == 1;
}

bool slt_tsp_request(const struct slt_digest *imprint, struct slt_buf *out, struct slt_err *err)
{
	SLT_AUTO(TS_REQ_free) TS_REQ *req = TS_REQ_new();

	if (imprint->alg == SLT_DIGEST_NONE || req == NULL || !fill_request(req, imprint)) {
		return slt_fail_ssl(err, SLT_EINTERNAL, "the time-stamp request cannot be built");
	}

	int n = i2d_TS_REQ(req, NULL);
	unsigned char *to = n > 0 ? (unsigned char *)slt_buf_room(out, (size_t)n) : NULL;

	if (to == NULL) {
		return slt_fail_ssl(err, SLT_EINTERNAL, "the time-stamp request cannot be encoded");
	}
	out->n += (size_t)i2d_TS_REQ(req, &to);
	return true;
}

/* --- token --- */

struct token {
	CMS_ContentInfo *cms;
	TS_TST_INFO *info;
	CMS_SignerInfo *signer; /* borrowed from cms */
};

static void token_fini(struct token *t)
{
	CMS_ContentInfo_free(t->cms);
	TS_TST_INFO_free(t->info);
}

static bool bad_token(struct slt_err *err, const char *why)
{
	return slt_fail_ssl(err, SLT_MALFORMED_SIGNATURE, "time-stamp: %s", why);
}

static bool token_parse(struct slt_str der, struct token *t, struct slt_err *err)
{
	const unsigned char *p = (const unsigned char *)der.p;

	if (der.n == 0 || der.n > SLT_TSP_BYTES_MAX) {
		return bad_token(err, der.n == 0 ? "it is empty" : "it is too long");
	}
	t->cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
	if (t->cms == NULL || p != (const unsigned char *)der.p + der.n ||
	    OBJ_obj2nid(CMS_get0_type(t->cms)) != NID_pkcs7_signed) {
		return bad_token(err, "it is not signed data");
	}

	ASN1_OCTET_STRING **content = CMS_get0_content(t->cms);

	if (OBJ_obj2nid(CMS_get0_eContentType(t->cms)) != NID_id_smime_ct_TSTInfo ||
	    content == NULL || *content == NULL) {
		return bad_token(err, "it does not hold a TSTInfo");
	}

	const unsigned char *info = ASN1_STRING_get0_data(*content);
	const unsigned char *end = info + ASN1_STRING_length(*content);

	t->info = d2i_TS_TST_INFO(NULL, &info, ASN1_STRING_length(*content));
	if (t->info == NULL || info != end) {
		return bad_token(err, "its TSTInfo cannot be decoded");
	}

	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(t->cms);

	if (sk_CMS_SignerInfo_num(signers) != 1) {
		return bad_token(err, "it must have exactly one signer");
	}
	t->signer = sk_CMS_SignerInfo_value(signers, 0);
	return true;
}

static bool gen_time(const struct token *t, int64_t *ret_ms, struct slt_err *err)
{
	const ASN1_GENERALIZEDTIME *gt = TS_TST_INFO_get_time(t->info);
	const char *s = gt != NULL ? (const char *)ASN1_STRING_get0_data(gt) : NULL;
	int n = gt != NULL ? ASN1_STRING_length(gt) : 0;
	struct tm tm;
	int64_t ms = 0, unit = 100;

	if (s == NULL || n < 15 || ASN1_TIME_to_tm(gt, &tm) != 1) {
		return bad_token(err, "its time cannot be read");
	}
	/* OpenSSL drops the fraction */
	for (int i = 15; s[14] == '.' && i < n && s[i] >= '0' && s[i] <= '9'; i++) {
		ms += unit * (s[i] - '0');
		unit /= 10;
	}
	*ret_ms = (int64_t)timegm(&tm) * 1000 + ms;
	return true;
}

static bool check_imprint(const struct token *t, const struct slt_digest *want, struct slt_err *err)
{
	TS_MSG_IMPRINT *mi = TS_TST_INFO_get_msg_imprint(t->info);
	const ASN1_OCTET_STRING *v = TS_MSG_IMPRINT_get_msg(mi);

	if (want->n == 0 || ASN1_STRING_length(v) != (int)want->n ||
	    CRYPTO_memcmp(ASN1_STRING_get0_data(v), want->v, want->n) != 0) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"the time-stamp was made for other data: its imprint does not "
				"match");
	}
	return true;
}

static enum slt_digest_alg imprint_alg(const struct token *t)
{
	TS_MSG_IMPRINT *mi = TS_TST_INFO_get_msg_imprint(t->info);
	const ASN1_OBJECT *oid = NULL;

	X509_ALGOR_get0(&oid, NULL, NULL, TS_MSG_IMPRINT_get_algo(mi));
	for (int a = SLT_SHA1; a <= SLT_SHA512; a++) {
		const EVP_MD *md = slt_digest_md((enum slt_digest_alg)a);

		if (md != NULL && EVP_MD_get_type(md) == OBJ_obj2nid(oid)) {
			return (enum slt_digest_alg)a;
		}
	}
	return SLT_DIGEST_NONE;
}

/* A signing time, where there is one, must lie in the certificate's validity. */
static bool signing_time_fits(const CMS_SignerInfo *si, const X509 *cert)
{
	int at = CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1);

	if (at < 0) {
		return true;
	}

	X509_ATTRIBUTE *attr = CMS_signed_get_attr(si, at);
	const ASN1_TYPE *v = X509_ATTRIBUTE_get0_type(attr, 0);

	if (v == NULL || (v->type != V_ASN1_UTCTIME && v->type != V_ASN1_GENERALIZEDTIME)) {
		return false;
	}

	const ASN1_TIME *t = v->value.asn1_string;

	return ASN1_TIME_check(t) == 1 && ASN1_TIME_compare(t, X509_get0_notBefore(cert)) >= 0 &&
	       ASN1_TIME_compare(t, X509_get0_notAfter(cert)) <= 0;
}

static bool signed_by(struct token *t, X509 *cert)
{
	SLT_AUTO(stack_free) STACK_OF(X509) *certs = sk_X509_new_null();
	SLT_AUTO(BIO_free_all) BIO *out = BIO_new(BIO_s_null());

	/* the list owns a reference of its own */
	slt_assert(certs != NULL && out != NULL && X509_up_ref(cert) == 1 &&
		   sk_X509_push(certs, cert) > 0);

	bool good = CMS_verify(t->cms, certs, NULL, NULL, out,
			       CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1 &&
		    signing_time_fits(t->signer, cert);

	ERR_clear_error();
	return good;
}

/* Verifies the signer; *ret_tsa is the approved certificate, borrowed from gc. */
static bool check_signer(const struct slt_globalconf *gc, struct token *t, X509 **ret_tsa,
			 struct slt_err *err)
{
	const struct slt_gc_tsa *tsa;
	bool any = false, match = false;

	for (size_t i = 0; (tsa = slt_globalconf_tsa_at(gc, NULL, i)) != NULL; i++) {
		any = true;
		if (CMS_SignerInfo_cert_cmp(t->signer, tsa->cert) != 0) {
			continue;
		}
		match = true;
		if (signed_by(t, tsa->cert)) {
			*ret_tsa = tsa->cert;
			return true;
		}
	}
	if (!any) {
		return slt_fail(err, SLT_EMLOG_NO_TSP,
				"the global configuration has no time-stamping authority");
	}
	if (!match) {
		return slt_fail(err, SLT_EMLOG_TSP_CERT_NOT_FOUND,
				"the time-stamp was made by an authority that the global "
				"configuration does not approve");
	}
	return slt_fail(err, SLT_EMLOG_TSP_SIGNER,
			"the signature of the time-stamp is not that of the approved authority");
}

bool slt_tsp_verify(const struct slt_globalconf *gc, struct slt_str token, struct slt_str data,
		    int64_t *ret_gen_time_ms, struct slt_err *err)
{
	__attribute__((cleanup(token_fini))) struct token t = {.cms = NULL};
	struct slt_digest d;
	int64_t ms = 0;
	X509 *tsa = NULL;

	if (!token_parse(token, &t, err)) {
		return false;
	}

	enum slt_digest_alg alg = imprint_alg(&t);

	if (alg == SLT_DIGEST_NONE) {
		return bad_token(err, "its digest algorithm is not supported");
	}
	slt_digest_of(alg, data.p, data.n, &d);
	if (!check_imprint(&t, &d, err) || !check_signer(gc, &t, &tsa, err) ||
	    !gen_time(&t, &ms, err)) {
		return false;
	}
	*ret_gen_time_ms = ms;
	return true;
}

/* --- response --- */

/* Splits TimeStampResp into its status and the bytes of the token (empty when there is none). */
static bool split_response(struct slt_str der, TS_STATUS_INFO **ret_status,
			   struct slt_str *ret_token, struct slt_err *err)
{
	const unsigned char *p = (const unsigned char *)der.p, *end;
	long n = 0;
	int tag = 0, class = 0;

	if (der.n == 0 || der.n > SLT_TSP_BYTES_MAX ||
	    ASN1_get_object(&p, &n, &tag, &class, (long)der.n) != V_ASN1_CONSTRUCTED ||
	    tag != V_ASN1_SEQUENCE || class != V_ASN1_UNIVERSAL) {
		return slt_fail_ssl(err, SLT_EMLOG_TSP_FAILED,
				    "the time-stamping authority's answer is not a TimeStampResp");
	}
	end = p + n;
	*ret_status = d2i_TS_STATUS_INFO(NULL, &p, end - p);
	if (*ret_status == NULL || end != (const unsigned char *)der.p + der.n) {
		return slt_fail_ssl(err, SLT_EMLOG_TSP_FAILED,
				    "the time-stamping authority's answer cannot be decoded");
	}
	*ret_token = (struct slt_str){(const char *)p, (size_t)(end - p)};
	return true;
}

static bool check_status(const TS_STATUS_INFO *status, struct slt_err *err)
{
	long code = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
	const STACK_OF(ASN1_UTF8STRING) *text = TS_STATUS_INFO_get0_text(status);

	if (code == TS_STATUS_GRANTED || code == TS_STATUS_GRANTED_WITH_MODS) {
		return true;
	}

	const ASN1_UTF8STRING *first =
		sk_ASN1_UTF8STRING_num(text) > 0 ? sk_ASN1_UTF8STRING_value(text, 0) : NULL;

	return slt_fail(err, SLT_EMLOG_TSP_FAILED,
			"the time-stamping authority refused with status %ld%s%.*s", code,
			first != NULL ? ": " : "", first != NULL ? ASN1_STRING_length(first) : 0,
			first != NULL ? (const char *)ASN1_STRING_get0_data(first) : "");
}

static bool add_certificate(struct token *t, X509 *tsa, struct slt_err *err)
{
	SLT_AUTO(stack_free) STACK_OF(X509) *have = CMS_get1_certs(t->cms);

	for (int i = 0; i < sk_X509_num(have); i++) {
		if (X509_cmp(sk_X509_value(have, i), tsa) == 0) {
			return true;
		}
	}
	if (CMS_add1_cert(t->cms, tsa) != 1) {
		return slt_fail_ssl(err, SLT_EMLOG_TSP_FAILED,
				    "the authority's certificate cannot be added to the "
				    "time-stamp");
	}
	return true;
}

/* Does a token that was just encoded verify? OpenSSL reads odd encodings and writes them anew. */
static bool holds(const struct slt_globalconf *gc, const struct slt_digest *imprint,
		  struct slt_str token)
{
	__attribute__((cleanup(token_fini))) struct token t = {.cms = NULL};
	struct slt_err ignored = SLT_ERR_INIT;
	X509 *tsa = NULL;

	return token_parse(token, &t, &ignored) && check_imprint(&t, imprint, &ignored) &&
	       check_signer(gc, &t, &tsa, &ignored);
}

/* The token with the certificate added; as it came where that would break it. */
static bool encode(const struct slt_globalconf *gc, const struct slt_digest *imprint,
		   const struct token *t, struct slt_str as_it_came, struct slt_buf *ret)
{
	unsigned char *der = NULL;
	int n = i2d_CMS_ContentInfo(t->cms, &der);
	struct slt_str with = {(const char *)der, n > 0 ? (size_t)n : 0};

	if (n <= 0 || !holds(gc, imprint, with)) {
		with = as_it_came;
	}
	slt_buf_add(ret, with.p, with.n);
	OPENSSL_free(der);
	ERR_clear_error();
	return !ret->failed;
}

bool slt_tsp_response(const struct slt_globalconf *gc, struct slt_str der,
		      const struct slt_digest *imprint, struct slt_buf *ret_token,
		      int64_t *ret_gen_time_ms, struct slt_err *err)
{
	__attribute__((cleanup(token_fini))) struct token t = {.cms = NULL};
	SLT_AUTO(TS_STATUS_INFO_free) TS_STATUS_INFO *status = NULL;
	struct slt_str token;
	X509 *tsa = NULL;
	int64_t ms = 0;

	if (!split_response(der, &status, &token, err) || !check_status(status, err) ||
	    !token_parse(token, &t, err)) {
		return false;
	}
	if (imprint_alg(&t) != imprint->alg) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"the time-stamp uses another digest than the one asked for");
	}
	if (!check_imprint(&t, imprint, err) || !check_signer(gc, &t, &tsa, err) ||
	    !gen_time(&t, &ms, err) || !add_certificate(&t, tsa, err)) {
		return false;
	}

	if (!encode(gc, imprint, &t, token, ret_token)) {
		return slt_fail(err, SLT_ELIMIT, "the time-stamp is too long to be kept");
	}
	*ret_gen_time_ms = ms;
	return true;
}
