/* SPDX-License-Identifier: MIT */
/* The other half of soap.h: building messages, and judging answers against requests. */
#include "federation/soap.h"

#include <string.h>

#include <openssl/crypto.h>

/* --- building --- */

struct header_ns {
	xmlNode *header;
	xmlNs *xroad;
};

static xmlNode *add_text_field(const struct header_ns *h, const char *name, const char *v)
{
	return v ? xmlNewTextChild(h->header, h->xroad, SLT_XML(name), SLT_XML(v)) : NULL;
}

static void add_id_field(const struct header_ns *h, const char *name, const struct slt_id *v)
{
	if (v->type != SLT_ID_NONE) {
		slt_id_to_xml(v, xmlNewChild(h->header, h->xroad, SLT_XML(name), NULL));
	}
}

static void add_party(xmlNode *header, const struct slt_soap_header *h)
{
	if (!h->party_code) {
		return;
	}
	xmlNode *party = xmlNewChild(header, NULL, SLT_XML("representedParty"), NULL);
	xmlNs *ns = xmlNewNs(party, SLT_XML(SLT_NS_REPR), SLT_XML("repr"));
	xmlSetNs(party, ns);
	if (h->party_class) {
		xmlNewTextChild(party, ns, SLT_XML("partyClass"), SLT_XML(h->party_class));
	}
	xmlNewTextChild(party, ns, SLT_XML("partyCode"), SLT_XML(h->party_code));
}

void slt_soap_set_header(xmlDoc *envelope, const struct slt_soap_header *h)
{
	xmlNode *root = xmlDocGetRootElement(envelope);
	xmlNode *old = slt_xml_child(root, SLT_NS_SOAP, "Header");
	struct header_ns to = {.header =
				       xmlNewDocNode(envelope, root->ns, SLT_XML("Header"), NULL)};

	slt_assert(to.header && slt_xml_is(root, SLT_NS_SOAP, "Envelope"));
	if (old) {
		xmlReplaceNode(old, to.header);
		xmlFreeNode(old);
	} else if (root->children) {
		xmlAddPrevSibling(root->children, to.header);
	} else {
		xmlAddChild(root, to.header);
	}
	/* on the Header, so that nothing the Body has in scope changes */
	to.xroad = xmlNewNs(to.header, SLT_XML(SLT_NS_XROAD), SLT_XML("xroad"));
	xmlNewNs(to.header, SLT_XML(SLT_NS_ID), SLT_XML("id"));
	add_id_field(&to, "client", &h->client);
	add_id_field(&to, "service", &h->service);
	add_id_field(&to, "securityServer", &h->server);
	add_text_field(&to, "userId", h->user_id);
	add_text_field(&to, "id", h->id);
	xmlNode *hash = add_text_field(&to, "requestHash", h->request_hash);
	if (hash && h->request_hash_alg) {
		xmlNewProp(hash, SLT_XML("algorithmId"), SLT_XML(h->request_hash_alg));
	}
	add_text_field(&to, "issue", h->issue);
	add_text_field(&to, "protocolVersion", h->protocol_version);
	add_party(to.header, h);
}

xmlDoc *slt_soap_new_envelope(void)
{
	xmlDoc *doc = xmlNewDoc(SLT_XML("1.0"));
	xmlNode *root = xmlNewDocNode(doc, NULL, SLT_XML("Envelope"), NULL);
	xmlNs *ns = xmlNewNs(root, SLT_XML(SLT_NS_SOAP), SLT_XML("SOAP-ENV"));

	slt_assert(doc && root && ns);
	xmlSetNs(root, ns);
	xmlDocSetRootElement(doc, root);
	xmlNewChild(root, ns, SLT_XML("Header"), NULL);
	xmlNewChild(root, ns, SLT_XML("Body"), NULL);
	return doc;
}

/* --- answers --- */

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *difference(const struct slt_soap_header *q, const struct slt_soap_header *r)
{
	if (!slt_id_eq(&q->client, &r->client)) {
		return "client";
	}
	if (!slt_id_eq(&q->service, &r->service)) {
		return "service";
	}
	if (!same(q->id, r->id)) {
		return "id";
	}
	if (!same(q->user_id, r->user_id)) {
		return "userId";
	}
	if (!same(q->issue, r->issue)) {
		return "issue";
	}
	if (!same(q->party_class, r->party_class) || !same(q->party_code, r->party_code)) {
		return "representedParty";
	}
	return NULL;
}

bool slt_soap_check_answer(const struct slt_soap_header *request,
			   const struct slt_digest *request_digest,
			   const struct slt_soap_header *answer, struct slt_err *err)
{
	const char *what = difference(request, answer);

	if (what) {
		slt_fail(err, SLT_EINCONSISTENT_RESPONSE,
			 "the header %s of the answer is not that of the request", what);
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	if (!answer->request_hash) {
		return slt_fail(err, SLT_EINCONSISTENT_RESPONSE, "the answer has no requestHash");
	}
	struct slt_err e = SLT_ERR_INIT;
	SLT_AUTO_BUF(hash, SLT_SOAP_FIELD_MAX);
	/* algorithmId is not looked at: X-Road compares the value with its own hash only */
	if (!slt_base64_decode(slt_str(answer->request_hash), &hash, &e) ||
	    hash.n != request_digest->n ||
	    CRYPTO_memcmp(hash.p, request_digest->v, request_digest->n) != 0) {
		return slt_fail(err, SLT_EINCONSISTENT_RESPONSE,
				"the requestHash of the answer is not the hash of the request");
	}
	return true;
}

/* A URI reference by the characters of RFC 3986, %XX included. */
static bool is_uri_reference(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (c == '%') {
			if (n - i < 3 || strspn(p + i + 1, "0123456789abcdefABCDEF") < 2) {
				return false;
			}
		} else if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c)) {
			return false;
		}
	}
	return true;
}

bool slt_soap_check_action(const char *value, struct slt_err *err)
{
	if (!value || !*value) {
		return true;
	}
	size_t n = strlen(value);
	if (n < 2 || value[0] != '"' || value[n - 1] != '"' ||
	    !is_uri_reference(value + 1, n - 2)) {
		return slt_fail(err, SLT_EINVALID_SOAP_ACTION,
				"SOAPAction must be empty or a URI in quotes: %.80s", value);
	}
	return true;
}
