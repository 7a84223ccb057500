/* SPDX-License-Identifier: MIT */
#include "federation/cdasig.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "federation/key.h"
#include "federation/trust.h"
#include "federation/xades_form.h"

_Static_assert(SLT_CDASIG_SIGNER == SLT_CERT_TEXT, "the text of a certificate");

#define XPATH_URI	 "http://www.w3.org/TR/1999/REC-xpath-19991116"
#define CANONICAL_MAX	 (20u << 20)
#define SIGNED_INFO_MAX	 65536
#define VALUE_MAX	 4096
#define CERTIFICATE_MAX	 32768
#define CERTIFICATES_MAX (SLT_CHAIN_MAX - 1)
#define SKEW_MS		 (5 * 60 * 1000)
#define AUTHORITIES_FILE (1u << 20)

/* One verification in the making. */
struct job {
	const struct slt_cdasig_query *q;
	struct slt_arena *arena;
	xmlNode *body;			   /* structuredBody */
	xmlNode *signature;		   /* hl7fi:signature */
	xmlNode *timestamp;		   /* hl7fi:signatureTimestamp */
	xmlNode *ds, *info, *value, *x509; /* ds:Signature and its parts, ds:X509Data */
	xmlNode *ref_body, *ref_stamp;	   /* ds:Reference */
	X509 *cert[CERTIFICATES_MAX];	   /* owned */
	size_t n_certs;
	int64_t signed_ms;
};

static bool malformed(struct slt_err *err, const char *why)
{
	return slt_fail(err, SLT_MALFORMED_SIGNATURE, "the document's own signature %s", why);
}

/* --- where the pieces are --- */

/* Document order below and including top, elements only. */
static xmlNode *next_element(xmlNode *n, const xmlNode *top)
{
	xmlNode *down = slt_xml_first(n);

	if (down) {
		return down;
	}
	while (n != top && !slt_xml_next(n)) {
		n = n->parent;
	}
	return n == top ? NULL : slt_xml_next(n);
}

/* How many elements have the local name, in whatever namespace: to another reader, a look-alike
 * could be the one that is meant. */
static unsigned count_local(xmlNode *document, const char *name)
{
	unsigned found = 0;

	for (xmlNode *n = document; n; n = next_element(n, document)) {
		found += strcmp((const char *)n->name, name) == 0;
	}
	return found;
}

static bool is_signature(const xmlNode *n)
{
	return slt_xml_is(n, SLT_NS_HL7FI, "signature") ||
	       slt_xml_is(n, SLT_NS_HL7FI, "signatureCollection") ||
	       slt_xml_is(n, SLT_NS_DS, "Signature");
}

bool slt_cdasig_present(const xmlNode *document)
{
	xmlNode *top = slt_xml_first(document);

	/* slt_xml_first() hands out what may be changed; nothing is */
	for (xmlNode *c = top; c; c = slt_xml_next(c)) {
		for (xmlNode *n = c; n; n = next_element(n, c)) {
			if (is_signature(n)) {
				return true;
			}
		}
	}
	return false;
}

static xmlNode *only_child(const xmlNode *parent, const char *ns, const char *name)
{
	xmlNode *c = parent ? slt_xml_child(parent, ns, name) : NULL;

	return c && !slt_xml_next_named(c, ns, name) ? c : NULL;
}

static bool find_body(struct job *j, struct slt_err *err)
{
	xmlNode *component = only_child(j->q->document, SLT_NS_HL7, "component");

	j->body = only_child(component, SLT_NS_HL7, "structuredBody");
	if (!slt_xml_is(j->q->document, SLT_NS_HL7, "ClinicalDocument") || !j->body) {
		return malformed(err, "covers structuredBody, which is not at its place");
	}
	if (count_local(j->q->document, "structuredBody") != 1) {
		return malformed(err, "covers structuredBody, and there are several");
	}
	return true;
}

/* The children of an element are exactly these, in this order. */
static bool children_are(const xmlNode *parent, const char *ns, const char *const names[], size_t n,
			 xmlNode *ret[])
{
	xmlNode *c = slt_xml_first(parent);

	for (size_t i = 0; i < n; i++, c = slt_xml_next(c)) {
		if (!slt_xml_is(c, ns, names[i])) {
			return false;
		}
		ret[i] = c;
	}
	return c == NULL;
}

static bool find_signature(struct job *j, struct slt_err *err)
{
	xmlNode *header = only_child(j->q->document, SLT_NS_HL7FI, "localHeader");
	xmlNode *all = only_child(header, SLT_NS_HL7FI, "signatureCollection");

	j->signature = only_child(all, SLT_NS_HL7FI, "signature");
	if (!j->signature || slt_xml_first(all) != j->signature || slt_xml_next(j->signature)) {
		return malformed(err, "is not the only one in the local header");
	}
	if (count_local(j->q->document, "signature") != 1 ||
	    count_local(j->q->document, "Signature") != 1 ||
	    count_local(j->q->document, "signatureCollection") != 1) {
		return malformed(err, "is not the only one in the document");
	}
	j->timestamp = only_child(j->signature, SLT_NS_HL7FI, "signatureTimestamp");
	j->ds = only_child(j->signature, SLT_NS_DS, "Signature");
	for (const xmlNode *n = slt_xml_first(j->signature); n; n = slt_xml_next(n)) {
		if (n != j->timestamp && n != j->ds &&
		    !slt_xml_is(n, SLT_NS_HL7FI, "signatureDescription")) {
			return malformed(err, "has an element that is not known");
		}
	}
	return (j->timestamp && j->ds) ||
	       malformed(err, "has not exactly one instant and one ds:Signature");
}

static bool find_parts(struct job *j, struct slt_err *err)
{
	static const char *const outer[] = {"SignedInfo", "SignatureValue", "KeyInfo"};
	static const char *const inner[] = {"CanonicalizationMethod", "SignatureMethod",
					    "Reference", "Reference"};
	static const char *const key[] = {"X509Data"};
	xmlNode *o[3], *i[4];

	if (!children_are(j->ds, SLT_NS_DS, outer, 3, o) ||
	    !children_are(o[0], SLT_NS_DS, inner, 4, i) ||
	    !children_are(o[2], SLT_NS_DS, key, 1, &j->x509)) {
		return malformed(err, "has other parts than SignedInfo with two references, "
				      "SignatureValue and KeyInfo with X509Data");
	}
	j->info = o[0];
	j->value = o[1];
	const char *first = slt_xml_attr(j->arena, i[2], NULL, "URI");
	const char *second = slt_xml_attr(j->arena, i[3], NULL, "URI");
	if (!first || !second) {
		return malformed(err, "has a reference without URI");
	}
	bool body_first = *first == '\0';
	j->ref_body = body_first ? i[2] : i[3];
	j->ref_stamp = body_first ? i[3] : i[2];
	const char *body = body_first ? first : second, *stamp = body_first ? second : first;
	return (*body == '\0' && *stamp == '#') ||
	       malformed(err, "references something else than the document and its instant");
}

/* --- transforms --- */

static bool is_exclusive(struct job *j, const xmlNode *method)
{
	const char *uri = slt_xml_attr(j->arena, method, NULL, "Algorithm");

	/* a child would be InclusiveNamespaces */
	return uri && strcmp(uri, SLT_EXC_C14N_URI) == 0 && !slt_xml_first(method);
}

/* `ancestor-or-self::P:structuredBody`, and P means HL7. */
static bool is_body_filter(struct job *j, xmlNode *transform)
{
	static const char axis[] = "ancestor-or-self::", name[] = ":structuredBody";
	const char *uri = slt_xml_attr(j->arena, transform, NULL, "Algorithm");
	xmlNode *xpath = only_child(transform, SLT_NS_DS, "XPath");

	if (!uri || strcmp(uri, XPATH_URI) != 0 || !xpath || slt_xml_first(transform) != xpath ||
	    slt_xml_next(xpath) || slt_xml_first(xpath)) {
		return false;
	}
	struct slt_str text = slt_str_trim(slt_str(slt_xml_text(j->arena, xpath)));
	size_t a = sizeof(axis) - 1, b = sizeof(name) - 1;
	if (!slt_str_starts(text, axis) || text.n <= a + b ||
	    memcmp(text.p + text.n - b, name, b) != 0) {
		return false;
	}
	const char *prefix = slt_arena_strndup(j->arena, text.p + a, text.n - a - b);
	const xmlNs *ns = xmlSearchNs(xpath->doc, xpath, SLT_XML(prefix));
	return ns && strcmp((const char *)ns->href, SLT_NS_HL7) == 0;
}

static bool check_transforms(struct job *j, struct slt_err *err)
{
	static const char *const reference[] = {"Transforms", "DigestMethod", "DigestValue"};
	static const char *const two[] = {"Transform", "Transform"};
	xmlNode *r[3], *t[2];

	if (!children_are(j->ref_body, SLT_NS_DS, reference, 3, r) ||
	    !children_are(r[0], SLT_NS_DS, two, 2, t) || !is_exclusive(j, t[0]) ||
	    !is_body_filter(j, t[1]) || slt_xml_first(r[1])) {
		return malformed(err, "transforms the document otherwise than by exclusive C14N "
				      "and the filter for structuredBody");
	}
	if (!children_are(j->ref_stamp, SLT_NS_DS, reference, 3, r) ||
	    !children_are(r[0], SLT_NS_DS, two, 1, t) || !is_exclusive(j, t[0]) ||
	    slt_xml_first(r[1])) {
		return malformed(err, "transforms its instant otherwise than by exclusive C14N");
	}
	return true;
}

/* --- digests --- */

static bool expected_digest(struct job *j, const xmlNode *ref, struct slt_digest *ret,
			    struct slt_err *err)
{
	if (!slt_xades_digest(j->arena, ref, ret)) {
		return malformed(err, "has a digest that cannot be read");
	}
	if (ret->alg == SLT_SHA224 || (ret->alg == SLT_SHA1 && !j->q->allow_sha1)) {
		(void)slt_fail(
			err, SLT_EALGORITHM,
			"the document's own signature uses %s digests, which are not allowed",
			slt_digest_name(ret->alg));
		return slt_prefix(err, SLT_MALFORMED_SIGNATURE);
	}
	return true;
}

static bool compare(const struct slt_digest *want, const struct slt_buf *canonical,
		    const char *what, struct slt_err *err)
{
	struct slt_digest got;

	slt_digest_of(want->alg, canonical->p, canonical->n, &got);
	return slt_digest_eq(want, &got) ||
	       slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE,
			"%s is not what the document's own signature was made over", what);
}

/* The two transforms and the canonicalisation that follows them: a filter works on nodes, so what
 * exclusive C14N wrote is parsed again, and what is left of that is written by inclusive C14N. */
static bool check_body(struct job *j, struct slt_err *err)
{
	SLT_AUTO_BUF(whole, CANONICAL_MAX);
	SLT_AUTO_BUF(canonical, CANONICAL_MAX);
	SLT_AUTO(slt_xml_free) xmlDoc *again = NULL;
	struct slt_digest want;

	if (!expected_digest(j, j->ref_body, &want, err) ||
	    !slt_xml_c14n(j->q->document, SLT_C14N_EXCLUSIVE, &whole, err) ||
	    !slt_xml_parse(whole.p, whole.n, &SLT_XML_PEER, "the canonical document", &again,
			   err)) {
		return false;
	}
	const xmlNode *component = only_child(xmlDocGetRootElement(again), SLT_NS_HL7, "component");
	xmlNode *body = only_child(component, SLT_NS_HL7, "structuredBody");
	slt_assert(body);
	return slt_xml_c14n(body, SLT_C14N_INCLUSIVE, &canonical, err) &&
	       compare(&want, &canonical, "structuredBody", err);
}

static bool is_id(const xmlAttr *a)
{
	return slt_strcase_eq((const char *)a->name, "id");
}

/* Attributes that are IDs to somebody and have the value. */
static unsigned count_ids(struct job *j, const char *id)
{
	unsigned found = 0;

	for (xmlNode *n = j->q->document; n; n = next_element(n, j->q->document)) {
		for (const xmlAttr *a = n->properties; a; a = a->next) {
			xmlChar *v = is_id(a) ? xmlNodeListGetString(n->doc, a->children, 1) : NULL;
			found += v && strcmp((const char *)v, id) == 0;
			xmlFree(v);
		}
	}
	return found;
}

static bool check_instant(struct job *j, struct slt_err *err)
{
	const char *uri = slt_xml_attr(j->arena, j->ref_stamp, NULL, "URI");
	const char *id = slt_xml_attr(j->arena, j->timestamp, NULL, "ID");
	const char *text = slt_xml_text(j->arena, j->timestamp);
	struct slt_digest want;
	struct slt_err why = SLT_ERR_INIT;
	SLT_AUTO_BUF(canonical, SIGNED_INFO_MAX);

	if (!id || !*id || strcmp(uri + 1, id) != 0 || count_ids(j, id) != 1) {
		return malformed(err, "does not reference its own instant, or that not clearly");
	}
	if (!expected_digest(j, j->ref_stamp, &want, err) ||
	    !slt_xml_c14n(j->timestamp, SLT_C14N_EXCLUSIVE, &canonical, err) ||
	    !compare(&want, &canonical, "the instant of signing", err)) {
		return false;
	}
	if (slt_xml_first(j->timestamp) || !strchr(text, 'T') ||
	    !slt_time_parse(slt_str_trim(slt_str(text)), &j->signed_ms, &why)) {
		return malformed(err, "has an instant that is no date and time with zone");
	}
	return j->signed_ms <= j->q->now_ms + SKEW_MS ||
	       slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE,
			"the document says that it was signed in the future, at %.40s", text);
}

/* --- certificates and the value --- */

static bool read_certificates(struct job *j, struct slt_err *err)
{
	for (const xmlNode *n = slt_xml_first(j->x509); n; n = slt_xml_next(n)) {
		SLT_AUTO_BUF(der, CERTIFICATE_MAX);
		struct slt_err why = SLT_ERR_INIT;
		if (!slt_xml_is(n, SLT_NS_DS, "X509Certificate") ||
		    j->n_certs == CERTIFICATES_MAX) {
			return malformed(err, "has something else than a few certificates in "
					      "X509Data");
		}
		if (!slt_xml_base64(n, &der, &why) || der.failed || der.n == 0) {
			return malformed(err, "has a certificate that is not base64");
		}
		const unsigned char *p = (const unsigned char *)der.p;
		X509 *cert = d2i_X509(NULL, &p, (long)der.n);
		if (cert) {
			j->cert[j->n_certs++] = cert;
		}
		if (!cert || p != (const unsigned char *)der.p + der.n) {
			return malformed(err, "has a certificate that cannot be read");
		}
	}
	return j->n_certs > 0 || malformed(err, "comes without certificate");
}

static bool check_usage(struct job *j, struct slt_err *err)
{
	char text[SLT_CERT_TEXT];
	uint32_t usage = X509_get_key_usage(j->cert[0]); /* all bits where there is no extension */
	uint32_t wanted = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;

	if (usage == UINT32_MAX || (usage & wanted) == 0 || X509_check_ca(j->cert[0]) != 0) {
		return slt_fail(err, SLT_EINCORRECT_CERTIFICATE,
				"certificate %s is not one for signing documents",
				slt_certinfo_text(j->cert[0], text));
	}
	return true;
}

/* What is wrong with the path to the one authority that issued the certificate says more than that
 * the others did not. */
static bool check_path(struct job *j, struct slt_err *err)
{
	struct slt_err first = SLT_ERR_INIT;

	for (size_t i = 0; i < j->q->n_authorities; i++) {
		char name[SLT_CERT_TEXT];
		struct slt_gc_ca ca = {.name = slt_certinfo_text(j->q->authority[i], name),
				       .cert = j->q->authority[i]};
		struct slt_chain_query q = {.instance = "of the authorities for documents",
					    .leaf = j->cert[0],
					    .intermediates = j->cert + 1,
					    .n_intermediates = j->n_certs - 1,
					    .at_ms = j->signed_ms,
					    .ca_override = &ca};
		struct slt_chain chain;
		struct slt_err why = SLT_ERR_INIT;
		if (slt_chain_build(&q, &chain, &why)) {
			return true;
		}
		bool closer = X509_NAME_cmp(X509_get_subject_name(ca.cert),
					    X509_get_issuer_name(j->cert[0])) == 0;
		if (first.code == SLT_OK || closer) {
			first = why;
		}
	}
	if (first.code == SLT_OK) {
		return slt_fail(err, SLT_CANNOT_CREATE_CERT_PATH,
				"no authority for signatures of documents is configured");
	}
	*err = first;
	return false;
}

static bool allowed(const struct job *j, enum slt_sig_alg alg)
{
	return alg != SLT_SIG_NONE && (alg != SLT_RSA_SHA1 || j->q->allow_sha1);
}

static bool check_value(struct job *j, struct slt_err *err)
{
	const xmlNode *c14n = slt_xml_child(j->info, SLT_NS_DS, "CanonicalizationMethod");
	const xmlNode *method = slt_xml_child(j->info, SLT_NS_DS, "SignatureMethod");
	const char *uri = slt_xml_attr(j->arena, method, NULL, "Algorithm");
	enum slt_sig_alg alg = uri ? slt_sig_by_uri(slt_str(uri)) : SLT_SIG_NONE;
	EVP_PKEY *key = X509_get0_pubkey(j->cert[0]);
	struct slt_digest d;
	SLT_AUTO_BUF(canonical, SIGNED_INFO_MAX);
	SLT_AUTO_BUF(raw, VALUE_MAX);
	SLT_AUTO_BUF(der, VALUE_MAX);

	if (!is_exclusive(j, c14n) || !allowed(j, alg) || slt_xml_first(method)) {
		(void)slt_fail(
			err, SLT_EALGORITHM,
			"the document's own signature is made by %.120s, which is not allowed",
			uri ? uri : "nothing");
		return slt_prefix(err, SLT_MALFORMED_SIGNATURE);
	}
	if (!key || !slt_xml_base64(j->value, &raw, err) || raw.failed) {
		return malformed(err, "has a value that cannot be read");
	}
	if (!slt_xml_c14n(j->info, SLT_C14N_EXCLUSIVE, &canonical, err)) {
		return false;
	}
	slt_digest_of(slt_sig_digest(alg), canonical.p, canonical.n, &d);
	bool ec = EVP_PKEY_is_a(key, "EC");
	if (ec && !slt_sig_raw_to_der(slt_buf_str(&raw), &der, err)) {
		return false;
	}
	const struct slt_buf *sig = ec ? &der : &raw;
	return slt_sig_verify(key, alg, &d, sig->p, sig->n, err) ||
	       slt_wrap(err, "the document's own signature");
}

bool slt_cdasig_verify(const struct slt_cdasig_query *q, struct slt_cdasig_verdict *ret,
		       struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	struct job j = {.q = q, .arena = arena};
	bool good = find_body(&j, err) && find_signature(&j, err) && find_parts(&j, err) &&
		    check_transforms(&j, err) && read_certificates(&j, err) &&
		    check_value(&j, err) && check_instant(&j, err) && check_body(&j, err) &&
		    check_path(&j, err) && check_usage(&j, err);

	if (good) {
		ret->covered = j.body;
		ret->signed_ms = j.signed_ms;
		(void)slt_certinfo_text(j.cert[0], ret->signer);
	}
	for (size_t i = 0; i < j.n_certs; i++) {
		X509_free(j.cert[i]);
	}
	return good;
}

/* --- authorities --- */

static bool read_pem(const char *path, BIO *bio, struct slt_cdasig_authorities *a,
		     struct slt_err *err)
{
	for (;;) {
		X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		if (!cert) {
			break;
		}
		if (a->n == SLT_CDASIG_AUTHORITIES_MAX) {
			X509_free(cert);
			return slt_fail(err, SLT_ECONFIG, "%s has more than %d certificates", path,
					SLT_CDASIG_AUTHORITIES_MAX);
		}
		a->cert[a->n++] = cert;
		if (X509_check_ca(cert) != 1) {
			char text[SLT_CERT_TEXT];
			return slt_fail(err, SLT_ECONFIG,
					"%s: certificate %s is not that of an authority", path,
					slt_certinfo_text(cert, text));
		}
	}
	/* the end of a file is an error to OpenSSL, as a broken certificate in it is */
	bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	if (!end || a->n == 0) {
		return slt_fail_ssl(err, SLT_ECONFIG, "%s has no certificate that can be read",
				    path);
	}
	ERR_clear_error();
	return true;
}

bool slt_cdasig_authorities_load(const char *path, struct slt_cdasig_authorities **ret,
				 struct slt_err *err)
{
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;

	if (!slt_file_read(path, AUTHORITIES_FILE, &text, &n, err)) {
		return false;
	}
	SLT_AUTO(slt_cdasig_authorities_free)
	struct slt_cdasig_authorities *a = slt_calloc(1, sizeof(*a));
	BIO *bio = BIO_new_mem_buf(text, (int)n);
	slt_assert(bio);
	bool good = read_pem(path, bio, a, err);
	BIO_free(bio);
	if (good) {
		*ret = SLT_TAKE(a);
	}
	return good;
}

void slt_cdasig_authorities_free(struct slt_cdasig_authorities *a)
{
	if (!a) {
		return;
	}
	for (size_t i = 0; i < a->n; i++) {
		X509_free(a->cert[i]);
	}
	free(a);
}
