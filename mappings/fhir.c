/* SPDX-License-Identifier: MIT */
/*
 * What makes a FHIR Bundle a translated one: an identifier of its own, the old one named in a
 * Provenance entry (activity "transform", entity role "source"), and for documents in
 * Composition.relatesTo (code "transforms"), FHIR's counterpart of CDA's XFRM.
 */
#include "mappings/walk.h"

#include <string.h>

#include "base/clock.h"

#define LIFECYCLE   "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
#define PARTICIPANT "http://terminology.hl7.org/CodeSystem/provenance-participant-type"

struct id {
	const char *system, *value;
};

static const struct slt_document_kind *kind_of(const struct slt_walk *w)
{
	for (size_t i = 0; i < w->flow->n_kinds; i++) {
		if (strcmp(w->flow->kind[i].id, w->kind) == 0) {
			return &w->flow->kind[i];
		}
	}
	return NULL;
}

bool slt_fhir_is(const struct slt_walk *w)
{
	const struct slt_document_kind *k = kind_of(w);

	return k && k->fhir && w->json;
}

static xmlNode *list(xmlNode *object, const char *name)
{
	xmlNode *n = slt_json_member(object, name);

	return n ? n : slt_json_add(object, name, SLT_JSON_ARRAY);
}

static void put_id(xmlNode *object, const char *name, const struct id *id)
{
	xmlNode *n = slt_json_add(object, name, SLT_JSON_OBJECT);

	slt_json_set(n, "system", id->system);
	slt_json_set(n, "value", id->value);
}

static void put_concept(xmlNode *object, const char *name, const char *system, const char *code)
{
	xmlNode *concept = slt_json_add(object, name, SLT_JSON_OBJECT);
	xmlNode *coding = slt_json_item(slt_json_add(concept, "coding", SLT_JSON_ARRAY), NULL,
					SLT_JSON_OBJECT);

	slt_json_set(coding, "system", system);
	slt_json_set(coding, "code", code);
}

/* Every entry that has a name; the Bundle itself when none has. */
static void put_targets(struct slt_walk *w, xmlNode *provenance, const struct id *own)
{
	xmlNode *targets = slt_json_add(provenance, "target", SLT_JSON_ARRAY);
	const xmlNode *entries = slt_json_member(w->root, "entry");

	for (const xmlNode *e = entries ? slt_xml_first(entries) : NULL; e; e = slt_xml_next(e)) {
		const char *url = slt_json_text(w->arena, e, "fullUrl");
		if (url) {
			slt_json_set(slt_json_item(targets, NULL, SLT_JSON_OBJECT), "reference",
				     url);
		}
	}
	if (!slt_xml_first(targets)) {
		xmlNode *bundle = slt_json_item(targets, NULL, SLT_JSON_OBJECT);
		slt_json_set(bundle, "type", "Bundle");
		put_id(bundle, "identifier", own);
	}
}

static void add_provenance(struct slt_walk *w, const struct id *old, const struct id *own)
{
	char at[SLT_TIME_LEN];
	const char *uuid = slt_cda_uuid(w, w->source_digest + 16);
	xmlNode *p, *entry;

	p = slt_json_add(w->root, "provenance", SLT_JSON_OBJECT);
	slt_json_set(p, "resourceType", "Provenance");
	slt_json_set(p, "id", uuid);
	put_targets(w, p, own);
	slt_json_set(p, "recorded", slt_time_format(w->in->now_ms, true, at));
	put_concept(p, "activity", LIFECYCLE, "transform");
	xmlNode *agent =
		slt_json_item(slt_json_add(p, "agent", SLT_JSON_ARRAY), NULL, SLT_JSON_OBJECT);
	put_concept(agent, "type", PARTICIPANT, "assembler");
	slt_json_set(slt_json_add(agent, "who", SLT_JSON_OBJECT), "display",
		     slt_arena_printf(w->arena, "Silta, %s to %s, tables %s and %s", w->from->code,
				      w->to->code, w->from->version, w->to->version));
	xmlNode *entity =
		slt_json_item(slt_json_add(p, "entity", SLT_JSON_ARRAY), NULL, SLT_JSON_OBJECT);
	slt_json_set(entity, "role", "source");
	put_id(slt_json_add(entity, "what", SLT_JSON_OBJECT), "identifier", old);
	/* made complete before it becomes an entry that put_targets() would see */
	entry = slt_json_item(list(w->root, "entry"), NULL, SLT_JSON_OBJECT);
	slt_json_set(entry, "fullUrl", slt_arena_printf(w->arena, "urn:uuid:%s", uuid));
	xmlUnlinkNode(p);
	xmlNodeSetName(p, SLT_XML("resource"));
	xmlAddChild(entry, p);
}

static void add_relates_to(struct slt_walk *w, const struct id *old)
{
	const xmlNode *entries = slt_json_member(w->root, "entry");
	const xmlNode *first = entries ? slt_xml_first(entries) : NULL;
	xmlNode *composition = first ? slt_json_member(first, "resource") : NULL;
	const char *type =
		composition ? slt_json_text(w->arena, composition, "resourceType") : NULL;

	if (!type || strcmp(type, "Composition") != 0) {
		return;
	}
	xmlNode *all = list(composition, "relatesTo");
	xmlNode *one = slt_json_item(all, slt_xml_first(all), SLT_JSON_OBJECT);
	slt_json_set(one, "code", "transforms");
	put_id(one, "targetIdentifier", old);
}

void slt_fhir_finish(struct slt_walk *w)
{
	xmlNode *n = slt_json_member(w->root, "identifier");
	struct id old = {NULL, NULL};

	if (n) {
		old.system = slt_json_text(w->arena, n, "system");
		old.value = slt_json_text(w->arena, n, "value");
	}
	if (!old.value) {
		struct slt_map_problem p = {.rule = "fhir",
					    .field = "field.document_id",
					    .place = "$.identifier",
					    .detail = "the Bundle has no identifier"};
		slt_walk_problem(w, NULL, SLT_FED_STR_003, SLT_SEV_ERROR, &p);
		return;
	}
	struct id own = {"urn:ietf:rfc:3986", slt_arena_printf(w->arena, "urn:uuid:%s",
							       slt_cda_uuid(w, w->source_digest))};
	struct slt_trace_entry e = {.rule = "fhir",
				    .place = "$.identifier",
				    .from = {.system = old.system, .code = old.value},
				    .to = {.system = own.system, .code = own.value},
				    .outcome = SLT_OUT_MAPPED,
				    .note = "new identifier; the old one is the source's"};

	slt_json_set(n, "system", own.system);
	slt_json_set(n, "value", own.value);
	if (slt_json_member(w->root, "id")) {
		slt_json_set(w->root, "id", slt_cda_uuid(w, w->source_digest));
	}
	add_relates_to(w, &old);
	add_provenance(w, &old, &own);
	slt_walk_trace(w, NULL, &e);
}
