/* SPDX-License-Identifier: MIT */
/*
 * Errors that real documents of the European service had, and situations that a pharmacist must be
 * told of: each is refused, reported or put right, as far as a document by itself shows it. What
 * it does not show stands in tests/data/known-limits.md. Run from the root of the repository.
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
#include "mappings/engine.h"

#define NOW	 INT64_C(1795392000000) /* 2026-11-23 */
#define DOCS	 "examples/documents/"
#define MESSAGES "tests/data/eprescription/"
#define FI_FORM                                                                                    \
	"<pharm:formCode code=\"173\" codeSystem=\"1.2.246.537.6.852\" "                           \
	"codeSystemName=\"Fimea-Lääkemuodot\" displayName=\"tabletti\"/>"
#define FI_NAME	 "<name>Amlovirta 5 mg</name>"
#define EDQM	 "codeSystem=\"0.4.0.127.0.16.1.1.2.1\""

#define ORDER_ID "<id root=\"1.2.246.10.98765430.93.2026.1000001\"/>"

static struct slt_mapset *set;
static struct slt_map_result *result;
static char *output;

struct job {
	const char *file, *old, *new;
	enum slt_map_message message;
	bool strict;
};

static char *input_of(const struct job *j)
{
	struct slt_err err = SLT_ERR_INIT;
	char *text;
	size_t n;

	if (!slt_file_read(j->file, 1 << 20, &text, &n, &err)) {
		fail_msg("%s", err.msg);
	}
	if (j->old) {
		char *at = strstr(text, j->old);
		if (!at) {
			fail_msg("not in %s: %s", j->file, j->old);
		}
		char *changed = slt_asprintf("%.*s%s%s", (int)(at - text), text, j->new,
					     at + strlen(j->old));
		free(text);
		return changed;
	}
	return text;
}

static bool apply(struct job j, struct slt_err *err)
{
	SLT_AUTO_STR char *text = input_of(&j);
	bool from_ee = strstr(j.file, "ee-") != NULL;
	const struct slt_map_input in = {.from = from_ee ? "EE" : "FI",
					 .to = from_ee ? "FI" : "EE",
					 .flow = "eprescription",
					 .message = j.message,
					 .body = slt_str(text),
					 .now_ms = NOW,
					 .test_codes = !j.strict};

	slt_map_result_free(result);
	free(output);
	output = NULL;
	result = slt_map_result_new();
	if (!slt_map_apply(set, &in, result, err)) {
		return false;
	}
	SLT_AUTO_BUF(b, 1 << 20);
	assert_true(slt_map_dump(result->doc, &b, err));
	output = slt_buf_take(&b, NULL);
	return true;
}

static void refused(struct job j, enum slt_code code, const char *rule)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *by = slt_asprintf("(rule %s ", rule);

	if (apply(j, &err)) {
		fail_msg("not refused");
	}
	if (err.code != code || !strstr(err.msg, by)) {
		fail_msg("%s %s, not by %s", slt_code_name(err.code, SLT_DIALECT_CAMEL), err.msg,
			 rule);
	}
}

static unsigned warnings(enum slt_code code, const char *rule)
{
	unsigned n = 0;

	for (size_t i = 0; i < result->problems->n; i++) {
		const struct slt_map_problem *p = &result->problems->v[i];
		n += p->code == code && p->severity == SLT_SEV_WARNING &&
		     strcmp(p->rule, rule) == 0;
	}
	return n;
}

/* Passed on, with exactly one warning of the rule. */
static void reported(struct job j, enum slt_code code, const char *rule)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!apply(j, &err)) {
		fail_msg("refused: %s", err.msg);
	}
	assert_int_equal(warnings(code, rule), 1);
}

static void becomes(struct job j, const char *expected)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!apply(j, &err)) {
		fail_msg("refused: %s", err.msg);
	}
	if (!strstr(output, expected)) {
		fail_msg("not in the result: %s\n%s", expected, output);
	}
}

static struct job fi(const char *old, const char *new)
{
	return (struct job){.file = DOCS "fi-01-tablet.xml", .old = old, .new = new};
}

static struct job ee(const char *old, const char *new)
{
	return (struct job){.file = DOCS "ee-02-tablet.xml", .old = old, .new = new};
}

static struct job dispensed(const char *old, const char *new)
{
	return (struct job){.file = DOCS "dispensation-ee-01.xml", .old = old, .new = new};
}

/* --- dose forms --- */

/* A film-coated tablet shown as an ear tampon. */
static void a_name_of_another_code(void **state)
{
	(void)state;
	refused(fi(FI_FORM,
		   "<pharm:formCode code=\"10714000\" " EDQM " displayName=\"tabletti\"/>"),
		SLT_FED_ID_003, "form");
	refused(fi(FI_FORM,
		   "<pharm:formCode code=\"10219000\" " EDQM " displayName=\"Ear tampon\"/>"),
		SLT_FED_ID_003, "form");
	/* a syringe in words, a plain solution in the code */
	refused(ee("displayName=\"tablett\"", "displayName=\"süstelahus süstlis\""), SLT_FED_ID_003,
		"form");
}

/* A pen coded as a syringe: the national code beside it tells. */
static void a_translation_of_another_code(void **state)
{
	(void)state;
	refused(fi(FI_FORM,
		   "<pharm:formCode code=\"50060300\" " EDQM ">"
		   "<translation code=\"462\" codeSystem=\"1.2.246.537.6.852\"/></pharm:formCode>"),
		SLT_FED_ID_003, "form");
	refused(dispensed("<translation code=\"173\"", "<translation code=\"235\""), SLT_FED_ID_003,
		"form");
	becomes(fi(FI_FORM, "<pharm:formCode code=\"50060200\" " EDQM ">"
			    "<translation code=\"462\" codeSystem=\"1.2.246.537.6.852\"/>"
			    "</pharm:formCode>"),
		"<pharm:formCode code=\"1461\"");
}

/* "Vaginal Cream" for "Vaginal cream" is no other name. */
static void letter_case_is_no_difference(void **state)
{
	(void)state;
	becomes(fi(FI_FORM, "<pharm:formCode code=\"10219000\" " EDQM " displayName=\"TABLET\"/>"),
		"<pharm:formCode code=\"738\"");
	becomes(fi("displayName=\"tabletti\"/>", "displayName=\"Tabletti\"/>"),
		"<pharm:formCode code=\"738\"");
}

/* A solution for infusion coded as a film-coated tablet. */
static void a_product_named_after_another_form(void **state)
{
	(void)state;
	reported(dispensed("<name>Amlobalti 5 mg</name>",
			   "<name>Paracetamol 10 mg/ml solution for infusion</name>"),
		 SLT_FED_ID_003, "name-fits-form");
	reported(fi(FI_NAME, "<name>Amlovirta 5 mg kapseli, kova</name>"), SLT_FED_ID_003,
		 "name-fits-form");
	reported(fi("<pharm:desc>5 mg</pharm:desc>",
		    "<pharm:desc>5 mg (kapseli, kova)</pharm:desc>"),
		 SLT_FED_ID_003, "strength-fits-form");
}

static void a_name_that_fits_is_no_problem(void **state)
{
	static const char *const names[] = {
		"<name>Amlovirta 5 mg tabletti</name>", "<name>AMLOVIRTA TABLET 5 mg</name>",
		"<name>tabletti (ei kapseli, kova)</name>", "<name>  </name>", "<name/>"};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		assert_true(apply(fi(FI_NAME, names[i]), &err));
		assert_int_equal(result->problems->n, 0);
	}
	/* the general word inside the form's own name */
	assert_true(apply(fi(FI_FORM, "<pharm:formCode code=\"235\" "
				      "codeSystem=\"1.2.246.537.6.852\"/>"),
			  &err));
	assert_int_equal(result->problems->n, 0);
}

static void codes_that_are_none(void **state)
{
	(void)state;
	/* a digit too many; the number of a list; nothing; another system */
	refused(fi(FI_FORM, "<pharm:formCode code=\"1000000736844\" " EDQM "/>"), SLT_FED_MAP_004,
		"form");
	refused(fi(FI_FORM,
		   "<pharm:formCode code=\"100000073346\" " EDQM " displayName=\"Tube\"/>"),
		SLT_FED_MAP_004, "form");
	refused(fi(FI_FORM, "<pharm:formCode code=\"0\" " EDQM "/>"), SLT_FED_MAP_004, "form");
	refused(fi(FI_FORM, "<pharm:formCode nullFlavor=\"UNK\"/>"), SLT_FED_STR_003, "form");
	refused(fi(FI_FORM, "<pharm:formCode code=\"TABFILM\" codeSystem=\"1.2.3\"/>"),
		SLT_FED_MAP_001, "form");
}

/* --- structure --- */

static void small_faults_are_put_right(void **state)
{
	(void)state;
	becomes(fi("extension=\"POCD_HD000040\"", "extension=\"POCD_HD00040\""),
		"extension=\"POCD_HD000040\"");
	becomes(fi("extension=\"POCD_HD000040\"", "extension=\"POCD_MT000040\""),
		"extension=\"POCD_HD000040\"");
	becomes(fi("<statusCode code=\"completed\"/>", "<statusCode code=\"completed \"/>"),
		"<statusCode code=\"completed\"/>");
	becomes(fi("<statusCode code=\"active\"/>", "<statusCode code=\"active \"/>"),
		"<statusCode code=\"active\"/>");
	/* an Estonian word where the codes speak for themselves */
	becomes(ee("<code code=\"SUBST\"", "<code displayName=\"Asendamine\" code=\"SUBST\""),
		"displayName=\"Substitution\"");
}

/* What another reader could take for something, and no rule would ever have looked at. */
static void nothing_unknown_passes(void **state)
{
	static const char *const more[] = {
		"<pharm:formCod code=\"1\"/>",
		"<fromCode code=\"1\"/>",
		"<x:formCode xmlns:x=\"urn:x\" code=\"1\"/>",
		"<formCode xmlns=\"\" code=\"1\"/>",
		"<?form 1?>",
	};

	(void)state;
	refused(fi(FI_FORM, ""), SLT_FED_STR_003, "needs-form");
	for (size_t i = 0; i < SLT_COUNT(more); i++) {
		SLT_AUTO_STR char *text = slt_asprintf("%s" FI_FORM, more[i]);
		refused(fi(FI_FORM, text), SLT_FED_STR_002, "cda");
	}
	/* a mark is not hidden by blanks around the system's name */
	refused(fi(FI_FORM, FI_FORM "<pharm:asSpecializedKind><pharm:code code=\"H\" "
				    "codeSystem=\" 1.2.246.537.5.40118.2006\"/>"
				    "</pharm:asSpecializedKind>"),
		SLT_FED_STR_002, "cda");
	refused(fi(FI_FORM, FI_FORM "<ds:Signature "
				    "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>"),
		SLT_FED_SIG_002, "cda");
}

static void a_translation_in_the_wrong_namespace(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	/* an odd prefix for the right namespace, and the wrong namespace */
	becomes(fi(FI_FORM, "<pharm:formCode code=\"173\" codeSystem=\"1.2.246.537.6.852\">"
			    "<x:translation xmlns:x=\"urn:hl7-org:v3\" code=\"10219000\" " EDQM
			    "/></pharm:formCode>"),
		"<pharm:formCode code=\"738\"");
	assert_true(apply(fi(FI_FORM, "<pharm:formCode code=\"173\" "
				      "codeSystem=\"1.2.246.537.6.852\"><pharm:translation "
				      "code=\"10219000\" " EDQM "/></pharm:formCode>"),
			  &err));
	assert_null(strstr(output, "<pharm:translation"));
	assert_non_null(strstr(output, "<translation code=\"10219000\""));
}

static void a_container_that_is_only_a_word(void **state)
{
	(void)state;
	reported(fi("<pharm:formCode code=\"9\" codeSystem=\"sailytysastiat\" "
		    "codeSystemName=\"Säilytysastiat\" displayName=\"Läpipainopakkaus\"/>",
		    "<pharm:formCode code=\"läpipainettu\" codeSystem=\"sailytysastiat\"/>"),
		 SLT_FED_MAP_001, "container");
	assert_non_null(strstr(output, "<originalText>läpipainettu</originalText>"));
}

static void times_are_not_invented(void **state)
{
	(void)state;
	becomes(fi("<effectiveTime value=\"20261102101500+0200\"/>",
		   "<effectiveTime value=\"20190131000000\"/>"),
		"<effectiveTime value=\"20190131000000\"/>");
	becomes(fi("<effectiveTime value=\"20261102101500+0200\"/>",
		   "<effectiveTime value=\"20130411\"/>"),
		"<effectiveTime value=\"20130411\"/>");
	refused(fi("<effectiveTime value=\"20261102101500+0200\"/>",
		   "<effectiveTime value=\"20261302\"/>"),
		SLT_FED_STR_002, "document-time");
}

static void an_address_in_one_line_stays_one(void **state)
{
	(void)state;
	becomes(fi("<streetAddressLine>Mäntykuja 6 A 2</streetAddressLine>\n\t\t\t\t"
		   "<postalCode>33560</postalCode>\n\t\t\t\t<city>Tampere</city>",
		   "<streetAddressLine>Mäntykuja 6 A 2, 33560 Tampere</streetAddressLine>"),
		"<streetAddressLine>Mäntykuja 6 A 2, 33560 Tampere</streetAddressLine>");
}

/* --- persons --- */

static void persons(void **state)
{
	struct job j = fi("extension=\"120354-914K\"", "extension=\"120354-914L\"");

	(void)state;
	j.strict = true;
	refused(j, SLT_FED_ID_002, "patient-id");
	j = ee("extension=\"36802279845\"", "extension=\"EE-EE-36802279845\"");
	j.strict = true;
	refused(j, SLT_FED_ID_001, "patient-id");
	refused(fi("<birthTime value=\"19540312\"/>", "<birthTime value=\"18860629\"/>"),
		SLT_FED_ID_003, "person-agrees");
	assert_int_equal(warnings(SLT_FED_ID_003, "born-in-our-time"), 1);
	refused(fi("code=\"2\" codeSystem=\"1.2.246.537.5.1\"",
		   "code=\"1\" codeSystem=\"1.2.246.537.5.1\""),
		SLT_FED_ID_003, "person-agrees");
}

/* --- amounts --- */

static void impossible_amounts(void **state)
{
	static const char *const values[] = {"0", "0.0", "-2", "two", ""};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		SLT_AUTO_STR char *new =
			slt_asprintf("<quantity value=\"%s\" unit=\"1\"/>", values[i]);
		refused(fi("<quantity value=\"2\" unit=\"1\"/>", new), SLT_FED_BUS_005,
			"supply-value");
	}
	refused(fi("value=\"100\" unit=\"fol\"", "value=\"0\" unit=\"fol\""), SLT_FED_BUS_005,
		"package-value");
	refused(fi("value=\"5\" unit=\"mg\"", "value=\"0\" unit=\"mg\""), SLT_FED_BUS_005,
		"strength-numerator");
	refused(fi("value=\"5\" unit=\"mg\"", "value=\"5\" unit=\"mgg\""), SLT_FED_MAP_001,
		"strength-numerator-unit");
	/* 150 tablets are no whole packages of 100 */
	refused(fi("<quantity value=\"2\" unit=\"1\"/>", "<quantity value=\"150\" unit=\"fol\"/>"),
		SLT_FED_BUS_005, "amount-divides");
	refused(dispensed("<quantity value=\"2\" unit=\"1\"/>", ""), SLT_FED_STR_003,
		"needs-amount");
}

static void more_than_was_ordered(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	/* two packages were dispensed */
	refused(dispensed("</consumable>",
			  "</consumable><entryRelationship typeCode=\"COMP\"><supply "
			  "classCode=\"SPLY\" moodCode=\"RQO\"><quantity value=\"1\" unit=\"1\"/>"
			  "</supply></entryRelationship>"),
		SLT_FED_BUS_005, "not-more-than-ordered");
	assert_true(apply(dispensed("</consumable>",
				    "</consumable><entryRelationship typeCode=\"COMP\"><supply "
				    "classCode=\"SPLY\" moodCode=\"RQO\"><quantity value=\"2.0\" "
				    "unit=\"1\"/></supply></entryRelationship>"),
			  &err));
}

static void another_product_although_forbidden(void **state)
{
	static const char *const codes[] = {"N", "KP05"};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i <= SLT_COUNT(codes); i++) {
		SLT_AUTO_STR char *new = slt_asprintf(
			"</consumable><entryRelationship typeCode=\"SUBJ\"><observation "
			"classCode=\"OBS\" moodCode=\"EVN\"><code code=\"SUBST\"/><value "
			"xsi:type=\"CE\" code=\"%s\" codeSystem=\"2.16.840.1.113883.5.1070\"/>"
			"</observation></entryRelationship>",
			i < SLT_COUNT(codes) ? codes[i] : "G");
		if (i < SLT_COUNT(codes)) {
			refused(dispensed("</consumable>", new), SLT_FED_BUS_001,
				"substitution-allowed");
		} else {
			assert_true(apply(dispensed("</consumable>", new), &err));
		}
	}
}

/* --- what a pharmacist must be shown --- */

static void what_may_not_go_abroad(void **state)
{
	(void)state;
	refused((struct job){.file = DOCS "fi-08-narcotic.xml"}, SLT_FED_BUS_001, "not-abroad");
	refused((struct job){.file = DOCS "fi-07-no-form.xml"}, SLT_FED_MAP_001, "form");
}

static void basic_data_are_missing(void **state)
{
	(void)state;
	refused(fi("<id root=\"1.2.246.21\" extension=\"120354-914K\"/>", ""), SLT_FED_STR_003,
		"needs-patient");
	refused(fi("<id root=\"1.2.246.21\" extension=\"120354-914K\"/>",
		   "<id root=\"1.2.246.999\" extension=\"120354-914K\"/>"),
		SLT_FED_ID_001, "patient-id");
	refused(dispensed(ORDER_ID, ""), SLT_FED_STR_003, "needs-order");
}

static void a_dispensation_of_another_prescription(void **state)
{
	(void)state;
	refused(dispensed("<id root=\"1.2.246.10.98765430.93.2026.1000001\"/>",
			  "<id root=\"1.2.246.10.98765430.93.2026.1000002\"/>"),
		SLT_FED_ID_003, "order-root-agrees");
}

/* The same in FHIR, where each resource names the person again. */
static void a_prescription_of_another_person(void **state)
{
	(void)state;
	refused((struct job){.file = DOCS "fhir/fi-01-tablet.json",
			     .old = "\"identifier\": {\"system\": \"urn:oid:1.2.246.21\", "
				    "\"value\": \"120354-914K\"}",
			     .new = "\"identifier\": {\"system\": \"urn:oid:1.2.246.21\", "
				    "\"value\": \"120354-915L\"}",
			     .message = SLT_MAP_RESPONSE},
		SLT_FED_ID_003, "fhir-ordered-for");
	refused((struct job){.file = DOCS "fhir/dispensation-fi-01.json",
			     .old = "\"identifier\": {\"system\": "
				    "\"urn:oid:1.3.6.1.4.1.28284.6.2.2.1\", \"value\": "
				    "\"36802279845\"}",
			     .new = "\"identifier\": {\"system\": "
				    "\"urn:oid:1.3.6.1.4.1.28284.6.2.2.1\", \"value\": "
				    "\"36802279846\"}",
			     .message = SLT_MAP_REQUEST},
		SLT_FED_ID_003, "fhir-dispensed-to");
}

static void a_query_without_a_person(void **state)
{
	(void)state;
	refused((struct job){.file = MESSAGES "fi-list-request.xml",
			     .old = "<rk:henkilo juuri=\"1.3.6.1.4.1.28284.6.2.2.1\" "
				    "tunnus=\"36802279845\"/>",
			     .new = ""},
		SLT_FED_STR_003, "message-needs-patient");
	refused((struct job){.file = MESSAGES "fi-list-request.xml",
			     .old = "36802279845",
			     .new = "36802279846",
			     .strict = true},
		SLT_FED_ID_002, "message-patient");
	refused(
		(struct job){
			.file = MESSAGES "ee-fetch-request.xml",
			.old = "<dr:retseptiTunnus oid=\"1.2.246.10.98765430.93.2026.1000001\"/>",
			.new = ""},
		SLT_FED_STR_003, "message-needs-prescription");
}

/* A fault keeps its meaning: nobody must read "no prescriptions" where the register is down. */
static void faults_keep_their_meaning(void **state)
{
	static const char *const pairs[][2] = {
		{"EI_LOYDY", "EI_LEITUD"},
		{"EI_TOIMITETTAVISSA", "EI_OLE_VALJASTATAV"},
		{"EI_SUOSTUMUSTA", "NOUSOLEK_PUUDUB"},
		{"JO_TOIMITETTU", "JUBA_VALJASTATUD"},
		{"VARATTU_MUUALLA", "BRONEERITUD_MUJAL"},
		{"VAIHTO_KIELLETTY", "ASENDAMINE_KEELATUD"},
		{"EI_PAIVITETTY", "SALVESTAMATA"},
		{"EI_KAYTETTAVISSA", "POLE_KATTESAADAV"},
		{"EI_OIKEUTTA", "OIGUS_PUUDUB"},
		{"VIRHEELLINEN", "VIGANE"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(pairs); i++) {
		SLT_AUTO_STR char *to = slt_asprintf("dr:%s<", pairs[i][1]);
		becomes((struct job){.file = MESSAGES "fi-fault.xml",
				     .old = "EI_LOYDY",
				     .new = pairs[i][0],
				     .message = SLT_MAP_FAULT},
			to);
	}
	becomes((struct job){.file = MESSAGES "fi-fault.xml",
			     .old = "EI_LOYDY",
			     .new = "JOTAKIN_MUUTA",
			     .message = SLT_MAP_FAULT},
		"JOTAKIN_MUUTA");
}

static int setup(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	if (!slt_mapset_load("mappings", &set, &err)) {
		print_error("%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	slt_map_result_free(result);
	free(output);
	slt_mapset_free(set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_of_another_code),
		cmocka_unit_test(a_translation_of_another_code),
		cmocka_unit_test(letter_case_is_no_difference),
		cmocka_unit_test(a_product_named_after_another_form),
		cmocka_unit_test(a_name_that_fits_is_no_problem),
		cmocka_unit_test(codes_that_are_none),
		cmocka_unit_test(small_faults_are_put_right),
		cmocka_unit_test(a_translation_in_the_wrong_namespace),
		cmocka_unit_test(nothing_unknown_passes),
		cmocka_unit_test(a_container_that_is_only_a_word),
		cmocka_unit_test(times_are_not_invented),
		cmocka_unit_test(an_address_in_one_line_stays_one),
		cmocka_unit_test(persons),
		cmocka_unit_test(impossible_amounts),
		cmocka_unit_test(more_than_was_ordered),
		cmocka_unit_test(another_product_although_forbidden),
		cmocka_unit_test(what_may_not_go_abroad),
		cmocka_unit_test(basic_data_are_missing),
		cmocka_unit_test(a_dispensation_of_another_prescription),
		cmocka_unit_test(a_prescription_of_another_person),
		cmocka_unit_test(a_query_without_a_person),
		cmocka_unit_test(faults_keep_their_meaning),
	};

	slt_xml_init();
	return cmocka_run_group_tests_name("known errors", tests, setup, teardown);
}
