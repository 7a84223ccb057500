/* SPDX-License-Identifier: MIT */

/* The message log as the bridge sees it: what is accepted, the queue, the writing thread. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"

#include "msglog_write.h"

#define QUEUE_MAX 1024
#define GROUP_MAX 256
#define ENDS_MAX  10000 /* ends of exchanges that wait for the disk */
#define RETRY_S	  1
#define TEXT_MAX  4096	      /* of one identifier, route or fault code */
#define MIME_MAX  (64u << 10) /* of one part's headers */

struct slt_msglog {
	struct slt_msglog_writer writer; /* the writing thread's */
	struct slt_msglog_jobs ends; /* the writing thread's: refused by the disk, to be retried */
	unsigned n_ends;
	/* the writing thread's: messages whose bodies are written ahead, the first one's now, and
	 * what came after them of their exchanges */
	struct slt_msglog_jobs behind;
	bool littered, sweep_failed; /* the writing thread's: bodies are there that nobody claims */
	char *path;
	unsigned queue_max, group_max;
	pthread_t thread;

	pthread_mutex_t read_lock;
	struct slt_msglog_store *reading; /* for seen */

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t wake;
	struct slt_msglog_jobs queue;
	bool stopping, recovering;
	struct slt_msglog_stats stats;
};

static void job_free(struct slt_msglog_job *j)
{
	free(j->exchange);
	free(j->fault_code);
	free(j);
}

static void count(struct slt_msglog *l, const struct slt_msglog_jobs *jobs, bool committed)
{
	const struct slt_msglog_job *j;
	pthread_mutex_lock(&l->lock);
	l->stats.commits += committed ? 1 : 0;
	l->stats.written_ms = committed ? slt_now_ms() : l->stats.written_ms;
	STAILQ_FOREACH(j, jobs, next)
	{
		l->stats.entries += j->err.code == SLT_OK ? 1 : 0;
		l->stats.failed += j->err.code != SLT_OK ? 1 : 0;
		if (j->err.code == SLT_EDATABASE || j->err.code == SLT_EIO) {
			l->stats.refused_ms = slt_now_ms();
			snprintf(l->stats.why, sizeof(l->stats.why), "%s", j->err.msg);
		}
	}
	pthread_mutex_unlock(&l->lock);
}

static void report(slt_msglog_done_fn done, void *arg, const struct slt_err *err)
{
	if (done) {
		done(arg, err);
	}
}

/* An exchange that could not be ended for want of disk would stay open until the next start: who
 * ended it has been told, and its end is tried again. */
static bool keep_end(struct slt_msglog *l, struct slt_msglog_job *take_j)
{
	if (take_j->kind != SLT_MSGLOG_FINISH || take_j->err.code != SLT_EDATABASE ||
	    l->n_ends >= ENDS_MAX) {
		return false;
	}
	take_j->done = NULL;
	slt_err_clear(&take_j->err);
	STAILQ_INSERT_TAIL(&l->ends, take_j, next);
	l->n_ends++;
	return true;
}

static void write_group(struct slt_msglog *l, struct slt_msglog_jobs *jobs, bool committed)
{
	struct slt_msglog_job *j;
	count(l, jobs, committed);
	while ((j = STAILQ_FIRST(jobs))) {
		STAILQ_REMOVE_HEAD(jobs, next);
		l->littered |= j->err.code != SLT_OK && j->ahead.body != 0;
		report(j->done, j->arg, j->err.code == SLT_OK ? NULL : &j->err);
		if (!keep_end(l, j)) {
			job_free(j);
		}
	}
}

/* Returns with the lock held, when there is something to write or to end for. */
static void await_jobs(struct slt_msglog *l)
{
	struct timespec until;
	int e = 0;
	bool busy = !STAILQ_EMPTY(&l->behind) || (l->littered && !l->sweep_failed);
	bool retry = l->n_ends || l->littered;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RETRY_S;
	pthread_mutex_lock(&l->lock);
	while (!busy && STAILQ_EMPTY(&l->queue) && !l->stopping && !l->recovering && e == 0) {
		e = retry ? pthread_cond_timedwait(&l->wake, &l->lock, &until)
			  : pthread_cond_wait(&l->wake, &l->lock);
	}
}

static const char *exchange_of(const struct slt_msglog_job *j)
{
	return j->record ? j->record->exchange : j->exchange;
}

/* What an exchange logs stays in its order: nothing of it passes its own large message. */
static bool stays_behind(const struct slt_msglog_jobs *behind, const struct slt_msglog_job *j)
{
	const struct slt_msglog_job *k;
	const char *exchange = exchange_of(j);
	if (slt_msglog_is_ahead(j)) {
		return true;
	}
	STAILQ_FOREACH(k, behind, next)
	{
		if (exchange && strcmp(exchange_of(k), exchange) == 0) {
			return true;
		}
	}
	return false;
}

/* Moves jobs into the group until that has max; false when it has. Called with the lock held. */
static void sort_out(struct slt_msglog *l, struct slt_msglog_jobs *from,
		     struct slt_msglog_jobs *group, unsigned *n)
{
	while (*n < l->group_max && !STAILQ_EMPTY(from)) {
		struct slt_msglog_job *j = STAILQ_FIRST(from);
		STAILQ_REMOVE_HEAD(from, next);
		if (stays_behind(&l->behind, j)) {
			STAILQ_INSERT_TAIL(&l->behind, j, next);
			continue;
		}
		STAILQ_INSERT_TAIL(group, j, next);
		l->stats.waiting--;
		++*n;
	}
}

/* The ends to be tried again, and up to group_max jobs; *ret_last when no more will come. */
static void take_group(struct slt_msglog *l, struct slt_msglog_jobs *ret, bool *ret_last)
{
	struct slt_msglog_jobs before = STAILQ_HEAD_INITIALIZER(before);
	unsigned n = 0;
	await_jobs(l);
	STAILQ_CONCAT(ret, &l->ends);
	l->n_ends = 0;
	STAILQ_CONCAT(&before, &l->behind);
	sort_out(l, &before, ret, &n);
	STAILQ_CONCAT(&l->behind, &before);
	sort_out(l, &l->queue, ret, &n);
	l->littered |= l->recovering;
	l->recovering = false;
	*ret_last = l->stopping && STAILQ_EMPTY(&l->queue) && STAILQ_EMPTY(&l->behind);
	pthread_mutex_unlock(&l->lock);
}

/* The next piece of the body that is being written. A job that fails is reported at once. */
static void write_behind(struct slt_msglog *l)
{
	struct slt_msglog_job *j = STAILQ_FIRST(&l->behind);
	if (!j || !slt_msglog_is_ahead(j) || slt_msglog_write_ahead(&l->writer, j)) {
		return;
	}
	struct slt_msglog_jobs failed = STAILQ_HEAD_INITIALIZER(failed);
	STAILQ_REMOVE_HEAD(&l->behind, next);
	STAILQ_INSERT_TAIL(&failed, j, next);
	pthread_mutex_lock(&l->lock);
	l->stats.waiting--;
	pthread_mutex_unlock(&l->lock);
	write_group(l, &failed, false);
}

/* Bodies that nobody will claim: of a job that failed, or of a process that died. */
static void sweep(struct slt_msglog *l)
{
	struct slt_err err = SLT_ERR_INIT;
	const struct slt_msglog_job *j = STAILQ_FIRST(&l->behind);
	if (!l->littered) {
		return;
	}
	bool more = false;
	l->sweep_failed = !slt_msglog_sweep(&l->writer, j ? j->ahead.body : 0, &more, &err);
	l->littered = more || l->sweep_failed;
	/* tried again, until there is room again for it */
	slt_err_clear(&err);
}

static void *writer(void *arg)
{
	struct slt_msglog *l = arg;
	bool last = false;
	while (!last) {
		struct slt_msglog_jobs jobs = STAILQ_HEAD_INITIALIZER(jobs);
		take_group(l, &jobs, &last);
		if (!STAILQ_EMPTY(&jobs)) {
			write_group(l, &jobs, slt_msglog_write(&l->writer, &jobs));
		}
		write_behind(l);
		sweep(l);
	}
	return NULL;
}

/* --- opening --- */

static void msglog_free(struct slt_msglog *l)
{
	l->writer.driver->close(l->writer.store);
	l->writer.driver->close(l->reading);
	pthread_cond_destroy(&l->wake);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->read_lock);
	struct slt_msglog_job *j;
	while ((j = STAILQ_FIRST(&l->ends))) {
		STAILQ_REMOVE_HEAD(&l->ends, next);
		job_free(j);
	}
	free(l->writer.buffer);
	free(l->path);
	free(l);
}

bool slt_msglog_open(const struct slt_msglog_options *o, struct slt_msglog **ret,
		     struct slt_err *err)
{
	struct slt_msglog *l = slt_calloc(1, sizeof(*l));
	l->writer.driver = &slt_msglog_sqlite;
	l->path = slt_strdup(o->path);
	l->queue_max = o->queue_max ? o->queue_max : QUEUE_MAX;
	l->group_max = o->group_max ? o->group_max : GROUP_MAX;
	l->writer.buffer = slt_calloc(1, SLT_MSGLOG_CHUNK);
	pthread_mutex_init(&l->read_lock, NULL);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->wake, NULL);
	STAILQ_INIT(&l->queue);
	STAILQ_INIT(&l->ends);
	STAILQ_INIT(&l->behind);
	if (!l->writer.driver->open(l->path, true, o->max_bytes, &l->writer.store, err) ||
	    !l->writer.driver->open(l->path, false, 0, &l->reading, err)) {
		msglog_free(l);
		return false;
	}
	int rc = pthread_create(&l->thread, NULL, writer, l);
	if (rc != 0) {
		msglog_free(l);
		return slt_fail(err, SLT_EINTERNAL, "no thread for the message log: %s",
				strerror(rc));
	}
	*ret = l;
	return true;
}

void slt_msglog_close(struct slt_msglog *l)
{
	if (!l) {
		return;
	}
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	msglog_free(l);
}

static uint64_t size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

void slt_msglog_stats(struct slt_msglog *l, struct slt_msglog_stats *ret)
{
	SLT_AUTO_STR char *ahead = slt_asprintf("%s-wal", l->path);
	pthread_mutex_lock(&l->lock);
	*ret = l->stats;
	pthread_mutex_unlock(&l->lock);
	ret->bytes = size_of(l->path) + size_of(ahead);
}

bool slt_msglog_backlog(struct slt_msglog *l, const char *side, uint64_t *ret_n,
			int64_t *ret_oldest_ms, struct slt_err *err)
{
	pthread_mutex_lock(&l->read_lock);
	bool ok = l->writer.driver->backlog(l->reading, side, ret_n, ret_oldest_ms, err);
	pthread_mutex_unlock(&l->read_lock);
	return ok;
}

/* --- queueing --- */

static bool enqueue(struct slt_msglog *l, struct slt_msglog_job *take_j, struct slt_err *err)
{
	pthread_mutex_lock(&l->lock);
	bool full = l->stats.waiting >= l->queue_max || l->stopping;
	if (full) {
		l->stats.refused++;
	} else {
		STAILQ_INSERT_TAIL(&l->queue, take_j, next);
		l->stats.waiting++;
		pthread_cond_signal(&l->wake);
	}
	pthread_mutex_unlock(&l->lock);
	if (full) {
		job_free(take_j);
		return slt_fail(err, SLT_EBUSY,
				"the message log has %u entries waiting: the disk is too slow",
				l->queue_max);
	}
	return true;
}

static bool check_exchange(const char *s, struct slt_err *err)
{
	size_t n = s ? strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-")
		     : 0;
	if (n == 0 || n > SLT_MSGLOG_EXCHANGE_MAX || s[n] != '\0') {
		return slt_fail(err, SLT_EINVAL, "an exchange is named by a UUID");
	}
	return true;
}

static bool check_text(const char *what, const char *s, size_t max, struct slt_err *err)
{
	if (!s || strnlen(s, max + 1) > max) {
		return slt_fail(err, SLT_EINVAL, "the %s is missing or longer than %zu bytes", what,
				max);
	}
	return true;
}

static bool check_mime(const char *content_type, const char *headers, struct slt_err *err)
{
	return check_text("content type", content_type ? content_type : "", MIME_MAX, err) &&
	       check_text("MIME headers of a part", headers ? headers : "", MIME_MAX, err);
}

static bool check_doc(const char *what, size_t n, struct slt_err *err)
{
	return n <= SLT_MSGLOG_DOC_MAX ||
	       slt_fail(err, SLT_EINVAL, "the %s has more than %u bytes", what, SLT_MSGLOG_DOC_MAX);
}

static bool check_message(const struct slt_message *m, struct slt_err *err)
{
	if (!m || m->digest_alg == SLT_DIGEST_NONE ||
	    m->digest.n != slt_digest_size(m->digest_alg)) {
		return slt_fail(err, SLT_EINVAL, "the message to be logged has no digest");
	}
	if (!check_mime(m->content_type, m->headers, err)) {
		return false;
	}
	for (unsigned i = 0; i < m->n_attachments; i++) {
		const struct slt_attachment *a = &m->attachment[i];
		if (a->digest.n != slt_digest_size(m->digest_alg)) {
			return slt_fail(err, SLT_EINVAL, "attachment %u has no digest", i + 1);
		}
		if (!check_mime(a->content_type, a->headers, err)) {
			return false;
		}
	}
	return check_doc("signature", m->signature.n, err) &&
	       check_doc("hash chain result", m->hash_chain_result.n, err) &&
	       check_doc("hash chain", m->hash_chain.n, err);
}

static bool check_record(const struct slt_msglog_record *r, struct slt_err *err)
{
	return check_exchange(r->exchange, err) && check_text("side", r->side, TEXT_MAX, err) &&
	       check_text("route", r->route, TEXT_MAX, err) &&
	       check_text("message id", r->message_id, TEXT_MAX, err) &&
	       check_text("client", r->client, TEXT_MAX, err) &&
	       check_text("service", r->service, TEXT_MAX, err) && check_message(r->message, err) &&
	       check_doc("trace", r->trace.n, err) && check_doc("list of rules", r->rules.n, err);
}

struct slt_msglog_job *slt_msglog_job_new(enum slt_msglog_kind kind, int64_t at_ms)
{
	struct slt_msglog_job *j = slt_calloc(1, sizeof(*j));
	j->kind = kind;
	j->at_ms = at_ms;
	return j;
}

void slt_msglog_append(struct slt_msglog *l, const struct slt_msglog_record *r,
		       slt_msglog_done_fn done, void *arg)
{
	struct slt_err err = SLT_ERR_INIT;
	if (!check_record(r, &err)) {
		report(done, arg, &err);
		return;
	}
	struct slt_msglog_job *j = slt_msglog_job_new(SLT_MSGLOG_MESSAGE, r->at_ms);
	j->done = done;
	j->arg = arg;
	j->record = r;
	if (!enqueue(l, j, &err)) {
		report(done, arg, &err);
	}
}

void slt_msglog_finish(struct slt_msglog *l, const char *exchange, enum slt_msglog_status status,
		       const char *fault_code, int64_t at_ms, slt_msglog_done_fn done, void *arg)
{
	struct slt_err err = SLT_ERR_INIT;
	if (!check_exchange(exchange, &err) ||
	    !check_text("fault code", fault_code ? fault_code : "", TEXT_MAX, &err) ||
	    (status == SLT_MSGLOG_OPEN &&
	     !slt_fail(&err, SLT_EINVAL, "an exchange cannot end as open"))) {
		report(done, arg, &err);
		return;
	}
	struct slt_msglog_job *j = slt_msglog_job_new(SLT_MSGLOG_FINISH, at_ms);
	j->done = done;
	j->arg = arg;
	j->exchange = slt_strdup(exchange);
	j->fault_code = fault_code ? slt_strdup(fault_code) : NULL;
	j->status = status;
	if (!enqueue(l, j, &err)) {
		report(done, arg, &err);
	}
}

/* --- waiting --- */

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
	struct slt_err *err;
};

static void waiter_done(void *arg, const struct slt_err *err)
{
	struct waiter *w = arg;
	pthread_mutex_lock(&w->lock);
	if (err) {
		*w->err = *err;
	}
	w->done = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

static bool waiter_wait(struct waiter *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->done) {
		pthread_cond_wait(&w->wake, &w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	return w->err->code == SLT_OK;
}

#define WAITER(e)                                                                                  \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER,               \
		.done = false, .err = (e)                                                          \
	}

bool slt_msglog_run(struct slt_msglog *l, struct slt_msglog_job *take_j, struct slt_err *err)
{
	struct slt_err own = SLT_ERR_INIT;
	struct waiter w = WAITER(&own);
	take_j->done = waiter_done;
	take_j->arg = &w;
	if (!enqueue(l, take_j, err)) {
		return false;
	}
	if (!waiter_wait(&w)) {
		*err = own;
		return false;
	}
	return true;
}

bool slt_msglog_append_wait(struct slt_msglog *l, const struct slt_msglog_record *r,
			    struct slt_err *err)
{
	struct slt_err own = SLT_ERR_INIT;
	struct waiter w = WAITER(&own);
	slt_msglog_append(l, r, waiter_done, &w);
	if (!waiter_wait(&w)) {
		*err = own;
		return false;
	}
	return true;
}

bool slt_msglog_finish_wait(struct slt_msglog *l, const char *exchange,
			    enum slt_msglog_status status, const char *fault_code, int64_t at_ms,
			    struct slt_err *err)
{
	struct slt_err own = SLT_ERR_INIT;
	struct waiter w = WAITER(&own);
	slt_msglog_finish(l, exchange, status, fault_code, at_ms, waiter_done, &w);
	if (!waiter_wait(&w)) {
		*err = own;
		return false;
	}
	return true;
}

/* --- asking --- */

const char *slt_msglog_path(const struct slt_msglog *l)
{
	return l->path;
}

bool slt_msglog_seen(struct slt_msglog *l, const char *side, const char *client,
		     const char *message_id, bool *ret_seen, struct slt_err *err)
{
	pthread_mutex_lock(&l->read_lock);
	bool ok = l->writer.driver->seen(l->reading, side, client, message_id, -1, ret_seen, err);
	pthread_mutex_unlock(&l->read_lock);
	return ok;
}

bool slt_msglog_recover(struct slt_msglog *l, slt_msglog_exchange_fn each, void *arg,
			struct slt_err *err)
{
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = NULL;
	struct slt_msglog_filter open = {.by_status = true, .status = SLT_MSGLOG_OPEN};
	pthread_mutex_lock(&l->lock);
	l->recovering = true;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
	return slt_msglog_reader_open(l->path, &r, err) &&
	       slt_msglog_each(r, &open, each, arg, err);
}
