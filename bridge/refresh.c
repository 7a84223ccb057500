/* SPDX-License-Identifier: MIT */
#include "refresh.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "federation/globalconf_cache.h"
#include "federation/tsp.h"
#include "mapset_part.h"
#include "metrics.h"

#define RETRY_MS  5000
#define FETCH_MS  30000
#define START_MS  1500
#define STOP_MS	  3000
#define STAMP_MAX 1000 /* messages in one time-stamp batch */

static const char *const task_names[] = {"global configuration", "mapping tables", "OCSP responses",
					 "time-stamping"};

struct keeper { /* one side's */
	struct slt_refresh *refresh;
	struct slt_side *side;
	pthread_t thread;
	int64_t due_ms[SLT_TASK_COUNT];
	struct slt_refresh_state state[SLT_TASK_COUNT]; /* under the lock of refresh */
};

struct slt_refresh {
	struct slt_service *service;
	struct keeper keeper[SLT_SIDES_MAX];
	size_t n; /* keepers that were started */
	pthread_mutex_t lock;
	pthread_cond_t wake; /* of what follows */
	size_t n_ready;	     /* keepers whose side can serve, or has done its first round */
	bool stopping;
	pthread_mutex_t tables_lock; /* the mapping set is all sides' */
};

/* --- the tasks ---------------------------------------------------------------------------- */

struct source {
	struct slt_service *service;
	bool tls_verify;
};

static bool fetch(void *arg, const char *url, size_t max, int *ret_status, struct slt_buf *ret_body,
		  struct slt_err *err)
{
	struct source *s = arg;
	struct slt_buf body = SLT_BUF_INIT(max);
	struct slt_call call = {
		.method = "GET", .url = url, .total_ms = FETCH_MS, .tls_insecure = !s->tls_verify};
	bool ok = slt_client_perform(s->service->client, &call, ret_status, &body, err);

	if (ok) {
		slt_buf_add(ret_body, slt_buf_str(&body).p, body.n);
	}
	slt_buf_fini(&body);
	return ok;
}

static bool renew_conf(struct slt_service *s, struct slt_side *side, struct slt_err *err)
{
	const struct slt_config_side *c = slt_side_config(side);
	SLT_AUTO(slt_anchor_free) struct slt_anchor *anchor = NULL;
	struct slt_gc_fetch_result result = {0};
	struct source source = {s, c->fetch_tls_verify};

	if (!slt_anchor_load(c->anchor, &anchor, err)) {
		return false;
	}
	struct slt_gc_fetch f = {.anchor = anchor,
				 .dir = c->globalconf,
				 .federation = c->federation,
				 .mappings = c->mappings_part,
				 .fetch = fetch,
				 .fetch_arg = &source,
				 .now_ms = slt_now_ms()};
	if (!slt_globalconf_fetch(&f, &result, err)) {
		return false;
	}
	if (result.warnings && *result.warnings) {
		slt_log(SLT_LOG_WARNING, "foreign configuration was not fetched", "side", c->name,
			"why", result.warnings, NULL);
	}
	free(result.warnings);
	return slt_side_reload_globalconf(side, err);
}

/* A set that would be refused at the next start is not put on the disk either. */
static bool judge_tables(void *arg, const char *dir, struct slt_err *err)
{
	struct slt_service *s = arg;
	struct slt_mapset_policy policy = slt_service_policy(s->config);
	SLT_AUTO_LINT(problems);
	SLT_AUTO_LINT(warnings);
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;

	if (!slt_mapset_open(dir, &policy, &problems, &warnings, &set, err)) {
		return false;
	}
	slt_service_check_mapset(s, set, &problems);
	return slt_lint_finish(&problems, err);
}

static bool renew_tables(struct slt_service *s, struct slt_side *side, struct slt_err *err)
{
	const struct slt_config_side *c = slt_side_config(side);
	bool changed = false;

	if (!c->mappings_part) {
		return true;
	}
	if (!slt_mapset_part_renew(c->globalconf, c->name, s->config->mappings, judge_tables, s,
				   &changed, err)) {
		return false;
	}
	return !changed || slt_service_reload(s) ||
	       slt_fail(err, SLT_ECONFIG, "the mapping tables published by %s do not load",
			c->name);
}

/* --- OCSP responses ----------------------------------------------------------------------- */

/* The TLS certificate is vouched for among security servers only. */
static size_t tls_certificates(struct slt_side *side, X509 *const **ret)
{
	size_t n = 0;

	*ret = slt_side_auth_chain(side, &n);
	return slt_side_config(side)->bearer == SLT_BEARER_TRANSPORT ? n : 0;
}

static size_t sign_certificates(struct slt_side *side, X509 *ret[SLT_CHAIN_MAX + 1])
{
	const struct slt_key *sign = slt_side_sign_key(side);
	int more = sign && sign->chain ? sk_X509_num(sign->chain) : 0;
	size_t n = 0;

	if (sign) {
		ret[n++] = sign->cert;
	}
	for (int i = 0; i < more && i < SLT_CHAIN_MAX; i++) {
		ret[n++] = sk_X509_value(sign->chain, i);
	}
	return n;
}

static size_t own_certificates(struct slt_side *side, X509 *ret[2 * SLT_CHAIN_MAX + 1])
{
	X509 *const *auth;
	size_t n = tls_certificates(side, &auth);

	for (size_t i = 0; i < n; i++) {
		ret[i] = auth[i];
	}
	return n + sign_certificates(side, ret + n);
}

static char *response_path(const struct slt_service *s, const X509 *cert)
{
	SLT_AUTO_BUF(hex, 256);
	struct slt_digest d;

	slt_certinfo_digest(cert, SLT_SHA256, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	return slt_asprintf("%s/ocsp/%s.der", s->config->state, slt_buf_str(&hex).p);
}

/* For the next start: the responder may be down then. */
static void remember(const struct slt_service *s, const X509 *cert, struct slt_str der)
{
	SLT_AUTO_STR char *dir = slt_path_join(s->config->state, "ocsp");
	SLT_AUTO_STR char *path = response_path(s, cert);
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_mkdir_p(dir, 0700, &err) || !slt_file_write(path, der.p, der.n, 0600, &err)) {
		slt_log_err(SLT_LOG_WARNING, "an OCSP response is not kept for the next start",
			    &err, NULL);
	}
}

/* What was remembered and is still good; true if all that is needed is there. */
static bool recall(const struct slt_service *s, struct slt_side *side)
{
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
	struct slt_err ignored = SLT_ERR_INIT;
	X509 *own[2 * SLT_CHAIN_MAX + 1];
	size_t n = own_certificates(side, own);

	size_t found = 0;

	if (!slt_side_globalconf(side, slt_now_ms(), &gc, &ignored)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_STR char *path = response_path(s, own[i]);
		SLT_AUTO_STR char *bytes = NULL;
		size_t len = 0;
		struct slt_ocsp_info info;
		const struct slt_gc_ca *ca = slt_globalconf_find_ca(gc, slt_side_name(side),
								    X509_get_issuer_name(own[i]));
		slt_err_clear(&ignored);
		if (!ca || !slt_file_read(path, SLT_OCSP_BYTES_MAX, &bytes, &len, &ignored)) {
			continue;
		}
		struct slt_str der = {bytes, len};
		if (slt_ocsp_verify(gc, der, own[i], ca, slt_now_ms(), false, &info, &ignored)) {
			slt_ocsp_cache_put(slt_side_ocsp(side), own[i], der);
			found++;
		}
	}
	return found == n;
}

/* Asks the CA's responders in turn for one certificate. */
static bool renew_response(struct slt_service *s, struct slt_side *side, X509 *cert,
			   const struct slt_globalconf *gc, struct slt_err *err)
{
	static const char *const headers[] = {"Content-Type: application/ocsp-request",
					      "Accept: application/ocsp-response"};
	const struct slt_gc_ca *ca =
		slt_globalconf_find_ca(gc, slt_side_name(side), X509_get_issuer_name(cert));
	SLT_AUTO_BUF(request, SLT_OCSP_BYTES_MAX);

	if (!ca) {
		return slt_fail(err, SLT_EINVALID_CERTIFICATE,
				"no approved CA of instance %s issued the bridge's certificate",
				slt_side_name(side));
	}
	if (ca->n_ocsp == 0) {
		return slt_fail(err, SLT_EINVALID_CERTIFICATE, "CA %s names no OCSP responder",
				ca->name);
	}
	if (!slt_ocsp_request(cert, ca->cert, &request, err)) {
		return false;
	}
	for (size_t i = 0; i < ca->n_ocsp; i++) {
		SLT_AUTO_BUF(der, SLT_OCSP_BYTES_MAX);
		struct slt_ocsp_info info;
		int status = 0;
		struct slt_call call = {.method = "POST",
					.url = ca->ocsp[i].url,
					.headers = headers,
					.n_headers = SLT_COUNT(headers),
					.body = slt_buf_str(&request).p,
					.n_body = request.n,
					.total_ms = FETCH_MS};
		slt_err_clear(err);
		if (!slt_client_perform(s->client, &call, &status, &der, err)) {
			continue;
		}
		if (status != 200) {
			slt_fail(err, SLT_EHTTP, "%s answered with HTTP status %d", ca->ocsp[i].url,
				 status);
			continue;
		}
		if (slt_ocsp_verify(gc, slt_buf_str(&der), cert, ca, slt_now_ms(), false, &info,
				    err)) {
			slt_ocsp_cache_put(slt_side_ocsp(side), cert, slt_buf_str(&der));
			remember(s, cert, slt_buf_str(&der));
			return true;
		}
		slt_wrap(err, "response of %s", ca->ocsp[i].url);
	}
	return false;
}

static bool renew_ocsp(struct slt_service *s, struct slt_side *side, struct slt_err *err)
{
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
	X509 *const *auth, *sign[SLT_CHAIN_MAX + 1];
	size_t n = tls_certificates(side, &auth), n_sign = sign_certificates(side, sign);

	if (n + n_sign == 0) {
		return true;
	}
	if (!slt_side_globalconf(side, slt_now_ms(), &gc, err)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!renew_response(s, side, auth[i], gc, err)) {
			return slt_wrap(err, "TLS certificate");
		}
	}
	for (size_t i = 0; i < n_sign; i++) {
		if (!renew_response(s, side, sign[i], gc, err)) {
			return slt_wrap(err, "signing certificate%s", i ? "'s issuer" : "");
		}
	}
	return true;
}

struct stamp {
	struct slt_service *service;
	const struct slt_globalconf *gc;
	const char *instance;
};

/* The instance's authorities in turn. */
static bool stamp(void *arg, const struct slt_digest *imprint, struct slt_buf *ret_token,
		  int64_t *ret_time_ms, struct slt_err *err)
{
	static const char *const headers[] = {"Content-Type: application/timestamp-query"};
	struct stamp *st = arg;
	const struct slt_gc_tsa *tsa;
	SLT_AUTO_BUF(request, SLT_TSP_BYTES_MAX);

	if (!slt_tsp_request(imprint, &request, err)) {
		return false;
	}
	slt_fail(err, SLT_EMLOG_NO_TSP, "instance %s has no approved time-stamping authority",
		 st->instance);
	for (size_t i = 0; (tsa = slt_globalconf_tsa_at(st->gc, st->instance, i)); i++) {
		SLT_AUTO_BUF(answer, SLT_TSP_BYTES_MAX);
		int status = 0;
		struct slt_call call = {.method = "POST",
					.url = tsa->url,
					.headers = headers,
					.n_headers = SLT_COUNT(headers),
					.body = slt_buf_str(&request).p,
					.n_body = request.n,
					.total_ms = FETCH_MS};
		slt_err_clear(err);
		if (!slt_client_perform(st->service->client, &call, &status, &answer, err)) {
			continue;
		}
		if (status != 200) {
			slt_fail(err, SLT_EMLOG_TSP_FAILED, "%s answered with HTTP status %d",
				 tsa->url, status);
			continue;
		}
		if (slt_tsp_response(st->gc, slt_buf_str(&answer), imprint, ret_token, ret_time_ms,
				     err)) {
			return true;
		}
		slt_wrap(err, "token of %s", tsa->url);
	}
	return false;
}

static bool renew_stamps(struct slt_service *s, struct slt_side *side, struct slt_err *err)
{
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
	struct stamp st = {.service = s, .instance = slt_side_name(side)};
	unsigned n = STAMP_MAX;

	if (!slt_side_globalconf(side, slt_now_ms(), &gc, err)) {
		return false;
	}
	st.gc = gc;
	while (n == STAMP_MAX) {
		if (!slt_msglog_timestamp(s->log, slt_side_name(side), STAMP_MAX, stamp, &st,
					  slt_now_ms(), &n, err)) {
			return false;
		}
	}
	return true;
}

/* --- the threads -------------------------------------------------------------------------- */

static bool (*const tasks[])(struct slt_service *s, struct slt_side *side, struct slt_err *err) = {
	renew_conf, renew_tables, renew_ocsp, renew_stamps};

static int64_t interval_ms(const struct slt_config_side *c, enum slt_refresh_task t)
{
	switch (t) {
	case SLT_TASK_OCSP:
		return 1000 * c->ocsp_seconds;
	case SLT_TASK_STAMP:
		return 1000 * c->timestamp_seconds;
	case SLT_TASK_CONF:
	case SLT_TASK_TABLES:
	case SLT_TASK_COUNT:
		break;
	}
	return 1000 * c->fetch_seconds;
}

/* Tables that were refused stay so until others are fetched. */
static int64_t retry_ms(const struct slt_config_side *c, enum slt_refresh_task t)
{
	int64_t interval = interval_ms(c, t);

	return t == SLT_TASK_TABLES || interval < RETRY_MS ? interval : RETRY_MS;
}

static bool attempt(struct keeper *k, enum slt_refresh_task t, struct slt_err *err)
{
	struct slt_refresh *r = k->refresh;

	if (t != SLT_TASK_TABLES) {
		return tasks[t](r->service, k->side, err);
	}
	pthread_mutex_lock(&r->tables_lock);
	bool ok = tasks[t](r->service, k->side, err);
	pthread_mutex_unlock(&r->tables_lock);
	return ok;
}

/* True when the attempt before failed, too. */
static bool keep_state(struct keeper *k, enum slt_refresh_task t, const struct slt_err *failed)
{
	size_t side = slt_metrics_side(slt_side_config(k->side));
	struct slt_refresh_state *s = &k->state[t];
	int64_t now = slt_now_ms();

	slt_metrics_add(failed ? SLT_M_REFRESH_FAILED : SLT_M_REFRESH, side, t, 1);
	pthread_mutex_lock(&k->refresh->lock);
	bool before = s->failing_ms != 0;
	if (!failed) {
		*s = (struct slt_refresh_state){.good_ms = now};
		slt_metrics_set(SLT_M_REFRESHED, side, t, now);
	} else {
		s->failing_ms = before ? s->failing_ms : now;
		snprintf(s->why, sizeof(s->why), "%s", failed->msg);
	}
	pthread_mutex_unlock(&k->refresh->lock);
	return before;
}

void slt_refresh_state(struct slt_refresh *r, size_t side, enum slt_refresh_task t,
		       struct slt_refresh_state *ret)
{
	pthread_mutex_lock(&r->lock);
	*ret = r->keeper[side].state[t];
	pthread_mutex_unlock(&r->lock);
}

static void run_task(struct keeper *k, enum slt_refresh_task t)
{
	const struct slt_config_side *c = slt_side_config(k->side);
	struct slt_err err = SLT_ERR_INIT;
	bool ok = attempt(k, t, &err);

	bool failed = keep_state(k, t, ok ? NULL : &err);
	if (!ok && !failed) {
		slt_log_err(SLT_LOG_ERR, "a renewal failed and will be tried again", &err, "side",
			    c->name, "what", task_names[t], NULL);
	} else if (ok && failed) {
		slt_log(SLT_LOG_NOTICE, "a renewal works again", "side", c->name, "what",
			task_names[t], NULL);
	}
	k->due_ms[t] = slt_mono_us() / 1000 + (ok ? interval_ms(c, t) : retry_ms(c, t));
}

static bool is_stopping(struct slt_refresh *r)
{
	pthread_mutex_lock(&r->lock);
	bool stopping = r->stopping;
	pthread_mutex_unlock(&r->lock);
	return stopping;
}

/* The tasks before `end` that are due: all of them at first. */
static void run_due(struct keeper *k, enum slt_refresh_task end)
{
	for (int t = 0; t < (int)end && !is_stopping(k->refresh); t++) {
		if (k->due_ms[t] <= slt_mono_us() / 1000) {
			run_task(k, (enum slt_refresh_task)t);
		}
	}
}

static struct timespec in_ms(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

static void *work(void *arg)
{
	struct keeper *k = arg;
	struct slt_refresh *r = k->refresh;

	if (!recall(r->service, k->side)) {
		run_due(k, SLT_TASK_STAMP); /* nobody waits for a time-stamp */
	}
	pthread_mutex_lock(&r->lock);
	r->n_ready++;
	pthread_cond_broadcast(&r->wake);
	while (!r->stopping) {
		pthread_mutex_unlock(&r->lock);
		run_due(k, SLT_TASK_COUNT);
		pthread_mutex_lock(&r->lock);
		struct timespec until = in_ms(1000);
		if (!r->stopping) {
			pthread_cond_timedwait(&r->wake, &r->lock, &until);
		}
	}
	pthread_mutex_unlock(&r->lock);
	run_task(k, SLT_TASK_STAMP);
	return NULL;
}

static void await_first_round(struct slt_refresh *r)
{
	struct timespec until = in_ms(START_MS);
	int e = 0;

	pthread_mutex_lock(&r->lock);
	while (r->n_ready < r->n && e == 0) {
		e = pthread_cond_timedwait(&r->wake, &r->lock, &until);
	}
	bool late = r->n_ready < r->n;
	pthread_mutex_unlock(&r->lock);
	if (late) {
		slt_log(SLT_LOG_WARNING,
			"an instance's services are slow: serving with what is there already",
			NULL);
	}
}

bool slt_refresh_start(struct slt_service *s, struct slt_refresh **ret, struct slt_err *err)
{
	SLT_AUTO(slt_refresh_stop) struct slt_refresh *r = slt_calloc(1, sizeof(*r));

	r->service = s;
	pthread_mutex_init(&r->lock, NULL);
	pthread_mutex_init(&r->tables_lock, NULL);
	pthread_cond_init(&r->wake, NULL);
	for (size_t i = 0; i < s->n_sides; i++) {
		struct keeper *k = &r->keeper[i];
		k->refresh = r;
		k->side = s->side[i];
		int e = pthread_create(&k->thread, NULL, work, k);
		if (e != 0) {
			return slt_fail(err, SLT_EINTERNAL, "cannot start a refresh thread: %s",
					strerror(e));
		}
		r->n++;
	}
	await_first_round(r);
	*ret = SLT_TAKE(r);
	return true;
}

void slt_refresh_stop(struct slt_refresh *r)
{
	if (!r) {
		return;
	}
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->wake);
	pthread_mutex_unlock(&r->lock);
	struct timespec until = in_ms(STOP_MS);
	for (size_t i = 0; i < r->n; i++) {
		if (pthread_timedjoin_np(r->keeper[i].thread, NULL, &until) != 0) {
			/* it waits for an answer that does not come */
			slt_client_stop(r->service->client);
			pthread_join(r->keeper[i].thread, NULL);
		}
	}
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->tables_lock);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
