/* SPDX-License-Identifier: MIT */
/*
 * Signing certificates that were judged before. Messages of one signer carry the same certificate
 * and, for a while, the same OCSP response; decoding and judging them costs several times what the
 * signature itself does.
 */
#include <string.h>

#include "federation/xades_check.h"

const xmlNode *slt_xades_cert_refs(const struct slt_xades *x)
{
	static const char *const names[] = {"CompleteCertificateRefs", "CertRefs"};

	return x->unsigned_properties != NULL ? slt_xades_path(x->unsigned_properties, names, 2)
					      : NULL;
}

const xmlNode *slt_xades_ocsp_values(const struct slt_xades *x)
{
	static const char *const names[] = {"RevocationValues", "OCSPValues"};

	return x->unsigned_properties != NULL ? slt_xades_path(x->unsigned_properties, names, 2)
					      : NULL;
}

const xmlNode *slt_xades_signer_cert(const struct slt_xades *x)
{
	const xmlNode *info = slt_xml_child(x->signature, SLT_NS_DS, "KeyInfo");
	const xmlNode *data = info != NULL ? slt_xml_child(info, SLT_NS_DS, "X509Data") : NULL;

	return data != NULL ? slt_xml_child(data, SLT_NS_DS, "X509Certificate") : NULL;
}

/* --- what a judgement depends on --- */

/* Each piece with its length, so that none can pass for the end of another. */
static void add(struct slt_hasher *h, const void *p, size_t n)
{
	uint64_t length = n;

	slt_hasher_add(h, &length, sizeof(length));
	slt_hasher_add(h, p, n);
}

static void add_text(struct slt_hasher *h, const void *text)
{
	add(h, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

/* Everything that can be read from an element: names, attributes, text, all below. */
static void add_tree(struct slt_hasher *h, const xmlNode *node)
{
	add_text(h, node->ns != NULL ? node->ns->href : NULL);
	add_text(h, node->name);
	for (const xmlAttr *a = node->properties; a != NULL; a = a->next) {
		add(h, "a", 1);
		add_text(h, a->ns != NULL ? a->ns->href : NULL);
		add_text(h, a->name);
		for (const xmlNode *v = a->children; v != NULL; v = v->next) {
			add(h, "v", 1);
			add_text(h, v->content);
		}
	}
	for (const xmlNode *n = node->children; n != NULL; n = n->next) {
		if (n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) {
			add(h, "t", 1);
			add_text(h, n->content);
		} else if (n->type == XML_ELEMENT_NODE) {
			add(h, "e", 1);
			add_tree(h, n); /* as deep as the parser lets a document be */
		}
	}
	add(h, "z", 1);
}

/* The certificates that the signature brings along, and how it refers to them. */
static bool add_extras(struct slt_xades_job *j, struct slt_hasher *h)
{
	const xmlNode *refs = slt_xades_cert_refs(j->x);

	if (refs == NULL) {
		add(h, "none", 4);
		return true;
	}
	add_tree(h, refs);
	for (const xmlNode *n = slt_xml_child(refs, SLT_NS_XADES, "Cert"); n != NULL;
	     n = slt_xml_next_named(n, SLT_NS_XADES, "Cert")) {
		const char *uri = slt_xml_attr(j->x->arena, n, NULL, "URI");
		const xmlNode *cert =
			uri != NULL ? slt_xades_resolve_id(j, uri + strspn(uri, "#")) : NULL;

		if (cert == NULL) {
			return false;
		}
		add_tree(h, cert);
	}
	return true;
}

/* False when this signature's verdict is not to be remembered. */
static bool make_key(struct slt_xades_job *j, struct slt_digest *ret)
{
	const struct slt_verify_input *in = j->in;
	const xmlNode *cert = slt_xades_signer_cert(j->x), *ocsp = slt_xades_ocsp_values(j->x);

	if (in->memory == NULL || in->memory->gc != in->gc || in->ca_override != NULL ||
	    cert == NULL || ocsp == NULL) {
		return false;
	}

	SLT_AUTO(slt_hasher_free) struct slt_hasher *h = slt_hasher_new(SLT_SHA256);

	add_text(h, in->lax ? "lax" : "strict");
	add_text(h, in->signer.instance);
	add_tree(h, cert);
	add_tree(h, ocsp);
	if (!add_extras(j, h)) {
		return false;
	}
	slt_hasher_end(h, ret);
	return true;
}

/* --- asking and telling --- */

bool slt_xades_recall(struct slt_xades_job *j)
{
	const struct slt_verify_memory *m = j->in->memory;
	struct slt_verify_known k;

	j->keyed = make_key(j, &j->key);
	j->known = j->keyed && m->recall(m->arg, &j->key, j->in->at_ms, j->x->arena, &k);
	if (j->known) {
		j->verdict.cert = k.cert;
		j->verdict.path = k.path;
		j->ca = k.ca;
		j->member = k.member;
	}
	return j->known;
}

void slt_xades_remember(const struct slt_xades_job *j)
{
	const struct slt_verify_memory *m = j->in->memory;
	const struct slt_verify_known k = {
		.cert = j->verdict.cert,
		.ca = j->ca,
		.member = j->member,
		.path = j->verdict.path,
	};

	if (j->keyed && !j->known) {
		m->remember(m->arg, &j->key, j->in->at_ms, &k);
	}
}
