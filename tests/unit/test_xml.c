/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/xml.h"

static const struct slt_xml_limits small = {.bytes = 1u << 20, .depth = 16, .nodes = 1000};

static bool parse(const char *s, xmlDoc **doc, struct slt_err *err)
{
	return slt_xml_parse(s, strlen(s), &small, "test", doc, err);
}

static void refused(const char *s, enum slt_code code, const char *why)
{
	struct slt_err err = SLT_ERR_INIT;
	xmlDoc *doc = NULL;

	assert_false(parse(s, &doc, &err));
	assert_null(doc);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, why)) {
		fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
	}
}

static void a_document_is_read(void **state)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(parse("<a xmlns='urn:a' x='1'> b<!--no--><![CDATA[c<]]>&amp;<d>e</d></a>", &doc,
			  &err));
	xmlNode *root = xmlDocGetRootElement(doc);
	assert_true(slt_xml_is(root, "urn:a", "a"));
	assert_false(slt_xml_is(root, NULL, "a"));
	assert_string_equal(slt_xml_text(a, root), " bc<&e");
	assert_string_equal(slt_xml_attr(a, root, NULL, "x"), "1");
	assert_null(slt_xml_attr(a, root, NULL, "y"));
	assert_int_equal(slt_xml_count(root, "urn:a", "d"), 1);
	assert_null(slt_xml_child(root, "urn:b", "d"));
}

static void every_doctype_is_refused(void **state)
{
	(void)state;
	refused("<!DOCTYPE a><a/>", SLT_EINVALID_XML, "DOCTYPE");
	refused("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", SLT_EINVALID_XML, "DOCTYPE");
	refused("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
		SLT_EINVALID_XML, "DOCTYPE");
	refused("<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>",
		SLT_EINVALID_XML, "DOCTYPE");
	refused("<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>", SLT_EINVALID_XML, "DOCTYPE");
	refused("<?xml version='1.0'?>\n<!DOCTYPE a PUBLIC 'x' 'http://127.0.0.1:1/'><a/>",
		SLT_EINVALID_XML, "DOCTYPE");
}

static void what_is_not_well_formed_is_refused_with_its_line(void **state)
{
	(void)state;
	refused("", SLT_EINVALID_XML, "empty");
	refused("   ", SLT_EINVALID_XML, "not well-formed");
	refused("<a>\n<b></a>", SLT_EINVALID_XML, "line 2");
	refused("<a/><b/>", SLT_EINVALID_XML, "not well-formed");
	refused("<a>&nope;</a>", SLT_EINVALID_XML, "not well-formed");
	refused("<p:a/>", SLT_EINVALID_XML, "not well-formed");
	refused("<a b='1' b='2'/>", SLT_EINVALID_XML, "not well-formed");
	refused("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", SLT_EINVALID_XML,
		"not well-formed");
	refused("<a>\xff\xfe</a>", SLT_EINVALID_XML, "not well-formed");
	refused("<a>\x01</a>", SLT_EINVALID_XML, "not well-formed");
}

static void depth_count_and_length_are_capped(void **state)
{
	SLT_AUTO_BUF(deep, 1u << 20);
	SLT_AUTO_BUF(wide, 1u << 20);
	struct slt_err err = SLT_ERR_INIT;
	xmlDoc *doc = NULL;

	(void)state;
	for (int i = 0; i < 17; i++) {
		slt_buf_adds(&deep, "<a>");
	}
	refused(slt_buf_str(&deep).p, SLT_EINVALID_XML, "nested too deep");
	slt_buf_adds(&wide, "<a>");
	for (int i = 0; i < 1000; i++) {
		slt_buf_adds(&wide, "<b/>");
	}
	slt_buf_adds(&wide, "</a>");
	refused(slt_buf_str(&wide).p, SLT_EINVALID_XML, "too many");
	struct slt_xml_limits tiny = {.bytes = 3, .depth = 16, .nodes = 10};
	assert_false(slt_xml_parse("<a/>", 4, &tiny, "test", &doc, &err));
	assert_int_equal(err.code, SLT_ELIMIT);
}

static void canonical_form_is_of_the_subtree_with_its_namespaces(void **state)
{
	static const char text[] = "<r xmlns='urn:d' xmlns:p='urn:p' xmlns:q='urn:q'>\n"
				   "<p:a z='1' b='2'><!-- c -->x&#xD;</p:a></r>";
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(inclusive, 4096);
	SLT_AUTO_BUF(exclusive, 4096);

	(void)state;
	assert_true(parse(text, &doc, &err));
	xmlNode *a = slt_xml_child(xmlDocGetRootElement(doc), "urn:p", "a");
	assert_true(slt_xml_c14n(a, SLT_C14N_INCLUSIVE, &inclusive, &err));
	assert_string_equal(inclusive.p, "<p:a xmlns=\"urn:d\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" "
					 "b=\"2\" z=\"1\">x&#xD;</p:a>");
	assert_true(slt_xml_c14n(a, SLT_C14N_EXCLUSIVE, &exclusive, &err));
	assert_string_equal(exclusive.p, "<p:a xmlns:p=\"urn:p\" b=\"2\" z=\"1\">x&#xD;</p:a>");
}

static void no_canonical_form_is_an_error_not_an_empty_one(void **state)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, 4096);

	(void)state;
	assert_true(parse("<r><a xmlns='relative/uri'>x</a></r>", &doc, &err));
	xmlNode *a = slt_xml_first(xmlDocGetRootElement(doc));
	assert_false(slt_xml_c14n(a, SLT_C14N_INCLUSIVE, &out, &err));
	assert_int_equal(err.code, SLT_EINVALID_XML);
	SLT_AUTO_BUF(tight, 4);
	slt_err_clear(&err);
	assert_false(slt_xml_c14n(xmlDocGetRootElement(doc), SLT_C14N_EXCLUSIVE, &tight, &err));
}

static void base64_of_an_element(void **state)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, 64);

	(void)state;
	assert_true(parse("<r><a>aGVs\n bG8=</a><b>aGVs*</b></r>", &doc, &err));
	xmlNode *a = slt_xml_first(xmlDocGetRootElement(doc));
	assert_true(slt_xml_base64(a, &out, &err));
	assert_string_equal(out.p, "hello");
	assert_false(slt_xml_base64(slt_xml_next(a), &out, &err));
	assert_non_null(strstr(err.msg, "element b"));
	assert_false(slt_xml_base64(NULL, &out, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_read),
		cmocka_unit_test(every_doctype_is_refused),
		cmocka_unit_test(what_is_not_well_formed_is_refused_with_its_line),
		cmocka_unit_test(depth_count_and_length_are_capped),
		cmocka_unit_test(canonical_form_is_of_the_subtree_with_its_namespaces),
		cmocka_unit_test(no_canonical_form_is_an_error_not_an_empty_one),
		cmocka_unit_test(base64_of_an_element),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
