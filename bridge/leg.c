/* SPDX-License-Identifier: MIT */
#include "leg.h"

#include <stdio.h>
#include <stdlib.h>

#include "federation/xades_sign.h"
#include "federation/xades_verify.h"

#define PARTS_MAX (SLT_ATTACHMENTS_MAX + 1)

/* "/message.xml", "/attachment1", … in the order in which they are signed. */
struct names {
	char text[SLT_ATTACHMENTS_MAX][24];
	const char *p[PARTS_MAX];
};

static size_t name_parts(const struct slt_message *m, struct names *n)
{
	n->p[0] = "/message.xml";
	for (unsigned i = 0; i < m->n_attachments; i++) {
		snprintf(n->text[i], sizeof(n->text[i]), "/attachment%u", i + 1);
		n->p[i + 1] = n->text[i];
	}
	return m->n_attachments + 1u;
}

static struct slt_str view(const struct slt_bytes *b)
{
	return (struct slt_str){b->p, b->n};
}

bool slt_leg_verify(struct slt_side *side, const struct slt_globalconf *gc,
		    const struct slt_message *m, const struct slt_id *signer, int64_t now_ms,
		    struct slt_err *err)
{
	SLT_AUTO(slt_verify_cache_free)
	struct slt_verify_cache *known = slt_side_verify_cache(side, gc);
	struct slt_verify_part parts[PARTS_MAX] = {0};
	struct names names;
	struct slt_verdict verdict = {0};
	size_t n = name_parts(m, &names);

	for (size_t i = 0; i < n; i++) {
		parts[i].name = names.p[i];
		parts[i].digest = i ? &m->attachment[i - 1].digest : &m->digest;
	}
	/* the envelope's bytes are at hand, so they are hashed under whatever digest is asked for
	 */
	parts[0].data = view(&m->head);
	struct slt_verify_input in = {
		.gc = gc,
		.signer = slt_id_member(signer),
		.at_ms = now_ms,
		.signature = view(&m->signature),
		.hash_chain_result = view(&m->hash_chain_result),
		.hash_chain = view(&m->hash_chain),
		.parts = parts,
		.n_parts = n,
		.memory = known ? slt_verify_cache_memory(known) : NULL,
	};
	if (!slt_xades_verify(&in, &verdict, err)) {
		return slt_prefix(err, SLT_SIGNATURE_VERIFICATION);
	}
	slt_verdict_fini(&verdict);
	return true;
}

static void take_text(struct slt_bytes *to, char **from)
{
	free(to->p);
	to->p = SLT_TAKE(*from);
	to->n = to->p ? slt_str(to->p).n : 0;
}

/* What is signed of one message, and where the names of its parts are kept. */
struct signing {
	struct slt_digest digests[PARTS_MAX];
	struct names names;
};

static void describe(const struct slt_message *m, struct signing *s, struct slt_sign_input *ret)
{
	ret->n = name_parts(m, &s->names);
	for (size_t i = 0; i < ret->n; i++) {
		s->digests[i] = i ? m->attachment[i - 1].digest : m->digest;
	}
	ret->parts = s->digests;
	ret->names = s->names.p;
}

bool slt_leg_sign(struct slt_side *side, struct slt_message *const *m, size_t n, int64_t now_ms,
		  struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct signing *s = slt_arena_alloc(a, n * sizeof(*s));
	struct slt_sign_input *in = slt_arena_alloc(a, n * sizeof(*in));
	struct slt_signed *out = slt_arena_alloc(a, n * sizeof(*out));
	struct slt_str ocsp[SLT_CHAIN_MAX];
	size_t n_ocsp = 0;

	for (size_t i = 0; i < n; i++) {
		describe(m[i], &s[i], &in[i]);
	}
	if (!slt_side_sign_ocsp(side, a, ocsp, &n_ocsp, err)) {
		return false;
	}
	struct slt_sign_options o = {
		.key = slt_side_sign_key(side), .ocsp = ocsp, .n_ocsp = n_ocsp, .now_ms = now_ms};
	if (!slt_xades_sign(&o, in, n, out, err)) {
		return slt_wrap(err, "signing for side %s", slt_side_name(side));
	}
	for (size_t i = 0; i < n; i++) {
		take_text(&m[i]->signature, &out[i].signature);
		take_text(&m[i]->hash_chain_result, &out[i].hash_chain_result);
		take_text(&m[i]->hash_chain, &out[i].hash_chain);
		slt_signed_fini(&out[i]);
	}
	return true;
}
