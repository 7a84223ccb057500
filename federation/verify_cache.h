/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Remembers which signing certificates were found good, with which OCSP response and until when,
 * so that the next signature of the same member costs no decoding, no path and no OCSP signature.
 *
 * An entry is found by SHA-256 of all that its verdict rested on (certificate, OCSP responses,
 * instance, strictness) and holds from the instant it was made for until the certificate, the
 * response or its freshness ends. Only good verdicts enter. The signature itself, its references
 * and whom it must belong to are checked every time.
 *
 * A cache belongs to one snapshot of the global configuration and keeps it alive; make a new one
 * for a new snapshot. Reference-counted and thread-safe; bounded, the newest entry wins.
 */

#include "federation/trust.h"

#define SLT_VERIFY_CACHE_ENTRIES 1024

struct slt_verify_cache;

struct slt_verify_cache *slt_verify_cache_new(struct slt_globalconf *gc);
struct slt_verify_cache *slt_verify_cache_ref(struct slt_verify_cache *c);
void slt_verify_cache_free(struct slt_verify_cache *c); /* drops a reference */
SLT_DEFINE_AUTO(struct slt_verify_cache *, slt_verify_cache_free)

/* How often something was asked for and found, since the cache was made. */
void slt_verify_cache_counts(struct slt_verify_cache *c, uint64_t *ret_asked, uint64_t *ret_found);

/* What xades_verify keeps. */
struct slt_verify_known {
	X509 *cert;
	const struct slt_gc_ca *ca;
	struct slt_id member;
	struct slt_path path;
};
bool slt_verify_cache_serves(const struct slt_verify_cache *c, const struct slt_globalconf *gc);
/* *ret->cert is a reference for the caller to X509_free(); strings go to the arena. */
bool slt_verify_cache_get(struct slt_verify_cache *c, const struct slt_digest *key, int64_t at_ms,
			  struct slt_arena *arena, struct slt_verify_known *ret);
void slt_verify_cache_put(struct slt_verify_cache *c, const struct slt_digest *key, int64_t at_ms,
			  const struct slt_verify_known *known);
