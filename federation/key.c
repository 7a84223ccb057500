/* SPDX-License-Identifier: MIT */
#include "federation/key.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/mem.h"

#define MORE   "http://www.w3.org/2001/04/xmldsig-more#"
#define MORE07 "http://www.w3.org/2007/05/xmldsig-more#"

enum kind { KIND_RSA, KIND_PSS, KIND_EC };

/* clang-format off */
static const struct sig_row {
	enum slt_sig_alg alg;
	enum kind kind;
	enum slt_digest_alg digest;
	const char *uri;
} sig_table[] = {
	{SLT_RSA_SHA1,       KIND_RSA, SLT_SHA1,   "http://www.w3.org/2000/09/xmldsig#rsa-sha1"},
	{SLT_RSA_SHA256,     KIND_RSA, SLT_SHA256, MORE "rsa-sha256"},
	{SLT_RSA_SHA384,     KIND_RSA, SLT_SHA384, MORE "rsa-sha384"},
	{SLT_RSA_SHA512,     KIND_RSA, SLT_SHA512, MORE "rsa-sha512"},
	{SLT_RSA_PSS_SHA256, KIND_PSS, SLT_SHA256, MORE07 "sha256-rsa-MGF1"},
	{SLT_RSA_PSS_SHA384, KIND_PSS, SLT_SHA384, MORE07 "sha384-rsa-MGF1"},
	{SLT_RSA_PSS_SHA512, KIND_PSS, SLT_SHA512, MORE07 "sha512-rsa-MGF1"},
	{SLT_ECDSA_SHA256,   KIND_EC,  SLT_SHA256, MORE "ecdsa-sha256"},
	{SLT_ECDSA_SHA384,   KIND_EC,  SLT_SHA384, MORE "ecdsa-sha384"},
	{SLT_ECDSA_SHA512,   KIND_EC,  SLT_SHA512, MORE "ecdsa-sha512"},
};
/* clang-format on */

static const struct sig_row *row_of(enum slt_sig_alg alg)
{
	for (size_t i = 0; i < SLT_COUNT(sig_table); i++) {
		if (sig_table[i].alg == alg) {
			return &sig_table[i];
		}
	}
	return NULL;
}

const char *slt_sig_uri(enum slt_sig_alg alg)
{
	const struct sig_row *r = row_of(alg);

	return r != NULL ? r->uri : "";
}

enum slt_sig_alg slt_sig_by_uri(struct slt_str uri)
{
	for (size_t i = 0; i < SLT_COUNT(sig_table); i++) {
		if (slt_str_eq(uri, sig_table[i].uri)) {
			return sig_table[i].alg;
		}
	}
	return SLT_SIG_NONE;
}

enum slt_digest_alg slt_sig_digest(enum slt_sig_alg alg)
{
	const struct sig_row *r = row_of(alg);

	return r != NULL ? r->digest : SLT_DIGEST_NONE;
}

static bool kind_fits(const EVP_PKEY *key, enum kind kind)
{
	switch (kind) {
	case KIND_RSA:
		return EVP_PKEY_is_a(key, "RSA");
	case KIND_PSS:
		return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
	case KIND_EC:
		return EVP_PKEY_is_a(key, "EC");
	}
	return false;
}

enum slt_sig_alg slt_sig_for_key(const EVP_PKEY *key, enum slt_digest_alg digest, bool pss)
{
	enum kind kind = pss || EVP_PKEY_is_a(key, "RSA-PSS") ? KIND_PSS : KIND_RSA;

	if (EVP_PKEY_is_a(key, "EC")) {
		kind = KIND_EC;
	}
	for (size_t i = 0; i < SLT_COUNT(sig_table); i++) {
		const struct sig_row *r = &sig_table[i];

		if (r->kind == kind && r->digest == digest && digest != SLT_SHA1 &&
		    kind_fits(key, kind)) {
			return r->alg;
		}
	}
	return SLT_SIG_NONE;
}

void slt_key_free(struct slt_key *k)
{
	if (k == NULL) {
		return;
	}
	if (k->free != NULL) {
		k->free(k);
	}
	X509_free(k->cert);
	sk_X509_pop_free(k->chain, X509_free);
	free(k);
}

/* Padding and digest of an initialised context; the salt of PSS is as long as the digest. */
bool slt_sig_setup(EVP_PKEY_CTX *ctx, enum slt_sig_alg alg)
{
	const struct sig_row *r = row_of(alg);

	if (r == NULL || EVP_PKEY_CTX_set_signature_md(ctx, slt_digest_md(r->digest)) <= 0) {
		return false;
	}
	if (r->kind == KIND_EC) {
		return true;
	}
	if (r->kind == KIND_RSA) {
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	}
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, slt_digest_md(r->digest)) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

SLT_DEFINE_AUTO(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
SLT_DEFINE_AUTO(ECDSA_SIG *, ECDSA_SIG_free)

bool slt_sig_verify(EVP_PKEY *key, enum slt_sig_alg alg, const struct slt_digest *d,
		    const void *sig, size_t n, struct slt_err *err)
{
	const struct sig_row *r = row_of(alg);

	if (r == NULL || key == NULL || !kind_fits(key, r->kind)) {
		return slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE,
				"the signature algorithm %s does not fit the kind of key in the "
				"certificate",
				slt_sig_uri(alg));
	}
	if (d->alg != r->digest) {
		return slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE,
				"%s needs a %s digest and got %s", r->uri,
				slt_digest_name(r->digest), slt_digest_name(d->alg));
	}

	SLT_AUTO(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool good = ctx != NULL && EVP_PKEY_verify_init(ctx) > 0 && slt_sig_setup(ctx, alg) &&
		    EVP_PKEY_verify(ctx, sig, n, d->v, d->n) == 1;

	ERR_clear_error();
	if (!good) {
		return slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE,
				"the signature value does not fit the signed data and the "
				"certificate's key");
	}
	return true;
}

bool slt_sig_der_to_raw(const EVP_PKEY *key, struct slt_str der, struct slt_buf *ret,
			struct slt_err *err)
{
	const unsigned char *p = (const unsigned char *)der.p;
	SLT_AUTO(ECDSA_SIG_free) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	int half = (EVP_PKEY_get_bits(key) + 7) / 8;

	if (sig == NULL || p != (const unsigned char *)der.p + der.n || half <= 0) {
		return slt_fail_ssl(err, SLT_EINVALID_SIGNATURE_VALUE,
				    "the ECDSA signature is not a DER sequence of two integers");
	}

	unsigned char *to = (unsigned char *)slt_buf_room(ret, 2 * (size_t)half);

	if (to == NULL || BN_bn2binpad(ECDSA_SIG_get0_r(sig), to, half) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), to + half, half) < 0) {
		return slt_fail_ssl(err, SLT_EINVALID_SIGNATURE_VALUE,
				    "the ECDSA signature is longer than its key");
	}
	ret->n += 2 * (size_t)half;
	return true;
}

bool slt_sig_raw_to_der(struct slt_str raw, struct slt_buf *ret, struct slt_err *err)
{
	if (raw.n < 2 || raw.n % 2 != 0 || raw.n > SLT_SIG_RAW_MAX) {
		return slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE,
				"an ECDSA signature value of %zu bytes cannot be halved into r and "
				"s",
				raw.n);
	}

	int half = (int)(raw.n / 2);
	const unsigned char *p = (const unsigned char *)raw.p;
	SLT_AUTO(ECDSA_SIG_free) ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(p, half, NULL), *s = BN_bin2bn(p + half, half, NULL);

	slt_assert(sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1);

	int n = i2d_ECDSA_SIG(sig, NULL);
	unsigned char *to = n > 0 ? (unsigned char *)slt_buf_room(ret, (size_t)n) : NULL;

	if (to == NULL) {
		return slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE,
				"the ECDSA signature cannot be encoded");
	}
	ret->n += (size_t)i2d_ECDSA_SIG(sig, &to);
	return true;
}
