/* SPDX-License-Identifier: MIT */
#include "mappings/json_doc.h"

#include <libxml/dict.h>
#include <string.h>

struct parser {
	const char *begin, *p, *end;
	const char *what;
	xmlDoc *doc;
	xmlNs *member, *item;
	struct slt_buf text;
	unsigned depth;
	unsigned long nodes;
	struct slt_err *err;
};

/* --- where a fault stands --- */

static bool fail_at(const struct parser *s, const char *at, enum slt_code code, const char *why)
{
	size_t line = 1, column = 1;

	for (const char *p = s->begin; p < at; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	return slt_fail(s->err, code, "%s: line %zu, column %zu: %s", s->what, line, column, why);
}

static bool fail(const struct parser *s, const char *why)
{
	return fail_at(s, s->p, SLT_EINVAL, why);
}

static bool limit(const struct parser *s, const char *why)
{
	return fail_at(s, s->p, SLT_ELIMIT, why);
}

static void skip(struct parser *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) {
		s->p++;
	}
}

static char peek(const struct parser *s)
{
	return s->p < s->end ? *s->p : '\0';
}

/* --- the tree --- */

static void put_text(xmlNode *fresh, const char *text)
{
	if (*text) {
		xmlAddChild(fresh, xmlNewDocText(fresh->doc, SLT_XML(text)));
	}
}

static xmlNode *new_node(struct parser *s, xmlNode *parent, const char *name)
{
	bool item = !name;
	xmlNode *n = xmlNewDocNode(s->doc, item ? s->item : s->member,
				   SLT_XML(item ? "item" : name), NULL);

	slt_assert(n);
	/* xmlAddChild() would look for a text to join with; there is none */
	xmlAddChild(parent, n);
	return n;
}

/* --- strings --- */

static bool hex4(struct parser *s, unsigned *ret)
{
	unsigned v = 0;

	if (s->end - s->p < 4) {
		return fail(s, "four hexadecimal digits are expected after \\u");
	}
	for (unsigned i = 0; i < 4; i++) {
		char c = s->p[i];
		unsigned d;
		if (c >= '0' && c <= '9') {
			d = (unsigned)(c - '0');
		} else if (c >= 'a' && c <= 'f') {
			d = (unsigned)(c - 'a') + 10;
		} else if (c >= 'A' && c <= 'F') {
			d = (unsigned)(c - 'A') + 10;
		} else {
			return fail(s, "four hexadecimal digits are expected after \\u");
		}
		v = v * 16 + d;
	}
	s->p += 4;
	*ret = v;
	return true;
}

static bool is_allowed(unsigned c)
{
	return (c >= 0x20 || c == '\t' || c == '\n' || c == '\r') && c != 0xfffe && c != 0xffff;
}

static void add_utf8(struct slt_buf *b, unsigned c)
{
	if (c < 0x80) {
		slt_buf_addc(b, (char)c);
		return;
	}
	if (c < 0x800) {
		slt_buf_addc(b, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			slt_buf_addc(b, (char)(0xe0 | c >> 12));
		} else {
			slt_buf_addc(b, (char)(0xf0 | c >> 18));
			slt_buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		slt_buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	slt_buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

static bool unicode_escape(struct parser *s)
{
	unsigned c, low;

	if (!hex4(s, &c)) {
		return false;
	}
	if (c >= 0xdc00 && c <= 0xdfff) {
		return fail(s, "a low surrogate without the high one before it");
	}
	if (c >= 0xd800 && c <= 0xdbff) {
		if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u') {
			return fail(s, "a high surrogate without the low one after it");
		}
		s->p += 2;
		if (!hex4(s, &low)) {
			return false;
		}
		if (low < 0xdc00 || low > 0xdfff) {
			return fail(s, "a high surrogate without the low one after it");
		}
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	if (!is_allowed(c)) {
		return fail(s, "this control character is not accepted");
	}
	add_utf8(&s->text, c);
	return true;
}

static bool escape(struct parser *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = peek(s);
	const char *at = c ? strchr(from, c) : NULL;

	if (c == 'u') {
		s->p++;
		return unicode_escape(s);
	}
	if (!at) {
		return fail(s, "no escape of JSON");
	}
	if (!is_allowed((unsigned char)to[at - from])) {
		return fail(s, "this control character is not accepted");
	}
	slt_buf_addc(&s->text, to[at - from]);
	s->p++;
	return true;
}

/* One character of more than one byte, as RFC 3629 has them: shortest form, no surrogates. */
static bool multibyte(struct parser *s)
{
	const unsigned char *u = (const unsigned char *)s->p;
	size_t left = (size_t)(s->end - s->p), n;
	unsigned c;

	if (u[0] >= 0xc2 && u[0] <= 0xdf) {
		n = 2;
		c = u[0] & 0x1fu;
	} else if ((u[0] & 0xf0) == 0xe0) {
		n = 3;
		c = u[0] & 0x0fu;
	} else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
		n = 4;
		c = u[0] & 0x07u;
	} else {
		return fail(s, "the text is not UTF-8");
	}
	for (size_t i = 1; i < n; i++) {
		if (i >= left || (u[i] & 0xc0) != 0x80) {
			return fail(s, "the text is not UTF-8");
		}
		c = c << 6 | (u[i] & 0x3fu);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff) || !is_allowed(c)) {
		return fail(s, "the text is not UTF-8, or a character that is not accepted");
	}
	slt_buf_add(&s->text, s->p, n);
	s->p += n;
	return true;
}

/* Behind the opening quote; the text is in s->text. */
static bool parse_string(struct parser *s, size_t max)
{
	slt_buf_reset(&s->text);
	for (;;) {
		unsigned char c = (unsigned char)peek(s);
		bool good = true;
		if (s->p == s->end) {
			return fail(s, "the string does not end");
		}
		if (s->text.n > max) {
			return limit(s, "a string or name is too long");
		}
		if (c == '"') {
			s->p++;
			return true;
		}
		if (c < 0x20) {
			return fail(s, "a control character in a string must be escaped");
		}
		if (c == '\\') {
			s->p++;
			good = escape(s);
		} else if (c >= 0x80) {
			good = multibyte(s);
		} else {
			slt_buf_addc(&s->text, (char)c);
			s->p++;
		}
		if (!good) {
			return false;
		}
	}
}

static const char *parsed(struct parser *s)
{
	return slt_buf_str(&s->text).p;
}

/* --- numbers and words --- */

static size_t digits(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] >= '0' && p[n] <= '9') {
		n++;
	}
	return n;
}

/* The length of the number that begins here; 0 when none does. */
static size_t number_length(const char *begin, const char *end)
{
	const char *p = begin;
	size_t n;

	p += p < end && *p == '-';
	n = digits(p, end);
	if (n == 0 || (n > 1 && *p == '0')) {
		return 0;
	}
	p += n;
	if (p < end && *p == '.') {
		n = digits(p + 1, end);
		if (n == 0) {
			return 0;
		}
		p += 1 + n;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		n = digits(p, end);
		if (n == 0) {
			return 0;
		}
		p += n;
	}
	return (size_t)(p - begin);
}

bool slt_json_is_number(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n <= SLT_JSON_NUMBER && number_length(text, text + n) == n;
}

static bool parse_number(struct parser *s, xmlNode *n)
{
	size_t len = number_length(s->p, s->end);
	char text[SLT_JSON_NUMBER + 1];

	if (len == 0) {
		return fail(s, "no value of JSON (a number has digits on both sides of its point "
			       "and no zero in front)");
	}
	if (len > SLT_JSON_NUMBER) {
		return limit(s, "a number is too long");
	}
	memcpy(text, s->p, len);
	text[len] = '\0';
	put_text(n, text);
	slt_json_set_type(n, SLT_JSON_NUMBER_VALUE);
	s->p += len;
	return true;
}

static bool take_word(struct parser *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) {
		return false;
	}
	s->p += n;
	return true;
}

/* --- objects and arrays --- */

static bool parse_value(struct parser *s, xmlNode *n);

static bool parse_member(struct parser *s, xmlNode *object)
{
	skip(s);
	if (peek(s) != '"') {
		return fail(s, "a member's name in quotes is expected");
	}
	s->p++;
	if (!parse_string(s, SLT_JSON_NAME)) {
		return false;
	}
	xmlNode *n = new_node(s, object, parsed(s));
	skip(s);
	if (peek(s) != ':') {
		return fail(s, "a colon is expected after a member's name");
	}
	s->p++;
	return parse_value(s, n);
}

static bool parse_members(struct parser *s, xmlNode *n, char close)
{
	const char *begin = s->p++;

	if (++s->depth > SLT_JSON_DEPTH) {
		return limit(s, "objects and arrays are nested too deeply");
	}
	skip(s);
	while (peek(s) != close) {
		bool good =
			close == '}' ? parse_member(s, n) : parse_value(s, new_node(s, n, NULL));
		if (!good) {
			return false;
		}
		skip(s);
		if (peek(s) == close) {
			break;
		}
		if (peek(s) != ',') {
			return fail(s, s->p == s->end ? "the text ends too early"
						      : "a comma or the end is expected");
		}
		s->p++;
		skip(s);
		if (peek(s) == close) {
			return fail(s, "nothing stands between the comma and the end");
		}
	}
	s->p++;
	s->depth--;
	if (close == '}' && slt_json_repeated(n)) {
		/* the name itself is the sender's data */
		return fail_at(s, begin, SLT_EINVAL, "a member stands twice in this object");
	}
	return true;
}

static bool parse_value(struct parser *s, xmlNode *n)
{
	skip(s);
	if (++s->nodes > SLT_JSON_NODES) {
		return limit(s, "too many values");
	}
	switch (peek(s)) {
	case '{':
		slt_json_set_type(n, SLT_JSON_OBJECT);
		return parse_members(s, n, '}');
	case '[':
		slt_json_set_type(n, SLT_JSON_ARRAY);
		return parse_members(s, n, ']');
	case '"':
		s->p++;
		slt_json_set_type(n, SLT_JSON_STRING_VALUE);
		if (!parse_string(s, SLT_JSON_STRING)) {
			return false;
		}
		put_text(n, parsed(s));
		return true;
	default:
		break;
	}
	if (s->p == s->end) {
		return fail(s, "the text ends too early");
	}
	if (take_word(s, "true") || take_word(s, "false")) {
		put_text(n, s->p[-2] == 'u' ? "true" : "false");
		slt_json_set_type(n, SLT_JSON_BOOLEAN);
		return true;
	}
	if (take_word(s, "null")) {
		slt_json_set_type(n, SLT_JSON_NULL);
		return true;
	}
	return parse_number(s, n);
}

static xmlDoc *new_doc(struct parser *s)
{
	xmlDoc *doc = xmlNewDoc(SLT_XML("1.0"));

	slt_assert(doc);
	/* names are kept once */
	doc->dict = xmlDictCreate();
	slt_assert(doc->dict);
	xmlNode *root = xmlNewDocNode(doc, NULL, SLT_XML("$"), NULL);

	slt_assert(root);
	xmlDocSetRootElement(doc, root);
	s->member = xmlNewNs(root, SLT_XML(SLT_NS_JSON), SLT_XML("j"));
	s->item = xmlNewNs(root, SLT_XML(SLT_NS_JSON_ITEM), SLT_XML("i"));
	slt_assert(s->member && s->item);
	xmlSetNs(root, s->member);
	s->doc = doc;
	return doc;
}

bool slt_json_parse(struct slt_str text, const char *what, xmlDoc **ret_doc, struct slt_err *err)
{
	struct parser s = {.begin = text.p,
			   .p = text.p,
			   .end = text.p + text.n,
			   .what = what,
			   .text = SLT_BUF_INIT(SLT_JSON_STRING + 16),
			   .err = err};

	if (text.n > SLT_JSON_BYTES) {
		return slt_fail(err, SLT_ELIMIT, "%s has more than %u bytes", what, SLT_JSON_BYTES);
	}
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) {
		return slt_fail(err, SLT_EINVAL, "%s begins with a byte order mark: leave it out",
				what);
	}
	SLT_AUTO(slt_xml_free) xmlDoc *doc = new_doc(&s);
	bool good = parse_value(&s, xmlDocGetRootElement(doc));
	skip(&s);
	if (good && s.p != s.end) {
		good = fail(&s, "something stands behind the value");
	}
	slt_buf_fini(&s.text);
	if (good) {
		*ret_doc = SLT_TAKE(doc);
	}
	return good;
}
