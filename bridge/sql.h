/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The little that the message log needs of a database: one connection, statements that are
 * prepared once, typed values in, typed columns out. Used by one thread at a time.
 */

#include "base/arena.h"
#include "base/digest.h"

struct slt_sql;
struct slt_sql_stmt;

/* queries are the texts that the numbers of start and run stand for; borrowed. Writing creates a
 * missing file with mode 0600. */
SLT_CHECK bool slt_sql_open(const char *path, bool write, const char *const *queries, size_t n,
			    struct slt_sql **ret, struct slt_err *err);
void slt_sql_close(struct slt_sql *db);
SLT_DEFINE_AUTO(struct slt_sql *, slt_sql_close)
const char *slt_sql_path(const struct slt_sql *db);

struct slt_sql_value {
	enum { SLT_SQL_INT, SLT_SQL_TEXT, SLT_SQL_BLOB } type;
	int64_t i;
	struct slt_str s;
};
struct slt_sql_value slt_sql_int(int64_t i);
struct slt_sql_value slt_sql_text(const char *s); /* NULL: SQL's NULL */
struct slt_sql_value slt_sql_blob(const void *p, size_t n);

/* The statement with its values, before its first row. Values must live until its last. */
SLT_CHECK bool slt_sql_start(struct slt_sql *db, unsigned query, const struct slt_sql_value *v,
			     size_t n, struct slt_sql_stmt **ret, struct slt_err *err);
/* A statement of its own, for texts put together at run time; slt_sql_drop() ends it. */
SLT_CHECK bool slt_sql_prepare(struct slt_sql *db, const char *text, const struct slt_sql_value *v,
			       size_t n, struct slt_sql_stmt **ret, struct slt_err *err);
void slt_sql_drop(struct slt_sql_stmt *st);
SLT_DEFINE_AUTO(struct slt_sql_stmt *, slt_sql_drop)
/* The next row; after the last one, and on failure, the statement is reset. */
SLT_CHECK bool slt_sql_step(struct slt_sql *db, struct slt_sql_stmt *st, bool *ret_row,
			    struct slt_err *err);
void slt_sql_reset(struct slt_sql_stmt *st);
/* Start, step to the end. */
SLT_CHECK bool slt_sql_run(struct slt_sql *db, unsigned query, const struct slt_sql_value *v,
			   size_t n, struct slt_err *err);
#define SLT_SQL_VALUES(...)                                                                        \
	(const struct slt_sql_value[]){__VA_ARGS__},                                               \
		sizeof((const struct slt_sql_value[]){__VA_ARGS__}) / sizeof(struct slt_sql_value)

/* Statements without values or rows, and one that yields one number. */
SLT_CHECK bool slt_sql_exec(struct slt_sql *db, const char *text, struct slt_err *err);
SLT_CHECK bool slt_sql_get(struct slt_sql *db, const char *text, int64_t *ret, struct slt_err *err);
int64_t slt_sql_changes(const struct slt_sql *db); /* rows that the last statement changed */
bool slt_sql_in_transaction(const struct slt_sql *db);

/* Columns of the current row. Views are borrowed until the next step. */
int64_t slt_sql_col_int(struct slt_sql_stmt *st, int i);
bool slt_sql_col_null(struct slt_sql_stmt *st, int i);
struct slt_str slt_sql_col(struct slt_sql_stmt *st, int i);
const char *slt_sql_col_text(struct slt_sql_stmt *st, int i, struct slt_arena *a);
struct slt_str slt_sql_col_blob(struct slt_sql_stmt *st, int i, struct slt_arena *a);
/* Exactly n bytes; zeros where the column has another length. */
void slt_sql_col_fixed(struct slt_sql_stmt *st, int i, unsigned char *ret, size_t n);
/* Left empty (matching nothing) where the length is not that of the algorithm. */
void slt_sql_col_digest(struct slt_sql_stmt *st, int i, enum slt_digest_alg alg,
			struct slt_digest *ret);
