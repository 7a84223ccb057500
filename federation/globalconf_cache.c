/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_cache.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "federation/globalconf_model.h"
#include "federation/globalconf_store.h"
#include "federation/private_params.h"

#define WARNINGS_MAX 65536
#define ENTRIES_MAX  4096 /* of a directory that is listed */
#define RELOADS_MAX  5

struct load {
	const char *dir;
	const struct slt_gc_load_options *o;
	struct slt_buf *warnings;
};

/* --- one instance ------------------------------------------------------------------------- */

static bool read_file(const char *path, size_t max, char **ret, size_t *ret_n, struct slt_err *err)
{
	if (slt_file_read(path, max, ret, ret_n, err)) {
		return true;
	}
	err->code = SLT_EMALFORMED_GLOBALCONF;
	return false;
}

static bool set_version(struct slt_gc_instance *in, const struct gc_meta *m, struct slt_err *err)
{
	if (m->version) {
		in->version = m->version;
	} else if (!m->there && in->n_source) {
		/* a bare tree: only from version 3 on are sources named */
		in->version = 3;
	}
	if (in->version < SLT_GC_VERSION_MIN || in->version > SLT_GC_VERSION_MAX) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"configuration version %d is not among those known, %d to %d",
				in->version, SLT_GC_VERSION_MIN, SLT_GC_VERSION_MAX);
	}
	return true;
}

static bool load_shared(const struct load *l, const char *path, const char *instance,
			struct slt_gc_instance **ret, struct slt_err *err)
{
	const struct gc_parse_options po = {.allow_test_profile = l->o->allow_test_profile};
	SLT_AUTO(slt_gc_instance_free) struct slt_gc_instance *in = NULL;
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;
	struct gc_meta m;

	if (!gc_store_meta(path, &m, err) ||
	    !read_file(path, SLT_SHARED_PARAMS_MAX, &text, &n, err) ||
	    !slt_gc_instance_parse(text, n, &po, l->warnings, &in, err) ||
	    !set_version(in, &m, err)) {
		return slt_wrap(err, "%s", path);
	}
	if (instance && strcmp(in->name, instance) != 0) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"%s describes instance %.100s, not %.100s", path, in->name,
				instance);
	}
	in->expires_ms = m.expires_ms;
	*ret = SLT_TAKE(in);
	return true;
}

/* The own instance is valid until the first of its files expires. */
static bool earliest_expiry(const char *dir, int64_t *expires_ms, struct slt_err *err)
{
	const size_t suffix = strlen(GC_METADATA_SUFFIX);
	DIR *d = opendir(dir);
	unsigned seen = 0;
	bool ok = true;

	if (!d) {
		return slt_fail_errno(err, SLT_EMALFORMED_GLOBALCONF, "cannot list %s", dir);
	}
	for (struct dirent *e = readdir(d); e && ok && seen++ < ENTRIES_MAX; e = readdir(d)) {
		size_t n = strlen(e->d_name);
		if (n <= suffix || strcmp(e->d_name + n - suffix, GC_METADATA_SUFFIX) != 0) {
			continue;
		}
		SLT_AUTO_STR char *file =
			slt_asprintf("%s/%.*s", dir, (int)(n - suffix), e->d_name);
		struct gc_meta m = {.there = false};
		ok = gc_store_meta(file, &m, err);
		if (m.expires_ms && m.expires_ms < *expires_ms) {
			*expires_ms = m.expires_ms;
		}
	}
	closedir(d);
	return ok;
}

static bool check_private(const struct load *l, const char *instance, struct slt_err *err)
{
	SLT_AUTO_STR char *path = gc_store_path(l->dir, instance, GC_FILE_PRIVATE);
	SLT_AUTO(slt_private_params_free) struct slt_private_params *pp = NULL;
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;

	if (!slt_file_exists(path)) {
		return true;
	}
	if (!read_file(path, SLT_PRIVATE_PARAMS_MAX, &text, &n, err) ||
	    !slt_private_params_parse(text, n, &pp, err)) {
		return slt_wrap(err, "%s", path);
	}
	if (strcmp(pp->instance, instance) != 0) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"%s belongs to instance %.100s, not %.100s", path, pp->instance,
				instance);
	}
	return true;
}

/* A part NEXTUPDATE that cannot be read leaves the strict default in force. */
static void load_nextupdate(const struct load *l, struct slt_gc_instance *in)
{
	SLT_AUTO_STR char *path = gc_store_path(l->dir, in->name, GC_FILE_NEXTUPDATE);
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;
	struct slt_err why = SLT_ERR_INIT;

	if (slt_file_exists(path) &&
	    (!slt_file_read(path, SLT_ANCHOR_MAX, &text, &n, &why) ||
	     !slt_gc_nextupdate_parse(text, n, &in->verify_next_update, &why))) {
		slt_buf_addf(l->warnings, "instance %s: %s; nextUpdate is verified\n", in->name,
			     why.msg);
	}
}

static bool load_own(const struct load *l, const char *instance, struct slt_gc_instance **ret,
		     struct slt_err *err)
{
	SLT_AUTO_STR char *dir = gc_store_path(l->dir, instance, NULL);
	SLT_AUTO_STR char *path = gc_store_path(l->dir, instance, GC_FILE_SHARED);
	SLT_AUTO(slt_gc_instance_free) struct slt_gc_instance *in = NULL;

	if (!slt_file_exists(path)) {
		return slt_fail(
			err, SLT_EMALFORMED_GLOBALCONF,
			"the configuration cache %s holds nothing of its own instance %.100s",
			l->dir, instance);
	}
	if (!load_shared(l, path, instance, &in, err) || !check_private(l, instance, err)) {
		return false;
	}
	if (in->expires_ms && !earliest_expiry(dir, &in->expires_ms, err)) {
		return false;
	}
	load_nextupdate(l, in);
	*ret = SLT_TAKE(in);
	return true;
}

/* --- foreign instances -------------------------------------------------------------------- */

static void load_foreign(const struct load *l, const char *instance, struct slt_globalconf *gc)
{
	SLT_AUTO_STR char *path = gc_store_path(l->dir, instance, GC_FILE_SHARED);
	struct slt_gc_instance *in = NULL;
	struct slt_err why = SLT_ERR_INIT;
	char at[SLT_TIME_LEN];

	if (!slt_file_exists(path)) {
		return;
	}
	if (gc->n_instance == SLT_INSTANCES_MAX) {
		slt_buf_addf(l->warnings, "instance %s is left out: there are more than %d\n",
			     instance, SLT_INSTANCES_MAX);
		return;
	}
	if (!load_shared(l, path, instance, &in, &why)) {
		slt_buf_addf(l->warnings, "instance %s is left out: %s\n", instance, why.msg);
		return;
	}
	if (l->o->now_ms >= 0 && in->expires_ms < l->o->now_ms) {
		slt_buf_addf(l->warnings, "instance %s is left out: its configuration %s%s\n",
			     instance, in->expires_ms ? "expired at " : "has no expiry date",
			     in->expires_ms ? slt_time_format(in->expires_ms, false, at) : "");
		slt_gc_instance_free(in);
		return;
	}
	gc->instance[gc->n_instance++] = in;
}

static int is_instance_dir(const struct dirent *e)
{
	return e->d_name[0] != '.' &&
	       (e->d_type == DT_DIR || e->d_type == DT_LNK || e->d_type == DT_UNKNOWN);
}

/* In the order of their names, so that two loads of one cache agree. */
static bool load_all_foreign(const struct load *l, struct slt_globalconf *gc, struct slt_err *err)
{
	struct dirent **entries = NULL;
	int n = scandir(l->dir, &entries, is_instance_dir, alphasort);

	if (n < 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot list %s", l->dir);
	}
	for (int i = 0; i < n; i++) {
		SLT_AUTO_BUF(name, 4096);
		if (i < ENTRIES_MAX && gc_store_decode(entries[i]->d_name, &name) &&
		    slt_globalconf_instance_ok(name.p) &&
		    strcmp(name.p, gc->instance[0]->name) != 0) {
			load_foreign(l, name.p, gc);
		}
		free(entries[i]);
	}
	free(entries);
	return true;
}

/* --- the whole ---------------------------------------------------------------------------- */

bool slt_globalconf_read_identifier(const char *dir, char **ret, struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, GC_FILE_INSTANCE);
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;

	if (!slt_file_exists(path)) {
		return slt_fail(err, SLT_EGC_MISSING_INSTANCE,
				"%s is missing: %s is not a configuration cache, or was never "
				"filled",
				path, dir);
	}
	if (!slt_file_read(path, 4096, &text, &n, err)) {
		err->code = SLT_EGC_MISSING_INSTANCE;
		return false;
	}
	struct slt_str id = slt_str_trim((struct slt_str){text, n});
	SLT_AUTO_STR char *name = slt_strndup(id.p, id.n);
	if (!slt_globalconf_instance_ok(name)) {
		return slt_fail(err, SLT_EGC_MISSING_INSTANCE,
				"%s does not hold an instance identifier", path);
	}
	*ret = SLT_TAKE(name);
	return true;
}

static struct slt_globalconf *new_snapshot(void)
{
	struct slt_globalconf *gc = slt_calloc(1, sizeof(*gc));

	gc->refs = 1;
	gc->instance = slt_calloc(SLT_INSTANCES_MAX, sizeof(struct slt_gc_instance *));
	return gc;
}

bool slt_globalconf_load_shared(const char *path, struct slt_globalconf **ret, struct slt_err *err)
{
	SLT_AUTO_BUF(warnings, WARNINGS_MAX);
	const struct slt_gc_load_options o = {.now_ms = -1};
	const struct load l = {.o = &o, .warnings = &warnings};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = new_snapshot();

	if (!load_shared(&l, path, NULL, &gc->instance[0], err)) {
		return false;
	}
	gc->n_instance = 1;
	*ret = SLT_TAKE(gc);
	return true;
}

static bool load_once(const struct load *l, struct slt_globalconf **ret, struct slt_err *err)
{
	SLT_AUTO_STR char *own = NULL;
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = new_snapshot();

	if (!slt_globalconf_read_identifier(l->dir, &own, err) ||
	    !load_own(l, own, &gc->instance[0], err)) {
		return false;
	}
	gc->n_instance = 1;
	if (!load_all_foreign(l, gc, err)) {
		return false;
	}
	*ret = SLT_TAKE(gc);
	return true;
}

/* Which directory the own instance is in just now: fetching puts a new one in its place. The
 * number alone does not tell, it is given again. */
struct place {
	ino_t number;
	struct timespec changed;
};

static struct place own_place(const char *dir)
{
	SLT_AUTO_STR char *own = NULL;
	struct slt_err ignored = SLT_ERR_INIT;
	struct stat st;

	if (!slt_globalconf_read_identifier(dir, &own, &ignored)) {
		return (struct place){.number = 0};
	}
	SLT_AUTO_STR char *path = gc_store_path(dir, own, NULL);
	if (stat(path, &st) != 0) {
		return (struct place){.number = 0};
	}
	return (struct place){.number = st.st_ino, .changed = st.st_ctim};
}

static bool same_place(struct place a, struct place b)
{
	return a.number == b.number && a.changed.tv_sec == b.changed.tv_sec &&
	       a.changed.tv_nsec == b.changed.tv_nsec;
}

bool slt_globalconf_load(const char *dir, const struct slt_gc_load_options *o,
			 struct slt_globalconf **ret, char **ret_warnings, struct slt_err *err)
{
	SLT_AUTO_BUF(warnings, WARNINGS_MAX);
	const struct load l = {.dir = dir, .o = o, .warnings = &warnings};
	struct slt_globalconf *gc = NULL;

	for (unsigned i = 0;; i++) {
		struct place before = own_place(dir);
		struct slt_err why = SLT_ERR_INIT;
		bool ok = load_once(&l, &gc, &why);
		if (same_place(before, own_place(dir)) || i == RELOADS_MAX) {
			if (!ok) {
				*err = why;
				return false;
			}
			break;
		}
		/* replaced while it was read: the files may not belong together */
		slt_globalconf_free(SLT_TAKE(gc));
		slt_buf_reset(&warnings);
	}
	if (ret_warnings) {
		*ret_warnings = warnings.n ? slt_buf_take(&warnings, NULL) : NULL;
	}
	*ret = gc;
	return true;
}
