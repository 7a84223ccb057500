/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Asking the OCSP relay of a security server for responses about the certificates that it presented
 * (message transport protocol: HTTP on a port of its own). What comes is put into the cache as it
 * is: whether it is believed is decided where the peer is judged.
 */

#include "client.h"
#include "ocsp_cache.h"

struct slt_peer_relay {
	const char *address; /* host name or address */
	int64_t port;
	X509 *const *cert; /* referenced until done() */
	size_t n;	   /* at most SLT_CHAIN_MAX */
	struct slt_ocsp_cache *cache;
	struct slt_race *race; /* whose end makes the answer useless; may be NULL */
	unsigned ms;	       /* for all of it */
	/* Exactly once, where done() of a call would run. NULL: a response for each is there. */
	void (*done)(void *arg, const struct slt_err *err);
	void *arg;
};

void slt_peer_relay_ask(struct slt_client *c, const struct slt_peer_relay *ask);

/* "http://[::1]:5577/". malloc'ed. */
char *slt_peer_url(const char *scheme, const char *address, int64_t port);
