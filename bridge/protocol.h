/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What depends on the message protocol of an exchange, SOAP or REST: the steps of pipeline.c are
 * the same for both and ask through this table. speak_soap.c and speak_rest.c fill it in.
 */

#include "exchange.h"

struct slt_protocol {
	enum slt_message_kind kind;
	/* Reads x->request_in and fills in x->named[SLT_NEAR]. */
	bool (*read_request)(struct slt_exchange *x, struct slt_err *err);
	/* Which metaservice the request calls: those of one protocol are none of the other. */
	enum slt_meta (*meta)(const struct slt_exchange *x);
	/* What the protocol has to ask beyond route and client, both of which are known. */
	bool (*authorise)(struct slt_exchange *x, struct slt_err *err);
	/* Makes x->request_out, unsigned, as x->named[SLT_FAR] says. */
	bool (*map_request)(struct slt_exchange *x, struct slt_err *err);
	/* Reads x->answer_in; then, once its signature was verified, joins it to the request. */
	bool (*read_answer)(struct slt_exchange *x, struct slt_err *err);
	bool (*check_answer)(struct slt_exchange *x, struct slt_err *err);
	/* Makes x->answer_out, unsigned: out of x->answer_in, or what a metaservice answers. */
	bool (*map_answer)(struct slt_exchange *x, struct slt_err *err);
	bool (*answer_meta)(struct slt_exchange *x, struct slt_err *err);
	/* What x-original-content-type tells when the other leg told nothing; NULL: nothing. */
	const char *original_type;
	bool tells_answer_type; /* x-original-content-type goes with answers, too */
};

extern const struct slt_protocol slt_speak_soap, slt_speak_rest;

SLT_UNUSED static inline const struct slt_protocol *slt_protocol_of(enum slt_message_kind kind)
{
	return kind == SLT_REST ? &slt_speak_rest : &slt_speak_soap;
}
