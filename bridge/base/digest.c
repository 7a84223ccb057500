/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

static const struct {
	const char *name, *uri;
	const EVP_MD *(*md)(void);
	unsigned size;
} algs[] = {
	[SLT_DIGEST_NONE] = {"", "", NULL, 0},
	[SLT_SHA1] = {"SHA-1", "http://www.w3.org/2000/09/xmldsig#sha1", EVP_sha1, 20},
	[SLT_SHA224] = {"SHA-224", "http://www.w3.org/2001/04/xmldsig-more#sha224", EVP_sha224, 28},
	[SLT_SHA256] = {"SHA-256", "http://www.w3.org/2001/04/xmlenc#sha256", EVP_sha256, 32},
	[SLT_SHA384] = {"SHA-384", "http://www.w3.org/2001/04/xmldsig-more#sha384", EVP_sha384, 48},
	[SLT_SHA512] = {"SHA-512", "http://www.w3.org/2001/04/xmlenc#sha512", EVP_sha512, 64},
};

struct slt_hasher {
	EVP_MD_CTX *ctx;
	enum slt_digest_alg alg;
};

enum slt_digest_alg slt_digest_by_uri(struct slt_str uri)
{
	for (unsigned i = SLT_SHA1; i < SLT_COUNT(algs); i++) {
		if (slt_str_eq(uri, algs[i].uri)) {
			return (enum slt_digest_alg)i;
		}
	}
	return SLT_DIGEST_NONE;
}

enum slt_digest_alg slt_digest_by_name(struct slt_str name)
{
	char s[16];

	if (name.n >= sizeof(s)) {
		return SLT_DIGEST_NONE;
	}
	memcpy(s, name.p ? name.p : "", name.n);
	s[name.n] = '\0';
	for (unsigned i = SLT_SHA1; i < SLT_COUNT(algs); i++) {
		if (slt_strcase_eq(s, algs[i].name)) {
			return (enum slt_digest_alg)i;
		}
	}
	return SLT_DIGEST_NONE;
}

const char *slt_digest_uri(enum slt_digest_alg alg)
{
	return algs[alg].uri;
}

const char *slt_digest_name(enum slt_digest_alg alg)
{
	return algs[alg].name;
}

unsigned slt_digest_size(enum slt_digest_alg alg)
{
	return algs[alg].size;
}

const EVP_MD *slt_digest_md(enum slt_digest_alg alg)
{
	return algs[alg].md ? algs[alg].md() : NULL;
}

void slt_digest_of(enum slt_digest_alg alg, const void *p, size_t n, struct slt_digest *ret)
{
	struct slt_digest d = {.alg = alg, .n = algs[alg].size};

	slt_assert(alg != SLT_DIGEST_NONE);
	slt_assert(EVP_Digest(n ? p : "", n, d.v, NULL, slt_digest_md(alg), NULL) == 1);
	*ret = d;
}

bool slt_digest_eq(const struct slt_digest *a, const struct slt_digest *b)
{
	return a->alg == b->alg && a->n == b->n && a->n > 0 && CRYPTO_memcmp(a->v, b->v, a->n) == 0;
}

struct slt_hasher *slt_hasher_new(enum slt_digest_alg alg)
{
	struct slt_hasher *h = slt_calloc(1, sizeof(*h));

	slt_assert(alg != SLT_DIGEST_NONE);
	h->alg = alg;
	h->ctx = EVP_MD_CTX_new();
	slt_assert(h->ctx && EVP_DigestInit_ex(h->ctx, slt_digest_md(alg), NULL) == 1);
	return h;
}

void slt_hasher_add(struct slt_hasher *h, const void *p, size_t n)
{
	slt_assert(EVP_DigestUpdate(h->ctx, n ? p : "", n) == 1);
}

void slt_hasher_end(struct slt_hasher *h, struct slt_digest *ret)
{
	struct slt_digest d = {.alg = h->alg, .n = algs[h->alg].size};

	slt_assert(EVP_DigestFinal_ex(h->ctx, d.v, NULL) == 1);
	*ret = d;
}

void slt_hasher_free(struct slt_hasher *h)
{
	if (h) {
		EVP_MD_CTX_free(h->ctx);
		slt_free(h);
	}
}
