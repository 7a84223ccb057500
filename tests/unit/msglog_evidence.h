/* SPDX-License-Identifier: MIT */
#pragma once

/* Two countries that sign, time-stamp and log the messages of an exchange. */

#include <inttypes.h>
#include <openssl/ts.h>

#include "msglog_fixture.h"

#include "federation/asic.h"
#include "federation/tsp.h"
#include "federation/xades_sign.h"
#include "tests/support/pki.h"

#define EXCHANGE "5f1c2f80-0c6d-4a5e-9b51-7d1f0c3a9e10"
#define SECRET	 "060606A9994"

/* --- two instances --- */

struct member {
	const char *id; /* "EE/COM/1" */
	struct pki_cert *cert;
	struct slt_key *key;
	struct slt_buf ocsp;
};

struct country {
	const char *name;
	struct pki_cert *ca, *tsa;
	struct member caller, provider;
	struct slt_globalconf *gc;
	char dir[128];
};

static struct country ee = {
	.name = "EE", .caller = {.id = "EE/COM/10000001"}, .provider = {.id = "EE/GOV/70000001"}};
static struct country fi = {
	.name = "FI", .caller = {.id = "FI/GOV/2222222-2"}, .provider = {.id = "FI/GOV/3333333-3"}};
static char pki_dir[64];

SLT_UNUSED static void member_init(struct member *m, const struct pki_cert *ca, unsigned key)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *subject = pki_subject(SLT_PROFILE_FIVRK, m->id);
	SLT_AUTO_STR char *k = slt_asprintf("%s/k", pki_dir), *c = slt_asprintf("%s/c", pki_dir);
	m->cert = pki_sign_cert(ca, subject, PKI_P256, key);
	pki_write_pem(m->cert, c, k);
	if (!slt_key_load(k, c, NULL, false, &m->key, &err)) {
		fail_msg("%s", err.msg);
	}
	slt_buf_init(&m->ocsp, SLT_OCSP_BYTES_MAX);
	pki_ocsp_good(m->cert, ca, PKI_NOW - 60000, &m->ocsp);
}

SLT_UNUSED static void country_init(struct country *c, unsigned key)
{
	SLT_AUTO_STR char *ca = slt_asprintf("C=%s;O=Trust;CN=CA of %s", c->name, c->name);
	SLT_AUTO_STR char *tsa = slt_asprintf("C=%s;O=Trust;CN=TSA of %s", c->name, c->name);
	c->ca = pki_ca(NULL, ca, PKI_P256, key);
	c->tsa = pki_tsa_cert(c->ca, tsa, PKI_RSA2048, key);
	member_init(&c->caller, c->ca, key + 1);
	member_init(&c->provider, c->ca, key + 2);
	struct pki_gc_instance inst = {
		.name = c->name,
		.ca = {{.top = c->ca}},
		.tsa = {c->tsa},
		.member = {c->caller.id, c->provider.id},
	};
	c->gc = pki_globalconf(&inst, 1);
	snprintf(c->dir, sizeof(c->dir), "%s/%s", pki_dir, c->name);
	pki_globalconf_write(c->dir, &inst, 1);
}

SLT_UNUSED static void member_fini(struct member *m)
{
	slt_key_free(m->key);
	pki_cert_free(m->cert);
	slt_buf_fini(&m->ocsp);
}

SLT_UNUSED static void country_fini(struct country *c)
{
	member_fini(&c->caller);
	member_fini(&c->provider);
	pki_cert_free(c->ca);
	pki_cert_free(c->tsa);
	slt_globalconf_free(c->gc);
}

SLT_UNUSED static int group_setup(void **state)
{
	(void)state;
	slt_xml_init();
	snprintf(pki_dir, sizeof(pki_dir), "/tmp/silta-evidence-XXXXXX");
	assert_non_null(mkdtemp(pki_dir));
	country_init(&ee, 0);
	country_init(&fi, 4);
	return 0;
}

SLT_UNUSED static int group_teardown(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	country_fini(&ee);
	country_fini(&fi);
	return slt_rm_tree(pki_dir, &err) ? 0 : -1;
}

SLT_UNUSED static const struct slt_globalconf *conf(void *arg, const char *side)
{
	(void)arg;
	return strcmp(side, "EE") == 0 ? ee.gc : strcmp(side, "FI") == 0 ? fi.gc : NULL;
}

SLT_UNUSED static const struct slt_globalconf *conf_swapped(void *arg, const char *side)
{
	return conf(arg, strcmp(side, "EE") == 0 ? "FI" : "EE");
}

SLT_UNUSED static const struct slt_globalconf *conf_ee_only(void *arg, const char *side)
{
	(void)arg;
	return strcmp(side, "EE") == 0 ? ee.gc : NULL;
}

/* --- time-stamps --- */

SLT_UNUSED static int tsa_time(struct TS_resp_ctx *ctx, void *arg, long *sec, long *usec)
{
	(void)ctx;
	(void)arg;
	*sec = (long)(PKI_NOW / 1000);
	*usec = 0;
	return 1;
}

SLT_UNUSED static ASN1_INTEGER *tsa_serial(struct TS_resp_ctx *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
	static long serial;
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	ASN1_INTEGER_set(n, ++serial);
	return n;
}

SLT_UNUSED static void tsa_answer(const struct country *c, struct slt_str request,
				  struct slt_buf *out)
{
	TS_RESP_CTX *ctx = TS_RESP_CTX_new();
	ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4", 1);
	assert_int_equal(TS_RESP_CTX_set_signer_cert(ctx, c->tsa->x509), 1);
	assert_int_equal(TS_RESP_CTX_set_signer_key(ctx, c->tsa->key), 1);
	TS_RESP_CTX_set_signer_digest(ctx, EVP_sha256());
	TS_RESP_CTX_set_def_policy(ctx, policy);
	TS_RESP_CTX_add_md(ctx, EVP_sha512());
	TS_RESP_CTX_set_serial_cb(ctx, tsa_serial, NULL);
	TS_RESP_CTX_set_time_cb(ctx, tsa_time, NULL);
	BIO *in = BIO_new_mem_buf(request.p, (int)request.n);
	TS_RESP *resp = TS_RESP_create_response(ctx, in);
	unsigned char *der = NULL;
	int n = i2d_TS_RESP(resp, &der);
	assert_true(n > 0);
	slt_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	TS_RESP_free(resp);
	BIO_free(in);
	ASN1_OBJECT_free(policy);
	TS_RESP_CTX_free(ctx);
}

struct authority {
	const struct country *country;
	unsigned calls;
	bool down;
};

SLT_UNUSED static bool stamp(void *arg, const struct slt_digest *imprint, struct slt_buf *ret_token,
			     int64_t *ret_time_ms, struct slt_err *err)
{
	struct authority *t = arg;
	SLT_AUTO_BUF(request, 4096);
	SLT_AUTO_BUF(answer, 65536);
	t->calls++;
	if (t->down) {
		return slt_fail(err, SLT_EMLOG_TSP_FAILED, "the authority is down");
	}
	if (!slt_tsp_request(imprint, &request, err)) {
		return false;
	}
	tsa_answer(t->country, slt_buf_str(&request), &answer);
	return slt_tsp_response(t->country->gc, slt_buf_str(&answer), imprint, ret_token,
				ret_time_ms, err);
}

SLT_UNUSED static unsigned stamp_all(struct slt_msglog *l, const struct country *c, unsigned max)
{
	struct slt_err err = SLT_ERR_INIT;
	struct authority t = {.country = c};
	unsigned n = 0;
	if (!slt_msglog_timestamp(l, c->name, max, stamp, &t, PKI_NOW, &n, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_true(n > 0 ? t.calls == 1 : t.calls <= 1);
	return n;
}

/* --- signed messages --- */

/* clang-format off */
static const char envelope_format[] =
	"<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\""
	" xmlns:x=\"http://x-road.eu/xsd/xroad.xsd\""
	" xmlns:i=\"http://x-road.eu/xsd/identifiers\"><e:Header>"
	"<x:client i:objectType=\"SUBSYSTEM\"><i:xRoadInstance>%s</i:xRoadInstance>"
	"<i:memberClass>%s</i:memberClass><i:memberCode>%s</i:memberCode>"
	"<i:subsystemCode>sub</i:subsystemCode></x:client>"
	"<x:service i:objectType=\"SERVICE\"><i:xRoadInstance>%s</i:xRoadInstance>"
	"<i:memberClass>%s</i:memberClass><i:memberCode>%s</i:memberCode>"
	"<i:subsystemCode>sub</i:subsystemCode><i:serviceCode>list</i:serviceCode></x:service>"
	"<x:id>m-1</x:id><x:protocolVersion>4.0</x:protocolVersion></e:Header>"
	"<e:Body><t:list%s xmlns:t=\"urn:t\"><t:patient>" SECRET "</t:patient></t:list%s></e:Body>"
	"</e:Envelope>";
/* clang-format on */

SLT_UNUSED static char *envelope(const struct country *c, bool response)
{
	char a[3][32], b[3][32];
	const char *end = response ? "Response" : "";
	assert_int_equal(sscanf(c->caller.id, "%31[^/]/%31[^/]/%31s", a[0], a[1], a[2]), 3);
	assert_int_equal(sscanf(c->provider.id, "%31[^/]/%31[^/]/%31s", b[0], b[1], b[2]), 3);
	return slt_asprintf(envelope_format, a[0], a[1], a[2], b[0], b[1], b[2], end, end);
}

SLT_UNUSED static void sign(struct slt_message *m, const struct member *by)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d[3] = {m->digest};
	static const char *const names[] = {"/message.xml", "/attachment1", "/attachment2"};
	struct slt_str ocsp = slt_buf_str(&by->ocsp);
	struct slt_sign_options o = {.key = by->key, .ocsp = &ocsp, .n_ocsp = 1, .now_ms = PKI_NOW};
	struct slt_sign_input in = {.parts = d, .names = names, .n = 1 + m->n_attachments};
	struct slt_signed s;
	for (unsigned i = 0; i < m->n_attachments; i++) {
		d[i + 1] = m->attachment[i].digest;
	}
	if (!slt_xades_sign(&o, &in, 1, &s, &err)) {
		fail_msg("%s", err.msg);
	}
	free(m->signature.p);
	m->signature = (struct slt_bytes){s.signature, strlen(s.signature)};
	if (s.hash_chain) {
		m->hash_chain_result =
			(struct slt_bytes){s.hash_chain_result, strlen(s.hash_chain_result)};
		m->hash_chain = (struct slt_bytes){s.hash_chain, strlen(s.hash_chain)};
	}
}

SLT_UNUSED static void log_one(struct slt_msglog *l, const char *exchange, const struct country *c,
			       bool response, bool sent, size_t attachment)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *text = envelope(c, response);
	SLT_AUTO_STR char *client = slt_asprintf("%s/sub", c->caller.id);
	SLT_AUTO_STR char *service = slt_asprintf("%s/sub/list", c->provider.id);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message(text);
	if (attachment) {
		attach(m, attachment, 1000);
	}
	sign(m, response ? &c->provider : &c->caller);
	struct slt_msglog_record r = make_record(exchange, m);
	r.side = c->name;
	r.response = response;
	r.sent = sent;
	r.at_ms = PKI_NOW;
	r.client = client;
	r.service = service;
	r.message_id = "m-1";
	if (sent) {
		r.trace = slt_str("{\"entries\":[{\"outcome\":\"mapped\"},{\"outcome\":\"mapped\"},"
				  "{\"outcome\":\"kept\"}]}");
	}
	if (!slt_msglog_append_wait(l, &r, &err)) {
		fail_msg("%s", err.msg);
	}
}

SLT_UNUSED static void log_exchange(struct slt_msglog *l, const char *exchange)
{
	log_one(l, exchange, &ee, false, false, 500000);
	log_one(l, exchange, &fi, false, true, 0);
	log_one(l, exchange, &fi, true, false, 0);
	log_one(l, exchange, &ee, true, true, 10);
	finish_ok(l, exchange);
}

SLT_UNUSED static void stamped_log(void)
{
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	log_exchange(l, EXCHANGE);
	assert_int_equal(stamp_all(l, &ee, 100), 2);
	assert_int_equal(stamp_all(l, &fi, 100), 2);
}

SLT_UNUSED static struct findings prove_with(const struct slt_globalconf *(*with)(void *arg,
										  const char *side))
{
	struct slt_err err = SLT_ERR_INIT;
	struct findings t = {0};
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	struct slt_msglog_verify_options o = {.conf = with};
	if (!slt_msglog_verify(r, &o, on_finding, &t, &err)) {
		fail_msg("%s", err.msg);
	}
	return t;
}

SLT_UNUSED static void assert_proved(unsigned n)
{
	struct findings t = prove_with(conf);
	if (t.bad) {
		fail_msg("%s", t.first);
	}
	assert_int_equal(t.ok, n);
}

SLT_UNUSED static void assert_disproved(const char *says)
{
	struct findings t = prove_with(conf);
	assert_true(t.bad > 0);
	if (!strstr(t.first, says)) {
		fail_msg("\"%s\" does not say \"%s\"", t.first, says);
	}
}
