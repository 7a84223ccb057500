/* SPDX-License-Identifier: MIT */

/* Large bodies in the message log, written ahead of their records. */

#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "msglog_fixture.h"

#define BIG	  (16u << 20)
#define BIG_STEPS 8 /* of 2 MB */
#define STEP	  8 /* chunks */
#define SMALL_MAX 16

static int64_t ask(const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_sql_close) struct slt_sql *db = NULL;
	int64_t n = -1;
	if (!slt_sql_open(path, false, NULL, 0, &db, &err) || !slt_sql_get(db, text, &n, &err)) {
		fail_msg("%s", err.msg);
	}
	return n;
}

static int64_t bodies(void)
{
	return ask("SELECT count(*) FROM ahead");
}

static int64_t ahead_chunks(void)
{
	return ask("SELECT count(*) FROM chunk WHERE id < 0");
}

/* Removal goes on in the log's thread. */
static void await_swept(void)
{
	for (unsigned i = 0; i < 400 && bodies() > 0; i++) {
		usleep(25000);
	}
	assert_int_equal(bodies(), 0);
}

static struct slt_message *make_big(size_t n)
{
	struct slt_message *m = make_message("<Envelope/>");
	attach(m, 0, 1000);
	attach(m, n, 1000);
	attach(m, 300000, 1u << 20);
	return m;
}

/* --- a log whose thread is held while something is queued --- */

struct report {
	struct queue *q;
	enum slt_code code;
	unsigned place;		     /* the how manieth report */
	int64_t n_chunks, n_entries; /* on the disk when it came */
};

struct queue {
	struct slt_msglog *log;
	sem_t entered, open, reports;
	unsigned n, n_reports, die_at;
	struct slt_msglog_record gate, record[SMALL_MAX];
	struct report report[SMALL_MAX];
};

static void on_gate(void *arg, const struct slt_err *err)
{
	struct queue *q = arg;
	assert_null(err);
	sem_post(&q->entered);
	sem_wait(&q->open);
}

static void on_report(void *arg, const struct slt_err *err)
{
	struct report *r = arg;
	r->code = err ? err->code : SLT_OK;
	r->place = r->q->n_reports++;
	r->n_chunks = ahead_chunks();
	r->n_entries = ask("SELECT count(*) FROM entry");
	if (r->q->die_at && r->place + 1 == r->q->die_at) {
		raise(SIGKILL);
	}
	sem_post(&r->q->reports);
}

/* One entry a group, so that each of them finds another state of the disk. */
static void hold(struct queue *q, const struct slt_message *m)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_msglog_options o = {.path = path, .group_max = 1};
	memset(q, 0, sizeof(*q));
	sem_init(&q->entered, 0, 0);
	sem_init(&q->open, 0, 0);
	sem_init(&q->reports, 0, 0);
	if (!slt_msglog_open(&o, &q->log, &err)) {
		fail_msg("%s", err.msg);
	}
	q->gate = make_record("gate", m);
	slt_msglog_append(q->log, &q->gate, on_gate, q);
	sem_wait(&q->entered);
}

static struct slt_msglog_record *add(struct queue *q, const char *exchange,
				     const struct slt_message *m)
{
	q->record[q->n] = make_record(exchange, m);
	q->report[q->n].q = q;
	return &q->record[q->n++];
}

static void queue_records(struct queue *q)
{
	for (unsigned i = 0; i < q->n; i++) {
		slt_msglog_append(q->log, &q->record[i], on_report, &q->report[i]);
	}
}

static void let_go(struct queue *q, unsigned n)
{
	sem_post(&q->open);
	for (unsigned i = 0; i < n; i++) {
		sem_wait(&q->reports);
	}
}

static int64_t seq_of(const char *exchange, size_t which)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_message *m = NULL;
	size_t n = 0;
	assert_true(slt_msglog_messages(r, exchange, a, &m, &n, &err));
	return which < n ? m[which].seq : 0;
}

/* --- tests: who waits for whom --- */

static void test_others_are_durable_meanwhile(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *big = make_big(BIG);
	SLT_AUTO(slt_message_free) struct slt_message *small = make_message("<Envelope/>");
	static const char *const names[] = {"small-1", "small-2", "small-3", "small-4", "small-5"};
	struct queue q;
	hold(&q, small);
	add(&q, "big-1", big);
	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		add(&q, names[i], small);
	}
	queue_records(&q);
	let_go(&q, q.n);
	for (unsigned i = 1; i < q.n; i++) {
		/* one step of the body between each two of them */
		assert_int_equal(q.report[i].code, SLT_OK);
		assert_int_equal(q.report[i].n_chunks, (i - 1) * STEP);
		assert_int_equal(q.report[i].n_entries, 1 + i);
		assert_true(seq_of(names[i - 1], 0) < seq_of("big-1", 0));
	}
	assert_int_equal(q.report[0].code, SLT_OK);
	assert_int_equal(q.report[0].place, q.n - 1);
	assert_true(q.report[0].n_chunks > (BIG_STEPS - 1) * STEP);
	struct slt_msglog_stats s;
	slt_msglog_stats(q.log, &s);
	assert_int_equal(s.entries, 7);
	assert_int_equal(s.commits, 7);
	assert_int_equal(s.waiting, 0);
	slt_msglog_close(q.log);
	assert_int_equal(bodies(), 0);
	assert_holds();
}

static void test_read_back(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *big = make_big(3u << 20);
	struct slt_msglog_record r = make_record("big-1", big);
	r.trace = slt_str("{\"entries\":[]}");
	append_ok(l, "small-1");
	assert_true(slt_msglog_append_wait(l, &r, &err));
	append_ok(l, "small-2");
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *rd = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_message *got = NULL;
	size_t n = 0;
	assert_true(slt_msglog_messages(rd, "big-1", a, &got, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(got->n_parts, 6);
	for (unsigned i = 0; i < got->n_parts; i++) {
		SLT_AUTO_BUF(b, 4u << 20);
		struct slt_digest d;
		assert_true(slt_msglog_read_part(rd, got->seq, got->part[i].name, &b, &err));
		assert_int_equal(b.n, got->part[i].size);
		slt_digest_of(SLT_SHA512, slt_buf_str(&b).p, b.n, &d);
		assert_true(slt_digest_eq(&d, &got->part[i].digest));
	}
	assert_holds();
}

/* Its own exchange's answer and end, and the next large message, wait for it. */
static void test_exchange_stays_in_order(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *big = make_big(4u << 20);
	SLT_AUTO(slt_message_free) struct slt_message *small = make_message("<Envelope/>");
	struct queue q;
	hold(&q, small);
	add(&q, "big-1", big);
	add(&q, "big-1", small)->response = true;
	add(&q, "big-2", big);
	add(&q, "big-1", big)->sent = true;
	add(&q, "small-1", small);
	queue_records(&q);
	struct report end = {.q = &q}, end2 = {.q = &q};
	slt_msglog_finish(q.log, "big-1", SLT_MSGLOG_DONE, NULL, 1, on_report, &end);
	slt_msglog_finish(q.log, "big-2", SLT_MSGLOG_DONE, NULL, 1, on_report, &end2);
	let_go(&q, q.n + 2);
	/* another exchange's passes them all */
	for (unsigned i = 0; i < q.n; i++) {
		assert_int_equal(q.report[i].code, SLT_OK);
		assert_int_equal(q.report[i].place < q.report[0].place, i == 4);
	}
	assert_int_equal(end.code, SLT_OK);
	assert_int_equal(end2.code, SLT_OK);
	assert_true(q.report[0].place < q.report[1].place);
	assert_true(q.report[1].place < q.report[3].place);
	assert_true(q.report[3].place < end.place);
	assert_true(q.report[2].place < end2.place);
	assert_true(seq_of("big-1", 0) < seq_of("big-1", 1));
	slt_msglog_close(q.log);
	assert_int_equal(bodies(), 0);
	assert_holds();
}

static void test_close_writes_it(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *big = make_big(BIG);
	SLT_AUTO(slt_message_free) struct slt_message *small = make_message("<Envelope/>");
	struct queue q;
	hold(&q, small);
	add(&q, "big-1", big);
	add(&q, "big-2", big);
	queue_records(&q);
	slt_msglog_finish(q.log, "big-1", SLT_MSGLOG_DONE, NULL, 1, NULL, NULL);
	sem_post(&q.open);
	slt_msglog_close(q.log);
	assert_int_equal(q.report[0].code, SLT_OK);
	assert_int_equal(q.report[1].code, SLT_OK);
	struct slt_msglog_filter done = {.by_status = true, .status = SLT_MSGLOG_DONE};
	assert_int_equal(count_exchanges(&done), 1);
	assert_int_equal(bodies(), 0);
	assert_holds();
}

/* --- tests: bodies without record --- */

/* Who is written first has the id, whoever came first. */
static void test_duplicates(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *big = make_big(BIG);
	SLT_AUTO(slt_message_free) struct slt_message *small = make_message("<Envelope/>");
	struct queue q;
	hold(&q, small);
	struct slt_msglog_record *r[] = {add(&q, "big-1", big), add(&q, "small-1", small),
					 add(&q, "small-2", small), add(&q, "big-2", big)};
	bool repeated = false;
	r[0]->ret_repeated = &repeated;
	for (size_t i = 0; i < SLT_COUNT(r); i++) {
		r[i]->refuse_duplicate = true;
		r[i]->message_id = i == 1 ? "other" : "same";
	}
	queue_records(&q);
	let_go(&q, q.n);
	assert_int_equal(q.report[0].code, SLT_EDUPLICATE_MESSAGE);
	assert_true(q.report[0].n_chunks >= BIG_STEPS * STEP);
	assert_true(repeated);
	assert_int_equal(q.report[1].code, SLT_OK);
	assert_int_equal(q.report[2].code, SLT_OK);
	assert_int_equal(q.report[3].code, SLT_EDUPLICATE_MESSAGE);
	await_swept();
	slt_msglog_close(q.log);
	assert_int_equal(ahead_chunks(), 0);
	assert_holds();
}

static void die_in_the_middle(void)
{
	struct slt_message *big = make_big(BIG);
	struct slt_message *small = make_message("<Envelope/>");
	struct queue q;
	hold(&q, small);
	add(&q, "big-1", big);
	add(&q, "small-1", small);
	add(&q, "small-2", small);
	add(&q, "small-3", small);
	q.die_at = 3;
	queue_records(&q);
	let_go(&q, q.n);
	_exit(1);
}

static void test_orphans_of_a_crash(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		die_in_the_middle();
	}
	int status;
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(bodies(), 1);
	assert_int_equal(ahead_chunks(), 2 * STEP);
	assert_int_equal(seq_of("big-1", 0), 0);
	assert_holds();

	/* who only opens the log must not take a body away from the process that writes it */
	struct slt_msglog *l = open_log(0, 0);
	append_ok(l, "small-9");
	slt_msglog_close(l);
	assert_int_equal(ahead_chunks(), 2 * STEP);

	l = open_log(0, 0);
	unsigned open = 0;
	assert_true(slt_msglog_recover(l, count_exchange, &open, &err));
	assert_int_equal(open, 5);
	await_swept();
	assert_int_equal(ahead_chunks(), 0);
	SLT_AUTO(slt_message_free) struct slt_message *big = make_big(BIG);
	struct slt_msglog_record r = make_record("big-1", big);
	assert_true(slt_msglog_append_wait(l, &r, &err));
	slt_msglog_close(l);
	assert_int_equal(bodies(), 0);
	assert_holds();
}

/* Of two that are being written, one by a process that was thought dead. */
static void test_swept_by_another(void **state)
{
	(void)state;
	SLT_AUTO(slt_message_free) struct slt_message *big = make_big(4u << 20);
	SLT_AUTO(slt_message_free) struct slt_message *small = make_message("<Envelope/>");
	struct queue q;
	hold(&q, small);
	add(&q, "big-1", big);
	tamper("CREATE TRIGGER gone AFTER INSERT ON chunk WHEN NEW.id < 0"
	       " BEGIN DELETE FROM ahead; END");
	queue_records(&q);
	let_go(&q, q.n);
	assert_int_equal(q.report[0].code, SLT_EDATABASE);
	slt_msglog_close(q.log);
	assert_int_equal(seq_of("big-1", 0), 0);
	assert_holds();
}

static void limit_files(rlim_t size)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_disk_refuses_in_the_middle(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_message_free) struct slt_message *big = make_big(BIG);
	struct slt_msglog *l = open_log(0, 0);
	append_ok(l, "small-1");
	signal(SIGXFSZ, SIG_IGN);
	limit_files(8u << 20);
	struct slt_msglog_record r = make_record("big-1", big);
	assert_false(slt_msglog_append_wait(l, &r, &err));
	limit_files(RLIM_INFINITY);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(err.code, SLT_EDATABASE);
	await_swept();
	assert_int_equal(ahead_chunks(), 0);
	append_ok(l, "small-2");
	slt_err_clear(&err);
	assert_true(slt_msglog_append_wait(l, &r, &err));
	slt_msglog_close(l);
	assert_holds();
}

/* What does not fit takes nobody's room, not even for a while. */
static void test_does_not_fit(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_message_free) struct slt_message *big = make_big(BIG);
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 8u << 20);
	struct slt_msglog_record r = make_record("big-1", big);
	append_ok(l, "small-1");
	assert_false(slt_msglog_append_wait(l, &r, &err));
	assert_int_equal(err.code, SLT_EDATABASE);
	assert_non_null(strstr(err.msg, "do not fit"));
	append_ok(l, "small-2");
	assert_int_equal(bodies(), 0);
	assert_int_equal(ahead_chunks(), 0);
	assert_holds();
}

/* --- tests: afterwards --- */

static void test_cut(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_message_free) struct slt_message *big = make_big(4u << 20);
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	struct slt_msglog_record r = make_record("big-1", big);
	unsigned n = 0;
	assert_true(slt_msglog_append_wait(l, &r, &err));
	r.exchange = "big-2";
	assert_true(slt_msglog_append_wait(l, &r, &err));
	finish_ok(l, "big-1");
	assert_true(slt_msglog_cut(l, INT64_MAX, 3, &n, &err));
	assert_int_equal(n, 1);
	/* its signature stays, and all of the other */
	assert_int_equal(ask("SELECT count(*) FROM chunk WHERE id BETWEEN -134217728 AND -1"), 1);
	assert_true(ask("SELECT sum(length(data)) FROM chunk") > 4 << 20);
	assert_holds();
}

/* The chain names the bytes, wherever they are kept. */
static void test_another_body(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *one = make_big(4u << 20);
	SLT_AUTO(slt_message_free) struct slt_message *two = make_big(5u << 20);
	struct slt_msglog_record r = make_record("big-1", one);
	assert_true(slt_msglog_append_wait(l, &r, &err));
	r = make_record("big-2", two);
	assert_true(slt_msglog_append_wait(l, &r, &err));
	slt_msglog_close(l);
	assert_holds();
	tamper("UPDATE message SET body = 3 - body");
	assert_broken("/attachment2");
	tamper("UPDATE message SET body = 3 - body");
	assert_holds();
	tamper("UPDATE message SET body = NULL WHERE seq = 2");
	assert_broken("");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_others_are_durable_meanwhile),
		T(test_read_back),
		T(test_exchange_stays_in_order),
		T(test_close_writes_it),
		T(test_duplicates),
		T(test_orphans_of_a_crash),
		T(test_swept_by_another),
		T(test_disk_refuses_in_the_middle),
		T(test_does_not_fit),
		T(test_cut),
		T(test_another_body),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
