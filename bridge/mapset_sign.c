/* SPDX-License-Identifier: MIT */
/* Making the signatures that mapset_trust.c verifies. */
#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "mapset_trust.h"

#define FILE_BYTES (4u << 20)
#define FLAGS	   (CMS_BINARY | CMS_DETACHED | CMS_NOSMIMECAP)

SLT_DEFINE_AUTO(X509 *, X509_free)
SLT_DEFINE_AUTO(BIO *, BIO_free_all)
SLT_DEFINE_AUTO(CMS_ContentInfo *, CMS_ContentInfo_free)
SLT_DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)

/* OpenSSL would ask at the terminal if there were no callback. */
static int no_password(char *to, int size, int writing, void *arg)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static bool read_pem(const char *path, BIO **ret, char **ret_bytes, struct slt_err *err)
{
	size_t n;

	if (!slt_file_read(path, FILE_BYTES, ret_bytes, &n, err)) {
		return false;
	}
	*ret = BIO_new_mem_buf(*ret_bytes, (int)n);
	return true;
}

static bool load_cert(const char *path, X509 **ret, struct slt_err *err)
{
	SLT_AUTO(BIO_free_all) BIO *in = NULL;
	SLT_AUTO_STR char *bytes = NULL;

	if (!read_pem(path, &in, &bytes, err)) {
		return false;
	}
	*ret = PEM_read_bio_X509(in, NULL, no_password, NULL);
	return *ret ? true
		    : slt_fail_ssl(err, SLT_ECONFIG, "%s holds no certificate in PEM form", path);
}

static bool load_key(const char *path, const X509 *cert, EVP_PKEY **ret, struct slt_err *err)
{
	SLT_AUTO(BIO_free_all) BIO *in = NULL;
	SLT_AUTO_STR char *bytes = NULL;

	if (!slt_file_check_private(path, err) || !read_pem(path, &in, &bytes, err)) {
		return false;
	}
	*ret = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
	OPENSSL_cleanse(bytes, strlen(bytes));
	if (!*ret) {
		return slt_fail_ssl(err, SLT_ECONFIG,
				    "%s holds no unencrypted private key in PEM form", path);
	}
	if (X509_check_private_key(cert, *ret) != 1) {
		return slt_fail(err, SLT_ECONFIG, "%s is not the key of the certificate", path);
	}
	return true;
}

const char *slt_mapset_signer_name(const char *cert_path, struct slt_arena *a, struct slt_err *err)
{
	SLT_AUTO(X509_free) X509 *cert = NULL;

	if (!load_cert(cert_path, &cert, err)) {
		return NULL;
	}
	const char *name = slt_mapset_common_name(cert, a);
	if (!name) {
		slt_fail(err, SLT_ECONFIG, "the certificate %s has no common name", cert_path);
	}
	return name;
}

/* The signatures in the file, if they are over these bytes; NULL when new ones must begin. */
static CMS_ContentInfo *signed_before(const char *path, struct slt_str manifest)
{
	SLT_AUTO_STR char *der = NULL;
	size_t n;
	struct slt_err ignored = SLT_ERR_INIT;

	if (!slt_file_exists(path) || !slt_file_read(path, FILE_BYTES, &der, &n, &ignored)) {
		return NULL;
	}
	const unsigned char *p = (const unsigned char *)der;
	SLT_AUTO(CMS_ContentInfo_free)
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)n);
	SLT_AUTO(BIO_free_all) BIO *content = BIO_new_mem_buf(manifest.p, (int)manifest.n);
	if (!cms || CMS_verify(cms, NULL, NULL, content, NULL,
			       CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1) {
		ERR_clear_error();
		return NULL;
	}
	return SLT_TAKE(cms);
}

static bool has_signed(CMS_ContentInfo *cms, X509 *cert)
{
	STACK_OF(X509) *signers = cms ? CMS_get0_signers(cms) : NULL;
	bool found = false;

	for (int i = 0; signers && i < sk_X509_num(signers); i++) {
		found = found || X509_cmp(sk_X509_value(signers, i), cert) == 0;
	}
	sk_X509_free(signers);
	return found;
}

static bool write_der(CMS_ContentInfo *cms, const char *path, struct slt_err *err)
{
	unsigned char *der = NULL;
	int n = i2d_CMS_ContentInfo(cms, &der);

	if (n <= 0) {
		return slt_fail_ssl(err, SLT_ECONFIG, "the signature cannot be written");
	}
	bool good = slt_file_write(path, der, (size_t)n, 0644, err);
	OPENSSL_free(der);
	return good;
}

bool slt_mapset_sign(const char *dir, const char *key_path, const char *cert_path, bool *ret_alone,
		     struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, SLT_MANIFEST_NAME);
	SLT_AUTO_STR char *sig_path = slt_path_join(dir, SLT_MANIFEST_SIGNATURE);
	SLT_AUTO_STR char *manifest = NULL;
	SLT_AUTO(X509_free) X509 *cert = NULL;
	SLT_AUTO(EVP_PKEY_free) EVP_PKEY *key = NULL;
	size_t n;

	if (!load_cert(cert_path, &cert, err) || !load_key(key_path, cert, &key, err) ||
	    !slt_file_read(path, FILE_BYTES, &manifest, &n, err)) {
		return false;
	}
	SLT_AUTO(CMS_ContentInfo_free)
	CMS_ContentInfo *cms = signed_before(sig_path, (struct slt_str){manifest, n});
	SLT_AUTO(BIO_free_all) BIO *content = BIO_new_mem_buf(manifest, (int)n);
	bool alone = cms == NULL;
	if (has_signed(cms, cert)) {
		return slt_fail(err, SLT_ECONFIG, "%s has been signed with %s already", path,
				cert_path);
	}
	if (alone) {
		cms = CMS_sign(NULL, NULL, NULL, NULL, FLAGS | CMS_PARTIAL);
	}
	/* a further signer signs the digest that the first one's attributes hold */
	unsigned flags = FLAGS | (alone ? CMS_PARTIAL : CMS_REUSE_DIGEST);
	if (!cms || !CMS_add1_signer(cms, cert, key, EVP_sha256(), flags) ||
	    (alone && CMS_final(cms, content, NULL, FLAGS) != 1)) {
		return slt_fail_ssl(err, SLT_ECONFIG, "%s cannot be signed with %s", path,
				    key_path);
	}
	if (!write_der(cms, sig_path, err)) {
		return false;
	}
	*ret_alone = alone;
	return true;
}
