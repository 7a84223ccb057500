/* SPDX-License-Identifier: MIT */
#pragma once

/* What the two languages of paths share when they are read; for path.c and jsonpath.c. */

#include "mappings/path.h"

struct slt_path_reader {
	const char *text, *p;
	const struct slt_prefixes *prefixes; /* XPath */
	struct slt_arena *a;
	unsigned preds, depth;
	struct slt_err *err;
	const char *blanks; /* between words */
	/* one term of a predicate: a test, "not", parentheses */
	bool (*unary)(struct slt_path_reader *s, struct slt_pred **ret);
	/* takes "and" or "or" as the language writes it, if it stands here */
	bool (*joined)(struct slt_path_reader *s, enum slt_pred_kind kind);
};

/* SLT_EINVAL with path and character. */
bool slt_path_fail(const struct slt_path_reader *s, const char *what);
void slt_path_skip(struct slt_path_reader *s);
/* Takes the text behind blanks, if it stands here. */
bool slt_path_take(struct slt_path_reader *s, const char *what);
bool slt_path_is_name_start(char c);
/* NULL, with the error, when there are too many. */
struct slt_pred *slt_path_new_pred(struct slt_path_reader *s, enum slt_pred_kind kind);
/* Puts both together in *left. */
SLT_CHECK bool slt_path_join_preds(struct slt_path_reader *s, enum slt_pred_kind kind,
				   struct slt_pred **left, struct slt_pred *right);
/* Terms joined by "and", those by "or". */
SLT_CHECK bool slt_path_read_or(struct slt_path_reader *s, struct slt_pred **ret);
