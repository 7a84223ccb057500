/* SPDX-License-Identifier: MIT */
#pragma once

/* Message digests over OpenSSL, with the names that X-Road's formats use for them. */

#include "base/buf.h"

enum slt_digest_alg {
	SLT_DIGEST_NONE,
	SLT_SHA1, /* old material only; callers decide whether it is acceptable */
	SLT_SHA224,
	SLT_SHA256,
	SLT_SHA384,
	SLT_SHA512,
};

#define SLT_DIGEST_MAX 64

struct slt_digest {
	enum slt_digest_alg alg;
	unsigned n;
	unsigned char v[SLT_DIGEST_MAX];
};

/* XML security URI ("http://www.w3.org/2001/04/xmlenc#sha512"); NONE when unknown. */
enum slt_digest_alg slt_digest_by_uri(struct slt_str uri);
const char *slt_digest_uri(enum slt_digest_alg alg);
/* "SHA-512", case-insensitively, as in x-hash-algorithm; NONE when unknown. */
enum slt_digest_alg slt_digest_by_name(struct slt_str name);
const char *slt_digest_name(enum slt_digest_alg alg);
unsigned slt_digest_size(enum slt_digest_alg alg);
struct evp_md_st;
const struct evp_md_st *slt_digest_md(enum slt_digest_alg alg); /* borrowed for ever */

void slt_digest_of(enum slt_digest_alg alg, const void *p, size_t n, struct slt_digest *ret);
bool slt_digest_eq(const struct slt_digest *a, const struct slt_digest *b); /* constant time */

/* Incremental use. */
struct slt_hasher;
struct slt_hasher *slt_hasher_new(enum slt_digest_alg alg);
void slt_hasher_add(struct slt_hasher *h, const void *p, size_t n);
void slt_hasher_end(struct slt_hasher *h, struct slt_digest *ret); /* once */
void slt_hasher_free(struct slt_hasher *h);
SLT_DEFINE_AUTO(struct slt_hasher *, slt_hasher_free)
