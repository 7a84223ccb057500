/* SPDX-License-Identifier: MIT */
/* Attacks on signatures: algorithms, transforms, references, wrapping. */
#include "xades_fixture.h"

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

/* --- signature wrapping and other tricks with the tree --- */

/* The text between two markers, both included. */
static char *between(const char *s, const char *from, const char *to)
{
	const char *a = strstr(s, from);
	const char *b = a != NULL ? strstr(a, to) : NULL;

	assert_non_null(b);
	return slt_strndup(a, (size_t)(b - a) + strlen(to));
}

static void judge_doc(const char *doc, const char *strict, const char *say, const char *lax)
{
	struct check c = {.signature = doc};

	expect(&c, strict, say);
	if (lax != NULL) {
		c.lax = true;
		expect(&c, lax, "");
		assert_true(lax[0] != '\0' || c.n_warnings > 0);
	}
}

/* The signed element moves elsewhere and keeps its Id; a forged one takes its place. */
static void withstands_wrapped_properties(void **state)
{
	struct slt_signed s = sign(&rsa, 1);
	SLT_AUTO_STR char *props =
		between(s.signature, "<xades:SignedProperties", "</xades:SignedProperties>");
	SLT_AUTO_STR char *time = between(props, "<xades:SigningTime>", "</xades:SigningTime>");
	SLT_AUTO_STR char *forged =
		replace(props, time, "<xades:SigningTime>2035-01-01T00:00:00Z</xades:SigningTime>");
	SLT_AUTO_STR char *gone = replace(s.signature, props, forged);
	SLT_AUTO_STR char *object = slt_asprintf("</ds:KeyInfo><ds:Object>%s</ds:Object>", props);
	SLT_AUTO_STR char *before = replace(gone, "</ds:KeyInfo>", object);
	SLT_AUTO_STR char *tail = slt_asprintf("<ds:Object>%s</ds:Object></ds:Signature>", props);
	SLT_AUTO_STR char *after = replace(gone, "</ds:Signature>", tail);
	SLT_AUTO_STR char *root = slt_asprintf("%s</asic:XAdESSignatures>", props);
	SLT_AUTO_STR char *outside = replace(gone, "</asic:XAdESSignatures>", root);
	SLT_AUTO_STR char *other_id = replace(forged, "Id=\"signed-properties\"", "Id=\"forged\"");
	SLT_AUTO_STR char *twins = slt_asprintf("%s%s", other_id, props);
	SLT_AUTO_STR char *beside = replace(s.signature, props, twins);
	SLT_AUTO_STR char *inner =
		slt_asprintf("<xades:UnsignedSignatureProperties><x xmlns=\"urn:x\">"
			     "%s</x>",
			     props);
	SLT_AUTO_STR char *nested = replace(gone, "<xades:UnsignedSignatureProperties>", inner);

	(void)state;
	judge_doc(before, "malformed_signature", "2 ds:Object", NULL);
	judge_doc(after, "malformed_signature", "2 ds:Object", NULL);
	judge_doc(outside, "malformed_signature", "more than one element",
		  "invalid_signature_value");
	judge_doc(beside, "malformed_signature", "SignedProperties", NULL);
	judge_doc(nested, "malformed_signature", "more than one element",
		  "invalid_signature_value");
	slt_signed_fini(&s);
}

static void withstands_second_signatures(void **state)
{
	struct slt_signed s = sign(&rsa, 1), other_sig = sign(&p256, 1);
	SLT_AUTO_STR char *second =
		between(other_sig.signature, "<ds:Signature ", "</ds:Signature>");
	SLT_AUTO_STR char *info = between(s.signature, "<ds:SignedInfo>", "</ds:SignedInfo>");
	SLT_AUTO_STR char *value =
		between(s.signature, "<ds:SignatureValue", "</ds:SignatureValue>");
	SLT_AUTO_STR char *tail = slt_asprintf("</ds:Signature>%s", second);
	SLT_AUTO_STR char *after = replace(s.signature, "</ds:Signature>", tail);
	SLT_AUTO_STR char *inner = slt_asprintf("<ds:Object>%s", second);
	SLT_AUTO_STR char *inside = replace(s.signature, "<ds:Object>", inner);
	SLT_AUTO_STR char *twice = slt_asprintf("%s%s", info, info);
	SLT_AUTO_STR char *two_infos = replace(s.signature, info, twice);
	SLT_AUTO_STR char *two = slt_asprintf("%s%s", value, value);
	SLT_AUTO_STR char *two_values = replace(s.signature, value, two);

	(void)state;
	judge_doc(after, "malformed_signature", "2 ds:Signature", "");
	judge_doc(inside, "malformed_signature", "2 ds:Signature", NULL);
	judge_doc(two_infos, "malformed_signature", "lacks its element ds:SignatureValue", "");
	judge_doc(two_values, "malformed_signature", "does not belong in ds:Signature", "");
	slt_signed_fini(&s);
	slt_signed_fini(&other_sig);
}

static void withstands_tricks_with_the_tree(void **state)
{
	static const struct {
		const char *from, *to;
		bool again;
		const char *code, *say, *lax;
	} rows[] = {
		{"<asic:XAdESSignatures", "<!DOCTYPE x []><asic:XAdESSignatures", false,
		 "invalid_xml", "", "invalid_xml"},
		{"<asic:XAdESSignatures",
		 "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><asic:XAdESSignatures", false,
		 "invalid_xml", "", "invalid_xml"},
		{"instance\"><ds:Signature ", "instance\">\n<ds:Signature ", false, MALFORMED,
		 "white space before it", NULL},
		{"Target=\"#signature\"", "Target=\"#other\"", false, MALFORMED, "target", ""},
		{"Target=\"#signature\"", "", false, MALFORMED, "lacks its attribute Target", ""},
		{"<ds:Signature Id=\"signature\">", "<ds:Signature>", false, MALFORMED, "target",
		 ""},
		{"<ds:SignedInfo>", "<ds:SignedInfo xmlns:x=\"relative/uri\">", false,
		 "malformed_signature.invalid_xml", "", "malformed_signature.invalid_xml"},
		{"<ds:SignedInfo>", "<ds:SignedInfo Id=\"signed-properties\">", false, MALFORMED,
		 "more than one element", "invalid_signature_value"},
		{"<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>x</ds:KeyName>", false, MALFORMED,
		 "another kind of key", ""},
		{"xmlns:ds=\"" SLT_NS_DS "\"", "xmlns:ds=\"urn:x\"", false, MALFORMED,
		 "no element ds:Signature", MALFORMED},
		{"<ds:X509Certificate>", "<ds:X509Certificate>AAAA", false, MALFORMED,
		 "cannot be decoded", MALFORMED},
		{"</ds:X509Certificate>", "AAAA</ds:X509Certificate>", false, MALFORMED,
		 "cannot be decoded", MALFORMED},
		{"<ds:X509Certificate>", "<ds:X509Certificate><!--x-->", false, MALFORMED,
		 "comments", ""},
		{"\"ocsp-response-0\">", "\"ocsp-response-0\">AAAA", false,
		 "invalid_cert_path.cert_validation", "", "invalid_cert_path.cert_validation"},
		{"\"ocsp-response-0\">", "\"ocsp-response-0\">!", false, MALFORMED,
		 "OCSP response 1", MALFORMED},
		{"<xades:OCSPValues>", "<xades:OCSPValues/><xades:OCSPValues>", false, MALFORMED,
		 "OCSPValues", MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(rows); i++) {
		struct slt_signed s = sign(&rsa, 1);
		SLT_AUTO_STR char *doc = replace(s.signature, rows[i].from, rows[i].to);

		judge_doc(doc, rows[i].code, rows[i].say, rows[i].lax);
		slt_signed_fini(&s);
	}
}

static void withstands_many_references(void **state)
{
	struct slt_signed s = sign(&rsa, 1);
	SLT_AUTO_STR char *ref = between(s.signature, "<ds:Reference ", "</ds:Reference>");
	SLT_AUTO_BUF(many, 1u << 20);

	(void)state;
	for (int i = 0; i < SLT_XADES_REFERENCES_MAX; i++) {
		slt_buf_adds(&many, ref);
	}

	SLT_AUTO_STR char *doc = replace(s.signature, ref, many.p);

	judge_doc(doc, "malformed_signature", "more than 30 references", "malformed_signature");
	slt_signed_fini(&s);
}

/* Another certificate of the same key: whoever holds it could claim the signature. */
static void withstands_another_certificate(void **state)
{
	struct slt_signed s = sign(&rsa, 1);
	char *subject = pki_subject(SLT_PROFILE_FIVRK, MEMBER);
	struct pki_spec spec = {.subject = subject,
				.use_key = rsa.cert->key,
				.ext = {"keyUsage=critical,nonRepudiation"}};
	struct pki_cert *twin = pki_issue(ca, &spec);
	struct pki_spec no_ku = {.subject = subject, .use_key = rsa.cert->key};
	struct pki_cert *plain = pki_issue(ca, &no_ku);
	struct pki_cert *tls = pki_auth_cert(ca, subject, PKI_RSA2048, 1);
	const struct {
		const struct pki_cert *cert;
		const char *code, *say;
	} rows[] = {
		{twin, "malformed_signature", "another certificate than KeyInfo"},
		{plain, "internal_error", "no KeyUsage"},
		{tls, "malformed_signature", "nonRepudiation"},
	};
	SLT_AUTO_STR char *old =
		between(s.signature, "<ds:X509Certificate>", "</ds:X509Certificate>");

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(rows); i++) {
		unsigned char *der = NULL;
		int n = i2d_X509(rows[i].cert->x509, &der);
		SLT_AUTO_BUF(b, 65536);

		slt_buf_adds(&b, "<ds:X509Certificate>");
		slt_buf_add_base64(&b, der, (size_t)n);
		slt_buf_adds(&b, "</ds:X509Certificate>");
		OPENSSL_free(der);

		SLT_AUTO_STR char *doc = replace(s.signature, old, b.p);

		judge_doc(doc, rows[i].code, rows[i].say, NULL);
	}
	pki_cert_free(twin);
	pki_cert_free(plain);
	pki_cert_free(tls);
	free(subject);
	slt_signed_fini(&s);
}

/* <ds:Reference> to an element of the document, with its digest or a wrong one. */
static void add_manifest_ref(struct slt_buf *b, const char *doc, const char *id, bool wrong)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xades_free) struct slt_xades *x = NULL;
	SLT_AUTO_BUF(canonical, 1u << 20);
	struct slt_digest d;

	assert_true(slt_xades_parse(slt_str(doc), &x, &err));
	assert_true(slt_xml_c14n(slt_xades_by_id(x->signature, id), SLT_C14N_INCLUSIVE, &canonical,
				 &err));
	slt_digest_of(SLT_SHA512, canonical.p, canonical.n, &d);
	d.v[0] ^= wrong;
	slt_buf_addf(b,
		     "<ds:Reference URI=\"#%s\"><ds:DigestMethod Algorithm=\"" SHA512_URI
		     "\"/><ds:DigestValue>",
		     id);
	slt_buf_add_base64(b, d.v, d.n);
	slt_buf_adds(b, "</ds:DigestValue></ds:Reference>");
}

/* Until 6.0 a batch time-stamp was put on a manifest of manifests. */
static void judges_legacy_manifests(void **state)
{
	struct slt_signed s = sign(&rsa, 1);

	(void)state;
	for (unsigned wrong = 0; wrong < 3; wrong++) { /* none, the inner, the root */
		SLT_AUTO_BUF(inner, 8192);
		SLT_AUTO_BUF(both, 16384);

		slt_buf_adds(&inner, "</ds:Object><ds:Object><ds:Manifest Id=\"ts-manifest-1\">");
		add_manifest_ref(&inner, s.signature, "signature-value", wrong == 1);
		slt_buf_adds(&inner, "</ds:Manifest></ds:Object>");

		SLT_AUTO_STR char *with = replace(s.signature, "</ds:Object>", inner.p);

		slt_buf_adds(&both, inner.p);
		slt_buf_adds(&both, "<ds:Object><ds:Manifest Id=\"ts-root-manifest\">");
		add_manifest_ref(&both, with, "ts-manifest-1", wrong == 2);
		slt_buf_adds(&both, "</ds:Manifest></ds:Object>");

		SLT_AUTO_STR char *doc = replace(s.signature, "</ds:Object>", both.p);

		judge_doc(doc, "malformed_signature", "3 ds:Object",
			  wrong == 0 ? "" : "invalid_reference");
	}
	slt_signed_fini(&s);
}

/* Every byte of a signature matters, or nothing depends on it: no change may crash. */
static void survives_flipped_bytes(void **state)
{
	struct slt_signed s = sign(&p256, 1);
	size_t n = strlen(s.signature);
	unsigned good = 0;

	(void)state;
	for (size_t i = 0; i < n; i += 37) {
		SLT_AUTO_STR char *doc = slt_strdup(s.signature);
		struct check c = {.signature = doc};
		char said[SLT_ERR_MSG_MAX];

		doc[i] ^= 4;
		good += verify(&c, said)[0] == '\0';
	}
	/* at most the names of unsigned Ids may change */
	assert_true(good < 3);
	for (size_t i = 0; i < n; i += 211) {
		SLT_AUTO_STR char *doc = slt_strndup(s.signature, i);
		struct check c = {.signature = doc};
		char said[SLT_ERR_MSG_MAX];

		assert_string_equal(verify(&c, said), "invalid_xml");
	}
	slt_signed_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(withstands_replacements),
		cmocka_unit_test(withstands_wrapped_properties),
		cmocka_unit_test(withstands_second_signatures),
		cmocka_unit_test(withstands_tricks_with_the_tree),
		cmocka_unit_test(withstands_many_references),
		cmocka_unit_test(withstands_another_certificate),
		cmocka_unit_test(judges_legacy_manifests),
		cmocka_unit_test(survives_flipped_bytes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
