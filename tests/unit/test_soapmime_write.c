/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/multipart.h"
#include "federation/soapmime.h"
#include "federation/soapmime_write.h"

/* clang-format off */
#define ID(type, more) " i:objectType='" type "'><i:xRoadInstance>FI</i:xRoadInstance>" \
	"<i:memberClass>COM</i:memberClass><i:memberCode>1</i:memberCode>" more
#define MSG \
	"<s:Envelope xmlns:s='" SLT_NS_SOAP "' xmlns:x='" SLT_NS_XROAD "' xmlns:i='" SLT_NS_ID "'>" \
	"<s:Header><x:client" ID("MEMBER", "</x:client>") "<x:service" \
	ID("SERVICE", "<i:serviceCode>getRx</i:serviceCode></x:service>") "<x:id>abc</x:id>" \
	"<x:protocolVersion>4.0</x:protocolVersion></s:Header><s:Body><getRx/></s:Body></s:Envelope>"
#define XOP_TYPE "application/xop+xml; charset=UTF-8; type=\"text/xml\""
/* clang-format on */

static struct slt_message *message(const char *type, const char *headers)
{
	struct slt_message *m = slt_message_new(SLT_SOAP);

	m->content_type = type ? slt_strdup(type) : NULL;
	m->headers = headers ? slt_strdup(headers) : NULL;
	slt_message_set_head(m, MSG, strlen(MSG));
	return m;
}

static void attach(struct slt_message *m, const char *type, const char *headers, const void *p,
		   size_t n)
{
	struct slt_spool *s = slt_spool_new(NULL, 1000, 1u << 20);
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_spool_write(s, p, n, &err));
	assert_true(slt_message_attach(m, type, headers, s, &err));
}

/* The whole stream, asked for in pieces of `step` bytes. */
static void write_all(struct slt_soapmime_writer *w, size_t step, struct slt_buf *out)
{
	struct slt_err err = SLT_ERR_INIT;
	size_t n = 1;

	while (n) {
		char *p = slt_buf_room(out, step);
		assert_non_null(p);
		assert_true(slt_soapmime_read(w, p, step, &n, &err));
		assert_true(n <= step);
		out->n += n;
	}
}

static void read_back(const char *type, const struct slt_buf *b, size_t step,
		      struct slt_message **ret)
{
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	SLT_AUTO(slt_soapmime_free) struct slt_soapmime *s = NULL;
	SLT_AUTO(slt_soap_free) struct slt_soap *soap = NULL;
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_soapmime_new(type, SLT_SHA512, &limits, &s, &err));
	for (size_t at = 0; at < b->n; at += step) {
		size_t n = b->n - at < step ? b->n - at : step;
		if (!slt_soapmime_feed(s, b->p + at, n, &err)) {
			fail_msg("%s: %s", type, err.msg);
		}
	}
	if (!slt_soapmime_finish(s, ret, &soap, &err)) {
		fail_msg("%s: %s", type, err.msg);
	}
}

static void assert_same(const struct slt_message *a, const struct slt_message *b)
{
	assert_int_equal(a->head.n, b->head.n);
	assert_memory_equal(a->head.p, b->head.p, a->head.n);
	assert_true(slt_digest_eq(&a->digest, &b->digest));
	assert_int_equal(a->n_attachments, b->n_attachments);
	for (unsigned i = 0; i < a->n_attachments; i++) {
		const struct slt_attachment *x = &a->attachment[i], *y = &b->attachment[i];
		assert_string_equal(x->content_type, y->content_type);
		assert_string_equal(x->headers, y->headers);
		assert_int_equal(slt_spool_size(x->body), slt_spool_size(y->body));
		assert_true(slt_digest_eq(&x->digest, &y->digest));
	}
}

static void round_trip(const struct slt_message *m, bool bare)
{
	static const size_t steps[] = {1, 2, 3, 7, 64, 1000, 65536};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		SLT_AUTO(slt_soapmime_writer_free)
		struct slt_soapmime_writer *w = slt_soapmime_writer_new(m);
		SLT_AUTO(slt_message_free) struct slt_message *back = NULL;
		SLT_AUTO_BUF(out, 1u << 20);
		const char *type = slt_soapmime_content_type(w);
		write_all(w, steps[i], &out);
		assert_int_equal(slt_mime_is(type, "multipart/related"), !bare);
		read_back(type, &out, steps[i], &back);
		assert_same(m, back);
		assert_string_equal(back->content_type,
				    m->content_type ? m->content_type : "text/xml; charset=UTF-8");
		assert_string_equal(back->headers, bare || !m->headers ? "" : m->headers);
	}
}

static void test_bare(void **state)
{
	(void)state;
	static const char *const types[] = {NULL, "text/xml", "text/xml; charset=ISO-8859-1",
					    "TEXT/XML"};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		SLT_AUTO(slt_message_free) struct slt_message *m = message(types[i], NULL);
		SLT_AUTO(slt_soapmime_writer_free)
		struct slt_soapmime_writer *w = slt_soapmime_writer_new(m);
		SLT_AUTO_BUF(out, 1u << 20);
		write_all(w, 100, &out);
		assert_true(slt_str_eq(slt_buf_str(&out), MSG));
		round_trip(m, true);
	}
	/* a Content-ID of a root that is alone has no place */
	SLT_AUTO(slt_message_free) struct slt_message *m = message(NULL, "Content-ID: <0>\r\n");
	round_trip(m, true);
}

static void test_attachments(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *m = message("text/xml", NULL);
	char bytes[5000]; /* more than stays in memory */

	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (char)(i * 31);
	}
	attach(m, "a/b", NULL, "one", 3);
	round_trip(m, false);
	attach(m, "application/octet-stream", "Content-ID: <x@y>\r\nX-Other: 1\r\n", bytes,
	       sizeof(bytes));
	round_trip(m, false);
	attach(m, "c/d; name=\"e f\"", "Content-Transfer-Encoding: base64\r\n", "", 0);
	attach(m, "multipart/mixed; boundary=z", NULL, "--z\r\n\r\nx\r\n--z--", 15);
	round_trip(m, false);
	while (m->n_attachments < SLT_ATTACHMENTS_MAX) {
		attach(m, "a/b", NULL, bytes, m->n_attachments);
	}
	round_trip(m, false);
}

/* What looks like the structure around it is content. */
static void test_content_like_structure(void **state)
{
	(void)state;
	static const char *const bodies[] = {
		"\r\n",
		"\n",
		"\r",
		"--",
		"\r\n--",
		"\r\n--soap",
		"\r\n ",
		"--soap",
		"\r\n--\r\n",
		"\r\n--soap--\r\n",
		"--\r\n\r\n--\r\n\r\n--",
	};
	SLT_AUTO(slt_message_free) struct slt_message *m = message("text/xml", NULL);

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		attach(m, "a/b", NULL, bodies[i], strlen(bodies[i]));
	}
	attach(m, "a/b", NULL, "\0\0", 2);
	round_trip(m, false);
}

/* The stream of another message as content; boundaries that anyone can foresee would break it. */
static void test_boundary_is_not_in_content(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *m = message("text/xml", NULL);
	struct slt_str first, second;

	attach(m, "a/b", NULL, "x", 1);
	SLT_AUTO(slt_soapmime_writer_free)
	struct slt_soapmime_writer *w = slt_soapmime_writer_new(m);
	SLT_AUTO_BUF(out, 1u << 20);
	write_all(w, 4096, &out);
	attach(m, "a/b", NULL, out.p, out.n);
	round_trip(m, false);
	SLT_AUTO(slt_soapmime_writer_free)
	struct slt_soapmime_writer *v = slt_soapmime_writer_new(m);
	assert_true(slt_mime_param(slt_str(slt_soapmime_content_type(w)), "boundary", &first));
	assert_true(slt_mime_param(slt_str(slt_soapmime_content_type(v)), "boundary", &second));
	assert_int_equal(first.n, second.n);
	assert_true(first.n <= 70); /* RFC 2046 */
	assert_memory_not_equal(first.p, second.p, first.n);
}

static void expect_param(const char *type, const char *name, const char *value)
{
	struct slt_str v = {NULL, 0};
	bool there = slt_mime_param(slt_str(type), name, &v);

	assert_int_equal(there, value != NULL);
	if (value && !slt_str_eq(v, value)) {
		fail_msg("%s of %s is not %s", name, type, value);
	}
}

static void expect_related(const char *root_type, const char *headers, const char *type,
			   const char *start, const char *info)
{
	SLT_AUTO(slt_message_free) struct slt_message *m = message(root_type, headers);

	attach(m, "a/b", "Content-ID: <other>\r\n", "x", 1);
	SLT_AUTO(slt_soapmime_writer_free)
	struct slt_soapmime_writer *w = slt_soapmime_writer_new(m);
	const char *all = slt_soapmime_content_type(w);
	assert_true(slt_mime_is(all, "multipart/related"));
	expect_param(all, "type", type);
	expect_param(all, "start", start);
	expect_param(all, "start-info", info);
	round_trip(m, false);
}

static void test_root(void **state)
{
	(void)state;
	static const char xop[] = "application/xop+xml";
	SLT_AUTO_STR char *big = slt_calloc(1, 1024);

	expect_related(NULL, NULL, "text/xml", NULL, NULL);
	expect_related("text/xml; charset=UTF-8", "", "text/xml", NULL, NULL);
	expect_related("text/xml", "X: 1\r\nCONTENT-ID: <0>\r\n", "text/xml", "<0>", NULL);
	expect_related(XOP_TYPE, "Content-ID: <root@a>\r\n", xop, "<root@a>", "text/xml");
	expect_related(XOP_TYPE, NULL, xop, NULL, "text/xml");
	expect_related(xop, NULL, xop, NULL, "text/xml");
	expect_related("Application/XOP+xml; type=\"application/soap+xml\"", NULL,
		       "Application/XOP+xml", NULL, "application/soap+xml");
	/* what cannot stand between quotation marks is not named: the first part is the root */
	expect_related(xop, "Content-ID: <a\"; boundary=\"b>\r\n", xop, NULL, "text/xml");
	expect_related(xop, "Content-ID: <a\\>\r\n", xop, NULL, "text/xml");
	expect_related(xop, "Content-ID: <\xc3\xa4>\r\n", xop, NULL, "text/xml");
	expect_related(xop, "Content-ID: \r\n", xop, NULL, "text/xml");
	expect_related(xop, "Content-ID2: <0>\r\n", xop, NULL, "text/xml");
	expect_related("application/xop+xml; type='a\"b'", NULL, xop, NULL, "text/xml");
	memcpy(big, "Content-ID: <", 13);
	memset(big + 13, 'x', 400);
	memcpy(big + 413, ">\r\n", 3);
	expect_related(xop, big, xop, NULL, "text/xml");
}

/* XOP without attachments is a multipart still: bare, the type would not be text/xml. */
static void test_lone_xop(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free)
	struct slt_message *m = message(XOP_TYPE, "Content-ID: <0>\r\n");

	round_trip(m, false);
}

static void test_end_is_the_end(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *m = message(NULL, NULL);
	SLT_AUTO(slt_soapmime_writer_free)
	struct slt_soapmime_writer *w = slt_soapmime_writer_new(m);
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, 1u << 20);
	char c[4];
	size_t n = 9;

	write_all(w, 4096, &out);
	for (int i = 0; i < 2; i++) {
		assert_true(slt_soapmime_read(w, c, sizeof(c), &n, &err));
		assert_int_equal(n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_content_like_structure),
		cmocka_unit_test(test_boundary_is_not_in_content),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_lone_xop),
		cmocka_unit_test(test_end_is_the_end),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
