/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/c14n.h>
#include <libxml/xmlsave.h>

#include "base/file.h"
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

/* --- canonical forms, element by element, against libxml2's walk over the whole document --- */

struct wanted {
	const xmlNode *top;
};

static int below(void *data, xmlNode *node, xmlNode *parent)
{
	const struct wanted *w = data;
	const xmlNode *n = node->type == XML_NAMESPACE_DECL ? parent : node;

	while (n != NULL && n != w->top) {
		n = n == node && n->parent == NULL ? parent : n->parent;
	}
	return n != NULL;
}

static int keep(void *ctx, const char *p, int n)
{
	slt_buf_add(ctx, p, (size_t)n);
	return n;
}

static unsigned compare_all(xmlNode *node, enum slt_c14n mode, int theirs)
{
	unsigned n = 0;

	for (xmlNode *child = slt_xml_first(node); child != NULL; child = slt_xml_next(child)) {
		struct slt_err err = SLT_ERR_INIT;
		struct wanted w = {child};
		SLT_AUTO_BUF(ours, 1u << 20);
		SLT_AUTO_BUF(full, 1u << 20);
		xmlNode *next = child->next;
		xmlOutputBuffer *b = xmlOutputBufferCreateIO(keep, NULL, &full, NULL);
		bool good = xmlC14NExecute(child->doc, below, &w, theirs, NULL, 0, b) >= 0;

		xmlOutputBufferClose(b);
		assert_int_equal(slt_xml_c14n(child, mode, &ours, &err), good);
		if (good) {
			assert_string_equal(ours.p, full.p);
		}
		/* the document is as it was */
		assert_ptr_equal(child->next, next);
		assert_ptr_equal(child->doc->children->doc, child->doc);
		n += 1 + compare_all(child, mode, theirs);
	}
	return n;
}

static void every_canonical_form_is_the_full_walks(void **state)
{
	static const char *const docs[] = {
		"<a xmlns='urn:1' xmlns:p='urn:2' xmlns:q='urn:3'><p:b q:x='1' y='2'><c xmlns=''>t"
		"<d xmlns='urn:4' xmlns:p='urn:5'/></c></p:b><e/>tail</a>",
		"<!-- c --><a xml:lang='fi' xml:id='i'><b xml:space='preserve'><c xml:lang='sv'/>"
		"</b></a><!-- d -->",
		"<p:a xmlns:p='urn:1'><b xml:lang='et'><p:c><p:d z='1' a='2'/></p:c></b><b/></p:a>",
		"<?x y?><a xmlns:p='urn:1' xmlns:r='urn:2'><b><!--no--><c p:x='&amp;&#13;'>&lt;&#13;"
		"<![CDATA[<&>]]></c></b><?z?></a>",
		"<a xmlns:p='relative/uri'><b><c/></b></a>",
		"<a xmlns:p='a/b:c'><b><p:c/></b></a>",
		"<a xmlns='urn:1'><b xmlns:p='x'/></a>",
		"<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xmlns:u='urn:u'><b xml:base='x'>"
		"<c u:v='w'/></b></a>",
	};
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(docs); i++) {
		SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
		struct slt_err err = SLT_ERR_INIT;

		assert_true(parse(docs[i], &doc, &err));
		n += compare_all(xmlDocGetRootElement(doc), SLT_C14N_INCLUSIVE, XML_C14N_1_0);
		n += compare_all(xmlDocGetRootElement(doc), SLT_C14N_EXCLUSIVE,
				 XML_C14N_EXCLUSIVE_1_0);
		n += compare_all(xmlDocGetRootElement(doc), SLT_C14N_11, XML_C14N_1_1);
	}
	assert_true(n > 40);
}

static int collect(void *arg, const char *p, int n)
{
	slt_buf_add(arg, p, (size_t)n);
	return n;
}

static void same_as_libxml2(struct slt_str text, const char *what)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	SLT_AUTO_BUF(expected, 1 << 22);
	SLT_AUTO_BUF(ours, 1 << 22);
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_xml_parse(text.p, text.n, &SLT_XML_PEER, what, &doc, &err));
	for (int bare = 0; bare < 2; bare++) {
		slt_buf_reset(&expected);
		slt_buf_reset(&ours);
		xmlSaveCtxt *s = xmlSaveToIO(collect, NULL, &expected, "UTF-8",
					     XML_SAVE_AS_XML | (bare ? XML_SAVE_NO_DECL : 0));
		assert_true(xmlSaveDoc(s, doc) >= 0 && xmlSaveClose(s) >= 0);
		assert_true(slt_xml_dump(doc, NULL, !bare, &ours, &err));
		if (!slt_str_eq(slt_buf_str(&expected), ours.p)) {
			fail_msg("%s is written as\n%s\nnot\n%s", what, ours.p, expected.p);
		}
	}
}

static void what_is_written_is_what_libxml2_writes(void **state)
{
	static const char *const texts[] = {
		"<a/>",
		"<a></a>",
		"<a b=''/>",
		"<a b='&#9;&#10;&#13;&quot;&apos;&lt;&gt;&amp;é€𐍈'>&lt;&gt;&amp;\"'é€𐍈&#13;\n\t</a>",
		"<?xml version='1.0' standalone='yes'?><a> b <c/> d </a>",
		"<?xml version='1.0' standalone='no'?><a/>",
		"<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xe4'>\xe4</a>",
		"<!-- x --><?p?><?q r s?><a><!--y--><?z  w ?></a><!-- after -->\n",
		"<a><![CDATA[<&>]]>b<![CDATA[]]><![CDATA[]]]]><![CDATA[>]]></a>",
		("<p:a xmlns:p='urn:p' xmlns='urn:d' xmlns:q=\"urn:'q'\" p:b='1' xml:lang='fi'>"
		 "<c xmlns=''><p:d xmlns:p='urn:other'/></c></p:a>"),
	};
	static const char *const files[] = {"examples/documents/fi-01-tablet.xml",
					    "examples/documents/ee-01-cream.xml",
					    "tests/data/eprescription/fi-fetch-response.xml"};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(texts); i++) {
		same_as_libxml2(slt_str(texts[i]), texts[i]);
	}
	for (size_t i = 0; i < SLT_COUNT(files); i++) {
		struct slt_err err = SLT_ERR_INIT;
		SLT_AUTO_STR char *text = NULL;
		size_t n;
		assert_true(slt_file_read(files[i], 1 << 20, &text, &n, &err));
		same_as_libxml2((struct slt_str){text, n}, files[i]);
	}
}

static void what_cannot_be_written_is_an_error(void **state)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	SLT_AUTO_BUF(small_buf, 8);
	SLT_AUTO_BUF(b, 1000);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(parse("<abc><d/></abc>", &doc, &err));
	assert_false(slt_xml_dump(doc, NULL, false, &small_buf, &err));
	assert_int_equal(err.code, SLT_EINTERNAL);
	/* nothing that a parsed document can have */
	xmlAddChild(xmlDocGetRootElement(doc), xmlNewReference(doc, SLT_XML("e")));
	assert_false(slt_xml_dump(doc, NULL, false, &b, &err));
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
		cmocka_unit_test(every_canonical_form_is_the_full_walks),
		cmocka_unit_test(what_is_written_is_what_libxml2_writes),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
		cmocka_unit_test(base64_of_an_element),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
