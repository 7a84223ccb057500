/* SPDX-License-Identifier: MIT */
/* What peers put into log lines cannot make lines of its own, or swallow the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/log.h"

static char out[1u << 20];

/* Two lines, the first with this value in all of its fields; what came out. */
static void log_two(const char *value, bool json)
{
	FILE *f = tmpfile();
	int before = dup(STDERR_FILENO);

	assert_non_null(f);
	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	slt_log_init(SLT_LOG_INFO, json);
	slt_log(SLT_LOG_INFO, "first", "a", value, "b", value, "c", value, "d", value, "e", value,
		"f", value, "g", value, "h", value, "i", value, "j", value, "k", "last", NULL);
	slt_log(SLT_LOG_INFO, "second", "a", "1", NULL);
	dup2(before, STDERR_FILENO);
	close(before);
	rewind(f);
	size_t n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	fclose(f);
}

static char *repeat(const char *s, size_t n)
{
	struct slt_buf b = SLT_BUF_INIT(1u << 20);

	while (n-- > 0) {
		slt_buf_adds(&b, s);
	}
	return slt_buf_take(&b, NULL);
}

static void expect_two_lines(bool json)
{
	char *end = strchr(out, '\n');

	assert_non_null(end);
	assert_non_null(strchr(end + 1, '\n'));
	assert_null(strchr(strchr(end + 1, '\n') + 1, '\n'));
	*end = '\0';
	assert_non_null(strstr(out, "first"));
	assert_non_null(strstr(out, "last"));
	assert_null(strstr(out, "second"));
	assert_non_null(strstr(end + 1, "second"));
	for (const char *line = out; json && line; line = line == out ? end + 1 : NULL) {
		json_t *o = json_loads(line, 0, NULL);
		assert_non_null(o);
		json_decref(o);
	}
}

static void long_values(void **state)
{
	static const char *const units[] = {"x",   "\"",   "\\",   "å",	       "\n",	   "\t\r",
					    "€\"", "\xff", "\xc3", "\xe2\x82", "\xf4\x90", "\x80x"};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(units); i++) {
		char *value = repeat(units[i], 20000);
		for (int json = 0; json < 2; json++) {
			log_two(value, json == 1);
			expect_two_lines(json == 1);
		}
		free(value);
	}
}

static void lines_of_their_own(void **state)
{
	(void)state;
	log_two("x\n2026-11-23T00:00:00.000Z err forged a=\"1\"", false);
	expect_two_lines(false);
	log_two("x\" k=\"first", false);
	expect_two_lines(false);
	assert_non_null(strstr(out, "\\\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_values),
		cmocka_unit_test(lines_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
