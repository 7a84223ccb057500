/* SPDX-License-Identifier: MIT */
#include "verify_cache.h"

#include <pthread.h>
#include <string.h>

#include "metrics.h"

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
	slt_metrics_add(SLT_M_VERIFY_CACHE, hit, 0, 1);
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

/* --- TLS peers ---------------------------------------------------------------------------- */

static bool add_chain(struct slt_hasher *h, const struct slt_tls_peer *p)
{
	unsigned char md[32];
	unsigned n = sizeof(md);

	for (size_t i = 0; i < p->n; i++) {
		if (p->chain[i] == NULL ||
		    X509_digest(p->chain[i], slt_digest_md(SLT_SHA256), md, &n) != 1) {
			return false;
		}
		slt_hasher_add(h, md, n);
	}
	return true;
}

/* Digest of all that the judgement rests on but time and configuration. */
static bool peer_key(const struct slt_tls_peer *p, struct slt_digest *ret)
{
	const uint64_t counts[] = {p->n, p->ocsp.n, (uint64_t)p->member->type};
	SLT_AUTO(slt_hasher_free) struct slt_hasher *h = slt_hasher_new(SLT_SHA256);
	SLT_AUTO_BUF(member, 8192);
	struct slt_digest d;

	slt_hasher_add(h, "TLS", 4); /* no signature's key begins so */
	slt_hasher_add(h, counts, sizeof(counts));
	if (!add_chain(h, p)) {
		return false;
	}
	for (size_t i = 0; i < p->ocsp.n; i++) {
		slt_digest_of(SLT_SHA256, p->ocsp.der[i].p, p->ocsp.der[i].n, &d);
		slt_hasher_add(h, d.v, d.n);
	}
	slt_id_format(p->member, true, &member);
	slt_hasher_add(h, slt_buf_str(&member).p, member.n);
	slt_hasher_end(h, ret);
	return !member.failed;
}

static bool is_known(struct slt_verify_cache *c, const struct slt_digest *key, int64_t now_ms)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_verify_known k;

	if (!recall(c, key, now_ms, a, &k)) {
		return false;
	}
	X509_free(k.cert);
	return true;
}

bool slt_verify_cache_tls_peer(struct slt_verify_cache *c, const struct slt_tls_peer *p,
			       int64_t now_ms, int *ret_missing_ocsp, struct slt_err *err)
{
	struct slt_digest key;
	bool keyed = c != NULL && c->gc == p->gc && p->n > 0 && p->n <= SLT_CHAIN_MAX &&
		     p->member->instance != NULL && peer_key(p, &key);
	struct slt_cert_path path;

	if (keyed && is_known(c, &key, now_ms)) {
		/* of all that was judged, only this can have changed */
		if (slt_globalconf_check_valid(p->gc, now_ms, err)) {
			return true;
		}
		if (ret_missing_ocsp != NULL) {
			*ret_missing_ocsp = -1;
		}
		return slt_prefix(err, SLT_ESSL_AUTHENTICATION_FAILED);
	}
	if (!slt_trust_tls_peer(p->gc, p->chain, p->n, &p->ocsp, p->member, now_ms, &path,
				ret_missing_ocsp, err)) {
		return false;
	}
	if (keyed) {
		const struct slt_verify_known k = {
			.cert = p->chain[0], .ca = path.ca, .member = *p->member, .path = path};

		remember(c, &key, now_ms, &k);
	}
	return true;
}
