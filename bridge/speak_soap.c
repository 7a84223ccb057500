/* SPDX-License-Identifier: MIT */
/* Message protocol 4.0 for SOAP. */
#include "protocol.h"

#include <stdlib.h>

#include "meta.h"
#include "translate.h"

static bool read_request(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_message *m = x->request_in;

	if (!x->soap_in &&
	    !slt_soap_parse(m->head.p, m->head.n, m->content_type, &x->soap_in, err)) {
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

	if (!x->soap_answer &&
	    !slt_soap_parse(m->head.p, m->head.n, m->content_type, &x->soap_answer, err)) {
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

static struct slt_soap_header answer_header(struct slt_exchange *x)
{
	struct slt_soap_header h = x->soap_in->header;
	SLT_AUTO_BUF(hash, 256);

	/* the caller compares with its own request, which the provider never saw */
	slt_buf_add_base64(&hash, x->request_in->digest.v, x->request_in->digest.n);
	h.request_hash = slt_arena_strdup(x->arena, slt_buf_str(&hash).p);
	h.request_hash_alg = slt_digest_uri(x->request_in->digest.alg);
	return h;
}

static bool map_answer(struct slt_exchange *x, struct slt_err *err)
{
	struct slt_soap_header h = answer_header(x);

	return slt_translate(x, x->answer_in, x->soap_answer, &h, true, &x->answer_out, err);
}

/* --- metaservices ------------------------------------------------------------------------- */

static enum slt_meta meta(const struct slt_exchange *x)
{
	return slt_meta_soap(x->named[SLT_NEAR].service.service);
}

static bool attach_wsdl(struct slt_exchange *x, const struct slt_buf *wsdl, struct slt_message *m,
			struct slt_err *err)
{
	SLT_AUTO(slt_spool_free)
	struct slt_spool *body = slt_spool_new(NULL, SLT_META_BYTES_MAX, SLT_META_BYTES_MAX);
	SLT_AUTO_STR char *headers = slt_asprintf("Content-Transfer-Encoding: binary\r\n"
						  "Content-ID: <wsdl=%s@x-road.eu>\r\n",
						  x->id);

	/* what the service would have said: X-Road's servers give it to the caller */
	x->original_type[1] = slt_asprintf(
		"multipart/related; type=\"text/xml\"; charset=UTF-8; boundary=silta%s", x->id);
	return slt_spool_write(body, wsdl->p, wsdl->n, err) &&
	       slt_message_attach(m, "text/xml", headers, SLT_TAKE(body), err);
}

static bool answer_meta(struct slt_exchange *x, struct slt_err *err)
{
	SLT_AUTO(slt_message_free) struct slt_message *m = slt_message_new(SLT_SOAP);
	SLT_AUTO(slt_xml_free) xmlDoc *doc = slt_soap_new_envelope();
	SLT_AUTO_BUF(bytes, SLT_META_BYTES_MAX);
	SLT_AUTO_BUF(wsdl, SLT_META_BYTES_MAX);
	struct slt_soap_header h = answer_header(x);
	xmlNode *body = slt_xml_child(xmlDocGetRootElement(doc), SLT_NS_SOAP, "Body");

	slt_soap_set_header(doc, &h);
	if (!slt_meta_soap_answer(x, body, &wsdl, err) ||
	    !slt_xml_dump(doc, NULL, true, &bytes, err) ||
	    (wsdl.n && !attach_wsdl(x, &wsdl, m, err))) {
		return false;
	}
	free(m->content_type);
	m->content_type = slt_strdup(slt_speak_soap.original_type);
	slt_message_set_head(m, bytes.p, bytes.n);
	x->answer_out = SLT_TAKE(m);
	return true;
}

const struct slt_protocol slt_speak_soap = {
	.kind = SLT_SOAP,
	.read_request = read_request,
	.meta = meta,
	.authorise = authorise,
	.map_request = map_request,
	.read_answer = read_answer,
	.check_answer = check_answer,
	.map_answer = map_answer,
	.answer_meta = answer_meta,
	.original_type = "text/xml; charset=UTF-8",
	.tells_answer_type = true,
};
