/* SPDX-License-Identifier: MIT */
/* Schemas of a flow against the document at hand. */
#include "mappings/walk.h"

struct checking {
	struct slt_walk *w;
	const char *rule, *detail;
};

static void misfit(void *arg, const char *place, const char *text)
{
	struct checking *c = arg;
	struct slt_arena *a = c->w->arena;
	struct slt_map_problem p = {.rule = c->rule,
				    .field = "field.structure",
				    .place = slt_arena_strdup(a, place),
				    .detail = slt_arena_printf(a, "%s: %s", c->detail, text)};

	slt_walk_say(c->w, c->rule, SLT_OUT_REFUSED, NULL, NULL, p.detail);
	slt_walk_problem(c->w, NULL, SLT_FED_STR_001, SLT_SEV_ERROR, &p);
}

static void check(struct slt_walk *w, const struct slt_schema *s, xmlNode *root, const char *rule,
		  bool before)
{
	struct checking c = {w, rule, before ? "as it came" : "as translated"};

	if (s && slt_schema_fits(s, root, misfit, &c)) {
		slt_walk_say(w, rule, SLT_OUT_CHECKED, NULL, NULL, c.detail);
	}
}

static void check_all(struct slt_walk *w, const struct slt_schemas *all, size_t n, xmlNode *root,
		      bool before)
{
	for (size_t i = 0; i < n; i++) {
		if (slt_rule_applies(&all[i].documents, w->kind)) {
			check(w, all[i].schema, root, "schema", before);
			check(w, all[i].schematron, root, "schematron", before);
		}
	}
}

void slt_schemas_check(struct slt_walk *w, xmlNode *root, bool before)
{
	const struct slt_flow_country *side = before ? w->from_flow : w->to_flow;

	/* what is refused already was not translated to its end */
	if (!w->json && (before || w->problems->errors == 0)) {
		check_all(w, w->flow->schemas, w->flow->n_schemas, root, before);
		check_all(w, side->schemas, side->n_schemas, root, before);
	}
}
