/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * ASiC-E containers as X-Road writes and reads them (xroad-wire 6.1, 6.3), and archives with
 * linking information (6.4).
 *
 * Refused in any case: what the two ways to read a ZIP file (from its directory, or front to back)
 * would see differently, absolute names, "..", backslashes, names that stand twice, encrypted
 * entries, entries over the caps and entries that grow suspiciously. Entries of other names are
 * passed over, as X-Road does; strict verification refuses them.
 *
 * asic.c reads and writes, asic_verify.c judges, asic_archive.c checks linking information.
 */

#include "federation/xades_verify.h"

#define SLT_ASIC_BYTES_MAX	 (64u << 20)  /* one entry, uncompressed */
#define SLT_ASIC_TOTAL_MAX	 (256u << 20) /* all entries of a container, uncompressed */
#define SLT_ASIC_RATIO_MAX	 200	      /* of an entry larger than SLT_ASIC_RATIO_FROM */
#define SLT_ASIC_RATIO_FROM	 (1u << 20)
#define SLT_ASIC_ENTRIES_MAX	 256
#define SLT_ASIC_ATTACHMENTS_MAX 64
#define SLT_ARCHIVE_ENTRIES_MAX	 65536

#define SLT_ASIC_MIME_TYPE	 "application/vnd.etsi.asic-e+zip"

struct slt_asic_entries { /* views; p NULL when absent */
	struct slt_str message, signature;
	struct slt_str hash_chain_result, hash_chain;
	struct slt_str ts_hash_chain_result, ts_hash_chain, timestamp;
	struct slt_str attachment[SLT_ASIC_ATTACHMENTS_MAX]; /* [0] is "attachment1" */
	size_t n_attachments; /* one more than the last that is there */
};

/* What a container has, entry by entry, in X-Road's order, the manifests made on the way and valid
 * for the call; stops when add returns false. An attachment with p not NULL is named whatever its
 * length, so that a caller may have its bytes elsewhere. */
#define SLT_ASIC_COMMENT "mimetype=" SLT_ASIC_MIME_TYPE /* of the container as a ZIP file */
typedef bool (*slt_asic_entry_fn)(void *arg, const char *name, struct slt_str bytes, bool stored,
				  struct slt_err *err);
SLT_CHECK bool slt_asic_each(const struct slt_asic_entries *e, slt_asic_entry_fn add, void *arg,
			     struct slt_err *err);
/* Writes a container into memory, entries in X-Road's order, mimetype first and stored. The same
 * entries give the same bytes. */
SLT_CHECK bool slt_asic_write(const struct slt_asic_entries *e, struct slt_buf *out,
			      struct slt_err *err);

struct slt_asic;
/* From memory, which is borrowed for the call only; structure checks with X-Road's asic_… codes;
 * SLT_ELIMIT and SLT_EINVAL for what X-Road would not refuse. */
SLT_CHECK bool slt_asic_open(struct slt_str bytes, struct slt_asic **ret, struct slt_err *err);
const struct slt_asic_entries *slt_asic_entries(const struct slt_asic *a); /* borrowed */
/* The name of an entry that is not X-Road's, and how many there are; NULL when none. Borrowed. */
const char *slt_asic_unknown(const struct slt_asic *a, unsigned *ret_n);
void slt_asic_free(struct slt_asic *a);
SLT_DEFINE_AUTO(struct slt_asic *, slt_asic_free)

struct slt_asic_attachment { /* what a hash chain says of an attachment */
	const char *name;    /* "/attachment1"; in the arena */
	struct slt_digest digest;
	bool verified; /* it is in the container and has this digest */
};

struct slt_asic_verdict {
	struct slt_verdict signature;
	struct slt_id signer; /* in the arena given */
	int64_t timestamp_ms;
	unsigned n_unverified; /* attachments that the container does not hold, or with another
				  digest */
	struct slt_asic_attachment *attachment; /* in hash chain mode; in the arena */
	size_t n_attachments;
};
/* AsicContainerVerifier: signer from the message, time-stamp, signature at its instant. As X-Road,
 * in hash chain mode attachments are reported and not judged, unless strict. */
SLT_CHECK bool slt_asic_verify(const struct slt_asic *a, const struct slt_globalconf *gc,
			       bool strict, struct slt_arena *arena, struct slt_asic_verdict *ret,
			       struct slt_err *err);
struct slt_asic_options {
	const struct slt_globalconf *gc;
	bool strict;
	int64_t at_ms; /* the instant that certificate and OCSP are judged at; -1: the time-stamp's
			*/
	/* Whose member must have signed; NULL: the message's client or, of an answer, its service.
	 * For messages that another party has sealed. */
	const struct slt_id *signer;
};
SLT_CHECK bool slt_asic_verify_at(const struct slt_asic *a, const struct slt_asic_options *o,
				  struct slt_arena *arena, struct slt_asic_verdict *ret,
				  struct slt_err *err);
void slt_asic_verdict_fini(struct slt_asic_verdict *v);

/* --- archives --- */

struct slt_archive;
/* bytes are borrowed until slt_archive_free(). SLT_EMLOG_INVALID_ARCHIVE. */
SLT_CHECK bool slt_archive_open(struct slt_str bytes, struct slt_archive **ret,
				struct slt_err *err);
void slt_archive_free(struct slt_archive *a);
SLT_DEFINE_AUTO(struct slt_archive *, slt_archive_free)
/* Does it hold linking information or containers, rather than being one? */
bool slt_archive_is(const struct slt_archive *a);
size_t slt_archive_count(const struct slt_archive *a);
const char *slt_archive_name(const struct slt_archive *a, size_t i); /* borrowed */
/* One entry, at most SLT_ASIC_BYTES_MAX. */
SLT_CHECK bool slt_archive_read(const struct slt_archive *a, size_t i, struct slt_buf *ret,
				struct slt_err *err);

struct slt_archive_links {
	char previous[2 * SLT_DIGEST_MAX + 1]; /* hex, or "-" for the first archive */
	char last[2 * SLT_DIGEST_MAX + 1];     /* what the next archive must name */
	size_t n;			       /* containers linked */
};
/* Checks the chain of digests over all containers. previous is what the archive before this one
 * ended with, "-" when there is none, NULL to take the archive's word. Every container must be
 * linked and every link must be there. SLT_EMLOG_INVALID_ARCHIVE. */
SLT_CHECK bool slt_archive_verify_links(const struct slt_archive *a, const char *previous,
					struct slt_archive_links *ret, struct slt_err *err);
