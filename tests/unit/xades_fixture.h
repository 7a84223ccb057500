/* SPDX-License-Identifier: MIT */
#pragma once

/* A member's keys of every kind, documents signed with them, and a verdict on each. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "federation/xades_form.h"
#include "federation/xades_sign.h"
#include "federation/xades_verify.h"
#include "tests/support/pki.h"

#define MEMBER	   "FI/COM/1234567-8"
#define MESSAGE	   "<m>message</m>"
#define ATTACHMENT "attachment"

static char dir[64];
static struct pki_cert *ca, *auth_ca, *other;
static struct slt_globalconf *gc;

/* A member's key with its OCSP response. */
struct signer {
	struct pki_cert *cert;
	struct slt_key *key;
	struct slt_buf ocsp;
};
static struct signer rsa, pss, p256, p384, wrong_ca;

static const struct slt_id signer_id = {
	.type = SLT_ID_SUBSYSTEM,
	.instance = "FI",
	.member_class = "COM",
	.member_code = "1234567-8",
	.subsystem = "sub",
};

SLT_UNUSED static void signer_init(struct signer *s, const struct pki_cert *issuer,
				   enum pki_key kind, unsigned index, bool use_pss)
{
	struct slt_err err = SLT_ERR_INIT;
	char *subject = pki_subject(SLT_PROFILE_FIVRK, MEMBER);
	char key[128], cert[128];

	(void)snprintf(key, sizeof(key), "%s/k", dir);
	(void)snprintf(cert, sizeof(cert), "%s/c", dir);
	s->cert = pki_sign_cert(issuer, subject, kind, index);
	free(subject);
	pki_write_pem(s->cert, cert, key);
	if (!slt_key_load(key, cert, NULL, use_pss, &s->key, &err)) {
		fail_msg("%s", err.msg);
	}
	slt_buf_init(&s->ocsp, SLT_OCSP_BYTES_MAX);
	pki_ocsp_good(s->cert, issuer, PKI_NOW - 60000, &s->ocsp);
}

SLT_UNUSED static void signer_fini(struct signer *s)
{
	slt_key_free(s->key);
	pki_cert_free(s->cert);
	slt_buf_fini(&s->ocsp);
}

SLT_UNUSED static int set_up(void **state)
{
	(void)state;
	slt_xml_init();
	(void)snprintf(dir, sizeof(dir), "/tmp/slt-xades-XXXXXX");
	assert_non_null(mkdtemp(dir));
	/* an issuer whose name has everything that canonical text must escape, or must not */
	ca = pki_ca(NULL, "C=FI;O=\"A\" & <b>, Oy;CN=CA #1", PKI_RSA2048, 0);
	auth_ca = pki_ca(NULL, "C=FI;O=TLS only;CN=Auth", PKI_RSA2048, 5);
	other = pki_ca(NULL, "C=FI;O=Unknown;CN=Other", PKI_RSA2048, 6);
	signer_init(&rsa, ca, PKI_RSA2048, 1, false);
	signer_init(&pss, ca, PKI_RSA2048, 2, true);
	signer_init(&p256, ca, PKI_P256, 0, false);
	signer_init(&p384, ca, PKI_P384, 0, false);
	signer_init(&wrong_ca, auth_ca, PKI_RSA2048, 3, false);

	struct pki_gc_instance inst = {
		.name = "FI",
		.ca = {{.top = ca}, {.top = auth_ca, .authentication_only = true}},
		.member = {MEMBER, MEMBER "/sub"},
	};

	gc = pki_globalconf(&inst, 1);
	return 0;
}

SLT_UNUSED static int tear_down(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	signer_fini(&rsa);
	signer_fini(&pss);
	signer_fini(&p256);
	signer_fini(&p384);
	signer_fini(&wrong_ca);
	pki_cert_free(ca);
	pki_cert_free(auth_ca);
	pki_cert_free(other);
	slt_globalconf_free(gc);
	return slt_rm_tree(dir, &err) ? 0 : -1;
}

/* --- making --- */

static const char *const names[] = {"/message.xml", "/attachment1", "/attachment2"};

SLT_UNUSED static struct slt_signed sign(struct signer *s, unsigned n_parts)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d[3];
	struct slt_str ocsp = slt_buf_str(&s->ocsp);
	struct slt_sign_options o = {.key = s->key, .ocsp = &ocsp, .n_ocsp = 1, .now_ms = PKI_NOW};
	struct slt_sign_input in = {.parts = d, .names = names, .n = n_parts};
	struct slt_signed ret;

	slt_digest_of(SLT_SHA512, MESSAGE, strlen(MESSAGE), &d[0]);
	slt_digest_of(SLT_SHA512, ATTACHMENT, strlen(ATTACHMENT), &d[1]);
	slt_digest_of(SLT_SHA512, "", 0, &d[2]);
	if (!slt_xades_sign(&o, &in, 1, &ret, &err)) {
		fail_msg("%s", err.msg);
	}
	return ret;
}

/* Replaces the first occurrence; fails the test when there is none. */
SLT_UNUSED static char *replace(const char *s, const char *from, const char *to)
{
	const char *at = strstr(s, from);

	if (at == NULL) {
		fail_msg("nothing to replace: %s", from);
		return NULL;
	}
	return slt_asprintf("%.*s%s%s", (int)(at - s), s, to, at + strlen(from));
}

SLT_UNUSED static void set_base64(xmlNode *n, const void *p, size_t len)
{
	SLT_AUTO_BUF(b, 8192);

	slt_buf_add_base64(&b, p, len);
	xmlNodeSetContent(n, SLT_XML(b.p));
}

SLT_UNUSED static enum slt_c14n mode_of(const xmlNode *node)
{
	xmlChar *a = node != NULL ? xmlGetNoNsProp(node, SLT_XML("Algorithm")) : NULL;
	bool exclusive = a != NULL && strcmp((const char *)a, SLT_EXC_C14N_URI) == 0;

	xmlFree(a);
	return exclusive ? SLT_C14N_EXCLUSIVE : SLT_C14N_INCLUSIVE;
}

/* Signs a changed document again with the same key: what an insider could make. */
SLT_UNUSED static char *resign(struct signer *s, const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xades_free) struct slt_xades *x = NULL;
	struct slt_digest d;
	SLT_AUTO_BUF(b, 1u << 20);
	SLT_AUTO_BUF(sig, 4096);
	SLT_AUTO_BUF(raw, 4096);
	SLT_AUTO_BUF(out, 1u << 20);

	if (!slt_xades_parse(slt_str(text), &x, &err)) {
		fail_msg("%s", err.msg);
	}
	for (size_t i = 0; i < x->n_ref; i++) {
		if (x->ref[i].uri[0] != '#' || x->signed_properties == NULL) {
			continue;
		}

		const xmlNode *t = slt_xml_child(x->ref[i].node, SLT_NS_DS, "Transforms");
		xmlNode *p = slt_xades_by_id(x->signature, x->ref[i].uri + 1);

		assert_non_null(p);
		slt_buf_reset(&b);
		assert_true(
			slt_xml_c14n(p, mode_of(t != NULL ? slt_xml_first(t) : NULL), &b, &err));
		slt_digest_of(SLT_SHA512, b.p, b.n, &d);
		set_base64(slt_xml_child(x->ref[i].node, SLT_NS_DS, "DigestValue"), d.v, d.n);
	}
	slt_buf_reset(&b);
	assert_true(slt_xml_c14n(
		x->signed_info,
		mode_of(slt_xml_child(x->signed_info, SLT_NS_DS, "CanonicalizationMethod")), &b,
		&err));
	slt_digest_of(slt_sig_digest(s->key->alg), b.p, b.n, &d);
	assert_true(s->key->sign(s->key, &d, &sig, &err));

	EVP_PKEY *pub = X509_get0_pubkey(s->key->cert);

	if (EVP_PKEY_is_a(pub, "EC")) {
		assert_true(slt_sig_der_to_raw(pub, slt_buf_str(&sig), &raw, &err));
	}
	set_base64(slt_xml_child(x->signature, SLT_NS_DS, "SignatureValue"),
		   raw.n > 0 ? raw.p : sig.p, raw.n > 0 ? raw.n : sig.n);
	assert_true(slt_xml_dump(x->doc, NULL, true, &out, &err));
	return slt_buf_take(&out, NULL);
}

/* --- verifying --- */

struct check {
	const char *signature, *result, *chain;
	const char *message, *attachment; /* NULL: as signed */
	unsigned n_parts;		  /* 0: 1 */
	bool lax;
	int64_t at_ms; /* 0: PKI_NOW */
	const struct slt_id *signer;
	const struct slt_verify_memory *memory;
	unsigned n_warnings; /* out */
};

/* The fault code, "" when good; the sentence goes to `said`. */
SLT_UNUSED static const char *verify(struct check *c, char said[SLT_ERR_MSG_MAX])
{
	static char code[128];
	const char *message = c->message != NULL ? c->message : MESSAGE;
	const char *attachment = c->attachment != NULL ? c->attachment : ATTACHMENT;
	struct slt_digest d[2];
	struct slt_verify_part parts[3] = {
		{.name = names[0], .digest = &d[0], .data = slt_str(message)},
		{.name = names[1], .digest = &d[1]},
		{.name = names[2], .data = SLT_STR_C("")},
	};
	struct slt_verify_input in = {
		.gc = gc,
		.signer = c->signer != NULL ? *c->signer : signer_id,
		.at_ms = c->at_ms != 0 ? c->at_ms : PKI_NOW,
		.signature = slt_str(c->signature),
		.hash_chain_result = slt_str(c->result),
		.hash_chain = slt_str(c->chain),
		.parts = parts,
		.n_parts = c->n_parts != 0 ? c->n_parts : 1,
		.lax = c->lax,
		.memory = c->memory,
	};
	struct slt_verdict v;
	struct slt_err err = SLT_ERR_INIT;

	slt_digest_of(SLT_SHA512, message, strlen(message), &d[0]);
	slt_digest_of(SLT_SHA512, attachment, strlen(attachment), &d[1]);
	code[0] = '\0';
	said[0] = '\0';
	if (slt_xades_verify(&in, &v, &err)) {
		c->n_warnings = v.n_warnings;
		assert_int_equal(v.signing_time_ms, PKI_NOW);
		assert_non_null(v.cert);
		slt_verdict_fini(&v);
		return code;
	}
	assert_true(strlen(err.msg) > 10);
	memcpy(said, err.msg, sizeof(err.msg));
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, code, sizeof(code));
	assert_true(code[0] != '\0');
	return code;
}

SLT_UNUSED static void expect(struct check *c, const char *want, const char *say)
{
	char said[SLT_ERR_MSG_MAX];
	const char *got = verify(c, said);

	if (strcmp(got, want) != 0 || strstr(said, say) == NULL) {
		fail_msg("%s: got \"%s\" (%s), expected \"%s\" (…%s…)", c->lax ? "lax" : "strict",
			 got, said, want, say);
	}
}
