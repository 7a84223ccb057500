/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/soap.h"

/* clang-format off */
#define ENV(content) \
	"<s:Envelope xmlns:s='" SLT_NS_SOAP "' xmlns:x='" SLT_NS_XROAD "' xmlns:i='" SLT_NS_ID "' " \
	"xmlns:r='" SLT_NS_REPR "'>" content "</s:Envelope>"
#define MEMBER "<i:xRoadInstance>FI</i:xRoadInstance><i:memberClass>COM</i:memberClass>" \
	"<i:memberCode>1234567-8</i:memberCode>"
#define CLIENT "<x:client i:objectType='SUBSYSTEM'>" MEMBER \
	"<i:subsystemCode>pharmacy</i:subsystemCode></x:client>"
#define SERVICE "<x:service i:objectType='SERVICE'>" MEMBER \
	"<i:subsystemCode>centre</i:subsystemCode><i:serviceCode>getRx</i:serviceCode>" \
	"<i:serviceVersion>v1</i:serviceVersion></x:service>"
#define ID "<x:id>abc</x:id>"
#define VERSION "<x:protocolVersion>4.0</x:protocolVersion>"
#define HEADER CLIENT SERVICE ID VERSION
#define BODY "<s:Body><getRx/></s:Body>"
#define MESSAGE(header, body) ENV("<s:Header>" header "</s:Header>" body)
/* clang-format on */

static struct slt_soap *parse_n(const char *xml, size_t n, const char *type)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_soap *s = NULL;

	if (!slt_soap_parse(xml, n, type, &s, &err)) {
		fail_msg("%s: %s", xml, err.msg);
	}
	return s;
}

static struct slt_soap *parse(const char *xml)
{
	return parse_n(xml, strlen(xml), "text/xml; charset=utf-8");
}

static void refuse_as(const char *xml, size_t n, const char *type, enum slt_code code)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_soap *s = NULL;

	if (slt_soap_parse(xml, n, type, &s, &err)) {
		slt_soap_free(s);
		fail_msg("%s was taken", xml);
	}
	assert_null(s);
	if (err.code != code) {
		fail_msg("%s: %s (%s) and not %s", xml, slt_code_name(err.code, SLT_DIALECT_SNAKE),
			 err.msg, slt_code_name(code, SLT_DIALECT_SNAKE));
	}
	assert_int_equal(err.n_prefix, 0);
}

static void refuse(const char *xml, enum slt_code code)
{
	refuse_as(xml, strlen(xml), "text/xml", code);
}

static void test_request(void **state)
{
	(void)state;
	SLT_AUTO(slt_soap_free)
	struct slt_soap *s = parse(MESSAGE(HEADER "<x:userId> u </x:userId><x:issue/>"
						  "<other>1</other><other>2</other>",
					   BODY));

	assert_false(s->is_fault);
	assert_true(s->is_request);
	assert_int_equal(s->header.client.type, SLT_ID_SUBSYSTEM);
	assert_string_equal(slt_id_text(&s->header.service, s->arena),
			    "FI/COM/1234567-8/centre/getRx/v1");
	assert_int_equal(s->header.server.type, SLT_ID_NONE);
	assert_string_equal(s->header.id, "abc");
	assert_string_equal(s->header.protocol_version, "4.0");
	assert_string_equal(s->header.user_id, " u ");
	assert_string_equal(s->header.issue, "");
	assert_null(s->header.party_code);
	assert_null(s->header.request_hash);
	assert_string_equal((const char *)s->body_child->name, "getRx");
}

static void test_all_fields(void **state)
{
	(void)state;
	SLT_AUTO(slt_soap_free)
	struct slt_soap *s =
		parse(MESSAGE(HEADER "<x:securityServer i:objectType='SERVER'>" MEMBER
				     "<i:serverCode>ss1</i:serverCode></x:securityServer>"
				     "<x:requestHash algorithmId='SHA-512'>aGFzaA==</x:requestHash>"
				     "<r:representedParty><r:partyClass>COM</r:partyClass>"
				     "<r:partyCode>9</r:partyCode></r:representedParty>",
			      "<s:Body><y:getRxResponse xmlns:y='urn:y'/></s:Body>"));

	assert_false(s->is_request);
	assert_string_equal(s->header.server.server, "ss1");
	assert_string_equal(s->header.request_hash, "aGFzaA==");
	assert_string_equal(s->header.request_hash_alg, "SHA-512");
	assert_string_equal(s->header.party_class, "COM");
	assert_string_equal(s->header.party_code, "9");
}

static void test_envelope_refused(void **state)
{
	(void)state;
	refuse("", SLT_EINVALID_SOAP);
	refuse("<", SLT_EINVALID_SOAP);
	refuse("<a/>", SLT_EINVALID_SOAP);
	refuse("<Envelope/>", SLT_EINVALID_SOAP);
	refuse("<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'/>",
	       SLT_EINVALID_SOAP);
	refuse("<!DOCTYPE s:Envelope>" MESSAGE(HEADER, BODY), SLT_EINVALID_SOAP);
	refuse("<!DOCTYPE a [<!ENTITY e 'x'>]>" MESSAGE(HEADER, "<s:Body>&e;</s:Body>"),
	       SLT_EINVALID_SOAP);
	refuse(MESSAGE(HEADER, BODY) "<a/>", SLT_EINVALID_SOAP);
	refuse(MESSAGE(HEADER, BODY BODY), SLT_EINVALID_SOAP);
	refuse(ENV("<s:Header/>") "", SLT_EMISSING_HEADER_FIELD);
	refuse(ENV("<s:Header/><s:Header>" HEADER "</s:Header>" BODY), SLT_EINVALID_SOAP);
	refuse(ENV(BODY "<s:Header>" HEADER "</s:Header>"), SLT_EINVALID_SOAP);
	refuse(MESSAGE(HEADER, BODY "<x:more/>"), SLT_EINVALID_SOAP);
	refuse(MESSAGE(HEADER, ""), SLT_EMISSING_BODY);
	refuse(ENV(BODY), SLT_EMISSING_HEADER);
	refuse(ENV(""), SLT_EMISSING_HEADER);
	refuse(MESSAGE(HEADER, "<s:Body/>"), SLT_EINVALID_BODY);
	refuse(MESSAGE(HEADER, "<s:Body>getRx</s:Body>"), SLT_EINVALID_BODY);
	refuse(MESSAGE(HEADER, "<s:Body><getRx/><getRx/></s:Body>"), SLT_EINVALID_BODY);
	refuse(MESSAGE(HEADER, "<s:Body><getRx/><s:Fault/></s:Body>"), SLT_EINVALID_BODY);
	refuse(MESSAGE(HEADER, "<s:Body><getR/></s:Body>"), SLT_EINCONSISTENT_HEADERS);
	refuse(MESSAGE(HEADER, "<s:Body><xgetRx/></s:Body>"), SLT_EINCONSISTENT_HEADERS);
	refuse(MESSAGE(HEADER, "<s:Body><getrx/></s:Body>"), SLT_EINCONSISTENT_HEADERS);
}

static void test_header_missing(void **state)
{
	(void)state;
	refuse(MESSAGE("", BODY), SLT_EMISSING_HEADER_FIELD);
	refuse(MESSAGE(SERVICE ID VERSION, BODY), SLT_EMISSING_HEADER_FIELD);
	refuse(MESSAGE(CLIENT ID VERSION, BODY), SLT_EMISSING_HEADER_FIELD);
	refuse(MESSAGE(CLIENT SERVICE VERSION, BODY), SLT_EMISSING_HEADER_FIELD);
	refuse(MESSAGE(CLIENT SERVICE ID, BODY), SLT_EMISSING_HEADER_FIELD);
	refuse(MESSAGE(CLIENT SERVICE VERSION "<id>1</id>", BODY), SLT_EMISSING_HEADER_FIELD);
}

static void test_header_duplicate(void **state)
{
	(void)state;
	static const char *const twice[] = {
		MESSAGE(HEADER CLIENT, BODY),
		MESSAGE(HEADER SERVICE, BODY),
		MESSAGE(HEADER ID, BODY),
		MESSAGE(HEADER VERSION, BODY),
		MESSAGE(HEADER "<x:userId>1</x:userId><x:userId>1</x:userId>", BODY),
		MESSAGE(HEADER "<x:issue/><x:issue/>", BODY),
		MESSAGE(HEADER "<x:requestHash/><x:requestHash/>", BODY),
		MESSAGE(HEADER "<r:representedParty><r:partyCode>1</r:partyCode>"
			       "<r:partyCode>1</r:partyCode></r:representedParty>",
			BODY),
	};

	for (size_t i = 0; i < SLT_COUNT(twice); i++) {
		refuse(twice[i], SLT_EDUPLICATE_HEADER_FIELD);
	}
}

static void test_header_wrong(void **state)
{
	(void)state;
	refuse(MESSAGE("<x:client>" MEMBER "</x:client>" SERVICE ID VERSION, BODY),
	       SLT_EINVALID_XML);
	refuse(MESSAGE("<x:client i:objectType='SERVICE'>" MEMBER
		       "<i:serviceCode>a</i:serviceCode></x:client>" SERVICE ID VERSION,
		       BODY),
	       SLT_EINVALID_XML);
	refuse(MESSAGE(CLIENT "<x:service i:objectType='MEMBER'>" MEMBER "</x:service>" ID VERSION,
		       BODY),
	       SLT_EINVALID_XML);
	refuse(MESSAGE(HEADER "<x:securityServer i:objectType='MEMBER'>" MEMBER
			      "</x:securityServer>",
		       BODY),
	       SLT_EINVALID_XML);
	refuse(MESSAGE(HEADER "<x:issue><b/></x:issue>", BODY), SLT_EINVALID_XML);
	refuse(MESSAGE(HEADER "<r:representedParty/>", BODY), SLT_EINVALID_XML);
	refuse(MESSAGE(HEADER "<r:representedParty><r:other/></r:representedParty>", BODY),
	       SLT_EINVALID_XML);
	refuse(MESSAGE(CLIENT SERVICE ID "<x:protocolVersion>3.1</x:protocolVersion>", BODY),
	       SLT_EINVALID_PROTOCOL_VERSION);
	refuse(MESSAGE(CLIENT SERVICE ID "<x:protocolVersion> 4.0</x:protocolVersion>", BODY),
	       SLT_EINVALID_PROTOCOL_VERSION);
	refuse(MESSAGE(CLIENT SERVICE ID "<x:protocolVersion>4</x:protocolVersion>", BODY),
	       SLT_EINVALID_PROTOCOL_VERSION);
	refuse(MESSAGE(CLIENT SERVICE ID "<x:protocolVersion/>", BODY),
	       SLT_EINVALID_PROTOCOL_VERSION);
}

static void test_limits(void **state)
{
	(void)state;
	SLT_AUTO_BUF(b, 1 << 20);

	slt_buf_adds(&b, "<s:Envelope xmlns:s='" SLT_NS_SOAP "' xmlns:x='" SLT_NS_XROAD
			 "'><s:Header><x:id>");
	for (int i = 0; i <= SLT_SOAP_FIELD_MAX; i++) {
		slt_buf_addc(&b, 'x');
	}
	slt_buf_adds(&b, "</x:id></s:Header></s:Envelope>");
	refuse_as(b.p, b.n, NULL, SLT_ELIMIT);
	slt_buf_reset(&b);
	for (int i = 0; i < 50000; i++) {
		slt_buf_adds(&b, "<a>");
	}
	refuse_as(b.p, b.n, NULL, SLT_EINVALID_SOAP);
}

static void test_content_types(void **state)
{
	(void)state;
	static const char m[] = MESSAGE(HEADER, BODY);
	static const char *const good[] = {
		NULL,
		"text/xml",
		"TEXT/XML",
		" text/xml ; charset=\"UTF-8\"",
		"application/xop+xml; type=\"text/xml\"; charset=utf-8",
		"text/xml; charset=US-ASCII",
	};
	static const char *const bad[] = {
		"",
		"text/plain",
		"text/xml2",
		"text",
		"application/soap+xml",
		"multipart/mixed; boundary=x",
		"text/html; text/xml",
		"text/xml; charset=utf-7",
		"text/xml; charset=../../x",
	};

	for (size_t i = 0; i < SLT_COUNT(good); i++) {
		slt_soap_free(parse_n(m, strlen(m), good[i]));
	}
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		refuse_as(m, strlen(m), bad[i], SLT_EINVALID_CONTENT_TYPE);
	}
}

#define USER(u) MESSAGE(HEADER "<x:userId>" u "</x:userId>", BODY)

static void check_user(const char *xml, const char *type, const char *user)
{
	SLT_AUTO(slt_soap_free) struct slt_soap *s = parse_n(xml, strlen(xml), type);

	assert_string_equal(s->header.user_id, user);
}

static void test_charsets(void **state)
{
	(void)state;
	check_user("\xef\xbb\xbf" USER("\xc3\xa4"), "text/xml", "\xc3\xa4");
	check_user(USER("\xe4"), "text/xml; charset=ISO-8859-1", "\xc3\xa4");
	check_user(USER("\xa4"), "text/xml; charset='iso-8859-15'", "\xe2\x82\xac");
	/* the declaration rules */
	check_user("<?xml version='1.0' encoding='ISO-8859-1'?>" USER("\xe4"), "text/xml",
		   "\xc3\xa4");
	check_user("<?xml version='1.0' encoding=\"utf-8\"?>" USER("\xc3\xa4"),
		   "text/xml; charset=ISO-8859-1", "\xc3\xa4");
	check_user("<?xml version='1.0'?>" USER("\xe4"), "text/xml; charset=ISO-8859-1",
		   "\xc3\xa4");
	refuse(USER("\xe4"), SLT_EINVALID_SOAP);
	refuse("<?xml version='1.0' encoding='ISO-2022-CN-EXT'?>" USER("a"), SLT_EINVALID_SOAP);
	refuse("<?xml version='1.0' encoding='UTF-16'?>" USER("a"), SLT_EINVALID_SOAP);
	refuse_as(USER("\xe4"), strlen(USER("\xe4")), "text/xml; charset=US-ASCII",
		  SLT_EINVALID_SOAP);
	refuse_as("a", 1, "text/xml; charset=UTF-16", SLT_EINVALID_SOAP);
}

static void test_utf16(void **state)
{
	(void)state;
	static const char m[] = MESSAGE(HEADER, BODY);
	SLT_AUTO_BUF(b, 1 << 16);

	slt_buf_add(&b, "\xff\xfe", 2);
	for (size_t i = 0; i < sizeof(m) - 1; i++) {
		slt_buf_add(&b, m + i, 1);
		slt_buf_add(&b, "", 1);
	}
	slt_soap_free(parse_n(b.p, b.n, "text/xml; charset=utf-16"));
	slt_soap_free(parse_n(b.p + 2, b.n - 2, "text/xml; charset=utf-16le"));
}

static void test_faults(void **state)
{
	(void)state;
	SLT_AUTO(slt_soap_free)
	struct slt_soap *s = parse(ENV(
		"<s:Body><s:Fault><faultcode>server.x</faultcode><faultstring>a &amp; b</faultstring>"
		"<faultactor>me</faultactor><detail><faultDetail xmlns=''>uuid</faultDetail>"
		"<more/></detail></s:Fault></s:Body>"));
	assert_true(s->is_fault);
	assert_string_equal(s->fault.code, "server.x");
	assert_string_equal(s->fault.string, "a & b");
	assert_string_equal(s->fault.actor, "me");
	assert_string_equal(s->fault.detail, "uuid");

	/* toolkits that lay their documents out put blanks around it, and it becomes a header */
	SLT_AUTO(slt_soap_free)
	struct slt_soap *b = parse(ENV("<s:Body><s:Fault><faultcode>\n  s:Server\n\tone\r\n"
				       "</faultcode></s:Fault></s:Body>"));
	assert_string_equal(b->fault.code, "s:Server one");
	SLT_AUTO(slt_soap_free)
	struct slt_soap *t = parse(ENV("<s:Body><s:Fault><faultcode>c</faultcode><detail>"
				       "<x:a>1</x:a> <b/></detail></s:Fault></s:Body>"));
	assert_string_equal(t->fault.detail, "<x:a xmlns:x=\"" SLT_NS_XROAD "\">1</x:a><b/>");
	assert_null(t->fault.string);
	assert_null(t->fault.actor);

	SLT_AUTO(slt_soap_free)
	struct slt_soap *u = parse(
		MESSAGE("<x:id/><x:id/>",
			"<s:Body><s:Fault><faultcode/><detail>text</detail></s:Fault></s:Body>"));
	assert_string_equal(u->fault.detail, "text");
	refuse(ENV("<s:Body><s:Fault><faultstring>c</faultstring></s:Fault></s:Body>"),
	       SLT_EINVALID_SOAP);
}

static struct slt_soap *with_header(const struct slt_soap_header *h)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xml_free) xmlDoc *doc = slt_soap_new_envelope();
	xmlNode *body = slt_xml_child(xmlDocGetRootElement(doc), SLT_NS_SOAP, "Body");
	SLT_AUTO_BUF(b, 1 << 16);

	xmlNewChild(body, xmlNewNs(body, SLT_XML("urn:y"), SLT_XML("xroad")), SLT_XML("getRx"),
		    NULL);
	slt_soap_set_header(doc, h);
	slt_soap_set_header(doc, h); /* replaces what was there */
	assert_true(slt_xml_dump(doc, NULL, true, &b, &err));
	return parse_n(b.p, b.n, "text/xml");
}

static void test_set_header(void **state)
{
	(void)state;
	SLT_AUTO(slt_soap_free)
	struct slt_soap *s = parse(MESSAGE(HEADER "<x:userId>&lt;&amp;amp;</x:userId>", BODY));
	struct slt_soap_header h = s->header;
	h.issue = "";
	h.party_class = "COM";
	h.party_code = "9 & 10";
	h.request_hash = "aGFzaA==";
	h.request_hash_alg = "http://www.w3.org/2001/04/xmlenc#sha512";
	h.server = (struct slt_id){.type = SLT_ID_SERVER,
				   .instance = "FI",
				   .member_class = "COM",
				   .member_code = "1",
				   .server = "ss"};
	SLT_AUTO(slt_soap_free) struct slt_soap *t = with_header(&h);

	assert_true(slt_id_eq(&t->header.client, &h.client));
	assert_true(slt_id_eq(&t->header.service, &h.service));
	assert_true(slt_id_eq(&t->header.server, &h.server));
	assert_string_equal(t->header.user_id, "<&amp;");
	assert_string_equal(t->header.issue, "");
	assert_string_equal(t->header.party_class, "COM");
	assert_string_equal(t->header.party_code, "9 & 10");
	assert_string_equal(t->header.request_hash, "aGFzaA==");
	assert_string_equal(t->header.request_hash_alg, h.request_hash_alg);

	static const char *const order[] = {
		"client",      "service", "securityServer",  "userId",		"id",
		"requestHash", "issue",	  "protocolVersion", "representedParty"};
	const xmlNode *n = slt_xml_first(slt_xml_first(xmlDocGetRootElement(t->doc)));
	for (size_t i = 0; i < SLT_COUNT(order); i++, n = slt_xml_next(n)) {
		assert_non_null(n);
		assert_string_equal((const char *)n->name, order[i]);
		assert_string_equal((const char *)n->ns->prefix,
				    i == SLT_COUNT(order) - 1 ? "repr" : "xroad");
	}
	assert_null(n);
}

static void test_set_header_keeps_body(void **state)
{
	(void)state;
	SLT_AUTO(slt_soap_free)
	struct slt_soap *s = parse(MESSAGE(HEADER "<x:issue>1</x:issue><y:z xmlns:y='urn:y'/>",
					   "<s:Body><getRx i:a='1'><x:b/></getRx></s:Body>"));
	struct slt_soap_header h = s->header;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(b, 1 << 16);

	h.issue = NULL;
	slt_soap_set_header(s->doc, &h);
	assert_true(slt_xml_dump(s->doc, NULL, false, &b, &err));
	SLT_AUTO(slt_soap_free) struct slt_soap *t = parse_n(b.p, b.n, NULL);
	assert_null(t->header.issue);
	assert_null(strstr(b.p, "urn:y"));
	assert_non_null(strstr(b.p, "<getRx i:a=\"1\"><x:b/></getRx>"));
}

static void answer_fails(const struct slt_soap_header *q, const struct slt_digest *d,
			 const struct slt_soap_header *r, unsigned n_prefix)
{
	struct slt_err err = SLT_ERR_INIT;

	assert_false(slt_soap_check_answer(q, d, r, &err));
	assert_int_equal(err.code, SLT_EINCONSISTENT_RESPONSE);
	assert_int_equal(err.n_prefix, n_prefix);
	if (n_prefix) {
		assert_int_equal(err.prefix[0], SLT_SERVICE_FAILED);
	}
}

static void test_answers(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;
	SLT_AUTO_BUF(hash, 200);
	SLT_AUTO(slt_soap_free)
	struct slt_soap *s = parse(MESSAGE(HEADER "<x:userId>u</x:userId>", BODY));
	const struct slt_soap_header *q = &s->header;
	struct slt_soap_header r = *q, wrong;

	slt_digest_of(SLT_SHA512, "bytes", 5, &d);
	slt_buf_add_base64(&hash, d.v, d.n);
	answer_fails(q, &d, &r, 0);
	r.request_hash = hash.p;
	r.protocol_version = "4.1"; /* not compared, as the server is not */
	r.server.type = SLT_ID_SERVER;
	assert_true(slt_soap_check_answer(q, &d, &r, &err));
	wrong = r;
	wrong.request_hash = "";
	answer_fails(q, &d, &wrong, 0);
	wrong.request_hash = "not base64!";
	answer_fails(q, &d, &wrong, 0);
	wrong.request_hash = "aGFzaA==";
	answer_fails(q, &d, &wrong, 0);
	wrong = r;
	wrong.client = slt_id_member(&r.client);
	answer_fails(q, &d, &wrong, 1);
	wrong = r;
	wrong.service.version = NULL;
	answer_fails(q, &d, &wrong, 1);
	wrong = r;
	wrong.id = "other";
	answer_fails(q, &d, &wrong, 1);
	wrong = r;
	wrong.user_id = NULL;
	answer_fails(q, &d, &wrong, 1);
	wrong = r;
	wrong.issue = "";
	answer_fails(q, &d, &wrong, 1);
	wrong = r;
	wrong.party_code = "1";
	answer_fails(q, &d, &wrong, 1);
	slt_digest_of(SLT_SHA512, "byte", 4, &d);
	answer_fails(q, &d, &r, 0);
}

static void test_soap_action(void **state)
{
	(void)state;
	static const char *const good[] = {NULL, "", "\"\"", "\"urn:a\"", "\"http://x/%20?a#b\""};
	static const char *const bad[] = {
		"\"",	  "urn:a",   "\"urn:a",	 "urn:a\"",  "\"a b\"", "''",		"\"%\"",
		"\"%4\"", "\"%4g\"", "\"a\"b\"", "\"\x7f\"", " ",	"\"\xc3\xa4\"", "\"a|b\""};

	for (size_t i = 0; i < SLT_COUNT(good); i++) {
		struct slt_err err = SLT_ERR_INIT;
		assert_true(slt_soap_check_action(good[i], &err));
	}
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_err err = SLT_ERR_INIT;
		if (slt_soap_check_action(bad[i], &err)) {
			fail_msg("%s was taken", bad[i]);
		}
		assert_int_equal(err.code, SLT_EINVALID_SOAP_ACTION);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_all_fields),
		cmocka_unit_test(test_envelope_refused),
		cmocka_unit_test(test_header_missing),
		cmocka_unit_test(test_header_duplicate),
		cmocka_unit_test(test_header_wrong),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_content_types),
		cmocka_unit_test(test_charsets),
		cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_set_header),
		cmocka_unit_test(test_set_header_keeps_body),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_soap_action),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
