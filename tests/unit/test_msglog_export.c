/* SPDX-License-Identifier: MIT */

/* Signed and time-stamped messages in the log: exported, proved, and tampered with. */

#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/ts.h>

#include "msglog_fixture.h"

#include "command.h"
#include "federation/asic.h"
#include "federation/tsp.h"
#include "federation/xades_sign.h"
#include "msglog_export.h"
#include "msglog_store.h"
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

static void member_init(struct member *m, const struct pki_cert *ca, unsigned key)
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

static void country_init(struct country *c, unsigned key)
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

static void member_fini(struct member *m)
{
	slt_key_free(m->key);
	pki_cert_free(m->cert);
	slt_buf_fini(&m->ocsp);
}

static void country_fini(struct country *c)
{
	member_fini(&c->caller);
	member_fini(&c->provider);
	pki_cert_free(c->ca);
	pki_cert_free(c->tsa);
	slt_globalconf_free(c->gc);
}

static int group_setup(void **state)
{
	(void)state;
	slt_xml_init();
	snprintf(pki_dir, sizeof(pki_dir), "/tmp/silta-evidence-XXXXXX");
	assert_non_null(mkdtemp(pki_dir));
	country_init(&ee, 0);
	country_init(&fi, 4);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	country_fini(&ee);
	country_fini(&fi);
	return slt_rm_tree(pki_dir, &err) ? 0 : -1;
}

static const struct slt_globalconf *conf(void *arg, const char *side)
{
	(void)arg;
	return strcmp(side, "EE") == 0 ? ee.gc : strcmp(side, "FI") == 0 ? fi.gc : NULL;
}

static const struct slt_globalconf *conf_swapped(void *arg, const char *side)
{
	return conf(arg, strcmp(side, "EE") == 0 ? "FI" : "EE");
}

static const struct slt_globalconf *conf_ee_only(void *arg, const char *side)
{
	(void)arg;
	return strcmp(side, "EE") == 0 ? ee.gc : NULL;
}

/* --- time-stamps --- */

static int tsa_time(struct TS_resp_ctx *ctx, void *arg, long *sec, long *usec)
{
	(void)ctx;
	(void)arg;
	*sec = (long)(PKI_NOW / 1000);
	*usec = 0;
	return 1;
}

static ASN1_INTEGER *tsa_serial(struct TS_resp_ctx *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
	static long serial;
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	ASN1_INTEGER_set(n, ++serial);
	return n;
}

static void tsa_answer(const struct country *c, struct slt_str request, struct slt_buf *out)
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

static bool stamp(void *arg, const struct slt_digest *imprint, struct slt_buf *ret_token,
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

static unsigned stamp_all(struct slt_msglog *l, const struct country *c, unsigned max)
{
	struct slt_err err = SLT_ERR_INIT;
	struct authority t = {.country = c};
	unsigned n = 0;
	if (!slt_msglog_timestamp(l, c->name, max, stamp, &t, PKI_NOW, &n, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(t.calls, n > 0 ? 1 : 0);
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

static char *envelope(const struct country *c, bool response)
{
	char a[3][32], b[3][32];
	const char *end = response ? "Response" : "";
	assert_int_equal(sscanf(c->caller.id, "%31[^/]/%31[^/]/%31s", a[0], a[1], a[2]), 3);
	assert_int_equal(sscanf(c->provider.id, "%31[^/]/%31[^/]/%31s", b[0], b[1], b[2]), 3);
	return slt_asprintf(envelope_format, a[0], a[1], a[2], b[0], b[1], b[2], end, end);
}

static void sign(struct slt_message *m, const struct member *by)
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

static void log_one(struct slt_msglog *l, const char *exchange, const struct country *c,
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

static void log_exchange(struct slt_msglog *l, const char *exchange)
{
	log_one(l, exchange, &ee, false, false, 500000);
	log_one(l, exchange, &fi, false, true, 0);
	log_one(l, exchange, &fi, true, false, 0);
	log_one(l, exchange, &ee, true, true, 10);
	finish_ok(l, exchange);
}

static void stamped_log(void)
{
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	log_exchange(l, EXCHANGE);
	assert_int_equal(stamp_all(l, &ee, 100), 2);
	assert_int_equal(stamp_all(l, &fi, 100), 2);
}

static struct findings prove_with(const struct slt_globalconf *(*with)(void *arg, const char *side))
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

static void assert_proved(unsigned n)
{
	struct findings t = prove_with(conf);
	if (t.bad) {
		fail_msg("%s", t.first);
	}
	assert_int_equal(t.ok, n);
}

static void assert_disproved(const char *says)
{
	struct findings t = prove_with(conf);
	assert_true(t.bad > 0);
	if (!strstr(t.first, says)) {
		fail_msg("\"%s\" does not say \"%s\"", t.first, says);
	}
}

/* --- the command --- */

static int command(char **ret_output, const char *first, ...)
{
	const char *argv[24] = {"log"};
	int argc = 1;
	va_list ap;
	va_start(ap, first);
	for (const char *s = first; s && argc < 23; s = va_arg(ap, const char *)) {
		argv[argc++] = s;
	}
	va_end(ap);
	SLT_AUTO_STR char *file = slt_asprintf("%s/output", dir);
	fflush(stdout);
	int keep = dup(STDOUT_FILENO), keep_err = dup(STDERR_FILENO);
	int fd = open(file, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	optind = 0;
	/* getopt moves the pointers, not the texts */
	int status = slt_cmd_log(argc, (char **)(uintptr_t)argv);
	fflush(stdout);
	dup2(keep, STDOUT_FILENO);
	dup2(keep_err, STDERR_FILENO);
	close(keep);
	close(keep_err);
	close(fd);
	struct slt_err err = SLT_ERR_INIT;
	size_t n;
	assert_true(slt_file_read(file, 1u << 24, ret_output, &n, &err));
	return status;
}

#define RUN(expected, ...)                                                                         \
	do {                                                                                       \
		SLT_AUTO_STR char *out_ = NULL;                                                    \
		int got_ = command(&out_, __VA_ARGS__, NULL);                                      \
		if (got_ != (expected)) {                                                          \
			fail_msg("status %d: %s", got_, out_);                                     \
		}                                                                                  \
	} while (0)

/* --- tests: exporting --- */

/* Every container of an exchange is accepted under its own country's configuration. */
static void assert_exports(const char *exchange, const char *const names[4])
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_message *m = NULL;
	size_t n = 0;
	assert_true(slt_msglog_messages(r, exchange, a, &m, &n, &err));
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_BUF(name, 256);
		SLT_AUTO_BUF(bytes, 1u << 24);
		SLT_AUTO(slt_asic_free) struct slt_asic *asic = NULL;
		struct slt_msglog_export_notes notes;
		struct slt_asic_verdict v;
		slt_msglog_export_name(&m[i], &name);
		assert_string_equal(slt_buf_str(&name).p, names[i]);
		assert_true(slt_msglog_export(r, &m[i], &bytes, &notes, &err));
		assert_false(notes.unstamped);
		assert_int_equal(notes.n_left_out, 0);
		assert_true(slt_asic_open(slt_buf_str(&bytes), &asic, &err));
		if (!slt_asic_verify(asic, conf(NULL, m[i].side), true, a, &v, &err)) {
			fail_msg("%s: %s", names[i], err.msg);
		}
		assert_true(v.timestamp_ms == PKI_NOW);
		assert_string_equal(v.signer.instance, m[i].side);
		slt_asic_verdict_fini(&v);
	}
}

static void test_export(void **state)
{
	(void)state;
	stamped_log();
	static const char *const names[] = {
		EXCHANGE "-ee-request.asice", EXCHANGE "-fi-request.asice",
		EXCHANGE "-fi-response.asice", EXCHANGE "-ee-response.asice"};
	assert_exports(EXCHANGE, names);
}

/* A batch of one message: its tree has a second leaf, the log itself. */
static void test_batches_of_one(void **state)
{
	(void)state;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	log_exchange(l, EXCHANGE);
	assert_int_equal(stamp_all(l, &ee, 1), 1);
	assert_int_equal(stamp_all(l, &ee, 1), 1);
	assert_int_equal(stamp_all(l, &ee, 1), 0);
	assert_int_equal(stamp_all(l, &fi, 1), 1);
	assert_int_equal(stamp_all(l, &fi, 5), 1);
	static const char *const names[] = {
		EXCHANGE "-ee-request.asice", EXCHANGE "-fi-request.asice",
		EXCHANGE "-fi-response.asice", EXCHANGE "-ee-response.asice"};
	assert_exports(EXCHANGE, names);
	assert_proved(4 + 4 + 1);
}

/* An independent reader of containers, where it is at hand, says the same. */
static void test_independent_check(void **state)
{
	(void)state;
	const char *shared = getenv("SLT_SHARED");
	SLT_AUTO_STR char *tool =
		slt_asprintf("%s/tools/xroad_check.py", shared ? shared : "../shared");
	if (!slt_file_exists(tool) ||
	    system("/usr/bin/python3 -c 'import lxml, cryptography, asn1crypto' 2>/dev/null") !=
		    0) {
		print_message("skipped: %s or its Python modules are not there\n", tool);
		skip();
	}
	stamped_log();
	SLT_AUTO_STR char *to = slt_asprintf("%s/containers", dir);
	RUN(0, "export", "--log", path, "--out", to);
	const struct country *const both[] = {&ee, &fi};
	for (size_t i = 0; i < 2; i++) {
		SLT_AUTO_STR char *check = slt_asprintf(
			"/usr/bin/python3 %s asice %s %s/*-%s-*.asice > %s/said 2>&1 &&"
			" test $(grep -c '^OK' %s/said) = 2 || { cat %s/said; false; }",
			tool, both[i]->dir, to, i ? "fi" : "ee", dir, dir, dir);
		assert_int_equal(system(check), 0);
	}
}

static void test_export_name(void **state)
{
	(void)state;
	struct slt_msglog_message m = {
		.exchange = "a-1", .side = "FI-Test/../x y", .response = true};
	SLT_AUTO_BUF(name, 256);
	slt_msglog_export_name(&m, &name);
	assert_string_equal(slt_buf_str(&name).p, "a-1-fi-test____x_y-response.asice");
}

static void test_export_unstamped(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	log_one(l, EXCHANGE, &ee, false, false, 0);
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_asic_free) struct slt_asic *asic = NULL;
	SLT_AUTO_BUF(bytes, 1u << 24);
	struct slt_msglog_message *m = NULL;
	struct slt_msglog_export_notes notes;
	struct slt_asic_verdict v;
	size_t n = 0;
	assert_true(slt_msglog_messages(r, EXCHANGE, a, &m, &n, &err));
	assert_true(slt_msglog_export(r, m, &bytes, &notes, &err));
	assert_true(notes.unstamped);
	assert_true(slt_asic_open(slt_buf_str(&bytes), &asic, &err));
	assert_false(slt_asic_verify(asic, ee.gc, true, a, &v, &err));
	/* the log itself can still be proved, at the instant that it noted */
	assert_proved(2);
}

static void test_export_unsigned(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	SLT_AUTO(slt_message_free) struct slt_message *m = make_message("<Envelope/>");
	free(m->signature.p);
	m->signature = (struct slt_bytes){NULL, 0};
	struct slt_msglog_record rec = make_record(EXCHANGE, m);
	assert_true(slt_msglog_append_wait(l, &rec, &err));
	assert_int_equal(stamp_all(l, &ee, 10), 0);
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = open_reader();
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_BUF(bytes, 1u << 24);
	struct slt_msglog_message *got = NULL;
	struct slt_msglog_export_notes notes;
	size_t n = 0;
	assert_true(slt_msglog_messages(r, EXCHANGE, a, &got, &n, &err));
	assert_false(slt_msglog_export(r, got, &bytes, &notes, &err));
	assert_int_equal(err.code, SLT_EMISSING_SIGNATURE);
	assert_int_equal(bytes.n, 0);
	assert_proved(2);
}

/* Attachments that no container takes: too long, or so uniform that a reader suspects a bomb. The
 * log is proved all the same. */
static void test_export_large(void **state)
{
	(void)state;
	static const size_t sizes[][2] = {{(64u << 20) + 1, 10}, {8u << 20, 10}};
	for (size_t i = 0; i < SLT_COUNT(sizes); i++) {
		struct slt_err err = SLT_ERR_INIT;
		struct slt_msglog *l = open_log(0, 0);
		SLT_AUTO_STR char *text = envelope(&ee, false);
		SLT_AUTO(slt_message_free) struct slt_message *m = make_message(text);
		attach(m, sizes[i][0], 1000);
		attach(m, sizes[i][1], 1000);
		sign(m, &ee.caller);
		struct slt_msglog_record r = make_record(EXCHANGE, m);
		r.client = "EE/COM/10000001/sub";
		assert_true(slt_msglog_append_wait(l, &r, &err));
		assert_int_equal(stamp_all(l, &ee, 10), 1);
		slt_msglog_close(l);
		assert_proved(3);

		SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *rd = open_reader();
		SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
		SLT_AUTO_BUF(bytes, 1u << 28);
		struct slt_msglog_message *got = NULL;
		struct slt_msglog_export_notes notes;
		size_t n = 0;
		assert_true(slt_msglog_messages(rd, EXCHANGE, a, &got, &n, &err));
		assert_true(slt_msglog_export(rd, got, &bytes, &notes, &err));
		assert_int_equal(notes.n_left_out, i == 0 ? 1 : 0);
		assert_int_equal(unlink(path), 0);
	}
}

/* --- tests: time-stamping --- */

static void test_authority_down(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	struct authority t = {.country = &ee, .down = true};
	unsigned n = 77;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	log_exchange(l, EXCHANGE);
	assert_false(slt_msglog_timestamp(l, "EE", 10, stamp, &t, PKI_NOW, &n, &err));
	assert_int_equal(err.code, SLT_EMLOG_TSP_FAILED);
	assert_non_null(strstr(err.msg, "2 messages of EE"));
	assert_int_equal(n, 77);
	assert_proved(4 + 1);
	assert_int_equal(stamp_all(l, &ee, 10), 2);
	assert_proved(4 + 1 + 1);
}

struct racing {
	struct slt_msglog *log;
	bool raced;
};

/* While the authority is asked, another batch stamps the same messages. */
static bool stamp_twice(void *arg, const struct slt_digest *imprint, struct slt_buf *ret_token,
			int64_t *ret_time_ms, struct slt_err *err)
{
	struct racing *q = arg;
	struct authority t = {.country = &ee};
	q->raced = stamp_all(q->log, &ee, 10) == 2;
	return stamp(&t, imprint, ret_token, ret_time_ms, err);
}

static void test_stamped_once(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	struct racing q = {.log = l};
	unsigned n = 0;
	log_exchange(l, EXCHANGE);
	assert_false(slt_msglog_timestamp(l, "EE", 10, stamp_twice, &q, PKI_NOW, &n, &err));
	assert_true(q.raced);
	assert_int_equal(err.code, SLT_EDATABASE);
	assert_proved(4 + 1 + 1);
}

/* --- tests: proving --- */

static void test_proved(void **state)
{
	(void)state;
	stamped_log();
	assert_proved(4 + 2 + 1);
}

static void test_proved_without_bodies(void **state)
{
	(void)state;
	struct slt_err err = SLT_ERR_INIT;
	unsigned n = 0;
	stamped_log();
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = open_log(0, 0);
	assert_true(slt_msglog_cut(l, PKI_NOW + 1, PKI_NOW + 2, &n, &err));
	assert_int_equal(n, 4);
	assert_proved(4 + 2 + 1);
}

static void test_confs(void **state)
{
	(void)state;
	stamped_log();
	struct findings t = prove_with(conf_ee_only);
	assert_int_equal(t.bad, 0);
	assert_int_equal(t.skipped, 3);
	assert_int_equal(t.ok, 4);
	t = prove_with(conf_swapped);
	assert_int_equal(t.bad, 6);
}

static void test_tampered_evidence(void **state)
{
	(void)state;
	static const char *const alteration[][2] = {
		/* of the time-stamp */
		{"UPDATE stamp SET token = (SELECT token FROM stamp ORDER BY seq DESC LIMIT 1)",
		 "imprint does not match"},
		{"UPDATE stamp SET n = 1", "was changed"},
		{"UPDATE stamp SET time_ms = time_ms - 1", "the log says 2026-11-23T15:59:59.999Z"},
		{"UPDATE message SET stamp_chain = (SELECT stamp_chain FROM message WHERE seq = 4)"
		 " WHERE seq = 1",
		 "time-stamp does not cover"},
		{"UPDATE message SET stamp_chain = zeroblob(5) WHERE seq = 1",
		 "time-stamp does not cover"},
		{"UPDATE message SET stamp_seq = NULL WHERE seq = 1",
		 "1 messages carry the time-stamp that was given for 2"},
		{"UPDATE message SET stamp_seq = 7 WHERE seq = 1",
		 "the global configuration does not approve"},
		/* a signature for another */
		{"UPDATE chunk SET data = (SELECT data FROM chunk WHERE id = (2 * 128 + 1) * 1048576)"
		 " WHERE id = (3 * 128 + 1) * 1048576",
		 "bytes of /META-INF/signatures.xml"},
		/* personal data, without a trace */
		{"UPDATE chunk SET data = replace(data, '" SECRET "', '999999A9999')",
		 "bytes of /message.xml"},
	};
	for (size_t i = 0; i < SLT_COUNT(alteration); i++) {
		stamped_log();
		assert_proved(4 + 2 + 1);
		tamper(alteration[i][0]);
		assert_disproved(alteration[i][1]);
		assert_int_equal(unlink(path), 0);
	}
}

/* Computes the chain anew over what is there, as one who owns the file can. */
static void rechain(void)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	static const char *const q[] = {"UPDATE entry SET chain = ?2 WHERE seq = ?1"};
	struct slt_msglog_store *s = NULL;
	struct slt_msglog_entry *e = NULL;
	SLT_AUTO(slt_sql_close) struct slt_sql *db = NULL;
	unsigned char chain[SLT_MSGLOG_CHAIN] = {0};
	size_t n = 0;
	assert_true(slt_msglog_sqlite.open(path, false, 0, &s, &err));
	assert_true(slt_msglog_sqlite.entries(s, 1, 100, a, &e, &n, &err));
	slt_msglog_sqlite.close(s);
	assert_true(slt_sql_open(path, true, q, 1, &db, &err));
	for (size_t i = 0; i < n; i++) {
		slt_msglog_chain_next(chain, &e[i], chain);
		assert_true(slt_sql_run(
			db, 0,
			SLT_SQL_VALUES(slt_sql_int(e[i].seq), slt_sql_blob(chain, sizeof(chain))),
			&err));
	}
}

/* Whoever rewrites the log with a chain that holds meets the time-stamp of its old head. */
static void test_rewritten(void **state)
{
	(void)state;
	static const char *const alteration[][2] = {
		{"UPDATE message SET message_id = 'm-2' WHERE seq = 2", "the log was rewritten"},
		{"UPDATE exchange SET fault_code = 'x'; UPDATE finish SET fault_code = 'x'",
		 "the log was rewritten"},
		{"UPDATE entry SET at_ms = at_ms - 5 WHERE seq = 3", "the log was rewritten"},
	};
	for (size_t i = 0; i < SLT_COUNT(alteration); i++) {
		stamped_log();
		tamper(alteration[i][0]);
		rechain();
		assert_disproved(alteration[i][1]);
		assert_int_equal(unlink(path), 0);
	}
}

/* The same with the head in the stamp rewritten too: the token does not know it. */
static void test_rewritten_with_head(void **state)
{
	(void)state;
	stamped_log();
	tamper("UPDATE message SET message_id = 'm-2' WHERE seq = 2");
	rechain();
	tamper("UPDATE stamp SET head = (SELECT chain FROM entry WHERE seq = head_seq)");
	rechain();
	/* the second stamp's head covers the first stamp */
	tamper("UPDATE stamp SET head = (SELECT chain FROM entry WHERE seq = head_seq)");
	rechain();
	assert_disproved("the time-stamp does not cover /log-head");
}

/* Said to be of another client than signed it. */
static void test_wrong_signer(void **state)
{
	(void)state;
	static const char *const alteration[][2] = {
		{"UPDATE message SET client = 'EE/GOV/70000001/sub' WHERE seq = 1", "70000001"},
		{"UPDATE message SET client = 'FI/GOV/2222222-2/sub' WHERE seq = 1",
		 "its signer is of FI"},
		{"UPDATE message SET client = 'x' WHERE seq = 1", "the logged client"},
		{"UPDATE message SET service = 'x' WHERE seq = 4", "the logged service"},
		{"UPDATE message SET response = 1 WHERE seq = 2", "FI/GOV"},
	};
	for (size_t i = 0; i < SLT_COUNT(alteration); i++) {
		struct slt_msglog *l = open_log(0, 0);
		log_exchange(l, EXCHANGE);
		slt_msglog_close(l);
		tamper(alteration[i][0]);
		rechain();
		assert_disproved(alteration[i][1]);
		assert_int_equal(unlink(path), 0);
	}
}

/* --- tests: the command --- */

static void test_command_list(void **state)
{
	(void)state;
	stamped_log();
	SLT_AUTO_STR char *out = NULL, *json = NULL, *none = NULL;
	assert_int_equal(command(&out, "list", "--log", path, NULL), 0);
	assert_non_null(strstr(out, "2026-11-23T16:00:00.000Z  " EXCHANGE "  done     4  "
				    "prescriptions\n"));
	assert_int_equal(command(&json, "list", "--log", path, "--json", NULL), 0);
	json_t *root = json_loads(json, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "exchange")), EXCHANGE);
	assert_int_equal(json_integer_value(json_object_get(root, "messages")), 4);
	json_decref(root);
	assert_int_equal(command(&none, "list", "--log", path, "--status", "open", NULL), 0);
	assert_string_equal(none, "");
}

static void test_command_show(void **state)
{
	(void)state;
	stamped_log();
	SLT_AUTO_STR char *out = NULL, *json = NULL, *full = NULL;
	assert_int_equal(command(&out, "show", "--log", path, "--exchange", EXCHANGE, NULL), 0);
	assert_null(strstr(out, SECRET));
	assert_non_null(strstr(out, "EE/COM/10000001/sub"));
	assert_non_null(strstr(out, "FI/GOV/3333333-3/sub/list"));
	assert_non_null(strstr(out, "2 mapped, 1 kept"));
	assert_non_null(strstr(out, "3333333-3"));
	assert_non_null(strstr(out, "500000 in 1 attachment"));
	assert_int_equal(command(&json, "show", "--log", path, "--json", NULL), 0);
	assert_null(strstr(json, SECRET));
	json_t *root = json_loads(json, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(json_object_get(root, "messages")), 4);
	json_decref(root);
	assert_int_equal(command(&full, "show", "--log", path, "--full", NULL), 0);
	assert_non_null(strstr(full, SECRET));
}

static void test_command_export(void **state)
{
	(void)state;
	stamped_log();
	SLT_AUTO_STR char *to = slt_asprintf("%s/containers", dir);
	RUN(0, "export", "--log", path, "--out", to);
	DIR *d = opendir(to);
	unsigned n = 0;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		n += strstr(e->d_name, ".asice") ? 1 : 0;
	}
	closedir(d);
	assert_int_equal(n, 4);
	RUN(1, "export", "--log", path, "--out", to, "--exchange", "0-0");
	RUN(2, "export", "--log", path);
	/* what was cut off cannot be exported, and that is said */
	RUN(0, "cut", "--log", path, "--before", "2026-11-24");
	SLT_AUTO_STR char *out = NULL;
	assert_int_equal(command(&out, "export", "--log", path, "--out", to, NULL), 1);
	assert_non_null(strstr(out, EXCHANGE "-fi-response.asice is left out"));
}

static void test_command_verify(void **state)
{
	(void)state;
	stamped_log();
	SLT_AUTO_STR char *c_ee = slt_asprintf("EE=%s", ee.dir),
			  *c_fi = slt_asprintf("FI=%s", fi.dir);
	SLT_AUTO_STR char *out = NULL, *bad = NULL;
	assert_int_equal(
		command(&out, "verify", "--log", path, "--conf", c_ee, "--conf", c_fi, NULL), 0);
	assert_non_null(strstr(out, "OK " EXCHANGE "-fi-response.asice FI/GOV/3333333-3 "
				    "2026-11-23T16:00:00.000Z\n"));
	assert_non_null(strstr(out, "OK chain 7 entries, head 7:"));
	RUN(0, "verify", "--log", path, "--chain-only");
	RUN(0, "verify", "--log", path, "--conf", c_ee, "--conf", c_fi, "--exchange", EXCHANGE);
	RUN(2, "verify", "--log", path, "--conf", c_ee);
	RUN(2, "verify", "--log", path);
	RUN(2, "verify", "--log", path, "--conf", "EE");
	RUN(2, "verify", "--log", path, "--conf", "EE=/nonexistent");
	RUN(1, "verify", "--log", path, "--chain-only", "--exchange", "0-0");
	RUN(1, "verify", "--log", path, "--chain-only", "--head", "7:00");
	tamper("UPDATE chunk SET data = replace(data, '" SECRET "', '999999A9999')");
	assert_int_equal(
		command(&bad, "verify", "--log", path, "--conf", c_ee, "--conf", c_fi, NULL), 1);
	assert_non_null(
		strstr(bad, "FAIL " EXCHANGE "-ee-request.asice mlog.invalid_log_archive "));
	assert_non_null(strstr(bad, "FAIL chain "));
}

static void test_command_usage(void **state)
{
	(void)state;
	SLT_AUTO_STR char *missing = slt_asprintf("%s/none.db", dir);
	RUN(0, "--help");
	RUN(0, "list", "--help");
	RUN(0, "verify", "-h");
	RUN(2, NULL);
	RUN(2, "destroy");
	RUN(2, "list");
	RUN(2, "list", "--log", missing);
	RUN(2, "cut", "--log", missing, "--before", "2026-01-01");
	RUN(2, "list", "-c", missing);
	three_exchanges();
	RUN(0, "list", "--log", path);
	RUN(2, "list", "--log", path, "extra");
	RUN(2, "list", "--log", path, "--out", "x");
	RUN(2, "list", "--log", path, "--limit", "0");
	RUN(2, "list", "--log", path, "--limit", "-1");
	RUN(2, "list", "--log", path, "--limit", "1x");
	RUN(2, "list", "--log", path, "--since", "yesterday");
	RUN(2, "list", "--log", path, "--status", "broken");
	RUN(2, "show", "--log", path, "--json", "--full");
	RUN(1, "show", "--log", path, "--exchange", "0-0");
	RUN(2, "cut", "--log", path);
	RUN(2, "verify", "--log", path, "--since", "2026-01-01");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_export),
		T(test_batches_of_one),
		T(test_independent_check),
		T(test_export_name),
		T(test_export_unstamped),
		T(test_export_unsigned),
		T(test_export_large),
		T(test_authority_down),
		T(test_stamped_once),
		T(test_proved),
		T(test_proved_without_bodies),
		T(test_confs),
		T(test_tampered_evidence),
		T(test_rewritten),
		T(test_rewritten_with_head),
		T(test_wrong_signer),
		T(test_command_list),
		T(test_command_show),
		T(test_command_export),
		T(test_command_verify),
		T(test_command_usage),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
