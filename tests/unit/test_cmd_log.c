/* SPDX-License-Identifier: MIT */

/* The log command, and the archives that it writes. */

#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "msglog_evidence.h"

#include "command.h"
#include "msglog_archive.h"

/* --- the command --- */

static int command(char **ret_output, const char *first, ...)
{
	const char *argv[24] = {"log"};
	int argc = 1;
	va_list ap;
	va_start(ap, first);
	for (const char *s = first; s && argc < 23; s = va_arg(ap, const char *)) {
		argv[argc++] = s;
	}
	va_end(ap);
	SLT_AUTO_STR char *file = slt_asprintf("%s/output", dir);
	fflush(stdout);
	int keep = dup(STDOUT_FILENO), keep_err = dup(STDERR_FILENO);
	int fd = open(file, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	optind = 0;
	/* getopt moves the pointers, not the texts */
	int status = slt_cmd_log(argc, (char **)(uintptr_t)argv);
	fflush(stdout);
	dup2(keep, STDOUT_FILENO);
	dup2(keep_err, STDERR_FILENO);
	close(keep);
	close(keep_err);
	close(fd);
	struct slt_err err = SLT_ERR_INIT;
	size_t n;
	assert_true(slt_file_read(file, 1u << 24, ret_output, &n, &err));
	return status;
}

#define RUN(expected, ...)                                                                         \
	do {                                                                                       \
		SLT_AUTO_STR char *out_ = NULL;                                                    \
		int got_ = command(&out_, __VA_ARGS__, NULL);                                      \
		if (got_ != (expected)) {                                                          \
			fail_msg("status %d: %s", got_, out_);                                     \
		}                                                                                  \
	} while (0)

static void test_command_list(void **state)
{
	(void)state;
	stamped_log();
	SLT_AUTO_STR char *out = NULL, *json = NULL, *none = NULL;
	assert_int_equal(command(&out, "list", "--log", path, NULL), 0);
	assert_non_null(strstr(out, "2026-11-23T16:00:00.000Z  " EXCHANGE "  done     4  "
				    "prescriptions\n"));
	assert_int_equal(command(&json, "list", "--log", path, "--json", NULL), 0);
	json_t *root = json_loads(json, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "exchange")), EXCHANGE);
	assert_int_equal(json_integer_value(json_object_get(root, "messages")), 4);
	json_decref(root);
	assert_int_equal(command(&none, "list", "--log", path, "--status", "open", NULL), 0);
	assert_string_equal(none, "");
}

static void test_command_show(void **state)
{
	(void)state;
	stamped_log();
	SLT_AUTO_STR char *out = NULL, *json = NULL, *full = NULL;
	assert_int_equal(command(&out, "show", "--log", path, "--exchange", EXCHANGE, NULL), 0);
	assert_null(strstr(out, SECRET));
	assert_non_null(strstr(out, "EE/COM/10000001/sub"));
	assert_non_null(strstr(out, "FI/GOV/3333333-3/sub/list"));
	assert_non_null(strstr(out, "2 mapped, 1 kept"));
	assert_non_null(strstr(out, "3333333-3"));
	assert_non_null(strstr(out, "500000 in 1 attachment"));
	assert_int_equal(command(&json, "show", "--log", path, "--json", NULL), 0);
	assert_null(strstr(json, SECRET));
	json_t *root = json_loads(json, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(json_object_get(root, "messages")), 4);
	json_decref(root);
	assert_int_equal(command(&full, "show", "--log", path, "--full", NULL), 0);
	assert_non_null(strstr(full, SECRET));
}

static void test_command_export(void **state)
{
	(void)state;
	stamped_log();
	SLT_AUTO_STR char *to = slt_asprintf("%s/containers", dir);
	RUN(0, "export", "--log", path, "--out", to);
	DIR *d = opendir(to);
	unsigned n = 0;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		n += strstr(e->d_name, ".asice") ? 1 : 0;
	}
	closedir(d);
	assert_int_equal(n, 4);
	RUN(1, "export", "--log", path, "--out", to, "--exchange", "0-0");
	RUN(2, "export", "--log", path);
	/* what was cut off cannot be exported, and that is said */
	RUN(0, "cut", "--log", path, "--before", "2026-11-24");
	SLT_AUTO_STR char *out = NULL;
	assert_int_equal(command(&out, "export", "--log", path, "--out", to, NULL), 1);
	assert_non_null(strstr(out, EXCHANGE "-fi-response.asice is left out"));
}

static void test_command_verify(void **state)
{
	(void)state;
	stamped_log();
	SLT_AUTO_STR char *c_ee = slt_asprintf("EE=%s", ee.dir),
			  *c_fi = slt_asprintf("FI=%s", fi.dir);
	SLT_AUTO_STR char *out = NULL, *bad = NULL;
	assert_int_equal(
		command(&out, "verify", "--log", path, "--conf", c_ee, "--conf", c_fi, NULL), 0);
	assert_non_null(strstr(out, "OK " EXCHANGE "-fi-response.asice FI/GOV/3333333-3 "
				    "2026-11-23T16:00:00.000Z\n"));
	assert_non_null(strstr(out, "OK chain 7 entries, head 7:"));
	RUN(0, "verify", "--log", path, "--chain-only");
	RUN(0, "verify", "--log", path, "--conf", c_ee, "--conf", c_fi, "--exchange", EXCHANGE);
	RUN(2, "verify", "--log", path, "--conf", c_ee);
	RUN(2, "verify", "--log", path);
	RUN(2, "verify", "--log", path, "--conf", "EE");
	RUN(2, "verify", "--log", path, "--conf", "EE=/nonexistent");
	RUN(1, "verify", "--log", path, "--chain-only", "--exchange", "0-0");
	RUN(1, "verify", "--log", path, "--chain-only", "--head", "7:00");
	tamper("UPDATE chunk SET data = replace(data, '" SECRET "', '999999A9999')");
	assert_int_equal(
		command(&bad, "verify", "--log", path, "--conf", c_ee, "--conf", c_fi, NULL), 1);
	assert_non_null(
		strstr(bad, "FAIL " EXCHANGE "-ee-request.asice mlog.invalid_log_archive "));
	assert_non_null(strstr(bad, "FAIL chain "));
}

static void test_command_usage(void **state)
{
	(void)state;
	SLT_AUTO_STR char *missing = slt_asprintf("%s/none.db", dir);
	RUN(0, "--help");
	RUN(0, "list", "--help");
	RUN(0, "verify", "-h");
	RUN(2, NULL);
	RUN(2, "destroy");
	RUN(2, "list");
	RUN(2, "list", "--log", missing);
	RUN(2, "cut", "--log", missing, "--before", "2026-01-01");
	RUN(2, "list", "-c", missing);
	three_exchanges();
	RUN(0, "list", "--log", path);
	RUN(2, "list", "--log", path, "extra");
	RUN(2, "list", "--log", path, "--out", "x");
	RUN(2, "list", "--log", path, "--limit", "0");
	RUN(2, "list", "--log", path, "--limit", "-1");
	RUN(2, "list", "--log", path, "--limit", "1x");
	RUN(2, "list", "--log", path, "--since", "yesterday");
	RUN(2, "list", "--log", path, "--status", "broken");
	RUN(2, "show", "--log", path, "--json", "--full");
	RUN(1, "show", "--log", path, "--exchange", "0-0");
	RUN(2, "cut", "--log", path);
	RUN(2, "verify", "--log", path, "--since", "2026-01-01");
}

/* An independent reader of containers, where it is at hand, says the same. */
static void test_independent_check(void **state)
{
	(void)state;
	const char *shared = getenv("SLT_SHARED");
	SLT_AUTO_STR char *tool =
		slt_asprintf("%s/tools/xroad_check.py", shared ? shared : "../shared");
	if (!slt_file_exists(tool) ||
	    system("/usr/bin/python3 -c 'import lxml, cryptography, asn1crypto' 2>/dev/null") !=
		    0) {
		print_message("skipped: %s or its Python modules are not there\n", tool);
		skip();
	}
	stamped_log();
	SLT_AUTO_STR char *to = slt_asprintf("%s/containers", dir);
	RUN(0, "export", "--log", path, "--out", to);
	const struct country *const both[] = {&ee, &fi};
	for (size_t i = 0; i < 2; i++) {
		SLT_AUTO_STR char *check = slt_asprintf(
			"/usr/bin/python3 %s asice %s %s/*-%s-*.asice > %s/said 2>&1 &&"
			" test $(grep -c '^OK' %s/said) = 2 || { cat %s/said; false; }",
			tool, both[i]->dir, to, i ? "fi" : "ee", dir, dir, dir);
		assert_int_equal(system(check), 0);
	}
}

/* --- archives --- */

struct made {
	unsigned files, messages;
	char last[128];
};

static void on_archive(void *arg, const char *file, unsigned n)
{
	struct made *m = arg;
	m->files++;
	m->messages += n;
	snprintf(m->last, sizeof(m->last), "%s", file);
}

static struct made archive(const char *to, uint64_t max_bytes)
{
	struct slt_err err = SLT_ERR_INIT;
	struct made m = {.files = 0};
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	struct slt_msglog_archive_options o = {.dir = to, .max_bytes = max_bytes, .at_ms = PKI_NOW};
	if (!slt_msglog_archive(l, &o, on_archive, &m, &err)) {
		fail_msg("%s", err.msg);
	}
	return m;
}

/* Opens an archive, checks its links and what it follows, and each container in it. */
static void check_archive(const char *to, const char *file, const char *previous, size_t n,
			  char ret_last[2 * SLT_DIGEST_MAX + 1])
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *name = slt_path_join(to, file);
	SLT_AUTO_STR char *bytes = NULL;
	SLT_AUTO(slt_archive_free) struct slt_archive *a = NULL;
	struct slt_archive_links links;
	size_t size = 0;
	if (!slt_file_read(name, 1u << 26, &bytes, &size, &err) ||
	    !slt_archive_open((struct slt_str){bytes, size}, &a, &err) ||
	    !slt_archive_verify_links(a, previous, &links, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_true(slt_archive_is(a));
	assert_int_equal(links.n, n);
	assert_int_equal(slt_archive_count(a), n + 1);
	assert_memory_equal(strrchr(file, '-') + 1, links.last, 16);
	snprintf(ret_last, 2 * SLT_DIGEST_MAX + 1, "%s", links.last);
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO(slt_asic_free) struct slt_asic *c = NULL;
		SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
		SLT_AUTO_BUF(b, SLT_ASIC_BYTES_MAX + 1);
		struct slt_asic_verdict v;
		const char *side = strstr(slt_archive_name(a, i), "-ee-") ? "EE" : "FI";
		assert_true(slt_archive_read(a, i, &b, &err));
		assert_true(slt_asic_open(slt_buf_str(&b), &c, &err));
		assert_true(slt_asic_verify(c, conf(NULL, side), true, arena, &v, &err));
		slt_asic_verdict_fini(&v);
	}
}

static void test_archive(void **state)
{
	(void)state;
	SLT_AUTO_STR char *to = slt_asprintf("%s/archive", dir);
	char last[2][2 * SLT_DIGEST_MAX + 1];
	assert_int_equal(mkdir(to, 0700), 0);
	assert_int_equal((slt_msglog_close(open_log(0, 0)), archive(to, 1000).files), 0);
	stamped_log();
	struct made first = archive(to, SLT_MSGLOG_ARCHIVE_BYTES);
	assert_int_equal(first.files, 1);
	assert_int_equal(first.messages, 4);
	assert_non_null(strstr(first.last, "mlog-20261123160000-20261123160000-"));
	check_archive(to, first.last, "-", 4, last[0]);
	/* nothing is archived twice */
	assert_int_equal(archive(to, SLT_MSGLOG_ARCHIVE_BYTES).files, 0);
	assert_proved(4 + 2 + 1);

	/* the next one follows it, and stops before what has no time-stamp */
	struct slt_msglog *l = open_log(0, 0);
	log_exchange(l, "next-1");
	assert_int_equal(stamp_all(l, &ee, 10), 2);
	slt_msglog_close(l);
	struct made second = archive(to, SLT_MSGLOG_ARCHIVE_BYTES);
	assert_int_equal(second.messages, 1);
	check_archive(to, second.last, last[0], 1, last[1]);
	l = open_log(0, 0);
	assert_int_equal(stamp_all(l, &fi, 10), 2);
	slt_msglog_close(l);
	struct made third = archive(to, SLT_MSGLOG_ARCHIVE_BYTES);
	assert_int_equal(third.messages, 3);
	check_archive(to, third.last, last[1], 3, last[0]);
}

static void test_archive_rotates(void **state)
{
	(void)state;
	SLT_AUTO_STR char *to = slt_asprintf("%s/archive", dir);
	assert_int_equal(mkdir(to, 0700), 0);
	stamped_log();
	struct made m = archive(to, 1);
	assert_int_equal(m.files, 4);
	assert_int_equal(m.messages, 4);
	/* an entry for each; one that was removed or changed is missed */
	assert_proved(4 + 2 + 1);
	tamper("UPDATE archive SET file = 'mlog-x.zip' WHERE n = 1");
	assert_disproved("was changed");
	tamper("DELETE FROM archive");
	assert_disproved("logged was removed");
}

/* The process died after the archive was recorded and before the file had its name. */
static void test_archive_settles(void **state)
{
	(void)state;
	SLT_AUTO_STR char *to = slt_asprintf("%s/archive", dir);
	char last[2 * SLT_DIGEST_MAX + 1];
	assert_int_equal(mkdir(to, 0700), 0);
	stamped_log();
	struct made m = archive(to, SLT_MSGLOG_ARCHIVE_BYTES);
	SLT_AUTO_STR char *name = slt_path_join(to, m.last);
	SLT_AUTO_STR char *part = slt_asprintf("%s.part", name);
	assert_int_equal(rename(name, part), 0);
	assert_int_equal(archive(to, SLT_MSGLOG_ARCHIVE_BYTES).files, 0);
	check_archive(to, m.last, "-", 4, last);
	/* archives that were moved away are not missed */
	assert_int_equal(unlink(name), 0);
	assert_int_equal(archive(to, SLT_MSGLOG_ARCHIVE_BYTES).files, 0);
}

static void test_archive_refused(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *to = slt_asprintf("%s/archive", dir);
	assert_int_equal(mkdir(to, 0700), 0);
	stamped_log();
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	struct slt_msglog_archive_options o = {.dir = to, .max_bytes = 1000, .at_ms = PKI_NOW};
	int fd = open(to, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(slt_msglog_archive(l, &o, NULL, NULL, &err));
	assert_int_equal(err.code, SLT_EBUSY);
	close(fd);
	slt_err_clear(&err);
	o.dir = "/nonexistent";
	assert_false(slt_msglog_archive(l, &o, NULL, NULL, &err));
	assert_int_equal(err.code, SLT_EIO);
	slt_err_clear(&err);
	/* a message that cannot be read stops it, and nothing is recorded */
	tamper("DELETE FROM exchange");
	o.dir = to;
	assert_false(slt_msglog_archive(l, &o, NULL, NULL, &err));
	assert_int_equal(err.code, SLT_EDATABASE);
	assert_non_null(strstr(err.msg, "silta log verify"));
}

static void test_archive_without_bodies(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *to = slt_asprintf("%s/archive", dir);
	unsigned n = 0;
	assert_int_equal(mkdir(to, 0700), 0);
	stamped_log();
	struct slt_msglog *l = open_log(0, 0);
	assert_true(slt_msglog_cut(l, PKI_NOW + 1, PKI_NOW + 2, &n, &err));
	slt_msglog_close(l);
	assert_int_equal(archive(to, SLT_MSGLOG_ARCHIVE_BYTES).files, 0);
}

static void test_command_archive(void **state)
{
	(void)state;
	SLT_AUTO_STR char *to = slt_asprintf("%s/archive", dir), *out = NULL;
	stamped_log();
	assert_int_equal(
		command(&out, "archive", "--log", path, "--out", to, "--max-size", "1", NULL), 0);
	assert_non_null(strstr(out, "/mlog-20261123160000-20261123160000-"));
	RUN(0, "archive", "--log", path, "--out", to);
	RUN(2, "archive", "--log", path);
	RUN(2, "archive", "--log", path, "--out", to, "--max-size", "0");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_independent_check), T(test_command_list),	   T(test_command_show),
		T(test_command_export),	   T(test_command_verify),	   T(test_command_usage),
		T(test_archive),	   T(test_archive_rotates),	   T(test_archive_settles),
		T(test_archive_refused),   T(test_archive_without_bodies), T(test_command_archive),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
