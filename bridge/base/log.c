/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_MAX_BYTES (256u << 10) /* more than all fields of a line can make */
#define VALUE_MAX      2048

static struct {
	enum slt_level max;
	bool json;
} conf = {.max = SLT_LOG_INFO};

static const char *const names[] = {"err", "warning", "notice", "info", "debug"};

void slt_log_init(enum slt_level max, bool json)
{
	conf.max = max;
	conf.json = json;
}

bool slt_log_enabled(enum slt_level l)
{
	return l <= conf.max;
}

/* Bytes of the UTF-8 character at p, 0 when there is none. */
static size_t character(const unsigned char *p)
{
	size_t n = p[0] < 0x80	 ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0u) != 0x80u) {
			return 0;
		}
	}
	return n;
}

/* A peer's text may be as long as it likes and of any bytes: the line stays one that can be read,
 * and keeps its end. */
static void value(struct slt_buf *b, const char *v)
{
	SLT_AUTO_BUF(clean, VALUE_MAX + 8);
	size_t n;

	for (; *v && clean.n < VALUE_MAX; v += n ? n : 1) {
		n = character((const unsigned char *)v);
		slt_buf_add(&clean, n ? v : "?", n ? n : 1);
	}
	if (*v) {
		slt_buf_adds(&clean, "…");
	}
	slt_buf_add_json(b, slt_buf_str(&clean).p);
}

/* JSON's escapes keep a value on one line and between its quotes in both forms. */
static void field(struct slt_buf *b, const char *key, const char *text)
{
	if (conf.json) {
		slt_buf_addc(b, ',');
		slt_buf_add_json(b, key);
		slt_buf_addc(b, ':');
	} else {
		slt_buf_addf(b, " %s=", key);
	}
	value(b, text);
}

static void begin(struct slt_buf *b, enum slt_level l, const char *sentence)
{
	char t[SLT_TIME_LEN];

	slt_time_format(slt_now_ms(), true, t);
	if (conf.json) {
		slt_buf_addf(b, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", t, names[l]);
		slt_buf_add_json(b, sentence);
	} else {
		slt_buf_addf(b, "%s %s %s", t, names[l], sentence);
	}
}

static void end(struct slt_buf *b)
{
	if (b->failed) {
		b->failed = false; /* cut: better a short line than none */
	}
	slt_buf_adds(b, conf.json ? "}\n" : "\n");
	struct slt_str s = slt_buf_str(b);
	/* one write a line, so that lines of several threads do not mix */
	ssize_t ignored = write(STDERR_FILENO, s.p, s.n);
	(void)ignored;
}

static void fields(struct slt_buf *b, va_list ap)
{
	for (const char *k = va_arg(ap, const char *); k; k = va_arg(ap, const char *)) {
		const char *v = va_arg(ap, const char *);
		if (v) {
			field(b, k, v);
		}
	}
}

void slt_log(enum slt_level l, const char *sentence, ...)
{
	SLT_AUTO_BUF(b, LINE_MAX_BYTES);
	va_list ap;

	if (!slt_log_enabled(l)) {
		return;
	}
	begin(&b, l, sentence);
	va_start(ap, sentence);
	fields(&b, ap);
	va_end(ap);
	end(&b);
}

void slt_log_err(enum slt_level l, const char *sentence, const struct slt_err *e, ...)
{
	SLT_AUTO_BUF(b, LINE_MAX_BYTES);
	char code[256];
	va_list ap;

	if (!slt_log_enabled(l)) {
		return;
	}
	begin(&b, l, sentence);
	va_start(ap, e);
	fields(&b, ap);
	va_end(ap);
	slt_err_fault_code(e, SLT_DIALECT_SNAKE, code, sizeof(code));
	field(&b, "code", code);
	field(&b, "error", e->msg);
	end(&b);
}
