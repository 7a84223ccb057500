/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The files of a configuration cache; for globalconf_cache.c and globalconf_fetch.c.
 *
 * An instance's directory is replaced as a whole: the new one is built beside it, what did not
 * change is linked into it, everything is synced, and the two names are exchanged in one step. A
 * reader or a crash at any instant finds the old or the new configuration, never a mixture.
 */

#include "federation/globalconf_dir.h"

#define GC_METADATA_SUFFIX ".metadata"
#define GC_METADATA_MAX	   65536
#define GC_FILE_SHARED	   "shared-params.xml"
#define GC_FILE_PRIVATE	   "private-params.xml"
#define GC_FILE_NEXTUPDATE "nextupdate-params.xml"
#define GC_FILE_MAPPINGS   "mapping-tables.zip"
#define GC_FILE_INSTANCE   "instance-identifier"
#define GC_FILE_SOURCE	   ".source" /* which address answered last: a hint, checked by nobody */

/* Where a part is kept: those that are read back under fixed names, others under their own. */
const char *gc_store_file_name(const struct slt_directory_part *part);
/* The name of an instance's directory, as Java's URLEncoder writes it, and back. */
void gc_store_encode(const char *instance, struct slt_buf *out);
bool gc_store_decode(const char *name, struct slt_buf *out);
/* DIR/instance/file, or DIR/instance when file is NULL; malloc'ed. */
char *gc_store_path(const char *dir, const char *instance, const char *file);

struct gc_meta {
	bool there;	    /* is there a metadata file at all? */
	int64_t expires_ms; /* 0: it does not say */
	int version;	    /* 0: it does not say */
};
/* Of the file FILE.metadata; SLT_EMALFORMED_GLOBALCONF when it cannot be understood. */
SLT_CHECK bool gc_store_meta(const char *file, struct gc_meta *ret, struct slt_err *err);
/* Is the file there, with just this content? */
bool gc_store_has(const char *path, const struct slt_digest *d, size_t max);

struct gc_store; /* the next directory of an instance, under construction */

SLT_CHECK bool gc_store_begin(const char *dir, const char *instance, struct gc_store **ret,
			      struct slt_err *err);
/* A new file; or one of the held directory as it is. */
SLT_CHECK bool gc_store_add(struct gc_store *s, const char *name, const void *p, size_t n,
			    struct slt_err *err);
SLT_CHECK bool gc_store_keep(struct gc_store *s, const char *name, struct slt_err *err);
/* Puts the new directory in place. */
SLT_CHECK bool gc_store_commit(struct gc_store *s, struct slt_err *err);
void gc_store_free(struct gc_store *s); /* removes what was not committed */
SLT_DEFINE_AUTO(struct gc_store *, gc_store_free)
