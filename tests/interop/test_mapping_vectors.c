/* SPDX-License-Identifier: MIT */
/* Prescriptions and dispensations that went over the European service, through the set of the
 * repository (run from its root). What is translated must be valid against the schema that the
 * vectors bring along. */
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

#define NOW INT64_C(1795392000000) /* 2026-11-23 */

static struct slt_mapset *set;
static char schema_dir[] = "/tmp/slt-xsd-XXXXXX";
static xmlSchema *schema;	       /* NULL where it cannot be had */
static xmlExternalEntityLoader loader; /* libxml2's own: a schema has several files */

static const char *shared(void)
{
	const char *root = getenv("SLT_SHARED");

	return root ? root : "../shared";
}

/* Skips the test where the file is not there. */
static char *load_vector(const char *name, size_t *ret_n)
{
	char path[1024]; /* skip() jumps: nothing may be owned here */
	struct slt_err err = SLT_ERR_INIT;
	char *p = NULL;

	snprintf(path, sizeof(path), "%s/vectors/eprescription/%s", shared(), name);
	if (!slt_file_exists(path)) {
		print_message("skipped: %s is not there\n", path);
		skip();
	}
	if (!slt_file_read(path, 1 << 24, &p, ret_n, &err)) {
		fail_msg("%s", err.msg);
	}
	return p;
}

struct run {
	const char *name, *from, *to;
	enum slt_map_message message;
	struct slt_map_result *r;
	struct slt_err err;
	bool good;
};

static void translate(struct run *x)
{
	size_t n;
	char *text = load_vector(x->name, &n);
	const struct slt_map_input in = {.from = x->from,
					 .to = x->to,
					 .flow = "eprescription",
					 .message = x->message,
					 .body = {text, n},
					 .now_ms = NOW,
					 .test_codes = true};

	x->r = slt_map_result_new();
	x->good = slt_map_apply(set, &in, x->r, &x->err);
	free(text);
}

static void check_schema(xmlDoc *doc)
{
	SLT_AUTO_BUF(b, 1 << 22);
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xml_free) xmlDoc *again = NULL;

	if (!schema) {
		print_message("not checked against the schema: it is not there\n");
		return;
	}
	/* as the receiver will read it */
	assert_true(slt_xml_dump(doc, NULL, true, &b, &err));
	assert_true(slt_xml_parse(b.p, b.n, &SLT_XML_PEER, "result", &again, &err));
	xmlSchemaValidCtxt *ctxt = xmlSchemaNewValidCtxt(schema);
	int rc = xmlSchemaValidateDoc(ctxt, again);
	xmlSchemaFreeValidCtxt(ctxt);
	assert_int_equal(rc, 0);
}

static const struct slt_trace_entry *entry(const struct run *x, const char *rule)
{
	for (size_t i = 0; i < x->r->trace->n; i++) {
		if (strcmp(x->r->trace->entry[i].rule, rule) == 0) {
			return &x->r->trace->entry[i];
		}
	}
	fail_msg("no entry of rule %s", rule);
	return NULL;
}

static bool has_problem(const struct run *x, enum slt_code code, const char *found)
{
	for (size_t i = 0; i < x->r->problems->n; i++) {
		const struct slt_map_problem *p = &x->r->problems->v[i];
		if (p->code == code && p->severity == SLT_SEV_ERROR &&
		    (!found || (p->found_code && strcmp(p->found_code, found) == 0))) {
			return true;
		}
	}
	return false;
}

static void ends(struct run *x)
{
	slt_map_result_free(x->r);
}

static void FI_eP_friendly_Pantoprazol(void **state)
{
	struct run x = {.name = "cda-ep/FI_eP_friendly_Pantoprazol_ePrescription-friendly.xml",
			.from = "FI",
			.to = "EE",
			.message = SLT_MAP_RESPONSE};

	(void)state;
	translate(&x);
	assert_true(x.good);
	const struct slt_trace_entry *form = entry(&x, "form");
	assert_string_equal(form->from.code, "10225000");
	assert_string_equal(form->to.code, "965");
	assert_string_equal(entry(&x, "container")->pivot.code, "30007000");
	assert_string_equal(entry(&x, "patient-id")->to.system, "1.3.6.1.4.1.28284.6.2.2.16.246.2");
	check_schema(x.r->doc);
	ends(&x);
}

static void FI_eP_bad_mapping(void **state)
{
	struct run x = {.name = "cda-ep/FI_eP_bad_mapping_1-BAD-MAPPING.xml",
			.from = "FI",
			.to = "EE",
			.message = SLT_MAP_RESPONSE};

	(void)state;
	translate(&x);
	assert_false(x.good);
	assert_null(x.r->doc);
	assert_true(has_problem(&x, SLT_FED_MAP_001, "0"));
	assert_true(x.r->problems->errors > 3);
	ends(&x);
}

static void FI_eP_pivot_2013_Lantus(void **state)
{
	struct run x = {.name = "cda-ep/FI_eP_pivot_2013_Lantus_ePrescription-pivot.xml",
			.from = "FI",
			.to = "EE",
			.message = SLT_MAP_RESPONSE};

	(void)state;
	translate(&x);
	assert_true(x.good);
	assert_string_equal(entry(&x, "form")->pivot.code, "11201000");
	/* the container has no Estonian word: a warning, and the Finnish one kept */
	assert_int_equal(x.r->problems->n, 1);
	check_schema(x.r->doc);
	ends(&x);
}

static void FI_eP_pivot_Lantus_1_1234_W8(void **state)
{
	struct run x = {.name = "cda-ep/FI_eP_pivot_Lantus_1-1234-W8.xml",
			.from = "FI",
			.to = "EE",
			.message = SLT_MAP_RESPONSE};

	(void)state;
	translate(&x);
	/* the patient stands under a made-up root: nothing is known of such identifiers */
	assert_false(x.good);
	assert_int_equal(x.err.code, SLT_FED_ID_001);
	assert_int_equal(x.r->problems->errors, 1);
	assert_string_equal(entry(&x, "form")->from.code, "50060300");
	ends(&x);
}

static void EE_eP_pivot_candesartan(void **state)
{
	struct run x = {.name = "cda-ep/EE_eP_pivot_candesartan_X-XXXX.xml",
			.from = "EE",
			.to = "FI",
			.message = SLT_MAP_RESPONSE};

	(void)state;
	translate(&x);
	assert_true(x.good);
	assert_string_equal(entry(&x, "form")->pivot.code, "10219000");
	assert_string_equal(entry(&x, "form")->to.code, "173");
	/* from the older structure to the current one */
	check_schema(x.r->doc);
	ends(&x);
}

static void FI_eD_pivot_Amorion(void **state)
{
	struct run x = {
		.name = "cda-ed/FI_eD_pivot_Amorion_dispensed_in_MT_eDispensation-pivot.xml",
		.from = "EE",
		.to = "FI",
		.message = SLT_MAP_REQUEST};

	(void)state;
	translate(&x);
	/* nothing of nothing was dispensed: everything else is right */
	assert_false(x.good);
	assert_int_equal(x.err.code, SLT_FED_BUS_005);
	assert_string_equal(entry(&x, "form")->to.code, "214");
	assert_string_equal(entry(&x, "patient-id")->to.system, "1.2.246.21");
	assert_int_equal(entry(&x, "form-agrees")->outcome, SLT_OUT_CHECKED);
	ends(&x);
}

static void refused_dispensation(const char *name, enum slt_code code, const char *found)
{
	struct run x = {.name = name, .from = "EE", .to = "FI", .message = SLT_MAP_REQUEST};

	translate(&x);
	assert_false(x.good);
	if (!has_problem(&x, code, found)) {
		fail_msg("%s", x.err.msg);
	}
	ends(&x);
}

static void dispensation1(void **state)
{
	(void)state;
	refused_dispensation("cda-ed/dispensation1.xml", SLT_FED_MAP_001, "TABFILM");
}

static void dispensation_bad_1(void **state)
{
	(void)state;
	refused_dispensation("cda-ed/dispensation_bad_1.xml", SLT_FED_BUS_005, NULL);
}

static void eD_friendly(void **state)
{
	(void)state;
	refused_dispensation("cda-ed/eD_friendly_eDispensation-friendly.xml", SLT_FED_STR_003,
			     NULL);
}

static void EE_PatientSummary(void **state)
{
	(void)state;
	refused_dispensation("cda-other/EE_PatientSummary_EE_PS_EXAMPLE.xml", SLT_FED_STR_002,
			     NULL);
}

static void kanta_laakemaarays_RENITEC_COMP(void **state)
{
	struct run x = {.name = "cda-other/kanta_laakemaarays_RENITEC_COMP.xml",
			.from = "FI",
			.to = "EE",
			.message = SLT_MAP_RESPONSE};

	(void)state;
	translate(&x);
	/* what the prescriber signed cannot be verified: it is refused, not passed on */
	assert_false(x.good);
	assert_int_equal(x.err.code, SLT_FED_SIG_002);
	assert_string_equal(entry(&x, "signature")->place,
			    "/cda:ClinicalDocument/hl7fi:localHeader/hl7fi:signatureCollection/"
			    "hl7fi:signature");
	ends(&x);
}

static void load_schema(void)
{
	char zip[1024];
	SLT_AUTO_STR char *command = NULL;

	snprintf(zip, sizeof(zip), "%s/vectors/eprescription/schema/cda_pharma_xsd_konateq.zip",
		 shared());
	if (!slt_file_exists(zip) || !mkdtemp(schema_dir)) {
		return;
	}
	command = slt_asprintf("unzip -oq '%s' -d %s 2>/dev/null", zip, schema_dir);
	if (system(command) != 0) {
		print_message("unzip fails\n");
		return;
	}
	SLT_AUTO_STR char *path = slt_path_join(schema_dir, "CDA_Pharma.xsd");
	xmlSchemaParserCtxt *ctxt = xmlSchemaNewParserCtxt(path);
	xmlSchemaSetParserErrors(ctxt, NULL, NULL, NULL);
	xmlExternalEntityLoader ours = xmlGetExternalEntityLoader();
	xmlSetExternalEntityLoader(loader);
	schema = xmlSchemaParse(ctxt);
	xmlSetExternalEntityLoader(ours);
	xmlSchemaFreeParserCtxt(ctxt);
}

static int setup(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	load_schema();
	if (!slt_mapset_load("mappings", &set, &err)) {
		print_error("%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_mapset_free(set);
	xmlSchemaFree(schema);
	return slt_rm_tree(schema_dir, &err) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(FI_eP_friendly_Pantoprazol),
		cmocka_unit_test(FI_eP_bad_mapping),
		cmocka_unit_test(FI_eP_pivot_2013_Lantus),
		cmocka_unit_test(FI_eP_pivot_Lantus_1_1234_W8),
		cmocka_unit_test(EE_eP_pivot_candesartan),
		cmocka_unit_test(FI_eD_pivot_Amorion),
		cmocka_unit_test(dispensation1),
		cmocka_unit_test(dispensation_bad_1),
		cmocka_unit_test(eD_friendly),
		cmocka_unit_test(EE_PatientSummary),
		cmocka_unit_test(kanta_laakemaarays_RENITEC_COMP),
	};

	loader = xmlGetExternalEntityLoader();
	slt_xml_init();
	return cmocka_run_group_tests(tests, setup, teardown);
}
