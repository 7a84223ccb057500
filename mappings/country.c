/* SPDX-License-Identifier: MIT */
#include "mappings/country.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "mappings/date.h"

#define CONF_BYTES (4u << 20)

const char *const slt_environments[] = {"production", "test", "development"};

/* clang-format off */
#define S(type, field) offsetof(struct type, field)
static const struct slt_conf_option country_options[] = {
	{.name = "country", .type = SLT_CONF_STRING, .offset = S(slt_country, code), .required = true, .doc = "two-letter code, as the directory's name"},
	{.name = "name", .type = SLT_CONF_STRING, .offset = S(slt_country, name), .required = true, .doc = "English name"},
	{.name = "version", .type = SLT_CONF_STRING, .offset = S(slt_country, version), .required = true, .doc = "version of the directory"},
	{.name = "effective_from", .type = SLT_CONF_STRING, .offset = S(slt_country, effective_from_text), .doc = "first day in force"},
	{.name = "effective_to", .type = SLT_CONF_STRING, .offset = S(slt_country, effective_to_text), .doc = "last day in force"},
	{.name = "languages", .type = SLT_CONF_STRINGS, .offset = S(slt_country, languages), .required = true, .doc = "languages, the one translated into first"},
	{.name = "language_tag", .type = SLT_CONF_STRING, .offset = S(slt_country, language_tag), .required = true, .doc = "languageCode of its documents"},
	{.name = "numeric", .type = SLT_CONF_STRING, .offset = S(slt_country, numeric), .doc = "ISO 3166-1 numeric code"},
	{.name = "decimal", .type = SLT_CONF_ENUM, .offset = S(slt_country, decimal), .values = "comma|point", .fallback = "point", .doc = "decimal sign that people write"},
	{.name = "approved", .type = SLT_CONF_STRINGS, .offset = S(slt_country, approved), .doc = "who approved the directory, and when"},
	{.name = "instances", .type = SLT_CONF_GROUPS, .doc = "X-Road instances"},
	{.name = "systems", .type = SLT_CONF_GROUPS, .doc = "code systems"},
	{.name = "lists", .type = SLT_CONF_GROUPS, .doc = "code lists"},
	{.name = "identifiers", .type = SLT_CONF_GROUPS, .doc = "identifiers that the country issues"},
	{.name = "foreign_identifiers", .type = SLT_CONF_GROUPS, .doc = "roots of other countries' identifiers here"},
};
static const struct slt_conf_option pivot_options[] = {
	{.name = "version", .type = SLT_CONF_STRING, .offset = S(slt_country, version), .required = true, .doc = "version of the directory"},
	{.name = "approved", .type = SLT_CONF_STRINGS, .offset = S(slt_country, approved), .doc = "who approved the directory, and when"},
	{.name = "systems", .type = SLT_CONF_GROUPS, .doc = "code systems"},
	{.name = "lists", .type = SLT_CONF_GROUPS, .doc = "code lists"},
};
static const struct slt_conf_option system_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_system, id), .required = true, .doc = "name in this file"},
	{.name = "oid", .type = SLT_CONF_STRING, .offset = S(slt_system, oid), .required = true, .doc = "codeSystem that is written"},
	{.name = "name", .type = SLT_CONF_STRING, .offset = S(slt_system, name), .doc = "codeSystemName that is written"},
	{.name = "version", .type = SLT_CONF_STRING, .offset = S(slt_system, version), .doc = "codeSystemVersion that is written"},
	{.name = "uri", .type = SLT_CONF_STRING, .offset = S(slt_system, uri), .doc = "FHIR's name of the system"},
	{.name = "also", .type = SLT_CONF_STRINGS, .offset = S(slt_system, also), .doc = "other spellings that are accepted"},
	{.name = "by_name", .type = SLT_CONF_STRINGS, .offset = S(slt_system, by_name), .doc = "systems whose displayName is looked up"},
};
static const struct slt_conf_option list_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_list, id), .required = true, .doc = "id of the pivot's list"},
	{.name = "system", .type = SLT_CONF_STRING, .offset = S(slt_list, system_id), .doc = "id of the code system"},
	{.name = "file", .type = SLT_CONF_PATH, .offset = S(slt_list, file), .doc = "the table"},
	{.name = "sha256", .type = SLT_CONF_STRING, .offset = S(slt_list, sha256), .doc = "digest of the file"},
	{.name = "version", .type = SLT_CONF_STRING, .offset = S(slt_list, version), .doc = "version of the list"},
	{.name = "identity", .type = SLT_CONF_BOOL, .offset = S(slt_list, identity), .doc = "codes without a row are the pivot's"},
};
static const struct slt_conf_option pivot_list_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_list, id), .required = true, .doc = "id of the list"},
	{.name = "system", .type = SLT_CONF_STRING, .offset = S(slt_list, system_id), .doc = "id of the code system"},
	{.name = "file", .type = SLT_CONF_PATH, .offset = S(slt_list, file), .doc = "the members"},
	{.name = "sha256", .type = SLT_CONF_STRING, .offset = S(slt_list, sha256), .doc = "digest of the file"},
	{.name = "version", .type = SLT_CONF_STRING, .offset = S(slt_list, version), .doc = "version of the list"},
	{.name = "pattern", .type = SLT_CONF_STRING, .offset = S(slt_list, pattern), .doc = "what a code looks like"},
	{.name = "value_set", .type = SLT_CONF_STRING, .offset = S(slt_list, value_set), .doc = "OID of the value set"},
};
static const struct slt_conf_option identifier_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_identifier, id), .required = true, .doc = "class that rules name"},
	{.name = "root", .type = SLT_CONF_STRING, .offset = S(slt_identifier, root), .required = true, .doc = "OID"},
	{.name = "check", .type = SLT_CONF_STRING, .offset = S(slt_identifier, check), .fallback = "none", .doc = "hetu, isikukood, ytunnus, registrikood or none"},
	{.name = "pattern", .type = SLT_CONF_STRING, .offset = S(slt_identifier, pattern), .doc = "what an extension looks like"},
	{.name = "name", .type = SLT_CONF_STRING, .offset = S(slt_identifier, name), .doc = "what people call it"},
	{.name = "uri", .type = SLT_CONF_STRING, .offset = S(slt_identifier, uri), .doc = "FHIR's name of the root"},
	{.name = "below", .type = SLT_CONF_BOOL, .offset = S(slt_identifier, below), .doc = "also every OID below"},
	{.name = "no_extension", .type = SLT_CONF_BOOL, .offset = S(slt_identifier, no_extension), .doc = "stands without an extension"},
};
static const struct slt_conf_option foreign_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_foreign_identifier, id), .required = true, .doc = "class that rules name"},
	{.name = "home", .type = SLT_CONF_STRING, .offset = S(slt_foreign_identifier, home), .required = true, .doc = "country that issues it"},
	{.name = "home_root", .type = SLT_CONF_STRING, .offset = S(slt_foreign_identifier, home_root), .required = true, .doc = "its root there"},
	{.name = "root", .type = SLT_CONF_STRING, .offset = S(slt_foreign_identifier, root), .required = true, .doc = "its root here"},
	{.name = "uri", .type = SLT_CONF_STRING, .offset = S(slt_foreign_identifier, uri), .doc = "FHIR's name of that root"},
};
static const struct slt_conf_option instance_options[] = {
	{.name = "name", .type = SLT_CONF_STRING, .offset = S(slt_instance, name), .required = true, .doc = "instance identifier"},
	{.name = "environment", .type = SLT_CONF_ENUM, .offset = S(slt_instance, environment), .required = true, .values = "production|test|development", .doc = "which environment it is"},
};
#undef S
/* clang-format on */

/* --- patterns --- */

bool slt_pattern_compile(const char *pattern, regex_t **ret, struct slt_err *err)
{
	SLT_AUTO_STR char *whole = slt_asprintf("^(%s)$", pattern);
	regex_t *r = slt_calloc(1, sizeof(*r));
	int rc = strlen(pattern) > SLT_PATTERN_TEXT ? REG_ESPACE
						    : regcomp(r, whole, REG_EXTENDED | REG_NOSUB);

	if (rc != 0) {
		free(r);
		return slt_fail(err, SLT_ECONFIG, "'%s' is no extended regular expression",
				pattern);
	}
	*ret = r;
	return true;
}

bool slt_pattern_matches(const regex_t *r, const char *text)
{
	return strlen(text) <= SLT_PATTERN_TEXT && regexec(r, text, 0, NULL, 0) == 0;
}

void slt_pattern_free(regex_t *r)
{
	if (r) {
		regfree(r);
		free(r);
	}
}

/* --- loading --- */

struct loader {
	struct slt_conf *conf;
	struct slt_arena *a;
	struct slt_lint *lint;
	struct slt_country *c;
	struct slt_hasher *hasher;
};

static bool includes(const char *p)
{
	while (p) {
		p += strspn(p, " \t\r\n");
		if (strncmp(p, "@include", 8) == 0) {
			return true;
		}
		p = strchr(p, '\n');
	}
	return false;
}

bool slt_set_conf_open(const char *path, struct slt_lint *lint, struct slt_conf **ret,
		       char **ret_digest)
{
	SLT_AUTO_STR char *text = NULL;
	size_t n;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;
	SLT_AUTO_BUF(hex, 2 * SLT_DIGEST_MAX + 1);

	if (!slt_file_read(path, CONF_BYTES, &text, &n, &err)) {
		slt_lint_add_err(lint, &err);
		return false;
	}
	if (includes(text)) {
		slt_lint_add(lint, path, 0, "@include is not used in mapping sets");
		return false;
	}
	if (!slt_conf_open(path, ret, &err)) {
		slt_lint_add_err(lint, &err);
		return false;
	}
	slt_digest_of(SLT_SHA256, text, n, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	*ret_digest = slt_buf_take(&hex, NULL);
	return true;
}

/* Reads a list of groups into an array of structs of `size` bytes. */
static void *read_groups(struct loader *l, const char *name, const struct slt_conf_option *o,
			 size_t n_options, size_t size, size_t *ret_n)
{
	const struct slt_conf_group *root = slt_conf_root(l->conf);
	size_t n = slt_conf_group_count(root, name);
	char *all = slt_arena_alloc(l->a, (n + 1) * size);

	for (size_t i = 0; i < n; i++) {
		slt_conf_read(l->conf, slt_conf_group_at(root, name, i), o, n_options, l->a,
			      all + i * size);
	}
	*ret_n = n;
	return all;
}

static void complain(struct loader *l, const char *list, size_t i, const char *what,
		     const char *value)
{
	const struct slt_conf_group *root = slt_conf_root(l->conf);

	slt_conf_problem(l->conf, slt_conf_group_at(root, list, i), NULL, "%s: %s", value, what);
}

static void finish_systems(struct loader *l)
{
	for (size_t i = 0; i < l->c->n_systems; i++) {
		for (size_t k = 0; k < i; k++) {
			const char *id = l->c->system[i].id;
			if (id && l->c->system[k].id && strcmp(id, l->c->system[k].id) == 0) {
				complain(l, "systems", i, "stands twice", id);
			}
		}
	}
}

static void finish_list(struct loader *l, size_t i)
{
	struct slt_list *list = &l->c->list[i];
	bool pivot = strcmp(l->c->code, SLT_PIVOT) == 0;
	struct slt_err err = SLT_ERR_INIT;

	for (size_t k = 0; list->system_id && k < l->c->n_systems; k++) {
		if (l->c->system[k].id && strcmp(l->c->system[k].id, list->system_id) == 0) {
			list->system = &l->c->system[k];
		}
	}
	if (list->system_id && !list->system) {
		complain(l, "lists", i, "is none of the systems", list->system_id);
	}
	if (slt_country_list(l->c, list->id) != list) {
		complain(l, "lists", i, "stands twice", list->id);
	}
	if (list->pattern && !slt_pattern_compile(list->pattern, &list->regex, &err)) {
		complain(l, "lists", i, err.msg, list->id);
	}
	if (!list->file) {
		return;
	}
	if (slt_table_load(list->file, list->sha256, pivot ? SLT_TABLE_PIVOT : SLT_TABLE_COUNTRY,
			   l->lint, &list->table)) {
		const char *d = slt_table_digest(list->table);
		slt_hasher_add(l->hasher, list->id, strlen(list->id) + 1);
		slt_hasher_add(l->hasher, d, strlen(d) + 1);
	}
}

static void finish_identifiers(struct loader *l)
{
	for (size_t i = 0; i < l->c->n_identifiers; i++) {
		struct slt_identifier *id = &l->c->identifier[i];
		struct slt_err err = SLT_ERR_INIT;

		if (id->check && !slt_code_scheme_by_name(id->check, &id->scheme)) {
			complain(l, "identifiers", i,
				 "is not hetu, isikukood, ytunnus, registrikood or none",
				 id->check);
		}
		if (id->pattern && !slt_pattern_compile(id->pattern, &id->regex, &err)) {
			complain(l, "identifiers", i, err.msg, id->id ? id->id : "?");
		}
	}
}

static void read_date(struct loader *l, const char *option, const char *text, uint32_t *ret)
{
	if (text && !slt_date_parse_iso(slt_str(text), ret)) {
		slt_conf_problem(l->conf, slt_conf_root(l->conf), option,
				 "%s is not a date of the form YYYY-MM-DD", option);
	}
}

static void read_country(struct loader *l, const char *code)
{
	struct slt_country *c = l->c;

	if (!slt_conf_read(l->conf, slt_conf_root(l->conf), country_options,
			   SLT_COUNT(country_options), l->a, c)) {
		return;
	}
	if (strcmp(c->code, code) != 0) {
		slt_conf_problem(l->conf, slt_conf_root(l->conf), "country",
				 "country is \"%s\" in the directory of %s", c->code, code);
	}
	if (c->languages.n == 0) {
		slt_conf_problem(l->conf, slt_conf_root(l->conf), "languages",
				 "no language is named");
	}
	read_date(l, "effective_from", c->effective_from_text, &c->effective_from);
	read_date(l, "effective_to", c->effective_to_text, &c->effective_to);
	c->identifier =
		read_groups(l, "identifiers", identifier_options, SLT_COUNT(identifier_options),
			    sizeof(*c->identifier), &c->n_identifiers);
	c->foreign = read_groups(l, "foreign_identifiers", foreign_options,
				 SLT_COUNT(foreign_options), sizeof(*c->foreign), &c->n_foreign);
	c->instance = read_groups(l, "instances", instance_options, SLT_COUNT(instance_options),
				  sizeof(*c->instance), &c->n_instances);
}

static void read_lists(struct loader *l, const struct slt_conf_option *o, size_t n)
{
	struct slt_country *c = l->c;

	c->system = read_groups(l, "systems", system_options, SLT_COUNT(system_options),
				sizeof(*c->system), &c->n_systems);
	c->list = read_groups(l, "lists", o, n, sizeof(*c->list), &c->n_lists);
}

static bool load(const char *path, const char *code, bool pivot, struct slt_arena *a,
		 struct slt_lint *lint, struct slt_country **ret)
{
	SLT_AUTO(slt_conf_close) struct slt_conf *conf = NULL;
	SLT_AUTO_STR char *digest = NULL;

	if (!slt_set_conf_open(path, lint, &conf, &digest)) {
		return false;
	}
	SLT_AUTO(slt_country_free) struct slt_country *c = slt_calloc(1, sizeof(*c));
	SLT_AUTO(slt_hasher_free) struct slt_hasher *hasher = slt_hasher_new(SLT_SHA256);
	struct loader l = {.conf = conf, .a = a, .lint = lint, .c = c, .hasher = hasher};
	size_t before = lint->total;

	slt_hasher_add(hasher, digest, strlen(digest) + 1);
	if (pivot) {
		slt_conf_read(conf, slt_conf_root(conf), pivot_options, SLT_COUNT(pivot_options), a,
			      c);
		read_lists(&l, pivot_list_options, SLT_COUNT(pivot_list_options));
	} else {
		read_country(&l, code);
		read_lists(&l, list_options, SLT_COUNT(list_options));
	}
	c->code = slt_arena_strdup(a, code);
	if (slt_conf_problem_count(conf) == 0) {
		finish_systems(&l);
		finish_identifiers(&l);
		for (size_t i = 0; i < c->n_lists; i++) {
			finish_list(&l, i);
		}
	}
	struct slt_digest d;
	SLT_AUTO_BUF(hex, 2 * SLT_DIGEST_MAX + 1);
	slt_hasher_end(hasher, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	c->digest = slt_arena_strdup(a, hex.p);
	slt_lint_add_conf(lint, conf);
	if (lint->total != before && slt_conf_problem_count(conf) > 0) {
		return false;
	}
	*ret = SLT_TAKE(c);
	return true;
}

bool slt_country_load(const char *dir, const char *code, struct slt_arena *a, struct slt_lint *lint,
		      struct slt_country **ret)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, "country.conf");

	return load(path, code, false, a, lint, ret);
}

bool slt_pivot_load(const char *dir, struct slt_arena *a, struct slt_lint *lint,
		    struct slt_country **ret)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, "pivot.conf");

	return load(path, SLT_PIVOT, true, a, lint, ret);
}

void slt_country_free(struct slt_country *c)
{
	if (!c) {
		return;
	}
	for (size_t i = 0; i < c->n_lists; i++) {
		slt_table_free(c->list[i].table);
		slt_pattern_free(c->list[i].regex);
	}
	for (size_t i = 0; i < c->n_identifiers; i++) {
		slt_pattern_free(c->identifier[i].regex);
	}
	free(c);
}

/* --- checks across files --- */

static void check_pivot_codes(const struct slt_list *list, const struct slt_list *pivot,
			      struct slt_lint *lint)
{
	const struct slt_table *t = list->table;

	for (uint32_t i = 0; t && pivot->table && i < slt_table_rows(t); i++) {
		const struct slt_row *r = slt_table_row(t, i);
		const char *code = slt_table_text(t, r->pivot_code);
		const char *bare = strrchr(code, ' ');

		/* "3 mo": the unit behind the number */
		bare = bare && code[0] >= '0' && code[0] <= '9' ? bare + 1 : code;
		if (*code && slt_table_by_code(pivot->table, bare) == SLT_ROW_NONE) {
			slt_lint_add(lint, slt_table_path(t), r->line,
				     "pivot_code '%.60s' is not in the pivot's list %s", code,
				     list->id);
		}
	}
}

void slt_country_check(const struct slt_country *c, const struct slt_country *pivot,
		       const char *dir, struct slt_lint *lint)
{
	for (size_t i = 0; i < c->n_lists; i++) {
		const struct slt_list *p = slt_country_list(pivot, c->list[i].id);

		if (!p) {
			slt_lint_add(lint, dir, 0, "list %s: the pivot has no list of this id",
				     c->list[i].id);
			continue;
		}
		if (c->list[i].identity && !p->table && !p->regex) {
			slt_lint_add(lint, dir, 0,
				     "list %s: identity needs a file or a pattern in the pivot",
				     c->list[i].id);
		}
		if (!c->list[i].identity && !c->list[i].table) {
			slt_lint_add(lint, dir, 0, "list %s has neither a file nor identity",
				     c->list[i].id);
		}
		check_pivot_codes(&c->list[i], p, lint);
	}
}

/* --- asking --- */

const struct slt_list *slt_country_list(const struct slt_country *c, const char *id)
{
	for (size_t i = 0; id && i < c->n_lists; i++) {
		const char *own = c->list[i].id;
		if (own && own[0] == id[0] && strcmp(own, id) == 0) {
			return &c->list[i];
		}
	}
	return NULL;
}

static bool contains(const struct slt_conf_strings *s, const char *what)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->v[i], what) == 0) {
			return true;
		}
	}
	return false;
}

enum slt_system_match slt_system_match(const struct slt_system *s, const char *code_system)
{
	if (!s || !code_system) {
		return SLT_SYSTEM_OTHER;
	}
	if (strcmp(s->oid, code_system) == 0 || contains(&s->also, code_system)) {
		return SLT_SYSTEM_CODE;
	}
	return contains(&s->by_name, code_system) ? SLT_SYSTEM_NAME : SLT_SYSTEM_OTHER;
}

static bool root_belongs(const struct slt_identifier *id, const char *root)
{
	size_t n = strlen(id->root);

	if (strncmp(id->root, root, n) != 0) {
		return false;
	}
	return root[n] == '\0' || (id->below && root[n] == '.' && root[n + 1] != '\0');
}

const struct slt_identifier *slt_country_identifier(const struct slt_country *c, const char *id,
						    const char *root)
{
	for (size_t i = 0; i < c->n_identifiers; i++) {
		const struct slt_identifier *x = &c->identifier[i];
		if ((!id || strcmp(x->id, id) == 0) && root_belongs(x, root)) {
			return x;
		}
	}
	return NULL;
}

const char *slt_country_language(const struct slt_country *c)
{
	return c->languages.v[0];
}
