/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mapset_fixture.h"

#include "mappings/lookup.h"

static struct slt_mapset *set;

static struct slt_str get_field(void *arg, const char *name)
{
	return strcmp(name, "document") == 0 ? slt_str(arg) : (struct slt_str){NULL, 0};
}

struct query {
	const char *from, *to, *system, *code, *display;
	uint32_t date;
	unsigned good;
	const char *document;
};

static enum slt_lookup_status ask(const struct query *q, const struct slt_coding *others,
				  size_t n_others, struct slt_found *f)
{
	char document[16];
	const struct slt_country *from = slt_mapset_find_country(set, q->from);
	const struct slt_country *to = slt_mapset_find_country(set, q->to);

	snprintf(document, sizeof(document), "%s", q->document ? q->document : "none");
	const struct slt_cond_fields fields = {get_field, document};
	const struct slt_lookup l = {
		.from = slt_country_list(from, "form"),
		.pivot = slt_country_list(set->pivot, "form"),
		.to = slt_country_list(to, "form"),
		.from_language = slt_country_language(from),
		.to_language = slt_country_language(to),
		.date = q->date ? q->date : 20261123,
		.good = q->good ? q->good : 1u << SLT_REL_EQUIVALENT,
		.fields = &fields,
		.others = others,
		.n_others = n_others,
	};
	const struct slt_coding c = {q->system, q->code, q->display};

	return slt_lookup(&l, &c, f);
}

static void gives(struct query q, const char *pivot, const char *to)
{
	struct slt_found f;
	enum slt_lookup_status s = ask(&q, NULL, 0, &f);

	if (s != SLT_LOOKUP_FOUND) {
		fail_msg("%s %s: %s", q.system, q.code, slt_lookup_status_text(s));
	}
	assert_string_equal(f.pivot.code, pivot);
	assert_string_equal(f.to.code, to);
}

static void fails(struct query q, enum slt_lookup_status why)
{
	struct slt_found f;
	enum slt_lookup_status s = ask(&q, NULL, 0, &f);

	if (s != why) {
		fail_msg("%s %s: %s, not %s", q.system ? q.system : "-", q.code ? q.code : "-",
			 slt_lookup_status_text(s), slt_lookup_status_text(why));
	}
	assert_null(f.to.code);
}

static void codes_go_over_the_pivot(void **state)
{
	struct slt_found f;

	(void)state;
	gives((struct query){"AA", "BB", "1.1", "10", NULL, 0, 0, NULL}, "P1", "T");
	gives((struct query){"AA", "BB", "aa", "10", NULL, 0, 0, NULL}, "P1", "T");
	gives((struct query){"BB", "AA", "2.1", "T", NULL, 0, 0, NULL}, "P1", "10");
	const struct query q = {"AA", "BB", "1.1", "10", "Tabletti", 0, 0, NULL};
	assert_int_equal(ask(&q, NULL, 0, &f), SLT_LOOKUP_FOUND);
	assert_string_equal(f.to.display, "tablett");
	assert_string_equal(f.to.system, "2.1");
	assert_string_equal(f.pivot.system, "9.1");
	assert_int_equal(f.relation, SLT_REL_EQUIVALENT);
}

static void names_are_looked_up_where_a_system_says_so(void **state)
{
	(void)state;
	gives((struct query){"AA", "BB", "aa-names", "tabletti", "TABLETTI", 0, 0, NULL}, "P1",
	      "T");
	gives((struct query){"AA", "BB", "aa-names", "kapseli", NULL, 0, 0, NULL}, "P2", "c2");
	/* near misses, and a name that stands for two codes */
	fails((struct query){"AA", "BB", "aa-names", "x", "Tabletti ", 0, 0, NULL},
	      SLT_LOOKUP_UNKNOWN_CODE);
	fails((struct query){"AA", "BB", "aa-names", "x", "Tablet-ti", 0, 0, NULL},
	      SLT_LOOKUP_UNKNOWN_CODE);
	fails((struct query){"AA", "BB", "aa-names", "x", "Imeskely", 0, 0, NULL},
	      SLT_LOOKUP_AMBIGUOUS);
	fails((struct query){"AA", "BB", "1.1", "x", "Tabletti", 0, 0, NULL},
	      SLT_LOOKUP_UNKNOWN_CODE);
}

static void a_coding_of_the_pivot_needs_no_row(void **state)
{
	(void)state;
	gives((struct query){"AA", "BB", "9.1", "P1", NULL, 0, 0, NULL}, "P1", "T");
	gives((struct query){"AA", "BB", "9.1.old", "P2", NULL, 0, 0, NULL}, "P2", "c2");
	fails((struct query){"AA", "BB", "9.1", "P9", NULL, 0, 0, NULL}, SLT_LOOKUP_NOT_IN_SET);
	fails((struct query){"AA", "BB", "9.1", "10", NULL, 0, 0, NULL}, SLT_LOOKUP_NOT_IN_SET);
}

static void what_has_no_sure_target_fails(void **state)
{
	(void)state;
	fails((struct query){"AA", "BB", "1.1", "99", NULL, 0, 0, NULL}, SLT_LOOKUP_UNKNOWN_CODE);
	fails((struct query){"AA", "BB", "1.1", "", NULL, 0, 0, NULL}, SLT_LOOKUP_UNKNOWN_CODE);
	fails((struct query){"AA", "BB", "1.1", NULL, "Tabletti", 0, 0, NULL},
	      SLT_LOOKUP_UNKNOWN_CODE);
	fails((struct query){"AA", "BB", "2.1", "T", NULL, 0, 0, NULL}, SLT_LOOKUP_UNKNOWN_SYSTEM);
	fails((struct query){"AA", "BB", NULL, "10", NULL, 0, 0, NULL}, SLT_LOOKUP_UNKNOWN_SYSTEM);
	/* BB's only row for P6 goes the other way */
	fails((struct query){"AA", "BB", "1.1", "15", NULL, 0, 0, NULL}, SLT_LOOKUP_NO_TARGET);
	/* drafts, and what is not related, are no mappings */
	fails((struct query){"AA", "BB", "1.1", "16", NULL, 0, 0, NULL}, SLT_LOOKUP_UNKNOWN_CODE);
	fails((struct query){"AA", "BB", "1.1", "25", NULL, 0, 0, NULL}, SLT_LOOKUP_UNKNOWN_CODE);
	fails((struct query){"AA", "BB", "1.1", "26", NULL, 0, 0, NULL}, SLT_LOOKUP_UNKNOWN_CODE);
	/* two codes of BB and nothing decides; two of AA */
	fails((struct query){"AA", "BB", "1.1", "12", NULL, 0, 0, NULL}, SLT_LOOKUP_AMBIGUOUS);
	fails((struct query){"BB", "AA", "2.1", "k1", NULL, 0, 0, NULL}, SLT_LOOKUP_AMBIGUOUS);
}

static void preferred_decides(void **state)
{
	(void)state;
	gives((struct query){"AA", "BB", "1.1", "11", NULL, 0, 0, NULL}, "P2", "c2");
	gives((struct query){"BB", "AA", "2.1", "c1", NULL, 0, 0, NULL}, "P2", "11");
	gives((struct query){"BB", "AA", "2.1", "c2", NULL, 0, 0, NULL}, "P2", "11");
}

static void conditions_decide(void **state)
{
	(void)state;
	gives((struct query){"AA", "BB", "1.1", "23", NULL, 0, 0, "doc"}, "P1", "T");
	gives((struct query){"AA", "BB", "1.1", "23", NULL, 0, 0, "other"}, "P2", "c2");
	fails((struct query){"AA", "BB", "1.1", "23", NULL, 0, 0, "third"},
	      SLT_LOOKUP_UNKNOWN_CODE);
	/* a row with a true condition beats those without */
	gives((struct query){"BB", "AA", "2.1", "T", NULL, 0, 0, "doc"}, "P1", "23");
}

static void the_date_of_the_document_decides(void **state)
{
	struct slt_found f;
	const struct query q = {"AA", "BB", "1.1", "17", NULL, 20240101, 0, NULL};

	(void)state;
	/* in force until 2023: P8, which BB has only from 2030; replaced afterwards */
	fails((struct query){"AA", "BB", "1.1", "17", NULL, 20231231, 0, NULL},
	      SLT_LOOKUP_NO_TARGET);
	assert_int_equal(ask(&q, NULL, 0, &f), SLT_LOOKUP_FOUND);
	assert_string_equal(f.to.code, "T");
	assert_string_equal(f.replaced_by, "10");
	assert_string_equal(f.from.code, "17");
}

static void chains_of_replacement_end(void **state)
{
	(void)state;
	gives((struct query){"AA", "BB", "1.1", "18", NULL, 0, 0, NULL}, "P2", "c2");
	fails((struct query){"AA", "BB", "1.1", "20", NULL, 0, 0, NULL}, SLT_LOOKUP_UNKNOWN_CODE);
	/* the pivot's own replacement, for a target that knows only the new code */
	gives((struct query){"AA", "BB", "1.1", "24", NULL, 0, 0, NULL}, "P0", "T");
}

static void the_field_says_which_relations_are_good(void **state)
{
	const unsigned narrower = 1u << SLT_REL_NARROWER;

	(void)state;
	/* AA's is narrower than the pivot's, and so is the pivot's than BB's */
	fails((struct query){"AA", "BB", "1.1", "22", NULL, 0, 0, NULL}, SLT_LOOKUP_NOT_GOOD);
	fails((struct query){"AA", "BB", "1.1", "22", NULL, 0, 1u << SLT_REL_BROADER, NULL},
	      SLT_LOOKUP_NOT_GOOD);
	gives((struct query){"AA", "BB", "1.1", "22", NULL, 0, narrower, NULL}, "P7", "w1");
	fails((struct query){"BB", "AA", "2.1", "w1", NULL, 0, narrower, NULL},
	      SLT_LOOKUP_NOT_GOOD);
	gives((struct query){"BB", "AA", "2.1", "w1", NULL, 0, 1u << SLT_REL_BROADER, NULL}, "P7",
	      "22");
}

/* Anybody can write a translation. */
static void a_forged_translation_decides_nothing(void **state)
{
	const struct slt_coding narrow[] = {{"2.1", "n1", NULL}}, related[] = {{"2.1", "n2", NULL}};
	const struct slt_coding other[] = {{"2.1", "n3", NULL}}, draft[] = {{"2.1", "n4", NULL}};
	const struct slt_coding both[] = {{"2.1", "k1", NULL}, {"2.1", "k2", NULL}};
	const struct query tablet = {"AA", "BB", "1.1", "10", NULL, 0, 0, NULL};
	const struct query cream = {"AA", "BB", "1.1", "12", NULL, 0, 0, NULL};
	const struct slt_coding *const forged[] = {narrow, related, other, draft};
	struct slt_found f;

	(void)state;
	struct slt_mapset *before = set;
	struct fixture fix;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *text = fixture_with("countries/BB/form.tsv", "w1\t",
					       "n1\tkitsas\t\tP1\tsource-is-narrower-than-target\n"
					       "n2\tsugulane\t\tP1\trelated-to\n"
					       "n3\tmuu\t\tP1\tnot-related-to\n"
					       "n4\tmustand\t\tP1\t\t\t\tdraft\n"
					       "w1\t");
	fixture_begin(&fix);
	fixture_write(&fix, "countries/BB/form.tsv", text);
	assert_true(slt_mapset_load(fix.dir, &set, &err));
	fixture_end(&fix);
	for (size_t i = 0; i < SLT_COUNT(forged); i++) {
		assert_int_equal(ask(&tablet, forged[i], 1, &f), SLT_LOOKUP_FOUND);
		assert_string_equal(f.to.code, "T");
		assert_false(f.restored);
	}
	assert_int_equal(ask(&cream, both, SLT_COUNT(both), &f), SLT_LOOKUP_AMBIGUOUS);
	slt_mapset_free(set);
	set = before;
}

static void a_code_comes_home_as_it_went(void **state)
{
	const struct slt_coding k2[] = {{"2.9", "k1", NULL}, {"2.1", "k2", "kreem 2"}};
	const struct slt_coding wrong[] = {
		{"2.1", "T", NULL}, {"2.1", "zz", NULL}, {"2.1", NULL, NULL}};
	const struct query q = {"AA", "BB", "1.1", "12", NULL, 0, 0, NULL};
	struct slt_found f;

	(void)state;
	assert_int_equal(ask(&q, k2, SLT_COUNT(k2), &f), SLT_LOOKUP_FOUND);
	assert_string_equal(f.to.code, "k2");
	assert_true(f.restored);
	/* a translation that means something else decides nothing */
	assert_int_equal(ask(&q, wrong, SLT_COUNT(wrong), &f), SLT_LOOKUP_AMBIGUOUS);
}

static int setup(void **state)
{
	struct fixture f;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	fixture_begin(&f);
	bool good = slt_mapset_load(f.dir, &set, &err);
	fixture_end(&f);
	if (!good) {
		fprintf(stderr, "%s\n", err.msg);
	}
	return good ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	slt_mapset_free(set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_go_over_the_pivot),
		cmocka_unit_test(names_are_looked_up_where_a_system_says_so),
		cmocka_unit_test(a_coding_of_the_pivot_needs_no_row),
		cmocka_unit_test(what_has_no_sure_target_fails),
		cmocka_unit_test(preferred_decides),
		cmocka_unit_test(conditions_decide),
		cmocka_unit_test(the_date_of_the_document_decides),
		cmocka_unit_test(chains_of_replacement_end),
		cmocka_unit_test(the_field_says_which_relations_are_good),
		cmocka_unit_test(a_forged_translation_decides_nothing),
		cmocka_unit_test(a_code_comes_home_as_it_went),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, setup, teardown);
}
