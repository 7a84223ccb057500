/* SPDX-License-Identifier: MIT */
#pragma once

/* One message at the server end, shared by peer_server.c (up to the service) and peer_answer.c
 * (the service and the way back). */

#include "federation/rest.h"
#include "federation/transport.h"
#include "tests/instance/peer.h"

struct slt_exchange {
	struct slt_box *b;
	struct slt_peer_server *p;
	struct slt_request *r;
	X509 *const *chain; /* the TLS peer's; borrowed from the connection */
	size_t n_chain;
	struct slt_transport_reader *reader;
	struct slt_globalconf *gc;
	struct slt_soap *soap; /* the request's head, one of the two */
	struct slt_rest *rest, *rest_answer;
	struct slt_id client, service; /* what it says */
	const char *id;
	struct slt_id provider;
	const char *service_url; /* of the provider's information system */
	struct slt_message *request, *answer;
	char *answer_type;		/* the service's content type */
	struct slt_soap *service_fault; /* the service answered with one */
	enum slt_fault fault;
};

/* peer_rest.c: for REST what its namesakes do. */
SLT_CHECK bool slt_exchange_read_rest(struct slt_exchange *x, const struct slt_message *m,
				      struct slt_err *err);
SLT_CHECK bool slt_exchange_call_rest(struct slt_exchange *x, struct slt_err *err);
SLT_CHECK bool slt_exchange_head_rest(struct slt_exchange *x, struct slt_err *err);

/* Sends the request to the information system; a SOAP Fault of its own goes to service_fault, with
 * failure. */
SLT_CHECK bool slt_exchange_call(struct slt_exchange *x, struct slt_err *err);
/* Makes the service's answer a signed message. */
SLT_CHECK bool slt_exchange_sign(struct slt_exchange *x, struct slt_err *err);
/* Answers the request: with the message, with the service's own fault, with an error. */
void slt_exchange_send(struct slt_exchange *x);
void slt_exchange_send_fault(const struct slt_exchange *x);
void slt_exchange_refuse(struct slt_request *r, struct slt_err *err);
