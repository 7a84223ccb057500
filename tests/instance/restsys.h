/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The REST services behind the instance's security server, in its own process:
 *
 * echo      tells what arrived: method, path, query, headers, size and SHA-256 of the body.
 *           /body gives the body back as it came, /status/NNN answers with that status.
 * register  a small register of medicines: GET /medicines, GET /medicines/ID, POST /medicines,
 *           DELETE /medicines/ID. Nothing is kept: what is posted is answered, not remembered.
 * yritykset (Finland), ettevotjad (Estonia)
 *           the business register: POST of a company's code, in the country's own words.
 * laakemaaraykset-fhir, laaketoimitus-fhir (Finland), valisretseptid-fhir, valisretseptiMyyk-fhir
 *           prescriptions and dispensations as FHIR Bundles (fhirsys.h).
 */

#include "tests/instance/fhirsys.h"

/* The i-th service of a country ("FI"); NULL when there are no more. */
const char *slt_restsys_service(const char *country, size_t i);
bool slt_restsys_offers(const char *country, const char *service);
/* *ret_head has status and the service's headers; *ret has the body, if any, and no head yet. */
SLT_CHECK bool slt_restsys_call(struct slt_fhirsys *fhir, const struct slt_rest *request,
				const struct slt_message *message, struct slt_rest **ret_head,
				struct slt_message **ret, struct slt_err *err);
