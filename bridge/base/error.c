/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libxml/xmlerror.h>
#include <openssl/err.h>

#include "base/buf.h"

static const struct {
	const char *camel, *snake, *text;
	int http;
	bool retry;
} codes[SLT_CODE_COUNT] = {
#define X(symbol, camel, snake, http, retry, text) [symbol] = {camel, snake, text, http, retry},
#include "base/errors.def"
#undef X
};

__attribute__((format(printf, 5, 0))) static void raise_at(struct slt_err *err, enum slt_code code,
							   const char *file, int line,
							   const char *fmt, va_list ap)
{
	err->code = code;
	err->n_prefix = 0;
	err->file = file;
	err->line = line;
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
}

/* Appends ": reason", cut where the message is full. */
static void append(struct slt_err *err, const char *reason)
{
	size_t n = strlen(err->msg);

	if (reason && *reason) {
		snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", reason);
	}
}

bool slt_fail_at(struct slt_err *err, enum slt_code code, const char *file, int line,
		 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	raise_at(err, code, file, line, fmt, ap);
	va_end(ap);
	return false;
}

bool slt_fail_errno_at(struct slt_err *err, enum slt_code code, const char *file, int line,
		       const char *fmt, ...)
{
	int saved = errno;
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	raise_at(err, code, file, line, fmt, ap);
	va_end(ap);
	append(err, strerror_r(saved, text, sizeof(text)));
	return false;
}

bool slt_fail_ssl_at(struct slt_err *err, enum slt_code code, const char *file, int line,
		     const char *fmt, ...)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;
	va_list ap;

	va_start(ap, fmt);
	raise_at(err, code, file, line, fmt, ap);
	va_end(ap);
	append(err, reason);
	ERR_clear_error();
	return false;
}

bool slt_fail_xml_at(struct slt_err *err, enum slt_code code, const char *file, int line,
		     const char *fmt, ...)
{
	const xmlError *e = xmlGetLastError();
	char reason[256] = "";
	va_list ap;

	va_start(ap, fmt);
	raise_at(err, code, file, line, fmt, ap);
	va_end(ap);
	if (e && e->message) {
		int n = (int)strcspn(e->message, "\n");
		snprintf(reason, sizeof(reason), "line %d: %.*s", e->line, n, e->message);
		append(err, reason);
	}
	xmlResetLastError();
	return false;
}

bool slt_wrap(struct slt_err *err, const char *fmt, ...)
{
	char context[SLT_ERR_MSG_MAX];
	char old[SLT_ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	memcpy(old, err->msg, sizeof(old));
	size_t n = strlen(context);
	size_t room = sizeof(err->msg) - 1;
	n = n < room ? n : room;
	memcpy(err->msg, context, n);
	snprintf(err->msg + n, sizeof(err->msg) - n, ": %.*s",
		 (int)(room - n > 2 ? room - n - 2 : 0), old);
	return false;
}

bool slt_prefix(struct slt_err *err, enum slt_code outer)
{
	enum slt_code outermost = err->n_prefix ? err->prefix[err->n_prefix - 1] : err->code;

	if (outermost != outer) {
		slt_assert(err->n_prefix < SLT_ERR_PREFIX_MAX);
		err->prefix[err->n_prefix++] = outer;
	}
	return false;
}

void slt_err_clear(struct slt_err *err)
{
	*err = (struct slt_err)SLT_ERR_INIT;
}

const char *slt_code_name(enum slt_code code, enum slt_dialect d)
{
	return d == SLT_DIALECT_CAMEL ? codes[code].camel : codes[code].snake;
}

const char *slt_code_text(enum slt_code code)
{
	return codes[code].text;
}

int slt_code_http(enum slt_code code)
{
	return codes[code].http;
}

bool slt_code_retry(enum slt_code code)
{
	return codes[code].retry;
}

enum slt_code slt_code_find(const char *name)
{
	for (int i = 1; i < SLT_CODE_COUNT; i++) {
		if (strcmp(name, codes[i].snake) == 0 || strcmp(name, codes[i].camel) == 0) {
			return (enum slt_code)i;
		}
	}
	return SLT_OK;
}

void slt_err_fault_code(const struct slt_err *err, enum slt_dialect d, char *ret, size_t n)
{
	size_t at = 0;

	if (n) {
		ret[0] = '\0';
	}
	for (unsigned i = err->n_prefix; i-- > 0 && at < n;) {
		int k = snprintf(ret + at, n - at, "%s.", slt_code_name(err->prefix[i], d));
		at += k > 0 ? (size_t)k : 0;
	}
	if (at < n) {
		snprintf(ret + at, n - at, "%s", slt_code_name(err->code, d));
	}
}
