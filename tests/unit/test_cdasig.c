/* SPDX-License-Identifier: MIT */
/* The inner signature of Finnish documents: one that is good, and every way to make it another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "federation/cdasig.h"
#include "tests/support/kanta.h"

static struct pki_cert *ca, *middle, *strange_ca;
static struct pki_cert *doctor, *system_cert, *ec, *below, *stranger, *expired, *early, *tls_only;
static char *plain; /* prescription.xml */

struct job {
	const char *text;
	bool sha1, no_ca, in_envelope;
	int64_t now;
};

static bool verify(struct job j, struct slt_cdasig_verdict *v, struct slt_err *err)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	SLT_AUTO_STR char *envelope = NULL;
	X509 *authority[] = {ca->x509};
	struct slt_cdasig_query q = {.authority = authority,
				     .n_authorities = !j.no_ca,
				     .now_ms = j.now ? j.now : PKI_NOW,
				     .allow_sha1 = j.sha1};

	if (j.in_envelope) {
		const char *root = strstr(j.text, "<ClinicalDocument");
		envelope = slt_asprintf("<e:Envelope xmlns:e='urn:e' xmlns='urn:other' "
					"xmlns:x='urn:x' xml:lang='fi'><e:Body>%s</e:Body>"
					"</e:Envelope>",
					root);
	}
	const char *text = envelope ? envelope : j.text;
	if (!slt_xml_parse(text, strlen(text), &SLT_XML_PEER, "document", &doc, err)) {
		return false;
	}
	q.document = xmlDocGetRootElement(doc);
	if (envelope) {
		q.document = slt_xml_first(slt_xml_first(q.document));
	}
	if (!slt_cdasig_verify(&q, v, err)) {
		return false;
	}
	assert_true(slt_xml_is(v->covered, SLT_NS_HL7, "structuredBody"));
	assert_ptr_equal(v->covered->doc, doc);
	return true;
}

static void good(struct job j)
{
	struct slt_cdasig_verdict v = {NULL, "", 0};
	struct slt_err err = SLT_ERR_INIT;

	if (!verify(j, &v, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_true(v.signed_ms > 0);
	assert_non_null(strstr(v.signer, "CN="));
}

static void bad(struct job j, enum slt_code code, const char *why)
{
	struct slt_cdasig_verdict v = {NULL, "", 0};
	struct slt_err err = SLT_ERR_INIT;

	if (verify(j, &v, &err)) {
		fail_msg("accepted: %s expected", why);
	}
	assert_null(v.covered);
	if (err.code != code || !strstr(err.msg, why)) {
		fail_msg("%s \"%s\", not %s \"%s\"", slt_code_name(err.code, SLT_DIALECT_CAMEL),
			 err.msg, slt_code_name(code, SLT_DIALECT_CAMEL), why);
	}
}

static void bad_text(char *take, enum slt_code code, const char *why)
{
	bad((struct job){.text = take}, code, why);
	free(take);
}

/* Changed after it was signed. */
static void altered(const char *from, const char *to, enum slt_code code, const char *why)
{
	SLT_AUTO_STR char *text = kanta_sign(&(struct kanta){.cert = doctor}, plain);

	bad_text(evidence_replace(text, from, to), code, why);
}

/* Made otherwise by who has the key. */
static void made(struct kanta k, enum slt_code code, const char *why)
{
	k.cert = k.cert ? k.cert : doctor;
	bad_text(kanta_sign(&k, plain), code, why);
}

/* --- good ones --- */

static void what_is_signed_is_accepted(void **state)
{
	const struct kanta kinds[] = {
		{.cert = doctor},
		{.cert = system_cert},
		{.cert = doctor, .digest = SLT_SHA512, .alg = SLT_RSA_SHA512},
		{.cert = doctor, .alg = SLT_RSA_PSS_SHA256},
		{.cert = ec, .alg = SLT_ECDSA_SHA256},
		{.cert = below, .also = {middle}},
		/* another prefix for the same namespace is the same filter */
		{.cert = doctor,
		 .transforms = KANTA_EXCLUSIVE
		 "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\">"
		 "<ds:XPath xmlns:v3=\"urn:hl7-org:v3\"> ancestor-or-self::v3:structuredBody\n"
		 "</ds:XPath></ds:Transform>"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(kinds); i++) {
		SLT_AUTO_STR char *text = kanta_sign(&kinds[i], plain);
		good((struct job){.text = text});
	}
}

/* An envelope brings namespaces and attributes that the document never had. */
static void an_envelope_changes_nothing(void **state)
{
	SLT_AUTO_STR char *text = kanta_sign(&(struct kanta){.cert = doctor}, plain);

	(void)state;
	good((struct job){.text = text, .in_envelope = true});
}

static void the_header_is_not_covered(void **state)
{
	SLT_AUTO_STR char *text = kanta_sign(&(struct kanta){.cert = doctor}, plain);
	SLT_AUTO_STR char *other = evidence_replace(text, "<languageCode code=\"fi\"/>",
						    "<languageCode code=\"sv\"/>");

	(void)state;
	/* good, and it says what it covers: nothing else may be believed for its sake */
	good((struct job){.text = other});
}

static void sha1_where_it_is_allowed(void **state)
{
	SLT_AUTO_STR char *text = kanta_sign(
		&(struct kanta){.cert = doctor, .alg = SLT_RSA_SHA1, .digest = SLT_SHA1}, plain);
	SLT_AUTO_STR char *half =
		kanta_sign(&(struct kanta){.cert = doctor, .digest = SLT_SHA1}, plain);

	(void)state;
	good((struct job){.text = text, .sha1 = true});
	bad((struct job){.text = text}, SLT_EALGORITHM, "rsa-sha1");
	bad((struct job){.text = half}, SLT_EALGORITHM, "SHA-1 digests");
}

/* --- what was changed --- */

static void an_altered_body_is_refused(void **state)
{
	(void)state;
	altered("<quantity value=\"2\"/>", "<quantity value=\"3\"/>", SLT_EINVALID_SIGNATURE_VALUE,
		"structuredBody");
	altered("enterotabletti", "tabletti", SLT_EINVALID_SIGNATURE_VALUE, "structuredBody");
	altered("<structuredBody>", "<structuredBody classCode=\"DOCBODY\">",
		SLT_EINVALID_SIGNATURE_VALUE, "structuredBody");
	/* white space between elements is signed too */
	altered("<structuredBody>", "<structuredBody> ", SLT_EINVALID_SIGNATURE_VALUE,
		"structuredBody");
	altered("<structuredBody>", "<structuredBody><?x y?>", SLT_EINVALID_SIGNATURE_VALUE,
		"structuredBody");
	/* the meaning of names in xsi:type depends on declarations around the body */
	altered("xmlns=\"urn:hl7-org:v3\"", "xmlns=\"urn:hl7-org:v3\" xml:lang=\"fi\"",
		SLT_EINVALID_SIGNATURE_VALUE, "structuredBody");
}

static void an_altered_instant_is_refused(void **state)
{
	(void)state;
	altered(KANTA_SIGNED_AT, "2024-06-04T09:15:00+03:00", SLT_EINVALID_SIGNATURE_VALUE,
		"instant of signing");
}

static void an_altered_signature_is_refused(void **state)
{
	(void)state;
	altered("<ds:DigestValue>", "<ds:DigestValue>AA", SLT_EINVALID_SIGNATURE_VALUE, "");
	altered("<ds:SignatureValue>", "<ds:SignatureValue>AAAA", SLT_EINVALID_SIGNATURE_VALUE, "");
	altered("<ds:SignatureValue>", "<ds:SignatureValue>!", SLT_MALFORMED_SIGNATURE, "value");
	altered("<ds:X509Certificate>", "<ds:X509Certificate>AAAA", SLT_MALFORMED_SIGNATURE,
		"certificate");
}

/* The good body is moved away, and another one stands where readers look. */
static void wrapping_is_refused(void **state)
{
	SLT_AUTO_STR char *text = kanta_sign(&(struct kanta){.cert = doctor}, plain);
	static const char open[] = "<component>\n\t\t<structuredBody>";
	static const char evil[] = "<component><structuredBody><component/></structuredBody>"
				   "</component>";
	SLT_AUTO_STR char *before = slt_asprintf("%s%s", evil, open);
	SLT_AUTO_STR char *within = slt_asprintf(
		"<component><x:keep xmlns:x=\"urn:x\"><component><structuredBody/></component>"
		"</x:keep></component>%s",
		open);
	SLT_AUTO_STR char *other_name = slt_asprintf(
		"<x:component xmlns:x=\"urn:x\"><x:structuredBody/></x:component>%s", open);

	(void)state;
	bad_text(evidence_replace(text, open, before), SLT_MALFORMED_SIGNATURE, "its place");
	bad_text(evidence_replace(text, open, within), SLT_MALFORMED_SIGNATURE, "its place");
	bad_text(evidence_replace(text, open, other_name), SLT_MALFORMED_SIGNATURE, "several");
	bad_text(evidence_replace(text, "<realmCode code=\"FI\"/>",
				  "<realmCode code=\"FI\"><structuredBody/></realmCode>"),
		 SLT_MALFORMED_SIGNATURE, "several");
}

static void a_second_signature_is_refused(void **state)
{
	SLT_AUTO_STR char *text = kanta_sign(&(struct kanta){.cert = doctor}, plain);
	SLT_AUTO_STR char *inner = kanta_signature(text);
	SLT_AUTO_STR char *twice = slt_asprintf("%s</hl7fi:signatureCollection>", inner);
	SLT_AUTO_STR char *elsewhere = slt_asprintf("<hl7fi:sender>%s", inner);
	SLT_AUTO_STR char *again = slt_asprintf("<hl7fi:signatureCollection>%s"
						"</hl7fi:signatureCollection><hl7fi:sender>",
						inner);

	(void)state;
	bad_text(evidence_replace(text, "</hl7fi:signatureCollection>", twice),
		 SLT_MALFORMED_SIGNATURE, "not the only one");
	bad_text(evidence_replace(text, "<hl7fi:sender>", elsewhere), SLT_MALFORMED_SIGNATURE,
		 "not the only one");
	bad_text(evidence_replace(text, "<hl7fi:sender>", again), SLT_MALFORMED_SIGNATURE,
		 "not the only one");
	/* a look-alike in another namespace */
	bad_text(evidence_replace(text, "<hl7fi:sender>",
				  "<hl7fi:sender><x:Signature xmlns:x=\"urn:x\"/>"),
		 SLT_MALFORMED_SIGNATURE, "not the only one");
	bad_text(evidence_replace(text, "<hl7fi:signatureDescription",
				  "<hl7fi:other/><hl7fi:signatureDescription"),
		 SLT_MALFORMED_SIGNATURE, "not known");
	bad_text(evidence_cut(text, "<hl7fi:signature ", "</hl7fi:signature>"),
		 SLT_MALFORMED_SIGNATURE, "not the only one");
	bad((struct job){.text = plain}, SLT_MALFORMED_SIGNATURE, "not the only one");
}

static void another_id_is_refused(void **state)
{
	(void)state;
	altered("<hl7fi:sender>", "<hl7fi:sender ID=\"" KANTA_ID "\">", SLT_MALFORMED_SIGNATURE,
		"instant");
	altered("<hl7fi:sender>", "<hl7fi:sender Id=\"" KANTA_ID "\">", SLT_MALFORMED_SIGNATURE,
		"instant");
	altered("<hl7fi:sender>", "<hl7fi:sender xml:id=\"" KANTA_ID "\">", SLT_MALFORMED_SIGNATURE,
		"instant");
	altered("<hl7fi:signatureTimestamp ID=", "<hl7fi:signatureTimestamp Id=",
		SLT_MALFORMED_SIGNATURE, "instant");
}

/* --- what was made otherwise --- */

static void other_filters_are_refused(void **state)
{
	static const char *const filters[] = {
		KANTA_EXCLUSIVE KANTA_XPATH("true()"),
		KANTA_EXCLUSIVE KANTA_XPATH("ancestor-or-self::hl7:title"),
		KANTA_EXCLUSIVE KANTA_XPATH(KANTA_FILTER " or true()"),
		KANTA_EXCLUSIVE KANTA_XPATH("not(" KANTA_FILTER ")"),
		KANTA_EXCLUSIVE KANTA_XPATH(KANTA_FILTER " and not(self::hl7:quantity)"),
		KANTA_EXCLUSIVE KANTA_XPATH("ancestor-or-self::*[1]:structuredBody"),
		KANTA_EXCLUSIVE KANTA_XPATH("ancestor-or-self::structuredBody"),
		KANTA_EXCLUSIVE KANTA_XPATH("ancestor-or-self::ds:structuredBody"),
		KANTA_EXCLUSIVE KANTA_XPATH("ancestor-or-self::none:structuredBody"),
		KANTA_EXCLUSIVE KANTA_XPATH("ancestor::hl7:structuredBody"),
		KANTA_EXCLUSIVE KANTA_XPATH(""),
		KANTA_EXCLUSIVE KANTA_XPATH(KANTA_FILTER "<ds:x/>"),
		KANTA_XPATH(KANTA_FILTER),
		KANTA_XPATH(KANTA_FILTER) KANTA_EXCLUSIVE,
		KANTA_EXCLUSIVE KANTA_XPATH(KANTA_FILTER) KANTA_XPATH("true()"),
		KANTA_EXCLUSIVE KANTA_XPATH(KANTA_FILTER) KANTA_EXCLUSIVE,
		KANTA_EXCLUSIVE,
		"",
		"<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>",
		"<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>",
		"<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">"
		"<x:InclusiveNamespaces xmlns:x=\"http://www.w3.org/2001/10/xml-exc-c14n#\" "
		"PrefixList=\"xsi\"/></ds:Transform>" KANTA_XPATH(KANTA_FILTER),
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(filters); i++) {
		made((struct kanta){.transforms = filters[i]}, SLT_MALFORMED_SIGNATURE,
		     "transforms the document otherwise");
	}
	made((struct kanta){.stamp_transforms = ""}, SLT_MALFORMED_SIGNATURE, "its instant");
	made((struct kanta){.stamp_transforms = KANTA_XPATH(KANTA_FILTER)}, SLT_MALFORMED_SIGNATURE,
	     "its instant");
}

static void other_references_are_refused(void **state)
{
	(void)state;
	made((struct kanta){.extra_reference =
				    "<ds:Reference URI=\"http://example.test/x\">"
				    "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/"
				    "xmlenc#sha256\"/><ds:DigestValue>AAAA</ds:DigestValue>"
				    "</ds:Reference>"},
	     SLT_MALFORMED_SIGNATURE, "other parts");
	altered("<ds:Reference URI=\"\">", "<ds:Reference>", SLT_MALFORMED_SIGNATURE,
		"without URI");
	altered("<ds:Reference URI=\"\">", "<ds:Reference URI=\"#" KANTA_ID "\">",
		SLT_MALFORMED_SIGNATURE, "something else");
	altered("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object/>", SLT_MALFORMED_SIGNATURE,
		"other parts");
	made((struct kanta){.key_info = "<ds:KeyName>doctor</ds:KeyName>"}, SLT_MALFORMED_SIGNATURE,
	     "X509Data");
	made((struct kanta){.key_info = "<ds:X509Data></ds:X509Data>"}, SLT_MALFORMED_SIGNATURE,
	     "without certificate");
	made((struct kanta){.key_info = "<ds:X509Data><ds:X509SubjectName>CN=x</ds:X509SubjectName>"
					"</ds:X509Data>"},
	     SLT_MALFORMED_SIGNATURE, "something else");
	made((struct kanta){.also = {ca, ca, ca, ca, ca}}, SLT_MALFORMED_SIGNATURE,
	     "something else");
}

static void algorithms_are_few(void **state)
{
	(void)state;
	altered("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
		"http://www.w3.org/2000/09/xmldsig#hmac-sha1", SLT_EALGORITHM, "hmac");
	altered("<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">",
		"<ds:CanonicalizationMethod "
		"Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\">",
		SLT_EALGORITHM, "not allowed");
	made((struct kanta){.digest = SLT_SHA224}, SLT_EALGORITHM, "SHA-224");
}

static void times_are_checked(void **state)
{
	(void)state;
	made((struct kanta){.signed_at = "2026-11-24T09:15:00+02:00"}, SLT_EINVALID_SIGNATURE_VALUE,
	     "future");
	made((struct kanta){.signed_at = "2024-06-03"}, SLT_MALFORMED_SIGNATURE, "date and time");
	made((struct kanta){.signed_at = "yesterdaT"}, SLT_MALFORMED_SIGNATURE, "date and time");
	made((struct kanta){.signed_at = ""}, SLT_MALFORMED_SIGNATURE, "date and time");
	made((struct kanta){.cert = expired}, SLT_CANNOT_CREATE_CERT_PATH, "expired");
	made((struct kanta){.cert = early}, SLT_CANNOT_CREATE_CERT_PATH, "not valid yet");
}

static void signers_are_checked(void **state)
{
	SLT_AUTO_STR char *text = kanta_sign(&(struct kanta){.cert = doctor}, plain);

	(void)state;
	made((struct kanta){.cert = stranger}, SLT_CANNOT_CREATE_CERT_PATH, "not issued by");
	made((struct kanta){.cert = stranger, .also = {strange_ca}}, SLT_CANNOT_CREATE_CERT_PATH,
	     "not issued by");
	made((struct kanta){.cert = below}, SLT_CANNOT_CREATE_CERT_PATH, "not issued by");
	made((struct kanta){.cert = tls_only}, SLT_EINCORRECT_CERTIFICATE, "signing documents");
	made((struct kanta){.cert = ca}, SLT_CANNOT_CREATE_CERT_PATH, "");
	bad((struct job){.text = text, .no_ca = true}, SLT_CANNOT_CREATE_CERT_PATH, "no authority");
}

static void a_doctype_is_refused(void **state)
{
	(void)state;
	altered("<ClinicalDocument", "<!DOCTYPE ClinicalDocument><ClinicalDocument",
		SLT_EINVALID_XML, "DOCTYPE");
}

static void presence(void **state)
{
	SLT_AUTO_STR char *text = kanta_sign(&(struct kanta){.cert = doctor}, plain);
	static const char *const texts[] = {
		"<a><b/></a>", "<a xmlns:h='urn:hl7finland'><b><h:signature/></b></a>",
		"<a><d:Signature xmlns:d='http://www.w3.org/2000/09/xmldsig#'/></a>"};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(texts); i++) {
		SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
		struct slt_err err = SLT_ERR_INIT;
		assert_true(
			slt_xml_parse(texts[i], strlen(texts[i]), &SLT_XML_PEER, "x", &doc, &err));
		assert_int_equal(slt_cdasig_present(xmlDocGetRootElement(doc)), i > 0);
	}
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	assert_true(slt_xml_parse(text, strlen(text), &SLT_XML_PEER, "x", &doc, &err));
	assert_true(slt_cdasig_present(xmlDocGetRootElement(doc)));
}

/* --- authorities --- */

static char dir[] = "/tmp/slt-cdasig-XXXXXX";

static void refused_file(const char *text, const char *why)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, "f");
	struct slt_cdasig_authorities *a = NULL;
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_file_write(path, text, strlen(text), 0644, &err));
	assert_false(slt_cdasig_authorities_load(path, &a, &err));
	assert_int_equal(err.code, SLT_ECONFIG);
	if (!strstr(err.msg, why)) {
		fail_msg("%s", err.msg);
	}
}

static void authorities_are_read(void **state)
{
	SLT_AUTO_STR char *one = slt_path_join(dir, "one"), *two = slt_path_join(dir, "two");
	SLT_AUTO_STR char *leaf = slt_path_join(dir, "leaf");
	SLT_AUTO_STR char *a = NULL, *b = NULL, *c = NULL;
	SLT_AUTO(slt_cdasig_authorities_free) struct slt_cdasig_authorities *all = NULL;
	struct slt_err err = SLT_ERR_INIT;
	size_t n;

	(void)state;
	pki_write_pem(ca, one, NULL);
	pki_write_pem(middle, two, NULL);
	pki_write_pem(doctor, leaf, NULL);
	assert_true(slt_file_read(one, 1 << 16, &a, &n, &err));
	assert_true(slt_file_read(two, 1 << 16, &b, &n, &err));
	assert_true(slt_file_read(leaf, 1 << 16, &c, &n, &err));
	SLT_AUTO_STR char *both = slt_asprintf("%s%s", a, b);
	assert_true(slt_file_write(two, both, strlen(both), 0644, &err));
	assert_true(slt_cdasig_authorities_load(two, &all, &err));
	assert_int_equal(all->n, 2);

	SLT_AUTO_STR char *with_leaf = slt_asprintf("%s%s", a, c);
	SLT_AUTO_STR char *cut = slt_asprintf("%s%.*s-----END CERTIFICATE-----\n", a, 200, b);
	refused_file("", "no certificate");
	refused_file("text", "no certificate");
	refused_file(with_leaf, "not that of an authority");
	refused_file(cut, "no certificate that can be read");
	SLT_AUTO_BUF(many, 1 << 20);
	for (unsigned i = 0; i <= SLT_CDASIG_AUTHORITIES_MAX; i++) {
		slt_buf_adds(&many, a);
	}
	refused_file(many.p, "more than 32");
}

static struct pki_cert *leaf(const struct pki_cert *issuer, const char *subject, unsigned key,
			     const char *usage, int64_t from, int64_t to)
{
	return pki_issue(issuer, &(struct pki_spec){.subject = subject,
						    .kind = PKI_RSA2048,
						    .key_index = key,
						    .not_before = from,
						    .not_after = to,
						    .ext = {usage}});
}

static int set_up(void **state)
{
	static const char sign[] = "keyUsage=critical,nonRepudiation";

	(void)state;
	slt_xml_init();
	assert_non_null(mkdtemp(dir));
	plain = kanta_prescription();
	ca = pki_ca(NULL, "C=FI;O=Malli;CN=Professionals CA", PKI_RSA2048, 0);
	strange_ca = pki_ca(NULL, "C=FI;O=Malli;CN=Strange CA", PKI_RSA2048, 1);
	middle = pki_ca(ca, "C=FI;O=Malli;CN=Doctors CA", PKI_RSA2048, 2);
	doctor = leaf(ca, "C=FI;CN=Esimerkki Aarni", 3, sign, 0, 0);
	system_cert = leaf(ca, "C=FI;CN=Mallireseptiohjelma", 4,
			   "keyUsage=critical,digitalSignature", 0, 0);
	below = leaf(middle, "C=FI;CN=Below", 5, sign, 0, 0);
	stranger = leaf(strange_ca, "C=FI;CN=Stranger", 6, sign, 0, 0);
	expired = leaf(ca, "C=FI;CN=Expired", 7, sign, 0, INT64_C(1700000000000));
	early = leaf(ca, "C=FI;CN=Early", 8, sign, INT64_C(1750000000000), 0);
	tls_only = leaf(ca, "C=FI;CN=Server", 9, "keyUsage=critical,keyEncipherment", 0, 0);
	ec = pki_issue(ca, &(struct pki_spec){
				   .subject = "C=FI;CN=Curve", .kind = PKI_P256, .ext = {sign}});
	return 0;
}

static int tear_down(void **state)
{
	struct pki_cert *all[] = {ca,	 middle,   strange_ca, doctor, system_cert, ec,
				  below, stranger, expired,    early,  tls_only};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		pki_cert_free(all[i]);
	}
	free(plain);
	return slt_rm_tree(dir, &err) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_accepted),
		cmocka_unit_test(an_envelope_changes_nothing),
		cmocka_unit_test(the_header_is_not_covered),
		cmocka_unit_test(sha1_where_it_is_allowed),
		cmocka_unit_test(an_altered_body_is_refused),
		cmocka_unit_test(an_altered_instant_is_refused),
		cmocka_unit_test(an_altered_signature_is_refused),
		cmocka_unit_test(wrapping_is_refused),
		cmocka_unit_test(a_second_signature_is_refused),
		cmocka_unit_test(another_id_is_refused),
		cmocka_unit_test(other_filters_are_refused),
		cmocka_unit_test(other_references_are_refused),
		cmocka_unit_test(algorithms_are_few),
		cmocka_unit_test(times_are_checked),
		cmocka_unit_test(signers_are_checked),
		cmocka_unit_test(a_doctype_is_refused),
		cmocka_unit_test(presence),
		cmocka_unit_test(authorities_are_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
