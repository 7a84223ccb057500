/* SPDX-License-Identifier: MIT */
/* Codes against the words around them: a name, a translation or a text that says something else. */
#include "mappings/walk.h"

#include <string.h>

#define WORDS_MAX  64 /* of a text that is looked through */
#define WORDS_RUN  8  /* of a name inside it */
#define NAME_BYTES 256

struct said { /* what rows say about one pivot code */
	bool anything, same;
};

static const char *pivot_of(const struct slt_table *t, const struct slt_row *r, bool is_pivot)
{
	return slt_table_text(t, is_pivot ? r->code : r->pivot_code);
}

static void hear(struct said *s, const struct slt_table *t, uint32_t row, bool is_pivot,
		 uint32_t date, const char *pivot_code)
{
	const struct slt_row *r = slt_table_row(t, row);
	const char *code = pivot_of(t, r, is_pivot);

	if (*code && r->relation == SLT_REL_EQUIVALENT && slt_row_in_force(r, date)) {
		s->anything = true;
		s->same |= strcmp(code, pivot_code) == 0;
	}
}

static void hear_name(struct said *s, const struct slt_list *l, bool is_pivot, uint32_t date,
		      const char *name, const char *pivot_code)
{
	const struct slt_table *t = l ? l->table : NULL;

	for (uint32_t i = t ? slt_table_by_name(t, name) : SLT_ROW_NONE; i != SLT_ROW_NONE;
	     i = slt_table_next_name(t, i)) {
		hear(s, t, i, is_pivot, date, pivot_code);
	}
}

static void hear_code(struct said *s, const struct slt_list *l, uint32_t date,
		      const struct slt_coding *c, const char *pivot_code)
{
	const struct slt_table *t = l ? l->table : NULL;

	if (!t || !c->code || slt_system_match(l->system, c->system) != SLT_SYSTEM_CODE) {
		return;
	}
	for (uint32_t i = slt_table_by_code(t, c->code); i != SLT_ROW_NONE;
	     i = slt_table_next_code(t, i)) {
		hear(s, t, i, false, date, pivot_code);
	}
}

const char *slt_code_contradiction(const struct slt_lookup *l, const struct slt_coding *coding,
				   const struct slt_found *f)
{
	struct said name = {false, false};

	if (f->replaced_by || f->relation != SLT_REL_EQUIVALENT) {
		return NULL; /* then a name may well be another code's */
	}
	if (coding->display) {
		hear_name(&name, l->from, false, l->date, coding->display, f->pivot.code);
		hear_name(&name, l->pivot, true, l->date, coding->display, f->pivot.code);
		if (name.anything && !name.same) {
			return "the name is that of another code";
		}
	}
	for (size_t i = 0; i < l->n_others; i++) {
		struct said other = {false, false};
		hear_code(&other, l->from, l->date, &l->others[i], f->pivot.code);
		hear_code(&other, l->to, l->date, &l->others[i], f->pivot.code);
		if (other.anything && !other.same) {
			return "a translation beside the code means something else";
		}
	}
	return NULL;
}

/* --- names inside a text --- */

static size_t find_words(const char *text, struct slt_str *ret, size_t max)
{
	static const char between[] = " \t\r\n();";
	size_t n = 0;

	while (*text && n < max) {
		text += strspn(text, between);
		size_t len = strcspn(text, between);
		if (len > 0) {
			ret[n++] = (struct slt_str){text, len};
		}
		text += len;
	}
	return n;
}

/* "tablet" inside "film-coated tablet": the general word for what is meant. */
static bool inside_own_name(const struct slt_list *l, bool is_pivot, const char *name,
			    const char *pivot_code)
{
	const struct slt_table *t = l ? l->table : NULL;
	char own[2 * SLT_CODE_MAX], said[NAME_BYTES * 2];

	if (!t || !slt_fold(name, said, sizeof(said))) {
		return false;
	}
	uint32_t i =
		is_pivot ? slt_table_by_code(t, pivot_code) : slt_table_by_pivot(t, pivot_code);
	while (i != SLT_ROW_NONE) {
		if (slt_fold(slt_table_text(t, slt_table_row(t, i)->display), own, sizeof(own)) &&
		    strstr(own, said)) {
			return true;
		}
		i = is_pivot ? slt_table_next_code(t, i) : slt_table_next_pivot(t, i);
	}
	return false;
}

/* Whether a list knows the words as a name; *ret_same when of this very code. */
static bool is_name(struct slt_walk *w, const char *table, const char *words,
		    const char *pivot_code, bool *ret_same)
{
	const struct slt_list *lists[] = {slt_country_list(w->pivot, table),
					  slt_country_list(w->from, table)};
	struct said s = {false, false};

	for (size_t i = 0; i < SLT_COUNT(lists); i++) {
		hear_name(&s, lists[i], i == 0, w->date, words, pivot_code);
	}
	*ret_same = s.same;
	for (size_t i = 0; i < SLT_COUNT(lists) && s.anything && !*ret_same; i++) {
		*ret_same = inside_own_name(lists[i], i == 0, words, pivot_code);
	}
	return s.anything;
}

const char *slt_text_mentions(struct slt_walk *w, const char *table, const char *text,
			      const char *pivot_code)
{
	struct slt_str word[WORDS_MAX];
	size_t n = find_words(text, word, WORDS_MAX);
	const char *other = NULL;

	for (size_t i = 0; i < n;) {
		size_t taken = 1;
		for (size_t k = n - i < WORDS_RUN ? n - i : WORDS_RUN; k > 0; k--) {
			size_t len = (size_t)(word[i + k - 1].p - word[i].p) + word[i + k - 1].n;
			bool same;
			if (len >= NAME_BYTES) {
				continue;
			}
			const char *words = slt_arena_strndup(w->arena, word[i].p, len);
			if (is_name(w, table, words, pivot_code, &same)) {
				if (same) {
					return NULL;
				}
				other = other ? other : words;
				taken = k;
				break;
			}
		}
		i += taken;
	}
	return other;
}
