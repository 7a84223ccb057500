/* SPDX-License-Identifier: MIT */
#include "mappings/flow_read.h"

#include <string.h>

/* clang-format off */
#define S(type, field) offsetof(struct type, field)
static const struct slt_conf_option shape_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_shape, id), .required = true, .doc = "name of the shape"},
	{.name = "match", .type = SLT_CONF_STRINGS, .offset = S(slt_shape, match_words), .required = true, .doc = "root elements"},
	{.name = "becomes", .type = SLT_CONF_STRING, .offset = S(slt_shape, becomes), .required = true, .doc = "kind of document that is made of it"},
	{.name = "signature", .type = SLT_CONF_ENUM, .offset = S(slt_shape, signature), .values = "required|checked", .fallback = "required", .doc = "whether a document may come without signature of its own"},
	{.name = "signature_at", .type = SLT_CONF_STRING, .offset = S(slt_shape, signature_text), .required = true, .doc = "where the document's own signature is"},
	{.name = "parts", .type = SLT_CONF_GROUPS, .doc = "what is made of what, in the order of the result"},
};
static const struct slt_conf_option part_options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(slt_shape_part, id), .doc = "name in the trace"},
	{.name = "what", .type = SLT_CONF_ENUM, .offset = S(slt_shape_part, what), .values = "put|code|tree|check|drop|forbid", .fallback = "put", .doc = "what is done"},
	{.name = "from", .type = SLT_CONF_STRING, .offset = S(slt_shape_part, from_text), .doc = "path in the source"},
	{.name = "to", .type = SLT_CONF_STRING, .offset = S(slt_shape_part, to_text), .doc = "names in the result"},
	{.name = "same", .type = SLT_CONF_STRING, .offset = S(slt_shape_part, same_text), .doc = "path of what must say the same"},
	{.name = "only", .type = SLT_CONF_STRINGS, .offset = S(slt_shape_part, only_words), .doc = "values that are understood"},
	{.name = "set", .type = SLT_CONF_STRINGS, .offset = S(slt_shape_part, set_words), .doc = "constant attributes"},
	{.name = "otherwise", .type = SLT_CONF_STRINGS, .offset = S(slt_shape_part, otherwise_words), .doc = "attributes where the source has nothing"},
	{.name = "given", .type = SLT_CONF_STRING, .offset = S(slt_shape_part, given_text), .doc = "path without which the part is left out"},
	{.name = "required", .type = SLT_CONF_BOOL, .offset = S(slt_shape_part, required), .doc = "must be there"},
	{.name = "each", .type = SLT_CONF_BOOL, .offset = S(slt_shape_part, each), .doc = "may stand more than once"},
	{.name = "outside", .type = SLT_CONF_BOOL, .offset = S(slt_shape_part, outside), .doc = "may come from what the signature does not cover"},
	{.name = "field", .type = SLT_CONF_STRING, .offset = S(slt_shape_part, field), .doc = "what people call it"},
	{.name = "error", .type = SLT_CONF_STRING, .offset = S(slt_shape_part, error_text), .doc = "fault code"},
	{.name = "parts", .type = SLT_CONF_GROUPS, .doc = "parts of a group, relative to what was found"},
};
#undef S
/* clang-format on */

struct at { /* a group, for problems */
	const struct slt_flow_reader *r;
	const struct slt_conf_group *g;
};

static void read_path(struct at at, const char *option, const char *text, struct slt_path **ret)
{
	struct slt_err err = SLT_ERR_INIT;

	if (text && !slt_path_parse(text, at.r->prefixes, at.r->a, ret, &err)) {
		slt_conf_problem(at.r->c, at.g, option, "%s: %s", option, err.msg);
	} else if (text && (*ret)->json) {
		slt_conf_problem(at.r->c, at.g, option, "%s: shapes are for XML", option);
	}
}

/* "cda:a/+cda:b/@c" */
static void read_to(struct at at, struct slt_shape_part *p)
{
	const char *text = p->to_text;

	while (text && *text) {
		size_t n = strcspn(text, "/");
		const char *word = slt_arena_strndup(at.r->a, text, n);
		struct slt_shape_step *s = &p->step[p->n_steps];
		bool last = text[n] == '\0', attribute = word[0] == '@' && last;
		bool good = p->n_steps < SLT_SHAPE_STEPS;

		if (good && attribute) {
			good = slt_name_parse(word + 1, at.r->prefixes, &p->attribute);
		} else if (good) {
			s->fresh = word[0] == '+';
			s->as_is = last && strcmp(word + s->fresh, "*") == 0;
			good = s->as_is ||
			       slt_name_parse(word + s->fresh, at.r->prefixes, &s->name);
			good = good && (s->as_is || s->name.uri);
			p->n_steps++;
		}
		if (!good) {
			slt_conf_problem(at.r->c, at.g, "to",
					 "to: '%s' is no name with a declared prefix", word);
			return;
		}
		text += n + !last;
	}
}

static struct slt_shape_set *read_sets(struct at at, const char *option,
				       const struct slt_conf_strings *words)
{
	struct slt_shape_set *all = slt_arena_alloc(at.r->a, (words->n + 1) * sizeof(*all));

	for (size_t i = 0; i < words->n; i++) {
		const char *equals = strchr(words->v[i], '=');
		const char *name =
			slt_arena_strndup(at.r->a, words->v[i], strcspn(words->v[i], "="));
		if (!equals || !slt_name_parse(name, at.r->prefixes, &all[i].name)) {
			slt_conf_problem(at.r->c, at.g, option, "%s: '%s' is not name=value",
					 option, words->v[i]);
		}
		all[i].value = equals ? equals + 1 : "";
	}
	return all;
}

static void check_part(struct at at, const struct slt_shape_part *p)
{
	const char *wrong = NULL;
	bool makes =
		p->what == SLT_SHAPE_PUT || p->what == SLT_SHAPE_CODE || p->what == SLT_SHAPE_TREE;

	if (makes && p->n_steps == 0 && !p->attribute.local) {
		wrong = "to is needed";
	} else if (!makes && p->to_text) {
		wrong = "nothing is made here: no to";
	} else if (p->what != SLT_SHAPE_PUT && !p->from) {
		wrong = "from is needed";
	} else if (p->what == SLT_SHAPE_CHECK && !p->same && p->only_words.n == 0) {
		wrong = "same or only is needed";
	} else if (p->n_parts > 0 && (p->what != SLT_SHAPE_PUT || p->attribute.local || !p->from)) {
		wrong = "a group is put from something to an element";
	} else if (p->what == SLT_SHAPE_PUT && !p->from && p->attribute.local) {
		wrong = "constants stand in set";
	} else if (p->what != SLT_SHAPE_PUT && p->attribute.local) {
		wrong = "a coding is put to an element";
	}
	if (wrong) {
		slt_conf_problem(at.r->c, at.g, NULL, "part %s: %s", p->id ? p->id : "?", wrong);
	}
}

static struct slt_shape_part *read_parts(const struct slt_flow_reader *r,
					 const struct slt_conf_group *parent, unsigned depth,
					 size_t *ret_n);

static void read_part(struct at at, struct slt_shape_part *p, unsigned depth)
{
	read_path(at, "from", p->from_text, &p->from);
	read_path(at, "same", p->same_text, &p->same);
	read_path(at, "given", p->given_text, &p->given);
	read_to(at, p);
	p->set = read_sets(at, "set", &p->set_words);
	p->otherwise = read_sets(at, "otherwise", &p->otherwise_words);
	p->line = (unsigned)slt_conf_line(at.g, NULL);
	if (!p->id) {
		p->id = p->to_text ? p->to_text : "shape";
	}
	if (p->error_text) {
		p->error = slt_code_find(p->error_text);
		if (p->error == SLT_OK || strncmp(p->error_text, "FED-", 4) != 0) {
			slt_conf_problem(at.r->c, at.g, "error", "error: '%s' is no FED- code",
					 p->error_text);
		}
	}
	if (depth < 2) {
		p->part = read_parts(at.r, at.g, depth + 1, &p->n_parts);
	} else if (slt_conf_has(at.g, "parts")) {
		slt_conf_problem(at.r->c, at.g, "parts", "groups are nested too deep");
	}
	check_part(at, p);
}

static struct slt_shape_part *read_parts(const struct slt_flow_reader *r,
					 const struct slt_conf_group *parent, unsigned depth,
					 size_t *ret_n)
{
	size_t n = slt_conf_group_count(parent, "parts");
	struct slt_shape_part *all = slt_arena_alloc(r->a, (n + 1) * sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		const struct slt_conf_group *g = slt_conf_group_at(parent, "parts", i);
		slt_conf_read(r->c, g, part_options, SLT_COUNT(part_options), r->a, &all[i]);
		read_part((struct at){r, g}, &all[i], depth);
	}
	*ret_n = n;
	return all;
}

void slt_flow_read_shapes(const struct slt_flow_reader *r, struct slt_flow_country *fc)
{
	const struct slt_conf_group *root = slt_conf_root(r->c);

	fc->n_shapes = slt_conf_group_count(root, "shapes");
	fc->shape = slt_arena_alloc(r->a, (fc->n_shapes + 1) * sizeof(*fc->shape));
	for (size_t i = 0; i < fc->n_shapes; i++) {
		struct slt_shape *s = &fc->shape[i];
		struct at at = {r, slt_conf_group_at(root, "shapes", i)};

		slt_conf_read(r->c, at.g, shape_options, SLT_COUNT(shape_options), r->a, s);
		s->line = (unsigned)slt_conf_line(at.g, NULL);
		s->match = slt_arena_alloc(r->a, (s->match_words.n + 1) * sizeof(*s->match));
		for (size_t k = 0; k < s->match_words.n; k++) {
			read_path(at, "match", s->match_words.v[k], &s->match[k]);
			if (s->match[k] &&
			    (s->match[k]->n != 1 || s->match[k]->step[0].attribute)) {
				slt_conf_problem(r->c, at.g, "match",
						 "match names one element and its predicates");
			}
		}
		read_path(at, "signature_at", s->signature_text, &s->signature_at);
		s->part = read_parts(r, at.g, 0, &s->n_parts);
	}
}
