/* SPDX-License-Identifier: MIT */
#pragma once

/* A member with a key of every kind, a time-stamping authority, and containers made with them. */

#include "tsa_fixture.h"

#include <unistd.h>

#include "base/file.h"
#include "federation/asic.h"
#include "federation/hashchain.h"
#include "federation/xades_form.h"
#include "federation/xades_sign.h"

#define MEMBER "FI/COM/1234567-8"

static char dir[64];
static struct pki_cert *ca, *tsa, *cert[4];
static struct slt_key *key[4]; /* RSA, PSS, P-256, P-384 */
static struct slt_globalconf *gc;
static struct pki_gc_instance instance = {.name = "FI", .member = {MEMBER, MEMBER "/sub"}};

static const char rest[] = "GET\r\n/r1/FI/COM/1234567-8/sub/service\r\nx-road-client:" MEMBER
			   "/sub\r\nx-road-id:1\r\n";

SLT_UNUSED static int set_up(void **state)
{
	static const enum pki_key kinds[] = {PKI_RSA2048, PKI_RSA2048, PKI_P256, PKI_P384};
	struct slt_err err = SLT_ERR_INIT;
	char *subject = pki_subject(SLT_PROFILE_FIVRK, MEMBER);
	char key_path[128], cert_path[128];

	(void)state;
	slt_xml_init();
	(void)snprintf(dir, sizeof(dir), "/tmp/slt-asic-XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(key_path, sizeof(key_path), "%s/k", dir);
	(void)snprintf(cert_path, sizeof(cert_path), "%s/c", dir);
	ca = pki_ca(NULL, "C=FI;CN=CA", PKI_RSA2048, 0);
	tsa = pki_tsa_cert(ca, "C=FI;CN=TSA", PKI_RSA2048, 1);
	for (unsigned i = 0; i < 4; i++) {
		cert[i] = pki_sign_cert(ca, subject, kinds[i], i);
		pki_write_pem(cert[i], cert_path, key_path);
		assert_true(slt_key_load(key_path, cert_path, NULL, i == 1, &key[i], &err));
	}
	free(subject);
	instance.ca[0].top = ca;
	instance.tsa[0] = tsa;
	gc = pki_globalconf(&instance, 1);
	return 0;
}

SLT_UNUSED static int tear_down(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		slt_key_free(key[i]);
		pki_cert_free(cert[i]);
	}
	pki_cert_free(ca);
	pki_cert_free(tsa);
	slt_globalconf_free(gc);
	return slt_rm_tree(dir, &err) ? 0 : -1;
}

/* --- making --- */

enum stamp { NONE, SINGLE, BATCH };

struct made { /* a container in the making and what it is made of */
	struct slt_signed s;
	char *stamped; /* signature with its time-stamp */
	struct slt_hc_result ts;
	struct slt_buf token, ocsp;
	struct slt_asic_entries e;
};

SLT_UNUSED static void made_fini(struct made *m)
{
	slt_signed_fini(&m->s);
	free(m->stamped);
	slt_hashchain_result_fini(&m->ts);
	slt_buf_fini(&m->token);
	slt_buf_fini(&m->ocsp);
}

SLT_UNUSED static void stamp_single(struct made *m)
{
	static const char at[] = "<xades:UnsignedSignatureProperties>";
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_xades_free) struct slt_xades *x = NULL;
	SLT_AUTO_BUF(value, 4096);
	SLT_AUTO_BUF(out, 1u << 20);
	const char *split = strstr(m->s.signature, at) + sizeof(at) - 1;

	assert_true(slt_xades_parse(slt_str(m->s.signature), &x, &err));
	assert_true(slt_xades_signature_value(x, &value, &err));
	tsa_stamp(gc, tsa, slt_buf_str(&value), &m->token);
	slt_buf_add(&out, m->s.signature, (size_t)(split - m->s.signature));
	slt_buf_adds(&out, "<xades:SignatureTimeStamp><xades:EncapsulatedTimeStamp>");
	slt_buf_add_base64(&out, m->token.p, m->token.n);
	slt_buf_adds(&out, "</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>");
	slt_buf_adds(&out, split);
	m->stamped = slt_buf_take(&out, NULL);
	m->e.signature = slt_str(m->stamped);
}

SLT_UNUSED static void stamp_batch(struct made *m)
{
	static const char *const name = "/META-INF/signatures.xml";
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d[2];
	struct slt_hc_input in[2] = {{&d[0], &name, 1}, {&d[1], &name, 1}};

	slt_digest_of(SLT_SHA512, m->s.signature, strlen(m->s.signature), &d[0]);
	slt_digest_of(SLT_SHA512, "another", 7, &d[1]);
	assert_true(slt_hashchain_build(SLT_SHA512, in, 2, "/ts-hashchain.xml", &m->ts, &err));
	m->e.ts_hash_chain_result = slt_str(m->ts.result);
	m->e.ts_hash_chain = slt_str(m->ts.chains[0]);
	tsa_stamp(gc, tsa, m->e.ts_hash_chain_result, &m->token);
	m->e.timestamp = slt_buf_str(&m->token);
}

SLT_UNUSED static void make(struct made *m, unsigned k, const char *message, unsigned n_attachments,
			    enum stamp stamp)
{
	static const char *const names[] = {"/message.xml", "/attachment1", "/attachment2"};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d[3];

	*m = (struct made){.stamped = NULL};
	slt_buf_init(&m->token, SLT_TSP_BYTES_MAX);
	slt_buf_init(&m->ocsp, SLT_OCSP_BYTES_MAX);
	pki_ocsp_good(cert[k], ca, PKI_NOW - 60000, &m->ocsp);

	struct slt_str ocsp = slt_buf_str(&m->ocsp);
	struct slt_sign_options o = {.key = key[k], .ocsp = &ocsp, .n_ocsp = 1, .now_ms = PKI_NOW};
	struct slt_sign_input in = {d, names, 1 + n_attachments};

	slt_digest_of(SLT_SHA512, message, strlen(message), &d[0]);
	slt_digest_of(SLT_SHA512, "one", 3, &d[1]);
	slt_digest_of(SLT_SHA512, "", 0, &d[2]);
	assert_true(slt_xades_sign(&o, &in, 1, &m->s, &err));
	m->e = (struct slt_asic_entries){
		.message = slt_str(message),
		.signature = slt_str(m->s.signature),
		.hash_chain_result = slt_str(m->s.hash_chain_result),
		.hash_chain = slt_str(m->s.hash_chain),
		.attachment = {SLT_STR_C("one"), SLT_STR_C("")},
		.n_attachments = n_attachments,
	};
	if (stamp == SINGLE) {
		stamp_single(m);
	} else if (stamp == BATCH) {
		stamp_batch(m);
	}
}
