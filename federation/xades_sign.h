/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Making signatures in X-Road's form (xroad-wire 1.2, 1.3): XAdES over one part directly, over a
 * hash chain for several parts, over a tree of hash chains for a batch of messages.
 */

#include "federation/hashchain.h"
#include "federation/key.h"

struct slt_sign_input {			/* one message; borrowed */
	const struct slt_digest *parts; /* SHA-512 of message and attachments */
	const char *const *names;
	size_t n;
};

struct slt_sign_options {
	struct slt_key *key;
	const struct slt_str *ocsp; /* DER, signing certificate's first, then intermediates' */
	size_t n_ocsp;
	int64_t now_ms; /* SigningTime */
};

struct slt_signed {					  /* per message; malloc'ed */
	char *signature, *hash_chain_result, *hash_chain; /* the latter two NULL in direct mode */
};

/* Signs n messages with one signature operation. ret has room for n. */
SLT_CHECK bool slt_xades_sign(const struct slt_sign_options *o, const struct slt_sign_input *inputs,
			      size_t n, struct slt_signed *ret, struct slt_err *err);
void slt_signed_fini(struct slt_signed *s);
