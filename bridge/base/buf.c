/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slt_str slt_str(const char *s)
{
	return (struct slt_str){s, s ? strlen(s) : 0};
}

bool slt_str_eq(struct slt_str a, const char *s)
{
	size_t n = strlen(s);

	return a.n == n && (n == 0 || memcmp(a.p, s, n) == 0);
}

bool slt_str_starts(struct slt_str a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.n >= n && (n == 0 || memcmp(a.p, prefix, n) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slt_str slt_str_trim(struct slt_str a)
{
	while (a.n && is_blank(a.p[0])) {
		a.p++;
		a.n--;
	}
	while (a.n && is_blank(a.p[a.n - 1])) {
		a.n--;
	}
	return a;
}

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool slt_strcase_eq(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

void slt_buf_init(struct slt_buf *b, size_t max)
{
	*b = (struct slt_buf)SLT_BUF_INIT(max);
}

void slt_buf_fini(struct slt_buf *b)
{
	free(b->p);
	slt_buf_init(b, b->max);
}

void slt_buf_reset(struct slt_buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p) {
		b->p[0] = '\0';
	}
}

char *slt_buf_room(struct slt_buf *b, size_t n)
{
	if (b->failed || n > b->max || b->n > b->max - n) {
		b->failed = true;
		return NULL;
	}
	if (b->n + n + 1 > b->cap) {
		size_t cap = b->cap ? b->cap : 256;
		while (cap < b->n + n + 1) {
			cap += cap / 2 + 16;
		}
		b->p = slt_realloc(b->p, cap, 1);
		b->cap = cap;
	}
	return b->p + b->n;
}

void slt_buf_add(struct slt_buf *b, const void *p, size_t n)
{
	char *to = slt_buf_room(b, n);

	if (to) {
		if (n) {
			memcpy(to, p, n);
		}
		b->n += n;
		b->p[b->n] = '\0';
	}
}

void slt_buf_adds(struct slt_buf *b, const char *s)
{
	slt_buf_add(b, s, strlen(s));
}

void slt_buf_addc(struct slt_buf *b, char c)
{
	slt_buf_add(b, &c, 1);
}

void slt_buf_addf(struct slt_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *to = n < 0 ? NULL : slt_buf_room(b, (size_t)n);
	if (!to) {
		b->failed = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void slt_buf_add_xml(struct slt_buf *b, const char *s)
{
	for (; *s; s++) {
		size_t plain = strcspn(s, "&<>\"\r");
		slt_buf_add(b, s, plain);
		s += plain;
		switch (*s) {
		case '&':
			slt_buf_adds(b, "&amp;");
			break;
		case '<':
			slt_buf_adds(b, "&lt;");
			break;
		case '>':
			slt_buf_adds(b, "&gt;");
			break;
		case '"':
			slt_buf_adds(b, "&quot;");
			break;
		case '\r':
			slt_buf_adds(b, "&#xD;");
			break;
		default:
			return;
		}
	}
}

void slt_buf_add_json(struct slt_buf *b, const char *s)
{
	slt_buf_addc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\') {
			slt_buf_addc(b, '\\');
			slt_buf_addc(b, *s);
		} else if (c == '\n') {
			slt_buf_adds(b, "\\n");
		} else if (c < 0x20 || c == 0x7f) {
			slt_buf_addf(b, "\\u%04x", c);
		} else {
			slt_buf_addc(b, *s);
		}
	}
	slt_buf_addc(b, '"');
}

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void slt_buf_add_base64(struct slt_buf *b, const void *data, size_t n)
{
	const unsigned char *p = data;
	char *to = slt_buf_room(b, (n + 2) / 3 * 4);

	if (!to) {
		return;
	}
	for (; n >= 3; n -= 3, p += 3) {
		*to++ = b64[p[0] >> 2];
		*to++ = b64[(p[0] & 3) << 4 | p[1] >> 4];
		*to++ = b64[(p[1] & 15) << 2 | p[2] >> 6];
		*to++ = b64[p[2] & 63];
	}
	if (n) {
		unsigned second = n > 1 ? p[1] : 0;
		*to++ = b64[p[0] >> 2];
		*to++ = b64[(p[0] & 3u) << 4 | second >> 4];
		*to++ = n > 1 ? b64[(second & 15) << 2] : '=';
		*to++ = '=';
	}
	b->n = (size_t)(to - b->p);
	*to = '\0';
}

void slt_buf_add_hex(struct slt_buf *b, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++) {
		slt_buf_addc(b, "0123456789abcdef"[p[i] >> 4]);
		slt_buf_addc(b, "0123456789abcdef"[p[i] & 15]);
	}
}

bool slt_buf_check(const struct slt_buf *b, const char *what, struct slt_err *err)
{
	if (b->failed) {
		return slt_fail(err, SLT_ELIMIT, "%s is longer than %zu bytes", what, b->max);
	}
	return true;
}

struct slt_str slt_buf_str(const struct slt_buf *b)
{
	return (struct slt_str){b->p ? b->p : "", b->n};
}

char *slt_buf_take(struct slt_buf *b, size_t *ret_n)
{
	if (!b->p) {
		slt_buf_add(b, "", 0);
	}
	if (ret_n) {
		*ret_n = b->n;
	}
	char *p = b->p ? b->p : slt_strdup("");
	slt_buf_init(b, b->max);
	return p;
}

static int b64_value(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The last, padded group: 2 or 3 characters, unused bits zero. */
static bool b64_tail(unsigned bits, unsigned have, unsigned pad, struct slt_buf *out,
		     struct slt_err *err)
{
	if (have == 0 && pad == 0) {
		return true;
	}
	if (have + pad != 4 || have < 2) {
		return slt_fail(err, SLT_EINVAL, "base64 is cut short");
	}
	if (bits & ((1u << (have == 2 ? 4 : 2)) - 1)) {
		return slt_fail(err, SLT_EINVAL, "base64 ends in stray bits");
	}
	if (have == 2) {
		slt_buf_addc(out, (char)(bits >> 4));
	} else {
		slt_buf_addc(out, (char)(bits >> 10));
		slt_buf_addc(out, (char)(bits >> 2 & 0xff));
	}
	return true;
}

bool slt_base64_decode(struct slt_str in, struct slt_buf *out, struct slt_err *err)
{
	unsigned bits = 0, have = 0, pad = 0;

	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (is_blank(c)) {
			continue;
		}
		int v = b64_value(c);
		if (c == '=' && pad < 2) {
			pad++;
			continue;
		}
		if (v < 0 || pad) {
			return slt_fail(err, SLT_EINVAL, "not base64 at byte %zu", i);
		}
		bits = bits << 6 | (unsigned)v;
		if (++have == 4) {
			const char three[3] = {(char)(bits >> 16 & 0xff), (char)(bits >> 8 & 0xff),
					       (char)(bits & 0xff)};
			slt_buf_add(out, three, 3);
			bits = have = 0;
		}
	}
	return b64_tail(bits, have, pad, out, err) && slt_buf_check(out, "base64 content", err);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool slt_hex_decode(struct slt_str in, struct slt_buf *out, struct slt_err *err)
{
	if (in.n % 2) {
		return slt_fail(err, SLT_EINVAL, "hexadecimal text of odd length");
	}
	for (size_t i = 0; i < in.n; i += 2) {
		int hi = hex_value(in.p[i]), lo = hex_value(in.p[i + 1]);
		if (hi < 0 || lo < 0) {
			return slt_fail(err, SLT_EINVAL, "not hexadecimal at byte %zu", i);
		}
		slt_buf_addc(out, (char)(hi << 4 | lo));
	}
	return slt_buf_check(out, "hexadecimal content", err);
}
