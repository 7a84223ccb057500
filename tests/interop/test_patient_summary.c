/* SPDX-License-Identifier: MIT */
/* The patient summary: a made-up one, and the European example (where it is there), which must stay
 * valid against the schema that the vectors bring along. Run from the root of the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libxml/xmlschemas.h>

#include "base/file.h"
#include "mappings/engine.h"

#define NOW    INT64_C(1795392000000) /* 2026-11-23 */
#define OWN    "examples/documents/summary/ee-01.xml"
#define VECTOR "%s/vectors/eprescription/cda-other/EE_PatientSummary_EE_PS_EXAMPLE.xml"
#define SCHEMA "%s/vectors/eprescription/schema/epsos_cda_extended_xsd_khypponen.zip"
#define SOAP                                                                                       \
	"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>%s</s:Body>"      \
	"</s:Envelope>"

static struct slt_mapset *set;
static struct slt_map_result *result;
static char *output;

static bool apply(const char *text, const char *from, enum slt_map_message message,
		  struct slt_err *err)
{
	const struct slt_map_input in = {.from = from,
					 .to = strcmp(from, "EE") == 0 ? "FI" : "EE",
					 .flow = "patientsummary",
					 .message = message,
					 .body = slt_str(text),
					 .now_ms = NOW};

	slt_map_result_free(result);
	free(output);
	output = NULL;
	result = slt_map_result_new();
	if (!slt_map_apply(set, &in, result, err)) {
		return false;
	}
	SLT_AUTO_BUF(b, 1 << 20);
	assert_true(slt_map_dump(result->doc, &b, err));
	output = slt_buf_take(&b, NULL);
	return true;
}

static char *own(const char *old, const char *new)
{
	struct slt_err err = SLT_ERR_INIT;
	char *text = NULL;
	size_t n;

	assert_true(slt_file_read(OWN, 1 << 20, &text, &n, &err));
	if (!old) {
		return text;
	}
	char *at = strstr(text, old);
	assert_non_null(at);
	char *changed = slt_asprintf("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
	free(text);
	return changed;
}

static void has(const char *what)
{
	if (!strstr(output, what)) {
		fail_msg("not in the result: %s\n%s", what, output);
	}
}

static unsigned warnings(const char *rule)
{
	unsigned n = 0;

	for (size_t i = 0; i < result->problems->n; i++) {
		assert_int_equal(result->problems->v[i].severity, SLT_SEV_WARNING);
		n += strcmp(result->problems->v[i].rule, rule) == 0;
	}
	return n;
}

static void what_has_a_list_is_mapped(void **state)
{
	SLT_AUTO_STR char *text = own(NULL, NULL);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	if (!apply(text, "EE", SLT_MAP_RESPONSE, &err)) {
		fail_msg("%s", err.msg);
	}
	has("<title>Potilasyhteenveto</title>");
	has("displayName=\"Lääkityshistoria\"");
	has("code=\"173\" codeSystem=\"1.2.246.537.6.852\"");
	has("code=\"1\" codeSystem=\"1.2.246.537.5.1\"");
	has("code=\"20053000\" codeSystem=\"0.4.0.127.0.16.1.1.2.1\"");
	has("code=\"C09CA06\" codeSystem=\"1.2.246.537.6.32\"");
	has("<languageCode code=\"fi-FI\"/>");
	has("typeCode=\"XFRM\"");
}

/* What has no list stays as it is, and is never silent. */
static void what_has_none_is_reported(void **state)
{
	SLT_AUTO_STR char *text = own(NULL, NULL);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(apply(text, "EE", SLT_MAP_RESPONSE, &err));
	assert_int_equal(warnings("clinical-code"), 1);
	assert_int_equal(warnings("clinical-value"), 1);
	assert_int_equal(result->problems->n, 2);
	has("code=\"I10\" codeSystem=\"1.3.6.1.4.1.12559.11.10.1.3.1.44.2\"");
	has("<tr ID=\"med1\"><td>Kandesaar 16 mg</td><td>1 tablett hommikul</td></tr>");
	has("<item ID=\"dgn1\">I10 Kõrgvererõhutõbi</item>");
	SLT_AUTO_STR char *form = own("code=\"738\"", "code=\"99999\"");
	assert_true(apply(form, "EE", SLT_MAP_RESPONSE, &err));
	assert_int_equal(warnings("form"), 1);
	has("code=\"99999\"");
}

static void whose_it_is_must_be_sure(void **state)
{
	static const struct {
		const char *old, *new;
		enum slt_code code;
	} cases[] = {
		{"36802279845", "36802279846", SLT_FED_ID_002},
		{"root=\"1.3.6.1.4.1.28284.6.2.2.1\"", "root=\"1.2.3\"", SLT_FED_ID_001},
		{"19680227", "19680228", SLT_FED_ID_003},
		{"code=\"M\" codeSystem", "code=\"F\" codeSystem", SLT_FED_ID_003},
		{"code=\"M\" codeSystem", "code=\"Z\" codeSystem", SLT_FED_MAP_004},
		{"<id root=\"1.3.6.1.4.1.28284.6.2.2.1\" extension=\"36802279845\"/>", "",
		 SLT_FED_STR_003},
		{"60591-5", "60593-1", SLT_FED_STR_002},
		{"displayName=\"tablett\"", "displayName=\"süstelahus süstlis\"", SLT_FED_ID_003},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		SLT_AUTO_STR char *text = own(cases[i].old, cases[i].new);
		struct slt_err err = SLT_ERR_INIT;
		assert_false(apply(text, "EE", SLT_MAP_RESPONSE, &err));
		if (err.code != cases[i].code) {
			fail_msg("%zu: %s", i, err.msg);
		}
	}
}

static void the_service_has_both_names(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *asked = slt_asprintf(
		SOAP, "<py:HaePotilasyhteenveto xmlns:py='http://potilasyhteenveto.example.fi/1'>"
		      "<py:henkilo juuri='1.3.6.1.4.1.28284.6.2.2.1' tunnus='36802279845'/>"
		      "</py:HaePotilasyhteenveto>");
	SLT_AUTO_STR char *nobody = slt_asprintf(
		SOAP,
		"<py:HaePotilasyhteenveto xmlns:py='http://potilasyhteenveto.example.fi/1'/>");
	SLT_AUTO_STR char *document = own("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "");
	SLT_AUTO_STR char *inside = slt_asprintf(
		"<pk:kokkuvoteParingResponse xmlns:pk='http://terviseandmed.example.ee/kokkuvote/1'>"
		"<pk:isik oid='1.3.6.1.4.1.28284.6.2.2.1' kood='36802279845'/>"
		"<pk:dokument>%s</pk:dokument></pk:kokkuvoteParingResponse>",
		document);
	SLT_AUTO_STR char *answer = slt_asprintf(SOAP, inside);

	(void)state;
	assert_true(apply(asked, "FI", SLT_MAP_REQUEST, &err));
	has(":kokkuvoteParing");
	has("kood=\"36802279845\"");
	assert_false(apply(nobody, "FI", SLT_MAP_REQUEST, &err));
	assert_int_equal(err.code, SLT_FED_STR_003);
	if (!apply(answer, "EE", SLT_MAP_RESPONSE, &err)) {
		fail_msg("%s", err.msg);
	}
	has(":HaePotilasyhteenvetoResponse");
	has("<title>Potilasyhteenveto</title>");
}

static const char *shared(void)
{
	const char *root = getenv("SLT_SHARED");

	return root ? root : "../shared";
}

static xmlSchema *load_schema(const char *dir, xmlExternalEntityLoader loader)
{
	char zip[1024];

	snprintf(zip, sizeof(zip), SCHEMA, shared());
	SLT_AUTO_STR char *command = slt_asprintf("unzip -oq '%s' -d %s 2>/dev/null", zip, dir);
	if (!slt_file_exists(zip) || system(command) != 0) {
		return NULL;
	}
	SLT_AUTO_STR char *path = slt_path_join(dir, "CDA_extended.xsd");
	xmlSchemaParserCtxt *ctxt = xmlSchemaNewParserCtxt(path);
	xmlSchemaSetParserErrors(ctxt, NULL, NULL, NULL);
	xmlExternalEntityLoader ours = xmlGetExternalEntityLoader();
	xmlSetExternalEntityLoader(loader);
	xmlSchema *schema = xmlSchemaParse(ctxt);
	xmlSetExternalEntityLoader(ours);
	xmlSchemaFreeParserCtxt(ctxt);
	return schema;
}

static xmlExternalEntityLoader loader; /* libxml2's own: a schema has several files */

static void EE_PatientSummary(void **state)
{
	char path[1024], dir[] = "/tmp/slt-ps-XXXXXX"; /* skip() jumps: nothing is owned yet */
	struct slt_err err = SLT_ERR_INIT;
	size_t n;

	(void)state;
	snprintf(path, sizeof(path), VECTOR, shared());
	if (!slt_file_exists(path)) {
		print_message("skipped: %s is not there\n", path);
		skip();
	}
	SLT_AUTO_STR char *text = NULL;
	assert_true(slt_file_read(path, 1 << 20, &text, &n, &err));
	if (!apply(text, "EE", SLT_MAP_RESPONSE, &err)) {
		fail_msg("%s", err.msg);
	}
	has("displayName=\"Potilasyhteenveto\"");
	assert_int_equal(warnings("section-code"), 1);
	assert_int_equal(warnings("clinical-value"), 2);
	assert_true(result->problems->n >= 8);
	assert_non_null(mkdtemp(dir));
	xmlSchema *schema = load_schema(dir, loader);
	if (schema) {
		SLT_AUTO(slt_xml_free) xmlDoc *again = NULL;
		assert_true(slt_xml_parse(output, strlen(output), &SLT_XML_PEER, "result", &again,
					  &err));
		xmlSchemaValidCtxt *ctxt = xmlSchemaNewValidCtxt(schema);
		assert_int_equal(xmlSchemaValidateDoc(ctxt, again), 0);
		xmlSchemaFreeValidCtxt(ctxt);
		xmlSchemaFree(schema);
	} else {
		print_message("not checked against the schema: it is not there\n");
	}
	assert_true(slt_rm_tree(dir, &err));
}

static int setup(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	if (!slt_mapset_load("mappings", &set, &err)) {
		print_error("%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	slt_map_result_free(result);
	free(output);
	slt_mapset_free(set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_a_list_is_mapped),
		cmocka_unit_test(what_has_none_is_reported),
		cmocka_unit_test(whose_it_is_must_be_sure),
		cmocka_unit_test(the_service_has_both_names),
		cmocka_unit_test(EE_PatientSummary),
	};

	loader = xmlGetExternalEntityLoader();
	slt_xml_init();
	return cmocka_run_group_tests_name("patient summary", tests, setup, teardown);
}
