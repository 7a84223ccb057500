/* SPDX-License-Identifier: MIT */

#include "msglog_archive.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "msglog_export.h"
#include "msglog_write.h"
#include "zip_store.h"

#define MESSAGES_MAX 4096 /* of one archive */
#define LINKS_MAX    (4u << 20)
#define ALG	     SLT_SHA512

struct archiver {
	struct slt_msglog *log;
	const struct slt_msglog_archive_options *o;
	struct slt_msglog_reader *reader;
	const struct slt_msglog_driver *driver;
	struct slt_msglog_store *store;
};

/* One archive that is being made. */
struct draft {
	struct slt_zip *zip;
	struct slt_buf links;
	char digest[2 * SLT_DIGEST_MAX + 1]; /* hex, of the last container; "" before the first */
	int64_t first_ms, last_ms, upto;
	unsigned n;
};

/* --- files --- */

static bool sync_dir(const char *dir, struct slt_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (!ok) {
		slt_fail_errno(err, SLT_EIO, "%s cannot be written", dir);
	}
	if (fd >= 0) {
		close(fd);
	}
	return ok;
}

static bool move(const char *dir, const char *from, const char *to, struct slt_err *err)
{
	if (rename(from, to) != 0) {
		return slt_fail_errno(err, SLT_EIO, "%s cannot be renamed to %s", from, to);
	}
	return sync_dir(dir, err);
}

/* The archive was recorded, and the process died before the file got its name. */
static bool settle(const struct archiver *q, const struct slt_msglog_archived *last,
		   struct slt_err *err)
{
	if (!last->file) {
		return true;
	}
	SLT_AUTO_STR char *name = slt_path_join(q->o->dir, last->file);
	SLT_AUTO_STR char *part = slt_asprintf("%s.part", name);
	return !slt_file_exists(part) || slt_file_exists(name) || move(q->o->dir, part, name, err);
}

/* "mlog-20261123160000-20261123160500-0123456789abcdef.zip" */
static char *file_name(const struct draft *d)
{
	char t[2][16];
	const int64_t ms[2] = {d->first_ms, d->last_ms};
	for (int i = 0; i < 2; i++) {
		time_t s = (time_t)(ms[i] / 1000);
		struct tm tm;
		gmtime_r(&s, &tm);
		if (strftime(t[i], sizeof(t[i]), "%Y%m%d%H%M%S", &tm) == 0) {
			snprintf(t[i], sizeof(t[i]), "0");
		}
	}
	return slt_asprintf("mlog-%s-%s-%.16s.zip", t[0], t[1], d->digest);
}

/* --- one archive --- */

static void link_container(struct draft *d, const char *name, struct slt_str bytes)
{
	SLT_AUTO_BUF(text, 8 * SLT_DIGEST_MAX);
	SLT_AUTO_BUF(hex, 4 * SLT_DIGEST_MAX);
	struct slt_digest h;
	slt_digest_of(ALG, bytes.p, bytes.n, &h);
	slt_buf_adds(&text, d->digest);
	slt_buf_add_hex(&text, h.v, h.n);
	slt_digest_of(ALG, text.p, text.n, &h);
	slt_buf_add_hex(&hex, h.v, h.n);
	snprintf(d->digest, sizeof(d->digest), "%s", slt_buf_str(&hex).p);
	slt_buf_addf(&d->links, "%s %s\n", d->digest, name);
}

static bool add_message(const struct archiver *q, struct draft *d, int64_t seq, struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_BUF(name, 8192);
	SLT_AUTO_BUF(bytes, SIZE_MAX / 4);
	struct slt_msglog_export_notes notes;
	struct slt_msglog_entry *e = NULL;
	size_t n = 0;
	if (!q->driver->entries(q->store, seq, 1, a, &e, &n, err)) {
		return false;
	}
	if (n != 1 || e->seq != seq || e->kind != SLT_MSGLOG_MESSAGE || !e->message) {
		return slt_fail(err, SLT_EDATABASE,
				"entry %" PRId64 " of the log is broken: see silta log verify",
				seq);
	}
	slt_msglog_export_name(e->message, &name);
	const char *file = slt_buf_str(&name).p;
	if (!slt_msglog_export(q->reader, e->message, &bytes, &notes, err)) {
		return slt_wrap(err, "%s", file);
	}
	link_container(d, file, slt_buf_str(&bytes));
	d->first_ms = d->n == 0 || e->at_ms < d->first_ms ? e->at_ms : d->first_ms;
	d->last_ms = d->n == 0 || e->at_ms > d->last_ms ? e->at_ms : d->last_ms;
	d->upto = seq;
	d->n++;
	return slt_zip_add(d->zip, file, slt_buf_str(&bytes), err);
}

/* Fills the ZIP file with the messages and what links them. */
static bool fill(const struct archiver *q, const struct slt_msglog_archived *last,
		 const int64_t *seq, size_t n, struct draft *d, struct slt_err *err)
{
	slt_buf_addf(&d->links, "%s %s %s\n", last->file ? last->digest : "-",
		     last->file ? last->file : "-", slt_digest_name(ALG));
	snprintf(d->digest, sizeof(d->digest), "%s", last->file ? last->digest : "");
	for (size_t i = 0; i < n && (i == 0 || slt_zip_size(d->zip) < q->o->max_bytes); i++) {
		if (!add_message(q, d, seq[i], err)) {
			return false;
		}
	}
	return slt_buf_check(&d->links, "linking information", err) &&
	       slt_zip_add(d->zip, "linkinginfo", slt_buf_str(&d->links), err) &&
	       slt_zip_finish(d->zip, err);
}

static bool record(const struct archiver *q, const char *file, const struct draft *d,
		   struct slt_err *err)
{
	struct slt_msglog_archived r = {
		.file = file, .digest = d->digest, .upto = d->upto, .n = d->n};
	struct slt_msglog_job *j = slt_msglog_job_new(SLT_MSGLOG_ARCHIVE, q->o->at_ms);
	j->archived = &r;
	return slt_msglog_run(q->log, j, err);
}

static bool write_archive(const struct archiver *q, const struct slt_msglog_archived *last,
			  const int64_t *seq, size_t n, struct draft *d, char **ret_file,
			  struct slt_err *err)
{
	SLT_AUTO_STR char *work = slt_path_join(q->o->dir, "mlog.part");
	SLT_AUTO(slt_zip_free) struct slt_zip *zip = NULL;
	if (!slt_zip_create(work, &zip, err)) {
		return false;
	}
	d->zip = zip;
	if (!fill(q, last, seq, n, d, err)) {
		return false;
	}
	SLT_AUTO_STR char *file = file_name(d);
	SLT_AUTO_STR char *path = slt_path_join(q->o->dir, file);
	SLT_AUTO_STR char *part = slt_asprintf("%s.part", path);
	if (!move(q->o->dir, work, part, err) || !record(q, file, d, err) ||
	    !move(q->o->dir, part, path, err)) {
		return false;
	}
	*ret_file = SLT_TAKE(file);
	return true;
}

/* One archive; *ret_file NULL when nothing is ripe. */
static bool archive_one(const struct archiver *q, char **ret_file, unsigned *ret_n,
			struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_archived last;
	int64_t *seq = NULL;
	size_t n = 0;
	if (!q->driver->last_archive(q->store, a, &last, err) || !settle(q, &last, err) ||
	    !q->driver->archivable(q->store, last.upto, MESSAGES_MAX, a, &seq, &n, err)) {
		return false;
	}
	*ret_file = NULL;
	if (n == 0) {
		return true;
	}
	struct draft d = {.links = SLT_BUF_INIT(LINKS_MAX)};
	bool ok = write_archive(q, &last, seq, n, &d, ret_file, err);
	slt_buf_fini(&d.links);
	*ret_n = d.n;
	return ok;
}

/* The directory is ours until the descriptor is closed; -1 and an error otherwise. */
static int lock_dir(const char *dir, struct slt_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		slt_fail_errno(err, SLT_EIO, "%s cannot be opened", dir);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		slt_fail(err, SLT_EBUSY, "another process archives into %s", dir);
		close(fd);
		return -1;
	}
	return fd;
}

bool slt_msglog_archive(struct slt_msglog *l, const struct slt_msglog_archive_options *o,
			void (*each)(void *arg, const char *file, unsigned n), void *arg,
			struct slt_err *err)
{
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = NULL;
	if (!slt_msglog_reader_open(slt_msglog_path(l), &r, err)) {
		return false;
	}
	int lock = lock_dir(o->dir, err);
	if (lock < 0) {
		return false;
	}
	struct archiver q = {.log = l, .o = o, .reader = r};
	q.store = slt_msglog_reader_store(r, &q.driver);
	bool ok, more = true;
	do {
		SLT_AUTO_STR char *file = NULL;
		unsigned n = 0;
		ok = archive_one(&q, &file, &n, err) || slt_wrap(err, "archiving into %s", o->dir);
		more = ok && file;
		if (more && each) {
			each(arg, file, n);
		}
	} while (more);
	close(lock);
	return ok;
}
