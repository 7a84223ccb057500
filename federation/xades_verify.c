/* SPDX-License-Identifier: MIT */
#include "federation/xades_verify.h"

#include <string.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "federation/hashchain.h"
#include "federation/xades_check.h"

#define CERT_BYTES_MAX (64u << 10)
#define PARTS_MAX      65

SLT_DEFINE_AUTO(X509 *, X509_free)

static bool malformed(struct slt_err *err)
{
	return slt_prefix(err, SLT_MALFORMED_SIGNATURE);
}

/* --- step 2: the hash chain --- */

static bool at_hand(const struct slt_verify_input *in, const char *uri)
{
	const struct slt_verify_part *part = slt_xades_part(in, uri);

	return strcmp(uri, SLT_URI_HC) == 0 || (part != NULL && part->data.p != NULL) ||
	       (part != NULL && part->digest != NULL);
}

/* A container may lack attachments. X-Road then takes the chain's word for whatever is missing,
 * and for attachments even when they are there. */
static bool should_resolve(void *arg, const char *uri)
{
	const struct slt_verify_input *in = arg;

	if (!in->absent_attachments_ok) {
		return true;
	}
	if (in->lax) {
		return at_hand(in, uri) && !slt_xades_is_attachment(uri);
	}
	return at_hand(in, uri) || !slt_xades_is_attachment(uri);
}

static struct slt_str resolve(void *arg, const char *uri)
{
	const struct slt_verify_input *in = arg;
	const struct slt_verify_part *part = slt_xades_part(in, uri);

	if (strcmp(uri, SLT_URI_HC) == 0) {
		return in->hash_chain;
	}
	return part != NULL ? part->data : (struct slt_str){NULL, 0};
}

static bool check_hash_chain(const struct slt_verify_input *in, struct slt_err *err)
{
	struct slt_hc_part parts[PARTS_MAX];
	struct slt_verify_input copy = *in; /* the callbacks take no const pointer */
	struct slt_hc_verify v = {
		.result = in->hash_chain_result,
		.parts = parts,
		.resolve = resolve,
		.should_resolve = should_resolve,
		.arg = &copy,
		.allow_sha1 = in->lax || in->allow_sha1,
	};

	if (in->n_parts > PARTS_MAX) {
		(void)slt_fail(err, SLT_ELIMIT, "the message has %zu parts: at most %d are read",
			       in->n_parts, PARTS_MAX);
		return malformed(err);
	}
	for (size_t i = 0; i < in->n_parts; i++) {
		/* see should_resolve() */
		if (in->lax && in->absent_attachments_ok &&
		    slt_xades_is_attachment(in->parts[i].name)) {
			continue;
		}
		parts[v.n_parts++] = (struct slt_hc_part){
			.name = in->parts[i].name,
			.digest = in->parts[i].digest,
		};
	}
	return slt_hashchain_verify(&v, err) || malformed(err);
}

/* --- steps 3 and 4: whose certificate --- */

static X509 *decode_cert(const xmlNode *node)
{
	SLT_AUTO_BUF(der, CERT_BYTES_MAX);
	struct slt_err why = SLT_ERR_INIT;

	if (!slt_xml_base64(node, &der, &why) || der.failed || der.n == 0) {
		return NULL;
	}

	const unsigned char *p = (const unsigned char *)der.p;
	SLT_AUTO(X509_free) X509 *cert = d2i_X509(NULL, &p, (long)der.n);

	ERR_clear_error();
	/* bytes after the certificate would be seen by one reader and not by another */
	return cert != NULL && p == (const unsigned char *)der.p + der.n ? SLT_TAKE(cert) : NULL;
}

static bool find_cert(struct slt_xades_job *j, struct slt_err *err)
{
	const xmlNode *cert = slt_xades_signer_cert(j->x);
	bool no_ku = false;

	if (cert == NULL) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"the signature does not contain the signing certificate");
	}
	j->verdict.cert = decode_cert(cert);
	if (j->verdict.cert == NULL) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"the signing certificate in KeyInfo cannot be decoded");
	}
	if (slt_certinfo_is_signing(j->verdict.cert, &no_ku)) {
		return true;
	}
	if (no_ku) {
		return slt_fail(err, SLT_EINTERNAL,
				"the signing certificate has no KeyUsage extension");
	}
	return slt_fail(err, SLT_MALFORMED_SIGNATURE,
			"the certificate in KeyInfo is not for signing: its key usage lacks "
			"nonRepudiation");
}

static bool find_member(struct slt_xades_job *j, struct slt_err *err)
{
	const struct slt_verify_input *in = j->in;
	X509 *cert = j->verdict.cert;
	SLT_AUTO_BUF(name, 8192);

	j->ca = in->ca_override != NULL ? in->ca_override
					: slt_globalconf_find_ca(in->gc, in->signer.instance,
								 X509_get_issuer_name(cert));
	if (j->ca == NULL) {
		slt_certinfo_name(X509_get_issuer_name(cert), &name);
		return slt_fail(err, SLT_EINTERNAL,
				"the signing certificate's issuer \"%.200s\" is not an approved "
				"certification authority of instance %s",
				name.p != NULL ? name.p : "", in->signer.instance);
	}
	if (j->ca->profile == SLT_PROFILE_UNKNOWN) {
		return slt_fail(err, SLT_EINTERNAL,
				"the authority \"%s\" uses the unknown certificate profile %s",
				j->ca->name != NULL ? j->ca->name : "",
				j->ca->profile_class != NULL ? j->ca->profile_class : "");
	}
	return slt_certinfo_member(cert, j->ca->profile, in->signer.instance, j->x->arena,
				   &j->member, err);
}

static bool check_owner(struct slt_xades_job *j, struct slt_err *err)
{
	struct slt_id want = slt_id_member(&j->in->signer);

	if (!slt_id_same_member(&j->member, &want)) {
		return slt_fail(err, SLT_EINCORRECT_CERTIFICATE,
				"the signature was made with a certificate of %s, but the message "
				"is %s's",
				slt_id_text(&j->member, j->x->arena),
				slt_id_text(&want, j->x->arena));
	}
	return true;
}

/* --- steps 7 to 9: the path --- */

struct extras { /* certificates that the signature brings along */
	X509 *v[SLT_CHAIN_MAX];
	size_t n;
};

static void extras_fini(struct extras *e)
{
	for (size_t i = 0; i < e->n; i++) {
		X509_free(e->v[i]);
	}
}

static bool bad_extra(struct slt_err *err, const char *why, const char *uri)
{
	return slt_fail(err, SLT_MALFORMED_SIGNATURE, "extra certificate \"%.60s\": %s",
			uri != NULL ? uri : "", why);
}

static bool take_extra(struct slt_xades_job *j, const xmlNode *ref, struct extras *e,
		       struct slt_err *err)
{
	const char *uri = slt_xml_attr(j->x->arena, ref, NULL, "URI");
	const xmlNode *digest = slt_xml_child(ref, SLT_NS_XADES, "CertDigest");
	struct slt_digest want, got;

	if (uri == NULL || uri[0] == '\0') {
		return bad_extra(err, "the reference lacks its URI", uri);
	}

	const xmlNode *node = slt_xades_resolve_id(j, uri + strspn(uri, "#"));

	if (node == NULL) {
		return bad_extra(err, "there is no element with this Id", uri);
	}
	if (digest == NULL || !slt_xades_digest(j->x->arena, digest, &want)) {
		return bad_extra(err, "the reference lacks a digest", uri);
	}
	if (e->n == SLT_CHAIN_MAX) {
		return bad_extra(err, "there are too many", uri);
	}
	e->v[e->n] = decode_cert(node);
	if (e->v[e->n] == NULL) {
		return bad_extra(err, "it cannot be decoded", uri);
	}
	slt_certinfo_digest(e->v[e->n++], want.alg, &got);
	return slt_digest_eq(&want, &got) || bad_extra(err, "its digest does not match", uri);
}

static bool take_extras(struct slt_xades_job *j, struct extras *e, struct slt_err *err)
{
	const xmlNode *refs = slt_xades_cert_refs(j->x);

	for (const xmlNode *n = refs != NULL ? slt_xml_child(refs, SLT_NS_XADES, "Cert") : NULL;
	     n != NULL; n = slt_xml_next_named(n, SLT_NS_XADES, "Cert")) {
		if (!take_extra(j, n, e, err)) {
			return false;
		}
	}
	return true;
}

struct responses {
	struct slt_buf der[SLT_XADES_OCSP_MAX];
	struct slt_str view[SLT_XADES_OCSP_MAX];
	size_t n;
};

static void responses_fini(struct responses *r)
{
	for (size_t i = 0; i < r->n; i++) {
		slt_buf_fini(&r->der[i]);
	}
}

static bool take_responses(struct slt_xades_job *j, struct responses *r, struct slt_err *err)
{
	static const char name[] = "EncapsulatedOCSPValue";
	const xmlNode *values = slt_xades_ocsp_values(j->x);

	for (const xmlNode *n = values != NULL ? slt_xml_child(values, SLT_NS_XADES, name) : NULL;
	     n != NULL; n = slt_xml_next_named(n, SLT_NS_XADES, name)) {
		struct slt_err why = SLT_ERR_INIT;

		if (r->n == SLT_XADES_OCSP_MAX) {
			return slt_fail(err, SLT_MALFORMED_SIGNATURE,
					"the signature has more than %d OCSP responses",
					SLT_XADES_OCSP_MAX);
		}

		struct slt_buf *b = &r->der[r->n++];

		slt_buf_init(b, SLT_OCSP_BYTES_MAX);
		if (!slt_xml_base64(n, b, &why) || !slt_buf_check(b, "OCSP response", &why)) {
			return slt_fail(err, SLT_MALFORMED_SIGNATURE, "OCSP response %zu: %s", r->n,
					why.msg);
		}
		r->view[r->n - 1] = slt_buf_str(b);
	}
	if (r->n == 0) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"the signature carries no OCSP response");
	}
	return true;
}

static bool check_path(struct slt_xades_job *j, struct slt_err *err)
{
	__attribute__((cleanup(extras_fini))) struct extras extras = {.n = 0};
	__attribute__((cleanup(responses_fini))) struct responses ocsp = {.n = 0};

	if (!take_extras(j, &extras, err) || !take_responses(j, &ocsp, err)) {
		return false;
	}

	struct slt_ocsp_source source = {ocsp.view, ocsp.n};

	return slt_chain_verify(j->in->gc, j->in->signer.instance, j->verdict.cert, extras.v,
				extras.n, &source, j->in->at_ms, j->in->lax, j->in->ca_override,
				&j->verdict.path, err);
}

/* --- all together --- */

static void read_signing_time(struct slt_xades_job *j)
{
	static const char *const to_time[] = {"SignedSignatureProperties", "SigningTime"};
	const xmlNode *n = j->x->signed_properties != NULL
				   ? slt_xades_path(j->x->signed_properties, to_time, 2)
				   : NULL;
	struct slt_err ignored = SLT_ERR_INIT;
	int64_t t = 0;

	/* informative: what is not a time is no time */
	if (n != NULL &&
	    slt_time_parse(slt_str_trim(slt_str(slt_xml_text(j->x->arena, n))), &t, &ignored)) {
		j->verdict.signing_time_ms = t;
	}
}

static bool run(struct slt_xades_job *j, struct slt_err *err)
{
	const struct slt_verify_input *in = j->in;

	if ((!in->lax || in->schema) && !slt_xades_check_schema(j->x, !in->lax, err)) {
		return false;
	}
	j->chained =
		in->hash_chain_result.p != NULL && slt_xades_references(j->x, SLT_URI_HC_RESULT);
	if (!slt_xades_policy_form(j, err)) {
		return false;
	}
	if (j->chained && !check_hash_chain(in, err)) {
		return false;
	}

	if (!slt_xades_recall(j) && (!find_cert(j, err) || !find_member(j, err))) {
		return false;
	}
	if (!check_owner(j, err) || !slt_xades_core(j, err) ||
	    (in->lax && !slt_xades_core_manifests(j, err)) || !slt_xades_policy_cert(j, err) ||
	    (!j->known && !check_path(j, err))) {
		return false;
	}
	slt_xades_remember(j);
	read_signing_time(j);
	return true;
}

bool slt_xades_verify(const struct slt_verify_input *in, struct slt_verdict *ret,
		      struct slt_err *err)
{
	SLT_AUTO(slt_xades_free) struct slt_xades *x = NULL;

	if (!slt_xades_parse(in->signature, &x, err)) {
		return false;
	}

	struct slt_xades_job j = {.in = in, .x = x};
	bool good = run(&j, err);

	if (!good) {
		slt_verdict_fini(&j.verdict);
		return false;
	}
	*ret = j.verdict;
	return true;
}

void slt_verdict_fini(struct slt_verdict *v)
{
	X509_free(v->cert);
	*v = (struct slt_verdict){.cert = NULL};
}
