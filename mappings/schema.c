/* SPDX-License-Identifier: MIT */
#include "mappings/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/schematron.h>
#include <libxml/xmlschemas.h>

#include "base/digest.h"
#include "base/file.h"

#define NS_SCHEMATRON "http://purl.oclc.org/dsdl/schematron"
#define WHY	      256 /* bytes of a reason */

static const struct slt_xml_limits limits = {
	.bytes = SLT_SCHEMA_BYTES, .depth = 200, .nodes = 200000};

struct slt_schema {
	enum slt_schema_kind kind;
	char *text; /* of a schematron */
	size_t n;
	xmlDoc *doc; /* an XML Schema goes on pointing into its document */
	xmlSchema *xsd;
};

struct said { /* what libxml2 says */
	slt_schema_fn *fn;
	void *arg;
	unsigned n;
};

/* --- loading --- */

static void schema_free_auto(xmlSchemaParserCtxt *c)
{
	if (c) {
		xmlSchemaFreeParserCtxt(c);
	}
}
SLT_DEFINE_AUTO(xmlSchemaParserCtxt *, schema_free_auto)

static void keep_first(void *arg, xmlErrorPtr e)
{
	char *first = arg;

	if (!*first && e && e->message) {
		snprintf(first, WHY, "line %d: %.*s", e->line, (int)strcspn(e->message, "\n"),
			 e->message);
	}
}

static bool compile_xsd(struct slt_schema *s, char *why)
{
	SLT_AUTO(schema_free_auto) xmlSchemaParserCtxt *c = xmlSchemaNewDocParserCtxt(s->doc);

	if (c) {
		xmlSchemaSetParserStructuredErrors(c, keep_first, why);
		s->xsd = xmlSchemaParse(c);
	}
	/* an import that could not be followed is only a warning to libxml2 */
	return s->xsd && !*why;
}

static xmlSchematron *compile_schematron(const struct slt_schema *s)
{
	xmlSchematronParserCtxt *c = xmlSchematronNewMemParserCtxt(s->text, (int)s->n);
	xmlSchematron *compiled = c ? xmlSchematronParse(c) : NULL;

	if (c) {
		xmlSchematronFreeParserCtxt(c);
	}
	return compiled;
}

static bool has_attribute(const xmlNode *e, const char *name)
{
	return xmlHasProp(e, SLT_XML(name)) != NULL;
}

/* libxml2 passes over what it does not know, and over a pattern without a name: what would not be
 * checked is refused instead. */
static bool understood(const xmlNode *e, char *why)
{
	static const char *const words[] = {"schema",	"title", "p",	   "ns",     "pattern",
					    "rule",	"let",	 "assert", "report", "name",
					    "value-of", "emph",	 "span"};
	bool known = false;

	for (size_t i = 0; i < SLT_COUNT(words); i++) {
		known |= slt_xml_is(e, NS_SCHEMATRON, words[i]);
	}
	if (!known || has_attribute(e, "abstract") || has_attribute(e, "is-a")) {
		snprintf(why, WHY, "line %ld: element %.80s is not understood", xmlGetLineNo(e),
			 (const char *)e->name);
	} else if (slt_xml_is(e, NS_SCHEMATRON, "pattern") && !has_attribute(e, "id") &&
		   !has_attribute(e, "name")) {
		snprintf(why, WHY, "line %ld: a pattern needs an id", xmlGetLineNo(e));
	}
	for (const xmlNode *n = slt_xml_first(e); n && !*why; n = slt_xml_next(n)) {
		(void)understood(n, why); /* the depth was capped when the file was read */
	}
	return !*why;
}

static bool compile(struct slt_schema *s, char *why)
{
	if (s->kind == SLT_SCHEMA_XSD) {
		return compile_xsd(s, why);
	}
	if (!understood(xmlDocGetRootElement(s->doc), why)) {
		return false;
	}
	xmlSetStructuredErrorFunc(why, keep_first);
	xmlSchematron *tried = compile_schematron(s);
	xmlSetStructuredErrorFunc(NULL, NULL);
	if (tried) {
		xmlSchematronFree(tried);
	}
	return tried != NULL && !*why;
}

bool slt_schema_load(const char *path, enum slt_schema_kind kind, struct slt_lint *lint,
		     struct slt_schema **ret, char ret_digest[65])
{
	SLT_AUTO(slt_schema_free) struct slt_schema *s = slt_calloc(1, sizeof(*s));
	SLT_AUTO_BUF(hex, 65);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;
	char why[WHY] = "";

	s->kind = kind;
	if (!slt_file_read(path, SLT_SCHEMA_BYTES, &s->text, &s->n, &err) ||
	    !slt_xml_parse(s->text, s->n, &limits, path, &s->doc, &err)) {
		slt_lint_add_err(lint, &err);
		return false;
	}
	slt_digest_of(SLT_SHA256, s->text, s->n, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	memcpy(ret_digest, hex.p, 65);
	if (!compile(s, why)) {
		slt_lint_add(lint, path, 0,
			     "no %s that can be used (all of it stands in one "
			     "file): %s",
			     kind == SLT_SCHEMA_XSD ? "XML Schema" : "schematron", why);
		return false;
	}
	*ret = SLT_TAKE(s);
	return true;
}

void slt_schema_free(struct slt_schema *s)
{
	if (s) {
		if (s->xsd) {
			xmlSchemaFree(s->xsd);
		}
		slt_xml_free(s->doc);
		free(s->text);
		free(s);
	}
}

/* --- checking --- */

/* Quoted words of the schema are kept, quoted values of the document are not. */
static void without_values(const char *message, struct slt_buf *out)
{
	static const char *const words[] = {"Element ", "attribute ", "type ", "facet "};
	bool whose = false; /* what stands in the next quotes is the schema's */

	for (const char *p = message; *p && *p != '\n';) {
		size_t n = strcspn(p, "'\n");
		for (size_t i = 0; i < SLT_COUNT(words); i++) {
			size_t k = strlen(words[i]);
			whose |= n >= k && memcmp(p + n - k, words[i], k) == 0;
		}
		slt_buf_add(out, p, n);
		p += n;
		const char *end = *p == '\'' ? strchr(p + 1, '\'') : NULL;
		if (end) {
			slt_buf_add(out, whose ? p : "'***", whose ? (size_t)(end - p) : 4);
			slt_buf_addc(out, '\'');
			p = end + 1;
		} else if (*p == '\'') {
			slt_buf_adds(out, "'***");
			break;
		}
		whose = false;
	}
}

static void say(void *arg, xmlErrorPtr e)
{
	struct said *s = arg;
	const xmlNode *n = e ? e->node : NULL;
	char place[128];
	SLT_AUTO_BUF(text, 2048);

	if (!e || e->level == XML_ERR_WARNING || s->n++ >= SLT_SCHEMA_ERRORS) {
		return;
	}
	if (n && n->type == XML_ATTRIBUTE_NODE) {
		n = n->parent;
	}
	snprintf(place, sizeof(place), "line %ld, element %.80s", n ? xmlGetLineNo(n) : e->line,
		 n && n->name ? (const char *)n->name : "?");
	if (e->domain == XML_FROM_SCHEMATRONV) {
		/* "/path line 3: the assertion's own words" */
		const char *words = e->message ? strstr(e->message, ": ") : NULL;
		words = words ? words + 2 : "an assertion does not hold";
		slt_buf_add(&text, words, strcspn(words, "\n"));
	} else {
		without_values(e->message ? e->message : "", &text);
	}
	struct slt_str t = slt_buf_str(&text);
	SLT_AUTO_STR char *line = slt_strndup(t.p, t.n);
	s->fn(s->arg, place, line);
}

static bool fits_xsd(const struct slt_schema *s, xmlNode *root, struct said *said)
{
	xmlSchemaValidCtxt *v = xmlSchemaNewValidCtxt(s->xsd);

	slt_assert(v);
	xmlSchemaSetValidStructuredErrors(v, say, said);
	int r = xmlSchemaValidateOneElement(v, root);
	xmlSchemaFreeValidCtxt(v);
	return r == 0;
}

static bool fits_schematron(const struct slt_schema *s, xmlNode *root, struct said *said)
{
	xmlSchematron *compiled = compile_schematron(s);
	xmlDoc *own = xmlNewDoc(SLT_XML("1.0"));
	int r = -1;

	slt_assert(own);
	/* paths of its rules begin at the document that is meant, not at the envelope around it */
	xmlNode *copy = xmlDocCopyNode(root, own, 1);
	if (compiled && copy) {
		xmlDocSetRootElement(own, copy);
		xmlSchematronValidCtxt *v =
			xmlSchematronNewValidCtxt(compiled, XML_SCHEMATRON_OUT_ERROR);
		slt_assert(v);
		xmlSchematronSetValidStructuredErrors(v, say, said);
		r = xmlSchematronValidateDoc(v, own);
		xmlSchematronFreeValidCtxt(v);
	}
	if (compiled) {
		xmlSchematronFree(compiled);
	}
	xmlFreeDoc(own);
	return r == 0;
}

bool slt_schema_fits(const struct slt_schema *s, xmlNode *root, slt_schema_fn *fn, void *arg)
{
	struct said said = {fn, arg, 0};
	bool fits = s->kind == SLT_SCHEMA_XSD ? fits_xsd(s, root, &said)
					      : fits_schematron(s, root, &said);

	if (!fits && said.n == 0) {
		fn(arg, "the document", "could not be compared with the schema");
	}
	return fits && said.n == 0;
}
