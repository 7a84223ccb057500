/* SPDX-License-Identifier: MIT */
/* Calls: path and query of a REST request as a small document, and back. */
#include "mappings/mapset.h"

#include <string.h>

/* --- in --- */

static void add_values(const struct slt_call_values *v, struct slt_buf *json)
{
	slt_buf_addc(json, '{');
	for (size_t i = 0; i < v->n; i++) {
		slt_buf_adds(json, i ? "," : "");
		slt_buf_add_json(json, v->v[i].name);
		slt_buf_addc(json, ':');
		slt_buf_add_json(json, v->v[i].value);
	}
	slt_buf_addc(json, '}');
}

bool slt_call_begin(struct slt_walk *w, xmlDoc **ret_doc, struct slt_err *err)
{
	const struct slt_map_input *in = w->in;
	const struct slt_service *from = slt_service_named(w, in->service);
	const struct slt_service *to = from ? slt_flow_service(w->to_flow, from->id) : NULL;
	const char *path = slt_arena_strndup(w->arena, in->body.p, in->body.n);
	char *mark = strchr(path, '?');
	struct slt_call_values values = {.n = 0};
	SLT_AUTO_BUF(json, SLT_JSON_BYTES);
	size_t i = 0, n = from && to && in->message == SLT_MAP_REQUEST ? from->n_calls : 0;

	if (mark) {
		*mark++ = '\0';
	}
	while (i < n && !slt_call_read(&from->call[i], path, mark, w->arena, &values)) {
		i++;
	}
	if (i == n || i >= to->n_calls ||
	    strlen(path) + (mark ? strlen(mark) + 1 : 0) != in->body.n) {
		slt_walk_unknown(w, NULL, "the path and query are no call of this service");
		return true;
	}
	w->call = &to->call[i];
	add_values(&values, &json);
	return slt_json_parse(slt_buf_str(&json), "call", ret_doc, err);
}

/* --- out --- */

bool slt_call_end(struct slt_walk *w, xmlDoc *doc, struct slt_arena *a, const char **ret,
		  struct slt_err *err)
{
	struct slt_call_values v = {.n = 0};
	SLT_AUTO_BUF(path, 16 * SLT_CALL_BYTES);
	SLT_AUTO_BUF(query, 16 * SLT_CALL_BYTES);
	bool has_query;

	for (xmlNode *n = slt_xml_first(xmlDocGetRootElement(doc)); n; n = slt_xml_next(n)) {
		const char *text = slt_json_leaf(w, n);
		if (!text || v.n == SLT_CALL_PARTS) {
			return slt_fail(err, SLT_FED_STR_002, "%.64s is no value of a call",
					(const char *)n->name);
		}
		v.v[v.n].name = (const char *)n->name;
		v.v[v.n++].value = text;
	}
	if (!slt_call_write(w->call, &v, &path, &query, &has_query, err) ||
	    !slt_buf_check(&path, "the call's path", err) ||
	    !slt_buf_check(&query, "the call's query", err)) {
		return false;
	}
	struct slt_str p = slt_buf_str(&path), q = slt_buf_str(&query);
	*ret = slt_arena_printf(a, "%.*s%s%.*s", (int)p.n, p.p, has_query ? "?" : "", (int)q.n,
				q.p);
	return true;
}

bool slt_mapset_calls(const struct slt_mapset *s, const char *flow, const char *service)
{
	const struct slt_flow *f = slt_mapset_find_flow(s, flow, NULL);

	for (size_t i = 0; f && i < f->n_countries; i++) {
		const struct slt_flow_country *c = &f->country[i];
		for (size_t k = 0; k < c->n_services; k++) {
			if (strcmp(c->service[k].name, service) == 0 && c->service[k].n_calls > 0) {
				return true;
			}
		}
	}
	return false;
}
