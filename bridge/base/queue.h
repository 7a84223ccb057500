/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A bounded pool of workers. A job that finds the queue full is refused at once: the caller says
 * so to its peer. Jobs marked as continuations of accepted work are always taken, since their
 * number is bounded by the work accepted.
 */

#include "base/error.h"

struct slt_pool;

/* threads workers, at most depth waiting jobs. */
SLT_CHECK bool slt_pool_new(unsigned threads, unsigned depth, struct slt_pool **ret,
			    struct slt_err *err);
bool slt_pool_submit(struct slt_pool *p, void (*run)(void *arg), void *arg); /* false: full */
void slt_pool_continue(struct slt_pool *p, void (*run)(void *arg), void *arg);
unsigned slt_pool_waiting(struct slt_pool *p); /* jobs, now */
/* Runs what is queued, then stops the workers. */
void slt_pool_free(struct slt_pool *p);
SLT_DEFINE_AUTO(struct slt_pool *, slt_pool_free)
