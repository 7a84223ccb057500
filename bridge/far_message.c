/* SPDX-License-Identifier: MIT */
#include "far_message.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "federation/multipart.h"
#include "federation/soapmime.h"
#include "federation/soapmime_write.h"
#include "metrics.h"
#include "protocol.h"

#define CONNECT_MS  10000
#define ERROR_MAX   (64u << 10) /* bytes of a security server's error document */
#define HEADERS_MAX (SLT_REST_HEADERS_MAX + 8)

struct far_message {
	struct slt_exchange *x;
	char *url;
	const char *headers[HEADERS_MAX]; /* in the exchange's arena */
	size_t n_headers;
	struct slt_soapmime_writer *writer; /* SOAP */
	uint64_t at;			    /* REST: of the body */

	int status;
	bool answering; /* the answer's head has begun */
	char *answer_type;
	struct slt_soapmime *soap; /* SOAP */
	/* REST */
	struct slt_rest *head;
	char *named[5]; /* values of the headers in names[] */
	char *error;	/* X-Road-Error */
	struct slt_buf error_doc;
	struct slt_spool *body;
};

/* What ties an answer of REST to its request. */
static const char *const names[] = {"x-road-id", "x-road-client", "x-road-service",
				    "x-road-request-id", "x-road-request-hash"};

static void call_free(struct far_message *c)
{
	free(c->url);
	slt_soapmime_writer_free(c->writer);
	slt_soapmime_free(c->soap);
	free(c->answer_type);
	slt_rest_free(c->head);
	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		free(c->named[i]);
	}
	free(c->error);
	slt_buf_fini(&c->error_doc);
	slt_spool_free(c->body);
	free(c);
}

static struct slt_transport_limits limits_of(const struct far_message *c)
{
	const struct slt_config *conf = c->x->service->config;
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;

	limits.head = (size_t)conf->max_message;
	limits.body = (uint64_t)conf->max_attachments;
	limits.spool_dir = conf->spool;
	return limits;
}

static bool is_rest(const struct far_message *c)
{
	return c->x->protocol->kind == SLT_REST;
}

/* --- the answer's head -------------------------------------------------------------------- */

static bool keep_named(struct far_message *c, const char *name, const char *value, bool *ret_kept,
		       struct slt_err *err)
{
	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		if (!slt_strcase_eq(name, names[i])) {
			continue;
		}
		*ret_kept = true;
		if (c->named[i]) {
			slt_fail(err, SLT_EDUPLICATE_HEADER_FIELD,
				 "the answer has more than one header %s", names[i]);
			return slt_prefix(err, SLT_SERVICE_FAILED);
		}
		c->named[i] = slt_strdup(value);
	}
	return true;
}

static bool rest_header(struct far_message *c, const char *name, const char *value,
			struct slt_err *err)
{
	bool kept = false;

	if (!c->head) {
		c->head = slt_rest_new_response(c->status, slt_reason_phrase((unsigned)c->status));
	}
	if (slt_strcase_eq(name, "X-Road-Error")) {
		free(c->error);
		c->error = slt_strdup(value);
	}
	return keep_named(c, name, value, &kept, err) &&
	       (kept || slt_rest_add(c->head, name, value, err) ||
		slt_prefix(err, SLT_SERVICE_FAILED));
}

static bool on_header(void *arg, int status, const char *name, const char *value,
		      struct slt_err *err)
{
	struct far_message *c = arg;

	if (status < 200) {
		return true; /* of an interim answer */
	}
	c->answering = true;
	c->status = status;
	if (c->soap || c->body) {
		return true; /* behind the body */
	}
	if (slt_strcase_eq(name, "Content-Type")) {
		free(c->answer_type);
		c->answer_type = slt_strdup(value);
	}
	if (is_rest(c)) {
		return rest_header(c, name, value, err);
	}
	return status == 200 || status == 500 ||
	       slt_fail(err, SLT_EHTTP, "the security server answered with HTTP status %d", status);
}

/* --- its body ----------------------------------------------------------------------------- */

static bool open_soap(struct far_message *c, struct slt_err *err)
{
	const struct slt_transport_limits limits = limits_of(c);

	return c->soap || slt_soapmime_new(c->answer_type ? c->answer_type : "", SLT_SHA512,
					   &limits, &c->soap, err);
}

static bool rest_data(struct far_message *c, const char *p, size_t n, struct slt_err *err)
{
	const struct slt_transport_limits limits = limits_of(c);

	if (c->error) {
		slt_buf_add(&c->error_doc, p, n);
		return slt_buf_check(&c->error_doc, "the security server's error", err);
	}
	if (!c->body) {
		c->body = slt_spool_new(limits.spool_dir, limits.spool_threshold, limits.body);
	}
	return slt_spool_write(c->body, p, n, err);
}

static bool on_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct far_message *c = arg;

	slt_metrics_add(SLT_M_BYTES, slt_metrics_side(slt_side_config(c->x->side[SLT_FAR])),
			SLT_WAY_RECEIVED, (int64_t)n);
	bool ok = is_rest(c) ? rest_data(c, p, n, err)
			     : open_soap(c, err) && slt_soapmime_feed(c->soap, p, n, err);
	return ok || slt_prefix(err, SLT_SERVICE_FAILED);
}

/* --- its end ------------------------------------------------------------------------------ */

static bool finish_soap(struct far_message *c, struct slt_err *err)
{
	struct slt_exchange *x = c->x;
	SLT_AUTO(slt_message_free) struct slt_message *m = NULL;
	SLT_AUTO(slt_soap_free) struct slt_soap *soap = NULL;

	if (!open_soap(c, err) || !slt_soapmime_finish(c->soap, &m, &soap, err)) {
		return false;
	}
	if (soap->is_fault) {
		x->fault_in = (struct slt_bytes){SLT_TAKE(m->head.p), m->head.n};
		return true;
	}
	x->answer_in = SLT_TAKE(m);
	x->soap_answer = SLT_TAKE(soap);
	return true;
}

/* A member of the JSON form, or an element of the XML form; NULL where there is none. malloc'ed. */
static char *json_member(const json_t *doc, const char *name)
{
	const char *v = json_string_value(json_object_get(doc, name));

	return v ? slt_strdup(v) : NULL;
}

static void read_error_json(struct slt_str doc, char *ret[3])
{
	json_t *root = json_loadb(doc.p ? doc.p : "", doc.n, JSON_REJECT_DUPLICATES, NULL);

	ret[0] = json_member(root, "type");
	ret[1] = json_member(root, "message");
	ret[2] = json_member(root, "detail");
	json_decref(root);
}

static void read_error_xml(struct slt_str bytes, char *ret[3])
{
	static const char *const elements[] = {"type", "message", "detail"};
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_err ignored = SLT_ERR_INIT;

	if (!slt_xml_parse(bytes.p, bytes.n, &SLT_XML_PEER, "error", &doc, &ignored)) {
		return;
	}
	for (size_t i = 0; i < SLT_COUNT(elements); i++) {
		const char *v = slt_xml_text(
			a, slt_xml_child(xmlDocGetRootElement(doc), NULL, elements[i]));
		ret[i] = v ? slt_strdup(v) : NULL;
	}
}

/* In the form that faults have on the transport: what is done with them is the same. The code that
 * the header says counts. */
static void take_error(struct far_message *c)
{
	struct slt_buf fault = SLT_BUF_INIT(8 * ERROR_MAX);
	char *said[3] = {NULL, NULL, NULL}; /* type, message, detail */
	bool xml = slt_mime_is(c->answer_type, "text/xml") ||
		   slt_mime_is(c->answer_type, "application/xml");

	if (xml) {
		read_error_xml(slt_buf_str(&c->error_doc), said);
	} else {
		read_error_json(slt_buf_str(&c->error_doc), said);
	}
	slt_fault_soap(c->error, said[1] ? said[1] : "the security server gave no text", NULL,
		       said[2], NULL, &fault);
	c->x->fault_in.p = slt_buf_take(&fault, &c->x->fault_in.n);
	for (size_t i = 0; i < SLT_COUNT(said); i++) {
		free(said[i]);
	}
}

/* The head as it stands for the answer in the log: what the provider's side said, in one form. */
static bool finish_rest(struct far_message *c, struct slt_err *err)
{
	SLT_AUTO(slt_message_free) struct slt_message *m = slt_message_new(SLT_REST);
	SLT_AUTO_BUF(bytes, SLT_REST_HEAD_MAX);

	if (c->error) {
		take_error(c);
		return true;
	}
	if (!c->head) {
		return slt_fail(err, SLT_EINVALID_MESSAGE, "the answer has no headers");
	}
	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		if (c->named[i]) {
			slt_rest_set(c->head, names[i], c->named[i]);
		}
	}
	slt_rest_format(c->head, &bytes);
	m->content_type = slt_strdup(SLT_REST_TYPE_RESPONSE);
	slt_message_set_head(m, slt_buf_str(&bytes).p, bytes.n);
	if (!slt_buf_check(&bytes, "the REST head", err) ||
	    (c->body && !slt_message_attach(m, SLT_REST_TYPE_BODY, "", SLT_TAKE(c->body), err))) {
		return false;
	}
	c->x->answer_in = SLT_TAKE(m);
	return true;
}

/* As with the transport: a connection that ends too early has X-Road's codes. */
static void name_break(const struct far_message *c, struct slt_err *err)
{
	if (err->code == SLT_EOUTCOME_UNKNOWN && c->answering) {
		err->code = SLT_EIO;
		slt_prefix(err, SLT_SERVICE_FAILED);
	} else if (err->code == SLT_EOUTCOME_UNKNOWN) {
		err->code = SLT_ENETWORK;
	}
}

static void over(struct far_message *c, const struct slt_err *err)
{
	struct slt_exchange *x = c->x;

	call_free(c);
	slt_pipeline_resume(x, err);
}

static void on_done(void *arg, int status, bool sent, const struct slt_err *failed)
{
	struct far_message *c = arg;
	struct slt_err err = SLT_ERR_INIT;

	(void)status;
	c->x->sent |= sent;
	if (failed) {
		err = *failed;
		name_break(c, &err);
	} else if (is_rest(c) ? !finish_rest(c, &err) : !finish_soap(c, &err)) {
		slt_prefix(&err, SLT_SERVICE_FAILED);
	}
	if (err.code == SLT_EMISSING_SOAP) {
		err.code = SLT_EINVALID_MESSAGE; /* X-Road has this for a service's answer */
	}
	over(c, err.code == SLT_OK ? NULL : &err);
}

/* --- the request -------------------------------------------------------------------------- */

static bool judge(void *arg, X509 *const *chain, size_t n, struct slt_err *err)
{
	struct far_message *c = arg;

	return slt_side_check_pin(c->x->side[SLT_FAR], chain, n, err);
}

static bool send_body(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct far_message *c = arg;
	const struct slt_message *m = c->x->request_out;
	bool ok = c->writer ? slt_soapmime_read(c->writer, p, n, ret_n, err)
			    : slt_spool_read(m->attachment[0].body, c->at, p, n, ret_n, err);

	if (ok) {
		c->at += *ret_n;
		slt_metrics_add(SLT_M_BYTES, slt_metrics_side(slt_side_config(c->x->side[SLT_FAR])),
				SLT_WAY_SENT, (int64_t)*ret_n);
	}
	return ok;
}

/* libcurl sends "Name;" as a header without value, and takes "Name:" for one to be left out. */
static void add_header(struct far_message *c, const char *name, const char *value)
{
	slt_assert(c->n_headers < HEADERS_MAX);
	c->headers[c->n_headers++] = *value ? slt_arena_printf(c->x->arena, "%s: %s", name, value)
					    : slt_arena_printf(c->x->arena, "%s;", name);
}

static void leave_out(struct far_message *c, const char *name)
{
	if (!slt_rest_header(c->x->rest_out, name)) {
		c->headers[c->n_headers++] = slt_arena_printf(c->x->arena, "%s:", name);
	}
}

/* Without the slash that may stand behind host and port. */
static char *base_url(const struct slt_exchange *x)
{
	const char *url = slt_side_config(x->side[SLT_FAR])->security_server;
	size_t n = strlen(url);

	return slt_strndup(url, n - (url[n - 1] == '/'));
}

static void prepare_soap(struct far_message *c, const char *base, struct slt_call *call)
{
	const char *action = c->x->original_action;

	c->writer = slt_soapmime_writer_new(c->x->request_out);
	c->url = slt_asprintf("%s/", base);
	call->method = "POST";
	call->read = send_body;
	add_header(c, "Content-Type", slt_soapmime_content_type(c->writer));
	add_header(c, "SOAPAction", action && *action ? action : "\"\"");
}

static void prepare_rest(struct far_message *c, const char *base, struct slt_call *call)
{
	const struct slt_rest *r = c->x->rest_out;
	bool has_body = c->x->request_out->n_attachments > 0;
	bool wants_length = strcmp(r->verb, "POST") == 0 || strcmp(r->verb, "PUT") == 0 ||
			    strcmp(r->verb, "PATCH") == 0;

	c->url = slt_asprintf("%s%s%s%s", base, r->path, r->query ? "?" : "",
			      r->query ? r->query : "");
	call->method = r->verb;
	call->read = has_body ? send_body : NULL;
	call->body = !has_body && wants_length ? "" : NULL; /* Content-Length: 0 */
	for (size_t i = 0; i < r->n_headers; i++) {
		/* the security server gives the request an id of its own */
		if (!slt_strcase_eq(r->header[i].name, "x-road-request-id")) {
			add_header(c, r->header[i].name, r->header[i].value);
		}
	}
	/* what libcurl would add by itself */
	leave_out(c, "Accept");
	leave_out(c, "Content-Type");
}

void slt_far_message_start(struct slt_exchange *x)
{
	struct far_message *c = slt_calloc(1, sizeof(*c));
	SLT_AUTO_STR char *base = base_url(x);
	struct slt_call call = {
		.connect_ms = CONNECT_MS,
		.total_ms = (unsigned)(x->route.config->deadline_seconds * 1000),
		.tls = slt_side_tls(x->side[SLT_FAR]),
		.header = on_header,
		.data = on_data,
		.done = on_done,
		.arg = c,
	};

	c->x = x;
	slt_buf_init(&c->error_doc, ERROR_MAX);
	if (is_rest(c)) {
		prepare_rest(c, base, &call);
	} else {
		prepare_soap(c, base, &call);
	}
	if (strncmp(base, "https:", 6) == 0) {
		call.judge = judge;
	}
	call.url = c->url;
	call.headers = c->headers;
	call.n_headers = c->n_headers;
	slt_client_start(x->service->client, &call);
}
