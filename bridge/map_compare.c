/* SPDX-License-Identifier: MIT */
#include "map_compare.h"

#include <string.h>

#define OUTPUT_MAX (64u << 20)

static const char *const names[] = {
	[SLT_MAP_SAME] = "same",
	[SLT_MAP_DIFFERENT] = "differs",
	[SLT_MAP_NOW_REFUSED] = "becomes refused",
	[SLT_MAP_NOW_PASSED] = "is no longer refused",
	[SLT_MAP_OTHER_REASON] = "is refused for another reason",
};

const char *slt_map_change_name(enum slt_map_change c)
{
	return names[c];
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* --- one value of a trace, in words --- */

static const char *value_of(const struct slt_trace_entry *e, struct slt_arena *a)
{
	const struct slt_trace_code *c = &e->to;

	if (e->personal) {
		return "***";
	}
	if (e->outcome == SLT_OUT_REFUSED || e->outcome == SLT_OUT_DROPPED ||
	    e->outcome == SLT_OUT_FLAGGED) {
		return slt_arena_printf(a, "(%s)", slt_outcome_name(e->outcome));
	}
	return slt_arena_printf(a, "%s%s%s",
				c->code	    ? c->code
				: c->system ? c->system
					    : "",
				c->code && c->display ? " " : "", c->display ? c->display : "");
}

static void add_place(struct slt_map_comparison *r, const struct slt_trace_entry *before,
		      const struct slt_trace_entry *after, struct slt_arena *a)
{
	const struct slt_trace_entry *any = before ? before : after;

	if (r->n_places < SLT_MAP_PLACES) {
		r->place[r->n_places] = (struct slt_map_place){
			slt_arena_strdup(a, any->rule ? any->rule : ""),
			slt_arena_strdup(a, any->place ? any->place : ""),
			before ? value_of(before, a) : "", after ? value_of(after, a) : ""};
	}
	r->n_places++;
}

static bool same_place(const struct slt_trace_entry *x, const struct slt_trace_entry *y)
{
	return x->part == y->part && same(x->rule, y->rule) && same(x->place, y->place);
}

static bool same_result(const struct slt_trace_entry *x, const struct slt_trace_entry *y)
{
	return x->outcome == y->outcome && same(x->to.system, y->to.system) &&
	       same(x->to.code, y->to.code) && same(x->to.display, y->to.display);
}

/* How many entries further the one of the same place stands; `limit` when it does not. */
static size_t ahead(const struct slt_trace *t, size_t from, const struct slt_trace_entry *e)
{
	size_t limit = t->n - from < 64 ? t->n - from : 64, n = 0;

	while (n < limit && !same_place(&t->entry[from + n], e)) {
		n++;
	}
	return n == limit ? SIZE_MAX : n;
}

static void compare_traces(const struct slt_trace *x, const struct slt_trace *y,
			   struct slt_map_comparison *r, struct slt_arena *a)
{
	size_t i = 0, k = 0;

	while (i < x->n || k < y->n) {
		if (i == x->n) {
			add_place(r, NULL, &y->entry[k++], a);
		} else if (k == y->n) {
			add_place(r, &x->entry[i++], NULL, a);
		} else if (same_place(&x->entry[i], &y->entry[k])) {
			if (!same_result(&x->entry[i], &y->entry[k])) {
				add_place(r, &x->entry[i], &y->entry[k], a);
			}
			i++;
			k++;
		} else if (ahead(y, k, &x->entry[i]) <= ahead(x, i, &y->entry[k])) {
			add_place(r, NULL, &y->entry[k++], a);
		} else {
			add_place(r, &x->entry[i++], NULL, a);
		}
	}
}

/* --- one message --- */

struct outcome {
	bool good;
	struct slt_map_result *result;
	struct slt_buf bytes;
	struct slt_err err;
};

static void run(const struct slt_mapset *set, const struct slt_map_input *in, struct outcome *o)
{
	struct slt_map_input copy = *in;

	o->result = slt_map_result_new();
	slt_buf_init(&o->bytes, OUTPUT_MAX);
	o->good = slt_map_apply(set, &copy, o->result, &o->err) &&
		  slt_map_dump(o->result->doc, &o->bytes, &o->err);
}

static void outcome_fini(struct outcome *o)
{
	slt_map_result_free(o->result);
	slt_buf_fini(&o->bytes);
}

static bool same_bytes(const struct outcome *x, const struct outcome *y)
{
	if (x->bytes.n != y->bytes.n || x->result->n_parts != y->result->n_parts ||
	    (x->bytes.n > 0 && memcmp(x->bytes.p, y->bytes.p, x->bytes.n) != 0)) {
		return false;
	}
	for (size_t i = 0; i < x->result->n_parts; i++) {
		if (x->result->part_len[i] != y->result->part_len[i] ||
		    memcmp(x->result->part[i], y->result->part[i], x->result->part_len[i]) != 0) {
			return false;
		}
	}
	return true;
}

/* Sentences may hold what a document says of a person; codes of lists are no such thing. */
static const char *reason_of(const struct outcome *o, struct slt_arena *a)
{
	const struct slt_map_problem *p = slt_problems_first(o->result->problems);

	if (o->good) {
		return NULL;
	}
	if (!p) {
		return slt_arena_printf(a, "%s %s", slt_code_name(o->err.code, SLT_DIALECT_CAMEL),
					o->err.msg);
	}
	return slt_arena_printf(
		a, "%s rule %s, table %s: %s %s", slt_code_name(p->code, SLT_DIALECT_CAMEL),
		p->rule ? p->rule : "–", p->table ? p->table : "–",
		p->table && p->found_code ? p->found_code : "", p->detail ? p->detail : "");
}

static enum slt_map_change judge(const struct outcome *x, const struct outcome *y,
				 const struct slt_map_comparison *r)
{
	if (x->good && y->good) {
		return same_bytes(x, y) ? SLT_MAP_SAME : SLT_MAP_DIFFERENT;
	}
	if (x->good != y->good) {
		return x->good ? SLT_MAP_NOW_REFUSED : SLT_MAP_NOW_PASSED;
	}
	return same(r->reason[0], r->reason[1]) ? SLT_MAP_SAME : SLT_MAP_OTHER_REASON;
}

void slt_map_compare(const struct slt_mapset *before, const struct slt_mapset *after,
		     const struct slt_map_input *in, struct slt_arena *a,
		     struct slt_map_comparison *ret)
{
	struct outcome x = {.err = SLT_ERR_INIT}, y = {.err = SLT_ERR_INIT};

	memset(ret, 0, sizeof(*ret));
	run(before, in, &x);
	run(after, in, &y);
	ret->reason[0] = reason_of(&x, a);
	ret->reason[1] = reason_of(&y, a);
	ret->change = judge(&x, &y, ret);
	if (ret->change != SLT_MAP_SAME) {
		compare_traces(x.result->trace, y.result->trace, ret, a);
	}
	outcome_fini(&x);
	outcome_fini(&y);
}
