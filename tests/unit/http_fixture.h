/* SPDX-License-Identifier: MIT */
#pragma once

/* A server that tells what it got, for the tests of HTTP. After cmocka.h. */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

struct seen {
	struct slt_buf body;
};

static _Atomic unsigned requests_begun;
static _Atomic bool refuse_begin, refuse_body;

static bool begin(void *arg, struct slt_request *r, void **ret_state, struct slt_err *err)
{
	struct seen *s = slt_calloc(1, sizeof(*s));

	(void)arg;
	(void)r;
	requests_begun++;
	slt_buf_init(&s->body, 64u << 20);
	*ret_state = s;
	return !refuse_begin || slt_fail(err, SLT_EACCESS_DENIED, "refused at the start");
}

static bool body(void *state, struct slt_request *r, const char *p, size_t n, struct slt_err *err)
{
	struct seen *s = state;

	(void)r;
	slt_buf_add(&s->body, p, n);
	return !refuse_body || slt_fail(err, SLT_ELIMIT, "refused in the body");
}

static void end(void *state, struct slt_request *r)
{
	struct seen *s = state;
	SLT_AUTO_BUF(out, 65u << 20);
	size_t n = 0;
	X509 *const *chain = slt_request_peer_chain(r, &n);
	const char *x = slt_request_header(r, "x-test");

	slt_buf_addf(&out, "%s %s?%s peer=%s chain=%zu x=%s body=", slt_request_method(r),
		     slt_request_path(r), slt_request_query(r), slt_request_peer(r), n,
		     x ? x : "-");
	assert_true(n == 0 || chain[0]);
	slt_buf_add(&out, slt_buf_str(&s->body).p, s->body.n);
	const struct slt_response_header h[] = {{"x-lower-case", "yes"}};
	slt_respond(r, 200, h, 1, slt_buf_str(&out).p, out.n);
}

static void reject(void *arg, void *state, struct slt_request *r, const struct slt_err *err)
{
	(void)arg;
	(void)state;
	slt_respond(r, 403, NULL, 0, err->msg, strlen(err->msg));
}

static void done(void *state)
{
	struct seen *s = state;

	slt_buf_fini(&s->body);
	free(s);
}

static const struct slt_server_handler echo = {begin, body, end, reject, done};
