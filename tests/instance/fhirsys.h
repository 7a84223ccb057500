/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The prescription centre's second form: FHIR R4 Bundles in JSON over REST. Prescriptions are the
 * Bundles of the directory's fhir/ that are for persons of the country; dispensations are kept in
 * memory. Reads and compares with its own code, in the country's own systems, so that what the
 * bridge did not translate is not found or not taken.
 *
 * Errors are an OperationOutcome: 400 a call or a body of another form, 404 no such prescription of
 * this person, 409 already dispensed, 422 a dispensation that does not fit its prescription. Asked
 * for XML alone it answers with XML.
 */

#include <jansson.h>

#include "federation/rest.h"

struct slt_fhirsys;

struct slt_fhir_answer {
	int status;
	const char *reason;
	const char *type; /* of the text */
	char *text;	  /* malloc'ed */
};

/* `documents` NULL: no prescriptions; country: "FI". */
SLT_CHECK bool slt_fhirsys_new(const char *country, const char *documents, struct slt_fhirsys **ret,
			       struct slt_err *err);
void slt_fhirsys_free(struct slt_fhirsys *s);
/* GET /Bundle?…: the person's prescription. */
void slt_fhirsys_fetch(struct slt_fhirsys *s, const struct slt_rest *request,
		       struct slt_fhir_answer *ret);
/* POST of a Bundle with a dispensation (NULL: no JSON object): kept, and answered as it is kept. */
void slt_fhirsys_dispense(struct slt_fhirsys *s, const struct slt_rest *request,
			  const json_t *bundle, struct slt_fhir_answer *ret);
/* Prescriptions and dispensations as they were at the start. */
void slt_fhirsys_reset(struct slt_fhirsys *s);
/* From now on gives out another prescription's Bundle for this one, until it is reset; both as
 * "system|value". False: one of them is not there. */
bool slt_fhirsys_mix_up(struct slt_fhirsys *s, const char *id, const char *other);
/* The dispensations that were taken, as they came; to be freed with json_decref(). */
json_t *slt_fhirsys_report(struct slt_fhirsys *s);
