/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a database has to do for the message log. A driver keeps rows and knows nothing of chains,
 * groups or threads; msglog.c, msglog_read.c and msglog_verify.c know nothing of SQL.
 *
 * A store is one connection, used by one thread at a time. All writing stands between begin and
 * commit.
 */

#include "msglog.h"

/* Kept in the database: never renumber. */
enum slt_msglog_kind {
	SLT_MSGLOG_MESSAGE = 1,
	SLT_MSGLOG_FINISH = 2,
	SLT_MSGLOG_STAMP = 3,
	SLT_MSGLOG_CUT = 4,
	SLT_MSGLOG_ARCHIVE = 5,
};

#define SLT_MSGLOG_CHAIN   32 /* bytes of the chain digest */
#define SLT_MSGLOG_CHUNK   (256u << 10)
#define SLT_MSGLOG_DOC_MAX (20u << 20) /* signature, hash chain, trace: bytes */

struct slt_msglog_head { /* of the chain; seq 0 and zeros while the log is empty */
	int64_t seq;
	unsigned char chain[SLT_MSGLOG_CHAIN];
};

struct slt_msglog_stamp {
	const char *side;
	int64_t time_ms;
	struct slt_str token, result; /* DER; hash chain result */
	struct slt_msglog_head head;  /* of the log when the batch was made */
	struct slt_str head_chain;    /* hash chain of the leaf that is the head */
	unsigned n;		      /* messages */
};

struct slt_msglog_archived { /* one archive file */
	const char *file;    /* its name, without directory */
	const char *digest;  /* that its linking information ends with, hex */
	int64_t upto;	     /* entry of its last message */
	unsigned n;	     /* messages */
};

struct slt_msglog_entry { /* one link of the chain */
	int64_t seq;
	enum slt_msglog_kind kind;
	int64_t at_ms;
	unsigned char chain[SLT_MSGLOG_CHAIN];
	const struct slt_msglog_message *message; /* MESSAGE */
	int64_t body;			      /* MESSAGE; written ahead, to be claimed; 0: none */
	const char *exchange, *fault_code;    /* FINISH; fault_code may be NULL */
	enum slt_msglog_status status;	      /* FINISH */
	const struct slt_msglog_stamp *stamp; /* STAMP */
	int64_t before_ms;		      /* CUT */
	unsigned n_cut;			      /* CUT */
	const struct slt_msglog_archived *archived; /* ARCHIVE */
};

struct slt_msglog_store;

struct slt_msglog_driver {
	const char *name;
	bool (*open)(const char *path, bool write, uint64_t max_bytes,
		     struct slt_msglog_store **ret, struct slt_err *err);
	void (*close)(struct slt_msglog_store *s);

	/* --- writing --- */
	bool (*begin)(struct slt_msglog_store *s, struct slt_err *err);
	bool (*commit)(struct slt_msglog_store *s, struct slt_err *err);
	void (*rollback)(struct slt_msglog_store *s);
	/* One entry inside a transaction: mark, then either keep or undo it. */
	bool (*mark)(struct slt_msglog_store *s, struct slt_err *err);
	bool (*keep)(struct slt_msglog_store *s, struct slt_err *err);
	bool (*undo)(struct slt_msglog_store *s, struct slt_err *err);
	bool (*head)(struct slt_msglog_store *s, struct slt_msglog_head *ret, struct slt_err *err);
	/* The first message of an exchange opens it. Further chunks of one that claims a body are
	 * put under the body's number. A FINISH of an exchange that is not open: SLT_ENOTFOUND. */
	bool (*put)(struct slt_msglog_store *s, const struct slt_msglog_entry *e,
		    struct slt_err *err);
	bool (*put_chunk)(struct slt_msglog_store *s, int64_t seq, unsigned part, unsigned chunk,
			  struct slt_str p, struct slt_err *err);
	/* A number for a body whose chunks are put, under minus that number for seq, before the
	 * message that claims it. Refused when the file may not grow by size bytes: what is
	 * written in many transactions must not take the room of everybody else's first. */
	bool (*ahead_new)(struct slt_msglog_store *s, uint64_t size, int64_t *ret_body,
			  struct slt_err *err);
	/* Removes up to max chunks of one body that no message has claimed, other than keep, and
	 * its number after the last one. *ret_more: there was something. */
	bool (*ahead_sweep)(struct slt_msglog_store *s, int64_t keep, unsigned max, bool *ret_more,
			    struct slt_err *err);
	bool (*put_stamped)(struct slt_msglog_store *s, int64_t seq, int64_t stamp_seq,
			    struct slt_str chain, struct slt_err *err);
	/* Cuts up to max messages; how many. */
	bool (*cut)(struct slt_msglog_store *s, int64_t before_ms, unsigned max, unsigned *ret_n,
		    struct slt_err *err);

	/* Outside a transaction: what was cut off goes from every file, as far as readers let it;
	 * what they hold back goes when the files are next written. */
	bool (*scrub)(struct slt_msglog_store *s, struct slt_err *err);

	/* --- reading --- */
	/* Until rollback, everything is read as it is now. */
	bool (*snapshot)(struct slt_msglog_store *s, struct slt_err *err);
	/* direction: 0 request, 1 response, -1 either; received messages only. */
	bool (*seen)(struct slt_msglog_store *s, const char *side, const char *client,
		     const char *message_id, int direction, bool *ret, struct slt_err *err);
	bool (*exchanges)(struct slt_msglog_store *s, const struct slt_msglog_filter *f,
			  slt_msglog_exchange_fn each, void *arg, struct slt_err *err);
	bool (*messages)(struct slt_msglog_store *s, const char *exchange, struct slt_arena *a,
			 struct slt_msglog_message **ret, size_t *ret_n, struct slt_err *err);
	/* Entries from seq on, up to max; *ret_n 0 at the end. */
	bool (*entries)(struct slt_msglog_store *s, int64_t seq, size_t max, struct slt_arena *a,
			struct slt_msglog_entry **ret, size_t *ret_n, struct slt_err *err);
	bool (*unstamped)(struct slt_msglog_store *s, const char *side, unsigned max,
			  struct slt_arena *a, int64_t **ret_seq, size_t *ret_n,
			  struct slt_err *err);
	/* How many there are without a time-stamp, and when the oldest was logged (0: none). */
	bool (*backlog)(struct slt_msglog_store *s, const char *side, uint64_t *ret_n,
			int64_t *ret_oldest_ms, struct slt_err *err);
	/* Is there an unsigned message of the side that the head of no time-stamp covers? */
	bool (*uncovered)(struct slt_msglog_store *s, const char *side, bool *ret,
			  struct slt_err *err);
	/* SLT_ENOTFOUND when there is none. */
	bool (*stamp)(struct slt_msglog_store *s, int64_t stamp_seq, struct slt_arena *a,
		      struct slt_msglog_stamp *ret, struct slt_err *err);
	bool (*stamp_chain)(struct slt_msglog_store *s, int64_t seq, struct slt_arena *a,
			    struct slt_str *ret, struct slt_err *err);
	/* The last archive that was recorded; file NULL when there is none. */
	bool (*last_archive)(struct slt_msglog_store *s, struct slt_arena *a,
			     struct slt_msglog_archived *ret, struct slt_err *err);
	/* Signed messages after an entry that have their bodies, oldest first, up to the first one
	 * that has no time-stamp. */
	bool (*archivable)(struct slt_msglog_store *s, int64_t after, unsigned max,
			   struct slt_arena *a, int64_t **ret_seq, size_t *ret_n,
			   struct slt_err *err);
	/* Messages that say they belong to a stamp. */
	bool (*stamp_count)(struct slt_msglog_store *s, int64_t stamp_seq, unsigned *ret,
			    struct slt_err *err);
	/* The n-th piece of a part; p NULL after the last one. Borrowed until the next call. */
	bool (*chunk)(struct slt_msglog_store *s, int64_t seq, unsigned part, unsigned chunk,
		      struct slt_str *ret, struct slt_err *err);
	/* Index of a part by its name: SLT_ENOTFOUND when it is not there or was cut off. */
	bool (*part)(struct slt_msglog_store *s, int64_t seq, const char *name, unsigned *ret,
		     struct slt_err *err);
};

extern const struct slt_msglog_driver slt_msglog_sqlite;

/* Is a part one that goes when personal data are cut off? */
bool slt_msglog_part_is_personal(const char *name);

/* --- msglog_chain.c --- */

/*
 * d(i) = SHA-256( d(i-1) || SHA-256( canonical form of entry i ) ), d(0) = 32 zero bytes.
 * The canonical form is a sequence of netstrings ("5:hello,"), numbers in decimal:
 *   "silta-log-1", seq, kind, at_ms, then
 *   MESSAGE: exchange, route, side, "request"|"response", "received"|"sent", "soap"|"rest",
 *            digest algorithm, message id, client, service, number of parts, for each part: name,
 *            size, digest algorithm, digest (hex), SHA-256 of the part's MIME headers (hex)
 *   FINISH:  exchange, status in words, fault code
 *   STAMP:   side, time_ms, head seq, head chain (hex), n, SHA-256 of token, of result, of
 *            head_chain (hex)
 *   CUT:     before_ms, number of messages
 *   ARCHIVE: file, last digest (hex), upto, number of messages
 */
void slt_msglog_chain_next(const unsigned char prev[SLT_MSGLOG_CHAIN],
			   const struct slt_msglog_entry *e, unsigned char ret[SLT_MSGLOG_CHAIN]);
/* SHA-256 over the netstrings of content type and headers. */
void slt_msglog_mime_digest(const char *content_type, const char *headers, struct slt_digest *ret);

/* --- msglog_stamp.c --- */

/* The leaf of a batch that is the log itself: SHA-512 over the text of its head. */
#define SLT_MSGLOG_HEAD_LEAF "/log-head"
/* "SEQ:HEX" */
void slt_msglog_head_text(const struct slt_msglog_head *head, struct slt_buf *out);
void slt_msglog_head_digest(const struct slt_msglog_head *head, struct slt_digest *ret);

/* --- msglog_read.c --- */

/* The store of a reader, for verification and export. */
struct slt_msglog_store *slt_msglog_reader_store(struct slt_msglog_reader *r,
						 const struct slt_msglog_driver **ret_driver);
