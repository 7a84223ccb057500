/* SPDX-License-Identifier: MIT */
/* Keys in files, the table of signature algorithms, ECDSA encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/file.h"
#include "federation/key.h"
#include "tests/support/pki.h"

static char dir[64];
static struct pki_cert *root, *ca, *rsa, *ec, *small;

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned next;
	char *p = path[next++ % SLT_COUNT(path)];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/slt-key-XXXXXX");
	assert_non_null(mkdtemp(dir));
	root = pki_ca(NULL, "C=FI;O=Key test;CN=Root", PKI_RSA2048, 0);
	ca = pki_ca(root, "C=FI;O=Key test;CN=CA", PKI_RSA2048, 1);
	rsa = pki_sign_cert(ca, "C=FI;O=Member;CN=rsa", PKI_RSA2048, 2);
	ec = pki_sign_cert(ca, "C=FI;O=Member;CN=ec", PKI_P256, 0);
	small = pki_sign_cert(ca, "C=FI;O=Member;CN=small", PKI_RSA1024, 0);
	pki_write_pem(rsa, in_dir("rsa.cert"), in_dir("rsa.key"));
	pki_write_pem(ec, in_dir("ec.cert"), in_dir("ec.key"));
	pki_write_pem(small, in_dir("small.cert"), in_dir("small.key"));
	return 0;
}

static int tear_down(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	pki_cert_free(root);
	pki_cert_free(ca);
	pki_cert_free(rsa);
	pki_cert_free(ec);
	pki_cert_free(small);
	return slt_rm_tree(dir, &err) ? 0 : -1;
}

static void expect_refused(const char *key, const char *cert, const char *pin, const char *why)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_key *k = NULL;

	assert_false(slt_key_load(key, cert, pin, false, &k, &err));
	assert_null(k);
	if (strstr(err.msg, why) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
	}
}

/* Signs a digest with a loaded key and checks it with the certificate. */
static void round_trip(const char *key, const char *cert, bool pss, enum slt_sig_alg alg)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_key_free) struct slt_key *k = NULL;
	struct slt_digest d;
	SLT_AUTO_BUF(sig, 4096);

	if (!slt_key_load(key, cert, NULL, pss, &k, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(k->alg, alg);
	slt_digest_of(slt_sig_digest(alg), "abc", 3, &d);
	assert_true(k->sign(k, &d, &sig, &err));
	assert_true(slt_sig_verify(X509_get0_pubkey(k->cert), alg, &d, sig.p, sig.n, &err));

	d.v[0] ^= 1;
	assert_false(slt_sig_verify(X509_get0_pubkey(k->cert), alg, &d, sig.p, sig.n, &err));
	assert_int_equal(err.code, SLT_EINVALID_SIGNATURE_VALUE);
	d.v[0] ^= 1;
	sig.p[sig.n - 1] ^= 1;
	assert_false(slt_sig_verify(X509_get0_pubkey(k->cert), alg, &d, sig.p, sig.n, &err));
	assert_false(slt_sig_verify(X509_get0_pubkey(k->cert), alg, &d, sig.p, sig.n - 1, &err));
}

static void signs_with_rsa(void **state)
{
	(void)state;
	round_trip(in_dir("rsa.key"), in_dir("rsa.cert"), false, SLT_RSA_SHA512);
}

static void signs_with_pss(void **state)
{
	(void)state;
	round_trip(in_dir("rsa.key"), in_dir("rsa.cert"), true, SLT_RSA_PSS_SHA512);
}

static void signs_with_ec(void **state)
{
	(void)state;
	round_trip(in_dir("ec.key"), in_dir("ec.cert"), false, SLT_ECDSA_SHA512);
}

static void refuses_wrong_digest(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_key_free) struct slt_key *k = NULL;
	struct slt_digest d;
	SLT_AUTO_BUF(sig, 4096);
	char code[128];

	(void)state;
	assert_true(slt_key_load(in_dir("rsa.key"), in_dir("rsa.cert"), NULL, false, &k, &err));
	slt_digest_of(SLT_SHA256, "abc", 3, &d);
	assert_false(k->sign(k, &d, &sig, &err));
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, code, sizeof(code));
	assert_string_equal(code, "signer.cannot_create_signature");
}

static void refuses_foreign_algorithm(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;

	(void)state;
	slt_digest_of(SLT_SHA512, "abc", 3, &d);
	/* the algorithm comes from the signature, the key from the certificate */
	assert_false(slt_sig_verify(ec->key, SLT_RSA_SHA512, &d, "x", 1, &err));
	assert_false(slt_sig_verify(rsa->key, SLT_ECDSA_SHA512, &d, "x", 1, &err));
	assert_false(slt_sig_verify(rsa->key, SLT_RSA_SHA256, &d, "x", 1, &err));
	assert_false(slt_sig_verify(rsa->key, SLT_SIG_NONE, &d, "x", 1, &err));
	assert_int_equal(err.code, SLT_EINVALID_SIGNATURE_VALUE);
}

static void keeps_intermediates_not_roots(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_key_free) struct slt_key *k = NULL;
	FILE *f = fopen(in_dir("chain.cert"), "w");

	(void)state;
	assert_non_null(f);
	assert_true(PEM_write_X509(f, rsa->x509) && PEM_write_X509(f, ca->x509) &&
		    PEM_write_X509(f, root->x509));
	assert_int_equal(fclose(f), 0);
	assert_true(slt_key_load(in_dir("rsa.key"), in_dir("chain.cert"), NULL, false, &k, &err));
	assert_int_equal(sk_X509_num(k->chain), 1);
	assert_int_equal(X509_cmp(sk_X509_value(k->chain, 0), ca->x509), 0);
}

static void write_p12(const char *path, const char *pin, bool with_cert)
{
	STACK_OF(X509) *others = sk_X509_new_null();
	FILE *f = fopen(path, "wb");

	assert_true(sk_X509_push(others, ca->x509) > 0);

	PKCS12 *p12 = PKCS12_create(pin, "sign", rsa->key, with_cert ? rsa->x509 : NULL, others, 0,
				    0, 0, 0, 0);

	assert_non_null(p12);
	assert_true(f != NULL && i2d_PKCS12_fp(f, p12));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
	PKCS12_free(p12);
	sk_X509_free(others);
}

static void reads_pkcs12(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_key_free) struct slt_key *k = NULL;

	(void)state;
	write_p12(in_dir("k.p12"), "1234", true);
	assert_true(slt_key_load(in_dir("k.p12"), NULL, "1234", false, &k, &err));
	assert_int_equal(X509_cmp(k->cert, rsa->x509), 0);
	assert_int_equal(sk_X509_num(k->chain), 1);
	expect_refused(in_dir("k.p12"), NULL, "4321", "the PIN is wrong");
	expect_refused(in_dir("k.p12"), NULL, NULL, "the PIN is wrong");
}

static void refuses_pkcs12_without_certificate(void **state)
{
	(void)state;
	write_p12(in_dir("bare.p12"), "1234", false);
	expect_refused(in_dir("bare.p12"), NULL, "1234", "no certificate");
}

static void reads_encrypted_pem_with_pin_only(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_key_free) struct slt_key *k = NULL;
	FILE *f = fopen(in_dir("enc.key"), "w");

	(void)state;
	assert_true(f != NULL && PEM_write_PKCS8PrivateKey(f, rsa->key, EVP_aes_256_cbc(), "pin", 3,
							   NULL, NULL));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(in_dir("enc.key"), 0600), 0);
	expect_refused(in_dir("enc.key"), in_dir("rsa.cert"), NULL, "no private key");
	expect_refused(in_dir("enc.key"), in_dir("rsa.cert"), "nip", "no private key");
	assert_true(slt_key_load(in_dir("enc.key"), in_dir("rsa.cert"), "pin", false, &k, &err));
}

static void refuses_bad_files(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	expect_refused(in_dir("none.key"), in_dir("rsa.cert"), NULL, "none.key");
	expect_refused(in_dir("rsa.key"), in_dir("none.cert"), NULL, "none.cert");
	expect_refused(in_dir("rsa.key"), NULL, NULL, "no certificate");
	expect_refused(in_dir("rsa.key"), in_dir("ec.cert"), NULL, "do not belong together");
	expect_refused(in_dir("rsa.key"), in_dir("rsa.key"), NULL, "no certificate in PEM form");
	expect_refused(in_dir("small.key"), in_dir("small.cert"), NULL, "only 1024 bits");
	assert_true(slt_file_write(in_dir("junk.key"), "junk", 4, 0600, &err));
	expect_refused(in_dir("junk.key"), in_dir("rsa.cert"), NULL, "neither PEM nor PKCS#12");
	assert_true(slt_file_write(in_dir("cut.key"), "-----BEGIN PRIVATE KEY-----\nMII", 31, 0600,
				   &err));
	expect_refused(in_dir("cut.key"), in_dir("rsa.cert"), NULL, "no private key");
}

static void refuses_readable_key(void **state)
{
	(void)state;
	assert_int_equal(chmod(in_dir("rsa.key"), 0644), 0);
	expect_refused(in_dir("rsa.key"), in_dir("rsa.cert"), NULL, "rsa.key");
	assert_int_equal(chmod(in_dir("rsa.key"), 0600), 0);
}

static void refuses_other_curves(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-521");
	struct pki_spec spec = {.subject = "CN=odd", .use_key = key};
	struct pki_cert *c = pki_issue(ca, &spec);

	(void)state;
	pki_write_pem(c, in_dir("odd.cert"), in_dir("odd.key"));
	expect_refused(in_dir("odd.key"), in_dir("odd.cert"), NULL, "P-256 and P-384");
	pki_cert_free(c);
	EVP_PKEY_free(key);
}

static void knows_its_algorithms(void **state)
{
	(void)state;
	for (int a = SLT_RSA_SHA1; a <= SLT_ECDSA_SHA512; a++) {
		enum slt_sig_alg alg = (enum slt_sig_alg)a;

		assert_int_equal(slt_sig_by_uri(slt_str(slt_sig_uri(alg))), alg);
		assert_int_not_equal(slt_sig_digest(alg), SLT_DIGEST_NONE);
	}
	assert_int_equal(slt_sig_by_uri(SLT_STR_C("http://www.w3.org/2000/09/xmldsig#hmac-sha1")),
			 SLT_SIG_NONE);
	assert_int_equal(
		slt_sig_by_uri(SLT_STR_C("http://www.w3.org/2001/04/xmldsig-more#rsa-md5")),
		SLT_SIG_NONE);
	assert_int_equal(slt_sig_by_uri(SLT_STR_C("")), SLT_SIG_NONE);
	assert_int_equal(slt_sig_digest(SLT_SIG_NONE), SLT_DIGEST_NONE);
	assert_int_equal(slt_sig_for_key(rsa->key, SLT_SHA1, false), SLT_SIG_NONE);
	assert_int_equal(slt_sig_for_key(rsa->key, SLT_SHA256, true), SLT_RSA_PSS_SHA256);
	assert_int_equal(slt_sig_for_key(ec->key, SLT_SHA384, true), SLT_ECDSA_SHA384);
}

static void converts_ecdsa_values(void **state)
{
	/* r = 1 (padded), s = 0x80: as X-Road writes them, only as long as the longer one */
	static const char raw[] = {0x01, (char)0x80};
	static const unsigned char der[] = {0x30, 0x07, 0x02, 0x01, 0x01, 0x02, 0x02, 0x00, 0x80};
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, 256);
	SLT_AUTO_BUF(back, 256);

	(void)state;
	assert_true(slt_sig_raw_to_der((struct slt_str){raw, 2}, &out, &err));
	assert_int_equal(out.n, sizeof(der));
	assert_memory_equal(out.p, der, sizeof(der));
	assert_true(slt_sig_der_to_raw(ec->key, slt_buf_str(&out), &back, &err));
	assert_int_equal(back.n, 64); /* always the length of the field */
	assert_int_equal((unsigned char)back.p[31], 0x01);
	assert_int_equal((unsigned char)back.p[63], 0x80);
}

static void refuses_bad_ecdsa_values(void **state)
{
	static const char zeros[SLT_SIG_RAW_MAX + 2];
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, 4096);

	(void)state;
	assert_false(slt_sig_raw_to_der((struct slt_str){zeros, 0}, &out, &err));
	assert_false(slt_sig_raw_to_der((struct slt_str){zeros, 63}, &out, &err));
	assert_false(slt_sig_raw_to_der((struct slt_str){zeros, sizeof(zeros)}, &out, &err));
	assert_false(slt_sig_der_to_raw(ec->key, SLT_STR_C("\x30\x01"), &out, &err));
	assert_false(slt_sig_der_to_raw(ec->key, SLT_STR_C("\x30\x06\x02\x01\x01\x02\x01\x01\x00"),
					&out, &err));
	assert_int_equal(err.code, SLT_EINVALID_SIGNATURE_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_with_rsa),
		cmocka_unit_test(signs_with_pss),
		cmocka_unit_test(signs_with_ec),
		cmocka_unit_test(refuses_wrong_digest),
		cmocka_unit_test(refuses_foreign_algorithm),
		cmocka_unit_test(keeps_intermediates_not_roots),
		cmocka_unit_test(reads_pkcs12),
		cmocka_unit_test(refuses_pkcs12_without_certificate),
		cmocka_unit_test(reads_encrypted_pem_with_pin_only),
		cmocka_unit_test(refuses_bad_files),
		cmocka_unit_test(refuses_readable_key),
		cmocka_unit_test(refuses_other_curves),
		cmocka_unit_test(knows_its_algorithms),
		cmocka_unit_test(converts_ecdsa_values),
		cmocka_unit_test(refuses_bad_ecdsa_values),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
