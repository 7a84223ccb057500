/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * As much of MIME as a signed configuration directory needs: header fields, and the parts of a
 * multipart body as exact ranges of the input, because the signature covers raw bytes. Lines end
 * with CRLF or LF; a preamble, an epilogue and a missing closing delimiter are tolerated, as
 * X-Road's own parser does. Stricter than it: a header line without a colon and a field that
 * stands twice are refused.
 */

#include "base/arena.h"

#define SLT_GCMIME_HEADERS_MAX	32
#define SLT_GCMIME_VALUE_MAX	8192 /* bytes of a folded header field */
#define SLT_GCMIME_BOUNDARY_MAX 200  /* RFC 2046 says 70 */

struct slt_gcmime_entity {
	struct {
		const char *name;  /* lower case */
		const char *value; /* unfolded, trimmed */
	} header[SLT_GCMIME_HEADERS_MAX];
	size_t n_header;
	struct slt_str body;
};

/* Splits an entity into header fields and body. Strings go to the arena. SLT_EGC_PARSE. */
SLT_CHECK bool slt_gcmime_parse(struct slt_str in, struct slt_arena *a,
				struct slt_gcmime_entity *ret, struct slt_err *err);
/* A field's value by its name in lower case; NULL when absent. */
const char *slt_gcmime_header(const struct slt_gcmime_entity *e, const char *name);

/* "value; name=x; name=\"y\"": what stands before the first ';', and a parameter without its
 * quotes (NULL when absent). */
const char *slt_gcmime_value(const char *field, struct slt_arena *a);
const char *slt_gcmime_param(const char *field, const char *name, struct slt_arena *a);

/* The parts of a multipart body: from behind one delimiter line to the line break before the next.
 * SLT_EGC_PARSE when there are more than max. */
SLT_CHECK bool slt_gcmime_split(struct slt_str body, const char *boundary, size_t max,
				struct slt_str *ret_parts, size_t *ret_n, struct slt_err *err);
