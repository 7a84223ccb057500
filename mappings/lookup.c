/* SPDX-License-Identifier: MIT */
#include "mappings/lookup.h"

#include <string.h>

#define ROWS_MAX 1024 /* rows of one code or name that are looked at; more are ambiguous */

struct step { /* one pivot code that the source code stands for */
	const char *code, *display;
	const char *factor;
	size_t factor_len;
	enum slt_relation relation;
	bool preferred, when;
};

struct target {
	const struct step *step;
	const char *code, *display;
	enum slt_relation relation;
	bool preferred, when, restored;
};

struct work {
	const struct slt_lookup *l;
	const struct slt_coding *coding;
	struct slt_found *found;
	struct step step[SLT_LOOKUP_CANDIDATES];
	size_t n_steps;
	struct target target[SLT_LOOKUP_CANDIDATES];
	size_t n_targets;
	bool overflow; /* more candidates than are looked at: nothing is sure */
};

static bool applies(const struct slt_lookup *l, const struct slt_row *r,
		    enum slt_direction not_this)
{
	return r->direction != (uint8_t)not_this && slt_row_in_force(r, l->date) &&
	       r->relation != SLT_REL_NOT_RELATED &&
	       (!r->when || (l->fields && slt_cond_eval(r->when, l->fields)));
}

/* --- source country to pivot --- */

static bool have_step(const struct work *w, const char *code)
{
	for (size_t i = 0; i < w->n_steps; i++) {
		if (strcmp(w->step[i].code, code) == 0) {
			return true;
		}
	}
	return false;
}

static void add_step(struct work *w, const struct slt_table *t, const struct slt_row *r)
{
	const char *code = slt_table_text(t, r->pivot_code);
	struct step s = {.relation = (enum slt_relation)r->relation,
			 .preferred = r->preferred,
			 .when = r->when != NULL,
			 .display = slt_table_text(t, r->pivot_display)};
	const char *blank = strchr(code, ' ');

	if (blank && code[0] >= '0' && code[0] <= '9') {
		s.factor = code;
		s.factor_len = (size_t)(blank - code);
		code = blank + 1;
	}
	s.code = code;
	if (!*code || have_step(w, code)) {
		return;
	}
	if (w->n_steps == SLT_LOOKUP_CANDIDATES) {
		w->overflow = true;
		return;
	}
	w->step[w->n_steps++] = s;
}

/* Steps from the rows of a code; the row to follow when none of them is in force. */
static const struct slt_row *steps_of_code(struct work *w, const struct slt_table *t,
					   const char *code)
{
	const struct slt_row *old = NULL;
	unsigned seen = 0;

	for (uint32_t i = slt_table_by_code(t, code); i != SLT_ROW_NONE && seen < ROWS_MAX;
	     i = slt_table_next_code(t, i), seen++) {
		const struct slt_row *r = slt_table_row(t, i);
		if (applies(w->l, r, SLT_DIR_FROM_PIVOT)) {
			add_step(w, t, r);
		} else if (*slt_table_text(t, r->replaced_by) && r->status != SLT_ROW_DRAFT) {
			old = r;
		}
	}
	w->overflow |= seen == ROWS_MAX;
	return old;
}

static void steps_by_code(struct work *w, const char *code)
{
	const struct slt_table *t = w->l->from ? w->l->from->table : NULL;

	for (unsigned n = 0; t && n <= SLT_LOOKUP_REPLACED; n++) {
		const struct slt_row *old = steps_of_code(w, t, code);
		if (w->n_steps > 0 || !old) {
			return;
		}
		code = slt_table_text(t, old->replaced_by);
		w->found->replaced_by = code;
	}
}

static void steps_by_name(struct work *w, const char *name)
{
	const struct slt_table *t = w->l->from ? w->l->from->table : NULL;

	if (!t || !name) {
		return;
	}
	unsigned seen = 0;
	for (uint32_t i = slt_table_by_name(t, name); i != SLT_ROW_NONE && seen < ROWS_MAX;
	     i = slt_table_next_name(t, i), seen++) {
		const struct slt_row *r = slt_table_row(t, i);
		if (applies(w->l, r, SLT_DIR_FROM_PIVOT)) {
			add_step(w, t, r);
		}
	}
	w->overflow |= seen == ROWS_MAX;
}

static bool is_member(const struct slt_list *pivot, const char *code)
{
	if (pivot->table) {
		return slt_table_by_code(pivot->table, code) != SLT_ROW_NONE;
	}
	return !pivot->regex || slt_pattern_matches(pivot->regex, code);
}

/* A code that is the pivot's already, or stands for the same one. */
static void step_identity(struct work *w, const char *code)
{
	const struct slt_table *t = w->l->pivot->table;
	uint32_t row = t ? slt_table_by_code(t, code) : SLT_ROW_NONE;

	w->step[w->n_steps++] = (struct step){
		.code = code,
		.display = row == SLT_ROW_NONE ? (w->coding->display ? w->coding->display : "")
					       : slt_table_text(t, slt_table_row(t, row)->display),
		.relation = SLT_REL_EQUIVALENT,
	};
}

static enum slt_lookup_status no_step(const struct work *w)
{
	return w->l->pivot->table && slt_system_match(w->l->pivot->system, w->coding->system)
		       ? SLT_LOOKUP_NOT_IN_SET
		       : SLT_LOOKUP_UNKNOWN_CODE;
}

static enum slt_lookup_status to_pivot(struct work *w)
{
	const struct slt_lookup *l = w->l;
	const struct slt_coding *c = w->coding;
	const struct slt_system *own = l->from ? l->from->system : NULL;
	enum slt_system_match match = slt_system_match(own, c->system);
	bool in_pivot = slt_system_match(l->pivot->system, c->system) == SLT_SYSTEM_CODE;
	bool bare = !c->system && (l->assume || (l->from && !own));

	if (match == SLT_SYSTEM_NAME || l->by_name) {
		steps_by_name(w, c->display ? c->display : c->code);
		return w->n_steps ? SLT_LOOKUP_FOUND : SLT_LOOKUP_UNKNOWN_CODE;
	}
	if (match == SLT_SYSTEM_OTHER && !in_pivot && !bare) {
		return SLT_LOOKUP_UNKNOWN_SYSTEM;
	}
	if (!c->code || !*c->code) {
		return SLT_LOOKUP_UNKNOWN_CODE;
	}
	if (match == SLT_SYSTEM_CODE || bare) {
		steps_by_code(w, c->code);
	}
	/* units and the like have no system: what is no code of the country may be the pivot's */
	bool may_be_pivot = in_pivot || (bare && !l->pivot->system) || (bare && !own) ||
			    (l->from && l->from->identity);
	if (w->n_steps == 0 && may_be_pivot && is_member(l->pivot, c->code)) {
		bool open = in_pivot || l->pivot->table || l->pivot->regex;
		if (open) {
			step_identity(w, c->code);
		}
	}
	return w->n_steps ? SLT_LOOKUP_FOUND : no_step(w);
}

/* Of several pivot codes those that the table marks. */
static void narrow_steps(struct work *w)
{
	for (unsigned pass = 0; pass < 2 && w->n_steps > 1; pass++) {
		size_t n = 0;
		struct step kept[SLT_LOOKUP_CANDIDATES];
		for (size_t i = 0; i < w->n_steps; i++) {
			if (pass == 0 ? w->step[i].when : w->step[i].preferred) {
				kept[n++] = w->step[i];
			}
		}
		if (n > 0) {
			memcpy(w->step, kept, n * sizeof(kept[0]));
			w->n_steps = n;
		}
	}
}

static bool steps_are_members(const struct work *w)
{
	for (size_t i = 0; i < w->n_steps; i++) {
		if (!is_member(w->l->pivot, w->step[i].code)) {
			return false;
		}
	}
	return true;
}

/* --- pivot to target country --- */

static const char *row_name(const struct slt_lookup *l, const struct slt_table *t, uint32_t row)
{
	const struct slt_row *r = slt_table_row(t, row);
	const char *first = slt_table_text(t, r->display);

	/* the same code again in another language */
	for (uint32_t i = slt_table_by_code(t, slt_table_text(t, r->code)); i != SLT_ROW_NONE;
	     i = slt_table_next_code(t, i)) {
		const struct slt_row *o = slt_table_row(t, i);
		const char *lang = slt_table_text(t, o->lang);
		bool same = strcmp(slt_table_text(t, o->pivot_code),
				   slt_table_text(t, r->pivot_code)) == 0;
		if (same && *slt_table_text(t, o->display) &&
		    (!*lang || strcmp(lang, l->to_language) == 0)) {
			return slt_table_text(t, o->display);
		}
	}
	return first;
}

static void add_target(struct work *w, const struct target *t)
{
	/* names in other languages are rows of their own */
	for (size_t i = 0; i < w->n_targets; i++) {
		const struct target *o = &w->target[i];
		if (o->step == t->step && strcmp(o->code, t->code) == 0 &&
		    o->relation == t->relation && o->preferred == t->preferred &&
		    o->when == t->when) {
			return;
		}
	}
	if (w->n_targets == SLT_LOOKUP_CANDIDATES) {
		w->overflow = true;
		return;
	}
	w->target[w->n_targets++] = *t;
}

static bool targets_of(struct work *w, const struct step *s, const char *pivot_code)
{
	const struct slt_table *t = w->l->to->table;
	size_t before = w->n_targets;

	for (uint32_t i = t ? slt_table_by_pivot(t, pivot_code) : SLT_ROW_NONE;
	     i != SLT_ROW_NONE && !w->overflow; i = slt_table_next_pivot(t, i)) {
		const struct slt_row *r = slt_table_row(t, i);
		if (!applies(w->l, r, SLT_DIR_TO_PIVOT)) {
			continue;
		}
		struct target x = {
			.step = s,
			.code = slt_table_text(t, r->code),
			.display = row_name(w->l, t, i),
			.relation = slt_relation_compose(
				s->relation, slt_relation_flip((enum slt_relation)r->relation)),
			.preferred = r->preferred,
			.when = r->when != NULL,
		};
		add_target(w, &x);
	}
	return w->n_targets > before;
}

/* The pivot's own chain of replacements, for codes that the target does not know any more. */
static const char *pivot_replacement(const struct slt_lookup *l, const char *code)
{
	const struct slt_table *t = l->pivot->table;
	uint32_t row = t ? slt_table_by_code(t, code) : SLT_ROW_NONE;
	const char *by =
		row == SLT_ROW_NONE ? "" : slt_table_text(t, slt_table_row(t, row)->replaced_by);

	return *by ? by : NULL;
}

static void targets_of_step(struct work *w, const struct step *s)
{
	const char *code = s->code;

	for (unsigned n = 0; code && n <= SLT_LOOKUP_REPLACED; n++) {
		if (targets_of(w, s, code)) {
			if (code != s->code) {
				w->found->replaced_by = code;
			}
			return;
		}
		code = pivot_replacement(w->l, code);
	}
	if (w->l->to->identity) {
		struct target x = {
			.step = s, .code = s->code, .display = s->display, .relation = s->relation};
		add_target(w, &x);
	}
}

static bool one_code(const struct work *w)
{
	for (size_t i = 1; i < w->n_targets; i++) {
		if (strcmp(w->target[i].code, w->target[0].code) != 0) {
			return false;
		}
	}
	return w->n_targets > 0;
}

/* What went out over a row good enough for the field may come home over it; the relation is then
 * seen from the other end. Anybody can write a translation: nothing less sure is taken from it. */
static bool may_come_home(const struct slt_lookup *l, enum slt_relation back)
{
	return (l->good & (1u << back | 1u << slt_relation_flip(back))) != 0;
}

/* A row of the target's list that stands for the pivot code of a step. */
static void restore_row(struct work *w, uint32_t k)
{
	const struct slt_table *t = w->l->to->table;
	const struct slt_row *r = slt_table_row(t, k);
	const char *pivot = slt_table_text(t, r->pivot_code);

	for (size_t s = 0; s < w->n_steps && applies(w->l, r, SLT_DIR_FROM_PIVOT); s++) {
		struct target x = {
			.step = &w->step[s],
			.code = slt_table_text(t, r->code),
			.display = row_name(w->l, t, k),
			.relation = slt_relation_compose(
				w->step[s].relation,
				slt_relation_flip((enum slt_relation)r->relation)),
			.restored = true,
		};
		if (strcmp(pivot, x.step->code) == 0 && may_come_home(w->l, x.relation)) {
			add_target(w, &x);
		}
	}
}

/* A translation in the target's own list that stands for the same pivot code; translations that
 * name several such codes decide nothing. */
static bool restore(struct work *w)
{
	const struct slt_table *t = w->l->to->table;

	for (size_t i = 0; t && i < w->l->n_others; i++) {
		const struct slt_coding *o = &w->l->others[i];
		if (!o->code || slt_system_match(w->l->to->system, o->system) != SLT_SYSTEM_CODE) {
			continue;
		}
		for (uint32_t k = slt_table_by_code(t, o->code); k != SLT_ROW_NONE;
		     k = slt_table_next_code(t, k)) {
			restore_row(w, k);
		}
	}
	if (one_code(w) && !w->overflow) {
		w->n_targets = 1;
		return true;
	}
	w->n_targets = 0;
	return false;
}

static bool wanted(const struct work *w, const struct target *t, unsigned pass)
{
	switch (pass) {
	case 0:
		return (w->l->good & (1u << t->relation)) != 0;
	case 1:
		return t->when;
	case 2:
		return t->preferred;
	default:
		return t->relation == SLT_REL_EQUIVALENT;
	}
}

static enum slt_lookup_status choose(struct work *w)
{
	for (unsigned pass = 0; pass < 4; pass++) {
		size_t n = 0;
		for (size_t i = 0; i < w->n_targets; i++) {
			n += wanted(w, &w->target[i], pass);
		}
		if (n == 0 && pass == 0) {
			return SLT_LOOKUP_NOT_GOOD;
		}
		if (n == 0 || (pass > 0 && one_code(w))) {
			continue;
		}
		size_t kept = 0;
		for (size_t i = 0; i < w->n_targets; i++) {
			if (wanted(w, &w->target[i], pass)) {
				w->target[kept++] = w->target[i];
			}
		}
		w->n_targets = kept;
	}
	return one_code(w) ? SLT_LOOKUP_FOUND : SLT_LOOKUP_AMBIGUOUS;
}

/* --- both --- */

static void say_pivot(struct work *w, const struct step *s)
{
	w->found->pivot = (struct slt_coding){
		.system = w->l->pivot->system ? w->l->pivot->system->oid : NULL,
		.code = s->code,
		.display = *s->display ? s->display : NULL,
	};
	w->found->factor = s->factor;
	w->found->factor_len = s->factor_len;
	w->found->relation = s->relation;
}

static enum slt_lookup_status begin(struct work *w)
{
	*w->found = (struct slt_found){.from = *w->coding};
	enum slt_lookup_status s = to_pivot(w);

	if (s != SLT_LOOKUP_FOUND) {
		return s;
	}
	narrow_steps(w);
	say_pivot(w, &w->step[0]);
	return steps_are_members(w) ? SLT_LOOKUP_FOUND : SLT_LOOKUP_NOT_IN_SET;
}

enum slt_lookup_status slt_lookup(const struct slt_lookup *l, const struct slt_coding *coding,
				  struct slt_found *ret)
{
	struct work w = {.l = l, .coding = coding, .found = ret, .n_steps = 0, .n_targets = 0};
	enum slt_lookup_status s = begin(&w);

	if (s != SLT_LOOKUP_FOUND) {
		return s;
	}
	if (!l->to) {
		return SLT_LOOKUP_NO_TARGET;
	}
	if (!restore(&w)) {
		for (size_t i = 0; i < w.n_steps; i++) {
			targets_of_step(&w, &w.step[i]);
		}
		s = w.overflow	       ? SLT_LOOKUP_AMBIGUOUS
		    : w.n_targets == 0 ? SLT_LOOKUP_NO_TARGET
				       : choose(&w);
	}
	if (s != SLT_LOOKUP_FOUND) {
		return s;
	}
	const struct target *t = &w.target[0];
	say_pivot(&w, t->step);
	ret->relation = t->relation;
	ret->restored = t->restored;
	ret->to = (struct slt_coding){.system = l->to->system ? l->to->system->oid : NULL,
				      .code = t->code,
				      .display = *t->display ? t->display : NULL};
	return SLT_LOOKUP_FOUND;
}

enum slt_lookup_status slt_lookup_pivot(const struct slt_lookup *l, const struct slt_coding *coding,
					struct slt_found *ret)
{
	struct work w = {.l = l, .coding = coding, .found = ret, .n_steps = 0, .n_targets = 0};
	enum slt_lookup_status s = begin(&w);

	if (s == SLT_LOOKUP_FOUND && (w.n_steps > 1 || w.overflow)) {
		return SLT_LOOKUP_AMBIGUOUS;
	}
	return s;
}

const char *slt_lookup_name(const struct slt_lookup *l, const char *pivot_code)
{
	const struct slt_table *t = l->to ? l->to->table : NULL;
	uint32_t row = t ? slt_table_by_pivot(t, pivot_code) : SLT_ROW_NONE;
	const char *name = row == SLT_ROW_NONE ? "" : row_name(l, t, row);

	return *name ? name : NULL;
}

const char *slt_lookup_status_text(enum slt_lookup_status s)
{
	static const char *const text[] = {
		[SLT_LOOKUP_FOUND] = "found",
		[SLT_LOOKUP_UNKNOWN_SYSTEM] =
			"the code system is neither the country's nor the pivot's for this field",
		[SLT_LOOKUP_UNKNOWN_CODE] =
			"the sending country's list names no counterpart for the code",
		[SLT_LOOKUP_NOT_IN_SET] = "the pivot's value set has no such code",
		[SLT_LOOKUP_NO_TARGET] = "the receiving country's list has no counterpart",
		[SLT_LOOKUP_NOT_GOOD] = "only an inexact counterpart exists",
		[SLT_LOOKUP_AMBIGUOUS] = "several counterparts exist and nothing decides",
	};

	return text[s];
}
