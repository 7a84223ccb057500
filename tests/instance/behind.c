/* SPDX-License-Identifier: MIT */
#include "tests/instance/behind.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX   (8ull << 30)
#define IN_MEMORY  (256u << 10)
#define SERVICE_MS 600000

/* --- who is who ------------------------------------------------------------------------------- */

bool slt_behind_set_url(struct slt_box *b, struct slt_err *err)
{
	static const char placeholder[] = "://bridge";
	const char *url = b->o.bridge_url;
	if (url == NULL) {
		return true;
	}
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
		return slt_fail(err, SLT_EINVAL, "--bridge-url must be http:// or https://, not %s",
				url);
	}
	const char *host = strchr(url, ':');
	const char *rest = host + strlen(placeholder);
	if (strncmp(host, placeholder, strlen(placeholder)) != 0 ||
	    (*rest != '\0' && *rest != '/')) {
		b->bridge_url = slt_strdup(url);
		return true;
	}
	b->bridge_url = slt_asprintf("%.*s://%s:%u%s", (int)(host - url), url, b->ports.bridge,
				     b->ports.transport, *rest == '\0' ? "/" : rest);
	return true;
}

bool slt_behind_is_tls(const struct slt_box *b)
{
	return b->bridge_url != NULL && strncmp(b->bridge_url, "https://", 8) == 0;
}

bool slt_behind_is_bridge_cert(const struct slt_box *b, X509 *const *chain, size_t n,
			       struct slt_err *err)
{
	const X509 *own = slt_pki_get(b->pki, "bridge-auth")->cert;
	return (n > 0 && X509_cmp(chain[0], own) == 0) ||
	       slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
			"the TLS certificate is not the one registered for the bridge");
}

bool slt_behind_check_client(const struct slt_box *b, const struct slt_request *r,
			     const struct slt_id *client, struct slt_err *err)
{
	struct slt_id bridge = slt_country_client_id(&b->o.country->member[SLT_BRIDGE], b->o.name);
	size_t n = 0;
	X509 *const *chain = slt_request_peer_chain(r, &n);
	if (!slt_behind_is_tls(b) || !slt_id_eq(client, &bridge)) {
		return true;
	}
	if (n == 0) {
		return slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
				"the client %s must use HTTPS and supply its TLS certificate",
				client->subsystem);
	}
	return slt_behind_is_bridge_cert(b, chain, n, err);
}

/* --- REST ------------------------------------------------------------------------------------- */

struct call {
	struct slt_exchange *x;
	uint64_t sent;
	struct slt_spool *body;
};

static bool judge(void *arg, X509 *const *chain, size_t n, struct slt_err *err)
{
	const struct call *c = arg;
	return slt_behind_is_bridge_cert(c->x->b, chain, n, err);
}

static bool send_body(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct call *c = arg;
	if (!slt_spool_read(c->x->request->attachment[0].body, c->sent, p, n, ret_n, err)) {
		return false;
	}
	c->sent += *ret_n;
	return true;
}

static bool on_header(void *arg, int status, const char *name, const char *value,
		      struct slt_err *err)
{
	struct call *c = arg;
	if (c->x->rest_answer == NULL) {
		c->x->rest_answer = slt_rest_new_response(status, NULL);
	}
	return slt_rest_add(c->x->rest_answer, name, value, err);
}

static bool on_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct call *c = arg;
	return slt_spool_write(c->body, p, n, err);
}

/* The head's headers as they are; an empty value is written "name;" for libcurl, and what it would
 * add by itself "name:". */
static size_t list_headers(const struct slt_rest *head, struct slt_arena *arena, const char **ret)
{
	size_t n = 0;
	for (size_t i = 0; i < head->n_headers; i++) {
		const struct slt_rest_header *h = &head->header[i];
		ret[n++] = *h->value == '\0' ? slt_arena_printf(arena, "%s;", h->name)
					     : slt_arena_printf(arena, "%s: %s", h->name, h->value);
	}
	static const char *const added[] = {"Accept", "Content-Type"};
	for (size_t i = 0; i < SLT_COUNT(added); i++) {
		if (slt_rest_header(head, added[i]) == NULL) {
			ret[n++] = slt_arena_printf(arena, "%s:", added[i]);
		}
	}
	return n;
}

static bool perform(struct call *c, struct slt_err *err)
{
	struct slt_exchange *x = c->x;
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	const char *headers[SLT_REST_HEADERS_MAX + 2];
	size_t base = strlen(x->service_url);
	const char *query = x->rest->query;
	bool tls = slt_behind_is_tls(x->b);
	int status = 0;
	/* the service is registered with its path: the bridge has one for each of them */
	base -= base > 0 && x->service_url[base - 1] == '/';
	SLT_AUTO_STR char *url =
		slt_asprintf("%.*s%s%s%s", (int)base, x->service_url, x->rest->path,
			     query == NULL ? "" : "?", query == NULL ? "" : query);
	struct slt_call call = {.method = x->rest->verb,
				.url = url,
				.headers = headers,
				.n_headers = list_headers(x->rest, arena, headers),
				.read = x->request->n_attachments > 0 ? send_body : NULL,
				.total_ms = SERVICE_MS,
				.tls = tls ? slt_peer_internal_tls(x->b->peer) : NULL,
				.judge = tls ? judge : NULL,
				.header = on_header,
				.data = on_data,
				.arg = c};
	if (!slt_client_perform(x->b->client, &call, &status, NULL, err)) {
		return false;
	}
	return x->rest_answer != NULL ||
	       slt_fail(err, SLT_EHTTP, "the service answered with no header");
}

bool slt_behind_call_rest(struct slt_exchange *x, struct slt_err *err)
{
	struct call c = {.x = x, .body = slt_spool_new(NULL, IN_MEMORY, BODY_MAX)};
	SLT_AUTO(slt_spool_free) struct slt_spool *body = c.body;
	if (!perform(&c, err)) {
		return false;
	}
	x->answer = slt_message_new(SLT_REST);
	return slt_spool_size(body) == 0 ||
	       slt_message_attach(x->answer, SLT_REST_TYPE_BODY, "", SLT_TAKE(body), err);
}
