/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The inside of the engine: one exchange while it is being mapped. Shared by engine.c, walk.c and
 * the operations (op_*.c, guard.c, names.c, narrative.c, cda.c); nobody else includes it.
 */

#include "mappings/catalogue.h"
#include "mappings/engine.h"
#include "mappings/find.h"
#include "mappings/json_doc.h"
#include "mappings/lookup.h"
#include "mappings/matcher.h"
#include "mappings/ruleset.h"

#define SLT_WALK_DEPTH 128

/* Rules of one kind of document, compiled: what a country sends, or what another receives. */
struct slt_plan {
	const char *kind;
	struct slt_matcher *matcher;
	const struct slt_rule **rule; /* by the matcher's ids */
	size_t n;
};

struct slt_plans { /* of a flow and a country, one per kind */
	struct slt_plan *to_pivot, *from_pivot;
	size_t n;
};

/* What the walk learned of an element; guards compare these (xmlNode's _private). */
struct slt_node_note {
	const char *pivot_code;			 /* of a code rule */
	const struct slt_identifier *identifier; /* of an identifier rule */
	const char *home_root;	  /* the identifier's root in the country that issues it */
	bool in_pivot, in_target; /* a JSON member that has the pivot's, the receiver's name */
};

/* What bodies and documents of the message said of one subject, whatever country's root it stands
 * under. */
struct slt_map_subject {
	const struct slt_subject *subject; /* NULL: a document of this kind was there */
	const char *id;			   /* of the subject */
	const char *kind, *root, *extension;
	unsigned part;
	bool body;   /* not of a document beside it */
	bool speaks; /* says what the message is about: in the body, or in a request that is a
			document itself */
	struct slt_map_subject *next;
};
struct slt_said {
	struct slt_map_subject *first;
};

struct slt_place { /* names seen among an element's children, to number them */
	struct {
		const xmlChar *name;
		unsigned n;
	} seen[24];
	unsigned n_seen, children;
	size_t length; /* of the place up to here */
};

struct slt_move {
	xmlNode *node;
	const struct slt_rule *rule;
	struct slt_move *next;
};

struct slt_walk {
	const struct slt_map_input *in;
	const struct slt_flow *flow;
	const struct slt_country *from, *to, *pivot;
	const struct slt_country *const *all; /* every country of the set */
	size_t n_all;
	const struct slt_flow_country *from_flow, *to_flow;
	const struct slt_plans *to_pivot, *from_pivot;
	const struct slt_messages *messages;
	struct slt_said *said; /* shared by the documents of a message */
	struct slt_arena *arena;
	struct slt_trace *trace;
	struct slt_problems *problems;
	bool full; /* the trace is: the document is refused */

	/* the document at hand */
	unsigned part;
	unsigned char source_digest[32]; /* what the new document's id is made of */
	xmlDoc *doc;
	xmlNode *root;
	bool json; /* a JSON document (json_doc.h) */
	const char *kind, *service, *message;
	bool body;  /* a body element: names apply */
	bool whole; /* a document that is all there is of the message */
	uint32_t date;
	struct slt_str *field; /* values of flow->field, as the document came */
	struct slt_cond_fields fields;
	struct slt_buf place;
	const struct slt_prefix *place_ns; /* of the last step that had one */
	struct slt_place *level; /* SLT_WALK_DEPTH + 2, not zeroed: most are never reached */
	unsigned depth;
	struct slt_match_run *run_to, *run_from;
	const struct slt_plan *plan_to, *plan_from;
	struct slt_move *moves;
	struct slt_garbage *garbage;
	const struct slt_call *call; /* of a call: the receiver's template */
	struct slt_find *find;	     /* once the rules have been applied: see slt_walk_find() */
};

struct slt_garbage {
	xmlNode *node;
	struct slt_garbage *next;
};

/* --- walk.c --- */

/* Maps the document below root in place; problems and trace fill up. False when it cannot go on
 * (depth). The kind is known. */
SLT_CHECK bool slt_walk_document(struct slt_walk *w, xmlNode *root, const char *kind, bool body,
				 struct slt_err *err);
/* The kind of the element at the root of a document, in the sender's own shape or the flow's. */
const struct slt_document_kind *slt_walk_kind(const struct slt_walk *w, const xmlNode *root);
/* Takes an element out of the document; freed with the exchange. */
void slt_walk_drop(struct slt_walk *w, xmlNode *node);
/* Frees what was dropped; its document must still be there. */
void slt_walk_empty(struct slt_walk *w);
struct slt_place *slt_walk_levels(void); /* malloc'ed */
void slt_walk_fini(struct slt_walk *w);
struct slt_node_note *slt_walk_note(struct slt_walk *w, xmlNode *node);

/* The elements of the document at hand by name; made when first asked for. Forget it when the tree
 * has changed. */
const struct slt_find *slt_walk_find(struct slt_walk *w);
void slt_walk_forget(struct slt_walk *w);

/* --- saying what happened --- */

const char *slt_walk_place(struct slt_walk *w, const char *attribute);
/* The same of a node that the walk is not at. */
const char *slt_node_place(struct slt_walk *w, const xmlNode *node);
/* Adds an entry with document, part, rule and place filled in. */
void slt_walk_trace(struct slt_walk *w, const struct slt_rule *rule, struct slt_trace_entry *e);
void slt_walk_say(struct slt_walk *w, const char *rule, enum slt_outcome o, const char *from,
		  const char *to, const char *note);
/* The same for values of a rule that may name a person. */
void slt_walk_say_value(struct slt_walk *w, const struct slt_rule *r, enum slt_outcome o,
			const char *from, const char *to, const char *note);
/* Adds a problem with rule, field, place and countries filled in from the rule. */
void slt_walk_problem(struct slt_walk *w, const struct slt_rule *rule, enum slt_code code,
		      enum slt_severity severity, struct slt_map_problem *p);

/* --- tree.c: changing it --- */

/* A namespace declaration in scope at the node, made at the document's root if there is none. */
xmlNs *slt_walk_ns(struct slt_walk *w, xmlNode *node, const char *uri, const char *prefix);
/* The namespace in which datatype parts of the element stand. */
xmlNs *slt_walk_parts_ns(struct slt_walk *w, xmlNode *element);
void slt_set_attr(xmlNode *element, const char *name, const char *value); /* NULL removes */
void slt_set_text(xmlNode *element, const char *text);
xmlNode *slt_add_first(xmlNode *parent, xmlNs *ns, const char *name, const char *text);
/* A deep copy that can be linked below the parent. */
xmlNode *slt_clone(xmlNode *node, xmlNode *parent);

/* --- operations: op_code.c, op_value.c, op_struct.c --- */

typedef void slt_op(struct slt_walk *w, const struct slt_rule *r, xmlNode *element);
slt_op slt_op_code, slt_op_unit, slt_op_text, slt_op_identifier, slt_op_date, slt_op_number;
slt_op slt_op_set, slt_op_copy, slt_op_rename, slt_op_namespace, slt_op_move, slt_op_split,
	slt_op_join, slt_op_repeat, slt_op_drop, slt_op_require, slt_op_forbid;
void slt_apply_moves(struct slt_walk *w);

/* Value of the rule's attribute, or the element's text; NULL when absent. */
const char *slt_rule_value(struct slt_walk *w, const struct slt_rule *r, const xmlNode *element);
void slt_rule_set_value(struct slt_walk *w, const struct slt_rule *r, xmlNode *element,
			const char *value);
/* The lookup of a rule's table with everything but the coding filled in. */
void slt_rule_lookup(struct slt_walk *w, const struct slt_rule *r, struct slt_lookup *ret);
enum slt_code slt_lookup_error(const struct slt_rule *r, enum slt_lookup_status s);
/* It is the sending country's list that has no answer. */
bool slt_lookup_senders(enum slt_lookup_status s);

/* --- op_json.c: the same values where JSON documents have them --- */

#define SLT_CODED_OTHERS 32

struct slt_coded { /* an element that holds a code, as it came */
	struct slt_coding coding;
	const char *system_name, *system_version, *null_flavor, *text;
	struct slt_coding other[SLT_CODED_OTHERS]; /* its translations */
	size_t n_others;
	xmlNode *node; /* JSON: the coding that was read; NULL when there is none */
	bool several;  /* JSON: another in the same system says something else */
};

/* Text of a string, number or boolean; NULL for all else. */
const char *slt_json_leaf(struct slt_walk *w, const xmlNode *e);
/* Adds the step of a normalized path. */
void slt_json_place(struct slt_buf *place, const xmlNode *e, unsigned index);
/* A string, a Coding, or of a CodeableConcept the coding that the source country understands. */
void slt_json_read_coded(struct slt_walk *w, xmlNode *e, struct slt_lookup *l, struct slt_coded *c);
void slt_json_write_coded(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
			  const struct slt_coded *c, const struct slt_lookup *l,
			  const struct slt_coding *to);
void slt_json_null_coded(struct slt_walk *w, const struct slt_rule *r, xmlNode *e,
			 const struct slt_coded *c);
/* Quantity: its code and the code's system, or its unit. */
const char *slt_json_unit(struct slt_walk *w, const xmlNode *e, const char **ret_system);
void slt_json_set_unit(struct slt_walk *w, xmlNode *e, const char *code, const char *name,
		       const struct slt_system *system);
void slt_json_keep_unit(struct slt_walk *w, xmlNode *e);
/* Identifier, or a string: root NULL when it has none. */
void slt_json_read_id(struct slt_walk *w, const xmlNode *e, const char **ret_root,
		      const char **ret_extension);
void slt_json_set_root(struct slt_walk *w, xmlNode *e, const char *root);

/* --- agree.c --- */

/* What beside a code says that it is another one: its name, or a translation in the list of either
 * country; NULL when nothing does. */
const char *slt_code_contradiction(const struct slt_lookup *l, const struct slt_coding *coding,
				   const struct slt_found *f);
/* The name of another code of the list that the text mentions, NULL when it mentions none or also
 * this one. */
const char *slt_text_mentions(struct slt_walk *w, const char *table, const char *text,
			      const char *pivot_code);

/* --- names.c --- */

/* The source country's names to the pivot's, for one element at its turn; false when the element
 * is not known and the document is refused. */
bool slt_names_in(struct slt_walk *w, xmlNode *element);
/* The pivot's names to the target country's, in the whole body, at the end. */
void slt_names_out(struct slt_walk *w, xmlNode *root, const char *service, bool response);
void slt_fault_map(struct slt_walk *w, xmlNode *fault);

/* --- subject.c --- */

/* Notes what the document at hand is about, before it gets the target country's names. */
void slt_subjects_collect(struct slt_walk *w);
/* When all parts of the message have been walked: they are about the same, and about what was
 * asked; and there are as many documents as the message has. */
void slt_subjects_check(struct slt_walk *w);
/* What the body said, in an arena that outlives the walk. */
struct slt_map_subject *slt_subjects_keep(const struct slt_walk *w, struct slt_arena *a);

/* --- engine_schema.c --- */

/* The document against the schemas of the flow and of the country that sends it (before) or
 * receives it. */
void slt_schemas_check(struct slt_walk *w, xmlNode *root, bool before);

/* --- engine.c, engine_call.c --- */

/* The service of this name in either country, as the sender calls it; NULL when there is none. */
const struct slt_service *slt_service_named(const struct slt_walk *w, const char *name);
/* Refuses the message: it is nothing of this flow. */
void slt_walk_unknown(struct slt_walk *w, const xmlNode *payload, const char *detail);
/* The values of a call as a document; NULL (and a problem) when it is none of the service's. */
SLT_CHECK bool slt_call_begin(struct slt_walk *w, xmlDoc **ret_doc, struct slt_err *err);
/* The translated document as the receiver's call, in the arena. */
SLT_CHECK bool slt_call_end(struct slt_walk *w, xmlDoc *doc, struct slt_arena *a, const char **ret,
			    struct slt_err *err);

/* --- guard.c, narrative.c, cda.c, fhir.c --- */

void slt_guards_check(struct slt_walk *w);
void slt_narrative_write(struct slt_walk *w);
bool slt_cda_is(const struct slt_walk *w);
void slt_cda_digest(struct slt_walk *w); /* of the source, before anything is changed */
void slt_cda_finish(struct slt_walk *w);
/* What no rule would ever look at, and another reader might: processing instructions, identifiers
 * with blanks around them, and (unless a shape accounts for all of it) elements that CDA and its
 * extensions do not know. */
void slt_cda_check(struct slt_walk *w, bool shaped);
/* Sixteen bytes of a digest as an UUID. */
const char *slt_cda_uuid(struct slt_walk *w, const unsigned char *p);
bool slt_fhir_is(const struct slt_walk *w);
void slt_fhir_finish(struct slt_walk *w);
