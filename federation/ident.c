/* SPDX-License-Identifier: MIT */
#include "federation/ident.h"

#include <string.h>

#include "federation/utf8.h"

/* The fields of struct slt_id with their element names, in the order of X-Road's schema. */
struct part {
	const char *element;
	size_t offset;
};

/* clang-format off */
#define PART(name, field) {(name), offsetof(struct slt_id, field)}
static const struct part parts[] = {
	PART("xRoadInstance", instance),
	PART("memberClass", member_class),
	PART("memberCode", member_code),
	PART("subsystemCode", subsystem),
	PART("serviceCode", service),
	PART("serviceVersion", version),
	PART("serverCode", server),
	PART("groupCode", group),
};

enum { INSTANCE = 1, CLASS = 2, CODE = 4, SUBSYSTEM = 8, SERVICE = 16, VERSION = 32, SERVER = 64,
       GROUP = 128 };
/* clang-format on */
#define MEMBER (INSTANCE | CLASS | CODE)

/* What each type is made of: bits are indices into parts. */
static const struct {
	const char *name;
	unsigned required, optional;
} types[] = {
	[SLT_ID_NONE] = {"", 0, 0},
	[SLT_ID_MEMBER] = {"MEMBER", MEMBER, 0},
	[SLT_ID_SUBSYSTEM] = {"SUBSYSTEM", MEMBER | SUBSYSTEM, 0},
	[SLT_ID_SERVICE] = {"SERVICE", MEMBER | SERVICE, SUBSYSTEM | VERSION},
	[SLT_ID_SERVER] = {"SERVER", MEMBER | SERVER, 0},
	[SLT_ID_GLOBALGROUP] = {"GLOBALGROUP", INSTANCE | GROUP, 0},
	[SLT_ID_LOCALGROUP] = {"LOCALGROUP", GROUP, 0},
};

static const char **field(struct slt_id *id, size_t i)
{
	return (const char **)(void *)((char *)id + parts[i].offset);
}

static const char *value(const struct slt_id *id, size_t i)
{
	const char *v;

	memcpy(&v, (const char *)id + parts[i].offset, sizeof(v));
	return v;
}

static bool allowed(enum slt_id_type type, size_t i)
{
	return (types[type].required | types[type].optional) & (1u << i);
}

static bool required(enum slt_id_type type, size_t i)
{
	return types[type].required & (1u << i);
}

/* --- text --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool percent_decode(struct slt_str in, char *ret, size_t *ret_n)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] != '%') {
			ret[n++] = in.p[i];
			continue;
		}
		int hi = i + 2 < in.n ? hex_digit(in.p[i + 1]) : -1;
		int lo = i + 2 < in.n ? hex_digit(in.p[i + 2]) : -1;
		if (hi < 0 || lo < 0) {
			return false;
		}
		ret[n++] = (char)(hi * 16 + lo);
		i += 2;
	}
	*ret_n = n;
	return true;
}

/* Control characters have no place in XML or in a log line; X-Road only warns about them. */
static bool check_text(const char *p, const char *name, struct slt_err *err)
{
	uint32_t c;

	while (*p) {
		size_t n = slt_utf8_next(p, &c);
		if (n == 0 || !slt_utf8_is_xml(c)) {
			return slt_fail(err, SLT_EINVAL, "%s is not UTF-8 text", name);
		}
		if (c < 0x20 || c == 0x7f) {
			return slt_fail(err, SLT_EINVAL, "%s has a control character", name);
		}
		p += n;
	}
	return true;
}

static bool read_part(struct slt_str in, bool encoded, const char *name, struct slt_arena *a,
		      const char **ret, struct slt_err *err)
{
	size_t n = in.n;

	/* three bytes of text can stand for one of the value */
	if (in.n > (encoded ? 3 : 1) * (size_t)SLT_ID_PART_MAX) {
		return slt_fail(err, SLT_EINVAL, "%s is longer than %d bytes", name,
				SLT_ID_PART_MAX);
	}
	char *v = slt_arena_strndup(a, in.n ? in.p : "", in.n);
	if (encoded && !percent_decode(in, v, &n)) {
		return slt_fail(err, SLT_EINVAL, "%s has a %% without two hexadecimal digits",
				name);
	}
	v[n] = '\0';
	if (n == 0 || n > SLT_ID_PART_MAX) {
		return slt_fail(err, SLT_EINVAL, "%s is %s", name, n ? "too long" : "empty");
	}
	if (strlen(v) != n) {
		return slt_fail(err, SLT_EINVAL, "%s has a NUL character", name);
	}
	if (!check_text(v, name, err)) {
		return false;
	}
	*ret = v;
	return true;
}

/* Takes the text up to the next '/'; false when nothing is left. */
static bool next_segment(const char **at, struct slt_str *ret)
{
	if (!*at) {
		return false;
	}
	const char *slash = strchr(*at, '/');
	ret->p = *at;
	ret->n = slash ? (size_t)(slash - *at) : strlen(*at);
	*at = slash ? slash + 1 : NULL;
	return true;
}

bool slt_id_parse(enum slt_id_type type, const char *text, bool encoded, struct slt_arena *a,
		  struct slt_id *ret, struct slt_err *err)
{
	struct slt_id id = {.type = type};
	const char *at = text;
	struct slt_str s;

	slt_assert(type != SLT_ID_NONE);
	for (size_t i = 0; i < SLT_COUNT(parts); i++) {
		if (!allowed(type, i)) {
			continue;
		}
		if (!next_segment(&at, &s)) {
			if (!required(type, i)) {
				continue;
			}
			return slt_fail(err, SLT_EINVAL, "the %s identifier lacks %s",
					types[type].name, parts[i].element);
		}
		/* a service of the member itself: "EE/GOV/1//service" */
		bool none = type == SLT_ID_SERVICE && (1u << i) == SUBSYSTEM && s.n == 0;
		if (!none && !read_part(s, encoded, parts[i].element, a, field(&id, i), err)) {
			return slt_wrap(err, "%s identifier", types[type].name);
		}
	}
	if (at) {
		return slt_fail(err, SLT_EINVAL, "the %s identifier has too many parts",
				types[type].name);
	}
	*ret = id;
	return true;
}

bool slt_id_parse_client(const char *text, bool encoded, struct slt_arena *a, struct slt_id *ret,
			 struct slt_err *err)
{
	unsigned slashes = 0;

	for (const char *p = text; *p; p++) {
		slashes += *p == '/';
	}
	return slt_id_parse(slashes > 2 ? SLT_ID_SUBSYSTEM : SLT_ID_MEMBER, text, encoded, a, ret,
			    err);
}

/* What may stand in a path segment as it is, as X-Road's REST writes it. */
static bool is_segment_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~!$'()*,;&=@:+", c));
}

static void add_part(const char *v, bool encode, struct slt_buf *out)
{
	for (; v && *v; v++) {
		if (!encode || is_segment_char(*v)) {
			slt_buf_addc(out, *v);
		} else {
			slt_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*v);
		}
	}
}

void slt_id_format(const struct slt_id *id, bool encode, struct slt_buf *out)
{
	bool first = true;

	for (size_t i = 0; i < SLT_COUNT(parts); i++) {
		const char *v = value(id, i);
		/* the empty place of the subsystem tells it from a service version */
		bool place = id->type == SLT_ID_SERVICE && (1u << i) == SUBSYSTEM;
		if (!allowed(id->type, i) || (!v && !place)) {
			continue;
		}
		if (!first) {
			slt_buf_addc(out, '/');
		}
		first = false;
		add_part(v, encode, out);
	}
}

const char *slt_id_text(const struct slt_id *id, struct slt_arena *a)
{
	SLT_AUTO_BUF(b, 16 * SLT_ID_PART_MAX);

	slt_id_format(id, false, &b);
	struct slt_str s = slt_buf_str(&b);
	return slt_arena_strndup(a, s.p, s.n);
}

/* --- comparing, deriving --- */

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool slt_id_eq(const struct slt_id *a, const struct slt_id *b)
{
	if (a->type != b->type) {
		return false;
	}
	for (size_t i = 0; i < SLT_COUNT(parts); i++) {
		if (!same(value(a, i), value(b, i))) {
			return false;
		}
	}
	return true;
}

bool slt_id_same_member(const struct slt_id *a, const struct slt_id *b)
{
	return a->member_code && same(a->instance, b->instance) &&
	       same(a->member_class, b->member_class) && same(a->member_code, b->member_code);
}

struct slt_id slt_id_member(const struct slt_id *id)
{
	return (struct slt_id){.type = SLT_ID_MEMBER,
			       .instance = id->instance,
			       .member_class = id->member_class,
			       .member_code = id->member_code};
}

struct slt_id slt_id_client(const struct slt_id *id)
{
	struct slt_id c = slt_id_member(id);

	if (id->subsystem) {
		c.type = SLT_ID_SUBSYSTEM;
		c.subsystem = id->subsystem;
	}
	return c;
}

struct slt_id slt_id_dup(const struct slt_id *id, struct slt_arena *a)
{
	struct slt_id copy = {.type = id->type};

	for (size_t i = 0; i < SLT_COUNT(parts); i++) {
		*field(&copy, i) = slt_arena_strdup(a, value(id, i));
	}
	return copy;
}

/* --- XML --- */

static enum slt_id_type type_by_name(const char *name)
{
	for (unsigned i = SLT_ID_MEMBER; i < SLT_COUNT(types); i++) {
		if (strcmp(types[i].name, name) == 0) {
			return (enum slt_id_type)i;
		}
	}
	return SLT_ID_NONE;
}

static bool read_type(const xmlNode *node, enum slt_id_type expected, struct slt_arena *a,
		      enum slt_id_type *ret, struct slt_err *err)
{
	const char *name = (const char *)node->name;
	const char *attr = slt_xml_attr(a, node, SLT_NS_ID, "objectType");

	if (!attr) {
		return slt_fail(err, SLT_EINVALID_XML, "%s lacks the attribute id:objectType",
				name);
	}
	enum slt_id_type type = type_by_name(attr);
	if (type == SLT_ID_NONE || (expected != SLT_ID_NONE && expected != type)) {
		return slt_fail(err, SLT_EINVALID_XML, "%s has the objectType %.40s%s%s", name,
				attr, expected ? " instead of " : ", which is unknown",
				types[expected].name);
	}
	*ret = type;
	return true;
}

static bool read_child(const xmlNode *c, struct slt_arena *a, struct slt_id *id,
		       struct slt_err *err)
{
	size_t i = 0;

	while (i < SLT_COUNT(parts) &&
	       !(allowed(id->type, i) && slt_xml_is(c, SLT_NS_ID, parts[i].element))) {
		i++;
	}
	if (i == SLT_COUNT(parts)) {
		return slt_fail(err, SLT_EINVALID_XML, "%.60s does not belong into a %s identifier",
				(const char *)c->name, types[id->type].name);
	}
	if (*field(id, i)) {
		return slt_fail(err, SLT_EINVALID_XML, "%s stands twice", parts[i].element);
	}
	if (slt_xml_first(c)) {
		return slt_fail(err, SLT_EINVALID_XML, "%s has child elements", parts[i].element);
	}
	const char *v = slt_xml_text(a, c);
	size_t n = strlen(v);
	if (n == 0 || n > SLT_ID_PART_MAX) {
		return slt_fail(err, SLT_EINVALID_XML, "%s is %s", parts[i].element,
				n ? "too long" : "empty");
	}
	*field(id, i) = v;
	return true;
}

bool slt_id_from_xml(const xmlNode *node, enum slt_id_type expected_or_none, struct slt_arena *a,
		     struct slt_id *ret, struct slt_err *err)
{
	struct slt_id id = {.type = SLT_ID_NONE};

	if (!read_type(node, expected_or_none, a, &id.type, err)) {
		return false;
	}
	for (const xmlNode *c = slt_xml_first(node); c; c = slt_xml_next(c)) {
		if (!read_child(c, a, &id, err)) {
			return slt_wrap(err, "%s", (const char *)node->name);
		}
	}
	for (size_t i = 0; i < SLT_COUNT(parts); i++) {
		if (required(id.type, i) && !value(&id, i)) {
			return slt_fail(err, SLT_EINVALID_XML, "%s lacks %s",
					(const char *)node->name, parts[i].element);
		}
	}
	*ret = id;
	return true;
}

/* A namespace with a prefix (an attribute needs one) for href at node, declared if need be. */
static xmlNs *prefixed_ns(xmlNode *node, const char *href)
{
	for (const xmlNode *n = node; n && n->type == XML_ELEMENT_NODE; n = n->parent) {
		for (xmlNs *ns = n->nsDef; ns; ns = ns->next) {
			if (ns->prefix && strcmp((const char *)ns->href, href) == 0 &&
			    xmlSearchNs(node->doc, node, ns->prefix) == ns) {
				return ns;
			}
		}
	}
	xmlNs *ns = xmlNewNs(node, SLT_XML(href), SLT_XML("id"));
	if (!ns) {
		ns = xmlNewNs(node, SLT_XML(href), SLT_XML("slt-id"));
	}
	slt_assert(ns);
	return ns;
}

void slt_id_to_xml(const struct slt_id *id, xmlNode *node)
{
	xmlNs *ns = prefixed_ns(node, SLT_NS_ID);

	xmlSetNsProp(node, ns, SLT_XML("objectType"), SLT_XML(types[id->type].name));
	for (size_t i = 0; i < SLT_COUNT(parts); i++) {
		const char *v = value(id, i);
		if (allowed(id->type, i) && v) {
			xmlNewTextChild(node, ns, SLT_XML(parts[i].element), SLT_XML(v));
		}
	}
}
