/* SPDX-License-Identifier: MIT */
/* Signatures made and verified, and attacks on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "federation/xades_form.h"
#include "federation/xades_sign.h"
#include "federation/xades_verify.h"
#include "tests/support/pki.h"

#define MEMBER	   "FI/COM/1234567-8"
#define MESSAGE	   "<m>message</m>"
#define ATTACHMENT "attachment"

static char dir[64];
static struct pki_cert *ca, *auth_ca, *other;
static struct slt_globalconf *gc;

/* A member's key with its OCSP response. */
struct signer {
	struct pki_cert *cert;
	struct slt_key *key;
	struct slt_buf ocsp;
};
static struct signer rsa, pss, p256, p384, wrong_ca;

static const struct slt_id signer_id = {
	.type = SLT_ID_SUBSYSTEM,
	.instance = "FI",
	.member_class = "COM",
	.member_code = "1234567-8",
	.subsystem = "sub",
};

static void signer_init(struct signer *s, const struct pki_cert *issuer, enum pki_key kind,
			unsigned index, bool use_pss)
{
	struct slt_err err = SLT_ERR_INIT;
	char *subject = pki_subject(SLT_PROFILE_FIVRK, MEMBER);
	char key[128], cert[128];

	(void)snprintf(key, sizeof(key), "%s/k", dir);
	(void)snprintf(cert, sizeof(cert), "%s/c", dir);
	s->cert = pki_sign_cert(issuer, subject, kind, index);
	free(subject);
	pki_write_pem(s->cert, cert, key);
	if (!slt_key_load(key, cert, NULL, use_pss, &s->key, &err)) {
		fail_msg("%s", err.msg);
	}
	slt_buf_init(&s->ocsp, SLT_OCSP_BYTES_MAX);
	pki_ocsp_good(s->cert, issuer, PKI_NOW - 60000, &s->ocsp);
}

static void signer_fini(struct signer *s)
{
	slt_key_free(s->key);
	pki_cert_free(s->cert);
	slt_buf_fini(&s->ocsp);
}

static int set_up(void **state)
{
	(void)state;
	slt_xml_init();
	(void)snprintf(dir, sizeof(dir), "/tmp/slt-xades-XXXXXX");
	assert_non_null(mkdtemp(dir));
	/* an issuer whose name has everything that canonical text must escape, or must not */
	ca = pki_ca(NULL, "C=FI;O=\"A\" & <b>, Oy;CN=CA #1", PKI_RSA2048, 0);
	auth_ca = pki_ca(NULL, "C=FI;O=TLS only;CN=Auth", PKI_RSA2048, 5);
	other = pki_ca(NULL, "C=FI;O=Unknown;CN=Other", PKI_RSA2048, 6);
	signer_init(&rsa, ca, PKI_RSA2048, 1, false);
	signer_init(&pss, ca, PKI_RSA2048, 2, true);
	signer_init(&p256, ca, PKI_P256, 0, false);
	signer_init(&p384, ca, PKI_P384, 0, false);
	signer_init(&wrong_ca, auth_ca, PKI_RSA2048, 3, false);

	struct pki_gc_instance inst = {
		.name = "FI",
		.ca = {{.top = ca}, {.top = auth_ca, .authentication_only = true}},
		.member = {MEMBER, MEMBER "/sub"},
	};

	gc = pki_globalconf(&inst, 1);
	return 0;
}

static int tear_down(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	signer_fini(&rsa);
	signer_fini(&pss);
	signer_fini(&p256);
	signer_fini(&p384);
	signer_fini(&wrong_ca);
	pki_cert_free(ca);
	pki_cert_free(auth_ca);
	pki_cert_free(other);
	slt_globalconf_free(gc);
	return slt_rm_tree(dir, &err) ? 0 : -1;
}

/* --- making --- */

static const char *const names[] = {"/message.xml", "/attachment1", "/attachment2"};

static struct slt_signed sign(struct signer *s, unsigned n_parts)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d[3];
	struct slt_str ocsp = slt_buf_str(&s->ocsp);
	struct slt_sign_options o = {.key = s->key, .ocsp = &ocsp, .n_ocsp = 1, .now_ms = PKI_NOW};
	struct slt_sign_input in = {.parts = d, .names = names, .n = n_parts};
	struct slt_signed ret;

	slt_digest_of(SLT_SHA512, MESSAGE, strlen(MESSAGE), &d[0]);
	slt_digest_of(SLT_SHA512, ATTACHMENT, strlen(ATTACHMENT), &d[1]);
	slt_digest_of(SLT_SHA512, "", 0, &d[2]);
	if (!slt_xades_sign(&o, &in, 1, &ret, &err)) {
		fail_msg("%s", err.msg);
	}
	return ret;
}

/* Replaces the first occurrence; fails the test when there is none. */
static char *replace(const char *s, const char *from, const char *to)
{
	const char *at = strstr(s, from);

	if (at == NULL) {
		fail_msg("nothing to replace: %s", from);
		return NULL;
	}
	return slt_asprintf("%.*s%s%s", (int)(at - s), s, to, at + strlen(from));
}

static void set_base64(xmlNode *n, const void *p, size_t len)
{
	SLT_AUTO_BUF(b, 8192);

	slt_buf_add_base64(&b, p, len);
	xmlNodeSetContent(n, SLT_XML(b.p));
}

static enum slt_c14n mode_of(const xmlNode *node)
{
	xmlChar *a = node != NULL ? xmlGetNoNsProp(node, SLT_XML("Algorithm")) : NULL;
	bool exclusive = a != NULL && strcmp((const char *)a, SLT_EXC_C14N_URI) == 0;

	xmlFree(a);
	return exclusive ? SLT_C14N_EXCLUSIVE : SLT_C14N_INCLUSIVE;
}

/* Signs a changed document again with the same key: what an insider could make. */
static char *resign(struct signer *s, const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xades_free) struct slt_xades *x = NULL;
	struct slt_digest d;
	SLT_AUTO_BUF(b, 1u << 20);
	SLT_AUTO_BUF(sig, 4096);
	SLT_AUTO_BUF(raw, 4096);
	SLT_AUTO_BUF(out, 1u << 20);

	if (!slt_xades_parse(slt_str(text), &x, &err)) {
		fail_msg("%s", err.msg);
	}
	for (size_t i = 0; i < x->n_ref; i++) {
		if (x->ref[i].uri[0] != '#' || x->signed_properties == NULL) {
			continue;
		}

		const xmlNode *t = slt_xml_child(x->ref[i].node, SLT_NS_DS, "Transforms");
		xmlNode *p = slt_xades_by_id(x->signature, x->ref[i].uri + 1);

		assert_non_null(p);
		slt_buf_reset(&b);
		assert_true(
			slt_xml_c14n(p, mode_of(t != NULL ? slt_xml_first(t) : NULL), &b, &err));
		slt_digest_of(SLT_SHA512, b.p, b.n, &d);
		set_base64(slt_xml_child(x->ref[i].node, SLT_NS_DS, "DigestValue"), d.v, d.n);
	}
	slt_buf_reset(&b);
	assert_true(slt_xml_c14n(
		x->signed_info,
		mode_of(slt_xml_child(x->signed_info, SLT_NS_DS, "CanonicalizationMethod")), &b,
		&err));
	slt_digest_of(slt_sig_digest(s->key->alg), b.p, b.n, &d);
	assert_true(s->key->sign(s->key, &d, &sig, &err));

	EVP_PKEY *pub = X509_get0_pubkey(s->key->cert);

	if (EVP_PKEY_is_a(pub, "EC")) {
		assert_true(slt_sig_der_to_raw(pub, slt_buf_str(&sig), &raw, &err));
	}
	set_base64(slt_xml_child(x->signature, SLT_NS_DS, "SignatureValue"),
		   raw.n > 0 ? raw.p : sig.p, raw.n > 0 ? raw.n : sig.n);
	assert_true(slt_xml_dump(x->doc, NULL, true, &out, &err));
	return slt_buf_take(&out, NULL);
}

/* --- verifying --- */

struct check {
	const char *signature, *result, *chain;
	const char *message, *attachment; /* NULL: as signed */
	unsigned n_parts;		  /* 0: 1 */
	bool lax;
	int64_t at_ms; /* 0: PKI_NOW */
	const struct slt_id *signer;
	unsigned n_warnings; /* out */
};

/* The fault code, "" when good; the sentence goes to `said`. */
static const char *verify(struct check *c, char said[SLT_ERR_MSG_MAX])
{
	static char code[128];
	const char *message = c->message != NULL ? c->message : MESSAGE;
	const char *attachment = c->attachment != NULL ? c->attachment : ATTACHMENT;
	struct slt_digest d[2];
	struct slt_verify_part parts[3] = {
		{.name = names[0], .digest = &d[0], .data = slt_str(message)},
		{.name = names[1], .digest = &d[1]},
		{.name = names[2], .data = SLT_STR_C("")},
	};
	struct slt_verify_input in = {
		.gc = gc,
		.signer = c->signer != NULL ? *c->signer : signer_id,
		.at_ms = c->at_ms != 0 ? c->at_ms : PKI_NOW,
		.signature = slt_str(c->signature),
		.hash_chain_result = slt_str(c->result),
		.hash_chain = slt_str(c->chain),
		.parts = parts,
		.n_parts = c->n_parts != 0 ? c->n_parts : 1,
		.lax = c->lax,
	};
	struct slt_verdict v;
	struct slt_err err = SLT_ERR_INIT;

	slt_digest_of(SLT_SHA512, message, strlen(message), &d[0]);
	slt_digest_of(SLT_SHA512, attachment, strlen(attachment), &d[1]);
	code[0] = '\0';
	said[0] = '\0';
	if (slt_xades_verify(&in, &v, &err)) {
		c->n_warnings = v.n_warnings;
		assert_int_equal(v.signing_time_ms, PKI_NOW);
		assert_non_null(v.cert);
		slt_verdict_fini(&v);
		return code;
	}
	assert_true(strlen(err.msg) > 10);
	memcpy(said, err.msg, sizeof(err.msg));
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, code, sizeof(code));
	assert_true(code[0] != '\0');
	return code;
}

static void expect(struct check *c, const char *want, const char *say)
{
	char said[SLT_ERR_MSG_MAX];
	const char *got = verify(c, said);

	if (strcmp(got, want) != 0 || strstr(said, say) == NULL) {
		fail_msg("%s: got \"%s\" (%s), expected \"%s\" (…%s…)", c->lax ? "lax" : "strict",
			 got, said, want, say);
	}
}

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

/* --- attacks on the document --- */

struct attack {
	const char *from, *to;
	bool again; /* signed again by the same key */
	const char *code, *say;
	const char *lax; /* code under lax; "" when it is accepted with a warning */
};

#define SHA512_URI "http://www.w3.org/2001/04/xmlenc#sha512"
#define SHA1_URI   "http://www.w3.org/2000/09/xmldsig#sha1"
#define RSA_URI	   "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
#define MORE_URI   "http://www.w3.org/2001/04/xmldsig-more#"
#define PROPS_REF  "URI=\"#signed-properties\">"
#define XSLT                                                                                       \
	"<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>" \
	"</ds:Transforms>"
#define C14N_TRANSFORM "<ds:Transform Algorithm=\"" SLT_C14N_URI "\"/>"
#define MALFORMED      "malformed_signature"
#define ALGORITHM      "malformed_signature.algorithm_not_allowed"
#define VALUE	       "invalid_signature_value"

/* clang-format off */
static const struct attack attacks[] = {
	/* signature method */
	{RSA_URI, "http://www.w3.org/2000/09/xmldsig#hmac-sha1", false, ALGORITHM, "hmac-sha1", ALGORITHM},
	{RSA_URI, MORE_URI "hmac-sha512", true, ALGORITHM, "hmac-sha512", ALGORITHM},
	{RSA_URI, MORE_URI "rsa-md5", true, ALGORITHM, "rsa-md5", ALGORITHM},
	{RSA_URI, "", true, ALGORITHM, "signature method", ALGORITHM},
	{RSA_URI, "http://www.w3.org/2000/09/xmldsig#rsa-sha1", false, ALGORITHM, "rsa-sha1", VALUE},
	{RSA_URI, MORE_URI "rsa-sha256", false, VALUE, "signature value", VALUE},
	{RSA_URI, MORE_URI "ecdsa-sha512", false, VALUE, "kind of key", VALUE},
	{RSA_URI, "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1", true, VALUE, "", VALUE},
	{RSA_URI "\">", RSA_URI "\"><ds:HMACOutputLength>0</ds:HMACOutputLength>", true, ALGORITHM, "", ALGORITHM},
	/* canonicalisation */
	{SLT_C14N_URI, "http://www.w3.org/TR/1999/REC-xslt-19991116", true, ALGORITHM, "canonicalisation", ALGORITHM},
	{SLT_C14N_URI, SLT_C14N_URI "#WithComments", true, ALGORITHM, "canonicalisation", ""},
	{SLT_C14N_URI "\">", SLT_EXC_C14N_URI "\"><ec:InclusiveNamespaces xmlns:ec=\"" SLT_EXC_C14N_URI "\" PrefixList=\"ds\"/>", true, ALGORITHM, "", ALGORITHM},
	/* transforms */
	{PROPS_REF, PROPS_REF XSLT, true, ALGORITHM, "transform", ALGORITHM},
	{PROPS_REF, PROPS_REF "<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/></ds:Transforms>", true, ALGORITHM, "transform", ALGORITHM},
	{PROPS_REF, PROPS_REF "<ds:Transforms>" C14N_TRANSFORM C14N_TRANSFORM "</ds:Transforms>", true, ALGORITHM, "transform", ALGORITHM},
	{"URI=\"/message.xml\">", "URI=\"/message.xml\">" XSLT, true, ALGORITHM, "transforms", ALGORITHM},
	{"URI=\"/message.xml\">", "URI=\"/message.xml\"><ds:Transforms>" C14N_TRANSFORM "</ds:Transforms>", true, ALGORITHM, "transforms", ALGORITHM},
	/* digests */
	{SHA512_URI "\"></ds:DigestMethod><ds:DigestValue>", SHA1_URI "\"></ds:DigestMethod><ds:DigestValue>", true, ALGORITHM, "sha1", VALUE},
	{SHA512_URI "\"></ds:DigestMethod><ds:DigestValue>", MORE_URI "md5\"></ds:DigestMethod><ds:DigestValue>", true, ALGORITHM, "md5", ALGORITHM},
	{"</ds:DigestValue></ds:Reference>", "AAAA</ds:DigestValue></ds:Reference>", true, VALUE, "", VALUE},
	{"</ds:DigestValue></ds:Reference>", "?</ds:DigestValue></ds:Reference>", true, VALUE, "", VALUE},
	{"</ds:DigestValue></ds:Reference>", "<!-- x --></ds:DigestValue></ds:Reference>", true, MALFORMED, "comments", ""},
	{"</ds:DigestValue></ds:Reference>", "<?x y?></ds:DigestValue></ds:Reference>", true, MALFORMED, "processing instructions", ""},
	/* the reference set */
	{"URI=\"/message.xml\"", "URI=\"/foobar.xml\"", true, MALFORMED, "/foobar.xml", "internal_error"},
	{"URI=\"/message.xml\"", "URI=\"\"", true, MALFORMED, "reference \"\"", "internal_error"},
	{"URI=\"/message.xml\"", "URI=\"file:///etc/passwd\"", true, MALFORMED, "file:", "internal_error"},
	{"URI=\"/message.xml\"", "URI=\"http://127.0.0.1/\"", true, MALFORMED, "http:", "internal_error"},
	{"URI=\"/message.xml\"", "URI=\"#xpointer(/)\"", false, MALFORMED, "xpointer", VALUE},
	{"URI=\"/message.xml\"", "URI=\"/message.xml#x\"", true, MALFORMED, "/message.xml#x", "internal_error"},
	{"URI=\"/message.xml\"", "URI=\"/attachment1\"", true, MALFORMED, "/attachment1", "internal_error"},
	{PROPS_REF, "URI=\"/message.xml\">", true, MALFORMED, "referenced twice", VALUE},
	{"Type=\"" SLT_TYPE_SIGNED_PROPERTIES "\"", "Type=\"x\"", true, MALFORMED, "signed-properties", ""},
	{"Id=\"signed-properties\"", "Id=\"other\"", false, MALFORMED, "", "internal_error"},
	/* values */
	{"<ds:SignatureValue Id=\"signature-value\">", "<ds:SignatureValue Id=\"signature-value\">A", false, MALFORMED, "SignatureValue", MALFORMED},
	{"<ds:SignatureValue Id=\"signature-value\">", "<ds:SignatureValue Id=\"signature-value\">AAAA", false, VALUE, "", VALUE},
};
/* clang-format on */

static void attack_one(const struct attack *a)
{
	struct slt_signed s = sign(&rsa, 1);
	SLT_AUTO_STR char *changed = replace(s.signature, a->from, a->to);
	SLT_AUTO_STR char *doc = a->again ? resign(&rsa, changed) : slt_strdup(changed);
	struct check c = {.signature = doc};

	expect(&c, a->code, a->say);
	c.lax = true;
	expect(&c, a->lax, "");
	assert_true(a->lax[0] != '\0' || c.n_warnings > 0);
	slt_signed_fini(&s);
}

static void withstands_replacements(void **state)
{
	(void)state;
	for (size_t i = 0; i < SLT_COUNT(attacks); i++) {
		attack_one(&attacks[i]);
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
		cmocka_unit_test(withstands_replacements),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
