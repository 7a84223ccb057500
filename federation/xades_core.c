/* SPDX-License-Identifier: MIT */
/* Core validation: the signature value and the references. */
#include <string.h>

#include "federation/xades_check.h"

#define CANONICAL_MAX (8u << 20)
/* Caps the work that references to the same large element could cause. */
#define CANONICAL_TOTAL_MAX (32u << 20)

bool slt_xades_is_attachment(const char *uri)
{
	return slt_str_starts(slt_str(uri), SLT_URI_ATTACHMENT);
}

const struct slt_verify_part *slt_xades_part(const struct slt_verify_input *in, const char *uri)
{
	for (size_t i = 0; i < in->n_parts; i++) {
		if (strcmp(in->parts[i].name, uri) == 0) {
			return &in->parts[i];
		}
	}
	return NULL;
}

xmlNode *slt_xades_resolve_id(const struct slt_xades_job *j, const char *id)
{
	return slt_xades_by_id(j->in->lax ? xmlDocGetRootElement(j->x->doc) : j->x->signature, id);
}

bool slt_xades_c14n_mode(const struct slt_xades_job *j, const xmlNode *method, enum slt_c14n *ret)
{
	struct slt_str uri = slt_str(slt_xml_attr(j->x->arena, method, NULL, "Algorithm"));
	static const char comments[] = "#WithComments";

	if (slt_xml_first(method) != NULL) { /* InclusiveNamespaces and the like */
		return false;
	}
	/* X-Road's reader drops comments, so that both variants are the same to it */
	if (j->in->lax && uri.n > sizeof(comments) - 1 &&
	    memcmp(uri.p + uri.n - (sizeof(comments) - 1), comments, sizeof(comments) - 1) == 0) {
		uri.n -= slt_str_starts(uri, SLT_EXC_C14N_URI) ? sizeof(comments) - 2
							       : sizeof(comments) - 1;
	}
	if (slt_str_eq(uri, SLT_C14N_URI)) {
		*ret = SLT_C14N_INCLUSIVE;
	} else if (slt_str_eq(uri, SLT_EXC_C14N_URI)) {
		*ret = SLT_C14N_EXCLUSIVE;
	} else if (slt_str_eq(uri, SLT_C14N11_URI)) {
		*ret = SLT_C14N_11;
	} else {
		return false;
	}
	return true;
}

static const char *method_uri(const struct slt_xades_job *j, const xmlNode *method)
{
	return method != NULL ? slt_xml_attr(j->x->arena, method, NULL, "Algorithm") : NULL;
}

static bool malformed(struct slt_err *err)
{
	return slt_prefix(err, SLT_MALFORMED_SIGNATURE);
}

static bool bad_algorithm(struct slt_err *err, const char *what, const char *uri)
{
	(void)slt_fail(err, SLT_EALGORITHM, "%s is %.120s, which is not allowed", what,
		       uri != NULL ? uri : "missing");
	return malformed(err);
}

/* --- the signature value --- */

static bool signed_info_digest(struct slt_xades_job *j, enum slt_digest_alg alg,
			       struct slt_digest *ret, struct slt_err *err)
{
	const xmlNode *method =
		slt_xml_child(j->x->signed_info, SLT_NS_DS, "CanonicalizationMethod");
	enum slt_c14n mode;
	SLT_AUTO_BUF(canonical, CANONICAL_MAX);

	if (method == NULL || !slt_xades_c14n_mode(j, method, &mode)) {
		return bad_algorithm(err, "the canonicalisation of SignedInfo",
				     method_uri(j, method));
	}
	if (!slt_xml_c14n(j->x->signed_info, mode, &canonical, err)) {
		return malformed(err);
	}
	slt_digest_of(alg, canonical.p, canonical.n, ret);
	return true;
}

static bool check_value(struct slt_xades_job *j, struct slt_err *err)
{
	const xmlNode *method = slt_xml_child(j->x->signed_info, SLT_NS_DS, "SignatureMethod");
	const char *uri = method_uri(j, method);
	enum slt_sig_alg alg = slt_sig_by_uri(slt_str(uri));
	EVP_PKEY *key = X509_get0_pubkey(j->verdict.cert);
	struct slt_digest d;
	SLT_AUTO_BUF(value, 4096);
	SLT_AUTO_BUF(der, 4096);

	if (alg == SLT_SIG_NONE || slt_xml_first(method) != NULL) {
		return bad_algorithm(err, "the signature method", uri);
	}
	if (key == NULL) {
		return slt_fail_ssl(err, SLT_EINVALID_SIGNATURE_VALUE,
				    "the signing certificate's key cannot be read");
	}
	if (!slt_xades_signature_value(j->x, &value, err) ||
	    !signed_info_digest(j, slt_sig_digest(alg), &d, err)) {
		return false;
	}
	if (EVP_PKEY_is_a(key, "EC") && !slt_sig_raw_to_der(slt_buf_str(&value), &der, err)) {
		return false;
	}

	const struct slt_buf *sig = EVP_PKEY_is_a(key, "EC") ? &der : &value;

	return slt_sig_verify(key, alg, &d, sig->p, sig->n, err);
}

/* --- references --- */

static bool mismatch(struct slt_err *err, const char *uri)
{
	return slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE,
			"the digest of %.80s is not the one that was signed", uri);
}

/* Canonical digest of an element; budget bounds all such digests together. */
static bool element_digest(struct slt_xades_job *j, const struct slt_xades_ref *ref,
			   enum slt_digest_alg alg, size_t *budget, struct slt_digest *ret,
			   struct slt_err *err)
{
	xmlNode *element = slt_xades_resolve_id(j, ref->uri + 1);
	const xmlNode *transforms = slt_xml_child(ref->node, SLT_NS_DS, "Transforms");
	const xmlNode *t = transforms != NULL ? slt_xml_first(transforms) : NULL;
	enum slt_c14n mode = SLT_C14N_INCLUSIVE;
	SLT_AUTO_BUF(canonical, CANONICAL_MAX);

	if (element == NULL || ref->uri[1] == '\0') {
		return slt_fail(err, SLT_EINTERNAL,
				"the reference %.80s points at no element of the signature",
				ref->uri);
	}
	/* a second transform could only take octets, which X-Road's signatures never do */
	if (t != NULL && (!slt_xades_c14n_mode(j, t, &mode) || slt_xml_next(t) != NULL)) {
		(void)slt_fail(err, SLT_EALGORITHM,
			       "the reference %.80s has a transform other than one "
			       "canonicalisation",
			       ref->uri);
		return malformed(err);
	}
	if (!slt_xml_c14n(element, mode, &canonical, err)) {
		return malformed(err);
	}
	if (canonical.n > *budget) {
		(void)slt_fail(err, SLT_ELIMIT, "the references ask to digest too much");
		return malformed(err);
	}
	*budget -= canonical.n;
	slt_digest_of(alg, canonical.p, canonical.n, ret);
	return true;
}

static bool part_digest(struct slt_xades_job *j, const char *uri, enum slt_digest_alg alg,
			struct slt_digest *ret, struct slt_err *err)
{
	const struct slt_verify_part *part = slt_xades_part(j->in, uri);

	if (strcmp(uri, SLT_URI_HC_RESULT) == 0 && j->in->hash_chain_result.p != NULL) {
		slt_digest_of(alg, j->in->hash_chain_result.p, j->in->hash_chain_result.n, ret);
		return true;
	}
	if (part != NULL && part->digest != NULL && part->digest->alg == alg) {
		*ret = *part->digest;
		return true;
	}
	if (part != NULL && part->data.p != NULL) {
		slt_digest_of(alg, part->data.p, part->data.n, ret);
		return true;
	}
	if (part != NULL && part->digest != NULL) {
		return slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE,
				"%.80s is signed by its %s digest, but the message was received "
				"with %s digests",
				uri, slt_digest_name(alg), slt_digest_name(part->digest->alg));
	}
	return slt_fail(err, SLT_EINTERNAL,
			"the signature references %.80s, which is not part of the message", uri);
}

static bool check_reference(struct slt_xades_job *j, const struct slt_xades_ref *ref,
			    size_t *budget, struct slt_err *err)
{
	struct slt_digest want, got;

	if (!slt_xades_digest(j->x->arena, ref->node, &want)) {
		const char *uri =
			method_uri(j, slt_xml_child(ref->node, SLT_NS_DS, "DigestMethod"));

		if (slt_digest_by_uri(slt_str(uri)) == SLT_DIGEST_NONE) {
			return bad_algorithm(err, "the digest method of a reference", uri);
		}
		return mismatch(err, ref->uri);
	}
	if (ref->uri[0] == '#') {
		if (!element_digest(j, ref, want.alg, budget, &got, err)) {
			return false;
		}
	} else {
		if (slt_xml_child(ref->node, SLT_NS_DS, "Transforms") != NULL) {
			(void)slt_fail(err, SLT_EALGORITHM,
				       "the reference %.80s has transforms, which parts of a "
				       "message never have",
				       ref->uri);
			return malformed(err);
		}
		if (!part_digest(j, ref->uri, want.alg, &got, err)) {
			return false;
		}
	}
	return slt_digest_eq(&want, &got) || mismatch(err, ref->uri);
}

bool slt_xades_core(struct slt_xades_job *j, struct slt_err *err)
{
	size_t budget = CANONICAL_TOTAL_MAX;

	if (!check_value(j, err)) {
		return false;
	}
	for (size_t i = 0; i < j->x->n_ref; i++) {
		if (!check_reference(j, &j->x->ref[i], &budget, err)) {
			return false;
		}
	}
	return true;
}

/* --- legacy manifests --- */

static bool check_manifest(struct slt_xades_job *j, const xmlNode *manifest, size_t *budget,
			   bool nested, struct slt_err *err)
{
	unsigned n = 0;

	for (xmlNode *r = slt_xml_child(manifest, SLT_NS_DS, "Reference"); r != NULL;
	     r = slt_xml_next_named(r, SLT_NS_DS, "Reference")) {
		const char *uri = slt_xml_attr(j->x->arena, r, NULL, "URI");
		struct slt_xades_ref ref = {.node = r, .uri = uri != NULL ? uri : "", .type = ""};

		if (++n > SLT_XADES_REFERENCES_MAX || !check_reference(j, &ref, budget, err)) {
			return false;
		}

		const xmlNode *inner =
			nested && ref.uri[0] == '#' ? slt_xades_resolve_id(j, ref.uri + 1) : NULL;

		if (slt_xml_is(inner, SLT_NS_DS, "Manifest") &&
		    !check_manifest(j, inner, budget, false, err)) {
			return false;
		}
	}
	return true;
}

bool slt_xades_core_manifests(struct slt_xades_job *j, struct slt_err *err)
{
	const xmlNode *manifest = slt_xades_resolve_id(j, "ts-root-manifest");
	size_t budget = CANONICAL_TOTAL_MAX;
	struct slt_err why = SLT_ERR_INIT;

	if (manifest == NULL || check_manifest(j, manifest, &budget, true, &why)) {
		return true;
	}
	return slt_fail(err, SLT_EINVALID_REFERENCE, "time-stamp manifest: %s",
			why.code != SLT_OK ? why.msg : "it has too many references");
}
