/* SPDX-License-Identifier: MIT */
/*
 * Prescriptions put together from random rows of Finland's tables go to Estonia and come home. What
 * is lossless comes home as it left; what is not was refused on the way out, or says what it lost.
 * The seed is fixed and printed; SLT_SEED gives another one. Run from the root of the repository.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "mappings/engine.h"
#include "mappings/raw_table.h"

#define NOW	  INT64_C(1795392000000) /* 2026-11-23 */
#define DOCUMENT  "examples/documents/fi-01-tablet.xml"
#define TABLES	  "mappings/countries/FI/"
#define DOCUMENTS 300
#define FORM                                                                                       \
	"<pharm:formCode code=\"173\" codeSystem=\"1.2.246.537.6.852\" "                           \
	"codeSystemName=\"Fimea-Lääkemuodot\" displayName=\"tabletti\"/>"
#define CONTAINER                                                                                  \
	"<pharm:formCode code=\"9\" codeSystem=\"sailytysastiat\" "                                \
	"codeSystemName=\"Säilytysastiat\" displayName=\"Läpipainopakkaus\"/>"
#define ROUTE "<routeCode nullFlavor=\"OTH\"><originalText>Suun kautta</originalText></routeCode>"
#define UNIT  "<numerator xsi:type=\"PQ\" value=\"5\" unit=\"mg\"/>"

static struct slt_mapset *set;
static struct slt_raw_table *forms, *containers, *routes, *units;
static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static const struct slt_raw_row *any_row(const struct slt_raw_table *t)
{
	return &t->row[next_random() % t->n];
}

static char *escaped(const char *text)
{
	SLT_AUTO_BUF(b, 1 << 16);

	slt_buf_add_xml(&b, text);
	return b.n ? slt_buf_take(&b, NULL) : slt_strdup("");
}

static void put(char **text, const char *old, const char *new)
{
	char *at = strstr(*text, old);

	assert_non_null(at);
	char *changed = slt_asprintf("%.*s%s%s", (int)(at - *text), *text, new, at + strlen(old));
	free(*text);
	*text = changed;
}

struct choice {
	const struct slt_raw_row *form, *container, *route, *unit;
};

static char *document_of(const struct choice *c)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *form = escaped(c->form->cell[SLT_COL_DISPLAY]);
	SLT_AUTO_STR char *container = escaped(c->container->cell[SLT_COL_DISPLAY]);
	SLT_AUTO_STR char *route = escaped(c->route->cell[SLT_COL_DISPLAY]);
	SLT_AUTO_STR char *unit = escaped(c->unit->cell[SLT_COL_CODE]);
	SLT_AUTO_STR char *new_form =
		slt_asprintf("<pharm:formCode code=\"%s\" codeSystem=\"1.2.246.537.6.852\" "
			     "displayName=\"%s\"/>",
			     c->form->cell[SLT_COL_CODE], form);
	SLT_AUTO_STR char *new_container =
		slt_asprintf("<pharm:formCode code=\"%s\" codeSystem=\"sailytysastiat\" "
			     "displayName=\"%s\"/>",
			     c->container->cell[SLT_COL_CODE], container);
	SLT_AUTO_STR char *new_route = slt_asprintf(
		"<routeCode nullFlavor=\"OTH\"><originalText>%s</originalText></routeCode>", route);
	SLT_AUTO_STR char *new_unit =
		slt_asprintf("<numerator xsi:type=\"PQ\" value=\"5\" unit=\"%s\"/>", unit);
	char *text;
	size_t n;

	assert_true(slt_file_read(DOCUMENT, 1 << 20, &text, &n, &err));
	put(&text, FORM, new_form);
	put(&text, CONTAINER, new_container);
	put(&text, ROUTE, new_route);
	put(&text, UNIT, new_unit);
	return text;
}

/* NULL when refused; then the result has a problem that is an error. */
static char *translate(const char *from, const char *text)
{
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = slt_map_result_new();
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, 1 << 22);
	const struct slt_map_input in = {.from = from,
					 .to = strcmp(from, "FI") == 0 ? "EE" : "FI",
					 .flow = "eprescription",
					 .message = SLT_MAP_RESPONSE,
					 .body = slt_str(text),
					 .now_ms = NOW,
					 .test_codes = true};

	if (!slt_map_apply(set, &in, r, &err)) {
		assert_true(r->problems->errors > 0);
		assert_string_equal(
			slt_code_name(err.code, SLT_DIALECT_CAMEL),
			slt_code_name(slt_problems_first(r->problems)->code, SLT_DIALECT_CAMEL));
		return NULL;
	}
	assert_true(slt_map_dump(r->doc, &out, &err));
	return slt_buf_take(&out, NULL);
}

static void holds(const struct choice *c, const char *text, const char *what)
{
	if (!strstr(text, what)) {
		fail_msg("form %s, container %s, route %s, unit %s: no %s in\n%s",
			 c->form->cell[SLT_COL_CODE], c->container->cell[SLT_COL_CODE],
			 c->route->cell[SLT_COL_CODE], c->unit->cell[SLT_COL_CODE], what, text);
	}
}

/* In Estonia: the original beside what was made of it. At home: what had left. */
static void went_and_came(const struct choice *c, const char *abroad, const char *home)
{
	SLT_AUTO_STR char *form =
		slt_asprintf("translation code=\"%s\" codeSystem=\"1.2.246.537.6.852\"",
			     c->form->cell[SLT_COL_CODE]);
	SLT_AUTO_STR char *back =
		slt_asprintf("formCode code=\"%s\" codeSystem=\"1.2.246.537.6.852\"",
			     c->form->cell[SLT_COL_CODE]);
	SLT_AUTO_STR char *route = escaped(c->route->cell[SLT_COL_DISPLAY]);

	holds(c, abroad, form);
	holds(c, abroad, "1.3.6.1.4.1.28284.6.2.1.12");
	holds(c, abroad, route);
	holds(c, home, back);
	holds(c, home, route);
	holds(c, home, "120354-914K");
	holds(c, home, "1.2.246.10.98765430.93.2026.1000001");
}

static void documents_of_random_rows(void **state)
{
	unsigned passed = 0, refused = 0;
	const char *seed = getenv("SLT_SEED");

	(void)state;
	random_state = seed ? strtoull(seed, NULL, 10) : 20261123;
	random_state = random_state ? random_state : 1;
	print_message("seed %llu\n", (unsigned long long)random_state);
	for (unsigned i = 0; i < DOCUMENTS; i++) {
		const struct choice c = {any_row(forms), any_row(containers), any_row(routes),
					 any_row(units)};
		SLT_AUTO_STR char *text = document_of(&c);
		SLT_AUTO_STR char *abroad = translate("FI", text);
		SLT_AUTO_STR char *again = translate("FI", text);
		assert_true((abroad != NULL) == (again != NULL));
		if (!abroad) {
			refused++;
			continue;
		}
		assert_string_equal(abroad, again);
		SLT_AUTO_STR char *home = translate("EE", abroad);
		if (!home) {
			fail_msg("what went does not come home:\n%s", abroad);
		}
		went_and_came(&c, abroad, home);
		passed++;
	}
	/* both happen: the test would say nothing otherwise */
	assert_true(passed > DOCUMENTS / 10);
	assert_true(refused > 0);
}

static bool load_table(const char *name, struct slt_raw_table **ret)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO_STR char *path = slt_path_join(TABLES, name);

	return slt_raw_table_load(path, &lint, ret);
}

static int load(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_xml_init();
	return slt_mapset_load("mappings", &set, &err) && load_table("doseform.tsv", &forms) &&
			       load_table("container.tsv", &containers) &&
			       load_table("route.tsv", &routes) && load_table("unit.tsv", &units)
		       ? 0
		       : -1;
}

static int unload(void **state)
{
	(void)state;
	slt_raw_table_free(forms);
	slt_raw_table_free(containers);
	slt_raw_table_free(routes);
	slt_raw_table_free(units);
	slt_mapset_free(set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_of_random_rows),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
