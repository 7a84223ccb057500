/* SPDX-License-Identifier: MIT */
/* The manifest of a signed set: what was read is written so that it reads back the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "mappings/manifest.h"

/* libconfig 1.5 loses the text of a string that the file does not close: once, when a set is
 * refused. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig\nleak:strbuf_append\n";
}

static const char *directory(void)
{
	static char dir[64];
	struct slt_err err = SLT_ERR_INIT;

	if (!dir[0]) {
		snprintf(dir, sizeof(dir), "/tmp/slt-fuzz-manifest-%d", (int)getpid());
		slt_assert(slt_mkdir_p(dir, 0700, &err));
	}
	return dir;
}

static bool read_manifest(struct slt_str text, struct slt_arena *a, struct slt_manifest **ret)
{
	SLT_AUTO_STR char *path = slt_path_join(directory(), SLT_MANIFEST_NAME);
	SLT_AUTO_LINT(lint);
	const char *digest = NULL;
	FILE *out = fopen(path, "w");

	slt_assert(out && fwrite(text.p, 1, text.n, out) == text.n && fclose(out) == 0);
	bool good = slt_manifest_read(directory(), a, &lint, ret, &digest);
	slt_assert(good ? digest && lint.total == 0 : lint.total > 0);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_BUF(first, 64u << 20);
	SLT_AUTO_BUF(second, 64u << 20);
	SLT_AUTO_LINT(lint);
	struct slt_manifest *m = NULL, *again = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (!read_manifest((struct slt_str){(const char *)p, n}, a, &m)) {
		return 0;
	}
	slt_assert(slt_manifest_in_force(m, directory(), INT64_C(1795000000000), &err) ||
		   err.code != SLT_OK);
	slt_manifest_format(m, &first);
	slt_assert(read_manifest(slt_buf_str(&first), a, &again));
	slt_manifest_format(again, &second);
	slt_assert(first.n == second.n && memcmp(first.p, second.p, first.n) == 0);
	/* the directory has none of its files */
	slt_assert(!slt_manifest_check(m, directory(), &lint) || m->n_files == 0);
	return 0;
}
