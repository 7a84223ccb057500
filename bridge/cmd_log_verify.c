/* SPDX-License-Identifier: MIT */

/* silta log verify */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd_log.h"
#include "federation/globalconf_cache.h"

struct tally {
	const struct slt_log_args *a;
	unsigned bad, skipped;
	bool found; /* the exchange that was asked for */
};

static const char *const words[] = {
	[SLT_MSGLOG_GOOD] = "OK",
	[SLT_MSGLOG_BAD] = "FAIL",
	[SLT_MSGLOG_NOT_ASKED] = "SKIP",
};

static void print_json(const struct slt_msglog_finding *f, const char *code)
{
	SLT_AUTO_BUF(b, 1u << 16);
	slt_buf_addc(&b, '{');
	slt_log_json_text(&b, "result", words[f->result]);
	slt_buf_addc(&b, ',');
	slt_log_json_text(&b, "name", f->what);
	slt_buf_addc(&b, ',');
	slt_log_json_text(&b, "exchange", f->message ? f->message->exchange : NULL);
	slt_buf_addc(&b, ',');
	slt_log_json_text(&b, "code", f->err ? code : NULL);
	slt_buf_addc(&b, ',');
	slt_log_json_text(&b, "text", f->err ? f->err->msg : f->text);
	slt_buf_addc(&b, '}');
	puts(slt_buf_str(&b).p);
}

static bool print_finding(void *arg, const struct slt_msglog_finding *f, struct slt_err *err)
{
	struct tally *t = arg;
	char code[256] = "";
	(void)err;
	t->bad += f->result == SLT_MSGLOG_BAD ? 1 : 0;
	t->skipped += f->result == SLT_MSGLOG_NOT_ASKED ? 1 : 0;
	t->found = t->found || f->message;
	if (f->err) {
		slt_err_fault_code(f->err, SLT_DIALECT_SNAKE, code, sizeof(code));
	}
	if (t->a->json) {
		print_json(f, code);
	} else if (f->result == SLT_MSGLOG_GOOD) {
		printf("OK %s %s\n", f->what, f->text);
	} else if (f->result == SLT_MSGLOG_BAD) {
		printf("FAIL %s %s %s\n", f->what, code, f->err->msg);
	} else {
		printf("SKIP %s %s\n", f->what, f->err->msg);
	}
	return true;
}

static const struct slt_globalconf *find_conf(void *arg, const char *side)
{
	const struct slt_log_args *a = arg;
	for (size_t i = 0; i < a->n_conf; i++) {
		if (strcmp(a->conf[i].side, side) == 0) {
			return a->conf[i].gc;
		}
	}
	return NULL;
}

/* What the configuration said then is what counts: expired instances are kept. */
static bool load_confs(struct slt_log_args *a, struct slt_err *err)
{
	struct slt_gc_load_options o = {.allow_test_profile = a->test_profile, .now_ms = -1};
	for (size_t i = 0; i < a->n_conf; i++) {
		struct slt_log_conf *c = &a->conf[i];
		SLT_AUTO_STR char *warnings = NULL;
		if (!slt_globalconf_load(c->dir, &o, &c->gc, &warnings, err)) {
			return slt_wrap(err, "global configuration of %s", c->side);
		}
		if (warnings) {
			fprintf(stderr, "silta log: global configuration of %s: %s\n", c->side,
				warnings);
		}
	}
	return true;
}

static int verify(struct slt_log_args *a)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = NULL;
	struct tally t = {.a = a};
	struct slt_msglog_verify_options o = {
		.chain_only = a->chain_only,
		.conf = find_conf,
		.arg = a,
		.lax = a->lax,
		.exchange = a->filter.exchange,
		.expect_head = a->head,
	};
	if (!slt_msglog_reader_open(a->path, &r, &err) ||
	    (!a->chain_only && !load_confs(a, &err)) ||
	    !slt_msglog_verify(r, &o, print_finding, &t, &err)) {
		return slt_log_cannot(&err);
	}
	if (o.exchange && !t.found) {
		fprintf(stderr, "silta log: the log has no exchange %s\n", o.exchange);
		return SLT_EXIT_NO;
	}
	if (t.bad) {
		return SLT_EXIT_NO;
	}
	return t.skipped ? SLT_EXIT_CANNOT : SLT_EXIT_GOOD;
}

int slt_log_verify(struct slt_log_args *a)
{
	int status = verify(a);
	for (size_t i = 0; i < a->n_conf; i++) {
		slt_globalconf_free(a->conf[i].gc);
	}
	return status;
}
