/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which security servers a message for a provider may be sent to, as the global configuration says:
 * all that serve it, or the one that is named; none that is in maintenance.
 */

#include "base/arena.h"
#include "federation/globalconf.h"

#define SLT_FAR_SERVERS_MAX 256 /* of one provider; further ones are not asked */

struct slt_far_servers {
	const struct slt_gc_server **v; /* with different addresses, shuffled; in the arena */
	size_t n;			/* at least 1 */
};

/* SLT_EINVALID_SECURITY_SERVER where the one named does not exist or does not serve the provider;
 * SLT_EMAINTENANCE_MODE, in X-Road's words, where all are in maintenance; SLT_EUNKNOWN_MEMBER where
 * there is none. */
SLT_CHECK bool slt_far_servers_find(const struct slt_globalconf *gc, const struct slt_id *provider,
				    const struct slt_id *named_or_null, struct slt_arena *a,
				    struct slt_far_servers *ret, struct slt_err *err);
