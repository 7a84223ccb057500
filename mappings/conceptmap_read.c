/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "mappings/interchange.h"

struct reader {
	bool r5;
	const char *path;
	struct slt_interchange_report *report;
	struct slt_raw_table *t;
	const char *source, *target; /* systems of the first group */
	char where[64];
};

static const char *text_of(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static void lose(struct reader *r, const char *fmt, ...) SLT_PRINTF(2, 3);
static void lose(struct reader *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	slt_lint_add(r->report->losses, r->path, 0, "%s: %s", r->where, text);
}

static void refuse(struct reader *r, const char *code, const char *why)
{
	slt_lint_add(r->report->refused, r->path, 0, "%s: code %.60s: %s", r->where,
		     code ? code : "–", why);
}

/* Members that are neither understood nor without meaning for a table are lost. */
static void lose_unknown(struct reader *r, const json_t *o, const char *const *known)
{
	const char *name;
	json_t *value,
		*own = json_deep_copy(o); /* iterating does not change it, but says it might */

	json_object_foreach(own, name, value)
	{
		bool found = false;
		for (size_t i = 0; known[i] && !found; i++) {
			found = strcmp(known[i], name) == 0;
		}
		if (!found) {
			lose(r, "\"%.60s\" has no place in a table", name);
		}
	}
	json_decref(own);
}

/* --- further columns --- */

static bool column_by_name(const char *name, size_t *ret)
{
	for (size_t i = 0; i < SLT_TABLE_COLUMNS; i++) {
		if (strcmp(slt_table_columns[i], name) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* The value of a property or an extension as a cell; NULL when it is of another kind. */
static const char *cell_of(const json_t *o)
{
	static const char *const members[] = {"valueString", "valueCode",     "valueDateTime",
					      "valueDate",   "valueMarkdown", "valueUri"};
	const json_t *yes = json_object_get(o, "valueBoolean");

	for (size_t i = 0; i < SLT_COUNT(members); i++) {
		const char *text = text_of(o, members[i]);
		if (text) {
			return text;
		}
	}
	return json_is_true(yes) ? "yes" : json_is_false(yes) ? "no" : NULL;
}

/* Properties of R5 have the columns' names; extensions have them behind our URN. */
static void read_extras(struct reader *r, const json_t *list, const char *key, const char *prefix,
			struct slt_raw_row *row)
{
	size_t n = strlen(prefix), i;
	const json_t *one;

	json_array_foreach(list, i, one)
	{
		const char *name = text_of(one, key);
		size_t column;
		const char *cell = cell_of(one);
		bool ours =
			name && strncmp(name, prefix, n) == 0 && column_by_name(name + n, &column);
		if (!ours || !cell) {
			lose(r, "%.100s is not understood",
			     name ? name : "an extension without url");
		} else {
			row->cell[column] = cell;
		}
	}
}

/* --- targets --- */

static bool relation_r4(struct reader *r, const char *word, const char **ret)
{
	static const struct {
		const char *word, *relation;
		bool exact;
	} words[] = {{"equivalent", "equivalent", true},
		     {"equal", "equivalent", true},
		     {"wider", "source-is-narrower-than-target", true},
		     {"subsumes", "source-is-narrower-than-target", false},
		     {"narrower", "source-is-broader-than-target", true},
		     {"specializes", "source-is-broader-than-target", false},
		     {"relatedto", "related-to", true},
		     {"inexact", "related-to", false},
		     {"disjoint", "not-related-to", true}};

	for (size_t i = 0; word && i < SLT_COUNT(words); i++) {
		if (strcmp(words[i].word, word) == 0) {
			*ret = words[i].relation;
			if (!words[i].exact) {
				lose(r, "equivalence %s is taken less exactly", word);
			}
			return true;
		}
	}
	return false;
}

static bool relation_of(struct reader *r, const json_t *target, const char **ret)
{
	enum slt_relation ignored;

	if (!r->r5) {
		return relation_r4(r, text_of(target, "equivalence"), ret);
	}
	*ret = text_of(target, "relationship");
	return *ret && slt_relation_by_name(*ret, &ignored);
}

/* A comment that only the rules of R4 asked for. */
static bool made_comment(const json_t *target)
{
	const json_t *list = json_object_get(json_object_get(target, "_comment"), "extension");
	const char *url = text_of(json_array_get(list, 0), "url");

	return url && strcmp(url, SLT_TABLE_URN "made") == 0;
}

static void read_target(struct reader *r, const json_t *element, const json_t *target)
{
	static const char *const known[] = {"id",	    "code",	"display",   "equivalence",
					    "comment",	    "_comment", "extension", "property",
					    "relationship", NULL};
	const char *code = text_of(element, "code"), *relation = NULL;
	struct slt_raw_row row = {.line = 0};

	if (!text_of(target, "code")) {
		refuse(r, code, "the target has no code");
		return;
	}
	if (!relation_of(r, target, &relation)) {
		refuse(r, code,
		       r->r5 ? "relationship is missing or unknown"
			     : "equivalence is missing or unknown");
		return;
	}
	lose_unknown(r, target, known);
	row.cell[SLT_COL_CODE] = code;
	row.cell[SLT_COL_DISPLAY] = text_of(element, "display");
	row.cell[SLT_COL_PIVOT_CODE] = text_of(target, "code");
	row.cell[SLT_COL_PIVOT_DISPLAY] = text_of(target, "display");
	row.cell[SLT_COL_RELATION] = relation;
	row.cell[SLT_COL_NOTE] = made_comment(target) ? NULL : text_of(target, "comment");
	read_extras(r, json_object_get(target, "property"), "code", "", &row);
	read_extras(r, json_object_get(target, "extension"), "url", SLT_TABLE_URN, &row);
	slt_interchange_add(r->t, r->path, r->where, &row, r->report);
}

/* --- elements --- */

static bool is_unmapped(const json_t *element, const json_t *targets)
{
	const char *word = text_of(json_array_get(targets, 0), "equivalence");

	return json_is_true(json_object_get(element, "noMap")) || json_array_size(targets) == 0 ||
	       (json_array_size(targets) == 1 && word && strcmp(word, "unmatched") == 0);
}

static void read_unmapped(struct reader *r, const json_t *element, const json_t *targets)
{
	struct slt_raw_row row = {.line = 0};

	row.cell[SLT_COL_CODE] = text_of(element, "code");
	row.cell[SLT_COL_DISPLAY] = text_of(element, "display");
	row.cell[SLT_COL_NOTE] = text_of(json_array_get(targets, 0), "comment");
	read_extras(r, json_object_get(element, "extension"), "url", SLT_TABLE_URN, &row);
	slt_interchange_add(r->t, r->path, r->where, &row, r->report);
}

static void read_element(struct reader *r, size_t group, size_t i, const json_t *element)
{
	static const char *const known[] = {"id",     "code",	   "display", "noMap",
					    "target", "extension", NULL};
	const json_t *targets = json_object_get(element, "target"), *target;
	size_t k;

	snprintf(r->where, sizeof(r->where), "group %zu, element %zu", group + 1, i + 1);
	if (!text_of(element, "code")) {
		refuse(r, NULL, "the element has no code");
		return;
	}
	lose_unknown(r, element, known);
	if (is_unmapped(element, targets)) {
		read_unmapped(r, element, targets);
		return;
	}
	if (json_object_get(element, "extension")) {
		lose(r, "extensions of an element that has targets");
	}
	json_array_foreach(targets, k, target)
	{
		read_target(r, element, target);
	}
}

/* A table has one system on either side, which country.conf names. */
static void check_systems(struct reader *r, size_t i, const json_t *group)
{
	const char *source = text_of(group, "source"), *target = text_of(group, "target");

	snprintf(r->where, sizeof(r->where), "group %zu", i + 1);
	if (i == 0) {
		r->source = source ? source : "";
		r->target = target ? target : "";
	} else if (strcmp(r->source, source ? source : "") != 0 ||
		   strcmp(r->target, target ? target : "") != 0) {
		lose(r, "its code systems are not those of the first group");
	}
}

static void read_group(struct reader *r, size_t i, const json_t *group)
{
	static const char *const known[] = {
		"id", "source", "target", "element", "sourceVersion", "targetVersion", NULL};
	const json_t *element;
	size_t k;

	check_systems(r, i, group);
	lose_unknown(r, group, known);
	json_array_foreach(json_object_get(group, "element"), k, element)
	{
		read_element(r, i, k, element);
	}
}

bool slt_conceptmap_read(bool r5, struct slt_str text, const char *path,
			 struct slt_interchange_report *report, struct slt_raw_table *t,
			 struct slt_err *err)
{
	static const char *const known[] = {"resourceType",
					    "id",
					    "meta",
					    "text",
					    "url",
					    "identifier",
					    "version",
					    "name",
					    "title",
					    "status",
					    "date",
					    "publisher",
					    "description",
					    "purpose",
					    "jurisdiction",
					    "property",
					    "group",
					    "experimental",
					    "contact",
					    "implicitRules",
					    "language",
					    "sourceUri",
					    "targetUri",
					    "sourceCanonical",
					    "targetCanonical",
					    "sourceScopeUri",
					    "targetScopeUri",
					    "sourceScopeCanonical",
					    "targetScopeCanonical",
					    "copyright",
					    NULL};
	struct reader r = {.r5 = r5, .path = path, .report = report, .t = t, .where = "the map"};
	json_error_t why;
	const json_t *group;
	size_t i;
	json_t *map = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);

	if (!map) {
		return slt_fail(err, SLT_EINVAL, "%s:%d: %s", path, why.line, why.text);
	}
	const char *type = text_of(map, "resourceType");
	if (!type || strcmp(type, "ConceptMap") != 0 ||
	    !json_is_array(json_object_get(map, "group"))) {
		json_decref(map);
		return slt_fail(err, SLT_EINVAL, "%s is no ConceptMap with groups", path);
	}
	lose_unknown(&r, map, known);
	json_array_foreach(json_object_get(map, "group"), i, group)
	{
		read_group(&r, i, group);
	}
	json_decref(map); /* the table has copies */
	return true;
}
