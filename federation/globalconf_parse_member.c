/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_parse.h"

#include <string.h>

/* --- members and subsystems --------------------------------------------------------------- */

static const char *intern_class(struct gc_parse *p, struct slt_str text)
{
	for (size_t i = 0; i < p->n_classes; i++) {
		if (slt_str_eq(text, p->classes[i])) {
			return p->classes[i];
		}
	}
	const char *s = gc_verbatim(p, text);
	if (p->n_classes < GC_CLASSES_MAX) {
		p->classes[p->n_classes++] = s;
	}
	return s;
}

bool gc_begin_member(void *arg, const char *name, const struct slt_gcsax_attrs *a,
		     struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)name;
	p->stop = p->o->sources_only;
	p->id = (struct slt_id){.type = SLT_ID_MEMBER, .instance = p->in->name};
	p->name = NULL;
	p->member = NULL;
	p->member_xml_id = slt_gcsax_attr(a, NULL, "id", p->scratch);
	return gc_need_instance(p, err);
}

bool gc_end_member_class(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	if (text.n == 0 || text.n > SLT_ID_PART_MAX) {
		return gc_malformed(err, "a member's class is empty or too long");
	}
	p->id.member_class = intern_class(p, text);
	return true;
}

bool gc_end_member_code(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	return gc_take_part(p, text, "memberCode", &p->id.member_code, err);
}

bool gc_end_name(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)err;
	p->name = gc_verbatim(p, text);
	return true;
}

/* Two entries for one identifier are one party: nothing that X-Road publishes has them. */
static struct gc_party *add_party(struct gc_parse *p, const struct slt_id *id, const char *name)
{
	struct gc_key key = {.n = 0};
	struct gc_party *party = NULL;

	slt_assert(gc_key_client(&key, id));
	HASH_FIND(hh, p->in->party, key.v, key.n, party);
	if (party) {
		return party;
	}
	party = slt_arena_alloc(p->in->arena, sizeof(*party));
	party->client = (struct slt_gc_client){.id = *id, .name = name};
	const char *k = slt_arena_memdup(p->in->arena, key.v, key.n);
	HASH_ADD_KEYPTR(hh, p->in->party, k, key.n, party);
	*(id->type == SLT_ID_MEMBER ? &p->in->n_member : &p->in->n_subsystem) += 1;
	return party;
}

static bool add_idref(struct gc_parse *p, const char *xml_id, struct gc_party *party,
		      struct slt_err *err)
{
	struct gc_idref *ref = NULL;

	if (!xml_id || !*xml_id) {
		return gc_malformed(err, "a member or subsystem has no id");
	}
	HASH_FIND_STR(p->ids, xml_id, ref);
	if (ref) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF, "id %.100s stands twice", xml_id);
	}
	ref = slt_arena_alloc(p->scratch, sizeof(*ref));
	ref->party = party;
	HASH_ADD_KEYPTR(hh, p->ids, xml_id, strlen(xml_id), ref);
	return true;
}

/* The member as such: at its first subsystem, or at its end when it has none. */
static bool finish_member(struct gc_parse *p, struct slt_err *err)
{
	if (p->member) {
		return true;
	}
	if (!p->id.member_class || !p->id.member_code) {
		return gc_malformed(err, "a member has no class or no code");
	}
	p->member = add_party(p, &p->id, p->name);
	return add_idref(p, p->member_xml_id, p->member, err);
}

bool gc_end_member(void *arg, struct slt_str text, struct slt_err *err)
{
	(void)text;
	return finish_member(arg, err);
}

bool gc_begin_subsystem(void *arg, const char *name, const struct slt_gcsax_attrs *a,
			struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)name;
	if (!finish_member(p, err)) {
		return false;
	}
	p->id.subsystem = NULL;
	p->name = NULL;
	p->xml_id = slt_gcsax_attr(a, NULL, "id", p->scratch);
	return true;
}

bool gc_end_subsystem_code(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	return gc_take_part(p, text, "subsystemCode", &p->id.subsystem, err);
}

bool gc_end_subsystem(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct slt_id id = p->id;

	(void)text;
	if (!id.subsystem) {
		return gc_malformed(err, "a subsystem has no code");
	}
	id.type = SLT_ID_SUBSYSTEM;
	/* the codes are stored once, with the member */
	id.member_class = p->member->client.id.member_class;
	id.member_code = p->member->client.id.member_code;
	return add_idref(p, p->xml_id, add_party(p, &id, p->name), err);
}

/* --- security servers --------------------------------------------------------------------- */

bool gc_begin_server(void *arg, const char *name, const struct slt_gcsax_attrs *a,
		     struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)name, (void)a;
	p->stop = p->o->sources_only;
	p->server = slt_arena_alloc(p->in->arena, sizeof(*p->server));
	p->server->pub.id = (struct slt_id){.type = SLT_ID_SERVER, .instance = p->in->name};
	return gc_need_instance(p, err);
}

/* Names the server among those of a party, once: as owner and client it may be named twice. */
static bool link_party(struct gc_parse *p, struct slt_str xml_id, struct gc_party **ret,
		       struct slt_err *err)
{
	struct slt_str t = slt_str_trim(xml_id);
	struct gc_idref *ref = NULL;

	HASH_FIND(hh, p->ids, t.n ? t.p : "", t.n, ref);
	if (!ref) {
		return slt_fail(
			err, SLT_EMALFORMED_GLOBALCONF,
			"a security server refers to \"%.*s\", which is no member or subsystem",
			(int)(t.n < 100 ? t.n : 100), t.p);
	}
	struct gc_party *party = ref->party;
	if (ret) {
		*ret = party;
	}
	if (party->last && party->last->server == p->server) {
		return true;
	}
	struct gc_link *l = slt_arena_alloc(p->in->arena, sizeof(*l));
	l->server = p->server;
	*(party->last ? &party->last->next : &party->first) = l;
	party->last = l;
	p->server->n_clients++;
	return true;
}

bool gc_end_server_owner(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	if (!link_party(p, text, &p->server->owner, err)) {
		return false;
	}
	if (p->server->owner->client.id.type != SLT_ID_MEMBER) {
		return gc_malformed(err, "the owner of a security server must be a member");
	}
	p->server->pub.id.member_class = p->server->owner->client.id.member_class;
	p->server->pub.id.member_code = p->server->owner->client.id.member_code;
	return true;
}

bool gc_end_server_code(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	return gc_take_part(p, text, "serverCode", &p->server->pub.id.server, err);
}

bool gc_end_server_address(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct slt_str t = slt_str_trim(text);

	(void)err;
	if (t.n) {
		p->server->pub.address = gc_verbatim(p, t);
	}
	return true;
}

bool gc_end_server_client(void *arg, struct slt_str text, struct slt_err *err)
{
	return link_party(arg, text, NULL, err);
}

static void add_cert_entry(struct gc_parse *p, struct gc_cert_hash *h)
{
	struct gc_cert_entry *e = slt_arena_alloc(p->in->arena, sizeof(*e));

	e->server = p->server;
	h->last->next = e;
	h->last = e;
}

bool gc_end_server_cert_hash(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	SLT_AUTO_BUF(raw, SLT_DIGEST_MAX);
	struct gc_cert_hash *h = NULL;

	if (!slt_base64_decode(text, &raw, err) || raw.n == 0) {
		return gc_malformed(err, "authCertHash is not a digest in base64");
	}
	p->server->n_certs++;
	HASH_FIND(hh, p->in->cert_hash, raw.p, raw.n, h);
	if (h) {
		if (h->last->server != p->server) {
			add_cert_entry(p, h);
		}
		return true;
	}
	h = slt_arena_alloc(p->in->arena, sizeof(*h));
	h->first.server = p->server;
	h->last = &h->first;
	HASH_ADD_KEYPTR(hh, p->in->cert_hash, slt_arena_memdup(p->in->arena, raw.p, raw.n), raw.n,
			h);
	return true;
}

bool gc_begin_maintenance(void *arg, const char *name, const struct slt_gcsax_attrs *a,
			  struct slt_err *err)
{
	(void)name, (void)a, (void)err;
	((struct gc_parse *)arg)->server->pub.maintenance = true;
	return true;
}

bool gc_end_maintenance_message(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)err;
	p->server->pub.maintenance_message = gc_verbatim(p, text);
	return true;
}

bool gc_end_server(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct slt_gc_instance *in = p->in;
	struct gc_server *s = p->server, *other = NULL;
	struct gc_key key = {.n = 0};

	(void)text;
	if (!s->owner || !s->pub.id.server) {
		return gc_malformed(err, "a security server has no owner or no code");
	}
	slt_assert(gc_key_server(&key, &s->pub.id));
	HASH_FIND(hh, in->server, key.v, key.n, other);
	if (!other) {
		HASH_ADD_KEYPTR(hh, in->server, slt_arena_memdup(in->arena, key.v, key.n), key.n,
				s);
	}
	*(in->last_server ? &in->last_server->next : &in->first_server) = s;
	in->last_server = s;
	in->n_server++;
	return true;
}

/* --- global groups ------------------------------------------------------------------------ */

bool gc_begin_group(void *arg, const char *name, const struct slt_gcsax_attrs *a,
		    struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)name, (void)a;
	p->stop = p->o->sources_only;
	p->group = NULL;
	p->name = NULL;
	return gc_need_instance(p, err);
}

bool gc_end_group_code(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct gc_group *g = NULL;
	const char *code = NULL;

	if (!gc_take_part(p, text, "groupCode", &code, err)) {
		return false;
	}
	HASH_FIND_STR(p->in->group, code, g);
	if (!g) {
		g = slt_arena_alloc(p->in->arena, sizeof(*g));
		g->pub.code = code;
		HASH_ADD_KEYPTR(hh, p->in->group, g->pub.code, strlen(g->pub.code), g);
	}
	p->group = g;
	return true;
}

bool gc_end_group_description(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	if (!p->group) {
		return gc_malformed(err, "a global group has no code");
	}
	p->group->pub.description = gc_verbatim(p, text);
	return true;
}

bool gc_begin_group_member(void *arg, const char *name, const struct slt_gcsax_attrs *a,
			   struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)name, (void)a;
	p->id = (struct slt_id){.type = SLT_ID_MEMBER};
	return p->group || gc_malformed(err, "a global group has no code");
}

/* The parts are needed for the key only. */
static bool take_scratch(struct gc_parse *p, struct slt_str text, const char **ret,
			 struct slt_err *err)
{
	if (text.n == 0 || text.n > SLT_ID_PART_MAX) {
		return gc_malformed(err,
				    "a part of a group member's identifier is empty or too long");
	}
	*ret = slt_arena_strndup(p->scratch, text.p, text.n);
	return true;
}

bool gc_end_gm_instance(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	return take_scratch(p, text, &p->id.instance, err);
}

bool gc_end_gm_class(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	return take_scratch(p, text, &p->id.member_class, err);
}

bool gc_end_gm_code(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	return take_scratch(p, text, &p->id.member_code, err);
}

bool gc_end_gm_subsystem(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	p->id.type = SLT_ID_SUBSYSTEM;
	return take_scratch(p, text, &p->id.subsystem, err);
}

bool gc_end_group_member(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct gc_key key = {.n = 0};
	struct gc_group_member *m = NULL;

	(void)text;
	if (!gc_key_with_instance(&key, &p->id)) {
		return gc_malformed(err, "a group member lacks a part of its identifier");
	}
	HASH_FIND(hh, p->group->members, key.v, key.n, m);
	if (!m) {
		m = slt_arena_alloc(p->in->arena, sizeof(*m));
		HASH_ADD_KEYPTR(hh, p->group->members, slt_arena_memdup(p->in->arena, key.v, key.n),
				key.n, m);
		p->group->pub.n_members++;
	}
	return true;
}

bool gc_end_group(void *arg, struct slt_str text, struct slt_err *err)
{
	(void)text;
	return ((struct gc_parse *)arg)->group || gc_malformed(err, "a global group has no code");
}
