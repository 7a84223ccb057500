/* SPDX-License-Identifier: MIT */
#pragma once

/* Everything wrong in the files of a set, one line each, "file:line: sentence". */

#include "base/conf.h"

#define SLT_LINT_MAX 1000 /* lines kept; further problems are only counted */

struct slt_lint {
	char **v;
	size_t n;     /* lines kept */
	size_t total; /* problems seen */
};

void slt_lint_fini(struct slt_lint *l);
SLT_UNUSED static inline void slt_lint_fini_auto(struct slt_lint *l)
{
	slt_lint_fini(l);
}
#define SLT_AUTO_LINT(name)                                                                        \
	__attribute__((cleanup(slt_lint_fini_auto))) struct slt_lint name = {NULL, 0, 0}

/* line 0: the file as a whole. Control characters in what is printed become '?'. */
void slt_lint_add(struct slt_lint *l, const char *file, unsigned line, const char *fmt, ...)
	SLT_PRINTF(4, 5);
/* An error's own message, which names its file already. */
void slt_lint_add_err(struct slt_lint *l, const struct slt_err *e);
/* Takes over what slt_conf_read() and slt_conf_problem() collected. */
void slt_lint_add_conf(struct slt_lint *l, const struct slt_conf *c);
/* SLT_ECONFIG with the first problems and how many there are, when there are any. */
SLT_CHECK bool slt_lint_finish(const struct slt_lint *l, struct slt_err *err);
