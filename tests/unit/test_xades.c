/* SPDX-License-Identifier: MIT */
/* Signatures made and verified. */
#include "xades_fixture.h"

#include <pthread.h>

/* --- what must work --- */

static void accepts_every_algorithm(void **state)
{
	struct signer *all[] = {&rsa, &pss, &p256, &p384};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		struct slt_signed s = sign(all[i], 1);
		struct check c = {.signature = s.signature};

		assert_null(s.hash_chain);
		assert_null(s.hash_chain_result);
		assert_non_null(strstr(s.signature, slt_sig_uri(all[i]->key->alg)));
		expect(&c, "", "");
		assert_int_equal(c.n_warnings, 0);
		slt_signed_fini(&s);
	}
}

/* The text that was digested is what C14N makes of the document. */
static void writes_canonical_text(void **state)
{
	static const char *const apex[] = {"<ds:SignedInfo", "<xades:SignedProperties"};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_signed s = sign(&rsa, 1);
	SLT_AUTO(slt_xades_free) struct slt_xades *x = NULL;

	(void)state;
	assert_true(slt_xades_parse(slt_str(s.signature), &x, &err));

	xmlNode *node[] = {x->signed_info, slt_xades_by_id(x->signature, "signed-properties")};

	for (size_t i = 0; i < 2; i++) {
		SLT_AUTO_BUF(canonical, 1u << 20);

		assert_true(slt_xml_c14n(node[i], SLT_C14N_INCLUSIVE, &canonical, &err));
		assert_true(slt_str_starts(slt_buf_str(&canonical), apex[i]));
		/* from the end of the start tag on, the document has the same bytes */
		assert_non_null(strstr(s.signature, strchr(canonical.p, '>')));
	}
	assert_non_null(strstr(s.signature, "\\\"A\\\" &amp; \\&lt;b\\&gt;\\, Oy"));
	slt_signed_fini(&s);
}

static void leaves_nothing_between_root_and_signature(void **state)
{
	struct slt_signed s = sign(&rsa, 1);

	(void)state;
	assert_non_null(strstr(s.signature, "XMLSchema-instance\"><ds:Signature Id="));
	slt_signed_fini(&s);
}

static void write_text(const char *name, const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *path = slt_path_join(dir, name);

	assert_true(slt_file_write(path, text, strlen(text), 0600, &err));
}

/* xmlsec1 1.2 knows no RSA-PSS. */
static void convinces_xmlsec(void **state)
{
	struct signer *all[] = {&rsa, &p256, &p384};

	(void)state;
	if (system("command -v xmlsec1 >/dev/null 2>&1") != 0) {
		print_message("skipped: xmlsec1 is not installed\n");
		skip();
	}
	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		struct slt_signed s = sign(all[i], 1);
		SLT_AUTO_STR char *pem = slt_path_join(dir, "signer.pem");
		SLT_AUTO_STR char *command = slt_asprintf(
			"cd %s && xmlsec1 --verify --insecure --enabled-key-data x509,rsa,ecdsa "
			"--pubkey-cert-pem signer.pem --url-map:/message.xml message.xml "
			"--id-attr:Id " SLT_NS_XADES ":SignedProperties signatures.xml "
			">xmlsec.log 2>&1",
			dir);

		pki_write_pem(all[i]->cert, pem, NULL);
		write_text("message.xml", MESSAGE);
		write_text("signatures.xml", s.signature);
		assert_int_equal(system(command), 0);
		write_text("message.xml", MESSAGE " ");
		assert_int_not_equal(system(command), 0);
		slt_signed_fini(&s);
	}
}

static void accepts_hash_chain(void **state)
{
	struct slt_signed s = sign(&rsa, 3);
	struct check c = {.signature = s.signature,
			  .result = s.hash_chain_result,
			  .chain = s.hash_chain,
			  .n_parts = 3};

	(void)state;
	assert_non_null(strstr(s.signature, "application/hash-chain-result"));
	expect(&c, "", "");
	slt_signed_fini(&s);
}

static void signs_batches(void **state)
{
	enum { N = 7 };
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d[N][2];
	struct slt_sign_input in[N];
	struct slt_signed ret[N];
	struct slt_str ocsp = slt_buf_str(&p256.ocsp);
	struct slt_sign_options o = {
		.key = p256.key, .ocsp = &ocsp, .n_ocsp = 1, .now_ms = PKI_NOW};
	char message[N][32];

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(message[i], sizeof(message[i]), "<m>%u</m>", i);
		slt_digest_of(SLT_SHA512, message[i], strlen(message[i]), &d[i][0]);
		slt_digest_of(SLT_SHA512, ATTACHMENT, strlen(ATTACHMENT), &d[i][1]);
		in[i] = (struct slt_sign_input){d[i], names, 1 + i % 2};
	}
	assert_true(slt_xades_sign(&o, in, N, ret, &err));
	for (unsigned i = 0; i < N; i++) {
		struct check c = {.signature = ret[i].signature,
				  .result = ret[i].hash_chain_result,
				  .chain = ret[i].hash_chain,
				  .message = message[i],
				  .n_parts = 1 + i % 2};

		assert_string_equal(ret[i].signature, ret[0].signature);
		expect(&c, "", "");
		/* one message's chain says nothing of another message */
		c.message = message[(i + 1) % N];
		expect(&c, "malformed_signature.invalid_hash_chain", "");
	}
	for (unsigned i = 0; i < N; i++) {
		slt_signed_fini(&ret[i]);
	}
}

/* The form of several references, with a bare ds:Signature and exclusive canonicalisation. */
static char *several_references(struct signer *s)
{
	struct slt_signed sig = sign(s, 1);
	struct slt_digest d;
	SLT_AUTO_BUF(ref, 4096);

	slt_digest_of(SLT_SHA512, ATTACHMENT, strlen(ATTACHMENT), &d);
	slt_buf_adds(&ref, "<ds:Reference URI=\"/attachment1\"><ds:DigestMethod Algorithm=\""
			   "http://www.w3.org/2001/04/xmlenc#sha512\"/><ds:DigestValue>");
	slt_buf_add_base64(&ref, d.v, d.n);
	slt_buf_adds(&ref, "</ds:DigestValue></ds:Reference></ds:SignedInfo>");

	SLT_AUTO_STR char *a = replace(sig.signature, "</ds:SignedInfo>", ref.p);
	SLT_AUTO_STR char *b = replace(
		a, "URI=\"#signed-properties\">",
		"URI=\"#signed-properties\"><ds:Transforms><ds:Transform Algorithm=\"" SLT_EXC_C14N_URI
		"\"/></ds:Transforms>");
	SLT_AUTO_STR char *c = replace(b, SLT_C14N_URI, SLT_EXC_C14N_URI);
	const char *start = strstr(c, "<ds:Signature ");
	SLT_AUTO_STR char *bare = slt_asprintf("%.*s", (int)(strstr(c, "</asic:") - start), start);
	SLT_AUTO_STR char *full = replace(bare, "<ds:Signature ",
					  "<ds:Signature xmlns:ds=\"" SLT_NS_DS
					  "\" xmlns:xades=\"" SLT_NS_XADES "\" ");

	slt_signed_fini(&sig);
	return resign(s, full);
}

static void accepts_several_references(void **state)
{
	SLT_AUTO_STR char *doc = several_references(&rsa);
	struct check c = {.signature = doc, .n_parts = 2};

	(void)state;
	expect(&c, "", "");
	c.attachment = "other";
	expect(&c, "invalid_signature_value", "/attachment1");
	c.n_parts = 1; /* the part is missing */
	c.lax = true;
	expect(&c, "internal_error", "/attachment1");
	c.lax = false;
	expect(&c, "malformed_signature", "/attachment1");
	c.n_parts = 3;
	c.attachment = NULL;
	expect(&c, "malformed_signature.uncovered_part", "/attachment2 is not covered");
	c.lax = true;
	expect(&c, "", "");
	assert_int_equal(c.n_warnings, 1);
}

static void accepts_wrapped_base64(void **state)
{
	struct slt_signed s = sign(&rsa, 1);
	const char *from = strstr(s.signature, "<ds:DigestValue>") + 16;
	SLT_AUTO_STR char *wrapped = slt_asprintf("%.*s%.76s&#13;\n%s", (int)(from - s.signature),
						  s.signature, from, from + 76);
	SLT_AUTO_STR char *doc = resign(&rsa, wrapped);
	struct check c = {.signature = doc};

	(void)state;
	assert_non_null(strstr(doc, "&#13;\n"));
	expect(&c, "", "");
	slt_signed_fini(&s);
}

static void carries_intermediates(void **state)
{
	struct slt_signed s;
	struct pki_cert *mid = pki_ca(ca, "C=FI;CN=Mid", PKI_RSA2048, 7);

	(void)state;
	p256.key->chain = sk_X509_new_null();
	assert_true(X509_up_ref(mid->x509) && sk_X509_push(p256.key->chain, mid->x509) > 0);
	s = sign(&p256, 1);
	sk_X509_pop_free(p256.key->chain, X509_free);
	p256.key->chain = NULL;

	struct check c = {.signature = s.signature};

	expect(&c, "", "");

	SLT_AUTO_STR char *no_uri =
		replace(s.signature, "<xades:Cert URI=\"#encapsulated-cert-0\">", "<xades:Cert>");
	SLT_AUTO_STR char *no_cert =
		replace(s.signature, "Id=\"encapsulated-cert-0\"", "Id=\"encapsulated-cert-1\"");
	SLT_AUTO_STR char *bad_digest =
		replace(s.signature,
			"<xades:Cert URI=\"#encapsulated-cert-0\"><xades:CertDigest>"
			"<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha512",
			"<xades:Cert URI=\"#encapsulated-cert-0\"><xades:CertDigest>"
			"<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256");

	c.signature = no_uri;
	expect(&c, "malformed_signature", "lacks its URI");
	c.signature = no_cert;
	expect(&c, "malformed_signature", "no element with this Id");
	c.signature = bad_digest;
	expect(&c, "malformed_signature", "lacks a digest");
	slt_signed_fini(&s);
	pki_cert_free(mid);
}

/* --- what must not --- */

static void refuses_changed_parts(void **state)
{
	struct slt_signed direct = sign(&p256, 1);
	struct slt_signed chained = sign(&p256, 2);
	struct check c = {.signature = direct.signature, .message = MESSAGE " "};

	(void)state;
	expect(&c, "invalid_signature_value", "/message.xml");
	c = (struct check){.signature = direct.signature, .n_parts = 2};
	expect(&c, "malformed_signature.uncovered_part", "/attachment1 is not covered");

	struct check h = {.signature = chained.signature,
			  .result = chained.hash_chain_result,
			  .chain = chained.hash_chain,
			  .n_parts = 2};

	expect(&h, "", "");
	h.attachment = "changed";
	expect(&h, "malformed_signature.invalid_hash_chain", "");
	h.attachment = NULL;
	h.n_parts = 3;
	expect(&h, "malformed_signature.hashchain_unused_inputs", "");
	h.n_parts = 2;
	h.chain = NULL;
	expect(&h, "malformed_signature.invalid_reference", "");
	h.result = NULL;
	expect(&h, "malformed_signature", "a hash chain that is missing");
	h.lax = true;
	expect(&h, "internal_error", "/sig-hashchainresult.xml");

	SLT_AUTO_STR char *result = replace(chained.hash_chain_result, "STEP0", "STEP1");

	h = (struct check){.signature = chained.signature,
			   .result = result,
			   .chain = chained.hash_chain,
			   .n_parts = 2};
	expect(&h, "malformed_signature.malformed_hash_chain", "");
	slt_signed_fini(&direct);
	slt_signed_fini(&chained);
}

static void refuses_a_chain_that_is_not_signed(void **state)
{
	struct slt_signed direct = sign(&p256, 1);
	struct slt_signed chained = sign(&p256, 2);
	struct check c = {.signature = direct.signature,
			  .result = chained.hash_chain_result,
			  .chain = chained.hash_chain};

	(void)state;
	expect(&c, "malformed_signature", "does not reference");
	c.lax = true;
	expect(&c, "", "");
	assert_int_equal(c.n_warnings, 1);
	slt_signed_fini(&direct);
	slt_signed_fini(&chained);
}

static void refuses_other_signers(void **state)
{
	struct slt_signed s = sign(&rsa, 1);
	struct slt_signed t = sign(&wrong_ca, 1);
	struct slt_id someone = signer_id, abroad = signer_id;
	struct check c = {.signature = s.signature, .signer = &someone};

	(void)state;
	someone.member_code = "1234567-9";
	expect(&c, "incorrect_certificate", MEMBER);
	abroad.instance = "EE"; /* no authority of FI vouches for members of EE */
	c.signer = &abroad;
	expect(&c, "internal_error", "not an approved");
	c = (struct check){.signature = t.signature};
	expect(&c, "malformed_signature", "for authentication certificates only");
	c.lax = true;
	expect(&c, "", "");
	slt_signed_fini(&s);
	slt_signed_fini(&t);
}

static void refuses_other_instants(void **state)
{
	struct slt_signed s = sign(&rsa, 1);
	struct check c = {.signature = s.signature, .at_ms = PKI_NOW + INT64_C(7200000)};
	char said[SLT_ERR_MSG_MAX];

	(void)state;
	expect(&c, "invalid_cert_path.incorrect_validation_info", ""); /* the response is stale */
	c.at_ms = PKI_NOT_AFTER + 1000;
	assert_string_not_equal(verify(&c, said), "");
	c.at_ms = PKI_NOT_BEFORE - 1000;
	assert_string_not_equal(verify(&c, said), "");
	slt_signed_fini(&s);
}

static void refuses_bad_ocsp(void **state)
{
	struct slt_buf good = rsa.ocsp;
	struct pki_ocsp revoked = {.single = {{.cert = rsa.cert,
					       .issuer = ca,
					       .status = PKI_REVOKED,
					       .this_update = PKI_NOW - 60000,
					       .revoked_at = PKI_NOW - INT64_C(3600000)}}};

	(void)state;
	slt_buf_init(&rsa.ocsp, SLT_OCSP_BYTES_MAX);
	pki_ocsp(&revoked, &rsa.ocsp);

	struct slt_signed s = sign(&rsa, 1);
	struct check c = {.signature = s.signature};

	expect(&c, "invalid_cert_path.cert_validation", "");
	slt_signed_fini(&s);
	slt_buf_fini(&rsa.ocsp);

	rsa.ocsp = p256.ocsp; /* vouches for another certificate */
	s = sign(&rsa, 1);
	c.signature = s.signature;
	expect(&c, "invalid_cert_path.cert_validation", "");
	slt_signed_fini(&s);
	rsa.ocsp = good;
}

static void refuses_to_sign_without_evidence(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d = {.alg = SLT_SHA1, .n = 20}, mixed[2];
	struct slt_str ocsp = slt_buf_str(&rsa.ocsp);
	struct slt_sign_options o = {.key = rsa.key, .ocsp = &ocsp, .n_ocsp = 1, .now_ms = PKI_NOW};
	struct slt_sign_input in = {.parts = &d, .names = names, .n = 1};
	struct slt_signed ret = {.signature = NULL};
	char code[128];

	(void)state;
	assert_false(slt_xades_sign(&o, &in, 1, &ret, &err)); /* SHA-1 */
	assert_false(slt_xades_sign(&o, &in, 0, &ret, &err));
	in.n = 0;
	assert_false(slt_xades_sign(&o, &in, 1, &ret, &err));
	slt_digest_of(SLT_SHA512, "", 0, &mixed[0]);
	slt_digest_of(SLT_SHA256, "", 0, &mixed[1]);
	in = (struct slt_sign_input){.parts = mixed, .names = names, .n = 2};
	assert_false(slt_xades_sign(&o, &in, 1, &ret, &err));
	o.n_ocsp = 0;
	in.n = 1;
	err = (struct slt_err)SLT_ERR_INIT;
	assert_false(slt_xades_sign(&o, &in, 1, &ret, &err));
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, code, sizeof(code));
	assert_string_equal(code, "signer.cannot_create_signature");
	assert_non_null(strstr(err.msg, "OCSP"));
	assert_null(ret.signature);
}

/* --- threads --- */

static void *sign_and_verify(void *arg)
{
	struct signer *s = arg;
	struct slt_verify_part part = {.name = "/message.xml", .data = SLT_STR_C(MESSAGE)};

	for (int i = 0; i < 20; i++) {
		struct slt_signed made = sign(s, 1);
		struct slt_verify_input in = {
			.gc = gc,
			.signer = signer_id,
			.at_ms = PKI_NOW,
			.signature = slt_str(made.signature),
			.parts = &part,
			.n_parts = 1,
		};
		struct slt_err err = SLT_ERR_INIT;
		struct slt_verdict v;
		bool good = slt_xades_verify(&in, &v, &err);

		slt_signed_fini(&made);
		if (!good) {
			return arg;
		}
		slt_verdict_fini(&v);
	}
	return NULL;
}

static void works_in_many_threads(void **state)
{
	struct signer *all[] = {&rsa, &rsa, &pss, &p256, &p256, &p384};
	pthread_t t[SLT_COUNT(all)];

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		assert_int_equal(pthread_create(&t[i], NULL, sign_and_verify, all[i]), 0);
	}
	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		void *failed = NULL;

		assert_int_equal(pthread_join(t[i], &failed), 0);
		assert_null(failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_every_algorithm),
		cmocka_unit_test(writes_canonical_text),
		cmocka_unit_test(leaves_nothing_between_root_and_signature),
		cmocka_unit_test(convinces_xmlsec),
		cmocka_unit_test(accepts_hash_chain),
		cmocka_unit_test(signs_batches),
		cmocka_unit_test(accepts_several_references),
		cmocka_unit_test(accepts_wrapped_base64),
		cmocka_unit_test(carries_intermediates),
		cmocka_unit_test(refuses_changed_parts),
		cmocka_unit_test(refuses_a_chain_that_is_not_signed),
		cmocka_unit_test(refuses_other_signers),
		cmocka_unit_test(refuses_other_instants),
		cmocka_unit_test(refuses_bad_ocsp),
		cmocka_unit_test(refuses_to_sign_without_evidence),
		cmocka_unit_test(works_in_many_threads),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
