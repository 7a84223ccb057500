/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A trace as one HTML page for people: before and after side by side, field by field, with rule,
 * table and versions of each, and what could not be mapped in the three languages of the
 * catalogue. Nothing is loaded from elsewhere and nothing is run; outcomes are told by word and
 * mark as well as by colour; it prints on A4. Same trace and problems, same bytes.
 *
 * Values that can name a person are hidden unless they are asked for, as in the JSON.
 */

#include "mappings/mapset.h"

struct slt_explain {
	const struct slt_mapset *set; /* for names of fields and code systems */
	const struct slt_map_result *result;
	const char *title; /* of the document; the name of its file, say */
	const char *lang;  /* of the fields' names: "et", "fi", "en" */
	bool refused;
	bool personal;
};

#define SLT_EXPLAIN_MAX (64u << 20) /* bytes of a page */

void slt_explain_html(const struct slt_explain *e, struct slt_buf *out);
