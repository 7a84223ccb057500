/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The memory of xades_verify: remembers which signing certificates were found good, with which OCSP
 * response and until when, so that the next signature of the same member costs no decoding, no path
 * and no OCSP signature. The same for TLS certificates, which are judged with every request.
 *
 * An entry is found by SHA-256 of all that its verdict rested on (certificate, OCSP responses,
 * instance, strictness) and holds from the instant it was made for until the certificate, the
 * response or its freshness ends. Only good verdicts enter. The signature itself, its references
 * and whom it must belong to are checked every time.
 *
 * A cache belongs to one snapshot of the global configuration and keeps it alive; make a new one
 * for a new snapshot. Reference-counted and thread-safe; bounded, the newest entry wins.
 */

#include "federation/xades_verify.h"

#define SLT_VERIFY_CACHE_ENTRIES 1024

struct slt_verify_cache;

struct slt_verify_cache *slt_verify_cache_new(struct slt_globalconf *gc);
struct slt_verify_cache *slt_verify_cache_ref(struct slt_verify_cache *c);
void slt_verify_cache_free(struct slt_verify_cache *c); /* drops a reference */
SLT_DEFINE_AUTO(struct slt_verify_cache *, slt_verify_cache_free)

/* How often something was asked for and found, since the cache was made. */
void slt_verify_cache_counts(struct slt_verify_cache *c, uint64_t *ret_asked, uint64_t *ret_found);

/* For slt_verify_input.memory; lives as long as the cache. */
const struct slt_verify_memory *slt_verify_cache_memory(const struct slt_verify_cache *c);

struct slt_tls_peer { /* the other end of a connection; borrowed */
	const struct slt_globalconf *gc;
	X509 *const *chain; /* leaf first */
	size_t n;
	struct slt_ocsp_source ocsp;
	const struct slt_id *member; /* that it must be allowed to speak for */
};
/* slt_trust_tls_peer(), remembered likewise: who was judged good with this chain and these
 * responses for this member, is so until the path ends or the configuration does. With c NULL or of
 * another snapshot nothing is remembered. */
SLT_CHECK bool slt_verify_cache_tls_peer(struct slt_verify_cache *c, const struct slt_tls_peer *p,
					 int64_t now_ms, int *ret_missing_ocsp,
					 struct slt_err *err);
