/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Schemas that documents of a flow must fit, before the rules and after them: XML Schema 1.0 and
 * ISO Schematron (as far as libxml2 knows them: XPath 1.0), one file each, inside the set.
 *
 * Read when the set is loaded. What a schema includes or imports from elsewhere is not: such a
 * schema is refused. A loaded one never changes and is used by any number of threads; a
 * schematron is compiled for each document, because libxml2 writes into what it compiled.
 *
 * Does not check: that a schema ends in reasonable time; its author is trusted like that of rules.
 */

#include "base/xml.h"
#include "mappings/lint.h"

#define SLT_SCHEMA_BYTES  (4u << 20)
#define SLT_SCHEMA_ERRORS 20 /* told of one document */

enum slt_schema_kind { SLT_SCHEMA_XSD, SLT_SCHEMA_SCHEMATRON };

struct slt_schema;

/* Problems go to the lint. `ret_digest` has room for SHA-256 in hex and a NUL. */
SLT_CHECK bool slt_schema_load(const char *path, enum slt_schema_kind kind, struct slt_lint *lint,
			       struct slt_schema **ret, char ret_digest[65]);
void slt_schema_free(struct slt_schema *s);
SLT_DEFINE_AUTO(struct slt_schema *, slt_schema_free)

/* Calls fn for each error, with the element ("line 12, element birthTime") and what is wrong with
 * it. Values of the document are left out of what XML Schema says. False when there was any, or
 * when it could not be tried. */
typedef void slt_schema_fn(void *arg, const char *place, const char *text);
SLT_CHECK bool slt_schema_fits(const struct slt_schema *s, xmlNode *root, slt_schema_fn *fn,
			       void *arg);
