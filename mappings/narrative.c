/* SPDX-License-Identifier: MIT */
/* The table for people at the front of a section's text. */
#include "mappings/walk.h"

#include <string.h>

#define SECTIONS_MAX 32 /* of a document that get a table */
#define VALUES_MAX   16
#define VALUE_BYTES  4096

struct table {
	struct slt_walk *w;
	const struct slt_narrative *n;
	const char *language, *original; /* of the reader, of the document as it came */
	unsigned sections;
};

struct values {
	struct slt_walk *w;
	int show;
	struct slt_buf text;
	unsigned n;
};

static const char *quantity(struct slt_walk *w, const xmlNode *e)
{
	const char *value = slt_attr(w->arena, e, "value");
	const char *unit = slt_attr(w->arena, e, "unit");

	if (!value) {
		return NULL;
	}
	return unit && strcmp(unit, "1") != 0 ? slt_arena_printf(w->arena, "%s %s", value, unit)
					      : value;
}

static const char *show(struct slt_walk *w, int how, const xmlNode *n)
{
	if (n->type != XML_ELEMENT_NODE || how == SLT_SHOW_TEXT) {
		return slt_path_value(w->arena, n);
	}
	if (how == SLT_SHOW_QUANTITY) {
		return quantity(w, n);
	}
	const char *name = slt_attr(w->arena, n, "displayName");
	for (const xmlNode *t = slt_xml_first(n); t && !name; t = slt_xml_next(t)) {
		if (strcmp((const char *)t->name, "originalText") == 0) {
			name = slt_xml_text(w->arena, t);
		}
	}
	return name;
}

static bool add_value(void *arg, xmlNode *n)
{
	struct values *v = arg;
	const char *text = show(v->w, v->show, n);
	struct slt_str t = slt_str_trim(slt_str(text));

	if (t.n > 0) {
		slt_buf_adds(&v->text, v->n ? "; " : "");
		slt_buf_add(&v->text, t.p, t.n);
		v->n++;
	}
	return v->n < VALUES_MAX;
}

static xmlNode *add(xmlNode *parent, xmlNs *ns, const char *name, const char *text)
{
	xmlNode *n = xmlNewDocNode(parent->doc, ns, SLT_XML(name), NULL);

	slt_assert(n);
	if (text) {
		xmlAddChild(n, xmlNewDocText(parent->doc, SLT_XML(text)));
	}
	xmlAddChild(parent, n);
	return n;
}

/* "Original text (in Finnish)", or with the bare tag where no name of the language is known. */
static const char *original_label(const struct table *t)
{
	struct slt_arena *a = t->w->arena;
	size_t n = strcspn(t->original, "-_");
	const char *key = slt_arena_printf(a, "label.original.%.*s", (int)n, t->original);
	const char *text = slt_message(t->w->messages, key, t->language);

	return text ? text
		    : slt_arena_printf(
			      a, "%s (%s)",
			      slt_message_or_key(t->w->messages, "label.original", t->language),
			      t->original);
}

static const char *label(const struct table *t, const struct slt_narrative_row *row)
{
	const char *text = slt_message_or_key(t->w->messages, row->label, t->language);

	return row->original ? slt_arena_printf(t->w->arena, "%s – %s", text, original_label(t))
			     : text;
}

static unsigned add_rows(const struct table *t, xmlNode *section, xmlNode *body)
{
	unsigned rows = 0;

	for (size_t i = 0; i < t->n->n_rows; i++) {
		const struct slt_narrative_row *row = &t->n->row[i];
		struct values v = {.w = t->w, .show = row->show, .text = SLT_BUF_INIT(VALUE_BYTES)};

		slt_find_each(slt_walk_find(t->w), row->from, section, add_value, &v);
		if (v.n > 0 && !v.text.failed) {
			xmlNode *tr = add(body, section->ns, "tr", NULL);
			add(tr, section->ns, "th", label(t, row));
			add(tr, section->ns, "td", v.text.p);
			rows++;
		}
		slt_buf_fini(&v.text);
	}
	return rows;
}

/* The section's text element, made at its place if there is none. */
static xmlNode *text_of(xmlNode *section)
{
	static const char *const before[] = {"templateId", "id",     "code",
					     "title",	   "typeId", "realmCode"};
	xmlNode *last = NULL;

	for (xmlNode *n = slt_xml_first(section); n; n = slt_xml_next(n)) {
		if (strcmp((const char *)n->name, "text") == 0) {
			return n;
		}
		for (size_t i = 0; i < SLT_COUNT(before); i++) {
			if (strcmp((const char *)n->name, before[i]) == 0) {
				last = n;
			}
		}
	}
	xmlNode *text = xmlNewDocNode(section->doc, section->ns, SLT_XML("text"), NULL);
	slt_assert(text);
	if (last) {
		xmlAddNextSibling(last, text);
	} else if (section->children) {
		xmlAddPrevSibling(section->children, text);
	} else {
		xmlAddChild(section, text);
	}
	return text;
}

static bool write_section(void *arg, xmlNode *section)
{
	struct table *t = arg;

	if (t->sections++ == SECTIONS_MAX) {
		return false;
	}
	if (section->type != XML_ELEMENT_NODE) {
		return true;
	}
	xmlNode *text = text_of(section);
	xmlNode *table = xmlNewDocNode(section->doc, section->ns, SLT_XML("table"), NULL);
	xmlNode *body = add(table, section->ns, "tbody", NULL);
	if (add_rows(t, section, body) == 0) {
		xmlFreeNode(table);
		return true;
	}
	if (slt_xml_first(text) || *slt_xml_text(t->w->arena, text)) {
		xmlNode *p = slt_add_first(text, section->ns, "paragraph", NULL);
		xmlNode *content = add(p, section->ns, "content", original_label(t));
		slt_set_attr(content, "styleCode", "Bold");
	}
	if (text->children) {
		xmlAddPrevSibling(text->children, table);
	} else {
		xmlAddChild(text, table);
	}
	struct slt_trace_entry e = {
		.rule = "narrative",
		.place = t->n->section_text,
		.outcome = SLT_OUT_MAPPED,
		.note = "table in the reader's language, original kept behind it"};
	slt_walk_trace(t->w, NULL, &e);
	return true;
}

static const char *original_language(struct slt_walk *w)
{
	for (const xmlNode *n = slt_xml_first(w->root); n; n = slt_xml_next(n)) {
		if (strcmp((const char *)n->name, "languageCode") == 0) {
			const char *code = slt_attr(w->arena, n, "code");
			return code ? code : w->from->language_tag;
		}
	}
	return w->from->language_tag;
}

void slt_narrative_write(struct slt_walk *w)
{
	for (size_t i = 0; i < w->flow->n_narratives; i++) {
		struct table t = {w, &w->flow->narrative[i], slt_country_language(w->to),
				  original_language(w), 0};
		if (strcmp(t.n->document, w->kind) == 0) {
			slt_find_each(slt_walk_find(w), t.n->section, w->root, write_section, &t);
			slt_walk_forget(w);
		}
	}
}
