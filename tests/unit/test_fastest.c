/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fastest.h"

static void holds(struct slt_fastest *f, const char *provider, int64_t now_ms, const char *expected)
{
	char *address = slt_fastest_get(f, provider, now_ms);

	if (expected) {
		assert_non_null(address);
		assert_string_equal(address, expected);
	} else {
		assert_null(address);
	}
	free(address);
}

static void remembered_until_its_time_is_over(void **state)
{
	struct slt_fastest *f = slt_fastest_new(10);

	(void)state;
	holds(f, "FI/GOV/1", 0, NULL);
	slt_fastest_put(f, "FI/GOV/1", "a", 1000);
	holds(f, "FI/GOV/1", 10999, "a");
	holds(f, "FI/GOV/2", 10999, NULL);
	holds(f, "FI/GOV/1", 11000, NULL);
	slt_fastest_free(f);
}

static void being_quickest_again_does_not_prolong_it(void **state)
{
	struct slt_fastest *f = slt_fastest_new(10);

	(void)state;
	slt_fastest_put(f, "p", "a", 0);
	slt_fastest_put(f, "p", "a", 9000);
	holds(f, "p", 10000, NULL);
	slt_fastest_put(f, "p", "a", 0);
	slt_fastest_put(f, "p", "b", 9000);
	holds(f, "p", 10000, "b");
	slt_fastest_free(f);
}

static void only_the_address_itself_is_forgotten(void **state)
{
	struct slt_fastest *f = slt_fastest_new(10);

	(void)state;
	slt_fastest_forget(f, "p", "a");
	slt_fastest_put(f, "p", "b", 0);
	slt_fastest_forget(f, "p", "a");
	holds(f, "p", 1, "b");
	slt_fastest_forget(f, "p", "b");
	holds(f, "p", 1, NULL);
	slt_fastest_free(f);
}

static void with_a_period_of_0_nothing_is_remembered(void **state)
{
	struct slt_fastest *f = slt_fastest_new(0);

	(void)state;
	slt_fastest_put(f, "p", "a", 0);
	holds(f, "p", 0, NULL);
	slt_fastest_free(f);
}

static void the_oldest_makes_room(void **state)
{
	struct slt_fastest *f = slt_fastest_new(10);
	char name[16];

	(void)state;
	for (int i = 0; i <= SLT_FASTEST_MAX; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		slt_fastest_put(f, name, "a", 0);
	}
	holds(f, "p0", 1, NULL);
	holds(f, "p1", 1, "a");
	holds(f, name, 1, "a");
	slt_fastest_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembered_until_its_time_is_over),
		cmocka_unit_test(being_quickest_again_does_not_prolong_it),
		cmocka_unit_test(only_the_address_itself_is_forgotten),
		cmocka_unit_test(with_a_period_of_0_nothing_is_remembered),
		cmocka_unit_test(the_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
