/* SPDX-License-Identifier: MIT */
/* X-Road's messages of information systems, requests and answers, as far as reading them decides.
 * Prefixes (client, server.serverproxy.service_failed) are added by who received the message. */
#include "wire_vectors.h"

#include "federation/soapmime.h"

#define XML	"text/xml"
#define RELATED "multipart/related; boundary=jetty771207119h3h10dty"
#define QUOTED	"multipart/related; charset=UTF-8; boundary=\"jetty771207119h3h10dty\""
#define XOP                                                                                        \
	"multipart/related; boundary=MIMEBoundaryurn_uuid_0FE43E4D025F0BF3DC11582467646812; "      \
	"type=\"application/xop+xml\"; start-info=\"text/xml\""

struct vector {
	const char *name;
	const char *content_type;
	const char *want;    /* code, or NULL */
	const char *service; /* NULL: not looked at; or the Fault's code */
	unsigned n_attachments;
	bool fault;
};

/* clang-format off */
static const struct vector vectors[] = {
	{"getstate.query", XML, NULL, "EE/BUSINESS/producer//getState", 0, false},
	{"getstate.query", "text/xml; charset=UTF-8", NULL, NULL, 0, false},
	{"getstate.query", "blah", "invalid_content_type", NULL, 0, false},
	{"getstate.answer", XML, NULL, "EE/BUSINESS/producer//getState", 0, false},
	{"getstate-defaultnamespace.query", XML, NULL, "EE/BUSINESS/producer//getState", 0, false},
	{"getstate-iso88591.answer", XML, NULL, "EE/BUSINESS/producer//getState", 0, false},
	{"getstate-iso88591.answer", "text/xml; charset=ISO-8859-1", NULL,
	 "EE/BUSINESS/producer//getState", 0, false},
	{"simple.query", XML, NULL, "EE/BUSINESS/producer//testQuery", 0, false},
	{"simple.answer", XML, NULL, "EE/BUSINESS/producer//testQuery", 0, false},
	{"simple-representedparty.query", XML, NULL, "EE/BUSINESS/producer//testQuery", 0, false},
	{"cdata.query", XML, NULL, "EE/BUSINESS/producer//getState", 0, false},
	{"cdata.answer", XML, NULL, "EE/BUSINESS/producer//getState", 0, false},
	{"nowhitespace.query", XML, NULL, "EE/BUSINESS/producer//getState", 0, false},
	{"split-header.query", XML, NULL, "EE/BUSINESS/producer//getState", 0, false},
	{"requesthash.answer", XML, NULL, "EE/BUSINESS/producer//getState", 0, false},
	{"mimesoap.query", RELATED, NULL, NULL, 0, false},
	{"attachm.query", RELATED, NULL, "EE/BUSINESS/producer//test", 1, false},
	{"attachm.query", QUOTED, NULL, "EE/BUSINESS/producer//test", 1, false},
	{"attachm.answer", XML, NULL, "EE/BUSINESS/producer//test", 0, false},
	{"attachments.query", RELATED, NULL, "EE/BUSINESS/producer//test", 3, false},
	{"attachments.answer", RELATED, NULL, "EE/BUSINESS/producer//test", 3, false},
	{"attachm-mtom.query", RELATED, NULL, "EE/BUSINESS/producer//test", 1, false},
	{"attachm-mtom.answer", RELATED, NULL, "EE/BUSINESS/producer//test", 1, false},
	{"smallAttachment.query", RELATED, NULL, "EE/BUSINESS/attachment//test", 1, false},
	{"xop.answer", XOP, NULL, "EE/BUSINESS/producer//testResponse", 1, false},
	{"soapfault-mtom.answer", RELATED, NULL, "soap:Server", 0, true},
	{"fault.query", XML, NULL, "CODE", 0, true},
	{"faulty-fault.answer", XML, NULL, "soap:Server", 0, true},
	{"empty.query", XML, "invalid_soap", NULL, 0, false},
	{"empty.query", RELATED, "missing_soap", NULL, 0, false},
	{"missing-body.query", XML, "missing_body", NULL, 0, false},
	{"no-header.query", XML, "missing_header", NULL, 0, false},
	{"faulty-header.query", XML, "missing_header_field", NULL, 0, false},
	{"faulty-header2.query", XML, "duplicate_header_field", NULL, 0, false},
	{"malformed-body1.query", XML, "invalid_body", NULL, 0, false},
	{"malformed-body2.query", XML, "invalid_body", NULL, 0, false},
	{"malformed-body3.query", XML, "inconsistent_headers", NULL, 0, false},
	{"wrong-protocolVersion.query", XML, "invalid_protocol_version", NULL, 0, false},
	{"malformed-protocolVersion.query", XML, "invalid_protocol_version", NULL, 0, false},
	{"missing-protocolVersion.query", XML, "missing_header_field", NULL, 0, false},
	{"missingobjecttype.query", XML, "invalid_xml", NULL, 0, false},
	{"attachm-error.query", RELATED, "invalid_content_type", NULL, 0, false},
	{"attachm-error.query", "multipart/related", "invalid_content_type", NULL, 0, false},
	{"attachm-no-soap.query", RELATED, "invalid_content_type", NULL, 0, false},
	{"attachm-faulty-soap.query", RELATED, "missing_header_field", NULL, 0, false},
	/* X-Road says invalid_message here for an answer: there is no message in it */
	{"faulty-multipart.query", RELATED, "missing_soap", NULL, 0, false},
};
/* clang-format on */

static bool read_all(const struct vector *v, const char *p, size_t n, size_t step,
		     struct slt_message **m, struct slt_soap **soap, struct slt_err *err)
{
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	SLT_AUTO(slt_soapmime_free) struct slt_soapmime *s = NULL;

	if (!slt_soapmime_new(v->content_type, SLT_SHA512, &limits, &s, err)) {
		return false;
	}
	for (size_t at = 0; at < n; at += step) {
		if (!slt_soapmime_feed(s, p + at, n - at < step ? n - at : step, err)) {
			return false;
		}
	}
	return slt_soapmime_finish(s, m, soap, err);
}

static void run(void **state)
{
	const struct vector *v = *state;
	static const size_t steps[] = {1 << 20, 1, 13};
	size_t n = 0;
	SLT_AUTO_STR char *p = load_vector("queries", v->name, &n);

	for (size_t i = 0; i < SLT_COUNT(steps); i++) {
		SLT_AUTO(slt_message_free) struct slt_message *m = NULL;
		SLT_AUTO(slt_soap_free) struct slt_soap *s = NULL;
		struct slt_err err = SLT_ERR_INIT;
		bool good = read_all(v, p, n, steps[i], &m, &s, &err);
		expect_outcome(good, &err, v->want);
		if (!good) {
			continue;
		}
		assert_int_equal(s->is_fault, v->fault);
		assert_int_equal(m->n_attachments, v->n_attachments);
		assert_non_null(memmem(p, n, m->head.p, m->head.n));
		if (v->fault) {
			assert_string_equal(s->fault.code, v->service);
		} else if (v->service) {
			assert_string_equal(slt_id_text(&s->header.service, s->arena), v->service);
		}
	}
}

int main(void)
{
	return run_cases(vectors, sizeof(vectors[0]), SLT_COUNT(vectors), run);
}
