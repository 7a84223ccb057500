/* SPDX-License-Identifier: MIT */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "msglog_store.h"

#define CANONICAL_MAX (4u << 20)

static void add_bytes(struct slt_buf *b, const void *p, size_t n)
{
	slt_buf_addf(b, "%zu:", n);
	slt_buf_add(b, p, n);
	slt_buf_addc(b, ',');
}

static void add_text(struct slt_buf *b, const char *s)
{
	add_bytes(b, s ? s : "", s ? strlen(s) : 0);
}

static void add_number(struct slt_buf *b, int64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, v);
	add_bytes(b, text, (size_t)n);
}

static void add_hex(struct slt_buf *b, const unsigned char *p, size_t n)
{
	SLT_AUTO_BUF(hex, 256);
	slt_buf_add_hex(&hex, p, n);
	struct slt_str s = slt_buf_str(&hex);
	add_bytes(b, s.p, s.n);
}

static void add_digest_of(struct slt_buf *b, struct slt_str data)
{
	struct slt_digest d;
	slt_digest_of(SLT_SHA256, data.p, data.n, &d);
	add_hex(b, d.v, d.n);
}

static void add_message(struct slt_buf *b, const struct slt_msglog_message *m)
{
	add_text(b, m->exchange);
	add_text(b, m->route);
	add_text(b, m->side);
	add_text(b, m->response ? "response" : "request");
	add_text(b, m->sent ? "sent" : "received");
	add_text(b, m->kind == SLT_REST ? "rest" : "soap");
	add_text(b, slt_digest_name(m->digest_alg));
	add_text(b, m->message_id);
	add_text(b, m->client);
	add_text(b, m->service);
	add_number(b, m->n_parts);
	for (unsigned i = 0; i < m->n_parts; i++) {
		const struct slt_msglog_part *p = &m->part[i];
		add_text(b, p->name);
		add_number(b, (int64_t)p->size);
		add_text(b, slt_digest_name(p->digest.alg));
		add_hex(b, p->digest.v, p->digest.n);
		add_hex(b, p->mime_digest.v, p->mime_digest.n);
	}
}

static void add_stamp(struct slt_buf *b, const struct slt_msglog_stamp *s)
{
	add_text(b, s->side);
	add_number(b, s->time_ms);
	add_number(b, s->head.seq);
	add_hex(b, s->head.chain, sizeof(s->head.chain));
	add_number(b, s->n);
	add_digest_of(b, s->token);
	add_digest_of(b, s->result);
	add_digest_of(b, s->head_chain);
}

static void add_entry(struct slt_buf *b, const struct slt_msglog_entry *e)
{
	add_text(b, "silta-log-1");
	add_number(b, e->seq);
	add_number(b, e->kind);
	add_number(b, e->at_ms);
	switch (e->kind) {
	case SLT_MSGLOG_MESSAGE:
		add_message(b, e->message);
		break;
	case SLT_MSGLOG_FINISH:
		add_text(b, e->exchange);
		add_text(b, slt_msglog_status_name(e->status));
		add_text(b, e->fault_code);
		break;
	case SLT_MSGLOG_STAMP:
		add_stamp(b, e->stamp);
		break;
	case SLT_MSGLOG_CUT:
		add_number(b, e->before_ms);
		add_number(b, e->n_cut);
		break;
	case SLT_MSGLOG_ARCHIVE:
		add_text(b, e->archived->file);
		add_text(b, e->archived->digest);
		add_number(b, e->archived->upto);
		add_number(b, e->archived->n);
		break;
	}
}

void slt_msglog_chain_next(const unsigned char prev[SLT_MSGLOG_CHAIN],
			   const struct slt_msglog_entry *e, unsigned char ret[SLT_MSGLOG_CHAIN])
{
	SLT_AUTO_BUF(canonical, CANONICAL_MAX);
	add_entry(&canonical, e);
	/* all that goes in has its own, smaller cap */
	slt_assert(!canonical.failed);

	struct slt_digest own, link;
	slt_digest_of(SLT_SHA256, canonical.p, canonical.n, &own);
	unsigned char both[SLT_MSGLOG_CHAIN + SLT_DIGEST_MAX];
	memcpy(both, prev, SLT_MSGLOG_CHAIN);
	memcpy(both + SLT_MSGLOG_CHAIN, own.v, own.n);
	slt_digest_of(SLT_SHA256, both, SLT_MSGLOG_CHAIN + own.n, &link);
	memcpy(ret, link.v, SLT_MSGLOG_CHAIN);
}

void slt_msglog_mime_digest(const char *content_type, const char *headers, struct slt_digest *ret)
{
	SLT_AUTO_BUF(b, CANONICAL_MAX);
	add_text(&b, content_type);
	add_text(&b, headers);
	slt_digest_of(SLT_SHA256, b.p, b.n, ret);
}

bool slt_msglog_part_is_personal(const char *name)
{
	return strcmp(name, SLT_MSGLOG_HEAD) == 0 || strcmp(name, SLT_MSGLOG_TRACE) == 0 ||
	       strncmp(name, "/attachment", 11) == 0;
}
