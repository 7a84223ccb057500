/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_dir.h"

#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/clock.h"

#define BOUNDARY_LEN 20
#define CRLF	     "\r\n"

static void make_boundary(char ret[BOUNDARY_LEN + 1])
{
	static const char alnum[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned char r[BOUNDARY_LEN];

	slt_assert(RAND_bytes(r, sizeof(r)) == 1);
	for (size_t i = 0; i < BOUNDARY_LEN; i++) {
		ret[i] = alnum[r[i] % (sizeof(alnum) - 1)];
	}
	ret[BOUNDARY_LEN] = '\0';
}

/* What goes into a header must stay one value of it. */
static bool header_safe(const char *s)
{
	for (; s && *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f || *s == ';' || *s == '"') {
			return false;
		}
	}
	return s != NULL;
}

static bool add_part(const struct slt_directory_part *p, const char *boundary, struct slt_buf *out,
		     struct slt_err *err)
{
	const char *last = p->location ? strrchr(p->location, '/') : NULL;
	const char *quote = p->instance && strchr(p->instance, '\'') ? "\"" : "'";

	if (!header_safe(p->content_id) || !header_safe(p->instance) || !header_safe(p->location) ||
	    !last || p->location[0] != '/' || p->digest.n == 0) {
		return slt_fail(err, SLT_EINVAL,
				"part %.100s of the directory lacks a plain identifier, instance, "
				"location or digest",
				p->location ? p->location : "without location");
	}
	slt_buf_addf(out, "--%s" CRLF "Content-type: application/octet-stream" CRLF, boundary);
	slt_buf_adds(out, "Content-transfer-encoding: base64" CRLF);
	slt_buf_addf(out, "Content-identifier: %s; instance=%s%s%s" CRLF, p->content_id, quote,
		     p->instance, quote);
	slt_buf_addf(out, "Content-location: %s" CRLF, p->location);
	if (p->file_name && strcmp(p->file_name, last + 1) != 0) {
		if (!slt_directory_file_name_ok(p->file_name)) {
			return slt_fail(err, SLT_EINVAL, "\"%.100s\" cannot be a file's name",
					p->file_name);
		}
		slt_buf_addf(out, "Content-file-name: %s" CRLF, p->file_name);
	}
	slt_buf_addf(out, "Hash-algorithm-id: %s" CRLF CRLF, slt_digest_uri(p->digest.alg));
	slt_buf_add_base64(out, p->digest.v, p->digest.n);
	slt_buf_adds(out, CRLF);
	return true;
}

/* The bytes that are signed: from the first inner delimiter to the line break after the last. */
static bool add_inner(const struct slt_directory *d, const char *boundary, struct slt_buf *out,
		      struct slt_err *err)
{
	char at[SLT_TIME_LEN];

	slt_buf_addf(out, "--%s" CRLF "Expire-date: %s" CRLF, boundary,
		     slt_time_format(d->expires_ms, false, at));
	if (d->version) {
		slt_buf_addf(out, "Version: %d" CRLF, d->version);
	}
	slt_buf_adds(out, CRLF);
	for (size_t i = 0; i < d->n_parts; i++) {
		if (!add_part(&d->parts[i], boundary, out, err)) {
			return false;
		}
	}
	slt_buf_addf(out, "--%s--" CRLF, boundary);
	return slt_buf_check(out, "the configuration directory", err);
}

static bool sign(const struct slt_buf *in, struct slt_key *key, struct slt_buf *ret,
		 struct slt_err *err)
{
	struct slt_digest d;
	enum slt_digest_alg alg = slt_sig_digest(key->alg);

	if (alg == SLT_DIGEST_NONE || alg == SLT_SHA1) {
		return slt_fail(err, SLT_EALGORITHM,
				"the key's algorithm cannot sign a configuration directory");
	}
	slt_digest_of(alg, in->p, in->n, &d);
	return key->sign(key, &d, ret, err);
}

static void add_signature(const struct slt_key *key, const struct slt_buf *value,
			  const char *boundary, struct slt_buf *out)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	slt_assert(X509_digest(key->cert, slt_digest_md(SLT_SHA512), md, &n) == 1);
	slt_buf_addf(out, CRLF "--%s" CRLF "Content-Type: application/octet-stream" CRLF, boundary);
	slt_buf_adds(out, "Content-Transfer-Encoding: base64" CRLF);
	slt_buf_addf(out, "Signature-Algorithm-Id: %s" CRLF, slt_sig_uri(key->alg));
	slt_buf_adds(out, "Verification-certificate-hash: ");
	slt_buf_add_base64(out, md, n);
	slt_buf_addf(out, "; hash-algorithm-id=\"%s\"" CRLF CRLF, slt_digest_uri(SLT_SHA512));
	slt_buf_add_base64(out, value->p, value->n);
	slt_buf_addf(out, CRLF "--%s--" CRLF, boundary);
}

bool slt_directory_write(const struct slt_directory *d, struct slt_key *key, struct slt_buf *out,
			 struct slt_err *err)
{
	SLT_AUTO_BUF(inner, SLT_DIRECTORY_MAX);
	SLT_AUTO_BUF(value, 65536);
	char outer_boundary[BOUNDARY_LEN + 1], inner_boundary[BOUNDARY_LEN + 1];

	if (d->n_parts > SLT_DIRECTORY_PARTS_MAX) {
		return slt_fail(err, SLT_EINVAL, "a configuration directory has at most %d parts",
				SLT_DIRECTORY_PARTS_MAX);
	}
	make_boundary(outer_boundary);
	make_boundary(inner_boundary);
	if (!add_inner(d, inner_boundary, &inner, err) || !sign(&inner, key, &value, err)) {
		return slt_wrap(err, "cannot make the configuration directory");
	}
	slt_buf_addf(out, "Content-Type: multipart/related; charset=UTF-8; boundary=%s" CRLF CRLF,
		     outer_boundary);
	slt_buf_addf(out, "--%s" CRLF, outer_boundary);
	slt_buf_addf(out, "Content-Type: multipart/mixed; charset=UTF-8; boundary=%s" CRLF CRLF,
		     inner_boundary);
	slt_buf_add(out, inner.p, inner.n);
	add_signature(key, &value, outer_boundary, out);
	return slt_buf_check(out, "the configuration directory", err);
}
