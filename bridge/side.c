/* SPDX-License-Identifier: MIT */
#include "side.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "base/file.h"
#include "federation/globalconf_cache.h"

#define PEM_MAX (256u << 10)

struct slt_side {
	const struct slt_config_side *config;
	struct slt_key *sign;
	X509 *auth[SLT_CHAIN_MAX];
	size_t n_auth;
	char *auth_cert_pem, *auth_key_pem;
	X509 *pin[SLT_SIDE_PINS_MAX];
	size_t n_pins;
	struct slt_client_tls *tls;
	struct slt_cdasig_authorities *document_ca; /* NULL: none configured */
	struct slt_ocsp_cache *ocsp, *peer_ocsp;
	struct slt_fastest *fastest;
	pthread_mutex_t lock;
	struct slt_globalconf *gc;
	struct slt_verify_cache *verified; /* under gc */
};

static void bio_free(BIO *b)
{
	BIO_free(b);
}
SLT_DEFINE_AUTO(BIO *, bio_free)

/* All certificates of a PEM text; more than max are an error. */
static bool read_certs(const char *pem, const char *file, X509 **ret, size_t max, size_t *ret_n,
		       struct slt_err *err)
{
	SLT_AUTO(bio_free) BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x;

	while ((x = PEM_read_bio_X509(b, NULL, NULL, NULL))) {
		if (*ret_n == max) {
			X509_free(x);
			return slt_fail(err, SLT_ECONFIG, "%s holds more than %zu certificates",
					file, max);
		}
		ret[(*ret_n)++] = x;
	}
	if (*ret_n == 0) {
		return slt_fail_ssl(err, SLT_ECONFIG, "%s holds no certificate", file);
	}
	ERR_clear_error(); /* the end of the text is one */
	return true;
}

static bool read_auth_chain(struct slt_side *s, struct slt_err *err)
{
	return read_certs(s->auth_cert_pem, s->config->auth_cert, s->auth, SLT_CHAIN_MAX,
			  &s->n_auth, err);
}

static bool load_pins(struct slt_side *s, struct slt_err *err)
{
	const char *file = s->config->security_server_certs;
	SLT_AUTO_STR char *pem = NULL;
	size_t n;

	return !file || (slt_file_read(file, PEM_MAX, &pem, &n, err) &&
			 read_certs(pem, file, s->pin, SLT_SIDE_PINS_MAX, &s->n_pins, err));
}

static bool check_auth_key(struct slt_side *s, struct slt_err *err)
{
	SLT_AUTO(bio_free) BIO *b = BIO_new_mem_buf(s->auth_key_pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	bool good = key && X509_check_private_key(s->auth[0], key) == 1;

	EVP_PKEY_free(key);
	if (!good) {
		return slt_fail_ssl(err, SLT_ECONFIG, "%s is not the key of the certificate in %s",
				    s->config->auth_key, s->config->auth_cert);
	}
	/* to a security server the bridge is known by the certificate itself */
	if (s->config->bearer == SLT_BEARER_TRANSPORT && !slt_certinfo_is_auth(s->auth[0])) {
		return slt_fail(err, SLT_ECONFIG, "%s is not an authentication certificate",
				s->config->auth_cert);
	}
	return true;
}

static bool load_auth(struct slt_side *s, struct slt_err *err)
{
	const struct slt_config_side *c = s->config;
	size_t n;

	return !c->auth_key ||
	       (slt_file_check_private(c->auth_key, err) &&
		slt_file_read(c->auth_key, PEM_MAX, &s->auth_key_pem, &n, err) &&
		slt_file_read(c->auth_cert, PEM_MAX, &s->auth_cert_pem, &n, err) &&
		read_auth_chain(s, err) && check_auth_key(s, err) &&
		slt_client_tls_new(s->auth_cert_pem, s->auth_key_pem, &s->tls, err));
}

static bool load_sign(struct slt_side *s, struct slt_err *err)
{
	const struct slt_config_side *c = s->config;
	char *pin = NULL;
	size_t n = 0;

	if (!c->sign_key) {
		return true;
	}
	if (c->sign_pin) {
		if (!slt_file_check_private(c->sign_pin, err) ||
		    !slt_file_read(c->sign_pin, 1024, &pin, &n, err)) {
			return false;
		}
		pin[strcspn(pin, "\r\n")] = '\0';
	}
	bool ok = slt_key_load(c->sign_key, c->sign_cert, pin, c->pss, &s->sign, err);
	if (pin) {
		OPENSSL_cleanse(pin, n);
		free(pin);
	}
	bool no_ku = false;
	if (ok && !slt_certinfo_is_signing(s->sign->cert, &no_ku)) {
		return slt_fail(err, SLT_ECONFIG, "%s is not a signing certificate",
				c->sign_cert ? c->sign_cert : c->sign_key);
	}
	return ok;
}

bool slt_side_open(const struct slt_config_side *config, struct slt_side **ret, struct slt_err *err)
{
	SLT_AUTO(slt_side_free) struct slt_side *s = slt_calloc(1, sizeof(*s));
	SLT_AUTO_STR char *mark = slt_path_join(config->globalconf, "instance-identifier");

	s->config = config;
	s->ocsp = slt_ocsp_cache_new();
	s->peer_ocsp = slt_ocsp_cache_new();
	s->fastest = slt_fastest_new(config->fastest_seconds);
	pthread_mutex_init(&s->lock, NULL);
	if (!load_auth(s, err) || !load_sign(s, err) || !load_pins(s, err) ||
	    (config->document_ca &&
	     !slt_cdasig_authorities_load(config->document_ca, &s->document_ca, err))) {
		return slt_wrap(err, "side %s", config->name);
	}
	if (slt_file_exists(mark) && !slt_side_reload_globalconf(s, err)) {
		return slt_wrap(err, "side %s", config->name);
	}
	*ret = SLT_TAKE(s);
	return true;
}

void slt_side_free(struct slt_side *s)
{
	if (!s) {
		return;
	}
	slt_key_free(s->sign);
	for (size_t i = 0; i < s->n_auth; i++) {
		X509_free(s->auth[i]);
	}
	for (size_t i = 0; i < s->n_pins; i++) {
		X509_free(s->pin[i]);
	}
	if (s->auth_key_pem) {
		OPENSSL_cleanse(s->auth_key_pem, strlen(s->auth_key_pem));
	}
	free(s->auth_key_pem);
	free(s->auth_cert_pem);
	slt_client_tls_free(s->tls);
	slt_cdasig_authorities_free(s->document_ca);
	slt_ocsp_cache_free(s->ocsp);
	slt_ocsp_cache_free(s->peer_ocsp);
	slt_fastest_free(s->fastest);
	slt_verify_cache_free(s->verified);
	slt_globalconf_free(s->gc);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

const struct slt_config_side *slt_side_config(const struct slt_side *s)
{
	return s->config;
}

const char *slt_side_name(const struct slt_side *s)
{
	return s->config->name;
}

struct slt_key *slt_side_sign_key(const struct slt_side *s)
{
	return s->sign;
}

X509 *const *slt_side_auth_chain(const struct slt_side *s, size_t *ret_n)
{
	*ret_n = s->n_auth;
	return s->auth;
}

bool slt_side_has_pins(const struct slt_side *s)
{
	return s->n_pins > 0;
}

bool slt_side_check_pin(const struct slt_side *s, X509 *const *chain, size_t n, struct slt_err *err)
{
	for (size_t i = 0; n > 0 && i < s->n_pins; i++) {
		if (X509_cmp(s->pin[i], chain[0]) == 0) {
			return true;
		}
	}
	return slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
			"the TLS certificate presented is none of those in %s",
			s->config->security_server_certs);
}

const char *slt_side_auth_cert_pem(const struct slt_side *s)
{
	return s->auth_cert_pem;
}

const char *slt_side_auth_key_pem(const struct slt_side *s)
{
	return s->auth_key_pem;
}

struct slt_client_tls *slt_side_tls(const struct slt_side *s)
{
	return s->tls;
}

struct slt_ocsp_cache *slt_side_ocsp(const struct slt_side *s)
{
	return s->ocsp;
}

struct slt_ocsp_cache *slt_side_peer_ocsp(const struct slt_side *s)
{
	return s->peer_ocsp;
}

struct slt_fastest *slt_side_fastest(const struct slt_side *s)
{
	return s->fastest;
}

struct slt_globalconf *slt_side_globalconf_held(struct slt_side *s)
{
	pthread_mutex_lock(&s->lock);
	struct slt_globalconf *gc = s->gc;
	if (gc) {
		slt_globalconf_ref(gc);
	}
	pthread_mutex_unlock(&s->lock);
	return gc;
}

bool slt_side_globalconf(struct slt_side *s, int64_t now_ms, struct slt_globalconf **ret,
			 struct slt_err *err)
{
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = slt_side_globalconf_held(s);

	if (!gc) {
		return slt_fail(err, SLT_EOUTDATED_GLOBALCONF,
				"there is no global configuration of %s yet in %s", s->config->name,
				s->config->globalconf);
	}
	if (!slt_globalconf_check_valid(gc, now_ms, err)) {
		return false;
	}
	*ret = SLT_TAKE(gc);
	return true;
}

struct slt_verify_cache *slt_side_verify_cache(struct slt_side *s, const struct slt_globalconf *gc)
{
	struct slt_verify_cache *c = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->gc == gc && s->verified) {
		c = slt_verify_cache_ref(s->verified);
	}
	pthread_mutex_unlock(&s->lock);
	return c;
}

bool slt_side_reload_globalconf(struct slt_side *s, struct slt_err *err)
{
	struct slt_gc_load_options o = {.allow_test_profile = false, .now_ms = slt_now_ms()};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
	SLT_AUTO_STR char *warnings = NULL;

	if (!slt_globalconf_load(s->config->globalconf, &o, &gc, &warnings, err)) {
		return slt_wrap(err, "global configuration in %s", s->config->globalconf);
	}
	if (strcmp(slt_globalconf_own(gc), s->config->name) != 0) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"%s holds the configuration of instance %s, not of %s",
				s->config->globalconf, slt_globalconf_own(gc), s->config->name);
	}
	if (warnings && *warnings) {
		slt_log(SLT_LOG_WARNING, "parts of the global configuration were left out", "side",
			s->config->name, "why", warnings, NULL);
	}

	struct slt_verify_cache *verified = slt_verify_cache_new(gc);

	pthread_mutex_lock(&s->lock);
	struct slt_globalconf *old = s->gc;
	struct slt_verify_cache *old_verified = s->verified;
	s->gc = SLT_TAKE(gc);
	s->verified = verified;
	pthread_mutex_unlock(&s->lock);
	slt_verify_cache_free(old_verified);
	slt_globalconf_free(old);
	return true;
}

struct slt_seal slt_side_seal(const struct slt_side *s, int64_t now_ms)
{
	return (struct slt_seal){.authorities = s->document_ca,
				 .now_ms = now_ms,
				 .allow_sha1 = s->config->document_sha1};
}

bool slt_side_sign_ocsp(struct slt_side *s, struct slt_arena *a, struct slt_str ret[],
			size_t *ret_n, struct slt_err *err)
{
	X509 *chain[SLT_CHAIN_MAX] = {s->sign->cert};
	size_t n = 1;
	int more = s->sign->chain ? sk_X509_num(s->sign->chain) : 0;

	for (int i = 0; i < more && n < SLT_CHAIN_MAX; i++) {
		chain[n++] = sk_X509_value(s->sign->chain, i);
	}
	*ret_n = slt_ocsp_cache_chain(s->ocsp, chain, n, a, ret);
	if (*ret_n < n) {
		return slt_fail(err, SLT_ECANNOT_CREATE_SIGNATURE,
				"there is no OCSP response yet for the signing certificate of side "
				"%s: is its CA's responder reachable?",
				s->config->name);
	}
	return true;
}
