/* SPDX-License-Identifier: MIT */
#include "mappings/walk.h"

#include <stdlib.h>
#include <string.h>

#include "mappings/date.h"

#define PLACE_MAX 4096

static slt_op *const ops[SLT_DO_COUNT] = {
	[SLT_DO_CODE] = slt_op_code,
	[SLT_DO_UNIT] = slt_op_unit,
	[SLT_DO_IDENTIFIER] = slt_op_identifier,
	[SLT_DO_DATE] = slt_op_date,
	[SLT_DO_NUMBER] = slt_op_number,
	[SLT_DO_TEXT] = slt_op_text,
	[SLT_DO_SET] = slt_op_set,
	[SLT_DO_COPY] = slt_op_copy,
	[SLT_DO_RENAME] = slt_op_rename,
	[SLT_DO_NAMESPACE] = slt_op_namespace,
	[SLT_DO_MOVE] = slt_op_move,
	[SLT_DO_SPLIT] = slt_op_split,
	[SLT_DO_JOIN] = slt_op_join,
	[SLT_DO_REPEAT] = slt_op_repeat,
	[SLT_DO_DROP] = slt_op_drop,
	[SLT_DO_REQUIRE] = slt_op_require,
	[SLT_DO_FORBID] = slt_op_forbid,
};

/* --- places --- */

/* The prefix under which places name the namespace; NULL: bare names. */
static const char *place_prefix(struct slt_walk *w, const xmlNs *ns)
{
	const struct slt_prefixes *p = &w->from_flow->prefixes;
	const char *uri = ns ? (const char *)ns->href : NULL;

	if (uri && w->place_ns && strcmp(w->place_ns->uri, uri) == 0) {
		return w->place_ns->prefix;
	}
	for (size_t k = 0; uri && k < p->n; k++) {
		if (strcmp(p->v[k].uri, uri) == 0) {
			w->place_ns = &p->v[k];
			return p->v[k].prefix;
		}
	}
	return NULL;
}

static void place_add(struct slt_walk *w, const xmlNode *e, unsigned number)
{
	const char *prefix = place_prefix(w, e->ns);

	slt_buf_add(&w->place, "/", 1);
	if (prefix) {
		slt_buf_adds(&w->place, prefix);
		slt_buf_add(&w->place, ":", 1);
	}
	slt_buf_adds(&w->place, (const char *)e->name);
	if (number > 1) {
		slt_buf_addf(&w->place, "[%u]", number);
	}
}

static void place_enter(struct slt_walk *w, const xmlNode *e)
{
	struct slt_place *up = &w->level[w->depth];
	unsigned i = 0;

	while (i < up->n_seen && up->seen[i].name != e->name) {
		i++;
	}
	up->children++;
	if (w->json) {
		slt_json_place(&w->place, e, up->children - 1);
	} else if (i == SLT_COUNT(up->seen)) {
		slt_buf_addf(&w->place, "/*[%u]", up->children);
	} else {
		if (i == up->n_seen) {
			up->seen[up->n_seen].name = e->name;
			up->seen[up->n_seen++].n = 0;
		}
		place_add(w, e, ++up->seen[i].n);
	}
	w->depth++;
	w->level[w->depth].n_seen = 0;
	w->level[w->depth].children = 0;
	w->level[w->depth].length = w->place.n;
}

static void place_leave(struct slt_walk *w)
{
	w->depth--;
	if (!w->place.failed) {
		w->place.n = w->level[w->depth].length;
	}
}

const char *slt_walk_place(struct slt_walk *w, const char *attribute)
{
	return slt_trace_place(w->trace, slt_buf_str(&w->place), attribute);
}

static void add_step(struct slt_walk *w, const xmlNode *n, struct slt_buf *out)
{
	unsigned number = 1;
	const struct slt_prefixes *p = &w->from_flow->prefixes;

	for (const xmlNode *x = n->prev; n->type == XML_ELEMENT_NODE && x; x = x->prev) {
		number += x->type == XML_ELEMENT_NODE &&
			  strcmp((const char *)x->name, (const char *)n->name) == 0;
	}
	slt_buf_adds(out, n->type == XML_ATTRIBUTE_NODE ? "/@" : "/");
	for (size_t k = 0; n->type != XML_PI_NODE && n->ns && k < p->n; k++) {
		if (strcmp(p->v[k].uri, (const char *)n->ns->href) == 0) {
			slt_buf_addf(out, "%s:", p->v[k].prefix);
			break;
		}
	}
	slt_buf_addf(out, "%s%s", n->type == XML_PI_NODE ? "?" : "", (const char *)n->name);
	if (number > 1) {
		slt_buf_addf(out, "[%u]", number);
	}
}

const char *slt_node_place(struct slt_walk *w, const xmlNode *node)
{
	const xmlNode *up[SLT_WALK_DEPTH + 2];
	size_t n = 0;
	SLT_AUTO_BUF(b, PLACE_MAX);

	for (const xmlNode *x = node; x && x->type != XML_DOCUMENT_NODE && n < SLT_COUNT(up);
	     x = x == w->root ? NULL : x->parent) {
		up[n++] = x;
	}
	while (n > 0) {
		add_step(w, up[--n], &b);
	}
	return slt_trace_place(w->trace, slt_buf_str(&b), NULL);
}

/* --- saying what happened --- */

void slt_walk_trace(struct slt_walk *w, const struct slt_rule *rule, struct slt_trace_entry *e)
{
	e->document = w->kind;
	e->part = w->part;
	if (rule) {
		e->rule = rule->id;
	}
	if (!e->place) {
		e->place =
			slt_walk_place(w, rule && rule->attribute ? rule->attribute->local : NULL);
	}
	if (!w->full && !slt_trace_add(w->trace, e)) {
		w->full = true;
	}
}

void slt_walk_say(struct slt_walk *w, const char *rule, enum slt_outcome o, const char *from,
		  const char *to, const char *note)
{
	struct slt_trace_entry e = {.rule = rule,
				    .outcome = o,
				    .from = {.code = from},
				    .to = {.code = to},
				    .note = note};

	slt_walk_trace(w, NULL, &e);
}

void slt_walk_say_value(struct slt_walk *w, const struct slt_rule *r, enum slt_outcome o,
			const char *from, const char *to, const char *note)
{
	struct slt_trace_entry e = {.outcome = o,
				    .from = {.code = from},
				    .to = {.code = to},
				    .note = note,
				    .personal = true};

	slt_walk_trace(w, r, &e);
}

void slt_walk_problem(struct slt_walk *w, const struct slt_rule *rule, enum slt_code code,
		      enum slt_severity severity, struct slt_map_problem *p)
{
	p->code = code;
	p->severity = severity;
	p->target = w->to->code;
	if (!p->country) {
		p->country = w->from->code;
	}
	if (rule) {
		p->rule = rule->id;
		p->field = rule->field;
		if (!p->place) {
			p->place =
				slt_walk_place(w, rule->attribute ? rule->attribute->local : NULL);
		}
	}
	slt_problems_add(w->problems, p);
}

struct slt_node_note *slt_walk_note(struct slt_walk *w, xmlNode *node)
{
	if (!node->_private) {
		node->_private = slt_arena_alloc(w->arena, sizeof(struct slt_node_note));
	}
	return node->_private;
}

const struct slt_find *slt_walk_find(struct slt_walk *w)
{
	if (!w->find) {
		w->find = slt_find_new(w->root);
	}
	return w->find;
}

void slt_walk_forget(struct slt_walk *w)
{
	slt_find_free(w->find);
	w->find = NULL;
}

struct slt_place *slt_walk_levels(void)
{
	return slt_realloc(NULL, SLT_WALK_DEPTH + 2, sizeof(struct slt_place));
}

void slt_walk_fini(struct slt_walk *w)
{
	slt_walk_empty(w);
	free(w->level);
	slt_buf_fini(&w->place);
}

/* --- fields --- */

static struct slt_str builtin(const struct slt_walk *w, const char *name)
{
	const struct {
		const char *name, *value;
	} known[] = {{"document", w->kind},
		     {"from", w->from->code},
		     {"to", w->to->code},
		     {"service", w->service},
		     {"message", w->message}};

	for (size_t i = 0; i < SLT_COUNT(known); i++) {
		if (strcmp(known[i].name, name) == 0) {
			return (struct slt_str){known[i].value,
						known[i].value ? strlen(known[i].value) : 0};
		}
	}
	return (struct slt_str){NULL, 0};
}

static struct slt_str get_field(void *arg, const char *name)
{
	const struct slt_walk *w = arg;
	struct slt_str s = builtin(w, name);

	for (size_t i = 0; !s.p && i < w->flow->n_fields; i++) {
		if (strcmp(w->flow->field[i].id, name) == 0) {
			s = w->field[i];
		}
	}
	return s;
}

static void read_fields(struct slt_walk *w)
{
	const struct slt_flow *f = w->flow;

	w->field = slt_arena_alloc(w->arena, (f->n_fields + 1) * sizeof(*w->field));
	for (size_t i = 0; i < f->n_fields; i++) {
		if (slt_rule_applies(&f->field[i].documents, w->kind)) {
			const char *v = slt_path_value(w->arena,
						       slt_path_first(f->field[i].where, w->root));
			w->field[i] = (struct slt_str){v, v ? strlen(v) : 0};
		}
	}
	w->fields = (struct slt_cond_fields){get_field, w};
}

/* --- the walk --- */

static bool enter_element(struct slt_walk *w, xmlNode *e, struct slt_err *err);

static void run_rules(struct slt_walk *w, const struct slt_plan *plan, const uint32_t *ids,
		      size_t n, xmlNode *e)
{
	const struct slt_rule *last_code = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct slt_rule *r = plan->rule[ids[i]];
		if (r->what == SLT_DO_CODE && (!r->when || slt_cond_eval(r->when, &w->fields))) {
			last_code = r;
		}
	}
	for (size_t i = 0; i < n; i++) {
		const struct slt_rule *r = plan->rule[ids[i]];
		/* of several code rules the last one that applies is meant; what is required is
		 * looked at when the element is complete */
		if ((r->what == SLT_DO_CODE && r != last_code) || r->what == SLT_DO_REQUIRE) {
			continue;
		}
		if (!r->when || slt_cond_eval(r->when, &w->fields)) {
			ops[r->what](w, r, e);
		}
		if (!e->parent) {
			return; /* dropped */
		}
	}
}

static void run_required(struct slt_walk *w, const struct slt_plan *plan, const uint32_t *ids,
			 size_t n, xmlNode *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct slt_rule *r = plan->rule[ids[i]];
		if (r->what == SLT_DO_REQUIRE && (!r->when || slt_cond_eval(r->when, &w->fields))) {
			slt_op_require(w, r, e);
		}
	}
}

static bool walk_children(struct slt_walk *w, xmlNode *e, struct slt_err *err)
{
	xmlNode *next;

	for (xmlNode *n = slt_xml_first(e); n; n = next) {
		next = slt_xml_next(n);
		if (!enter_element(w, n, err)) {
			return false;
		}
		/* a rule may have put copies behind it */
		if (n->parent == e) {
			next = slt_xml_next(n);
		}
	}
	return true;
}

/* The run's own list is overwritten by the next element. */
static const uint32_t *copy_ids(struct slt_walk *w, const uint32_t *ids, size_t n)
{
	return n ? slt_arena_memdup(w->arena, ids, n * sizeof(*ids)) : NULL;
}

/* A document of its own inside a body. */
static bool nested(struct slt_walk *w, xmlNode *e, const struct slt_document_kind *kind,
		   struct slt_err *err)
{
	struct slt_walk *inner = slt_arena_alloc(w->arena, sizeof(*inner));

	*inner = *w;
	inner->moves = NULL;
	inner->run_to = inner->run_from = NULL;
	slt_buf_init(&inner->place, PLACE_MAX);
	slt_buf_add(&inner->place, w->place.p, w->place.n);
	inner->level = slt_walk_levels();
	inner->level[0].length = inner->place.n;
	bool good = slt_walk_document(inner, e, kind->id, false, err);
	w->garbage = inner->garbage;
	w->full |= inner->full;
	free(inner->level);
	slt_buf_fini(&inner->place);
	return good;
}

static bool rules_of_element(struct slt_walk *w, xmlNode *e, struct slt_err *err)
{
	const uint32_t *ids, *required_to, *required_from;
	size_t n_to, n_from;

	n_to = slt_match_enter(w->run_to, e, &ids);
	required_to = copy_ids(w, ids, n_to);
	run_rules(w, w->plan_to, required_to, n_to, e);
	if (!e->parent || (w->body && !w->call && e != w->root && !slt_names_in(w, e))) {
		slt_match_leave(w->run_to);
		return true;
	}
	n_from = slt_match_enter(w->run_from, e, &ids);
	required_from = copy_ids(w, ids, n_from);
	run_rules(w, w->plan_from, required_from, n_from, e);
	bool good = true;
	/* a dropped element is not looked into */
	if (e->parent) {
		good = walk_children(w, e, err);
		run_required(w, w->plan_to, required_to, n_to, e);
		run_required(w, w->plan_from, required_from, n_from, e);
	}
	slt_match_leave(w->run_from);
	slt_match_leave(w->run_to);
	return good;
}

static bool enter_element(struct slt_walk *w, xmlNode *e, struct slt_err *err)
{
	if (w->depth >= SLT_WALK_DEPTH) {
		return slt_fail(err, SLT_ELIMIT, "elements are nested more than %d deep",
				SLT_WALK_DEPTH);
	}
	const struct slt_document_kind *kind = w->body && e != w->root ? slt_walk_kind(w, e) : NULL;
	bool good;

	if (kind && kind->pass) {
		return true;
	}
	if (kind) {
		return nested(w, e, kind, err);
	}
	if (!w->json) {
		e->_private = NULL; /* whatever an earlier owner of the tree left there */
	}
	place_enter(w, e);
	good = rules_of_element(w, e, err);
	place_leave(w);
	return good;
}

static const struct slt_plan *find_plan(const struct slt_plan *plans, size_t n, const char *kind)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(plans[i].kind, kind) == 0) {
			return &plans[i];
		}
	}
	return NULL;
}

const struct slt_document_kind *slt_walk_kind(const struct slt_walk *w, const xmlNode *root)
{
	const struct slt_shape *s = slt_shape_find(w->from_flow, root);

	return s ? slt_flow_kind_named(w->flow, s->becomes) : slt_flow_kind(w->flow, root);
}

/* The document in the structure that the rules are about; false when it could not be made so. */
static bool set_right(struct slt_walk *w)
{
	const struct slt_shape *s =
		w->body || w->json ? NULL : slt_shape_find(w->from_flow, w->root);
	size_t before = w->problems->errors;

	if (slt_cda_is(w)) {
		slt_cda_check(w, s != NULL);
	}
	if (s && w->problems->errors == before) {
		slt_shape_apply(w, s);
	}
	return !s || w->problems->errors == before;
}

static void set_date(struct slt_walk *w)
{
	const struct slt_flow *f = w->flow;

	w->date = slt_date_of_ms(w->in->now_ms);
	for (size_t i = 0; i < f->n_kinds; i++) {
		if (strcmp(f->kind[i].id, w->kind) == 0 && f->kind[i].date) {
			const char *v =
				slt_path_value(w->arena, slt_path_first(f->kind[i].date, w->root));
			uint32_t date;
			if (v && slt_date_parse(slt_str(v), &date)) {
				w->date = date;
			}
		}
	}
}

bool slt_walk_document(struct slt_walk *w, xmlNode *root, const char *kind, bool body,
		       struct slt_err *err)
{
	w->root = root;
	w->kind = kind;
	w->body = body;
	w->depth = 0;
	w->level[0].n_seen = w->level[0].children = 0;
	w->moves = NULL;
	w->plan_to = find_plan(w->to_pivot->to_pivot, w->to_pivot->n, kind);
	w->plan_from = find_plan(w->from_pivot->from_pivot, w->from_pivot->n, kind);
	slt_assert(w->plan_to && w->plan_from);
	if (slt_cda_is(w) || slt_fhir_is(w)) {
		slt_cda_digest(w);
	}
	if (!set_right(w)) {
		return true; /* what the rules would say of it helps nobody */
	}
	slt_schemas_check(w, root, true);
	set_date(w);
	read_fields(w);
	w->run_to = slt_match_begin(w->plan_to->matcher, SLT_WALK_DEPTH);
	w->run_from = slt_match_begin(w->plan_from->matcher, SLT_WALK_DEPTH);
	bool good = enter_element(w, root, err);
	slt_match_end(w->run_to);
	slt_match_end(w->run_from);
	if (!good) {
		return false;
	}
	slt_apply_moves(w);
	slt_guards_check(w);
	slt_subjects_collect(w);
	if (!body) {
		slt_narrative_write(w);
	}
	slt_walk_forget(w);
	if (!body) {
		slt_cda_finish(w);
		if (slt_fhir_is(w)) {
			slt_fhir_finish(w);
		}
		slt_schemas_check(w, root, false);
	}
	return true;
}
