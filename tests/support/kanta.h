/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Native Finnish prescriptions with their inner signature, for tests: tests/data/kanta/
 * prescription.xml, changed before and after it is signed.
 *
 * As with the rest of the test PKI, a function that cannot do its work ends the program.
 */

#include "tests/support/evidence.h"

#define KANTA_SIGNED_AT "2024-06-03T09:15:00+03:00"
#define KANTA_ID	"ID2024.06.03.09.15.00.0417"

#define KANTA_FILTER	"ancestor-or-self::hl7:structuredBody"
#define KANTA_EXCLUSIVE                                                                            \
	"<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>"
#define KANTA_XPATH(filter)                                                                        \
	"<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath "      \
	"xmlns:hl7=\"urn:hl7-org:v3\">" filter "</ds:XPath></ds:Transform>"

struct kanta {
	const struct pki_cert *cert;
	const struct pki_cert *also[5]; /* further certificates behind the signer's */
	enum slt_sig_alg alg;		/* NONE: RSA-SHA256 */
	enum slt_digest_alg digest;	/* NONE: SHA-256 */
	const char *transforms;		/* of the body; NULL: the known ones */
	const char *stamp_transforms;	/* of the instant; NULL: the known one */
	const char *signed_at;		/* NULL: KANTA_SIGNED_AT */
	const char *extra_reference;	/* in SignedInfo, as it is; NULL: none */
	const char *key_info;		/* instead of X509Data; NULL: that */
};

/* prescription.xml as it is; malloc'ed. The tests run at the root of the repository. */
char *kanta_prescription(void);
/* The document with the collection of signatures filled: over its own structuredBody. Transforms
 * that are not the known ones are written, not made: the digest is the same. malloc'ed. */
char *kanta_sign(const struct kanta *k, const char *document);
/* The collection's content without the collection, for who wants it elsewhere; malloc'ed. */
char *kanta_signature(const char *document);
