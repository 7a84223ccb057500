/* SPDX-License-Identifier: MIT */
#include "meta.h"

#include <string.h>

static const struct metaservice {
	const char *code;
	enum slt_meta meta;
	bool soap, rest;
} metaservices[] = {
	{"listMethods", SLT_META_LIST_METHODS, true, true},
	{"allowedMethods", SLT_META_ALLOWED_METHODS, true, true},
	{"getWsdl", SLT_META_GET_WSDL, true, false},
	{"getOpenAPI", SLT_META_GET_OPENAPI, false, true},
};

static const struct metaservice *find(const char *code)
{
	for (size_t i = 0; i < SLT_COUNT(metaservices); i++) {
		if (strcmp(metaservices[i].code, code) == 0) {
			return &metaservices[i];
		}
	}
	return NULL;
}

enum slt_meta slt_meta_soap(const char *service)
{
	const struct metaservice *m = find(service);

	return m && m->soap ? m->meta : SLT_META_NONE;
}

enum slt_meta slt_meta_rest(const char *verb, const char *service)
{
	const struct metaservice *m = strcmp(verb, "GET") == 0 ? find(service) : NULL;

	return m && m->rest ? m->meta : SLT_META_NONE;
}

/* --- what there is ------------------------------------------------------------------------ */

static struct slt_id provider_of(const struct slt_exchange *x)
{
	return slt_id_client(&x->named[SLT_NEAR].service);
}

static struct slt_offer_list offers(const struct slt_exchange *x)
{
	struct slt_id provider = provider_of(x);

	return slt_offers_list(x->service->offers, x->mapset, slt_side_config(x->side[SLT_NEAR]),
			       &provider, x->arena);
}

static bool may_call(const struct slt_exchange *x, const struct slt_offer *o)
{
	const struct slt_call_route route = {.config = o->route};
	struct slt_err ignored = SLT_ERR_INIT;

	return slt_route_authorise(&route, x->gc[SLT_NEAR], &x->named[SLT_NEAR].client, &ignored);
}

/* A rule of the route stands before what a description says of paths. */
static struct slt_method method_of(const struct slt_exchange *x, const struct slt_offer *o)
{
	const struct slt_config_route *r = o->route;
	struct slt_method m = {.id = o->service, .described = o->openapi != NULL};
	struct slt_endpoint *e = slt_arena_alloc(x->arena, (r->n_rest + 1) * sizeof(*e));

	for (size_t i = 0; i < r->n_rest; i++) {
		e[i] = (struct slt_endpoint){r->rest[i].method, r->rest[i].path};
	}
	m.endpoint = e;
	m.n_endpoints = r->n_rest;
	if (r->n_rest == 0 && o->openapi) {
		m.endpoint = o->openapi->endpoint;
		m.n_endpoints = o->openapi->n_endpoints;
	}
	return m;
}

static size_t methods(const struct slt_exchange *x, bool rest, struct slt_method **ret)
{
	struct slt_offer_list all = offers(x);
	struct slt_method *v = slt_arena_alloc(x->arena, (all.n + 1) * sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++) {
		const struct slt_offer *o = &all.v[i];
		if ((rest ? o->rest : o->soap) &&
		    (x->meta == SLT_META_LIST_METHODS || may_call(x, o))) {
			v[n++] = method_of(x, o);
		}
	}
	*ret = v;
	return n;
}

/* --- SOAP --------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Which service's description is asked for. */
static const struct slt_offer *wanted_offer(const struct slt_offer_list *all, const char *code,
					    const char *version)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct slt_id *id = &all->v[i].service;
		if (strcmp(id->service, code) == 0 && same(id->version, version)) {
			return &all->v[i];
		}
	}
	return NULL;
}

static bool get_wsdl(struct slt_exchange *x, xmlNode *answer, struct slt_buf *wsdl,
		     struct slt_err *err)
{
	static const char *const fields[] = {"serviceCode", "serviceVersion"};
	const xmlNode *asked = x->soap_in->body_child;
	const char *value[2];

	for (int i = 0; i < 2; i++) {
		const xmlNode *n = slt_xml_child(asked, SLT_NS_XROAD, fields[i]);
		value[i] = slt_xml_text(x->arena, n);
		if (value[i]) {
			xmlNewTextChild(answer, answer->ns, SLT_XML(fields[i]), SLT_XML(value[i]));
		}
	}
	if (!value[0] || !*value[0]) {
		return slt_fail(err, SLT_EINVALID_REQUEST,
				"the request says no serviceCode in its body");
	}
	struct slt_offer_list all = offers(x);
	const struct slt_offer *o = wanted_offer(&all, value[0], value[1]);
	if (!o) {
		return slt_fail(err, SLT_EUNKNOWN_SERVICE,
				"there is no service %.100s%s%.100s here", value[0],
				value[1] ? " " : "", value[1] ? value[1] : "");
	}
	if (!o->soap) {
		return slt_fail(err, SLT_ESERVICE_TYPE,
				"service %.100s is one of REST: ask for its description with "
				"getOpenAPI",
				value[0]);
	}
	return slt_offer_wsdl(&all, o, wsdl, err);
}

bool slt_meta_soap_answer(struct slt_exchange *x, xmlNode *body, struct slt_buf *wsdl,
			  struct slt_err *err)
{
	struct slt_method *v = NULL;

	if (x->meta != SLT_META_GET_WSDL) {
		size_t n = methods(x, false, &v);
		bool all = x->meta == SLT_META_LIST_METHODS;
		slt_metadata_methods_xml(
			body, all ? "listMethodsResponse" : "allowedMethodsResponse", v, n);
		return true;
	}
	xmlNode *answer = xmlNewDocNode(body->doc, NULL, SLT_XML("getWsdlResponse"), NULL);
	slt_assert(answer);
	xmlAddChild(body, answer);
	xmlSetNs(answer, xmlNewNs(answer, SLT_XML(SLT_NS_XROAD), SLT_XML("xroad")));
	return get_wsdl(x, answer, wsdl, err);
}

/* --- REST --------------------------------------------------------------------------------- */

static bool get_openapi(struct slt_exchange *x, struct slt_buf *out, struct slt_err *err)
{
	const char *code = slt_rest_query_value(x->rest_in->query, "serviceCode", x->arena);
	struct slt_offer_list all = offers(x);

	if (!code || !*code) {
		return slt_fail(err, SLT_EINVALID_REQUEST,
				"the query says no serviceCode: getOpenAPI?serviceCode=…");
	}
	for (size_t i = 0; i < all.n; i++) {
		const struct slt_offer *o = &all.v[i];
		if (o->rest && o->openapi && strcmp(o->service.service, code) == 0) {
			slt_buf_add(out, o->openapi->text, o->openapi->n);
			return slt_buf_check(out, "the OpenAPI description", err);
		}
	}
	return slt_fail(err, SLT_EINTERNAL,
			"there is no service %.100s here that has an OpenAPI description", code);
}

bool slt_meta_rest_answer(struct slt_exchange *x, struct slt_buf *out, struct slt_err *err)
{
	struct slt_method *v = NULL;

	if (x->meta == SLT_META_GET_OPENAPI) {
		return get_openapi(x, out, err);
	}
	size_t n = methods(x, true, &v);
	slt_metadata_methods_json(v, n, out);
	return slt_buf_check(out, "the list of services", err);
}
