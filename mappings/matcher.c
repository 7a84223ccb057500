/* SPDX-License-Identifier: MIT */
#include "mappings/matcher.h"

#include <stdlib.h>
#include <string.h>

#define NONE 0xffffu

struct state { /* a step in the tree; the root stands for "before the document" */
	const struct slt_step *step;
	uint16_t parent, first, next; /* children as a list, in the order added */
	bool below;		      /* has children reached by "//" */
	uint16_t any, any_next;	      /* children that name no element exactly, as a list */
	uint32_t *id;
	uint32_t n_ids;
	uint16_t hash_next; /* children of one parent with the same name */
};

struct slt_matcher {
	struct slt_arena *a;
	struct state *state;
	uint16_t n, cap;
	uint16_t *slot; /* (parent, local name) -> first child state with that name */
	uint32_t mask;
	uint32_t max_id;
};

struct frame {
	size_t active, n_active;       /* states matched by this element, in `set` */
	size_t inherited, n_inherited; /* states above it with "//" children */
};

struct slt_match_run {
	const struct slt_matcher *m;
	struct frame *frame;
	unsigned depth, max_depth;
	uint16_t *set;
	size_t n_set, cap_set;
	uint32_t *out;
	size_t n_out, cap_out;
};

/* --- building --- */

static uint16_t new_state(struct slt_matcher *m, const struct slt_step *step, uint16_t parent)
{
	if (m->n == m->cap) {
		uint16_t cap = (uint16_t)(m->cap ? m->cap * 2 : 64);
		struct state *bigger = slt_arena_alloc(m->a, cap * sizeof(*bigger));
		if (m->n > 0) {
			memcpy(bigger, m->state, m->n * sizeof(*bigger));
		}
		m->state = bigger;
		m->cap = cap;
	}
	m->state[m->n] = (struct state){.step = step,
					.parent = parent,
					.first = NONE,
					.next = NONE,
					.any = NONE,
					.any_next = NONE,
					.hash_next = NONE};
	return m->n++;
}

struct slt_matcher *slt_matcher_new(struct slt_arena *a)
{
	struct slt_matcher *m = slt_arena_alloc(a, sizeof(*m));

	m->a = a;
	new_state(m, NULL, NONE);
	return m;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_step(const struct slt_step *a, const struct slt_step *b, bool b_descendant)
{
	return a->descendant == b_descendant && a->test.any_uri == b->test.any_uri &&
	       same_text(a->test.uri, b->test.uri) && same_text(a->test.local, b->test.local) &&
	       same_text(a->pred_text, b->pred_text);
}

static uint16_t child_state(struct slt_matcher *m, uint16_t parent, const struct slt_step *step,
			    bool descendant)
{
	uint16_t last = NONE;

	for (uint16_t c = m->state[parent].first; c != NONE; c = m->state[c].next) {
		if (same_step(m->state[c].step, step, descendant)) {
			return c;
		}
		last = c;
	}
	struct slt_step *own = slt_arena_memdup(m->a, step, sizeof(*step));
	own->descendant = descendant;
	uint16_t c = new_state(m, own, parent);
	if (last == NONE) {
		m->state[parent].first = c;
	} else {
		m->state[last].next = c;
	}
	m->state[parent].below |= descendant;
	if (!step->test.local) {
		uint16_t *link = &m->state[parent].any;
		while (*link != NONE) {
			link = &m->state[*link].any_next;
		}
		*link = c;
	}
	return c;
}

static void add_id(struct slt_matcher *m, struct state *s, uint32_t id)
{
	uint32_t *ids = slt_arena_alloc(m->a, (s->n_ids + 1) * sizeof(*ids));

	if (s->n_ids > 0) {
		memcpy(ids, s->id, s->n_ids * sizeof(*ids));
	}
	ids[s->n_ids++] = id;
	s->id = ids;
	m->max_id = id > m->max_id ? id : m->max_id;
}

bool slt_matcher_add(struct slt_matcher *m, const struct slt_path *p, uint32_t id)
{
	for (; p; p = p->next) {
		uint16_t at = 0;
		for (size_t i = 0; i < p->n && !p->step[i].attribute; i++) {
			bool descendant = p->step[i].descendant || (i == 0 && !p->absolute);
			if (m->n >= SLT_MATCHER_STEPS) {
				return false;
			}
			at = child_state(m, at, &p->step[i], descendant);
		}
		if (at != 0) {
			add_id(m, &m->state[at], id);
		}
	}
	return true;
}

static uint64_t hash_name(const char *local)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *local; local++) {
		h = (h ^ (unsigned char)*local) * UINT64_C(1099511628211);
	}
	return h;
}

/* Children that name an element exactly are found by its local name; the others are tried. */
static uint32_t slot_of(const struct slt_matcher *m, uint16_t parent, uint64_t name)
{
	uint64_t h = (name + parent) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 32) & m->mask;
}

void slt_matcher_finish(struct slt_matcher *m)
{
	uint32_t size = 16;

	while (size < 4u * m->n) {
		size *= 2;
	}
	m->mask = size - 1;
	m->slot = slt_arena_alloc(m->a, size * sizeof(*m->slot));
	memset(m->slot, 0xff, size * sizeof(*m->slot));
	for (uint16_t i = m->n; i-- > 1;) {
		struct state *s = &m->state[i];
		if (!s->step->test.local) {
			continue;
		}
		uint32_t k = slot_of(m, s->parent, hash_name(s->step->test.local));
		while (m->slot[k] != NONE &&
		       (m->state[m->slot[k]].parent != s->parent ||
			strcmp(m->state[m->slot[k]].step->test.local, s->step->test.local) != 0)) {
			k = (k + 1) & m->mask;
		}
		s->hash_next = m->slot[k];
		m->slot[k] = i;
	}
}

/* --- running --- */

struct slt_match_run *slt_match_begin(const struct slt_matcher *m, unsigned max_depth)
{
	struct slt_match_run *r = slt_calloc(1, sizeof(*r));

	r->m = m;
	r->max_depth = max_depth + 1;
	r->frame = slt_calloc(r->max_depth + 1, sizeof(*r->frame));
	r->cap_set = 256;
	r->set = slt_calloc(r->cap_set, sizeof(*r->set));
	r->cap_out = 64;
	r->out = slt_calloc(r->cap_out, sizeof(*r->out));
	/* before the root: the first state is active */
	r->set[r->n_set++] = 0;
	r->frame[0] = (struct frame){.active = 0, .n_active = 1, .inherited = 1};
	return r;
}

void slt_match_end(struct slt_match_run *r)
{
	if (r) {
		free(r->frame);
		free(r->set);
		free(r->out);
		free(r);
	}
}

static void push(struct slt_match_run *r, uint16_t state)
{
	if (r->n_set == r->cap_set) {
		r->cap_set *= 2;
		r->set = slt_realloc(r->set, r->cap_set, sizeof(*r->set));
	}
	r->set[r->n_set++] = state;
}

static bool in_set(const struct slt_match_run *r, size_t from, size_t n, uint16_t state)
{
	for (size_t i = from; i < from + n; i++) {
		if (r->set[i] == state) {
			return true;
		}
	}
	return false;
}

static void give_out(struct slt_match_run *r, uint32_t id)
{
	size_t i = r->n_out;

	while (i > 0 && r->out[i - 1] > id) {
		i--;
	}
	if (i > 0 && r->out[i - 1] == id) {
		return;
	}
	if (r->n_out == r->cap_out) {
		r->cap_out *= 2;
		r->out = slt_realloc(r->out, r->cap_out, sizeof(*r->out));
	}
	memmove(&r->out[i + 1], &r->out[i], (r->n_out - i) * sizeof(*r->out));
	r->out[i] = id;
	r->n_out++;
}

static void reach(struct slt_match_run *r, struct frame *f, uint16_t state)
{
	const struct state *s = &r->m->state[state];

	if (in_set(r, f->active, f->n_active, state)) {
		return;
	}
	push(r, state);
	f->n_active++;
	for (uint32_t i = 0; i < s->n_ids; i++) {
		give_out(r, s->id[i]);
	}
}

static void try_state(struct slt_match_run *r, struct frame *f, uint16_t c, bool only_below,
		      const xmlNode *e)
{
	const struct slt_step *step = r->m->state[c].step;

	if ((step->descendant || !only_below) && slt_test_matches(&step->test, e) &&
	    slt_pred_holds(step->pred, e)) {
		reach(r, f, c);
	}
}

static void try_children(struct slt_match_run *r, struct frame *f, uint16_t parent, bool only_below,
			 const xmlNode *e, uint64_t name)
{
	const struct slt_matcher *m = r->m;

	if (m->state[parent].first == NONE) {
		return;
	}
	uint32_t k = slot_of(m, parent, name);
	while (m->slot[k] != NONE) {
		uint16_t c = m->slot[k];
		if (m->state[c].parent == parent &&
		    strcmp(m->state[c].step->test.local, (const char *)e->name) == 0) {
			for (; c != NONE; c = m->state[c].hash_next) {
				try_state(r, f, c, only_below, e);
			}
			break;
		}
		k = (k + 1) & m->mask;
	}
	for (uint16_t c = m->state[parent].any; c != NONE; c = m->state[c].any_next) {
		try_state(r, f, c, only_below, e);
	}
}

size_t slt_match_enter(struct slt_match_run *r, const xmlNode *element, const uint32_t **ret_ids)
{
	slt_assert(r->depth + 1 < r->max_depth + 1);
	struct frame *up = &r->frame[r->depth];
	struct frame *f = &r->frame[++r->depth];
	uint64_t name = hash_name((const char *)element->name);

	r->n_out = 0;
	*f = (struct frame){.inherited = r->n_set};
	for (size_t i = 0; i < up->n_inherited; i++) {
		push(r, r->set[up->inherited + i]);
		f->n_inherited++;
	}
	for (size_t i = 0; i < up->n_active; i++) {
		uint16_t s = r->set[up->active + i];
		if (r->m->state[s].below && !in_set(r, f->inherited, f->n_inherited, s)) {
			push(r, s);
			f->n_inherited++;
		}
	}
	f->active = r->n_set;
	for (size_t i = 0; i < up->n_active; i++) {
		try_children(r, f, r->set[up->active + i], false, element, name);
	}
	for (size_t i = 0; i < up->n_inherited; i++) {
		try_children(r, f, r->set[up->inherited + i], true, element, name);
	}
	*ret_ids = r->out;
	return r->n_out;
}

void slt_match_leave(struct slt_match_run *r)
{
	slt_assert(r->depth > 0);
	r->n_set = r->frame[r->depth].inherited;
	r->depth--;
}
