/* SPDX-License-Identifier: MIT */
/*
 * X-Road's own signatures (SignatureVerifierTest), read at run time from SLT_SHARED. Their
 * certificates have expired and their authority is not in any configuration: both instant and
 * authority are given.
 */
#include "sig_vectors.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "federation/xades_verify.h"

#define AT	     INT64_C(1414627200000) /* 2014-10-30T00:00:00Z */
#define AT_NON_BATCH INT64_C(1720510800000) /* 2024-07-09T07:40:00Z */

struct vector {
	const char *name;      /* of the test */
	const char *signature; /* file */
	const char *message;   /* file, or text after '=' */
	const char *chain;     /* file; with hash-chain-result.xml and an attachment */
	const char *member_code;
	const char *code;
};

/* clang-format off */
static const struct vector vectors[] = {
	{"good", "sign-0.xml", "message-0.xml", NULL, "consumer", ""},
	{"old format", "sign-0-old-format.xml", "message-0.xml", NULL, "consumer", ""},
	{"other message", "sign-0.xml", "=foo", NULL, "consumer", "invalid_signature_value"},
	{"other member", "sign-0.xml", "message-0.xml", NULL, "FOORBAR", "incorrect_certificate"},
	{"batch", "batch-sig.xml", "message-1.xml", "hash-chain-1.xml", "consumer", ""},
	{"batch, other chain", "batch-sig.xml", "message-1.xml", "hash-chain-2.xml", "consumer", "malformed_signature.invalid_hash_chain_ref"},
	{"batch, other message", "batch-sig.xml", "message-0.xml", "hash-chain-1.xml", "consumer", "malformed_signature.invalid_hash_chain_ref"},
	{"empty", "empty.xml", "message-0.xml", NULL, "consumer", "invalid_xml"},
	{"malformed XML", "sign-0-malformed-xml.xml", "message-0.xml", NULL, "consumer", "invalid_xml"},
	{"no signature", "sign-0-no-signature.xml", "message-0.xml", NULL, "consumer", "malformed_signature"},
	{"no object", "sign-0-no-objectcontainer.xml", "message-0.xml", NULL, "consumer", "malformed_signature"},
	{"schema", "sign-0-schema-fail.xml", "message-0.xml", NULL, "consumer", "malformed_signature"},
	{"no certificate", "sign-0-no-signing-cert.xml", "message-0.xml", NULL, "consumer", "malformed_signature"},
	{"signature value", "sign-0-invalid-signature-value.xml", "message-0.xml", NULL, "consumer", "invalid_signature_value"},
	{"no OCSP", "sign-0-ocsp-no-responses.xml", "message-0.xml", NULL, "consumer", "malformed_signature"},
	{"extra certificate without Id", "extra-certs-missing-id.xml", "message-0.xml", NULL, "Test Org", "malformed_signature"},
	{"extra certificate missing", "extra-certs-missing-cert.xml", "message-0.xml", NULL, "Test Org", "malformed_signature"},
	{"extra certificate with another digest", "extra-certs-digest-invalid.xml", "message-0.xml", NULL, "Test Org", "malformed_signature"},
};
/* clang-format on */

static X509 *load_root(void)
{
	struct slt_str pem = load("signatures/root-ca.pem");
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	/* "TRUSTED CERTIFICATE": what follows the certificate is OpenSSL's own */
	X509 *cert = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL);

	assert_non_null(cert);
	BIO_free(in);
	unload(pem);
	return cert;
}

static struct slt_str load_in(const char *dir, const char *name)
{
	if (name[0] == '=') {
		return (struct slt_str){slt_strdup(name + 1), strlen(name + 1)};
	}
	return load_from(dir, name, "");
}

static void check(const struct vector *v, const struct slt_verify_input *in)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_verdict verdict;

	if (!slt_xades_verify(in, &verdict, &err)) {
		expect_code(&err, v->code);
		return;
	}
	slt_verdict_fini(&verdict);
	assert_string_equal(v->code, "");
}

static void signature(void **state)
{
	const struct vector *v = *state;
	struct slt_str sig = load_in("signatures/", v->signature);
	struct slt_str message = load_in("signatures/", v->message);
	struct slt_str chain = {NULL, 0}, result = {NULL, 0};
	SLT_AUTO(slt_globalconf_free)
	struct slt_globalconf *gc = load_conf("globalconf/globalconf_good_v4");
	X509 *root = load_root();
	struct slt_gc_ca ca = {
		.name = "test", .cert = root, .top = true, .profile = SLT_PROFILE_TEST};
	struct slt_verify_part parts[] = {
		{.name = "/message.xml", .data = message},
		{.name = "/attachment1", .data = SLT_STR_C("blaah")},
	};
	struct slt_verify_input in = {
		.gc = gc,
		.signer = {.type = SLT_ID_MEMBER,
			   .instance = "EE",
			   .member_class = "BUSINESS",
			   .member_code = v->member_code},
		.at_ms = AT,
		.signature = sig,
		.parts = parts,
		.n_parts = v->chain != NULL ? 2 : 1,
		.lax = true,
		.schema = true,
		.ca_override = &ca,
	};

	if (v->chain != NULL) {
		in.hash_chain = chain = load_in("signatures/", v->chain);
		in.hash_chain_result = result = load_in("signatures/", "hash-chain-result.xml");
	}
	check(v, &in);
	unload(sig);
	unload(message);
	unload(chain);
	unload(result);
	X509_free(root);
}

/* Strict verification refuses whatever X-Road refuses, and SHA-1 certificates with a key this old.
 */
static void never_better_when_strict(void **state)
{
	struct slt_str sig = load("signatures/sign-0.xml");
	struct slt_str message = load("signatures/message-0.xml");
	SLT_AUTO(slt_globalconf_free)
	struct slt_globalconf *gc = load_conf("globalconf/globalconf_good_v4");
	X509 *root = load_root();
	struct slt_gc_ca ca = {
		.name = "test", .cert = root, .top = true, .profile = SLT_PROFILE_TEST};
	struct slt_verify_part part = {.name = "/message.xml", .data = message};
	struct slt_verify_input in = {
		.gc = gc,
		.signer = {.type = SLT_ID_MEMBER,
			   .instance = "EE",
			   .member_class = "BUSINESS",
			   .member_code = "consumer"},
		.at_ms = AT,
		.signature = sig,
		.parts = &part,
		.n_parts = 1,
		.ca_override = &ca,
	};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_verdict verdict;

	(void)state;
	assert_false(slt_xades_verify(&in, &verdict, &err));
	/* form and core are good: it is the path that strict verification does not accept */
	expect_code(&err, "cannot_create_cert_path");
	assert_non_null(strstr(err.msg, "sha1"));
	unload(sig);
	unload(message);
	X509_free(root);
}

/* The form of several references with a bare ds:Signature and a message with CR LF. */
static void several_references(void **state)
{
	static const struct {
		const char *attachment; /* NULL: as it is */
		const char *code;
	} rows[] = {{NULL, ""}, {"changed", "invalid_signature_value"}};
	static const char dir[] = "signatures/non-batch-sig/";
	struct slt_str sig = load_in(dir, "signatures.xml");
	struct slt_str message = load_in(dir, "message.xml");
	struct slt_str attachment = load_in(dir, "attachment1");
	SLT_AUTO(slt_globalconf_free)
	struct slt_globalconf *gc = load_conf("globalconf/globalconf_good2_v3");

	(void)state;
	for (size_t i = 0; i < 2 * SLT_COUNT(rows); i++) {
		struct slt_str a = rows[i / 2].attachment != NULL ? slt_str(rows[i / 2].attachment)
								  : attachment;
		struct slt_verify_part parts[] = {
			{.name = "/message.xml", .data = message},
			{.name = "/attachment1", .data = a},
		};
		struct slt_verify_input in = {
			.gc = gc,
			.signer = {.type = SLT_ID_MEMBER,
				   .instance = "DEV",
				   .member_class = "COM",
				   .member_code = "4321"},
			.at_ms = AT_NON_BATCH,
			.signature = sig,
			.parts = parts,
			.n_parts = 2,
			.lax = i % 2 == 0,
			.schema = true,
		};
		struct vector v = {.code = rows[i / 2].code};

		check(&v, &in);
	}
	unload(sig);
	unload(message);
	unload(attachment);
}

int main(void)
{
	struct CMUnitTest tests[SLT_COUNT(vectors) + 2] = {
		cmocka_unit_test(never_better_when_strict),
		cmocka_unit_test(several_references),
	};
	struct vector copy[SLT_COUNT(vectors)];

	slt_xml_init();
	memcpy(copy, vectors, sizeof(copy));
	for (size_t i = 0; i < SLT_COUNT(vectors); i++) {
		tests[2 + i] = (struct CMUnitTest){copy[i].name, signature, NULL, NULL, &copy[i]};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
