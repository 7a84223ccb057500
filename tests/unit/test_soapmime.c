/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/soapmime.h"

/* clang-format off */
#define ID(type, more) " i:objectType='" type "'><i:xRoadInstance>FI</i:xRoadInstance>" \
	"<i:memberClass>COM</i:memberClass><i:memberCode>1</i:memberCode>" more
#define MSG \
	"<s:Envelope xmlns:s='" SLT_NS_SOAP "' xmlns:x='" SLT_NS_XROAD "' xmlns:i='" SLT_NS_ID "'>" \
	"<s:Header><x:client" ID("MEMBER", "</x:client>") "<x:service" \
	ID("SERVICE", "<i:serviceCode>getRx</i:serviceCode></x:service>") "<x:id>abc</x:id>" \
	"<x:protocolVersion>4.0</x:protocolVersion></s:Header><s:Body><getRx/></s:Body></s:Envelope>"
#define FAULT "<s:Envelope xmlns:s='" SLT_NS_SOAP "'><s:Body><s:Fault><faultcode>soap:Server" \
	"</faultcode></s:Fault></s:Body></s:Envelope>"
#define TYPE "Multipart/Related; type=\"text/xml\"; boundary=b; start=\"<0>\""
#define PART(type, body) "--b\nContent-Type: " type "\n\n" body "\n"
#define P_SOAP PART("text/xml", MSG)
#define END "--b--"
/* clang-format on */

static bool run(const char *type, const char *in, size_t step, size_t body_max,
		struct slt_message **m, struct slt_soap **soap, struct slt_err *err)
{
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	SLT_AUTO(slt_soapmime_free) struct slt_soapmime *s = NULL;
	size_t n = strlen(in);

	limits.body = body_max;
	limits.head = 4000;
	if (!slt_soapmime_new(type, SLT_SHA512, &limits, &s, err)) {
		return false;
	}
	for (size_t at = 0; at < n; at += step) {
		if (!slt_soapmime_feed(s, in + at, n - at < step ? n - at : step, err)) {
			return false;
		}
	}
	return slt_soapmime_finish(s, m, soap, err);
}

static void expect(const char *type, const char *in, const char *head, unsigned n_attachments)
{
	for (size_t step = 1; step < 2000; step = step * 3 + 1) {
		SLT_AUTO(slt_message_free) struct slt_message *m = NULL;
		SLT_AUTO(slt_soap_free) struct slt_soap *s = NULL;
		struct slt_err err = SLT_ERR_INIT;
		struct slt_digest d;
		if (!run(type, in, step, 1000, &m, &s, &err)) {
			fail_msg("%s: %s", in, err.msg);
		}
		assert_int_equal(m->n_attachments, n_attachments);
		assert_int_equal(m->head.n, strlen(head));
		assert_memory_equal(m->head.p, head, m->head.n);
		slt_digest_of(SLT_SHA512, head, strlen(head), &d);
		assert_true(slt_digest_eq(&d, &m->digest));
		for (unsigned i = 0; i < n_attachments; i++) {
			struct slt_str b = slt_spool_memory(m->attachment[i].body);
			slt_digest_of(SLT_SHA512, b.p, b.n, &d);
			assert_true(slt_digest_eq(&d, &m->attachment[i].digest));
		}
		assert_int_equal(s->is_fault, strcmp(head, FAULT) == 0);
	}
}

static void refuse(const char *type, const char *in, enum slt_code code)
{
	for (size_t step = 1; step < 2000; step = step * 3 + 1) {
		SLT_AUTO(slt_message_free) struct slt_message *m = NULL;
		SLT_AUTO(slt_soap_free) struct slt_soap *s = NULL;
		struct slt_err err = SLT_ERR_INIT;
		if (run(type, in, step, 10, &m, &s, &err)) {
			fail_msg("%s was taken", in);
		}
		assert_null(m);
		assert_null(s);
		if (err.code != code) {
			fail_msg("%s: %s (%s)", in, slt_code_name(err.code, SLT_DIALECT_SNAKE),
				 err.msg);
		}
	}
}

static void test_taken(void **state)
{
	(void)state;
	expect("text/xml", MSG, MSG, 0);
	expect("text/xml; charset=utf-8", FAULT, FAULT, 0);
	expect(TYPE, P_SOAP END, MSG, 0);
	expect(TYPE, PART("application/xop+xml; type=\"text/xml\"", MSG) END, MSG, 0);
	expect(TYPE, P_SOAP PART("a/b", "one") PART("c/d", "") END, MSG, 2);
	/* a multipart within is one attachment */
	expect(TYPE, P_SOAP PART("multipart/mixed; boundary=c", "--c\n\nx\n--c--") END, MSG, 1);
	expect(TYPE, PART("text/xml", FAULT) END, FAULT, 0);
	expect(TYPE, PART("text/xml", FAULT) "--b\nA", FAULT, 0);
	expect(TYPE, PART("text/xml", FAULT) "--b", FAULT, 0);
	expect(TYPE, PART("text/xml", FAULT) PART("a/b", "x") "--b", FAULT, 0);
}

static void test_headers_are_kept(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *m = NULL;
	SLT_AUTO(slt_soap_free) struct slt_soap *s = NULL;
	struct slt_err err = SLT_ERR_INIT;
	static const char in[] = "--b\nContent-ID: <0>\nContent-Type: text/xml\n\n" MSG
				 "\n--b\ncontent-type: a/b\nContent-Transfer-Encoding: base64\n"
				 "Content-ID:\n <1>\n\nb25l\n--b--";

	assert_true(run(TYPE, in, 10, 1000, &m, &s, &err));
	assert_string_equal(m->content_type, "text/xml");
	assert_string_equal(m->headers, "Content-ID: <0>\r\n");
	assert_string_equal(m->attachment[0].content_type, "a/b");
	assert_string_equal(m->attachment[0].headers,
			    "Content-Transfer-Encoding: base64\r\nContent-ID: <1>\r\n");
	assert_true(slt_str_eq(slt_spool_memory(m->attachment[0].body), "b25l"));
}

static void test_refused(void **state)
{
	(void)state;
	refuse("text/xml", "", SLT_EINVALID_SOAP);
	refuse("text/xml", "x", SLT_EINVALID_SOAP);
	refuse("text/xml; charset=none", MSG, SLT_EINVALID_CONTENT_TYPE);
	refuse(NULL, MSG, SLT_EINVALID_CONTENT_TYPE);
	refuse("blah", MSG, SLT_EINVALID_CONTENT_TYPE);
	refuse("application/xop+xml", MSG, SLT_EINVALID_CONTENT_TYPE);
	refuse("multipart/mixed; boundary=b", P_SOAP END, SLT_EINVALID_CONTENT_TYPE);
	refuse("multipart/related", P_SOAP END, SLT_EINVALID_CONTENT_TYPE);
	refuse("multipart/related; boundary=\"\"", P_SOAP END, SLT_EINVALID_CONTENT_TYPE);
	refuse(TYPE, "", SLT_EMISSING_SOAP);
	refuse(TYPE, END, SLT_EMISSING_SOAP);
	refuse(TYPE, "--c\n\nx\n--c--", SLT_EMISSING_SOAP);
	refuse(TYPE, "--b\nContent-Type: text/xml\n", SLT_EMISSING_SOAP);
	refuse(TYPE, "--b\n\n" MSG "\n" END, SLT_EINVALID_CONTENT_TYPE);
	refuse(TYPE, PART("text/plain", MSG) END, SLT_EINVALID_CONTENT_TYPE);
	refuse(TYPE, PART("multipart/mixed; boundary=c", "--c\n\nx\n--c--") END,
	       SLT_EINVALID_CONTENT_TYPE);
	refuse(TYPE, PART("text/xml", "") END, SLT_EINVALID_SOAP);
	refuse(TYPE, P_SOAP "--b\n\nx\n" END, SLT_EINVALID_CONTENT_TYPE);
	refuse(TYPE, P_SOAP, SLT_EMIME_PARSING_FAILED);
	refuse(TYPE, P_SOAP PART("a/b", "x"), SLT_EMIME_PARSING_FAILED);
	refuse(TYPE, P_SOAP PART("a/b", "12345678901") END, SLT_ELIMIT);
	refuse(TYPE, P_SOAP PART("a/b", "123456") PART("a/b", "12345") END, SLT_ELIMIT);
	SLT_AUTO_STR char *big = slt_calloc(1, 6000);
	memset(big, ' ', 5000);
	refuse("text/xml", big, SLT_ELIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_headers_are_kept),
		cmocka_unit_test(test_refused),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
