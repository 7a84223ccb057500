/* SPDX-License-Identifier: MIT */
/* The foundation without XML and HTTP: errors, buffers, arena, clock, digests, files, spool, queue.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/queue.h"
#include "base/spool.h"

static void errors_compose_their_code_and_context(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	char code[256];

	(void)state;
	assert_false(slt_fail(&err, SLT_EINVALID_HASH_CHAIN_REF, "digest of %s", "x"));
	slt_wrap(&err, "signature");
	slt_prefix(&err, SLT_MALFORMED_SIGNATURE);
	slt_prefix(&err, SLT_MALFORMED_SIGNATURE); /* suppressed */
	slt_prefix(&err, SLT_SERVERPROXY);
	assert_string_equal(err.msg, "signature: digest of x");
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, code, sizeof(code));
	assert_string_equal(code, "server.serverproxy.malformed_signature.invalid_hash_chain_ref");
	slt_err_fault_code(&err, SLT_DIALECT_CAMEL, code, sizeof(code));
	assert_string_equal(code, "Server.ServerProxy.MalformedSignature.InvalidHashChainRef");
	char tight[10];
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, tight, sizeof(tight));
	assert_string_equal(tight, "server.se");
}

static void a_code_that_is_its_own_prefix_is_not_repeated(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	char code[64];

	(void)state;
	slt_fail(&err, SLT_MALFORMED_SIGNATURE, "x");
	slt_prefix(&err, SLT_MALFORMED_SIGNATURE);
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, code, sizeof(code));
	assert_string_equal(code, "malformed_signature");
}

static void every_code_is_found_by_both_spellings(void **state)
{
	(void)state;
	for (int i = 1; i < SLT_CODE_COUNT; i++) {
		enum slt_code c = (enum slt_code)i;
		assert_int_equal(slt_code_find(slt_code_name(c, SLT_DIALECT_SNAKE)), c);
		/* two codes of 7.8 shared one name before; the older name finds the first */
		assert_int_not_equal(slt_code_find(slt_code_name(c, SLT_DIALECT_CAMEL)), SLT_OK);
		assert_true(*slt_code_text(c) != '\0');
	}
	assert_int_equal(slt_code_find("nonsense"), SLT_OK);
}

static void long_messages_are_cut(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	char x[3000];

	(void)state;
	memset(x, 'x', sizeof(x));
	x[sizeof(x) - 1] = '\0';
	slt_fail(&err, SLT_EIO, "%s", x);
	slt_wrap(&err, "%s", x);
	slt_wrap(&err, "outer");
	assert_int_equal(strlen(err.msg), SLT_ERR_MSG_MAX - 1);
	assert_memory_equal(err.msg, "outer: xxx", 10);
}

static void buffers_stop_at_their_maximum(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(b, 8);

	(void)state;
	slt_buf_adds(&b, "12345678");
	assert_true(slt_buf_check(&b, "it", &err));
	slt_buf_addc(&b, '9');
	assert_false(slt_buf_check(&b, "it", &err));
	assert_int_equal(err.code, SLT_ELIMIT);
	assert_string_equal(b.p, "12345678");
	slt_buf_adds(&b, "");
	assert_true(b.failed); /* sticky */
	slt_buf_reset(&b);
	slt_buf_addf(&b, "%d", 42);
	assert_string_equal(b.p, "42");
	slt_buf_addf(&b, "%s", "longer than that");
	assert_true(b.failed);
}

static void text_is_escaped(void **state)
{
	SLT_AUTO_BUF(b, 256);

	(void)state;
	slt_buf_add_xml(&b, "a<b>&\"c\"\r");
	assert_string_equal(b.p, "a&lt;b&gt;&amp;&quot;c&quot;&#xD;");
	slt_buf_reset(&b);
	slt_buf_add_json(&b, "a\"\\\n\x01\x7f\xc3\xa4");
	assert_string_equal(b.p, "\"a\\\"\\\\\\n\\u0001\\u007f\xc3\xa4\"");
}

static bool decodes(const char *s, const char *expected)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(b, 64);

	if (!slt_base64_decode(slt_str(s), &b, &err)) {
		return expected == NULL;
	}
	return expected && slt_str_eq(slt_buf_str(&b), expected);
}

static void base64_is_strict_but_for_white_space(void **state)
{
	(void)state;
	assert_true(decodes("", ""));
	assert_true(decodes("YQ==", "a"));
	assert_true(decodes("YWI=", "ab"));
	assert_true(decodes("YW\r\nJj ", "abc"));
	assert_true(decodes("YWJjZA==", "abcd"));
	assert_true(decodes("YQ=", NULL));
	assert_true(decodes("YQ", NULL));
	assert_true(decodes("Y", NULL));
	assert_true(decodes("YQ==YQ==", NULL));
	assert_true(decodes("YR==", NULL)); /* stray bits: two spellings of one value */
	assert_true(decodes("YQ===", NULL));
	assert_true(decodes("====", NULL));
	assert_true(decodes("YW-_", NULL));
	assert_true(decodes("YQ=\xc3\xa4", NULL));
}

static void base64_and_hex_go_there_and_back(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	unsigned char data[64];

	(void)state;
	for (size_t n = 0; n <= sizeof(data); n++) {
		SLT_AUTO_BUF(text, 256);
		SLT_AUTO_BUF(back, 256);
		for (size_t i = 0; i < n; i++) {
			data[i] = (unsigned char)(i * 37 + n);
		}
		slt_buf_add_base64(&text, data, n);
		assert_true(slt_base64_decode(slt_buf_str(&text), &back, &err));
		assert_int_equal(back.n, n);
		assert_memory_equal(slt_buf_str(&back).p, data, n);
		slt_buf_reset(&text);
		slt_buf_reset(&back);
		slt_buf_add_hex(&text, data, n);
		assert_true(slt_hex_decode(slt_buf_str(&text), &back, &err));
		assert_memory_equal(slt_buf_str(&back).p, data, n);
	}
	SLT_AUTO_BUF(b, 8);
	assert_false(slt_hex_decode(slt_str("abc"), &b, &err));
	assert_false(slt_hex_decode(slt_str("zz"), &b, &err));
}

static void arena_keeps_everything_apart(void **state)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	char *p[200];

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(p); i++) {
		size_t n = i * i * 5 + 1;
		p[i] = slt_arena_alloc(a, n);
		assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < n; k++) {
			assert_int_equal(p[i][k], 0);
		}
		memset(p[i], (int)i, n);
	}
	for (size_t i = 0; i < SLT_COUNT(p); i++) {
		assert_int_equal((unsigned char)p[i][i * i * 5], (unsigned char)i);
	}
	assert_string_equal(slt_arena_printf(a, "%s-%d", "x", 7), "x-7");
	assert_null(slt_arena_strdup(a, NULL));
}

static bool time_is(const char *s, int64_t expected)
{
	struct slt_err err = SLT_ERR_INIT;
	int64_t t = -1;

	return slt_time_parse(slt_str(s), &t, &err) ? t == expected : expected == INT64_MIN;
}

static void times_need_a_zone_and_must_exist(void **state)
{
	char text[SLT_TIME_LEN];

	(void)state;
	assert_true(time_is("1970-01-01T00:00:00Z", 0));
	assert_true(time_is("2035-11-11T03:07:40Z", INT64_C(2078363260000)));
	assert_true(time_is("2026-11-23T18:00:00.5+02:00", INT64_C(1795449600500)));
	assert_true(time_is("2026-11-23", INT64_C(1795392000000)));
	assert_true(time_is("2026-11-23T16:00:00", INT64_MIN));
	assert_true(time_is("2026-13-01T00:00:00Z", INT64_MIN));
	assert_true(time_is("2026-04-31", INT64_MIN));
	assert_true(time_is("2026-11-23T24:00:00Z", INT64_MIN));
	assert_true(time_is("2026-11-23T16:00:00Zx", INT64_MIN));
	assert_true(time_is("2026-11-23T16:00:00.Z", INT64_MIN));
	assert_true(time_is("2026-11-23T16:00:00+2:00", INT64_MIN));
	assert_true(time_is("", INT64_MIN));
	assert_true(time_is("26-11-23", INT64_MIN));
	assert_string_equal(slt_time_format(INT64_C(1795449600007), true, text),
			    "2026-11-23T16:00:00.007Z");
	assert_string_equal(slt_time_format(-1, true, text), "1969-12-31T23:59:59.999Z");
	slt_clock_set(42);
	assert_int_equal(slt_now_ms(), 42);
	slt_clock_set(-1);
	assert_true(slt_now_ms() > INT64_C(1700000000000));
}

static void digests_have_their_names(void **state)
{
	SLT_AUTO_BUF(hex, 256);
	struct slt_digest a, b;

	(void)state;
	slt_digest_of(SLT_SHA256, "abc", 3, &a);
	slt_buf_add_hex(&hex, a.v, a.n);
	assert_string_equal(hex.p,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	struct slt_hasher *h = slt_hasher_new(SLT_SHA256);
	slt_hasher_add(h, "a", 1);
	slt_hasher_add(h, "bc", 2);
	slt_hasher_end(h, &b);
	slt_hasher_free(h);
	assert_true(slt_digest_eq(&a, &b));
	b.v[31] ^= 1;
	assert_false(slt_digest_eq(&a, &b));
	struct slt_digest none = {.alg = SLT_DIGEST_NONE};
	assert_false(slt_digest_eq(&none, &none)); /* nothing equals nothing: fail closed */
	for (int i = SLT_SHA1; i <= SLT_SHA512; i++) {
		enum slt_digest_alg alg = (enum slt_digest_alg)i;
		assert_int_equal(slt_digest_by_uri(slt_str(slt_digest_uri(alg))), alg);
		assert_int_equal(slt_digest_by_name(slt_str(slt_digest_name(alg))), alg);
	}
	assert_int_equal(slt_digest_by_name(slt_str("sha-512")), SLT_SHA512);
	assert_int_equal(slt_digest_by_name(slt_str("MD5")), SLT_DIGEST_NONE);
	assert_int_equal(slt_digest_by_uri(slt_str("")), SLT_DIGEST_NONE);
	assert_int_equal(slt_digest_by_name(slt_str("")), SLT_DIGEST_NONE);
}

static void files_are_written_whole_and_read_with_a_cap(void **state)
{
	char dir[] = "/tmp/silta-base-XXXXXX";
	struct slt_err err = SLT_ERR_INIT;
	char *p = NULL;
	size_t n = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	SLT_AUTO_STR char *deep = slt_path_join(dir, "a/b/c");
	SLT_AUTO_STR char *file = slt_path_join(deep, "f");
	assert_false(slt_file_write(file, "x", 1, 0600, &err));
	assert_true(slt_mkdir_p(deep, 0700, &err));
	assert_true(slt_mkdir_p(deep, 0700, &err));
	assert_true(slt_file_write(file, "hello", 5, 0640, &err));
	assert_false(slt_file_check_private(file, &err));
	assert_non_null(strstr(err.msg, "0640"));
	assert_true(slt_file_write(file, "HELLO", 5, 0600, &err));
	assert_true(slt_file_check_private(file, &err));
	assert_true(slt_file_read(file, 5, &p, &n, &err));
	assert_string_equal(p, "HELLO");
	free(p);
	assert_false(slt_file_read(file, 4, &p, &n, &err));
	assert_int_equal(err.code, SLT_ELIMIT);
	assert_false(slt_mkdir_p(file, 0700, &err));
	assert_true(slt_rm_tree(dir, &err));
	assert_false(slt_file_exists(dir));
	assert_false(slt_file_read(file, 4, &p, &n, &err));
	assert_int_equal(err.code, SLT_EIO);
	SLT_AUTO_STR char *absolute = slt_path_join("/x", "/y");
	assert_string_equal(absolute, "/y");
}

static void spool_moves_to_disk_and_back(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	char buf[64];
	size_t n;

	(void)state;
	for (size_t threshold = 0; threshold <= 200; threshold += 50) {
		SLT_AUTO(slt_spool_free) struct slt_spool *s = slt_spool_new(NULL, threshold, 150);
		for (int i = 0; i < 15; i++) {
			assert_true(slt_spool_write(s, "0123456789", 10, &err));
		}
		assert_int_equal(slt_spool_size(s), 150);
		assert_int_equal(slt_spool_memory(s).p != NULL, threshold >= 150);
		assert_true(slt_spool_read(s, 137, buf, sizeof(buf), &n, &err));
		assert_int_equal(n, 13);
		assert_memory_equal(buf, "7890123456789", 13);
		assert_true(slt_spool_read(s, 150, buf, sizeof(buf), &n, &err));
		assert_int_equal(n, 0);
		assert_false(slt_spool_write(s, "x", 1, &err));
		assert_int_equal(err.code, SLT_ELIMIT);
	}
	SLT_AUTO(slt_spool_free) struct slt_spool *nowhere = slt_spool_new("/nonexistent", 0, 10);
	assert_false(slt_spool_write(nowhere, "x", 1, &err));
	assert_int_equal(err.code, SLT_EIO);
}

static void spools_share_a_limit(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_spool_limit(slt_spool_on_disk() + 25);
	struct slt_spool *a = slt_spool_new(NULL, 0, 100);
	SLT_AUTO(slt_spool_free) struct slt_spool *b = slt_spool_new(NULL, 0, 100);
	SLT_AUTO(slt_spool_free) struct slt_spool *small = slt_spool_new(NULL, 10, 100);
	assert_true(slt_spool_write(a, "0123456789", 10, &err));
	assert_true(slt_spool_write(b, "0123456789", 10, &err));
	assert_false(slt_spool_write(b, "012345", 6, &err));
	assert_int_equal(err.code, SLT_EBUSY);
	assert_int_equal(slt_spool_size(b), 10);
	assert_true(slt_spool_write(small, "012345", 6, &err)); /* stays in memory */
	assert_true(slt_spool_write(b, "01234", 5, &err));
	assert_false(slt_spool_write(b, "0", 1, &err));
	slt_spool_free(a);
	assert_true(slt_spool_write(b, "0123456789", 10, &err));
	slt_spool_limit(UINT64_MAX);
}

static void spool_counts_and_sweeps(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	char dir[] = "/tmp/silta-sweep-XXXXXX";
	uint64_t before = slt_spool_on_disk();

	(void)state;
	assert_non_null(mkdtemp(dir));
	struct slt_spool *s = slt_spool_new(dir, 10, 100);
	assert_true(slt_spool_write(s, "0123456789", 10, &err));
	assert_int_equal(slt_spool_on_disk() - before, 0);
	assert_true(slt_spool_write(s, "0123456789", 10, &err));
	assert_int_equal(slt_spool_on_disk() - before, 20);
	SLT_AUTO_STR char *left = slt_path_join(dir, "silta-spool-a1B2c3");
	SLT_AUTO_STR char *other = slt_path_join(dir, "messages.db");
	assert_true(slt_file_write(left, "x", 1, 0600, &err));
	assert_true(slt_file_write(other, "x", 1, 0600, &err));
	assert_int_equal(slt_dir_count(dir), 2);
	assert_int_equal(slt_spool_sweep(dir), 1);
	assert_int_equal(slt_spool_sweep(dir), 0);
	assert_false(slt_file_exists(left));
	assert_true(slt_file_exists(other));
	assert_int_equal(slt_spool_sweep("/nonexistent"), 0);
	assert_int_equal(slt_dir_count("/nonexistent"), 0);
	slt_spool_free(s);
	assert_int_equal(slt_spool_on_disk() - before, 0);
	assert_true(slt_rm_tree(dir, &err));
	SLT_AUTO_STR char *a = slt_path_dir("/a/b/c");
	SLT_AUTO_STR char *root = slt_path_dir("/c");
	SLT_AUTO_STR char *here = slt_path_dir("c");
	assert_string_equal(a, "/a/b");
	assert_string_equal(root, "/");
	assert_string_equal(here, ".");
}

static void spool_says_when_the_disk_is_full(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct rlimit old, small = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
	SLT_AUTO(slt_spool_free) struct slt_spool *s = slt_spool_new(NULL, 0, 1u << 20);
	static char block[8192];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	bool ok = slt_spool_write(s, block, sizeof(block), &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(ok);
	assert_int_equal(err.code, SLT_EIO);
}

static _Atomic unsigned ran, gate;

static void count(void *arg)
{
	(void)arg;
	while (!atomic_load(&gate)) {
		usleep(1000);
	}
	atomic_fetch_add(&ran, 1);
}

static void a_full_pool_refuses_but_runs_what_it_took(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_pool *p = NULL;
	unsigned taken = 0;

	(void)state;
	assert_true(slt_pool_new(2, 5, &p, &err));
	for (int i = 0; i < 50; i++) {
		taken += slt_pool_submit(p, count, NULL);
		usleep(500);
	}
	assert_in_range(taken, 5, 7); /* two at work, five waiting */
	slt_pool_continue(p, count, NULL);
	atomic_store(&gate, 1);
	slt_pool_free(p);
	assert_int_equal(atomic_load(&ran), taken + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_compose_their_code_and_context),
		cmocka_unit_test(a_code_that_is_its_own_prefix_is_not_repeated),
		cmocka_unit_test(every_code_is_found_by_both_spellings),
		cmocka_unit_test(long_messages_are_cut),
		cmocka_unit_test(buffers_stop_at_their_maximum),
		cmocka_unit_test(text_is_escaped),
		cmocka_unit_test(base64_is_strict_but_for_white_space),
		cmocka_unit_test(base64_and_hex_go_there_and_back),
		cmocka_unit_test(arena_keeps_everything_apart),
		cmocka_unit_test(times_need_a_zone_and_must_exist),
		cmocka_unit_test(digests_have_their_names),
		cmocka_unit_test(files_are_written_whole_and_read_with_a_cap),
		cmocka_unit_test(spool_moves_to_disk_and_back),
		cmocka_unit_test(spool_says_when_the_disk_is_full),
		cmocka_unit_test(spools_share_a_limit),
		cmocka_unit_test(spool_counts_and_sweeps),
		cmocka_unit_test(a_full_pool_refuses_but_runs_what_it_took),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
