/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

/* --- codes --- */

static void a_code_becomes_the_other_countrys(void **state)
{
	(void)state;
	becomes((struct job){.text = "<doc" D ">" FORM("10") "</doc>"},
		"<form code=\"T\" codeSystem=\"2.1\" displayName=\"tablett\" codeSystemName=\"BBF\">"
		"<translation code=\"10\" codeSystem=\"1.1\" displayName=\"n\"/></form>");
	const struct slt_trace_entry *e = entry("form");
	assert_int_equal(e->outcome, SLT_OUT_MAPPED);
	assert_string_equal(e->place, "/d:doc/d:form");
	assert_string_equal(e->from.code, "10");
	assert_string_equal(e->pivot.code, "P1");
	assert_string_equal(e->to.code, "T");
	assert_string_equal(e->from_version, "a1");
	assert_string_equal(e->to_version, "b1");
	assert_string_equal(e->relation, "equivalent");
	/* after originalText, before what was translated already */
	becomes((struct job){.text = "<doc" D "><form code='10' codeSystem='1.1'><originalText>o"
				     "</originalText><translation code='z'/></form></doc>"},
		"<originalText>o</originalText><translation code=\"10\" codeSystem=\"1.1\"/>"
		"<translation code=\"z\"/>");
}

static void parts_stand_in_the_namespace_declared(void **state)
{
	SLT_AUTO(slt_mapset_free)
	struct slt_mapset *s =
		set_with("flows/demo/common.conf", "where = \"//d:form\"", "where = \"//e:form\"");

	(void)state;
	becomes((struct job){.set = s,
			     .text = "<doc" D " xmlns:e='urn:e'><e:form code='10' "
				     "codeSystem='1.1'/></doc>"},
		"<translation code=\"10\"");
}

static void what_has_no_counterpart_stops_the_message(void **state)
{
	(void)state;
	refused((struct job){.text = "<doc" D ">" FORM("99") "</doc>"}, SLT_FED_MAP_001,
		"no counterpart of 99 (n) in dose form, form a1");
	refused((struct job){.text = "<doc" D ">" FORM("15") "</doc>"}, SLT_FED_MAP_001, "form b1");
	refused((struct job){.text = "<doc" D ">" FORM("22") "</doc>"}, SLT_FED_MAP_002, "");
	refused((struct job){.text = "<doc" D ">" FORM("12") "</doc>"}, SLT_FED_MAP_003, "");
	refused((struct job){.text = "<doc" D "><form code='P9' codeSystem='9.1'/></doc>"},
		SLT_FED_MAP_004, "");
	refused((struct job){.text = "<doc" D "><form code='10'/></doc>"}, SLT_FED_MAP_001,
		"the code system is neither");
	refused((struct job){.text = "<doc" D "><form nullFlavor='UNK'/></doc>"}, SLT_FED_STR_003,
		"required");
	refused((struct job){.text = "<doc" D "><form/></doc>"}, SLT_FED_STR_003, "required");
}

static void all_problems_are_collected(void **state)
{
	SLT_AUTO_BUF(b, 1 << 20);

	(void)state;
	refused((struct job){.text = "<doc" D ">" FORM("99") FORM("10")
				     FORM("12") "<pid root='7'/></doc>"},
		SLT_FED_MAP_001, "at /d:doc/d:form:");
	assert_int_equal(result->problems->n, 3);
	assert_int_equal(result->problems->v[1].code, SLT_FED_MAP_003);
	assert_string_equal(result->problems->v[1].place, "/d:doc/d:form[3]");
	assert_int_equal(result->problems->v[2].code, SLT_FED_ID_001);
	assert_int_equal(slt_trace_count(result->trace, SLT_OUT_REFUSED), 3);
	assert_int_equal(slt_trace_count(result->trace, SLT_OUT_MAPPED), 1);
	slt_problems_json(result->problems, &b);
	assert_non_null(strstr(b.p, "\"code\":\"FED-MAP-001\",\"severity\":\"error\","
				    "\"field\":\"field.form\""));
	assert_non_null(strstr(b.p, "\"et\":\"vastet pole: ravimvorm\""));
	slt_buf_reset(&b);
	slt_problems_xml(result->problems, &b);
	assert_non_null(strstr(b.p, "<text xml:lang=\"et\">vastet pole: ravimvorm</text>"));
	xmlDoc *doc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	assert_true(slt_xml_parse(b.p, b.n, &SLT_XML_PEER, "problems", &doc, &err));
	slt_xml_free(doc);
}

static void many_warnings_hide_no_error(void **state)
{
	SLT_AUTO(slt_mapset_free)
	struct slt_mapset *s =
		set_with("flows/demo/common.conf", "usage = \"R\"", "policy = \"original\"");
	SLT_AUTO_BUF(b, 1 << 20);

	(void)state;
	slt_buf_adds(&b, "<doc" D ">");
	for (int i = 0; i < 2000; i++) {
		slt_buf_adds(&b, FORM("99"));
	}
	slt_buf_adds(&b, "<pid root='7'/></doc>");
	refused((struct job){.set = s, .text = b.p}, SLT_FED_ID_001, "");
	assert_int_equal(result->problems->errors, 1);
	assert_int_equal(result->problems->n, SLT_PROBLEMS_MAX / 2 + 1);
}

static void the_policy_says_what_happens_then(void **state)
{
	static const struct {
		const char *options, *expected;
		enum slt_outcome outcome;
	} cases[] = {
		{"policy = \"null\"; null_flavor = \"UNK\"",
		 "<form nullFlavor=\"UNK\"><originalText>n</originalText><translation code=\"99\"",
		 SLT_OUT_DROPPED},
		{"policy = \"original\"",
		 "<form code=\"99\" codeSystem=\"1.1\" displayName=\"n\"/>", SLT_OUT_FLAGGED},
		{"policy = \"default\"; default = \"P2\"", "<form code=\"c2\" codeSystem=\"2.1\"",
		 SLT_OUT_DEFAULTED},
		{"policy = \"drop\"", "<doc xmlns=\"urn:d\"/>", SLT_OUT_DROPPED},
		{"severity = \"warning\"", "<form code=\"99\"", SLT_OUT_FLAGGED},
		{"policy = \"default\"; default = \"P3\"", "<form code=\"99\"", SLT_OUT_FLAGGED},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		SLT_AUTO(slt_mapset_free)
		struct slt_mapset *s =
			set_with("flows/demo/common.conf", "usage = \"R\"", cases[i].options);
		becomes((struct job){.set = s, .text = "<doc" D ">" FORM("99") "</doc>"},
			cases[i].expected);
		assert_int_equal(entry("form")->outcome, cases[i].outcome);
		assert_int_equal(result->problems->errors, 0);
		/* never in silence */
		assert_true(result->problems->n == 1 || cases[i].outcome == SLT_OUT_DEFAULTED);
	}
}

static void the_last_of_several_code_rules_is_meant(void **state)
{
	SLT_AUTO(slt_mapset_free)
	struct slt_mapset *s =
		set_with("flows/demo/common.conf", "field = \"field.form\"; usage = \"R\"; },",
			 "},\n { id = \"special\"; where = \"d:box/d:form\"; what = \"code\"; "
			 "table = \"form\"; policy = \"original\"; },");

	(void)state;
	becomes((struct job){.set = s, .text = "<doc" D "><box>" FORM("99") "</box></doc>"},
		"code=\"99\"");
	refused((struct job){.set = s, .text = "<doc" D ">" FORM("99") "</doc>"}, SLT_FED_MAP_001,
		"");
}

static void a_codes_original_stands_where_the_rule_says(void **state)
{
	static const char *const cases[][2] = {
		{"keep = \"none\"", "displayName=\"tablett\" codeSystemName=\"BBF\"/>"},
		{"keep = \"originalText\"", "<originalText>n</originalText></form>"},
		{"names_only = true",
		 "<form code=\"10\" codeSystem=\"1.1\" displayName=\"tablett\">"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		SLT_AUTO(slt_mapset_free)
		struct slt_mapset *s =
			set_with("flows/demo/common.conf", "usage = \"R\"", cases[i][0]);
		becomes((struct job){.set = s, .text = "<doc" D ">" FORM("10") "</doc>"},
			cases[i][1]);
	}
}

static void text_is_looked_up_only_where_allowed(void **state)
{
	static const char doc[] =
		"<doc" D "><form nullFlavor='OTH'><originalText> tabletti </originalText>"
		"</form></doc>";
	SLT_AUTO(slt_mapset_free)
	struct slt_mapset *s =
		set_with("flows/demo/common.conf", "usage = \"R\"", "from_text = true");

	(void)state;
	becomes((struct job){.set = s, .text = doc}, "<form code=\"T\" codeSystem=\"2.1\"");
	refused((struct job){.text = doc}, SLT_FED_STR_003, "required");
	becomes((struct job){.set = s,
			     .text = "<doc" D "><form nullFlavor='OTH'><originalText>tab"
				     "</originalText></form></doc>"},
		"nullFlavor=\"OTH\"");
}

static void a_code_comes_home(void **state)
{
	(void)state;
	/* not by what only looks like a translation */
	refused((struct job){.from = "AA",
			     .to = "BB",
			     .text = "<doc" D "><form code='12' codeSystem='1.1'>"
				     "<x:translation xmlns:x='urn:x' code='k1' codeSystem='2.1'/>"
				     "</form></doc>"},
		SLT_FED_MAP_003, "");
	becomes((struct job){.from = "BB",
			     .to = "AA",
			     .text = "<doc" D
				     "><form code='k1' codeSystem='2.1'><translation code='12' "
				     "codeSystem='1.1'/></form></doc>"},
		"<form code=\"12\" codeSystem=\"1.1\"");
	assert_string_equal(entry("form")->note, "restored from translation");
	/* nested, as other translators leave it */
	becomes((struct
		 job){.from = "BB",
		      .to = "AA",
		      .text = "<doc" D "><form code='k1' codeSystem='2.1'><translation>"
			      "<translation code='12' codeSystem='1.1'/></translation></form></doc>"},
		"<form code=\"12\" codeSystem=\"1.1\"");
	refused((struct job){.from = "BB",
			     .to = "AA",
			     .text = "<doc" D
				     "><form code='k1' codeSystem='2.1'><translation code='10' "
				     "codeSystem='1.1'/></form></doc>"},
		SLT_FED_MAP_003, "");
}

/* --- messages --- */

static void a_soap_body_gets_the_other_countrys_words(void **state)
{
	(void)state;
	becomes((struct job){.service = "Hae",
			     .message = SLT_MAP_REQUEST,
			     .text = SOAP "<x:Hae" AA "><x:henkilo juuri='1.10' tunnus='" HETU "'/>"
					  "<x:muoto> 10 </x:muoto></x:Hae>" END},
		"<s:Header><h/></s:Header><s:Body><y:too xmlns:y=\"urn:bb\"><y:isik oid=\"2.16\" kood=\"" HETU
		"\"/><y:vorm kood=\"T\" nimi=\"tablett\"/></y:too></s:Body>");
	assert_string_equal(result->trace->service, "get");
	assert_string_equal(entry("msg-pid")->place, "/x:Hae/x:henkilo");
	/* named as the other country calls it; or not at all */
	becomes((struct job){.service = "too", .text = SOAP "<x:Hae" AA "/>" END}, "<y:too");
	becomes((struct job){.text = SOAP "<x:Hae" AA "/>" END}, "<y:too");
	becomes((struct
		 job){.from = "BB",
		      .to = "AA",
		      .message = SLT_MAP_RESPONSE,
		      .text = SOAP
		      "<b:tooVastus xmlns:b='urn:bb'><b:vorm kood='T' nimi='t'/></b:tooVastus>" END},
		"<x:HaeVastaus xmlns:x=\"urn:aa\"><x:muoto>10</x:muoto></x:HaeVastaus>");
}

static void what_a_body_may_not_hold_is_refused(void **state)
{
	static const char *const bad[] = {
		"<x:Hae" AA "><x:muu/></x:Hae>",
		"<x:Hae" AA "><muoto>10</muoto></x:Hae>",
		"<x:Hae" AA "><x:muoto k='1'>10</x:muoto></x:Hae>",
		"<x:Hae" AA "><x:muoto x:k='1'>10</x:muoto></x:Hae>",
		"<x:Hae" AA "><x:henkilo juuri='1.10' tunnus='" HETU "' muu='1'/></x:Hae>",
		"<x:Hae" AA "><x:oma/></x:Hae>", /* which BB has no word for */
		"<x:Hae" AA "><x:asiakirja><ClinicalDocument" D "/></x:asiakirja></x:Hae>",
		"<x:HaeVastaus" AA "/>",
		"<y:too xmlns:y='urn:bb'/>",
		"<Hae/>",
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		SLT_AUTO_STR char *text = slt_asprintf("%s%s%s", SOAP, bad[i], END);
		refused((struct job){.service = "Hae", .text = text}, SLT_FED_STR_002, "");
	}
}

static void what_is_no_message_is_refused(void **state)
{
	(void)state;
	refused((struct job){.text = SOAP END}, SLT_EINVALID_BODY, "");
	refused((struct job){.text = SOAP "<a/><b/>" END}, SLT_EINVALID_BODY, "");
	refused((struct
		 job){.text = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'/>"},
		SLT_EMISSING_BODY, "");
	refused((struct job){.text = "<doc"}, SLT_EINVALID_XML, "");
	refused((struct job){.text = ""}, SLT_EINVALID_XML, "");
	refused((struct job){.text = "<!DOCTYPE doc><doc" D "/>"}, SLT_EINVALID_XML, "");
	refused((struct job){.text = "<other/>"}, SLT_FED_STR_002, "");
	refused((struct job){.text = "<doc" D "/>", .service = "nothing"}, SLT_FED_STR_002,
		"service");
	refused((struct job){.text = "<doc" D "/>", .from = "AA", .to = "AA"}, SLT_ENOTFOUND, "");
	refused((struct job){.text = "<doc" D "/>", .from = "CC"}, SLT_ENOTFOUND, "");
}

static void a_document_inside_a_body_is_mapped_too(void **state)
{
	(void)state;
	becomes((struct job){.message = SLT_MAP_RESPONSE,
			     .text = SOAP "<x:HaeVastaus" AA "><x:asiakirja><doc" D
					  ">" FORM("10") "</doc></x:asiakirja></x:HaeVastaus>" END},
		"<y:dokument><doc xmlns=\"urn:d\"><form code=\"T\"");
	assert_string_equal(entry("form")->place, "/x:HaeVastaus/x:asiakirja/d:doc/d:form");
	refused((struct job){.message = SLT_MAP_RESPONSE,
			     .text = SOAP "<x:HaeVastaus" AA "><x:asiakirja><doc" D
					  ">" FORM("99") "</doc></x:asiakirja></x:HaeVastaus>" END},
		SLT_FED_MAP_001, "");
}

static void attachments_are_mapped_or_passed(void **state)
{
	const struct slt_map_part parts[] = {
		{"text/xml", SLT_STR_C("<doc" D ">" FORM("10") "</doc>")},
		{"application/pdf", SLT_STR_C("%PDF\0x")},
	};
	const struct slt_map_part bad[] = {
		{"text/xml", SLT_STR_C("<doc" D ">" FORM("99") "</doc>")},
		{"text/xml", SLT_STR_C("<other/>")},
		{"image/png", SLT_STR_C("png")},
	};

	(void)state;
	becomes((struct job){.text = SOAP "<x:Hae" AA "/>" END, .parts = parts, .n_parts = 2},
		"<y:too");
	assert_int_equal(result->n_parts, 2);
	assert_non_null(strstr(result->part[0], "code=\"T\""));
	assert_int_equal(result->part_len[1], 6);
	assert_memory_equal(result->part[1], "%PDF\0x", 6);
	assert_int_equal(entry("form")->part, 1);
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_err err = SLT_ERR_INIT;
		assert_false(apply((struct job){.text = SOAP "<x:Hae" AA "/>" END,
						.parts = &bad[i],
						.n_parts = 1},
				   &err));
	}
}

/* The body of a REST message: nobody looks at the head of an envelope in it, or into a Fault. */
static void no_envelope_where_a_document_must_be(void **state)
{
	static const char *const texts[] = {
		SOAP "<x:Hae" AA "/>" END,
		SOAP "<s:Fault><faultcode>c</faultcode><detail><any/></detail></s:Fault>" END,
		"<s:Fault xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><detail/></s:Fault>",
	};
	(void)state;
	for (size_t i = 0; i < SLT_COUNT(texts); i++) {
		for (int answer = 0; answer < 2; answer++) {
			refused((struct job){.text = texts[i],
					     .message = answer ? SLT_MAP_RESPONSE : SLT_MAP_REQUEST,
					     .bare = true},
				SLT_FED_STR_002, "envelope");
		}
	}
}

static void faults_are_translated(void **state)
{
	(void)state;
	becomes((struct job){.message = SLT_MAP_FAULT,
			     .text = SOAP "<s:Fault" AA
					  "><faultcode>x:EI</faultcode><faultstring>Ei ole"
					  "</faultstring></s:Fault>" END},
		"<faultcode>y:POLE</faultcode><faultstring>Pole [x:EI: Ei ole]</faultstring>");
	becomes((struct job){.message = SLT_MAP_RESPONSE,
			     .text = SOAP
			     "<s:Fault><faultcode>s:Server</faultcode><faultstring>oops"
			     "</faultstring></s:Fault>" END},
		"<faultcode>s:Server</faultcode><faultstring>oops</faultstring>");
}

/* --- translated documents --- */

#define CDA(head, tail)                                                                            \
	"<ClinicalDocument" D "><id root='5.5' extension='7'/><code code='1'/>" head               \
	"<setId root='5'/>" tail                                                                   \
	"<component><section><title>t</title><text><p>alku</p></text>" FORM(                       \
		"10") "</section></component></ClinicalDocument>"

static void a_translated_document_says_so(void **state)
{
	(void)state;
	becomes((struct job){.text = CDA("<languageCode code='a-AA'/>", "")},
		"<relatedDocument typeCode=\"XFRM\"><parentDocument><id root=\"5.5\" extension=\"7\"/>"
		"</parentDocument></relatedDocument><component>");
	assert_non_null(strstr(output, "<languageCode code=\"b-BB\"/><setId"));
	assert_non_null(strstr(output,
			       "<text><table><tbody><tr><th>Vorm</th><td>tablett</td></tr></tbody>"
			       "</table><paragraph><content styleCode=\"Bold\">"));
	assert_non_null(strstr(output, "(a-AA)</content></paragraph><p>alku</p></text>"));
	/* a parent that was there stays, behind ours; languageCode is put at its place */
	becomes(
		(struct job){
			.text = CDA(
				"",
				"<relatedDocument typeCode='XFRM'><parentDocument><id root='6'/>"
				"</parentDocument></relatedDocument>")},
		"<parentDocument><id root=\"5.5\" extension=\"7\"/><id root=\"6\"/></parentDocument>");
	assert_non_null(strstr(output, "<code code=\"1\"/><languageCode code=\"b-BB\"/><setId"));
	becomes(
		(struct job){
			.text = CDA(
				"",
				"<relatedDocument typeCode='RPLC'><parentDocument><id root='6'/>"
				"</parentDocument></relatedDocument>")},
		"typeCode=\"XFRM\"><parentDocument><id root=\"5.5\"");
	assert_non_null(strstr(output, "typeCode=\"RPLC\"><parentDocument><id root=\"6\"/>"));
}

static char *new_id(const char *text, const char *from)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!apply((struct job){.text = text, .from = from, .to = strcmp(from, "AA") ? "AA" : "BB"},
		   &err)) {
		fail_msg("%s", err.msg);
	}
	const char *at = strstr(output, "<id root=\"");
	assert_non_null(at);
	return slt_strndup(at + 10, 36);
}

static void the_new_id_follows_from_the_document(void **state)
{
	static const char one[] = CDA("", ""), other[] = CDA("<title>x</title>", "");
	SLT_AUTO_STR char *a = new_id(one, "AA");
	SLT_AUTO_STR char *b = new_id(one, "AA");
	SLT_AUTO_STR char *c = new_id(other, "AA");

	(void)state;
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	assert_int_equal(a[14], '8');
	assert_non_null(strchr("89ab", a[19]));
	/* not from the envelope around it */
	becomes((struct job){.message = SLT_MAP_RESPONSE,
			     .text = SOAP "<x:HaeVastaus" AA "><x:asiakirja>" CDA(
				     "", "") "</x:asiakirja></x:HaeVastaus>" END},
		a);
}

static void a_document_needs_an_id(void **state)
{
	(void)state;
	refused((struct job){.text = "<ClinicalDocument" D "><code code='1'/></ClinicalDocument>"},
		SLT_FED_STR_003, "no id");
}

/* --- the trace --- */

static void the_same_input_gives_the_same_bytes(void **state)
{
	static const char text[] = CDA("", "");
	SLT_AUTO_BUF(first, 1 << 20);
	SLT_AUTO_BUF(second, 1 << 20);

	(void)state;
	becomes((struct job){.text = text}, "<");
	SLT_AUTO_STR char *once = slt_strdup(output);
	slt_trace_json(result->trace, true, &first);
	becomes((struct job){.text = text}, "<");
	slt_trace_json(result->trace, true, &second);
	assert_string_equal(once, output);
	assert_string_equal(first.p, second.p);
}

static void the_trace_shows_a_person_only_when_asked(void **state)
{
	SLT_AUTO_BUF(masked, 1 << 20);
	SLT_AUTO_BUF(open, 1 << 20);

	(void)state;
	becomes((struct job){.text = PERSON("19521013", "2")}, "<doc");
	slt_trace_json(result->trace, false, &masked);
	slt_trace_json(result->trace, true, &open);
	assert_null(strstr(masked.p, HETU));
	assert_non_null(strstr(masked.p, "\"from\":{\"system\":\"1.10\",\"code\":\"***\"}"));
	assert_non_null(strstr(open.p, HETU));
	assert_non_null(strstr(masked.p,
			       "\"fromVersion\":\"1\",\"toVersion\":\"1\",\"flowVersion\":\"f1\""));
	assert_non_null(strstr(masked.p, slt_mapset_digest(set)));
}

static void deep_documents_are_refused(void **state)
{
	SLT_AUTO_BUF(b, 1 << 20);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_buf_adds(&b, "<doc" D ">");
	for (int i = 0; i < 200; i++) {
		slt_buf_adds(&b, "<a>");
	}
	for (int i = 0; i < 200; i++) {
		slt_buf_adds(&b, "</a>");
	}
	slt_buf_adds(&b, "</doc>");
	assert_false(apply((struct job){.text = b.p}, &err));
	assert_int_equal(err.code, SLT_EINVALID_XML);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_becomes_the_other_countrys),
		cmocka_unit_test(parts_stand_in_the_namespace_declared),
		cmocka_unit_test(what_has_no_counterpart_stops_the_message),
		cmocka_unit_test(all_problems_are_collected),
		cmocka_unit_test(many_warnings_hide_no_error),
		cmocka_unit_test(the_policy_says_what_happens_then),
		cmocka_unit_test(the_last_of_several_code_rules_is_meant),
		cmocka_unit_test(a_codes_original_stands_where_the_rule_says),
		cmocka_unit_test(text_is_looked_up_only_where_allowed),
		cmocka_unit_test(a_code_comes_home),
		cmocka_unit_test(a_soap_body_gets_the_other_countrys_words),
		cmocka_unit_test(what_a_body_may_not_hold_is_refused),
		cmocka_unit_test(what_is_no_message_is_refused),
		cmocka_unit_test(a_document_inside_a_body_is_mapped_too),
		cmocka_unit_test(attachments_are_mapped_or_passed),
		cmocka_unit_test(no_envelope_where_a_document_must_be),
		cmocka_unit_test(faults_are_translated),
		cmocka_unit_test(a_translated_document_says_so),
		cmocka_unit_test(the_new_id_follows_from_the_document),
		cmocka_unit_test(a_document_needs_an_id),
		cmocka_unit_test(the_same_input_gives_the_same_bytes),
		cmocka_unit_test(the_trace_shows_a_person_only_when_asked),
		cmocka_unit_test(deep_documents_are_refused),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, setup, teardown);
}
