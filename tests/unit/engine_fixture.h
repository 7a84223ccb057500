/* SPDX-License-Identifier: MIT */
#pragma once

/* Applying the small set of mapset_fixture.h to documents. */

#include "mapset_fixture.h"
#include "mappings/json_doc.h"

#define NOW INT64_C(1763856000000) /* 2025-11-23 */
#define D   " xmlns='urn:d'"
#define SOAP                                                                                       \
	"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header><h/></s:Header><s:Body>"
#define END	   "</s:Body></s:Envelope>"
#define AA	   " xmlns:x='urn:aa'"
#define HETU	   "131052-308T"
#define FORM(code) "<form code='" code "' codeSystem='1.1' displayName='n'/>"

#define PERSON(birth, sex)                                                                         \
	"<doc" D "><pid root='1.10' extension='" HETU "'/><birth value='" birth                    \
	"'/><sex code='" sex "'/></doc>"

static struct slt_mapset *set; /* as the fixture has it */

struct job {
	const struct slt_mapset *set;
	const char *from, *to, *service, *text;
	const char *flow; /* NULL: demo */
	enum slt_map_message message;
	bool test_codes, bare;
	const struct slt_map_part *parts;
	size_t n_parts;
};

static struct slt_map_result *result;
static char *output;

static bool apply(struct job j, struct slt_err *err)
{
	struct slt_map_input in = {.from = j.from ? j.from : "AA",
				   .to = j.to ? j.to : "BB",
				   .flow = j.flow ? j.flow : "demo",
				   .message = j.message,
				   .service = j.service,
				   .body = slt_str(j.text),
				   .parts = j.parts,
				   .n_parts = j.n_parts,
				   .now_ms = NOW,
				   .test_codes = j.test_codes,
				   .bare = j.bare};

	slt_map_result_free(result);
	free(output);
	output = NULL;
	result = slt_map_result_new();
	if (!slt_map_apply(j.set ? j.set : set, &in, result, err)) {
		assert_null(result->doc);
		assert_int_equal(result->n_parts, 0);
		return false;
	}
	SLT_AUTO_BUF(b, 1 << 20);
	assert_true(slt_json_is(result->doc) ? slt_json_dump(result->doc, &b, err)
					     : slt_xml_dump(result->doc, NULL, false, &b, err));
	output = slt_buf_take(&b, NULL);
	return true;
}

static SLT_UNUSED void becomes(struct job j, const char *expected)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!apply(j, &err)) {
		fail_msg("refused: %s", err.msg);
	}
	if (!strstr(output, expected)) {
		fail_msg("not in the result: %s\n%s", expected, output);
	}
}

static SLT_UNUSED void refused(struct job j, enum slt_code code, const char *why)
{
	struct slt_err err = SLT_ERR_INIT;

	if (apply(j, &err)) {
		fail_msg("not refused: %s", output);
	}
	if (err.code != code || !strstr(err.msg, why)) {
		fail_msg("%s \"%s\", not %s \"%s\"", slt_code_name(err.code, SLT_DIALECT_CAMEL),
			 err.msg, slt_code_name(code, SLT_DIALECT_CAMEL), why);
	}
}

/* A set with one file changed. */
static SLT_UNUSED struct slt_mapset *set_with(const char *file, const char *old, const char *new)
{
	struct fixture f;
	struct slt_mapset *s = NULL;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *text = fixture_with(file, old, new);

	fixture_begin(&f);
	fixture_write(&f, file, text);
	bool good = slt_mapset_load(f.dir, &s, &err);
	fixture_end(&f);
	if (!good) {
		fail_msg("%s", err.msg);
	}
	return s;
}

/* The rules of the common file with these put before them. */
static SLT_UNUSED struct slt_mapset *set_with_rules(const char *rules)
{
	SLT_AUTO_STR char *new = slt_asprintf("rules = (\n%s,", rules);

	return set_with("flows/demo/common.conf", "rules = (", new);
}

static SLT_UNUSED const struct slt_trace_entry *entry(const char *rule)
{
	for (size_t i = 0; i < result->trace->n; i++) {
		if (strcmp(result->trace->entry[i].rule, rule) == 0) {
			return &result->trace->entry[i];
		}
	}
	fail_msg("no entry of rule %s", rule);
	return NULL;
}

static int setup(void **state)
{
	struct fixture f;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	fixture_begin(&f);
	bool good = slt_mapset_load(f.dir, &set, &err);
	fixture_end(&f);
	return good ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	slt_map_result_free(result);
	free(output);
	slt_mapset_free(set);
	return 0;
}
