/* SPDX-License-Identifier: MIT */
#include "mappings/coverage.h"

#include <string.h>

struct side {
	const struct slt_country *country;
	const struct slt_list *list;
};

static struct side side_of(const struct slt_mapset *s, const char *country, const char *list)
{
	const struct slt_country *c = slt_mapset_find_country(s, country);

	return (struct side){c, c ? slt_country_list(c, list) : NULL};
}

static struct slt_lookup lookup_between(const struct slt_mapset *s, struct side from,
					struct side to, const char *list, uint32_t date,
					unsigned good)
{
	return (struct slt_lookup){
		.from = from.list,
		.pivot = slt_country_list(s->pivot, list),
		.to = to.list,
		.from_language = from.country ? slt_country_language(from.country) : "en",
		.to_language = to.country ? slt_country_language(to.country) : "en",
		.date = date,
		.good = good,
		.assume = true,
	};
}

/* The first row of each code that has one in force: rows of a code stand together. */
static bool first_in_force(const struct slt_table *t, uint32_t row, uint32_t date)
{
	const char *code = slt_table_text(t, slt_table_row(t, row)->code);

	if (row > 0 && strcmp(slt_table_text(t, slt_table_row(t, row - 1)->code), code) == 0) {
		return false;
	}
	for (uint32_t i = row; i != SLT_ROW_NONE; i = slt_table_next_code(t, i)) {
		if (slt_row_in_force(slt_table_row(t, i), date)) {
			return true;
		}
	}
	return false;
}

static struct slt_coding coding_of(const struct slt_list *l, const struct slt_table *t,
				   uint32_t row)
{
	const struct slt_row *r = slt_table_row(t, row);

	return (struct slt_coding){.system = l->system ? l->system->oid : NULL,
				   .code = slt_table_text(t, r->code),
				   .display = slt_table_text(t, r->display)};
}

/* Some row of the country in force names the pivot code. */
static bool names(const struct slt_list *l, const char *pivot_code, uint32_t date)
{
	const struct slt_table *t = l ? l->table : NULL;

	for (uint32_t i = t ? slt_table_by_pivot(t, pivot_code) : SLT_ROW_NONE; i != SLT_ROW_NONE;
	     i = slt_table_next_pivot(t, i)) {
		if (slt_row_in_force(slt_table_row(t, i), date)) {
			return true;
		}
	}
	return false;
}

static void count_pivot(const struct slt_list *pivot, struct side from, struct side to,
			uint32_t date, struct slt_coverage *ret)
{
	const struct slt_table *t = pivot ? pivot->table : NULL;

	for (uint32_t i = 0; t && i < slt_table_rows(t); i++) {
		if (!first_in_force(t, i, date)) {
			continue;
		}
		const char *code = slt_table_text(t, slt_table_row(t, i)->code);
		bool f = names(from.list, code, date), o = names(to.list, code, date);
		ret->pivot_forms++;
		ret->from_named += f;
		ret->to_named += o;
		ret->both_named += f && o;
	}
}

void slt_coverage_count(const struct slt_mapset *s, const char *list, const char *from,
			const char *to, uint32_t date, unsigned good, struct slt_coverage *ret,
			slt_uncovered_fn *fn, void *arg)
{
	struct side a = side_of(s, from, list), b = side_of(s, to, list);
	struct slt_lookup l = lookup_between(s, a, b, list, date, good);
	const struct slt_table *t = a.list ? a.list->table : NULL;

	*ret = (struct slt_coverage){.list = list, .from = from, .to = to};
	count_pivot(l.pivot, a, b, date, ret);
	for (uint32_t i = 0; t && l.pivot && i < slt_table_rows(t); i++) {
		struct slt_found found;
		if (!first_in_force(t, i, date)) {
			continue;
		}
		struct slt_coding code = coding_of(a.list, t, i);
		enum slt_lookup_status status = slt_lookup(&l, &code, &found);
		ret->codes++;
		ret->reach_pivot += found.pivot.code != NULL;
		ret->reach_target += status == SLT_LOOKUP_FOUND;
		if (status != SLT_LOOKUP_FOUND && fn) {
			fn(arg, &code, status, &found);
		}
	}
}

void slt_round_trips(const struct slt_mapset *s, const char *list, const char *from, const char *to,
		     uint32_t date, unsigned good, slt_round_trip_fn *fn, void *arg)
{
	struct side a = side_of(s, from, list), b = side_of(s, to, list);
	struct slt_lookup there = lookup_between(s, a, b, list, date, good);
	struct slt_lookup back = lookup_between(s, b, a, list, date, good);
	const struct slt_table *t = a.list ? a.list->table : NULL;

	for (uint32_t i = 0; t && there.pivot && i < slt_table_rows(t); i++) {
		struct slt_found f, g;
		if (!first_in_force(t, i, date)) {
			continue;
		}
		struct slt_coding code = coding_of(a.list, t, i);
		struct slt_round_trip r = {.code = code.code, .display = code.display};
		r.why = slt_lookup(&there, &code, &f);
		r.result = SLT_ROUND_LOST_THERE;
		if (r.why == SLT_LOOKUP_FOUND) {
			r.there = f.to.code;
			r.why = slt_lookup(&back, &f.to, &g);
			r.result = SLT_ROUND_LOST_BACK;
			if (r.why == SLT_LOOKUP_FOUND) {
				r.back = g.to.code;
				r.result = strcmp(r.back, r.code) == 0 ? SLT_ROUND_SAME
								       : SLT_ROUND_OTHER;
			}
		}
		fn(arg, &r);
	}
}
