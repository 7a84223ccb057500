/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The listeners of a side: the message transport (5500), where other security servers deliver
 * requests, and the OCSP relay (5577), where they ask for the OCSP responses of the bridge's TLS
 * certificate.
 */

#include "server.h"
#include "service.h"

struct slt_inbound;
SLT_CHECK bool slt_inbound_start(struct slt_service *s, struct slt_side *side,
				 struct slt_inbound **ret, struct slt_err *err);
/* Borrowed: for ports and counts. */
const struct slt_server *slt_inbound_transport(const struct slt_inbound *i);
const struct slt_server *slt_inbound_relay(const struct slt_inbound *i);
/* No new connections. */
void slt_inbound_quiesce(struct slt_inbound *i);
/* All exchanges must have been answered. */
void slt_inbound_stop(struct slt_inbound *i);
SLT_DEFINE_AUTO(struct slt_inbound *, slt_inbound_stop)
