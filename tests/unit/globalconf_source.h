/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A configuration source made of a table of addresses, so that every answer of it can be wrong;
 * for test_globalconf_cache and test_globalconf_load.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "federation/globalconf_cache.h"
#include "federation/globalconf_write.h"
#include "tests/support/pki.h"

#define ENTRIES 64
#define MINUTE	INT64_C(60000)

/* --- the source --------------------------------------------------------------------------- */

static struct {
	char dir[64], cache[96];
	struct pki_cert *cert[3]; /* 0 and 1 of FI, 2 of EE */
	struct slt_key *key[3];
	struct {
		char *url;
		int status;
		struct slt_buf body;
	} entry[ENTRIES];
	size_t n_entries;
	char *asked[256];
	size_t n_asked;
	bool mappings; /* ask for mapping tables */
} f;

static inline void forget_asked(void)
{
	for (size_t i = 0; i < f.n_asked; i++) {
		free(f.asked[i]);
	}
	f.n_asked = 0;
}

static inline void forget_entries(void)
{
	for (size_t i = 0; i < f.n_entries; i++) {
		free(f.entry[i].url);
		slt_buf_fini(&f.entry[i].body);
	}
	f.n_entries = 0;
}

/* Puts something at an address, in place of what was there. */
static inline struct slt_buf *serve(int status, const char *url)
{
	size_t i = 0;

	while (i < f.n_entries && strcmp(f.entry[i].url, url) != 0) {
		i++;
	}
	assert_true(i < ENTRIES);
	if (i == f.n_entries) {
		f.n_entries++;
		f.entry[i].url = slt_strdup(url);
		slt_buf_init(&f.entry[i].body, SLT_SHARED_PARAMS_MAX);
	}
	f.entry[i].status = status;
	slt_buf_reset(&f.entry[i].body);
	return &f.entry[i].body;
}

static inline struct slt_buf *at(const char *url)
{
	size_t i = 0;

	while (i < f.n_entries && strcmp(f.entry[i].url, url) != 0) {
		i++;
	}
	slt_assert(i < f.n_entries);
	return &f.entry[i].body;
}

static inline bool get(void *arg, const char *url, size_t max, int *ret_status,
		       struct slt_buf *ret_body, struct slt_err *err)
{
	(void)arg;
	assert_true(f.n_asked < SLT_COUNT(f.asked));
	f.asked[f.n_asked++] = slt_strdup(url);
	for (size_t i = 0; i < f.n_entries; i++) {
		if (strcmp(f.entry[i].url, url) != 0) {
			continue;
		}
		if (f.entry[i].status == 0) {
			return slt_fail(err, SLT_ENETWORK, "%s does not answer", url);
		}
		if (f.entry[i].body.n > max) {
			return slt_fail(err, SLT_ELIMIT, "%s is too long", url);
		}
		*ret_status = f.entry[i].status;
		slt_buf_add(ret_body, slt_buf_str(&f.entry[i].body).p, f.entry[i].body.n);
		return true;
	}
	if (strncmp(url, "https://", 8) == 0) {
		return slt_fail(err, SLT_ENETWORK, "%s does not answer", url);
	}
	*ret_status = 404;
	return true;
}

static inline size_t asked(const char *url)
{
	size_t n = 0;

	for (size_t i = 0; i < f.n_asked; i++) {
		n += strcmp(f.asked[i], url) == 0;
	}
	return n;
}

/* --- what it publishes -------------------------------------------------------------------- */

struct conf {
	const char *instance;
	const char *host, *leaf;
	int version;	   /* in the directory; 0: not said */
	int asked_version; /* in the address; 0: none */
	int64_t expires_ms;
	int64_t freshness; /* what tells two configurations apart */
	size_t signer;
	const char *federated; /* an instance whose anchor private parameters hold; NULL: none */
	const char *shared_instance, *private_instance, *part_instance; /* NULL: as instance */
	size_t source_internal, source_external; /* keys that shared parameters announce */
	bool no_private, no_shared, tables;
	const char *path; /* of the parts */
};

#define FI                                                                                         \
	{                                                                                          \
		.instance = "FI", .host = "cs.fi", .leaf = "internalconf", .version = 6,           \
		.asked_version = 6, .expires_ms = PKI_NOW + 10 * MINUTE, .freshness = 100,         \
		.path = "/V6/1"                                                                    \
	}
#define EE                                                                                         \
	{                                                                                          \
		.instance = "EE", .host = "cs.ee", .leaf = "externalconf", .version = 6,           \
		.asked_version = 6, .expires_ms = PKI_NOW + 10 * MINUTE, .freshness = 200,         \
		.signer = 2, .source_internal = 2, .source_external = 2, .path = "/V6/1"           \
	}

static inline void write_shared(const struct conf *c, struct slt_buf *out)
{
	const struct slt_gcw_source source = {c->host,
					      {&f.cert[c->source_internal]->x509, 1},
					      {&f.cert[c->source_external]->x509, 1}};
	const struct slt_gcw_shared s = {
		.version = c->version ? c->version : 2,
		.instance = c->shared_instance ? c->shared_instance : c->instance,
		.source = &source,
		.n_source = 1,
		.ocsp_freshness_s = c->freshness,
	};
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_globalconf_write_shared(&s, out, &err)) {
		fail_msg("%s", err.msg);
	}
}

static inline void write_private(const struct conf *c, struct slt_buf *out)
{
	struct slt_anchor_source source = {
		.url = "http://cs.ee/externalconf", .certs = &f.cert[2]->x509, .n_certs = 1};
	const struct slt_anchor anchor = {
		.instance = c->federated, .sources = &source, .n_sources = 1};
	const struct slt_anchor *anchors[] = {&anchor};
	const struct slt_gcw_private p = {
		.instance = c->private_instance ? c->private_instance : c->instance,
		.anchor = anchors,
		.n_anchor = c->federated ? 1 : 0,
		.management_service = {.type = SLT_ID_MEMBER,
				       .instance = "FI",
				       .member_class = "GOV",
				       .member_code = "1"},
		.timestamping_interval_s = 60,
	};
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_globalconf_write_private(&p, out, &err)) {
		fail_msg("%s", err.msg);
	}
}

static inline void add_part(const struct conf *c, const char *id, const char *name,
			    struct slt_arena *a, struct slt_directory *d)
{
	struct slt_directory_part *p = &d->parts[d->n_parts++];
	struct slt_buf *body;

	p->content_id = id;
	p->instance = c->part_instance ? c->part_instance : c->instance;
	p->location = slt_arena_printf(a, "%s/%s", c->path, name);
	body = serve(200, slt_arena_printf(a, "http://%s%s", c->host, p->location));
	if (strcmp(id, SLT_PART_SHARED) == 0) {
		write_shared(c, body);
	} else if (strcmp(id, SLT_PART_PRIVATE) == 0) {
		write_private(c, body);
	} else {
		slt_buf_addf(body, "tables %lld\n", (long long)c->freshness);
	}
	slt_digest_of(SLT_SHA512, body->p, body->n, &p->digest);
}

static inline void publish(const struct conf *c)
{
	struct slt_directory_part parts[3] = {{.content_id = NULL}};
	struct slt_directory d = {
		.expires_ms = c->expires_ms, .version = c->version, .parts = parts};
	struct slt_arena *a = slt_arena_new();
	struct slt_err err = SLT_ERR_INIT;
	const char *query =
		c->asked_version ? slt_arena_printf(a, "?version=%d", c->asked_version) : "";

	if (!c->no_shared) {
		add_part(c, SLT_PART_SHARED, "shared-params.xml", a, &d);
	}
	if (!c->no_private) {
		add_part(c, SLT_PART_PRIVATE, "private-params.xml", a, &d);
	}
	if (c->tables) {
		add_part(c, SLT_PART_MAPPINGS, "tables.zip", a, &d);
	}
	if (!slt_directory_write(
		    &d, f.key[c->signer],
		    serve(200, slt_arena_printf(a, "http://%s/%s%s", c->host, c->leaf, query)),
		    &err)) {
		fail_msg("%s", err.msg);
	}
	slt_arena_free(a);
}

/* --- fetching ----------------------------------------------------------------------------- */

static inline enum slt_code fetch_as(const char *federation, int64_t now,
				     struct slt_gc_fetch_result *r)
{
	struct slt_anchor_source source = {
		.url = "http://cs.fi/internalconf", .certs = &f.cert[0]->x509, .n_certs = 1};
	const struct slt_anchor anchor = {.instance = "FI", .sources = &source, .n_sources = 1};
	const struct slt_gc_fetch o = {.anchor = &anchor,
				       .dir = f.cache,
				       .federation = federation,
				       .mappings = f.mappings,
				       .fetch = get,
				       .now_ms = now};
	struct slt_err err = SLT_ERR_INIT;

	forget_asked();
	return slt_globalconf_fetch(&o, r, &err) ? SLT_OK : err.code;
}

static inline enum slt_code fetch(void)
{
	struct slt_gc_fetch_result r = {.warnings = NULL};
	enum slt_code code = fetch_as("none", PKI_NOW, &r);

	free(r.warnings);
	return code;
}

/* What the cache says, by the freshness of an instance; 0 when it is not there. */
static inline int64_t held(const char *instance)
{
	const struct slt_gc_load_options o = {.now_ms = PKI_NOW};
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_gc_info info;
	int64_t v = 0;

	if (!slt_globalconf_load(f.cache, &o, &gc, NULL, &err)) {
		return 0;
	}
	if (slt_globalconf_instance(gc, instance)) {
		slt_gc_instance_info(slt_globalconf_instance(gc, instance), &info);
		v = info.ocsp_freshness_s;
	}
	slt_globalconf_free(gc);
	return v;
}

static inline bool in_cache(const char *name)
{
	char *path = slt_asprintf("%s/%s", f.cache, name);
	bool there = slt_file_exists(path);

	free(path);
	return there;
}

static inline void put(const char *name, const char *text)
{
	char *path = slt_asprintf("%s/%s", f.cache, name);
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_file_write(path, text, strlen(text), 0644, &err)) {
		fail_msg("%s", err.msg);
	}
	free(path);
}

static inline int setup(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	snprintf(f.dir, sizeof(f.dir), "/tmp/slt-gccache-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.cache, sizeof(f.cache), "%s/cache", f.dir);
	for (unsigned i = 0; i < 3; i++) {
		char *c = slt_asprintf("%s/%u.crt", f.dir, i);
		char *k = slt_asprintf("%s/%u.key", f.dir, i);
		f.cert[i] = pki_ca(NULL, "CN=signing", PKI_P256, i);
		pki_write_pem(f.cert[i], c, k);
		if (!slt_key_load(k, c, NULL, false, &f.key[i], &err)) {
			fail_msg("%s", err.msg);
		}
		free(c);
		free(k);
	}
	return 0;
}

static inline int teardown(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		slt_key_free(f.key[i]);
		pki_cert_free(f.cert[i]);
	}
	return slt_rm_tree(f.dir, &err) ? 0 : -1;
}

static inline int fresh(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	forget_entries();
	forget_asked();
	f.mappings = false;
	return slt_rm_tree(f.cache, &err) ? 0 : -1;
}

static inline int clean(void **state)
{
	forget_entries();
	forget_asked();
	(void)state;
	return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, clean)
