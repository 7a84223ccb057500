/* SPDX-License-Identifier: MIT */
/* Schemas: what does not fit before the rules or after them is refused, and says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mapset_fixture.h"
#include "mappings/schema.h"

#define NOW INT64_C(1700000000000)
#define XS  "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:d='urn:d' "

/* a form has a code of three characters at most, and may have a translation */
#define XSD(more)                                                                                   \
	XS "targetNamespace='urn:d' elementFormDefault='qualified'>"                                \
	   "<xs:simpleType name='short'><xs:restriction base='xs:string'><xs:maxLength value='3'/>" \
	   "</xs:restriction></xs:simpleType>"                                                      \
	   "<xs:element name='doc'><xs:complexType><xs:sequence>"                                   \
	   "<xs:element name='form'><xs:complexType>" more                                          \
	   "<xs:attribute name='code' type='d:short'/><xs:anyAttribute processContents='skip'/>"    \
	   "</xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"
#define PARTS "<xs:sequence><xs:any minOccurs='0' processContents='skip'/></xs:sequence>"
#define SCH(pattern)                                                                               \
	"<schema xmlns='http://purl.oclc.org/dsdl/schematron'><ns prefix='d' uri='urn:d'/>"        \
	"<pattern id='p'>" pattern "</pattern></schema>"
#define DOC(code)                                                                                  \
	"<doc xmlns='urn:d'><form code='" code "' codeSystem='1.1' displayName='tabletti'/></doc>"

struct setting {
	const char *common, *aa, *bb; /* schemas of each file; NULL: none */
	const char *xsd, *sch;
};

static void add(const struct fixture *f, const char *name, const char *schemas)
{
	SLT_AUTO_STR char *text = fixture_with(name, "", "");
	SLT_AUTO_STR char *all = slt_asprintf("%s\n%s", text, schemas ? schemas : "");

	fixture_write(f, name, all);
}

static bool load(const struct setting *s, struct slt_mapset **ret, struct slt_err *err)
{
	struct fixture f;

	fixture_begin(&f);
	add(&f, "flows/demo/common.conf", s->common);
	add(&f, "flows/demo/AA.conf", s->aa);
	add(&f, "flows/demo/BB.conf", s->bb);
	if (s->xsd) {
		fixture_write(&f, "flows/demo/a.xsd", s->xsd);
	}
	if (s->sch) {
		fixture_write(&f, "flows/demo/a.sch", s->sch);
	}
	bool good = slt_mapset_load(f.dir, ret, err);
	fixture_end(&f);
	return good;
}

static struct slt_map_result *apply(const struct setting *s, const char *text, struct slt_err *err)
{
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	struct slt_map_result *r = slt_map_result_new();
	struct slt_map_input in = {.from = "AA",
				   .to = "BB",
				   .flow = "demo",
				   .message = SLT_MAP_RESPONSE,
				   .body = slt_str(text),
				   .now_ms = NOW};

	if (!load(s, &set, err)) {
		fail_msg("%s", err->msg);
	}
	if (slt_map_apply(set, &in, r, err)) {
		assert_non_null(r->doc);
	} else {
		assert_null(r->doc);
	}
	r->problems->messages = NULL; /* the set goes before the result */
	return r;
}

static void fits(const struct setting *s, const char *text, unsigned checks)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = apply(s, text, &err);
	SLT_AUTO_BUF(trace, 1 << 16);
	unsigned n = 0;

	if (!r->doc) {
		fail_msg("%s", err.msg);
	}
	slt_trace_json(r->trace, true, &trace);
	for (const char *p = trace.p; (p = strstr(p, "\"rule\":\"schema")); p++) {
		n++;
	}
	assert_int_equal(n, checks);
}

static void misfits(const struct setting *s, const char *text, const char *const *words)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = apply(s, text, &err);

	assert_null(r->doc);
	assert_int_equal(err.code, SLT_FED_STR_001);
	for (; *words; words++) {
		if (!strstr(err.msg, *words)) {
			fail_msg("\"%s\" does not say \"%s\"", err.msg, *words);
		}
	}
}

#define BOTH "schemas = ( { documents = [ \"doc\" ]; schema = \"a.xsd\"; } );"
#define RULE "schemas = ( { documents = [ \"doc\" ]; schematron = \"a.sch\"; } );"

static void what_fits_passes_and_is_traced(void **state)
{
	static const struct setting both = {.common = BOTH, .xsd = XSD(PARTS)};
	static const struct setting rule = {
		.common = RULE,
		.sch = SCH(
			"<rule context='/d:doc'><assert test='d:form/@code'>a code</assert></rule>")};
	static const struct setting sender = {.aa = BOTH, .xsd = XSD("")};
	static const struct setting other = {
		.common = "schemas = ( { documents = [ \"cda\" ]; schema = \"a.xsd\"; } );",
		.xsd = XSD("")};

	(void)state;
	fits(&both, DOC("10"), 2);
	fits(&rule, DOC("10"), 2);
	fits(&sender, DOC("10"), 1); /* the receiver's document has a translation */
	fits(&other, DOC("10"), 0);
}

static void what_does_not_fit_as_it_came(void **state)
{
	static const struct setting s = {.aa = BOTH, .xsd = XSD(PARTS)};
	static const char *const words[] = {"rule schema ", "line 1, element form",
					    "as it came",   "attribute 'code'",
					    "maxLength",    NULL};
	static const char *const missing[] = {"element doc", "as it came", NULL};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	misfits(&s, DOC("SECRET"), words);
	misfits(&s, "<doc xmlns='urn:d'/>", missing);
	/* what the document says is not told */
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = apply(&s, DOC("SECRET"), &err);
	for (size_t i = 0; i < r->problems->n; i++) {
		const char *detail = r->problems->v[i].detail;
		assert_null(detail ? strstr(detail, "SECRET") : NULL);
	}
}

static void what_does_not_fit_as_translated(void **state)
{
	static const struct setting both = {.common = BOTH, .xsd = XSD("")};
	static const struct setting receiver = {.bb = BOTH, .xsd = XSD("")};
	static const char *const words[] = {"element form", "content is not allowed",
					    "as translated", NULL};

	(void)state;
	misfits(&both, DOC("10"), words);
	misfits(&receiver, DOC("10"), words);
}

static void schematron_says_its_own_words(void **state)
{
	static const struct setting s = {
		.aa = RULE,
		.sch = SCH(
			"<rule context='d:form'><assert test='@code != 10'>no tablets here</assert>"
			"<report test='@code = 10'>tablets again</report></rule>")};
	static const struct setting after = {
		.bb = RULE,
		.sch = SCH("<rule context='/d:doc'><assert test='not(//d:translation)'>no "
			   "translations</assert></rule>")};
	static const char *const words[] = {"rule schematron ", "as it came", "no tablets here",
					    NULL};
	static const char *const later[] = {"as translated", "no translations", NULL};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	misfits(&s, DOC("10"), words);
	misfits(&after, DOC("10"), later);
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = apply(&s, DOC("10"), &err);
	assert_int_equal(r->problems->errors, 2);
}

static void a_body_is_compared_in_the_receivers_words(void **state)
{
	static const char text[] =
		"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>"
		"<x:HaeVastaus xmlns:x='urn:aa'><x:muoto>10</x:muoto></x:HaeVastaus></s:Body>"
		"</s:Envelope>";
	static const struct setting good = {
		.aa = "schemas = ( { documents = [ \"get.response\" ]; schema = \"a.xsd\"; } );",
		.bb = "schemas = ( { documents = [ \"get.response\" ]; schematron = \"a.sch\"; } );",
		.xsd = XS "targetNamespace='urn:aa'><xs:element name='HaeVastaus'/></xs:schema>",
		.sch = "<schema xmlns='http://purl.oclc.org/dsdl/schematron'>"
		       "<ns prefix='y' uri='urn:bb'/><pattern id='p'><rule context='/*'>"
		       "<assert test='self::y:tooVastus[y:vorm]'>the answer</assert></rule>"
		       "</pattern></schema>"};
	struct setting bad = good;
	static const char *const words[] = {"element HaeVastaus", NULL};

	(void)state;
	fits(&good, text, 2);
	bad.xsd = XS "targetNamespace='urn:aa'><xs:element name='Toinen'/></xs:schema>";
	misfits(&bad, text, words);
}

static void only_some_errors_are_told(void **state)
{
	SLT_AUTO_BUF(text, 1 << 16);
	static const struct setting s = {
		.aa = RULE,
		.sch = SCH("<rule context='d:form'><assert test='false()'>never</assert></rule>")};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_buf_adds(&text, "<doc xmlns='urn:d'>");
	for (int i = 0; i < 50; i++) {
		slt_buf_adds(&text, "<form code='10' codeSystem='1.1'/>");
	}
	slt_buf_adds(&text, "</doc>");
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = apply(&s, text.p, &err);
	assert_int_equal(r->problems->errors, SLT_SCHEMA_ERRORS);
}

static void schemas_that_cannot_be_used(void **state)
{
	static const struct {
		struct setting s;
		const char *why;
	} bad[] = {
		{{.common = BOTH}, "a.xsd"},
		{{.common = BOTH, .xsd = "<xs:schema"}, "not well-formed"},
		{{.common = BOTH, .xsd = "<a/>"}, "no XML Schema"},
		{{.common = BOTH, .xsd = "<!DOCTYPE a><a/>"}, "DOCTYPE"},
		{{.common = BOTH, .xsd = XS "><xs:element name='a' type='d:none'/></xs:schema>"},
		 "no XML Schema"},
		{{.common = BOTH, .xsd = XS "><xs:include schemaLocation='b.xsd'/></xs:schema>"},
		 "no XML Schema"},
		{{.common = BOTH,
		  .xsd = XS
		  "><xs:import namespace='urn:e' schemaLocation='/etc/passwd'/></xs:schema>"},
		 "no XML Schema"},
		{{.common = RULE, .sch = "<a/>"}, "no schematron"},
		{{.common = RULE,
		  .sch = SCH("<rule context='d:form'><assert test='((('>x</assert></rule>")},
		 "no schematron"},
		{{.common = RULE, .sch = "<schema xmlns='http://purl.oclc.org/dsdl/schematron'/>"},
		 "no schematron"},
		{{.common = RULE,
		  .sch = "<schema xmlns='http://purl.oclc.org/dsdl/schematron'><pattern><rule "
			 "context='*'><assert test='1'>x</assert></rule></pattern></schema>"},
		 "a pattern needs an id"},
		{{.common = RULE, .sch = SCH("<rule abstract='true' id='r'/>")},
		 "is not understood"},
		{{.common = RULE, .sch = SCH("<rule context='*'><extends rule='r'/></rule>")},
		 "extends is not understood"},
		{{.common = "schemas = ( { documents = [ \"doc\" ]; } );"}, "neither schema nor"},
		{{.common = "schemas = ( { schema = \"a.xsd\"; } );", .xsd = XSD("")}, "documents"},
		{{.common = "schemas = ( { documents = [ \"none\" ]; schema = \"a.xsd\"; } );",
		  .xsd = XSD("")},
		 "is no kind of document"},
		{{.common = "schemas = ( { documents = [ \"get.call\" ]; schema = \"a.xsd\"; } );",
		  .xsd = XSD("")},
		 "schemas are for XML"},
		{{.common = "schemas = ( { documents = [ \"doc\" ]; schema = \"../a.xsd\"; } );"},
		 "no file in the flow's directory"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_err err = SLT_ERR_INIT;
		struct slt_mapset *set = NULL;
		if (load(&bad[i].s, &set, &err)) {
			fail_msg("taken: %s", bad[i].why);
		}
		if (!strstr(err.msg, bad[i].why)) {
			fail_msg("\"%s\" does not say \"%s\"", err.msg, bad[i].why);
		}
	}
}

static void the_digest_covers_schemas(void **state)
{
	static const struct setting a = {.common = BOTH, .xsd = XSD(PARTS)};
	static const struct setting b = {.common = BOTH, .xsd = XSD("")};
	SLT_AUTO(slt_mapset_free) struct slt_mapset *x = NULL;
	SLT_AUTO(slt_mapset_free) struct slt_mapset *y = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(load(&a, &x, &err) && load(&b, &y, &err));
	assert_string_not_equal(slt_mapset_digest(x), slt_mapset_digest(y));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_passes_and_is_traced),
		cmocka_unit_test(what_does_not_fit_as_it_came),
		cmocka_unit_test(what_does_not_fit_as_translated),
		cmocka_unit_test(schematron_says_its_own_words),
		cmocka_unit_test(a_body_is_compared_in_the_receivers_words),
		cmocka_unit_test(only_some_errors_are_told),
		cmocka_unit_test(schemas_that_cannot_be_used),
		cmocka_unit_test(the_digest_covers_schemas),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
