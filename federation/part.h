/* SPDX-License-Identifier: MIT */
#pragma once

/* What the readers of multipart messages share: the headers of a part, and an attachment that goes
 * to a spool while its digest is computed. Internal to the readers. */

#include "federation/multipart.h"
#include "federation/transport.h"

/* Splits a part's headers into Content-Type ("" when there is none) and the others, a line each
 * with CRLF, for writing them again as they are; both malloc'ed. */
void slt_part_headers(const struct slt_mime_header *h, size_t n, char **ret_type,
		      char **ret_others);

struct slt_part_reader {
	struct slt_attachment *attachment; /* being read; of the message */
	struct slt_hasher *hasher;
	uint64_t total, max; /* bytes of all attachments */
};

SLT_CHECK bool slt_part_begin(struct slt_part_reader *r, struct slt_message *m,
			      const struct slt_transport_limits *limits, const char *content_type,
			      const char *headers, struct slt_err *err);
SLT_CHECK bool slt_part_data(struct slt_part_reader *r, const char *p, size_t n,
			     struct slt_err *err);
void slt_part_end(struct slt_part_reader *r);
void slt_part_fini(struct slt_part_reader *r);
