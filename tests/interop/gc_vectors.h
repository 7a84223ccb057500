/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The X-Road vectors that tests of the global configuration read at run time, from SLT_SHARED or
 * ../shared. Where they are not there, the test is skipped and says why.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/file.h"

#define GC_NOW INT64_C(1795449600000) /* 2026-11-23T16:00:00Z */

static inline const char *gc_shared(void)
{
	const char *dir = getenv("SLT_SHARED");

	return dir ? dir : "../shared";
}

/* The path of a vector; malloc'ed. Skips the test when it is absent. */
static inline char *gc_vector(const char *name)
{
	char *path = slt_asprintf("%s/vectors/xroad/%s", gc_shared(), name);

	if (!slt_file_exists(path)) {
		print_message("skipped: %s is not there\n", path);
		free(path);
		skip();
	}
	return path;
}

static inline char *gc_read(const char *path, size_t *ret_n)
{
	struct slt_err err = SLT_ERR_INIT;
	char *p = NULL;

	if (!slt_file_read(path, 64u << 20, &p, ret_n, &err)) {
		fail_msg("%s", err.msg);
	}
	return p;
}
