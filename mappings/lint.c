/* SPDX-License-Identifier: MIT */
#include "mappings/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 2048
#define SHOWN	       5 /* problems that fit into an error's message */

void slt_lint_fini(struct slt_lint *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i]);
	}
	free(l->v);
	*l = (struct slt_lint){NULL, 0, 0};
}

static void keep(struct slt_lint *l, const char *line)
{
	l->total++;
	if (l->n == SLT_LINT_MAX) {
		return;
	}
	l->v = slt_realloc(l->v, l->n + 1, sizeof(*l->v));
	char *copy = slt_strdup(line);
	for (char *p = copy; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			*p = '?';
		}
	}
	l->v[l->n++] = copy;
}

void slt_lint_add(struct slt_lint *l, const char *file, unsigned line, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	SLT_AUTO_STR char *all = line ? slt_asprintf("%s:%u: %s", file, line, text)
				      : slt_asprintf("%s: %s", file, text);
	keep(l, all);
}

void slt_lint_add_err(struct slt_lint *l, const struct slt_err *e)
{
	keep(l, e->msg);
}

void slt_lint_add_conf(struct slt_lint *l, const struct slt_conf *c)
{
	for (size_t i = 0; i < slt_conf_problem_count(c); i++) {
		keep(l, slt_conf_problem_at(c, i));
	}
}

bool slt_lint_finish(const struct slt_lint *l, struct slt_err *err)
{
	if (l->total == 0) {
		return true;
	}
	SLT_AUTO_BUF(b, SLT_ERR_MSG_MAX);
	for (size_t i = 0; i < l->n && i < SHOWN; i++) {
		slt_buf_addf(&b, "%s%.300s", i ? "; " : "", l->v[i]);
	}
	if (l->total > SHOWN) {
		slt_buf_addf(&b, "; and %zu more", l->total - SHOWN);
	}
	struct slt_str s = slt_buf_str(&b);
	return slt_fail(err, SLT_ECONFIG, "%.*s", (int)s.n, s.p);
}
