/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mapset_fixture.h"

static void a_set_is_loaded_whole(void **state)
{
	struct fixture f;
	SLT_AUTO(slt_mapset_free) struct slt_mapset *s = NULL, *again = NULL;
	struct slt_err err = SLT_ERR_INIT;
	const char *environment = NULL;
	struct slt_map_service service;

	(void)state;
	fixture_begin(&f);
	bool good = slt_mapset_load(f.dir, &s, &err) && slt_mapset_load(f.dir, &again, &err);
	fixture_end(&f);
	if (!good) {
		fail_msg("%s", err.msg);
	}
	assert_string_equal(slt_mapset_digest(s), slt_mapset_digest(again));
	assert_int_equal(strlen(slt_mapset_digest(s)), 64);
	assert_string_equal(slt_mapset_country(s, "AA-T", &environment), "AA");
	assert_string_equal(environment, "test");
	assert_null(slt_mapset_country(s, "aa", &environment));
	assert_true(slt_mapset_service(s, "demo", "AA", "BB", "Hae", &service, &err));
	assert_string_equal(service.name, "too");
	assert_string_equal(service.version, "v2");
	assert_string_equal(service.id, "get");
	assert_false(slt_mapset_service(s, "demo", "BB", "AA", "Hae", &service, &err));
	assert_int_equal(err.code, SLT_EUNKNOWN_SERVICE);
	assert_false(slt_mapset_service(s, "none", "AA", "BB", "Hae", &service, &err));
	assert_false(slt_mapset_service(s, "demo", "AA", "CC", "Hae", &service, &err));
	assert_int_equal(slt_mapset_attachment(s, "demo", "application/pdf; x=1"), SLT_MAP_PASSED);
	assert_int_equal(slt_mapset_attachment(s, "demo", "text/xml"), SLT_MAP_MAPPED);
	assert_int_equal(slt_mapset_attachment(s, "demo", "application/cda+xml"), SLT_MAP_MAPPED);
	assert_int_equal(slt_mapset_attachment(s, "demo", "image/png"), SLT_MAP_REFUSED);
	assert_int_equal(slt_mapset_attachment(s, "none", "text/xml"), SLT_MAP_REFUSED);
	struct slt_mapset *held = slt_mapset_ref(s);
	slt_mapset_free(held);
	assert_non_null(slt_mapset_find_country(s, "AA"));
}

static void a_set_has_its_days(void **state)
{
	struct fixture f;
	SLT_AUTO(slt_mapset_free) struct slt_mapset *s = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	fixture_begin(&f);
	bool good = slt_mapset_load(f.dir, &s, &err);
	fixture_end(&f);
	assert_true(good);
	assert_true(slt_mapset_in_force(s, "AA", "BB", INT64_C(1577836800000), &err));
	assert_false(slt_mapset_in_force(s, "AA", "BB", INT64_C(1577836799000), &err));
	assert_int_equal(err.code, SLT_FED_TRC_001);
	assert_true(slt_mapset_in_force(s, "AA", "BB", INT64_C(1924991999000), &err));
	assert_false(slt_mapset_in_force(s, "AA", "BB", INT64_C(1924992000000), &err));
	assert_false(slt_mapset_in_force(s, "AA", "CC", INT64_C(1577836800000), &err));
}

/* Any change of any file changes the digest. */
static void the_digest_covers_every_file(void **state)
{
	static const char *const files[] = {"messages.tsv",	     "pivot/pivot.conf",
					    "pivot/form.tsv",	     "countries/AA/country.conf",
					    "countries/AA/unit.tsv", "flows/demo/common.conf",
					    "flows/demo/BB.conf"};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(files); i++) {
		struct fixture f;
		SLT_AUTO(slt_mapset_free) struct slt_mapset *s = NULL, *t = NULL;
		struct slt_err err = SLT_ERR_INIT;
		SLT_AUTO_STR char *changed = fixture_with(files[i], "", "# changed\n");
		fixture_begin(&f);
		bool good = slt_mapset_load(f.dir, &s, &err);
		fixture_write(&f, files[i], changed);
		good = good && slt_mapset_load(f.dir, &t, &err);
		fixture_end(&f);
		if (!good) {
			fail_msg("%s: %s", files[i], err.msg);
		}
		assert_string_not_equal(slt_mapset_digest(s), slt_mapset_digest(t));
	}
}

#define SHAPE(rest, parts)                                                                         \
	"shapes = ( { id = \"s\"; match = [ \"d:own\" ]; signature_at = \"d:sig\"; " rest          \
	" parts = ( " parts " ); } );\nfaults"
#define SHAPED(part) SHAPE("becomes = \"doc\";", part)

static const struct {
	const char *file, *old, *new, *says;
} mistakes[] = {
	/* countries */
	{"countries/AA/country.conf", "country = \"AA\"", "country = \"AB\"",
	 "in the directory of AA"},
	{"countries/AA/country.conf", "version = \"1\";", "", "version is missing"},
	{"countries/AA/country.conf", "2020-01-01", "1.1.2020", "effective_from is not a date"},
	{"countries/AA/country.conf", "languages = [ \"a\" ];", "languages = [ ];", "no language"},
	{"countries/AA/country.conf", "numeric", "numerik", "numerik"},
	{"countries/AA/country.conf", "\"production\"", "\"prod\"", "production|test|development"},
	{"countries/AA/country.conf", "system = \"f\"", "system = \"g\"", "is none of the systems"},
	{"countries/AA/country.conf", "id = \"s\"; oid", "id = \"f\"; oid", "stands twice"},
	{"countries/AA/country.conf", "id = \"unit\"", "id = \"form\"", "stands twice"},
	{"countries/AA/country.conf", "id = \"unit\"", "id = \"units\"", "the pivot has no list"},
	{"countries/AA/country.conf", "file = \"unit.tsv\";", "", "neither a file nor identity"},
	{"countries/AA/country.conf", "file = \"unit.tsv\";", "file = \"unit.tsv\"; identity = 1;",
	 "true or false"},
	{"countries/AA/country.conf", "file = \"sex.tsv\";", "identity = true;",
	 "identity needs a file or a pattern"},
	{"countries/AA/country.conf", "\"hetu\"", "\"HETU\"", "is not hetu, isikukood, ytunnus"},
	{"countries/AA/country.conf", "check = \"hetu\"", "pattern = \"[0-9\"",
	 "no extended regular expression"},
	{"countries/AA/country.conf", "file = \"unit.tsv\"", "file = \"nothere.tsv\"",
	 "nothere.tsv"},
	{"countries/AA/country.conf", "file = \"unit.tsv\"", "file = \"unit.tsv\"; sha256 = \"00\"",
	 "SHA-256 is"},
	{"countries/AA/country.conf", "systems =", "@include \"x\"\nsystems =", "@include"},
	{"countries/AA/country.conf", "systems = (", "systems = ", "country.conf"},
	{"countries/AA/form.tsv", "10\tTabletti\tP1", "10\tTabletti\tP77",
	 "P77' is not in the pivot"},
	{"countries/AA/form.tsv", "10\tTabletti\tP1", "99\tTabletti\tP1", "not in the order"},
	{"pivot/pivot.conf", "pattern = \"[a-zA-Z]+\"", "pattern = \"(\"", "regular expression"},
	{"pivot/pivot.conf", "id = \"px\"; oid", "ident = \"px\"; oid", "ident"},
	{"pivot/form.tsv", "P1\ttablet", "P1\ttablet ", "blank"},
	{"messages.tsv", "key\tlang\ttext", "key\tlang", "column 'text' is missing"},
	{"messages.tsv", "FED-MAP-001\tet", "FED-MAP-000\tet", "not in order"},
	/* the flow */
	{"flows/demo/common.conf", "flow = \"demo\"", "flow = \"domo\"", "in the directory demo"},
	{"flows/demo/common.conf", "version = \"f1\";", "", "version is missing"},
	{"flows/demo/common.conf", "prefix = \"e\"", "prefix = \"d\"", "stands twice"},
	{"flows/demo/common.conf", "request = \"p:get\"", "request = \"q:get\"", "declared prefix"},
	{"flows/demo/common.conf", "match = [ \"d:doc\" ]", "match = [ \"d:doc/d:x\" ]",
	 "match names one element"},
	{"flows/demo/common.conf", "match = [ \"d:doc\" ]; ", "", "needs match or content_types"},
	{"flows/demo/common.conf", "pass = true", "cda = true", "pass = true"},
	{"flows/demo/common.conf", "where = \"//d:form\"", "where = \"//z:form\"",
	 "not among the namespaces"},
	{"flows/demo/common.conf", "where = \"//d:form\"", "where = \"//d:form[1]\"",
	 "where: path"},
	{"flows/demo/common.conf", "where = \"//d:form\"", "where = \"//d:form/@code\"",
	 "code is for elements"},
	{"flows/demo/common.conf", "where = \"//d:form\"", "where = \"//d:form | //d:x/@y\"",
	 "code is for elements"},
	{"flows/demo/common.conf", "where = \"//d:amount/@unit\"",
	 "where = \"//d:amount/@unit | //d:x\"", "alternatives must all be"},
	{"flows/demo/common.conf", "where = \"//d:amount/@unit\"",
	 "where = \"//d:amount/@unit | //d:x/@y\"", "the same attribute"},
	{"flows/demo/common.conf", "what = \"code\"", "what = \"kode\"", "what must be one of"},
	{"flows/demo/common.conf", "table = \"form\"", "table = \"forms\"",
	 "the pivot has no such list"},
	{"flows/demo/common.conf", "table = \"form\"; field", "field", "code needs table"},
	{"flows/demo/common.conf", "usage = \"R\"", "usage = \"X\"", "usage must be one of"},
	{"flows/demo/common.conf", "usage = \"R\"", "policy = \"default\"", "go together"},
	{"flows/demo/common.conf", "usage = \"R\"", "default = \"P1\"", "go together"},
	{"flows/demo/common.conf", "usage = \"R\"", "good = [ \"equal\" ]",
	 "'equal' is no relation"},
	{"flows/demo/common.conf", "usage = \"R\"", "good = [ \"not-related-to\" ]",
	 "is no relation"},
	{"flows/demo/common.conf", "usage = \"R\"", "error = \"FED-XXX\"", "is no FED- code"},
	{"flows/demo/common.conf", "usage = \"R\"", "error = \"InternalError\"", "is no FED- code"},
	{"flows/demo/common.conf", "usage = \"R\"", "class = \"x\"",
	 "class is not an option of code"},
	{"flows/demo/common.conf", "usage = \"R\"", "separator = \",\"", "not an option of code"},
	{"flows/demo/common.conf", "usage = \"R\"", "colour = \"red\"", "colour"},
	{"flows/demo/common.conf", "usage = \"R\"", "when = \"kind =\"", "condition, character"},
	{"flows/demo/common.conf", "usage = \"R\"", "when = \"kin = 'x'\"",
	 "'kin' is not among the fields"},
	{"flows/demo/common.conf", "usage = \"R\"", "documents = [ \"dok\" ]",
	 "'dok' is no kind of document"},
	{"flows/demo/common.conf", "id = \"list-form\"", "id = \"form\"", "stands twice"},
	{"flows/demo/common.conf", "class = \"patient\"; },", "},", "identifier needs class"},
	{"flows/demo/common.conf", "code = \"d:pid\";", "", "this guard needs code"},
	{"flows/demo/common.conf", "birth = \"d:birth\"", "birth = \"d:birth[\"", "birth: path"},
	{"flows/demo/common.conf", "what = \"personal_code\"", "what = \"same_code\"",
	 "needs left, right and table"},
	{"flows/demo/common.conf", "show = \"name\"", "show = \"all\"", "show must be one of"},
	{"flows/demo/common.conf", "section = \"//d:section\"", "section = \"\"", "section: path"},
	{"flows/demo/common.conf", "where = \"d:kind/@value\"", "where = \"d:kind/../x\"",
	 "where: path"},
	{"flows/demo/AA.conf", "country = \"AA\"", "country = \"BB\"", "in the file of AA"},
	{"flows/demo/AA.conf", "id = \"get\"", "id = \"got\"", "not among the messages"},
	{"flows/demo/AA.conf", "pivot = \"p:form\"", "pivot = \"p:person\"", "cannot go both ways"},
	{"flows/demo/AA.conf", "juuri=root", "juuri", "not of the form national=pivot"},
	{"flows/demo/AA.conf", "juuri=root", "=root", "not of the form national=pivot"},
	{"flows/demo/AA.conf", "national = \"x:oma\"", "national = \"oma\"", "declared prefix"},
	{"flows/demo/AA.conf", "faults", "fault", "fault"},
	{"flows/demo/AA.conf", "faults", SHAPE("becomes = \"dok\";", ""),
	 "no kind of XML document"},
	{"flows/demo/AA.conf", "faults", SHAPE("", ""), "becomes is missing"},
	{"flows/demo/AA.conf", "faults", SHAPE("becomes = \"doc\"; signature = \"ignored\";", ""),
	 "signature must be one of"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ what = \"keep\"; from = \"d:a\"; }"),
	 "what must be one of"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ from = \"d:a\"; }"), "to is needed"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ to = \"z:a\"; from = \"d:a\"; }"),
	 "no name with a declared prefix"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ to = \"d:a//d:b\"; from = \"d:a\"; }"),
	 "no name with a declared prefix"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ to = \"d:a\"; from = \"$.a\"; }"),
	 "shapes are for XML"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ to = \"d:a\"; from = \"d:a[1]\"; }"),
	 "from: path"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ to = \"d:a\"; set = [ \"a\" ]; }"),
	 "is not name=value"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ to = \"d:a/@b\"; }"), "constants stand in set"},
	{"flows/demo/AA.conf", "faults",
	 SHAPED("{ what = \"code\"; to = \"d:a/@b\"; from = \"d:a\"; }"), "put to an element"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ what = \"drop\"; }"), "from is needed"},
	{"flows/demo/AA.conf", "faults",
	 SHAPED("{ what = \"drop\"; from = \"d:a\"; to = \"d:b\"; }"), "nothing is made here"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ what = \"check\"; from = \"d:a\"; }"),
	 "same or only is needed"},
	{"flows/demo/AA.conf", "faults",
	 SHAPED("{ to = \"d:a/@b\"; from = \"d:a\"; parts = ( { to = \"d:c\"; } ); }"),
	 "a group is put"},
	{"flows/demo/AA.conf", "faults",
	 SHAPED("{ to = \"d:a\"; from = \"d:a\"; error = \"InternalError\"; }"), "is no FED- code"},
	{"flows/demo/AA.conf", "faults", SHAPED("{ to = \"d:a\"; from = \"d:a\"; colour = 1; }"),
	 "colour"},
};

static void every_mistake_is_said_with_file_and_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < SLT_COUNT(mistakes); i++) {
		struct fixture f;
		SLT_AUTO_LINT(lint);
		SLT_AUTO(slt_mapset_free) struct slt_mapset *s = NULL, *none = NULL;
		struct slt_err err = SLT_ERR_INIT;
		SLT_AUTO_STR char *text =
			fixture_with(mistakes[i].file, mistakes[i].old, mistakes[i].new);
		bool said = false, placed = false;
		const char *base = strrchr(mistakes[i].file, '/');

		fixture_begin(&f);
		fixture_write(&f, mistakes[i].file, text);
		slt_mapset_check(f.dir, &lint, &s);
		bool loaded = slt_mapset_load(f.dir, &none, &err);
		fixture_end(&f);
		for (size_t k = 0; k < lint.n; k++) {
			bool here = strstr(lint.v[k], mistakes[i].says) != NULL;
			said |= here;
			placed |= here && (strstr(lint.v[k], base ? base + 1 : mistakes[i].file) ||
					   strstr(lint.v[k], "countries/AA") ||
					   strstr(lint.v[k], "flows/demo"));
		}
		if (!said || !placed || loaded) {
			fail_msg("case %zu (%s): \"%s\" does not say \"%s\"", i, mistakes[i].file,
				 lint.n ? lint.v[0] : "nothing", mistakes[i].says);
		}
		assert_int_equal(err.code, SLT_ECONFIG);
	}
}

static void a_directory_must_be_a_set(void **state)
{
	SLT_AUTO(slt_mapset_free) struct slt_mapset *s = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_false(slt_mapset_load("/nonexistent", &s, &err));
	assert_int_equal(err.code, SLT_ECONFIG);
	slt_err_clear(&err);
	assert_false(slt_mapset_load("/tmp", &s, &err));
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_loaded_whole),
		cmocka_unit_test(a_set_has_its_days),
		cmocka_unit_test(the_digest_covers_every_file),
		cmocka_unit_test(every_mistake_is_said_with_file_and_line),
		cmocka_unit_test(a_directory_must_be_a_set),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
