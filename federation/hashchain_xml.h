/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The documents of a hash chain as XML: loaded, and checked against the structure that
 * hashchain.xsd gives them, before anything in them is used. Internal to the hash chain verifier.
 */

#include "base/xml.h"
#include "federation/hashchain.h"

#define SLT_NS_HASHCHAIN      "http://cyber.ee/hashchain"
#define SLT_HASHCHAIN_URI_MAX 1024
#define SLT_NS_DSIG	      "http://www.w3.org/2000/09/xmldsig#"

/* All fail with SLT_EMALFORMED_HASH_CHAIN. */
SLT_CHECK bool slt_hashchain_load_result(struct slt_str bytes, xmlDoc **ret, struct slt_err *err);
SLT_CHECK bool slt_hashchain_load_chain(struct slt_str bytes, const char *uri, xmlDoc **ret,
					struct slt_err *err);
/* An unqualified attribute, borrowed from the document; NULL when absent or empty. */
const char *slt_hashchain_attr(const xmlNode *n, const char *name);
/* The algorithm of the element's own DigestMethod, or of the chain's default. */
SLT_CHECK bool slt_hashchain_alg(const xmlNode *value, bool allow_sha1, enum slt_digest_alg *ret,
				 struct slt_err *err);
/* The element's DigestValue as a digest under alg. */
SLT_CHECK bool slt_hashchain_value(const xmlNode *value, enum slt_digest_alg alg,
				   struct slt_digest *ret, struct slt_err *err);
