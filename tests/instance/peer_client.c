/* SPDX-License-Identifier: MIT */
/*
 * The client end of the security server: takes messages from information systems, finds the
 * provider's security server, judges it, signs and sends, verifies the answer. A header
 * X-Test-Fault makes it send what no healthy security server would.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>
#include <uuid/uuid.h>

#include "base/clock.h"
#include "base/log.h"
#include "federation/transport.h"
#include "federation/trust.h"
#include "tests/instance/behind.h"
#include "tests/instance/peer_call.h"
#include "tests/instance/soapio.h"

#define WIRE_MAX   (128u << 20)
#define HEAD_MAX   (20u << 20)
#define CONNECT_MS 30000  /* X-Road's client-timeout */
#define TOTAL_MS   600000 /* a large message takes its time */

/* --- what the information system wants -------------------------------------------------------- */

static bool choose_fault(struct slt_peer_call *x, struct slt_err *err)
{
	const char *name = slt_request_header(x->r, "X-Test-Fault");
	x->fault = name == NULL ? SLT_FAULT_NONE : slt_fault_find(name, false);
	return x->fault != SLT_FAULT_COUNT ||
	       slt_fail(err, SLT_EINVAL, "X-Test-Fault does not know %.40s", name);
}

/* The same message from the member's other subsystem, which is in no group. */
static bool change_client(struct slt_peer_call *x, struct slt_err *err)
{
	struct slt_soap_header h = x->soap->header;
	SLT_AUTO_BUF(b, HEAD_MAX);
	h.client = slt_country_client_id(&x->b->o.country->member[SLT_PHARMACY], x->b->o.name);
	h.client.subsystem = x->b->o.country->member[SLT_PHARMACY].other_subsystem;
	slt_soap_set_header(x->soap->doc, &h);
	if (!slt_xml_dump(x->soap->doc, NULL, true, &b, err)) {
		return false;
	}
	slt_message_set_head(x->request, b.p, b.n);
	slt_soap_free(SLT_TAKE(x->soap));
	return slt_soap_parse(x->request->head.p, x->request->head.n, x->request->content_type,
			      &x->soap, err);
}

static bool receive_soap(struct slt_peer_call *x, struct slt_err *err)
{
	if (strcmp(slt_request_method(x->r), "POST") != 0) {
		return slt_fail(err, SLT_EINVALID_HTTP_METHOD, "only POST is accepted");
	}
	if (!slt_soap_check_action(slt_request_header(x->r, "SOAPAction"), err) ||
	    !slt_soapio_read(slt_request_header(x->r, "Content-Type"), x->body, &x->request,
			     &x->soap, err)) {
		return false;
	}
	if (x->soap->is_fault) {
		return slt_fail(err, SLT_EINVALID_SOAP, "a request cannot be a SOAP Fault");
	}
	if (x->fault == SLT_FAULT_CLIENT_NOT_ALLOWED && !change_client(x, err)) {
		return false;
	}
	const struct slt_soap_header *h = &x->soap->header;
	x->client = h->client;
	x->service = h->service;
	x->wanted = h->server;
	x->id = h->id;
	return true;
}

static bool receive(struct slt_peer_call *x, struct slt_err *err)
{
	x->is_rest = strncmp(slt_request_path(x->r), "/r1/", 4) == 0;
	return choose_fault(x, err) &&
	       (x->is_rest ? slt_peer_rest_receive(x, err) : receive_soap(x, err));
}

/* --- where it goes ---------------------------------------------------------------------------- */

static bool check_client(const struct slt_peer_call *x, struct slt_err *err)
{
	struct slt_id own =
		slt_country_server_id(&x->b->o.country->member[SLT_CENTRE], x->b->o.name);
	const struct slt_gc_server *s = slt_globalconf_server(x->gc, &own);
	const struct slt_id *client = &x->client;
	if (s == NULL || !slt_globalconf_serves(x->gc, s, client)) {
		return slt_fail(err, SLT_EUNKNOWN_MEMBER,
				"the client %s is not registered at this security server",
				client->member_code);
	}
	return slt_behind_check_client(x->b, x->r, client, err);
}

static bool list_servers(struct slt_peer_call *x, const struct slt_gc_server **ret_maintained,
			 struct slt_err *err)
{
	const struct slt_id *wanted = &x->wanted;
	const struct slt_gc_server *s;
	bool any = false;
	for (size_t i = 0; (s = slt_globalconf_server_of(x->gc, &x->provider, i)) != NULL; i++) {
		if (s->address == NULL ||
		    (wanted->type != SLT_ID_NONE && !slt_id_eq(&s->id, wanted))) {
			continue;
		}
		any = true;
		if (s->maintenance) {
			*ret_maintained = s;
		} else if (x->n_servers < SLT_PEER_ADDRESSES_MAX) {
			x->server[x->n_servers++] = s;
		}
	}
	if (wanted->type != SLT_ID_NONE && !any) {
		return slt_fail(err, SLT_EINVALID_SECURITY_SERVER,
				"the security server %s does not serve the provider %s",
				wanted->server, x->provider.member_code);
	}
	return true;
}

static bool route(struct slt_peer_call *x, struct slt_err *err)
{
	const struct slt_gc_server *maintained = NULL;
	x->gc = slt_confclient_get(x->b->confclient);
	x->provider = slt_id_client(&x->service);
	if (!slt_globalconf_check_valid(x->gc, slt_now_ms(), err) || !check_client(x, err) ||
	    !list_servers(x, &maintained, err)) {
		return false;
	}
	if (x->n_servers > 0) {
		return true;
	}
	if (maintained == NULL) {
		return slt_fail(err, SLT_EUNKNOWN_MEMBER,
				"no security server is known for the provider %s/%s/%s",
				x->provider.instance, x->provider.member_class,
				x->provider.member_code);
	}
	const char *said = maintained->maintenance_message;
	return slt_fail(
		err, SLT_EMAINTENANCE_MODE,
		"Security server \"%s\" with address \"%s\" is in maintenance mode%s%s",
		maintained->id.server, maintained->address,
		said == NULL ? "" : ". Message from its administrator: ", said == NULL ? "" : said);
}

/* --- the message ------------------------------------------------------------------------------ */

/* A message as it ought to be is streamed; one that is damaged on its way is made in memory. */
static bool make_wire(struct slt_peer_call *x, struct slt_err *err)
{
	slt_buf_init(&x->wire, WIRE_MAX);
	if (x->fault == SLT_FAULT_NONE || x->fault == SLT_FAULT_TWICE) {
		x->writer = slt_transport_writer_new(x->request);
		x->wire_type = slt_strdup(slt_transport_content_type(x->writer));
		return true;
	}
	return slt_peer_bytes(x->request, x->fault, &x->wire, &x->wire_type, err);
}

static bool sign(struct slt_peer_call *x, struct slt_err *err)
{
	const char *role = slt_peer_role(x->b, &x->client);
	return slt_peer_add_ocsp(x->b, x->gc, x->fault, x->request, err) &&
	       slt_peer_sign(x->b, x->gc, role, x->fault, x->request, err) &&
	       slt_peer_damage(x->request, x->id, x->fault, err) && make_wire(x, err);
}

/* --- one attempt ------------------------------------------------------------------------------ */

struct attempt {
	struct slt_peer_call *x;
	const struct slt_gc_server *server;
	struct slt_transport_reader *reader;
	char *content_type, *hash;
	X509 *chain[SLT_CHAIN_MAX]; /* presented; kept when OCSP responses are missing */
	size_t n_chain;
	bool missing_ocsp, sent;
	int status;
	size_t at; /* of x->wire */
};

static void attempt_fini(struct attempt *a)
{
	for (size_t i = 0; i < a->n_chain; i++) {
		X509_free(a->chain[i]);
	}
	a->n_chain = 0;
	slt_transport_reader_free(SLT_TAKE(a->reader));
	free(SLT_TAKE(a->content_type));
	free(SLT_TAKE(a->hash));
}

static void keep_chain(struct attempt *a, X509 *const *chain, size_t n)
{
	for (size_t i = 0; i < n && a->n_chain < SLT_CHAIN_MAX; i++) {
		X509_up_ref(chain[i]);
		a->chain[a->n_chain++] = chain[i];
	}
}

/* On the client thread: with the OCSP responses at hand; those that are missing are asked for
 * by the worker, which then tries again. */
static bool judge(void *arg, X509 *const *chain, size_t n, struct slt_err *err)
{
	struct attempt *a = arg;
	struct slt_bytes der[SLT_CHAIN_MAX];
	struct slt_str view[SLT_CHAIN_MAX];
	size_t n_der = 0;
	for (size_t i = 0; i < n && i < SLT_CHAIN_MAX; i++) {
		if (slt_ocspcache_find(a->x->b->ocsp, chain[i], &der[n_der])) {
			view[n_der] = (struct slt_str){der[n_der].p, der[n_der].n};
			n_der++;
		}
	}
	struct slt_ocsp_source source = {view, n_der};
	struct slt_cert_path path;
	int missing = -1;
	bool ok = slt_trust_tls_peer(a->x->gc, chain, n, &source, &a->x->provider, slt_now_ms(),
				     &path, &missing, err);
	if (!ok && missing >= 0) {
		a->missing_ocsp = true;
		keep_chain(a, chain, n);
	}
	while (n_der > 0) {
		free(der[--n_der].p);
	}
	return ok;
}

static bool on_header(void *arg, int status, const char *name, const char *value,
		      struct slt_err *err)
{
	(void)err;
	struct attempt *a = arg;
	a->status = status;
	/* X-Road looks these up by exactly this spelling */
	if (slt_strcase_eq(name, "content-type")) {
		free(a->content_type);
		a->content_type = slt_strdup(value);
	} else if (strcmp(name, "x-hash-algorithm") == 0) {
		free(a->hash);
		a->hash = slt_strdup(value);
	}
	return true;
}

static bool on_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct attempt *a = arg;
	if (a->status != 200 && a->status != 500) {
		return true;
	}
	if (a->reader == NULL) {
		struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
		if (!slt_transport_reader_new(a->content_type == NULL ? "" : a->content_type,
					      slt_digest_by_name(slt_str(a->hash)), true, &limits,
					      &a->reader, err)) {
			return false;
		}
		slt_transport_expect(a->reader, a->x->is_rest ? SLT_REST : SLT_SOAP);
	}
	return slt_transport_feed(a->reader, p, n, err);
}

static void on_done(void *arg, int status, bool sent, const struct slt_err *err)
{
	(void)status;
	(void)err;
	struct attempt *a = arg;
	a->sent = sent;
}

static size_t request_headers(const struct slt_peer_call *x, struct slt_arena *arena,
			      const char *ret[8])
{
	uuid_t u;
	char uuid[37];
	const char *id = x->is_rest ? x->rest->request_id : uuid;
	size_t n = 0;
	const char *action = slt_request_header(x->r, "SOAPAction");
	const char *version = x->fault == SLT_FAULT_OLD_VERSION	  ? "7.5.9"
			      : x->fault == SLT_FAULT_BAD_VERSION ? "seven"
								  : SLT_BOX_VERSION;
	uuid_generate(u);
	uuid_unparse_lower(u, uuid);
	if (x->fault != SLT_FAULT_NO_HASH_ALGORITHM) {
		ret[n++] = "x-hash-algorithm: SHA-512";
	}
	if (x->fault != SLT_FAULT_NO_VERSION) {
		ret[n++] = slt_arena_printf(arena, "x-proxy-version: %s", version);
	}
	const char *type = slt_request_header(x->r, "Content-Type");
	if (type != NULL || !x->is_rest) {
		ret[n++] = slt_arena_printf(arena, "x-original-content-type: %s",
					    type == NULL ? "" : type);
	}
	if (x->is_rest) {
		ret[n++] = "x-road-message-type: REST";
	} else if (action != NULL) {
		/* a header without a value is written "name;" for libcurl */
		ret[n++] = action[0] == '\0'
				   ? "x-original-soapaction;"
				   : slt_arena_printf(arena, "x-original-soapaction: %s", action);
	}
	ret[n++] = slt_arena_printf(arena, "x-road-request-id: %s", id);
	ret[n++] = slt_arena_printf(arena, "Content-Type: %s", x->wire_type);
	return n;
}

/* Security servers send in chunks, never with a length. */
static bool read_wire(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct attempt *a = arg;
	if (a->x->writer != NULL) {
		return slt_transport_read(a->x->writer, p, n, ret_n, err);
	}
	size_t left = a->x->wire.n - a->at;
	n = n < left ? n : left;
	if (n > 0) {
		memcpy(p, a->x->wire.p + a->at, n);
	}
	a->at += n;
	*ret_n = n;
	return true;
}

static bool attempt_once(struct attempt *a, int *ret_status, struct slt_err *err)
{
	struct slt_peer_call *x = a->x;
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	const char *headers[8];
	SLT_AUTO_STR char *url =
		slt_asprintf("https://%s:%u/", a->server->address, x->b->ports.transport);
	struct slt_call call = {.method = "POST",
				.url = url,
				.headers = headers,
				.n_headers = request_headers(x, arena, headers),
				.read = read_wire,
				.connect_ms = CONNECT_MS,
				.total_ms = TOTAL_MS,
				.tls = slt_peer_tls(x->b->peer, x->fault),
				.judge = judge,
				.header = on_header,
				.data = on_data,
				.done = on_done,
				.arg = a};
	if (x->writer != NULL) {
		slt_transport_rewind(x->writer);
	}
	return slt_client_perform(x->b->client, &call, ret_status, NULL, err);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Tries once more when all that lacked were OCSP responses, which the peer's relay had. */
static bool attempt_server(struct attempt *a, int *ret_status, struct slt_err *err)
{
	if (attempt_once(a, ret_status, err)) {
		return true;
	}
	if (!a->missing_ocsp) {
		return false;
	}
	slt_err_clear(err);
	if (!slt_ocspcache_relay(a->x->b->ocsp, a->server->address, a->x->b->ports.relay, a->chain,
				 a->n_chain, err)) {
		return slt_prefix(err, SLT_ESSL_AUTHENTICATION_FAILED);
	}
	attempt_fini(a);
	*a = (struct attempt){.x = a->x, .server = a->server};
	return attempt_once(a, ret_status, err);
}

/* X-Road knows no codes of its own for these. */
static void as_network_error(struct slt_err *err)
{
	if (err->code == SLT_EDEADLINE || err->code == SLT_EOUTCOME_UNKNOWN) {
		err->code = SLT_ENETWORK;
	}
}

static bool send_to(struct slt_peer_call *x, struct attempt *a, struct slt_err *err)
{
	int status = 0;
	unsigned char first = 0;
	(void)RAND_bytes(&first, 1);
	for (size_t i = 0; i < x->n_servers; i++) {
		attempt_fini(a);
		slt_err_clear(err);
		*a = (struct attempt){.x = x, .server = x->server[(first + i) % x->n_servers]};
		if (attempt_server(a, &status, err)) {
			return (status == 200 || status == 500) ||
			       slt_fail(err, SLT_EHTTP, "Server responded with error %d", status);
		}
		if (a->sent) {
			break;
		}
	}
	as_network_error(err);
	return false;
}

static bool receive_answer(struct slt_peer_call *x, struct attempt *a, struct slt_err *err)
{
	if (a->reader == NULL) {
		return slt_fail(err, SLT_EIO, "the provider's security server sent nothing");
	}
	if (!slt_transport_finish(a->reader, &x->answer, &x->peer_fault, err)) {
		return false;
	}
	atomic_fetch_add(&x->b->n_sent, 1);
	return true;
}

static bool send_and_receive(struct slt_peer_call *x, struct slt_err *err)
{
	struct attempt a = {.x = x};
	unsigned times = x->fault == SLT_FAULT_TWICE ? 2 : 1;
	bool ok = true;
	for (unsigned i = 0; ok && i < times; i++) {
		slt_message_free(SLT_TAKE(x->answer));
		free(SLT_TAKE(x->peer_fault.p));
		ok = send_to(x, &a, err) && receive_answer(x, &a, err);
	}
	attempt_fini(&a);
	return ok;
}

static bool check_answer(struct slt_peer_call *x, struct slt_err *err)
{
	if (x->peer_fault.p != NULL) {
		return true;
	}
	SLT_AUTO(slt_soap_free) struct slt_soap *answer = NULL;
	if (!slt_peer_verify(x->gc, x->answer, &x->provider, err)) {
		return false;
	}
	if (x->is_rest) {
		return slt_peer_rest_check(x, err);
	}
	if (!slt_soap_parse(x->answer->head.p, x->answer->head.n, x->answer->content_type, &answer,
			    err)) {
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	return slt_soap_check_answer(&x->soap->header, &x->request->digest, &answer->header, err);
}

/* --- back to the information system ----------------------------------------------------------- */

static void answer(struct slt_peer_call *x)
{
	if (x->is_rest) {
		slt_peer_rest_answer(x);
	} else if (x->peer_fault.p != NULL) {
		slt_httpd_reply(x->r, 200, "text/xml;charset=utf-8",
				(struct slt_str){x->peer_fault.p, x->peer_fault.n});
	} else {
		slt_soapio_respond(x->r, SLT_TAKE(x->answer));
	}
}

static void refuse(const struct slt_peer_call *x, enum slt_code whose, struct slt_err *err)
{
	(void)slt_prefix(err, whose);
	slt_log_err(SLT_LOG_INFO, "A message was not delivered", err, "end", "client", NULL);
	if (x->is_rest) {
		slt_peer_rest_refuse(x, err);
	} else {
		slt_peer_fault(x->r, err);
	}
}

static void call_fini(struct slt_peer_call *x)
{
	slt_transport_writer_free(x->writer); /* borrows the request */
	slt_message_free(x->request);
	slt_message_free(x->answer);
	slt_soap_free(x->soap);
	slt_rest_free(x->rest);
	slt_globalconf_free(x->gc);
	slt_buf_fini(&x->wire);
	free(x->wire_type);
	free(x->peer_fault.p);
}

void slt_peer_client_handle(void *arg, struct slt_request *r, struct slt_str body)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_peer_call x = {.b = arg, .r = r, .body = body};
	if (!receive(&x, &err)) {
		refuse(&x, SLT_CLIENT, &err);
	} else if (!route(&x, &err) || !sign(&x, &err) || !send_and_receive(&x, &err) ||
		   !check_answer(&x, &err)) {
		refuse(&x, SLT_CLIENTPROXY, &err);
	} else {
		answer(&x);
	}
	call_fini(&x);
}
