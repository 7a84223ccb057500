/* SPDX-License-Identifier: MIT */
#include "route.h"

#include <string.h>

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool listed(const struct slt_conf_strings *list, const char *word)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i], word) == 0) {
			return true;
		}
	}
	return false;
}

static const char *country(const struct slt_service *s, const struct slt_config_side *side)
{
	const char *environment;

	return side->country ? side->country
			     : slt_mapset_country(s->mapset, side->name, &environment);
}

/* Does the flow know the service by this name and version on the near side? */
static bool resolve(const struct slt_service *s, const struct slt_config_route *r,
		    const struct slt_id *service, struct slt_arena *a, struct slt_call_route *ret)
{
	const char *near = country(s, r->from_side), *far = country(s, r->to_side);
	struct slt_map_service there, here;
	struct slt_err ignored = SLT_ERR_INIT;

	if (!slt_mapset_service(s->mapset, r->flow, near, far, service->service, &there,
				&ignored) ||
	    !slt_mapset_service(s->mapset, r->flow, far, near, there.name, &here, &ignored) ||
	    !same(here.version, service->version)) {
		return false;
	}
	ret->config = r;
	ret->word = there.id;
	ret->once = listed(&r->once, service->service);
	ret->target = slt_id_dup(&r->target, a);
	ret->target.type = SLT_ID_SERVICE;
	ret->target.service = slt_arena_strdup(a, there.name);
	ret->target.version = slt_arena_strdup(a, there.version);
	return true;
}

bool slt_route_find(const struct slt_service *s, const struct slt_side *near,
		    const struct slt_id *service, struct slt_arena *a, struct slt_call_route *ret,
		    struct slt_err *err)
{
	struct slt_id provider = slt_id_client(service);

	for (size_t i = 0; i < s->config->n_routes; i++) {
		const struct slt_config_route *r = &s->config->route[i];
		if (r->from_side == slt_side_config(near) && slt_id_eq(&provider, &r->provider) &&
		    (r->services.n == 0 || listed(&r->services, service->service)) &&
		    resolve(s, r, service, a, ret)) {
			return true;
		}
	}
	return slt_fail(err, SLT_EUNKNOWN_SERVICE, "there is no service %s here",
			slt_id_text(service, a));
}

bool slt_route_authorise(const struct slt_call_route *r, const struct slt_globalconf *gc,
			 const struct slt_id *client, struct slt_err *err)
{
	for (size_t i = 0; i < r->config->n_allowed; i++) {
		const struct slt_id *id = &r->config->allowed[i];
		bool yes = id->type == SLT_ID_GLOBALGROUP ? slt_globalconf_in_group(gc, client, id)
			   : id->type == SLT_ID_MEMBER	  ? slt_id_same_member(client, id)
							  : slt_id_eq(client, id);
		if (yes) {
			return true;
		}
	}
	return slt_fail(err, SLT_EACCESS_DENIED,
			"client %s/%s/%s%s%s may not call the services of route %s: the bridge's "
			"operator can allow it",
			client->instance, client->member_class, client->member_code,
			client->subsystem ? "/" : "", client->subsystem ? client->subsystem : "",
			r->config->name);
}
