/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * HTTP and HTTPS calls over libcurl's multi interface, driven by one thread, with kept-alive
 * connections. The only file that knows libcurl is client.c.
 *
 * TLS towards a security server: own authentication certificate, X-Road's cipher suites, no host
 * name verification; `judge` is asked before every request about the chain of the very connection
 * that is about to carry it, so that a kept connection is judged again each time and a refusal
 * happens before a byte of the message is sent.
 */

#include <openssl/x509.h>

#include "base/buf.h"

struct slt_client;

/* max_connections: kept-alive in total. */
SLT_CHECK bool slt_client_new(unsigned max_connections, struct slt_client **ret,
			      struct slt_err *err);
/* Ends running calls with SLT_ENETWORK, or SLT_EOUTCOME_UNKNOWN where something was sent; those
 * that are started afterwards end at once. */
void slt_client_stop(struct slt_client *c);
void slt_client_free(struct slt_client *c); /* stops first; nobody may start a call any more */
SLT_DEFINE_AUTO(struct slt_client *, slt_client_free)

/* Own identity in TLS; made once per certificate, shared by calls. */
struct slt_client_tls;
SLT_CHECK bool slt_client_tls_new(const char *cert_pem, const char *key_pem,
				  struct slt_client_tls **ret, struct slt_err *err);
void slt_client_tls_free(struct slt_client_tls *t);

/* Calls to several addresses of which at most one may send its request: the first that is connected
 * and whose peer is judged good; it wins at that moment, and the others end. Zeroed by its owner,
 * outlives its calls; after the first start only the client thread touches it. */
struct slt_race {
	const void *winner; /* a winner that ended without having sent anything is none any more */
};

struct slt_call {
	const char *method; /* "GET", "POST", … */
	const char *url;
	const char *const *headers; /* "Name: value" */
	size_t n_headers;
	/* Body: bytes, or a pull stream (sent chunked); both absent for none. */
	const void *body;
	size_t n_body;
	bool (*read)(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err);
	unsigned connect_ms, total_ms; /* 0: 10 s, 60 s */
	/* TLS: NULL tls_identity and NULL judge with an https URL: ordinary verification. */
	struct slt_client_tls *tls;
	bool tls_insecure; /* https without verification (configuration sources, as X-Road allows)
			    */
	/* Runs on the client thread, must not block: may this peer get the request? */
	bool (*judge)(void *arg, X509 *const *chain, size_t n, struct slt_err *err);
	/* NULL: on its own. A call without judge cannot win, but ends when somebody else does. */
	struct slt_race *race;
	/* The answer's status and headers are there; then its body in pieces. Client thread. */
	bool (*header)(void *arg, int status, const char *name, const char *value,
		       struct slt_err *err);
	bool (*data)(void *arg, const char *p, size_t n, struct slt_err *err);
	/* The end, exactly once: err is NULL on success. `sent` says whether any byte of the
	 * request may have reached the peer: if not, another address may be tried. Client thread;
	 * the caller's own, before slt_client_start() returns, once the client is stopped. */
	void (*done)(void *arg, int status, bool sent, const struct slt_err *err);
	void *arg;
};

/* Starts a call; everything it points to is borrowed until done(). */
void slt_client_start(struct slt_client *c, const struct slt_call *call);
/* Starts several: either all their callbacks run on the client thread, or, once the client is
 * stopped, all have ended before it returns. */
void slt_client_start_all(struct slt_client *c, const struct slt_call *call, size_t n);
/* Waits for it; header, data, done may be NULL. The whole answer goes to ret_body (capped by its
 * maximum) when `data` is NULL. Not on the client thread. */
SLT_CHECK bool slt_client_perform(struct slt_client *c, const struct slt_call *call,
				  int *ret_status, struct slt_buf *ret_body, struct slt_err *err);
