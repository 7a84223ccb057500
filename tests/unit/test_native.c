/* SPDX-License-Identifier: MIT */
/* Native Finnish prescriptions through the set of the repository: what becomes of them, and what
 * stops them. Each is signed anew after it was changed, unless the change is made afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "seal.h"
#include "tests/support/kanta.h"

#define FIELD "codeSystem=\"1.2.246.537.6.12.2002.126\""
#define OBSERVATION(code, value)                                                                   \
	"<component><observation classCode=\"OBS\" moodCode=\"EVN\"><code code=\"" code            \
	"\" " FIELD "/>" value "</observation></component>"
#define OTHER "<component><observation classCode=\"OBS\" moodCode=\"EVN\"><code code=\"58\""

static struct slt_mapset *set;
static struct pki_cert *ca, *doctor;
static char *plain;
static struct slt_map_result *result;
static char *output;

struct job {
	const char *from, *to;		   /* changed before signing; NULL: nothing */
	const char *from2, *to2;	   /* likewise */
	const char *after_from, *after_to; /* changed afterwards */
	bool unsigned_, no_judge, in_envelope, sha1;
	const char *sender, *receiver; /* NULL: FI, EE */
};

static char *changed(char *take, const char *from, const char *to)
{
	char *text = from ? evidence_replace(take, from, to) : slt_strdup(take);

	free(take);
	return text;
}

static char *document(const struct job *j)
{
	struct kanta k = {.cert = doctor};
	char *text = changed(changed(slt_strdup(plain), j->from, j->to), j->from2, j->to2);

	if (j->sha1) {
		k.alg = SLT_RSA_SHA1;
		k.digest = SLT_SHA1;
	}
	if (!j->unsigned_) {
		char *take = text;
		text = kanta_sign(&k, take);
		free(take);
	} else {
		text = changed(text, "<hl7fi:signatureCollection/>", "");
	}
	text = changed(text, j->after_from, j->after_to);
	if (j->in_envelope) {
		char *whole = slt_asprintf(
			"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>"
			"<rk:HaeLaakemaaraysResponse "
			"xmlns:rk='http://reseptikeskus.example.fi/rajat-ylittava/1'>"
			"<rk:asiakirja>%s</rk:asiakirja></rk:HaeLaakemaaraysResponse></s:Body>"
			"</s:Envelope>",
			strstr(text, "<ClinicalDocument"));
		free(text);
		text = whole;
	}
	return text;
}

static bool apply(struct job j, struct slt_err *err)
{
	SLT_AUTO_STR char *text = document(&j);
	struct slt_cdasig_authorities authorities = {.cert = {ca->x509}, .n = 1};
	struct slt_seal seal = {.authorities = &authorities, .now_ms = PKI_NOW};
	const struct slt_map_input in = {.from = j.sender ? j.sender : "FI",
					 .to = j.receiver ? j.receiver : "EE",
					 .flow = "eprescription",
					 .message = SLT_MAP_RESPONSE,
					 .body = slt_str(text),
					 .now_ms = PKI_NOW,
					 .judge = j.no_judge ? NULL : slt_seal_judge(&seal)};

	slt_map_result_free(result);
	free(output);
	output = NULL;
	result = slt_map_result_new();
	if (!slt_map_apply(set, &in, result, err)) {
		assert_null(result->doc);
		return false;
	}
	SLT_AUTO_BUF(b, 1 << 20);
	assert_true(slt_map_dump(result->doc, &b, err));
	output = slt_buf_take(&b, NULL);
	return true;
}

static void has(const char *expected)
{
	if (!strstr(output, expected)) {
		fail_msg("not in the result: %s\n%s", expected, output);
	}
}

static void good(struct job j)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!apply(j, &err)) {
		fail_msg("refused: %s", err.msg);
	}
}

static void refused(struct job j, enum slt_code code, const char *rule)
{
	struct slt_err err = SLT_ERR_INIT;

	if (apply(j, &err)) {
		fail_msg("not refused: %s %s", j.from ? j.from : "", j.to ? j.to : "");
	}
	for (size_t i = 0; i < result->problems->n; i++) {
		const struct slt_map_problem *p = &result->problems->v[i];
		if (p->code == code && p->severity == SLT_SEV_ERROR && strcmp(p->rule, rule) == 0) {
			return;
		}
	}
	fail_msg("%s, not rule %s", err.msg, rule);
}

static const struct slt_trace_entry *entry(const char *rule, enum slt_outcome o)
{
	for (size_t i = 0; i < result->trace->n; i++) {
		const struct slt_trace_entry *e = &result->trace->entry[i];
		if (strcmp(e->rule, rule) == 0 && e->outcome == o) {
			return e;
		}
	}
	fail_msg("the trace has no %s", rule);
	return NULL;
}

/* --- what becomes of it --- */

static void every_code_is_translated_beside_its_original(void **state)
{
	(void)state;
	good((struct job){.from = NULL});
	has("<pharm:formCode displayName=\"gastroresistentne tablett\" "
	    "codeSystem=\"1.3.6.1.4.1.28284.6.2.1.12\" code=\"965\"");
	has("<translation codeSystem=\"laakemuodot-nimet\" displayName=\"enterotabletti\"/>");
	has("<translation codeSystem=\"sailytysastiat-nimet\" displayName=\"läpipaino-pakkaus\"/>");
	has("<translation code=\"A02BC02\" codeSystem=\"1.2.246.537.6.32.2007\"");
	has("<translation code=\"034\" codeSystem=\"1.2.246.537.6.140.2008\"");
	has("<translation code=\"5\" codeSystem=\"1.2.246.777.5.99902.2006\"");
	has("<translation code=\"2\" codeSystem=\"1.2.246.537.5.1\"");
	has("<translation code=\"1\" codeSystem=\"1.2.246.537.5.40105.2006\"");
	has("<translation code=\"true\" codeSystem=\"laakevaihtokielto\"/>");
	has("<code code=\"090417\" codeSystem=\"1.2.246.537.6.55.2004\"");
	has("<quantity value=\"2\" unit=\"1\"/>");
	has("<id root=\"1.3.6.1.4.1.28284.6.2.2.16.246.2\" extension=\"240362-958T\"/>");
	has("<content ID=\"PINSTRUCT\">1 tabletti aamuisin ennen ateriaa.</content>");
}

static void the_original_is_named_and_its_signature_gone(void **state)
{
	(void)state;
	good((struct job){.from = NULL});
	has("<relatedDocument typeCode=\"XFRM\"><parentDocument>"
	    "<id root=\"1.2.246.10.12345678.93.2024.5001\"/></parentDocument>");
	assert_null(strstr(output, "hl7fi"));
	assert_null(strstr(output, "Signature"));
	assert_string_equal(entry("signature", SLT_OUT_CHECKED)->to.code, "2024-06-03T06:15:00Z");
	(void)entry("signature", SLT_OUT_DROPPED);
	(void)entry("purpose", SLT_OUT_DROPPED);
	(void)entry("permanent", SLT_OUT_DROPPED);
}

static void the_trace_tells_what_is_not_signed(void **state)
{
	(void)state;
	good((struct job){.from = NULL});
	assert_non_null(strstr(entry("patient-sex", SLT_OUT_MAPPED)->note, "not covered"));
	assert_non_null(strstr(entry("author-role", SLT_OUT_MAPPED)->note, "not covered"));
	assert_null(entry("form", SLT_OUT_MAPPED)->note);
	assert_null(entry("patient-code", SLT_OUT_MAPPED)->note);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
	(void)state;
	good((struct job){.from = NULL});
	SLT_AUTO_STR char *once = slt_strdup(output);
	good((struct job){.from = NULL});
	assert_string_equal(once, output);
}

static void an_answer_carries_it(void **state)
{
	(void)state;
	good((struct job){.in_envelope = true});
	has("code=\"965\"");
	has("dr:dokument");
	refused((struct job){.in_envelope = true,
			     .after_from = "enterotabletti",
			     .after_to = "tabletti"},
		SLT_FED_SIG_001, "signature");
}

static void several_substances_stay_apart(void **state)
{
	(void)state;
	good((struct job){
		.from = "<name>pantopratsolinatriumseskvihydraatti</name>"
			"</manufacturedLabeledDrug></manufacturedProduct></consumable>\n"
			"\t\t\t\t\t\t\t\t\t\t\t\t</substanceAdministration>\n"
			"\t\t\t\t\t\t\t\t\t\t\t</component>",
		.to = "<name>kandesartaanisileksetiili</name></manufacturedLabeledDrug>"
		      "</manufacturedProduct></consumable></substanceAdministration></component>"
		      "<component><substanceAdministration classCode=\"SBADM\" moodCode=\"EVN\">"
		      "<consumable><manufacturedProduct><manufacturedLabeledDrug>"
		      "<name>hydroklooritiatsidi</name></manufacturedLabeledDrug>"
		      "</manufacturedProduct></consumable></substanceAdministration></component>",
		.from2 = "<originalText>40 mg</originalText>",
		.to2 = "<originalText>16/12,5 mg</originalText>"});
	has("<pharm:name>kandesartaanisileksetiili</pharm:name>");
	has("<pharm:name>hydroklooritiatsidi</pharm:name>");
	has("<pharm:desc>16/12,5 mg</pharm:desc>");
	assert_null(strstr(output, "numerator"));
}

static void what_is_left_out_may_be_left_out(void **state)
{
	(void)state;
	/* no ban on substitution: nothing is said of it */
	good((struct job){.from = "code=\"81\" codeSystem=\"1.2.246.537.6.12.2002.126\" "
				  "displayName=\"Lääkevaihtokielto\"/><value xsi:type=\"BL\" "
				  "value=\"true\"/>",
			  .to = "code=\"81\" codeSystem=\"1.2.246.537.6.12.2002.126\"/>"});
	assert_null(strstr(output, "SUBST"));
	good((struct job){.from = "<value xsi:type=\"SC\">läpipaino-pakkaus</value>", .to = ""});
	assert_null(strstr(output, "asContent"));
	/* the route, where the prescriber gave one */
	good((struct job){.from = OTHER,
			  .to = OBSERVATION("178", "<value xsi:type=\"ST\">Suun kautta</value>")
				  OTHER});
	has("<routeCode");
	/* a header that spells the name with other white space */
	good((struct job){.from = "<name><given>Tyyne</given><given>Orvokki</given>",
			  .to = "<name>\n<given> Tyyne</given>\n<given>Orvokki</given>"});
}

/* --- its own signature --- */

static void without_good_signature_it_stops(void **state)
{
	(void)state;
	refused((struct job){.unsigned_ = true}, SLT_FED_SIG_002, "signature");
	refused((struct job){.no_judge = true}, SLT_FED_SIG_002, "signature");
	refused((struct job){.sha1 = true}, SLT_FED_SIG_001, "signature");
	refused((struct job){.after_from = "<quantity value=\"2\"/>",
			     .after_to = "<quantity value=\"3\"/>"},
		SLT_FED_SIG_001, "signature");
	refused((struct job){.after_from = "<component>\n\t\t<structuredBody>",
			     .after_to = "<component><structuredBody/></component><component>"
					 "\n\t\t<structuredBody>"},
		SLT_FED_SIG_001, "signature");
}

/* The header is not signed: whoever changes it must not be believed. */
static void the_header_must_agree(void **state)
{
	static const struct {
		const char *from, *to, *rule;
	} lies[] = {
		{"<id root=\"1.2.246.21\" extension=\"240362-958T\"/>",
		 "<id root=\"1.2.246.21\" extension=\"051148-907R\"/>", "patient-agrees"},
		{"<id root=\"1.2.246.21\" extension=\"240362-958T\"/>",
		 "<id root=\"1.2.246.22\" extension=\"240362-958T\"/>", "patient-agrees"},
		{"<birthTime value=\"19620324\"/>", "<birthTime value=\"19481105\"/>",
		 "patient-birth-agrees"},
		{"<family>Mallikas</family>", "<family>Toinen</family>", "patient-name-agrees"},
		{"<id root=\"1.2.246.10.12345678.93.2024.5001\"/>",
		 "<id root=\"1.2.246.10.12345678.93.2024.5002\"/>", "document-id-agrees"},
		{"<setId root=\"1.2.246.10.12345678.93.2024.5001\"/>",
		 "<setId root=\"1.2.246.10.12345678.93.2024.5002\"/>", "set-id-agrees"},
		{"<effectiveTime value=\"20240603091500+0300\"/>",
		 "<effectiveTime value=\"20240604091500+0300\"/>", "document-time-agrees"},
		{"<id root=\"1.2.246.537.25.1\" extension=\"900417\"/>",
		 "<id root=\"1.2.246.537.25.1\" extension=\"900418\"/>", "author-id-agrees"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(lies); i++) {
		refused((struct job){.after_from = lies[i].from, .after_to = lies[i].to},
			SLT_FED_ID_003, lies[i].rule);
	}
	/* the sex is told by the personal code as well */
	refused((struct job){.after_from = "<administrativeGenderCode code=\"2\"",
			     .after_to = "<administrativeGenderCode code=\"1\""},
		SLT_FED_ID_003, "person-agrees");
	/* a prescriber that only the header names */
	refused((struct job){.after_from = "<id root=\"1.2.246.537.25.1\" extension=\"900417\"/>",
			     .after_to = ""},
		SLT_FED_STR_003, "author-id-agrees");
}

/* What must be signed is not taken from where it is not. */
static void values_come_from_what_is_signed(void **state)
{
	(void)state;
	refused(
		(struct job){
			.after_from = "<realmCode code=\"FI\"/>",
			.after_to = "<realmCode code=\"FI\"/><observation><code code=\"178\" " FIELD
				    "/><value>suonensisäisesti</value></observation>"},
		SLT_FED_SIG_003, "route");
}

/* --- what stops it --- */

static void restricted_ones_stay_at_home(void **state)
{
	(void)state;
	refused((struct job){.from = OTHER,
			     .to = OBSERVATION("88", "<value code=\"H\" "
						     "codeSystem=\"1.2.246.537.5.40118.2006\"/>")
				     OTHER},
		SLT_FED_BUS_001, "not-abroad");
	refused((struct job){.from = "code=\"164\" codeSystem=\"1.2.246.537.6.12.2002.126\" "
				     "displayName=\"Valmisteen laji\"/>",
			     .to = "code=\"164\" codeSystem=\"1.2.246.537.6.12.2002.126\"/>"
				   "<value code=\"7\"/>"},
		SLT_FED_BUS_001, "kind-of-product");
	refused((struct job){.from = "<value code=\"1\" codeSystem=\"1.2.246.537.5.40126.2006\"",
			     .to = "<value code=\"7\" codeSystem=\"1.2.246.537.5.40126.2006\""},
		SLT_FED_BUS_001, "kind-in-register");
	refused((struct job){.from = "code=\"169\" codeSystem=\"1.2.246.537.6.12.2002.126\" "
				     "displayName=\"Reseptin laji\"/>",
			     .to = "code=\"169\" codeSystem=\"1.2.246.537.6.12.2002.126\"/>"
				   "<value code=\"2\"/>"},
		SLT_FED_BUS_001, "no-special-kind");
	/* other messages than a prescription */
	refused((struct job){.from = "<code code=\"1\" codeSystem=\"1.2.246.537.5.40105.2006\" "
				     "codeSystemName",
			     .to = "<code code=\"2\" codeSystem=\"1.2.246.537.5.40105.2006\" "
				   "codeSystemName"},
		SLT_FED_BUS_001, "only-prescriptions");
}

static void blanks_do_not_hide_a_mark(void **state)
{
	static const char *const systems[] = {" 1.2.246.537.5.40118.2006",
					      "1.2.246.537.5.40118.2006\t",
					      "&#10;1.2.246.537.5.40118.2006"};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(systems); i++) {
		SLT_AUTO_STR char *mark = slt_asprintf(
			OBSERVATION("58", "<value code=\"H\" codeSystem=\"%s\"/>") OTHER,
			systems[i]);
		refused((struct job){.from = OTHER, .to = mark}, SLT_FED_STR_002, "cda");
	}
}

static void amounts_are_packages(void **state)
{
	(void)state;
	refused((struct job){.from = "<code code=\"1\" codeSystem=\"1.2.246.537.5.40100.2006\"",
			     .to = "<code code=\"2\" codeSystem=\"1.2.246.537.5.40100.2006\""},
		SLT_FED_BUS_005, "in-packages");
	refused((struct job){.from = "<quantity value=\"2\"/>",
			     .to = "<quantity value=\"400\" unit=\"fol\"/>"},
		SLT_FED_BUS_005, "packages-unit");
	refused((struct job){.from = "<quantity value=\"2\"/>", .to = "<quantity value=\"0\"/>"},
		SLT_FED_BUS_005, "supply-value");
	refused((struct job){.from = "<quantity value=\"2\"/>", .to = "<quantity value=\"two\"/>"},
		SLT_FED_BUS_005, "supply-value");
	refused((struct job){.from = "<quantity value=\"2\"/>", .to = "<quantity/>"},
		SLT_FED_STR_003, "quantity");
	refused((struct job){.from = "<code code=\"1\" codeSystem=\"1.2.246.537.5.40100.2006\" "
				     "codeSystemName=\"Määrätyn määrän esittämistapa\" "
				     "displayName=\"Pakkausten määrä\"/>",
			     .to = ""},
		SLT_FED_BUS_005, "in-packages");
}

static void what_must_be_there_must(void **state)
{
	(void)state;
	refused((struct job){.from = "<value xsi:type=\"ST\">enterotabletti</value>", .to = ""},
		SLT_FED_STR_003, "form");
	refused((struct job){.from = "<text>1 tabletti aamuisin ennen ateriaa.</text>", .to = ""},
		SLT_FED_STR_003, "dosage-text");
	refused((struct job){.from = "<code code=\"240362-958T\" codeSystem=\"1.2.246.21\"/>",
			     .to = ""},
		SLT_FED_STR_003, "patient-code");
	refused((struct job){.from = "<name>pantopratsolinatriumseskvihydraatti</name>", .to = ""},
		SLT_FED_STR_003, "substance-name");
	refused((struct job){.from = "<code code=\"83\"", .to = "<code code=\"88\""},
		SLT_FED_STR_003, "entry");
}

static void unknown_codes_are_refused(void **state)
{
	(void)state;
	refused((struct job){.from = "enterotabletti", .to = "entero tabletti"}, SLT_FED_MAP_001,
		"form");
	refused((struct job){.from = "enterotabletti", .to = "liuos päänahkaan"}, SLT_FED_MAP_001,
		"form");
	refused((struct job){.from = "<confidentialityCode code=\"5\"",
			     .to = "<confidentialityCode code=\"6\""},
		SLT_FED_MAP_001, "confidentiality");
	refused((struct job){.from = "<code code=\"58\"", .to = "<code code=\"59\""},
		SLT_FED_STR_002, "fields");
	refused((struct job){.from = "<code code=\"88\"", .to = "<code code=\"89\""},
		SLT_FED_STR_002, "groups");
	refused((struct job){.from = "<code code=\"58\" codeSystem=\"1.2.246.537.6.12.2002.126\"",
			     .to = "<code code=\"58\" codeSystem=\"1.2.3\""},
		SLT_FED_STR_002, "list-of-fields");
	refused((struct job){.from = "<statusCode code=\"completed\"/>",
			     .to = "<statusCode code=\"aborted\"/>"},
		SLT_FED_STR_002, "states");
	refused((struct job){.from = "<supply classCode=\"SPLY\" moodCode=\"EVN\">",
			     .to = "<supply classCode=\"SPLY\" moodCode=\"PRMS\">"},
		SLT_FED_STR_002, "moods");
	/* a personal code with a wrong check character, signed as it is */
	refused((struct job){.from = "extension=\"240362-958T\"",
			     .to = "extension=\"240362-958U\"",
			     .from2 = "code=\"240362-958T\"",
			     .to2 = "code=\"240362-958U\""},
		SLT_FED_ID_002, "patient-id");
}

static void one_medicine_a_document(void **state)
{
	const char *from = strstr(plain, "<entry>");
	const char *end = strstr(from, "</entry>") + 8;
	SLT_AUTO_STR char *first = slt_strndup(from, (size_t)(end - from));
	SLT_AUTO_STR char *twice = slt_asprintf("%s%s", first, first);

	(void)state;
	refused((struct job){.from = first, .to = twice}, SLT_FED_STR_003, "entry");
	refused((struct job){.from = "<value xsi:type=\"ST\">enterotabletti</value>",
			     .to = "<value xsi:type=\"ST\">enterotabletti</value>"
				   "<value xsi:type=\"ST\">tabletti</value>"},
		SLT_FED_STR_003, "form");
}

/* Whatever no part names stops the document, wherever it stands. */
static void nothing_passes_unnamed(void **state)
{
	static const struct {
		const char *from, *to;
	} more[] = {
		{"<realmCode code=\"FI\"/>", "<realmCode code=\"FI\"/><copyTime value=\"2026\"/>"},
		{"<quantity value=\"2\"/>", "<quantity value=\"2\"/><expectedUseTime>"
					    "<width value=\"3\" unit=\"mo\"/></expectedUseTime>"},
		{"<quantity value=\"2\"/>", "<quantity value=\"2\" nullFlavor=\"UNK\"/>"},
		{"<supply classCode=\"SPLY\" moodCode=\"EVN\">",
		 "<supply classCode=\"SPLY\" moodCode=\"EVN\"><repeatNumber value=\"3\"/>"},
		{"<organizer classCode=\"CLUSTER\" moodCode=\"EVN\">",
		 "<organizer classCode=\"CLUSTER\" moodCode=\"EVN\" negationInd=\"true\">"},
		{"<structuredBody>", "<structuredBody>loose text"},
		{"<hl7fi:sender>", "<hl7fi:other code=\"1\"/><hl7fi:sender>"},
		{"<name/>", "<name>another product</name>"},
		{"<maxDoseQuantity><numerator/>", "<maxDoseQuantity><numerator value=\"4\"/>"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(more); i++) {
		refused((struct job){.from = more[i].from, .to = more[i].to}, SLT_FED_STR_002,
			"kanta");
	}
	refused((struct job){.from = "<structuredBody>", .to = "<structuredBody><?apteekki x?>"},
		SLT_FED_STR_002, "cda");
}

/* A real one, whose own signature was cut short: signed anew, every field of it has its place. */
static void a_real_one_has_no_field_that_nobody_names(void **state)
{
	const char *root = getenv("SLT_SHARED");
	char path[1024];
	struct slt_err err = SLT_ERR_INIT;
	char *text = NULL;
	size_t n;

	(void)state;
	(void)snprintf(path, sizeof(path),
		       "%s/vectors/eprescription/cda-other/"
		       "kanta_laakemaarays_RENITEC_COMP.xml",
		       root ? root : "../shared");
	if (!slt_file_exists(path)) {
		print_message("skipped: %s is not there\n", path);
		skip();
	}
	assert_true(slt_file_read(path, 1 << 20, &text, &n, &err));
	SLT_AUTO_STR char *old_plain = plain;
	SLT_AUTO_STR char *cut =
		evidence_cut(text, "<hl7fi:signatureCollection>", "</hl7fi:signatureCollection>");
	free(text);
	plain = evidence_replace(cut, "<hl7fi:sender>",
				 "<hl7fi:signatureCollection/><hl7fi:sender>");
	refused((struct job){.from = NULL}, SLT_FED_BUS_005, "in-packages");
	for (size_t i = 0; i < result->problems->n; i++) {
		assert_string_not_equal(result->problems->v[i].rule, "kanta");
	}
	good((struct job){.from = "<code code=\"2\" codeSystem=\"1.2.246.537.5.40100.2006\"",
			  .to = "<code code=\"1\" codeSystem=\"1.2.246.537.5.40100.2006\"",
			  .from2 = "<quantity unit=\"fol\" value=\"400\"/>",
			  .to2 = "<quantity value=\"4\"/>"});
	has("<pharm:name>hydroklooritiatsidi</pharm:name>");
	has("<pharm:desc>20/12,5 mg</pharm:desc>");
	has("<translation codeSystem=\"laakemuodot-nimet\" displayName=\"tabletti\"/>");
	free(plain);
	plain = SLT_TAKE(old_plain);
}

static void it_is_finlands_alone(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_false(apply((struct job){.sender = "EE", .receiver = "FI"}, &err));
	assert_int_equal(err.code, SLT_FED_STR_002);
}

static int set_up(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_xml_init();
	if (!slt_mapset_load("mappings", &set, &err)) {
		print_error("%s\n", err.msg);
		return -1;
	}
	plain = kanta_prescription();
	ca = pki_ca(NULL, "C=FI;CN=Professionals CA", PKI_RSA2048, 0);
	doctor = pki_issue(ca, &(struct pki_spec){.subject = "C=FI;CN=Esimerkki Aarni",
						  .kind = PKI_RSA2048,
						  .key_index = 1,
						  .ext = {"keyUsage=critical,nonRepudiation"}});
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	slt_map_result_free(result);
	free(output);
	free(plain);
	pki_cert_free(doctor);
	pki_cert_free(ca);
	slt_mapset_free(set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_is_translated_beside_its_original),
		cmocka_unit_test(the_original_is_named_and_its_signature_gone),
		cmocka_unit_test(the_trace_tells_what_is_not_signed),
		cmocka_unit_test(the_same_input_gives_the_same_bytes),
		cmocka_unit_test(an_answer_carries_it),
		cmocka_unit_test(several_substances_stay_apart),
		cmocka_unit_test(what_is_left_out_may_be_left_out),
		cmocka_unit_test(without_good_signature_it_stops),
		cmocka_unit_test(the_header_must_agree),
		cmocka_unit_test(values_come_from_what_is_signed),
		cmocka_unit_test(restricted_ones_stay_at_home),
		cmocka_unit_test(blanks_do_not_hide_a_mark),
		cmocka_unit_test(amounts_are_packages),
		cmocka_unit_test(what_must_be_there_must),
		cmocka_unit_test(unknown_codes_are_refused),
		cmocka_unit_test(one_medicine_a_document),
		cmocka_unit_test(nothing_passes_unnamed),
		cmocka_unit_test(a_real_one_has_no_field_that_nobody_names),
		cmocka_unit_test(it_is_finlands_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
