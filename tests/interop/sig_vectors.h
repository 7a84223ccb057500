/* SPDX-License-Identifier: MIT */
#pragma once

/* Vectors of signatures, containers and time-stamps, read at run time from SLT_SHARED. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "federation/globalconf_cache.h"

#define VECTOR_MAX (64u << 20)

/* Skipping a test jumps out of it: paths must not be on the heap. */
SLT_UNUSED static const char *in_shared(const char *dir, const char *name, const char *suffix)
{
	static char path[4][512];
	static unsigned next;
	const char *root = getenv("SLT_SHARED");
	char *p = path[next++ % SLT_COUNT(path)];

	(void)snprintf(p, sizeof(path[0]), "%s/vectors/xroad/%s%s%s",
		       root != NULL ? root : "../shared", dir, name, suffix);
	return p;
}

/* Skips the test where the file is not there. */
SLT_UNUSED static struct slt_str load_from(const char *dir, const char *name, const char *suffix)
{
	struct slt_err err = SLT_ERR_INIT;
	const char *path = in_shared(dir, name, suffix);
	char *p = NULL;
	size_t n = 0;

	if (!slt_file_exists(path)) {
		print_message("skipped: %s is not there\n", path);
		skip();
	}
	if (!slt_file_read(path, VECTOR_MAX, &p, &n, &err)) {
		fail_msg("%s", err.msg);
	}
	return (struct slt_str){p, n};
}

SLT_UNUSED static struct slt_str load(const char *name)
{
	return load_from("", name, "");
}

SLT_UNUSED static void unload(struct slt_str s)
{
	void *p;

	memcpy(&p, &s.p, sizeof(p));
	free(p);
}

SLT_UNUSED static struct slt_globalconf *load_conf(const char *name)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_gc_load_options o = {.allow_test_profile = true, .now_ms = -1};
	struct slt_globalconf *gc = NULL;
	const char *path = in_shared("", name, "");
	SLT_AUTO_STR char *warnings = NULL;

	if (!slt_globalconf_load(path, &o, &gc, &warnings, &err)) {
		fail_msg("%s", err.msg);
	}
	return gc;
}

SLT_UNUSED static void expect_code(const struct slt_err *err, const char *want)
{
	char code[128];

	slt_err_fault_code(err, SLT_DIALECT_SNAKE, code, sizeof(code));
	if (strcmp(code, want) != 0) {
		fail_msg("got %s (%s), expected \"%s\"", code, err->msg, want);
	}
}
