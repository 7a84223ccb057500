/* SPDX-License-Identifier: MIT */

/*
 * SQLite behind bridge/sql.h: write-ahead log, synchronous=FULL, deleted bytes overwritten.
 * The only file that knows sqlite3.h.
 */

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sql.h"

#define BUSY_MS	  10000
#define VALUE_MAX (64 << 20) /* bytes of one text or blob */

struct slt_sql {
	sqlite3 *db;
	char *path;
	const char *const *queries;
	sqlite3_stmt **stmt;
	size_t n;
};

/* the opaque statement is SQLite's own */
static sqlite3_stmt *raw(struct slt_sql_stmt *st)
{
	return (sqlite3_stmt *)st;
}

static bool fail(const struct slt_sql *s, const char *what, struct slt_err *err)
{
	int extended = s->db ? sqlite3_extended_errcode(s->db) : SQLITE_NOMEM;
	const char *text = s->db ? sqlite3_errmsg(s->db) : "out of memory";
	const char *todo = "";
	if ((extended & 0xff) == SQLITE_FULL) {
		todo = ": make room on the disk, raise the limit, or cut off old messages";
	} else if ((extended & 0xff) == SQLITE_BUSY) {
		todo = ": another process holds it";
	}
	return slt_fail(err, SLT_EDATABASE, "%s: %s: %s (SQLite %d)%s", s->path, what, text,
			extended, todo);
}

/* --- opening --- */

void slt_sql_close(struct slt_sql *s)
{
	if (!s) {
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		sqlite3_finalize(s->stmt[i]);
	}
	sqlite3_close(s->db);
	free(s->stmt);
	free(s->path);
	free(s);
}

const char *slt_sql_path(const struct slt_sql *s)
{
	return s->path;
}

/* SQLite would make the file readable for all; its -wal and -shm files take over our mode. A file
 * that is there must not be opened here: closing it would drop the locks that other connections of
 * this process hold on it. */
static bool create_file(const char *path, struct slt_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST) {
		return true;
	}
	if (fd < 0) {
		return slt_fail_errno(err, SLT_EDATABASE, "%s cannot be opened", path);
	}
	close(fd);
	return true;
}

static bool configure(struct slt_sql *s, bool write, struct slt_err *err)
{
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (!write) {
		return slt_sql_exec(s, "PRAGMA query_only = ON", err);
	}
	return slt_sql_exec(s, "PRAGMA journal_mode = WAL", err) &&
	       slt_sql_exec(s,
			    "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
			    " PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8000",
			    err);
}

bool slt_sql_open(const char *path, bool write, const char *const *queries, size_t n,
		  struct slt_sql **ret, struct slt_err *err)
{
	if (write && !create_file(path, err)) {
		return false;
	}
	SLT_AUTO(slt_sql_close) struct slt_sql *s = slt_calloc(1, sizeof(*s));
	s->path = slt_strdup(path);
	s->queries = queries;
	s->n = n;
	s->stmt = slt_calloc(n, sizeof(sqlite3_stmt *));
	int flags = SQLITE_OPEN_NOMUTEX | (write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK) {
		return fail(s, "cannot be opened", err);
	}
	if (!configure(s, write, err)) {
		return false;
	}
	*ret = SLT_TAKE(s);
	return true;
}

/* --- statements --- */

struct slt_sql_value slt_sql_int(int64_t i)
{
	return (struct slt_sql_value){.type = SLT_SQL_INT, .i = i};
}

struct slt_sql_value slt_sql_text(const char *s)
{
	return (struct slt_sql_value){.type = SLT_SQL_TEXT, .s = {s, s ? strlen(s) : 0}};
}

struct slt_sql_value slt_sql_blob(const void *p, size_t n)
{
	return (struct slt_sql_value){.type = SLT_SQL_BLOB, .s = {p ? p : "", n}};
}

static bool prepare(struct slt_sql *s, const char *sql, unsigned flags, sqlite3_stmt **ret,
		    struct slt_err *err)
{
	return sqlite3_prepare_v3(s->db, sql, -1, flags, ret, NULL) == SQLITE_OK ||
	       fail(s, "a statement was refused", err);
}

static bool bind(struct slt_sql *s, sqlite3_stmt *st, const struct slt_sql_value *v, size_t n,
		 struct slt_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = SQLITE_OK, at = (int)i + 1;
		switch (v[i].type) {
		case SLT_SQL_INT:
			rc = sqlite3_bind_int64(st, at, v[i].i);
			break;
		case SLT_SQL_TEXT:
			rc = sqlite3_bind_text64(st, at, v[i].s.p, v[i].s.n, SQLITE_STATIC,
						 SQLITE_UTF8);
			break;
		case SLT_SQL_BLOB:
			rc = sqlite3_bind_blob64(st, at, v[i].s.p, v[i].s.n, SQLITE_STATIC);
			break;
		}
		if (rc != SQLITE_OK) {
			return fail(s, "a value was refused", err);
		}
	}
	return true;
}

bool slt_sql_start(struct slt_sql *s, unsigned q, const struct slt_sql_value *v, size_t n,
		   struct slt_sql_stmt **ret, struct slt_err *err)
{
	slt_assert(q < s->n);
	if (!s->stmt[q] &&
	    !prepare(s, s->queries[q], SQLITE_PREPARE_PERSISTENT, &s->stmt[q], err)) {
		return false;
	}
	sqlite3_reset(s->stmt[q]);
	if (!bind(s, s->stmt[q], v, n, err)) {
		return false;
	}
	*ret = (struct slt_sql_stmt *)s->stmt[q];
	return true;
}

bool slt_sql_prepare(struct slt_sql *s, const char *text, const struct slt_sql_value *v, size_t n,
		     struct slt_sql_stmt **ret, struct slt_err *err)
{
	sqlite3_stmt *st = NULL;
	if (!prepare(s, text, 0, &st, err)) {
		return false;
	}
	if (!bind(s, st, v, n, err)) {
		sqlite3_finalize(st);
		return false;
	}
	*ret = (struct slt_sql_stmt *)st;
	return true;
}

void slt_sql_drop(struct slt_sql_stmt *st)
{
	sqlite3_finalize(raw(st));
}

bool slt_sql_step(struct slt_sql *s, struct slt_sql_stmt *st, bool *ret_row, struct slt_err *err)
{
	int rc = sqlite3_step(raw(st));
	if (rc == SQLITE_ROW) {
		*ret_row = true;
		return true;
	}
	if (rc != SQLITE_DONE) {
		fail(s, "a statement failed", err);
	}
	sqlite3_reset(raw(st));
	*ret_row = false;
	return rc == SQLITE_DONE;
}

void slt_sql_reset(struct slt_sql_stmt *st)
{
	sqlite3_reset(raw(st));
}

bool slt_sql_run(struct slt_sql *s, unsigned q, const struct slt_sql_value *v, size_t n,
		 struct slt_err *err)
{
	struct slt_sql_stmt *st = NULL;
	bool row;
	if (!slt_sql_start(s, q, v, n, &st, err) || !slt_sql_step(s, st, &row, err)) {
		return false;
	}
	sqlite3_reset(raw(st));
	return true;
}

bool slt_sql_exec(struct slt_sql *s, const char *text, struct slt_err *err)
{
	return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK ||
	       fail(s, "a statement failed", err);
}

bool slt_sql_get(struct slt_sql *s, const char *text, int64_t *ret, struct slt_err *err)
{
	SLT_AUTO(slt_sql_drop) struct slt_sql_stmt *st = NULL;
	bool row;
	if (!slt_sql_prepare(s, text, NULL, 0, &st, err) || !slt_sql_step(s, st, &row, err)) {
		return false;
	}
	*ret = row ? slt_sql_col_int(st, 0) : 0;
	return true;
}

int64_t slt_sql_changes(const struct slt_sql *s)
{
	return sqlite3_changes64(s->db);
}

bool slt_sql_in_transaction(const struct slt_sql *s)
{
	return !sqlite3_get_autocommit(s->db);
}

/* --- columns --- */

int64_t slt_sql_col_int(struct slt_sql_stmt *st, int i)
{
	return sqlite3_column_int64(raw(st), i);
}

bool slt_sql_col_null(struct slt_sql_stmt *st, int i)
{
	return sqlite3_column_type(raw(st), i) == SQLITE_NULL;
}

struct slt_str slt_sql_col(struct slt_sql_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(raw(st), i);
	return (struct slt_str){p ? p : "", (size_t)sqlite3_column_bytes(raw(st), i)};
}

const char *slt_sql_col_text(struct slt_sql_stmt *st, int i, struct slt_arena *a)
{
	struct slt_str v = slt_sql_col(st, i);
	return slt_arena_strndup(a, v.p, v.n);
}

struct slt_str slt_sql_col_blob(struct slt_sql_stmt *st, int i, struct slt_arena *a)
{
	struct slt_str v = slt_sql_col(st, i);
	return (struct slt_str){slt_arena_memdup(a, v.p, v.n), v.n};
}

void slt_sql_col_fixed(struct slt_sql_stmt *st, int i, unsigned char *ret, size_t n)
{
	struct slt_str v = slt_sql_col(st, i);
	memset(ret, 0, n);
	if (v.n == n) {
		memcpy(ret, v.p, n);
	}
}

void slt_sql_col_digest(struct slt_sql_stmt *st, int i, enum slt_digest_alg alg,
			struct slt_digest *ret)
{
	struct slt_str v = slt_sql_col(st, i);
	memset(ret, 0, sizeof(*ret));
	ret->alg = alg;
	if (alg != SLT_DIGEST_NONE && v.n == slt_digest_size(alg)) {
		memcpy(ret->v, v.p, v.n);
		ret->n = (unsigned)v.n;
	}
}
