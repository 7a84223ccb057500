/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * X-Road message protocol 4.0 for SOAP (PR-MESS): parsing and its rules (xroad-wire 5.1), and
 * building the messages of the other leg.
 */

#include "federation/ident.h"
#include "base/digest.h"

#define SLT_NS_SOAP	   "http://schemas.xmlsoap.org/soap/envelope/"
#define SLT_NS_XROAD	   "http://x-road.eu/xsd/xroad.xsd"
#define SLT_NS_REPR	   "http://x-road.eu/xsd/representation.xsd"
#define SLT_SOAP_FIELD_MAX 4096 /* bytes of one header value */

struct slt_soap_header {
	struct slt_id client, service;
	struct slt_id server; /* type NONE when absent */
	const char *id, *protocol_version;
	const char *user_id, *issue;		     /* NULL when absent */
	const char *party_class, *party_code;	     /* representedParty; NULL when absent */
	const char *request_hash, *request_hash_alg; /* base64 and URI; NULL when absent */
};

struct slt_soap_fault {
	const char *code, *string, *actor, *detail; /* detail: text of faultDetail, else the XML */
};

struct slt_soap {
	xmlDoc *doc;
	bool is_fault;
	struct slt_soap_fault fault;   /* when is_fault */
	struct slt_soap_header header; /* when not */
	xmlNode *body_child;	       /* the only child of Body; borrowed from doc */
	bool is_request;	       /* body child's name does not end in "Response" */
	struct slt_arena *arena;
};

/* content_type must be text/xml or application/xop+xml (NULL: not judged). The XML declaration
 * gives the character set, else the charset of content_type, else it is UTF-8. Fails with X-Road's
 * codes (SLT_EMISSING_HEADER_FIELD, …). */
SLT_CHECK bool slt_soap_parse(const void *p, size_t n, const char *content_type,
			      struct slt_soap **ret, struct slt_err *err);
/* That part of slt_soap_parse() which judges the type, for readers that meet it earlier. */
SLT_CHECK bool slt_soap_check_type(const char *content_type, struct slt_err *err);
void slt_soap_free(struct slt_soap *s);
SLT_DEFINE_AUTO(struct slt_soap *, slt_soap_free)

/* Replaces (or adds) the Header of an envelope by exactly these fields. */
void slt_soap_set_header(xmlDoc *envelope, const struct slt_soap_header *h);
/* A new, empty envelope with Header and Body. */
xmlDoc *slt_soap_new_envelope(void);
/* The answer must repeat client, service, id, userId, issue and representedParty of the request
 * (SLT_EINCONSISTENT_RESPONSE under SLT_SERVICE_FAILED), and carry the hash of its bytes
 * (SLT_EINCONSISTENT_RESPONSE alone). */
SLT_CHECK bool slt_soap_check_answer(const struct slt_soap_header *request,
				     const struct slt_digest *request_digest,
				     const struct slt_soap_header *answer, struct slt_err *err);
/* SOAPAction: absent (NULL), empty, "" or a quoted URI reference. SLT_EINVALID_SOAP_ACTION. */
SLT_CHECK bool slt_soap_check_action(const char *value, struct slt_err *err);
