/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/multipart.h"
#include "federation/transport.h"

/* clang-format off */
#define ID(type, more) " i:objectType='" type "'><i:xRoadInstance>FI</i:xRoadInstance>" \
	"<i:memberClass>COM</i:memberClass><i:memberCode>1</i:memberCode>" more
#define SOAP(header) \
	"<s:Envelope xmlns:s='" SLT_NS_SOAP "' xmlns:x='" SLT_NS_XROAD "' xmlns:i='" SLT_NS_ID "'>" \
	"<s:Header><x:client" ID("MEMBER", "</x:client>") "<x:service" \
	ID("SERVICE", "<i:serviceCode>getRx</i:serviceCode></x:service>") header \
	"<x:protocolVersion>4.0</x:protocolVersion></s:Header><s:Body><getRx/></s:Body></s:Envelope>"
#define MSG SOAP("<x:id>abc</x:id>")
#define FAULT "<s:Envelope xmlns:s='" SLT_NS_SOAP "'><s:Body><s:Fault><faultcode>server.x" \
	"</faultcode></s:Fault></s:Body></s:Envelope>"

#define PART(type, body) "--b\r\ncontent-type: " type "\r\n\r\n" body "\r\n"
#define END "--b--\r\n"
#define P_SOAP PART("text/xml; charset=UTF-8", MSG)
#define P_SIG PART("signature/bdoc-1.0/ts", "<sig/>")
#define P_RESULT PART("application/hash-chain-result", "<r/>")
#define P_CHAIN PART("application/hash-chain", "<c/>")
#define P_REST PART("application/x-road-rest-request", "GET\r\n/r1/x\r\n")
#define P_REST_BODY PART("application/x-road-rest-body", "body")
#define P_FAULT PART("text/xml", FAULT)
#define ATT_A "\r\n--a\r\ncontent-type: text/plain\r\nContent-ID: <1>\r\n\r\none\r\n"
#define ATT_B "--a\r\n\r\ntwo\r\n--x\r\n"
#define P_ATT PART("multipart/mixed; boundary=a", ATT_A ATT_B "--a--\r\n")
#define TYPE "multipart/mixed; charset=UTF-8; boundary=b"
/* the shortest thing that d2i_OCSP_RESPONSE takes: status tryLater */
#define OCSP "\x30\x03\x0a\x01\x03"
#define P_OCSP PART("application/ocsp-response", OCSP)
/* clang-format on */

struct outcome {
	struct slt_message *message;
	struct slt_bytes fault;
	struct slt_soap *soap;
	bool peeked;
};

static void outcome_fini(struct outcome *o)
{
	slt_message_free(o->message);
	slt_soap_free(o->soap);
	free(o->fault.p);
	*o = (struct outcome){.message = NULL};
}

struct feed {
	const char *type;
	bool response;
	int expect;				   /* enum slt_message_kind, -1 for any */
	const struct slt_transport_limits *limits; /* NULL: the usual ones */
};

static const struct feed request = {TYPE, false, -1, NULL};
static const struct feed response = {TYPE, true, -1, NULL};

/* Feeds in two pieces, or byte by byte when cut is beyond n. */
static bool run(const struct feed *f, struct slt_str in, size_t cut, struct outcome *o,
		struct slt_err *err)
{
	SLT_AUTO(slt_transport_reader_free) struct slt_transport_reader *r = NULL;
	const struct slt_transport_limits usual = SLT_TRANSPORT_LIMITS;
	bool good = slt_transport_reader_new(f->type, SLT_SHA512, f->response,
					     f->limits ? f->limits : &usual, &r, err);
	size_t step = cut <= in.n ? in.n - cut : 1;

	if (good && f->expect >= 0) {
		slt_transport_expect(r, (enum slt_message_kind)f->expect);
	}
	if (good && cut <= in.n) {
		good = slt_transport_feed(r, in.p, cut, err);
	}
	for (size_t at = cut <= in.n ? cut : 0; good && at < in.n; at += step) {
		good = slt_transport_feed(r, in.p + at, step, err);
		o->peeked |= good && slt_transport_peek(r);
	}
	if (good) {
		o->soap = slt_transport_take_soap(r);
		assert_null(slt_transport_take_soap(r));
		good = slt_transport_finish(r, &o->message, &o->fault, err);
	}
	return good;
}

static struct outcome read_n(const struct feed *f, const char *p, size_t n)
{
	struct outcome o = {.message = NULL};
	struct slt_err err = SLT_ERR_INIT;

	if (!run(f, (struct slt_str){p, n}, 0, &o, &err)) {
		fail_msg("%.200s: %s", p, err.msg);
	}
	return o;
}

static struct outcome read(const struct feed *f, const char *s)
{
	return read_n(f, s, strlen(s));
}

static void refuse_n(const struct feed *f, const char *p, size_t n, enum slt_code code)
{
	bool bare = code == SLT_EMISSING_SOAP || code == SLT_EMISSING_REST ||
		    code == SLT_EMISSING_SIGNATURE;

	for (size_t cut = 0; cut <= n + 1; cut += 1 + n / 50) {
		struct outcome o = {.message = NULL};
		struct slt_err err = SLT_ERR_INIT;
		if (run(f, (struct slt_str){p, n}, cut, &o, &err)) {
			fail_msg("%s was taken", p);
		}
		assert_null(o.message);
		assert_null(o.fault.p);
		outcome_fini(&o);
		if (err.code != code) {
			fail_msg("%s: %s (%s) and not %s", p,
				 slt_code_name(err.code, SLT_DIALECT_SNAKE), err.msg,
				 slt_code_name(code, SLT_DIALECT_SNAKE));
		}
		assert_int_equal(err.n_prefix, bare ? 0 : 1);
		assert_true(bare || err.prefix[0] == SLT_SERVICE_FAILED);
	}
}

static void refuse(const struct feed *f, const char *s, enum slt_code code)
{
	refuse_n(f, s, strlen(s), code);
}

static void assert_bytes(const struct slt_bytes *b, const char *want)
{
	assert_int_equal(b->n, strlen(want));
	assert_memory_equal(b->p, want, b->n);
	assert_int_equal(b->p[b->n], 0);
}

static void assert_spool(const struct slt_attachment *a, const char *want)
{
	char got[256];
	size_t n = 0;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;

	assert_true(slt_spool_read(a->body, 0, got, sizeof(got), &n, &err));
	assert_int_equal(n, strlen(want));
	assert_memory_equal(got, want, n);
	slt_digest_of(SLT_SHA512, want, n, &d);
	assert_true(slt_digest_eq(&d, &a->digest));
}

static void check_full(const struct slt_message *m)
{
	struct slt_digest d;

	assert_int_equal(m->kind, SLT_SOAP);
	assert_int_equal(m->n_ocsp, 2);
	assert_bytes(&m->ocsp[1], OCSP);
	assert_string_equal(m->content_type, "text/xml; charset=UTF-8");
	assert_bytes(&m->head, MSG);
	slt_digest_of(SLT_SHA512, MSG, strlen(MSG), &d);
	assert_true(slt_digest_eq(&d, &m->digest));
	assert_int_equal(m->n_attachments, 2);
	assert_string_equal(m->attachment[0].content_type, "text/plain");
	assert_string_equal(m->attachment[0].headers, "Content-ID: <1>\r\n");
	assert_spool(&m->attachment[0], "one");
	assert_string_equal(m->attachment[1].content_type, "");
	assert_string_equal(m->attachment[1].headers, "");
	assert_spool(&m->attachment[1], "two\r\n--x");
	assert_bytes(&m->hash_chain_result, "<r/>");
	assert_bytes(&m->hash_chain, "<c/>");
	assert_bytes(&m->signature, "<sig/>");
}

static void test_every_cut(void **state)
{
	(void)state;
	static const char in[] = P_OCSP P_OCSP P_SOAP P_ATT P_RESULT P_CHAIN P_SIG END;
	size_t n = sizeof(in) - 1;

	for (size_t cut = 0; cut <= n + 1; cut++) {
		struct outcome o = {.message = NULL};
		struct slt_err err = SLT_ERR_INIT;
		if (!run(&request, (struct slt_str){in, n}, cut, &o, &err)) {
			fail_msg("cut at %zu: %s", cut, err.msg);
		}
		check_full(o.message);
		assert_null(o.fault.p);
		assert_non_null(o.soap);
		assert_string_equal(o.soap->header.id, "abc");
		outcome_fini(&o);
	}
}

static void test_shapes(void **state)
{
	(void)state;
	struct outcome o = read(&request, P_SOAP P_SIG END);
	assert_null(o.message->hash_chain.p);
	assert_int_equal(o.message->n_attachments, 0);
	outcome_fini(&o);
	o = read(&response, P_SOAP P_SIG END);
	assert_non_null(o.message);
	outcome_fini(&o);
	o = read(&request, P_REST P_SIG END);
	assert_int_equal(o.message->kind, SLT_REST);
	assert_bytes(&o.message->head, "GET\r\n/r1/x\r\n");
	assert_null(o.soap);
	outcome_fini(&o);
	o = read(&request, P_OCSP P_REST P_REST_BODY P_RESULT P_CHAIN P_SIG END);
	assert_int_equal(o.message->n_attachments, 1);
	assert_spool(&o.message->attachment[0], "body");
	outcome_fini(&o);
	o = read(&request, P_REST PART("application/x-road-rest-body", "") P_SIG END);
	assert_int_equal(o.message->n_attachments, 1);
	assert_spool(&o.message->attachment[0], "");
	outcome_fini(&o);
	o = read(&response, PART("application/x-road-rest-response", "200\r\nOK\r\n") P_SIG END);
	assert_int_equal(o.message->kind, SLT_REST);
	outcome_fini(&o);
}

static void test_faults(void **state)
{
	(void)state;
	const struct feed bare = {"Text/XML; charset=utf-8", true, -1, NULL};
	struct outcome o = read(&bare, FAULT);

	assert_null(o.message);
	assert_bytes(&o.fault, FAULT);
	outcome_fini(&o);
	o = read(&response, P_FAULT END);
	assert_bytes(&o.fault, FAULT);
	assert_false(o.peeked);
	outcome_fini(&o);
	o = read(&request, P_FAULT P_SIG P_SIG P_SOAP END);
	assert_bytes(&o.fault, FAULT);
	outcome_fini(&o);
	o = read(&response, P_SOAP P_FAULT END);
	assert_null(o.message);
	assert_bytes(&o.fault, FAULT);
	outcome_fini(&o);
	o = read(&response, P_SOAP P_ATT P_RESULT P_FAULT END);
	assert_bytes(&o.fault, FAULT);
	outcome_fini(&o);
	/* a sender that gives up after its Fault */
	o = read(&response, P_FAULT "--b\r\nsignat");
	assert_bytes(&o.fault, FAULT);
	outcome_fini(&o);
	o = read(&response, P_FAULT "--b");
	assert_bytes(&o.fault, FAULT);
	outcome_fini(&o);
	o = read(&response, P_FAULT P_FAULT "junk");
	assert_bytes(&o.fault, FAULT);
	outcome_fini(&o);
	refuse(&bare, MSG, SLT_EINVALID_MESSAGE);
	refuse(&bare, "", SLT_EINVALID_SOAP);
	refuse(&bare, "not xml", SLT_EINVALID_SOAP);
	refuse(&response, P_FAULT, SLT_EMIME_PARSING_FAILED);
	const struct feed bare_request = {"text/xml", false, -1, NULL};
	refuse(&bare_request, FAULT, SLT_EINVALID_CONTENT_TYPE);
}

static void test_missing(void **state)
{
	(void)state;
	struct feed soap = request, rest = request;

	soap.expect = SLT_SOAP;
	rest.expect = SLT_REST;
	refuse(&request, END, SLT_EMISSING_SOAP);
	refuse(&rest, END, SLT_EMISSING_REST);
	refuse(&request, P_OCSP END, SLT_EMISSING_SOAP);
	refuse(&rest, P_OCSP END, SLT_EMISSING_REST);
	refuse(&rest, P_SOAP P_SIG END, SLT_EMISSING_REST);
	refuse(&soap, P_REST P_SIG END, SLT_EMISSING_SOAP);
	refuse(&request, PART("application/x-road-rest-request", "") P_SIG END, SLT_EMISSING_REST);
	refuse(&request, P_SOAP END, SLT_EMISSING_SIGNATURE);
	refuse(&request, P_SOAP P_ATT END, SLT_EMISSING_SIGNATURE);
	refuse(&request, P_SOAP P_RESULT P_CHAIN END, SLT_EMISSING_SIGNATURE);
	refuse(&request, P_SOAP P_RESULT END, SLT_EMISSING_SIGNATURE);
	refuse(&request, P_SOAP P_SIG, SLT_EMIME_PARSING_FAILED);
	refuse(&request, "", SLT_EMISSING_SOAP);
	refuse(&rest, "", SLT_EMISSING_REST);
	refuse(&request, "--b\r\ncontent-type: text/xml\r\n\r\n" MSG, SLT_EMIME_PARSING_FAILED);
}

static void test_wrong_order(void **state)
{
	(void)state;
	refuse(&request, P_SIG P_SOAP END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_ATT P_SOAP P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP P_OCSP P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP P_CHAIN P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP P_CHAIN P_RESULT P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP P_RESULT P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP P_RESULT P_RESULT P_CHAIN P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP P_RESULT P_CHAIN P_CHAIN P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP P_RESULT P_CHAIN P_ATT P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP P_ATT P_ATT P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP P_REST_BODY P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_REST P_ATT P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_REST P_REST_BODY P_REST_BODY P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_REST P_REST P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_REST_BODY P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	/* a second SOAP message can only be meant as a Fault in place of the signature */
	refuse(&request, P_SOAP P_SOAP P_SIG END, SLT_EINVALID_MESSAGE);
	refuse(&request, P_SOAP P_SIG P_SIG END, SLT_EINVALID_MESSAGE);
	refuse(&request, P_SOAP P_SIG PART("text/plain", "x") END, SLT_EINVALID_MESSAGE);
	refuse(&request, P_SOAP P_SIG P_ATT END, SLT_EINVALID_MESSAGE);
}

static void test_wrong_parts(void **state)
{
	(void)state;
	refuse(&request, PART("text/plain", MSG) P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, "--b\r\n\r\n" MSG "\r\n" P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP PART("text/plain", "x") END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP PART("multipart/mixed", ATT_A "--a--") P_SIG END,
	       SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, P_SOAP PART("multipart/mixed; boundary=a", ATT_A) P_SIG END,
	       SLT_EMIME_PARSING_FAILED);
	refuse(&request, P_SOAP PART("multipart/mixed; boundary=a", "junk" ATT_A "--a--") P_SIG END,
	       SLT_EMIME_PARSING_FAILED);
	refuse(&request, PART("application/ocsp-response", "x") P_SOAP P_SIG END, SLT_EIO);
	refuse(&request, PART("application/ocsp-response", OCSP "x") P_SOAP P_SIG END, SLT_EIO);
	refuse(&request, PART("application/ocsp-response", "") P_SOAP P_SIG END, SLT_EIO);
	refuse(&response, P_OCSP P_SOAP P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&response, P_REST P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, PART("application/x-road-rest-response", "200") P_SIG END,
	       SLT_EINVALID_CONTENT_TYPE);
	refuse(&request, PART("text/xml", SOAP("")) P_SIG END, SLT_EMISSING_HEADER_FIELD);
	refuse(&request, PART("text/xml", "") P_SIG END, SLT_EINVALID_SOAP);
	refuse(&request, PART("text/xml; charset=x", MSG) P_SIG END, SLT_EINVALID_CONTENT_TYPE);
	refuse(&request,
	       "--b\r\nA: 1\r\ncontent-type: text/xml\r\nContent-Type: text/xml\r\n\r\n" MSG
	       "\r\n" P_SIG END,
	       SLT_EMIME_PARSING_FAILED);
	refuse(&request, "junk" P_SOAP P_SIG END, SLT_EMIME_PARSING_FAILED);
}

static void test_content_types(void **state)
{
	(void)state;
	static const char *const bad[] = {
		NULL,
		"",
		"tsdfsdfsdf",
		"multipart/mixed",
		"multipart/mixed; boundary=",
		"multipart/mixed; boundary=a; boundary=b",
		"multipart/mixedx; boundary=b",
		"multipart/related; boundary=b",
		"application/json",
	};
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	struct slt_transport_reader *r = NULL;
	struct slt_err err = SLT_ERR_INIT;

	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		for (int resp = 0; resp < 2; resp++) {
			err = (struct slt_err)SLT_ERR_INIT;
			assert_false(slt_transport_reader_new(bad[i], SLT_SHA512, resp, &limits, &r,
							      &err));
			assert_int_equal(err.code, SLT_EINVALID_CONTENT_TYPE);
			assert_int_equal(err.prefix[0], SLT_SERVICE_FAILED);
		}
	}
	assert_false(slt_transport_reader_new(TYPE, SLT_DIGEST_NONE, true, &limits, &r, &err));
	assert_int_equal(err.code, SLT_EINVALID_MESSAGE);
	assert_true(slt_transport_reader_new("text/xml", SLT_DIGEST_NONE, true, &limits, &r, &err));
	slt_transport_reader_free(r);
	slt_transport_reader_free(NULL);
}

static void test_limits(void **state)
{
	(void)state;
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	struct feed f = request;
	SLT_AUTO_BUF(many, 1 << 20);

	f.limits = &limits;
	limits.head = strlen(MSG);
	limits.body = strlen("one") + strlen("two\r\n--x");
	limits.spool_threshold = 2;
	struct outcome o = read(&f, P_SOAP P_ATT P_SIG END);
	assert_spool(&o.message->attachment[1], "two\r\n--x");
	outcome_fini(&o);
	limits.body--;
	refuse(&f, P_SOAP P_ATT P_SIG END, SLT_ELIMIT);
	limits.body = 3;
	refuse(&f, P_REST P_REST_BODY P_SIG END, SLT_ELIMIT);
	limits.head--;
	refuse(&f, P_SOAP P_SIG END, SLT_ELIMIT);
	for (int i = 0; i <= SLT_OCSP_PARTS_MAX; i++) {
		slt_buf_adds(&many, P_OCSP);
	}
	refuse(&request, many.p, SLT_ELIMIT);
	slt_buf_reset(&many);
	slt_buf_adds(&many, P_SOAP "--b\r\ncontent-type: multipart/mixed; boundary=a\r\n\r\n");
	for (int i = 0; i <= SLT_ATTACHMENTS_MAX; i++) {
		slt_buf_adds(&many, "--a\r\n\r\nx\r\n");
	}
	refuse(&request, many.p, SLT_ELIMIT);
}

static void test_peek(void **state)
{
	(void)state;
	SLT_AUTO(slt_transport_reader_free) struct slt_transport_reader *r = NULL;
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_message *m = NULL;
	struct slt_bytes fault = {NULL, 0};
	static const char first[] = P_OCSP P_SOAP "--b";
	static const char second[] = "\r\ncontent-type: signature/bdoc-1.0/ts\r\n\r\ns\r\n" END;

	assert_true(slt_transport_reader_new(TYPE, SLT_SHA256, false, &limits, &r, &err));
	assert_true(slt_transport_feed(r, first, strlen(first), &err));
	assert_null(slt_transport_peek(r));
	assert_null(slt_transport_take_soap(r));
	assert_true(slt_transport_feed(r, second, 2, &err));
	assert_non_null(slt_transport_peek(r));
	assert_int_equal(slt_transport_peek(r)->n_ocsp, 1);
	assert_int_equal(slt_transport_peek(r)->digest.alg, SLT_SHA256);
	assert_true(slt_transport_feed(r, second + 2, strlen(second) - 2, &err));
	assert_true(slt_transport_finish(r, &m, &fault, &err));
	slt_message_free(m);
	m = NULL;
	/* the message was handed over: there is no second one */
	assert_null(slt_transport_peek(r));
	assert_false(slt_transport_finish(r, &m, &fault, &err));
	assert_null(m);
}

/* --- writing --- */

static struct slt_bytes bytes(const char *s)
{
	return (struct slt_bytes){slt_strdup(s), strlen(s)};
}

static void attach(struct slt_message *m, const char *type, const char *headers, const char *body)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_spool *s = slt_spool_new(NULL, 4, 1 << 20);

	assert_true(slt_spool_write(s, body, strlen(body), &err));
	assert_true(slt_message_attach(m, type, headers, s, &err));
}

static void pull(struct slt_transport_writer *w, size_t step, struct slt_buf *out)
{
	struct slt_err err = SLT_ERR_INIT;
	char chunk[4096];
	size_t n = 1;

	while (n) {
		assert_true(slt_transport_read(w, chunk, step, &n, &err));
		slt_buf_add(out, chunk, n);
	}
}

/* Puts the random boundaries' places instead of them. */
static void normalise(struct slt_buf *b)
{
	for (char *p = b->p; (p = strstr(p, "=x")) != NULL; p++) {
		char boundary[35] = "";
		memcpy(boundary, p + 1, 34);
		for (char *q = b->p; (q = strstr(q, boundary)) != NULL;) {
			memset(q + 4, '.', 30);
		}
	}
}

#define DOTS ".............................."
#define XTOP "--xtop" DOTS
#define XATT "--xatt" DOTS

static void test_layout(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *m = slt_message_new(SLT_SOAP);
	SLT_AUTO_BUF(out, 1 << 20);

	m->ocsp[m->n_ocsp++] = bytes("DER");
	m->content_type = slt_strdup("text/xml; charset=UTF-8");
	m->headers = slt_strdup("Content-ID: <0>\r\n");
	slt_message_set_head(m, "<soap/>", 7);
	attach(m, "text/plain", "Content-Transfer-Encoding: base64\r\n", "b25l");
	attach(m, "", "", "");
	m->hash_chain_result = bytes("<r/>");
	m->hash_chain = bytes("<c/>");
	m->signature = bytes("<sig/>");
	SLT_AUTO(slt_transport_writer_free)
	struct slt_transport_writer *w = slt_transport_writer_new(m);
	slt_buf_adds(&out, slt_transport_content_type(w));
	slt_buf_addc(&out, '\n');
	pull(w, 4096, &out);
	for (const char *p = strstr(out.p, "xtop") + 4, *e = p + 30; p < e; p++) {
		assert_true((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'));
	}
	normalise(&out);
	assert_string_equal(
		out.p,
		"multipart/mixed; charset=UTF-8; boundary=xtop" DOTS "\n" XTOP "\r\n"
		"content-type: application/ocsp-response\r\n\r\nDER\r\n" XTOP "\r\n"
		"content-type: text/xml; charset=UTF-8\r\nContent-ID: <0>\r\n\r\n<soap/>\r\n" XTOP
		"\r\ncontent-type: multipart/mixed; charset=UTF-8; boundary=xatt" DOTS
		"\r\n\r\n\r\n" XATT "\r\ncontent-type: text/plain\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nb25l\r\n" XATT "\r\n\r\n\r\n" XATT
		"--\r\n\r\n" XTOP
		"\r\ncontent-type: application/hash-chain-result\r\n\r\n<r/>\r\n" XTOP
		"\r\ncontent-type: application/hash-chain\r\n\r\n<c/>\r\n" XTOP
		"\r\ncontent-type: signature/bdoc-1.0/ts\r\n\r\n<sig/>\r\n" XTOP "--\r\n");
}

static void test_layout_rest(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *m = slt_message_new(SLT_REST);
	SLT_AUTO_BUF(out, 1 << 20);

	m->content_type = slt_strdup("application/x-road-rest-response");
	slt_message_set_head(m, "200\r\nOK\r\n", 9);
	attach(m, "application/json", "", "{}");
	m->signature = bytes("<sig/>");
	SLT_AUTO(slt_transport_writer_free)
	struct slt_transport_writer *w = slt_transport_writer_new(m);
	slt_buf_adds(&out, slt_transport_content_type(w));
	slt_buf_addc(&out, '\n');
	pull(w, 4096, &out);
	normalise(&out);
	assert_string_equal(
		strchr(out.p, '\n') + 1, XTOP
		"\r\ncontent-type: application/x-road-rest-response\r\n\r\n200\r\nOK\r\n\r\n" XTOP
		"\r\ncontent-type: application/x-road-rest-body\r\n\r\n{}\r\n" XTOP
		"\r\ncontent-type: signature/bdoc-1.0/ts\r\n\r\n<sig/>\r\n" XTOP "--\r\n");
}

static void test_write_and_read(void **state)
{
	(void)state;
	struct outcome o = read(&request, P_OCSP P_OCSP P_SOAP P_ATT P_RESULT P_CHAIN P_SIG END);
	static const size_t steps[] = {1, 2, 3, 7, 64, 4096};

	for (size_t i = 0; i < SLT_COUNT(steps); i++) {
		SLT_AUTO(slt_transport_writer_free)
		struct slt_transport_writer *w = slt_transport_writer_new(o.message);
		SLT_AUTO_BUF(out, 1 << 20);
		SLT_AUTO_BUF(again, 1 << 20);
		pull(w, steps[i], &out);
		slt_transport_rewind(w);
		pull(w, 4096, &again);
		assert_int_equal(out.n, again.n);
		assert_memory_equal(out.p, again.p, out.n);
		struct feed f = request;
		f.type = slt_transport_content_type(w);
		struct outcome back = read_n(&f, out.p, out.n);
		check_full(back.message);
		outcome_fini(&back);
	}
	outcome_fini(&o);
}

static void test_large(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *m = slt_message_new(SLT_SOAP);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_spool *s = slt_spool_new(NULL, 1024, 1 << 24);
	SLT_AUTO_BUF(out, 1 << 24);
	static const char line[] = "\r\n--xtopABC\r\n--x\n--\r\n\r\n";

	for (int i = 0; i < 50000; i++) {
		assert_true(slt_spool_write(s, line, strlen(line), &err));
	}
	slt_message_set_head(m, MSG, strlen(MSG));
	assert_true(slt_message_attach(m, "a/b", NULL, s, &err));
	m->signature = bytes("<sig/>");
	SLT_AUTO(slt_transport_writer_free)
	struct slt_transport_writer *w = slt_transport_writer_new(m);
	pull(w, 4096, &out);
	struct feed f = request;
	f.type = slt_transport_content_type(w);
	struct outcome o = read_n(&f, out.p, out.n);
	assert_int_equal(slt_spool_size(o.message->attachment[0].body), 50000 * strlen(line));
	assert_true(slt_digest_eq(&o.message->attachment[0].digest, &m->attachment[0].digest));
	assert_string_equal(o.message->content_type, "text/xml; charset=UTF-8");
	outcome_fini(&o);
}

static void attach_fails(struct slt_message *m, const char *type, const char *headers,
			 enum slt_code code)
{
	struct slt_err err = SLT_ERR_INIT;
	unsigned n = m->n_attachments;

	assert_false(slt_message_attach(m, type, headers, slt_spool_new(NULL, 1, 1), &err));
	assert_int_equal(err.code, code);
	assert_int_equal(m->n_attachments, n);
}

static void test_attach_refused(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *m = slt_message_new(SLT_SOAP);

	attach_fails(m, "a/b\r\nX: 1", NULL, SLT_EINVAL);
	attach_fails(m, "a/b\n", NULL, SLT_EINVAL);
	attach_fails(m, "a/b", "\r\n", SLT_EINVAL);
	attach_fails(m, "a/b", "A: 1", SLT_EINVAL);
	attach_fails(m, "a/b", "A: 1\n", SLT_EINVAL);
	attach_fails(m, "a/b", "A: 1\r\n\r\n", SLT_EINVAL);
	attach_fails(m, "a/b", "A\r\n", SLT_EINVAL);
	attach_fails(m, "a/b", ": 1\r\n", SLT_EINVAL);
	for (int i = 0; i < SLT_ATTACHMENTS_MAX; i++) {
		attach(m, "a/b", "A: 1\r\nB: 2\r\n", "x");
	}
	attach_fails(m, "a/b", NULL, SLT_ELIMIT);
	slt_message_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut),     cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_faults),	      cmocka_unit_test(test_missing),
		cmocka_unit_test(test_wrong_order),   cmocka_unit_test(test_wrong_parts),
		cmocka_unit_test(test_content_types), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_peek),	      cmocka_unit_test(test_layout),
		cmocka_unit_test(test_layout_rest),   cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_large),	      cmocka_unit_test(test_attach_refused),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
