/* SPDX-License-Identifier: MIT */
#pragma once

/* Characters and names of HTTP that the readers and makers of REST heads share. Internal to them.
 */

#include <string.h>

#include "base/buf.h"

SLT_UNUSED static inline bool slt_restchar_is_alnum(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* May stand in a path segment as it is (RFC 3986 pchar without '%'). */
SLT_UNUSED static inline bool slt_restchar_is_segment(char c)
{
	return slt_restchar_is_alnum(c) || (c && strchr("-._~!$'()*,;&=@:+", c));
}

/* May stand in a header's name (RFC 9110 tchar). */
SLT_UNUSED static inline bool slt_restchar_is_token(char c)
{
	return slt_restchar_is_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

SLT_UNUSED static inline int slt_restchar_hex(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decodes into ret, which has room for in.n bytes; false at a % without two digits. */
SLT_UNUSED static inline bool slt_restchar_decode(struct slt_str in, char *ret, size_t *ret_n)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] != '%') {
			ret[n++] = in.p[i];
			continue;
		}
		int hi = i + 2 < in.n ? slt_restchar_hex(in.p[i + 1]) : -1;
		int lo = i + 2 < in.n ? slt_restchar_hex(in.p[i + 2]) : -1;
		if (hi < 0 || lo < 0) {
			return false;
		}
		ret[n++] = (char)(hi * 16 + lo);
		i += 2;
	}
	*ret_n = n;
	return true;
}

/* Headers of one connection, which X-Road neither sends nor takes. */
SLT_UNUSED static inline bool slt_restchar_is_hop(const char *name)
{
	static const char *const names[] = {"transfer-encoding",
					    "keep-alive",
					    "proxy-authenticate",
					    "proxy-authorization",
					    "te",
					    "trailer",
					    "upgrade",
					    "connection",
					    "user-agent",
					    "host",
					    "content-length",
					    "server",
					    "expect"};

	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		if (slt_strcase_eq(names[i], name)) {
			return true;
		}
	}
	return false;
}
