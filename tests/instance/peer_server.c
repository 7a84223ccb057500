/* SPDX-License-Identifier: MIT */
/*
 * The server end of the security server: messages from other security servers, in the order of
 * checks that X-Road's server proxy has.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "federation/trust.h"
#include "tests/instance/peer_exchange.h"
#include "tests/instance/restsys.h"

#define PEM_MAX (64u << 10)

struct slt_peer_server {
	struct slt_box *b;
	char *cert_pem, *key_pem;
	pthread_mutex_t lock;
	struct slt_server *server; /* NULL while taken down */
	bool closed;
	_Atomic unsigned busy; /* requests that a worker has */
};

/* --- receiving -------------------------------------------------------------------------------- */

static void done(void *state)
{
	struct slt_exchange *x = state;
	slt_transport_reader_free(x->reader);
	slt_soap_free(x->soap);
	slt_soap_free(x->service_fault);
	slt_rest_free(x->rest);
	slt_rest_free(x->rest_answer);
	slt_message_free(x->request);
	slt_message_free(x->answer);
	slt_globalconf_free(x->gc);
	free(x->answer_type);
	free(x);
}

/* What X-Road's trust manager asks in the handshake: is the certificate registered at all? */
static bool check_registered(const struct slt_exchange *x, struct slt_err *err)
{
	if (x->n_chain == 0 || slt_globalconf_auth_cert_server(x->gc, x->chain[0]) == NULL) {
		return slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
				"the TLS certificate is not registered at any security server");
	}
	return true;
}

static bool open_reader(struct slt_exchange *x, struct slt_err *err)
{
	const char *type = slt_request_header(x->r, "Content-Type");
	const char *hash = slt_request_header(x->r, "x-hash-algorithm");
	const char *kind = slt_request_header(x->r, "x-road-message-type");
	if (hash == NULL) {
		return slt_fail(err, SLT_EINTERNAL, "the header x-hash-algorithm is missing");
	}
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	if (!slt_transport_reader_new(type == NULL ? "" : type, slt_digest_by_name(slt_str(hash)),
				      false, &limits, &x->reader, err)) {
		return false;
	}
	bool rest = kind != NULL && strcmp(kind, "REST") == 0;
	slt_transport_expect(x->reader, rest ? SLT_REST : SLT_SOAP);
	return true;
}

static bool start(struct slt_exchange *x, struct slt_err *err)
{
	x->gc = slt_confclient_get(x->b->confclient);
	x->chain = slt_request_peer_chain(x->r, &x->n_chain);
	if (!check_registered(x, err)) {
		return false;
	}
	if (strcmp(slt_request_method(x->r), "POST") != 0) {
		return slt_fail(err, SLT_EINVALID_HTTP_METHOD, "only POST is accepted, not %.20s",
				slt_request_method(x->r));
	}
	return slt_globalconf_check_valid(x->gc, slt_now_ms(), err) &&
	       slt_peer_check_version(slt_request_header(x->r, "x-proxy-version"), err) &&
	       slt_soap_check_action(slt_request_header(x->r, "x-original-soapaction"), err) &&
	       open_reader(x, err);
}

static bool begin(void *arg, struct slt_request *r, void **ret_state, struct slt_err *err)
{
	struct slt_peer_server *p = arg;
	struct slt_exchange *x = slt_calloc(1, sizeof(*x));
	x->b = p->b;
	x->p = p;
	x->r = r;
	if (!start(x, err)) {
		done(x);
		return false;
	}
	*ret_state = x;
	return true;
}

static bool body(void *state, struct slt_request *r, const char *p, size_t n, struct slt_err *err)
{
	(void)r;
	struct slt_exchange *x = state;
	return slt_transport_feed(x->reader, p, n, err);
}

static void reject(void *arg, void *state, struct slt_request *r, const struct slt_err *err)
{
	(void)arg;
	(void)state;
	struct slt_err e = *err;
	slt_exchange_refuse(r, &e);
}

/* --- the steps -------------------------------------------------------------------------------- */

static bool check_provider(struct slt_exchange *x, struct slt_err *err)
{
	struct slt_id own =
		slt_country_server_id(&x->b->o.country->member[SLT_CENTRE], x->b->o.name);
	const struct slt_gc_server *server = slt_globalconf_server(x->gc, &own);
	/* REST's header of that name is for the client's security server alone */
	const struct slt_soap_header *h = x->soap == NULL ? NULL : &x->soap->header;
	if (h != NULL && h->server.type != SLT_ID_NONE && !slt_id_eq(&h->server, &own)) {
		return slt_fail(err, SLT_EINVALID_SECURITY_SERVER,
				"the message is for the security server %s of %s, not for this one",
				h->server.server, h->server.member_code);
	}
	x->provider = slt_id_client(&x->service);
	if (server == NULL || !slt_globalconf_serves(x->gc, server, &x->provider)) {
		return slt_fail(err, SLT_EUNKNOWN_MEMBER,
				"the service provider %s is not registered at this security server",
				x->provider.member_code);
	}
	return true;
}

static bool read_soap(struct slt_exchange *x, struct slt_err *err)
{
	x->soap = slt_transport_take_soap(x->reader);
	if (x->soap == NULL || x->soap->is_fault) {
		return slt_fail(err, SLT_EINVALID_SOAP, "a request cannot be a SOAP Fault");
	}
	x->client = x->soap->header.client;
	x->service = x->soap->header.service;
	x->id = x->soap->header.id;
	return true;
}

/* The part with the headers has been read: who sends it, and for whom is it? */
static bool authenticate(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_message *m = slt_transport_peek(x->reader);
	if (m == NULL) {
		struct slt_bytes fault = {.p = NULL};
		bool ok = slt_transport_finish(x->reader, &x->request, &fault, err);
		free(fault.p);
		return ok && slt_fail(err, SLT_EMISSING_SOAP, "the SOAP message is missing");
	}
	bool rest = m->kind == SLT_REST;
	if (!(rest ? slt_exchange_read_rest(x, m, err) : read_soap(x, err)) ||
	    !check_provider(x, err)) {
		return false;
	}
	if (m->n_ocsp == 0) {
		return slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED,
				"the corresponding OCSP response is missing");
	}
	struct slt_str der[SLT_OCSP_PARTS_MAX];
	for (unsigned i = 0; i < m->n_ocsp; i++) {
		der[i] = (struct slt_str){m->ocsp[i].p, m->ocsp[i].n};
	}
	struct slt_ocsp_source source = {der, m->n_ocsp};
	struct slt_cert_path path;
	return slt_trust_tls_peer(x->gc, x->chain, x->n_chain, &source, &x->client, slt_now_ms(),
				  &path, NULL, err);
}

static bool complete(struct slt_exchange *x, struct slt_err *err)
{
	struct slt_bytes fault = {.p = NULL};
	if (!slt_transport_finish(x->reader, &x->request, &fault, err)) {
		return false;
	}
	if (x->request == NULL) {
		free(fault.p);
		return slt_fail(err, SLT_EMISSING_SIGNATURE,
				"a SOAP Fault stands in the place of the signature");
	}
	return true;
}

/* The centre's services are known; the bridge, where it is an information system behind this
 * server, may offer any. */
static bool find_service(struct slt_exchange *x, struct slt_err *err)
{
	const struct slt_id *service = &x->service;
	const struct slt_country *country = x->b->o.country;
	struct slt_id centre = slt_country_client_id(&country->member[SLT_CENTRE], x->b->o.name);
	struct slt_id bridge = slt_country_client_id(&country->member[SLT_BRIDGE], x->b->o.name);
	if (slt_id_eq(&x->provider, &bridge)) {
		x->service_url = x->b->bridge_url;
	} else if (x->rest != NULL) {
		return (slt_id_eq(&x->provider, &centre) &&
			slt_restsys_offers(country->code, service->service)) ||
		       slt_fail(err, SLT_EUNKNOWN_SERVICE, "there is no REST service %s",
				service->service);
	} else if (slt_id_eq(&x->provider, &centre) &&
		   slt_infosys_offers(x->b->infosys, service->service, service->version)) {
		x->service_url = x->b->infosys_url;
	}
	return x->service_url != NULL ||
	       slt_fail(err, SLT_EUNKNOWN_SERVICE, "there is no service %s", service->service);
}

static bool authorise(struct slt_exchange *x, struct slt_err *err)
{
	const char *groups[] = {x->b->o.country->cross_border, x->b->o.country->pharmacies};
	bool allowed = false;
	if (!find_service(x, err)) {
		return false;
	}
	for (size_t i = 0; i < SLT_COUNT(groups); i++) {
		struct slt_id g = {
			.type = SLT_ID_GLOBALGROUP, .instance = x->b->o.name, .group = groups[i]};
		allowed = allowed || slt_globalconf_in_group(x->gc, &x->client, &g);
	}
	if (!allowed) {
		return slt_fail(err, SLT_EACCESS_DENIED, "the client %s may not call %s",
				x->client.subsystem == NULL ? x->client.member_code
							    : x->client.subsystem,
				x->service.service);
	}
	return !atomic_load(&x->b->down[SLT_BOX_DISABLED]) ||
	       slt_fail(err, SLT_ESERVICE_DISABLED, "the service %s is switched off",
			x->service.service);
}

static bool verify(struct slt_exchange *x, struct slt_err *err)
{
	return slt_peer_verify(x->gc, x->request, &x->client, err);
}

/* --- the steps in a row ----------------------------------------------------------------------- */

static void exchange_run(struct slt_exchange *x)
{
	static bool (*const steps[])(struct slt_exchange *, struct slt_err *) = {
		authenticate, complete, authorise, verify, slt_exchange_call, slt_exchange_sign};
	struct slt_err err = SLT_ERR_INIT;
	for (size_t i = 0; i < SLT_COUNT(steps); i++) {
		if (steps[i] == slt_exchange_sign) {
			x->fault = slt_faults_take(&x->b->faults);
		}
		if (steps[i](x, &err)) {
			continue;
		}
		if (x->service_fault != NULL) {
			slt_exchange_send_fault(x);
		} else {
			slt_exchange_refuse(x->r, &err);
		}
		return;
	}
	slt_log(SLT_LOG_INFO, "A message was answered", "id", x->id, "service", x->service.service,
		NULL);
	slt_exchange_send(x);
}

static void run(void *arg)
{
	struct slt_exchange *x = arg;
	struct slt_peer_server *p = x->p; /* x is gone with the answer */
	exchange_run(x);
	atomic_fetch_sub(&p->busy, 1);
}

static void end(void *state, struct slt_request *r)
{
	struct slt_exchange *x = state;
	struct slt_peer_server *p = x->p;
	struct slt_err err = SLT_ERR_INIT;
	pthread_mutex_lock(&p->lock);
	atomic_fetch_add(&p->busy, 1);
	bool taken = !p->closed && slt_pool_submit(p->b->pool_server, run, x);
	pthread_mutex_unlock(&p->lock);
	if (!taken) {
		atomic_fetch_sub(&p->busy, 1);
		(void)slt_fail(&err, SLT_EBUSY, "the security server has too much to do");
		slt_exchange_refuse(r, &err);
	}
}

/* --- the listener ----------------------------------------------------------------------------- */

static const struct slt_server_handler handler = {
	.begin = begin, .body = body, .end = end, .reject = reject, .done = done};

static bool listen_now(struct slt_peer_server *p, struct slt_err *err)
{
	struct slt_server_options o = {.address = p->b->ports.own,
				       .port = p->b->ports.transport,
				       .cert_pem = p->cert_pem,
				       .key_pem = p->key_pem,
				       .client_certificate = true,
				       .handler = &handler,
				       .arg = p};
	return slt_server_start(&o, &p->server, err) ||
	       slt_wrap(err, "listening on %s:%u", o.address, o.port);
}

static bool load_identity(struct slt_peer_server *p, const char *name, struct slt_err *err)
{
	const struct slt_pki_entry *e = slt_pki_get(p->b->pki, name);
	SLT_AUTO_STR char *cert = NULL;
	SLT_AUTO_STR char *key = NULL;
	size_t n = 0;
	if (!slt_file_read(e->cert_path, PEM_MAX, &cert, &n, err) ||
	    !slt_file_read(e->key_path, PEM_MAX, &key, &n, err)) {
		return false;
	}
	free(p->cert_pem);
	free(p->key_pem);
	p->cert_pem = SLT_TAKE(cert);
	p->key_pem = SLT_TAKE(key);
	return true;
}

bool slt_peer_server_start(struct slt_box *b, struct slt_peer_server **ret, struct slt_err *err)
{
	struct slt_peer_server *p = slt_calloc(1, sizeof(*p));
	p->b = b;
	pthread_mutex_init(&p->lock, NULL);
	if (!load_identity(p, "server-auth", err) || !listen_now(p, err)) {
		slt_peer_server_stop(p);
		return false;
	}
	*ret = p;
	return true;
}

bool slt_peer_server_present(struct slt_peer_server *p, const char *name, struct slt_err *err)
{
	return slt_peer_server_listen(p, false, err) && load_identity(p, name, err) &&
	       slt_peer_server_listen(p, true, err);
}

bool slt_peer_server_is_closed(struct slt_peer_server *p)
{
	pthread_mutex_lock(&p->lock);
	bool closed = p->closed;
	pthread_mutex_unlock(&p->lock);
	return closed;
}

void slt_peer_server_close(struct slt_peer_server *p)
{
	if (p != NULL) {
		pthread_mutex_lock(&p->lock);
		p->closed = true;
		pthread_mutex_unlock(&p->lock);
	}
}

bool slt_peer_server_listen(struct slt_peer_server *p, bool on, struct slt_err *err)
{
	if (on) {
		if (p->server == NULL && !listen_now(p, err)) {
			return false;
		}
		pthread_mutex_lock(&p->lock);
		p->closed = false;
		pthread_mutex_unlock(&p->lock);
		return true;
	}
	if (p->server != NULL) {
		/* parked requests must have been answered before the listener goes */
		slt_peer_server_close(p);
		slt_server_quiesce(p->server);
		while (atomic_load(&p->busy) > 0) {
			(void)usleep(10000);
		}
		slt_server_stop(p->server);
		p->server = NULL;
	}
	return true;
}

void slt_peer_server_stop(struct slt_peer_server *p)
{
	if (p != NULL) {
		slt_server_stop(p->server);
		pthread_mutex_destroy(&p->lock);
		free(p->cert_pem);
		free(p->key_pem);
		free(p);
	}
}
