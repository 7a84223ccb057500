/* SPDX-License-Identifier: MIT */
#pragma once

/* Vectors of messages, identifiers and hash chains, read at run time from SLT_SHARED or ../shared;
 * one test a vector, named after it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/xml.h"

/* Skips the test where the file is not there. malloc'ed. */
SLT_UNUSED static char *load_vector(const char *folder, const char *name, size_t *ret_n)
{
	const char *root = getenv("SLT_SHARED");
	char path[1024]; /* skip() jumps: nothing may be owned here */

	snprintf(path, sizeof(path), "%s/vectors/xroad/%s/%s", root ? root : "../shared", folder,
		 name);
	struct slt_err err = SLT_ERR_INIT;
	char *p = NULL;

	if (!slt_file_exists(path)) {
		print_message("skipped: %s is not there\n", path);
		skip();
	}
	if (!slt_file_read(path, 1 << 24, &p, ret_n, &err)) {
		fail_msg("%s", err.msg);
	}
	return p;
}

/* want: the composed fault code; NULL when the call should have succeeded. */
SLT_UNUSED static void expect_outcome(bool good, const struct slt_err *err, const char *want)
{
	char code[128] = "";

	if (!good) {
		slt_err_fault_code(err, SLT_DIALECT_SNAKE, code, sizeof(code));
	}
	if (good && want) {
		fail_msg("taken, but should have failed with %s", want);
	}
	if (!good && (!want || strcmp(code, want) != 0)) {
		fail_msg("got %s (%s), expected %s", code, err->msg, want ? want : "success");
	}
}

/* Runs one function over a table of cases that begin with their name. */
SLT_UNUSED static int run_cases(const void *cases, size_t size, size_t n, CMUnitTestFunction run)
{
	struct CMUnitTest *tests = slt_calloc(n, sizeof(*tests));
	char *copy = slt_calloc(n, size); /* cmocka passes the case on as not const */

	memcpy(copy, cases, n * size);
	for (size_t i = 0; i < n; i++) {
		const char *name;
		memcpy(&name, copy + i * size, sizeof(name));
		tests[i] = (struct CMUnitTest){
			.name = name, .test_func = run, .initial_state = copy + i * size};
	}
	slt_xml_init();
	int failed = _cmocka_run_group_tests("vectors", tests, n, NULL, NULL);
	free(tests);
	free(copy);
	return failed;
}
