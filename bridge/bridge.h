/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All parts of a bridge that runs, for who starts and stops them (cmd_serve.c) and for who tells
 * how they are (health.c, admin.c, watch.c).
 */

#include "inbound.h"
#include "refresh.h"
#include "service.h"

struct slt_admin;
struct slt_watch;

struct slt_bridge {
	struct slt_service *service;
	struct slt_inbound *inbound[SLT_SIDES_MAX]; /* of the service's side with the same index */
	size_t n_inbound;
	struct slt_refresh *refresh;
	struct slt_admin *admin; /* NULL: there is no admin listener */
	struct slt_watch *watch;
	int64_t started_ms;
	_Atomic bool draining;
};
