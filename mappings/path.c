/* SPDX-License-Identifier: MIT */
#include "mappings/path.h"

#include <string.h>

#include "mappings/jsonpath.h"
#include "mappings/path_grammar.h"

static bool is_name(char c)
{
	return slt_path_is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static size_t name_length(const char *p)
{
	size_t n = 0;

	if (slt_path_is_name_start(p[0])) {
		while (is_name(p[n])) {
			n++;
		}
	}
	return n;
}

const char *slt_prefix_uri(const struct slt_prefixes *p, const char *prefix, size_t n)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strlen(p->v[i].prefix) == n && memcmp(p->v[i].prefix, prefix, n) == 0) {
			return p->v[i].uri;
		}
	}
	return NULL;
}

static bool parse_test(struct slt_path_reader *s, struct slt_test *t)
{
	*t = (struct slt_test){.uri = NULL};
	if (*s->p == '*') {
		s->p++;
		t->any_uri = true;
		if (*s->p != ':') {
			return true;
		}
		s->p++;
		size_t local = name_length(s->p);
		if (local == 0) {
			return slt_path_fail(s, "a name is expected after *:");
		}
		t->local = slt_arena_strndup(s->a, s->p, local);
		s->p += local;
		return true;
	}
	size_t n = name_length(s->p);
	if (n == 0) {
		return slt_path_fail(
			s, "a name is expected (positions, functions, .. are not understood)");
	}
	const char *first = s->p;
	s->p += n;
	if (*s->p != ':') {
		t->local = slt_arena_strndup(s->a, first, n);
	} else {
		t->uri = slt_prefix_uri(s->prefixes, first, n);
		if (!t->uri) {
			s->p = first;
			return slt_path_fail(s, "the prefix is not among the namespaces");
		}
		s->p++;
		if (*s->p == '*') {
			s->p++;
			return true;
		}
		n = name_length(s->p);
		if (n == 0) {
			return slt_path_fail(s, "a name is expected after the prefix");
		}
		t->local = slt_arena_strndup(s->a, s->p, n);
		s->p += n;
	}
	if (*s->p == ':' || *s->p == '(') {
		return slt_path_fail(s, "axes and functions are not understood");
	}
	return true;
}

static bool parse_steps(struct slt_path_reader *s, struct slt_path *path, bool inside);

static bool parse_literal(struct slt_path_reader *s, const char **ret)
{
	slt_path_skip(s);
	char quote = *s->p;
	const char *end = quote == '\'' || quote == '"' ? strchr(s->p + 1, quote) : NULL;

	if (!end) {
		return slt_path_fail(s, "a text in quotes is expected");
	}
	*ret = slt_arena_strndup(s->a, s->p + 1, (size_t)(end - s->p) - 1);
	s->p = end + 1;
	return true;
}

static bool parse_test_pred(struct slt_path_reader *s, struct slt_pred **ret)
{
	struct slt_pred *p = slt_path_new_pred(s, SLT_PRED_EXISTS);

	if (!p) {
		return false;
	}
	slt_path_skip(s);
	p->path = slt_arena_alloc(s->a, sizeof(*p->path));
	p->path->text = s->p;
	if (!parse_steps(s, p->path, true)) {
		return false;
	}
	*ret = p;
	if (slt_path_take(s, "!=")) {
		p->kind = SLT_PRED_NE;
		return parse_literal(s, &p->literal);
	}
	if (slt_path_take(s, "=")) {
		p->kind = SLT_PRED_EQ;
		return parse_literal(s, &p->literal);
	}
	return true;
}

static bool parse_unary(struct slt_path_reader *s, struct slt_pred **ret)
{
	bool good;

	if (++s->depth > 16) {
		return slt_path_fail(s, "nested too deeply");
	}
	if (slt_path_take(s, "not(")) {
		*ret = slt_path_new_pred(s, SLT_PRED_NOT);
		good = *ret && slt_path_read_or(s, &(*ret)->a) &&
		       (slt_path_take(s, ")") || slt_path_fail(s, ") is expected"));
	} else if (slt_path_take(s, "(")) {
		good = slt_path_read_or(s, ret) &&
		       (slt_path_take(s, ")") || slt_path_fail(s, ") is expected"));
	} else {
		good = parse_test_pred(s, ret);
	}
	s->depth--;
	return good;
}

static bool take_word(struct slt_path_reader *s, const char *word)
{
	size_t n = strlen(word);

	slt_path_skip(s);
	if (strncmp(s->p, word, n) != 0 || is_name(s->p[n])) {
		return false;
	}
	s->p += n;
	return true;
}

static bool joined(struct slt_path_reader *s, enum slt_pred_kind kind)
{
	return take_word(s, kind == SLT_PRED_AND ? "and" : "or");
}

static bool parse_preds(struct slt_path_reader *s, struct slt_step *step)
{
	const char *begin = s->p;

	while (*s->p == '[') {
		struct slt_pred *p = NULL;

		s->p++;
		if (!slt_path_read_or(s, &p)) {
			return false;
		}
		if (!slt_path_take(s, "]")) {
			return slt_path_fail(s, "] is expected");
		}
		if (!step->pred) {
			step->pred = p;
		} else if (!slt_path_join_preds(s, SLT_PRED_AND, &step->pred, p)) {
			return false;
		}
	}
	step->pred_text = slt_arena_strndup(s->a, begin, (size_t)(s->p - begin));
	return true;
}

static bool parse_step(struct slt_path_reader *s, struct slt_path *path, bool descendant)
{
	if (path->n == SLT_PATH_STEPS) {
		return slt_path_fail(s, "too many steps");
	}
	struct slt_step *step = &path->step[path->n++];
	step->descendant = descendant;
	if (*s->p == '@') {
		s->p++;
		step->attribute = true;
		step->pred_text = "";
		if (descendant && path->n == 1) {
			return slt_path_fail(s, "an attribute needs its element before it");
		}
		return parse_test(s, &step->test) &&
		       (step->test.local || slt_path_fail(s, "an attribute needs its name"));
	}
	return parse_test(s, &step->test) && parse_preds(s, step);
}

/* inside: within a predicate, where "//" is refused so that a test costs no walk. */
static bool parse_steps(struct slt_path_reader *s, struct slt_path *path, bool inside)
{
	bool descendant = false;

	path->step = slt_arena_alloc(s->a, SLT_PATH_STEPS * sizeof(*path->step));
	if (*s->p == '.' && s->p[1] != '.' && s->p[1] != '/') {
		s->p++;
		return true;
	}
	if (*s->p == '/') {
		if (inside) {
			return slt_path_fail(s, "a predicate's path begins with a name or @");
		}
		s->p++;
		descendant = *s->p == '/';
		s->p += descendant;
		path->absolute = !descendant;
	}
	for (;;) {
		if (!parse_step(s, path, descendant)) {
			return false;
		}
		if (*s->p != '/') {
			return true;
		}
		if (path->step[path->n - 1].attribute) {
			return slt_path_fail(s, "nothing can follow an attribute");
		}
		s->p++;
		descendant = *s->p == '/';
		if (descendant && inside) {
			return slt_path_fail(s, "// is not understood in a predicate");
		}
		s->p += descendant;
	}
}

bool slt_path_parse(const char *text, const struct slt_prefixes *prefixes, struct slt_arena *a,
		    struct slt_path **ret, struct slt_err *err)
{
	if (slt_jsonpath_is(text)) {
		return slt_jsonpath_parse(text, a, ret, err);
	}
	if (strlen(text) > SLT_PATH_BYTES) {
		return slt_fail(err, SLT_EINVAL, "a path of more than %d bytes", SLT_PATH_BYTES);
	}
	char *copy = slt_arena_strdup(a, text);
	struct slt_path_reader s = {.text = copy,
				    .p = copy,
				    .prefixes = prefixes,
				    .a = a,
				    .err = err,
				    .blanks = " ",
				    .unary = parse_unary,
				    .joined = joined};
	struct slt_path *first = NULL, **link = &first;
	unsigned n = 0;

	do {
		struct slt_path *path = slt_arena_alloc(a, sizeof(*path));
		if (++n > SLT_PATH_ALTERNATIVES) {
			return slt_path_fail(&s, "too many alternatives");
		}
		slt_path_skip(&s);
		path->text = copy;
		if (!parse_steps(&s, path, false)) {
			return false;
		}
		*link = path;
		link = &path->next;
	} while (slt_path_take(&s, "|"));
	if (*s.p) {
		return slt_path_fail(&s, "this is not understood");
	}
	*ret = first;
	return true;
}

/* --- applying ------------------------------------------------------------------------------ */

bool slt_test_matches(const struct slt_test *t, const xmlNode *node)
{
	const char *name = (const char *)node->name;
	/* most names differ in their first letters already */
	if (t->local &&
	    (name[0] != t->local[0] || name[1] != t->local[1] || strcmp(name, t->local) != 0)) {
		return false;
	}
	if (t->any_uri) {
		return true;
	}
	const char *uri = node->ns ? (const char *)node->ns->href : NULL;
	return t->uri ? uri && strcmp(uri, t->uri) == 0 : !uri;
}

static bool each(const struct slt_path *p, size_t i, xmlNode *context, slt_path_fn *fn, void *arg);

static bool each_attribute(const struct slt_step *s, xmlNode *context, slt_path_fn *fn, void *arg)
{
	for (xmlAttr *a = context->properties; a; a = a->next) {
		xmlNode *n = (xmlNode *)(void *)a;
		if (slt_test_matches(&s->test, n) && !fn(arg, n)) {
			return false;
		}
	}
	return true;
}

static bool arrive(const struct slt_path *p, size_t i, xmlNode *node, slt_path_fn *fn, void *arg)
{
	return i + 1 == p->n ? fn(arg, node) : each(p, i + 1, node, fn, arg);
}

static xmlNode *next_below(xmlNode *n, const xmlNode *top)
{
	if (n->type == XML_ELEMENT_NODE && n->children) {
		return n->children;
	}
	while (n != top && !n->next) {
		n = n->parent;
	}
	return n == top ? NULL : n->next;
}

static bool try_node(const struct slt_path *p, size_t i, xmlNode *n, slt_path_fn *fn, void *arg)
{
	const struct slt_step *s = &p->step[i];

	if (n->type != XML_ELEMENT_NODE) {
		return true;
	}
	if (s->attribute) {
		return !s->descendant || each_attribute(s, n, fn, arg);
	}
	return !slt_test_matches(&s->test, n) || !slt_pred_holds(s->pred, n) ||
	       arrive(p, i, n, fn, arg);
}

/* Steps i… from the children of the context. */
static bool each(const struct slt_path *p, size_t i, xmlNode *context, slt_path_fn *fn, void *arg)
{
	const struct slt_step *s = &p->step[i];

	if (s->attribute && !each_attribute(s, context, fn, arg)) {
		return false;
	}
	if (s->descendant) {
		for (xmlNode *n = next_below(context, context); n; n = next_below(n, context)) {
			if (!try_node(p, i, n, fn, arg)) {
				return false;
			}
		}
		return true;
	}
	for (xmlNode *n = s->attribute ? NULL : context->children; n; n = n->next) {
		if (!try_node(p, i, n, fn, arg)) {
			return false;
		}
	}
	return true;
}

bool slt_path_try(const struct slt_path *p, xmlNode *node, slt_path_fn *fn, void *arg)
{
	return try_node(p, 0, node, fn, arg);
}

bool slt_path_each_of_one(const struct slt_path *p, xmlNode *context, slt_path_fn *fn, void *arg)
{
	if (p->n == 0) {
		return fn(arg, context);
	}
	if (!p->absolute) {
		return each(p, 0, context, fn, arg);
	}
	if (slt_test_matches(&p->step[0].test, context) &&
	    slt_pred_holds(p->step[0].pred, context)) {
		return arrive(p, 0, context, fn, arg);
	}
	return true;
}

void slt_path_each(const struct slt_path *p, xmlNode *context, slt_path_fn *fn, void *arg)
{
	bool more = context != NULL;

	for (; more && p; p = p->next) {
		more = slt_path_each_of_one(p, context, fn, arg);
	}
}

static bool first_found(void *arg, xmlNode *node)
{
	*(xmlNode **)arg = node;
	return false;
}

xmlNode *slt_path_first(const struct slt_path *p, xmlNode *context)
{
	xmlNode *found = NULL;

	slt_path_each(p, context, first_found, &found);
	return found;
}

/* Compares an element's or attribute's text with a literal piece by piece, copying nothing. */
static bool text_rest(const xmlNode *n, const char **literal)
{
	for (; n; n = n->next) {
		if (n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) {
			size_t len = strlen((const char *)n->content);
			if (strncmp((const char *)n->content, *literal, len) != 0) {
				return false;
			}
			*literal += len;
		} else if (n->type == XML_ELEMENT_NODE && !text_rest(n->children, literal)) {
			return false;
		}
	}
	return true;
}

struct compare {
	const char *literal;
	bool want, found;
};

static bool compare_one(void *arg, xmlNode *node)
{
	struct compare *c = arg;
	const char *rest = c->literal;
	bool same = text_rest(node->children, &rest) && *rest == '\0';

	c->found = same == c->want;
	return !c->found;
}

bool slt_pred_holds(const struct slt_pred *p, const xmlNode *element)
{
	if (!p) {
		return true;
	}
	/* the path functions hand out nodes that may be changed; here nothing is */
	xmlNode *context;
	memcpy(&context, &element, sizeof(context));
	struct compare c = {.literal = p->literal, .want = p->kind == SLT_PRED_EQ};

	switch (p->kind) {
	case SLT_PRED_AND:
		return slt_pred_holds(p->a, element) && slt_pred_holds(p->b, element);
	case SLT_PRED_OR:
		return slt_pred_holds(p->a, element) || slt_pred_holds(p->b, element);
	case SLT_PRED_NOT:
		return !slt_pred_holds(p->a, element);
	case SLT_PRED_EXISTS:
		return slt_path_first(p->path, context) != NULL;
	case SLT_PRED_EQ:
	case SLT_PRED_NE:
		slt_path_each(p->path, context, compare_one, &c);
		return c.found;
	}
	return false;
}

const char *slt_path_value(struct slt_arena *a, const xmlNode *node)
{
	if (!node) {
		return NULL;
	}
	if (node->type == XML_ATTRIBUTE_NODE && node->children && !node->children->next &&
	    node->children->type == XML_TEXT_NODE) {
		return slt_arena_strdup(a, (const char *)node->children->content);
	}
	return slt_xml_text(a, node);
}

const char *slt_attr(struct slt_arena *a, const xmlNode *element, const char *name)
{
	for (const xmlAttr *x = element->properties; x; x = x->next) {
		if (!x->ns && x->name[0] == (xmlChar)name[0] &&
		    strcmp((const char *)x->name, name) == 0) {
			return slt_path_value(a, (const xmlNode *)(const void *)x);
		}
	}
	return NULL;
}
