/* SPDX-License-Identifier: MIT */
#pragma once

/* What the writers of multipart messages share: a pull stream over part headers, bytes of the
 * message and spools. Borrows the message. Internal to the writers. */

#include "federation/message.h"

#define SLT_PART_BOUNDARY_LEN (4 + 30)

struct slt_part_segment;
struct slt_part_writer {
	struct slt_buf glue; /* delimiters and part headers, one after the other */
	struct slt_part_segment *segments;
	size_t n_segments, room;
	size_t at;	 /* segment being read */
	uint64_t offset; /* within it */
};

/* Four characters that say whose it is, and letters that nobody can foresee: no content has them.
 */
void slt_part_boundary(const char *prefix, char ret[SLT_PART_BOUNDARY_LEN + 1]);

void slt_part_writer_init(struct slt_part_writer *w);
void slt_part_writer_fini(struct slt_part_writer *w);
/* The delimiter and a part's headers; content_type "" and headers NULL for none. The line break
 * before the delimiter is left out where the stream begins. */
void slt_part_write_head(struct slt_part_writer *w, const char *boundary, const char *content_type,
			 const char *headers);
void slt_part_write_bytes(struct slt_part_writer *w, const struct slt_bytes *b);
void slt_part_write_spool(struct slt_part_writer *w, const struct slt_spool *s);
/* The attachments of a message, a part each. */
void slt_part_write_attachments(struct slt_part_writer *w, const char *boundary,
				const struct slt_message *m);
/* The closing delimiter. */
void slt_part_write_end(struct slt_part_writer *w, const char *boundary);
/* Fills up to n bytes; *ret_n is 0 at the end. */
SLT_CHECK bool slt_part_writer_read(struct slt_part_writer *w, char *p, size_t n, size_t *ret_n,
				    struct slt_err *err);
/* Starts again from the first byte. */
void slt_part_writer_rewind(struct slt_part_writer *w);
