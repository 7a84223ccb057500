/* SPDX-License-Identifier: MIT */
/* X-Road's messages between security servers (ProxyMessageDecoderTest): structure only. */
#include "wire_vectors.h"

#include "federation/transport.h"

#define USUAL	   "multipart/mixed; charset=UTF-8; boundary=xtop1357783211hcn1yiro"
#define ATTACHMENT "multipart/mixed; charset=UTF-8; boundary=xtop569125687hcu8vfma"

enum outcome { FAILS, MESSAGE, FAULT };

struct vector {
	const char *name;
	const char *folder;
	const char *content_type;
	bool response;
	enum outcome outcome;
	unsigned n_ocsp, n_attachments;
	const char *want; /* the code when it fails, of the Fault otherwise */
};

/* clang-format off */
static const struct vector vectors[] = {
	{"normal.request", "proxymessages", USUAL, false, MESSAGE, 0, 0, NULL},
	{"normal.response", "proxymessages", USUAL, true, MESSAGE, 0, 0, NULL},
	{"attachment.request", "proxymessages", ATTACHMENT, false, MESSAGE, 0, 1, NULL},
	{"ocsp.request", "proxymessages", USUAL, false, MESSAGE, 1, 0, NULL},
	{"normal-soapfault.request", "proxymessages", USUAL, false, FAULT, 0, 0, NULL},
	{"fault-signature.request", "proxymessages", USUAL, false, FAULT, 0, 0, "CODE"},
	{"extracontent.request", "proxymessages", USUAL, false, FAILS, 0, 0,
	 "service_failed.invalid_message"},
	{"invalid-ocsp.request", "proxymessages", USUAL, false, FAILS, 0, 0,
	 "service_failed.io_error"},
	{"invalid-soap-contenttype.request", "proxymessages", USUAL, false, FAILS, 0, 0,
	 "service_failed.invalid_content_type"},
	{"invalid-contenttype-signature.request", "proxymessages", USUAL, false, FAILS, 0, 0,
	 "service_failed.invalid_content_type"},
	{"simple.query", "queries", "text/xml", true, FAILS, 0, 0, "service_failed.invalid_message"},
	{"fault.query", "queries", "text/xml", true, FAULT, 0, 0, "CODE"},
	{"fault.query", "queries", "text/xml", false, FAILS, 0, 0,
	 "service_failed.invalid_content_type"},
	{"attachm-error.query", "queries", "multipart/mixed", true, FAILS, 0, 0,
	 "service_failed.invalid_content_type"},
	{"normal.request", "proxymessages", "tsdfsdfsdf", false, FAILS, 0, 0,
	 "service_failed.invalid_content_type"},
	/* as raw input between security servers */
	{"no-signature.query", "queries", "multipart/mixed; boundary=jetty42534330h7vzfqv2", false,
	 FAILS, 0, 0, "missing_signature"},
	{"attachm.query", "queries", "multipart/mixed; boundary=jetty771207119h3h10dty", false, FAILS,
	 0, 0, "missing_signature"},
	{"no-soap.query", "queries", "multipart/mixed; boundary=foobar", false, FAILS, 0, 0,
	 "service_failed.invalid_soap"},
	{"missing-body.query", "queries", "text/xml", true, FAILS, 0, 0,
	 "service_failed.missing_body"},
	{"empty.query", "queries", "text/xml", true, FAILS, 0, 0, "service_failed.invalid_soap"},
};
/* clang-format on */

static bool read_all(const struct vector *v, const char *p, size_t n, size_t step,
		     struct slt_message **ret, struct slt_bytes *ret_fault, struct slt_err *err)
{
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	SLT_AUTO(slt_transport_reader_free) struct slt_transport_reader *r = NULL;

	if (!slt_transport_reader_new(v->content_type, SLT_SHA512, v->response, &limits, &r, err)) {
		return false;
	}
	for (size_t at = 0; at < n; at += step) {
		if (!slt_transport_feed(r, p + at, n - at < step ? n - at : step, err)) {
			return false;
		}
	}
	return slt_transport_finish(r, ret, ret_fault, err);
}

static void check_fault(const struct slt_bytes *fault, const char *code)
{
	SLT_AUTO(slt_soap_free) struct slt_soap *s = NULL;
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_soap_parse(fault->p, fault->n, NULL, &s, &err));
	assert_true(s->is_fault);
	if (code) {
		assert_string_equal(s->fault.code, code);
	}
}

/* Each part is the very bytes of the file. */
static void check_message(const struct vector *v, const struct slt_message *m, const char *p,
			  size_t n)
{
	assert_int_equal(m->n_ocsp, v->n_ocsp);
	assert_int_equal(m->n_attachments, v->n_attachments);
	assert_non_null(memmem(p, n, m->head.p, m->head.n));
	assert_memory_equal(m->head.p, "<?xml", 5);
	assert_memory_equal(m->head.p + m->head.n - 10, ":Envelope>", 10);
	assert_non_null(memmem(p, n, m->signature.p, m->signature.n));
	assert_memory_equal(m->signature.p + m->signature.n - 16, "XAdESSignatures>", 16);
	if (v->n_attachments) {
		struct slt_str body = slt_spool_memory(m->attachment[0].body);
		assert_true(slt_str_eq(body, "blaah"));
		assert_string_equal(m->attachment[0].content_type, "text/plain");
	}
}

static void run(void **state)
{
	const struct vector *v = *state;
	static const size_t steps[] = {1 << 20, 1, 7, 100};
	size_t n = 0;
	SLT_AUTO_STR char *p = load_vector(v->folder, v->name, &n);

	for (size_t i = 0; i < SLT_COUNT(steps); i++) {
		SLT_AUTO(slt_message_free) struct slt_message *m = NULL;
		struct slt_bytes fault = {NULL, 0};
		struct slt_err err = SLT_ERR_INIT;
		bool good = read_all(v, p, n, steps[i], &m, &fault, &err);
		expect_outcome(good, &err, v->outcome == FAILS ? v->want : NULL);
		assert_int_equal(m != NULL, v->outcome == MESSAGE);
		assert_int_equal(fault.p != NULL, v->outcome == FAULT);
		if (m) {
			check_message(v, m, p, n);
		}
		if (fault.p) {
			check_fault(&fault, v->want);
		}
		free(fault.p);
	}
}

int main(void)
{
	return run_cases(vectors, sizeof(vectors[0]), SLT_COUNT(vectors), run);
}
