/* SPDX-License-Identifier: MIT */
/* Calls: template, path and query, one a line. What was read is written, and reads back the same.
 */
#include <string.h>

#include "mappings/call.h"

static void there_and_back(const struct slt_call *c, const struct slt_call_values *v,
			   struct slt_arena *a)
{
	SLT_AUTO_BUF(path, 1 << 20);
	SLT_AUTO_BUF(query, 1 << 20);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_call_values again;
	bool has;

	if (!slt_call_write(c, v, &path, &query, &has, &err)) {
		slt_assert(err.code == SLT_FED_STR_003); /* "." or ".." as a segment */
		return;
	}
	if (path.n > SLT_CALL_BYTES || query.n > SLT_CALL_BYTES) {
		return;
	}
	slt_assert(slt_call_read(c, path.p ? path.p : "", has ? query.p : NULL, a, &again));
	slt_assert(again.n == v->n);
	for (size_t i = 0; i < v->n; i++) {
		size_t k = 0;
		while (k < again.n && strcmp(again.v[k].name, v->v[i].name) != 0) {
			k++;
		}
		slt_assert(k < again.n && strcmp(again.v[k].value, v->v[i].value) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_STR char *text = slt_strndup((const char *)p, n);
	char *line[3] = {text, NULL, NULL};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_call_values v;
	struct slt_call c;

	for (size_t i = 1; i < 3 && line[i - 1]; i++) {
		line[i] = strchr(line[i - 1], '\n');
		if (line[i]) {
			*line[i]++ = '\0';
		}
	}
	if (!slt_call_parse(text, a, &c, &err)) {
		return 0;
	}
	slt_assert(slt_call_same(&c, &c));
	if (slt_call_read(&c, line[1] ? line[1] : "", line[2], a, &v)) {
		there_and_back(&c, &v, a);
	}
	return 0;
}
