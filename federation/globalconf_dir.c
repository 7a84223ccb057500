/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_dir.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "federation/gcmime.h"

#define OCTETS "application/octet-stream"

/* A header that must be there, with a certain value where one is given. */
static bool need(const struct slt_gcmime_entity *e, const char *name, const char *value,
		 const char **ret, struct slt_err *err)
{
	const char *v = slt_gcmime_header(e, name);

	if (!v || !*v) {
		return slt_fail(err, SLT_EGC_HEADER_MISSING,
				"header %s is missing in the configuration directory", name);
	}
	if (value && !slt_strcase_eq(v, value)) {
		return slt_fail(
			err, SLT_EGC_HEADER_WRONG,
			"header %s of the configuration directory is \"%.100s\", not \"%s\"", name,
			v, value);
	}
	if (ret) {
		*ret = v;
	}
	return true;
}

/* --- the signature ------------------------------------------------------------------------ */

struct signature {
	enum slt_sig_alg alg;
	struct slt_digest cert_hash;
};

static bool decode_digest(enum slt_digest_alg alg, const char *base64, struct slt_digest *ret)
{
	SLT_AUTO_BUF(raw, SLT_DIGEST_MAX);
	struct slt_err ignored = SLT_ERR_INIT;

	if (!slt_base64_decode(slt_str(base64), &raw, &ignored) || raw.n != slt_digest_size(alg)) {
		return false;
	}
	*ret = (struct slt_digest){.alg = alg, .n = (unsigned)raw.n};
	memcpy(ret->v, raw.p, raw.n);
	return true;
}

static bool read_cert_hash(const char *field, struct slt_arena *a, struct slt_digest *ret,
			   struct slt_err *err)
{
	const char *uri = slt_gcmime_param(field, "hash-algorithm-id", a);
	const char *value = slt_gcmime_value(field, a);
	enum slt_digest_alg alg = slt_digest_by_uri(slt_str(uri));

	if (!uri || !*uri) {
		return slt_fail(err, SLT_EGC_HEADER_PARAM,
				"header verification-certificate-hash lacks hash-algorithm-id");
	}
	if (alg == SLT_DIGEST_NONE || !decode_digest(alg, value, ret)) {
		return slt_fail(err, SLT_EGC_HEADER_WRONG,
				"header verification-certificate-hash is not a digest of %.100s",
				uri);
	}
	return true;
}

static bool read_signature_headers(const struct slt_gcmime_entity *e, struct slt_arena *a,
				   struct signature *ret, struct slt_err *err)
{
	const char *alg, *hash;

	if (!need(e, "content-type", OCTETS, NULL, err) ||
	    !need(e, "content-transfer-encoding", "base64", NULL, err) ||
	    !need(e, "signature-algorithm-id", NULL, &alg, err) ||
	    !need(e, "verification-certificate-hash", NULL, &hash, err)) {
		return false;
	}
	ret->alg = slt_sig_by_uri(slt_str(alg));
	if (ret->alg == SLT_SIG_NONE || ret->alg == SLT_RSA_SHA1) {
		return slt_fail(err, SLT_EGC_HEADER_WRONG,
				"the directory is signed with %.100s, which is not acceptable",
				alg);
	}
	return read_cert_hash(hash, a, &ret->cert_hash, err);
}

static X509 *find_cert(const struct slt_digest *hash, X509 *const *certs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char md[EVP_MAX_MD_SIZE];
		unsigned len = 0;
		if (X509_digest(certs[i], slt_digest_md(hash->alg), md, &len) == 1 &&
		    len == hash->n && CRYPTO_memcmp(md, hash->v, len) == 0) {
			return certs[i];
		}
	}
	return NULL;
}

struct candidates {
	X509 *const *certs;
	size_t n;
};

static bool check_signature(struct slt_str signed_bytes, const struct slt_gcmime_entity *e,
			    const struct candidates *c, struct slt_arena *a, X509 **ret,
			    struct slt_err *err)
{
	SLT_AUTO_BUF(value, SLT_DIRECTORY_MAX);
	struct signature s;
	struct slt_digest d;
	struct slt_err why = SLT_ERR_INIT;

	if (!slt_base64_decode(e->body, &value, &why)) {
		return slt_fail(err, SLT_EGC_SIGNATURE_DECODE,
				"the signature of the configuration directory is not base64");
	}
	if (!read_signature_headers(e, a, &s, err)) {
		return false;
	}
	X509 *cert = find_cert(&s.cert_hash, c->certs, c->n);
	if (!cert) {
		return slt_fail(
			err, SLT_EGC_MISSING_CERT,
			"the configuration directory is signed with a key that none of the %zu "
			"known certificates has: is the anchor of another instance or out of "
			"date?",
			c->n);
	}
	slt_digest_of(slt_sig_digest(s.alg), signed_bytes.p, signed_bytes.n, &d);
	EVP_PKEY *key = X509_get0_pubkey(cert);
	if (!key || value.n == 0 || !slt_sig_verify(key, s.alg, &d, value.p, value.n, &why)) {
		return slt_fail(err, SLT_EGC_SIGNATURE,
				"the signature does not belong to this configuration directory");
	}
	*ret = cert;
	return true;
}

/* --- the parts ---------------------------------------------------------------------------- */

static bool has_control(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			return true;
		}
	}
	return false;
}

/* A path on the server that published the directory, absolute or from the directory's own place,
 * and nothing cleverer: no other host, no way up. */
static bool location_ok(const char *s)
{
	if (strlen(s) > 1000 || has_control(s) || strpbrk(s, "\\?#: ")) {
		return false;
	}
	for (const char *at = *s == '/' ? s + 1 : s;; at++) {
		size_t n = strcspn(at, "/");
		if (n == 0 || (at[0] == '.' && (n == 1 || (n == 2 && at[1] == '.')))) {
			return false;
		}
		at += n;
		if (!*at) {
			return true;
		}
	}
}

bool slt_directory_file_name_ok(const char *s)
{
	size_t n = strlen(s);
	const char suffix[] = ".metadata";
	size_t k = sizeof(suffix) - 1;

	return n > 0 && n <= 200 && s[0] != '.' && !strpbrk(s, "/\\") && !has_control(s) &&
	       (n < k || strcmp(s + n - k, suffix) != 0);
}

static const char *unquote(const char *s, struct slt_arena *a)
{
	size_t n = s ? strlen(s) : 0;

	if (n >= 2 && s[0] == '\'' && s[n - 1] == '\'') {
		return slt_arena_strndup(a, s + 1, n - 2);
	}
	return s;
}

static bool read_identifier(const struct slt_gcmime_entity *e, struct slt_arena *a,
			    struct slt_directory_part *p, struct slt_err *err)
{
	const char *field = slt_gcmime_header(e, "content-identifier");

	if (!field || !*field) {
		/* X-Road lets such a part be; it is nobody's */
		p->content_id = p->instance = "";
		return true;
	}
	p->content_id = slt_gcmime_value(field, a);
	p->instance = unquote(slt_gcmime_param(field, "instance", a), a);
	if (p->instance && *p->instance) {
		return true;
	}
	if (strcmp(p->content_id, SLT_PART_SHARED) == 0 ||
	    strcmp(p->content_id, SLT_PART_PRIVATE) == 0) {
		return slt_fail(err, SLT_EGC_HEADER_PARAM,
				"header content-identifier of part %s lacks the instance",
				p->content_id);
	}
	p->instance = "";
	return true;
}

static bool read_digest(const char *uri, struct slt_str body, struct slt_directory_part *p,
			struct slt_arena *a, struct slt_err *err)
{
	enum slt_digest_alg alg = slt_digest_by_uri(slt_str(uri));

	if (alg == SLT_DIGEST_NONE || alg == SLT_SHA1) {
		return slt_fail(err, SLT_EGC_HASH,
				"the digest of part %.100s uses %.100s, which is not acceptable",
				p->location, uri);
	}
	body = slt_str_trim(body);
	if (!decode_digest(alg, slt_arena_strndup(a, body.p, body.n), &p->digest)) {
		return slt_fail(err, SLT_EGC_HASH, "the digest of part %.100s is not a %s digest",
				p->location, slt_digest_name(alg));
	}
	return true;
}

static bool read_part(struct slt_str text, struct slt_arena *a, struct slt_directory_part *ret,
		      struct slt_err *err)
{
	struct slt_gcmime_entity e;
	const char *uri;

	if (!slt_gcmime_parse(text, a, &e, err) || !need(&e, "content-type", OCTETS, NULL, err) ||
	    !need(&e, "content-transfer-encoding", "base64", NULL, err) ||
	    !need(&e, "content-location", NULL, &ret->location, err) ||
	    !need(&e, "hash-algorithm-id", NULL, &uri, err) || !read_identifier(&e, a, ret, err)) {
		return false;
	}
	if (!location_ok(ret->location)) {
		return slt_fail(err, SLT_EGC_HEADER_WRONG,
				"content-location \"%.100s\" is not a plain path", ret->location);
	}
	ret->file_name = slt_gcmime_header(&e, "content-file-name");
	if (!ret->file_name) {
		const char *slash = strrchr(ret->location, '/');
		ret->file_name = slash ? slash + 1 : ret->location;
	}
	if (!slt_directory_file_name_ok(ret->file_name)) {
		return slt_fail(err, SLT_EGC_HEADER_WRONG,
				"\"%.100s\" cannot be the name of a configuration part's file",
				ret->file_name);
	}
	return read_digest(uri, e.body, ret, a, err);
}

static bool same_target(const struct slt_directory_part *a, const struct slt_directory_part *b)
{
	if (strcmp(a->instance, b->instance) != 0) {
		return false;
	}
	return slt_strcase_eq(a->file_name, b->file_name) ||
	       (*a->content_id && strcmp(a->content_id, b->content_id) == 0);
}

static bool read_parts(const struct slt_str *text, size_t n, struct slt_directory *d,
		       struct slt_err *err)
{
	d->parts = slt_arena_alloc(d->arena, (n + 1) * sizeof(*d->parts));
	for (size_t i = 0; i < n; i++) {
		if (!read_part(text[i], d->arena, &d->parts[i], err)) {
			return false;
		}
		for (size_t k = 0; k < i; k++) {
			if (same_target(&d->parts[k], &d->parts[i])) {
				return slt_fail(err, SLT_EGC_HEADER_WRONG,
						"parts %.100s and %.100s of the directory are "
						"the same part twice",
						d->parts[k].location, d->parts[i].location);
			}
		}
	}
	d->n_parts = n;
	return true;
}

static bool read_version(const struct slt_gcmime_entity *e, int *ret, struct slt_err *err)
{
	const char *v = slt_gcmime_header(e, "version");

	if (!v || !*v) {
		return true;
	}
	if (strlen(v) > 3 || strspn(v, "0123456789") != strlen(v)) {
		return slt_fail(err, SLT_EGC_HEADER_WRONG,
				"header version of the configuration directory is \"%.20s\"", v);
	}
	*ret = (int)strtol(v, NULL, 10);
	return true;
}

/* The first inner part: until when, and in which format. */
static bool read_head(struct slt_str text, int64_t now_ms, struct slt_directory *d,
		      struct slt_err *err)
{
	struct slt_gcmime_entity e;
	const char *expires;
	char at[SLT_TIME_LEN];

	if (!slt_gcmime_parse(text, d->arena, &e, err) ||
	    !need(&e, "expire-date", NULL, &expires, err)) {
		return false;
	}
	if (!slt_time_parse(slt_str(expires), &d->expires_ms, err)) {
		err->code = SLT_EGC_HEADER_WRONG;
		return slt_wrap(err, "header expire-date of the configuration directory");
	}
	if (now_ms >= 0 && d->expires_ms < now_ms) {
		return slt_fail(err, SLT_EOUTDATED_GLOBALCONF,
				"the configuration directory expired at %s",
				slt_time_format(d->expires_ms, false, at));
	}
	return read_version(&e, &d->version, err);
}

/* The boundary of a multipart entity; NULL when it is none. */
static const char *boundary_of(const struct slt_gcmime_entity *e, struct slt_arena *a)
{
	const char *type = slt_gcmime_header(e, "content-type");

	if (!type || strncasecmp(type, "multipart/", 10) != 0) {
		return NULL;
	}
	return slt_gcmime_param(type, "boundary", a);
}

static bool no_expire(struct slt_err *err)
{
	return slt_fail(err, SLT_EGC_NO_EXPIRE,
			"the configuration directory holds no signed part with an expiry date");
}

static bool read_inner(const struct slt_gcmime_entity *inner, int64_t now_ms,
		       struct slt_directory *d, struct slt_err *err)
{
	struct slt_str parts[SLT_DIRECTORY_PARTS_MAX + 1];
	const char *boundary = boundary_of(inner, d->arena);
	size_t n = 0;

	if (!boundary) {
		return no_expire(err);
	}
	if (!slt_gcmime_split(inner->body, boundary, SLT_COUNT(parts), parts, &n, err)) {
		return false;
	}
	if (n == 0) {
		return no_expire(err);
	}
	return read_head(parts[0], now_ms, d, err) && read_parts(parts + 1, n - 1, d, err);
}

/* --- the whole ---------------------------------------------------------------------------- */

static bool verify(struct slt_str in, const struct candidates *c, int64_t now_ms,
		   struct slt_directory *d, struct slt_err *err)
{
	struct slt_gcmime_entity outer, inner, signature;
	struct slt_str parts[2];
	size_t n = 0;

	if (!slt_gcmime_parse(in, d->arena, &outer, err)) {
		return false;
	}
	const char *boundary = boundary_of(&outer, d->arena);
	if (!boundary) {
		return no_expire(err);
	}
	if (!slt_gcmime_split(outer.body, boundary, SLT_COUNT(parts), parts, &n, err)) {
		return false;
	}
	if (n == 0) {
		return slt_fail(err, SLT_EGC_NO_SIGNED_DATA,
				"the configuration directory holds no signed data");
	}
	if (n == 1) {
		return no_expire(err);
	}
	if (!slt_gcmime_parse(parts[0], d->arena, &inner, err) ||
	    !slt_gcmime_parse(parts[1], d->arena, &signature, err)) {
		return false;
	}
	return check_signature(inner.body, &signature, c, d->arena, &d->cert, err) &&
	       read_inner(&inner, now_ms, d, err);
}

bool slt_directory_verify(const void *p, size_t n, X509 *const *certs, size_t n_certs,
			  int64_t now_ms, struct slt_directory **ret, struct slt_err *err)
{
	const struct candidates c = {certs, n_certs};

	if (n > SLT_DIRECTORY_MAX) {
		return slt_fail(err, SLT_EGC_PARSE,
				"the configuration directory is longer than %u bytes",
				SLT_DIRECTORY_MAX);
	}
	SLT_AUTO(slt_directory_free) struct slt_directory *d = slt_calloc(1, sizeof(*d));
	d->arena = slt_arena_new();
	if (!verify((struct slt_str){p, n}, &c, now_ms, d, err)) {
		return false;
	}
	*ret = SLT_TAKE(d);
	return true;
}

void slt_directory_free(struct slt_directory *d)
{
	if (d) {
		slt_arena_free(d->arena);
		free(d);
	}
}

bool slt_directory_check_instance(const struct slt_directory *d, const char *instance,
				  struct slt_err *err)
{
	for (size_t i = 0; i < d->n_parts; i++) {
		const char *of = d->parts[i].instance;
		if (*of && strcmp(of, instance) != 0) {
			return slt_fail(err, SLT_EGC_INSTANCE,
					"part %.100s belongs to instance %.100s, not to %.100s",
					d->parts[i].location, of, instance);
		}
	}
	return true;
}

bool slt_directory_check_part(const struct slt_directory_part *part, const void *p, size_t n,
			      struct slt_err *err)
{
	struct slt_digest d;

	slt_digest_of(part->digest.alg, p, n, &d);
	if (!slt_digest_eq(&d, &part->digest)) {
		return slt_fail(err, SLT_EGC_INTEGRITY,
				"part %.100s does not match its digest in the directory",
				part->location);
	}
	return true;
}
