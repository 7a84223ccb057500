/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory that lives as long as one exchange, one document or one loaded table: allocated piece by
 * piece, freed at once. Never returns NULL. Not safe for use by two threads at the same time.
 */

#include "base/buf.h"

struct slt_arena;

struct slt_arena *slt_arena_new(void);
void slt_arena_free(struct slt_arena *a);
SLT_DEFINE_AUTO(struct slt_arena *, slt_arena_free)

void *slt_arena_alloc(struct slt_arena *a, size_t n);	    /* zeroed, aligned for any type */
char *slt_arena_strdup(struct slt_arena *a, const char *s); /* NULL for NULL */
char *slt_arena_strndup(struct slt_arena *a, const char *s, size_t n);
void *slt_arena_memdup(struct slt_arena *a, const void *p, size_t n);
char *slt_arena_printf(struct slt_arena *a, const char *fmt, ...) SLT_PRINTF(2, 3);
size_t slt_arena_size(const struct slt_arena *a); /* bytes handed out */
