/* SPDX-License-Identifier: MIT */
#include "federation/trust.h"

static bool check_auth_cert(X509 *cert, struct slt_err *err)
{
	char text[SLT_CERT_TEXT];
	return slt_certinfo_is_auth(cert)
		       ? true
		       : slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
				  "certificate %s is not one for authentication: it has neither "
				  "the extended key usage clientAuth nor a key usage for TLS",
				  slt_certinfo_text(cert, text));
}

static bool check_registered(const struct slt_globalconf *gc, const X509 *cert,
			     const struct slt_id *member, struct slt_err *err)
{
	char text[SLT_CERT_TEXT];
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	const struct slt_gc_server *server = slt_globalconf_auth_cert_server(gc, cert), *other;
	if (server == NULL) {
		return slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
				"certificate %s is not registered to any security server in the "
				"global configuration; a new one takes effect when the next "
				"configuration is published",
				slt_certinfo_text(cert, text));
	}
	/* one certificate may be registered to several servers: any of them will do */
	for (size_t i = 0; (other = slt_globalconf_auth_cert_server_at(gc, cert, i)) != NULL; i++) {
		if (slt_globalconf_serves(gc, other, member)) {
			return true;
		}
	}
	return slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
			"client %s is not registered at security server %s, to which "
			"certificate %s belongs",
			slt_id_text(member, a), slt_id_text(&server->id, a),
			slt_certinfo_text(cert, text));
}

static int index_of(const X509 *cert, X509 *const *chain, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (chain[i] == cert) {
			return (int)i;
		}
	}
	return -1;
}

static bool judge(const struct slt_chain_query *q, const struct slt_ocsp_source *ocsp,
		  const struct slt_id *member, struct slt_cert_path *ret, const X509 **ret_lacking,
		  struct slt_err *err)
{
	struct slt_chain c;
	if (!slt_globalconf_check_valid(q->gc, q->at_ms, err) || !check_auth_cert(q->leaf, err) ||
	    !slt_chain_build(q, &c, err)) {
		return false;
	}
	struct slt_cert_path path;
	const X509 *lacking = NULL;
	struct slt_err vouch = SLT_ERR_INIT;
	if (!slt_chain_vouch(q, &c, ocsp, &path, &lacking, &vouch)) {
		/* fetching a response is of use only where nothing else stands in the way, and what
		 * does is then the reason */
		if (lacking != NULL && !check_registered(q->gc, q->leaf, member, err)) {
			return false;
		}
		*ret_lacking = lacking;
		*err = vouch;
		return false;
	}
	if (!check_registered(q->gc, q->leaf, member, err)) {
		return false;
	}
	if (ret != NULL) {
		*ret = path;
	}
	return true;
}

bool slt_trust_tls_peer(const struct slt_globalconf *gc, X509 *const *chain, size_t n,
			const struct slt_ocsp_source *ocsp, const struct slt_id *member,
			int64_t now_ms, struct slt_cert_path *ret, int *ret_missing_ocsp,
			struct slt_err *err)
{
	const X509 *lacking = NULL;
	bool ok = false;
	if (n == 0 || n > SLT_CHAIN_MAX || chain[0] == NULL) {
		slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
			 n == 0 || chain[0] == NULL
				 ? "the peer presented no certificate"
				 : "the peer presented more than 6 certificates");
	} else if (member->instance == NULL) {
		slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED, "the client has no instance");
	} else {
		struct slt_chain_query q = {.gc = gc,
					    .instance = member->instance,
					    .leaf = chain[0],
					    .intermediates = chain + 1,
					    .n_intermediates = n - 1,
					    .at_ms = now_ms};
		ok = judge(&q, ocsp, member, ret, &lacking, err);
	}
	if (!ok && ret_missing_ocsp != NULL) {
		*ret_missing_ocsp = lacking != NULL ? index_of(lacking, chain, n) : -1;
	}
	return ok ? true : slt_prefix(err, SLT_ESSL_AUTHENTICATION_FAILED);
}
