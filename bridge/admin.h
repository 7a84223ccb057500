/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The admin listener: how the bridge is, for load balancers, monitoring and `silta status`. Only on
 * a loopback address (silta.conf(5), admin_listen): it asks nobody who he is. It changes nothing,
 * and tells neither messages nor who exchanged them.
 *
 *   GET /health       200 when no check has failed, else 503; the checks as JSON
 *   GET /health/live  200 as long as the process answers
 *   GET /status       the checks, and what the bridge has done since it was started, as JSON
 *   GET /metrics      Prometheus' text format 0.0.4
 */

#include "bridge.h"

/* The bridge is borrowed until slt_admin_stop(). */
SLT_CHECK bool slt_admin_start(const struct slt_bridge *b, struct slt_admin **ret,
			       struct slt_err *err);
unsigned slt_admin_port(const struct slt_admin *a);
void slt_admin_stop(struct slt_admin *a);
