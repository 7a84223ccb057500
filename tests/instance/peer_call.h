/* SPDX-License-Identifier: MIT */
#pragma once

/* One message at the client end, shared by peer_client.c (the way to the provider and back) and
 * peer_rest.c (what is particular to REST). */

#include "federation/rest.h"
#include "federation/transport.h"
#include "tests/instance/peer.h"

#define SLT_PEER_ADDRESSES_MAX 16

struct slt_peer_call {
	struct slt_box *b;
	struct slt_request *r;
	struct slt_str body;
	bool is_rest;
	enum slt_fault fault;
	struct slt_globalconf *gc;
	struct slt_message *request, *answer;
	struct slt_soap *soap; /* the request's head, one of the two */
	struct slt_rest *rest;
	/* what the head says */
	struct slt_id client, service, wanted; /* wanted: security server, NONE if any will do */
	const char *id;
	struct slt_id provider;
	const struct slt_gc_server *server[SLT_PEER_ADDRESSES_MAX];
	size_t n_servers;
	struct slt_transport_writer *writer; /* the request as it is sent: a stream, */
	struct slt_buf wire;		     /* or bytes */
	char *wire_type;
	struct slt_bytes peer_fault; /* the provider's side answered with one */
};

/* The request of the information system as a message, its head parsed. */
SLT_CHECK bool slt_peer_rest_receive(struct slt_peer_call *x, struct slt_err *err);
/* The answer's head belongs to the request. */
SLT_CHECK bool slt_peer_rest_check(const struct slt_peer_call *x, struct slt_err *err);
/* Back to the information system: the answer, the peer's fault, or an error. */
void slt_peer_rest_answer(struct slt_peer_call *x);
void slt_peer_rest_refuse(const struct slt_peer_call *x, const struct slt_err *err);
