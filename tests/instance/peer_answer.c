/* SPDX-License-Identifier: MIT */
/*
 * The server end of the security server, from the service on: calling the information system,
 * making its answer a signed message, sending it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "federation/multipart.h"
#include "tests/instance/behind.h"
#include "tests/instance/peer_exchange.h"
#include "tests/instance/soapio.h"

#define HEAD_MAX   (20u << 20)
#define WIRE_MAX   (128u << 20)
#define SLOW_MS	   3000
#define HANG_MS	   30000
#define SERVICE_MS 600000 /* a large message takes its time */

void slt_exchange_refuse(struct slt_request *r, struct slt_err *err)
{
	(void)slt_prefix(err, SLT_SERVERPROXY);
	slt_log_err(SLT_LOG_INFO, "A message was refused", err, "end", "server", NULL);
	slt_peer_fault(r, err);
}

/* --- the service ------------------------------------------------------------------------------ */

struct service_answer {
	const struct slt_box *b;
	int status;
	char *content_type;
	struct slt_soapio_writer *request;
	struct slt_soapmime *reader;
};

static bool on_header(void *arg, int status, const char *name, const char *value,
		      struct slt_err *err)
{
	(void)err;
	struct service_answer *a = arg;
	a->status = status;
	if (slt_strcase_eq(name, "content-type")) {
		free(a->content_type);
		a->content_type = slt_strdup(value);
	}
	return true;
}

static bool on_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct service_answer *a = arg;
	const char *type = a->content_type == NULL ? "" : a->content_type;
	if (a->status != 200 && a->status != 500) {
		return true;
	}
	if (a->reader == NULL &&
	    !slt_soapmime_new(type, SLT_SHA512, &slt_soapio_limits, &a->reader, err)) {
		return false;
	}
	return slt_soapmime_feed(a->reader, p, n, err);
}

static bool send_request(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct service_answer *a = arg;
	return slt_soapio_pull(a->request, p, n, ret_n, err);
}

static bool judge(void *arg, X509 *const *chain, size_t n, struct slt_err *err)
{
	const struct service_answer *a = arg;
	return slt_behind_is_bridge_cert(a->b, chain, n, err);
}

static bool post(struct slt_exchange *x, struct service_answer *a, struct slt_err *err)
{
	SLT_AUTO_STR char *header = slt_asprintf("Content-Type: %s", slt_soapio_type(a->request));
	const char *action = slt_request_header(x->r, "x-original-soapaction");
	/* a header without a value is written "name;" for libcurl */
	SLT_AUTO_STR char *soap_action = action == NULL || *action == '\0'
						 ? slt_strdup("SOAPAction;")
						 : slt_asprintf("SOAPAction: %s", action);
	const char *headers[] = {header, soap_action};
	bool bridge = x->service_url == x->b->bridge_url && slt_behind_is_tls(x->b);
	struct slt_call call = {.method = "POST",
				.url = x->service_url,
				.headers = headers,
				.n_headers = SLT_COUNT(headers),
				.read = send_request,
				.total_ms = SERVICE_MS,
				.tls = bridge ? slt_peer_internal_tls(x->b->peer) : NULL,
				.judge = bridge ? judge : NULL,
				.header = on_header,
				.data = on_data,
				.arg = a};
	int status = 0;
	if (!slt_client_perform(x->b->client, &call, &status, NULL, err)) {
		return false;
	}
	/* SOAP Faults may come with status 500 */
	if (status != 200 && status != 500) {
		return slt_fail(err, SLT_EHTTP, "the service answered with HTTP status %d", status);
	}
	return a->reader != NULL || slt_fail(err, SLT_EIO, "the service answered with nothing");
}

bool slt_exchange_call(struct slt_exchange *x, struct slt_err *err)
{
	if (x->rest != NULL) {
		return slt_exchange_call_rest(x, err);
	}
	struct service_answer a = {.b = x->b, .request = slt_soapio_writer_new(x->request)};
	SLT_AUTO(slt_soap_free) struct slt_soap *soap = NULL;
	bool ok = post(x, &a, err) && slt_soapmime_finish(a.reader, &x->answer, &soap, err);
	slt_soapmime_free(a.reader);
	slt_soapio_writer_free(a.request);
	x->answer_type = a.content_type;
	if (!ok) {
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	if (soap->is_fault) {
		x->service_fault = SLT_TAKE(soap);
		return slt_fail(err, SLT_SERVICE_FAILED, "the service answered with a fault");
	}
	return true;
}

/* --- the answer ------------------------------------------------------------------------------- */

/* Puts requestHash after the message's id, in the same namespace and with the same white space
 * before it; one that was there is replaced. */
static void set_request_hash(xmlNode *header, const struct slt_digest *d, bool wrong)
{
	xmlNode *id = slt_xml_child(header, SLT_NS_XROAD, "id");
	xmlNode *old = slt_xml_child(header, SLT_NS_XROAD, "requestHash");
	if (old != NULL) {
		xmlUnlinkNode(old);
		xmlFreeNode(old);
	}
	slt_assert(id != NULL); /* the parser demands it */
	SLT_AUTO_BUF(b64, 256);
	slt_buf_add_base64(&b64, d->v, d->n);
	if (wrong) {
		b64.p[0] = b64.p[0] == 'A' ? 'B' : 'A';
	}
	xmlNode *hash = xmlNewNode(id->ns, SLT_XML("requestHash"));
	slt_assert(hash != NULL);
	xmlNewProp(hash, SLT_XML("algorithmId"), SLT_XML(slt_digest_uri(d->alg)));
	xmlNodeAddContent(hash, SLT_XML(b64.p));
	xmlAddNextSibling(id, hash);
	const xmlNode *space = id->prev;
	if (space != NULL && space->type == XML_TEXT_NODE) {
		xmlAddNextSibling(id, xmlNewText(space->content));
	}
}

static bool finish_head(struct slt_exchange *x, struct slt_err *err)
{
	if (x->rest != NULL) {
		return slt_exchange_head_rest(x, err);
	}
	SLT_AUTO(slt_soap_free) struct slt_soap *soap = NULL;
	SLT_AUTO_BUF(b, HEAD_MAX);
	if (!slt_soap_parse(x->answer->head.p, x->answer->head.n, x->answer->content_type, &soap,
			    err)) {
		return false;
	}
	xmlNode *header = slt_xml_child(xmlDocGetRootElement(soap->doc), SLT_NS_SOAP, "Header");
	slt_assert(header != NULL);
	if (x->fault == SLT_FAULT_OTHER_ID) {
		xmlNodeSetContent(slt_xml_child(header, SLT_NS_XROAD, "id"), SLT_XML("another"));
	}
	if (x->fault != SLT_FAULT_NO_HASH) {
		set_request_hash(header, &x->request->digest, x->fault == SLT_FAULT_WRONG_HASH);
	}
	if (!slt_xml_dump(soap->doc, NULL, true, &b, err)) {
		return false;
	}
	slt_message_set_head(x->answer, b.p, b.n);
	bool xop = slt_mime_is(x->answer->content_type, "application/xop+xml");
	free(x->answer->content_type);
	x->answer->content_type =
		slt_strdup(xop ? "application/xop+xml; charset=UTF-8; type=\"text/xml\""
			       : "text/xml; charset=UTF-8");
	return true;
}

bool slt_exchange_sign(struct slt_exchange *x, struct slt_err *err)
{
	return finish_head(x, err) &&
	       slt_peer_sign(x->b, x->gc, slt_peer_role(x->b, &x->provider), x->fault, x->answer,
			     err) &&
	       slt_peer_damage(x->answer, x->id, x->fault, err);
}

/* --- sending ---------------------------------------------------------------------------------- */

struct outgoing {
	struct slt_message *m;
	struct slt_transport_writer *w;
};

static bool outgoing_read(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct outgoing *o = arg;
	return slt_transport_read(o->w, p, n, ret_n, err);
}

static void outgoing_free(void *arg)
{
	struct outgoing *o = arg;
	slt_transport_writer_free(o->w);
	slt_message_free(o->m);
	free(o);
}

static size_t headers_of(const struct slt_exchange *x, const char *type,
			 struct slt_response_header ret[4])
{
	size_t n = 0;
	ret[n++] = (struct slt_response_header){"Content-Type", type};
	if (x->rest == NULL) {
		ret[n++] = (struct slt_response_header){"x-original-content-type", x->answer_type};
	}
	if (x->fault != SLT_FAULT_NO_HASH_ALGORITHM) {
		ret[n++] = (struct slt_response_header){"x-hash-algorithm", "SHA-512"};
	}
	if (!x->b->o.country->keeps_connections) {
		ret[n++] = (struct slt_response_header){"Connection", "close"};
	}
	return n;
}

static void send_stream(struct slt_exchange *x)
{
	struct outgoing *o = slt_calloc(1, sizeof(*o));
	struct slt_response_header h[4];
	o->m = SLT_TAKE(x->answer);
	o->w = slt_transport_writer_new(o->m);
	size_t n = headers_of(x, slt_transport_content_type(o->w), h);
	struct slt_body_source source = {outgoing_read, outgoing_free, o};
	slt_respond_stream(x->r, 200, h, n, &source);
}

/* An answer that is not what a healthy server sends: as bytes. */
static void send_bytes(struct slt_exchange *x)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, WIRE_MAX);
	SLT_AUTO_STR char *type = NULL;
	struct slt_response_header h[4];
	if (!slt_peer_bytes(x->answer, x->fault, &out, &type, &err)) {
		slt_exchange_refuse(x->r, &err);
		return;
	}
	size_t n = headers_of(x, type, h);
	slt_respond(x->r, 200, h, n, out.p, out.n);
}

static bool broken_read(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	(void)arg;
	(void)p;
	(void)n;
	(void)ret_n;
	return slt_fail(err, SLT_EIO, "the connection is broken on purpose");
}

static void broken_free(void *arg)
{
	(void)arg;
}

/* Whoever ends or takes down the server does not wait for it. */
static void wait_ms(const struct slt_exchange *x, unsigned ms)
{
	for (unsigned t = 0;
	     t < ms && !atomic_load(&x->b->stopping) && !slt_peer_server_is_closed(x->p); t += 50) {
		(void)usleep(50000);
	}
}

void slt_exchange_send(struct slt_exchange *x)
{
	struct slt_body_source broken = {broken_read, broken_free, NULL};
	atomic_fetch_add(&x->b->n_received, 1);
	switch ((int)x->fault) {
	case SLT_FAULT_HTTP_500:
	case SLT_FAULT_HTTP_404:
		slt_httpd_text(x->r, x->fault == SLT_FAULT_HTTP_500 ? 500 : 404, "broken");
		return;
	case SLT_FAULT_NO_ANSWER:
		slt_respond_stream(x->r, 200, NULL, 0, &broken);
		return;
	case SLT_FAULT_HANG:
	case SLT_FAULT_SLOW:
		wait_ms(x, x->fault == SLT_FAULT_HANG ? HANG_MS : SLOW_MS);
		send_stream(x);
		return;
	case SLT_FAULT_UNSIGNED:
	case SLT_FAULT_EXTRA_PART:
	case SLT_FAULT_TRUNCATED:
		send_bytes(x);
		return;
	default:
		send_stream(x);
	}
}

/* The service's own fault is passed on as it is. */
void slt_exchange_send_fault(const struct slt_exchange *x)
{
	struct slt_response_header h[] = {{"Content-Type", "text/xml; charset=utf-8"},
					  {"SOAPAction", ""}};
	slt_respond(x->r, 200, h, SLT_COUNT(h), x->answer->head.p, x->answer->head.n);
}
