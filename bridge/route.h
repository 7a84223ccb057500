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

struct slt_exchange;

/* SLT_EUNKNOWN_MEMBER unless the service's provider is the near side's own subsystem or one that a
 * route from there names. */
SLT_CHECK bool slt_route_check_provider(const struct slt_exchange *x, const struct slt_id *service,
					struct slt_err *err);
/* The route for a service called on the exchange's near side. SLT_EUNKNOWN_MEMBER,
 * SLT_EUNKNOWN_SERVICE. Strings in the exchange's arena. */
SLT_CHECK bool slt_route_find(const struct slt_exchange *x, const struct slt_id *service,
			      struct slt_call_route *ret, struct slt_err *err);
/* A route whose messages do not differ between the countries: only their headers are rewritten. */
#define SLT_FLOW_NONE "none"
bool slt_route_is_plain(const struct slt_config_route *r);
/* SLT_EACCESS_DENIED unless the client is named, belongs to a member named or to a group named. */
SLT_CHECK bool slt_route_authorise(const struct slt_call_route *r, const struct slt_globalconf *gc,
				   const struct slt_id *client, struct slt_err *err);
/* SLT_EACCESS_DENIED unless a rule of the route's list `rest` allows method and path, where it has
 * such a list; SLT_EINVALID_REQUEST for a path that could be read in two ways. */
SLT_CHECK bool slt_route_authorise_rest(const struct slt_call_route *r, const char *method,
					const char *service_path, struct slt_err *err);
