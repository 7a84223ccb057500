/* SPDX-License-Identifier: MIT */

/* Walks the chain of the message log from its first entry to its last: see msglog_verify.h. */

#include "msglog_verify.h"

#include <inttypes.h>
#include <string.h>

#include "msglog_export.h"
#include "msglog_store.h"

#define STEP 64 /* entries read at a time */

struct walk {
	struct slt_msglog_reader *reader;
	const struct slt_msglog_driver *driver;
	struct slt_msglog_store *store;
	const struct slt_msglog_verify_options *o;
	slt_msglog_finding_fn each;
	void *arg;
	struct slt_msglog_head head; /* of the last entry seen */
	bool broken;		     /* something was wrong with the chain */
	bool head_found;	     /* expect_head */
	uint64_t n_finished;	     /* entries that end an exchange */
	uint64_t n_cut, n_cut_said;  /* messages without body, and what the entries say */
	int64_t cut_before_ms;	     /* the latest bound of any cut */
	int64_t cut_newest_ms;	     /* the newest message without body */
};

static bool report(struct walk *w, const char *what, const struct slt_msglog_message *m,
		   const char *text, const struct slt_err *bad, struct slt_err *err)
{
	struct slt_msglog_finding f = {
		.result = bad ? SLT_MSGLOG_BAD : SLT_MSGLOG_GOOD,
		.what = what,
		.text = text,
		.err = bad,
		.message = m,
	};
	return w->each(w->arg, &f, err);
}

/* Something is wrong with the chain itself. */
static bool report_entry(struct walk *w, int64_t seq, const struct slt_err *bad,
			 struct slt_err *err)
{
	char what[40];
	snprintf(what, sizeof(what), "entry-%" PRId64, seq);
	w->broken = true;
	return report(w, what, NULL, "", bad, err);
}

/* --- parts --- */

struct hashing {
	struct slt_hasher *hasher;
	uint64_t size;
};

static bool hash_piece(void *arg, struct slt_str p, struct slt_err *err)
{
	struct hashing *h = arg;
	(void)err;
	slt_hasher_add(h->hasher, p.p, p.n);
	h->size += p.n;
	return true;
}

static bool check_bytes(struct walk *w, const struct slt_msglog_message *m,
			const struct slt_msglog_part *p, struct slt_err *err)
{
	struct slt_digest mime, d;
	slt_msglog_mime_digest(p->content_type, p->headers, &mime);
	if (!slt_digest_eq(&mime, &p->mime_digest)) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"the MIME headers of %.40s were changed", p->name);
	}
	if (p->digest.n == 0) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE, "the digest of %.40s is malformed",
				p->name);
	}
	SLT_AUTO(slt_hasher_free) struct slt_hasher *hasher = slt_hasher_new(p->digest.alg);
	struct hashing h = {.hasher = hasher};
	if (!slt_msglog_stream_part(w->reader, m->seq, p->name, hash_piece, &h, err)) {
		return false;
	}
	slt_hasher_end(hasher, &d);
	if (h.size != p->size || !slt_digest_eq(&d, &p->digest)) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"the bytes of %.40s were changed: %" PRIu64 " of %" PRIu64
				" are there, and their digest differs",
				p->name, h.size, p->size);
	}
	return true;
}

static bool check_parts(struct walk *w, const struct slt_msglog_message *m, struct slt_err *err)
{
	bool cut = false;
	for (unsigned i = 0; i < m->n_parts; i++) {
		const struct slt_msglog_part *p = &m->part[i];
		cut = cut || p->cut;
		if (p->cut && !slt_msglog_part_is_personal(p->name)) {
			return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
					"%.40s was removed, though only bodies are ever cut off",
					p->name);
		}
		if (!p->cut && !check_bytes(w, m, p, err)) {
			return false;
		}
	}
	if (cut) {
		w->n_cut++;
		w->cut_newest_ms = m->at_ms > w->cut_newest_ms ? m->at_ms : w->cut_newest_ms;
	}
	return true;
}

/* --- entries --- */

static bool is_asked(const struct walk *w, const struct slt_msglog_message *m)
{
	return !w->o->exchange || strcmp(w->o->exchange, m->exchange) == 0;
}

static bool not_asked(struct walk *w, const char *what, const struct slt_msglog_message *m,
		      const char *side, struct slt_err *err)
{
	struct slt_err why = SLT_ERR_INIT;
	(void)slt_fail(&why, SLT_EOUTDATED_GLOBALCONF,
		       "no global configuration of %.60s was given: signature and time-stamp were "
		       "not checked",
		       side);
	struct slt_msglog_finding f = {.result = SLT_MSGLOG_NOT_ASKED,
				       .what = what,
				       .text = "",
				       .err = &why,
				       .message = m};
	return w->each(w->arg, &f, err);
}

static bool walk_message(struct walk *w, const struct slt_msglog_entry *e, struct slt_err *err)
{
	const struct slt_msglog_message *m = e->message;
	struct slt_err bad = SLT_ERR_INIT;
	SLT_AUTO_BUF(name, 8192);
	SLT_AUTO_BUF(text, 8192);
	slt_msglog_export_name(m, &name);
	const char *what = slt_buf_str(&name).p;
	if (!check_parts(w, m, &bad)) {
		w->broken = true;
		return report(w, what, m, "", &bad, err);
	}
	if (!is_asked(w, m)) {
		return true;
	}
	if (w->o->chain_only) {
		return report(w, what, m, "", NULL, err);
	}
	if (!m->is_signed) {
		return report(w, what, m,
			      "not signed and not sealed: its chain is all that vouches for it",
			      NULL, err);
	}
	if (!w->o->conf(w->o->arg, m->side)) {
		return not_asked(w, what, m, m->side, err);
	}
	bool ok = slt_msglog_prove(w->reader, m, w->o, &text, &bad);
	return report(w, what, m, slt_buf_str(&text).p, ok ? NULL : &bad, err);
}

struct ending {
	const struct slt_msglog_entry *e;
	bool found, agrees;
};

static bool compare_ending(void *arg, const struct slt_msglog_exchange *x, struct slt_err *err)
{
	struct ending *q = arg;
	const char *a = q->e->fault_code ? q->e->fault_code : "";
	const char *b = x->fault_code ? x->fault_code : "";
	(void)err;
	q->found = true;
	q->agrees = x->status == q->e->status && strcmp(a, b) == 0 && x->finished_ms == q->e->at_ms;
	return true;
}

static bool walk_finish(struct walk *w, const struct slt_msglog_entry *e, struct slt_err *err)
{
	struct ending q = {.e = e};
	struct slt_msglog_filter f = {.exchange = e->exchange};
	struct slt_err bad = SLT_ERR_INIT;
	w->n_finished++;
	if (!w->driver->exchanges(w->store, &f, compare_ending, &q, err)) {
		return false;
	}
	if (q.found && q.agrees) {
		return true;
	}
	(void)slt_fail(&bad, SLT_EMLOG_INVALID_ARCHIVE,
		       "how the exchange %.36s ended was changed: it was logged as %s", e->exchange,
		       slt_msglog_status_name(e->status));
	return report_entry(w, e->seq, &bad, err);
}

/* The head that the token vouches for is the one that the chain had at that entry. */
static bool check_stamp(struct walk *w, const struct slt_msglog_entry *e, struct slt_arena *a,
			struct slt_err *err)
{
	const struct slt_msglog_head *h = &e->stamp->head;
	struct slt_msglog_entry *at = NULL;
	size_t n = 0;
	unsigned count;
	if (h->seq >= e->seq || !w->driver->entries(w->store, h->seq, 1, a, &at, &n, err) ||
	    n != 1 || at->seq != h->seq || memcmp(at->chain, h->chain, sizeof(h->chain)) != 0) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"the log was rewritten: when it was time-stamped, entry %" PRId64
				" had another digest",
				h->seq);
	}
	if (!w->driver->stamp_count(w->store, e->seq, &count, err)) {
		return false;
	}
	return count == e->stamp->n ||
	       slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
			"%u messages carry the time-stamp that was given for %u", count,
			e->stamp->n);
}

static bool walk_stamp(struct walk *w, const struct slt_msglog_entry *e, struct slt_arena *a,
		       struct slt_err *err)
{
	const struct slt_msglog_stamp *s = e->stamp;
	struct slt_err bad = SLT_ERR_INIT;
	SLT_AUTO_BUF(text, 1024);
	char what[40];
	snprintf(what, sizeof(what), "stamp-%" PRId64, e->seq);
	if (!check_stamp(w, e, a, &bad)) {
		w->broken = true;
		return report(w, what, NULL, "", &bad, err);
	}
	if (w->o->chain_only || w->o->exchange) {
		return true;
	}
	const struct slt_globalconf *gc = w->o->conf(w->o->arg, s->side);
	if (!gc) {
		return not_asked(w, what, NULL, s->side, err);
	}
	bool ok = slt_msglog_prove_stamp(gc, s, &text, &bad);
	return report(w, what, NULL, slt_buf_str(&text).p, ok ? NULL : &bad, err);
}

static bool walk_body(struct walk *w, const struct slt_msglog_entry *e, struct slt_arena *a,
		      struct slt_err *err)
{
	switch (e->kind) {
	case SLT_MSGLOG_MESSAGE:
		return walk_message(w, e, err);
	case SLT_MSGLOG_FINISH:
		return walk_finish(w, e, err);
	case SLT_MSGLOG_STAMP:
		return walk_stamp(w, e, a, err);
	case SLT_MSGLOG_CUT:
		w->n_cut_said += e->n_cut;
		w->cut_before_ms =
			e->before_ms > w->cut_before_ms ? e->before_ms : w->cut_before_ms;
		return true;
	case SLT_MSGLOG_ARCHIVE:
		return true;
	}
	return true;
}

/* --- the chain --- */

static bool has_row(const struct slt_msglog_entry *e)
{
	switch (e->kind) {
	case SLT_MSGLOG_MESSAGE:
		return e->message != NULL;
	case SLT_MSGLOG_FINISH:
		return e->exchange != NULL;
	case SLT_MSGLOG_STAMP:
		return e->stamp != NULL;
	case SLT_MSGLOG_CUT:
		return e->n_cut > 0;
	case SLT_MSGLOG_ARCHIVE:
		return e->archived != NULL;
	}
	return false;
}

static bool check_link(struct walk *w, const struct slt_msglog_entry *e, struct slt_err *err)
{
	unsigned char chain[SLT_MSGLOG_CHAIN];
	if (e->seq != w->head.seq + 1) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"entries %" PRId64 " to %" PRId64 " were removed", w->head.seq + 1,
				e->seq - 1);
	}
	if (!has_row(e)) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"what entry %" PRId64 " logged was removed", e->seq);
	}
	slt_msglog_chain_next(w->head.chain, e, chain);
	if (memcmp(chain, e->chain, sizeof(chain)) != 0) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"entry %" PRId64 " was changed, or the one before it", e->seq);
	}
	return true;
}

static void note_head(struct walk *w)
{
	SLT_AUTO_BUF(text, 256);
	if (w->o->expect_head) {
		slt_msglog_head_text(&w->head, &text);
		w->head_found = w->head_found || slt_str_eq(slt_buf_str(&text), w->o->expect_head);
	}
}

static bool walk_entry(struct walk *w, const struct slt_msglog_entry *e, struct slt_arena *a,
		       struct slt_err *err)
{
	struct slt_err bad = SLT_ERR_INIT;
	bool linked = check_link(w, e, &bad);
	/* go on from what is there: one fault is reported once */
	w->head.seq = e->seq;
	memcpy(w->head.chain, e->chain, sizeof(e->chain));
	note_head(w);
	if (!linked && !report_entry(w, e->seq, &bad, err)) {
		return false;
	}
	return !has_row(e) || walk_body(w, e, a, err);
}

static bool count_one(void *arg, const struct slt_msglog_exchange *x, struct slt_err *err)
{
	(void)err;
	*(uint64_t *)arg += x->status != SLT_MSGLOG_OPEN ? 1 : 0;
	return true;
}

static bool check_end(struct walk *w, struct slt_err *err)
{
	struct slt_msglog_filter all = {.limit = 0};
	uint64_t ended = 0;
	if (!w->driver->exchanges(w->store, &all, count_one, &ended, err)) {
		return false;
	}
	if (ended != w->n_finished) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"%" PRIu64 " exchanges are marked as ended, the log ended %" PRIu64,
				ended, w->n_finished);
	}
	if (w->n_cut != w->n_cut_said || (w->n_cut > 0 && w->cut_newest_ms >= w->cut_before_ms)) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"%" PRIu64 " messages have no body, the log says that %" PRIu64
				" were cut off",
				w->n_cut, w->n_cut_said);
	}
	if (w->o->expect_head && !w->head_found) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"the log does not contain the head %.100s: entries were taken off "
				"its end, or it was rewritten",
				w->o->expect_head);
	}
	return !w->broken ||
	       slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE, "the chain does not hold, see above");
}

static bool report_end(struct walk *w, struct slt_err *err)
{
	struct slt_err bad = SLT_ERR_INIT;
	SLT_AUTO_BUF(text, 256);
	if (!check_end(w, &bad)) {
		return report(w, "chain", NULL, "", &bad, err);
	}
	slt_buf_addf(&text, "%" PRId64 " entries, head ", w->head.seq);
	slt_msglog_head_text(&w->head, &text);
	return report(w, "chain", NULL, slt_buf_str(&text).p, NULL, err);
}

static bool walk_all(struct walk *w, struct slt_err *err)
{
	for (;;) {
		SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
		struct slt_msglog_entry *e = NULL;
		size_t n = 0;
		if (!w->driver->entries(w->store, w->head.seq + 1, STEP, a, &e, &n, err)) {
			return false;
		}
		for (size_t i = 0; i < n; i++) {
			if (!walk_entry(w, &e[i], a, err)) {
				return false;
			}
		}
		if (n == 0) {
			return report_end(w, err);
		}
	}
}

bool slt_msglog_verify(struct slt_msglog_reader *r, const struct slt_msglog_verify_options *o,
		       slt_msglog_finding_fn each, void *arg, struct slt_err *err)
{
	struct walk w = {.reader = r, .o = o, .each = each, .arg = arg};
	slt_assert(o->chain_only || o->conf);
	w.store = slt_msglog_reader_store(r, &w.driver);
	/* the bridge may go on writing meanwhile */
	if (!w.driver->snapshot(w.store, err)) {
		return false;
	}
	bool ok = walk_all(&w, err);
	w.driver->rollback(w.store);
	return ok;
}
