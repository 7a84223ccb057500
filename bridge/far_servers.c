/* SPDX-License-Identifier: MIT */
#include "far_servers.h"

#include <string.h>

#include <openssl/rand.h>

/* A host name or an address, and nothing that would make another URL of it. */
static bool is_host(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:");

	return n > 0 && n < 300 && s[n] == '\0';
}

static bool is_there(const struct slt_far_servers *f, const char *address)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->v[i]->address, address) == 0) {
			return true;
		}
	}
	return false;
}

static void add(struct slt_far_servers *f, const struct slt_gc_server *s,
		const struct slt_gc_server **resting)
{
	if (s->maintenance) {
		*resting = *resting ? *resting : s;
	} else if (s->address && is_host(s->address) && !is_there(f, s->address)) {
		f->v[f->n++] = s;
	}
}

static bool find_named(const struct slt_globalconf *gc, const struct slt_id *provider,
		       const struct slt_id *named, struct slt_arena *a,
		       const struct slt_gc_server **ret, struct slt_err *err)
{
	const struct slt_gc_server *s = slt_globalconf_server(gc, named);

	if (!s) {
		return slt_fail(err, SLT_EINVALID_SECURITY_SERVER, "there is no security server %s",
				slt_id_text(named, a));
	}
	if (!slt_globalconf_serves(gc, s, provider)) {
		return slt_fail(err, SLT_EINVALID_SECURITY_SERVER,
				"security server %s does not serve %s", slt_id_text(named, a),
				slt_id_text(provider, a));
	}
	*ret = s;
	return true;
}

/* Fisher and Yates; a modulus of 2^32 favours nobody that it would show. */
static void shuffle(struct slt_far_servers *f)
{
	for (size_t i = f->n; i > 1; i--) {
		uint32_t r = 0;
		RAND_bytes((unsigned char *)&r, sizeof(r));
		size_t k = r % i;
		const struct slt_gc_server *s = f->v[k];
		f->v[k] = f->v[i - 1];
		f->v[i - 1] = s;
	}
}

bool slt_far_servers_find(const struct slt_globalconf *gc, const struct slt_id *provider,
			  const struct slt_id *named, struct slt_arena *a,
			  struct slt_far_servers *ret, struct slt_err *err)
{
	struct slt_far_servers f = {slt_arena_alloc(a, SLT_FAR_SERVERS_MAX * sizeof(*f.v)), 0};
	const struct slt_gc_server *s = NULL, *resting = NULL;

	if (named && !find_named(gc, provider, named, a, &s, err)) {
		return false;
	}
	if (s) {
		add(&f, s, &resting);
	}
	for (size_t i = 0;
	     !named && f.n < SLT_FAR_SERVERS_MAX && (s = slt_globalconf_server_of(gc, provider, i));
	     i++) {
		add(&f, s, &resting);
	}
	if (f.n == 0 && resting) {
		const char *said = resting->maintenance_message;
		return slt_fail(
			err, SLT_EMAINTENANCE_MODE,
			"Security server \"%s\" with address \"%s\" is in maintenance mode%s%s%s%s",
			resting->id.server, resting->address ? resting->address : "",
			said ? ". Message from \"" : "", said ? resting->id.server : "",
			said ? "\" administrator: " : "", said ? said : "");
	}
	if (f.n == 0) {
		return slt_fail(err, SLT_EUNKNOWN_MEMBER,
				"no security server of instance %s serves %s", provider->instance,
				slt_id_text(provider, a));
	}
	shuffle(&f);
	*ret = f;
	return true;
}
