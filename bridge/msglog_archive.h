/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Archives of the message log in X-Road's form (xroad-wire 6.4): ZIP files of containers with
 * linking information, each naming the one before it. What X-Road's archive verifier and
 * `silta verify` read.
 *
 * A message is archived once, after it was time-stamped, in the order of the log; archiving stops
 * before the first message that has no time-stamp yet. The log records each archive before the
 * file gets its name: a crash in between is made good by the next run.
 */

#include "msglog.h"

#define SLT_MSGLOG_ARCHIVE_BYTES (32u << 20)

struct slt_msglog_archive_options {
	const char *dir;    /* must be there */
	uint64_t max_bytes; /* an archive ends after the container that reaches this */
	int64_t at_ms;
};

/* Archives all that is ripe. each (may be NULL) is told of every file. SLT_EBUSY while another
 * process archives into the directory. */
SLT_CHECK bool slt_msglog_archive(struct slt_msglog *l, const struct slt_msglog_archive_options *o,
				  void (*each)(void *arg, const char *file, unsigned n), void *arg,
				  struct slt_err *err);
