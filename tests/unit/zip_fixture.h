/* SPDX-License-Identifier: MIT */
#pragma once

/* ZIP files written byte by byte, so that they can lie. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* initialisers of a struct slt_str */
#define X                                                                                          \
	{                                                                                          \
		"x", 1                                                                             \
	}
#define MIME                                                                                       \
	{                                                                                          \
		SLT_ASIC_MIME_TYPE, sizeof(SLT_ASIC_MIME_TYPE) - 1                                 \
	}

struct zip_entry {
	const char *name;
	struct slt_str data;
	const char *local_name; /* in the header before the data; NULL: the same */
	uint16_t flags, method;
	uint32_t claimed_size; /* 0: the true one */
	bool bad_crc;
	uint16_t unix_mode; /* 0: not said */
};

static void le(struct slt_buf *b, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		slt_buf_addc(b, (char)(unsigned char)(v >> (8 * i)));
	}
}

static uint32_t crc32_of(struct slt_str s)
{
	uint32_t c = 0xffffffff;

	for (size_t i = 0; i < s.n; i++) {
		c ^= (unsigned char)s.p[i];
		for (int k = 0; k < 8; k++) {
			c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
		}
	}
	return ~c;
}

static void zip_common(struct slt_buf *b, const struct zip_entry *e, const char *name)
{
	le(b, 20, 2);
	le(b, e->flags, 2);
	le(b, e->method, 2);
	le(b, 0x00210000, 4); /* 1980-01-01 */
	le(b, crc32_of(e->data) ^ e->bad_crc, 4);
	le(b, (uint32_t)e->data.n, 4);
	le(b, e->claimed_size != 0 ? e->claimed_size : (uint32_t)e->data.n, 4);
	le(b, (uint32_t)strlen(name), 2);
	le(b, 0, 2);
}

SLT_UNUSED static void zip_build(const struct zip_entry *e, size_t n, struct slt_buf *out)
{
	SLT_AUTO_BUF(directory, 64u << 20);

	for (size_t i = 0; i < n; i++) {
		const char *local = e[i].local_name != NULL ? e[i].local_name : e[i].name;
		uint32_t offset = (uint32_t)out->n;

		le(out, 0x04034b50, 4);
		zip_common(out, &e[i], local);
		slt_buf_adds(out, local);
		slt_buf_add(out, e[i].data.p, e[i].data.n);
		le(&directory, 0x02014b50, 4);
		le(&directory, e[i].unix_mode ? 0x0314 : 20, 2);
		zip_common(&directory, &e[i], e[i].name);
		le(&directory, 0, 2); /* comment */
		le(&directory, 0, 4); /* disk, attributes */
		le(&directory, (uint32_t)e[i].unix_mode << 16, 4);
		le(&directory, offset, 4);
		slt_buf_adds(&directory, e[i].name);
	}

	uint32_t start = (uint32_t)out->n;

	slt_buf_add(out, directory.p, directory.n);
	le(out, 0x06054b50, 4);
	le(out, 0, 4);
	le(out, (uint32_t)n, 2);
	le(out, (uint32_t)n, 2);
	le(out, (uint32_t)directory.n, 4);
	le(out, start, 4);
	le(out, 0, 2);
}
