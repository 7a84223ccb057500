/* SPDX-License-Identifier: MIT */
/* A Finnish CDA document with its inner signature. */
#include <string.h>

#include "tests/fuzz/kanta_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static unsigned count_bodies(const xmlNode *n)
{
	unsigned found = 0;

	for (; n; n = slt_xml_next(n)) {
		found += strcmp((const char *)n->name, "structuredBody") == 0;
		found += count_bodies(slt_xml_first(n));
	}
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct kanta_world *w;
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_cdasig_verdict v = {NULL, "", 0};

	if (w == NULL) {
		w = kanta_world_new();
	}
	if (!slt_xml_parse(p, n, &SLT_XML_PEER, "document", &doc, &err)) {
		return 0;
	}

	xmlNode *root = xmlDocGetRootElement(doc);
	X509 *authority[] = {w->ca->x509};
	struct slt_cdasig_query q = {.document = root,
				     .authority = authority,
				     .n_authorities = 1,
				     .now_ms = PKI_NOW,
				     .allow_sha1 = true};

	if (!slt_cdasig_verify(&q, &v, &err)) {
		slt_assert(err.code != SLT_OK && err.msg[0] != '\0' && v.covered == NULL);
		return 0;
	}
	/* what is accepted was seen to be signed, has one body, and falls without its authority */
	slt_assert(slt_cdasig_present(root) && count_bodies(root) == 1);
	slt_assert(strcmp((const char *)v.covered->name, "structuredBody") == 0);
	q.n_authorities = 0;
	slt_assert(!slt_cdasig_verify(&q, &v, &err));
	return 0;
}
