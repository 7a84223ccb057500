/* SPDX-License-Identifier: MIT */

/* Signatures and time-stamps of logged messages: see msglog_verify.h. */

#include <string.h>

#include "base/clock.h"
#include "federation/asic.h"
#include "federation/hashchain.h"
#include "federation/tsp.h"
#include "msglog_export.h"
#include "msglog_store.h"
#include "msglog_verify.h"

static struct slt_str resolve_chain(void *arg, const char *uri)
{
	const struct slt_str *chain = arg;
	return strcmp(uri, "/ts-hashchain.xml") == 0 ? *chain : (struct slt_str){NULL, 0};
}

static bool always(void *arg, const char *uri)
{
	(void)arg;
	(void)uri;
	return true;
}

/* Does the tree of a batch contain this leaf? */
static bool prove_leaf(struct slt_str result, struct slt_str chain, const char *name,
		       const struct slt_digest *digest, struct slt_err *err)
{
	struct slt_hc_part part = {.name = name, .digest = digest};
	struct slt_hc_verify v = {
		.result = result,
		.parts = &part,
		.n_parts = 1,
		.resolve = resolve_chain,
		.should_resolve = always,
		.arg = &chain,
	};
	return slt_hashchain_verify(&v, err) ||
	       slt_wrap(err, "the time-stamp does not cover %s", name);
}

static bool prove_token(const struct slt_globalconf *gc, const struct slt_msglog_stamp *s,
			struct slt_err *err)
{
	int64_t t;
	char said[SLT_TIME_LEN], logged[SLT_TIME_LEN];
	if (!slt_tsp_verify(gc, s->token, s->result, &t, err)) {
		return false;
	}
	return t == s->time_ms ||
	       slt_fail(err, SLT_MALFORMED_SIGNATURE, "the time-stamp says %s, the log says %s",
			slt_time_format(t, true, said), slt_time_format(s->time_ms, true, logged));
}

bool slt_msglog_prove_stamp(const struct slt_globalconf *gc, const struct slt_msglog_stamp *s,
			    struct slt_buf *text, struct slt_err *err)
{
	struct slt_digest head;
	char t[SLT_TIME_LEN];
	slt_msglog_head_digest(&s->head, &head);
	if (!prove_token(gc, s, err) ||
	    !prove_leaf(s->result, s->head_chain, SLT_MSGLOG_HEAD_LEAF, &head, err)) {
		return false;
	}
	slt_buf_addf(text, "%s %u messages, log at ", slt_time_format(s->time_ms, true, t), s->n);
	slt_msglog_head_text(&s->head, text);
	return true;
}

/* Who must have signed: the client a request, the provider an answer, or who sealed it. */
static bool signer_of(const struct slt_msglog_message *m, const char *sealer, struct slt_arena *a,
		      struct slt_id *ret, struct slt_err *err)
{
	const char *client = sealer ? sealer : m->response ? NULL : m->client;
	if (client) {
		if (!slt_id_parse_client(client, false, a, ret, err)) {
			return slt_wrap(err, sealer ? "the logged sealer" : "the logged client");
		}
	} else {
		struct slt_id service;
		if (!slt_id_parse(SLT_ID_SERVICE, m->service, false, a, &service, err)) {
			return slt_wrap(err, "the logged service");
		}
		*ret = slt_id_client(&service);
	}
	return strcmp(ret->instance, m->side) == 0 ||
	       slt_fail(err, SLT_EINVALID_CLIENT_IDENTIFIER,
			"the message was logged for %s but its signer is of %s", m->side,
			ret->instance);
}

struct evidence {
	struct slt_str signature, result, chain;
	struct slt_verify_part part[SLT_ATTACHMENTS_MAX + 1];
	size_t n_parts;
};

static bool load_doc(struct slt_msglog_reader *r, int64_t seq, const char *name,
		     struct slt_arena *a, struct slt_str *ret, struct slt_err *err)
{
	SLT_AUTO_BUF(b, SLT_MSGLOG_DOC_MAX);
	if (!slt_msglog_read_part(r, seq, name, &b, err)) {
		return false;
	}
	*ret = (struct slt_str){slt_arena_memdup(a, slt_buf_str(&b).p, b.n), b.n};
	return true;
}

/* Signature and hash chain as bytes, what was signed as digests: these outlive the bodies. */
static bool load_evidence(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
			  struct slt_arena *a, struct evidence *e, struct slt_err *err)
{
	for (unsigned i = 0; i < m->n_parts; i++) {
		const struct slt_msglog_part *p = &m->part[i];
		struct slt_str *to = NULL;
		if (strcmp(p->name, SLT_MSGLOG_SIGNATURE) == 0) {
			to = &e->signature;
		} else if (strcmp(p->name, SLT_MSGLOG_SIG_RESULT) == 0) {
			to = &e->result;
		} else if (strcmp(p->name, SLT_MSGLOG_SIG_CHAIN) == 0) {
			to = &e->chain;
		} else if (p->name[0] == '/' && e->n_parts < SLT_COUNT(e->part)) {
			e->part[e->n_parts++] =
				(struct slt_verify_part){.name = p->name, .digest = &p->digest};
		}
		if (to && !load_doc(r, m->seq, p->name, a, to, err)) {
			return false;
		}
	}
	return e->signature.p ||
	       slt_fail(err, SLT_EMISSING_SIGNATURE, "the logged message has no signature");
}

static bool prove_signature(const struct slt_globalconf *gc, const struct evidence *e,
			    const struct slt_id *signer, int64_t at_ms, bool lax,
			    struct slt_err *err)
{
	struct slt_verify_input in = {
		.gc = gc,
		.signer = *signer,
		.at_ms = at_ms,
		.signature = e->signature,
		.hash_chain_result = e->result,
		.hash_chain = e->chain,
		.parts = e->part,
		.n_parts = e->n_parts,
		.lax = lax,
	};
	struct slt_verdict v;
	if (!slt_xades_verify(&in, &v, err)) {
		return false;
	}
	slt_verdict_fini(&v);
	return true;
}

static bool prove_stamped(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
			  const struct slt_globalconf *gc, const struct evidence *e,
			  struct slt_arena *a, struct slt_err *err)
{
	const struct slt_msglog_driver *driver;
	struct slt_msglog_store *s = slt_msglog_reader_store(r, &driver);
	struct slt_msglog_stamp stamp;
	struct slt_str chain;
	struct slt_digest digest;
	if (!driver->stamp(s, m->stamp_seq, a, &stamp, err) ||
	    !driver->stamp_chain(s, m->seq, a, &chain, err) || !prove_token(gc, &stamp, err)) {
		return false;
	}
	slt_digest_of(SLT_SHA512, e->signature.p, e->signature.n, &digest);
	return prove_leaf(stamp.result, chain, SLT_MSGLOG_SIGNATURE, &digest, err);
}

static bool has_body(const struct slt_msglog_message *m)
{
	return m->n_parts > 0 && !m->part[0].cut && m->part[0].size <= SLT_ASIC_BYTES_MAX;
}

/* How a container is judged. */
struct judging {
	const struct slt_id *signer;
	bool sealed, lax;
};

/* The container that anyone can be given says the same, and names the same signer unless it was
 * sealed by another. */
static bool prove_container(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
			    const struct slt_globalconf *gc, const struct judging *j,
			    struct slt_err *err)
{
	SLT_AUTO_BUF(bytes, SIZE_MAX / 4);
	SLT_AUTO(slt_asic_free) struct slt_asic *asic = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_export_notes notes;
	struct slt_asic_verdict v;
	struct slt_err own = SLT_ERR_INIT;
	if (!slt_msglog_export(r, m, &bytes, &notes, err)) {
		return slt_wrap(err, "exported as a container");
	}
	if (!slt_asic_open(slt_buf_str(&bytes), &asic, &own)) {
		/* too large, or too well compressed, for a container: what was proved stands */
		*err = own.code == SLT_ELIMIT ? *err : own;
		return own.code == SLT_ELIMIT || slt_wrap(err, "exported as a container");
	}
	const struct slt_asic_options o = {
		.gc = gc,
		.strict = !j->lax && notes.n_left_out == 0,
		.at_ms = -1,
		.signer = j->sealed ? j->signer : NULL,
	};
	if (!slt_asic_verify_at(asic, &o, a, &v, err)) {
		return slt_wrap(err, "exported as a container");
	}
	bool same = slt_id_same_member(&v.signer, j->signer);
	slt_asic_verdict_fini(&v);
	return same || slt_fail(err, SLT_EINCONSISTENT_HEADERS,
				"the message names another signer than the log");
}

static void describe(const struct slt_msglog_message *m, const struct judging *j, int64_t at_ms,
		     struct slt_arena *a, struct slt_buf *text)
{
	char t[SLT_TIME_LEN];
	struct slt_id member = slt_id_member(j->signer);
	slt_buf_addf(text, "%s%s %s%s%s", j->sealed ? "sealed by " : "", slt_id_text(&member, a),
		     slt_time_format(at_ms, true, t),
		     m->stamp_seq != 0 ? "" : " (not time-stamped yet)",
		     has_body(m) ? "" : " (body cut off)");
}

bool slt_msglog_prove(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
		      const struct slt_msglog_verify_options *o, struct slt_buf *text,
		      struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	const struct slt_globalconf *gc = o->conf(o->arg, m->side);
	struct evidence *e = slt_arena_alloc(a, sizeof(*e));
	const char *sealer = NULL;
	struct slt_id signer;
	int64_t at_ms = m->stamp_seq != 0 ? m->stamped_ms : m->at_ms;
	if (!slt_msglog_sealer(r, m, a, &sealer, err) || !signer_of(m, sealer, a, &signer, err)) {
		return false;
	}
	const struct judging j = {&signer, sealer != NULL, o->lax};
	if (!load_evidence(r, m, a, e, err) ||
	    (m->stamp_seq != 0 && !prove_stamped(r, m, gc, e, a, err)) ||
	    !prove_signature(gc, e, &signer, at_ms, o->lax, err) ||
	    (m->stamp_seq != 0 && has_body(m) && !prove_container(r, m, gc, &j, err))) {
		return false;
	}
	describe(m, &j, at_ms, a, text);
	return true;
}
