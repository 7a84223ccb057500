/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Errors with context.
 *
 * A function that can fail returns bool and takes a `struct slt_err *` as its last argument: never
 * NULL, untouched on success. `ret_` outputs are untouched on failure. The place that finds a
 * fault raises it with slt_fail(); callers add what they were doing with slt_wrap() and, where
 * X-Road's fault codes are composed, the outer code with slt_prefix(). Libraries never log: the
 * owner of the exchange or the command does, once.
 *
 * All codes stand in errors.def: symbol, X-Road spelling up to 7.7 and from 7.8, HTTP status,
 * whether the same call may be tried again, and a sentence. It feeds the enum, the faults that
 * peers see, metric labels, the manual and the tests.
 */

#include "base/mem.h"

enum slt_code {
#define X(symbol, camel, snake, http, retry, text) symbol,
#include "base/errors.def"
#undef X
	SLT_CODE_COUNT
};

/* Spelling of fault codes: CamelCase up to X-Road 7.7, lower snake case from 7.8. */
enum slt_dialect { SLT_DIALECT_SNAKE, SLT_DIALECT_CAMEL };

#define SLT_ERR_MSG_MAX	   768
#define SLT_ERR_PREFIX_MAX 6

struct slt_err {
	enum slt_code code;			  /* the leaf; SLT_OK when nothing failed */
	enum slt_code prefix[SLT_ERR_PREFIX_MAX]; /* innermost first */
	unsigned n_prefix;
	const char *file; /* where it was raised, for the developer's log only */
	int line;
	char msg[SLT_ERR_MSG_MAX]; /* a sentence without full stop, outermost context first */
};

#define SLT_ERR_INIT                                                                               \
	{                                                                                          \
		.code = SLT_OK                                                                     \
	}

/* Each returns false, so that `return slt_fail(err, …)` reads well. */
#define slt_fail(err, code, ...)       slt_fail_at(err, code, __FILE__, __LINE__, __VA_ARGS__)
#define slt_fail_errno(err, code, ...) slt_fail_errno_at(err, code, __FILE__, __LINE__, __VA_ARGS__)
#define slt_fail_ssl(err, code, ...)   slt_fail_ssl_at(err, code, __FILE__, __LINE__, __VA_ARGS__)
#define slt_fail_xml(err, code, ...)   slt_fail_xml_at(err, code, __FILE__, __LINE__, __VA_ARGS__)

bool slt_fail_at(struct slt_err *err, enum slt_code code, const char *file, int line,
		 const char *fmt, ...) SLT_PRINTF(5, 6);
/* appends strerror(errno), taken at once */
bool slt_fail_errno_at(struct slt_err *err, enum slt_code code, const char *file, int line,
		       const char *fmt, ...) SLT_PRINTF(5, 6);
/* appends OpenSSL's reason and empties its queue */
bool slt_fail_ssl_at(struct slt_err *err, enum slt_code code, const char *file, int line,
		     const char *fmt, ...) SLT_PRINTF(5, 6);
/* appends libxml2's last error with its line */
bool slt_fail_xml_at(struct slt_err *err, enum slt_code code, const char *file, int line,
		     const char *fmt, ...) SLT_PRINTF(5, 6);

/* Puts "context: " before the message. */
bool slt_wrap(struct slt_err *err, const char *fmt, ...) SLT_PRINTF(2, 3);
/* Adds an outer code, unless it is the outermost one already (X-Road suppresses the repetition). */
bool slt_prefix(struct slt_err *err, enum slt_code outer);
/* Forgets an error that was dealt with. */
void slt_err_clear(struct slt_err *err);

/* The composed fault code, e.g. "server.serverproxy.access_denied"; always terminated. */
void slt_err_fault_code(const struct slt_err *err, enum slt_dialect d, char *ret, size_t n);
const char *slt_code_name(enum slt_code code, enum slt_dialect d);
const char *slt_code_text(enum slt_code code);
int slt_code_http(enum slt_code code);
bool slt_code_retry(enum slt_code code);
/* Finds a code by either spelling; SLT_OK when unknown. */
enum slt_code slt_code_find(const char *name);
