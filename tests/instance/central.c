/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "federation/trust.h"
#include "tests/instance/peer.h"

#define OCSP_MAX  (64u << 10)
#define CONF_MAX  (8u << 20)
#define CERTS_MAX 8

/* --- authority and time-stamps ---------------------------------------------------------------- */

/* "/ocsp/age/3600": a response as it would have been an hour ago. */
static bool age_of(const char **path, int64_t *ret)
{
	const char *prefix = "/age/";
	if (strncmp(*path, prefix, strlen(prefix)) != 0) {
		return false;
	}
	char *end = NULL;
	long v = strtol(*path + strlen(prefix), &end, 10);
	*ret = v;
	*path = end;
	return true;
}

/* Percent-decodes in place what a GET carries in its path (RFC 6960, A.1). */
static struct slt_str unescape(char *s)
{
	size_t n = 0;
	for (const char *p = s; *p != '\0'; p++) {
		unsigned v = 0;
		if (p[0] == '%' && p[1] != '\0' && p[2] != '\0') {
			char hex[3] = {p[1], p[2], '\0'};
			v = (unsigned)strtoul(hex, NULL, 16);
			p += 2;
		} else {
			v = (unsigned char)*p;
		}
		s[n++] = (char)v;
	}
	return (struct slt_str){s, n};
}

static void ocsp(struct slt_box *b, struct slt_request *r, const char *rest, struct slt_str body)
{
	SLT_AUTO_BUF(request, OCSP_MAX);
	SLT_AUTO_BUF(out, OCSP_MAX);
	struct slt_err err = SLT_ERR_INIT;
	int64_t age_s = 0;
	(void)age_of(&rest, &age_s);
	if (strcmp(slt_request_method(r), "GET") == 0) {
		SLT_AUTO_STR char *text = slt_strdup(rest[0] == '/' ? rest + 1 : rest);
		if (!slt_base64_decode(unescape(text), &request, &err)) {
			slt_httpd_text(r, 400, "%s", err.msg);
			return;
		}
		body = slt_buf_str(&request);
	}
	slt_ocspd_answer(&b->ocspd, body, age_s, &out);
	slt_httpd_reply(r, 200, "application/ocsp-response", slt_buf_str(&out));
}

static void tsa(struct slt_box *b, struct slt_request *r, struct slt_str body)
{
	SLT_AUTO_BUF(out, OCSP_MAX);
	if (slt_tsad_answer(&b->tsad, body, &out)) {
		slt_httpd_reply(r, 200, "application/timestamp-reply", slt_buf_str(&out));
	} else {
		slt_httpd_text(r, 500, "the request could not be read");
	}
}

/* --- configuration --- */

static void conf(struct slt_box *b, struct slt_request *r)
{
	SLT_AUTO_BUF(out, CONF_MAX);
	SLT_AUTO_STR char *version = slt_httpd_param(r, "version");
	const char *type = NULL;
	char *end = NULL;
	long v = version == NULL ? 0 : strtol(version, &end, 10);
	bool number = version == NULL || (*end == '\0' && v > 0 && v < INT_MAX);
	if (number && slt_confsource_get(b->confsource, slt_request_path(r), (int)v, &out, &type)) {
		slt_httpd_reply(r, 200, type, slt_buf_str(&out));
	} else {
		slt_httpd_text(r, 404, "not found");
	}
}

void slt_central_handle(void *arg, struct slt_request *r, struct slt_str body)
{
	struct slt_box *b = arg;
	const char *path = slt_request_path(r);
	bool is_ocsp = strncmp(path, "/ocsp", 5) == 0;
	bool is_tsa = strcmp(path, "/tsa") == 0;
	enum slt_box_service service = is_ocsp ? SLT_BOX_OCSP : is_tsa ? SLT_BOX_TSA : SLT_BOX_CONF;
	if (atomic_load(&b->down[service])) {
		slt_httpd_text(r, 503, "down");
	} else if (is_ocsp) {
		ocsp(b, r, path + 5, body);
	} else if (is_tsa) {
		tsa(b, r, body);
	} else {
		conf(b, r);
	}
}

/* --- the relay --- */

/* Which of the certificates that the security server presents has this SHA-1? */
static const X509 *relayed_cert(const struct slt_box *b, struct slt_str hash)
{
	for (size_t i = 0; i < slt_pki_count(b->pki); i++) {
		SLT_AUTO_BUF(hex, 64);
		struct slt_digest d;
		const struct slt_pki_entry *e = slt_pki_at(b->pki, i);
		const X509 *cert = e->cert;
		if (!slt_peer_is_identity(e->name) && strcmp(e->name, "issuing-ca") != 0) {
			continue;
		}
		slt_certinfo_digest(cert, SLT_SHA1, &d);
		slt_buf_add_hex(&hex, d.v, d.n);
		if (hex.n == hash.n && memcmp(hex.p, hash.p, hash.n) == 0) {
			return cert;
		}
	}
	return NULL;
}

static bool add_response(struct slt_box *b, struct slt_globalconf *gc, struct slt_str hash,
			 struct slt_buf *out, struct slt_err *err)
{
	const X509 *cert = relayed_cert(b, hash);
	struct slt_bytes der = {.p = NULL};
	if (cert == NULL) {
		return slt_fail(err, SLT_EINTERNAL, "no OCSP response for a certificate asked for");
	}
	if (!slt_ocspcache_own(b->ocsp, gc, b->o.name, cert, &der, err)) {
		return false;
	}
	slt_buf_adds(out, "--jetty-relay\r\nContent-Type: application/ocsp-response\r\n\r\n");
	slt_buf_add(out, der.p, der.n);
	slt_buf_adds(out, "\r\n");
	free(der.p);
	return true;
}

static bool relay(struct slt_box *b, const char *query, struct slt_buf *out, struct slt_err *err)
{
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = slt_confclient_get(b->confclient);
	unsigned n = 0;
	while (*query != '\0') {
		size_t len = strcspn(query, "&");
		if (strncmp(query, "cert=", 5) == 0) {
			if (++n > CERTS_MAX) {
				return slt_fail(err, SLT_ELIMIT, "too many certificates");
			}
			if (!add_response(b, gc, (struct slt_str){query + 5, len - 5}, out, err)) {
				return false;
			}
		}
		query += len + (query[len] == '&' ? 1u : 0u);
	}
	if (n == 0) {
		return slt_fail(err, SLT_EINVAL, "the parameter cert is missing");
	}
	slt_buf_adds(out, "--jetty-relay--\r\n");
	return slt_buf_check(out, "the answer", err);
}

void slt_relay_handle(void *arg, struct slt_request *r, struct slt_str body)
{
	(void)body;
	struct slt_box *b = arg;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, CERTS_MAX * OCSP_MAX);
	if (atomic_load(&b->down[SLT_BOX_RELAY])) {
		slt_httpd_text(r, 503, "down");
	} else if (strcmp(slt_request_method(r), "HEAD") == 0) {
		slt_httpd_text(r, 200, "%s", "");
	} else if (relay(b, slt_request_query(r), &out, &err)) {
		slt_httpd_reply(r, 200,
				"multipart/related; type=\"application/ocsp-response\"; "
				"charset=UTF-8; boundary=jetty-relay",
				slt_buf_str(&out));
	} else {
		slt_log_err(SLT_LOG_INFO, "The OCSP relay could not answer", &err, NULL);
		slt_httpd_text(r, 500, "%s", err.msg);
	}
}
