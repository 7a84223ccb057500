/* SPDX-License-Identifier: MIT */
/* What is remembered of TLS peers, and what is judged again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/pki.h"
#include "verify_cache.h"

#define HOUR INT64_C(3600000)

static struct pki_cert *ca, *ss, *other_ss;
static struct pki_gc_instance instance;
static struct slt_globalconf *gc;
static struct slt_verify_cache *cache;
static struct slt_buf ocsp, newer, revoked;
static struct slt_arena *arena;

static void respond(struct slt_buf *b, int64_t this_update, enum pki_status status)
{
	struct pki_ocsp o = {.single[0] = {.cert = ss, .issuer = ca, .status = status}};

	o.single[0].this_update = this_update;
	o.single[0].revoked_at = PKI_NOT_BEFORE;
	slt_buf_init(b, SLT_OCSP_BYTES_MAX);
	pki_ocsp(&o, b);
}

static int set_up(void **state)
{
	(void)state;
	ca = pki_ca(NULL, "C=FI;CN=CA", PKI_P256, 0);
	/* it outlives the configuration */
	ss = pki_issue(ca, &(struct pki_spec){.subject = "C=FI;CN=ss1",
					      .kind = PKI_P256,
					      .key_index = 1,
					      .not_after = PKI_NOT_AFTER + HOUR,
					      .ext = {"keyUsage=critical,digitalSignature",
						      "extendedKeyUsage=clientAuth"}});
	other_ss = pki_auth_cert(ca, "C=FI;CN=ss2", PKI_P256, 2);
	instance = (struct pki_gc_instance){
		.name = "FI",
		.ca[0] = {.top = ca},
		.server[0] = {.id = "FI/COM/1/ss1",
			      .address = "ss1.invalid",
			      .auth = {ss},
			      .client = {"FI/COM/1/sub"}},
		.member = {"FI/COM/2"},
	};
	gc = pki_globalconf(&instance, 1);
	cache = slt_verify_cache_new(gc);
	arena = slt_arena_new();
	respond(&ocsp, PKI_NOW - 60000, PKI_GOOD);
	respond(&newer, PKI_NOW, PKI_GOOD);
	respond(&revoked, PKI_NOW, PKI_REVOKED);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	slt_buf_fini(&ocsp);
	slt_buf_fini(&newer);
	slt_buf_fini(&revoked);
	slt_arena_free(arena);
	slt_verify_cache_free(cache);
	slt_globalconf_free(gc);
	pki_cert_free(ca);
	pki_cert_free(ss);
	pki_cert_free(other_ss);
	return 0;
}

struct attempt {
	struct slt_verify_cache *cache;
	const struct slt_globalconf *gc;
	const struct pki_cert *cert, *second;
	const struct slt_buf *ocsp[2];
	const char *member;
	int64_t now_ms;
};

static struct attempt usual(void)
{
	return (struct attempt){cache, gc, ss, NULL, {&ocsp, NULL}, "FI/COM/1/sub", PKI_NOW};
}

/* code "": good */
static void expect(const struct attempt *t, const char *code, uint64_t asked, uint64_t found)
{
	X509 *chain[2] = {t->cert->x509, t->second != NULL ? t->second->x509 : NULL};
	struct slt_str der[2];
	struct slt_id member;
	struct slt_tls_peer p = {.gc = t->gc,
				 .chain = chain,
				 .n = t->second != NULL ? 2 : 1,
				 .ocsp = {der, 0},
				 .member = &member};
	struct slt_err err = SLT_ERR_INIT;
	char got[160] = "";
	uint64_t a = 0, f = 0;
	int missing = -7;

	for (size_t i = 0; i < SLT_COUNT(t->ocsp) && t->ocsp[i] != NULL; i++) {
		der[p.ocsp.n++] = slt_buf_str(t->ocsp[i]);
	}
	assert_true(slt_id_parse_client(t->member, false, arena, &member, &err));
	if (!slt_verify_cache_tls_peer(t->cache, &p, t->now_ms, &missing, &err)) {
		slt_err_fault_code(&err, SLT_DIALECT_SNAKE, got, sizeof(got));
		assert_true(missing >= -1);
	}
	if (strcmp(got, code) != 0) {
		fail_msg("got \"%s\" (%s), expected \"%s\"", got, err.msg, code);
	}
	slt_verify_cache_counts(cache, &a, &f);
	assert_int_equal(a, asked);
	assert_int_equal(f, found);
}

#define REFUSED "ssl_authentication_failed"

static void remembers_who_was_good(void **state)
{
	struct attempt t = usual();

	(void)state;
	expect(&t, "", 1, 0);
	expect(&t, "", 2, 1);
	t.member = "FI/COM/1"; /* the owner: found good by itself */
	expect(&t, "", 3, 1);
	expect(&t, "", 4, 2);
}

static void judges_others_anew(void **state)
{
	struct attempt t = usual();

	(void)state;
	expect(&t, "", 1, 0);
	t.member = "FI/COM/2"; /* not this server's client */
	expect(&t, REFUSED, 2, 0);
	expect(&t, REFUSED, 3, 0);
	t = usual();
	t.cert = other_ss;
	expect(&t, REFUSED, 4, 0);
	t = usual();
	t.second = ca;
	expect(&t, "", 5, 0);
	expect(&t, "", 6, 1);
}

static void judges_other_responses_anew(void **state)
{
	struct attempt t = usual();

	(void)state;
	expect(&t, "", 1, 0);
	t.ocsp[0] = &newer;
	expect(&t, "", 2, 0);
	t.ocsp[0] = &revoked;
	expect(&t, REFUSED ".invalid_cert_path.cert_validation", 3, 0);
	t.ocsp[0] = &ocsp;
	t.ocsp[1] = &revoked;
	expect(&t, REFUSED ".invalid_cert_path.cert_validation", 4, 0);
	t.ocsp[0] = NULL;
	expect(&t, REFUSED ".invalid_cert_path.cert_validation", 5, 0);
	t = usual();
	expect(&t, "", 6, 1);
}

static void remembers_no_failure(void **state)
{
	struct attempt t = usual();

	(void)state;
	t.ocsp[0] = &revoked;
	expect(&t, REFUSED ".invalid_cert_path.cert_validation", 1, 0);
	expect(&t, REFUSED ".invalid_cert_path.cert_validation", 2, 0);
}

static void forgets_in_time(void **state)
{
	struct attempt t = usual();

	(void)state;
	expect(&t, "", 1, 0);
	t.now_ms = PKI_NOW + HOUR - 61000;
	expect(&t, "", 2, 1);
	t.now_ms = PKI_NOW + HOUR - 59000;
	expect(&t, REFUSED ".invalid_cert_path.incorrect_validation_info", 3, 1);
	t.now_ms = PKI_NOW - 1; /* nothing was learnt about instants before the first */
	expect(&t, "", 4, 1);
}

static void belongs_to_one_snapshot(void **state)
{
	struct attempt t = usual();
	struct pki_gc_instance changed = instance;

	(void)state;
	expect(&t, "", 1, 0);
	changed.server[0].auth[0] = other_ss; /* the certificate is deregistered */

	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *now = pki_globalconf(&changed, 1);

	t.gc = now;
	expect(&t, REFUSED, 1, 0);
	t = usual();
	t.cache = NULL;
	expect(&t, "", 1, 0);
}

/* All that comes from elsewhere stays good: still the configuration may not have expired. */
static void asks_for_a_valid_configuration(void **state)
{
	struct attempt t = usual();
	struct slt_buf late;

	(void)state;
	respond(&late, PKI_NOT_AFTER - 60000, PKI_GOOD);
	t.ocsp[0] = &late;
	t.now_ms = PKI_NOT_AFTER - 60000;
	expect(&t, "", 1, 0);
	t.now_ms = PKI_NOT_AFTER;
	expect(&t, "", 2, 1);
	t.now_ms = PKI_NOT_AFTER + 60000;
	expect(&t, REFUSED ".global_conf_outdated", 3, 2);
	slt_buf_fini(&late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(remembers_who_was_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(judges_others_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(judges_other_responses_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(remembers_no_failure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forgets_in_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(belongs_to_one_snapshot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(asks_for_a_valid_configuration, set_up, tear_down),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
