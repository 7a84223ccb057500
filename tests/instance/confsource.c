/* SPDX-License-Identifier: MIT */
#include "tests/instance/confsource.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"

#define VERSION_MIN 2
#define VERSION_MAX 6
#define VERSIONS    (VERSION_MAX + 1)
#define GENERATIONS 5
#define PARAMS_MAX  (4u << 20)
#define ANCHOR_MAX  (1u << 20)
#define EVERY_S	    60

struct text {
	char *p;
	size_t n;
};

struct generation {
	char *stamp; /* NULL: empty slot */
	int64_t expires_ms;
	struct text shared[VERSIONS], private_params;
	struct text internal[VERSIONS], external[VERSIONS];
};

struct slt_confsource {
	struct slt_confsource_options o;
	struct slt_key *key[2][2];  /* internal and external, first and second */
	struct slt_anchor *foreign; /* under lock, as everything below */
	struct timespec foreign_mtime;
	pthread_mutex_t lock;
	unsigned active[2];
	bool bridge_registered, maintenance[2]; /* own, bridge's */
	char *more[SLT_MORE_SERVERS];		/* addresses of further ones */
	int64_t expiry_s;			/* 0: as configured */
	int64_t made_ms;
	unsigned newest;
	struct generation generation[GENERATIONS];
};

static const char *const key_names[2][2] = {{"conf-internal", "conf-internal-2"},
					    {"conf-external", "conf-external-2"}};

/* --- what the instance consists of -------------------------------------------------------- */

static const char *member_class_text(const char *code)
{
	return strcmp(code, "GOV") == 0 ? "Public administration" : "Companies";
}

struct description { /* everything the shared parameters point to */
	struct slt_gcw_shared shared;
	X509 *internal[2], *external[2], *own_auth[2], *bridge_auth[1];
	struct slt_gcw_source source;
	struct slt_gc_ocsp root_ocsp, issuing_ocsp;
	struct slt_gcw_ca intermediate;
	struct slt_gcw_approved_ca ca;
	struct slt_gc_tsa tsa;
	struct slt_gcw_class classes[2];
	struct slt_gcw_subsystem subsystem[SLT_MEMBERS][2];
	struct slt_gcw_member member[SLT_MEMBERS];
	struct slt_gcw_server server[2 + SLT_MORE_SERVERS];
	size_t n_server;
	struct slt_id own_clients[4], bridge_clients[1];
	struct slt_gcw_group group[2];
	struct slt_id pharmacies[2], cross_border[1];
};

static void describe_trust(const struct slt_confsource *c, struct description *d)
{
	const struct slt_pki *pki = c->o.pki;
	for (size_t i = 0; i < 2; i++) {
		d->internal[i] = slt_pki_get(pki, key_names[0][i])->cert;
		d->external[i] = slt_pki_get(pki, key_names[1][i])->cert;
	}
	d->source = (struct slt_gcw_source){.address = c->o.address,
					    .internal = {d->internal, 2},
					    .external = {d->external, 2}};
	d->root_ocsp = (struct slt_gc_ocsp){c->o.ocsp_url, slt_pki_get(pki, "ocsp-root")->cert};
	d->issuing_ocsp = (struct slt_gc_ocsp){c->o.ocsp_url, slt_pki_get(pki, "ocsp")->cert};
	d->intermediate =
		(struct slt_gcw_ca){slt_pki_get(pki, "issuing-ca")->cert, &d->issuing_ocsp, 1};
	d->ca = (struct slt_gcw_approved_ca){
		.name = "Instance CA",
		.profile_class = c->o.country->profile,
		.top = {slt_pki_get(pki, "root-ca")->cert, &d->root_ocsp, 1},
		.intermediate = &d->intermediate,
		.n_intermediate = 1};
	d->tsa = (struct slt_gc_tsa){"Instance TSA", c->o.tsa_url, slt_pki_get(pki, "tsa")->cert};
}

static void describe_members(const struct slt_confsource *c, struct description *d)
{
	const struct slt_country *country = c->o.country;
	d->classes[0] = (struct slt_gcw_class){"GOV", member_class_text("GOV")};
	d->classes[1] = (struct slt_gcw_class){"COM", member_class_text("COM")};
	for (size_t i = 0; i < SLT_MEMBERS; i++) {
		const struct slt_country_member *m = &country->member[i];
		d->subsystem[i][0] = (struct slt_gcw_subsystem){m->subsystem, m->name};
		d->subsystem[i][1] = (struct slt_gcw_subsystem){m->other_subsystem, NULL};
		d->member[i] =
			(struct slt_gcw_member){m->member_class, m->code, m->name, d->subsystem[i],
						m->other_subsystem == NULL ? 1 : 2};
	}
	const struct slt_country_member *pharmacy = &country->member[SLT_PHARMACY];
	d->pharmacies[0] = slt_country_client_id(pharmacy, c->o.instance);
	d->cross_border[0] = slt_country_client_id(&country->member[SLT_BRIDGE], c->o.instance);
	d->group[0] = (struct slt_gcw_group){country->pharmacies, "Pharmacies", d->pharmacies, 1};
	d->group[1] = (struct slt_gcw_group){country->cross_border, "Cross-border services",
					     d->cross_border, 1};
}

static const char *const more_codes[SLT_MORE_SERVERS] = {"more-1", "more-2", "more-3", "more-4"};

static void describe_servers(const struct slt_confsource *c, struct description *d)
{
	const struct slt_country_member *m = c->o.country->member;
	const char *instance = c->o.instance;
	size_t n = 0;
	if (c->o.centre) {
		d->own_clients[n++] = slt_country_client_id(&m[SLT_CENTRE], instance);
	}
	if (c->o.pharmacy) {
		d->own_clients[n++] = slt_country_client_id(&m[SLT_PHARMACY], instance);
		d->own_clients[n] = slt_country_client_id(&m[SLT_PHARMACY], instance);
		d->own_clients[n++].subsystem = m[SLT_PHARMACY].other_subsystem;
	}
	if (c->o.bridge_behind) {
		d->own_clients[n++] = slt_country_client_id(&m[SLT_BRIDGE], instance);
	}
	/* an expired certificate may stay registered for a while */
	d->own_auth[0] = slt_pki_get(c->o.pki, "server-auth")->cert;
	d->own_auth[1] = slt_pki_get(c->o.pki, "server-auth-expired")->cert;
	d->bridge_auth[0] = slt_pki_get(c->o.pki, "bridge-auth")->cert;
	d->bridge_clients[0] = slt_country_client_id(&m[SLT_BRIDGE], instance);
	d->server[0] =
		(struct slt_gcw_server){.id = slt_country_server_id(&m[SLT_CENTRE], instance),
					.address = c->o.server_address,
					.auth = {d->own_auth, 2},
					.client = d->own_clients,
					.n_client = n,
					.maintenance = c->maintenance[0]};
	d->server[1] =
		(struct slt_gcw_server){.id = slt_country_server_id(&m[SLT_BRIDGE], instance),
					.address = c->o.bridge_address,
					.auth = {d->bridge_auth, 1},
					.client = d->bridge_clients,
					.n_client = 1,
					.maintenance = c->maintenance[1],
					.maintenance_message = "back soon"};
	d->n_server = c->bridge_registered && !c->o.bridge_behind ? 2 : 1;
	/* further ones with the own server's clients and certificate, as behind a load balancer */
	for (size_t i = 0; i < SLT_MORE_SERVERS && c->more[i] != NULL; i++) {
		struct slt_gcw_server *s = &d->server[d->n_server++];
		*s = d->server[0];
		s->id.server = more_codes[i];
		s->address = c->more[i];
		s->maintenance = false;
	}
}

static void describe(const struct slt_confsource *c, struct description *d)
{
	memset(d, 0, sizeof(*d));
	describe_trust(c, d);
	describe_members(c, d);
	describe_servers(c, d);
	d->shared = (struct slt_gcw_shared){.instance = c->o.instance,
					    .source = &d->source,
					    .n_source = 1,
					    .ca = &d->ca,
					    .n_ca = 1,
					    .tsa = &d->tsa,
					    .n_tsa = 1,
					    .classes = d->classes,
					    .n_classes = 2,
					    .member = d->member,
					    .n_member = SLT_MEMBERS,
					    .server = d->server,
					    .n_server = d->n_server,
					    .group = d->group,
					    .n_group = 2,
					    .ocsp_freshness_s = c->o.freshness_s};
}

/* --- a generation ----------------------------------------------------------------------------- */

static bool keep(struct slt_buf *b, const char *what, struct text *ret, struct slt_err *err)
{
	if (!slt_buf_check(b, what, err)) {
		return false;
	}
	ret->p = slt_buf_take(b, &ret->n);
	return true;
}

static bool write_params(const struct slt_confsource *c, struct generation *g, struct slt_err *err)
{
	struct description d;
	describe(c, &d);
	for (int v = VERSION_MIN; v <= c->o.version; v++) {
		SLT_AUTO_BUF(b, PARAMS_MAX);
		d.shared.version = v;
		if (!slt_globalconf_write_shared(&d.shared, &b, err) ||
		    !keep(&b, "shared parameters", &g->shared[v], err)) {
			return false;
		}
	}
	const struct slt_anchor *foreign[1] = {c->foreign};
	SLT_AUTO_STR char *registration =
		slt_asprintf("http://%s/managementservice/", c->o.address);
	struct slt_gcw_private p = {.instance = c->o.instance,
				    .anchor = foreign,
				    .n_anchor = c->foreign == NULL ? 0 : 1,
				    .registration_address = registration,
				    .management_service = slt_country_client_id(
					    &c->o.country->member[SLT_CENTRE], c->o.instance),
				    .timestamping_interval_s = 60};
	SLT_AUTO_BUF(b, PARAMS_MAX);
	return slt_globalconf_write_private(&p, &b, err) &&
	       keep(&b, "private parameters", &g->private_params, err);
}

static bool write_directory(const struct slt_confsource *c, struct generation *g, int version,
			    bool external, struct slt_err *err)
{
	struct text *ret = external ? &g->external[version] : &g->internal[version];
	SLT_AUTO_STR char *shared = slt_asprintf("/V%d/%s/shared-params.xml", version, g->stamp);
	SLT_AUTO_STR char *private_params =
		slt_asprintf("/V%d/%s/private-params.xml", version, g->stamp);
	struct slt_directory_part parts[2] = {{.content_id = "SHARED-PARAMETERS",
					       .instance = c->o.instance,
					       .location = shared,
					       .file_name = "shared-params.xml"},
					      {.content_id = "PRIVATE-PARAMETERS",
					       .instance = c->o.instance,
					       .location = private_params,
					       .file_name = "private-params.xml"}};
	slt_digest_of(SLT_SHA512, g->shared[version].p, g->shared[version].n, &parts[0].digest);
	slt_digest_of(SLT_SHA512, g->private_params.p, g->private_params.n, &parts[1].digest);
	struct slt_key *key = c->key[external][c->active[external]];
	struct slt_directory d = {.expires_ms = g->expires_ms,
				  .version = version,
				  .parts = parts,
				  .n_parts = external ? 1 : 2,
				  .cert = key->cert};
	SLT_AUTO_BUF(b, SLT_DIRECTORY_MAX);
	return slt_directory_write(&d, key, &b, err) && keep(&b, "the directory", ret, err);
}

static void generation_fini(struct generation *g)
{
	for (int v = 0; v < VERSIONS; v++) {
		free(g->shared[v].p);
		free(g->internal[v].p);
		free(g->external[v].p);
	}
	free(g->private_params.p);
	free(g->stamp);
	*g = (struct generation){.stamp = NULL};
}

/* Needs the lock. */
static bool publish(struct slt_confsource *c, struct slt_err *err)
{
	int64_t now = slt_now_ms();
	if (now <= c->made_ms) {
		now = c->made_ms + 1; /* locations must differ */
	}
	int64_t lifetime_s = c->expiry_s == 0 ? c->o.expire_s : c->expiry_s;
	char stamp[32];
	time_t seconds = (time_t)(now / 1000);
	struct tm tm;
	(void)gmtime_r(&seconds, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	struct generation g = {.stamp = slt_asprintf("%s%03d000000", stamp, (int)(now % 1000)),
			       .expires_ms = now + lifetime_s * 1000};
	bool ok = write_params(c, &g, err);
	for (int v = VERSION_MIN; ok && v <= c->o.version; v++) {
		ok = write_directory(c, &g, v, false, err) && write_directory(c, &g, v, true, err);
	}
	if (!ok) {
		generation_fini(&g);
		return false;
	}
	c->newest = (c->newest + 1) % GENERATIONS;
	generation_fini(&c->generation[c->newest]);
	c->generation[c->newest] = g;
	c->made_ms = now;
	return true;
}

/* --- anchors ---------------------------------------------------------------------------------- */

static bool write_anchor(const struct slt_confsource *c, bool external, struct slt_err *err)
{
	X509 *cert = slt_pki_get(c->o.pki, key_names[external][0])->cert;
	SLT_AUTO_STR char *url = slt_asprintf("http://%s/%s", c->o.address,
					      external ? "externalconf" : "internalconf");
	struct slt_anchor_source source = {.url = url, .certs = &cert, .n_certs = 1};
	struct slt_anchor a = {.instance = c->o.instance,
			       .generated_at_ms = slt_now_ms(),
			       .sources = &source,
			       .n_sources = 1};
	SLT_AUTO_BUF(b, ANCHOR_MAX);
	return slt_anchor_write(&a, &b, err) && slt_buf_check(&b, "the anchor", err) &&
	       slt_file_write(external ? c->o.external_anchor_path : c->o.anchor_path, b.p, b.n,
			      0644, err);
}

/* Needs the lock. True when the anchor of the other instance is new; one that cannot be read (it
 * may be half written) is tried again at the next tick. */
static bool look_for_foreign(struct slt_confsource *c)
{
	struct stat st;
	if (c->o.federate == NULL || stat(c->o.federate, &st) != 0 ||
	    (c->foreign != NULL && st.st_mtim.tv_sec == c->foreign_mtime.tv_sec &&
	     st.st_mtim.tv_nsec == c->foreign_mtime.tv_nsec)) {
		return false;
	}
	struct slt_anchor *a = NULL;
	struct slt_err err = SLT_ERR_INIT;
	if (!slt_anchor_load(c->o.federate, &a, &err)) {
		return false;
	}
	slt_anchor_free(c->foreign);
	c->foreign = a;
	c->foreign_mtime = st.st_mtim;
	return true;
}

/* --- the interface ---------------------------------------------------------------------------- */

bool slt_confsource_new(const struct slt_confsource_options *o, struct slt_confsource **ret,
			struct slt_err *err)
{
	SLT_AUTO(slt_confsource_free) struct slt_confsource *c = slt_calloc(1, sizeof(*c));
	c->o = *o;
	c->bridge_registered = true;
	pthread_mutex_init(&c->lock, NULL);
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 2; k++) {
			const struct slt_pki_entry *e = slt_pki_get(o->pki, key_names[i][k]);
			if (!slt_key_load(e->key_path, e->cert_path, NULL, false, &c->key[i][k],
					  err)) {
				return false;
			}
		}
	}
	(void)look_for_foreign(c);
	if (!publish(c, err) || !write_anchor(c, false, err) || !write_anchor(c, true, err)) {
		return false;
	}
	*ret = SLT_TAKE(c);
	return true;
}

void slt_confsource_free(struct slt_confsource *c)
{
	if (c == NULL) {
		return;
	}
	for (size_t i = 0; i < GENERATIONS; i++) {
		generation_fini(&c->generation[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		slt_key_free(c->key[i][0]);
		slt_key_free(c->key[i][1]);
	}
	for (size_t i = 0; i < SLT_MORE_SERVERS; i++) {
		free(c->more[i]);
	}
	slt_anchor_free(c->foreign);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

bool slt_confsource_tick(struct slt_confsource *c, bool *ret_new, struct slt_err *err)
{
	bool ok = true;
	pthread_mutex_lock(&c->lock);
	int64_t every_s = c->o.expire_s / 3 < EVERY_S ? c->o.expire_s / 3 : EVERY_S;
	bool due = slt_now_ms() >= c->made_ms + every_s * 1000;
	bool new = look_for_foreign(c) || due;
	if (new) {
		ok = publish(c, err);
	}
	pthread_mutex_unlock(&c->lock);
	if (ok) {
		*ret_new = new;
	}
	return ok;
}

static bool change(struct slt_confsource *c, bool *what, bool to, struct slt_err *err)
{
	pthread_mutex_lock(&c->lock);
	*what = to;
	bool ok = publish(c, err);
	pthread_mutex_unlock(&c->lock);
	return ok;
}

bool slt_confsource_rotate(struct slt_confsource *c, bool external, struct slt_err *err)
{
	pthread_mutex_lock(&c->lock);
	c->active[external] = 1 - c->active[external];
	bool ok = publish(c, err);
	pthread_mutex_unlock(&c->lock);
	return ok;
}

bool slt_confsource_maintenance(struct slt_confsource *c, bool bridge, bool on, struct slt_err *err)
{
	return change(c, &c->maintenance[bridge], on, err);
}

bool slt_confsource_more_servers(struct slt_confsource *c, const char *addresses,
				 struct slt_err *err)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < SLT_MORE_SERVERS; i++) {
		size_t len = strcspn(addresses, ",");
		free(c->more[i]);
		c->more[i] = len > 0 ? slt_strndup(addresses, len) : NULL;
		addresses += len;
		addresses += *addresses == ',';
	}
	bool ok = *addresses == '\0' ? publish(c, err)
				     : slt_fail(err, SLT_EINVAL, "at most %d further servers",
						SLT_MORE_SERVERS);
	pthread_mutex_unlock(&c->lock);
	return ok;
}

bool slt_confsource_register_bridge(struct slt_confsource *c, bool on, struct slt_err *err)
{
	return change(c, &c->bridge_registered, on, err);
}

bool slt_confsource_expiry(struct slt_confsource *c, int64_t seconds, struct slt_err *err)
{
	pthread_mutex_lock(&c->lock);
	c->expiry_s = seconds;
	bool ok = publish(c, err);
	pthread_mutex_unlock(&c->lock);
	return ok;
}

/* "/V6/<stamp>/shared-params.xml" in any generation that is still held. */
static const struct text *find_part(const struct slt_confsource *c, const char *path)
{
	char stamp[64] = "", file[32] = "";
	int version = 0, used = 0;
	if (sscanf(path, "/V%d/%63[0-9]/%31[a-z.-]%n", &version, stamp, file, &used) != 3 ||
	    path[used] != '\0' || version < VERSION_MIN || version > c->o.version) {
		return NULL;
	}
	for (size_t i = 0; i < GENERATIONS; i++) {
		const struct generation *g = &c->generation[i];
		if (g->stamp == NULL || strcmp(g->stamp, stamp) != 0) {
			continue;
		}
		return strcmp(file, "shared-params.xml") == 0	 ? &g->shared[version]
		       : strcmp(file, "private-params.xml") == 0 ? &g->private_params
								 : NULL;
	}
	return NULL;
}

bool slt_confsource_get(struct slt_confsource *c, const char *path, int version,
			struct slt_buf *out, const char **ret_content_type)
{
	bool internal = strcmp(path, "/internalconf") == 0;
	bool external = strcmp(path, "/externalconf") == 0;
	int v = version == 0 ? VERSION_MIN : version;
	const struct text *t = NULL;
	pthread_mutex_lock(&c->lock);
	if (internal || external) {
		const struct generation *g = &c->generation[c->newest];
		t = v < VERSION_MIN || v > c->o.version ? NULL
		    : internal				? &g->internal[v]
							: &g->external[v];
	} else {
		t = find_part(c, path);
	}
	if (t != NULL) {
		slt_buf_add(out, t->p, t->n);
		*ret_content_type = internal || external ? "application/octet-stream" : "text/xml";
	}
	pthread_mutex_unlock(&c->lock);
	return t != NULL;
}
