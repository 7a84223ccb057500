/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What metaservices answer (PR-META 2 and 3, PR-MREST 3 and 4): lists of clients and of services in
 * X-Road's two forms, and OpenAPI descriptions made fit to be handed out.
 */

#include "federation/globalconf.h"

#define SLT_OPENAPI_BYTES_MAX  (4u << 20)
#define SLT_METADATA_LIST_MAX  (64u << 20) /* bytes of a list */
#define SLT_METADATA_TYPE_JSON "application/json;charset=utf-8"
#define SLT_METADATA_TYPE_XML  "text/xml;charset=utf-8"

/* --- services ----------------------------------------------------------------------------- */

struct slt_endpoint {
	const char *method, *path; /* "*": every one; path with "*" for what varies */
};

struct slt_method {
	struct slt_id id;		     /* SERVICE */
	bool described;			     /* REST: there is an OpenAPI description */
	const struct slt_endpoint *endpoint; /* REST */
	size_t n_endpoints;
};

/* Adds xroad:NAME (listMethodsResponse, …) with the services to a node. */
void slt_metadata_methods_xml(xmlNode *parent, const char *name, const struct slt_method *v,
			      size_t n);
void slt_metadata_methods_json(const struct slt_method *v, size_t n, struct slt_buf *out);

/* --- clients ------------------------------------------------------------------------------ */

/* All members and subsystems of an instance (NULL: the own one), as listClients answers.
 * SLT_EINVALID_REQUEST for an instance that the snapshot does not have. */
SLT_CHECK bool slt_metadata_clients(const struct slt_globalconf *gc, const char *instance,
				    bool json, struct slt_buf *out, struct slt_err *err);
/* Does an Accept header (NULL: none) ask for JSON? The form is XML otherwise. */
bool slt_metadata_wants_json(const char *accept);

/* --- OpenAPI ------------------------------------------------------------------------------ */

struct slt_openapi {
	char *text; /* JSON; every server is SLT_WSDL_ADDRESS */
	size_t n;
	struct slt_endpoint *endpoint; /* what the description says, in its order */
	size_t n_endpoints;
	struct slt_arena *arena;
};

/* A description in JSON, of OpenAPI 3. SLT_EINVAL, SLT_ELIMIT. */
SLT_CHECK bool slt_openapi_parse(const char *p, size_t n, struct slt_openapi **ret,
				 struct slt_err *err);
void slt_openapi_free(struct slt_openapi *o);
SLT_DEFINE_AUTO(struct slt_openapi *, slt_openapi_free)
