/* SPDX-License-Identifier: MIT */
#include "tests/instance/ocspcache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "federation/multipart.h"
#include "federation/trust.h"

#define ENTRIES	   128
#define OWN_AGE_MS 60000
#define RELAY_MAX  (SLT_CHAIN_MAX * (SLT_OCSP_BYTES_MAX + SLT_MIME_HEADERS_MAX))
#define TIMEOUT_MS 20000
#define SHA1_HEX   40

struct entry {
	char sha1[SHA1_HEX + 1]; /* "" : empty slot */
	struct slt_bytes der;
	int64_t got_ms;
};

struct slt_ocspcache {
	struct slt_client *client;
	pthread_mutex_t lock;
	struct entry v[ENTRIES];
	size_t next; /* slot overwritten when none is empty */
};

struct slt_ocspcache *slt_ocspcache_new(struct slt_client *client)
{
	struct slt_ocspcache *c = slt_calloc(1, sizeof(*c));
	c->client = client;
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void slt_ocspcache_clear(struct slt_ocspcache *c)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < ENTRIES; i++) {
		free(c->v[i].der.p);
		c->v[i] = (struct entry){.got_ms = 0};
	}
	pthread_mutex_unlock(&c->lock);
}

void slt_ocspcache_free(struct slt_ocspcache *c)
{
	if (c != NULL) {
		slt_ocspcache_clear(c);
		pthread_mutex_destroy(&c->lock);
		free(c);
	}
}

static void cert_hash(const X509 *cert, enum slt_digest_alg alg, struct slt_buf *out)
{
	struct slt_digest d;
	slt_certinfo_digest(cert, alg, &d);
	slt_buf_add_hex(out, d.v, d.n);
}

static void sha1_hex(const X509 *cert, char ret[SHA1_HEX + 1])
{
	SLT_AUTO_BUF(b, SHA1_HEX);
	cert_hash(cert, SLT_SHA1, &b);
	slt_assert(b.n == SHA1_HEX);
	memcpy(ret, b.p, SHA1_HEX);
	ret[SHA1_HEX] = '\0';
}

static struct slt_bytes dup_bytes(const void *p, size_t n)
{
	struct slt_bytes b = {.p = slt_calloc(n + 1, 1), .n = n};
	memcpy(b.p, p, n);
	return b;
}

static void put(struct slt_ocspcache *c, const X509 *cert, const void *der, size_t n)
{
	char hash[SHA1_HEX + 1];
	sha1_hex(cert, hash);
	pthread_mutex_lock(&c->lock);
	struct entry *e = NULL;
	for (size_t i = 0; i < ENTRIES && e == NULL; i++) {
		if (c->v[i].sha1[0] == '\0' || strcmp(c->v[i].sha1, hash) == 0) {
			e = &c->v[i];
		}
	}
	if (e == NULL) {
		e = &c->v[c->next];
		c->next = (c->next + 1) % ENTRIES;
	}
	free(e->der.p);
	memcpy(e->sha1, hash, sizeof(hash));
	e->der = dup_bytes(der, n);
	e->got_ms = slt_now_ms();
	pthread_mutex_unlock(&c->lock);
}

static bool find(struct slt_ocspcache *c, const char *hash, int64_t since_ms, struct slt_bytes *ret)
{
	bool found = false;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < ENTRIES && !found; i++) {
		const struct entry *e = &c->v[i];
		if (e->sha1[0] != '\0' && strcmp(e->sha1, hash) == 0 && e->got_ms >= since_ms) {
			*ret = dup_bytes(e->der.p, e->der.n);
			found = true;
		}
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

bool slt_ocspcache_find(struct slt_ocspcache *c, const X509 *cert, struct slt_bytes *ret)
{
	char hash[SHA1_HEX + 1];
	sha1_hex(cert, hash);
	return find(c, hash, 0, ret);
}

bool slt_ocspcache_find_hash(struct slt_ocspcache *c, const char *hash, struct slt_bytes *ret)
{
	return find(c, hash, 0, ret);
}

bool slt_ocspcache_ask(struct slt_ocspcache *c, const char *url, const X509 *cert,
		       const X509 *issuer, struct slt_bytes *ret, struct slt_err *err)
{
	SLT_AUTO_BUF(request, SLT_OCSP_BYTES_MAX);
	if (!slt_ocsp_request(cert, issuer, &request, err)) {
		return false;
	}
	const char *headers[] = {"Content-Type: application/ocsp-request"};
	struct slt_call call = {.method = "POST",
				.url = url,
				.headers = headers,
				.n_headers = 1,
				.body = request.p,
				.n_body = request.n,
				.total_ms = TIMEOUT_MS};
	SLT_AUTO_BUF(answer, SLT_OCSP_BYTES_MAX);
	int status = 0;
	if (!slt_client_perform(c->client, &call, &status, &answer, err)) {
		return slt_wrap(err, "the OCSP responder %s", url);
	}
	if (status != 200 || answer.n == 0) {
		return slt_fail(err, SLT_EINCORRECT_VALIDATION_INFO,
				"the OCSP responder %s answered with HTTP status %d", url, status);
	}
	*ret = dup_bytes(answer.p, answer.n);
	return true;
}

bool slt_ocspcache_own(struct slt_ocspcache *c, const struct slt_globalconf *gc,
		       const char *instance, const X509 *cert, struct slt_bytes *ret,
		       struct slt_err *err)
{
	char hash[SHA1_HEX + 1];
	sha1_hex(cert, hash);
	if (find(c, hash, slt_now_ms() - OWN_AGE_MS, ret)) {
		return true;
	}
	const struct slt_gc_ca *ca =
		slt_globalconf_find_ca(gc, instance, X509_get_issuer_name(cert));
	if (ca == NULL || ca->n_ocsp == 0) {
		return slt_fail(
			err, SLT_EINTERNAL,
			"no approved authority with an OCSP responder issued the certificate");
	}
	if (!slt_ocspcache_ask(c, ca->ocsp[0].url, cert, ca->cert, ret, err)) {
		return false;
	}
	put(c, cert, ret->p, ret->n);
	return true;
}

/* --- the relay -------------------------------------------------------------------------------- */

struct parts { /* of the relay's answer */
	struct slt_buf der[SLT_CHAIN_MAX];
	size_t n;
	bool in; /* inside an application/ocsp-response part */
};

static bool part(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err)
{
	struct parts *p = arg;
	p->in = false;
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_STR char *name = slt_strndup(h[i].name.p, h[i].name.n);
		if (slt_strcase_eq(name, "content-type") &&
		    slt_str_eq(slt_mime_type(h[i].value), "application/ocsp-response")) {
			p->in = true;
		}
	}
	if (p->in && ++p->n > SLT_CHAIN_MAX) {
		return slt_fail(err, SLT_ELIMIT, "the relay sent too many OCSP responses");
	}
	return true;
}

static bool part_data(void *arg, const char *bytes, size_t n, struct slt_err *err)
{
	struct parts *p = arg;
	if (p->in) {
		struct slt_buf *b = &p->der[p->n - 1];
		slt_buf_add(b, bytes, n);
		return slt_buf_check(b, "an OCSP response", err);
	}
	return true;
}

static bool part_end(void *arg, struct slt_err *err)
{
	(void)arg;
	(void)err;
	return true;
}

struct answer {
	char *content_type;
	struct slt_buf body;
};

static bool on_header(void *arg, int status, const char *name, const char *value,
		      struct slt_err *err)
{
	(void)status;
	(void)err;
	struct answer *a = arg;
	if (slt_strcase_eq(name, "content-type")) {
		free(a->content_type);
		a->content_type = slt_strdup(value);
	}
	return true;
}

static bool on_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct answer *a = arg;
	slt_buf_add(&a->body, p, n);
	return slt_buf_check(&a->body, "the relay's answer", err);
}

static bool read_answer(struct slt_ocspcache *c, const struct answer *a, X509 *const *chain,
			size_t n, struct slt_err *err)
{
	static const struct slt_multipart_ops ops = {part, part_data, part_end};
	struct slt_str boundary;
	if (a->content_type == NULL ||
	    !slt_mime_param(slt_str(a->content_type), "boundary", &boundary)) {
		return slt_fail(err, SLT_EIO, "the OCSP relay's answer is not multipart");
	}
	struct parts parts = {.n = 0};
	for (size_t i = 0; i < SLT_CHAIN_MAX; i++) {
		slt_buf_init(&parts.der[i], SLT_OCSP_BYTES_MAX);
	}
	SLT_AUTO(slt_multipart_free)
	struct slt_multipart *m = slt_multipart_new(boundary, &ops, &parts);
	bool ok = slt_multipart_feed(m, a->body.p, a->body.n, err) && slt_multipart_end(m, err);
	if (ok && parts.n != n) {
		ok = slt_fail(err, SLT_EIO,
			      "the OCSP relay sent %zu responses for %zu certificates", parts.n, n);
	}
	for (size_t i = 0; i < SLT_CHAIN_MAX; i++) {
		if (ok && i < n) {
			put(c, chain[i], parts.der[i].p, parts.der[i].n);
		}
		slt_buf_fini(&parts.der[i]);
	}
	return ok;
}

bool slt_ocspcache_relay(struct slt_ocspcache *c, const char *host, unsigned port,
			 X509 *const *chain, size_t n, struct slt_err *err)
{
	SLT_AUTO_BUF(url, 4096);
	slt_buf_addf(&url, "http://%s:%u/?", host, port);
	for (size_t i = 0; i < n; i++) {
		slt_buf_adds(&url, i == 0 ? "cert=" : "&cert=");
		cert_hash(chain[i], SLT_SHA1, &url);
	}
	for (size_t i = 0; i < n; i++) {
		slt_buf_adds(&url, "&cert_hash=");
		cert_hash(chain[i], SLT_SHA256, &url);
	}
	if (!slt_buf_check(&url, "the relay's URL", err)) {
		return false;
	}
	struct answer a = {.body = SLT_BUF_INIT(RELAY_MAX)};
	const char *headers[] = {"Accept: multipart/related"};
	struct slt_call call = {.method = "GET",
				.url = url.p,
				.headers = headers,
				.n_headers = 1,
				.total_ms = TIMEOUT_MS,
				.header = on_header,
				.data = on_data,
				.arg = &a};
	int status = 0;
	bool ok = slt_client_perform(c->client, &call, &status, NULL, err);
	if (ok && (status < 200 || status > 299)) {
		ok = slt_fail(err, SLT_EHTTP, "the OCSP relay of %s answered with HTTP status %d",
			      host, status);
	}
	ok = ok && read_answer(c, &a, chain, n, err);
	free(a.content_type);
	slt_buf_fini(&a.body);
	return ok;
}
