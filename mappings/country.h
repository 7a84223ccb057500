/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A country of the set (country.conf and its tables), or the pivot (pivot.conf): code systems,
 * lists, identifiers. Read once, then never changed.
 */

#include <regex.h>

#include "mappings/personal_code.h"
#include "mappings/table.h"

#define SLT_PIVOT "pivot" /* code of the pivot, where a country's would stand */

struct slt_system {
	const char *id, *oid, *name, *version, *uri;
	struct slt_conf_strings also, by_name;
};

struct slt_list {
	const char *id, *system_id, *file, *sha256, *version, *pattern, *value_set;
	bool identity;
	const struct slt_system *system; /* NULL: codes without a code system */
	struct slt_table *table;	 /* NULL: no file */
	regex_t *regex;			 /* of pattern; NULL: none */
};

struct slt_identifier {
	const char *id, *root, *check, *pattern, *name, *uri;
	bool below, no_extension;
	enum slt_code_scheme scheme;
	regex_t *regex;
};

struct slt_foreign_identifier {
	const char *id, *home, *home_root, *root, *uri;
};

struct slt_instance {
	const char *name;
	int environment; /* index into slt_environments */
};

extern const char *const slt_environments[]; /* production, test, development */

struct slt_country {
	const char *code, *name, *version, *language_tag, *numeric;
	const char *effective_from_text, *effective_to_text;
	uint32_t effective_from, effective_to; /* 0: open */
	struct slt_conf_strings languages, approved;
	int decimal; /* 0 comma, 1 point */
	struct slt_system *system;
	struct slt_list *list;
	struct slt_identifier *identifier;
	struct slt_foreign_identifier *foreign;
	struct slt_instance *instance;
	size_t n_systems, n_lists, n_identifiers, n_foreign, n_instances;
	const char *digest; /* SHA-256 over the conf file and its tables, hex */
};

/* Problems go to the lint; false when there is nothing to go on with. Strings live in the arena,
 * which must outlive the country. */
SLT_CHECK bool slt_country_load(const char *dir, const char *code, struct slt_arena *a,
				struct slt_lint *lint, struct slt_country **ret);
/* dir/pivot.conf; code is SLT_PIVOT. */
SLT_CHECK bool slt_pivot_load(const char *dir, struct slt_arena *a, struct slt_lint *lint,
			      struct slt_country **ret);
/* Cross-checks a country's lists with the pivot's. */
void slt_country_check(const struct slt_country *c, const struct slt_country *pivot,
		       const char *dir, struct slt_lint *lint);
void slt_country_free(struct slt_country *c);
SLT_DEFINE_AUTO(struct slt_country *, slt_country_free)

const struct slt_list *slt_country_list(const struct slt_country *c, const char *id);
/* How a codeSystem stands to a system: not at all, as one of its codes, or by name. */
enum slt_system_match { SLT_SYSTEM_OTHER, SLT_SYSTEM_CODE, SLT_SYSTEM_NAME };
enum slt_system_match slt_system_match(const struct slt_system *s, const char *code_system);
/* The identifier of a class (NULL: any) that the root belongs to; NULL when none does. */
const struct slt_identifier *slt_country_identifier(const struct slt_country *c, const char *id,
						    const char *root);
const char *slt_country_language(const struct slt_country *c); /* "et" */

/* A pattern that must match the whole text. SLT_ECONFIG. */
#define SLT_PATTERN_TEXT 256 /* longer texts never match */
SLT_CHECK bool slt_pattern_compile(const char *pattern, regex_t **ret, struct slt_err *err);
bool slt_pattern_matches(const regex_t *r, const char *text);
void slt_pattern_free(regex_t *r);

/* Reads a conf file's bytes for their digest and opens it; refuses @include, which a digest would
 * not cover. */
SLT_CHECK bool slt_set_conf_open(const char *path, struct slt_lint *lint, struct slt_conf **ret,
				 char **ret_digest);
