/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The running bridge: everything that exchanges share, started in order and stopped in reverse.
 */

#include "base/queue.h"
#include "client.h"
#include "config.h"
#include "mappings/engine.h"
#include "msglog.h"
#include "side.h"

struct slt_service {
	struct slt_config *config;
	struct slt_mapset *mapset;
	struct slt_side *side[SLT_SIDES_MAX];
	size_t n_sides;
	struct slt_client *client;
	struct slt_pool *pool;
	struct slt_msglog *log;
	_Atomic bool stopping; /* no new exchanges */
};

/* Loads, checks, and starts everything but the listeners. Takes config. */
SLT_CHECK bool slt_service_open(struct slt_config *take_config, struct slt_service **ret,
				struct slt_err *err);
void slt_service_close(struct slt_service *s);
SLT_DEFINE_AUTO(struct slt_service *, slt_service_close)
struct slt_side *slt_service_side(const struct slt_service *s, const char *name);
