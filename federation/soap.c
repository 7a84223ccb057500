/* SPDX-License-Identifier: MIT */
#include "federation/soap.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "federation/multipart.h"

/* --- character sets --- */

/* Those a message may come in: nothing else reaches iconv or libxml2 by a name a peer chose. */
static const char *const charsets[] = {
	"UTF-8",      "UTF8",	     "US-ASCII",    "ASCII",	    "ISO-8859-1",
	"ISO-8859-4", "ISO-8859-13", "ISO-8859-15", "WINDOWS-1252", "WINDOWS-1257",
	"UTF-16",     "UTF-16LE",    "UTF-16BE",
};

static const char *known_charset(struct slt_str name)
{
	SLT_AUTO_STR char *s = slt_strndup(name.n ? name.p : "", name.n);

	for (size_t i = 0; i < SLT_COUNT(charsets); i++) {
		if (slt_strcase_eq(s, charsets[i])) {
			return charsets[i];
		}
	}
	return NULL;
}

static bool is_utf8(const char *charset)
{
	return strncmp(charset, "UTF", 3) == 0 && strchr(charset, '8');
}

/* The encoding that the XML declaration names; empty when it names none. */
static struct slt_str declared_encoding(const char *p, size_t n)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct slt_str none = {NULL, 0};

	if (n >= 3 && memcmp(p, bom, 3) == 0) {
		p += 3;
		n -= 3;
	}
	if (n < 6 || memcmp(p, "<?xml", 5) != 0) {
		return none;
	}
	const char *end = memmem(p, n < 1024 ? n : 1024, "?>", 2);
	const char *at = end ? memmem(p, (size_t)(end - p), "encoding", 8) : NULL;
	if (!at) {
		return none;
	}
	at += 8;
	while (at < end && strchr(" \t\r\n=", *at)) {
		at++;
	}
	if (at == end || (*at != '"' && *at != '\'')) {
		return none;
	}
	const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));
	return close ? (struct slt_str){at + 1, (size_t)(close - at - 1)} : none;
}

static bool has_bom(const char *p, size_t n)
{
	return (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) ||
	       (n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0));
}

static bool to_utf8(const char *p, size_t n, const char *charset, struct slt_buf *out,
		    struct slt_err *err)
{
	/* iconv does not write through its input pointer */
	union {
		const char *c;
		char *v;
	} in = {.c = p};
	iconv_t cd = iconv_open("UTF-8", charset);

	if (cd == (iconv_t)-1) {
		return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
				"the character set %s is not available on this system", charset);
	}
	size_t room = 4 * n + 16, left = room;
	char *at = slt_buf_room(out, room);
	size_t r = at ? iconv(cd, &in.v, &n, &at, &left) : (size_t)-1;
	iconv_close(cd);
	if (r == (size_t)-1) {
		return slt_fail(err, SLT_EINVALID_SOAP,
				"the SOAP message is not in the character set %s", charset);
	}
	out->n += room - left;
	return true;
}

/* The declaration of the document rules, then the charset of Content-Type, then UTF-8. Leaves
 * *doc as it is when the XML parser can read it so, else points it into `converted`. */
static bool to_parsable(struct slt_str *doc, const char *content_type, struct slt_buf *converted,
			struct slt_err *err)
{
	struct slt_str declared = declared_encoding(doc->p, doc->n);
	struct slt_str param;
	const char *charset = "UTF-8";

	if (content_type && slt_mime_param(slt_str(content_type), "charset", &param)) {
		charset = known_charset(param);
	}
	if (!charset) {
		return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
				"the character set %.*s of the SOAP message is not supported",
				(int)(param.n < 40 ? param.n : 40), param.p);
	}
	if (declared.n) {
		return known_charset(declared) ||
		       slt_fail(err, SLT_EINVALID_SOAP,
				"the encoding %.*s of the SOAP message is not supported",
				(int)(declared.n < 40 ? declared.n : 40), declared.p);
	}
	if (is_utf8(charset) || has_bom(doc->p, doc->n)) {
		return true;
	}
	if (!to_utf8(doc->p, doc->n, charset, converted, err)) {
		return false;
	}
	*doc = slt_buf_str(converted);
	return true;
}

/* --- faults --- */

/* X-Road, like most, takes the parts of a Fault by local name. */
static xmlNode *local_child(const xmlNode *parent, const char *name)
{
	xmlNode *c = slt_xml_first(parent);

	while (c && strcmp((const char *)c->name, name) != 0) {
		c = slt_xml_next(c);
	}
	return c;
}

static bool read_detail(struct slt_soap *s, xmlNode *detail, struct slt_err *err)
{
	xmlNode *text = local_child(detail, "faultDetail");

	if (!detail) {
		return true;
	}
	if (text || !slt_xml_first(detail)) {
		s->fault.detail = slt_xml_text(s->arena, text ? text : detail);
		return true;
	}
	SLT_AUTO_BUF(b, SIZE_MAX / 4);
	for (xmlNode *c = slt_xml_first(detail); c; c = slt_xml_next(c)) {
		/* the copy declares the namespaces it uses itself */
		xmlNode *copy = xmlDocCopyNode(c, s->doc, 1);
		slt_assert(copy);
		bool good = slt_xml_dump(s->doc, copy, false, &b, err);
		xmlFreeNode(copy);
		if (!good) {
			return false;
		}
	}
	s->fault.detail = slt_arena_strndup(s->arena, b.p, b.n);
	return true;
}

/* As XML Schema reads a QName: blanks around it do not count, those within are one. What comes of
 * it can stand in a line of a log, or in a header. */
static char *collapse(char *text)
{
	char *to = text;

	for (const char *p = text; p && *p;) {
		size_t blanks = strspn(p, " \t\r\n");
		p += blanks;
		if (blanks && to > text && *p) {
			*to++ = ' ';
		}
		for (size_t n = strcspn(p, " \t\r\n"); n > 0; n--) {
			*to++ = *p++;
		}
	}
	if (text) {
		*to = '\0';
	}
	return text;
}

static bool read_fault(struct slt_soap *s, xmlNode *fault, struct slt_err *err)
{
	s->is_fault = true;
	s->body_child = fault;
	s->fault.code = collapse(slt_xml_text(s->arena, local_child(fault, "faultcode")));
	s->fault.string = slt_xml_text(s->arena, local_child(fault, "faultstring"));
	s->fault.actor = slt_xml_text(s->arena, local_child(fault, "faultactor"));
	if (!s->fault.code) {
		return slt_fail(err, SLT_EINVALID_SOAP, "the SOAP Fault has no faultcode");
	}
	return read_detail(s, local_child(fault, "detail"), err);
}

/* --- header --- */

enum field_id { F_CLIENT, F_SERVICE, F_SERVER, F_USER, F_ID, F_ISSUE, F_VERSION, F_HASH, F_PARTY };

static const struct {
	const char *ns, *name;
} fields[] = {
	[F_CLIENT] = {SLT_NS_XROAD, "client"},
	[F_SERVICE] = {SLT_NS_XROAD, "service"},
	[F_SERVER] = {SLT_NS_XROAD, "securityServer"},
	[F_USER] = {SLT_NS_XROAD, "userId"},
	[F_ID] = {SLT_NS_XROAD, "id"},
	[F_ISSUE] = {SLT_NS_XROAD, "issue"},
	[F_VERSION] = {SLT_NS_XROAD, "protocolVersion"},
	[F_HASH] = {SLT_NS_XROAD, "requestHash"},
	[F_PARTY] = {SLT_NS_REPR, "representedParty"},
};

static bool read_text(struct slt_arena *a, const xmlNode *n, const char **ret, struct slt_err *err)
{
	const char *name = (const char *)n->name;

	if (slt_xml_first(n)) {
		return slt_fail(err, SLT_EINVALID_XML, "the header %s has child elements", name);
	}
	const char *v = slt_xml_text(a, n);
	if (strlen(v) > SLT_SOAP_FIELD_MAX) {
		return slt_fail(err, SLT_ELIMIT, "the header %s is longer than %d bytes", name,
				SLT_SOAP_FIELD_MAX);
	}
	*ret = v;
	return true;
}

static bool read_party(struct slt_arena *a, const xmlNode *party, struct slt_soap_header *h,
		       struct slt_err *err)
{
	for (const xmlNode *c = slt_xml_first(party); c; c = slt_xml_next(c)) {
		bool is_code = slt_xml_is(c, SLT_NS_REPR, "partyCode");
		const char **to = is_code ? &h->party_code : &h->party_class;
		if (!is_code && !slt_xml_is(c, SLT_NS_REPR, "partyClass")) {
			return slt_fail(err, SLT_EINVALID_XML,
					"%.60s does not belong into representedParty",
					(const char *)c->name);
		}
		if (*to) {
			return slt_fail(err, SLT_EDUPLICATE_HEADER_FIELD,
					"%s stands twice in representedParty",
					(const char *)c->name);
		}
		if (!read_text(a, c, to, err)) {
			return false;
		}
	}
	if (!h->party_code) {
		return slt_fail(err, SLT_EINVALID_XML, "representedParty lacks partyCode");
	}
	return true;
}

static bool read_client(struct slt_arena *a, const xmlNode *n, struct slt_id *ret,
			struct slt_err *err)
{
	if (!slt_id_from_xml(n, SLT_ID_NONE, a, ret, err)) {
		return false;
	}
	if (ret->type != SLT_ID_MEMBER && ret->type != SLT_ID_SUBSYSTEM) {
		return slt_fail(err, SLT_EINVALID_XML, "the client is not a MEMBER or SUBSYSTEM");
	}
	return true;
}

static bool read_version(struct slt_arena *a, const xmlNode *n, const char **ret,
			 struct slt_err *err)
{
	if (!read_text(a, n, ret, err)) {
		return false;
	}
	if (strncmp(*ret, "4.", 2) != 0) {
		return slt_fail(err, SLT_EINVALID_PROTOCOL_VERSION,
				"protocolVersion is \"%.20s\" and not 4.x", *ret);
	}
	return true;
}

static bool read_field(enum field_id id, const xmlNode *n, struct slt_arena *a,
		       struct slt_soap_header *h, struct slt_err *err)
{
	switch (id) {
	case F_CLIENT:
		return read_client(a, n, &h->client, err);
	case F_SERVICE:
		return slt_id_from_xml(n, SLT_ID_SERVICE, a, &h->service, err);
	case F_SERVER:
		return slt_id_from_xml(n, SLT_ID_SERVER, a, &h->server, err);
	case F_USER:
		return read_text(a, n, &h->user_id, err);
	case F_ID:
		return read_text(a, n, &h->id, err);
	case F_ISSUE:
		return read_text(a, n, &h->issue, err);
	case F_VERSION:
		return read_version(a, n, &h->protocol_version, err);
	case F_HASH:
		h->request_hash_alg = slt_xml_attr(a, n, NULL, "algorithmId");
		return read_text(a, n, &h->request_hash, err);
	case F_PARTY:
		return read_party(a, n, h, err);
	}
	return false;
}

static bool read_header(const xmlNode *header, struct slt_arena *a, struct slt_soap_header *h,
			struct slt_err *err)
{
	static const enum field_id needed[] = {F_VERSION, F_CLIENT, F_ID, F_SERVICE};
	unsigned seen = 0;

	for (const xmlNode *n = slt_xml_first(header); n; n = slt_xml_next(n)) {
		unsigned i = 0;
		while (i < SLT_COUNT(fields) && !slt_xml_is(n, fields[i].ns, fields[i].name)) {
			i++;
		}
		if (i == SLT_COUNT(fields)) {
			continue; /* other headers are the services' own */
		}
		if (seen & (1u << i)) {
			return slt_fail(err, SLT_EDUPLICATE_HEADER_FIELD,
					"the header %s stands twice", fields[i].name);
		}
		seen |= 1u << i;
		if (!read_field((enum field_id)i, n, a, h, err)) {
			return false;
		}
	}
	for (size_t i = 0; i < SLT_COUNT(needed); i++) {
		if (!(seen & (1u << needed[i]))) {
			return slt_fail(err, SLT_EMISSING_HEADER_FIELD, "the header %s is missing",
					fields[needed[i]].name);
		}
	}
	return true;
}

/* --- envelope --- */

static bool find_parts(const xmlNode *envelope, xmlNode **header, xmlNode **body,
		       struct slt_err *err)
{
	if (!slt_xml_is(envelope, SLT_NS_SOAP, "Envelope")) {
		return slt_fail(err, SLT_EINVALID_SOAP,
				"the root element is not a SOAP 1.1 Envelope");
	}
	for (xmlNode *c = slt_xml_first(envelope); c; c = slt_xml_next(c)) {
		if (slt_xml_is(c, SLT_NS_SOAP, "Header") && !*header && !*body) {
			*header = c;
		} else if (slt_xml_is(c, SLT_NS_SOAP, "Body") && !*body) {
			*body = c;
		} else {
			return slt_fail(err, SLT_EINVALID_SOAP,
					"%.60s does not belong into the Envelope, or not there",
					(const char *)c->name);
		}
	}
	return true;
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), k = strlen(tail);

	return n >= k && strcmp(s + n - k, tail) == 0;
}

static bool read_body(struct slt_soap *s, xmlNode *body, struct slt_err *err)
{
	xmlNode *child = slt_xml_first(body);

	if (!child || slt_xml_next(child)) {
		return slt_fail(err, SLT_EINVALID_BODY,
				"the SOAP Body must have exactly one child element");
	}
	const char *name = (const char *)child->name;
	const char *service = s->header.service.service;
	if (strncmp(name, service, strlen(service)) != 0) {
		return slt_fail(
			err, SLT_EINCONSISTENT_HEADERS,
			"the element %.80s in the Body does not begin with the service code "
			"%.80s",
			name, service);
	}
	s->body_child = child;
	s->is_request = !ends_with(name, "Response");
	return true;
}

static bool read_envelope(struct slt_soap *s, struct slt_err *err)
{
	xmlNode *header = NULL, *body = NULL;

	if (!find_parts(xmlDocGetRootElement(s->doc), &header, &body, err)) {
		return false;
	}
	xmlNode *first = slt_xml_first(body);
	if (first && slt_xml_is(first, SLT_NS_SOAP, "Fault")) {
		return read_fault(s, first, err);
	}
	if (!header) {
		return slt_fail(err, SLT_EMISSING_HEADER, "the SOAP Header is missing");
	}
	if (!read_header(header, s->arena, &s->header, err)) {
		return false;
	}
	if (!body) {
		return slt_fail(err, SLT_EMISSING_BODY, "the SOAP Body is missing");
	}
	return read_body(s, body, err);
}

bool slt_soap_check_type(const char *content_type, struct slt_err *err)
{
	if (!slt_mime_is(content_type, "text/xml") &&
	    !slt_mime_is(content_type, "application/xop+xml")) {
		return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
				"the content type \"%.80s\" is not text/xml", content_type);
	}
	return true;
}

bool slt_soap_parse(const void *p, size_t n, const char *content_type, struct slt_soap **ret,
		    struct slt_err *err)
{
	SLT_AUTO_BUF(converted, 4 * SLT_XML_PEER.bytes + 16);
	SLT_AUTO(slt_soap_free) struct slt_soap *s = slt_calloc(1, sizeof(*s));
	struct slt_str doc = {n ? p : "", n};
	struct slt_err e = SLT_ERR_INIT;

	s->arena = slt_arena_new();
	if (content_type && !slt_soap_check_type(content_type, err)) {
		return false;
	}
	if (n > SLT_XML_PEER.bytes) {
		return slt_fail(err, SLT_ELIMIT, "the SOAP message is longer than %zu bytes",
				SLT_XML_PEER.bytes);
	}
	if (!to_parsable(&doc, content_type, &converted, err)) {
		return false;
	}
	if (!slt_xml_parse(doc.p, doc.n, &SLT_XML_PEER, "the SOAP message", &s->doc, &e)) {
		return slt_fail(err, e.code == SLT_ELIMIT ? SLT_ELIMIT : SLT_EINVALID_SOAP, "%s",
				e.msg);
	}
	if (!read_envelope(s, err)) {
		return false;
	}
	*ret = SLT_TAKE(s);
	return true;
}

void slt_soap_free(struct slt_soap *s)
{
	if (s) {
		slt_xml_free(s->doc);
		slt_arena_free(s->arena);
		free(s);
	}
}
