/* SPDX-License-Identifier: MIT */

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "msglog_fixture.h"

/* --- tests: writing and reading --- */

static void test_write_and_read(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	struct slt_msglog_record r = make_record("0f8b-1", m);
	attach(m, 600000, 1u << 20);
	attach(m, 700000, 1000);
	attach(m, 0, 1000);
	r.trace = slt_str("{\"entries\":[]}");
	r.rules = slt_str("{\"set\":\"1\"}");
	assert_true(slt_msglog_append_wait(l, &r, &err));

	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *rd = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_message *got = NULL;
	size_t n = 0;
	assert_true(slt_msglog_messages(rd, "0f8b-1", a, &got, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(got->n_parts, 7);
	assert_string_equal(got->client, "EE/COM/1/apteek");
	assert_string_equal(got->part[0].name, SLT_MSGLOG_HEAD);
	assert_true(slt_digest_eq(&got->part[0].digest, &m->digest));
	assert_string_equal(got->part[2].headers, "Content-ID: <a>\r\n");
	assert_true(got->is_signed);

	for (unsigned i = 1; i <= 3; i++) {
		SLT_AUTO_BUF(b, 1u << 20);
		struct slt_digest d;
		assert_true(slt_msglog_read_part(rd, got->seq, got->part[i].name, &b, &err));
		assert_int_equal(b.n, got->part[i].size);
		slt_digest_of(SLT_SHA512, slt_buf_str(&b).p, b.n, &d);
		assert_true(slt_digest_eq(&d, &m->attachment[i - 1].digest));
	}
	assert_holds();
}

static void test_read_limits(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	append_ok(l, "0f8b-1");
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *rd = open_reader();
	SLT_AUTO_BUF(small, 4);
	assert_false(slt_msglog_read_part(rd, 1, SLT_MSGLOG_HEAD, &small, &err));
	assert_int_equal(err.code, SLT_ELIMIT);
	slt_err_clear(&err);
	SLT_AUTO_BUF(b, 4096);
	assert_false(slt_msglog_read_part(rd, 1, "/attachment1", &b, &err));
	assert_int_equal(err.code, SLT_ENOTFOUND);
	slt_err_clear(&err);
	assert_false(slt_msglog_read_part(rd, 99, SLT_MSGLOG_HEAD, &b, &err));
	assert_int_equal(err.code, SLT_ENOTFOUND);
}

static void test_refused_records(void **state)
{
	(void)state;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	SLT_AUTO_STR char *long_text = slt_calloc(1, 5000);
	memset(long_text, 'x', 4999);
	struct slt_msglog_record good = make_record("0f8b-1", m), bad[8];
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		bad[i] = good;
	}
	bad[0].exchange = "../../etc/passwd";
	bad[1].exchange = "";
	bad[2].exchange = "0123456789012345678901234567890123456";
	bad[3].message_id = long_text;
	bad[4].client = NULL;
	bad[5].route = NULL;
	bad[6].message = NULL;
	bad[7].trace = (struct slt_str){long_text, (20u << 20) + 1};
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_err err = SLT_ERR_INIT;
		assert_false(slt_msglog_append_wait(l, &bad[i], &err));
		assert_int_equal(err.code, SLT_EINVAL);
	}
	m->digest.n = 0;
	struct slt_err err = SLT_ERR_INIT;
	assert_false(slt_msglog_append_wait(l, &good, &err));
	assert_int_equal(err.code, SLT_EINVAL);
	struct slt_msglog_filter all = {.limit = 0};
	assert_int_equal(count_exchanges(&all), 0);
}

static void test_finish(void **state)
{
	(void)state;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	struct slt_err err = SLT_ERR_INIT;
	append_ok(l, "0f8b-1");
	assert_false(slt_msglog_finish_wait(l, "0f8b-2", SLT_MSGLOG_DONE, NULL, 1, &err));
	assert_int_equal(err.code, SLT_ENOTFOUND);
	slt_err_clear(&err);
	assert_false(slt_msglog_finish_wait(l, "0f8b-1", SLT_MSGLOG_OPEN, NULL, 1, &err));
	assert_int_equal(err.code, SLT_EINVAL);
	slt_err_clear(&err);
	assert_true(slt_msglog_finish_wait(l, "0f8b-1", SLT_MSGLOG_FAILED, "FED-MAP-001", 1, &err));
	/* once is enough */
	assert_false(slt_msglog_finish_wait(l, "0f8b-1", SLT_MSGLOG_DONE, NULL, 1, &err));
	assert_int_equal(err.code, SLT_ENOTFOUND);
	slt_err_clear(&err);
	/* nothing comes after the end, and nothing under another route */
	assert_false(append(l, "0f8b-1", &err));
	assert_int_equal(err.code, SLT_EINVAL);
	assert_holds();
}

/* Nobody has to wait for the report. */
static void test_no_report(void **state)
{
	(void)state;
	struct slt_msglog *l = open_log(0, 0);
	append_ok(l, "0f8b-1");
	slt_msglog_finish(l, "0f8b-1", SLT_MSGLOG_DONE, NULL, 1, NULL, NULL);
	slt_msglog_finish(l, "0f8b-2", SLT_MSGLOG_DONE, NULL, 1, NULL, NULL);
	slt_msglog_finish(l, "not a UUID", SLT_MSGLOG_DONE, NULL, 1, NULL, NULL);
	slt_msglog_close(l);
	struct slt_msglog_filter done = {.by_status = true, .status = SLT_MSGLOG_DONE};
	assert_int_equal(count_exchanges(&done), 1);
}

static void test_filters(void **state)
{
	(void)state;
	three_exchanges();
	struct slt_msglog_filter f = {.limit = 0};
	assert_int_equal(count_exchanges(&f), 3);
	f.limit = 2;
	assert_int_equal(count_exchanges(&f), 2);
	f = (struct slt_msglog_filter){.by_status = true, .status = SLT_MSGLOG_OPEN};
	assert_int_equal(count_exchanges(&f), 1);
	f.status = SLT_MSGLOG_FAILED;
	assert_int_equal(count_exchanges(&f), 0);
	f.status = SLT_MSGLOG_DONE;
	assert_int_equal(count_exchanges(&f), 2);
	f = (struct slt_msglog_filter){.exchange = "aaaaaaaa-2", .route = "prescriptions"};
	assert_int_equal(count_exchanges(&f), 1);
	f.route = "other' OR '1'='1";
	assert_int_equal(count_exchanges(&f), 0);
	f = (struct slt_msglog_filter){.message_id = "aaaaaaaa-3"};
	assert_int_equal(count_exchanges(&f), 1);
	f = (struct slt_msglog_filter){.since_ms = 1700000000001};
	assert_int_equal(count_exchanges(&f), 0);
	f = (struct slt_msglog_filter){.since_ms = 1700000000000, .until_ms = 1700000000001};
	assert_int_equal(count_exchanges(&f), 3);
	f.until_ms = 1700000000000;
	assert_int_equal(count_exchanges(&f), 0);
}

static bool refuse_exchange(void *arg, const struct slt_msglog_exchange *x, struct slt_err *err)
{
	++*(unsigned *)arg;
	return slt_fail(err, SLT_EINVAL, "not %s", x->exchange);
}

static void test_each_stops(void **state)
{
	(void)state;
	three_exchanges();
	struct slt_err err = SLT_ERR_INIT;
	struct slt_msglog_filter all = {.limit = 0};
	unsigned n = 0;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	assert_false(slt_msglog_each(r, &all, refuse_exchange, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(err.msg, "not aaaaaaaa-1");
}

static void test_seen(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	bool seen = true;
	assert_true(slt_msglog_seen(l, "EE", "EE/COM/1/apteek", "0f8b-1", &seen, &err));
	assert_false(seen);
	append_ok(l, "0f8b-1");
	assert_true(slt_msglog_seen(l, "EE", "EE/COM/1/apteek", "0f8b-1", &seen, &err));
	assert_true(seen);
	const char *other[][3] = {{"FI", "EE/COM/1/apteek", "0f8b-1"},
				  {"EE", "EE/COM/1/apteeg", "0f8b-1"},
				  {"EE", "EE/COM/1/apteek", "0f8b-2"},
				  {"EE", "EE/COM/1/apteek", "0F8B-1"}};
	for (size_t i = 0; i < SLT_COUNT(other); i++) {
		assert_true(slt_msglog_seen(l, other[i][0], other[i][1], other[i][2], &seen, &err));
		assert_false(seen);
	}
}

static void test_duplicate_refused(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	struct slt_msglog_record r = make_record("0f8b-1", m);
	r.refuse_duplicate = true;
	assert_true(slt_msglog_append_wait(l, &r, &err));
	r.exchange = "0f8b-2";
	r.message_id = "0f8b-1";
	assert_false(slt_msglog_append_wait(l, &r, &err));
	assert_int_equal(err.code, SLT_EDUPLICATE_MESSAGE);
	struct slt_msglog_filter all = {.limit = 0};
	assert_int_equal(count_exchanges(&all), 1);
	slt_err_clear(&err);
	/* the answer to it has the same id and is no duplicate */
	r.response = true;
	assert_true(slt_msglog_append_wait(l, &r, &err));
	/* the refused entry left no hole in the chain */
	assert_holds();
}

static void test_repeated_noted(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	struct slt_msglog_record r = make_record("0f8b-1", m);
	bool repeated = true;
	r.ret_repeated = &repeated;
	assert_true(slt_msglog_append_wait(l, &r, &err));
	assert_false(repeated);
	r.exchange = "0f8b-2";
	r.message_id = "0f8b-1";
	assert_true(slt_msglog_append_wait(l, &r, &err));
	assert_true(repeated);
	r.exchange = "0f8b-3";
	r.client = "EE/COM/2/another";
	assert_true(slt_msglog_append_wait(l, &r, &err));
	assert_false(repeated);
	/* where it is refused it is noted, too */
	r.exchange = "0f8b-4";
	r.refuse_duplicate = true;
	assert_false(slt_msglog_append_wait(l, &r, &err));
	assert_int_equal(err.code, SLT_EDUPLICATE_MESSAGE);
	assert_true(repeated);
}

static void test_backlog(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	struct slt_msglog_record r = make_record("0f8b-1", m);
	uint64_t n = 9;
	int64_t oldest = 9;
	assert_true(slt_msglog_backlog(l, r.side, &n, &oldest, &err));
	assert_int_equal(n, 0);
	assert_int_equal(oldest, 0);
	r.at_ms = 1000;
	assert_true(slt_msglog_append_wait(l, &r, &err));
	r.exchange = "0f8b-2";
	r.at_ms = 2000;
	assert_true(slt_msglog_append_wait(l, &r, &err));
	assert_true(slt_msglog_backlog(l, r.side, &n, &oldest, &err));
	assert_int_equal(n, 2);
	assert_int_equal(oldest, 1000);
	assert_true(slt_msglog_backlog(l, "XX", &n, &oldest, &err));
	assert_int_equal(n, 0);
	struct slt_msglog_stats s;
	slt_msglog_stats(l, &s);
	assert_true(s.bytes > 0 && s.written_ms > 0 && s.refused_ms == 0);
}

/* --- tests: queue and groups --- */

struct gate {
	sem_t entered, open;
	sem_t reports;
	pthread_mutex_t lock;
	unsigned good, busy, other;
};

static void on_gate(void *arg, const struct slt_err *err)
{
	struct gate *g = arg;
	assert_null(err);
	sem_post(&g->entered);
	sem_wait(&g->open);
}

static void on_report(void *arg, const struct slt_err *err)
{
	struct gate *g = arg;
	pthread_mutex_lock(&g->lock);
	if (!err) {
		g->good++;
	} else if (err->code == SLT_EBUSY) {
		g->busy++;
	} else {
		g->other++;
	}
	pthread_mutex_unlock(&g->lock);
	sem_post(&g->reports);
}

static void gate_init(struct gate *g)
{
	memset(g, 0, sizeof(*g));
	sem_init(&g->entered, 0, 0);
	sem_init(&g->open, 0, 0);
	sem_init(&g->reports, 0, 0);
	pthread_mutex_init(&g->lock, NULL);
}

/* The log's thread is held in a report while n entries are queued behind it. */
static void queue_behind_gate(struct slt_msglog *l, struct gate *g, unsigned n,
			      const struct slt_message *m)
{
	struct slt_msglog_record first = make_record("gate-0", m);
	struct slt_msglog_record *r = slt_calloc(n, sizeof(*r));
	char(*name)[16] = slt_calloc(n, sizeof(*name));
	slt_msglog_append(l, &first, on_gate, g);
	sem_wait(&g->entered);
	for (unsigned i = 0; i < n; i++) {
		snprintf(name[i], sizeof(name[i]), "queued-%u", i);
		r[i] = make_record(name[i], m);
		slt_msglog_append(l, &r[i], on_report, g);
	}
	sem_post(&g->open);
	for (unsigned i = 0; i < n; i++) {
		sem_wait(&g->reports);
	}
	free(name);
	free(r);
}

static void test_group_commit(void **state)
{
	(void)state;
	struct gate g;
	gate_init(&g);
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	queue_behind_gate(l, &g, 500, m);
	assert_int_equal(g.good, 500);
	struct slt_msglog_stats s;
	slt_msglog_stats(l, &s);
	assert_int_equal(s.entries, 501);
	/* one, and 500 in groups of at most 256 */
	assert_int_equal(s.commits, 3);
	assert_int_equal(s.failed, 0);
	assert_holds();
}

static void test_queue_full(void **state)
{
	(void)state;
	struct gate g;
	gate_init(&g);
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(10, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	queue_behind_gate(l, &g, 50, m);
	assert_int_equal(g.good, 10);
	assert_int_equal(g.busy, 40);
	assert_int_equal(g.other, 0);
	struct slt_msglog_stats s;
	slt_msglog_stats(l, &s);
	assert_int_equal(s.refused, 40);
	assert_int_equal(s.waiting, 0);
	struct slt_msglog_filter all = {.limit = 0};
	assert_int_equal(count_exchanges(&all), 11);
}

static void test_bad_one_does_not_spoil_group(void **state)
{
	(void)state;
	struct gate g;
	gate_init(&g);
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	struct slt_msglog_record r[4] = {make_record("gate-0", m), make_record("good-1", m),
					 make_record("good-1", m), make_record("good-2", m)};
	r[2].route = "another";
	slt_msglog_append(l, &r[0], on_gate, &g);
	sem_wait(&g.entered);
	slt_msglog_append(l, &r[1], on_report, &g);
	slt_msglog_append(l, &r[2], on_report, &g);
	slt_msglog_append(l, &r[3], on_report, &g);
	sem_post(&g.open);
	for (unsigned i = 0; i < 3; i++) {
		sem_wait(&g.reports);
	}
	assert_int_equal(g.good, 2);
	assert_int_equal(g.other, 1);
	assert_holds();
}

static void test_close_writes_what_waits(void **state)
{
	(void)state;
	struct gate g;
	gate_init(&g);
	struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	char name[40][16];
	struct slt_msglog_record r[40];
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name[i], sizeof(name[i]), "last-%u", i);
		r[i] = make_record(name[i], m);
		slt_msglog_append(l, &r[i], on_report, &g);
	}
	slt_msglog_close(l);
	assert_int_equal(g.good, 40);
	struct slt_msglog_filter all = {.limit = 0};
	assert_int_equal(count_exchanges(&all), 40);
}

/* --- tests: disk and crashes --- */

static void test_full(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 400000);
	SLT_AUTO(slt_message_free) struct slt_message *big = make_message("<Envelope/>");
	attach(big, 1u << 20, 1u << 21);
	append_ok(l, "fits-1");
	struct slt_msglog_record r = make_record("big-1", big);
	assert_false(slt_msglog_append_wait(l, &r, &err));
	assert_int_equal(err.code, SLT_EDATABASE);
	assert_non_null(strstr(err.msg, "make room"));
	slt_err_clear(&err);
	/* what is small still fits, and nothing of the big one is there */
	append_ok(l, "fits-2");
	struct slt_msglog_filter all = {.limit = 0};
	assert_int_equal(count_exchanges(&all), 2);
	assert_holds();
	/* and to the brim */
	unsigned n = 0;
	char name[16];
	do {
		snprintf(name, sizeof(name), "more-%u", n++);
	} while (n < 10000 && append(l, name, &err));
	assert_true(n < 10000);
	assert_int_equal(err.code, SLT_EDATABASE);
	assert_int_equal(count_exchanges(&all), n + 1);
	assert_holds();
}

static void limit_files(rlim_t size)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The exchange is over for its caller; that its end stands in the log is the log's own care. */
static void test_end_is_tried_again(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_msglog *l = open_log(0, 0);
	struct slt_msglog_filter done = {.by_status = true, .status = SLT_MSGLOG_DONE};
	signal(SIGXFSZ, SIG_IGN);
	append_ok(l, "0f8b-1");
	append_ok(l, "0f8b-2");
	limit_files(1);
	assert_false(slt_msglog_finish_wait(l, "0f8b-1", SLT_MSGLOG_DONE, NULL, 1, &err));
	limit_files(RLIM_INFINITY);
	assert_int_equal(err.code, SLT_EDATABASE);
	for (unsigned i = 0; i < 100 && count_exchanges(&done) == 0; i++) {
		usleep(50000);
	}
	assert_int_equal(count_exchanges(&done), 1);
	/* closing tries once more, and does not wait for a disk that stays full */
	limit_files(1);
	slt_err_clear(&err);
	assert_false(slt_msglog_finish_wait(l, "0f8b-2", SLT_MSGLOG_DONE, NULL, 1, &err));
	slt_msglog_close(l);
	limit_files(RLIM_INFINITY);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(count_exchanges(&done), 1);
	assert_holds();
}

/* Appends until it is killed, and says on the pipe which entries are acknowledged. */
static void child(int fd, unsigned round)
{
	struct slt_msglog *l = open_log(0, 0);
	for (unsigned i = 0;; i++) {
		char name[24];
		snprintf(name, sizeof(name), "kill-%u-%u", round, i);
		struct slt_err err = SLT_ERR_INIT;
		if (!append(l, name, &err) || write(fd, &i, sizeof(i)) != sizeof(i)) {
			_exit(1);
		}
	}
}

static unsigned run_and_kill(unsigned round)
{
	int p[2];
	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(p[0]);
		child(p[1], round);
	}
	close(p[1]);
	unsigned acknowledged = 0, i;
	while (acknowledged < 20 + round * 7 && read(p[0], &i, sizeof(i)) == sizeof(i)) {
		acknowledged++;
	}
	kill(pid, SIGKILL);
	/* what it still said before it died counts as well */
	while (read(p[0], &i, sizeof(i)) == sizeof(i)) {
		acknowledged++;
	}
	close(p[0]);
	int status;
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	return acknowledged;
}

static void test_kill(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		unsigned acknowledged = run_and_kill(round);
		assert_holds();
		for (unsigned i = 0; i < acknowledged; i++) {
			char name[24];
			snprintf(name, sizeof(name), "kill-%u-%u", round, i);
			struct slt_msglog_filter f = {.exchange = name};
			assert_int_equal(count_exchanges(&f), 1);
		}
	}
	/* all of them were open when the process died */
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	unsigned open = 0;
	assert_true(slt_msglog_recover(l, count_exchange, &open, &err));
	struct slt_msglog_filter all = {.limit = 0};
	assert_int_equal(open, count_exchanges(&all));
	finish_ok(l, "kill-0-0");
	unsigned less = 0;
	assert_true(slt_msglog_recover(l, count_exchange, &less, &err));
	assert_int_equal(less, open - 1);
}

static void test_not_a_log(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_msglog *l = NULL;
	struct slt_msglog_reader *r = NULL;
	struct slt_msglog_options o = {.path = path};
	assert_false(slt_msglog_reader_open(path, &r, &err));
	slt_err_clear(&err);
	assert_true(slt_file_write(path, "this is no database, not at all\n", 32, 0600, &err));
	assert_false(slt_msglog_open(&o, &l, &err));
	assert_int_equal(err.code, SLT_EDATABASE);
	slt_err_clear(&err);
	assert_int_equal(unlink(path), 0);
	tamper("CREATE TABLE other(a)");
	assert_false(slt_msglog_open(&o, &l, &err));
	assert_non_null(strstr(err.msg, "not a message log"));
	slt_err_clear(&err);
	assert_int_equal(unlink(path), 0);
	three_exchanges();
	tamper("PRAGMA user_version = 99");
	assert_false(slt_msglog_open(&o, &l, &err));
	assert_non_null(strstr(err.msg, "format 99"));
	slt_err_clear(&err);
	assert_false(slt_msglog_reader_open(path, &r, &err));
	assert_non_null(strstr(err.msg, "format 99"));
	assert_null(l);
	assert_null(r);
}

static void test_file_mode(void **state)
{
	(void)state;
	umask(0);
	three_exchanges();
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* --- tests: readers --- */

struct reading {
	pthread_t thread;
	volatile bool *stop;
	unsigned rounds, last;
};

static void *read_on(void *arg)
{
	struct reading *q = arg;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_msglog_reader *r = NULL;
	struct slt_msglog_filter all = {.limit = 0};
	if (!slt_msglog_reader_open(path, &r, &err)) {
		return NULL;
	}
	do {
		unsigned n = 0;
		if (!slt_msglog_each(r, &all, count_exchange, &n, &err) || n < q->last) {
			break;
		}
		q->last = n;
		q->rounds++;
	} while (!__atomic_load_n(q->stop, __ATOMIC_ACQUIRE));
	slt_msglog_reader_close(r);
	return err.code == SLT_OK ? q : NULL;
}

static void test_concurrent_readers(void **state)
{
	(void)state;
	volatile bool stop = false;
	struct reading q[3] = {{.stop = &stop}, {.stop = &stop}, {.stop = &stop}};
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	for (size_t i = 0; i < SLT_COUNT(q); i++) {
		assert_int_equal(pthread_create(&q[i].thread, NULL, read_on, &q[i]), 0);
	}
	for (unsigned i = 0; i < 200; i++) {
		char name[16];
		snprintf(name, sizeof(name), "read-%u", i);
		append_ok(l, name);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (size_t i = 0; i < SLT_COUNT(q); i++) {
		void *ok = NULL;
		pthread_join(q[i].thread, &ok);
		assert_non_null(ok);
		assert_true(q[i].rounds > 0);
	}
	assert_holds();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_write_and_read),
		T(test_read_limits),
		T(test_refused_records),
		T(test_finish),
		T(test_no_report),
		T(test_filters),
		T(test_each_stops),
		T(test_seen),
		T(test_duplicate_refused),
		T(test_repeated_noted),
		T(test_backlog),
		T(test_group_commit),
		T(test_queue_full),
		T(test_bad_one_does_not_spoil_group),
		T(test_close_writes_what_waits),
		T(test_full),
		T(test_end_is_tried_again),
		T(test_kill),
		T(test_not_a_log),
		T(test_file_mode),
		T(test_concurrent_readers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
