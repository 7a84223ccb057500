/* SPDX-License-Identifier: MIT */
#include "refresh.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "federation/globalconf_cache.h"
#include "federation/tsp.h"
#include "mapset_part.h"

#define RETRY_MS  5000
#define FETCH_MS  30000
#define STAMP_MAX 1000 /* messages in one time-stamp batch */

enum task { TASK_CONF, TASK_TABLES, TASK_OCSP, TASK_STAMP, TASK_COUNT };

static const char *const task_names[] = {"global configuration", "mapping tables", "OCSP responses",
					 "time-stamping"};

struct due {
	int64_t at_ms[TASK_COUNT];
	bool failing[TASK_COUNT];
};

struct slt_refresh {
	struct slt_service *service;
	struct due due[SLT_SIDES_MAX];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
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

	if (!slt_mapset_open(dir, &policy, slt_now_ms(), &problems, &warnings, &set, err)) {
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
			return true;
		}
		slt_wrap(err, "response of %s", ca->ocsp[i].url);
	}
	return false;
}

static bool renew_ocsp(struct slt_service *s, struct slt_side *side, struct slt_err *err)
{
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
	const struct slt_key *sign = slt_side_sign_key(side);
	size_t n = 0;
	X509 *const *auth = slt_side_auth_chain(side, &n);

	if (!slt_side_globalconf(side, slt_now_ms(), &gc, err)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!renew_response(s, side, auth[i], gc, err)) {
			return slt_wrap(err, "TLS certificate");
		}
	}
	if (!renew_response(s, side, sign->cert, gc, err)) {
		return slt_wrap(err, "signing certificate");
	}
	for (int i = 0; sign->chain && i < sk_X509_num(sign->chain); i++) {
		if (!renew_response(s, side, sk_X509_value(sign->chain, i), gc, err)) {
			return slt_wrap(err, "signing certificate's issuer");
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

/* --- the thread --------------------------------------------------------------------------- */

static bool (*const tasks[])(struct slt_service *s, struct slt_side *side, struct slt_err *err) = {
	renew_conf, renew_tables, renew_ocsp, renew_stamps};

static int64_t interval_ms(const struct slt_config_side *c, enum task t)
{
	switch (t) {
	case TASK_OCSP:
		return 1000 * c->ocsp_seconds;
	case TASK_STAMP:
		return 1000 * c->timestamp_seconds;
	case TASK_CONF:
	case TASK_TABLES:
	case TASK_COUNT:
		break;
	}
	return 1000 * c->fetch_seconds;
}

/* Tables that were refused stay so until others are fetched. */
static int64_t retry_ms(const struct slt_config_side *c, enum task t)
{
	int64_t interval = interval_ms(c, t);

	return t == TASK_TABLES || interval < RETRY_MS ? interval : RETRY_MS;
}

static void run_task(struct slt_refresh *r, size_t side, enum task t)
{
	struct slt_side *s = r->service->side[side];
	struct due *d = &r->due[side];
	struct slt_err err = SLT_ERR_INIT;
	bool ok = tasks[t](r->service, s, &err);

	if (!ok && !d->failing[t]) {
		slt_log_err(SLT_LOG_ERR, "a renewal failed and will be tried again", &err, "side",
			    slt_side_name(s), "what", task_names[t], NULL);
	} else if (ok && d->failing[t]) {
		slt_log(SLT_LOG_NOTICE, "a renewal works again", "side", slt_side_name(s), "what",
			task_names[t], NULL);
	}
	d->failing[t] = !ok;
	d->at_ms[t] = slt_mono_us() / 1000 +
		      (ok ? interval_ms(slt_side_config(s), t) : retry_ms(slt_side_config(s), t));
}

static void run_due(struct slt_refresh *r, bool all)
{
	for (size_t i = 0; i < r->service->n_sides; i++) {
		for (int t = 0; t < TASK_COUNT; t++) {
			if (all || r->due[i].at_ms[t] <= slt_mono_us() / 1000) {
				run_task(r, i, (enum task)t);
			}
		}
	}
}

static void *work(void *arg)
{
	struct slt_refresh *r = arg;

	pthread_mutex_lock(&r->lock);
	while (!r->stopping) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&r->wake, &r->lock, &until);
		bool stop = r->stopping;
		pthread_mutex_unlock(&r->lock);
		if (!stop) {
			run_due(r, false);
		}
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

bool slt_refresh_start(struct slt_service *s, struct slt_refresh **ret, struct slt_err *err)
{
	struct slt_refresh *r = slt_calloc(1, sizeof(*r));

	r->service = s;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->wake, NULL);
	run_due(r, true);
	int e = pthread_create(&r->thread, NULL, work, r);
	if (e != 0) {
		free(r);
		return slt_fail(err, SLT_EINTERNAL, "cannot start the refresh thread: %s",
				strerror(e));
	}
	*ret = r;
	return true;
}

void slt_refresh_stop(struct slt_refresh *r)
{
	if (!r) {
		return;
	}
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	for (size_t i = 0; i < r->service->n_sides; i++) {
		run_task(r, i, TASK_STAMP);
	}
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
