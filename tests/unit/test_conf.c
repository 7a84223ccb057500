/* SPDX-License-Identifier: MIT */
/* The configuration reader, and the bridge's own configuration with all its problems at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "config.h"

static char dir[] = "/tmp/silta-conf-XXXXXX";
static char *file;
static struct slt_buf problems = SLT_BUF_INIT(1u << 20);

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	file = slt_path_join(dir, "silta.conf");
	return 0;
}

static int teardown(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	free(file);
	slt_buf_fini(&problems);
	assert_true(slt_rm_tree(dir, &err));
	return 0;
}

#define SIDE(name, rest)                                                                           \
	"{ name = \"" name "\"; anchor = \"anchor.xml\"; globalconf = \"gc\"; subsystem = \"" name \
	"/GOV/1/sub\"; server = \"" name                                                           \
	"/GOV/1/ss\"; sign_key = \"s.key\"; auth_key = \"a.key\"; "                                \
	"auth_cert = \"a.pem\"; listen = \"127.0.0.1\"; " rest "}"
#define SIDES "sides = (\n" SIDE("EE", "") ",\n" SIDE("FI", "") ");\n"
#define ROUTE(rest)                                                                                \
	"{ name = \"r\"; from = \"EE\"; to = \"FI\"; flow = \"f\"; target = \"FI/GOV/2/x\";\n"     \
	"allow = ( \"EE/group\", \"EE/COM/1\", \"EE/COM/1/s\" ); " rest "}"
#define HEAD "state = \"state\";\nmappings = \"/m\";\n"

static bool load(const char *text, struct slt_config **c, struct slt_err *err)
{
	assert_true(slt_file_write(file, text, strlen(text), 0600, err));
	slt_buf_reset(&problems);
	return slt_config_load(file, c, &problems, err);
}

static void has_problem(const char *text, const char *problem)
{
	SLT_AUTO(slt_config_free) struct slt_config *c = NULL;
	struct slt_err err = SLT_ERR_INIT;

	assert_false(load(text, &c, &err));
	assert_int_equal(err.code, SLT_ECONFIG);
	if (!strstr(slt_buf_str(&problems).p, problem)) {
		fail_msg("\"%s\" does not say \"%s\"", problems.p, problem);
	}
}

static void a_good_file_is_read(void **state)
{
	SLT_AUTO(slt_config_free) struct slt_config *c = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(load(HEAD SIDES "routes = (" ROUTE("") ");", &c, &err));
	SLT_AUTO_STR char *expected = slt_path_join(dir, "state/messages.db");
	assert_string_equal(c->log, expected);
	assert_string_equal(c->mappings, "/m");
	assert_int_equal(c->n_sides, 2);
	assert_int_equal(c->side[0].port, 5500);
	assert_string_equal(c->side[0].ocsp_listen, "127.0.0.1");
	assert_int_equal(c->n_routes, 1);
	const struct slt_config_route *r = &c->route[0];
	assert_ptr_equal(r->from_side, &c->side[0]);
	assert_true(slt_id_eq(&r->provider, &c->side[0].subsystem));
	assert_int_equal(r->n_allowed, 3);
	assert_int_equal(r->allowed[0].type, SLT_ID_GLOBALGROUP);
	assert_int_equal(r->allowed[1].type, SLT_ID_MEMBER);
	assert_int_equal(r->allowed[2].type, SLT_ID_SUBSYSTEM);
	assert_true(r->represent);
}

static void what_is_printed_reads_back_the_same(void **state)
{
	SLT_AUTO(slt_config_free) struct slt_config *a = NULL;
	SLT_AUTO(slt_config_free) struct slt_config *b = NULL;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(first, 1u << 20);
	SLT_AUTO_BUF(second, 1u << 20);

	(void)state;
	assert_true(
		load(HEAD SIDES "routes = (" ROUTE("once = ( \"a\\\"b\\\\\" );") ");", &a, &err));
	slt_config_print(a, &first);
	if (!load(slt_buf_str(&first).p, &b, &err)) {
		fail_msg("%s", err.msg);
	}
	slt_config_print(b, &second);
	assert_string_equal(first.p, second.p);
	assert_string_equal(b->route[0].once.v[0], "a\"b\\");
}

static void syntax_errors_have_file_and_line(void **state)
{
	(void)state;
	has_problem("state = \"x\";\nmappings = ;\n", "silta.conf:2:");
	has_problem("state = {", "silta.conf:");
}

static void big_numbers_are_not_read_as_others(void **state)
{
	SLT_AUTO(slt_config_free) struct slt_config *c = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	has_problem(HEAD "# 99999999999\n\"99999999999\"\nmax_attachments = 4294967297;\n" SIDES,
		    "silta.conf:5: a number beyond 2147483647 needs the suffix L");
	assert_true(load(HEAD "max_attachments = 4294967297L;\n" SIDES "routes = (" ROUTE("") ");",
			 &c, &err));
	assert_int_equal(c->max_attachments, INT64_C(4294967297));
}

static void every_problem_is_reported_at_once(void **state)
{
	static const char text[] =
		"state = 1;\nworkers = 0;\nnonsense = 1;\nlog_json = \"yes\";\n"
		"log_level = \"loud\";\nmappings = \"/m\";\n" SIDES "routes = (" ROUTE("") ");";
	SLT_AUTO(slt_config_free) struct slt_config *c = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_false(load(text, &c, &err));
	assert_non_null(strstr(problems.p, "silta.conf:1: state must be a string in quotes"));
	assert_non_null(
		strstr(problems.p, "silta.conf:2: workers must be between 1 and 256, not 0"));
	assert_non_null(strstr(problems.p, "silta.conf:3: unknown option nonsense"));
	assert_non_null(strstr(problems.p, "silta.conf:4: log_json must be true or false"));
	assert_non_null(strstr(problems.p, "silta.conf:5: log_level must be one of"));
}

static void cross_checks_name_the_line(void **state)
{
	(void)state;
	has_problem(HEAD "sides = (" SIDE("EE", "") "," SIDE("EE", "") "); routes = ();",
		    "there is already a side EE");
	has_problem(HEAD SIDES
		    "routes = ({ name = \"r\"; from = \"EE\"; to = \"SE\"; flow = \"f\"; "
		    "target = \"SE/GOV/2/x\"; allow = ( \"EE/g\" ); });",
		    "there is no side \"SE\"");
	has_problem(HEAD SIDES
		    "routes = ({ name = \"r\"; from = \"EE\"; to = \"EE\"; flow = \"f\"; "
		    "target = \"EE/GOV/2/x\"; allow = ( \"EE/g\" ); });",
		    "begins and ends on side EE");
	has_problem(HEAD SIDES
		    "routes = ({ name = \"r\"; from = \"EE\"; to = \"FI\"; flow = \"f\"; "
		    "target = \"EE/GOV/2/x\"; allow = ( \"EE/g\" ); });",
		    "target belongs to instance EE");
	has_problem(HEAD SIDES
		    "routes = ({ name = \"r\"; from = \"EE\"; to = \"FI\"; flow = \"f\"; "
		    "target = \"FI/GOV/2/x\"; allow = (); });",
		    "nobody could call");
	has_problem(HEAD SIDES
		    "routes = ({ name = \"r\"; from = \"EE\"; to = \"FI\"; flow = \"f\"; "
		    "target = \"FI/GOV\"; allow = ( \"EE/g\" ); });",
		    "target:");
	has_problem(HEAD SIDES "routes = (" ROUTE("deadline = 99999;") ");", "deadline must be");
	has_problem(HEAD "sides = (" SIDE("EE", "port = \"x\";") "); routes = ();",
		    "port must be a whole number");
	has_problem(HEAD "sides = ( 1 ); routes = ();", "expected a group");
	has_problem(HEAD "sides = 1; routes = ();", "sides must be a group");
	has_problem("state = \"x\"; mappings = \"y\"; sides = ({}); routes = ();",
		    "anchor is missing");
}

/* --- bearers ------------------------------------------------------------------------------ */

#define BEHIND(rest)                                                                               \
	"{ name = \"FI\"; anchor = \"anchor.xml\"; globalconf = \"gc\"; subsystem = "              \
	"\"FI/GOV/1/sub\"; server = \"FI/GOV/1/ss\"; bearer = \"message\"; " rest "}"
#define KEYS	     "auth_key = \"a.key\"; auth_cert = \"a.pem\"; "
#define PINS	     "security_server_certs = \"ss.pem\"; "
#define LOOPBACK     "listen = \"127.0.0.1\"; "
#define EVERYWHERE   "listen = \"0.0.0.0\"; "
#define URL(u)	     "security_server = \"" u "\"; "
#define WITH(behind) HEAD "sides = (\n" SIDE("EE", "") ",\n" behind ");\nroutes = (" ROUTE("") ");"

static void a_side_behind_a_security_server_is_read(void **state)
{
	static const char *const good[] = {
		WITH(BEHIND(LOOPBACK URL("http://127.0.0.1:8080"))),
		WITH(BEHIND(LOOPBACK URL("http://[::1]:8080/"))),
		WITH(BEHIND("listen = \"::1\"; " URL("http://127.9.9.9"))),
		WITH(BEHIND(LOOPBACK PINS URL("https://ss.example.fi"))),
		WITH(BEHIND(EVERYWHERE KEYS PINS URL("https://ss.example.fi:8443/"))),
		WITH(BEHIND(EVERYWHERE KEYS PINS URL("https://[2001:db8::1]:8443"))),
		WITH(BEHIND(LOOPBACK URL("http://127.0.0.1") "sign_key = \"s.key\"; batch = 1;")),
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(good); i++) {
		SLT_AUTO(slt_config_free) struct slt_config *c = NULL;
		SLT_AUTO(slt_config_free) struct slt_config *again = NULL;
		struct slt_err err = SLT_ERR_INIT;
		SLT_AUTO_BUF(printed, 1u << 20);
		if (!load(good[i], &c, &err)) {
			fail_msg("%zu: %s", i, err.msg);
		}
		assert_int_equal(c->side[0].bearer, SLT_BEARER_TRANSPORT);
		assert_int_equal(c->side[1].bearer, SLT_BEARER_MESSAGE);
		slt_config_print(c, &printed);
		if (!load(slt_buf_str(&printed).p, &again, &err)) {
			fail_msg("%zu, printed: %s", i, err.msg);
		}
		assert_string_equal(again->side[1].security_server, c->side[1].security_server);
	}
}

static void addresses_that_do_not_end_here_want_tls(void **state)
{
	(void)state;
	has_problem(WITH(BEHIND(EVERYWHERE PINS URL("http://127.0.0.1"))), "plain HTTP would");
	has_problem(WITH(BEHIND(EVERYWHERE KEYS URL("http://127.0.0.1"))),
		    "anybody could speak for the security server");
	has_problem(WITH(BEHIND("listen = \"::\"; " URL("http://127.0.0.1"))), "plain HTTP would");
	has_problem(WITH(BEHIND(LOOPBACK URL("http://10.0.0.1"))), "plain HTTP to 10.0.0.1");
	has_problem(WITH(BEHIND(LOOPBACK URL("http://localhost"))), "plain HTTP to localhost");
	has_problem(WITH(BEHIND(LOOPBACK URL("https://ss.example.fi"))),
		    "nothing to know ss.example.fi by");
	has_problem(WITH(BEHIND(LOOPBACK "auth_key = \"a.key\"; " URL("http://127.0.0.1"))),
		    "belong together");
	has_problem(WITH(BEHIND(LOOPBACK "auth_cert = \"a.pem\"; " URL("http://127.0.0.1"))),
		    "belong together");
}

static void only_plain_addresses_are_taken(void **state)
{
	static const char *const bad[] = {
		WITH(BEHIND(LOOPBACK URL("ftp://127.0.0.1"))),
		WITH(BEHIND(LOOPBACK URL("127.0.0.1:8080"))),
		WITH(BEHIND(LOOPBACK URL("http://127.0.0.1/path"))),
		WITH(BEHIND(LOOPBACK URL("http://u:p@127.0.0.1/"))),
		WITH(BEHIND(LOOPBACK URL("http://127.0.0.1:0"))),
		WITH(BEHIND(LOOPBACK URL("http://127.0.0.1:65536"))),
		WITH(BEHIND(LOOPBACK URL("http://127.0.0.1:"))),
		WITH(BEHIND(LOOPBACK URL("http://[::1"))),
		WITH(BEHIND(LOOPBACK URL("http://"))),
		WITH(BEHIND(LOOPBACK URL("http://127.0.0.1?x"))),
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		has_problem(bad[i], "is not https://HOST:PORT");
	}
}

static void options_of_the_other_bearer_are_refused(void **state)
{
	(void)state;
	has_problem(WITH(BEHIND(LOOPBACK URL("http://127.0.0.1") "ocsp_port = 1;")),
		    "ocsp_port has no meaning with bearer message");
	has_problem(WITH(BEHIND(LOOPBACK URL("http://127.0.0.1") "min_peer_version = \"7\";")),
		    "min_peer_version has no meaning with bearer message");
	has_problem(WITH(BEHIND(LOOPBACK URL("http://127.0.0.1") "pss = true;")),
		    "pss has no meaning without sign_key");
	has_problem(WITH(BEHIND(LOOPBACK)), "to: side FI says no security_server");
	has_problem(HEAD "sides = (" SIDE("EE", PINS) "); routes = ();",
		    "security_server_certs has no meaning with bearer transport");
	has_problem(HEAD "sides = (" SIDE("EE", "bearer = \"pigeon\";") "); routes = ();",
		    "bearer must be");
	has_problem(HEAD "sides = ({ name = \"EE\"; anchor = \"a\"; globalconf = \"gc\"; subsystem "
			 "= \"EE/GOV/1/s\"; server = \"EE/GOV/1/ss\"; listen = \"::1\"; }); "
			 "routes = ();",
		    "sign_key is missing: bearer transport needs it");
}

static void a_file_that_is_not_there_is_told(void **state)
{
	SLT_AUTO(slt_config_free) struct slt_config *c = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_false(slt_config_load("/nonexistent/silta.conf", &c, NULL, &err));
	assert_non_null(strstr(err.msg, "/nonexistent/silta.conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file_is_read),
		cmocka_unit_test(what_is_printed_reads_back_the_same),
		cmocka_unit_test(syntax_errors_have_file_and_line),
		cmocka_unit_test(big_numbers_are_not_read_as_others),
		cmocka_unit_test(every_problem_is_reported_at_once),
		cmocka_unit_test(cross_checks_name_the_line),
		cmocka_unit_test(a_side_behind_a_security_server_is_read),
		cmocka_unit_test(addresses_that_do_not_end_here_want_tls),
		cmocka_unit_test(only_plain_addresses_are_taken),
		cmocka_unit_test(options_of_the_other_bearer_are_refused),
		cmocka_unit_test(a_file_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
