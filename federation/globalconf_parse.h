/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Inside the reader of shared-params.xml: its state, and what it does at each element.
 * globalconf_parse.c has the table of elements, the instance and its sources,
 * globalconf_parse_ca.c the authorities, globalconf_parse_member.c members, servers and groups.
 */

#include "federation/gccert.h"
#include "federation/gcsax.h"
#include "federation/globalconf_model.h"

#define GC_CLASSES_MAX 256 /* member classes remembered, to store each once */

struct gc_idref { /* an XML id and whom it names */
	struct gc_party *party;
	UT_hash_handle hh;
};

struct gc_parse {
	const struct gc_parse_options *o;
	struct slt_buf *warnings;
	struct slt_arena *scratch; /* freed when the document is read */
	struct slt_gc_instance *in;
	struct gc_idref *ids;
	const char *classes[GC_CLASSES_MAX];
	size_t n_classes;
	bool settings, stop;

	/* the element under way */
	struct {
		struct slt_gccert_list internal, external;
		const char *address;
	} source;
	struct {
		const char *name, *profile;
		bool authentication_only;
		size_t first; /* of its certificates in in->ca */
	} ca;
	struct {
		bool top;
		X509 *cert;
		struct slt_gc_ocsp *ocsp;
		size_t n_ocsp;
	} authority;
	struct slt_gc_ocsp responder;
	struct slt_gc_tsa tsa;
	bool tsa_broken;
	struct slt_id id; /* of the member, subsystem or group member */
	const char *name, *xml_id, *member_xml_id;
	struct gc_party *member;
	struct gc_server *server;
	struct gc_group *group;
};

bool gc_malformed(struct slt_err *err, const char *what); /* always false */
/* Text into the instance's arena. */
const char *gc_verbatim(struct gc_parse *p, struct slt_str text);
const char *gc_trimmed(struct gc_parse *p, struct slt_str text);
bool gc_take_part(struct gc_parse *p, struct slt_str text, const char *what, const char **ret,
		  struct slt_err *err);
bool gc_take_cert(struct slt_str text, const char *what, X509 **ret, struct slt_err *err);
void gc_warn(struct gc_parse *p, const char *what, const char *name, const struct slt_err *why);
bool gc_need_instance(struct gc_parse *p, struct slt_err *err);

/* begin: the element's own name and attributes; end: its text */
#define GC_BEGIN(f)                                                                                \
	bool f(void *arg, const char *name, const struct slt_gcsax_attrs *a, struct slt_err *err)
#define GC_END(f) bool f(void *arg, struct slt_str text, struct slt_err *err)

GC_BEGIN(gc_begin_ca);
GC_END(gc_end_ca_name);
GC_END(gc_end_ca_auth_only);
GC_END(gc_end_ca_profile);
GC_BEGIN(gc_begin_authority);
GC_END(gc_end_authority_cert);
GC_END(gc_end_ocsp_url);
GC_END(gc_end_ocsp_cert);
GC_END(gc_end_ocsp);
GC_END(gc_end_authority);
GC_END(gc_end_ca);
GC_BEGIN(gc_begin_tsa);
GC_END(gc_end_tsa_name);
GC_END(gc_end_tsa_url);
GC_END(gc_end_tsa_cert);
GC_END(gc_end_tsa);
GC_BEGIN(gc_begin_member);
GC_END(gc_end_member_class);
GC_END(gc_end_member_code);
GC_END(gc_end_name);
GC_END(gc_end_member);
GC_BEGIN(gc_begin_subsystem);
GC_END(gc_end_subsystem_code);
GC_END(gc_end_subsystem);
GC_BEGIN(gc_begin_server);
GC_END(gc_end_server_owner);
GC_END(gc_end_server_code);
GC_END(gc_end_server_address);
GC_END(gc_end_server_client);
GC_END(gc_end_server_cert_hash);
GC_BEGIN(gc_begin_maintenance);
GC_END(gc_end_maintenance_message);
GC_END(gc_end_server);
GC_BEGIN(gc_begin_group);
GC_END(gc_end_group_code);
GC_END(gc_end_group_description);
GC_BEGIN(gc_begin_group_member);
GC_END(gc_end_gm_instance);
GC_END(gc_end_gm_class);
GC_END(gc_end_gm_code);
GC_END(gc_end_gm_subsystem);
GC_END(gc_end_group_member);
GC_END(gc_end_group);
