/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_write.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "federation/gccert.h"
#include "federation/globalconf_model.h"
#include "federation/private_params.h"

#define DECLARATION  "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define CONF	     "<xroad:conf xmlns:xroad=\"" SLT_NS_XROAD "\" xmlns:id=\"" SLT_NS_ID "\">\n"
#define JAVA_PACKAGE "ee.ria.xroad.common.certificateprofile.impl."

struct ref { /* the XML id of a member or subsystem */
	size_t number;
	UT_hash_handle hh;
};

struct writer {
	const struct slt_gcw_shared *s;
	struct slt_buf *out;
	struct slt_arena *arena;
	struct ref *refs;
	struct slt_err *err;
};

static void line(struct slt_buf *out, int indent, const char *name, const char *text)
{
	slt_buf_addf(out, "%*s<%s>", indent, "", name);
	slt_buf_add_xml(out, text);
	slt_buf_addf(out, "</%s>\n", name);
}

static void line_if(struct slt_buf *out, int indent, const char *name, const char *text)
{
	if (text) {
		line(out, indent, name, text);
	}
}

static void cert_line(struct slt_buf *out, int indent, const char *name, const X509 *cert)
{
	slt_buf_addf(out, "%*s<%s>", indent, "", name);
	slt_gccert_add_base64(cert, out);
	slt_buf_addf(out, "</%s>\n", name);
}

static bool lacks(struct slt_err *err, const char *what)
{
	return slt_fail(err, SLT_EINVAL, "the global configuration to write lacks %s", what);
}

static bool part_ok(const char *s)
{
	return s && *s && strlen(s) <= SLT_ID_PART_MAX;
}

const char *slt_globalconf_profile_class(enum slt_profile p)
{
	static const char *const classes[] = {
		[SLT_PROFILE_UNKNOWN] = NULL,
		[SLT_PROFILE_EJBCA] = JAVA_PACKAGE "EjbcaCertificateProfileInfoProvider",
		[SLT_PROFILE_SKKLASS3] = JAVA_PACKAGE "SkKlass3CertificateProfileInfoProvider",
		[SLT_PROFILE_SKESTEID] = JAVA_PACKAGE "SkEsteIdCertificateProfileInfoProvider",
		[SLT_PROFILE_FIVRK] = JAVA_PACKAGE "FiVRKCertificateProfileInfoProvider",
		[SLT_PROFILE_BASIC] = JAVA_PACKAGE "BasicCertificateProfileInfoProvider",
		[SLT_PROFILE_FO] = JAVA_PACKAGE "FoCertificateProfileInfoProvider",
		[SLT_PROFILE_IS] = JAVA_PACKAGE "IsCertificateProfileInfoProvider",
		[SLT_PROFILE_TEST] = JAVA_PACKAGE "TestCertificateProfileInfoProvider",
	};

	return (size_t)p < SLT_COUNT(classes) ? classes[p] : NULL;
}

/* --- sources and authorities -------------------------------------------------------------- */

static bool write_sources(struct writer *w)
{
	const struct slt_gcw_shared *s = w->s;

	if (s->version < 3) {
		return true;
	}
	if (s->n_source == 0) {
		return lacks(w->err, "a source, which version 3 and later must have");
	}
	for (size_t i = 0; i < s->n_source; i++) {
		const struct slt_gcw_source *src = &s->source[i];
		if (!src->address || !*src->address) {
			return lacks(w->err, "the address of a source");
		}
		slt_buf_adds(w->out, "    <source>\n");
		line(w->out, 8, "address", src->address);
		for (size_t k = 0; k < src->internal.n; k++) {
			cert_line(w->out, 8, "internalVerificationCert", src->internal.v[k]);
		}
		for (size_t k = 0; k < src->external.n; k++) {
			cert_line(w->out, 8, "externalVerificationCert", src->external.v[k]);
		}
		slt_buf_adds(w->out, "    </source>\n");
	}
	return true;
}

static bool write_authority(struct writer *w, const char *name, const struct slt_gcw_ca *ca)
{
	if (!ca->cert) {
		return lacks(w->err, "the certificate of a CA");
	}
	slt_buf_addf(w->out, "        <%s>\n", name);
	cert_line(w->out, 12, "cert", ca->cert);
	for (size_t i = 0; i < ca->n_ocsp; i++) {
		if (!ca->ocsp[i].url) {
			return lacks(w->err, "the url of an OCSP responder");
		}
		slt_buf_adds(w->out, "            <ocsp>\n");
		line(w->out, 16, "url", ca->ocsp[i].url);
		if (ca->ocsp[i].cert) {
			cert_line(w->out, 16, "cert", ca->ocsp[i].cert);
		}
		slt_buf_adds(w->out, "            </ocsp>\n");
	}
	slt_buf_addf(w->out, "        </%s>\n", name);
	return true;
}

static bool write_ca(struct writer *w, const struct slt_gcw_approved_ca *ca)
{
	const char *profile =
		ca->profile_class ? ca->profile_class : slt_globalconf_profile_class(ca->profile);

	if (!ca->name || !*ca->name || !profile) {
		return lacks(w->err, "the name or the certificate profile of an approved CA");
	}
	slt_buf_adds(w->out, "    <approvedCA>\n");
	line(w->out, 8, "name", ca->name);
	line(w->out, 8, "authenticationOnly", ca->authentication_only ? "true" : "false");
	if (!write_authority(w, "topCA", &ca->top)) {
		return false;
	}
	for (size_t i = 0; i < ca->n_intermediate; i++) {
		if (!write_authority(w, "intermediateCA", &ca->intermediate[i])) {
			return false;
		}
	}
	line(w->out, 8, "certificateProfileInfo", profile);
	slt_buf_adds(w->out, "    </approvedCA>\n");
	return true;
}

static bool write_authorities(struct writer *w)
{
	for (size_t i = 0; i < w->s->n_ca; i++) {
		if (!write_ca(w, &w->s->ca[i])) {
			return false;
		}
	}
	for (size_t i = 0; i < w->s->n_tsa; i++) {
		const struct slt_gc_tsa *tsa = &w->s->tsa[i];
		if (!tsa->name || !tsa->url || !tsa->cert) {
			return lacks(w->err,
				     "name, url or certificate of a time-stamping authority");
		}
		slt_buf_adds(w->out, "    <approvedTSA>\n");
		line(w->out, 8, "name", tsa->name);
		line(w->out, 8, "url", tsa->url);
		cert_line(w->out, 8, "cert", tsa->cert);
		slt_buf_adds(w->out, "    </approvedTSA>\n");
	}
	return true;
}

/* --- members ------------------------------------------------------------------------------ */

/* Gives a member or subsystem the next XML id. */
static bool add_ref(struct writer *w, const struct slt_id *id, size_t *ret)
{
	struct gc_key key = {.n = 0};
	struct ref *ref = NULL;

	if (!gc_key_client(&key, id)) {
		return lacks(w->err, "the class or the code of a member, or one is too long");
	}
	HASH_FIND(hh, w->refs, key.v, key.n, ref);
	if (ref) {
		return slt_fail(w->err, SLT_EINVAL,
				"member or subsystem %s/%s of the configuration is there twice",
				id->member_class, id->member_code);
	}
	ref = slt_arena_alloc(w->arena, sizeof(*ref));
	ref->number = HASH_COUNT(w->refs);
	HASH_ADD_KEYPTR(hh, w->refs, slt_arena_memdup(w->arena, key.v, key.n), key.n, ref);
	*ret = ref->number;
	return true;
}

static const char *class_description(const struct slt_gcw_shared *s, const char *code)
{
	for (size_t i = 0; i < s->n_classes; i++) {
		if (strcmp(s->classes[i].code, code) == 0) {
			return s->classes[i].description;
		}
	}
	return NULL;
}

static bool write_subsystems(struct writer *w, const struct slt_gcw_member *m, struct slt_id id)
{
	size_t number = 0;

	id.type = SLT_ID_SUBSYSTEM;
	for (size_t i = 0; i < m->n_subsystem; i++) {
		id.subsystem = m->subsystem[i].code;
		if (!part_ok(id.subsystem)) {
			return lacks(w->err, "the code of a subsystem");
		}
		if (!add_ref(w, &id, &number)) {
			return false;
		}
		slt_buf_addf(w->out, "        <subsystem id=\"id%zu\">\n", number);
		line(w->out, 12, "subsystemCode", id.subsystem);
		if (w->s->version >= 5) {
			line_if(w->out, 12, "subsystemName", m->subsystem[i].name);
		}
		slt_buf_adds(w->out, "        </subsystem>\n");
	}
	return true;
}

static bool write_member(struct writer *w, const struct slt_gcw_member *m)
{
	const struct slt_id id = {.type = SLT_ID_MEMBER,
				  .member_class = m->member_class,
				  .member_code = m->member_code};
	size_t number = 0;

	if (!part_ok(m->member_class) || !part_ok(m->member_code) || !m->name) {
		return lacks(w->err, "class, code or name of a member");
	}
	const char *description = class_description(w->s, m->member_class);
	if (!description) {
		return slt_fail(w->err, SLT_EINVAL, "member class %s is not among the classes",
				m->member_class);
	}
	if (!add_ref(w, &id, &number)) {
		return false;
	}
	slt_buf_addf(w->out, "    <member id=\"id%zu\">\n        <memberClass>\n", number);
	line(w->out, 12, "code", m->member_class);
	line(w->out, 12, "description", description);
	slt_buf_adds(w->out, "        </memberClass>\n");
	line(w->out, 8, "memberCode", m->member_code);
	line(w->out, 8, "name", m->name);
	if (!write_subsystems(w, m, id)) {
		return false;
	}
	slt_buf_adds(w->out, "    </member>\n");
	return true;
}

static bool write_members(struct writer *w)
{
	for (size_t i = 0; i < w->s->n_member; i++) {
		if (!write_member(w, &w->s->member[i])) {
			return false;
		}
	}
	return true;
}

/* --- servers ------------------------------------------------------------------------------ */

static bool write_ref(struct writer *w, const char *name, const struct slt_id *id)
{
	struct gc_key key = {.n = 0};
	struct ref *ref = NULL;

	if (gc_key_client(&key, id)) {
		HASH_FIND(hh, w->refs, key.v, key.n, ref);
	}
	if (!ref || (id->instance && strcmp(id->instance, w->s->instance) != 0)) {
		return slt_fail(w->err, SLT_EINVAL,
				"a security server names %s/%s/%s as %s, who is not in the "
				"configuration",
				id->member_class ? id->member_class : "?",
				id->member_code ? id->member_code : "?",
				id->subsystem ? id->subsystem : "", name);
	}
	slt_buf_addf(w->out, "        <%s>id%zu</%s>\n", name, ref->number, name);
	return true;
}

static void write_cert_hash(struct writer *w, const X509 *cert)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	enum slt_digest_alg alg = w->s->version > 2 ? SLT_SHA256 : SLT_SHA1;

	slt_assert(X509_digest(cert, slt_digest_md(alg), md, &n) == 1);
	slt_buf_adds(w->out, "        <authCertHash>");
	slt_buf_add_base64(w->out, md, n);
	slt_buf_adds(w->out, "</authCertHash>\n");
}

static bool write_server(struct writer *w, const struct slt_gcw_server *s)
{
	const struct slt_id owner = {.type = SLT_ID_MEMBER,
				     .instance = s->id.instance,
				     .member_class = s->id.member_class,
				     .member_code = s->id.member_code};

	if (!part_ok(s->id.server)) {
		return lacks(w->err, "the code of a security server");
	}
	slt_buf_adds(w->out, "    <securityServer>\n");
	if (!write_ref(w, "owner", &owner)) {
		return false;
	}
	line(w->out, 8, "serverCode", s->id.server);
	line_if(w->out, 8, "address", s->address);
	for (size_t i = 0; i < s->auth.n; i++) {
		write_cert_hash(w, s->auth.v[i]);
	}
	for (size_t i = 0; i < s->n_client; i++) {
		if (!write_ref(w, "client", &s->client[i])) {
			return false;
		}
	}
	if (s->maintenance && w->s->version >= 5) {
		slt_buf_adds(w->out, "        <inMaintenanceMode>\n");
		line_if(w->out, 12, "message", s->maintenance_message);
		slt_buf_adds(w->out, "        </inMaintenanceMode>\n");
	}
	slt_buf_adds(w->out, "    </securityServer>\n");
	return true;
}

static bool write_servers(struct writer *w)
{
	for (size_t i = 0; i < w->s->n_server; i++) {
		if (!write_server(w, &w->s->server[i])) {
			return false;
		}
	}
	return true;
}

/* --- groups and settings ------------------------------------------------------------------ */

/* An element of X-Road's client identifier type. */
static bool write_client_id(struct slt_buf *out, int indent, const char *name,
			    const struct slt_id *id, struct slt_err *err)
{
	bool subsystem = id->type == SLT_ID_SUBSYSTEM;

	if ((!subsystem && id->type != SLT_ID_MEMBER) || !part_ok(id->instance) ||
	    !part_ok(id->member_class) || !part_ok(id->member_code) ||
	    (subsystem && !part_ok(id->subsystem))) {
		return slt_fail(err, SLT_EINVAL, "%s is not a whole member or subsystem", name);
	}
	slt_buf_addf(out, "%*s<%s id:objectType=\"%s\">\n", indent, "", name,
		     subsystem ? "SUBSYSTEM" : "MEMBER");
	line(out, indent + 4, "id:xRoadInstance", id->instance);
	line(out, indent + 4, "id:memberClass", id->member_class);
	line(out, indent + 4, "id:memberCode", id->member_code);
	if (subsystem) {
		line(out, indent + 4, "id:subsystemCode", id->subsystem);
	}
	slt_buf_addf(out, "%*s</%s>\n", indent, "", name);
	return true;
}

static bool write_groups(struct writer *w)
{
	for (size_t i = 0; i < w->s->n_group; i++) {
		const struct slt_gcw_group *g = &w->s->group[i];
		if (!part_ok(g->code)) {
			return lacks(w->err, "the code of a global group");
		}
		slt_buf_adds(w->out, "    <globalGroup>\n");
		line(w->out, 8, "groupCode", g->code);
		line(w->out, 8, "description", g->description ? g->description : g->code);
		for (size_t k = 0; k < g->n_member; k++) {
			if (!write_client_id(w->out, 8, "groupMember", &g->member[k], w->err)) {
				return false;
			}
		}
		slt_buf_adds(w->out, "    </globalGroup>\n");
	}
	return true;
}

static bool write_settings(struct writer *w)
{
	if (w->s->ocsp_freshness_s < 1) {
		return lacks(w->err, "the freshness of OCSP responses");
	}
	slt_buf_adds(w->out, "    <globalSettings>\n");
	for (size_t i = 0; i < w->s->n_classes; i++) {
		slt_buf_adds(w->out, "        <memberClass>\n");
		line(w->out, 12, "code", w->s->classes[i].code);
		line(w->out, 12, "description", w->s->classes[i].description);
		slt_buf_adds(w->out, "        </memberClass>\n");
	}
	slt_buf_addf(w->out, "        <ocspFreshnessSeconds>%lld</ocspFreshnessSeconds>\n",
		     (long long)w->s->ocsp_freshness_s);
	slt_buf_adds(w->out, "    </globalSettings>\n");
	return true;
}

bool slt_globalconf_write_shared(const struct slt_gcw_shared *s, struct slt_buf *out,
				 struct slt_err *err)
{
	struct writer w = {.s = s, .out = out, .err = err};

	if (s->version < SLT_GC_VERSION_MIN || s->version > SLT_GC_VERSION_MAX) {
		return slt_fail(err, SLT_EINVAL, "shared parameters have versions %d to %d, not %d",
				SLT_GC_VERSION_MIN, SLT_GC_VERSION_MAX, s->version);
	}
	if (!slt_globalconf_instance_ok(s->instance)) {
		return lacks(err, "an instance identifier");
	}
	w.arena = slt_arena_new();
	slt_buf_adds(out, DECLARATION CONF);
	line(out, 4, "instanceIdentifier", s->instance);
	bool ok = write_sources(&w) && write_authorities(&w) && write_members(&w) &&
		  write_servers(&w) && write_groups(&w) && write_settings(&w);
	HASH_CLEAR(hh, w.refs);
	slt_arena_free(w.arena);
	slt_buf_adds(out, "</xroad:conf>\n");
	return ok && slt_buf_check(out, "shared parameters", err);
}

/* --- the other parts ---------------------------------------------------------------------- */

static bool write_management(const struct slt_gcw_private *p, struct slt_buf *out,
			     struct slt_err *err)
{
	slt_buf_adds(out, "    <managementService>\n");
	line_if(out, 8, "authCertRegServiceAddress", p->registration_address);
	if (p->registration_cert) {
		cert_line(out, 8, "authCertRegServiceCert", p->registration_cert);
	}
	if (!write_client_id(out, 8, "managementRequestServiceProviderId", &p->management_service,
			     err)) {
		return false;
	}
	slt_buf_adds(out, "    </managementService>\n");
	return true;
}

bool slt_globalconf_write_private(const struct slt_gcw_private *p, struct slt_buf *out,
				  struct slt_err *err)
{
	if (!slt_globalconf_instance_ok(p->instance) || p->timestamping_interval_s < 1) {
		return lacks(err, "an instance identifier or the interval of time-stamping");
	}
	slt_buf_adds(out, DECLARATION CONF);
	line(out, 4, "instanceIdentifier", p->instance);
	for (size_t i = 0; i < p->n_anchor; i++) {
		slt_buf_adds(out, "    <configurationAnchor>\n");
		if (!slt_anchor_add_xml(p->anchor[i], 8, out, err)) {
			return false;
		}
		slt_buf_adds(out, "    </configurationAnchor>\n");
	}
	if (!write_management(p, out, err)) {
		return false;
	}
	slt_buf_addf(out,
		     "    <timeStampingIntervalSeconds>%lld</timeStampingIntervalSeconds>\n"
		     "</xroad:conf>\n",
		     (long long)p->timestamping_interval_s);
	return slt_buf_check(out, "private parameters", err);
}

bool slt_globalconf_write_nextupdate(bool verify_next_update, struct slt_buf *out,
				     struct slt_err *err)
{
	slt_buf_adds(out, DECLARATION CONF);
	line(out, 4, "verifyNextUpdate", verify_next_update ? "true" : "false");
	slt_buf_adds(out, "</xroad:conf>\n");
	return slt_buf_check(out, "nextupdate parameters", err);
}

static void json_field(struct slt_buf *out, const char *name, const char *value, bool last)
{
	slt_buf_add_json(out, name);
	slt_buf_addc(out, ':');
	if (value) {
		slt_buf_add_json(out, value);
	} else {
		slt_buf_adds(out, "null");
	}
	slt_buf_addc(out, last ? '}' : ',');
}

bool slt_globalconf_write_metadata(const struct slt_directory *d,
				   const struct slt_directory_part *part, struct slt_buf *out,
				   struct slt_err *err)
{
	char at[SLT_TIME_LEN], version[16];

	snprintf(version, sizeof(version), "%d", d->version);
	slt_buf_addc(out, '{');
	json_field(out, "contentIdentifier", part->content_id, false);
	json_field(out, "instanceIdentifier", part->instance, false);
	json_field(out, "contentFileName", part->file_name, false);
	json_field(out, "contentLocation", part->location, false);
	json_field(out, "expirationDate", slt_time_format(d->expires_ms, false, at), false);
	json_field(out, "configurationVersion", d->version ? version : NULL, true);
	return slt_buf_check(out, "metadata of a configuration part", err);
}
