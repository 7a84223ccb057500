/* SPDX-License-Identifier: MIT */
/* Message protocol r1 for REST. The head is rewritten for the other leg; path after the service,
 * query, status and all headers that are not X-Road's own stay byte for byte. */
#include "protocol.h"

#include "bearer.h"
#include "meta.h"
#include "translate.h"

static bool read_request(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_message *m = x->request_in;

	if (!slt_rest_parse(m->head.p, m->head.n, &x->rest_in, err)) {
		return false;
	}
	const struct slt_rest *r = x->rest_in;
	if (r->response) {
		return slt_fail(err, SLT_EINVALID_MESSAGE, "a request was expected");
	}
	if (!r->id || !*r->id) {
		return slt_fail(err, SLT_EMISSING_HEADER_FIELD,
				"the header x-road-id is missing in the REST head");
	}
	x->named[SLT_NEAR] = (struct slt_names){r->client, r->service, r->id};
	return slt_rest_request_hash(m, &x->rest_hash[SLT_NEAR], err);
}

static bool authorise(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_rest *r = x->rest_in;

	return x->meta || slt_route_authorise_rest(&x->route, r->verb, r->service_path, err);
}

/* X-Road knows no security server of another instance by the caller's choice: what the caller named
 * is this one. The route may name one. */
static bool map_request(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_rest *in = x->rest_in;
	const struct slt_names *far = &x->named[SLT_FAR];
	SLT_AUTO(slt_rest_free) struct slt_rest *out = NULL;
	const struct slt_id *named = &x->route.config->server;
	SLT_AUTO_BUF(client, 16 * 3 * SLT_ID_PART_MAX);
	SLT_AUTO_BUF(server, 16 * 3 * SLT_ID_PART_MAX);

	if (!slt_rest_parse(x->request_in->head.p, x->request_in->head.n, &out, err)) {
		return false;
	}
	slt_id_format(&far->client, true, &client);
	slt_rest_set_service(out, &far->service);
	slt_rest_set(out, "x-road-client", slt_buf_str(&client).p);
	if (named->type != SLT_ID_NONE) {
		slt_id_format(named, true, &server);
	}
	slt_rest_set(out, "x-road-security-server", server.n ? slt_buf_str(&server).p : NULL);
	slt_rest_set(out, "x-road-userid", slt_exchange_user(x, in->user_id));
	slt_rest_set_party(out, in->client.member_class,
			   x->route.config->represent ? in->client.member_code : NULL);
	slt_rest_end_request(out, x->id, far->id);
	return slt_translate_rest(x, x->request_in, out, false, &x->request_out, err) &&
	       slt_rest_parse(x->request_out->head.p, x->request_out->head.n, &x->rest_out, err) &&
	       slt_rest_request_hash(x->request_out, &x->rest_hash[SLT_FAR], err);
}

static bool read_answer(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_message *m = x->answer_in;

	if (!slt_rest_parse(m->head.p, m->head.n, &x->rest_answer, err)) {
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	if (!x->rest_answer->response) {
		slt_fail(err, SLT_EINVALID_MESSAGE, "an answer was expected");
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	return true;
}

static bool check_answer(struct slt_exchange *x, struct slt_err *err)
{
	if (slt_bearer_of(x->side[SLT_FAR])->behind) {
		return slt_rest_check_named(x->rest_out, x->rest_answer, err);
	}
	return slt_rest_check_answer(x->rest_out, &x->rest_hash[SLT_FAR], x->rest_answer, err);
}

static bool map_answer(struct slt_exchange *x, struct slt_err *err)
{
	slt_rest_end_response(x->rest_answer, x->rest_in, &x->rest_hash[SLT_NEAR]);
	return slt_translate_rest(x, x->answer_in, x->rest_answer, true, &x->answer_out, err);
}

/* --- metaservices ------------------------------------------------------------------------- */

static enum slt_meta meta(const struct slt_exchange *x)
{
	return slt_meta_rest(x->rest_in->verb, x->named[SLT_NEAR].service.service);
}

static bool answer_meta(struct slt_exchange *x, struct slt_err *err)
{
	SLT_AUTO(slt_message_free) struct slt_message *m = slt_message_new(SLT_REST);
	SLT_AUTO(slt_rest_free) struct slt_rest *head = slt_rest_new_response(200, "OK");
	SLT_AUTO(slt_spool_free)
	struct slt_spool *body = slt_spool_new(NULL, SLT_META_BYTES_MAX, SLT_META_BYTES_MAX);
	SLT_AUTO_BUF(bytes, SLT_REST_HEAD_MAX);
	SLT_AUTO_BUF(json, SLT_META_BYTES_MAX);

	slt_rest_set(head, "Content-Type", SLT_METADATA_TYPE_JSON);
	slt_rest_end_response(head, x->rest_in, &x->rest_hash[SLT_NEAR]);
	slt_rest_format(head, &bytes);
	m->content_type = slt_strdup(SLT_REST_TYPE_RESPONSE);
	slt_message_set_head(m, slt_buf_str(&bytes).p, bytes.n);
	if (!slt_buf_check(&bytes, "the REST head", err) || !slt_meta_rest_answer(x, &json, err) ||
	    !slt_spool_write(body, json.p, json.n, err) ||
	    !slt_message_attach(m, SLT_REST_TYPE_BODY, "", SLT_TAKE(body), err)) {
		return false;
	}
	x->answer_out = SLT_TAKE(m);
	return true;
}

const struct slt_protocol slt_speak_rest = {
	.kind = SLT_REST,
	.read_request = read_request,
	.meta = meta,
	.authorise = authorise,
	.map_request = map_request,
	.read_answer = read_answer,
	.check_answer = check_answer,
	.map_answer = map_answer,
	.answer_meta = answer_meta,
};
