/* SPDX-License-Identifier: MIT */
/* A path that is read finds the same by looking as in a walk. */
#include <stdint.h>
#include <string.h>

#include "mappings/json_doc.h"
#include "mappings/jsonpath.h"
#include "mappings/matcher.h"

static const char text[] =
	"{\"a\":{\"b\":[{\"s\":\"x\",\"c\":1},{\"s\":\"y\",\"t\":true}],\"n\":null},"
	"\"a b\":[\"x\",[\"y\",{\"a\":{\"s\":\"x\"}}]],\"'\":\"\",\"item\":{\"$\":0}}";

static bool count_one(void *arg, xmlNode *n)
{
	(void)n;
	++*(size_t *)arg;
	return true;
}

static void walk(struct slt_match_run *run, const xmlNode *n, size_t *count)
{
	const uint32_t *ids;

	*count += slt_match_enter(run, n, &ids);
	for (const xmlNode *c = slt_xml_first(n); c; c = slt_xml_next(c)) {
		walk(run, c, count);
	}
	slt_match_leave(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct slt_prefixes none = {NULL, 0};
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path *path = NULL;
	size_t looked = 0, walked = 0;

	if (!slt_path_parse(slt_arena_strndup(a, (const char *)p, n), &none, a, &path, &err)) {
		return 0;
	}
	slt_assert(slt_json_parse(SLT_STR_C(text), "doc", &doc, &err));
	slt_path_each(path, xmlDocGetRootElement(doc), count_one, &looked);
	if (path->absolute && path->json) {
		SLT_AUTO(slt_match_end) struct slt_match_run *run = NULL;
		struct slt_matcher *m = slt_matcher_new(a);
		slt_assert(slt_matcher_add(m, path, 1));
		slt_matcher_finish(m);
		run = slt_match_begin(m, SLT_JSON_DEPTH);
		walk(run, xmlDocGetRootElement(doc), &walked);
		/* looking may come to a node in several ways, a walk does once */
		slt_assert(walked <= looked && (walked == 0) == (looked == 0));
	}
	return 0;
}
