/* SPDX-License-Identifier: MIT */
#include "offer.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "route.h"

struct description {
	struct slt_wsdl *wsdl;
	struct slt_openapi *openapi;
};

struct slt_offers {
	const struct slt_config *config;
	struct description *of; /* by index of the route */
};

/* --- reading ------------------------------------------------------------------------------ */

static bool read_wsdl(const char *path, struct slt_wsdl **ret, struct slt_err *err)
{
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;

	return slt_file_read(path, SLT_WSDL_BYTES_MAX, &text, &n, err) &&
	       (slt_wsdl_parse(text, n, ret, err) || slt_wrap(err, "%s", path));
}

static bool read_openapi(const char *path, struct slt_openapi **ret, struct slt_err *err)
{
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;

	return slt_file_read(path, SLT_OPENAPI_BYTES_MAX, &text, &n, err) &&
	       (slt_openapi_parse(text, n, ret, err) || slt_wrap(err, "%s", path));
}

static void read_descriptions(const struct slt_config_route *r, struct description *d,
			      struct slt_lint *problems)
{
	struct slt_err err = SLT_ERR_INIT, other = SLT_ERR_INIT;

	if (r->wsdl && !read_wsdl(r->wsdl, &d->wsdl, &err)) {
		slt_wrap(&err, "route %s: wsdl", r->name);
		slt_lint_add_err(problems, &err);
	}
	if (r->openapi && r->services.n != 1) {
		slt_fail(&other, SLT_ECONFIG,
			 "route %s: openapi describes one service: name it, and no other, in "
			 "services",
			 r->name);
		slt_lint_add_err(problems, &other);
	} else if (r->openapi && !read_openapi(r->openapi, &d->openapi, &other)) {
		slt_wrap(&other, "route %s: openapi", r->name);
		slt_lint_add_err(problems, &other);
	}
}

bool slt_offers_load(const struct slt_config *c, struct slt_lint *problems, struct slt_offers **ret,
		     struct slt_err *err)
{
	SLT_AUTO(slt_offers_free) struct slt_offers *o = slt_calloc(1, sizeof(*o));
	size_t before = problems->total;

	o->config = c;
	o->of = slt_calloc(c->n_routes + 1, sizeof(*o->of));
	for (size_t i = 0; i < c->n_routes; i++) {
		read_descriptions(&c->route[i], &o->of[i], problems);
	}
	if (problems->total > before) {
		return slt_fail(err, SLT_ECONFIG, "a description of services cannot be used");
	}
	*ret = SLT_TAKE(o);
	return true;
}

void slt_offers_free(struct slt_offers *o)
{
	if (o) {
		for (size_t i = 0; i < o->config->n_routes; i++) {
			slt_wsdl_free(o->of[i].wsdl);
			slt_openapi_free(o->of[i].openapi);
		}
		free(o->of);
		free(o);
	}
}

/* --- listing ------------------------------------------------------------------------------ */

struct listing {
	const struct slt_offers *offers;
	const struct slt_mapset *set;
	const struct slt_config_route *route;
	const struct description *of;
	struct slt_arena *arena;
	struct slt_offer_list list;
	size_t room;
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void append(struct listing *l, const struct slt_offer *o)
{
	for (size_t i = 0; i < l->list.n; i++) {
		const struct slt_id *known = &l->list.v[i].service;
		if (strcmp(known->service, o->service.service) == 0 &&
		    same(known->version, o->service.version)) {
			return;
		}
	}
	if (l->list.n == l->room) {
		size_t room = l->room ? 2 * l->room : 16;
		struct slt_offer *v = slt_arena_alloc(l->arena, room * sizeof(*v));
		if (l->list.n) {
			memcpy(v, l->list.v, l->list.n * sizeof(*v));
		}
		l->list.v = v;
		l->room = room;
	}
	l->list.v[l->list.n++] = *o;
}

/* A route says by its descriptions and its list `rest` what its services speak; one without a flow
 * that says nothing passes both. */
static void add(struct listing *l, const char *name, const char *version,
		const struct slt_map_offer *words)
{
	const struct slt_config_route *r = l->route;
	const struct slt_wsdl *w = l->of->wsdl;
	const struct slt_wsdl_operation *bound = w ? slt_wsdl_operation(w, name) : NULL;
	bool says_rest = r->n_rest > 0 || r->openapi, json = words && words->json;
	struct slt_offer o = {
		.route = r,
		.service = r->provider,
		.soap = w ? bound != NULL : !says_rest && !json,
		.rest = says_rest || json || (!words && !w),
		.wsdl = w,
		.openapi = l->of->openapi,
	};

	o.service.type = SLT_ID_SERVICE;
	o.service.service = name;
	o.service.version = words ? version : bound ? bound->version : NULL;
	if (words && !json) {
		o.words = *words;
	}
	append(l, &o);
}

static bool offered(const struct slt_config_route *r, const char *name)
{
	for (size_t i = 0; i < r->services.n; i++) {
		if (strcmp(r->services.v[i], name) == 0) {
			return true;
		}
	}
	return r->services.n == 0;
}

static void add_route(struct listing *l)
{
	const struct slt_config_route *r = l->route;
	const char *near = r->from_side->country, *far = r->to_side->country;
	const struct slt_wsdl_operation *bound;
	struct slt_map_offer words;

	if (!slt_route_is_plain(r)) {
		for (size_t i = 0; slt_mapset_offer_at(l->set, r->flow, near, far, i, &words);
		     i++) {
			if (offered(r, words.name)) {
				add(l, words.name, words.version, &words);
			}
		}
		return;
	}
	for (size_t i = 0; i < r->services.n; i++) {
		add(l, r->services.v[i], NULL, NULL);
	}
	for (size_t i = 0; l->of->wsdl && r->services.n == 0 &&
			   (bound = slt_wsdl_operation_at(l->of->wsdl, i)) != NULL;
	     i++) {
		add(l, bound->name, NULL, NULL);
	}
}

struct slt_offer_list slt_offers_list(const struct slt_offers *o, const struct slt_mapset *set,
				      const struct slt_config_side *side,
				      const struct slt_id *provider, struct slt_arena *a)
{
	struct listing l = {.offers = o, .set = set, .arena = a};

	for (size_t i = 0; i < o->config->n_routes; i++) {
		l.route = &o->config->route[i];
		l.of = &o->of[i];
		if (l.route->from_side == side && slt_id_eq(&l.route->provider, provider)) {
			add_route(&l);
		}
	}
	return l.list;
}

/* --- checking ----------------------------------------------------------------------------- */

void slt_offers_check(const struct slt_offers *o, const struct slt_mapset *set,
		      struct slt_lint *problems)
{
	for (size_t i = 0; i < o->config->n_routes; i++) {
		SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
		struct slt_err err = SLT_ERR_INIT;
		struct listing l = {.offers = o, .set = set, .arena = a};
		l.route = &o->config->route[i];
		l.of = &o->of[i];
		add_route(&l);
		for (size_t k = 0; k < l.list.n; k++) {
			const struct slt_offer *v = &l.list.v[k];
			if (!v->soap && !v->rest) {
				slt_fail(&err, SLT_ECONFIG,
					 "route %s: %s has no operation %s, which the route offers",
					 l.route->name, l.route->wsdl, v->service.service);
				slt_lint_add_err(problems, &err);
			}
		}
	}
}

/* --- describing --------------------------------------------------------------------------- */

bool slt_offer_wsdl(const struct slt_offer_list *list, const struct slt_offer *offer,
		    struct slt_buf *out, struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_wsdl_operation *keep = slt_arena_alloc(a, list->n * sizeof(*keep));
	struct slt_wsdl_service *derived = slt_arena_alloc(a, list->n * sizeof(*derived));
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct slt_offer *v = &list->v[i];
		if (v->route != offer->route || !v->soap) {
			continue;
		}
		keep[n] = (struct slt_wsdl_operation){v->service.service, v->service.version};
		derived[n].operation = keep[n];
		for (int w = 0; w < 2; w++) {
			derived[n].uri[w] = v->words.uri[w];
			derived[n].element[w] = v->words.element[w];
		}
		n++;
	}
	return offer->wsdl ? slt_wsdl_write(offer->wsdl, keep, n, out, err)
			   : slt_wsdl_derive("silta", derived, n, out, err);
}
