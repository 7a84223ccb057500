/* SPDX-License-Identifier: MIT */
#include "tests/instance/ocspd.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "base/clock.h"

#define REQUESTS_MAX 16

static const struct {
	const char *authority, *responder;
} responders[] = {
	{"issuing-ca", "ocsp"},
	{"root-ca", "ocsp-root"},
	{"rogue-ca", "rogue-ca"},
	{"forged-ca", "forged-ca"},
};

/* Does the CertID name this authority as the issuer, under the hash that the asker chose? */
static bool names_issuer(OCSP_CERTID *id, X509 *issuer)
{
	ASN1_OBJECT *md_oid = NULL;
	ASN1_INTEGER *serial = NULL;
	(void)OCSP_id_get0_info(NULL, &md_oid, NULL, &serial, id);
	const EVP_MD *md = EVP_get_digestbyobj(md_oid);
	if (md == NULL) {
		return false;
	}
	OCSP_CERTID *ours = OCSP_cert_id_new(md, X509_get_subject_name(issuer),
					     X509_get0_pubkey_bitstr(issuer), serial);
	bool same = ours != NULL && OCSP_id_issuer_cmp(ours, id) == 0;
	OCSP_CERTID_free(ours);
	return same;
}

static const struct slt_pki_entry *find_cert(const struct slt_pki *pki, OCSP_CERTID *id,
					     const X509 *issuer)
{
	ASN1_INTEGER *serial = NULL;
	(void)OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
	for (size_t i = 0; i < slt_pki_count(pki); i++) {
		const struct slt_pki_entry *e = slt_pki_at(pki, i);
		if (e->issuer == issuer &&
		    ASN1_INTEGER_cmp(X509_get0_serialNumber(e->cert), serial) == 0) {
			return e;
		}
	}
	return NULL;
}

static bool add_status(struct slt_ocspd *o, OCSP_BASICRESP *basic, OCSP_CERTID *id,
		       const X509 *issuer, int64_t this_s)
{
	const struct slt_pki_entry *e = find_cert(o->pki, id, issuer);
	int64_t revoked_ms = -1;
	enum slt_pki_status s =
		e == NULL ? SLT_PKI_UNKNOWN : slt_pki_status(o->pki, e, &revoked_ms);
	int status = s == SLT_PKI_GOOD	    ? V_OCSP_CERTSTATUS_GOOD
		     : s == SLT_PKI_REVOKED ? V_OCSP_CERTSTATUS_REVOKED
					    : V_OCSP_CERTSTATUS_UNKNOWN;
	ASN1_TIME *this_update = ASN1_TIME_set(NULL, (time_t)this_s);
	ASN1_TIME *next_update = ASN1_TIME_set(NULL, (time_t)(this_s + o->validity_s));
	ASN1_TIME *revoked =
		ASN1_TIME_set(NULL, (time_t)(revoked_ms < 0 ? this_s - 3600 : revoked_ms / 1000));
	bool ok = this_update != NULL && next_update != NULL && revoked != NULL &&
		  OCSP_basic_add1_status(basic, id, status,
					 status == V_OCSP_CERTSTATUS_REVOKED
						 ? OCSP_REVOKED_STATUS_KEYCOMPROMISE
						 : OCSP_REVOKED_STATUS_NOSTATUS,
					 revoked, this_update, next_update) != NULL;
	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next_update);
	ASN1_TIME_free(revoked);
	return ok;
}

/* All certificates of one request are answered by the responder of the first one's issuer; those
 * of another issuer are unknown to it. */
static OCSP_BASICRESP *answer(struct slt_ocspd *o, OCSP_REQUEST *req, int64_t this_s)
{
	int n = OCSP_request_onereq_count(req);
	if (n < 1 || n > REQUESTS_MAX) {
		return NULL;
	}
	OCSP_CERTID *first = OCSP_onereq_get0_id(OCSP_request_onereq_get0(req, 0));
	const struct slt_pki_entry *authority = NULL, *responder = NULL;
	for (size_t i = 0; i < SLT_COUNT(responders) && authority == NULL; i++) {
		const struct slt_pki_entry *e = slt_pki_get(o->pki, responders[i].authority);
		if (names_issuer(first, e->cert)) {
			authority = e;
			responder = slt_pki_get(o->pki, responders[i].responder);
		}
	}
	if (authority == NULL) {
		return NULL;
	}
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	bool ok = basic != NULL;
	for (int i = 0; ok && i < n; i++) {
		OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(req, i));
		ok = add_status(o, basic, id,
				names_issuer(id, authority->cert) ? authority->cert : NULL, this_s);
	}
	ok = ok && OCSP_copy_nonce(basic, req) >= 0 &&
	     OCSP_basic_sign(basic, responder->cert, responder->key, EVP_sha256(), NULL, 0) == 1;
	if (!ok) {
		OCSP_BASICRESP_free(basic);
		basic = NULL;
	}
	return basic;
}

void slt_ocspd_answer(struct slt_ocspd *o, struct slt_str request, int64_t age_s,
		      struct slt_buf *out)
{
	const unsigned char *p = (const unsigned char *)request.p;
	OCSP_REQUEST *req =
		request.n > LONG_MAX ? NULL : d2i_OCSP_REQUEST(NULL, &p, (long)request.n);
	int64_t this_s = slt_now_ms() / 1000 - age_s - atomic_load(&o->age_s);
	OCSP_BASICRESP *basic = req == NULL ? NULL : answer(o, req, this_s);
	int status = basic != NULL ? OCSP_RESPONSE_STATUS_SUCCESSFUL
		     : req == NULL ? OCSP_RESPONSE_STATUS_MALFORMEDREQUEST
				   : OCSP_RESPONSE_STATUS_UNAUTHORIZED;
	OCSP_RESPONSE *resp = OCSP_response_create(status, basic);
	unsigned char *der = NULL;
	int n = resp == NULL ? -1 : i2d_OCSP_RESPONSE(resp, &der);
	if (n > 0) {
		slt_buf_add(out, der, (size_t)n);
	}
	OPENSSL_free(der);
	OCSP_RESPONSE_free(resp);
	OCSP_BASICRESP_free(basic);
	OCSP_REQUEST_free(req);
	ERR_clear_error();
}
