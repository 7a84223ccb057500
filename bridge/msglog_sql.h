/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The message log over a relational database: what its writing half (msglog_sql.c) and its reading
 * half (msglog_sql_read.c) share.
 */

#include "msglog_store.h"
#include "sql.h"

/* parts of a message and pieces of a part are found by arithmetic on their keys: no second index.
 * The pieces of a body that was written ahead have minus its number in the place of seq. */
#define SLT_PART_KEY(seq, part)		((seq)*128 + (int64_t)(part))
#define SLT_CHUNK_KEY(seq, part, chunk) (SLT_PART_KEY(seq, part) * 1048576 + (int64_t)(chunk))
#define SLT_CHUNKS_MAX			1048576u
_Static_assert(SLT_MSGLOG_PARTS_MAX <= 128, "parts fit into their key");

enum slt_msglog_query {
	SLT_Q_HEAD,
	SLT_Q_PUT_ENTRY,
	SLT_Q_OPEN_EXCHANGE,
	SLT_Q_PUT_MESSAGE,
	SLT_Q_PUT_PART,
	SLT_Q_PUT_CHUNK,
	SLT_Q_AHEAD_NEW,
	SLT_Q_AHEAD_CLAIM,
	SLT_Q_AHEAD_ORPHAN,
	SLT_Q_AHEAD_SWEEP,
	SLT_Q_PUT_FINISH,
	SLT_Q_END_EXCHANGE,
	SLT_Q_PUT_STAMP,
	SLT_Q_PUT_CUT,
	SLT_Q_PUT_ARCHIVE,
	SLT_Q_PUT_STAMPED,
	SLT_Q_CUT_LIST,
	SLT_Q_CUT_PART,
	SLT_Q_CUT_CHUNKS,
	SLT_Q_CUT_MESSAGE,
	SLT_Q_SEEN,
	SLT_Q_MESSAGES,
	SLT_Q_MESSAGE,
	SLT_Q_PARTS,
	SLT_Q_PART,
	SLT_Q_CHUNK,
	SLT_Q_ENTRIES,
	SLT_Q_FINISH,
	SLT_Q_CUT,
	SLT_Q_STAMP,
	SLT_Q_STAMP_CHAIN,
	SLT_Q_STAMP_COUNT,
	SLT_Q_UNSTAMPED,
	SLT_Q_BACKLOG,
	SLT_Q_UNCOVERED,
	SLT_Q_ARCHIVE,
	SLT_Q_LAST_ARCHIVE,
	SLT_Q_ARCHIVABLE,
	SLT_Q_COUNT
};

struct slt_msglog_store {
	struct slt_sql *db;
};

/* The reading half of the driver: see msglog_store.h. */
bool slt_msglog_sql_head(struct slt_msglog_store *s, struct slt_msglog_head *ret,
			 struct slt_err *err);
bool slt_msglog_sql_seen(struct slt_msglog_store *s, const char *side, const char *client,
			 const char *message_id, int direction, bool *ret, struct slt_err *err);
bool slt_msglog_sql_exchanges(struct slt_msglog_store *s, const struct slt_msglog_filter *f,
			      slt_msglog_exchange_fn each, void *arg, struct slt_err *err);
bool slt_msglog_sql_messages(struct slt_msglog_store *s, const char *exchange, struct slt_arena *a,
			     struct slt_msglog_message **ret, size_t *ret_n, struct slt_err *err);
bool slt_msglog_sql_entries(struct slt_msglog_store *s, int64_t seq, size_t max,
			    struct slt_arena *a, struct slt_msglog_entry **ret, size_t *ret_n,
			    struct slt_err *err);
bool slt_msglog_sql_unstamped(struct slt_msglog_store *s, const char *side, unsigned max,
			      struct slt_arena *a, int64_t **ret_seq, size_t *ret_n,
			      struct slt_err *err);
bool slt_msglog_sql_backlog(struct slt_msglog_store *s, const char *side, uint64_t *ret_n,
			    int64_t *ret_oldest_ms, struct slt_err *err);
bool slt_msglog_sql_uncovered(struct slt_msglog_store *s, const char *side, bool *ret,
			      struct slt_err *err);
bool slt_msglog_sql_stamp(struct slt_msglog_store *s, int64_t stamp_seq, struct slt_arena *a,
			  struct slt_msglog_stamp *ret, struct slt_err *err);
bool slt_msglog_sql_stamp_chain(struct slt_msglog_store *s, int64_t seq, struct slt_arena *a,
				struct slt_str *ret, struct slt_err *err);
bool slt_msglog_sql_last_archive(struct slt_msglog_store *s, struct slt_arena *a,
				 struct slt_msglog_archived *ret, struct slt_err *err);
bool slt_msglog_sql_archivable(struct slt_msglog_store *s, int64_t after, unsigned max,
			       struct slt_arena *a, int64_t **ret_seq, size_t *ret_n,
			       struct slt_err *err);
bool slt_msglog_sql_stamp_count(struct slt_msglog_store *s, int64_t stamp_seq, unsigned *ret,
				struct slt_err *err);
bool slt_msglog_sql_chunk(struct slt_msglog_store *s, int64_t seq, unsigned part, unsigned chunk,
			  struct slt_str *ret, struct slt_err *err);
bool slt_msglog_sql_part(struct slt_msglog_store *s, int64_t seq, const char *name, unsigned *ret,
			 struct slt_err *err);
