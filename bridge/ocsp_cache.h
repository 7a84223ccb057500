/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * OCSP responses by certificate: those of the own certificates, fetched from the CA's responder and
 * relayed to peers, and those that peers' relays gave. Holds bytes only: whoever uses one judges
 * it. Bounded; safe for threads.
 */

#include <openssl/x509.h>

#include "base/arena.h"
#include "base/digest.h"

#define SLT_OCSP_CACHE_MAX 4096

struct slt_ocsp_cache;
struct slt_ocsp_cache *slt_ocsp_cache_new(void);
void slt_ocsp_cache_free(struct slt_ocsp_cache *c);
SLT_DEFINE_AUTO(struct slt_ocsp_cache *, slt_ocsp_cache_free)

void slt_ocsp_cache_put(struct slt_ocsp_cache *c, const X509 *cert, struct slt_str der);
/* A copy in the arena; p NULL when there is none. */
struct slt_str slt_ocsp_cache_get(struct slt_ocsp_cache *c, const X509 *cert, struct slt_arena *a);
/* The same for all of a chain, in order, as far as they are there. Returns how many. */
size_t slt_ocsp_cache_chain(struct slt_ocsp_cache *c, X509 *const *chain, size_t n,
			    struct slt_arena *a, struct slt_str *ret);
