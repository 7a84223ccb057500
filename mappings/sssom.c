/* SPDX-License-Identifier: MIT */
/* SSSOM/TSV: https://mapping-commons.github.io/sssom/, version 1.1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mappings/interchange.h"

#define NO_TERM	    "sssom:NoTermFound"
#define COLUMNS_MAX 64
#define EXT	    "ext_"

/* --- what both directions know --- */

/* SSSOM speaks of the object: "broad" where the source is narrower. */
static const struct {
	const char *predicate, *relation;
	bool negated, exact;
} predicates[] = {
	/* the first of a relation is written */
	{"skos:exactMatch", "equivalent", false, true},
	{"skos:broadMatch", "source-is-narrower-than-target", false, true},
	{"skos:narrowMatch", "source-is-broader-than-target", false, true},
	{"skos:relatedMatch", "related-to", false, true},
	{"skos:relatedMatch", "not-related-to", true, true},
	{"owl:equivalentClass", "equivalent", false, true},
	{"owl:sameAs", "equivalent", false, true},
	{"rdfs:subClassOf", "source-is-narrower-than-target", false, true},
	{"skos:closeMatch", "related-to", false, false},
	{"oboInOwl:hasDbXref", "related-to", false, false},
	{"rdfs:seeAlso", "related-to", false, false},
};

static const enum slt_column extensions[] = {
	SLT_COL_LANG,	SLT_COL_RELATION,      SLT_COL_DIRECTION, SLT_COL_PREFERRED,
	SLT_COL_WHEN,	SLT_COL_VALID_FROM,    SLT_COL_VALID_TO,  SLT_COL_REPLACED_BY,
	SLT_COL_STATUS, SLT_COL_JUSTIFICATION, SLT_COL_SOURCE,	  SLT_COL_REVIEWED};

/* --- writing --- */

struct writer {
	struct slt_buf *b;
	const char *subject, *object; /* prefixes */
	bool used[SLT_COUNT(extensions)];
	bool modifier, comment;
};

static bool unmapped(const struct slt_raw_row *r)
{
	return !*r->cell[SLT_COL_PIVOT_CODE];
}

/* The relation is the predicate, but where there is no object. */
static const char *extension_cell(const struct slt_raw_row *r, size_t i)
{
	return extensions[i] == SLT_COL_RELATION && !unmapped(r) ? "" : r->cell[extensions[i]];
}

static size_t predicate_of(const struct slt_raw_row *r)
{
	for (size_t i = 0; !unmapped(r) && i < SLT_COUNT(predicates); i++) {
		if (strcmp(predicates[i].relation, r->cell[SLT_COL_RELATION]) == 0) {
			return i;
		}
	}
	return 0;
}

static void add_id(struct slt_buf *b, const char *prefix, const char *code)
{
	slt_buf_addf(b, "%s:", prefix);
	for (; *code; code++) {
		unsigned char c = (unsigned char)*code;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
		slt_buf_addf(b, plain ? "%c" : "%%%02X", c);
	}
}

static void add_cell(struct slt_buf *b, const char *cell)
{
	slt_buf_addc(b, '\t');
	if (!strchr(cell, '"')) {
		slt_buf_adds(b, cell);
		return;
	}
	slt_buf_addc(b, '"');
	for (; *cell; cell++) {
		slt_buf_adds(b, *cell == '"' ? "\"" : "");
		slt_buf_addc(b, *cell);
	}
	slt_buf_addc(b, '"');
}

static const char *justification_of(const char *text)
{
	if (strstr(text, "manual") || strstr(text, "expert")) {
		return "semapv:ManualMappingCuration";
	}
	if (strstr(text, "name") || strstr(text, "word") || strstr(text, "term")) {
		return "semapv:LexicalMatching";
	}
	return "semapv:UnspecifiedMatching";
}

static void add_yaml(struct slt_buf *b, const char *name, const char *value)
{
	slt_buf_addf(b, "#%s: ", name);
	slt_buf_add_json(b, value); /* a JSON string is a YAML string */
	slt_buf_addc(b, '\n');
}

static void add_head(struct writer *w, const struct slt_interchange_info *info, struct slt_arena *a)
{
	const struct slt_country *c = info->country;
	struct slt_buf *b = w->b;

	slt_buf_adds(b, "#sssom_version: \"1.1\"\n#curie_map:\n");
	slt_buf_addf(b, "#  %s: \"urn:silta:codes:%s:%s:\"\n", w->subject, c->code, info->list->id);
	slt_buf_addf(b, "#  %s: \"urn:silta:codes:pivot:%s:\"\n", w->object, info->list->id);
	slt_buf_adds(b, "#  silta: \"" SLT_TABLE_URN "\"\n");
	add_yaml(b, "mapping_set_id",
		 slt_arena_printf(a, "urn:silta:map:%s:%s", c->code, info->list->id));
	add_yaml(b, "mapping_set_version", info->list->version ? info->list->version : c->version);
	add_yaml(b, "mapping_set_title",
		 slt_arena_printf(a, "%s, list %s, to the pivot", c->name, info->list->id));
	add_yaml(b, "mapping_set_description",
		 slt_arena_printf(a, "From codes of %s to codes of %s",
				  slt_interchange_system(c, info->list, a),
				  slt_interchange_system(info->pivot, info->pivot_list, a)));
	add_yaml(b, "license", "https://w3id.org/sssom/license/unspecified");
	add_yaml(b, "mapping_tool", "silta");
	bool any = false;
	for (size_t i = 0; i < SLT_COUNT(extensions); i++) {
		const char *name = slt_table_columns[extensions[i]];
		if (w->used[i]) {
			slt_buf_adds(b, any ? "" : "#extension_definitions:\n");
			slt_buf_addf(b,
				     "#  - slot_name: " EXT "%s\n#    property: \"silta:%s\"\n"
				     "#    type_hint: \"xsd:string\"\n",
				     name, name);
			any = true;
		}
	}
}

static void add_columns(struct writer *w)
{
	slt_buf_adds(w->b, "subject_id\tsubject_label\tpredicate_id");
	slt_buf_adds(w->b, w->modifier ? "\tpredicate_modifier" : "");
	slt_buf_adds(w->b, "\tobject_id\tobject_label\tmapping_justification");
	slt_buf_adds(w->b, w->comment ? "\tcomment" : "");
	for (size_t i = 0; i < SLT_COUNT(extensions); i++) {
		if (w->used[i]) {
			slt_buf_addf(w->b, "\t" EXT "%s", slt_table_columns[extensions[i]]);
		}
	}
	slt_buf_addc(w->b, '\n');
}

static void add_row(struct writer *w, const struct slt_raw_row *r)
{
	size_t p = predicate_of(r);

	add_id(w->b, w->subject, r->cell[SLT_COL_CODE]);
	add_cell(w->b, r->cell[SLT_COL_DISPLAY]);
	add_cell(w->b, predicates[p].predicate);
	if (w->modifier) {
		add_cell(w->b, predicates[p].negated ? "Not" : "");
	}
	slt_buf_addc(w->b, '\t');
	if (unmapped(r)) {
		slt_buf_adds(w->b, NO_TERM);
	} else {
		add_id(w->b, w->object, r->cell[SLT_COL_PIVOT_CODE]);
	}
	add_cell(w->b, r->cell[SLT_COL_PIVOT_DISPLAY]);
	add_cell(w->b, justification_of(r->cell[SLT_COL_JUSTIFICATION]));
	if (w->comment) {
		add_cell(w->b, r->cell[SLT_COL_NOTE]);
	}
	for (size_t i = 0; i < SLT_COUNT(extensions); i++) {
		if (w->used[i]) {
			add_cell(w->b, extension_cell(r, i));
		}
	}
	slt_buf_addc(w->b, '\n');
}

void slt_sssom_write(const struct slt_raw_table *t, const struct slt_interchange_info *info,
		     struct slt_lint *losses, struct slt_buf *out)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct writer w = {
		.b = out,
		.subject = slt_arena_printf(a, "%s_%s", info->country->code, info->list->id),
		.object = slt_arena_printf(a, "pivot_%s", info->list->id)};

	(void)losses; /* extension columns hold everything that a row says */
	for (size_t k = 0; k < t->n; k++) {
		w.modifier = w.modifier || predicates[predicate_of(&t->row[k])].negated;
		w.comment = w.comment || *t->row[k].cell[SLT_COL_NOTE];
		for (size_t i = 0; i < SLT_COUNT(extensions); i++) {
			w.used[i] = w.used[i] || *extension_cell(&t->row[k], i);
		}
	}
	add_head(&w, info, a);
	add_columns(&w);
	for (size_t k = 0; k < t->n; k++) {
		add_row(&w, &t->row[k]);
	}
}

/* --- reading: cells --- */

struct scanner {
	const char *p, *end;
	unsigned line;
	struct slt_arena *a;
};

/* One cell, with its quotes undone; false when a quote is not closed. */
static bool scan_cell(struct scanner *s, const char **ret)
{
	SLT_AUTO_BUF(b, SLT_INTERCHANGE_MAX);
	bool quoted = s->p < s->end && *s->p == '"';

	s->p += quoted;
	while (s->p < s->end && (quoted || (*s->p != '\t' && *s->p != '\n'))) {
		if (quoted && *s->p == '"') {
			s->p++;
			quoted = s->p < s->end && *s->p == '"';
			if (!quoted) {
				continue;
			}
		}
		s->line += *s->p == '\n';
		slt_buf_addc(&b, *s->p++);
	}
	if (b.n > 0 && b.p[b.n - 1] == '\r' && (s->p == s->end || *s->p == '\n')) {
		b.n--;
	}
	struct slt_str text = slt_buf_str(&b);
	*ret = slt_arena_strndup(s->a, text.p, text.n);
	return !quoted;
}

/* The cells of a line; *ret_n is 0 for an empty one. False when it is malformed. */
static bool scan_line(struct scanner *s, const char **cell, size_t *ret_n)
{
	size_t n = 0;

	for (;;) {
		if (n == COLUMNS_MAX || !scan_cell(s, &cell[n])) {
			const char *nl = memchr(s->p, '\n', (size_t)(s->end - s->p));
			s->p = nl ? nl + 1 : s->end;
			s->line++;
			return false;
		}
		n++;
		if (s->p == s->end || *s->p == '\n') {
			break;
		}
		s->p++; /* the tab */
	}
	s->p += s->p < s->end;
	s->line++;
	*ret_n = n == 1 && *cell[0] == '\0' ? 0 : n;
	return true;
}

/* --- reading: columns --- */

enum { /* where a column goes, beside the columns of tables */
       TO_NOTHING = SLT_TABLE_COLUMNS,
       TO_SUBJECT,
       TO_PREDICATE,
       TO_MODIFIER,
       TO_OBJECT,
       TO_JUSTIFIED,
       TO_COUNT
};

struct reader {
	struct scanner s;
	const char *path;
	struct slt_interchange_report *report;
	struct slt_raw_table *t;
	unsigned char to[COLUMNS_MAX];
	const char *name[COLUMNS_MAX];
	size_t n;
	bool lost[COLUMNS_MAX], has_justification;
	const char *prefix[2]; /* of the first subject and object */
	char where[64];
};

static unsigned char column_to(const char *name)
{
	static const struct {
		const char *name;
		unsigned char to;
	} fixed[] = {{"subject_id", TO_SUBJECT},
		     {"subject_label", SLT_COL_DISPLAY},
		     {"predicate_id", TO_PREDICATE},
		     {"predicate_modifier", TO_MODIFIER},
		     {"object_id", TO_OBJECT},
		     {"object_label", SLT_COL_PIVOT_DISPLAY},
		     {"mapping_justification", TO_JUSTIFIED},
		     {"comment", SLT_COL_NOTE}};

	for (size_t i = 0; i < SLT_COUNT(fixed); i++) {
		if (strcmp(fixed[i].name, name) == 0) {
			return fixed[i].to;
		}
	}
	for (size_t i = 0; strncmp(name, EXT, 4) == 0 && i < SLT_COUNT(extensions); i++) {
		if (strcmp(slt_table_columns[extensions[i]], name + 4) == 0) {
			return (unsigned char)extensions[i];
		}
	}
	return TO_NOTHING;
}

static bool read_columns(struct reader *r, struct slt_err *err)
{
	bool seen[TO_COUNT] = {false};

	if (!scan_line(&r->s, r->name, &r->n)) {
		return slt_fail(err, SLT_EINVAL, "%s:%u: malformed, or more than %d columns",
				r->path, r->s.line, COLUMNS_MAX);
	}
	for (size_t i = 0; i < r->n; i++) {
		r->to[i] = column_to(r->name[i]);
		if (r->to[i] != TO_NOTHING && seen[r->to[i]]) {
			return slt_fail(err, SLT_EINVAL, "%s:%u: column %.60s stands twice",
					r->path, r->s.line, r->name[i]);
		}
		seen[r->to[i]] = true;
	}
	if (!seen[TO_SUBJECT] || !seen[TO_PREDICATE] || !seen[TO_OBJECT]) {
		return slt_fail(
			err, SLT_EINVAL,
			"%s is no SSSOM: a column of subject_id, predicate_id, object_id is "
			"missing",
			r->path);
	}
	r->has_justification = seen[SLT_COL_JUSTIFICATION];
	return true;
}

/* --- reading: rows --- */

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* The local part of a CURIE, %XX undone. One prefix a side: a table has one code system. */
static const char *code_of(struct reader *r, unsigned side, const char *id)
{
	const char *colon = strchr(id, ':');
	SLT_AUTO_BUF(b, SLT_INTERCHANGE_MAX);

	if (!colon || colon == id) {
		return id;
	}
	const char *prefix = slt_arena_strndup(r->s.a, id, (size_t)(colon - id));
	if (!r->prefix[side]) {
		r->prefix[side] = prefix;
	} else if (strcmp(r->prefix[side], prefix) != 0) {
		slt_lint_add(r->report->losses, r->path, 0,
			     "%s: the prefix %.60s is not that of the rows before", r->where,
			     prefix);
	}
	for (const char *p = colon + 1; *p; p++) {
		int high = *p == '%' ? hex(p[1]) : -1, low = high >= 0 ? hex(p[2]) : -1;
		slt_buf_addc(&b, low >= 0 ? (char)(16 * high + low) : *p);
		p += low >= 0 ? 2 : 0;
	}
	struct slt_str s = slt_buf_str(&b);
	/* a NUL would end the cell unseen */
	return memchr(s.p, 0, s.n) ? "\x01" : slt_arena_strndup(r->s.a, s.p, s.n);
}

static bool relation_of(struct reader *r, const char *predicate, const char *modifier,
			const char **ret)
{
	bool negated = strcmp(modifier, "Not") == 0;

	if (*modifier && !negated) {
		return false;
	}
	for (size_t i = 0; i < SLT_COUNT(predicates); i++) {
		if (strcmp(predicates[i].predicate, predicate) == 0 &&
		    predicates[i].negated == negated) {
			*ret = predicates[i].relation;
			if (!predicates[i].exact) {
				slt_lint_add(r->report->losses, r->path, 0,
					     "%s: %s is taken for related-to", r->where, predicate);
			}
			return true;
		}
	}
	return false;
}

static void lose_column(struct reader *r, size_t i, const char *cell)
{
	if (*cell && !r->lost[i]) {
		slt_lint_add(r->report->losses, r->path, 0, "column %.60s has no place in a table",
			     r->name[i]);
		r->lost[i] = true;
	}
}

static void read_row(struct reader *r, const char *const *cell, size_t n)
{
	const char *got[TO_COUNT] = {NULL};
	struct slt_raw_row row = {.line = 0};

	for (size_t i = 0; i < r->n; i++) {
		const char *c = i < n ? cell[i] : "";
		if (r->to[i] == TO_NOTHING) {
			lose_column(r, i, c);
		} else {
			got[r->to[i]] = c;
		}
	}
	memcpy(row.cell, got, sizeof(row.cell));
	const char *justified = got[TO_JUSTIFIED];
	if (!r->has_justification && justified &&
	    strcmp(justified, "semapv:UnspecifiedMatching") != 0) {
		row.cell[SLT_COL_JUSTIFICATION] = justified;
	}
	if (strcmp(got[TO_SUBJECT], NO_TERM) != 0) {
		row.cell[SLT_COL_CODE] = code_of(r, 0, got[TO_SUBJECT]);
	}
	if (strcmp(got[TO_OBJECT], NO_TERM) != 0) {
		row.cell[SLT_COL_PIVOT_CODE] = code_of(r, 1, got[TO_OBJECT]);
		if (!relation_of(r, got[TO_PREDICATE], got[TO_MODIFIER] ? got[TO_MODIFIER] : "",
				 &row.cell[SLT_COL_RELATION])) {
			slt_lint_add(r->report->refused, r->path, 0,
				     "%s: no relation of tables is %.40s %.60s", r->where,
				     got[TO_MODIFIER] ? got[TO_MODIFIER] : "", got[TO_PREDICATE]);
			return;
		}
	}
	slt_interchange_add(r->t, r->path, r->where, &row, r->report);
}

bool slt_sssom_read(struct slt_str text, const char *path, struct slt_interchange_report *report,
		    struct slt_raw_table *t, struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct reader *r = slt_arena_alloc(a, sizeof(*r));
	const char *cell[COLUMNS_MAX];
	size_t n;

	*r = (struct reader){
		.s = {text.p, text.p + text.n, 0, a}, .path = path, .report = report, .t = t};
	if (memchr(text.p, 0, text.n)) {
		return slt_fail(err, SLT_EINVAL, "%s holds a NUL", path);
	}
	while (r->s.p < r->s.end && *r->s.p == '#') { /* the map's head: country.conf has its own */
		const char *nl = memchr(r->s.p, '\n', (size_t)(r->s.end - r->s.p));
		r->s.p = nl ? nl + 1 : r->s.end;
		r->s.line++;
	}
	if (!read_columns(r, err)) {
		return false;
	}
	while (r->s.p < r->s.end) {
		snprintf(r->where, sizeof(r->where), "line %u", r->s.line + 1);
		if (!scan_line(&r->s, cell, &n)) {
			slt_lint_add(report->refused, path, 0, "%s: malformed", r->where);
		} else if (n > r->n) {
			slt_lint_add(report->refused, path, 0, "%s: more cells than columns",
				     r->where);
		} else if (n > 0) {
			read_row(r, cell, n);
		}
	}
	return true;
}
