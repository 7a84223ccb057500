/* SPDX-License-Identifier: MIT */
#include "mappings/interchange.h"

#include <string.h>

#include "mappings/date.h"

static const char *const names[] = {"conceptmap-r4", "conceptmap-r5", "sssom"};

bool slt_interchange_by_name(const char *name, enum slt_interchange *ret)
{
	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum slt_interchange)i;
			return true;
		}
	}
	return false;
}

const char *slt_interchange_system(const struct slt_country *c, const struct slt_list *list,
				   struct slt_arena *a)
{
	const struct slt_system *s = list ? list->system : NULL;

	if (s && s->uri) {
		return s->uri;
	}
	if (s && s->oid[strspn(s->oid, "0123456789.")] == '\0') {
		return slt_arena_printf(a, "urn:oid:%s", s->oid);
	}
	return slt_arena_printf(a, "urn:silta:codes:%s:%s", c->code,
				s      ? s->oid
				: list ? list->id
				       : "");
}

/* --- what a table may hold --- */

static bool one_of(const char *cell, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(cell, *words) == 0) {
			return true;
		}
	}
	return *cell == '\0';
}

/* Words of the cells that have a fixed set of them; NULL for all others. */
static const char *const *words_of(size_t column)
{
	static const char *const relations[] = {"equivalent",
						"source-is-narrower-than-target",
						"source-is-broader-than-target",
						"related-to",
						"not-related-to",
						NULL};
	static const char *const directions[] = {"both", "to-pivot", "from-pivot", NULL};
	static const char *const yes_no[] = {"yes", "no", NULL};
	static const char *const statuses[] = {"active", "draft", "retired", NULL};

	switch (column) {
	case SLT_COL_RELATION:
		return relations;
	case SLT_COL_DIRECTION:
		return directions;
	case SLT_COL_PREFERRED:
		return yes_no;
	case SLT_COL_STATUS:
		return statuses;
	default:
		return NULL;
	}
}

static bool cell_fits(size_t column, const char *cell, const char **why)
{
	const char *const *words = words_of(column);
	uint32_t date;

	if (!slt_raw_cell_fits(cell, why)) {
		return false;
	}
	if (words && !one_of(cell, words)) {
		*why = "is none of the words for it";
		return false;
	}
	if ((column == SLT_COL_VALID_FROM || column == SLT_COL_VALID_TO) && *cell &&
	    !slt_date_parse_iso(slt_str(cell), &date)) {
		*why = "is no date (2026-11-23)";
		return false;
	}
	return true;
}

void slt_interchange_add(struct slt_raw_table *t, const char *path, const char *where,
			 const struct slt_raw_row *row, struct slt_interchange_report *report)
{
	const char *code = row->cell[SLT_COL_CODE], *why = NULL;

	if (!code || !*code) {
		slt_lint_add(report->refused, path, 0, "%s: there is no code of the source", where);
		return;
	}
	for (size_t i = 0; i < SLT_TABLE_COLUMNS; i++) {
		const char *cell = row->cell[i] ? row->cell[i] : "";
		if (!cell_fits(i, cell, &why)) {
			slt_lint_add(report->refused, path, 0, "%s: code %.60s: %s '%.60s' %s",
				     where, code, slt_table_columns[i], cell, why);
			return;
		}
	}
	slt_raw_table_add(t, row);
}

/* --- all forms --- */

static void lose_settings(enum slt_interchange form, const struct slt_interchange_info *info,
			  struct slt_lint *losses)
{
	if (form == SLT_SSSOM && info->list->identity) {
		slt_lint_add(losses, info->list->file, 0,
			     "codes without a row stand for themselves (identity): SSSOM cannot "
			     "say so");
	}
}

void slt_interchange_write(enum slt_interchange form, const struct slt_raw_table *t,
			   const struct slt_interchange_info *info, struct slt_lint *losses,
			   struct slt_buf *out)
{
	lose_settings(form, info, losses);
	if (form == SLT_SSSOM) {
		slt_sssom_write(t, info, losses, out);
	} else {
		slt_conceptmap_write(form == SLT_CONCEPTMAP_R5, t, info, losses, out);
	}
}

bool slt_interchange_read(enum slt_interchange form, struct slt_str text, const char *path,
			  struct slt_interchange_report *report, struct slt_raw_table **ret,
			  struct slt_err *err)
{
	SLT_AUTO(slt_raw_table_free) struct slt_raw_table *t = slt_raw_table_new();
	bool good = form == SLT_SSSOM ? slt_sssom_read(text, path, report, t, err)
				      : slt_conceptmap_read(form == SLT_CONCEPTMAP_R5, text, path,
							    report, t, err);

	if (!good) {
		return false;
	}
	slt_raw_table_sort(t);
	*ret = SLT_TAKE(t);
	return true;
}
