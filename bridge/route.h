/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which request goes where, and who may send it.
 */

#include "federation/globalconf.h"
#include "mappings/engine.h"
#include "service.h"

struct slt_call_route {
	const struct slt_config_route *config;
	const char *word;     /* the flow's word for the service */
	struct slt_id target; /* service in the other instance */
	bool once;
};

/* The route for a service called on a side. SLT_EUNKNOWN_SERVICE. Strings in the arena. */
SLT_CHECK bool slt_route_find(const struct slt_service *s, const struct slt_side *near,
			      const struct slt_id *service, struct slt_arena *a,
			      struct slt_call_route *ret, struct slt_err *err);
/* SLT_EACCESS_DENIED unless the client is named, belongs to a member named or to a group named. */
SLT_CHECK bool slt_route_authorise(const struct slt_call_route *r, const struct slt_globalconf *gc,
				   const struct slt_id *client, struct slt_err *err);
