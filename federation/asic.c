/* SPDX-License-Identifier: MIT */
#include "federation/asic.h"

#include <stdio.h>
#include <string.h>

#include "base/zip.h"

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

static bool load_entries(struct slt_asic *a, const struct slt_zip_reader *z, struct slt_err *err)
{
	for (size_t i = 0; i < slt_zip_reader_count(z); i++) {
		const char *name = slt_zip_reader_name(z, i);
		struct slt_str *place = place_of(a, name);
		SLT_AUTO_BUF(b, SLT_ASIC_BYTES_MAX + 1);

		if (place == NULL) {
			if (!passed_over(name) && a->n_unknown++ == 0) {
				(void)snprintf(a->unknown, sizeof(a->unknown), "%.80s", name);
			}
			continue;
		}
		if (!slt_zip_reader_read(z, i, &b, err)) {
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
	static const struct slt_zip_limits limits = {.entries = SLT_ASIC_ENTRIES_MAX,
						     .entry_bytes = SLT_ASIC_BYTES_MAX,
						     .total_bytes = SLT_ASIC_TOTAL_MAX,
						     .ratio = SLT_ASIC_RATIO_MAX,
						     .ratio_from = SLT_ASIC_RATIO_FROM};
	SLT_AUTO(slt_zip_reader_free) struct slt_zip_reader *z = NULL;
	SLT_AUTO(slt_asic_free) struct slt_asic *a = slt_calloc(1, sizeof(*a));
	struct slt_err why = SLT_ERR_INIT;

	if (!slt_zip_reader_open(bytes, &limits, &z, &why)) {
		if (why.code == SLT_EIO) {
			/* what is no ZIP file has no entries to X-Road */
			return slt_fail(err, SLT_EASIC_MIME_TYPE_NOT_FOUND, "the container is %s",
					why.msg);
		}
		*err = why;
		return slt_wrap(err, "container");
	}
	if (!load_entries(a, z, err)) {
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

struct slt_archive {
	struct slt_zip_reader *zip;
};

bool slt_archive_open(struct slt_str bytes, struct slt_archive **ret, struct slt_err *err)
{
	static const struct slt_zip_limits limits = {.entries = SLT_ARCHIVE_ENTRIES_MAX,
						     .entry_bytes = SLT_ASIC_BYTES_MAX,
						     .total_bytes = UINT64_MAX,
						     .ratio = SLT_ASIC_RATIO_MAX,
						     .ratio_from = SLT_ASIC_RATIO_FROM};
	struct slt_zip_reader *zip = NULL;
	struct slt_err why = SLT_ERR_INIT;

	if (!slt_zip_reader_open(bytes, &limits, &zip, &why)) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE, "the archive is not to be read: %s",
				why.msg);
	}
	struct slt_archive *a = slt_calloc(1, sizeof(*a));
	a->zip = zip;
	*ret = a;
	return true;
}

void slt_archive_free(struct slt_archive *a)
{
	if (a != NULL) {
		slt_zip_reader_free(a->zip);
		free(a);
	}
}

size_t slt_archive_count(const struct slt_archive *a)
{
	return slt_zip_reader_count(a->zip);
}

const char *slt_archive_name(const struct slt_archive *a, size_t i)
{
	return slt_zip_reader_name(a->zip, i);
}

bool slt_archive_read(const struct slt_archive *a, size_t i, struct slt_buf *ret,
		      struct slt_err *err)
{
	return slt_zip_reader_read(a->zip, i, ret, err);
}

/* --- writing --- */

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

bool slt_asic_each(const struct slt_asic_entries *e, slt_asic_entry_fn add, void *arg,
		   struct slt_err *err)
{
	SLT_AUTO_BUF(manifest, 65536);
	SLT_AUTO_BUF(asic_manifest, 65536);
	char name[32];

	if (!add(arg, "mimetype", SLT_STR_C(SLT_ASIC_MIME_TYPE), true, err)) {
		return false;
	}
	for (size_t i = 0; i < SLT_COUNT(known); i++) {
		if (i == KNOWN_TIMESTAMP) {
			make_manifest(e, &manifest);
			if (!add(arg, "META-INF/manifest.xml", slt_buf_str(&manifest), false,
				 err)) {
				return false;
			}
		}
		if (i == KNOWN_TIMESTAMP && e->timestamp.p != NULL) {
			make_asic_manifest(e, &asic_manifest);
			if (!add(arg, "META-INF/ASiCManifest.xml", slt_buf_str(&asic_manifest),
				 false, err)) {
				return false;
			}
		}

		struct slt_str v = view_at(e, &known[i]);

		if (v.p != NULL && !add(arg, known[i].name, v, false, err)) {
			return false;
		}
	}
	for (size_t i = 0; i < e->n_attachments; i++) {
		(void)snprintf(name, sizeof(name), "attachment%zu", i + 1);
		if (e->attachment[i].p != NULL && !add(arg, name, e->attachment[i], false, err)) {
			return false;
		}
	}
	return true;
}

/* What was added must stay until the writer is done: the manifests are copied. */
struct packing {
	struct slt_zip_writer *zip;
	struct slt_arena *arena;
};

static bool pack(void *arg, const char *name, struct slt_str bytes, bool stored,
		 struct slt_err *err)
{
	struct packing *p = arg;

	if (slt_str_starts(slt_str(name), "META-INF/") && strstr(name, "anifest.xml") != NULL) {
		bytes.p = slt_arena_memdup(p->arena, bytes.p, bytes.n);
	}
	return slt_zip_writer_add(p->zip, name, bytes, stored, err);
}

bool slt_asic_write(const struct slt_asic_entries *e, struct slt_buf *out, struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	SLT_AUTO(slt_zip_writer_free) struct slt_zip_writer *z = NULL;

	if (!slt_zip_writer_new(&z, err)) {
		return false;
	}

	struct packing p = {z, arena};

	return slt_asic_each(e, pack, &p, err) &&
	       slt_zip_writer_comment(z, SLT_ASIC_COMMENT, err) &&
	       slt_zip_writer_finish(z, out, err);
}
