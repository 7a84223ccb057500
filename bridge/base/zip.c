/* SPDX-License-Identifier: MIT */
#include "base/zip.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zip.h>

#define DOS_TIME 0	/* midnight … */
#define DOS_DATE 0x0021 /* … of 1980-01-01, the first day that ZIP knows */

/* --- reading ------------------------------------------------------------------------------ */

struct slt_zip_reader {
	zip_t *zip;
	size_t n;
};

static const char *entry_name(zip_t *z, size_t i)
{
	const char *name = zip_get_name(z, i, ZIP_FL_ENC_RAW);

	return name != NULL ? name : "";
}

static bool name_safe(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > 255 || name[0] == '/' || strpbrk(name, "\\:") != NULL) {
		return false;
	}
	for (const char *p = name; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			return false;
		}
	}
	for (const char *p = name; p != NULL; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0')) {
			return false;
		}
	}
	return true;
}

/* Where a Unix file system wrote the entry, its mode stands in the upper half. */
static bool is_file(zip_t *z, size_t i, const char *name)
{
	zip_uint8_t system = 0;
	zip_uint32_t attributes = 0;

	if (name[strlen(name) - 1] == '/' ||
	    zip_file_get_external_attributes(z, i, 0, &system, &attributes) != 0) {
		return false;
	}
	mode_t type = (mode_t)(attributes >> 16) & S_IFMT;
	return type == 0 || type == S_IFREG;
}

static bool check_size(const char *name, const zip_stat_t *st, const struct slt_zip_limits *l,
		       uint64_t *total, struct slt_err *err)
{
	if (st->size > l->entry_bytes ||
	    (st->size > l->ratio_from && st->size / l->ratio > st->comp_size)) {
		return slt_fail(err, SLT_ELIMIT,
				"the entry %.80s would grow to %llu bytes: the limit is %llu, and "
				"%llu times its compressed size",
				name, (unsigned long long)st->size,
				(unsigned long long)l->entry_bytes, (unsigned long long)l->ratio);
	}
	*total += st->size;
	if (*total > l->total_bytes) {
		return slt_fail(err, SLT_ELIMIT, "the entries together would grow to %llu bytes",
				(unsigned long long)*total);
	}
	return true;
}

static bool check_entry(zip_t *z, size_t i, const struct slt_zip_limits *l, uint64_t *total,
			struct slt_err *err)
{
	zip_stat_t st;
	const char *name = entry_name(z, i);

	if (!name_safe(name)) {
		return slt_fail(err, SLT_EINVAL, "entry %zu has a name that is not allowed", i + 1);
	}
	if (zip_name_locate(z, name, ZIP_FL_ENC_RAW) != (zip_int64_t)i) {
		return slt_fail(err, SLT_EINVAL, "the entry %.80s is there twice", name);
	}
	if (zip_stat_index(z, i, 0, &st) != 0 || (st.valid & ZIP_STAT_SIZE) == 0 ||
	    (st.valid & ZIP_STAT_COMP_SIZE) == 0) {
		return slt_fail(err, SLT_EINVAL, "the entry %.80s has no size", name);
	}
	if (((st.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && st.encryption_method != ZIP_EM_NONE) ||
	    (st.comp_method != ZIP_CM_STORE && st.comp_method != ZIP_CM_DEFLATE)) {
		return slt_fail(err, SLT_EINVAL,
				"the entry %.80s is encrypted or compressed in an unusual way",
				name);
	}
	if (l->files_only && !is_file(z, i, name)) {
		return slt_fail(err, SLT_EINVAL, "the entry %.80s is not a plain file", name);
	}
	return check_size(name, &st, l, total, err);
}

static bool check_entries(zip_t *z, const struct slt_zip_limits *l, struct slt_err *err)
{
	zip_int64_t n = zip_get_num_entries(z, 0);
	uint64_t total = 0;

	if (n < 0 || (uint64_t)n > l->entries) {
		return slt_fail(err, SLT_ELIMIT, "more than %zu entries", l->entries);
	}
	for (size_t i = 0; i < (size_t)n; i++) {
		if (!check_entry(z, i, l, &total, err)) {
			return false;
		}
	}
	return true;
}

bool slt_zip_reader_open(struct slt_str bytes, const struct slt_zip_limits *limits,
			 struct slt_zip_reader **ret, struct slt_err *err)
{
	zip_error_t why;

	zip_error_init(&why);
	zip_source_t *src = zip_source_buffer_create(bytes.p, bytes.n, 0, &why);
	/* CHECKCONS compares the directory with the headers before each entry */
	zip_t *zip =
		src != NULL ? zip_open_from_source(src, ZIP_RDONLY | ZIP_CHECKCONS, &why) : NULL;
	if (zip == NULL) {
		zip_source_free(src);
		(void)slt_fail(err, SLT_EIO, "not a sound ZIP file: %s", zip_error_strerror(&why));
		zip_error_fini(&why);
		return false;
	}
	zip_error_fini(&why);
	SLT_AUTO(slt_zip_reader_free) struct slt_zip_reader *z = slt_calloc(1, sizeof(*z));
	z->zip = zip;
	if (!check_entries(zip, limits, err)) {
		return false;
	}
	z->n = (size_t)zip_get_num_entries(zip, 0);
	*ret = SLT_TAKE(z);
	return true;
}

void slt_zip_reader_free(struct slt_zip_reader *z)
{
	if (z != NULL) {
		zip_discard(z->zip);
		free(z);
	}
}

size_t slt_zip_reader_count(const struct slt_zip_reader *z)
{
	return z->n;
}

const char *slt_zip_reader_name(const struct slt_zip_reader *z, size_t i)
{
	return entry_name(z->zip, i);
}

bool slt_zip_reader_read(const struct slt_zip_reader *z, size_t i, struct slt_buf *ret,
			 struct slt_err *err)
{
	zip_stat_t st;
	zip_file_t *f = zip_fopen_index(z->zip, i, 0);
	bool good = f != NULL && zip_stat_index(z->zip, i, 0, &st) == 0;
	char *to = good ? slt_buf_room(ret, st.size + 1) : NULL;
	char beyond;

	good = to != NULL && zip_fread(f, to, st.size) == (zip_int64_t)st.size;
	/* reading past the end is what makes libzip compare the checksum */
	good = good && zip_fread(f, &beyond, 1) == 0;
	if (f != NULL) {
		(void)zip_fclose(f);
	}
	if (!good) {
		return slt_fail(err, SLT_EINVAL,
				"the entry %.80s cannot be read: it is damaged, or not as long as "
				"it says",
				entry_name(z->zip, i));
	}
	ret->n += st.size;
	ret->p[ret->n] = '\0';
	return true;
}

/* --- writing ------------------------------------------------------------------------------ */

struct slt_zip_writer {
	zip_t *zip;
	zip_source_t *source;
};

static bool write_fail(const struct slt_zip_writer *z, struct slt_err *err)
{
	return slt_fail(err, SLT_EINTERNAL, "the container cannot be written: %s",
			zip_strerror(z->zip));
}

bool slt_zip_writer_new(struct slt_zip_writer **ret, struct slt_err *err)
{
	zip_error_t why;

	zip_error_init(&why);
	zip_source_t *src = zip_source_buffer_create(NULL, 0, 0, &why);
	zip_t *zip =
		src != NULL ? zip_open_from_source(src, ZIP_CREATE | ZIP_TRUNCATE, &why) : NULL;
	zip_error_fini(&why);
	if (zip == NULL) {
		zip_source_free(src);
		return slt_fail(err, SLT_EINTERNAL, "the container cannot be created");
	}
	zip_source_keep(src); /* closing would free what it has written */
	struct slt_zip_writer *z = slt_calloc(1, sizeof(*z));
	z->zip = zip;
	z->source = src;
	*ret = z;
	return true;
}

void slt_zip_writer_free(struct slt_zip_writer *z)
{
	if (z == NULL) {
		return;
	}
	if (z->zip != NULL) {
		zip_discard(z->zip);
	}
	zip_source_free(z->source);
	free(z);
}

bool slt_zip_writer_add(struct slt_zip_writer *z, const char *name, struct slt_str bytes,
			bool stored, struct slt_err *err)
{
	zip_source_t *src = zip_source_buffer(z->zip, bytes.p, bytes.n, 0);
	zip_int64_t i = src != NULL ? zip_file_add(z->zip, name, src, ZIP_FL_ENC_UTF_8) : -1;

	if (i < 0) {
		zip_source_free(src);
		return write_fail(z, err);
	}
	return (zip_set_file_compression(z->zip, (zip_uint64_t)i,
					 stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 0) == 0 &&
		zip_file_set_dostime(z->zip, (zip_uint64_t)i, DOS_TIME, DOS_DATE, 0) == 0) ||
	       write_fail(z, err);
}

bool slt_zip_writer_comment(struct slt_zip_writer *z, const char *text, struct slt_err *err)
{
	size_t n = strlen(text);

	return (n <= UINT16_MAX && zip_set_archive_comment(z->zip, text, (zip_uint16_t)n) == 0) ||
	       write_fail(z, err);
}

static bool copy_out(zip_source_t *src, struct slt_buf *out, struct slt_err *err)
{
	zip_stat_t st;

	if (zip_source_stat(src, &st) != 0 || zip_source_open(src) != 0) {
		return slt_fail(err, SLT_EINTERNAL, "the container cannot be read back");
	}
	char *to = slt_buf_room(out, st.size);
	bool good = to != NULL && zip_source_read(src, to, st.size) == (zip_int64_t)st.size;
	(void)zip_source_close(src);
	if (!good) {
		return slt_fail(err, to == NULL ? SLT_ELIMIT : SLT_EINTERNAL,
				"the container of %llu bytes cannot be taken over",
				(unsigned long long)st.size);
	}
	out->n += st.size;
	return true;
}

bool slt_zip_writer_finish(struct slt_zip_writer *z, struct slt_buf *out, struct slt_err *err)
{
	slt_assert(z->zip != NULL);
	if (zip_close(z->zip) != 0) {
		return write_fail(z, err);
	}
	z->zip = NULL;
	return copy_out(z->source, out, err);
}
