/* SPDX-License-Identifier: MIT */
#include "base/xml.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

static void quiet(void *ctx, const char *fmt, ...)
{
	(void)ctx;
	(void)fmt;
}

static xmlParserInput *load_nothing(const char *url, const char *id, xmlParserCtxt *ctxt)
{
	(void)url;
	(void)id;
	(void)ctxt;
	return NULL;
}

void slt_xml_init(void)
{
	xmlInitParser();
	xmlSetExternalEntityLoader(load_nothing);
	/* libxml2 would write to standard error; what it says is in xmlGetLastError() */
	xmlSetGenericErrorFunc(NULL, quiet);
	xmlThrDefSetGenericErrorFunc(NULL, quiet);
}

/* What the callbacks of one parse need to keep the caps. */
struct guard {
	const struct slt_xml_limits *limits;
	unsigned depth, nodes;
	const char *refused;
};

static void stop(xmlParserCtxt *ctxt, const char *why)
{
	struct guard *g = ctxt->_private;

	if (!g->refused) {
		g->refused = why;
	}
	xmlStopParser(ctxt);
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *ext, const xmlChar *sys)
{
	(void)name;
	(void)ext;
	(void)sys;
	stop(ctx, "a DOCTYPE is not allowed");
}

static void on_entity(void *ctx, const xmlChar *name, int type, const xmlChar *pub,
		      const xmlChar *sys, xmlChar *content)
{
	(void)name;
	(void)type;
	(void)pub;
	(void)sys;
	(void)content;
	stop(ctx, "entities are not allowed");
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int n_ns, const xmlChar **ns, int n_attr, int n_def, const xmlChar **attrs)
{
	xmlParserCtxt *ctxt = ctx;
	struct guard *g = ctxt->_private;

	g->depth++;
	g->nodes += 1 + (unsigned)n_attr + (unsigned)n_ns;
	if (g->depth > g->limits->depth) {
		stop(ctxt, "elements are nested too deep");
		return;
	}
	if (g->nodes > g->limits->nodes) {
		stop(ctxt, "there are too many elements and attributes");
		return;
	}
	xmlSAX2StartElementNs(ctx, name, prefix, uri, n_ns, ns, n_attr, n_def, attrs);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	xmlParserCtxt *ctxt = ctx;
	struct guard *g = ctxt->_private;

	g->depth--;
	xmlSAX2EndElementNs(ctx, name, prefix, uri);
}

static void free_ctxt(xmlParserCtxt *c)
{
	if (c) {
		xmlFreeParserCtxt(c);
	}
}
SLT_DEFINE_AUTO(xmlParserCtxt *, free_ctxt)

bool slt_xml_parse(const void *p, size_t n, const struct slt_xml_limits *limits, const char *what,
		   xmlDoc **ret_doc, struct slt_err *err)
{
	struct guard g = {.limits = limits};

	if (n > limits->bytes || n > INT32_MAX) {
		return slt_fail(err, SLT_ELIMIT, "%s: %zu bytes are more than the %zu allowed",
				what, n, limits->bytes);
	}
	if (n == 0) {
		return slt_fail(err, SLT_EINVALID_XML, "%s is empty", what);
	}
	SLT_AUTO(free_ctxt) xmlParserCtxt *ctxt = xmlNewParserCtxt();
	slt_assert(ctxt);
	ctxt->sax->internalSubset = on_doctype;
	ctxt->sax->externalSubset = on_doctype;
	ctxt->sax->entityDecl = on_entity;
	ctxt->sax->startElementNs = on_start;
	ctxt->sax->endElementNs = on_end;
	ctxt->sax->warning = quiet;
	ctxt->sax->error = quiet;
	ctxt->sax->serror = NULL;
	ctxt->_private = &g;
	xmlResetLastError();
	xmlDoc *doc = xmlCtxtReadMemory(ctxt, p, (int)n, NULL, NULL,
					XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
						XML_PARSE_BIG_LINES);
	bool good = doc && ctxt->wellFormed && ctxt->nsWellFormed && !g.refused &&
		    xmlDocGetRootElement(doc);
	if (!good && doc) {
		xmlFreeDoc(doc);
	}
	if (g.refused) {
		xmlResetLastError();
		return slt_fail(err, SLT_EINVALID_XML, "%s: line %d: %s", what,
				ctxt->input ? ctxt->input->line : 0, g.refused);
	}
	if (!good) {
		const xmlError *e = xmlCtxtGetLastError(ctxt);
		int len = e && e->message ? (int)strcspn(e->message, "\n") : 0;
		return slt_fail(err, SLT_EINVALID_XML, "%s is not well-formed: line %d: %.*s", what,
				e ? e->line : 0, len, e && e->message ? e->message : "");
	}
	*ret_doc = doc;
	return true;
}

void slt_xml_free(xmlDoc *doc)
{
	if (doc) {
		xmlFreeDoc(doc);
	}
}

bool slt_xml_is(const xmlNode *node, const char *ns, const char *name)
{
	if (!node || node->type != XML_ELEMENT_NODE ||
	    strcmp((const char *)node->name, name) != 0) {
		return false;
	}
	if (!node->ns || !node->ns->href) {
		return ns == NULL;
	}
	return ns && strcmp((const char *)node->ns->href, ns) == 0;
}

static xmlNode *skip_to_element(xmlNode *n)
{
	while (n && n->type != XML_ELEMENT_NODE) {
		n = n->next;
	}
	return n;
}

xmlNode *slt_xml_first(const xmlNode *parent)
{
	return parent ? skip_to_element(parent->children) : NULL;
}

xmlNode *slt_xml_next(const xmlNode *node)
{
	return node ? skip_to_element(node->next) : NULL;
}

static xmlNode *named_from(xmlNode *n, const char *ns, const char *name)
{
	while (n && !slt_xml_is(n, ns, name)) {
		n = slt_xml_next(n);
	}
	return n;
}

xmlNode *slt_xml_child(const xmlNode *parent, const char *ns, const char *name)
{
	return named_from(slt_xml_first(parent), ns, name);
}

xmlNode *slt_xml_next_named(const xmlNode *node, const char *ns, const char *name)
{
	return named_from(slt_xml_next(node), ns, name);
}

unsigned slt_xml_count(const xmlNode *parent, const char *ns, const char *name)
{
	unsigned n = 0;

	for (xmlNode *c = slt_xml_child(parent, ns, name); c; c = slt_xml_next_named(c, ns, name)) {
		n++;
	}
	return n;
}

/* Document order, without recursion: the depth of a tree is capped, the C stack is ours. */
static const xmlNode *next_in_subtree(const xmlNode *n, const xmlNode *top)
{
	if (n->type == XML_ELEMENT_NODE && n->children) {
		return n->children;
	}
	while (n != top && !n->next) {
		n = n->parent;
	}
	return n == top ? NULL : n->next;
}

static void collect_text(const xmlNode *node, struct slt_buf *out)
{
	for (const xmlNode *n = next_in_subtree(node, node); n; n = next_in_subtree(n, node)) {
		if ((n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) && n->content) {
			slt_buf_adds(out, (const char *)n->content);
		}
	}
}

char *slt_xml_text(struct slt_arena *a, const xmlNode *node)
{
	if (!node) {
		return NULL;
	}
	const xmlNode *only = node->children;
	if (only && !only->next && only->type == XML_TEXT_NODE) {
		return slt_arena_strdup(a, (const char *)only->content);
	}
	SLT_AUTO_BUF(b, SIZE_MAX / 4);
	collect_text(node, &b);
	return slt_arena_strndup(a, slt_buf_str(&b).p, b.n);
}

char *slt_xml_attr(struct slt_arena *a, const xmlNode *node, const char *ns, const char *name)
{
	xmlChar *v = NULL;
	char *copy;

	if (node && node->type == XML_ELEMENT_NODE) {
		v = ns ? xmlGetNsProp(node, SLT_XML(name), SLT_XML(ns))
		       : xmlGetNoNsProp(node, SLT_XML(name));
	}
	copy = slt_arena_strdup(a, (const char *)v);
	xmlFree(v);
	return copy;
}

bool slt_xml_base64(const xmlNode *node, struct slt_buf *out, struct slt_err *err)
{
	SLT_AUTO_BUF(b, SIZE_MAX / 4);

	if (!node) {
		return slt_fail(err, SLT_EINVALID_XML, "an element with base64 content is missing");
	}
	collect_text(node, &b);
	if (!slt_base64_decode(slt_buf_str(&b), out, err)) {
		return slt_wrap(err, "element %s", (const char *)node->name);
	}
	return true;
}

struct subtree {
	const xmlNode *top;
};

static int visible(void *data, xmlNode *node, xmlNode *parent)
{
	const struct subtree *s = data;

	/* a namespace node is a struct xmlNs: its place is its parent's */
	for (const xmlNode *n = node->type == XML_NAMESPACE_DECL ? parent : node; n;
	     n = n == node && !n->parent ? parent : n->parent) {
		if (n == s->top) {
			return 1;
		}
	}
	return 0;
}

static int write_buf(void *ctx, const char *p, int n)
{
	struct slt_buf *b = ctx;

	slt_buf_add(b, p, (size_t)n);
	return b->failed ? -1 : n;
}

static bool absolute_uri(const xmlChar *uri)
{
	const char *s = (const char *)uri;
	size_t n = 0;

	while ((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') ||
	       (n > 0 && ((s[n] >= '0' && s[n] <= '9') || strchr("+-.", s[n])) && s[n])) {
		n++;
	}
	return n > 0 && s[n] == ':';
}

/* Does the canonical form of an element depend on what surrounds it by namespaces only, all of them
 * proper? Attributes like xml:lang are inherited too, and relative namespaces must fail. */
static bool stands_alone(const xmlNode *node)
{
	for (const xmlNode *n = node->parent; n; n = n->parent) {
		if (n->type != XML_ELEMENT_NODE) {
			return n->type == XML_DOCUMENT_NODE;
		}
		for (const xmlNs *ns = n->nsDef; ns; ns = ns->next) {
			if (!ns->href || (ns->href[0] && !absolute_uri(ns->href))) {
				return false;
			}
		}
		for (const xmlAttr *a = n->properties; a; a = a->next) {
			if (a->ns && xmlStrEqual(a->ns->prefix, SLT_XML("xml"))) {
				return false;
			}
		}
	}
	return false;
}

/* libxml2 walks the whole document and asks of every node whether it is wanted. Where the element
 * stands alone it is made the only one for the while, which gives the same at a fraction. */
static int execute(xmlNode *node, int mode, xmlOutputBuffer *ob)
{
	xmlDoc *doc = node->doc;

	if (!stands_alone(node)) {
		struct subtree s = {node};
		return xmlC14NExecute(doc, visible, &s, mode, NULL, 0, ob);
	}
	xmlNode *children = doc->children, *next = node->next;

	doc->children = node;
	node->next = NULL;
	int r = xmlC14NExecute(doc, NULL, NULL, mode, NULL, 0, ob);
	node->next = next;
	doc->children = children;
	return r;
}

bool slt_xml_c14n(xmlNode *node, enum slt_c14n mode, struct slt_buf *out, struct slt_err *err)
{
	static const int modes[] = {[SLT_C14N_INCLUSIVE] = XML_C14N_1_0,
				    [SLT_C14N_EXCLUSIVE] = XML_C14N_EXCLUSIVE_1_0,
				    [SLT_C14N_11] = XML_C14N_1_1};
	size_t before = out->n;
	xmlOutputBuffer *ob = xmlOutputBufferCreateIO(write_buf, NULL, out, NULL);

	slt_assert(ob);
	xmlResetLastError();
	int r = execute(node, modes[mode], ob);
	int closed = xmlOutputBufferClose(ob);
	if (r < 0 || closed < 0 || out->failed || out->n == before) {
		return slt_fail_xml(err, SLT_EINVALID_XML, "element %s has no canonical form",
				    (const char *)node->name);
	}
	return true;
}
