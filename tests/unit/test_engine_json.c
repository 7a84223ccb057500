/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

/* The fixture's tables under a flow of JSON documents. */
static const struct fixture_file json_files[] = {
	{"flows/js/common.conf",
	 "flow = \"js\"; version = \"j1\";\n"
	 "namespaces = ( { prefix = \"j\"; uri = \"urn:silta:json:1\"; } );\n"
	 "messages = ( { service = \"ask\"; format = \"json\"; } );\n"
	 "documents = ( { id = \"doc\"; match = [ \"?@.kind == 'doc'\" ]; date = \"@.date\"; },\n"
	 "  { id = \"bundle\"; match = [ \"?@.resourceType == 'Bundle'\" ]; fhir = true; } );\n"
	 "fields = ( { id = \"kind\"; documents = [ \"doc\" ]; where = \"@.kind\"; } );\n"
	 "rules = (\n"
	 "  { id = \"form\"; where = \"$..form\"; what = \"code\"; table = \"form\"; },\n"
	 "  { id = \"needed\"; where = \"$..needed\"; what = \"code\"; table = \"form\"; usage = \"R\"; },\n"
	 "  { id = \"null\"; where = \"$..nullable\"; what = \"code\"; table = \"form\"; policy = \"null\"; },\n"
	 "  { id = \"drop\"; where = \"$..droppable\"; what = \"code\"; table = \"form\"; policy = \"drop\"; },\n"
	 "  { id = \"bare\"; where = \"$..bare\"; what = \"code\"; table = \"form\"; keep = \"none\"; },\n"
	 "  { id = \"words\"; where = \"$..words\"; what = \"code\"; table = \"form\"; from_text = true; policy = \"original\"; },\n"
	 "  { id = \"codings\"; where = \"$..list[*]\"; what = \"code\"; table = \"form\"; },\n"
	 "  { id = \"assumed\"; where = \"$..assumed\"; what = \"code\"; table = \"form\"; assume = true; },\n"
	 "  { id = \"unit\"; where = \"$..amount\"; what = \"unit\"; table = \"unit\"; keep = \"translation\"; },\n"
	 "  { id = \"pid\"; where = \"$..pid\"; what = \"identifier\"; class = \"patient\"; },\n"
	 "  { id = \"day\"; where = \"$..day\"; what = \"date\"; },\n"
	 "  { id = \"isoday\"; where = \"$..isoday\"; what = \"date\"; format = \"iso\"; },\n"
	 "  { id = \"number\"; where = \"$..number\"; what = \"number\"; min = \"1\"; },\n"
	 "  { id = \"phrase\"; where = \"$..phrase\"; what = \"text\"; table = \"phrase\"; policy = \"original\"; },\n"
	 "  { id = \"set\"; where = \"$.set\"; what = \"set\"; value = \"${to.country}\"; },\n"
	 "  { id = \"gone\"; where = \"$..gone\"; what = \"drop\"; },\n"
	 "  { id = \"called\"; where = \"$..old\"; what = \"rename\"; to = \"j:new_name\"; },\n"
	 "  { id = \"never\"; where = \"$..[?@.secret == true]\"; what = \"forbid\"; error = \"FED-BUS-001\"; },\n"
	 "  { id = \"must\"; in = \"$..holder\"; where = \"@.held\"; what = \"require\"; } );\n"
	 "subjects = ( { id = \"who\"; body = \"@.pid\"; } );\n"
	 "guards = ( { id = \"person\"; documents = [ \"doc\" ]; what = \"personal_code\"; in = \"$.person\";\n"
	 "  code = \"@.pid\"; birth = \"@.birth\"; sex = \"@.sex\"; } );\n"},
	{"flows/js/AA.conf",
	 "country = \"AA\"; namespaces = ( { prefix = \"k\"; uri = \"urn:silta:json:1\"; } );\n"
	 "services = ( { id = \"ask\"; name = \"kysy\"; } );\n"
	 "names = ( { national = \"k:muoto\"; pivot = \"k:form\"; attributes = [ \"koodi=code\", \"nimi=display\" ]; },\n"
	 "  { national = \"k:muodot\"; pivot = \"k:list\"; attributes = [ \"koodi=code\" ]; },\n"
	 "  { national = \"k:oma\"; pivot = \"k:own\"; }, { national = \"k:teksti\"; pivot = \"k:text\"; },\n"
	 "  { national = \"k:henkilo\"; pivot = \"k:pid\"; } );\n"},
	{"flows/js/BB.conf",
	 "country = \"BB\"; namespaces = ( { prefix = \"k\"; uri = \"urn:silta:json:1\"; } );\n"
	 "services = ( { id = \"ask\"; name = \"kysi\"; } );\n"
	 "names = ( { national = \"k:vorm\"; pivot = \"k:form\"; attributes = [ \"kood=code\" ]; },\n"
	 "  { national = \"k:vormid\"; pivot = \"k:list\"; attributes = [ \"kood=code\" ]; },\n"
	 "  { national = \"k:tekst\"; pivot = \"k:text\"; },\n"
	 "  { national = \"k:isik\"; pivot = \"k:pid\"; } );\n"},
};

static struct slt_mapset *js;

static bool load(const char *file, const char *old, const char *new, struct slt_mapset **ret,
		 struct slt_err *err)
{
	struct fixture f;
	SLT_AUTO_STR char *bb =
		fixture_with("countries/BB/country.conf", "name = \"BBF\";",
			     "name = \"BBF\"; uri = \"http://bb/forms\"; version = \"3\";");

	fixture_begin(&f);
	fixture_write(&f, "countries/BB/country.conf", bb);
	for (size_t i = 0; i < SLT_COUNT(json_files); i++) {
		const char *text = json_files[i].text, *at;
		bool it = file && strcmp(file, json_files[i].name) == 0;
		at = it ? strstr(text, old) : NULL;
		assert_true(!it || at);
		SLT_AUTO_STR char *own =
			at ? slt_asprintf("%.*s%s%s", (int)(at - text), text, new, at + strlen(old))
			   : slt_strdup(text);
		fixture_write(&f, json_files[i].name, own);
	}
	bool good = slt_mapset_load(f.dir, ret, err);
	fixture_end(&f);
	return good;
}

static struct job doc(const char *members)
{
	static char text[4096];

	snprintf(text, sizeof(text), "{\"kind\":\"doc\",%s}", members);
	return (struct job){.set = js, .flow = "js", .text = text};
}

static struct job back(const char *members)
{
	struct job j = doc(members);

	j.from = "BB";
	j.to = "AA";
	return j;
}

#define CODING(code) "{\"system\":\"urn:oid:1.1\",\"code\":\"" code "\",\"display\":\"n\"}"

/* --- codes --- */

static void concepts_keep_their_original(void **state)
{
	(void)state;
	becomes(doc("\"form\":{\"coding\":[" CODING("10") "]}"),
		"\"form\":{\"coding\":[{\"system\":\"http://bb/forms\",\"version\":\"3\",\"code\":\"T\","
		"\"display\":\"tablett\"}," CODING("10") "],\"text\":\"n\"}");
	assert_string_equal(entry("form")->place, "$.form");
	assert_string_equal(entry("form")->from.system, "1.1");
	/* a text that is there stays */
	becomes(doc("\"form\":{\"coding\":[" CODING("10") "],\"text\":\"own words\"}"),
		"],\"text\":\"own words\"}");
	/* the pivot's coding will do, other systems stay behind */
	becomes(doc("\"form\":{\"coding\":[{\"system\":\"urn:x\",\"code\":\"7\"},"
		    "{\"system\":\"urn:oid:9.1\",\"code\":\"P2\"}]}"),
		"\"code\":\"c2\",\"display\":\"kapsel 2\"},{\"system\":\"urn:x\",\"code\":\"7\"},"
		"{\"system\":\"urn:oid:9.1\",\"code\":\"P2\"}]");
	becomes(doc("\"bare\":{\"coding\":[" CODING("10") "]}"),
		"\"bare\":{\"coding\":[{\"system\":\"http://bb/forms\",\"version\":\"3\",\"code\":\"T\","
		"\"display\":\"tablett\"}]}");
}

static void codes_come_home_as_they_went(void **state)
{
	(void)state;
	becomes(back("\"form\":{\"coding\":[{\"system\":\"http://bb/forms\",\"code\":\"T\"},"
		     "{\"system\":\"urn:oid:1.1\",\"code\":\"10\"}]}"),
		"\"coding\":[{\"system\":\"urn:oid:1.1\",\"version\":\"7\",\"code\":\"10\",\"display\":\"Tabletti\"},"
		"{\"system\":\"http://bb/forms\",\"code\":\"T\"}]");
	assert_string_equal(entry("form")->note, "restored from translation");
}

static void codings_and_strings_are_codes_too(void **state)
{
	(void)state;
	becomes(doc("\"form\":" CODING("10")),
		"\"form\":{\"system\":\"http://bb/forms\",\"code\":\"T\",\"display\":\"tablett\",\"version\":\"3\"}");
	becomes(doc("\"form\":\"10\""), "\"form\":\"T\"");
	becomes(doc("\"form\":10"), "\"form\":\"T\"");
	becomes(doc("\"list\":[" CODING("10") "]"),
		"\"list\":[{\"system\":\"http://bb/forms\",\"version\":\"3\",\"code\":\"T\",\"display\":\"tablett\"}," CODING(
			"10") "]");
	becomes(doc("\"list\":[\"10\",\"11\"]"), "\"list\":[\"T\",\"c2\"]");
	becomes(doc("\"assumed\":{\"code\":\"10\"}"), "\"code\":\"T\"");
	becomes(doc("\"words\":{\"text\":\"tabletti\"}"),
		"\"words\":{\"text\":\"tabletti\",\"coding\":[{\"system\":\"http://bb/forms\",");
	becomes(doc("\"words\":{\"text\":\"ei mikään\"}"), "\"words\":{\"text\":\"ei mikään\"}");
}

static void without_a_sure_target(void **state)
{
	(void)state;
	refused(doc("\"form\":{\"coding\":[" CODING("15") "]}"), SLT_FED_MAP_001, "$.form");
	refused(doc("\"form\":{\"coding\":[" CODING("99") "]}"), SLT_FED_MAP_001, "");
	refused(doc("\"form\":{\"coding\":[{\"system\":\"urn:x\",\"code\":\"10\"}]}"),
		SLT_FED_MAP_001, "");
	refused(doc("\"form\":{\"coding\":[{\"code\":\"10\"}]}"), SLT_FED_MAP_001, "");
	refused(doc("\"form\":{\"coding\":[{\"system\":\"urn:oid:9.1\",\"code\":\"P9\"}]}"),
		SLT_FED_MAP_004, "");
	refused(doc("\"form\":{\"coding\":[" CODING("12") "]}"), SLT_FED_MAP_003, "");
	refused(doc("\"form\":{\"coding\":[" CODING("10") "," CODING("11") "]}"), SLT_FED_MAP_003,
		"");
	refused(doc("\"form\":{\"coding\":[" CODING("22") "]}"), SLT_FED_MAP_002, "");
	refused(doc("\"form\":\"nothing\""), SLT_FED_MAP_001, "");
	refused(doc("\"needed\":{\"text\":\"Tabletti\"}"), SLT_FED_STR_003, "");
	refused(doc("\"needed\":{}"), SLT_FED_STR_003, "");
	refused(doc("\"needed\":null"), SLT_FED_STR_003, "");
	refused(doc("\"needed\":[" CODING("10") "]"), SLT_FED_STR_003, "");
	refused(doc("\"needed\":{\"coding\":[]}"), SLT_FED_STR_003, "");
	refused(doc("\"needed\":{\"coding\":{\"code\":\"10\"}}"), SLT_FED_STR_003, "");
}

static void policies_of_json(void **state)
{
	(void)state;
	becomes(doc("\"nullable\":{\"coding\":[" CODING("15") "]}"),
		"\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-NullFlavor\","
		"\"code\":\"OTH\"}," CODING("15") "],\"text\":\"n\"}");
	becomes(doc("\"nullable\":\"15\",\"x\":1"), "{\"kind\":\"doc\",\"x\":1}");
	becomes(doc("\"nullable\":" CODING("15")), "\"nullable\":{\"display\":\"n\"}");
	becomes(doc("\"droppable\":" CODING("15") ",\"x\":1"), "{\"kind\":\"doc\",\"x\":1}");
}

/* --- values --- */

static void quantities(void **state)
{
	(void)state;
	becomes(doc("\"amount\":{\"value\":5.0,\"unit\":\"kpl\"}"),
		"\"amount\":{\"value\":5.0,\"unit\":\"TK\",\"extension\":[{\"url\":"
		"\"http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation\","
		"\"valueQuantity\":{\"value\":5.0,\"unit\":\"kpl\"}}]}");
	becomes(doc("\"amount\":{\"value\":1.50,\"unit\":\"kvart\"}"),
		"\"value\":4.50,\"unit\":\"kuu\"");
	becomes(doc("\"amount\":{\"value\":2,\"code\":\"1\"}"), "{\"value\":2,\"code\":\"1\"}");
	becomes(doc("\"amount\":\"kpl\""), "\"amount\":\"TK\"");
	becomes(doc("\"amount\":{\"value\":2}"), "\"amount\":{\"value\":2}");
	refused(doc("\"amount\":{\"value\":1,\"unit\":\"5\"}"), SLT_FED_MAP_001, "$.amount");
	refused(doc("\"amount\":{\"value\":1,\"unit\":\"kpl\",\"code\":\"5\"}"), SLT_FED_MAP_001,
		"");
	refused(doc("\"amount\":{\"value\":1,\"code\":\"kpl\",\"system\":\"urn:x\"}"),
		SLT_FED_MAP_001, "");
	refused(doc("\"amount\":{\"unit\":\"kvart\"}"), SLT_FED_MAP_001, "");
	refused(doc("\"amount\":{\"value\":1e2,\"unit\":\"kvart\"}"), SLT_FED_MAP_001, "");
	refused(doc("\"amount\":{\"value\":{},\"unit\":\"kvart\"}"), SLT_FED_MAP_001, "");
}

static void identifiers(void **state)
{
	(void)state;
	becomes(doc("\"pid\":{\"system\":\"urn:oid:1.10\",\"value\":\"" HETU "\"}"),
		"\"pid\":{\"system\":\"urn:oid:2.16\",\"value\":\"" HETU "\"}");
	assert_true(entry("pid")->personal);
	becomes(doc("\"pid\":\"" HETU "\""), "\"pid\":\"" HETU "\"");
	becomes(back("\"pid\":{\"system\":\"urn:oid:2.16\",\"value\":\"" HETU "\"}"),
		"\"pid\":{\"system\":\"urn:oid:1.10\",");
	refused(doc("\"pid\":{\"system\":\"urn:oid:1.10\",\"value\":\"131052-308U\"}"),
		SLT_FED_ID_002, "$.pid");
	refused(doc("\"pid\":{\"system\":\"urn:oid:1.11\",\"value\":\"" HETU "\"}"), SLT_FED_ID_001,
		"");
	refused(doc("\"pid\":{\"system\":\"urn:oid:1.10\"}"), SLT_FED_ID_001, "");
	refused(doc("\"pid\":{\"value\":{}}"), SLT_FED_ID_001, "");
	refused(doc("\"pid\":\"131052-308U\""), SLT_FED_ID_002, "");
	refused(doc("\"pid\":\"x\""), SLT_FED_ID_001, "");
	refused(doc("\"pid\":{\"system\":\"urn:ietf:rfc:3986\",\"value\":\"urn:oid:1.10\"}"),
		SLT_FED_ID_001, "");
	refused(doc("\"pid\":null"), SLT_FED_ID_001, "");
}

static void dates(void **state)
{
	(void)state;
	becomes(doc("\"day\":\"2026-11-02T10:15:00+02:00\""),
		"\"day\":\"2026-11-02T10:15:00+02:00\"");
	becomes(doc("\"day\":\"2026-11-02T10:15:00.123Z\""), "123Z");
	becomes(doc("\"day\":\"2026-11\""), "2026-11");
	becomes(doc("\"isoday\":\"2026-11-02T10:15:00Z\""), "\"isoday\":\"2026-11-02\"");
	becomes(doc("\"isoday\":\"20261102\""), "\"isoday\":\"2026-11-02\"");
	refused(doc("\"day\":\"2026-13\""), SLT_FED_STR_002, "");
	refused(doc("\"day\":\"2026-02-29\""), SLT_FED_STR_002, "");
	refused(doc("\"day\":\"2026-11-02T10:15:00\""), SLT_FED_STR_002, "");
	refused(doc("\"day\":\"2026-11-02T24:15:00Z\""), SLT_FED_STR_002, "");
	refused(doc("\"day\":\"2026-11-02T10:15Z\""), SLT_FED_STR_002, "");
	refused(doc("\"day\":\"2026-11-02T10:15:00.Z\""), SLT_FED_STR_002, "");
	refused(doc("\"day\":\"2026-11-02T10:15:00+0200\""), SLT_FED_STR_002, "");
	refused(doc("\"day\":\"2026-11-02T10:15:00+15:00\""), SLT_FED_STR_002, "");
	refused(doc("\"day\":\"2026-11-02 10:15:00Z\""), SLT_FED_STR_002, "");
	refused(doc("\"isoday\":\"2026-11\""), SLT_FED_STR_002, "");
}

static void structure(void **state)
{
	(void)state;
	becomes(doc("\"set\":1,\"gone\":[1,{\"a\":2}],\"old\":{\"a\":[0.10]}"),
		"{\"kind\":\"doc\",\"set\":\"BB\",\"new_name\":{\"a\":[0.10]}}");
	becomes(doc("\"phrase\":\"aamuisin\""), "\"phrase\":\"hommikuti\"");
	becomes(doc("\"phrase\":{\"a\":1}"), "\"phrase\":{\"a\":1}");
	becomes(doc("\"number\":1.0,\"holder\":{\"held\":null}"), "\"number\":1.0");
	refused(doc("\"number\":0.9"), SLT_FED_STR_002, "$.number");
	refused(doc("\"a\":[{\"number\":\"x\"}]"), SLT_FED_STR_002, "$.a[0].number");
	refused(doc("\"it's\":{\"number\":0}"), SLT_FED_STR_002, "$['it\\'s'].number");
	refused(doc("\"a\":[0,{\"secret\":true}]"), SLT_FED_BUS_001, "$.a[1]");
	becomes(doc("\"a\":[0,{\"secret\":\"true\"}]"), "\"true\"");
	refused(doc("\"holder\":{}"), SLT_FED_STR_003, "$.holder");
	refused(doc("\"holder\":1"), SLT_FED_STR_003, "");
}

static void persons(void **state)
{
	static const struct {
		const char *birth, *sex;
		bool good;
	} all[] = {{"1952-10-13", "female", true},  {"19521013", "female", true},
		   {"1952-10", "other", true},	    {"1952", "unknown", true},
		   {"1952-10-14", "female", false}, {"1952-10-13", "male", false},
		   {"1952-11", "female", false},    {"not known", "female", false}};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		SLT_AUTO_STR char *m = slt_asprintf(
			"\"person\":{\"birth\":\"%s\",\"sex\":\"%s\",\"pid\":{\"system\":\"urn:oid:1.10\","
			"\"value\":\"" HETU "\"}}",
			all[i].birth, all[i].sex);
		if (all[i].good) {
			becomes(doc(m), "urn:oid:2.16");
		} else {
			refused(doc(m), SLT_FED_ID_003, "");
		}
	}
}

/* --- documents and messages --- */

static void bundles_say_that_they_are_translated(void **state)
{
	struct job j = {
		.set = js,
		.flow = "js",
		.text = "{\"resourceType\":\"Bundle\",\"id\":\"b\",\"identifier\":{\"system\":\"urn:s\","
			"\"value\":\"v\"},\"entry\":[{\"fullUrl\":\"urn:uuid:1\",\"resource\":"
			"{\"resourceType\":\"Composition\"}}]}"};

	(void)state;
	becomes(j,
		"\"relatesTo\":[{\"code\":\"transforms\",\"targetIdentifier\":{\"system\":\"urn:s\","
		"\"value\":\"v\"}}]");
	SLT_AUTO_STR char *first = slt_strdup(output);
	becomes(j, "\"resourceType\":\"Provenance\"");
	assert_string_equal(first, output);
	assert_non_null(strstr(output, "\"target\":[{\"reference\":\"urn:uuid:1\"}]"));
	assert_non_null(strstr(output, "\"recorded\":\"2025-11-23T00:00:00.000Z\""));
	assert_null(strstr(output, "\"id\":\"b\""));
	j.text = "{\"resourceType\":\"Bundle\",\"identifier\":{\"value\":\"v\"}}";
	becomes(j,
		"\"target\":[{\"type\":\"Bundle\",\"identifier\":{\"system\":\"urn:ietf:rfc:3986\"");
	j.text = "{\"resourceType\":\"Bundle\",\"identifier\":{\"system\":\"urn:s\"}}";
	refused(j, SLT_FED_STR_003, "$.identifier");
	j.text = "{\"resourceType\":\"Bundle\",\"identifier\":\"v\"}";
	refused(j, SLT_FED_STR_003, "$.identifier");
}

static void messages_have_names(void **state)
{
	struct job j = {
		.set = js,
		.flow = "js",
		.service = "kysy",
		.text = "{\"muoto\":{\"koodi\":\"10\",\"nimi\":\"Tabletti\"},\"teksti\":[\"10\",{\"teksti\":1.50}]}"};

	(void)state;
	refused(j, SLT_FED_MAP_001, "$.muoto"); /* an object without system is not assumed */
	j.text = "{\"muodot\":[{\"koodi\":\"10\"}],\"teksti\":1}";
	refused(j, SLT_FED_MAP_001, "$.muodot[0]");
	j.text = "{\"muoto\":\"10\",\"teksti\":[\"10\",{\"teksti\":1.50}]}";
	becomes(j, "{\"vorm\":\"T\",\"tekst\":[\"10\",{\"tekst\":1.50}]}");
	j.service = "kysi"; /* the receiver's name of it will do */
	becomes(j, "{\"vorm\":\"T\"");
	j.service = NULL;
	refused(j, SLT_FED_STR_002, "no service is named");
	j.service = "other";
	refused(j, SLT_FED_STR_002, "not a service");
	j.service = "kysy";
	j.message = SLT_MAP_FAULT;
	refused(j, SLT_FED_STR_002, "request or a response");
	j.message = SLT_MAP_REQUEST;
	j.text = "{\"form\":\"10\"}"; /* the pivot's word is not the country's */
	refused(j, SLT_FED_STR_002, "$.form");
	j.text = "{\"teksti\":{\"koodi\":\"10\"}}"; /* a name of another object's */
	refused(j, SLT_FED_STR_002, "$.teksti.koodi");
	j.text = "{\"oma\":1}";
	refused(j, SLT_FED_STR_002, "the receiving country has no word");
	j.text = "{\"muoto\":{\"koodi\":\"10\",\"nimi\":\"x\",\"muu\":1}}";
	refused(j, SLT_FED_MAP_001, "");
	j.text = "[1]";
	becomes(j, "[1]");
}

static bool message(const struct slt_map_result *asked, const char *text, struct slt_map_result *r,
		    struct slt_err *err)
{
	const struct slt_map_input in = {.from = asked ? "BB" : "AA",
					 .to = asked ? "AA" : "BB",
					 .flow = "js",
					 .service = "kysy",
					 .message = asked ? SLT_MAP_RESPONSE : SLT_MAP_REQUEST,
					 .body = slt_str(text),
					 .asked = asked,
					 .now_ms = NOW};

	return slt_map_apply(js, &in, r, err);
}

static void an_answer_is_about_who_was_asked_for(void **state)
{
	SLT_AUTO(slt_map_result_free) struct slt_map_result *asked = slt_map_result_new();
	SLT_AUTO(slt_map_result_free) struct slt_map_result *same = slt_map_result_new();
	SLT_AUTO(slt_map_result_free) struct slt_map_result *other = slt_map_result_new();
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(message(NULL, "{\"henkilo\":\"" HETU "\"}", asked, &err));
	assert_true(message(asked, "{\"isik\":\"" HETU "\"}", same, &err));
	assert_false(message(asked, "{\"isik\":\"37605030299\"}", other, &err));
	assert_int_equal(err.code, SLT_FED_ID_003);
}

static void xml_and_json_are_told_apart(void **state)
{
	struct job j = {.set = js, .flow = "js", .text = "<doc/>"};

	(void)state;
	refused(j, SLT_FED_STR_002, "");
	j.text = "{\"kind\":\"paper\"}";
	refused(j, SLT_FED_STR_002, "no kind of document");
	j.text = "{\"kind\":\"doc\",}";
	refused(j, SLT_EINVAL, "line 1, column");
	j.text = "\"doc\"";
	refused(j, SLT_EINVALID_XML, "");
	j.text = "{\"kind\":\"doc\"}";
	j.flow = "demo";
	refused(j, SLT_FED_STR_002, "");
	j.service = "Hae";
	refused(j, SLT_FED_STR_002, "JSON");
}

static void sets_with_mistakes(void **state)
{
	static const struct {
		const char *file, *old, *new, *says;
	} bad[] = {
		{"flows/js/common.conf", "$..form\"", "//form\"; documents = [ \"doc\" ]",
		 "must be JSONPath"},
		{"flows/js/common.conf", "$..form\"", "@.form\"", "where begins with $"},
		{"flows/js/common.conf", "\"$..holder\"", "\"@.holder\"", "in begins with $"},
		{"flows/js/common.conf", "$..form\"", "$.a[0]\"", "indices"},
		{"flows/js/common.conf", "fhir = true", "cda = true", "cda is for XML"},
		{"flows/js/common.conf", "?@.kind == 'doc'", "doc\" ]; fhir = true; x = [ \"", "x"},
		{"flows/js/common.conf", "format = \"json\"", "request = \"j:a\"",
		 "are needed for XML"},
		{"flows/js/common.conf", "format = \"json\"",
		 "format = \"json\"; request = \"j:a\"", "has no body elements"},
		{"flows/js/AA.conf", "name = \"kysy\"", "name = \"kysy\"; request = \"k:a\"",
		 "has no body elements"},
		{"flows/js/common.conf", "in = \"$.person\"", "in = \"//person\"",
		 "must be JSONPath"},
		{"flows/js/common.conf", "where = \"@.kind\"", "where = \"kind\"",
		 "must be JSONPath"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_mapset *s = NULL;
		struct slt_err err = SLT_ERR_INIT;
		bool good = load(bad[i].file, bad[i].old, bad[i].new, &s, &err);
		slt_mapset_free(s);
		if (good || !strstr(err.msg, bad[i].says)) {
			fail_msg("%zu: %s", i, good ? "accepted" : err.msg);
		}
	}
}

static int begin(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	if (setup(state) != 0 || !load(NULL, NULL, NULL, &js, &err)) {
		print_message("%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int end(void **state)
{
	slt_mapset_free(js);
	return teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(concepts_keep_their_original),
		cmocka_unit_test(codes_come_home_as_they_went),
		cmocka_unit_test(codings_and_strings_are_codes_too),
		cmocka_unit_test(without_a_sure_target),
		cmocka_unit_test(policies_of_json),
		cmocka_unit_test(quantities),
		cmocka_unit_test(identifiers),
		cmocka_unit_test(dates),
		cmocka_unit_test(structure),
		cmocka_unit_test(persons),
		cmocka_unit_test(bundles_say_that_they_are_translated),
		cmocka_unit_test(messages_have_names),
		cmocka_unit_test(an_answer_is_about_who_was_asked_for),
		cmocka_unit_test(xml_and_json_are_told_apart),
		cmocka_unit_test(sets_with_mistakes),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, begin, end);
}
