/* SPDX-License-Identifier: MIT */
#include "federation/soapmime.h"

#include <stdlib.h>
#include <string.h>

#include "federation/multipart.h"
#include "federation/part.h"

struct slt_soapmime {
	struct slt_transport_limits limits;
	struct slt_multipart *parts; /* NULL: bare */
	bool begun;		     /* a first part was there */
	struct slt_buf buf;	     /* the envelope */
	struct slt_part_reader attachment;
	struct slt_message *message;
	struct slt_soap *soap;
	bool failed; /* or finished */
};

static bool has_fault(const struct slt_soapmime *s)
{
	return s->soap && s->soap->is_fault;
}

static bool end_head(struct slt_soapmime *s, struct slt_err *err)
{
	struct slt_message *m = s->message;
	struct slt_str b = slt_buf_str(&s->buf);

	if (!slt_soap_parse(b.p, b.n, m->content_type, &s->soap, err)) {
		return false;
	}
	slt_message_set_head(m, b.p, b.n);
	slt_buf_fini(&s->buf);
	return true;
}

static bool on_part(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err)
{
	struct slt_soapmime *s = arg;
	SLT_AUTO_STR char *type = NULL;
	SLT_AUTO_STR char *others = NULL;

	if (has_fault(s)) {
		return slt_fail(err, SLT_EINVALID_MESSAGE, "a part follows the Fault");
	}
	slt_part_headers(h, n, &type, &others);
	bool first = !s->begun;
	s->begun = true;
	if (!*type) {
		return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
				"a part of the multipart message has no Content-Type");
	}
	if (!first) {
		return slt_part_begin(&s->attachment, s->message, &s->limits, type, others, err);
	}
	s->message->content_type = SLT_TAKE(type);
	s->message->headers = SLT_TAKE(others);
	return slt_soap_check_type(s->message->content_type, err);
}

static bool on_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct slt_soapmime *s = arg;

	if (s->soap) {
		return slt_part_data(&s->attachment, p, n, err);
	}
	slt_buf_add(&s->buf, p, n);
	return !s->buf.failed ||
	       slt_fail(err, SLT_ELIMIT, "the SOAP message is longer than %zu bytes", s->buf.max);
}

static bool on_end(void *arg, struct slt_err *err)
{
	struct slt_soapmime *s = arg;

	if (s->soap) {
		slt_part_end(&s->attachment);
		return true;
	}
	return end_head(s, err);
}

static const struct slt_multipart_ops ops = {on_part, on_data, on_end};

bool slt_soapmime_new(const char *content_type, enum slt_digest_alg digest_alg,
		      const struct slt_transport_limits *limits, struct slt_soapmime **ret,
		      struct slt_err *err)
{
	SLT_AUTO(slt_soapmime_free) struct slt_soapmime *s = slt_calloc(1, sizeof(*s));
	bool bare = slt_mime_is(content_type, "text/xml");

	s->limits = *limits;
	slt_buf_init(&s->buf, limits->head);
	s->message = slt_message_new(SLT_SOAP);
	s->message->digest_alg = digest_alg;
	if (bare) {
		s->message->content_type = slt_strdup(content_type);
		s->message->headers = slt_strdup("");
	} else if (!slt_mime_is(content_type, "multipart/related")) {
		return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
				"the content type \"%.80s\" is neither text/xml nor "
				"multipart/related",
				content_type ? content_type : "");
	} else if (!(s->parts = slt_multipart_open(content_type, &ops, s))) {
		return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
				"multipart/related has no usable boundary");
	}
	*ret = SLT_TAKE(s);
	return true;
}

void slt_soapmime_free(struct slt_soapmime *s)
{
	if (s) {
		slt_multipart_free(s->parts);
		slt_buf_fini(&s->buf);
		slt_part_fini(&s->attachment);
		slt_message_free(s->message);
		slt_soap_free(s->soap);
		free(s);
	}
}

/* Without a first part there is no message, whatever else is wrong. */
static bool fail_with(struct slt_soapmime *s, const struct slt_err *e, struct slt_err *err)
{
	s->failed = true;
	if (s->parts && !s->begun) {
		return slt_fail(err, SLT_EMISSING_SOAP, "the SOAP message is missing: %s", e->msg);
	}
	*err = *e;
	return false;
}

bool slt_soapmime_feed(struct slt_soapmime *s, const char *p, size_t n, struct slt_err *err)
{
	struct slt_err e = SLT_ERR_INIT;

	if (has_fault(s)) {
		return true;
	}
	bool good = s->parts ? slt_multipart_feed(s->parts, p, n, &e) : on_data(s, p, n, &e);
	return good || has_fault(s) || fail_with(s, &e, err);
}

bool slt_soapmime_finish(struct slt_soapmime *s, struct slt_message **ret_message,
			 struct slt_soap **ret_soap, struct slt_err *err)
{
	struct slt_err e = SLT_ERR_INIT;

	if (s->failed) {
		return slt_fail(err, SLT_EINVALID_MESSAGE, "the message could not be read");
	}
	if (!has_fault(s)) {
		bool good = s->parts ? slt_multipart_end(s->parts, &e) : end_head(s, &e);
		if (!good && !has_fault(s)) {
			return fail_with(s, &e, err);
		}
	}
	if (!s->soap) {
		return slt_fail(err, SLT_EMISSING_SOAP, "the multipart message is empty");
	}
	s->failed = true;
	*ret_message = SLT_TAKE(s->message);
	*ret_soap = SLT_TAKE(s->soap);
	return true;
}
