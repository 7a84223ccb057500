/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A SOAP message as it goes to an information system or a security server's client end (message
 * protocol 4.0; xroad-wire 5.1): bare text/xml without attachments, else multipart/related with
 * the envelope first; an application/xop+xml envelope is always the root of a multipart. A pull
 * stream; borrows the message. What soapmime.h reads back is the same message, byte for byte in
 * envelope and attachments, with their MIME headers (those of a bare envelope are gone: it has no
 * place for them).
 */

#include "federation/message.h"

struct slt_soapmime_writer;
struct slt_soapmime_writer *slt_soapmime_writer_new(const struct slt_message *m);
void slt_soapmime_writer_free(struct slt_soapmime_writer *w);
SLT_DEFINE_AUTO(struct slt_soapmime_writer *, slt_soapmime_writer_free)
/* The Content-Type of the whole, with type, start and start-info where the envelope is
 * application/xop+xml (RFC 2387, XOP); borrowed. */
const char *slt_soapmime_content_type(const struct slt_soapmime_writer *w);
/* Fills up to n bytes; *ret_n is 0 at the end. */
SLT_CHECK bool slt_soapmime_read(struct slt_soapmime_writer *w, char *p, size_t n, size_t *ret_n,
				 struct slt_err *err);
