/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Views and capped buffers.
 *
 * A buffer is given its maximum at slt_buf_init(); going over it sets a sticky failure, further
 * additions do nothing, and slt_buf_check() at the end reports it: no need to test each addition.
 */

#include "base/error.h"

struct slt_str {
	const char *p; /* not terminated */
	size_t n;
};

#define SLT_STR_C(s) ((struct slt_str){(s), sizeof(s) - 1})
struct slt_str slt_str(const char *s); /* NULL gives an empty view */
bool slt_str_eq(struct slt_str a, const char *s);
bool slt_str_starts(struct slt_str a, const char *prefix);
struct slt_str slt_str_trim(struct slt_str a); /* blanks, tabs, CR, LF at both ends */
/* ASCII case-insensitive, independent of the locale. */
bool slt_strcase_eq(const char *a, const char *b);

struct slt_buf {
	char *p; /* terminated by a NUL that n does not count; NULL while empty */
	size_t n, cap, max;
	bool failed;
};

#define SLT_BUF_INIT(max_)                                                                         \
	{                                                                                          \
		.p = NULL, .n = 0, .cap = 0, .max = (max_), .failed = false                        \
	}

void slt_buf_init(struct slt_buf *b, size_t max);
void slt_buf_fini(struct slt_buf *b);  /* frees; the buffer is empty and usable afterwards */
void slt_buf_reset(struct slt_buf *b); /* n = 0, failure cleared, memory kept */
SLT_UNUSED static inline void slt_buf_fini_auto(struct slt_buf *b)
{
	slt_buf_fini(b);
}
/* `SLT_AUTO_BUF(b, max);` declares a buffer that is freed at the end of its scope. */
#define SLT_AUTO_BUF(name, max_)                                                                   \
	__attribute__((cleanup(slt_buf_fini_auto))) struct slt_buf name = SLT_BUF_INIT(max_)

void slt_buf_add(struct slt_buf *b, const void *p, size_t n);
void slt_buf_adds(struct slt_buf *b, const char *s);
void slt_buf_addc(struct slt_buf *b, char c);
void slt_buf_addf(struct slt_buf *b, const char *fmt, ...) SLT_PRINTF(2, 3);
void slt_buf_add_xml(struct slt_buf *b, const char *s);	 /* escapes & < > " for text or attribute */
void slt_buf_add_json(struct slt_buf *b, const char *s); /* a JSON string with its quotes */
void slt_buf_add_base64(struct slt_buf *b, const void *p, size_t n); /* unwrapped */
void slt_buf_add_hex(struct slt_buf *b, const void *p, size_t n);    /* lower case */
/* Room for n more bytes at b->p + b->n; NULL (and failed) beyond max. The caller adds to b->n. */
char *slt_buf_room(struct slt_buf *b, size_t n);
SLT_CHECK bool slt_buf_check(const struct slt_buf *b, const char *what, struct slt_err *err);
/* The bytes so far, "" when empty; borrowed until the next change. */
struct slt_str slt_buf_str(const struct slt_buf *b);
/* Hands the malloc'ed, NUL-terminated memory to the caller; the buffer is empty afterwards. */
char *slt_buf_take(struct slt_buf *b, size_t *ret_n);

/* Decodes base64, skipping white space; refuses anything else that is not base64 (SLT_EINVAL). */
SLT_CHECK bool slt_base64_decode(struct slt_str in, struct slt_buf *out, struct slt_err *err);
SLT_CHECK bool slt_hex_decode(struct slt_str in, struct slt_buf *out, struct slt_err *err);
