/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * OCSP responses at hand at the instance's security server: its own, asked from the responder
 * that the global configuration names, and those of peers, asked from their relay port. Kept for
 * a while, by certificate.
 */

#include "bridge/client.h"
#include "federation/globalconf.h"
#include "federation/message.h"

struct slt_ocspcache;

struct slt_ocspcache *slt_ocspcache_new(struct slt_client *client);
void slt_ocspcache_free(struct slt_ocspcache *c);
SLT_DEFINE_AUTO(struct slt_ocspcache *, slt_ocspcache_free)
/* Forgets everything, so that the responder is asked again. */
void slt_ocspcache_clear(struct slt_ocspcache *c);

/* Asks a responder, without the cache. ret is malloc'ed. */
SLT_CHECK bool slt_ocspcache_ask(struct slt_ocspcache *c, const char *url, const X509 *cert,
				 const X509 *issuer, struct slt_bytes *ret, struct slt_err *err);
/* The response for one of our certificates, asked when not at hand or older than a minute. */
SLT_CHECK bool slt_ocspcache_own(struct slt_ocspcache *c, const struct slt_globalconf *gc,
				 const char *instance, const X509 *cert, struct slt_bytes *ret,
				 struct slt_err *err);
/* A response at hand, of any age; false when there is none. */
bool slt_ocspcache_find(struct slt_ocspcache *c, const X509 *cert, struct slt_bytes *ret);
/* The same by the SHA-1 (hex, lower case) of the certificate, as the relay is asked. */
bool slt_ocspcache_find_hash(struct slt_ocspcache *c, const char *sha1_hex, struct slt_bytes *ret);
/* Asks a peer's relay for the responses of a presented chain, all certificates at once. */
SLT_CHECK bool slt_ocspcache_relay(struct slt_ocspcache *c, const char *host, unsigned port,
				   X509 *const *chain, size_t n, struct slt_err *err);
