/* SPDX-License-Identifier: MIT */
#include "mapset_part.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/zip.h"
#include "federation/globalconf_cache.h"
#include "mappings/engine.h"
#include "mappings/manifest.h"

static const struct slt_zip_limits limits = {.entries = SLT_MAPSET_PART_FILES,
					     .entry_bytes = SLT_MAPSET_PART_FILE_MAX,
					     .total_bytes = SLT_MAPSET_PART_TOTAL_MAX,
					     .ratio = SLT_MAPSET_PART_RATIO_MAX,
					     .ratio_from = SLT_MAPSET_PART_RATIO_FROM,
					     .files_only = true};

/* --- what belongs to a set ---------------------------------------------------------------- */

/* Letters, digits and ._- without a dot in front, at most some directories deep. */
static bool path_plain(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	unsigned depth = 0;

	for (const char *p = name;; p++) {
		size_t n = strspn(p, letters);
		if (n == 0 || p[0] == '.' || ++depth > SLT_MAPSET_PART_DEPTH_MAX) {
			return false;
		}
		p += n;
		if (*p != '/') {
			return *p == '\0';
		}
	}
}

static bool starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n > k && strcmp(s + n - k, suffix) == 0;
}

static bool name_ok(const char *name)
{
	if (!path_plain(name)) {
		return false;
	}
	if (!strchr(name, '/')) {
		return strcmp(name, "messages.tsv") == 0 ||
		       (starts(name, "manifest.") && name[strlen("manifest.")]);
	}
	if (starts(name, "flows/") && (ends(name, ".xsd") || ends(name, ".sch"))) {
		return true;
	}
	return (starts(name, "pivot/") || starts(name, "countries/") || starts(name, "flows/")) &&
	       (ends(name, ".tsv") || ends(name, ".conf"));
}

/* A rule file could pull in what lies outside the set: libconfig does so for a line of "@include".
 */
static bool includes_another(const char *name, struct slt_str bytes)
{
	const char *end = bytes.p + bytes.n;

	for (const char *p = bytes.p; ends(name, ".conf") && p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		struct slt_str line =
			slt_str_trim((struct slt_str){p, (size_t)((nl ? nl : end) - p)});
		if (slt_str_starts(line, "@include")) {
			return true;
		}
		p = nl ? nl + 1 : end;
	}
	return false;
}

static bool check_file(const char *name, struct slt_str bytes, struct slt_err *err)
{
	if (!name_ok(name)) {
		return slt_fail(
			err, SLT_EINVAL,
			"%.80s does not belong to a mapping set: a set is messages.tsv, "
			"manifests, and tables (.tsv), rules (.conf) and schemas (.xsd, .sch) "
			"below pivot/, countries/ and flows/",
			name);
	}
	if (bytes.p && includes_another(name, bytes)) {
		return slt_fail(err, SLT_EINVAL,
				"%.80s includes another file: the rules of a set that is published "
				"stand in its own files",
				name);
	}
	return true;
}

bool slt_mapset_loads(void *arg, const char *dir, struct slt_err *err)
{
	struct slt_mapset *set = NULL;

	(void)arg;
	if (!slt_mapset_load(dir, &set, err)) {
		return false;
	}
	slt_mapset_free(set);
	return true;
}

/* --- packing ------------------------------------------------------------------------------ */

/* The writer borrows what it is given. */
struct packer {
	const char *dir;
	struct slt_zip_writer *zip;
	char **held;
	size_t n_held;
	uint64_t total;
};

static bool pack_file(struct packer *p, const char *name, struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(p->dir, name);
	SLT_AUTO_STR char *bytes = NULL;
	size_t n = 0;

	if (!slt_file_read(path, SLT_MAPSET_PART_FILE_MAX, &bytes, &n, err) ||
	    !check_file(name, (struct slt_str){bytes ? bytes : "", n}, err)) {
		return false;
	}
	p->total += n;
	if (p->total > SLT_MAPSET_PART_TOTAL_MAX) {
		return slt_fail(err, SLT_ELIMIT, "the set in %s is larger than %u bytes", p->dir,
				SLT_MAPSET_PART_TOTAL_MAX);
	}
	char *kept = bytes ? SLT_TAKE(bytes) : slt_strdup("");
	p->held[p->n_held++] = kept;
	return slt_zip_writer_add(p->zip, name, (struct slt_str){kept, n}, false, err);
}

static bool pack_all(struct packer *p, const struct slt_manifest *m, struct slt_err *err)
{
	static const char *const manifests[] = {SLT_MANIFEST_NAME, "manifest.p7s"};

	p->held = slt_calloc(m->n_files + SLT_COUNT(manifests), sizeof(char *));
	for (size_t i = 0; i < SLT_COUNT(manifests); i++) {
		SLT_AUTO_STR char *path = slt_path_join(p->dir, manifests[i]);
		if (slt_file_exists(path) && !pack_file(p, manifests[i], err)) {
			return false;
		}
	}
	for (size_t i = 0; i < m->n_files; i++) {
		if (!pack_file(p, m->file[i].path, err)) {
			return false;
		}
	}
	return true;
}

bool slt_mapset_part_make(const char *dir, struct slt_buf *out, struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_zip_writer_free) struct slt_zip_writer *zip = NULL;
	SLT_AUTO(slt_zip_reader_free) struct slt_zip_reader *again = NULL;
	SLT_AUTO_LINT(lint);
	struct slt_manifest m = {.n_files = 0};

	if (!slt_mapset_loads(NULL, dir, err)) {
		return false;
	}
	if (!slt_manifest_collect(dir, a, &lint, &m)) {
		return slt_lint_finish(&lint, err) ||
		       slt_fail(err, SLT_ECONFIG, "the files of %s cannot be listed", dir);
	}
	if (!slt_zip_writer_new(&zip, err)) {
		return false;
	}
	struct packer p = {.dir = dir, .zip = zip};
	bool ok = pack_all(&p, &m, err) && slt_zip_writer_finish(zip, out, err);
	for (size_t i = 0; i < p.n_held; i++) {
		free(p.held[i]);
	}
	free(p.held);
	/* what those who fetch it would refuse is not published */
	return ok && slt_zip_reader_open(slt_buf_str(out), &limits, &again, err);
}

/* --- unpacking ---------------------------------------------------------------------------- */

struct place {
	char *dir;    /* where the set belongs */
	char *parent; /* … and what it lies in */
	char *next;   /* beside it: the set under construction */
	char *mark;   /* of the part, as it is written into its directory */
	int lock;
};

static void place_fini(struct place *p)
{
	struct slt_err ignored = SLT_ERR_INIT;

	if (p->lock >= 0 && p->next && !slt_rm_tree(p->next, &ignored)) {
		/* the next round tries again */
		slt_err_clear(&ignored);
	}
	if (p->lock >= 0) {
		close(p->lock);
	}
	free(p->dir);
	free(p->parent);
	free(p->next);
	free(p->mark);
}

/* Two that unpack into one place would undo each other's work. */
static bool place_lock(struct place *p, const char *name, struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_asprintf("%s/.%s.lock", p->parent, name);

	p->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (p->lock < 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot open %s", path);
	}
	if (flock(p->lock, LOCK_EX | LOCK_NB) != 0) {
		close(p->lock);
		p->lock = -1;
		return slt_fail(err, SLT_EBUSY,
				"another process is unpacking into %s: try again when it is done",
				p->dir);
	}
	return true;
}

static bool place_init(struct place *p, const char *dir, struct slt_str zip, struct slt_err *err)
{
	size_t n = strlen(dir);
	struct slt_digest d;
	SLT_AUTO_BUF(hex, 2 * SLT_DIGEST_MAX + 1);

	while (n > 0 && dir[n - 1] == '/') {
		n--;
	}
	p->dir = slt_strndup(dir, n);
	const char *slash = strrchr(p->dir, '/');
	const char *name = slash ? slash + 1 : p->dir;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		return slt_fail(err, SLT_ECONFIG,
				"\"%s\" is not the name of a directory that could be replaced",
				dir);
	}
	p->parent = !slash	      ? slt_strdup(".")
		    : slash == p->dir ? slt_strdup("/")
				      : slt_strndup(p->dir, (size_t)(slash - p->dir));
	p->next = slt_asprintf("%s/.%s.next", p->parent, name);
	slt_digest_of(SLT_SHA512, zip.p, zip.n, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	p->mark = slt_asprintf("%s\n", slt_buf_str(&hex).p);
	return slt_mkdir_p(p->parent, 0755, err) && place_lock(p, name, err);
}

static bool is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	while (d && n < 3 && readdir(d)) {
		n++;
	}
	if (d) {
		closedir(d);
	}
	return d && n == 2; /* "." and ".." */
}

/* What is not ours to replace stays: a set that somebody edits, or a slip of the pen in a path. */
static bool check_held(const struct place *p, bool *ret_same, struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(p->dir, SLT_MAPSET_PART_MARK);
	SLT_AUTO_STR char *mark = NULL;
	size_t n = 0;
	struct stat st;

	*ret_same = false;
	if (lstat(p->dir, &st) != 0) {
		return errno == ENOENT || slt_fail_errno(err, SLT_EIO, "cannot open %s", p->dir);
	}
	if (!S_ISDIR(st.st_mode) || (!slt_file_exists(path) && !is_empty(p->dir))) {
		return slt_fail(err, SLT_ECONFIG,
				"%s was not made from a published part and is left alone: name a "
				"directory that does not exist yet",
				p->dir);
	}
	if (slt_file_exists(path)) {
		if (!slt_file_read(path, 4096, &mark, &n, err)) {
			return false;
		}
		*ret_same = mark && strcmp(mark, p->mark) == 0;
	}
	return true;
}

static bool unpack_file(const struct place *p, const struct slt_zip_reader *z, size_t i,
			struct slt_err *err)
{
	const char *name = slt_zip_reader_name(z, i);
	SLT_AUTO_STR char *path = NULL;
	SLT_AUTO_BUF(bytes, (size_t)SLT_MAPSET_PART_FILE_MAX + 1);

	if (!check_file(name, (struct slt_str){NULL, 0}, err)) {
		return false;
	}
	path = slt_asprintf("%s/%s", p->next, name);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	bool ok = slt_mkdir_p(path, 0755, err);
	*slash = '/';
	return ok && slt_zip_reader_read(z, i, &bytes, err) &&
	       check_file(name, slt_buf_str(&bytes), err) &&
	       slt_file_write(path, slt_buf_str(&bytes).p, bytes.n, 0644, err);
}

static bool unpack(const struct place *p, struct slt_str zip, struct slt_err *err)
{
	SLT_AUTO(slt_zip_reader_free) struct slt_zip_reader *z = NULL;
	SLT_AUTO_STR char *mark = slt_path_join(p->next, SLT_MAPSET_PART_MARK);

	if (zip.n > SLT_MAPSET_PART_MAX) {
		return slt_fail(err, SLT_ELIMIT, "the part has more than %u bytes",
				SLT_MAPSET_PART_MAX);
	}
	if (!slt_zip_reader_open(zip, &limits, &z, err)) {
		err->code = err->code == SLT_EIO ? SLT_EINVAL : err->code;
		return false;
	}
	/* what a crash may have left */
	if (!slt_rm_tree(p->next, err) || !slt_mkdir_p(p->next, 0755, err)) {
		return false;
	}
	for (size_t i = 0; i < slt_zip_reader_count(z); i++) {
		if (!unpack_file(p, z, i, err)) {
			return false;
		}
	}
	return slt_file_write(mark, p->mark, strlen(p->mark), 0644, err);
}

static bool put_in_place(const struct place *p, struct slt_err *err)
{
	int fd;

	if (renameat2(AT_FDCWD, p->next, AT_FDCWD, p->dir, RENAME_EXCHANGE) != 0) {
		/* nothing there yet, or a file system that cannot exchange */
		if (errno == EINVAL && !slt_rm_tree(p->dir, err)) {
			return false;
		}
		if (rename(p->next, p->dir) != 0) {
			return slt_fail_errno(err, SLT_EIO, "cannot put %s in place", p->dir);
		}
	}
	fd = open(p->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return true;
}

bool slt_mapset_part_install(struct slt_str zip, const char *dir, slt_mapset_judge_fn judge,
			     void *judge_arg, bool *ret_changed, struct slt_err *err)
{
	struct place p = {.lock = -1};
	bool same = false;
	bool ok = place_init(&p, dir, zip, err) && check_held(&p, &same, err) &&
		  (same || (unpack(&p, zip, err) && judge(judge_arg, p.next, err) &&
			    put_in_place(&p, err)));

	place_fini(&p);
	if (!ok) {
		return slt_wrap(err, "mapping tables for %s", dir);
	}
	*ret_changed = !same;
	return true;
}

bool slt_mapset_part_renew(const char *cache, const char *instance, const char *dir,
			   slt_mapset_judge_fn judge, void *judge_arg, bool *ret_changed,
			   struct slt_err *err)
{
	SLT_AUTO_STR char *bytes = NULL;
	size_t n = 0;

	return slt_globalconf_read_mappings(cache, instance, &bytes, &n, err) &&
	       slt_mapset_part_install((struct slt_str){bytes ? bytes : "", n}, dir, judge,
				       judge_arg, ret_changed, err);
}
