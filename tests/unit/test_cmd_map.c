/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "mapset_fixture.h"

static struct fixture fixture;

/* Runs "silta map …" in a child, with its output in files; getopt and stdout are the process's. */
static int run(const char *const *args, char **ret_out)
{
	const char *argv[32] = {"map"};
	int argc = 1, status = 0;
	SLT_AUTO_STR char *out = slt_path_join(fixture.dir, "out");
	struct slt_err err = SLT_ERR_INIT;
	size_t n;

	while (args[argc - 1]) {
		argv[argc] = args[argc - 1];
		argc++;
	}
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		dup2(fd, 1);
		dup2(fd, 2);
		/* getopt reorders its vector of plain pointers */
		char *plain[32];
		memcpy(plain, argv, sizeof(plain));
		int rc = slt_cmd_map(argc, plain);
		fflush(NULL);
		_exit(rc);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (ret_out) {
		assert_true(slt_file_read(out, 1 << 22, ret_out, &n, &err));
	}
	return WEXITSTATUS(status);
}

static void ends(const char *const *args, int exit_status, const char *says)
{
	SLT_AUTO_STR char *out = NULL;
	int rc = run(args, &out);

	if (rc != exit_status || !strstr(out, says)) {
		fail_msg("exit %d, not %d; \"%s\" does not say \"%s\"", rc, exit_status, out, says);
	}
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SET	  "--mappings", fixture.dir
#define WAY	  "--from", "AA", "--to", "BB", "--flow", "demo", "--message", "request"

static char good[128], bad[128], broken[128], trace[128], problems[128];

static void help_is_given(void **state)
{
	(void)state;
	ends(ARGS("--help"), SLT_EXIT_GOOD, "usage: silta map apply");
	ends(ARGS("apply", "--help"), SLT_EXIT_GOOD, "--test-codes");
	ends(ARGS("check", "-h"), SLT_EXIT_GOOD, "usage:");
	ends(ARGS("coverage", "--help"), SLT_EXIT_GOOD, "--list ID");
	ends(ARGS("roundtrip", "--help"), SLT_EXIT_GOOD, "there");
}

static void what_is_asked_wrongly_is_said(void **state)
{
	(void)state;
	ends((const char *const[]){NULL}, SLT_EXIT_CANNOT, "usage:");
	ends(ARGS("aply"), SLT_EXIT_CANNOT, "no subcommand \"aply\"");
	ends(ARGS("apply"), SLT_EXIT_CANNOT, "are needed");
	ends(ARGS("apply", SET, WAY), SLT_EXIT_CANNOT, "are needed");
	ends(ARGS("apply", SET, WAY, good, bad), SLT_EXIT_CANNOT, "are needed");
	ends(ARGS("apply", SET, WAY, "--message", "both", good), SLT_EXIT_CANNOT, "--message is");
	ends(ARGS("apply", SET, WAY, "--at", "tomorrow", good), SLT_EXIT_CANNOT, "--at");
	ends(ARGS("apply", SET, WAY, "--colour", "red", good), SLT_EXIT_CANNOT, "colour");
	ends(ARGS("apply", SET, WAY, "/nonexistent"), SLT_EXIT_CANNOT, "/nonexistent");
	ends(ARGS("apply", SET, WAY, "--flow", "none", good), SLT_EXIT_CANNOT, "no flow 'none'");
	ends(ARGS("apply", SET, WAY, "--from", "CC", good), SLT_EXIT_CANNOT, "CC");
	ends(ARGS("apply", SET, WAY, "--at", "2031-01-01", good), SLT_EXIT_CANNOT, "not in force");
	ends(ARGS("apply", SET, WAY, broken), SLT_EXIT_CANNOT, "not well-formed");
	ends(ARGS("apply", "--mappings", "/nonexistent", WAY, good), SLT_EXIT_CANNOT,
	     "/nonexistent");
	ends(ARGS("apply", SET, WAY, "--explain", "/nonexistent/x", good), SLT_EXIT_CANNOT,
	     "/nonexistent/x");
	ends(ARGS("check", SET, "file"), SLT_EXIT_CANNOT, "takes no file");
	ends(ARGS("check", "--mappings", "/nonexistent"), SLT_EXIT_CANNOT, "no directory");
	ends(ARGS("coverage", SET, "--list", "none"), SLT_EXIT_CANNOT, "no such list");
	ends(ARGS("coverage", SET, "--from", "CC"), SLT_EXIT_CANNOT, "no such list or country");
	ends(ARGS("coverage", SET, "--good", "perfect"), SLT_EXIT_CANNOT, "no relation");
}

static void a_document_is_translated(void **state)
{
	SLT_AUTO_STR char *text = NULL;
	struct slt_err err = SLT_ERR_INIT;
	size_t n;

	(void)state;
	ends(ARGS("apply", SET, WAY, "--at", "2026-11-23", "--explain", trace, good), SLT_EXIT_GOOD,
	     "<form code=\"T\"");
	assert_true(slt_file_read(trace, 1 << 22, &text, &n, &err));
	assert_non_null(strstr(text, "\"at\":\"2026-11-23T00:00:00.000Z\""));
	assert_non_null(strstr(text, "\"rule\":\"form\""));
}

static void a_refusal_says_why(void **state)
{
	SLT_AUTO_STR char *text = NULL;
	struct slt_err err = SLT_ERR_INIT;
	size_t n;

	(void)state;
	ends(ARGS("apply", SET, WAY, "--problems", problems, "--lang", "et", bad), SLT_EXIT_NO,
	     "error FED-MAP-001 vastet pole: ravimvorm");
	assert_true(slt_file_read(problems, 1 << 22, &text, &n, &err));
	assert_non_null(strstr(text, "\"foundCode\":\"99\""));
}

static void a_set_is_checked(void **state)
{
	SLT_AUTO_STR char *text = fixture_with("countries/AA/unit.tsv", "mg\tmg", "ka\tmg");

	(void)state;
	ends(ARGS("check", SET), SLT_EXIT_GOOD, "OK ");
	fixture_write(&fixture, "countries/AA/unit.tsv", text);
	ends(ARGS("check", SET), SLT_EXIT_NO, "unit.tsv:4: code 'ka' is not in the order");
	ends(ARGS("apply", SET, WAY, good), SLT_EXIT_CANNOT, "unit.tsv:4");
	SLT_AUTO_STR char *back = fixture_with("countries/AA/unit.tsv", "", "");
	fixture_write(&fixture, "countries/AA/unit.tsv", back);
	ends(ARGS("check", SET), SLT_EXIT_GOOD, "flow demo version f1");
}

static void what_does_not_arrive_is_printed(void **state)
{
	(void)state;
	ends(ARGS("coverage", SET, "--from", "AA", "--to", "BB", "--list", "form"), SLT_EXIT_NO,
	     "  12\tVoide\tP3\tseveral counterparts");
	ends(ARGS("coverage", SET, "--from", "AA", "--to", "BB", "--list", "sex"), SLT_EXIT_GOOD,
	     "AA has 2 codes, 2 reach the pivot, 2 reach BB");
	ends(ARGS("roundtrip", SET, "--from", "BB", "--to", "AA", "--list", "form"), SLT_EXIT_NO,
	     "c1\tkapsel\t11\tc2\tcomes back as another code");
	ends(ARGS("roundtrip", SET, "--list", "sex", "--all"), SLT_EXIT_GOOD, "same");
}

static int setup(void **state)
{
	(void)state;
	fixture_begin(&fixture);
	fixture_write(&fixture, "good.xml",
		      "<doc xmlns='urn:d'><form code='10' codeSystem='1.1'/></doc>");
	fixture_write(&fixture, "bad.xml",
		      "<doc xmlns='urn:d'><form code='99' codeSystem='1.1'/></doc>");
	fixture_write(&fixture, "broken.xml", "<doc");
	snprintf(good, sizeof(good), "%s/good.xml", fixture.dir);
	snprintf(bad, sizeof(bad), "%s/bad.xml", fixture.dir);
	snprintf(broken, sizeof(broken), "%s/broken.xml", fixture.dir);
	snprintf(trace, sizeof(trace), "%s/trace.json", fixture.dir);
	snprintf(problems, sizeof(problems), "%s/problems.json", fixture.dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_end(&fixture);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_is_given),
		cmocka_unit_test(what_is_asked_wrongly_is_said),
		cmocka_unit_test(a_document_is_translated),
		cmocka_unit_test(a_refusal_says_why),
		cmocka_unit_test(a_set_is_checked),
		cmocka_unit_test(what_does_not_arrive_is_printed),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, setup, teardown);
}
