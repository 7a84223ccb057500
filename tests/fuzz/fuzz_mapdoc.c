/* SPDX-License-Identifier: MIT */
/* Messages, XML or JSON, through the set of the repository (run from its root): the first byte says
 * which way and in which flow.
 * Twice the same must give the same, and a refusal must say why. */
#include <string.h>

#include "mappings/engine.h"

static const struct slt_mapset *set(void)
{
	static struct slt_mapset *s;
	struct slt_err err = SLT_ERR_INIT;

	if (!s) {
		slt_xml_init();
		slt_assert(slt_mapset_load("mappings", &s, &err));
	}
	return s;
}

/* Believes every signature: what comes behind it is what is looked for here. */
static bool believe(void *arg, xmlNode *document, struct slt_map_seal *ret, struct slt_err *err)
{
	const xmlNode *c = slt_xml_child(document, "urn:hl7-org:v3", "component");

	(void)arg;
	ret->covered = c ? slt_xml_first(c) : NULL;
	return ret->covered || slt_fail(err, SLT_EINVALID_SIGNATURE_VALUE, "nothing is signed");
}

static bool run(uint8_t way, struct slt_str body, struct slt_buf *out)
{
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = slt_map_result_new();
	struct slt_err err = SLT_ERR_INIT;
	const struct slt_map_judge judge = {believe, NULL};
	const struct slt_map_input in = {
		.from = way & 1 ? "FI" : "EE",
		.to = way & 1 ? "EE" : "FI",
		.flow = way & 32  ? "patientsummary"
			: way & 8 ? "register"
				  : "eprescription",
		.service = way & 16 ? way & 1 ? "yritykset" : "ettevotjad" : NULL,
		.message = (way >> 1) % 2 ? SLT_MAP_RESPONSE : SLT_MAP_REQUEST,
		.body = body,
		.now_ms = INT64_C(1795000000000),
		.test_codes = (way & 4) != 0,
		.judge = way & 64 ? &judge : NULL,
	};
	bool good = slt_map_apply(set(), &in, r, &err);

	slt_trace_json(r->trace, true, out);
	slt_problems_xml(r->problems, out);
	slt_assert(good == (r->doc != NULL) && (good || err.code != SLT_OK));
	if (good && !slt_map_dump(r->doc, out, &err)) {
		slt_buf_adds(out, err.msg);
	}
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	SLT_AUTO_BUF(first, 64u << 20);
	SLT_AUTO_BUF(second, 64u << 20);

	if (n == 0) {
		return 0;
	}
	const struct slt_str body = {(const char *)p + 1, n - 1};
	bool good = run(p[0], body, &first);
	slt_assert(run(p[0], body, &second) == good);
	slt_assert(first.n == second.n && memcmp(first.p, second.p, first.n) == 0);
	return 0;
}
