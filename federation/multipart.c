/* SPDX-License-Identifier: MIT */
#include "federation/multipart.h"

#include <stdlib.h>
#include <string.h>

/*
 * A delimiter can only begin at the start of a line, and the line break before it is part of it.
 * So bytes within a line are handed on as they are; only a line break and what follows it while it
 * still looks like a delimiter is held back. Each byte is looked at a bounded number of times.
 */

enum state {
	IN_LINE,	/* within a line of a body; held is empty or one CR */
	LINE_START,	/* held: the line break and the part of "--boundary" seen so far */
	AFTER_BOUNDARY, /* held: all of the above and the whole boundary */
	ONE_DASH,	/* … and "-" */
	TWO_DASHES,	/* … and "--", then blanks */
	BLANKS,		/* … and blanks without dashes */
	LAST_CR,	/* … and a CR; `closing` says which of the two it is */
	HEADERS,
	EPILOGUE,
	FAILED,
};

#define HELD_MAX (SLT_MIME_BOUNDARY_MAX + 256)

struct slt_multipart {
	const struct slt_multipart_ops *ops;
	void *arg;
	enum state state;
	bool in_part;	/* between the callbacks part and part_end; false: preamble */
	bool closing;	/* the delimiter being read ends with "--" */
	size_t matched; /* of delimiter */
	size_t margin;	/* bytes of preamble, then of epilogue */
	unsigned n_parts;
	size_t n_delimiter, n_held;
	char delimiter[SLT_MIME_BOUNDARY_MAX + 3]; /* "--boundary" */
	char held[HELD_MAX];
	size_t line; /* where the header line being read begins */
	struct slt_buf headers;
};

struct slt_multipart *slt_multipart_new(struct slt_str boundary,
					const struct slt_multipart_ops *ops, void *arg)
{
	if (boundary.n == 0 || boundary.n > SLT_MIME_BOUNDARY_MAX ||
	    boundary.p[boundary.n - 1] == ' ') {
		return NULL;
	}
	for (size_t i = 0; i < boundary.n; i++) {
		if (boundary.p[i] < 0x20 || boundary.p[i] > 0x7e) {
			return NULL;
		}
	}
	struct slt_multipart *m = slt_calloc(1, sizeof(*m));
	m->ops = ops;
	m->arg = arg;
	m->state = LINE_START;
	memcpy(m->delimiter, "--", 2);
	memcpy(m->delimiter + 2, boundary.p, boundary.n);
	m->n_delimiter = boundary.n + 2;
	slt_buf_init(&m->headers, SLT_MIME_HEADERS_MAX);
	return m;
}

struct slt_multipart *slt_multipart_open(const char *content_type,
					 const struct slt_multipart_ops *ops, void *arg)
{
	struct slt_str boundary;

	return slt_mime_param(slt_str(content_type), "boundary", &boundary)
		       ? slt_multipart_new(boundary, ops, arg)
		       : NULL;
}

void slt_multipart_free(struct slt_multipart *m)
{
	if (m) {
		slt_buf_fini(&m->headers);
		free(m);
	}
}

/* --- header of a part --- */

static bool is_token_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool parse_header(struct slt_str line, struct slt_mime_header *ret, struct slt_err *err)
{
	const char *colon = memchr(line.p, ':', line.n);
	size_t n = colon ? (size_t)(colon - line.p) : 0;

	if (n == 0) {
		return slt_fail(err, SLT_EMIME_PARSING_FAILED,
				"a line of a part's header is not \"name: value\"");
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_token_char(line.p[i])) {
			return slt_fail(err, SLT_EMIME_PARSING_FAILED,
					"the name of a part's header has a character that cannot "
					"stand there");
		}
	}
	ret->name = (struct slt_str){line.p, n};
	ret->value = slt_str_trim((struct slt_str){colon + 1, line.n - n - 1});
	return true;
}

/* Turns the header block, in place, into lines ended by LF alone, folded ones joined. */
static bool unfold(struct slt_buf *b, struct slt_err *err)
{
	size_t to = 0;

	for (size_t i = 0; i < b->n; i++) {
		char c = b->p[i];
		if (c == '\r' && i + 1 < b->n && b->p[i + 1] == '\n') {
			continue;
		}
		if (c == '\n' && i + 1 < b->n && is_blank(b->p[i + 1])) {
			continue;
		}
		if (c != '\n' && c != '\t' && ((unsigned char)c < 0x20 || c == 0x7f)) {
			return slt_fail(err, SLT_EMIME_PARSING_FAILED,
					"a part's header has a control character");
		}
		b->p[to++] = c;
	}
	b->n = to;
	return true;
}

static bool same_name(struct slt_str a, const char *lower)
{
	size_t n = strlen(lower);

	for (size_t i = 0; i < n && i < a.n; i++) {
		char c = a.p[i] >= 'A' && a.p[i] <= 'Z' ? (char)(a.p[i] - 'A' + 'a') : a.p[i];
		if (c != lower[i]) {
			return false;
		}
	}
	return a.n == n;
}

static bool begin_part(struct slt_multipart *m, struct slt_err *err)
{
	struct slt_mime_header h[SLT_MIME_FIELDS_MAX];
	size_t n = 0;
	bool typed = false;

	if (m->n_parts++ == SLT_MIME_PARTS_MAX) {
		return slt_fail(err, SLT_EMIME_PARSING_FAILED,
				"a multipart message has more than %d parts", SLT_MIME_PARTS_MAX);
	}
	if (!unfold(&m->headers, err)) {
		return false;
	}
	struct slt_str rest = slt_buf_str(&m->headers);
	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t len = end ? (size_t)(end - rest.p) : rest.n;
		if (n == SLT_MIME_FIELDS_MAX) {
			return slt_fail(err, SLT_EMIME_PARSING_FAILED,
					"a part has more than %d headers", SLT_MIME_FIELDS_MAX);
		}
		if (!parse_header((struct slt_str){rest.p, len}, &h[n], err)) {
			return false;
		}
		bool is_type = same_name(h[n].name, "content-type");
		if (is_type && typed) {
			return slt_fail(err, SLT_EMIME_PARSING_FAILED,
					"a part has two Content-Type headers");
		}
		typed |= is_type;
		n++;
		len += end ? 1 : 0;
		rest.p += len;
		rest.n -= len;
	}
	m->in_part = true;
	return m->ops->part(m->arg, h, n, err);
}

/* One complete line, its LF included, has been added to the headers. */
static bool end_header_line(struct slt_multipart *m, struct slt_err *err)
{
	const char *line = m->headers.p + m->line;
	size_t n = m->headers.n - m->line;

	if (n >= m->n_delimiter && memcmp(line, m->delimiter, m->n_delimiter) == 0) {
		return slt_fail(err, SLT_EMIME_PARSING_FAILED,
				"a delimiter stands within the header of a part");
	}
	if (n > 2 || (n == 2 && line[0] != '\r')) {
		m->line = m->headers.n;
		return true;
	}
	m->headers.n = m->line; /* without the empty line */
	if (!begin_part(m, err)) {
		return false;
	}
	m->state = LINE_START;
	m->matched = 0;
	return true;
}

static bool feed_headers(struct slt_multipart *m, const char **p, size_t *n, struct slt_err *err)
{
	const char *lf = memchr(*p, '\n', *n);
	size_t k = lf ? (size_t)(lf - *p) + 1 : *n;

	slt_buf_add(&m->headers, *p, k);
	if (m->headers.failed) {
		return slt_fail(err, SLT_EMIME_PARSING_FAILED,
				"the header of a part is longer than %d bytes",
				SLT_MIME_HEADERS_MAX);
	}
	*p += k;
	*n -= k;
	return lf ? end_header_line(m, err) : true;
}

/* --- body --- */

static bool emit(struct slt_multipart *m, const char *p, size_t n, struct slt_err *err)
{
	if (n == 0) {
		return true;
	}
	if (m->in_part) {
		return m->ops->data(m->arg, p, n, err);
	}
	m->margin += n;
	for (size_t i = 0; i < n; i++) {
		if (!is_blank(p[i]) && p[i] != '\r' && p[i] != '\n') {
			return slt_fail(err, SLT_EMIME_PARSING_FAILED,
					"there is content before the first delimiter: is the "
					"boundary in Content-Type the right one?");
		}
	}
	if (m->margin > SLT_MIME_MARGIN_MAX) {
		return slt_fail(err, SLT_EMIME_PARSING_FAILED,
				"more than %d bytes stand before the first delimiter",
				SLT_MIME_MARGIN_MAX);
	}
	return true;
}

/* What was held back was no delimiter. */
static bool release(struct slt_multipart *m, struct slt_err *err)
{
	size_t n = m->n_held;

	m->n_held = 0;
	m->state = IN_LINE;
	return emit(m, m->held, n, err);
}

static bool hold(struct slt_multipart *m, char c, enum state next, struct slt_err *err)
{
	if (m->n_held == HELD_MAX) {
		return slt_fail(err, SLT_EMIME_PARSING_FAILED, "a delimiter line is too long");
	}
	m->held[m->n_held++] = c;
	m->state = next;
	return true;
}

static bool feed_line(struct slt_multipart *m, const char **p, size_t *n, struct slt_err *err)
{
	const char *lf = memchr(*p, '\n', *n);
	size_t k = lf ? (size_t)(lf - *p) : *n;
	bool cr = k && (*p)[k - 1] == '\r';

	/* a CR held from before stays one only if the LF is the very next byte */
	if (k && !release(m, err)) {
		return false;
	}
	if (!emit(m, *p, cr ? k - 1 : k, err)) {
		return false;
	}
	if (cr) {
		m->held[m->n_held++] = '\r';
	}
	*p += k;
	*n -= k;
	if (lf) {
		m->held[m->n_held++] = '\n';
		m->state = LINE_START;
		m->matched = 0;
		*p += 1;
		*n -= 1;
	}
	return true;
}

static bool end_delimiter(struct slt_multipart *m, struct slt_err *err)
{
	bool was_in_part = m->in_part;

	m->n_held = 0;
	m->in_part = false;
	m->state = m->closing ? EPILOGUE : HEADERS;
	m->margin = 0;
	m->line = 0;
	slt_buf_reset(&m->headers);
	return was_in_part ? m->ops->part_end(m->arg, err) : true;
}

/* One byte while something is held. *ret_used is false when it is to be looked at again. */
static bool feed_held(struct slt_multipart *m, char c, bool *ret_used, struct slt_err *err)
{
	*ret_used = true;
	if (m->state == LINE_START) {
		if (c == m->delimiter[m->matched]) {
			m->matched++;
			m->closing = false;
			return hold(m, c,
				    m->matched == m->n_delimiter ? AFTER_BOUNDARY : LINE_START,
				    err);
		}
	} else if (c == '\n') {
		if (m->state != ONE_DASH) {
			return end_delimiter(m, err);
		}
	} else if (m->state == AFTER_BOUNDARY && c == '-') {
		return hold(m, c, ONE_DASH, err);
	} else if (m->state == ONE_DASH && c == '-') {
		m->closing = true;
		return hold(m, c, TWO_DASHES, err);
	} else if (m->state != ONE_DASH && m->state != LAST_CR && (c == '\r' || is_blank(c))) {
		return hold(m, c, c == '\r' ? LAST_CR : m->closing ? TWO_DASHES : BLANKS, err);
	}
	*ret_used = false;
	return release(m, err);
}

static bool feed_epilogue(struct slt_multipart *m, size_t n, struct slt_err *err)
{
	m->margin += n;
	if (m->margin > SLT_MIME_MARGIN_MAX) {
		return slt_fail(err, SLT_EMIME_PARSING_FAILED,
				"more than %d bytes follow the closing delimiter",
				SLT_MIME_MARGIN_MAX);
	}
	return true;
}

static bool feed_some(struct slt_multipart *m, const char **p, size_t *n, struct slt_err *err)
{
	bool used = true;

	switch (m->state) {
	case IN_LINE:
		return feed_line(m, p, n, err);
	case HEADERS:
		return feed_headers(m, p, n, err);
	case EPILOGUE:
		used = feed_epilogue(m, *n, err);
		*n = 0;
		return used;
	case LINE_START:
	case AFTER_BOUNDARY:
	case ONE_DASH:
	case TWO_DASHES:
	case BLANKS:
	case LAST_CR:
		if (!feed_held(m, **p, &used, err)) {
			return false;
		}
		*p += used;
		*n -= used;
		return true;
	case FAILED:
		break;
	}
	return slt_fail(err, SLT_EMIME_PARSING_FAILED, "the multipart message was given up before");
}

bool slt_multipart_feed(struct slt_multipart *m, const char *p, size_t n, struct slt_err *err)
{
	while (n) {
		if (!feed_some(m, &p, &n, err)) {
			m->state = FAILED;
			return false;
		}
	}
	return true;
}

bool slt_multipart_end(struct slt_multipart *m, struct slt_err *err)
{
	if (m->state == AFTER_BOUNDARY || m->state == TWO_DASHES || m->state == BLANKS ||
	    m->state == LAST_CR) {
		/* a delimiter needs no line break at the very end */
		if (!end_delimiter(m, err)) {
			m->state = FAILED;
			return false;
		}
	}
	if (m->state != EPILOGUE) {
		m->state = FAILED;
		return slt_fail(err, SLT_EMIME_PARSING_FAILED,
				"the multipart message ends without its closing delimiter");
	}
	return true;
}

/* --- header values --- */

struct slt_str slt_mime_type(struct slt_str content_type)
{
	const char *semicolon = content_type.n ? memchr(content_type.p, ';', content_type.n) : NULL;

	if (semicolon) {
		content_type.n = (size_t)(semicolon - content_type.p);
	}
	return slt_str_trim(content_type);
}

bool slt_mime_is(const char *content_type, const char *type)
{
	return same_name(slt_mime_type(slt_str(content_type)), type);
}

/* Cuts the next parameter from *rest: up to a ';' that is not within quotes. */
static struct slt_str next_param(struct slt_str *rest)
{
	struct slt_str one = *rest;
	char quote = 0, before = 0;
	size_t i = 0;

	for (; i < rest->n && (quote || rest->p[i] != ';'); i++) {
		char c = rest->p[i];
		if (quote) {
			quote = c == quote ? 0 : quote;
		} else if ((c == '"' || c == '\'') && before == '=') {
			quote = c;
		}
		before = is_blank(c) ? before : c;
	}
	one.n = i;
	i += i < rest->n ? 1 : 0;
	rest->p += i;
	rest->n -= i;
	return one;
}

static struct slt_str unquote(struct slt_str v)
{
	v = slt_str_trim(v);
	if (v.n >= 2 && (v.p[0] == '"' || v.p[0] == '\'') && v.p[v.n - 1] == v.p[0]) {
		v.p++;
		v.n -= 2;
	}
	return v;
}

bool slt_mime_param(struct slt_str value, const char *name, struct slt_str *ret)
{
	struct slt_str found = {NULL, 0};
	unsigned times = 0;

	if (value.n == 0) {
		return false;
	}
	next_param(&value); /* the value itself */
	while (value.n) {
		struct slt_str one = next_param(&value);
		const char *eq = one.n ? memchr(one.p, '=', one.n) : NULL;
		if (!eq) {
			continue;
		}
		struct slt_str key = {one.p, (size_t)(eq - one.p)};
		if (same_name(slt_str_trim(key), name)) {
			found = unquote((struct slt_str){eq + 1, one.n - key.n - 1});
			times++;
		}
	}
	if (times == 1) {
		*ret = found;
	}
	return times == 1;
}
