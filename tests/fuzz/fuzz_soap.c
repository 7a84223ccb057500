/* SPDX-License-Identifier: MIT */
/* A message that was read is written with its own header and must read back the same. */
#include "federation/soap.h"

static void round_trip(struct slt_soap *s)
{
	SLT_AUTO_BUF(b, 64 << 20);
	SLT_AUTO(slt_soap_free) struct slt_soap *t = NULL;
	struct slt_err err = SLT_ERR_INIT;

	slt_soap_set_header(s->doc, &s->header);
	slt_assert(slt_xml_dump(s->doc, NULL, true, &b, &err));
	slt_assert(slt_soap_parse(b.p, b.n, "text/xml", &t, &err));
	slt_assert(!t->is_fault && slt_id_eq(&s->header.client, &t->header.client) &&
		   slt_id_eq(&s->header.service, &t->header.service));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const types[] = {NULL, "text/xml", "text/xml; charset=ISO-8859-15",
					    "text/xml; charset=UTF-16"};
	SLT_AUTO(slt_soap_free) struct slt_soap *s = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (n == 0) {
		slt_xml_init();
		return 0;
	}
	if (slt_soap_parse(p + 1, n - 1, types[p[0] % SLT_COUNT(types)], &s, &err) &&
	    !s->is_fault) {
		round_trip(s);
	}
	return 0;
}
