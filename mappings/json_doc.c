/* SPDX-License-Identifier: MIT */
#include "mappings/json_doc.h"

#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {"object", "array", "string", "number", "boolean", "null"};

bool slt_json_looks(struct slt_str text)
{
	struct slt_str s = slt_str_trim(text);

	return s.n > 0 && (s.p[0] == '{' || s.p[0] == '[');
}

void slt_json_set_type(xmlNode *n, enum slt_json_type type)
{
	xmlSetProp(n, SLT_XML("type"), SLT_XML(type_names[type]));
}

static void put_text(xmlNode *n, const char *text)
{
	xmlNode *next;

	for (xmlNode *c = n->children; c; c = next) {
		next = c->next;
		xmlUnlinkNode(c);
		xmlFreeNode(c);
	}
	if (*text) {
		xmlAddChild(n, xmlNewDocText(n->doc, SLT_XML(text)));
	}
}

static int compare_names(const void *a, const void *b)
{
	const xmlNode *const *x = a, *const *y = b;

	return strcmp((const char *)(*x)->name, (const char *)(*y)->name);
}

const char *slt_json_repeated(const xmlNode *object)
{
	size_t n = 0, i = 0;
	const char *found = NULL;

	for (const xmlNode *c = object->children; c; c = c->next) {
		n++;
	}
	if (n < 2) {
		return NULL;
	}
	const xmlNode **all = slt_calloc(n, sizeof(*all));
	for (const xmlNode *c = object->children; c; c = c->next) {
		all[i++] = c;
	}
	qsort(all, n, sizeof(*all), compare_names);
	for (i = 1; i < n && !found; i++) {
		if (strcmp((const char *)all[i]->name, (const char *)all[i - 1]->name) == 0) {
			found = (const char *)all[i]->name;
		}
	}
	free(all);
	return found;
}

/* --- writing --- */

static bool in_ns(const xmlNode *n, const char *uri)
{
	return n->ns && strcmp((const char *)n->ns->href, uri) == 0;
}

bool slt_json_is(const xmlDoc *doc)
{
	const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;

	return root && in_ns(root, SLT_NS_JSON) && strcmp((const char *)root->name, "$") == 0;
}

bool slt_json_is_item(const xmlNode *n)
{
	return n->type == XML_ELEMENT_NODE && in_ns(n, SLT_NS_JSON_ITEM);
}

/* What a node has decides before what it says: a rule may have given a string parts. */
enum slt_json_type slt_json_type(const xmlNode *n)
{
	const xmlNode *first = slt_xml_first(n);

	if (first) {
		return slt_json_is_item(first) ? SLT_JSON_ARRAY : SLT_JSON_OBJECT;
	}
	for (const xmlAttr *a = n->properties; a; a = a->next) {
		for (unsigned i = 0; i < SLT_COUNT(type_names) && a->children; i++) {
			if (strcmp((const char *)a->children->content, type_names[i]) == 0) {
				return (enum slt_json_type)i;
			}
		}
	}
	return SLT_JSON_STRING_VALUE;
}

static void add_string(struct slt_buf *out, const char *p)
{
	slt_buf_addc(out, '"');
	for (; *p; p++) {
		unsigned char c = (unsigned char)*p;
		if (c == '"' || c == '\\') {
			slt_buf_addc(out, '\\');
			slt_buf_addc(out, *p);
		} else if (c == '\n' || c == '\r' || c == '\t') {
			slt_buf_addc(out, '\\');
			slt_buf_addc(out, c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
		} else {
			slt_buf_addc(out, *p);
		}
	}
	slt_buf_addc(out, '"');
}

static const char *own_text(const xmlNode *n)
{
	const xmlNode *t = n->children;

	/* a leaf has one text node, or none: slt_json_set_text() and the parser see to it */
	return t && t->content ? (const char *)t->content : "";
}

static bool dump_leaf(const xmlNode *n, enum slt_json_type type, struct slt_buf *out,
		      struct slt_err *err)
{
	const char *text = own_text(n);

	if (type == SLT_JSON_NULL) {
		slt_buf_adds(out, "null");
		return true;
	}
	if (type == SLT_JSON_STRING_VALUE) {
		add_string(out, text);
		return true;
	}
	if (type == SLT_JSON_NUMBER_VALUE
		    ? !slt_json_is_number(text)
		    : strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
		return slt_fail(err, SLT_EINVAL, "a rule left a value at '%.64s' that is no %s",
				(const char *)n->name, type_names[type]);
	}
	slt_buf_adds(out, text);
	return true;
}

static bool dump(const xmlNode *n, struct slt_buf *out, unsigned depth, struct slt_err *err)
{
	enum slt_json_type type = slt_json_type(n);
	bool object = type == SLT_JSON_OBJECT;

	if (!object && type != SLT_JSON_ARRAY) {
		return dump_leaf(n, type, out, err);
	}
	if (depth > 2 * SLT_JSON_DEPTH) {
		return slt_fail(err, SLT_ELIMIT, "the result is nested too deeply");
	}
	if (object && slt_json_repeated(n)) {
		return slt_fail(err, SLT_EINVAL, "rules gave two members the name '%.64s'",
				slt_json_repeated(n));
	}
	slt_buf_addc(out, object ? '{' : '[');
	for (const xmlNode *c = slt_xml_first(n), *first = c; c; c = slt_xml_next(c)) {
		if (c != first) {
			slt_buf_addc(out, ',');
		}
		if (slt_json_is_item(c) == object) {
			return slt_fail(err, SLT_EINVAL,
					"a rule mixed members of an object and an array");
		}
		if (object) {
			add_string(out, (const char *)c->name);
			slt_buf_addc(out, ':');
		}
		if (!dump(c, out, depth + 1, err)) {
			return false;
		}
	}
	slt_buf_addc(out, object ? '}' : ']');
	return true;
}

bool slt_json_dump(const xmlDoc *doc, struct slt_buf *out, struct slt_err *err)
{
	slt_assert(slt_json_is(doc));
	return dump(xmlDocGetRootElement(doc), out, 0, err) && slt_buf_check(out, "JSON", err);
}

/* --- reading and changing --- */

xmlNode *slt_json_member(const xmlNode *object, const char *name)
{
	return slt_xml_child(object, SLT_NS_JSON, name);
}

const char *slt_json_text(struct slt_arena *a, const xmlNode *object, const char *name)
{
	const xmlNode *n = slt_json_member(object, name);
	enum slt_json_type type = n ? slt_json_type(n) : SLT_JSON_NULL;

	if (type == SLT_JSON_NULL || type == SLT_JSON_OBJECT || type == SLT_JSON_ARRAY) {
		return NULL;
	}
	return slt_arena_strdup(a, own_text(n));
}

void slt_json_set_text(xmlNode *n, const char *text)
{
	enum slt_json_type type = slt_json_type(n);
	bool word = strcmp(text, "true") == 0 || strcmp(text, "false") == 0;

	if (!(type == SLT_JSON_NUMBER_VALUE && slt_json_is_number(text)) &&
	    !(type == SLT_JSON_BOOLEAN && word)) {
		slt_json_set_type(n, SLT_JSON_STRING_VALUE);
	}
	put_text(n, text);
}

static xmlNs *ns_of(xmlNode *n, const char *uri, const char *prefix)
{
	xmlNs *ns = xmlSearchNsByHref(n->doc, n, SLT_XML(uri));

	return ns ? ns : xmlNewNs(xmlDocGetRootElement(n->doc), SLT_XML(uri), SLT_XML(prefix));
}

xmlNode *slt_json_add(xmlNode *parent, const char *name, enum slt_json_type type)
{
	xmlNode *n =
		xmlNewDocNode(parent->doc, ns_of(parent, SLT_NS_JSON, "j"), SLT_XML(name), NULL);

	slt_assert(n);
	slt_json_set_type(n, type);
	xmlAddChild(parent, n);
	return n;
}

xmlNode *slt_json_item(xmlNode *array, xmlNode *before, enum slt_json_type type)
{
	xmlNode *n = xmlNewDocNode(array->doc, ns_of(array, SLT_NS_JSON_ITEM, "i"), SLT_XML("item"),
				   NULL);

	slt_assert(n);
	slt_json_set_type(n, type);
	if (before) {
		xmlAddPrevSibling(before, n);
	} else {
		xmlAddChild(array, n);
	}
	return n;
}

void slt_json_set(xmlNode *object, const char *name, const char *text)
{
	xmlNode *n = slt_json_member(object, name);

	if (!text) {
		if (n) {
			xmlUnlinkNode(n);
			xmlFreeNode(n);
		}
		return;
	}
	slt_json_set_text(n ? n : slt_json_add(object, name, SLT_JSON_STRING_VALUE), text);
}
