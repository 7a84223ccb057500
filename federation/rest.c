/* SPDX-License-Identifier: MIT */
/* Reading heads. */
#include "federation/rest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "federation/restchar.h"
#include "federation/utf8.h"

/* --- lines -------------------------------------------------------------------------------- */

struct lines {
	const char *at, *end;
	unsigned number;
};

static bool is_text(const char *s)
{
	uint32_t c;

	while (*s) {
		size_t n = slt_utf8_next(s, &c);
		if (n == 0 || !slt_utf8_is_xml(c) || (c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
		s += n;
	}
	return true;
}

/* The next line in the arena. */
static bool next_line(struct lines *l, struct slt_arena *a, const char **ret, struct slt_err *err)
{
	size_t left = (size_t)(l->end - l->at);
	const char *nl = left ? memchr(l->at, '\n', left) : NULL;
	size_t n = nl ? (size_t)(nl - l->at) : 0;

	l->number++;
	if (!nl || n == 0 || nl[-1] != '\r') {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"line %u of the REST head does not end in CRLF", l->number);
	}
	n--;
	if (n > SLT_REST_LINE_MAX) {
		return slt_fail(err, SLT_ELIMIT, "line %u of the REST head is longer than %u bytes",
				l->number, SLT_REST_LINE_MAX);
	}
	if (memchr(l->at, '\r', n) || memchr(l->at, '\0', n)) {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"line %u of the REST head has a control character", l->number);
	}
	const char *s = slt_arena_strndup(a, l->at, n);
	if (!is_text(s)) {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"line %u of the REST head is not UTF-8 text", l->number);
	}
	l->at = nl + 1;
	*ret = s;
	return true;
}

/* --- headers ------------------------------------------------------------------------------ */

static bool is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!slt_restchar_is_token(s[i])) {
			return false;
		}
	}
	return n > 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool read_header(struct slt_rest *r, const char *line, unsigned number, struct slt_err *err)
{
	const char *colon = strchr(line, ':');
	size_t n = colon ? (size_t)(colon - line) : 0;

	if (r->n_headers == SLT_REST_HEADERS_MAX) {
		return slt_fail(err, SLT_ELIMIT, "the REST head has more than %d headers",
				SLT_REST_HEADERS_MAX);
	}
	if (!colon || !is_name(line, n)) {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"line %u of the REST head is no \"Name:value\"", number);
	}
	struct slt_rest_header h = {slt_arena_strndup(r->arena, line, n), colon + 1};
	size_t len = strlen(h.value);
	if (slt_restchar_is_hop(h.name)) {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"the header %s of the REST head belongs to a connection, not into "
				"a message",
				h.name);
	}
	if (len && (is_blank(h.value[0]) || is_blank(h.value[len - 1]))) {
		return slt_fail(err, SLT_EINVALID_MESSAGE,
				"the header %.80s of the REST head has a blank beside its value",
				h.name);
	}
	r->header[r->n_headers++] = h;
	return true;
}

const char *slt_rest_header(const struct slt_rest *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		if (slt_strcase_eq(r->header[i].name, name)) {
			return r->header[i].value;
		}
	}
	return NULL;
}

/* The only header of a name; *ret stays NULL when there is none. */
static bool single(const struct slt_rest *r, const char *name, const char **ret,
		   struct slt_err *err)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		if (!slt_strcase_eq(r->header[i].name, name)) {
			continue;
		}
		if (*ret) {
			return slt_fail(err, SLT_EDUPLICATE_HEADER_FIELD,
					"the header %s stands twice in the REST head", name);
		}
		*ret = r->header[i].value;
	}
	return true;
}

static bool client_id(struct slt_rest *r, struct slt_err *err)
{
	const char *v = NULL;
	struct slt_err why = SLT_ERR_INIT;

	if (!single(r, "x-road-client", &v, err)) {
		return false;
	}
	if (!v) {
		return slt_fail(err, SLT_EINVALID_CLIENT_IDENTIFIER,
				"the header x-road-client is missing in the REST head");
	}
	if (!slt_id_parse_client(v, true, r->arena, &r->client, &why)) {
		return slt_fail(err, SLT_EINVALID_CLIENT_IDENTIFIER, "the header x-road-client: %s",
				why.msg);
	}
	return true;
}

static bool decode(struct slt_rest *r, const char *p, size_t n, const char **ret)
{
	char *v = slt_arena_alloc(r->arena, n + 1);

	*ret = v;
	return slt_restchar_decode((struct slt_str){p, n}, v, &n) && n > 0 &&
	       n <= SLT_ID_PART_MAX && strlen(v) == n && is_text(v);
}

/* [class/]code */
static bool represented_party(struct slt_rest *r, struct slt_err *err)
{
	const char *v = NULL;

	if (!single(r, "x-road-represented-party", &v, err)) {
		return false;
	}
	if (!v) {
		return true;
	}
	const char *slash = strchr(v, '/');
	const char *code = slash ? slash + 1 : v;
	bool good = !strchr(code, '/') && decode(r, code, strlen(code), &r->party_code) &&
		    (!slash || decode(r, v, (size_t)(slash - v), &r->party_class));
	return good || slt_fail(err, SLT_EINVALID_MESSAGE,
				"the header x-road-represented-party is not CLASS/CODE or CODE");
}

static bool server_id(struct slt_rest *r, struct slt_err *err)
{
	const char *v = NULL;

	if (!single(r, "x-road-security-server", &v, err)) {
		return false;
	}
	if (v && !slt_id_parse(SLT_ID_SERVER, v, true, r->arena, &r->server, err)) {
		return slt_wrap(err, "the header x-road-security-server");
	}
	return true;
}

/* A service of REST always has a subsystem, never a version. */
static bool service_id(struct slt_rest *r, const char *text, struct slt_err *err)
{
	if (!slt_id_parse(SLT_ID_SERVICE, text, true, r->arena, &r->service, err)) {
		return false;
	}
	return (r->service.subsystem && !r->service.version) ||
	       slt_fail(err, SLT_EINVAL, "a REST service is INSTANCE/CLASS/CODE/SUBSYSTEM/SERVICE");
}

/* --- requests ----------------------------------------------------------------------------- */

bool slt_rest_is_verb(const char *word)
{
	static const char *const verbs[] = {"DELETE", "GET",  "HEAD", "OPTIONS",
					    "PATCH",  "POST", "PUT",  "TRACE"};

	for (size_t i = 0; i < SLT_COUNT(verbs); i++) {
		if (strcmp(verbs[i], word) == 0) {
			return true;
		}
	}
	return false;
}

static bool check_uri(const char *uri, struct slt_err *err)
{
	bool in_query = false;

	for (const char *p = uri; *p; p++) {
		in_query |= *p == '?';
		if (*p == '%') {
			if (slt_restchar_hex(p[1]) < 0 || slt_restchar_hex(p[2]) < 0) {
				return slt_fail(err, SLT_EINVALID_REQUEST,
						"the path has a %% without two hexadecimal digits");
			}
		} else if (!slt_restchar_is_segment(*p) && *p != '/' &&
			   !(in_query && strchr("?[]", *p))) {
			return slt_fail(err, SLT_EINVALID_REQUEST,
					"the path has a character that must be percent-encoded");
		}
	}
	return true;
}

/* "/r1/INSTANCE/CLASS/CODE/SUBSYSTEM/SERVICE[/…]" */
static bool read_path(struct slt_rest *r, struct slt_err *err)
{
	const char *from = r->path + 4, *to = from;

	if (strncmp(r->path, "/r1/", 4) != 0) {
		return slt_fail(err, SLT_EINVALID_REQUEST,
				"the path does not begin with /r1/: no other version is spoken");
	}
	for (unsigned i = 0; i < 5; i++) {
		to += i > 0 && *to == '/';
		to += strcspn(to, "/");
	}
	r->service_path = to;
	const char *id = slt_arena_strndup(r->arena, from, (size_t)(to - from));
	struct slt_err why = SLT_ERR_INIT;
	return service_id(r, id, &why) ||
	       slt_fail(err, SLT_EINVALID_REQUEST, "the path names no service: %s", why.msg);
}

static bool read_uri(struct slt_rest *r, const char *uri, struct slt_err *err)
{
	const char *mark = strchr(uri, '?');

	if (!check_uri(uri, err)) {
		return false;
	}
	r->path = slt_arena_strndup(r->arena, uri, mark ? (size_t)(mark - uri) : strlen(uri));
	r->query = mark ? mark + 1 : NULL;
	return read_path(r, err);
}

/* X-Road looks for this one name case-sensitively in requests; another spelling would be seen by
 * one side and not by the other. */
static bool request_id(struct slt_rest *r, struct slt_err *err)
{
	if (!single(r, "x-road-request-id", &r->request_id, err)) {
		return false;
	}
	for (size_t i = 0; i < r->n_headers && !r->response; i++) {
		if (r->header[i].value == r->request_id &&
		    strcmp(r->header[i].name, "x-road-request-id") != 0) {
			return slt_fail(err, SLT_EINVALID_MESSAGE,
					"the header x-road-request-id of the REST head must be "
					"spelled in small letters");
		}
	}
	return true;
}

static bool identify_request(struct slt_rest *r, struct slt_err *err)
{
	return client_id(r, err) && single(r, "x-road-id", &r->id, err) && request_id(r, err) &&
	       server_id(r, err) && represented_party(r, err) &&
	       single(r, "x-road-userid", &r->user_id, err) &&
	       single(r, "x-road-issue", &r->issue, err);
}

/* --- responses ---------------------------------------------------------------------------- */

static bool read_status(struct slt_rest *r, const char *line, struct slt_err *err)
{
	/* 1xx is said before an answer, and whoever got it as one would wait for more */
	if (strlen(line) != 3 || line[0] < '2' || line[0] > '5' || line[1] < '0' || line[1] > '9' ||
	    line[2] < '0' || line[2] > '9') {
		return slt_fail(err, SLT_EINVALID_MESSAGE, "the REST head has no HTTP status");
	}
	r->status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
	return true;
}

/* A provider may have sent one of its own before that of its security server: the last counts. */
static bool last_service(struct slt_rest *r, struct slt_err *err)
{
	const char *v = NULL;

	for (size_t i = 0; i < r->n_headers; i++) {
		if (slt_strcase_eq(r->header[i].name, "x-road-service")) {
			v = r->header[i].value;
		}
	}
	struct slt_err why = SLT_ERR_INIT;
	return !v || service_id(r, v, &why) ||
	       slt_fail(err, SLT_EINVALID_MESSAGE, "the header x-road-service: %s", why.msg);
}

static bool identify_response(struct slt_rest *r, struct slt_err *err)
{
	if (!client_id(r, err) || !single(r, "x-road-id", &r->id, err) || !request_id(r, err) ||
	    !single(r, "x-road-request-hash", &r->request_hash, err) || !last_service(r, err)) {
		return false;
	}
	if (!r->id || !*r->id || !r->request_hash || !*r->request_hash) {
		return slt_fail(err, SLT_EMISSING_HEADER_FIELD,
				"the header %s is missing in the REST head",
				r->id && *r->id ? "x-road-request-hash" : "x-road-id");
	}
	return true;
}

/* --- the whole ---------------------------------------------------------------------------- */

static bool read_start(struct slt_rest *r, struct lines *l, struct slt_err *err)
{
	const char *first, *second;

	if (!next_line(l, r->arena, &first, err) || !next_line(l, r->arena, &second, err)) {
		return false;
	}
	if (r->response) {
		r->reason = second;
		return read_status(r, first, err);
	}
	if (!slt_rest_is_verb(first)) {
		return slt_fail(err, SLT_EINVALID_HTTP_METHOD,
				"the REST head begins with no HTTP method that X-Road knows");
	}
	r->verb = first;
	return read_uri(r, second, err);
}

bool slt_rest_parse(const void *p, size_t n, struct slt_rest **ret, struct slt_err *err)
{
	SLT_AUTO(slt_rest_free) struct slt_rest *r = slt_calloc(1, sizeof(*r));
	struct lines l = {.at = p, .end = (const char *)p + n};
	const char *line;

	r->arena = slt_arena_new();
	if (n == 0) {
		return slt_fail(err, SLT_EINVALID_MESSAGE, "the REST head is empty");
	}
	if (n > SLT_REST_HEAD_MAX) {
		return slt_fail(err, SLT_ELIMIT, "the REST head is longer than %u bytes",
				SLT_REST_HEAD_MAX);
	}
	r->response = *l.at >= '1' && *l.at <= '9';
	if (!read_start(r, &l, err)) {
		return false;
	}
	while (l.at < l.end) {
		if (!next_line(&l, r->arena, &line, err) || !read_header(r, line, l.number, err)) {
			return false;
		}
	}
	if (!(r->response ? identify_response(r, err) : identify_request(r, err))) {
		return false;
	}
	*ret = SLT_TAKE(r);
	return true;
}

void slt_rest_free(struct slt_rest *r)
{
	if (r) {
		slt_arena_free(r->arena);
		free(r);
	}
}
