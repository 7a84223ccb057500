/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * X-Road identifiers (PR-MESS section 2.1, xroad-identifiers schema): member, subsystem, service,
 * security server, global group. Values are kept verbatim and compared case-sensitively, as
 * X-Road does. Strings are borrowed: they live in the arena or object that the identifier was
 * read from.
 */

#include "base/xml.h"

#define SLT_NS_ID	"http://x-road.eu/xsd/identifiers"
#define SLT_ID_PART_MAX 255 /* bytes of one part */

enum slt_id_type {
	SLT_ID_NONE,
	SLT_ID_MEMBER,
	SLT_ID_SUBSYSTEM,
	SLT_ID_SERVICE,
	SLT_ID_SERVER,
	SLT_ID_GLOBALGROUP,
	SLT_ID_LOCALGROUP,
};

struct slt_id {
	enum slt_id_type type;
	const char *instance;
	const char *member_class;
	const char *member_code;
	const char *subsystem; /* SUBSYSTEM; SERVICE: may be NULL */
	const char *service;   /* SERVICE */
	const char *version;   /* SERVICE: may be NULL */
	const char *server;    /* SERVER */
	const char *group;     /* GLOBALGROUP, LOCALGROUP */
};

/* "EE/GOV/70000001/sub/service/v1" by type: MEMBER 3 parts, SUBSYSTEM 4, SERVER 4, SERVICE 5 or 6
 * (or 4 with an empty subsystem written as "EE/GOV/1//service"), GLOBALGROUP 2. Parts may be
 * percent-encoded when `encoded`. SLT_EINVAL names the part that is wrong. */
SLT_CHECK bool slt_id_parse(enum slt_id_type type, const char *text, bool encoded,
			    struct slt_arena *a, struct slt_id *ret, struct slt_err *err);
/* MEMBER or SUBSYSTEM by the number of parts. */
SLT_CHECK bool slt_id_parse_client(const char *text, bool encoded, struct slt_arena *a,
				   struct slt_id *ret, struct slt_err *err);
/* The slash form; percent-encoded as X-Road's REST does when `encode`. */
void slt_id_format(const struct slt_id *id, bool encode, struct slt_buf *out);
const char *slt_id_text(const struct slt_id *id, struct slt_arena *a);

bool slt_id_eq(const struct slt_id *a, const struct slt_id *b);
bool slt_id_same_member(const struct slt_id *a, const struct slt_id *b);
/* The member, or the member or subsystem that provides a service; borrows the strings. */
struct slt_id slt_id_member(const struct slt_id *id);
struct slt_id slt_id_client(const struct slt_id *id);
struct slt_id slt_id_dup(const struct slt_id *id, struct slt_arena *a);

/* An element with id:objectType and id:… children, in X-Road's order. SLT_EINVALID_XML otherwise.
 */
SLT_CHECK bool slt_id_from_xml(const xmlNode *node, enum slt_id_type expected_or_none,
			       struct slt_arena *a, struct slt_id *ret, struct slt_err *err);
/* Appends the children of the identifier and sets id:objectType on node (whose document must
 * have the namespace in scope or gets it). */
void slt_id_to_xml(const struct slt_id *id, xmlNode *node);
