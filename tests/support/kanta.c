/* SPDX-License-Identifier: MIT */
#include "tests/support/kanta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/xml.h"
#include "federation/xades_form.h"

#define FILE_NAME   "tests/data/kanta/prescription.xml"
#define COLLECTION  "<hl7fi:signatureCollection/>"
#define OPEN	    "<hl7fi:signatureCollection>"
#define CLOSE	    "</hl7fi:signatureCollection>"
#define BODY_DIGEST "@BODY@"
#define TIME_DIGEST "@TIME@"
#define VALUE	    "@VALUE@"
#define KEY	    "@KEY@"
#define HL7	    "urn:hl7-org:v3"
#define HL7FI	    "urn:hl7finland"

static void must(bool good, const struct slt_err *err)
{
	if (!good) {
		(void)fprintf(stderr, "kanta: %s\n", err->msg);
		exit(2);
	}
}

char *kanta_prescription(void)
{
	struct slt_err err = SLT_ERR_INIT;
	char *text = NULL;
	size_t n = 0;

	must(slt_file_read(FILE_NAME, 1 << 20, &text, &n, &err), &err);
	return text;
}

static xmlDoc *parse(const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	xmlDoc *doc = NULL;

	must(slt_xml_parse(text, strlen(text), &SLT_XML_PEER, "document", &doc, &err), &err);
	return doc;
}

/* The first element of the name, in document order. */
static xmlNode *find(xmlNode *from, const char *ns, const char *name)
{
	for (xmlNode *n = from; n; n = slt_xml_next(n)) {
		xmlNode *below = slt_xml_is(n, ns, name) ? n : find(slt_xml_first(n), ns, name);
		if (below) {
			return below;
		}
	}
	return NULL;
}

static void c14n(xmlNode *node, enum slt_c14n mode, struct slt_buf *out)
{
	struct slt_err err = SLT_ERR_INIT;

	must(node && slt_xml_c14n(node, mode, out, &err), &err);
}

static char *base64(const void *p, size_t n)
{
	struct slt_buf b = SLT_BUF_INIT(1 << 16);

	slt_buf_add_base64(&b, p, n);
	return slt_buf_take(&b, NULL);
}

static char *digest_of(const struct slt_buf *b, enum slt_digest_alg alg)
{
	struct slt_digest d;

	slt_digest_of(alg, b->p, b->n, &d);
	return base64(d.v, d.n);
}

static void put(char **text, const char *from, char *take)
{
	char *old = *text;

	*text = evidence_replace(old, from, take);
	free(old);
	free(take);
}

/* --- the pieces --- */

static void add_reference(struct slt_buf *b, const char *uri, const char *transforms,
			  enum slt_digest_alg alg, const char *value)
{
	slt_buf_addf(b,
		     "<ds:Reference URI=\"%s\"><ds:Transforms>%s</ds:Transforms>"
		     "<ds:DigestMethod Algorithm=\"%s\"></ds:DigestMethod>"
		     "<ds:DigestValue>%s</ds:DigestValue></ds:Reference>",
		     uri, transforms, slt_digest_uri(alg), value);
}

static char *frame(const struct kanta *k)
{
	struct slt_buf b = SLT_BUF_INIT(1 << 16);
	enum slt_digest_alg digest = k->digest ? k->digest : SLT_SHA256;

	slt_buf_addf(&b,
		     OPEN "<hl7fi:signature ID=\"OID1.2.246.10.12345678.93.2024.5001.S\">"
			  "<hl7fi:signatureDescription code=\"4\" "
			  "codeSystem=\"1.2.246.537.5.40127.2006\"/>"
			  "<hl7fi:signatureTimestamp ID=\"" KANTA_ID
			  "\">%s</hl7fi:signatureTimestamp>"
			  "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">"
			  "<ds:SignedInfo><ds:CanonicalizationMethod "
			  "Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">"
			  "</ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"%s\">"
			  "</ds:SignatureMethod>",
		     k->signed_at ? k->signed_at : KANTA_SIGNED_AT,
		     slt_sig_uri(k->alg ? k->alg : SLT_RSA_SHA256));
	add_reference(&b, "",
		      k->transforms ? k->transforms : KANTA_EXCLUSIVE KANTA_XPATH(KANTA_FILTER),
		      digest, BODY_DIGEST);
	add_reference(&b, "#" KANTA_ID, k->stamp_transforms ? k->stamp_transforms : KANTA_EXCLUSIVE,
		      digest, TIME_DIGEST);
	slt_buf_addf(&b,
		     "%s</ds:SignedInfo><ds:SignatureValue>" VALUE "</ds:SignatureValue>"
		     "<ds:KeyInfo>" KEY "</ds:KeyInfo></ds:Signature></hl7fi:signature>" CLOSE,
		     k->extra_reference ? k->extra_reference : "");
	return slt_buf_take(&b, NULL);
}

static void add_certificate(struct slt_buf *b, const struct pki_cert *c)
{
	unsigned char *der = NULL;
	int n = i2d_X509(c->x509, &der);
	SLT_AUTO_STR char *text = base64(der, (size_t)n);

	slt_buf_addf(b, "<ds:X509Certificate>%s</ds:X509Certificate>", text);
	OPENSSL_free(der);
}

static char *key_info(const struct kanta *k)
{
	struct slt_buf b = SLT_BUF_INIT(1 << 18);

	slt_buf_adds(&b, "<ds:X509Data>");
	add_certificate(&b, k->cert);
	for (size_t i = 0; i < SLT_COUNT(k->also) && k->also[i]; i++) {
		add_certificate(&b, k->also[i]);
	}
	slt_buf_adds(&b, "</ds:X509Data>");
	return slt_buf_take(&b, NULL);
}

/* --- digests and value --- */

static char *body_digest(const char *text, enum slt_digest_alg alg)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = parse(text);
	SLT_AUTO_BUF(whole, 1 << 22);
	SLT_AUTO_BUF(body, 1 << 22);

	c14n(xmlDocGetRootElement(doc), SLT_C14N_EXCLUSIVE, &whole);
	SLT_AUTO(slt_xml_free) xmlDoc *again = parse(whole.p);
	c14n(find(xmlDocGetRootElement(again), HL7, "structuredBody"), SLT_C14N_INCLUSIVE, &body);
	return digest_of(&body, alg);
}

static char *time_digest(const char *text, enum slt_digest_alg alg)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = parse(text);
	SLT_AUTO_BUF(b, 1 << 16);

	c14n(find(xmlDocGetRootElement(doc), HL7FI, "signatureTimestamp"), SLT_C14N_EXCLUSIVE, &b);
	return digest_of(&b, alg);
}

static char *value_of(const struct kanta *k, const char *text)
{
	enum slt_sig_alg alg = k->alg ? k->alg : SLT_RSA_SHA256;
	SLT_AUTO(slt_key_free) struct slt_key *key = evidence_key(k->cert, alg);
	SLT_AUTO(slt_xml_free) xmlDoc *doc = parse(text);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;
	SLT_AUTO_BUF(info, 1 << 16);
	SLT_AUTO_BUF(sig, 4096);
	SLT_AUTO_BUF(raw, 4096);

	c14n(find(xmlDocGetRootElement(doc), SLT_NS_DS, "SignedInfo"), SLT_C14N_EXCLUSIVE, &info);
	slt_digest_of(slt_sig_digest(alg), info.p, info.n, &d);
	must(key->sign(key, &d, &sig, &err), &err);
	if (!EVP_PKEY_is_a(k->cert->key, "EC")) {
		return base64(sig.p, sig.n);
	}
	must(slt_sig_der_to_raw(k->cert->key, slt_buf_str(&sig), &raw, &err), &err);
	return base64(raw.p, raw.n);
}

char *kanta_sign(const struct kanta *k, const char *document)
{
	enum slt_digest_alg alg = k->digest ? k->digest : SLT_SHA256;
	SLT_AUTO_STR char *collection = frame(k);
	char *text = evidence_replace(document, COLLECTION, collection);

	put(&text, BODY_DIGEST, body_digest(text, alg));
	put(&text, TIME_DIGEST, time_digest(text, alg));
	put(&text, VALUE, value_of(k, text));
	put(&text, KEY, k->key_info ? slt_strdup(k->key_info) : key_info(k));
	return text;
}

char *kanta_signature(const char *document)
{
	const char *from = strstr(document, OPEN) + sizeof(OPEN) - 1;

	return slt_strndup(from, (size_t)(strstr(document, CLOSE) - from));
}
