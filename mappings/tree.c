/* SPDX-License-Identifier: MIT */
/* Changes of the tree that the operations share. */
#include "mappings/walk.h"

#include <stdio.h>
#include <string.h>

xmlNs *slt_walk_ns(struct slt_walk *w, xmlNode *node, const char *uri, const char *prefix)
{
	xmlNs *ns = xmlSearchNsByHref(w->doc, node, SLT_XML(uri));

	if (ns) {
		return ns;
	}
	size_t n = prefix ? strcspn(prefix, ":") : 0;
	SLT_AUTO_STR char *bare = slt_strndup(prefix ? prefix : "", n);
	ns = xmlNewNs(w->root, SLT_XML(uri), *bare ? SLT_XML(bare) : NULL);
	/* the prefix is taken by another namespace: find a free one */
	for (unsigned i = 1; !ns && i < 100; i++) {
		char numbered[16];
		snprintf(numbered, sizeof(numbered), "ns%u", i);
		if (!xmlSearchNs(w->doc, node, SLT_XML(numbered))) {
			ns = xmlNewNs(w->root, SLT_XML(uri), SLT_XML(numbered));
		}
	}
	slt_assert(ns);
	return ns;
}

static const struct slt_prefix *prefix_of(const struct slt_walk *w, const xmlNode *element)
{
	const struct slt_prefixes *p = &w->flow->prefixes;
	const char *uri = element->ns ? (const char *)element->ns->href : NULL;

	for (size_t i = 0; uri && i < p->n; i++) {
		if (strcmp(p->v[i].uri, uri) == 0) {
			return &p->v[i];
		}
	}
	return NULL;
}

xmlNs *slt_walk_parts_ns(struct slt_walk *w, xmlNode *element)
{
	const struct slt_prefix *p = prefix_of(w, element);

	if (!p || !p->parts) {
		return element->ns;
	}
	const char *uri = slt_prefix_uri(&w->flow->prefixes, p->parts, strlen(p->parts));
	return uri ? slt_walk_ns(w, element, uri, p->parts) : element->ns;
}

xmlNode *slt_clone(xmlNode *node, xmlNode *parent)
{
	xmlNode *copy = NULL;
	/* unlike xmlDocCopyNode(), uses the declarations that are in scope at the parent */
	int rc = xmlDOMWrapCloneNode(NULL, node->doc, node, &copy, parent->doc, parent, 1, 0);

	slt_assert(rc == 0 && copy);
	return copy;
}

void slt_set_attr(xmlNode *element, const char *name, const char *value)
{
	xmlAttr *a = element->properties;

	while (a && (a->ns || a->name[0] != (xmlChar)name[0] ||
		     strcmp((const char *)a->name, name) != 0)) {
		a = a->next;
	}
	if (!value && a) {
		xmlRemoveProp(a);
	} else if (value && a && a->children && !a->children->next &&
		   a->children->type == XML_TEXT_NODE) {
		xmlNodeSetContent(a->children, SLT_XML(value));
	} else if (value) {
		xmlSetProp(element, SLT_XML(name), SLT_XML(value));
	}
}

void slt_set_text(xmlNode *element, const char *text)
{
	xmlNode *next;

	for (xmlNode *n = element->children; n; n = next) {
		next = n->next;
		xmlUnlinkNode(n);
		xmlFreeNode(n);
	}
	if (*text) {
		xmlAddChild(element, xmlNewDocText(element->doc, SLT_XML(text)));
	}
}

xmlNode *slt_add_first(xmlNode *parent, xmlNs *ns, const char *name, const char *text)
{
	xmlNode *n = xmlNewDocNode(parent->doc, ns, SLT_XML(name), NULL);

	slt_assert(n);
	if (text) {
		xmlAddChild(n, xmlNewDocText(parent->doc, SLT_XML(text)));
	}
	if (parent->children) {
		xmlAddPrevSibling(parent->children, n);
	} else {
		xmlAddChild(parent, n);
	}
	return n;
}

void slt_walk_drop(struct slt_walk *w, xmlNode *node)
{
	struct slt_garbage *g = slt_arena_alloc(w->arena, sizeof(*g));

	xmlUnlinkNode(node);
	g->node = node;
	g->next = w->garbage;
	w->garbage = g;
}

void slt_walk_empty(struct slt_walk *w)
{
	for (struct slt_garbage *g = w->garbage; g; g = g->next) {
		xmlFreeNode(g->node);
	}
	w->garbage = NULL;
}
