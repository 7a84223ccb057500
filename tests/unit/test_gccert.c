/* SPDX-License-Identifier: MIT */
/* Certificates in a configuration: base64 of DER, or of PEM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "federation/gccert.h"
#include "tests/support/pki.h"

static void certificates(void **state)
{
	SLT_AUTO_BUF(der, SLT_GCCERT_MAX);
	SLT_AUTO_BUF(text, SLT_GCCERT_MAX);
	SLT_AUTO_BUF(raw, SLT_GCCERT_MAX);
	SLT_AUTO_BUF(pem, SLT_GCCERT_MAX);
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_ca(NULL, "CN=ss1", PKI_RSA2048, 0);
	X509 *cert = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_gccert_add_base64(c->x509, &der);
	assert_true(slt_gccert_parse(slt_buf_str(&der), &cert, &err));
	assert_int_equal(X509_cmp(cert, c->x509), 0);
	X509_free(cert);
	/* the same as base64 of PEM, in lines and indented */
	slt_buf_adds(&text, "-----BEGIN CERTIFICATE-----\n");
	for (size_t i = 0; i < der.n; i += 64) {
		slt_buf_addf(&text, "%.64s\n", der.p + i);
	}
	slt_buf_adds(&text, "-----END CERTIFICATE-----\n");
	slt_buf_adds(&pem, "\n   ");
	slt_buf_add_base64(&pem, text.p, text.n);
	slt_buf_adds(&pem, "\r\n\t");
	assert_true(slt_gccert_parse(slt_buf_str(&pem), &cert, &err));
	assert_int_equal(X509_cmp(cert, c->x509), 0);
	X509_free(cert);
	/* and wrong ones */
	assert_false(slt_gccert_parse((struct slt_str){der.p, der.n - 8}, &cert, &err));
	assert_int_equal(err.code, SLT_EINVALID_CERTIFICATE);
	assert_false(slt_gccert_parse(slt_str(""), &cert, &err));
	assert_false(slt_gccert_parse(slt_str("****"), &cert, &err));
	assert_true(slt_base64_decode(slt_buf_str(&der), &raw, &err));
	slt_buf_addc(&raw, 'x');
	slt_buf_reset(&pem);
	slt_buf_add_base64(&pem, raw.p, raw.n);
	assert_false(slt_gccert_parse(slt_buf_str(&pem), &cert, &err));
	assert_false(slt_gccert_parse((struct slt_str){text.p, SLT_GCCERT_MAX + 1}, &cert, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
