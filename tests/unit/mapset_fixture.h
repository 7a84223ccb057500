/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A small mapping set of two made-up countries, written to a temporary directory file by file, so
 * that a test can replace any of them before it is loaded.
 *
 * AA: forms by code in system 1.1 (and by name in "aa-names"), persons under root 1.10 with a
 * hetu. BB: forms in system 2.1, persons under 2.10 with an isikukood; AA's persons under 2.16.
 */

#include <stdlib.h>

#include "base/file.h"
#include "mappings/mapset.h"

struct fixture {
	char dir[64];
};

struct fixture_file {
	const char *name, *text;
};

#define COUNTRY(cc, lang, rest)                                                                    \
	"country = \"" cc "\"; name = \"Land " cc "\"; version = \"1\";\n"                         \
	"effective_from = \"2020-01-01\"; effective_to = \"2030-12-31\";\n"                        \
	"languages = [ \"" lang "\" ]; language_tag = \"" lang "-" cc "\"; numeric = \"1\";\n"     \
	"instances = ( { name = \"" cc "\"; environment = \"production\"; },\n"                    \
	"              { name = \"" cc "-T\"; environment = \"test\"; } );\n" rest

static const struct fixture_file fixture_files[] = {
	{"messages.tsv",
	 "key\tlang\ttext\n"
	 "FED-MAP-001\ten\tno counterpart of {code} ({text}) in {field}, {table} {version}\n"
	 "FED-MAP-001\tet\tvastet pole: {field}\n"
	 "field.form\ten\tdose form\n"
	 "field.form\tet\travimvorm\n"
	 "label.form\tb\tVorm\n"
	 "label.form\ten\tForm\n"
	 "label.original\ten\tOriginal\n"},
	{"pivot/pivot.conf",
	 "version = \"1\";\n"
	 "systems = ( { id = \"px\"; oid = \"9.1\"; name = \"PX\"; also = [ \"9.1.old\" ]; } );\n"
	 "lists = ( { id = \"form\"; system = \"px\"; file = \"form.tsv\"; version = \"p1\"; },\n"
	 "          { id = \"unit\"; pattern = \"[a-zA-Z]+\"; },\n"
	 "          { id = \"same\"; system = \"px\"; pattern = \"[A-Z][0-9]\"; },\n"
	 "          { id = \"sex\"; },\n"
	 "          { id = \"phrase\"; } );\n"},
	{"pivot/form.tsv", "code\tdisplay\treplaced_by\n"
			   "P0\told form\tP1\n"
			   "P1\ttablet\t\n"
			   "P2\tcapsule\t\n"
			   "P3\tcream\t\n"
			   "P4\tlozenge\t\n"
			   "P5\tpressed lozenge\t\n"
			   "P6\tlonely\t\n"
			   "P7\twide\t\n"
			   "P8\tdated\t\n"},
	{"countries/AA/country.conf",
	 COUNTRY("AA", "a",
		 "systems = ( { id = \"f\"; oid = \"1.1\"; name = \"AAF\"; version = \"7\";\n"
		 "              also = [ \"aa\" ]; by_name = [ \"aa-names\" ]; },\n"
		 "            { id = \"s\"; oid = \"1.2\"; } );\n"
		 "lists = ( { id = \"form\"; system = \"f\"; file = \"form.tsv\"; version = \"a1\"; },\n"
		 "          { id = \"unit\"; file = \"unit.tsv\"; },\n"
		 "          { id = \"same\"; system = \"s\"; identity = true; },\n"
		 "          { id = \"sex\"; file = \"sex.tsv\"; },\n"
		 "          { id = \"phrase\"; file = \"phrase.tsv\"; } );\n"
		 "identifiers = ( { id = \"patient\"; root = \"1.10\"; check = \"hetu\"; },\n"
		 "                { id = \"order\"; root = \"1.20\"; below = true; no_extension = true; } );\n")},
	{"countries/AA/form.tsv",
	 "code\tdisplay\tpivot_code\trelation\tdirection\tpreferred\tstatus\tvalid_from\tvalid_to\t"
	 "replaced_by\twhen\n"
	 "10\tTabletti\tP1\n"
	 "11\tKapseli\tP2\n"
	 "12\tVoide\tP3\n"
	 "13\tImeskely\tP4\n"
	 "14\tImeskely\tP5\n"
	 "15\tYksin\tP6\n"
	 "16\tLuonnos\tP1\t\t\t\tdraft\n"
	 "17\tVanha\tP8\t\t\t\t\t\t2023-12-31\t10\n"
	 "18\tKetju\t\t\t\t\tretired\t\t\t19\n"
	 "19\tKetju2\t\t\t\t\tretired\t\t\t11\n"
	 "20\tSilmukka\t\t\t\t\tretired\t\t\t21\n"
	 "21\tSilmukka2\t\t\t\t\tretired\t\t\t20\n"
	 "22\tKapea\tP7\tsource-is-narrower-than-target\n"
	 "23\tEhto\tP1\t\t\t\t\t\t\t\tdocument = 'doc'\n"
	 "23\tEhto\tP2\t\t\t\t\t\t\t\tdocument = 'other'\n"
	 "24\tVanhapivot\tP0\n"
	 "25\tEiliity\tP1\tnot-related-to\n"
	 "26\tVain takaisin\tP3\t\tfrom-pivot\n"},
	{"countries/AA/unit.tsv", "code\tpivot_code\nkpl\tpcs\nkvart\t3 mo\nmg\tmg\n"},
	{"countries/AA/sex.tsv", "code\tpivot_code\n1\tM\n2\tF\n"},
	{"countries/AA/phrase.tsv", "code\tdisplay\tpivot_code\naamuisin\taamuisin\tmorning\n"},
	{"countries/BB/country.conf",
	 COUNTRY("BB", "b",
		 "systems = ( { id = \"f\"; oid = \"2.1\"; name = \"BBF\"; },\n"
		 "            { id = \"s\"; oid = \"2.2\"; } );\n"
		 "lists = ( { id = \"form\"; system = \"f\"; file = \"form.tsv\"; version = \"b1\"; },\n"
		 "          { id = \"unit\"; file = \"unit.tsv\"; },\n"
		 "          { id = \"same\"; system = \"s\"; identity = true; },\n"
		 "          { id = \"sex\"; file = \"sex.tsv\"; },\n"
		 "          { id = \"phrase\"; file = \"phrase.tsv\"; } );\n"
		 "identifiers = ( { id = \"patient\"; root = \"2.10\"; check = \"isikukood\"; } );\n"
		 "foreign_identifiers = ( { id = \"patient\"; home = \"AA\"; home_root = \"1.10\";\n"
		 "                          root = \"2.16\"; } );\n")},
	{"countries/BB/form.tsv",
	 "code\tdisplay\tlang\tpivot_code\trelation\tdirection\tpreferred\tstatus\tvalid_from\twhen\n"
	 "T\ttablett\tb\tP1\n"
	 "T\ttablet\ten\tP1\n"
	 "c1\tkapsel\t\tP2\n"
	 "c2\tkapsel 2\t\tP2\t\t\tyes\n"
	 "k1\tkreem\t\tP3\n"
	 "k2\tkreem 2\t\tP3\n"
	 "l4\tloseng\t\tP4\n"
	 "l5\tsurutud loseng\t\tP5\n"
	 "w1\tlai\t\tP7\tsource-is-broader-than-target\n"
	 "w2\ttuleb\t\tP8\t\t\t\t\t2030-01-01\n"
	 "x\tpool\t\tP6\t\tto-pivot\n"},
	{"countries/BB/unit.tsv", "code\tpivot_code\nMG\tmg\nTK\tpcs\nkuu\tmo\n"},
	{"countries/BB/sex.tsv", "code\tpivot_code\nM\tM\nN\tF\n"},
	{"countries/BB/phrase.tsv", "code\tdisplay\tpivot_code\nhommikuti\thommikuti\tmorning\n"},
	{"flows/demo/common.conf",
	 "flow = \"demo\"; version = \"f1\";\n"
	 "namespaces = ( { prefix = \"d\"; uri = \"urn:d\"; }, { prefix = \"e\"; uri = \"urn:e\"; parts = \"d\"; },\n"
	 "               { prefix = \"p\"; uri = \"urn:silta:demo:1\"; } );\n"
	 "messages = ( { service = \"get\"; request = \"p:get\"; response = \"p:got\"; } );\n"
	 "documents = ( { id = \"doc\"; match = [ \"d:doc\" ]; date = \"d:date/@value\"; },\n"
	 "              { id = \"cda\"; match = [ \"d:ClinicalDocument[d:code/@code='1']\" ]; cda = true; },\n"
	 "              { id = \"pdf\"; content_types = [ \"application/pdf\" ]; pass = true; } );\n"
	 "fields = ( { id = \"kind\"; documents = [ \"doc\" ]; where = \"d:kind/@value\"; } );\n"
	 "rules = (\n"
	 "  { id = \"form\"; where = \"//d:form\"; what = \"code\"; table = \"form\"; field = \"field.form\"; usage = \"R\"; },\n"
	 "  { id = \"list-form\"; where = \"p:form\"; what = \"code\"; table = \"form\"; assume = true; keep = \"none\"; },\n"
	 "  { id = \"pid\"; where = \"//d:pid\"; what = \"identifier\"; class = \"patient\"; },\n"
	 "  { id = \"msg-pid\"; where = \"p:person\"; what = \"identifier\"; class = \"patient\"; },\n"
	 "  { id = \"sex\"; where = \"//d:sex\"; what = \"code\"; table = \"sex\"; assume = true; },\n"
	 "  { id = \"unit\"; where = \"//d:amount/@unit\"; what = \"unit\"; table = \"unit\"; keep = \"translation\"; }\n"
	 ");\n"
	 "guards = ( { id = \"person\"; documents = [ \"doc\" ]; what = \"personal_code\"; code = \"d:pid\";\n"
	 "             birth = \"d:birth\"; sex = \"d:sex\"; } );\n"
	 "narrative = ( { document = \"cda\"; section = \"//d:section\"; rows = (\n"
	 "  { label = \"label.form\"; from = \"//d:form\"; show = \"name\"; } ); } );\n"},
	{"flows/demo/AA.conf",
	 "country = \"AA\";\n"
	 "namespaces = ( { prefix = \"x\"; uri = \"urn:aa\"; } );\n"
	 "services = ( { id = \"get\"; name = \"Hae\"; version = \"v1\"; request = \"x:Hae\"; response = \"x:HaeVastaus\"; } );\n"
	 "names = ( { national = \"x:henkilo\"; pivot = \"p:person\"; attributes = [ \"juuri=root\", \"tunnus=extension\" ]; },\n"
	 "          { national = \"x:muoto\"; pivot = \"p:form\"; attributes = [ \"text()=code\" ]; },\n"
	 "          { national = \"x:asiakirja\"; pivot = \"p:document\"; },\n"
	 "          { national = \"x:oma\"; pivot = \"p:own\"; } );\n"
	 "faults = ( { code = \"EI\"; pivot = \"no\"; text = \"Ei\"; } );\n"},
	{"flows/demo/BB.conf",
	 "country = \"BB\";\n"
	 "namespaces = ( { prefix = \"y\"; uri = \"urn:bb\"; } );\n"
	 "services = ( { id = \"get\"; name = \"too\"; version = \"v2\"; request = \"y:too\"; response = \"y:tooVastus\"; } );\n"
	 "names = ( { national = \"y:isik\"; pivot = \"p:person\"; attributes = [ \"oid=root\", \"kood=extension\" ]; },\n"
	 "          { national = \"y:vorm\"; pivot = \"p:form\"; attributes = [ \"kood=code\", \"nimi=displayName\" ]; },\n"
	 "          { national = \"y:dokument\"; pivot = \"p:document\"; } );\n"
	 "faults = ( { code = \"POLE\"; pivot = \"no\"; text = \"Pole\"; } );\n"},
};

static void fixture_write(const struct fixture *f, const char *name, const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *path = slt_path_join(f->dir, name);
	SLT_AUTO_STR char *parent = slt_strdup(path);

	*strrchr(parent, '/') = '\0';
	assert_true(slt_mkdir_p(parent, 0700, &err));
	assert_true(slt_file_write(path, text, strlen(text), 0600, &err));
}

static void fixture_begin(struct fixture *f)
{
	snprintf(f->dir, sizeof(f->dir), "/tmp/slt-mapset-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	for (size_t i = 0; i < SLT_COUNT(fixture_files); i++) {
		fixture_write(f, fixture_files[i].name, fixture_files[i].text);
	}
}

static void fixture_end(const struct fixture *f)
{
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_rm_tree(f->dir, &err));
}

/* The file's text with the first `old` replaced; the caller frees. */
static SLT_UNUSED char *fixture_with(const char *name, const char *old, const char *new)
{
	for (size_t i = 0; i < SLT_COUNT(fixture_files); i++) {
		if (strcmp(fixture_files[i].name, name) == 0) {
			const char *text = fixture_files[i].text;
			const char *at = strstr(text, old);
			assert_non_null(at);
			return slt_asprintf("%.*s%s%s", (int)(at - text), text, new,
					    at + strlen(old));
		}
	}
	fail_msg("no file %s", name);
	return NULL;
}
