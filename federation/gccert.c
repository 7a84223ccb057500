/* SPDX-License-Identifier: MIT */
#include "federation/gccert.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

static void free_bio(BIO *b)
{
	BIO_free(b);
}
SLT_DEFINE_AUTO(BIO *, free_bio)

static bool read_pem(const struct slt_buf *text, X509 **ret, struct slt_err *err)
{
	SLT_AUTO(free_bio) BIO *bio = BIO_new_mem_buf(text->p, (int)text->n);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	if (!cert) {
		return slt_fail_ssl(err, SLT_EINVALID_CERTIFICATE,
				    "a certificate in PEM cannot be read");
	}
	*ret = cert;
	return true;
}

static bool read_der(const struct slt_buf *der, X509 **ret, struct slt_err *err)
{
	const unsigned char *at = (const unsigned char *)der->p;
	X509 *cert = d2i_X509(NULL, &at, (long)der->n);

	if (!cert) {
		return slt_fail_ssl(err, SLT_EINVALID_CERTIFICATE, "a certificate cannot be read");
	}
	if (at != (const unsigned char *)der->p + der->n) {
		X509_free(cert);
		return slt_fail(err, SLT_EINVALID_CERTIFICATE,
				"a certificate is followed by other data");
	}
	*ret = cert;
	return true;
}

bool slt_gccert_parse(struct slt_str base64, X509 **ret, struct slt_err *err)
{
	SLT_AUTO_BUF(raw, SLT_GCCERT_MAX);

	if (base64.n > SLT_GCCERT_MAX) {
		return slt_fail(err, SLT_EINVALID_CERTIFICATE,
				"a certificate is longer than %d bytes", SLT_GCCERT_MAX);
	}
	if (!slt_base64_decode(base64, &raw, err)) {
		err->code = SLT_EINVALID_CERTIFICATE;
		return slt_wrap(err, "a certificate is not base64");
	}
	if (raw.n == 0) {
		return slt_fail(err, SLT_EINVALID_CERTIFICATE, "a certificate is empty");
	}
	if (slt_str_starts(slt_str_trim(slt_buf_str(&raw)), "-----BEGIN ")) {
		return read_pem(&raw, ret, err);
	}
	return read_der(&raw, ret, err);
}

void slt_gccert_add_base64(const X509 *cert, struct slt_buf *out)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);

	slt_assert(n > 0);
	slt_buf_add_base64(out, der, (size_t)n);
	OPENSSL_free(der);
}

void slt_gccert_list_add(struct slt_gccert_list *l, X509 *take_cert)
{
	l->v = slt_realloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = take_cert;
}

void slt_gccert_list_fini(struct slt_gccert_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		X509_free(l->v[i]);
	}
	free(l->v);
	*l = (struct slt_gccert_list){0};
}
