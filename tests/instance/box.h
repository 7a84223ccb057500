/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A national X-Road instance in one process: central services (authority, OCSP, time-stamps,
 * configuration), a security server with both ends, and the information systems behind it. It
 * stands in for another country in tests and demonstrations and keeps to what X-Road's own
 * servers do; where its verification differs, it is stricter (it verifies signatures in the
 * strict mode of xades_verify).
 *
 * One struct holds the parts; each part takes what it needs from it. All of it is made before the
 * listeners start and does not change afterwards, but for what the parts guard themselves.
 */

#include <stdatomic.h>

#include "tests/instance/confclient.h"
#include "tests/instance/confsource.h"
#include "tests/instance/fault.h"
#include "tests/instance/fhirsys.h"
#include "tests/instance/httpd.h"
#include "tests/instance/infosys.h"
#include "tests/instance/ocspcache.h"
#include "tests/instance/ocspd.h"
#include "tests/instance/tsad.h"

#define SLT_BOX_VERSION	    "7.8.0" /* x-proxy-version */
#define SLT_BOX_VERSION_MIN "7.6.0"

struct slt_box_options {
	const char *dir, *name;
	const struct slt_country *country;
	bool centre, pharmacy;
	const char *documents, *federate, *address_base; /* may be NULL */
	/* The bridge is an information system behind this instance's security server, at this URL;
	 * NULL: it is a security server of its own. With https both show their certificates,
	 * whoever calls. The host "bridge" stands for the address and port that are kept free. */
	const char *bridge_url;
	enum slt_pki_kind kind, bridge_kind; /* of members' keys; of the bridge's, 0: the same */
	int conf_version;
	unsigned calls; /* under way at once for information systems */
	int64_t freshness_s, expire_s;
	bool stdin_eof;
};

struct slt_box_ports { /* addresses and ports; those of the listeners after they started */
	char own[16], bridge[16]; /* numeric addresses of the two security servers */
	unsigned transport, relay;
	unsigned central, admin, client, client_tls, infosys;
};

enum slt_box_service { /* what an administrator may take down */
		       SLT_BOX_OCSP,
		       SLT_BOX_TSA,
		       SLT_BOX_CONF,
		       SLT_BOX_INFOSYS,
		       SLT_BOX_RELAY,
		       SLT_BOX_DISABLED, /* the services are switched off */
		       SLT_BOX_SERVICES,
};

struct slt_box {
	struct slt_box_options o;
	struct slt_box_ports ports;
	char *dir_keys, *dir_conf, *dir_sales, *anchor, *external_anchor, *info; /* paths */
	char *central_url; /* "http://127.0.0.1:port" */
	char *ocsp_url, *tsa_url, *infosys_url, *bridge_url;

	struct slt_pki *pki;
	struct slt_ocspd ocspd;
	struct slt_tsad tsad;
	struct slt_confsource *confsource;
	struct slt_client *client;
	struct slt_confclient *confclient;
	struct slt_ocspcache *ocsp;
	struct slt_peer *peer;
	struct slt_infosys *infosys;
	struct slt_fhirsys *fhirsys;
	struct slt_faults faults;
	atomic_bool down[SLT_BOX_SERVICES];
	atomic_bool stopping;
	_Atomic uint64_t n_received, n_sent; /* messages at the two ends of the security server */

	struct slt_pool *pool_central, *pool_relay, *pool_server, *pool_client, *pool_infosys,
		*pool_admin;
	struct slt_httpd *central, *relay, *infosys_http, *client_http, *client_https, *admin;
	struct slt_peer_server *peer_server;
};

/* box.c: makes everything and writes DIR/instance.json; what began is undone by slt_box_free(). */
SLT_CHECK bool slt_box_open(const struct slt_box_options *o, struct slt_box **ret,
			    struct slt_err *err);
/* What is due: to be called about every second. */
void slt_box_tick(struct slt_box *b);
void slt_box_free(struct slt_box *b);
SLT_DEFINE_AUTO(struct slt_box *, slt_box_free)
/* The own security server takes up the configuration and status of certificates as they are
 * now. */
SLT_CHECK bool slt_box_refresh(struct slt_box *b, struct slt_err *err);

/* ports.c */
SLT_CHECK bool slt_ports_choose(const struct slt_box_options *o, struct slt_box_ports *ret,
				struct slt_err *err);
/* central.c: OCSP, time-stamps and configuration on one port; the relay on another. */
void slt_central_handle(void *arg, struct slt_request *r, struct slt_str body);
void slt_relay_handle(void *arg, struct slt_request *r, struct slt_str body);
/* describe.c: DIR/instance.json */
SLT_CHECK bool slt_describe_write(const struct slt_box *b, struct slt_err *err);
/* admin.c */
void slt_admin_handle(void *arg, struct slt_request *r, struct slt_str body);
/* peer_client.c: what information systems post */
void slt_peer_client_handle(void *arg, struct slt_request *r, struct slt_str body);
/* peer_server.c: the transport port */
SLT_CHECK bool slt_peer_server_start(struct slt_box *b, struct slt_peer_server **ret,
				     struct slt_err *err);
void slt_peer_server_close(struct slt_peer_server *p); /* as slt_httpd_close() */
bool slt_peer_server_is_closed(struct slt_peer_server *p);
/* Takes the listener down or up again; what is under way is answered before. */
SLT_CHECK bool slt_peer_server_listen(struct slt_peer_server *p, bool on, struct slt_err *err);
/* The same with another certificate: one for which slt_peer_is_identity(). */
SLT_CHECK bool slt_peer_server_present(struct slt_peer_server *p, const char *name,
				       struct slt_err *err);
void slt_peer_server_stop(struct slt_peer_server *p);
