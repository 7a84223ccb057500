/* SPDX-License-Identifier: MIT */
/* Certificates and OCSP responses of X-Road: members, paths as of 2012, responses as of 2014. */
#include "gc_vectors.h"

#include <string.h>

#include <openssl/pem.h>

#include "base/xml.h"
#include "federation/globalconf_cache.h"
#include "federation/trust.h"
#include "tests/support/pki.h"

#define IN_2012	 INT64_C(1349000000000) /* 2012-09-30 */
#define IN_2014	 INT64_C(1414627200000) /* 2014-10-30 */
#define FILE_MAX 1000000

static bool vectors_there(void)
{
	SLT_AUTO_STR char *dir = slt_asprintf("%s/vectors/xroad/certs", gc_shared());
	return slt_file_exists(dir);
}

static void need_vectors(void)
{
	if (!vectors_there()) {
		print_message("skipped: %s/vectors is not there\n", gc_shared());
		skip();
	}
}

static char *read_vector(const char *name, size_t *ret_n)
{
	SLT_AUTO_STR char *path = gc_vector(name);
	return gc_read(path, ret_n);
}

/* PEM, also with OpenSSL's trust settings behind the certificate. */
static X509 *cert_vector(const char *name)
{
	size_t n = 0;
	SLT_AUTO_STR char *text = read_vector(name, &n);
	BIO *b = BIO_new_mem_buf(text, (int)n);
	X509 *x = PEM_read_bio_X509_AUX(b, NULL, NULL, NULL);
	BIO_free(b);
	assert_non_null(x);
	return x;
}

static X509 *cert_of_der(struct slt_str der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	assert_non_null(x);
	return x;
}

static void expect_code(const struct slt_err *err, const char *code)
{
	char got[200];
	slt_err_fault_code(err, SLT_DIALECT_SNAKE, got, sizeof(got));
	if (strcmp(got, code) != 0) {
		fail_msg("%s (%s), not %s", got, err->msg, code);
	}
}

/* --- members --- */

static void ntree(void **state)
{
	(void)state;
	need_vectors();
	size_t n = 0;
	SLT_AUTO_STR char *text = read_vector("certs/NTREE.pem", &n);
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_err err = SLT_ERR_INIT;
	struct slt_id id;
	SLT_AUTO_BUF(der, FILE_MAX);
	assert_true(slt_base64_decode((struct slt_str){text, n}, &der, &err));
	X509 *x = cert_of_der(slt_buf_str(&der));
	assert_true(slt_certinfo_member(x, SLT_PROFILE_SKKLASS3, "EE", a, &id, &err));
	assert_string_equal(slt_id_text(&id, a), "EE/COM/10747013");
	assert_false(slt_certinfo_member(x, SLT_PROFILE_FIVRK, "EE", a, &id, &err));
	assert_int_equal(err.code, SLT_EINCORRECT_CERTIFICATE);
	assert_true(slt_certinfo_is_signing(x, NULL));
	assert_false(slt_certinfo_is_auth(x));
	X509_free(x);
}

/* --- paths --- */

enum { ROOT, CA_1, CA_2, CA_3, CA_4, USER_0, USER_3, CERTS };

struct chain_world {
	X509 *cert[CERTS];
	struct slt_globalconf *gc;	  /* the root alone */
	struct slt_globalconf *gc_listed; /* the third authority, with a responder of ours */
	struct pki_cert *responder;
};

static int set_up_chain(void **state)
{
	static const char *const names[] = {"root_ca",	   "ca_1",   "ca_2",  "ca_3",
					    "ca_4_no_ext", "user_0", "user_3"};
	struct chain_world *w = slt_calloc(1, sizeof(*w));
	*state = w;
	if (!vectors_there()) {
		return 0;
	}
	for (size_t i = 0; i < CERTS; i++) {
		SLT_AUTO_STR char *name = slt_asprintf("certs/chain/%s.pem", names[i]);
		w->cert[i] = cert_vector(name);
	}
	w->responder = pki_ocsp_responder(NULL, "CN=Responder of the test", PKI_P256, 0);
	struct pki_cert root = {.x509 = w->cert[ROOT]}, third = {.x509 = w->cert[CA_3]};
	struct pki_gc_instance inst = {.name = "EE",
				       .ca = {{.top = &root, .top_ocsp = {w->responder}}}};
	w->gc = pki_globalconf(&inst, 1);
	inst.ca[0].intermediate[0] = &third;
	inst.ca[0].intermediate_ocsp[0] = w->responder;
	w->gc_listed = pki_globalconf(&inst, 1);
	return 0;
}

static int tear_down_chain(void **state)
{
	struct chain_world *w = *state;
	for (size_t i = 0; i < CERTS; i++) {
		X509_free(w->cert[i]);
	}
	slt_globalconf_free(w->gc);
	slt_globalconf_free(w->gc_listed);
	pki_cert_free(w->responder);
	free(w);
	return 0;
}

static bool build(const struct chain_world *w, X509 *leaf, X509 *const *others, size_t n,
		  int64_t at_ms, bool lax, struct slt_chain *ret, struct slt_err *err)
{
	struct slt_chain_query q = {.gc = w->gc,
				    .instance = "EE",
				    .leaf = leaf,
				    .intermediates = others,
				    .n_intermediates = n,
				    .at_ms = at_ms,
				    .lax = lax};
	return slt_chain_build(&q, ret, err);
}

static void user_0(void **state)
{
	struct chain_world *w = *state;
	struct slt_chain c;
	struct slt_err err = SLT_ERR_INIT;
	need_vectors();
	if (!build(w, w->cert[USER_0], NULL, 0, IN_2012, true, &c, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(c.n, 1);
	/* SHA-1, and expired since */
	assert_false(build(w, w->cert[USER_0], NULL, 0, IN_2012, false, &c, &err));
	expect_code(&err, "cannot_create_cert_path");
	assert_false(build(w, w->cert[USER_0], NULL, 0, IN_2014, true, &c, &err));
	assert_non_null(strstr(err.msg, "expired at 2013-09-17T06:55:45Z"));
}

static void user_3(void **state)
{
	struct chain_world *w = *state;
	X509 *all[] = {w->cert[CA_1], w->cert[CA_2], w->cert[CA_3], w->cert[CA_4]};
	struct slt_chain c;
	struct slt_err err = SLT_ERR_INIT;
	need_vectors();
	if (!build(w, w->cert[USER_3], all, SLT_COUNT(all), IN_2012, true, &c, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(c.n, 4);
	assert_ptr_equal(c.cert[1], w->cert[CA_3]);
	assert_ptr_equal(c.cert[3], w->cert[CA_1]);
}

static void user_3_missing_intermediate(void **state)
{
	struct chain_world *w = *state;
	X509 *some[] = {w->cert[CA_1], w->cert[CA_3]};
	struct slt_chain c;
	struct slt_err err = SLT_ERR_INIT;
	need_vectors();
	assert_false(build(w, w->cert[USER_3], some, SLT_COUNT(some), IN_2012, true, &c, &err));
	expect_code(&err, "cannot_create_cert_path");
	assert_non_null(strstr(err.msg, "OU=CA 2"));
}

static void user_3_invalid_signature(void **state)
{
	struct chain_world *w = *state;
	need_vectors();
	X509 *all[] = {w->cert[CA_1], w->cert[CA_2], w->cert[CA_3]};
	struct slt_chain c;
	struct slt_err err = SLT_ERR_INIT;
	unsigned char *der = NULL;
	int n = i2d_X509(w->cert[USER_3], &der);
	assert_true(n > 0);
	der[n - 1] ^= 1;
	const unsigned char *p = der;
	X509 *bad = d2i_X509(NULL, &p, n);
	assert_non_null(bad);
	assert_false(build(w, bad, all, SLT_COUNT(all), IN_2012, true, &c, &err));
	expect_code(&err, "cannot_create_cert_path");
	X509_free(bad);
	OPENSSL_free(der);
}

/* An authority without extensions certifies nobody: its name is all that user_3 is given here. */
static void under_ca_4_no_ext(void **state)
{
	struct chain_world *w = *state;
	need_vectors();
	X509 *all[] = {w->cert[CA_1], w->cert[CA_2], w->cert[CA_3], w->cert[CA_4]};
	struct slt_chain c;
	struct slt_err err = SLT_ERR_INIT;
	X509 *under = X509_dup(w->cert[USER_3]);
	assert_int_equal(X509_set_issuer_name(under, X509_get_subject_name(w->cert[CA_4])), 1);
	assert_false(build(w, under, all, SLT_COUNT(all), IN_2012, true, &c, &err));
	expect_code(&err, "cannot_create_cert_path");
	X509_free(under);
}

static void expect_vouched(const struct chain_world *w, X509 *leaf, X509 *issuer,
			   enum pki_status status, const char *code)
{
	struct pki_cert subject = {.x509 = leaf}, ca = {.x509 = issuer};
	struct pki_ocsp o = {.single = {{&subject, &ca, status, .this_update = IN_2012}},
			     .responder = w->responder};
	SLT_AUTO_BUF(der, SLT_OCSP_BYTES_MAX);
	struct slt_err err = SLT_ERR_INIT;
	pki_ocsp(&o, &der);
	struct slt_str one = slt_buf_str(&der);
	struct slt_ocsp_source ocsp = {&one, 1};
	bool ok = slt_chain_verify(w->gc_listed, "EE", leaf, NULL, 0, &ocsp, IN_2012, true, NULL,
				   NULL, &err);
	if (code == NULL) {
		assert_true(ok);
	} else {
		assert_false(ok);
		expect_code(&err, code);
	}
}

static void with_ocsp(void **state)
{
	struct chain_world *w = *state;
	struct slt_err err = SLT_ERR_INIT;
	need_vectors();
	expect_vouched(w, w->cert[USER_0], w->cert[ROOT], PKI_GOOD, NULL);
	expect_vouched(w, w->cert[USER_3], w->cert[CA_3], PKI_GOOD, NULL);
	expect_vouched(w, w->cert[USER_3], w->cert[CA_3], PKI_REVOKED,
		       "invalid_cert_path.cert_validation");
	assert_false(slt_chain_verify(w->gc_listed, "EE", w->cert[USER_3], NULL, 0, NULL, IN_2012,
				      true, NULL, NULL, &err));
	expect_code(&err, "invalid_cert_path.cert_validation");
}

/* --- OCSP responses inside signatures --- */

static const xmlNode *find_element(const xmlNode *node, const char *name)
{
	const xmlNode *found = strcmp((const char *)node->name, name) == 0 ? node : NULL;
	for (const xmlNode *c = slt_xml_first(node); c != NULL && found == NULL;
	     c = slt_xml_next(c)) {
		found = find_element(c, name);
	}
	return found;
}

static void element_bytes(const xmlDoc *doc, const char *name, struct slt_buf *out)
{
	struct slt_err err = SLT_ERR_INIT;
	const xmlNode *e = find_element(xmlDocGetRootElement(doc), name);
	assert_non_null(e);
	assert_true(slt_xml_base64(e, out, &err));
}

struct signed_by {
	X509 *cert, *root;
	struct slt_buf ocsp;
	struct slt_globalconf *gc;
	struct slt_gc_ca ca;
};

static void open_signature(struct signed_by *s, const char *name)
{
	size_t n = 0;
	SLT_AUTO_STR char *text = read_vector(name, &n);
	SLT_AUTO_STR char *dir = gc_vector("globalconf/globalconf_good_v4");
	struct slt_gc_load_options o = {.allow_test_profile = true, .now_ms = -1};
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *warnings = NULL;
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	SLT_AUTO_BUF(cert, FILE_MAX);
	assert_true(slt_xml_parse(text, n, &SLT_XML_PEER, name, &doc, &err));
	slt_buf_init(&s->ocsp, SLT_OCSP_BYTES_MAX);
	element_bytes(doc, "EncapsulatedOCSPValue", &s->ocsp);
	element_bytes(doc, "X509Certificate", &cert);
	s->cert = cert_of_der(slt_buf_str(&cert));
	s->root = cert_vector("signatures/root-ca.pem");
	if (!slt_globalconf_load(dir, &o, &s->gc, &warnings, &err)) {
		fail_msg("%s", err.msg);
	}
	s->ca = (struct slt_gc_ca){.name = "given", .cert = s->root};
}

static void close_signature(struct signed_by *s)
{
	X509_free(s->cert);
	X509_free(s->root);
	slt_buf_fini(&s->ocsp);
	slt_globalconf_free(s->gc);
}

/* Its responder's name is written in the reverse order, and its thisUpdate lies ahead. */
static void expect_signature_vouched(const char *name)
{
	struct signed_by s;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_cert_path path;
	need_vectors();
	open_signature(&s, name);
	struct slt_str der = slt_buf_str(&s.ocsp);
	struct slt_ocsp_source ocsp = {&der, 1};
	if (!slt_chain_verify(s.gc, "EE", s.cert, NULL, 0, &ocsp, IN_2014, true, &s.ca, &path,
			      &err)) {
		fail_msg("%s", err.msg);
	}
	assert_true(path.ocsp.this_update > IN_2014);
	/* by ourselves, the time alone or the age of its algorithms is reason enough */
	assert_false(slt_chain_verify(s.gc, "EE", s.cert, NULL, 0, &ocsp, IN_2014, false, &s.ca,
				      &path, &err));
	assert_false(slt_chain_verify(s.gc, "EE", s.cert, NULL, 0, &ocsp,
				      path.ocsp.this_update + INT64_C(43000), true, &s.ca, &path,
				      &err));
	expect_code(&err, "invalid_cert_path.incorrect_validation_info");
	assert_non_null(strstr(err.msg, "is too old"));
	close_signature(&s);
}

static void sign_0(void **state)
{
	(void)state;
	expect_signature_vouched("signatures/sign-0.xml");
}

static void batch_sig(void **state)
{
	(void)state;
	expect_signature_vouched("signatures/batch-sig.xml");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ntree),
		cmocka_unit_test(user_0),
		cmocka_unit_test(user_3),
		cmocka_unit_test(user_3_missing_intermediate),
		cmocka_unit_test(user_3_invalid_signature),
		cmocka_unit_test(under_ca_4_no_ext),
		cmocka_unit_test(with_ocsp),
		cmocka_unit_test(sign_0),
		cmocka_unit_test(batch_sig),
	};
	slt_xml_init();
	return cmocka_run_group_tests(tests, set_up_chain, tear_down_chain);
}
