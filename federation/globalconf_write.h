/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Producing the parts of a global configuration: shared-params.xml in versions 2 to 6,
 * private-params.xml and nextupdate-params.xml (xroad-wire 4.1), from plain descriptions that the
 * caller owns and that are only borrowed for the call. Signing them is slt_directory_write().
 *
 * What a version cannot say is left out: sources before 3, names of subsystems and maintenance
 * before 5. Hashes of TLS certificates are SHA-1 in version 2 and SHA-256 from 3 on.
 *
 * Checks: the version, that every name X-Road requires is there, that owners and clients of
 * servers are members or subsystems of the description, that nothing is described twice.
 */

#include <openssl/x509.h>

#include "federation/globalconf.h"
#include "federation/globalconf_dir.h"

struct slt_gcw_certs {
	X509 *const *v;
	size_t n;
};

struct slt_gcw_source {	     /* a central server: where it is, whose keys sign what it publishes */
	const char *address; /* host, or host:port */
	struct slt_gcw_certs internal, external;
};

struct slt_gcw_ca { /* topCA or intermediateCA */
	X509 *cert;
	const struct slt_gc_ocsp *ocsp;
	size_t n_ocsp;
};

struct slt_gcw_approved_ca {
	const char *name;
	bool authentication_only;
	enum slt_profile profile;
	const char *profile_class; /* written verbatim instead, when not NULL */
	struct slt_gcw_ca top;
	const struct slt_gcw_ca *intermediate;
	size_t n_intermediate;
};

struct slt_gcw_class {
	const char *code, *description;
};

struct slt_gcw_subsystem {
	const char *code;
	const char *name; /* may be NULL */
};

struct slt_gcw_member {
	const char *member_class, *member_code, *name;
	const struct slt_gcw_subsystem *subsystem;
	size_t n_subsystem;
};

struct slt_gcw_server {
	struct slt_id id;    /* SERVER; its member is the owner */
	const char *address; /* NULL: not registered yet */
	struct slt_gcw_certs auth;
	const struct slt_id *client; /* members and subsystems */
	size_t n_client;
	bool maintenance;
	const char *maintenance_message; /* may be NULL */
};

struct slt_gcw_group {
	const char *code, *description;
	const struct slt_id *member; /* members and subsystems, of any instance */
	size_t n_member;
};

struct slt_gcw_shared {
	int version; /* 2 to 6 */
	const char *instance;
	const struct slt_gcw_source *source; /* at least one from version 3 on */
	size_t n_source;
	const struct slt_gcw_approved_ca *ca;
	size_t n_ca;
	const struct slt_gc_tsa *tsa;
	size_t n_tsa;
	const struct slt_gcw_class *classes; /* every class that a member names */
	size_t n_classes;
	const struct slt_gcw_member *member;
	size_t n_member;
	const struct slt_gcw_server *server;
	size_t n_server;
	const struct slt_gcw_group *group;
	size_t n_group;
	int64_t ocsp_freshness_s;
};
/* Adds the document to out; SLT_EINVAL says what is missing or contradictory. */
SLT_CHECK bool slt_globalconf_write_shared(const struct slt_gcw_shared *s, struct slt_buf *out,
					   struct slt_err *err);

struct slt_gcw_private {
	const char *instance;
	const struct slt_anchor *const *anchor; /* of the instances this one is federated with */
	size_t n_anchor;
	const char *registration_address; /* authCertRegServiceAddress */
	X509 *registration_cert;	  /* may be NULL */
	struct slt_id management_service; /* MEMBER or SUBSYSTEM that provides it */
	int64_t timestamping_interval_s;
};
/* Formats 2 and 3 differ only in what may follow at the end; nothing does, so the document is
 * valid in both. */
SLT_CHECK bool slt_globalconf_write_private(const struct slt_gcw_private *p, struct slt_buf *out,
					    struct slt_err *err);

/* The optional part NEXTUPDATE. */
SLT_CHECK bool slt_globalconf_write_nextupdate(bool verify_next_update, struct slt_buf *out,
					       struct slt_err *err);

/* The Java class name by which X-Road knows a profile; NULL for SLT_PROFILE_UNKNOWN. */
const char *slt_globalconf_profile_class(enum slt_profile p);

/* The metadata file that lies beside a part in a cache, in X-Road's layout: for a cache written
 * without fetching (tests, the instance in a box). */
SLT_CHECK bool slt_globalconf_write_metadata(const struct slt_directory *d,
					     const struct slt_directory_part *part,
					     struct slt_buf *out, struct slt_err *err);
