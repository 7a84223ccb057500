/* SPDX-License-Identifier: MIT */
#include "mappings/flow_read.h"

#include <string.h>

#include "base/file.h"

/* clang-format off */
#define S(type, field) offsetof(struct type, field)
static const struct slt_conf_option prefix_options[] = {
	{.name = "prefix", .type = SLT_CONF_STRING, .offset = S(slt_prefix, prefix), .required = true, .doc = "as paths write it"},
	{.name = "uri", .type = SLT_CONF_STRING, .offset = S(slt_prefix, uri), .required = true, .doc = "namespace"},
	{.name = "parts", .type = SLT_CONF_STRING, .offset = S(slt_prefix, parts), .doc = "prefix in which translation and originalText stand"},
};
static const struct slt_conf_option message_options[] = {
	{.name = "service", .type = SLT_CONF_STRING, .offset = S(slt_flow_message, service), .required = true, .doc = "the flow's word for a service"},
	{.name = "format", .type = SLT_CONF_ENUM, .offset = S(slt_flow_message, format), .values = "xml|json", .fallback = "xml", .doc = "what its bodies are"},
	{.name = "request", .type = SLT_CONF_STRING, .offset = S(slt_flow_message, request_text), .doc = "body element of the request"},
	{.name = "response", .type = SLT_CONF_STRING, .offset = S(slt_flow_message, response_text), .doc = "body element of the answer"},
	{.name = "request_document", .type = SLT_CONF_STRING, .offset = S(slt_flow_message, document[0]), .doc = "kind of the one document in the request"},
	{.name = "response_document", .type = SLT_CONF_STRING, .offset = S(slt_flow_message, document[1]), .doc = "kind of the one document in the answer"},
};
static const struct slt_conf_option document_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_document_kind, id), .required = true, .doc = "name of the kind"},
	{.name = "match", .type = SLT_CONF_STRINGS, .offset = S(slt_document_kind, match_words), .doc = "root elements"},
	{.name = "date", .type = SLT_CONF_STRING, .offset = S(slt_document_kind, date_text), .doc = "date of the document"},
	{.name = "cda", .type = SLT_CONF_BOOL, .offset = S(slt_document_kind, cda), .doc = "marked as translated in CDA's way"},
	{.name = "fhir", .type = SLT_CONF_BOOL, .offset = S(slt_document_kind, fhir), .doc = "marked as translated in FHIR's way"},
	{.name = "id_root", .type = SLT_CONF_STRING, .offset = S(slt_document_kind, id_root), .doc = "root of new document ids"},
	{.name = "content_types", .type = SLT_CONF_STRINGS, .offset = S(slt_document_kind, content_types), .doc = "attachments of this kind"},
	{.name = "pass", .type = SLT_CONF_BOOL, .offset = S(slt_document_kind, pass), .doc = "left as it is"},
};
static const struct slt_conf_option field_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_field, id), .required = true, .doc = "name in conditions"},
	{.name = "documents", .type = SLT_CONF_STRINGS, .offset = S(slt_field, documents), .doc = "kinds of documents"},
	{.name = "where", .type = SLT_CONF_STRING, .offset = S(slt_field, where_text), .required = true, .doc = "path"},
	{.name = "type", .type = SLT_CONF_STRING, .offset = S(slt_field, type), .fallback = "text", .doc = "text, date or decimal"},
};
static const struct slt_conf_option guard_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_guard, id), .required = true, .doc = "name"},
	{.name = "documents", .type = SLT_CONF_STRINGS, .offset = S(slt_guard, documents), .doc = "kinds of documents"},
	{.name = "what", .type = SLT_CONF_ENUM, .offset = S(slt_guard, what), .required = true, .values = "personal_code|same_code|same_value|divisible|expression|mentions", .doc = "what must hold"},
	{.name = "field", .type = SLT_CONF_STRING, .offset = S(slt_guard, field), .doc = "what people call it"},
	{.name = "error", .type = SLT_CONF_STRING, .offset = S(slt_guard, error_text), .doc = "fault code"},
	{.name = "severity", .type = SLT_CONF_ENUM, .offset = S(slt_guard, severity), .values = "error|warning", .fallback = "error", .doc = "whether it stops the message"},
	{.name = "when", .type = SLT_CONF_STRING, .offset = S(slt_guard, when_text), .doc = "condition"},
	{.name = "in", .type = SLT_CONF_STRING, .offset = S(slt_guard, in_text), .doc = "elements it is checked in"},
	{.name = "code", .type = SLT_CONF_STRING, .offset = S(slt_guard, code_text), .doc = "element of the personal code"},
	{.name = "birth", .type = SLT_CONF_STRING, .offset = S(slt_guard, birth_text), .doc = "date of birth"},
	{.name = "sex", .type = SLT_CONF_STRING, .offset = S(slt_guard, sex_text), .doc = "element of the sex"},
	{.name = "left", .type = SLT_CONF_STRING, .offset = S(slt_guard, left_text), .doc = "one side"},
	{.name = "right", .type = SLT_CONF_STRING, .offset = S(slt_guard, right_text), .doc = "other side"},
	{.name = "unless", .type = SLT_CONF_STRING, .offset = S(slt_guard, unless_text), .doc = "not checked where this is"},
	{.name = "table", .type = SLT_CONF_STRING, .offset = S(slt_guard, table), .doc = "list of the pivot"},
	{.name = "total", .type = SLT_CONF_STRING, .offset = S(slt_guard, total_text), .doc = "what is divided"},
	{.name = "parts", .type = SLT_CONF_STRINGS, .offset = S(slt_guard, parts_words), .doc = "factors of what divides it"},
	{.name = "check", .type = SLT_CONF_STRING, .offset = S(slt_guard, check_text), .doc = "condition that must hold"},
};
static const struct slt_conf_option subject_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_subject, id), .required = true, .doc = "name"},
	{.name = "field", .type = SLT_CONF_STRING, .offset = S(slt_subject, field), .doc = "what people call it"},
	{.name = "documents", .type = SLT_CONF_STRINGS, .offset = S(slt_subject, documents), .doc = "kinds of documents"},
	{.name = "body", .type = SLT_CONF_STRING, .offset = S(slt_subject, body_text), .required = true, .doc = "identifier in a body"},
	{.name = "document", .type = SLT_CONF_STRING, .offset = S(slt_subject, document_text), .doc = "identifier in a document"},
	{.name = "any", .type = SLT_CONF_BOOL, .offset = S(slt_subject, any), .doc = "one of several in the document is enough"},
	{.name = "error", .type = SLT_CONF_STRING, .offset = S(slt_subject, error_text), .fallback = "FED-ID-003", .doc = "fault code"},
};
static const struct slt_conf_option narrative_options[] = {
	{.name = "document", .type = SLT_CONF_STRING, .offset = S(slt_narrative, document), .required = true, .doc = "kind of document"},
	{.name = "section", .type = SLT_CONF_STRING, .offset = S(slt_narrative, section_text), .required = true, .doc = "section whose text it is"},
	{.name = "rows", .type = SLT_CONF_GROUPS, .doc = "rows of the table"},
};
static const struct slt_conf_option row_options[] = {
	{.name = "label", .type = SLT_CONF_STRING, .offset = S(slt_narrative_row, label), .required = true, .doc = "key of messages.tsv"},
	{.name = "from", .type = SLT_CONF_STRING, .offset = S(slt_narrative_row, from_text), .required = true, .doc = "path in the section"},
	{.name = "show", .type = SLT_CONF_ENUM, .offset = S(slt_narrative_row, show), .values = "text|name|quantity", .fallback = "text", .doc = "what of it"},
	{.name = "original", .type = SLT_CONF_BOOL, .offset = S(slt_narrative_row, original), .doc = "the text is in the sender's language"},
};
static const struct slt_conf_option service_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_service, id), .required = true, .doc = "the flow's word for the service"},
	{.name = "name", .type = SLT_CONF_STRING, .offset = S(slt_service, name), .required = true, .doc = "service code"},
	{.name = "version", .type = SLT_CONF_STRING, .offset = S(slt_service, version), .doc = "service version"},
	{.name = "request", .type = SLT_CONF_STRING, .offset = S(slt_service, request_text), .doc = "body element of the request"},
	{.name = "response", .type = SLT_CONF_STRING, .offset = S(slt_service, response_text), .doc = "body element of the answer"},
	{.name = "calls", .type = SLT_CONF_STRINGS, .offset = S(slt_service, call_words), .doc = "paths and queries of REST requests"},
};
static const struct slt_conf_option schemas_options[] = {
	{.name = "documents", .type = SLT_CONF_STRINGS, .offset = S(slt_schemas, documents), .required = true, .doc = "kinds it is for"},
	{.name = "schema", .type = SLT_CONF_STRING, .offset = S(slt_schemas, schema_text), .doc = "XML Schema, a file beside this one"},
	{.name = "schematron", .type = SLT_CONF_STRING, .offset = S(slt_schemas, schematron_text), .doc = "ISO Schematron, a file beside this one"},
};
static const struct slt_conf_option name_options[] = {
	{.name = "national", .type = SLT_CONF_STRING, .offset = S(slt_name_pair, national_text), .required = true, .doc = "the country's element"},
	{.name = "pivot", .type = SLT_CONF_STRING, .offset = S(slt_name_pair, pivot_text), .required = true, .doc = "the pivot's element"},
	{.name = "attributes", .type = SLT_CONF_STRINGS, .offset = S(slt_name_pair, attribute_words), .doc = "pairs national=pivot"},
};
static const struct slt_conf_option fault_options[] = {
	{.name = "code", .type = SLT_CONF_STRING, .offset = S(slt_fault_pair, code), .required = true, .doc = "local part of the national faultcode"},
	{.name = "pivot", .type = SLT_CONF_STRING, .offset = S(slt_fault_pair, pivot), .required = true, .doc = "the shared word"},
	{.name = "text", .type = SLT_CONF_STRING, .offset = S(slt_fault_pair, text), .doc = "the country's sentence"},
};
#undef S
/* clang-format on */

struct at { /* a group, for problems */
	const struct slt_flow_reader *r;
	const struct slt_conf_group *g;
};

/* Reads a list of groups of `parent` into an array of structs. */
static void *read_list(const struct slt_flow_reader *r, const struct slt_conf_group *parent,
		       const char *name, const struct slt_conf_option *o, size_t n_options,
		       size_t size, size_t *ret_n)
{
	size_t n = slt_conf_group_count(parent, name);
	char *all = slt_arena_alloc(r->a, (n + 1) * size);

	for (size_t i = 0; i < n; i++) {
		slt_conf_read(r->c, slt_conf_group_at(parent, name, i), o, n_options, r->a,
			      all + i * size);
	}
	*ret_n = n;
	return all;
}

#define READ_LIST(r, parent, name, options, type, ret_n)                                           \
	((struct type *)read_list(r, parent, name, options, SLT_COUNT(options),                    \
				  sizeof(struct type), ret_n))

static struct at group_at(const struct slt_flow_reader *r, const char *list, size_t i)
{
	return (struct at){r, slt_conf_group_at(slt_conf_root(r->c), list, i)};
}

static void read_path(struct at at, const char *option, const char *text, struct slt_path **ret)
{
	struct slt_err err = SLT_ERR_INIT;

	if (text && !slt_path_parse(text, at.r->prefixes, at.r->a, ret, &err)) {
		slt_conf_problem(at.r->c, at.g, option, "%s: %s", option, err.msg);
	}
}

static void read_name(struct at at, const char *option, const char *text, struct slt_name *ret)
{
	if (text && (!slt_name_parse(text, at.r->prefixes, ret) || !ret->uri)) {
		slt_conf_problem(at.r->c, at.g, option,
				 "%s: '%s' is no name with a declared prefix", option, text);
	}
}

static void read_cond(struct at at, const char *option, const char *text, struct slt_cond **ret)
{
	struct slt_err err = SLT_ERR_INIT;

	if (text && !slt_cond_parse(text, at.r->a, ret, &err)) {
		slt_conf_problem(at.r->c, at.g, option, "%s: %s", option, err.msg);
	}
}

void slt_flow_read_prefixes(struct slt_conf *c, const struct slt_prefixes *common,
			    struct slt_arena *a, struct slt_prefixes *ret)
{
	const struct slt_flow_reader r = {c, NULL, a};
	size_t own_n, n = common ? common->n : 0;
	struct slt_prefix *own =
		READ_LIST(&r, slt_conf_root(c), "namespaces", prefix_options, slt_prefix, &own_n);
	struct slt_prefix *all = slt_arena_alloc(a, (n + own_n + 1) * sizeof(*all));

	if (n > 0) {
		memcpy(all, common->v, n * sizeof(*all));
	}
	*ret = (struct slt_prefixes){all, n};
	for (size_t i = 0; i < own_n; i++) {
		if (own[i].prefix && slt_prefix_uri(ret, own[i].prefix, strlen(own[i].prefix))) {
			slt_conf_problem(c, slt_conf_group_at(slt_conf_root(c), "namespaces", i),
					 NULL, "the prefix \"%s\" stands twice", own[i].prefix);
		} else if (own[i].prefix && own[i].uri) {
			all[ret->n++] = own[i];
		}
	}
}

static const char *kind_of(const struct slt_flow_reader *r, const char *service,
			   const char *message)
{
	return slt_arena_printf(r->a, "%s.%s", service ? service : "?", message);
}

/* Body elements have names in XML; what a JSON service is asked is the whole document. */
static void check_names(struct at at, const struct slt_flow_message *m, const char *request,
			const char *response)
{
	if (m->format == SLT_MESSAGE_XML && (!request || !response)) {
		slt_conf_problem(at.r->c, at.g, NULL, "request and response are needed for XML");
	}
	if (m->format == SLT_MESSAGE_JSON && (request || response)) {
		slt_conf_problem(at.r->c, at.g, NULL, "a JSON service has no body elements");
	}
}

void slt_flow_read_messages(const struct slt_flow_reader *r, struct slt_flow *f)
{
	f->message = READ_LIST(r, slt_conf_root(r->c), "messages", message_options,
			       slt_flow_message, &f->n_messages);
	for (size_t i = 0; i < f->n_messages; i++) {
		struct slt_flow_message *m = &f->message[i];
		read_name(group_at(r, "messages", i), "request", m->request_text, &m->name[0]);
		read_name(group_at(r, "messages", i), "response", m->response_text, &m->name[1]);
		check_names(group_at(r, "messages", i), m, m->request_text, m->response_text);
		m->line = (unsigned)slt_conf_line(
			slt_conf_group_at(slt_conf_root(r->c), "messages", i), NULL);
		m->kind[0] = kind_of(r, m->service, "request");
		m->kind[1] = kind_of(r, m->service, "response");
		m->kind[SLT_KIND_CALL] = kind_of(r, m->service, "call");
	}
}

void slt_flow_read_documents(const struct slt_flow_reader *r, struct slt_flow *f)
{
	f->kind = READ_LIST(r, slt_conf_root(r->c), "documents", document_options,
			    slt_document_kind, &f->n_kinds);
	for (size_t i = 0; i < f->n_kinds; i++) {
		struct slt_document_kind *k = &f->kind[i];
		struct at at = group_at(r, "documents", i);

		k->match = slt_arena_alloc(r->a, (k->match_words.n + 1) * sizeof(*k->match));
		for (size_t m = 0; m < k->match_words.n; m++) {
			read_path(at, "match", k->match_words.v[m], &k->match[m]);
			k->json |= k->match[m] && k->match[m]->json;
			if (k->match[m] &&
			    (k->match[m]->n != 1 || k->match[m]->step[0].attribute)) {
				slt_conf_problem(r->c, at.g, "match",
						 "match names one element and its predicates");
			}
		}
		read_path(at, "date", k->date_text, &k->date);
		if ((k->cda && k->json) || (k->fhir && !k->json)) {
			slt_conf_problem(r->c, at.g, NULL,
					 "cda is for XML documents, fhir for JSON documents");
		}
		if (k->match_words.n == 0 && k->content_types.n == 0) {
			slt_conf_problem(r->c, at.g, NULL, "a kind needs match or content_types");
		}
		if (k->content_types.n > 0 && !k->pass) {
			slt_conf_problem(r->c, at.g, "content_types",
					 "content_types are for kinds with pass = true");
		}
	}
}

void slt_flow_read_fields(const struct slt_flow_reader *r, struct slt_flow *f)
{
	f->field =
		READ_LIST(r, slt_conf_root(r->c), "fields", field_options, slt_field, &f->n_fields);
	for (size_t i = 0; i < f->n_fields; i++) {
		struct slt_field *x = &f->field[i];
		struct at at = group_at(r, "fields", i);

		x->line = (unsigned)slt_conf_line(at.g, NULL);
		read_path(at, "where", x->where_text, &x->where);
		if (x->type && strcmp(x->type, "text") != 0 && strcmp(x->type, "date") != 0 &&
		    strcmp(x->type, "decimal") != 0) {
			slt_conf_problem(r->c, at.g, "type", "type is text, date or decimal");
		}
	}
}

static void check_guard(struct at at, const struct slt_guard *g)
{
	const char *needs = NULL;

	switch ((enum slt_guard_what)g->what) {
	case SLT_GUARD_PERSONAL_CODE:
		needs = g->code ? NULL : "code";
		break;
	case SLT_GUARD_SAME_CODE:
		needs = g->left && g->right && g->table ? NULL : "left, right and table";
		break;
	case SLT_GUARD_SAME_VALUE:
		needs = g->left && g->right ? NULL : "left and right";
		break;
	case SLT_GUARD_DIVISIBLE:
		needs = g->total && g->parts_words.n ? NULL : "total and parts";
		break;
	case SLT_GUARD_MENTIONS:
		needs = g->left && g->right && g->table ? NULL : "left, right and table";
		break;
	case SLT_GUARD_EXPRESSION:
		needs = g->check ? NULL : "check";
		break;
	}
	if (needs) {
		slt_conf_problem(at.r->c, at.g, NULL, "this guard needs %s", needs);
	}
}

static void read_guard(struct at at, struct slt_guard *g)
{
	const struct {
		const char *option, *text;
		struct slt_path **ret;
	} paths[] = {{"in", g->in_text, &g->in},	  {"code", g->code_text, &g->code},
		     {"birth", g->birth_text, &g->birth}, {"sex", g->sex_text, &g->sex},
		     {"left", g->left_text, &g->left},	  {"right", g->right_text, &g->right},
		     {"total", g->total_text, &g->total}, {"unless", g->unless_text, &g->unless}};

	for (size_t i = 0; i < SLT_COUNT(paths); i++) {
		read_path(at, paths[i].option, paths[i].text, paths[i].ret);
	}
	g->parts = slt_arena_alloc(at.r->a, (g->parts_words.n + 1) * sizeof(*g->parts));
	for (size_t i = 0; i < g->parts_words.n; i++) {
		read_path(at, "parts", g->parts_words.v[i], &g->parts[i]);
	}
	read_cond(at, "when", g->when_text, &g->when);
	read_cond(at, "check", g->check_text, &g->check);
	g->line = (unsigned)slt_conf_line(at.g, NULL);
	if (!g->field) {
		g->field = g->id;
	}
	g->error = g->what == SLT_GUARD_DIVISIBLE ? SLT_FED_BUS_005 : SLT_FED_ID_003;
	if (g->error_text) {
		g->error = slt_code_find(g->error_text);
		if (g->error == SLT_OK) {
			slt_conf_problem(at.r->c, at.g, "error", "error: unknown fault code");
		}
	}
	check_guard(at, g);
}

void slt_flow_read_guards(const struct slt_flow_reader *r, struct slt_flow *f)
{
	f->guard =
		READ_LIST(r, slt_conf_root(r->c), "guards", guard_options, slt_guard, &f->n_guards);
	for (size_t i = 0; i < f->n_guards; i++) {
		read_guard(group_at(r, "guards", i), &f->guard[i]);
	}
}

void slt_flow_read_subjects(const struct slt_flow_reader *r, struct slt_flow *f)
{
	f->subject = READ_LIST(r, slt_conf_root(r->c), "subjects", subject_options, slt_subject,
			       &f->n_subjects);
	for (size_t i = 0; i < f->n_subjects; i++) {
		struct slt_subject *s = &f->subject[i];
		struct at at = group_at(r, "subjects", i);

		read_path(at, "body", s->body_text, &s->body);
		read_path(at, "document", s->document_text, &s->document);
		if (!s->document_text && s->documents.n > 0) {
			slt_conf_problem(r->c, at.g, NULL, "documents and document go together");
		}
		s->line = (unsigned)slt_conf_line(at.g, NULL);
		s->error = s->error_text ? slt_code_find(s->error_text) : SLT_OK;
		if (s->error_text && s->error == SLT_OK) {
			slt_conf_problem(r->c, at.g, "error", "error: unknown fault code");
		}
	}
}

void slt_flow_read_narratives(const struct slt_flow_reader *r, struct slt_flow *f)
{
	f->narrative = READ_LIST(r, slt_conf_root(r->c), "narrative", narrative_options,
				 slt_narrative, &f->n_narratives);
	for (size_t i = 0; i < f->n_narratives; i++) {
		struct slt_narrative *n = &f->narrative[i];
		struct at at = group_at(r, "narrative", i);

		read_path(at, "section", n->section_text, &n->section);
		n->row = READ_LIST(r, at.g, "rows", row_options, slt_narrative_row, &n->n_rows);
		for (size_t k = 0; k < n->n_rows; k++) {
			struct at row = {r, slt_conf_group_at(at.g, "rows", k)};
			read_path(row, "from", n->row[k].from_text, &n->row[k].from);
		}
	}
}

static void read_schema(struct at at, const char *dir, const char *name, enum slt_schema_kind kind,
			struct slt_hasher *hasher, struct slt_lint *lint, struct slt_schema **ret)
{
	SLT_AUTO_STR char *path = name ? slt_path_join(dir, name) : NULL;
	char digest[65];

	if (!name) {
		return;
	}
	if (strchr(name, '/') || name[0] == '.') {
		slt_conf_problem(at.r->c, at.g, NULL, "'%s' is no file in the flow's directory",
				 name);
	} else if (slt_schema_load(path, kind, lint, ret, digest)) {
		slt_hasher_add(hasher, digest, sizeof(digest));
	} else {
		slt_conf_problem(at.r->c, at.g, NULL, "'%s' cannot be used", name);
	}
}

void slt_flow_read_schemas(const struct slt_flow_reader *r, const char *dir,
			   struct slt_hasher *hasher, struct slt_lint *lint,
			   struct slt_schemas **ret, size_t *ret_n)
{
	struct slt_schemas *all =
		READ_LIST(r, slt_conf_root(r->c), "schemas", schemas_options, slt_schemas, ret_n);

	*ret = all;
	for (size_t i = 0; i < *ret_n; i++) {
		struct at at = group_at(r, "schemas", i);
		all[i].line = (unsigned)slt_conf_line(at.g, NULL);
		if (!all[i].schema_text && !all[i].schematron_text) {
			slt_conf_problem(r->c, at.g, NULL, "neither schema nor schematron");
		}
		read_schema(at, dir, all[i].schema_text, SLT_SCHEMA_XSD, hasher, lint,
			    &all[i].schema);
		read_schema(at, dir, all[i].schematron_text, SLT_SCHEMA_SCHEMATRON, hasher, lint,
			    &all[i].schematron);
	}
}

static void read_calls(struct at at, struct slt_service *s)
{
	if (s->call_words.n > SLT_CALLS) {
		slt_conf_problem(at.r->c, at.g, "calls", "at most %d calls", SLT_CALLS);
		return;
	}
	s->call = slt_arena_alloc(at.r->a, (s->call_words.n + 1) * sizeof(*s->call));
	for (size_t i = 0; i < s->call_words.n; i++) {
		struct slt_err err = SLT_ERR_INIT;
		if (!slt_call_parse(s->call_words.v[i], at.r->a, &s->call[i], &err)) {
			slt_conf_problem(at.r->c, at.g, "calls", "%s", err.msg);
			return;
		}
	}
	s->n_calls = s->call_words.n;
}

void slt_flow_read_services(const struct slt_flow_reader *r, const struct slt_flow *f,
			    struct slt_flow_country *fc)
{
	fc->service = READ_LIST(r, slt_conf_root(r->c), "services", service_options, slt_service,
				&fc->n_services);
	for (size_t i = 0; i < fc->n_services; i++) {
		struct slt_service *s = &fc->service[i];
		struct at at = group_at(r, "services", i);

		read_name(at, "request", s->request_text, &s->element[0]);
		read_name(at, "response", s->response_text, &s->element[1]);
		read_calls(at, s);
		if (s->id && !slt_flow_message(f, s->id)) {
			slt_conf_problem(r->c, at.g, "id", "\"%s\" is not among the messages",
					 s->id);
		} else if (s->id) {
			check_names(at, slt_flow_message(f, s->id), s->request_text,
				    s->response_text);
		}
	}
}

static const char *attribute_side(const struct slt_flow_reader *r, const char *p, size_t n)
{
	return n == 6 && memcmp(p, "text()", 6) == 0 ? NULL : slt_arena_strndup(r->a, p, n);
}

static void read_pairs(struct at at, struct slt_name_pair *n)
{
	n->attribute = slt_arena_alloc(at.r->a, (n->attribute_words.n + 1) * sizeof(*n->attribute));
	for (size_t i = 0; i < n->attribute_words.n; i++) {
		const char *word = n->attribute_words.v[i];
		const char *equals = strchr(word, '=');

		if (!equals || equals == word || !equals[1] || strchr(equals + 1, '=')) {
			slt_conf_problem(at.r->c, at.g, "attributes",
					 "'%s' is not of the form national=pivot", word);
			continue;
		}
		n->attribute[n->n_attributes++] = (struct slt_attribute_pair){
			.national = attribute_side(at.r, word, (size_t)(equals - word)),
			.pivot = attribute_side(at.r, equals + 1, strlen(equals + 1))};
	}
}

void slt_flow_read_names(const struct slt_flow_reader *r, struct slt_flow_country *fc)
{
	fc->name = READ_LIST(r, slt_conf_root(r->c), "names", name_options, slt_name_pair,
			     &fc->n_names);
	for (size_t i = 0; i < fc->n_names; i++) {
		struct slt_name_pair *n = &fc->name[i];
		struct at at = group_at(r, "names", i);

		read_name(at, "national", n->national_text, &n->national);
		read_name(at, "pivot", n->pivot_text, &n->pivot);
		read_pairs(at, n);
		for (size_t k = 0; k < i && n->national_text && n->pivot_text; k++) {
			const struct slt_name_pair *o = &fc->name[k];
			if (o->national_text && o->pivot_text &&
			    (strcmp(o->national_text, n->national_text) == 0 ||
			     strcmp(o->pivot_text, n->pivot_text) == 0)) {
				slt_conf_problem(r->c, at.g, NULL,
						 "a name that stands twice cannot go both ways");
			}
		}
	}
}

void slt_flow_read_faults(const struct slt_flow_reader *r, struct slt_flow_country *fc)
{
	fc->fault = READ_LIST(r, slt_conf_root(r->c), "faults", fault_options, slt_fault_pair,
			      &fc->n_faults);
}
