/* SPDX-License-Identifier: MIT */
#include "federation/message.h"

#include <stdlib.h>
#include <string.h>

struct slt_message *slt_message_new(enum slt_message_kind kind)
{
	struct slt_message *m = slt_calloc(1, sizeof(*m));

	m->kind = kind;
	m->digest_alg = SLT_SHA512;
	return m;
}

void slt_message_free(struct slt_message *m)
{
	if (!m) {
		return;
	}
	for (unsigned i = 0; i < m->n_ocsp; i++) {
		free(m->ocsp[i].p);
	}
	for (unsigned i = 0; i < m->n_attachments; i++) {
		free(m->attachment[i].content_type);
		free(m->attachment[i].headers);
		slt_spool_free(m->attachment[i].body);
	}
	free(m->content_type);
	free(m->headers);
	free(m->head.p);
	free(m->hash_chain_result.p);
	free(m->hash_chain.p);
	free(m->signature.p);
	free(m);
}

void slt_message_set_head(struct slt_message *m, const void *p, size_t n)
{
	char *copy = slt_strndup("", 0);

	if (n) {
		copy = slt_realloc(copy, n + 1, 1);
		memcpy(copy, p, n);
		copy[n] = '\0';
	}
	free(m->head.p);
	m->head.p = copy;
	m->head.n = n;
	slt_digest_of(m->digest_alg, copy, n, &m->digest);
}

/* What is written into a part header must not be able to end it. */
static bool check_content_type(const char *s, struct slt_err *err)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 && *s != '\t') {
			return slt_fail(err, SLT_EINVAL, "a content type has a control character");
		}
	}
	return true;
}

static bool check_headers(const char *s, struct slt_err *err)
{
	while (*s) {
		size_t n = strcspn(s, "\r\n");
		const char *colon = memchr(s, ':', n);
		if (!colon || colon == s || strncmp(s + n, "\r\n", 2) != 0) {
			return slt_fail(err, SLT_EINVAL,
					"part headers must be lines of \"name: value\" and CRLF");
		}
		s += n + 2;
	}
	return true;
}

static bool digest_spool(const struct slt_spool *s, enum slt_digest_alg alg, struct slt_digest *ret,
			 struct slt_err *err)
{
	SLT_AUTO(slt_hasher_free) struct slt_hasher *h = slt_hasher_new(alg);
	SLT_AUTO_STR char *block = slt_calloc(1, 65536);
	uint64_t at = 0;

	for (size_t n = 1; n; at += n) {
		if (!slt_spool_read(s, at, block, 65536, &n, err)) {
			return false;
		}
		slt_hasher_add(h, block, n);
	}
	slt_hasher_end(h, ret);
	return true;
}

/* known NULL: the digest is to be computed. */
static bool attach(struct slt_message *m, const char *content_type, const char *headers,
		   struct slt_spool *take_body, const struct slt_digest *known, struct slt_err *err)
{
	SLT_AUTO(slt_spool_free) struct slt_spool *body = take_body;
	struct slt_digest digest = known ? *known : (struct slt_digest){.alg = SLT_DIGEST_NONE};

	if (m->n_attachments == SLT_ATTACHMENTS_MAX) {
		return slt_fail(err, SLT_ELIMIT, "a message has at most %d attachments",
				SLT_ATTACHMENTS_MAX);
	}
	content_type = content_type ? content_type : "";
	headers = headers ? headers : "";
	if (!check_content_type(content_type, err) || !check_headers(headers, err) ||
	    (!known && !digest_spool(body, m->digest_alg, &digest, err))) {
		return slt_wrap(err, "attachment %u", m->n_attachments + 1);
	}
	struct slt_attachment *at = &m->attachment[m->n_attachments++];
	at->content_type = slt_strdup(content_type);
	at->headers = slt_strdup(headers);
	at->body = SLT_TAKE(body);
	at->digest = digest;
	return true;
}

bool slt_message_attach(struct slt_message *m, const char *content_type, const char *headers,
			struct slt_spool *take_body, struct slt_err *err)
{
	return attach(m, content_type, headers, take_body, NULL, err);
}

bool slt_message_pass(struct slt_message *m, struct slt_message *from, unsigned i,
		      const char *content_type, const char *headers, struct slt_err *err)
{
	struct slt_attachment *a = &from->attachment[i];
	bool same = a->digest.alg == m->digest_alg;

	return attach(m, content_type, headers, SLT_TAKE(a->body), same ? &a->digest : NULL, err);
}
