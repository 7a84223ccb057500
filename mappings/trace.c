/* SPDX-License-Identifier: MIT */
#include "mappings/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const char *const outcomes[] = {"mapped",  "kept",    "dropped", "defaulted",
				       "refused", "checked", "flagged"};

struct slt_trace *slt_trace_new(void)
{
	struct slt_trace *t = slt_calloc(1, sizeof(*t));

	t->arena = slt_arena_new();
	return t;
}

void slt_trace_free(struct slt_trace *t)
{
	if (t) {
		slt_arena_free(t->arena);
		free(t->entry);
		free(t);
	}
}

static void copy_code(struct slt_arena *a, struct slt_trace_code *c)
{
	c->system = slt_arena_strdup(a, c->system);
	c->code = slt_arena_strdup(a, c->code);
	c->display = slt_arena_strdup(a, c->display);
}

const char *slt_trace_place(struct slt_trace *t, struct slt_str path, const char *attribute)
{
	size_t n = attribute ? strlen(attribute) : 0;
	char *place = slt_arena_alloc(t->arena, path.n + n + 3);

	if (path.n) {
		memcpy(place, path.p, path.n);
	}
	if (attribute) {
		memcpy(place + path.n, "/@", 2);
		memcpy(place + path.n + 2, attribute, n);
	}
	t->place = place;
	return place;
}

/* A copy of a text that does not change while the trace grows: one for each address, mostly. */
static const char *keep(struct slt_trace *t, const char *text)
{
	size_t i = ((uintptr_t)text >> 3) * 31 % SLT_TRACE_KEPT;

	if (!text) {
		return NULL;
	}
	if (t->kept[i].text != text || strcmp(t->kept[i].copy, text) != 0) {
		t->kept[i].text = text;
		t->kept[i].copy = slt_arena_strdup(t->arena, text);
	}
	return t->kept[i].copy;
}

bool slt_trace_add(struct slt_trace *t, const struct slt_trace_entry *e)
{
	struct slt_trace_entry c = *e;

	if (t->n == SLT_TRACE_MAX) {
		return false;
	}
	c.document = keep(t, e->document);
	c.rule = keep(t, e->rule);
	c.place = e->place == t->place ? t->place : slt_arena_strdup(t->arena, e->place);
	c.table = keep(t, e->table);
	c.from_version = keep(t, e->from_version);
	c.to_version = keep(t, e->to_version);
	c.relation = keep(t, e->relation);
	c.note = slt_arena_strdup(t->arena, e->note);
	copy_code(t->arena, &c.from);
	copy_code(t->arena, &c.pivot);
	copy_code(t->arena, &c.to);
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->entry = slt_realloc(t->entry, t->cap, sizeof(*t->entry));
	}
	t->entry[t->n++] = c;
	return true;
}

const char *slt_outcome_name(enum slt_outcome o)
{
	return outcomes[o];
}

size_t slt_trace_count(const struct slt_trace *t, enum slt_outcome o)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		n += t->entry[i].outcome == o;
	}
	return n;
}

static void add_text(struct slt_buf *b, const char *name, const char *value)
{
	if (value) {
		slt_buf_addf(b, ",\"%s\":", name);
		slt_buf_add_json(b, value);
	}
}

static void add_code(struct slt_buf *b, const char *name, const struct slt_trace_code *c,
		     bool masked)
{
	bool first = true;
	const struct {
		const char *name, *value;
		bool secret;
	} parts[] = {/* an identifier without extension is its root: then the root is the secret */
		     {"system", c->system, !c->code},
		     {"code", c->code, true},
		     {"text", c->display, true}};

	if (!c->system && !c->code && !c->display) {
		return;
	}
	slt_buf_addf(b, ",\"%s\":{", name);
	for (size_t i = 0; i < SLT_COUNT(parts); i++) {
		if (parts[i].value) {
			slt_buf_addf(b, "%s\"%s\":", first ? "" : ",", parts[i].name);
			slt_buf_add_json(b, masked && parts[i].secret ? "***" : parts[i].value);
			first = false;
		}
	}
	slt_buf_addc(b, '}');
}

static void add_entry(const struct slt_trace_entry *e, bool personal, struct slt_buf *b)
{
	bool masked = e->personal && !personal;

	slt_buf_addf(b, "{\"part\":%u", e->part);
	add_text(b, "document", e->document);
	add_text(b, "rule", e->rule);
	add_text(b, "place", e->place);
	add_text(b, "outcome", slt_outcome_name(e->outcome));
	add_code(b, "from", &e->from, masked);
	add_code(b, "pivot", &e->pivot, masked);
	add_code(b, "to", &e->to, masked);
	add_text(b, "table", e->table);
	add_text(b, "fromVersion", e->from_version);
	add_text(b, "toVersion", e->to_version);
	add_text(b, "relation", e->relation);
	add_text(b, "note", e->note);
	slt_buf_addc(b, '}');
}

void slt_trace_json(const struct slt_trace *t, bool personal, struct slt_buf *out)
{
	char at[SLT_TIME_LEN];

	slt_buf_adds(out, "{\"format\":\"silta-trace-1\"");
	add_text(out, "from", t->from);
	add_text(out, "to", t->to);
	add_text(out, "flow", t->flow);
	add_text(out, "service", t->service);
	add_text(out, "message", t->message);
	add_text(out, "at", slt_time_format(t->now_ms, true, at));
	add_text(out, "fromVersion", t->from_version);
	add_text(out, "toVersion", t->to_version);
	add_text(out, "flowVersion", t->flow_version);
	add_text(out, "set", t->set_digest);
	add_text(out, "input", t->input_digest);
	add_text(out, "output", t->output_digest);
	slt_buf_adds(out, ",\"entries\":[");
	for (size_t i = 0; i < t->n; i++) {
		slt_buf_adds(out, i ? ",\n" : "\n");
		add_entry(&t->entry[i], personal, out);
	}
	slt_buf_adds(out, "\n]}\n");
}
