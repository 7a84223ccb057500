/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Signing under load: one worker a signing key. It takes the message that has waited longest and,
 * where more are waiting at that instant, all of them (up to a maximum), and signs them with one
 * operation of the key: X-Road's batch signature, a tree of hash chains (xroad-wire 1.2, 1.6). A
 * message that comes alone is signed alone, at once.
 */

#include "federation/message.h"
#include "side.h"

#define SLT_SIGN_BATCH_MAX 64

/* Signs n messages: slt_leg_sign(), or what a test puts in its place. */
typedef bool (*slt_sign_fn)(struct slt_side *side, struct slt_message *const *m, size_t n,
			    int64_t now_ms, struct slt_err *err);

struct slt_sign_queue;
/* batch_max 1: every message on its own. */
SLT_CHECK bool slt_sign_queue_new(struct slt_side *side, unsigned batch_max, slt_sign_fn sign,
				  struct slt_sign_queue **ret, struct slt_err *err);
/* Signs what is queued, then ends the worker. */
void slt_sign_queue_free(struct slt_sign_queue *q);
SLT_DEFINE_AUTO(struct slt_sign_queue *, slt_sign_queue_free)

/* Fills in the message's signature and hash chain, then calls done from the worker (err NULL on
 * success): it must not block. The message is borrowed until then. How many may wait is bounded by
 * the exchanges accepted. */
void slt_sign_queue_add(struct slt_sign_queue *q, struct slt_message *m,
			void (*done)(void *arg, const struct slt_err *err), void *arg);

struct slt_sign_stats {
	uint64_t messages, operations; /* since the start */
	unsigned largest;	       /* batch */
};
void slt_sign_queue_stats(struct slt_sign_queue *q, struct slt_sign_stats *ret);
