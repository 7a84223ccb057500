/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Attributes, scoped clean-up and allocation that cannot fail.
 *
 * An allocation that the system refuses ends the process: all state that matters is durable
 * before a peer sees its effect, so a restart loses nothing. What a peer sends is bounded by the
 * caps of the parser that reads it, before memory is asked for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLT_CHECK	 __attribute__((warn_unused_result))
#define SLT_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define SLT_UNUSED	 __attribute__((unused))
#define SLT_NORETURN	 __attribute__((noreturn))

/* Declares the clean-up function that SLT_AUTO(fn) needs for variables of the given type. */
#define SLT_DEFINE_AUTO(type, fn)                                                                  \
	SLT_UNUSED static inline void fn##_auto(type *slt_v_)                                      \
	{                                                                                          \
		fn(*slt_v_);                                                                       \
	}

/* A local that owns: `SLT_AUTO(slt_asic_free) struct slt_asic *a = NULL;` */
#define SLT_AUTO(fn) __attribute__((cleanup(fn##_auto)))

/* Hands an owned pointer on: the local is NULL afterwards. */
#define SLT_TAKE(p)                                                                                \
	__extension__({                                                                            \
		__typeof__(p) slt_t_ = (p);                                                        \
		(p) = NULL;                                                                        \
		slt_t_;                                                                            \
	})

#define SLT_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Stays on in release: a bug, never something a peer can cause. */
#define slt_assert(c) ((c) ? (void)0 : slt_assert_failed(#c, __FILE__, __LINE__))
SLT_NORETURN void slt_assert_failed(const char *what, const char *file, int line);

/* For programs that build and free trees all the time, before the first thread: what was freed
 * stays with the process (some megabytes for each of the allocator's arenas) instead of going back
 * to the system and coming again, zeroed page by page. */
void slt_mem_keep(void);

/* Zeroed memory; never NULL; release with free(). */
void *slt_calloc(size_t n, size_t size) __attribute__((malloc, alloc_size(1, 2)));
void *slt_realloc(void *p, size_t n, size_t size) __attribute__((alloc_size(2, 3)));
char *slt_strdup(const char *s) __attribute__((malloc));
char *slt_strndup(const char *s, size_t n) __attribute__((malloc));
char *slt_asprintf(const char *fmt, ...) SLT_PRINTF(1, 2);

void slt_free(void *p); /* free(), for SLT_AUTO */
SLT_DEFINE_AUTO(void *, slt_free)
SLT_UNUSED static inline void slt_freep_auto(char **p)
{
	slt_free(*p);
}
/* `SLT_AUTO_STR char *s` frees a malloc'ed string at the end of its scope. */
#define SLT_AUTO_STR __attribute__((cleanup(slt_freep_auto)))
