/* SPDX-License-Identifier: MIT */
#include "peer_relay.h"

#include <stdlib.h>
#include <string.h>

#include "federation/multipart.h"
#include "federation/trust.h"

#define BYTES_MAX (SLT_CHAIN_MAX * (SLT_OCSP_BYTES_MAX + 4096))

struct relay {
	struct slt_peer_relay ask;
	X509 *cert[SLT_CHAIN_MAX];
	char *url, *type;
	struct slt_buf body;
};

/* --- reading the answer ------------------------------------------------------------------- */

struct parts {
	struct relay *relay;
	struct slt_buf der;
	size_t n; /* OCSP parts seen */
	bool is_ocsp;
};

static bool part_begin(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err)
{
	struct parts *p = arg;

	(void)err;
	p->is_ocsp = false;
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_STR char *name = slt_strndup(h[i].name.p, h[i].name.n);
		if (slt_strcase_eq(name, "content-type")) {
			p->is_ocsp =
				slt_str_eq(slt_mime_type(h[i].value), "application/ocsp-response");
		}
	}
	slt_buf_reset(&p->der);
	return true;
}

static bool part_data(void *arg, const char *data, size_t n, struct slt_err *err)
{
	struct parts *p = arg;

	slt_buf_add(&p->der, data, n);
	return slt_buf_check(&p->der, "an OCSP response of the relay", err);
}

static bool part_end(void *arg, struct slt_err *err)
{
	struct parts *p = arg;
	struct relay *r = p->relay;

	if (!p->is_ocsp) {
		return true;
	}
	if (p->n >= r->ask.n) {
		return slt_fail(err, SLT_EIO, "the OCSP relay sent more responses than asked for");
	}
	slt_ocsp_cache_put(r->ask.cache, r->cert[p->n++], slt_buf_str(&p->der));
	return true;
}

static bool read_answer(struct relay *r, struct slt_err *err)
{
	static const struct slt_multipart_ops ops = {part_begin, part_data, part_end};
	struct parts p = {.relay = r, .der = SLT_BUF_INIT(SLT_OCSP_BYTES_MAX)};
	struct slt_str boundary;

	if (!r->type || !slt_mime_param(slt_str(r->type), "boundary", &boundary)) {
		return slt_fail(err, SLT_EIO, "the OCSP relay did not answer with a multipart");
	}
	SLT_AUTO(slt_multipart_free)
	struct slt_multipart *m = slt_multipart_new(boundary, &ops, &p);
	bool ok = slt_multipart_feed(m, slt_buf_str(&r->body).p, r->body.n, err) &&
		  slt_multipart_end(m, err);
	slt_buf_fini(&p.der);
	if (ok && p.n != r->ask.n) {
		return slt_fail(err, SLT_EIO,
				"the OCSP relay sent %zu responses for %zu certificates", p.n,
				r->ask.n);
	}
	return ok;
}

/* --- the call ----------------------------------------------------------------------------- */

static bool on_header(void *arg, int status, const char *name, const char *value,
		      struct slt_err *err)
{
	struct relay *r = arg;

	(void)status;
	(void)err;
	if (slt_strcase_eq(name, "content-type")) {
		free(r->type);
		r->type = slt_strdup(value);
	}
	return true;
}

static bool on_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct relay *r = arg;

	slt_buf_add(&r->body, p, n);
	return slt_buf_check(&r->body, "the answer of the OCSP relay", err);
}

static void on_done(void *arg, int status, bool sent, const struct slt_err *failed)
{
	struct relay *r = arg;
	struct slt_err err = SLT_ERR_INIT;

	(void)sent;
	if (failed) {
		err = *failed;
	} else if (status / 100 != 2) {
		slt_fail(&err, SLT_EHTTP, "HTTP status %d", status);
	}
	bool good = err.code == SLT_OK && read_answer(r, &err);
	for (size_t i = 0; i < r->ask.n; i++) {
		X509_free(r->cert[i]);
	}
	slt_buf_fini(&r->body);
	free(r->url);
	free(r->type);
	struct slt_peer_relay ask = r->ask;
	free(r);
	ask.done(ask.arg, good ? NULL : &err);
}

char *slt_peer_url(const char *scheme, const char *address, int64_t port)
{
	bool v6 = strchr(address, ':') != NULL;

	return slt_asprintf("%s://%s%s%s:%lld/", scheme, v6 ? "[" : "", address, v6 ? "]" : "",
			    (long long)port);
}

/* Servers look at "cert" alone; clients of X-Road send both lists. */
static char *query_url(const struct relay *r)
{
	SLT_AUTO_STR char *base = slt_peer_url("http", r->ask.address, r->ask.port);
	SLT_AUTO_BUF(url, 4096);

	slt_buf_addf(&url, "%s?", base);
	for (size_t i = 0; i < r->ask.n; i++) {
		struct slt_digest sha1, sha256;
		slt_certinfo_digest(r->cert[i], SLT_SHA1, &sha1);
		slt_certinfo_digest(r->cert[i], SLT_SHA256, &sha256);
		slt_buf_adds(&url, i ? "&cert=" : "cert=");
		slt_buf_add_hex(&url, sha1.v, sha1.n);
		slt_buf_adds(&url, "&cert_hash=");
		slt_buf_add_hex(&url, sha256.v, sha256.n);
	}
	return slt_buf_take(&url, NULL);
}

void slt_peer_relay_ask(struct slt_client *c, const struct slt_peer_relay *ask)
{
	static const char *const headers[] = {"Accept: multipart/related"};
	struct relay *r = slt_calloc(1, sizeof(*r));

	r->ask = *ask;
	slt_assert(ask->n > 0 && ask->n <= SLT_CHAIN_MAX);
	slt_buf_init(&r->body, BYTES_MAX);
	for (size_t i = 0; i < ask->n; i++) {
		X509_up_ref(ask->cert[i]);
		r->cert[i] = ask->cert[i];
	}
	r->url = query_url(r);
	slt_client_start(c, &(struct slt_call){
				    .method = "GET",
				    .url = r->url,
				    .headers = headers,
				    .n_headers = SLT_COUNT(headers),
				    .connect_ms = ask->ms,
				    .total_ms = ask->ms,
				    .race = ask->race,
				    .header = on_header,
				    .data = on_data,
				    .done = on_done,
				    .arg = r,
			    });
}
