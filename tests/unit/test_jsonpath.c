/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mappings/json_doc.h"
#include "mappings/jsonpath.h"
#include "mappings/matcher.h"

static const char bundle[] =
	"{\"resourceType\":\"Bundle\",\"entry\":["
	"{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,\"age\":5,"
	"\"identifier\":[{\"system\":\"urn:a\",\"value\":\"1\"},{\"system\":\"urn:b\",\"value\":\"2\"}]}},"
	"{\"resource\":{\"resourceType\":\"Medication\",\"id\":\"m\",\"code\":null,"
	"\"form\":{\"coding\":[{\"system\":\"urn:f\",\"code\":\"10\"},{\"system\":\"urn:g\",\"code\":\"20\"}]}}},"
	"{\"a b\":{\"it's\":\"x\"},\"tags\":[\"one\",\"two\",[\"three\"]],\"item\":\"not an item\"}"
	"]}";

struct world {
	struct slt_arena *a;
	xmlDoc *doc;
	struct slt_buf found;
};

static int setup(void **state)
{
	struct world *w = slt_calloc(1, sizeof(*w));
	struct slt_err err = SLT_ERR_INIT;

	w->a = slt_arena_new();
	slt_buf_init(&w->found, 65536);
	assert_true(slt_json_parse(slt_str(bundle), "bundle", &w->doc, &err));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	slt_xml_free(w->doc);
	slt_buf_fini(&w->found);
	slt_arena_free(w->a);
	free(w);
	return 0;
}

static bool add_found(void *arg, xmlNode *n)
{
	struct world *w = arg;

	slt_buf_adds(&w->found, w->found.n ? " " : "");
	slt_buf_adds(&w->found, slt_xml_first(n) ? (const char *)n->name : slt_xml_text(w->a, n));
	return true;
}

static struct slt_path *compile(struct world *w, const char *text)
{
	static const struct slt_prefixes none = {NULL, 0};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path *p = NULL;

	if (!slt_path_parse(text, &none, w->a, &p, &err)) {
		print_message("%s\n", err.msg);
		fail();
	}
	assert_true(p->json);
	return p;
}

/* The same nodes by looking and by matching in a walk. */
static void match_all(struct slt_match_run *run, xmlNode *n, size_t *count)
{
	const uint32_t *ids;

	*count += slt_match_enter(run, n, &ids);
	for (xmlNode *c = slt_xml_first(n); c; c = slt_xml_next(c)) {
		match_all(run, c, count);
	}
	slt_match_leave(run);
}

static bool count_one(void *arg, xmlNode *n)
{
	(void)n;
	++*(size_t *)arg;
	return true;
}

static void check_matcher(struct world *w, const struct slt_path *p)
{
	SLT_AUTO(slt_match_end) struct slt_match_run *run = NULL;
	struct slt_matcher *m = slt_matcher_new(w->a);
	size_t looked = 0, matched = 0;

	slt_path_each(p, xmlDocGetRootElement(w->doc), count_one, &looked);
	assert_true(slt_matcher_add(m, p, 1));
	slt_matcher_finish(m);
	run = slt_match_begin(m, 64);
	match_all(run, xmlDocGetRootElement(w->doc), &matched);
	assert_int_equal(matched, looked);
}

struct good {
	const char *path, *found;
};

static void check(struct world *w, const struct good *g, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct slt_path *p = compile(w, g[i].path);
		slt_buf_reset(&w->found);
		slt_path_each(p, xmlDocGetRootElement(w->doc), add_found, w);
		if (!slt_str_eq(slt_buf_str(&w->found), g[i].found)) {
			print_message("%s: %s\n", g[i].path, slt_buf_str(&w->found).p);
			fail();
		}
		if (p->absolute) {
			check_matcher(w, p);
		}
	}
}

static void names_and_wildcards(void **state)
{
	static const struct good good[] = {
		{"$", "$"},
		{"$.resourceType", "Bundle"},
		{"$['resourceType']", "Bundle"},
		{"$[\"resourceType\"]", "Bundle"},
		{"$.entry", "entry"},
		{"$ .entry [*] .resource .id", "p m"},
		{"$.entry.*.resource.id", "p m"},
		{"$.entry[*]['a b']['it\\'s']", "x"},
		{"$.entry[*]['a b'][\"it's\"]", "x"},
		{"$.entry[*]['\\u0061 b'].*", "x"},
		{"$.entry[*].tags[*]", "one two item"},
		{"$.entry[*].item", "not an item"},
		{"$.item", ""},
		{"$.entry.item", ""},
		{"$..id", "p m"},
		{"$..coding[*].code", "10 20"},
		{"$..tags..*", "one two item three"},
		{"$..['id']", "p m"},
		{"$..[*].system", "urn:a urn:b urn:f urn:g"},
		{"$.nothing..x", ""},
		{"@.resourceType", "Bundle"},
		{"@['entry'][*].resource.id", "p m"},
		{"@", "$"},
	};

	check(*state, good, SLT_COUNT(good));
}

static void filters(void **state)
{
	static const struct good good[] = {
		{"$..coding[?@.system == 'urn:f'].code", "10"},
		{"$..coding[?(@.system=='urn:f')].code", "10"},
		{"$..coding[?'urn:f' == @.system].code", "10"},
		{"$..coding[?@['system'] == \"urn:g\"].code", "20"},
		{"$..coding[?@.system != 'urn:f'].code", "20"},
		{"$..coding[?@.none != 'urn:f'].code", "10 20"},
		{"$..coding[?!(@.system == 'urn:f')].code", "20"},
		{"$..coding[?@.system == 'urn:f' || @.code == '20'].code", "10 20"},
		{"$..coding[?@.system == 'urn:f' && @.code == '20'].code", ""},
		{"$..coding[?@.system == 'x' || @.system == 'urn:g' && @.code == '20'].code", "20"},
		{"$..coding[?(@.system == 'x' || @.system == 'urn:g') && !@.display].code", "20"},
		{"$..[?@.system == 'urn:b'].value", "2"},
		{"$.entry[?@.resource.resourceType == 'Patient'].resource.id", "p"},
		{"$.entry[?@.resource.form.coding[?@.code == '20']].resource.id", "m"},
		{"$.entry[?@.resource.form.coding[?@.code == '30']].resource.id", ""},
		{"$.entry[?@.resource].resource.id", "p m"},
		{"$.entry[?!@.resource].item", "not an item"},
		{"$.entry[?@.resource.active == true].resource.id", "p"},
		{"$.entry[?@.resource.active == false].resource.id", ""},
		{"$.entry[?@.resource.active == 'true'].resource.id", ""},
		{"$.entry[?@.resource.age == '5'].resource.id", ""},
		{"$.entry[?@.resource.code == null].resource.id", "m"},
		{"$.entry[?@.resource.code != null].resource.id", "p"},
		{"$.entry[?@.resource.code].resource.id", "m"},
		{"$.entry[*].tags[?@ == 'two']", "two"},
		{"$.entry[*].tags[?@ != 'two']", "one item"},
		{"$.entry[?@.resource.identifier[*].value].resource.id", "p"},
		{"?@.resourceType == 'Bundle'", "$"},
		{"?@.resourceType == 'Bundle' && @.entry[?@.resource.form]", "$"},
		{"?@.resourceType == 'Patient'", ""},
	};

	check(*state, good, SLT_COUNT(good));
}

static void refused(void **state)
{
	static const struct good bad[] = {
		{"$.", "a name or *"},
		{"$..", "a name or *"},
		{"$...a", "a name or *"},
		{"$a", "not understood"},
		{"$.a b", "not understood"},
		{"$.1a", "a name or *"},
		{"$.a-b", "not understood"},
		{"$.a:b", "not understood"},
		{"$.a | $.b", "not understood"},
		{"$[", "a name in quotes"},
		{"$[]", "a name in quotes"},
		{"$[a]", "a name in quotes"},
		{"$['a'", "] is expected"},
		{"$['a]", "does not end"},
		{"$['a\\x']", "no escape"},
		{"$['\\\"']", "no escape"},
		{"$['\\u12']", "hexadecimal"},
		{"$['\\ud800']", "write the character"},
		{"$['\\u0000']", "write the character"},
		{"$[0]", "indices and slices"},
		{"$.entry[0].x", "indices and slices"},
		{"$[-1]", "indices and slices"},
		{"$[1:2]", "indices and slices"},
		{"$[:]", "indices and slices"},
		{"$['a','b']", "one selector"},
		{"$[*,'b']", "one selector"},
		{"$[?@.a,'b']", "one selector"},
		{"$[?]", "in quotes, true"},
		{"$[?@.a ==]", "in quotes, true"},
		{"$[?@.a = 'x']", "== or !="},
		{"$[?@.a == x]", "in quotes, true"},
		{"$[?@.a == trueish]", "in quotes, true"},
		{"$[?@.a == 5]", "numbers are not compared"},
		{"$[?@.a == -1]", "numbers are not compared"},
		{"$[?5 == @.a]", "numbers are not"},
		{"$[?@.a < 'x']", "only == and !="},
		{"$[?@.a >= 'x']", "only == and !="},
		{"$[?@.a == @.b]", "in quotes, true"},
		{"$[?@.* == 'x']", "a path of names"},
		{"$[?@[*] == 'x']", "a path of names"},
		{"$[?@.a[?@.b] == 'x']", "a path of names"},
		{"$[?@..a]", ".. is not understood"},
		{"$[?$.a == 'x']", "looks at @ only"},
		{"$[?length(@.a) == 'x']", "functions"},
		{"$[?match(@.a, 'x')]", "functions"},
		{"$[?'x']", "== or !="},
		{"$[?true]", "== or !="},
		{"$[?@.a &&]", "in quotes, true"},
		{"$[?@.a & @.b]", "] is expected"},
		{"$[?(@.a]", ") is expected"},
		{"$[?@.a)]", "] is expected"},
		{"$[?!!@.a]", "@ or a value"},
		{"$[?!@.a == 'x']", "needs parentheses"},
		{"?@.a == 'x'].b", "not understood"},
		{"?$.a", "looks at @ only"},
		{"$[?((((((((((((((((((@.a))))))))))))))))))]", "too deeply"},
		{"$[?!(!(!(!(!(!(!(!(!(!(!(!(!(!(!(!(!(!(@.a))))))))))))))))))]", "too deeply"},
		{"$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "too many steps"},
		{"@.a[0]", "indices"},
		{"@..", "a name or *"},
	};
	static const struct slt_prefixes none = {NULL, 0};
	struct world *w = *state;

	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_err err = SLT_ERR_INIT;
		struct slt_path *p = NULL;
		if (slt_path_parse(bad[i].path, &none, w->a, &p, &err) ||
		    !strstr(err.msg, bad[i].found)) {
			print_message("%s: %s\n", bad[i].path, p ? "accepted" : err.msg);
			fail();
		}
		assert_int_equal(err.code, SLT_EINVAL);
	}
}

static void too_long_or_too_many(void **state)
{
	static const struct slt_prefixes none = {NULL, 0};
	struct world *w = *state;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_path *p = NULL;
	SLT_AUTO_BUF(b, 65536);

	slt_buf_adds(&b, "$[?@.a");
	for (unsigned i = 0; i < SLT_PATH_PREDS; i++) {
		slt_buf_adds(&b, "||@.a");
	}
	slt_buf_adds(&b, "]");
	assert_false(slt_path_parse(slt_buf_str(&b).p, &none, w->a, &p, &err));
	assert_non_null(strstr(err.msg, "too many predicates"));
	for (unsigned i = 0; i < SLT_PATH_BYTES; i++) {
		slt_buf_addc(&b, ' ');
	}
	slt_err_clear(&err);
	assert_false(slt_path_parse(slt_buf_str(&b).p, &none, w->a, &p, &err));
	assert_non_null(strstr(err.msg, "bytes"));
}

static void xpath_is_told_apart(void **state)
{
	(void)state;
	assert_false(slt_jsonpath_is("@root"));
	assert_false(slt_jsonpath_is("//a:b/@c"));
	assert_false(slt_jsonpath_is("."));
	assert_true(slt_jsonpath_is("@"));
	assert_true(slt_jsonpath_is("@.a"));
	assert_true(slt_jsonpath_is("@['a']"));
	assert_true(slt_jsonpath_is("$"));
	assert_true(slt_jsonpath_is("?@.a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_and_wildcards, setup, teardown),
		cmocka_unit_test_setup_teardown(filters, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(too_long_or_too_many, setup, teardown),
		cmocka_unit_test(xpath_is_told_apart),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
