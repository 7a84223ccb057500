/* SPDX-License-Identifier: MIT */

/* The message log over a relational database: tables, statements, opening and writing. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "msglog_sql.h"

#define APPLICATION_ID 0x534c544c /* "SLTL" */
#define SCHEMA_VERSION 2

static const char schema[] =
	"CREATE TABLE entry(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" chain BLOB NOT NULL);"
	"CREATE TABLE exchange(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE,"
	" route TEXT NOT NULL, started_ms INTEGER NOT NULL, finished_ms INTEGER NOT NULL DEFAULT 0,"
	" status INTEGER NOT NULL DEFAULT 0, fault_code TEXT);"
	"CREATE INDEX exchange_started ON exchange(started_ms);"
	"CREATE INDEX exchange_open ON exchange(id) WHERE status = 0;"
	"CREATE TABLE message(seq INTEGER PRIMARY KEY, exchange_id INTEGER NOT NULL,"
	" side TEXT NOT NULL, response INTEGER NOT NULL, sent INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, digest_alg TEXT NOT NULL, message_id TEXT NOT NULL,"
	" client TEXT NOT NULL, service TEXT NOT NULL, is_signed INTEGER NOT NULL,"
	" cut INTEGER NOT NULL DEFAULT 0, stamp_seq INTEGER, stamp_chain BLOB, body INTEGER);"
	"CREATE INDEX message_exchange ON message(exchange_id);"
	"CREATE INDEX message_id ON message(message_id, client, side);"
	"CREATE INDEX message_unstamped ON message(side, seq)"
	" WHERE is_signed = 1 AND stamp_seq IS NULL;"
	"CREATE INDEX message_stamp ON message(stamp_seq) WHERE stamp_seq IS NOT NULL;"
	"CREATE INDEX message_uncut ON message(seq) WHERE cut = 0;"
	"CREATE TABLE part(id INTEGER PRIMARY KEY, name TEXT NOT NULL, content_type TEXT NOT NULL,"
	" headers TEXT NOT NULL, size INTEGER NOT NULL, digest_alg TEXT NOT NULL,"
	" digest BLOB NOT NULL, mime_digest BLOB NOT NULL, cut INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE chunk(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	/* bodies that no message has claimed yet; a number is never given twice */
	"CREATE TABLE ahead(body INTEGER PRIMARY KEY AUTOINCREMENT);"
	"CREATE TABLE finish(seq INTEGER PRIMARY KEY, uuid TEXT NOT NULL, status INTEGER NOT NULL,"
	" fault_code TEXT);"
	"CREATE TABLE stamp(seq INTEGER PRIMARY KEY, side TEXT NOT NULL, time_ms INTEGER NOT NULL,"
	" token BLOB NOT NULL, result BLOB NOT NULL, head_seq INTEGER NOT NULL,"
	" head BLOB NOT NULL, head_chain BLOB NOT NULL, n INTEGER NOT NULL);"
	"CREATE TABLE archive(seq INTEGER PRIMARY KEY, file TEXT NOT NULL, digest TEXT NOT NULL,"
	" upto INTEGER NOT NULL, n INTEGER NOT NULL);"
	"CREATE TABLE cut(seq INTEGER PRIMARY KEY, before_ms INTEGER NOT NULL, n INTEGER NOT NULL);";

#define MESSAGE_COLUMNS                                                                            \
	"SELECT m.seq, x.uuid, m.side, x.route, m.message_id, m.client, m.service, m.response,"    \
	" m.sent, e.at_ms, m.kind, m.digest_alg, m.is_signed, m.stamp_seq, t.time_ms"              \
	" FROM message m JOIN entry e ON e.seq = m.seq JOIN exchange x ON x.id = m.exchange_id"    \
	" LEFT JOIN stamp t ON t.seq = m.stamp_seq "

#define STAMP_COLUMNS                                                                              \
	"SELECT side, time_ms, token, result, head_seq, head, head_chain, n FROM stamp "

/* messages to cut: of exchanges that have ended */
#define CUT_SET                                                                                    \
	"(SELECT m.seq FROM message m JOIN entry e ON e.seq = m.seq"                               \
	" JOIN exchange x ON x.id = m.exchange_id"                                                 \
	" WHERE m.cut = 0 AND x.status <> 0 AND e.at_ms < ?1 ORDER BY m.seq LIMIT ?2)"

static const char *const queries[SLT_Q_COUNT] = {
	[SLT_Q_HEAD] = "SELECT seq, chain FROM entry ORDER BY seq DESC LIMIT 1",
	[SLT_Q_PUT_ENTRY] = "INSERT INTO entry(seq, kind, at_ms, chain) VALUES(?,?,?,?)",
	[SLT_Q_OPEN_EXCHANGE] = "INSERT INTO exchange(uuid, route, started_ms) VALUES(?,?,?)"
				" ON CONFLICT(uuid) DO NOTHING",
	[SLT_Q_PUT_MESSAGE] =
		"INSERT INTO message(seq, exchange_id, side, response, sent, kind, digest_alg,"
		" message_id, client, service, is_signed, body)"
		" SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?13 FROM exchange"
		" WHERE uuid = ?2 AND status = 0 AND route = ?12",
	[SLT_Q_PUT_PART] =
		"INSERT INTO part(id, name, content_type, headers, size, digest_alg, digest,"
		" mime_digest) VALUES(?,?,?,?,?,?,?,?)",
	[SLT_Q_PUT_CHUNK] = "INSERT INTO chunk(id, data) VALUES(?,?)",
	[SLT_Q_AHEAD_NEW] = "INSERT INTO ahead DEFAULT VALUES RETURNING body",
	[SLT_Q_AHEAD_CLAIM] = "DELETE FROM ahead WHERE body = ?",
	[SLT_Q_AHEAD_ORPHAN] = "SELECT body FROM ahead WHERE body <> ? ORDER BY body LIMIT 1",
	[SLT_Q_AHEAD_SWEEP] = "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk"
			      " WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3)",
	[SLT_Q_PUT_FINISH] = "INSERT INTO finish(seq, uuid, status, fault_code) VALUES(?,?,?,?)",
	[SLT_Q_END_EXCHANGE] = "UPDATE exchange SET status = ?2, fault_code = ?3, finished_ms = ?4"
			       " WHERE uuid = ?1 AND status = 0",
	[SLT_Q_PUT_STAMP] = "INSERT INTO stamp(seq, side, time_ms, token, result, head_seq, head,"
			    " head_chain, n) VALUES(?,?,?,?,?,?,?,?,?)",
	[SLT_Q_PUT_CUT] = "INSERT INTO cut(seq, before_ms, n) VALUES(?,?,?)",
	[SLT_Q_PUT_ARCHIVE] = "INSERT INTO archive(seq, file, digest, upto, n) VALUES(?,?,?,?,?)",
	[SLT_Q_PUT_STAMPED] = "UPDATE message SET stamp_seq = ?2, stamp_chain = ?3"
			      " WHERE seq = ?1 AND stamp_seq IS NULL",
	[SLT_Q_CUT_LIST] = "SELECT p.id, p.name, coalesce(-b.body, b.seq) FROM part p"
			   " JOIN message b ON b.seq = p.id / 128"
			   " WHERE p.cut = 0 AND p.id / 128 IN " CUT_SET,
	[SLT_Q_CUT_PART] = "UPDATE part SET cut = 1, content_type = '', headers = '' WHERE id = ?",
	[SLT_Q_CUT_CHUNKS] = "DELETE FROM chunk WHERE id BETWEEN ?1 AND ?2",
	[SLT_Q_CUT_MESSAGE] = "UPDATE message SET cut = 1 WHERE seq IN " CUT_SET,
	[SLT_Q_SEEN] = "SELECT 1 FROM message WHERE message_id = ?1 AND client = ?2 AND side = ?3"
		       " AND sent = 0 AND (?4 < 0 OR response = ?4) LIMIT 1",
	[SLT_Q_MESSAGES] = MESSAGE_COLUMNS "WHERE x.uuid = ? ORDER BY m.seq",
	[SLT_Q_MESSAGE] = MESSAGE_COLUMNS "WHERE m.seq = ?",
	[SLT_Q_PARTS] =
		"SELECT name, content_type, headers, size, digest_alg, digest, mime_digest, cut"
		" FROM part WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
	[SLT_Q_PART] = "SELECT id % 128 FROM part"
		       " WHERE id BETWEEN ?1 AND ?2 AND name = ?3 AND cut = 0",
	[SLT_Q_CHUNK] = "SELECT data FROM chunk WHERE id ="
			" (coalesce((SELECT -body FROM message WHERE seq = ?1), ?1) * 128 + ?2)"
			" * 1048576 + ?3",
	[SLT_Q_ENTRIES] =
		"SELECT seq, kind, at_ms, chain FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?",
	[SLT_Q_FINISH] = "SELECT uuid, status, fault_code FROM finish WHERE seq = ?",
	[SLT_Q_CUT] = "SELECT before_ms, n FROM cut WHERE seq = ?",
	[SLT_Q_STAMP] = STAMP_COLUMNS "WHERE seq = ?",
	[SLT_Q_STAMP_CHAIN] =
		"SELECT stamp_chain FROM message WHERE seq = ? AND stamp_seq IS NOT NULL",
	[SLT_Q_STAMP_COUNT] = "SELECT count(*) FROM message WHERE stamp_seq = ?",
	[SLT_Q_ARCHIVE] = "SELECT file, digest, upto, n FROM archive WHERE seq = ?",
	[SLT_Q_LAST_ARCHIVE] =
		"SELECT file, digest, upto, n FROM archive ORDER BY seq DESC LIMIT 1",
	[SLT_Q_ARCHIVABLE] = "SELECT seq FROM message WHERE seq > ?1 AND is_signed = 1 AND cut = 0"
			     " AND seq < coalesce((SELECT min(seq) FROM message"
			     " WHERE is_signed = 1 AND stamp_seq IS NULL), 9223372036854775807)"
			     " ORDER BY seq LIMIT ?2",
	[SLT_Q_UNSTAMPED] = "SELECT seq FROM message WHERE side = ? AND is_signed = 1"
			    " AND stamp_seq IS NULL ORDER BY seq LIMIT ?",
	[SLT_Q_BACKLOG] = "SELECT b.n, coalesce((SELECT at_ms FROM entry WHERE seq = b.first), 0)"
			  " FROM (SELECT count(*) AS n, min(seq) AS first FROM message"
			  " WHERE side = ? AND is_signed = 1 AND stamp_seq IS NULL) b",
	[SLT_Q_UNCOVERED] = "SELECT 1 FROM message WHERE side = ? AND is_signed = 0 AND seq >"
			    " coalesce((SELECT head_seq FROM stamp ORDER BY seq DESC LIMIT 1), 0)"
			    " LIMIT 1",
};

#define RUN(s, q, err, ...) slt_sql_run((s)->db, q, SLT_SQL_VALUES(__VA_ARGS__), err)

static void store_rollback(struct slt_msglog_store *s)
{
	/* some failures, such as a full disk, have rolled back already */
	struct slt_err ignored = SLT_ERR_INIT;
	if (slt_sql_in_transaction(s->db) && !slt_sql_exec(s->db, "ROLLBACK", &ignored)) {
		/* the next begin fails and says why */
		slt_err_clear(&ignored);
	}
}

static bool check_schema(struct slt_msglog_store *s, struct slt_err *err)
{
	int64_t id, version;
	if (!slt_sql_get(s->db, "PRAGMA application_id", &id, err) ||
	    !slt_sql_get(s->db, "PRAGMA user_version", &version, err)) {
		return false;
	}
	if (id != APPLICATION_ID) {
		return slt_fail(err, SLT_EDATABASE, "%s is not a message log", slt_sql_path(s->db));
	}
	if (version != SCHEMA_VERSION) {
		return slt_fail(err, SLT_EDATABASE,
				"the message log %s has format %" PRId64
				", this program knows format %d: use the program that wrote it",
				slt_sql_path(s->db), version, SCHEMA_VERSION);
	}
	return true;
}

static bool create_schema(struct slt_msglog_store *s, struct slt_err *err)
{
	int64_t tables;
	if (!slt_sql_exec(s->db, "BEGIN IMMEDIATE", err) ||
	    !slt_sql_get(s->db, "SELECT count(*) FROM sqlite_schema", &tables, err)) {
		return false;
	}
	bool ok = true;
	if (tables == 0) {
		SLT_AUTO_BUF(b, 256);
		slt_buf_addf(&b, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
			     APPLICATION_ID, SCHEMA_VERSION);
		ok = slt_sql_exec(s->db, schema, err) &&
		     slt_sql_exec(s->db, slt_buf_str(&b).p, err);
	}
	if (!ok) {
		store_rollback(s);
		return false;
	}
	return slt_sql_exec(s->db, "COMMIT", err);
}

static bool limit_size(struct slt_msglog_store *s, uint64_t max_bytes, struct slt_err *err)
{
	int64_t page;
	if (max_bytes == 0) {
		return true;
	}
	if (!slt_sql_get(s->db, "PRAGMA page_size", &page, err)) {
		return false;
	}
	SLT_AUTO_BUF(b, 128);
	slt_buf_addf(&b, "PRAGMA max_page_count = %" PRIu64,
		     max_bytes / (uint64_t)(page > 0 ? page : 4096));
	return slt_sql_exec(s->db, slt_buf_str(&b).p, err);
}

static void store_close(struct slt_msglog_store *s)
{
	if (s) {
		slt_sql_close(s->db);
		free(s);
	}
}
SLT_DEFINE_AUTO(struct slt_msglog_store *, store_close)

static bool store_open(const char *path, bool write, uint64_t max_bytes,
		       struct slt_msglog_store **ret, struct slt_err *err)
{
	SLT_AUTO(store_close) struct slt_msglog_store *s = slt_calloc(1, sizeof(*s));
	if (!slt_sql_open(path, write, queries, SLT_Q_COUNT, &s->db, err) ||
	    (write && !create_schema(s, err)) || !check_schema(s, err) ||
	    (write && !limit_size(s, max_bytes, err))) {
		return slt_wrap(err, "message log");
	}
	*ret = SLT_TAKE(s);
	return true;
}

/* --- writing --- */

static bool store_begin(struct slt_msglog_store *s, struct slt_err *err)
{
	return slt_sql_exec(s->db, "BEGIN IMMEDIATE", err);
}

static bool store_snapshot(struct slt_msglog_store *s, struct slt_err *err)
{
	return slt_sql_exec(s->db, "BEGIN", err);
}

static bool store_commit(struct slt_msglog_store *s, struct slt_err *err)
{
	return slt_sql_exec(s->db, "COMMIT", err);
}

static bool store_mark(struct slt_msglog_store *s, struct slt_err *err)
{
	return slt_sql_exec(s->db, "SAVEPOINT one", err);
}

static bool store_keep(struct slt_msglog_store *s, struct slt_err *err)
{
	return slt_sql_exec(s->db, "RELEASE one", err);
}

static bool store_undo(struct slt_msglog_store *s, struct slt_err *err)
{
	return slt_sql_exec(s->db, "ROLLBACK TO one; RELEASE one", err);
}

static bool claim(struct slt_msglog_store *s, int64_t body, struct slt_err *err)
{
	if (body == 0) {
		return true;
	}
	if (!RUN(s, SLT_Q_AHEAD_CLAIM, err, slt_sql_int(body))) {
		return false;
	}
	return slt_sql_changes(s->db) == 1 ||
	       slt_fail(err, SLT_EDATABASE,
			"%s: a body was removed while it was written: another process has "
			"started to write this log",
			slt_sql_path(s->db));
}

static struct slt_sql_value int_or_null(int64_t i)
{
	return i ? slt_sql_int(i) : slt_sql_text(NULL);
}

static bool put_message(struct slt_msglog_store *s, const struct slt_msglog_entry *e,
			struct slt_err *err)
{
	const struct slt_msglog_message *m = e->message;
	if (!RUN(s, SLT_Q_OPEN_EXCHANGE, err, slt_sql_text(m->exchange), slt_sql_text(m->route),
		 slt_sql_int(e->at_ms)) ||
	    !RUN(s, SLT_Q_PUT_MESSAGE, err, slt_sql_int(e->seq), slt_sql_text(m->exchange),
		 slt_sql_text(m->side), slt_sql_int(m->response), slt_sql_int(m->sent),
		 slt_sql_int(m->kind), slt_sql_text(slt_digest_name(m->digest_alg)),
		 slt_sql_text(m->message_id), slt_sql_text(m->client), slt_sql_text(m->service),
		 slt_sql_int(m->is_signed), slt_sql_text(m->route), int_or_null(e->body))) {
		return false;
	}
	if (slt_sql_changes(s->db) != 1) {
		return slt_fail(err, SLT_EINVAL,
				"the exchange %s has ended or belongs to another route than %s",
				m->exchange, m->route);
	}
	if (!claim(s, e->body, err)) {
		return false;
	}
	for (unsigned i = 0; i < m->n_parts; i++) {
		const struct slt_msglog_part *p = &m->part[i];
		if (!RUN(s, SLT_Q_PUT_PART, err, slt_sql_int(SLT_PART_KEY(e->seq, i)),
			 slt_sql_text(p->name), slt_sql_text(p->content_type),
			 slt_sql_text(p->headers), slt_sql_int((int64_t)p->size),
			 slt_sql_text(slt_digest_name(p->digest.alg)),
			 slt_sql_blob(p->digest.v, p->digest.n),
			 slt_sql_blob(p->mime_digest.v, p->mime_digest.n))) {
			return false;
		}
	}
	return true;
}

static bool put_finish(struct slt_msglog_store *s, const struct slt_msglog_entry *e,
		       struct slt_err *err)
{
	if (!RUN(s, SLT_Q_END_EXCHANGE, err, slt_sql_text(e->exchange), slt_sql_int(e->status),
		 slt_sql_text(e->fault_code), slt_sql_int(e->at_ms))) {
		return false;
	}
	if (slt_sql_changes(s->db) != 1) {
		return slt_fail(err, SLT_ENOTFOUND, "the log has no open exchange %s", e->exchange);
	}
	return RUN(s, SLT_Q_PUT_FINISH, err, slt_sql_int(e->seq), slt_sql_text(e->exchange),
		   slt_sql_int(e->status), slt_sql_text(e->fault_code));
}

static bool put_stamp(struct slt_msglog_store *s, const struct slt_msglog_entry *e,
		      struct slt_err *err)
{
	const struct slt_msglog_stamp *t = e->stamp;
	return RUN(s, SLT_Q_PUT_STAMP, err, slt_sql_int(e->seq), slt_sql_text(t->side),
		   slt_sql_int(t->time_ms), slt_sql_blob(t->token.p, t->token.n),
		   slt_sql_blob(t->result.p, t->result.n), slt_sql_int(t->head.seq),
		   slt_sql_blob(t->head.chain, sizeof(t->head.chain)),
		   slt_sql_blob(t->head_chain.p, t->head_chain.n), slt_sql_int(t->n));
}

static bool store_put(struct slt_msglog_store *s, const struct slt_msglog_entry *e,
		      struct slt_err *err)
{
	if (!RUN(s, SLT_Q_PUT_ENTRY, err, slt_sql_int(e->seq), slt_sql_int(e->kind),
		 slt_sql_int(e->at_ms), slt_sql_blob(e->chain, sizeof(e->chain)))) {
		return false;
	}
	switch (e->kind) {
	case SLT_MSGLOG_MESSAGE:
		return put_message(s, e, err);
	case SLT_MSGLOG_FINISH:
		return put_finish(s, e, err);
	case SLT_MSGLOG_STAMP:
		return put_stamp(s, e, err);
	case SLT_MSGLOG_CUT:
		return RUN(s, SLT_Q_PUT_CUT, err, slt_sql_int(e->seq), slt_sql_int(e->before_ms),
			   slt_sql_int(e->n_cut));
	case SLT_MSGLOG_ARCHIVE:
		return RUN(s, SLT_Q_PUT_ARCHIVE, err, slt_sql_int(e->seq),
			   slt_sql_text(e->archived->file), slt_sql_text(e->archived->digest),
			   slt_sql_int(e->archived->upto), slt_sql_int(e->archived->n));
	}
	return slt_fail(err, SLT_EINTERNAL, "no such kind of log entry: %d", (int)e->kind);
}

static bool store_put_chunk(struct slt_msglog_store *s, int64_t seq, unsigned part, unsigned chunk,
			    struct slt_str p, struct slt_err *err)
{
	if (chunk >= SLT_CHUNKS_MAX) {
		return slt_fail(err, SLT_ELIMIT, "a part is too long for the message log");
	}
	return RUN(s, SLT_Q_PUT_CHUNK, err, slt_sql_int(SLT_CHUNK_KEY(seq, part, chunk)),
		   slt_sql_blob(p.p, p.n));
}

static bool has_room(struct slt_msglog_store *s, uint64_t size, struct slt_err *err)
{
	int64_t page, max, used, unused;
	if (!slt_sql_get(s->db, "PRAGMA page_size", &page, err) ||
	    !slt_sql_get(s->db, "PRAGMA max_page_count", &max, err) ||
	    !slt_sql_get(s->db, "PRAGMA page_count", &used, err) ||
	    !slt_sql_get(s->db, "PRAGMA freelist_count", &unused, err)) {
		return false;
	}
	uint64_t room = max + unused > used && page > 0
				? (uint64_t)(max + unused - used) * (uint64_t)page
				: 0;
	return size <= room ||
	       slt_fail(err, SLT_EDATABASE,
			"%s: %" PRIu64
			" bytes of attachments do not fit under its limit: raise the "
			"limit, or make room by cutting off old messages",
			slt_sql_path(s->db), size);
}

static bool store_ahead_new(struct slt_msglog_store *s, uint64_t size, int64_t *ret_body,
			    struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!has_room(s, size, err) || !slt_sql_start(s->db, SLT_Q_AHEAD_NEW, NULL, 0, &st, err) ||
	    !slt_sql_step(s->db, st, &row, err)) {
		return false;
	}
	*ret_body = row ? slt_sql_col_int(st, 0) : 0;
	slt_sql_reset(st);
	return *ret_body > 0 ||
	       slt_fail(err, SLT_EDATABASE, "%s gives no number for a body", slt_sql_path(s->db));
}

static bool store_ahead_sweep(struct slt_msglog_store *s, int64_t keep, unsigned max,
			      bool *ret_more, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	if (!slt_sql_start(s->db, SLT_Q_AHEAD_ORPHAN, SLT_SQL_VALUES(slt_sql_int(keep)), &st,
			   err) ||
	    !slt_sql_step(s->db, st, ret_more, err)) {
		return false;
	}
	if (!*ret_more) {
		return true;
	}
	int64_t body = slt_sql_col_int(st, 0);
	slt_sql_reset(st);
	if (!RUN(s, SLT_Q_AHEAD_SWEEP, err, slt_sql_int(SLT_CHUNK_KEY(-body, 0, 0)),
		 slt_sql_int(SLT_CHUNK_KEY(-body, 127, SLT_CHUNKS_MAX - 1)), slt_sql_int(max))) {
		return false;
	}
	return slt_sql_changes(s->db) == (int64_t)max ||
	       RUN(s, SLT_Q_AHEAD_CLAIM, err, slt_sql_int(body));
}

static bool store_put_stamped(struct slt_msglog_store *s, int64_t seq, int64_t stamp_seq,
			      struct slt_str chain, struct slt_err *err)
{
	if (!RUN(s, SLT_Q_PUT_STAMPED, err, slt_sql_int(seq), slt_sql_int(stamp_seq),
		 slt_sql_blob(chain.p, chain.n))) {
		return false;
	}
	return slt_sql_changes(s->db) == 1 ||
	       slt_fail(err, SLT_EDATABASE, "message %" PRId64 " has a time-stamp already", seq);
}

struct cut { /* a part to be cut, and what its chunks have in the place of seq */
	int64_t id, at;
};

static bool cut_part(struct slt_msglog_store *s, const struct cut *c, struct slt_err *err)
{
	int64_t part = c->id % 128;
	return RUN(s, SLT_Q_CUT_PART, err, slt_sql_int(c->id)) &&
	       RUN(s, SLT_Q_CUT_CHUNKS, err, slt_sql_int(SLT_CHUNK_KEY(c->at, part, 0)),
		   slt_sql_int(SLT_CHUNK_KEY(c->at, part, SLT_CHUNKS_MAX - 1)));
}

/* The rows are listed before any is changed: a statement must not walk over what it moves. */
static bool cut_list(struct slt_msglog_store *s, int64_t before_ms, unsigned max,
		     struct slt_arena *a, struct cut **ret, size_t *ret_n, struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	if (!slt_sql_start(s->db, SLT_Q_CUT_LIST,
			   SLT_SQL_VALUES(slt_sql_int(before_ms), slt_sql_int(max)), &st, err)) {
		return false;
	}
	struct cut *c = slt_arena_alloc(a, (size_t)max * SLT_MSGLOG_PARTS_MAX * sizeof(*c));
	size_t n = 0;
	bool row;
	for (;;) {
		if (!slt_sql_step(s->db, st, &row, err)) {
			return false;
		}
		if (!row || n == (size_t)max * SLT_MSGLOG_PARTS_MAX) {
			break;
		}
		if (slt_msglog_part_is_personal(slt_sql_col_text(st, 1, a))) {
			c[n++] = (struct cut){slt_sql_col_int(st, 0), slt_sql_col_int(st, 2)};
		}
	}
	slt_sql_reset(st);
	*ret = c;
	*ret_n = n;
	return true;
}

static bool store_cut(struct slt_msglog_store *s, int64_t before_ms, unsigned max, unsigned *ret_n,
		      struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct cut *c = NULL;
	size_t n = 0;
	if (!cut_list(s, before_ms, max, a, &c, &n, err)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!cut_part(s, &c[i], err)) {
			return false;
		}
	}
	if (!RUN(s, SLT_Q_CUT_MESSAGE, err, slt_sql_int(before_ms), slt_sql_int(max))) {
		return false;
	}
	*ret_n = (unsigned)slt_sql_changes(s->db);
	return true;
}

/* The write-ahead log still has the pages as they were. */
static bool store_scrub(struct slt_msglog_store *s, struct slt_err *err)
{
	int64_t busy;
	return slt_sql_get(s->db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, err);
}

const struct slt_msglog_driver slt_msglog_sqlite = {
	.name = "sqlite",
	.open = store_open,
	.close = store_close,
	.begin = store_begin,
	.commit = store_commit,
	.rollback = store_rollback,
	.mark = store_mark,
	.keep = store_keep,
	.undo = store_undo,
	.head = slt_msglog_sql_head,
	.put = store_put,
	.put_chunk = store_put_chunk,
	.ahead_new = store_ahead_new,
	.ahead_sweep = store_ahead_sweep,
	.put_stamped = store_put_stamped,
	.cut = store_cut,
	.scrub = store_scrub,
	.snapshot = store_snapshot,
	.seen = slt_msglog_sql_seen,
	.exchanges = slt_msglog_sql_exchanges,
	.messages = slt_msglog_sql_messages,
	.entries = slt_msglog_sql_entries,
	.unstamped = slt_msglog_sql_unstamped,
	.backlog = slt_msglog_sql_backlog,
	.uncovered = slt_msglog_sql_uncovered,
	.stamp = slt_msglog_sql_stamp,
	.stamp_chain = slt_msglog_sql_stamp_chain,
	.last_archive = slt_msglog_sql_last_archive,
	.archivable = slt_msglog_sql_archivable,
	.stamp_count = slt_msglog_sql_stamp_count,
	.chunk = slt_msglog_sql_chunk,
	.part = slt_msglog_sql_part,
};
