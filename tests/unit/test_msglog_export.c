/* SPDX-License-Identifier: MIT */

/* Signed and time-stamped messages in the log: exported, proved, and tampered with. */

#include "msglog_evidence.h"

#include "base/file.h"
#include "msglog_export.h"
#include "msglog_store.h"

/* --- tests: exporting --- */

/* Every container of an exchange is accepted under its own country's configuration. */
static void assert_exports(const char *exchange, const char *const names[4])
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_message *m = NULL;
	size_t n = 0;
	assert_true(slt_msglog_messages(r, exchange, a, &m, &n, &err));
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_BUF(name, 256);
		SLT_AUTO_BUF(bytes, 1u << 24);
		SLT_AUTO(slt_asic_free) struct slt_asic *asic = NULL;
		struct slt_msglog_export_notes notes;
		struct slt_asic_verdict v;
		slt_msglog_export_name(&m[i], &name);
		assert_string_equal(slt_buf_str(&name).p, names[i]);
		assert_true(slt_msglog_export(r, &m[i], &bytes, &notes, &err));
		assert_false(notes.unstamped);
		assert_int_equal(notes.n_left_out, 0);
		assert_true(slt_asic_open(slt_buf_str(&bytes), &asic, &err));
		if (!slt_asic_verify(asic, conf(NULL, m[i].side), true, a, &v, &err)) {
			fail_msg("%s: %s", names[i], err.msg);
		}
		assert_true(v.timestamp_ms == PKI_NOW);
		assert_string_equal(v.signer.instance, m[i].side);
		slt_asic_verdict_fini(&v);
	}
}

static void test_export(void **state)
{
	(void)state;
	stamped_log();
	static const char *const names[] = {
		EXCHANGE "-ee-request.asice", EXCHANGE "-fi-request.asice",
		EXCHANGE "-fi-response.asice", EXCHANGE "-ee-response.asice"};
	assert_exports(EXCHANGE, names);
}

/* A batch of one message: its tree has a second leaf, the log itself. */
static void test_batches_of_one(void **state)
{
	(void)state;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	log_exchange(l, EXCHANGE);
	assert_int_equal(stamp_all(l, &ee, 1), 1);
	assert_int_equal(stamp_all(l, &ee, 1), 1);
	assert_int_equal(stamp_all(l, &ee, 1), 0);
	assert_int_equal(stamp_all(l, &fi, 1), 1);
	assert_int_equal(stamp_all(l, &fi, 5), 1);
	static const char *const names[] = {
		EXCHANGE "-ee-request.asice", EXCHANGE "-fi-request.asice",
		EXCHANGE "-fi-response.asice", EXCHANGE "-ee-response.asice"};
	assert_exports(EXCHANGE, names);
	assert_proved(4 + 4 + 1);
}

static void test_export_name(void **state)
{
	(void)state;
	struct slt_msglog_message m = {
		.exchange = "a-1", .side = "FI-Test/../x y", .response = true};
	SLT_AUTO_BUF(name, 256);
	slt_msglog_export_name(&m, &name);
	assert_string_equal(slt_buf_str(&name).p, "a-1-fi-test____x_y-response.asice");
}

static void test_export_unstamped(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	log_one(l, EXCHANGE, &ee, false, false, 0);
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_asic_free) struct slt_asic *asic = NULL;
	SLT_AUTO_BUF(bytes, 1u << 24);
	struct slt_msglog_message *m = NULL;
	struct slt_msglog_export_notes notes;
	struct slt_asic_verdict v;
	size_t n = 0;
	assert_true(slt_msglog_messages(r, EXCHANGE, a, &m, &n, &err));
	assert_true(slt_msglog_export(r, m, &bytes, &notes, &err));
	assert_true(notes.unstamped);
	assert_true(slt_asic_open(slt_buf_str(&bytes), &asic, &err));
	assert_false(slt_asic_verify(asic, ee.gc, true, a, &v, &err));
	/* the log itself can still be proved, at the instant that it noted */
	assert_proved(2);
}

static void test_export_unsigned(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	free(m->signature.p);
	m->signature = (struct slt_bytes){NULL, 0};
	struct slt_msglog_record rec = make_record(EXCHANGE, m);
	assert_true(slt_msglog_append_wait(l, &rec, &err));
	assert_int_equal(stamp_all(l, &ee, 10), 0);
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_BUF(bytes, 1u << 24);
	struct slt_msglog_message *got = NULL;
	struct slt_msglog_export_notes notes;
	size_t n = 0;
	assert_true(slt_msglog_messages(r, EXCHANGE, a, &got, &n, &err));
	assert_false(slt_msglog_export(r, got, &bytes, &notes, &err));
	assert_int_equal(err.code, SLT_EMISSING_SIGNATURE);
	assert_int_equal(bytes.n, 0);
	assert_proved(3); /* the message, a time-stamp of the chain, the chain */
}

static unsigned calls_to_stamp(struct slt_msglog *l, const struct country *c)
{
	struct slt_err err = SLT_ERR_INIT;
	struct authority t = {.country = c};
	unsigned n = 1;
	assert_true(slt_msglog_timestamp(l, c->name, 10, stamp, &t, PKI_NOW, &n, &err));
	assert_int_equal(n, 0);
	return t.calls;
}

/* The head of the log is time-stamped for unsigned messages: once, and only for their side. */
static void test_unsigned_covered(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	free(m->signature.p);
	m->signature = (struct slt_bytes){NULL, 0};
	assert_int_equal(calls_to_stamp(l, &ee), 0);
	struct slt_msglog_record rec = make_record(EXCHANGE, m);
	assert_true(slt_msglog_append_wait(l, &rec, &err));
	assert_int_equal(calls_to_stamp(l, &fi), 0);
	assert_int_equal(calls_to_stamp(l, &ee), 1);
	assert_int_equal(calls_to_stamp(l, &ee), 0);
	rec.response = true;
	assert_true(slt_msglog_append_wait(l, &rec, &err));
	log_one(l, EXCHANGE, &fi, false, true, 0);
	assert_int_equal(stamp_all(l, &fi, 10), 1); /* which covers both */
	assert_int_equal(calls_to_stamp(l, &ee), 0);
	assert_proved(3 + 2 + 1);
}

/* --- tests: sealing --- */

/* Behind an ordinary security server: the provider's key stands for the bridge's own. */
static void log_sealed(struct slt_msglog *l, bool response, const char *sealer)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *text = envelope(&ee, response);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message(text);
	sign(m, &ee.provider);
	struct slt_msglog_record r = make_record(EXCHANGE, m);
	r.at_ms = PKI_NOW;
	r.response = response;
	r.client = "EE/COM/10000001/sub";
	r.service = "EE/GOV/70000001/sub/list";
	r.sealer = sealer;
	if (!slt_msglog_append_wait(l, &r, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(stamp_all(l, &ee, 10), 1);
}

/* The container is good for whoever is told who sealed it, and for nobody else. */
static void assert_container_sealed(const char *sealer, const char *noted, bool plain)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_asic_free) struct slt_asic *asic = NULL;
	SLT_AUTO_BUF(bytes, 1u << 24);
	struct slt_msglog_message *m = NULL;
	struct slt_msglog_export_notes notes;
	struct slt_id id, other;
	struct slt_asic_options o = {.gc = ee.gc, .strict = true, .at_ms = -1, .signer = &id};
	struct slt_asic_verdict v;
	const char *told = NULL;
	size_t n = 0;
	assert_true(slt_msglog_messages(r, EXCHANGE, a, &m, &n, &err));
	assert_true(slt_msglog_sealer(r, m, a, &told, &err));
	assert_string_equal(told, sealer);
	assert_true(slt_msglog_export(r, m, &bytes, &notes, &err));
	assert_string_equal(notes.sealer, noted);
	assert_true(slt_asic_open(slt_buf_str(&bytes), &asic, &err));
	assert_true(slt_id_parse_client(sealer, false, a, &id, &err));
	if (!slt_asic_verify_at(asic, &o, a, &v, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_true(slt_id_same_member(&v.signer, &id));
	slt_asic_verdict_fini(&v);
	assert_int_equal(slt_asic_verify(asic, ee.gc, true, a, &v, &err), plain);
	if (plain) {
		slt_asic_verdict_fini(&v);
	}
	slt_err_clear(&err);
	assert_true(slt_id_parse_client("EE/COM/10000001", false, a, &other, &err));
	o.signer = &other;
	assert_false(slt_asic_verify_at(asic, &o, a, &v, &err));
}

static void test_sealed(void **state)
{
	(void)state;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	log_sealed(l, false, "EE/GOV/70000001/bridge");
	assert_proved(3);
	assert_container_sealed("EE/GOV/70000001/bridge", "EE/GOV/70000001/bridge", false);
}

/* What the bridge answers under its own name is good for everybody. */
static void test_sealed_own(void **state)
{
	(void)state;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	log_sealed(l, true, "EE/GOV/70000001/bridge");
	assert_proved(3);
	assert_container_sealed("EE/GOV/70000001/bridge", "", true);
}

static void test_sealed_by_another(void **state)
{
	(void)state;
	static const char *const sealers[][2] = {
		{NULL, "EE/COM/10000001"}, /* its client did not sign it */
		{"EE/COM/10000001/bridge", "EE/COM/10000001"},
		{"FI/GOV/3333333-3/bridge", "its signer is of FI"},
		{"nobody", "the logged sealer"},
	};
	for (size_t i = 0; i < SLT_COUNT(sealers); i++) {
		struct slt_msglog *l = open_log(0, 0);
		log_sealed(l, false, sealers[i][0]);
		slt_msglog_close(l);
		assert_disproved(sealers[i][1]);
		assert_int_equal(unlink(path), 0);
	}
}

/* The chain holds who sealed a message, and that somebody else did. */
static void test_sealer_altered(void **state)
{
	(void)state;
	struct slt_msglog *l = open_log(0, 0);
	log_sealed(l, false, "EE/GOV/70000001/bridge");
	slt_msglog_close(l);
	tamper("DELETE FROM part WHERE name = 'sealer'");
	assert_disproved("entry 1 was changed");
}

/* A file takes them all; what is not too long for a reader is read again. */
static void assert_poured(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
			  size_t bodies)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *file = slt_asprintf("%s.asice", path);
	SLT_AUTO_STR char *work = slt_asprintf("%s.part", file);
	SLT_AUTO_STR char *nowhere = slt_asprintf("%s/nowhere/x", path);
	SLT_AUTO_STR char *bytes = NULL;
	SLT_AUTO(slt_asic_free) struct slt_asic *asic = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_export_notes notes;
	struct slt_asic_verdict v;
	size_t n = 0;
	assert_false(slt_msglog_export_file(r, m, nowhere, &notes, &err));
	assert_int_equal(err.code, SLT_EIO);
	slt_err_clear(&err);
	assert_true(slt_msglog_export_file(r, m, file, &notes, &err));
	assert_int_equal(notes.n_left_out, 0);
	assert_false(notes.unstamped);
	assert_false(slt_file_exists(work));
	assert_true(slt_file_read(file, bodies + (1u << 20), &bytes, &n, &err));
	assert_true(n > bodies);
	assert_int_equal(unlink(file), 0);
	if (bodies > SLT_ASIC_BYTES_MAX) {
		assert_false(slt_asic_open((struct slt_str){bytes, n}, &asic, &err));
		assert_int_equal(err.code, SLT_ELIMIT);
		return;
	}
	assert_true(slt_asic_open((struct slt_str){bytes, n}, &asic, &err));
	assert_true(slt_asic_verify(asic, ee.gc, true, a, &v, &err));
	assert_int_equal(v.n_unverified, 0);
	slt_asic_verdict_fini(&v);
}

/* Nothing of a file is left when a body is gone. */
static void test_pour_cut(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO_STR char *text = envelope(&ee, false);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message(text);
	attach(m, 9u << 20, 1000);
	sign(m, &ee.caller);
	struct slt_msglog_record r = make_record(EXCHANGE, m);
	assert_true(slt_msglog_append_wait(l, &r, &err));
	assert_true(slt_msglog_finish_wait(l, EXCHANGE, SLT_MSGLOG_DONE, NULL, 2, &err));
	unsigned n_cut = 0;
	assert_true(slt_msglog_cut(l, INT64_MAX, 3, &n_cut, &err));
	assert_int_equal(n_cut, 1);
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *rd = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_STR char *file = slt_asprintf("%s.asice", path);
	SLT_AUTO_STR char *work = slt_asprintf("%s.part", file);
	struct slt_msglog_message *got = NULL;
	struct slt_msglog_export_notes notes;
	size_t n = 0;
	assert_true(slt_msglog_messages(rd, EXCHANGE, a, &got, &n, &err));
	assert_false(slt_msglog_export_file(rd, got, file, &notes, &err));
	assert_int_equal(err.code, SLT_ENOTFOUND);
	assert_false(slt_file_exists(file));
	assert_false(slt_file_exists(work));
}

/* Attachments that no container takes: too long, or so uniform that a reader suspects a bomb. The
 * log is proved all the same. */
static void test_export_large(void **state)
{
	(void)state;
	static const size_t sizes[][2] = {{(64u << 20) + 1, 10}, {8u << 20, 10}};
	for (size_t i = 0; i < SLT_COUNT(sizes); i++) {
		struct slt_err err = SLT_ERR_INIT;
		struct slt_msglog *l = open_log(0, 0);
		SLT_AUTO_STR char *text = envelope(&ee, false);
		SLT_AUTO(slt_message_free) struct slt_message *m = make_message(text);
		attach(m, sizes[i][0], 1000);
		attach(m, sizes[i][1], 1000);
		sign(m, &ee.caller);
		struct slt_msglog_record r = make_record(EXCHANGE, m);
		r.client = "EE/COM/10000001/sub";
		assert_true(slt_msglog_append_wait(l, &r, &err));
		assert_int_equal(stamp_all(l, &ee, 10), 1);
		slt_msglog_close(l);
		assert_proved(3);

		SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *rd = open_reader();
		SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
		SLT_AUTO_BUF(bytes, 1u << 28);
		struct slt_msglog_message *got = NULL;
		struct slt_msglog_export_notes notes;
		size_t n = 0;
		assert_true(slt_msglog_messages(rd, EXCHANGE, a, &got, &n, &err));
		assert_true(slt_msglog_export(rd, got, &bytes, &notes, &err));
		assert_int_equal(notes.n_left_out, i == 0 ? 1 : 0);
		assert_poured(rd, got, sizes[i][0] + sizes[i][1]);
		assert_int_equal(unlink(path), 0);
	}
}

static void export_to(const char *file)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *rd = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_message *got = NULL;
	struct slt_msglog_export_notes notes;
	size_t n = 0;
	assert_true(slt_msglog_messages(rd, EXCHANGE, a, &got, &n, &err));
	assert_int_equal(n, 1);
	assert_true(slt_msglog_export_file(rd, got, file, &notes, &err));
}

/* Where the bytes are kept is nothing that evidence shows: moved to where a small message has its
 * own, they make the same chain and the same container. */
static void test_export_ahead(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO_STR char *text = envelope(&ee, false);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message(text);
	attach(m, 5u << 20, 1000);
	attach(m, 700000, 1u << 20);
	sign(m, &ee.caller);
	struct slt_msglog_record r = make_record(EXCHANGE, m);
	r.client = "EE/COM/10000001/sub";
	assert_true(slt_msglog_append_wait(l, &r, &err));
	assert_int_equal(stamp_all(l, &ee, 10), 1);
	slt_msglog_close(l);
	assert_proved(3);
	SLT_AUTO_STR char *ahead = slt_asprintf("%s/ahead.asice", dir);
	SLT_AUTO_STR char *beside = slt_asprintf("%s/beside.asice", dir);
	export_to(ahead);
	tamper("UPDATE chunk SET id = id + 2 * 134217728 WHERE id < 0;"
	       "UPDATE message SET body = NULL WHERE body IS NOT NULL");
	assert_proved(3);
	export_to(beside);
	SLT_AUTO_STR char *p = NULL, *q = NULL;
	size_t n = 0, k = 0;
	assert_true(slt_file_read(ahead, 8u << 20, &p, &n, &err));
	assert_true(slt_file_read(beside, 8u << 20, &q, &k, &err));
	assert_true(n > 1000);
	assert_int_equal(n, k);
	assert_memory_equal(p, q, n);
}

/* --- tests: time-stamping --- */

static void test_authority_down(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	struct authority t = {.country = &ee, .down = true};
	unsigned n = 77;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	log_exchange(l, EXCHANGE);
	assert_false(slt_msglog_timestamp(l, "EE", 10, stamp, &t, PKI_NOW, &n, &err));
	assert_int_equal(err.code, SLT_EMLOG_TSP_FAILED);
	assert_non_null(strstr(err.msg, "2 messages of EE"));
	assert_int_equal(n, 77);
	assert_proved(4 + 1);
	assert_int_equal(stamp_all(l, &ee, 10), 2);
	assert_proved(4 + 1 + 1);
}

struct racing {
	struct slt_msglog *log;
	bool raced;
};

/* While the authority is asked, another batch stamps the same messages. */
static bool stamp_twice(void *arg, const struct slt_digest *imprint, struct slt_buf *ret_token,
			int64_t *ret_time_ms, struct slt_err *err)
{
	struct racing *q = arg;
	struct authority t = {.country = &ee};
	q->raced = stamp_all(q->log, &ee, 10) == 2;
	return stamp(&t, imprint, ret_token, ret_time_ms, err);
}

static void test_stamped_once(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	struct racing q = {.log = l};
	unsigned n = 0;
	log_exchange(l, EXCHANGE);
	assert_false(slt_msglog_timestamp(l, "EE", 10, stamp_twice, &q, PKI_NOW, &n, &err));
	assert_true(q.raced);
	assert_int_equal(err.code, SLT_EDATABASE);
	assert_proved(4 + 1 + 1);
}

/* --- tests: proving --- */

static void test_proved(void **state)
{
	(void)state;
	stamped_log();
	assert_proved(4 + 2 + 1);
}

static void test_proved_without_bodies(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	unsigned n = 0;
	stamped_log();
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	assert_true(slt_msglog_cut(l, PKI_NOW + 1, PKI_NOW + 2, &n, &err));
	assert_int_equal(n, 4);
	assert_proved(4 + 2 + 1);
}

static void test_confs(void **state)
{
	(void)state;
	stamped_log();
	struct findings t = prove_with(conf_ee_only);
	assert_int_equal(t.bad, 0);
	assert_int_equal(t.skipped, 3);
	assert_int_equal(t.ok, 4);
	t = prove_with(conf_swapped);
	assert_int_equal(t.bad, 6);
}

static void test_tampered_evidence(void **state)
{
	(void)state;
	static const char *const alteration[][2] = {
		/* of the time-stamp */
		{"UPDATE stamp SET token = (SELECT token FROM stamp ORDER BY seq DESC LIMIT 1)",
		 "imprint does not match"},
		{"UPDATE stamp SET n = 1", "was changed"},
		{"UPDATE stamp SET time_ms = time_ms - 1", "the log says 2026-11-23T15:59:59.999Z"},
		{"UPDATE message SET stamp_chain = (SELECT stamp_chain FROM message WHERE seq = 4)"
		 " WHERE seq = 1",
		 "time-stamp does not cover"},
		{"UPDATE message SET stamp_chain = zeroblob(5) WHERE seq = 1",
		 "time-stamp does not cover"},
		{"UPDATE message SET stamp_seq = NULL WHERE seq = 1",
		 "1 messages carry the time-stamp that was given for 2"},
		{"UPDATE message SET stamp_seq = 7 WHERE seq = 1",
		 "the global configuration does not approve"},
		/* a signature for another */
		{"UPDATE chunk SET data = (SELECT data FROM chunk WHERE id = (2 * 128 + 1) * 1048576)"
		 " WHERE id = (3 * 128 + 1) * 1048576",
		 "bytes of /META-INF/signatures.xml"},
		/* personal data, without a trace */
		{"UPDATE chunk SET data = replace(data, '" SECRET "', '999999A9999')",
		 "bytes of /message.xml"},
	};
	for (size_t i = 0; i < SLT_COUNT(alteration); i++) {
		stamped_log();
		assert_proved(4 + 2 + 1);
		tamper(alteration[i][0]);
		assert_disproved(alteration[i][1]);
		assert_int_equal(unlink(path), 0);
	}
}

/* Computes the chain anew over what is there, as one who owns the file can. */
static void rechain(void)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	static const char *const q[] = {"UPDATE entry SET chain = ?2 WHERE seq = ?1"};
	struct slt_msglog_store *s = NULL;
	struct slt_msglog_entry *e = NULL;
	SLT_AUTO(slt_sql_close) struct slt_sql *db = NULL;
	unsigned char chain[SLT_MSGLOG_CHAIN] = {0};
	size_t n = 0;
	assert_true(slt_msglog_sqlite.open(path, false, 0, &s, &err));
	assert_true(slt_msglog_sqlite.entries(s, 1, 100, a, &e, &n, &err));
	slt_msglog_sqlite.close(s);
	assert_true(slt_sql_open(path, true, q, 1, &db, &err));
	for (size_t i = 0; i < n; i++) {
		slt_msglog_chain_next(chain, &e[i], chain);
		assert_true(slt_sql_run(
			db, 0,
			SLT_SQL_VALUES(slt_sql_int(e[i].seq), slt_sql_blob(chain, sizeof(chain))),
			&err));
	}
}

/* Whoever rewrites the log with a chain that holds meets the time-stamp of its old head. */
static void test_rewritten(void **state)
{
	(void)state;
	static const char *const alteration[][2] = {
		{"UPDATE message SET message_id = 'm-2' WHERE seq = 2", "the log was rewritten"},
		{"UPDATE exchange SET fault_code = 'x'; UPDATE finish SET fault_code = 'x'",
		 "the log was rewritten"},
		{"UPDATE entry SET at_ms = at_ms - 5 WHERE seq = 3", "the log was rewritten"},
	};
	for (size_t i = 0; i < SLT_COUNT(alteration); i++) {
		stamped_log();
		tamper(alteration[i][0]);
		rechain();
		assert_disproved(alteration[i][1]);
		assert_int_equal(unlink(path), 0);
	}
}

/* The same with the head in the stamp rewritten too: the token does not know it. */
static void test_rewritten_with_head(void **state)
{
	(void)state;
	stamped_log();
	tamper("UPDATE message SET message_id = 'm-2' WHERE seq = 2");
	rechain();
	tamper("UPDATE stamp SET head = (SELECT chain FROM entry WHERE seq = head_seq)");
	rechain();
	/* the second stamp's head covers the first stamp */
	tamper("UPDATE stamp SET head = (SELECT chain FROM entry WHERE seq = head_seq)");
	rechain();
	assert_disproved("the time-stamp does not cover /log-head");
}

/* Said to be of another client than signed it. */
static void test_wrong_signer(void **state)
{
	(void)state;
	static const char *const alteration[][2] = {
		{"UPDATE message SET client = 'EE/GOV/70000001/sub' WHERE seq = 1", "70000001"},
		{"UPDATE message SET client = 'FI/GOV/2222222-2/sub' WHERE seq = 1",
		 "its signer is of FI"},
		{"UPDATE message SET client = 'x' WHERE seq = 1", "the logged client"},
		{"UPDATE message SET service = 'x' WHERE seq = 4", "the logged service"},
		{"UPDATE message SET response = 1 WHERE seq = 2", "FI/GOV"},
	};
	for (size_t i = 0; i < SLT_COUNT(alteration); i++) {
		struct slt_msglog *l = open_log(0, 0);
		log_exchange(l, EXCHANGE);
		slt_msglog_close(l);
		tamper(alteration[i][0]);
		rechain();
		assert_disproved(alteration[i][1]);
		assert_int_equal(unlink(path), 0);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_export),
		T(test_batches_of_one),
		T(test_export_name),
		T(test_export_unstamped),
		T(test_export_unsigned),
		T(test_unsigned_covered),
		T(test_sealed),
		T(test_sealed_own),
		T(test_sealed_by_another),
		T(test_sealer_altered),
		T(test_export_large),
		T(test_export_ahead),
		T(test_pour_cut),
		T(test_authority_down),
		T(test_stamped_once),
		T(test_proved),
		T(test_proved_without_bodies),
		T(test_confs),
		T(test_tampered_evidence),
		T(test_rewritten),
		T(test_rewritten_with_head),
		T(test_wrong_signer),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
