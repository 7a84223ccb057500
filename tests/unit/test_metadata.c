/* SPDX-License-Identifier: MIT */
/* What metaservices answer: lists of services and clients, descriptions made fit to be handed out.
 * Run from the root of the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "federation/globalconf_cache.h"
#include "federation/metadata.h"
#include "federation/wsdl.h"

#define WSDL_FILE "tests/data/metadata/centre.wsdl"
#define API_FILE  "tests/data/metadata/echo.openapi.json"

static char *read_file(const char *path)
{
	struct slt_err err = SLT_ERR_INIT;
	char *text = NULL;
	size_t n;

	if (!slt_file_read(path, 1 << 20, &text, &n, &err)) {
		fail_msg("%s", err.msg);
	}
	return text;
}

/* The text with the first `old` replaced. */
static char *changed(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);

	assert_non_null(at);
	return slt_asprintf("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

static void has(const struct slt_buf *b, const char *text, bool yes)
{
	if ((strstr(slt_buf_str(b).p, text) != NULL) != yes) {
		fail_msg("%s: %s\n%s", yes ? "not there" : "there", text, slt_buf_str(b).p);
	}
}

/* --- WSDL --- */

static void wsdl_refused(const char *text, enum slt_code code, const char *why)
{
	struct slt_wsdl *w = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (slt_wsdl_parse(text, strlen(text), &w, &err)) {
		fail_msg("taken: %s", text);
	}
	assert_null(w);
	if (err.code != code || !strstr(err.msg, why)) {
		fail_msg("%d %s", err.code, err.msg);
	}
}

static void wsdl_is_read(void **state)
{
	SLT_AUTO_STR char *text = read_file(WSDL_FILE);
	SLT_AUTO(slt_wsdl_free) struct slt_wsdl *w = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_wsdl_parse(text, strlen(text), &w, &err));
	assert_string_equal(slt_wsdl_operation_at(w, 0)->name, "HaeLaakemaaraykset");
	assert_string_equal(slt_wsdl_operation_at(w, 0)->version, "v1");
	assert_string_equal(slt_wsdl_operation_at(w, 1)->name, "Huolto");
	assert_null(slt_wsdl_operation_at(w, 1)->version);
	assert_null(slt_wsdl_operation_at(w, 2));
	assert_null(slt_wsdl_operation(w, "huolto"));
}

static void wsdl_that_cannot_be_used(void **state)
{
	SLT_AUTO_STR char *text = read_file(WSDL_FILE);
	static const struct {
		const char *old, *new;
		enum slt_code code;
		const char *why;
	} cases[] = {
		{"<wsdl:definitions ", "<!DOCTYPE a><wsdl:definitions ", SLT_EINVALID_XML, "WSDL"},
		{"</wsdl:definitions>", "", SLT_EINVALID_XML, "WSDL"},
		{"\"http://schemas.xmlsoap.org/wsdl/\"", "\"http://www.w3.org/ns/wsdl\"",
		 SLT_EINVAL, "not definitions"},
		{"<soap:binding ", "<soap:bond ", SLT_EINVAL, "no operation"},
		{"<soap:address ", "<soap:place ", SLT_EINVAL, "soap:address"},
		{"<wsdl:operation name=\"Huolto\">\n\t\t\t<soap",
		 "<wsdl:operation name=\"HaeLaakemaaraykset\">\n\t\t\t<soap", SLT_EINVAL,
		 "bound twice"},
		{"<wsdl:operation name=\"Huolto\">\n\t\t\t<soap", "<wsdl:operation>\n\t\t\t<soap",
		 SLT_EINVAL, "no name"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		SLT_AUTO_STR char *bad = changed(text, cases[i].old, cases[i].new);
		wsdl_refused(bad, cases[i].code, cases[i].why);
	}
	wsdl_refused("", SLT_EINVALID_XML, "WSDL");
	wsdl_refused("<definitions/>", SLT_EINVAL, "not definitions");
}

static void wsdl_shows_what_is_offered(void **state)
{
	static const struct slt_wsdl_operation keep[] = {{"Huolto", "v7"}, {"Muu", NULL}};
	SLT_AUTO_STR char *text = read_file(WSDL_FILE);
	SLT_AUTO(slt_wsdl_free) struct slt_wsdl *w = NULL, *again = NULL;
	SLT_AUTO_BUF(out, 1 << 20);
	SLT_AUTO_BUF(small, 100);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_wsdl_parse(text, strlen(text), &w, &err));
	assert_true(slt_wsdl_write(w, keep, 2, &out, &err));
	has(&out, "sisaverkko", false);
	has(&out, "location=\"" SLT_WSDL_ADDRESS "\"", true);
	has(&out, "operation name=\"HaeLaakemaaraykset\"", false);
	assert_true(slt_wsdl_parse(out.p, out.n, &again, &err));
	assert_string_equal(slt_wsdl_operation_at(again, 0)->name, "Huolto");
	assert_string_equal(slt_wsdl_operation_at(again, 0)->version, "v7");
	assert_null(slt_wsdl_operation_at(again, 1));
	/* a version that is not the route's goes */
	static const struct slt_wsdl_operation bare[] = {{"HaeLaakemaaraykset", NULL}};
	slt_buf_reset(&out);
	assert_true(slt_wsdl_write(w, bare, 1, &out, &err));
	has(&out, "version>", false);
	assert_false(slt_wsdl_write(w, bare, 1, &small, &err));
}

static void wsdl_is_derived(void **state)
{
	static const struct slt_wsdl_service services[] = {
		{{"one", "v1"}, {"urn:a", "urn:b"}, {"one", "oneResponse"}},
		{{"two", NULL}, {NULL, NULL}, {NULL, NULL}},
	};
	static const struct slt_wsdl_service bad[] = {{{"a b", NULL}, {0}, {0}}};
	SLT_AUTO(slt_wsdl_free) struct slt_wsdl *w = NULL;
	SLT_AUTO_BUF(out, 1 << 20);
	SLT_AUTO_BUF(small, 1000);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_wsdl_derive("s", services, 2, &out, &err));
	assert_true(slt_wsdl_parse(out.p, out.n, &w, &err));
	assert_string_equal(slt_wsdl_operation(w, "one")->version, "v1");
	assert_null(slt_wsdl_operation(w, "two")->version);
	has(&out, "targetNamespace=\"urn:b\"><xs:element name=\"oneResponse\">", true);
	has(&out, "<wsdl:message name=\"two\"><wsdl:part name=\"body\" type=\"xs:anyType\"/>",
	    true);
	slt_buf_reset(&out);
	assert_false(slt_wsdl_derive("s", bad, 1, &out, &err));
	assert_int_equal(err.code, SLT_EINVAL);
	assert_false(slt_wsdl_derive("<s>", services, 1, &out, &err));
	assert_false(slt_wsdl_derive("s", services, 2, &small, &err));
}

/* --- lists of services --- */

#define ID(code, ver)                                                                              \
	{                                                                                          \
		.type = SLT_ID_SERVICE, .instance = "EE", .member_class = "GOV",                   \
		.member_code = "7<&", .subsystem = "s", .service = (code), .version = (ver)        \
	}

static void services_are_listed(void **state)
{
	static const struct slt_endpoint e[] = {{"*", "/a/*"}, {"GET", "/\"b\""}};
	static const struct slt_method v[] = {
		{.id = ID("one", "v1"), .described = true, .endpoint = e, .n_endpoints = 2},
		{.id = ID("two", NULL)},
	};
	SLT_AUTO(slt_xml_free) xmlDoc *doc = xmlNewDoc(SLT_XML("1.0"));
	SLT_AUTO_BUF(out, 1 << 16);
	struct slt_err err = SLT_ERR_INIT;
	xmlNode *root = xmlNewDocNode(doc, NULL, SLT_XML("r"), NULL);

	(void)state;
	xmlDocSetRootElement(doc, root);
	slt_metadata_methods_xml(root, "listMethodsResponse", v, 2);
	assert_true(slt_xml_dump(doc, NULL, false, &out, &err));
	has(&out, "<id:memberCode>7&lt;&amp;</id:memberCode>", true);
	has(&out, "<id:serviceCode>one</id:serviceCode><id:serviceVersion>v1</id:serviceVersion>",
	    true);
	has(&out, "<id:serviceCode>two</id:serviceCode></xroad:service>", true);
	slt_buf_reset(&out);
	slt_metadata_methods_json(v, 2, &out);
	assert_string_equal(
		slt_buf_str(&out).p,
		"{\"service\":[{\"object_type\":\"SERVICE\",\"xroad_instance\":\"EE\","
		"\"member_class\":\"GOV\",\"member_code\":\"7<&\",\"subsystem_code\":\"s\","
		"\"service_code\":\"one\",\"service_type\":\"OPENAPI\",\"endpoint_list\":["
		"{\"method\":\"*\",\"path\":\"/a/*\"},"
		"{\"method\":\"GET\",\"path\":\"/\\\"b\\\"\"}]},"
		"{\"object_type\":\"SERVICE\",\"xroad_instance\":\"EE\","
		"\"member_class\":\"GOV\",\"member_code\":\"7<&\",\"subsystem_code\":\"s\","
		"\"service_code\":\"two\",\"service_type\":\"REST\",\"endpoint_list\":[]}]}");
	slt_buf_reset(&out);
	slt_metadata_methods_json(NULL, 0, &out);
	assert_string_equal(slt_buf_str(&out).p, "{\"service\":[]}");
}

/* --- lists of clients --- */

static const char shared[] =
	"<x:conf xmlns:x='http://x-road.eu/xsd/xroad.xsd'>"
	"<instanceIdentifier>EE</instanceIdentifier>"
	"<member id='a'><memberClass><code>GOV</code><description/></memberClass>"
	"<memberCode>1</memberCode><name>A &amp; B</name>"
	"<subsystem id='b'><subsystemCode>s1</subsystemCode><subsystemName>S \"1\"</subsystemName>"
	"</subsystem>"
	"<subsystem id='c'><subsystemCode>s2</subsystemCode></subsystem></member>"
	"<member id='d'><memberClass><code>COM</code><description/></memberClass>"
	"<memberCode>2</memberCode><name>C</name></member>"
	"<globalSettings><ocspFreshnessSeconds>3600</ocspFreshnessSeconds></globalSettings>"
	"</x:conf>";

static struct slt_globalconf *snapshot(void)
{
	char path[] = "/tmp/slt-metadata-XXXXXX";
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, shared, sizeof(shared) - 1), sizeof(shared) - 1);
	close(fd);
	bool good = slt_globalconf_load_shared(path, &gc, &err);
	unlink(path);
	if (!good) {
		fail_msg("%s", err.msg);
	}
	return gc;
}

static void clients_are_listed(void **state)
{
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = snapshot();
	SLT_AUTO_BUF(xml, 1 << 16);
	SLT_AUTO_BUF(json, 1 << 16);
	SLT_AUTO_BUF(small, 200);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_metadata_clients(gc, NULL, false, &xml, &err));
	has(&xml,
	    "<xroad:member><xroad:id id:objectType=\"MEMBER\"><id:xRoadInstance>EE"
	    "</id:xRoadInstance><id:memberClass>GOV</id:memberClass><id:memberCode>1"
	    "</id:memberCode></xroad:id><xroad:name>A &amp; B</xroad:name></xroad:member>",
	    true);
	has(&xml,
	    "<id:subsystemCode>s1</id:subsystemCode></xroad:id><xroad:name>A &amp; B</xroad:name>"
	    "<xroad:subsystemName>S &quot;1&quot;</xroad:subsystemName></xroad:member>",
	    true);
	assert_true(slt_metadata_clients(gc, "EE", true, &json, &err));
	assert_string_equal(
		slt_buf_str(&json).p,
		"{\"member\":[{\"id\":{\"object_type\":\"MEMBER\",\"xroad_instance\":\"EE\","
		"\"member_class\":\"GOV\",\"member_code\":\"1\"},\"name\":\"A & B\"},"
		"{\"id\":{\"object_type\":\"SUBSYSTEM\",\"xroad_instance\":\"EE\","
		"\"member_class\":\"GOV\",\"member_code\":\"1\",\"subsystem_code\":\"s1\"},"
		"\"name\":\"A & B\",\"subsystem_name\":\"S \\\"1\\\"\"},"
		"{\"id\":{\"object_type\":\"SUBSYSTEM\",\"xroad_instance\":\"EE\","
		"\"member_class\":\"GOV\",\"member_code\":\"1\",\"subsystem_code\":\"s2\"},"
		"\"name\":\"A & B\"},"
		"{\"id\":{\"object_type\":\"MEMBER\",\"xroad_instance\":\"EE\","
		"\"member_class\":\"COM\",\"member_code\":\"2\"},\"name\":\"C\"}]}");
	assert_false(slt_metadata_clients(gc, "LV", true, &json, &err));
	assert_int_equal(err.code, SLT_EINVALID_REQUEST);
	assert_false(slt_metadata_clients(gc, "", false, &xml, &err));
	assert_false(slt_metadata_clients(gc, NULL, false, &small, &err));
}

static void accept_chooses_the_form(void **state)
{
	static const char *const json[] = {"application/json", "Application/JSON;q=0.5",
					   "text/xml, application/json", "a/b ,application/json"};
	static const char *const xml[] = {"",
					  "*/*",
					  "text/xml",
					  "application/jsonx",
					  "application/*",
					  "a/b;x=application/json"};

	(void)state;
	assert_false(slt_metadata_wants_json(NULL));
	for (size_t i = 0; i < SLT_COUNT(json); i++) {
		assert_true(slt_metadata_wants_json(json[i]));
	}
	for (size_t i = 0; i < SLT_COUNT(xml); i++) {
		assert_false(slt_metadata_wants_json(xml[i]));
	}
}

/* --- OpenAPI --- */

static void openapi_is_read(void **state)
{
	static const struct slt_endpoint want[] = {{"GET", "/status/*"}, {"POST", "/body"}};
	SLT_AUTO_STR char *text = read_file(API_FILE);
	SLT_AUTO(slt_openapi_free) struct slt_openapi *o = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_openapi_parse(text, strlen(text), &o, &err));
	assert_int_equal(o->n_endpoints, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(o->endpoint[i].method, want[i].method);
		assert_string_equal(o->endpoint[i].path, want[i].path);
	}
	assert_int_equal(o->n, strlen(o->text));
	assert_null(strstr(o->text, "sisaverkko"));
	assert_non_null(strstr(o->text, "\"url\":\"" SLT_WSDL_ADDRESS "\""));
}

static void openapi_paths_become_patterns(void **state)
{
	static const char text[] =
		"{\"openapi\":\"3.1.0\",\"paths\":{\"/{a}/x{b}y/{c\":{\"get\":{},\"x-get\":{}},"
		"\"/\":{\"trace\":{},\"parameters\":[]}}}";
	SLT_AUTO(slt_openapi_free) struct slt_openapi *o = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_openapi_parse(text, sizeof(text) - 1, &o, &err));
	assert_int_equal(o->n_endpoints, 2);
	assert_string_equal(o->endpoint[0].path, "/*/x*y/{c");
	assert_string_equal(o->endpoint[1].method, "TRACE");
	assert_non_null(strstr(o->text, "\"servers\":[{\"url\":\"" SLT_WSDL_ADDRESS "\"}]"));
}

static void openapi_that_cannot_be_used(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"null",
		"openapi: 3.0.0",
		"{",
		"{}",
		"{\"openapi\":3,\"paths\":{}}",
		"{\"openapi\":\"2.0\",\"paths\":{}}",
		"{\"swagger\":\"2.0\",\"paths\":{}}",
		"{\"openapi\":\"3.0.0\"}",
		"{\"openapi\":\"3.0.0\",\"paths\":[]}",
		"{\"openapi\":\"3.0.0\",\"paths\":{\"a\":{}}}",
		"{\"openapi\":\"3.0.0\",\"paths\":{\"\":{}}}",
		"{\"openapi\":\"3.0.0\",\"paths\":{\"/a\":[]}}",
		"{\"openapi\":\"3.0.0\",\"paths\":{},\"paths\":{}}",
		"{\"openapi\":\"3.0.0\",\"paths\":{}} x",
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_openapi *o = NULL;
		struct slt_err err = SLT_ERR_INIT;
		if (slt_openapi_parse(bad[i], strlen(bad[i]), &o, &err)) {
			fail_msg("taken: %s", bad[i]);
		}
		assert_int_equal(err.code, SLT_EINVAL);
		assert_null(o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wsdl_is_read),
		cmocka_unit_test(wsdl_that_cannot_be_used),
		cmocka_unit_test(wsdl_shows_what_is_offered),
		cmocka_unit_test(wsdl_is_derived),
		cmocka_unit_test(services_are_listed),
		cmocka_unit_test(clients_are_listed),
		cmocka_unit_test(accept_chooses_the_form),
		cmocka_unit_test(openapi_is_read),
		cmocka_unit_test(openapi_paths_become_patterns),
		cmocka_unit_test(openapi_that_cannot_be_used),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
