/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_store.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "federation/globalconf.h"

/* --- names -------------------------------------------------------------------------------- */

const char *gc_store_file_name(const struct slt_directory_part *part)
{
	if (strcmp(part->content_id, SLT_PART_SHARED) == 0) {
		return GC_FILE_SHARED;
	}
	if (strcmp(part->content_id, SLT_PART_PRIVATE) == 0) {
		return GC_FILE_PRIVATE;
	}
	if (strcmp(part->content_id, SLT_PART_MAPPINGS) == 0) {
		return GC_FILE_MAPPINGS;
	}
	return part->file_name;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-' || c == '*' || c == '_';
}

void gc_store_encode(const char *instance, struct slt_buf *out)
{
	for (; *instance; instance++) {
		if (is_plain(*instance)) {
			slt_buf_addc(out, *instance);
		} else if (*instance == ' ') {
			slt_buf_addc(out, '+');
		} else {
			slt_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*instance);
		}
	}
}

bool gc_store_decode(const char *name, struct slt_buf *out)
{
	struct slt_err ignored = SLT_ERR_INIT;

	for (; *name; name++) {
		if (*name != '%') {
			slt_buf_addc(out, *name == '+' ? ' ' : *name);
			continue;
		}
		if (!name[1] || !name[2] ||
		    !slt_hex_decode((struct slt_str){name + 1, 2}, out, &ignored)) {
			return false;
		}
		name += 2;
	}
	return !out->failed && out->n && memchr(out->p, '\0', out->n) == NULL;
}

char *gc_store_path(const char *dir, const char *instance, const char *file)
{
	SLT_AUTO_BUF(name, 4096);

	slt_assert(slt_globalconf_instance_ok(instance));
	gc_store_encode(instance, &name);
	return slt_asprintf("%s/%s%s%s", dir, name.p, file ? "/" : "", file ? file : "");
}

/* --- metadata ----------------------------------------------------------------------------- */

static void free_json(json_t *j)
{
	json_decref(j);
}
SLT_DEFINE_AUTO(json_t *, free_json)

static bool read_expiry(const json_t *j, int64_t *ret, struct slt_err *err)
{
	const json_t *v = json_object_get(j, "expirationDate");

	if (!v || json_is_null(v)) {
		return true;
	}
	if (!json_is_string(v)) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF, "expirationDate is not a string");
	}
	return slt_time_parse(slt_str(json_string_value(v)), ret, err);
}

static bool read_version(const json_t *j, int *ret, struct slt_err *err)
{
	const json_t *v = json_object_get(j, "configurationVersion");
	const char *s = json_string_value(v);

	if (!v || json_is_null(v)) {
		return true;
	}
	if (s && strlen(s) < 4 && *s && strspn(s, "0123456789") == strlen(s)) {
		*ret = (int)strtol(s, NULL, 10);
		return true;
	}
	if (json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) < 1000) {
		*ret = (int)json_integer_value(v);
		return true;
	}
	return slt_fail(err, SLT_EMALFORMED_GLOBALCONF, "configurationVersion is not a number");
}

bool gc_store_meta(const char *file, struct gc_meta *ret, struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_asprintf("%s" GC_METADATA_SUFFIX, file);
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;
	struct gc_meta m = {.there = true};

	if (!slt_file_exists(path)) {
		*ret = (struct gc_meta){.there = false};
		return true;
	}
	if (!slt_file_read(path, GC_METADATA_MAX, &text, &n, err)) {
		return false;
	}
	SLT_AUTO(free_json) json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(j)) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF, "%s is not a JSON object", path);
	}
	if (!read_expiry(j, &m.expires_ms, err) || !read_version(j, &m.version, err)) {
		err->code = SLT_EMALFORMED_GLOBALCONF;
		return slt_wrap(err, "%s", path);
	}
	*ret = m;
	return true;
}

bool gc_store_has(const char *path, const struct slt_digest *d, size_t max)
{
	SLT_AUTO_STR char *p = NULL;
	size_t n = 0;
	struct slt_digest have;
	struct slt_err ignored = SLT_ERR_INIT;

	if (!slt_file_exists(path) || !slt_file_read(path, max, &p, &n, &ignored)) {
		return false;
	}
	slt_digest_of(d->alg, p, n, &have);
	return slt_digest_eq(&have, d);
}

/* --- replacing a directory ---------------------------------------------------------------- */

struct gc_store {
	char *held, *next;
};

bool gc_store_begin(const char *dir, const char *instance, struct gc_store **ret,
		    struct slt_err *err)
{
	SLT_AUTO(gc_store_free) struct gc_store *s = slt_calloc(1, sizeof(*s));
	SLT_AUTO_BUF(name, 4096);

	gc_store_encode(instance, &name);
	s->held = slt_asprintf("%s/%s", dir, name.p);
	s->next = slt_asprintf("%s/.next-%s", dir, name.p);
	/* what a crash may have left */
	if (!slt_rm_tree(s->next, err) || !slt_mkdir_p(s->next, 0755, err)) {
		return false;
	}
	*ret = SLT_TAKE(s);
	return true;
}

bool gc_store_add(struct gc_store *s, const char *name, const void *p, size_t n,
		  struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(s->next, name);

	return slt_file_write(path, p, n, 0644, err);
}

bool gc_store_keep(struct gc_store *s, const char *name, struct slt_err *err)
{
	SLT_AUTO_STR char *from = slt_path_join(s->held, name);
	SLT_AUTO_STR char *to = slt_path_join(s->next, name);
	SLT_AUTO_STR char *p = NULL;
	size_t n = 0;

	if (link(from, to) == 0) {
		return true;
	}
	/* a file system without links */
	return slt_file_read(from, SLT_SHARED_PARAMS_MAX, &p, &n, err) &&
	       slt_file_write(to, p, n, 0644, err);
}

static void sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

static bool put_in_place(struct gc_store *s, struct slt_err *err)
{
	if (renameat2(AT_FDCWD, s->next, AT_FDCWD, s->held, RENAME_EXCHANGE) == 0) {
		return true;
	}
	if (errno == EINVAL && !slt_rm_tree(s->held, err)) {
		return false; /* a file system that cannot exchange */
	}
	if (rename(s->next, s->held) != 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot put %s in place", s->held);
	}
	return true;
}

bool gc_store_commit(struct gc_store *s, struct slt_err *err)
{
	SLT_AUTO_STR char *parent = slt_strndup(s->held, (size_t)(strrchr(s->held, '/') - s->held));

	sync_dir(s->next);
	if (!put_in_place(s, err)) {
		return false;
	}
	sync_dir(parent);
	return true;
}

void gc_store_free(struct gc_store *s)
{
	struct slt_err ignored = SLT_ERR_INIT;

	if (!s) {
		return;
	}
	if (s->next && !slt_rm_tree(s->next, &ignored)) {
		/* the next round tries again */
		slt_err_clear(&ignored);
	}
	free(s->held);
	free(s->next);
	free(s);
}
