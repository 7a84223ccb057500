/* SPDX-License-Identifier: MIT */
/* Making heads, and the rules that join an answer to its request. */
#include "federation/rest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "federation/restchar.h"

/* --- making ------------------------------------------------------------------------------- */

static struct slt_rest *new_head(bool response)
{
	struct slt_rest *r = slt_calloc(1, sizeof(*r));

	r->arena = slt_arena_new();
	r->response = response;
	return r;
}

struct slt_rest *slt_rest_new_request(const char *verb, const char *path, const char *query)
{
	struct slt_rest *r = new_head(false);

	r->verb = slt_arena_strdup(r->arena, verb);
	r->path = slt_arena_strdup(r->arena, path);
	r->query = slt_arena_strdup(r->arena, query);
	return r;
}

struct slt_rest *slt_rest_new_response(int status, const char *reason)
{
	struct slt_rest *r = new_head(true);

	r->status = status;
	r->reason = slt_arena_strdup(r->arena, reason ? reason : "");
	return r;
}

/* What the security server says itself and takes from nobody. */
static bool is_own(bool response, const char *name)
{
	static const char *const both[] = {"x-road-request-id", "x-road-request-hash"};
	static const char *const answers[] = {"x-road-id", "x-road-client"};

	for (size_t i = 0; i < SLT_COUNT(both); i++) {
		if (slt_strcase_eq(both[i], name) ||
		    (response && slt_strcase_eq(answers[i], name))) {
			return true;
		}
	}
	return false;
}

static void append(struct slt_rest *r, const char *name, const char *value)
{
	slt_assert(r->n_headers < SLT_COUNT(r->header));
	r->header[r->n_headers++] = (struct slt_rest_header){slt_arena_strdup(r->arena, name),
							     slt_arena_strdup(r->arena, value)};
}

bool slt_rest_add(struct slt_rest *r, const char *name, const char *value, struct slt_err *err)
{
	if (slt_restchar_is_hop(name) || is_own(r->response, name)) {
		return true;
	}
	if (r->n_headers >= SLT_REST_HEADERS_MAX - SLT_REST_HEADERS_OWN) {
		return slt_fail(err, SLT_ELIMIT, "there are more than %d headers",
				SLT_REST_HEADERS_MAX - SLT_REST_HEADERS_OWN);
	}
	append(r, name, value);
	return true;
}

void slt_rest_set(struct slt_rest *r, const char *name, const char *value)
{
	size_t n = 0;
	bool found = false;

	for (size_t i = 0; i < r->n_headers; i++) {
		bool this = slt_strcase_eq(r->header[i].name, name);
		if (this && (found || !value)) {
			continue;
		}
		r->header[n] = r->header[i];
		if (this) {
			found = true;
			r->header[n].value = slt_arena_strdup(r->arena, value);
		}
		n++;
	}
	r->n_headers = n;
	if (value && !found) {
		append(r, name, value);
	}
}

static const char *encoded(struct slt_arena *a, const struct slt_id *id)
{
	SLT_AUTO_BUF(b, 16 * 3 * SLT_ID_PART_MAX);

	slt_id_format(id, true, &b);
	return slt_arena_strndup(a, slt_buf_str(&b).p, b.n);
}

void slt_rest_set_service(struct slt_rest *r, const struct slt_id *service)
{
	const char *head = slt_arena_printf(r->arena, "/r1/%s", encoded(r->arena, service));

	r->path = slt_arena_printf(r->arena, "%s%s", head, r->service_path);
	r->service_path = r->path + strlen(head);
}

void slt_rest_set_call(struct slt_rest *r, const char *service_path, const char *query)
{
	size_t n = (size_t)(r->service_path - r->path);

	r->path = slt_arena_printf(r->arena, "%.*s%s", (int)n, r->path, service_path);
	r->service_path = r->path + n;
	r->query = slt_arena_strdup(r->arena, query);
}

static void add_segment(const char *s, struct slt_buf *out)
{
	for (; *s; s++) {
		if (slt_restchar_is_segment(*s)) {
			slt_buf_addc(out, *s);
		} else {
			slt_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*s);
		}
	}
}

void slt_rest_set_party(struct slt_rest *r, const char *member_class, const char *code)
{
	SLT_AUTO_BUF(b, 8 * SLT_ID_PART_MAX);

	if (member_class) {
		add_segment(member_class, &b);
		slt_buf_addc(&b, '/');
	}
	add_segment(code ? code : "", &b);
	slt_rest_set(r, "x-road-represented-party", code ? slt_buf_str(&b).p : NULL);
}

void slt_rest_end_request(struct slt_rest *r, const char *request_id, const char *id)
{
	slt_rest_set(r, "x-road-request-hash", NULL);
	slt_rest_set(r, "x-road-request-id", NULL);
	append(r, "x-road-request-id", request_id);
	if (!slt_rest_header(r, "x-road-id")) {
		append(r, "x-road-id", id);
	}
}

void slt_rest_end_response(struct slt_rest *r, const struct slt_rest *request,
			   const struct slt_digest *request_hash)
{
	SLT_AUTO_BUF(hash, 256);

	slt_buf_add_base64(&hash, request_hash->v, request_hash->n);
	const struct slt_rest_header own[] = {
		{"x-road-id", request->id ? request->id : ""},
		{"x-road-client", encoded(r->arena, &request->client)},
		{"x-road-service", encoded(r->arena, &request->service)},
		{"x-road-request-id", request->request_id},
		{"x-road-request-hash", slt_buf_str(&hash).p},
	};
	for (size_t i = 0; i < SLT_COUNT(own); i++) {
		slt_rest_set(r, own[i].name, NULL);
	}
	for (size_t i = 0; i < SLT_COUNT(own); i++) {
		if (own[i].value) {
			append(r, own[i].name, own[i].value);
		}
	}
}

void slt_rest_format(const struct slt_rest *r, struct slt_buf *out)
{
	if (r->response) {
		slt_buf_addf(out, "%d\r\n%s\r\n", r->status, r->reason);
	} else {
		slt_buf_addf(out, "%s\r\n%s%s%s\r\n", r->verb, r->path, r->query ? "?" : "",
			     r->query ? r->query : "");
	}
	for (size_t i = 0; i < r->n_headers; i++) {
		slt_buf_addf(out, "%s:%s\r\n", r->header[i].name, r->header[i].value);
	}
}

/* --- paths -------------------------------------------------------------------------------- */

/* Takes the next segment of "/a/b"; false when nothing is left. */
static bool next_segment(const char **at, struct slt_str *ret)
{
	if (**at != '/') {
		return false;
	}
	ret->p = *at + 1;
	ret->n = strcspn(ret->p, "/");
	*at = ret->p + ret->n;
	return true;
}

/* "." and "..", and what is one of them once its parameters are taken off. */
static bool is_dots(const char *v)
{
	size_t n = strcspn(v, ";");

	return (n == 1 || n == 2) && strncmp(v, "..", n) == 0;
}

/* A % that is left after decoding would be decoded by whoever decodes twice. */
static bool is_plain(const char *v)
{
	for (; *v; v++) {
		if ((unsigned char)*v < 0x20 || *v == 0x7f || *v == '/' || *v == '\\' ||
		    (*v == '%' && slt_restchar_hex(v[1]) >= 0 && slt_restchar_hex(v[2]) >= 0)) {
			return false;
		}
	}
	return true;
}

static bool good_segment(struct slt_str s, bool last, bool strict)
{
	SLT_AUTO_STR char *v = slt_calloc(s.n + 1, 1);
	size_t n = 0;

	return slt_restchar_decode(s, v, &n) && strlen(v) == n && !is_dots(v) &&
	       (!strict || ((n > 0 || last) && *v != ';' && is_plain(v)));
}

bool slt_rest_check_path(const char *service_path, bool strict, struct slt_err *err)
{
	const char *at = service_path;
	struct slt_str s;

	while (next_segment(&at, &s)) {
		if (!good_segment(s, *at == '\0', strict)) {
			return slt_fail(err, SLT_EINVALID_REQUEST,
					"the path has a segment that reads otherwise once it is "
					"resolved or decoded");
		}
	}
	return *at == '\0' || slt_fail(err, SLT_EINVALID_REQUEST, "the path is not \"/…\"");
}

static bool same_segment(struct slt_str a, struct slt_str b)
{
	SLT_AUTO_STR char *x = slt_calloc(a.n + 1, 1);
	SLT_AUTO_STR char *y = slt_calloc(b.n + 1, 1);
	size_t n = 0, k = 0;

	return slt_restchar_decode(a, x, &n) && slt_restchar_decode(b, y, &k) && n == k &&
	       memcmp(x, y, n) == 0;
}

bool slt_rest_path_fits(const char *service_path, const char *pattern)
{
	struct slt_str s, p;

	while (next_segment(&pattern, &p)) {
		bool star = slt_str_eq(p, "*");
		if (!next_segment(&service_path, &s)) {
			return false;
		}
		if (star && *pattern == '\0') {
			return s.n > 0;
		}
		if (star ? s.n == 0 : !same_segment(s, p)) {
			return false;
		}
	}
	return *service_path == '\0';
}

const char *slt_rest_query_value(const char *query, const char *name, struct slt_arena *a)
{
	const char *found = NULL;
	size_t wanted = strlen(name);

	for (const char *p = query; p && *p;) {
		size_t n = strcspn(p, "&"), key = strcspn(p, "=&");
		if (key == wanted && key < n && strncasecmp(p, name, key) == 0) {
			char *v = slt_arena_strndup(a, p + key + 1, n - key - 1);
			size_t len = strlen(v);
			for (char *c = v; *c; c++) {
				*c = *c == '+' ? ' ' : *c;
			}
			bool good = slt_restchar_decode((struct slt_str){v, len}, v, &len);
			v[good ? len : 0] = '\0';
			found = good && strlen(v) == len ? v : NULL;
		}
		p += n;
		p += *p == '&';
	}
	return found;
}

/* --- rules -------------------------------------------------------------------------------- */

static bool body_digest(const struct slt_attachment *a, struct slt_digest *ret, struct slt_err *err)
{
	if (a->digest.alg == SLT_SHA512) {
		*ret = a->digest;
		return true;
	}
	SLT_AUTO(slt_hasher_free) struct slt_hasher *h = slt_hasher_new(SLT_SHA512);
	SLT_AUTO_STR char *block = slt_calloc(1, 65536);
	uint64_t at = 0;
	for (size_t n = 1; n; at += n) {
		if (!slt_spool_read(a->body, at, block, 65536, &n, err)) {
			return false;
		}
		slt_hasher_add(h, block, n);
	}
	slt_hasher_end(h, ret);
	return true;
}

bool slt_rest_request_hash(const struct slt_message *request, struct slt_digest *ret,
			   struct slt_err *err)
{
	struct slt_digest head, body;
	unsigned char both[2 * SLT_DIGEST_MAX];

	slt_digest_of(SLT_SHA512, request->head.p, request->head.n, &head);
	if (request->n_attachments == 0) {
		*ret = head;
		return true;
	}
	if (!body_digest(&request->attachment[0], &body, err)) {
		return false;
	}
	memcpy(both, head.v, head.n);
	memcpy(both + head.n, body.v, body.n);
	slt_digest_of(SLT_SHA512, both, head.n + body.n, ret);
	return true;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_hash(const struct slt_digest *hash, const char *text)
{
	SLT_AUTO_BUF(raw, 1024);
	struct slt_err ignored = SLT_ERR_INIT;

	return text && slt_base64_decode(slt_str(text), &raw, &ignored) && raw.n == hash->n &&
	       CRYPTO_memcmp(raw.p, hash->v, hash->n) == 0;
}

struct rule {
	bool good;
	const char *name;
};

static bool check_rules(const struct rule *rules, size_t n, struct slt_err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!rules[i].good) {
			return slt_fail(err, SLT_EINCONSISTENT_RESPONSE,
					"the answer does not belong to the request: %s differs",
					rules[i].name);
		}
	}
	return true;
}

bool slt_rest_check_named(const struct slt_rest *request, const struct slt_rest *answer,
			  struct slt_err *err)
{
	const struct rule rules[] = {
		{answer->response, "status"},
		{slt_id_eq(&request->client, &answer->client), "x-road-client"},
		{same(request->id, answer->id), "x-road-id"},
		{slt_id_eq(&request->service, &answer->service), "x-road-service"},
	};

	return check_rules(rules, SLT_COUNT(rules), err);
}

bool slt_rest_check_answer(const struct slt_rest *request, const struct slt_digest *hash,
			   const struct slt_rest *answer, struct slt_err *err)
{
	const struct rule rules[] = {
		{same(request->request_id, answer->request_id), "x-road-request-id"},
		{same_hash(hash, answer->request_hash), "x-road-request-hash"},
	};

	return slt_rest_check_named(request, answer, err) &&
	       check_rules(rules, SLT_COUNT(rules), err);
}

/* --- errors ------------------------------------------------------------------------------- */

unsigned slt_rest_fault_status(const char *code, enum slt_dialect d)
{
	const char *server = d == SLT_DIALECT_CAMEL ? "Server." : "server.";

	return strncmp(code, server, strlen(server)) == 0 ? 500 : 400;
}

bool slt_rest_wants_xml(const char *accept)
{
	static const char *const types[] = {"text/xml", "application/xml", "text/*"};

	for (const char *p = accept ? accept : ""; *p;) {
		size_t n = strcspn(p, ",");
		size_t plain = strcspn(p, ";,");
		struct slt_str t = slt_str_trim((struct slt_str){p, plain});
		for (size_t i = 0; i < SLT_COUNT(types); i++) {
			if (t.n == strlen(types[i]) && strncasecmp(t.p, types[i], t.n) == 0) {
				return true;
			}
		}
		p += n;
		p += *p == ',';
	}
	return false;
}
