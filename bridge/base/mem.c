/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void slt_assert_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "silta: assertion failed: %s at %s:%d\n", what, file, line);
	abort();
}

#define KEPT (8 << 20) /* bytes of free memory at the end of an arena */

void slt_mem_keep(void)
{
	mallopt(M_TRIM_THRESHOLD, KEPT);
	mallopt(M_MMAP_THRESHOLD, KEPT);
}

void *slt_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	slt_assert(p);
	return p;
}

void *slt_realloc(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n ? n : 1, size ? size : 1);

	slt_assert(q);
	return q;
}

char *slt_strdup(const char *s)
{
	char *p = strdup(s);

	slt_assert(p);
	return p;
}

char *slt_strndup(const char *s, size_t n)
{
	char *p = slt_calloc(n + 1, 1);

	if (n) {
		memcpy(p, s, n);
	}
	return p;
}

char *slt_asprintf(const char *fmt, ...)
{
	char *p = NULL;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&p, fmt, ap);
	va_end(ap);
	slt_assert(n >= 0);
	return p;
}

void slt_free(void *p)
{
	free(p);
}
