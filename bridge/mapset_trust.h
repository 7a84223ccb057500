/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a mapping set is the one that its owners released: manifest.conf with the digest of each
 * file, and manifest.p7s, a detached CMS signature over the manifest's bytes, with one signer or
 * several. (mappings/README.md, "Signed sets".)
 *
 * Checks: every signature in manifest.p7s, with SHA-2; the signer's chain up to a certificate of
 * the file of trusted ones (which may be the signer's own), valid at the instant; that each signer
 * is the author or one of those named in approvals, and enough of the latter have signed, each with
 * a key of his own; that the set is in force; that its files are those of the manifest; and, once
 * loaded, that what was loaded is what the manifest names.
 * Does not check: revocation. Who may no longer sign is taken out of the file of trusted ones, so
 * that file should hold signers' certificates, or an authority that certifies nobody else.
 */

#include <openssl/x509.h>

#include "mappings/engine.h"
#include "mappings/manifest.h"

#define SLT_MANIFEST_SIGNATURE "manifest.p7s"
#define SLT_MANIFEST_SIGNERS   16

struct slt_mapset_policy {
	const char *ca;	    /* PEM file of trusted certificates; NULL: nothing is verified */
	bool required;	    /* what is not good is refused; otherwise it is a warning */
	unsigned approvals; /* how many are needed */
	int64_t now_ms;	    /* certificates must be valid then, and the set in force */
};

struct slt_mapset_release { /* everything in the arena it was verified with */
	struct slt_manifest *manifest;
	const char *signer[SLT_MANIFEST_SIGNERS];
	size_t n_signers;
	size_t n_approvals; /* signers who are named in approvals */
	enum slt_code
		code; /* when it is not good: SLT_FED_TRC_001 if all that is wrong is the day */
};

/* The manifest of the set in `dir`, its signatures and its files; each problem, naming its file,
 * goes to the lint. */
SLT_CHECK bool slt_mapset_verify(const char *dir, const struct slt_mapset_policy *p,
				 struct slt_arena *a, struct slt_lint *lint,
				 struct slt_mapset_release *ret);

/* Loads a set and judges it by the policy. All problems go to `lint`, and err has the first ones;
 * what the policy lets pass goes to `warnings`. A set with a good manifest is limited to the days
 * that the manifest says. */
SLT_CHECK bool slt_mapset_open(const char *dir, const struct slt_mapset_policy *p,
			       struct slt_lint *lint, struct slt_lint *warnings,
			       struct slt_mapset **ret, struct slt_err *err);

/* Adds a signature of the key to the manifest in `dir`: to those in manifest.p7s if they are over
 * the same bytes, in their place otherwise (*ret_alone). */
SLT_CHECK bool slt_mapset_sign(const char *dir, const char *key_path, const char *cert_path,
			       bool *ret_alone, struct slt_err *err);
/* The last common name of the subject, by which a manifest names people; in the arena, NULL when
 * there is none. */
const char *slt_mapset_common_name(const X509 *cert, struct slt_arena *a);
/* The same of the certificate in a PEM file. */
const char *slt_mapset_signer_name(const char *cert_path, struct slt_arena *a, struct slt_err *err);
