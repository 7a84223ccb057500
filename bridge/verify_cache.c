/* SPDX-License-Identifier: MIT */
#include "verify_cache.h"

#include <pthread.h>
#include <string.h>

struct entry {
	struct slt_digest key; /* alg NONE: empty */
	int64_t from_ms;
	struct slt_verify_known known;
	struct slt_arena *arena; /* of the member's strings */
};

struct slt_verify_cache {
	pthread_mutex_t lock;
	unsigned refs; /* under the lock */
	struct slt_globalconf *gc;
	struct slt_verify_memory memory;
	uint64_t asked, found;
	struct entry entry[SLT_VERIFY_CACHE_ENTRIES];
};

struct slt_verify_cache *slt_verify_cache_ref(struct slt_verify_cache *c)
{
	(void)pthread_mutex_lock(&c->lock);
	c->refs++;
	(void)pthread_mutex_unlock(&c->lock);
	return c;
}

static void entry_clear(struct entry *e)
{
	X509_free(e->known.cert);
	slt_arena_free(e->arena);
	*e = (struct entry){.arena = NULL};
}

void slt_verify_cache_free(struct slt_verify_cache *c)
{
	if (c == NULL) {
		return;
	}
	(void)pthread_mutex_lock(&c->lock);

	bool last = --c->refs == 0;

	(void)pthread_mutex_unlock(&c->lock);
	if (!last) {
		return;
	}
	for (size_t i = 0; i < SLT_VERIFY_CACHE_ENTRIES; i++) {
		entry_clear(&c->entry[i]);
	}
	slt_globalconf_free(c->gc);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

const struct slt_verify_memory *slt_verify_cache_memory(const struct slt_verify_cache *c)
{
	return &c->memory;
}

void slt_verify_cache_counts(struct slt_verify_cache *c, uint64_t *ret_asked, uint64_t *ret_found)
{
	(void)pthread_mutex_lock(&c->lock);
	*ret_asked = c->asked;
	*ret_found = c->found;
	(void)pthread_mutex_unlock(&c->lock);
}

/* The key is a digest, so its first bytes spread well. */
static struct entry *slot_of(struct slt_verify_cache *c, const struct slt_digest *key)
{
	return &c->entry[(key->v[0] | (unsigned)key->v[1] << 8) % SLT_VERIFY_CACHE_ENTRIES];
}

static bool recall(void *arg, const struct slt_digest *key, int64_t at_ms, struct slt_arena *arena,
		   struct slt_verify_known *ret)
{
	struct slt_verify_cache *c = arg;
	const struct entry *e = slot_of(c, key);

	(void)pthread_mutex_lock(&c->lock);

	bool hit = e->key.alg == key->alg && slt_digest_eq(&e->key, key) && at_ms >= e->from_ms &&
		   at_ms < e->known.path.valid_until_ms;

	c->asked++;
	c->found += hit;
	if (hit) {
		*ret = e->known;
		ret->member = slt_id_dup(&e->known.member, arena);
		slt_assert(X509_up_ref(ret->cert) == 1);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return hit;
}

static void remember(void *arg, const struct slt_digest *key, int64_t at_ms,
		     const struct slt_verify_known *known)
{
	struct slt_verify_cache *c = arg;
	struct entry *e = slot_of(c, key);

	if (at_ms >= known->path.valid_until_ms) {
		return;
	}
	(void)pthread_mutex_lock(&c->lock);
	entry_clear(e);
	e->key = *key;
	e->from_ms = at_ms;
	e->known = *known;
	e->arena = slt_arena_new();
	e->known.member = slt_id_dup(&known->member, e->arena);
	slt_assert(X509_up_ref(e->known.cert) == 1);
	(void)pthread_mutex_unlock(&c->lock);
}

struct slt_verify_cache *slt_verify_cache_new(struct slt_globalconf *gc)
{
	struct slt_verify_cache *c = slt_calloc(1, sizeof(*c));

	slt_assert(pthread_mutex_init(&c->lock, NULL) == 0);
	slt_globalconf_ref(gc);
	c->gc = gc;
	c->refs = 1;
	c->memory = (struct slt_verify_memory){
		.gc = gc, .arg = c, .recall = recall, .remember = remember};
	return c;
}
