/* SPDX-License-Identifier: MIT */
#include "mappings/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "mappings/mapset.h"

#define NS_SOAP "http://schemas.xmlsoap.org/soap/envelope/"

struct slt_map_result *slt_map_result_new(void)
{
	struct slt_map_result *r = slt_calloc(1, sizeof(*r));

	r->trace = slt_trace_new();
	r->problems = slt_problems_new();
	return r;
}

static void forget_output(struct slt_map_result *r)
{
	slt_xml_free(r->doc);
	r->doc = NULL;
	for (size_t i = 0; i < r->n_parts; i++) {
		free(r->part[i]);
	}
	free(r->part);
	free(r->part_len);
	r->part = NULL;
	r->part_len = NULL;
	r->n_parts = 0;
}

void slt_map_result_free(struct slt_map_result *r)
{
	if (!r) {
		return;
	}
	forget_output(r);
	slt_trace_free(r->trace);
	slt_problems_free(r->problems);
	free(r);
}

/* --- setting out --- */

static bool find_sides(const struct slt_mapset *s, const struct slt_map_input *in,
		       struct slt_walk *w, struct slt_err *err)
{
	const struct slt_plans *plans = NULL;

	w->flow = slt_mapset_find_flow(s, in->flow, &plans);
	w->from = slt_mapset_find_country(s, in->from);
	w->to = slt_mapset_find_country(s, in->to);
	if (!w->flow) {
		return slt_fail(err, SLT_ENOTFOUND, "the mapping set has no flow '%.64s'",
				in->flow);
	}
	if (!slt_mapset_in_force(s, in->from, in->to, in->now_ms, err)) {
		return false;
	}
	w->from_flow = slt_flow_country(w->flow, in->from);
	w->to_flow = slt_flow_country(w->flow, in->to);
	if (!w->from_flow || !w->to_flow || w->from == w->to) {
		return slt_fail(err, SLT_ENOTFOUND, "flow %s does not go from %.16s to %.16s",
				in->flow, in->from, in->to);
	}
	w->to_pivot = &plans[w->from_flow - w->flow->country];
	w->from_pivot = &plans[w->to_flow - w->flow->country];
	w->all = s->country;
	w->n_all = s->n_countries;
	w->pivot = s->pivot;
	w->messages = s->messages;
	return true;
}

static const char *message_name(enum slt_map_message m)
{
	static const char *const names[] = {"request", "response", "fault"};

	return names[m];
}

const struct slt_service *slt_service_named(const struct slt_walk *w, const char *name)
{
	const struct slt_flow_country *sides[] = {w->from_flow, w->to_flow};

	for (size_t k = 0; name && k < SLT_COUNT(sides); k++) {
		for (size_t i = 0; i < sides[k]->n_services; i++) {
			if (strcmp(sides[k]->service[i].name, name) == 0) {
				/* as the sender calls it */
				return slt_flow_service(w->from_flow, sides[k]->service[i].id);
			}
		}
	}
	return NULL;
}

/* The service whose body element this is. */
static const struct slt_service *service_of(const struct slt_walk *w, const xmlNode *payload,
					    unsigned which)
{
	for (size_t i = 0; i < w->from_flow->n_services; i++) {
		const struct slt_service *s = &w->from_flow->service[i];
		if (s->element[which].local &&
		    slt_xml_is(payload, s->element[which].uri, s->element[which].local)) {
			return s;
		}
	}
	return NULL;
}

/* --- parts of the message --- */

static xmlNode *soap_payload(xmlDoc *doc, bool *ret_soap, struct slt_err *err)
{
	xmlNode *root = xmlDocGetRootElement(doc);

	*ret_soap = slt_xml_is(root, NS_SOAP, "Envelope");
	if (!*ret_soap) {
		return root;
	}
	xmlNode *body = slt_xml_child(root, NS_SOAP, "Body");
	xmlNode *payload = body ? slt_xml_first(body) : NULL;
	if (!body || slt_xml_next_named(body, NS_SOAP, "Body")) {
		slt_fail(err, SLT_EMISSING_BODY, "the envelope has not exactly one Body");
		return NULL;
	}
	if (!payload || slt_xml_next(payload)) {
		slt_fail(err, SLT_EINVALID_BODY, "the Body has not exactly one element");
		return NULL;
	}
	return payload;
}

void slt_walk_unknown(struct slt_walk *w, const xmlNode *payload, const char *detail)
{
	const char *name = payload ? slt_arena_strdup(w->arena, (const char *)payload->name) : NULL;
	struct slt_map_problem p = {.field = "field.structure",
				    .rule = "documents",
				    .place = "/",
				    .found_code = name,
				    .detail = detail};

	w->kind = "unknown";
	slt_walk_say(w, "documents", SLT_OUT_REFUSED, name, NULL, detail);
	slt_walk_problem(w, NULL, SLT_FED_STR_002, SLT_SEV_ERROR, &p);
}

static bool map_service(struct slt_walk *w, xmlNode *payload, const struct slt_service *s,
			struct slt_err *err)
{
	unsigned which = w->in->message == SLT_MAP_RESPONSE;
	const struct slt_flow_message *m = slt_flow_message(w->flow, s->id);

	w->service = s->id;
	w->trace->service = s->id;
	if (!slt_walk_document(w, payload, m->kind[w->call ? SLT_KIND_CALL : which], true, err)) {
		return false;
	}
	if (w->problems->errors == 0 && !w->call) {
		slt_names_out(w, payload, s->id, which == 1);
		slt_schemas_check(w, payload, false);
	}
	return true;
}

/* The body of this message is a document of the flow. */
static bool map_whole(struct slt_walk *w, xmlNode *root, const struct slt_service *s,
		      const char *wanted, struct slt_err *err)
{
	const struct slt_document_kind *kind = slt_flow_kind(w->flow, root);

	w->service = s->id;
	w->trace->service = s->id;
	if (!kind || strcmp(kind->id, wanted) != 0) {
		slt_walk_unknown(w, NULL, "not the kind of document that this message is");
		return true;
	}
	w->whole = true;
	bool good = slt_walk_document(w, root, kind->id, false, err);
	w->whole = false;
	return good;
}

/* A JSON document says by itself what it is; a message of a service does not. */
static bool map_json(struct slt_walk *w, xmlNode *root, struct slt_err *err)
{
	const struct slt_service *s = slt_service_named(w, w->in->service);
	const struct slt_flow_message *m = s ? slt_flow_message(w->flow, s->id) : NULL;
	const struct slt_document_kind *kind = slt_flow_kind(w->flow, root);

	if (kind && !w->in->service) {
		return kind->pass || slt_walk_document(w, root, kind->id, false, err);
	}
	if (!w->in->service) {
		slt_walk_unknown(w, NULL,
				 "no kind of document of this flow, and no service is named");
	} else if (!m || m->format != SLT_MESSAGE_JSON) {
		slt_walk_unknown(w, NULL, "not a service of this flow that speaks JSON");
	} else if (w->in->message == SLT_MAP_FAULT) {
		slt_walk_unknown(w, NULL, "a JSON message is a request or a response");
	} else if (slt_flow_whole(m, w->in->message == SLT_MAP_RESPONSE) && !w->call) {
		return map_whole(w, root, s, m->document[w->in->message == SLT_MAP_RESPONSE], err);
	} else {
		return map_service(w, root, s, err);
	}
	return true;
}

static bool map_payload(struct slt_walk *w, xmlNode *payload, struct slt_err *err)
{
	unsigned which = w->in->message == SLT_MAP_RESPONSE;
	const struct slt_service *s = slt_service_named(w, w->in->service);
	const struct slt_document_kind *kind = slt_walk_kind(w, payload);

	if (w->json) {
		return map_json(w, payload, err);
	}

	if (slt_xml_is(payload, NS_SOAP, "Fault")) {
		w->kind = "fault";
		w->message = "fault";
		w->body = true;
		slt_fault_map(w, payload);
		return true;
	}
	if (kind && !w->in->service) {
		return kind->pass || slt_walk_document(w, payload, kind->id, false, err);
	}
	if (w->in->service && !s) {
		slt_walk_unknown(w, payload, "the service is not one of this flow");
		return true;
	}
	const struct slt_service *actual = service_of(w, payload, which);
	if (!actual || (s && s != actual)) {
		slt_walk_unknown(w, payload, "not the body element of this service and message");
		return true;
	}
	return map_service(w, payload, actual, err);
}

/* --- namespace declarations --- */

static bool is_senders(const struct slt_walk *w, const xmlNs *ns)
{
	const struct slt_prefixes *p = &w->from_flow->prefixes;
	const struct slt_prefixes *common = &w->flow->prefixes;

	for (size_t i = w->from_flow->n_common; i < p->n; i++) {
		if (strcmp(p->v[i].uri, (const char *)ns->href) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < common->n; i++) {
		if (strncmp(common->v[i].uri, "urn:silta:", 10) == 0 &&
		    strcmp(common->v[i].uri, (const char *)ns->href) == 0) {
			return true;
		}
	}
	return false;
}

static bool uses(const xmlNode *n, const xmlNs *ns, unsigned depth)
{
	for (; n; n = n->next) {
		if (n->type != XML_ELEMENT_NODE) {
			continue;
		}
		for (const xmlAttr *a = n->properties; a; a = a->next) {
			if (a->ns == ns) {
				return true;
			}
		}
		if (n->ns == ns ||
		    (depth < 2 * SLT_WALK_DEPTH && uses(n->children, ns, depth + 1))) {
			return true;
		}
	}
	return false;
}

static bool used_in(const xmlNode *e, const xmlNs *ns)
{
	for (const xmlAttr *a = e->properties; a; a = a->next) {
		if (a->ns == ns) {
			return true;
		}
	}
	return e->ns == ns || uses(e->children, ns, 0);
}

static void drop_declarations(const struct slt_walk *w, xmlNode *e, bool defaults)
{
	xmlNs **link = &e->nsDef;

	while (*link) {
		xmlNs *ns = *link;
		if ((is_senders(w, ns) || (defaults && !ns->prefix)) && !used_in(e, ns)) {
			*link = ns->next;
			ns->next = NULL;
			xmlFreeNs(ns);
		} else {
			link = &ns->next;
		}
	}
}

/* A default namespace that no element is in any more would still give its meaning to the names in
 * xsi:type below it. */
static void drop_defaults(const struct slt_walk *w, xmlNode *e, unsigned depth)
{
	for (; e && depth < 2 * SLT_WALK_DEPTH; e = slt_xml_next(e)) {
		if (e->nsDef) {
			drop_declarations(w, e, true);
		}
		drop_defaults(w, slt_xml_first(e), depth + 1);
	}
}

/* Declarations of the sender's words and the pivot's, on the way down to the payload, that nothing
 * uses any more. */
static void tidy(const struct slt_walk *w, xmlNode *payload)
{
	if (w->json) {
		return; /* its namespaces are never written */
	}
	drop_defaults(w, slt_xml_first(payload), 0);
	for (xmlNode *e = payload; e && e->type == XML_ELEMENT_NODE; e = e->parent) {
		drop_declarations(w, e, false);
	}
}

/* --- one message --- */

bool slt_map_dump(xmlDoc *doc, struct slt_buf *out, struct slt_err *err)
{
	return slt_json_is(doc) ? slt_json_dump(doc, out, err)
				: slt_xml_dump(doc, NULL, true, out, err);
}

static bool parse(struct slt_str bytes, const char *what, xmlDoc **ret, struct slt_err *err)
{
	return slt_json_looks(bytes)
		       ? slt_json_parse(bytes, what, ret, err)
		       : slt_xml_parse(bytes.p, bytes.n, &SLT_XML_PEER, what, ret, err);
}

static void begin_part(struct slt_walk *w, unsigned part, xmlDoc *doc)
{
	w->part = part;
	w->doc = doc;
	w->json = slt_json_is(doc);
	w->kind = NULL;
	slt_buf_reset(&w->place);
	w->level[0].length = 0;
	w->depth = 0;
}

static const char *digest_hex(struct slt_arena *a, const void *p, size_t n)
{
	struct slt_digest d;
	SLT_AUTO_BUF(hex, 2 * SLT_DIGEST_MAX + 1);

	slt_digest_of(SLT_SHA256, p, n, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	return slt_arena_strdup(a, hex.p);
}

static bool map_body(struct slt_walk *w, struct slt_map_result *r, struct slt_err *err)
{
	bool soap;

	begin_part(w, 0, r->doc);
	xmlNode *root = xmlDocGetRootElement(r->doc);
	if (w->in->bare && !w->json && root->ns &&
	    slt_xml_is(root, NS_SOAP, (const char *)root->name)) {
		slt_walk_unknown(w, root, "a SOAP envelope or Fault is no body of its own");
		return true;
	}
	xmlNode *payload = soap_payload(r->doc, &soap, err);
	if (!payload || !map_payload(w, payload, err)) {
		return false;
	}
	if (w->problems->errors == 0) {
		tidy(w, payload);
	}
	return true;
}

static void keep_part(struct slt_map_result *r, size_t i, const void *p, size_t n)
{
	r->part[i] = slt_calloc(n + 1, 1);
	memcpy(r->part[i], p, n);
	r->part_len[i] = n;
}

/* One attachment that is a document of the flow, parsed. */
static bool map_part_doc(struct slt_walk *w, xmlDoc *doc, struct slt_map_result *r, size_t i,
			 struct slt_err *err)
{
	SLT_AUTO_BUF(out, 64u << 20);
	xmlNode *root = xmlDocGetRootElement(doc);
	const struct slt_document_kind *kind = slt_walk_kind(w, root);

	w->doc = doc;
	w->json = slt_json_is(doc);
	if (!kind) {
		slt_walk_unknown(w, root, "the attachment is no document of this flow");
		return true;
	}
	if (!kind->pass && !slt_walk_document(w, root, kind->id, false, err)) {
		return false;
	}
	if (w->problems->errors == 0) {
		tidy(w, root);
	}
	if (!slt_map_dump(doc, &out, err)) {
		return false;
	}
	struct slt_str s = slt_buf_str(&out);
	keep_part(r, i, s.p, s.n);
	return true;
}

static bool map_part(struct slt_walk *w, const struct slt_map_part *part, struct slt_map_result *r,
		     size_t i, struct slt_err *err)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;

	begin_part(w, (unsigned)i + 1, NULL);
	if (slt_flow_passes(w->flow, part->content_type ? part->content_type : "")) {
		w->kind = "attachment";
		slt_walk_say(w, "documents", SLT_OUT_KEPT, part->content_type, NULL,
			     "attachment left as it is");
		keep_part(r, i, part->bytes.p, part->bytes.n);
		return true;
	}
	if (!parse(part->bytes, "attachment", &doc, err)) {
		return false;
	}
	bool ok = map_part_doc(w, doc, r, i, err);
	/* what was taken out of the document goes before it: its names may live in the document */
	slt_walk_empty(w);
	w->doc = NULL;
	return ok;
}

static bool map_all(struct slt_walk *w, struct slt_map_result *r, struct slt_err *err)
{
	const struct slt_map_input *in = w->in;

	if (!map_body(w, r, err)) {
		return false;
	}
	r->part = slt_calloc(in->n_parts + 1, sizeof(*r->part));
	r->part_len = slt_calloc(in->n_parts + 1, sizeof(*r->part_len));
	for (size_t i = 0; i < in->n_parts; i++) {
		r->n_parts = i + 1;
		if (!map_part(w, &in->parts[i], r, i, err)) {
			return slt_wrap(err, "attachment %zu", i + 1);
		}
	}
	slt_subjects_check(w);
	if (w->full) {
		return slt_fail(err, SLT_ELIMIT, "the message needs more than %d trace entries",
				SLT_TRACE_MAX);
	}
	return true;
}

static bool map_call(struct slt_walk *w, struct slt_map_result *r, struct slt_err *err)
{
	return slt_call_begin(w, &r->doc, err) && (!r->doc || map_all(w, r, err)) &&
	       (w->problems->errors > 0 || slt_call_end(w, r->doc, r->trace->arena, &r->call, err));
}

static void describe(const struct slt_mapset *s, const struct slt_map_input *in,
		     const struct slt_walk *w, struct slt_trace *t)
{
	t->from = w->from->code;
	t->to = w->to->code;
	t->flow = w->flow->id;
	t->message = message_name(in->message);
	t->from_version = w->from->version;
	t->to_version = w->to->version;
	t->flow_version = w->flow->version;
	t->set_digest = slt_arena_strdup(t->arena, s->digest);
	t->now_ms = in->now_ms;
	if (in->body.n > 0) {
		t->input_digest = digest_hex(t->arena, in->body.p, in->body.n);
	}
	/* the trace may outlive the set */
	t->from = slt_arena_strdup(t->arena, t->from);
	t->to = slt_arena_strdup(t->arena, t->to);
	t->flow = slt_arena_strdup(t->arena, t->flow);
	t->from_version = slt_arena_strdup(t->arena, t->from_version);
	t->to_version = slt_arena_strdup(t->arena, t->to_version);
	t->flow_version = slt_arena_strdup(t->arena, t->flow_version);
}

static bool refused(struct slt_map_result *r, struct slt_err *err)
{
	const struct slt_map_problem *p = slt_problems_first(r->problems);
	SLT_AUTO_BUF(text, SLT_ERR_MSG_MAX);

	slt_problem_text(r->problems, p, "en", &text);
	struct slt_str s = slt_buf_str(&text);
	return slt_fail(err, p->code, "%.*s (rule %s at %s%s%s)", (int)s.n, s.p,
			p->rule ? p->rule : "-", p->place ? p->place : "/", p->detail ? ": " : "",
			p->detail ? p->detail : "");
}

bool slt_map_apply(const struct slt_mapset *s, const struct slt_map_input *in,
		   struct slt_map_result *result, struct slt_err *err)
{
	struct slt_walk *w = slt_calloc(1, sizeof(*w));
	bool good = false;

	result->doc = in->take_doc;
	w->in = in;
	w->trace = result->trace;
	w->problems = result->problems;
	w->problems->messages = s->messages;
	w->problems->flow = slt_arena_strdup(w->problems->arena, in->flow);
	w->message = message_name(in->message);
	w->arena = slt_arena_new();
	w->said = slt_arena_alloc(w->arena, sizeof(*w->said));
	w->level = slt_walk_levels();
	slt_buf_init(&w->place, 4096);
	if (find_sides(s, in, w, err)) {
		describe(s, in, w, result->trace);
		good = in->n_parts <= SLT_MAP_PARTS_MAX ||
		       slt_fail(err, SLT_ELIMIT, "more than %d attachments", SLT_MAP_PARTS_MAX);
		good = good &&
		       (in->call ? map_call(w, result, err)
				 : (result->doc || parse(in->body, "message", &result->doc, err)) &&
					   map_all(w, result, err));
	}
	if (good) {
		result->subjects = slt_subjects_keep(w, result->trace->arena);
	}
	if (good && result->trace->service) {
		result->trace->service =
			slt_arena_strdup(result->trace->arena, result->trace->service);
	}
	if (good && result->problems->errors > 0) {
		good = refused(result, err);
	}
	slt_walk_fini(w);
	slt_arena_free(w->arena);
	free(w);
	if (!good) {
		forget_output(result);
	}
	return good;
}
