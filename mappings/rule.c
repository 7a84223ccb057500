/* SPDX-License-Identifier: MIT */
#include "mappings/rule.h"

#include <string.h>

static const char what_words[] = "code|unit|identifier|date|number|text|set|copy|rename|namespace|"
				 "move|split|join|repeat|drop|require|forbid";
static const char *const what_names[SLT_DO_COUNT] = {
	"code",	     "unit", "identifier", "date", "number", "text", "set",	"copy",	 "rename",
	"namespace", "move", "split",	   "join", "repeat", "drop", "require", "forbid"};

#define BIT(w)	 (1u << SLT_DO_##w)
#define LOOKS_UP (BIT(CODE) | BIT(UNIT) | BIT(TEXT))
#define MAY_FAIL (LOOKS_UP | BIT(IDENTIFIER) | BIT(DATE) | BIT(NUMBER) | BIT(SPLIT))
#define ALL	 ((1u << SLT_DO_COUNT) - 1)

/* clang-format off */
#define S(field) offsetof(struct slt_rule, field)
static const struct slt_conf_option options[] = {
	{.name = "id", .type = SLT_CONF_STRING, .offset = S(id), .required = true, .doc = "name of the rule, unique in its file"},
	{.name = "where", .type = SLT_CONF_STRING, .offset = S(where_text), .required = true, .doc = "path"},
	{.name = "what", .type = SLT_CONF_ENUM, .offset = S(what), .required = true, .values = what_words, .doc = "operation"},
	{.name = "documents", .type = SLT_CONF_STRINGS, .offset = S(documents), .doc = "kinds of documents"},
	{.name = "field", .type = SLT_CONF_STRING, .offset = S(field), .doc = "what people call it"},
	{.name = "when", .type = SLT_CONF_STRING, .offset = S(when_text), .doc = "condition"},
	{.name = "table", .type = SLT_CONF_STRING, .offset = S(table), .doc = "list of the pivot"},
	{.name = "good", .type = SLT_CONF_STRINGS, .offset = S(good_words), .doc = "relations that are good enough"},
	{.name = "policy", .type = SLT_CONF_ENUM, .offset = S(policy), .values = "reject|null|original|default|drop", .fallback = "reject", .doc = "what happens without a sure target"},
	{.name = "default", .type = SLT_CONF_STRING, .offset = S(default_code), .doc = "pivot code for policy default"},
	{.name = "keep", .type = SLT_CONF_ENUM, .offset = S(keep), .values = "auto|translation|originalText|none", .fallback = "auto", .doc = "where the original goes"},
	{.name = "usage", .type = SLT_CONF_ENUM, .offset = S(usage), .values = "RNFA|R|O|NA", .fallback = "RNFA", .doc = "whether it must have a value"},
	{.name = "error", .type = SLT_CONF_STRING, .offset = S(error_text), .doc = "fault code"},
	{.name = "severity", .type = SLT_CONF_ENUM, .offset = S(severity), .values = "error|warning", .fallback = "error", .doc = "whether it stops the message"},
	{.name = "null_flavor", .type = SLT_CONF_STRING, .offset = S(null_flavor), .fallback = "OTH", .doc = "nullFlavor for policy null"},
	{.name = "assume", .type = SLT_CONF_BOOL, .offset = S(assume), .doc = "codes without codeSystem are the source country's"},
	{.name = "from_text", .type = SLT_CONF_BOOL, .offset = S(from_text), .doc = "look up the originalText"},
	{.name = "names_only", .type = SLT_CONF_BOOL, .offset = S(names_only), .doc = "change the displayName only"},
	{.name = "agree", .type = SLT_CONF_BOOL, .offset = S(agree), .doc = "name and translations must mean the same code"},
	{.name = "class", .type = SLT_CONF_STRING, .offset = S(class), .doc = "class of identifiers"},
	{.name = "format", .type = SLT_CONF_ENUM, .offset = S(format), .values = "same|hl7|iso", .fallback = "same", .doc = "form of the date"},
	{.name = "min", .type = SLT_CONF_STRING, .offset = S(min_text), .doc = "smallest number allowed"},
	{.name = "max", .type = SLT_CONF_STRING, .offset = S(max_text), .doc = "largest number allowed"},
	{.name = "at_least", .type = SLT_CONF_INT, .offset = S(at_least), .min = 0, .max = 1000, .fallback = "1", .doc = "how many there must be"},
	{.name = "at_most", .type = SLT_CONF_INT, .offset = S(at_most), .min = 0, .max = 1000, .doc = "how many there may be; 0: any number"},
	{.name = "decimal", .type = SLT_CONF_ENUM, .offset = S(decimal), .values = "same|comma|point", .fallback = "same", .doc = "decimal sign to write"},
	{.name = "in_text", .type = SLT_CONF_BOOL, .offset = S(in_text), .doc = "numbers stand inside a text"},
	{.name = "value", .type = SLT_CONF_STRING, .offset = S(value), .doc = "value to set"},
	{.name = "from", .type = SLT_CONF_STRING, .offset = S(from_text_path), .doc = "relative path to copy from"},
	{.name = "to", .type = SLT_CONF_STRING, .offset = S(to_text), .doc = "new name, namespace or parent"},
	{.name = "before", .type = SLT_CONF_STRINGS, .offset = S(before_words), .doc = "elements that stay behind it"},
	{.name = "separator", .type = SLT_CONF_STRING, .offset = S(separator), .doc = "what stands between the parts"},
	{.name = "into", .type = SLT_CONF_STRINGS, .offset = S(into_words), .doc = "names of the parts"},
	{.name = "from_all", .type = SLT_CONF_STRINGS, .offset = S(from_all_words), .doc = "relative paths of the parts"},
	{.name = "in", .type = SLT_CONF_STRING, .offset = S(in_text_path), .doc = "elements that must have it"},
};
#undef S

/* Which options an operation has beside those of every rule, and which it cannot do without. */
static const struct {
	const char *name;
	unsigned allowed, needed;
} special[] = {
	{"table", LOOKS_UP, LOOKS_UP},
	{"good", LOOKS_UP, 0},
	{"policy", MAY_FAIL, 0},
	{"default", LOOKS_UP, 0},
	{"keep", LOOKS_UP, 0},
	{"usage", LOOKS_UP | BIT(IDENTIFIER), 0},
	{"null_flavor", LOOKS_UP, 0},
	{"error", MAY_FAIL | BIT(REQUIRE) | BIT(FORBID), 0},
	{"severity", MAY_FAIL | BIT(REQUIRE) | BIT(FORBID), 0},
	{"assume", BIT(CODE), 0},
	{"from_text", BIT(CODE), 0},
	{"names_only", BIT(CODE), 0},
	{"agree", BIT(CODE), 0},
	{"class", BIT(IDENTIFIER), BIT(IDENTIFIER)},
	{"format", BIT(DATE), 0},
	{"min", BIT(NUMBER), 0},
	{"max", BIT(NUMBER), 0},
	{"decimal", BIT(NUMBER), 0},
	{"in_text", BIT(NUMBER), 0},
	{"at_least", BIT(REQUIRE), 0},
	{"at_most", BIT(REQUIRE), 0},
	{"value", BIT(SET), BIT(SET)},
	{"from", BIT(COPY), BIT(COPY)},
	{"to", BIT(RENAME) | BIT(NAMESPACE) | BIT(MOVE), BIT(RENAME) | BIT(NAMESPACE) | BIT(MOVE)},
	{"before", BIT(MOVE), 0},
	{"separator", BIT(SPLIT) | BIT(JOIN) | BIT(REPEAT), BIT(SPLIT) | BIT(JOIN) | BIT(REPEAT)},
	{"into", BIT(SPLIT), BIT(SPLIT)},
	{"from_all", BIT(JOIN), BIT(JOIN)},
	{"in", BIT(REQUIRE), BIT(REQUIRE)},
};
/* clang-format on */

struct reader {
	struct slt_conf *c;
	const struct slt_conf_group *g;
	const struct slt_prefixes *prefixes;
	struct slt_arena *a;
};

const char *slt_what_name(enum slt_what w)
{
	return what_names[w];
}

bool slt_name_parse(const char *text, const struct slt_prefixes *prefixes, struct slt_name *ret)
{
	const char *colon = strchr(text, ':');
	struct slt_name n = {.local = text};

	if (colon) {
		n.uri = slt_prefix_uri(prefixes, text, (size_t)(colon - text));
		n.prefix = text;
		n.local = colon + 1;
		if (!n.uri) {
			return false;
		}
	}
	if (!*n.local || strpbrk(n.local, ":/@[]*() ")) {
		return false;
	}
	*ret = n;
	return true;
}

bool slt_rule_applies(const struct slt_conf_strings *documents, const char *kind)
{
	for (size_t i = 0; i < documents->n; i++) {
		if (strcmp(documents->v[i], kind) == 0) {
			return true;
		}
	}
	return documents->n == 0;
}

static void read_path(const struct reader *r, const char *option, const char *text,
		      struct slt_path **ret)
{
	struct slt_err err = SLT_ERR_INIT;

	if (text && !slt_path_parse(text, r->prefixes, r->a, ret, &err)) {
		slt_conf_problem(r->c, r->g, option, "%s: %s", option, err.msg);
	}
}

static void read_name(const struct reader *r, const char *option, const char *text,
		      struct slt_name *ret)
{
	if (text && !slt_name_parse(text, r->prefixes, ret)) {
		slt_conf_problem(r->c, r->g, option,
				 "%s: '%s' is no name, or its prefix is not declared", option,
				 text);
	}
}

static struct slt_name *read_names(const struct reader *r, const char *option,
				   const struct slt_conf_strings *words)
{
	struct slt_name *all = slt_arena_alloc(r->a, (words->n + 1) * sizeof(*all));

	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i];
		read_name(r, option, word[0] == '@' ? word + 1 : word, &all[i]);
		/* "@x" is an attribute, "x" an element in no namespace: the prefix says which */
		if (word[0] == '@') {
			all[i].prefix = "@";
		}
	}
	return all;
}

static void check_options(const struct reader *r, const struct slt_rule *rule)
{
	for (size_t i = 0; i < SLT_COUNT(special); i++) {
		bool there = slt_conf_has(r->g, special[i].name);
		if (there && !(special[i].allowed & (1u << rule->what))) {
			slt_conf_problem(r->c, r->g, special[i].name, "%s is not an option of %s",
					 special[i].name, what_names[rule->what]);
		}
		if (!there && (special[i].needed & (1u << rule->what))) {
			slt_conf_problem(r->c, r->g, NULL, "%s needs %s", what_names[rule->what],
					 special[i].name);
		}
	}
	if ((rule->policy == SLT_POLICY_DEFAULT) != (rule->default_code != NULL)) {
		slt_conf_problem(r->c, r->g, NULL, "policy \"default\" and default go together");
	}
}

static void read_good(const struct reader *r, struct slt_rule *rule)
{
	rule->good = rule->good_words.n ? 0 : 1u << SLT_REL_EQUIVALENT;
	for (size_t i = 0; i < rule->good_words.n; i++) {
		enum slt_relation rel;
		if (!slt_relation_by_name(rule->good_words.v[i], &rel) ||
		    rel == SLT_REL_NOT_RELATED) {
			slt_conf_problem(r->c, r->g, "good", "good: '%s' is no relation",
					 rule->good_words.v[i]);
		} else {
			rule->good |= 1u << rel;
		}
	}
}

static void read_limits(const struct reader *r, struct slt_rule *rule)
{
	if (rule->min_text && !slt_decimal_parse(slt_str(rule->min_text), '.', &rule->min)) {
		slt_conf_problem(r->c, r->g, "min", "min is no decimal number");
	}
	if (rule->max_text && !slt_decimal_parse(slt_str(rule->max_text), '.', &rule->max)) {
		slt_conf_problem(r->c, r->g, "max", "max is no decimal number");
	}
}

static void read_error(const struct reader *r, struct slt_rule *rule)
{
	rule->error = SLT_OK;
	if (rule->error_text) {
		rule->error = slt_code_find(rule->error_text);
		if (rule->error == SLT_OK || strncmp(rule->error_text, "FED-", 4) != 0) {
			slt_conf_problem(r->c, r->g, "error", "error: '%s' is no FED- code",
					 rule->error_text);
		}
	}
}

static void read_when(const struct reader *r, struct slt_rule *rule)
{
	struct slt_err err = SLT_ERR_INIT;

	if (rule->when_text && !slt_cond_parse(rule->when_text, r->a, &rule->when, &err)) {
		slt_conf_problem(r->c, r->g, "when", "%s", err.msg);
	}
}

/* What the operation asks of its path. */
static void check_where(const struct reader *r, struct slt_rule *rule)
{

	static const unsigned element_only =
		BIT(CODE) | BIT(IDENTIFIER) | BIT(NAMESPACE) | BIT(MOVE) | BIT(REPEAT);
	unsigned bit = 1u << rule->what;

	for (const struct slt_path *p = rule->where; p; p = p->next) {
		const struct slt_step *last = p->n ? &p->step[p->n - 1] : NULL;
		const struct slt_test *attribute = last && last->attribute ? &last->test : NULL;

		if (p->json && !p->absolute && rule->what != SLT_DO_REQUIRE) {
			slt_conf_problem(r->c, r->g, "where", "where begins with $");
		}
		if (!last || (attribute && p->n == 1 && rule->what != SLT_DO_REQUIRE)) {
			slt_conf_problem(r->c, r->g, "where", "where names no element");
		}
		if (attribute && (bit & element_only)) {
			slt_conf_problem(r->c, r->g, "where", "%s is for elements",
					 what_names[rule->what]);
		}
		if (p != rule->where && (attribute == NULL) != (rule->attribute == NULL)) {
			slt_conf_problem(r->c, r->g, "where",
					 "the alternatives must all be elements or all attributes");
		} else if (attribute && rule->attribute &&
			   strcmp(attribute->local, rule->attribute->local) != 0) {
			slt_conf_problem(r->c, r->g, "where",
					 "the alternatives must name the same attribute");
		}
		rule->attribute = attribute;
	}
	if (rule->what == SLT_DO_NAMESPACE && rule->to_text) {
		const char *uri = slt_prefix_uri(r->prefixes, rule->to_text, strlen(rule->to_text));
		rule->to = (struct slt_name){.prefix = rule->to_text, .uri = uri};
		if (!uri) {
			slt_conf_problem(r->c, r->g, "to", "to: the prefix is not declared");
		}
	} else {
		read_name(r, "to", rule->to_text, &rule->to);
	}
}

static void read_rule(const struct reader *r, struct slt_rule *rule)
{
	if (!slt_conf_read(r->c, r->g, options, SLT_COUNT(options), r->a, rule)) {
		return;
	}
	rule->line = (unsigned)slt_conf_line(r->g, NULL);
	if (!rule->field) {
		rule->field = rule->id;
	}
	check_options(r, rule);
	read_path(r, "where", rule->where_text, &rule->where);
	read_path(r, "in", rule->in_text_path, &rule->in);
	read_path(r, "from", rule->from_text_path, &rule->from);
	rule->from_all = slt_arena_alloc(r->a, (rule->from_all_words.n + 1) * sizeof(void *));
	for (size_t i = 0; i < rule->from_all_words.n; i++) {
		read_path(r, "from_all", rule->from_all_words.v[i], &rule->from_all[i]);
	}
	rule->before = read_names(r, "before", &rule->before_words);
	rule->into = read_names(r, "into", &rule->into_words);
	if (rule->in && rule->in->json && !rule->in->absolute) {
		slt_conf_problem(r->c, r->g, "in", "in begins with $");
	}
	read_good(r, rule);
	read_limits(r, rule);
	read_error(r, rule);
	read_when(r, rule);
	check_where(r, rule);
}

void slt_rules_read(struct slt_conf *c, const char *path, const char *list,
		    const struct slt_prefixes *prefixes, struct slt_arena *a, struct slt_rules *ret)
{
	const struct slt_conf_group *root = slt_conf_root(c);
	size_t n = slt_conf_group_count(root, list);
	struct slt_rule *all = slt_arena_alloc(a, (n + 1) * sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		struct reader r = {c, slt_conf_group_at(root, list, i), prefixes, a};
		all[i].file = path;
		read_rule(&r, &all[i]);
		for (size_t k = 0; k < i; k++) {
			if (all[i].id && all[k].id && strcmp(all[i].id, all[k].id) == 0) {
				slt_conf_problem(c, r.g, "id", "the id \"%s\" stands twice",
						 all[i].id);
			}
		}
	}
	*ret = (struct slt_rules){all, n};
}
