/* SPDX-License-Identifier: MIT */
/* What of a side can keep exchanges from being served: configuration, keys, certificates, OCSP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>

#include "health.h"
#include "metrics.h"

#define DAY_MS 86400000ll
#define SOON   (30 * DAY_MS) /* before a certificate ends; less where it lasts but a while */

struct side {
	struct slt_health *h;
	const struct slt_bridge *b;
	size_t i;
	struct slt_side *side;
	const char *name;
	struct slt_globalconf *gc; /* may have expired; NULL: none */
};

/* "; renewing it fails since …: why", or nothing. */
static const char *renewal(const struct side *s, enum slt_refresh_task t)
{
	struct slt_refresh_state r;

	slt_refresh_state(s->b->refresh, s->i, t, &r);
	if (r.failing_ms == 0) {
		return "";
	}
	return slt_arena_printf(s->h->arena, "; renewing it has failed since %s: %s",
				slt_health_time(s->h, r.failing_ms), r.why);
}

/* --- global configuration ----------------------------------------------------------------- */

static void check_conf(const struct side *s)
{
	const char *trouble = renewal(s, SLT_TASK_CONF);
	struct slt_gc_info info;

	if (!s->gc) {
		slt_metrics_unset(SLT_M_CONF_EXPIRY, s->i, 0);
		slt_health_add(s->h, s->name, "globalconf", SLT_HEALTH_FAILED, 0,
			       "there is no global configuration of %s yet%s", s->name, trouble);
		return;
	}
	slt_gc_instance_info(slt_globalconf_instance_at(s->gc, 0), &info);
	int64_t left = info.expires_ms - s->h->at_ms;
	const char *when = slt_health_time(s->h, info.expires_ms);
	const char *span = slt_health_span(s->h, left);
	slt_metrics_set(SLT_M_CONF_EXPIRY, s->i, 0, info.expires_ms);
	if (left <= 0) {
		slt_health_add(s->h, s->name, "globalconf", SLT_HEALTH_FAILED, info.expires_ms,
			       "the global configuration of %s expired at %s, %s ago%s", s->name,
			       when, span, trouble);
		return;
	}
	slt_health_add(s->h, s->name, "globalconf", *trouble ? SLT_HEALTH_WARNING : SLT_HEALTH_GOOD,
		       info.expires_ms, "the global configuration of %s is good until %s, for %s%s",
		       s->name, when, span, trouble);
}

static void check_foreign(const struct side *s)
{
	const struct slt_gc_instance *in;

	for (size_t i = 1; s->gc && (in = slt_globalconf_instance_at(s->gc, i)); i++) {
		struct slt_gc_info info;
		slt_gc_instance_info(in, &info);
		bool over = info.expires_ms && info.expires_ms <= s->h->at_ms;
		const char *name = slt_arena_strdup(s->h->arena, info.name);
		slt_health_add(s->h, s->name, "foreign-globalconf",
			       over ? SLT_HEALTH_WARNING : SLT_HEALTH_GOOD, info.expires_ms,
			       "the configuration of %s that %s passes on %s %s%s", name, s->name,
			       over ? "expired at" : "is good until",
			       slt_health_time(s->h, info.expires_ms),
			       over ? ": its members are not known here" : "");
	}
}

static void check_tables(const struct side *s)
{
	if (slt_side_config(s->side)->mappings_part) {
		const char *trouble = renewal(s, SLT_TASK_TABLES);
		slt_health_add(s->h, s->name, "published-tables",
			       *trouble ? SLT_HEALTH_WARNING : SLT_HEALTH_GOOD, 0,
			       "the mapping tables that %s publishes are %s%s", s->name,
			       *trouble ? "not taken" : "in force", trouble);
	}
}

/* --- keys and certificates ---------------------------------------------------------------- */

static int64_t instant(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

static void check_cert(const struct side *s, enum slt_own_cert which, const X509 *cert)
{
	const char *title = which == SLT_CERT_SIGN ? "signing" : "TLS";
	const char *what = which == SLT_CERT_SIGN ? "certificate-sign" : "certificate-tls";
	int64_t from = instant(X509_get0_notBefore(cert)), to = instant(X509_get0_notAfter(cert));
	int64_t left = to - s->h->at_ms, soon = (to - from) / 5 < SOON ? (to - from) / 5 : SOON;
	const char *when = slt_health_time(s->h, to), *span = slt_health_span(s->h, left);

	slt_metrics_set(SLT_M_CERT_EXPIRY, s->i, which, to);
	if (from > s->h->at_ms) {
		slt_health_add(s->h, s->name, what, SLT_HEALTH_FAILED, to,
			       "the %s certificate of %s is not valid before %s: is the clock "
			       "right?",
			       title, s->name, slt_health_time(s->h, from));
	} else if (left <= 0) {
		slt_health_add(s->h, s->name, what, SLT_HEALTH_FAILED, to,
			       "the %s certificate of %s expired at %s, %s ago", title, s->name,
			       when, span);
	} else {
		slt_health_add(s->h, s->name, what,
			       left < soon ? SLT_HEALTH_WARNING : SLT_HEALTH_GOOD, to,
			       "the %s certificate of %s is valid until %s, for %s%s", title,
			       s->name, when, span, left < soon ? ": have it renewed" : "");
	}
}

/* Signs something that means nothing, and looks whether the certificate agrees. */
static void check_key(const struct side *s)
{
	struct slt_key *key = slt_side_sign_key(s->side);
	SLT_AUTO_BUF(signature, 16384);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;

	slt_digest_of(slt_sig_digest(key->alg), "health", 6, &d);
	bool good = key->sign(key, &d, &signature, &err) &&
		    slt_sig_verify(X509_get0_pubkey(key->cert), key->alg, &d, signature.p,
				   signature.n, &err);
	slt_health_add(s->h, s->name, "key-sign", good ? SLT_HEALTH_GOOD : SLT_HEALTH_FAILED, 0,
		       "the signing key of %s %s%s", s->name,
		       good ? "works" : "does not work: ", good ? "" : err.msg);
}

/* The server that the TLS certificate belongs to. Behind an ordinary security server that one has
 * the certificate, which is not known here. */
static const struct slt_gc_server *own_server(const struct side *s)
{
	const struct slt_config_side *c = slt_side_config(s->side);
	size_t n = 0;
	X509 *const *chain = slt_side_auth_chain(s->side, &n);
	const struct slt_gc_server *found, *own = NULL;

	if (c->bearer == SLT_BEARER_MESSAGE) {
		return slt_globalconf_server(s->gc, &c->server);
	}
	for (size_t i = 0; (found = slt_globalconf_auth_cert_server_at(s->gc, chain[0], i)); i++) {
		own = slt_id_eq(&found->id, &c->server) ? found : own;
	}
	return own;
}

/* Peers refuse a bridge that is not registered as it says. */
static void check_registered(const struct side *s)
{
	const struct slt_config_side *c = slt_side_config(s->side);
	bool behind = c->bearer == SLT_BEARER_MESSAGE;
	const struct slt_gc_server *own = s->gc ? own_server(s) : NULL;

	if (!s->gc) {
		return;
	}
	if (!own) {
		slt_health_add(s->h, s->name, "registration", SLT_HEALTH_FAILED, 0,
			       behind ? "the global configuration knows no security server %s"
				      : "the global configuration does not say that the TLS "
					"certificate belongs to %s: peers refuse it",
			       c->server_text);
	} else if (!slt_globalconf_serves(s->gc, own, &c->subsystem)) {
		slt_health_add(s->h, s->name, "registration", SLT_HEALTH_FAILED, 0,
			       "the global configuration does not say that %s is a client of %s: "
			       "peers refuse it",
			       c->subsystem_text, c->server_text);
	} else {
		slt_health_add(s->h, s->name, "registration", SLT_HEALTH_GOOD, 0,
			       "%s is registered at %s%s", c->subsystem_text, c->server_text,
			       behind ? "" : " with the TLS certificate in use");
	}
}

/* --- OCSP --------------------------------------------------------------------------------- */

/* Until when the response at hand for a certificate holds; false with the reason. */
static bool fresh(const struct side *s, const X509 *cert, int64_t *ret_until, struct slt_err *err)
{
	struct slt_str der = slt_ocsp_cache_get(slt_side_ocsp(s->side), cert, s->h->arena);
	const struct slt_gc_ca *ca =
		s->gc ? slt_globalconf_find_ca(s->gc, s->name, X509_get_issuer_name(cert)) : NULL;
	struct slt_ocsp_info info;

	if (!der.p) {
		return slt_fail(err, SLT_EINVALID_CERTIFICATE, "there is none yet");
	}
	if (!ca) {
		return slt_fail(err, SLT_EINVALID_CERTIFICATE,
				"no approved CA of %s issued the certificate", s->name);
	}
	if (!slt_ocsp_verify(s->gc, der, cert, ca, s->h->at_ms, false, &info, err)) {
		return false;
	}
	*ret_until = slt_ocsp_valid_until(s->gc, &info);
	return true;
}

static void check_ocsp(const struct side *s, enum slt_own_cert which, X509 *const *chain, size_t n)
{
	const char *title = which == SLT_CERT_SIGN ? "signing" : "TLS";
	const char *what = which == SLT_CERT_SIGN ? "ocsp-sign" : "ocsp-tls";
	const char *trouble = renewal(s, SLT_TASK_OCSP);
	int64_t until = INT64_MAX;

	for (size_t i = 0; i < n; i++) {
		struct slt_err err = SLT_ERR_INIT;
		int64_t one = 0;
		if (!fresh(s, chain[i], &one, &err)) {
			slt_metrics_unset(SLT_M_OCSP_EXPIRY, s->i, which);
			slt_health_add(s->h, s->name, what, SLT_HEALTH_FAILED, 0,
				       "the OCSP response for the %s certificate of %s%s is no "
				       "good: %s%s",
				       title, s->name, i ? "'s issuer" : "", err.msg, trouble);
			return;
		}
		until = one < until ? one : until;
	}
	slt_metrics_set(SLT_M_OCSP_EXPIRY, s->i, which, until);
	slt_health_add(s->h, s->name, what, *trouble ? SLT_HEALTH_WARNING : SLT_HEALTH_GOOD, until,
		       "the OCSP response for the %s certificate of %s is fresh until %s, for %s%s",
		       title, s->name, slt_health_time(s->h, until),
		       slt_health_span(s->h, until - s->h->at_ms), trouble);
}

static void check_signing(const struct side *s, const struct slt_key *key)
{
	X509 *sign[SLT_CHAIN_MAX] = {key->cert};
	int more = key->chain ? sk_X509_num(key->chain) : 0;
	size_t n = 1;

	for (int i = 0; i < more && n < SLT_CHAIN_MAX; i++) {
		sign[n++] = sk_X509_value(key->chain, i);
	}
	check_key(s);
	check_cert(s, SLT_CERT_SIGN, sign[0]);
	check_ocsp(s, SLT_CERT_SIGN, sign, n);
}

/* Behind a security server there may be neither, and nobody asks the TLS certificate's CA. */
static void check_certs(const struct side *s)
{
	const struct slt_key *key = slt_side_sign_key(s->side);
	size_t n_tls = 0;
	X509 *const *tls = slt_side_auth_chain(s->side, &n_tls);

	if (key) {
		check_signing(s, key);
	}
	if (n_tls) {
		check_cert(s, SLT_CERT_TLS, tls[0]);
	}
	if (slt_side_config(s->side)->bearer == SLT_BEARER_TRANSPORT) {
		check_ocsp(s, SLT_CERT_TLS, tls, n_tls);
	}
	check_registered(s);
}

/* --- time-stamps -------------------------------------------------------------------------- */

static void check_stamps(const struct side *s)
{
	int64_t late = slt_side_config(s->side)->timestamp_seconds * 10000 + 60000, oldest = 0;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_refresh_state r;
	uint64_t n = 0;

	slt_refresh_state(s->b->refresh, s->i, SLT_TASK_STAMP, &r);
	if (!slt_msglog_backlog(s->b->service->log, s->name, &n, &oldest, &err)) {
		slt_health_add(s->h, s->name, "timestamps", SLT_HEALTH_FAILED, 0,
			       "the message log cannot be read: %s", err.msg);
		return;
	}
	int64_t age = n ? s->h->at_ms - oldest : 0;
	slt_metrics_set(SLT_M_BACKLOG, s->i, 0, (int64_t)n);
	slt_metrics_set(SLT_M_BACKLOG_AGE, s->i, 0, age);
	const char *waiting =
		n ? slt_arena_printf(s->h->arena, "%llu messages of %s wait, the oldest for %s",
				     (unsigned long long)n, s->name, slt_health_span(s->h, age))
		  : slt_arena_printf(s->h->arena, "no message of %s waits", s->name);
	if (r.failing_ms) {
		slt_health_add(s->h, s->name, "timestamps", SLT_HEALTH_WARNING, 0,
			       "time-stamping for %s has failed since %s: %s; %s", s->name,
			       slt_health_time(s->h, r.failing_ms), r.why, waiting);
		return;
	}
	slt_health_add(s->h, s->name, "timestamps",
		       age > late ? SLT_HEALTH_WARNING : SLT_HEALTH_GOOD, 0,
		       "%s for a time-stamp%s%s", waiting,
		       r.good_ms ? "; it was last tried with success at " : "",
		       r.good_ms ? slt_health_time(s->h, r.good_ms) : "");
}

/* --- listeners, signing ------------------------------------------------------------------- */

static const char *listener_name(const struct side *s, enum slt_listener which)
{
	return which == SLT_LISTENER_RELAY ? "the OCSP relay"
	       : slt_side_config(s->side)->bearer == SLT_BEARER_MESSAGE
		       ? "the listener for information systems"
		       : "the message transport";
}

static void check_listener(const struct side *s, enum slt_listener which,
			   const struct slt_server *server, const char *address)
{
	int64_t max = s->b->service->config->max_connections;
	struct slt_door_stats st;

	slt_server_stats(server, &st);
	slt_metrics_set(SLT_M_CONNECTIONS, s->i, which, st.connections);
	slt_metrics_set(SLT_M_ACCEPTED, s->i, which, (int64_t)st.accepted);
	slt_metrics_set(SLT_M_NOT_USED, s->i, which, (int64_t)st.not_used);
	slt_metrics_set(SLT_M_CONN_REFUSED, s->i, which, (int64_t)st.refused);
	slt_metrics_set(SLT_M_CONN_SLOW, s->i, which, (int64_t)st.slow);
	bool full = st.connections >= max * 9 / 10;
	slt_health_add(s->h, s->name, which == SLT_LISTENER_RELAY ? "listener-ocsp" : "listener",
		       full ? SLT_HEALTH_WARNING : SLT_HEALTH_GOOD, 0,
		       "%s of %s listens at %s port %u: %u of %lld connections%s",
		       listener_name(s, which), s->name, address, slt_server_port(server),
		       st.connections, (long long)max,
		       full ? "; peers are about to be turned away" : "");
}

void slt_health_side(struct slt_health *h, const struct slt_bridge *b, size_t i)
{
	struct slt_service *service = b->service;
	SLT_AUTO(slt_globalconf_free)
	struct slt_globalconf *gc = slt_side_globalconf_held(service->side[i]);
	const struct slt_config_side *c = slt_side_config(service->side[i]);
	const struct side s = {h, b, i, service->side[i], c->name, gc};
	struct slt_sign_stats signing;

	check_conf(&s);
	check_foreign(&s);
	check_tables(&s);
	check_certs(&s);
	check_stamps(&s);
	if (i < b->n_inbound) {
		const struct slt_inbound *in = b->inbound[i];
		check_listener(&s, SLT_LISTENER_TRANSPORT, in->requests, c->listen);
		if (in->relay) {
			check_listener(&s, SLT_LISTENER_RELAY, in->relay, c->ocsp_listen);
		}
	}
	if (!service->sign[i]) {
		return;
	}
	slt_sign_queue_stats(service->sign[i], &signing);
	slt_metrics_set(SLT_M_SIGNED, i, 0, (int64_t)signing.messages);
	slt_metrics_set(SLT_M_SIGNATURES, i, 0, (int64_t)signing.operations);
	slt_metrics_set(SLT_M_BATCH_MAX, i, 0, signing.largest);
}
