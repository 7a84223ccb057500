/* SPDX-License-Identifier: MIT */

/* The message log's transactions: a group of entries, each chained to the one before. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msglog_write.h"

#define CUT_MAX 256 /* messages cut in one transaction: the exchanges wait meanwhile */

/* --- one entry --- */

static bool put_bytes(const struct slt_msglog_writer *w, int64_t seq, unsigned part,
		      struct slt_str p, struct slt_err *err)
{
	for (unsigned chunk = 0; p.n > 0; chunk++) {
		size_t n = p.n < SLT_MSGLOG_CHUNK ? p.n : SLT_MSGLOG_CHUNK;
		if (!w->driver->put_chunk(w->store, seq, part, chunk, (struct slt_str){p.p, n},
					  err)) {
			return false;
		}
		p.p += n;
		p.n -= n;
	}
	return true;
}

static bool put_spool(const struct slt_msglog_writer *w, int64_t seq, unsigned part,
		      const struct slt_spool *body, struct slt_err *err)
{
	struct slt_str all = slt_spool_memory(body);
	if (all.p) {
		return put_bytes(w, seq, part, all, err);
	}
	uint64_t offset = 0;
	for (unsigned chunk = 0;; chunk++) {
		size_t n;
		if (!slt_spool_read(body, offset, w->buffer, SLT_MSGLOG_CHUNK, &n, err)) {
			return slt_wrap(err, "an attachment that is being logged");
		}
		if (n == 0) {
			return true;
		}
		if (!w->driver->put_chunk(w->store, seq, part, chunk,
					  (struct slt_str){w->buffer, n}, err)) {
			return false;
		}
		offset += n;
	}
}

/* A message as it is being written: its rows, and where the bytes of each part come from. */
struct draft {
	struct slt_msglog_message message;
	struct slt_msglog_part part[SLT_MSGLOG_PARTS_MAX];
	struct slt_str bytes[SLT_MSGLOG_PARTS_MAX];
	const struct slt_spool *body[SLT_MSGLOG_PARTS_MAX];
	char name[SLT_ATTACHMENTS_MAX][24];
};

static struct slt_msglog_part *draft_add(struct draft *d, const char *name,
					 const char *content_type, const char *headers)
{
	slt_assert(d->message.n_parts < SLT_MSGLOG_PARTS_MAX);
	struct slt_msglog_part *p = &d->part[d->message.n_parts++];
	p->name = name;
	p->content_type = content_type ? content_type : "";
	p->headers = headers ? headers : "";
	slt_msglog_mime_digest(p->content_type, p->headers, &p->mime_digest);
	return p;
}

static void draft_doc(struct draft *d, const char *name, const char *content_type,
		      struct slt_str bytes)
{
	if (bytes.p && bytes.n > 0) {
		d->bytes[d->message.n_parts] = bytes;
		struct slt_msglog_part *p = draft_add(d, name, content_type, NULL);
		p->size = bytes.n;
		slt_digest_of(SLT_SHA512, bytes.p, bytes.n, &p->digest);
	}
}

static struct slt_str bytes_str(struct slt_bytes b)
{
	return (struct slt_str){b.p, b.n};
}

static void draft_fill(struct draft *d, const struct slt_msglog_record *r)
{
	const struct slt_message *m = r->message;
	d->message = (struct slt_msglog_message){
		.exchange = r->exchange,
		.side = r->side,
		.route = r->route,
		.message_id = r->message_id,
		.client = r->client,
		.service = r->service,
		.response = r->response,
		.sent = r->sent,
		.at_ms = r->at_ms,
		.kind = m->kind,
		.digest_alg = m->digest_alg,
		.part = d->part,
		.is_signed = m->signature.n > 0,
	};
	d->bytes[0] = bytes_str(m->head);
	struct slt_msglog_part *p = draft_add(d, SLT_MSGLOG_HEAD, m->content_type, m->headers);
	p->size = m->head.n;
	p->digest = m->digest;
	for (unsigned i = 0; i < m->n_attachments; i++) {
		const struct slt_attachment *a = &m->attachment[i];
		snprintf(d->name[i], sizeof(d->name[i]), "/attachment%u", i + 1);
		slt_assert(d->message.n_parts == SLT_MSGLOG_PART_OF(i));
		d->body[d->message.n_parts] = a->body;
		p = draft_add(d, d->name[i], a->content_type, a->headers);
		p->size = slt_spool_size(a->body);
		p->digest = a->digest;
	}
	draft_doc(d, SLT_MSGLOG_SIGNATURE, "text/xml", bytes_str(m->signature));
	draft_doc(d, SLT_MSGLOG_SIG_RESULT, "text/xml", bytes_str(m->hash_chain_result));
	draft_doc(d, SLT_MSGLOG_SIG_CHAIN, "text/xml", bytes_str(m->hash_chain));
	if (r->sealer && m->signature.n > 0) {
		draft_doc(d, SLT_MSGLOG_SEALER, "text/plain; charset=UTF-8", slt_str(r->sealer));
	}
	draft_doc(d, SLT_MSGLOG_TRACE, "application/json", r->trace);
	draft_doc(d, SLT_MSGLOG_RULES, "application/json", r->rules);
}

static bool put_entry(const struct slt_msglog_writer *w, struct slt_msglog_entry *e,
		      struct slt_msglog_head *head, struct slt_err *err)
{
	slt_msglog_chain_next(head->chain, e, e->chain);
	if (!w->driver->put(w->store, e, err)) {
		return false;
	}
	head->seq = e->seq;
	memcpy(head->chain, e->chain, sizeof(head->chain));
	return true;
}

bool slt_msglog_judge_repeated(const struct slt_msglog_writer *w, const struct slt_msglog_record *r,
			       struct slt_err *err)
{
	bool seen = false;
	if ((r->refuse_duplicate || r->ret_repeated) &&
	    !w->driver->seen(w->store, r->side, r->client, r->message_id, r->response ? 1 : 0,
			     &seen, err)) {
		return false;
	}
	if (r->ret_repeated) {
		*r->ret_repeated = seen;
	}
	if (seen && r->refuse_duplicate) {
		return slt_fail(err, SLT_EDUPLICATE_MESSAGE,
				"the message %.200s was received from %.200s before", r->message_id,
				r->client);
	}
	return true;
}

static bool write_message(const struct slt_msglog_writer *w, struct slt_msglog_entry *e,
			  const struct slt_msglog_job *j, struct slt_msglog_head *head,
			  struct slt_err *err)
{
	const struct slt_msglog_record *r = j->record;
	if (!slt_msglog_judge_repeated(w, r, err)) {
		return false;
	}
	SLT_AUTO(slt_free) void *memory = slt_calloc(1, sizeof(struct draft));
	struct draft *d = memory;
	draft_fill(d, r);
	e->message = &d->message;
	e->body = j->ahead.body;
	if (!put_entry(w, e, head, err)) {
		return false;
	}
	int64_t at = e->body ? -e->body : e->seq;
	for (unsigned i = 0; i < d->message.n_parts; i++) {
		if (d->body[i] ? !e->body && !put_spool(w, at, i, d->body[i], err)
			       : !put_bytes(w, at, i, d->bytes[i], err)) {
			return false;
		}
	}
	return true;
}

static bool write_stamp(const struct slt_msglog_writer *w, struct slt_msglog_entry *e,
			const struct slt_msglog_job *j, struct slt_msglog_head *head,
			struct slt_err *err)
{
	const struct slt_msglog_batch *b = j->batch;
	e->stamp = &b->stamp;
	if (!put_entry(w, e, head, err)) {
		return false;
	}
	for (unsigned i = 0; i < b->n; i++) {
		if (!w->driver->put_stamped(w->store, b->seq[i], e->seq, slt_str(b->chains[i]),
					    err)) {
			return false;
		}
	}
	return true;
}

static bool write_cut(const struct slt_msglog_writer *w, struct slt_msglog_entry *e,
		      const struct slt_msglog_job *j, struct slt_msglog_head *head,
		      struct slt_err *err)
{
	if (!w->driver->cut(w->store, j->before_ms, CUT_MAX, j->ret_n, err)) {
		return false;
	}
	if (*j->ret_n == 0) {
		return true;
	}
	e->before_ms = j->before_ms;
	e->n_cut = *j->ret_n;
	return put_entry(w, e, head, err);
}

static bool write_archived(const struct slt_msglog_writer *w, struct slt_msglog_entry *e,
			   struct slt_msglog_head *head, struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_archived last;
	if (!w->driver->last_archive(w->store, a, &last, err)) {
		return false;
	}
	if (last.upto >= e->archived->upto) {
		return slt_fail(err, SLT_EBUSY, "another process has archived these messages");
	}
	return put_entry(w, e, head, err);
}

static bool write_job(const struct slt_msglog_writer *w, const struct slt_msglog_job *j,
		      struct slt_msglog_head *head, struct slt_err *err)
{
	struct slt_msglog_entry e = {.seq = head->seq + 1, .kind = j->kind, .at_ms = j->at_ms};
	switch (j->kind) {
	case SLT_MSGLOG_MESSAGE:
		return write_message(w, &e, j, head, err);
	case SLT_MSGLOG_FINISH:
		e.exchange = j->exchange;
		e.status = j->status;
		e.fault_code = j->fault_code;
		return put_entry(w, &e, head, err);
	case SLT_MSGLOG_STAMP:
		return write_stamp(w, &e, j, head, err);
	case SLT_MSGLOG_CUT:
		return write_cut(w, &e, j, head, err);
	case SLT_MSGLOG_ARCHIVE:
		e.archived = j->archived;
		return write_archived(w, &e, head, err);
	}
	return slt_fail(err, SLT_EINTERNAL, "no such job of the message log: %d", (int)j->kind);
}

/* --- a group --- */

/* One job inside the transaction. A job that fails alone is undone alone and keeps its error;
 * false when the transaction as a whole cannot go on. */
static bool write_one(const struct slt_msglog_writer *w, struct slt_msglog_job *j,
		      struct slt_msglog_head *head, struct slt_err *err)
{
	struct slt_msglog_head before = *head;
	struct slt_err undo = SLT_ERR_INIT;
	if (!w->driver->mark(w->store, err)) {
		return false;
	}
	if (write_job(w, j, head, &j->err)) {
		return w->driver->keep(w->store, err);
	}
	*head = before;
	if (!w->driver->undo(w->store, &undo)) {
		*err = j->err;
		return false;
	}
	return true;
}

static bool write_all(const struct slt_msglog_writer *w, struct slt_msglog_jobs *jobs,
		      bool *ret_committed, struct slt_err *err)
{
	struct slt_msglog_head head;
	struct slt_msglog_job *j;
	if (!w->driver->begin(w->store, err) || !w->driver->head(w->store, &head, err)) {
		return false;
	}
	int64_t before = head.seq;
	STAILQ_FOREACH(j, jobs, next)
	{
		if (!write_one(w, j, &head, err)) {
			return false;
		}
	}
	if (head.seq == before) {
		w->driver->rollback(w->store);
		return true;
	}
	*ret_committed = w->driver->commit(w->store, err);
	return *ret_committed;
}

bool slt_msglog_write(const struct slt_msglog_writer *w, struct slt_msglog_jobs *jobs)
{
	struct slt_err err = SLT_ERR_INIT;
	bool committed = false;
	if (write_all(w, jobs, &committed, &err)) {
		return committed;
	}
	w->driver->rollback(w->store);
	struct slt_msglog_job *j;
	STAILQ_FOREACH(j, jobs, next)
	{
		if (j->err.code == SLT_OK) {
			j->err = err;
		}
	}
	return false;
}
