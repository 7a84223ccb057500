/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The message between security servers (PR-MESSTRANSP; as implemented: xroad-wire 3.2 to 3.4):
 * multipart/mixed of OCSP responses, SOAP or REST head, attachments or body, hash chain and
 * signature. Reading streams: large parts go to spools while their digests are computed.
 * Verifies nothing: that is xades_verify's.
 */

#include "federation/message.h"
#include "federation/soap.h"

struct slt_transport_limits {
	size_t head;		/* SOAP envelope or REST head, bytes */
	uint64_t body;		/* all attachments or the REST body together, bytes */
	size_t spool_threshold; /* bytes of a part held in memory */
	const char *spool_dir;
};
#define SLT_TRANSPORT_LIMITS                                                                       \
	((struct slt_transport_limits){.head = 10u << 20,                                          \
				       .body = 2ull << 30,                                         \
				       .spool_threshold = 256u << 10,                              \
				       .spool_dir = NULL})

struct slt_transport_reader;

#define SLT_TRANSPORT_SIGNATURE_MAX (1u << 20) /* bytes of signatures.xml */
#define SLT_TRANSPORT_OCSP_MAX	    65536

/* content_type is the HTTP header; `response` also accepts a bare text/xml SOAP Fault and takes no
 * OCSP parts. digest_alg from x-hash-algorithm: NONE (absent, unknown) is good for a bare Fault
 * only. SLT_EINVALID_CONTENT_TYPE, SLT_EINVALID_MESSAGE under SLT_SERVICE_FAILED. */
SLT_CHECK bool slt_transport_reader_new(const char *content_type, enum slt_digest_alg digest_alg,
					bool response, const struct slt_transport_limits *limits,
					struct slt_transport_reader **ret, struct slt_err *err);
void slt_transport_reader_free(struct slt_transport_reader *r);
SLT_DEFINE_AUTO(struct slt_transport_reader *, slt_transport_reader_free)
/* The kind of message that x-road-message-type announced: one of the other kind, or none, then
 * fails with SLT_EMISSING_SOAP or SLT_EMISSING_REST. Without this call any kind is taken. */
void slt_transport_expect(struct slt_transport_reader *r, enum slt_message_kind kind);
SLT_CHECK bool slt_transport_feed(struct slt_transport_reader *r, const char *p, size_t n,
				  struct slt_err *err);
/* Once the head part is complete: OCSP parts and head of the message to come; NULL before.
 * Borrowed; lets the peer be judged before its large parts are read. */
const struct slt_message *slt_transport_peek(const struct slt_transport_reader *r);
/* The SOAP head as parsed on the way, once slt_transport_peek() has it: the caller's to free. NULL
 * for REST, and at the second call. */
struct slt_soap *slt_transport_take_soap(struct slt_transport_reader *r);
/* End of input. Either *ret_message, or (a fault stood in place of message or signature)
 * *ret_fault with the bytes of the SOAP Fault, malloc'ed; the other is left alone. Fails with
 * SLT_EMISSING_SOAP, SLT_EMISSING_REST, SLT_EMISSING_SIGNATURE, or a decode error under
 * SLT_SERVICE_FAILED. */
SLT_CHECK bool slt_transport_finish(struct slt_transport_reader *r,
				    struct slt_message **ret_message, struct slt_bytes *ret_fault,
				    struct slt_err *err);

/* Writing: a pull stream over a signed message, in X-Road's byte layout. The writer borrows the
 * message. */
struct slt_transport_writer;
struct slt_transport_writer *slt_transport_writer_new(const struct slt_message *m);
void slt_transport_writer_free(struct slt_transport_writer *w);
SLT_DEFINE_AUTO(struct slt_transport_writer *, slt_transport_writer_free)
/* "multipart/mixed; charset=UTF-8; boundary=…"; borrowed. */
const char *slt_transport_content_type(const struct slt_transport_writer *w);
/* Fills up to n bytes; *ret_n is 0 at the end. */
SLT_CHECK bool slt_transport_read(struct slt_transport_writer *w, char *p, size_t n, size_t *ret_n,
				  struct slt_err *err);
/* Starts again from the first byte (another address of the same provider is tried). */
void slt_transport_rewind(struct slt_transport_writer *w);
