/* SPDX-License-Identifier: MIT */
#include "sign_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"

struct entry {
	STAILQ_ENTRY(entry) link;
	struct slt_message *message;
	void (*done)(void *arg, const struct slt_err *err);
	void *arg;
};

struct slt_sign_queue {
	struct slt_side *side;
	unsigned batch_max;
	slt_sign_fn sign;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	STAILQ_HEAD(, entry) waiting;
	bool stopping;
	struct slt_sign_stats stats;
};

/* Up to a batch of what is waiting; 0 when there is nothing. The lock is held. */
static size_t take(struct slt_sign_queue *q, struct entry *batch[SLT_SIGN_BATCH_MAX])
{
	size_t n = 0;
	struct entry *e;

	while (n < q->batch_max && (e = STAILQ_FIRST(&q->waiting))) {
		STAILQ_REMOVE_HEAD(&q->waiting, link);
		batch[n++] = e;
	}
	if (n) {
		q->stats.messages += n;
		q->stats.operations++;
		q->stats.largest = n > q->stats.largest ? (unsigned)n : q->stats.largest;
	}
	return n;
}

static void sign_batch(struct slt_sign_queue *q, struct entry *batch[], size_t n)
{
	struct slt_message *messages[SLT_SIGN_BATCH_MAX];
	struct slt_err err = SLT_ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		messages[i] = batch[i]->message;
	}
	bool ok = q->sign(q->side, messages, n, slt_now_ms(), &err);
	for (size_t i = 0; i < n; i++) {
		batch[i]->done(batch[i]->arg, ok ? NULL : &err);
		free(batch[i]);
	}
}

static void *work(void *arg)
{
	struct slt_sign_queue *q = arg;
	struct entry *batch[SLT_SIGN_BATCH_MAX];

	pthread_mutex_lock(&q->lock);
	for (;;) {
		size_t n = take(q, batch);
		if (n == 0) {
			if (q->stopping) {
				break;
			}
			pthread_cond_wait(&q->more, &q->lock);
			continue;
		}
		pthread_mutex_unlock(&q->lock);
		sign_batch(q, batch, n);
		pthread_mutex_lock(&q->lock);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

bool slt_sign_queue_new(struct slt_side *side, unsigned batch_max, slt_sign_fn sign,
			struct slt_sign_queue **ret, struct slt_err *err)
{
	struct slt_sign_queue *q = slt_calloc(1, sizeof(*q));

	q->side = side;
	q->batch_max = batch_max < 1 ? 1 : batch_max;
	if (q->batch_max > SLT_SIGN_BATCH_MAX) {
		q->batch_max = SLT_SIGN_BATCH_MAX;
	}
	q->sign = sign;
	STAILQ_INIT(&q->waiting);
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->more, NULL);
	int r = pthread_create(&q->thread, NULL, work, q);
	if (r != 0) {
		free(q);
		return slt_fail(err, SLT_EINTERNAL, "cannot start a signing thread: %s",
				strerror(r));
	}
	*ret = q;
	return true;
}

void slt_sign_queue_free(struct slt_sign_queue *q)
{
	if (!q) {
		return;
	}
	pthread_mutex_lock(&q->lock);
	q->stopping = true;
	pthread_cond_signal(&q->more);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->thread, NULL);
	pthread_cond_destroy(&q->more);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

void slt_sign_queue_add(struct slt_sign_queue *q, struct slt_message *m,
			void (*done)(void *arg, const struct slt_err *err), void *arg)
{
	struct entry *e = slt_calloc(1, sizeof(*e));

	e->message = m;
	e->done = done;
	e->arg = arg;
	pthread_mutex_lock(&q->lock);
	STAILQ_INSERT_TAIL(&q->waiting, e, link);
	pthread_cond_signal(&q->more);
	pthread_mutex_unlock(&q->lock);
}

void slt_sign_queue_stats(struct slt_sign_queue *q, struct slt_sign_stats *ret)
{
	pthread_mutex_lock(&q->lock);
	*ret = q->stats;
	pthread_mutex_unlock(&q->lock);
}
