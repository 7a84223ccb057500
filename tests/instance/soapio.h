/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * SOAP over HTTP between an information system and its security server (message protocol 4.0):
 * text/xml, or multipart/related with the envelope first and attachments after it.
 */

#include "federation/message.h"
#include "federation/soap.h"

#define SLT_SOAPIO_MAX (64u << 20) /* a body with everything in it */

/* The whole body at once; *ret_soap is the envelope as parsed, which may be a Fault. */
SLT_CHECK bool slt_soapio_read(const char *content_type, struct slt_str body,
			       struct slt_message **ret, struct slt_soap **ret_soap,
			       struct slt_err *err);
/* The body and its content type (malloc'ed) for a message. */
SLT_CHECK bool slt_soapio_write(const struct slt_message *m, struct slt_buf *out,
				char **ret_content_type, struct slt_err *err);
/* A copy of an attachment's bytes. */
SLT_CHECK bool slt_soapio_attachment(const struct slt_attachment *a, struct slt_buf *out,
				     struct slt_err *err);
/* The attachment that "cid:X" names, by Content-ID; NULL when there is none. */
const struct slt_attachment *slt_soapio_by_cid(const struct slt_message *m, const char *href);
