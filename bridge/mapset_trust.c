/* SPDX-License-Identifier: MIT */
#include "mapset_trust.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/digest.h"
#include "base/file.h"

#define SIGNATURE_MAX (1u << 20)
#define MANIFEST_MAX  (4u << 20)
#define TRUSTED_MAX   (1u << 20) /* bytes of the file of trusted certificates */
#define NAME_MAX_LEN  256

SLT_DEFINE_AUTO(X509_STORE *, X509_STORE_free)
SLT_DEFINE_AUTO(BIO *, BIO_free_all)
SLT_DEFINE_AUTO(CMS_ContentInfo *, CMS_ContentInfo_free)

struct verifier {
	const char *dir;
	const struct slt_mapset_policy *policy;
	struct slt_arena *a;
	struct slt_lint *lint;
};

static bool complain(struct verifier *v, const char *file, const struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(v->dir, file);

	slt_lint_add(v->lint, path, 0, "%s", err->msg);
	return false;
}

const char *slt_mapset_common_name(const X509 *cert, struct slt_arena *a)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int at = -1, last = -1;
	unsigned char *text = NULL;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0) {
		last = at;
	}
	if (last < 0) {
		return NULL;
	}
	int n = ASN1_STRING_to_UTF8(&text,
				    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
	const char *name = NULL;
	if (n > 0 && n < NAME_MAX_LEN && !memchr(text, 0, (size_t)n)) {
		name = slt_arena_strndup(a, (char *)text, (size_t)n);
	}
	OPENSSL_free(text);
	return name;
}

/* --- the signatures --- */

static bool load_trusted(const struct slt_mapset_policy *p, X509_STORE **ret, struct slt_err *err)
{
	SLT_AUTO_STR char *pem = NULL;
	size_t n;

	if (!slt_file_read(p->ca, TRUSTED_MAX, &pem, &n, err)) {
		return slt_wrap(err, "certificates trusted with mapping sets");
	}
	SLT_AUTO(BIO_free_all) BIO *in = BIO_new_mem_buf(pem, (int)n);
	SLT_AUTO(X509_STORE_free) X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
	X509 *cert;
	size_t count = 0;

	while ((cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
		count += (size_t)X509_STORE_add_cert(store, cert);
		X509_free(cert);
	}
	ERR_clear_error(); /* "no start line" at the end of the file */
	if (count == 0) {
		return slt_fail(err, SLT_ECONFIG, "%s holds no certificate in PEM form", p->ca);
	}
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN); /* a signer's own may stand there */
	X509_STORE_set_purpose(store, X509_PURPOSE_ANY);	/* see fit_to_sign() */
	X509_VERIFY_PARAM_set_time(param, (time_t)(p->now_ms / 1000));
	X509_VERIFY_PARAM_set_auth_level(param, 2); /* 112 bits: no SHA-1, no RSA below 2048 */
	*ret = SLT_TAKE(store);
	return true;
}

static bool read_cms(struct slt_str der, CMS_ContentInfo **ret, struct slt_err *err)
{
	const unsigned char *p = (const unsigned char *)der.p;
	SLT_AUTO(CMS_ContentInfo_free)
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);

	if (!cms || p != (const unsigned char *)der.p + der.n) {
		return slt_fail_ssl(err, SLT_ECONFIG, "is no CMS structure in DER form");
	}
	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed || CMS_is_detached(cms) != 1 ||
	    OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data) {
		return slt_fail(err, SLT_ECONFIG, "is no detached signature");
	}
	int n = sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms));
	if (n < 1 || n > SLT_MANIFEST_SIGNERS) {
		return slt_fail(err, SLT_ECONFIG, "has %d signers instead of 1 to %d", n,
				SLT_MANIFEST_SIGNERS);
	}
	*ret = SLT_TAKE(cms);
	return true;
}

static bool good_digests(CMS_ContentInfo *cms, struct slt_err *err)
{
	STACK_OF(CMS_SignerInfo) *all = CMS_get0_SignerInfos(cms);

	for (int i = 0; i < sk_CMS_SignerInfo_num(all); i++) {
		X509_ALGOR *digest = NULL;
		const ASN1_OBJECT *oid = NULL;
		CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(all, i), NULL, NULL, &digest,
					 NULL);
		X509_ALGOR_get0(&oid, NULL, NULL, digest);
		int nid = OBJ_obj2nid(oid);
		if (nid != NID_sha256 && nid != NID_sha384 && nid != NID_sha512) {
			return slt_fail(err, SLT_ECONFIG, "is made with %s instead of SHA-2",
					OBJ_nid2sn(nid));
		}
	}
	return true;
}

/* A certificate made for something else (a server's, say) proves nothing about tables. */
static bool fit_to_sign(X509 *cert, struct slt_err *err)
{
	uint32_t usage = X509_get_key_usage(cert), purposes = X509_get_extended_key_usage(cert);

	if (!(usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION))) {
		return slt_fail(err, SLT_ECONFIG,
				"the signer's certificate is not for signatures (keyUsage)");
	}
	if (!(purposes & (XKU_SMIME | XKU_CODE_SIGN | XKU_ANYEKU))) {
		return slt_fail(
			err, SLT_ECONFIG,
			"the signer's certificate is for other purposes (extendedKeyUsage)");
	}
	return true;
}

/* Why a certificate is not good stands in the error's data, not in its reason. */
static bool fail_cms(const struct verifier *v, struct slt_err *err)
{
	const char *data = NULL;
	int flags = 0;
	SLT_AUTO_STR char *why = NULL;

	ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
	why = slt_strdup(data && (flags & ERR_TXT_STRING) ? data : "");
	return slt_fail_ssl(err, SLT_ECONFIG,
			    "is no signature over " SLT_MANIFEST_NAME
			    " by somebody trusted in %s: %.100s",
			    v->policy->ca, why);
}

static bool verify_signatures(struct verifier *v, struct slt_str manifest, struct slt_str der,
			      STACK_OF(X509) * *ret_signers, struct slt_err *err)
{
	SLT_AUTO(X509_STORE_free) X509_STORE *store = NULL;
	SLT_AUTO(CMS_ContentInfo_free) CMS_ContentInfo *cms = NULL;

	if (!load_trusted(v->policy, &store, err) || !read_cms(der, &cms, err) ||
	    !good_digests(cms, err)) {
		return false;
	}
	SLT_AUTO(BIO_free_all) BIO *content = BIO_new_mem_buf(manifest.p, (int)manifest.n);
	if (CMS_verify(cms, NULL, store, content, NULL, CMS_BINARY) != 1) {
		return fail_cms(v, err);
	}
	STACK_OF(X509) *signers = CMS_get0_signers(cms);
	bool good = signers != NULL;
	for (int i = 0; good && i < sk_X509_num(signers); i++) {
		good = fit_to_sign(sk_X509_value(signers, i), err) &&
		       X509_up_ref(sk_X509_value(signers, i));
	}
	*ret_signers = signers;
	return good;
}

/* --- who signed --- */

static bool named(const struct slt_conf_strings *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->v[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static bool seen_before(STACK_OF(X509) * signers, int i, const char *const *names)
{
	EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(signers, i));

	for (int k = 0; k < i; k++) {
		if (EVP_PKEY_eq(key, X509_get0_pubkey(sk_X509_value(signers, k))) == 1 ||
		    strcmp(names[k], names[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool judge_signers(struct verifier *v, STACK_OF(X509) * signers,
			  struct slt_mapset_release *r, struct slt_err *err)
{
	const struct slt_manifest *m = r->manifest;

	for (int i = 0; i < sk_X509_num(signers); i++) {
		const char *name = slt_mapset_common_name(sk_X509_value(signers, i), v->a);
		if (!name || (strcmp(name, m->author) != 0 && !named(&m->approvals, name))) {
			return slt_fail(err, SLT_ECONFIG,
					"is signed by \"%.100s\", who is neither the author nor "
					"one of the approvals in " SLT_MANIFEST_NAME,
					name ? name : "somebody without a common name");
		}
		r->signer[r->n_signers++] = name;
		if (seen_before(signers, i, r->signer)) {
			return slt_fail(err, SLT_ECONFIG,
					"two signers have one key or one name: %.100s", name);
		}
		r->n_approvals += named(&m->approvals, name);
	}
	if (r->n_approvals < v->policy->approvals) {
		return slt_fail(err, SLT_ECONFIG, "%zu of the approvals have signed, %u are needed",
				r->n_approvals, v->policy->approvals);
	}
	return true;
}

/* --- the whole --- */

static void free_signers(STACK_OF(X509) * signers, bool owned)
{
	if (owned) {
		sk_X509_pop_free(signers, X509_free);
	} else {
		sk_X509_free(signers);
	}
}

/* Signatures first: nothing is parsed as a manifest that nobody trusted has signed. */
static bool verify_manifest(struct verifier *v, struct slt_str manifest, struct slt_str der,
			    struct slt_mapset_release *r)
{
	STACK_OF(X509) *signers = NULL;
	struct slt_err err = SLT_ERR_INIT;
	const char *parsed = NULL;
	struct slt_digest d;
	SLT_AUTO_BUF(hex, 2 * SLT_DIGEST_MAX + 1);

	slt_digest_of(SLT_SHA256, manifest.p, manifest.n, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	bool good = verify_signatures(v, manifest, der, &signers, &err);
	bool owned = good;
	good = good || complain(v, SLT_MANIFEST_SIGNATURE, &err);
	good = good && slt_manifest_read(v->dir, v->a, v->lint, &r->manifest, &parsed);
	if (good && strcmp(parsed, hex.p) != 0) {
		slt_fail(&err, SLT_ECONFIG, "changed while it was being read");
		good = complain(v, SLT_MANIFEST_NAME, &err);
	}
	if (good && !judge_signers(v, signers, r, &err)) {
		good = complain(v, SLT_MANIFEST_SIGNATURE, &err);
	}
	free_signers(signers, owned);
	return good;
}

bool slt_mapset_verify(const char *dir, const struct slt_mapset_policy *p, struct slt_arena *a,
		       struct slt_lint *lint, struct slt_mapset_release *ret)
{
	struct verifier v = {dir, p, a, lint};
	SLT_AUTO_STR char *path = slt_path_join(dir, SLT_MANIFEST_NAME);
	SLT_AUTO_STR char *sig_path = slt_path_join(dir, SLT_MANIFEST_SIGNATURE);
	SLT_AUTO_STR char *bytes = NULL, *der = NULL;
	size_t n, der_n;
	struct slt_err err = SLT_ERR_INIT;

	memset(ret, 0, sizeof(*ret));
	ret->code = SLT_ECONFIG;
	if (!slt_file_read(path, MANIFEST_MAX, &bytes, &n, &err) ||
	    !slt_file_read(sig_path, SIGNATURE_MAX, &der, &der_n, &err)) {
		slt_wrap(&err, "the mapping set is not signed");
		slt_lint_add_err(lint, &err);
		return false;
	}
	if (!verify_manifest(&v, (struct slt_str){bytes, n}, (struct slt_str){der, der_n}, ret)) {
		return false;
	}
	bool good = slt_manifest_check(ret->manifest, dir, lint);
	if (!slt_manifest_in_force(ret->manifest, dir, p->now_ms, &err)) {
		slt_lint_add_err(lint, &err);
		ret->code = good ? err.code : SLT_ECONFIG;
		good = false;
	}
	return good;
}

bool slt_mapset_open(const char *dir, const struct slt_mapset_policy *p, struct slt_lint *lint,
		     struct slt_lint *warnings, struct slt_mapset **ret, struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_mapset_free) struct slt_mapset *s = NULL;
	struct slt_mapset_release r = {.code = SLT_ECONFIG};
	struct slt_lint *trust = p->required ? lint : warnings;
	bool released = p->ca && slt_mapset_verify(dir, p, a, trust, &r);
	size_t before = lint->total;

	if (p->required && !p->ca) {
		slt_lint_add(lint, dir, 0, "no certificates are trusted with mapping sets");
	}
	bool loaded = slt_mapset_check(dir, lint, &s);
	if (!loaded && lint->total == before) {
		slt_lint_add(lint, dir, 0, "is not a mapping set");
	}
	if (loaded && released && !slt_strcase_eq(slt_mapset_digest(s), r.manifest->digest)) {
		slt_lint_add(trust, dir, 0,
			     "the set as loaded has the digest %s, " SLT_MANIFEST_NAME
			     " says %.64s: sign it again with this version of silta",
			     slt_mapset_digest(s), r.manifest->digest);
		released = false;
	}
	if (!slt_lint_finish(lint, err)) {
		err->code = lint->total == 1 ? r.code : SLT_ECONFIG;
		return false;
	}
	if (released) {
		slt_mapset_limit(s, r.manifest->effective_from, r.manifest->effective_to);
	}
	*ret = SLT_TAKE(s);
	return true;
}
