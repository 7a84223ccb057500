/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Fetching the configuration of one instance: where from, in which version, what of it, and
 * whether it may replace what is held. For globalconf_cache's round over all instances.
 */

#include "federation/globalconf_cache.h"
#include "federation/globalconf_write.h"
#include "federation/private_params.h"

#define GC_PART_MAX (32u << 20) /* bytes of a part other than shared parameters */

/* Tries the addresses known for the anchor's instance one after another. Adds to the counts of r,
 * and sets version and expiry when it is the own instance. */
SLT_CHECK bool gc_fetch_instance(const struct slt_gc_fetch *f, const struct slt_anchor *anchor,
				 bool own, struct slt_gc_fetch_result *r, struct slt_err *err);
