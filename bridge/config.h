/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The bridge's configuration file (silta.conf(5)), read whole: sides, routes, limits. Everything in
 * the struct lives as long as it does.
 */

#include "base/conf.h"
#include "base/log.h"
#include "federation/ident.h"

#define SLT_SIDES_MAX	   16
#define SLT_ROUTES_MAX	   1024
#define SLT_REST_RULES_MAX 1024

/* How the bridge meets an instance: as a security server of its own among the others, or behind an
 * ordinary one, as an information system that calls and is called. */
enum slt_bearer_kind { SLT_BEARER_TRANSPORT, SLT_BEARER_MESSAGE };

struct slt_config_side {
	/* as written */
	const char *name; /* of the instance: "EE" */
	const char *country;
	const char *anchor, *globalconf, *federation;
	const char *subsystem_text, *server_text;
	const char *document_ca;
	/* NULL with bearer message where nothing is sealed, and where plain HTTP is spoken */
	const char *sign_key, *sign_cert, *sign_pin;
	const char *auth_key, *auth_cert;
	const char *security_server, *security_server_certs; /* bearer message */
	const char *listen, *ocsp_listen;
	int64_t port, ocsp_port, peer_port, peer_ocsp_port;
	int64_t batch, fetch_seconds, ocsp_seconds, timestamp_seconds, fastest_seconds;
	const char *proxy_version, *min_peer_version;
	bool pss, fetch_tls_verify, mappings_part, document_sha1;
	int dialect; /* enum slt_dialect */
	int bearer;  /* enum slt_bearer_kind */
	/* read from the texts above */
	struct slt_id subsystem, server;
};

/* What a route offers of a REST service. */
struct slt_config_rest {
	const char *method; /* "*": every one */
	const char *path;   /* pattern, as slt_rest_path_fits() reads it */
};

struct slt_config_route {
	const char *name, *from, *to, *flow;
	const char *provider_text, *target_text, *server_text;
	const char *wsdl, *openapi;	  /* files; NULL: none */
	struct slt_conf_strings services; /* codes offered; none: all of the flow */
	struct slt_conf_strings allow;	  /* "EE/COM/1/sub", "EE/COM/1", or a group "EE/apteegid" */
	struct slt_conf_strings once;	  /* service codes whose message ids must not repeat */
	int64_t deadline_seconds;
	bool represent; /* names the original caller in representedParty */
	/* read from the texts above */
	const struct slt_config_side *from_side, *to_side;
	struct slt_id provider, target, server; /* server.type NONE: any that serves the target */
	struct slt_config_rest *rest;		/* none: every method and path */
	size_t n_rest;
	struct slt_id *allowed;
	size_t n_allowed;
};

struct slt_config {
	const char *admin_listen;
	int64_t admin_port;
	const char *state, *log, *mappings, *mappings_ca, *spool;
	int64_t workers, queue, io_threads, max_connections, max_connections_per_peer;
	int64_t head_seconds, min_rate;
	int64_t max_message, max_attachments, max_spool, client_connections, drain_seconds;
	int log_level; /* enum slt_level */
	int64_t mappings_approvals;
	bool log_json, test_codes, mappings_required;
	struct slt_config_side *side;
	size_t n_sides;
	struct slt_config_route *route;
	size_t n_routes;
	struct slt_arena *arena;
};

/* SLT_ECONFIG; every problem of the file, a line each, goes to `problems` when that is not NULL. */
SLT_CHECK bool slt_config_load(const char *path, struct slt_config **ret, struct slt_buf *problems,
			       struct slt_err *err);
void slt_config_free(struct slt_config *c);
SLT_DEFINE_AUTO(struct slt_config *, slt_config_free)
/* The values in force, as a file that reads back. */
void slt_config_print(const struct slt_config *c, struct slt_buf *out);
/* Walks the documented options: for the manual page. group: "", "sides", "routes",
 * "rest". */
void slt_config_document(void (*each)(void *arg, const char *group,
				      const struct slt_conf_option *o),
			 void *arg);
