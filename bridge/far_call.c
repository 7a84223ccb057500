/* SPDX-License-Identifier: MIT */
#include "far_call.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "federation/multipart.h"
#include "protocol.h"

#define CANDIDATES_MAX	32
#define CONNECT_MS	10000
#define RELAY_MS	10000
#define RELAY_BYTES_MAX (SLT_CHAIN_MAX * (SLT_OCSP_BYTES_MAX + 4096))

struct far_call {
	struct slt_exchange *x;
	const struct slt_gc_server *server[CANDIDATES_MAX];
	size_t n_servers, at;
	bool relayed; /* the relay of this address was asked already */
	struct slt_transport_writer *writer;
	struct slt_transport_reader *reader;
	char *url, *content_type, *answer_type, *answer_hash;
	const char *headers[8];
	size_t n_headers;
	/* certificates whose OCSP responses were missing when the peer was judged */
	X509 *unvouched[SLT_CHAIN_MAX];
	size_t n_unvouched;
	struct slt_buf relay;
	char *relay_type;
	struct slt_err err; /* of the last address tried */
};

static void attempt(struct far_call *c);

static void forget_unvouched(struct far_call *c)
{
	while (c->n_unvouched) {
		X509_free(c->unvouched[--c->n_unvouched]);
	}
}

static void call_free(struct far_call *c)
{
	forget_unvouched(c);
	slt_transport_writer_free(c->writer);
	slt_transport_reader_free(c->reader);
	slt_buf_fini(&c->relay);
	free(c->relay_type);
	free(c->url);
	free(c->answer_type);
	free(c->answer_hash);
	free(c);
}

/* The end of the call, in whatever way: hands the exchange back to the pipeline. */
static void over(struct far_call *c, const struct slt_err *err)
{
	struct slt_exchange *x = c->x;
	struct slt_err copy;

	if (err) {
		copy = *err;
	}
	call_free(c);
	slt_pipeline_resume(x, err ? &copy : NULL);
}

/* --- judging the peer --------------------------------------------------------------------- */

static bool judge(void *arg, X509 *const *chain, size_t n, struct slt_err *err)
{
	struct far_call *c = arg;
	struct slt_exchange *x = c->x;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_ocsp_cache *cache = slt_side_peer_ocsp(x->side[SLT_FAR]);
	struct slt_str der[SLT_CHAIN_MAX];
	struct slt_id member = slt_id_client(&x->route.target);
	struct slt_globalconf *gc = x->gc[SLT_FAR];
	SLT_AUTO(slt_verify_cache_free)
	struct slt_verify_cache *known = slt_side_verify_cache(x->side[SLT_FAR], gc);
	struct slt_tls_peer peer = {.gc = gc, .chain = chain, .n = n, .member = &member};
	int missing = -1;

	forget_unvouched(c);
	peer.ocsp = (struct slt_ocsp_source){der, slt_ocsp_cache_chain(cache, chain, n, a, der)};
	if (slt_verify_cache_tls_peer(known, &peer, slt_now_ms(), &missing, err)) {
		return true;
	}
	/* only what the relay can mend is asked of it: everything else is final */
	for (size_t i = 0; missing >= 0 && i < n; i++) {
		X509_up_ref(chain[i]);
		c->unvouched[c->n_unvouched++] = chain[i];
	}
	return false;
}

/* --- the peer's OCSP relay ---------------------------------------------------------------- */

struct relay_parts {
	struct far_call *call;
	struct slt_buf der;
	size_t n; /* OCSP parts seen */
	bool is_ocsp;
};

static bool relay_part(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err)
{
	struct relay_parts *p = arg;

	(void)err;
	p->is_ocsp = false;
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_STR char *name = slt_strndup(h[i].name.p, h[i].name.n);
		if (slt_strcase_eq(name, "content-type")) {
			p->is_ocsp =
				slt_str_eq(slt_mime_type(h[i].value), "application/ocsp-response");
		}
	}
	slt_buf_reset(&p->der);
	return true;
}

static bool relay_data(void *arg, const char *data, size_t n, struct slt_err *err)
{
	struct relay_parts *p = arg;

	slt_buf_add(&p->der, data, n);
	return slt_buf_check(&p->der, "an OCSP response of the relay", err);
}

static bool relay_part_end(void *arg, struct slt_err *err)
{
	struct relay_parts *p = arg;
	struct far_call *c = p->call;

	if (!p->is_ocsp) {
		return true;
	}
	if (p->n >= c->n_unvouched) {
		return slt_fail(err, SLT_EIO, "the OCSP relay sent more responses than asked for");
	}
	slt_ocsp_cache_put(slt_side_peer_ocsp(c->x->side[SLT_FAR]), c->unvouched[p->n++],
			   slt_buf_str(&p->der));
	return true;
}

static bool read_relay(struct far_call *c, struct slt_err *err)
{
	static const struct slt_multipart_ops ops = {relay_part, relay_data, relay_part_end};
	struct relay_parts p = {.call = c, .der = SLT_BUF_INIT(SLT_OCSP_BYTES_MAX)};
	struct slt_str boundary;

	if (!c->relay_type || !slt_mime_param(slt_str(c->relay_type), "boundary", &boundary)) {
		return slt_fail(err, SLT_EIO, "the OCSP relay did not answer with a multipart");
	}
	SLT_AUTO(slt_multipart_free)
	struct slt_multipart *m = slt_multipart_new(boundary, &ops, &p);
	bool ok = slt_multipart_feed(m, slt_buf_str(&c->relay).p, c->relay.n, err) &&
		  slt_multipart_end(m, err);
	slt_buf_fini(&p.der);
	if (ok && p.n != c->n_unvouched) {
		return slt_fail(err, SLT_EIO,
				"the OCSP relay sent %zu responses for %zu certificates", p.n,
				c->n_unvouched);
	}
	return ok;
}

static void next_address(struct far_call *c)
{
	c->at++;
	c->relayed = false;
	attempt(c);
}

static bool relay_header(void *arg, int status, const char *name, const char *value,
			 struct slt_err *err)
{
	struct far_call *c = arg;

	(void)status;
	(void)err;
	if (slt_strcase_eq(name, "content-type")) {
		free(c->relay_type);
		c->relay_type = slt_strdup(value);
	}
	return true;
}

static bool relay_body(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct far_call *c = arg;

	slt_buf_add(&c->relay, p, n);
	return slt_buf_check(&c->relay, "the answer of the OCSP relay", err);
}

static void relay_done(void *arg, int status, bool sent, const struct slt_err *failed)
{
	struct far_call *c = arg;
	struct slt_err err = SLT_ERR_INIT;

	(void)sent;
	if (!failed && status / 100 == 2 && read_relay(c, &err)) {
		attempt(c); /* the same address again, now with what was missing */
		return;
	}
	if (failed) {
		err = *failed;
	} else if (err.code == SLT_OK) {
		slt_fail(&err, SLT_EHTTP, "HTTP status %d", status);
	}
	/* the judgement is the error; why the relay could not mend it is for the log alone */
	slt_wrap(&c->err, "its OCSP relay gave no help");
	slt_log_err(SLT_LOG_WARNING, "a peer's OCSP relay gave no help", &err, "exchange", c->x->id,
		    "address", c->server[c->at]->address, NULL);
	next_address(c);
}

static char *host_url(const char *scheme, const char *address, int64_t port)
{
	bool v6 = strchr(address, ':') != NULL;

	return slt_asprintf("%s://%s%s%s:%lld/", scheme, v6 ? "[" : "", address, v6 ? "]" : "",
			    (long long)port);
}

static void ask_relay(struct far_call *c)
{
	const struct slt_config_side *side = slt_side_config(c->x->side[SLT_FAR]);
	SLT_AUTO_STR char *base = host_url("http", c->server[c->at]->address, side->peer_ocsp_port);
	SLT_AUTO_BUF(url, 4096);

	slt_buf_addf(&url, "%s?", base);
	for (size_t i = 0; i < c->n_unvouched; i++) {
		struct slt_digest sha1, sha256;
		slt_certinfo_digest(c->unvouched[i], SLT_SHA1, &sha1);
		slt_certinfo_digest(c->unvouched[i], SLT_SHA256, &sha256);
		slt_buf_adds(&url, i ? "&cert=" : "cert=");
		slt_buf_add_hex(&url, sha1.v, sha1.n);
		slt_buf_adds(&url, "&cert_hash=");
		slt_buf_add_hex(&url, sha256.v, sha256.n);
	}
	c->relayed = true;
	slt_buf_reset(&c->relay);
	free(c->url);
	c->url = slt_buf_take(&url, NULL);
	static const char *const headers[] = {"Accept: multipart/related"};
	slt_client_start(c->x->service->client, &(struct slt_call){
							.method = "GET",
							.url = c->url,
							.headers = headers,
							.n_headers = SLT_COUNT(headers),
							.connect_ms = RELAY_MS,
							.total_ms = RELAY_MS,
							.header = relay_header,
							.data = relay_body,
							.done = relay_done,
							.arg = c,
						});
}

/* --- request and answer ------------------------------------------------------------------- */

static bool send_body(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct far_call *c = arg;

	return slt_transport_read(c->writer, p, n, ret_n, err);
}

static bool answer_header(void *arg, int status, const char *name, const char *value,
			  struct slt_err *err)
{
	struct far_call *c = arg;
	char **to = NULL;

	if (status != 200 && status != 500) {
		return slt_fail(err, SLT_EHTTP,
				"the provider's security server answered with HTTP "
				"status %d",
				status);
	}
	if (slt_strcase_eq(name, "content-type")) {
		to = &c->answer_type;
	} else if (slt_strcase_eq(name, "x-hash-algorithm")) {
		to = &c->answer_hash;
	} else if (slt_strcase_eq(name, "x-original-content-type")) {
		to = &c->x->original_type[1];
	}
	if (to) {
		free(*to);
		*to = slt_strdup(value);
	}
	return true;
}

static bool open_reader(struct far_call *c, struct slt_err *err)
{
	const struct slt_config *conf = c->x->service->config;
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	enum slt_digest_alg alg =
		c->answer_hash ? slt_digest_by_name(slt_str(c->answer_hash)) : SLT_SHA512;

	limits.head = (size_t)conf->max_message;
	limits.body = (uint64_t)conf->max_attachments;
	limits.spool_dir = conf->spool;
	if (!slt_transport_reader_new(c->answer_type ? c->answer_type : "", alg, true, &limits,
				      &c->reader, err)) {
		return false;
	}
	slt_transport_expect(c->reader, c->x->protocol->kind);
	return true;
}

static bool answer_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct far_call *c = arg;

	if (!c->reader && !open_reader(c, err)) {
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	return slt_transport_feed(c->reader, p, n, err);
}

static bool finish_answer(struct far_call *c, struct slt_err *err)
{
	struct slt_exchange *x = c->x;

	if (!c->reader) {
		return slt_fail(err, SLT_EIO, "the provider's security server sent no answer");
	}
	return slt_transport_finish(c->reader, &x->answer_in, &x->fault_in, err);
}

static void answered(void *arg, int status, bool sent, const struct slt_err *failed)
{
	struct far_call *c = arg;
	struct slt_err err = SLT_ERR_INIT;

	(void)status;
	c->x->sent |= sent;
	if (!failed) {
		over(c, finish_answer(c, &err) ? NULL : &err);
		return;
	}
	c->err = *failed;
	if (sent) {
		over(c, &c->err);
	} else if (c->n_unvouched && !c->relayed) {
		ask_relay(c);
	} else {
		next_address(c);
	}
}

/* --- addresses ---------------------------------------------------------------------------- */

static void attempt(struct far_call *c)
{
	struct slt_exchange *x = c->x;
	const struct slt_config_side *side = slt_side_config(x->side[SLT_FAR]);

	if (c->at >= c->n_servers) {
		over(c, &c->err);
		return;
	}
	slt_transport_rewind(c->writer);
	slt_transport_reader_free(SLT_TAKE(c->reader));
	forget_unvouched(c);
	free(c->url);
	c->url = host_url("https", c->server[c->at]->address, side->peer_port);
	slt_client_start(x->service->client,
			 &(struct slt_call){
				 .method = "POST",
				 .url = c->url,
				 .headers = c->headers,
				 .n_headers = c->n_headers,
				 .read = send_body,
				 .connect_ms = CONNECT_MS,
				 .total_ms = (unsigned)x->route.config->deadline_seconds * 1000,
				 .tls = slt_side_tls(x->side[SLT_FAR]),
				 .judge = judge,
				 .header = answer_header,
				 .data = answer_data,
				 .done = answered,
				 .arg = c,
			 });
}

/* A host name or an address, and nothing that would make another URL of it. */
static bool is_host(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:");

	return n > 0 && n < 300 && s[n] == '\0';
}

/* Servers are taken in turn from a random one on, so that the load spreads. */
static bool find_servers(struct far_call *c, struct slt_err *err)
{
	struct slt_exchange *x = c->x;
	struct slt_id provider = slt_id_client(&x->route.target);
	const struct slt_gc_server *all[CANDIDATES_MAX], *s, *resting = NULL;
	size_t n = 0;
	unsigned char first = 0;

	for (size_t i = 0;
	     n < CANDIDATES_MAX && (s = slt_globalconf_server_of(x->gc[SLT_FAR], &provider, i));
	     i++) {
		if (s->maintenance) {
			resting = s;
		} else if (s->address && is_host(s->address)) {
			all[n++] = s;
		}
	}
	if (n == 0 && resting) {
		return slt_fail(
			err, SLT_EMAINTENANCE_MODE, "security server %s is in maintenance mode%s%s",
			slt_id_text(&resting->id, x->arena),
			resting->maintenance_message ? ". Message from its administrator: " : "",
			resting->maintenance_message ? resting->maintenance_message : "");
	}
	if (n == 0) {
		return slt_fail(err, SLT_EUNKNOWN_MEMBER,
				"no security server of instance %s serves %s",
				slt_side_name(x->side[SLT_FAR]), slt_id_text(&provider, x->arena));
	}
	RAND_bytes(&first, 1);
	for (size_t i = 0; i < n; i++) {
		c->server[c->n_servers++] = all[(first + i) % n];
	}
	return true;
}

static void add_header(struct far_call *c, const char *name, const char *value)
{
	c->headers[c->n_headers++] = slt_arena_printf(c->x->arena, "%s: %s", name, value);
}

void slt_far_call_start(struct slt_exchange *x)
{
	struct far_call *c = slt_calloc(1, sizeof(*c));
	struct slt_err err = SLT_ERR_INIT;

	c->x = x;
	slt_buf_init(&c->relay, RELAY_BYTES_MAX);
	c->writer = slt_transport_writer_new(x->request_out);
	if (!find_servers(c, &err)) {
		over(c, &err);
		return;
	}
	add_header(c, "Content-Type", slt_transport_content_type(c->writer));
	add_header(c, "x-hash-algorithm", slt_digest_name(x->request_out->digest_alg));
	add_header(c, "x-proxy-version", slt_side_config(x->side[SLT_FAR])->proxy_version);
	add_header(c, "x-road-request-id", x->id);
	const char *type = x->original_type[0] ? x->original_type[0] : x->protocol->original_type;
	if (type) {
		add_header(c, "x-original-content-type", type);
	}
	if (x->protocol->kind == SLT_REST) {
		add_header(c, "x-road-message-type", "REST");
	} else if (x->original_action) {
		add_header(c, "x-original-soapaction", x->original_action);
	}
	attempt(c);
}
