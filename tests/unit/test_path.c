/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mappings/find.h"
#include "mappings/matcher.h"

static struct slt_prefix prefixes_v[] = {{"a", "urn:a", NULL}, {"b", "urn:b", NULL}};
static const struct slt_prefixes prefixes = {prefixes_v, 2};

static xmlDoc *doc_of(const char *s)
{
	xmlDoc *doc = NULL;
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_xml_parse(s, strlen(s), &SLT_XML_PEER, "test", &doc, &err));
	return doc;
}

static const char sample[] = "<a:r xmlns:a='urn:a' xmlns:b='urn:b' i='0'>"
			     "<a:x i='1'><a:y i='2'>t</a:y><b:y i='3'/></a:x>"
			     "<a:x i='4' k='K'><a:z><a:y i='5'>u</a:y></a:z></a:x>"
			     "<y i='6'/><b:x i='7'><a:x i='8'><a:x i='9'/></a:x></b:x></a:r>";

struct found {
	struct slt_buf b;
	struct slt_arena *arena;
};

static bool note(void *arg, xmlNode *n)
{
	struct found *f = arg;
	const char *i = n->type == XML_ATTRIBUTE_NODE ? "@" : slt_attr(f->arena, n, "i");

	slt_buf_addf(&f->b, "%s ", i ? i : "-");
	return true;
}

static void finds(const char *path, const char *what)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_xml_free) xmlDoc *doc = doc_of(sample);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path *p = NULL;
	struct found f = {SLT_BUF_INIT(1024), a};

	if (!slt_path_parse(path, &prefixes, a, &p, &err)) {
		fail_msg("%s: %s", path, err.msg);
	}
	slt_path_each(p, xmlDocGetRootElement(doc), note, &f);
	const char *got = f.b.p ? f.b.p : "";
	if (strcmp(got, what) != 0) {
		fail_msg("%s: \"%s\", not \"%s\"", path, got, what);
	}
	slt_buf_fini(&f.b);
}

static void paths_find(void **state)
{
	(void)state;
	finds("/a:r", "0 ");
	finds("/a:r/a:x", "1 4 ");
	finds("a:x", "1 4 ");
	finds("a:x/a:y", "2 ");
	finds("//a:y", "2 5 ");
	finds("//a:x", "1 4 8 9 ");
	finds("//*:y", "2 3 5 6 ");
	finds("//y", "6 ");
	finds("a:x/*", "2 3 - ");
	finds("a:x/b:*", "3 ");
	finds("/a:r//a:x//a:x", "9 ");
	finds("a:x/@k", "@ ");
	finds("a:x[@k]", "4 ");
	finds("a:x[@k='K']", "4 ");
	finds("a:x[@k!='K']", "");
	finds("a:x[not(@k)]", "1 ");
	finds("a:x[a:y]", "1 ");
	finds("a:x[a:z/a:y='u']", "4 ");
	finds("a:x[a:z/a:y/@i='5']", "4 ");
	finds("a:x[a:y='t' and b:y]", "1 ");
	finds("a:x[a:y='t' or @k]", "1 4 ");
	finds("a:x[a:y][b:y]", "1 ");
	finds("a:x[a:y='no' or (a:z and @k=\"K\")]", "4 ");
	finds("//a:x/a:y | //y", "2 6 ");
	finds(".", "0 ");
	finds("@i", "@ ");
}

static void paths_find_nothing(void **state)
{
	(void)state;
	finds("/a:x", "");
	finds("/b:r", "");
	finds("a:y", "");
	finds("x", "");
	finds("a:x/@nok", "");
	finds("a:x[@k='k']", "");
	finds("a:x[a:y='tt']", "");
	finds("a:x[a:y='']", "");
	finds("a:x[@k and a:y]", "");
	finds("b:x/a:x/a:x/a:x", "");
}

static void what_is_not_understood_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "/",
					  "//",
					  "a:x/",
					  "a:x//",
					  "c:x",
					  "a:",
					  "a:x[1]",
					  "a:x[last()]",
					  "a:x[position()=1]",
					  "../a:x",
					  "a:x/..",
					  "child::x",
					  "a:x/text()",
					  "a:x[",
					  "a:x[@k",
					  "a:x[@k=]",
					  "a:x[@k='K]",
					  "a:x[@k=K]",
					  "a:x]",
					  "//@k",
					  "a:x/@k/a:y",
					  "a:x/@*",
					  "a:x[//a:y]",
					  "a:x[a:y//a:z]",
					  "a:x[/a:r]",
					  "a:x[not(@k]",
					  "a:x[@k and]",
					  "a:x |",
					  "| a:x",
					  "a:x a:y",
					  "a:x[]",
					  "1x",
					  "a:x['k'=@k]",
					  "*:",
					  "a:x[@k='K'='K']"};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
		struct slt_err err = SLT_ERR_INIT;
		struct slt_path *p = NULL;
		if (slt_path_parse(bad[i], &prefixes, a, &p, &err)) {
			fail_msg("\"%s\" was read", bad[i]);
		}
		assert_int_equal(err.code, SLT_EINVAL);
	}
}

static void long_paths_are_refused(void **state)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_path *p = NULL;
	static const char *const pieces[] = {"a:x/", "a:x[@k]|", "[@k]"};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(pieces); i++) {
		SLT_AUTO_BUF(b, 8192);
		struct slt_err err = SLT_ERR_INIT;
		slt_buf_adds(&b, i == 2 ? "a:x" : "");
		for (int k = 0; k < 40; k++) {
			slt_buf_adds(&b, pieces[i]);
		}
		slt_buf_adds(&b, i == 2 ? "" : "a:x");
		assert_false(slt_path_parse(b.p, &prefixes, a, &p, &err));
	}
}

/* The one walk finds for every path what the path alone finds. */
struct expect {
	const xmlNode *node;
	bool found;
};

static bool is_node(void *arg, xmlNode *n)
{
	struct expect *e = arg;

	e->found |= n == e->node;
	return true;
}

static const char *const all[] = {
	"/a:r",		  "/a:r/a:x",	   "//a:x",	    "//a:y",
	"//*:y",	  "//y",	   "/a:r/*",	    "//b:*",
	"//a:x//a:y",	  "/a:r//a:x/a:x", "//a:x[@k='K']", "//a:x[a:y='t']",
	"//a:x[a:y]/b:y", "//*",	   "/a:r/a:x/a:y",  "//a:x/a:y | //y | /a:r",
	"//a:x[@k]//a:y", "//nothing",	   "/a:r/b:x//a:x"};

static void walk(struct slt_match_run *run, struct slt_path *const *paths, xmlNode *root,
		 xmlNode *n)
{
	const uint32_t *ids;
	size_t count = slt_match_enter(run, n, &ids);
	bool hit[SLT_COUNT(all)] = {false};

	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || ids[i] > ids[i - 1]);
		hit[ids[i]] = true;
	}
	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		struct expect e = {n, false};
		slt_path_each(paths[i], root, is_node, &e);
		/* "//x" includes the root for the walk, which begins above it */
		bool above = n == root && paths[i]->step[0].descendant && paths[i]->n == 1 &&
			     slt_test_matches(&paths[i]->step[0].test, n);
		if (hit[i] != (e.found || above)) {
			fail_msg("%s at %s", all[i], (const char *)n->name);
		}
	}
	for (xmlNode *c = slt_xml_first(n); c; c = slt_xml_next(c)) {
		walk(run, paths, root, c);
	}
	slt_match_leave(run);
}

static void the_walk_agrees_with_the_paths(void **state)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_xml_free) xmlDoc *doc = doc_of(sample);
	struct slt_matcher *m = slt_matcher_new(a);
	struct slt_path *paths[SLT_COUNT(all)];
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (uint32_t i = 0; i < SLT_COUNT(all); i++) {
		assert_true(slt_path_parse(all[i], &prefixes, a, &paths[i], &err));
		assert_true(slt_matcher_add(m, paths[i], i));
	}
	slt_matcher_finish(m);
	SLT_AUTO(slt_match_end) struct slt_match_run *run = slt_match_begin(m, 16);
	walk(run, paths, xmlDocGetRootElement(doc), xmlDocGetRootElement(doc));
}

struct nodes {
	xmlNode *v[64];
	size_t n, stop;
};

static bool keep_node(void *arg, xmlNode *n)
{
	struct nodes *l = arg;

	assert_true(l->n < SLT_COUNT(l->v));
	l->v[l->n++] = n;
	return l->n < l->stop;
}

static void same_from(const struct slt_find *f, const struct slt_path *p, xmlNode *context)
{
	for (size_t stop = 1; stop < 5; stop++) {
		struct nodes walked = {.stop = stop}, found = {.stop = stop};
		slt_path_each(p, context, keep_node, &walked);
		slt_find_each(f, p, context, keep_node, &found);
		assert_int_equal(walked.n, found.n);
		assert_memory_equal(walked.v, found.v, walked.n * sizeof(walked.v[0]));
	}
	assert_ptr_equal(slt_path_first(p, context), slt_find_first(f, p, context));
}

static void the_index_agrees_with_the_paths(void **state)
{
	static const char *const more[] = {"//a:absent", "//a:x//a:y | //b:y", "//a:x/a:x", "//*",
					   "//a:y/@i",	 "a:x[@k='K']//a:y",   "."};
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_BUF(many, 1 << 16);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	/* more of one name than are looked through for a context */
	slt_buf_adds(&many, "<a:r xmlns:a='urn:a' xmlns:b='urn:b'>");
	for (unsigned i = 0; i < 80; i++) {
		slt_buf_addf(&many, "<a:w><b:x%s/></a:w>", i % 40 ? "1" : "");
	}
	slt_buf_adds(&many, "</a:r>");
	const char *const texts[] = {sample, many.p};
	for (size_t t = 0; t < SLT_COUNT(texts); t++) {
		SLT_AUTO(slt_xml_free) xmlDoc *doc = doc_of(texts[t]);
		xmlNode *root = xmlDocGetRootElement(doc);
		SLT_AUTO(slt_find_free) struct slt_find *f = slt_find_new(root);
		for (size_t i = 0; i < SLT_COUNT(all) + SLT_COUNT(more); i++) {
			struct slt_path *p = NULL;
			const char *text = i < SLT_COUNT(all) ? all[i] : more[i - SLT_COUNT(all)];
			if (t == 1 && strstr(text, "*")) {
				continue; /* more than are kept */
			}
			assert_true(slt_path_parse(text, &prefixes, a, &p, &err));
			same_from(f, p, root);
			for (xmlNode *e = slt_xml_first(root); e; e = slt_xml_next(e)) {
				same_from(f, p, e);
				same_from(f, p, slt_xml_first(e) ? slt_xml_first(e) : e);
			}
		}
	}
}

static void a_matcher_has_a_most(void **state)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_matcher *m = slt_matcher_new(a);
	bool full = false;

	(void)state;
	for (uint32_t i = 0; i < SLT_MATCHER_STEPS + 10 && !full; i++) {
		char text[64];
		struct slt_path *p = NULL;
		struct slt_err err = SLT_ERR_INIT;
		snprintf(text, sizeof(text), "/a:r%u", i);
		assert_true(slt_path_parse(text, &prefixes, a, &p, &err));
		full = !slt_matcher_add(m, p, i);
	}
	assert_true(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_find),
		cmocka_unit_test(paths_find_nothing),
		cmocka_unit_test(what_is_not_understood_is_refused),
		cmocka_unit_test(long_paths_are_refused),
		cmocka_unit_test(the_walk_agrees_with_the_paths),
		cmocka_unit_test(the_index_agrees_with_the_paths),
		cmocka_unit_test(a_matcher_has_a_most),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
