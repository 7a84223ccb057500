/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Judging certificates: who a certificate belongs to (profiles, xroad-wire 2.6), whether it
 * chains to an approved CA at an instant (2.2), whether an OCSP response vouches for it (2.3), and
 * whether a TLS certificate may speak for a member (2.5).
 *
 * Implemented in profile.c (names of members), certinfo.c (key usage, algorithms, texts), chain.c,
 * ocsp.c and this module's own trust.c. What each checks and does not check stands with the
 * function.
 */

#include "federation/globalconf.h"

#define SLT_OCSP_BYTES_MAX   65536
#define SLT_CHAIN_MAX	     6	/* certificates a peer may present */
#define SLT_OCSP_SOURCES_MAX 32 /* responses that are looked at */

/* --- profile.c --- */

/* The member a signing certificate names under a CA's profile. instance is the signer's.
 * SLT_EINCORRECT_CERTIFICATE naming field and profile. Strings in the arena. */
SLT_CHECK bool slt_certinfo_member(const X509 *cert, enum slt_profile profile, const char *instance,
				   struct slt_arena *a, struct slt_id *ret, struct slt_err *err);
enum slt_profile slt_profile_by_class(struct slt_str class_name); /* last segment, trimmed */
const char *slt_profile_name(enum slt_profile p);

/* --- certinfo.c --- */

/* nonRepudiation set; *ret_no_ku when there is no KeyUsage extension at all. */
bool slt_certinfo_is_signing(const X509 *cert, bool *ret_no_ku);
bool slt_certinfo_is_auth(const X509 *cert);
/* RFC 2253 text of a name, UTF-8, and SHA-x of the DER as hex. */
void slt_certinfo_name(const X509_NAME *name, struct slt_buf *out);
void slt_certinfo_digest(const X509 *cert, enum slt_digest_alg alg, struct slt_digest *ret);
/* An ASN.1 time in the one form that RFC 5280 allows: UTCTime YYMMDDHHMMSSZ or GeneralizedTime
 * YYYYMMDDHHMMSSZ, every field in range. False for anything else, where OpenSSL is lenient. */
bool slt_certinfo_time(const ASN1_TIME *t, int64_t *ret_ms);
/* For messages: `"CN=…,C=FI" (serial 1a2b)`, cut where too long; a span of time in its two largest
 * units, "3 days 4 hours", whatever its sign. Both return ret. */
#define SLT_CERT_TEXT 240
const char *slt_certinfo_text(const X509 *cert, char ret[SLT_CERT_TEXT]);
#define SLT_SPAN_TEXT 48
const char *slt_span_text(int64_t ms, char ret[SLT_SPAN_TEXT]);
/* May a certificate, or what an authority signed with its key, be relied on? RSA from 2048 (lax:
 * 1024) to 8192 bits, P-256, P-384, P-521; the reason stands in *ret_why. */
bool slt_certinfo_key_allowed(EVP_PKEY *key, bool lax, const char **ret_why);
/* SHA-2 with RSA (both paddings) or ECDSA, lax: SHA-1 too; never MD2, MD4, MD5. */
bool slt_certinfo_sigalg_allowed(const X509_ALGOR *alg, bool lax);

/* --- ocsp.c --- */

struct slt_ocsp_info { /* what a good response said; milliseconds, next_update 0 if none */
	int64_t produced_at, this_update, next_update;
};
/* Judges one DER response for cert issued by ca->cert at at_ms, with freshness and nextUpdate
 * policy of gc. Checks all of 2.3 plus: exactly one matching SingleResponse is used, signature
 * algorithm allowed, delegated responder valid at thisUpdate, thisUpdate not more than skew in
 * the future unless lax. SLT_EINCORRECT_VALIDATION_INFO (with how old, how far in the future) or
 * SLT_ECERT_VALIDATION (revoked since, unknown). */
SLT_CHECK bool slt_ocsp_verify(const struct slt_globalconf *gc, struct slt_str der,
			       const X509 *cert, const struct slt_gc_ca *ca, int64_t at_ms,
			       bool lax, struct slt_ocsp_info *ret, struct slt_err *err);
/* The last instant at which what a response said still holds under the policy of gc. */
int64_t slt_ocsp_valid_until(const struct slt_globalconf *gc, const struct slt_ocsp_info *info);
/* DER OCSP request (CertID with SHA-1, no nonce, as X-Road's signer sends). */
SLT_CHECK bool slt_ocsp_request(const X509 *cert, const X509 *issuer, struct slt_buf *out,
				struct slt_err *err);
/* Does this response's CertID name the certificate? (for picking one out of several) */
bool slt_ocsp_matches(struct slt_str der, const X509 *cert, const X509 *issuer);

/* --- chain.c --- */

struct slt_ocsp_source { /* DER responses at hand */
	const struct slt_str *der;
	size_t n;
};
struct slt_cert_path {
	const struct slt_gc_ca *ca; /* the approved CA that anchors it */
	struct slt_ocsp_info ocsp;  /* of the leaf */
	int64_t valid_until_ms;	    /* the earliest of certificates and OCSP: cache no longer */
};
/* The two halves of slt_chain_verify(), for who must know where a path lacks an OCSP response. */
struct slt_chain_query {
	const struct slt_globalconf *gc;
	const char *instance;
	X509 *leaf;
	X509 *const *intermediates;
	size_t n_intermediates;
	int64_t at_ms;
	bool lax;
	const struct slt_gc_ca *ca_override; /* may be NULL */
};
struct slt_chain {
	X509 *cert[SLT_CHAIN_MAX]; /* leaf first, anchor left out; borrowed from the query */
	size_t n;
	const struct slt_gc_ca *ca;
	int64_t valid_until_ms; /* the earliest end of a certificate of the path */
};
/* Everything but OCSP. SLT_CANNOT_CREATE_CERT_PATH. */
SLT_CHECK bool slt_chain_build(const struct slt_chain_query *q, struct slt_chain *ret,
			       struct slt_err *err);
/* Is every certificate of the path vouched for? A response that says revoked or unknown wins over
 * one that says good. Under SLT_INVALID_CERT_PATH: SLT_ECERT_VALIDATION or
 * SLT_EINCORRECT_VALIDATION_INFO. *ret_lacking (may be NULL): on failure, the certificate for
 * which there is no response or none that can be used, borrowed; NULL when it was judged bad. */
SLT_CHECK bool slt_chain_vouch(const struct slt_chain_query *q, const struct slt_chain *c,
			       const struct slt_ocsp_source *ocsp, struct slt_cert_path *ret,
			       const X509 **ret_lacking, struct slt_err *err);

/* leaf → presented intermediates → approved CA of `instance`, every certificate below the anchor
 * valid at at_ms and vouched for by OCSP. Refuses MD2, MD5 (and SHA-1 unless lax) signatures, RSA
 * below 2048 unless lax, unknown critical extensions, path length and name violations. Does not
 * check: validity of the anchor (approving it is the configuration's business), policies, CRLs.
 * SLT_CANNOT_CREATE_CERT_PATH or SLT_INVALID_CERT_PATH as outer code. `ca_override`, when given,
 * is the anchor to use instead (tests, archives). */
SLT_CHECK bool slt_chain_verify(const struct slt_globalconf *gc, const char *instance, X509 *leaf,
				X509 *const *intermediates, size_t n_intermediates,
				const struct slt_ocsp_source *ocsp, int64_t at_ms, bool lax,
				const struct slt_gc_ca *ca_override, struct slt_cert_path *ret,
				struct slt_err *err);

/* --- trust.c --- */

/* May the TLS peer with this chain (leaf first) speak for `member` (exact client identifier) of
 * its instance now? CertHelper.verifyAuthCert: authentication certificate, chain, OCSP, registered
 * to a server that serves the member. All failures under SLT_ESSL_AUTHENTICATION_FAILED.
 * *ret_missing_ocsp (may be NULL): on failure, the index in the chain of the first certificate for
 * which only a usable OCSP response lacks, everything else being in order (the caller may fetch
 * one and ask again); -1 otherwise. */
SLT_CHECK bool slt_trust_tls_peer(const struct slt_globalconf *gc, X509 *const *chain, size_t n,
				  const struct slt_ocsp_source *ocsp, const struct slt_id *member,
				  int64_t now_ms, struct slt_cert_path *ret, int *ret_missing_ocsp,
				  struct slt_err *err);
