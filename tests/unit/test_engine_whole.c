/* SPDX-License-Identifier: MIT */
/* JSON messages that are a document of the flow themselves; identifiers written "system|value". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

static const struct fixture_file files[] = {
	{"flows/wh/common.conf",
	 "flow = \"wh\"; version = \"1\";\n"
	 "namespaces = ( { prefix = \"j\"; uri = \"urn:silta:json:1\"; } );\n"
	 "messages = ( { service = \"store\"; format = \"json\"; request_document = \"doc\"; response_document = \"doc\"; },\n"
	 "  { service = \"get\"; format = \"json\"; request_document = \"none\"; response_document = \"doc\"; } );\n"
	 "documents = ( { id = \"doc\"; match = [ \"?@.kind == 'doc'\" ]; },\n"
	 "  { id = \"left\"; match = [ \"?@.kind == 'left'\" ]; pass = true; },\n"
	 "  { id = \"paper\"; match = [ \"paper\" ]; },\n"
	 "  { id = \"bundle\"; match = [ \"?@.resourceType == 'Bundle'\" ]; fhir = true; } );\n"
	 "rules = ( { id = \"pid\"; where = \"$..pid\"; what = \"identifier\"; class = \"patient\"; } );\n"
	 "subjects = ( { id = \"who\"; body = \"@.pid\"; documents = [ \"doc\" ]; document = \"@.people[*].pid\"; } );\n"},
	{"flows/wh/AA.conf",
	 "country = \"AA\"; services = ( { id = \"store\"; name = \"tallenna\"; },\n"
	 "  { id = \"get\"; name = \"hae\"; calls = [ \"?henkilo={pid}\" ]; } );\n"},
	{"flows/wh/BB.conf",
	 "country = \"BB\"; services = ( { id = \"store\"; name = \"salvesta\"; },\n"
	 "  { id = \"get\"; name = \"too\"; calls = [ \"?isik={pid}\" ]; } );\n"},
};

static struct slt_mapset *wh;

static bool load(const char *old, const char *new, struct slt_mapset **ret, struct slt_err *err)
{
	struct fixture f;

	fixture_begin(&f);
	for (size_t i = 0; i < SLT_COUNT(files); i++) {
		const char *text = files[i].text, *at = old && i == 0 ? strstr(text, old) : NULL;
		assert_true(!old || i > 0 || at);
		SLT_AUTO_STR char *own =
			at ? slt_asprintf("%.*s%s%s", (int)(at - text), text, new, at + strlen(old))
			   : slt_strdup(text);
		fixture_write(&f, files[i].name, own);
	}
	bool good = slt_mapset_load(f.dir, ret, err);
	fixture_end(&f);
	return good;
}

/* --- messages that are a document --- */

#define PEOPLE(list) "{\"kind\":\"doc\",\"people\":[" list "]}"
#define ONE(pid)     "{\"pid\":{\"system\":\"urn:oid:" pid "\"}}"
#define HOME	     ONE("1.10\",\"value\":\"" HETU) /* as AA names its person */
#define AWAY	     ONE("2.16\",\"value\":\"" HETU) /* as BB does */
#define ANOTHER	     ONE("2.10\",\"value\":\"37605030299")

/* A request of AA with `asked` NULL, else BB's answer to it. */
static bool whole(const char *service, const char *text, const struct slt_map_result *asked,
		  struct slt_map_result *r, struct slt_err *err)
{
	const struct slt_map_input in = {.from = asked ? "BB" : "AA",
					 .to = asked ? "AA" : "BB",
					 .flow = "wh",
					 .service = service,
					 .message = asked ? SLT_MAP_RESPONSE : SLT_MAP_REQUEST,
					 .body = slt_str(text),
					 .call = *text == '?',
					 .asked = asked,
					 .now_ms = NOW};

	*err = (struct slt_err)SLT_ERR_INIT;
	return slt_map_apply(wh, &in, r, err);
}

static void a_message_may_be_a_document(void **state)
{
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = slt_map_result_new();
	SLT_AUTO_BUF(out, 4096);
	struct slt_err err;

	(void)state;
	if (!whole("tallenna", PEOPLE(HOME), NULL, r, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_string_equal(r->trace->service, "store");
	assert_true(slt_map_dump(r->doc, &out, &err));
	assert_string_equal(out.p, PEOPLE(AWAY));
}

static void a_message_that_is_another_document(void **state)
{
	static const char *const bad[] = {
		"{\"kind\":\"left\"}",
		"{\"kind\":\"paper\"}",
		"{}",
		"[]",
		"{\"resourceType\":\"Bundle\"}",
		"<doc/>",
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		SLT_AUTO(slt_map_result_free) struct slt_map_result *r = slt_map_result_new();
		struct slt_err err;
		if (whole("tallenna", bad[i], NULL, r, &err) || err.code != SLT_FED_STR_002) {
			fail_msg("%s: %s", bad[i], err.msg);
		}
		assert_null(r->doc);
	}
}

static void an_answer_is_about_the_document_that_was_sent(void **state)
{
	static const struct {
		const char *service, *request, *answer;
		enum slt_code code;
	} cases[] = {
		{"tallenna", PEOPLE(HOME), PEOPLE(AWAY), SLT_OK},
		{"tallenna", PEOPLE(HOME), PEOPLE(AWAY "," AWAY), SLT_OK},
		{"tallenna", PEOPLE(HOME), PEOPLE(ANOTHER), SLT_FED_ID_003},
		{"tallenna", PEOPLE(HOME), PEOPLE(AWAY "," ANOTHER), SLT_FED_ID_003},
		{"tallenna", PEOPLE(HOME), PEOPLE(""), SLT_FED_ID_003},
		{"hae", "?henkilo=urn:oid:1.10%7C" HETU, PEOPLE(AWAY), SLT_OK},
		{"hae", "?henkilo=" HETU, PEOPLE(AWAY), SLT_OK},
		{"hae", "?henkilo=" HETU, PEOPLE(ANOTHER), SLT_FED_ID_003},
		{"hae", "?henkilo=" HETU, PEOPLE(ANOTHER "," AWAY), SLT_FED_ID_003},
		{"hae", "?henkilo=" HETU, PEOPLE(""), SLT_FED_ID_003},
		{"hae", "?henkilo=" HETU, "{\"kind\":\"left\"}", SLT_FED_STR_002},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		SLT_AUTO(slt_map_result_free) struct slt_map_result *asked = slt_map_result_new();
		SLT_AUTO(slt_map_result_free) struct slt_map_result *r = slt_map_result_new();
		struct slt_err err;
		if (!whole(cases[i].service, cases[i].request, NULL, asked, &err)) {
			fail_msg("%zu: %s", i, err.msg);
		}
		(void)whole(cases[i].service, cases[i].answer, asked, r, &err);
		if (err.code != cases[i].code) {
			fail_msg("%zu: %s", i, err.code == SLT_OK ? "passed" : err.msg);
		}
	}
}

/* Before anything has happened, not when the answer comes. */
static void a_request_about_two_is_refused(void **state)
{
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = slt_map_result_new();
	struct slt_err err;

	(void)state;
	assert_false(whole("tallenna", PEOPLE(HOME "," ANOTHER), NULL, r, &err));
	assert_int_equal(err.code, SLT_FED_ID_003);
}

static struct job pid(const char *value)
{
	static char text[512];

	snprintf(text, sizeof(text), "{\"kind\":\"doc\",\"pid\":\"%s\"}", value);
	return (struct job){.set = wh, .flow = "wh", .text = text};
}

static struct job back(const char *value)
{
	struct job j = pid(value);

	j.from = "BB";
	j.to = "AA";
	return j;
}

static void tokens(void **state)
{
	static const char *const bad[] = {
		"urn:oid:1.10 |" HETU,
		"urn:oid:1.99|" HETU,
		"|" HETU,
		"urn:oid:1.10|",
		"urn:oid:1.10||" HETU,
		"urn:oid:1.10|" HETU "|",
		"urn:oid:1.10|" HETU ",x",
		HETU ",urn:oid:1.10|" HETU,
		"urn:oid:1.10|" HETU "$x",
		"urn:oid:1.10|\\\\" HETU,
		"|",
	};

	(void)state;
	becomes(pid("urn:oid:1.10|" HETU), "\"pid\":\"urn:oid:2.16|" HETU "\"");
	becomes(back("urn:oid:2.16|" HETU), "\"pid\":\"urn:oid:1.10|" HETU "\"");
	becomes(pid(HETU), "\"pid\":\"" HETU "\"");
	refused(pid("urn:oid:1.10|010199-123A"), SLT_FED_ID_002, "");
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		refused(pid(bad[i]), SLT_FED_ID_001, "");
	}
}

static void sets_with_mistakes(void **state)
{
	static const struct {
		const char *old, *new, *says;
	} bad[] = {
		{"request_document = \"doc\"", "request_document = \"left\"", "cannot be one"},
		{"request_document = \"doc\"", "request_document = \"paper\"", "cannot be one"},
		{"response_document = \"doc\"", "response_document = \"glass\"",
		 "is no kind of document"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_mapset *s = NULL;
		struct slt_err err = SLT_ERR_INIT;
		bool good = load(bad[i].old, bad[i].new, &s, &err);
		slt_mapset_free(s);
		if (good || !strstr(err.msg, bad[i].says)) {
			fail_msg("%zu: %s", i, good ? "accepted" : err.msg);
		}
	}
}

static int begin(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	if (setup(state) != 0 || !load(NULL, NULL, &wh, &err)) {
		print_message("%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int end(void **state)
{
	slt_mapset_free(wh);
	return teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_may_be_a_document),
		cmocka_unit_test(a_message_that_is_another_document),
		cmocka_unit_test(an_answer_is_about_the_document_that_was_sent),
		cmocka_unit_test(a_request_about_two_is_refused),
		cmocka_unit_test(tokens),
		cmocka_unit_test(sets_with_mistakes),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
