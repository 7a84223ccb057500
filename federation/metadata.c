/* SPDX-License-Identifier: MIT */
#include "federation/metadata.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "federation/wsdl.h"

/* --- services ----------------------------------------------------------------------------- */

void slt_metadata_methods_xml(xmlNode *parent, const char *name, const struct slt_method *v,
			      size_t n)
{
	xmlNode *list = xmlNewDocNode(parent->doc, NULL, SLT_XML(name), NULL);

	slt_assert(list);
	xmlAddChild(parent, list);
	xmlNs *ns = xmlNewNs(list, SLT_XML(SLT_NS_XROAD), SLT_XML("xroad"));
	xmlNewNs(list, SLT_XML(SLT_NS_ID), SLT_XML("id"));
	xmlSetNs(list, ns);
	for (size_t i = 0; i < n; i++) {
		slt_id_to_xml(&v[i].id, xmlNewChild(list, ns, SLT_XML("service"), NULL));
	}
}

static void add_member(struct slt_buf *out, const char *name, const char *value)
{
	if (value) {
		slt_buf_addf(out, "%s\"%s\":", out->p[out->n - 1] == '{' ? "" : ",", name);
		slt_buf_add_json(out, value);
	}
}

static void add_id(struct slt_buf *out, const char *type, const struct slt_id *id)
{
	add_member(out, "object_type", type);
	add_member(out, "xroad_instance", id->instance);
	add_member(out, "member_class", id->member_class);
	add_member(out, "member_code", id->member_code);
	add_member(out, "subsystem_code", id->subsystem);
}

void slt_metadata_methods_json(const struct slt_method *v, size_t n, struct slt_buf *out)
{
	slt_buf_adds(out, "{\"service\":[");
	for (size_t i = 0; i < n; i++) {
		slt_buf_adds(out, i ? ",{" : "{");
		add_id(out, "SERVICE", &v[i].id);
		add_member(out, "service_code", v[i].id.service);
		add_member(out, "service_type", v[i].described ? "OPENAPI" : "REST");
		slt_buf_adds(out, ",\"endpoint_list\":[");
		for (size_t k = 0; k < v[i].n_endpoints; k++) {
			slt_buf_adds(out, k ? ",{" : "{");
			add_member(out, "method", v[i].endpoint[k].method);
			add_member(out, "path", v[i].endpoint[k].path);
			slt_buf_addc(out, '}');
		}
		slt_buf_adds(out, "]}");
	}
	slt_buf_adds(out, "]}");
}

/* --- clients ------------------------------------------------------------------------------ */

/* A subsystem is listed under its member's name, and its own beside it where it has one. */
struct listed {
	const struct slt_gc_client *client;
	const char *member, *subsystem; /* names or NULL */
};

static bool next_client(const struct slt_gc_instance *in, struct listed *l)
{
	l->client = slt_gc_instance_next_client(in, l->client);
	if (!l->client) {
		return false;
	}
	bool subsystem = l->client->id.type == SLT_ID_SUBSYSTEM;
	l->subsystem = subsystem ? l->client->name : NULL;
	if (!subsystem) {
		l->member = l->client->name;
	}
	return true;
}

static void add_element(struct slt_buf *out, const char *name, const char *value)
{
	if (value) {
		slt_buf_addf(out, "<%s>", name);
		slt_buf_add_xml(out, value);
		slt_buf_addf(out, "</%s>", name);
	}
}

static const char *type_of(const struct slt_id *id)
{
	return id->type == SLT_ID_SUBSYSTEM ? "SUBSYSTEM" : "MEMBER";
}

static void clients_xml(const struct slt_gc_instance *in, struct slt_buf *out)
{
	struct listed l = {0};

	slt_buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xroad:clientList "
			  "xmlns:xroad=\"" SLT_NS_XROAD "\" xmlns:id=\"" SLT_NS_ID "\">");
	while (next_client(in, &l)) {
		const struct slt_id *id = &l.client->id;
		slt_buf_addf(out, "<xroad:member><xroad:id id:objectType=\"%s\">", type_of(id));
		add_element(out, "id:xRoadInstance", id->instance);
		add_element(out, "id:memberClass", id->member_class);
		add_element(out, "id:memberCode", id->member_code);
		add_element(out, "id:subsystemCode", id->subsystem);
		slt_buf_adds(out, "</xroad:id>");
		add_element(out, "xroad:name", l.member);
		add_element(out, "xroad:subsystemName", l.subsystem);
		slt_buf_adds(out, "</xroad:member>");
	}
	slt_buf_adds(out, "</xroad:clientList>");
}

static void clients_json(const struct slt_gc_instance *in, struct slt_buf *out)
{
	struct listed l = {0};

	slt_buf_adds(out, "{\"member\":[");
	for (bool first = true; next_client(in, &l); first = false) {
		slt_buf_adds(out, first ? "{\"id\":{" : ",{\"id\":{");
		add_id(out, type_of(&l.client->id), &l.client->id);
		slt_buf_addc(out, '}');
		add_member(out, "name", l.member);
		add_member(out, "subsystem_name", l.subsystem);
		slt_buf_addc(out, '}');
	}
	slt_buf_adds(out, "]}");
}

bool slt_metadata_clients(const struct slt_globalconf *gc, const char *instance, bool json,
			  struct slt_buf *out, struct slt_err *err)
{
	const struct slt_gc_instance *in = instance ? slt_globalconf_instance(gc, instance)
						    : slt_globalconf_instance_at(gc, 0);

	if (!in) {
		return slt_fail(err, SLT_EINVALID_REQUEST, "there is no instance %.100s here",
				instance ? instance : "");
	}
	if (json) {
		clients_json(in, out);
	} else {
		clients_xml(in, out);
	}
	return slt_buf_check(out, "the list of clients", err);
}

bool slt_metadata_wants_json(const char *accept)
{
	static const char type[] = "application/json";

	for (const char *p = accept; p && *p;) {
		p += strspn(p, ", \t");
		size_t n = strcspn(p, ",; \t");
		if (n == sizeof(type) - 1 && strncasecmp(p, type, n) == 0) {
			return true;
		}
		p += strcspn(p, ",");
	}
	return false;
}

/* --- OpenAPI ------------------------------------------------------------------------------ */

static const char *const http_methods[] = {"get",     "put",  "post",  "delete",
					   "options", "head", "patch", "trace"};

/* An object may name servers of its own: the description, a path, an operation. */
static void hide_servers(json_t *object)
{
	if (json_object_get(object, "servers")) {
		json_object_set_new(object, "servers",
				    json_pack("[{s:s}]", "url", SLT_WSDL_ADDRESS));
	}
}

/* "/a/{id}/b" is "/a/" "*" "/b" to X-Road. */
static const char *pattern_of(struct slt_arena *a, const char *path)
{
	char *ret = slt_arena_strdup(a, path), *to = ret;

	for (const char *p = path; *p; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;
		*to++ = end ? '*' : *p;
		p = end ? end : p;
	}
	*to = '\0';
	return ret;
}

static const char *upper(struct slt_arena *a, const char *s)
{
	char *ret = slt_arena_strdup(a, s);

	for (char *p = ret; *p; p++) {
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	}
	return ret;
}

static void read_path(struct slt_openapi *o, const char *path, json_t *item)
{
	const char *key;
	json_t *operation;

	hide_servers(item);
	json_object_foreach(item, key, operation)
	{
		for (size_t i = 0; i < SLT_COUNT(http_methods); i++) {
			if (strcmp(http_methods[i], key) == 0) {
				hide_servers(operation);
				o->endpoint[o->n_endpoints++] = (struct slt_endpoint){
					upper(o->arena, key), pattern_of(o->arena, path)};
			}
		}
	}
}

static bool read_paths(struct slt_openapi *o, json_t *root, struct slt_err *err)
{
	json_t *paths = json_object_get(root, "paths"), *item;
	const char *version = json_string_value(json_object_get(root, "openapi"));
	const char *path;

	if (!version || strncmp(version, "3.", 2) != 0) {
		return slt_fail(err, SLT_EINVAL,
				"this is no OpenAPI 3 description: \"openapi\" is not 3.…");
	}
	if (!json_is_object(paths)) {
		return slt_fail(err, SLT_EINVAL, "the OpenAPI description has no paths");
	}
	o->endpoint =
		slt_arena_alloc(o->arena, (json_object_size(paths) + 1) * SLT_COUNT(http_methods) *
						  sizeof(*o->endpoint));
	json_object_foreach(paths, path, item)
	{
		if (path[0] != '/' || !json_is_object(item)) {
			return slt_fail(err, SLT_EINVAL,
					"the path \"%.100s\" does not begin with / or is no object",
					path);
		}
		read_path(o, path, item);
	}
	/* callers know the service by its identifier only: an address is said in any case */
	json_object_set_new(root, "servers", json_pack("[{s:s}]", "url", SLT_WSDL_ADDRESS));
	return true;
}

bool slt_openapi_parse(const char *p, size_t n, struct slt_openapi **ret, struct slt_err *err)
{
	SLT_AUTO(slt_openapi_free) struct slt_openapi *o = slt_calloc(1, sizeof(*o));
	json_error_t why;

	o->arena = slt_arena_new();
	if (n > SLT_OPENAPI_BYTES_MAX) {
		return slt_fail(err, SLT_ELIMIT, "the OpenAPI description is longer than %u bytes",
				SLT_OPENAPI_BYTES_MAX);
	}
	json_t *root = json_loadb(p, n, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(root)) {
		json_decref(root);
		return slt_fail(
			err, SLT_EINVAL,
			"the OpenAPI description is not a JSON object (line %d: %s): one in "
			"YAML must be converted",
			why.line, why.text);
	}
	bool good = read_paths(o, root, err);
	if (good) {
		o->text = json_dumps(root, JSON_COMPACT);
		slt_assert(o->text);
		o->n = strlen(o->text);
	}
	json_decref(root);
	if (good) {
		*ret = SLT_TAKE(o);
	}
	return good;
}

void slt_openapi_free(struct slt_openapi *o)
{
	if (o) {
		free(o->text);
		slt_arena_free(o->arena);
		free(o);
	}
}
