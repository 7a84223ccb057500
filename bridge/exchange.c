/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uuid/uuid.h>

#include "base/clock.h"
#include "bearer.h"
#include "protocol.h"

#define FAULT_DETAIL_MAX (512u << 10)

static _Atomic unsigned active;

unsigned slt_exchange_active(void)
{
	return atomic_load(&active);
}

struct slt_exchange *slt_exchange_new(struct slt_service *s, struct slt_side *near,
				      struct slt_request *request, struct slt_message *take_in)
{
	struct slt_exchange *x = slt_calloc(1, sizeof(*x));
	uuid_t id;

	x->service = s;
	x->mapset = slt_service_mapset(s);
	x->arena = slt_arena_new();
	x->side[SLT_NEAR] = near;
	x->request = request;
	x->request_in = take_in;
	x->protocol = slt_protocol_of(take_in->kind);
	x->peer = slt_arena_strdup(x->arena, slt_request_peer(request));
	X509 *const *chain = slt_request_peer_chain(request, &x->n_peer_chain);
	for (size_t i = 0; i < x->n_peer_chain; i++) {
		X509_up_ref(chain[i]);
		x->peer_chain[i] = chain[i];
	}
	uuid_generate(id);
	uuid_unparse_lower(id, x->id);
	x->started_us = x->mark_us = slt_mono_us();
	atomic_fetch_add(&active, 1);
	return x;
}

void slt_exchange_free(struct slt_exchange *x)
{
	for (size_t i = 0; i < x->n_peer_chain; i++) {
		X509_free(x->peer_chain[i]);
	}
	for (int leg = 0; leg < 2; leg++) {
		slt_globalconf_free(x->gc[leg]);
		slt_map_result_free(x->mapped[leg]);
		free(x->original_type[leg]);
	}
	slt_message_free(x->request_in);
	slt_message_free(x->request_out);
	slt_message_free(x->answer_in);
	slt_message_free(x->answer_out);
	slt_soap_free(x->soap_in);
	slt_soap_free(x->soap_answer);
	slt_rest_free(x->rest_in);
	slt_rest_free(x->rest_out);
	slt_rest_free(x->rest_answer);
	free(x->original_action);
	free(x->fault_in.p);
	slt_mapset_free(x->mapset); /* after mapped[], whose problems use its sentences */
	slt_arena_free(x->arena);
	free(x);
	atomic_fetch_sub(&active, 1);
}

const char *slt_exchange_user(const struct slt_exchange *x, const char *user)
{
	const char *country = slt_side_config(x->side[SLT_NEAR])->country;

	if (!user || strncmp(user, country, strlen(country)) == 0) {
		return user;
	}
	return slt_arena_printf(x->arena, "%s%s", country, user);
}

/* --- faults ------------------------------------------------------------------------------- */

static const char *const languages[] = {"et", "fi", "en"};

/* Failures whose text names addresses, paths or the state of the bridge: a peer is told the kind,
 * the log has the words, and the exchange id in both joins them. */
static bool is_own_affair(enum slt_code code)
{
	static const enum slt_code list[] = {
		SLT_EIO,
		SLT_ENETWORK,
		SLT_EUNKNOWN_HOST,
		SLT_EHTTP,
		SLT_EDATABASE,
		SLT_EOUTDATED_GLOBALCONF,
		SLT_ECONFIG,
		SLT_EDEADLINE,
		SLT_ECANNOT_CREATE_SIGNATURE,
		SLT_EOUTCOME_UNKNOWN,
		SLT_ESERVICE_MALFORMED_URL,
	};

	for (size_t i = 0; i < SLT_COUNT(list); i++) {
		if (list[i] == code) {
			return true;
		}
	}
	return false;
}

const char *slt_exchange_public_text(const struct slt_err *e)
{
	return is_own_affair(e->code) ? slt_code_text(e->code) : e->msg;
}

bool slt_exchange_outcome_unknown(const struct slt_exchange *x)
{
	return x->sent && !x->settled && x->err.code != SLT_OK;
}

static bool is_unreachable(enum slt_code code)
{
	return code == SLT_ENETWORK || code == SLT_EUNKNOWN_HOST || code == SLT_EMAINTENANCE_MODE;
}

/* What is to be said of an answer that never came; NULL where one came. */
static const char *advice(const struct slt_exchange *x)
{
	return slt_exchange_outcome_unknown(x) ? "FED-LNK-002"
	       : is_unreachable(x->err.code)   ? "FED-LNK-001"
					       : NULL;
}

/* What a person reads: the sentences of the first problem in each language, else the error. */
static void fault_text(const struct slt_exchange *x, struct slt_buf *out)
{
	const struct slt_map_result *r = x->mapped[1] ? x->mapped[1] : x->mapped[0];
	const struct slt_map_problem *p = r && r->problems ? slt_problems_first(r->problems) : NULL;
	const char *said = advice(x);

	if (said && x->mapset) {
		for (size_t i = 0; i < SLT_COUNT(languages); i++) {
			slt_buf_addf(out, "[%s] %s ", languages[i],
				     slt_mapset_message(x->mapset, said, languages[i]));
		}
		slt_buf_addf(out, "(%s)", slt_exchange_public_text(&x->err));
		return;
	}
	if (!p) {
		slt_buf_adds(out, slt_exchange_public_text(&x->err));
		return;
	}
	for (size_t i = 0; i < SLT_COUNT(languages); i++) {
		slt_buf_addf(out, "%s[%s] ", i ? " " : "", languages[i]);
		slt_problem_text(r->problems, p, languages[i], out);
	}
}

/* The members within the braces of what slt_problems_json() writes. */
static void problems_members(const struct slt_problems *p, struct slt_buf *out)
{
	SLT_AUTO_BUF(json, FAULT_DETAIL_MAX);

	slt_problems_json(p, &json);
	struct slt_str all = slt_buf_str(&json);
	const char *end = all.n ? memrchr(all.p, '}', all.n) : NULL;
	if (end) {
		slt_buf_add(out, all.p + 1, (size_t)(end - all.p) - 1);
	}
}

/* What a program reads: the same in XML and in JSON. */
static void fault_detail(const struct slt_exchange *x, struct slt_buf *xml, struct slt_buf *json)
{
	const struct slt_map_result *r = x->mapped[1] ? x->mapped[1] : x->mapped[0];
	const char *said = advice(x);

	if (said) {
		/* X-Road's codes are the same before and after the request was sent: a program that
		 * would send again must be able to see which it was */
		slt_buf_addf(xml,
			     "<problems xmlns=\"" SLT_NS_PROBLEMS "\"><problem code=\"%s\" "
			     "severity=\"error\"/></problems>",
			     said);
		slt_buf_addf(json, "\"problems\":[{\"code\":\"%s\",\"severity\":\"error\"}]", said);
	} else if (r && r->problems && slt_problems_first(r->problems)) {
		slt_problems_xml(r->problems, xml);
		problems_members(r->problems, json);
	}
}

/* What an information system is told by the provider's server, not by its own. */
static bool is_providers(enum slt_code c)
{
	return c == SLT_EACCESS_DENIED || c == SLT_EUNKNOWN_SERVICE || c == SLT_ESERVICE_TYPE;
}

void slt_exchange_fault_code(const struct slt_exchange *x, char *ret, size_t n)
{
	struct slt_err e = x->err;

	if (x->soap_answer && x->soap_answer->is_fault) {
		snprintf(ret, n, "%s",
			 x->soap_answer->fault.code ? x->soap_answer->fault.code : "");
		return;
	}
	/* what happens beyond the bridge is, to a caller's security server, the service behind it;
	 * once there is an answer it is the bridge's own affair again. Who takes the bridge for his
	 * own security server is told of it as such. */
	const struct slt_bearer *b = slt_bearer_of(x->side[SLT_NEAR]);
	if (!b->behind && (x->request_out || x->mapped[0]) && !x->answer_out) {
		slt_prefix(&e, SLT_SERVICE_FAILED);
	}
	slt_prefix(&e, is_providers(e.code) ? SLT_SERVERPROXY : b->own);
	slt_err_fault_code(&e, (enum slt_dialect)slt_side_config(x->side[SLT_NEAR])->dialect, ret,
			   n);
}

/* Words joined by signs, no blank, and no run of digits as long as in a personal code. */
static bool is_code(const char *s)
{
	size_t digits = 0;

	for (const char *p = s; *p; p++) {
		bool digit = *p >= '0' && *p <= '9';
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
		digits = digit ? digits + 1 : 0;
		if (digits > 5 || (!digit && !letter && !strchr("._:-", *p))) {
			return false;
		}
	}
	return *s != '\0';
}

void slt_exchange_logged_code(const struct slt_exchange *x, char *ret, size_t n)
{
	slt_exchange_fault_code(x, ret, n);
	if (x->soap_answer && x->soap_answer->is_fault && !is_code(ret)) {
		snprintf(ret, n, "provider_fault");
	}
}

/* The length of what may be a personal code at p: eleven digits, or six and a sign of the century,
 * three and a check character; 0 when it is none. */
static size_t personal_code(const char *p)
{
	size_t n = strspn(p, "0123456789");

	if (n == 11) {
		return n;
	}
	if (n != 6 || !p[6] || !strchr("+-ABCDEFUVWXYabcdefuvwxy", p[6]) ||
	    strspn(p + 7, "0123456789") < 3) {
		return 0;
	}
	return p[10] ? 11 : 10;
}

const char *slt_exchange_logged_text(const struct slt_exchange *x)
{
	if (x->soap_answer && x->soap_answer->is_fault) {
		return "the provider answered with a fault";
	}
	char *text = slt_arena_strdup(x->arena, x->err.msg);
	for (char *p = text; *p;) {
		size_t digits = strspn(p, "0123456789"), n = personal_code(p);
		memset(p, '*', n);
		p += n ? n : digits ? digits : 1;
	}
	return text;
}

void slt_fault_answer_soap(struct slt_request *request, const struct slt_fault_answer *f)
{
	static const struct slt_response_header headers[] = {
		{"Content-Type", "text/xml; charset=utf-8"},
		{"SOAPAction", ""},
	};
	SLT_AUTO_BUF(body, 2 * FAULT_DETAIL_MAX);

	slt_fault_soap(f->code, f->text, NULL, f->id, f->detail_xml, &body);
	slt_respond(request, 200, headers, SLT_COUNT(headers), slt_buf_str(&body).p, body.n);
}

void slt_exchange_answer_fault(struct slt_exchange *x)
{
	SLT_AUTO_BUF(text, 65536);
	SLT_AUTO_BUF(xml, FAULT_DETAIL_MAX);
	SLT_AUTO_BUF(json, FAULT_DETAIL_MAX);
	char code[256];

	slt_exchange_fault_code(x, code, sizeof(code));
	fault_text(x, &text);
	fault_detail(x, &xml, &json);
	/* one that became too long would be broken in the middle */
	const struct slt_fault_answer f = {
		.code = code,
		.text = slt_buf_str(&text).p,
		.id = x->id,
		.dialect = (enum slt_dialect)slt_side_config(x->side[SLT_NEAR])->dialect,
		.detail_xml = xml.n && !xml.failed ? slt_buf_str(&xml).p : NULL,
		.detail_json = json.n && !json.failed ? slt_buf_str(&json).p : NULL,
	};
	slt_bearer_of(x->side[SLT_NEAR])->fault(SLT_TAKE(x->request), &f);
}
