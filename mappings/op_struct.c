/* SPDX-License-Identifier: MIT */
/* Operations on the structure: set, copy, rename, namespace, move, split, join, repeat, drop,
 * require, forbid. */
#include "mappings/walk.h"

#include <string.h>

#define REPEAT_MAX 64

/* --- set and copy --- */

static const char *variable(const struct slt_walk *w, const char *name, size_t n)
{
	const struct {
		const char *name, *value;
	} known[] = {
		{"to.country", w->to->code},
		{"to.language", slt_country_language(w->to)},
		{"to.language_tag", w->to->language_tag},
		{"to.numeric", w->to->numeric},
		{"from.country", w->from->code},
		{"from.language", slt_country_language(w->from)},
		{"from.language_tag", w->from->language_tag},
		{"from.numeric", w->from->numeric},
	};

	for (size_t i = 0; i < SLT_COUNT(known); i++) {
		if (strlen(known[i].name) == n && memcmp(known[i].name, name, n) == 0) {
			return known[i].value ? known[i].value : "";
		}
	}
	return NULL;
}

static const char *fill_in(struct slt_walk *w, const char *text)
{
	SLT_AUTO_BUF(b, 65536);

	while (*text) {
		const char *end = text[0] == '$' && text[1] == '{' ? strchr(text, '}') : NULL;
		const char *v = end ? variable(w, text + 2, (size_t)(end - text) - 2) : NULL;
		if (v) {
			slt_buf_adds(&b, v);
			text = end + 1;
		} else {
			slt_buf_addc(&b, *text++);
		}
	}
	struct slt_str s = slt_buf_str(&b);
	return slt_arena_strndup(w->arena, s.p, s.n);
}

static void set_value(struct slt_walk *w, const struct slt_rule *r, xmlNode *e, const char *value)
{
	const char *old = slt_rule_value(w, r, e);
	bool same = old && strcmp(old, value) == 0;

	if (!same) {
		slt_rule_set_value(w, r, e, value);
	}
	struct slt_trace_entry x = {.from = {.code = old},
				    .to = {.code = value},
				    .outcome = same ? SLT_OUT_KEPT : SLT_OUT_MAPPED,
				    .personal = r->what == SLT_DO_COPY};
	slt_walk_trace(w, r, &x);
}

void slt_op_set(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	set_value(w, r, e, fill_in(w, r->value));
}

void slt_op_copy(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	const char *value = slt_path_value(w->arena, slt_path_first(r->from, e));

	if (value) {
		set_value(w, r, e, value);
	}
}

/* --- names --- */

static void give_name(struct slt_walk *w, xmlNode *e, const struct slt_name *to)
{
	if (to->uri) {
		xmlSetNs(e, slt_walk_ns(w, e, to->uri, to->prefix));
	}
	if (to->local) {
		xmlNodeSetName(e, SLT_XML(to->local));
	}
}

static xmlAttr *attribute(const struct slt_rule *r, const xmlNode *e)
{
	for (xmlAttr *a = e->properties; a; a = a->next) {
		if (slt_test_matches(r->attribute, (const xmlNode *)(const void *)a)) {
			return a;
		}
	}
	return NULL;
}

void slt_op_rename(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	const char *from = slt_arena_strdup(w->arena, (const char *)e->name);

	if (r->attribute) {
		xmlAttr *a = attribute(r, e);
		if (!a) {
			return;
		}
		from = r->attribute->local;
		xmlNodeSetName((xmlNode *)(void *)a, SLT_XML(r->to.local));
	} else {
		give_name(w, e, &r->to);
	}
	slt_walk_say(w, r->id, SLT_OUT_MAPPED, from, r->to_text, NULL);
}

void slt_op_namespace(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	const char *from = e->ns ? (const char *)e->ns->href : NULL;

	give_name(w, e, &(struct slt_name){.prefix = r->to.prefix, .uri = r->to.uri});
	slt_walk_say(w, r->id, SLT_OUT_MAPPED, from, r->to.uri, NULL);
}

/* --- moving --- */

/* Moves are made after the walk, so that no element is met twice. */
void slt_op_move(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	struct slt_move *m = slt_arena_alloc(w->arena, sizeof(*m));
	struct slt_move **link = &w->moves;

	m->node = e;
	m->rule = r;
	m->next = NULL;
	while (*link) {
		link = &(*link)->next;
	}
	*link = m;
	slt_walk_say(w, r->id, SLT_OUT_MAPPED, NULL, r->to_text, "moved");
}

static bool has_name(const xmlNode *n, const struct slt_name *name)
{
	return slt_xml_is(n, name->uri, name->local);
}

static xmlNode *first_of(const xmlNode *parent, const struct slt_rule *r)
{
	for (xmlNode *n = slt_xml_first(parent); n; n = slt_xml_next(n)) {
		for (size_t i = 0; i < r->before_words.n; i++) {
			if (has_name(n, &r->before[i])) {
				return n;
			}
		}
	}
	return NULL;
}

void slt_apply_moves(struct slt_walk *w)
{
	for (struct slt_move *m = w->moves; m; m = m->next) {
		xmlNode *to = m->node->parent;
		while (to && to->type == XML_ELEMENT_NODE && !has_name(to, &m->rule->to)) {
			to = to->parent;
		}
		if (!to || to->type != XML_ELEMENT_NODE) {
			continue;
		}
		xmlNode *before = first_of(to, m->rule);
		if (before == m->node) {
			continue;
		}
		xmlUnlinkNode(m->node);
		if (before) {
			xmlAddPrevSibling(before, m->node);
		} else {
			xmlAddChild(to, m->node);
		}
		xmlReconciliateNs(w->doc, m->node);
	}
	w->moves = NULL;
}

/* --- parts --- */

static void put_part(struct slt_walk *w, xmlNode *e, const struct slt_name *name,
		     struct slt_str part)
{
	const char *text = slt_arena_strndup(w->arena, part.p, part.n);

	if (name->prefix && name->prefix[0] == '@') {
		slt_set_attr(e, name->local, text);
		return;
	}
	if (w->json) {
		slt_json_set(e, name->local, text);
		return;
	}
	xmlNs *ns = name->uri ? slt_walk_ns(w, e, name->uri, name->prefix) : NULL;
	xmlNode *child = xmlNewDocNode(e->doc, ns, SLT_XML(name->local), NULL);
	xmlAddChild(child, xmlNewDocText(e->doc, SLT_XML(text)));
	xmlAddChild(e, child);
}

static size_t cut(const char *text, const char *separator, struct slt_str *ret, size_t max)
{
	size_t n = 0, sep = strlen(separator);

	for (;;) {
		const char *end = sep ? strstr(text, separator) : NULL;
		if (n == max) {
			return max + 1;
		}
		ret[n++] = slt_str_trim(
			(struct slt_str){text, end ? (size_t)(end - text) : strlen(text)});
		if (!end) {
			return n;
		}
		text = end + sep;
	}
}

void slt_op_split(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	struct slt_str part[REPEAT_MAX];
	const char *text = slt_rule_value(w, r, e);
	size_t n;

	if (!text || !*text) {
		return;
	}
	n = cut(text, r->separator, part, REPEAT_MAX);
	if (n != r->into_words.n) {
		struct slt_map_problem p = {.detail = "not as many parts as the rule names"};
		bool refused = r->policy == SLT_POLICY_REJECT && r->severity == SLT_SEV_ERROR;
		slt_walk_say_value(w, r, refused ? SLT_OUT_REFUSED : SLT_OUT_FLAGGED, text, NULL,
				   p.detail);
		slt_walk_problem(w, r, r->error ? r->error : SLT_FED_STR_002,
				 refused ? SLT_SEV_ERROR : SLT_SEV_WARNING, &p);
		return;
	}
	if (r->attribute) {
		slt_set_attr(e, r->attribute->local, NULL);
	} else {
		slt_set_text(e, "");
	}
	for (size_t i = 0; i < n; i++) {
		put_part(w, e, &r->into[i], part[i]);
	}
	slt_walk_say_value(w, r, SLT_OUT_MAPPED, text, NULL, "split");
}

static void remove_node(struct slt_walk *w, xmlNode *e, xmlNode *node)
{
	if (node->type == XML_ATTRIBUTE_NODE) {
		xmlRemoveProp((xmlAttr *)(void *)node);
	} else if (node != e) {
		slt_walk_drop(w, node);
	}
}

void slt_op_join(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	SLT_AUTO_BUF(b, 65536);

	for (size_t i = 0; i < r->from_all_words.n; i++) {
		const char *v = slt_path_value(w->arena, slt_path_first(r->from_all[i], e));
		if (v && *v) {
			slt_buf_addf(&b, "%s%s", b.n ? r->separator : "", v);
		}
	}
	if (b.n == 0 || b.failed) {
		return;
	}
	for (size_t i = 0; i < r->from_all_words.n; i++) {
		xmlNode *n = slt_path_first(r->from_all[i], e);
		if (n) {
			remove_node(w, e, n);
		}
	}
	const char *joined = slt_arena_strndup(w->arena, b.p, b.n);
	slt_rule_set_value(w, r, e, joined);
	slt_walk_say_value(w, r, SLT_OUT_MAPPED, NULL, joined, "joined");
}

/* Where the several values stand: the name of a coding, else the text. */
static const char *repeated_value(struct slt_walk *w, const xmlNode *e, const char **ret_attribute)
{
	static const char *const names[] = {"displayName", "code"};

	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		const char *v = slt_attr(w->arena, e, names[i]);
		if (v) {
			*ret_attribute = names[i];
			return v;
		}
	}
	*ret_attribute = NULL;
	return slt_xml_text(w->arena, e);
}

static void put_repeated(xmlNode *e, const char *attribute, const char *text)
{
	if (attribute) {
		slt_set_attr(e, attribute, text);
	} else {
		slt_set_text(e, text);
	}
}

void slt_op_repeat(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	struct slt_str part[REPEAT_MAX];
	const char *attribute;
	const char *text = repeated_value(w, e, &attribute);
	size_t n = cut(text, r->separator, part, REPEAT_MAX);

	if (n < 2 || n > REPEAT_MAX) {
		return;
	}
	for (size_t i = n; i-- > 1;) {
		xmlNode *copy = slt_clone(e, e->parent);
		put_repeated(copy, attribute, slt_arena_strndup(w->arena, part[i].p, part[i].n));
		xmlAddNextSibling(e, copy);
	}
	put_repeated(e, attribute, slt_arena_strndup(w->arena, part[0].p, part[0].n));
	slt_walk_say_value(w, r, SLT_OUT_MAPPED, text, NULL, "repeated");
}

/* --- there or not --- */

void slt_op_drop(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	if (r->attribute) {
		xmlAttr *a = attribute(r, e);
		if (!a) {
			return;
		}
		slt_walk_say_value(w, r, SLT_OUT_DROPPED, slt_rule_value(w, r, e), NULL, NULL);
		xmlRemoveProp(a);
		return;
	}
	slt_walk_say(w, r->id, SLT_OUT_DROPPED, (const char *)e->name, NULL, NULL);
	slt_walk_drop(w, e);
}

static bool count_one(void *arg, xmlNode *node)
{
	(void)node;
	++*(int64_t *)arg;
	return true;
}

void slt_op_require(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	int64_t n = 0;
	struct slt_map_problem p = {.found_text = r->where_text, .detail = "required here"};

	slt_path_each(r->where, e, count_one, &n);
	p.place = slt_walk_place(w, NULL);
	bool many = r->at_most > 0 && n > r->at_most;
	if (n >= r->at_least && !many) {
		struct slt_trace_entry x = {.outcome = SLT_OUT_CHECKED, .place = p.place};
		slt_walk_trace(w, r, &x);
		return;
	}
	/* which of several is meant, every reader would decide for itself */
	p.detail = many ? "there are more of it than there may be" : p.detail;
	struct slt_trace_entry x = {.outcome = SLT_OUT_REFUSED,
				    .place = p.place,
				    .note = many ? "too many" : "missing"};
	slt_walk_trace(w, r, &x);
	slt_walk_problem(w, r, r->error ? r->error : SLT_FED_STR_003,
			 r->severity == SLT_SEV_ERROR ? SLT_SEV_ERROR : SLT_SEV_WARNING, &p);
}

void slt_op_forbid(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	struct slt_map_problem p = {.detail = "this must not be here"};

	if (r->attribute && !attribute(r, e)) {
		return;
	}
	p.found_code = r->attribute ? slt_rule_value(w, r, e) : slt_attr(w->arena, e, "code");
	p.found_text = slt_attr(w->arena, e, "displayName");
	if (w->json) {
		p.found_code = slt_json_text(w->arena, e, "code");
		p.found_text = slt_json_text(w->arena, e, "display");
	}
	struct slt_trace_entry x = {.from = {.code = p.found_code, .display = p.found_text},
				    .outcome = SLT_OUT_REFUSED,
				    .note = p.detail};
	slt_walk_trace(w, r, &x);
	slt_walk_problem(w, r, r->error ? r->error : SLT_FED_STR_003,
			 r->severity == SLT_SEV_ERROR ? SLT_SEV_ERROR : SLT_SEV_WARNING, &p);
}
