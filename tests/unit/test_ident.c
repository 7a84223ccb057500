/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/ident.h"

static struct slt_arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = slt_arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	slt_arena_free(arena);
	return 0;
}

static struct slt_id parse(enum slt_id_type type, const char *text, bool encoded)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_id id = {.type = SLT_ID_NONE};

	if (!slt_id_parse(type, text, encoded, arena, &id, &err)) {
		fail_msg("%s: %s", text, err.msg);
	}
	return id;
}

static void refuse(enum slt_id_type type, const char *text, bool encoded, const char *word)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_id id = {.type = SLT_ID_NONE};

	if (slt_id_parse(type, text, encoded, arena, &id, &err)) {
		fail_msg("%s was taken", text);
	}
	assert_int_equal(err.code, SLT_EINVAL);
	assert_int_equal(id.type, SLT_ID_NONE);
	if (!strstr(err.msg, word)) {
		fail_msg("%s: \"%s\" does not say %s", text, err.msg, word);
	}
}

static void test_text_forms(void **state)
{
	(void)state;
	static const struct {
		enum slt_id_type type;
		const char *text;
	} cases[] = {
		{SLT_ID_MEMBER, "EE/GOV/70000001"},
		{SLT_ID_SUBSYSTEM, "EE/GOV/70000001/sub"},
		{SLT_ID_SERVER, "FI/COM/1234567-8/ss1"},
		{SLT_ID_SERVICE, "EE/GOV/70000001/sub/service"},
		{SLT_ID_SERVICE, "EE/GOV/70000001/sub/service/v1"},
		{SLT_ID_SERVICE, "EE/GOV/70000001//service"},
		{SLT_ID_SERVICE, "EE/GOV/70000001//service/v1"},
		{SLT_ID_GLOBALGROUP, "EE/pharmacies"},
		{SLT_ID_LOCALGROUP, "mine"},
	};

	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		struct slt_id id = parse(cases[i].type, cases[i].text, false);
		assert_string_equal(slt_id_text(&id, arena), cases[i].text);
	}
	struct slt_id s = parse(SLT_ID_SERVICE, "EE/GOV/1//svc/v1", false);
	assert_null(s.subsystem);
	assert_string_equal(s.service, "svc");
	assert_string_equal(s.version, "v1");
}

static void test_text_refused(void **state)
{
	(void)state;
	refuse(SLT_ID_MEMBER, "", false, "xRoadInstance");
	refuse(SLT_ID_MEMBER, "EE", false, "memberClass");
	refuse(SLT_ID_MEMBER, "EE/GOV", false, "memberCode");
	refuse(SLT_ID_MEMBER, "EE/GOV/", false, "memberCode");
	refuse(SLT_ID_MEMBER, "/GOV/1", false, "xRoadInstance");
	refuse(SLT_ID_MEMBER, "EE/GOV/1/", false, "too many");
	refuse(SLT_ID_MEMBER, "EE/GOV/1/sub", false, "too many");
	refuse(SLT_ID_SUBSYSTEM, "EE/GOV/1", false, "subsystemCode");
	refuse(SLT_ID_SUBSYSTEM, "EE/GOV/1/", false, "subsystemCode");
	refuse(SLT_ID_SUBSYSTEM, "EE/GOV//sub", false, "memberCode");
	refuse(SLT_ID_SERVICE, "EE/GOV/1/sub", false, "serviceCode");
	refuse(SLT_ID_SERVICE, "EE/GOV/1/sub/", false, "serviceCode");
	refuse(SLT_ID_SERVICE, "EE/GOV/1/sub/svc/", false, "serviceVersion");
	refuse(SLT_ID_SERVICE, "EE/GOV/1/sub/svc/v1/x", false, "too many");
	refuse(SLT_ID_SERVER, "EE/GOV/1", false, "serverCode");
	refuse(SLT_ID_GLOBALGROUP, "EE", false, "groupCode");
	refuse(SLT_ID_MEMBER, "EE/GOV/1\n2", false, "control");
	refuse(SLT_ID_MEMBER, "EE/GOV/\x7f", false, "control");
	refuse(SLT_ID_MEMBER, "EE/GOV/\xe4", false, "UTF-8");
	refuse(SLT_ID_MEMBER, "EE/GOV/\xc0\xaf", false, "UTF-8");
	refuse(SLT_ID_MEMBER, "EE/GOV/\xed\xa0\x80", false, "UTF-8");
	refuse(SLT_ID_MEMBER, "EE/GOV/\xef\xbf\xbf", false, "UTF-8");
	char *longest = slt_calloc(1, 400);
	memset(longest, 'x', 399);
	memcpy(longest, "E/G/", 4);
	refuse(SLT_ID_MEMBER, longest, false, "memberCode");
	longest[4 + SLT_ID_PART_MAX] = '\0';
	parse(SLT_ID_MEMBER, longest, false);
	free(longest);
}

static void test_percent(void **state)
{
	(void)state;
	struct slt_id id = parse(SLT_ID_SUBSYSTEM, "FI/GOV/0245437-2/a%20%2Fb%c3%A4+c", true);
	SLT_AUTO_BUF(b, 1000);

	assert_string_equal(id.subsystem, "a /b\xc3\xa4+c");
	slt_id_format(&id, true, &b);
	assert_string_equal(b.p, "FI/GOV/0245437-2/a%20%2Fb%C3%A4+c");
	id = parse(SLT_ID_MEMBER, "a-._~!$'()*,;&=@:+/%25/%22%23", true);
	slt_buf_reset(&b);
	slt_id_format(&id, true, &b);
	assert_string_equal(b.p, "a-._~!$'()*,;&=@:+/%25/%22%23");
	refuse(SLT_ID_MEMBER, "EE/GOV/%", true, "memberCode");
	refuse(SLT_ID_MEMBER, "EE/GOV/%4", true, "memberCode");
	refuse(SLT_ID_MEMBER, "EE/GOV/%4g", true, "memberCode");
	refuse(SLT_ID_MEMBER, "EE/GOV/%-1", true, "memberCode");
	refuse(SLT_ID_MEMBER, "EE/GOV/a%00b", true, "NUL");
	refuse(SLT_ID_MEMBER, "EE/GOV/a%0Ab", true, "control");
	refuse(SLT_ID_MEMBER, "EE/GOV/%E4", true, "UTF-8");
	/* not encoded: a percent sign is itself */
	assert_string_equal(parse(SLT_ID_MEMBER, "EE/GOV/%41", false).member_code, "%41");
}

static void test_client(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_id id;

	assert_true(slt_id_parse_client("EE/GOV/1", false, arena, &id, &err));
	assert_int_equal(id.type, SLT_ID_MEMBER);
	assert_true(slt_id_parse_client("EE/GOV/1/s", false, arena, &id, &err));
	assert_int_equal(id.type, SLT_ID_SUBSYSTEM);
	assert_true(slt_id_parse_client("EE/GOV/1%2Fs", true, arena, &id, &err));
	assert_string_equal(id.member_code, "1/s");
	assert_false(slt_id_parse_client("EE/GOV/1/s/x", false, arena, &id, &err));
	assert_false(slt_id_parse_client("EE/GOV", false, arena, &id, &err));
	assert_false(slt_id_parse_client("", false, arena, &id, &err));
}

static void test_comparing(void **state)
{
	(void)state;
	struct slt_id m = parse(SLT_ID_MEMBER, "EE/GOV/1", false);
	struct slt_id sub = parse(SLT_ID_SUBSYSTEM, "EE/GOV/1/s", false);
	struct slt_id svc = parse(SLT_ID_SERVICE, "EE/GOV/1/s/x/v1", false);
	struct slt_id own = parse(SLT_ID_SERVICE, "EE/GOV/1//x", false);
	struct slt_id srv = parse(SLT_ID_SERVER, "EE/GOV/1/s", false);
	struct slt_id other = parse(SLT_ID_MEMBER, "EE/GOV/2", false);
	struct slt_id lower = parse(SLT_ID_MEMBER, "ee/GOV/1", false);
	struct slt_id group = parse(SLT_ID_GLOBALGROUP, "EE/g", false);
	struct slt_id c;

	assert_true(slt_id_eq(&m, &m));
	assert_false(slt_id_eq(&m, &sub));
	assert_false(slt_id_eq(&sub, &srv));
	assert_false(slt_id_eq(&m, &lower));
	assert_true(slt_id_same_member(&m, &svc));
	assert_false(slt_id_same_member(&m, &other));
	assert_false(slt_id_same_member(&m, &lower));
	assert_false(slt_id_same_member(&group, &group));
	c = slt_id_client(&svc);
	assert_true(slt_id_eq(&c, &sub));
	c = slt_id_client(&own);
	assert_true(slt_id_eq(&c, &m));
	c = slt_id_member(&sub);
	assert_true(slt_id_eq(&c, &m));
	c = slt_id_dup(&svc, arena);
	assert_true(slt_id_eq(&c, &svc));
	assert_ptr_not_equal(c.service, svc.service);
}

#define HEAD(type)                                                                                 \
	"<x xmlns:id='" SLT_NS_ID "' id:objectType='" type "'><id:xRoadInstance>EE"                \
	"</id:xRoadInstance><id:memberClass>GOV</id:memberClass>"

static bool from_xml(const char *xml, enum slt_id_type expected, struct slt_id *ret,
		     struct slt_err *err)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;

	if (!slt_xml_parse(xml, strlen(xml), &SLT_XML_PEER, "test", &doc, err)) {
		fail_msg("%s", err->msg);
	}
	return slt_id_from_xml(xmlDocGetRootElement(doc), expected, arena, ret, err);
}

static void test_xml_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"<x/>",
		"<x objectType='MEMBER'/>",
		HEAD("") "<id:memberCode>1</id:memberCode></x>",
		HEAD("member") "<id:memberCode>1</id:memberCode></x>",
		HEAD("NONE") "<id:memberCode>1</id:memberCode></x>",
		HEAD("MEMBER") "</x>",
		HEAD("MEMBER") "<id:memberCode/></x>",
		HEAD("MEMBER") "<id:memberCode><!-- 1 --></id:memberCode></x>",
		HEAD("MEMBER") "<memberCode>1</memberCode></x>",
		HEAD("MEMBER") "<id:memberCode>1</id:memberCode><id:memberCode>2</id:memberCode></x>",
		HEAD("MEMBER") "<id:memberCode>1</id:memberCode><id:subsystemCode>s"
			       "</id:subsystemCode></x>",
		HEAD("MEMBER") "<id:memberCode>1<b/></id:memberCode></x>",
		HEAD("MEMBER") "<id:memberCode>1</id:memberCode><id:serverCode>s</id:serverCode></x>",
		HEAD("SUBSYSTEM") "<id:memberCode>1</id:memberCode></x>",
		HEAD("SERVICE") "<id:memberCode>1</id:memberCode></x>",
		HEAD("SERVER") "<id:memberCode>1</id:memberCode></x>",
		HEAD("GLOBALGROUP") "<id:groupCode>1</id:groupCode></x>",
	};
	struct slt_id id = {.type = SLT_ID_NONE};

	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_err err = SLT_ERR_INIT;
		if (from_xml(bad[i], SLT_ID_NONE, &id, &err)) {
			fail_msg("%s was taken", bad[i]);
		}
		assert_int_equal(err.code, SLT_EINVALID_XML);
		assert_int_equal(id.type, SLT_ID_NONE);
	}
}

static void test_xml_read(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_id id;

	/* verbatim: blanks, CDATA and what stands around a comment */
	assert_true(from_xml(HEAD("MEMBER") "<id:memberCode> a<!-- - --><![CDATA[<]]>&amp; "
					    "</id:memberCode></x>",
			     SLT_ID_MEMBER, &id, &err));
	assert_string_equal(id.member_code, " a<& ");
	assert_false(from_xml(HEAD("MEMBER") "<id:memberCode>1</id:memberCode></x>",
			      SLT_ID_SUBSYSTEM, &id, &err));
	assert_int_equal(err.code, SLT_EINVALID_XML);
}

static void round_trip(enum slt_id_type type, const char *text, const char *root)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_id id = parse(type, text, true), back;
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	SLT_AUTO(slt_xml_free) xmlDoc *again = NULL;
	SLT_AUTO_BUF(b, 10000);

	assert_true(slt_xml_parse(root, strlen(root), &SLT_XML_PEER, "test", &doc, &err));
	slt_id_to_xml(&id, xmlDocGetRootElement(doc));
	assert_true(slt_xml_dump(doc, NULL, true, &b, &err));
	assert_true(slt_xml_parse(b.p, b.n, &SLT_XML_PEER, "test", &again, &err));
	assert_true(slt_id_from_xml(xmlDocGetRootElement(again), type, arena, &back, &err));
	assert_true(slt_id_eq(&id, &back));
}

static void test_xml_round_trip(void **state)
{
	(void)state;
	round_trip(SLT_ID_MEMBER, "EE/GOV/%3C%26%3E&amp;", "<x/>");
	round_trip(SLT_ID_SERVICE, "EE/GOV/1/s/x/v1", "<x xmlns:id='" SLT_NS_ID "'/>");
	round_trip(SLT_ID_SERVICE, "EE/GOV/1//x", "<x xmlns='" SLT_NS_ID "'/>");
	round_trip(SLT_ID_SERVER, "EE/GOV/1/x", "<x xmlns:id='urn:other'/>");
	round_trip(SLT_ID_GLOBALGROUP, "EE/x", "<x xmlns:i='" SLT_NS_ID "' xmlns:id='urn:o'/>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_forms), cmocka_unit_test(test_text_refused),
		cmocka_unit_test(test_percent),	   cmocka_unit_test(test_client),
		cmocka_unit_test(test_comparing),  cmocka_unit_test(test_xml_refused),
		cmocka_unit_test(test_xml_read),   cmocka_unit_test(test_xml_round_trip),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, setup, teardown);
}
