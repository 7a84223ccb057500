/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A private key as the rest of the program sees it: a certificate, an algorithm, and sign(digest).
 * The key itself may be a file, a PKCS#11 token or another process.
 */

#include <openssl/x509.h>

#include "base/digest.h"

enum slt_sig_alg { /* XML signature algorithms, xroad-wire 1.5 */
		   SLT_SIG_NONE,
		   SLT_RSA_SHA1, /* verification of old material only */
		   SLT_RSA_SHA256,
		   SLT_RSA_SHA384,
		   SLT_RSA_SHA512,
		   SLT_RSA_PSS_SHA256,
		   SLT_RSA_PSS_SHA384,
		   SLT_RSA_PSS_SHA512,
		   SLT_ECDSA_SHA256,
		   SLT_ECDSA_SHA384,
		   SLT_ECDSA_SHA512,
};

const char *slt_sig_uri(enum slt_sig_alg alg);
enum slt_sig_alg slt_sig_by_uri(struct slt_str uri);
enum slt_digest_alg slt_sig_digest(enum slt_sig_alg alg);
/* The algorithm for a key's type and digest; PSS only when asked for. NONE if there is none. */
enum slt_sig_alg slt_sig_for_key(const EVP_PKEY *key, enum slt_digest_alg digest, bool pss);

struct slt_key {
	X509 *cert;		/* owned */
	STACK_OF(X509) * chain; /* intermediates, root excluded; may be NULL; owned */
	enum slt_sig_alg alg;	/* used for new signatures */
	/* Signs a digest of slt_sig_digest(alg): RSA block, or ECDSA as DER. SLT_SIGNER +
	 * SLT_ECANNOT_CREATE_SIGNATURE. Thread-safe. */
	bool (*sign)(struct slt_key *k, const struct slt_digest *d, struct slt_buf *ret,
		     struct slt_err *err);
	void (*free)(struct slt_key *k);
	void *impl;
};

void slt_key_free(struct slt_key *k);
SLT_DEFINE_AUTO(struct slt_key *, slt_key_free)

/* A key in a PEM file (PKCS#8, unencrypted, not readable by others) or PKCS#12 (pin), with its
 * certificate (and intermediates) from cert_path, or from the PKCS#12 when NULL. Fails if key and
 * certificate do not belong together. */
SLT_CHECK bool slt_key_load(const char *key_path, const char *cert_path, const char *pin, bool pss,
			    struct slt_key **ret, struct slt_err *err);
/* Verifies a raw signature (ECDSA as DER) over a digest with a certificate's key. False with
 * SLT_EINVALID_SIGNATURE_VALUE. */
SLT_CHECK bool slt_sig_verify(EVP_PKEY *key, enum slt_sig_alg alg, const struct slt_digest *d,
			      const void *sig, size_t n, struct slt_err *err);

/* What key stores share: sets digest and padding of a context that was initialised for signing or
 * verifying. False when OpenSSL refuses. */
SLT_CHECK bool slt_sig_setup(EVP_PKEY_CTX *ctx, enum slt_sig_alg alg);

/* ECDSA signatures: XML carries r and s side by side, OpenSSL and PKCS#11 speak DER. Both halves
 * are as long as the field when written; when read, any even length is split in the middle, since
 * X-Road pads only to the longer of the two. SLT_EINVALID_SIGNATURE_VALUE. */
#define SLT_SIG_RAW_MAX 256
SLT_CHECK bool slt_sig_der_to_raw(const EVP_PKEY *key, struct slt_str der, struct slt_buf *ret,
				  struct slt_err *err);
SLT_CHECK bool slt_sig_raw_to_der(struct slt_str raw, struct slt_buf *ret, struct slt_err *err);
