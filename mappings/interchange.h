/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Tables in the forms that others read and write: FHIR ConceptMap (R4 and R5, JSON) and SSSOM
 * (TSV with a YAML header). The map goes from the country's codes to the pivot's.
 *
 * What a form has no place for by itself stands in extensions: of R4's and R5's elements under
 * SLT_TABLE_URN and the column's name, in R5's properties of targets, in SSSOM's extension columns
 * "ext_" and the column's name. So a table that was written and is read again has the same rows in
 * the same words; an empty `relation` beside a pivot code comes back as "equivalent", which it
 * means. What cannot be said is a loss, and each loss is a line of the lint given.
 *
 * Reading takes what others wrote: rows that no table may hold are refused, with the reason.
 */

#include "mappings/country.h"
#include "mappings/raw_table.h"

#define SLT_TABLE_URN	    "urn:silta:table:"
#define SLT_INTERCHANGE_MAX (256u << 20) /* bytes of a map */

enum slt_interchange { SLT_CONCEPTMAP_R4, SLT_CONCEPTMAP_R5, SLT_SSSOM };

struct slt_interchange_info { /* about the table, for the map's head */
	const struct slt_country *country, *pivot;
	const struct slt_list *list, *pivot_list; /* pivot_list NULL when there is none */
};

struct slt_interchange_report {
	struct slt_lint *losses;  /* what the result does not hold */
	struct slt_lint *refused; /* rows that are not in the result; reading only */
};

/* The word of a form, "conceptmap-r4", "conceptmap-r5", "sssom"; false when it is none. */
SLT_CHECK bool slt_interchange_by_name(const char *name, enum slt_interchange *ret);

/* Writes the rows in their order. */
void slt_interchange_write(enum slt_interchange form, const struct slt_raw_table *t,
			   const struct slt_interchange_info *info, struct slt_lint *losses,
			   struct slt_buf *out);
/* `path` is for messages. SLT_EINVAL when it is no such map at all. Sorted by code. */
SLT_CHECK bool slt_interchange_read(enum slt_interchange form, struct slt_str text,
				    const char *path, struct slt_interchange_report *report,
				    struct slt_raw_table **ret, struct slt_err *err);

/* --- between interchange.c, conceptmap_write.c, conceptmap_read.c, sssom.c --- */

/* Identifies a code system to FHIR and SSSOM: its URI, urn:oid: and its OID, else a URN of ours. */
const char *slt_interchange_system(const struct slt_country *c, const struct slt_list *list,
				   struct slt_arena *a);
/* Adds a row, or says why not; `where` names it ("element 12", "line 12"). */
void slt_interchange_add(struct slt_raw_table *t, const char *path, const char *where,
			 const struct slt_raw_row *row, struct slt_interchange_report *report);
void slt_conceptmap_write(bool r5, const struct slt_raw_table *t,
			  const struct slt_interchange_info *info, struct slt_lint *losses,
			  struct slt_buf *out);
SLT_CHECK bool slt_conceptmap_read(bool r5, struct slt_str text, const char *path,
				   struct slt_interchange_report *report, struct slt_raw_table *t,
				   struct slt_err *err);
void slt_sssom_write(const struct slt_raw_table *t, const struct slt_interchange_info *info,
		     struct slt_lint *losses, struct slt_buf *out);
SLT_CHECK bool slt_sssom_read(struct slt_str text, const char *path,
			      struct slt_interchange_report *report, struct slt_raw_table *t,
			      struct slt_err *err);
