/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "mappings/interchange.h"
#include "mappings/mapset.h"

#define HEAD                                                                                       \
	"code\tdisplay\tlang\trelation\tpivot_code\tpivot_display\tdirection\tpreferred\twhen\t"   \
	"valid_from\tvalid_to\treplaced_by\tstatus\tjustification\tsource\treviewed\tnote\n"
#define R5(elements) "{\"resourceType\":\"ConceptMap\",\"group\":[{\"element\":[" elements "]}]}"
#define SSSOM_HEAD   "subject_id\tsubject_label\tpredicate_id\tobject_id\tobject_label\n"

static struct slt_lint losses, refused;
static char *table; /* what was read, as a table */

static struct slt_interchange_info info;
static struct slt_country country = {.code = "AA", .name = "Land", .version = "1"};
static struct slt_country pivot = {.code = "pivot", .version = "1"};
static struct slt_system source = {.id = "s", .oid = "1.2.3"}, target = {.id = "t", .oid = "words"};
static struct slt_list list = {.id = "form", .version = "7", .file = "form.tsv", .system = &source};
static struct slt_list pivot_list = {.id = "form", .system = &target};

static int setup(void **state)
{
	(void)state;
	info = (struct slt_interchange_info){&country, &pivot, &list, &pivot_list};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	slt_lint_fini(&losses);
	slt_lint_fini(&refused);
	free(SLT_TAKE(table));
	return 0;
}

static bool reads(enum slt_interchange form, const char *text, struct slt_err *err)
{
	SLT_AUTO(slt_raw_table_free) struct slt_raw_table *t = NULL;
	SLT_AUTO_BUF(b, SLT_INTERCHANGE_MAX);
	struct slt_interchange_report report = {&losses, &refused};

	teardown(NULL);
	if (!slt_interchange_read(form, slt_str(text), "map", &report, &t, err)) {
		return false;
	}
	slt_raw_table_format(t, &b);
	table = slt_buf_take(&b, NULL);
	return true;
}

static struct slt_raw_table *parse(const char *text)
{
	SLT_AUTO_LINT(lint);
	struct slt_raw_table *t = NULL;
	struct slt_err err = SLT_ERR_INIT;
	char path[] = "/tmp/slt-table-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	fclose(fdopen(fd, "w"));
	assert_true(slt_file_write(path, text, strlen(text), 0600, &err));
	bool good = slt_raw_table_load(path, &lint, &t);
	remove(path);
	assert_true(good);
	return t;
}

static char *written(enum slt_interchange form, const char *text)
{
	SLT_AUTO(slt_raw_table_free) struct slt_raw_table *t = parse(text);
	SLT_AUTO_BUF(b, SLT_INTERCHANGE_MAX);

	slt_lint_fini(&losses);
	slt_interchange_write(form, t, &info, &losses, &b);
	return slt_buf_take(&b, NULL);
}

static void comes_back(enum slt_interchange form, const char *text, const char *expected)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *map = written(form, text);

	assert_int_equal(losses.total, 0);
	if (!reads(form, map, &err)) {
		fail_msg("%s\n%s", err.msg, map);
	}
	if (strcmp(table, expected) != 0 || losses.total || refused.total) {
		fail_msg("%s\nnot\n%s\nfrom %s\n%s", table, expected, map,
			 losses.total	 ? losses.v[0]
			 : refused.total ? refused.v[0]
					 : "");
	}
}

static void says(const struct slt_lint *lint, const char *what)
{
	for (size_t i = 0; i < lint->n; i++) {
		if (strstr(lint->v[i], what)) {
			return;
		}
	}
	fail_msg("nobody says \"%s\", but \"%s\"", what, lint->n ? lint->v[0] : "");
}

static void becomes(enum slt_interchange form, const char *map, const char *rows)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *expected = slt_asprintf("%s%s", HEAD, rows);

	if (!reads(form, map, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_string_equal(table, expected);
}

/* --- there and back --- */

static void every_column_comes_back(void **state)
{
	static const char text[] = HEAD
		"\"q\"\tsays \"no\"\tfi\tequivalent\t{A}\tA\n"
		"10\tone\tfi\tequivalent\tP1\tp one\tboth\tyes\tdocument = 'eP' and x != 'a\"b'\t2024-01-01\t2025-12-31\t11\tretired\texact-name\ta; b\tX, 2026\tnote | \\ ä\n"
		"10\tone\tfi\tsource-is-narrower-than-target\tP2\n"
		"10\tett\tsv\tsource-is-broader-than-target\tP2\n"
		"11\t\t\trelated-to\t3 mo\t\tto-pivot\tno\n"
		"12\ttwelve\t\tnot-related-to\tP1\t\tfrom-pivot\n"
		"13\tthirteen\n"
		"14\tfourteen\tfi\tnot-related-to\t\t\tboth\t\t\t\t\t\tdraft\tno match\t\t\twhy\n"
		"14\tfjorton\tsv\n"
		"a:b/c%41 d\t=1+1\t\tequivalent\tm[iU]/h%\n"
		"å\tö\t\tequivalent\tµg\n";
	SLT_AUTO(slt_raw_table_free) struct slt_raw_table *t = parse(text);
	SLT_AUTO_BUF(b, 1 << 20);

	(void)state;
	slt_raw_table_format(t, &b);
	for (int form = SLT_CONCEPTMAP_R4; form <= SLT_SSSOM; form++) {
		comes_back((enum slt_interchange)form, text, b.p);
	}
}

static void no_relation_beside_a_code_means_equivalent(void **state)
{
	(void)state;
	for (int form = SLT_CONCEPTMAP_R4; form <= SLT_SSSOM; form++) {
		comes_back((enum slt_interchange)form, HEAD "1\t\t\t\tP\n",
			   HEAD "1\t\t\tequivalent\tP\t\t\t\t\t\t\t\t\t\t\t\t\n");
	}
}

/* The tables of the countries, byte by byte; their lists' settings are not the tables' affair. */
static void the_countries_tables_come_back(void **state)
{
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	struct slt_err err = SLT_ERR_INIT;
	size_t n = 0;

	(void)state;
	if (!slt_mapset_load("mappings", &set, &err)) {
		fail_msg("%s", err.msg);
	}
	for (size_t i = 0; i < set->n_countries; i++) {
		const struct slt_country *c = set->country[i];
		for (size_t k = 0; k < c->n_lists; k++) {
			if (!c->list[k].table) {
				continue;
			}
			const char *path = slt_table_path(c->list[k].table);
			SLT_AUTO_STR char *text = NULL;
			SLT_AUTO(slt_raw_table_free) struct slt_raw_table *t = NULL;
			SLT_AUTO_LINT(lint);
			size_t len;
			assert_true(slt_file_read(path, SLT_INTERCHANGE_MAX, &text, &len, &err));
			assert_true(slt_raw_table_load(path, &lint, &t));
			struct slt_interchange_info about = {
				c, set->pivot, &c->list[k],
				slt_country_list(set->pivot, c->list[k].id)};
			for (int form = SLT_CONCEPTMAP_R4; form <= SLT_SSSOM; form++) {
				SLT_AUTO_BUF(b, SLT_INTERCHANGE_MAX);
				slt_interchange_write((enum slt_interchange)form, t, &about, &lint,
						      &b);
				assert_true(reads((enum slt_interchange)form, b.p, &err));
				if (strcmp(table, text) != 0 || refused.total) {
					fail_msg("%s does not come back (%d)", path, form);
				}
				n++;
			}
		}
	}
	assert_true(n >= 3);
}

/* --- what is written --- */

static void the_forms_use_their_own_words(void **state)
{
	static const struct {
		const char *relation, *r4, *sssom;
	} c[] = {
		{"equivalent", "\"equivalence\":\"equivalent\"", "skos:exactMatch\tpivot"},
		{"source-is-narrower-than-target", "\"equivalence\":\"wider\"",
		 "skos:broadMatch\tpivot"},
		{"source-is-broader-than-target", "\"equivalence\":\"narrower\"",
		 "skos:narrowMatch\tpivot"},
		{"related-to", "\"equivalence\":\"relatedto\"", "skos:relatedMatch\tpivot"},
		{"not-related-to", "\"equivalence\":\"disjoint\"", "skos:relatedMatch\tNot\tpivot"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		SLT_AUTO_STR char *text = slt_asprintf(HEAD "1\tx\t\t%s\tP\n", c[i].relation);
		SLT_AUTO_STR char *r5_word = slt_asprintf("\"relationship\":\"%s\"", c[i].relation);
		SLT_AUTO_STR char *r4 = written(SLT_CONCEPTMAP_R4, text);
		SLT_AUTO_STR char *r5 = written(SLT_CONCEPTMAP_R5, text);
		SLT_AUTO_STR char *sssom = written(SLT_SSSOM, text);
		assert_non_null(strstr(r4, c[i].r4));
		assert_non_null(strstr(r5, r5_word));
		assert_non_null(strstr(sssom, c[i].sssom));
		/* what R4 demands beside "narrower" */
		assert_int_equal(strstr(r4, "\"comment\"") != NULL, i == 2);
	}
}

static void what_fhir_demands_is_there(void **state)
{
	SLT_AUTO_STR char *text =
		written(SLT_CONCEPTMAP_R5,
			HEAD "1\tx\tfi\n1\ty\tsv\n2\tz\t\tequivalent\tP\n2\tz\t\tequivalent\tQ\n");
	json_error_t why;
	json_t *map = json_loads(text, JSON_REJECT_DUPLICATES, &why);

	(void)state;
	assert_non_null(map);
	assert_string_equal(json_string_value(json_object_get(map, "status")), "active");
	const json_t *group = json_array_get(json_object_get(map, "group"), 0);
	assert_string_equal(json_string_value(json_object_get(group, "source")), "urn:oid:1.2.3");
	assert_string_equal(json_string_value(json_object_get(group, "target")),
			    "urn:silta:codes:pivot:words");
	const json_t *elements = json_object_get(group, "element");
	assert_int_equal(json_array_size(elements), 3); /* both targets of 2 stand in one */
	const json_t *first = json_array_get(elements, 0), *last = json_array_get(elements, 2);
	assert_true(json_is_true(json_object_get(first, "noMap")));
	assert_null(json_object_get(first, "target"));
	assert_int_equal(json_array_size(json_object_get(last, "target")), 2);
	json_decref(map);
}

static void what_cannot_be_said_is_a_loss(void **state)
{
	(void)state;
	free(written(SLT_CONCEPTMAP_R5, HEAD "1  2\tx\t\tequivalent\tP\n"));
	says(&losses, "two blanks in a row");
	list.identity = true;
	free(written(SLT_SSSOM, HEAD "1\tx\n"));
	says(&losses, "identity");
	SLT_AUTO_STR char *r4 = written(SLT_CONCEPTMAP_R4, HEAD "1\tx\n");
	SLT_AUTO_STR char *r5 = written(SLT_CONCEPTMAP_R5, HEAD "1\tx\n");
	list.identity = false;
	assert_int_equal(losses.total, 0);
	assert_non_null(strstr(r4, "\"unmapped\":{\"mode\":\"provided\"}"));
	assert_non_null(strstr(r5, "\"unmapped\":{\"mode\":\"use-source-code\"}"));
}

/* --- what others wrote --- */

static void others_words_are_understood(void **state)
{
	static const struct {
		const char *word, *relation;
		bool loss;
	} c[] = {{"equal", "equivalent", false},
		 {"subsumes", "source-is-narrower-than-target", true},
		 {"specializes", "source-is-broader-than-target", true},
		 {"inexact", "related-to", true}};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		SLT_AUTO_STR char *map = slt_asprintf(
			R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"equivalence\":\"%s\"}]}"),
			c[i].word);
		SLT_AUTO_STR char *row =
			slt_asprintf("1\t\t\t%s\tP\t\t\t\t\t\t\t\t\t\t\t\t\n", c[i].relation);
		becomes(SLT_CONCEPTMAP_R4, map, row);
		assert_int_equal(losses.total, c[i].loss);
	}
	becomes(SLT_SSSOM, SSSOM_HEAD "A:1\tx\tskos:closeMatch\tB:2\ty\n",
		"1\tx\t\trelated-to\t2\ty\t\t\t\t\t\t\t\t\t\t\t\n");
	says(&losses, "closeMatch is taken");
	becomes(SLT_SSSOM,
		"#curie_map:\n#  A: \"urn:a\"\nsubject_id\tpredicate_id\tobject_id\tmapping_justification\n"
		"A:b\trdfs:subClassOf\tB:2\tsemapv:LexicalMatching\r\n"
		"A:a\tskos:exactMatch\tsssom:NoTermFound\tsemapv:UnspecifiedMatching\n",
		"a\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\n"
		"b\t\t\tsource-is-narrower-than-target\t2\t\t\t\t\t\t\t\t\tsemapv:LexicalMatching\t\t\t\n");
	assert_int_equal(losses.total, 0);
}

static void what_a_table_cannot_hold_is_lost_aloud(void **state)
{
	static const struct {
		enum slt_interchange form;
		const char *map, *loss;
	} c[] = {
		{SLT_CONCEPTMAP_R5,
		 R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"relationship\":\"equivalent\",\"dependsOn\":[{}]}]}"),
		 "dependsOn"},
		{SLT_CONCEPTMAP_R5,
		 R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"relationship\":\"equivalent\",\"property\":[{\"code\":\"weight\",\"valueString\":\"1\"}]}]}"),
		 "weight"},
		{SLT_CONCEPTMAP_R5,
		 R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"relationship\":\"equivalent\",\"property\":[{\"code\":\"when\",\"valueCoding\":{}}]}]}"),
		 "when"},
		{SLT_CONCEPTMAP_R4,
		 R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"equivalence\":\"equal\",\"extension\":[{\"url\":\"http://x\",\"valueString\":\"1\"}]}]}"),
		 "http://x"},
		{SLT_CONCEPTMAP_R4,
		 R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"equivalence\":\"equal\",\"product\":[{}]}]}"),
		 "product"},
		{SLT_CONCEPTMAP_R5,
		 "{\"resourceType\":\"ConceptMap\",\"group\":[{\"unmapped\":{\"mode\":\"fixed\"},\"element\":[{\"code\":\"1\"}]}]}",
		 "unmapped"},
		{SLT_CONCEPTMAP_R5,
		 "{\"resourceType\":\"ConceptMap\",\"useContext\":[],\"group\":[{\"element\":[{\"code\":\"1\"}]}]}",
		 "useContext"},
		{SLT_CONCEPTMAP_R5,
		 "{\"resourceType\":\"ConceptMap\",\"group\":[{\"source\":\"a\",\"element\":[{\"code\":\"1\"}]},{\"source\":\"b\",\"element\":[{\"code\":\"2\"}]}]}",
		 "group 2: its code systems"},
		{SLT_SSSOM,
		 "subject_id\tpredicate_id\tobject_id\tconfidence\nA:1\tskos:exactMatch\tB:1\t0.9\n",
		 "confidence"},
		{SLT_SSSOM,
		 "subject_id\tpredicate_id\tobject_id\nA:1\tskos:exactMatch\tB:1\nC:2\tskos:exactMatch\tB:2\n",
		 "prefix C"},
	};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		if (!reads(c[i].form, c[i].map, &err)) {
			fail_msg("%zu: %s", i, err.msg);
		}
		assert_int_equal(refused.total, 0);
		says(&losses, c[i].loss);
	}
}

static void rows_that_no_table_may_hold_are_refused(void **state)
{
	static const struct {
		enum slt_interchange form;
		const char *map, *why;
	} c[] = {
		{SLT_CONCEPTMAP_R5, R5("{\"display\":\"x\"}"), "has no code"},
		{SLT_CONCEPTMAP_R5, R5("{\"code\":\"\"}"), "no code"},
		{SLT_CONCEPTMAP_R5, R5("{\"code\":7}"), "has no code"},
		{SLT_CONCEPTMAP_R5, R5("{\"code\":\" 1\"}"), "blank"},
		{SLT_CONCEPTMAP_R5, R5("{\"code\":\"a\\tb\"}"), "control character"},
		{SLT_CONCEPTMAP_R5, R5("{\"code\":\"a\",\"display\":\"x\\ny\"}"),
		 "control character"},
		{SLT_CONCEPTMAP_R5, R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\"}]}"),
		 "relationship"},
		{SLT_CONCEPTMAP_R5,
		 R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"relationship\":\"equal\"}]}"),
		 "relationship"},
		{SLT_CONCEPTMAP_R5,
		 R5("{\"code\":\"1\",\"target\":[{\"valueSet\":\"x\",\"relationship\":\"equivalent\"}]}"),
		 "target has no code"},
		{SLT_CONCEPTMAP_R5,
		 R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"relationship\":\"equivalent\",\"property\":[{\"code\":\"valid_from\",\"valueDateTime\":\"2024\"}]}]}"),
		 "no date"},
		{SLT_CONCEPTMAP_R5,
		 R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"relationship\":\"equivalent\",\"property\":[{\"code\":\"status\",\"valueString\":\"old\"}]}]}"),
		 "none of the words"},
		{SLT_CONCEPTMAP_R4,
		 R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"equivalence\":\"alike\"}]}"),
		 "equivalence"},
		{SLT_CONCEPTMAP_R4,
		 R5("{\"code\":\"1\",\"target\":[{\"code\":\"P\",\"relationship\":\"equivalent\"}]}"),
		 "equivalence"},
		{SLT_SSSOM, SSSOM_HEAD "sssom:NoTermFound\tx\tskos:exactMatch\tB:2\ty\n",
		 "no code"},
		{SLT_SSSOM, SSSOM_HEAD "A:1\tx\tskos:likes\tB:2\ty\n", "skos:likes"},
		{SLT_SSSOM, SSSOM_HEAD "A:1%0A\tx\tskos:exactMatch\tB:2\ty\n", "control character"},
		{SLT_SSSOM, SSSOM_HEAD "A:1%FF\tx\tskos:exactMatch\tB:2\ty\n", "is not UTF-8"},
		{SLT_SSSOM, SSSOM_HEAD "A:1\tx\x80\tskos:exactMatch\tB:2\ty\n", "is not UTF-8"},
		{SLT_SSSOM, SSSOM_HEAD "A:1%00\tx\tskos:exactMatch\tB:2\ty\n", "control character"},
		{SLT_SSSOM, SSSOM_HEAD "A:1\t\"x\ny\"\tskos:exactMatch\tB:2\ty\n",
		 "control character"},
		{SLT_SSSOM, SSSOM_HEAD "A:1\tx\tskos:exactMatch\tB:2\ty\tz\n", "more cells"},
		{SLT_SSSOM, SSSOM_HEAD "A:1\t\"x\tskos:exactMatch\tB:2\ty", "malformed"},
		{SLT_SSSOM,
		 "subject_id\tpredicate_id\tpredicate_modifier\tobject_id\nA:1\tskos:exactMatch\tNot\tB:2\n",
		 "Not skos:exactMatch"},
		{SLT_SSSOM,
		 "subject_id\tpredicate_id\tpredicate_modifier\tobject_id\nA:1\tskos:exactMatch\tMaybe\tB:2\n",
		 "Maybe"},
	};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		if (!reads(c[i].form, c[i].map, &err)) {
			fail_msg("%zu: %s", i, err.msg);
		}
		assert_string_equal(table, HEAD);
		assert_int_equal(refused.total, 1);
		says(&refused, c[i].why);
	}
}

static void what_is_no_map_is_refused_whole(void **state)
{
	static const struct {
		enum slt_interchange form;
		const char *map;
	} c[] = {
		{SLT_CONCEPTMAP_R5, ""},
		{SLT_CONCEPTMAP_R5, "[]"},
		{SLT_CONCEPTMAP_R5, "{"},
		{SLT_CONCEPTMAP_R5, "{\"resourceType\":\"ValueSet\",\"group\":[]}"},
		{SLT_CONCEPTMAP_R5, "{\"resourceType\":\"ConceptMap\"}"},
		{SLT_CONCEPTMAP_R5, "{\"resourceType\":\"ConceptMap\",\"group\":{}}"},
		{SLT_CONCEPTMAP_R5, "{\"resourceType\":\"ConceptMap\",\"group\":[],\"group\":[]}"},
		{SLT_SSSOM, ""},
		{SLT_SSSOM, "#only: a head\n"},
		{SLT_SSSOM, "subject_id\tobject_id\n"},
		{SLT_SSSOM, "subject_id\tpredicate_id\tobject_id\tsubject_id\n"},
		{SLT_SSSOM, "subject_id\t\"predicate_id\tobject_id\n"},
	};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		if (reads(c[i].form, c[i].map, &err)) {
			fail_msg("%zu is taken", i);
		}
		assert_int_equal(err.code, SLT_EINVAL);
		slt_err_clear(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_column_comes_back),
		cmocka_unit_test(no_relation_beside_a_code_means_equivalent),
		cmocka_unit_test(the_countries_tables_come_back),
		cmocka_unit_test(the_forms_use_their_own_words),
		cmocka_unit_test(what_fhir_demands_is_there),
		cmocka_unit_test(what_cannot_be_said_is_a_loss),
		cmocka_unit_test(others_words_are_understood),
		cmocka_unit_test(what_a_table_cannot_hold_is_lost_aloud),
		cmocka_unit_test(rows_that_no_table_may_hold_are_refused),
		cmocka_unit_test(what_is_no_map_is_refused_whole),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
