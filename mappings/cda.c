/* SPDX-License-Identifier: MIT */
/* What makes a CDA document a translated one: its own id, its parent, its language. */
#include "mappings/walk.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"

/* Children of ClinicalDocument in the order of the schema. */
static const char *const header[] = {"realmCode",
				     "typeId",
				     "templateId",
				     "id",
				     "code",
				     "title",
				     "effectiveTime",
				     "confidentialityCode",
				     "languageCode",
				     "setId",
				     "versionNumber",
				     "copyTime",
				     "recordTarget",
				     "author",
				     "dataEnterer",
				     "informant",
				     "custodian",
				     "informationRecipient",
				     "legalAuthenticator",
				     "authenticator",
				     "participant",
				     "inFulfillmentOf",
				     "documentationOf",
				     "relatedDocument",
				     "authorization",
				     "componentOf",
				     "component"};

static size_t position(const char *name)
{
	size_t i = 0;

	while (i < SLT_COUNT(header) && strcmp(header[i], name) != 0) {
		i++;
	}
	return i;
}

static xmlNode *child(const xmlNode *parent, const char *name)
{
	for (xmlNode *n = slt_xml_first(parent); n; n = slt_xml_next(n)) {
		if (strcmp((const char *)n->name, name) == 0) {
			return n;
		}
	}
	return NULL;
}

static xmlNode *insert(xmlNode *root, const char *name)
{
	xmlNode *n = xmlNewDocNode(root->doc, root->ns, SLT_XML(name), NULL);
	size_t at = position(name);

	slt_assert(n);
	for (xmlNode *c = slt_xml_first(root); c; c = slt_xml_next(c)) {
		size_t p = position((const char *)c->name);
		if (p < SLT_COUNT(header) && p > at) {
			xmlAddPrevSibling(c, n);
			return n;
		}
	}
	xmlAddChild(root, n);
	return n;
}

/* --- the new id --- */

/* Pieces are gathered: a digest of a thousand short updates would cost more than the walk. */
struct gather {
	struct slt_hasher *h;
	size_t n;
	char pending[4096];
};

static const char *attribute_text(struct slt_walk *w, const xmlAttr *a)
{
	const xmlNode *only = a->children;

	return only && !only->next && only->type == XML_TEXT_NODE
		       ? (const char *)only->content
		       : slt_path_value(w->arena, (const xmlNode *)(const void *)a);
}

static void flush(struct gather *g)
{
	slt_hasher_add(g->h, g->pending, g->n);
	g->n = 0;
}

static void hash_text(struct gather *g, char mark, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (g->n + n + 2 > sizeof(g->pending)) {
		flush(g);
	}
	g->pending[g->n++] = mark;
	if (n + 2 > sizeof(g->pending)) {
		flush(g);
		slt_hasher_add(g->h, s, n);
	} else if (n > 0) {
		memcpy(g->pending + g->n, s, n);
		g->n += n;
	}
	g->pending[g->n++] = '\0';
}

/* Names, attributes and text in document order: independent of prefixes and of the envelope. */
static void hash_tree(struct slt_walk *w, struct gather *h, const xmlNode *n, const char *uri,
		      unsigned depth)
{
	for (; n; n = n->next) {
		if (n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) {
			hash_text(h, 't', (const char *)n->content);
		}
		if (n->type != XML_ELEMENT_NODE) {
			continue;
		}
		const char *own = n->ns ? (const char *)n->ns->href : "";
		/* said where it is not the one around it */
		if (strcmp(own, uri) != 0) {
			hash_text(h, 'n', own);
		}
		hash_text(h, 'e', (const char *)n->name);
		for (const xmlAttr *a = n->properties; a; a = a->next) {
			hash_text(h, 'a', (const char *)a->name);
			hash_text(h, 'v', attribute_text(w, a));
		}
		if (depth < SLT_WALK_DEPTH) {
			hash_tree(w, h, n->children, own, depth + 1);
		}
		hash_text(h, '/', NULL);
	}
}

void slt_cda_digest(struct slt_walk *w)
{
	SLT_AUTO(slt_hasher_free) struct slt_hasher *h = slt_hasher_new(SLT_SHA256);
	struct gather g = {.h = h, .n = 0};
	struct slt_digest d;

	hash_text(&g, 'f', w->flow->id);
	hash_text(&g, 'c', w->from->code);
	hash_text(&g, 'c', w->to->code);
	hash_tree(w, &g, slt_xml_first(w->root), "", 0);
	flush(&g);
	slt_hasher_end(h, &d);
	memcpy(w->source_digest, d.v, sizeof(w->source_digest));
}

/* RFC 9562 version 8: sixteen bytes of the digest, with version and variant. */
const char *slt_cda_uuid(struct slt_walk *w, const unsigned char *p)
{
	return slt_arena_printf(
		w->arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		p[0], p[1], p[2], p[3], p[4], p[5], 0x80u | (p[6] & 0x0fu), p[7],
		0x80u | (p[8] & 0x3fu), p[9], p[10], p[11], p[12], p[13], p[14], p[15]);
}

static void new_id(struct slt_walk *w, xmlNode *id, const struct slt_document_kind *k)
{
	const char *name = slt_cda_uuid(w, w->source_digest);

	slt_set_attr(id, "nullFlavor", NULL);
	slt_set_attr(id, "root", k->id_root ? k->id_root : name);
	slt_set_attr(id, "extension", k->id_root ? name : NULL);
	slt_set_attr(id, "assigningAuthorityName", NULL);
}

/* --- the parent --- */

static xmlNode *xfrm(struct slt_walk *w, xmlNode *root)
{
	for (xmlNode *n = slt_xml_first(root); n; n = slt_xml_next(n)) {
		const char *type = strcmp((const char *)n->name, "relatedDocument") == 0
					   ? slt_attr(w->arena, n, "typeCode")
					   : NULL;
		if (type && strcmp(type, "XFRM") == 0) {
			return n;
		}
	}
	xmlNode *n = insert(root, "relatedDocument");
	slt_set_attr(n, "typeCode", "XFRM");
	return n;
}

static void add_parent(struct slt_walk *w, xmlNode *id)
{
	xmlNode *related = xfrm(w, w->root);
	xmlNode *parent = child(related, "parentDocument");

	if (!parent) {
		parent = slt_add_first(related, w->root->ns, "parentDocument", NULL);
	}
	xmlNode *copy = slt_clone(id, parent);
	xmlNode *first = child(parent, "id");
	if (first) {
		xmlAddPrevSibling(first, copy);
	} else if (parent->children) {
		xmlAddPrevSibling(parent->children, copy);
	} else {
		xmlAddChild(parent, copy);
	}
}

static void set_language(struct slt_walk *w)
{
	xmlNode *n = child(w->root, "languageCode");

	if (!n) {
		n = insert(w->root, "languageCode");
	}
	const char *old = slt_attr(w->arena, n, "code");
	slt_set_attr(n, "nullFlavor", NULL);
	slt_set_attr(n, "code", w->to->language_tag);
	struct slt_trace_entry e = {.rule = "cda",
				    .place = "languageCode",
				    .from = {.code = old},
				    .to = {.code = w->to->language_tag},
				    .outcome = SLT_OUT_MAPPED};
	slt_walk_trace(w, NULL, &e);
}

bool slt_cda_is(const struct slt_walk *w)
{
	const struct slt_document_kind *k = slt_flow_kind_named(w->flow, w->kind);

	return k && k->cda;
}

void slt_cda_finish(struct slt_walk *w)
{
	const struct slt_document_kind *k = slt_flow_kind_named(w->flow, w->kind);
	xmlNode *id = child(w->root, "id");

	if (!k || !k->cda) {
		return;
	}
	if (!id) {
		struct slt_map_problem p = {.rule = "cda",
					    .field = "field.document_id",
					    .place = "id",
					    .detail = "the document has no id"};
		slt_walk_problem(w, NULL, SLT_FED_STR_003, SLT_SEV_ERROR, &p);
		return;
	}
	struct slt_trace_entry e = {.rule = "cda",
				    .place = "id",
				    .from = {.system = slt_attr(w->arena, id, "root"),
					     .code = slt_attr(w->arena, id, "extension")},
				    .outcome = SLT_OUT_MAPPED,
				    .note = "new id; the old one is the parent's"};
	add_parent(w, id);
	new_id(w, id, k);
	e.to.system = slt_attr(w->arena, id, "root");
	e.to.code = slt_attr(w->arena, id, "extension");
	slt_walk_trace(w, NULL, &e);
	set_language(w);
}
