/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The cache on disk, in X-Road's layout (xroad-wire 4.6): DIR/instance-identifier,
 * DIR/<instance>/shared-params.xml with .metadata, …; fetching by a callback, verified before
 * anything is written, swapped whole, never rolled back to an older configuration.
 */

#include "federation/globalconf.h"
#include "federation/globalconf_dir.h"

struct slt_gc_load_options {
	bool allow_test_profile; /* X-Road's TestCertificateProfileInfoProvider */
	int64_t now_ms;          /* foreign instances expired by then are left out; -1: keep all */
};
/* Loads a cache directory. Malformed own instance: SLT_EMALFORMED_GLOBALCONF; malformed foreign
 * ones are skipped and named in *ret_warnings (malloc'ed, may be NULL). Expiry of the own instance
 * is not an error here (slt_globalconf_check_valid). */
SLT_CHECK bool slt_globalconf_load(const char *dir, const struct slt_gc_load_options *o,
				   struct slt_globalconf **ret, char **ret_warnings,
				   struct slt_err *err);

/* GET a URL: HTTP status and body (capped by the callee at max). */
typedef bool (*slt_fetch_fn)(void *arg, const char *url, size_t max, int *ret_status,
			     struct slt_buf *ret_body, struct slt_err *err);

struct slt_gc_fetch {
	const struct slt_anchor *anchor;
	const char *dir;
	const char *federation; /* "none", "all" or a comma list of instances */
	slt_fetch_fn fetch;
	void *fetch_arg;
	int64_t now_ms;
};
struct slt_gc_fetch_result {
	int version;          /* negotiated for the own instance */
	int64_t expires_ms;   /* of the own instance */
	unsigned n_downloaded, n_unchanged;
	char *warnings;       /* foreign instances that failed, a line each; malloc'ed or NULL */
};
/* One round: own instance by its anchor (and sources learnt from held shared parameters), then the
 * allowed foreign ones. On failure the cache is as it was. */
SLT_CHECK bool slt_globalconf_fetch(const struct slt_gc_fetch *f, struct slt_gc_fetch_result *ret,
				    struct slt_err *err);
