/* SPDX-License-Identifier: MIT */

/* Layout of the records: APPNOTE.TXT 4.3.7, 4.3.12 and 4.3.16. */

#include "zip_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION	      20     /* of the format, needed to read it */
#define FLAG_UTF8     0x0800 /* names are UTF-8 */
#define DOS_DATE      0x0021 /* 1980-01-01: the same entries give the same file */
#define ENTRIES_MAX   65534
#define BYTES_MAX     0xfffffffeu
#define DIRECTORY_MAX (64u << 20)

struct slt_zip {
	FILE *f;
	char *path;
	uint64_t size;
	unsigned n;
	struct slt_buf directory; /* central records, written last */
};

static uint32_t crc_of(struct slt_str bytes)
{
	uint32_t table[256];
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int k = 0; k < 8; k++) {
			c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
		}
		table[i] = c;
	}
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < bytes.n; i++) {
		crc = table[(crc ^ (unsigned char)bytes.p[i]) & 0xff] ^ (crc >> 8);
	}
	return crc ^ 0xffffffffu;
}

static void put16(struct slt_buf *b, uint32_t v)
{
	slt_buf_addc(b, (char)(v & 0xff));
	slt_buf_addc(b, (char)(v >> 8 & 0xff));
}

static void put32(struct slt_buf *b, uint32_t v)
{
	put16(b, v & 0xffff);
	put16(b, v >> 16);
}

bool slt_zip_create(const char *path, struct slt_zip **ret, struct slt_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (!f) {
		slt_fail_errno(err, SLT_EIO, "%s cannot be written", path);
		if (fd >= 0) {
			close(fd);
		}
		return false;
	}
	struct slt_zip *z = slt_calloc(1, sizeof(*z));
	z->f = f;
	z->path = slt_strdup(path);
	slt_buf_init(&z->directory, DIRECTORY_MAX);
	*ret = z;
	return true;
}

void slt_zip_free(struct slt_zip *z)
{
	if (z) {
		fclose(z->f);
		slt_buf_fini(&z->directory);
		free(z->path);
		free(z);
	}
}

uint64_t slt_zip_size(const struct slt_zip *z)
{
	return z->size;
}

static bool write_all(struct slt_zip *z, const void *p, size_t n, struct slt_err *err)
{
	if (n > 0 && fwrite(p, 1, n, z->f) != n) {
		return slt_fail_errno(err, SLT_EIO, "%s cannot be written", z->path);
	}
	z->size += n;
	return true;
}

/* What the local and the central record have in common. */
static void put_common(struct slt_buf *b, const char *name, struct slt_str bytes, uint32_t crc)
{
	put16(b, VERSION);
	put16(b, FLAG_UTF8);
	put16(b, 0); /* stored */
	put16(b, 0); /* midnight */
	put16(b, DOS_DATE);
	put32(b, crc);
	put32(b, (uint32_t)bytes.n);
	put32(b, (uint32_t)bytes.n);
	put16(b, (uint32_t)strlen(name));
	put16(b, 0); /* no extra field */
}

static void put_central(struct slt_zip *z, const char *name, struct slt_str bytes, uint32_t crc)
{
	struct slt_buf *b = &z->directory;
	put32(b, 0x02014b50);
	put16(b, VERSION);
	put_common(b, name, bytes, crc);
	put16(b, 0); /* comment */
	put16(b, 0); /* disk */
	put16(b, 0);
	put32(b, 0);
	put32(b, (uint32_t)z->size);
	slt_buf_adds(b, name);
}

bool slt_zip_add(struct slt_zip *z, const char *name, struct slt_str bytes, struct slt_err *err)
{
	SLT_AUTO_BUF(local, 70000);
	size_t n_name = strlen(name);
	if (n_name > 0xffff || z->n >= ENTRIES_MAX ||
	    z->size + bytes.n + n_name + 1024 + z->directory.n > BYTES_MAX) {
		return slt_fail(err, SLT_ELIMIT, "%s has no room for another entry", z->path);
	}
	uint32_t crc = crc_of(bytes);
	put32(&local, 0x04034b50);
	put_common(&local, name, bytes, crc);
	slt_buf_adds(&local, name);
	put_central(z, name, bytes, crc);
	z->n++;
	return slt_buf_check(&local, "ZIP record", err) &&
	       slt_buf_check(&z->directory, "ZIP directory", err) &&
	       write_all(z, local.p, local.n, err) && write_all(z, bytes.p, bytes.n, err);
}

bool slt_zip_finish(struct slt_zip *z, struct slt_err *err)
{
	SLT_AUTO_BUF(end, 64);
	uint64_t at = z->size;
	put32(&end, 0x06054b50);
	put32(&end, 0); /* disks */
	put16(&end, z->n);
	put16(&end, z->n);
	put32(&end, (uint32_t)z->directory.n);
	put32(&end, (uint32_t)at);
	put16(&end, 0); /* comment */
	if (!write_all(z, slt_buf_str(&z->directory).p, z->directory.n, err) ||
	    !write_all(z, end.p, end.n, err)) {
		return false;
	}
	if (fflush(z->f) != 0 || fsync(fileno(z->f)) != 0) {
		return slt_fail_errno(err, SLT_EIO, "%s cannot be written", z->path);
	}
	return true;
}
