/* SPDX-License-Identifier: MIT */
/*
 * A third country joins by its own files alone (tests/data/mapset): it exchanges with both others,
 * whose files stay as they are, and its tables hold one case of each rule by which a code is
 * chosen. Run from the root of the repository.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "mappings/coverage.h"

#define NOW	  INT64_C(1795392000000) /* 2026-11-23 */
#define FI_TABLET "examples/documents/fi-01-tablet.xml"
#define EE_TABLET "examples/documents/ee-02-tablet.xml"
#define XX_TABLET "tests/data/mapset/praescriptum.xml"

static char dir[] = "/tmp/slt-third-XXXXXX";
static struct slt_mapset *set, *two; /* with the third country, and as the repository has it */

struct job {
	const char *file, *from, *to;
	const char *old, *new; /* replaced in the file, if given */
	enum slt_map_message message;
	const char *service;
	bool bytes_in; /* `file` is the document itself */
	bool strict;   /* made-up personal codes do not pass */
};

static struct slt_map_result *result;
static char *output;

static char *input_of(const struct job *j)
{
	struct slt_err err = SLT_ERR_INIT;
	char *text;
	size_t n;

	if (j->bytes_in) {
		return slt_strdup(j->file);
	}
	if (!slt_file_read(j->file, 1 << 20, &text, &n, &err)) {
		fail_msg("%s", err.msg);
	}
	if (j->old) {
		char *at = strstr(text, j->old);
		assert_non_null(at);
		char *changed = slt_asprintf("%.*s%s%s", (int)(at - text), text, j->new,
					     at + strlen(j->old));
		free(text);
		return changed;
	}
	return text;
}

static bool apply(const struct slt_mapset *s, struct job j, struct slt_err *err)
{
	SLT_AUTO_STR char *text = input_of(&j);
	struct slt_map_input in = {.from = j.from,
				   .to = j.to,
				   .flow = "eprescription",
				   .message = j.message,
				   .service = j.service,
				   .body = slt_str(text),
				   .now_ms = NOW,
				   .test_codes = !j.strict};

	slt_map_result_free(result);
	free(output);
	output = NULL;
	result = slt_map_result_new();
	if (!slt_map_apply(s, &in, result, err)) {
		return false;
	}
	SLT_AUTO_BUF(b, 1 << 20);
	assert_true(slt_map_dump(result->doc, &b, err));
	output = slt_buf_take(&b, NULL);
	return true;
}

static void becomes(struct job j, const char *const *expected)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!apply(set, j, &err)) {
		fail_msg("refused: %s", err.msg);
	}
	for (; *expected; expected++) {
		if (!strstr(output, *expected)) {
			fail_msg("not in the result: %s\n%s", *expected, output);
		}
	}
}

static void refused(struct job j, enum slt_code code, const char *why)
{
	struct slt_err err = SLT_ERR_INIT;

	if (apply(set, j, &err)) {
		fail_msg("not refused:\n%s", output);
	}
	if (err.code != code || !strstr(err.msg, why)) {
		fail_msg("%s \"%s\", not \"%s\"", slt_code_name(err.code, SLT_DIALECT_CAMEL),
			 err.msg, why);
	}
}

/* --- the exchanges --- */

static void from_finland(void **state)
{
	(void)state;
	becomes((struct job){.file = FI_TABLET, .from = "FI", .to = "XX"},
		(const char *const[]){"<pharm:formCode code=\"F1\" codeSystem=\"2.999.50.1\" "
				      "codeSystemName=\"Formae\" displayName=\"tabuletta\">",
				      "<id root=\"2.999.10.246\" extension=\"120354-914K\"/>",
				      "code=\"femina\" codeSystem=\"2.999.50.4\"", "unit=\"MGR\"",
				      "<languageCode code=\"la-XX\"/>",
				      "<title>Praescriptum</title>", NULL});
}

static void from_estonia(void **state)
{
	(void)state;
	becomes((struct job){.file = EE_TABLET, .from = "EE", .to = "XX"},
		(const char *const[]){"code=\"F1\" codeSystem=\"2.999.50.1\"",
				      /* no word of XX for Estonian persons: their own root stays */
				      "<id root=\"1.3.6.1.4.1.28284.6.2.2.1\" ", NULL});
}

static void to_finland(void **state)
{
	(void)state;
	becomes((struct job){.file = XX_TABLET, .from = "XX", .to = "FI"},
		(const char *const[]){
			/* two codes of XX for one of Finland's */
			"<pharm:formCode code=\"173\" codeSystem=\"1.2.246.537.6.852\"",
			"<translation code=\"F2\" codeSystem=\"2.999.50.1\"",
			"<id root=\"2.999.10\" extension=\"X12345678\"/>", "displayName=\"Nainen\"",
			"<numerator xsi:type=\"PQ\" value=\"5\" unit=\"mg\">",
			"<title>Lääkemääräys</title>", NULL});
}

static void to_estonia(void **state)
{
	(void)state;
	becomes((struct job){.file = XX_TABLET, .from = "XX", .to = "EE"},
		(const char *const[]){"<pharm:formCode code=\"738\" "
				      "codeSystem=\"1.3.6.1.4.1.28284.6.2.1.12\"",
				      "displayName=\"naine\"", "<languageCode code=\"et-EE\"/>",
				      NULL});
}

/* What came from XX goes home as it went, even where the table alone would say another code. */
static void what_comes_home_is_the_same(void **state)
{
	(void)state;
	becomes((struct job){.file = XX_TABLET, .from = "XX", .to = "FI"},
		(const char *const[]){NULL});
	SLT_AUTO_STR char *there = slt_strdup(output);
	becomes((struct job){.file = there, .from = "FI", .to = "XX", .bytes_in = true},
		(const char *const[]){"<pharm:formCode code=\"F2\" codeSystem=\"2.999.50.1\"",
				      NULL});
}

/* What one country can be offered is what the other has, too. */
static void offers_are_what_both_have(void **state)
{
	struct slt_map_offer o;
	size_t n = 0;

	(void)state;
	while (slt_mapset_offer_at(set, "eprescription", "FI", "EE", n, &o)) {
		n++;
	}
	assert_int_equal(n, 6); /* and two of JSON */
	assert_true(slt_mapset_offer_at(set, "eprescription", "FI", "EE", 5, &o));
	assert_string_equal(o.name, "laaketoimitus-fhir");
	assert_true(o.json);
	assert_true(slt_mapset_offer_at(set, "eprescription", "FI", "XX", 0, &o));
	assert_string_equal(o.name, "HaeLaakemaaraykset");
	assert_string_equal(o.version, "v1");
	assert_string_equal(o.element[0], "HaeLaakemaaraykset");
	assert_string_equal(o.element[1], "HaeLaakemaarayksetResponse");
	assert_string_equal(o.uri[0], "http://reseptikeskus.example.fi/rajat-ylittava/1");
	assert_false(o.json);
	/* XX cannot cancel */
	assert_true(slt_mapset_offer_at(set, "eprescription", "FI", "XX", 2, &o));
	assert_false(slt_mapset_offer_at(set, "eprescription", "FI", "XX", 3, &o));
	assert_false(slt_mapset_offer_at(set, "eprescription", "FI", "SE", 0, &o));
	assert_false(slt_mapset_offer_at(set, "none", "FI", "EE", 0, &o));
	assert_true(slt_mapset_offer_at(set, "register", "EE", "FI", 1, &o));
	assert_string_equal(o.name, "ettevotjad");
	assert_true(o.json);
	assert_null(o.element[0]);
}

static void services_have_each_countrys_names(void **state)
{
	struct slt_map_service s;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_mapset_service(set, "eprescription", "FI", "XX", "HaeLaakemaaraykset", &s,
				       &err));
	assert_string_equal(s.name, "enumera");
	assert_string_equal(s.version, "v3");
	assert_true(slt_mapset_service(set, "eprescription", "XX", "EE", "affer", &s, &err));
	assert_string_equal(s.name, "valisretseptiParing");
	/* XX cannot cancel */
	assert_false(slt_mapset_service(set, "eprescription", "FI", "XX", "MitatoiLaaketoimitus",
					&s, &err));
	becomes((struct job){.file = "tests/data/eprescription/fi-list-response.xml",
			     .from = "FI",
			     .to = "XX",
			     .message = SLT_MAP_RESPONSE,
			     .service = "enumera",
			     .old = "<rk:laakemuoto koodi=\"462\"",
			     .new = "<rk:laakemuoto koodi=\"173\""},
		(const char *const[]){"<rx:enumerata", "<rx:status>apertum</rx:status>",
				      "<rx:forma codex=\"F1\" nomen=\"tabuletta\"/>", NULL});
	refused((struct job){.file = "tests/data/eprescription/fi-cancel-request.xml",
			     .from = "FI",
			     .to = "XX",
			     .service = "MitatoiLaaketoimitus"},
		SLT_FED_STR_002, "");
}

static void instances_are_known(void **state)
{
	const char *environment = NULL;

	(void)state;
	assert_string_equal(slt_mapset_country(set, "XX", &environment), "XX");
	assert_string_equal(environment, "production");
	assert_string_equal(slt_mapset_country(set, "XX-TEST", &environment), "XX");
	assert_string_equal(environment, "test");
	assert_null(slt_mapset_country(two, "XX", &environment));
}

/* --- how a code is chosen --- */

#define FORM(code) "<pharm:formCode code=\"" code "\""

/* The prescription with another form, without its name. */
static struct job with_form(const char *from, const char *to, const char *code)
{
	static char new[96];
	bool xx = strcmp(from, "XX") == 0;

	snprintf(new, sizeof(new), FORM("%s") " codeSystem=\"%s\"/>", code,
		 xx ? "2.999.50.1" : "1.2.246.537.6.852");
	return (struct job){
		.file = xx ? XX_TABLET : FI_TABLET,
		.from = from,
		.to = to,
		.old = xx ? FORM("F2") " codeSystem=\"2.999.50.1\" codeSystemName=\"Formae\" "
				       "displayName=\"tabuletta veterana\"/>"
			  : FORM("173") " codeSystem=\"1.2.246.537.6.852\" "
					"codeSystemName=\"Fimea-Lääkemuodot\" "
					"displayName=\"tabletti\"/>",
		.new = new,
	};
}

static void one_of_many_is_the_preferred(void **state)
{
	(void)state;
	becomes(with_form("FI", "XX", "173"), (const char *const[]){FORM("F1"), NULL});
	becomes(with_form("XX", "EE", "F1"), (const char *const[]){FORM("738"), NULL});
}

static void one_for_many_is_nobodys_guess(void **state)
{
	(void)state;
	/* F3 is a hard capsule or a soft one */
	refused(with_form("XX", "FI", "F3"), SLT_FED_MAP_003, "field");
	refused(with_form("XX", "EE", "F3"), SLT_FED_MAP_003, "");
}

static void two_of_equal_right_are_ambiguous(void **state)
{
	(void)state;
	/* a Finnish cream could be F4 or F5 */
	refused(with_form("FI", "XX", "17"), SLT_FED_MAP_003, "");
	/* on the way out both are sure */
	becomes(with_form("XX", "FI", "F4"), (const char *const[]){FORM("17"), NULL});
	becomes(with_form("XX", "FI", "F5"), (const char *const[]){FORM("17"), NULL});
}

static void a_condition_decides(void **state)
{
	(void)state;
	becomes(with_form("FI", "XX", "244"), (const char *const[]){FORM("F6"), NULL});
	becomes((struct job){.file = "tests/data/eprescription/fi-list-response.xml",
			     .from = "FI",
			     .to = "XX",
			     .message = SLT_MAP_RESPONSE,
			     .old = "<rk:laakemuoto koodi=\"173\"",
			     .new = "<rk:laakemuoto koodi=\"244\""},
		(const char *const[]){"<rx:forma codex=\"F7\"", NULL});
}

static void inexact_and_draft_rows_are_not_used(void **state)
{
	(void)state;
	refused(with_form("FI", "XX", "143"), SLT_FED_MAP_001, "");
	refused(with_form("XX", "FI", "F8"), SLT_FED_MAP_002, "");
	refused(with_form("XX", "FI", "F9"), SLT_FED_MAP_001, "");
	refused(with_form("XX", "FI", "G9"), SLT_FED_MAP_001, "");
}

static void identifiers_keep_their_form(void **state)
{
	(void)state;
	refused((struct job){.strict = true,
			     .file = XX_TABLET,
			     .from = "XX",
			     .to = "FI",
			     .old = "X12345678",
			     .new = "Y12345678"},
		SLT_FED_ID_001, "");
	refused((struct job){.strict = true,
			     .file = XX_TABLET,
			     .from = "XX",
			     .to = "EE",
			     .old = "root=\"2.999.10\"",
			     .new = "root=\"2.999.77\""},
		SLT_FED_ID_001, "");
	/* a Finnish person under the root that XX gives them: the check character still counts */
	refused((struct job){.strict = true,
			     .file = XX_TABLET,
			     .from = "XX",
			     .to = "FI",
			     .old = "root=\"2.999.10\" extension=\"X12345678\"",
			     .new = "root=\"2.999.10.246\" extension=\"120354-914L\""},
		SLT_FED_ID_002, "");
}

/* --- the others --- */

/* Finland and Estonia speak to each other as before: byte for byte the same document. */
static void nothing_changes_for_the_others(void **state)
{
	static const struct job jobs[] = {{.file = FI_TABLET, .from = "FI", .to = "EE"},
					  {.file = EE_TABLET, .from = "EE", .to = "FI"}};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_string_not_equal(slt_mapset_digest(set), slt_mapset_digest(two));
	for (size_t i = 0; i < SLT_COUNT(jobs); i++) {
		assert_true(apply(two, jobs[i], &err));
		SLT_AUTO_STR char *before = slt_strdup(output);
		assert_true(apply(set, jobs[i], &err));
		assert_string_equal(output, before);
	}
	assert_false(apply(two, (struct job){.file = XX_TABLET, .from = "XX", .to = "FI"}, &err));
	assert_int_equal(err.code, SLT_ENOTFOUND);
}

static void count_round(void *arg, const struct slt_round_trip *r)
{
	unsigned *n = arg;

	n[r->result]++;
}

static void round_trips_are_told(void **state)
{
	unsigned n[4] = {0, 0, 0, 0};

	(void)state;
	slt_round_trips(set, "doseform", "XX", "FI", 20261123, 1u << SLT_REL_EQUIVALENT,
			count_round, n);
	assert_int_equal(n[SLT_ROUND_SAME] + n[SLT_ROUND_OTHER] + n[SLT_ROUND_LOST_THERE] +
				 n[SLT_ROUND_LOST_BACK],
			 9);			      /* nine codes in force */
	assert_int_equal(n[SLT_ROUND_OTHER], 1);      /* F2 comes back as F1 */
	assert_int_equal(n[SLT_ROUND_LOST_THERE], 3); /* F3, F8; F6 without a document */
	assert_int_equal(n[SLT_ROUND_LOST_BACK], 2);  /* F4, F5 */
}

static int setup(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	if (!mkdtemp(dir)) {
		return -1;
	}
	SLT_AUTO_STR char *copy =
		slt_asprintf("cp -r mappings/messages.tsv mappings/pivot mappings/countries "
			     "mappings/flows %s && cp -r tests/data/mapset/countries "
			     "tests/data/mapset/flows %s",
			     dir, dir);
	if (system(copy) != 0 || !slt_mapset_load(dir, &set, &err) ||
	    !slt_mapset_load("mappings", &two, &err)) {
		print_error("%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_map_result_free(result);
	free(output);
	slt_mapset_free(set);
	slt_mapset_free(two);
	return slt_rm_tree(dir, &err) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_finland),
		cmocka_unit_test(from_estonia),
		cmocka_unit_test(to_finland),
		cmocka_unit_test(to_estonia),
		cmocka_unit_test(what_comes_home_is_the_same),
		cmocka_unit_test(offers_are_what_both_have),
		cmocka_unit_test(services_have_each_countrys_names),
		cmocka_unit_test(instances_are_known),
		cmocka_unit_test(one_of_many_is_the_preferred),
		cmocka_unit_test(one_for_many_is_nobodys_guess),
		cmocka_unit_test(two_of_equal_right_are_ambiguous),
		cmocka_unit_test(a_condition_decides),
		cmocka_unit_test(inexact_and_draft_rows_are_not_used),
		cmocka_unit_test(identifiers_keep_their_form),
		cmocka_unit_test(nothing_changes_for_the_others),
		cmocka_unit_test(round_trips_are_told),
	};

	slt_xml_init();
	return cmocka_run_group_tests_name("third country", tests, setup, teardown);
}
