/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The outer form of X-Road's signatures (xroad-wire 1.3, 1.4): names that the signing and the
 * verifying side share, and a read-only view of a parsed signature document that finds its pieces
 * once, so that what is verified is what is read.
 *
 * Checks: well-formedness and caps; with slt_xades_check_schema() order and number of elements.
 * Does not check: anything cryptographic (xades_verify).
 */

#include "base/xml.h"
#include "base/digest.h"

#define SLT_NS_DS		   "http://www.w3.org/2000/09/xmldsig#"
#define SLT_NS_XADES		   "http://uri.etsi.org/01903/v1.3.2#"
#define SLT_NS_ASIC		   "http://uri.etsi.org/02918/v1.2.1#" /* older documents have v1.1.1 */
#define SLT_NS_XSI		   "http://www.w3.org/2001/XMLSchema-instance"
#define SLT_TYPE_SIGNED_PROPERTIES "http://uri.etsi.org/01903#SignedProperties"
#define SLT_C14N_URI		   "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define SLT_EXC_C14N_URI	   "http://www.w3.org/2001/10/xml-exc-c14n#"
#define SLT_C14N11_URI		   "http://www.w3.org/2006/12/xml-c14n11"

#define SLT_XADES_BYTES_MAX	   (2u << 20)
#define SLT_XADES_REFERENCES_MAX   30
#define SLT_XADES_TRANSFORMS_MAX   5
#define SLT_XADES_OCSP_MAX	   16

#define SLT_URI_MESSAGE		   "/message.xml"
#define SLT_URI_HC_RESULT	   "/sig-hashchainresult.xml"
#define SLT_URI_HC		   "/sig-hashchain.xml"
#define SLT_URI_TS_HC_RESULT	   "/ts-hashchainresult.xml"
#define SLT_URI_TS_HC		   "/ts-hashchain.xml"
#define SLT_URI_SIGNATURES	   "/META-INF/signatures.xml"
#define SLT_URI_ATTACHMENT	   "/attachment" /* prefix */

struct slt_xades_ref { /* a ds:Reference of SignedInfo */
	const xmlNode *node;
	const char *uri, *type; /* "" when absent */
};

/* Everything borrowed from doc and arena. */
struct slt_xades {
	xmlDoc *doc;
	struct slt_arena *arena;
	xmlNode *signature;   /* the first ds:Signature */
	xmlNode *signed_info; /* its first child of that name */
	xmlNode *object;      /* the first ds:Object of the document, as X-Road takes it */
	const xmlNode *qualifying, *signed_properties, *unsigned_properties; /* may be NULL */
	struct slt_xades_ref ref[SLT_XADES_REFERENCES_MAX];
	size_t n_ref;
};

/* SLT_EINVALID_XML; SLT_MALFORMED_SIGNATURE when ds:Signature, its SignedInfo or ds:Object are
 * missing or there are too many references. */
SLT_CHECK bool slt_xades_parse(struct slt_str bytes, struct slt_xades **ret, struct slt_err *err);
void slt_xades_free(struct slt_xades *x);
SLT_DEFINE_AUTO(struct slt_xades *, slt_xades_free)

/* Order and number of elements and the required attributes, as the schemas of XML signatures and
 * XAdES 1.3.2 have them for the elements that X-Road's profile uses. Where ds:Signature is the
 * document element X-Road looks at SignedInfo only; `whole` does not. SLT_MALFORMED_SIGNATURE. */
SLT_CHECK bool slt_xades_check_schema(const struct slt_xades *x, bool whole, struct slt_err *err);

/* Does SignedInfo reference this URI? */
bool slt_xades_references(const struct slt_xades *x, const char *uri);
/* The first element at or below root whose Id attribute has this value; NULL when none. */
xmlNode *slt_xades_by_id(xmlNode *root, const char *id);
/* A child element found along a path of names in the XAdES namespace; NULL when any is missing. */
const xmlNode *slt_xades_path(const xmlNode *from, const char *const *names, size_t n);
/* SignatureValue and the time-stamp token that the signature carries, decoded.
 * SLT_MALFORMED_SIGNATURE; SLT_EASIC_TIMESTAMP_NOT_FOUND. */
SLT_CHECK bool slt_xades_signature_value(const struct slt_xades *x, struct slt_buf *ret,
					 struct slt_err *err);
SLT_CHECK bool slt_xades_timestamp(const struct slt_xades *x, struct slt_buf *ret,
				   struct slt_err *err);
/* DigestMethod and DigestValue below a node; false without saying why when they are not there,
 * not base64 or not as long as the algorithm says. */
bool slt_xades_digest(struct slt_arena *a, const xmlNode *node, struct slt_digest *ret);
