/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "leg.h"
#include "metrics.h"
#include "route.h"

struct slt_mapset_policy slt_service_policy(const struct slt_config *c)
{
	return (struct slt_mapset_policy){.ca = c->mappings_ca,
					  .required = c->mappings_required,
					  .approvals = (unsigned)c->mappings_approvals,
					  .now_ms = slt_now_ms()};
}

/* Which country's tables a side speaks; and that no test instance is joined to a real one. */
static bool resolve_country(struct slt_service *s, const struct slt_mapset *set, size_t i,
			    const char **environment, struct slt_err *err)
{
	struct slt_config_side *c = &s->config->side[i];
	const char *own = NULL, *known = slt_mapset_country(set, c->name, &own);

	if (!known && (!c->country || s->country_from_set[i])) {
		return slt_fail(err, SLT_ECONFIG,
				"no country.conf in %s lists instance %s: name its country in "
				"the side's \"country\"",
				s->config->mappings, c->name);
	}
	if (known && c->country && strcmp(known, c->country) != 0) {
		return slt_fail(err, SLT_ECONFIG,
				"side %s speaks for country %s, but %s lists the instance under %s",
				c->name, c->country, s->config->mappings, known);
	}
	if (known && *environment && strcmp(*environment, own) != 0) {
		return slt_fail(err, SLT_ECONFIG,
				"instance %s is a %s instance, another side is %s: they must "
				"not be joined",
				c->name, own, *environment);
	}
	if (!c->country) { /* the set may be replaced, the country stays */
		c->country = slt_arena_strdup(s->config->arena, known);
		s->country_from_set[i] = true;
	}
	*environment = known ? own : *environment;
	return true;
}

static bool check_route(const struct slt_mapset *set, const struct slt_config_route *r,
			struct slt_err *err)
{
	const char *from = r->from_side->country, *to = r->to_side->country;
	struct slt_map_service there;

	if (slt_route_is_plain(r)) {
		return true;
	}
	if (!slt_mapset_in_force(set, from, to, slt_now_ms(), err)) {
		return slt_wrap(err, "route %s", r->name);
	}
	for (size_t k = 0; k < r->services.n; k++) {
		if (!slt_mapset_service(set, r->flow, from, to, r->services.v[k], &there, err)) {
			return slt_wrap(err, "route %s", r->name);
		}
	}
	return true;
}

void slt_service_check_mapset(struct slt_service *s, const struct slt_mapset *set,
			      struct slt_lint *lint)
{
	const char *environment = NULL;
	size_t before = lint->total;

	for (size_t i = 0; i < s->config->n_sides; i++) {
		struct slt_err err = SLT_ERR_INIT;
		if (!resolve_country(s, set, i, &environment, &err)) {
			slt_lint_add_err(lint, &err);
		}
	}
	for (size_t i = 0; lint->total == before && i < s->config->n_routes; i++) {
		struct slt_err err = SLT_ERR_INIT;
		if (!check_route(set, &s->config->route[i], &err)) {
			slt_lint_add_err(lint, &err);
		}
	}
}

static bool load_offers(struct slt_service *s, struct slt_err *err)
{
	SLT_AUTO_LINT(problems);

	if (!slt_offers_load(s->config, &problems, &s->offers, err)) {
		return slt_lint_finish(&problems, err);
	}
	return true;
}

static void log_problems(enum slt_level level, const char *sentence, const struct slt_lint *lint)
{
	for (size_t i = 0; i < lint->n; i++) {
		slt_log(level, sentence, "problem", lint->v[i], NULL);
	}
	if (lint->total > lint->n) {
		char more[32];
		snprintf(more, sizeof(more), "%zu", lint->total - lint->n);
		slt_log(level, "and further problems", "number", more, NULL);
	}
}

static bool load_mapset(struct slt_service *s, struct slt_mapset **ret, struct slt_err *err)
{
	struct slt_mapset_policy policy = slt_service_policy(s->config);
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	SLT_AUTO_LINT(problems);
	SLT_AUTO_LINT(warnings);
	bool good = slt_mapset_open(s->config->mappings, &policy, &problems, &warnings, &set, err);

	if (good) {
		slt_service_check_mapset(s, set, &problems);
		if (problems.total == 0) {
			slt_offers_check(s->offers, set, &problems);
		}
		good = slt_lint_finish(&problems, err);
	}
	log_problems(SLT_LOG_WARNING, "the mapping set is used all the same", &warnings);
	log_problems(SLT_LOG_ERR, "the mapping set is refused", &problems);
	if (good) {
		*ret = SLT_TAKE(set);
	}
	return good;
}

struct slt_mapset *slt_service_mapset(struct slt_service *s)
{
	pthread_mutex_lock(&s->mapset_lock);
	struct slt_mapset *set = slt_mapset_ref(s->mapset);
	pthread_mutex_unlock(&s->mapset_lock);
	return set;
}

bool slt_service_reload(struct slt_service *s)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_mapset *set = NULL;

	pthread_mutex_lock(&s->reload_lock);
	if (!load_mapset(s, &set, &err)) {
		slt_log(SLT_LOG_ERR, "the mapping set in force stays", "set",
			slt_mapset_digest(s->mapset), NULL);
		atomic_store(&s->reload_refused, true);
		slt_metrics_add(SLT_M_RELOADS, 0, 0, 1);
		pthread_mutex_unlock(&s->reload_lock);
		return false;
	}
	pthread_mutex_lock(&s->mapset_lock);
	struct slt_mapset *old = s->mapset;
	s->mapset = set;
	pthread_mutex_unlock(&s->mapset_lock);
	slt_log(SLT_LOG_NOTICE, "mapping set in force", "set", slt_mapset_digest(set), "before",
		slt_mapset_digest(old), NULL);
	slt_mapset_free(old);
	atomic_store(&s->reload_refused, false);
	slt_metrics_add(SLT_M_RELOADS, 1, 0, 1);
	pthread_mutex_unlock(&s->reload_lock);
	return true;
}

static bool open_sides(struct slt_service *s, struct slt_err *err)
{
	for (size_t i = 0; i < s->config->n_sides; i++) {
		if (!slt_side_open(&s->config->side[i], &s->side[i], err)) {
			return false;
		}
		s->n_sides++;
	}
	return true;
}

/* What was under way when the process died: the caller has no answer, so whether the provider
 * acted is not known unless the answer of the other side had been logged. */
static bool recover(void *arg, const struct slt_msglog_exchange *x, struct slt_err *err)
{
	struct slt_service *s = arg;
	bool before = x->n_messages < 2; /* nothing had been sent */

	slt_log(SLT_LOG_WARNING,
		before ? "an exchange was cut short before anything was sent"
		       : "an exchange was cut short: look at the other side what became of it",
		"exchange", x->exchange, "route", x->route, NULL);
	return slt_msglog_finish_wait(
		s->log, x->exchange, before ? SLT_MSGLOG_FAILED : SLT_MSGLOG_UNKNOWN,
		slt_code_name(SLT_EOUTCOME_UNKNOWN, SLT_DIALECT_SNAKE), slt_now_ms(), err);
}

static bool start_signing(struct slt_service *s, struct slt_err *err)
{
	for (size_t i = 0; i < s->n_sides; i++) {
		unsigned batch = (unsigned)s->config->side[i].batch;
		if (slt_side_sign_key(s->side[i]) &&
		    !slt_sign_queue_new(s->side[i], batch, slt_leg_sign, &s->sign[i], err)) {
			return false;
		}
	}
	return true;
}

static bool open_spool(const struct slt_config *c, struct slt_err *err)
{
	char text[16];

	if (!slt_mkdir_p(c->spool, 0700, err)) {
		return false;
	}
	slt_spool_limit((uint64_t)c->max_spool);
	snprintf(text, sizeof(text), "%u", slt_spool_sweep(c->spool));
	if (strcmp(text, "0") != 0) {
		slt_log(SLT_LOG_NOTICE, "removed what an earlier run left in the spool", "files",
			text, NULL);
	}
	return true;
}

bool slt_service_open(struct slt_config *take_config, struct slt_service **ret, struct slt_err *err)
{
	SLT_AUTO(slt_service_close) struct slt_service *s = slt_calloc(1, sizeof(*s));
	struct slt_config *c = s->config = take_config;

	slt_log_init((enum slt_level)c->log_level, c->log_json);
	slt_metrics_open(c);
	slt_xml_init();
	pthread_mutex_init(&s->mapset_lock, NULL);
	pthread_mutex_init(&s->reload_lock, NULL);
	if (!slt_mkdir_p(c->state, 0700, err) || !open_spool(c, err) || !load_offers(s, err) ||
	    !load_mapset(s, &s->mapset, err) || !open_sides(s, err)) {
		return false;
	}
	struct slt_msglog_options log = {.path = c->log};
	if (!slt_msglog_open(&log, &s->log, err)) {
		return slt_wrap(err, "message log");
	}
	if (!slt_msglog_recover(s->log, recover, s, err) || !start_signing(s, err) ||
	    !slt_client_new((unsigned)c->client_connections, &s->client, err) ||
	    !slt_pool_new((unsigned)c->workers, (unsigned)c->queue, &s->pool, err)) {
		return false;
	}
	*ret = SLT_TAKE(s);
	return true;
}

void slt_service_close(struct slt_service *s)
{
	if (!s) {
		return;
	}
	slt_client_free(s->client);
	for (size_t i = 0; i < s->n_sides; i++) {
		slt_sign_queue_free(s->sign[i]);
	}
	slt_pool_free(s->pool);
	slt_msglog_close(s->log);
	for (size_t i = 0; i < s->n_sides; i++) {
		slt_side_free(s->side[i]);
	}
	slt_mapset_free(s->mapset);
	slt_offers_free(s->offers);
	pthread_mutex_destroy(&s->mapset_lock);
	pthread_mutex_destroy(&s->reload_lock);
	slt_metrics_close();
	slt_config_free(s->config);
	free(s);
}

struct slt_side *slt_service_side(const struct slt_service *s, const char *name)
{
	for (size_t i = 0; i < s->n_sides; i++) {
		if (strcmp(slt_side_name(s->side[i]), name) == 0) {
			return s->side[i];
		}
	}
	return NULL;
}

struct slt_sign_queue *slt_service_sign_queue(const struct slt_service *s,
					      const struct slt_side *side)
{
	for (size_t i = 0; i < s->n_sides; i++) {
		if (s->side[i] == side) {
			return s->sign[i];
		}
	}
	return NULL;
}
