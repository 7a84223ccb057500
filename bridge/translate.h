/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One leg's message as the other leg's: envelope and attachments through the mapping engine, the
 * header replaced, trace and rules kept for the log.
 */

#include "exchange.h"

/* `in`, whose parsed envelope is soap (its document is used up), with the header given; unsigned
 * yet. Attachments that are not translated are moved out of `in`. The answer's direction is the far
 * side's to the near side's. Fills x->mapped, x->trace and x->rules also where it fails. */
SLT_CHECK bool slt_translate(struct slt_exchange *x, struct slt_message *in, struct slt_soap *soap,
			     const struct slt_soap_header *header, bool answer,
			     struct slt_message **ret, struct slt_err *err);

/* The same for REST: the head given, which the caller has rewritten, and the body, whose bytes are
 * moved out of `in`. */
SLT_CHECK bool slt_translate_rest(struct slt_exchange *x, struct slt_message *in,
				  struct slt_rest *head, bool answer, struct slt_message **ret,
				  struct slt_err *err);

/* x->soap_answer, a provider's fault, with code and words of the caller's country where the flow
 * knows them; left as it is otherwise. */
void slt_translate_fault(struct slt_exchange *x);
