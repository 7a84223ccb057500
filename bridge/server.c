/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include "base/log.h"
#include "framing.h"
#include "listen.h"

/* With X-Road's CBC suites; without what has no forward secrecy or authenticates by SHA-1. */
#define TLS_PRIORITIES                                                                             \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-SHA1:-AES-128-CBC:+AES-256-CBC:"         \
	"+SHA384:+SHA256:+DHE-RSA:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1"
#define CONNECTION_MEMORY                                                                          \
	(40u << 10)		   /* headers of a request; MHD's I/O buffers; kept while idle     \
				    */
#define DRAIN_MAX      (16u << 20) /* of a refused request's body, so that its peer can read why */
#define STREAM_BLOCK   (64u << 10)
#define PEER_CHAIN_MAX 6
#define CONNECTIONS    1000
#define IDLE_SECONDS   120

struct slt_server {
	struct MHD_Daemon *daemon;
	const struct slt_server_handler *handler;
	void *arg;
	bool client_certificate, client_certificate_asked;
	unsigned port;
	int listen_fd; /* after quiescing; -1 before */
	_Atomic bool quiesced;
	struct slt_door *door;
};

/* What is known of a connection, over all its requests. */
struct peer {
	struct slt_guest guest;
	X509 *chain[PEER_CHAIN_MAX];
	size_t n;
	bool loaded;
	char address[SLT_LISTEN_TEXT];
};

struct slt_request {
	struct slt_server *server;
	struct MHD_Connection *connection;
	char *uri; /* as sent */
	char *path;
	const char *query;
	const char *method;
	void *state;
	bool begun, ended, refused;
	uint64_t drained;
	pthread_mutex_t lock;
	struct MHD_Response *response; /* set by slt_respond() */
	unsigned status;
	bool suspended;
};

/* --- requests ----------------------------------------------------------------------------- */

/* MHD calls this first of all with the request line's target: nothing has been decoded yet. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *c)
{
	struct slt_request *r = slt_calloc(1, sizeof(*r));

	r->server = cls;
	r->connection = c;
	r->uri = slt_strdup(uri);
	size_t n = strcspn(uri, "?");
	r->path = slt_strndup(uri, n);
	r->query = uri[n] ? r->uri + n + 1 : "";
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

/* Paths and queries are handed on as sent. */
static size_t keep_escapes(void *cls, struct MHD_Connection *c, char *s)
{
	(void)cls;
	(void)c;
	return strlen(s);
}

static void request_free(struct slt_request *r)
{
	if (r->response) {
		MHD_destroy_response(r->response);
	}
	pthread_mutex_destroy(&r->lock);
	free(r->path);
	free(r->uri);
	free(r);
}

static struct peer *peer_of(const struct slt_request *r)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

static void enter_phase(const struct slt_request *r, enum slt_phase phase)
{
	struct peer *p = peer_of(r);

	if (p) {
		slt_door_phase(r->server->door, &p->guest, phase);
	}
}

static void on_completed(void *cls, struct MHD_Connection *c, void **con_cls,
			 enum MHD_RequestTerminationCode code)
{
	struct slt_request *r = *con_cls;

	(void)cls;
	(void)c;
	(void)code;
	if (!r) {
		return;
	}
	if (r->state) {
		r->server->handler->done(r->state);
	}
	if (r->begun) {
		enter_phase(r, SLT_PHASE_HEAD); /* of the next one */
	}
	request_free(r);
	*con_cls = NULL;
}

static enum MHD_Result on_accept(void *cls, const struct sockaddr *from, socklen_t n)
{
	struct slt_server *s = cls;

	(void)n;
	return slt_door_admits(s->door, from) ? MHD_YES : MHD_NO;
}

static struct peer *open_peer(struct slt_server *s, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *from =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct peer *p = slt_calloc(1, sizeof(*p));

	slt_assert(from && from->client_addr && fd);
	slt_listen_text(from->client_addr, p->address);
	slt_door_enter(s->door, &p->guest, fd->connect_fd, from->client_addr);
	return p;
}

static void close_peer(struct slt_server *s, struct peer *p)
{
	slt_door_leave(s->door, &p->guest);
	for (size_t i = 0; i < p->n; i++) {
		X509_free(p->chain[i]);
	}
	free(p);
}

static void on_connection(void *cls, struct MHD_Connection *c, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct slt_server *s = cls;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		close_peer(s, *socket_context);
		*socket_context = NULL;
		return;
	}
	*socket_context = open_peer(s, c);
	if (s->client_certificate || s->client_certificate_asked) {
		const union MHD_ConnectionInfo *i =
			MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		/* before the handshake: a peer without a certificate never gets past it */
		if (i && i->tls_session) {
			gnutls_certificate_server_set_request(
				i->tls_session,
				s->client_certificate ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
			gnutls_certificate_send_x509_rdn_sequence(i->tls_session, 1);
		}
	}
}

static void load_chain(const struct slt_request *r, struct peer *p)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned n = 0;

	p->loaded = true;
	if (!i || !i->tls_session) {
		return;
	}
	const gnutls_datum_t *der = gnutls_certificate_get_peers(i->tls_session, &n);
	for (unsigned k = 0; der && k < n; k++) {
		const unsigned char *at = der[k].data;
		X509 *x = k < PEER_CHAIN_MAX ? d2i_X509(NULL, &at, (long)der[k].size) : NULL;
		if (!x) {
			/* too long or unreadable: as if it had presented nothing */
			while (p->n) {
				X509_free(p->chain[--p->n]);
			}
			return;
		}
		p->chain[p->n++] = x;
	}
}

static enum MHD_Result queue_response(struct slt_request *r)
{
	pthread_mutex_lock(&r->lock);
	struct MHD_Response *response = r->response;
	pthread_mutex_unlock(&r->lock);
	enter_phase(r, SLT_PHASE_ANSWER);
	return response ? MHD_queue_response(r->connection, r->status, response) : MHD_NO;
}

static void refuse(struct slt_request *r, const struct slt_err *err)
{
	r->refused = true;
	r->server->handler->reject(r->server->arg, r->state, r, err);
}

static enum MHD_Result on_begin(struct slt_request *r, const char *method, const char *version)
{
	struct slt_err err = SLT_ERR_INIT;
	const struct slt_server_handler *h = r->server->handler;
	const char *length = slt_request_header(r, "Content-Length");
	struct slt_framing framing = {0};

	r->begun = true;
	r->method = method;
	enter_phase(r, SLT_PHASE_BODY);
	slt_request_each_header(r, slt_framing_header, &framing);
	bool plain = slt_framing_check(&framing, version, &err);
	if (!plain || !h->begin(r->server->arg, r, &r->state, &err)) {
		refuse(r, &err);
		/* what would take long to throw away, or has no clear end, is not read */
		bool skip = !plain || (length && strtoull(length, NULL, 10) > DRAIN_MAX);
		return skip ? queue_response(r) : MHD_YES;
	}
	return MHD_YES;
}

static enum MHD_Result on_body(struct slt_request *r, const char *p, size_t *n)
{
	struct slt_err err = SLT_ERR_INIT;
	struct peer *peer = peer_of(r);

	if (peer) {
		slt_door_moved(r->server->door, &peer->guest, *n);
	}
	if (r->refused) {
		r->drained += *n;
		*n = 0;
		return r->drained > DRAIN_MAX ? MHD_NO : MHD_YES;
	}
	if (!r->server->handler->body(r->state, r, p, *n, &err)) {
		refuse(r, &err);
	}
	*n = 0;
	return MHD_YES;
}

static enum MHD_Result on_end(struct slt_request *r)
{
	if (r->refused || r->ended) {
		return queue_response(r);
	}
	r->ended = true;
	r->suspended = true;
	enter_phase(r, SLT_PHASE_WORK);
	/* first suspend: the answer may come from another thread before end() returns */
	MHD_suspend_connection(r->connection);
	r->server->handler->end(r->state, r);
	return MHD_YES;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *c, const char *url,
				 const char *method, const char *version, const char *data,
				 size_t *n, void **con_cls)
{
	struct slt_request *r = *con_cls;

	(void)cls;
	(void)c;
	(void)url;
	if (!r->begun) {
		/* a fault with status 200 would mean a tunnel */
		return strcmp(method, "CONNECT") == 0 ? MHD_NO : on_begin(r, method, version);
	}
	return *n ? on_body(r, data, n) : on_end(r);
}

const char *slt_request_method(const struct slt_request *r)
{
	return r->method;
}

const char *slt_request_path(const struct slt_request *r)
{
	return r->path;
}

const char *slt_request_query(const struct slt_request *r)
{
	return r->query;
}

const char *slt_request_header(const struct slt_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

struct each {
	void (*cb)(void *arg, const char *name, const char *value);
	void *arg;
};

static enum MHD_Result each_value(void *cls, enum MHD_ValueKind kind, const char *key,
				  const char *value)
{
	struct each *e = cls;

	(void)kind;
	e->cb(e->arg, key, value ? value : "");
	return MHD_YES;
}

void slt_request_each_header(const struct slt_request *r,
			     void (*cb)(void *arg, const char *name, const char *value), void *arg)
{
	struct each e = {cb, arg};

	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, each_value, &e);
}

const char *slt_request_peer(const struct slt_request *r)
{
	const struct peer *p = peer_of(r);

	return p ? p->address : "";
}

X509 *const *slt_request_peer_chain(const struct slt_request *r, size_t *ret_n)
{
	struct peer *p = peer_of(r);

	*ret_n = 0;
	if (!p) {
		return NULL;
	}
	if (!p->loaded) {
		load_chain(r, p);
	}
	*ret_n = p->n;
	return p->chain;
}

const char *slt_reason_phrase(unsigned status)
{
	return MHD_get_reason_phrase_for(status);
}

/* --- answering ---------------------------------------------------------------------------- */

static void give(struct slt_request *r, unsigned status, const struct slt_response_header *h,
		 size_t n_headers, struct MHD_Response *response)
{
	slt_assert(response);
	for (size_t i = 0; i < n_headers; i++) {
		/* a value that MHD takes for no header (control characters) is left out */
		MHD_add_response_header(response, h[i].name, h[i].value);
	}
	if (atomic_load(&r->server->quiesced)) {
		/* a kept connection would bring the next request to a server that is going */
		MHD_add_response_header(response, "Connection", "close");
	}
	pthread_mutex_lock(&r->lock);
	slt_assert(!r->response);
	r->response = response;
	r->status = status;
	bool resume = r->suspended;
	struct MHD_Connection *c = r->connection;
	pthread_mutex_unlock(&r->lock);
	if (resume) {
		MHD_resume_connection(c);
	}
}

void slt_respond(struct slt_request *r, unsigned status, const struct slt_response_header *h,
		 size_t n_headers, const void *body, size_t n)
{
	union {
		const void *in;
		void *out;
	} bytes = {.in = n ? body : ""};

	give(r, status, h, n_headers,
	     MHD_create_response_from_buffer(n, bytes.out, MHD_RESPMEM_MUST_COPY));
}

struct stream {
	struct slt_body_source source;
	struct slt_request *request;
};

static ssize_t read_stream(void *cls, uint64_t pos, char *p, size_t max)
{
	struct stream *s = cls;
	struct slt_body_source *b = &s->source;
	struct peer *peer = peer_of(s->request);
	struct slt_err err = SLT_ERR_INIT;
	size_t n = 0;

	(void)pos;
	if (!b->read(b->arg, p, max, &n, &err)) {
		slt_log_err(SLT_LOG_WARNING, "an answer broke off while it was sent", &err, NULL);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (peer) {
		slt_door_moved(s->request->server->door, &peer->guest, n);
	}
	return n ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_stream(void *cls)
{
	struct stream *s = cls;

	s->source.free(s->source.arg);
	free(s);
}

void slt_respond_stream(struct slt_request *r, unsigned status, const struct slt_response_header *h,
			size_t n_headers, const struct slt_body_source *body)
{
	bool bodiless =
		strcmp(slt_request_method(r), "HEAD") == 0 || status == 204 || status == 304;

	if (bodiless) {
		/* MHD would send the last chunk of the body that it leaves out, and whoever keeps
		 * the connection would take that for the next answer */
		body->free(body->arg);
		slt_respond(r, status, h, n_headers, "", 0);
		return;
	}
	struct stream *s = slt_calloc(1, sizeof(*s));

	s->source = *body;
	s->request = r; /* MHD reads no more of it once the request is completed */
	give(r, status, h, n_headers,
	     MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, s,
					       free_stream));
}

/* --- the listener ------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static void quiet(void *cls, const char *fmt, va_list ap)
{
	char text[512];

	(void)cls;
	if (slt_log_enabled(SLT_LOG_DEBUG)) {
		vsnprintf(text, sizeof(text), fmt, ap);
		text[strcspn(text, "\r\n")] = '\0';
		slt_log(SLT_LOG_DEBUG, "libmicrohttpd", "text", text, NULL);
	}
}

/* RFC 7919's 3072-bit group, for DHE with peers that do not negotiate one. malloc'ed PEM. */
static char *dh_group_pem(void)
{
	gnutls_dh_params_t dh;
	gnutls_datum_t pem = {NULL, 0};

	slt_assert(gnutls_dh_params_init(&dh) == 0);
	slt_assert(gnutls_dh_params_import_raw2(dh, &gnutls_ffdhe_3072_group_prime,
						&gnutls_ffdhe_3072_group_generator,
						gnutls_ffdhe_3072_key_bits) == 0);
	slt_assert(gnutls_dh_params_export2_pkcs3(dh, GNUTLS_X509_FMT_PEM, &pem) == 0);
	char *text = slt_strndup((const char *)pem.data, pem.size);
	gnutls_free(pem.data);
	gnutls_dh_params_deinit(dh);
	return text;
}

static struct MHD_Daemon *start_daemon(struct slt_server *s, const struct slt_server_options *o,
				       struct sockaddr_storage *address)
{
	union {
		const char *in;
		void *out;
	} cert = {.in = o->cert_pem}, key = {.in = o->key_pem}, prio = {.in = TLS_PRIORITIES};
	SLT_AUTO_STR char *dh = o->cert_pem ? dh_group_pem() : NULL;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_DHPARAMS, 0, dh},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, cert.out},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, key.out},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, prio.out},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem pool[] = {
		{MHD_OPTION_THREAD_POOL_SIZE, o->threads, NULL},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
			 MHD_USE_ERROR_LOG;

	if (address->ss_family == AF_INET6) {
		flags |= MHD_USE_IPv6;
	}
	if (o->cert_pem) {
		flags |= MHD_USE_TLS;
	}
	/* the door counts for all threads together; a thread by itself must not be full before */
	unsigned limit = (o->limits.max + o->threads) * (o->threads ? o->threads : 1);
	return MHD_start_daemon(
		flags, (uint16_t)o->port, on_accept, s, on_access, s, /* clang-format off */
		MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL,
		MHD_OPTION_SOCK_ADDR, address,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
		MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)SOMAXCONN,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, s,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, s,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_CONNECTION_LIMIT, limit,
		MHD_OPTION_CONNECTION_TIMEOUT, o->limits.idle_seconds,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_ARRAY, o->cert_pem ? tls : &tls[SLT_COUNT(tls) - 1],
		MHD_OPTION_ARRAY, o->threads > 1 ? pool : &pool[1],
		MHD_OPTION_END); /* clang-format on */
}

bool slt_server_start(const struct slt_server_options *options, struct slt_server **ret,
		      struct slt_err *err)
{
	struct slt_server_options own = *options, *o = &own;
	struct sockaddr_storage address;
	struct slt_door *door = NULL;

	o->limits.max = o->limits.max ? o->limits.max : CONNECTIONS;
	o->limits.idle_seconds = o->limits.idle_seconds ? o->limits.idle_seconds : IDLE_SECONDS;
	if (!slt_listen_address(o->address, o->port, &address, err) ||
	    !slt_door_new(&o->limits, &door, err)) {
		return false;
	}
	struct slt_server *s = slt_calloc(1, sizeof(*s));
	s->door = door;
	s->handler = o->handler;
	s->arg = o->arg;
	s->client_certificate = o->client_certificate;
	s->client_certificate_asked = o->client_certificate_asked;
	s->listen_fd = -1;
	s->daemon = start_daemon(s, o, &address);
	if (!s->daemon) {
		slt_fail_errno(err, SLT_ENETWORK, "cannot listen on %s port %u", o->address,
			       o->port);
		slt_door_free(door);
		free(s);
		return false;
	}
	const union MHD_DaemonInfo *i = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
	s->port = i ? i->port : o->port;
	*ret = s;
	return true;
}

unsigned slt_server_port(const struct slt_server *s)
{
	return s->port;
}

void slt_server_stats(const struct slt_server *s, struct slt_door_stats *ret)
{
	slt_door_stats(s->door, ret);
}

void slt_server_quiesce(struct slt_server *s)
{
	if (s->listen_fd < 0) {
		atomic_store(&s->quiesced, true);
		s->listen_fd = MHD_quiesce_daemon(s->daemon);
		/* it may not be closed yet, but must not let peers wait in its backlog */
		shutdown(s->listen_fd, SHUT_RDWR);
	}
}

void slt_server_stop(struct slt_server *s)
{
	if (!s) {
		return;
	}
	MHD_stop_daemon(s->daemon);
	if (s->listen_fd >= 0) {
		close(s->listen_fd);
	}
	slt_door_free(s->door);
	free(s);
}
