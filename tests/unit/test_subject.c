/* SPDX-License-Identifier: MIT */
/* A message and its documents are about the same person, and an answer about who was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

#define OTHER		"010199-123Y"

#define PID(root, code) "<d:pid root='" root "' extension='" code "'/>"
#define DOC(pids)	"<d:doc xmlns:d='urn:d'>" pids "</d:doc>"
#define CDA(pids)                                                                                  \
	"<d:ClinicalDocument xmlns:d='urn:d'><d:id root='1.2'/><d:code code='1'/>" pids            \
	"</d:ClinicalDocument>"
#define ASK(people, rest) SOAP "<x:Hae" AA ">" people rest "</x:Hae>" END
#define WHO(root, code)	  "<x:henkilo juuri='" root "' tunnus='" code "'/>"
#define INLINE(doc)	  "<x:asiakirja>" doc "</x:asiakirja>"
#define ANSWER(doc)                                                                                \
	SOAP "<y:tooVastus xmlns:y='urn:bb'><y:dokument>" doc "</y:dokument></y:tooVastus>" END

#define SUBJECT(rest)                                                                              \
	"subjects = ( { id = \"whose\"; documents = [ \"doc\" ]; body = \"p:person\";\n"           \
	"  document = \"/d:doc/d:pid\"; field = \"field.form\"; " rest " } );\nguards = ("

static struct slt_mapset *subjects, *any, *counted;

static void refuses(struct slt_mapset *s, const char *text, enum slt_code code, const char *why)
{
	refused((struct job){.set = s, .text = text}, code, why);
}

static void passes(struct slt_mapset *s, const char *text)
{
	becomes((struct job){.set = s, .text = text}, "<y:too");
}

static void same_person(void **state)
{
	(void)state;
	passes(subjects, ASK(WHO("1.10", HETU), INLINE(DOC(PID("1.10", HETU)))));
	const struct slt_trace_entry *e = entry("whose");
	assert_true(e && e->outcome == SLT_OUT_CHECKED);
	/* nobody named in the body, no document, another kind of document: nothing to compare */
	passes(subjects, ASK("", INLINE(DOC(PID("1.10", OTHER)))));
	passes(subjects, ASK(WHO("1.10", HETU), ""));
	passes(subjects, ASK(WHO("1.10", HETU), INLINE(CDA(PID("1.10", OTHER)))));
}

static void another_person(void **state)
{
	(void)state;
	refuses(subjects, ASK(WHO("1.10", HETU), INLINE(DOC(PID("1.10", OTHER)))), SLT_FED_ID_003,
		"not about what the message is about");
	refuses(subjects, ASK(WHO("1.10", HETU), INLINE(DOC(PID("1.10", HETU) PID("1.10", OTHER)))),
		SLT_FED_ID_003, "not about");
	refuses(subjects,
		ASK(WHO("1.10", HETU), INLINE(DOC(PID("1.10", HETU)) DOC(PID("1.10", OTHER)))),
		SLT_FED_ID_003, "not about");
	refuses(subjects,
		ASK(WHO("1.10", HETU), INLINE(DOC(PID("1.10", OTHER)) DOC(PID("1.10", HETU)))),
		SLT_FED_ID_003, "not about");
}

static void nobody(void **state)
{
	(void)state;
	refuses(subjects, ASK(WHO("1.10", HETU), INLINE(DOC(""))), SLT_FED_ID_003, "not about");
	refuses(subjects, ASK(WHO("1.10", HETU), INLINE(DOC("<d:pid nullFlavor='UNK'/>"))),
		SLT_FED_ID_003, "not about");
}

static void two_in_the_body(void **state)
{
	(void)state;
	refuses(subjects, ASK(WHO("1.10", HETU) WHO("1.10", OTHER), INLINE(DOC(PID("1.10", HETU)))),
		SLT_FED_ID_003, "more than one");
	refuses(subjects, ASK(WHO("1.10", HETU) WHO("1.10", OTHER), ""), SLT_FED_ID_003,
		"more than one");
	passes(subjects, ASK(WHO("1.10", HETU) WHO("1.10", HETU), INLINE(DOC(PID("1.10", HETU)))));
}

static void attached(void **state)
{
	struct slt_map_part parts[] = {{"text/xml", SLT_STR_C(DOC(PID("1.10", HETU)))},
				       {"text/xml", SLT_STR_C(DOC(PID("1.10", OTHER)))}};
	const char *text = ASK(WHO("1.10", HETU), "");

	(void)state;
	becomes((struct job){.set = subjects, .text = text, .parts = parts, .n_parts = 1},
		"<y:too");
	refused((struct job){.set = subjects, .text = text, .parts = parts, .n_parts = 2},
		SLT_FED_ID_003, "not about");
	refused((struct job){.set = subjects, .text = text, .parts = parts + 1, .n_parts = 1},
		SLT_FED_ID_003, "not about");
}

static void one_is_enough(void **state)
{
	(void)state;
	passes(any, ASK(WHO("1.10", HETU), INLINE(DOC(PID("1.10", OTHER) PID("1.10", HETU)))));
	refuses(any, ASK(WHO("1.10", HETU), INLINE(DOC(PID("1.10", OTHER)))), SLT_FED_STR_002,
		"not about");
}

/* --- answers --- */

static bool answers(struct slt_map_result *asked, const char *text, struct slt_err *err)
{
	struct slt_map_input in = {.from = "BB",
				   .to = "AA",
				   .flow = "demo",
				   .message = SLT_MAP_RESPONSE,
				   .body = slt_str(text),
				   .now_ms = NOW,
				   .asked = asked};
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = slt_map_result_new();

	return slt_map_apply(subjects, &in, r, err);
}

static void answer_about_another(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	passes(subjects, ASK(WHO("1.10", HETU), ""));
	SLT_AUTO(slt_map_result_free) struct slt_map_result *asked = SLT_TAKE(result);
	/* under whichever country's root: it is the same person */
	assert_true(answers(asked, ANSWER(DOC(PID("2.16", HETU))), &err));
	assert_true(answers(asked, ANSWER(DOC(PID("1.10", HETU))), &err));
	assert_false(answers(asked, ANSWER(DOC(PID("2.16", OTHER))), &err));
	assert_int_equal(err.code, SLT_FED_ID_003);
	/* who did not ask about anybody gets what there is */
	assert_true(answers(NULL, ANSWER(DOC(PID("2.16", OTHER))), &err));
}

static void answer_that_names_another(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	passes(subjects, ASK(WHO("1.10", HETU), ""));
	SLT_AUTO(slt_map_result_free) struct slt_map_result *asked = SLT_TAKE(result);
	assert_false(answers(asked,
			     SOAP "<y:tooVastus xmlns:y='urn:bb'><y:isik oid='2.16' kood='" OTHER
				  "'/></y:tooVastus>" END,
			     &err));
	assert_int_equal(err.code, SLT_FED_ID_003);
}

/* --- how many documents --- */

static void one_document_of_its_kind(void **state)
{
	struct slt_map_part parts[] = {{"text/xml", SLT_STR_C(DOC(PID("1.10", HETU)))},
				       {"application/pdf", SLT_STR_C("%PDF")}};
	const char *one = ASK("", INLINE(DOC("")));

	(void)state;
	passes(counted, one);
	passes(counted, ASK("", ""));
	refuses(counted, ASK("", INLINE(CDA(""))), SLT_FED_STR_002, "one document");
	refuses(counted, ASK("", INLINE(DOC("") CDA(""))), SLT_FED_STR_002, "one document");
	refuses(counted, ASK("", INLINE(DOC("")) INLINE(DOC(""))), SLT_FED_STR_002, "one document");
	refused((struct job){.set = counted, .text = one, .parts = parts, .n_parts = 1},
		SLT_FED_STR_002, "one document");
	becomes((struct job){.set = counted, .text = one, .parts = parts + 1, .n_parts = 1},
		"<y:too");
	becomes((struct job){.set = counted, .text = ASK("", ""), .parts = parts, .n_parts = 2},
		"<y:too");
}

static void no_document(void **state)
{
	(void)state;
	refused((struct job){.set = counted,
			     .from = "BB",
			     .to = "AA",
			     .message = SLT_MAP_RESPONSE,
			     .text = ANSWER(DOC(""))},
		SLT_FED_STR_002, "has no document");
}

static void wrong_files(void **state)
{
	static const char *const bad[][2] = {
		{SUBJECT("error = \"FED-XX-001\";"), "unknown fault code"},
		{"subjects = ( { id = \"a\"; document = \"d:pid\"; } );\nguards = (", "body"},
		{"subjects = ( { id = \"a\"; body = \"p:person\"; documents = [ \"doc\" ]; } );\n"
		 "guards = (",
		 "documents and document go together"},
		{"subjects = ( { id = \"a\"; body = \"p:x[1]\"; document = \"d:pid\"; } );\nguards = (",
		 "body"},
		{"subjects = ( { id = \"a\"; body = \"p:x\"; document = \"d:pid\"; documents = [ \"zz\" ]; } );\n"
		 "guards = (",
		 "zz"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct fixture f;
		struct slt_mapset *s = NULL;
		struct slt_err err = SLT_ERR_INIT;
		SLT_AUTO_STR char *text =
			fixture_with("flows/demo/common.conf", "guards = (", bad[i][0]);
		fixture_begin(&f);
		fixture_write(&f, "flows/demo/common.conf", text);
		if (slt_mapset_load(f.dir, &s, &err)) {
			fail_msg("%s", bad[i][1]);
		}
		fixture_end(&f);
		assert_non_null(strstr(err.msg, bad[i][1]));
	}
}

static int begin(void **state)
{
	subjects = set_with("flows/demo/common.conf", "guards = (", SUBJECT(""));
	any = set_with("flows/demo/common.conf", "guards = (",
		       SUBJECT("any = true; error = \"FED-STR-002\";"));
	counted = set_with("flows/demo/common.conf", "response = \"p:got\";",
			   "response = \"p:got\"; request_document = \"doc\"; "
			   "response_document = \"none\";");
	return setup(state);
}

static int end(void **state)
{
	slt_mapset_free(subjects);
	slt_mapset_free(any);
	slt_mapset_free(counted);
	return teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_person),
		cmocka_unit_test(another_person),
		cmocka_unit_test(nobody),
		cmocka_unit_test(two_in_the_body),
		cmocka_unit_test(attached),
		cmocka_unit_test(one_is_enough),
		cmocka_unit_test(answer_about_another),
		cmocka_unit_test(answer_that_names_another),
		cmocka_unit_test(one_document_of_its_kind),
		cmocka_unit_test(no_document),
		cmocka_unit_test(wrong_files),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
