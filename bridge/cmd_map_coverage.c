/* SPDX-License-Identifier: MIT */
/* silta map coverage, silta map roundtrip. */
#include <stdio.h>
#include <string.h>

#include "cmd_map.h"
#include "command.h"
#include "mappings/coverage.h"
#include "mappings/date.h"

const char slt_map_coverage_usage[] =
	"usage: silta map coverage [options]\n"
	"       silta map roundtrip [options]\n"
	"\n"
	"coverage counts, list by list and direction by direction, the pivot's codes, the sending\n"
	"country's codes, how many reach the pivot and how many the receiving country, and prints a\n"
	"line for each code that does not arrive, with the reason. roundtrip sends every code there\n"
	"and back and prints those that do not come back as they went.\n"
	"\n"
	"  --from CC, --to CC  one direction only\n"
	"  --list ID           one list only\n"
	"  --good RELATION     a relation that counts as arrived (may be repeated; default:\n"
	"                      equivalent)\n"
	"  --all               also print the codes that do arrive or come back\n"
	"  --at DATE           the date of the documents thought of; default: today\n"
	"  --mappings DIR      the mapping set\n"
	"\n"
	"Exit status: 0 everything arrives (comes back), 1 something does not, 2 it could not be\n"
	"asked.\n";

typedef bool direction_fn(const struct slt_map_options *o, const struct slt_mapset *set,
			  const char *list, const char *from, const char *to);

static unsigned good_of(const struct slt_map_options *o)
{
	return o->good ? o->good : 1u << SLT_REL_EQUIVALENT;
}

static const char *or_dash(const char *s)
{
	return s && *s ? s : "-";
}

/* --- coverage --- */

static void print_uncovered(void *arg, const struct slt_coding *code, enum slt_lookup_status reason,
			    const struct slt_found *found)
{
	struct slt_buf *b = arg;

	slt_buf_addf(b, "  %s\t%s\t%s\t%s\n", code->code, or_dash(code->display),
		     or_dash(found->pivot.code), slt_lookup_status_text(reason));
}

static bool cover(const struct slt_map_options *o, const struct slt_mapset *set, const char *list,
		  const char *from, const char *to)
{
	struct slt_coverage c;
	SLT_AUTO_BUF(lines, 256u << 20);

	slt_coverage_count(set, list, from, to, slt_date_of_ms(o->now_ms), good_of(o), &c,
			   print_uncovered, &lines);
	printf("%s %s→%s: pivot %zu codes, named by %s %zu, by %s %zu, by both %zu; %s has %zu codes, "
	       "%zu reach the pivot, %zu reach %s\n",
	       list, from, to, c.pivot_forms, from, c.from_named, to, c.to_named, c.both_named,
	       from, c.codes, c.reach_pivot, c.reach_target, to);
	struct slt_str s = slt_buf_str(&lines);
	fwrite(s.p, 1, s.n, stdout);
	return c.reach_target == c.codes;
}

/* --- round trips --- */

struct rounds {
	size_t n[4];
	bool all;
};

static void count_round(void *arg, const struct slt_round_trip *r)
{
	static const char *const words[] = {
		[SLT_ROUND_SAME] = "same",
		[SLT_ROUND_OTHER] = "comes back as another code",
		[SLT_ROUND_LOST_THERE] = "does not arrive",
		[SLT_ROUND_LOST_BACK] = "does not come back",
	};
	struct rounds *x = arg;

	x->n[r->result]++;
	if (r->result != SLT_ROUND_SAME || x->all) {
		printf("  %s\t%s\t%s\t%s\t%s%s%s\n", r->code, or_dash(r->display),
		       or_dash(r->there), or_dash(r->back), words[r->result],
		       r->why == SLT_LOOKUP_FOUND ? "" : ": ",
		       r->why == SLT_LOOKUP_FOUND ? "" : slt_lookup_status_text(r->why));
	}
}

static bool round_trip(const struct slt_map_options *o, const struct slt_mapset *set,
		       const char *list, const char *from, const char *to)
{
	struct rounds x = {.all = o->all};

	printf("%s %s→%s→%s:\n", list, from, to, from);
	slt_round_trips(set, list, from, to, slt_date_of_ms(o->now_ms), good_of(o), count_round,
			&x);
	printf("%s %s→%s→%s: %zu come back the same, %zu as another code, %zu do not arrive, %zu do "
	       "not come back\n",
	       list, from, to, from, x.n[SLT_ROUND_SAME], x.n[SLT_ROUND_OTHER],
	       x.n[SLT_ROUND_LOST_THERE], x.n[SLT_ROUND_LOST_BACK]);
	return x.n[SLT_ROUND_OTHER] + x.n[SLT_ROUND_LOST_THERE] + x.n[SLT_ROUND_LOST_BACK] == 0;
}

/* --- both --- */

static bool wanted(const char *given, const char *is)
{
	return !given || strcmp(given, is) == 0;
}

static bool directions(const struct slt_map_options *o, const struct slt_mapset *set,
		       const char *list, direction_fn *fn)
{
	bool complete = true;

	for (size_t a = 0; a < set->n_countries; a++) {
		for (size_t b = 0; b < set->n_countries; b++) {
			const struct slt_country *from = set->country[a], *to = set->country[b];
			if (a != b && wanted(o->from, from->code) && wanted(o->to, to->code) &&
			    slt_country_list(from, list) && slt_country_list(to, list)) {
				complete &= fn(o, set, list, from->code, to->code);
			}
		}
	}
	return complete;
}

static int for_lists(const struct slt_map_options *o, direction_fn *fn)
{
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	bool complete = true, any = false;

	if (!slt_map_load(o, &set)) {
		return SLT_EXIT_CANNOT;
	}
	for (size_t i = 0; i < set->pivot->n_lists; i++) {
		if (wanted(o->list, set->pivot->list[i].id)) {
			any = true;
			complete &= directions(o, set, set->pivot->list[i].id, fn);
		}
	}
	if (!any || (o->from && !slt_mapset_find_country(set, o->from)) ||
	    (o->to && !slt_mapset_find_country(set, o->to))) {
		fprintf(stderr, "silta map: the set has no such list or country\n");
		return SLT_EXIT_CANNOT;
	}
	return complete ? SLT_EXIT_GOOD : SLT_EXIT_NO;
}

int slt_map_coverage(const struct slt_map_options *o)
{
	return for_lists(o, cover);
}

int slt_map_roundtrip(const struct slt_map_options *o)
{
	return for_lists(o, round_trip);
}
