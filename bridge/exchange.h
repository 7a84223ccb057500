/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One exchange: a request from one side, what it became on the other, the answer and what that
 * became. Owns all of it; its steps are in pipeline.c. Only one thread works on it at a time.
 */

#include "federation/fault.h"
#include "federation/message.h"
#include "federation/rest.h"
#include "federation/transport.h"
#include "msglog.h"
#include "route.h"
#include "server.h"
#include "service.h"

#define SLT_STEPS_MAX 20

enum slt_leg { SLT_NEAR, SLT_FAR }; /* the caller's side, the provider's side */

/* A metaservice, which the bridge answers itself: there is no other leg (PR-META, PR-MREST). */
enum slt_meta {
	SLT_META_NONE,
	SLT_META_LIST_METHODS,
	SLT_META_ALLOWED_METHODS,
	SLT_META_GET_WSDL,
	SLT_META_GET_OPENAPI,
};

struct slt_protocol;

/* What a message is called on one leg, in whatever protocol. */
struct slt_names {
	struct slt_id client, service;
	const char *id;
};

struct slt_exchange {
	struct slt_service *service;
	struct slt_arena *arena;
	char id[37];
	struct slt_request *request; /* to be answered exactly once; NULL afterwards */
	const char *peer;	     /* address of the caller's security server */
	X509 *peer_chain[SLT_CHAIN_MAX];
	size_t n_peer_chain;

	struct slt_side *side[2];     /* by leg */
	struct slt_globalconf *gc[2]; /* the same snapshots for the whole exchange */
	struct slt_mapset *mapset;    /* likewise */
	enum slt_meta meta;
	struct slt_call_route route; /* config NULL for a metaservice */
	const struct slt_protocol *protocol;
	struct slt_names named[2]; /* by leg; client.type NONE until it is known */

	struct slt_message *request_in, *request_out, *answer_in, *answer_out;
	/* x-original-content-type and x-original-soapaction of request and answer, or NULL */
	char *original_type[2], *original_action;
	/* SOAP; soap_answer is also the provider's fault, in both protocols. Who receives a message
	 * puts them there where he has parsed it. */
	struct slt_soap *soap_in, *soap_answer;
	struct slt_soap_header header_out; /* of the request sent */
	/* REST */
	struct slt_rest *rest_in, *rest_out, *rest_answer;
	struct slt_digest rest_hash[2];	  /* of the request, by leg */
	struct slt_map_result *mapped[2]; /* request, answer */
	struct slt_str trace[2], rules;	  /* JSON, in the arena */

	struct slt_msglog_record record; /* being logged */
	bool sent;			 /* the request may have reached the provider */
	bool settled;			 /* a genuine answer is logged, or a fault tells */
	bool logged;			 /* the exchange is open in the message log */
	bool repeated;			 /* the client has used the message id before */
	struct slt_bytes fault_in;	 /* the provider's side answered with this SOAP Fault */

	unsigned step;
	struct slt_err err; /* why it fails */
	int64_t started_us, mark_us;
	int64_t spent_us[SLT_STEPS_MAX]; /* by step */
};

/* Takes the message; the request will be answered through it. */
struct slt_exchange *slt_exchange_new(struct slt_service *s, struct slt_side *near,
				      struct slt_request *request, struct slt_message *take_in);
void slt_exchange_free(struct slt_exchange *x);

/* Runs the steps from the current one on, on a worker. */
void slt_pipeline_run(void *exchange);
/* "authenticate", "verify", …; NULL where there is no such step. */
const char *slt_pipeline_step_name(unsigned step);
/* Goes on after a step that waits; err NULL on success. From any thread. */
void slt_pipeline_resume(struct slt_exchange *x, const struct slt_err *err);
/* userId with the caller's country before it (PR-MESS: two-letter ISO code), once; NULL for NULL.
 */
const char *slt_exchange_user(const struct slt_exchange *x, const char *user);
/* It fails after the request may have reached the provider, and nothing tells what became of it. */
bool slt_exchange_outcome_unknown(const struct slt_exchange *x);
/* The fault code that the caller gets for x->err. */
void slt_exchange_fault_code(const struct slt_exchange *x, char *ret, size_t n);
/* What a peer is told of an error: no addresses, paths or state of the bridge. */
const char *slt_exchange_public_text(const struct slt_err *e);
/* The fault code for the logs: a provider's own only if it looks like a code, and not like a
 * sentence or somebody's number. */
void slt_exchange_logged_code(const struct slt_exchange *x, char *ret, size_t n);
/* Why it fails, for the logs: what looks like a personal code is masked, a provider's words are
 * left out. In the exchange's arena. */
const char *slt_exchange_logged_text(const struct slt_exchange *x);
/* Answers x->request with x->err: for a message that the rules refuse, with the sentences for the
 * pharmacist in each language and the structured problems as detail. */
void slt_exchange_answer_fault(struct slt_exchange *x);

struct slt_fault_answer {
	const char *code, *text, *id;
	enum slt_dialect dialect;
	const char *detail_xml;	 /* for <detail>; NULL if none */
	const char *detail_json; /* the same as members of a JSON object */
};
/* Answers a request with a SOAP Fault, as security servers do: HTTP 200, text/xml. */
void slt_fault_answer_soap(struct slt_request *request, const struct slt_fault_answer *f);
/* Counts an exchange that has ended (metrics.h). */
void slt_exchange_count(const struct slt_exchange *x);
/* Exchanges that are under way in this process. */
unsigned slt_exchange_active(void);
