/* SPDX-License-Identifier: MIT */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/pki.h"

#define KEYS_MAX	  16
#define SUBJECT_PARTS_MAX 16

/* Ends the program with OpenSSL's reason: tests cannot go on without their material. */
static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "test PKI: %s failed\n", what);
		ERR_print_errors_fp(stderr);
		abort();
	}
}

/* --- keys --- */

static EVP_PKEY *new_key(enum pki_key kind)
{
	switch (kind) {
	case PKI_RSA2048:
		return EVP_RSA_gen(2048);
	case PKI_RSA3072:
		return EVP_RSA_gen(3072);
	case PKI_RSA1024:
		return EVP_RSA_gen(1024);
	case PKI_P256:
		return EVP_EC_gen("P-256");
	case PKI_P384:
		return EVP_EC_gen("P-384");
	}
	return NULL;
}

EVP_PKEY *pki_key(enum pki_key kind, unsigned i)
{
	static EVP_PKEY *keys[PKI_P384 + 1][KEYS_MAX];
	must(i < KEYS_MAX && kind <= PKI_P384, "choosing a key");
	if (keys[kind][i] == NULL) {
		keys[kind][i] = new_key(kind);
		must(keys[kind][i] != NULL, "making a key");
	}
	return keys[kind][i];
}

EVP_PKEY *pki_fixed_key(void)
{
	/* ECPrivateKey without its public half, which OpenSSL computes: version 1, the number, and
	 * the curve */
	static const unsigned char head[] = {0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20};
	static const unsigned char tail[] = {0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86,
					     0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	static EVP_PKEY *key;
	unsigned char der[sizeof(head) + 32 + sizeof(tail)];
	const unsigned char *p = der;
	if (key == NULL) {
		memcpy(der, head, sizeof(head));
		memset(der + sizeof(head), 0x5a, 32);
		memcpy(der + sizeof(head) + 32, tail, sizeof(tail));
		key = d2i_PrivateKey(EVP_PKEY_EC, NULL, &p, sizeof(der));
		must(key != NULL, "making the fixed key");
	}
	return key;
}

/* --- certificates --- */

static ASN1_TIME *time_of(int64_t ms)
{
	ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)(ms / 1000));
	must(t != NULL, "making a time");
	return t;
}

static void set_times(X509 *x, const struct pki_spec *spec)
{
	ASN1_TIME *from = time_of(spec->not_before != 0 ? spec->not_before : PKI_NOT_BEFORE);
	ASN1_TIME *to = time_of(spec->not_after != 0 ? spec->not_after : PKI_NOT_AFTER);
	must(X509_set1_notBefore(x, from) && X509_set1_notAfter(x, to), "setting the validity");
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
}

static X509_NAME *name_of(const char *text)
{
	SLT_AUTO_STR char *copy = slt_strdup(text);
	X509_NAME *name = X509_NAME_new();
	must(name != NULL, "making a name");
	char *rest = copy;
	for (char *part = strsep(&rest, ";"); part != NULL; part = strsep(&rest, ";")) {
		int joins = part[0] == '+' ? -1 : 0;
		char *field = part[0] == '+' ? part + 1 : part;
		char *value = strchr(field, '=');
		must(value != NULL, "reading a subject");
		*value++ = '\0';
		must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
						(const unsigned char *)value, -1, -1, joins) == 1,
		     field);
	}
	return name;
}

static void add_extension(X509 *x, X509 *issuer, const char *line)
{
	SLT_AUTO_STR char *name = slt_strdup(line);
	char *value = strchr(name, '=');
	must(value != NULL, "reading an extension");
	*value++ = '\0';
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	X509_EXTENSION *e = X509V3_EXT_nconf(NULL, &ctx, name, value);
	must(e != NULL && X509_add_ext(x, e, -1) == 1, line);
	X509_EXTENSION_free(e);
}

static void flip_signature(const ASN1_BIT_STRING *sig)
{
	/* the content belongs to an object of ours; only the getter is const */
	unsigned char *p = (unsigned char *)(uintptr_t)ASN1_STRING_get0_data(sig);
	p[ASN1_STRING_length(sig) - 1] ^= 1;
}

/* Signs; the certificate is read back from its DER, so that nothing cached of an earlier state
 * stays. */
static X509 *sign_cert(X509 *x, EVP_PKEY *key, const struct pki_spec *spec)
{
	const EVP_MD *md = EVP_get_digestbyname(spec->digest != NULL ? spec->digest : "SHA256");
	must(md != NULL && X509_sign(x, key, md) > 0, "signing a certificate");
	if (spec->bad_signature) {
		const ASN1_BIT_STRING *sig = NULL;
		X509_get0_signature(&sig, NULL, x);
		flip_signature(sig);
	}
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	must(n > 0, "encoding a certificate");
	const unsigned char *p = der;
	X509 *back = d2i_X509(NULL, &p, n);
	must(back != NULL, "reading a certificate back");
	OPENSSL_free(der);
	X509_free(x);
	return back;
}

struct pki_cert *pki_issue(const struct pki_cert *issuer, const struct pki_spec *spec)
{
	static long next_serial = 0x1000;
	struct pki_cert *c = slt_calloc(1, sizeof(*c));
	c->key = spec->use_key != NULL ? spec->use_key : pki_key(spec->kind, spec->key_index);
	X509 *x = X509_new();
	must(x != NULL && X509_set_version(x, X509_VERSION_3) == 1, "making a certificate");
	must(ASN1_INTEGER_set(X509_get_serialNumber(x),
			      spec->serial != 0 ? spec->serial : next_serial++) == 1,
	     "setting the serial number");
	X509_NAME *subject = name_of(spec->subject);
	X509_NAME *issuer_name =
		spec->issuer != NULL
			? name_of(spec->issuer)
			: X509_NAME_dup(issuer != NULL ? X509_get_subject_name(issuer->x509)
						       : subject);
	must(X509_set_subject_name(x, subject) && X509_set_issuer_name(x, issuer_name) &&
		     X509_set_pubkey(x, c->key),
	     "filling a certificate");
	X509_NAME_free(subject);
	X509_NAME_free(issuer_name);
	set_times(x, spec);
	for (size_t i = 0; i < SLT_COUNT(spec->ext) && spec->ext[i] != NULL; i++) {
		add_extension(x, issuer != NULL ? issuer->x509 : x, spec->ext[i]);
	}
	c->x509 = sign_cert(x, issuer != NULL ? issuer->key : c->key, spec);
	return c;
}

void pki_cert_free(struct pki_cert *c)
{
	if (c != NULL) {
		X509_free(c->x509);
		free(c);
	}
}

struct pki_cert *pki_ca(const struct pki_cert *issuer, const char *subject, enum pki_key kind,
			unsigned key_index)
{
	struct pki_spec s = {.subject = subject, .kind = kind, .key_index = key_index};
	s.ext[0] = "basicConstraints=critical,CA:TRUE";
	s.ext[1] = "keyUsage=critical,keyCertSign,cRLSign";
	s.ext[2] = "subjectKeyIdentifier=hash";
	return pki_issue(issuer, &s);
}

struct pki_cert *pki_sign_cert(const struct pki_cert *ca, const char *subject, enum pki_key kind,
			       unsigned key_index)
{
	struct pki_spec s = {.subject = subject, .kind = kind, .key_index = key_index};
	s.ext[0] = "basicConstraints=critical,CA:FALSE";
	s.ext[1] = "keyUsage=critical,nonRepudiation";
	return pki_issue(ca, &s);
}

struct pki_cert *pki_auth_cert(const struct pki_cert *ca, const char *subject, enum pki_key kind,
			       unsigned key_index)
{
	struct pki_spec s = {.subject = subject, .kind = kind, .key_index = key_index};
	s.ext[0] = "basicConstraints=critical,CA:FALSE";
	s.ext[1] = "keyUsage=critical,digitalSignature,keyEncipherment,dataEncipherment";
	s.ext[2] = "extendedKeyUsage=clientAuth,serverAuth";
	return pki_issue(ca, &s);
}

struct pki_cert *pki_ocsp_responder(const struct pki_cert *ca, const char *subject,
				    enum pki_key kind, unsigned key_index)
{
	struct pki_spec s = {.subject = subject, .kind = kind, .key_index = key_index};
	s.ext[0] = "keyUsage=critical,digitalSignature";
	s.ext[1] = "extendedKeyUsage=OCSPSigning";
	return pki_issue(ca, &s);
}

struct pki_cert *pki_tsa_cert(const struct pki_cert *ca, const char *subject, enum pki_key kind,
			      unsigned key_index)
{
	struct pki_spec s = {.subject = subject, .kind = kind, .key_index = key_index};
	s.ext[0] = "keyUsage=critical,digitalSignature";
	s.ext[1] = "extendedKeyUsage=critical,timeStamping";
	return pki_issue(ca, &s);
}

static char *klass3_subject(const char *member_class, const char *code)
{
	static const char *const prefixes[][2] = {
		{"COM", "NTREE-"}, {"GOV", "GO:EE-"}, {"NGO", "NP:EE-"}, {"NEE", ""}};

	for (size_t i = 0; i < SLT_COUNT(prefixes); i++) {
		if (strcmp(prefixes[i][0], member_class) == 0) {
			return slt_asprintf("C=EE;O=Test %s;CN=Test %s;2.5.4.97=%s%s", code, code,
					    prefixes[i][1], code);
		}
	}
	must(false, "choosing a prefix of an organizationIdentifier");
	return NULL;
}

char *pki_subject(enum slt_profile profile, const char *member)
{
	SLT_AUTO_STR char *copy = slt_strdup(member);
	char *rest = copy;
	const char *inst = strsep(&rest, "/");
	const char *member_class = strsep(&rest, "/");
	const char *code = rest;
	must(member_class != NULL && code != NULL, "reading a member");
	switch (profile) {
	case SLT_PROFILE_SKKLASS3:
		return klass3_subject(member_class, code);
	case SLT_PROFILE_EJBCA:
		return slt_asprintf("C=%s;O=%s;CN=%s", inst, member_class, code);
	case SLT_PROFILE_FIVRK:
		return slt_asprintf("C=FI;O=Test %s;serialNumber=%s/SS1/%s;CN=%s", code, inst,
				    member_class, code);
	case SLT_PROFILE_BASIC:
		return slt_asprintf("O=Test %s;businessCategory=%s;serialNumber=%s", code,
				    member_class, code);
	case SLT_PROFILE_TEST:
		return slt_asprintf("O=Test;CN=%s", code);
	case SLT_PROFILE_UNKNOWN:
	case SLT_PROFILE_SKESTEID:
	case SLT_PROFILE_FO:
	case SLT_PROFILE_IS:
		break;
	}
	must(false, "choosing a subject for a profile");
	return NULL;
}

static FILE *open_private(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0, path);
	FILE *f = fdopen(fd, "w");
	must(f != NULL, path);
	return f;
}

void pki_write_pem(const struct pki_cert *c, const char *cert_path, const char *key_path)
{
	if (cert_path != NULL) {
		FILE *f = fopen(cert_path, "we");
		must(f != NULL && PEM_write_X509(f, c->x509) == 1 && fclose(f) == 0, cert_path);
	}
	if (key_path != NULL) {
		FILE *f = open_private(key_path);
		must(PEM_write_PKCS8PrivateKey(f, c->key, NULL, NULL, 0, NULL, NULL) == 1 &&
			     fclose(f) == 0,
		     key_path);
	}
}

/* --- OCSP --- */

static ASN1_TIME *general_time(int64_t ms)
{
	ASN1_TIME *t = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(ms / 1000));
	must(t != NULL, "making a time");
	return t;
}

/* OpenSSL refuses to build a malformed time; it is put in place afterwards. */
static void set_raw_time(ASN1_GENERALIZEDTIME *t, const char *raw)
{
	if (raw != NULL) {
		must(t != NULL && ASN1_STRING_set(t, raw, -1) == 1, "setting a raw time");
	}
}

static void add_single(OCSP_BASICRESP *basic, const struct pki_single *s)
{
	static const int statuses[] = {
		[PKI_GOOD] = V_OCSP_CERTSTATUS_GOOD,
		[PKI_REVOKED] = V_OCSP_CERTSTATUS_REVOKED,
		[PKI_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN,
	};
	const EVP_MD *md = EVP_get_digestbyname(s->digest != NULL ? s->digest : "SHA1");
	OCSP_CERTID *id = OCSP_cert_to_id(md, s->cert->x509, s->issuer->x509);
	ASN1_TIME *this_update = general_time(s->this_update);
	ASN1_TIME *next = s->next_update != 0 ? general_time(s->next_update) : NULL;
	ASN1_TIME *revoked = general_time(s->revoked_at != 0 ? s->revoked_at : PKI_NOT_BEFORE);
	bool is_revoked = s->status == PKI_REVOKED;
	OCSP_SINGLERESP *single = OCSP_basic_add1_status(
		basic, id, statuses[s->status], is_revoked ? OCSP_REVOKED_STATUS_KEYCOMPROMISE : 0,
		is_revoked ? revoked : NULL, this_update, next);
	must(single != NULL, "adding an OCSP answer");
	ASN1_GENERALIZEDTIME *t = NULL, *n = NULL;
	OCSP_single_get0_status(single, NULL, NULL, &t, &n);
	set_raw_time(t, s->raw_this_update);
	set_raw_time(n, s->raw_next_update);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next);
	ASN1_TIME_free(revoked);
}

/* OCSP_basic_sign() would set producedAt to the clock's time and add certificates of its own, so
 * the response data are signed here. */
static void sign_basic(OCSP_BASICRESP *basic, const struct pki_ocsp *o,
		       const struct pki_cert *responder)
{
	const EVP_MD *md = EVP_get_digestbyname(o->digest != NULL ? o->digest : "SHA256");
	X509 *named = o->responder_name != NULL ? o->responder_name : responder->x509;
	must(md != NULL, "choosing a digest");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	must(ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, responder->key) == 1,
	     "signing an OCSP response");
	/* OpenSSL takes the name to write from a certificate of the signing key: one is made up
	 * that bears the name wanted */
	X509 *alias = X509_new();
	must(alias != NULL && X509_set_subject_name(alias, X509_get_subject_name(named)) == 1 &&
		     X509_set_pubkey(alias, responder->key) == 1,
	     "naming an OCSP responder");
	unsigned long flags = OCSP_NOCERTS | OCSP_NOTIME | (o->by_key ? OCSP_RESPID_KEY : 0);
	must(OCSP_basic_sign_ctx(basic, alias, ctx, NULL, flags) == 1, "signing an OCSP response");
	X509_free(alias);
	EVP_MD_CTX_free(ctx);
	for (size_t i = 0; i < SLT_COUNT(o->embed) && o->embed[i] != NULL; i++) {
		must(OCSP_basic_add1_cert(basic, o->embed[i]) == 1, "embedding a certificate");
	}
	if (o->bad_signature) {
		flip_signature(OCSP_resp_get0_signature(basic));
	}
}

void pki_ocsp(const struct pki_ocsp *o, struct slt_buf *out)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	must(basic != NULL, "making an OCSP response");
	for (size_t i = 0; i < SLT_COUNT(o->single) && o->single[i].cert != NULL; i++) {
		add_single(basic, &o->single[i]);
	}
	/* producedAt has a getter only, whose object is the response's own */
	ASN1_GENERALIZEDTIME *produced =
		(ASN1_GENERALIZEDTIME *)(uintptr_t)OCSP_resp_get0_produced_at(basic);
	int64_t at = o->produced_at != 0 ? o->produced_at : o->single[0].this_update;
	must(ASN1_GENERALIZEDTIME_set(produced, (time_t)(at / 1000)) != NULL, "setting producedAt");
	sign_basic(basic, o, o->responder != NULL ? o->responder : o->single[0].issuer);
	OCSP_RESPONSE *resp =
		OCSP_response_create(o->response_status, o->response_status == 0 ? basic : NULL);
	unsigned char *der = NULL;
	int n = resp == NULL ? -1 : i2d_OCSP_RESPONSE(resp, &der);
	must(n > 0, "encoding an OCSP response");
	slt_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	OCSP_RESPONSE_free(resp);
	OCSP_BASICRESP_free(basic);
}

void pki_ocsp_good(const struct pki_cert *cert, const struct pki_cert *issuer, int64_t this_update,
		   struct slt_buf *out)
{
	struct pki_ocsp o = {.single[0] = {cert, issuer, .this_update = this_update}};
	pki_ocsp(&o, out);
}
