/* SPDX-License-Identifier: MIT */
/* Keys in files: PEM (PKCS#8) and PKCS#12. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/file.h"
#include "federation/key.h"

#define KEY_FILE_MAX  (1u << 20)
#define KEY_CHAIN_MAX 8

SLT_DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)
SLT_DEFINE_AUTO(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
SLT_DEFINE_AUTO(X509 *, X509_free)
SLT_DEFINE_AUTO(BIO *, BIO_free_all)
SLT_DEFINE_AUTO(PKCS12 *, PKCS12_free)

struct secret { /* file content that holds a private key: wiped when done */
	char *p;
	size_t n;
};

static void secret_wipe(struct secret *s)
{
	if (s->p != NULL) {
		OPENSSL_cleanse(s->p, s->n);
	}
	free(s->p);
}

static bool sign_fail(struct slt_err *err, const char *why)
{
	(void)slt_fail_ssl(err, SLT_ECANNOT_CREATE_SIGNATURE, "%s", why);
	return slt_prefix(err, SLT_SIGNER);
}

static bool file_sign(struct slt_key *k, const struct slt_digest *d, struct slt_buf *ret,
		      struct slt_err *err)
{
	if (d->alg != slt_sig_digest(k->alg)) {
		return sign_fail(err, "the digest is not of the algorithm that the key signs");
	}

	SLT_AUTO(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->impl, NULL);
	size_t n = 0;

	if (ctx == NULL || EVP_PKEY_sign_init(ctx) <= 0 || !slt_sig_setup(ctx, k->alg) ||
	    EVP_PKEY_sign(ctx, NULL, &n, d->v, d->n) <= 0) {
		return sign_fail(err, "the key cannot be used to sign");
	}

	unsigned char *to = (unsigned char *)slt_buf_room(ret, n);

	if (to == NULL || EVP_PKEY_sign(ctx, to, &n, d->v, d->n) <= 0) {
		return sign_fail(err, "signing failed");
	}
	ret->n += n;
	return true;
}

static void file_free(struct slt_key *k)
{
	EVP_PKEY_free(k->impl);
}

/* OpenSSL would ask at the terminal if there were no callback. */
static int give_pin(char *to, int size, int writing, void *pin)
{
	(void)writing;

	size_t n = pin != NULL ? strlen(pin) : 0;

	if (pin == NULL || size < 0 || n > (size_t)size) {
		return -1;
	}
	memcpy(to, pin, n);
	return (int)n;
}

static bool is_pem(const struct secret *s)
{
	return s->n > 10 && memmem(s->p, s->n, "-----BEGIN ", 11) != NULL;
}

static void chain_add(struct slt_key *k, X509 *take_cert)
{
	/* a root adds nothing that the receiver could use: it trusts its own copy or none */
	if (X509_NAME_cmp(X509_get_subject_name(take_cert), X509_get_issuer_name(take_cert)) == 0) {
		X509_free(take_cert);
		return;
	}
	if (k->chain == NULL) {
		k->chain = sk_X509_new_null();
	}
	slt_assert(k->chain != NULL && sk_X509_push(k->chain, take_cert) > 0);
}

static bool load_certs(struct slt_key *k, const char *path, struct slt_err *err)
{
	SLT_AUTO_STR char *pem = NULL;
	size_t n = 0;

	if (!slt_file_read(path, KEY_FILE_MAX, &pem, &n, err)) {
		return slt_wrap(err, "certificate of a key");
	}

	SLT_AUTO(BIO_free_all) BIO *in = BIO_new_mem_buf(pem, (int)n);
	X509 *c;

	slt_assert(in != NULL);
	k->cert = PEM_read_bio_X509(in, NULL, give_pin, NULL);
	if (k->cert == NULL) {
		return slt_fail_ssl(err, SLT_ECONFIG, "%s holds no certificate in PEM form", path);
	}
	while ((c = PEM_read_bio_X509(in, NULL, give_pin, NULL)) != NULL) {
		chain_add(k, c);
		if (sk_X509_num(k->chain) > KEY_CHAIN_MAX) {
			return slt_fail(err, SLT_ECONFIG,
					"%s holds more than %d intermediate certificates", path,
					KEY_CHAIN_MAX);
		}
	}
	ERR_clear_error(); /* "no start line" at the end of the file */
	return true;
}

static bool load_pem(struct slt_key *k, const struct secret *s, const char *path, const char *pin,
		     struct slt_err *err)
{
	SLT_AUTO(BIO_free_all) BIO *in = BIO_new_mem_buf(s->p, (int)s->n);
	SLT_AUTO_STR char *copy = pin != NULL ? slt_strdup(pin) : NULL;

	slt_assert(in != NULL);
	k->impl = PEM_read_bio_PrivateKey(in, NULL, give_pin, copy);
	if (copy != NULL) {
		OPENSSL_cleanse(copy, strlen(copy));
	}
	if (k->impl == NULL) {
		return slt_fail_ssl(err, SLT_ECONFIG, "%s holds no private key that can be read",
				    path);
	}
	return true;
}

static bool load_p12(struct slt_key *k, const struct secret *s, const char *path, const char *pin,
		     struct slt_err *err)
{
	const unsigned char *p = (const unsigned char *)s->p;
	SLT_AUTO(PKCS12_free) PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)s->n);
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	STACK_OF(X509) *others = NULL;

	if (p12 == NULL) {
		return slt_fail_ssl(err, SLT_ECONFIG, "%s is neither PEM nor PKCS#12", path);
	}
	if (PKCS12_parse(p12, pin != NULL ? pin : "", &key, &cert, &others) != 1) {
		return slt_fail_ssl(err, SLT_ECONFIG,
				    "%s cannot be opened: the PIN is wrong, or the file uses an "
				    "encryption that is no longer supported",
				    path);
	}
	k->impl = key;
	k->cert = cert;
	while (sk_X509_num(others) > 0) {
		chain_add(k, sk_X509_shift(others));
	}
	sk_X509_pop_free(others, X509_free);
	if (key == NULL) {
		return slt_fail(err, SLT_ECONFIG, "%s holds no private key", path);
	}
	return true;
}

static bool curve_allowed(const EVP_PKEY *key)
{
	char name[64] = "";
	size_t n = 0;

	return EVP_PKEY_get_group_name(key, name, sizeof(name), &n) == 1 &&
	       (strcmp(name, "prime256v1") == 0 || strcmp(name, "P-256") == 0 ||
		strcmp(name, "secp384r1") == 0 || strcmp(name, "P-384") == 0);
}

static bool judge_key(struct slt_key *k, const char *path, bool pss, struct slt_err *err)
{
	const EVP_PKEY *key = k->impl;

	if (k->cert == NULL) {
		return slt_fail(err, SLT_ECONFIG,
				"%s holds no certificate: name the certificate's file", path);
	}
	if (X509_check_private_key(k->cert, key) != 1) {
		return slt_fail_ssl(err, SLT_ECONFIG,
				    "the key in %s and its certificate do not belong together",
				    path);
	}
	if (EVP_PKEY_is_a(key, "EC")) {
		if (!curve_allowed(key)) {
			return slt_fail(err, SLT_ECONFIG,
					"the key in %s is on a curve other than P-256 and P-384",
					path);
		}
	} else if (EVP_PKEY_get_bits(key) < 2048) {
		return slt_fail(err, SLT_ECONFIG, "the key in %s has only %d bits: RSA needs 2048",
				path, EVP_PKEY_get_bits(key));
	}
	k->alg = slt_sig_for_key(key, SLT_SHA512, pss);
	if (k->alg == SLT_SIG_NONE) {
		return slt_fail(err, SLT_ECONFIG, "the key in %s is neither RSA nor EC", path);
	}
	return true;
}

bool slt_key_load(const char *key_path, const char *cert_path, const char *pin, bool pss,
		  struct slt_key **ret, struct slt_err *err)
{
	__attribute__((cleanup(secret_wipe))) struct secret s = {NULL, 0};
	SLT_AUTO(slt_key_free) struct slt_key *k = slt_calloc(1, sizeof(*k));

	k->sign = file_sign;
	k->free = file_free;
	if (!slt_file_check_private(key_path, err) ||
	    !slt_file_read(key_path, KEY_FILE_MAX, &s.p, &s.n, err)) {
		return slt_wrap(err, "private key");
	}
	if (is_pem(&s) ? !load_pem(k, &s, key_path, pin, err)
		       : !load_p12(k, &s, key_path, pin, err)) {
		return false;
	}
	if (cert_path != NULL) {
		X509_free(k->cert);
		k->cert = NULL;
		sk_X509_pop_free(k->chain, X509_free);
		k->chain = NULL;
		if (!load_certs(k, cert_path, err)) {
			return false;
		}
	}
	if (!judge_key(k, key_path, pss, err)) {
		return false;
	}
	*ret = SLT_TAKE(k);
	return true;
}
