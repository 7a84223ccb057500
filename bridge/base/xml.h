/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Hardened XML over libxml2.
 *
 * slt_xml_parse() refuses every DOCTYPE before a tree exists, loads nothing from outside, expands
 * no entity but the five of XML, and holds the caps given. Comments are kept (signed bytes are
 * signed with them); the text helpers skip them.
 */

#include <libxml/tree.h>

#include "base/arena.h"

struct slt_xml_limits {
	size_t bytes;	/* length of the document */
	unsigned depth; /* nested elements */
	unsigned nodes; /* elements plus attributes */
};

/* For messages and signatures of a peer. */
#define SLT_XML_PEER ((struct slt_xml_limits){.bytes = 20u << 20, .depth = 128, .nodes = 500000})

#define SLT_XML(s)   ((const xmlChar *)(s))

void slt_xml_init(void); /* once, before threads */

/* SLT_EINVALID_XML with line and libxml2's reason; SLT_ELIMIT over a cap. *ret_doc is freed with
 * slt_xml_free(). `what` names the document in messages. */
SLT_CHECK bool slt_xml_parse(const void *p, size_t n, const struct slt_xml_limits *limits,
			     const char *what, xmlDoc **ret_doc, struct slt_err *err);
void slt_xml_free(xmlDoc *doc);
SLT_DEFINE_AUTO(xmlDoc *, slt_xml_free)

/* Element tests and walks; ns NULL means "in no namespace". */
bool slt_xml_is(const xmlNode *node, const char *ns, const char *name);
xmlNode *slt_xml_first(const xmlNode *parent); /* first child element */
xmlNode *slt_xml_next(const xmlNode *node);    /* next sibling element */
xmlNode *slt_xml_child(const xmlNode *parent, const char *ns, const char *name);
xmlNode *slt_xml_next_named(const xmlNode *node, const char *ns, const char *name);
unsigned slt_xml_count(const xmlNode *parent, const char *ns, const char *name);

/* Text of an element verbatim: text and CDATA of it and its descendants joined, comments left
 * out. In the arena; "" when empty, NULL only for a NULL node. */
char *slt_xml_text(struct slt_arena *a, const xmlNode *node);
/* Attribute value (ns NULL: unqualified) in the arena, NULL when absent. */
char *slt_xml_attr(struct slt_arena *a, const xmlNode *node, const char *ns, const char *name);
/* Decodes the element's text as base64. */
SLT_CHECK bool slt_xml_base64(const xmlNode *node, struct slt_buf *out, struct slt_err *err);

enum slt_c14n { SLT_C14N_INCLUSIVE, SLT_C14N_EXCLUSIVE, SLT_C14N_11 };
/* Canonical form without comments of the subtree; fails (never yields an empty result) where
 * libxml2 cannot, e.g. relative namespace URIs. */
SLT_CHECK bool slt_xml_c14n(xmlNode *node, enum slt_c14n mode, struct slt_buf *out,
			    struct slt_err *err);
/* Serialises a document or (node given) an element as UTF-8; declaration only if asked. The bytes
 * are those of libxml2's xmlSaveDoc(). */
SLT_CHECK bool slt_xml_dump(xmlDoc *doc, xmlNode *node, bool declaration, struct slt_buf *out,
			    struct slt_err *err);
