/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_fetch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "federation/globalconf_store.h"

#define WARNINGS_MAX 65536

static void close_fd(int fd)
{
	if (fd >= 0) {
		close(fd);
	}
}
SLT_DEFINE_AUTO(int, close_fd)

/* Two processes that fetch into one cache would undo each other's work. */
static bool lock_cache(const char *dir, int *ret_fd, struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, ".lock");
	SLT_AUTO(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot open %s", path);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK) {
			return slt_fail(err, SLT_EBUSY,
					"another process is fetching into %s: try again when it is "
					"done",
					dir);
		}
		return slt_fail_errno(err, SLT_EIO, "cannot lock %s", path);
	}
	*ret_fd = fd;
	fd = -1;
	return true;
}

static bool claim_cache(const char *dir, const char *instance, struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, GC_FILE_INSTANCE);
	SLT_AUTO_STR char *held = NULL;

	if (!slt_file_exists(path)) {
		return true;
	}
	if (!slt_globalconf_read_identifier(dir, &held, err)) {
		return false;
	}
	if (strcmp(held, instance) != 0) {
		return slt_fail(
			err, SLT_EGC_INSTANCE,
			"%s is the cache of instance %.100s, and the anchor is of %.100s: use "
			"another directory",
			dir, held, instance);
	}
	return true;
}

/* --- federation --------------------------------------------------------------------------- */

static bool in_list(const char *list, const char *name)
{
	for (const char *at = list; at;) {
		const char *comma = strchr(at, ',');
		struct slt_str item = slt_str_trim(
			(struct slt_str){at, comma ? (size_t)(comma - at) : strlen(at)});
		if (item.n == strlen(name) && strncasecmp(item.p, name, item.n) == 0) {
			return true;
		}
		at = comma ? comma + 1 : NULL;
	}
	return false;
}

/* The words win over names, and "none" over "all". */
static bool allowed(const char *filter, const char *instance)
{
	if (!filter || in_list(filter, "none")) {
		return false;
	}
	return in_list(filter, "all") || in_list(filter, instance);
}

static bool load_private(const char *dir, const char *own, struct slt_private_params **ret,
			 struct slt_err *err)
{
	SLT_AUTO_STR char *path = gc_store_path(dir, own, GC_FILE_PRIVATE);
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;

	if (!slt_file_exists(path)) {
		return true;
	}
	return slt_file_read(path, SLT_PRIVATE_PARAMS_MAX, &text, &n, err) &&
	       slt_private_params_parse(text, n, ret, err);
}

static bool is_first(const struct slt_private_params *pp, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(pp->anchor[k]->instance, pp->anchor[i]->instance) == 0) {
			return false;
		}
	}
	return true;
}

static bool is_federated(const struct slt_private_params *pp, size_t i, const char *filter)
{
	const char *name = pp->anchor[i]->instance;

	return strcmp(name, pp->instance) != 0 && allowed(filter, name) && is_first(pp, i);
}

static void fetch_foreign(const struct slt_gc_fetch *f, const struct slt_private_params *pp,
			  struct slt_gc_fetch_result *r, struct slt_buf *warnings)
{
	unsigned n = 0;

	for (size_t i = 0; i < pp->n_anchor; i++) {
		struct slt_err why = SLT_ERR_INIT;
		if (!is_federated(pp, i, f->federation)) {
			continue;
		}
		if (++n >= SLT_INSTANCES_MAX) {
			slt_buf_addf(warnings, "instance %s is left out: there are more than %d\n",
				     pp->anchor[i]->instance, SLT_INSTANCES_MAX);
			continue;
		}
		if (!gc_fetch_instance(f, pp->anchor[i], false, r, &why)) {
			slt_buf_addf(warnings, "%s\n", why.msg);
		}
	}
}

/* --- what is no longer wanted ------------------------------------------------------------- */

static bool still_wanted(const struct slt_private_params *pp, const char *instance,
			 const char *filter)
{
	for (size_t i = 0; i < pp->n_anchor; i++) {
		if (strcmp(pp->anchor[i]->instance, instance) == 0 && is_federated(pp, i, filter)) {
			return true;
		}
	}
	return false;
}

/* A directory is ours to remove only if we (or X-Road) filled it. */
static void drop_unwanted(const struct slt_gc_fetch *f, const struct slt_private_params *pp)
{
	DIR *d = opendir(f->dir);
	struct slt_err ignored = SLT_ERR_INIT;

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		SLT_AUTO_BUF(name, 4096);
		if (e->d_name[0] == '.' || !gc_store_decode(e->d_name, &name) ||
		    !slt_globalconf_instance_ok(name.p) ||
		    strcmp(name.p, f->anchor->instance) == 0 ||
		    still_wanted(pp, name.p, f->federation)) {
			continue;
		}
		SLT_AUTO_STR char *dir = slt_path_join(f->dir, e->d_name);
		SLT_AUTO_STR char *meta = slt_path_join(dir, GC_FILE_SHARED GC_METADATA_SUFFIX);
		if (slt_file_exists(meta) && !slt_rm_tree(dir, &ignored)) {
			slt_err_clear(&ignored);
		}
	}
	if (d) {
		closedir(d);
	}
}

/* --- mapping tables ----------------------------------------------------------------------- */

bool slt_globalconf_read_mappings(const char *dir, const char *instance, char **ret, size_t *ret_n,
				  struct slt_err *err)
{
	if (!slt_globalconf_instance_ok(instance)) {
		return slt_fail(err, SLT_EINVAL, "\"%.100s\" is not an instance identifier",
				instance);
	}
	SLT_AUTO_STR char *path = gc_store_path(dir, instance, GC_FILE_MAPPINGS);
	if (!slt_file_exists(path)) {
		return slt_fail(err, SLT_EGC_HEADER_MISSING,
				"the configuration of instance %s in %s has no part with mapping "
				"tables (" SLT_PART_MAPPINGS "): its source does not publish any",
				instance, dir);
	}
	return slt_file_read(path, GC_PART_MAX, ret, ret_n, err);
}

/* --- the round ---------------------------------------------------------------------------- */

static bool fetch_own(const struct slt_gc_fetch *f, struct slt_gc_fetch_result *r,
		      struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(f->dir, GC_FILE_INSTANCE);

	if (!gc_fetch_instance(f, f->anchor, true, r, err)) {
		return false;
	}
	return slt_file_exists(path) ||
	       slt_file_write(path, f->anchor->instance, strlen(f->anchor->instance), 0644, err);
}

bool slt_globalconf_fetch(const struct slt_gc_fetch *f, struct slt_gc_fetch_result *ret,
			  struct slt_err *err)
{
	SLT_AUTO(close_fd) int lock = -1;
	SLT_AUTO_BUF(warnings, WARNINGS_MAX);
	SLT_AUTO(slt_private_params_free) struct slt_private_params *pp = NULL;
	struct slt_gc_fetch_result r = {.version = 0};
	struct slt_err why = SLT_ERR_INIT;

	if (!slt_mkdir_p(f->dir, 0755, err) || !lock_cache(f->dir, &lock, err) ||
	    !claim_cache(f->dir, f->anchor->instance, err) || !fetch_own(f, &r, err)) {
		return false;
	}
	if (!load_private(f->dir, f->anchor->instance, &pp, &why)) {
		slt_buf_addf(&warnings, "%s\n", why.msg);
	} else if (pp) {
		fetch_foreign(f, pp, &r, &warnings);
		drop_unwanted(f, pp);
	}
	r.warnings = warnings.n ? slt_buf_take(&warnings, NULL) : NULL;
	*ret = r;
	return true;
}
