/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calling a provider through an ordinary security server, as an information system of the side's
 * own subsystem does: SOAP posted to its root, REST under /r1/. The security server finds the
 * provider, verifies and signs; the bridge trusts it for that, and knows it by its certificate.
 *
 * An answer of SOAP is checked in full: it carries the hash of the bytes that were posted. Of one
 * of REST x-road-id, x-road-client and x-road-service are compared with the request;
 * x-road-request-id and the hash cannot be, since the security server completes the head that they
 * belong to.
 */

#include "exchange.h"

/* Sends x->request_out to the far side's security server and ends in slt_pipeline_resume() with
 * x->answer_in or x->fault_in set, or with an error. A REST answer with X-Road-Error is a fault of
 * a security server's, and becomes x->fault_in; every other status is the provider's answer.
 * Redirects are not followed, and nothing is ever sent twice. */
void slt_far_message_start(struct slt_exchange *x);
