/* SPDX-License-Identifier: MIT */
#include "tests/instance/peer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uuid/uuid.h>

#include "base/clock.h"
#include "base/file.h"
#include "federation/fault.h"
#include "federation/transport.h"
#include "federation/xades_sign.h"
#include "federation/xades_verify.h"
#include "tests/instance/soapio.h"

#define PEM_MAX	       (64u << 10)
#define WIRE_MAX       (128u << 20)
#define FAULT_MAX      (64u << 10)
#define TLS_IDENTITIES 4

/* --- keys ------------------------------------------------------------------------------------- */

static const struct {
	enum slt_fault fault;
	const char *name;
} identities[TLS_IDENTITIES] = {
	{SLT_FAULT_NONE, "server-auth"},
	{SLT_FAULT_TLS_UNREGISTERED, "server-auth-unregistered"},
	{SLT_FAULT_TLS_EXPIRED, "server-auth-expired"},
	{SLT_FAULT_TLS_OTHER_SERVER, "bridge-auth"},
};

struct slt_peer {
	struct slt_client_tls *tls[TLS_IDENTITIES], *internal;
	struct slt_key **key; /* as many as there are entries */
	const struct slt_pki *pki;
};

static bool load_tls(const struct slt_pki_entry *e, struct slt_client_tls **ret,
		     struct slt_err *err)
{
	SLT_AUTO_STR char *cert = NULL;
	SLT_AUTO_STR char *key = NULL;
	size_t n = 0;
	return slt_file_read(e->cert_path, PEM_MAX, &cert, &n, err) &&
	       slt_file_read(e->key_path, PEM_MAX, &key, &n, err) &&
	       slt_client_tls_new(cert, key, ret, err);
}

bool slt_peer_new(const struct slt_pki *pki, struct slt_peer **ret, struct slt_err *err)
{
	struct slt_peer *p = slt_calloc(1, sizeof(*p));
	p->pki = pki;
	p->key = slt_calloc(slt_pki_count(pki), sizeof(struct slt_key *));
	bool ok = load_tls(slt_pki_get(pki, "server-internal"), &p->internal, err);
	for (size_t i = 0; ok && i < TLS_IDENTITIES; i++) {
		ok = load_tls(slt_pki_get(pki, identities[i].name), &p->tls[i], err);
	}
	for (size_t i = 0; ok && i < slt_pki_count(pki); i++) {
		const struct slt_pki_entry *e = slt_pki_at(pki, i);
		ok = slt_key_load(e->key_path, e->cert_path, NULL, false, &p->key[i], err);
	}
	if (!ok) {
		slt_peer_free(p);
		return false;
	}
	*ret = p;
	return true;
}

void slt_peer_free(struct slt_peer *p)
{
	if (p == NULL) {
		return;
	}
	for (size_t i = 0; i < TLS_IDENTITIES; i++) {
		slt_client_tls_free(p->tls[i]);
	}
	slt_client_tls_free(p->internal);
	for (size_t i = 0; i < slt_pki_count(p->pki); i++) {
		slt_key_free(p->key[i]);
	}
	free(p->key);
	free(p);
}

static size_t identity_of(enum slt_fault fault)
{
	for (size_t i = 0; i < TLS_IDENTITIES; i++) {
		if (identities[i].fault == fault) {
			return i;
		}
	}
	return 0;
}

struct slt_client_tls *slt_peer_tls(const struct slt_peer *p, enum slt_fault fault)
{
	return p->tls[identity_of(fault)];
}

struct slt_client_tls *slt_peer_internal_tls(const struct slt_peer *p)
{
	return p->internal;
}

bool slt_peer_is_identity(const char *name)
{
	for (size_t i = 0; i < TLS_IDENTITIES; i++) {
		if (strcmp(identities[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

static struct slt_key *key_of(const struct slt_peer *p, const struct slt_pki_entry *e)
{
	size_t i = 0;
	while (i < slt_pki_count(p->pki) && slt_pki_at(p->pki, i) != e) {
		i++;
	}
	slt_assert(i < slt_pki_count(p->pki));
	return p->key[i];
}

/* --- own OCSP responses ----------------------------------------------------------------------- */

/* Twice the freshness is stale by any measure. */
static bool ask(struct slt_box *b, const X509 *cert, const X509 *issuer, bool stale,
		struct slt_bytes *ret, struct slt_err *err)
{
	SLT_AUTO_STR char *url =
		slt_asprintf("%s/age/%lld", b->ocsp_url, stale ? 2LL * b->o.freshness_s + 60 : 0LL);
	return slt_ocspcache_ask(b->ocsp, url, cert, issuer, ret, err);
}

/* The responses for a certificate and, where the issuing authority made it, for that one. */
struct responses {
	struct slt_bytes der[2];
	unsigned n;
};

static bool responses(struct slt_box *b, const struct slt_globalconf *gc,
		      const struct slt_pki_entry *e, bool stale, struct responses *ret,
		      struct slt_err *err)
{
	const struct slt_pki_entry *issuing = slt_pki_get(b->pki, "issuing-ca");
	bool ordinary = e->issuer == issuing->cert;
	bool ok = stale || !ordinary
			  ? ask(b, e->cert, e->issuer, stale, &ret->der[0], err)
			  : slt_ocspcache_own(b->ocsp, gc, b->o.name, e->cert, &ret->der[0], err);
	ret->n = ok ? 1 : 0;
	if (ok && ordinary) {
		ok = slt_ocspcache_own(b->ocsp, gc, b->o.name, issuing->cert, &ret->der[1], err);
		ret->n += ok ? 1 : 0;
	}
	return ok;
}

bool slt_peer_add_ocsp(struct slt_box *b, const struct slt_globalconf *gc, enum slt_fault fault,
		       struct slt_message *m, struct slt_err *err)
{
	if (fault == SLT_FAULT_TLS_NO_OCSP) {
		return true;
	}
	struct responses r = {.n = 0};
	bool ok = responses(b, gc, slt_pki_get(b->pki, identities[identity_of(fault)].name),
			    fault == SLT_FAULT_TLS_STALE_OCSP, &r, err);
	while (m->n_ocsp < r.n) {
		m->ocsp[m->n_ocsp] = r.der[m->n_ocsp];
		m->n_ocsp++;
	}
	return ok;
}

/* --- signatures ------------------------------------------------------------------------------- */

static const struct slt_pki_entry *signer_entry(const struct slt_box *b, const char *role,
						enum slt_fault fault)
{
	static const struct {
		enum slt_fault fault;
		const char *entry;
	} by_fault[] = {
		{SLT_FAULT_AUTH_KEY, "server-auth"},
		{SLT_FAULT_EXPIRED, "pharmacy-sign-expired"},
		{SLT_FAULT_EARLY, "pharmacy-sign-early"},
		{SLT_FAULT_REVOKED, "pharmacy-sign-revoked"},
		{SLT_FAULT_UNKNOWN_STATUS, "pharmacy-sign-unknown"},
		{SLT_FAULT_UNKNOWN_CA, "pharmacy-sign-rogue"},
		{SLT_FAULT_FORGED_CA, "pharmacy-sign-forged"},
	};
	for (size_t i = 0; i < SLT_COUNT(by_fault); i++) {
		if (by_fault[i].fault == fault) {
			return slt_pki_get(b->pki, by_fault[i].entry);
		}
	}
	if (fault == SLT_FAULT_WRONG_MEMBER) {
		role = strcmp(role, "centre") == 0 ? "pharmacy" : "centre";
	}
	return slt_pki_of(b->pki, role, "sign");
}

const char *slt_peer_role(const struct slt_box *b, const struct slt_id *client)
{
	for (size_t i = 0; i < SLT_MEMBERS; i++) {
		const struct slt_country_member *m = &b->o.country->member[i];
		struct slt_id id = slt_country_member_id(m, b->o.name);
		if (slt_id_same_member(&id, client)) {
			return m->role;
		}
	}
	return b->o.country->member[SLT_PHARMACY].role;
}

struct parts { /* of a message, by the names that signatures use */
	struct slt_digest digest[1 + SLT_ATTACHMENTS_MAX];
	char text[1 + SLT_ATTACHMENTS_MAX][32];
	const char *name[1 + SLT_ATTACHMENTS_MAX];
	size_t n;
};

static void list_parts(const struct slt_message *m, struct parts *p)
{
	p->n = 1 + (size_t)m->n_attachments;
	p->name[0] = "/message.xml";
	p->digest[0] = m->digest;
	for (unsigned i = 1; i < p->n; i++) {
		(void)snprintf(p->text[i], sizeof(p->text[i]), "/attachment%u", i);
		p->name[i] = p->text[i];
		p->digest[i] = m->attachment[i - 1].digest;
	}
}

static struct slt_bytes take_text(char **text)
{
	char *p = SLT_TAKE(*text);
	return (struct slt_bytes){.p = p, .n = p == NULL ? 0 : strlen(p)};
}

/* OCSP responses are among the unsigned properties: the signature stays good without them. */
static void cut_element(char *text, const char *name)
{
	SLT_AUTO_STR char *open = slt_asprintf("<%s>", name);
	SLT_AUTO_STR char *close = slt_asprintf("</%s>", name);
	char *from = strstr(text, open);
	char *to = from == NULL ? NULL : strstr(from, close);
	if (to != NULL) {
		to += strlen(close);
		memmove(from, to, strlen(to) + 1);
	}
}

bool slt_peer_sign(struct slt_box *b, const struct slt_globalconf *gc, const char *role,
		   enum slt_fault fault, struct slt_message *m, struct slt_err *err)
{
	const struct slt_pki_entry *e = signer_entry(b, role, fault);
	struct responses r = {.n = 0};
	struct parts parts;
	list_parts(m, &parts);
	bool ok = responses(b, gc, e, fault == SLT_FAULT_STALE_OCSP, &r, err);
	struct slt_str ocsp[2] = {{r.der[0].p, r.der[0].n}, {r.der[1].p, r.der[1].n}};
	struct slt_sign_options o = {
		.key = key_of(b->peer, e), .ocsp = ocsp, .n_ocsp = r.n, .now_ms = slt_now_ms()};
	struct slt_sign_input in = {.parts = parts.digest, .names = parts.name, .n = parts.n};
	struct slt_signed s = {.signature = NULL};
	ok = ok && slt_xades_sign(&o, &in, 1, &s, err);
	if (ok) {
		if (fault == SLT_FAULT_NO_OCSP) {
			cut_element(s.signature, "xades:RevocationValues");
		}
		m->signature = take_text(&s.signature);
		m->hash_chain_result = take_text(&s.hash_chain_result);
		m->hash_chain = take_text(&s.hash_chain);
	}
	free(r.der[0].p);
	free(r.der[1].p);
	return ok;
}

bool slt_peer_verify(const struct slt_globalconf *gc, const struct slt_message *m,
		     const struct slt_id *signer, struct slt_err *err)
{
	struct parts parts;
	struct slt_verify_part part[1 + SLT_ATTACHMENTS_MAX];
	list_parts(m, &parts);
	for (size_t i = 0; i < parts.n; i++) {
		part[i] =
			(struct slt_verify_part){.name = parts.name[i], .digest = &parts.digest[i]};
	}
	part[0].data = (struct slt_str){m->head.p, m->head.n};
	struct slt_verify_input in = {
		.gc = gc,
		.signer = slt_id_member(signer),
		.at_ms = slt_now_ms(),
		.signature = {m->signature.p, m->signature.n},
		.hash_chain_result = {m->hash_chain_result.p, m->hash_chain_result.n},
		.hash_chain = {m->hash_chain.p, m->hash_chain.n},
		.parts = part,
		.n_parts = parts.n};
	struct slt_verdict v = {.cert = NULL};
	if (!slt_xades_verify(&in, &v, err)) {
		return slt_prefix(err, SLT_SIGNATURE_VERIFICATION);
	}
	slt_verdict_fini(&v);
	return true;
}

/* --- damage ----------------------------------------------------------------------------------- */

static char other_letter(char c)
{
	return (char)(c == '0' ? '1' : c == 'a' ? 'b' : isdigit((unsigned char)c) ? '0' : 'a');
}

static bool damage_head(struct slt_message *m, const char *message_id, struct slt_err *err)
{
	SLT_AUTO_STR char *text = slt_asprintf(m->kind == SLT_REST ? ":%s\r" : ">%s<", message_id);
	char *at = message_id[0] == '\0' ? NULL : memmem(m->head.p, m->head.n, text, strlen(text));
	if (at == NULL) {
		return slt_fail(err, SLT_EINVAL, "the message has no plain identifier to change");
	}
	at[1] = other_letter(at[1]);
	return true;
}

static bool damage_attachment(struct slt_message *m, struct slt_err *err)
{
	SLT_AUTO_BUF(b, SLT_SOAPIO_HEAD_MAX);
	if (m->n_attachments == 0) {
		return slt_fail(err, SLT_EINVAL, "the message has no attachment to change");
	}
	struct slt_attachment *a = &m->attachment[m->n_attachments - 1];
	if (!slt_soapio_attachment(a, &b, err) || b.n == 0) {
		return slt_fail(err, SLT_EINVAL, "the attachment has no byte to change");
	}
	b.p[b.n / 2] = other_letter(b.p[b.n / 2]);
	struct slt_spool *s = slt_spool_new(NULL, SLT_SOAPIO_HEAD_MAX, SLT_SOAPIO_HEAD_MAX);
	if (!slt_spool_write(s, b.p, b.n, err)) {
		slt_spool_free(s);
		return false;
	}
	slt_spool_free(a->body);
	a->body = s;
	return true;
}

bool slt_peer_damage(struct slt_message *m, const char *message_id, enum slt_fault fault,
		     struct slt_err *err)
{
	if (fault == SLT_FAULT_CHANGED_BYTE) {
		return damage_head(m, message_id, err);
	}
	return fault != SLT_FAULT_CHANGED_ATTACHMENT || damage_attachment(m, err);
}

static bool drain(struct slt_transport_writer *w, struct slt_buf *out, struct slt_err *err)
{
	size_t n = 1;
	while (n > 0) {
		char *room = slt_buf_room(out, 65536);
		if (room == NULL || !slt_transport_read(w, room, 65536, &n, err)) {
			return slt_buf_check(out, "the message", err);
		}
		out->n += n;
	}
	return slt_buf_check(out, "the message", err);
}

/* Where the last part begins, with the line break that belongs to its delimiter. */
static size_t last_part(const struct slt_buf *b, const char *delimiter)
{
	size_t n = strlen(delimiter), at = 0;
	const char *p = b->p;
	while ((p = memmem(p, b->n - (size_t)(p - b->p), delimiter, n)) != NULL) {
		at = (size_t)(p - b->p);
		p += n;
	}
	return at;
}

bool slt_peer_bytes(const struct slt_message *m, enum slt_fault fault, struct slt_buf *out,
		    char **ret_content_type, struct slt_err *err)
{
	SLT_AUTO(slt_transport_writer_free)
	struct slt_transport_writer *w = slt_transport_writer_new(m);
	const char *type = slt_transport_content_type(w);
	const char *boundary = strstr(type, "boundary=");
	slt_assert(boundary != NULL);
	boundary += strlen("boundary=");
	if (!drain(w, out, err)) {
		return false;
	}
	SLT_AUTO_STR char *delimiter = slt_asprintf("\r\n--%s\r\n", boundary);
	size_t closing = strlen(boundary) + strlen("\r\n----\r\n");
	if (fault == SLT_FAULT_UNSIGNED) {
		out->n = last_part(out, delimiter);
		slt_buf_addf(out, "\r\n--%s--\r\n", boundary);
	} else if (fault == SLT_FAULT_EXTRA_PART) {
		out->n -= closing;
		slt_buf_addf(out, "%scontent-type: text/plain\r\n\r\nextra\r\n--%s--\r\n",
			     delimiter, boundary);
	} else if (fault == SLT_FAULT_TRUNCATED) {
		out->n /= 2;
	}
	*ret_content_type = slt_strdup(type);
	return slt_buf_check(out, "the message", err);
}

/* --- faults and versions ---------------------------------------------------------------------- */

void slt_peer_fault(struct slt_request *r, const struct slt_err *err)
{
	char code[256], detail[37];
	uuid_t u;
	SLT_AUTO_BUF(b, FAULT_MAX);
	slt_err_fault_code(err, SLT_DIALECT_SNAKE, code, sizeof(code));
	uuid_generate(u);
	uuid_unparse_lower(u, detail);
	slt_fault_soap(code, err->msg, NULL, detail, NULL, &b);
	struct slt_response_header h[] = {{"Content-Type", "text/xml; charset=utf-8"},
					  {"SOAPAction", ""}};
	slt_respond(r, 200, h, SLT_COUNT(h), b.p, b.n);
}

/* "7.8.0" or "7.8.0-SNAPSHOT": three numbers; what follows a hyphen makes it older. */
static bool parse_version(const char *s, unsigned long ret[4])
{
	char *end = NULL;
	for (unsigned i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)*s)) {
			return false;
		}
		ret[i] = strtoul(s, &end, 10);
		if (i < 2 && *end != '.') {
			return false;
		}
		s = end + (i < 2 ? 1 : 0);
	}
	ret[3] = *s == '-' ? 0 : 1;
	return *s == '\0' || *s == '+' || (*s == '-' && s[1] != '\0');
}

bool slt_peer_check_version(const char *version, struct slt_err *err)
{
	unsigned long v[4], min[4];
	const char *text = version == NULL || version[0] == '\0' ? "unknown" : version;
	if (!parse_version(text, v)) {
		return slt_fail(err, SLT_EINTERNAL,
				"the version \"%.40s\" is not a semantic version", text);
	}
	slt_assert(parse_version(SLT_BOX_VERSION_MIN, min));
	for (unsigned i = 0; i < 4; i++) {
		if (v[i] != min[i]) {
			return v[i] > min[i] || slt_fail(err, SLT_ECLIENT_PROXY_VERSION,
							 "the client's security server has version "
							 "%.40s, the oldest supported one is %s",
							 text, SLT_BOX_VERSION_MIN);
		}
	}
	return true;
}
