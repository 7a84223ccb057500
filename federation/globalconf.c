/* SPDX-License-Identifier: MIT */
#include "federation/globalconf.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "federation/globalconf_model.h"

/* --- keys --------------------------------------------------------------------------------- */

bool gc_key_add(struct gc_key *k, const char *part)
{
	size_t n = part ? strlen(part) : 0;

	if (!part || n > SLT_ID_PART_MAX || k->n + n + 1 > sizeof(k->v)) {
		return false;
	}
	memcpy(k->v + k->n, part, n + 1);
	k->n += n + 1;
	return true;
}

bool gc_key_client(struct gc_key *k, const struct slt_id *id)
{
	return gc_key_add(k, id->member_class) && gc_key_add(k, id->member_code) &&
	       (id->type != SLT_ID_SUBSYSTEM || gc_key_add(k, id->subsystem));
}

bool gc_key_server(struct gc_key *k, const struct slt_id *id)
{
	return gc_key_add(k, id->member_class) && gc_key_add(k, id->member_code) &&
	       gc_key_add(k, id->server);
}

bool gc_key_with_instance(struct gc_key *k, const struct slt_id *id)
{
	return gc_key_add(k, id->instance) && gc_key_client(k, id);
}

bool slt_globalconf_instance_ok(const char *name)
{
	size_t n = name ? strlen(name) : 0;

	if (n == 0 || n > SLT_ID_PART_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		return false;
	}
	for (; *name; name++) {
		if ((unsigned char)*name < 0x20 || *name == 0x7f || strchr("/\\;%", *name)) {
			return false;
		}
	}
	return true;
}

/* --- life cycle --------------------------------------------------------------------------- */

static void free_certs(X509 **v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		X509_free(v[i]);
	}
	free(v);
}

static void free_authorities(struct slt_gc_instance *in)
{
	for (size_t i = 0; i < in->n_source; i++) {
		free_certs(in->source[i].internal, in->source[i].n_internal);
		free_certs(in->source[i].external, in->source[i].n_external);
	}
	free(in->source);
	for (size_t i = 0; i < in->n_ca; i++) {
		for (size_t k = 0; k < in->ca[i]->n_ocsp; k++) {
			X509_free(in->ca[i]->ocsp[k].cert);
		}
		X509_free(in->ca[i]->cert);
	}
	free(in->ca);
	for (size_t i = 0; i < in->n_tsa; i++) {
		X509_free(in->tsa[i]->cert);
	}
	free(in->tsa);
}

void slt_gc_instance_free(struct slt_gc_instance *in)
{
	if (!in) {
		return;
	}
	free_authorities(in);
	HASH_CLEAR(hh, in->party);
	HASH_CLEAR(hh, in->server);
	HASH_CLEAR(hh, in->cert_hash);
	for (struct gc_group *g = in->group; g; g = g->hh.next) {
		HASH_CLEAR(hh, g->members);
	}
	HASH_CLEAR(hh, in->group);
	slt_arena_free(in->arena);
	free(in);
}

void slt_globalconf_ref(struct slt_globalconf *gc)
{
	__atomic_add_fetch(&gc->refs, 1, __ATOMIC_RELAXED);
}

void slt_globalconf_free(struct slt_globalconf *gc)
{
	if (!gc || __atomic_sub_fetch(&gc->refs, 1, __ATOMIC_ACQ_REL) > 0) {
		return;
	}
	for (size_t i = 0; i < gc->n_instance; i++) {
		slt_gc_instance_free(gc->instance[i]);
	}
	free(gc->instance);
	free(gc);
}

/* --- the own instance --------------------------------------------------------------------- */

const char *slt_globalconf_own(const struct slt_globalconf *gc)
{
	return gc->instance[0]->name;
}

int slt_globalconf_version(const struct slt_globalconf *gc)
{
	return gc->instance[0]->version;
}

int64_t slt_globalconf_ocsp_freshness(const struct slt_globalconf *gc)
{
	return gc->instance[0]->ocsp_freshness_s;
}

bool slt_globalconf_verify_next_update(const struct slt_globalconf *gc)
{
	return gc->instance[0]->verify_next_update;
}

bool slt_globalconf_check_valid(const struct slt_globalconf *gc, int64_t now_ms,
				struct slt_err *err)
{
	const struct slt_gc_instance *own = gc->instance[0];
	char at[SLT_TIME_LEN];

	if (own->expires_ms == 0) {
		return slt_fail(
			err, SLT_EOUTDATED_GLOBALCONF,
			"the global configuration of instance %s does not say until when it "
			"is valid: fetch it again",
			own->name);
	}
	if (own->expires_ms < now_ms) {
		return slt_fail(
			err, SLT_EOUTDATED_GLOBALCONF,
			"the global configuration of instance %s expired at %s: can its source "
			"be reached?",
			own->name, slt_time_format(own->expires_ms, false, at));
	}
	return true;
}

/* --- authorities -------------------------------------------------------------------------- */

const struct slt_gc_instance *slt_globalconf_instance_at(const struct slt_globalconf *gc, size_t i)
{
	return i < gc->n_instance ? gc->instance[i] : NULL;
}

const struct slt_gc_instance *slt_globalconf_instance(const struct slt_globalconf *gc,
						      const char *name)
{
	for (size_t i = 0; name && i < gc->n_instance; i++) {
		if (strcmp(gc->instance[i]->name, name) == 0) {
			return gc->instance[i];
		}
	}
	return NULL;
}

static const struct slt_gc_ca *find_ca_in(const struct slt_gc_instance *in,
					  const X509_NAME *subject)
{
	for (size_t i = in->n_ca; i > 0; i--) {
		if (X509_NAME_cmp(X509_get_subject_name(in->ca[i - 1]->cert), subject) == 0) {
			return in->ca[i - 1];
		}
	}
	return NULL;
}

const struct slt_gc_ca *slt_globalconf_find_ca(const struct slt_globalconf *gc,
					       const char *instance, const X509_NAME *subject)
{
	const struct slt_gc_ca *ca = NULL;

	for (size_t i = 0; i < gc->n_instance && !ca; i++) {
		if (!instance || strcmp(gc->instance[i]->name, instance) == 0) {
			ca = find_ca_in(gc->instance[i], subject);
		}
	}
	return ca;
}

const struct slt_gc_ca *slt_globalconf_ca_at(const struct slt_globalconf *gc, size_t i)
{
	for (size_t k = 0; k < gc->n_instance; k++) {
		if (i < gc->instance[k]->n_ca) {
			return gc->instance[k]->ca[i];
		}
		i -= gc->instance[k]->n_ca;
	}
	return NULL;
}

const struct slt_gc_tsa *slt_globalconf_tsa_at(const struct slt_globalconf *gc,
					       const char *instance_or_null, size_t i)
{
	for (size_t k = 0; k < gc->n_instance; k++) {
		if (instance_or_null && strcmp(gc->instance[k]->name, instance_or_null) != 0) {
			continue;
		}
		if (i < gc->instance[k]->n_tsa) {
			return gc->instance[k]->tsa[i];
		}
		i -= gc->instance[k]->n_tsa;
	}
	return NULL;
}

/* --- members and servers ------------------------------------------------------------------ */

static struct gc_party *find_party(const struct slt_globalconf *gc, const struct slt_id *id)
{
	const struct slt_gc_instance *in = slt_globalconf_instance(gc, id->instance);
	struct gc_key key = {.n = 0};
	struct gc_party *p = NULL;

	if (!in || (id->type != SLT_ID_MEMBER && id->type != SLT_ID_SUBSYSTEM) ||
	    !gc_key_client(&key, id)) {
		return NULL;
	}
	HASH_FIND(hh, in->party, key.v, key.n, p);
	return p;
}

const struct slt_gc_client *slt_globalconf_client(const struct slt_globalconf *gc,
						  const struct slt_id *client)
{
	const struct gc_party *p = find_party(gc, client);

	return p ? &p->client : NULL;
}

const struct slt_gc_server *slt_globalconf_server(const struct slt_globalconf *gc,
						  const struct slt_id *server)
{
	const struct slt_gc_instance *in = slt_globalconf_instance(gc, server->instance);
	struct gc_key key = {.n = 0};
	struct gc_server *s = NULL;

	if (!in || server->type != SLT_ID_SERVER || !gc_key_server(&key, server)) {
		return NULL;
	}
	HASH_FIND(hh, in->server, key.v, key.n, s);
	return s ? &s->pub : NULL;
}

const struct slt_gc_server *slt_globalconf_auth_cert_server_at(const struct slt_globalconf *gc,
							       const X509 *cert, size_t i)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	enum slt_digest_alg alg = slt_globalconf_version(gc) > 2 ? SLT_SHA256 : SLT_SHA1;

	if (X509_digest(cert, slt_digest_md(alg), md, &n) != 1) {
		return NULL;
	}
	for (size_t k = 0; k < gc->n_instance; k++) {
		struct gc_cert_hash *h = NULL;
		HASH_FIND(hh, gc->instance[k]->cert_hash, md, n, h);
		for (const struct gc_cert_entry *e = h ? &h->first : NULL; e; e = e->next) {
			if (i-- == 0) {
				return &e->server->pub;
			}
		}
	}
	return NULL;
}

const struct slt_gc_server *slt_globalconf_auth_cert_server(const struct slt_globalconf *gc,
							    const X509 *cert)
{
	return slt_globalconf_auth_cert_server_at(gc, cert, 0);
}

bool slt_globalconf_serves(const struct slt_globalconf *gc, const struct slt_gc_server *server,
			   const struct slt_id *client)
{
	const struct gc_party *p = find_party(gc, client);

	for (const struct gc_link *l = p ? p->first : NULL; l; l = l->next) {
		if (&l->server->pub == server) {
			return true;
		}
	}
	return false;
}

const struct slt_gc_server *slt_globalconf_server_of(const struct slt_globalconf *gc,
						     const struct slt_id *client, size_t i)
{
	const struct gc_party *p = find_party(gc, client);
	const struct gc_link *l = p ? p->first : NULL;

	while (l && i > 0) {
		l = l->next;
		i--;
	}
	return l ? &l->server->pub : NULL;
}

bool slt_globalconf_in_group(const struct slt_globalconf *gc, const struct slt_id *client,
			     const struct slt_id *group)
{
	const struct slt_gc_instance *in = slt_globalconf_instance(gc, group->instance);
	struct gc_key key = {.n = 0};
	struct gc_group *g = NULL;
	struct gc_group_member *m = NULL;

	if (!in || group->type != SLT_ID_GLOBALGROUP || !group->group ||
	    (client->type != SLT_ID_MEMBER && client->type != SLT_ID_SUBSYSTEM) ||
	    !gc_key_with_instance(&key, client)) {
		return false;
	}
	HASH_FIND(hh, in->group, group->group, strlen(group->group), g);
	if (g) {
		HASH_FIND(hh, g->members, key.v, key.n, m);
	}
	return m != NULL;
}

/* --- reports ------------------------------------------------------------------------------ */

void slt_gc_instance_info(const struct slt_gc_instance *in, struct slt_gc_info *ret)
{
	*ret = (struct slt_gc_info){
		.name = in->name,
		.version = in->version,
		.expires_ms = in->expires_ms,
		.ocsp_freshness_s = in->ocsp_freshness_s,
		.verify_next_update = in->verify_next_update,
		.n_members = in->n_member,
		.n_subsystems = in->n_subsystem,
		.n_servers = in->n_server,
		.n_groups = HASH_COUNT(in->group),
		.n_cas = in->n_ca,
		.n_tsas = in->n_tsa,
	};
}

/* The public structs are the first members of ours, so that a cursor needs no table. */
const struct slt_gc_client *slt_gc_instance_next_client(const struct slt_gc_instance *in,
							const struct slt_gc_client *prev)
{
	const struct gc_party *p = (const struct gc_party *)(const void *)prev;
	const struct gc_party *next = p ? p->hh.next : in->party;

	return next ? &next->client : NULL;
}

const struct slt_gc_server *slt_gc_instance_next_server(const struct slt_gc_instance *in,
							const struct slt_gc_server *prev)
{
	const struct gc_server *s = (const struct gc_server *)(const void *)prev;
	const struct gc_server *next = s ? s->next : in->first_server;

	return next ? &next->pub : NULL;
}

const struct slt_gc_group *slt_gc_instance_next_group(const struct slt_gc_instance *in,
						      const struct slt_gc_group *prev)
{
	const struct gc_group *g = (const struct gc_group *)(const void *)prev;
	const struct gc_group *next = g ? g->hh.next : in->group;

	return next ? &next->pub : NULL;
}

const struct slt_gc_ca *slt_gc_instance_ca_at(const struct slt_gc_instance *in, size_t i)
{
	return i < in->n_ca ? in->ca[i] : NULL;
}

const struct slt_gc_tsa *slt_gc_instance_tsa_at(const struct slt_gc_instance *in, size_t i)
{
	return i < in->n_tsa ? in->tsa[i] : NULL;
}

const struct slt_gc_source *slt_gc_instance_source_at(const struct slt_gc_instance *in, size_t i)
{
	return i < in->n_source ? &in->source[i] : NULL;
}

size_t slt_gc_server_client_count(const struct slt_gc_server *server)
{
	return ((const struct gc_server *)(const void *)server)->n_clients;
}

size_t slt_gc_server_cert_count(const struct slt_gc_server *server)
{
	return ((const struct gc_server *)(const void *)server)->n_certs;
}
