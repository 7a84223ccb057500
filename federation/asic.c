/* SPDX-License-Identifier: MIT */
#include "federation/asic.h"

#include <stdio.h>
#include <string.h>

#include <zip.h>

#define DOS_TIME 0	/* midnight … */
#define DOS_DATE 0x0021 /* … of 1980-01-01, the first day that ZIP knows */

SLT_DEFINE_AUTO(zip_t *, zip_discard)

/* --- reading --- */

struct slt_archive {
	zip_t *zip;
	size_t n;
};

static bool zip_load(struct slt_str bytes, zip_t **ret, struct slt_err *err)
{
	zip_error_t why;

	zip_error_init(&why);

	zip_source_t *src = zip_source_buffer_create(bytes.p, bytes.n, 0, &why);
	/* CHECKCONS compares the directory with the headers before each entry */
	zip_t *z = src != NULL ? zip_open_from_source(src, ZIP_RDONLY | ZIP_CHECKCONS, &why) : NULL;

	if (z == NULL) {
		zip_source_free(src);
		(void)slt_fail(err, SLT_EINVAL, "not a sound ZIP file: %s",
			       zip_error_strerror(&why));
	}
	zip_error_fini(&why);
	*ret = z;
	return z != NULL;
}

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

static bool check_entry(zip_t *z, size_t i, uint64_t *total, struct slt_err *err)
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
	*total += st.size;
	if (st.size > SLT_ASIC_BYTES_MAX ||
	    (st.size > SLT_ASIC_RATIO_FROM && st.size / SLT_ASIC_RATIO_MAX > st.comp_size)) {
		return slt_fail(err, SLT_ELIMIT,
				"the entry %.80s would grow to %llu bytes: the limit is %u, and "
				"%d times its compressed size",
				name, (unsigned long long)st.size, SLT_ASIC_BYTES_MAX,
				SLT_ASIC_RATIO_MAX);
	}
	return true;
}

/* The content of an entry that check_entry() has passed, malloc'ed. */
static bool read_entry(zip_t *z, size_t i, struct slt_buf *ret, struct slt_err *err)
{
	zip_stat_t st;
	zip_file_t *f = zip_fopen_index(z, i, 0);
	bool good = f != NULL && zip_stat_index(z, i, 0, &st) == 0;
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
				entry_name(z, i));
	}
	ret->n += st.size;
	ret->p[ret->n] = '\0';
	return true;
}

static bool check_entries(zip_t *z, size_t max, uint64_t total_max, struct slt_err *err)
{
	zip_int64_t n = zip_get_num_entries(z, 0);
	uint64_t total = 0;

	if (n < 0 || (uint64_t)n > max) {
		return slt_fail(err, SLT_ELIMIT, "more than %zu entries", max);
	}
	for (size_t i = 0; i < (size_t)n; i++) {
		if (!check_entry(z, i, &total, err)) {
			return false;
		}
	}
	if (total > total_max) {
		return slt_fail(err, SLT_ELIMIT, "the entries together would grow to %llu bytes",
				(unsigned long long)total);
	}
	return true;
}

/* --- containers --- */

struct slt_asic {
	struct slt_asic_entries e;
	struct slt_str mimetype;
	char *held[SLT_ASIC_ENTRIES_MAX];
	size_t n_held;
	unsigned n_unknown;
	char unknown[81];
};

/* clang-format off */
static const struct known {
	const char *name;
	size_t offset; /* of the view in slt_asic_entries */
	const char *media_type; /* in the manifest; NULL: not listed */
} known[] = { /* in the order of writing; mimetype comes before, the manifests in between */
	{"message.xml",             offsetof(struct slt_asic_entries, message),              "text/xml"},
	{"META-INF/signatures.xml", offsetof(struct slt_asic_entries, signature),            NULL},
	{"sig-hashchainresult.xml", offsetof(struct slt_asic_entries, hash_chain_result),    "text/xml"},
	{"sig-hashchain.xml",       offsetof(struct slt_asic_entries, hash_chain),           "text/xml"},
	{"ts-hashchainresult.xml",  offsetof(struct slt_asic_entries, ts_hash_chain_result), "text/xml"},
	{"ts-hashchain.xml",        offsetof(struct slt_asic_entries, ts_hash_chain),        "text/xml"},
	{"META-INF/timestamp.tst",  offsetof(struct slt_asic_entries, timestamp),            NULL},
};
/* clang-format on */
#define KNOWN_TIMESTAMP (SLT_COUNT(known) - 1)

static struct slt_str *view_of(struct slt_asic_entries *e, const struct known *k)
{
	return (struct slt_str *)(void *)((char *)e + k->offset);
}

static struct slt_str view_at(const struct slt_asic_entries *e, const struct known *k)
{
	struct slt_str v;

	memcpy(&v, (const char *)e + k->offset, sizeof(v));
	return v;
}

/* N of "attachmentN" without leading zeros, 1 to the maximum; 0 for anything else. */
static size_t attachment_number(const char *name)
{
	static const char prefix[] = "attachment";
	const char *p = name + strlen(prefix);
	size_t n = 0;

	if (strncmp(name, prefix, strlen(prefix)) != 0 || *p < '1' || *p > '9') {
		return 0;
	}
	for (; *p >= '0' && *p <= '9' && n <= SLT_ASIC_ATTACHMENTS_MAX; p++) {
		n = n * 10 + (size_t)(*p - '0');
	}
	return *p == '\0' && n <= SLT_ASIC_ATTACHMENTS_MAX ? n : 0;
}

/* Where the content of an entry goes; NULL when nobody reads it. */
static struct slt_str *place_of(struct slt_asic *a, const char *name)
{
	size_t number = attachment_number(name);

	if (number > 0) {
		a->e.n_attachments = number > a->e.n_attachments ? number : a->e.n_attachments;
		return &a->e.attachment[number - 1];
	}
	for (size_t i = 0; i < SLT_COUNT(known); i++) {
		if (strcmp(name, known[i].name) == 0) {
			return view_of(&a->e, &known[i]);
		}
	}
	return strcmp(name, "mimetype") == 0 ? &a->mimetype : NULL;
}

static bool passed_over(const char *name)
{
	return strcmp(name, "META-INF/manifest.xml") == 0 ||
	       strcmp(name, "META-INF/ASiCManifest.xml") == 0 || strcmp(name, "META-INF/") == 0;
}

static bool load_entries(struct slt_asic *a, zip_t *z, struct slt_err *err)
{
	size_t n = (size_t)zip_get_num_entries(z, 0);

	for (size_t i = 0; i < n; i++) {
		const char *name = entry_name(z, i);
		struct slt_str *place = place_of(a, name);
		SLT_AUTO_BUF(b, SLT_ASIC_BYTES_MAX + 1);

		if (place == NULL) {
			if (!passed_over(name) && a->n_unknown++ == 0) {
				(void)snprintf(a->unknown, sizeof(a->unknown), "%.80s", name);
			}
			continue;
		}
		if (!read_entry(z, i, &b, err)) {
			return false;
		}
		place->n = b.n;

		char *bytes = b.n > 0 ? slt_buf_take(&b, NULL) : slt_strdup("");

		place->p = bytes;
		a->held[a->n_held++] = bytes;
	}
	return true;
}

static bool check_structure(const struct slt_asic *a, struct slt_err *err)
{
	const struct slt_asic_entries *e = &a->e;

	if (a->mimetype.n == 0) {
		return slt_fail(err, SLT_EASIC_MIME_TYPE_NOT_FOUND,
				"the container has no entry mimetype");
	}
	if (!slt_str_eq(a->mimetype, SLT_ASIC_MIME_TYPE)) {
		return slt_fail(err, SLT_EASIC_INVALID_MIME_TYPE,
				"the container's mimetype is \"%.*s\" and not " SLT_ASIC_MIME_TYPE,
				a->mimetype.n < 80 ? (int)a->mimetype.n : 80, a->mimetype.p);
	}
	if (e->message.n == 0) {
		return slt_fail(err, SLT_EASIC_MESSAGE_NOT_FOUND,
				"the container has no entry message.xml");
	}
	if (e->signature.n == 0) {
		return slt_fail(err, SLT_EASIC_SIGNATURE_NOT_FOUND,
				"the container has no entry META-INF/signatures.xml");
	}
	if ((e->hash_chain_result.n != 0 && e->hash_chain.n == 0) ||
	    (e->ts_hash_chain_result.n != 0 && e->ts_hash_chain.n == 0)) {
		return slt_fail(err, SLT_EASIC_HASH_CHAIN_NOT_FOUND,
				"the container has a hash chain result without its hash chain");
	}
	if ((e->hash_chain_result.n == 0 && e->hash_chain.n != 0) ||
	    (e->ts_hash_chain_result.n == 0 && e->ts_hash_chain.n != 0)) {
		return slt_fail(err, SLT_EASIC_HASH_CHAIN_RESULT_NOT_FOUND,
				"the container has a hash chain without its result");
	}
	return true;
}

bool slt_asic_open(struct slt_str bytes, struct slt_asic **ret, struct slt_err *err)
{
	SLT_AUTO(zip_discard) zip_t *z = NULL;
	SLT_AUTO(slt_asic_free) struct slt_asic *a = slt_calloc(1, sizeof(*a));
	struct slt_err why = SLT_ERR_INIT;

	if (!zip_load(bytes, &z, &why)) {
		/* what is no ZIP file has no entries to X-Road */
		return slt_fail(err, SLT_EASIC_MIME_TYPE_NOT_FOUND, "the container is %s", why.msg);
	}
	if (!check_entries(z, SLT_ASIC_ENTRIES_MAX, SLT_ASIC_TOTAL_MAX, err) ||
	    !load_entries(a, z, err)) {
		return slt_wrap(err, "container");
	}
	if (!check_structure(a, err)) {
		return false;
	}
	*ret = SLT_TAKE(a);
	return true;
}

const struct slt_asic_entries *slt_asic_entries(const struct slt_asic *a)
{
	return &a->e;
}

const char *slt_asic_unknown(const struct slt_asic *a, unsigned *ret_n)
{
	if (ret_n != NULL) {
		*ret_n = a->n_unknown;
	}
	return a->n_unknown > 0 ? a->unknown : NULL;
}

void slt_asic_free(struct slt_asic *a)
{
	if (a == NULL) {
		return;
	}
	for (size_t i = 0; i < a->n_held; i++) {
		free(a->held[i]);
	}
	free(a);
}

/* --- archives --- */

bool slt_archive_open(struct slt_str bytes, struct slt_archive **ret, struct slt_err *err)
{
	SLT_AUTO(slt_archive_free) struct slt_archive *a = slt_calloc(1, sizeof(*a));
	struct slt_err why = SLT_ERR_INIT;

	if (!zip_load(bytes, &a->zip, &why)) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE, "the archive is %s", why.msg);
	}
	if (!check_entries(a->zip, SLT_ARCHIVE_ENTRIES_MAX, UINT64_MAX, &why)) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE, "archive: %s", why.msg);
	}
	a->n = (size_t)zip_get_num_entries(a->zip, 0);
	*ret = SLT_TAKE(a);
	return true;
}

void slt_archive_free(struct slt_archive *a)
{
	if (a == NULL) {
		return;
	}
	zip_discard(a->zip);
	free(a);
}

size_t slt_archive_count(const struct slt_archive *a)
{
	return a->n;
}

const char *slt_archive_name(const struct slt_archive *a, size_t i)
{
	return entry_name(a->zip, i);
}

bool slt_archive_read(const struct slt_archive *a, size_t i, struct slt_buf *ret,
		      struct slt_err *err)
{
	return read_entry(a->zip, i, ret, err);
}

/* --- writing --- */

static bool write_fail(zip_t *z, struct slt_err *err)
{
	return slt_fail(err, SLT_EINTERNAL, "the container cannot be written: %s", zip_strerror(z));
}

/* The bytes must stay until the file is closed. */
static bool add_entry(zip_t *z, const char *name, struct slt_str bytes, bool stored,
		      struct slt_err *err)
{
	zip_source_t *src = zip_source_buffer(z, bytes.p, bytes.n, 0);
	zip_int64_t i = src != NULL ? zip_file_add(z, name, src, ZIP_FL_ENC_UTF_8) : -1;

	if (i < 0) {
		zip_source_free(src);
		return write_fail(z, err);
	}
	return (zip_set_file_compression(z, (zip_uint64_t)i, stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE,
					 0) == 0 &&
		zip_file_set_dostime(z, (zip_uint64_t)i, DOS_TIME, DOS_DATE, 0) == 0) ||
	       write_fail(z, err);
}

static void manifest_line(struct slt_buf *b, const char *media_type, const char *name)
{
	slt_buf_addf(b,
		     "    <manifest:file-entry manifest:media-type=\"%s\" "
		     "manifest:full-path=\"%s\"/>\n",
		     media_type, name);
}

static void make_manifest(const struct slt_asic_entries *e, struct slt_buf *b)
{
	char name[32];

	slt_buf_adds(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<manifest:manifest "
			"xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\" "
			"manifest:version=\"1.2\">\n");
	manifest_line(b, SLT_ASIC_MIME_TYPE, "/");
	for (size_t i = 0; i < SLT_COUNT(known); i++) {
		if (known[i].media_type != NULL && view_at(e, &known[i]).p != NULL) {
			manifest_line(b, known[i].media_type, known[i].name);
		}
	}
	for (size_t i = 0; i < e->n_attachments; i++) {
		if (e->attachment[i].p != NULL) {
			(void)snprintf(name, sizeof(name), "attachment%zu", i + 1);
			manifest_line(b, "application/octet-stream", name);
		}
	}
	slt_buf_adds(b, "</manifest:manifest>\n");
}

/* The namespace lacks the 0 of the standard's: X-Road writes it so. */
static void make_asic_manifest(const struct slt_asic_entries *e, struct slt_buf *b)
{
	struct slt_digest d;

	slt_digest_of(SLT_SHA512, e->ts_hash_chain_result.p, e->ts_hash_chain_result.n, &d);
	slt_buf_addf(
		b,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<asic:ASiCManifest xmlns:asic=\"http://uri.etsi.org/2918/v1.2.1#\" "
		"xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\n"
		"<asic:SigReference URI=\"META-INF/timestamp.tst\" "
		"MimeType=\"vnd.etsi.timestamp-token\"/>\n"
		"<asic:DataObjectReference URI=\"ts-hashchainresult.xml\" "
		"MimeType=\"text/xml\">\n<ds:DigestMethod Algorithm=\"%s\"/>\n<ds:DigestValue>",
		slt_digest_uri(d.alg));
	slt_buf_add_base64(b, d.v, d.n);
	slt_buf_adds(b, "</ds:DigestValue>\n</asic:DataObjectReference>\n</asic:ASiCManifest>\n");
}

static bool add_all(zip_t *z, const struct slt_asic_entries *e, struct slt_buf *manifest,
		    struct slt_buf *asic_manifest, struct slt_err *err)
{
	char name[32];

	if (!add_entry(z, "mimetype", SLT_STR_C(SLT_ASIC_MIME_TYPE), true, err)) {
		return false;
	}
	for (size_t i = 0; i < SLT_COUNT(known); i++) {
		if (i == KNOWN_TIMESTAMP) {
			make_manifest(e, manifest);
			if (!add_entry(z, "META-INF/manifest.xml", slt_buf_str(manifest), false,
				       err)) {
				return false;
			}
		}
		if (i == KNOWN_TIMESTAMP && e->timestamp.p != NULL) {
			make_asic_manifest(e, asic_manifest);
			if (!add_entry(z, "META-INF/ASiCManifest.xml", slt_buf_str(asic_manifest),
				       false, err)) {
				return false;
			}
		}

		struct slt_str v = view_at(e, &known[i]);

		if (v.p != NULL && !add_entry(z, known[i].name, v, false, err)) {
			return false;
		}
	}
	for (size_t i = 0; i < e->n_attachments; i++) {
		(void)snprintf(name, sizeof(name), "attachment%zu", i + 1);
		if (e->attachment[i].p != NULL &&
		    !add_entry(z, name, e->attachment[i], false, err)) {
			return false;
		}
	}
	return zip_set_archive_comment(z, "mimetype=" SLT_ASIC_MIME_TYPE,
				       sizeof("mimetype=" SLT_ASIC_MIME_TYPE) - 1) == 0 ||
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

bool slt_asic_write(const struct slt_asic_entries *e, struct slt_buf *out, struct slt_err *err)
{
	SLT_AUTO_BUF(manifest, 65536);
	SLT_AUTO_BUF(asic_manifest, 65536);
	zip_error_t why;

	zip_error_init(&why);

	zip_source_t *src = zip_source_buffer_create(NULL, 0, 0, &why);
	zip_t *z = src != NULL ? zip_open_from_source(src, ZIP_CREATE | ZIP_TRUNCATE, &why) : NULL;

	zip_error_fini(&why);
	if (z == NULL) {
		zip_source_free(src);
		return slt_fail(err, SLT_EINTERNAL, "the container cannot be created");
	}
	zip_source_keep(src); /* closing would free what it has written */

	bool good = add_all(z, e, &manifest, &asic_manifest, err);

	if (good && zip_close(z) != 0) {
		good = write_fail(z, err);
	} else if (good) {
		z = NULL;
	}
	if (z != NULL) {
		zip_discard(z);
	}
	good = good && copy_out(src, out, err);
	zip_source_free(src);
	return good;
}
