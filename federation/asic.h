/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * ASiC-E containers as X-Road writes and reads them (xroad-wire 6.1, 6.3), and archives with
 * linking information (6.4). Entries, sizes and ratios are capped; names outside the known set,
 * absolute names, "..", duplicates and encrypted entries are refused.
 */

#include "federation/xades_verify.h"

#define SLT_ASIC_BYTES_MAX (64u << 20) /* one entry, uncompressed */
#define SLT_ASIC_ENTRIES_MAX 256

struct slt_asic_entries { /* views; p NULL when absent */
	struct slt_str message, signature;
	struct slt_str hash_chain_result, hash_chain;
	struct slt_str ts_hash_chain_result, ts_hash_chain, timestamp;
	struct slt_str attachment[64];
	size_t n_attachments;
};

/* Writes a container into memory, entries in X-Road's order, mimetype first and stored. */
SLT_CHECK bool slt_asic_write(const struct slt_asic_entries *e, struct slt_buf *out,
			      struct slt_err *err);

struct slt_asic;
/* From memory; structure checks with X-Road's asic_… codes. */
SLT_CHECK bool slt_asic_open(struct slt_str bytes, struct slt_asic **ret, struct slt_err *err);
const struct slt_asic_entries *slt_asic_entries(const struct slt_asic *a); /* borrowed */
void slt_asic_free(struct slt_asic *a);
SLT_DEFINE_AUTO(struct slt_asic *, slt_asic_free)

struct slt_asic_verdict {
	struct slt_verdict signature;
	struct slt_id signer;   /* in the arena given */
	int64_t timestamp_ms;
	unsigned n_unverified; /* attachments that the container does not hold */
};
/* AsicContainerVerifier: signer from the message, time-stamp, signature at its instant. */
SLT_CHECK bool slt_asic_verify(const struct slt_asic *a, const struct slt_globalconf *gc,
			       bool strict, struct slt_arena *arena, struct slt_asic_verdict *ret,
			       struct slt_err *err);
