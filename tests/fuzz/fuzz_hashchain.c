/* SPDX-License-Identifier: MIT */
/* The input is a result, a chain and data, separated by NUL bytes. */
#include <string.h>

#include "base/xml.h"
#include "federation/hashchain.h"

struct files {
	struct slt_str chain, data;
};

static struct slt_str resolve(void *arg, const char *uri)
{
	const struct files *f = arg;

	return strcmp(uri, "/c") == 0	? f->chain
	       : strcmp(uri, "/m") == 0 ? f->data
					: (struct slt_str){NULL, 0};
}

static bool should_resolve(void *arg, const char *uri)
{
	(void)arg;
	return strncmp(uri, "/attachment", 11) != 0;
}

static struct slt_str cut(const char **at, const char *end)
{
	const char *nul = memchr(*at, 0, (size_t)(end - *at));
	struct slt_str s = {*at, (size_t)((nul ? nul : end) - *at)};

	*at = nul ? nul + 1 : end;
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *at = (const char *)p, *end = at + n;
	struct files f;
	struct slt_digest d = {.alg = SLT_SHA256, .n = 1};
	struct slt_hc_part parts[] = {{.name = "/m"}, {.name = "/attachment1", .digest = &d}};
	struct slt_hc_verify v = {.parts = parts,
				  .n_parts = n % 3,
				  .resolve = resolve,
				  .should_resolve = should_resolve,
				  .arg = &f};
	struct slt_err err = SLT_ERR_INIT;

	if (n == 0) {
		slt_xml_init();
		return 0;
	}
	v.result = cut(&at, end);
	f.chain = cut(&at, end);
	f.data = cut(&at, end);
	if (slt_hashchain_verify(&v, &err)) {
		slt_assert(v.n_parts < 1 || parts[0].used);
	}
	return 0;
}
