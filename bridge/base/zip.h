/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * ZIP files in memory: read with suspicion, written so that the same entries give the same bytes.
 *
 * Refused when opened: what the two ways to read a ZIP file (from its directory, or front to back)
 * would see differently, absolute names, "..", backslashes, colons, control characters, names that
 * stand twice, encrypted entries and unusual compression, entries over the limits and entries that
 * grow suspiciously; where the caller asks for files only, directories, links and devices too.
 * Checksums are compared when an entry is read.
 */

#include "base/buf.h"

struct slt_zip_limits {
	size_t entries;
	uint64_t entry_bytes, total_bytes; /* uncompressed */
	uint64_t ratio;			   /* of an entry larger than ratio_from */
	uint64_t ratio_from;
	bool files_only;
};

struct slt_zip_reader;
/* The bytes are borrowed until slt_zip_reader_free(). SLT_EIO when they are no sound ZIP file at
 * all, SLT_EINVAL and SLT_ELIMIT for what is wrong with its entries. */
SLT_CHECK bool slt_zip_reader_open(struct slt_str bytes, const struct slt_zip_limits *limits,
				   struct slt_zip_reader **ret, struct slt_err *err);
void slt_zip_reader_free(struct slt_zip_reader *z);
SLT_DEFINE_AUTO(struct slt_zip_reader *, slt_zip_reader_free)
size_t slt_zip_reader_count(const struct slt_zip_reader *z);
const char *slt_zip_reader_name(const struct slt_zip_reader *z, size_t i); /* borrowed */
/* Appends the whole entry, NUL-terminated (not counted); SLT_EINVAL when it is damaged. */
SLT_CHECK bool slt_zip_reader_read(const struct slt_zip_reader *z, size_t i, struct slt_buf *ret,
				   struct slt_err *err);

struct slt_zip_writer;
SLT_CHECK bool slt_zip_writer_new(struct slt_zip_writer **ret, struct slt_err *err);
/* Drops what was not finished. */
void slt_zip_writer_free(struct slt_zip_writer *z);
SLT_DEFINE_AUTO(struct slt_zip_writer *, slt_zip_writer_free)
/* The bytes are borrowed until slt_zip_writer_finish(). */
SLT_CHECK bool slt_zip_writer_add(struct slt_zip_writer *z, const char *name, struct slt_str bytes,
				  bool stored, struct slt_err *err);
SLT_CHECK bool slt_zip_writer_comment(struct slt_zip_writer *z, const char *text,
				      struct slt_err *err);
/* Once; SLT_ELIMIT when it does not fit into out. */
SLT_CHECK bool slt_zip_writer_finish(struct slt_zip_writer *z, struct slt_buf *out,
				     struct slt_err *err);
