/* SPDX-License-Identifier: MIT */
#include "admin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "exchange.h"
#include "health.h"
#include "metrics.h"

#define CONNECTIONS_MAX 64
#define IDLE_SECONDS	15
#define ANSWER_MAX	(16u << 20)
#define KEPT_MS		1000 /* a look at everything serves for so long */

struct slt_admin {
	const struct slt_bridge *bridge;
	struct slt_server *server;
	/* the last look; one thread answers all requests */
	struct slt_arena *arena;
	const struct slt_health *health;
	int64_t looked_us;
};

static const struct slt_health *look(struct slt_admin *a)
{
	if (!a->health || slt_mono_us() - a->looked_us > KEPT_MS * 1000) {
		slt_arena_free(a->arena);
		a->arena = slt_arena_new();
		a->health = slt_health_examine(a->bridge, a->arena);
		a->looked_us = slt_mono_us();
	}
	return a->health;
}

/* --- JSON --------------------------------------------------------------------------------- */

static void add_text(struct slt_buf *out, const char *key, const char *value)
{
	slt_buf_add_json(out, key);
	slt_buf_addc(out, ':');
	if (value) {
		slt_buf_add_json(out, value);
	} else {
		slt_buf_adds(out, "null");
	}
}

static void add_time(struct slt_buf *out, const char *key, int64_t t_ms)
{
	char text[SLT_TIME_LEN];

	add_text(out, key, t_ms ? slt_time_format(t_ms, false, text) : NULL);
}

static void add_number(struct slt_buf *out, const char *key, int64_t n)
{
	slt_buf_addc(out, ',');
	slt_buf_add_json(out, key);
	slt_buf_addf(out, ":%" PRId64, n);
}

static void add_health(struct slt_buf *out, const struct slt_health *h)
{
	add_text(out, "status", slt_health_level_name(h->level));
	slt_buf_addc(out, ',');
	add_time(out, "at", h->at_ms);
	slt_buf_adds(out, ",\"checks\":[");
	for (size_t i = 0; i < h->n; i++) {
		const struct slt_health_item *c = &h->item[i];
		slt_buf_adds(out, i ? ",\n{" : "\n{");
		add_text(out, "side", c->side);
		slt_buf_addc(out, ',');
		add_text(out, "what", c->what);
		slt_buf_addc(out, ',');
		add_text(out, "level", slt_health_level_name(c->level));
		slt_buf_addc(out, ',');
		add_time(out, "until", c->until_ms);
		slt_buf_addc(out, ',');
		add_text(out, "text", c->text);
		slt_buf_addc(out, '}');
	}
	slt_buf_adds(out, "\n]");
}

static void add_route(struct slt_buf *out, const struct slt_config_route *r)
{
	static const struct {
		const char *name;
		enum slt_exchange_end outcome;
	} columns[] = {
		{"done", SLT_END_DONE},	      {"provider_fault", SLT_END_PROVIDER_FAULT},
		{"refused", SLT_END_REFUSED}, {"failed", SLT_END_FAILED},
		{"unknown", SLT_END_UNKNOWN},
	};
	size_t at = slt_metrics_route(r);

	add_text(out, "route", r->name);
	slt_buf_addc(out, ',');
	add_text(out, "from", r->from);
	slt_buf_addc(out, ',');
	add_text(out, "to", r->to);
	for (size_t i = 0; i < SLT_COUNT(columns); i++) {
		add_number(out, columns[i].name,
			   slt_metrics_get(SLT_M_EXCHANGES, at, columns[i].outcome));
	}
	add_number(out, "repeated_ids", slt_metrics_get(SLT_M_REPEATED, at, 0));
}

static void add_routes(struct slt_buf *out, const struct slt_config *c)
{
	slt_buf_adds(out, ",\"routes\":[");
	for (size_t i = 0; i < c->n_routes; i++) {
		slt_buf_adds(out, i ? ",\n{" : "\n{");
		add_route(out, &c->route[i]);
		slt_buf_addc(out, '}');
	}
	slt_buf_adds(out, "\n],\"refused_before_route\":{");
	for (size_t i = 0; i < c->n_sides; i++) {
		slt_buf_adds(out, i ? "," : "");
		slt_buf_add_json(out, c->side[i].name);
		slt_buf_addf(out, ":%" PRId64, slt_metrics_sum(SLT_M_REFUSED, i));
	}
	slt_buf_addc(out, '}');
}

static void write_status(struct slt_admin *a, const struct slt_health *h, struct slt_buf *out)
{
	const struct slt_service *s = a->bridge->service;
	struct slt_msglog_stats log;

	slt_msglog_stats(s->log, &log);
	slt_buf_adds(out, "{");
	add_health(out, h);
	slt_buf_addc(out, ',');
	add_text(out, "version", SLT_VERSION);
	slt_buf_addc(out, ',');
	add_time(out, "started", a->bridge->started_ms);
	add_number(out, "pid", getpid());
	add_number(out, "in_flight", slt_exchange_active());
	add_number(out, "queue", slt_pool_waiting(s->pool));
	add_number(out, "log_entries", (int64_t)log.entries);
	add_number(out, "log_bytes", (int64_t)log.bytes);
	add_number(out, "spool_bytes", (int64_t)slt_spool_on_disk());
	add_routes(out, s->config);
	slt_buf_adds(out, "}\n");
}

/* --- metrics ------------------------------------------------------------------------------ */

static int64_t micros(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static int64_t resident_bytes(void)
{
	SLT_AUTO_STR char *text = NULL;
	struct slt_err ignored = SLT_ERR_INIT;
	size_t n = 0;
	char *end = NULL;

	if (!slt_file_read("/proc/self/statm", 256, &text, &n, &ignored)) {
		return 0;
	}
	(void)strtoll(text, &end, 10); /* the second number is meant */
	return strtoll(end, NULL, 10) * sysconf(_SC_PAGESIZE);
}

static void set_process_metrics(const struct slt_bridge *b)
{
	struct rusage u;
	struct rlimit files;
	int64_t rss = resident_bytes();

	slt_metrics_set(SLT_M_START, 0, 0, b->started_ms);
	if (getrusage(RUSAGE_SELF, &u) == 0) {
		slt_metrics_set(SLT_M_CPU, 0, 0, micros(u.ru_utime) + micros(u.ru_stime));
	}
	if (rss > 0) {
		slt_metrics_set(SLT_M_RSS, 0, 0, rss);
	}
	size_t n = slt_dir_count("/proc/self/fd");
	if (n > 1) {
		slt_metrics_set(SLT_M_FDS, 0, 0, (int64_t)n - 1); /* one is the directory's */
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		slt_metrics_set(SLT_M_FDS_MAX, 0, 0, (int64_t)files.rlim_cur);
	}
}

static void write_metrics(struct slt_admin *a, struct slt_buf *out)
{
	SLT_AUTO(slt_mapset_free)
	struct slt_mapset *set = slt_service_mapset(a->bridge->service);

	(void)look(a);
	set_process_metrics(a->bridge);
	slt_metrics_write_info(out, "silta_build_info", "The program that runs.", "version",
			       SLT_VERSION);
	slt_metrics_write_info(out, "silta_mapping_set_info", "The mapping set in force.", "digest",
			       slt_mapset_digest(set));
	slt_metrics_write(out);
}

/* --- requests ----------------------------------------------------------------------------- */

static void answer(struct slt_request *r, unsigned status, const char *type,
		   const struct slt_buf *b)
{
	const struct slt_response_header h[] = {{"Content-Type", type},
						{"Cache-Control", "no-store"}};

	slt_respond(r, status, h, SLT_COUNT(h), slt_buf_str(b).p, b->n);
}

static void on_end(void *state, struct slt_request *r)
{
	struct slt_admin *a = state;
	const char *path = slt_request_path(r);
	unsigned status = 200;
	const char *type = "application/json; charset=utf-8";
	SLT_AUTO_BUF(out, ANSWER_MAX);

	if (strcmp(path, "/health/live") == 0) {
		slt_buf_adds(&out, "{\"status\":\"alive\"}\n");
	} else if (strcmp(path, "/health") == 0) {
		const struct slt_health *h = look(a);
		status = h->level == SLT_HEALTH_FAILED ? 503 : 200;
		slt_buf_addc(&out, '{');
		add_health(&out, h);
		slt_buf_adds(&out, "}\n");
	} else if (strcmp(path, "/status") == 0) {
		write_status(a, look(a), &out);
	} else if (strcmp(path, "/metrics") == 0) {
		type = "text/plain; version=0.0.4; charset=utf-8";
		write_metrics(a, &out);
	} else {
		status = 404;
		type = "text/plain; charset=utf-8";
		slt_buf_adds(&out, "there are /health, /health/live, /status and /metrics\n");
	}
	answer(r, status, type, &out);
}

static bool on_begin(void *arg, struct slt_request *r, void **ret_state, struct slt_err *err)
{
	const char *method = slt_request_method(r);

	*ret_state = arg;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		return slt_fail(err, SLT_EINVALID_HTTP_METHOD, "only GET and HEAD are answered");
	}
	return true;
}

static bool on_body(void *state, struct slt_request *r, const char *p, size_t n,
		    struct slt_err *err)
{
	(void)state;
	(void)r;
	(void)p;
	return n == 0 || slt_fail(err, SLT_EINVALID_REQUEST, "no body is expected");
}

static void on_reject(void *arg, void *state, struct slt_request *r, const struct slt_err *err)
{
	SLT_AUTO_BUF(out, 4096);

	(void)arg;
	(void)state;
	slt_buf_addf(&out, "%s\n", err->msg);
	answer(r, err->code == SLT_EINVALID_HTTP_METHOD ? 405 : 400, "text/plain; charset=utf-8",
	       &out);
}

static void on_done(void *state)
{
	(void)state;
}

static const struct slt_server_handler handler = {on_begin, on_body, on_end, on_reject, on_done};

bool slt_admin_start(const struct slt_bridge *b, struct slt_admin **ret, struct slt_err *err)
{
	const struct slt_config *c = b->service->config;
	struct slt_admin *a = slt_calloc(1, sizeof(*a));
	struct slt_server_options o = {
		.address = c->admin_listen,
		.port = (unsigned)c->admin_port,
		.limits = {.name = "admin",
			   .max = CONNECTIONS_MAX,
			   .head_seconds = IDLE_SECONDS,
			   .idle_seconds = IDLE_SECONDS},
		.handler = &handler,
		.arg = a,
	};

	a->bridge = b;
	if (!slt_server_start(&o, &a->server, err)) {
		free(a);
		return slt_wrap(err, "admin listener");
	}
	*ret = a;
	return true;
}

unsigned slt_admin_port(const struct slt_admin *a)
{
	return slt_server_port(a->server);
}

void slt_admin_stop(struct slt_admin *a)
{
	if (a) {
		slt_server_stop(a->server);
		slt_arena_free(a->arena);
		free(a);
	}
}
