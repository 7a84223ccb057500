/* SPDX-License-Identifier: MIT */
#include "fastest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

struct entry {
	char *provider, *address;
	int64_t until_ms;
	UT_hash_handle hh; /* in order of insertion */
};

struct slt_fastest {
	pthread_mutex_t lock;
	struct entry *entries;
	int64_t keep_ms;
};

struct slt_fastest *slt_fastest_new(int64_t seconds)
{
	struct slt_fastest *f = slt_calloc(1, sizeof(*f));

	f->keep_ms = seconds * 1000;
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

static void drop(struct slt_fastest *f, struct entry *e)
{
	HASH_DEL(f->entries, e);
	free(e->provider);
	free(e->address);
	free(e);
}

void slt_fastest_free(struct slt_fastest *f)
{
	if (!f) {
		return;
	}
	while (f->entries) {
		drop(f, f->entries);
	}
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static struct entry *find(struct slt_fastest *f, const char *provider)
{
	struct entry *e = NULL;

	HASH_FIND_STR(f->entries, provider, e);
	return e;
}

char *slt_fastest_get(struct slt_fastest *f, const char *provider, int64_t now_ms)
{
	char *address = NULL;

	pthread_mutex_lock(&f->lock);
	struct entry *e = find(f, provider);
	if (e && e->until_ms <= now_ms) {
		drop(f, e);
		e = NULL;
	}
	if (e) {
		address = slt_strdup(e->address);
	}
	pthread_mutex_unlock(&f->lock);
	return address;
}

void slt_fastest_put(struct slt_fastest *f, const char *provider, const char *address,
		     int64_t now_ms)
{
	if (f->keep_ms == 0) {
		return;
	}
	pthread_mutex_lock(&f->lock);
	struct entry *e = find(f, provider);
	if (e && (strcmp(e->address, address) != 0 || e->until_ms <= now_ms)) {
		drop(f, e);
		e = NULL;
	}
	if (!e) {
		if (HASH_COUNT(f->entries) >= SLT_FASTEST_MAX) {
			drop(f, f->entries);
		}
		e = slt_calloc(1, sizeof(*e));
		e->provider = slt_strdup(provider);
		e->address = slt_strdup(address);
		e->until_ms = now_ms + f->keep_ms;
		HASH_ADD_KEYPTR(hh, f->entries, e->provider, strlen(e->provider), e);
	}
	pthread_mutex_unlock(&f->lock);
}

void slt_fastest_forget(struct slt_fastest *f, const char *provider, const char *address)
{
	pthread_mutex_lock(&f->lock);
	struct entry *e = find(f, provider);
	if (e && strcmp(e->address, address) == 0) {
		drop(f, e);
	}
	pthread_mutex_unlock(&f->lock);
}
