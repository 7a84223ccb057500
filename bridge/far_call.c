/* SPDX-License-Identifier: MIT */
#include "far_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "far_servers.h"
#include "metrics.h"
#include "peer_relay.h"
#include "protocol.h"

#define CONNECT_MS    10000 /* with name lookup and TLS handshake */
#define HEAD_START_MS 3000  /* for the address that was quickest the last time */
#define RELAY_MS      10000
#define RACERS_MAX    8 /* addresses that are connected to at the same time */

enum progress { WAITING, RUNNING, FAILED };

/* One of the provider's security servers. */
struct racer {
	struct far_call *call;
	const struct slt_gc_server *server;
	enum progress progress;
	bool relayed; /* its relay was asked already */
	char *url;
	/* certificates whose OCSP responses were missing when the peer was judged */
	X509 *unvouched[SLT_CHAIN_MAX];
	size_t n_unvouched;
	struct slt_err err; /* that judgement */
};

struct far_call {
	struct slt_exchange *x;
	const char *provider;
	struct racer *racer; /* in the exchange's arena */
	size_t n_racers, running;
	struct racer *ahead; /* is tried before the others run; NULL: no more */
	struct racer *front; /* sends, or has sent */
	struct slt_race race;
	int64_t until_us;
	struct slt_transport_writer *writer;
	struct slt_transport_reader *reader;
	char *answer_type, *answer_hash;
	bool answering; /* a header came */
	const char *headers[8];
	size_t n_headers;
	struct slt_err err; /* the most telling one of the addresses tried */
};

static void run(struct far_call *c);

static void forget_unvouched(struct racer *r)
{
	while (r->n_unvouched) {
		X509_free(r->unvouched[--r->n_unvouched]);
	}
}

static void call_free(struct far_call *c)
{
	for (size_t i = 0; i < c->n_racers; i++) {
		forget_unvouched(&c->racer[i]);
		free(c->racer[i].url);
	}
	slt_transport_writer_free(c->writer);
	slt_transport_reader_free(c->reader);
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

static bool is_trusted(struct racer *r, X509 *const *chain, size_t n, struct slt_err *err)
{
	struct slt_exchange *x = r->call->x;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_ocsp_cache *cache = slt_side_peer_ocsp(x->side[SLT_FAR]);
	struct slt_str der[SLT_CHAIN_MAX];
	struct slt_id member = slt_id_client(&x->route.target);
	struct slt_globalconf *gc = x->gc[SLT_FAR];
	SLT_AUTO(slt_verify_cache_free)
	struct slt_verify_cache *known = slt_side_verify_cache(x->side[SLT_FAR], gc);
	struct slt_tls_peer peer = {.gc = gc, .chain = chain, .n = n, .member = &member};
	int missing = -1;

	forget_unvouched(r);
	peer.ocsp = (struct slt_ocsp_source){der, slt_ocsp_cache_chain(cache, chain, n, a, der)};
	if (slt_verify_cache_tls_peer(known, &peer, slt_now_ms(), &missing, err)) {
		return true;
	}
	/* only what the relay can mend is asked of it: everything else is final */
	for (size_t i = 0; missing >= 0 && i < n; i++) {
		X509_up_ref(chain[i]);
		r->unvouched[r->n_unvouched++] = chain[i];
	}
	return false;
}

/* Whoever is connected first and is trusted gets the request; nobody else does. */
static bool judge(void *arg, X509 *const *chain, size_t n, struct slt_err *err)
{
	struct racer *r = arg;
	struct far_call *c = r->call;

	if (!is_trusted(r, chain, n, err)) {
		return false;
	}
	c->front = r;
	if (c->n_racers > 1) {
		slt_fastest_put(slt_side_fastest(c->x->side[SLT_FAR]), c->provider,
				r->server->address, slt_now_ms());
	}
	return true;
}

/* --- the end of an address ---------------------------------------------------------------- */

static void note(struct far_call *c, const struct racer *r, const struct slt_err *err)
{
	bool telling = err->code == SLT_ESSL_AUTHENTICATION_FAILED;

	if (telling || c->err.code != SLT_ESSL_AUTHENTICATION_FAILED) {
		c->err = *err;
	}
	slt_fastest_forget(slt_side_fastest(c->x->side[SLT_FAR]), c->provider, r->server->address);
	if (c->n_racers > 1) {
		slt_log_err(SLT_LOG_INFO, "an address of the provider is of no use", err,
			    "exchange", c->x->id, "address", r->server->address, NULL);
	}
}

static void relay_done(void *arg, const struct slt_err *failed)
{
	struct racer *r = arg;
	struct far_call *c = r->call;

	c->running--;
	r->progress = WAITING;
	if (c->front) {
		return; /* another address was quicker */
	}
	if (failed) {
		/* the judgement is the error; why the relay could not mend it is for the log
		 * alone */
		slt_wrap(&r->err, "its OCSP relay gave no help");
		slt_log_err(SLT_LOG_WARNING, "a peer's OCSP relay gave no help", failed, "exchange",
			    c->x->id, "address", r->server->address, NULL);
		note(c, r, &r->err);
		r->progress = FAILED;
	}
	run(c);
}

static void ask_relay(struct racer *r)
{
	struct far_call *c = r->call;
	struct slt_side *side = c->x->side[SLT_FAR];

	r->relayed = true;
	c->running++;
	slt_peer_relay_ask(c->x->service->client,
			   &(struct slt_peer_relay){
				   .address = r->server->address,
				   .port = slt_side_config(side)->peer_ocsp_port,
				   .cert = r->unvouched,
				   .n = r->n_unvouched,
				   .cache = slt_side_peer_ocsp(side),
				   .race = &c->race,
				   .ms = RELAY_MS,
				   .done = relay_done,
				   .arg = r,
			   });
}

/* --- request and answer ------------------------------------------------------------------- */

static bool send_body(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct far_call *c = ((struct racer *)arg)->call;

	if (!slt_transport_read(c->writer, p, n, ret_n, err)) {
		return false;
	}
	slt_metrics_add(SLT_M_BYTES, slt_metrics_side(slt_side_config(c->x->side[SLT_FAR])),
			SLT_WAY_SENT, (int64_t)*ret_n);
	return true;
}

static bool answer_header(void *arg, int status, const char *name, const char *value,
			  struct slt_err *err)
{
	struct far_call *c = ((struct racer *)arg)->call;
	char **to = NULL;

	c->answering = true;
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
	struct far_call *c = ((struct racer *)arg)->call;

	slt_metrics_add(SLT_M_BYTES, slt_metrics_side(slt_side_config(c->x->side[SLT_FAR])),
			SLT_WAY_RECEIVED, (int64_t)n);
	if (!c->reader && !open_reader(c, err)) {
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	return slt_transport_feed(c->reader, p, n, err);
}

static bool finish_answer(struct far_call *c, struct slt_err *err)
{
	struct slt_exchange *x = c->x;

	/* an answer without a byte is one that cannot be read */
	if (!c->reader && !open_reader(c, err)) {
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	return slt_transport_finish(c->reader, &x->answer_in, &x->fault_in, err);
}

/* A connection that ends too early has X-Road's codes; that nobody knows what became of the request
 * is said beside them (slt_exchange_outcome_unknown()). */
static void name_break(const struct far_call *c, struct slt_err *err)
{
	if (err->code == SLT_EOUTCOME_UNKNOWN && c->answering) {
		err->code = SLT_EIO;
		slt_prefix(err, SLT_SERVICE_FAILED);
	} else if (err->code == SLT_EOUTCOME_UNKNOWN) {
		err->code = SLT_ENETWORK;
	}
}

static void answered(void *arg, int status, bool sent, const struct slt_err *failed)
{
	struct racer *r = arg;
	struct far_call *c = r->call;
	struct slt_err err = SLT_ERR_INIT;

	(void)status;
	c->running--;
	if (c->front && c->front != r) {
		r->progress = WAITING; /* should the one in front fail before it sends */
		return;
	}
	c->front = NULL;
	c->x->sent |= sent;
	if (!failed) {
		over(c, finish_answer(c, &err) ? NULL : &err);
		return;
	}
	r->err = *failed;
	name_break(c, &r->err);
	if (!sent && r->n_unvouched && !r->relayed) {
		ask_relay(r);
		return;
	}
	note(c, r, &r->err);
	if (sent) {
		over(c, &r->err);
		return;
	}
	/* who had a head start and did not use it runs again with the others */
	r->progress = c->ahead == r && !r->n_unvouched ? WAITING : FAILED;
	c->ahead = NULL;
	run(c);
}

/* --- addresses ---------------------------------------------------------------------------- */

static unsigned at_most(int64_t ms, int64_t limit)
{
	return (unsigned)(ms < limit ? ms : limit);
}

static struct slt_call call_to(struct racer *r, int64_t left_ms)
{
	struct far_call *c = r->call;
	struct slt_side *side = c->x->side[SLT_FAR];

	c->running++;
	r->progress = RUNNING;
	forget_unvouched(r);
	free(r->url);
	r->url = slt_peer_url("https", r->server->address, slt_side_config(side)->peer_port);
	return (struct slt_call){
		.method = "POST",
		.url = r->url,
		.headers = c->headers,
		.n_headers = c->n_headers,
		.read = send_body,
		.connect_ms = at_most(left_ms, c->ahead ? HEAD_START_MS : CONNECT_MS),
		.total_ms = (unsigned)left_ms,
		.tls = slt_side_tls(side),
		.judge = judge,
		.race = &c->race,
		.header = answer_header,
		.data = answer_data,
		.done = answered,
		.arg = r,
	};
}

/* Who has come back from its relay goes first. */
static struct racer *next_racer(const struct far_call *c)
{
	struct racer *first = NULL;

	for (size_t i = 0; i < c->n_racers; i++) {
		struct racer *r = &c->racer[i];
		if (r->progress == WAITING && r->relayed) {
			return r;
		}
		first = first || r->progress != WAITING ? first : r;
	}
	return c->ahead && c->ahead->progress == WAITING ? c->ahead : first;
}

/* Starts what may run now; when nothing runs and nobody waits any more, that was the call. May have
 * ended the call when it returns. */
static void run(struct far_call *c)
{
	struct slt_call wave[RACERS_MAX];
	struct slt_client *client = c->x->service->client;
	size_t n = 0, wide = c->ahead ? 1 : RACERS_MAX;
	int64_t left_ms = (c->until_us - slt_mono_us()) / 1000;
	struct racer *r;

	while (left_ms > 0 && c->running < wide && (r = next_racer(c))) {
		wave[n++] = call_to(r, left_ms);
	}
	if (n > 0) {
		slt_client_start_all(client, wave, n);
	} else if (c->running == 0) {
		if (c->err.code == SLT_OK) {
			slt_fail(&c->err, SLT_ENETWORK,
				 "no security server was reached within the route's deadline");
		}
		over(c, &c->err);
	}
}

static bool find_racers(struct far_call *c, struct slt_err *err)
{
	struct slt_exchange *x = c->x;
	struct slt_id provider = slt_id_client(&x->route.target);
	const struct slt_config_route *route = x->route.config;
	struct slt_far_servers found;

	c->provider = slt_id_text(&provider, x->arena);
	if (!slt_far_servers_find(x->gc[SLT_FAR], &provider,
				  route->server_text ? &route->server : NULL, x->arena, &found,
				  err)) {
		return false;
	}
	SLT_AUTO_STR char *ahead = found.n > 1 ? slt_fastest_get(slt_side_fastest(x->side[SLT_FAR]),
								 c->provider, slt_now_ms())
					       : NULL;
	c->racer = slt_arena_alloc(x->arena, found.n * sizeof(*c->racer));
	for (size_t i = 0; i < found.n; i++) {
		struct racer *r = &c->racer[c->n_racers++];
		*r = (struct racer){.call = c, .server = found.v[i]};
		if (ahead && strcmp(ahead, r->server->address) == 0) {
			c->ahead = r;
		}
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
	c->until_us = slt_mono_us() + x->route.config->deadline_seconds * 1000000;
	c->writer = slt_transport_writer_new(x->request_out);
	if (!find_racers(c, &err)) {
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
	run(c);
}
