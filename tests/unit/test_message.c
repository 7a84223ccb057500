/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/message.h"

static void attach(struct slt_message *m, const char *headers, const char *body)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_spool *s = slt_spool_new(NULL, 4, 1 << 20);

	assert_true(slt_spool_write(s, body, strlen(body), &err));
	assert_true(slt_message_attach(m, "a/b", headers, s, &err));
}

static void test_pass_on(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_message_free) struct slt_message *from = slt_message_new(SLT_SOAP);
	SLT_AUTO(slt_message_free) struct slt_message *to = slt_message_new(SLT_SOAP);
	struct slt_digest d;

	attach(from, "A: 1\r\n", "first");
	attach(from, "", "second");
	assert_true(slt_message_pass(to, from, 1, "c/d", "B: 2\r\n", &err));
	assert_null(from->attachment[1].body);
	assert_non_null(from->attachment[0].body);
	assert_int_equal(slt_spool_size(to->attachment[0].body), 6);
	assert_string_equal(to->attachment[0].content_type, "c/d");
	assert_string_equal(to->attachment[0].headers, "B: 2\r\n");
	slt_digest_of(SLT_SHA512, "second", 6, &d);
	assert_true(slt_digest_eq(&to->attachment[0].digest, &d));
	/* another algorithm: hashed again */
	to->digest_alg = SLT_SHA256;
	assert_true(slt_message_pass(to, from, 0, "a/b", "", &err));
	slt_digest_of(SLT_SHA256, "first", 5, &d);
	assert_true(slt_digest_eq(&to->attachment[1].digest, &d));
}

static void test_pass_refused(void **state)
{
	(void)state;
	static const char *const wrong[][2] = {
		{"a/b\n", ""}, {"a/b\r\nX: 1", ""}, {"a/b", "A: 1"}, {"a/b", "A: 1\r\n\r\n"}};
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_message_free) struct slt_message *from = slt_message_new(SLT_SOAP);
	SLT_AUTO(slt_message_free) struct slt_message *to = slt_message_new(SLT_SOAP);

	for (unsigned i = 0; i < SLT_COUNT(wrong); i++) {
		attach(from, "", "x");
		assert_false(slt_message_pass(to, from, i, wrong[i][0], wrong[i][1], &err));
		assert_int_equal(err.code, SLT_EINVAL);
		slt_err_clear(&err);
		assert_int_equal(to->n_attachments, 0);
	}
	while (to->n_attachments < SLT_ATTACHMENTS_MAX) {
		attach(to, "", "x");
	}
	attach(from, "", "x");
	assert_false(slt_message_pass(to, from, 4, "a/b", "", &err));
	assert_int_equal(err.code, SLT_ELIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pass_on),
		cmocka_unit_test(test_pass_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
