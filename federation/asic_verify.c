/* SPDX-License-Identifier: MIT */
/* Judging a container by itself: signer from the message, instant from the time-stamp. */
#include <stdio.h>
#include <string.h>

#include "federation/asic.h"
#include "federation/hashchain.h"
#include "federation/rest.h"
#include "federation/soap.h"
#include "federation/tsp.h"
#include "federation/xades_form.h"

/* --- whose message is it --- */

static bool soap_signer(struct slt_str message, struct slt_arena *arena, struct slt_id *ret,
			struct slt_err *err)
{
	SLT_AUTO(slt_soap_free) struct slt_soap *soap = NULL;

	if (!slt_soap_parse(message.p, message.n, "text/xml; charset=UTF-8", &soap, err)) {
		return slt_wrap(err, "message.xml");
	}
	if (soap->is_fault) {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"message.xml is a fault, which names no signer");
	}

	struct slt_id id =
		slt_id_member(soap->is_request ? &soap->header.client : &soap->header.service);

	*ret = slt_id_dup(&id, arena);
	return true;
}

static bool rest_signer(struct slt_str head, struct slt_arena *arena, struct slt_id *ret,
			struct slt_err *err)
{
	SLT_AUTO(slt_rest_free) struct slt_rest *rest = NULL;
	struct slt_err why = SLT_ERR_INIT;

	if (!slt_rest_parse(head.p, head.n, &rest, &why)) {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"message.xml is neither SOAP nor a REST head: %s", why.msg);
	}
	if (rest->response && rest->service.type == SLT_ID_NONE) {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"message.xml is a REST answer without the header x-road-service");
	}

	struct slt_id id = slt_id_member(rest->response ? &rest->service : &rest->client);

	*ret = slt_id_dup(&id, arena);
	return true;
}

static bool find_signer(struct slt_str message, struct slt_arena *arena, struct slt_id *ret,
			struct slt_err *err)
{
	struct slt_str text = message;

	if (slt_str_starts(text, "\xEF\xBB\xBF")) {
		text = (struct slt_str){text.p + 3, text.n - 3};
	}
	text = slt_str_trim(text);
	return text.n > 0 && text.p[0] == '<' ? soap_signer(message, arena, ret, err)
					      : rest_signer(message, arena, ret, err);
}

/* --- the time-stamp --- */

/* What the hash chain of a batch time-stamp may lead to. */
static struct slt_str resolve(void *arg, const char *uri)
{
	const struct slt_asic_entries *e = arg;

	if (strcmp(uri, SLT_URI_SIGNATURES) == 0) {
		return e->signature;
	}
	if (strcmp(uri, SLT_URI_TS_HC) == 0) {
		return e->ts_hash_chain;
	}
	return strcmp(uri, SLT_URI_MESSAGE) == 0 ? e->message : (struct slt_str){NULL, 0};
}

static bool should_resolve(void *arg, const char *uri)
{
	return resolve(arg, uri).p != NULL;
}

static bool check_ts_chain(const struct slt_asic_entries *e, bool allow_sha1, struct slt_err *err)
{
	struct slt_asic_entries copy = *e; /* the callbacks take no const pointer */
	struct slt_hc_part part = {.name = SLT_URI_SIGNATURES};
	struct slt_hc_verify v = {
		.result = e->ts_hash_chain_result,
		.parts = &part,
		.n_parts = 1,
		.resolve = resolve,
		.should_resolve = should_resolve,
		.arg = &copy,
		.allow_sha1 = allow_sha1,
	};
	struct slt_err why = SLT_ERR_INIT;

	if (slt_hashchain_verify(&v, &why)) {
		return true;
	}
	/* X-Road gives no leaf here */
	return slt_fail(err, SLT_MALFORMED_SIGNATURE, "time-stamp hash chain: %s", why.msg);
}

static bool check_timestamp(const struct slt_asic_entries *e, const struct slt_xades *x,
			    const struct slt_asic_options *o, int64_t *ret_ms, struct slt_err *err)
{
	SLT_AUTO_BUF(inner, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(value, 65536);
	struct slt_str token = e->timestamp, data = e->ts_hash_chain_result;

	if (token.n == 0) {
		if (!slt_xades_timestamp(x, &inner, err)) {
			return false;
		}
		token = slt_buf_str(&inner);
	}
	if (data.n != 0) {
		if (!check_ts_chain(e, !o->strict, err)) {
			return false;
		}
	} else {
		if (!slt_xades_signature_value(x, &value, err)) {
			return false;
		}
		data = slt_buf_str(&value);
	}
	return slt_tsp_verify(o->gc, token, data, ret_ms, err);
}

/* --- attachments in hash chain mode --- */

static void warn(struct slt_verdict *v, const char *text, const char *name)
{
	if (v->n_warnings < SLT_COUNT(v->warning)) {
		(void)snprintf(v->warning[v->n_warnings++], sizeof(v->warning[0]), "%s: %.80s",
			       text, name);
	}
}

static const struct slt_str *attachment_at(const struct slt_asic_entries *e, const char *uri)
{
	char name[32];

	for (size_t i = 0; i < e->n_attachments; i++) {
		(void)snprintf(name, sizeof(name), SLT_URI_ATTACHMENT "%zu", i + 1);
		if (strcmp(uri, name) == 0 && e->attachment[i].p != NULL) {
			return &e->attachment[i];
		}
	}
	return NULL;
}

static bool read_data_ref(const xmlNode *ref, struct slt_digest fallback, struct slt_arena *arena,
			  struct slt_asic_attachment *ret)
{
	const xmlNode *method = slt_xml_child(ref, SLT_NS_DS, "DigestMethod");
	const xmlNode *value = slt_xml_child(ref, SLT_NS_DS, "DigestValue");
	struct slt_err ignored = SLT_ERR_INIT;
	SLT_AUTO_BUF(b, SLT_DIGEST_MAX);

	ret->name = slt_xml_attr(arena, ref, NULL, "URI");
	if (ret->name == NULL || !slt_str_starts(slt_str(ret->name), SLT_URI_ATTACHMENT) ||
	    value == NULL || !slt_xml_base64(value, &b, &ignored) || b.failed) {
		return false;
	}
	ret->digest.alg = method == NULL ? fallback.alg
					 : slt_digest_by_uri(slt_str(
						   slt_xml_attr(arena, method, NULL, "Algorithm")));
	ret->digest.n = (unsigned)b.n;
	memcpy(ret->digest.v, b.p, b.n);
	return true;
}

static void report_one(const struct slt_asic_entries *e, struct slt_asic_attachment *a,
		       struct slt_asic_verdict *v)
{
	const struct slt_str *bytes = attachment_at(e, a->name);
	struct slt_digest d = {.alg = SLT_DIGEST_NONE};

	if (bytes != NULL && a->digest.alg != SLT_DIGEST_NONE) {
		slt_digest_of(a->digest.alg, bytes->p, bytes->n, &d);
	}
	a->verified = d.alg != SLT_DIGEST_NONE && slt_digest_eq(&d, &a->digest);
	v->n_unverified += !a->verified;
	if (bytes != NULL && !a->verified) {
		warn(&v->signature, "the attachment is not the one that was signed", a->name);
	}
}

/* The chain has been verified: this only lists what it says of attachments. */
static bool report_attachments(const struct slt_asic_entries *e, struct slt_arena *arena,
			       struct slt_asic_verdict *v, struct slt_err *err)
{
	static const char ns[] = "http://cyber.ee/hashchain";
	static const struct slt_xml_limits limits = {
		.bytes = SLT_HASHCHAIN_BYTES_MAX, .depth = 16, .nodes = 100000};
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_digest fallback = {.alg = SLT_DIGEST_NONE};

	if (!slt_xml_parse(e->hash_chain.p, e->hash_chain.n, &limits, "hash chain", &doc, err)) {
		return false;
	}

	const xmlNode *root = xmlDocGetRootElement(doc);
	const xmlNode *method = slt_xml_child(root, ns, "DefaultDigestMethod");

	if (method != NULL) {
		fallback.alg =
			slt_digest_by_uri(slt_str(slt_xml_attr(arena, method, NULL, "Algorithm")));
	}
	v->attachment = slt_arena_alloc(arena, SLT_ASIC_ATTACHMENTS_MAX * sizeof(*v->attachment));
	for (const xmlNode *s = slt_xml_child(root, ns, "HashStep"); s != NULL;
	     s = slt_xml_next_named(s, ns, "HashStep")) {
		for (const xmlNode *r = slt_xml_child(s, ns, "DataRef");
		     r != NULL && v->n_attachments < SLT_ASIC_ATTACHMENTS_MAX;
		     r = slt_xml_next_named(r, ns, "DataRef")) {
			struct slt_asic_attachment *a = &v->attachment[v->n_attachments];

			if (read_data_ref(r, fallback, arena, a)) {
				v->n_attachments++;
				report_one(e, a, v);
			}
		}
	}
	return true;
}

/* --- all together --- */

static bool check_signature(const struct slt_asic_entries *e, const struct slt_asic_options *o,
			    struct slt_arena *arena, struct slt_asic_verdict *v,
			    struct slt_err *err)
{
	struct slt_verify_part parts[SLT_ASIC_ATTACHMENTS_MAX + 1] = {
		{.name = SLT_URI_MESSAGE, .data = e->message}};
	size_t n = 1;

	for (size_t i = 0; i < e->n_attachments; i++) {
		if (e->attachment[i].p != NULL) {
			parts[n++] = (struct slt_verify_part){
				.name = slt_arena_printf(arena, SLT_URI_ATTACHMENT "%zu", i + 1),
				.data = e->attachment[i],
			};
		}
	}

	struct slt_verify_input in = {
		.gc = o->gc,
		.signer = v->signer,
		.at_ms = o->at_ms >= 0 ? o->at_ms : v->timestamp_ms,
		.signature = e->signature,
		.hash_chain_result = e->hash_chain_result,
		.hash_chain = e->hash_chain,
		.parts = parts,
		.n_parts = n,
		.lax = !o->strict,
		.absent_attachments_ok = true,
	};

	return slt_xades_verify(&in, &v->signature, err);
}

static bool check_unknown(const struct slt_asic *a, bool strict, struct slt_verdict *v,
			  struct slt_err *err)
{
	unsigned n = 0;
	const char *name = slt_asic_unknown(a, &n);

	if (name == NULL) {
		return true;
	}
	if (strict) {
		return slt_fail(err, SLT_EINVAL,
				"the container has %u entries that nothing vouches for: %s", n,
				name);
	}
	warn(v, "the container has an entry that nothing vouches for", name);
	return true;
}

bool slt_asic_verify_at(const struct slt_asic *a, const struct slt_asic_options *o,
			struct slt_arena *arena, struct slt_asic_verdict *ret, struct slt_err *err)
{
	const struct slt_asic_entries *e = slt_asic_entries(a);
	SLT_AUTO(slt_xades_free) struct slt_xades *x = NULL;
	struct slt_asic_verdict v = {.timestamp_ms = 0};

	if (o->signer) {
		struct slt_id member = slt_id_member(o->signer);
		v.signer = slt_id_dup(&member, arena);
	} else if (!find_signer(e->message, arena, &v.signer, err)) {
		return false;
	}
	if (!slt_xades_parse(e->signature, &x, err)) {
		return false;
	}

	bool chained = slt_xades_references(x, SLT_URI_HC_RESULT) && e->hash_chain_result.n != 0;

	if (!slt_xades_references(x, SLT_URI_MESSAGE) &&
	    !slt_xades_references(x, SLT_URI_HC_RESULT)) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"the signature references neither the message nor a hash chain");
	}
	if (!check_timestamp(e, x, o, &v.timestamp_ms, err) ||
	    !check_signature(e, o, arena, &v, err)) {
		return false;
	}
	if (!check_unknown(a, o->strict, &v.signature, err) ||
	    (chained && !report_attachments(e, arena, &v, err))) {
		slt_asic_verdict_fini(&v);
		return false;
	}
	*ret = v;
	return true;
}

bool slt_asic_verify(const struct slt_asic *a, const struct slt_globalconf *gc, bool strict,
		     struct slt_arena *arena, struct slt_asic_verdict *ret, struct slt_err *err)
{
	struct slt_asic_options o = {.gc = gc, .strict = strict, .at_ms = -1};

	return slt_asic_verify_at(a, &o, arena, ret, err);
}

void slt_asic_verdict_fini(struct slt_asic_verdict *v)
{
	slt_verdict_fini(&v->signature);
}
