/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A message as it travels between security servers, parts kept as the bytes that were received.
 * Owns everything it points to. Names of parts are those of the signature: "/message.xml",
 * "/attachment1", ….
 */

#include "base/digest.h"
#include "base/spool.h"

enum slt_message_kind { SLT_SOAP, SLT_REST };

#define SLT_OCSP_PARTS_MAX  8
#define SLT_ATTACHMENTS_MAX 64

struct slt_bytes { /* malloc'ed, owned */
	char *p;
	size_t n;
};

struct slt_attachment {
	char *content_type;	  /* of the part; "" when it had none */
	char *headers;		  /* the other MIME headers, "name: value" CRLF each; "" if none */
	struct slt_spool *body;	  /* as received, transfer encoding not undone */
	struct slt_digest digest; /* of the body, under the message's digest algorithm */
};

struct slt_message {
	enum slt_message_kind kind;
	enum slt_digest_alg digest_alg;		   /* x-hash-algorithm; SHA-512 */
	struct slt_bytes ocsp[SLT_OCSP_PARTS_MAX]; /* DER responses for the TLS certificates */
	unsigned n_ocsp;
	char *content_type;	  /* of the SOAP part, or the REST head type */
	char *headers;		  /* other MIME headers of the SOAP part */
	struct slt_bytes head;	  /* SOAP envelope or REST head, verbatim */
	struct slt_digest digest; /* of head */
	/* SOAP attachments in order, or the REST body as the only one */
	struct slt_attachment attachment[SLT_ATTACHMENTS_MAX];
	unsigned n_attachments;
	struct slt_bytes hash_chain_result, hash_chain; /* p NULL in direct mode */
	struct slt_bytes signature;			/* META-INF/signatures.xml */
};

struct slt_message *slt_message_new(enum slt_message_kind kind);
void slt_message_free(struct slt_message *m);
SLT_DEFINE_AUTO(struct slt_message *, slt_message_free)
/* Takes a malloc'ed copy of the bytes as the head and computes its digest. */
void slt_message_set_head(struct slt_message *m, const void *p, size_t n);
/* Appends an attachment; takes body and computes its digest. SLT_ELIMIT beyond the maximum. */
SLT_CHECK bool slt_message_attach(struct slt_message *m, const char *content_type,
				  const char *headers, struct slt_spool *take_body,
				  struct slt_err *err);
/* The same with the body of from's i-th attachment, which is moved, not copied, and not hashed
 * again where both messages have the same digest algorithm: from has no such body any more. */
SLT_CHECK bool slt_message_pass(struct slt_message *m, struct slt_message *from, unsigned i,
				const char *content_type, const char *headers, struct slt_err *err);
