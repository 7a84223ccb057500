/* SPDX-License-Identifier: MIT */
/* What is read is written and read again as the same; what jansson accepts is accepted, but for the
 * limits and the characters that json_doc.h names. */
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "mappings/json_doc.h"

static void twice(const xmlDoc *doc)
{
	struct slt_buf a = SLT_BUF_INIT(8u << 20), b = SLT_BUF_INIT(8u << 20);
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xml_free) xmlDoc *again = NULL;

	slt_assert(slt_json_dump(doc, &a, &err));
	slt_assert(slt_json_parse(slt_buf_str(&a), "again", &again, &err));
	slt_assert(slt_json_dump(again, &b, &err));
	slt_assert(a.n == b.n && memcmp(a.p, b.p, a.n) == 0);
	slt_buf_fini(&a);
	slt_buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slt_str s = {(const char *)p, n};
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	json_error_t why;
	bool good = slt_json_parse(s, "fuzz", &doc, &err);
	/* for jansson a NUL is the end */
	json_t *other =
		memchr(s.p, '\0', s.n)
			? NULL
			: json_loadb(s.p, s.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

	if (good) {
		twice(doc);
	} else {
		slt_assert(!other || err.code == SLT_ELIMIT || strstr(err.msg, "not accepted"));
	}
	json_decref(other);
	return 0;
}
