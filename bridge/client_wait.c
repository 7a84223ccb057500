/* SPDX-License-Identifier: MIT */
/* Waiting for a call. */
#include "client.h"

#include <pthread.h>

struct waiter {
	const struct slt_call *call; /* the caller's own */
	struct slt_buf *body;
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool done;
	int status;
	struct slt_err err;
};

static bool wait_header(void *arg, int status, const char *name, const char *value,
			struct slt_err *err)
{
	struct waiter *w = arg;

	return !w->call->header || w->call->header(w->call->arg, status, name, value, err);
}

static bool wait_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct waiter *w = arg;

	if (w->call->data) {
		return w->call->data(w->call->arg, p, n, err);
	}
	slt_buf_add(w->body, p, n);
	return slt_buf_check(w->body, "the answer", err);
}

static bool wait_read(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct waiter *w = arg;

	return w->call->read(w->call->arg, p, n, ret_n, err);
}

static bool wait_judge(void *arg, X509 *const *chain, size_t n, struct slt_err *err)
{
	struct waiter *w = arg;

	return w->call->judge(w->call->arg, chain, n, err);
}

static void wait_done(void *arg, int status, bool sent, const struct slt_err *err)
{
	struct waiter *w = arg;

	if (w->call->done) {
		w->call->done(w->call->arg, status, sent, err);
	}
	pthread_mutex_lock(&w->lock);
	w->done = true;
	w->status = status;
	if (err) {
		w->err = *err;
	}
	pthread_cond_signal(&w->over);
	pthread_mutex_unlock(&w->lock);
}

bool slt_client_perform(struct slt_client *c, const struct slt_call *call, int *ret_status,
			struct slt_buf *ret_body, struct slt_err *err)
{
	struct waiter w = {.call = call, .body = ret_body};
	struct slt_call own = *call;

	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.over, NULL);
	own.header = wait_header;
	own.data = wait_data;
	own.read = call->read ? wait_read : NULL;
	own.judge = call->judge ? wait_judge : NULL;
	own.done = wait_done;
	own.arg = &w;
	slt_client_start(c, &own);
	pthread_mutex_lock(&w.lock);
	while (!w.done) {
		pthread_cond_wait(&w.over, &w.lock);
	}
	pthread_mutex_unlock(&w.lock);
	pthread_cond_destroy(&w.over);
	pthread_mutex_destroy(&w.lock);
	if (w.err.code != SLT_OK) {
		*err = w.err;
		return false;
	}
	*ret_status = w.status;
	return true;
}
