/* SPDX-License-Identifier: MIT */
/* Writing a tree: the bytes that libxml2 writes, in a fraction of its time. */
#include "base/xml.h"

#include <string.h>

enum escape { IN_TEXT, IN_VALUE };

/* What stands for a character where it cannot stand itself. */
static const char *const references[2][64] = {
	[IN_TEXT] = {['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['\r'] = "&#13;"},
	[IN_VALUE] = {['&'] = "&amp;",
		      ['<'] = "&lt;",
		      ['>'] = "&gt;",
		      ['"'] = "&quot;",
		      ['\r'] = "&#13;",
		      ['\n'] = "&#10;",
		      ['\t'] = "&#9;"},
};

static void add_escaped(struct slt_buf *b, const xmlChar *text, enum escape how)
{
	const xmlChar *plain = text;

	for (; text && *text; text++) {
		const char *instead = *text < 64 ? references[how][*text] : NULL;
		if (instead) {
			slt_buf_add(b, plain, (size_t)(text - plain));
			slt_buf_adds(b, instead);
			plain = text + 1;
		}
	}
	slt_buf_add(b, plain, (size_t)(text - plain));
}

/* The lead, then "prefix:name". */
static void add_name(struct slt_buf *b, const char *lead, const xmlNs *ns, const xmlChar *name)
{
	size_t n_lead = strlen(lead);
	size_t n_prefix = ns && ns->prefix ? strlen((const char *)ns->prefix) : 0;
	size_t n_name = strlen((const char *)name);
	char *to = slt_buf_room(b, n_lead + n_prefix + n_name + 1);

	if (!to) {
		return;
	}
	memcpy(to, lead, n_lead);
	to += n_lead;
	if (n_prefix) {
		memcpy(to, ns->prefix, n_prefix);
		to += n_prefix;
		*to++ = ':';
	}
	memcpy(to, name, n_name);
	to[n_name] = '\0';
	b->n = (size_t)(to + n_name - b->p);
}

static void add_declarations(struct slt_buf *b, const xmlNode *e)
{
	for (const xmlNs *ns = e->nsDef; ns; ns = ns->next) {
		if (ns->prefix && strcmp((const char *)ns->prefix, "xml") == 0) {
			continue;
		}
		slt_buf_adds(b, " xmlns");
		if (ns->prefix) {
			slt_buf_addc(b, ':');
			slt_buf_adds(b, (const char *)ns->prefix);
		}
		slt_buf_adds(b, "=\"");
		add_escaped(b, ns->href, IN_VALUE);
		slt_buf_addc(b, '"');
	}
}

static bool add_attributes(struct slt_buf *b, const xmlNode *e)
{
	for (const xmlAttr *a = e->properties; a; a = a->next) {
		add_name(b, " ", a->ns, a->name);
		slt_buf_add(b, "=\"", 2);
		for (const xmlNode *t = a->children; t; t = t->next) {
			if (t->type != XML_TEXT_NODE) {
				return false;
			}
			add_escaped(b, t->content, IN_VALUE);
		}
		slt_buf_addc(b, '"');
	}
	return true;
}

/* "]]>" cannot stand in a CDATA section: it is cut in two there. */
static void add_cdata(struct slt_buf *b, const xmlChar *text)
{
	const char *s = text ? (const char *)text : "", *end;

	slt_buf_adds(b, "<![CDATA[");
	while ((end = strstr(s, "]]>"))) {
		slt_buf_add(b, s, (size_t)(end - s) + 2);
		slt_buf_adds(b, "]]><![CDATA[");
		s = end + 2;
	}
	slt_buf_adds(b, s);
	slt_buf_adds(b, "]]>");
}

static void add_instruction(struct slt_buf *b, const xmlNode *n)
{
	slt_buf_adds(b, "<?");
	slt_buf_adds(b, (const char *)n->name);
	if (n->content) {
		slt_buf_addc(b, ' ');
		slt_buf_adds(b, (const char *)n->content);
	}
	slt_buf_adds(b, "?>");
}

/* A node without what is below it; false for the kinds that a document without DOCTYPE cannot
 * have. */
static bool add_node(struct slt_buf *b, const xmlNode *n)
{
	if (n->type == XML_ELEMENT_NODE) {
		add_name(b, "<", n->ns, n->name);
		add_declarations(b, n);
		bool good = add_attributes(b, n);
		slt_buf_adds(b, n->children ? ">" : "/>");
		return good;
	}
	if (n->type == XML_TEXT_NODE) {
		add_escaped(b, n->content, IN_TEXT);
	} else if (n->type == XML_CDATA_SECTION_NODE) {
		add_cdata(b, n->content);
	} else if (n->type == XML_COMMENT_NODE) {
		slt_buf_adds(b, "<!--");
		slt_buf_adds(b, n->content ? (const char *)n->content : "");
		slt_buf_adds(b, "-->");
	} else if (n->type == XML_PI_NODE) {
		add_instruction(b, n);
	} else {
		return false;
	}
	return true;
}

static void end_element(struct slt_buf *b, const xmlNode *e)
{
	add_name(b, "</", e->ns, e->name);
	slt_buf_addc(b, '>');
}

/* Without recursion: the depth of a tree is capped, the C stack is ours. */
static bool add_tree(struct slt_buf *b, const xmlNode *top)
{
	const xmlNode *n = top;

	while (n) {
		if (!add_node(b, n)) {
			return false;
		}
		if (n->type == XML_ELEMENT_NODE && n->children) {
			n = n->children;
			continue;
		}
		while (n != top && !n->next) {
			n = n->parent;
			end_element(b, n);
		}
		n = n == top ? NULL : n->next;
	}
	return true;
}

static void add_xml_declaration(struct slt_buf *b, const xmlDoc *doc)
{
	slt_buf_addf(b, "<?xml version=\"%s\" encoding=\"UTF-8\"%s?>\n",
		     doc->version ? (const char *)doc->version : "1.0",
		     doc->standalone == 1   ? " standalone=\"yes\""
		     : doc->standalone == 0 ? " standalone=\"no\""
					    : "");
}

bool slt_xml_dump(xmlDoc *doc, xmlNode *node, bool declaration, struct slt_buf *out,
		  struct slt_err *err)
{
	bool good = true;

	if (node) {
		good = add_tree(out, node);
	} else {
		if (declaration) {
			add_xml_declaration(out, doc);
		}
		for (const xmlNode *n = doc->children; n && good; n = n->next) {
			good = add_tree(out, n);
			slt_buf_addc(out, '\n');
		}
	}
	if (!good || out->failed) {
		return slt_fail(err, SLT_EINTERNAL, "the document could not be written");
	}
	return true;
}
