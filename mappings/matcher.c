/* SPDX-License-Identifier: MIT */
#include "mappings/matcher.h"

#include <stdlib.h>
#include <string.h>

#define NONE	 0xffffu
#define URIS_MAX 256

struct state { /* a step in the tree; the root stands for "before the document" */
	const struct slt_step *step;
	uint16_t parent, first, next; /* children as a list, in the order added */
	bool below;		      /* has children reached by "//" */
	uint16_t any, any_next;	      /* children that name no element exactly, as a list */
	uint32_t *id;
	uint32_t n_ids;
	uint16_t name;	    /* number of the local name; 0: any */
	uint16_t uri;	    /* number of the namespace; 0: none */
	uint16_t hash_next; /* children of one parent with the same name */
};

struct slt_matcher {
	struct slt_arena *a;
	struct state *state;
	uint16_t n, cap;
	uint16_t *slot;		   /* (parent, name) -> first child state with that name */
	uint16_t *name;		   /* local name -> a state that tests for it */
	const char *uri[URIS_MAX]; /* by their numbers, which begin with 1 */
	uint16_t n_uris;
	uint32_t mask;
	uint32_t max_id;
};

struct frame {
	size_t active, n_active; /* states matched by this element, in `set` */
	size_t n_below;		 /* states above it with "//" children, the first of `below` */
};

struct slt_match_run {
	const struct slt_matcher *m;
	struct frame *frame;
	unsigned depth, max_depth;
	uint16_t *set;
	size_t cap_set;
	uint16_t *below;
	size_t cap_below;
	uint32_t *out;
	size_t n_out, cap_out;
	uint16_t last_uri; /* the number of the namespace of the element at hand */
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

/* The number of a namespace; that of none that any path names when it is not known. */
static uint16_t uri_number(const struct slt_matcher *m, const char *uri)
{
	uint16_t i = 0;

	while (uri && i < m->n_uris && strcmp(m->uri[i], uri) != 0) {
		i++;
	}
	return uri ? (uint16_t)(i + 1) : 0;
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
	m->state[c].uri = uri_number(m, step->test.uri);
	if (m->state[c].uri > m->n_uris) {
		m->uri[m->n_uris++] = step->test.uri;
	}
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
			if (m->n >= SLT_MATCHER_STEPS || m->n_uris == URIS_MAX) {
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
static uint32_t slot_of(const struct slt_matcher *m, uint16_t parent, uint16_t name)
{
	uint64_t h = ((uint64_t)name << 16 | parent) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 32) & m->mask;
}

/* Where the name is, or would be, among the names. */
static uint32_t name_slot(const struct slt_matcher *m, const char *local)
{
	uint32_t k = (uint32_t)hash_name(local) & m->mask;

	while (m->name[k] != NONE && strcmp(m->state[m->name[k]].step->test.local, local) != 0) {
		k = (k + 1) & m->mask;
	}
	return k;
}

static void number_names(struct slt_matcher *m)
{
	uint16_t n = 0;

	for (uint16_t i = 1; i < m->n; i++) {
		struct state *s = &m->state[i];
		if (!s->step->test.local) {
			continue;
		}
		uint32_t k = name_slot(m, s->step->test.local);
		if (m->name[k] == NONE) {
			m->name[k] = i;
			s->name = ++n;
		}
		s->name = m->state[m->name[k]].name;
	}
}

void slt_matcher_finish(struct slt_matcher *m)
{
	uint32_t size = 16;

	while (size < 4u * m->n) {
		size *= 2;
	}
	m->mask = size - 1;
	m->slot = slt_arena_alloc(m->a, size * sizeof(*m->slot));
	m->name = slt_arena_alloc(m->a, size * sizeof(*m->name));
	memset(m->slot, 0xff, size * sizeof(*m->slot));
	memset(m->name, 0xff, size * sizeof(*m->name));
	number_names(m);
	for (uint16_t i = m->n; i-- > 1;) {
		struct state *s = &m->state[i];
		if (!s->name) {
			continue;
		}
		uint32_t k = slot_of(m, s->parent, s->name);
		while (m->slot[k] != NONE && (m->state[m->slot[k]].parent != s->parent ||
					      m->state[m->slot[k]].name != s->name)) {
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
	r->cap_below = 64;
	r->below = slt_calloc(r->cap_below, sizeof(*r->below));
	r->cap_out = 64;
	r->out = slt_calloc(r->cap_out, sizeof(*r->out));
	/* before the root: the first state is active */
	r->set[0] = 0;
	r->frame[0] = (struct frame){.n_active = 1};
	return r;
}

void slt_match_end(struct slt_match_run *r)
{
	if (r) {
		free(r->frame);
		free(r->set);
		free(r->below);
		free(r->out);
		free(r);
	}
}

static bool in_set(const uint16_t *set, size_t n, uint16_t state)
{
	for (size_t i = 0; i < n; i++) {
		if (set[i] == state) {
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

	if (in_set(r->set + f->active, f->n_active, state)) {
		return;
	}
	if (f->active + f->n_active == r->cap_set) {
		r->cap_set *= 2;
		r->set = slt_realloc(r->set, r->cap_set, sizeof(*r->set));
	}
	r->set[f->active + f->n_active++] = state;
	for (uint32_t i = 0; i < s->n_ids; i++) {
		give_out(r, s->id[i]);
	}
}

/* The state's name is the element's, or any. */
static void try_state(struct slt_match_run *r, struct frame *f, uint16_t c, bool only_below,
		      const xmlNode *e)
{
	const struct state *s = &r->m->state[c];

	if ((s->step->descendant || !only_below) &&
	    (s->step->test.any_uri || s->uri == r->last_uri) && slt_pred_holds(s->step->pred, e)) {
		reach(r, f, c);
	}
}

static void try_children(struct slt_match_run *r, struct frame *f, uint16_t parent, bool only_below,
			 const xmlNode *e, uint16_t name)
{
	const struct slt_matcher *m = r->m;

	if (m->state[parent].first == NONE) {
		return;
	}
	uint32_t k = slot_of(m, parent, name);
	while (name && m->slot[k] != NONE) {
		uint16_t c = m->slot[k];
		if (m->state[c].parent == parent && m->state[c].name == name) {
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

/* States of the element above that reach anywhere below it join those that came from above. */
static void inherit(struct slt_match_run *r, const struct frame *up, struct frame *f)
{
	f->n_below = up->n_below;
	for (size_t i = 0; i < up->n_active; i++) {
		uint16_t s = r->set[up->active + i];
		if (!r->m->state[s].below || in_set(r->below, f->n_below, s)) {
			continue;
		}
		if (f->n_below == r->cap_below) {
			r->cap_below *= 2;
			r->below = slt_realloc(r->below, r->cap_below, sizeof(*r->below));
		}
		r->below[f->n_below++] = s;
	}
}

size_t slt_match_enter(struct slt_match_run *r, const xmlNode *element, const uint32_t **ret_ids)
{
	slt_assert(r->depth + 1 < r->max_depth + 1);
	const struct slt_matcher *m = r->m;
	const struct frame *up = &r->frame[r->depth];
	struct frame *f = &r->frame[++r->depth];
	uint16_t known = m->name[name_slot(m, (const char *)element->name)];
	uint16_t name = known == NONE ? 0 : m->state[known].name;

	const char *uri = element->ns ? (const char *)element->ns->href : NULL;
	if (!uri || r->last_uri == 0 || r->last_uri > m->n_uris ||
	    strcmp(m->uri[r->last_uri - 1], uri) != 0) {
		r->last_uri = uri_number(m, uri);
	}
	r->n_out = 0;
	*f = (struct frame){.active = up->active + up->n_active};
	inherit(r, up, f);
	for (size_t i = 0; i < up->n_active; i++) {
		try_children(r, f, r->set[up->active + i], false, element, name);
	}
	for (size_t i = 0; i < f->n_below; i++) {
		try_children(r, f, r->below[i], true, element, name);
	}
	*ret_ids = r->out;
	return r->n_out;
}

void slt_match_leave(struct slt_match_run *r)
{
	slt_assert(r->depth > 0);
	r->depth--;
}
