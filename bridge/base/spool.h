/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bytes of any length: kept in memory up to a threshold, in an unnamed temporary file beyond it.
 * Written once from start to end, then read any number of times. Not for two threads at a time.
 */

#include "base/buf.h"

struct slt_spool;

/* dir holds the temporary file (NULL: $TMPDIR or /tmp); threshold and max in bytes. */
struct slt_spool *slt_spool_new(const char *dir, size_t threshold, uint64_t max);
void slt_spool_free(struct slt_spool *s);
SLT_DEFINE_AUTO(struct slt_spool *, slt_spool_free)

/* Removes what a process that died may have left: on file systems that cannot make a file without a
 * name it has one for an instant. How many there were. */
unsigned slt_spool_sweep(const char *dir);

/* What all spools of the process together may hold on the disk; without this call there is no such
 * limit. */
void slt_spool_limit(uint64_t bytes);
/* SLT_ELIMIT beyond max, SLT_EBUSY beyond what all together may hold, SLT_EIO when the disk
 * refuses. */
SLT_CHECK bool slt_spool_write(struct slt_spool *s, const void *p, size_t n, struct slt_err *err);
uint64_t slt_spool_size(const struct slt_spool *s);
/* Up to n bytes from offset; *ret_n is 0 at the end. */
SLT_CHECK bool slt_spool_read(const struct slt_spool *s, uint64_t offset, void *p, size_t n,
			      size_t *ret_n, struct slt_err *err);
/* Bytes that all spools of the process hold on the disk. */
uint64_t slt_spool_on_disk(void);
/* The content as memory if it never left memory; p is NULL otherwise. Borrowed. */
struct slt_str slt_spool_memory(const struct slt_spool *s);
