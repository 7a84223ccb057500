/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The listeners of a side. Bearer transport: the message transport (5500), where other security
 * servers deliver requests, and the OCSP relay (5577), where they ask for the OCSP responses of the
 * bridge's TLS certificate. Bearer message: one for information systems (inbound_message.h).
 */

#include "server.h"
#include "service.h"

struct slt_exchange;

struct slt_inbound {
	struct slt_service *service;
	struct slt_side *side;
	struct slt_server *requests;
	struct slt_server *relay; /* NULL with bearer message */
};

SLT_CHECK bool slt_inbound_start(struct slt_service *s, struct slt_side *side,
				 struct slt_inbound **ret, struct slt_err *err);
/* No new connections. */
void slt_inbound_quiesce(struct slt_inbound *i);
/* All exchanges must have been answered. */
void slt_inbound_stop(struct slt_inbound *i);
SLT_DEFINE_AUTO(struct slt_inbound *, slt_inbound_stop)

/* --- for both listeners for requests --- */

/* Must the caller present a certificate? */
bool slt_inbound_wants_certificate(const struct slt_side *side);
/* Answers a request that got no exchange, logs and counts it. `code` is told in place of the
 * error's unless it is NULL. The outermost code is the bearer's own where it is not SLT_CLIENT. */
void slt_inbound_refuse(struct slt_inbound *in, struct slt_request *r, const struct slt_err *err,
			const char *code);
/* Takes the exchange, which begins; SLT_EBUSY when it may not. */
SLT_CHECK bool slt_inbound_submit(struct slt_inbound *in, struct slt_exchange *take_x,
				  struct slt_err *err);
