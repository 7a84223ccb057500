/* SPDX-License-Identifier: MIT */
/* X-Road's identifier files. */
#include "wire_vectors.h"

#include "federation/ident.h"

struct vector {
	const char *name;
	const char *text; /* NULL: must be refused */
};

static const struct vector vectors[] = {
	{"clientid.xml", "EE/COMPANY/FOOBAR"},
	{"clientid-subsystem.xml", "EE/COMPANY/FOOBAR/SUBSYSTEM"},
	{"serviceid.xml", "EE/BUSINESS/JODA//getState"},
	{"serviceid-version.xml", "EE/BUSINESS/JODA//getState/v1"},
	{"securityserverid.xml", "EE/BUSINESS/123456789/bambi"},
	{"globalgroupid.xml", "EE/perearstid"},
	{"localgroupid.xml", "lokaalgrupp"},
	{"invalid-clientid-member.xml", NULL},
	{"invalid-clientid-subsystem.xml", NULL},
};

static void run(void **state)
{
	const struct vector *v = *state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_id id, back;
	size_t n = 0;
	SLT_AUTO_STR char *p = load_vector("identifiers", v->name, &n);

	assert_true(slt_xml_parse(p, n, &SLT_XML_PEER, v->name, &doc, &err));
	bool good = slt_id_from_xml(xmlDocGetRootElement(doc), SLT_ID_NONE, a, &id, &err);
	expect_outcome(good, &err, v->text ? NULL : "invalid_xml");
	if (v->text) {
		assert_string_equal(slt_id_text(&id, a), v->text);
		assert_true(slt_id_parse(id.type, v->text, false, a, &back, &err));
		assert_true(slt_id_eq(&id, &back));
	}
}

int main(void)
{
	return run_cases(vectors, sizeof(vectors[0]), SLT_COUNT(vectors), run);
}
