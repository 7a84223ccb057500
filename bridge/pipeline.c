/* SPDX-License-Identifier: MIT */
/*
 * The way of a message: a table of steps, run in order. A step either goes on, waits (and is
 * resumed by whoever it waits for), or fails, which leads to the fault and from there to the end.
 * Nothing passes unverified and nothing passes unlogged: each logging step waits until its record
 * is on disk before the next step lets the other party see its effect.
 */
#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bearer.h"
#include "leg.h"
#include "meta.h"
#include "metrics.h"
#include "protocol.h"
#include "translate.h"

enum result { GO_ON, WAIT, FAIL };

/* --- the caller's request ----------------------------------------------------------------- */

static enum result authenticate(struct slt_exchange *x, struct slt_err *err)
{
	return slt_side_globalconf(x->side[SLT_NEAR], slt_now_ms(), &x->gc[SLT_NEAR], err) &&
			       x->protocol->read_request(x, err) &&
			       slt_bearer_of(x->side[SLT_NEAR])->admit(x, err)
		       ? GO_ON
		       : FAIL;
}

static bool is_behind(const struct slt_exchange *x, enum slt_leg leg)
{
	return slt_bearer_of(x->side[leg])->behind;
}

static void message_signed(void *arg, const struct slt_err *err)
{
	slt_pipeline_resume(arg, err);
}

/* Behind a security server this is the bridge's seal, on messages that come, too. */
static enum result sign(struct slt_exchange *x, enum slt_leg leg, struct slt_message *m)
{
	struct slt_sign_queue *q = slt_service_sign_queue(x->service, x->side[leg]);

	if (!q) {
		return GO_ON;
	}
	slt_sign_queue_add(q, m, message_signed, x);
	return WAIT;
}

static enum result verify(struct slt_exchange *x, struct slt_err *err)
{
	if (is_behind(x, SLT_NEAR)) {
		return sign(x, SLT_NEAR, x->request_in);
	}
	return slt_leg_verify(x->side[SLT_NEAR], x->gc[SLT_NEAR], x->request_in,
			      &x->named[SLT_NEAR].client, slt_now_ms(), err)
		       ? GO_ON
		       : FAIL;
}

static enum result authorise(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_names *n = &x->named[SLT_NEAR];

	x->meta = x->protocol->meta(x);
	if (x->meta) {
		return slt_route_check_provider(x, &n->service, err) &&
				       x->protocol->authorise(x, err)
			       ? GO_ON
			       : FAIL;
	}
	if (!slt_route_find(x, &n->service, &x->route, err) ||
	    !slt_route_authorise(&x->route, x->gc[SLT_NEAR], &n->client, err) ||
	    !x->protocol->authorise(x, err)) {
		return FAIL;
	}
	x->side[SLT_FAR] = slt_service_side(x->service, x->route.config->to);
	x->named[SLT_FAR] = (struct slt_names){slt_side_config(x->side[SLT_FAR])->subsystem,
					       x->route.target, n->id};
	return slt_side_globalconf(x->side[SLT_FAR], slt_now_ms(), &x->gc[SLT_FAR], err) ? GO_ON
											 : FAIL;
}

/* --- logging ------------------------------------------------------------------------------ */

static void logged(void *arg, const struct slt_err *err)
{
	struct slt_err copy;

	if (err) {
		copy = *err;
		slt_prefix(&copy, SLT_LOGGING_FAILED);
	}
	slt_pipeline_resume(arg, err ? &copy : NULL);
}

static enum result append(struct slt_exchange *x, enum slt_leg leg, const struct slt_message *m,
			  unsigned mapped)
{
	const struct slt_names *h = &x->named[leg];
	bool response = m == x->answer_in || m == x->answer_out;

	x->record = (struct slt_msglog_record){
		.exchange = x->id,
		.side = slt_side_name(x->side[leg]),
		.sealer = is_behind(x, leg) ? slt_side_config(x->side[leg])->subsystem_text : NULL,
		.response = response,
		.sent = m == x->request_out || m == x->answer_out,
		.at_ms = slt_now_ms(),
		.route = x->meta ? SLT_META_ROUTE : x->route.config->name,
		.message_id = h->id,
		.client = slt_id_text(&h->client, x->arena),
		.service = slt_id_text(&h->service, x->arena),
		.message = m,
		.refuse_duplicate = m == x->request_in && x->route.once,
		.ret_repeated = m == x->request_in ? &x->repeated : NULL,
	};
	if (x->record.sent) {
		x->record.trace = x->trace[mapped];
		x->record.rules = x->rules;
	}
	slt_msglog_append(x->service->log, &x->record, logged, x);
	return WAIT;
}

static enum result log_request_in(struct slt_exchange *x, struct slt_err *err)
{
	(void)err;
	return append(x, SLT_NEAR, x->request_in, 0);
}

static enum result log_request_out(struct slt_exchange *x, struct slt_err *err)
{
	(void)err;
	return append(x, SLT_FAR, x->request_out, 0);
}

static enum result log_answer_in(struct slt_exchange *x, struct slt_err *err)
{
	(void)err;
	return append(x, SLT_FAR, x->answer_in, 0);
}

static enum result log_answer_out(struct slt_exchange *x, struct slt_err *err)
{
	(void)err;
	return append(x, SLT_NEAR, x->answer_out, 1);
}

/* --- translating -------------------------------------------------------------------------- */

static enum result map_request(struct slt_exchange *x, struct slt_err *err)
{
	return x->protocol->map_request(x, err) ? GO_ON : FAIL;
}

static enum result map_answer(struct slt_exchange *x, struct slt_err *err)
{
	return x->protocol->map_answer(x, err) ? GO_ON : FAIL;
}

static enum result answer_meta(struct slt_exchange *x, struct slt_err *err)
{
	return x->protocol->answer_meta(x, err) ? GO_ON : FAIL;
}

/* --- signing, sending --------------------------------------------------------------------- */

static enum result sign_request(struct slt_exchange *x, struct slt_err *err)
{
	return slt_bearer_of(x->side[SLT_FAR])->equip(x, err) ? sign(x, SLT_FAR, x->request_out)
							      : FAIL;
}

static enum result send_request(struct slt_exchange *x, struct slt_err *err)
{
	(void)err;
	slt_bearer_of(x->side[SLT_FAR])->call(x);
	return WAIT;
}

/* What a security server refuses before it passes a request on, to the service or to the other
 * security server: whatever else it finds may have come after that. */
static const enum slt_code before_service[] = {
	SLT_EACCESS_DENIED,    SLT_ECLIENT_PROXY_VERSION,      SLT_EINVALID_SECURITY_SERVER,
	SLT_EMAINTENANCE_MODE, SLT_EMISSING_SIGNATURE,	       SLT_EOUTDATED_GLOBALCONF,
	SLT_ESERVICE_DISABLED, SLT_ESSL_AUTHENTICATION_FAILED, SLT_EUNKNOWN_MEMBER,
	SLT_EUNKNOWN_SERVICE,  SLT_SIGNATURE_VERIFICATION,     SLT_OK,
};
static const enum slt_code before_sending[] = {
	SLT_EACCESS_DENIED,    SLT_ECANNOT_CREATE_SIGNATURE, SLT_EINVALID_SECURITY_SERVER,
	SLT_EMAINTENANCE_MODE, SLT_EOUTDATED_GLOBALCONF,     SLT_ESSL_AUTHENTICATION_FAILED,
	SLT_EUNKNOWN_HOST,     SLT_EUNKNOWN_MEMBER,	     SLT_OK,
};

/* Does a fault tell what became of the request? A service's own does, unless it only says that the
 * service broke; a security server's if it comes of what is found beforehand. */
static bool fault_settles(const char *code)
{
	static const struct {
		const char *prefix;
		const enum slt_code *before;
	} servers[] = {
		{"server.serverproxy.", before_service},
		{"server.clientproxy.", before_sending},
	};

	for (size_t i = 0; code && i < SLT_COUNT(servers); i++) {
		size_t n = strlen(servers[i].prefix);
		if (strncasecmp(code, servers[i].prefix, n) != 0) {
			continue;
		}
		SLT_AUTO_STR char *name = slt_strndup(code + n, strcspn(code + n, "."));
		const enum slt_code c = slt_code_find(name), *at = servers[i].before;
		while (*at != SLT_OK && *at != c) {
			at++;
		}
		return *at != SLT_OK;
	}
	const char *colon = code ? strrchr(code, ':') : NULL;
	return code && strcmp(colon ? colon + 1 : code, "Server") != 0;
}

/* A SOAP Fault instead of an answer: the provider's own or its security server's. Passed on, with
 * the caller's country's code and words where the flow has them. */
static enum result provider_fault(struct slt_exchange *x, struct slt_err *err)
{
	if (!slt_soap_parse(x->fault_in.p, x->fault_in.n, NULL, &x->soap_answer, err)) {
		slt_prefix(err, SLT_SERVICE_FAILED);
		return FAIL;
	}
	if (!x->soap_answer->is_fault) {
		slt_fail(err, SLT_EINVALID_MESSAGE, "the provider's side sent a message unsigned");
		slt_prefix(err, SLT_SERVICE_FAILED);
		return FAIL;
	}
	x->settled = fault_settles(x->soap_answer->fault.code);
	slt_translate_fault(x);
	slt_fail(err, SLT_SERVICE_FAILED, "%s",
		 x->soap_answer->fault.string ? x->soap_answer->fault.string
					      : "fault without text");
	return FAIL;
}

static enum result verify_answer(struct slt_exchange *x, struct slt_err *err)
{
	if (!x->answer_in) {
		return provider_fault(x, err);
	}
	if (!x->protocol->read_answer(x, err) ||
	    (!is_behind(x, SLT_FAR) &&
	     !slt_leg_verify(x->side[SLT_FAR], x->gc[SLT_FAR], x->answer_in, &x->route.target,
			     slt_now_ms(), err)) ||
	    !x->protocol->check_answer(x, err)) {
		return FAIL;
	}
	return is_behind(x, SLT_FAR) ? sign(x, SLT_FAR, x->answer_in) : GO_ON;
}

static enum result sign_answer(struct slt_exchange *x, struct slt_err *err)
{
	(void)err;
	return sign(x, SLT_NEAR, x->answer_out);
}

static enum result answer(struct slt_exchange *x, struct slt_err *err)
{
	(void)err;
	slt_bearer_of(x->side[SLT_NEAR])->answer(x);
	return GO_ON;
}

/* --- the end ------------------------------------------------------------------------------ */

static void finished(void *arg, const struct slt_err *err);

static const char *ms_of(struct slt_exchange *x, int64_t us)
{
	return slt_arena_printf(x->arena, "%.3f", (double)us / 1000.0);
}

/* Whose step: of every exchange, of one that is passed on to the other side, or of one that the
 * bridge answers itself. */
enum whose { EVERY, PASSED, OWN };

static const struct step {
	const char *name;
	enum result (*run)(struct slt_exchange *x, struct slt_err *err);
	enum whose whose;
} steps[SLT_STEPS_MAX];

/* The names in the line's fields are those of the steps, so that a slow one shows. */
static void report(struct slt_exchange *x)
{
	const struct slt_names *h = &x->named[SLT_NEAR];
	bool known = h->client.type != SLT_ID_NONE;
	bool failed = x->err.code != SLT_OK;
	SLT_AUTO_BUF(spent, 1024);
	char code[256] = "";

	for (unsigned i = 0; steps[i].run; i++) {
		if (x->spent_us[i]) {
			slt_buf_addf(&spent, "%s%s:%.2f", spent.n ? " " : "", steps[i].name,
				     (double)x->spent_us[i] / 1000.0);
		}
	}
	if (failed) {
		slt_exchange_logged_code(x, code, sizeof(code));
	}
	/* The owner of the exchange logs a failure once, here; a provider's own fault, or a message
	 * that the rules refuse, is the ordinary course of business. */
	slt_log(SLT_LOG_INFO, failed ? "exchange refused" : "exchange done", "exchange", x->id,
		"route",
		x->route.config ? x->route.config->name
		: x->meta	? SLT_META_ROUTE
				: NULL,
		"side", slt_side_name(x->side[SLT_NEAR]), "peer", x->peer, "client",
		known ? slt_id_text(&h->client, x->arena) : NULL, "service",
		known ? slt_id_text(&h->service, x->arena) : NULL, "id", h->id, "repeated",
		x->repeated ? "yes" : NULL, "ms", ms_of(x, slt_mono_us() - x->started_us), "steps",
		slt_buf_str(&spent).p, "fault", failed ? code : NULL, "why",
		failed ? slt_exchange_logged_text(x) : NULL, NULL);
}

static enum slt_msglog_status outcome(const struct slt_exchange *x)
{
	if (x->err.code == SLT_OK || (x->soap_answer && x->soap_answer->is_fault && x->settled)) {
		return SLT_MSGLOG_DONE;
	}
	return slt_exchange_outcome_unknown(x) ? SLT_MSGLOG_UNKNOWN : SLT_MSGLOG_FAILED;
}

static void finish(struct slt_exchange *x)
{
	char code[256] = "";

	if (x->request) {
		slt_exchange_answer_fault(x);
	}
	slt_exchange_count(x);
	report(x);
	if (!x->logged) {
		slt_exchange_free(x);
		return;
	}
	if (x->err.code != SLT_OK) {
		slt_exchange_logged_code(x, code, sizeof(code));
	}
	slt_msglog_finish(x->service->log, x->id, outcome(x), code[0] ? code : NULL, slt_now_ms(),
			  finished, x);
}

static void finished(void *arg, const struct slt_err *err)
{
	struct slt_exchange *x = arg;

	if (err) {
		slt_log_err(SLT_LOG_WARNING, "the end of an exchange could not be logged", err,
			    "exchange", x->id, NULL);
	}
	slt_exchange_free(x);
}

/* --- the table ---------------------------------------------------------------------------- */

static const struct step steps[SLT_STEPS_MAX] = {
	{"authenticate", authenticate, EVERY},
	{"verify", verify, EVERY},
	{"authorise", authorise, EVERY},
	{"log-request-in", log_request_in, EVERY},
	{"map-request", map_request, PASSED},
	{"sign-request", sign_request, PASSED},
	{"log-request-out", log_request_out, PASSED},
	{"call", send_request, PASSED},
	{"verify-answer", verify_answer, PASSED},
	{"log-answer-in", log_answer_in, PASSED},
	{"map-answer", map_answer, PASSED},
	{"answer-meta", answer_meta, OWN},
	{"sign-answer", sign_answer, EVERY},
	{"log-answer-out", log_answer_out, EVERY},
	{"answer", answer, EVERY},
};

static bool skips(const struct slt_exchange *x, const struct step *s)
{
	return s->run && s->whose == (x->meta ? PASSED : OWN);
}

const char *slt_pipeline_step_name(unsigned step)
{
	return step < SLT_STEPS_MAX ? steps[step].name : NULL;
}

static void account(struct slt_exchange *x)
{
	int64_t now = slt_mono_us();

	if (x->step > 0) {
		x->spent_us[x->step - 1] += now - x->mark_us;
	}
	x->mark_us = now;
}

void slt_pipeline_run(void *exchange)
{
	struct slt_exchange *x = exchange;
	struct slt_err err = SLT_ERR_INIT;

	for (;;) {
		account(x);
		while (skips(x, &steps[x->step])) {
			x->step++;
		}
		if (x->err.code != SLT_OK || !steps[x->step].run) {
			finish(x);
			return;
		}
		const struct step *s = &steps[x->step++];
		enum result r = s->run(x, &err);
		if (r == WAIT) {
			return; /* x may already be at work on another thread */
		}
		if (r == FAIL) {
			x->err = err;
		}
	}
}

void slt_pipeline_resume(struct slt_exchange *x, const struct slt_err *err)
{
	if (err) {
		x->err = *err;
	} else if (x->record.exchange) {
		x->logged = true;
		x->settled = x->settled || (x->record.response && !x->record.sent);
	}
	slt_pool_continue(x->service->pool, slt_pipeline_run, x);
}
