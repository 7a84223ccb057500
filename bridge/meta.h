/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Metaservices (PR-META, PR-MREST): what a provider offers here, what of it the caller may use, and
 * how it is described. Verified, signed and logged as every exchange; who may ask is not limited,
 * as with X-Road's servers. They win over a service of a route with the same name.
 *
 * The message around the answer is the protocol's (speak_soap.c, speak_rest.c).
 */

#include "exchange.h"

#define SLT_META_ROUTE	   "metaservice" /* in logs, where there is no route */
#define SLT_META_BYTES_MAX (16u << 20)	 /* of one answer */

/* The metaservice of that code, if it is one of SOAP; of REST, which are asked with GET. */
enum slt_meta slt_meta_soap(const char *service);
enum slt_meta slt_meta_rest(const char *verb, const char *service);

/* Adds the answer to the SOAP Body; a description goes to `wsdl`. SLT_EINVALID_REQUEST,
 * SLT_EUNKNOWN_SERVICE, SLT_ESERVICE_TYPE. */
SLT_CHECK bool slt_meta_soap_answer(struct slt_exchange *x, xmlNode *body, struct slt_buf *wsdl,
				    struct slt_err *err);
/* JSON. SLT_EINVALID_REQUEST; SLT_EINTERNAL, as X-Road, for what has no OpenAPI description. */
SLT_CHECK bool slt_meta_rest_answer(struct slt_exchange *x, struct slt_buf *out,
				    struct slt_err *err);
