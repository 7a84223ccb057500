/* SPDX-License-Identifier: MIT */
#include "mappings/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "mappings/tsv.h"

static const char *const columns[] = {"key", "lang", "text"};

struct entry {
	const char *key, *lang, *text;
};

struct slt_messages {
	struct slt_tsv *tsv;
	struct entry *v;
	size_t n;
};

void slt_messages_free(struct slt_messages *m)
{
	if (m) {
		slt_tsv_free(m->tsv);
		free(m->v);
		free(m);
	}
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	return c ? c : strcmp(x->lang, y->lang);
}

bool slt_messages_load(const char *path, struct slt_lint *lint, struct slt_messages **ret)
{
	SLT_AUTO(slt_messages_free) struct slt_messages *m = slt_calloc(1, sizeof(*m));
	uint32_t cell[SLT_COUNT(columns)];

	if (!slt_tsv_open(path, NULL, columns, SLT_COUNT(columns), SLT_COUNT(columns), lint,
			  &m->tsv)) {
		return false;
	}
	while (slt_tsv_next(m->tsv, cell)) {
		const char *text = slt_tsv_text(m->tsv);
		struct entry e = {text + cell[0], text + cell[1], text + cell[2]};
		if (!*e.key || !*e.lang) {
			slt_lint_add(lint, path, slt_tsv_line(m->tsv), "key or lang is empty");
		} else if (m->n > 0 && compare(&m->v[m->n - 1], &e) >= 0) {
			slt_lint_add(lint, path, slt_tsv_line(m->tsv),
				     "'%.40s' '%.8s' is not in order, or stands twice", e.key,
				     e.lang);
		}
		m->v = slt_realloc(m->v, m->n + 1, sizeof(*m->v));
		m->v[m->n++] = e;
	}
	*ret = SLT_TAKE(m);
	return true;
}

const char *slt_message(const struct slt_messages *m, const char *key, const char *lang)
{
	struct entry want = {key, lang, NULL};

	if (!m || !key || !lang || m->n == 0) {
		return NULL;
	}
	const struct entry *e = bsearch(&want, m->v, m->n, sizeof(want), compare);
	return e ? e->text : NULL;
}

const char *slt_message_or_key(const struct slt_messages *m, const char *key, const char *lang)
{
	const char *text = slt_message(m, key, lang);

	text = text ? text : slt_message(m, key, "en");
	return text ? text : key;
}

const char *slt_messages_digest(const struct slt_messages *m)
{
	return slt_tsv_digest(m->tsv);
}
