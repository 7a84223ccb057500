/* SPDX-License-Identifier: MIT */
/* Subjects: a message and its documents are about the same person and the same thing, and an
 * answer is about what was asked. */
#include "mappings/walk.h"

#include <string.h>

/* --- what is said --- */

static struct slt_map_subject *add(struct slt_walk *w, const struct slt_subject *s)
{
	struct slt_map_subject *x = slt_arena_alloc(w->arena, sizeof(*x));

	*x = (struct slt_map_subject){.subject = s,
				      .id = s ? s->id : NULL,
				      .kind = w->kind,
				      .part = w->part,
				      .body = w->body,
				      .speaks = w->body ||
						(w->whole && w->in->message == SLT_MAP_REQUEST),
				      .next = w->said->first};
	w->said->first = x;
	return x;
}

struct collecting {
	struct slt_walk *w;
	const struct slt_subject *s;
};

static bool collect(void *arg, xmlNode *node)
{
	struct collecting *c = arg;
	const struct slt_node_note *note = node->type == XML_ELEMENT_NODE ? node->_private : NULL;
	const char *root = slt_attr(c->w->arena, node, "root");
	const char *extension = slt_attr(c->w->arena, node, "extension");

	if (c->w->json && node->type == XML_ELEMENT_NODE) {
		slt_json_read_id(c->w, node, &root, &extension);
	}
	if (node->type == XML_ELEMENT_NODE && (root || extension)) {
		struct slt_map_subject *x = add(c->w, c->s);
		x->root = note && note->home_root ? note->home_root : root;
		x->extension = extension;
	}
	return true;
}

void slt_subjects_collect(struct slt_walk *w)
{
	if (!w->body) {
		add(w, NULL);
	}
	for (size_t i = 0; i < w->flow->n_subjects; i++) {
		const struct slt_subject *s = &w->flow->subject[i];
		struct collecting c = {w, s};
		if (w->body) {
			slt_find_each(slt_walk_find(w), s->body, w->root, collect, &c);
		} else if (slt_rule_applies(&s->documents, w->kind)) {
			slt_find_each(slt_walk_find(w), s->document, w->root, collect, &c);
		}
	}
}

static const char *copy(struct slt_arena *a, const char *s)
{
	return s ? slt_arena_strdup(a, s) : NULL;
}

struct slt_map_subject *slt_subjects_keep(const struct slt_walk *w, struct slt_arena *a)
{
	struct slt_map_subject *first = NULL;

	for (const struct slt_map_subject *x = w->said->first; x; x = x->next) {
		if (!x->subject || !x->speaks) {
			continue;
		}
		struct slt_map_subject *own = slt_arena_alloc(a, sizeof(*own));
		*own = (struct slt_map_subject){.id = slt_arena_strdup(a, x->id),
						.root = copy(a, x->root),
						.extension = copy(a, x->extension),
						.speaks = true,
						.next = first};
		first = own;
	}
	return first;
}

/* --- whether it agrees --- */

static void broken(struct slt_walk *w, const char *rule, const char *field, enum slt_code code,
		   const char *detail)
{
	struct slt_map_problem p = {.rule = rule, .field = field, .place = "/", .detail = detail};
	struct slt_trace_entry e = {
		.rule = rule, .place = "/", .outcome = SLT_OUT_REFUSED, .note = detail};

	slt_walk_trace(w, NULL, &e);
	slt_walk_problem(w, NULL, code, SLT_SEV_ERROR, &p);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same(const struct slt_map_subject *a, const struct slt_map_subject *b)
{
	return same_text(a->root, b->root) && same_text(a->extension, b->extension);
}

/* The first that the message says of the subject; *ret_several when others differ from it. */
static const struct slt_map_subject *told(const struct slt_map_subject *list, const char *id,
					  bool *ret_several)
{
	const struct slt_map_subject *first = NULL;

	for (const struct slt_map_subject *x = list; x; x = x->next) {
		if (!x->speaks || !x->id || strcmp(x->id, id) != 0) {
			continue;
		}
		*ret_several |= first && !same(first, x);
		first = first ? first : x;
	}
	return first;
}

/* What the documents say; in the list, that stands before the entry of the document itself. */
static void compare(struct slt_walk *w, const struct slt_subject *s,
		    const struct slt_map_subject *expected)
{
	size_t good = 0, bad = 0;

	for (const struct slt_map_subject *x = w->said->first; x; x = x->next) {
		if (x->subject == s && !x->body) {
			good += same(x, expected);
			bad += !same(x, expected);
		}
		if (x->subject || !slt_rule_applies(&s->documents, x->kind)) {
			continue;
		}
		if (good == 0 || (bad > 0 && !s->any)) {
			broken(w, s->id, s->field ? s->field : s->id, s->error,
			       "the document is not about what the message is about");
			return;
		}
		struct slt_trace_entry e = {
			.rule = s->id, .place = "/", .outcome = SLT_OUT_CHECKED};
		slt_walk_trace(w, NULL, &e);
		good = bad = 0;
	}
}

static void check_subject(struct slt_walk *w, const struct slt_subject *s)
{
	bool several = false;
	const struct slt_map_subject *expected = told(w->said->first, s->id, &several);

	if (w->in->asked) {
		const struct slt_map_subject *asked = told(w->in->asked->subjects, s->id, &several);
		several |= expected && asked && !same(expected, asked);
		expected = asked ? asked : expected;
	}
	if (several) {
		broken(w, s->id, s->field ? s->field : s->id, s->error,
		       "the message names more than one");
	} else if (expected && s->document) {
		compare(w, s, expected);
	}
}

static void check_documents(struct slt_walk *w)
{
	const struct slt_flow_message *m =
		w->service ? slt_flow_message(w->flow, w->service) : NULL;
	const char *kind = m ? m->document[w->in->message == SLT_MAP_RESPONSE] : NULL;
	size_t right = 0, wrong = 0;

	if (!kind) {
		return;
	}
	for (const struct slt_map_subject *x = w->said->first; x; x = x->next) {
		if (!x->subject) {
			right += strcmp(x->kind, kind) == 0;
			wrong += strcmp(x->kind, kind) != 0;
		}
	}
	bool none = strcmp(kind, SLT_NO_DOCUMENT) == 0;
	/* none at all is for the receiver to judge: it may stand in an attachment that is not here
	 */
	if (wrong > 0 || right > 1) {
		broken(w, "documents", "field.structure", SLT_FED_STR_002,
		       none ? "this message has no document"
			    : "this message has one document, of its own kind");
	}
}

void slt_subjects_check(struct slt_walk *w)
{
	if (w->in->message == SLT_MAP_FAULT) {
		return;
	}
	w->kind = "message";
	check_documents(w);
	for (size_t i = 0; i < w->flow->n_subjects; i++) {
		check_subject(w, &w->flow->subject[i]);
	}
}
