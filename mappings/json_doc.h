/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON (RFC 8259) as a tree that the engine walks like any other.
 *
 * The root is an element "$". A member of an object is an element named as the member, in the
 * namespace SLT_NS_JSON; a member of an array is an element "item" in SLT_NS_JSON_ITEM, so that no
 * member can be taken for one. The attribute "type" says what stands there: object, array, string,
 * number, boolean or null. Text is the value as it was written ("1.0" stays "1.0": numbers are
 * never made binary), a string's without its escapes. The tree is never written as XML: names may
 * be any text.
 *
 * Refused: what RFC 8259 does not allow, a byte order mark, invalid UTF-8, lone surrogates, members
 * that stand twice in an object, characters that XML cannot hold (U+0000 to U+001F but tab, line
 * feed and carriage return, U+FFFE, U+FFFF), and what is beyond the limits.
 */

#include "base/xml.h"

#define SLT_NS_JSON	 "urn:silta:json:1"
#define SLT_NS_JSON_ITEM "urn:silta:json:1:item"

#define SLT_JSON_BYTES	 (20u << 20)
#define SLT_JSON_DEPTH	 64	    /* nested objects and arrays */
#define SLT_JSON_NODES	 200000	    /* values; a value costs half a kilobyte */
#define SLT_JSON_STRING	 (1u << 20) /* bytes of a string */
#define SLT_JSON_NAME	 1024	    /* bytes of a member's name */
#define SLT_JSON_NUMBER	 256	    /* characters of a number */

enum slt_json_type {
	SLT_JSON_OBJECT,
	SLT_JSON_ARRAY,
	SLT_JSON_STRING_VALUE,
	SLT_JSON_NUMBER_VALUE,
	SLT_JSON_BOOLEAN,
	SLT_JSON_NULL
};

/* Whether the bytes look like JSON rather than XML: the first one that is not blank. */
bool slt_json_looks(struct slt_str s);
/* SLT_EINVAL with line and column; SLT_ELIMIT over a cap. *ret_doc is freed with slt_xml_free(). */
SLT_CHECK bool slt_json_parse(struct slt_str s, const char *what, xmlDoc **ret_doc,
			      struct slt_err *err);
/* Whether the document is such a tree. */
bool slt_json_is(const xmlDoc *doc);
/* Writes it: members in their order, no white space, characters as they are. The same tree gives
 * the same bytes. SLT_EINVAL when a rule left something that is no JSON (a number "1,5", two
 * members of one name). */
SLT_CHECK bool slt_json_dump(const xmlDoc *doc, struct slt_buf *out, struct slt_err *err);

enum slt_json_type slt_json_type(const xmlNode *node);
bool slt_json_is_item(const xmlNode *node); /* of an array */
/* A member of an object; NULL when absent. */
xmlNode *slt_json_member(const xmlNode *object, const char *name);
/* The text of a member that is a string, number or boolean; NULL when absent or another type. In
 * the arena. */
const char *slt_json_text(struct slt_arena *a, const xmlNode *object, const char *name);
/* Gives a value a text: numbers and booleans stay such where the text is one, all else becomes a
 * string. */
void slt_json_set_text(xmlNode *node, const char *text);
/* The same for a member, which is made where it is missing; NULL removes it. */
void slt_json_set(xmlNode *object, const char *name, const char *text);
/* A new member or array item, last or (before not NULL) in front of another. */
xmlNode *slt_json_add(xmlNode *parent, const char *name, enum slt_json_type type);
xmlNode *slt_json_item(xmlNode *array, xmlNode *before, enum slt_json_type type);
void slt_json_set_type(xmlNode *node, enum slt_json_type type);
/* A name that two members of the object have; NULL when there is none. */
const char *slt_json_repeated(const xmlNode *object);
bool slt_json_is_number(const char *text); /* RFC 8259, section 6 */
