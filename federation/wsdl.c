/* SPDX-License-Identifier: MIT */
#include "federation/wsdl.h"

#include <stdlib.h>
#include <string.h>

#include "federation/ident.h"
#include "federation/soap.h"

#define NS_SOAP11      "http://schemas.xmlsoap.org/wsdl/soap/"
#define NS_SOAP12      "http://schemas.xmlsoap.org/wsdl/soap12/"
#define NS_XSD	       "http://www.w3.org/2001/XMLSchema"
#define TRANSPORT_HTTP "http://schemas.xmlsoap.org/soap/http"
#define OPERATIONS_MAX 1000
#define DERIVED_NS     "urn:silta:wsdl:1" /* of what a derived description itself names */

struct slt_wsdl {
	xmlDoc *doc;
	struct slt_wsdl_operation *operation;
	size_t n;
	struct slt_arena *arena;
};

/* --- reading ------------------------------------------------------------------------------ */

/* Descriptions in the field have it in either namespace. */
static xmlNode *version_of(const xmlNode *operation)
{
	xmlNode *v = slt_xml_child(operation, SLT_NS_XROAD, "version");

	return v ? v : slt_xml_child(operation, SLT_NS_ID, "version");
}

static bool read_binding(struct slt_wsdl *w, const xmlNode *binding, struct slt_err *err)
{
	for (const xmlNode *o = slt_xml_child(binding, SLT_NS_WSDL, "operation"); o;
	     o = slt_xml_next_named(o, SLT_NS_WSDL, "operation")) {
		const char *name = slt_xml_attr(w->arena, o, NULL, "name");
		const xmlNode *version = version_of(o);
		if (!name || !*name) {
			return slt_fail(err, SLT_EINVAL, "an operation of a binding has no name");
		}
		if (slt_wsdl_operation(w, name)) {
			return slt_fail(err, SLT_EINVAL, "the operation %.100s is bound twice",
					name);
		}
		if (w->n == OPERATIONS_MAX) {
			return slt_fail(err, SLT_ELIMIT, "more than %d operations", OPERATIONS_MAX);
		}
		w->operation[w->n].name = name;
		w->operation[w->n++].version = slt_xml_text(w->arena, version);
	}
	return true;
}

static bool has_address(const xmlNode *root)
{
	for (const xmlNode *s = slt_xml_child(root, SLT_NS_WSDL, "service"); s;
	     s = slt_xml_next_named(s, SLT_NS_WSDL, "service")) {
		for (const xmlNode *p = slt_xml_child(s, SLT_NS_WSDL, "port"); p;
		     p = slt_xml_next_named(p, SLT_NS_WSDL, "port")) {
			if (slt_xml_child(p, NS_SOAP11, "address")) {
				return true;
			}
		}
	}
	return false;
}

bool slt_wsdl_parse(const void *p, size_t n, struct slt_wsdl **ret, struct slt_err *err)
{
	static const struct slt_xml_limits limits = {
		.bytes = SLT_WSDL_BYTES_MAX, .depth = 64, .nodes = 200000};
	SLT_AUTO(slt_wsdl_free) struct slt_wsdl *w = slt_calloc(1, sizeof(*w));

	w->arena = slt_arena_new();
	w->operation = slt_arena_alloc(w->arena, OPERATIONS_MAX * sizeof(*w->operation));
	if (!slt_xml_parse(p, n, &limits, "the WSDL", &w->doc, err)) {
		return false;
	}
	const xmlNode *root = xmlDocGetRootElement(w->doc);
	if (!slt_xml_is(root, SLT_NS_WSDL, "definitions")) {
		return slt_fail(err, SLT_EINVAL, "the root element is not definitions of WSDL 1.1");
	}
	for (const xmlNode *b = slt_xml_child(root, SLT_NS_WSDL, "binding"); b;
	     b = slt_xml_next_named(b, SLT_NS_WSDL, "binding")) {
		if (slt_xml_child(b, NS_SOAP11, "binding") && !read_binding(w, b, err)) {
			return false;
		}
	}
	if (w->n == 0 || !has_address(root)) {
		return slt_fail(err, SLT_EINVAL, "the WSDL has no %s",
				w->n ? "service with a soap:address"
				     : "operation in a SOAP 1.1 binding");
	}
	*ret = SLT_TAKE(w);
	return true;
}

void slt_wsdl_free(struct slt_wsdl *w)
{
	if (w) {
		slt_xml_free(w->doc);
		slt_arena_free(w->arena);
		free(w);
	}
}

const struct slt_wsdl_operation *slt_wsdl_operation_at(const struct slt_wsdl *w, size_t i)
{
	return i < w->n ? &w->operation[i] : NULL;
}

static const struct slt_wsdl_operation *named(const struct slt_wsdl_operation *v, size_t n,
					      const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].name, name) == 0) {
			return &v[i];
		}
	}
	return NULL;
}

const struct slt_wsdl_operation *slt_wsdl_operation(const struct slt_wsdl *w, const char *name)
{
	return named(w->operation, w->n, name);
}

/* --- writing ------------------------------------------------------------------------------ */

struct offered {
	const struct slt_wsdl_operation *v;
	size_t n;
	struct slt_arena *arena;
};

static void remove_node(xmlNode *n)
{
	xmlUnlinkNode(n);
	xmlFreeNode(n);
}

static void set_version(xmlNode *operation, const char *version)
{
	for (xmlNode *v; (v = version_of(operation)) != NULL;) {
		remove_node(v);
	}
	if (!version) {
		return;
	}
	/* extensions of an operation stand before its messages */
	xmlNode *v = xmlNewDocNode(operation->doc, NULL, SLT_XML("version"), NULL);
	xmlNode *text = xmlNewDocText(operation->doc, SLT_XML(version));
	xmlNode *input = slt_xml_child(operation, SLT_NS_WSDL, "input");
	slt_assert(v && text);
	xmlAddChild(v, text);
	xmlSetNs(v, xmlNewNs(v, SLT_XML(SLT_NS_XROAD), SLT_XML("xroad")));
	if (input) {
		xmlAddPrevSibling(input, v);
	} else {
		xmlAddChild(operation, v);
	}
}

/* Of a portType or a binding. */
static void keep_operations(const struct offered *o, const xmlNode *parent)
{
	bool binding = slt_xml_is(parent, SLT_NS_WSDL, "binding");
	xmlNode *next;

	for (xmlNode *n = slt_xml_child(parent, SLT_NS_WSDL, "operation"); n; n = next) {
		const char *name = slt_xml_attr(o->arena, n, NULL, "name");
		const struct slt_wsdl_operation *keep = name ? named(o->v, o->n, name) : NULL;
		next = slt_xml_next_named(n, SLT_NS_WSDL, "operation");
		if (!keep) {
			remove_node(n);
		} else if (binding) {
			set_version(n, keep->version);
		}
	}
}

static void hide_addresses(const xmlNode *service)
{
	for (const xmlNode *p = slt_xml_child(service, SLT_NS_WSDL, "port"); p;
	     p = slt_xml_next_named(p, SLT_NS_WSDL, "port")) {
		for (xmlNode *a = slt_xml_first(p); a; a = slt_xml_next(a)) {
			if (xmlHasProp(a, SLT_XML("location"))) {
				xmlSetProp(a, SLT_XML("location"), SLT_XML(SLT_WSDL_ADDRESS));
			}
		}
	}
}

bool slt_wsdl_write(const struct slt_wsdl *w, const struct slt_wsdl_operation *keep, size_t n,
		    struct slt_buf *out, struct slt_err *err)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = xmlCopyDoc(w->doc, 1);
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	const struct offered o = {keep, n, arena};

	slt_assert(doc);
	for (xmlNode *c = slt_xml_first(xmlDocGetRootElement(doc)); c; c = slt_xml_next(c)) {
		if (slt_xml_is(c, SLT_NS_WSDL, "portType") ||
		    slt_xml_is(c, SLT_NS_WSDL, "binding")) {
			keep_operations(&o, c);
		} else if (slt_xml_is(c, SLT_NS_WSDL, "service")) {
			hide_addresses(c);
		}
	}
	return slt_xml_dump(doc, NULL, true, out, err);
}

/* --- deriving ----------------------------------------------------------------------------- */

static const char *const message_tail[2] = {"", "Response"};
static const char *const fields[] = {"client", "service", "id",
				     "userId", "issue",	  "protocolVersion"};

/* One schema an element, since elements of one namespace may stand in several schemas. */
static void derive_element(struct slt_buf *out, const char *uri, const char *element)
{
	slt_buf_adds(out, "<xs:schema elementFormDefault=\"qualified\" targetNamespace=\"");
	slt_buf_add_xml(out, uri);
	slt_buf_adds(out, "\"><xs:element name=\"");
	slt_buf_add_xml(out, element);
	slt_buf_adds(out, "\"><xs:complexType mixed=\"true\"><xs:sequence><xs:any minOccurs=\"0\" "
			  "maxOccurs=\"unbounded\" processContents=\"skip\"/></xs:sequence>"
			  "<xs:anyAttribute processContents=\"skip\"/></xs:complexType>"
			  "</xs:element></xs:schema>");
}

static void derive_message(struct slt_buf *out, const struct slt_wsdl_service *s, int which)
{
	slt_buf_adds(out, "<wsdl:message name=\"");
	slt_buf_add_xml(out, s->operation.name);
	slt_buf_addf(out, "%s\"><wsdl:part name=\"body\" ", message_tail[which]);
	if (s->element[which]) {
		slt_buf_adds(out, "xmlns:m=\"");
		slt_buf_add_xml(out, s->uri[which]);
		slt_buf_adds(out, "\" element=\"m:");
		slt_buf_add_xml(out, s->element[which]);
	} else {
		slt_buf_adds(out, "type=\"xs:anyType");
	}
	slt_buf_adds(out, "\"/></wsdl:message>");
}

static void derive_port(struct slt_buf *out, const struct slt_wsdl_operation *o)
{
	static const char *const what[2] = {"input", "output"};

	slt_buf_adds(out, "<wsdl:operation name=\"");
	slt_buf_add_xml(out, o->name);
	slt_buf_adds(out, "\">");
	for (int i = 0; i < 2; i++) {
		slt_buf_addf(out, "<wsdl:%s message=\"tns:", what[i]);
		slt_buf_add_xml(out, o->name);
		slt_buf_addf(out, "%s\"/>", message_tail[i]);
	}
	slt_buf_adds(out, "</wsdl:operation>");
}

static void derive_bound(struct slt_buf *out, const struct slt_wsdl_operation *o)
{
	static const char body[] = "<soap:body parts=\"body\" use=\"literal\"/>";

	slt_buf_adds(out, "<wsdl:operation name=\"");
	slt_buf_add_xml(out, o->name);
	slt_buf_adds(out, "\"><soap:operation soapAction=\"\" style=\"document\"/>");
	if (o->version) {
		slt_buf_adds(out, "<xroad:version>");
		slt_buf_add_xml(out, o->version);
		slt_buf_adds(out, "</xroad:version>");
	}
	for (int i = 0; i < 2; i++) {
		slt_buf_addf(out, "<wsdl:%s>%s", i ? "output" : "input", body);
		for (size_t k = 0; k < SLT_COUNT(fields); k++) {
			slt_buf_addf(out,
				     "<soap:header message=\"tns:xroadHeader\" part=\"%s\" "
				     "use=\"literal\"/>",
				     fields[k]);
		}
		slt_buf_addf(out, "</wsdl:%s>", i ? "output" : "input");
	}
	slt_buf_adds(out, "</wsdl:operation>");
}

static void derive_header(struct slt_buf *out)
{
	slt_buf_adds(out, "<wsdl:message name=\"xroadHeader\">");
	for (size_t i = 0; i < SLT_COUNT(fields); i++) {
		slt_buf_addf(out, "<wsdl:part name=\"%s\" element=\"xroad:%s\"/>", fields[i],
			     fields[i]);
	}
	slt_buf_adds(out, "</wsdl:message>");
}

static void derive_types(struct slt_buf *out, const struct slt_wsdl_service *v, size_t n)
{
	slt_buf_adds(out, "<wsdl:types><xs:schema targetNamespace=\"" DERIVED_NS "\">"
			  "<xs:import namespace=\"" SLT_NS_XROAD "\" schemaLocation=\"" SLT_NS_XROAD
			  "\"/></xs:schema>");
	for (size_t i = 0; i < n; i++) {
		for (int w = 0; w < 2; w++) {
			if (v[i].element[w]) {
				derive_element(out, v[i].uri[w], v[i].element[w]);
			}
		}
	}
	slt_buf_adds(out, "</wsdl:types>");
}

static bool check_name(const char *name, struct slt_err *err)
{
	return xmlValidateNCName(SLT_XML(name), 0) == 0 ||
	       slt_fail(err, SLT_EINVAL, "%.100s cannot be a name in a WSDL", name);
}

static bool check_names(const char *name, const struct slt_wsdl_service *v, size_t n,
			struct slt_err *err)
{
	bool good = check_name(name, err);

	for (size_t i = 0; good && i < n; i++) {
		good = check_name(v[i].operation.name, err);
	}
	return good;
}

bool slt_wsdl_derive(const char *name, const struct slt_wsdl_service *v, size_t n,
		     struct slt_buf *out, struct slt_err *err)
{
	if (!check_names(name, v, n, err)) {
		return false;
	}
	slt_buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<wsdl:definitions "
			  "xmlns:wsdl=\"" SLT_NS_WSDL "\" xmlns:soap=\"" NS_SOAP11 "\" "
			  "xmlns:xs=\"" NS_XSD "\" xmlns:xroad=\"" SLT_NS_XROAD "\" "
			  "xmlns:tns=\"" DERIVED_NS "\" targetNamespace=\"" DERIVED_NS "\">");
	derive_types(out, v, n);
	derive_header(out);
	for (size_t i = 0; i < n; i++) {
		derive_message(out, &v[i], 0);
		derive_message(out, &v[i], 1);
	}
	slt_buf_adds(out, "<wsdl:portType name=\"services\">");
	for (size_t i = 0; i < n; i++) {
		derive_port(out, &v[i].operation);
	}
	slt_buf_adds(out, "</wsdl:portType><wsdl:binding name=\"soap\" type=\"tns:services\">"
			  "<soap:binding style=\"document\" transport=\"" TRANSPORT_HTTP "\"/>");
	for (size_t i = 0; i < n; i++) {
		derive_bound(out, &v[i].operation);
	}
	slt_buf_adds(out, "</wsdl:binding><wsdl:service name=\"");
	slt_buf_add_xml(out, name);
	slt_buf_adds(out, "\"><wsdl:port name=\"soap\" binding=\"tns:soap\"><soap:address "
			  "location=\"" SLT_WSDL_ADDRESS "\"/></wsdl:port></wsdl:service>"
			  "</wsdl:definitions>\n");
	return slt_buf_check(out, "the derived WSDL", err);
}
