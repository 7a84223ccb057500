/* SPDX-License-Identifier: MIT */
#include "federation/xades_form.h"

#include <string.h>

/* X-Road's reader finds these elements by their qualified names, so the prefix counts. */
static bool is_ds(const xmlNode *n, const char *name)
{
	return slt_xml_is(n, SLT_NS_DS, name) && n->ns->prefix != NULL &&
	       strcmp((const char *)n->ns->prefix, "ds") == 0;
}

/* The next element in document order, not leaving root; NULL at the end. */
static xmlNode *walk(xmlNode *at, const xmlNode *root)
{
	xmlNode *next = slt_xml_first(at);

	while (next == NULL && at != root) {
		next = slt_xml_next(at);
		at = at->parent;
	}
	return next;
}

static xmlNode *find_ds(xmlNode *root, const char *name)
{
	for (xmlNode *n = root; n != NULL; n = walk(n, root)) {
		if (is_ds(n, name)) {
			return n;
		}
	}
	return NULL;
}

static bool find_references(struct slt_xades *x, struct slt_err *err)
{
	for (xmlNode *n = slt_xml_child(x->signed_info, SLT_NS_DS, "Reference"); n != NULL;
	     n = slt_xml_next_named(n, SLT_NS_DS, "Reference")) {
		const char *uri = slt_xml_attr(x->arena, n, NULL, "URI");
		const char *type = slt_xml_attr(x->arena, n, NULL, "Type");

		if (x->n_ref == SLT_XADES_REFERENCES_MAX) {
			return slt_fail(err, SLT_MALFORMED_SIGNATURE,
					"SignedInfo has more than %d references",
					SLT_XADES_REFERENCES_MAX);
		}
		x->ref[x->n_ref++] = (struct slt_xades_ref){
			.node = n,
			.uri = uri != NULL ? uri : "",
			.type = type != NULL ? type : "",
		};
	}
	return true;
}

bool slt_xades_parse(struct slt_str bytes, struct slt_xades **ret, struct slt_err *err)
{
	static const struct slt_xml_limits limits = {
		.bytes = SLT_XADES_BYTES_MAX, .depth = 64, .nodes = 20000};
	static const char *const to_unsigned[] = {"UnsignedProperties",
						  "UnsignedSignatureProperties"};
	SLT_AUTO(slt_xades_free) struct slt_xades *x = slt_calloc(1, sizeof(*x));

	x->arena = slt_arena_new();
	if (!slt_xml_parse(bytes.p, bytes.n, &limits, "signature", &x->doc, err)) {
		return false;
	}

	xmlNode *root = xmlDocGetRootElement(x->doc);

	x->signature = find_ds(root, "Signature");
	if (x->signature == NULL) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"the signature document has no element ds:Signature");
	}
	x->object = find_ds(root, "Object");
	if (x->object == NULL) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"the signature has no element ds:Object");
	}
	x->signed_info = slt_xml_child(x->signature, SLT_NS_DS, "SignedInfo");
	if (x->signed_info == NULL) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"the signature has no element ds:SignedInfo");
	}
	x->qualifying = slt_xml_child(x->object, SLT_NS_XADES, "QualifyingProperties");
	if (x->qualifying != NULL) {
		x->signed_properties =
			slt_xml_child(x->qualifying, SLT_NS_XADES, "SignedProperties");
		x->unsigned_properties = slt_xades_path(x->qualifying, to_unsigned, 2);
	}
	if (!find_references(x, err)) {
		return false;
	}
	*ret = SLT_TAKE(x);
	return true;
}

void slt_xades_free(struct slt_xades *x)
{
	if (x == NULL) {
		return;
	}
	slt_xml_free(x->doc);
	slt_arena_free(x->arena);
	free(x);
}

bool slt_xades_references(const struct slt_xades *x, const char *uri)
{
	for (size_t i = 0; i < x->n_ref; i++) {
		if (strcmp(x->ref[i].uri, uri) == 0) {
			return true;
		}
	}
	return false;
}

xmlNode *slt_xades_by_id(xmlNode *root, const char *id)
{
	for (xmlNode *n = root; n != NULL; n = walk(n, root)) {
		const xmlAttr *a = xmlHasNsProp(n, SLT_XML("Id"), NULL);

		/* a value without entities is one text node; the parser refuses entities */
		if (a != NULL && a->children != NULL && a->children->content != NULL &&
		    strcmp((const char *)a->children->content, id) == 0) {
			return n;
		}
	}
	return NULL;
}

const xmlNode *slt_xades_path(const xmlNode *from, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n && from != NULL; i++) {
		from = slt_xml_child(from, SLT_NS_XADES, names[i]);
	}
	return from;
}

bool slt_xades_signature_value(const struct slt_xades *x, struct slt_buf *ret, struct slt_err *err)
{
	const xmlNode *v = slt_xml_child(x->signature, SLT_NS_DS, "SignatureValue");
	struct slt_err why = SLT_ERR_INIT;

	if (v == NULL) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"the signature has no element ds:SignatureValue");
	}
	if (!slt_xml_base64(v, ret, &why) || !slt_buf_check(ret, "SignatureValue", &why)) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE, "SignatureValue: %s", why.msg);
	}
	return true;
}

bool slt_xades_timestamp(const struct slt_xades *x, struct slt_buf *ret, struct slt_err *err)
{
	const xmlNode *ts = NULL;
	struct slt_err why = SLT_ERR_INIT;

	if (x->unsigned_properties != NULL) {
		ts = slt_xml_child(x->unsigned_properties, SLT_NS_XADES, "SignatureTimeStamp");
	}
	if (ts == NULL) {
		return slt_fail(err, SLT_EASIC_TIMESTAMP_NOT_FOUND,
				"the signature carries no time-stamp");
	}

	const xmlNode *inner = slt_xml_child(ts, SLT_NS_XADES, "EncapsulatedTimeStamp");

	/* before 6.0 the token stood directly in SignatureTimeStamp */
	if (!slt_xml_base64(inner != NULL ? inner : ts, ret, &why) ||
	    !slt_buf_check(ret, "time-stamp", &why)) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE, "EncapsulatedTimeStamp: %s", why.msg);
	}
	return true;
}

bool slt_xades_digest(struct slt_arena *a, const xmlNode *node, struct slt_digest *ret)
{
	const xmlNode *method = slt_xml_child(node, SLT_NS_DS, "DigestMethod");
	const xmlNode *value = slt_xml_child(node, SLT_NS_DS, "DigestValue");
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(b, SLT_DIGEST_MAX);

	if (method == NULL || value == NULL) {
		return false;
	}

	enum slt_digest_alg alg =
		slt_digest_by_uri(slt_str(slt_xml_attr(a, method, NULL, "Algorithm")));

	if (alg == SLT_DIGEST_NONE || !slt_xml_base64(value, &b, &err) || b.failed ||
	    b.n != slt_digest_size(alg)) {
		return false;
	}
	*ret = (struct slt_digest){.alg = alg, .n = (unsigned)b.n};
	memcpy(ret->v, b.p, b.n);
	return true;
}
