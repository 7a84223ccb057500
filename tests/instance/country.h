/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What differs between the national instances: who is who, which certificate profile, and the
 * words of the prescription service. One row a country; the rest of the program has no
 * country of its own.
 */

#include "federation/ident.h"

struct slt_country_member {
	const char *role; /* "centre", "pharmacy", "bridge": names of keys and of instance.json */
	const char *member_class, *code, *name;
	const char *subsystem;
	const char *other_subsystem; /* registered too, but in no group; may be NULL */
	const char *server;	     /* code of the security server that it owns */
};

enum slt_refusal { /* why the prescription centre says no */
		   SLT_NO_RX,
		   SLT_NOT_OPEN,
		   SLT_NO_EXPORT,
		   SLT_NO_SALE,
		   SLT_BAD_REQUEST,
		   SLT_BAD_DOCUMENT,
		   SLT_OTHER_PERSON,
		   SLT_OTHER_RX,
		   SLT_OTHER_FORM,
		   SLT_BAD_QUANTITY,
		   SLT_REFUSALS
};

struct slt_country_refusal {
	const char *code, *text; /* fault code and its sentence */
};

/* Names of the prescription service of one country (services.md). */
struct slt_country_words {
	const char *ns, *prefix;
	const char *op_list, *op_fetch, *op_dispense, *op_cancel;
	const char *person, *person_root, *person_code; /* element, its attributes */
	const char *person_oid;				/* root of national personal codes */
	const char *rx_id, *sale_id, *id_root, *id_ext;
	const char *form, *form_inline, *form_attached;
	const char *document, *document_ref;
	const char *reason;
	const char *item, *status, *issued, *valid_until, *product;
	const char *atc, *atc_code, *atc_name;
	const char *dose_form, *dose_code, *dose_name, *dose_oid;
	const char *strength, *quantity;
	const char *status_code; /* attribute of the status that holds it; NULL: its text does */
	const char *open, *dispensed, *reserved, *annulled;
	const char *sale_root;	     /* of identifiers the centre gives to dispensations */
	bool sale_extension;	     /* number as extension rather than as the last arc */
	const char *no_export_list;  /* code system of prescriptions that stay in the country, */
	const char *no_export_codes; /* its codes, with a blank around each */
	struct slt_country_refusal refusal[SLT_REFUSALS];
};

enum { SLT_CENTRE, SLT_PHARMACY, SLT_BRIDGE, SLT_MEMBERS };

struct slt_country {
	const char *code;
	const char *profile; /* certificateProfileInfo */
	struct slt_country_member member[SLT_MEMBERS];
	bool keeps_connections;	  /* its security servers' package: after an answer, for the next */
	const char *pharmacies;	  /* global group of those who may call the bridge */
	const char *cross_border; /* global group of those who may call the centre from abroad */
	struct slt_country_words words;
};

/* NULL when the country is not known. */
const struct slt_country *slt_country_find(const char *code);
/* Identifiers in an instance; strings borrowed from the table and from `instance`. */
struct slt_id slt_country_member_id(const struct slt_country_member *m, const char *instance);
struct slt_id slt_country_client_id(const struct slt_country_member *m, const char *instance);
struct slt_id slt_country_server_id(const struct slt_country_member *m, const char *instance);
