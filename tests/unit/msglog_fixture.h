/* SPDX-License-Identifier: MIT */
#pragma once

/* What the tests of the message log share: a log in a directory of its own, messages, findings. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "msglog_verify.h"
#include "sql.h"

static char dir[64];
static char path[96];

SLT_UNUSED static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/silta-msglog-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log.db", dir);
	return 0;
}

SLT_UNUSED static int teardown(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	return slt_rm_tree(dir, &err) ? 0 : 1;
}

/* --- messages to log --- */

SLT_UNUSED static struct slt_message *make_message(const char *head)
{
	struct slt_message *m = slt_message_new(SLT_SOAP);
	m->content_type = slt_strdup("text/xml; charset=UTF-8");
	m->headers = slt_strdup("");
	slt_message_set_head(m, head, strlen(head));
	m->signature.p = slt_strdup("<signature/>");
	m->signature.n = strlen(m->signature.p);
	return m;
}

SLT_UNUSED static void attach(struct slt_message *m, size_t n, size_t threshold)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_spool *s = slt_spool_new(NULL, threshold, 1u << 30);
	SLT_AUTO_STR char *p = slt_calloc(1, n + 1);
	for (size_t i = 0; i < n; i++) {
		p[i] = (char)('a' + i % 23);
	}
	assert_true(slt_spool_write(s, p, n, &err));
	assert_true(
		slt_message_attach(m, "application/octet-stream", "Content-ID: <a>\r\n", s, &err));
}

SLT_UNUSED static struct slt_msglog_record make_record(const char *exchange,
						       const struct slt_message *m)
{
	return (struct slt_msglog_record){
		.exchange = exchange,
		.side = "EE",
		.response = false,
		.sent = false,
		.at_ms = 1700000000000,
		.route = "prescriptions",
		.message_id = exchange,
		.client = "EE/COM/1/apteek",
		.service = "EE/GOV/2/silta/list",
		.message = m,
	};
}

SLT_UNUSED static struct slt_msglog *open_log(unsigned queue_max, uint64_t max_bytes)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_msglog *l = NULL;
	struct slt_msglog_options o = {
		.path = path, .queue_max = queue_max, .max_bytes = max_bytes};
	if (!slt_msglog_open(&o, &l, &err)) {
		fail_msg("%s", err.msg);
	}
	return l;
}

SLT_UNUSED static bool append(struct slt_msglog *l, const char *exchange, struct slt_err *err)
{
	SLT_AUTO(slt_message_free)
	struct slt_message *m = make_message("<Envelope>head</Envelope>");
	struct slt_msglog_record r = make_record(exchange, m);
	return slt_msglog_append_wait(l, &r, err);
}

SLT_UNUSED static void append_ok(struct slt_msglog *l, const char *exchange)
{
	struct slt_err err = SLT_ERR_INIT;
	if (!append(l, exchange, &err)) {
		fail_msg("%s", err.msg);
	}
}

SLT_UNUSED static void finish_ok(struct slt_msglog *l, const char *exchange)
{
	struct slt_err err = SLT_ERR_INIT;
	if (!slt_msglog_finish_wait(l, exchange, SLT_MSGLOG_DONE, NULL, 1700000001000, &err)) {
		fail_msg("%s", err.msg);
	}
}

SLT_UNUSED static struct slt_msglog_reader *open_reader(void)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_msglog_reader *r = NULL;
	if (!slt_msglog_reader_open(path, &r, &err)) {
		fail_msg("%s", err.msg);
	}
	return r;
}

SLT_UNUSED static bool count_exchange(void *arg, const struct slt_msglog_exchange *x,
				      struct slt_err *err)
{
	(void)x;
	(void)err;
	++*(unsigned *)arg;
	return true;
}

SLT_UNUSED static unsigned count_exchanges(const struct slt_msglog_filter *f)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	unsigned n = 0;
	assert_true(slt_msglog_each(r, f, count_exchange, &n, &err));
	return n;
}

/* Changes the file behind the log's back. */
SLT_UNUSED static void tamper(const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_sql_close) struct slt_sql *db = NULL;
	if (!slt_sql_open(path, true, NULL, 0, &db, &err) || !slt_sql_exec(db, text, &err)) {
		fail_msg("%s", err.msg);
	}
}

/* --- verification --- */

struct findings {
	unsigned ok, bad, skipped;
	char first[1024]; /* the first bad one */
};

SLT_UNUSED static bool on_finding(void *arg, const struct slt_msglog_finding *f,
				  struct slt_err *err)
{
	struct findings *t = arg;
	(void)err;
	if (f->result == SLT_MSGLOG_GOOD) {
		t->ok++;
	} else if (f->result == SLT_MSGLOG_NOT_ASKED) {
		t->skipped++;
	} else if (t->bad++ == 0) {
		snprintf(t->first, sizeof(t->first), "%s: %s", f->what, f->err->msg);
	}
	return true;
}

SLT_UNUSED static struct findings verify_all(const char *expect_head)
{
	struct slt_err err = SLT_ERR_INIT;
	struct findings t = {0};
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	struct slt_msglog_verify_options o = {.chain_only = true, .expect_head = expect_head};
	if (!slt_msglog_verify(r, &o, on_finding, &t, &err)) {
		fail_msg("%s", err.msg);
	}
	return t;
}

SLT_UNUSED static void assert_holds(void)
{
	struct findings t = verify_all(NULL);
	if (t.bad) {
		fail_msg("%s", t.first);
	}
}

SLT_UNUSED static void assert_broken(const char *says)
{
	struct findings t = verify_all(NULL);
	assert_true(t.bad > 0);
	if (!strstr(t.first, says)) {
		fail_msg("\"%s\" does not say \"%s\"", t.first, says);
	}
}

SLT_UNUSED static void three_exchanges(void)
{
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	append_ok(l, "aaaaaaaa-1");
	finish_ok(l, "aaaaaaaa-1");
	append_ok(l, "aaaaaaaa-2");
	append_ok(l, "aaaaaaaa-3");
	finish_ok(l, "aaaaaaaa-3");
}
