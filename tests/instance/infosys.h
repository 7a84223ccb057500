/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The prescription centre behind the instance's security server: message protocol SOAP 4.0 over
 * HTTP. One engine for both countries; the words are the country's (services.md). Prescriptions
 * come from the directory of documents, dispensations are kept in memory and as files.
 *
 * Refuses with a SOAP fault of the national kind: prescriptions that are not there or not this
 * person's, a second dispensation, what may not cross a border, dispensations whose identifiers
 * or dose form do not fit the prescription.
 */

#include "bridge/server.h"
#include "tests/instance/country.h"

struct slt_infosys;

struct slt_infosys_options { /* borrowed */
	const struct slt_country_words *words;
	const char *documents; /* directory; NULL: no prescriptions */
	const char *sales;     /* directory where dispensations are written as they came */
};

SLT_CHECK bool slt_infosys_new(const struct slt_infosys_options *o, struct slt_infosys **ret,
			       struct slt_err *err);
void slt_infosys_free(struct slt_infosys *s);
SLT_DEFINE_AUTO(struct slt_infosys *, slt_infosys_free)

/* Is this one of its services? */
bool slt_infosys_offers(const struct slt_infosys *s, const char *service, const char *version);
/* Answers a request on a worker (slt_httpd_fn). */
void slt_infosys_handle(void *arg, struct slt_request *r, struct slt_str body);
/* {"prescriptions":[…],"dispensations":[…]}: what there is and what has happened. */
void slt_infosys_report(struct slt_infosys *s, struct slt_buf *out);
/* Forgets all dispensations and gives every prescription the state it came with. */
SLT_CHECK bool slt_infosys_reset(struct slt_infosys *s, struct slt_err *err);
/* Sets a prescription's state by its identifier ("root" or "root^extension"); words of the
 * country. False: no such prescription or state. */
bool slt_infosys_set_status(struct slt_infosys *s, const char *id, const char *status);
/* From now on gives out another prescription's document for this one, until it is reset. False:
 * one of them is not there. */
bool slt_infosys_mix_up(struct slt_infosys *s, const char *id, const char *other);
