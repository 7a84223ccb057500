/* SPDX-License-Identifier: MIT */
#include "mappings/cond.h"

#include <string.h>

#include "mappings/date.h"

enum node_kind { N_AND, N_OR, N_NOT, N_COMPARE, N_IN };
enum compare { C_EQ, C_NE, C_LT, C_LE, C_GT, C_GE };
enum value_kind { V_FIELD, V_TEXT, V_NUMBER, V_DATE };

struct value {
	enum value_kind kind;
	const char *text; /* field name or literal text */
	struct slt_decimal number;
	uint32_t date;
};

struct node {
	enum node_kind kind;
	enum compare op;
	struct node *a, *b; /* AND, OR, NOT */
	struct value left;
	struct value *right; /* one for COMPARE, n for IN */
	size_t n;
};

struct slt_cond {
	struct node *root;
	const char *field[SLT_COND_NODES + 1];
	size_t n_fields;
};

struct parser {
	const char *text, *p;
	struct slt_arena *arena;
	struct slt_cond *cond;
	unsigned nodes, depth;
	struct slt_err *err;
};

static bool fail(const struct parser *s, const char *what)
{
	return slt_fail(s->err, SLT_EINVAL, "condition, character %zu: %s",
			(size_t)(s->p - s->text) + 1, what);
}

static void skip(struct parser *s)
{
	while (*s->p == ' ' || *s->p == '\t') {
		s->p++;
	}
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-';
}

static bool keyword(struct parser *s, const char *word)
{
	size_t n = strlen(word);

	skip(s);
	if (strncmp(s->p, word, n) != 0 || is_word(s->p[n])) {
		return false;
	}
	s->p += n;
	return true;
}

static bool symbol(struct parser *s, const char *sym)
{
	size_t n = strlen(sym);

	skip(s);
	if (strncmp(s->p, sym, n) != 0) {
		return false;
	}
	s->p += n;
	return true;
}

static struct node *new_node(struct parser *s, enum node_kind kind)
{
	if (++s->nodes > SLT_COND_NODES) {
		fail(s, "too long");
		return NULL;
	}
	struct node *n = slt_arena_alloc(s->arena, sizeof(*n));
	n->kind = kind;
	return n;
}

static bool parse_text(struct parser *s, struct value *v)
{
	const char *end = strchr(++s->p, '\'');

	if (!end) {
		return fail(s, "the text is not closed by '");
	}
	v->kind = V_TEXT;
	v->text = slt_arena_strndup(s->arena, s->p, (size_t)(end - s->p));
	s->p = end + 1;
	return true;
}

static bool parse_value(struct parser *s, struct value *v)
{
	skip(s);
	if (*s->p == '\'') {
		return parse_text(s, v);
	}
	struct slt_str word = {s->p, 0};
	while (is_word(word.p[word.n])) {
		word.n++;
	}
	if (word.n == 0) {
		return fail(s, "a field, 'text', number or date is expected");
	}
	v->text = slt_arena_strndup(s->arena, word.p, word.n);
	if (slt_date_parse_iso(word, &v->date)) {
		v->kind = V_DATE;
	} else if (slt_decimal_parse(word, '.', &v->number)) {
		v->kind = V_NUMBER;
	} else if ((word.p[0] >= '0' && word.p[0] <= '9') || word.p[0] == '-' || word.p[0] == '.') {
		return fail(s, "neither a number nor a date that exists");
	} else {
		v->kind = V_FIELD;
		if (s->cond->n_fields == SLT_COND_NODES) {
			return fail(s, "too many fields");
		}
		s->cond->field[s->cond->n_fields++] = v->text;
	}
	s->p += word.n;
	return true;
}

static bool parse_list(struct parser *s, struct node *n)
{
	if (!symbol(s, "(")) {
		return fail(s, "( is expected after in");
	}
	struct value list[SLT_COND_NODES];
	do {
		if (n->n == SLT_COND_NODES || ++s->nodes > SLT_COND_NODES) {
			return fail(s, "the list is too long");
		}
		list[n->n] = (struct value){.kind = V_TEXT};
		if (!parse_value(s, &list[n->n])) {
			return false;
		}
		if (list[n->n++].kind == V_FIELD) {
			return fail(s, "a list holds only texts, numbers and dates");
		}
	} while (symbol(s, ","));
	if (!symbol(s, ")")) {
		return fail(s, ") is expected after the list");
	}
	n->right = slt_arena_memdup(s->arena, list, n->n * sizeof(list[0]));
	return true;
}

static bool parse_op(struct parser *s, enum compare *ret)
{
	/* the longer symbols first */
	static const struct {
		const char *sym;
		enum compare op;
	} ops[] = {{"!=", C_NE}, {"<=", C_LE}, {">=", C_GE}, {"=", C_EQ}, {"<", C_LT}, {">", C_GT}};

	for (size_t i = 0; i < SLT_COUNT(ops); i++) {
		if (symbol(s, ops[i].sym)) {
			*ret = ops[i].op;
			return true;
		}
	}
	return fail(s, "a comparison (= != < <= > >= in) is expected");
}

static bool parse_comparison(struct parser *s, struct node **ret)
{
	struct node *n = new_node(s, N_COMPARE);

	if (!n || !parse_value(s, &n->left)) {
		return false;
	}
	bool negated = keyword(s, "not");
	if (keyword(s, "in")) {
		n->kind = N_IN;
		n->op = negated ? C_NE : C_EQ;
		*ret = n;
		return parse_list(s, n);
	}
	if (negated) {
		return fail(s, "in is expected after not");
	}
	struct value right = {.kind = V_TEXT};
	if (!parse_op(s, &n->op) || !parse_value(s, &right)) {
		return false;
	}
	if (n->op > C_NE && (n->left.kind == V_TEXT || right.kind == V_TEXT)) {
		return fail(s, "texts can only be compared with = and !=");
	}
	n->right = slt_arena_memdup(s->arena, &right, sizeof(right));
	n->n = 1;
	*ret = n;
	return true;
}

static bool parse_or(struct parser *s, struct node **ret);

static bool parse_not(struct parser *s, struct node **ret)
{
	bool good;

	if (++s->depth > SLT_COND_DEPTH) {
		return fail(s, "nested too deeply");
	}
	if (keyword(s, "not")) {
		struct node *n = new_node(s, N_NOT);
		good = n && parse_not(s, &n->a);
		*ret = n;
	} else if (symbol(s, "(")) {
		good = parse_or(s, ret) && (symbol(s, ")") || fail(s, ") is expected"));
	} else {
		good = parse_comparison(s, ret);
	}
	s->depth--;
	return good;
}

static bool join(struct parser *s, enum node_kind kind, struct node **left, struct node *right)
{
	struct node *n = new_node(s, kind);

	if (!n) {
		return false;
	}
	n->a = *left;
	n->b = right;
	*left = n;
	return true;
}

static bool parse_and(struct parser *s, struct node **ret)
{
	if (!parse_not(s, ret)) {
		return false;
	}
	while (keyword(s, "and")) {
		struct node *right = NULL;
		if (!parse_not(s, &right) || !join(s, N_AND, ret, right)) {
			return false;
		}
	}
	return true;
}

static bool parse_or(struct parser *s, struct node **ret)
{
	if (!parse_and(s, ret)) {
		return false;
	}
	while (keyword(s, "or")) {
		struct node *right = NULL;
		if (!parse_and(s, &right) || !join(s, N_OR, ret, right)) {
			return false;
		}
	}
	return true;
}

bool slt_cond_parse(const char *text, struct slt_arena *a, struct slt_cond **ret,
		    struct slt_err *err)
{
	struct parser s = {.text = text, .p = text, .arena = a, .err = err};
	struct node *root = NULL;

	if (strlen(text) > SLT_COND_BYTES) {
		return slt_fail(err, SLT_EINVAL, "a condition of more than %d bytes",
				SLT_COND_BYTES);
	}
	s.cond = slt_arena_alloc(a, sizeof(*s.cond));
	if (!parse_or(&s, &root)) {
		return false;
	}
	skip(&s);
	if (*s.p) {
		return fail(&s, "something is left over");
	}
	s.cond->root = root;
	*ret = s.cond;
	return true;
}

/* A value as it is compared: the literal, or what the document has. */
static struct slt_str text_of(const struct value *v, const struct slt_cond_fields *f)
{
	return v->kind == V_FIELD ? f->get(f->arg, v->text) : slt_str(v->text);
}

static bool number_of(const struct value *v, struct slt_str text, struct slt_decimal *ret)
{
	if (v->kind == V_NUMBER) {
		*ret = v->number;
		return true;
	}
	return v->kind == V_FIELD && slt_decimal_parse(text, '.', ret);
}

static bool date_of(const struct value *v, struct slt_str text, uint32_t *ret)
{
	if (v->kind == V_DATE) {
		*ret = v->date;
		return true;
	}
	return v->kind == V_FIELD && slt_date_parse(text, ret);
}

static bool holds(enum compare op, int cmp)
{
	switch (op) {
	case C_EQ:
		return cmp == 0;
	case C_NE:
		return cmp != 0;
	case C_LT:
		return cmp < 0;
	case C_LE:
		return cmp <= 0;
	case C_GT:
		return cmp > 0;
	case C_GE:
		return cmp >= 0;
	}
	return false;
}

static bool compare(enum compare op, const struct value *l, const struct value *r,
		    const struct slt_cond_fields *f)
{
	struct slt_str a = text_of(l, f), b = text_of(r, f);
	struct slt_decimal x, y;
	uint32_t d, e;

	if (!a.p || !b.p) {
		return op == C_NE;
	}
	if (l->kind == V_TEXT || r->kind == V_TEXT) {
		bool same = a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
		return same == (op == C_EQ);
	}
	/* eight digits are a date beside a date, a number beside a number */
	if (l->kind != V_NUMBER && r->kind != V_NUMBER && date_of(l, a, &d) && date_of(r, b, &e)) {
		return holds(op, (d > e) - (d < e));
	}
	if (number_of(l, a, &x) && number_of(r, b, &y)) {
		return holds(op, slt_decimal_cmp(x, y));
	}
	if (l->kind == V_FIELD && r->kind == V_FIELD && op <= C_NE) {
		bool same = a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
		return same == (op == C_EQ);
	}
	return op == C_NE;
}

static bool eval(const struct node *n, const struct slt_cond_fields *f)
{
	switch (n->kind) {
	case N_AND:
		return eval(n->a, f) && eval(n->b, f);
	case N_OR:
		return eval(n->a, f) || eval(n->b, f);
	case N_NOT:
		return !eval(n->a, f);
	case N_COMPARE:
		return compare(n->op, &n->left, n->right, f);
	case N_IN:
		for (size_t i = 0; i < n->n; i++) {
			if (compare(C_EQ, &n->left, &n->right[i], f)) {
				return n->op == C_EQ;
			}
		}
		return n->op == C_NE;
	}
	return false;
}

bool slt_cond_eval(const struct slt_cond *c, const struct slt_cond_fields *fields)
{
	return eval(c->root, fields);
}

const char *slt_cond_field(const struct slt_cond *c, size_t i)
{
	return i < c->n_fields ? c->field[i] : NULL;
}
