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

#define SLT_NS_DS "http://www.w3.org/2000/09/xmldsig#"
#define SLT_NS_XADES "http://uri.etsi.org/01903/v1.3.2#"
#define SLT_NS_ASIC "http://uri.etsi.org/02918/v1.2.1#" /* older documents have v1.1.1 */
#define SLT_NS_XSI "http://www.w3.org/2001/XMLSchema-instance"
#define SLT_TYPE_SIGNED_PROPERTIES "http://uri.etsi.org/01903#SignedProperties"
#define SLT_C14N_URI "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define SLT_EXC_C14N_URI "http://www.w3.org/2001/10/xml-exc-c14n#"
#define SLT_C14N11_URI "http://www.w3.org/2006/12/xml-c14n11"

#define SLT_XADES_BYTES_MAX (2u << 20)
#define SLT_XADES_REFERENCES_MAX 30
#define SLT_XADES_TRANSFORMS_MAX 5
#define SLT_XADES_OCSP_MAX 16

#define SLT_URI_MESSAGE "/message.xml"
#define SLT_URI_HC_RESULT "/sig-hashchainresult.xml"
#define SLT_URI_HC "/sig-hashchain.xml"
#define SLT_URI_TS_HC_RESULT "/ts-hashchainresult.xml"
#define SLT_URI_TS_HC "/ts-hashchain.xml"
#define SLT_URI_SIGNATURES "/META-INF/signatures.xml"
#define SLT_URI_ATTACHMENT "/attachment" /* prefix */
