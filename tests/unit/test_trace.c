/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mappings/trace.h"

static char *json(const struct slt_trace_entry *e, bool personal)
{
	SLT_AUTO(slt_trace_free) struct slt_trace *t = slt_trace_new();
	struct slt_buf b = SLT_BUF_INIT(65536);

	assert_true(slt_trace_add(t, e));
	slt_trace_json(t, personal, &b);
	return slt_buf_take(&b, NULL);
}

static void codes_are_written(void **state)
{
	struct slt_trace_entry e = {
		.rule = "form", .place = "/a", .from = {"1.2.3", "173", "tabletti"}};
	SLT_AUTO_STR char *s = json(&e, false);

	(void)state;
	assert_non_null(strstr(s, "\"173\""));
	assert_non_null(strstr(s, "tabletti"));
}

static void what_names_a_person_is_masked(void **state)
{
	struct slt_trace_entry e = {.rule = "patient",
				    .place = "/a",
				    .from = {"1.2.246.21", "120354-914K", "Salli"},
				    .personal = true};
	SLT_AUTO_STR char *masked = json(&e, false);
	SLT_AUTO_STR char *open = json(&e, true);

	(void)state;
	assert_null(strstr(masked, "120354-914K"));
	assert_null(strstr(masked, "Salli"));
	assert_non_null(strstr(masked, "1.2.246.21"));
	assert_non_null(strstr(open, "120354-914K"));
}

/* An identifier that is an OID without extension stands in the root. */
static void a_root_that_is_the_identifier_is_masked(void **state)
{
	struct slt_trace_entry e = {.rule = "prescription",
				    .place = "/a",
				    .from = {"1.2.246.10.9.93.2026.1000001", NULL, NULL},
				    .to = {"1.2.246.10.9.93.2026.1000001", NULL, NULL},
				    .personal = true};
	SLT_AUTO_STR char *masked = json(&e, false);

	(void)state;
	assert_null(strstr(masked, "1000001"));
	assert_non_null(strstr(masked, "\"***\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_written),
		cmocka_unit_test(what_names_a_person_is_masked),
		cmocka_unit_test(a_root_that_is_the_identifier_is_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
