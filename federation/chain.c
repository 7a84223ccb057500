/* SPDX-License-Identifier: MIT */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "federation/trust.h"

/* --- finding the path --- */

static bool refuse(const X509 *cert, struct slt_err *err, const char *why)
{
	char text[SLT_CERT_TEXT];
	return slt_fail(err, SLT_CANNOT_CREATE_CERT_PATH, "certificate %s %s",
			slt_certinfo_text(cert, text), why);
}

static bool is_issued_by_name(const X509 *cert, const X509 *issuer)
{
	return X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) == 0;
}

static bool is_signed_by(X509 *cert, const X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	return key != NULL && X509_verify(cert, key) == 1;
}

static bool check_algorithms(const X509 *cert, bool lax, struct slt_err *err)
{
	const X509_ALGOR *alg = NULL;
	const char *why = NULL;
	X509_get0_signature(NULL, &alg, cert);
	if (!slt_certinfo_sigalg_allowed(alg, lax)) {
		char name[80] = "?", text[SLT_CERT_TEXT];
		const ASN1_OBJECT *oid = NULL;
		X509_ALGOR_get0(&oid, NULL, NULL, alg);
		OBJ_obj2txt(name, sizeof(name), oid, 0);
		return slt_fail(err, SLT_CANNOT_CREATE_CERT_PATH,
				"certificate %s is signed with %s, which is not allowed",
				slt_certinfo_text(cert, text), name);
	}
	return slt_certinfo_key_allowed(X509_get0_pubkey(cert), lax, &why) ? true
									   : refuse(cert, err, why);
}

/* The i-th approved authority of the instance; the opaque instance is recognised by asking for
 * one of its authorities. */
static const struct slt_gc_ca *instance_ca(const struct slt_chain_query *q, size_t i)
{
	const struct slt_gc_ca *ca = slt_globalconf_ca_at(q->gc, i);
	const struct slt_gc_ca *own =
		ca == NULL ? NULL
			   : slt_globalconf_find_ca(q->gc, q->instance,
						    X509_get_subject_name(ca->cert));
	return own != NULL && own->instance == ca->instance ? ca : NULL;
}

/* The approved authority that issued a certificate. Where several bear the name (a key was
 * replaced) the one that signed it, and X-Road's choice, the last, where none did. */
static const struct slt_gc_ca *find_anchor(const struct slt_chain_query *q, X509 *cert)
{
	const struct slt_gc_ca *found = NULL;
	bool certain = false;
	if (q->ca_override != NULL) {
		return is_issued_by_name(cert, q->ca_override->cert) &&
				       X509_cmp(cert, q->ca_override->cert) != 0
			       ? q->ca_override
			       : NULL;
	}
	for (size_t i = 0; slt_globalconf_ca_at(q->gc, i) != NULL; i++) {
		const struct slt_gc_ca *ca = instance_ca(q, i);
		if (ca == NULL || !is_issued_by_name(cert, ca->cert) ||
		    X509_cmp(cert, ca->cert) == 0) {
			continue;
		}
		if (found != NULL && !certain) {
			certain = is_signed_by(cert, found->cert);
		}
		if (found == NULL || !certain || is_signed_by(cert, ca->cert)) {
			found = ca;
		}
	}
	return found;
}

static X509 *find_intermediate(const struct slt_chain_query *q, X509 *cert, bool used[])
{
	X509 *const *v = q->intermediates;
	size_t found = q->n_intermediates;
	for (size_t i = 0; i < q->n_intermediates; i++) {
		const char *why = NULL;
		if (used[i] || v[i] == NULL || !is_issued_by_name(cert, v[i]) ||
		    X509_cmp(cert, v[i]) == 0 ||
		    !slt_certinfo_key_allowed(X509_get0_pubkey(v[i]), q->lax, &why)) {
			continue;
		}
		if (found == q->n_intermediates || is_signed_by(cert, v[i])) {
			found = i;
		}
	}
	if (found == q->n_intermediates) {
		return NULL;
	}
	used[found] = true;
	return v[found];
}

static bool no_issuer(const struct slt_chain_query *q, const X509 *cert, struct slt_err *err)
{
	char text[SLT_CERT_TEXT];
	SLT_AUTO_BUF(issuer, 400);
	slt_certinfo_name(X509_get_issuer_name(cert), &issuer);
	return slt_fail(err, SLT_CANNOT_CREATE_CERT_PATH,
			"certificate %s is not issued by an approved certification authority: its "
			"issuer \"%s\" is neither listed in instance %s nor among the certificates "
			"presented",
			slt_certinfo_text(cert, text), issuer.n > 0 ? issuer.p : "?", q->instance);
}

static bool find_path(const struct slt_chain_query *q, struct slt_chain *c, struct slt_err *err)
{
	bool used[SLT_CHAIN_MAX] = {false};
	X509 *cert = q->leaf;
	if (q->n_intermediates >= SLT_CHAIN_MAX) {
		return refuse(q->leaf, err, "comes with more than 5 certificates of authorities");
	}
	while (c->ca == NULL) {
		if (!check_algorithms(cert, q->lax, err)) {
			return false;
		}
		c->cert[c->n++] = cert;
		c->ca = find_anchor(q, cert);
		X509 *next = c->ca != NULL ? NULL : find_intermediate(q, cert, used);
		if (c->ca == NULL && next == NULL) {
			return no_issuer(q, cert, err);
		}
		cert = next;
	}
	const char *why = NULL;
	return slt_certinfo_key_allowed(X509_get0_pubkey(c->ca->cert), q->lax, &why)
		       ? true
		       : refuse(c->ca->cert, err, why);
}

/* --- checking it --- */

/* What is wrong with the anchor itself does not count where archives are read: the JDK takes only
 * name and key from it. */
static int forgive_anchor(int ok, X509_STORE_CTX *ctx)
{
	int error = X509_STORE_CTX_get_error(ctx);
	int top = sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1;
	if (ok == 0 && top > 0 && X509_STORE_CTX_get_error_depth(ctx) == top &&
	    (error == X509_V_ERR_INVALID_CA || error == X509_V_ERR_PATH_LENGTH_EXCEEDED)) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	return ok;
}

static bool path_refused(X509_STORE_CTX *ctx, const struct slt_chain *c, struct slt_err *err)
{
	char text[SLT_CERT_TEXT];
	int error = X509_STORE_CTX_get_error(ctx);
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	return slt_fail(err, SLT_CANNOT_CREATE_CERT_PATH,
			"certificate %s cannot be part of a path to approved authority %s: %s",
			slt_certinfo_text(cert != NULL ? cert : c->cert[0], text),
			c->ca->name != NULL ? c->ca->name : "without a name",
			X509_verify_cert_error_string(error));
}

/* Signatures, names, basic constraints, key usage of authorities, path lengths, name constraints
 * and critical extensions, by OpenSSL; times are judged by check_times(), which can say more. */
static bool check_path(const struct slt_chain_query *q, const struct slt_chain *c,
		       struct slt_err *err)
{
	STACK_OF(X509) *anchors = sk_X509_new_null();
	STACK_OF(X509) *others = sk_X509_new_null();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	slt_assert(anchors != NULL && others != NULL && ctx != NULL);
	slt_assert(sk_X509_push(anchors, c->ca->cert) > 0);
	for (size_t i = 1; i < c->n; i++) {
		slt_assert(sk_X509_push(others, c->cert[i]) > 0);
	}
	slt_assert(X509_STORE_CTX_init(ctx, NULL, c->cert[0], others) == 1);
	X509_STORE_CTX_set0_trusted_stack(ctx, anchors);
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
	X509_VERIFY_PARAM_set_depth(param, SLT_CHAIN_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, 0); /* check_algorithms() is closer */
	if (q->lax) {
		X509_STORE_CTX_set_verify_cb(ctx, forgive_anchor);
	}
	bool ok = X509_verify_cert(ctx) == 1 ? true : path_refused(ctx, c, err);
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	if (ok && (sk_X509_num(chain) != (int)c->n + 1 ||
		   X509_cmp(sk_X509_value(chain, (int)c->n), c->ca->cert) != 0)) {
		ok = refuse(c->cert[0], err, "does not chain to its authority by the path found");
	}
	X509_STORE_CTX_free(ctx);
	sk_X509_free(others);
	sk_X509_free(anchors);
	return ok;
}

static bool check_validity(X509 *cert, int64_t at_ms, int64_t *until_ms, struct slt_err *err)
{
	char text[SLT_CERT_TEXT], when[SLT_TIME_LEN], span[SLT_SPAN_TEXT];
	int64_t from = 0, to = 0;
	if (!slt_certinfo_time(X509_get0_notBefore(cert), &from) ||
	    !slt_certinfo_time(X509_get0_notAfter(cert), &to)) {
		return refuse(cert, err, "has a malformed validity period");
	}
	if (at_ms < from) {
		slt_time_format(from, false, when);
		return slt_fail(err, SLT_CANNOT_CREATE_CERT_PATH,
				"certificate %s is not valid yet: its validity begins at %s, %s "
				"later%s",
				slt_certinfo_text(cert, text), when,
				slt_span_text(from - at_ms, span),
				from - at_ms < INT64_C(86400000)
					? "; if it was issued just now, the clock of the issuer or "
					  "of this server is wrong"
					: "");
	}
	/* the last second counts whole */
	if (at_ms > to + 999) {
		slt_time_format(to, false, when);
		return slt_fail(err, SLT_CANNOT_CREATE_CERT_PATH,
				"certificate %s expired at %s, %s earlier; it must be renewed",
				slt_certinfo_text(cert, text), when,
				slt_span_text(at_ms - to, span));
	}
	*until_ms = to < *until_ms ? to : *until_ms;
	return true;
}

static bool check_certificates(const struct slt_chain_query *q, struct slt_chain *c,
			       struct slt_err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		/* basic constraints that say so, whatever this version of OpenSSL tolerates */
		if (i > 0 && X509_check_ca(c->cert[i]) != 1) {
			return refuse(c->cert[i], err, "is not that of an authority");
		}
		if (!check_validity(c->cert[i], q->at_ms, &c->valid_until_ms, err)) {
			return false;
		}
	}
	return true;
}

bool slt_chain_build(const struct slt_chain_query *q, struct slt_chain *ret, struct slt_err *err)
{
	struct slt_chain c = {.valid_until_ms = INT64_MAX};
	ERR_set_mark();
	bool ok = find_path(q, &c, err) && check_path(q, &c, err) && check_certificates(q, &c, err);
	ERR_pop_to_mark();
	if (ok) {
		*ret = c;
	}
	return ok;
}

/* --- OCSP --- */

/* One certificate of a path, and what speaks for it. */
struct voucher {
	const struct slt_chain_query *q;
	const struct slt_ocsp_source *ocsp;
	const X509 *cert;
	const struct slt_gc_ca *issuer;
	struct slt_ocsp_info info; /* the newest good answer */
	bool good;
	bool missing; /* no response is about it */
};

static bool no_response(struct voucher *v, struct slt_err *err)
{
	char text[SLT_CERT_TEXT];
	v->missing = true;
	return slt_fail(err, SLT_ECERT_VALIDATION,
			"there is no OCSP response for certificate %s (%zu at hand, none about it)",
			slt_certinfo_text(v->cert, text), v->ocsp->n);
}

/* The first failure is told, unless a later response says that the certificate is bad. */
static bool vouch_one(struct voucher *v, struct slt_err *err)
{
	size_t n = v->ocsp->n < SLT_OCSP_SOURCES_MAX ? v->ocsp->n : SLT_OCSP_SOURCES_MAX;
	struct slt_err first = SLT_ERR_INIT;
	for (size_t i = 0; i < n; i++) {
		struct slt_err e = SLT_ERR_INIT;
		struct slt_ocsp_info info = {0};
		if (!slt_ocsp_matches(v->ocsp->der[i], v->cert, v->issuer->cert)) {
			continue;
		}
		if (slt_ocsp_verify(v->q->gc, v->ocsp->der[i], v->cert, v->issuer, v->q->at_ms,
				    v->q->lax, &info, &e)) {
			bool newer = !v->good || info.this_update > v->info.this_update;
			v->info = newer ? info : v->info;
			v->good = true;
		} else if (e.code == SLT_ECERT_VALIDATION) {
			*err = e;
			return false;
		} else if (first.code == SLT_OK) {
			first = e;
		}
	}
	if (!v->good && first.code == SLT_OK) {
		return no_response(v, err);
	}
	if (!v->good) {
		*err = first;
	}
	return v->good;
}

bool slt_chain_vouch(const struct slt_chain_query *q, const struct slt_chain *c,
		     const struct slt_ocsp_source *ocsp, struct slt_cert_path *ret,
		     const X509 **ret_lacking, struct slt_err *err)
{
	static const struct slt_ocsp_source none = {NULL, 0};
	struct slt_cert_path path = {.ca = c->ca, .valid_until_ms = c->valid_until_ms};
	for (size_t i = 0; i < c->n; i++) {
		struct slt_gc_ca between = {.name = c->ca->name, .instance = c->ca->instance};
		between.cert = i + 1 < c->n ? c->cert[i + 1] : NULL;
		struct voucher v = {.q = q,
				    .ocsp = ocsp != NULL ? ocsp : &none,
				    .cert = c->cert[i],
				    .issuer = i + 1 < c->n ? &between : c->ca};
		if (!vouch_one(&v, err)) {
			bool lacking = v.missing || err->code == SLT_EINCORRECT_VALIDATION_INFO;
			if (ret_lacking != NULL) {
				*ret_lacking = lacking ? c->cert[i] : NULL;
			}
			return slt_prefix(err, SLT_INVALID_CERT_PATH);
		}
		int64_t until = slt_ocsp_valid_until(q->gc, &v.info);
		path.valid_until_ms = until < path.valid_until_ms ? until : path.valid_until_ms;
		path.ocsp = i == 0 ? v.info : path.ocsp;
	}
	*ret = path;
	return true;
}

bool slt_chain_verify(const struct slt_globalconf *gc, const char *instance, X509 *leaf,
		      X509 *const *intermediates, size_t n_intermediates,
		      const struct slt_ocsp_source *ocsp, int64_t at_ms, bool lax,
		      const struct slt_gc_ca *ca_override, struct slt_cert_path *ret,
		      struct slt_err *err)
{
	struct slt_chain_query q = {gc,	   instance, leaf,	 intermediates, n_intermediates,
				    at_ms, lax,	     ca_override};
	struct slt_chain c;
	struct slt_cert_path path;
	if (!slt_chain_build(&q, &c, err) || !slt_chain_vouch(&q, &c, ocsp, &path, NULL, err)) {
		return false;
	}
	if (ret != NULL) {
		*ret = path;
	}
	return true;
}
