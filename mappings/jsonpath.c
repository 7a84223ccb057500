/* SPDX-License-Identifier: MIT */
#include "mappings/jsonpath.h"

#include <string.h>

#include "mappings/json_doc.h"
#include "mappings/path_grammar.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* --- texts in quotes --- */

static bool hex4(struct slt_path_reader *s, struct slt_buf *b)
{
	unsigned v = 0;

	for (unsigned i = 0; i < 4; i++) {
		static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
		char c = s->p[i];
		const char *l = c ? strchr(lower, c) : NULL, *u = c ? strchr(upper, c) : NULL;
		if (!l && !u) {
			return slt_path_fail(s, "four hexadecimal digits are expected after \\u");
		}
		v = v * 16 + (unsigned)(l ? l - lower : u - upper);
	}
	if (v < 0x20 || v > 0x7e) {
		return slt_path_fail(s, "write the character itself instead of this escape");
	}
	slt_buf_addc(b, (char)v);
	s->p += 4;
	return true;
}

static bool escape(struct slt_path_reader *s, char quote, struct slt_buf *b)
{
	static const char from[] = "\\/nrt", to[] = "\\/\n\r\t";
	char c = *s->p;
	const char *at = c ? strchr(from, c) : NULL;

	if (c == 'u') {
		s->p++;
		return hex4(s, b);
	}
	if (!at && c != quote) {
		return slt_path_fail(s, "no escape that is understood");
	}
	slt_buf_addc(b, at ? to[at - from] : quote);
	s->p++;
	return true;
}

static bool parse_quoted(struct slt_path_reader *s, const char **ret)
{
	SLT_AUTO_BUF(b, SLT_PATH_BYTES + 1);
	char quote = *s->p++;

	while (*s->p != quote) {
		if (*s->p == '\0' || (unsigned char)*s->p < 0x20) {
			return slt_path_fail(s, "the text in quotes does not end");
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

static bool parse_segments(struct slt_path_reader *s, struct slt_path *path, bool inside);

static bool negate(struct slt_path_reader *s, struct slt_pred **p)
{
	struct slt_pred *n = slt_path_new_pred(s, SLT_PRED_NOT);

	if (!n) {
		return false;
	}
	n->a = *p;
	*p = n;
	return true;
}

/* The value has the type: the attribute that the tree keeps it in. */
static struct slt_pred *of_type(struct slt_path_reader *s, const char *type)
{
	struct slt_pred *p = slt_path_new_pred(s, SLT_PRED_EQ);

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

static bool parse_literal(struct slt_path_reader *s, struct literal *ret)
{
	static const struct literal words[] = {
		{"boolean", "true"}, {"boolean", "false"}, {"null", "null"}};

	slt_path_skip(s);
	if (*s->p == '\'' || *s->p == '"') {
		ret->type = "string";
		return parse_quoted(s, &ret->text);
	}
	for (size_t i = 0; i < SLT_COUNT(words); i++) {
		size_t n = strlen(words[i].text);
		if (strncmp(s->p, words[i].text, n) == 0 && !slt_path_is_name_start(s->p[n]) &&
		    !is_digit(s->p[n])) {
			s->p += n;
			*ret = words[i];
			ret->text = i == 2 ? NULL : words[i].text;
			return true;
		}
	}
	if (is_digit(*s->p) || *s->p == '-') {
		return slt_path_fail(s,
				     "numbers are not compared here: use a number rule or a guard");
	}
	return slt_path_fail(s, "a text in quotes, true, false or null is expected");
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

static bool add_comparison(struct slt_path_reader *s, struct slt_path *path,
			   const struct literal *l, bool equal, struct slt_pred **ret)
{
	struct slt_pred *type = of_type(s, l->type), *p = type;

	if (!type) {
		return false;
	}
	if (!is_singular(path)) {
		return slt_path_fail(s, "only a path of names can be compared");
	}
	if (path->n > 0) {
		/* the last step must have the type */
		path->step[path->n - 1].pred = type;
		p = slt_path_new_pred(s, l->text ? SLT_PRED_EQ : SLT_PRED_EXISTS);
		if (!p) {
			return false;
		}
		p->path = path;
		p->literal = l->text;
	} else if (l->text) {
		struct slt_pred *same = slt_path_new_pred(s, SLT_PRED_EQ);
		if (!same) {
			return false;
		}
		same->path = path;
		same->literal = l->text;
		if (!slt_path_join_preds(s, SLT_PRED_AND, &p, same)) {
			return false;
		}
	}
	*ret = p;
	/* a member that is missing differs from every value */
	return equal || negate(s, ret);
}

static bool parse_operator(struct slt_path_reader *s, bool *ret_equal)
{
	if (slt_path_take(s, "==")) {
		*ret_equal = true;
		return true;
	}
	if (slt_path_take(s, "!=")) {
		*ret_equal = false;
		return true;
	}
	return slt_path_fail(s, "== or != is expected");
}

static bool parse_query(struct slt_path_reader *s, struct slt_path **ret)
{
	struct slt_path *path = slt_arena_alloc(s->a, sizeof(*path));

	slt_path_skip(s);
	path->text = s->p;
	path->json = true;
	if (*s->p == '$') {
		return slt_path_fail(s, "a filter looks at @ only");
	}
	if (*s->p != '@') {
		return slt_path_fail(s, slt_path_is_name_start(*s->p)
						? "functions are not understood"
						: "@ or a value is expected");
	}
	s->p++;
	*ret = path;
	return parse_segments(s, path, true);
}

static bool exists(struct slt_path_reader *s, struct slt_path *path, struct slt_pred **ret)
{
	struct slt_pred *p = slt_path_new_pred(s, SLT_PRED_EXISTS);

	if (p) {
		p->path = path;
		*ret = p;
	}
	return p != NULL;
}

static bool parse_test(struct slt_path_reader *s, struct slt_pred **ret)
{
	struct slt_path *path = NULL;
	struct literal l = {NULL, NULL};
	bool equal = true;

	slt_path_skip(s);
	if (*s->p != '@' && *s->p != '$' &&
	    (!slt_path_is_name_start(*s->p) || *s->p == 't' || *s->p == 'f' || *s->p == 'n')) {
		/* the value may stand on the left */
		return parse_literal(s, &l) && parse_operator(s, &equal) && parse_query(s, &path) &&
		       add_comparison(s, path, &l, equal, ret);
	}
	if (!parse_query(s, &path)) {
		return false;
	}
	slt_path_skip(s);
	if (*s->p == '<' || *s->p == '>') {
		return slt_path_fail(s, "only == and != are understood");
	}
	if (*s->p == '=' || (*s->p == '!' && s->p[1] == '=')) {
		return parse_operator(s, &equal) && parse_literal(s, &l) &&
		       add_comparison(s, path, &l, equal, ret);
	}
	return exists(s, path, ret);
}

/* Behind a "!": RFC 9535 lets it stand before a parenthesis or a path, not a comparison. */
static bool parse_not(struct slt_path_reader *s, struct slt_pred **ret)
{
	struct slt_path *path = NULL;
	bool good;

	slt_path_skip(s);
	if (slt_path_take(s, "(")) {
		good = slt_path_read_or(s, ret) &&
		       (slt_path_take(s, ")") || slt_path_fail(s, ") is expected"));
	} else {
		good = parse_query(s, &path) && exists(s, path, ret);
		slt_path_skip(s);
		if (good && (*s->p == '=' || (*s->p == '!' && s->p[1] == '='))) {
			return slt_path_fail(s, "! before a comparison needs parentheses");
		}
	}
	return good && negate(s, ret);
}

static bool parse_unary(struct slt_path_reader *s, struct slt_pred **ret)
{
	bool good;

	if (++s->depth > 16) {
		return slt_path_fail(s, "nested too deeply");
	}
	slt_path_skip(s);
	if (*s->p == '!') {
		s->p++;
		good = parse_not(s, ret);
	} else if (slt_path_take(s, "(")) {
		good = slt_path_read_or(s, ret) &&
		       (slt_path_take(s, ")") || slt_path_fail(s, ") is expected"));
	} else {
		good = parse_test(s, ret);
	}
	s->depth--;
	return good;
}

/* Behind the "?", up to what ends it. */
static bool parse_filter(struct slt_path_reader *s, struct slt_step *step)
{
	const char *begin = s->p;

	if (++s->depth > 16) {
		return slt_path_fail(s, "nested too deeply");
	}
	if (!slt_path_read_or(s, &step->pred)) {
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

static bool parse_shorthand(struct slt_path_reader *s, struct slt_step *step)
{
	const char *begin = s->p;

	if (*s->p == '*') {
		s->p++;
		step->test.any_uri = true;
		return true;
	}
	if (!slt_path_is_name_start(*s->p)) {
		return slt_path_fail(s, "a name or * is expected (other names go in ['…'])");
	}
	while (slt_path_is_name_start(*s->p) || is_digit(*s->p)) {
		s->p++;
	}
	name_step(step, slt_arena_strndup(s->a, begin, (size_t)(s->p - begin)));
	return true;
}

/* Behind the "[". */
static bool parse_bracket(struct slt_path_reader *s, struct slt_step *step)
{
	const char *name = NULL;

	slt_path_skip(s);
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
		return slt_path_fail(
			s, "indices and slices are not understood: a rule holds for every "
			   "member, write [*] or a filter");
	} else {
		return slt_path_fail(s, "a name in quotes, * or ? is expected");
	}
	if (slt_path_take(s, ",")) {
		return slt_path_fail(s, "one selector in a bracket: write another rule");
	}
	return slt_path_take(s, "]") || slt_path_fail(s, "] is expected");
}

/* inside: within a filter, where ".." is refused so that a test costs no walk. */
static bool parse_segments(struct slt_path_reader *s, struct slt_path *path, bool inside)
{
	size_t n = path->n;

	if (!path->step) {
		path->step = slt_arena_alloc(s->a, SLT_PATH_STEPS * sizeof(*path->step));
	}
	for (;; n++) {
		const char *before = s->p;
		bool descendant = false, good;

		slt_path_skip(s);
		path->n = n;
		if (*s->p != '.' && *s->p != '[') {
			s->p = before;
			return true;
		}
		if (n == SLT_PATH_STEPS) {
			return slt_path_fail(s, "too many steps");
		}
		struct slt_step *step = &path->step[n];
		if (s->p[0] == '.' && s->p[1] == '.') {
			if (inside) {
				return slt_path_fail(s, ".. is not understood in a filter");
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
static void root_step(struct slt_path_reader *s, struct slt_path *path)
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

static bool joined(struct slt_path_reader *s, enum slt_pred_kind kind)
{
	return slt_path_take(s, kind == SLT_PRED_AND ? "&&" : "||");
}

bool slt_jsonpath_parse(const char *text, struct slt_arena *a, struct slt_path **ret,
			struct slt_err *err)
{
	if (strlen(text) > SLT_PATH_BYTES) {
		return slt_fail(err, SLT_EINVAL, "a path of more than %d bytes", SLT_PATH_BYTES);
	}
	char *copy = slt_arena_strdup(a, text);
	struct slt_path_reader s = {.text = copy,
				    .p = copy,
				    .a = a,
				    .err = err,
				    .blanks = " \t\r\n",
				    .unary = parse_unary,
				    .joined = joined};
	struct slt_path *path = slt_arena_alloc(a, sizeof(*path));
	bool good;

	slt_path_skip(&s);
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
		good = slt_path_fail(&s, "a path begins with $, @ or ?");
		break;
	}
	slt_path_skip(&s);
	if (!good || *s.p) {
		return good ? slt_path_fail(&s, "this is not understood") : false;
	}
	*ret = path;
	return true;
}
