/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Log lines: a sentence and key=value fields, on standard error (one line each, values quoted and
 * escaped, so that a peer cannot write lines of its own) or as JSON.
 *
 * err: the operator must act; warning: degraded, says what happens next; notice: state change;
 * info: one line an exchange; debug. Never a message body, a personal code or a PIN.
 */

#include "base/error.h"

enum slt_level { SLT_LOG_ERR, SLT_LOG_WARNING, SLT_LOG_NOTICE, SLT_LOG_INFO, SLT_LOG_DEBUG };

void slt_log_init(enum slt_level max, bool json);
bool slt_log_enabled(enum slt_level l);

/* Fields are pairs of C strings ended by NULL: slt_log(SLT_LOG_INFO, "sent", "id", id, NULL). A
 * NULL value leaves its field out. */
void slt_log(enum slt_level l, const char *sentence, ...) __attribute__((sentinel));
/* The same with an error's message and fault code as the fields "error" and "code". */
void slt_log_err(enum slt_level l, const char *sentence, const struct slt_err *e, ...)
	__attribute__((sentinel));
