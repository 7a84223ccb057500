/* SPDX-License-Identifier: MIT */
#include "federation/gcmime.h"

#include <string.h>

/* The next line without its end; false at the end of the input. */
static bool next_line(struct slt_str *in, struct slt_str *ret)
{
	const char *lf = in->n ? memchr(in->p, '\n', in->n) : NULL;
	size_t n = lf ? (size_t)(lf - in->p) : in->n;

	if (in->n == 0) {
		return false;
	}
	*ret = (struct slt_str){in->p, n && in->p[n - 1] == '\r' ? n - 1 : n};
	n += lf ? 1 : 0;
	in->p += n;
	in->n -= n;
	return true;
}

static char *lower(struct slt_str s, struct slt_arena *a)
{
	char *out = slt_arena_strndup(a, s.p, s.n);

	for (char *c = out; *c; c++) {
		if (*c >= 'A' && *c <= 'Z') {
			*c = (char)(*c - 'A' + 'a');
		}
	}
	return out;
}

static bool add_header(struct slt_str line, struct slt_arena *a, struct slt_gcmime_entity *e,
		       struct slt_err *err)
{
	const char *colon = memchr(line.p, ':', line.n);

	if (!colon || colon == line.p) {
		return slt_fail(err, SLT_EGC_PARSE, "a header line of the directory has no colon");
	}
	if (e->n_header == SLT_GCMIME_HEADERS_MAX) {
		return slt_fail(err, SLT_EGC_PARSE,
				"a part of the directory has more than %d headers",
				SLT_GCMIME_HEADERS_MAX);
	}
	struct slt_str name = {line.p, (size_t)(colon - line.p)};
	struct slt_str value = {colon + 1, line.n - name.n - 1};
	const char *key = lower(slt_str_trim(name), a);
	value = slt_str_trim(value);
	if (slt_gcmime_header(e, key)) {
		return slt_fail(err, SLT_EGC_HEADER_WRONG,
				"header %s stands twice in a part of the directory", key);
	}
	e->header[e->n_header].name = key;
	e->header[e->n_header++].value = slt_arena_strndup(a, value.p, value.n);
	return true;
}

/* A line that starts with white space continues the field before it. */
static bool continue_header(struct slt_str line, struct slt_arena *a, struct slt_gcmime_entity *e,
			    struct slt_err *err)
{
	struct slt_str rest = slt_str_trim(line);

	if (e->n_header == 0) {
		return slt_fail(err, SLT_EGC_PARSE,
				"a part of the directory begins with a continued header");
	}
	const char **value = &e->header[e->n_header - 1].value;
	if (strlen(*value) + rest.n > SLT_GCMIME_VALUE_MAX) {
		return slt_fail(err, SLT_EGC_PARSE,
				"a header of the directory is longer than %d bytes",
				SLT_GCMIME_VALUE_MAX);
	}
	*value = slt_arena_printf(a, "%s %.*s", *value, (int)rest.n, rest.p);
	return true;
}

bool slt_gcmime_parse(struct slt_str in, struct slt_arena *a, struct slt_gcmime_entity *ret,
		      struct slt_err *err)
{
	struct slt_gcmime_entity e = {.n_header = 0};
	struct slt_str line;

	if (in.n && memchr(in.p, '\0', in.n)) {
		return slt_fail(err, SLT_EGC_PARSE, "the directory is not text");
	}
	while (next_line(&in, &line) && line.n) {
		bool folded = line.p[0] == ' ' || line.p[0] == '\t';
		if (!(folded ? continue_header : add_header)(line, a, &e, err)) {
			return false;
		}
	}
	e.body = in;
	*ret = e;
	return true;
}

const char *slt_gcmime_header(const struct slt_gcmime_entity *e, const char *name)
{
	for (size_t i = 0; i < e->n_header; i++) {
		if (strcmp(e->header[i].name, name) == 0) {
			return e->header[i].value;
		}
	}
	return NULL;
}

/* Up to the next ';' outside double quotes. */
static struct slt_str next_segment(const char **at)
{
	const char *p = *at;
	bool quoted = false;

	for (; *p && (quoted || *p != ';'); p++) {
		if (*p == '"') {
			quoted = !quoted;
		}
	}
	struct slt_str seg = slt_str_trim((struct slt_str){*at, (size_t)(p - *at)});
	*at = *p ? p + 1 : NULL;
	return seg;
}

const char *slt_gcmime_value(const char *field, struct slt_arena *a)
{
	struct slt_str v = next_segment(&field);

	return slt_arena_strndup(a, v.p, v.n);
}

const char *slt_gcmime_param(const char *field, const char *name, struct slt_arena *a)
{
	next_segment(&field);
	while (field) {
		struct slt_str seg = next_segment(&field);
		const char *eq = seg.n ? memchr(seg.p, '=', seg.n) : NULL;
		if (!eq) {
			continue;
		}
		struct slt_str key = slt_str_trim((struct slt_str){seg.p, (size_t)(eq - seg.p)});
		struct slt_str value = {eq + 1, seg.n - (size_t)(eq - seg.p) - 1};
		if (!slt_strcase_eq(slt_arena_strndup(a, key.p, key.n), name)) {
			continue;
		}
		value = slt_str_trim(value);
		if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"') {
			value = (struct slt_str){value.p + 1, value.n - 2};
		}
		return slt_arena_strndup(a, value.p, value.n);
	}
	return NULL;
}

struct delimiter {
	size_t start, end; /* the line, from its first '-' to behind its line break */
	bool closing;
};

/* Is there a delimiter line at `at`? Only blanks may follow the boundary. */
static bool delimiter_at(struct slt_str s, size_t at, struct slt_str boundary,
			 struct delimiter *ret)
{
	size_t i = at + 2 + boundary.n;
	struct delimiter d = {.start = at};

	if (i > s.n || memcmp(s.p + at, "--", 2) != 0 ||
	    memcmp(s.p + at + 2, boundary.p, boundary.n) != 0) {
		return false;
	}
	d.closing = i + 2 <= s.n && memcmp(s.p + i, "--", 2) == 0;
	i += d.closing ? 2 : 0;
	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r')) {
		i++;
	}
	if (i < s.n && s.p[i] != '\n') {
		return false;
	}
	d.end = i < s.n ? i + 1 : i;
	*ret = d;
	return true;
}

static bool find_delimiter(struct slt_str s, size_t from, struct slt_str boundary,
			   struct delimiter *ret)
{
	for (size_t at = from; at < s.n;) {
		if (delimiter_at(s, at, boundary, ret)) {
			return true;
		}
		const char *lf = memchr(s.p + at, '\n', s.n - at);
		if (!lf) {
			return false;
		}
		at = (size_t)(lf - s.p) + 1;
	}
	return false;
}

/* The line break before a delimiter belongs to the delimiter. */
static struct slt_str part_between(struct slt_str s, size_t from, size_t to)
{
	if (to > from && s.p[to - 1] == '\n') {
		to--;
		if (to > from && s.p[to - 1] == '\r') {
			to--;
		}
	}
	return (struct slt_str){s.p + from, to - from};
}

bool slt_gcmime_split(struct slt_str body, const char *boundary, size_t max,
		      struct slt_str *ret_parts, size_t *ret_n, struct slt_err *err)
{
	struct slt_str b = slt_str(boundary);
	struct delimiter at, next;
	size_t n = 0;

	if (b.n == 0 || b.n > SLT_GCMIME_BOUNDARY_MAX) {
		return slt_fail(err, SLT_EGC_PARSE,
				"the boundary of the directory must have 1 to %d characters",
				SLT_GCMIME_BOUNDARY_MAX);
	}
	bool more = find_delimiter(body, 0, b, &at);
	while (more && !at.closing) {
		if (n == max) {
			return slt_fail(err, SLT_EGC_PARSE,
					"the directory has more than %zu parts where it may not",
					max);
		}
		more = find_delimiter(body, at.end, b, &next);
		if (more) {
			ret_parts[n++] = part_between(body, at.end, next.start);
			at = next;
		} else {
			ret_parts[n++] = (struct slt_str){body.p + at.end, body.n - at.end};
		}
	}
	*ret_n = n;
	return true;
}
