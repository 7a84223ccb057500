/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The instance's own security server as a reader of global configuration: fetches it over HTTP
 * from the source by the anchor, verified, into a cache on disk, and holds the snapshot in force.
 */

#include "bridge/client.h"
#include "federation/globalconf_cache.h"

struct slt_confclient;

struct slt_confclient_options { /* borrowed */
	const char *anchor_path;
	const char *dir; /* the cache */
	bool federation; /* fetch foreign instances too */
	struct slt_client *client;
};

/* Fetches for the first time. */
SLT_CHECK bool slt_confclient_new(const struct slt_confclient_options *o,
				  struct slt_confclient **ret, struct slt_err *err);
void slt_confclient_free(struct slt_confclient *c);
SLT_DEFINE_AUTO(struct slt_confclient *, slt_confclient_free)
/* Fetches again; on failure the snapshot in force stays. */
SLT_CHECK bool slt_confclient_refresh(struct slt_confclient *c, struct slt_err *err);
/* Did a federated instance fail in the last round? */
bool slt_confclient_incomplete(struct slt_confclient *c);
/* The snapshot in force, referenced: slt_globalconf_free() when done. */
struct slt_globalconf *slt_confclient_get(struct slt_confclient *c);
