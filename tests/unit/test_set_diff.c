/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "engine_fixture.h"
#include "map_compare.h"
#include "mappings/set_diff.h"

static struct slt_buf said;

static void note(void *arg, const struct slt_set_difference *d)
{
	static const char marks[] = "+-~";

	(void)arg;
	slt_buf_addf(&said, "%c %s", marks[d->what], d->where);
	slt_buf_addf(&said, "%s%s", d->list ? " " : "", d->list ? d->list : "");
	slt_buf_addf(&said, "%s%s", d->rule ? " rule " : "", d->rule ? d->rule : "");
	if (d->before) {
		slt_buf_addf(&said, " %s/%s", d->before->cell[SLT_COL_CODE],
			     d->before->cell[SLT_COL_PIVOT_CODE]);
	}
	if (d->after) {
		slt_buf_addf(&said, " > %s/%s", d->after->cell[SLT_COL_CODE],
			     d->after->cell[SLT_COL_PIVOT_CODE]);
	}
	slt_buf_adds(&said, "; ");
}

/* What a set with one file changed differs in from the fixture. The tables of both must be there.
 */
static void differs(const char *file, const char *old, const char *new, const char *expected)
{
	struct fixture a, b;
	struct slt_mapset *x = NULL, *y = NULL;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *text = fixture_with(file, old, new);

	fixture_begin(&a);
	fixture_begin(&b);
	fixture_write(&b, file, text);
	bool good = slt_mapset_load(a.dir, &x, &err) && slt_mapset_load(b.dir, &y, &err) &&
		    slt_set_diff(x, y, note, NULL, &err);
	slt_mapset_free(x);
	slt_mapset_free(y);
	fixture_end(&a);
	fixture_end(&b);
	if (!good) {
		fail_msg("%s", err.msg);
	}
	SLT_AUTO_STR char *got = slt_strdup(slt_buf_str(&said).p);
	slt_buf_fini(&said);
	if (strcmp(got, expected) != 0) {
		fail_msg("%s\nnot %s", got, expected);
	}
}

static int setup_all(void **state)
{
	slt_buf_init(&said, 1 << 20);
	return setup(state);
}

static void every_change_is_told(void **state)
{
	static const struct {
		const char *file, *old, *new, *expected;
	} c[] = {
		{"messages.tsv", "ravimvorm", "vorm", "~ messages; "},
		{"countries/BB/form.tsv", "kreem\t", "kreem x\t",
		 "~ BB form k1/P3 > k1/P3; ~ BB; "},
		{"countries/BB/form.tsv", "l4\tloseng\t\tP4\n", "", "- BB form l4/P4; ~ BB; "},
		{"countries/BB/form.tsv", "l4\tloseng\t\tP4\n", "l3\tuus\t\tP4\nl4\tloseng\t\tP4\n",
		 "+ BB form > l3/P4; ~ BB; "},
		{"countries/BB/form.tsv", "l4\tloseng\t\tP4\n", "l4\tloseng\t\tP6\n",
		 "~ BB form l4/P4 > l4/P6; ~ BB; "},
		/* of several rows with one code, the one with the same pivot code is meant */
		{"countries/AA/form.tsv", "23\tEhto\tP2\t\t\t\t\t\t\t\tdocument = 'other'\n",
		 "23\tEhto\tP2\t\t\t\t\t\t\t\tdocument = 'pdf'\n",
		 "~ AA form 23/P2 > 23/P2; ~ AA; "},
		{"countries/AA/form.tsv", "23\tEhto\tP1\t\t\t\t\t\t\t\tdocument = 'doc'\n", "",
		 "- AA form 23/P1; ~ AA; "},
		{"countries/AA/form.tsv", "10\tTabletti\tP1\n",
		 "10\tTabletti\tP1\n10\tTabletti\tP2\n", "+ AA form > 10/P2; ~ AA; "},
		{"pivot/form.tsv", "P6\tlonely\t\n", "P6\tlonely\tP7\n",
		 "~ pivot form P6/ > P6/; ~ pivot; "},
		{"countries/AA/country.conf", "version = \"1\"", "version = \"2\"", "~ AA; "},
		{"countries/AA/country.conf", "id = \"same\"; system = \"s\"; identity = true;",
		 "id = \"same\"; system = \"f\"; identity = true;", "~ AA same; ~ AA; "},
		{"flows/demo/common.conf", "usage = \"R\"", "usage = \"O\"",
		 "~ demo rule form; ~ demo; "},
		{"flows/demo/common.conf", "id = \"list-form\"", "id = \"other\"",
		 "- demo rule list-form; + demo rule other; ~ demo; "},
		{"flows/demo/common.conf", "version = \"f1\"", "version = \"f2\"", "~ demo; "},
		{"flows/demo/AA.conf", "names = (",
		 "to_pivot = ( { id = \"new\"; where = \"x:a\"; what = \"drop\"; } ); names = (",
		 "+ demo AA rule new; ~ demo; "},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		differs(c[i].file, c[i].old, c[i].new, c[i].expected);
	}
}

static void what_is_only_written_otherwise_is_no_row(void **state)
{
	(void)state;
	differs("messages.tsv", "key\t", "key\t", "");
	differs("countries/BB/sex.tsv", "code\t", "# a comment\ncode\t", "~ BB; ");
}

/* --- messages under both sets --- */

static struct slt_map_comparison compare_with(const char *file, const char *old, const char *new,
					      const char *text, struct slt_arena *a)
{
	SLT_AUTO(slt_mapset_free) struct slt_mapset *other = set_with(file, old, new);
	struct slt_map_comparison c;
	struct slt_map_input in = {.from = "AA",
				   .to = "BB",
				   .flow = "demo",
				   .message = SLT_MAP_RESPONSE,
				   .body = slt_str(text),
				   .now_ms = NOW};

	slt_map_compare(set, other, &in, a, &c);
	return c;
}

static void a_message_changes_with_its_set(void **state)
{
	static const char doc[] = "<doc" D ">" FORM("13") "</doc>";
	static const char bad[] = "<doc" D ">" FORM("15") "</doc>";
	static const struct {
		const char *file, *old, *new, *text;
		enum slt_map_change change;
	} c[] = {
		{"countries/BB/form.tsv", "kreem\t", "kreem x\t", doc, SLT_MAP_SAME},
		{"countries/BB/form.tsv", "l4\tloseng", "l4\tloseng x", doc, SLT_MAP_DIFFERENT},
		{"countries/AA/form.tsv", "13\tImeskely\tP4\n", "", doc, SLT_MAP_NOW_REFUSED},
		{"countries/BB/form.tsv", "x\tpool\t\tP6\t\tto-pivot\n", "x\tpool\t\tP6\n", bad,
		 SLT_MAP_NOW_PASSED},
		{"countries/AA/form.tsv", "15\tYksin\tP6\n", "", bad, SLT_MAP_OTHER_REASON},
		{"countries/AA/form.tsv", "12\tVoide\tP3\n", "", bad, SLT_MAP_SAME},
		{"countries/BB/form.tsv", "kreem\t", "kreem x\t", "<doc", SLT_MAP_SAME},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
		struct slt_map_comparison got =
			compare_with(c[i].file, c[i].old, c[i].new, c[i].text, a);
		if (got.change != c[i].change) {
			fail_msg("%zu: %s, not %s", i, slt_map_change_name(got.change),
				 slt_map_change_name(c[i].change));
		}
		assert_int_equal(got.reason[1] != NULL,
				 c[i].change == SLT_MAP_NOW_REFUSED ||
					 c[i].change == SLT_MAP_OTHER_REASON || i >= 5);
		assert_int_equal(got.n_places > 0,
				 got.change != SLT_MAP_SAME && got.change != SLT_MAP_OTHER_REASON);
	}
}

static void the_places_that_part_are_named_without_persons(void **state)
{
	static const char text[] =
		"<doc" D "><pid root='1.10' extension='" HETU "'/>" FORM("13") FORM("14") "</doc>";
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_map_comparison c =
		compare_with("countries/BB/form.tsv", "loseng\t\tP5", "loseng\t\tP4", text, a);

	(void)state;
	/* now two codes stand for P4, and none for P5 */
	assert_int_equal(c.change, SLT_MAP_NOW_REFUSED);
	assert_true(c.n_places >= 1);
	assert_string_equal(c.place[0].rule, "form");
	assert_string_equal(c.place[0].before, "l4 loseng");
	assert_string_equal(c.place[0].after, "(refused)");
	for (size_t i = 0; i < c.n_places; i++) {
		assert_null(strstr(c.place[i].before, HETU));
		assert_null(strstr(c.place[i].after, HETU));
	}
	assert_null(strstr(c.reason[1], HETU));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_change_is_told),
		cmocka_unit_test(what_is_only_written_otherwise_is_no_row),
		cmocka_unit_test(a_message_changes_with_its_set),
		cmocka_unit_test(the_places_that_part_are_named_without_persons),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown);
}
