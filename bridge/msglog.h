/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The message log: what came in and what went out, with signatures, so that it can be proved
 * afterwards. Per exchange up to four messages: the request received from one side, the request
 * sent to the other, the answer received, the answer sent.
 *
 * Writing: one thread of the log takes everything that is queued, writes it in one transaction,
 * and reports to each caller when that is on disk: many exchanges share one disk flush. Nothing
 * may leave the bridge before its report has come. The attachments of a message that has more than
 * 1 MB of them are written before it, 2 MB in a transaction, and between two of these what others
 * have queued; the message itself, its place in the chain, and whether it is a duplicate are
 * decided in one transaction as any other's. What an exchange logs stays in its order. Every row is
 * chained to the one before it by a digest over digests (msglog_chain.h), so that message bodies
 * can be cut off later and the chain still holds.
 *
 * Reading works beside a running writer, also from another process. Personal data stands only in
 * the parts (head, attachments, trace), never in the other columns.
 *
 * Threads: append, finish, seen, timestamp, cut and stats may be called from any thread. A reader
 * belongs to one thread at a time.
 */

#include "base/arena.h"
#include "federation/message.h"

enum slt_msglog_status {
	SLT_MSGLOG_OPEN,    /* in progress, or cut short by a crash */
	SLT_MSGLOG_DONE,    /* answered, also where the answer is a fault of the provider */
	SLT_MSGLOG_FAILED,  /* refused or broken, with a fault code */
	SLT_MSGLOG_UNKNOWN, /* sent, and what became of it is not known */
};
const char *slt_msglog_status_name(enum slt_msglog_status s); /* "open", "done", … */
bool slt_msglog_status_find(const char *name, enum slt_msglog_status *ret);

struct slt_msglog_options {
	const char *path;   /* of the SQLite file; created when missing, mode 0600 */
	unsigned queue_max; /* waiting entries; 0: 1024 */
	unsigned group_max; /* entries in one transaction; 0: 256 */
	uint64_t max_bytes; /* size the file may grow to; 0: no limit */
};

struct slt_msglog;
SLT_CHECK bool slt_msglog_open(const struct slt_msglog_options *o, struct slt_msglog **ret,
			       struct slt_err *err);
/* Writes what is queued, reports it, then closes. */
void slt_msglog_close(struct slt_msglog *l);
SLT_DEFINE_AUTO(struct slt_msglog *, slt_msglog_close)

/* Called from the log's thread once the entry is durable (err NULL) or has failed; from the
 * caller's own thread, before the call returns, when the queue is full (SLT_EBUSY) or the entry
 * is not acceptable (SLT_EINVAL). Must not block; may append. err is borrowed for the call. NULL
 * where nobody wants to know. */
typedef void (*slt_msglog_done_fn)(void *arg, const struct slt_err *err);

#define SLT_MSGLOG_EXCHANGE_MAX 36 /* letters, digits and hyphens: a UUID in text */

struct slt_msglog_record {
	const char *exchange; /* the same for the up to four messages; the first one opens it */
	const char *side;     /* instance whose member signed it: "EE", "FI" */
	/* Whose signature the message has when it is not its sender's:
	 * INSTANCE/CLASS/CODE/SUBSYSTEM of the bridge, which seals what an ordinary security server
	 * has signed. NULL otherwise. */
	const char *sealer;
	bool response; /* a request otherwise */
	bool sent;     /* received otherwise */
	int64_t at_ms;
	const char *route;
	const char *message_id;	      /* X-Road id */
	const char *client, *service; /* as slt_id_text() writes them */
	/* Without signature, where there is no key to seal it with, the record is not exported, and
	 * time-stamped by the chain that it is in. Its digests must be
	 * right. */
	const struct slt_message *message;
	struct slt_str trace; /* JSON of the mapping that made a sent message; may be empty */
	struct slt_str
		rules; /* JSON naming the tables and rules used, with digests; may be empty */
	/* SLT_EDUPLICATE_MESSAGE when the log already holds a received message of this side,
	 * client, message_id and direction. Decided in the transaction: no two can slip through. */
	bool refuse_duplicate;
	/* Where it is to be noted whether such a message was held already; NULL: nobody asks. */
	bool *ret_repeated;
};

/* The record and all that it points to are borrowed until done has been called; spools are read in
 * the log's thread. */
void slt_msglog_append(struct slt_msglog *l, const struct slt_msglog_record *r,
		       slt_msglog_done_fn done, void *arg);
/* Ends an exchange. fault_code (NULL if none) is copied. An exchange that has no message in the
 * log, or has ended already, gives SLT_ENOTFOUND. An end that the disk refuses is reported as such,
 * and tried again every second until it is written or the log is closed. */
void slt_msglog_finish(struct slt_msglog *l, const char *exchange, enum slt_msglog_status status,
		       const char *fault_code, int64_t at_ms, slt_msglog_done_fn done, void *arg);
/* The same, waiting. Never from a done callback. */
SLT_CHECK bool slt_msglog_append_wait(struct slt_msglog *l, const struct slt_msglog_record *r,
				      struct slt_err *err);
SLT_CHECK bool slt_msglog_finish_wait(struct slt_msglog *l, const char *exchange,
				      enum slt_msglog_status status, const char *fault_code,
				      int64_t at_ms, struct slt_err *err);

/* Has a message with this id been received from this client on this side? */
SLT_CHECK bool slt_msglog_seen(struct slt_msglog *l, const char *side, const char *client,
			       const char *message_id, bool *ret_seen, struct slt_err *err);

/* Gets a time-stamp over a digest: token (DER ContentInfo, already verified) and its time. */
typedef bool (*slt_msglog_stamp_fn)(void *arg, const struct slt_digest *imprint,
				    struct slt_buf *ret_token, int64_t *ret_time_ms,
				    struct slt_err *err);
/* Time-stamps up to max of the oldest signed messages of a side that have none, in one batch
 * (xroad-wire 6.2), together with the log's chain digest at that moment; that digest alone where it
 * vouches for unsigned messages of the side that no time-stamp covers yet. Waits for stamp and for
 * the disk. *ret_n is 0 when no signed message was left. */
SLT_CHECK bool slt_msglog_timestamp(struct slt_msglog *l, const char *side, unsigned max,
				    slt_msglog_stamp_fn stamp, void *arg, int64_t at_ms,
				    unsigned *ret_n, struct slt_err *err);

/* Removes the bodies (head, attachments, trace) of messages logged before before_ms, of exchanges
 * that have ended; digests, signatures and the chain stay. */
SLT_CHECK bool slt_msglog_cut(struct slt_msglog *l, int64_t before_ms, int64_t at_ms,
			      unsigned *ret_n, struct slt_err *err);

struct slt_msglog_stats {
	uint64_t entries, commits, failed; /* since opening */
	uint64_t refused;		   /* queue was full */
	unsigned waiting;
	int64_t written_ms;	   /* when something was written last; 0: not yet */
	int64_t refused_ms;	   /* when the disk or the database refused last; 0: never */
	char why[SLT_ERR_MSG_MAX]; /* it refused then */
	uint64_t bytes;		   /* of the file and its write-ahead log */
};
void slt_msglog_stats(struct slt_msglog *l, struct slt_msglog_stats *ret);
/* Signed messages of a side that have no time-stamp, and when the oldest of them was logged (0 when
 * there are none). */
SLT_CHECK bool slt_msglog_backlog(struct slt_msglog *l, const char *side, uint64_t *ret_n,
				  int64_t *ret_oldest_ms, struct slt_err *err);

/* --- reading --- */

struct slt_msglog_exchange { /* strings are borrowed for the call */
	const char *exchange, *route;
	int64_t started_ms, finished_ms; /* finished_ms 0 while open */
	enum slt_msglog_status status;
	const char *fault_code; /* NULL if none */
	unsigned n_messages;
};

struct slt_msglog_filter {
	int64_t since_ms, until_ms; /* start of the exchange, until exclusive; 0: no bound */
	const char *exchange, *route, *message_id; /* NULL: any */
	bool by_status;
	enum slt_msglog_status status;
	unsigned limit; /* the newest so many; 0: all */
};

typedef bool (*slt_msglog_exchange_fn)(void *arg, const struct slt_msglog_exchange *x,
				       struct slt_err *err);

/* Exchanges that have not ended, oldest first. Called before the first append they are those under
 * which the process died: the caller decides what became of them and finishes them. Bodies that it
 * had begun to write are removed from now on, in the log's thread; a process that writes messages
 * into a log is the only one that may call this. */
SLT_CHECK bool slt_msglog_recover(struct slt_msglog *l, slt_msglog_exchange_fn each, void *arg,
				  struct slt_err *err);

struct slt_msglog_reader;
SLT_CHECK bool slt_msglog_reader_open(const char *path, struct slt_msglog_reader **ret,
				      struct slt_err *err);
void slt_msglog_reader_close(struct slt_msglog_reader *r);
SLT_DEFINE_AUTO(struct slt_msglog_reader *, slt_msglog_reader_close)

/* Oldest first; stops when each returns false and passes its error on. */
SLT_CHECK bool slt_msglog_each(struct slt_msglog_reader *r, const struct slt_msglog_filter *f,
			       slt_msglog_exchange_fn each, void *arg, struct slt_err *err);

#define SLT_MSGLOG_PARTS_MAX  (SLT_ATTACHMENTS_MAX + 7)

#define SLT_MSGLOG_HEAD	      "/message.xml"
#define SLT_MSGLOG_SIGNATURE  "/META-INF/signatures.xml"
#define SLT_MSGLOG_SIG_RESULT "/sig-hashchainresult.xml"
#define SLT_MSGLOG_SIG_CHAIN  "/sig-hashchain.xml"
#define SLT_MSGLOG_TRACE      "trace"
#define SLT_MSGLOG_RULES      "rules"
#define SLT_MSGLOG_SEALER     "sealer"

struct slt_msglog_part {
	const char *name; /* one of the above, or "/attachment1", "/attachment2", … */
	const char *content_type, *headers;
	uint64_t size;
	struct slt_digest digest;      /* of the bytes */
	struct slt_digest mime_digest; /* of content type and headers */
	bool cut;		       /* bytes, content type and headers are gone */
};

struct slt_msglog_message { /* in the arena given */
	int64_t seq;
	const char *exchange, *side, *route, *message_id, *client, *service;
	bool response, sent;
	int64_t at_ms;
	enum slt_message_kind kind;
	enum slt_digest_alg digest_alg;
	struct slt_msglog_part *part;
	unsigned n_parts;
	bool is_signed;
	int64_t stamp_seq; /* 0: not time-stamped */
	int64_t stamped_ms;
};

/* The messages of an exchange, in the order they were logged; *ret_n 0 when it is not there. */
SLT_CHECK bool slt_msglog_messages(struct slt_msglog_reader *r, const char *exchange,
				   struct slt_arena *a, struct slt_msglog_message **ret,
				   size_t *ret_n, struct slt_err *err);
/* Appends the bytes of a part; SLT_ENOTFOUND when there is no such part or it was cut off,
 * SLT_ELIMIT when longer than the buffer may be. */
SLT_CHECK bool slt_msglog_read_part(struct slt_msglog_reader *r, int64_t seq, const char *name,
				    struct slt_buf *out, struct slt_err *err);
/* Who sealed the message, in the arena; NULL for one that its own sender signed, or nobody. */
SLT_CHECK bool slt_msglog_sealer(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
				 struct slt_arena *a, const char **ret, struct slt_err *err);
/* Hands the bytes on piece by piece, for parts of any length. */
SLT_CHECK bool slt_msglog_stream_part(struct slt_msglog_reader *r, int64_t seq, const char *name,
				      bool (*piece)(void *arg, struct slt_str p,
						    struct slt_err *err),
				      void *arg, struct slt_err *err);
