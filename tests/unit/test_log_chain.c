/* SPDX-License-Identifier: MIT */

/* That whatever is done to the log's file behind its back is found. */

#include <inttypes.h>
#include <sys/wait.h>

#include "msglog_fixture.h"

static void test_holds(void **state)
{
	(void)state;
	three_exchanges();
	struct findings t = verify_all(NULL);
	assert_int_equal(t.bad, 0);
	assert_int_equal(t.ok, 4); /* three messages, the chain */
}

static void test_empty_holds(void **state)
{
	(void)state;
	slt_msglog_close(open_log(0, 0));
	assert_holds();
}

/* Each alteration on a fresh log, and what the finding must say. */
static void test_alterations(void **state)
{
	(void)state;
	static const char *const alteration[][2] = {
		/* rows changed */
		{"UPDATE message SET client = 'EE/COM/2/apteek' WHERE seq = 1",
		 "entry 1 was changed"},
		{"UPDATE message SET service = 'x' WHERE seq = 3", "entry 3 was changed"},
		{"UPDATE message SET message_id = 'x' WHERE seq = 3", "entry 3 was changed"},
		{"UPDATE message SET side = 'FI' WHERE seq = 3", "entry 3 was changed"},
		{"UPDATE message SET response = 1 WHERE seq = 3", "entry 3 was changed"},
		{"UPDATE message SET sent = 1 WHERE seq = 3", "entry 3 was changed"},
		{"UPDATE message SET kind = 1 WHERE seq = 3", "entry 3 was changed"},
		{"UPDATE message SET exchange_id = 1 WHERE seq = 3", "entry 3 was changed"},
		{"UPDATE exchange SET route = 'x' WHERE id = 2", "entry 3 was changed"},
		{"UPDATE exchange SET uuid = 'x' WHERE id = 2", "entry 3 was changed"},
		{"UPDATE entry SET at_ms = at_ms + 1 WHERE seq = 3", "entry 3 was changed"},
		{"UPDATE entry SET chain = zeroblob(32) WHERE seq = 3", "entry 3 was changed"},
		{"UPDATE entry SET chain = zeroblob(31) WHERE seq = 5", "entry 5 was changed"},
		{"UPDATE entry SET kind = 4 WHERE seq = 2", "entry 2 logged was removed"},
		{"UPDATE finish SET status = 2 WHERE seq = 2", "entry 2 was changed"},
		{"UPDATE finish SET fault_code = 'x' WHERE seq = 2", "entry 2 was changed"},
		{"UPDATE finish SET uuid = 'aaaaaaaa-2' WHERE seq = 2", "entry 2 was changed"},
		/* parts */
		{"UPDATE part SET digest = zeroblob(64) WHERE id = 128", "entry 1 was changed"},
		{"UPDATE part SET size = size + 1 WHERE id = 128", "entry 1 was changed"},
		{"UPDATE part SET name = '/attachment1' WHERE id = 128", "entry 1 was changed"},
		{"UPDATE part SET digest_alg = 'SHA-256' WHERE id = 128", "entry 1 was changed"},
		{"UPDATE part SET mime_digest = zeroblob(32) WHERE id = 128",
		 "entry 1 was changed"},
		{"UPDATE part SET content_type = 'text/plain' WHERE id = 128", "MIME headers"},
		{"UPDATE part SET headers = 'A: b' WHERE id = 129", "MIME headers"},
		{"DELETE FROM part WHERE id = 129", "entry 1 was changed"},
		{"INSERT INTO part SELECT 130, 'trace', content_type, headers, size, digest_alg,"
		 " digest, mime_digest, 0 FROM part WHERE id = 129",
		 "entry 1 was changed"},
		{"UPDATE chunk SET data = replace(data, 'head', 'HEAD')", "bytes of /message.xml"},
		{"DELETE FROM chunk WHERE id = 128 * 1048576", "bytes of /message.xml"},
		{"INSERT INTO chunk VALUES(128 * 1048576 + 1, 'more')", "bytes of /message.xml"},
		/* bodies that nobody cut off */
		{"UPDATE part SET cut = 1 WHERE id = 128", "1 messages have no body"},
		{"UPDATE part SET cut = 1 WHERE id = 129", "only bodies are ever cut off"},
		/* rows removed */
		{"DELETE FROM entry WHERE seq = 2", "entries 2 to 2 were removed"},
		{"DELETE FROM entry WHERE seq IN (1, 2)", "entries 1 to 2 were removed"},
		{"DELETE FROM message WHERE seq = 3", "entry 3 logged was removed"},
		{"DELETE FROM finish WHERE seq = 2", "entry 2 logged was removed"},
		{"DELETE FROM exchange WHERE id = 2", "entry 3 logged was removed"},
		/* rows moved */
		{"UPDATE entry SET seq = 9 WHERE seq = 3; UPDATE entry SET seq = 3 WHERE seq = 1;"
		 "UPDATE entry SET seq = 1 WHERE seq = 9",
		 "entry 1 was changed"},
		/* how exchanges ended */
		{"UPDATE exchange SET status = 2 WHERE id = 1", "ended was changed"},
		{"UPDATE exchange SET fault_code = 'x' WHERE id = 1", "ended was changed"},
		{"UPDATE exchange SET finished_ms = 5 WHERE id = 1", "ended was changed"},
		{"UPDATE exchange SET status = 1 WHERE id = 2", "3 exchanges are marked as ended"},
	};
	for (size_t i = 0; i < SLT_COUNT(alteration); i++) {
		three_exchanges();
		assert_holds();
		tamper(alteration[i][0]);
		assert_broken(alteration[i][1]);
		assert_int_equal(unlink(path), 0);
	}
}

static void test_unknown_kind(void **state)
{
	(void)state;
	three_exchanges();
	tamper("UPDATE entry SET kind = 77 WHERE seq = 2");
	struct slt_err err = SLT_ERR_INIT;
	struct findings t = {0};
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	struct slt_msglog_verify_options o = {.chain_only = true};
	assert_false(slt_msglog_verify(r, &o, on_finding, &t, &err));
	assert_int_equal(err.code, SLT_EDATABASE);
}

/* Taking entries off the end leaves a chain that holds: only who knows the head sees it. */
static void test_expected_head(void **state)
{
	(void)state;
	char head[128] = "";
	three_exchanges();
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_sql_close) struct slt_sql *db = NULL;
	static const char *const q[] = {"SELECT chain FROM entry WHERE seq = 5"};
	struct slt_sql_stmt *st = NULL;
	bool row = false;
	assert_true(slt_sql_open(path, false, q, 1, &db, &err));
	assert_true(slt_sql_start(db, 0, NULL, 0, &st, &err));
	assert_true(slt_sql_step(db, st, &row, &err));
	SLT_AUTO_BUF(hex, 128);
	struct slt_str chain = slt_sql_col(st, 0);
	slt_buf_add_hex(&hex, chain.p, chain.n);
	snprintf(head, sizeof(head), "5:%s", slt_buf_str(&hex).p);
	slt_sql_reset(st);

	assert_int_equal(verify_all(head).bad, 0);
	assert_int_equal(verify_all("5:00").bad, 1);
	assert_int_equal(verify_all("").bad, 1);
	tamper("DELETE FROM entry WHERE seq = 5; UPDATE exchange SET status = 0 WHERE id = 3");
	assert_int_equal(verify_all(NULL).bad, 0);
	struct findings t = verify_all(head);
	assert_int_equal(t.bad, 1);
	assert_non_null(strstr(t.first, "taken off"));
}

/* --- cutting off --- */

static uint64_t count_bytes(const char *name)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	SLT_AUTO_BUF(b, 1u << 22);
	return slt_msglog_read_part(r, 1, name, &b, &err) ? b.n : 0;
}

static void test_cut(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	unsigned n = 99;
	three_exchanges();
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	/* not old enough */
	assert_true(slt_msglog_cut(l, 1700000000000, 1800000000000, &n, &err));
	assert_int_equal(n, 0);
	assert_true(count_bytes(SLT_MSGLOG_HEAD) > 0);
	/* the exchange that is still open keeps its message */
	assert_true(slt_msglog_cut(l, 1700000000001, 1800000000000, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(count_bytes(SLT_MSGLOG_HEAD), 0);
	assert_true(count_bytes(SLT_MSGLOG_SIGNATURE) > 0);
	assert_holds();
	assert_true(slt_msglog_cut(l, 1700000000001, 1800000000000, &n, &err));
	assert_int_equal(n, 0);
	finish_ok(l, "aaaaaaaa-2");
	append_ok(l, "aaaaaaaa-4");
	assert_true(slt_msglog_cut(l, 1700000000001, 1800000000000, &n, &err));
	assert_int_equal(n, 1);
	assert_holds();
}

/* Looked at by another process: to close the file in this one would drop the log's locks. */
static bool file_has(const char *suffix, const char *text)
{
	SLT_AUTO_STR char *command = slt_asprintf("grep -qa -e '%s' '%s%s'", text, path, suffix);
	int status = system(command);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return WEXITSTATUS(status) == 0;
}

static void test_cut_leaves_nothing(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<A>secret-one</A>");
	attach(m, 900000, 1000);
	struct slt_msglog_record r = make_record("0f8b-1", m);
	r.trace = slt_str("{\"secret\":\"secret-two\"}");
	unsigned n;
	assert_true(slt_msglog_append_wait(l, &r, &err));
	finish_ok(l, "0f8b-1");
	assert_true(file_has("-wal", "secret-one") || file_has("", "secret-one"));
	assert_true(slt_msglog_cut(l, INT64_MAX, 1800000000000, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(count_bytes("/attachment1"), 0);
	assert_int_equal(count_bytes(SLT_MSGLOG_TRACE), 0);
	assert_holds();
	/* neither in free pages of the file nor in what lies beside it, while the log is open */
	assert_false(file_has("", "secret-one"));
	assert_false(file_has("", "secret-two"));
	assert_false(file_has("", "Content-ID"));
	assert_false(file_has("-wal", "secret-one"));
	assert_false(file_has("-wal", "secret-two"));
}

static void test_cut_too_much(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	unsigned n;
	three_exchanges();
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	assert_true(slt_msglog_cut(l, 1700000000001, 1800000000000, &n, &err));
	slt_msglog_close(SLT_TAKE(l));
	/* one more than the log says */
	tamper("UPDATE part SET cut = 1 WHERE id = 3 * 128;"
	       "DELETE FROM chunk WHERE id = 3 * 128 * 1048576");
	assert_broken("3 messages have no body, the log says that 2");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_holds),
		T(test_empty_holds),
		T(test_alterations),
		T(test_unknown_kind),
		T(test_expected_head),
		T(test_cut),
		T(test_cut_leaves_nothing),
		T(test_cut_too_much),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
