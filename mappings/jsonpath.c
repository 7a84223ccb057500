/* SPDX-License-Identifier: MIT */
#include "mappings/jsonpath.h"

#include <string.h>

#include "mappings/json_doc.h"

struct parser {
	const char *text, *p;
	struct slt_arena *a;
	unsigned preds, depth;
	struct slt_err *err;
};

static bool fail(const struct parser *s, const char *what)
{
	return slt_fail(s->err, SLT_EINVAL, "path '%.80s', character %zu: %s", s->text,
			(size_t)(s->p - s->text) + 1, what);
}

static void skip(struct parser *s)
{
	while (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r') {
		s->p++;
	}
}

static bool take(struct parser *s, const char *what)
{
	size_t n = strlen(what);

	skip(s);
	if (strncmp(s->p, what, n) != 0) {
		return false;
	}
	s->p += n;
	return true;
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* --- texts in quotes --- */

static bool hex4(struct parser *s, struct slt_buf *b)
{
	unsigned v = 0;

	for (unsigned i = 0; i < 4; i++) {
		static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
		char c = s->p[i];
		const char *l = c ? strchr(lower, c) : NULL, *u = c ? strchr(upper, c) : NULL;
		if (!l && !u) {
			return fail(s, "four hexadecimal digits are expected after \\u");
		}
		v = v * 16 + (unsigned)(l ? l - lower : u - upper);
	}
	if (v < 0x20 || v > 0x7e) {
		return fail(s, "write the character itself instead of this escape");
	}
	slt_buf_addc(b, (char)v);
	s->p += 4;
	return true;
}

static bool escape(struct parser *s, char quote, struct slt_buf *b)
{
	static const char from[] = "\\/nrt", to[] = "\\/\n\r\t";
	char c = *s->p;
	const char *at = c ? strchr(from, c) : NULL;

	if (c == 'u') {
		s->p++;
		return hex4(s, b);
	}
	if (!at && c != quote) {
		return fail(s, "no escape that is understood");
	}
	slt_buf_addc(b, at ? to[at - from] : quote);
	s->p++;
	return true;
}

static bool parse_quoted(struct parser *s, const char **ret)
{
	SLT_AUTO_BUF(b, SLT_PATH_BYTES + 1);
	char quote = *s->p++;

	while (*s->p != quote) {
		if (*s->p == '\0' || (unsigned char)*s->p < 0x20) {
			return fail(s, "the text in quotes does not end");
		}
		if (*s->p == '\\') {
			s->p++;
			if (!escape(s, quote, &b)) {
				return false;
			}
		} else {
			slt_buf_addc(&b, *s->p++);
		}
	}
	s->p++;
	struct slt_str t = slt_buf_str(&b);
	*ret = slt_arena_strndup(s->a, t.p, t.n);
	return true;
}

/* --- predicates --- */

static bool parse_or(struct parser *s, struct slt_pred **ret);
static bool parse_segments(struct parser *s, struct slt_path *path, bool inside);

static struct slt_pred *new_pred(struct parser *s, enum slt_pred_kind kind)
{
	if (++s->preds > SLT_PATH_PREDS) {
		fail(s, "too many predicates");
		return NULL;
	}
	struct slt_pred *p = slt_arena_alloc(s->a, sizeof(*p));
	p->kind = kind;
	return p;
}

static bool join(struct parser *s, enum slt_pred_kind kind, struct slt_pred **left,
		 struct slt_pred *right)
{
	struct slt_pred *p = new_pred(s, kind);

	if (!p) {
		return false;
	}
	p->a = *left;
	p->b = right;
	*left = p;
	return true;
}

static bool negate(struct parser *s, struct slt_pred **p)
{
	struct slt_pred *n = new_pred(s, SLT_PRED_NOT);

	if (!n) {
		return false;
	}
	n->a = *p;
	*p = n;
	return true;
}

/* The value has the type: the attribute that the tree keeps it in. */
static struct slt_pred *of_type(struct parser *s, const char *type)
{
	struct slt_pred *p = new_pred(s, SLT_PRED_EQ);

	if (p) {
		p->literal = type;
		p->path = slt_arena_alloc(s->a, sizeof(*p->path));
		p->path->step = slt_arena_alloc(s->a, sizeof(*p->path->step));
		p->path->n = 1;
		p->path->text = "type";
		p->path->step[0] = (struct slt_step){
			.attribute = true, .test = {.local = "type"}, .pred_text = ""};
	}
	return p;
}

struct literal {
	const char *type, *text; /* text NULL: null */
};

static bool parse_literal(struct parser *s, struct literal *ret)
{
	static const struct literal words[] = {
		{"boolean", "true"}, {"boolean", "false"}, {"null", "null"}};

	skip(s);
	if (*s->p == '\'' || *s->p == '"') {
		ret->type = "string";
		return parse_quoted(s, &ret->text);
	}
	for (size_t i = 0; i < SLT_COUNT(words); i++) {
		size_t n = strlen(words[i].text);
		if (strncmp(s->p, words[i].text, n) == 0 && !is_name_start(s->p[n]) &&
		    !is_digit(s->p[n])) {
			s->p += n;
			*ret = words[i];
			ret->text = i == 2 ? NULL : words[i].text;
			return true;
		}
	}
	if (is_digit(*s->p) || *s->p == '-') {
		return fail(s, "numbers are not compared here: use a number rule or a guard");
	}
	return fail(s, "a text in quotes, true, false or null is expected");
}

/* What RFC 9535 calls a singular query: names only. */
static bool is_singular(const struct slt_path *path)
{
	for (size_t i = 0; i < path->n; i++) {
		if (!path->step[i].test.local || path->step[i].pred) {
			return false;
		}
	}
	return true;
}

static bool add_comparison(struct parser *s, struct slt_path *path, const struct literal *l,
			   bool equal, struct slt_pred **ret)
{
	struct slt_pred *type = of_type(s, l->type), *p = type;

	if (!type) {
		return false;
	}
	if (!is_singular(path)) {
		return fail(s, "only a path of names can be compared");
	}
	if (path->n > 0) {
		/* the last step must have the type */
		path->step[path->n - 1].pred = type;
		p = new_pred(s, l->text ? SLT_PRED_EQ : SLT_PRED_EXISTS);
		if (!p) {
			return false;
		}
		p->path = path;
		p->literal = l->text;
	} else if (l->text) {
		struct slt_pred *same = new_pred(s, SLT_PRED_EQ);
		if (!same) {
			return false;
		}
		same->path = path;
		same->literal = l->text;
		if (!join(s, SLT_PRED_AND, &p, same)) {
			return false;
		}
	}
	*ret = p;
	/* a member that is missing differs from every value */
	return equal || negate(s, ret);
}

static bool parse_operator(struct parser *s, bool *ret_equal)
{
	if (take(s, "==")) {
		*ret_equal = true;
		return true;
	}
	if (take(s, "!=")) {
		*ret_equal = false;
		return true;
	}
	return fail(s, "== or != is expected");
}

static bool parse_query(struct parser *s, struct slt_path **ret)
{
	struct slt_path *path = slt_arena_alloc(s->a, sizeof(*path));

	skip(s);
	path->text = s->p;
	path->json = true;
	if (*s->p == '$') {
		return fail(s, "a filter looks at @ only");
	}
	if (*s->p != '@') {
		return fail(s, is_name_start(*s->p) ? "functions are not understood"
						    : "@ or a value is expected");
	}
	s->p++;
	*ret = path;
	return parse_segments(s, path, true);
}

static bool exists(struct parser *s, struct slt_path *path, struct slt_pred **ret)
{
	struct slt_pred *p = new_pred(s, SLT_PRED_EXISTS);

	if (p) {
		p->path = path;
		*ret = p;
	}
	return p != NULL;
}

static bool parse_test(struct parser *s, struct slt_pred **ret)
{
	struct slt_path *path = NULL;
	struct literal l = {NULL, NULL};
	bool equal = true;

	skip(s);
	if (*s->p != '@' && *s->p != '$' &&
	    (!is_name_start(*s->p) || *s->p == 't' || *s->p == 'f' || *s->p == 'n')) {
		/* the value may stand on the left */
		return parse_literal(s, &l) && parse_operator(s, &equal) && parse_query(s, &path) &&
		       add_comparison(s, path, &l, equal, ret);
	}
	if (!parse_query(s, &path)) {
		return false;
	}
	skip(s);
	if (*s->p == '<' || *s->p == '>') {
		return fail(s, "only == and != are understood");
	}
	if (*s->p == '=' || (*s->p == '!' && s->p[1] == '=')) {
		return parse_operator(s, &equal) && parse_literal(s, &l) &&
		       add_comparison(s, path, &l, equal, ret);
	}
	return exists(s, path, ret);
}

/* Behind a "!": RFC 9535 lets it stand before a parenthesis or a path, not a comparison. */
static bool parse_not(struct parser *s, struct slt_pred **ret)
{
	struct slt_path *path = NULL;
	bool good;

	skip(s);
	if (take(s, "(")) {
		good = parse_or(s, ret) && (take(s, ")") || fail(s, ") is expected"));
	} else {
		good = parse_query(s, &path) && exists(s, path, ret);
		skip(s);
		if (good && (*s->p == '=' || (*s->p == '!' && s->p[1] == '='))) {
			return fail(s, "! before a comparison needs parentheses");
		}
	}
	return good && negate(s, ret);
}

static bool parse_unary(struct parser *s, struct slt_pred **ret)
{
	bool good;

	if (++s->depth > 16) {
		return fail(s, "nested too deeply");
	}
	skip(s);
	if (*s->p == '!') {
		s->p++;
		good = parse_not(s, ret);
	} else if (take(s, "(")) {
		good = parse_or(s, ret) && (take(s, ")") || fail(s, ") is expected"));
	} else {
		good = parse_test(s, ret);
	}
	s->depth--;
	return good;
}

static bool parse_and(struct parser *s, struct slt_pred **ret)
{
	if (!parse_unary(s, ret)) {
		return false;
	}
	while (take(s, "&&")) {
		struct slt_pred *right = NULL;
		if (!parse_unary(s, &right) || !join(s, SLT_PRED_AND, ret, right)) {
			return false;
		}
	}
	return true;
}

static bool parse_or(struct parser *s, struct slt_pred **ret)
{
	if (!parse_and(s, ret)) {
		return false;
	}
	while (take(s, "||")) {
		struct slt_pred *right = NULL;
		if (!parse_and(s, &right) || !join(s, SLT_PRED_OR, ret, right)) {
			return false;
		}
	}
	return true;
}

/* Behind the "?", up to what ends it. */
static bool parse_filter(struct parser *s, struct slt_step *step)
{
	const char *begin = s->p;

	if (++s->depth > 16) {
		return fail(s, "nested too deeply");
	}
	if (!parse_or(s, &step->pred)) {
		return false;
	}
	s->depth--;
	step->pred_text = slt_arena_strndup(s->a, begin, (size_t)(s->p - begin));
	return true;
}

/* --- segments --- */

static void name_step(struct slt_step *step, const char *name)
{
	step->test = (struct slt_test){.uri = SLT_NS_JSON, .local = name};
}

static bool parse_shorthand(struct parser *s, struct slt_step *step)
{
	const char *begin = s->p;

	if (*s->p == '*') {
		s->p++;
		step->test.any_uri = true;
		return true;
	}
	if (!is_name_start(*s->p)) {
		return fail(s, "a name or * is expected (other names go in ['…'])");
	}
	while (is_name_start(*s->p) || is_digit(*s->p)) {
		s->p++;
	}
	name_step(step, slt_arena_strndup(s->a, begin, (size_t)(s->p - begin)));
	return true;
}

/* Behind the "[". */
static bool parse_bracket(struct parser *s, struct slt_step *step)
{
	const char *name = NULL;

	skip(s);
	if (*s->p == '\'' || *s->p == '"') {
		if (!parse_quoted(s, &name)) {
			return false;
		}
		name_step(step, name);
	} else if (*s->p == '*') {
		s->p++;
		step->test.any_uri = true;
	} else if (*s->p == '?') {
		s->p++;
		step->test.any_uri = true;
		if (!parse_filter(s, step)) {
			return false;
		}
	} else if (is_digit(*s->p) || *s->p == '-' || *s->p == ':') {
		return fail(s, "indices and slices are not understood: a rule holds for every "
			       "member, write [*] or a filter");
	} else {
		return fail(s, "a name in quotes, * or ? is expected");
	}
	if (take(s, ",")) {
		return fail(s, "one selector in a bracket: write another rule");
	}
	return take(s, "]") || fail(s, "] is expected");
}

/* inside: within a filter, where ".." is refused so that a test costs no walk. */
static bool parse_segments(struct parser *s, struct slt_path *path, bool inside)
{
	size_t n = path->n;

	if (!path->step) {
		path->step = slt_arena_alloc(s->a, SLT_PATH_STEPS * sizeof(*path->step));
	}
	for (;; n++) {
		const char *before = s->p;
		bool descendant = false, good;

		skip(s);
		path->n = n;
		if (*s->p != '.' && *s->p != '[') {
			s->p = before;
			return true;
		}
		if (n == SLT_PATH_STEPS) {
			return fail(s, "too many steps");
		}
		struct slt_step *step = &path->step[n];
		if (s->p[0] == '.' && s->p[1] == '.') {
			if (inside) {
				return fail(s, ".. is not understood in a filter");
			}
			descendant = true;
			s->p += 2;
		}
		step->descendant = descendant;
		step->pred_text = "";
		if (*s->p == '[') {
			s->p++;
			good = parse_bracket(s, step);
		} else {
			s->p += !descendant;
			good = parse_shorthand(s, step);
		}
		if (!good) {
			return false;
		}
	}
}

/* The document itself: the first step of an absolute path. */
static void root_step(struct parser *s, struct slt_path *path)
{
	path->absolute = true;
	path->step = slt_arena_alloc(s->a, SLT_PATH_STEPS * sizeof(*path->step));
	name_step(&path->step[0], "$");
	path->step[0].pred_text = "";
	path->n = 1;
}

bool slt_jsonpath_is(const char *text)
{
	text += strspn(text, " \t");
	return text[0] == '$' || text[0] == '?' ||
	       (text[0] == '@' && (text[1] == '.' || text[1] == '[' || text[1] == '\0'));
}

bool slt_jsonpath_parse(const char *text, struct slt_arena *a, struct slt_path **ret,
			struct slt_err *err)
{
	if (strlen(text) > SLT_PATH_BYTES) {
		return slt_fail(err, SLT_EINVAL, "a path of more than %d bytes", SLT_PATH_BYTES);
	}
	char *copy = slt_arena_strdup(a, text);
	struct parser s = {.text = copy, .p = copy, .a = a, .err = err};
	struct slt_path *path = slt_arena_alloc(a, sizeof(*path));
	bool good;

	skip(&s);
	path->text = copy;
	path->json = true;
	switch (*s.p++) {
	case '$':
		root_step(&s, path);
		good = parse_segments(&s, path, false);
		break;
	case '@':
		good = parse_segments(&s, path, false);
		break;
	case '?':
		root_step(&s, path);
		good = parse_filter(&s, &path->step[0]);
		break;
	default:
		s.p--;
		good = fail(&s, "a path begins with $, @ or ?");
		break;
	}
	skip(&s);
	if (!good || *s.p) {
		return good ? fail(&s, "this is not understood") : false;
	}
	*ret = path;
	return true;
}
