/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Tab separated files: a header line that names the columns, one row a line, no quoting, comments
 * with '#'. The whole file is held in memory; cells point into it.
 */

#include "mappings/lint.h"

#define SLT_TSV_BYTES	(1u << 30) /* a file */
#define SLT_TSV_LINE	65536	   /* bytes of a line */
#define SLT_TSV_ROWS	2000000
#define SLT_TSV_COLUMNS 32

struct slt_tsv;

/* columns: the names allowed (n of them, at most SLT_TSV_COLUMNS), the first `required` of which
 * must be there. Problems go to the lint with file and line; false when the file cannot be used
 * at all. sha256 (hex, may be NULL) must match. */
SLT_CHECK bool slt_tsv_open(const char *path, const char *sha256, const char *const *columns,
			    size_t n, size_t required, struct slt_lint *lint, struct slt_tsv **ret);
/* The same over bytes that are copied; `path` is for messages. */
SLT_CHECK bool slt_tsv_open_bytes(const char *path, struct slt_str bytes,
				  const char *const *columns, size_t n, size_t required,
				  struct slt_lint *lint, struct slt_tsv **ret);
void slt_tsv_free(struct slt_tsv *t);
SLT_DEFINE_AUTO(struct slt_tsv *, slt_tsv_free)

/* The next row: offsets of the n cells into slt_tsv_text(), each terminated. Rows with problems
 * are reported and skipped. False at the end. */
bool slt_tsv_next(struct slt_tsv *t, uint32_t *ret_cells);
const char *slt_tsv_text(const struct slt_tsv *t);
unsigned slt_tsv_line(const struct slt_tsv *t); /* of the row given last */
const char *slt_tsv_path(const struct slt_tsv *t);
/* SHA-256 of the file as it is on disk, hex. */
const char *slt_tsv_digest(const struct slt_tsv *t);
/* Well-formed UTF-8 without control characters (below U+0020, and U+007F) other than tab. */
bool slt_tsv_is_text(const char *p, size_t n);
