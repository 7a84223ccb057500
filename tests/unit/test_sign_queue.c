/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sign_queue.h"

/* In place of a key: waits at the gate, then notes how many came at once. */
static _Atomic unsigned gate, entered, done_good, done_bad;
static _Atomic size_t sizes[16];
static _Atomic bool refuse;

static bool sign(struct slt_side *side, struct slt_message *const *m, size_t n, int64_t now_ms,
		 struct slt_err *err)
{
	unsigned i = atomic_fetch_add(&entered, 1);

	(void)side;
	assert_true(now_ms > 0);
	if (i < SLT_COUNT(sizes)) {
		atomic_store(&sizes[i], n);
	}
	while (atomic_load(&gate) <= i) {
		usleep(500);
	}
	for (size_t k = 0; k < n; k++) {
		assert_null(m[k]->signature.p); /* each message once */
		m[k]->signature.p = slt_strdup("signed");
	}
	return !refuse || slt_fail(err, SLT_ECANNOT_CREATE_SIGNATURE, "no");
}

static void done(void *arg, const struct slt_err *err)
{
	struct slt_message *m = arg;

	assert_non_null(m->signature.p);
	if (err) {
		assert_int_equal(err->code, SLT_ECANNOT_CREATE_SIGNATURE);
		atomic_fetch_add(&done_bad, 1);
	} else {
		atomic_fetch_add(&done_good, 1);
	}
}

static int reset(void **state)
{
	(void)state;
	gate = entered = done_good = done_bad = 0;
	refuse = false;
	return 0;
}

static void wait_for(_Atomic unsigned *what, unsigned value)
{
	for (int i = 0; i < 10000 && atomic_load(what) < value; i++) {
		usleep(500);
	}
	assert_int_equal(atomic_load(what), value);
}

/* One goes in alone and waits at the gate; the others queue up behind it. */
static void run(unsigned batch_max, unsigned n, const size_t *expected, size_t n_expected)
{
	struct slt_message *m[200];
	struct slt_sign_queue *q = NULL;
	struct slt_sign_stats stats;
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_sign_queue_new(NULL, batch_max, sign, &q, &err));
	for (unsigned i = 0; i < n; i++) {
		m[i] = slt_message_new(SLT_SOAP);
		slt_sign_queue_add(q, m[i], done, m[i]);
		if (i == 0) {
			wait_for(&entered, 1);
		}
	}
	atomic_store(&gate, 1000);
	while (atomic_load(&done_good) + atomic_load(&done_bad) < n) {
		usleep(500);
	}
	slt_sign_queue_stats(q, &stats);
	assert_int_equal(stats.messages, n);
	assert_int_equal(stats.operations, n_expected);
	for (size_t i = 0; i < n_expected; i++) {
		assert_int_equal(atomic_load(&sizes[i]), expected[i]);
	}
	slt_sign_queue_free(q);
	for (unsigned i = 0; i < n; i++) {
		slt_message_free(m[i]);
	}
}

static void one_alone_is_signed_alone(void **state)
{
	(void)state;
	run(64, 1, (const size_t[]){1}, 1);
}

static void those_that_wait_are_signed_together(void **state)
{
	(void)state;
	run(64, 21, (const size_t[]){1, 20}, 2);
}

static void a_batch_has_its_maximum(void **state)
{
	(void)state;
	run(64, 1 + 64 + 64 + 3, (const size_t[]){1, 64, 64, 3}, 4);
	reset(NULL);
	run(1000, 1 + 64 + 1, (const size_t[]){1, 64, 1}, 3);
}

static void batches_can_be_switched_off(void **state)
{
	(void)state;
	run(1, 4, (const size_t[]){1, 1, 1, 1}, 4);
	reset(NULL);
	run(0, 2, (const size_t[]){1, 1}, 2);
}

static void a_failure_reaches_everybody_in_the_batch(void **state)
{
	(void)state;
	refuse = true;
	run(64, 11, (const size_t[]){1, 10}, 2);
	assert_int_equal(atomic_load(&done_bad), 11);
	assert_int_equal(atomic_load(&done_good), 0);
}

static void what_is_queued_is_signed_before_the_end(void **state)
{
	struct slt_sign_queue *q = NULL;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_message *m[5];

	(void)state;
	gate = 1000;
	assert_true(slt_sign_queue_new(NULL, 64, sign, &q, &err));
	for (size_t i = 0; i < SLT_COUNT(m); i++) {
		m[i] = slt_message_new(SLT_SOAP);
		slt_sign_queue_add(q, m[i], done, m[i]);
	}
	slt_sign_queue_free(q);
	assert_int_equal(atomic_load(&done_good), SLT_COUNT(m));
	for (size_t i = 0; i < SLT_COUNT(m); i++) {
		slt_message_free(m[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_alone_is_signed_alone, reset),
		cmocka_unit_test_setup(those_that_wait_are_signed_together, reset),
		cmocka_unit_test_setup(a_batch_has_its_maximum, reset),
		cmocka_unit_test_setup(batches_can_be_switched_off, reset),
		cmocka_unit_test_setup(a_failure_reaches_everybody_in_the_batch, reset),
		cmocka_unit_test_setup(what_is_queued_is_signed_before_the_end, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
