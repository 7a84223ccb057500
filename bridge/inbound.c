/* SPDX-License-Identifier: MIT */
#include "inbound.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "bearer.h"
#include "federation/transport.h"
#include "inbound_message.h"
#include "metrics.h"

#define RELAY_CERTS_MAX	   16
#define RELAY_IDLE_SECONDS 15
#define GRACE		   4	      /* head_timeouts, until min_rate holds */
#define FRAMING_MAX	   (4u << 20) /* of a message, beside head and bodies: signature, OCSP, MIME */

/* A request that is being received. */
struct arrival {
	struct slt_inbound *inbound;
	struct slt_transport_reader *reader;
	char *original_type, *original_action;
};

/* --- every request ------------------------------------------------------------------------ */

void slt_inbound_refuse(struct slt_inbound *in, struct slt_request *r, const struct slt_err *err,
			const char *code)
{
	const struct slt_config_side *c = slt_side_config(in->side);
	const struct slt_bearer *b = slt_bearer_of(in->side);
	struct slt_err e = *err;
	unsigned char id[16] = {0};
	char own[256];
	SLT_AUTO_BUF(hex, 64);

	slt_metrics_add(SLT_M_REFUSED, slt_metrics_side(c), (size_t)err->code, 1);
	RAND_bytes(id, sizeof(id));
	slt_buf_add_hex(&hex, id, sizeof(id));
	if (e.n_prefix == 0 || e.prefix[e.n_prefix - 1] != SLT_CLIENT) {
		slt_prefix(&e, b->own);
	}
	slt_err_fault_code(&e, (enum slt_dialect)c->dialect, own, sizeof(own));
	slt_log(SLT_LOG_INFO, "request refused", "exchange", slt_buf_str(&hex).p, "side", c->name,
		"peer", slt_request_peer(r), "fault", own, "why", e.msg, NULL);
	const struct slt_fault_answer f = {
		.code = code ? code : own,
		.text = slt_exchange_public_text(&e),
		.id = slt_buf_str(&hex).p,
		.dialect = (enum slt_dialect)c->dialect,
	};
	b->fault(r, &f);
}

bool slt_inbound_submit(struct slt_inbound *in, struct slt_exchange *take_x, struct slt_err *err)
{
	/* asked once the exchange counts as active: who stops the bridge waits for it, or is seen
	 */
	bool stopping = atomic_load(&in->service->stopping);

	if (!stopping && slt_pool_submit(in->service->pool, slt_pipeline_run, take_x)) {
		return true;
	}
	slt_exchange_free(take_x);
	return stopping
		       ? slt_fail(err, SLT_EBUSY, "the bridge is being stopped: try again")
		       : slt_fail(err, SLT_EBUSY, "the bridge has %lld requests waiting: try again",
				  (long long)in->service->config->queue);
}

/* --- message transport -------------------------------------------------------------------- */

/* major.minor.patch at the start of a semantic version; what follows a '-' makes it older. */
struct version {
	unsigned long part[3];
	bool prerelease;
};

static bool read_version(const char *s, struct version *ret)
{
	for (int i = 0; i < 3; i++) {
		char *end;
		if (*s < '0' || *s > '9') {
			return false;
		}
		ret->part[i] = strtoul(s, &end, 10);
		if (i < 2 && *end != '.') {
			return false;
		}
		s = i < 2 ? end + 1 : end;
	}
	ret->prerelease = *s == '-';
	return *s == '\0' || *s == '-' || *s == '+';
}

static bool older(const struct version *a, const struct version *b)
{
	for (int i = 0; i < 3; i++) {
		if (a->part[i] != b->part[i]) {
			return a->part[i] < b->part[i];
		}
	}
	return a->prerelease && !b->prerelease;
}

static bool check_version(const struct slt_config_side *c, const char *told, struct slt_err *err)
{
	struct version theirs, lowest;

	if (!c->min_peer_version) {
		return true;
	}
	if (!told || !read_version(told, &theirs)) {
		return slt_fail(err, SLT_EINTERNAL, "x-proxy-version is not a semantic version");
	}
	if (!read_version(c->min_peer_version, &lowest) || older(&theirs, &lowest)) {
		return slt_fail(err, SLT_ECLIENT_PROXY_VERSION,
				"security server version %s is too old here: %s or later is needed",
				told, c->min_peer_version);
	}
	return true;
}

/* Before anything of the message is read: only a certificate that some instance knows gets this
 * far. Whether it may speak for the client is judged when the client is known. */
static bool check_registered(struct slt_inbound *in, struct slt_request *r, struct slt_err *err)
{
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
	size_t n = 0;
	X509 *const *chain = slt_request_peer_chain(r, &n);

	if (!slt_side_globalconf(in->side, slt_now_ms(), &gc, err)) {
		return false;
	}
	if (n == 0 || !slt_globalconf_auth_cert_server(gc, chain[0])) {
		return slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
				"the TLS certificate is not registered to any security server");
	}
	return true;
}

/* Compared case-sensitively, as X-Road's servers do. */
static bool is_rest(const struct slt_request *r)
{
	const char *kind = slt_request_header(r, "x-road-message-type");

	return kind && strcmp(kind, "REST") == 0;
}

/* Who says how much will come is told before it comes. (Security servers do not say.) */
static bool check_length(const struct slt_config *c, const struct slt_request *r,
			 struct slt_err *err)
{
	const char *told = slt_request_header(r, "Content-Length");
	uint64_t max = (uint64_t)c->max_message + (uint64_t)c->max_attachments + FRAMING_MAX;
	uint64_t n = told ? strtoull(told, NULL, 10) : 0;

	return n <= max || slt_fail(err, SLT_ELIMIT,
				    "the message is announced with %llu bytes, at most %llu are "
				    "taken",
				    (unsigned long long)n, (unsigned long long)max);
}

static bool open_reader(struct slt_inbound *in, struct slt_request *r, struct arrival *a,
			struct slt_err *err)
{
	const struct slt_config *c = in->service->config;
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	const char *hash = slt_request_header(r, "x-hash-algorithm");
	const char *type = slt_request_header(r, "Content-Type");
	enum slt_digest_alg alg = hash ? slt_digest_by_name(slt_str(hash)) : SLT_DIGEST_NONE;

	if (alg < SLT_SHA256) {
		return slt_fail(err, SLT_EINTERNAL,
				"x-hash-algorithm must name SHA-256, SHA-384 or SHA-512");
	}
	limits.head = (size_t)c->max_message;
	limits.body = (uint64_t)c->max_attachments;
	limits.spool_dir = c->spool;
	if (!slt_transport_reader_new(type ? type : "", alg, false, &limits, &a->reader, err)) {
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	slt_transport_expect(a->reader, is_rest(r) ? SLT_REST : SLT_SOAP);
	return true;
}

static char *header_copy(struct slt_request *r, const char *name)
{
	const char *v = slt_request_header(r, name);

	return v ? slt_strdup(v) : NULL;
}

static bool on_begin(void *arg, struct slt_request *r, void **ret_state, struct slt_err *err)
{
	struct slt_inbound *in = arg;
	struct arrival *a = slt_calloc(1, sizeof(*a));

	a->inbound = in;
	*ret_state = a;
	if (strcmp(slt_request_method(r), "POST") != 0) {
		return slt_fail(err, SLT_EINVALID_HTTP_METHOD, "method %s is not POST",
				slt_request_method(r));
	}
	if (!check_registered(in, r, err) || !check_length(in->service->config, r, err) ||
	    !check_version(slt_side_config(in->side), slt_request_header(r, "x-proxy-version"),
			   err) ||
	    (!is_rest(r) &&
	     !slt_soap_check_action(slt_request_header(r, "x-original-soapaction"), err)) ||
	    !open_reader(in, r, a, err)) {
		return false;
	}
	a->original_type = header_copy(r, "x-original-content-type");
	a->original_action = header_copy(r, "x-original-soapaction");
	return true;
}

static bool on_body(void *state, struct slt_request *r, const char *p, size_t n,
		    struct slt_err *err)
{
	struct arrival *a = state;

	(void)r;
	slt_metrics_add(SLT_M_BYTES, slt_metrics_side(slt_side_config(a->inbound->side)),
			SLT_WAY_RECEIVED, (int64_t)n);
	return slt_transport_feed(a->reader, p, n, err);
}

static void on_reject(void *arg, void *state, struct slt_request *r, const struct slt_err *err)
{
	(void)state;
	slt_inbound_refuse(arg, r, err, NULL);
}

static void on_end(void *state, struct slt_request *r)
{
	struct arrival *a = state;
	struct slt_inbound *in = a->inbound;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_bytes fault = {NULL, 0};
	struct slt_message *m = NULL;

	if (!slt_transport_finish(a->reader, &m, &fault, &err)) {
		on_reject(in, a, r, &err);
		return;
	}
	if (!m) {
		free(fault.p);
		slt_fail(&err, SLT_EINVALID_MESSAGE, "a fault came instead of a request");
		on_reject(in, a, r, &err);
		return;
	}
	struct slt_exchange *x = slt_exchange_new(in->service, in->side, r, m);
	x->original_type[0] = SLT_TAKE(a->original_type);
	x->original_action = SLT_TAKE(a->original_action);
	if (!slt_inbound_submit(in, x, &err)) {
		on_reject(in, a, r, &err);
	}
}

static void on_done(void *state)
{
	struct arrival *a = state;

	slt_transport_reader_free(a->reader);
	free(a->original_type);
	free(a->original_action);
	free(a);
}

static const struct slt_server_handler transport_handler = {on_begin, on_body, on_end, on_reject,
							    on_done};

/* --- OCSP relay --------------------------------------------------------------------------- */

/* The i-th "cert" parameter of a query; empty when there are no more. */
static struct slt_str cert_param(const char *query, size_t i)
{
	for (const char *p = query; *p;) {
		size_t n = strcspn(p, "&");
		if (n > 5 && strncmp(p, "cert=", 5) == 0 && i-- == 0) {
			return (struct slt_str){p + 5, n - 5};
		}
		p += n;
		p += *p == '&';
	}
	return (struct slt_str){NULL, 0};
}

static struct slt_str own_response(struct slt_side *side, struct slt_str sha1_hex,
				   struct slt_arena *a)
{
	size_t n = 0;
	X509 *const *chain = slt_side_auth_chain(side, &n);

	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_BUF(hex, 64);
		struct slt_digest d;
		slt_certinfo_digest(chain[i], SLT_SHA1, &d);
		slt_buf_add_hex(&hex, d.v, d.n);
		if (slt_str_eq(sha1_hex, slt_buf_str(&hex).p)) {
			return slt_ocsp_cache_get(slt_side_ocsp(side), chain[i], a);
		}
	}
	return (struct slt_str){NULL, 0};
}

static bool relay_parts(struct slt_inbound *in, const char *query, const char *boundary,
			struct slt_buf *out)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	size_t i = 0;

	for (struct slt_str c; i < RELAY_CERTS_MAX && (c = cert_param(query, i)).p; i++) {
		struct slt_str der = own_response(in->side, c, a);
		if (!der.p) {
			return false;
		}
		slt_buf_addf(out, "--%s\r\nContent-Type: application/ocsp-response\r\n\r\n",
			     boundary);
		slt_buf_add(out, der.p, der.n);
		slt_buf_adds(out, "\r\n");
	}
	slt_buf_addf(out, "--%s--\r\n", boundary);
	return i > 0;
}

static void relay_end(void *state, struct slt_request *r)
{
	struct slt_inbound *in = state;
	SLT_AUTO_BUF(body, RELAY_CERTS_MAX * (SLT_OCSP_BYTES_MAX + 256));
	SLT_AUTO_BUF(boundary, 64);
	SLT_AUTO_BUF(type, 256);
	unsigned char random[15];

	if (strcmp(slt_request_method(r), "HEAD") == 0) {
		slt_respond(r, 200, NULL, 0, NULL, 0);
		return;
	}
	RAND_bytes(random, sizeof(random));
	slt_buf_adds(&boundary, "relay");
	slt_buf_add_hex(&boundary, random, sizeof(random));
	const char *b = slt_buf_str(&boundary).p;
	slt_buf_addf(&type,
		     "multipart/related; type=\"application/ocsp-response\"; charset=UTF-8; "
		     "boundary=%s",
		     b);
	if (!relay_parts(in, slt_request_query(r), b, &body)) {
		static const char text[] = "there is no OCSP response for such a certificate";
		static const struct slt_response_header plain[] = {
			{"Content-Type", "text/plain; charset=utf-8"}};
		slt_respond(r, 500, plain, 1, text, sizeof(text) - 1);
		return;
	}
	const struct slt_response_header h[] = {{"Content-Type", slt_buf_str(&type).p}};
	slt_respond(r, 200, h, 1, slt_buf_str(&body).p, body.n);
}

static bool relay_begin(void *arg, struct slt_request *r, void **ret_state, struct slt_err *err)
{
	const char *method = slt_request_method(r);

	*ret_state = arg;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		return slt_fail(err, SLT_EINVALID_HTTP_METHOD, "only GET and HEAD are answered");
	}
	return true;
}

static bool relay_body(void *state, struct slt_request *r, const char *p, size_t n,
		       struct slt_err *err)
{
	(void)state;
	(void)r;
	(void)p;
	return n == 0 || slt_fail(err, SLT_EINVALID_REQUEST, "no body is expected");
}

static void relay_reject(void *arg, void *state, struct slt_request *r, const struct slt_err *err)
{
	static const struct slt_response_header plain[] = {
		{"Content-Type", "text/plain; charset=utf-8"}};

	(void)arg;
	(void)state;
	slt_respond(r, 500, plain, 1, err->msg, strlen(err->msg));
}

static void relay_done(void *state)
{
	(void)state;
}

static const struct slt_server_handler relay_handler = {relay_begin, relay_body, relay_end,
							relay_reject, relay_done};

/* --- start and stop ----------------------------------------------------------------------- */

static struct slt_door_limits limits_of(const struct slt_config *c, const char *name)
{
	return (struct slt_door_limits){
		.name = name,
		.max = (unsigned)c->max_connections,
		.max_per_peer = (unsigned)c->max_connections_per_peer,
		.head_seconds = (unsigned)c->head_seconds,
		.min_rate = (unsigned)c->min_rate,
		.grace_seconds = (unsigned)c->head_seconds * GRACE,
	};
}

bool slt_inbound_wants_certificate(const struct slt_side *side)
{
	return slt_side_config(side)->bearer == SLT_BEARER_TRANSPORT ||
	       (slt_side_has_pins(side) && slt_side_auth_cert_pem(side));
}

static bool start_requests(struct slt_inbound *in, struct slt_err *err)
{
	const struct slt_config_side *c = slt_side_config(in->side);
	bool behind = slt_bearer_of(in->side)->behind;
	const char *what = behind ? "listener for information systems" : "message transport";
	struct slt_server_options o = {
		.address = c->listen,
		.port = (unsigned)c->port,
		.cert_pem = slt_side_auth_cert_pem(in->side),
		.key_pem = slt_side_auth_key_pem(in->side),
		.client_certificate = slt_inbound_wants_certificate(in->side),
		.limits = limits_of(in->service->config, what),
		.threads = (unsigned)in->service->config->io_threads,
		.handler = behind ? &slt_inbound_message_handler : &transport_handler,
		.arg = in,
	};

	return slt_server_start(&o, &in->requests, err) ||
	       slt_wrap(err, "%s of side %s", what, c->name);
}

static bool start_relay(struct slt_inbound *in, struct slt_err *err)
{
	const struct slt_config_side *c = slt_side_config(in->side);
	struct slt_server_options o = {
		.address = c->ocsp_listen,
		.port = (unsigned)c->ocsp_port,
		.limits = limits_of(in->service->config, "OCSP relay"),
		.handler = &relay_handler,
		.arg = in,
	};

	/* anybody may ask here: nobody shall keep the others out by staying */
	o.limits.idle_seconds = RELAY_IDLE_SECONDS;
	return slt_server_start(&o, &in->relay, err) ||
	       slt_wrap(err, "OCSP relay of side %s", c->name);
}

bool slt_inbound_start(struct slt_service *s, struct slt_side *side, struct slt_inbound **ret,
		       struct slt_err *err)
{
	SLT_AUTO(slt_inbound_stop) struct slt_inbound *in = slt_calloc(1, sizeof(*in));

	in->service = s;
	in->side = side;
	if (!start_requests(in, err) ||
	    (slt_side_config(side)->bearer == SLT_BEARER_TRANSPORT && !start_relay(in, err))) {
		return false;
	}
	*ret = SLT_TAKE(in);
	return true;
}

void slt_inbound_quiesce(struct slt_inbound *i)
{
	slt_server_quiesce(i->requests);
	if (i->relay) {
		slt_server_quiesce(i->relay);
	}
}

void slt_inbound_stop(struct slt_inbound *i)
{
	if (i) {
		slt_server_stop(i->requests);
		slt_server_stop(i->relay);
		free(i);
	}
}
