/* SPDX-License-Identifier: MIT */
/* Among the security servers of an instance: the message transport protocol. */
#include "bearer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "far_call.h"
#include "metrics.h"
#include "protocol.h"

/* Whoever delivers the message is a security server of its client. */
static bool admit(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_message *m = x->request_in;
	struct slt_str der[SLT_OCSP_PARTS_MAX];

	if (m->n_ocsp == 0) {
		return slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
				"the OCSP response for the TLS certificate is missing");
	}
	for (unsigned i = 0; i < m->n_ocsp; i++) {
		der[i] = (struct slt_str){m->ocsp[i].p, m->ocsp[i].n};
	}
	struct slt_globalconf *gc = x->gc[SLT_NEAR];
	SLT_AUTO(slt_verify_cache_free)
	struct slt_verify_cache *known = slt_side_verify_cache(x->side[SLT_NEAR], gc);
	const struct slt_tls_peer peer = {
		gc, x->peer_chain, x->n_peer_chain, {der, m->n_ocsp}, &x->named[SLT_NEAR].client};
	return slt_verify_cache_tls_peer(known, &peer, slt_now_ms(), NULL, err);
}

static bool equip(struct slt_exchange *x, struct slt_err *err)
{
	struct slt_message *m = x->request_out;
	size_t n = 0;
	X509 *const *chain = slt_side_auth_chain(x->side[SLT_FAR], &n);
	struct slt_str der[SLT_CHAIN_MAX];

	size_t found =
		slt_ocsp_cache_chain(slt_side_ocsp(x->side[SLT_FAR]), chain, n, x->arena, der);
	if (found < n) {
		return slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
				"there is no OCSP response yet for the TLS certificate of side %s",
				slt_side_name(x->side[SLT_FAR]));
	}
	for (size_t i = 0; i < found; i++) {
		m->ocsp[m->n_ocsp++] =
			(struct slt_bytes){slt_strndup(der[i].p, der[i].n), der[i].n};
	}
	return true;
}

/* --- answering ---------------------------------------------------------------------------- */

struct outgoing { /* outlives the exchange: the peer may read slowly */
	struct slt_message *message;
	struct slt_transport_writer *writer;
	size_t side; /* for the metrics */
};

static bool outgoing_read(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct outgoing *o = arg;

	if (!slt_transport_read(o->writer, p, n, ret_n, err)) {
		return false;
	}
	slt_metrics_add(SLT_M_BYTES, o->side, SLT_WAY_SENT, (int64_t)*ret_n);
	return true;
}

static void outgoing_free(void *arg)
{
	struct outgoing *o = arg;

	slt_transport_writer_free(o->writer);
	slt_message_free(o->message);
	free(o);
}

static void answer(struct slt_exchange *x)
{
	struct outgoing *o = slt_calloc(1, sizeof(*o));

	o->message = SLT_TAKE(x->answer_out);
	o->writer = slt_transport_writer_new(o->message);
	o->side = slt_metrics_side(slt_side_config(x->side[SLT_NEAR]));
	const char *type = x->original_type[1] ? x->original_type[1] : x->protocol->original_type;
	/* these names are read case-sensitively by X-Road's client */
	const struct slt_response_header headers[] = {
		{"Content-Type", slt_transport_content_type(o->writer)},
		{"x-hash-algorithm", slt_digest_name(o->message->digest_alg)},
		{"x-original-content-type", type},
	};
	size_t n_headers = SLT_COUNT(headers) - !x->protocol->tells_answer_type;
	const struct slt_body_source body = {outgoing_read, outgoing_free, o};
	slt_respond_stream(SLT_TAKE(x->request), 200, headers, n_headers, &body);
}

const struct slt_bearer slt_bearer_transport = {
	.own = SLT_SERVERPROXY,
	.admit = admit,
	.equip = equip,
	.call = slt_far_call_start,
	.answer = answer,
	.fault = slt_fault_answer_soap,
};

const struct slt_bearer *slt_bearer_of(const struct slt_side *side)
{
	return slt_side_config(side)->bearer == SLT_BEARER_MESSAGE ? &slt_bearer_message
								   : &slt_bearer_transport;
}
