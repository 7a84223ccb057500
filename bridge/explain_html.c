/* SPDX-License-Identifier: MIT */
#include "explain_html.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mappings/catalogue.h"

/* --- what does not depend on the trace --- */

static const char style[] =
	":root{color-scheme:light}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:92rem;padding:1.5rem 2rem 3rem;background:#fff;"
	"color:#1c2126;font:15px/1.45 system-ui,\"Liberation Sans\",\"DejaVu Sans\",sans-serif}\n"
	"h1{font-size:1.55rem;margin:0 0 .3rem;line-height:1.2}\n"
	"h2{font-size:1.15rem;margin:2rem 0 .6rem}\n"
	"code,.code{font-family:ui-monospace,\"Liberation Mono\",\"DejaVu Sans Mono\",monospace;"
	"font-size:.92em}\n"
	".verdict{display:inline-block;padding:.15rem .7rem;border-radius:1rem;font-weight:600;"
	"border:1px solid}\n"
	".verdict.good{color:#0b5a2b;background:#e6f4ea;border-color:#8cc7a0}\n"
	".verdict.bad{color:#8f1414;background:#fdeaea;border-color:#e39a9a}\n"
	".facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:1rem 0 0;"
	"font-size:.9rem}\n"
	".facts dt{color:#5a646e}.facts dd{margin:0;overflow-wrap:anywhere}\n"
	".counts{display:flex;flex-wrap:wrap;gap:.4rem;margin:1.2rem 0 0;padding:0;list-style:none}\n"
	".hint{color:#5a646e;font-size:.9rem;margin:.4rem 0}\n"
	".tag{display:inline-block;white-space:nowrap;padding:.05rem .55rem;border-radius:.35rem;"
	"border:1px solid #b9c2cb;background:#f3f5f7;font-size:.86rem;font-weight:600}\n"
	".tag i{font-style:normal;display:inline-block;min-width:1em;text-align:center;"
	"margin-right:.25rem}\n"
	".mapped .tag,.tag.mapped{color:#0b4a7d;background:#e5f1fb;border-color:#93c0e6}\n"
	".dropped .tag,.tag.dropped{color:#5b3a86;background:#f1eafa;border-color:#bfa6de}\n"
	".defaulted .tag,.tag.defaulted{color:#1f5560;background:#e2f3f5;border-color:#8fc4cc}\n"
	".flagged .tag,.tag.flagged{color:#7a4b00;background:#fff2d6;border-color:#e0b65c}\n"
	".refused .tag,.tag.refused{color:#8f1414;background:#fdeaea;border-color:#e39a9a}\n"
	".problem{border:1px solid #d8dee4;border-left-width:.4rem;border-radius:.35rem;"
	"padding:.7rem 1rem;margin:0 0 .8rem;break-inside:avoid}\n"
	".problem.error{border-left-color:#b3261e}.problem.warning{border-left-color:#d08c00;"
	"border-left-style:double}\n"
	".problem h3{font-size:1rem;margin:0 0 .4rem}\n"
	".langs{display:grid;grid-template-columns:repeat(3,1fr);gap:1rem}\n"
	".langs p{margin:0}.langs b{display:block;font-size:.78rem;color:#5a646e;"
	"text-transform:uppercase;letter-spacing:.04em}\n"
	".problem .where{margin:.6rem 0 0;font-size:.84rem;color:#5a646e;overflow-wrap:anywhere}\n"
	"table{border-collapse:collapse;width:100%;table-layout:fixed}\n"
	"th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;overflow-wrap:anywhere;"
	"border-bottom:1px solid #e1e6ea}\n"
	"thead th{position:sticky;top:0;background:#eef1f4;font-size:.84rem;border-bottom:2px solid "
	"#b9c2cb}\n"
	"tbody th{font-weight:600}\n"
	"tbody tr.refused{background:#fff6f6}tbody tr.flagged{background:#fffaf0}\n"
	"tbody tr.refused th,tbody tr.flagged th{box-shadow:inset .3rem 0 #b3261e}\n"
	"tbody tr.flagged th{box-shadow:inset .3rem 0 #d08c00}\n"
	".value{font-weight:600;unicode-bidi:isolate}td .code{unicode-bidi:isolate}\n"
	".small{display:block;font-weight:400;font-size:.82rem;color:#5a646e}\n"
	".none{color:#7a848e}\n"
	".same .value{font-weight:400}\n"
	"td.to .value{border-bottom:2px solid transparent}\n"
	"tr.mapped td.to .value,tr.defaulted td.to .value{border-bottom-color:#3b82c4}\n"
	".hidden{font-style:italic;color:#5a646e;background:repeating-linear-gradient(135deg,#eef1f4 "
	"0 4px,#fff 4px 8px);padding:0 .35rem}\n";

static const char style_views[] =
	"input.view{position:absolute;opacity:0}\n"
	".views{display:flex;gap:.4rem;margin:1.6rem 0 0}\n"
	".views label{padding:.25rem .8rem;border:1px solid #b9c2cb;border-radius:.35rem;"
	"cursor:pointer;font-size:.9rem}\n"
	"#view-all:checked~.views .all,#view-changed:checked~.views .changed,"
	"#view-open:checked~.views .open{background:#1c2126;color:#fff;border-color:#1c2126}\n"
	"#view-all:focus-visible~.views .all,#view-changed:focus-visible~.views .changed,"
	"#view-open:focus-visible~.views .open{outline:3px solid #3b82c4;outline-offset:2px}\n"
	"#view-changed:checked~table tr.kept,#view-changed:checked~table tr.checked,"
	"#view-open:checked~table tr.kept,#view-open:checked~table tr.checked,"
	"#view-open:checked~table tr.mapped,#view-open:checked~table tr.defaulted{display:none}\n"
	"@media(max-width:60rem){.langs{grid-template-columns:1fr}body{padding:1rem}}\n"
	"@media print{@page{size:A4 landscape;margin:12mm}body{max-width:none;padding:0;"
	"font-size:9.5pt}.views{display:none}thead{display:table-header-group}thead "
	"th{position:static}tr{break-inside:avoid}*{-webkit-print-color-adjust:exact;"
	"print-color-adjust:exact}}\n";

static const struct {
	const char *mark, *word, *meaning;
} outcome_words[] = {
	[SLT_OUT_MAPPED] = {"→", "mapped", "became another code, name, identifier or structure"},
	[SLT_OUT_KEPT] = {"=", "kept", "looked at and left as it was"},
	[SLT_OUT_DROPPED] = {"−", "dropped", "removed, or kept as original text only"},
	[SLT_OUT_DEFAULTED] = {"+", "defaulted", "got the value that the rule gives"},
	[SLT_OUT_REFUSED] = {"×", "refused", "has no sure counterpart and stops the message"},
	[SLT_OUT_CHECKED] = {"✓", "checked", "a check that holds"},
	[SLT_OUT_FLAGGED] = {"!", "flagged",
			     "has no sure counterpart; left as it was, and reported"},
};

/* --- pieces --- */

static void add_tag(struct slt_buf *b, enum slt_outcome o)
{
	slt_buf_addf(b, "<span class=\"tag %s\"><i aria-hidden=\"true\">%s</i>%s",
		     outcome_words[o].word, outcome_words[o].mark, outcome_words[o].word);
}

static void add_fact(struct slt_buf *b, const char *name, const char *value, bool code)
{
	if (value && *value) {
		slt_buf_addf(b, "<dt>%s</dt><dd>%s", name, code ? "<code>" : "");
		slt_buf_add_xml(b, value);
		slt_buf_addf(b, "%s</dd>\n", code ? "</code>" : "");
	}
}

static const char *find_field(const struct slt_rules *rules, const char *id)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (strcmp(rules->v[i].id, id) == 0) {
			return rules->v[i].field;
		}
	}
	return NULL;
}

static const char *guard_field(const struct slt_flow *f, const char *id)
{
	for (size_t i = 0; i < f->n_guards; i++) {
		if (strcmp(f->guard[i].id, id) == 0) {
			return f->guard[i].field;
		}
	}
	return NULL;
}

/* The key of messages.tsv that the rule of an entry names; NULL when it names none. */
static const char *field_of(const struct slt_explain *e, const char *rule)
{
	const struct slt_trace *t = e->result->trace;
	const struct slt_flow *f = t->flow ? slt_mapset_find_flow(e->set, t->flow, NULL) : NULL;
	const char *field = NULL;

	if (!f || !rule) {
		return NULL;
	}
	const struct slt_flow_country *from = t->from ? slt_flow_country(f, t->from) : NULL;
	const struct slt_flow_country *to = t->to ? slt_flow_country(f, t->to) : NULL;
	field = find_field(&f->rules, rule);
	field = field || !from ? field : find_field(&from->to_pivot, rule);
	field = field || !to ? field : find_field(&to->from_pivot, rule);
	return field ? field : guard_field(f, rule);
}

/* What an entry is about, for people. */
static void add_label(struct slt_buf *b, const struct slt_explain *e, const char *rule)
{
	static const struct {
		const char *rule, *label;
	} implied[] = {{"names", "element name"},
		       {"services", "service"},
		       {"cda", "document identity"},
		       {"narrative", "narrative"}};
	const char *field = field_of(e, rule);
	const char *text = field ? slt_message(e->set->messages, field, e->lang) : NULL;

	text = text || !field ? text : slt_message(e->set->messages, field, "en");
	if (text) {
		slt_buf_addf(b, "<span lang=\"%s\">", e->lang);
		slt_buf_add_xml(b, text);
		slt_buf_adds(b, "</span>");
		return;
	}
	for (size_t i = 0; rule && i < SLT_COUNT(implied); i++) {
		if (strcmp(implied[i].rule, rule) == 0) {
			slt_buf_adds(b, implied[i].label);
			return;
		}
	}
	slt_buf_add_xml(b, field ? field : rule ? rule : "–");
}

static const char *system_in(const struct slt_country *c, const char *system)
{
	for (size_t i = 0; c && i < c->n_systems; i++) {
		if (slt_system_match(&c->system[i], system) != SLT_SYSTEM_OTHER) {
			return c->system[i].name;
		}
	}
	for (size_t i = 0; c && i < c->n_identifiers; i++) {
		if (strcmp(c->identifier[i].root, system) == 0) {
			return c->identifier[i].name;
		}
	}
	return NULL;
}

static const char *system_name(const struct slt_explain *e, const char *system)
{
	const struct slt_trace *t = e->result->trace;
	const struct slt_country *from = t->from ? slt_mapset_find_country(e->set, t->from) : NULL;
	const struct slt_country *to = t->to ? slt_mapset_find_country(e->set, t->to) : NULL;
	const char *name = system_in(from, system);

	name = name ? name : system_in(to, system);
	return name ? name : system_in(e->set->pivot, system);
}

/* --- the table --- */

static void add_hidden(struct slt_buf *b)
{
	slt_buf_adds(b, "<span class=\"hidden\">hidden</span>");
}

static void add_system(struct slt_buf *b, const struct slt_explain *e, const char *system)
{
	const char *name = system_name(e, system);

	slt_buf_adds(b, "<span class=\"small\">");
	if (name) {
		slt_buf_add_xml(b, name);
		slt_buf_adds(b, " · ");
	}
	slt_buf_adds(b, "<span class=\"code\">");
	slt_buf_add_xml(b, system);
	slt_buf_adds(b, "</span></span>");
}

/* The name large where there is one, else the code; then code and system. An identifier without
 * extension is its root, so that is hidden, too. */
static void add_value(struct slt_buf *b, const struct slt_explain *e, const char *class,
		      const struct slt_trace_code *c, bool masked)
{
	const char *large = c->display ? c->display : c->code;

	slt_buf_addf(b, "<td class=\"%s\">", class);
	if (!c->system && !large) {
		slt_buf_adds(b, "<span class=\"none\">–</span></td>");
		return;
	}
	if (masked) {
		add_hidden(b);
	} else if (large) {
		slt_buf_adds(b, "<span class=\"value\">");
		slt_buf_add_xml(b, large);
		slt_buf_adds(b, "</span>");
	}
	if (!masked && c->display && c->code && strcmp(c->display, c->code) != 0) {
		slt_buf_adds(b, " <span class=\"code\">");
		slt_buf_add_xml(b, c->code);
		slt_buf_adds(b, "</span>");
	}
	if (c->system && !(masked && !c->code)) {
		add_system(b, e, c->system);
	}
	slt_buf_adds(b, "</td>");
}

/* The last steps of a path without its prefixes; the whole path stands in the title. */
static void add_place(struct slt_buf *b, const char *place)
{
	const char *p = place + strlen(place);
	unsigned steps = 0;

	while (p > place && steps < 3) {
		p--;
		steps += *p == '/' && (p == place || p[-1] != '/');
	}
	slt_buf_adds(b, "<span class=\"small code\" title=\"");
	slt_buf_add_xml(b, place);
	slt_buf_adds(b, "\">");
	slt_buf_adds(b, p > place ? "…" : "");
	while (*p) {
		size_t n = strcspn(p, "/:[");
		if (p[n] != ':') {
			SLT_AUTO_STR char *word = slt_strndup(p, n);
			slt_buf_add_xml(b, word);
		}
		p += n;
		if (*p == '[') {
			size_t close = strcspn(p, "]");
			SLT_AUTO_STR char *test = slt_strndup(p, close + (p[close] == ']'));
			slt_buf_add_xml(b, test);
			p += close + (p[close] == ']');
		} else if (*p == '/') {
			slt_buf_adds(b, "/<wbr/>");
			p++;
		} else if (*p == ':') {
			p++;
		}
	}
	slt_buf_adds(b, "</span>");
}

static void add_how(struct slt_buf *b, const struct slt_trace_entry *t, const struct slt_trace *all)
{
	slt_buf_adds(b, "<td><span class=\"code\">");
	slt_buf_add_xml(b, t->rule ? t->rule : "–");
	slt_buf_adds(b, "</span>");
	if (t->table) {
		slt_buf_adds(b, "<span class=\"small\">table ");
		slt_buf_add_xml(b, t->table);
		const char *versions[][2] = {{all->from, t->from_version},
					     {all->to, t->to_version}};
		for (size_t i = 0; i < SLT_COUNT(versions); i++) {
			if (versions[i][0] && versions[i][1]) {
				slt_buf_adds(b, ", ");
				slt_buf_add_xml(b, versions[i][0]);
				slt_buf_addc(b, ' ');
				slt_buf_add_xml(b, versions[i][1]);
			}
		}
		slt_buf_adds(b, "</span>");
	}
	slt_buf_adds(b, "</td>");
}

static void add_outcome(struct slt_buf *b, const struct slt_trace_entry *t)
{
	slt_buf_adds(b, "<td>");
	add_tag(b, t->outcome);
	slt_buf_adds(b, "</span>");
	if (t->relation) {
		slt_buf_adds(b, "<span class=\"small\">");
		slt_buf_add_xml(b, t->relation);
		slt_buf_adds(b, "</span>");
	}
	if (t->note) {
		slt_buf_adds(b, "<span class=\"small\">");
		slt_buf_add_xml(b, t->note);
		slt_buf_adds(b, "</span>");
	}
	slt_buf_adds(b, "</td>");
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void add_row(struct slt_buf *b, const struct slt_explain *e, const struct slt_trace_entry *t)
{
	bool masked = t->personal && !e->personal;
	bool same =
		same_text(t->from.code, t->to.code) && same_text(t->from.display, t->to.display);

	slt_buf_addf(b, "<tr class=\"%s%s\"><th scope=\"row\">", slt_outcome_name(t->outcome),
		     same ? " same" : "");
	add_label(b, e, t->rule);
	add_place(b, t->place ? t->place : "/");
	slt_buf_adds(b, "</th>");
	add_value(b, e, "from", &t->from, masked);
	add_value(b, e, "to", &t->to, masked);
	add_value(b, e, "pivot", &t->pivot, masked);
	add_outcome(b, t);
	add_how(b, t, e->result->trace);
	slt_buf_adds(b, "</tr>\n");
}

static void begin_table(struct slt_buf *b, const struct slt_trace *t,
			const struct slt_trace_entry *first)
{
	slt_buf_adds(b, "<h2>");
	if (first->part == 0) {
		slt_buf_adds(b, "Message");
	} else {
		slt_buf_addf(b, "Attachment %u", first->part);
	}
	if (first->document) {
		slt_buf_adds(b, ": <span class=\"code\">");
		slt_buf_add_xml(b, first->document);
		slt_buf_adds(b, "</span>");
	}
	slt_buf_adds(b, "</h2>\n<table>\n<colgroup><col style=\"width:17%\"/><col "
			"style=\"width:20%\"/><col style=\"width:20%\"/><col "
			"style=\"width:16%\"/><col style=\"width:14%\"/><col "
			"style=\"width:13%\"/></colgroup>\n<thead><tr><th scope=\"col\">Field"
			"</th><th scope=\"col\">Before");
	slt_buf_adds(b, t->from ? " · " : "");
	slt_buf_add_xml(b, t->from ? t->from : "");
	slt_buf_adds(b, "</th><th scope=\"col\">After");
	slt_buf_adds(b, t->to ? " · " : "");
	slt_buf_add_xml(b, t->to ? t->to : "");
	slt_buf_adds(b,
		     "</th><th scope=\"col\">In between (pivot)</th><th scope=\"col\">"
		     "Outcome</th><th scope=\"col\">Rule and table</th></tr></thead>\n<tbody>\n");
}

/* A table for each document; an entry belongs to the same one as long as part and kind stay. */
static void add_entries(struct slt_buf *b, const struct slt_explain *e)
{
	const struct slt_trace *t = e->result->trace;
	const struct slt_trace_entry *last = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct slt_trace_entry *x = &t->entry[i];
		if (!last || x->part != last->part || !same_text(x->document, last->document)) {
			slt_buf_adds(b, last ? "</tbody></table>\n" : "");
			begin_table(b, t, x);
		}
		add_row(b, e, x);
		last = x;
	}
	slt_buf_adds(b, last ? "</tbody></table>\n"
			     : "<p class=\"hint\">No rule came to anything in this message.</p>\n");
}

/* --- problems --- */

static void add_sentences(struct slt_buf *b, const struct slt_problems *p,
			  const struct slt_map_problem *m)
{
	static const struct {
		const char *code, *name;
	} langs[] = {{"et", "Eesti"}, {"fi", "Suomi"}, {"en", "English"}};

	slt_buf_adds(b, "<div class=\"langs\">\n");
	for (size_t i = 0; i < SLT_COUNT(langs); i++) {
		SLT_AUTO_BUF(text, 16384);
		slt_problem_text(p, m, langs[i].code, &text);
		slt_buf_addf(b, "<p lang=\"%s\"><b>%s</b>", langs[i].code, langs[i].name);
		slt_buf_add_xml(b, slt_buf_str(&text).p);
		slt_buf_adds(b, "</p>\n");
	}
	slt_buf_adds(b, "</div>\n");
}

static void add_problem(struct slt_buf *b, const struct slt_explain *e,
			const struct slt_map_problem *m)
{
	bool error = m->severity == SLT_SEV_ERROR;

	slt_buf_addf(b, "<section class=\"problem %s\"><h3>%s <span class=\"code\">%s</span> · ",
		     error ? "error" : "warning", error ? "× Refused" : "! Warning",
		     slt_code_name(m->code, SLT_DIALECT_CAMEL));
	const char *label = m->field ? slt_message(e->set->messages, m->field, e->lang) : NULL;
	slt_buf_add_xml(b, label ? label : m->field ? m->field : "the message");
	slt_buf_adds(b, "</h3>\n");
	add_sentences(b, e->result->problems, m);
	slt_buf_adds(b, "<p class=\"where\">rule <span class=\"code\">");
	slt_buf_add_xml(b, m->rule ? m->rule : "–");
	slt_buf_adds(b, "</span>");
	if (m->table) {
		slt_buf_adds(b, " · table ");
		slt_buf_add_xml(b, m->table);
		slt_buf_adds(b, m->country ? " of " : "");
		slt_buf_add_xml(b, m->country ? m->country : "");
		slt_buf_adds(b, m->version ? ", version " : "");
		slt_buf_add_xml(b, m->version ? m->version : "");
	}
	if (m->detail) {
		slt_buf_adds(b, " · ");
		slt_buf_add_xml(b, m->detail);
	}
	slt_buf_adds(b, "<br/><span class=\"code\">");
	slt_buf_add_xml(b, m->place ? m->place : "/");
	slt_buf_adds(b, "</span></p></section>\n");
}

static void add_problems(struct slt_buf *b, const struct slt_explain *e)
{
	const struct slt_problems *p = e->result->problems;

	if (p->n == 0) {
		return;
	}
	slt_buf_addf(b, "<h2>What could not be mapped (%zu)</h2>\n", p->n);
	for (int severity = SLT_SEV_ERROR; severity <= SLT_SEV_WARNING; severity++) {
		for (size_t i = 0; i < p->n; i++) {
			if ((int)p->v[i].severity == severity) {
				add_problem(b, e, &p->v[i]);
			}
		}
	}
}

/* --- the page --- */

static const char *country_name(const struct slt_explain *e, const char *code)
{
	const struct slt_country *c = code ? slt_mapset_find_country(e->set, code) : NULL;

	return c && c->name ? c->name : code ? code : "–";
}

static void add_version(struct slt_buf *b, const char *what, const char *of, const char *version)
{
	if (of && version) {
		slt_buf_addf(b, "<dt>%s</dt><dd>", what);
		slt_buf_add_xml(b, of);
		slt_buf_adds(b, ", version ");
		slt_buf_add_xml(b, version);
		slt_buf_adds(b, "</dd>\n");
	}
}

static void add_facts(struct slt_buf *b, const struct slt_explain *e)
{
	const struct slt_trace *t = e->result->trace;
	char at[SLT_TIME_LEN];

	slt_buf_adds(b, "<dl class=\"facts\">\n");
	add_fact(b, "Message", t->message, false);
	add_fact(b, "Service", t->service, true);
	add_fact(b, "Instant", slt_time_format(t->now_ms, false, at), false);
	add_version(b, "Flow", t->flow, t->flow_version);
	add_version(b, "Tables from", t->from, t->from_version);
	add_version(b, "Tables to", t->to, t->to_version);
	add_fact(b, "Mapping set", t->set_digest, true);
	add_fact(b, "Input, SHA-256", t->input_digest, true);
	add_fact(b, "Output, SHA-256", t->output_digest, true);
	slt_buf_adds(b, "</dl>\n<ul class=\"counts\">\n");
	for (size_t o = 0; o < SLT_COUNT(outcome_words); o++) {
		size_t n = slt_trace_count(t, (enum slt_outcome)o);
		if (n > 0) {
			slt_buf_addf(b, "<li title=\"%s\">", outcome_words[o].meaning);
			add_tag(b, (enum slt_outcome)o);
			slt_buf_addf(b, " %zu</span></li>\n", n);
		}
	}
	slt_buf_adds(b, "</ul>\n");
}

static void add_legend(struct slt_buf *b)
{
	slt_buf_adds(b, "<h2>What the outcomes mean</h2>\n<dl class=\"facts\">\n");
	for (size_t o = 0; o < SLT_COUNT(outcome_words); o++) {
		slt_buf_adds(b, "<dt>");
		add_tag(b, (enum slt_outcome)o);
		slt_buf_addf(b, "</span></dt><dd>%s</dd>\n", outcome_words[o].meaning);
	}
	slt_buf_adds(b, "</dl>\n");
}

static void add_head(struct slt_buf *b, const struct slt_explain *e)
{
	const struct slt_trace *t = e->result->trace;

	slt_buf_adds(b,
		     "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
		     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		     "style-src 'unsafe-inline'\"/>\n<meta name=\"viewport\" "
		     "content=\"width=device-width, initial-scale=1\"/>\n<title>");
	slt_buf_add_xml(b, e->title);
	slt_buf_adds(b, ": ");
	slt_buf_add_xml(b, t->from ? t->from : "–");
	slt_buf_adds(b, " to ");
	slt_buf_add_xml(b, t->to ? t->to : "–");
	slt_buf_adds(b, "</title>\n<style>\n");
	slt_buf_adds(b, style);
	slt_buf_adds(b, style_views);
	slt_buf_adds(b, "</style></head>\n<body>\n<header><h1>");
	slt_buf_add_xml(b, e->title);
	slt_buf_adds(b, "</h1>\n<p class=\"hint\">");
	slt_buf_add_xml(b, country_name(e, t->from));
	slt_buf_adds(b, " → ");
	slt_buf_add_xml(b, country_name(e, t->to));
	slt_buf_addf(b, "  <span class=\"verdict %s\">%s</span></p>\n", e->refused ? "bad" : "good",
		     e->refused ? "× Refused" : "✓ Translated");
	add_facts(b, e);
	if (!e->personal) {
		slt_buf_adds(b, "<p class=\"hint\">Values that can name a person are ");
		add_hidden(b);
		slt_buf_adds(b, " (<code>--personal</code> shows them).</p>\n");
	}
	slt_buf_adds(b, "</header>\n");
}

void slt_explain_html(const struct slt_explain *e, struct slt_buf *out)
{
	add_head(out, e);
	slt_buf_adds(out, "<main>\n");
	add_problems(out, e);
	slt_buf_adds(out,
		     "<input class=\"view\" type=\"radio\" name=\"view\" id=\"view-all\" "
		     "checked=\"checked\"/>\n"
		     "<input class=\"view\" type=\"radio\" name=\"view\" id=\"view-changed\"/>\n"
		     "<input class=\"view\" type=\"radio\" name=\"view\" id=\"view-open\"/>\n"
		     "<div class=\"views\"><label class=\"all\" for=\"view-all\">Everything</label>"
		     "<label class=\"changed\" for=\"view-changed\">What changed</label>"
		     "<label class=\"open\" for=\"view-open\">What was lost or left open</label>"
		     "</div>\n");
	add_entries(out, e);
	add_legend(out);
	slt_buf_adds(out, "</main>\n</body></html>\n");
}
