/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "federation/trust.h"
#include "tests/support/pki.h"

static struct pki_cert *self_signed(const char *subject)
{
	struct pki_spec s = {.subject = subject, .kind = PKI_P256};
	return pki_issue(NULL, &s);
}

/* --- members --- */

static void expect_member(enum slt_profile profile, const char *subject, const char *expected)
{
	SLT_AUTO(pki_cert_free) struct pki_cert *c = self_signed(subject);
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_err err = SLT_ERR_INIT;
	struct slt_id id = {0};
	bool ok = slt_certinfo_member(c->x509, profile, "SIGNER", a, &id, &err);
	if (!ok) {
		print_error("%s\n", err.msg);
	}
	assert_true(ok);
	assert_int_equal(id.type, SLT_ID_MEMBER);
	SLT_AUTO_STR char *got =
		slt_asprintf("%s/%s/%s", id.instance, id.member_class, id.member_code);
	assert_string_equal(got, expected);
	assert_null(id.subsystem);
}

static void expect_refusal(enum slt_profile profile, const char *subject, const char *reason)
{
	SLT_AUTO(pki_cert_free) struct pki_cert *c = self_signed(subject);
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_err err = SLT_ERR_INIT;
	struct slt_id id = {0};
	assert_false(slt_certinfo_member(c->x509, profile, "SIGNER", a, &id, &err));
	assert_int_equal(err.code, SLT_EINCORRECT_CERTIFICATE);
	if (strstr(err.msg, reason) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", err.msg, reason);
	}
	assert_int_equal(id.type, SLT_ID_NONE);
}

static void ejbca(void **state)
{
	(void)state;
	expect_member(SLT_PROFILE_EJBCA, "C=XX;O=Foo;CN=bar", "XX/Foo/bar");
	expect_refusal(SLT_PROFILE_EJBCA, "O=Foo;CN=bar", "C is missing");
	expect_refusal(SLT_PROFILE_EJBCA, "C=XX;CN=bar", "O is missing");
	expect_refusal(SLT_PROFILE_EJBCA, "C=XX;O=Foo", "CN is missing");
}

static void klass3_by_organization_identifier(void **state)
{
	(void)state;
	expect_member(SLT_PROFILE_SKKLASS3, "C=EE;2.5.4.97=NTREE-10747013;CN=x",
		      "SIGNER/COM/10747013");
	expect_member(SLT_PROFILE_SKKLASS3, "2.5.4.97=GO:EE-70006317", "SIGNER/GOV/70006317");
	expect_member(SLT_PROFILE_SKKLASS3, "2.5.4.97=NP:EE-80000000", "SIGNER/NGO/80000000");
	expect_member(SLT_PROFILE_SKKLASS3, "2.5.4.97=VATFI-123", "SIGNER/NEE/VATFI-123");
	/* the identifier counts even where a serial number says something else */
	expect_member(SLT_PROFILE_SKKLASS3, "serialNumber=70000001;2.5.4.97=NTREE-10747013",
		      "SIGNER/COM/10747013");
	expect_refusal(SLT_PROFILE_SKKLASS3, "2.5.4.97=NTREE-", "prefix and no code");
}

static void klass3_by_serial_number(void **state)
{
	(void)state;
	expect_member(SLT_PROFILE_SKKLASS3, "serialNumber=16543212", "SIGNER/COM/16543212");
	expect_member(SLT_PROFILE_SKKLASS3, "serialNumber=66543212", "SIGNER/COM/66543212");
	expect_member(SLT_PROFILE_SKKLASS3, "serialNumber=76543212", "SIGNER/GOV/76543212");
	expect_member(SLT_PROFILE_SKKLASS3, "serialNumber=86543212", "SIGNER/NGO/86543212");
	expect_member(SLT_PROFILE_SKKLASS3, "serialNumber=96543212", "SIGNER/NGO/96543212");
	expect_refusal(SLT_PROFILE_SKKLASS3, "serialNumber=06543212", "begins with 0");
	expect_refusal(SLT_PROFILE_SKKLASS3, "serialNumber=123", "8 digits");
	expect_refusal(SLT_PROFILE_SKKLASS3, "serialNumber=s1234567", "8 digits");
	expect_refusal(SLT_PROFILE_SKKLASS3, "serialNumber=165432123", "8 digits");
	expect_refusal(SLT_PROFILE_SKKLASS3, "CN=16543212", "serialNumber is missing");
}

static void esteid(void **state)
{
	(void)state;
	expect_member(SLT_PROFILE_SKESTEID, "C=EE;CN=x;serialNumber=47101010033",
		      "SIGNER/PERSON/47101010033");
	expect_refusal(SLT_PROFILE_SKESTEID, "C=EE;CN=x", "serialNumber is missing");
}

static void fivrk(void **state)
{
	(void)state;
	expect_member(SLT_PROFILE_FIVRK, "C=FI;O=ACME;CN=1234567-8;serialNumber=FI-TEST/ss/PUB",
		      "FI-TEST/PUB/1234567-8");
	expect_refusal(SLT_PROFILE_FIVRK, "C=SE;O=ACME;CN=1;serialNumber=FI/ss/PUB",
		       "not the country");
	expect_refusal(SLT_PROFILE_FIVRK, "C=fi;O=ACME;CN=1;serialNumber=FI/ss/PUB",
		       "not the country");
	expect_refusal(SLT_PROFILE_FIVRK, "O=ACME;CN=1;serialNumber=FI/ss/PUB", "C is missing");
	expect_refusal(SLT_PROFILE_FIVRK, "C=FI;CN=1;serialNumber=FI/ss/PUB", "O is missing");
	expect_refusal(SLT_PROFILE_FIVRK, "C=FI;O=ACME;serialNumber=FI/ss/PUB", "CN is missing");
	expect_refusal(SLT_PROFILE_FIVRK, "C=FI;O=A;CN=1;serialNumber=FI/PUB", "instance/server");
	expect_refusal(SLT_PROFILE_FIVRK, "C=FI;O=A;CN=1;serialNumber=FI/s/PUB/x",
		       "instance/server");
	expect_refusal(SLT_PROFILE_FIVRK, "C=FI;O=A;CN=1;serialNumber=FI//PUB", "instance/server");
	expect_refusal(SLT_PROFILE_FIVRK, "C=FI;O=A;CN=1;serialNumber=/s/PUB", "instance/server");
	expect_refusal(SLT_PROFILE_FIVRK, "C=FI;O=A;CN=1;serialNumber=FI/s/", "instance/server");
	/* a serial number that is there but wrong is no reason to read an older form */
	expect_refusal(SLT_PROFILE_FIVRK, "C=FI;O=FI;OU=GOV;CN=1;serialNumber=x",
		       "instance/server");
}

static void fivrk_older_forms(void **state)
{
	(void)state;
	expect_member(SLT_PROFILE_FIVRK, "C=FI;O=FI-TEST;OU=PUB;CN=1234567-8",
		      "FI-TEST/PUB/1234567-8");
	expect_member(SLT_PROFILE_FIVRK, "C=XX;O=Foo;CN=bar", "XX/Foo/bar");
	expect_refusal(SLT_PROFILE_FIVRK, "C=XX;O=FI-TEST;OU=PUB;CN=1", "not the country");
	expect_refusal(SLT_PROFILE_FIVRK, "C=FI;OU=PUB;CN=1", "O is missing");
	expect_refusal(SLT_PROFILE_FIVRK, "C=FI;O=FI-TEST;OU=PUB", "CN is missing");
}

static void basic(void **state)
{
	(void)state;
	expect_member(SLT_PROFILE_BASIC, "O=x;businessCategory=GOV;serialNumber=abc",
		      "SIGNER/GOV/abc");
	expect_refusal(SLT_PROFILE_BASIC, "O=x;serialNumber=abc", "businessCategory is missing");
	expect_refusal(SLT_PROFILE_BASIC, "O=x;businessCategory=GOV", "serialNumber is missing");
}

static void faroe_and_iceland(void **state)
{
	(void)state;
	expect_member(SLT_PROFILE_FO, "C=FO;O=XX;OU=Foo;CN=bar;serialNumber=qux", "XX/Foo/bar");
	expect_refusal(SLT_PROFILE_FO, "C=FO;O=XX;OU=Foo;CN=bar", "serialNumber is missing");
	expect_refusal(SLT_PROFILE_FO, "C=IS;O=XX;OU=Foo;CN=bar;serialNumber=q", "country");
	expect_refusal(SLT_PROFILE_FO, "C=FO;O=XX;CN=bar;serialNumber=q", "OU is missing");
	expect_member(SLT_PROFILE_IS, "C=IS;O=XX;OU=Foo;CN=bar;serialNumber=qux", "XX/Foo/bar");
	expect_member(SLT_PROFILE_IS, "C=XX;O=Foo;CN=bar", "XX/Foo/bar");
	expect_refusal(SLT_PROFILE_IS, "C=IS;O=XX;OU=Foo;CN=bar", "serialNumber is missing");
	expect_refusal(SLT_PROFILE_IS, "C=FO;O=XX;OU=Foo;CN=bar;serialNumber=q", "country");
}

static void unknown_profile(void **state)
{
	(void)state;
	expect_refusal(SLT_PROFILE_UNKNOWN, "C=XX;O=Foo;CN=bar", "not one that is known");
	expect_member(SLT_PROFILE_TEST, "O=x;CN=consumer", "SIGNER/BUSINESS/consumer");
}

static void last_attribute_counts(void **state)
{
	(void)state;
	expect_member(SLT_PROFILE_EJBCA, "CN=first;C=XX;O=Foo;CN=second", "XX/Foo/second");
	expect_refusal(SLT_PROFILE_EJBCA, "C=XX;O=Foo;+CN=bar", "multi-valued");
	expect_refusal(SLT_PROFILE_EJBCA, "C=XX;O=Foo;CN=bar;+OU=x", "multi-valued");
	/* what is not looked at may be as it likes */
	expect_member(SLT_PROFILE_EJBCA, "C=XX;O=Foo;OU=a;+L=b;CN=bar", "XX/Foo/bar");
}

static void specials_stay_escaped(void **state)
{
	(void)state;
	expect_member(SLT_PROFILE_EJBCA, "C=XX;O=A, B + C;CN=a=b", "XX/A\\, B \\+ C/a\\=b");
	expect_member(SLT_PROFILE_EJBCA, "C=XX;O=#x;CN=a\\b\"<>", "XX/\\#x/a\\\\b\\\"\\<\\>");
	expect_member(SLT_PROFILE_EJBCA, "C=XX;O=a#x;CN= x  ", "XX/a#x/\\ x\\ \\ ");
	expect_member(SLT_PROFILE_EJBCA, "C=XX;O=\xc3\x95\xc3\xa4;CN=y", "XX/\xc3\x95\xc3\xa4/y");
}

static void unreadable_values(void **state)
{
	(void)state;
	char longest[300];
	expect_refusal(SLT_PROFILE_EJBCA, "C=XX;O=a\nb;CN=x", "cannot be shown");
	expect_refusal(SLT_PROFILE_EJBCA, "C=XX;O=a\x7f;CN=x", "cannot be shown");
	expect_refusal(SLT_PROFILE_EJBCA, "C=XX;O=a\xe2\x80\x8b;CN=x", "cannot be shown");
	expect_refusal(SLT_PROFILE_EJBCA,
		       "C=XX;O=a\xe2\x80\xae"
		       "b;CN=x",
		       "cannot be shown");
	expect_refusal(SLT_PROFILE_EJBCA, "C=XX;O=\xef\xbb\xbfx;CN=x", "cannot be shown");
	/* OpenSSL limits common names to 64 characters; description has no such limit but is not
	 * looked at; organizationIdentifier neither, and is */
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "2.5.4.97=", 9);
	longest[9 + 255] = '\0';
	SLT_AUTO_STR char *fits = slt_asprintf("SIGNER/NEE/%s", longest + 9);
	expect_member(SLT_PROFILE_SKKLASS3, longest, fits);
	longest[9 + 255] = 'a';
	longest[9 + 256] = '\0';
	expect_refusal(SLT_PROFILE_SKKLASS3, longest, "too long");
}

/* A name that OpenSSL's own builders refuse to make. */
static void expect_raw_refusal(int type, const char *value, int n, const char *reason)
{
	SLT_AUTO(pki_cert_free) struct pki_cert *c = self_signed("C=XX;O=Foo");
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_err err = SLT_ERR_INIT;
	struct slt_id id;
	X509_NAME_ENTRY *e = NULL;
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(c->x509));
	e = X509_NAME_ENTRY_create_by_NID(NULL, NID_commonName, MBSTRING_UTF8,
					  (const unsigned char *)"x", 1);
	/* set as such, without conversion */
	ASN1_STRING *data = X509_NAME_ENTRY_get_data(e);
	ASN1_STRING *raw = ASN1_STRING_type_new(type);
	assert_int_equal(ASN1_STRING_set(raw, value, n), 1);
	assert_int_equal(ASN1_STRING_copy(data, raw), 1);
	ASN1_STRING_free(raw);
	assert_int_equal(X509_NAME_add_entry(name, e, -1, 0), 1);
	assert_int_equal(X509_set_subject_name(c->x509, name), 1);
	X509_NAME_ENTRY_free(e);
	X509_NAME_free(name);
	assert_false(slt_certinfo_member(c->x509, SLT_PROFILE_EJBCA, "S", a, &id, &err));
	if (strstr(err.msg, reason) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", err.msg, reason);
	}
}

static void hostile_encodings(void **state)
{
	(void)state;
	expect_raw_refusal(V_ASN1_UTF8STRING, "a\0b", 3, "cannot be shown");
	expect_raw_refusal(V_ASN1_UTF8STRING, "", 0, "empty");
	expect_raw_refusal(V_ASN1_BIT_STRING, "abc", 3, "not text");
	expect_raw_refusal(V_ASN1_UNIVERSALSTRING, "\0\0\0a", 4, "not text");
}

static void profiles_by_class(void **state)
{
	(void)state;
	static const char prefix[] = "\n  ee.ria.xroad.common.certificateprofile.impl.";
	static const struct {
		const char *name;
		enum slt_profile profile;
	} cases[] = {
		{"EjbcaCertificateProfileInfoProvider", SLT_PROFILE_EJBCA},
		{"SkKlass3CertificateProfileInfoProvider\n", SLT_PROFILE_SKKLASS3},
		{"SkEsteIdCertificateProfileInfoProvider", SLT_PROFILE_SKESTEID},
		{"FiVRKCertificateProfileInfoProvider", SLT_PROFILE_FIVRK},
		{"BasicCertificateProfileInfoProvider", SLT_PROFILE_BASIC},
		{"BasicACMECertificateProfileInfoProvider", SLT_PROFILE_BASIC},
		{"FoCertificateProfileInfoProvider", SLT_PROFILE_FO},
		{"IsCertificateProfileInfoProvider", SLT_PROFILE_IS},
		{"TestCertificateProfileInfoProvider", SLT_PROFILE_TEST},
		{"fivrkCertificateProfileInfoProvider", SLT_PROFILE_UNKNOWN},
		{"FiVRKCertificateProfileInfoProviderX", SLT_PROFILE_UNKNOWN},
		{"", SLT_PROFILE_UNKNOWN},
	};
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		SLT_AUTO_STR char *text = slt_asprintf("%s%s", prefix, cases[i].name);
		assert_int_equal(slt_profile_by_class(slt_str(text)), cases[i].profile);
	}
	assert_int_equal(slt_profile_by_class(slt_str(NULL)), SLT_PROFILE_UNKNOWN);
	assert_string_equal(slt_profile_name(SLT_PROFILE_FIVRK), "FiVRK");
	assert_string_equal(slt_profile_name(SLT_PROFILE_UNKNOWN), "unknown");
}

/* --- uses --- */

static void expect_uses(const char *ku, const char *eku, bool signing, bool auth, bool no_ku)
{
	struct pki_spec s = {.subject = "CN=x", .kind = PKI_P256, .ext = {ku, eku}};
	if (ku == NULL) {
		s.ext[0] = eku;
		s.ext[1] = NULL;
	}
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(NULL, &s);
	bool got_no_ku = !no_ku;
	assert_int_equal(slt_certinfo_is_signing(c->x509, &got_no_ku), signing);
	assert_int_equal(got_no_ku, no_ku);
	assert_int_equal(slt_certinfo_is_auth(c->x509), auth);
}

static void uses(void **state)
{
	(void)state;
	expect_uses("keyUsage=critical,nonRepudiation", NULL, true, false, false);
	expect_uses("keyUsage=digitalSignature", NULL, false, true, false);
	expect_uses("keyUsage=keyEncipherment", NULL, false, true, false);
	expect_uses("keyUsage=dataEncipherment", NULL, false, true, false);
	expect_uses("keyUsage=keyAgreement", NULL, false, false, false);
	expect_uses("keyUsage=digitalSignature,nonRepudiation", NULL, true, true, false);
	expect_uses("keyUsage=nonRepudiation", "extendedKeyUsage=clientAuth", true, true, false);
	expect_uses("keyUsage=nonRepudiation", "extendedKeyUsage=serverAuth", true, false, false);
	expect_uses(NULL, "extendedKeyUsage=clientAuth", false, true, true);
	expect_uses(NULL, "extendedKeyUsage=emailProtection", false, false, true);
	expect_uses(NULL, NULL, false, false, true);
}

static void two_key_usages_are_none(void **state)
{
	(void)state;
	struct pki_spec s = {.subject = "CN=x",
			     .kind = PKI_P256,
			     .ext = {"keyUsage=nonRepudiation", "keyUsage=digitalSignature"}};
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(NULL, &s);
	bool no_ku = true;
	assert_false(slt_certinfo_is_signing(c->x509, &no_ku));
	assert_false(no_ku);
	assert_false(slt_certinfo_is_auth(c->x509));
}

/* --- algorithms --- */

static bool key_allowed(EVP_PKEY *key, bool lax)
{
	const char *why = NULL;
	bool ok = slt_certinfo_key_allowed(key, lax, &why);
	assert_true(ok || why != NULL);
	return ok;
}

static void keys(void **state)
{
	(void)state;
	assert_true(key_allowed(pki_key(PKI_RSA2048, 0), false));
	assert_true(key_allowed(pki_key(PKI_P256, 0), false));
	assert_true(key_allowed(pki_key(PKI_P384, 0), false));
	assert_false(key_allowed(pki_key(PKI_RSA1024, 0), false));
	assert_true(key_allowed(pki_key(PKI_RSA1024, 0), true));
	assert_false(key_allowed(NULL, true));
	EVP_PKEY *small = EVP_RSA_gen(512);
	assert_false(key_allowed(small, true));
	EVP_PKEY_free(small);
	EVP_PKEY *weak_curve = EVP_EC_gen("P-192");
	assert_false(key_allowed(weak_curve, true));
	EVP_PKEY_free(weak_curve);
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_false(key_allowed(other, true));
	EVP_PKEY_free(other);
}

static bool sigalg_allowed(const char *digest, enum pki_key kind, bool lax)
{
	struct pki_spec s = {.subject = "CN=x", .kind = kind, .digest = digest};
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(NULL, &s);
	const X509_ALGOR *alg = NULL;
	X509_get0_signature(NULL, &alg, c->x509);
	return slt_certinfo_sigalg_allowed(alg, lax);
}

static void signature_algorithms(void **state)
{
	(void)state;
	assert_true(sigalg_allowed("SHA256", PKI_RSA2048, false));
	assert_true(sigalg_allowed("SHA512", PKI_RSA2048, false));
	assert_true(sigalg_allowed("SHA384", PKI_P384, false));
	assert_false(sigalg_allowed("SHA1", PKI_RSA2048, false));
	assert_true(sigalg_allowed("SHA1", PKI_RSA2048, true));
	assert_false(sigalg_allowed("SHA1", PKI_P256, false));
	assert_false(sigalg_allowed("MD5", PKI_RSA2048, false));
	assert_false(sigalg_allowed("MD5", PKI_RSA2048, true));
	assert_false(sigalg_allowed("SHA3-256", PKI_P256, true));
}

static bool pss_allowed(const char *digest, bool lax)
{
	SLT_AUTO(pki_cert_free) struct pki_cert *c = self_signed("CN=x");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key = NULL;
	assert_int_equal(EVP_DigestSignInit(ctx, &key, EVP_get_digestbyname(digest), NULL,
					    pki_key(PKI_RSA2048, 0)),
			 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING), 1);
	assert_true(X509_sign_ctx(c->x509, ctx) > 0);
	EVP_MD_CTX_free(ctx);
	const X509_ALGOR *alg = NULL;
	X509_get0_signature(NULL, &alg, c->x509);
	return slt_certinfo_sigalg_allowed(alg, lax);
}

static void pss_algorithms(void **state)
{
	(void)state;
	assert_true(pss_allowed("SHA256", false));
	assert_true(pss_allowed("SHA512", false));
	assert_false(pss_allowed("SHA1", false)); /* the default, left out of the parameters */
	assert_true(pss_allowed("SHA1", true));
}

/* --- texts and times --- */

static void names_in_rfc2253(void **state)
{
	(void)state;
	SLT_AUTO(pki_cert_free)
	struct pki_cert *c = self_signed("C=EE;O=\xc3\x95"
					 "e, AS;CN=x\ny");
	SLT_AUTO_BUF(b, 1000);
	slt_certinfo_name(X509_get_subject_name(c->x509), &b);
	assert_string_equal(b.p, "CN=x\\0Ay,O=\xc3\x95"
				 "e\\, AS,C=EE");
}

static void certificate_texts(void **state)
{
	(void)state;
	char text[SLT_CERT_TEXT];
	struct pki_spec s = {.subject = "C=EE;CN=x", .kind = PKI_P256, .serial = 0x1a2b};
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(NULL, &s);
	assert_string_equal(slt_certinfo_text(c->x509, text), "\"CN=x,C=EE\" (serial 1a2b)");
	char subject[900];
	size_t at = 0;
	for (unsigned i = 0; i < 200; i++) { /* two-byte characters: none is cut in two */
		at += (size_t)snprintf(subject + at, sizeof(subject) - at, "%s%s",
				       i == 0 ? "2.5.4.97=" : "", i % 2 == 0 ? "\xc3\xb5" : "x");
	}
	SLT_AUTO(pki_cert_free) struct pki_cert *l = self_signed(subject);
	slt_certinfo_text(l->x509, text);
	assert_true(strlen(text) < SLT_CERT_TEXT);
	assert_non_null(strstr(text, "...\" (serial "));
	assert_true(((unsigned char)strstr(text, "...")[-1] & 0xc0) != 0xc0);
}

static void spans(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{0, "0 seconds"},
		{999, "0 seconds"},
		{1000, "1 second"},
		{-1000, "1 second"},
		{61000, "1 minute 1 second"},
		{3600000, "1 hour"},
		{90061000, "1 day 1 hour"},
		{INT64_C(86400000) * 3, "3 days"},
		{INT64_MAX, "106751991167 days 7 hours"},
		{INT64_MIN, "106751991167 days 7 hours"},
	};
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		char text[SLT_SPAN_TEXT];
		assert_string_equal(slt_span_text(cases[i].ms, text), cases[i].text);
	}
}

static void times(void **state)
{
	(void)state;
	static const struct {
		int type;
		const char *text;
		int64_t ms; /* -1: refused */
	} cases[] = {
		{V_ASN1_GENERALIZEDTIME, "20261123160000Z", PKI_NOW},
		{V_ASN1_UTCTIME, "261123160000Z", PKI_NOW},
		{V_ASN1_UTCTIME, "491231235959Z", INT64_C(2524607999000)},
		{V_ASN1_UTCTIME, "500101000000Z", INT64_C(-631152000000)},
		{V_ASN1_GENERALIZEDTIME, "20240229000000Z", INT64_C(1709164800000)},
		{V_ASN1_GENERALIZEDTIME, "20000229000000Z", INT64_C(951782400000)},
		{V_ASN1_GENERALIZEDTIME, "99991231235959Z", INT64_C(253402300799000)},
		{V_ASN1_GENERALIZEDTIME, "20230229000000Z", -1},
		{V_ASN1_GENERALIZEDTIME, "21000229000000Z", -1},
		{V_ASN1_GENERALIZEDTIME, "20261323160000Z", -1},
		{V_ASN1_GENERALIZEDTIME, "20260023160000Z", -1},
		{V_ASN1_GENERALIZEDTIME, "20261100160000Z", -1},
		{V_ASN1_GENERALIZEDTIME, "20261131160000Z", -1},
		{V_ASN1_GENERALIZEDTIME, "20261123240000Z", -1},
		{V_ASN1_GENERALIZEDTIME, "20261123166000Z", -1},
		{V_ASN1_GENERALIZEDTIME, "20261123160060Z", -1},
		{V_ASN1_GENERALIZEDTIME, "20261123160000", -1},
		{V_ASN1_GENERALIZEDTIME, "20261123160000z", -1},
		{V_ASN1_GENERALIZEDTIME, "20261123160000.5Z", -1},
		{V_ASN1_GENERALIZEDTIME, "20261123160000+0200", -1},
		{V_ASN1_GENERALIZEDTIME, "202611231600Z", -1},
		{V_ASN1_GENERALIZEDTIME, "2026112316000 Z", -1},
		{V_ASN1_GENERALIZEDTIME, "+0261123160000Z", -1},
		{V_ASN1_GENERALIZEDTIME, "", -1},
		{V_ASN1_GENERALIZEDTIME, "261123160000Z", -1},
		{V_ASN1_UTCTIME, "20261123160000Z", -1},
		{V_ASN1_UTCTIME, "2611231600Z", -1},
		{V_ASN1_UTF8STRING, "20261123160000Z", -1},
	};
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		ASN1_STRING *t = ASN1_STRING_type_new(cases[i].type);
		int64_t ms = -1;
		assert_int_equal(ASN1_STRING_set(t, cases[i].text, -1), 1);
		bool ok = slt_certinfo_time(t, &ms);
		if (ok != (cases[i].ms != -1) || ms != cases[i].ms) {
			fail_msg("%s gives %lld", cases[i].text, (long long)ms);
		}
		ASN1_STRING_free(t);
	}
	int64_t ms = 0;
	assert_false(slt_certinfo_time(NULL, &ms));
}

static void digests(void **state)
{
	(void)state;
	SLT_AUTO(pki_cert_free) struct pki_cert *c = self_signed("CN=x");
	unsigned char *der = NULL;
	int n = i2d_X509(c->x509, &der);
	struct slt_digest got, expected;
	slt_certinfo_digest(c->x509, SLT_SHA256, &got);
	slt_digest_of(SLT_SHA256, der, (size_t)n, &expected);
	OPENSSL_free(der);
	assert_true(slt_digest_eq(&got, &expected));
	slt_certinfo_digest(c->x509, SLT_SHA1, &expected);
	assert_false(slt_digest_eq(&got, &expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ejbca),
		cmocka_unit_test(klass3_by_organization_identifier),
		cmocka_unit_test(klass3_by_serial_number),
		cmocka_unit_test(esteid),
		cmocka_unit_test(fivrk),
		cmocka_unit_test(fivrk_older_forms),
		cmocka_unit_test(basic),
		cmocka_unit_test(faroe_and_iceland),
		cmocka_unit_test(unknown_profile),
		cmocka_unit_test(last_attribute_counts),
		cmocka_unit_test(specials_stay_escaped),
		cmocka_unit_test(unreadable_values),
		cmocka_unit_test(hostile_encodings),
		cmocka_unit_test(profiles_by_class),
		cmocka_unit_test(uses),
		cmocka_unit_test(two_key_usages_are_none),
		cmocka_unit_test(keys),
		cmocka_unit_test(signature_algorithms),
		cmocka_unit_test(pss_algorithms),
		cmocka_unit_test(names_in_rfc2253),
		cmocka_unit_test(certificate_texts),
		cmocka_unit_test(spans),
		cmocka_unit_test(times),
		cmocka_unit_test(digests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
