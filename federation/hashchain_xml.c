/* SPDX-License-Identifier: MIT */
#include "federation/hashchain_xml.h"

#include <string.h>

#define NS_XSI "http://www.w3.org/2001/XMLSchema-instance"

static const struct slt_xml_limits limits = {
	.bytes = SLT_HASHCHAIN_BYTES_MAX, .depth = 16, .nodes = 32768};

static bool is_hc(const xmlNode *n, const char *name)
{
	return slt_xml_is(n, SLT_NS_HASHCHAIN, name);
}

static bool is_ds(const xmlNode *n, const char *name)
{
	return slt_xml_is(n, SLT_NS_DSIG, name);
}

static bool malformed(const xmlNode *n, const char *why, struct slt_err *err)
{
	return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN, "line %ld: %.40s %s", xmlGetLineNo(n),
			(const char *)n->name, why);
}

const char *slt_hashchain_attr(const xmlNode *n, const char *name)
{
	const xmlAttr *a = n->properties;

	while (a && (a->ns || strcmp((const char *)a->name, name) != 0)) {
		a = a->next;
	}
	const xmlNode *text = a ? a->children : NULL;
	return text && text->type == XML_TEXT_NODE && !text->next ? (const char *)text->content
								  : NULL;
}

/* No text between the children, and no attribute but the named one (NULL: none). */
static bool check_shape(const xmlNode *n, const char *attr, bool attr_required, struct slt_err *err)
{
	for (const xmlAttr *a = n->properties; a; a = a->next) {
		bool xsi = a->ns && strcmp((const char *)a->ns->href, NS_XSI) == 0;
		bool mine = attr && !a->ns && strcmp((const char *)a->name, attr) == 0;
		if (!xsi && !mine) {
			return malformed(n, "has an attribute that it may not have", err);
		}
	}
	const char *v = attr_required ? slt_hashchain_attr(n, attr) : "";
	if (!v || strlen(v) > SLT_HASHCHAIN_URI_MAX) {
		return malformed(n, "lacks its attribute, or it is empty or too long", err);
	}
	for (const xmlNode *c = n->children; c; c = c->next) {
		bool text = c->type == XML_TEXT_NODE && !xmlIsBlankNode(c);
		if (text || c->type == XML_CDATA_SECTION_NODE || c->type == XML_ENTITY_REF_NODE) {
			return malformed(n, "has text of its own", err);
		}
	}
	return true;
}

static bool check_method(const xmlNode *n, struct slt_err *err)
{
	if (!check_shape(n, "Algorithm", true, err)) {
		return false;
	}
	return !slt_xml_first(n) || malformed(n, "has child elements", err);
}

static bool check_digest_value(const xmlNode *n, struct slt_err *err)
{
	if (n->properties || slt_xml_first(n)) {
		return malformed(n, "is not a plain value", err);
	}
	return true;
}

static bool check_transforms(const xmlNode *n, struct slt_err *err)
{
	if (!check_shape(n, NULL, false, err)) {
		return false;
	}
	if (!slt_xml_first(n)) {
		return malformed(n, "is empty", err);
	}
	for (const xmlNode *t = slt_xml_first(n); t; t = slt_xml_next(t)) {
		if (!is_ds(t, "Transform")) {
			return malformed(n, "has a child that is no Transform", err);
		}
		if (!check_method(t, err)) {
			return false;
		}
	}
	return true;
}

/* DigestMethod?, Transforms? (only a reference to data has use for them), DigestValue. Which of
 * them may and must be there goes by the element. */
static bool check_content(const xmlNode *n, bool transforms, bool value, struct slt_err *err)
{
	const xmlNode *c = slt_xml_first(n);

	if (c && is_ds(c, "DigestMethod")) {
		if (!check_method(c, err)) {
			return false;
		}
		c = slt_xml_next(c);
	}
	if (c && transforms && is_ds(c, "Transforms")) {
		if (!check_transforms(c, err)) {
			return false;
		}
		c = slt_xml_next(c);
	}
	if (value) {
		if (!c || !is_ds(c, "DigestValue")) {
			return malformed(n, "lacks its DigestValue", err);
		}
		if (!check_digest_value(c, err)) {
			return false;
		}
		c = slt_xml_next(c);
	}
	return !c || malformed(n, "has a child element that does not belong there", err);
}

static bool check_value(const xmlNode *n, struct slt_err *err)
{
	bool ref = is_hc(n, "StepRef"), data = is_hc(n, "DataRef");

	if (!ref && !data && !is_hc(n, "HashValue")) {
		return malformed(n, "does not belong into a HashStep", err);
	}
	return check_shape(n, ref || data ? "URI" : NULL, ref || data, err) &&
	       check_content(n, data, !ref, err);
}

static bool check_step(const xmlNode *step, struct slt_err *err)
{
	if (!check_shape(step, "id", false, err)) {
		return false;
	}
	for (const xmlNode *c = slt_xml_first(step); c; c = slt_xml_next(c)) {
		if (!check_value(c, err)) {
			return false;
		}
	}
	return true;
}

/* Two steps of the same name would let two readers see two chains. */
static bool check_unique(const xmlNode *step, const char **ids, unsigned n, struct slt_err *err)
{
	for (unsigned i = 0; ids[n] && i < n; i++) {
		if (ids[i] && strcmp(ids[i], ids[n]) == 0) {
			return malformed(step, "has the id of another step", err);
		}
	}
	return true;
}

static bool check_chain(const xmlNode *root, struct slt_err *err)
{
	const char *ids[SLT_HASHCHAIN_STEPS_MAX];
	const xmlNode *c = slt_xml_first(root);
	unsigned n = 0;

	if (!is_hc(root, "HashChain") || !check_shape(root, NULL, false, err)) {
		return malformed(root, "is not a HashChain", err);
	}
	if (c && is_hc(c, "DefaultDigestMethod")) {
		if (!check_method(c, err)) {
			return false;
		}
		c = slt_xml_next(c);
	}
	for (; c; c = slt_xml_next(c)) {
		if (!is_hc(c, "HashStep")) {
			return malformed(c, "does not belong into a HashChain", err);
		}
		if (n == SLT_HASHCHAIN_STEPS_MAX) {
			return malformed(root, "has too many steps", err);
		}
		ids[n] = slt_hashchain_attr(c, "id");
		if (!check_step(c, err) || !check_unique(c, ids, n++, err)) {
			return false;
		}
	}
	return true;
}

static bool check_result(const xmlNode *root, struct slt_err *err)
{
	if (!is_hc(root, "HashChainResult")) {
		return malformed(root, "is not a HashChainResult", err);
	}
	return check_shape(root, "URI", true, err) && check_content(root, false, true, err);
}

static bool load(struct slt_str bytes, const char *what,
		 bool (*check)(const xmlNode *root, struct slt_err *err), xmlDoc **ret,
		 struct slt_err *err)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err e = SLT_ERR_INIT;

	if (!slt_xml_parse(bytes.p, bytes.n, &limits, what, &doc, &e)) {
		return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN, "%s", e.msg);
	}
	if (!check(xmlDocGetRootElement(doc), err)) {
		return slt_wrap(err, "%s", what);
	}
	*ret = SLT_TAKE(doc);
	return true;
}

bool slt_hashchain_load_result(struct slt_str bytes, xmlDoc **ret, struct slt_err *err)
{
	return load(bytes, "the hash chain result", check_result, ret, err);
}

bool slt_hashchain_load_chain(struct slt_str bytes, const char *uri, xmlDoc **ret,
			      struct slt_err *err)
{
	SLT_AUTO_STR char *what = slt_asprintf("the hash chain %.80s", uri);

	return load(bytes, what, check_chain, ret, err);
}

bool slt_hashchain_alg(const xmlNode *value, bool allow_sha1, enum slt_digest_alg *ret,
		       struct slt_err *err)
{
	const xmlNode *method = slt_xml_child(value, SLT_NS_DSIG, "DigestMethod");

	if (!method) {
		method = slt_xml_child(xmlDocGetRootElement(value->doc), SLT_NS_HASHCHAIN,
				       "DefaultDigestMethod");
	}
	if (!method) {
		return malformed(value, "has no digest method", err);
	}
	const char *uri = slt_hashchain_attr(method, "Algorithm");
	enum slt_digest_alg alg = slt_digest_by_uri(slt_str(uri));
	if (alg == SLT_DIGEST_NONE || (alg == SLT_SHA1 && !allow_sha1)) {
		return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN,
				"the hash chain uses the digest method %.80s, which is not allowed",
				uri);
	}
	*ret = alg;
	return true;
}

bool slt_hashchain_value(const xmlNode *value, enum slt_digest_alg alg, struct slt_digest *ret,
			 struct slt_err *err)
{
	SLT_AUTO_BUF(b, SLT_DIGEST_MAX);
	struct slt_digest d = {.alg = alg};
	struct slt_err e = SLT_ERR_INIT;

	if (!slt_xml_base64(slt_xml_child(value, SLT_NS_DSIG, "DigestValue"), &b, &e) || b.failed ||
	    b.n == 0) {
		return malformed(value, "has a DigestValue that is no digest", err);
	}
	memcpy(d.v, b.p, b.n);
	d.n = (unsigned)b.n;
	*ret = d;
	return true;
}
