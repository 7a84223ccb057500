/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "engine_fixture.h"
#include "explain_html.h"

static char *page;

static void write_page(const char *text, bool personal, const char *title, struct slt_err *err)
{
	SLT_AUTO_BUF(b, SLT_EXPLAIN_MAX);
	bool good = apply((struct job){.text = text}, err);
	struct slt_explain e = {.set = set,
				.result = result,
				.title = title,
				.lang = "et",
				.refused = !good,
				.personal = personal};

	slt_explain_html(&e, &b);
	assert_false(b.failed);
	free(page);
	page = slt_buf_take(&b, NULL);
}

static void shows(const char *what)
{
	if (!strstr(page, what)) {
		fail_msg("not on the page: %s\n%s", what, page);
	}
}

static void hides(const char *what)
{
	if (strstr(page, what)) {
		fail_msg("on the page: %s\n%s", what, page);
	}
}

/* A page whose elements do not match would show a value in a cell of another. */
static void is_well_formed(void)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	const char *body = strchr(page, '\n');

	if (!slt_xml_parse(body, strlen(body), &SLT_XML_PEER, "page", &doc, &err)) {
		fail_msg("%s\n%s", err.msg, page);
	}
}

static void a_row_has_before_and_after_rule_and_versions(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	write_page("<doc" D ">" FORM("10") "</doc>", false, "a.xml", &err);
	is_well_formed();
	shows("<tr class=\"mapped\"><th scope=\"row\"><span lang=\"et\">ravimvorm</span>");
	shows("<td class=\"from\"><span class=\"value\">n</span> <span class=\"code\">10</span>");
	shows("<td class=\"to\"><span class=\"value\">tablett</span> <span class=\"code\">T</span>");
	shows("AAF · <span class=\"code\">1.1</span>");
	shows("table form, AA a1, BB b1");
	shows("✓ Translated");
	shows(slt_mapset_digest(set));
	hides("What could not be mapped");
}

static void what_is_refused_is_told_in_each_language(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	write_page("<doc" D ">" FORM("15") FORM("10") "</doc>", false, "a.xml", &err);
	is_well_formed();
	shows("× Refused");
	shows("<tr class=\"refused");
	shows("What could not be mapped (1)");
	shows("<p lang=\"et\"><b>Eesti</b>vastet pole: ravimvorm</p>");
	shows("<p lang=\"en\"><b>English</b>no counterpart of 15 (n) in dose form, form b1</p>");
	shows("/d:doc/d:form"); /* the whole place */
	hides("✓ Translated");
}

static void a_person_is_shown_only_when_asked_for(void **state)
{
	static const char text[] = PERSON("19521013", "2");
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	write_page(text, false, "a.xml", &err);
	is_well_formed();
	hides(HETU);
	shows("<td class=\"from\"><span class=\"hidden\">hidden</span>");
	write_page(text, true, "a.xml", &err);
	is_well_formed();
	shows(HETU);
	hides("class=\"hidden\"");
}

/* Such an identifier is all root, and as personal as an extension. */
static void an_identifier_without_extension_is_hidden_whole(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_trace_entry e = {.rule = "pid",
				    .place = "/x",
				    .from = {.system = "1.20.4711"},
				    .to = {.system = "1.20.4711"},
				    .personal = true};
	SLT_AUTO_BUF(b, SLT_EXPLAIN_MAX);

	(void)state;
	assert_true(apply((struct job){.text = "<doc" D "/>"}, &err));
	assert_true(slt_trace_add(result->trace, &e));
	struct slt_explain x = {.set = set, .result = result, .title = "t", .lang = "en"};
	slt_explain_html(&x, &b);
	assert_null(strstr(b.p, "4711"));
}

static void what_a_document_says_stays_text(void **state)
{
	static const struct {
		const char *text, *bad, *good;
	} c[] = {
		{"<doc" D
		 "><form code='10' codeSystem='1.1' displayName='&lt;script>x&lt;/script>'/></doc>",
		 "<script", "&lt;script&gt;x"},
		{"<doc" D "><form code='\"&gt;&lt;u&gt;' codeSystem='1.1'/></doc>", "\"><u>",
		 "&quot;&gt;&lt;u&gt;"},
		{"<doc" D "><form code='10' codeSystem='&lt;i>'/></doc>", "<i>", "&lt;i&gt;"},
		{"<doc" D "><form code='10' codeSystem='1.1' displayName='&amp;amp;'/></doc>",
		 "<span class=\"value\">&amp;</span>", "&amp;amp;"},
	};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		write_page(c[i].text, true, "a.xml", &err);
		is_well_formed();
		shows(c[i].good);
		hides(c[i].bad);
	}
	write_page("<doc" D "/>", true, "</title><script>.xml", &err);
	is_well_formed();
	hides("<script");
}

static void nothing_is_fetched_or_run(void **state)
{
	static const char *const words[] = {"http:", "https:", "<script", "<img",
					    "<link", "url(",   "@import", "<iframe"};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	write_page("<doc" D ">" FORM("10") FORM("15") "</doc>", true, "a.xml", &err);
	for (size_t i = 0; i < SLT_COUNT(words); i++) {
		hides(words[i]);
	}
	hides(" onload=");
	hides(" onclick=");
	shows("Content-Security-Policy\" content=\"default-src 'none'");
}

static void the_same_trace_gives_the_same_page(void **state)
{
	static const char text[] = "<doc" D ">" FORM("10") FORM("15") "</doc>";
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	write_page(text, false, "a.xml", &err);
	SLT_AUTO_STR char *once = slt_strdup(page);
	write_page(text, false, "a.xml", &err);
	assert_string_equal(once, page);
	write_page("<doc" D ">" FORM("11") FORM("15") "</doc>", false, "a.xml", &err);
	assert_string_not_equal(once, page);
}

static void a_document_that_never_began_has_a_page(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	write_page("<doc", false, "a.xml", &err);
	is_well_formed();
	shows("× Refused");
	shows("No rule came to anything");
	write_page("<other xmlns='urn:other'/>", false, "a.xml", &err);
	is_well_formed();
	shows("× Refused");
}

static int end(void **state)
{
	free(page);
	return teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_has_before_and_after_rule_and_versions),
		cmocka_unit_test(what_is_refused_is_told_in_each_language),
		cmocka_unit_test(a_person_is_shown_only_when_asked_for),
		cmocka_unit_test(an_identifier_without_extension_is_hidden_whole),
		cmocka_unit_test(what_a_document_says_stays_text),
		cmocka_unit_test(nothing_is_fetched_or_run),
		cmocka_unit_test(the_same_trace_gives_the_same_page),
		cmocka_unit_test(a_document_that_never_began_has_a_page),
	};

	return cmocka_run_group_tests(tests, setup, end);
}
