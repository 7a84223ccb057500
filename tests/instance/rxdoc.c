/* SPDX-License-Identifier: MIT */
#include "tests/instance/rxdoc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#define NS_CDA	  "urn:hl7-org:v3"
#define NS_PHARM  "urn:hl7-org:pharm"
#define NS_XSI	  "http://www.w3.org/2001/XMLSchema-instance"
#define CODE_RX	  "57833-6" /* LOINC */
#define CODE_SALE "60593-1"
/* of Reseptisanoman tyyppi: a prescription as Finland's own centre keeps it */
#define NATIVE	     "/h:ClinicalDocument/h:code[@codeSystem='1.2.246.537.5.40105.2006']/@code"
#define NATIVE_RX    "1"
#define NATIVE_FORMS "laakemuodot-nimet"

#define ENTRY	     "/h:ClinicalDocument/h:component/h:structuredBody/h:component/h:section/h:entry/"
#define ORDER	     ENTRY "h:substanceAdministration/"
#define SUPPLY	     ENTRY "h:supply/"
#define MATERIAL     "h:manufacturedProduct/h:manufacturedMaterial/"

struct reader {
	struct slt_rxdoc *d;
	xmlXPathContext *ctx;
};

/* The first node's string value; "" when there is none. */
static const char *get(struct reader *r, const char *expr)
{
	xmlXPathObject *o = xmlXPathEvalExpression(SLT_XML(expr), r->ctx);
	const char *text = "";
	if (o != NULL && o->type == XPATH_NODESET && o->nodesetval != NULL &&
	    o->nodesetval->nodeNr > 0) {
		xmlChar *s = xmlXPathCastNodeToString(o->nodesetval->nodeTab[0]);
		text = slt_arena_strdup(r->d->arena, (const char *)s);
		xmlFree(s);
	}
	xmlXPathFreeObject(o);
	return text;
}

/* "20261102101500+0200" gives "2026-11-02". */
static const char *date(struct reader *r, const char *expr)
{
	const char *v = get(r, expr);
	for (unsigned i = 0; i < 8; i++) {
		if (!isdigit((unsigned char)v[i])) {
			return "";
		}
	}
	return slt_arena_printf(r->d->arena, "%.4s-%.2s-%.2s", v, v + 4, v + 6);
}

static void read_product(struct reader *r, const char *material)
{
	struct slt_rxdoc *d = r->d;
	struct {
		const char **field;
		const char *path;
	} fields[] = {
		{&d->product, "h:name"},
		{&d->atc, "p:asSpecializedKind/p:generalizedMaterialKind/p:code/@code"},
		{&d->atc_name, "p:asSpecializedKind/p:generalizedMaterialKind/p:code/@displayName"},
		{&d->form_system, "p:formCode/@codeSystem"},
		{&d->form, "p:formCode/@code"},
		{&d->form_name, "p:formCode/@displayName"},
		{&d->strength, "p:desc"},
	};
	for (size_t i = 0; i < SLT_COUNT(fields); i++) {
		SLT_AUTO_STR char *expr = slt_asprintf("%s%s", material, fields[i].path);
		*fields[i].field = get(r, expr);
	}
	if (d->product[0] == '\0') {
		d->product = d->atc_name; /* prescribed by its active substance */
	}
}

static void read_prescription(struct reader *r)
{
	struct slt_rxdoc *d = r->d;
	d->rx_root = get(r, ORDER "h:id/@root");
	d->rx_ext = get(r, ORDER "h:id/@extension");
	d->valid_until = date(r, ORDER "h:effectiveTime[@xsi:type='IVL_TS']/h:high/@value");
	d->quantity =
		get(r, ORDER "h:entryRelationship[@typeCode='COMP']/h:supply/h:quantity/@value");
	read_product(r, ORDER "h:consumable/" MATERIAL);
}

/* Its content stands under field codes: 24 is the form, in words. */
static void read_native(struct reader *r)
{
	struct slt_rxdoc *d = r->d;
	const char *drug = "//h:supply/h:product/h:manufacturedProduct/h:manufacturedLabeledDrug/";
	SLT_AUTO_STR char *name = slt_asprintf("%sh:code/@displayName", drug);
	d->rx_root = d->id_root;
	d->rx_ext = d->valid_until = d->form = "";
	d->quantity = get(r, "//h:supply/h:quantity/@value");
	d->product = get(r, name);
	d->atc = get(r, "//h:substanceAdministration/h:consumable//h:code/@code");
	d->atc_name = get(r, "//h:substanceAdministration/h:consumable//h:code/@displayName");
	d->form_system = NATIVE_FORMS;
	d->form_name = get(r, "//h:observation[h:code/@code='24']/h:value");
	d->strength = get(r, "//h:doseQuantity/h:translation/h:originalText");
}

static void read_dispensation(struct reader *r)
{
	struct slt_rxdoc *d = r->d;
	const char *order = "/h:ClinicalDocument/h:inFulfillmentOf/h:order/h:id/@";
	SLT_AUTO_STR char *root = slt_asprintf("%sroot", order);
	SLT_AUTO_STR char *ext = slt_asprintf("%sextension", order);
	d->rx_root = get(r, root);
	d->rx_ext = get(r, ext);
	d->valid_until = "";
	d->quantity = get(r, SUPPLY "h:quantity/@value");
	read_product(r, SUPPLY "h:product/" MATERIAL);
}

static bool is_marked(struct reader *r, const char *list, const char *codes)
{
	SLT_AUTO_STR char *expr =
		slt_asprintf("//h:observation/h:value[@codeSystem='%s']/@code", list);
	const char *code = get(r, expr);
	SLT_AUTO_STR char *word = slt_asprintf(" %s ", code);
	return code[0] != '\0' && strstr(codes, word) != NULL;
}

static bool read_all(struct reader *r, const char *list, const char *codes, struct slt_err *err)
{
	struct slt_rxdoc *d = r->d;
	const char *code = get(r, "/h:ClinicalDocument/h:code/@code");
	bool native = strcmp(get(r, NATIVE), NATIVE_RX) == 0;
	d->dispensation = strcmp(code, CODE_SALE) == 0;
	if (!d->dispensation && !native && strcmp(code, CODE_RX) != 0) {
		return slt_fail(err, SLT_EINVAL,
				"the document is neither a prescription nor a dispensation");
	}
	d->id_root = get(r, "/h:ClinicalDocument/h:id/@root");
	d->id_ext = get(r, "/h:ClinicalDocument/h:id/@extension");
	d->person_root = get(r, "/h:ClinicalDocument/h:recordTarget/h:patientRole/h:id/@root");
	d->person_code = get(r, "/h:ClinicalDocument/h:recordTarget/h:patientRole/h:id/@extension");
	d->issued = date(r, "/h:ClinicalDocument/h:effectiveTime/@value");
	if (d->dispensation) {
		read_dispensation(r);
	} else if (native) {
		read_native(r);
	} else {
		read_prescription(r);
	}
	d->no_export = is_marked(r, list, codes);
	if (d->id_root[0] == '\0' || d->person_code[0] == '\0' || d->rx_root[0] == '\0') {
		return slt_fail(err, SLT_EINVAL,
				"the document lacks the identifier of itself, the person or the "
				"prescription");
	}
	return true;
}

bool slt_rxdoc_read(const void *p, size_t n, const char *list, const char *codes,
		    struct slt_rxdoc **ret, struct slt_err *err)
{
	const struct slt_xml_limits limits = {
		.bytes = SLT_RXDOC_MAX, .depth = 128, .nodes = 500000};
	SLT_AUTO(slt_rxdoc_free) struct slt_rxdoc *d = slt_calloc(1, sizeof(*d));
	d->arena = slt_arena_new();
	if (!slt_xml_parse(p, n, &limits, "the document", &d->doc, err)) {
		return false;
	}
	struct reader r = {.d = d, .ctx = xmlXPathNewContext(d->doc)};
	slt_assert(r.ctx != NULL);
	(void)xmlXPathRegisterNs(r.ctx, SLT_XML("h"), SLT_XML(NS_CDA));
	(void)xmlXPathRegisterNs(r.ctx, SLT_XML("p"), SLT_XML(NS_PHARM));
	(void)xmlXPathRegisterNs(r.ctx, SLT_XML("xsi"), SLT_XML(NS_XSI));
	bool ok = read_all(&r, list, codes, err);
	xmlXPathFreeContext(r.ctx);
	if (ok) {
		*ret = SLT_TAKE(d);
	}
	return ok;
}

void slt_rxdoc_free(struct slt_rxdoc *d)
{
	if (d != NULL) {
		slt_xml_free(d->doc);
		slt_arena_free(d->arena);
		free(d);
	}
}
