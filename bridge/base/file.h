/* SPDX-License-Identifier: MIT */
#pragma once

/* Files: capped reading, atomic writing, directories. */

#include "base/buf.h"

/* Reads a whole file; SLT_EIO if it cannot be read, SLT_ELIMIT if longer than max. The memory is
 * NUL-terminated (not counted) and the caller's to free(). */
SLT_CHECK bool slt_file_read(const char *path, size_t max, char **ret_p, size_t *ret_n,
			     struct slt_err *err);
/* Writes beside the file, syncs, renames: a reader sees the old or the new content, whole. */
SLT_CHECK bool slt_file_write(const char *path, const void *p, size_t n, unsigned mode,
			      struct slt_err *err);
SLT_CHECK bool slt_mkdir_p(const char *path, unsigned mode, struct slt_err *err);
/* Removes a directory tree below (and including) path; what is not there is no error. */
SLT_CHECK bool slt_rm_tree(const char *path, struct slt_err *err);
bool slt_file_exists(const char *path);
/* Entries of a directory, 0 when it cannot be read. */
size_t slt_dir_count(const char *path);
/* Refuses a file that group or others may read (private keys, PINs). */
SLT_CHECK bool slt_file_check_private(const char *path, struct slt_err *err);
/* The directory that a path is in, "." where it names none. malloc'ed. */
char *slt_path_dir(const char *path);
/* dir/name, where name is absolute: name. malloc'ed. */
char *slt_path_join(const char *dir, const char *name);
