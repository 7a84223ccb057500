/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_dir.h"

#include <openssl/evp.h>
#include <string.h>

#include "tests/support/pki.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Signs the input as the inner part: a fuzzer does not get past a signature by itself. */
static void wrap(const struct pki_cert *c, const uint8_t *p, size_t n, struct slt_buf *out)
{
	unsigned char value[512], hash[64];
	size_t n_value = sizeof(value);
	unsigned n_hash = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum slt_sig_alg alg = slt_sig_for_key(c->key, SLT_SHA256, false);

	slt_assert(EVP_DigestSignInit(ctx, NULL, slt_digest_md(SLT_SHA256), NULL, c->key) == 1 &&
		   EVP_DigestSign(ctx, value, &n_value, p, n) == 1);
	EVP_MD_CTX_free(ctx);
	slt_assert(X509_digest(c->x509, slt_digest_md(SLT_SHA512), hash, &n_hash) == 1);
	slt_buf_adds(out, "Content-Type: multipart/related; boundary=outer-x\n\n--outer-x\n"
			  "Content-Type: multipart/mixed; boundary=i\n\n");
	slt_buf_add(out, p, n);
	slt_buf_addf(out,
		     "\n--outer-x\nContent-Type: application/octet-stream\n"
		     "Content-Transfer-Encoding: base64\nSignature-Algorithm-Id: %s\n"
		     "Verification-certificate-hash: ",
		     slt_sig_uri(alg));
	slt_buf_add_base64(out, hash, n_hash);
	slt_buf_addf(out, "; hash-algorithm-id=\"%s\"\n\n", slt_digest_uri(SLT_SHA512));
	slt_buf_add_base64(out, value, n_value);
	slt_buf_adds(out, "\n--outer-x--\n");
}

static void check(struct slt_str text, X509 *cert)
{
	SLT_AUTO(slt_directory_free) struct slt_directory *d = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_directory_verify(text.p, text.n, &cert, 1, -1, &d, &err)) {
		slt_assert(err.code != SLT_OK);
		return;
	}
	slt_assert(d->cert == cert && d->n_parts <= SLT_DIRECTORY_PARTS_MAX);
	for (size_t i = 0; i < d->n_parts; i++) {
		const struct slt_directory_part *p = &d->parts[i];
		slt_assert(slt_directory_file_name_ok(p->file_name) && !strchr(p->location, ':') &&
			   !strstr(p->location, "/../") && strncmp(p->location, "../", 3) != 0 &&
			   p->digest.n > 20);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct pki_cert *c;
	SLT_AUTO_BUF(out, 2 * SLT_DIRECTORY_MAX);

	if (!c) {
		const struct pki_spec spec = {
			.subject = "CN=signing", .use_key = pki_fixed_key(), .serial = 1};
		c = pki_issue(NULL, &spec);
	}
	check((struct slt_str){(const char *)p, n}, c->x509);
	wrap(c, p, n, &out);
	check(slt_buf_str(&out), c->x509);
	return 0;
}
