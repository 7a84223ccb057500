/* SPDX-License-Identifier: MIT */

/*
 * The message log over a relational database: reading. A row that does not look as the writing
 * half made it is reported as it stands where verification can say more about it; only what
 * cannot be represented is an error here.
 */

#include <inttypes.h>
#include <string.h>

#include "msglog_sql.h"

#define START(s, q, ret, err, ...) slt_sql_start((s)->db, q, SLT_SQL_VALUES(__VA_ARGS__), ret, err)

bool slt_msglog_sql_head(struct slt_msglog_store *s, struct slt_msglog_head *ret,
			 struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!slt_sql_start(s->db, SLT_Q_HEAD, NULL, 0, &st, err) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	memset(ret, 0, sizeof(*ret));
	if (row) {
		ret->seq = slt_sql_col_int(st, 0);
		slt_sql_col_fixed(st, 1, ret->chain, sizeof(ret->chain));
	}
	slt_sql_reset(st);
	return true;
}

bool slt_msglog_sql_seen(struct slt_msglog_store *s, const char *side, const char *client,
			 const char *message_id, int direction, bool *ret, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!START(s, SLT_Q_SEEN, &st, err, slt_sql_text(message_id), slt_sql_text(client),
		   slt_sql_text(side), slt_sql_int(direction)) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	slt_sql_reset(st);
	*ret = row;
	return true;
}

/* --- exchanges --- */

#define FILTERS_MAX 8

struct where {
	struct slt_buf text;
	struct slt_sql_value v[FILTERS_MAX];
	size_t n;
};

static void and_if(struct where *w, bool wanted, const char *condition, struct slt_sql_value v)
{
	if (wanted) {
		slt_buf_adds(&w->text, w->n == 0 ? " WHERE " : " AND ");
		slt_buf_adds(&w->text, condition);
		slt_assert(w->n < FILTERS_MAX);
		w->v[w->n++] = v;
	}
}

/* Put together at run time, so that each filter can use its index. */
static void exchange_query(const struct slt_msglog_filter *f, struct where *w)
{
	slt_buf_adds(&w->text,
		     "SELECT * FROM (SELECT id, uuid, route, started_ms, finished_ms, status,"
		     " fault_code, (SELECT count(*) FROM message m WHERE m.exchange_id = x.id)"
		     " FROM exchange x");
	and_if(w, f->exchange, "uuid = ?", slt_sql_text(f->exchange));
	and_if(w, f->route, "route = ?", slt_sql_text(f->route));
	and_if(w, f->message_id, "id IN (SELECT exchange_id FROM message WHERE message_id = ?)",
	       slt_sql_text(f->message_id));
	and_if(w, f->since_ms != 0, "started_ms >= ?", slt_sql_int(f->since_ms));
	and_if(w, f->until_ms != 0, "started_ms < ?", slt_sql_int(f->until_ms));
	/* the literal lets the partial index over open exchanges be used */
	if (f->by_status && f->status == SLT_MSGLOG_OPEN) {
		slt_buf_adds(&w->text, w->n == 0 ? " WHERE status = 0" : " AND status = 0");
	} else {
		and_if(w, f->by_status, "status = ?", slt_sql_int(f->status));
	}
	slt_buf_addf(&w->text, " ORDER BY id DESC LIMIT %" PRId64 ") ORDER BY id",
		     f->limit ? (int64_t)f->limit : (int64_t)-1);
}

static bool exchange_row(struct slt_sql_stmt *st, slt_msglog_exchange_fn each, void *arg,
			 struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	int64_t status = slt_sql_col_int(st, 5);
	struct slt_msglog_exchange x = {
		.exchange = slt_sql_col_text(st, 1, a),
		.route = slt_sql_col_text(st, 2, a),
		.started_ms = slt_sql_col_int(st, 3),
		.finished_ms = slt_sql_col_int(st, 4),
		.status = SLT_MSGLOG_UNKNOWN,
		.fault_code = slt_sql_col_null(st, 6) ? NULL : slt_sql_col_text(st, 6, a),
		.n_messages = (unsigned)slt_sql_col_int(st, 7),
	};
	if (status >= SLT_MSGLOG_OPEN && status <= SLT_MSGLOG_UNKNOWN) {
		x.status = (enum slt_msglog_status)status;
	}
	return each(arg, &x, err);
}

bool slt_msglog_sql_exchanges(struct slt_msglog_store *s, const struct slt_msglog_filter *f,
			      slt_msglog_exchange_fn each, void *arg, struct slt_err *err)
{
	struct where w = {.text = SLT_BUF_INIT(2048)};
	exchange_query(f, &w);
	SLT_AUTO(slt_sql_drop) struct slt_sql_stmt *st = NULL;
	bool ok = slt_sql_prepare(s->db, slt_buf_str(&w.text).p, w.v, w.n, &st, err);
	slt_buf_fini(&w.text);
	while (ok) {
		bool row;
		ok = slt_sql_step(s->db, st, &row, err);
		if (!ok || !row) {
			break;
		}
		ok = exchange_row(st, each, arg, err);
	}
	return ok;
}

/* --- messages --- */

static enum slt_digest_alg column_alg(struct slt_sql_stmt *st, int i)
{
	return slt_digest_by_name(slt_sql_col(st, i));
}

static void message_row(struct slt_sql_stmt *st, struct slt_arena *a, struct slt_msglog_message *m)
{
	memset(m, 0, sizeof(*m));
	m->seq = slt_sql_col_int(st, 0);
	m->exchange = slt_sql_col_text(st, 1, a);
	m->side = slt_sql_col_text(st, 2, a);
	m->route = slt_sql_col_text(st, 3, a);
	m->message_id = slt_sql_col_text(st, 4, a);
	m->client = slt_sql_col_text(st, 5, a);
	m->service = slt_sql_col_text(st, 6, a);
	m->response = slt_sql_col_int(st, 7) != 0;
	m->sent = slt_sql_col_int(st, 8) != 0;
	m->at_ms = slt_sql_col_int(st, 9);
	m->kind = slt_sql_col_int(st, 10) == SLT_REST ? SLT_REST : SLT_SOAP;
	m->digest_alg = column_alg(st, 11);
	m->is_signed = slt_sql_col_int(st, 12) != 0;
	m->stamp_seq = slt_sql_col_int(st, 13);
	m->stamped_ms = slt_sql_col_int(st, 14);
}

static void part_row(struct slt_sql_stmt *st, struct slt_arena *a, struct slt_msglog_part *p)
{
	p->name = slt_sql_col_text(st, 0, a);
	p->content_type = slt_sql_col_text(st, 1, a);
	p->headers = slt_sql_col_text(st, 2, a);
	int64_t size = slt_sql_col_int(st, 3);
	p->size = size > 0 ? (uint64_t)size : 0;
	slt_sql_col_digest(st, 5, column_alg(st, 4), &p->digest);
	slt_sql_col_digest(st, 6, SLT_SHA256, &p->mime_digest);
	p->cut = slt_sql_col_int(st, 7) != 0;
}

static bool load_parts(struct slt_msglog_store *s, struct slt_arena *a,
		       struct slt_msglog_message *m, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	if (!START(s, SLT_Q_PARTS, &st, err, slt_sql_int(SLT_PART_KEY(m->seq, 0)),
		   slt_sql_int(SLT_PART_KEY(m->seq, SLT_MSGLOG_PARTS_MAX - 1)))) {
		return false;
	}
	m->part = slt_arena_alloc(a, SLT_MSGLOG_PARTS_MAX * sizeof(*m->part));
	for (;;) {
		bool row;
		if (!slt_sql_step(s->db, st, &row, err)) {
			return false;
		}
		if (!row) {
			return true;
		}
		part_row(st, a, &m->part[m->n_parts++]);
	}
}

#define MESSAGES_MAX 16 /* of one exchange: four, and room to see what should not be there */

bool slt_msglog_sql_messages(struct slt_msglog_store *s, const char *exchange, struct slt_arena *a,
			     struct slt_msglog_message **ret, size_t *ret_n, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	if (!START(s, SLT_Q_MESSAGES, &st, err, slt_sql_text(exchange))) {
		return false;
	}
	struct slt_msglog_message *m = slt_arena_alloc(a, MESSAGES_MAX * sizeof(*m));
	size_t n = 0;
	bool row = true;
	while (n < MESSAGES_MAX) {
		if (!slt_sql_step(s->db, st, &row, err)) {
			return false;
		}
		if (!row) {
			break;
		}
		message_row(st, a, &m[n++]);
	}
	slt_sql_reset(st);
	for (size_t i = 0; i < n; i++) {
		if (!load_parts(s, a, &m[i], err)) {
			return false;
		}
	}
	*ret = m;
	*ret_n = n;
	return true;
}

bool slt_msglog_sql_part(struct slt_msglog_store *s, int64_t seq, const char *name, unsigned *ret,
			 struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!START(s, SLT_Q_PART, &st, err, slt_sql_int(SLT_PART_KEY(seq, 0)),
		   slt_sql_int(SLT_PART_KEY(seq, SLT_MSGLOG_PARTS_MAX - 1)), slt_sql_text(name)) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	if (!row) {
		return slt_fail(err, SLT_ENOTFOUND,
				"message %" PRId64 " has no part %s, or it was cut off", seq, name);
	}
	*ret = (unsigned)slt_sql_col_int(st, 0);
	slt_sql_reset(st);
	return true;
}

bool slt_msglog_sql_chunk(struct slt_msglog_store *s, int64_t seq, unsigned part, unsigned chunk,
			  struct slt_str *ret, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row = false;
	if (chunk < SLT_CHUNKS_MAX && (!START(s, SLT_Q_CHUNK, &st, err, slt_sql_int(seq),
					      slt_sql_int(part), slt_sql_int(chunk)) ||
				       !slt_sql_step(s->db, st, &row, err))) {
		return false;
	}
	/* not reset: the view lives until the next start */
	*ret = row ? slt_sql_col(st, 0) : (struct slt_str){NULL, 0};
	return true;
}

/* --- time-stamps --- */

/* Up to max numbers, from a statement at its start. */
static bool list_seq(struct slt_msglog_store *s, struct slt_sql_stmt *st, unsigned max,
		     struct slt_arena *a, int64_t **ret_seq, size_t *ret_n, struct slt_err *err)
{
	int64_t *seq = slt_arena_alloc(a, (max + 1) * sizeof(*seq));
	size_t n = 0;
	while (n < max) {
		bool row;
		if (!slt_sql_step(s->db, st, &row, err)) {
			return false;
		}
		if (!row) {
			break;
		}
		seq[n++] = slt_sql_col_int(st, 0);
	}
	slt_sql_reset(st);
	*ret_seq = seq;
	*ret_n = n;
	return true;
}

bool slt_msglog_sql_unstamped(struct slt_msglog_store *s, const char *side, unsigned max,
			      struct slt_arena *a, int64_t **ret_seq, size_t *ret_n,
			      struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	return START(s, SLT_Q_UNSTAMPED, &st, err, slt_sql_text(side), slt_sql_int(max)) &&
	       list_seq(s, st, max, a, ret_seq, ret_n, err);
}

bool slt_msglog_sql_backlog(struct slt_msglog_store *s, const char *side, uint64_t *ret_n,
			    int64_t *ret_oldest_ms, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!START(s, SLT_Q_BACKLOG, &st, err, slt_sql_text(side)) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	*ret_n = row ? (uint64_t)slt_sql_col_int(st, 0) : 0;
	*ret_oldest_ms = row ? slt_sql_col_int(st, 1) : 0;
	slt_sql_reset(st);
	return true;
}

bool slt_msglog_sql_uncovered(struct slt_msglog_store *s, const char *side, bool *ret,
			      struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	if (!START(s, SLT_Q_UNCOVERED, &st, err, slt_sql_text(side)) ||
	    !slt_sql_step(s->db, st, ret, err)) {
		return false;
	}
	slt_sql_reset(st);
	return true;
}

bool slt_msglog_sql_archivable(struct slt_msglog_store *s, int64_t after, unsigned max,
			       struct slt_arena *a, int64_t **ret_seq, size_t *ret_n,
			       struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	return START(s, SLT_Q_ARCHIVABLE, &st, err, slt_sql_int(after), slt_sql_int(max)) &&
	       list_seq(s, st, max, a, ret_seq, ret_n, err);
}

/* The row of a statement at its start; file NULL when there is none. */
static bool archive_row(struct slt_msglog_store *s, struct slt_sql_stmt *st, struct slt_arena *a,
			struct slt_msglog_archived *ret, struct slt_err *err)
{
	bool row;
	if (!slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	memset(ret, 0, sizeof(*ret));
	if (row) {
		ret->file = slt_sql_col_text(st, 0, a);
		ret->digest = slt_sql_col_text(st, 1, a);
		ret->upto = slt_sql_col_int(st, 2);
		ret->n = (unsigned)slt_sql_col_int(st, 3);
	}
	slt_sql_reset(st);
	return true;
}

bool slt_msglog_sql_last_archive(struct slt_msglog_store *s, struct slt_arena *a,
				 struct slt_msglog_archived *ret, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	return slt_sql_start(s->db, SLT_Q_LAST_ARCHIVE, NULL, 0, &st, err) &&
	       archive_row(s, st, a, ret, err);
}

bool slt_msglog_sql_stamp(struct slt_msglog_store *s, int64_t stamp_seq, struct slt_arena *a,
			  struct slt_msglog_stamp *ret, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!START(s, SLT_Q_STAMP, &st, err, slt_sql_int(stamp_seq)) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	if (!row) {
		return slt_fail(err, SLT_ENOTFOUND, "the log has no time-stamp %" PRId64,
				stamp_seq);
	}
	ret->side = slt_sql_col_text(st, 0, a);
	ret->time_ms = slt_sql_col_int(st, 1);
	ret->token = slt_sql_col_blob(st, 2, a);
	ret->result = slt_sql_col_blob(st, 3, a);
	ret->head.seq = slt_sql_col_int(st, 4);
	slt_sql_col_fixed(st, 5, ret->head.chain, sizeof(ret->head.chain));
	ret->head_chain = slt_sql_col_blob(st, 6, a);
	ret->n = (unsigned)slt_sql_col_int(st, 7);
	slt_sql_reset(st);
	return true;
}

bool slt_msglog_sql_stamp_chain(struct slt_msglog_store *s, int64_t seq, struct slt_arena *a,
				struct slt_str *ret, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!START(s, SLT_Q_STAMP_CHAIN, &st, err, slt_sql_int(seq)) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	if (!row) {
		return slt_fail(err, SLT_ENOTFOUND, "message %" PRId64 " has no time-stamp", seq);
	}
	*ret = slt_sql_col_blob(st, 0, a);
	slt_sql_reset(st);
	return true;
}

bool slt_msglog_sql_stamp_count(struct slt_msglog_store *s, int64_t stamp_seq, unsigned *ret,
				struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!START(s, SLT_Q_STAMP_COUNT, &st, err, slt_sql_int(stamp_seq)) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	*ret = row ? (unsigned)slt_sql_col_int(st, 0) : 0;
	slt_sql_reset(st);
	return true;
}

/* --- entries --- */

static bool load_message(struct slt_msglog_store *s, struct slt_arena *a,
			 struct slt_msglog_entry *e, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!START(s, SLT_Q_MESSAGE, &st, err, slt_sql_int(e->seq)) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	if (!row) {
		return true;
	}
	struct slt_msglog_message *m = slt_arena_alloc(a, sizeof(*m));
	message_row(st, a, m);
	slt_sql_reset(st);
	e->message = m;
	return load_parts(s, a, m, err);
}

static bool load_finish(struct slt_msglog_store *s, struct slt_arena *a, struct slt_msglog_entry *e,
			struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!START(s, SLT_Q_FINISH, &st, err, slt_sql_int(e->seq)) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	if (row) {
		int64_t status = slt_sql_col_int(st, 1);
		e->exchange = slt_sql_col_text(st, 0, a);
		e->status = status >= SLT_MSGLOG_DONE && status <= SLT_MSGLOG_UNKNOWN
				    ? (enum slt_msglog_status)status
				    : SLT_MSGLOG_OPEN;
		e->fault_code = slt_sql_col_null(st, 2) ? NULL : slt_sql_col_text(st, 2, a);
	}
	slt_sql_reset(st);
	return true;
}

static bool load_stamp(struct slt_msglog_store *s, struct slt_arena *a, struct slt_msglog_entry *e,
		       struct slt_err *err)
{
	struct slt_msglog_stamp *t = slt_arena_alloc(a, sizeof(*t));
	struct slt_err e2 = SLT_ERR_INIT;
	if (slt_msglog_sql_stamp(s, e->seq, a, t, &e2)) {
		e->stamp = t;
		return true;
	}
	if (e2.code == SLT_ENOTFOUND) {
		return true;
	}
	*err = e2;
	return false;
}

static bool load_cut(struct slt_msglog_store *s, struct slt_msglog_entry *e, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!START(s, SLT_Q_CUT, &st, err, slt_sql_int(e->seq)) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	if (row) {
		e->before_ms = slt_sql_col_int(st, 0);
		e->n_cut = (unsigned)slt_sql_col_int(st, 1);
	}
	slt_sql_reset(st);
	return true;
}

static bool load_archive(struct slt_msglog_store *s, struct slt_arena *a,
			 struct slt_msglog_entry *e, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	struct slt_msglog_archived *r = slt_arena_alloc(a, sizeof(*r));
	if (!START(s, SLT_Q_ARCHIVE, &st, err, slt_sql_int(e->seq)) ||
	    !archive_row(s, st, a, r, err)) {
		return false;
	}
	e->archived = r->file ? r : NULL;
	return true;
}

static bool load_entry(struct slt_msglog_store *s, struct slt_arena *a, struct slt_msglog_entry *e,
		       struct slt_err *err)
{
	switch (e->kind) {
	case SLT_MSGLOG_MESSAGE:
		return load_message(s, a, e, err);
	case SLT_MSGLOG_FINISH:
		return load_finish(s, a, e, err);
	case SLT_MSGLOG_STAMP:
		return load_stamp(s, a, e, err);
	case SLT_MSGLOG_CUT:
		return load_cut(s, e, err);
	case SLT_MSGLOG_ARCHIVE:
		return load_archive(s, a, e, err);
	}
	return slt_fail(err, SLT_EDATABASE, "entry %" PRId64 " of the log is of an unknown kind",
			e->seq);
}

bool slt_msglog_sql_entries(struct slt_msglog_store *s, int64_t seq, size_t max,
			    struct slt_arena *a, struct slt_msglog_entry **ret, size_t *ret_n,
			    struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	if (!START(s, SLT_Q_ENTRIES, &st, err, slt_sql_int(seq), slt_sql_int((int64_t)max))) {
		return false;
	}
	struct slt_msglog_entry *e = slt_arena_alloc(a, max * sizeof(*e));
	size_t n = 0;
	while (n < max) {
		bool row;
		if (!slt_sql_step(s->db, st, &row, err)) {
			return false;
		}
		if (!row) {
			break;
		}
		int64_t kind = slt_sql_col_int(st, 1);
		e[n].seq = slt_sql_col_int(st, 0);
		e[n].kind = kind > 0 && kind < 1000 ? (enum slt_msglog_kind)kind : 0;
		e[n].at_ms = slt_sql_col_int(st, 2);
		slt_sql_col_fixed(st, 3, e[n].chain, sizeof(e[n].chain));
		n++;
	}
	slt_sql_reset(st);
	for (size_t i = 0; i < n; i++) {
		if (!load_entry(s, a, &e[i], err)) {
			return false;
		}
	}
	*ret = e;
	*ret_n = n;
	return true;
}
