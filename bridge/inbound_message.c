/* SPDX-License-Identifier: MIT */
#include "inbound_message.h"

#include <stdlib.h>
#include <string.h>

#include <uuid/uuid.h>

#include "base/clock.h"
#include "exchange.h"
#include "federation/metadata.h"
#include "federation/soapmime.h"
#include "metrics.h"

#define MIME_ROOM                                                                                  \
	(1u << 20) /* bytes that part headers and delimiters may take beside the parts             \
		    */

/* A request that is being received. */
struct arrival {
	struct slt_inbound *inbound;
	struct slt_soapmime *soap;    /* SOAP */
	struct slt_message *rest;     /* REST: the head */
	struct slt_spool *body;	      /* and the body, if there is one */
	char *original_type, *action; /* SOAP */
	bool clients;		      /* it is no message: GET /listClients */
};

bool slt_inbound_message_is_rest(const struct slt_request *r)
{
	const char *path = slt_request_path(r);
	size_t digits = strncmp(path, "/r", 2) == 0 ? strspn(path + 2, "0123456789") : 0;

	return digits > 0 && (path[2 + digits] == '/' || path[2 + digits] == '\0');
}

/* --- SOAP --------------------------------------------------------------------------------- */

static struct slt_transport_limits limits_of(const struct slt_config *c)
{
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;

	limits.head = (size_t)c->max_message;
	limits.body = (uint64_t)c->max_attachments;
	limits.spool_dir = c->spool;
	return limits;
}

static bool begin_soap(struct arrival *a, const struct slt_request *r, struct slt_err *err)
{
	const char *type = slt_request_header(r, "Content-Type");
	const char *action = slt_request_header(r, "SOAPAction");
	const struct slt_transport_limits limits = limits_of(a->inbound->service->config);

	if (strcmp(slt_request_method(r), "POST") != 0) {
		return slt_fail(err, SLT_EINVALID_HTTP_METHOD, "method %s is not POST",
				slt_request_method(r));
	}
	if (!slt_soap_check_action(action, err) ||
	    !slt_soapmime_new(type ? type : "", SLT_SHA512, &limits, &a->soap, err)) {
		return false;
	}
	a->original_type = slt_strdup(type);
	a->action = action ? slt_strdup(action) : NULL;
	return true;
}

/* --- REST --------------------------------------------------------------------------------- */

struct heading {
	struct slt_rest *head;
	struct slt_err *err;
	bool failed;
};

static void take_header(void *arg, const char *name, const char *value)
{
	struct heading *h = arg;
	struct slt_str v = slt_str_trim(slt_str(value));
	SLT_AUTO_STR char *text = slt_strndup(v.p, v.n);

	h->failed = h->failed || !slt_rest_add(h->head, name, text, h->err);
}

static void new_uuid(char ret[37])
{
	uuid_t u;

	uuid_generate(u);
	uuid_unparse_lower(u, ret);
}

/* X-Road's servers meet these with an exception of theirs. */
static bool check_path(const char *path, struct slt_err *err)
{
	unsigned slashes = 0;

	for (const char *p = path; *p; p++) {
		slashes += *p == '/';
	}
	if (strncmp(path, "/r1/", 4) != 0) {
		return slt_fail(err, SLT_EINTERNAL,
				"only version 1 of the REST protocol is spoken: "
				"the path must begin with /r1/");
	}
	return slashes >= 6 ||
	       slt_fail(err, SLT_EINTERNAL,
			"the path must be /r1/INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE");
}

static bool make_head(struct arrival *a, const struct slt_request *r, struct slt_buf *out,
		      struct slt_err *err)
{
	const char *query = slt_request_query(r);
	SLT_AUTO(slt_rest_free)
	struct slt_rest *head = slt_rest_new_request(slt_request_method(r), slt_request_path(r),
						     *query ? query : NULL);
	struct heading h = {head, err, false};
	char request_id[37], uuid[37];

	slt_request_each_header(r, take_header, &h);
	if (h.failed) {
		return false;
	}
	new_uuid(request_id);
	new_uuid(uuid);
	SLT_AUTO_STR char *id = slt_asprintf("%s-%s", slt_side_name(a->inbound->side), uuid);
	slt_rest_end_request(head, request_id, id);
	slt_rest_format(head, out);
	return slt_buf_check(out, "the REST head", err);
}

static bool begin_rest(struct arrival *a, const struct slt_request *r, struct slt_err *err)
{
	SLT_AUTO_BUF(bytes, SLT_REST_HEAD_MAX);
	SLT_AUTO(slt_rest_free) struct slt_rest *parsed = NULL;

	if (!slt_rest_is_verb(slt_request_method(r))) {
		return slt_fail(err, SLT_EINVALID_HTTP_METHOD,
				"method %.20s is none that X-Road knows", slt_request_method(r));
	}
	/* what the caller got wrong is found before his body is read */
	if (!check_path(slt_request_path(r), err) || !make_head(a, r, &bytes, err) ||
	    !slt_rest_parse(bytes.p, bytes.n, &parsed, err)) {
		return false;
	}
	a->rest = slt_message_new(SLT_REST);
	a->rest->content_type = slt_strdup(SLT_REST_TYPE_REQUEST);
	slt_message_set_head(a->rest, bytes.p, bytes.n);
	return true;
}

static bool take_body(struct arrival *a, const char *p, size_t n, struct slt_err *err)
{
	const struct slt_transport_limits limits = limits_of(a->inbound->service->config);

	if (n > 0 && !a->body) {
		a->body = slt_spool_new(limits.spool_dir, limits.spool_threshold, limits.body);
	}
	return n == 0 || slt_spool_write(a->body, p, n, err);
}

/* --- the list of clients (PR-META 2) ------------------------------------------------------ */

static bool is_list_of_clients(const struct slt_request *r)
{
	return strcmp(slt_request_path(r), "/listClients") == 0 &&
	       strcmp(slt_request_method(r), "GET") == 0;
}

static void respond_as(struct slt_request *r, unsigned status, const char *type,
		       struct slt_str body)
{
	const struct slt_response_header h = {"Content-Type", type};

	slt_respond(r, status, &h, 1, body.p, body.n);
}

/* The bridge's configuration holds it: it is read from memory, so no worker is needed. As X-Road's,
 * it is told what is wrong in plain words and by the status. */
static void list_clients(const struct slt_inbound *in, struct slt_request *r)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
	SLT_AUTO_BUF(out, SLT_METADATA_LIST_MAX);
	const char *instance = slt_rest_query_value(slt_request_query(r), "xRoadInstance", a);
	bool json = slt_metadata_wants_json(slt_request_header(r, "Accept"));
	struct slt_err err = SLT_ERR_INIT;

	if (slt_side_globalconf(in->side, slt_now_ms(), &gc, &err) &&
	    slt_metadata_clients(gc, instance, json, &out, &err)) {
		respond_as(r, 200, json ? SLT_METADATA_TYPE_JSON : SLT_METADATA_TYPE_XML,
			   slt_buf_str(&out));
		return;
	}
	respond_as(r, err.code == SLT_EINVALID_REQUEST ? 404 : 500, "text/plain; charset=utf-8",
		   slt_str(slt_exchange_public_text(&err)));
}

/* --- a request ---------------------------------------------------------------------------- */

/* The security server where there is one to know it by; else the listener is on a loopback address,
 * which the configuration sees to. */
static bool check_caller(const struct slt_inbound *in, const struct slt_request *r,
			 struct slt_err *err)
{
	size_t n = 0;
	X509 *const *chain = slt_request_peer_chain(r, &n);

	return !slt_inbound_wants_certificate(in->side) ||
	       slt_side_check_pin(in->side, chain, n, err);
}

static bool check_length(const struct slt_inbound *in, const struct slt_request *r,
			 struct slt_err *err)
{
	const struct slt_config *c = in->service->config;
	const char *declared = slt_request_header(r, "Content-Length");
	uint64_t n = declared ? strtoull(declared, NULL, 10) : 0;
	uint64_t most = (uint64_t)c->max_attachments;

	if (!slt_inbound_message_is_rest(r)) {
		most += (uint64_t)c->max_message + MIME_ROOM;
	}
	return n <= most || slt_fail(err, SLT_ELIMIT, "the request is longer than %llu bytes",
				     (unsigned long long)most);
}

static bool on_begin(void *arg, struct slt_request *r, void **ret_state, struct slt_err *err)
{
	struct slt_inbound *in = arg;
	struct arrival *a = slt_calloc(1, sizeof(*a));

	a->inbound = in;
	*ret_state = a;
	a->clients = is_list_of_clients(r);
	return check_caller(in, r, err) && check_length(in, r, err) &&
	       (a->clients			 ? true
		: slt_inbound_message_is_rest(r) ? begin_rest(a, r, err)
						 : begin_soap(a, r, err));
}

static bool on_body(void *state, struct slt_request *r, const char *p, size_t n,
		    struct slt_err *err)
{
	struct arrival *a = state;

	(void)r;
	slt_metrics_add(SLT_M_BYTES, slt_metrics_side(slt_side_config(a->inbound->side)),
			SLT_WAY_RECEIVED, (int64_t)n);
	if (a->clients) {
		return n == 0 || slt_fail(err, SLT_EINVALID_REQUEST, "no body is expected");
	}
	return a->rest ? take_body(a, p, n, err) : slt_soapmime_feed(a->soap, p, n, err);
}

/* Not the caller's fault, or not one that he is told as such. */
static bool is_own(enum slt_code c)
{
	return c == SLT_EBUSY || c == SLT_EIO || c == SLT_EINTERNAL ||
	       c == SLT_ESSL_AUTHENTICATION_FAILED;
}

static void on_reject(void *arg, void *state, struct slt_request *r, const struct slt_err *err)
{
	struct slt_err e = *err;

	(void)state;
	if (!is_own(e.code)) {
		slt_prefix(&e, SLT_CLIENT);
	}
	slt_inbound_refuse(arg, r, &e, NULL);
}

/* An information system that sends a Fault instead of a request gets it back as its own. */
static void refuse_fault(struct arrival *a, struct slt_request *r, const struct slt_soap *soap)
{
	const char *said = soap->fault.code ? soap->fault.code : "";
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *code = slt_asprintf("client.%.200s", said);

	slt_fail(&err, SLT_EINVALID_MESSAGE, "a SOAP Fault came instead of a request");
	slt_prefix(&err, SLT_CLIENT);
	slt_inbound_refuse(a->inbound, r, &err, code);
}

static struct slt_exchange *end_soap(struct arrival *a, struct slt_request *r, struct slt_err *err)
{
	SLT_AUTO(slt_soap_free) struct slt_soap *soap = NULL;
	SLT_AUTO(slt_message_free) struct slt_message *m = NULL;

	if (!slt_soapmime_finish(a->soap, &m, &soap, err)) {
		on_reject(a->inbound, a, r, err);
		return NULL;
	}
	if (soap->is_fault) {
		refuse_fault(a, r, soap);
		return NULL;
	}
	struct slt_exchange *x =
		slt_exchange_new(a->inbound->service, a->inbound->side, r, SLT_TAKE(m));
	x->soap_in = SLT_TAKE(soap);
	x->original_type[0] = SLT_TAKE(a->original_type);
	x->original_action = SLT_TAKE(a->action);
	return x;
}

static struct slt_exchange *end_rest(struct arrival *a, struct slt_request *r, struct slt_err *err)
{
	if (a->body &&
	    !slt_message_attach(a->rest, SLT_REST_TYPE_BODY, "", SLT_TAKE(a->body), err)) {
		on_reject(a->inbound, a, r, err);
		return NULL;
	}
	return slt_exchange_new(a->inbound->service, a->inbound->side, r, SLT_TAKE(a->rest));
}

static void on_end(void *state, struct slt_request *r)
{
	struct arrival *a = state;
	struct slt_err err = SLT_ERR_INIT;

	if (a->clients) {
		list_clients(a->inbound, r);
		return;
	}
	struct slt_exchange *x = a->rest ? end_rest(a, r, &err) : end_soap(a, r, &err);

	if (x && !slt_inbound_submit(a->inbound, x, &err)) {
		on_reject(a->inbound, a, r, &err);
	}
}

static void on_done(void *state)
{
	struct arrival *a = state;

	slt_soapmime_free(a->soap);
	slt_message_free(a->rest);
	slt_spool_free(a->body);
	free(a->original_type);
	free(a->action);
	free(a);
}

const struct slt_server_handler slt_inbound_message_handler = {on_begin, on_body, on_end, on_reject,
							       on_done};
