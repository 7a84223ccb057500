/* SPDX-License-Identifier: MIT */
/* Units, phrases, identifiers, dates and numbers. */
#include "mappings/walk.h"

#include <string.h>

#include "mappings/date.h"
#include "mappings/decimal.h"

const char *slt_rule_value(struct slt_walk *w, const struct slt_rule *r, const xmlNode *element)
{
	if (w->json) {
		return slt_json_leaf(w, element);
	}
	if (!r->attribute) {
		return slt_xml_text(w->arena, element);
	}
	for (const xmlAttr *a = element->properties; a; a = a->next) {
		const xmlNode *n = (const xmlNode *)(const void *)a;
		if (slt_test_matches(r->attribute, n)) {
			return slt_path_value(w->arena, n);
		}
	}
	return NULL;
}

void slt_rule_set_value(struct slt_walk *w, const struct slt_rule *r, xmlNode *element,
			const char *value)
{
	if (w->json) {
		slt_json_set_text(element, value);
	} else if (!r->attribute) {
		slt_set_text(element, value);
	} else if (r->attribute->uri) {
		xmlNs *ns = xmlSearchNsByHref(w->doc, element, SLT_XML(r->attribute->uri));
		if (ns && ns->prefix) {
			xmlSetNsProp(element, ns, SLT_XML(r->attribute->local), SLT_XML(value));
		}
	} else {
		slt_set_attr(element, r->attribute->local, value);
	}
}

static void remove_value(struct slt_walk *w, const struct slt_rule *r, xmlNode *element)
{
	if (r->attribute) {
		slt_set_attr(element, r->attribute->local, NULL);
	} else {
		slt_walk_drop(w, element);
	}
}

static enum slt_severity severity_of(const struct slt_rule *r)
{
	return r->policy == SLT_POLICY_REJECT && r->severity == SLT_SEV_ERROR ? SLT_SEV_ERROR
									      : SLT_SEV_WARNING;
}

/* --- units --- */

struct unit {
	const char *text; /* as it came */
	const struct slt_lookup *l;
	const struct slt_found *f;
};

static void trace_unit(struct slt_walk *w, const struct slt_rule *r, const struct unit *u,
		       enum slt_outcome o, const char *note)
{
	struct slt_trace_entry e = {
		.from = {.code = u->text},
		.pivot = {u->f->pivot.system, u->f->pivot.code, u->f->pivot.display},
		.to = {.code = u->f->to.code, .display = u->f->to.display},
		.table = r->table,
		.from_version = u->l->from ? u->l->from->version : NULL,
		.to_version = u->l->to ? u->l->to->version : NULL,
		.relation = u->f->to.code ? slt_relation_name(u->f->relation) : NULL,
		.outcome = o,
		.note = note,
		.personal = r->what == SLT_DO_TEXT && !u->f->to.code,
	};

	slt_walk_trace(w, r, &e);
}

/* PQ keeps its original as <translation value="…"><originalText>unit</originalText>. */
static void keep_unit(struct slt_walk *w, const struct slt_rule *r, xmlNode *e, const char *unit)
{
	if (r->keep != SLT_KEEP_TRANSLATION || w->body) {
		return;
	}
	if (w->json) {
		if (slt_json_type(e) == SLT_JSON_OBJECT) {
			slt_json_keep_unit(w, e);
		}
		return;
	}
	xmlNs *ns = slt_walk_parts_ns(w, e);
	xmlNode *t = slt_add_first(e, ns, "translation", NULL);
	slt_set_attr(t, "value", slt_attr(w->arena, e, "value"));
	slt_add_first(t, ns, "originalText", unit);
}

/* "3 mo": the value beside the unit is multiplied. */
static bool multiply(struct slt_walk *w, xmlNode *e, const struct slt_found *f)
{
	struct slt_decimal factor, value;
	char text[SLT_DECIMAL_LEN];
	const char *old =
		w->json ? slt_json_text(w->arena, e, "value") : slt_attr(w->arena, e, "value");

	if (!f->factor) {
		return true;
	}
	if (!old || !slt_decimal_parse(slt_str(old), '.', &value) ||
	    !slt_decimal_parse((struct slt_str){f->factor, f->factor_len}, '.', &factor) ||
	    !slt_decimal_mul(value, factor, &value)) {
		return false;
	}
	slt_decimal_format(value, '.', text);
	if (w->json) {
		slt_json_set(e, "value", text);
	} else {
		slt_set_attr(e, "value", text);
	}
	return true;
}

/* A unit's code; its name where the element has a place for one. */
static void write_unit(struct slt_walk *w, const struct slt_rule *r, xmlNode *e, const char *code,
		       const struct unit *u)
{
	const struct slt_system *system = u->l->pivot->system;
	bool pivots = !u->f->to.code || (u->f->pivot.code && strcmp(code, u->f->pivot.code) == 0);

	if (w->json && slt_json_type(e) == SLT_JSON_OBJECT) {
		slt_json_set_unit(w, e, code, u->f->to.display, pivots ? system : NULL);
	} else {
		slt_rule_set_value(w, r, e, code);
	}
}

static void unit_failed(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
			const struct unit *u, enum slt_lookup_status s)
{
	bool refused = severity_of(r) == SLT_SEV_ERROR;
	bool source = slt_lookup_senders(s);
	const struct slt_list *list = source ? u->l->from : u->l->to;
	/* a phrase that is in no table may say anything about anybody */
	struct slt_map_problem p = {.found_code = r->what == SLT_DO_TEXT ? NULL : u->text,
				    .table = r->table,
				    .version = list ? list->version : NULL,
				    .country = source ? w->from->code : w->to->code,
				    .detail = slt_lookup_status_text(s)};

	trace_unit(w, r, u, refused ? SLT_OUT_REFUSED : SLT_OUT_FLAGGED, slt_lookup_status_text(s));
	slt_walk_problem(w, r, slt_lookup_error(r, s), severity_of(r), &p);
	if (r->policy == SLT_POLICY_NULL) {
		keep_unit(w, r, e, u->text);
		write_unit(w, r, e, "1", u);
	} else if (r->policy == SLT_POLICY_DROP) {
		remove_value(w, r, e);
	} else if (r->policy == SLT_POLICY_DEFAULT) {
		keep_unit(w, r, e, u->text);
		write_unit(w, r, e, r->default_code, u);
	}
}

void slt_op_unit(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	struct slt_lookup l;
	struct slt_found f = {.factor = NULL};
	const char *system = NULL;
	bool quantity = w->json && slt_json_type(e) == SLT_JSON_OBJECT;
	const char *text = quantity ? slt_json_unit(w, e, &system) : slt_rule_value(w, r, e);
	struct unit u = {text, &l, &f};

	if (!text || !*text) {
		return;
	}
	slt_rule_lookup(w, r, &l);
	l.assume = true;
	if (strcmp(text, "1") == 0) {
		trace_unit(w, r, &u, SLT_OUT_KEPT, "dimensionless");
		return;
	}
	struct slt_coding coding = {.system = system, .code = text};
	enum slt_lookup_status s = slt_lookup(&l, &coding, &f);
	if (s != SLT_LOOKUP_FOUND) {
		unit_failed(w, r, e, &u, s);
		return;
	}
	if (strcmp(f.to.code, text) == 0) {
		trace_unit(w, r, &u, SLT_OUT_KEPT, NULL);
		return;
	}
	keep_unit(w, r, e, text);
	if (!multiply(w, e, &f)) {
		unit_failed(w, r, e, &u, SLT_LOOKUP_UNKNOWN_CODE);
		return;
	}
	write_unit(w, r, e, f.to.code, &u);
	trace_unit(w, r, &u, SLT_OUT_MAPPED, f.factor ? "value multiplied" : NULL);
}

/* --- phrases --- */

void slt_op_text(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	struct slt_lookup l;
	struct slt_found f = {.factor = NULL};
	const char *raw = slt_rule_value(w, r, e);

	if (!raw) {
		return;
	}
	struct slt_str t = slt_str_trim(slt_str(raw));
	const char *text = slt_arena_strndup(w->arena, t.p, t.n);
	struct unit u = {text, &l, &f};
	struct slt_coding coding = {.code = text};

	slt_rule_lookup(w, r, &l);
	l.assume = true;
	enum slt_lookup_status s = *text ? slt_lookup(&l, &coding, &f) : SLT_LOOKUP_FOUND;
	if (!*text) {
		return;
	}
	if (s == SLT_LOOKUP_FOUND) {
		const char *phrase = f.to.display ? f.to.display : f.to.code;
		if (strcmp(phrase, text) != 0) {
			slt_rule_set_value(w, r, e, phrase);
		}
		trace_unit(w, r, &u, strcmp(phrase, text) ? SLT_OUT_MAPPED : SLT_OUT_KEPT, NULL);
		return;
	}
	if (r->policy == SLT_POLICY_ORIGINAL) {
		struct slt_trace_entry x = {.from = {.display = text},
					    .table = r->table,
					    .outcome = SLT_OUT_FLAGGED,
					    .note = "free text, left in its language",
					    .personal = true};
		slt_walk_trace(w, r, &x);
		return;
	}
	unit_failed(w, r, e, &u, s);
}

/* --- identifiers --- */

struct identity {
	const struct slt_identifier *id; /* of the country that issues it */
	const char *home;		 /* that country's code */
	const char *home_root;
};

static const struct slt_country *country_of(const struct slt_walk *w, const char *code)
{
	for (size_t i = 0; i < w->n_all; i++) {
		if (strcmp(w->all[i]->code, code) == 0) {
			return w->all[i];
		}
	}
	return NULL;
}

static bool identify(const struct slt_walk *w, const char *class, const char *root,
		     struct identity *ret)
{
	const struct slt_country *c = w->from;

	for (size_t i = 0; i < c->n_foreign; i++) {
		const struct slt_foreign_identifier *f = &c->foreign[i];
		const struct slt_country *home = country_of(w, f->home);
		if (home && strcmp(f->id, class) == 0 && strcmp(f->root, root) == 0) {
			*ret = (struct identity){slt_country_identifier(home, class, f->home_root),
						 home->code, f->home_root};
			return ret->id != NULL;
		}
	}
	const struct slt_country *near[] = {w->from, w->to};
	for (size_t i = 0; i < SLT_COUNT(near) + w->n_all; i++) {
		c = i < SLT_COUNT(near) ? near[i] : w->all[i - SLT_COUNT(near)];
		const struct slt_identifier *id = slt_country_identifier(c, class, root);
		if (id) {
			*ret = (struct identity){id, c->code, root};
			return true;
		}
	}
	return false;
}

static const char *root_in_target(const struct slt_walk *w, const char *class,
				  const struct identity *i)
{
	for (size_t k = 0; strcmp(i->home, w->to->code) != 0 && k < w->to->n_foreign; k++) {
		const struct slt_foreign_identifier *f = &w->to->foreign[k];
		if (strcmp(f->id, class) == 0 && strcmp(f->home, i->home) == 0 &&
		    strcmp(f->home_root, i->home_root) == 0) {
			return f->root;
		}
	}
	return i->home_root;
}

static bool check_extension(const struct slt_walk *w, const struct slt_identifier *id,
			    const char *extension, struct slt_err *err)
{
	struct slt_personal_code code;

	if (id->no_extension) {
		return !extension ||
		       slt_fail(err, SLT_FED_ID_001, "this identifier stands without an extension");
	}
	if (!extension || !*extension) {
		return slt_fail(err, SLT_FED_ID_001, "the extension is missing");
	}
	if (w->in->test_codes) {
		return true;
	}
	if (id->regex && !slt_pattern_matches(id->regex, extension)) {
		return slt_fail(err, SLT_FED_ID_001, "the extension has not the form of %s",
				id->name ? id->name : id->id);
	}
	return id->scheme == SLT_SCHEME_NONE ||
	       slt_personal_code_parse(id->scheme, slt_str(extension), &code, err);
}

static void trace_id(struct slt_walk *w, const struct slt_rule *r,
		     const struct slt_trace_code *from, const char *root, enum slt_outcome o,
		     const char *note)
{
	struct slt_trace_entry e = {.from = *from,
				    .to = {.system = root, .code = root ? from->code : NULL},
				    .outcome = o,
				    .note = note,
				    .personal = true};

	slt_walk_trace(w, r, &e);
}

static void id_failed(struct slt_walk *w, const struct slt_rule *r,
		      const struct slt_trace_code *from, enum slt_code code, const char *detail)
{
	struct slt_map_problem p = {.found_system = from->system, .detail = detail};
	bool refused = severity_of(r) == SLT_SEV_ERROR;

	trace_id(w, r, from, NULL, refused ? SLT_OUT_REFUSED : SLT_OUT_FLAGGED, detail);
	slt_walk_problem(w, r, r->error ? r->error : code, severity_of(r), &p);
}

/* Without a root the form tells whose identifier it is: that of one country and class only. */
static void by_form(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
		    const struct slt_trace_code *from)
{
	const struct slt_identifier *found = NULL;
	struct slt_err err = SLT_ERR_INIT;
	bool twice = false;

	if (w->in->test_codes) {
		trace_id(w, r, from, NULL, SLT_OUT_KEPT, "check of identifiers switched off");
		return;
	}
	for (size_t c = 0; c < w->n_all; c++) {
		for (size_t k = 0; k < w->all[c]->n_identifiers; k++) {
			const struct slt_identifier *id = &w->all[c]->identifier[k];
			struct slt_err why = SLT_ERR_INIT;
			bool told = strcmp(id->id, r->class) == 0 &&
				    (id->regex || id->scheme != SLT_SCHEME_NONE);
			if (told && check_extension(w, id, from->code, &why)) {
				twice = found != NULL;
				found = id;
			} else if (told && (err.code == SLT_OK || why.code == SLT_FED_ID_002)) {
				err = why;
			}
		}
	}
	if (!found || twice) {
		id_failed(w, r, from, err.code == SLT_OK ? SLT_FED_ID_001 : err.code,
			  found		       ? "identifiers of several countries have this form"
			  : err.code == SLT_OK ? "no country has identifiers of this class"
					       : err.msg);
		return;
	}
	slt_walk_note(w, e)->identifier = found;
	slt_walk_note(w, e)->home_root = found->root;
	trace_id(w, r, from, found->root, SLT_OUT_CHECKED, "told by its form");
}

void slt_op_identifier(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	struct slt_trace_code from = {.system = slt_attr(w->arena, e, "root"),
				      .code = slt_attr(w->arena, e, "extension")};
	struct slt_err err = SLT_ERR_INIT;
	struct identity i;

	if (w->json) {
		slt_json_read_id(w, e, &from.system, &from.code);
	}
	if (!from.system && from.code && (w->json || w->body)) {
		by_form(w, r, e, &from);
		return;
	}
	if (!from.system) {
		bool null = slt_attr(w->arena, e, "nullFlavor") != NULL;
		if (!null || r->usage == SLT_USAGE_R) {
			id_failed(w, r, &from, SLT_FED_ID_001, "the identifier has no root");
		}
		return;
	}
	if (!identify(w, r->class, from.system, &i)) {
		if (r->policy == SLT_POLICY_ORIGINAL) {
			trace_id(w, r, &from, from.system, SLT_OUT_KEPT,
				 "root of neither country, left as it is");
		} else {
			id_failed(w, r, &from, SLT_FED_ID_001,
				  "neither country knows identifiers of this root here");
		}
		return;
	}
	if (!check_extension(w, i.id, from.code, &err)) {
		id_failed(w, r, &from, err.code, err.msg);
		return;
	}
	slt_walk_note(w, e)->identifier = i.id;
	slt_walk_note(w, e)->home_root = i.home_root;
	const char *root = root_in_target(w, r->class, &i);
	bool same = strcmp(root, from.system) == 0;
	if (w->json) {
		/* also where the root stays: the receiver may have a name of its own for it */
		slt_json_set_root(w, e, root);
	} else if (!same) {
		slt_set_attr(e, "root", root);
	}
	trace_id(w, r, &from, root, same ? SLT_OUT_KEPT : SLT_OUT_MAPPED,
		 i.id->scheme != SLT_SCHEME_NONE && w->in->test_codes
			 ? "check of the personal code switched off"
			 : NULL);
}

/* --- dates --- */

static void value_failed(struct slt_walk *w, const struct slt_rule *r, const char *text,
			 const char *detail)
{
	struct slt_map_problem p = {.found_text = text, .detail = detail};
	bool refused = severity_of(r) == SLT_SEV_ERROR;

	slt_walk_say(w, r->id, refused ? SLT_OUT_REFUSED : SLT_OUT_FLAGGED, text, NULL, detail);
	slt_walk_problem(w, r, r->error ? r->error : SLT_FED_STR_002, severity_of(r), &p);
}

void slt_op_date(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	const char *text = slt_rule_value(w, r, e);
	struct slt_trace_entry x = {.from = {.code = text}, .personal = true};
	char iso[SLT_DATE_LEN];
	uint32_t date = 0;

	if (!text || !*text) {
		return;
	}
	struct slt_str s = slt_str(text);
	bool is_iso = slt_date_parse_iso(s, &date);
	/* a time of day, or a month: nothing that another form could say without loss */
	bool is_more = !is_iso && slt_date_is_datetime(s);
	if (!is_iso && !is_more && !slt_date_is_hl7(s)) {
		/* what a date of birth looks like is nobody else's business */
		value_failed(w, r, NULL, "neither an HL7 time stamp nor a date YYYY-MM-DD");
		return;
	}
	const char *to = text;
	if (is_more && r->format == SLT_FORMAT_ISO && slt_date_parse(s, &date)) {
		to = slt_arena_strdup(w->arena, slt_date_format(date, iso));
	} else if (is_more && r->format != SLT_FORMAT_SAME) {
		value_failed(w, r, NULL, "a time stamp of another kind than the field's");
		return;
	} else if (r->format == SLT_FORMAT_HL7 && is_iso) {
		to = slt_arena_printf(w->arena, "%08u", date);
	} else if (r->format == SLT_FORMAT_ISO && !is_iso) {
		if (!slt_date_parse_hl7(s, &date)) {
			value_failed(w, r, NULL, "the time stamp is too short for a date");
			return;
		}
		to = slt_arena_strdup(w->arena, slt_date_format(date, iso));
	}
	x.outcome = strcmp(to, text) == 0 ? SLT_OUT_CHECKED : SLT_OUT_MAPPED;
	x.to.code = to;
	if (x.outcome == SLT_OUT_MAPPED) {
		slt_rule_set_value(w, r, e, to);
	}
	slt_walk_trace(w, r, &x);
}

/* --- numbers --- */

static char sign_of(const struct slt_rule *r)
{
	return r->decimal == SLT_SIGN_COMMA ? ',' : '.';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The decimal signs between two digits. */
static const char *signs_in_text(struct slt_walk *w, const struct slt_rule *r, const char *text)
{
	char *copy = slt_arena_strdup(w->arena, text);

	for (char *p = copy; *p; p++) {
		if ((*p == ',' || *p == '.') && p > copy && is_digit(p[-1]) && is_digit(p[1])) {
			*p = sign_of(r);
		}
	}
	return copy;
}

static void set_number(struct slt_walk *w, const struct slt_rule *r, xmlNode *e, const char *from,
		       const char *to)
{
	bool same = strcmp(from, to) == 0;

	if (!same) {
		slt_rule_set_value(w, r, e, to);
	}
	slt_walk_say(w, r->id, same ? SLT_OUT_CHECKED : SLT_OUT_MAPPED, from, to, NULL);
}

void slt_op_number(struct slt_walk *w, const struct slt_rule *r, xmlNode *e)
{
	const char *text = slt_rule_value(w, r, e);
	struct slt_decimal d;
	char formatted[SLT_DECIMAL_LEN];

	if (!text || !*text) {
		return;
	}
	if (r->in_text) {
		set_number(w, r, e, text,
			   r->decimal == SLT_SIGN_SAME ? text : signs_in_text(w, r, text));
		return;
	}
	char point = strchr(text, ',') && !strchr(text, '.') ? ',' : '.';
	if (!slt_decimal_parse(slt_str(text), point, &d)) {
		value_failed(w, r, text, "not a decimal number of at most 18 digits");
		return;
	}
	if ((r->min_text && slt_decimal_cmp(d, r->min) < 0) ||
	    (r->max_text && slt_decimal_cmp(d, r->max) > 0)) {
		value_failed(w, r, text, "the number is out of the range of this field");
		return;
	}
	set_number(w, r, e, text,
		   r->decimal == SLT_SIGN_SAME ? text
					       : slt_decimal_format(d, sign_of(r), formatted));
}
