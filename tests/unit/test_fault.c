/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/fault.h"

static void test_soap_layout(void **state)
{
	(void)state;
	SLT_AUTO_BUF(b, 10000);

	slt_fault_soap("server.serverproxy.access_denied", "no <way>", NULL, "uuid", NULL, &b);
	assert_string_equal(
		b.p,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope "
		"xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Body>"
		"<SOAP-ENV:Fault><faultcode>server.serverproxy.access_denied</faultcode>"
		"<faultstring>no &lt;way&gt;</faultstring><detail><faultDetail xmlns=\"\">uuid"
		"</faultDetail></detail></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>");
	slt_buf_reset(&b);
	slt_fault_soap("c", "s", NULL, NULL, NULL, &b);
	assert_null(strstr(b.p, "detail"));
	assert_null(strstr(b.p, "faultactor"));
}

static void read_back(const char *string, const char *detail, const char *xml, const char *want)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_soap_free) struct slt_soap *s = NULL;
	SLT_AUTO_BUF(b, 10000);

	slt_fault_soap("a.b", string, "actor", detail, xml, &b);
	assert_null(strchr(b.p, '\n'));
	if (!slt_soap_parse(b.p, b.n, "text/xml", &s, &err)) {
		fail_msg("%s: %s", b.p, err.msg);
	}
	assert_true(s->is_fault);
	assert_string_equal(s->fault.code, "a.b");
	assert_string_equal(s->fault.string, want);
	assert_string_equal(s->fault.actor, "actor");
	if (detail) {
		assert_string_equal(s->fault.detail, detail);
	}
}

static void test_always_readable(void **state)
{
	(void)state;
	read_back("plain", "d", NULL, "plain");
	read_back("</faultstring>&\"'", "<![CDATA[", NULL, "</faultstring>&\"'");
	read_back("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "d", NULL,
		  "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	read_back("a\x01"
		  "b\x1f",
		  "d", NULL, "a?b?");
	read_back("\xff\xc3", "d", NULL, "??");
	read_back("\xed\xa0\x80", "d", NULL, "???");
	read_back("\xc0\xbc"
		  "x",
		  "d", NULL, "??x");
	read_back("\xef\xbf\xbf", "d", NULL, "?");
	read_back("\xf5\x80\x80\x80", "d", NULL, "????");
	read_back("s", NULL, "<m:error xmlns:m='urn:m'>1</m:error>", "s");
	read_back("s", "both", "<m:error xmlns:m='urn:m'>1</m:error>", "s");
	read_back("", "", NULL, "");
}

static void test_rest(void **state)
{
	(void)state;
	SLT_AUTO_BUF(b, 10000);

	slt_fault_rest("client.x", "say \"no\"\n\x02\xff", "uuid", NULL, false, &b);
	assert_string_equal(b.p, "{\"type\":\"client.x\",\"message\":\"say \\\"no\\\"\\n??\","
				 "\"detail\":\"uuid\"}");
	slt_buf_reset(&b);
	slt_fault_rest("client.x", "a<b", "uuid", NULL, true, &b);
	assert_string_equal(b.p, "<error><type>client.x</type><message>a&lt;b</message>"
				 "<detail>uuid</detail></error>");
	slt_buf_reset(&b);
	slt_fault_rest("c", "m", "d", "\"problems\":[]", false, &b);
	assert_string_equal(b.p,
			    "{\"type\":\"c\",\"message\":\"m\",\"detail\":\"d\",\"problems\":[]}");
	slt_buf_reset(&b);
	slt_fault_rest("c", "m", "d", "<problems/>", true, &b);
	assert_string_equal(b.p, "<error><type>c</type><message>m</message><detail>d</detail>"
				 "<problems/></error>");
	slt_buf_reset(&b);
	slt_fault_rest("c", "m", NULL, NULL, false, &b);
	assert_string_equal(b.p, "{\"type\":\"c\",\"message\":\"m\",\"detail\":\"\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_soap_layout),
		cmocka_unit_test(test_always_readable),
		cmocka_unit_test(test_rest),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
