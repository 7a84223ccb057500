/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

/* --- units, identifiers, dates, numbers, texts --- */

static void units_are_mapped_exactly(void **state)
{
	(void)state;
	becomes((struct job){.text = "<doc" D "><amount value='5.0' unit='kpl'/></doc>"},
		"<amount value=\"5.0\" unit=\"TK\"><translation value=\"5.0\"><originalText>kpl"
		"</originalText></translation></amount>");
	becomes((struct job){.text = "<doc" D "><amount value='1.50' unit='kvart'/></doc>"},
		"<amount value=\"4.50\" unit=\"kuu\"><translation value=\"1.50\">");
	becomes((struct job){.text = "<doc" D "><amount value='2' unit='1'/></doc>"},
		"<amount value=\"2\" unit=\"1\"/>");
	refused((struct job){.text = "<doc" D "><amount value='1' unit='tl'/></doc>"},
		SLT_FED_MAP_001, "");
	refused((struct job){.text = "<doc" D "><amount value='1' unit='5'/></doc>"},
		SLT_FED_MAP_001, "");
	refused((struct job){.text = "<doc" D "><amount value='x' unit='kvart'/></doc>"},
		SLT_FED_MAP_001, "");
	refused((struct job){.text = "<doc" D "><amount unit='kvart'/></doc>"}, SLT_FED_MAP_001,
		"");
	refused((struct job){.text = "<doc" D
				     "><amount value='999999999999999999' unit='kvart'/></doc>"},
		SLT_FED_MAP_001, "");
}

static void identifiers_get_the_root_of_the_place(void **state)
{
	(void)state;
	becomes((struct job){.text = "<doc" D "><pid root='1.10' extension='" HETU "'/></doc>"},
		"<pid root=\"2.16\" extension=\"" HETU "\"/>");
	assert_true(entry("pid")->personal);
	becomes((struct job){.from = "BB",
			     .to = "AA",
			     .text = "<doc" D "><pid root='2.16' extension='" HETU "'/></doc>"},
		"<pid root=\"1.10\" extension=\"" HETU "\"/>");
	becomes((struct job){.from = "BB",
			     .to = "AA",
			     .text = "<doc" D "><pid root='2.10' extension='37605030299'/></doc>"},
		"<pid root=\"2.10\" extension=\"37605030299\"/>");
	becomes((struct job){.text = "<doc" D "><pid nullFlavor='UNK'/></doc>"},
		"nullFlavor=\"UNK\"");
	becomes((struct job){.text = "<doc" D "><pid root='1.10' extension='X-XXXX'/></doc>",
			     .test_codes = true},
		"<pid root=\"2.16\" extension=\"X-XXXX\"/>");
}

static void wrong_identifiers_are_refused(void **state)
{
	static const struct {
		const char *id;
		enum slt_code code;
	} bad[] = {
		{"root='1.10' extension='131052-308X'", SLT_FED_ID_002},
		{"root='1.10' extension='X-XXXX'", SLT_FED_ID_001},
		{"root='1.10' extension=''", SLT_FED_ID_001},
		{"root='1.10'", SLT_FED_ID_001},
		{"extension='131052-308T'", SLT_FED_ID_001},
		{"root='1.1' extension='131052-308T'", SLT_FED_ID_001},
		{"root='1.10.1' extension='131052-308T'", SLT_FED_ID_001},
		{"root='2.10' extension='131052-308T'", SLT_FED_ID_001},
		{"root='2.10' extension='37605030298'", SLT_FED_ID_002},
		{"", SLT_FED_ID_001},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		SLT_AUTO_STR char *doc = slt_asprintf("<doc" D "><pid %s/></doc>", bad[i].id);
		refused((struct job){.text = doc}, bad[i].code, "");
		/* not even in the error */
		SLT_AUTO_BUF(b, 1 << 20);
		slt_problems_json(result->problems, &b);
		slt_trace_json(result->trace, false, &b);
		assert_null(strstr(b.p, "131052"));
		assert_null(strstr(b.p, "376050"));
	}
}

struct rule_case {
	const char *rule, *in, *out; /* out NULL: refused */
};

static void run_cases(const struct rule_case *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO(slt_mapset_free) struct slt_mapset *s = set_with_rules(c[i].rule);
		SLT_AUTO_STR char *doc =
			slt_asprintf("<doc" D " xmlns:e='urn:e'>%s</doc>", c[i].in);
		if (c[i].out) {
			becomes((struct job){.set = s, .text = doc}, c[i].out);
			entry("r");
		} else {
			struct slt_err err = SLT_ERR_INIT;
			if (apply((struct job){.set = s, .text = doc}, &err)) {
				fail_msg("not refused: %s: %s", c[i].rule, c[i].in);
			}
		}
	}
}

#define DATE(o)	  "{ id = \"r\"; where = \"d:t/@value\"; what = \"date\"; " o "}"
#define NUMBER(o) "{ id = \"r\"; where = \"d:n\"; what = \"number\"; " o "}"

static void dates_and_numbers_are_checked(void **state)
{
	static const struct rule_case cases[] = {
		{DATE(""), "<t value='20230102'/>", "value=\"20230102\""},
		{DATE(""), "<t value='201911221435+0200'/>", "value=\"201911221435+0200\""},
		{DATE("format = \"iso\";"), "<t value='20191122143500+0200'/>",
		 "value=\"2019-11-22\""},
		{DATE("format = \"hl7\";"), "<t value='2019-11-22'/>", "value=\"20191122\""},
		{DATE("format = \"hl7\";"), "<t value='201911'/>", "value=\"201911\""},
		{DATE("format = \"iso\";"), "<t value='201911'/>", NULL},
		{DATE(""), "<t value='22.11.2019'/>", NULL},
		{DATE(""), "<t value='20190229'/>", NULL},
		{DATE("severity = \"warning\";"), "<t value='x'/>", "value=\"x\""},
		{NUMBER(""), "<n>12.50</n>", "<n>12.50</n>"},
		{NUMBER("decimal = \"comma\";"), "<n>12.50</n>", "<n>12,50</n>"},
		{NUMBER("decimal = \"point\";"), "<n>0,5</n>", "<n>0.5</n>"},
		{NUMBER("in_text = true; decimal = \"point\";"), "<n>20/12,5 mg, 3 x</n>",
		 "<n>20/12.5 mg, 3 x</n>"},
		{NUMBER("min = \"0\"; max = \"10\";"), "<n>10</n>", "<n>10</n>"},
		{NUMBER("min = \"0\"; max = \"10\";"), "<n>10.001</n>", NULL},
		{NUMBER("min = \"0\";"), "<n>-1</n>", NULL},
		{NUMBER(""), "<n>1,000.5</n>", NULL},
		{NUMBER(""), "<n>many</n>", NULL},
		{NUMBER(""), "<n>1e5</n>", NULL},
	};

	(void)state;
	run_cases(cases, SLT_COUNT(cases));
}

static void phrases_are_exact_or_left(void **state)
{
	static const struct rule_case cases[] = {
		{"{ id = \"r\"; where = \"d:t\"; what = \"text\"; table = \"phrase\"; policy = \"original\"; }",
		 "<t> aamuisin </t>", "<t>hommikuti</t>"},
		{"{ id = \"r\"; where = \"d:t\"; what = \"text\"; table = \"phrase\"; policy = \"original\"; }",
		 "<t>aamuisin kaksi</t>", "<t>aamuisin kaksi</t>"},
		{"{ id = \"r\"; where = \"d:t\"; what = \"text\"; table = \"phrase\"; }",
		 "<t>Aamuisin</t>", NULL},
	};

	(void)state;
	run_cases(cases, SLT_COUNT(cases));
}

/* --- structure --- */

static void structure_changes(void **state)
{
	static const struct rule_case cases[] = {
		{"{ id = \"r\"; where = \"d:l/@code\"; what = \"set\"; value = \"${to.language_tag} ${x} ${to.country}\"; }",
		 "<l/>", "<l code=\"b-BB ${x} BB\"/>"},
		{"{ id = \"r\"; where = \"d:l\"; what = \"set\"; value = \"v\"; }", "<l>o<x/></l>",
		 "<l>v</l>"},
		{"{ id = \"r\"; where = \"d:l/@v\"; what = \"copy\"; from = \"d:k/@w\"; }",
		 "<l><k w='5'/></l>", "<l v=\"5\">"},
		{"{ id = \"r\"; where = \"d:l\"; what = \"rename\"; to = \"e:m\"; }", "<l a='1'/>",
		 "<e:m a=\"1\"/>"},
		{"{ id = \"r\"; where = \"d:l/@a\"; what = \"rename\"; to = \"b\"; }", "<l a='1'/>",
		 "<l b=\"1\"/>"},
		{"{ id = \"r\"; where = \"d:l\"; what = \"namespace\"; to = \"e\"; }",
		 "<l><k/></l>", "<e:l><k/></e:l>"},
		{"{ id = \"r\"; where = \"d:k\"; what = \"move\"; to = \"d:doc\"; before = [ \"d:b\" ]; }",
		 "<a><k/></a><b/>", "<a/><k/><b/>"},
		{"{ id = \"r\"; where = \"d:k\"; what = \"move\"; to = \"d:doc\"; }",
		 "<a><k/></a><b/>", "<a/><b/><k/></doc>"},
		{"{ id = \"r\"; where = \"d:l/@s\"; what = \"split\"; separator = \"/\"; into = [ \"@a\", \"d:b\" ]; }",
		 "<l s='1 / 2'/>", "<l a=\"1\"><b>2</b></l>"},
		{"{ id = \"r\"; where = \"d:l/@s\"; what = \"split\"; separator = \"/\"; into = [ \"@a\", \"@b\" ]; }",
		 "<l s='1/2/3'/>", NULL},
		{"{ id = \"r\"; where = \"d:l\"; what = \"join\"; separator = \" \"; from_all = [ \"@a\", \"@b\" ]; }",
		 "<l b='2' a='1'/>", "<l>1 2</l>"},
		{"{ id = \"r\"; where = \"d:l\"; what = \"repeat\"; separator = \",\"; }",
		 "<l>a, b,c</l>", "<l>a</l><l>b</l><l>c</l>"},
		{"{ id = \"r\"; where = \"d:l\"; what = \"repeat\"; separator = \",\"; }",
		 "<l displayName='a,b' k='1'/>",
		 "<l displayName=\"a\" k=\"1\"/><l displayName=\"b\" k=\"1\"/>"},
		{"{ id = \"r\"; where = \"d:l\"; what = \"drop\"; }", "<a/><l><form/></l>",
		 "<a/></doc>"},
		{"{ id = \"r\"; where = \"d:l/@a\"; what = \"drop\"; }", "<l a='1' b='2'/>",
		 "<l b=\"2\"/>"},
		{"{ id = \"r\"; where = \"d:k/@v\"; in = \"d:l\"; what = \"require\"; }",
		 "<l><k v='1'/></l>", "<l>"},
		{"{ id = \"r\"; where = \"d:k/@v\"; in = \"d:l\"; what = \"require\"; }",
		 "<l><k/></l>", NULL},
		{"{ id = \"r\"; where = \"d:k\"; in = \"d:l\"; what = \"require\"; at_least = 2; }",
		 "<l><k/></l>", NULL},
		{"{ id = \"r\"; where = \"*:k\"; in = \"d:l\"; what = \"require\"; at_least = 0; at_most = 1; }",
		 "<l/><l><k/></l>", "<l/>"},
		{"{ id = \"r\"; where = \"*:k\"; in = \"d:l\"; what = \"require\"; at_most = 1; }",
		 "<l><k/><k/></l>", NULL},
		{"{ id = \"r\"; where = \"*:k\"; in = \"d:l\"; what = \"require\"; at_most = 1; }",
		 "<l><k/><x:k xmlns:x='urn:x'/></l>", NULL},
		{"{ id = \"r\"; where = \"d:k\"; in = \"/d:doc\"; what = \"require\"; severity = \"warning\"; }",
		 "", "<doc"},
		{"{ id = \"r\"; where = \"d:l[@a='1']\"; what = \"forbid\"; }", "<l a='1'/>", NULL},
		{"{ id = \"r\"; where = \"d:l/@a\"; what = \"forbid\"; }", "<l a='2'/>", NULL},
	};

	(void)state;
	run_cases(cases, SLT_COUNT(cases));
}

static void a_condition_switches_a_rule(void **state)
{
	SLT_AUTO(slt_mapset_free)
	struct slt_mapset *s = set_with_rules(
		"{ id = \"r\"; where = \"d:l\"; what = \"drop\"; when = \"kind = 2 and to = 'BB'\"; }");

	(void)state;
	becomes((struct job){.set = s, .text = "<doc" D "><kind value='2'/><l/></doc>"},
		"<kind value=\"2\"/></doc>");
	becomes((struct job){.set = s, .text = "<doc" D "><kind value='3'/><l/></doc>"}, "<l/>");
	becomes((struct job){.set = s, .text = "<doc" D "><l/></doc>"}, "<l/>");
}

static void repeated_elements_are_mapped_one_by_one(void **state)
{
	SLT_AUTO(slt_mapset_free)
	struct slt_mapset *s = set_with_rules(
		"{ id = \"r\"; where = \"d:form\"; what = \"repeat\"; separator = \";\"; }");

	(void)state;
	becomes((struct
		 job){.set = s,
		      .text = "<doc" D
			      "><form codeSystem='aa-names' displayName='Tabletti; Kapseli'/></doc>"},
		"code=\"T\"");
	assert_non_null(strstr(output, "code=\"c2\""));
}

/* --- guards --- */

static void birth_and_sex_agree_with_the_personal_code(void **state)
{
	(void)state;
	becomes((struct job){.text = PERSON("19521013", "2")}, "<sex code=\"N\"");
	assert_int_equal(entry("person")->outcome, SLT_OUT_CHECKED);
	becomes((struct job){.text = PERSON("1952", "2")}, "1952");
	becomes((struct job){.text = PERSON("195210130800", "2")}, "1952");
	refused((struct job){.text = PERSON("19521014", "2")}, SLT_FED_ID_003, "date of birth");
	refused((struct job){.text = PERSON("1953", "2")}, SLT_FED_ID_003, "date of birth");
	refused((struct job){.text = PERSON("20521013", "2")}, SLT_FED_ID_003, "date of birth");
	refused((struct job){.text = PERSON("19521013", "1")}, SLT_FED_ID_003, "sex");
}

static void other_guards_hold_or_stop(void **state)
{
	static const struct {
		const char *guard, *in, *why; /* why NULL: holds */
	} cases[] = {
		{"what = \"same_code\"; table = \"form\"; left = \"d:a/d:form\"; right = \"d:b/d:form\";",
		 "<a>" FORM("10") "</a><b><form code='P1' codeSystem='9.1'/></b>", NULL},
		{"what = \"same_code\"; table = \"form\"; left = \"d:a/d:form\"; right = \"d:b/d:form\";",
		 "<a>" FORM("10") "</a><b>" FORM("11") "</b>", "different things"},
		{"what = \"same_code\"; table = \"form\"; left = \"d:a/d:form\"; right = \"d:b/d:form\"; unless = \"d:s\";",
		 "<a>" FORM("10") "</a><b>" FORM("11") "</b><s/>", NULL},
		{"what = \"same_code\"; table = \"form\"; left = \"d:a/d:form\"; right = \"d:b/d:form\";",
		 "<a>" FORM("10") "</a>", NULL},
		{"what = \"same_value\"; left = \"d:a/@v\"; right = \"d:b\";",
		 "<a v='1.50'/><b value='1.5'/>", NULL},
		{"what = \"same_value\"; left = \"d:a/@v\"; right = \"d:b\";", "<a v='x'/><b>x</b>",
		 NULL},
		{"what = \"same_value\"; left = \"d:a/@v\"; right = \"d:b\";", "<a v='x'/><b>y</b>",
		 "differ"},
		{"what = \"divisible\"; total = \"d:t\"; parts = [ \"d:p\", \"d:q\" ];",
		 "<t value='90'/><p value='2.5'/><q value='6'/>", NULL},
		{"what = \"divisible\"; total = \"d:t\"; parts = [ \"d:p\", \"d:q\" ];",
		 "<t value='90'/>", NULL},
		{"what = \"divisible\"; total = \"d:t\"; parts = [ \"d:p\", \"d:q\" ];",
		 "<t value='91'/><p value='15'/>", "whole multiple"},
		{"what = \"divisible\"; total = \"d:t\"; parts = [ \"d:p\" ];",
		 "<t value='91'/><p value='0'/>", "whole multiple"},
		{"what = \"divisible\"; total = \"d:t\"; parts = [ \"d:p\" ];",
		 "<t value='9x'/><p value='1'/>", "no number"},
		{"what = \"expression\"; check = \"kind in (1, 2)\";", "<kind value='1'/>", NULL},
		{"what = \"expression\"; check = \"kind in (1, 2)\";", "<kind value='3'/>",
		 "does not hold"},
		{"what = \"expression\"; check = \"kind = 1\"; severity = \"warning\";",
		 "<kind value='3'/>", NULL},
		{"what = \"expression\"; check = \"kind = 1\"; when = \"kind = 2\";",
		 "<kind value='3'/>", NULL},
		{"what = \"expression\"; check = \"kind = 1\"; documents = [ \"cda\" ];",
		 "<kind value='3'/>", NULL},
		{"what = \"same_value\"; in = \"//d:l\"; left = \"@a\"; right = \"@b\";",
		 "<l a='1' b='1'/><l a='1' b='2'/>", "differ"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		SLT_AUTO_STR char *guard =
			slt_asprintf("guards = ( { id = \"g\"; %s }, ", cases[i].guard);
		SLT_AUTO(slt_mapset_free)
		struct slt_mapset *s = set_with("flows/demo/common.conf", "guards = (", guard);
		SLT_AUTO_STR char *doc = slt_asprintf("<doc" D ">%s</doc>", cases[i].in);
		if (cases[i].why) {
			refused((struct job){.set = s, .text = doc},
				strstr(cases[i].guard, "divisible") ? SLT_FED_BUS_005
								    : SLT_FED_ID_003,
				cases[i].why);
		} else {
			becomes((struct job){.set = s, .text = doc}, "<doc");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_are_mapped_exactly),
		cmocka_unit_test(identifiers_get_the_root_of_the_place),
		cmocka_unit_test(wrong_identifiers_are_refused),
		cmocka_unit_test(dates_and_numbers_are_checked),
		cmocka_unit_test(phrases_are_exact_or_left),
		cmocka_unit_test(structure_changes),
		cmocka_unit_test(a_condition_switches_a_rule),
		cmocka_unit_test(repeated_elements_are_mapped_one_by_one),
		cmocka_unit_test(birth_and_sex_agree_with_the_personal_code),
		cmocka_unit_test(other_guards_hold_or_stop),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, setup, teardown);
}
