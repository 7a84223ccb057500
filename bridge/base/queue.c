/* SPDX-License-Identifier: MIT */
#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct job {
	STAILQ_ENTRY(job) entry;
	void (*run)(void *arg);
	void *arg;
};

struct slt_pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	STAILQ_HEAD(, job) jobs;
	unsigned waiting, depth;
	bool stopping;
	unsigned n_threads;
	pthread_t threads[];
};

static void *work(void *arg)
{
	struct slt_pool *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct job *j = STAILQ_FIRST(&p->jobs);
		if (!j) {
			if (p->stopping) {
				break;
			}
			pthread_cond_wait(&p->more, &p->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&p->jobs, entry);
		p->waiting--;
		pthread_mutex_unlock(&p->lock);
		j->run(j->arg);
		free(j);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

bool slt_pool_new(unsigned threads, unsigned depth, struct slt_pool **ret, struct slt_err *err)
{
	struct slt_pool *p = slt_calloc(1, sizeof(*p) + threads * sizeof(pthread_t));

	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	STAILQ_INIT(&p->jobs);
	p->depth = depth;
	for (; p->n_threads < threads; p->n_threads++) {
		int r = pthread_create(&p->threads[p->n_threads], NULL, work, p);
		if (r != 0) {
			slt_pool_free(p);
			return slt_fail(err, SLT_EINTERNAL, "cannot start a worker thread: %s",
					strerror(r));
		}
	}
	*ret = p;
	return true;
}

static bool enqueue(struct slt_pool *p, void (*run)(void *arg), void *arg, bool always)
{
	struct job *j = slt_calloc(1, sizeof(*j));

	j->run = run;
	j->arg = arg;
	pthread_mutex_lock(&p->lock);
	bool taken = always || (p->waiting < p->depth && !p->stopping);
	if (taken) {
		STAILQ_INSERT_TAIL(&p->jobs, j, entry);
		p->waiting++;
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->lock);
	if (!taken) {
		free(j);
	}
	return taken;
}

bool slt_pool_submit(struct slt_pool *p, void (*run)(void *arg), void *arg)
{
	return enqueue(p, run, arg, false);
}

void slt_pool_continue(struct slt_pool *p, void (*run)(void *arg), void *arg)
{
	enqueue(p, run, arg, true);
}

unsigned slt_pool_waiting(struct slt_pool *p)
{
	pthread_mutex_lock(&p->lock);
	unsigned n = p->waiting;
	pthread_mutex_unlock(&p->lock);
	return n;
}

void slt_pool_free(struct slt_pool *p)
{
	if (!p) {
		return;
	}
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++) {
		pthread_join(p->threads[i], NULL);
	}
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
