/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Inside of xades_verify: one verification in the making, shared by its four parts. xades_policy
 * holds the rules that go beyond X-Road's, xades_core the digests and the signature value,
 * xades_verify the order of steps, certificates and OCSP, xades_known the way past those two.
 *
 * Core validation is our own and not xmlsec's. The set of forms is closed (same-document
 * references by Id with at most C14N, and named parts without transforms), large attachments are
 * known by their digest only, which xmlsec cannot be given, and the node that is digested is the
 * very node that is read afterwards.
 */

#include "federation/key.h"
#include "federation/xades_form.h"
#include "federation/xades_verify.h"

struct slt_xades_job {
	const struct slt_verify_input *in;
	struct slt_xades *x;
	struct slt_verdict verdict; /* in the making; owned until handed out */
	const struct slt_gc_ca *ca; /* of the signing certificate */
	struct slt_id member;	    /* it names; strings in x->arena */
	bool chained;		    /* a hash chain result is at hand and referenced */
	struct slt_digest key;	    /* what certificate and path are kept under in in->memory */
	bool keyed, known;	    /* known: they came from there */
};

/* A rule that X-Road does not have: fails under malformed_signature, or under lax notes a warning
 * and returns true. */
bool slt_xades_demand(struct slt_xades_job *j, struct slt_err *err, enum slt_code code,
		      const char *fmt, ...) SLT_PRINTF(4, 5);

/* Before anything else: the document and its references are of the expected form, and cover every
 * part. */
SLT_CHECK bool slt_xades_policy_form(struct slt_xades_job *j, struct slt_err *err);
/* After the core validation: SigningCertificate, the authority. */
SLT_CHECK bool slt_xades_policy_cert(struct slt_xades_job *j, struct slt_err *err);

/* SignatureValue with the key of the certificate, then every reference.
 * SLT_EINVALID_SIGNATURE_VALUE; SLT_EINTERNAL for a part that is not at hand. */
SLT_CHECK bool slt_xades_core(struct slt_xades_job *j, struct slt_err *err);
/* Legacy manifests that time-stamps were put on. SLT_EINVALID_REFERENCE. */
SLT_CHECK bool slt_xades_core_manifests(struct slt_xades_job *j, struct slt_err *err);
/* The element that a same-document reference names: under strict only inside the signature. */
xmlNode *slt_xades_resolve_id(const struct slt_xades_job *j, const char *id);
const struct slt_verify_part *slt_xades_part(const struct slt_verify_input *in, const char *uri);
/* C14N mode of an algorithm URI; false when unknown. Variants with comments only under lax. */
bool slt_xades_c14n_mode(const struct slt_xades_job *j, const xmlNode *method, enum slt_c14n *ret);
bool slt_xades_is_attachment(const char *uri); /* "/attachmentN" */

/* Asks in->memory for the signing certificate, its owner and its path; tells it what was found
 * good. */
bool slt_xades_recall(struct slt_xades_job *j);
void slt_xades_remember(const struct slt_xades_job *j);
/* X509Certificate of KeyInfo, CertRefs, OCSPValues; NULL when absent. */
const xmlNode *slt_xades_signer_cert(const struct slt_xades *x);
const xmlNode *slt_xades_cert_refs(const struct slt_xades *x);
const xmlNode *slt_xades_ocsp_values(const struct slt_xades *x);
