/* SPDX-License-Identifier: MIT */
#include "mappings/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mappings/catalogue.h"

static const char *const languages[] = {"et", "fi", "en"};

struct slt_problems *slt_problems_new(void)
{
	struct slt_problems *p = slt_calloc(1, sizeof(*p));

	p->arena = slt_arena_new();
	return p;
}

void slt_problems_free(struct slt_problems *p)
{
	if (p) {
		slt_arena_free(p->arena);
		free(p->v);
		free(p);
	}
}

void slt_problems_add(struct slt_problems *p, const struct slt_map_problem *problem)
{
	struct slt_map_problem c = *problem;

	bool is_error = problem->severity == SLT_SEV_ERROR;

	p->errors += is_error;
	/* any number of warnings leaves room for what stops the message */
	if (p->n >= (is_error ? SLT_PROBLEMS_MAX : SLT_PROBLEMS_MAX / 2)) {
		return;
	}
	c.field = slt_arena_strdup(p->arena, problem->field);
	c.rule = slt_arena_strdup(p->arena, problem->rule);
	c.place = slt_arena_strdup(p->arena, problem->place);
	c.found_system = slt_arena_strdup(p->arena, problem->found_system);
	c.found_code = slt_arena_strdup(p->arena, problem->found_code);
	c.found_text = slt_arena_strdup(p->arena, problem->found_text);
	c.table = slt_arena_strdup(p->arena, problem->table);
	c.version = slt_arena_strdup(p->arena, problem->version);
	c.country = slt_arena_strdup(p->arena, problem->country);
	c.target = slt_arena_strdup(p->arena, problem->target);
	c.detail = slt_arena_strdup(p->arena, problem->detail);
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 16;
		p->v = slt_realloc(p->v, p->cap, sizeof(*p->v));
	}
	p->v[p->n++] = c;
}

const struct slt_map_problem *slt_problems_first(const struct slt_problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].severity == SLT_SEV_ERROR) {
			return &p->v[i];
		}
	}
	return NULL;
}

static const char *placeholder(const struct slt_problems *p, const struct slt_map_problem *m,
			       const char *lang, const char *name, size_t n)
{
	const struct {
		const char *name, *value;
	} known[] = {
		{"field", slt_message_or_key(p->messages, m->field, lang)},
		{"code", m->found_code},
		{"text", m->found_text ? m->found_text : m->found_code},
		{"table", m->table},
		{"version", m->version},
		{"from", m->country},
		{"target", m->target},
		{"to", m->target},
	};

	for (size_t i = 0; i < SLT_COUNT(known); i++) {
		if (strlen(known[i].name) == n && memcmp(known[i].name, name, n) == 0) {
			return known[i].value && *known[i].value ? known[i].value : "–";
		}
	}
	return NULL;
}

/* A warning has a sentence of its own: its document was passed on. A flow may have its own, too:
 * what a pharmacist is told helps nobody at a register. */
static const char *sentence(const struct slt_problems *p, const struct slt_map_problem *m,
			    const char *lang)
{
	const char *flow[] = {p->flow, p->flow, NULL, NULL}, *langs[] = {lang, "en", lang, "en"};
	const char *t = NULL;

	for (size_t i = p->flow ? 0 : 2; i < SLT_COUNT(flow) && !t; i++) {
		char key[128];
		snprintf(key, sizeof(key), "%s%s%s%s", slt_code_name(m->code, SLT_DIALECT_CAMEL),
			 m->severity == SLT_SEV_WARNING ? ".warning" : "", flow[i] ? "." : "",
			 flow[i] ? flow[i] : "");
		t = slt_message(p->messages, key, langs[i]);
	}
	return t;
}

void slt_problem_text(const struct slt_problems *p, const struct slt_map_problem *m,
		      const char *lang, struct slt_buf *out)
{
	const char *t = sentence(p, m, lang);

	if (!t) {
		slt_buf_addf(out, "%s: ", slt_message_or_key(p->messages, m->field, lang));
		slt_buf_adds(out, m->found_text ? m->found_text : "");
		slt_buf_addf(out, "%s%s%s", m->found_text && m->found_code ? " " : "",
			     m->found_code ? m->found_code : "",
			     m->found_text || m->found_code ? ": " : "");
		slt_buf_adds(out, slt_code_text(m->code));
		return;
	}
	while (*t) {
		const char *end = *t == '{' ? strchr(t, '}') : NULL;
		const char *value =
			end ? placeholder(p, m, lang, t + 1, (size_t)(end - t) - 1) : NULL;
		if (value) {
			slt_buf_adds(out, value);
			t = end + 1;
		} else {
			slt_buf_addc(out, *t++);
		}
	}
}

struct fact { /* of a problem, as attribute or member */
	const char *name, *value;
};
#define FACTS 11

static void facts(const struct slt_map_problem *m, struct fact ret[FACTS])
{
	const struct fact all[FACTS] = {
		{"code", slt_code_name(m->code, SLT_DIALECT_CAMEL)},
		{"severity", m->severity == SLT_SEV_ERROR ? "error" : "warning"},
		{"field", m->field},
		{"rule", m->rule},
		{"place", m->place},
		{"foundSystem", m->found_system},
		{"foundCode", m->found_code},
		{"foundText", m->found_text},
		{"table", m->table},
		{"version", m->version},
		{"country", m->country},
	};

	memcpy(ret, all, sizeof(all));
}

static void one_xml(const struct slt_problems *p, const struct slt_map_problem *m,
		    struct slt_buf *out)
{
	struct fact f[FACTS];

	facts(m, f);
	slt_buf_adds(out, "<problem");
	for (size_t i = 0; i < FACTS; i++) {
		if (f[i].value) {
			slt_buf_addf(out, " %s=\"", f[i].name);
			slt_buf_add_xml(out, f[i].value);
			slt_buf_addc(out, '"');
		}
	}
	slt_buf_addc(out, '>');
	for (size_t i = 0; i < SLT_COUNT(languages); i++) {
		SLT_AUTO_BUF(text, 16384);
		slt_problem_text(p, m, languages[i], &text);
		slt_buf_addf(out, "<text xml:lang=\"%s\">", languages[i]);
		slt_buf_add_xml(out, text.p ? text.p : "");
		slt_buf_adds(out, "</text>");
	}
	if (m->detail) {
		slt_buf_adds(out, "<detail>");
		slt_buf_add_xml(out, m->detail);
		slt_buf_adds(out, "</detail>");
	}
	slt_buf_adds(out, "</problem>");
}

void slt_problems_xml(const struct slt_problems *p, struct slt_buf *out)
{
	slt_buf_adds(out, "<problems xmlns=\"" SLT_NS_PROBLEMS "\">");
	for (size_t i = 0; i < p->n; i++) {
		one_xml(p, &p->v[i], out);
	}
	slt_buf_adds(out, "</problems>");
}

static void one_json(const struct slt_problems *p, const struct slt_map_problem *m,
		     struct slt_buf *out)
{
	struct fact f[FACTS];

	facts(m, f);
	slt_buf_addc(out, '{');
	for (size_t i = 0; i < FACTS; i++) {
		if (f[i].value) {
			slt_buf_addf(out, "%s\"%s\":", i ? "," : "", f[i].name);
			slt_buf_add_json(out, f[i].value);
		}
	}
	slt_buf_adds(out, ",\"text\":{");
	for (size_t i = 0; i < SLT_COUNT(languages); i++) {
		SLT_AUTO_BUF(text, 16384);
		slt_problem_text(p, m, languages[i], &text);
		slt_buf_addf(out, "%s\"%s\":", i ? "," : "", languages[i]);
		slt_buf_add_json(out, text.p ? text.p : "");
	}
	slt_buf_addc(out, '}');
	if (m->detail) {
		slt_buf_adds(out, ",\"detail\":");
		slt_buf_add_json(out, m->detail);
	}
	slt_buf_addc(out, '}');
}

void slt_problems_json(const struct slt_problems *p, struct slt_buf *out)
{
	slt_buf_adds(out, "{\"problems\":[");
	for (size_t i = 0; i < p->n; i++) {
		slt_buf_adds(out, i ? ",\n" : "\n");
		one_json(p, &p->v[i], out);
	}
	slt_buf_adds(out, "\n]}\n");
}
