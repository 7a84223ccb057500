/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * manifest.conf: what a mapping set consists of. It names the set, its version, the days between
 * which it is in force, who wrote it and who is to approve it, every file with its digest, and the
 * digest of the set as a whole, which is the one that stands in traces and in evidence.
 *
 * Files of a set are messages.tsv and everything below pivot/, countries/ and flows/; what else
 * lies in its directory is not read by anybody. (mappings/README.md, "Signed sets".)
 *
 * Checks: that the files there are exactly the files listed, with the digests listed.
 * Does not check: who says so. That is a signature over the manifest's bytes, judged by the caller.
 */

#include "mappings/lint.h"

#define SLT_MANIFEST_NAME  "manifest.conf"
#define SLT_MANIFEST_FILES 10000 /* of a set */
#define SLT_MANIFEST_DEPTH 8	 /* directories */

struct slt_manifest_file {
	const char *path;   /* from the set's directory, '/' between names */
	const char *sha256; /* lower case hex */
};

struct slt_manifest {
	const char *set, *version, *previous, *author;
	const char *effective_from_text, *effective_to_text;
	uint32_t effective_from, effective_to; /* effective_to 0: open */
	const char *digest;		       /* slt_mapset_digest() of the set */
	struct slt_conf_strings approvals;     /* names of those who are to approve it */
	struct slt_manifest_file *file;	       /* in order of bytes */
	size_t n_files;
};

/* Reads dir/manifest.conf; *ret_digest (SHA-256 of its bytes, hex) and everything in the manifest
 * live in the arena. Problems go to the lint. */
SLT_CHECK bool slt_manifest_read(const char *dir, struct slt_arena *a, struct slt_lint *lint,
				 struct slt_manifest **ret, const char **ret_digest);
/* Finds and hashes the files of the set: fills file and n_files. Links and names that are not made
 * of letters, digits and ._- are refused. */
SLT_CHECK bool slt_manifest_collect(const char *dir, struct slt_arena *a, struct slt_lint *lint,
				    struct slt_manifest *m);
/* The files in the directory are those of the manifest; each that is not goes to the lint. */
SLT_CHECK bool slt_manifest_check(const struct slt_manifest *m, const char *dir,
				  struct slt_lint *lint);
/* SLT_FED_TRC_001 when the day of the instant is not one of those between which it is in force. */
SLT_CHECK bool slt_manifest_in_force(const struct slt_manifest *m, const char *dir, int64_t now_ms,
				     struct slt_err *err);
/* A file that reads back. */
void slt_manifest_format(const struct slt_manifest *m, struct slt_buf *out);
