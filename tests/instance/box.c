/* SPDX-License-Identifier: MIT */
#include "tests/instance/behind.h"
#include "tests/instance/peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define CENTRAL_THREADS 2
#define WORKERS		8
#define QUEUE		256
#define CONNECTIONS	128
#define SMALL_BODY	(256u << 10)
#define MESSAGE_BODY	(8ull << 30)

static void infosys_or_down(void *arg, struct slt_request *r, struct slt_str body)
{
	struct slt_box *b = arg;
	if (atomic_load(&b->down[SLT_BOX_INFOSYS])) {
		slt_httpd_text(r, 503, "down");
	} else {
		slt_infosys_handle(b->infosys, r, body);
	}
}

static bool make_paths(struct slt_box *b, struct slt_err *err)
{
	const char *dir = b->o.dir;
	b->dir_keys = slt_path_join(dir, "keys");
	b->dir_conf = slt_path_join(dir, "globalconf");
	b->dir_sales = slt_path_join(dir, "dispensations");
	b->anchor = slt_path_join(dir, "configuration-anchor.xml");
	b->external_anchor = slt_path_join(dir, "external-anchor.xml");
	b->info = slt_path_join(dir, "instance.json");
	/* an earlier run may have published what lives longer: going back would be refused */
	return slt_rm_tree(b->dir_conf, err) && slt_mkdir_p(b->dir_conf, 0755, err) &&
	       slt_mkdir_p(b->dir_sales, 0700, err);
}

/* Both authorities in one file, for tools that want a store of trusted certificates. */
static bool write_ca(const struct slt_box *b, struct slt_err *err)
{
	const char *names[] = {"issuing-ca", "root-ca"};
	SLT_AUTO_BUF(out, SMALL_BODY);
	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		char *p = NULL;
		size_t n = 0;
		if (!slt_file_read(slt_pki_get(b->pki, names[i])->cert_path, SMALL_BODY, &p, &n,
				   err)) {
			return false;
		}
		slt_buf_add(&out, p, n);
		free(p);
	}
	SLT_AUTO_STR char *path = slt_path_join(b->o.dir, "ca.pem");
	return slt_buf_check(&out, "ca.pem", err) && slt_file_write(path, out.p, out.n, 0644, err);
}

static bool make_pki(struct slt_box *b, struct slt_err *err)
{
	struct slt_pki_options o = {.dir = b->dir_keys,
				    .instance = b->o.name,
				    .country = b->o.country,
				    .kind = b->o.kind,
				    .bridge_kind = b->o.bridge_kind};
	if (!slt_pki_open(&o, &b->pki, err) || !write_ca(b, err)) {
		return false;
	}
	b->ocspd.pki = b->pki;
	b->ocspd.validity_s = b->o.freshness_s;
	b->tsad.pki = b->pki;
	atomic_store(&b->tsad.serial, slt_now_ms());
	return true;
}

static bool make_pools(struct slt_box *b, struct slt_err *err)
{
	unsigned calls = b->o.calls;
	return slt_client_new(CONNECTIONS + calls, &b->client, err) &&
	       slt_pool_new(CENTRAL_THREADS, QUEUE, &b->pool_central, err) &&
	       slt_pool_new(CENTRAL_THREADS, QUEUE, &b->pool_relay, err) &&
	       slt_pool_new(WORKERS, QUEUE + calls, &b->pool_server, err) &&
	       slt_pool_new(calls, QUEUE + calls, &b->pool_client, err) &&
	       slt_pool_new(WORKERS, QUEUE + calls, &b->pool_infosys, err) &&
	       slt_pool_new(1, QUEUE, &b->pool_admin, err);
}

/* One of the HTTP listeners; *port is what it has got in the end. */
struct listener {
	const char *address;
	unsigned *port;
	uint64_t max_body;
	struct slt_pool *pool;
	slt_httpd_fn fn;
	struct slt_httpd **ret;
};

static bool start_https(struct slt_box *b, const struct listener *l, const char *cert_pem,
			const char *key_pem, struct slt_err *err)
{
	struct slt_httpd_options o = {.address = l->address,
				      .port = *l->port,
				      .max_body = l->max_body,
				      .cert_pem = cert_pem,
				      .key_pem = key_pem,
				      .pool = l->pool,
				      .fn = l->fn,
				      .arg = b};
	if (!slt_httpd_start(&o, l->ret, err)) {
		return slt_wrap(err, "listening on %s:%u", l->address, *l->port);
	}
	*l->port = slt_httpd_port(*l->ret);
	return true;
}

static bool start_http(struct slt_box *b, const struct listener *l, struct slt_err *err)
{
	return start_https(b, l, NULL, NULL, err);
}

/* The central services must listen before the configuration that names them is made, and the
 * configuration must be there before they can answer: nobody knows the port until then. */
static bool start_central(struct slt_box *b, struct slt_err *err)
{
	struct listener central = {"127.0.0.1",	    &b->ports.central,	SMALL_BODY,
				   b->pool_central, slt_central_handle, &b->central};
	atomic_store(&b->down[SLT_BOX_CONF], true);
	if (!start_http(b, &central, err)) {
		return slt_wrap(err, "the central services");
	}
	b->central_url = slt_asprintf("http://127.0.0.1:%u", b->ports.central);
	b->ocsp_url = slt_asprintf("%s/ocsp", b->central_url);
	b->tsa_url = slt_asprintf("%s/tsa", b->central_url);
	struct slt_confsource_options c = {.instance = b->o.name,
					   .country = b->o.country,
					   .pki = b->pki,
					   .centre = b->o.centre,
					   .pharmacy = b->o.pharmacy,
					   .bridge_behind = b->o.bridge_url != NULL,
					   .version = b->o.conf_version,
					   .freshness_s = b->o.freshness_s,
					   .expire_s = b->o.expire_s,
					   .address = b->central_url + strlen("http://"),
					   .server_address = b->ports.own,
					   .bridge_address = b->ports.bridge,
					   .ocsp_url = b->ocsp_url,
					   .tsa_url = b->tsa_url,
					   .anchor_path = b->anchor,
					   .external_anchor_path = b->external_anchor,
					   .federate = b->o.federate};
	if (!slt_confsource_new(&c, &b->confsource, err)) {
		return slt_wrap(err, "the configuration source");
	}
	atomic_store(&b->down[SLT_BOX_CONF], false);
	return true;
}

static bool start_security_server(struct slt_box *b, struct slt_err *err)
{
	struct slt_confclient_options o = {.anchor_path = b->anchor,
					   .dir = b->dir_conf,
					   .federation = b->o.federate != NULL,
					   .client = b->client};
	struct listener relay = {b->ports.own,	&b->ports.relay,  SMALL_BODY,
				 b->pool_relay, slt_relay_handle, &b->relay};
	b->ocsp = slt_ocspcache_new(b->client);
	return slt_peer_new(b->pki, &b->peer, err) && slt_confclient_new(&o, &b->confclient, err) &&
	       start_http(b, &relay, err) && slt_peer_server_start(b, &b->peer_server, err);
}

static bool start_information_systems(struct slt_box *b, struct slt_err *err)
{
	struct slt_infosys_options o = {
		.words = &b->o.country->words, .documents = b->o.documents, .sales = b->dir_sales};
	struct listener l = {"127.0.0.1",     &b->ports.infosys, MESSAGE_BODY,
			     b->pool_infosys, infosys_or_down,	 &b->infosys_http};
	if (!slt_infosys_new(&o, &b->infosys, err) ||
	    !slt_fhirsys_new(b->o.country->code, b->o.documents, &b->fhirsys, err) ||
	    !start_http(b, &l, err)) {
		return slt_wrap(err, "the information system");
	}
	b->infosys_url = slt_asprintf("http://127.0.0.1:%u/", b->ports.infosys);
	return true;
}

/* Beside the plain one, as ordinary security servers have it; only the bridge has use for it. */
static bool start_client_tls(struct slt_box *b, struct slt_err *err)
{
	const struct slt_pki_entry *e = slt_pki_get(b->pki, "server-internal");
	SLT_AUTO_STR char *cert = NULL;
	SLT_AUTO_STR char *key = NULL;
	size_t n = 0;
	struct listener l = {"127.0.0.1",    &b->ports.client_tls,   MESSAGE_BODY,
			     b->pool_client, slt_peer_client_handle, &b->client_https};
	if (!slt_behind_is_tls(b)) {
		return true;
	}
	return slt_file_read(e->cert_path, SMALL_BODY, &cert, &n, err) &&
	       slt_file_read(e->key_path, SMALL_BODY, &key, &n, err) &&
	       start_https(b, &l, cert, key, err);
}

static bool start_interfaces(struct slt_box *b, struct slt_err *err)
{
	struct listener client = {"127.0.0.1",	  &b->ports.client,	  MESSAGE_BODY,
				  b->pool_client, slt_peer_client_handle, &b->client_http};
	struct listener admin = {"127.0.0.1",	&b->ports.admin,  SMALL_BODY,
				 b->pool_admin, slt_admin_handle, &b->admin};
	return start_http(b, &client, err) && start_client_tls(b, err) &&
	       start_http(b, &admin, err);
}

bool slt_box_open(const struct slt_box_options *o, struct slt_box **ret, struct slt_err *err)
{
	SLT_AUTO(slt_box_free) struct slt_box *b = slt_calloc(1, sizeof(*b));
	b->o = *o;
	slt_faults_init(&b->faults);
	bool ok = make_paths(b, err) && slt_ports_choose(&b->o, &b->ports, err) &&
		  slt_behind_set_url(b, err) && make_pki(b, err) && make_pools(b, err) &&
		  start_central(b, err) && start_information_systems(b, err) &&
		  start_security_server(b, err) && start_interfaces(b, err) &&
		  slt_describe_write(b, err);
	if (!ok) {
		return false;
	}
	*ret = SLT_TAKE(b);
	return true;
}

bool slt_box_refresh(struct slt_box *b, struct slt_err *err)
{
	slt_ocspcache_clear(b->ocsp);
	return slt_confclient_refresh(b->confclient, err);
}

void slt_box_tick(struct slt_box *b)
{
	struct slt_err err = SLT_ERR_INIT;
	bool fresh = false;
	if (!slt_confsource_tick(b->confsource, &fresh, &err)) {
		slt_log_err(SLT_LOG_ERR, "The configuration could not be published", &err, NULL);
		return;
	}
	if (!fresh && !slt_confclient_incomplete(b->confclient)) {
		return;
	}
	if (!slt_confclient_refresh(b->confclient, &err)) {
		slt_log_err(SLT_LOG_WARNING, "The configuration could not be fetched", &err, NULL);
	}
}

static void stop_http(struct slt_httpd *h, struct slt_pool *pool)
{
	slt_httpd_close(h);
	slt_pool_free(pool);
}

/* Callers before those they call. A worker may only go when nothing is handed to it any more, a
 * listener when all that it holds has been answered. */
void slt_box_free(struct slt_box *b)
{
	if (b == NULL) {
		return;
	}
	atomic_store(&b->stopping, true);
	stop_http(b->admin, b->pool_admin);
	slt_httpd_close(b->client_https);
	stop_http(b->client_http, b->pool_client);
	slt_peer_server_close(b->peer_server);
	slt_pool_free(b->pool_server);
	stop_http(b->infosys_http, b->pool_infosys);
	stop_http(b->relay, b->pool_relay);
	stop_http(b->central, b->pool_central);
	slt_httpd_stop(b->admin);
	slt_httpd_stop(b->client_http);
	slt_httpd_stop(b->client_https);
	slt_peer_server_stop(b->peer_server);
	slt_httpd_stop(b->relay);
	slt_httpd_stop(b->infosys_http);
	slt_httpd_stop(b->central);
	slt_client_free(b->client);
	slt_peer_free(b->peer);
	slt_infosys_free(b->infosys);
	slt_fhirsys_free(b->fhirsys);
	slt_confclient_free(b->confclient);
	slt_ocspcache_free(b->ocsp);
	slt_confsource_free(b->confsource);
	slt_pki_free(b->pki);
	char *paths[] = {b->dir_keys,	     b->dir_conf,    b->dir_sales,   b->anchor,
			 b->external_anchor, b->info,	     b->central_url, b->ocsp_url,
			 b->tsa_url,	     b->infosys_url, b->bridge_url};
	for (size_t i = 0; i < SLT_COUNT(paths); i++) {
		free(paths[i]);
	}
	free(b);
}
