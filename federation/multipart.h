/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * MIME multipart (RFC 2046), streaming, without I/O: bytes are pushed in as they arrive and come
 * out through callbacks, raw. CRLF and bare LF line ends are accepted; the line break before a
 * delimiter belongs to the delimiter. Folded part headers are unfolded. Control characters in
 * headers, lines that are no header, two Content-Types in a part, anything but white space before
 * the first delimiter and whatever is over a cap are refused. A missing closing delimiter is an
 * error; what follows it is ignored up to a cap.
 */

#include "base/buf.h"

#define SLT_MIME_HEADERS_MAX  16384 /* bytes of one part's header */
#define SLT_MIME_BOUNDARY_MAX 200   /* RFC 2046 says 70; X-Road's decoders take more */
#define SLT_MIME_PARTS_MAX    128
#define SLT_MIME_FIELDS_MAX   64   /* headers of one part */
#define SLT_MIME_MARGIN_MAX   4096 /* bytes before the first and after the last delimiter */

struct slt_mime_header { /* one header of a part; borrowed for the callback */
	struct slt_str name, value;
};

struct slt_multipart_ops {
	/* A part begins: its headers, in order. */
	bool (*part)(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err);
	bool (*data)(void *arg, const char *p, size_t n, struct slt_err *err);
	bool (*part_end)(void *arg, struct slt_err *err);
};

struct slt_multipart;
/* NULL when the boundary is empty, too long or has characters that cannot be in one. ops is
 * borrowed. */
struct slt_multipart *slt_multipart_new(struct slt_str boundary,
					const struct slt_multipart_ops *ops, void *arg);
/* The same with the boundary of a Content-Type. */
struct slt_multipart *slt_multipart_open(const char *content_type,
					 const struct slt_multipart_ops *ops, void *arg);
void slt_multipart_free(struct slt_multipart *m);
SLT_DEFINE_AUTO(struct slt_multipart *, slt_multipart_free)
/* SLT_EMIME_PARSING_FAILED, or what a callback failed with. */
SLT_CHECK bool slt_multipart_feed(struct slt_multipart *m, const char *p, size_t n,
				  struct slt_err *err);
/* The end of input: fails unless the closing delimiter was seen. */
SLT_CHECK bool slt_multipart_end(struct slt_multipart *m, struct slt_err *err);

/* "type/subtype" of a Content-Type value, trimmed; empty when there is none. */
struct slt_str slt_mime_type(struct slt_str content_type);
/* Is that the type, in any case of letters? NULL is no type. */
bool slt_mime_is(const char *content_type, const char *type);
/* A parameter of a header value, unquoted (either quote character); false when it is absent or
 * stands there twice. */
bool slt_mime_param(struct slt_str value, const char *name, struct slt_str *ret);
