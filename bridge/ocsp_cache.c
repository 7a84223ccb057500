/* SPDX-License-Identifier: MIT */
#include "ocsp_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

#include "metrics.h"

struct entry {
	unsigned char key[20]; /* SHA-1 of the certificate, as the relay protocol names it */
	char *der;
	size_t n;
	UT_hash_handle hh; /* in order of insertion */
};

struct slt_ocsp_cache {
	pthread_mutex_t lock;
	struct entry *entries;
};

struct slt_ocsp_cache *slt_ocsp_cache_new(void)
{
	struct slt_ocsp_cache *c = slt_calloc(1, sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	return c;
}

static void drop(struct slt_ocsp_cache *c, struct entry *e)
{
	HASH_DEL(c->entries, e);
	free(e->der);
	free(e);
}

void slt_ocsp_cache_free(struct slt_ocsp_cache *c)
{
	if (!c) {
		return;
	}
	while (c->entries) {
		drop(c, c->entries);
	}
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void key_of(const X509 *cert, unsigned char ret[20])
{
	unsigned n = 20;

	slt_assert(X509_digest(cert, slt_digest_md(SLT_SHA1), ret, &n) == 1);
}

void slt_ocsp_cache_put(struct slt_ocsp_cache *c, const X509 *cert, struct slt_str der)
{
	struct entry *e = NULL, *fresh = slt_calloc(1, sizeof(*fresh));

	key_of(cert, fresh->key);
	fresh->der = slt_strndup(der.p, der.n);
	fresh->n = der.n;
	pthread_mutex_lock(&c->lock);
	HASH_FIND(hh, c->entries, fresh->key, sizeof(fresh->key), e);
	if (e) {
		drop(c, e);
	} else if (HASH_COUNT(c->entries) >= SLT_OCSP_CACHE_MAX) {
		drop(c, c->entries); /* the oldest */
	}
	HASH_ADD(hh, c->entries, key, sizeof(fresh->key), fresh);
	pthread_mutex_unlock(&c->lock);
}

struct slt_str slt_ocsp_cache_get(struct slt_ocsp_cache *c, const X509 *cert, struct slt_arena *a)
{
	struct slt_str der = {NULL, 0};
	struct entry *e = NULL;
	unsigned char key[20];

	key_of(cert, key);
	pthread_mutex_lock(&c->lock);
	HASH_FIND(hh, c->entries, key, sizeof(key), e);
	if (e) {
		der = (struct slt_str){slt_arena_memdup(a, e->der, e->n), e->n};
	}
	pthread_mutex_unlock(&c->lock);
	slt_metrics_add(SLT_M_OCSP_CACHE, der.p != NULL, 0, 1);
	return der;
}

size_t slt_ocsp_cache_chain(struct slt_ocsp_cache *c, X509 *const *chain, size_t n,
			    struct slt_arena *a, struct slt_str *ret)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		struct slt_str der = slt_ocsp_cache_get(c, chain[i], a);
		if (der.p) {
			ret[found++] = der;
		}
	}
	return found;
}
