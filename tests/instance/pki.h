/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The instance's keys and certificates: a root, an issuing authority, responders, a time-stamping
 * authority, configuration signing keys, and for every member a signing and (where it owns a
 * security server) an authentication certificate in the country's profile. Everything lies below
 * DIR/keys as NAME.key.pem and NAME.cert.pem and is found again at the next start.
 *
 * Beside the good certificates there are bad ones, made on purpose for negative tests: their
 * names are in the table in pki.c. Status (good, revoked, unknown) is what the responder answers.
 */

#include <openssl/x509.h>

#include "tests/instance/country.h"

enum slt_pki_kind { SLT_PKI_RSA2048 = 1, SLT_PKI_RSA3072, SLT_PKI_P256 };
enum slt_pki_status { SLT_PKI_GOOD, SLT_PKI_REVOKED, SLT_PKI_UNKNOWN };

struct slt_pki;

struct slt_pki_entry {
	const char *name;
	EVP_PKEY *key;
	X509 *cert;
	X509 *issuer;		    /* borrowed from the issuer's entry; itself when self-signed */
	char *key_path, *cert_path; /* cert_path holds the issuing authority's certificate too */
	bool leaf;		    /* may be asked about at the responder, revoked and so on */
	bool auth;		    /* an authentication certificate */
};

struct slt_pki_options {
	const char *dir; /* DIR/keys */
	const char *instance;
	const struct slt_country *country;
	enum slt_pki_kind kind;	       /* of members' keys; the rest is P-256 */
	enum slt_pki_kind bridge_kind; /* of the bridge's, which is a member, too */
};

/* Loads what is there and makes what is not, keys in parallel. */
SLT_CHECK bool slt_pki_open(const struct slt_pki_options *o, struct slt_pki **ret,
			    struct slt_err *err);
void slt_pki_free(struct slt_pki *p);
SLT_DEFINE_AUTO(struct slt_pki *, slt_pki_free)

size_t slt_pki_count(const struct slt_pki *p);
const struct slt_pki_entry *slt_pki_at(const struct slt_pki *p, size_t i);
/* NULL when there is none of this name. */
const struct slt_pki_entry *slt_pki_find(const struct slt_pki *p, const char *name);
/* The same, for names that are in the program. */
const struct slt_pki_entry *slt_pki_get(const struct slt_pki *p, const char *name);
/* "centre" and "sign" give the entry "centre-sign". */
const struct slt_pki_entry *slt_pki_of(const struct slt_pki *p, const char *role,
				       const char *purpose);

/* Thread-safe. Time of revocation in milliseconds. */
enum slt_pki_status slt_pki_status(struct slt_pki *p, const struct slt_pki_entry *e,
				   int64_t *ret_revoked_ms);
void slt_pki_set_status(struct slt_pki *p, const struct slt_pki_entry *e, enum slt_pki_status s,
			int64_t now_ms);
/* The status that it had at the start. */
void slt_pki_restore(struct slt_pki *p, const struct slt_pki_entry *e);
