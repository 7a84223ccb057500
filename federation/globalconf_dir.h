/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The signed configuration directory (PR-GCONF; exact layout: xroad-wire 4.2), read, verified and
 * produced; and the anchor that says where it is and whose key signs it.
 *
 * Checks: the signature over the raw bytes with one of the certificates given, the headers that
 * X-Road requires, expiry; that locations are plain paths and names plain file names; that no
 * part is there twice. Stricter than X-Road: SHA-1 is refused (signature and digests of
 * parts), and a certificate is good for the instance that named it only.
 *
 * Does not check: validity dates and key usage of the signing certificate (it is a container for
 * a key, as in X-Road), whose instance the parts are (slt_directory_check_instance), the parts
 * themselves (slt_directory_check_part), whether the directory is older than one seen before
 * (globalconf_cache does).
 */

#include <openssl/x509.h>

#include "federation/key.h"

#define SLT_DIRECTORY_MAX	(1u << 20)
#define SLT_DIRECTORY_PARTS_MAX 64
#define SLT_ANCHOR_MAX		(1u << 20)
#define SLT_ANCHOR_SOURCES_MAX	64
#define SLT_ANCHOR_CERTS_MAX	64 /* of one source */

#define SLT_PART_SHARED		"SHARED-PARAMETERS"
#define SLT_PART_PRIVATE	"PRIVATE-PARAMETERS"
#define SLT_PART_NEXTUPDATE	"NEXTUPDATE"
#define SLT_PART_MAPPINGS	"MAPPING-TABLES" /* not X-Road's: bridge/mapset_part.h */

struct slt_anchor_source {
	const char *url;
	X509 **certs;
	size_t n_certs;
};
struct slt_anchor {
	const char *instance;
	int64_t generated_at_ms; /* 0 when absent */
	struct slt_anchor_source *sources;
	size_t n_sources;
	struct slt_arena *arena;
};
SLT_CHECK bool slt_anchor_parse(const void *p, size_t n, struct slt_anchor **ret,
				struct slt_err *err);
SLT_CHECK bool slt_anchor_load(const char *path, struct slt_anchor **ret, struct slt_err *err);
void slt_anchor_free(struct slt_anchor *a);
SLT_DEFINE_AUTO(struct slt_anchor *, slt_anchor_free)
/* All certificates of all sources; malloc'ed array of borrowed certificates. */
X509 **slt_anchor_certs(const struct slt_anchor *a, size_t *ret_n);
/* The anchor document, as a central server exports it. */
SLT_CHECK bool slt_anchor_write(const struct slt_anchor *a, struct slt_buf *out,
				struct slt_err *err);

struct slt_directory_part {
	const char *content_id; /* "SHARED-PARAMETERS" */
	const char *instance;
	const char *location;  /* "/V6/…/shared-params.xml" */
	const char *file_name; /* last segment, or Content-file-name */
	struct slt_digest digest;
};
struct slt_directory {
	int64_t expires_ms;
	int version; /* 0 when the directory does not say */
	struct slt_directory_part *parts;
	size_t n_parts;
	X509 *cert; /* which of the candidates signed it; borrowed from them */
	struct slt_arena *arena;
};
/* Verifies with one of the candidate certificates, then parses; expiry against now_ms unless it is
 * negative. X-Road's global_conf_… codes in X-Road's order. */
SLT_CHECK bool slt_directory_verify(const void *p, size_t n, X509 *const *certs, size_t n_certs,
				    int64_t now_ms, struct slt_directory **ret,
				    struct slt_err *err);
void slt_directory_free(struct slt_directory *d);
SLT_DEFINE_AUTO(struct slt_directory *, slt_directory_free)

/* SLT_EGC_INSTANCE when a part says that it belongs to another instance. */
SLT_CHECK bool slt_directory_check_instance(const struct slt_directory *d, const char *instance,
					    struct slt_err *err);
/* SLT_EGC_INTEGRITY when the bytes are not those that the directory vouches for. */
SLT_CHECK bool slt_directory_check_part(const struct slt_directory_part *part, const void *p,
					size_t n, struct slt_err *err);
/* May a part be kept in a file of this name? No separators, no leading dot, not a metadata file. */
bool slt_directory_file_name_ok(const char *s);

/* Produces a signed directory; the parts' digests are given. RSA or ECDSA (DER), SHA-512. */
SLT_CHECK bool slt_directory_write(const struct slt_directory *d, struct slt_key *key,
				   struct slt_buf *out, struct slt_err *err);
