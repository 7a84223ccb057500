/* SPDX-License-Identifier: MIT */
#include "translate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "federation/multipart.h"

#define MESSAGE_MAX (64u << 20) /* a translated envelope or document, bytes */
#define TRACE_MAX   (16u << 20)

static struct slt_str in_arena(struct slt_exchange *x, struct slt_buf *b)
{
	struct slt_str s = {slt_arena_memdup(x->arena, slt_buf_str(b).p, b->n), b->n};

	slt_buf_fini(b);
	return s;
}

static void keep_rules(struct slt_exchange *x)
{
	struct slt_buf rules = SLT_BUF_INIT(4096);

	if (!x->rules.p) {
		slt_buf_adds(&rules, "{\"flow\":");
		slt_buf_add_json(&rules, x->route.config->flow);
		if (!slt_route_is_plain(x->route.config)) {
			slt_buf_adds(&rules, ",\"set\":");
			slt_buf_add_json(&rules, slt_mapset_digest(x->mapset));
		}
		slt_buf_addc(&rules, '}');
		x->rules = in_arena(x, &rules);
	}
}

static void keep_trace(struct slt_exchange *x, unsigned i)
{
	struct slt_buf json = SLT_BUF_INIT(TRACE_MAX);

	if (x->mapped[i]->trace) {
		slt_trace_json(x->mapped[i]->trace, false, &json);
		x->trace[i] = in_arena(x, &json);
	}
	keep_rules(x);
}

/* Attachments that the flow maps are read into memory, decoded; the others are passed as they
 * are, and what the flow does not know is refused. */
struct attachments {
	struct slt_map_part part[SLT_ATTACHMENTS_MAX];
	bool mapped[SLT_ATTACHMENTS_MAX];
	size_t n;
};

/* The value of a MIME header among "name: value" lines; empty when there is none. */
static struct slt_str mime_header(const char *headers, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = headers; line && *line;) {
		size_t len = strcspn(line, "\r\n");
		if (len > n && line[n] == ':' && strncasecmp(line, name, n) == 0) {
			return slt_str_trim((struct slt_str){line + n + 1, len - n - 1});
		}
		line += len;
		line += strspn(line, "\r\n");
	}
	return (struct slt_str){"", 0};
}

static bool read_attachment(struct slt_exchange *x, const struct slt_attachment *a,
			    struct slt_str *ret, struct slt_err *err)
{
	uint64_t size = slt_spool_size(a->body), at = 0;
	struct slt_str encoding = mime_header(a->headers, "content-transfer-encoding");
	SLT_AUTO_STR char *enc = slt_strndup(encoding.p, encoding.n);
	size_t n = 0;

	if (size > (uint64_t)x->service->config->max_message) {
		return slt_fail(err, SLT_ELIMIT,
				"an attachment that must be translated is longer than %lld bytes",
				(long long)x->service->config->max_message);
	}
	char *p = slt_arena_alloc(x->arena, (size_t)size + 1);
	for (; at < size; at += n) {
		if (!slt_spool_read(a->body, at, p + at, (size_t)(size - at), &n, err)) {
			return false;
		}
	}
	*ret = (struct slt_str){p, (size_t)size};
	if (slt_strcase_eq(enc, "base64")) {
		struct slt_buf raw = SLT_BUF_INIT((size_t)size + 4);
		if (!slt_base64_decode(*ret, &raw, err)) {
			slt_buf_fini(&raw);
			return slt_wrap(err, "attachment of type %s", a->content_type);
		}
		*ret = in_arena(x, &raw);
		return true;
	}
	if (*enc && !slt_strcase_eq(enc, "binary") && !slt_strcase_eq(enc, "8bit") &&
	    !slt_strcase_eq(enc, "7bit")) {
		return slt_fail(
			err, SLT_EINVALID_MESSAGE,
			"an attachment that must be translated has content transfer encoding "
			"\"%s\": send it as binary or base64",
			enc);
	}
	return true;
}

static bool collect_attachments(struct slt_exchange *x, const struct slt_message *m,
				struct attachments *ret, struct slt_err *err)
{
	const struct slt_mapset *set = x->mapset;

	for (unsigned i = 0; i < m->n_attachments; i++) {
		const struct slt_attachment *a = &m->attachment[i];
		enum slt_map_attachment what =
			slt_mapset_attachment(set, x->route.config->flow, a->content_type);
		if (what == SLT_MAP_REFUSED) {
			return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
					"attachment %u of type \"%s\" is none that flow %s knows",
					i + 1, a->content_type, x->route.config->flow);
		}
		ret->mapped[i] = what == SLT_MAP_MAPPED;
		if (ret->mapped[i]) {
			struct slt_map_part *p = &ret->part[ret->n++];
			p->content_type = a->content_type;
			if (!read_attachment(x, a, &p->bytes, err)) {
				return false;
			}
		}
	}
	return true;
}

/* The headers of an attachment without its transfer encoding: a translated one is sent as it is. */
static char *without_encoding(const char *headers)
{
	struct slt_buf b = SLT_BUF_INIT(65536);

	for (const char *line = headers; line && *line;) {
		size_t len = strcspn(line, "\r\n");
		size_t all = len + strspn(line + len, "\r\n");
		if (strncasecmp(line, "content-transfer-encoding:", 26) != 0) {
			slt_buf_add(&b, line, all);
		}
		line += all;
	}
	return slt_buf_take(&b, NULL);
}

/* What is logged already, and hashed, moves on where it is not translated. */
static bool add_attachments(struct slt_exchange *x, struct slt_message *in,
			    const struct attachments *list, const struct slt_map_result *r,
			    struct slt_message *out, struct slt_err *err)
{
	const struct slt_config *c = x->service->config;
	size_t k = 0;

	for (unsigned i = 0; i < in->n_attachments; i++) {
		const struct slt_attachment *a = &in->attachment[i];
		if (!list->mapped[i]) {
			if (!slt_message_pass(out, in, i, a->content_type, a->headers, err)) {
				return false;
			}
			continue;
		}
		SLT_AUTO(slt_spool_free)
		struct slt_spool *body =
			slt_spool_new(c->spool, SLT_TRANSPORT_LIMITS.spool_threshold,
				      (uint64_t)c->max_attachments);
		SLT_AUTO_STR char *headers = without_encoding(a->headers);
		bool ok = slt_spool_write(body, r->part[k], r->part_len[k], err);
		k++;
		if (!ok ||
		    !slt_message_attach(out, a->content_type, headers, SLT_TAKE(body), err)) {
			return false;
		}
	}
	return true;
}

/* Applies the flow's rules to envelope and attachments; x->mapped has the result. */
static bool apply(struct slt_exchange *x, const struct slt_message *in, struct slt_soap *soap,
		  const struct attachments *list, bool answer, struct slt_err *err)
{
	enum slt_leg from = answer ? SLT_FAR : SLT_NEAR, to = answer ? SLT_NEAR : SLT_FAR;
	struct slt_seal seal = slt_side_seal(x->side[from], slt_now_ms());
	struct slt_map_input input = {
		.from = slt_side_config(x->side[from])->country,
		.to = slt_side_config(x->side[to])->country,
		.flow = x->route.config->flow,
		.message = answer ? SLT_MAP_RESPONSE : SLT_MAP_REQUEST,
		.service = soap->header.service.service,
		.body = {in->head.p, in->head.n},
		.take_doc = SLT_TAKE(soap->doc),
		.parts = list->part,
		.n_parts = list->n,
		.now_ms = seal.now_ms,
		.test_codes = x->service->config->test_codes,
		.asked = answer ? x->mapped[0] : NULL,
		.judge = slt_seal_judge(&seal),
	};
	bool ok = slt_map_apply(x->mapset, &input, x->mapped[answer], err);

	keep_trace(x, answer);
	return ok;
}

/* Written in UTF-8 whatever it came in. The root of an XOP package stays one, under the Content-ID
 * by which the package names it. */
static void set_package(const struct slt_message *in, struct slt_message *out)
{
	if (slt_mime_is(in->content_type, "application/xop+xml")) {
		out->content_type =
			slt_strdup("application/xop+xml; charset=UTF-8; type=\"text/xml\"");
		out->headers = slt_strdup(in->headers ? in->headers : "");
	} else {
		out->content_type = slt_strdup("text/xml; charset=UTF-8");
	}
}

bool slt_translate(struct slt_exchange *x, struct slt_message *in, struct slt_soap *soap,
		   const struct slt_soap_header *header, bool answer, struct slt_message **ret,
		   struct slt_err *err)
{
	struct attachments list = {0};
	struct slt_map_result *r = x->mapped[answer] = slt_map_result_new();

	if (slt_route_is_plain(x->route.config)) {
		r->doc = SLT_TAKE(soap->doc);
		keep_rules(x);
	} else if (!collect_attachments(x, in, &list, err) ||
		   !apply(x, in, soap, &list, answer, err)) {
		return false;
	}
	SLT_AUTO(slt_message_free) struct slt_message *out = slt_message_new(SLT_SOAP);
	SLT_AUTO_BUF(bytes, MESSAGE_MAX);
	slt_soap_set_header(r->doc, header);
	if (!slt_xml_dump(r->doc, NULL, true, &bytes, err)) {
		return false;
	}
	set_package(in, out);
	slt_message_set_head(out, slt_buf_str(&bytes).p, bytes.n);
	if (!add_attachments(x, in, &list, r, out, err)) {
		return false;
	}
	*ret = SLT_TAKE(out);
	return true;
}

/* --- REST --------------------------------------------------------------------------------- */

enum body { BODY_KEPT, BODY_JSON, BODY_XML, BODY_REFUSED };

static bool has_type(const char *content_type, const char *bare, const char *suffix)
{
	size_t n = strcspn(content_type, "; \t"), k = strlen(suffix);

	return (n == strlen(bare) && strncasecmp(content_type, bare, n) == 0) ||
	       (n > k && strncasecmp(content_type + n - k, suffix, k) == 0);
}

/* What is to be done with the body? An answer that reports an error is, like a SOAP Fault, the
 * provider's own word, and passed on. */
static enum body body_of(const struct slt_exchange *x, const struct slt_message *m,
			 const struct slt_rest *head)
{
	const char *type = slt_rest_header(head, "Content-Type");

	if (m->n_attachments == 0 || slt_spool_size(m->attachment[0].body) == 0 ||
	    slt_route_is_plain(x->route.config) || head->status >= 400) {
		return BODY_KEPT;
	}
	type = type ? type : "";
	if (slt_mapset_attachment(x->mapset, x->route.config->flow, type) == SLT_MAP_PASSED) {
		return BODY_KEPT;
	}
	return has_type(type, "application/json", "+json") ? BODY_JSON
	       : has_type(type, "application/xml", "+xml") || has_type(type, "text/xml", "+xml")
		       ? BODY_XML
		       : BODY_REFUSED;
}

/* What one reader takes the first of and another the last. */
static bool is_single(const struct slt_rest *head, const char *name, struct slt_err *err)
{
	unsigned n = 0;

	for (size_t i = 0; i < head->n_headers; i++) {
		n += slt_strcase_eq(head->header[i].name, name);
	}
	return n <= 1 || slt_fail(err, SLT_EDUPLICATE_HEADER_FIELD,
				  "the header %s stands twice: say once what the body is", name);
}

static bool check_body(const struct slt_exchange *x, enum body what, const struct slt_rest *head,
		       struct slt_err *err)
{
	const char *type = slt_rest_header(head, "Content-Type");
	const char *encoding = slt_rest_header(head, "Content-Encoding");

	if (!slt_route_is_plain(x->route.config) &&
	    (!is_single(head, "Content-Type", err) || !is_single(head, "Content-Encoding", err))) {
		return false;
	}
	if (what == BODY_REFUSED) {
		return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
				"a body of type \"%.80s\" is none that flow %s knows",
				type ? type : "", x->route.config->flow);
	}
	return what == BODY_KEPT || !encoding || slt_strcase_eq(encoding, "identity") ||
	       slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
			"a body that must be translated has Content-Encoding \"%.40s\": send it as "
			"it is",
			encoding);
}

static bool map_body(struct slt_exchange *x, const struct slt_message *in, bool answer,
		     struct slt_buf *out, struct slt_err *err)
{
	enum slt_leg from = answer ? SLT_FAR : SLT_NEAR, to = answer ? SLT_NEAR : SLT_FAR;
	struct slt_seal seal = slt_side_seal(x->side[from], slt_now_ms());
	struct slt_map_result *r = x->mapped[answer] = slt_map_result_new();
	struct slt_map_input input = {
		.from = slt_side_config(x->side[from])->country,
		.to = slt_side_config(x->side[to])->country,
		.flow = x->route.config->flow,
		.message = answer ? SLT_MAP_RESPONSE : SLT_MAP_REQUEST,
		.service = x->named[SLT_NEAR].service.service,
		.bare = true,
		.now_ms = seal.now_ms,
		.test_codes = x->service->config->test_codes,
		.asked = answer ? x->mapped[0] : NULL,
		.judge = slt_seal_judge(&seal),
	};

	if (!read_attachment(x, &in->attachment[0], &input.body, err)) {
		return false;
	}
	bool ok = slt_map_apply(x->mapset, &input, r, err);
	keep_trace(x, answer);
	return ok && slt_map_dump(r->doc, out, err);
}

static bool has_body(const struct slt_message *m)
{
	return m->n_attachments > 0 && slt_spool_size(m->attachment[0].body) > 0;
}

static struct slt_map_input call_input(struct slt_exchange *x, const struct slt_rest *head)
{
	const char *text = slt_arena_printf(x->arena, "%s%s%s", head->service_path,
					    head->query ? "?" : "", head->query ? head->query : "");

	return (struct slt_map_input){
		.from = slt_side_config(x->side[SLT_NEAR])->country,
		.to = slt_side_config(x->side[SLT_FAR])->country,
		.flow = x->route.config->flow,
		.message = SLT_MAP_REQUEST,
		.service = x->named[SLT_NEAR].service.service,
		.body = slt_str(text),
		.call = true,
		.now_ms = slt_now_ms(),
		.test_codes = x->service->config->test_codes,
	};
}

static void set_call(struct slt_rest *head, const char *call)
{
	const char *mark = strchr(call, '?');
	size_t n = mark ? (size_t)(mark - call) : strlen(call);
	SLT_AUTO_STR char *path = slt_strndup(call, n);

	slt_rest_set_call(head, path, mark ? mark + 1 : NULL);
}

/* Path and query of a request. They stay as they are only where they say nothing: whatever does not
 * pass through the rules is refused. */
static bool map_call(struct slt_exchange *x, const struct slt_message *in, struct slt_rest *head,
		     struct slt_err *err)
{
	const char *service = x->named[SLT_NEAR].service.service;

	if (!slt_mapset_calls(x->mapset, x->route.config->flow, service)) {
		return (has_body(in) && !*head->service_path && !head->query) ||
		       slt_fail(err, SLT_FED_STR_002,
				"flow %s translates the body of a request to %s, and no path or "
				"query: send a body, to the service itself",
				x->route.config->flow, service);
	}
	if (has_body(in) && !*head->service_path && !head->query) {
		return true;
	}
	if (has_body(in)) {
		return slt_fail(err, SLT_FED_STR_002,
				"a request to %s says what it wants in its path and query, or in a "
				"body, but not in both",
				service);
	}
	const struct slt_map_input input = call_input(x, head);
	struct slt_map_result *r = x->mapped[0] = slt_map_result_new();
	bool ok = slt_map_apply(x->mapset, &input, r, err);
	keep_trace(x, 0);
	if (ok) {
		set_call(head, r->call);
	}
	return ok;
}

/* What the head says of the bytes of a body no longer holds once the body was translated. */
static void forget_bytes(struct slt_rest *head, enum body what)
{
	static const char *const names[] = {"Content-MD5", "Digest", "Content-Digest",
					    "Repr-Digest"};

	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		slt_rest_set(head, names[i], NULL);
	}
	if (what == BODY_XML) { /* written in UTF-8, whatever it was read in */
		const char *type = slt_rest_header(head, "Content-Type");
		SLT_AUTO_STR char *utf8 =
			slt_asprintf("%.*s; charset=UTF-8", (int)strcspn(type, "; \t"), type);
		slt_rest_set(head, "Content-Type", utf8);
	}
}

static bool set_rest_head(struct slt_message *m, const struct slt_rest *head, struct slt_err *err)
{
	SLT_AUTO_BUF(bytes, SLT_REST_HEAD_MAX);

	slt_rest_format(head, &bytes);
	m->content_type =
		slt_strdup(head->response ? SLT_REST_TYPE_RESPONSE : SLT_REST_TYPE_REQUEST);
	slt_message_set_head(m, slt_buf_str(&bytes).p, bytes.n);
	return slt_buf_check(&bytes, "the REST head", err);
}

static bool set_rest_body(struct slt_exchange *x, struct slt_message *in, bool translated,
			  const struct slt_buf *bytes, struct slt_message *out, struct slt_err *err)
{
	const struct slt_config *c = x->service->config;

	if (!translated) {
		return slt_message_pass(out, in, 0, SLT_REST_TYPE_BODY, "", err);
	}
	SLT_AUTO(slt_spool_free)
	struct slt_spool *body = slt_spool_new(c->spool, SLT_TRANSPORT_LIMITS.spool_threshold,
					       (uint64_t)c->max_attachments);

	return slt_spool_write(body, bytes->p, bytes->n, err) &&
	       slt_message_attach(out, SLT_REST_TYPE_BODY, "", SLT_TAKE(body), err);
}

bool slt_translate_rest(struct slt_exchange *x, struct slt_message *in, struct slt_rest *head,
			bool answer, struct slt_message **ret, struct slt_err *err)
{
	SLT_AUTO(slt_message_free) struct slt_message *out = slt_message_new(SLT_REST);
	SLT_AUTO_BUF(bytes, MESSAGE_MAX);
	enum body what = body_of(x, in, head);
	bool translated = what == BODY_JSON || what == BODY_XML;

	keep_rules(x);
	if ((!answer && !slt_route_is_plain(x->route.config) && !map_call(x, in, head, err)) ||
	    !check_body(x, what, head, err) ||
	    (translated && !map_body(x, in, answer, &bytes, err))) {
		return false;
	}
	if (translated) {
		forget_bytes(head, what);
	}
	if (!slt_route_is_plain(x->route.config) && !answer) {
		slt_rest_set(head, "Accept-Encoding", NULL); /* what is packed is not translated */
	}
	if (!set_rest_head(out, head, err) ||
	    (in->n_attachments && !set_rest_body(x, in, translated, &bytes, out, err))) {
		return false;
	}
	*ret = SLT_TAKE(out);
	return true;
}

/* --- faults ------------------------------------------------------------------------------- */

void slt_translate_fault(struct slt_exchange *x)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_soap *translated = NULL;
	SLT_AUTO_BUF(bytes, MESSAGE_MAX);

	if (slt_route_is_plain(x->route.config)) {
		return;
	}
	struct slt_map_result *r = x->mapped[1] = slt_map_result_new();
	struct slt_map_input input = {
		.from = slt_side_config(x->side[SLT_FAR])->country,
		.to = slt_side_config(x->side[SLT_NEAR])->country,
		.flow = x->route.config->flow,
		.message = SLT_MAP_FAULT,
		.body = {x->fault_in.p, x->fault_in.n},
		.take_doc = SLT_TAKE(x->soap_answer->doc),
		.now_ms = slt_now_ms(),
	};

	if (!slt_map_apply(x->mapset, &input, r, &err) ||
	    !slt_xml_dump(r->doc, NULL, true, &bytes, &err) ||
	    !slt_soap_parse(slt_buf_str(&bytes).p, bytes.n, NULL, &translated, &err)) {
		slt_log_err(SLT_LOG_DEBUG, "a provider's fault is passed on untranslated", &err,
			    "exchange", x->id, NULL);
		return;
	}
	slt_soap_free(x->soap_answer);
	x->soap_answer = translated;
}
