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

#define SLT_SHARED_PARAMS_MAX (256u << 20) /* bytes */

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
	struct slt_id id; /* SERVER */
	const char *address; /* NULL when not registered yet */
	bool maintenance;
	const char *maintenance_message; /* may be NULL */
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

/* The security server where a certificate is registered (by the hash of its DER); NULL if not. */
const struct slt_gc_server *slt_globalconf_auth_cert_server(const struct slt_globalconf *gc,
							    const X509 *cert);
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
