/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * WSDL 1.1 descriptions of SOAP services, as the metaservice getWsdl hands them out (PR-META 4):
 * one that somebody wrote, cut down to the operations offered and without the address of the
 * system behind, or one made from the names of the services alone.
 *
 * Reads the operations of SOAP 1.1 bindings; what they import is neither fetched nor read.
 */

#include "base/xml.h"

#define SLT_NS_WSDL	   "http://schemas.xmlsoap.org/wsdl/"
#define SLT_WSDL_BYTES_MAX (4u << 20)
/* PR-META 4: what every soap:address becomes, so that no caller learns of the system behind */
#define SLT_WSDL_ADDRESS "http://example.org/xroad-endpoint"

struct slt_wsdl;

/* SLT_EINVALID_XML; SLT_EINVAL without an operation in a SOAP binding or without a soap:address;
 * SLT_ELIMIT. */
SLT_CHECK bool slt_wsdl_parse(const void *p, size_t n, struct slt_wsdl **ret, struct slt_err *err);
void slt_wsdl_free(struct slt_wsdl *w);
SLT_DEFINE_AUTO(struct slt_wsdl *, slt_wsdl_free)

struct slt_wsdl_operation {
	const char *name, *version; /* version (xroad:version) NULL when it says none */
};
/* The i-th operation, NULL when there are no more. Borrowed. */
const struct slt_wsdl_operation *slt_wsdl_operation_at(const struct slt_wsdl *w, size_t i);
const struct slt_wsdl_operation *slt_wsdl_operation(const struct slt_wsdl *w, const char *name);

/* The description with these operations only, each under the version given, and with
 * SLT_WSDL_ADDRESS in place of every address. Safe for threads. */
SLT_CHECK bool slt_wsdl_write(const struct slt_wsdl *w, const struct slt_wsdl_operation *keep,
			      size_t n, struct slt_buf *out, struct slt_err *err);

/* A service of which nothing is known but its names. */
struct slt_wsdl_service {
	struct slt_wsdl_operation operation;
	const char *uri[2], *element[2]; /* body element of request and answer; NULL: any */
};
/* A document/literal description whose body elements may hold anything. The names, that of the
 * wsdl:service first, must be NCNames: SLT_EINVAL. */
SLT_CHECK bool slt_wsdl_derive(const char *name, const struct slt_wsdl_service *v, size_t n,
			       struct slt_buf *out, struct slt_err *err);
