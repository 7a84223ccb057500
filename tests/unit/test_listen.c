/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "listen.h"

static const struct slt_config config = {.n_sides = 2,
					 .max_connections = 100,
					 .io_threads = 2,
					 .queue = 20,
					 .workers = 4,
					 .client_connections = 50};

static void addresses(void **state)
{
	static const char *const bad[] = {"",	       "localhost", "127.1",
					  "1.2.3.4.5", "1.2.3.4 ",  "[::1]"};
	static const char *const good[] = {"127.0.0.1", "0.0.0.0", "::1", "fe80::1:2"};
	struct slt_err err = SLT_ERR_INIT;
	struct sockaddr_storage a;
	char text[SLT_LISTEN_TEXT];

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		assert_false(slt_listen_address(bad[i], 1, &a, &err));
		assert_int_equal(err.code, SLT_ECONFIG);
	}
	for (size_t i = 0; i < SLT_COUNT(good); i++) {
		assert_true(slt_listen_address(good[i], 5500, &a, &err));
		slt_listen_text((struct sockaddr *)&a, text);
		assert_string_equal(text, good[i]);
		assert_int_equal(((struct sockaddr_in *)&a)->sin_port, htons(5500));
	}
	a.ss_family = AF_UNIX;
	slt_listen_text((struct sockaddr *)&a, text);
	assert_string_equal(text, "");
}

/* The last case: a hard limit that was lowered stays low. */
static void limit_of_open_files(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	uint64_t needed = slt_listen_descriptors(&config);
	struct rlimit l;

	(void)state;
	assert_true(needed >= 4 * 100 + 50 + 3 * 24);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	assert_true(l.rlim_max >= needed);
	l.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
	assert_true(slt_listen_raise_limit(&config, &err));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	assert_int_equal(l.rlim_cur, needed);

	l.rlim_cur = l.rlim_max = needed + 10; /* more than needed is left alone */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
	assert_true(slt_listen_raise_limit(&config, &err));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	assert_int_equal(l.rlim_cur, needed + 10);

	l.rlim_cur = 64;
	l.rlim_max = needed - 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
	assert_false(slt_listen_raise_limit(&config, &err));
	assert_int_equal(err.code, SLT_ELIMIT);
	assert_non_null(strstr(err.msg, "LimitNOFILE"));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	assert_int_equal(l.rlim_cur, needed - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(limit_of_open_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
