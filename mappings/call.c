/* SPDX-License-Identifier: MIT */
#include "mappings/call.h"

#include <string.h>

#include "mappings/tsv.h"

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* NULL when the encoding is broken. */
static const char *decode(struct slt_str s, bool query, struct slt_arena *a)
{
	char *out = slt_arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			out[n++] = query && s.p[i] == '+' ? ' ' : s.p[i];
			continue;
		}
		int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
		int low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
		if (high < 0 || low < 0) {
			return NULL;
		}
		out[n++] = (char)(unsigned char)(high * 16 + low);
		i += 2;
	}
	return !memchr(out, '\t', n) && slt_tsv_is_text(out, n) ? out : NULL;
}

static void encode(const char *s, struct slt_buf *out)
{
	for (; *s; s++) {
		bool plain = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
			     (*s >= 'A' && *s <= 'Z') || strchr("-._~", *s);
		if (plain) {
			slt_buf_addc(out, *s);
		} else {
			slt_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*s);
		}
	}
}

/* The text up to the separator; *rest behind it, NULL at the end. */
static struct slt_str cut(const char **rest, char separator)
{
	const char *p = *rest;
	const char *end = strchr(p, separator);

	*rest = end ? end + 1 : NULL;
	return (struct slt_str){p, end ? (size_t)(end - p) : strlen(p)};
}

/* Is it one segment to everybody? A slash, dots, what looks encoded once it is decoded: whoever
 * decodes twice, or before he resolves, would take it for another path. */
static bool is_segment(const char *s)
{
	size_t n = strcspn(s, ";");

	for (const char *p = s; *p; p++) {
		if (*p == '/' || *p == '\\' ||
		    (*p == '%' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0)) {
			return false;
		}
	}
	return n > 0 && !(n <= 2 && strncmp(s, "..", n) == 0);
}

/* --- templates --- */

static bool is_value_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');
		if (!letter && (i == 0 || s[i] < '0' || s[i] > '9')) {
			return false;
		}
	}
	return n > 0 && n < 64;
}

/* A literal, or {name}, {name?}. */
static bool parse_what(struct slt_str s, bool query, struct slt_arena *a, struct slt_call_part *p)
{
	if (s.n < 2 || s.p[0] != '{') {
		p->literal = memchr(s.p, '{', s.n) ? NULL : decode(s, query, a);
		return p->literal && *p->literal && (query || is_segment(p->literal));
	}
	p->optional = s.n > 3 && s.p[s.n - 2] == '?';
	size_t n = s.n - 2 - p->optional;
	p->value = slt_arena_strndup(a, s.p + 1, n);
	return s.p[s.n - 1] == '}' && is_value_name(p->value, n) && (query || !p->optional);
}

static bool add_part(struct slt_call *c, const struct slt_call_part *p)
{
	if (c->n == SLT_CALL_PARTS) {
		return false;
	}
	for (size_t i = 0; i < c->n; i++) {
		const struct slt_call_part *o = &c->part[i];
		if ((p->value && o->value && strcmp(p->value, o->value) == 0) ||
		    (p->name && o->name && strcmp(p->name, o->name) == 0)) {
			return false;
		}
	}
	c->part[c->n++] = *p;
	return true;
}

static bool parse_segments(const char *path, struct slt_arena *a, struct slt_call *c)
{
	const char *rest = *path ? path + 1 : NULL;

	if (*path && *path != '/') {
		return false;
	}
	while (rest) {
		struct slt_call_part p = {.name = NULL};
		if (!parse_what(cut(&rest, '/'), false, a, &p) || !add_part(c, &p)) {
			return false;
		}
	}
	c->n_segments = c->n;
	return true;
}

static bool parse_parameters(const char *query, struct slt_arena *a, struct slt_call *c)
{
	while (query) {
		struct slt_call_part p = {.name = NULL};
		struct slt_str s = cut(&query, '&');
		const char *equals = memchr(s.p, '=', s.n);
		if (!equals) {
			return false;
		}
		size_t n = (size_t)(equals - s.p);
		p.name = decode((struct slt_str){s.p, n}, true, a);
		if (!p.name || !*p.name ||
		    !parse_what((struct slt_str){equals + 1, s.n - n - 1}, true, a, &p) ||
		    !add_part(c, &p)) {
			return false;
		}
	}
	return true;
}

bool slt_call_parse(const char *text, struct slt_arena *a, struct slt_call *ret,
		    struct slt_err *err)
{
	const char *mark = NULL;

	*ret = (struct slt_call){.text = slt_arena_strdup(a, text)};
	/* the question mark of {name?} is none that begins a query */
	for (const char *p = ret->text; *p && !mark; p++) {
		mark = *p == '?' && p[1] != '}' ? p : NULL;
	}
	const char *path =
		mark ? slt_arena_strndup(a, ret->text, (size_t)(mark - ret->text)) : ret->text;
	if (strlen(text) > SLT_CALL_BYTES || !parse_segments(path, a, ret) ||
	    !parse_parameters(mark ? mark + 1 : NULL, a, ret)) {
		return slt_fail(
			err, SLT_EINVAL,
			"call '%.200s': write /segment/{value}?parameter={value}, each name "
			"once, {value?} for a parameter that may be left out",
			text);
	}
	return true;
}

bool slt_call_same(const struct slt_call *a, const struct slt_call *b)
{
	size_t n[2] = {0, 0};

	for (size_t i = 0; i < a->n; i++) {
		n[0] += a->part[i].value != NULL;
		bool found = !a->part[i].value;
		for (size_t k = 0; k < b->n && !found; k++) {
			found = b->part[k].value && a->part[i].optional == b->part[k].optional &&
				strcmp(a->part[i].value, b->part[k].value) == 0;
		}
		if (!found) {
			return false;
		}
	}
	for (size_t k = 0; k < b->n; k++) {
		n[1] += b->part[k].value != NULL;
	}
	return n[0] == n[1];
}

/* --- requests --- */

static bool take(const struct slt_call_part *p, const char *text, struct slt_call_values *v)
{
	if (!text || p->literal) {
		return text && strcmp(text, p->literal) == 0;
	}
	v->v[v->n].name = p->value;
	v->v[v->n++].value = text;
	return true;
}

static bool read_segments(const struct slt_call *c, const char *path, struct slt_arena *a,
			  struct slt_call_values *v)
{
	const char *rest = *path == '/' ? path + 1 : NULL;
	size_t i = 0;

	for (; rest && i < c->n_segments; i++) {
		const char *text = decode(cut(&rest, '/'), false, a);
		if (!text || !*text || !take(&c->part[i], text, v)) {
			return false;
		}
	}
	return !rest && i == c->n_segments && (!*path || *path == '/');
}

static size_t parameter(const struct slt_call *c, const char *name)
{
	size_t i = c->n_segments;

	while (i < c->n && strcmp(c->part[i].name, name) != 0) {
		i++;
	}
	return i;
}

static bool read_parameters(const struct slt_call *c, const char *query, struct slt_arena *a,
			    struct slt_call_values *v)
{
	bool seen[SLT_CALL_PARTS] = {false};

	while (query) {
		struct slt_str s = cut(&query, '&');
		const char *equals = memchr(s.p, '=', s.n);
		size_t n = equals ? (size_t)(equals - s.p) : s.n;
		const char *name = decode((struct slt_str){s.p, n}, true, a);
		size_t i = name ? parameter(c, name) : c->n;
		if (!equals || i == c->n || seen[i] ||
		    !take(&c->part[i], decode((struct slt_str){equals + 1, s.n - n - 1}, true, a),
			  v)) {
			return false;
		}
		seen[i] = true;
	}
	for (size_t i = c->n_segments; i < c->n; i++) {
		if (!seen[i] && !c->part[i].optional) {
			return false;
		}
	}
	return true;
}

bool slt_call_read(const struct slt_call *c, const char *path, const char *query,
		   struct slt_arena *a, struct slt_call_values *ret)
{
	ret->n = 0;
	return strlen(path) <= SLT_CALL_BYTES && (!query || strlen(query) <= SLT_CALL_BYTES) &&
	       read_segments(c, path, a, ret) && read_parameters(c, query, a, ret);
}

static const char *value_named(const struct slt_call_values *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->v[i].name, name) == 0) {
			return v->v[i].value;
		}
	}
	return NULL;
}

static bool has_place(const struct slt_call *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->part[i].value && strcmp(c->part[i].value, name) == 0) {
			return true;
		}
	}
	return false;
}

bool slt_call_write(const struct slt_call *c, const struct slt_call_values *v, struct slt_buf *path,
		    struct slt_buf *query, bool *ret_query, struct slt_err *err)
{
	*ret_query = false;
	for (size_t i = 0; i < v->n; i++) {
		if (!has_place(c, v->v[i].name)) {
			return slt_fail(err, SLT_FED_STR_002,
					"the call '%.200s' has no place for the value %.64s",
					c->text, v->v[i].name);
		}
	}
	for (size_t i = 0; i < c->n; i++) {
		const struct slt_call_part *p = &c->part[i];
		const char *text = p->literal ? p->literal : value_named(v, p->value);
		struct slt_buf *out = p->name ? query : path;
		if (!text && p->optional) {
			continue;
		}
		if (!text || (p->value && !p->name && !is_segment(text))) {
			return slt_fail(
				err, SLT_FED_STR_003, "the call '%.200s' needs %s %.64s", c->text,
				text ? "one segment of a path as value" : "the value", p->value);
		}
		slt_buf_adds(out, !p->name ? "/" : *ret_query ? "&" : "");
		if (p->name) {
			encode(p->name, out);
			slt_buf_addc(out, '=');
			*ret_query = true;
		}
		encode(text, out);
	}
	return true;
}
