/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Hash chains: X-Road's Merkle tree over the messages of a batch and the parts of a message
 * (xroad-wire 1.6; hashchain.xsd). Builds and verifies; knows nothing of signatures.
 */

#include "base/digest.h"

#define SLT_HASHCHAIN_BYTES_MAX	 (1u << 20)
#define SLT_HASHCHAIN_DEPTH_MAX	 64
#define SLT_HASHCHAIN_LEAVES_MAX 65536
#define SLT_HASHCHAIN_STEPS_MAX	 256  /* in one document that is verified */
#define SLT_HASHCHAIN_VALUES_MAX 4096 /* looked at in one verification */
#define SLT_HASHCHAIN_DOCS_MAX	 8

/* The hash of one step over its values, each under its own algorithm. */
void slt_hashchain_step(enum slt_digest_alg alg, const struct slt_digest *values, size_t n,
			struct slt_digest *ret);

struct slt_hc_input { /* one message: its parts in order */
	const struct slt_digest *parts;
	const char *const *names; /* "/message.xml", "/attachment1", … */
	size_t n;
};

struct slt_hc_result {
	char *result;  /* HashChainResult document, shared by the batch; malloc'ed */
	char **chains; /* one HashChain document an input; malloc'ed */
	size_t n;
};

/* The parts' names are "/message.xml", … for signatures, "/META-INF/signatures.xml" for
 * time-stamps; their digests must be under alg. base "/sig-hashchain.xml" or "/ts-hashchain.xml".
 * SLT_EINVAL when there is nothing to build from, SLT_ELIMIT above SLT_HASHCHAIN_LEAVES_MAX. */
SLT_CHECK bool slt_hashchain_build(enum slt_digest_alg alg, const struct slt_hc_input *inputs,
				   size_t n, const char *base, struct slt_hc_result *ret,
				   struct slt_err *err);
void slt_hashchain_result_fini(struct slt_hc_result *r);

struct slt_hc_part { /* what must be referenced */
	const char *name;
	const struct slt_digest *digest; /* NULL: not known, taken from the data or the chain */
	bool used;			 /* out */
};

struct slt_hc_verify {
	struct slt_str result;
	struct slt_hc_part *parts;
	size_t n_parts;
	/* Bytes of a chain document or of data by URI without fragment ("/sig-hashchain.xml",
	 * "/message.xml"); p NULL when it cannot be resolved. */
	struct slt_str (*resolve)(void *arg, const char *uri);
	/* False: the DataRef's own digest is taken as it is (X-Road: attachments not at hand). */
	bool (*should_resolve)(void *arg, const char *uri);
	void *arg;
	bool allow_sha1;
};

/* SLT_EMALFORMED_HASH_CHAIN, SLT_EINVALID_REFERENCE, SLT_EINVALID_HASH_CHAIN_REF,
 * SLT_EINVALID_HASH_CHAIN, SLT_EHASHCHAIN_UNUSED_INPUTS; no prefix. Every document is validated
 * in structure before anything is resolved; cycles and depth are bounded. */
SLT_CHECK bool slt_hashchain_verify(struct slt_hc_verify *v, struct slt_err *err);
