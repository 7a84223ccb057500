/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where an HTTP request begins and ends (RFC 9112): what two readers of the same bytes could read
 * differently is refused, so that nobody can smuggle a request past whoever stands before us.
 *
 * What the HTTP library has made of the bytes before is not seen here: it joins a folded header to
 * one line (RFC 9112, 5.2) and ends a value at a zero byte; it refuses chunk sizes that are none.
 */

#include <stdbool.h>

#include "base/error.h"
#include "base/buf.h"

#define SLT_FRAMING_HEADERS_MAX 100

struct slt_framing { /* zeroed before the first header */
	unsigned headers, lengths, codings, hosts;
	bool odd; /* a name that is no token, a length that is no number, a coding that is not
		     chunked */
};

/* For each header of a request; takes a struct slt_framing. */
void slt_framing_header(void *framing, const char *name, const char *value);
/* After the last; version as in the request line. SLT_EINVALID_REQUEST. */
SLT_CHECK bool slt_framing_check(const struct slt_framing *f, const char *version,
				 struct slt_err *err);
