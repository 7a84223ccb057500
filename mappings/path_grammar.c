/* SPDX-License-Identifier: MIT */
#include "mappings/path_grammar.h"

#include <string.h>

bool slt_path_fail(const struct slt_path_reader *s, const char *what)
{
	return slt_fail(s->err, SLT_EINVAL, "path '%.80s', character %zu: %s", s->text,
			(size_t)(s->p - s->text) + 1, what);
}

void slt_path_skip(struct slt_path_reader *s)
{
	s->p += strspn(s->p, s->blanks);
}

bool slt_path_take(struct slt_path_reader *s, const char *what)
{
	size_t n = strlen(what);

	slt_path_skip(s);
	if (strncmp(s->p, what, n) != 0) {
		return false;
	}
	s->p += n;
	return true;
}

bool slt_path_is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

struct slt_pred *slt_path_new_pred(struct slt_path_reader *s, enum slt_pred_kind kind)
{
	if (++s->preds > SLT_PATH_PREDS) {
		slt_path_fail(s, "too many predicates");
		return NULL;
	}
	struct slt_pred *p = slt_arena_alloc(s->a, sizeof(*p));
	p->kind = kind;
	return p;
}

bool slt_path_join_preds(struct slt_path_reader *s, enum slt_pred_kind kind, struct slt_pred **left,
			 struct slt_pred *right)
{
	struct slt_pred *p = slt_path_new_pred(s, kind);

	if (!p) {
		return false;
	}
	p->a = *left;
	p->b = right;
	*left = p;
	return true;
}

static bool read_and(struct slt_path_reader *s, struct slt_pred **ret)
{
	if (!s->unary(s, ret)) {
		return false;
	}
	while (s->joined(s, SLT_PRED_AND)) {
		struct slt_pred *right = NULL;
		if (!s->unary(s, &right) || !slt_path_join_preds(s, SLT_PRED_AND, ret, right)) {
			return false;
		}
	}
	return true;
}

bool slt_path_read_or(struct slt_path_reader *s, struct slt_pred **ret)
{
	if (!read_and(s, ret)) {
		return false;
	}
	while (s->joined(s, SLT_PRED_OR)) {
		struct slt_pred *right = NULL;
		if (!read_and(s, &right) || !slt_path_join_preds(s, SLT_PRED_OR, ret, right)) {
			return false;
		}
	}
	return true;
}
