/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A SOAP message as information systems exchange it with their security server (message protocol
 * 4.0; xroad-wire 5.1): bare text/xml, or multipart/related of which the first part is the
 * envelope and every other an attachment. Reading streams: attachments go to spools while their
 * digests are computed. A multipart within an attachment stays the bytes it is.
 */

#include "federation/transport.h"

struct slt_soapmime;

/* SLT_EINVALID_CONTENT_TYPE when content_type is neither of the two, or has no usable boundary. */
SLT_CHECK bool slt_soapmime_new(const char *content_type, enum slt_digest_alg digest_alg,
				const struct slt_transport_limits *limits,
				struct slt_soapmime **ret, struct slt_err *err);
void slt_soapmime_free(struct slt_soapmime *s);
SLT_DEFINE_AUTO(struct slt_soapmime *, slt_soapmime_free)
/* SLT_EMISSING_SOAP when there is no multipart where one was announced; the codes of
 * slt_soap_parse(); SLT_EMIME_PARSING_FAILED; SLT_ELIMIT. */
SLT_CHECK bool slt_soapmime_feed(struct slt_soapmime *s, const char *p, size_t n,
				 struct slt_err *err);
/* The end of input. *ret_message has head, attachments and digests, but no signature; *ret_soap is
 * the envelope as parsed: a Fault is a message, too. What follows a Fault is not read. */
SLT_CHECK bool slt_soapmime_finish(struct slt_soapmime *s, struct slt_message **ret_message,
				   struct slt_soap **ret_soap, struct slt_err *err);
