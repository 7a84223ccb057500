/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mappings/json_doc.h"

static xmlDoc *parse(const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	xmlDoc *doc = NULL;

	if (!slt_json_parse(slt_str(text), "doc", &doc, &err)) {
		print_message("%s\n", err.msg);
		fail();
	}
	return doc;
}

static void check_same(const char *text, const char *expected)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = parse(text);
	SLT_AUTO_BUF(out, 1u << 20);
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_json_dump(doc, &out, &err));
	assert_string_equal(slt_buf_str(&out).p, expected);
}

static void kept(void **state)
{
	static const char *const same[] = {
		"{}",
		"[]",
		"null",
		"\"\"",
		"[[],{},[{}]]",
		"{\"b\":1,\"a\":2,\"\":3}",
		"[1.0,1.00,-0,0e0,1E+2,1e-2,0.10,123456789012345678901234567890,1e999]",
		"[true,false,null,\"true\",\"null\",\"1\"]",
		"{\"a b\":\"x\",\"é\":\"õ\",\"[]\":[],\"item\":1,\"$\":2,\"@x\":3,\"a:b\":4}",
		"[\"\\\"\\\\\\n\\r\\t\"]",
		"[\"/\"]",
		"[\"\xf0\x9f\x98\x80\"]",
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(same); i++) {
		check_same(same[i], same[i]);
	}
}

static void written_in_one_way(void **state)
{
	(void)state;
	check_same(" \t\r\n{ \"a\" : [ 1 , 2 ] }\n", "{\"a\":[1,2]}");
	check_same("\"\\u00e9\\u0041\\/\\u002f\"", "\"éA//\"");
	check_same("\"\\ud83d\\uDE00\"", "\"\xf0\x9f\x98\x80\"");
	check_same("{\"\\u0061\":1}", "{\"a\":1}");
}

struct bad {
	const char *text, *why;
};

static void refuse(const struct bad *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		xmlDoc *doc = NULL;
		struct slt_err err = SLT_ERR_INIT;
		if (slt_json_parse(slt_str(b[i].text), "doc", &doc, &err)) {
			print_message("accepted: %s\n", b[i].text);
			slt_xml_free(doc);
			fail();
		}
		assert_int_equal(err.code, SLT_EINVAL);
		if (!strstr(err.msg, b[i].why)) {
			print_message("%s: %s\n", b[i].text, err.msg);
			fail();
		}
	}
}

static void refused_structure(void **state)
{
	static const struct bad bad[] = {
		{"", "ends too early"},
		{"  ", "ends too early"},
		{"{", "name in quotes"},
		{"[", "ends too early"},
		{"[1", "ends too early"},
		{"[1,", "ends too early"},
		{"[1,]", "nothing stands"},
		{"[,1]", "no value"},
		{"[1 2]", "a comma"},
		{"[1}", "a comma"},
		{"{\"a\":1,}", "nothing stands"},
		{"{\"a\"}", "colon"},
		{"{\"a\" 1}", "colon"},
		{"{\"a\":}", "no value"},
		{"{a:1}", "name in quotes"},
		{"{'a':1}", "name in quotes"},
		{"{1:1}", "name in quotes"},
		{"{\"a\":1,\"a\":2}", "twice"},
		{"{\"a\":1,\"b\":2,\"\\u0061\":3}", "twice"},
		{"[{\"x\":{\"\":1,\"\":1}}]", "line 1, column 7: a member stands twice"},
		{"{} {}", "behind the value"},
		{"1 2", "behind the value"},
		{"[]]", "behind the value"},
		{"// c\n{}", "no value"},
		{"{}/* c */", "behind the value"},
		{"\xef\xbb\xbf{}", "byte order mark"},
		{"{\n\n  \"a\": x}", "line 3, column 8"},
	};

	(void)state;
	refuse(bad, SLT_COUNT(bad));
}

static void refused_values(void **state)
{
	static const struct bad bad[] = {
		{"NaN", "no value"},
		{"Infinity", "no value"},
		{"-Infinity", "no value"},
		{"-", "no value"},
		{"+1", "no value"},
		{"01", "no value"},
		{"-01", "no value"},
		{".5", "no value"},
		{"1.", "no value"},
		{"1.e5", "no value"},
		{"1e", "no value"},
		{"1e+", "no value"},
		{"0x10", "behind"},
		{"1_000", "behind"},
		{"1,5", "behind"},
		{"True", "no value"},
		{"TRUE", "no value"},
		{"nul", "no value"},
		{"nulll", "behind"},
		{"tru", "no value"},
		{"undefined", "no value"},
		{"'a'", "no value"},
		{"\x80", "no value"},
		{"\"a", "does not end"},
		{"\"a\\\"", "not end"},
		{"\"\\x41\"", "no escape"},
		{"\"\\'\"", "no escape"},
		{"\"\\", "no escape"},
		{"\"\\u12\"", "four hex"},
		{"\"\\u12g4\"", "four hex"},
		{"\"\\u 123\"", "four"},
		{"\"\n\"", "must be escaped"},
		{"\"\t\"", "must be escaped"},
		{"\"\x01\"", "must be"},
		{"\"\\u0000\"", "control"},
		{"\"\\u001f\"", "control"},
		{"\"\\b\"", "control"},
		{"\"\\f\"", "control"},
		{"\"\\uffff\"", "control"},
	};

	(void)state;
	refuse(bad, SLT_COUNT(bad));
}

static void refused_characters(void **state)
{
	static const struct bad bad[] = {
		{"\"\\ud83d\"", "high surrogate"},
		{"\"\\ude00\"", "low surrogate"},
		{"\"\\ud83d\\u0041\"", "high surrogate"},
		{"\"\\ud83dx\"", "high surrogate"},
		{"\"\\ud83d\\ud83d\"", "high surrogate"},
		{"\"\\ude00\\ud83d\"", "low surrogate"},
		{"\"\xc3\"", "not UTF-8"},
		{"\"\xc0\xaf\"", "not UTF-8"},
		{"\"\xe0\x80\xaf\"", "not UTF-8"},
		{"\"\xf0\x80\x80\xaf\"", "not UTF-8"},
		{"\"\xed\xa0\x80\"", "not UTF-8"},
		{"\"\xf4\x90\x80\x80\"", "not UTF-8"},
		{"\"\xf5\x80\x80\x80\"", "not UTF-8"},
		{"\"\x80\"", "not UTF-8"},
		{"\"\xff\"", "not UTF-8"},
		{"\"a\xe2\x82\"", "not UTF-8"},
		{"{\"\xe2\x82\":1}", "not UTF-8"},
		{"\"\xef\xbf\xbf\"", "not UTF-8"},
	};

	(void)state;
	refuse(bad, SLT_COUNT(bad));
}

static void refused_nul(void **state)
{
	static const char text[] = "[1,\0 2]", quoted[] = "\"a\0b\"";
	struct slt_err err = SLT_ERR_INIT;
	xmlDoc *doc = NULL;

	(void)state;
	assert_false(slt_json_parse((struct slt_str){text, sizeof(text) - 1}, "d", &doc, &err));
	assert_false(slt_json_parse((struct slt_str){quoted, sizeof(quoted) - 1}, "d", &doc, &err));
	assert_null(doc);
}

static void over(struct slt_buf *b)
{
	struct slt_err err = SLT_ERR_INIT;
	xmlDoc *doc = NULL;

	assert_false(b->failed);
	assert_false(slt_json_parse(slt_buf_str(b), "doc", &doc, &err));
	assert_int_equal(err.code, SLT_ELIMIT);
}

static void repeat(struct slt_buf *b, const char *what, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		slt_buf_adds(b, what);
	}
}

static void limits(void **state)
{
	SLT_AUTO_BUF(b, SLT_JSON_BYTES + 64);

	(void)state;
	repeat(&b, "[", SLT_JSON_DEPTH + 1);
	over(&b);
	slt_buf_reset(&b);
	repeat(&b, "{\"a\":", SLT_JSON_DEPTH + 1);
	over(&b);
	slt_buf_reset(&b);
	repeat(&b, "[", 1);
	repeat(&b, "0,", SLT_JSON_NODES);
	over(&b);
	slt_buf_reset(&b);
	repeat(&b, "1", SLT_JSON_NUMBER + 1);
	over(&b);
	slt_buf_reset(&b);
	slt_buf_adds(&b, "\"");
	repeat(&b, "x", SLT_JSON_STRING + 1);
	slt_buf_adds(&b, "\"");
	over(&b);
	slt_buf_reset(&b);
	slt_buf_adds(&b, "{\"");
	repeat(&b, "x", SLT_JSON_NAME + 1);
	slt_buf_adds(&b, "\":1}");
	over(&b);
	slt_buf_reset(&b);
	repeat(&b, " ", SLT_JSON_BYTES + 1);
	over(&b);
}

static void just_within(void **state)
{
	SLT_AUTO_BUF(b, 1u << 21);

	(void)state;
	repeat(&b, "[", SLT_JSON_DEPTH);
	repeat(&b, "]", SLT_JSON_DEPTH);
	check_same(slt_buf_str(&b).p, slt_buf_str(&b).p);
	slt_buf_reset(&b);
	repeat(&b, "9", SLT_JSON_NUMBER);
	check_same(slt_buf_str(&b).p, slt_buf_str(&b).p);
}

static void wide_object_in_reasonable_time(void **state)
{
	SLT_AUTO_BUF(b, 1u << 22);

	(void)state;
	slt_buf_adds(&b, "{");
	for (unsigned i = 0; i < 100000; i++) {
		slt_buf_addf(&b, "%s\"n%u\":%u", i ? "," : "", i, i);
	}
	slt_buf_adds(&b, "}");
	SLT_AUTO(slt_xml_free) xmlDoc *doc = parse(slt_buf_str(&b).p);
	assert_null(slt_json_repeated(xmlDocGetRootElement(doc)));
}

static void looks(void **state)
{
	(void)state;
	assert_true(slt_json_looks(SLT_STR_C(" \n{}")));
	assert_true(slt_json_looks(SLT_STR_C("[")));
	assert_false(slt_json_looks(SLT_STR_C("<a/>")));
	assert_false(slt_json_looks(SLT_STR_C("")));
	assert_false(slt_json_looks(SLT_STR_C("1")));
	assert_false(slt_json_looks(SLT_STR_C("\xef\xbb\xbf{}")));
}

static void is_only_its_own_tree(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xml_free) xmlDoc *xml = NULL, *json = parse("{}");

	(void)state;
	assert_true(
		slt_xml_parse("<a xmlns='urn:silta:json:1'/>", 29, &SLT_XML_PEER, "x", &xml, &err));
	assert_false(slt_json_is(xml));
	assert_false(slt_json_is(NULL));
	assert_true(slt_json_is(json));
}

static const char *dumped(struct slt_buf *out, const xmlDoc *doc)
{
	static struct slt_err err;

	slt_buf_reset(out);
	slt_err_clear(&err);
	return slt_json_dump(doc, out, &err) ? slt_buf_str(out).p : err.msg;
}

static void changed(void **state)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_xml_free)
	xmlDoc *doc = parse("{\"n\":1.50,\"b\":true,\"s\":\"x\",\"a\":[1],\"z\":null}");
	SLT_AUTO_BUF(out, 4096);
	xmlNode *root = xmlDocGetRootElement(doc);

	(void)state;
	assert_string_equal(slt_json_text(a, root, "n"), "1.50");
	assert_null(slt_json_text(a, root, "z"));
	assert_null(slt_json_text(a, root, "a"));
	assert_null(slt_json_text(a, root, "item"));
	assert_null(slt_json_member(slt_json_member(root, "a"), "item"));
	slt_json_set(root, "n", "2.0");
	slt_json_set(root, "b", "false");
	slt_json_set(root, "s", "2.0");
	slt_json_set(root, "z", NULL);
	slt_json_set(root, "new", "true");
	xmlNode *array = slt_json_member(root, "a");
	slt_json_set(slt_json_item(array, array->children, SLT_JSON_OBJECT), "k", "v");
	assert_string_equal(dumped(&out, doc), "{\"n\":2.0,\"b\":false,\"s\":\"2.0\","
					       "\"a\":[{\"k\":\"v\"},1],\"new\":\"true\"}");
	slt_json_set(root, "n", "2,0");
	slt_json_set(root, "b", "no");
	slt_json_set(root, "a", "flat");
	assert_string_equal(dumped(&out, doc), "{\"n\":\"2,0\",\"b\":\"no\",\"s\":\"2.0\","
					       "\"a\":\"flat\",\"new\":\"true\"}");
}

static void broken_trees_are_not_written(void **state)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = parse("{\"n\":1,\"a\":[1]}");
	SLT_AUTO_BUF(out, 4096);
	xmlNode *root = xmlDocGetRootElement(doc), *n = slt_json_member(root, "n");

	(void)state;
	xmlNodeSetContent(n, SLT_XML("1,5"));
	assert_non_null(strstr(dumped(&out, doc), "no number"));
	xmlNodeSetContent(n, SLT_XML("5"));
	slt_json_add(root, "n", SLT_JSON_NULL);
	assert_non_null(strstr(dumped(&out, doc), "two members the name 'n'"));
	xmlNodeSetName(n, SLT_XML("m"));
	slt_json_add(slt_json_member(root, "a"), "x", SLT_JSON_NULL);
	assert_non_null(strstr(dumped(&out, doc), "mixed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept),
		cmocka_unit_test(written_in_one_way),
		cmocka_unit_test(refused_structure),
		cmocka_unit_test(refused_values),
		cmocka_unit_test(refused_characters),
		cmocka_unit_test(refused_nul),
		cmocka_unit_test(limits),
		cmocka_unit_test(just_within),
		cmocka_unit_test(wide_object_in_reasonable_time),
		cmocka_unit_test(looks),
		cmocka_unit_test(is_only_its_own_tree),
		cmocka_unit_test(changed),
		cmocka_unit_test(broken_trees_are_not_written),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
