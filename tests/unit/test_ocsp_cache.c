/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ocsp_cache.h"
#include "tests/support/pki.h"

/* A certificate like `like`, with another serial number: no key operation needed. */
static X509 *variant(const X509 *like, long serial)
{
	X509 *x = X509_dup(like);
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	assert_int_equal(ASN1_INTEGER_set(n, serial), 1);
	assert_int_equal(X509_set_serialNumber(x, n), 1);
	ASN1_INTEGER_free(n);
	assert_true(i2d_re_X509_tbs(x, NULL) > 0); /* or its old bytes would be digested */
	return x;
}

static void what_was_put_last_is_given(void **state)
{
	SLT_AUTO(slt_ocsp_cache_free) struct slt_ocsp_cache *c = slt_ocsp_cache_new();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(pki_cert_free) struct pki_cert *ca = pki_ca(NULL, "CN=Root", PKI_P256, 0);
	SLT_AUTO(pki_cert_free) struct pki_cert *x = pki_auth_cert(ca, "CN=x", PKI_P256, 1);

	(void)state;
	assert_null(slt_ocsp_cache_get(c, x->x509, a).p);
	slt_ocsp_cache_put(c, x->x509, slt_str("one"));
	slt_ocsp_cache_put(c, x->x509, slt_str("two"));
	assert_true(slt_str_eq(slt_ocsp_cache_get(c, x->x509, a), "two"));
	assert_null(slt_ocsp_cache_get(c, ca->x509, a).p);
	X509 *chain[] = {ca->x509, x->x509};
	struct slt_str der[2];
	assert_int_equal(slt_ocsp_cache_chain(c, chain, 2, a, der), 1);
	assert_true(slt_str_eq(der[0], "two"));
}

static void it_is_bounded_and_forgets_the_oldest(void **state)
{
	SLT_AUTO(slt_ocsp_cache_free) struct slt_ocsp_cache *c = slt_ocsp_cache_new();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(pki_cert_free) struct pki_cert *ca = pki_ca(NULL, "CN=Root", PKI_P256, 0);
	X509 *first = variant(ca->x509, 1), *second = variant(ca->x509, 2), *last = NULL;

	(void)state;
	for (long i = 1; i <= SLT_OCSP_CACHE_MAX + 1; i++) {
		X509_free(last);
		last = variant(ca->x509, i);
		slt_ocsp_cache_put(c, last, slt_str("x"));
	}
	assert_null(slt_ocsp_cache_get(c, first, a).p);
	assert_non_null(slt_ocsp_cache_get(c, second, a).p);
	assert_non_null(slt_ocsp_cache_get(c, last, a).p);
	X509_free(first);
	X509_free(second);
	X509_free(last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_last_is_given),
		cmocka_unit_test(it_is_bounded_and_forgets_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
