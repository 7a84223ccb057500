/* SPDX-License-Identifier: MIT */
/* Body elements: the country's words for the pivot's, and back; and faults. */
#include "mappings/walk.h"

#include <string.h>

#define PAIRS_MAX 64

static bool is_name(const xmlNode *e, const struct slt_name *n)
{
	return n->local && slt_xml_is(e, n->uri, n->local);
}

static const struct slt_name_pair *by_national(const struct slt_flow_country *c, const xmlNode *e)
{
	for (size_t i = 0; i < c->n_names; i++) {
		if (is_name(e, &c->name[i].national)) {
			return &c->name[i];
		}
	}
	return NULL;
}

static const struct slt_name_pair *by_pivot(const struct slt_flow_country *c, const xmlNode *e)
{
	for (size_t i = 0; i < c->n_names; i++) {
		if (is_name(e, &c->name[i].pivot)) {
			return &c->name[i];
		}
	}
	return NULL;
}

static void refuse(struct slt_walk *w, const xmlNode *e, const char *attribute, const char *detail)
{
	const char *name =
		attribute ? slt_arena_printf(w->arena, "%s/@%s", (const char *)e->name, attribute)
			  : slt_arena_strdup(w->arena, (const char *)e->name);
	struct slt_map_problem p = {.field = "field.structure",
				    .rule = "names",
				    .place = slt_walk_place(w, attribute),
				    .found_code = name,
				    .detail = detail};

	slt_walk_say(w, "names", SLT_OUT_REFUSED, name, NULL, detail);
	slt_walk_problem(w, NULL, SLT_FED_STR_002, SLT_SEV_ERROR, &p);
}

/* --- values moving between attributes and text --- */

struct value {
	const char *name; /* NULL: the text */
	const char *value;
};

static bool has_elements(const xmlNode *e)
{
	return slt_xml_first(e) != NULL;
}

static size_t read_values(struct slt_walk *w, const xmlNode *e, struct value *v)
{
	size_t n = 0;

	for (const xmlAttr *a = e->properties; a && n < PAIRS_MAX; a = a->next) {
		v[n++] = (struct value){slt_arena_strdup(w->arena, (const char *)a->name),
					slt_path_value(w->arena, (const xmlNode *)(const void *)a)};
	}
	if (!has_elements(e) && n < PAIRS_MAX) {
		struct slt_str t = slt_str_trim(slt_str(slt_xml_text(w->arena, e)));
		if (t.n > 0) {
			v[n++] = (struct value){NULL, slt_arena_strndup(w->arena, t.p, t.n)};
		}
	}
	return n;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static const struct slt_attribute_pair *pair_of(const struct slt_name_pair *n, const char *name,
						bool national)
{
	for (size_t i = 0; i < n->n_attributes; i++) {
		if (same(national ? n->attribute[i].national : n->attribute[i].pivot, name)) {
			return &n->attribute[i];
		}
	}
	return NULL;
}

static void put(xmlNode *e, const char *name, const char *value)
{
	if (name) {
		slt_set_attr(e, name, value);
	} else {
		slt_set_text(e, value);
	}
}

static bool qualified(const xmlNode *e)
{
	for (const xmlAttr *a = e->properties; a; a = a->next) {
		if (a->ns) {
			return true;
		}
	}
	return false;
}

/* The same for the members of a JSON object, or of the objects of an array: these names hold in it
 * only. */
static void exchange_members(struct slt_walk *w, xmlNode *e, const struct slt_name_pair *pair,
			     bool in)
{
	for (xmlNode *n = slt_xml_first(e), *next; n; n = next) {
		const struct slt_attribute_pair *p = pair_of(pair, (const char *)n->name, in);
		next = slt_xml_next(n);
		if (slt_json_is_item(n)) {
			exchange_members(w, n, pair, in);
		} else if (p && in) {
			xmlNodeSetName(n, SLT_XML(p->pivot));
			slt_walk_note(w, n)->in_pivot = true;
		} else if (p) {
			xmlNodeSetName(n, SLT_XML(p->national));
			slt_walk_note(w, n)->in_target = true;
		} else if (!in && !slt_walk_note(w, n)->in_pivot && !by_pivot(w->to_flow, n)) {
			/* an operation made it */
			slt_walk_say(w, "names", SLT_OUT_DROPPED, (const char *)n->name, NULL,
				     "the receiving country has no word for this member");
			slt_walk_drop(w, n);
		}
	}
}

/* Takes attributes and text away and puts them under their new names. False when one has none. */
static bool exchange(struct slt_walk *w, xmlNode *e, const struct slt_name_pair *pair, bool in)
{
	if (w->json) {
		exchange_members(w, e, pair, in);
		return true;
	}
	struct value v[PAIRS_MAX];
	size_t n = read_values(w, e, v);
	bool good = !qualified(e);

	if (!good) {
		refuse(w, e, NULL, "attributes with a namespace have no counterpart");
	}
	for (size_t i = 0; i < n; i++) {
		const struct slt_attribute_pair *p = pair_of(pair, v[i].name, in);
		if (!p && (!v[i].name || strcmp(v[i].name, "href") == 0)) {
			continue; /* plain text and references to parts stay */
		}
		if (!p && in) {
			refuse(w, e, v[i].name, "the attribute is not known here");
			good = false;
			continue;
		}
		if (v[i].name) {
			slt_set_attr(e, v[i].name, NULL);
		} else {
			slt_set_text(e, "");
		}
		if (!p) {
			slt_walk_say(w, "names", SLT_OUT_DROPPED, v[i].name, NULL,
				     "the receiving country has no word for this attribute");
		}
	}
	for (size_t i = 0; i < n; i++) {
		const struct slt_attribute_pair *p = pair_of(pair, v[i].name, in);
		if (p) {
			put(e, in ? p->pivot : p->national, v[i].value);
		}
	}
	return good;
}

static void give_name(struct slt_walk *w, xmlNode *e, const struct slt_name *n)
{
	xmlNodeSetName(e, SLT_XML(n->local));
	xmlSetNs(e, slt_walk_ns(w, e, n->uri, n->prefix));
}

/* --- in and out --- */

bool slt_names_in(struct slt_walk *w, xmlNode *e)
{
	const struct slt_name_pair *pair = by_national(w->from_flow, e);

	/* what stands in an array has no name; some members got theirs with their object */
	if (w->json && (slt_json_is_item(e) || slt_walk_note(w, e)->in_pivot)) {
		return true;
	}
	if (!pair) {
		refuse(w, e, NULL, "the element is not known here");
		return false;
	}
	bool good = exchange(w, e, pair, true);
	if (w->json) {
		slt_walk_note(w, e)->in_pivot = true;
	}
	struct slt_trace_entry x = {.rule = "names",
				    .from = {.code = pair->national_text},
				    .pivot = {.code = pair->pivot_text},
				    .outcome = SLT_OUT_MAPPED};
	const struct slt_name_pair *to = NULL;
	give_name(w, e, &pair->pivot);
	to = by_pivot(w->to_flow, e);
	x.to.code = to ? to->national_text : NULL;
	slt_walk_trace(w, NULL, &x);
	return good;
}

static void out_below(struct slt_walk *w, xmlNode *parent, unsigned depth)
{
	xmlNode *next;

	for (xmlNode *e = slt_xml_first(parent); e && depth < SLT_WALK_DEPTH; e = next) {
		next = slt_xml_next(e);
		if (slt_flow_kind(w->flow, e)) {
			continue; /* a document of its own */
		}
		if (w->json && slt_json_is_item(e)) {
			out_below(w, e, depth + 1);
			continue;
		}
		if (w->json && slt_walk_note(w, e)->in_target) {
			continue;
		}
		const struct slt_name_pair *pair = by_pivot(w->to_flow, e);
		if (!pair) {
			refuse(w, e, NULL, "the receiving country has no word for this element");
			continue;
		}
		if (!exchange(w, e, pair, false)) {
			continue;
		}
		give_name(w, e, &pair->national);
		out_below(w, e, depth + 1);
	}
}

void slt_names_out(struct slt_walk *w, xmlNode *root, const char *service, bool response)
{
	const struct slt_service *s = slt_flow_service(w->to_flow, service);

	w->root = root;
	w->depth = 0;
	slt_buf_reset(&w->place);
	if (!s) {
		refuse(w, root, NULL, "the receiving country has no such service");
		return;
	}
	out_below(w, root, 0);
	if (w->json) {
		return; /* the document itself has no name */
	}
	const char *from = slt_arena_strdup(w->arena, (const char *)root->name);
	give_name(w, root, &s->element[response]);
	slt_walk_say(w, "services", SLT_OUT_MAPPED, from, s->element[response].local, NULL);
}

/* --- faults --- */

static const struct slt_fault_pair *fault_by(const struct slt_flow_country *c, const char *code,
					     const char *pivot)
{
	for (size_t i = 0; i < c->n_faults; i++) {
		const struct slt_fault_pair *f = &c->fault[i];
		if ((code && strcmp(f->code, code) == 0) ||
		    (pivot && strcmp(f->pivot, pivot) == 0)) {
			return f;
		}
	}
	return NULL;
}

static xmlNode *fault_child(const xmlNode *fault, const char *name)
{
	xmlNode *n = slt_xml_child(fault, NULL, name);

	return n ? n : slt_xml_child(fault, "http://schemas.xmlsoap.org/soap/envelope/", name);
}

/* The first prefix that is the country's own. */
static const struct slt_prefix *own_prefix(const struct slt_flow_country *c)
{
	return c->prefixes.n > c->n_common ? &c->prefixes.v[c->n_common] : NULL;
}

void slt_fault_map(struct slt_walk *w, xmlNode *fault)
{
	xmlNode *code = fault_child(fault, "faultcode");
	xmlNode *string = fault_child(fault, "faultstring");

	if (!code) {
		return;
	}
	struct slt_str raw = slt_str_trim(slt_str(slt_xml_text(w->arena, code)));
	const char *text = slt_arena_strndup(w->arena, raw.p, raw.n);
	const char *colon = strchr(text, ':');
	const struct slt_fault_pair *from = fault_by(w->from_flow, colon ? colon + 1 : text, NULL);
	const struct slt_fault_pair *to = from ? fault_by(w->to_flow, NULL, from->pivot) : NULL;
	const struct slt_prefix *prefix = own_prefix(w->to_flow);
	struct slt_trace_entry x = {.rule = "faults",
				    .from = {.code = text},
				    .pivot = {.code = from ? from->pivot : NULL},
				    .to = {.code = to ? to->code : text},
				    .outcome = to ? SLT_OUT_MAPPED : SLT_OUT_KEPT};

	slt_walk_trace(w, NULL, &x);
	if (!to || !prefix) {
		return;
	}
	w->root = fault;
	xmlNs *ns = slt_walk_ns(w, fault, prefix->uri, prefix->prefix);
	slt_set_text(code, slt_arena_printf(w->arena, "%s:%s",
					    ns->prefix ? (const char *)ns->prefix : "", to->code));
	if (string && to->text) {
		/* the sentence of the sender stays readable behind the translated one */
		slt_set_text(string, slt_arena_printf(w->arena, "%s [%s: %s]", to->text, text,
						      slt_xml_text(w->arena, string)));
	}
}
