/* SPDX-License-Identifier: MIT */
#include "base/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "silta-spool-"

struct slt_spool {
	char *dir;
	size_t threshold;
	uint64_t max, size;
	struct slt_buf mem; /* empty once the content has moved to fd */
	int fd;		    /* -1 while in memory */
	uint64_t reserved;  /* of what all together may hold on the disk */
};

static _Atomic uint64_t on_disk, on_disk_max = UINT64_MAX;

void slt_spool_limit(uint64_t bytes)
{
	atomic_store(&on_disk_max, bytes);
}

uint64_t slt_spool_on_disk(void)
{
	return atomic_load_explicit(&on_disk, memory_order_relaxed);
}

struct slt_spool *slt_spool_new(const char *dir, size_t threshold, uint64_t max)
{
	struct slt_spool *s = slt_calloc(1, sizeof(*s));
	const char *tmp = getenv("TMPDIR");

	s->dir = slt_strdup(dir ? dir : tmp && *tmp ? tmp : "/tmp");
	s->threshold = threshold;
	s->max = max;
	s->fd = -1;
	slt_buf_init(&s->mem, threshold);
	return s;
}

void slt_spool_free(struct slt_spool *s)
{
	if (!s) {
		return;
	}
	if (s->fd >= 0) {
		close(s->fd);
		atomic_fetch_sub_explicit(&on_disk, s->reserved, memory_order_relaxed);
	}
	slt_buf_fini(&s->mem);
	free(s->dir);
	free(s);
}

unsigned slt_spool_sweep(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	for (const struct dirent *e; d && (e = readdir(d));) {
		if (strncmp(e->d_name, NAME, sizeof(NAME) - 1) == 0 &&
		    unlinkat(dirfd(d), e->d_name, 0) == 0) {
			n++;
		}
	}
	if (d) {
		closedir(d);
	}
	return n;
}

/* A file without a name: nothing is left behind however the process ends. */
static bool open_unnamed(struct slt_spool *s, struct slt_err *err)
{
	s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		SLT_AUTO_STR char *name = slt_asprintf("%s/" NAME "XXXXXX", s->dir);
		s->fd = mkostemp(name, O_CLOEXEC);
		if (s->fd >= 0) {
			unlink(name);
		}
	}
	if (s->fd < 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot make a temporary file in %s", s->dir);
	}
	return true;
}

/* Counted before it is written: threads that write at the same time share what is left. */
static bool reserve(struct slt_spool *s, size_t n, struct slt_err *err)
{
	uint64_t max = atomic_load(&on_disk_max);

	if (atomic_fetch_add(&on_disk, n) + n > max) {
		atomic_fetch_sub(&on_disk, n);
		return slt_fail(err, SLT_EBUSY,
				"messages under way hold all of the %llu bytes that the spool may "
				"take: try again",
				(unsigned long long)max);
	}
	s->reserved += n;
	return true;
}

static bool write_fd(struct slt_spool *s, const char *p, size_t n, struct slt_err *err)
{
	if (!reserve(s, n, err)) {
		return false;
	}
	while (n) {
		ssize_t k = write(s->fd, p, n);
		if (k < 0 && errno == EINTR) {
			continue;
		}
		if (k < 0) {
			return slt_fail_errno(err, SLT_EIO, "cannot write to the spool in %s",
					      s->dir);
		}
		p += k;
		n -= (size_t)k;
	}
	return true;
}

bool slt_spool_write(struct slt_spool *s, const void *p, size_t n, struct slt_err *err)
{
	if (n > s->max || s->size > s->max - n) {
		return slt_fail(err, SLT_ELIMIT, "content is longer than %llu bytes",
				(unsigned long long)s->max);
	}
	if (s->fd < 0 && s->size + n <= s->threshold) {
		slt_buf_add(&s->mem, p, n);
		s->size += n;
		return true;
	}
	if (s->fd < 0) {
		if (!open_unnamed(s, err) || !write_fd(s, s->mem.p, s->mem.n, err)) {
			return false;
		}
		slt_buf_fini(&s->mem);
	}
	if (!write_fd(s, p, n, err)) {
		return false;
	}
	s->size += n;
	return true;
}

uint64_t slt_spool_size(const struct slt_spool *s)
{
	return s->size;
}

bool slt_spool_read(const struct slt_spool *s, uint64_t offset, void *p, size_t n, size_t *ret_n,
		    struct slt_err *err)
{
	if (offset >= s->size) {
		*ret_n = 0;
		return true;
	}
	if (n > s->size - offset) {
		n = (size_t)(s->size - offset);
	}
	if (s->fd < 0) {
		memcpy(p, s->mem.p + offset, n);
		*ret_n = n;
		return true;
	}
	ssize_t k;
	do {
		k = pread(s->fd, p, n, (off_t)offset);
	} while (k < 0 && errno == EINTR);
	if (k <= 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot read back the spool in %s", s->dir);
	}
	*ret_n = (size_t)k;
	return true;
}

struct slt_str slt_spool_memory(const struct slt_spool *s)
{
	if (s->fd >= 0) {
		return (struct slt_str){NULL, 0};
	}
	return slt_buf_str(&s->mem);
}
