/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A public key infrastructure for tests: authorities, member and server certificates, OCSP
 * responses with any fault, and a global configuration that names them.
 *
 * Every function ends the program when it fails: a test that cannot make its material is broken.
 * Instants are milliseconds; the certificates are valid from 2020 to 2040 unless told otherwise,
 * so tests fix their own "now" (PKI_NOW) and never ask the clock.
 */

#include <openssl/x509.h>

#include "federation/globalconf.h"

#define PKI_NOW	       INT64_C(1795449600000) /* 2026-11-23T16:00:00Z */
#define PKI_NOT_BEFORE INT64_C(1577836800000) /* 2020-01-01 */
#define PKI_NOT_AFTER  INT64_C(2208988800000) /* 2040-01-01 */
#define PKI_FRESHNESS  3600		      /* seconds, of pki_globalconf() */

enum pki_key { PKI_RSA2048, PKI_RSA3072, PKI_RSA1024, PKI_P256, PKI_P384 };

/* The i-th key of a kind (i below 16): made once a process and kept; borrowed. */
EVP_PKEY *pki_key(enum pki_key kind, unsigned i);

/* A P-256 key that is the same in every process and known to everybody: for what is kept in
 * files, such as the seeds of fuzzers. Borrowed. */
EVP_PKEY *pki_fixed_key(void);

/* --- certificates --- */

struct pki_cert {
	X509 *x509;
	EVP_PKEY *key; /* borrowed from pki_key() unless the caller gave it */
};

struct pki_spec {
	/* "C=FI;O=Apteekki, Oy;serialNumber=FI/ss1/COM;CN=1234567-8" in DER order: separated by
	 * ';', short names or OIDs of OpenSSL; "+CN=…" joins the RDN before it. */
	const char *subject;
	enum pki_key kind;
	unsigned key_index;
	EVP_PKEY *use_key;	       /* instead of kind and key_index */
	int64_t not_before, not_after; /* 0: PKI_NOT_BEFORE, PKI_NOT_AFTER */
	/* "name=value" as in an OpenSSL configuration: "keyUsage=critical,digitalSignature",
	 * "1.2.3.4=critical,ASN1:NULL"; NULL ends the list. */
	const char *ext[8];
	const char *digest; /* of the signature; NULL: "SHA256" */
	const char *issuer; /* issuer name in the certificate; NULL: the issuer's subject */
	long serial;	    /* 0: a new one */
	bool bad_signature; /* one bit of the signature is flipped */
};

/* issuer NULL: self-signed. */
struct pki_cert *pki_issue(const struct pki_cert *issuer, const struct pki_spec *spec);
void pki_cert_free(struct pki_cert *c);
SLT_DEFINE_AUTO(struct pki_cert *, pki_cert_free)

/* The usual ones. issuer NULL makes a root. Key 0 to 15 of the kind. */
struct pki_cert *pki_ca(const struct pki_cert *issuer, const char *subject, enum pki_key kind,
			unsigned key_index);
struct pki_cert *pki_sign_cert(const struct pki_cert *ca, const char *subject, enum pki_key kind,
			       unsigned key_index);
struct pki_cert *pki_auth_cert(const struct pki_cert *ca, const char *subject, enum pki_key kind,
			       unsigned key_index);
struct pki_cert *pki_ocsp_responder(const struct pki_cert *ca, const char *subject,
				    enum pki_key kind, unsigned key_index);
struct pki_cert *pki_tsa_cert(const struct pki_cert *ca, const char *subject, enum pki_key kind,
			      unsigned key_index);
/* A subject that names the member under the profile; "INST/CLASS/CODE". malloc'ed. */
char *pki_subject(enum slt_profile profile, const char *member);

/* Writes PEM files (the key readable by the owner only). Either path may be NULL. */
void pki_write_pem(const struct pki_cert *c, const char *cert_path, const char *key_path);

/* --- OCSP --- */

enum pki_status { PKI_GOOD, PKI_REVOKED, PKI_UNKNOWN };

struct pki_single {
	const struct pki_cert *cert, *issuer;
	enum pki_status status;
	int64_t this_update, next_update; /* next_update 0: none */
	int64_t revoked_at;
	const char *digest; /* of the CertID; NULL: "SHA1" */
	/* Put in place of the encoded times, whatever they say; NULL: none. */
	const char *raw_this_update, *raw_next_update;
};
struct pki_ocsp {
	struct pki_single single[3];	  /* up to the first without cert */
	const struct pki_cert *responder; /* NULL: single[0].issuer */
	X509 *responder_name;		  /* whose name goes in; NULL: responder's */
	bool by_key;
	X509 *embed[3];	     /* certificates in the response */
	const char *digest;  /* of the signature; NULL: "SHA256" */
	int64_t produced_at; /* 0: the first thisUpdate */
	bool bad_signature;
	int response_status; /* OCSP_RESPONSE_STATUS_…; not 0: without a body */
};
/* DER, added to out (which the caller sized). */
void pki_ocsp(const struct pki_ocsp *o, struct slt_buf *out);
/* A good response by the issuer itself, of this instant, without nextUpdate. */
void pki_ocsp_good(const struct pki_cert *cert, const struct pki_cert *issuer, int64_t this_update,
		   struct slt_buf *out);

/* --- global configuration --- */

struct pki_gc_ca {
	const struct pki_cert *top;
	const struct pki_cert *top_ocsp[3];
	const struct pki_cert *intermediate[3];	     /* listed intermediates */
	const struct pki_cert *intermediate_ocsp[3]; /* responder of the intermediate beside it */
	const char *profile; /* class name; NULL: FiVRKCertificateProfileInfoProvider */
	bool authentication_only;
};
struct pki_gc_server {
	const char *id; /* "INST/CLASS/CODE/SERVER" */
	const char *address;
	const struct pki_cert *auth[3]; /* registered TLS certificates */
	const char *client[8];		/* "INST/CLASS/CODE" or "INST/CLASS/CODE/SUBSYSTEM" */
};
struct pki_gc_instance {
	const char *name;
	struct pki_gc_ca ca[4]; /* up to the first without top */
	const struct pki_cert *tsa[3];
	struct pki_gc_server server[4]; /* up to the first without id */
	const char *member[16];		/* others: "INST/CLASS/CODE[/SUBSYSTEM]" */
	const char *group[4];		/* "CODE: INST/CLASS/CODE INST/CLASS/CODE/SUB" */
	int64_t freshness;		/* seconds; 0: PKI_FRESHNESS */
	bool no_verify_next_update;
};
/* Writes the instances (the first is the own one) as a cache directory, version 6, valid until
 * 2040. */
void pki_globalconf_write(const char *dir, const struct pki_gc_instance *inst, size_t n);
/* The same in a temporary directory, loaded. */
struct slt_globalconf *pki_globalconf(const struct pki_gc_instance *inst, size_t n);
