/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "tests/instance/box.h"
#include "tests/instance/restsys.h"

static json_t *port_url(unsigned port, const char *path)
{
	SLT_AUTO_STR char *s = slt_asprintf("http://127.0.0.1:%u%s", port, path);
	return json_string(s);
}

static json_t *id_text(struct slt_id id)
{
	SLT_AUTO_BUF(b, 2048);
	slt_id_format(&id, false, &b);
	return json_stringn(b.p, b.n);
}

static void set(json_t *o, const char *key, json_t *take_value)
{
	slt_assert(take_value != NULL && json_object_set_new(o, key, take_value) == 0);
}

static json_t *member(const struct slt_box *b, const struct slt_country_member *m)
{
	json_t *o = json_object();
	set(o, "member", id_text(slt_country_member_id(m, b->o.name)));
	set(o, "subsystem", id_text(slt_country_client_id(m, b->o.name)));
	set(o, "name", json_string(m->name));
	if (m->other_subsystem != NULL) {
		struct slt_id other = slt_country_client_id(m, b->o.name);
		other.subsystem = m->other_subsystem;
		set(o, "other_subsystem", id_text(other));
	}
	return o;
}

static json_t *members(const struct slt_box *b)
{
	json_t *o = json_object();
	for (size_t i = 0; i < SLT_MEMBERS; i++) {
		const struct slt_country_member *m = &b->o.country->member[i];
		set(o, m->role, member(b, m));
	}
	return o;
}

static json_t *bridge_keys(const struct slt_box *b)
{
	const struct slt_pki_entry *sign = slt_pki_get(b->pki, "bridge-sign");
	const struct slt_pki_entry *auth = slt_pki_get(b->pki, "bridge-auth");
	json_t *keys = json_object(), *o = json_object();
	set(o, "sign_key", json_string(sign->key_path));
	set(o, "sign_cert", json_string(sign->cert_path));
	set(o, "auth_key", json_string(auth->key_path));
	set(o, "auth_cert", json_string(auth->cert_path));
	set(keys, "bridge", o);
	return keys;
}

static json_t *services(const struct slt_box *b)
{
	const struct slt_country_words *w = &b->o.country->words;
	const char *names[] = {w->op_list, w->op_fetch, w->op_dispense, w->op_cancel};
	json_t *list = json_array();
	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		struct slt_id id =
			slt_country_client_id(&b->o.country->member[SLT_CENTRE], b->o.name);
		id.type = SLT_ID_SERVICE;
		id.service = names[i];
		id.version = "v1";
		slt_assert(json_array_append_new(list, id_text(id)) == 0);
	}
	return list;
}

static json_t *rest_services(const struct slt_box *b)
{
	json_t *list = json_array();
	const char *name;
	for (size_t i = 0; (name = slt_restsys_service(b->o.country->code, i)) != NULL; i++) {
		struct slt_id id =
			slt_country_client_id(&b->o.country->member[SLT_CENTRE], b->o.name);
		id.type = SLT_ID_SERVICE;
		id.service = name;
		slt_assert(json_array_append_new(list, id_text(id)) == 0);
	}
	return list;
}

static json_t *groups(const struct slt_box *b)
{
	json_t *o = json_object();
	set(o, "pharmacies", json_string(b->o.country->pharmacies));
	set(o, "cross_border", json_string(b->o.country->cross_border));
	return o;
}

bool slt_describe_write(const struct slt_box *b, struct slt_err *err)
{
	const struct slt_country_member *m = b->o.country->member;
	json_t *o = json_object();
	SLT_AUTO_STR char *ca = slt_asprintf("%s/ca.pem", b->o.dir);
	set(o, "instance", json_string(b->o.name));
	set(o, "country", json_string(b->o.country->code));
	set(o, "transport_port", json_integer(b->ports.transport));
	set(o, "ocsp_port", json_integer(b->ports.relay));
	set(o, "server_address", json_string(b->ports.own));
	set(o, "server", id_text(slt_country_server_id(&m[SLT_CENTRE], b->o.name)));
	set(o, "bridge_address", json_string(b->ports.bridge));
	set(o, "bridge_server", id_text(slt_country_server_id(&m[SLT_BRIDGE], b->o.name)));
	set(o, "client", port_url(b->ports.client, "/"));
	if (b->client_https != NULL) {
		SLT_AUTO_STR char *tls = slt_asprintf("https://127.0.0.1:%u/", b->ports.client_tls);
		set(o, "client_tls", json_string(tls));
		set(o, "client_tls_port", json_integer(b->ports.client_tls));
	}
	if (b->bridge_url != NULL) {
		set(o, "bridge_url", json_string(b->bridge_url));
	}
	set(o, "server_internal_cert",
	    json_string(slt_pki_get(b->pki, "server-internal")->cert_path));
	set(o, "infosys", port_url(b->ports.infosys, "/"));
	set(o, "admin", port_url(b->ports.admin, ""));
	set(o, "configuration", port_url(b->ports.central, "/internalconf"));
	set(o, "external_configuration", port_url(b->ports.central, "/externalconf"));
	set(o, "anchor", json_string(b->anchor));
	set(o, "external_anchor", json_string(b->external_anchor));
	set(o, "globalconf", json_string(b->dir_conf));
	set(o, "ocsp", json_string(b->ocsp_url));
	set(o, "tsa", json_string(b->tsa_url));
	set(o, "ca", json_string(ca));
	set(o, "tsa_cert", json_string(slt_pki_get(b->pki, "tsa")->cert_path));
	set(o, "members", members(b));
	set(o, "services", b->o.centre ? services(b) : json_array());
	set(o, "rest_services", b->o.centre ? rest_services(b) : json_array());
	set(o, "groups", groups(b));
	set(o, "keys", bridge_keys(b));
	char *text = json_dumps(o, JSON_INDENT(2));
	json_decref(o);
	slt_assert(text != NULL);
	bool ok = slt_file_write(b->info, text, strlen(text), 0644, err);
	free(text);
	return ok;
}
