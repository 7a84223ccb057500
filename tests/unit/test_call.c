/* SPDX-License-Identifier: MIT */
/* REST requests that say in path and query what they want. Run from the root of the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "mappings/call.h"
#include "mappings/engine.h"

#define NOW INT64_C(1795392000000) /* 2026-11-23 */

static struct slt_call call_of(struct slt_arena *a, const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_call c;

	if (!slt_call_parse(text, a, &c, &err)) {
		fail_msg("%s", err.msg);
	}
	return c;
}

static void templates_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {
		"a",	   "/",		"/a/",		"//a",		"/{}",
		"/{1a}",   "/{a",	"/a{b}",	"/{a b}",	"/{a}/{a}",
		"/{a?}",   "?",		"?a",		"?a=",		"?={a}",
		"?a={a}&", "?a={a}&b",	"?a={a}&a={b}", "?a={a}&b={a}", "/%2",
		"/%zz",	   "/%00",	"/%ff",		"/%ed%a0%80",	"/%c0%af",
		"/a\x01",  "?a%0a={a}", "?a={a?b}",	"/{a}?a={a}",
	};
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_BUF(many, 1 << 12);

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_err err = SLT_ERR_INIT;
		struct slt_call c;
		if (slt_call_parse(bad[i], a, &c, &err)) {
			fail_msg("taken: %s", bad[i]);
		}
		assert_int_equal(err.code, SLT_EINVAL);
	}
	for (size_t i = 0; i <= SLT_CALL_PARTS; i++) {
		slt_buf_adds(&many, "/s");
	}
	struct slt_err err = SLT_ERR_INIT;
	struct slt_call c;
	assert_false(slt_call_parse(many.p, a, &c, &err));
}

/* The values of a request as "name=value;"; NULL when it does not fit. */
static const char *values(struct slt_arena *a, const char *text, const char *path,
			  const char *query)
{
	struct slt_call c = call_of(a, text);
	struct slt_call_values v;
	const char *all = "";

	if (!slt_call_read(&c, path, query, a, &v)) {
		return NULL;
	}
	for (size_t i = 0; i < v.n; i++) {
		all = slt_arena_printf(a, "%s%s=%s;", all, v.v[i].name, v.v[i].value);
	}
	return all;
}

static void requests_that_fit(void **state)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();

	(void)state;
	assert_string_equal(values(a, "", "", NULL), "");
	assert_string_equal(values(a, "/a/{x}", "/a/1", NULL), "x=1;");
	assert_string_equal(values(a, "/%C3%A4/{x}", "/%c3%a4/a%2Fb+c", NULL), "x=a/b+c;");
	assert_string_equal(values(a, "?k={x}", "", "k=a+b%2Bc%20%26"), "x=a b+c &;");
	assert_string_equal(values(a, "?k={x}&l={y?}", "", "l=2&k=1"), "y=2;x=1;");
	assert_string_equal(values(a, "?k={x}&l={y?}", "", "k="), "x=;");
	assert_string_equal(values(a, "/a?k={x}&form=short", "/a", "form=short&k=1"), "x=1;");
	assert_string_equal(values(a, "?k={x?}", "", NULL), "");
}

static void requests_that_do_not_fit(void **state)
{
	static const struct {
		const char *call, *path, *query;
	} bad[] = {
		{"", "/", NULL},
		{"", "", ""},
		{"", "", "a=1"},
		{"/a/{x}", "/a", NULL},
		{"/a/{x}", "/a/", NULL},
		{"/a/{x}", "/a/1/", NULL},
		{"/a/{x}", "/a/1/2", NULL},
		{"/a/{x}", "/A/1", NULL},
		{"/a/{x}", "/a//1", NULL},
		{"/a/{x}", "a/1", NULL},
		{"/a/{x}", "/a/1", "k=1"},
		{"/a/{x}", "/a/%", NULL},
		{"/a/{x}", "/a/%4", NULL},
		{"/a/{x}", "/a/%00", NULL},
		{"/a/{x}", "/a/%0a", NULL},
		{"/a/{x}", "/a/%c0%ae", NULL},
		{"?k={x}", "", NULL},
		{"?k={x}", "", "k"},
		{"?k={x}", "", "k=1&k=1"},
		{"?k={x}", "", "K=1"},
		{"?k={x}", "", "k=1&l=2"},
		{"?k={x}", "", "k=1&"},
		{"?k={x}", "", "k=%ff"},
		{"?k={x}", "", "%6=1"},
		{"?k={x}&form=short", "", "k=1"},
		{"?k={x}&form=short", "", "k=1&form=long"},
	};
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_STR char *path = slt_calloc(SLT_CALL_BYTES + 2, 1);

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		if (values(a, bad[i].call, bad[i].path, bad[i].query)) {
			fail_msg("%s fits %s?%s", bad[i].call, bad[i].path, bad[i].query);
		}
	}
	memset(path, 'a', SLT_CALL_BYTES + 1);
	path[0] = '/';
	assert_null(values(a, "/{x}", path, NULL));
}

static void writing_encodes_what_reading_decoded(void **state)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_call c = call_of(a, "/s%20t/{x}?%C3%B5={y?}&z={z?}&f=a%26b");
	struct slt_call_values v = {{{"x", "a b?c#d%ä~"}, {"z", "1 2&"}}, 2}, back;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(path, 1000);
	SLT_AUTO_BUF(query, 1000);
	bool has;

	(void)state;
	assert_true(slt_call_write(&c, &v, &path, &query, &has, &err));
	assert_true(has);
	assert_string_equal(path.p, "/s%20t/a%20b%3Fc%23d%25%C3%A4~");
	assert_string_equal(query.p, "z=1%202%26&f=a%26b");
	assert_true(slt_call_read(&c, path.p, query.p, a, &back));
	assert_int_equal(back.n, 2);
	assert_string_equal(back.v[0].value, v.v[0].value);
	assert_string_equal(back.v[1].value, v.v[1].value);
}

static void what_cannot_be_written(void **state)
{
	static const struct {
		struct slt_call_values v;
		enum slt_code code;
	} bad[] = {
		{{{{"x", NULL}}, 0}, SLT_FED_STR_003},
		{{{{"x", ""}}, 1}, SLT_FED_STR_003},
		{{{{"x", "."}}, 1}, SLT_FED_STR_003},
		{{{{"x", ".."}}, 1}, SLT_FED_STR_003},
		/* another path to whoever resolves or decodes it in an order of his own */
		{{{{"x", "../secret"}}, 1}, SLT_FED_STR_003},
		{{{{"x", "a/b"}}, 1}, SLT_FED_STR_003},
		{{{{"x", "a\\b"}}, 1}, SLT_FED_STR_003},
		{{{{"x", "..;a=b"}}, 1}, SLT_FED_STR_003},
		{{{{"x", ";a"}}, 1}, SLT_FED_STR_003},
		{{{{"x", "%2e%2E"}}, 1}, SLT_FED_STR_003},
		{{{{"x", "1"}, {"other", "2"}}, 2}, SLT_FED_STR_002},
	};
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_call c = call_of(a, "/{x}");

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_err err = SLT_ERR_INIT;
		SLT_AUTO_BUF(path, 1000);
		SLT_AUTO_BUF(query, 1000);
		bool has;
		assert_false(slt_call_write(&c, &bad[i].v, &path, &query, &has, &err));
		assert_int_equal(err.code, bad[i].code);
	}
}

static void templates_that_say_the_same(void **state)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_call x = call_of(a, "/{a}?b={b?}&c=d"), y = call_of(a, "/s/{a}?o={b?}");
	struct slt_call must = call_of(a, "/{a}?b={b}"), fewer = call_of(a, "/{a}");
	struct slt_call other = call_of(a, "/{b}?a={a?}");

	(void)state;
	assert_true(slt_call_same(&x, &y) && slt_call_same(&y, &x));
	assert_false(slt_call_same(&x, &must) || slt_call_same(&must, &x));
	assert_false(slt_call_same(&x, &fewer) || slt_call_same(&fewer, &x));
	assert_false(slt_call_same(&x, &other));
}

/* --- in the business register's flow --- */

static struct slt_mapset *set;
static struct slt_map_result *result;

static bool ask(const char *from, const char *service, const char *call, struct slt_err *err)
{
	const struct slt_map_input in = {.from = from,
					 .to = strcmp(from, "FI") == 0 ? "EE" : "FI",
					 .flow = "register",
					 .message = SLT_MAP_REQUEST,
					 .service = service,
					 .body = slt_str(call),
					 .call = true,
					 .now_ms = NOW};

	slt_map_result_free(result);
	result = slt_map_result_new();
	return slt_map_apply(set, &in, result, err);
}

static void becomes(const char *from, const char *service, const char *call, const char *expected)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!ask(from, service, call, &err)) {
		fail_msg("%s: %s", call, err.msg);
	}
	assert_string_equal(result->call, expected);
}

static void calls_are_translated_and_traced(void **state)
{
	SLT_AUTO_BUF(trace, 1 << 16);

	(void)state;
	becomes("EE", "ettevotjad", "?registrikood=9900112-5", "?yritysTunnus=9900112-5");
	becomes("EE", "yritykset", "/9900112-5", "/9900112-5");
	becomes("FI", "yritykset", "?yritysTunnus=99900111", "?registrikood=99900111");
	slt_trace_json(result->trace, false, &trace);
	assert_non_null(strstr(trace.p, "\"rule\":\"json-company-id\",\"place\":\"$.companyId\""));
	assert_non_null(strstr(trace.p, "\"service\":\"company-json\""));
	assert_non_null(strstr(trace.p, "\"input\":\""));
	assert_non_null(result->subjects);
}

static void calls_that_are_refused(void **state)
{
	static const struct {
		const char *service, *call;
		enum slt_code code;
	} bad[] = {
		{"ettevotjad", "", SLT_FED_STR_002},
		{"ettevotjad", "?", SLT_FED_STR_002},
		{"ettevotjad", "?registrikood=9900112-5&all=1", SLT_FED_STR_002},
		{"ettevotjad", "?registrikood=9900112-5&registrikood=9900112-5", SLT_FED_STR_002},
		{"ettevotjad", "?yritysTunnus=9900112-5", SLT_FED_STR_002},
		{"ettevotjad", "/a/9900112-5", SLT_FED_STR_002},
		{"ettevotjad", "?registrikood=9900112-4", SLT_FED_ID_002},
		{"ettevotjad", "/9900112-4", SLT_FED_ID_002},
		{"ettevotjaParing", "?registrikood=9900112-5", SLT_FED_STR_002},
		{"nothing", "/9900112-5", SLT_FED_STR_002},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_err err = SLT_ERR_INIT;
		if (ask("EE", bad[i].service, bad[i].call, &err)) {
			fail_msg("passed: %s", bad[i].call);
		}
		if (err.code != bad[i].code) {
			fail_msg("%s: %s", bad[i].call, err.msg);
		}
		assert_null(result->call);
		assert_int_equal(result->problems->errors, 1);
	}
	assert_true(slt_mapset_calls(set, "register", "yritykset"));
	assert_false(slt_mapset_calls(set, "register", "HaeYritys"));
	assert_false(slt_mapset_calls(set, "nothing", "yritykset"));
}

static void answers_are_about_who_was_called_for(void **state)
{
	const char *const text = "{\"yritysTunnus\":\"9900112-5\",\"toiminimi\":\"A\"}";
	struct slt_map_input in = {.from = "FI",
				   .to = "EE",
				   .flow = "register",
				   .message = SLT_MAP_RESPONSE,
				   .service = "yritykset",
				   .body = slt_str(text),
				   .now_ms = NOW};

	(void)state;
	for (int wrong = 0; wrong < 2; wrong++) {
		SLT_AUTO(slt_map_result_free) struct slt_map_result *answer = slt_map_result_new();
		struct slt_err err = SLT_ERR_INIT;
		becomes("EE", "ettevotjad", wrong ? "/9900113-3" : "/9900112-5",
			wrong ? "/9900113-3" : "/9900112-5");
		in.asked = result;
		assert_int_equal(slt_map_apply(set, &in, answer, &err), !wrong);
		assert_int_equal(err.code, wrong ? SLT_FED_ID_003 : SLT_OK);
	}
}

static int load(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_xml_init();
	return slt_mapset_load("mappings", &set, &err) ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	slt_map_result_free(result);
	slt_mapset_free(set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_that_are_none_are_refused),
		cmocka_unit_test(requests_that_fit),
		cmocka_unit_test(requests_that_do_not_fit),
		cmocka_unit_test(writing_encodes_what_reading_decoded),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(templates_that_say_the_same),
		cmocka_unit_test(calls_are_translated_and_traced),
		cmocka_unit_test(calls_that_are_refused),
		cmocka_unit_test(answers_are_about_who_was_called_for),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
