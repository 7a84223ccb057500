/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_fetch.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "federation/gccert.h"
#include "federation/globalconf_model.h"
#include "federation/globalconf_store.h"

#define LOCATIONS_MAX 160

/* --- where an instance's configuration may come from --------------------------------------- */

struct location {
	const char *url;
	X509 *const *certs; /* whose signature counts there */
	size_t n_certs;
};

struct locations {
	struct slt_arena *arena;
	struct location v[LOCATIONS_MAX];
	size_t n;
	struct slt_gc_instance *held; /* owns the certificates that were learnt */
};

static void add_location(struct locations *l, const char *url, X509 *const *certs, size_t n)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].url, url) == 0 && l->v[i].certs == certs) {
			return;
		}
	}
	if (l->n < LOCATIONS_MAX && n > 0) {
		l->v[l->n++] = (struct location){.url = url, .certs = certs, .n_certs = n};
	}
}

/* "internalconf" of "http://host/internalconf?version=3" */
static struct slt_str leaf_of(const char *url)
{
	size_t n = strcspn(url, "?#");
	size_t from = n;

	while (from > 0 && url[from - 1] != '/') {
		from--;
	}
	return (struct slt_str){url + from, n - from};
}

static bool address_ok(const char *s)
{
	size_t n = strlen(s);

	for (const char *c = s; *c; c++) {
		if ((unsigned char)*c <= 0x20 || strchr("/\\?#@%", *c)) {
			return false;
		}
	}
	return n > 0 && n < 300;
}

/* What the held shared parameters name: X-Road learns new addresses and keys this way. They start
 * at a random one, so that the load spreads over the servers. */
static void add_learnt(struct locations *l, const char *scheme, struct slt_str leaf, size_t start)
{
	const struct slt_gc_instance *in = l->held;
	bool internal = slt_str_eq(leaf, "internalconf");

	for (size_t i = 0; i < in->n_source; i++) {
		const struct slt_gc_source *s = &in->source[(start + i) % in->n_source];
		if (!address_ok(s->address)) {
			continue;
		}
		add_location(l,
			     slt_arena_printf(l->arena, "%s://%s/%.*s", scheme, s->address,
					      (int)leaf.n, leaf.p),
			     internal ? s->internal : s->external,
			     internal ? s->n_internal : s->n_external);
	}
}

static void learn(struct locations *l, const char *dir, const struct slt_anchor *anchor)
{
	const struct gc_parse_options o = {.sources_only = true};
	SLT_AUTO_STR char *path = gc_store_path(dir, anchor->instance, GC_FILE_SHARED);
	SLT_AUTO_STR char *text = NULL;
	struct slt_str leaf = leaf_of(anchor->sources[0].url);
	size_t n = 0;
	unsigned char start = 0;
	struct slt_err ignored = SLT_ERR_INIT;

	if (!slt_str_eq(leaf, "internalconf") && !slt_str_eq(leaf, "externalconf")) {
		return;
	}
	if (!slt_file_exists(path) ||
	    !slt_file_read(path, SLT_SHARED_PARAMS_MAX, &text, &n, &ignored) ||
	    !slt_gc_instance_parse(text, n, &o, NULL, &l->held, &ignored) ||
	    strcmp(l->held->name, anchor->instance) != 0) {
		return;
	}
	slt_assert(RAND_bytes(&start, 1) == 1);
	add_learnt(l, "https", leaf, start);
	add_learnt(l, "http", leaf, start);
}

static bool has_plain_twin(const struct slt_anchor *a, const char *https)
{
	for (size_t i = 0; i < a->n_sources; i++) {
		if (strncmp(a->sources[i].url, "http://", 7) == 0 &&
		    strcmp(a->sources[i].url + 7, https + 8) == 0) {
			return true;
		}
	}
	return false;
}

/* https before http; an https address of the anchor stands for itself, one that has an http twin
 * comes from it. */
static void add_anchored(struct locations *l, const struct slt_anchor *a)
{
	for (size_t i = 0; i < a->n_sources; i++) {
		const struct slt_anchor_source *s = &a->sources[i];
		bool tls = strncmp(s->url, "https://", 8) == 0;
		if (!tls) {
			add_location(l, slt_arena_printf(l->arena, "https://%s", s->url + 7),
				     s->certs, s->n_certs);
		} else if (!has_plain_twin(a, s->url)) {
			add_location(l, s->url, s->certs, s->n_certs);
		}
	}
	for (size_t i = 0; i < a->n_sources; i++) {
		const struct slt_anchor_source *s = &a->sources[i];
		if (strncmp(s->url, "http://", 7) == 0) {
			add_location(l, s->url, s->certs, s->n_certs);
		}
	}
}

/* What answered last time goes first. */
static void prefer_last(struct locations *l, const char *dir, const char *instance)
{
	SLT_AUTO_STR char *path = gc_store_path(dir, instance, GC_FILE_SOURCE);
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;
	struct slt_err ignored = SLT_ERR_INIT;

	if (!slt_file_exists(path) || !slt_file_read(path, 4096, &text, &n, &ignored)) {
		return;
	}
	struct slt_str last = slt_str_trim((struct slt_str){text, n});
	for (size_t i = 0; i < l->n; i++) {
		if (slt_str_eq(last, l->v[i].url)) {
			struct location hit = l->v[i];
			memmove(&l->v[1], &l->v[0], i * sizeof(l->v[0]));
			l->v[0] = hit;
			return;
		}
	}
}

/* --- one download ------------------------------------------------------------------------- */

struct download {
	const struct slt_gc_fetch *f;
	const struct slt_anchor *anchor;
	bool own;
	struct slt_directory *dir;
	int version;
	const char *origin_url; /* of the directory; parts are fetched from the same server */
	const char *source;	/* the location, without version */
	struct gc_store *store;
	int64_t expires_ms;
	unsigned n_downloaded, n_unchanged;
};

static bool get(const struct slt_gc_fetch *f, const char *url, size_t max, int *ret_status,
		struct slt_buf *body, struct slt_err *err)
{
	slt_buf_reset(body);
	body->max = max;
	if (!f->fetch(f->fetch_arg, url, max, ret_status, body, err)) {
		return false;
	}
	return slt_buf_check(body, url, err);
}

static bool verify_directory(struct download *d, const struct location *at,
			     const struct slt_buf *body, struct slt_err *err)
{
	slt_directory_free(SLT_TAKE(d->dir));
	if (!slt_directory_verify(body->p, body->n, at->certs, at->n_certs, d->f->now_ms, &d->dir,
				  err) ||
	    !slt_directory_check_instance(d->dir, d->anchor->instance, err)) {
		return false;
	}
	if (d->dir->version) {
		d->version = d->dir->version;
	}
	if (d->version < SLT_GC_VERSION_MIN || d->version > SLT_GC_VERSION_MAX) {
		return slt_fail(err, SLT_EGC_HEADER_WRONG,
				"the directory has version %d, and only %d to %d are known",
				d->version, SLT_GC_VERSION_MIN, SLT_GC_VERSION_MAX);
	}
	return true;
}

/* Asks for the newest version first; 404 means that the server does not have it. Without a version
 * a server answers in version 2. */
static bool negotiate(struct download *d, const struct location *at, struct slt_arena *a,
		      struct slt_err *err)
{
	const struct slt_gc_fetch *f = d->f;
	bool fixed = strstr(at->url, "?version=") || strstr(at->url, "&version=");
	SLT_AUTO_BUF(body, SLT_DIRECTORY_MAX);

	for (int v = SLT_GC_VERSION_MAX; v >= SLT_GC_VERSION_MIN; v--) {
		int status = 0;
		d->origin_url = fixed || v == SLT_GC_VERSION_MIN
					? at->url
					: slt_arena_printf(a, "%s%cversion=%d", at->url,
							   strchr(at->url, '?') ? '&' : '?', v);
		d->version = v;
		if (!get(f, d->origin_url, SLT_DIRECTORY_MAX, &status, &body, err)) {
			return false;
		}
		if (status == 200) {
			return verify_directory(d, at, &body, err) ||
			       slt_wrap(err, "%s", d->origin_url);
		}
		if (status != 404 || fixed) {
			return slt_fail(err, SLT_EGC_DOWNLOAD, "%s answered with HTTP status %d",
					d->origin_url, status);
		}
	}
	return slt_fail(err, SLT_EGC_DOWNLOAD, "%s has no configuration directory (HTTP 404)",
			at->url);
}

/* scheme://host of the directory and the part's own path; a relative one is beside the directory.
 */
static const char *part_url(const struct download *d, const struct slt_directory_part *part,
			    struct slt_arena *a)
{
	const char *host = strstr(d->origin_url, "://") + 3;
	size_t n = (size_t)(host - d->origin_url) + strcspn(host, "/?#");
	size_t path = (size_t)(leaf_of(d->origin_url).p - d->origin_url);

	if (part->location[0] == '/') {
		return slt_arena_printf(a, "%.*s%s", (int)n, d->origin_url, part->location);
	}
	if (path <= n) {
		return slt_arena_printf(a, "%.*s/%s", (int)n, d->origin_url, part->location);
	}
	return slt_arena_printf(a, "%.*s%s", (int)path, d->origin_url, part->location);
}

static size_t part_max(const struct slt_directory_part *part)
{
	return strcmp(part->content_id, SLT_PART_SHARED) == 0 ? SLT_SHARED_PARAMS_MAX : GC_PART_MAX;
}

static bool check_shared(const struct slt_buf *body, const char *instance, struct slt_err *err)
{
	const struct gc_parse_options o = {.sources_only = false};
	SLT_AUTO(slt_gc_instance_free) struct slt_gc_instance *in = NULL;

	if (!slt_gc_instance_parse(body->p, body->n, &o, NULL, &in, err)) {
		return false;
	}
	if (strcmp(in->name, instance) != 0) {
		return slt_fail(err, SLT_EGC_INSTANCE,
				"the shared parameters describe instance %.100s, not %.100s",
				in->name, instance);
	}
	return true;
}

static bool check_private(const struct slt_buf *body, const char *instance, struct slt_err *err)
{
	SLT_AUTO(slt_private_params_free) struct slt_private_params *pp = NULL;

	if (!slt_private_params_parse(body->p, body->n, &pp, err)) {
		return false;
	}
	if (strcmp(pp->instance, instance) != 0) {
		return slt_fail(err, SLT_EGC_INSTANCE,
				"the private parameters belong to instance %.100s, not %.100s",
				pp->instance, instance);
	}
	return true;
}

/* A part that is signed and still makes no sense is not stored. */
static bool check_content(const struct download *d, const struct slt_directory_part *part,
			  const struct slt_buf *body, struct slt_err *err)
{
	bool verify = true;

	if (strcmp(part->content_id, SLT_PART_SHARED) == 0) {
		return check_shared(body, d->anchor->instance, err);
	}
	if (strcmp(part->content_id, SLT_PART_PRIVATE) == 0) {
		return check_private(body, d->anchor->instance, err);
	}
	return strcmp(part->content_id, SLT_PART_NEXTUPDATE) != 0 ||
	       slt_gc_nextupdate_parse(body->p, body->n, &verify, err);
}

static bool fetch_part(struct download *d, const struct slt_directory_part *part,
		       struct slt_arena *a, struct slt_err *err)
{
	const char *url = part_url(d, part, a);
	SLT_AUTO_BUF(body, 0);
	int status = 0;

	if (!get(d->f, url, part_max(part), &status, &body, err)) {
		return false;
	}
	if (status != 200) {
		return slt_fail(err, SLT_EGC_DOWNLOAD, "%s answered with HTTP status %d", url,
				status);
	}
	if (!slt_directory_check_part(part, slt_buf_str(&body).p, body.n, err) ||
	    !check_content(d, part, &body, err)) {
		return slt_wrap(err, "%s", url);
	}
	d->n_downloaded++;
	return gc_store_add(d->store, gc_store_file_name(part), slt_buf_str(&body).p, body.n, err);
}

static bool wanted(const struct download *d, const struct slt_directory_part *part)
{
	if (!*part->instance || !*part->content_id) {
		return false;
	}
	if (strcmp(part->content_id, SLT_PART_MAPPINGS) == 0 && !d->f->mappings) {
		return false;
	}
	return d->own || strcmp(part->content_id, SLT_PART_SHARED) == 0;
}

static bool is_held(const struct download *d, const struct slt_directory_part *part)
{
	SLT_AUTO_STR char *path =
		gc_store_path(d->f->dir, d->anchor->instance, gc_store_file_name(part));

	return gc_store_has(path, &part->digest, part_max(part));
}

static bool add_metadata(const struct download *d, const struct slt_directory_part *part,
			 struct slt_err *err)
{
	const struct slt_directory as = {.expires_ms = d->expires_ms, .version = d->version};
	SLT_AUTO_STR char *name = slt_asprintf("%s" GC_METADATA_SUFFIX, gc_store_file_name(part));
	SLT_AUTO_BUF(json, GC_METADATA_MAX);

	return slt_globalconf_write_metadata(&as, part, &json, err) &&
	       gc_store_add(d->store, name, json.p, json.n, err);
}

/* --- never back --------------------------------------------------------------------------- */

static bool same_as_held(const struct download *d)
{
	for (size_t i = 0; i < d->dir->n_parts; i++) {
		const struct slt_directory_part *part = &d->dir->parts[i];
		if (wanted(d, part) && !is_held(d, part)) {
			return false;
		}
	}
	return true;
}

static bool check_not_older(struct download *d, struct slt_err *err)
{
	SLT_AUTO_STR char *path = gc_store_path(d->f->dir, d->anchor->instance, GC_FILE_SHARED);
	struct gc_meta m = {.there = false};
	struct slt_err ignored = SLT_ERR_INIT;
	char held[SLT_TIME_LEN], offered[SLT_TIME_LEN];

	d->expires_ms = d->dir->expires_ms;
	if (!slt_file_exists(path) || !gc_store_meta(path, &m, &ignored) ||
	    m.expires_ms <= d->expires_ms) {
		return true;
	}
	if (same_as_held(d)) {
		d->expires_ms = m.expires_ms;
		return true;
	}
	return slt_fail(err, SLT_EGC_ROLLBACK,
			"the configuration offered expires at %s, that held later, at %s: it is an "
			"older one (if the source has really begun anew, remove the directory of "
			"instance %s from the cache)",
			slt_time_format(d->expires_ms, false, offered),
			slt_time_format(m.expires_ms, false, held), d->anchor->instance);
}

/* --- an instance -------------------------------------------------------------------------- */

static const struct slt_directory_part *shared_part(const struct slt_directory *dir)
{
	for (size_t i = 0; i < dir->n_parts; i++) {
		if (strcmp(dir->parts[i].content_id, SLT_PART_SHARED) == 0) {
			return &dir->parts[i];
		}
	}
	return NULL;
}

static bool check_targets(const struct download *d, struct slt_err *err)
{
	for (size_t i = 0; i < d->dir->n_parts; i++) {
		const char *a = gc_store_file_name(&d->dir->parts[i]);
		for (size_t k = 0; k < i; k++) {
			if (wanted(d, &d->dir->parts[i]) && wanted(d, &d->dir->parts[k]) &&
			    slt_strcase_eq(a, gc_store_file_name(&d->dir->parts[k]))) {
				return slt_fail(err, SLT_EGC_HEADER_WRONG,
						"two parts of the directory would be stored as %s",
						a);
			}
		}
	}
	return true;
}

static bool collect(struct download *d, struct slt_arena *a, struct slt_err *err)
{
	for (size_t i = 0; i < d->dir->n_parts; i++) {
		const struct slt_directory_part *part = &d->dir->parts[i];
		if (!wanted(d, part)) {
			continue;
		}
		if (is_held(d, part)) {
			d->n_unchanged++;
			if (!gc_store_keep(d->store, gc_store_file_name(part), err)) {
				return false;
			}
		} else if (!fetch_part(d, part, a, err)) {
			return false;
		}
		if (!add_metadata(d, part, err)) {
			return false;
		}
	}
	return gc_store_add(d->store, GC_FILE_SOURCE, d->source, strlen(d->source), err);
}

static bool try_location(struct download *d, const struct location *at, struct slt_arena *a,
			 struct slt_err *err)
{
	gc_store_free(SLT_TAKE(d->store));
	d->n_downloaded = d->n_unchanged = 0;
	d->source = at->url;
	if (!negotiate(d, at, a, err)) {
		return false;
	}
	if (!shared_part(d->dir)) {
		return slt_fail(err, SLT_EGC_HEADER_MISSING,
				"%s: the directory lists no shared parameters", d->origin_url);
	}
	return check_targets(d, err) && check_not_older(d, err) &&
	       gc_store_begin(d->f->dir, d->anchor->instance, &d->store, err) &&
	       collect(d, a, err) && gc_store_commit(d->store, err);
}

/* Of what went wrong at several addresses, that one is silent says least; then, that it does not
 * have what it should. */
static int weight(enum slt_code code)
{
	switch ((int)code) {
	case SLT_OK:
		return 0;
	case SLT_ENETWORK:
	case SLT_EUNKNOWN_HOST:
	case SLT_EDEADLINE:
		return 1;
	case SLT_EHTTP:
	case SLT_EGC_DOWNLOAD:
		return 2;
	default:
		return 3;
	}
}

static bool try_all(struct download *d, const struct locations *l, struct slt_err *err)
{
	struct slt_err worst = SLT_ERR_INIT;

	for (size_t i = 0; i < l->n; i++) {
		struct slt_err why = SLT_ERR_INIT;
		if (try_location(d, &l->v[i], l->arena, &why)) {
			return true;
		}
		if (weight(why.code) > weight(worst.code)) {
			worst = why;
		}
	}
	if (worst.code == SLT_OK) {
		return slt_fail(err, SLT_EGC_DOWNLOAD,
				"there is no address to fetch the configuration from");
	}
	*err = worst;
	return slt_wrap(err, "cannot fetch the configuration of instance %s", d->anchor->instance);
}

bool gc_fetch_instance(const struct slt_gc_fetch *f, const struct slt_anchor *anchor, bool own,
		       struct slt_gc_fetch_result *r, struct slt_err *err)
{
	struct locations l = {.arena = slt_arena_new()};
	struct download d = {.f = f, .anchor = anchor, .own = own};

	learn(&l, f->dir, anchor);
	add_anchored(&l, anchor);
	prefer_last(&l, f->dir, anchor->instance);
	bool ok = try_all(&d, &l, err);
	if (ok) {
		r->n_downloaded += d.n_downloaded;
		r->n_unchanged += d.n_unchanged;
	}
	if (ok && own) {
		r->version = d.version;
		r->expires_ms = d.expires_ms;
	}
	gc_store_free(d.store);
	slt_directory_free(d.dir);
	slt_gc_instance_free(l.held);
	slt_arena_free(l.arena);
	return ok;
}
