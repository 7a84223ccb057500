/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writing ZIP files whose entries are stored, not compressed: archives of containers, which are
 * compressed already. Entries go to the disk one by one, so that memory does not grow with the
 * archive. Below 4 GB and 65535 entries (no ZIP64).
 */

#include "base/buf.h"

struct slt_zip;

/* A new file, mode 0600; what it held is gone. */
SLT_CHECK bool slt_zip_create(const char *path, struct slt_zip **ret, struct slt_err *err);
SLT_CHECK bool slt_zip_add(struct slt_zip *z, const char *name, struct slt_str bytes,
			   struct slt_err *err);
/* The same, the bytes in as many pieces as there are. */
SLT_CHECK bool slt_zip_begin(struct slt_zip *z, const char *name, struct slt_err *err);
SLT_CHECK bool slt_zip_piece(struct slt_zip *z, struct slt_str bytes, struct slt_err *err);
SLT_CHECK bool slt_zip_end(struct slt_zip *z, struct slt_err *err);
void slt_zip_comment(struct slt_zip *z, const char *text); /* of the whole; below 64 KB */
uint64_t slt_zip_size(const struct slt_zip *z);		   /* so far */
/* Writes the directory and waits for the disk. */
SLT_CHECK bool slt_zip_finish(struct slt_zip *z, struct slt_err *err);
void slt_zip_free(struct slt_zip *z);
SLT_DEFINE_AUTO(struct slt_zip *, slt_zip_free)
