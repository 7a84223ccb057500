/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "health.h"

#define LOOK_MS	     10000
#define TROUBLES_MAX 64

struct trouble { /* that was logged */
	char side[64], what[32];
	enum slt_health_level level;
};

struct slt_watch {
	const struct slt_bridge *bridge;
	struct trouble trouble[TROUBLES_MAX];
	size_t n;
	int64_t look_ms, beat_ms; /* when it is due, on the monotonic clock */
	int64_t every_ms;	  /* the watchdog wants to hear; 0: nobody listens */
	char status[512];	  /* as last told */
	/* a worker sets it; false at the next beat: none came to it */
	_Atomic bool worked;
	bool stuck; /* and that was logged */
};

struct slt_watch *slt_watch_new(const struct slt_bridge *b)
{
	struct slt_watch *w = slt_calloc(1, sizeof(*w));
	uint64_t us = 0;

	w->bridge = b;
	if (sd_watchdog_enabled(0, &us) > 0) {
		w->every_ms = (int64_t)(us / 3000);
	}
	atomic_store(&w->worked, true);
	return w;
}

void slt_watch_free(struct slt_watch *w)
{
	free(w);
}

void slt_watch_wake(struct slt_watch *w)
{
	w->look_ms = 0;
}

/* --- what becomes bad --------------------------------------------------------------------- */

static bool same(const struct trouble *t, const struct slt_health_item *c)
{
	return strcmp(t->what, c->what) == 0 && strcmp(t->side, c->side ? c->side : "") == 0;
}

static enum slt_health_level before(const struct slt_watch *w, const struct slt_health_item *c)
{
	enum slt_health_level worst = SLT_HEALTH_GOOD;

	for (size_t i = 0; i < w->n; i++) {
		if (same(&w->trouble[i], c) && w->trouble[i].level > worst) {
			worst = w->trouble[i].level;
		}
	}
	return worst;
}

static void log_changes(const struct slt_watch *w, const struct slt_health *h)
{
	static const enum slt_level levels[] = {SLT_LOG_NOTICE, SLT_LOG_WARNING, SLT_LOG_ERR};

	for (size_t i = 0; i < h->n; i++) {
		const struct slt_health_item *c = &h->item[i];
		enum slt_health_level old = before(w, c);
		if (c->level > old) {
			slt_log(levels[c->level], "the bridge is not well", "check", c->what,
				"side", c->side, "why", c->text, NULL);
		} else if (c->level == SLT_HEALTH_GOOD && old != SLT_HEALTH_GOOD) {
			slt_log(SLT_LOG_NOTICE, "good again", "check", c->what, "side", c->side,
				"how", c->text, NULL);
		}
	}
}

static void remember(struct slt_watch *w, const struct slt_health *h)
{
	w->n = 0;
	for (size_t i = 0; i < h->n && w->n < TROUBLES_MAX; i++) {
		const struct slt_health_item *c = &h->item[i];
		if (c->level != SLT_HEALTH_GOOD) {
			struct trouble *t = &w->trouble[w->n++];
			snprintf(t->side, sizeof(t->side), "%s", c->side ? c->side : "");
			snprintf(t->what, sizeof(t->what), "%s", c->what);
			t->level = c->level;
		}
	}
}

static void tell_status(struct slt_watch *w, const struct slt_health *h)
{
	char status[sizeof(w->status)] = "running; all is well";

	for (size_t i = 0; i < h->n && h->level != SLT_HEALTH_GOOD; i++) {
		if (h->item[i].level == h->level) {
			snprintf(status, sizeof(status), "running; %s: %.400s",
				 slt_health_level_name(h->level), h->item[i].text);
			break;
		}
	}
	if (strcmp(status, w->status) != 0) {
		snprintf(w->status, sizeof(w->status), "%s", status);
		sd_notifyf(0, "STATUS=%s", status);
	}
}

static void look(struct slt_watch *w)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	const struct slt_health *h = slt_health_examine(w->bridge, a);

	log_changes(w, h);
	remember(w, h);
	tell_status(w, h);
}

/* --- the watchdog ------------------------------------------------------------------------- */

static void work(void *arg)
{
	struct slt_watch *w = arg;

	atomic_store(&w->worked, true);
}

/* A worker that came to the last beat's job is what keeps the watchdog quiet. */
static void beat(struct slt_watch *w)
{
	if (atomic_exchange(&w->worked, false)) {
		w->stuck = false;
		sd_notify(0, "WATCHDOG=1");
		slt_pool_continue(w->bridge->service->pool, work, w);
	} else if (!w->stuck) {
		w->stuck = true;
		slt_log(SLT_LOG_ERR,
			"no worker is free: the service manager will start the bridge anew", NULL);
	}
}

int64_t slt_watch_tick(struct slt_watch *w)
{
	int64_t now = slt_mono_us() / 1000;

	if (now >= w->look_ms) {
		look(w);
		w->look_ms = now + LOOK_MS;
	}
	if (w->every_ms && now >= w->beat_ms) {
		beat(w);
		w->beat_ms = now + w->every_ms;
	}
	int64_t next = w->every_ms && w->beat_ms < w->look_ms ? w->beat_ms : w->look_ms;
	return next > now ? next - now : 1;
}
