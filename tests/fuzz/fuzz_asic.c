/* SPDX-License-Identifier: MIT */
/* Containers, and archives of them. */
#include "federation/asic.h"
#include "tests/fuzz/sign_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool container(const struct slt_globalconf *gc, struct slt_str bytes, bool strict)
{
	SLT_AUTO(slt_asic_free) struct slt_asic *a = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	struct slt_err err = SLT_ERR_INIT;
	struct slt_asic_verdict v;

	if (!slt_asic_open(bytes, &a, &err) || !slt_asic_verify(a, gc, strict, arena, &v, &err)) {
		slt_assert(err.code != SLT_OK);
		return false;
	}
	slt_asic_verdict_fini(&v);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct sign_world *w;
	struct slt_str bytes = {(const char *)p, n};
	SLT_AUTO(slt_archive_free) struct slt_archive *archive = NULL;
	struct slt_archive_links links;
	struct slt_err err = SLT_ERR_INIT;

	if (w == NULL) {
		w = sign_world_new();
	}

	bool strict = container(w->gc, bytes, true);

	slt_assert(container(w->gc, bytes, false) || !strict);
	if (slt_archive_open(bytes, &archive, &err) && slt_archive_is(archive)) {
		(void)!slt_archive_verify_links(archive, NULL, &links, &err);
	}
	return 0;
}
