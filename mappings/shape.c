/* SPDX-License-Identifier: MIT */
#include "mappings/shape.h"

#include <string.h>

#include "base/clock.h"
#include "mappings/walk.h"

#define FOUND_MAX 256 /* nodes that one path finds */
#define NS_XSI	  "http://www.w3.org/2001/XMLSchema-instance"

/* Marks in _private of the source: a node that a part named, alone or with all below it. */
static char used, whole;

struct build {
	struct slt_walk *w;
	const struct slt_shape *s;
	xmlNode *source;	/* what was below the document's root */
	const xmlNode *covered; /* by the document's own signature; NULL: it has none */
};

struct found {
	xmlNode *v[FOUND_MAX];
	size_t n;
	bool more;
};

const struct slt_shape *slt_shape_find(const struct slt_flow_country *from, const xmlNode *root)
{
	for (size_t i = 0; from && i < from->n_shapes; i++) {
		const struct slt_shape *s = &from->shape[i];
		if (slt_root_matches(s->match, s->match_words.n, root)) {
			return s;
		}
	}
	return NULL;
}

/* --- saying --- */

static void refuse(struct build *b, const struct slt_shape_part *p, const xmlNode *at,
		   enum slt_code code, const char *detail)
{
	const char *id = p ? p->id : b->s->id;
	struct slt_map_problem x = {.rule = id,
				    .field = p && p->field ? p->field : "field.structure",
				    .place = at ? slt_node_place(b->w, at) : "/",
				    .detail = detail};
	struct slt_trace_entry e = {
		.rule = id, .place = x.place, .outcome = SLT_OUT_REFUSED, .note = detail};

	if (!at && p && p->from_text) {
		x.found_text = p->from_text;
	} else if (at && at->type == XML_ELEMENT_NODE) {
		x.found_code = slt_attr(b->w->arena, at, "code");
		x.found_text = slt_attr(b->w->arena, at, "displayName");
	}
	slt_walk_trace(b->w, NULL, &e);
	slt_walk_problem(b->w, NULL, p && p->error ? p->error : code, SLT_SEV_ERROR, &x);
}

static void say(struct build *b, const struct slt_shape_part *p, const xmlNode *at,
		enum slt_outcome o, const char *value)
{
	bool loose = b->covered && p->outside && o == SLT_OUT_MAPPED;
	struct slt_trace_entry e = {.rule = p->id,
				    .place = at ? slt_node_place(b->w, at) : "/",
				    .from = {.code = value},
				    .to = {.code = p->to_text},
				    .outcome = o,
				    .note = loose ? "not covered by the document's own signature"
						  : NULL,
				    .personal = value != NULL};

	slt_walk_trace(b->w, NULL, &e);
}

/* --- reading the source --- */

static xmlAttr *as_attribute(xmlNode *n)
{
	return n->type == XML_ATTRIBUTE_NODE ? (xmlAttr *)(void *)n : NULL;
}

static void mark(xmlNode *n, char *how)
{
	if (as_attribute(n)) {
		as_attribute(n)->_private = &used;
	} else if (n->_private != &whole) {
		n->_private = how;
	}
}

static bool is_structural(const xmlAttr *a)
{
	static const char *const names[] = {"classCode",
					    "moodCode",
					    "typeCode",
					    "determinerCode",
					    "contextControlCode",
					    "contextConductionInd",
					    "ID"};

	if (a->ns) {
		return strcmp((const char *)a->ns->href, NS_XSI) == 0 &&
		       strcmp((const char *)a->name, "nil") != 0;
	}
	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		if (strcmp((const char *)a->name, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

/* An element that says nothing: documents are full of them. */
static bool is_empty(struct build *b, xmlNode *n)
{
	const char *text = slt_path_value(b->w->arena, n);

	if (!is_blank(text ? text : "")) {
		return false;
	}
	for (const xmlAttr *a = as_attribute(n) ? NULL : n->properties; a; a = a->next) {
		if (!is_structural(a)) {
			return false;
		}
	}
	return as_attribute(n) || !slt_xml_first(n);
}

/* An attribute's value, an element's @code, @value, else its text, without blanks around it. */
static const char *value_of(struct build *b, xmlNode *n)
{
	struct slt_arena *a = b->w->arena;
	const char *v = NULL;

	if (!as_attribute(n)) {
		v = slt_attr(a, n, "code");
		v = v ? v : slt_attr(a, n, "value");
	}
	v = v ? v : slt_path_value(a, n);
	struct slt_str s = slt_str_trim(slt_str(v));
	return slt_arena_strndup(a, s.p, s.n);
}

/* All that an element says, without its layout. */
static void describe(struct build *b, xmlNode *n, struct slt_buf *out)
{
	if (as_attribute(n) || !slt_xml_first(n)) {
		slt_buf_adds(out, value_of(b, n));
		slt_buf_addc(out, '\n');
		return;
	}
	for (xmlNode *c = slt_xml_first(n); c; c = slt_xml_next(c)) {
		slt_buf_adds(out, (const char *)c->name);
		slt_buf_addc(out, '=');
		describe(b, c, out);
	}
	slt_buf_addc(out, '/');
}

static bool says_same(struct build *b, xmlNode *x, xmlNode *y)
{
	SLT_AUTO_BUF(one, 65536);
	SLT_AUTO_BUF(other, 65536);

	describe(b, x, &one);
	describe(b, y, &other);
	return !one.failed && !other.failed && one.n == other.n &&
	       (one.n == 0 || memcmp(one.p, other.p, one.n) == 0);
}

static bool collect(void *arg, xmlNode *n)
{
	struct found *f = arg;

	f->more = f->n == FOUND_MAX;
	if (!f->more) {
		f->v[f->n++] = n;
	}
	return !f->more;
}

/* What the path finds and is not empty; whatever is empty is accounted for. Of too many all are
 * kept: there are more, whatever they say. */
static void find(struct build *b, const struct slt_path *p, xmlNode *context, struct found *ret)
{
	size_t n = 0;

	ret->n = 0;
	ret->more = false;
	slt_path_each(p, context, collect, ret);
	for (size_t i = 0; i < ret->n && !ret->more; i++) {
		if (!is_empty(b, ret->v[i])) {
			ret->v[n++] = ret->v[i];
		}
	}
	ret->n = ret->more ? ret->n : n;
}

/* --- making the result --- */

static void set_one(struct build *b, xmlNode *e, const struct slt_shape_set *s)
{
	struct slt_walk *w = b->w;
	const xmlChar *prefix = w->root->ns ? w->root->ns->prefix : NULL;

	if (!s->name.uri) {
		slt_set_attr(e, s->name.local, s->value);
		return;
	}
	/* the value of xsi:type is a name in CDA's namespace, whatever that is called here */
	const char *value =
		prefix ? slt_arena_printf(w->arena, "%s:%s", (const char *)prefix, s->value)
		       : s->value;
	xmlSetNsProp(e, slt_walk_ns(w, e, s->name.uri, s->name.prefix), SLT_XML(s->name.local),
		     SLT_XML(value));
}

static void set_all(struct build *b, xmlNode *e, const struct slt_shape_set *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		set_one(b, e, &s[i]);
	}
}

static xmlNode *last_element(const xmlNode *parent)
{
	xmlNode *n = parent->last;

	while (n && n->type != XML_ELEMENT_NODE) {
		n = n->prev;
	}
	return n;
}

static xmlNode *add(struct build *b, xmlNode *parent, const struct slt_name *name)
{
	xmlNs *ns = slt_walk_ns(b->w, parent, name->uri, name->prefix);
	xmlNode *n = xmlNewDocNode(parent->doc, ns, SLT_XML(name->local), NULL);

	slt_assert(n);
	return xmlAddChild(parent, n);
}

/* The element that the steps but the last `keep` lead to: the last one where it has the name. */
static xmlNode *reach(struct build *b, const struct slt_shape_part *p, xmlNode *to, size_t keep)
{
	for (size_t i = 0; i + keep < p->n_steps; i++) {
		const struct slt_shape_step *s = &p->step[i];
		xmlNode *last = s->fresh ? NULL : last_element(to);
		to = last && slt_xml_is(last, s->name.uri, s->name.local) ? last
									  : add(b, to, &s->name);
	}
	return to;
}

static xmlNode *make(struct build *b, const struct slt_shape_part *p, const xmlNode *source,
		     xmlNode *to)
{
	const struct slt_shape_step *s = &p->step[p->n_steps - 1];
	struct slt_name name = s->name;

	to = reach(b, p, to, 1);
	if (s->as_is) {
		name = (struct slt_name){.uri = source->ns ? (const char *)source->ns->href : "",
					 .local = (const char *)source->name};
	}
	return add(b, to, &name);
}

static const char *const coding[] = {
	"code", "codeSystem", "codeSystemName", "codeSystemVersion", "displayName", "nullFlavor"};

static void put_code(struct build *b, const struct slt_shape_part *p, xmlNode *source, xmlNode *e)
{
	const char *code = slt_attr(b->w->arena, source, "code");

	for (xmlAttr *a = source->properties; a; a = a->next) {
		for (size_t i = 0; i < SLT_COUNT(coding); i++) {
			if (!a->ns && strcmp((const char *)a->name, coding[i]) == 0) {
				a->_private = &used;
			}
		}
	}
	if (!code && p->otherwise_words.n > 0) {
		set_all(b, e, p->otherwise, p->otherwise_words.n);
		return;
	}
	for (size_t i = 0; i < SLT_COUNT(coding); i++) {
		slt_set_attr(e, coding[i], slt_attr(b->w->arena, source, coding[i]));
	}
}

static void put_tree(struct build *b, const struct slt_shape_part *p, xmlNode *source, xmlNode *to)
{
	xmlNode *place = make(b, p, source, to);
	xmlNode *copy = slt_clone(source, place->parent);

	/* as the part calls it */
	xmlSetNs(copy, place->ns);
	xmlNodeSetName(copy, place->name);
	xmlReplaceNode(place, copy);
	xmlFreeNode(place);
	set_all(b, copy, p->set, p->set_words.n);
	mark(source, &whole);
}

static void apply_parts(struct build *b, const struct slt_shape_part *part, size_t n, xmlNode *from,
			xmlNode *to);

static void put_value(struct build *b, const struct slt_shape_part *p, xmlNode *source, xmlNode *to)
{
	const char *value = value_of(b, source);

	mark(source, &whole);
	if (p->attribute.local) {
		xmlNode *e = reach(b, p, to, 0);
		slt_set_attr(e, p->attribute.local, value);
		set_all(b, e, p->set, p->set_words.n);
	} else {
		xmlNode *e = make(b, p, source, to);
		slt_set_text(e, value);
		set_all(b, e, p->set, p->set_words.n);
	}
	say(b, p, source, SLT_OUT_MAPPED, value);
}

static void put(struct build *b, const struct slt_shape_part *p, xmlNode *source, xmlNode *to)
{
	if (p->what == SLT_SHAPE_PUT && p->n_parts == 0) {
		put_value(b, p, source, to);
		return;
	}
	say(b, p, source, SLT_OUT_MAPPED, NULL);
	if (p->what == SLT_SHAPE_TREE) {
		put_tree(b, p, source, to);
		return;
	}
	xmlNode *e = make(b, p, source, to);
	set_all(b, e, p->set, p->set_words.n);
	if (p->what == SLT_SHAPE_CODE) {
		put_code(b, p, source, e);
	} else {
		apply_parts(b, p->part, p->n_parts, source, e);
	}
}

/* --- the parts --- */

static bool is_below(const xmlNode *n, const xmlNode *top)
{
	while (n && n != top) {
		n = n->parent;
	}
	return n != NULL;
}

/* False, and refused, for what the document's own signature should cover and does not. */
static bool is_covered(struct build *b, const struct slt_shape_part *p, const xmlNode *n)
{
	if (!b->covered || p->outside || is_below(n, b->covered)) {
		return true;
	}
	refuse(b, p, n, SLT_FED_SIG_003, "the document's own signature does not cover this");
	return false;
}

static void put_found(struct build *b, const struct slt_shape_part *p, const struct found *f,
		      xmlNode *to)
{
	for (size_t i = 0; i < f->n; i++) {
		if (is_covered(b, p, f->v[i])) {
			put(b, p, f->v[i], to);
		}
	}
}

static void absent(struct build *b, const struct slt_shape_part *p, xmlNode *to)
{
	if (p->required) {
		refuse(b, p, NULL, SLT_FED_STR_003, "required in documents of this shape");
	} else if (p->otherwise_words.n > 0) {
		xmlNode *e = p->attribute.local ? reach(b, p, to, 0) : make(b, p, b->source, to);
		set_all(b, e, p->otherwise, p->otherwise_words.n);
		say(b, p, NULL, SLT_OUT_DEFAULTED, NULL);
	}
}

static bool is_one_of(const char *value, const struct slt_conf_strings *words)
{
	for (size_t i = 0; i < words->n; i++) {
		if (strcmp(words->v[i], value) == 0) {
			return true;
		}
	}
	return words->n == 0;
}

static void check(struct build *b, const struct slt_shape_part *p, const struct found *f,
		  xmlNode *from)
{
	xmlNode *other = p->same ? slt_path_first(p->same, from) : NULL;

	if (other && !is_covered(b, p, other)) {
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		mark(f->v[i], &whole);
		if (p->same && (!other || !says_same(b, f->v[i], other))) {
			refuse(b, p, f->v[i], SLT_FED_ID_003,
			       other ? "the signed body says otherwise"
				     : "the signed body does not say this");
		} else if (!is_one_of(value_of(b, f->v[i]), &p->only_words)) {
			refuse(b, p, f->v[i], SLT_FED_STR_002,
			       "this value is not one that is understood");
		} else {
			say(b, p, f->v[i], SLT_OUT_CHECKED, NULL);
		}
	}
}

static void drop(struct build *b, const struct slt_shape_part *p, const struct found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		mark(f->v[i], &whole);
		say(b, p, f->v[i], SLT_OUT_DROPPED, NULL);
	}
}

static void apply_part(struct build *b, const struct slt_shape_part *p, xmlNode *from, xmlNode *to)
{
	bool makes =
		p->what == SLT_SHAPE_PUT || p->what == SLT_SHAPE_CODE || p->what == SLT_SHAPE_TREE;
	const xmlNode *given = p->given ? slt_path_first(p->given, from) : NULL;
	struct found f;

	if (p->given && (!given || !is_covered(b, p, given))) {
		return;
	}
	if (!p->from) {
		xmlNode *e = make(b, p, b->source, to);
		set_all(b, e, p->set, p->set_words.n);
		return;
	}
	find(b, p->from, from, &f);
	if (f.more || (makes && f.n > 1 && !p->each)) {
		refuse(b, p, f.v[f.n - 1], SLT_FED_STR_003,
		       "there are more of it than there may be");
	} else if (f.n == 0) {
		absent(b, p, to);
	} else if (makes) {
		put_found(b, p, &f, to);
	} else if (p->what == SLT_SHAPE_CHECK) {
		check(b, p, &f, from);
	} else if (p->what == SLT_SHAPE_DROP) {
		drop(b, p, &f);
	} else {
		refuse(b, p, f.v[0], SLT_FED_STR_002, "this must not be here");
	}
}

static void apply_parts(struct build *b, const struct slt_shape_part *part, size_t n, xmlNode *from,
			xmlNode *to)
{
	for (size_t i = 0; i < n; i++) {
		apply_part(b, &part[i], from, to);
	}
}

/* --- nothing is left over --- */

static void unmark(xmlNode *n)
{
	for (; n; n = n->next) {
		n->_private = NULL;
		for (xmlAttr *a = n->type == XML_ELEMENT_NODE ? n->properties : NULL; a;
		     a = a->next) {
			a->_private = NULL;
		}
		if (n->type == XML_ELEMENT_NODE) {
			unmark(n->children);
		}
	}
}

static void account(struct build *b, xmlNode *e)
{
	static const char why[] = "nothing says what becomes of this";

	if (e->_private == &whole) {
		return;
	}
	for (xmlAttr *a = e->properties; a; a = a->next) {
		if (a->_private != &used && !is_structural(a)) {
			refuse(b, NULL, (xmlNode *)(void *)a, SLT_FED_STR_002, why);
		}
	}
	for (xmlNode *n = e->children; n; n = n->next) {
		bool text = n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE;
		if (n->type == XML_ELEMENT_NODE) {
			account(b, n);
		} else if (text && !is_blank((const char *)n->content)) {
			refuse(b, NULL, e, SLT_FED_STR_002, why);
		}
	}
}

/* --- the whole --- */

/* False when the document's own signature stops it. */
static bool judge(struct build *b, xmlNode **ret_signature)
{
	struct slt_walk *w = b->w;
	const struct slt_map_judge *j = w->in->judge;
	xmlNode *at = slt_path_first(b->s->signature_at, w->root);
	const struct slt_shape_part about = {.id = "signature", .field = "field.signature"};
	struct slt_map_seal seal = {.covered = NULL};
	struct slt_err err = SLT_ERR_INIT;
	char when[SLT_TIME_LEN];

	*ret_signature = at;
	if (!at) {
		if (b->s->signature == SLT_SHAPE_REQUIRED) {
			refuse(b, &about, NULL, SLT_FED_SIG_002,
			       "the document has no signature of its own");
		}
		return b->s->signature != SLT_SHAPE_REQUIRED;
	}
	if (!j) {
		refuse(b, &about, at, SLT_FED_SIG_002,
		       "no authorities for the signatures of such documents are configured");
		return false;
	}
	if (!j->verify(j->arg, w->root, &seal, &err)) {
		refuse(b, &about, at, SLT_FED_SIG_001, slt_arena_strdup(w->arena, err.msg));
		return false;
	}
	slt_assert(seal.covered);
	b->covered = seal.covered;
	struct slt_trace_entry e = {
		.rule = "signature",
		.place = slt_node_place(w, seal.covered),
		.from = {.code = slt_arena_strdup(w->arena, seal.signer)},
		.to = {.code = slt_arena_strdup(w->arena,
						slt_time_format(seal.signed_ms, false, when))},
		.outcome = SLT_OUT_CHECKED,
		.note = "the document's own signature is good and covers this",
		.personal = true};
	slt_walk_trace(w, NULL, &e);
	return true;
}

/* All that is below the root, and its attributes, under an element of its own. */
static xmlNode *take_source(struct slt_walk *w)
{
	xmlNode *source = xmlNewDocNode(w->doc, w->root->ns, w->root->name, NULL);

	slt_assert(source);
	source->children = w->root->children;
	source->last = w->root->last;
	source->properties = w->root->properties;
	for (xmlNode *n = source->children; n; n = n->next) {
		n->parent = source;
	}
	for (xmlAttr *a = source->properties; a; a = a->next) {
		a->parent = source;
	}
	w->root->children = w->root->last = NULL;
	w->root->properties = NULL;
	return source;
}

void slt_shape_apply(struct slt_walk *w, const struct slt_shape *s)
{
	struct build b = {.w = w, .s = s};
	xmlNode *signature;

	if (!judge(&b, &signature)) {
		return;
	}
	b.source = take_source(w);
	unmark(b.source);
	if (signature) {
		const struct slt_shape_part gone = {.id = "signature"};
		mark(signature, &whole);
		say(&b, &gone, signature, SLT_OUT_DROPPED, NULL);
	}
	apply_parts(&b, s->part, s->n_parts, b.source, w->root);
	account(&b, b.source);
	slt_walk_drop(w, b.source);
}
