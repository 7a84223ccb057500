/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Verifying X-Road's signatures (xroad-wire 2.1), in all forms: direct, hash chain, batch,
 * several references, legacy time-stamp manifests.
 *
 * Strict (the default) also demands what 2.4 says X-Road does not: every part of the message is
 * covered, exactly one SignedInfo with the expected references and no other, no transforms but
 * C14N on SignedProperties, SignedProperties of this very signature are signed, SigningCertificate
 * names the KeyInfo certificate, Ids are unique, allowed algorithms only, the CA is not for
 * authentication only. `lax` is X-Road's own behaviour, for archives.
 *
 * Does not check: time-stamps (tsp), that the message's headers name this signer (the caller
 * passes whom it must be), the signature policy, SigningTime (it is only reported).
 *
 * Codes: SLT_EINVALID_XML; under SLT_MALFORMED_SIGNATURE alone or with a leaf; SLT_EINTERNAL (no
 * approved authority, unknown profile, a referenced part that is not there);
 * SLT_EINCORRECT_CERTIFICATE; SLT_EINVALID_SIGNATURE_VALUE; SLT_EINVALID_REFERENCE; those of
 * slt_chain_verify(). Thread-safe.
 */

#include "federation/trust.h"

struct slt_verify_part {
	const char *name;		 /* "/message.xml", "/attachment1" */
	const struct slt_digest *digest; /* NULL: unknown, the bytes in data are hashed */
	struct slt_str data;		 /* p NULL when only the digest is at hand */
};

/* What was found out about a signing certificate. */
struct slt_verify_known {
	X509 *cert;
	const struct slt_gc_ca *ca;
	struct slt_id member;
	struct slt_cert_path path;
};

/* Where the caller keeps it from one signature to the next (bridge/verify_cache), so that decoding,
 * path and OCSP are not done again. The key is a digest of all that the verdict rested on; only
 * good verdicts are kept, for one snapshot of the configuration, from at_ms until
 * path.valid_until_ms. The signature itself is checked every time. */
struct slt_verify_memory {
	const struct slt_globalconf *gc; /* the only one that this serves */
	void *arg;
	/* ret->cert is a reference for the caller to X509_free(); strings go to the arena. */
	bool (*recall)(void *arg, const struct slt_digest *key, int64_t at_ms,
		       struct slt_arena *arena, struct slt_verify_known *ret);
	void (*remember)(void *arg, const struct slt_digest *key, int64_t at_ms,
			 const struct slt_verify_known *known); /* copies */
};

struct slt_verify_input {
	const struct slt_globalconf *gc;
	struct slt_id signer; /* compared at member level */
	int64_t at_ms;
	struct slt_str signature;		      /* signatures.xml */
	struct slt_str hash_chain_result, hash_chain; /* p NULL in direct mode */
	const struct slt_verify_part *parts;
	size_t n_parts;
	bool lax;	 /* X-Road's own behaviour */
	bool schema;	 /* with lax: also the schema check, which X-Road makes on the wire */
	bool allow_sha1; /* old archives */
	bool absent_attachments_ok; /* ASiC: /attachmentN that is not at hand is reported only */
	const struct slt_gc_ca *ca_override;
	const struct slt_verify_memory *memory; /* may be NULL */
};

struct slt_verdict {
	X509 *cert; /* the signer's; owned, X509_free */
	struct slt_cert_path path;
	int64_t signing_time_ms; /* 0 if absent */
	unsigned n_warnings;
	char warning[4][160]; /* what strict would have refused */
};

SLT_CHECK bool slt_xades_verify(const struct slt_verify_input *in, struct slt_verdict *ret,
				struct slt_err *err);
void slt_verdict_fini(struct slt_verdict *v);
