/* SPDX-License-Identifier: MIT */
#pragma once

/* UTF-8, strictly: no overlong forms, no surrogates, nothing above U+10FFFF. */

#include "base/buf.h"

/* Decodes one character of a NUL-terminated string: its length, or 0 when the bytes are not one. */
SLT_UNUSED static inline size_t slt_utf8_next(const char *s, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s;
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
	uint32_t c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
		c = c << 6 | (p[i] & 0x3f);
	}
	if (n == 0 || p[0] > 0xf4 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
		return 0;
	}
	*ret = c;
	return n;
}

/* May the character stand in an XML 1.0 document? */
SLT_UNUSED static inline bool slt_utf8_is_xml(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0xfffe && c != 0xffff);
}
