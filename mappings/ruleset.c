/* SPDX-License-Identifier: MIT */
#include "mappings/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "mappings/flow_read.h"

static const char *const builtin_fields[] = {"document", "from", "to", "service", "message"};

/* --- common.conf --- */

struct top { /* scalar options at the root of a file */
	const char *flow, *title, *version, *country;
};

/* clang-format off */
static const struct slt_conf_option common_options[] = {
	{.name = "flow", .type = SLT_CONF_STRING, .offset = offsetof(struct top, flow), .required = true, .doc = "name of the flow, as its directory"},
	{.name = "title", .type = SLT_CONF_STRING, .offset = offsetof(struct top, title), .doc = "what it is for"},
	{.name = "version", .type = SLT_CONF_STRING, .offset = offsetof(struct top, version), .required = true, .doc = "version of the rules"},
	{.name = "namespaces", .type = SLT_CONF_GROUPS, .doc = "prefixes"},
	{.name = "messages", .type = SLT_CONF_GROUPS, .doc = "the pivot's names of body elements"},
	{.name = "documents", .type = SLT_CONF_GROUPS, .doc = "kinds of documents"},
	{.name = "fields", .type = SLT_CONF_GROUPS, .doc = "names for conditions"},
	{.name = "rules", .type = SLT_CONF_GROUPS, .doc = "rules for every pair of countries"},
	{.name = "guards", .type = SLT_CONF_GROUPS, .doc = "what must agree"},
	{.name = "subjects", .type = SLT_CONF_GROUPS, .doc = "who and what messages are about"},
	{.name = "narrative", .type = SLT_CONF_GROUPS, .doc = "tables for people"},
	{.name = "schemas", .type = SLT_CONF_GROUPS, .doc = "what documents must fit in every country"},
};
static const struct slt_conf_option country_options[] = {
	{.name = "country", .type = SLT_CONF_STRING, .offset = offsetof(struct top, country), .required = true, .doc = "country code, as the file's name"},
	{.name = "namespaces", .type = SLT_CONF_GROUPS, .doc = "prefixes"},
	{.name = "services", .type = SLT_CONF_GROUPS, .doc = "the country's services"},
	{.name = "names", .type = SLT_CONF_GROUPS, .doc = "the country's words for the pivot's"},
	{.name = "shapes", .type = SLT_CONF_GROUPS, .doc = "the country's own structures of documents"},
	{.name = "to_pivot", .type = SLT_CONF_GROUPS, .doc = "rules for what the country sends"},
	{.name = "from_pivot", .type = SLT_CONF_GROUPS, .doc = "rules for what the country receives"},
	{.name = "faults", .type = SLT_CONF_GROUPS, .doc = "the country's fault codes"},
	{.name = "schemas", .type = SLT_CONF_GROUPS, .doc = "what documents must fit in this country"},
};
/* clang-format on */

struct loading {
	const char *dir;
	struct slt_arena *a;
	struct slt_lint *lint;
	struct slt_hasher *hasher;
	struct slt_flow *f;
};

static bool open_file(struct loading *l, const char *path, const struct slt_conf_option *o,
		      size_t n, struct slt_conf **ret, struct top *top)
{
	SLT_AUTO_STR char *digest = NULL;

	if (!slt_set_conf_open(path, l->lint, ret, &digest)) {
		return false;
	}
	slt_hasher_add(l->hasher, digest, strlen(digest) + 1);
	slt_conf_read(*ret, slt_conf_root(*ret), o, n, l->a, top);
	return true;
}

static bool read_common(struct loading *l, const char *id)
{
	SLT_AUTO_STR char *path = slt_path_join(l->dir, "common.conf");
	SLT_AUTO(slt_conf_close) struct slt_conf *c = NULL;
	struct slt_flow *f = l->f;
	struct top top = {NULL, NULL, NULL, NULL};

	if (!open_file(l, path, common_options, SLT_COUNT(common_options), &c, &top)) {
		return false;
	}
	f->id = slt_arena_strdup(l->a, id);
	f->path = slt_arena_strdup(l->a, path);
	f->title = top.title;
	f->version = top.version ? top.version : "";
	if (top.flow && strcmp(top.flow, id) != 0) {
		slt_conf_problem(c, slt_conf_root(c), "flow", "flow is \"%s\" in the directory %s",
				 top.flow, id);
	}
	slt_flow_read_prefixes(c, NULL, l->a, &f->prefixes);
	struct slt_flow_reader r = {c, &f->prefixes, l->a};
	slt_flow_read_messages(&r, f);
	slt_flow_read_documents(&r, f);
	slt_flow_read_fields(&r, f);
	slt_rules_read(c, f->path, "rules", &f->prefixes, l->a, &f->rules);
	slt_flow_read_guards(&r, f);
	slt_flow_read_subjects(&r, f);
	slt_flow_read_narratives(&r, f);
	slt_flow_read_schemas(&r, l->dir, l->hasher, l->lint, &f->schemas, &f->n_schemas);
	slt_lint_add_conf(l->lint, c);
	return slt_conf_problem_count(c) == 0;
}

static bool read_country(struct loading *l, const char *country, const char *path)
{
	SLT_AUTO(slt_conf_close) struct slt_conf *c = NULL;
	struct slt_flow_country *fc = &l->f->country[l->f->n_countries];
	struct top top = {NULL, NULL, NULL, NULL};

	if (!open_file(l, path, country_options, SLT_COUNT(country_options), &c, &top)) {
		return false;
	}
	fc->country = slt_arena_strdup(l->a, country);
	if (top.country && strcmp(top.country, country) != 0) {
		slt_conf_problem(c, slt_conf_root(c), "country",
				 "country is \"%s\" in the file of %s", top.country, country);
	}
	slt_flow_read_prefixes(c, &l->f->prefixes, l->a, &fc->prefixes);
	fc->n_common = l->f->prefixes.n;
	struct slt_flow_reader r = {c, &fc->prefixes, l->a};
	slt_flow_read_services(&r, l->f, fc);
	slt_flow_read_names(&r, fc);
	slt_flow_read_faults(&r, fc);
	slt_flow_read_schemas(&r, l->dir, l->hasher, l->lint, &fc->schemas, &fc->n_schemas);
	slt_flow_read_shapes(&r, fc);
	fc->path = slt_arena_strdup(l->a, path);
	slt_rules_read(c, fc->path, "to_pivot", &fc->prefixes, l->a, &fc->to_pivot);
	slt_rules_read(c, fc->path, "from_pivot", &fc->prefixes, l->a, &fc->from_pivot);
	slt_lint_add_conf(l->lint, c);
	l->f->n_countries++;
	return slt_conf_problem_count(c) == 0;
}

bool slt_flow_load(const char *dir, const char *id, const char *const *countries,
		   size_t n_countries, struct slt_arena *a, struct slt_lint *lint,
		   struct slt_flow **ret)
{
	SLT_AUTO(slt_hasher_free) struct slt_hasher *hasher = slt_hasher_new(SLT_SHA256);
	struct loading l = {.dir = dir, .a = a, .lint = lint, .hasher = hasher};
	bool good;

	l.f = slt_arena_alloc(a, sizeof(*l.f));
	l.f->country = slt_arena_alloc(a, (n_countries + 1) * sizeof(*l.f->country));
	good = read_common(&l, id);
	for (size_t i = 0; good && i < n_countries; i++) {
		SLT_AUTO_STR char *name = slt_asprintf("%s.conf", countries[i]);
		SLT_AUTO_STR char *path = slt_path_join(dir, name);
		if (slt_file_exists(path)) {
			good &= read_country(&l, countries[i], path);
		}
	}
	struct slt_digest d;
	SLT_AUTO_BUF(hex, 2 * SLT_DIGEST_MAX + 1);
	slt_hasher_end(hasher, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	l.f->digest = slt_arena_strdup(a, hex.p);
	if (good) {
		*ret = l.f;
	} else {
		slt_flow_fini(l.f);
	}
	return good;
}

static void free_schemas(struct slt_schemas *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		slt_schema_free(all[i].schema);
		slt_schema_free(all[i].schematron);
	}
}

void slt_flow_fini(struct slt_flow *f)
{
	free_schemas(f->schemas, f->n_schemas);
	for (size_t i = 0; i < f->n_countries; i++) {
		free_schemas(f->country[i].schemas, f->country[i].n_schemas);
	}
}

/* --- checks across files --- */

static bool field_known(const struct slt_flow *f, const char *name)
{
	for (size_t i = 0; i < SLT_COUNT(builtin_fields); i++) {
		if (strcmp(builtin_fields[i], name) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < f->n_fields; i++) {
		if (strcmp(f->field[i].id, name) == 0) {
			return true;
		}
	}
	return false;
}

static void check_cond(const struct slt_flow *f, const struct slt_cond *c, const char *file,
		       unsigned line, struct slt_lint *lint)
{
	const char *name;

	for (size_t i = 0; c && (name = slt_cond_field(c, i)) != NULL; i++) {
		if (!field_known(f, name)) {
			slt_lint_add(lint, file, line, "'%s' is not among the fields of flow %s",
				     name, f->id);
		}
	}
}

static bool kind_known(const struct slt_flow *f, const char *id)
{
	for (size_t i = 0; i < f->n_kinds; i++) {
		if (strcmp(f->kind[i].id, id) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < f->n_messages; i++) {
		for (size_t k = 0; k < SLT_COUNT(f->message[i].kind); k++) {
			if (strcmp(f->message[i].kind[k], id) == 0) {
				return true;
			}
		}
	}
	return false;
}

static void check_kinds(const struct slt_flow *f, const struct slt_conf_strings *kinds,
			const char *file, unsigned line, struct slt_lint *lint)
{
	for (size_t i = 0; i < kinds->n; i++) {
		if (!kind_known(f, kinds->v[i])) {
			slt_lint_add(lint, file, line, "'%s' is no kind of document of flow %s",
				     kinds->v[i], f->id);
		}
	}
}

static bool kind_is_json(const struct slt_flow *f, const char *id)
{
	for (size_t i = 0; i < f->n_kinds; i++) {
		if (strcmp(f->kind[i].id, id) == 0) {
			return f->kind[i].json;
		}
	}
	for (size_t i = 0; i < f->n_messages; i++) {
		const struct slt_flow_message *m = &f->message[i];
		if (strcmp(m->kind[SLT_KIND_CALL], id) == 0) {
			return true;
		}
		if (strcmp(m->kind[0], id) == 0 || strcmp(m->kind[1], id) == 0) {
			return m->format == SLT_MESSAGE_JSON;
		}
	}
	return false;
}

/* A path in the language of the documents it is for. */
static void check_language(const struct slt_flow *f, const struct slt_conf_strings *kinds,
			   const struct slt_path *p, const char *file, unsigned line,
			   struct slt_lint *lint)
{
	for (size_t i = 0; p && i < kinds->n; i++) {
		if (kind_known(f, kinds->v[i]) && kind_is_json(f, kinds->v[i]) != p->json) {
			slt_lint_add(lint, file, line, "'%s' is %s: the path must be %s",
				     kinds->v[i], p->json ? "XML" : "JSON",
				     p->json ? "XPath" : "JSONPath");
		}
	}
}

static void check_rules(const struct slt_flow *f, const struct slt_rules *rules,
			const struct slt_country *pivot, struct slt_lint *lint)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct slt_rule *r = &rules->v[i];
		if (r->table && !slt_country_list(pivot, r->table)) {
			slt_lint_add(lint, r->file, r->line,
				     "table '%s': the pivot has no such list", r->table);
		}
		check_cond(f, r->when, r->file, r->line, lint);
		check_kinds(f, &r->documents, r->file, r->line, lint);
		check_language(f, &r->documents, r->where, r->file, r->line, lint);
		check_language(f, &r->documents, r->in, r->file, r->line, lint);
	}
}

static void check_shapes(const struct slt_flow *f, const struct slt_flow_country *fc,
			 struct slt_lint *lint)
{
	for (size_t i = 0; i < fc->n_shapes; i++) {
		const struct slt_shape *s = &fc->shape[i];
		if (s->becomes && (!kind_known(f, s->becomes) || kind_is_json(f, s->becomes))) {
			slt_lint_add(lint, fc->path, s->line,
				     "'%s' is no kind of XML document of flow %s", s->becomes,
				     f->id);
		}
	}
}

static void check_schemas(const struct slt_flow *f, const struct slt_schemas *all, size_t n,
			  const char *file, struct slt_lint *lint)
{
	for (size_t i = 0; i < n; i++) {
		check_kinds(f, &all[i].documents, file, all[i].line, lint);
		for (size_t k = 0; k < all[i].documents.n; k++) {
			if (kind_is_json(f, all[i].documents.v[k])) {
				slt_lint_add(lint, file, all[i].line,
					     "'%s' is JSON: schemas are for XML",
					     all[i].documents.v[k]);
			}
		}
	}
}

/* The calls of a service say the same in every country that has it. */
static void check_calls(const struct slt_flow *f, struct slt_lint *lint)
{
	for (size_t i = 0; i < f->n_messages; i++) {
		const struct slt_service *first = NULL;
		for (size_t c = 0; c < f->n_countries; c++) {
			const struct slt_service *s =
				slt_flow_service(&f->country[c], f->message[i].service);
			first = first ? first : s;
			bool same = !s || s->n_calls == first->n_calls;
			for (size_t k = 0; s && same && k < s->n_calls; k++) {
				same = slt_call_same(&s->call[k], &first->call[k]);
			}
			if (!same) {
				slt_lint_add(lint, f->path, f->message[i].line,
					     "service %s: the calls of %s are not those of the "
					     "other countries, one by one with the same values",
					     s->id, f->country[c].country);
			}
		}
	}
}

static bool kind_passes(const struct slt_flow *f, const char *id)
{
	for (size_t i = 0; i < f->n_kinds; i++) {
		if (strcmp(f->kind[i].id, id) == 0) {
			return f->kind[i].pass;
		}
	}
	return false;
}

/* The documents that messages have, or are. */
static void check_messages(const struct slt_flow *f, struct slt_lint *lint)
{
	for (size_t i = 0; i < f->n_messages; i++) {
		const struct slt_flow_message *m = &f->message[i];
		for (size_t k = 0; k < SLT_COUNT(m->document); k++) {
			const char *word = m->document[k];
			struct slt_conf_strings one = {&word, 1};
			if (!word || strcmp(word, SLT_NO_DOCUMENT) == 0) {
				continue;
			}
			check_kinds(f, &one, f->path, m->line, lint);
			if (slt_flow_whole(m, k == 1) && kind_known(f, word) &&
			    (!kind_is_json(f, word) || kind_passes(f, word))) {
				slt_lint_add(lint, f->path, m->line,
					     "'%s' is no kind of JSON document that is translated: "
					     "a JSON message cannot be one",
					     word);
			}
		}
	}
}

void slt_flow_check(const struct slt_flow *f, const struct slt_country *pivot,
		    struct slt_lint *lint)
{
	check_rules(f, &f->rules, pivot, lint);
	check_schemas(f, f->schemas, f->n_schemas, f->path, lint);
	for (size_t i = 0; i < f->n_countries; i++) {
		check_rules(f, &f->country[i].to_pivot, pivot, lint);
		check_rules(f, &f->country[i].from_pivot, pivot, lint);
		check_shapes(f, &f->country[i], lint);
		check_schemas(f, f->country[i].schemas, f->country[i].n_schemas, f->country[i].path,
			      lint);
	}
	for (size_t i = 0; i < f->n_guards; i++) {
		const struct slt_guard *g = &f->guard[i];
		check_cond(f, g->when, f->path, g->line, lint);
		check_cond(f, g->check, f->path, g->line, lint);
		check_kinds(f, &g->documents, f->path, g->line, lint);
		const struct slt_path *paths[] = {g->in,   g->code,  g->birth,	g->sex,
						  g->left, g->right, g->unless, g->total};
		for (size_t k = 0; k < SLT_COUNT(paths); k++) {
			check_language(f, &g->documents, paths[k], f->path, g->line, lint);
		}
		if (g->table && !slt_country_list(pivot, g->table)) {
			slt_lint_add(lint, f->path, g->line,
				     "table '%s': the pivot has no such list", g->table);
		}
	}
	for (size_t i = 0; i < f->n_fields; i++) {
		check_kinds(f, &f->field[i].documents, f->path, f->field[i].line, lint);
		check_language(f, &f->field[i].documents, f->field[i].where, f->path,
			       f->field[i].line, lint);
	}
	for (size_t i = 0; i < f->n_subjects; i++) {
		check_kinds(f, &f->subject[i].documents, f->path, f->subject[i].line, lint);
	}
	check_messages(f, lint);
	check_calls(f, lint);
}

/* --- asking --- */

const struct slt_flow_country *slt_flow_country(const struct slt_flow *f, const char *country)
{
	for (size_t i = 0; i < f->n_countries; i++) {
		if (strcmp(f->country[i].country, country) == 0) {
			return &f->country[i];
		}
	}
	return NULL;
}

const struct slt_service *slt_flow_service(const struct slt_flow_country *c, const char *id)
{
	for (size_t i = 0; i < c->n_services; i++) {
		if (strcmp(c->service[i].id, id) == 0) {
			return &c->service[i];
		}
	}
	return NULL;
}

const struct slt_flow_message *slt_flow_message(const struct slt_flow *f, const char *service)
{
	for (size_t i = 0; i < f->n_messages; i++) {
		if (strcmp(f->message[i].service, service) == 0) {
			return &f->message[i];
		}
	}
	return NULL;
}

bool slt_flow_whole(const struct slt_flow_message *m, bool response)
{
	return m->format == SLT_MESSAGE_JSON && m->document[response] &&
	       strcmp(m->document[response], SLT_NO_DOCUMENT) != 0;
}

bool slt_root_matches(struct slt_path *const *match, size_t n, const xmlNode *root)
{
	for (size_t i = 0; i < n; i++) {
		for (const struct slt_path *p = match[i]; p; p = p->next) {
			if (p->n == 1 && slt_test_matches(&p->step[0].test, root) &&
			    slt_pred_holds(p->step[0].pred, root)) {
				return true;
			}
		}
	}
	return false;
}

const struct slt_document_kind *slt_flow_kind(const struct slt_flow *f, const xmlNode *root)
{
	for (size_t i = 0; i < f->n_kinds; i++) {
		if (slt_root_matches(f->kind[i].match, f->kind[i].match_words.n, root)) {
			return &f->kind[i];
		}
	}
	return NULL;
}

const struct slt_document_kind *slt_flow_kind_named(const struct slt_flow *f, const char *id)
{
	for (size_t i = 0; i < f->n_kinds; i++) {
		if (strcmp(f->kind[i].id, id) == 0) {
			return &f->kind[i];
		}
	}
	return NULL;
}

const struct slt_document_kind *slt_flow_passes(const struct slt_flow *f, const char *content_type)
{
	size_t n = strcspn(content_type, "; \t");
	SLT_AUTO_STR char *bare = slt_strndup(content_type, n);

	for (size_t i = 0; i < f->n_kinds; i++) {
		const struct slt_document_kind *k = &f->kind[i];
		for (size_t c = 0; k->pass && c < k->content_types.n; c++) {
			if (slt_strcase_eq(k->content_types.v[c], bare)) {
				return k;
			}
		}
	}
	return NULL;
}
