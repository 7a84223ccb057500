/* SPDX-License-Identifier: MIT */
/* Message protocol 4.0 for SOAP. */
#include "protocol.h"

#include "translate.h"

static bool read_request(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_message *m = x->request_in;

	if (!slt_soap_parse(m->head.p, m->head.n, m->content_type, &x->soap_in, err)) {
		return false;
	}
	if (x->soap_in->is_fault || !x->soap_in->is_request) {
		return slt_fail(err, SLT_EINVALID_MESSAGE, "a request was expected");
	}
	const struct slt_soap_header *h = &x->soap_in->header;
	x->named[SLT_NEAR] = (struct slt_names){h->client, h->service, h->id};
	return true;
}

static bool authorise(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_id *server = &x->soap_in->header.server;
	const struct slt_config_side *near = slt_side_config(x->side[SLT_NEAR]);

	return server->type == SLT_ID_NONE || slt_id_eq(server, &near->server) ||
	       slt_fail(err, SLT_EINVALID_SECURITY_SERVER,
			"the request names security server %s, this one is %s",
			slt_id_text(server, x->arena), near->server_text);
}

static bool map_request(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_soap_header *in = &x->soap_in->header;
	const struct slt_names *far = &x->named[SLT_FAR];

	x->header_out = (struct slt_soap_header){
		.client = far->client,
		.service = far->service,
		.id = far->id,
		.protocol_version = "4.0",
		.user_id = slt_exchange_user(x, in->user_id),
		.issue = in->issue,
		.server = x->route.config->server,
	};
	if (x->route.config->represent) {
		x->header_out.party_class = in->client.member_class;
		x->header_out.party_code = in->client.member_code;
	}
	return slt_translate(x, x->request_in, x->soap_in, &x->header_out, false, &x->request_out,
			     err);
}

static bool read_answer(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_message *m = x->answer_in;

	if (!slt_soap_parse(m->head.p, m->head.n, m->content_type, &x->soap_answer, err)) {
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	if (x->soap_answer->is_fault || x->soap_answer->is_request) {
		slt_fail(err, SLT_EINVALID_MESSAGE, "an answer was expected");
		return slt_prefix(err, SLT_SERVICE_FAILED);
	}
	return true;
}

static bool check_answer(struct slt_exchange *x, struct slt_err *err)
{
	return slt_soap_check_answer(&x->header_out, &x->request_out->digest,
				     &x->soap_answer->header, err);
}

static bool map_answer(struct slt_exchange *x, struct slt_err *err)
{
	struct slt_soap_header h = x->soap_in->header;
	SLT_AUTO_BUF(hash, 256);

	/* the caller compares with its own request, which the provider never saw */
	slt_buf_add_base64(&hash, x->request_in->digest.v, x->request_in->digest.n);
	h.request_hash = slt_buf_str(&hash).p;
	h.request_hash_alg = slt_digest_uri(x->request_in->digest.alg);
	return slt_translate(x, x->answer_in, x->soap_answer, &h, true, &x->answer_out, err);
}

const struct slt_protocol slt_speak_soap = {
	.kind = SLT_SOAP,
	.read_request = read_request,
	.authorise = authorise,
	.map_request = map_request,
	.read_answer = read_answer,
	.check_answer = check_answer,
	.map_answer = map_answer,
	.original_type = "text/xml; charset=UTF-8",
	.tells_answer_type = true,
};
