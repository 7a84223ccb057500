/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the routes offer to those who call on a side, and how it is described: the answers of the
 * metaservices, which name no more than a route would let pass. Descriptions are files of the
 * configuration: read once, at the start.
 */

#include "config.h"
#include "federation/metadata.h"
#include "federation/wsdl.h"
#include "mappings/engine.h"

struct slt_offers;

/* Reads the descriptions that the routes name; every problem goes to the lint. SLT_ECONFIG. */
SLT_CHECK bool slt_offers_load(const struct slt_config *c, struct slt_lint *problems,
			       struct slt_offers **ret, struct slt_err *err);
void slt_offers_free(struct slt_offers *o);
SLT_DEFINE_AUTO(struct slt_offers *, slt_offers_free)
/* Descriptions and mapping set go together: what a route with a description offers is in it. */
void slt_offers_check(const struct slt_offers *o, const struct slt_mapset *set,
		      struct slt_lint *problems);

struct slt_offer {
	const struct slt_config_route *route;
	struct slt_id service; /* in the callers' words */
	bool soap, rest;       /* by which protocols it may be called */
	const struct slt_wsdl *wsdl;
	const struct slt_openapi *openapi;
	struct slt_map_offer words; /* of a flow's service; element NULL otherwise */
};

struct slt_offer_list {
	struct slt_offer *v;
	size_t n;
};

/* What is offered under the provider, each service once: where several routes have it, that of the
 * one that a call would take. Strings in the arena, in the configuration or in the set. */
struct slt_offer_list slt_offers_list(const struct slt_offers *o, const struct slt_mapset *set,
				      const struct slt_config_side *side,
				      const struct slt_id *provider, struct slt_arena *a);
/* The description of the offer's route, with all that the list has of it. */
SLT_CHECK bool slt_offer_wsdl(const struct slt_offer_list *list, const struct slt_offer *offer,
			      struct slt_buf *out, struct slt_err *err);
