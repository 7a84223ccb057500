/* SPDX-License-Identifier: MIT */
#include "tests/instance/pki.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/file.h"

#define PEM_MAX	  (64u << 10)
#define THREADS	  4
#define DAY_S	  (24L * 3600)
#define CA_DAYS	  7300
#define LEAF_DAYS 1095

enum purpose { FOR_ROOT, FOR_ISSUING, FOR_OCSP, FOR_TSA, FOR_CONF, FOR_SIGN, FOR_AUTH };

struct spec {
	const char *name, *issuer; /* issuer NULL: self-signed */
	enum purpose purpose;
	int member;	  /* index into the country's members, -1: none */
	const char *same; /* uses the key of this entry instead of one of its own */
	int from_days, to_days;
	enum slt_pki_status status;
};

/* An issuer stands before what it issues, an entry before those that share its key. */
/* clang-format off */
static const struct spec specs[] = {
	{"root-ca",        NULL,         FOR_ROOT,    -1, NULL, -1, CA_DAYS, SLT_PKI_GOOD},
	{"issuing-ca",     "root-ca",    FOR_ISSUING, -1, NULL, -1, CA_DAYS, SLT_PKI_GOOD},
	{"ocsp-root",      "root-ca",    FOR_OCSP,    -1, NULL, -1, LEAF_DAYS, SLT_PKI_GOOD},
	{"ocsp",           "issuing-ca", FOR_OCSP,    -1, NULL, -1, LEAF_DAYS, SLT_PKI_GOOD},
	{"tsa",            "root-ca",    FOR_TSA,     -1, NULL, -1, LEAF_DAYS, SLT_PKI_GOOD},
	{"conf-internal",  NULL,         FOR_CONF,    -1, NULL, -1, CA_DAYS, SLT_PKI_GOOD},
	{"conf-internal-2", NULL,        FOR_CONF,    -1, NULL, -1, CA_DAYS, SLT_PKI_GOOD},
	{"conf-external",  NULL,         FOR_CONF,    -1, NULL, -1, CA_DAYS, SLT_PKI_GOOD},
	{"conf-external-2", NULL,        FOR_CONF,    -1, NULL, -1, CA_DAYS, SLT_PKI_GOOD},
	{"centre-sign",    "issuing-ca", FOR_SIGN, SLT_CENTRE,   NULL, -1, LEAF_DAYS, SLT_PKI_GOOD},
	{"pharmacy-sign",  "issuing-ca", FOR_SIGN, SLT_PHARMACY, NULL, -1, LEAF_DAYS, SLT_PKI_GOOD},
	{"bridge-sign",    "issuing-ca", FOR_SIGN, SLT_BRIDGE,   NULL, -1, LEAF_DAYS, SLT_PKI_GOOD},
	{"server-auth",    "issuing-ca", FOR_AUTH, SLT_CENTRE,   NULL, -1, LEAF_DAYS, SLT_PKI_GOOD},
	{"bridge-auth",    "issuing-ca", FOR_AUTH, SLT_BRIDGE,   NULL, -1, LEAF_DAYS, SLT_PKI_GOOD},
	/* what the security server shows to information systems */
	{"server-internal", NULL,        FOR_AUTH,    -1, NULL, -1, CA_DAYS, SLT_PKI_GOOD},
	/* bad on purpose */
	{"rogue-ca",       NULL,         FOR_ROOT,    -1, NULL, -1, CA_DAYS, SLT_PKI_GOOD},
	{"forged-ca",      NULL,         FOR_ISSUING, -1, NULL, -1, CA_DAYS, SLT_PKI_GOOD},
	{"pharmacy-sign-expired", "issuing-ca", FOR_SIGN, SLT_PHARMACY, "pharmacy-sign", -90, -1, SLT_PKI_GOOD},
	{"pharmacy-sign-early",   "issuing-ca", FOR_SIGN, SLT_PHARMACY, "pharmacy-sign", 1, 90, SLT_PKI_GOOD},
	{"pharmacy-sign-revoked", "issuing-ca", FOR_SIGN, SLT_PHARMACY, "pharmacy-sign", -1, 90, SLT_PKI_REVOKED},
	{"pharmacy-sign-unknown", "issuing-ca", FOR_SIGN, SLT_PHARMACY, "pharmacy-sign", -1, 90, SLT_PKI_UNKNOWN},
	{"pharmacy-sign-rogue",   "rogue-ca",   FOR_SIGN, SLT_PHARMACY, "pharmacy-sign", -1, 90, SLT_PKI_GOOD},
	{"pharmacy-sign-forged",  "forged-ca",  FOR_SIGN, SLT_PHARMACY, "pharmacy-sign", -1, 90, SLT_PKI_GOOD},
	{"server-auth-expired",   "issuing-ca", FOR_AUTH, SLT_CENTRE, "server-auth", -90, -1, SLT_PKI_GOOD},
	{"server-auth-unregistered", "issuing-ca", FOR_AUTH, SLT_CENTRE, "server-auth", -1, 90, SLT_PKI_GOOD},
};
/* clang-format on */

struct entry {
	struct slt_pki_entry e;
	enum slt_pki_status status;
	int64_t revoked_ms;
};

struct slt_pki {
	struct slt_pki_options o;
	struct entry v[SLT_COUNT(specs)];
	pthread_mutex_t lock; /* status, revoked_ms */
};

const struct slt_pki_entry *slt_pki_find(const struct slt_pki *p, const char *name)
{
	for (size_t i = 0; i < SLT_COUNT(specs); i++) {
		if (strcmp(specs[i].name, name) == 0) {
			return &p->v[i].e;
		}
	}
	return NULL;
}

const struct slt_pki_entry *slt_pki_get(const struct slt_pki *p, const char *name)
{
	const struct slt_pki_entry *e = slt_pki_find(p, name);
	slt_assert(e != NULL);
	return e;
}

const struct slt_pki_entry *slt_pki_of(const struct slt_pki *p, const char *role,
				       const char *purpose)
{
	SLT_AUTO_STR char *name = slt_asprintf("%s-%s", role, purpose);
	return slt_pki_find(p, name);
}

size_t slt_pki_count(const struct slt_pki *p)
{
	(void)p;
	return SLT_COUNT(specs);
}

const struct slt_pki_entry *slt_pki_at(const struct slt_pki *p, size_t i)
{
	return &p->v[i].e;
}

/* --- keys --------------------------------------------------------------------------------- */

static EVP_PKEY *load_key(const char *path)
{
	EVP_PKEY *k = NULL;
	FILE *f = fopen(path, "re");
	if (f != NULL) {
		k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
		(void)fclose(f);
	}
	return k;
}

static bool save_key(EVP_PKEY *key, const char *path, struct slt_err *err)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	bool ok = b != NULL && PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (ok) {
		long n = BIO_get_mem_data(b, &p);
		ok = slt_file_write(path, p, (size_t)n, 0600, err);
	} else {
		(void)slt_fail_ssl(err, SLT_EINTERNAL, "cannot write the key %s", path);
	}
	BIO_free(b);
	return ok;
}

static EVP_PKEY *generate(const struct slt_pki *p, const struct spec *s)
{
	bool member = s->purpose == FOR_SIGN || s->purpose == FOR_AUTH;
	enum slt_pki_kind kind = s->member == SLT_BRIDGE ? p->o.bridge_kind : p->o.kind;
	if (!member || kind == SLT_PKI_P256) {
		return EVP_EC_gen("P-256");
	}
	return EVP_RSA_gen(kind == SLT_PKI_RSA3072 ? 3072u : 2048u);
}

struct makers {
	struct slt_pki *p;
	atomic_size_t next;
	pthread_mutex_t lock;
	bool failed; /* under lock */
	struct slt_err err;
};

static bool make_key(struct slt_pki *p, size_t i, struct slt_err *err)
{
	struct slt_pki_entry *e = &p->v[i].e;
	e->key = load_key(e->key_path);
	if (e->key != NULL) {
		return true;
	}
	e->key = generate(p, &specs[i]);
	if (e->key == NULL) {
		return slt_fail_ssl(err, SLT_EINTERNAL, "cannot make the key %s", specs[i].name);
	}
	return save_key(e->key, e->key_path, err);
}

static void *maker(void *arg)
{
	struct makers *m = arg;
	size_t i;
	while ((i = atomic_fetch_add(&m->next, 1)) < SLT_COUNT(specs)) {
		struct slt_err err = SLT_ERR_INIT;
		if (specs[i].same == NULL && !make_key(m->p, i, &err)) {
			pthread_mutex_lock(&m->lock);
			m->failed = true;
			m->err = err;
			pthread_mutex_unlock(&m->lock);
		}
	}
	return NULL;
}

static bool make_keys(struct slt_pki *p, struct slt_err *err)
{
	struct makers m = {.p = p, .lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t t[THREADS];
	size_t n = 0;
	while (n < THREADS && pthread_create(&t[n], NULL, maker, &m) == 0) {
		n++;
	}
	if (n == 0) {
		(void)maker(&m);
	}
	while (n > 0) {
		pthread_join(t[--n], NULL);
	}
	if (m.failed) {
		*err = m.err;
		return false;
	}
	for (size_t i = 0; i < SLT_COUNT(specs); i++) {
		if (specs[i].same != NULL) {
			p->v[i].e.key = slt_pki_get(p, specs[i].same)->key;
			EVP_PKEY_up_ref(p->v[i].e.key);
		}
	}
	return true;
}

/* --- certificates --------------------------------------------------------------------------- */

static bool add_name(X509_NAME *n, const char *field, const char *value)
{
	return X509_NAME_add_entry_by_txt(n, field, MBSTRING_UTF8, (const unsigned char *)value, -1,
					  -1, 0) == 1;
}

/* FiVRK: serialNumber "instance/server/class", CN the member code. */
static bool subject_fi(X509_NAME *n, const struct slt_pki *p, const struct slt_country_member *m,
		       bool auth)
{
	SLT_AUTO_STR char *serial =
		slt_asprintf("%s/%s/%s", p->o.instance, m->server, m->member_class);
	return add_name(n, "C", "FI") && add_name(n, "O", m->name) &&
	       add_name(n, "serialNumber", serial) && add_name(n, "CN", auth ? m->server : m->code);
}

/* SkKlass3: organizationIdentifier for companies, the register code as serialNumber for others;
 * both forms are in use. */
static bool subject_ee(X509_NAME *n, const struct slt_country_member *m, bool auth)
{
	SLT_AUTO_STR char *trade = slt_asprintf("NTREE-%s", m->code);
	bool company = strcmp(m->member_class, "COM") == 0;
	return add_name(n, "C", "EE") && add_name(n, "O", m->name) &&
	       (company ? add_name(n, "organizationIdentifier", trade)
			: add_name(n, "serialNumber", m->code)) &&
	       add_name(n, "CN", auth ? m->server : m->name);
}

static bool subject_own(X509_NAME *n, const struct slt_pki *p, const char *what)
{
	SLT_AUTO_STR char *cn = slt_asprintf("%s %s", p->o.instance, what);
	return add_name(n, "C", p->o.country->code) && add_name(n, "O", "Silta instance") &&
	       add_name(n, "CN", cn);
}

static bool set_subject(X509 *x, const struct slt_pki *p, const struct spec *s)
{
	X509_NAME *n = X509_get_subject_name(x);
	if (s->member >= 0) {
		const struct slt_country_member *m = &p->o.country->member[s->member];
		bool auth = s->purpose == FOR_AUTH;
		return strcmp(p->o.country->code, "FI") == 0 ? subject_fi(n, p, m, auth)
							     : subject_ee(n, m, auth);
	}
	/* the forged authority takes the name of the real one */
	bool forged = strcmp(s->name, "forged-ca") == 0;
	return subject_own(n, p, forged ? "issuing-ca" : s->name);
}

static bool add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool add_extensions(X509 *x, X509 *issuer, enum purpose purpose)
{
	/* clang-format off */
	static const struct {
		const char *bc, *ku, *eku;
	} by_purpose[] = {
		[FOR_ROOT] = {"critical,CA:TRUE", "critical,keyCertSign,cRLSign", NULL},
		[FOR_ISSUING] = {"critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", NULL},
		[FOR_OCSP] = {"critical,CA:FALSE", "critical,digitalSignature", "OCSPSigning"},
		[FOR_TSA] = {"critical,CA:FALSE", "critical,digitalSignature", "critical,timeStamping"},
		[FOR_CONF] = {"critical,CA:FALSE", "critical,digitalSignature", NULL},
		[FOR_SIGN] = {"critical,CA:FALSE", "critical,nonRepudiation", NULL},
		[FOR_AUTH] = {"critical,CA:FALSE", "critical,digitalSignature,keyEncipherment",
			  "clientAuth,serverAuth"},
	};
	/* clang-format on */
	return add_ext(x, issuer, NID_basic_constraints, by_purpose[purpose].bc) &&
	       add_ext(x, issuer, NID_key_usage, by_purpose[purpose].ku) &&
	       (by_purpose[purpose].eku == NULL ||
		add_ext(x, issuer, NID_ext_key_usage, by_purpose[purpose].eku)) &&
	       add_ext(x, issuer, NID_subject_key_identifier, "hash") &&
	       add_ext(x, issuer, NID_authority_key_identifier, "keyid:always") &&
	       (purpose != FOR_OCSP || add_ext(x, issuer, NID_id_pkix_OCSP_noCheck, "NULL"));
}

static bool set_serial(X509 *x)
{
	unsigned char v[9] = {0};
	if (RAND_bytes(v, (int)sizeof(v)) != 1) {
		return false;
	}
	v[0] = (unsigned char)((v[0] & 0x3fu) | 0x40u);
	BIGNUM *n = BN_bin2bn(v, (int)sizeof(v), NULL);
	bool ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return ok;
}

static bool issue(struct slt_pki *p, size_t i, struct slt_err *err)
{
	const struct spec *s = &specs[i];
	struct slt_pki_entry *e = &p->v[i].e;
	const struct slt_pki_entry *by = s->issuer == NULL ? e : slt_pki_get(p, s->issuer);
	X509 *x = X509_new();
	X509 *issuer = by == e ? x : by->cert;
	bool ok = x != NULL && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
		  X509_gmtime_adj(X509_getm_notBefore(x), s->from_days * DAY_S) != NULL &&
		  X509_gmtime_adj(X509_getm_notAfter(x), s->to_days * DAY_S) != NULL &&
		  X509_set_pubkey(x, e->key) == 1 && set_subject(x, p, s) &&
		  X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1 &&
		  add_extensions(x, issuer, s->purpose) && X509_sign(x, by->key, EVP_sha256()) > 0;
	if (!ok) {
		X509_free(x);
		return slt_fail_ssl(err, SLT_EINTERNAL, "cannot issue the certificate %s", s->name);
	}
	e->cert = x;
	return true;
}

/* The certificate and, for what an intermediate authority issued, that authority's: the chain
 * that a security server presents, root excluded. */
static bool save_cert(const struct slt_pki *p, size_t i, struct slt_err *err)
{
	const struct slt_pki_entry *e = &p->v[i].e;
	const char *by = specs[i].issuer;
	bool chain = specs[i].member >= 0 && by != NULL && strcmp(by, "issuing-ca") == 0;
	BIO *b = BIO_new(BIO_s_mem());
	char *text = NULL;
	bool ok = b != NULL && PEM_write_bio_X509(b, e->cert) == 1 &&
		  (!chain || PEM_write_bio_X509(b, slt_pki_get(p, by)->cert) == 1);
	if (ok) {
		long n = BIO_get_mem_data(b, &text);
		ok = slt_file_write(e->cert_path, text, (size_t)n, 0644, err);
	} else {
		(void)slt_fail_ssl(err, SLT_EINTERNAL, "cannot write %s", e->cert_path);
	}
	BIO_free(b);
	return ok;
}

static X509 *load_cert(const char *path, EVP_PKEY *key)
{
	X509 *x = NULL;
	FILE *f = fopen(path, "re");
	if (f != NULL) {
		x = PEM_read_X509(f, NULL, NULL, NULL);
		(void)fclose(f);
	}
	if (x != NULL && X509_check_private_key(x, key) != 1) {
		X509_free(x);
		return NULL;
	}
	return x;
}

/* A certificate kept from an earlier start serves again, unless its issuer is a new one or it
 * has run out (which is the point of those made to be expired). */
static bool still_good(const struct slt_pki *p, size_t i)
{
	const struct slt_pki_entry *e = &p->v[i].e;
	const char *by = specs[i].issuer;
	EVP_PKEY *key = by == NULL ? e->key : slt_pki_get(p, by)->key;
	bool meant = specs[i].to_days < 0 || specs[i].from_days > 0;
	return X509_verify(e->cert, key) == 1 &&
	       (meant || X509_cmp_current_time(X509_get0_notAfter(e->cert)) > 0);
}

static bool make_cert(struct slt_pki *p, size_t i, struct slt_err *err)
{
	struct slt_pki_entry *e = &p->v[i].e;
	e->cert = load_cert(e->cert_path, e->key);
	if (e->cert != NULL && !still_good(p, i)) {
		X509_free(e->cert);
		e->cert = NULL;
	}
	if (e->cert == NULL && (!issue(p, i, err) || !save_cert(p, i, err))) {
		return false;
	}
	e->issuer = specs[i].issuer == NULL ? e->cert : slt_pki_get(p, specs[i].issuer)->cert;
	/* computes and caches extensions now, before threads share the certificate */
	(void)X509_check_purpose(e->cert, -1, 0);
	return true;
}

bool slt_pki_open(const struct slt_pki_options *o, struct slt_pki **ret, struct slt_err *err)
{
	SLT_AUTO(slt_pki_free) struct slt_pki *p = slt_calloc(1, sizeof(*p));
	p->o = *o;
	pthread_mutex_init(&p->lock, NULL);
	if (!slt_mkdir_p(o->dir, 0700, err)) {
		return false;
	}
	for (size_t i = 0; i < SLT_COUNT(specs); i++) {
		struct slt_pki_entry *e = &p->v[i].e;
		e->name = specs[i].name;
		e->key_path = slt_asprintf("%s/%s.key.pem", o->dir,
					   specs[i].same == NULL ? e->name : specs[i].same);
		e->cert_path = slt_asprintf("%s/%s.cert.pem", o->dir, specs[i].name);
		e->leaf = specs[i].issuer != NULL;
		e->auth = specs[i].purpose == FOR_AUTH;
		p->v[i].status = specs[i].status;
		p->v[i].revoked_ms = -1;
	}
	if (!make_keys(p, err)) {
		return false;
	}
	for (size_t i = 0; i < SLT_COUNT(specs); i++) {
		if (!make_cert(p, i, err)) {
			return false;
		}
	}
	*ret = SLT_TAKE(p);
	return true;
}

void slt_pki_free(struct slt_pki *p)
{
	if (p == NULL) {
		return;
	}
	for (size_t i = 0; i < SLT_COUNT(specs); i++) {
		EVP_PKEY_free(p->v[i].e.key);
		X509_free(p->v[i].e.cert);
		free(p->v[i].e.key_path);
		free(p->v[i].e.cert_path);
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* --- status --------------------------------------------------------------------------------- */

static struct entry *own(struct slt_pki *p, const struct slt_pki_entry *e)
{
	size_t i = 0;
	while (i < SLT_COUNT(specs) && &p->v[i].e != e) {
		i++;
	}
	slt_assert(i < SLT_COUNT(specs));
	return &p->v[i];
}

enum slt_pki_status slt_pki_status(struct slt_pki *p, const struct slt_pki_entry *e,
				   int64_t *ret_revoked_ms)
{
	const struct entry *v = own(p, e);
	pthread_mutex_lock(&p->lock);
	enum slt_pki_status s = v->status;
	*ret_revoked_ms = v->revoked_ms;
	pthread_mutex_unlock(&p->lock);
	return s;
}

void slt_pki_set_status(struct slt_pki *p, const struct slt_pki_entry *e, enum slt_pki_status s,
			int64_t now_ms)
{
	struct entry *v = own(p, e);
	pthread_mutex_lock(&p->lock);
	v->status = s;
	v->revoked_ms = now_ms;
	pthread_mutex_unlock(&p->lock);
}

void slt_pki_restore(struct slt_pki *p, const struct slt_pki_entry *e)
{
	slt_pki_set_status(p, e, specs[own(p, e) - p->v].status, -1);
}
