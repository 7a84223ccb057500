/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Certificates as a global configuration carries them: base64, with any white space, of DER or of
 * PEM text (both occur in the configurations of real instances).
 *
 * Checks that exactly one certificate is there and that OpenSSL can read it. Does not check what
 * it says: the keys that sign configurations come in certificates that are containers only.
 */

#include <openssl/x509.h>

#include "base/buf.h"

#define SLT_GCCERT_MAX 65536 /* bytes of one certificate in base64 */

/* The caller frees with X509_free(). SLT_EINVALID_CERTIFICATE. */
SLT_CHECK bool slt_gccert_parse(struct slt_str base64, X509 **ret, struct slt_err *err);
void slt_gccert_add_base64(const X509 *cert, struct slt_buf *out); /* DER, unwrapped */

/* A list that owns its certificates. */
struct slt_gccert_list {
	X509 **v;
	size_t n;
};
void slt_gccert_list_add(struct slt_gccert_list *l, X509 *take_cert);
void slt_gccert_list_fini(struct slt_gccert_list *l);
