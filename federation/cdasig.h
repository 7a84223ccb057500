/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The signature that a Finnish CDA document carries inside itself (hl7fi:signature in its local
 * header): XMLDSig over structuredBody and over the instant of signing (eprescription 1.5).
 *
 * The set of forms is closed. One signature in the whole document; SignedInfo canonicalised
 * exclusively; two references and no others: URI "" with exclusive C14N and then the XPath filter
 * `ancestor-or-self::P:structuredBody` (P bound to urn:hl7-org:v3), and "#ID" of the
 * signatureTimestamp beside it with exclusive C14N. One structuredBody in the whole document, at
 * its place: what was signed is what is read. Certificates in X509Data only, the signer's first.
 *
 * Checks: form, both digests, the signature value, algorithms, a path from the signer's certificate
 * to one of the authorities given, valid at the instant that was signed, key usage, that the
 * instant is not in the future.
 *
 * Does not check: revocation (the document carries no evidence of it, and none can be asked for
 * years later), validity of the authorities themselves (approving them is the caller's business),
 * whether the signer is the prescriber named in the document, and anything outside structuredBody:
 * the header of the document is not signed. A thief of a key could date a signature back.
 */

#include <openssl/x509.h>

#include "base/xml.h"

#define SLT_NS_HL7	  "urn:hl7-org:v3"
#define SLT_NS_HL7FI	  "urn:hl7finland"
#define SLT_CDASIG_SIGNER 240

struct slt_cdasig_query {
	xmlNode *document; /* ClinicalDocument, alone or inside an envelope; not changed */
	X509 *const *authority;
	size_t n_authorities;
	int64_t now_ms;
	bool allow_sha1; /* of the signature and its digests; certificates never */
};

struct slt_cdasig_verdict {
	const xmlNode *covered;		/* structuredBody, in the document of the query */
	char signer[SLT_CDASIG_SIGNER]; /* `"CN=…" (serial 1a2b)` */
	int64_t signed_ms;
};

/* An element of the signature's kind anywhere in the document? */
bool slt_cdasig_present(const xmlNode *document);
/* SLT_MALFORMED_SIGNATURE with or without a leaf; SLT_EINVALID_SIGNATURE_VALUE;
 * SLT_CANNOT_CREATE_CERT_PATH; SLT_EINCORRECT_CERTIFICATE (key usage). Thread-safe for different
 * documents. */
SLT_CHECK bool slt_cdasig_verify(const struct slt_cdasig_query *q, struct slt_cdasig_verdict *ret,
				 struct slt_err *err);

/* Certificates of authorities, in a PEM file. */
#define SLT_CDASIG_AUTHORITIES_MAX 32
struct slt_cdasig_authorities {
	X509 *cert[SLT_CDASIG_AUTHORITIES_MAX]; /* owned */
	size_t n;
};
/* SLT_ECONFIG: none in it, too many, or not a certificate of an authority. */
SLT_CHECK bool slt_cdasig_authorities_load(const char *path, struct slt_cdasig_authorities **ret,
					   struct slt_err *err);
void slt_cdasig_authorities_free(struct slt_cdasig_authorities *a);
SLT_DEFINE_AUTO(struct slt_cdasig_authorities *, slt_cdasig_authorities_free)
