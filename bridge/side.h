/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The bridge's presence in one instance while it runs: identity, keys, the global configuration in
 * force, OCSP responses. Safe for threads; configuration snapshots are swapped whole.
 */

#include "client.h"
#include "config.h"
#include "fastest.h"
#include "federation/key.h"
#include "federation/trust.h"
#include "ocsp_cache.h"
#include "seal.h"
#include "verify_cache.h"

struct slt_side;

#define SLT_SIDE_PINS_MAX 16 /* certificates in security_server_certs */

/* Reads keys and certificates, and the configuration cache if there is one. */
SLT_CHECK bool slt_side_open(const struct slt_config_side *config, struct slt_side **ret,
			     struct slt_err *err);
void slt_side_free(struct slt_side *s);
SLT_DEFINE_AUTO(struct slt_side *, slt_side_free)

const struct slt_config_side *slt_side_config(const struct slt_side *s);
const char *slt_side_name(const struct slt_side *s);
/* Borrowed; NULL where bearer message has none: nothing is signed. */
struct slt_key *slt_side_sign_key(const struct slt_side *s);
/* Own TLS certificate with its intermediates, leaf first; and the same as PEM with the key. None
 * (n 0, NULL) where bearer message speaks plain HTTP. */
X509 *const *slt_side_auth_chain(const struct slt_side *s, size_t *ret_n);
const char *slt_side_auth_cert_pem(const struct slt_side *s);
const char *slt_side_auth_key_pem(const struct slt_side *s);
struct slt_client_tls *slt_side_tls(const struct slt_side *s);
/* Who judges signatures inside documents that come from this side, at this instant. */
struct slt_seal slt_side_seal(const struct slt_side *s, int64_t now_ms);
/* Are there certificates that the security server is known by; and is this chain's first one of
 * them? The very certificate: nobody vouches for it, and its dates do not count.
 * SLT_ESSL_AUTHENTICATION_FAILED. */
bool slt_side_has_pins(const struct slt_side *s);
SLT_CHECK bool slt_side_check_pin(const struct slt_side *s, X509 *const *chain, size_t n,
				  struct slt_err *err);
/* Responses for the bridge's own certificates, each verified before it was put there. */
struct slt_ocsp_cache *slt_side_ocsp(const struct slt_side *s);
/* What peers' relays said of the certificates that the peers presented: not verified, so never for
 * anything but judging those peers. A peer may present others' certificates beside its own. */
struct slt_ocsp_cache *slt_side_peer_ocsp(const struct slt_side *s);
/* Which of a provider's security servers connects quickest. */
struct slt_fastest *slt_side_fastest(const struct slt_side *s);

/* The configuration in force, with a reference for the caller. SLT_EOUTDATED_GLOBALCONF when there
 * is none or the own instance's has expired. */
SLT_CHECK bool slt_side_globalconf(struct slt_side *s, int64_t now_ms, struct slt_globalconf **ret,
				   struct slt_err *err);
/* The snapshot in force whether it has expired or not, with a reference; NULL if there is none. */
struct slt_globalconf *slt_side_globalconf_held(struct slt_side *s);
/* What was found good under this snapshot, with a reference for the caller; NULL where another is
 * in force by now. */
struct slt_verify_cache *slt_side_verify_cache(struct slt_side *s, const struct slt_globalconf *gc);
/* Loads the cache directory again and puts it in force. */
SLT_CHECK bool slt_side_reload_globalconf(struct slt_side *s, struct slt_err *err);
/* OCSP responses to put into signatures: for the signing certificate and its intermediates.
 * SLT_ECANNOT_CREATE_SIGNATURE when one is missing. */
SLT_CHECK bool slt_side_sign_ocsp(struct slt_side *s, struct slt_arena *a, struct slt_str ret[],
				  size_t *ret_n, struct slt_err *err);
