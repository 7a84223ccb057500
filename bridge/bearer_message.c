/* SPDX-License-Identifier: MIT */
/* Behind an ordinary security server: what information systems are answered. */
#include "bearer.h"

#include <stdlib.h>
#include <string.h>

#include "far_message.h"
#include "federation/soapmime_write.h"
#include "inbound_message.h"
#include "metrics.h"

#define FAULT_MAX (2u << 20)

/* Who calls was judged when he connected; the message by the security server. */
static bool admit(struct slt_exchange *x, struct slt_err *err)
{
	(void)x;
	(void)err;
	return true;
}

static bool equip(struct slt_exchange *x, struct slt_err *err)
{
	(void)x;
	(void)err;
	return true;
}

/* --- answering ---------------------------------------------------------------------------- */

struct outgoing { /* outlives the exchange: the caller may read slowly */
	struct slt_message *message;
	struct slt_soapmime_writer *writer; /* SOAP */
	uint64_t at;			    /* REST: of the body */
	size_t side;			    /* for the metrics */
};

static bool outgoing_read(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct outgoing *o = arg;
	bool ok = o->writer
			  ? slt_soapmime_read(o->writer, p, n, ret_n, err)
			  : slt_spool_read(o->message->attachment[0].body, o->at, p, n, ret_n, err);

	if (ok) {
		o->at += *ret_n;
		slt_metrics_add(SLT_M_BYTES, o->side, SLT_WAY_SENT, (int64_t)*ret_n);
	}
	return ok;
}

static void outgoing_free(void *arg)
{
	struct outgoing *o = arg;

	slt_soapmime_writer_free(o->writer);
	slt_message_free(o->message);
	free(o);
}

static void answer_soap(struct slt_request *r, struct outgoing *take_o)
{
	take_o->writer = slt_soapmime_writer_new(take_o->message);
	const struct slt_response_header h = {"Content-Type",
					      slt_soapmime_content_type(take_o->writer)};
	const struct slt_body_source body = {outgoing_read, outgoing_free, take_o};
	slt_respond_stream(r, 200, &h, 1, &body);
}

static void answer_rest(struct slt_request *r, const struct slt_rest *head, struct outgoing *take_o)
{
	struct slt_response_header h[SLT_REST_HEADERS_MAX];
	const struct slt_body_source body = {outgoing_read, outgoing_free, take_o};

	for (size_t i = 0; i < head->n_headers; i++) {
		h[i] = (struct slt_response_header){head->header[i].name, head->header[i].value};
	}
	if (take_o->message->n_attachments > 0) {
		slt_respond_stream(r, (unsigned)head->status, h, head->n_headers, &body);
		return;
	}
	slt_respond(r, (unsigned)head->status, h, head->n_headers, NULL, 0);
	outgoing_free(take_o);
}

static void answer(struct slt_exchange *x)
{
	struct outgoing *o = slt_calloc(1, sizeof(*o));
	SLT_AUTO(slt_rest_free) struct slt_rest *head = NULL;
	struct slt_err err = SLT_ERR_INIT;

	o->side = slt_metrics_side(slt_side_config(x->side[SLT_NEAR]));
	o->message = SLT_TAKE(x->answer_out);
	if (o->message->kind == SLT_SOAP) {
		answer_soap(SLT_TAKE(x->request), o);
	} else if (slt_rest_parse(o->message->head.p, o->message->head.n, &head, &err)) {
		answer_rest(SLT_TAKE(x->request), head, o);
	} else { /* the bridge's own head: logged as sent, and refused after all */
		outgoing_free(o);
		x->err = err;
	}
}

/* --- faults ------------------------------------------------------------------------------- */

static void fault_rest(struct slt_request *r, const struct slt_fault_answer *f)
{
	bool xml = slt_rest_wants_xml(slt_request_header(r, "Accept"));
	const struct slt_response_header headers[] = {
		{"Content-Type",
		 xml ? "text/xml; charset=utf-8" : "application/json; charset=utf-8"},
		/* without it the fault would be an answer: a service's own code may be empty */
		{"X-Road-Error", *f->code ? f->code : "server"},
	};
	SLT_AUTO_BUF(body, FAULT_MAX);

	slt_fault_rest(f->code, f->text, f->id, xml ? f->detail_xml : f->detail_json, xml, &body);
	slt_respond(r, slt_rest_fault_status(f->code, f->dialect), headers, SLT_COUNT(headers),
		    slt_buf_str(&body).p, body.n);
}

static void fault(struct slt_request *r, const struct slt_fault_answer *f)
{
	if (slt_inbound_message_is_rest(r)) {
		fault_rest(r, f);
	} else {
		slt_fault_answer_soap(r, f);
	}
}

const struct slt_bearer slt_bearer_message = {
	.own = SLT_CLIENTPROXY,
	.behind = true,
	.admit = admit,
	.equip = equip,
	.call = slt_far_message_start,
	.answer = answer,
	.fault = fault,
};
