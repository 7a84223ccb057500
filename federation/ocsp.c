/* SPDX-License-Identifier: MIT */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "federation/trust.h"

#define SINGLES_MAX    64    /* answers in one response */
#define EMBEDDED_MAX   8     /* certificates in one response that are tried */
#define NAME_PARTS_MAX 32    /* attributes of a responder's name */
#define SKEW_MS	       60000 /* how far a responder's clock may be ahead */
#define REQUEST_MAX    4096

/* One response under judgement. */
struct ocsp {
	const struct slt_globalconf *gc;
	const X509 *cert;
	const struct slt_gc_ca *ca;
	int64_t at_ms;
	bool lax;
	OCSP_RESPONSE *resp;	 /* owned */
	OCSP_BASICRESP *basic;	 /* owned */
	OCSP_SINGLERESP *single; /* the one that is used; borrowed */
	struct slt_ocsp_info info;
};

static void ocsp_fini(struct ocsp *o)
{
	OCSP_BASICRESP_free(o->basic);
	OCSP_RESPONSE_free(o->resp);
}

static bool refuse(const struct ocsp *o, struct slt_err *err, const char *why)
{
	char text[SLT_CERT_TEXT];
	return slt_fail(err, SLT_EINCORRECT_VALIDATION_INFO, "OCSP response for certificate %s %s",
			slt_certinfo_text(o->cert, text), why);
}

/* --- reading --- */

/* OpenSSL reads forms that are not DER and verifies what it makes of them; bytes that could be
 * read in two ways are no evidence. */
static bool is_der(OCSP_BASICRESP *basic, struct slt_str der)
{
	unsigned char *again = NULL;
	OCSP_RESPONSE *resp = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	int n = resp == NULL ? -1 : i2d_OCSP_RESPONSE(resp, &again);
	bool same = n >= 0 && (size_t)n == der.n && memcmp(again, der.p, der.n) == 0;
	OPENSSL_free(again);
	OCSP_RESPONSE_free(resp);
	return same;
}

static bool ocsp_read(struct ocsp *o, struct slt_str der, struct slt_err *err)
{
	if (der.p == NULL || der.n == 0 || der.n > SLT_OCSP_BYTES_MAX) {
		return refuse(o, err, "is empty or longer than 64 KiB");
	}
	const unsigned char *p = (const unsigned char *)der.p;
	o->resp = d2i_OCSP_RESPONSE(NULL, &p, (long)der.n);
	if (o->resp == NULL) {
		char text[SLT_CERT_TEXT];
		return slt_fail_ssl(err, SLT_EINCORRECT_VALIDATION_INFO,
				    "OCSP response for certificate %s is not one in DER",
				    slt_certinfo_text(o->cert, text));
	}
	if (p != (const unsigned char *)der.p + der.n) {
		return refuse(o, err, "is followed by other bytes");
	}
	int status = OCSP_response_status(o->resp);
	if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
		return slt_fail(err, SLT_EINCORRECT_VALIDATION_INFO,
				"OCSP responder gave no answer, but the status \"%s\"",
				OCSP_response_status_str(status));
	}
	o->basic = OCSP_response_get1_basic(o->resp);
	if (o->basic == NULL) {
		return refuse(o, err, "is not a basic OCSP response");
	}
	if (!o->lax && !is_der(o->basic, der)) {
		return refuse(o, err, "is not in DER");
	}
	if (OCSP_resp_count(o->basic) < 1 || OCSP_resp_count(o->basic) > SINGLES_MAX) {
		return refuse(o, err, "has no answer or more than 64");
	}
	return true;
}

/* --- which answer --- */

static bool bytes_eq(const ASN1_OCTET_STRING *s, const unsigned char *p, unsigned n)
{
	return ASN1_STRING_length(s) == (int)n && memcmp(ASN1_STRING_get0_data(s), p, n) == 0;
}

static bool name_has_hash(const X509_NAME *name, const ASN1_OCTET_STRING *expected)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	return X509_NAME_digest(name, EVP_sha1(), hash, &n) == 1 && bytes_eq(expected, hash, n);
}

/* The parts are compared one by one: OpenSSL's own comparison finds a SHA-1 with NULL parameters
 * different from one without parameters, and both occur. The issuer's name may be encoded otherwise
 * in the certificate than in the issuer's own, and responders hash either. */
static bool single_names(OCSP_SINGLERESP *single, const X509 *cert, const X509 *issuer)
{
	ASN1_OBJECT *md = NULL;
	ASN1_OCTET_STRING *name_hash = NULL, *key_hash = NULL;
	ASN1_INTEGER *serial = NULL;
	/* the getter asks for an id that it does not change */
	OCSP_CERTID *id = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single);
	if (OCSP_id_get0_info(&name_hash, &md, &key_hash, &serial, id) != 1 ||
	    OBJ_obj2nid(md) != NID_sha1 ||
	    ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(cert)) != 0) {
		return false;
	}
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	return X509_pubkey_digest(issuer, EVP_sha1(), hash, &n) == 1 &&
	       bytes_eq(key_hash, hash, n) &&
	       (name_has_hash(X509_get_subject_name(issuer), name_hash) ||
		name_has_hash(X509_get_issuer_name(cert), name_hash));
}

/* X-Road looks at the first answer only; strict wants the certificate named once and no more, so
 * that nobody can read another answer out of the same response. */
static OCSP_SINGLERESP *find_single(OCSP_BASICRESP *basic, const X509 *cert, const X509 *issuer,
				    bool first_only, int *ret_n)
{
	OCSP_SINGLERESP *found = NULL;
	int n = first_only ? 1 : OCSP_resp_count(basic);
	*ret_n = 0;
	for (int i = 0; i < n && i < SINGLES_MAX; i++) {
		OCSP_SINGLERESP *s = OCSP_resp_get0(basic, i);
		if (s != NULL && single_names(s, cert, issuer)) {
			found = s;
			(*ret_n)++;
		}
	}
	return found;
}

static bool ocsp_select(struct ocsp *o, struct slt_err *err)
{
	int n = 0;
	o->single = find_single(o->basic, o->cert, o->ca->cert, o->lax, &n);
	if (o->single == NULL) {
		return refuse(o, err, "is about another certificate");
	}
	if (n != 1) {
		return refuse(o, err, "answers for it more than once");
	}
	if (!o->lax && (OCSP_BASICRESP_get_ext_by_critical(o->basic, 1, -1) >= 0 ||
			OCSP_SINGLERESP_get_ext_by_critical(o->single, 1, -1) >= 0)) {
		return refuse(o, err, "has a critical extension that is not known here");
	}
	return true;
}

/* --- names of responders --- */

struct name_part {
	const ASN1_OBJECT *type;
	unsigned char *value; /* UTF-8, lower case, blanks collapsed; owned */
	int rdn;
	bool used;
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Case and runs of blanks do not matter, nor do blanks at either end. */
static void canonical_value(unsigned char *p)
{
	unsigned char *to = p;
	for (const unsigned char *from = p; *from != '\0'; from++) {
		if (*from == ' ' && (to == p || to[-1] == ' ')) {
			continue;
		}
		*to++ = (unsigned char)lower((char)*from);
	}
	if (to > p && to[-1] == ' ') {
		to--;
	}
	*to = '\0';
}

static void name_parts_fini(struct name_part *parts, int n)
{
	for (int i = 0; i < n; i++) {
		OPENSSL_free(parts[i].value);
	}
}

/* The number of parts; -1 when there are too many or one cannot be read. */
static int name_parts(const X509_NAME *name, struct name_part parts[NAME_PARTS_MAX])
{
	int n = X509_NAME_entry_count(name);
	if (n > NAME_PARTS_MAX) {
		return -1;
	}
	for (int i = 0; i < n; i++) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
		unsigned char *value = NULL;
		int len = ASN1_STRING_to_UTF8(&value, X509_NAME_ENTRY_get_data(e));
		if (len < 0 || memchr(value, '\0', (size_t)len) != NULL) {
			OPENSSL_free(value);
			name_parts_fini(parts, i);
			return -1;
		}
		canonical_value(value);
		parts[i] = (struct name_part){X509_NAME_ENTRY_get_object(e), value,
					      X509_NAME_ENTRY_set(e), false};
	}
	return n;
}

static int rdn_size(const struct name_part *p, int n)
{
	int i = 1;
	while (i < n && p[i].rdn == p[0].rdn) {
		i++;
	}
	return i;
}

static bool rdn_eq(const struct name_part *a, const struct name_part *b, int n)
{
	for (int i = 0; i < n; i++) {
		if (OBJ_cmp(a[i].type, b[i].type) != 0 ||
		    strcmp((const char *)a[i].value, (const char *)b[i].value) != 0) {
			return false;
		}
	}
	return true;
}

/* Takes an RDN of b that equals this one and was not taken yet. */
static bool take_rdn(const struct name_part *rdn, int size, struct name_part *b, int n)
{
	for (int i = 0; i < n; i += rdn_size(b + i, n - i)) {
		if (!b[i].used && rdn_size(b + i, n - i) == size && rdn_eq(rdn, b + i, size)) {
			b[i].used = true;
			return true;
		}
	}
	return false;
}

/* BouncyCastle's X500Name equality, by which X-Road finds responders: the order of the RDNs does
 * not matter (there are responders that write their name in reverse). */
static bool names_equal(const X509_NAME *a, const X509_NAME *b)
{
	struct name_part pa[NAME_PARTS_MAX], pb[NAME_PARTS_MAX];
	if (X509_NAME_entry_count(a) != X509_NAME_entry_count(b)) {
		return false;
	}
	int n = name_parts(a, pa);
	if (n < 0) {
		return false;
	}
	bool equal = name_parts(b, pb) == n;
	if (equal) {
		for (int i = 0; i < n && equal; i += rdn_size(pa + i, n - i)) {
			equal = take_rdn(pa + i, rdn_size(pa + i, n - i), pb, n);
		}
		name_parts_fini(pb, n);
	}
	name_parts_fini(pa, n);
	return equal;
}

/* --- who signed --- */

enum finding { NOT_NAMED, WRONG_SIGNATURE, WEAK_KEY, NOT_AUTHORISED, RESPONDER_EXPIRED, ACCEPTED };

static bool is_named(const struct ocsp *o, const X509 *candidate)
{
	const ASN1_OCTET_STRING *key_hash = NULL;
	const X509_NAME *name = NULL;
	if (OCSP_resp_get0_id(o->basic, &key_hash, &name) != 1) {
		return false;
	}
	if (name != NULL) {
		return names_equal(name, X509_get_subject_name(candidate));
	}
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	return X509_pubkey_digest(candidate, EVP_sha1(), hash, &n) == 1 &&
	       bytes_eq(key_hash, hash, n);
}

static bool signature_is_by(const struct ocsp *o, const X509 *candidate)
{
	EVP_PKEY *key = X509_get0_pubkey(candidate);
	return key != NULL &&
	       ASN1_item_verify(ASN1_ITEM_rptr(OCSP_RESPDATA), OCSP_resp_get0_tbs_sigalg(o->basic),
				OCSP_resp_get0_signature(o->basic),
				OCSP_resp_get0_respdata(o->basic), key) == 1;
}

static bool is_listed(const struct ocsp *o, const X509 *responder)
{
	const struct slt_gc_ca *ca = NULL;
	for (size_t i = 0; (ca = slt_globalconf_ca_at(o->gc, i)) != NULL; i++) {
		if (X509_cmp(ca->cert, o->ca->cert) != 0) {
			continue;
		}
		for (size_t j = 0; j < ca->n_ocsp; j++) {
			if (ca->ocsp[j].cert != NULL &&
			    X509_cmp(ca->ocsp[j].cert, responder) == 0) {
				return true;
			}
		}
	}
	for (size_t j = 0; j < o->ca->n_ocsp; j++) { /* an authority given in place of a listed */
		if (o->ca->ocsp[j].cert != NULL && X509_cmp(o->ca->ocsp[j].cert, responder) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_ocsp_signing(const X509 *cert)
{
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool yes = false;
	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
		yes |= OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, i)) == NID_OCSP_sign;
	}
	EXTENDED_KEY_USAGE_free(eku);
	return yes;
}

static bool is_delegated(const struct ocsp *o, X509 *responder)
{
	const X509_ALGOR *alg = NULL;
	X509_get0_signature(NULL, &alg, responder);
	EVP_PKEY *key = X509_get0_pubkey(o->ca->cert);
	return has_ocsp_signing(responder) &&
	       X509_NAME_cmp(X509_get_issuer_name(responder), X509_get_subject_name(o->ca->cert)) ==
		       0 &&
	       slt_certinfo_sigalg_allowed(alg, o->lax) && key != NULL &&
	       X509_verify(responder, key) == 1;
}

static bool was_valid(const X509 *cert, int64_t at_ms)
{
	int64_t from = 0, to = 0;
	return slt_certinfo_time(X509_get0_notBefore(cert), &from) &&
	       slt_certinfo_time(X509_get0_notAfter(cert), &to) && from <= at_ms && at_ms <= to;
}

static enum finding judge_responder(const struct ocsp *o, X509 *candidate)
{
	const char *why = NULL;
	if (!is_named(o, candidate)) {
		return NOT_NAMED;
	}
	if (!slt_certinfo_key_allowed(X509_get0_pubkey(candidate), o->lax, &why)) {
		return WEAK_KEY;
	}
	if (!signature_is_by(o, candidate)) {
		return WRONG_SIGNATURE;
	}
	if (X509_cmp(candidate, o->ca->cert) == 0 || is_listed(o, candidate)) {
		return ACCEPTED;
	}
	if (!is_delegated(o, candidate)) {
		return NOT_AUTHORISED;
	}
	return o->lax || was_valid(candidate, o->info.this_update) ? ACCEPTED : RESPONDER_EXPIRED;
}

static void consider(const struct ocsp *o, X509 *candidate, enum finding *best)
{
	if (candidate != NULL && *best != ACCEPTED) {
		enum finding f = judge_responder(o, candidate);
		*best = f > *best ? f : *best;
	}
}

/* X-Road takes the first certificate that the response names, in this order. All that are named
 * are tried here: a key that was replaced under the same name must not hide its successor. */
static enum finding find_responder(const struct ocsp *o)
{
	enum finding best = NOT_NAMED;
	const struct slt_gc_ca *ca = NULL;
	for (size_t i = 0; (ca = slt_globalconf_ca_at(o->gc, i)) != NULL; i++) {
		for (size_t j = 0; j < ca->n_ocsp; j++) {
			consider(o, ca->ocsp[j].cert, &best);
		}
	}
	for (size_t j = 0; j < o->ca->n_ocsp; j++) {
		consider(o, o->ca->ocsp[j].cert, &best);
	}
	for (size_t i = 0; (ca = slt_globalconf_ca_at(o->gc, i)) != NULL; i++) {
		consider(o, ca->cert, &best);
	}
	consider(o, o->ca->cert, &best);
	const STACK_OF(X509) *embedded = OCSP_resp_get0_certs(o->basic);
	for (int i = 0; i < sk_X509_num(embedded) && i < EMBEDDED_MAX; i++) {
		consider(o, sk_X509_value(embedded, i), &best);
	}
	return best;
}

static bool ocsp_check_responder(struct ocsp *o, struct slt_err *err)
{
	static const char *const reasons[] = {
		[NOT_NAMED] = "is signed by a responder whose certificate is neither in the global "
			      "configuration nor in the response",
		[WEAK_KEY] = "is signed with a key that is not allowed",
		[WRONG_SIGNATURE] = "has a wrong signature",
		[NOT_AUTHORISED] = "is signed by a responder that may not answer for this "
				   "authority: it is not listed for it in the global "
				   "configuration, nor issued by it for OCSP signing",
		[RESPONDER_EXPIRED] = "is signed by a responder whose certificate was not valid "
				      "at thisUpdate",
	};
	if (!slt_certinfo_sigalg_allowed(OCSP_resp_get0_tbs_sigalg(o->basic), o->lax)) {
		return refuse(o, err, "is signed with an algorithm that is not allowed");
	}
	enum finding f = find_responder(o);
	return f == ACCEPTED ? true : refuse(o, err, reasons[f]);
}

/* --- times --- */

static bool ocsp_read_times(struct ocsp *o, struct slt_err *err)
{
	ASN1_GENERALIZEDTIME *this_update = NULL, *next = NULL;
	OCSP_single_get0_status(o->single, NULL, NULL, &this_update, &next);
	if (!slt_certinfo_time(OCSP_resp_get0_produced_at(o->basic), &o->info.produced_at)) {
		return refuse(o, err, "has a malformed producedAt");
	}
	if (!slt_certinfo_time(this_update, &o->info.this_update)) {
		return refuse(o, err, "has a malformed thisUpdate");
	}
	if (next == NULL) {
		return true;
	}
	if (!slt_certinfo_time(next, &o->info.next_update) || o->info.next_update <= 0) {
		return refuse(o, err, "has a malformed nextUpdate");
	}
	return o->info.next_update >= o->info.this_update || o->lax
		       ? true
		       : refuse(o, err, "has a nextUpdate before its thisUpdate");
}

static bool ocsp_check_times(const struct ocsp *o, struct slt_err *err)
{
	char cert[SLT_CERT_TEXT], span[SLT_SPAN_TEXT], limit[SLT_SPAN_TEXT], when[SLT_TIME_LEN];
	int64_t freshness = slt_globalconf_ocsp_freshness(o->gc);
	int64_t freshness_ms = freshness > INT64_MAX / 1000 ? INT64_MAX : freshness * 1000;
	int64_t age = o->at_ms - o->info.this_update;
	slt_certinfo_text(o->cert, cert);
	slt_time_format(o->info.this_update, false, when);
	slt_span_text(age, span);
	if (!o->lax && age < -SKEW_MS) {
		return slt_fail(err, SLT_EINCORRECT_VALIDATION_INFO,
				"OCSP response for certificate %s is from the future: its "
				"thisUpdate %s is %s ahead; probably the clock of the OCSP "
				"responder or of this server is wrong, compare both with NTP",
				cert, when, span);
	}
	if (age > freshness_ms) {
		return slt_fail(err, SLT_EINCORRECT_VALIDATION_INFO,
				"OCSP response for certificate %s is too old: its thisUpdate %s is "
				"%s (%" PRId64 " s) ago, the global configuration allows %s "
				"(%" PRId64 " s)",
				cert, when, span, age / 1000, slt_span_text(freshness_ms, limit),
				freshness);
	}
	if (o->info.next_update != 0 && o->info.next_update < o->at_ms &&
	    slt_globalconf_verify_next_update(o->gc)) {
		slt_time_format(o->info.next_update, false, when);
		return slt_fail(err, SLT_EINCORRECT_VALIDATION_INFO,
				"OCSP response for certificate %s has run out: a newer one was due "
				"at %s, %s ago (nextUpdate)",
				cert, when, slt_span_text(o->at_ms - o->info.next_update, span));
	}
	return true;
}

/* --- status --- */

static bool ocsp_check_status(const struct ocsp *o, struct slt_err *err)
{
	char cert[SLT_CERT_TEXT], when[SLT_TIME_LEN];
	ASN1_GENERALIZEDTIME *revoked = NULL;
	int reason = -1;
	int64_t at = 0;
	bool known = false;
	slt_certinfo_text(o->cert, cert);
	switch (OCSP_single_get0_status(o->single, &reason, &revoked, NULL, NULL)) {
	case V_OCSP_CERTSTATUS_GOOD:
		return true;
	case V_OCSP_CERTSTATUS_REVOKED:
		known = slt_certinfo_time(revoked, &at);
		return slt_fail(err, SLT_ECERT_VALIDATION,
				"certificate %s was revoked at %s (reason: %s)", cert,
				known ? slt_time_format(at, false, when) : "an unreadable time",
				reason >= 0 ? OCSP_crl_reason_str(reason) : "not given");
	default:
		return slt_fail(err, SLT_ECERT_VALIDATION,
				"certificate %s is unknown to the OCSP responder of its authority",
				cert);
	}
}

bool slt_ocsp_verify(const struct slt_globalconf *gc, struct slt_str der, const X509 *cert,
		     const struct slt_gc_ca *ca, int64_t at_ms, bool lax, struct slt_ocsp_info *ret,
		     struct slt_err *err)
{
	struct ocsp o = {.gc = gc, .cert = cert, .ca = ca, .at_ms = at_ms, .lax = lax};
	ERR_set_mark(); /* what OpenSSL says of candidates that do not fit is no error */
	bool ok = ocsp_read(&o, der, err) && ocsp_select(&o, err) && ocsp_read_times(&o, err) &&
		  ocsp_check_responder(&o, err) && ocsp_check_times(&o, err) &&
		  ocsp_check_status(&o, err);
	if (ok && ret != NULL) {
		*ret = o.info;
	}
	ERR_pop_to_mark();
	ocsp_fini(&o);
	return ok;
}

int64_t slt_ocsp_valid_until(const struct slt_globalconf *gc, const struct slt_ocsp_info *info)
{
	int64_t freshness = slt_globalconf_ocsp_freshness(gc);
	if (freshness > (INT64_MAX - info->this_update) / 1000) {
		freshness = (INT64_MAX - info->this_update) / 1000;
	}
	int64_t until = info->this_update + freshness * 1000;
	if (info->next_update != 0 && info->next_update < until &&
	    slt_globalconf_verify_next_update(gc)) {
		until = info->next_update;
	}
	return until;
}

bool slt_ocsp_matches(struct slt_str der, const X509 *cert, const X509 *issuer)
{
	struct ocsp o = {.cert = cert, .lax = true};
	struct slt_err ignored = SLT_ERR_INIT;
	int n = 0;
	bool yes = ocsp_read(&o, der, &ignored) &&
		   find_single(o.basic, cert, issuer, false, &n) != NULL;
	ocsp_fini(&o);
	return yes;
}

bool slt_ocsp_request(const X509 *cert, const X509 *issuer, struct slt_buf *out,
		      struct slt_err *err)
{
	OCSP_REQUEST *req = OCSP_REQUEST_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), cert, issuer);
	unsigned char *der = NULL;
	int n = -1;
	if (req != NULL && id != NULL && OCSP_request_add0_id(req, id) != NULL) {
		id = NULL; /* the request owns it */
		n = i2d_OCSP_REQUEST(req, &der);
	}
	if (n > 0 && n <= REQUEST_MAX) {
		slt_buf_add(out, der, (size_t)n);
	}
	OPENSSL_free(der);
	OCSP_CERTID_free(id);
	OCSP_REQUEST_free(req);
	return n > 0 && n <= REQUEST_MAX
		       ? slt_buf_check(out, "OCSP request", err)
		       : slt_fail_ssl(err, SLT_EINVALID_CERTIFICATE,
				      "no OCSP request can be made for the certificate");
}
