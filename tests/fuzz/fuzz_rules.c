/* SPDX-License-Identifier: MIT */
/* The first byte chooses: a path, a condition, or a flow's common.conf. What is read is used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "mappings/ruleset.h"

/* libconfig 1.5 loses the text of a string that the file does not close: once, when a set is
 * refused. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig\nleak:strbuf_append\n";
}

static struct slt_prefix prefix[] = {{"a", "urn:a", NULL}};
static const struct slt_prefixes prefixes = {prefix, 1};

static struct slt_str field(void *arg, const char *name)
{
	(void)arg;
	return slt_str(name);
}

static bool any(void *arg, xmlNode *node)
{
	(void)arg;
	return node != NULL;
}

static void path(const char *text, struct slt_arena *a)
{
	static const char doc[] =
		"<a:r xmlns:a='urn:a' x='1'><a:b><c y='2'>t</c></a:b><a:b/></a:r>";
	SLT_AUTO(slt_xml_free) xmlDoc *d = NULL;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path *p = NULL;

	if (slt_path_parse(text, &prefixes, a, &p, &err) &&
	    slt_xml_parse(doc, sizeof(doc) - 1, &SLT_XML_PEER, "doc", &d, &err)) {
		slt_path_each(p, xmlDocGetRootElement(d), any, NULL);
	}
}

static void cond(const char *text, struct slt_arena *a)
{
	static const struct slt_cond_fields fields = {field, NULL};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_cond *c = NULL;

	if (slt_cond_parse(text, a, &c, &err)) {
		slt_cond_eval(c, &fields);
	}
}

static void flow(const char *text, size_t n, struct slt_arena *a)
{
	static char dir[64];
	char path_[80];
	SLT_AUTO_LINT(lint);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_flow *f = NULL;

	if (!dir[0]) {
		snprintf(dir, sizeof(dir), "/tmp/slt-fuzz-rules-%d", (int)getpid());
		slt_assert(slt_mkdir_p(dir, 0700, &err));
	}
	snprintf(path_, sizeof(path_), "%s/common.conf", dir);
	FILE *out = fopen(path_, "w");
	slt_assert(out && fwrite(text, 1, n, out) == n && fclose(out) == 0);
	bool good = slt_flow_load(dir, "fuzz", NULL, 0, a, &lint, &f);
	slt_assert(!good || f);
	if (good) {
		slt_flow_fini(f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();

	if (n == 0) {
		return 0;
	}
	SLT_AUTO_STR char *text = slt_strndup((const char *)p + 1, n - 1);
	if (p[0] % 3 == 0) {
		path(text, a);
	} else if (p[0] % 3 == 1) {
		cond(text, a);
	} else {
		flow((const char *)p + 1, n - 1, a);
	}
	return 0;
}
