/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange.h"
#include "metrics.h"

#define THREADS 4
#define TIMES	100000

static struct slt_config_side sides[2] = {{.name = "EE"}, {.name = "F\"I\\\n"}};
static struct slt_config_route routes[1] = {{.name = "r", .from = "EE", .to = "FI"}};
static const struct slt_config config = {
	.side = sides, .n_sides = 2, .route = routes, .n_routes = 1};

static int open_metrics(void **state)
{
	(void)state;
	slt_metrics_open(&config);
	return 0;
}

static int close_metrics(void **state)
{
	(void)state;
	slt_metrics_close();
	return 0;
}

static void assert_told(const char *line, bool expected)
{
	SLT_AUTO_BUF(out, 1u << 20);
	SLT_AUTO_STR char *whole = slt_asprintf("\n%s\n", line);

	slt_metrics_write(&out);
	assert_false(out.failed);
	if ((strstr(slt_buf_str(&out).p, whole) != NULL) != expected) {
		fail_msg("%s is%s told:\n%s", line, expected ? " not" : "", slt_buf_str(&out).p);
	}
}

static void test_counter(void **state)
{
	(void)state;
	assert_told("silta_exchanges_total{route=\"r\",from=\"EE\",to=\"FI\",outcome=\"done\"} 0",
		    true);
	slt_metrics_add(SLT_M_EXCHANGES, 0, SLT_END_DONE, 2);
	slt_metrics_add(SLT_M_EXCHANGES, 0, SLT_END_UNKNOWN, 1);
	assert_told("silta_exchanges_total{route=\"r\",from=\"EE\",to=\"FI\",outcome=\"done\"} 2",
		    true);
	assert_told(
		"silta_exchanges_total{route=\"r\",from=\"EE\",to=\"FI\",outcome=\"unknown\"} 1",
		true);
	assert_int_equal(slt_metrics_sum(SLT_M_EXCHANGES, 0), 3);
	assert_int_equal(slt_metrics_get(SLT_M_EXCHANGES, 0, SLT_END_DONE), 2);
	assert_int_equal(slt_metrics_side(&sides[1]), 1);
	assert_int_equal(slt_metrics_route(&routes[0]), 0);
}

static void test_many_codes(void **state)
{
	(void)state;
	/* of faults only those that have occurred */
	assert_told("silta_requests_refused_total{side=\"EE\",fault=\"busy\"} 0", false);
	slt_metrics_add(SLT_M_REFUSED, 0, SLT_EACCESS_DENIED, 1);
	slt_metrics_add(SLT_M_REFUSED, 0, SLT_FAULT_OF_PROVIDER, 5);
	assert_told("silta_requests_refused_total{side=\"EE\",fault=\"access_denied\"} 1", true);
	assert_told("silta_requests_refused_total{side=\"EE\",fault=\"provider_fault\"} 5", true);
	assert_int_equal(slt_metrics_sum(SLT_M_REFUSED, 0), 6);
	assert_int_equal(slt_metrics_sum(SLT_M_REFUSED, 1), 0);
}

static void test_gauge(void **state)
{
	(void)state;
	assert_told("silta_queue_length 0", false); /* not known yet */
	slt_metrics_set(SLT_M_QUEUE, 0, 0, 0);
	assert_told("silta_queue_length 0", true);
	slt_metrics_set(SLT_M_QUEUE, 0, 0, 7);
	assert_told("silta_queue_length 7", true);
	slt_metrics_unset(SLT_M_QUEUE, 0, 0);
	assert_told("silta_queue_length 7", false);
	slt_metrics_set(SLT_M_CONF_EXPIRY, 0, 0, 1763900000123);
	assert_told("silta_globalconf_expiry_timestamp_seconds{side=\"EE\"} 1763900000.123", true);
	slt_metrics_set(SLT_M_BACKLOG_AGE, 0, 0, -1500);
	assert_told("silta_timestamp_backlog_age_seconds{side=\"EE\"} -1.500", true);
}

static void test_escapes(void **state)
{
	(void)state;
	SLT_AUTO_BUF(out, 4096);

	slt_metrics_set(SLT_M_BACKLOG, 1, 0, 1);
	assert_told("silta_timestamp_backlog_messages{side=\"F\\\"I\\\\\\n\"} 1", true);
	slt_metrics_write_info(&out, "a_info", "What.", "v", "1\"");
	assert_string_equal(slt_buf_str(&out).p,
			    "# HELP a_info What.\n# TYPE a_info gauge\na_info{v=\"1\\\"\"} 1\n");
}

static void test_histogram(void **state)
{
	(void)state;
	static const int64_t us[] = {0, 1000, 1001, 2500, 60000000, 60000001, 999999999};
	for (size_t i = 0; i < SLT_COUNT(us); i++) {
		slt_metrics_observe(SLT_M_EXCHANGE_SECONDS, 0, us[i]);
	}
#define H "silta_exchange_duration_seconds"
#define L "route=\"r\",from=\"EE\",to=\"FI\""
	assert_told(H "_bucket{" L ",le=\"0.001\"} 2", true);
	assert_told(H "_bucket{" L ",le=\"0.0025\"} 4", true);
	assert_told(H "_bucket{" L ",le=\"1\"} 4", true);
	assert_told(H "_bucket{" L ",le=\"30\"} 4", true);
	assert_told(H "_bucket{" L ",le=\"60\"} 5", true);
	assert_told(H "_bucket{" L ",le=\"+Inf\"} 7", true);
	assert_told(H "_count{" L "} 7", true);
	assert_told(H "_sum{" L "} 1120.004501", true);
}

static void test_no_such_place(void **state)
{
	(void)state;
	SLT_AUTO_BUF(before, 1u << 20);
	SLT_AUTO_BUF(after, 1u << 20);

	slt_metrics_write(&before);
	slt_metrics_add(SLT_M_EXCHANGES, 1, 0, 1);
	slt_metrics_add(SLT_M_EXCHANGES, 0, 5, 1);
	slt_metrics_add(SLT_M_EXCHANGES, SIZE_MAX, SIZE_MAX, 1);
	slt_metrics_add(SLT_M_REFUSED, 0, SLT_FAULT_OF_PROVIDER + 1, 1);
	slt_metrics_observe(SLT_M_STEP_SECONDS, SLT_STEPS_MAX, 1);
	slt_metrics_set(SLT_M_QUEUE, 0, 1, 1);
	slt_metrics_write(&after);
	assert_string_equal(slt_buf_str(&before).p, slt_buf_str(&after).p);
}

static void test_closed(void **state)
{
	(void)state;
	SLT_AUTO_BUF(out, 4096);

	slt_metrics_add(SLT_M_EXCHANGES, 0, 0, 1);
	slt_metrics_observe(SLT_M_EXCHANGE_SECONDS, 0, 1);
	slt_metrics_set(SLT_M_QUEUE, 0, 0, 1);
	assert_int_equal(slt_metrics_sum(SLT_M_EXCHANGES, 0), 0);
	slt_metrics_write(&out);
	assert_int_equal(out.n, 0);
}

static void *count(void *arg)
{
	for (unsigned i = 0; i < TIMES; i++) {
		slt_metrics_add(SLT_M_BYTES, 0, SLT_WAY_SENT, 3);
		slt_metrics_observe(SLT_M_EXCHANGE_SECONDS, 0, 1);
	}
	return arg;
}

static void test_threads(void **state)
{
	(void)state;
	pthread_t t[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&t[i], NULL, count, NULL), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
	}
	assert_int_equal(slt_metrics_sum(SLT_M_BYTES, 0), 3 * THREADS * TIMES);
	assert_told("silta_exchange_duration_seconds_sum{" L "} 0.400000", true);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_metrics, close_metrics)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_counter),   T(test_many_codes),
		T(test_gauge),	   T(test_escapes),
		T(test_histogram), T(test_no_such_place),
		T(test_threads),   cmocka_unit_test(test_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
