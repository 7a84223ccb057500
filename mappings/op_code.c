/* SPDX-License-Identifier: MIT */
/* Codes: elements with code, codeSystem and displayName. */
#include "mappings/walk.h"

#include <string.h>

void slt_rule_lookup(struct slt_walk *w, const struct slt_rule *r, struct slt_lookup *ret)
{
	*ret = (struct slt_lookup){
		.from = slt_country_list(w->from, r->table),
		.pivot = slt_country_list(w->pivot, r->table),
		.to = slt_country_list(w->to, r->table),
		.from_language = slt_country_language(w->from),
		.to_language = slt_country_language(w->to),
		.date = w->date,
		.good = r->good,
		.assume = r->assume,
		.fields = &w->fields,
	};
}

enum slt_code slt_lookup_error(const struct slt_rule *r, enum slt_lookup_status s)
{
	if (r->error != SLT_OK) {
		return r->error;
	}
	switch (s) {
	case SLT_LOOKUP_NOT_GOOD:
		return SLT_FED_MAP_002;
	case SLT_LOOKUP_AMBIGUOUS:
		return SLT_FED_MAP_003;
	case SLT_LOOKUP_NOT_IN_SET:
		return SLT_FED_MAP_004;
	case SLT_LOOKUP_FOUND:
	case SLT_LOOKUP_UNKNOWN_SYSTEM:
	case SLT_LOOKUP_UNKNOWN_CODE:
	case SLT_LOOKUP_NO_TARGET:
		break;
	}
	return SLT_FED_MAP_001;
}

bool slt_lookup_senders(enum slt_lookup_status s)
{
	return s == SLT_LOOKUP_UNKNOWN_CODE || s == SLT_LOOKUP_UNKNOWN_SYSTEM;
}

/* --- reading --- */

static struct slt_coding read_coding(struct slt_walk *w, const xmlNode *e)
{
	return (struct slt_coding){.system = slt_attr(w->arena, e, "codeSystem"),
				   .code = slt_attr(w->arena, e, "code"),
				   .display = slt_attr(w->arena, e, "displayName")};
}

/* A datatype's part by this name: in a namespace that documents of the flow have. What other
 * readers would not see must not decide anything. */
static bool is_part(const struct slt_walk *w, const xmlNode *e, const xmlNode *n, const char *name)
{
	const struct slt_prefixes *p = &w->flow->prefixes;
	const char *uri = n->ns ? (const char *)n->ns->href : "";

	if (strcmp((const char *)n->name, name) != 0) {
		return false;
	}
	bool known = n->ns == e->ns;
	for (size_t i = 0; i < p->n && !known; i++) {
		known = strcmp(p->v[i].uri, uri) == 0;
	}
	return known;
}

/* Translations may be nested: OpenNCP puts the national coding into the innermost. */
static void read_translations(struct slt_walk *w, const xmlNode *e, struct slt_coded *c,
			      unsigned depth)
{
	for (const xmlNode *n = slt_xml_first(e); n && depth < 4; n = slt_xml_next(n)) {
		if (!is_part(w, e, n, "translation")) {
			continue;
		}
		if (c->n_others < SLT_CODED_OTHERS) {
			c->other[c->n_others++] = read_coding(w, n);
		}
		read_translations(w, n, c, depth + 1);
	}
}

static const char *child_text(struct slt_walk *w, const xmlNode *e, const char *name)
{
	for (const xmlNode *n = slt_xml_first(e); n; n = slt_xml_next(n)) {
		if (is_part(w, e, n, name)) {
			const char *text = slt_xml_text(w->arena, n);
			struct slt_str t = slt_str_trim(slt_str(text));
			return t.n ? slt_arena_strndup(w->arena, t.p, t.n) : NULL;
		}
	}
	return NULL;
}

static void read_coded(struct slt_walk *w, const xmlNode *e, struct slt_coded *c)
{
	c->coding = read_coding(w, e);
	c->system_name = slt_attr(w->arena, e, "codeSystemName");
	c->system_version = slt_attr(w->arena, e, "codeSystemVersion");
	c->null_flavor = slt_attr(w->arena, e, "nullFlavor");
	c->text = child_text(w, e, "originalText");
	c->n_others = 0;
	read_translations(w, e, c, 0);
}

/* --- writing --- */

static xmlNode *after_original_text(xmlNode *e)
{
	xmlNode *last = NULL;

	for (xmlNode *n = slt_xml_first(e); n; n = slt_xml_next(n)) {
		if (strcmp((const char *)n->name, "originalText") == 0 ||
		    strcmp((const char *)n->name, "qualifier") == 0) {
			last = n;
		}
	}
	return last;
}

/* The original coding as the first translation, at its place in the schema's order. */
static void keep_translation(struct slt_walk *w, xmlNode *e, const struct slt_coded *c)
{
	xmlNode *before = after_original_text(e);
	xmlNs *ns = slt_walk_parts_ns(w, e);
	xmlNode *t = before ? xmlNewDocNode(e->doc, ns, SLT_XML("translation"), NULL)
			    : slt_add_first(e, ns, "translation", NULL);

	if (before) {
		xmlAddNextSibling(before, t);
	}
	slt_set_attr(t, "code", c->coding.code);
	slt_set_attr(t, "codeSystem", c->coding.system);
	slt_set_attr(t, "codeSystemName", c->system_name);
	slt_set_attr(t, "codeSystemVersion", c->system_version);
	slt_set_attr(t, "displayName", c->coding.display);
}

static void keep_original_text(struct slt_walk *w, xmlNode *e, const struct slt_coded *c)
{
	const char *text = c->coding.display ? c->coding.display : c->coding.code;

	if (!c->text && text) {
		slt_add_first(e, slt_walk_parts_ns(w, e), "originalText", text);
	}
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void keep(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
		 const struct slt_coded *c)
{
	int how = r->keep;

	if (how == SLT_KEEP_AUTO) {
		how = c->coding.system ? SLT_KEEP_TRANSLATION : SLT_KEEP_NONE;
	}
	if (how == SLT_KEEP_TRANSLATION && (c->coding.code || c->coding.display)) {
		keep_translation(w, e, c);
	} else if (how == SLT_KEEP_ORIGINAL_TEXT) {
		keep_original_text(w, e, c);
	}
}

/* A translation that repeats what now stands in the element says nothing. */
static void drop_repeated(struct slt_walk *w, xmlNode *e, const struct slt_coding *to)
{
	for (xmlNode *n = slt_xml_first(e), *next; n; n = next) {
		next = slt_xml_next(n);
		if (strcmp((const char *)n->name, "translation") == 0 && !slt_xml_first(n) &&
		    same(slt_attr(w->arena, n, "code"), to->code) &&
		    same(slt_attr(w->arena, n, "codeSystem"), to->system)) {
			slt_walk_drop(w, n);
		}
	}
}

static void write_coding(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
			 const struct slt_coded *c, const struct slt_lookup *l,
			 const struct slt_found *f)
{
	bool same_code = same(c->coding.code, f->to.code) &&
			 (!c->coding.system || same(c->coding.system, f->to.system));
	const char *display = f->to.display ? f->to.display : f->pivot.display;

	if (w->json) {
		struct slt_coding to = {f->to.system, f->to.code,
					display ? display : c->coding.display};
		slt_json_write_coded(w, r, e, c, l, &to);
		return;
	}
	slt_set_attr(e, "nullFlavor", NULL);
	slt_set_attr(e, "code", f->to.code);
	if (c->coding.system || c->null_flavor) {
		const struct slt_system *s = l->to->system;
		bool stays = same(c->coding.system, f->to.system);
		slt_set_attr(e, "codeSystem", f->to.system);
		if (!stays || (s && s->name)) {
			slt_set_attr(e, "codeSystemName", s ? s->name : NULL);
		}
		if (!stays || (s && s->version)) {
			slt_set_attr(e, "codeSystemVersion", s ? s->version : NULL);
		}
	}
	slt_set_attr(e, "displayName", display ? display : c->coding.display);
	if (f->restored) {
		drop_repeated(w, e, &f->to);
	}
	if (!same_code || (c->coding.display && !same(c->coding.display, display))) {
		keep(w, r, e, c);
	}
}

/* --- saying --- */

static struct slt_trace_code trace_code(const struct slt_coding *c)
{
	return (struct slt_trace_code){c->system, c->code, c->display};
}

static void trace_found(struct slt_walk *w, const struct slt_rule *r, const struct slt_lookup *l,
			const struct slt_found *f, enum slt_outcome o)
{
	struct slt_trace_entry e = {
		.from = trace_code(&f->from),
		.pivot = trace_code(&f->pivot),
		.to = trace_code(&f->to),
		.table = r->table,
		.from_version = l->from ? l->from->version : NULL,
		.to_version = l->to ? l->to->version : NULL,
		.relation = slt_relation_name(f->relation),
		.outcome = o,
	};

	if (f->restored) {
		e.note = "restored from translation";
	} else if (f->replaced_by) {
		e.note = slt_arena_printf(w->arena, "replaced by %s", f->replaced_by);
	}
	slt_walk_trace(w, r, &e);
}

static void trace_failed(struct slt_walk *w, const struct slt_rule *r, const struct slt_lookup *l,
			 const struct slt_found *f, enum slt_lookup_status s, enum slt_outcome o)
{
	struct slt_trace_entry e = {
		.from = trace_code(&f->from),
		.pivot = trace_code(&f->pivot),
		.table = r->table,
		.from_version = l->from ? l->from->version : NULL,
		.to_version = l->to ? l->to->version : NULL,
		.outcome = o,
		.note = slt_lookup_status_text(s),
	};

	slt_walk_trace(w, r, &e);
}

static void problem(struct slt_walk *w, const struct slt_rule *r, const struct slt_lookup *l,
		    const struct slt_found *f, enum slt_lookup_status s)
{
	bool source = slt_lookup_senders(s);
	const struct slt_list *list = source			   ? l->from
				      : s == SLT_LOOKUP_NOT_IN_SET ? l->pivot
								   : l->to;
	struct slt_map_problem p = {
		.found_system = f->from.system,
		.found_code = f->from.code,
		.found_text = f->from.display,
		.table = r->table,
		.version = list ? list->version : NULL,
		.country = source			? w->from->code
			   : s == SLT_LOOKUP_NOT_IN_SET ? "pivot"
							: w->to->code,
		.detail = slt_lookup_status_text(s),
	};
	enum slt_severity severity = r->policy == SLT_POLICY_REJECT && r->severity == SLT_SEV_ERROR
					     ? SLT_SEV_ERROR
					     : SLT_SEV_WARNING;

	slt_walk_problem(w, r, slt_lookup_error(r, s), severity, &p);
}

/* --- without a sure target --- */

static void make_null(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
		      const struct slt_coded *c)
{
	if (w->json) {
		slt_json_null_coded(w, r, e, c);
		return;
	}
	slt_set_attr(e, "code", NULL);
	if (w->body) {
		return; /* plain elements have no nullFlavor: the name stays */
	}
	slt_set_attr(e, "codeSystem", NULL);
	slt_set_attr(e, "codeSystemName", NULL);
	slt_set_attr(e, "codeSystemVersion", NULL);
	slt_set_attr(e, "displayName", NULL);
	slt_set_attr(e, "nullFlavor", r->null_flavor);
	keep_original_text(w, e, c);
	if (r->keep == SLT_KEEP_AUTO || r->keep == SLT_KEEP_TRANSLATION) {
		keep_translation(w, e, c);
	}
}

static bool use_default(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
			const struct slt_coded *c, const struct slt_lookup *l)
{
	struct slt_lookup from_pivot = *l;
	struct slt_coding pivot = {.system = l->pivot->system ? l->pivot->system->oid : NULL,
				   .code = r->default_code};
	struct slt_found f;

	from_pivot.from = NULL;
	from_pivot.assume = true;
	from_pivot.n_others = 0;
	if (slt_lookup(&from_pivot, &pivot, &f) != SLT_LOOKUP_FOUND) {
		return false;
	}
	write_coding(w, r, e, c, l, &f);
	slt_walk_note(w, e)->pivot_code = f.pivot.code;
	f.from = c->coding;
	trace_found(w, r, l, &f, SLT_OUT_DEFAULTED);
	return true;
}

static void failed(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
		   const struct slt_coded *c, const struct slt_lookup *l, const struct slt_found *f,
		   enum slt_lookup_status s)
{
	switch ((enum slt_policy)r->policy) {
	case SLT_POLICY_NULL:
		make_null(w, r, e, c);
		trace_failed(w, r, l, f, s, SLT_OUT_DROPPED);
		break;
	case SLT_POLICY_DROP:
		slt_walk_drop(w, e);
		trace_failed(w, r, l, f, s, SLT_OUT_DROPPED);
		break;
	case SLT_POLICY_DEFAULT:
		if (use_default(w, r, e, c, l)) {
			break;
		}
		trace_failed(w, r, l, f, s, SLT_OUT_FLAGGED);
		break;
	case SLT_POLICY_ORIGINAL:
		trace_failed(w, r, l, f, s, SLT_OUT_FLAGGED);
		break;
	case SLT_POLICY_REJECT:
		trace_failed(w, r, l, f, s,
			     r->severity == SLT_SEV_ERROR ? SLT_OUT_REFUSED : SLT_OUT_FLAGGED);
		break;
	}
	problem(w, r, l, f, s);
}

/* --- the operation --- */

/* No code to map: right where it may be absent, a problem where it may not. */
static void absent(struct slt_walk *w, const struct slt_rule *r, const struct slt_coded *c)
{
	struct slt_trace_entry e = {.from = {.code = c->null_flavor, .display = c->text},
				    .table = r->table,
				    .outcome = SLT_OUT_KEPT,
				    .note = "no code"};

	if (r->usage == SLT_USAGE_R) {
		struct slt_map_problem p = {.found_code = c->null_flavor,
					    .found_text = c->text,
					    .table = r->table,
					    .detail = "a code is required here"};
		slt_walk_problem(w, r, r->error ? r->error : SLT_FED_STR_003,
				 r->severity == SLT_SEV_ERROR ? SLT_SEV_ERROR : SLT_SEV_WARNING,
				 &p);
		e.outcome = SLT_OUT_REFUSED;
	}
	slt_walk_trace(w, r, &e);
}

static void rename_only(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
			const struct slt_coded *c, const struct slt_lookup *l)
{
	struct slt_found f;
	enum slt_lookup_status s = slt_lookup_pivot(l, &c->coding, &f);
	const char *name = s == SLT_LOOKUP_FOUND ? slt_lookup_name(l, f.pivot.code) : NULL;

	if (s == SLT_LOOKUP_FOUND) {
		slt_walk_note(w, e)->pivot_code = f.pivot.code;
	}
	f.to = c->coding;
	if (!name || same(name, c->coding.display)) {
		trace_found(w, r, l, &f, SLT_OUT_KEPT);
		return;
	}
	f.to.display = name;
	if (w->json) {
		slt_json_write_coded(w, r, e, c, l, &f.to);
	} else {
		slt_set_attr(e, "displayName", name);
		if (c->coding.display) {
			keep(w, r, e, c);
		}
	}
	trace_found(w, r, l, &f, SLT_OUT_MAPPED);
}

/* originalText looked up by name, where the rule allows it. */
static bool from_text(const struct slt_rule *r, struct slt_coded *c, struct slt_lookup *l)
{
	if (!r->from_text || !c->text || (c->coding.code && !c->null_flavor)) {
		return false;
	}
	c->coding = (struct slt_coding){.display = c->text};
	l->by_name = true;
	return true;
}

static bool forbidden(struct slt_walk *w, const struct slt_rule *r, const struct slt_coded *c)
{
	struct slt_map_problem p = {.found_code = c->coding.code,
				    .found_text = c->coding.display,
				    .detail = "this must not be here"};

	if (r->usage != SLT_USAGE_NA) {
		return false;
	}
	slt_walk_problem(w, r, r->error ? r->error : SLT_FED_STR_003, SLT_SEV_ERROR, &p);
	slt_walk_say(w, r->id, SLT_OUT_REFUSED, c->coding.code, NULL, NULL);
	return true;
}

static void disagrees(struct slt_walk *w, const struct slt_rule *r, const struct slt_coded *c,
		      const char *why)
{
	bool refused = r->severity == SLT_SEV_ERROR;
	struct slt_map_problem p = {.found_system = c->coding.system,
				    .found_code = c->coding.code,
				    .found_text = c->coding.display,
				    .table = r->table,
				    .detail = why};

	slt_walk_say(w, r->id, refused ? SLT_OUT_REFUSED : SLT_OUT_FLAGGED, c->coding.code,
		     c->coding.display, why);
	slt_walk_problem(w, r, SLT_FED_ID_003, refused ? SLT_SEV_ERROR : SLT_SEV_WARNING, &p);
}

void slt_op_code(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	struct slt_coded c;
	struct slt_lookup l;
	struct slt_found f;

	slt_rule_lookup(w, r, &l);
	if (w->json) {
		slt_json_read_coded(w, e, &l, &c);
	} else {
		read_coded(w, e, &c);
	}
	if (forbidden(w, r, &c)) {
		return;
	}
	l.others = c.other;
	l.n_others = c.n_others;
	bool by_text = from_text(r, &c, &l);
	if (!by_text && (c.null_flavor || (!c.coding.code && !c.coding.display))) {
		absent(w, r, &c);
		return;
	}
	if (r->names_only) {
		rename_only(w, r, e, &c, &l);
		return;
	}
	enum slt_lookup_status s = slt_lookup(&l, &c.coding, &f);
	if (w->json && c.several) {
		s = SLT_LOOKUP_AMBIGUOUS; /* which of two codes counts, every reader would decide */
	}
	if (f.pivot.code) {
		slt_walk_note(w, e)->pivot_code = f.pivot.code;
	}
	if (s != SLT_LOOKUP_FOUND) {
		/* a text that is no name of the list stays the text it was */
		if (by_text && c.null_flavor && r->usage != SLT_USAGE_R) {
			trace_failed(w, r, &l, &f, s, SLT_OUT_FLAGGED);
			return;
		}
		failed(w, r, e, &c, &l, &f, s);
		return;
	}
	const char *contradiction =
		r->agree && !by_text ? slt_code_contradiction(&l, &c.coding, &f) : NULL;
	if (contradiction) {
		disagrees(w, r, &c, contradiction);
	}
	bool changed = !same(c.coding.code, f.to.code) ||
		       !same(c.coding.system, c.coding.system ? f.to.system : NULL) ||
		       !same(c.coding.display, f.to.display);
	write_coding(w, r, e, &c, &l, &f);
	trace_found(w, r, &l, &f, changed ? SLT_OUT_MAPPED : SLT_OUT_KEPT);
}
