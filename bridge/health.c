/* SPDX-License-Identifier: MIT */
#include "health.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/spool.h"
#include "exchange.h"
#include "metrics.h"

#define PROBE_BYTES 65536
#define ROOM_LOW    (256u << 20) /* bytes free on a disk */
#define LOG_GRUDGE_MS                                                                              \
	30000 /* for so long a refusal of the log counts that no success has followed */

const char *slt_health_level_name(enum slt_health_level l)
{
	static const char *const names[] = {"good", "warning", "failed"};

	return names[l];
}

void slt_health_add(struct slt_health *h, const char *side, const char *what,
		    enum slt_health_level level, int64_t until_ms, const char *fmt, ...)
{
	char line[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (h->n == SLT_HEALTH_ITEMS_MAX) {
		return;
	}
	h->item[h->n++] = (struct slt_health_item){
		.side = side,
		.what = what,
		.level = level,
		.text = slt_arena_strdup(h->arena, line),
		.until_ms = until_ms,
	};
	h->level = level > h->level ? level : h->level;
}

const char *slt_health_span(const struct slt_health *h, int64_t ms)
{
	int64_t s = (ms < 0 ? -ms : ms) / 1000;

	if (s >= 2 * 86400) {
		return slt_arena_printf(h->arena, "%" PRId64 " d", s / 86400);
	}
	if (s >= 2 * 3600) {
		return slt_arena_printf(h->arena, "%" PRId64 " h", s / 3600);
	}
	if (s >= 2 * 60) {
		return slt_arena_printf(h->arena, "%" PRId64 " min", s / 60);
	}
	return slt_arena_printf(h->arena, "%" PRId64 " s", s);
}

const char *slt_health_time(const struct slt_health *h, int64_t t_ms)
{
	char text[SLT_TIME_LEN];

	return slt_arena_strdup(h->arena, slt_time_format(t_ms, false, text));
}

/* --- the message log ---------------------------------------------------------------------- */

/* Whether the disk takes anything: a little is written where nobody sees it. */
static bool probe(const char *dir, struct slt_err *err)
{
	SLT_AUTO(slt_spool_free) struct slt_spool *s = slt_spool_new(dir, 0, PROBE_BYTES);
	SLT_AUTO_STR char *bytes = slt_calloc(1, PROBE_BYTES);

	return slt_spool_write(s, bytes, PROBE_BYTES, err);
}

static uint64_t room(const char *dir)
{
	struct statvfs v;

	return statvfs(dir, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : UINT64_MAX;
}

static void set_log_metrics(const struct slt_msglog_stats *s, uint64_t left)
{
	slt_metrics_set(SLT_M_LOG_ENTRIES, 0, 0, (int64_t)s->entries);
	slt_metrics_set(SLT_M_LOG_COMMITS, 0, 0, (int64_t)s->commits);
	slt_metrics_set(SLT_M_LOG_FAILED, 0, 0, (int64_t)s->failed);
	slt_metrics_set(SLT_M_LOG_REFUSED, 0, 0, (int64_t)s->refused);
	slt_metrics_set(SLT_M_LOG_WAITING, 0, 0, s->waiting);
	slt_metrics_set(SLT_M_LOG_BYTES, 0, 0, (int64_t)s->bytes);
	slt_metrics_set(SLT_M_LOG_FREE, 0, 0, (int64_t)left);
}

static void check_log(struct slt_health *h, const struct slt_service *s)
{
	SLT_AUTO_STR char *dir = slt_path_dir(s->config->log);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_msglog_stats stats;
	uint64_t left = room(dir);

	slt_msglog_stats(s->log, &stats);
	set_log_metrics(&stats, left);
	bool sulks =
		stats.refused_ms > stats.written_ms && h->at_ms - stats.refused_ms < LOG_GRUDGE_MS;
	if (!probe(dir, &err)) {
		slt_health_add(h, NULL, "log", SLT_HEALTH_FAILED, 0,
			       "the message log cannot be written, so no message passes: %s",
			       err.msg);
	} else if (sulks) {
		slt_health_add(h, NULL, "log", SLT_HEALTH_FAILED, 0,
			       "the message log refused an entry %s ago, so no message passes: %s",
			       slt_health_span(h, h->at_ms - stats.refused_ms), stats.why);
	} else if (left < ROOM_LOW) {
		slt_health_add(h, NULL, "log", SLT_HEALTH_WARNING, 0,
			       "the disk of the message log has %" PRIu64 " MB left: when it is "
			       "full, no message passes",
			       left >> 20);
	} else {
		slt_health_add(h, NULL, "log", SLT_HEALTH_GOOD, 0,
			       "the message log can be written: %" PRIu64 " MB, %" PRIu64
			       " MB free on its disk",
			       stats.bytes >> 20, left >> 20);
	}
}

static void check_spool(struct slt_health *h, const struct slt_service *s)
{
	struct slt_err err = SLT_ERR_INIT;
	uint64_t left = room(s->config->spool);

	slt_metrics_set(SLT_M_SPOOL, 0, 0, (int64_t)slt_spool_on_disk());
	if (!probe(s->config->spool, &err)) {
		slt_health_add(h, NULL, "spool", SLT_HEALTH_FAILED, 0,
			       "large messages cannot be taken: %s", err.msg);
	} else {
		slt_health_add(h, NULL, "spool", SLT_HEALTH_GOOD, 0,
			       "%" PRIu64 " MB of messages in transit are on the disk, %" PRIu64
			       " MB are free",
			       slt_spool_on_disk() >> 20, left >> 20);
	}
}

/* --- mapping set and workers -------------------------------------------------------------- */

static void check_mapset(struct slt_health *h, struct slt_service *s)
{
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = slt_service_mapset(s);
	size_t before = h->n;

	for (size_t i = 0; i < s->config->n_routes; i++) {
		const struct slt_config_route *r = &s->config->route[i];
		struct slt_err err = SLT_ERR_INIT;
		if (!slt_route_is_plain(r) &&
		    !slt_mapset_in_force(set, r->from_side->country, r->to_side->country, h->at_ms,
					 &err)) {
			slt_health_add(h, NULL, "mappings", SLT_HEALTH_FAILED, 0,
				       "route %s cannot translate: %s", r->name, err.msg);
		}
	}
	if (atomic_load(&s->reload_refused)) {
		slt_health_add(
			h, NULL, "mappings", SLT_HEALTH_WARNING, 0,
			"the mapping set in %s was refused when it was last read, and the one "
			"before, %.16s, stays in force: silta check tells what is wrong",
			s->config->mappings, slt_mapset_digest(set));
	}
	if (h->n == before) {
		slt_health_add(h, NULL, "mappings", SLT_HEALTH_GOOD, 0,
			       "mapping set %.16s is in force for every route",
			       slt_mapset_digest(set));
	}
}

static void check_workers(struct slt_health *h, const struct slt_bridge *b)
{
	const struct slt_config *c = b->service->config;
	unsigned waiting = slt_pool_waiting(b->service->pool), active = slt_exchange_active();
	bool full = waiting >= (uint64_t)c->queue * 4 / 5;

	slt_metrics_set(SLT_M_QUEUE, 0, 0, waiting);
	slt_metrics_set(SLT_M_QUEUE_LIMIT, 0, 0, c->queue);
	slt_metrics_set(SLT_M_IN_FLIGHT, 0, 0, active);
	slt_health_add(h, NULL, "workers", full ? SLT_HEALTH_WARNING : SLT_HEALTH_GOOD, 0,
		       "%u exchanges under way, %u steps wait for %lld workers%s", active, waiting,
		       (long long)c->workers, full ? ": requests are about to be refused" : "");
	if (atomic_load(&b->draining)) {
		slt_health_add(h, NULL, "draining", SLT_HEALTH_FAILED, 0,
			       "the bridge is being stopped: it takes no new connections, and ends "
			       "when the exchanges under way have ended, or after %lld s",
			       (long long)c->drain_seconds);
	}
}

struct slt_health *slt_health_examine(const struct slt_bridge *b, struct slt_arena *a)
{
	struct slt_health *h = slt_arena_alloc(a, sizeof(*h));
	size_t n[3] = {0};

	h->arena = a;
	h->at_ms = slt_now_ms();
	check_workers(h, b);
	check_log(h, b->service);
	check_spool(h, b->service);
	check_mapset(h, b->service);
	for (size_t i = 0; i < b->service->n_sides; i++) {
		slt_health_side(h, b, i);
	}
	for (size_t i = 0; i < h->n; i++) {
		n[h->item[i].level]++;
	}
	for (size_t i = 0; i < SLT_COUNT(n); i++) {
		slt_metrics_set(SLT_M_HEALTH_ITEMS, i, 0, (int64_t)n[i]);
	}
	slt_metrics_set(SLT_M_HEALTHY, 0, 0, h->level != SLT_HEALTH_FAILED);
	return h;
}
