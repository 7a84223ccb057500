/* SPDX-License-Identifier: MIT */
/*
 * Where the values of operations stand in JSON: FHIR's Coding and CodeableConcept, Quantity and
 * Identifier, and plain strings. Inside the engine code systems are named by OID, as in XML.
 */
#include "mappings/walk.h"

#include <string.h>

#define URN_OID	    "urn:oid:"
#define URI_SYSTEM  "urn:ietf:rfc:3986" /* an Identifier whose value is a URI itself */
#define NULL_FLAVOR "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
#define PQ_KEPT	    "http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation"

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_leaf(const xmlNode *e)
{
	enum slt_json_type t = slt_json_type(e);

	return t != SLT_JSON_OBJECT && t != SLT_JSON_ARRAY && t != SLT_JSON_NULL;
}

const char *slt_json_leaf(struct slt_walk *w, const xmlNode *e)
{
	return is_leaf(e) ? slt_xml_text(w->arena, e) : NULL;
}

void slt_json_place(struct slt_buf *place, const xmlNode *e, unsigned index)
{
	const char *name = (const char *)e->name;

	if (slt_json_is_item(e)) {
		slt_buf_addf(place, "[%u]", index);
	} else if (strcmp(name, "$") == 0 && e->parent->type != XML_ELEMENT_NODE) {
		slt_buf_addc(place, '$');
	} else if (strspn(name,
			  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") ==
			   strlen(name) &&
		   *name && (*name < '0' || *name > '9')) {
		slt_buf_addf(place, ".%s", name);
	} else {
		slt_buf_adds(place, "['");
		for (; *name; name++) {
			slt_buf_adds(place, *name == '\'' || *name == '\\' ? "\\" : "");
			slt_buf_addc(place, *name);
		}
		slt_buf_adds(place, "']");
	}
}

/* --- names of code systems -------------------------------------------------------------------- */

static const struct slt_system *system_by(const struct slt_country *c, const char *oid,
					  const char *uri)
{
	for (size_t i = 0; i < c->n_systems; i++) {
		const struct slt_system *s = &c->system[i];
		if (s->uri &&
		    ((uri && strcmp(s->uri, uri) == 0) || (oid && strcmp(s->oid, oid) == 0))) {
			return s;
		}
	}
	return NULL;
}

/* The countries at hand first, then the pivot, then all others. */
static const struct slt_country *country_at(const struct slt_walk *w, size_t i)
{
	const struct slt_country *near[] = {w->from, w->to, w->pivot};

	return i < SLT_COUNT(near) ? near[i] : w->all[i - SLT_COUNT(near)];
}

static size_t countries(const struct slt_walk *w)
{
	return 3 + w->n_all;
}

static const char *without_urn(const char *uri)
{
	size_t n = strlen(URN_OID);

	return strncmp(uri, URN_OID, n) == 0 && uri[n] ? uri + n : uri;
}

static const char *system_oid(const struct slt_walk *w, const char *uri)
{
	for (size_t i = 0; uri && i < countries(w); i++) {
		const struct slt_system *s = system_by(country_at(w, i), NULL, uri);
		if (s) {
			return s->oid;
		}
	}
	return uri ? without_urn(uri) : NULL;
}

static bool is_oid(const char *s)
{
	return strspn(s, "0123456789.") == strlen(s) && strchr(s, '.');
}

static const char *urn(struct slt_walk *w, const char *oid)
{
	return is_oid(oid) ? slt_arena_printf(w->arena, URN_OID "%s", oid) : oid;
}

static const char *system_uri(struct slt_walk *w, const struct slt_system *s)
{
	for (size_t i = 0; !s->uri && i < countries(w); i++) {
		const struct slt_system *named = system_by(country_at(w, i), s->oid, NULL);
		if (named) {
			return named->uri;
		}
	}
	return s->uri ? s->uri : urn(w, s->oid);
}

/* --- codings: reading ------------------------------------------------------------------------- */

static struct slt_coding coding_of(struct slt_walk *w, const xmlNode *e)
{
	return (struct slt_coding){.system = system_oid(w, slt_json_text(w->arena, e, "system")),
				   .code = slt_json_text(w->arena, e, "code"),
				   .display = slt_json_text(w->arena, e, "display")};
}

/* Of several codings the one to translate: in the country's own system, else in the pivot's. */
static xmlNode *choose(struct slt_walk *w, const xmlNode *array, const struct slt_lookup *l,
		       bool *ret_several)
{
	xmlNode *chosen = NULL;
	const char *code = NULL;

	const struct slt_system *systems[] = {l->from ? l->from->system : NULL,
					      l->pivot ? l->pivot->system : NULL};

	for (size_t k = 0; k < SLT_COUNT(systems); k++) {
		for (xmlNode *n = slt_xml_first(array); n; n = slt_xml_next(n)) {
			struct slt_coding c = coding_of(w, n);
			if (slt_system_match(systems[k], c.system) == SLT_SYSTEM_OTHER) {
				continue;
			}
			*ret_several |= chosen && !same(code, c.code);
			chosen = chosen ? chosen : n;
			code = code ? code : c.code;
		}
		if (chosen) {
			return chosen;
		}
	}
	return slt_xml_first(array);
}

void slt_json_read_coded(struct slt_walk *w, xmlNode *e, struct slt_lookup *l, struct slt_coded *c)
{
	xmlNode *array = slt_json_member(e, "coding");

	*c = (struct slt_coded){.node = e};
	if (slt_json_type(e) != SLT_JSON_OBJECT) {
		/* a string has no place for a code system */
		c->coding.code = slt_json_leaf(w, e);
		l->assume = true;
		return;
	}
	c->text = slt_json_text(w->arena, e, "text");
	if (array) {
		c->node = choose(w, array, l, &c->several);
	} else if (c->text && !slt_json_member(e, "code")) {
		c->node = NULL; /* a concept in words only */
	}
	if (c->node) {
		c->coding = coding_of(w, c->node);
	}
	for (xmlNode *n = array ? slt_xml_first(array) : NULL; n; n = slt_xml_next(n)) {
		if (n != c->node && c->n_others < SLT_COUNT(c->other)) {
			c->other[c->n_others++] = coding_of(w, n);
		}
	}
}

/* --- codings: writing ------------------------------------------------------------------------- */

static int how_kept(const struct slt_rule *r)
{
	return r->keep == SLT_KEEP_AUTO ? SLT_KEEP_TRANSLATION : r->keep;
}

static void fill(struct slt_walk *w, xmlNode *coding, const struct slt_coding *to,
		 const struct slt_system *s)
{
	if (s) {
		slt_json_set(coding, "system", system_uri(w, s));
		slt_json_set(coding, "version", s->version);
	}
	slt_json_set(coding, "code", to->code);
	slt_json_set(coding, "display", to->display);
}

/* Codings behind the first one that say what it says. */
static void drop_repeated(struct slt_walk *w, const xmlNode *array, const struct slt_coding *to)
{
	for (xmlNode *n = slt_xml_next(slt_xml_first(array)), *next; n; n = next) {
		struct slt_coding c = coding_of(w, n);
		next = slt_xml_next(n);
		if (same(c.code, to->code) && same(c.system, to->system)) {
			slt_walk_drop(w, n);
		}
	}
}

static void keep_text(xmlNode *concept, const struct slt_coded *c)
{
	const char *text = c->coding.display ? c->coding.display : c->coding.code;

	if (!c->text && text && slt_json_member(concept, "coding")) {
		slt_json_set(concept, "text", text);
	}
}

/* In an array the translated coding goes first and the original stays behind it. */
static void write_into(struct slt_walk *w, const struct slt_rule *r, xmlNode *array,
		       const struct slt_coded *c, const struct slt_coding *to,
		       const struct slt_system *s)
{
	xmlNode *first = slt_xml_first(array);

	fill(w, slt_json_item(array, first, SLT_JSON_OBJECT), to, s);
	if (c->node && how_kept(r) != SLT_KEEP_TRANSLATION) {
		slt_walk_drop(w, c->node);
	}
	drop_repeated(w, array, to);
}

void slt_json_write_coded(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
			  const struct slt_coded *c, const struct slt_lookup *l,
			  const struct slt_coding *to)
{
	xmlNode *array = slt_json_member(e, "coding");
	bool same_code = same(c->coding.code, to->code) && same(c->coding.system, to->system);
	const struct slt_system *s = c->coding.system || c->text ? l->to->system : NULL;

	if (slt_json_type(e) != SLT_JSON_OBJECT) {
		slt_json_set_text(e, to->code);
		return;
	}
	if (same_code && same(c->coding.display, to->display)) {
		return;
	}
	if (how_kept(r) != SLT_KEEP_NONE) {
		keep_text(e, c);
	}
	if (same_code && c->node) {
		slt_json_set(c->node, "display", to->display);
	} else if (array) {
		write_into(w, r, array, c, to, s);
	} else if (!c->node) {
		/* found by its words */
		write_into(w, r, slt_json_add(e, "coding", SLT_JSON_ARRAY), c, to, s);
	} else if (slt_json_is_item(e) && how_kept(r) == SLT_KEEP_TRANSLATION) {
		fill(w, slt_json_item(e->parent, e, SLT_JSON_OBJECT), to, s);
	} else {
		fill(w, e, to, s);
	}
}

void slt_json_null_coded(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
			 const struct slt_coded *c)
{
	xmlNode *array = slt_json_member(e, "coding");

	if (slt_json_type(e) != SLT_JSON_OBJECT) {
		slt_walk_drop(w, e);
		return;
	}
	if (!array) {
		slt_json_set(e, "system", NULL);
		slt_json_set(e, "version", NULL);
		slt_json_set(e, "code", NULL);
		return;
	}
	keep_text(e, c);
	xmlNode *flavor = slt_json_item(array, slt_xml_first(array), SLT_JSON_OBJECT);
	slt_json_set(flavor, "system", NULL_FLAVOR);
	slt_json_set(flavor, "code", r->null_flavor);
	if (c->node && how_kept(r) != SLT_KEEP_TRANSLATION) {
		slt_walk_drop(w, c->node);
	}
}

/* --- quantities --- */

const char *slt_json_unit(struct slt_walk *w, const xmlNode *e, const char **ret_system)
{
	const char *code = slt_json_text(w->arena, e, "code");

	if (!code) {
		return slt_json_text(w->arena, e, "unit");
	}
	*ret_system = system_oid(w, slt_json_text(w->arena, e, "system"));
	return code;
}

void slt_json_set_unit(struct slt_walk *w, xmlNode *e, const char *code, const char *name,
		       const struct slt_system *system)
{
	slt_json_set(e, "unit", name ? name : code);
	slt_json_set(e, "system", system ? system_uri(w, system) : NULL);
	slt_json_set(e, "code", system ? code : NULL);
}

void slt_json_keep_unit(struct slt_walk *w, xmlNode *e)
{
	static const char *const parts[] = {"value", "unit", "system", "code"};
	xmlNode *all = slt_json_member(e, "extension");

	if (!all) {
		all = slt_json_add(e, "extension", SLT_JSON_ARRAY);
	}
	xmlNode *one = slt_json_item(all, NULL, SLT_JSON_OBJECT);
	slt_json_set(one, "url", PQ_KEPT);
	xmlNode *kept = slt_json_add(one, "valueQuantity", SLT_JSON_OBJECT);
	for (size_t i = 0; i < SLT_COUNT(parts); i++) {
		const xmlNode *old = slt_json_member(e, parts[i]);
		const char *text = slt_json_text(w->arena, e, parts[i]);
		if (text) {
			slt_json_set_text(slt_json_add(kept, parts[i], slt_json_type(old)), text);
		}
	}
}

/* --- identifiers --- */

static const char *root_of_uri(const struct slt_walk *w, const char *uri)
{
	for (size_t i = 0; i < countries(w); i++) {
		const struct slt_country *c = country_at(w, i);
		for (size_t k = 0; k < c->n_identifiers; k++) {
			if (same(c->identifier[k].uri, uri)) {
				return c->identifier[k].root;
			}
		}
		for (size_t k = 0; k < c->n_foreign; k++) {
			if (same(c->foreign[k].uri, uri)) {
				return c->foreign[k].root;
			}
		}
	}
	return without_urn(uri);
}

static const char *uri_of_root(struct slt_walk *w, const char *root)
{
	for (size_t k = 0; k < w->to->n_foreign; k++) {
		if (w->to->foreign[k].uri && same(w->to->foreign[k].root, root)) {
			return w->to->foreign[k].uri;
		}
	}
	for (size_t i = 0; i < countries(w); i++) {
		const struct slt_country *c = country_at(w, i);
		for (size_t k = 0; k < c->n_identifiers; k++) {
			if (c->identifier[k].uri && same(c->identifier[k].root, root)) {
				return c->identifier[k].uri;
			}
		}
	}
	return urn(w, root);
}

static bool is_uri_value(const char *system, const char *value)
{
	return same(system, URI_SYSTEM) && value && strncmp(value, URN_OID, strlen(URN_OID)) == 0;
}

/* Of a string "system|value", as searches in FHIR name an identifier. What such a search would read
 * as several (',') or as a character that is not meant ('\\', '$', another '|') is no token. */
static bool is_token(const char *text)
{
	const char *bar = text ? strchr(text, '|') : NULL;

	return bar && !strchr(bar + 1, '|') && !strpbrk(text, ",\\$");
}

static void read_system(struct slt_walk *w, const xmlNode *e, const char **ret_system,
			const char **ret_value)
{
	const char *text = slt_json_type(e) == SLT_JSON_OBJECT ? NULL : slt_json_leaf(w, e);

	if (is_token(text)) {
		const char *bar = strchr(text, '|');
		*ret_system = slt_arena_strndup(w->arena, text, (size_t)(bar - text));
		*ret_value = bar + 1;
	} else {
		*ret_system = slt_json_text(w->arena, e, "system");
		*ret_value = slt_json_text(w->arena, e, "value");
	}
}

void slt_json_read_id(struct slt_walk *w, const xmlNode *e, const char **ret_root,
		      const char **ret_extension)
{
	const char *system, *value;

	read_system(w, e, &system, &value);
	*ret_root = NULL;
	*ret_extension = value;
	if (!system && slt_json_type(e) != SLT_JSON_OBJECT) {
		*ret_extension = slt_json_leaf(w, e);
	} else if (is_uri_value(system, value)) {
		*ret_root = value + strlen(URN_OID);
		*ret_extension = NULL;
	} else if (system) {
		*ret_root = root_of_uri(w, system);
	}
}

void slt_json_set_root(struct slt_walk *w, xmlNode *e, const char *root)
{
	const char *system, *value;

	read_system(w, e, &system, &value);
	bool uri = is_uri_value(system, value);
	if (slt_json_type(e) != SLT_JSON_OBJECT) {
		if (system) {
			slt_set_text(e, slt_arena_printf(w->arena, "%s|%s",
							 uri ? system : uri_of_root(w, root),
							 uri ? urn(w, root) : value));
		}
	} else if (uri) {
		slt_json_set(e, "value", urn(w, root));
	} else {
		slt_json_set(e, "system", uri_of_root(w, root));
	}
}
