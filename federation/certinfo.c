/* SPDX-License-Identifier: MIT */
#include <openssl/evp.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdio.h>

#include "federation/trust.h"

#define NAME_TEXT_MAX 16384

/* --- what a certificate may be used for --- */

static bool has_key_usage(const ASN1_BIT_STRING *ku, int bit)
{
	return ASN1_BIT_STRING_get_bit(ku, bit) == 1;
}

bool slt_certinfo_is_signing(const X509 *cert, bool *ret_no_ku)
{
	int found = 0;
	ASN1_BIT_STRING *ku = X509_get_ext_d2i(cert, NID_key_usage, &found, NULL);
	if (ret_no_ku != NULL) {
		*ret_no_ku = ku == NULL && found == -1;
	}
	bool yes = ku != NULL && has_key_usage(ku, 1);
	ASN1_BIT_STRING_free(ku);
	return yes;
}

static bool has_client_auth(const X509 *cert)
{
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool yes = false;
	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
		yes |= OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, i)) == NID_client_auth;
	}
	EXTENDED_KEY_USAGE_free(eku);
	return yes;
}

bool slt_certinfo_is_auth(const X509 *cert)
{
	if (has_client_auth(cert)) {
		return true;
	}
	ASN1_BIT_STRING *ku = X509_get_ext_d2i(cert, NID_key_usage, NULL, NULL);
	bool yes = ku != NULL &&
		   (has_key_usage(ku, 0) || has_key_usage(ku, 2) || has_key_usage(ku, 3));
	ASN1_BIT_STRING_free(ku);
	return yes;
}

/* --- algorithms --- */

static bool rsa_allowed(EVP_PKEY *key, bool lax, const char **ret_why)
{
	int bits = EVP_PKEY_get_bits(key);
	if (bits < (lax ? 1024 : 2048)) {
		*ret_why = lax ? "its RSA key is shorter than 1024 bits"
			       : "its RSA key is shorter than 2048 bits";
		return false;
	}
	if (bits > 8192) { /* a peer would have us compute for seconds */
		*ret_why = "its RSA key is longer than 8192 bits";
		return false;
	}
	return true;
}

static bool ec_allowed(EVP_PKEY *key, const char **ret_why)
{
	char group[64];
	int explicit_params = 0;
	*ret_why = "its key is on a curve other than P-256, P-384 and P-521";
	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1) {
		return false;
	}
	if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				   &explicit_params) == 1 &&
	    explicit_params != 0) {
		return false;
	}
	int nid = OBJ_sn2nid(group);
	return nid == NID_X9_62_prime256v1 || nid == NID_secp384r1 || nid == NID_secp521r1;
}

bool slt_certinfo_key_allowed(EVP_PKEY *key, bool lax, const char **ret_why)
{
	if (key == NULL) {
		*ret_why = "its public key cannot be read";
		return false;
	}
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		return rsa_allowed(key, lax, ret_why);
	case EVP_PKEY_EC:
		return ec_allowed(key, ret_why);
	default:
		*ret_why = "its key is neither RSA nor EC";
		return false;
	}
}

static bool md_allowed(int nid, bool lax)
{
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512 || nid == NID_sha224 ||
	       (lax && nid == NID_sha1);
}

static bool pss_allowed(const X509_ALGOR *alg, bool lax)
{
	int type = 0;
	const void *value = NULL;
	X509_ALGOR_get0(NULL, &type, &value, alg);
	if (type != V_ASN1_SEQUENCE) {
		return false;
	}
	const ASN1_STRING *der = value;
	const unsigned char *p = ASN1_STRING_get0_data(der);
	RSA_PSS_PARAMS *pss = d2i_RSA_PSS_PARAMS(NULL, &p, ASN1_STRING_length(der));
	/* an absent hash algorithm means SHA-1 */
	bool ok = pss != NULL && md_allowed(pss->hashAlgorithm == NULL
						    ? NID_sha1
						    : OBJ_obj2nid(pss->hashAlgorithm->algorithm),
					    lax);
	RSA_PSS_PARAMS_free(pss);
	return ok;
}

bool slt_certinfo_sigalg_allowed(const X509_ALGOR *alg, bool lax)
{
	const ASN1_OBJECT *oid = NULL;
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	int nid = OBJ_obj2nid(oid);
	if (nid == NID_rsassaPss) {
		return pss_allowed(alg, lax);
	}
	int md = 0, key = 0;
	if (OBJ_find_sigid_algs(nid, &md, &key) != 1) {
		return false;
	}
	return (key == NID_rsaEncryption || key == NID_X9_62_id_ecPublicKey) && md_allowed(md, lax);
}

/* --- texts, digests, times --- */

void slt_certinfo_name(const X509_NAME *name, struct slt_buf *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	slt_assert(b != NULL);
	char *p = NULL;
	if (X509_NAME_print_ex(b, name, 0,
			       XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		long n = BIO_get_mem_data(b, &p);
		if (n > 0 && n <= NAME_TEXT_MAX) {
			slt_buf_add(out, p, (size_t)n);
		}
	}
	BIO_free(b);
}

void slt_certinfo_digest(const X509 *cert, enum slt_digest_alg alg, struct slt_digest *ret)
{
	struct slt_digest d = {.alg = alg};
	slt_assert(X509_digest(cert, slt_digest_md(alg), d.v, &d.n) == 1);
	*ret = d;
}

static void serial_text(const X509 *cert, char *ret, size_t n)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	const unsigned char *p = ASN1_STRING_get0_data(serial);
	int len = ASN1_STRING_length(serial);
	size_t at = 0;
	if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER && n > 1) {
		ret[at++] = '-';
	}
	for (int i = 0; i < len && at + 3 <= n; i++) {
		snprintf(ret + at, n - at, "%02x", (unsigned)p[i]);
		at += 2;
	}
	ret[at] = '\0';
}

const char *slt_certinfo_text(const X509 *cert, char ret[SLT_CERT_TEXT])
{
	SLT_AUTO_BUF(name, NAME_TEXT_MAX);
	slt_certinfo_name(X509_get_subject_name(cert), &name);
	char serial[48] = "";
	serial_text(cert, serial, sizeof(serial));
	size_t room = SLT_CERT_TEXT - sizeof(serial) - sizeof("\"...\" (serial )");
	size_t n = name.n < room ? name.n : room;
	while (n < name.n && n > 0 && ((unsigned char)name.p[n] & 0xc0) == 0x80) {
		n--; /* not inside a character */
	}
	snprintf(ret, SLT_CERT_TEXT, "\"%.*s%s\" (serial %s)", (int)n, n > 0 ? name.p : "",
		 n < name.n ? "..." : "", serial);
	return ret;
}

const char *slt_span_text(int64_t ms, char ret[SLT_SPAN_TEXT])
{
	static const struct {
		uint64_t s;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};

	uint64_t s = (ms < 0 ? (uint64_t) - (ms + 1) + 1 : (uint64_t)ms) / 1000;
	size_t i = 0;
	while (i + 1 < SLT_COUNT(units) && s < units[i].s) {
		i++;
	}
	uint64_t big = s / units[i].s;
	int at = snprintf(ret, SLT_SPAN_TEXT, "%llu %s%s", (unsigned long long)big, units[i].name,
			  big == 1 ? "" : "s");
	uint64_t small = i + 1 < SLT_COUNT(units) ? s % units[i].s / units[i + 1].s : 0;
	if (small > 0) {
		snprintf(ret + at, SLT_SPAN_TEXT - (size_t)at, " %llu %s%s",
			 (unsigned long long)small, units[i + 1].name, small == 1 ? "" : "s");
	}
	return ret;
}

static bool two_digits(const unsigned char *p, int max, int *ret)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9') {
		return false;
	}
	*ret = (p[0] - '0') * 10 + p[1] - '0';
	return *ret <= max;
}

/* Days from 1970-01-01 to the first of March of a year, proleptic Gregorian; years count from
 * March so that the leap day comes last. */
static int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 + in_year - 719468;
}

static bool civil_to_ms(int year, const int f[5], int64_t *ret_ms)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int month = f[0], day = f[1];
	if (month < 1 || day < 1) {
		return false;
	}
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day > lengths[month - 1] + (month == 2 && leap ? 1 : 0)) {
		return false;
	}
	*ret_ms =
		(days_from_civil(year, month, day) * 86400 + f[2] * 3600 + f[3] * 60 + f[4]) * 1000;
	return true;
}

bool slt_certinfo_time(const ASN1_TIME *t, int64_t *ret_ms)
{
	static const int max[] = {12, 31, 23, 59, 59};
	if (t == NULL) {
		return false;
	}
	const unsigned char *p = ASN1_STRING_get0_data(t);
	int type = ASN1_STRING_type(t), n = ASN1_STRING_length(t), century = 0, year = 0;
	if (p == NULL ||
	    (type == V_ASN1_GENERALIZEDTIME ? n != 15 : type != V_ASN1_UTCTIME || n != 13)) {
		return false;
	}
	if (type == V_ASN1_GENERALIZEDTIME) {
		if (!two_digits(p, 99, &century)) {
			return false;
		}
		p += 2;
	}
	if (!two_digits(p, 99, &year)) {
		return false;
	}
	if (type == V_ASN1_UTCTIME) {
		century = year >= 50 ? 19 : 20;
	}
	int f[5];
	for (size_t i = 0; i < SLT_COUNT(f); i++) {
		if (!two_digits(p + 2 + 2 * i, max[i], &f[i])) {
			return false;
		}
	}
	return p[12] == 'Z' && civil_to_ms(century * 100 + year, f, ret_ms);
}
