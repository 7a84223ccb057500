/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * HTTP and HTTPS listeners over libmicrohttpd: event-driven; a request's body is handed on as it
 * arrives, and a complete request is parked (its connection suspended) until somebody answers it,
 * from any thread. The only file that knows libmicrohttpd and GnuTLS is server.c.
 *
 * With client_certificate the peer must present a certificate in the handshake; whether it is good
 * is judged by the request handler (slt_request_peer_chain), per request.
 */

#include <openssl/x509.h>

#include "base/spool.h"
#include "door.h"

struct slt_server;
struct slt_request;

struct slt_server_handler {
	/* Headers are complete. Sets *ret_state for the calls below. On failure the error is
	 * answered by reject() and the rest of the body is thrown away. */
	bool (*begin)(void *arg, struct slt_request *r, void **ret_state, struct slt_err *err);
	bool (*body)(void *state, struct slt_request *r, const char *p, size_t n,
		     struct slt_err *err);
	/* The body is complete: the request is parked until slt_respond(). Runs on an I/O thread:
	 * must not block. */
	void (*end)(void *state, struct slt_request *r);
	/* begin or body failed (`err`), or the body was too long: must call slt_respond(). */
	void (*reject)(void *arg, void *state_or_null, struct slt_request *r,
		       const struct slt_err *err);
	/* The request is over (answered, or the peer went away): release the state. */
	void (*done)(void *state);
};

struct slt_server_options {
	const char *address; /* numeric */
	unsigned port;	     /* 0: any free one, see slt_server_port() */
	/* TLS: PEM texts; NULL for plain HTTP */
	const char *cert_pem, *key_pem;
	bool client_certificate;
	bool client_certificate_asked; /* for, but a peer may come without one */
	struct slt_door_limits limits; /* max 0: 1000, idle_seconds 0: 120 */
	unsigned threads;	       /* I/O threads; 0: 1 */
	const struct slt_server_handler *handler;
	void *arg;
};

SLT_CHECK bool slt_server_start(const struct slt_server_options *o, struct slt_server **ret,
				struct slt_err *err);
unsigned slt_server_port(const struct slt_server *s);
void slt_server_stats(const struct slt_server *s, struct slt_door_stats *ret);
/* No new connections; requests under way go on. */
void slt_server_quiesce(struct slt_server *s);
/* Ends all connections. Requests parked must have been answered before. */
void slt_server_stop(struct slt_server *s);
SLT_DEFINE_AUTO(struct slt_server *, slt_server_stop)

/* --- in the handler --- */
const char *slt_request_method(const struct slt_request *r);
const char *slt_request_path(const struct slt_request *r);  /* as sent, without query */
const char *slt_request_query(const struct slt_request *r); /* as sent, without '?'; "" if none */
/* A header, case-insensitively; NULL when absent. */
const char *slt_request_header(const struct slt_request *r, const char *name);
/* Calls back for every header in order. */
void slt_request_each_header(const struct slt_request *r,
			     void (*cb)(void *arg, const char *name, const char *value), void *arg);
const char *slt_request_peer(const struct slt_request *r); /* numeric address */
/* The chain the TLS peer presented, leaf first; n 0 without TLS. Borrowed. */
X509 *const *slt_request_peer_chain(const struct slt_request *r, size_t *ret_n);

/* "Not Found" for 404; "Unknown" for what has no name. */
const char *slt_reason_phrase(unsigned status);

/* --- answering, once, from any thread --- */
struct slt_response_header {
	const char *name, *value; /* sent in this spelling */
};
/* A pull stream of unknown length (chunked); free is called at the end in any case. */
struct slt_body_source {
	bool (*read)(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err);
	void (*free)(void *arg);
	void *arg;
};
/* Copies headers and bytes. */
void slt_respond(struct slt_request *r, unsigned status, const struct slt_response_header *h,
		 size_t n_headers, const void *body, size_t n);
void slt_respond_stream(struct slt_request *r, unsigned status, const struct slt_response_header *h,
			size_t n_headers, const struct slt_body_source *body);
