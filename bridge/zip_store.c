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
	char *comment;
	uint32_t crc_table[256];
	/* the entry that is being written */
	char *name;
	uint64_t at, bytes; /* where its record begins; how long it is */
	uint32_t crc;
};

static void make_table(uint32_t table[256])
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int k = 0; k < 8; k++) {
			c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
		}
		table[i] = c;
	}
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
	make_table(z->crc_table);
	*ret = z;
	return true;
}

void slt_zip_free(struct slt_zip *z)
{
	if (z) {
		fclose(z->f);
		slt_buf_fini(&z->directory);
		free(z->path);
		free(z->comment);
		free(z->name);
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

/* What the local and the central record have in common, of the entry being written. */
static void put_common(const struct slt_zip *z, struct slt_buf *b)
{
	put16(b, VERSION);
	put16(b, FLAG_UTF8);
	put16(b, 0); /* stored */
	put16(b, 0); /* midnight */
	put16(b, DOS_DATE);
	put32(b, z->crc);
	put32(b, (uint32_t)z->bytes);
	put32(b, (uint32_t)z->bytes);
	put16(b, (uint32_t)strlen(z->name));
	put16(b, 0); /* no extra field */
}

static void put_local(const struct slt_zip *z, struct slt_buf *b)
{
	put32(b, 0x04034b50);
	put_common(z, b);
	slt_buf_adds(b, z->name);
}

static void put_central(struct slt_zip *z)
{
	struct slt_buf *b = &z->directory;
	put32(b, 0x02014b50);
	put16(b, VERSION);
	put_common(z, b);
	put16(b, 0); /* comment */
	put16(b, 0); /* disk */
	put16(b, 0);
	put32(b, 0);
	put32(b, (uint32_t)z->at);
	slt_buf_adds(b, z->name);
}

bool slt_zip_begin(struct slt_zip *z, const char *name, struct slt_err *err)
{
	SLT_AUTO_BUF(local, 70000);
	if (strlen(name) > 0xffff || z->n >= ENTRIES_MAX) {
		return slt_fail(err, SLT_ELIMIT, "%s has no room for another entry", z->path);
	}
	free(z->name);
	z->name = slt_strdup(name);
	z->at = z->size;
	z->bytes = 0;
	z->crc = 0;
	put_local(z, &local);
	return slt_buf_check(&local, "ZIP record", err) && write_all(z, local.p, local.n, err);
}

bool slt_zip_piece(struct slt_zip *z, struct slt_str bytes, struct slt_err *err)
{
	if (z->size + bytes.n + z->directory.n + 0x20000 > BYTES_MAX) {
		return slt_fail(err, SLT_ELIMIT, "%s has no room for another entry", z->path);
	}
	uint32_t crc = ~z->crc;
	for (size_t i = 0; i < bytes.n; i++) {
		crc = z->crc_table[(crc ^ (unsigned char)bytes.p[i]) & 0xff] ^ (crc >> 8);
	}
	z->crc = ~crc;
	z->bytes += bytes.n;
	return write_all(z, bytes.p, bytes.n, err);
}

/* Now that length and checksum are known, the record at its beginning is written again. */
bool slt_zip_end(struct slt_zip *z, struct slt_err *err)
{
	SLT_AUTO_BUF(local, 70000);
	put_local(z, &local);
	put_central(z);
	z->n++;
	if (!slt_buf_check(&local, "ZIP record", err) ||
	    !slt_buf_check(&z->directory, "ZIP directory", err)) {
		return false;
	}
	if (fseeko(z->f, (off_t)z->at, SEEK_SET) != 0 ||
	    fwrite(local.p, 1, local.n, z->f) != local.n || fseeko(z->f, 0, SEEK_END) != 0) {
		return slt_fail_errno(err, SLT_EIO, "%s cannot be written", z->path);
	}
	return true;
}

bool slt_zip_add(struct slt_zip *z, const char *name, struct slt_str bytes, struct slt_err *err)
{
	return slt_zip_begin(z, name, err) && slt_zip_piece(z, bytes, err) && slt_zip_end(z, err);
}

void slt_zip_comment(struct slt_zip *z, const char *text)
{
	free(z->comment);
	z->comment = slt_strdup(text);
}

bool slt_zip_finish(struct slt_zip *z, struct slt_err *err)
{
	SLT_AUTO_BUF(end, 70000);
	uint64_t at = z->size;
	put32(&end, 0x06054b50);
	put32(&end, 0); /* disks */
	put16(&end, z->n);
	put16(&end, z->n);
	put32(&end, (uint32_t)z->directory.n);
	put32(&end, (uint32_t)at);
	put16(&end, z->comment ? (uint32_t)strlen(z->comment) : 0);
	slt_buf_adds(&end, z->comment ? z->comment : "");
	if (!write_all(z, slt_buf_str(&z->directory).p, z->directory.n, err) ||
	    !write_all(z, end.p, end.n, err)) {
		return false;
	}
	if (fflush(z->f) != 0 || fsync(fileno(z->f)) != 0) {
		return slt_fail_errno(err, SLT_EIO, "%s cannot be written", z->path);
	}
	return true;
}
