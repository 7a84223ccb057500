/* SPDX-License-Identifier: MIT */
/* Guards: facts of a document that must agree with each other. */
#include "mappings/walk.h"

#include <stdio.h>
#include <string.h>

#include "mappings/decimal.h"

struct checking {
	struct slt_walk *w;
	const struct slt_guard *g;
	xmlNode *context; /* what paths are relative to */
};

static void say(struct slt_walk *w, const struct slt_guard *g, enum slt_outcome o, const char *note)
{
	struct slt_trace_entry e = {
		.rule = g->id, .place = g->in_text ? g->in_text : "/", .outcome = o, .note = note};

	slt_walk_trace(w, NULL, &e);
}

static void broken(struct slt_walk *w, const struct slt_guard *g, enum slt_code code,
		   const char *found, const char *detail)
{
	struct slt_map_problem p = {.rule = g->id,
				    .field = g->field,
				    .place = g->in_text ? g->in_text : "/",
				    .found_text = found,
				    .table = g->table,
				    .detail = detail};
	bool refused = g->severity == SLT_SEV_ERROR;

	say(w, g, refused ? SLT_OUT_REFUSED : SLT_OUT_FLAGGED, detail);
	slt_walk_problem(w, NULL, code, refused ? SLT_SEV_ERROR : SLT_SEV_WARNING, &p);
}

/* An attribute's value, an element's @value, else its text. */
static const char *value_of(struct slt_walk *w, const struct slt_path *p, xmlNode *context)
{
	xmlNode *n = p ? slt_find_first(slt_walk_find(w), p, context) : NULL;

	if (!n || n->type == XML_ATTRIBUTE_NODE) {
		return slt_path_value(w->arena, n);
	}
	const char *v = slt_attr(w->arena, n, "value");
	return v ? v : slt_xml_first(n) ? NULL : slt_path_value(w->arena, n);
}

/* FHIR's words for the sexes that a personal code can tell. */
static const char *sex_of(struct slt_walk *w, const struct slt_path *p, const char *pivot,
			  xmlNode *context)
{
	const char *word = w->json && !pivot ? value_of(w, p, context) : NULL;

	if (word && strcmp(word, "male") == 0) {
		return "M";
	}
	return word && strcmp(word, "female") == 0 ? "F" : pivot;
}

static const char *pivot_of(struct slt_walk *w, const struct slt_path *p, xmlNode *context)
{
	xmlNode *n = p ? slt_find_first(slt_walk_find(w), p, context) : NULL;
	const struct slt_node_note *note = n && n->type == XML_ELEMENT_NODE ? n->_private : NULL;

	return note ? note->pivot_code : NULL;
}

/* --- personal codes --- */

static bool birth_agrees(const char *birth, const struct slt_personal_code *c)
{
	char date[9], digits[9] = "";
	size_t n = 0;

	/* 19540312 or 1954-03-12 */
	for (size_t i = 0; (birth[i] == '-' || (birth[i] >= '0' && birth[i] <= '9')) && n < 8;
	     i++) {
		if (birth[i] != '-') {
			digits[n++] = birth[i];
		}
	}
	snprintf(date, sizeof(date), "%04u%02u%02u", c->year, c->month, c->day);
	/* a birth date may be known to the year or month only */
	return n >= 4 && strncmp(date, digits, n) == 0;
}

static bool check_person(void *arg, xmlNode *code)
{
	struct checking *c = arg;
	struct slt_walk *w = c->w;
	const struct slt_guard *g = c->g;
	const struct slt_node_note *note = code->type == XML_ELEMENT_NODE ? code->_private : NULL;
	const char *root, *extension = note ? slt_attr(w->arena, code, "extension") : NULL;
	struct slt_personal_code person;
	struct slt_err err = SLT_ERR_INIT;

	if (note && w->json) {
		slt_json_read_id(w, code, &root, &extension);
	}

	if (!extension || !note->identifier ||
	    !slt_code_scheme_is_personal(note->identifier->scheme) ||
	    !slt_personal_code_parse(note->identifier->scheme, slt_str(extension), &person, &err)) {
		return true; /* not a personal code, or reported by its own rule */
	}
	const char *birth = value_of(w, g->birth, c->context);
	const char *sex = sex_of(w, g->sex, pivot_of(w, g->sex, c->context), c->context);
	if (birth && !birth_agrees(birth, &person)) {
		broken(w, g, g->error, NULL,
		       "the date of birth is not the one in the personal code");
	} else if (sex && (sex[0] == 'M' || sex[0] == 'F') && !sex[1] && sex[0] != person.sex) {
		broken(w, g, g->error, NULL, "the sex is not the one in the personal code");
	} else {
		say(w, g, SLT_OUT_CHECKED, NULL);
	}
	return true;
}

/* --- the other guards --- */

static void check_same_code(struct slt_walk *w, const struct slt_guard *g, xmlNode *context)
{
	const char *left = pivot_of(w, g->left, context);
	const char *right = pivot_of(w, g->right, context);

	if (!left || !right) {
		return;
	}
	if (strcmp(left, right) != 0) {
		broken(w, g, g->error, slt_arena_printf(w->arena, "%s / %s", left, right),
		       "the two codes mean different things");
		return;
	}
	say(w, g, SLT_OUT_CHECKED, NULL);
}

static bool same_value(const char *a, const char *b)
{
	struct slt_decimal x, y;

	if (slt_decimal_parse(slt_str(a), '.', &x) && slt_decimal_parse(slt_str(b), '.', &y)) {
		return slt_decimal_cmp(x, y) == 0;
	}
	return strcmp(a, b) == 0;
}

static void check_same_value(struct slt_walk *w, const struct slt_guard *g, xmlNode *context)
{
	const char *left = value_of(w, g->left, context);
	const char *right = value_of(w, g->right, context);

	if (!left || !right) {
		return;
	}
	if (!same_value(left, right)) {
		broken(w, g, g->error, NULL, "the two values differ");
		return;
	}
	say(w, g, SLT_OUT_CHECKED, NULL);
}

static void check_divisible(struct slt_walk *w, const struct slt_guard *g, xmlNode *context)
{
	struct slt_decimal total, part, product = {.coefficient = 1, .scale = 0};
	const char *text = value_of(w, g->total, context);
	bool any = false;

	if (!text) {
		return;
	}
	if (!slt_decimal_parse(slt_str(text), '.', &total)) {
		broken(w, g, g->error, text, "the total is no number");
		return;
	}
	for (size_t i = 0; i < g->parts_words.n; i++) {
		const char *p = value_of(w, g->parts[i], context);
		if (!p) {
			continue;
		}
		any = true;
		if (!slt_decimal_parse(slt_str(p), '.', &part) ||
		    !slt_decimal_mul(product, part, &product)) {
			broken(w, g, g->error, p, "a part is no number, or too large");
			return;
		}
	}
	if (any && !slt_decimal_divides(total, product)) {
		broken(w, g, g->error, text, "not a whole multiple of the package size");
		return;
	}
	say(w, g, SLT_OUT_CHECKED, any ? NULL : "no package size to compare with");
}

static void check_mentions(struct slt_walk *w, const struct slt_guard *g, xmlNode *context)
{
	const char *code = pivot_of(w, g->left, context);
	const char *text = value_of(w, g->right, context);
	const char *other = code && text ? slt_text_mentions(w, g->table, text, code) : NULL;

	if (other) {
		broken(w, g, g->error, other, "the text names another one than the code");
	} else if (code && text) {
		say(w, g, SLT_OUT_CHECKED, NULL);
	}
}

static bool check_in(void *arg, xmlNode *context)
{
	struct checking *c = arg;
	const struct slt_guard *g = c->g;

	if (context->type != XML_ELEMENT_NODE ||
	    (g->unless && slt_find_first(slt_walk_find(c->w), g->unless, context))) {
		return true;
	}
	c->context = context;
	switch ((enum slt_guard_what)g->what) {
	case SLT_GUARD_PERSONAL_CODE:
		slt_find_each(slt_walk_find(c->w), g->code, context, check_person, c);
		break;
	case SLT_GUARD_SAME_CODE:
		check_same_code(c->w, g, context);
		break;
	case SLT_GUARD_SAME_VALUE:
		check_same_value(c->w, g, context);
		break;
	case SLT_GUARD_DIVISIBLE:
		check_divisible(c->w, g, context);
		break;
	case SLT_GUARD_MENTIONS:
		check_mentions(c->w, g, context);
		break;
	case SLT_GUARD_EXPRESSION:
		if (slt_cond_eval(g->check, &c->w->fields)) {
			say(c->w, g, SLT_OUT_CHECKED, NULL);
		} else {
			broken(c->w, g, g->error, g->check_text, "the condition does not hold");
		}
		break;
	}
	return true;
}

void slt_guards_check(struct slt_walk *w)
{
	for (size_t i = 0; i < w->flow->n_guards; i++) {
		struct checking c = {w, &w->flow->guard[i], NULL};

		if (!slt_rule_applies(&c.g->documents, w->kind) ||
		    (c.g->when && !slt_cond_eval(c.g->when, &w->fields))) {
			continue;
		}
		if (c.g->in) {
			slt_find_each(slt_walk_find(w), c.g->in, w->root, check_in, &c);
		} else {
			check_in(&c, w->root);
		}
	}
}
