/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * SOAP over HTTP between an information system and its security server (message protocol 4.0):
 * text/xml, or multipart/related with the envelope first and attachments after it.
 */

#include "federation/message.h"
#include "federation/soapmime.h"
#include "bridge/server.h"

#define SLT_SOAPIO_HEAD_MAX (64u << 20)	 /* the envelope */
#define SLT_SOAPIO_BODY_MAX (8ull << 30) /* all attachments */

extern const struct slt_transport_limits slt_soapio_limits;

/* The whole body at once; *ret_soap is the envelope as parsed, which may be a Fault. */
SLT_CHECK bool slt_soapio_read(const char *content_type, struct slt_str body,
			       struct slt_message **ret, struct slt_soap **ret_soap,
			       struct slt_err *err);
/* A pull stream over a message's body, which it borrows. */
struct slt_soapio_writer;
struct slt_soapio_writer *slt_soapio_writer_new(const struct slt_message *m);
void slt_soapio_writer_free(struct slt_soapio_writer *w);
SLT_DEFINE_AUTO(struct slt_soapio_writer *, slt_soapio_writer_free)
const char *slt_soapio_type(const struct slt_soapio_writer *w); /* borrowed */
/* Fills up to n bytes; *ret_n is 0 at the end. */
SLT_CHECK bool slt_soapio_pull(struct slt_soapio_writer *w, char *p, size_t n, size_t *ret_n,
			       struct slt_err *err);
/* Answers a request with a message, which it takes. */
void slt_soapio_respond(struct slt_request *r, struct slt_message *take_m);
/* A copy of an attachment's bytes. */
SLT_CHECK bool slt_soapio_attachment(const struct slt_attachment *a, struct slt_buf *out,
				     struct slt_err *err);
/* Its Content-ID without brackets; empty when there is none. */
struct slt_str slt_soapio_cid(const struct slt_attachment *a);
/* The attachment that "cid:X" names, by Content-ID; NULL when there is none. */
const struct slt_attachment *slt_soapio_by_cid(const struct slt_message *m, const char *href);
