/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calling the provider's security server over the message transport: address selection, the TLS
 * peer's judgement with OCSP from its relay, sending, and reading the answer as it streams in.
 */

#include "exchange.h"

/* Sends x->request_out to a server of x->route.target and ends in slt_pipeline_resume() with
 * x->answer_in or x->fault_in set, or with an error.
 *
 * Several addresses are connected to at the same time; the first that is connected and trusted gets
 * the request, is remembered for its provider (slt_fastest) and has a head start the next time. As
 * long as nothing was sent the others are tried, within the route's deadline. Never sends twice. */
void slt_far_call_start(struct slt_exchange *x);
