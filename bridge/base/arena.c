/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN 4096
/* what is given back in larger pieces makes the allocator tidy up its whole heap */
#define BLOCK_MAX (32u << 10)
#define ALIGN	  _Alignof(max_align_t)

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

struct slt_arena {
	struct block *head; /* the one that is being filled */
	size_t total;
};

struct slt_arena *slt_arena_new(void)
{
	return slt_calloc(1, sizeof(struct slt_arena));
}

void slt_arena_free(struct slt_arena *a)
{
	if (!a) {
		return;
	}
	for (struct block *b = a->head, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

static struct block *block_new(size_t size)
{
	struct block *b = slt_realloc(NULL, 1, sizeof(*b) + size);

	*b = (struct block){.size = size};
	return b;
}

/* Not zeroed: what is filled at once need not be. */
static void *take(struct slt_arena *a, size_t n)
{
	slt_assert(n < SIZE_MAX / 2);
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	a->total += n;
	if (n > BLOCK_MAX / 4) {
		/* large: a block of its own behind the head, which goes on being filled */
		struct block *own = block_new(n);
		own->used = n;
		if (a->head) {
			own->next = a->head->next;
			a->head->next = own;
		} else {
			a->head = own;
		}
		return own->data;
	}
	if (!a->head || a->head->size - a->head->used < n) {
		size_t size = a->head ? a->head->size * 2 : BLOCK_MIN;
		size = size < BLOCK_MIN ? BLOCK_MIN : size > BLOCK_MAX ? BLOCK_MAX : size;
		struct block *b = block_new(size < n ? n : size);
		b->next = a->head;
		a->head = b;
	}
	void *p = a->head->data + a->head->used;
	a->head->used += n;
	return p;
}

void *slt_arena_alloc(struct slt_arena *a, size_t n)
{
	return memset(take(a, n), 0, n);
}

void *slt_arena_memdup(struct slt_arena *a, const void *p, size_t n)
{
	void *q = take(a, n ? n : 1);

	if (n) {
		memcpy(q, p, n);
	}
	return q;
}

char *slt_arena_strndup(struct slt_arena *a, const char *s, size_t n)
{
	char *p = take(a, n + 1);

	if (n) {
		memcpy(p, s, n);
	}
	p[n] = '\0';
	return p;
}

char *slt_arena_strdup(struct slt_arena *a, const char *s)
{
	return s ? slt_arena_strndup(a, s, strlen(s)) : NULL;
}

char *slt_arena_printf(struct slt_arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	slt_assert(n >= 0);
	char *p = take(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

size_t slt_arena_size(const struct slt_arena *a)
{
	return a->total;
}
