/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Between the queue of the message log (msglog.c) and what writes a group of entries in one
 * transaction (msglog_write.c).
 */

#include <sys/queue.h>

#include "msglog_store.h"

struct slt_msglog_batch { /* messages that one time-stamp covers */
	struct slt_msglog_stamp stamp;
	const int64_t *seq;
	char *const *chains; /* one a message */
	unsigned n;
};

struct slt_msglog_ahead {    /* how far the body of a large message is written */
	int64_t body;	     /* its number; 0: not begun */
	unsigned attachment; /* the next chunk's */
	unsigned chunk;
	uint64_t offset;
	bool written; /* all of it: only the record is missing */
};

struct slt_msglog_job {
	STAILQ_ENTRY(slt_msglog_job) next;
	enum slt_msglog_kind kind;
	int64_t at_ms;
	const struct slt_msglog_record *record;	    /* MESSAGE; borrowed until done */
	struct slt_msglog_ahead ahead;		    /* MESSAGE */
	char *exchange, *fault_code;		    /* FINISH; owned */
	enum slt_msglog_status status;		    /* FINISH */
	const struct slt_msglog_batch *batch;	    /* STAMP; borrowed until done */
	const struct slt_msglog_archived *archived; /* ARCHIVE; borrowed until done */
	int64_t before_ms;			    /* CUT */
	unsigned *ret_n;			    /* CUT; borrowed until done */
	slt_msglog_done_fn done;
	void *arg;
	struct slt_err err; /* SLT_OK until the job has failed */
};
STAILQ_HEAD(slt_msglog_jobs, slt_msglog_job);

struct slt_msglog_writer {
	const struct slt_msglog_driver *driver;
	struct slt_msglog_store *store;
	char *buffer; /* SLT_MSGLOG_CHUNK bytes */
};

/* Writes all jobs in one transaction. A job that fails alone is undone alone and keeps its error
 * in `err`; when the transaction fails, all have one. False when nothing was committed. */
bool slt_msglog_write(const struct slt_msglog_writer *w, struct slt_msglog_jobs *jobs);
/* Notes whether the message was received before, and fails where that is refused. Inside a
 * transaction. */
bool slt_msglog_judge_repeated(const struct slt_msglog_writer *w, const struct slt_msglog_record *r,
			       struct slt_err *err);

/* --- msglog_ahead.c --- */

/* Part of a message that its attachment i is: the head is the first. */
#define SLT_MSGLOG_PART_OF(i) ((i) + 1)

/* Is the message so large that its body is to be written ahead, and is some of it missing? */
bool slt_msglog_is_ahead(const struct slt_msglog_job *j);
/* Writes the next 2 MB of the body in a transaction of their own. False when the job has failed;
 * what was written of it is then an orphan. */
bool slt_msglog_write_ahead(const struct slt_msglog_writer *w, struct slt_msglog_job *j);
/* Removes 2 MB of a body that no record has claimed, other than keep (0: none). */
bool slt_msglog_sweep(const struct slt_msglog_writer *w, int64_t keep, bool *ret_more,
		      struct slt_err *err);

/* --- msglog.c --- */

struct slt_msglog_job *slt_msglog_job_new(enum slt_msglog_kind kind, int64_t at_ms);
/* Queues the job and waits for it. */
SLT_CHECK bool slt_msglog_run(struct slt_msglog *l, struct slt_msglog_job *take_j,
			      struct slt_err *err);
/* The log's file, for readers of it. */
const char *slt_msglog_path(const struct slt_msglog *l);
