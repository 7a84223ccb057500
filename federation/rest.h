/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * X-Road message protocol for REST, r1 (PR-REST; as implemented: xroad-wire 3.9, 5.3, 5.4): the
 * head part that stands for an HTTP request or answer between security servers. Reading it from raw
 * bytes, making it from HTTP, rewriting it for the other leg, and the rules that join an answer to
 * its request.
 *
 * Only the canonical form is read, so that whoever serialises a head again gets the bytes that were
 * signed: lines end in CRLF, no blank beside a header's value, no fragment, no header that belongs
 * to one connection. What identifies a message may stand once. Stricter than X-Road, which takes
 * the last of several and any line end.
 *
 * Does not check: the path after the service (slt_rest_check_path()), the body, any signature.
 */

#include "base/digest.h"
#include "federation/ident.h"
#include "federation/message.h"

#define SLT_REST_HEAD_MAX      (128u << 10) /* bytes */
#define SLT_REST_LINE_MAX      (32u << 10)
#define SLT_REST_HEADERS_MAX   256
#define SLT_REST_HEADERS_OWN   16 /* room beside them for what whoever passes a head on adds */

#define SLT_REST_TYPE_REQUEST  "application/x-road-rest-request"
#define SLT_REST_TYPE_RESPONSE "application/x-road-rest-response"
#define SLT_REST_TYPE_BODY     "application/x-road-rest-body"

struct slt_rest_header {
	const char *name, *value; /* as they stand there */
};

struct slt_rest {
	bool response;
	const char *verb, *path, *query; /* request: as sent; query without '?', NULL when none */
	const char *service_path;	 /* what follows the service in path: "" or "/…" */
	int status;			 /* response */
	const char *reason;
	struct slt_rest_header header[SLT_REST_HEADERS_MAX + SLT_REST_HEADERS_OWN];
	size_t n_headers;

	/* Read from path and headers by slt_rest_parse(). */
	struct slt_id client, service; /* service: type NONE in a response without it */
	struct slt_id server;	       /* x-road-security-server; NONE when absent */
	const char *id, *request_id;   /* NULL when absent, like all below */
	const char *user_id, *issue, *party_class, *party_code;
	const char *request_hash; /* response: base64 */

	struct slt_arena *arena;
};

/* Fails with SLT_ELIMIT, SLT_EINVALID_MESSAGE, SLT_EINVALID_REQUEST (path),
 * SLT_EINVALID_HTTP_METHOD, SLT_EINVALID_CLIENT_IDENTIFIER, SLT_EDUPLICATE_HEADER_FIELD; in a
 * response SLT_EMISSING_HEADER_FIELD without x-road-id or x-road-request-hash. */
SLT_CHECK bool slt_rest_parse(const void *p, size_t n, struct slt_rest **ret, struct slt_err *err);
void slt_rest_free(struct slt_rest *r);
SLT_DEFINE_AUTO(struct slt_rest *, slt_rest_free)
/* The first header of a name, case-insensitively; NULL when absent. */
const char *slt_rest_header(const struct slt_rest *r, const char *name);
/* Refuses segments that are or decode to "." or "..", with or without parameters, and NUL.
 * `strict`, so that a rule about paths holds for whoever resolves them, also refuses everything
 * else that reads otherwise once it is decoded or tidied: empty segments but the last, encoded
 * slashes, backslashes and control characters, what is encoded twice. SLT_EINVALID_REQUEST. */
SLT_CHECK bool slt_rest_check_path(const char *service_path, bool strict, struct slt_err *err);
/* Does the path fit the pattern? Segments are compared decoded; "*" fits one segment, and as the
 * last one also every number of further segments. Only for paths that slt_rest_check_path()
 * took strictly.
 */
bool slt_rest_path_fits(const char *service_path, const char *pattern);
bool slt_rest_is_verb(const char *word);
/* The value of a query's parameter, decoded, in the arena: the last of several, names compared
 * case-insensitively. NULL when there is none, or its encoding is broken or has a NUL. */
const char *slt_rest_query_value(const char *query, const char *name, struct slt_arena *a);

/* --- making ------------------------------------------------------------------------------- */

/* Empty heads, to be filled with headers, finished and formatted; copies its arguments. */
struct slt_rest *slt_rest_new_request(const char *verb, const char *path, const char *query);
struct slt_rest *slt_rest_new_response(int status, const char *reason);
/* Adds a header of an HTTP message, unless it belongs to the connection or is one that X-Road's
 * servers set themselves. SLT_ELIMIT. */
SLT_CHECK bool slt_rest_add(struct slt_rest *r, const char *name, const char *value,
			    struct slt_err *err);
/* Gives the first header of this name another value where it stands and removes all others; a new
 * one is added at the end. NULL removes. A head that was parsed takes SLT_REST_HEADERS_OWN new
 * ones; beyond SLT_REST_HEADERS_MAX what is formatted is too long for slt_rest_parse(). */
void slt_rest_set(struct slt_rest *r, const char *name, const char *value);
/* The path of another service, with the same service path. */
void slt_rest_set_service(struct slt_rest *r, const struct slt_id *service);
/* Another path after the service ("" or "/…") and query (NULL: none), encoded already. */
void slt_rest_set_call(struct slt_rest *r, const char *service_path, const char *query);
/* x-road-represented-party; code NULL removes it. */
void slt_rest_set_party(struct slt_rest *r, const char *member_class, const char *code);
/* x-road-request-id at the end and, where there is no x-road-id yet, id after it. */
void slt_rest_end_request(struct slt_rest *r, const char *request_id, const char *id);
/* The headers that tie the answer to its request, at the end, in X-Road's order. */
void slt_rest_end_response(struct slt_rest *r, const struct slt_rest *request,
			   const struct slt_digest *request_hash);
/* The bytes; whether they are good is for slt_rest_parse() to say. */
void slt_rest_format(const struct slt_rest *r, struct slt_buf *out);

/* --- rules -------------------------------------------------------------------------------- */

/* What x-road-request-hash of the answer must be: SHA-512 of the head or, where the request has a
 * body, of both digests. */
SLT_CHECK bool slt_rest_request_hash(const struct slt_message *request, struct slt_digest *ret,
				     struct slt_err *err);
/* The answer names the request's client, service, x-road-id and x-road-request-id, and carries its
 * hash. SLT_EINCONSISTENT_RESPONSE. */
SLT_CHECK bool slt_rest_check_answer(const struct slt_rest *request, const struct slt_digest *hash,
				     const struct slt_rest *answer, struct slt_err *err);

/* Of this only what an information system can compare: client, service and x-road-id. Its security
 * server completes the head that the rest belongs to. SLT_EINCONSISTENT_RESPONSE. */
SLT_CHECK bool slt_rest_check_named(const struct slt_rest *request, const struct slt_rest *answer,
				    struct slt_err *err);

/* An error as an information system gets it: 500 when the code begins with "server.", as X-Road's
 * servers from 7.8 judge it (camel: "Server.", as those up to 7.7), else 400. */
unsigned slt_rest_fault_status(const char *code, enum slt_dialect d);
/* Does an Accept header (NULL: none) ask for the XML form? */
bool slt_rest_wants_xml(const char *accept);
