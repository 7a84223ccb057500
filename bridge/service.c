/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"

/* Which country's tables each side speaks; and that no test instance is joined to a real one. */
static bool resolve_countries(struct slt_service *s, struct slt_err *err)
{
	const char *first = NULL;

	for (size_t i = 0; i < s->config->n_sides; i++) {
		struct slt_config_side *c = &s->config->side[i];
		const char *environment = NULL;
		const char *known = slt_mapset_country(s->mapset, c->name, &environment);
		if (!known && !c->country) {
			return slt_fail(
				err, SLT_ECONFIG,
				"no country.conf in %s lists instance %s: name its country in "
				"the side's \"country\"",
				s->config->mappings, c->name);
		}
		if (known && c->country && strcmp(known, c->country) != 0) {
			return slt_fail(
				err, SLT_ECONFIG,
				"side %s says country %s, but %s lists the instance under %s",
				c->name, c->country, s->config->mappings, known);
		}
		if (known && first && strcmp(first, environment) != 0) {
			return slt_fail(
				err, SLT_ECONFIG,
				"instance %s is a %s instance, another side is %s: they must "
				"not be joined",
				c->name, environment, first);
		}
		c->country = c->country ? c->country : known;
		first = known ? environment : first;
	}
	return true;
}

static bool check_routes(struct slt_service *s, struct slt_err *err)
{
	for (size_t i = 0; i < s->config->n_routes; i++) {
		const struct slt_config_route *r = &s->config->route[i];
		if (!slt_mapset_in_force(s->mapset, r->from_side->country, r->to_side->country,
					 slt_now_ms(), err)) {
			return slt_wrap(err, "route %s", r->name);
		}
		struct slt_map_service there;
		for (size_t k = 0; k < r->services.n; k++) {
			if (!slt_mapset_service(s->mapset, r->flow, r->from_side->country,
						r->to_side->country, r->services.v[k], &there,
						err)) {
				return slt_wrap(err, "route %s", r->name);
			}
		}
	}
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

bool slt_service_open(struct slt_config *take_config, struct slt_service **ret, struct slt_err *err)
{
	SLT_AUTO(slt_service_close) struct slt_service *s = slt_calloc(1, sizeof(*s));
	struct slt_config *c = s->config = take_config;

	slt_log_init((enum slt_level)c->log_level, c->log_json);
	slt_xml_init();
	if (!slt_mkdir_p(c->state, 0700, err) || !slt_mapset_load(c->mappings, &s->mapset, err) ||
	    !resolve_countries(s, err) || !check_routes(s, err) || !open_sides(s, err)) {
		return false;
	}
	struct slt_msglog_options log = {.path = c->log};
	if (!slt_msglog_open(&log, &s->log, err)) {
		return slt_wrap(err, "message log");
	}
	if (!slt_msglog_recover(s->log, recover, s, err) ||
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
	slt_pool_free(s->pool);
	slt_msglog_close(s->log);
	for (size_t i = 0; i < s->n_sides; i++) {
		slt_side_free(s->side[i]);
	}
	slt_mapset_free(s->mapset);
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
