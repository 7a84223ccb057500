/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_parse.h"

#include <stdlib.h>
#include <string.h>

#include "federation/globalconf_dir.h"

#define SOURCES_MAX	64
#define FRESHNESS_MAX_S 315360000 /* ten years */

bool gc_malformed(struct slt_err *err, const char *what)
{
	return slt_fail(err, SLT_EMALFORMED_GLOBALCONF, "%s", what);
}

const char *gc_verbatim(struct gc_parse *p, struct slt_str text)
{
	return slt_arena_strndup(p->in->arena, text.p, text.n);
}

const char *gc_trimmed(struct gc_parse *p, struct slt_str text)
{
	return gc_verbatim(p, slt_str_trim(text));
}

/* One part of an identifier. */
bool gc_take_part(struct gc_parse *p, struct slt_str text, const char *what, const char **ret,
		  struct slt_err *err)
{
	if (text.n == 0 || text.n > SLT_ID_PART_MAX) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF, "%s must have 1 to %d bytes", what,
				SLT_ID_PART_MAX);
	}
	*ret = gc_verbatim(p, text);
	return true;
}

bool gc_take_cert(struct slt_str text, const char *what, X509 **ret, struct slt_err *err)
{
	X509 *cert = NULL;

	if (!slt_gccert_parse(text, &cert, err)) {
		err->code = SLT_EMALFORMED_GLOBALCONF;
		return slt_wrap(err, "%s", what);
	}
	X509_free(*ret);
	*ret = cert;
	return true;
}

void gc_warn(struct gc_parse *p, const char *what, const char *name, const struct slt_err *why)
{
	if (p->warnings) {
		slt_buf_addf(p->warnings, "instance %s: %s of %s is left out: %s\n", p->in->name,
			     what, name ? name : "?", why->msg);
	}
}

bool gc_need_instance(struct gc_parse *p, struct slt_err *err)
{
	return p->in->name || gc_malformed(err, "instanceIdentifier must come first");
}

/* --- instance and sources ----------------------------------------------------------------- */

static bool end_instance(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	if (p->in->name) {
		return gc_malformed(err, "instanceIdentifier stands twice");
	}
	p->in->name = gc_trimmed(p, text);
	return slt_globalconf_instance_ok(p->in->name) ||
	       gc_malformed(err, "instanceIdentifier is not an instance's name");
}

static bool begin_source(void *arg, const char *name, const struct slt_gcsax_attrs *a,
			 struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)name, (void)a;
	p->source.address = NULL;
	if (p->in->n_source == SOURCES_MAX) {
		return gc_malformed(err, "there are too many sources");
	}
	return gc_need_instance(p, err);
}

static bool end_source_address(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)err;
	p->source.address = gc_trimmed(p, text);
	return true;
}

static bool add_source_cert(struct slt_gccert_list *l, struct slt_str text, struct slt_err *err)
{
	X509 *cert = NULL;

	if (l->n == SLT_ANCHOR_CERTS_MAX) {
		return gc_malformed(err, "a source has too many verification certificates");
	}
	if (!gc_take_cert(text, "verification certificate of a source", &cert, err)) {
		return false;
	}
	slt_gccert_list_add(l, cert);
	return true;
}

static bool end_source_internal(void *arg, struct slt_str text, struct slt_err *err)
{
	return add_source_cert(&((struct gc_parse *)arg)->source.internal, text, err);
}

static bool end_source_external(void *arg, struct slt_str text, struct slt_err *err)
{
	return add_source_cert(&((struct gc_parse *)arg)->source.external, text, err);
}

static bool end_source(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct slt_gc_instance *in = p->in;

	(void)text;
	if (!p->source.address || !*p->source.address) {
		return gc_malformed(err, "a source has no address");
	}
	in->source = slt_realloc(in->source, in->n_source + 1, sizeof(*in->source));
	in->source[in->n_source++] = (struct slt_gc_source){
		.address = p->source.address,
		.internal = p->source.internal.v,
		.n_internal = p->source.internal.n,
		.external = p->source.external.v,
		.n_external = p->source.external.n,
	};
	memset(&p->source, 0, sizeof(p->source));
	return true;
}

/* --- settings ----------------------------------------------------------------------------- */

static bool begin_settings(void *arg, const char *name, const struct slt_gcsax_attrs *a,
			   struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)name, (void)a;
	if (p->settings) {
		return gc_malformed(err, "globalSettings stands twice");
	}
	p->settings = true;
	return gc_need_instance(p, err);
}

static bool end_freshness(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct slt_str t = slt_str_trim(text);
	int64_t v = 0;

	for (size_t i = 0; i < t.n && v <= FRESHNESS_MAX_S; i++) {
		if (t.p[i] < '0' || t.p[i] > '9') {
			return gc_malformed(err, "ocspFreshnessSeconds is not a number");
		}
		v = v * 10 + (t.p[i] - '0');
	}
	if (v < 1 || v > FRESHNESS_MAX_S) {
		return gc_malformed(err, "ocspFreshnessSeconds is out of range");
	}
	p->in->ocsp_freshness_s = v;
	return true;
}

/* --- the document ------------------------------------------------------------------------- */

enum kind {
	K_CONF = 1,
	K_SOURCE,
	K_CA,
	K_AUTHORITY,
	K_OCSP,
	K_TSA,
	K_MEMBER,
	K_MEMBER_CLASS,
	K_SUBSYSTEM,
	K_SERVER,
	K_MAINTENANCE,
	K_GROUP,
	K_GROUP_MEMBER,
	K_SETTINGS,
};

#define TEXT SLT_GCSAX_TEXT
#define SKIP SLT_GCSAX_SKIP

/* clang-format off */
static const struct slt_gcsax_rule rules[] = {
	{SLT_GCSAX_ROOT, SLT_NS_XROAD, "conf",               K_CONF,      NULL, NULL},

	{K_CONF,         NULL, "member",                     K_MEMBER,    gc_begin_member, gc_end_member},
	{K_CONF,         NULL, "securityServer",             K_SERVER,    gc_begin_server, gc_end_server},
	{K_CONF,         NULL, "instanceIdentifier",         TEXT,        NULL, end_instance},
	{K_CONF,         NULL, "source",                     K_SOURCE,    begin_source, end_source},
	{K_CONF,         NULL, "approvedCA",                 K_CA,        gc_begin_ca, gc_end_ca},
	{K_CONF,         NULL, "approvedTSA",                K_TSA,       gc_begin_tsa, gc_end_tsa},
	{K_CONF,         NULL, "globalGroup",                K_GROUP,     gc_begin_group, gc_end_group},
	{K_CONF,         NULL, "centralService",             SKIP,        NULL, NULL},
	{K_CONF,         NULL, "globalSettings",             K_SETTINGS,  begin_settings, NULL},

	{K_SOURCE,       NULL, "address",                    TEXT,        NULL, end_source_address},
	{K_SOURCE,       NULL, "internalVerificationCert",   TEXT,        NULL, end_source_internal},
	{K_SOURCE,       NULL, "externalVerificationCert",   TEXT,        NULL, end_source_external},

	{K_CA,           NULL, "name",                       TEXT,        NULL, gc_end_ca_name},
	{K_CA,           NULL, "authenticationOnly",         TEXT,        NULL, gc_end_ca_auth_only},
	{K_CA,           NULL, "topCA",                      K_AUTHORITY, gc_begin_authority, gc_end_authority},
	{K_CA,           NULL, "intermediateCA",             K_AUTHORITY, gc_begin_authority, gc_end_authority},
	{K_CA,           NULL, "certificateProfileInfo",     TEXT,        NULL, gc_end_ca_profile},
	{K_CA,           NULL, "defaultCsrFormat",           SKIP,        NULL, NULL},
	{K_CA,           NULL, "acmeServer",                 SKIP,        NULL, NULL},

	{K_AUTHORITY,    NULL, "cert",                       TEXT,        NULL, gc_end_authority_cert},
	{K_AUTHORITY,    NULL, "ocsp",                       K_OCSP,      NULL, gc_end_ocsp},

	{K_OCSP,         NULL, "url",                        TEXT,        NULL, gc_end_ocsp_url},
	{K_OCSP,         NULL, "cert",                       TEXT,        NULL, gc_end_ocsp_cert},
	{K_OCSP,         NULL, "costType",                   SKIP,        NULL, NULL},

	{K_TSA,          NULL, "name",                       TEXT,        NULL, gc_end_tsa_name},
	{K_TSA,          NULL, "url",                        TEXT,        NULL, gc_end_tsa_url},
	{K_TSA,          NULL, "cert",                       TEXT,        NULL, gc_end_tsa_cert},
	{K_TSA,          NULL, "costType",                   SKIP,        NULL, NULL},

	{K_MEMBER,       NULL, "memberClass",                K_MEMBER_CLASS, NULL, NULL},
	{K_MEMBER,       NULL, "memberCode",                 TEXT,        NULL, gc_end_member_code},
	{K_MEMBER,       NULL, "name",                       TEXT,        NULL, gc_end_name},
	{K_MEMBER,       NULL, "subsystem",                  K_SUBSYSTEM, gc_begin_subsystem, gc_end_subsystem},

	{K_MEMBER_CLASS, NULL, "code",                       TEXT,        NULL, gc_end_member_class},
	{K_MEMBER_CLASS, NULL, "description",                SKIP,        NULL, NULL},

	{K_SUBSYSTEM,    NULL, "subsystemCode",              TEXT,        NULL, gc_end_subsystem_code},
	{K_SUBSYSTEM,    NULL, "subsystemName",              TEXT,        NULL, gc_end_name},

	{K_SERVER,       NULL, "client",                     TEXT,        NULL, gc_end_server_client},
	{K_SERVER,       NULL, "owner",                      TEXT,        NULL, gc_end_server_owner},
	{K_SERVER,       NULL, "serverCode",                 TEXT,        NULL, gc_end_server_code},
	{K_SERVER,       NULL, "address",                    TEXT,        NULL, gc_end_server_address},
	{K_SERVER,       NULL, "authCertHash",               TEXT,        NULL, gc_end_server_cert_hash},
	{K_SERVER,       NULL, "inMaintenanceMode",          K_MAINTENANCE, gc_begin_maintenance, NULL},

	{K_MAINTENANCE,  NULL, "message",                    TEXT,        NULL, gc_end_maintenance_message},

	{K_GROUP,        NULL, "groupMember",                K_GROUP_MEMBER, gc_begin_group_member, gc_end_group_member},
	{K_GROUP,        NULL, "groupCode",                  TEXT,        NULL, gc_end_group_code},
	{K_GROUP,        NULL, "description",                TEXT,        NULL, gc_end_group_description},

	{K_GROUP_MEMBER, SLT_NS_ID, "xRoadInstance",         TEXT,        NULL, gc_end_gm_instance},
	{K_GROUP_MEMBER, SLT_NS_ID, "memberClass",           TEXT,        NULL, gc_end_gm_class},
	{K_GROUP_MEMBER, SLT_NS_ID, "memberCode",            TEXT,        NULL, gc_end_gm_code},
	{K_GROUP_MEMBER, SLT_NS_ID, "subsystemCode",         TEXT,        NULL, gc_end_gm_subsystem},

	{K_SETTINGS,     NULL, "memberClass",                SKIP,        NULL, NULL},
	{K_SETTINGS,     NULL, "ocspFreshnessSeconds",       TEXT,        NULL, end_freshness},
};
/* clang-format on */

/* From version 3 on, anything may follow the settings. */
static bool may_skip(void *arg, int parent)
{
	return parent == K_CONF && ((struct gc_parse *)arg)->settings;
}

static void fini(struct gc_parse *p)
{
	slt_gccert_list_fini(&p->source.internal);
	slt_gccert_list_fini(&p->source.external);
	X509_free(p->authority.cert);
	for (size_t i = 0; i < p->authority.n_ocsp; i++) {
		X509_free(p->authority.ocsp[i].cert);
	}
	free(p->authority.ocsp);
	X509_free(p->responder.cert);
	X509_free(p->tsa.cert);
	HASH_CLEAR(hh, p->ids);
	slt_arena_free(p->scratch);
}

static bool read_document(struct gc_parse *p, const void *bytes, size_t n, struct slt_err *err)
{
	const struct slt_gcsax sax = {.rule = rules,
				      .n_rule = SLT_COUNT(rules),
				      .skip = may_skip,
				      .stop = &p->stop,
				      .arg = p};

	if (!slt_gcsax_parse(&sax, bytes, n, "shared parameters", err)) {
		err->code = SLT_EMALFORMED_GLOBALCONF;
		return false;
	}
	if (!gc_need_instance(p, err)) {
		return false;
	}
	return p->o->sources_only || p->in->ocsp_freshness_s ||
	       gc_malformed(err, "shared parameters have no ocspFreshnessSeconds");
}

bool slt_gc_instance_parse(const void *bytes, size_t n, const struct gc_parse_options *o,
			   struct slt_buf *warnings, struct slt_gc_instance **ret,
			   struct slt_err *err)
{
	SLT_AUTO(slt_gc_instance_free) struct slt_gc_instance *in = slt_calloc(1, sizeof(*in));
	struct gc_parse p = {.o = o, .warnings = warnings, .in = in};

	if (n > SLT_SHARED_PARAMS_MAX) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"shared parameters are longer than %u bytes",
				SLT_SHARED_PARAMS_MAX);
	}
	in->arena = slt_arena_new();
	in->version = SLT_GC_VERSION_MIN;
	in->verify_next_update = true; /* until a part NEXTUPDATE says otherwise */
	p.scratch = slt_arena_new();
	bool ok = read_document(&p, bytes, n, err);
	fini(&p);
	if (!ok) {
		return false;
	}
	*ret = SLT_TAKE(in);
	return true;
}

/* --- nextupdate-params.xml ---------------------------------------------------------------- */

enum { K_NEXTUPDATE = 1 };

static bool end_verify_next_update(void *arg, struct slt_str text, struct slt_err *err)
{
	struct slt_str t = slt_str_trim(text);
	int *verify = arg;

	*verify = slt_str_eq(t, "true") || slt_str_eq(t, "1");
	return *verify || slt_str_eq(t, "false") || slt_str_eq(t, "0") ||
	       gc_malformed(err, "verifyNextUpdate must be true or false");
}

bool slt_gc_nextupdate_parse(const void *p, size_t n, bool *ret, struct slt_err *err)
{
	static const struct slt_gcsax_rule table[] = {
		{SLT_GCSAX_ROOT, SLT_NS_XROAD, "conf", K_NEXTUPDATE, NULL, NULL},
		{K_NEXTUPDATE, NULL, "verifyNextUpdate", TEXT, NULL, end_verify_next_update},
	};
	int verify = -1;
	const struct slt_gcsax sax = {.rule = table, .n_rule = SLT_COUNT(table), .arg = &verify};

	if (n > SLT_ANCHOR_MAX || !slt_gcsax_parse(&sax, p, n, "nextupdate parameters", err)) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"nextupdate parameters are malformed");
	}
	if (verify < 0) {
		return gc_malformed(err, "nextupdate parameters have no verifyNextUpdate");
	}
	*ret = verify == 1;
	return true;
}
