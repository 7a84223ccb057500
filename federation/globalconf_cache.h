/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The cache on disk, in X-Road's layout (xroad-wire 4.6): DIR/instance-identifier,
 * DIR/<instance>/shared-params.xml with .metadata, …; fetching by a callback, verified before
 * anything is written, swapped whole, never rolled back to an older configuration.
 *
 * Fetching follows X-Road's configuration client (xroad-wire 4.3 to 4.5): sources learnt from the
 * held shared parameters and those of the anchor, https before http, the one that answered last
 * first; version 6 down to 3, then none; parts that did not change are not downloaded again; of a
 * foreign instance only the shared parameters.
 *
 * Checks: signature, expiry and instance of the directory; digest and content of each part; that
 * a configuration is not replaced by an older one. X-Road numbers nothing, so age is told by
 * Expire-date, which grows with every directory a source signs: a directory that expires earlier
 * than the one held, with other content, is refused (SLT_EGC_ROLLBACK) and the held one stays
 * until it expires. Where a source has begun anew with shorter lives, that lasts until the old
 * life has run out, or the operator removes the instance's directory.
 *
 * Does not check: the TLS certificate of the source (the fetch callback may; the signature is
 * what counts), what parts other than X-Road's mean.
 *
 * One process fetches into a directory at a time (DIR/.lock); any number may load meanwhile.
 */

#include "federation/globalconf.h"
#include "federation/globalconf_dir.h"

struct slt_gc_load_options {
	bool allow_test_profile; /* X-Road's TestCertificateProfileInfoProvider */
	int64_t now_ms;		 /* foreign instances expired by then are left out; -1: keep all */
};
/* Loads a cache directory. Malformed own instance: SLT_EMALFORMED_GLOBALCONF; malformed foreign
 * ones are skipped and named in *ret_warnings (malloc'ed, may be NULL). Expiry of the own instance
 * is not an error here (slt_globalconf_check_valid). */
SLT_CHECK bool slt_globalconf_load(const char *dir, const struct slt_gc_load_options *o,
				   struct slt_globalconf **ret, char **ret_warnings,
				   struct slt_err *err);

/* A snapshot of the one instance that a shared-params.xml describes, cached or not; expiry is as
 * in its metadata file, or not known. */
SLT_CHECK bool slt_globalconf_load_shared(const char *path, struct slt_globalconf **ret,
					  struct slt_err *err);
/* DIR/instance-identifier, trimmed; malloc'ed. SLT_EGC_MISSING_INSTANCE. */
SLT_CHECK bool slt_globalconf_read_identifier(const char *dir, char **ret, struct slt_err *err);

/* GET a URL: HTTP status and body (capped by the callee at max). Errors name the URL. */
typedef bool (*slt_fetch_fn)(void *arg, const char *url, size_t max, int *ret_status,
			     struct slt_buf *ret_body, struct slt_err *err);

struct slt_gc_fetch {
	const struct slt_anchor *anchor;
	const char *dir;
	const char *federation; /* "none", "all" or a comma list of instances */
	bool mappings;		/* keep the part with mapping tables of the own instance */
	slt_fetch_fn fetch;
	void *fetch_arg;
	int64_t now_ms;
};
struct slt_gc_fetch_result {
	int version;	    /* negotiated for the own instance */
	int64_t expires_ms; /* of the own instance */
	unsigned n_downloaded, n_unchanged;
	char *warnings; /* foreign instances that failed, a line each; malloc'ed or NULL */
};
/* One round: own instance by its anchor (and sources learnt from held shared parameters), then the
 * allowed foreign ones. On failure the cache is as it was. */
SLT_CHECK bool slt_globalconf_fetch(const struct slt_gc_fetch *f, struct slt_gc_fetch_result *ret,
				    struct slt_err *err);
/* The bytes of the part with mapping tables that the last fetch kept; malloc'ed.
 * SLT_EGC_HEADER_MISSING when the directory listed none, or was fetched without asking for it. */
SLT_CHECK bool slt_globalconf_read_mappings(const char *dir, const char *instance, char **ret,
					    size_t *ret_n, struct slt_err *err);
