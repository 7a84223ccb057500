/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "mappings/interchange.h"

enum value_type { VALUE_STRING, VALUE_DATE, VALUE_BOOLEAN };

static const struct {
	enum slt_column column;
	enum value_type type;
	const char *what;
} extras[] = {
	{SLT_COL_LANG, VALUE_STRING, "language of the source's display"},
	{SLT_COL_DIRECTION, VALUE_STRING, "both, to-pivot or from-pivot"},
	{SLT_COL_PREFERRED, VALUE_BOOLEAN, "chosen among several"},
	{SLT_COL_WHEN, VALUE_STRING, "condition under which the row counts"},
	{SLT_COL_VALID_FROM, VALUE_DATE, "first day, of the document"},
	{SLT_COL_VALID_TO, VALUE_DATE, "last day, of the document"},
	{SLT_COL_REPLACED_BY, VALUE_STRING, "code of the source used instead"},
	{SLT_COL_STATUS, VALUE_STRING, "active, draft or retired"},
	{SLT_COL_JUSTIFICATION, VALUE_STRING, "why the pair is right"},
	{SLT_COL_SOURCE, VALUE_STRING, "where the row comes from"},
	{SLT_COL_REVIEWED, VALUE_STRING, "by whom and when"},
};

/* R4 speaks of the target, R5 and our tables of the source. */
static const char *equivalence(const char *relation)
{
	static const char *const pairs[][2] = {{"source-is-narrower-than-target", "wider"},
					       {"source-is-broader-than-target", "narrower"},
					       {"related-to", "relatedto"},
					       {"not-related-to", "disjoint"}};

	for (size_t i = 0; i < SLT_COUNT(pairs); i++) {
		if (strcmp(relation, pairs[i][0]) == 0) {
			return pairs[i][1];
		}
	}
	return "equivalent";
}

static void add_member(struct slt_buf *b, const char *name, const char *value)
{
	if (value && *value) {
		slt_buf_addf(b, ",\"%s\":", name);
		slt_buf_add_json(b, value);
	}
}

static void add_value(struct slt_buf *b, enum value_type type, const char *value)
{
	static const char *const members[] = {"valueString", "valueDateTime", "valueBoolean"};

	slt_buf_addf(b, "\"%s\":", members[type]);
	if (type == VALUE_BOOLEAN) {
		slt_buf_adds(b, strcmp(value, "yes") == 0 ? "true" : "false");
	} else {
		slt_buf_add_json(b, value);
	}
}

/* The further columns of a row as R5's properties, or as extensions. */
static void add_extras(struct slt_buf *b, bool properties, const struct slt_raw_row *r,
		       const enum slt_column *more, size_t n_more)
{
	const char *name = properties ? "property" : "extension";
	bool any = false;

	for (size_t i = 0; i < SLT_COUNT(extras) + n_more; i++) {
		bool extra = i < SLT_COUNT(extras);
		enum slt_column c = extra ? extras[i].column : more[i - SLT_COUNT(extras)];
		if (!*r->cell[c]) {
			continue;
		}
		if (any) {
			slt_buf_addc(b, ',');
		} else {
			slt_buf_addf(b, ",\"%s\":[", name);
		}
		slt_buf_addf(b, "{\"%s\":\"%s%s\",", properties ? "code" : "url",
			     properties ? "" : SLT_TABLE_URN, slt_table_columns[c]);
		add_value(b, extra ? extras[i].type : VALUE_STRING, r->cell[c]);
		slt_buf_addc(b, '}');
		any = true;
	}
	slt_buf_adds(b, any ? "]" : "");
}

/* R4 wants a comment where the target is narrower. */
static bool needs_comment(bool r5, const struct slt_raw_row *r)
{
	return !r5 && !*r->cell[SLT_COL_NOTE] &&
	       strcmp(r->cell[SLT_COL_RELATION], "source-is-broader-than-target") == 0;
}

static void add_target(struct slt_buf *b, bool r5, const struct slt_raw_row *r)
{
	const char *relation =
		*r->cell[SLT_COL_RELATION] ? r->cell[SLT_COL_RELATION] : "equivalent";

	slt_buf_adds(b, "{\"code\":");
	slt_buf_add_json(b, r->cell[SLT_COL_PIVOT_CODE]);
	add_member(b, "display", r->cell[SLT_COL_PIVOT_DISPLAY]);
	slt_buf_addf(b, ",\"%s\":\"%s\"", r5 ? "relationship" : "equivalence",
		     r5 ? relation : equivalence(relation));
	if (needs_comment(r5, r)) {
		slt_buf_adds(b, ",\"_comment\":{\"extension\":[{\"url\":\"" SLT_TABLE_URN
				"made\",\"valueBoolean\":true}]},\"comment\":\"the target is "
				"narrower than the source\"");
	}
	add_member(b, "comment", r->cell[SLT_COL_NOTE]);
	add_extras(b, r5, r, NULL, 0);
	slt_buf_addc(b, '}');
}

/* Known, but without counterpart: what is said of the row stands at the element. */
static void add_unmapped(struct slt_buf *b, bool r5, const struct slt_raw_row *r)
{
	static const enum slt_column more[] = {SLT_COL_RELATION, SLT_COL_PIVOT_DISPLAY,
					       SLT_COL_NOTE};

	add_extras(b, false, r, more, SLT_COUNT(more));
	slt_buf_adds(b, r5 ? ",\"noMap\":true" : ",\"target\":[{\"equivalence\":\"unmatched\"}]");
}

static bool same_element(const struct slt_raw_row *a, const struct slt_raw_row *b)
{
	return *a->cell[SLT_COL_PIVOT_CODE] && *b->cell[SLT_COL_PIVOT_CODE] &&
	       strcmp(a->cell[SLT_COL_CODE], b->cell[SLT_COL_CODE]) == 0 &&
	       strcmp(a->cell[SLT_COL_DISPLAY], b->cell[SLT_COL_DISPLAY]) == 0;
}

/* Returns how many rows it took. */
static size_t add_element(struct slt_buf *b, bool r5, const struct slt_raw_table *t, size_t i)
{
	const struct slt_raw_row *r = &t->row[i];
	size_t n = 1;

	slt_buf_adds(b, "{\"code\":");
	slt_buf_add_json(b, r->cell[SLT_COL_CODE]);
	add_member(b, "display", r->cell[SLT_COL_DISPLAY]);
	if (!*r->cell[SLT_COL_PIVOT_CODE]) {
		add_unmapped(b, r5, r);
	} else {
		slt_buf_adds(b, ",\"target\":[");
		add_target(b, r5, r);
		for (; i + n < t->n && same_element(r, &t->row[i + n]); n++) {
			slt_buf_addc(b, ',');
			add_target(b, r5, &t->row[i + n]);
		}
		slt_buf_addc(b, ']');
	}
	slt_buf_addc(b, '}');
	return n;
}

static void add_properties(struct slt_buf *b)
{
	static const char *const types[] = {"string", "dateTime", "boolean"};

	slt_buf_adds(b, "\"property\":[");
	for (size_t i = 0; i < SLT_COUNT(extras); i++) {
		const char *name = slt_table_columns[extras[i].column];
		slt_buf_addf(b,
			     "%s\n{\"code\":\"%s\",\"uri\":\"" SLT_TABLE_URN
			     "%s\",\"description\":\"%s\",\"type\":\"%s\"}",
			     i ? "," : "", name, name, extras[i].what, types[extras[i].type]);
	}
	slt_buf_adds(b, "],\n");
}

static void add_head(struct slt_buf *b, bool r5, const struct slt_interchange_info *info,
		     struct slt_arena *a)
{
	const struct slt_country *c = info->country;
	const char *name = slt_arena_printf(a, "%s_%s", c->code, info->list->id);

	slt_buf_adds(b, "{\"resourceType\":\"ConceptMap\"");
	add_member(b, "url", slt_arena_printf(a, "urn:silta:map:%s:%s", c->code, info->list->id));
	slt_buf_adds(b, ",\n");
	slt_buf_adds(b, "\"version\":");
	slt_buf_add_json(b, info->list->version ? info->list->version : c->version);
	add_member(b, "name", name);
	add_member(b, "title",
		   slt_arena_printf(a, "%s, list %s, to the pivot", c->name, info->list->id));
	slt_buf_adds(b, ",\"status\":\"active\"");
	slt_buf_addf(b,
		     ",\n\"jurisdiction\":[{\"coding\":[{\"system\":\"urn:iso:std:iso:3166\","
		     "\"code\":\"%s\"}]}],\n",
		     c->code);
	if (r5) {
		add_properties(b);
	}
	slt_buf_adds(b, "\"group\":[{\"source\":");
	slt_buf_add_json(b, slt_interchange_system(c, info->list, a));
	slt_buf_adds(b, ",\"target\":");
	slt_buf_add_json(b, slt_interchange_system(info->pivot, info->pivot_list, a));
	slt_buf_adds(b, ",\n\"element\":[");
}

/* FHIR's codes have single blanks inside and none at the ends. */
static void check_code(const struct slt_interchange_info *info, const struct slt_raw_row *r,
		       enum slt_column c, struct slt_lint *losses)
{
	if (strstr(r->cell[c], "  ")) {
		slt_lint_add(losses, info->list->file, r->line,
			     "%s '%.60s' is no code of FHIR (two blanks in a row)",
			     slt_table_columns[c], r->cell[c]);
	}
}

void slt_conceptmap_write(bool r5, const struct slt_raw_table *t,
			  const struct slt_interchange_info *info, struct slt_lint *losses,
			  struct slt_buf *out)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();

	add_head(out, r5, info, a);
	for (size_t i = 0; i < t->n;) {
		check_code(info, &t->row[i], SLT_COL_CODE, losses);
		check_code(info, &t->row[i], SLT_COL_PIVOT_CODE, losses);
		slt_buf_adds(out, i ? ",\n" : "\n");
		i += add_element(out, r5, t, i);
	}
	slt_buf_adds(out, "]");
	if (info->list->identity) {
		slt_buf_addf(out, ",\n\"unmapped\":{\"mode\":\"%s\"}",
			     r5 ? "use-source-code" : "provided");
	}
	slt_buf_adds(out, "}]}\n");
}
