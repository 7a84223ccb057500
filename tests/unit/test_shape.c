/* SPDX-License-Identifier: MIT */
/* Shapes: a country's own structure becomes the flow's, and nothing of it is left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

#define SHAPE(signature, parts)                                                                    \
	"namespaces = ( { prefix = \"x\"; uri = \"urn:aa\"; },\n"                                  \
	"  { prefix = \"xsi\"; uri = \"http://www.w3.org/2001/XMLSchema-instance\"; } );\n"        \
	"shapes = ( { id = \"own\"; becomes = \"doc\"; match = [ \"d:own\" ];\n"                   \
	"  signature = \"" signature "\"; signature_at = \"d:sig\"; parts = ( " parts " ); } );\n"

#define TAKEN "{ id = \"form\"; what = \"code\"; to = \"d:a/d:form\"; from = \"//d:f\"; }"

/* What a judge says: it covers the first element named `covers`, or is not good. */
struct verdict {
	const char *covers, *why;
};

static xmlNode *find(xmlNode *from, const char *name)
{
	for (xmlNode *n = from; n; n = slt_xml_next(n)) {
		xmlNode *below =
			strcmp((const char *)n->name, name) == 0 ? n : find(slt_xml_first(n), name);
		if (below) {
			return below;
		}
	}
	return NULL;
}

static bool judged(void *arg, xmlNode *document, struct slt_map_seal *ret, struct slt_err *err)
{
	const struct verdict *v = arg;

	if (v->why) {
		return slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE, "%s", v->why);
	}
	ret->covered = find(slt_xml_first(document), v->covers);
	ret->signed_ms = NOW;
	assert_non_null(ret->covered);
	return true;
}

static bool shaped(const char *shape, const struct verdict *v, const char *text,
		   struct slt_err *err)
{
	struct slt_mapset *s =
		set_with("flows/demo/AA.conf",
			 "namespaces = ( { prefix = \"x\"; uri = \"urn:aa\"; } );\n", shape);
	struct verdict copy = v ? *v : (struct verdict){NULL, NULL};
	const struct slt_map_judge judge = {judged, &copy};
	const struct slt_map_input in = {.from = "AA",
					 .to = "BB",
					 .flow = "demo",
					 .message = SLT_MAP_RESPONSE,
					 .body = slt_str(text),
					 .now_ms = NOW,
					 .judge = v ? &judge : NULL};

	slt_map_result_free(result);
	free(output);
	output = NULL;
	result = slt_map_result_new();
	bool good = slt_map_apply(s, &in, result, err);
	slt_mapset_free(s);
	if (good) {
		SLT_AUTO_BUF(b, 1 << 20);
		assert_true(slt_xml_dump(result->doc, NULL, false, &b, err));
		output = slt_buf_take(&b, NULL);
	}
	return good;
}

static void makes(const char *shape, const char *text, const char *expected)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!shaped(shape, NULL, text, &err)) {
		fail_msg("refused: %s", err.msg);
	}
	if (!strstr(output, expected)) {
		fail_msg("not in the result: %s\n%s", expected, output);
	}
}

static void stops(const char *shape, const struct verdict *v, const char *text, enum slt_code code,
		  const char *why)
{
	struct slt_err err = SLT_ERR_INIT;

	if (shaped(shape, v, text, &err)) {
		fail_msg("not refused: %s", output);
	}
	if (err.code != code || !strstr(err.msg, why)) {
		fail_msg("%s \"%s\", not %s \"%s\"", slt_code_name(err.code, SLT_DIALECT_CAMEL),
			 err.msg, slt_code_name(code, SLT_DIALECT_CAMEL), why);
	}
}

static void what_is_made_is_mapped(void **state)
{
	(void)state;
	makes(SHAPE("checked", TAKEN), "<own" D "><f code='10' codeSystem='1.1'/></own>",
	      "<a><form code=\"T\" codeSystem=\"2.1\"");
	/* the same document with a prefix of its own */
	makes(SHAPE("checked", TAKEN),
	      "<q:own xmlns:q='urn:d'><q:f code='10' codeSystem='1.1'/></q:own>",
	      "<q:a><q:form code=\"T\" codeSystem=\"2.1\"");
	assert_null(strstr(output, "q:f "));
}

static void parts_make_what_they_say(void **state)
{
	(void)state;
	makes(SHAPE("checked", "{ to = \"d:a/d:b\"; set = [ \"k=v\", \"xsi:type=CE\" ]; },"
			       "{ to = \"d:a/d:b/@w\"; from = \"d:t\"; },"
			       "{ to = \"d:a/+d:b/d:c\"; from = \"d:u/@value\"; }"),
	      "<own" D "><t> text </t><u value='7'/></own>", "w=\"text\"");
	assert_non_null(strstr(output, "<b k=\"v\""));
	assert_non_null(strstr(output, "type=\"CE\""));
	assert_non_null(strstr(output, "<b><c>7</c></b></a>"));
	/* the value of xsi:type is in the namespace of the root */
	makes(SHAPE("checked", "{ to = \"d:a\"; set = [ \"xsi:type=CE\" ]; }"),
	      "<q:own xmlns:q='urn:d'/>", "type=\"q:CE\"");
	makes(SHAPE("checked",
		    "{ what = \"tree\"; each = true; to = \"d:a/*\"; from = \"d:t/d:*\"; }"),
	      "<own" D "><t><p i='1'>x</p><r><s/>y</r></t></own>",
	      "<a><p i=\"1\">x</p><r><s/>y</r></a>");
	makes(SHAPE("checked",
		    "{ each = true; to = \"d:a/+d:g\"; from = \"d:t\"; set = [ \"k=v\" ];"
		    "  parts = ( { to = \"d:h/@i\"; from = \"@n\"; },"
		    "            { to = \"d:h/@j\"; from = \"d:m\"; } ); }"),
	      "<own" D "><t n='1'><m>x</m></t><t n='2'/></own>",
	      "<a><g k=\"v\"><h i=\"1\" j=\"x\"/></g><g k=\"v\"><h i=\"2\"/></g></a>");
	makes(SHAPE("checked",
		    "{ to = \"d:a\"; from = \"d:t\"; otherwise = [ \"nullFlavor=UNK\" ]; },"
		    "{ to = \"d:b\"; given = \"d:t/@x\"; }"),
	      "<own" D "><t/></own>", "<a nullFlavor=\"UNK\"/></own>");
}

static void the_rest_is_refused(void **state)
{
	static const char *const texts[] = {
		"<own" D "><f code='10' codeSystem='1.1'/><x/>text</own>",
		"<own" D "><f code='10' codeSystem='1.1'/><x y='1'/></own>",
		"<own" D "><f code='10' codeSystem='1.1'><x>1</x></f></own>",
		"<own" D "><f code='10' codeSystem='1.1' more='1'/></own>",
		"<own" D " more='1'><f code='10' codeSystem='1.1'/></own>",
		"<own" D "><f code='10' codeSystem='1.1'/><x><y><z w='1'/></y></x></own>",
		"<own" D " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"
		"<f code='10' codeSystem='1.1' xsi:nil='true'/></own>",
		"<own" D "><f code='10' codeSystem='1.1'/><![CDATA[text]]></own>",
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(texts); i++) {
		stops(SHAPE("checked", TAKEN), NULL, texts[i], SLT_FED_STR_002,
		      "what becomes of this");
	}
	/* what says nothing is no rest */
	makes(SHAPE("checked", TAKEN),
	      "<own" D "><!-- c --><f code='10' codeSystem='1.1'/><x> <y classCode='Z'/></x></own>",
	      "<form code=\"T\"");
}

static void parts_refuse(void **state)
{
	(void)state;
	stops(SHAPE("checked", "{ id = \"p\"; to = \"d:a\"; from = \"d:t\"; required = true; }"),
	      NULL, "<own" D "><t/></own>", SLT_FED_STR_003, "rule p");
	stops(SHAPE("checked", "{ id = \"p\"; to = \"d:a\"; from = \"d:t\"; }"), NULL,
	      "<own" D "><t>1</t><t>2</t></own>", SLT_FED_STR_003, "more of it");
	stops(SHAPE("checked", "{ id = \"p\"; what = \"forbid\"; from = \"//*[@n='1']\"; "
			       "error = \"FED-BUS-001\"; }"),
	      NULL, "<own" D "><t><u n='1'/></t></own>", SLT_FED_BUS_001, "rule p");
	stops(SHAPE("checked", "{ what = \"check\"; from = \"d:t\"; only = [ \"1\", \"2\" ]; }"),
	      NULL, "<own" D "><t>3</t></own>", SLT_FED_STR_002, "not one that is understood");
	stops(SHAPE("checked", "{ what = \"check\"; from = \"d:t\"; same = \"d:u\"; }"), NULL,
	      "<own" D "><t>3</t></own>", SLT_FED_ID_003, "does not say");
	stops(SHAPE("checked", "{ what = \"check\"; from = \"d:t\"; same = \"d:u\"; }"), NULL,
	      "<own" D "><t><n>a</n><n>b</n></t><u><n>ab</n></u></own>", SLT_FED_ID_003,
	      "says otherwise");
	stops(SHAPE("checked",
		    "{ what = \"check\"; from = \"d:t\"; same = \"d:u\"; required = true; }"),
	      NULL, "<own" D "><u>1</u></own>", SLT_FED_STR_003, "required");
	/* more than any document has */
	SLT_AUTO_BUF(many, 1 << 16);
	slt_buf_adds(&many, "<own" D ">");
	for (unsigned i = 0; i < 300; i++) {
		slt_buf_adds(&many, "<t>1</t>");
	}
	slt_buf_adds(&many, "</own>");
	stops(SHAPE("checked", "{ what = \"drop\"; from = \"d:t\"; }"), NULL, many.p,
	      SLT_FED_STR_003, "more of it");
	/* even if none of it says anything */
	slt_buf_reset(&many);
	slt_buf_adds(&many, "<own" D ">");
	for (unsigned i = 0; i < 300; i++) {
		slt_buf_adds(&many, "<t/>");
	}
	slt_buf_adds(&many, "</own>");
	stops(SHAPE("checked", "{ what = \"drop\"; from = \"d:t\"; }"), NULL, many.p,
	      SLT_FED_STR_003, "more of it");
}

#define SIGNED                                                                                     \
	"<own" D "><sig v='1'/><body><f code='10' codeSystem='1.1'/></body>"                       \
	"<head><g>1</g></head></own>"
#define LOOSE "{ id = \"g\"; to = \"d:a/d:g\"; from = \"//d:g\"; outside = true; }"

static void signatures_are_asked_for(void **state)
{
	const struct verdict good = {"body", NULL}, bad = {"body", "it is bad"},
			     other = {"head", NULL};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(shaped(SHAPE("required", TAKEN "," LOOSE), &good, SIGNED, &err));
	assert_null(strstr(output, "sig"));
	stops(SHAPE("required", TAKEN "," LOOSE), &bad, SIGNED, SLT_FED_SIG_001, "it is bad");
	stops(SHAPE("checked", TAKEN "," LOOSE), &bad, SIGNED, SLT_FED_SIG_001, "it is bad");
	stops(SHAPE("required", TAKEN "," LOOSE), NULL, SIGNED, SLT_FED_SIG_002, "no authorities");
	stops(SHAPE("checked", TAKEN "," LOOSE), NULL, SIGNED, SLT_FED_SIG_002, "no authorities");
	stops(SHAPE("required", TAKEN), &good, "<own" D "><f code='10' codeSystem='1.1'/></own>",
	      SLT_FED_SIG_002, "no signature of its own");
	/* a value from where the signature is not */
	stops(SHAPE("required", TAKEN "," LOOSE), &other, SIGNED, SLT_FED_SIG_003,
	      "does not cover");
	stops(SHAPE("required", TAKEN ",{ to = \"d:a/d:g\"; from = \"//d:g\"; }"), &good, SIGNED,
	      SLT_FED_SIG_003, "does not cover");
}

#define HEADER_AGREES                                                                              \
	"{ what = \"check\"; from = \"d:head/d:g\"; same = \"//d:k\"; }, "                         \
	"{ what = \"drop\"; from = \"//d:k\"; }"

/* What decides is as good as what is taken: an unsigned part must not vouch for another one, nor
 * say that something is there. */
static void what_is_not_signed_decides_nothing(void **state)
{
	static const char inside[] =
		"<own" D "><sig v='1'/><body><f code='10' codeSystem='1.1'/><k>1</k></body>"
		"<head><g>1</g></head></own>";
	static const char outside[] =
		"<own" D "><sig v='1'/><body><f code='10' codeSystem='1.1'/></body>"
		"<head><g>1</g><k>1</k></head></own>";
	static const char given[] = "{ to = \"d:a/d:s\"; set = [ \"v=1\" ]; given = \"//d:k\"; }";
	const struct verdict good = {"body", NULL};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(shaped(SHAPE("required", TAKEN "," HEADER_AGREES), &good, inside, &err));
	stops(SHAPE("required", TAKEN "," HEADER_AGREES), &good, outside, SLT_FED_SIG_003,
	      "does not cover");
	SLT_AUTO_STR char *parts = slt_asprintf(TAKEN "," HEADER_AGREES ",%s", given);
	SLT_AUTO_STR char *shape = slt_asprintf(SHAPE("required", "%s"), parts);
	assert_true(shaped(shape, &good, inside, &err));
	assert_non_null(strstr(output, "<s v=\"1\"/>"));
	SLT_AUTO_STR char *loose = slt_asprintf(
		SHAPE("required", TAKEN "," LOOSE ",{ what = \"drop\"; from = \"//d:k\"; },%s"),
		given);
	stops(loose, &good, outside, SLT_FED_SIG_003, "does not cover");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_is_mapped),
		cmocka_unit_test(parts_make_what_they_say),
		cmocka_unit_test(the_rest_is_refused),
		cmocka_unit_test(parts_refuse),
		cmocka_unit_test(signatures_are_asked_for),
		cmocka_unit_test(what_is_not_signed_decides_nothing),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, setup, teardown);
}
