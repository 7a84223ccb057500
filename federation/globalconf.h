/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The global configuration as an immutable, reference-counted snapshot: own instance and the
 * foreign ones that are allowed, parsed from shared-params.xml and private-params.xml (v2 to v6).
 * Everything returned is borrowed and lives as long as the snapshot.
 *
 * Checks: structure, instance identifiers, that certificates parse. Does not check: signatures
 * and expiry of the files (globalconf_dir and globalconf_cache do), validity of the certificates
 * (chain does).
 */

#include <openssl/x509.h>

#include "federation/ident.h"
#include "base/digest.h"

#define SLT_NS_XROAD	      "http://x-road.eu/xsd/xroad.xsd"
#define SLT_SHARED_PARAMS_MAX (256u << 20) /* bytes */
#define SLT_INSTANCES_MAX     64
#define SLT_GC_VERSION_MIN    2
#define SLT_GC_VERSION_MAX    6

struct slt_globalconf;
struct slt_gc_instance;

enum slt_profile {
	SLT_PROFILE_UNKNOWN,
	SLT_PROFILE_EJBCA,
	SLT_PROFILE_SKKLASS3,
	SLT_PROFILE_SKESTEID,
	SLT_PROFILE_FIVRK,
	SLT_PROFILE_BASIC, /* and BasicACME */
	SLT_PROFILE_FO,
	SLT_PROFILE_IS,
	SLT_PROFILE_TEST, /* only when the snapshot was loaded with allow_test_profile */
};

struct slt_gc_ocsp {
	const char *url;
	X509 *cert; /* NULL when none is given */
};

/* One topCA or intermediateCA. */
struct slt_gc_ca {
	const char *name; /* of the approvedCA */
	X509 *cert;
	const struct slt_gc_ocsp *ocsp;
	size_t n_ocsp;
	bool top;
	bool authentication_only;
	enum slt_profile profile;
	const char *profile_class; /* as written, trimmed */
	const struct slt_gc_instance *instance;
};

struct slt_gc_tsa {
	const char *name, *url;
	X509 *cert;
};

struct slt_gc_server {
	struct slt_id id;    /* SERVER */
	const char *address; /* NULL when not registered yet */
	bool maintenance;
	const char *maintenance_message; /* may be NULL */
};

struct slt_gc_source { /* a central server, as shared parameters from version 3 on name it */
	const char *address;
	X509 **internal, **external; /* who signs internalconf, externalconf */
	size_t n_internal, n_external;
};

struct slt_gc_client { /* a member or a subsystem, with its name */
	struct slt_id id;
	const char *name; /* may be NULL */
};

void slt_globalconf_ref(struct slt_globalconf *gc);
void slt_globalconf_free(struct slt_globalconf *gc); /* drops a reference */
SLT_DEFINE_AUTO(struct slt_globalconf *, slt_globalconf_free)

/* The own instance's identifier; configuration version of its shared parameters (2 to 6). */
const char *slt_globalconf_own(const struct slt_globalconf *gc);
int slt_globalconf_version(const struct slt_globalconf *gc);
/* ocspFreshnessSeconds of the own instance; verifyNextUpdate of its optional part. */
int64_t slt_globalconf_ocsp_freshness(const struct slt_globalconf *gc);
bool slt_globalconf_verify_next_update(const struct slt_globalconf *gc);
/* SLT_EOUTDATED_GLOBALCONF, saying since when, if the own instance has expired at now_ms. Foreign
 * instances that have expired are treated by all queries below as not there. */
SLT_CHECK bool slt_globalconf_check_valid(const struct slt_globalconf *gc, int64_t now_ms,
					  struct slt_err *err);

/* The approved CA certificate of an instance (NULL: of any) with this subject; where two share it
 * the last in document order, as X-Road. NULL when none. */
const struct slt_gc_ca *slt_globalconf_find_ca(const struct slt_globalconf *gc,
					       const char *instance, const X509_NAME *subject);
/* Walks all CA entries, all OCSP responder certificates and all TSAs of all instances. */
const struct slt_gc_ca *slt_globalconf_ca_at(const struct slt_globalconf *gc, size_t i);
const struct slt_gc_tsa *slt_globalconf_tsa_at(const struct slt_globalconf *gc,
					       const char *instance_or_null, size_t i);

/* The security server where a certificate is registered (by the hash of its DER, SHA-1 where the
 * own instance's version is 2, else SHA-256); NULL if none. A certificate may be registered to
 * several servers: the second function walks them, i from 0. */
const struct slt_gc_server *slt_globalconf_auth_cert_server(const struct slt_globalconf *gc,
							    const X509 *cert);
const struct slt_gc_server *slt_globalconf_auth_cert_server_at(const struct slt_globalconf *gc,
							       const X509 *cert, size_t i);
/* Is member or subsystem `client` owner or registered client of the server? */
bool slt_globalconf_serves(const struct slt_globalconf *gc, const struct slt_gc_server *server,
			   const struct slt_id *client);
/* The i-th server that serves the client; NULL at the end. */
const struct slt_gc_server *slt_globalconf_server_of(const struct slt_globalconf *gc,
						     const struct slt_id *client, size_t i);
const struct slt_gc_server *slt_globalconf_server(const struct slt_globalconf *gc,
						  const struct slt_id *server);
bool slt_globalconf_in_group(const struct slt_globalconf *gc, const struct slt_id *client,
			     const struct slt_id *group);
const struct slt_gc_client *slt_globalconf_client(const struct slt_globalconf *gc,
						  const struct slt_id *client);

/* --- what an instance says, for reports --- */

struct slt_gc_info {
	const char *name;
	int version;
	int64_t expires_ms; /* 0: the cache does not say */
	int64_t ocsp_freshness_s;
	bool verify_next_update;
	size_t n_members, n_subsystems, n_servers, n_groups, n_cas, n_tsas;
};
struct slt_gc_group {
	const char *code, *description;
	size_t n_members;
};
/* The own instance first; NULL at the end. */
const struct slt_gc_instance *slt_globalconf_instance_at(const struct slt_globalconf *gc, size_t i);
const struct slt_gc_instance *slt_globalconf_instance(const struct slt_globalconf *gc,
						      const char *name);
void slt_gc_instance_info(const struct slt_gc_instance *in, struct slt_gc_info *ret);
/* In document order, a member before its subsystems; prev NULL for the first; NULL at the end. */
const struct slt_gc_client *slt_gc_instance_next_client(const struct slt_gc_instance *in,
							const struct slt_gc_client *prev);
const struct slt_gc_server *slt_gc_instance_next_server(const struct slt_gc_instance *in,
							const struct slt_gc_server *prev);
const struct slt_gc_group *slt_gc_instance_next_group(const struct slt_gc_instance *in,
						      const struct slt_gc_group *prev);
const struct slt_gc_ca *slt_gc_instance_ca_at(const struct slt_gc_instance *in, size_t i);
const struct slt_gc_tsa *slt_gc_instance_tsa_at(const struct slt_gc_instance *in, size_t i);
const struct slt_gc_source *slt_gc_instance_source_at(const struct slt_gc_instance *in, size_t i);
/* How many members and subsystems the server serves, its owner included. */
size_t slt_gc_server_client_count(const struct slt_gc_server *server);
size_t slt_gc_server_cert_count(const struct slt_gc_server *server);

/* May a text be an instance's identifier? Not empty, at most SLT_ID_PART_MAX bytes, no control
 * characters, none of the separators '/', '\\', ';', '%', not "." or "..". */
bool slt_globalconf_instance_ok(const char *name);
