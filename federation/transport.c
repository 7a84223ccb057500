/* SPDX-License-Identifier: MIT */
#include "federation/transport.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "federation/hashchain.h"
#include "federation/part.h"

/* Which part may come next. Each may be left out up to the head and from there to the signature. */
enum position {
	AT_OCSP, /* or the head */
	AT_BODY, /* attachments, REST body, or what comes after */
	AT_CHAIN_RESULT,
	AT_CHAIN, /* must come: a result without its chain proves nothing */
	AT_SIGNATURE,
	AT_END,
};

/* What the bytes of the part being read are. */
enum part {
	P_NONE,
	P_OCSP,
	P_SOAP,
	P_REST,
	P_REST_BODY,
	P_ATTACHMENTS,
	P_CHAIN_RESULT,
	P_CHAIN,
	P_SIGNATURE,
	P_FAULT
};

struct slt_transport_reader {
	struct slt_transport_limits limits;
	bool response;
	bool bare; /* text/xml: everything is one SOAP Fault */
	bool expects;
	enum slt_message_kind expected;
	bool begun; /* a part was seen */
	struct slt_multipart *outer, *inner;
	enum position next;
	enum part part;
	struct slt_buf buf; /* of a part that stays in memory */
	struct slt_part_reader attachment;
	struct slt_message *message;
	bool has_head;
	struct slt_soap *soap;
	struct slt_bytes fault;
	bool failed; /* or finished: nothing more comes out of it */
};

static struct slt_bytes take_bytes(struct slt_buf *b)
{
	struct slt_bytes r;

	if (!b->p) {
		slt_buf_add(b, "", 0);
	}
	r.p = slt_buf_take(b, &r.n);
	return r;
}

/* --- attachments --- */

static bool inner_part(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err)
{
	struct slt_transport_reader *r = arg;
	SLT_AUTO_STR char *type = NULL;
	SLT_AUTO_STR char *others = NULL;

	slt_part_headers(h, n, &type, &others);
	return slt_part_begin(&r->attachment, r->message, &r->limits, type, others, err);
}

static bool inner_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct slt_transport_reader *r = arg;

	return slt_part_data(&r->attachment, p, n, err);
}

static bool inner_end(void *arg, struct slt_err *err)
{
	struct slt_transport_reader *r = arg;

	(void)err;
	slt_part_end(&r->attachment);
	return true;
}

static const struct slt_multipart_ops inner_ops = {inner_part, inner_data, inner_end};

/* --- parts: which is it --- */

static bool wrong_type(const char *content_type, const char *where, struct slt_err *err)
{
	return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
			"the content type \"%.80s\" does not belong %s", content_type, where);
}

static bool missing(enum slt_message_kind kind, struct slt_err *err)
{
	return slt_fail(err, kind == SLT_REST ? SLT_EMISSING_REST : SLT_EMISSING_SOAP,
			"the %s message is missing", kind == SLT_REST ? "REST" : "SOAP");
}

static bool begin_head(struct slt_transport_reader *r, const char *type, const char *others,
		       struct slt_err *err)
{
	bool rest = slt_mime_is(type, "application/x-road-rest-request") ||
		    slt_mime_is(type, "application/x-road-rest-response");
	enum slt_message_kind kind = rest ? SLT_REST : SLT_SOAP;

	if (rest && slt_mime_is(type, "application/x-road-rest-response") != r->response) {
		return wrong_type(type, r->response ? "into a response" : "into a request", err);
	}
	if (!rest && !slt_mime_is(type, "text/xml") && !slt_mime_is(type, "application/xop+xml")) {
		return wrong_type(type, "to the message itself", err);
	}
	if (r->expects && r->expected != kind) {
		return missing(r->expected, err);
	}
	r->message->kind = kind;
	r->message->content_type = slt_strdup(type);
	r->message->headers = slt_strdup(others);
	r->part = rest ? P_REST : P_SOAP;
	r->next = AT_BODY;
	return true;
}

static bool begin_after_head(struct slt_transport_reader *r, const char *type, struct slt_err *err)
{
	bool rest = r->message->kind == SLT_REST;

	if (r->next == AT_BODY && rest && slt_mime_is(type, "application/x-road-rest-body")) {
		r->part = P_REST_BODY;
		r->next = AT_CHAIN_RESULT;
		return slt_part_begin(&r->attachment, r->message, &r->limits, type, "", err);
	}
	if (r->next == AT_BODY && !rest && slt_mime_is(type, "multipart/mixed")) {
		r->inner = slt_multipart_open(type, &inner_ops, r);
		r->part = P_ATTACHMENTS;
		r->next = AT_CHAIN_RESULT;
		return r->inner || slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
					    "the multipart of attachments has no usable boundary");
	}
	if (r->next <= AT_CHAIN_RESULT && slt_mime_is(type, "application/hash-chain-result")) {
		r->part = P_CHAIN_RESULT;
		r->next = AT_CHAIN;
		return true;
	}
	if (r->next == AT_CHAIN && slt_mime_is(type, "application/hash-chain")) {
		r->part = P_CHAIN;
		r->next = AT_SIGNATURE;
		return true;
	}
	/* signing may have failed after the body was sent: a Fault stands there instead */
	bool fault = slt_mime_is(type, "text/xml");
	if (!fault && (r->next == AT_CHAIN || !slt_mime_is(type, "signature/bdoc-1.0/ts"))) {
		return wrong_type(type, "where the signature is expected", err);
	}
	r->part = fault ? P_FAULT : P_SIGNATURE;
	r->next = AT_END;
	return true;
}

static size_t part_max(const struct slt_transport_reader *r)
{
	switch (r->part) {
	case P_OCSP:
		return SLT_TRANSPORT_OCSP_MAX;
	case P_CHAIN_RESULT:
	case P_CHAIN:
		return SLT_HASHCHAIN_BYTES_MAX;
	case P_SIGNATURE:
		return SLT_TRANSPORT_SIGNATURE_MAX;
	case P_NONE:
	case P_SOAP:
	case P_REST:
	case P_REST_BODY:
	case P_ATTACHMENTS:
	case P_FAULT:
		break;
	}
	return r->limits.head;
}

static bool begin_part(struct slt_transport_reader *r, const char *type, const char *others,
		       struct slt_err *err)
{
	if (r->next == AT_END) {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"a part of type \"%.80s\" follows the signature", type);
	}
	if (r->next == AT_OCSP && !r->response && slt_mime_is(type, "application/ocsp-response")) {
		if (r->message->n_ocsp == SLT_OCSP_PARTS_MAX) {
			return slt_fail(err, SLT_ELIMIT, "there are more than %d OCSP responses",
					SLT_OCSP_PARTS_MAX);
		}
		r->part = P_OCSP;
		return true;
	}
	return r->next == AT_OCSP ? begin_head(r, type, others, err)
				  : begin_after_head(r, type, err);
}

static bool outer_part(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err)
{
	struct slt_transport_reader *r = arg;
	SLT_AUTO_STR char *type = NULL;
	SLT_AUTO_STR char *others = NULL;

	r->begun = true;
	if (r->fault.p) {
		r->part = P_NONE; /* what follows a Fault is of no interest */
		return true;
	}
	slt_part_headers(h, n, &type, &others);
	if (!begin_part(r, type, others, err)) {
		return false;
	}
	slt_buf_fini(&r->buf);
	slt_buf_init(&r->buf, part_max(r));
	return true;
}

/* --- parts: content --- */

static bool outer_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct slt_transport_reader *r = arg;

	switch (r->part) {
	case P_NONE:
		return true;
	case P_ATTACHMENTS:
		return slt_multipart_feed(r->inner, p, n, err);
	case P_REST_BODY:
		return slt_part_data(&r->attachment, p, n, err);
	case P_OCSP:
	case P_SOAP:
	case P_REST:
	case P_CHAIN_RESULT:
	case P_CHAIN:
	case P_SIGNATURE:
	case P_FAULT:
		break;
	}
	slt_buf_add(&r->buf, p, n);
	return !r->buf.failed ||
	       slt_fail(err, SLT_ELIMIT, "a part is longer than %zu bytes", r->buf.max);
}

static bool end_ocsp(struct slt_transport_reader *r, struct slt_err *err)
{
	const unsigned char *p = (const unsigned char *)slt_buf_str(&r->buf).p;
	OCSP_RESPONSE *o = d2i_OCSP_RESPONSE(NULL, &p, (long)r->buf.n);

	bool whole = o && p == (const unsigned char *)r->buf.p + r->buf.n;
	OCSP_RESPONSE_free(o);
	ERR_clear_error();
	if (!whole) {
		return slt_fail(err, SLT_EIO, "OCSP response %u cannot be read",
				r->message->n_ocsp + 1);
	}
	r->message->ocsp[r->message->n_ocsp++] = take_bytes(&r->buf);
	return true;
}

static void set_head(struct slt_transport_reader *r)
{
	struct slt_message *m = r->message;

	m->head = take_bytes(&r->buf);
	slt_digest_of(m->digest_alg, m->head.p, m->head.n, &m->digest);
	r->has_head = true;
}

static bool end_soap(struct slt_transport_reader *r, struct slt_err *err)
{
	struct slt_str s = slt_buf_str(&r->buf);

	if (!slt_soap_parse(s.p, s.n, r->message->content_type, &r->soap, err)) {
		return false;
	}
	if (r->soap->is_fault) {
		r->fault = take_bytes(&r->buf);
		return true;
	}
	set_head(r);
	return true;
}

static bool end_rest(struct slt_transport_reader *r, struct slt_err *err)
{
	if (r->buf.n == 0) {
		return missing(SLT_REST, err);
	}
	set_head(r);
	return true;
}

/* A Fault where the signature should be, or in place of everything. */
static bool end_fault(struct slt_transport_reader *r, struct slt_err *err)
{
	SLT_AUTO(slt_soap_free) struct slt_soap *s = NULL;
	struct slt_str b = slt_buf_str(&r->buf);

	if (!slt_soap_parse(b.p, b.n, NULL, &s, err)) {
		return false;
	}
	if (!s->is_fault) {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"a SOAP message stands where only a Fault is allowed");
	}
	r->fault = take_bytes(&r->buf);
	return true;
}

static bool end_attachments(struct slt_transport_reader *r, struct slt_err *err)
{
	bool good = slt_multipart_end(r->inner, err);

	slt_multipart_free(SLT_TAKE(r->inner));
	return good ? true : slt_wrap(err, "attachments");
}

static bool outer_end(void *arg, struct slt_err *err)
{
	struct slt_transport_reader *r = arg;
	enum part part = r->part;

	r->part = P_NONE;
	switch (part) {
	case P_NONE:
		break;
	case P_OCSP:
		return end_ocsp(r, err);
	case P_SOAP:
		return end_soap(r, err);
	case P_REST:
		return end_rest(r, err);
	case P_REST_BODY:
		slt_part_end(&r->attachment);
		break;
	case P_ATTACHMENTS:
		return end_attachments(r, err);
	case P_CHAIN_RESULT:
		r->message->hash_chain_result = take_bytes(&r->buf);
		break;
	case P_CHAIN:
		r->message->hash_chain = take_bytes(&r->buf);
		break;
	case P_SIGNATURE:
		r->message->signature = take_bytes(&r->buf);
		break;
	case P_FAULT:
		return end_fault(r, err);
	}
	return true;
}

static const struct slt_multipart_ops outer_ops = {outer_part, outer_data, outer_end};

/* --- the reader --- */

/* Everything but a missing message or signature is a failure to decode, and says so. */
static bool decode_failed(struct slt_err *err)
{
	if (err->code != SLT_EMISSING_SOAP && err->code != SLT_EMISSING_REST &&
	    err->code != SLT_EMISSING_SIGNATURE) {
		slt_prefix(err, SLT_SERVICE_FAILED);
	}
	return false;
}

bool slt_transport_reader_new(const char *content_type, enum slt_digest_alg digest_alg,
			      bool response, const struct slt_transport_limits *limits,
			      struct slt_transport_reader **ret, struct slt_err *err)
{
	SLT_AUTO(slt_transport_reader_free)
	struct slt_transport_reader *r = slt_calloc(1, sizeof(*r));

	content_type = content_type ? content_type : "";
	r->limits = *limits;
	r->response = response;
	r->bare = response && slt_mime_is(content_type, "text/xml");
	r->part = r->bare ? P_FAULT : P_NONE;
	slt_buf_init(&r->buf, limits->head);
	r->message = slt_message_new(SLT_SOAP);
	r->message->digest_alg = digest_alg;
	if (!r->bare && !slt_mime_is(content_type, "multipart/mixed")) {
		wrong_type(content_type, "to a message between security servers", err);
		return decode_failed(err);
	}
	if (!r->bare && digest_alg == SLT_DIGEST_NONE) {
		slt_fail(err, SLT_EINVALID_MESSAGE,
			 "the header x-hash-algorithm is missing or names an unknown algorithm");
		return decode_failed(err);
	}
	if (!r->bare) {
		r->outer = slt_multipart_open(content_type, &outer_ops, r);
	}
	if (!r->bare && !r->outer) {
		slt_fail(err, SLT_EINVALID_CONTENT_TYPE, "multipart/mixed has no usable boundary");
		return decode_failed(err);
	}
	*ret = SLT_TAKE(r);
	return true;
}

void slt_transport_reader_free(struct slt_transport_reader *r)
{
	if (!r) {
		return;
	}
	slt_multipart_free(r->outer);
	slt_multipart_free(r->inner);
	slt_buf_fini(&r->buf);
	slt_part_fini(&r->attachment);
	slt_message_free(r->message);
	slt_soap_free(r->soap);
	free(r->fault.p);
	free(r);
}

void slt_transport_expect(struct slt_transport_reader *r, enum slt_message_kind kind)
{
	r->expects = true;
	r->expected = kind;
}

bool slt_transport_feed(struct slt_transport_reader *r, const char *p, size_t n,
			struct slt_err *err)
{
	struct slt_err e = SLT_ERR_INIT;

	if (r->fault.p) {
		return true;
	}
	bool good = r->bare ? outer_data(r, p, n, &e) : slt_multipart_feed(r->outer, p, n, &e);
	if (!good && !r->fault.p) {
		r->failed = true;
		*err = e;
		return decode_failed(err);
	}
	return true;
}

const struct slt_message *slt_transport_peek(const struct slt_transport_reader *r)
{
	return r->has_head ? r->message : NULL;
}

struct slt_soap *slt_transport_take_soap(struct slt_transport_reader *r)
{
	return r->has_head ? SLT_TAKE(r->soap) : NULL;
}

bool slt_transport_finish(struct slt_transport_reader *r, struct slt_message **ret_message,
			  struct slt_bytes *ret_fault, struct slt_err *err)
{
	struct slt_err e = SLT_ERR_INIT;
	bool good = !r->failed;

	if (r->failed) {
		slt_fail(&e, SLT_EINVALID_MESSAGE, "the message could not be read");
	} else if (r->bare) {
		good = outer_end(r, &e);
	} else if (!r->fault.p) {
		good = slt_multipart_end(r->outer, &e) || r->fault.p;
	}
	if (!good && !r->failed && !r->bare && !r->begun) {
		/* without a first part there is no message, whatever else is wrong */
		r->failed = true;
		return missing(r->expects ? r->expected : SLT_SOAP, err);
	}
	if (!good) {
		r->failed = true;
		*err = e;
		return decode_failed(err);
	}
	if (r->fault.p) {
		*ret_fault = r->fault;
		r->fault = (struct slt_bytes){NULL, 0};
		r->failed = true; /* once */
		return true;
	}
	if (!r->has_head) {
		return missing(r->expects ? r->expected : SLT_SOAP, err);
	}
	if (!r->message->signature.p) {
		return slt_fail(err, SLT_EMISSING_SIGNATURE, "the message has no signature");
	}
	*ret_message = SLT_TAKE(r->message);
	r->has_head = false;
	r->failed = true;
	return true;
}
