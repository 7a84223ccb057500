/* SPDX-License-Identifier: MIT */
/* REST at both ends of the security server: heads from HTTP and back, errors in their REST form. */
#include <stdlib.h>
#include <string.h>

#include <uuid/uuid.h>

#include "federation/fault.h"

#include "tests/instance/behind.h"
#include "tests/instance/peer_call.h"
#include "tests/instance/peer_exchange.h"
#include "tests/instance/restsys.h"

#define BODY_MAX  (1ull << 40)
#define IN_MEMORY (256u << 10)
#define FAULT_MAX (64u << 10)

static void new_uuid(char ret[37])
{
	uuid_t u;
	uuid_generate(u);
	uuid_unparse_lower(u, ret);
}

/* --- the client end: from the information system ---------------------------------------------- */

struct headers {
	struct slt_rest *head;
	struct slt_err *err;
	bool failed, other_client;
	const char *client;
};

static void take_header(void *arg, const char *name, const char *value)
{
	struct headers *h = arg;
	if (slt_strcase_eq(name, "X-Test-Fault")) {
		return;
	}
	if (h->client != NULL && slt_strcase_eq(name, "x-road-client")) {
		value = h->client;
	}
	h->failed = h->failed || !slt_rest_add(h->head, name, value, h->err);
}

static bool attach_body(struct slt_peer_call *x, struct slt_err *err)
{
	struct slt_spool *s = slt_spool_new(NULL, IN_MEMORY, BODY_MAX);
	if (!slt_spool_write(s, x->body.p, x->body.n, err)) {
		slt_spool_free(s);
		return false;
	}
	return slt_message_attach(x->request, SLT_REST_TYPE_BODY, "", s, err);
}

/* The member's other subsystem, which is in no group. */
static const char *other_client(const struct slt_peer_call *x, struct slt_buf *out)
{
	struct slt_id id =
		slt_country_client_id(&x->b->o.country->member[SLT_PHARMACY], x->b->o.name);
	id.subsystem = x->b->o.country->member[SLT_PHARMACY].other_subsystem;
	slt_id_format(&id, true, out);
	return slt_buf_str(out).p;
}

bool slt_peer_rest_receive(struct slt_peer_call *x, struct slt_err *err)
{
	const char *query = slt_request_query(x->r);
	char uuid[37];
	SLT_AUTO_BUF(client, 4096);
	SLT_AUTO_BUF(bytes, SLT_REST_HEAD_MAX);
	SLT_AUTO(slt_rest_free)
	struct slt_rest *head = slt_rest_new_request(
		slt_request_method(x->r), slt_request_path(x->r), query[0] == '\0' ? NULL : query);
	struct headers h = {.head = head, .err = err};
	if (x->fault == SLT_FAULT_CLIENT_NOT_ALLOWED) {
		h.client = other_client(x, &client);
	}
	slt_request_each_header(x->r, take_header, &h);
	if (h.failed) {
		return false;
	}
	new_uuid(uuid);
	SLT_AUTO_STR char *id = slt_asprintf("%s-%s", x->b->o.name, uuid);
	new_uuid(uuid);
	slt_rest_end_request(head, uuid, id);
	slt_rest_format(head, &bytes);
	if (!slt_buf_check(&bytes, "the REST head", err) ||
	    !slt_rest_parse(bytes.p, bytes.n, &x->rest, err)) {
		return false;
	}
	x->request = slt_message_new(SLT_REST);
	x->request->content_type = slt_strdup(SLT_REST_TYPE_REQUEST);
	slt_message_set_head(x->request, bytes.p, bytes.n);
	x->client = x->rest->client;
	x->service = x->rest->service;
	x->wanted = x->rest->server;
	x->id = x->rest->id;
	return x->body.n == 0 || attach_body(x, err);
}

/* --- the client end: back --------------------------------------------------------------------- */

bool slt_peer_rest_check(const struct slt_peer_call *x, struct slt_err *err)
{
	SLT_AUTO(slt_rest_free) struct slt_rest *answer = NULL;
	struct slt_digest hash;
	if (!slt_rest_parse(x->answer->head.p, x->answer->head.n, &answer, err)) {
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	return slt_rest_request_hash(x->request, &hash, err) &&
	       slt_rest_check_answer(x->rest, &hash, answer, err);
}

static void send_error(struct slt_request *r, const char *code, const char *text,
		       const char *detail)
{
	bool xml = slt_rest_wants_xml(slt_request_header(r, "Accept"));
	SLT_AUTO_BUF(b, FAULT_MAX);
	slt_fault_rest(code, text, detail, NULL, xml, &b);
	const struct slt_response_header h[] = {
		{"Content-Type",
		 xml ? "text/xml; charset=utf-8" : "application/json; charset=utf-8"},
		{"X-Road-Error", code}};
	slt_respond(r, slt_rest_fault_status(code, SLT_DIALECT_SNAKE), h, SLT_COUNT(h), b.p, b.n);
}

void slt_peer_rest_refuse(const struct slt_peer_call *x, const struct slt_err *err)
{
	char code[256], detail[37];
	slt_err_fault_code(err, SLT_DIALECT_SNAKE, code, sizeof(code));
	new_uuid(detail);
	send_error(x->r, code, err->msg, detail);
}

static void pass_fault(const struct slt_peer_call *x)
{
	SLT_AUTO(slt_soap_free) struct slt_soap *s = NULL;
	struct slt_err err = SLT_ERR_INIT;
	if (!slt_soap_parse(x->peer_fault.p, x->peer_fault.n, NULL, &s, &err) || !s->is_fault) {
		(void)slt_prefix(&err, SLT_CLIENTPROXY);
		slt_peer_rest_refuse(x, &err);
		return;
	}
	const struct slt_soap_fault *f = &s->fault;
	send_error(x->r, f->code == NULL ? "" : f->code, f->string == NULL ? "" : f->string,
		   f->detail == NULL ? "" : f->detail);
}

struct outgoing {
	struct slt_message *m;
	uint64_t at;
};

static bool outgoing_read(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct outgoing *o = arg;
	if (!slt_spool_read(o->m->attachment[0].body, o->at, p, n, ret_n, err)) {
		return false;
	}
	o->at += *ret_n;
	return true;
}

static void outgoing_free(void *arg)
{
	struct outgoing *o = arg;
	slt_message_free(o->m);
	free(o);
}

void slt_peer_rest_answer(struct slt_peer_call *x)
{
	SLT_AUTO(slt_rest_free) struct slt_rest *head = NULL;
	struct slt_response_header h[SLT_REST_HEADERS_MAX];
	struct slt_err err = SLT_ERR_INIT;
	if (x->peer_fault.p != NULL) {
		pass_fault(x);
		return;
	}
	if (!slt_rest_parse(x->answer->head.p, x->answer->head.n, &head, &err)) {
		(void)slt_prefix(&err, SLT_CLIENTPROXY);
		slt_peer_rest_refuse(x, &err);
		return;
	}
	for (size_t i = 0; i < head->n_headers; i++) {
		h[i] = (struct slt_response_header){head->header[i].name, head->header[i].value};
	}
	if (x->answer->n_attachments == 0) {
		slt_respond(x->r, (unsigned)head->status, h, head->n_headers, "", 0);
		return;
	}
	struct outgoing *o = slt_calloc(1, sizeof(*o));
	o->m = SLT_TAKE(x->answer);
	struct slt_body_source source = {outgoing_read, outgoing_free, o};
	slt_respond_stream(x->r, (unsigned)head->status, h, head->n_headers, &source);
}

/* --- the server end --------------------------------------------------------------------------- */

bool slt_exchange_read_rest(struct slt_exchange *x, const struct slt_message *m,
			    struct slt_err *err)
{
	if (!slt_rest_parse(m->head.p, m->head.n, &x->rest, err)) {
		return false;
	}
	if (x->rest->response) {
		return slt_fail(err, SLT_EINVALID_MESSAGE, "a request was expected");
	}
	x->client = x->rest->client;
	x->service = x->rest->service;
	x->id = x->rest->id == NULL ? "" : x->rest->id;
	return true;
}

bool slt_exchange_call_rest(struct slt_exchange *x, struct slt_err *err)
{
	if (x->service_url != NULL) {
		return slt_behind_call_rest(x, err) || slt_prefix(err, SLT_SERVICE_FAILED);
	}
	return slt_restsys_call(x->b->fhirsys, x->rest, x->request, &x->rest_answer, &x->answer,
				err) ||
	       slt_prefix(err, SLT_SERVICE_FAILED);
}

bool slt_exchange_head_rest(struct slt_exchange *x, struct slt_err *err)
{
	struct slt_digest hash;
	SLT_AUTO_BUF(b, SLT_REST_HEAD_MAX);
	if (!slt_rest_request_hash(x->request, &hash, err)) {
		return false;
	}
	hash.v[0] ^= x->fault == SLT_FAULT_WRONG_HASH ? 1 : 0;
	slt_rest_end_response(x->rest_answer, x->rest, &hash);
	if (x->fault == SLT_FAULT_OTHER_ID) {
		slt_rest_set(x->rest_answer, "x-road-id", "another");
	}
	if (x->fault == SLT_FAULT_NO_HASH) {
		slt_rest_set(x->rest_answer, "x-road-request-hash", NULL);
	}
	slt_rest_format(x->rest_answer, &b);
	if (!slt_buf_check(&b, "the REST head", err)) {
		return false;
	}
	free(x->answer->content_type);
	x->answer->content_type = slt_strdup(SLT_REST_TYPE_RESPONSE);
	slt_message_set_head(x->answer, b.p, b.n);
	return true;
}
