/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What depends on how a side meets its instance (enum slt_bearer_kind): the steps of pipeline.c are
 * the same and ask through this table. Either leg of an exchange has its own bearer; which message
 * protocol is spoken is another matter (protocol.h).
 *
 * transport: the bridge is a security server among the others. It verifies and signs.
 * message: the bridge stands behind an ordinary security server, which verifies and signs. Messages
 * are what information systems exchange with it; what the bridge adds to the log is its own seal.
 */

#include "exchange.h"

struct slt_bearer {
	enum slt_code own; /* outermost code of the faults that the bridge itself finds */
	bool behind;	   /* another security server verifies what comes and signs what goes */
	/* Near: what it takes, beside a message that can be read, to be let in. */
	bool (*admit)(struct slt_exchange *x, struct slt_err *err);
	/* Far: what x->request_out takes with it beside its signature. */
	bool (*equip)(struct slt_exchange *x, struct slt_err *err);
	/* Far: sends x->request_out and ends in slt_pipeline_resume() with x->answer_in or
	 * x->fault_in set, or with an error. */
	void (*call)(struct slt_exchange *x);
	/* Near: answers x->request with x->answer_out, taking both. */
	void (*answer)(struct slt_exchange *x);
	/* Near: answers a request with a fault. */
	void (*fault)(struct slt_request *r, const struct slt_fault_answer *f);
};

extern const struct slt_bearer slt_bearer_transport, slt_bearer_message;

const struct slt_bearer *slt_bearer_of(const struct slt_side *side);
