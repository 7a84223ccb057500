/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A flow: the kinds of documents it exchanges, its services in each country, and the rules.
 * (mappings/README.md describes flows/NAME/common.conf and CC.conf.)
 */

#include "mappings/call.h"
#include "mappings/rule.h"
#include "mappings/schema.h"
#include "mappings/shape.h"

struct slt_document_kind {
	const char *id, *date_text, *id_root;
	struct slt_conf_strings match_words, content_types;
	bool cda, fhir, pass;
	bool json;		 /* its match is JSONPath */
	struct slt_path **match; /* of match_words.n */
	struct slt_path *date;
};

struct slt_field {
	const char *id, *where_text, *type;
	struct slt_conf_strings documents;
	struct slt_path *where;
	unsigned line;
};

enum slt_message_format { SLT_MESSAGE_XML, SLT_MESSAGE_JSON };

struct slt_flow_message { /* the pivot's names of a service's body elements */
	const char *service, *request_text, *response_text;
	int format;		 /* enum slt_message_format */
	struct slt_name name[2]; /* request, response; empty for JSON */
	const char *kind[3];	 /* "list.request", "list.response", "list.call" */
	/* the kind of the one document that may come with it, of a JSON message: that it is;
	 * SLT_NO_DOCUMENT: none at all; NULL: not looked at */
	const char *document[2];
	unsigned line;
};
#define SLT_NO_DOCUMENT "none"
#define SLT_KIND_CALL	2 /* what path and query of a REST request say */

/* Who or what a message is about: said in its body (or in the request that it answers), and said
 * again in its documents. */
struct slt_subject {
	const char *id, *field, *body_text, *document_text, *error_text;
	struct slt_conf_strings documents;
	bool any; /* one of those in the document is enough */
	struct slt_path *body, *document;
	enum slt_code error;
	unsigned line;
};

enum slt_guard_what {
	SLT_GUARD_PERSONAL_CODE,
	SLT_GUARD_SAME_CODE,
	SLT_GUARD_SAME_VALUE,
	SLT_GUARD_DIVISIBLE,
	SLT_GUARD_EXPRESSION,
	SLT_GUARD_MENTIONS,
};

struct slt_guard {
	const char *id, *field, *error_text, *when_text, *in_text, *table, *check_text;
	const char *code_text, *birth_text, *sex_text, *left_text, *right_text, *unless_text;
	const char *total_text;
	struct slt_conf_strings documents, parts_words;
	int what, severity;
	struct slt_cond *when, *check;
	struct slt_path *in, *code, *birth, *sex, *left, *right, *unless, *total;
	struct slt_path **parts;
	enum slt_code error;
	unsigned line;
};

enum slt_show { SLT_SHOW_TEXT, SLT_SHOW_NAME, SLT_SHOW_QUANTITY };

struct slt_narrative_row {
	const char *label, *from_text;
	int show;
	bool original;
	struct slt_path *from;
};

struct slt_narrative {
	const char *document, *section_text;
	struct slt_path *section;
	struct slt_narrative_row *row;
	size_t n_rows;
};

struct slt_service {
	const char *id, *name, *version, *request_text, *response_text;
	struct slt_name element[2]; /* request, response */
	struct slt_conf_strings call_words;
	struct slt_call *call; /* the same one of each country means the same */
	size_t n_calls;
};

struct slt_attribute_pair { /* "text()" is local NULL */
	const char *national, *pivot;
};

struct slt_name_pair {
	const char *national_text, *pivot_text;
	struct slt_conf_strings attribute_words;
	struct slt_name national, pivot;
	struct slt_attribute_pair *attribute;
	size_t n_attributes;
};

struct slt_fault_pair {
	const char *code, *pivot, *text;
};

/* What documents must fit, before the rules and after them. */
struct slt_schemas {
	struct slt_conf_strings documents;
	const char *schema_text, *schematron_text; /* files beside the rules */
	struct slt_schema *schema, *schematron;	   /* malloc'ed */
	unsigned line;
};

struct slt_flow_country {
	const char *country;
	const char *path;	      /* of its file */
	struct slt_prefixes prefixes; /* common ones, then its own */
	size_t n_common;	      /* how many are the common ones */
	struct slt_service *service;
	struct slt_name_pair *name;
	struct slt_fault_pair *fault;
	struct slt_shape *shape;
	struct slt_schemas *schemas;
	size_t n_services, n_names, n_faults, n_shapes, n_schemas;
	struct slt_rules to_pivot, from_pivot;
};

struct slt_flow {
	const char *id, *title, *version;
	const char *path; /* of common.conf */
	struct slt_prefixes prefixes;
	struct slt_document_kind *kind;
	struct slt_field *field;
	struct slt_flow_message *message;
	struct slt_guard *guard;
	struct slt_subject *subject;
	struct slt_narrative *narrative;
	struct slt_schemas *schemas; /* that documents must fit in every country */
	size_t n_schemas;
	size_t n_kinds, n_fields, n_messages, n_guards, n_subjects, n_narratives;
	struct slt_rules rules;
	struct slt_flow_country *country;
	size_t n_countries;
	const char *digest; /* SHA-256 over its files, hex */
};

/* Reads dir/common.conf and dir/CC.conf for each of the countries that has one. Problems go to the
 * lint; false when there is nothing to go on with. All memory is the arena's. */
SLT_CHECK bool slt_flow_load(const char *dir, const char *id, const char *const *countries,
			     size_t n_countries, struct slt_arena *a, struct slt_lint *lint,
			     struct slt_flow **ret);
/* Frees what is not in the arena. */
void slt_flow_fini(struct slt_flow *f);
/* Tables and fields that rules name must exist. */
void slt_flow_check(const struct slt_flow *f, const struct slt_country *pivot,
		    struct slt_lint *lint);

const struct slt_flow_country *slt_flow_country(const struct slt_flow *f, const char *country);
const struct slt_service *slt_flow_service(const struct slt_flow_country *c, const char *id);
const struct slt_flow_message *slt_flow_message(const struct slt_flow *f, const char *service);
/* Whether the body of the request, or of the response, is itself a document of the flow. */
bool slt_flow_whole(const struct slt_flow_message *m, bool response);
/* Does one of the paths, each of one step, fit the element? */
bool slt_root_matches(struct slt_path *const *match, size_t n, const xmlNode *root);
/* The kind whose match fits the element, NULL when none does. */
const struct slt_document_kind *slt_flow_kind(const struct slt_flow *f, const xmlNode *root);
const struct slt_document_kind *slt_flow_kind_named(const struct slt_flow *f, const char *id);
/* The kind that lets an attachment of this content type pass, NULL when none does. */
const struct slt_document_kind *slt_flow_passes(const struct slt_flow *f, const char *content_type);
