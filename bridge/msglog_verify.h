/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Proving the message log, offline, from its file and the global configurations of the sides.
 *
 * Checks: that no entry is missing, changed or added (chain over all entries); that the bytes of
 * every part are those that the chain names, or were cut off by an entry that says so; that what
 * is said of each exchange's end is what was logged; every message's signature at its time-stamp's
 * instant (at the logged instant while there is none) over exactly its parts; every time-stamp,
 * and that the log's chain at that instant was what the token says.
 *
 * Does not check: that nothing was taken off the end since the last time-stamp, unless the caller
 * knows a head (expect_head); rows that no entry refers to, which prove nothing.
 */

#include "federation/globalconf.h"
#include "msglog.h"

enum slt_msglog_result {
	SLT_MSGLOG_GOOD,
	SLT_MSGLOG_BAD,
	SLT_MSGLOG_NOT_ASKED, /* no configuration of that side was given */
};

struct slt_msglog_finding { /* borrowed for the call */
	enum slt_msglog_result result;
	const char *what; /* file name of a message's container, "stamp-17", "entry-17", "chain" */
	const char *text; /* when good: signer and instant; may be "" */
	const struct slt_err *err;		  /* when not good */
	const struct slt_msglog_message *message; /* NULL for other entries */
};
typedef bool (*slt_msglog_finding_fn)(void *arg, const struct slt_msglog_finding *f,
				      struct slt_err *err);

struct slt_msglog_verify_options {
	bool chain_only; /* no signatures, no time-stamps */
	/* The configuration of a side; NULL when there is none. */
	const struct slt_globalconf *(*conf)(void *arg, const char *side);
	void *arg;
	bool lax;	      /* X-Road's own rules for signatures */
	const char *exchange; /* report and verify signatures of this one only; the chain whole */
	const char *expect_head; /* "SEQ:HEX" that the log must contain; NULL: unknown */
};

/* A finding for each message and time-stamp, for what is wrong with the chain, and last one for
 * the chain as a whole, whose text ends in the head as "SEQ:HEX". False only when the log cannot
 * be read or each gave up. */
SLT_CHECK bool slt_msglog_verify(struct slt_msglog_reader *r,
				 const struct slt_msglog_verify_options *o,
				 slt_msglog_finding_fn each, void *arg, struct slt_err *err);

/* --- msglog_proof.c --- */

/* The signature of one message over its parts' digests, and its time-stamp. Writes signer and
 * instant into text. */
SLT_CHECK bool slt_msglog_prove(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
				const struct slt_msglog_verify_options *o, struct slt_buf *text,
				struct slt_err *err);
struct slt_msglog_stamp;
/* The token of a batch, and that it covers the log's head. */
SLT_CHECK bool slt_msglog_prove_stamp(const struct slt_globalconf *gc,
				      const struct slt_msglog_stamp *s, struct slt_buf *text,
				      struct slt_err *err);
