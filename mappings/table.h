/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A code list of one country, mapped to the pivot; or a list of the pivot's own codes.
 * (mappings/README.md describes the columns.)
 *
 * Rows keep their order in the file. Three indexes (code, pivot code, name) find the rows in a
 * time that does not depend on their number.
 */

#include "mappings/cond.h"
#include "mappings/lint.h"

enum slt_relation {
	SLT_REL_EQUIVALENT,
	SLT_REL_NARROWER, /* the country's code is narrower than the pivot's */
	SLT_REL_BROADER,
	SLT_REL_RELATED,
	SLT_REL_NOT_RELATED,
};

enum slt_direction { SLT_DIR_BOTH, SLT_DIR_TO_PIVOT, SLT_DIR_FROM_PIVOT };
enum slt_row_status { SLT_ROW_ACTIVE, SLT_ROW_DRAFT, SLT_ROW_RETIRED };

#define SLT_TABLE_COLUMNS 17
extern const char *const slt_table_columns[SLT_TABLE_COLUMNS]; /* in the order they are written */

#define SLT_ROW_NONE UINT32_MAX
#define SLT_CODE_MAX 1024 /* bytes of a code */

struct slt_row { /* texts are offsets for slt_table_text(); the empty text is "" */
	uint32_t code, display, lang, pivot_code, pivot_display, replaced_by;
	uint32_t justification, source, reviewed, note;
	uint32_t valid_from, valid_to; /* YYYYMMDD, 0: open */
	uint32_t line;
	uint8_t relation, direction, status;
	bool preferred;
	const struct slt_cond *when; /* NULL: always */
};

struct slt_table;

enum slt_table_kind { SLT_TABLE_COUNTRY, SLT_TABLE_PIVOT };

/* Problems go to the lint; false when nothing can be used (a table with problems in single rows
 * is returned, for the lint to say all). sha256 may be NULL. */
SLT_CHECK bool slt_table_load(const char *path, const char *sha256, enum slt_table_kind kind,
			      struct slt_lint *lint, struct slt_table **ret);
SLT_CHECK bool slt_table_load_bytes(const char *path, struct slt_str bytes,
				    enum slt_table_kind kind, struct slt_lint *lint,
				    struct slt_table **ret);
void slt_table_free(struct slt_table *t);
SLT_DEFINE_AUTO(struct slt_table *, slt_table_free)

uint32_t slt_table_rows(const struct slt_table *t);
const struct slt_row *slt_table_row(const struct slt_table *t, uint32_t i);
const char *slt_table_text(const struct slt_table *t, uint32_t offset);
const char *slt_table_path(const struct slt_table *t);
const char *slt_table_digest(const struct slt_table *t); /* SHA-256 of the file, hex */

/* The first row with the key, in the order of the file, and the next ones with the same; or
 * SLT_ROW_NONE. Names are compared with letter case folded. */
uint32_t slt_table_by_code(const struct slt_table *t, const char *code);
uint32_t slt_table_by_pivot(const struct slt_table *t, const char *pivot_code);
uint32_t slt_table_by_name(const struct slt_table *t, const char *name);
uint32_t slt_table_next_code(const struct slt_table *t, uint32_t row);
uint32_t slt_table_next_pivot(const struct slt_table *t, uint32_t row);
uint32_t slt_table_next_name(const struct slt_table *t, uint32_t row);

/* The row counts on that date (0: unknown date, then only open ended rows that are active). */
bool slt_row_in_force(const struct slt_row *r, uint32_t date);

/* FHIR R5's words. */
const char *slt_relation_name(enum slt_relation r);
SLT_CHECK bool slt_relation_by_name(const char *name, enum slt_relation *ret);
enum slt_relation slt_relation_flip(enum slt_relation r);
enum slt_relation slt_relation_compose(enum slt_relation a, enum slt_relation b);

/* Lower case of ASCII, Latin-1 and Latin Extended-A letters, the rest unchanged; at most n bytes
 * with the terminator; false if it does not fit. */
SLT_CHECK bool slt_fold(const char *s, char *ret, size_t n);
