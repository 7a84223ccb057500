/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A small HTTP service: collects a request's body and hands the complete request to a pool of
 * workers, so that a handler may take its time. For everything here but the transport port, which
 * reads its messages as a stream.
 */

#include "base/queue.h"
#include "bridge/server.h"

struct slt_httpd;

/* Runs on a worker; must call slt_respond() or slt_httpd_reply() once, and must not look at the
 * body afterwards. */
typedef void (*slt_httpd_fn)(void *arg, struct slt_request *r, struct slt_str body);

struct slt_httpd_options {
	const char *address;
	unsigned port;	   /* 0: any free one */
	uint64_t max_body; /* bytes */
	/* TLS: PEM texts, NULL for plain HTTP; a client may come with a certificate or without */
	const char *cert_pem, *key_pem;
	struct slt_pool *pool;
	slt_httpd_fn fn;
	void *arg;
};

SLT_CHECK bool slt_httpd_start(const struct slt_httpd_options *o, struct slt_httpd **ret,
			       struct slt_err *err);
unsigned slt_httpd_port(const struct slt_httpd *h);
/* No request is handed to the pool any more, which may then be freed; then stop. */
void slt_httpd_close(struct slt_httpd *h); /* NULL is fine */
void slt_httpd_stop(struct slt_httpd *h);
SLT_DEFINE_AUTO(struct slt_httpd *, slt_httpd_stop)

/* An answer with a content type and a body. */
void slt_httpd_reply(struct slt_request *r, unsigned status, const char *content_type,
		     struct slt_str body);
void slt_httpd_text(struct slt_request *r, unsigned status, const char *fmt, ...) SLT_PRINTF(3, 4);
/* A parameter of the query, percent-decoded; malloc'ed, NULL when absent. */
char *slt_httpd_param(const struct slt_request *r, const char *name);
