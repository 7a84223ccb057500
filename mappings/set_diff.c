/* SPDX-License-Identifier: MIT */
#include "mappings/set_diff.h"

#include <stdlib.h>
#include <string.h>

#include "mappings/catalogue.h"

struct differ {
	slt_set_diff_fn *fn;
	void *arg;
	const char *where, *list;
};

static void tell(const struct differ *d, enum slt_difference what, const struct slt_raw_row *before,
		 const struct slt_raw_row *after, const char *rule)
{
	struct slt_set_difference x = {.where = d->where,
				       .list = d->list,
				       .what = what,
				       .before = before,
				       .after = after,
				       .rule = rule};

	d->fn(d->arg, &x);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* --- rows --- */

static bool same_row(const struct slt_raw_row *a, const struct slt_raw_row *b)
{
	for (size_t i = 0; i < SLT_TABLE_COLUMNS; i++) {
		if (strcmp(a->cell[i], b->cell[i]) != 0) {
			return false;
		}
	}
	return true;
}

static bool same_pivot(const struct slt_raw_row *a, const struct slt_raw_row *b)
{
	return strcmp(a->cell[SLT_COL_PIVOT_CODE], b->cell[SLT_COL_PIVOT_CODE]) == 0 &&
	       strcmp(a->cell[SLT_COL_LANG], b->cell[SLT_COL_LANG]) == 0;
}

static bool any_row(const struct slt_raw_row *a, const struct slt_raw_row *b)
{
	(void)a;
	(void)b;
	return true;
}

struct rows { /* of one code */
	const struct slt_raw_row *row;
	size_t n;
	bool *paired;
};

/* Pairs what belongs together by the test, as far as it is not paired yet. */
static void pair(const struct differ *d, struct rows *a, struct rows *b,
		 bool (*belong)(const struct slt_raw_row *, const struct slt_raw_row *))
{
	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n && !a->paired[i]; k++) {
			if (b->paired[k] || !belong(&a->row[i], &b->row[k])) {
				continue;
			}
			a->paired[i] = b->paired[k] = true;
			if (belong != same_row) {
				tell(d, SLT_DIFF_CHANGED, &a->row[i], &b->row[k], NULL);
			}
		}
	}
}

static void diff_code(const struct differ *d, struct rows *a, struct rows *b)
{
	/* rows with the same code are few, unless somebody writes a table to the contrary */
	if (a->n * b->n <= 1u << 20) {
		pair(d, a, b, same_row);
		pair(d, a, b, same_pivot);
		pair(d, a, b, any_row);
	}
	for (size_t i = 0; i < a->n; i++) {
		if (!a->paired[i]) {
			tell(d, SLT_DIFF_REMOVED, &a->row[i], NULL, NULL);
		}
	}
	for (size_t i = 0; i < b->n; i++) {
		if (!b->paired[i]) {
			tell(d, SLT_DIFF_ADDED, NULL, &b->row[i], NULL);
		}
	}
}

static size_t count_same_code(const struct slt_raw_table *t, size_t from)
{
	size_t n = from;

	while (n < t->n &&
	       strcmp(t->row[n].cell[SLT_COL_CODE], t->row[from].cell[SLT_COL_CODE]) == 0) {
		n++;
	}
	return n - from;
}

static void diff_rows(const struct differ *d, const struct slt_raw_table *a,
		      const struct slt_raw_table *b)
{
	bool *paired = slt_calloc(a->n + b->n + 1, sizeof(*paired));
	size_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		int order = i == a->n	? 1
			    : k == b->n ? -1
					: strcmp(a->row[i].cell[SLT_COL_CODE],
						 b->row[k].cell[SLT_COL_CODE]);
		struct rows x = {a->row + i, order <= 0 ? count_same_code(a, i) : 0, paired + i};
		struct rows y = {b->row + k, order >= 0 ? count_same_code(b, k) : 0,
				 paired + a->n + k};
		diff_code(d, &x, &y);
		i += x.n;
		k += y.n;
	}
	free(paired);
}

/* --- lists --- */

static bool load(const struct slt_list *list, struct slt_raw_table **ret, struct slt_err *err)
{
	SLT_AUTO_LINT(lint);

	if (!list || !list->table) {
		*ret = slt_raw_table_new();
		return true;
	}
	if (!slt_raw_table_load(slt_table_path(list->table), &lint, ret)) {
		return slt_lint_finish(&lint, err) &&
		       slt_fail(err, SLT_ECONFIG, "%s cannot be read", slt_table_path(list->table));
	}
	return true;
}

static bool diff_list(const struct differ *d, const struct slt_list *a, const struct slt_list *b,
		      struct slt_err *err)
{
	SLT_AUTO(slt_raw_table_free) struct slt_raw_table *x = NULL, *y = NULL;

	if (a && b && a->table && b->table &&
	    strcmp(slt_table_digest(a->table), slt_table_digest(b->table)) == 0) {
		return true;
	}
	if (!load(a, &x, err) || !load(b, &y, err)) {
		return false;
	}
	slt_raw_table_sort(x);
	slt_raw_table_sort(y);
	diff_rows(d, x, y);
	return true;
}

static bool same_settings(const struct slt_list *a, const struct slt_list *b)
{
	return same(a->system_id, b->system_id) && same(a->pattern, b->pattern) &&
	       same(a->value_set, b->value_set) && a->identity == b->identity;
}

static bool diff_country(struct differ *d, const struct slt_country *a, const struct slt_country *b,
			 struct slt_err *err)
{
	d->list = NULL;
	if (!a || !b) {
		tell(d, a ? SLT_DIFF_REMOVED : SLT_DIFF_ADDED, NULL, NULL, NULL);
		return true;
	}
	bool good = true;
	for (size_t i = 0; good && i < a->n_lists; i++) {
		const struct slt_list *other = slt_country_list(b, a->list[i].id);
		d->list = a->list[i].id;
		if (!other || !same_settings(&a->list[i], other)) {
			tell(d, other ? SLT_DIFF_CHANGED : SLT_DIFF_REMOVED, NULL, NULL, NULL);
		}
		good = diff_list(d, &a->list[i], other, err);
	}
	for (size_t i = 0; good && i < b->n_lists; i++) {
		if (!slt_country_list(a, b->list[i].id)) {
			d->list = b->list[i].id;
			tell(d, SLT_DIFF_ADDED, NULL, NULL, NULL);
			good = diff_list(d, NULL, &b->list[i], err);
		}
	}
	d->list = NULL;
	if (good && !same(a->digest, b->digest)) {
		tell(d, SLT_DIFF_CHANGED, NULL, NULL, NULL);
	}
	return good;
}

/* --- flows --- */

static const struct slt_rule *rule_named(const struct slt_rules *rules, const char *id)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (strcmp(rules->v[i].id, id) == 0) {
			return &rules->v[i];
		}
	}
	return NULL;
}

static bool same_words(const struct slt_conf_strings *a, const struct slt_conf_strings *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++) {
		if (strcmp(a->v[i], b->v[i]) != 0) {
			return false;
		}
	}
	return a->n == b->n;
}

static bool same_rule(const struct slt_rule *a, const struct slt_rule *b)
{
	const char *const texts[][2] = {{a->where_text, b->where_text},
					{a->field, b->field},
					{a->when_text, b->when_text},
					{a->table, b->table},
					{a->error_text, b->error_text},
					{a->null_flavor, b->null_flavor},
					{a->default_code, b->default_code},
					{a->class, b->class},
					{a->value, b->value},
					{a->from_text_path, b->from_text_path},
					{a->to_text, b->to_text},
					{a->separator, b->separator},
					{a->in_text_path, b->in_text_path},
					{a->min_text, b->min_text},
					{a->max_text, b->max_text}};

	for (size_t i = 0; i < SLT_COUNT(texts); i++) {
		if (!same(texts[i][0], texts[i][1])) {
			return false;
		}
	}
	return same_words(&a->documents, &b->documents) &&
	       same_words(&a->good_words, &b->good_words) &&
	       same_words(&a->before_words, &b->before_words) &&
	       same_words(&a->into_words, &b->into_words) &&
	       same_words(&a->from_all_words, &b->from_all_words) && a->what == b->what &&
	       a->policy == b->policy && a->keep == b->keep && a->usage == b->usage &&
	       a->severity == b->severity && a->format == b->format && a->decimal == b->decimal &&
	       a->assume == b->assume && a->from_text == b->from_text &&
	       a->names_only == b->names_only && a->in_text == b->in_text &&
	       a->at_least == b->at_least;
}

static void diff_rules(const struct differ *d, const struct slt_rules *a, const struct slt_rules *b)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct slt_rule *other = rule_named(b, a->v[i].id);
		if (!other || !same_rule(&a->v[i], other)) {
			tell(d, other ? SLT_DIFF_CHANGED : SLT_DIFF_REMOVED, NULL, NULL,
			     a->v[i].id);
		}
	}
	for (size_t i = 0; i < b->n; i++) {
		if (!rule_named(a, b->v[i].id)) {
			tell(d, SLT_DIFF_ADDED, NULL, NULL, b->v[i].id);
		}
	}
}

static void diff_flow(struct differ *d, const struct slt_flow *a, const struct slt_flow *b)
{
	static const struct slt_rules none = {NULL, 0};

	d->list = NULL;
	if (!a || !b) {
		tell(d, a ? SLT_DIFF_REMOVED : SLT_DIFF_ADDED, NULL, NULL, NULL);
		return;
	}
	if (same(a->digest, b->digest)) {
		return;
	}
	diff_rules(d, &a->rules, &b->rules);
	for (size_t i = 0; i < b->n_countries; i++) {
		const struct slt_flow_country *y = &b->country[i];
		const struct slt_flow_country *x = slt_flow_country(a, y->country);
		d->list = y->country;
		diff_rules(d, x ? &x->to_pivot : &none, &y->to_pivot);
		diff_rules(d, x ? &x->from_pivot : &none, &y->from_pivot);
	}
	d->list = NULL;
	tell(d, SLT_DIFF_CHANGED, NULL, NULL, NULL);
}

/* --- the whole --- */

static bool diff_countries(struct differ *d, const struct slt_mapset *a, const struct slt_mapset *b,
			   struct slt_err *err)
{
	d->where = SLT_PIVOT;
	if (!diff_country(d, a->pivot, b->pivot, err)) {
		return false;
	}
	for (size_t i = 0; i < a->n_countries; i++) {
		d->where = a->country[i]->code;
		if (!diff_country(d, a->country[i], slt_mapset_find_country(b, d->where), err)) {
			return false;
		}
	}
	for (size_t i = 0; i < b->n_countries; i++) {
		d->where = b->country[i]->code;
		if (!slt_mapset_find_country(a, d->where) &&
		    !diff_country(d, NULL, b->country[i], err)) {
			return false;
		}
	}
	return true;
}

bool slt_set_diff(const struct slt_mapset *before, const struct slt_mapset *after,
		  slt_set_diff_fn *fn, void *arg, struct slt_err *err)
{
	struct differ d = {.fn = fn, .arg = arg};

	if (same(before->digest, after->digest)) {
		return true;
	}
	if (!diff_countries(&d, before, after, err)) {
		return false;
	}
	for (size_t i = 0; i < before->n_flows; i++) {
		d.where = before->flow[i]->id;
		diff_flow(&d, before->flow[i], slt_mapset_find_flow(after, d.where, NULL));
	}
	for (size_t i = 0; i < after->n_flows; i++) {
		d.where = after->flow[i]->id;
		if (!slt_mapset_find_flow(before, d.where, NULL)) {
			diff_flow(&d, NULL, after->flow[i]);
		}
	}
	d.where = "messages";
	d.list = NULL;
	if (!same(slt_messages_digest(before->messages), slt_messages_digest(after->messages))) {
		tell(&d, SLT_DIFF_CHANGED, NULL, NULL, NULL);
	}
	return true;
}
