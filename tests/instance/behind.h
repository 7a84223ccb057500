/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The bridge as an information system behind the instance's security server (--bridge-url): where
 * it is, by which certificates it and the security server know each other, and how REST gets there.
 */

#include "tests/instance/peer_exchange.h"

/* b->bridge_url from the options and the ports; stays NULL where the bridge is not behind. */
SLT_CHECK bool slt_behind_set_url(struct slt_box *b, struct slt_err *err);
bool slt_behind_is_tls(const struct slt_box *b);
/* The bridge's own certificate, whoever issued it. SLT_ESSL_AUTHENTICATION_FAILED. */
SLT_CHECK bool slt_behind_is_bridge_cert(const struct slt_box *b, X509 *const *chain, size_t n,
					 struct slt_err *err);
/* Where the bridge is registered with TLS, nobody else speaks for its subsystem. */
SLT_CHECK bool slt_behind_check_client(const struct slt_box *b, const struct slt_request *r,
				       const struct slt_id *client, struct slt_err *err);
/* The request goes to base address, service and path; x->rest_answer and x->answer are what came
 * back. */
SLT_CHECK bool slt_behind_call_rest(struct slt_exchange *x, struct slt_err *err);
