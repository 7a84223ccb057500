/* SPDX-License-Identifier: MIT */
/* What is demanded beyond X-Road's own rules (xroad-wire 2.4): signature wrapping and uncovered
 * parts are refused here. */
#include <stdio.h>
#include <string.h>

#include "federation/xades_check.h"

#define IDS_MAX 128

bool slt_xades_demand(struct slt_xades_job *j, struct slt_err *err, enum slt_code code,
		      const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!j->in->lax) {
		(void)slt_fail(err, code, "%s", text);
		return slt_prefix(err, SLT_MALFORMED_SIGNATURE);
	}

	struct slt_verdict *v = &j->verdict;

	if (v->n_warnings < SLT_COUNT(v->warning)) {
		(void)snprintf(v->warning[v->n_warnings++], sizeof(v->warning[0]), "%.*s",
			       (int)sizeof(v->warning[0]) - 1, text);
	}
	return true;
}

#define DEMAND(...) slt_xades_demand(j, err, SLT_MALFORMED_SIGNATURE, __VA_ARGS__)

/* --- the tree --- */

struct census { /* what a walk over the whole document finds */
	const char *id[IDS_MAX];
	const char *duplicate_id; /* NULL: none */
	unsigned n_ids, n_signatures, n_signed_infos, n_objects;
	bool odd_nodes; /* comments or processing instructions in the signature */
};

static void count_id(struct census *c, const xmlNode *n)
{
	const xmlAttr *a = xmlHasNsProp(n, SLT_XML("Id"), NULL);

	if (a == NULL) {
		return;
	}

	const char *id = a->children != NULL ? (const char *)a->children->content : "";

	for (unsigned i = 0; i < c->n_ids; i++) {
		if (strcmp(c->id[i], id) == 0) {
			c->duplicate_id = id;
		}
	}
	if (c->n_ids == IDS_MAX) { /* an honest signature has a dozen */
		c->duplicate_id = id;
		return;
	}
	c->id[c->n_ids++] = id;
}

static void take_census(struct census *c, const xmlNode *n)
{
	for (; n != NULL; n = n->next) {
		if (n->type == XML_COMMENT_NODE || n->type == XML_PI_NODE) {
			c->odd_nodes = true;
		}
		if (n->type != XML_ELEMENT_NODE) {
			continue;
		}
		count_id(c, n);
		c->n_signatures += slt_xml_is(n, SLT_NS_DS, "Signature");
		c->n_signed_infos += slt_xml_is(n, SLT_NS_DS, "SignedInfo");
		c->n_objects += slt_xml_is(n, SLT_NS_DS, "Object");
		take_census(c, n->children);
	}
}

static bool check_tree(struct slt_xades_job *j, struct slt_err *err)
{
	const struct slt_xades *x = j->x;
	const xmlNode *root = xmlDocGetRootElement(x->doc);
	struct census c = {.n_ids = 0};

	take_census(&c, root);
	if (c.n_signatures != 1 || c.n_signed_infos != 1 || c.n_objects != 1) {
		return DEMAND("the document has %u ds:Signature, %u ds:SignedInfo and %u "
			      "ds:Object elements: exactly one of each is expected",
			      c.n_signatures, c.n_signed_infos, c.n_objects);
	}
	if (c.duplicate_id != NULL) {
		return DEMAND("the Id %.60s stands on more than one element", c.duplicate_id);
	}
	if (c.odd_nodes) {
		return DEMAND("the signature has comments or processing instructions");
	}
	/* the namespace of the container changed over the years, its name did not */
	if (x->signature != root && (x->signature->parent != root ||
				     strcmp((const char *)root->name, "XAdESSignatures") != 0)) {
		return DEMAND("ds:Signature stands neither alone nor in asic:XAdESSignatures");
	}
	if (x->object->parent != x->signature || x->qualifying == NULL ||
	    slt_xml_first(x->object) != x->qualifying || slt_xml_next(x->qualifying) != NULL) {
		return DEMAND("ds:Object must hold xades:QualifyingProperties of this signature "
			      "and nothing else");
	}

	const char *id = slt_xml_attr(x->arena, x->signature, NULL, "Id");
	const char *target = slt_xml_attr(x->arena, x->qualifying, NULL, "Target");

	if (id == NULL || target == NULL || target[0] != '#' || strcmp(target + 1, id) != 0) {
		return DEMAND("the qualifying properties do not name this signature as their "
			      "target");
	}
	return true;
}

/* --- references --- */

static bool strong(const struct slt_xades_job *j, enum slt_digest_alg alg)
{
	return alg == SLT_SHA256 || alg == SLT_SHA384 || alg == SLT_SHA512 ||
	       (alg == SLT_SHA1 && j->in->allow_sha1);
}

/* Variants with comments would sign what readers are free to drop. */
static bool check_c14n(struct slt_xades_job *j, const xmlNode *method, struct slt_err *err)
{
	const char *uri =
		method != NULL ? slt_xml_attr(j->x->arena, method, NULL, "Algorithm") : NULL;

	if (uri != NULL && strstr(uri, "#WithComments") != NULL) {
		return slt_xades_demand(j, err, SLT_EALGORITHM,
					"the canonicalisation %.80s is not allowed", uri);
	}
	return true;
}

static bool check_algorithms(struct slt_xades_job *j, struct slt_err *err)
{
	const xmlNode *method = slt_xml_child(j->x->signed_info, SLT_NS_DS, "SignatureMethod");
	const char *uri =
		method != NULL ? slt_xml_attr(j->x->arena, method, NULL, "Algorithm") : NULL;
	enum slt_sig_alg alg = slt_sig_by_uri(slt_str(uri));

	if (alg == SLT_SIG_NONE || !strong(j, slt_sig_digest(alg))) {
		return slt_xades_demand(j, err, SLT_EALGORITHM,
					"the signature method %.80s is not allowed",
					uri != NULL ? uri : "");
	}
	if (!check_c14n(j, slt_xml_child(j->x->signed_info, SLT_NS_DS, "CanonicalizationMethod"),
			err)) {
		return false;
	}
	for (size_t i = 0; i < j->x->n_ref; i++) {
		const xmlNode *t = slt_xml_child(j->x->ref[i].node, SLT_NS_DS, "Transforms");
		const xmlNode *m = slt_xml_child(j->x->ref[i].node, SLT_NS_DS, "DigestMethod");

		if (t != NULL && !check_c14n(j, slt_xml_first(t), err)) {
			return false;
		}
		uri = m != NULL ? slt_xml_attr(j->x->arena, m, NULL, "Algorithm") : NULL;
		if (!strong(j, slt_digest_by_uri(slt_str(uri)))) {
			return slt_xades_demand(j, err, SLT_EALGORITHM,
						"the digest method %.80s is not allowed",
						uri != NULL ? uri : "");
		}
	}
	return true;
}

/* Which of the known kinds of reference is this? */
enum kind { KIND_UNKNOWN, KIND_PROPERTIES, KIND_RESULT, KIND_PART };

static enum kind kind_of(const struct slt_xades_job *j, const struct slt_xades_ref *ref)
{
	if (ref->uri[0] == '#') {
		const char *id =
			j->x->signed_properties != NULL
				? slt_xml_attr(j->x->arena, j->x->signed_properties, NULL, "Id")
				: NULL;

		return id != NULL && strcmp(ref->uri + 1, id) == 0 &&
				       strcmp(ref->type, SLT_TYPE_SIGNED_PROPERTIES) == 0
			       ? KIND_PROPERTIES
			       : KIND_UNKNOWN;
	}
	if (strcmp(ref->uri, SLT_URI_HC_RESULT) == 0) {
		return KIND_RESULT;
	}
	return slt_xades_part(j->in, ref->uri) != NULL ? KIND_PART : KIND_UNKNOWN;
}

static bool check_reference_set(struct slt_xades_job *j, struct slt_err *err)
{
	unsigned n_of[KIND_PART + 1] = {0};

	for (size_t i = 0; i < j->x->n_ref; i++) {
		const struct slt_xades_ref *ref = &j->x->ref[i];
		enum kind kind = kind_of(j, ref);

		if (kind == KIND_UNKNOWN) {
			return DEMAND("the reference \"%.80s\" is neither a part of the message "
				      "nor the signed properties of this signature",
				      ref->uri);
		}
		for (size_t k = 0; k < i; k++) {
			if (strcmp(ref->uri, j->x->ref[k].uri) == 0) {
				return DEMAND("%.80s is referenced twice", ref->uri);
			}
		}
		n_of[kind]++;
	}
	if (n_of[KIND_PROPERTIES] != 1) {
		return DEMAND("the signed properties are not covered by the signature");
	}
	if (n_of[KIND_RESULT] > 0 && (n_of[KIND_PART] > 0 || !j->chained)) {
		return DEMAND(n_of[KIND_PART] > 0
				      ? "the signature references both a hash chain and parts"
				      : "the signature references a hash chain that is missing");
	}
	if (n_of[KIND_RESULT] == 0 &&
	    (j->in->hash_chain_result.p != NULL || j->in->hash_chain.p != NULL)) {
		return DEMAND("a hash chain came with the message that the signature does not "
			      "reference");
	}
	return true;
}

/* In hash chain mode the chain's own verification demands every part. */
static bool check_coverage(struct slt_xades_job *j, struct slt_err *err)
{
	for (size_t i = 0; !j->chained && i < j->in->n_parts; i++) {
		const char *name = j->in->parts[i].name;

		if (!slt_xades_references(j->x, name)) {
			return slt_xades_demand(j, err, SLT_EUNCOVERED_PART,
						"%.80s is not covered by the signature", name);
		}
	}
	return true;
}

bool slt_xades_policy_form(struct slt_xades_job *j, struct slt_err *err)
{
	if (!j->in->lax && j->in->n_parts == 0) {
		return slt_fail(err, SLT_EINTERNAL, "there is no message to verify");
	}
	return check_tree(j, err) && check_algorithms(j, err) && check_reference_set(j, err) &&
	       check_coverage(j, err);
}

/* --- the certificate --- */

static bool check_signing_certificate(struct slt_xades_job *j, struct slt_err *err)
{
	static const char *const to_digest[] = {"SignedSignatureProperties", "SigningCertificate",
						"Cert", "CertDigest"};
	static const char *const to_digest2[] = {"SignedSignatureProperties",
						 "SigningCertificateV2", "Cert", "CertDigest"};
	const xmlNode *n = j->x->signed_properties != NULL
				   ? slt_xades_path(j->x->signed_properties, to_digest, 4)
				   : NULL;

	if (n == NULL && j->x->signed_properties != NULL) {
		n = slt_xades_path(j->x->signed_properties, to_digest2, 4);
	}

	struct slt_digest want, got;

	if (n == NULL || !slt_xades_digest(j->x->arena, n, &want) || !strong(j, want.alg)) {
		return DEMAND("the signed properties do not name the signing certificate by a "
			      "digest of an allowed algorithm");
	}
	slt_certinfo_digest(j->verdict.cert, want.alg, &got);
	if (!slt_digest_eq(&want, &got)) {
		return DEMAND("the signed properties name another certificate than KeyInfo");
	}
	return true;
}

bool slt_xades_policy_cert(struct slt_xades_job *j, struct slt_err *err)
{
	const xmlNode *info = slt_xml_child(j->x->signature, SLT_NS_DS, "KeyInfo");
	const xmlNode *data = info != NULL ? slt_xml_first(info) : NULL;
	const xmlNode *cert = data != NULL ? slt_xml_first(data) : NULL;

	if (!slt_xml_is(cert, SLT_NS_DS, "X509Certificate") || slt_xml_next(cert) != NULL ||
	    slt_xml_next(data) != NULL) {
		if (!DEMAND("KeyInfo holds more than one certificate or another kind of key")) {
			return false;
		}
	}
	if (j->ca->authentication_only &&
	    !DEMAND("the authority \"%.80s\" is approved for authentication certificates only",
		    j->ca->name != NULL ? j->ca->name : "")) {
		return false;
	}
	return check_signing_certificate(j, err);
}
