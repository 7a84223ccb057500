/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int fd)
{
	if (fd >= 0) {
		close(fd);
	}
}
SLT_DEFINE_AUTO(int, close_fd)

bool slt_file_read(const char *path, size_t max, char **ret_p, size_t *ret_n, struct slt_err *err)
{
	SLT_AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	SLT_AUTO_BUF(b, max);

	if (fd < 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot open %s", path);
	}
	for (;;) {
		char chunk[65536];
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return slt_fail_errno(err, SLT_EIO, "cannot read %s", path);
		}
		if (n == 0) {
			break;
		}
		slt_buf_add(&b, chunk, (size_t)n);
		if (!slt_buf_check(&b, path, err)) {
			return false;
		}
	}
	*ret_p = slt_buf_take(&b, ret_n);
	return true;
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR) {
			continue;
		}
		if (k < 0) {
			return false;
		}
		p += k;
		n -= (size_t)k;
	}
	return true;
}

/* A rename is durable only when the directory is synced. */
static void sync_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	SLT_AUTO_STR char *dir =
		slash ? slt_strndup(path, slash == path ? 1 : (size_t)(slash - path))
		      : slt_strdup(".");
	SLT_AUTO(close_fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
	}
}

bool slt_file_write(const char *path, const void *p, size_t n, unsigned mode, struct slt_err *err)
{
	SLT_AUTO_STR char *tmp = slt_asprintf("%s.XXXXXX", path);
	SLT_AUTO(close_fd) int fd = mkostemp(tmp, O_CLOEXEC);

	if (fd < 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot create a file beside %s", path);
	}
	if (!write_all(fd, p, n) || fchmod(fd, (mode_t)mode) != 0 || fsync(fd) != 0 ||
	    rename(tmp, path) != 0) {
		slt_fail_errno(err, SLT_EIO, "cannot write %s", path);
		unlink(tmp);
		return false;
	}
	sync_dir_of(path);
	return true;
}

bool slt_mkdir_p(const char *path, unsigned mode, struct slt_err *err)
{
	SLT_AUTO_STR char *p = slt_strdup(path);

	for (char *at = p + 1; *at; at++) {
		if (*at != '/') {
			continue;
		}
		*at = '\0';
		if (mkdir(p, (mode_t)mode) != 0 && errno != EEXIST) {
			return slt_fail_errno(err, SLT_EIO, "cannot make directory %s", p);
		}
		*at = '/';
	}
	struct stat st;
	if (mkdir(p, (mode_t)mode) != 0 &&
	    (errno != EEXIST || stat(p, &st) != 0 || !S_ISDIR(st.st_mode))) {
		return slt_fail_errno(err, SLT_EIO, "cannot make directory %s", path);
	}
	return true;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

bool slt_rm_tree(const char *path, struct slt_err *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) {
		return slt_fail_errno(err, SLT_EIO, "cannot remove %s", path);
	}
	return true;
}

bool slt_file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool slt_file_check_private(const char *path, struct slt_err *err)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot open %s", path);
	}
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		return slt_fail(err, SLT_EIO,
				"%s may be read by others (mode %04o): set it to 0600", path,
				(unsigned)st.st_mode & 07777);
	}
	return true;
}

char *slt_path_join(const char *dir, const char *name)
{
	if (name[0] == '/' || !dir || !dir[0]) {
		return slt_strdup(name);
	}
	return slt_asprintf("%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
}

char *slt_path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash) {
		return slt_strdup(".");
	}
	return slt_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

size_t slt_dir_count(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	for (const struct dirent *e; d && (e = readdir(d));) {
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	}
	if (d) {
		closedir(d);
	}
	return n;
}
