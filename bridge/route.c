/* SPDX-License-Identifier: MIT */
#include "route.h"

#include <string.h>

#include "federation/rest.h"

#include "exchange.h"

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

bool slt_route_is_plain(const struct slt_config_route *r)
{
	return strcmp(r->flow, SLT_FLOW_NONE) == 0;
}

/* Without a flow a service has the same name everywhere. */
static void resolve_plain(const struct slt_config_route *r, const struct slt_id *service,
			  struct slt_arena *a, struct slt_call_route *ret)
{
	ret->config = r;
	ret->word = slt_arena_strdup(a, service->service);
	ret->once = listed(&r->once, service->service);
	ret->target = slt_id_dup(&r->target, a);
	ret->target.type = SLT_ID_SERVICE;
	ret->target.service = ret->word;
	ret->target.version = slt_arena_strdup(a, service->version);
}

/* Does the flow know the service by this name and version on the near side? */
static bool resolve(const struct slt_exchange *x, const struct slt_config_route *r,
		    const struct slt_id *service, struct slt_call_route *ret)
{
	const char *near = r->from_side->country, *far = r->to_side->country;
	bool rest = x->rest_in != NULL; /* whose services have no version */
	struct slt_map_service there, here;
	struct slt_err ignored = SLT_ERR_INIT;

	if (slt_route_is_plain(r)) {
		resolve_plain(r, service, x->arena, ret);
		return true;
	}
	if (!slt_mapset_service(x->mapset, r->flow, near, far, service->service, &there,
				&ignored) ||
	    !slt_mapset_service(x->mapset, r->flow, far, near, there.name, &here, &ignored) ||
	    (!rest && !same(here.version, service->version))) {
		return false;
	}
	ret->config = r;
	ret->word = there.id;
	ret->once = listed(&r->once, service->service);
	ret->target = slt_id_dup(&r->target, x->arena);
	ret->target.type = SLT_ID_SERVICE;
	ret->target.service = slt_arena_strdup(x->arena, there.name);
	ret->target.version = rest ? NULL : slt_arena_strdup(x->arena, there.version);
	return true;
}

bool slt_route_check_provider(const struct slt_exchange *x, const struct slt_id *service,
			      struct slt_err *err)
{
	const struct slt_config *c = x->service->config;
	const struct slt_config_side *near = slt_side_config(x->side[SLT_NEAR]);
	struct slt_id provider = slt_id_client(service);
	bool known = slt_id_eq(&near->subsystem, &provider);

	for (size_t i = 0; i < c->n_routes && !known; i++) {
		known = c->route[i].from_side == near &&
			slt_id_eq(&c->route[i].provider, &provider);
	}
	return known || slt_fail(err, SLT_EUNKNOWN_MEMBER, "there is no provider %s here",
				 slt_id_text(&provider, x->arena));
}

bool slt_route_find(const struct slt_exchange *x, const struct slt_id *service,
		    struct slt_call_route *ret, struct slt_err *err)
{
	const struct slt_config *c = x->service->config;
	const struct slt_config_side *near = slt_side_config(x->side[SLT_NEAR]);
	struct slt_id provider = slt_id_client(service);

	for (size_t i = 0; i < c->n_routes; i++) {
		const struct slt_config_route *r = &c->route[i];
		if (r->from_side == near && slt_id_eq(&provider, &r->provider) &&
		    (r->services.n == 0 || listed(&r->services, service->service)) &&
		    resolve(x, r, service, ret)) {
			return true;
		}
	}
	return slt_route_check_provider(x, service, err) &&
	       slt_fail(err, SLT_EUNKNOWN_SERVICE, "there is no service %s here",
			slt_id_text(service, x->arena));
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

bool slt_route_authorise_rest(const struct slt_call_route *r, const char *method,
			      const char *service_path, struct slt_err *err)
{
	const struct slt_config_route *c = r->config;

	if (!slt_rest_check_path(service_path, c->n_rest > 0, err)) {
		return false;
	}
	for (size_t i = 0; i < c->n_rest; i++) {
		if ((strcmp(c->rest[i].method, "*") == 0 ||
		     strcmp(c->rest[i].method, method) == 0) &&
		    slt_rest_path_fits(service_path, c->rest[i].path)) {
			return true;
		}
	}
	return c->n_rest == 0 || slt_fail(err, SLT_EACCESS_DENIED,
					  "route %s does not offer this method and path: the "
					  "bridge's operator can allow it",
					  c->name);
}
