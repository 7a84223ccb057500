/* SPDX-License-Identifier: MIT */
/* What a remembered certificate spares, and what it must not. */
#include "verify_cache.h"
#include "xades_fixture.h"

#include <pthread.h>

static struct slt_verify_cache *cache;

static int set_up_cache(void **state)
{
	(void)state;
	cache = slt_verify_cache_new(gc);
	return 0;
}

static int tear_down_cache(void **state)
{
	(void)state;
	slt_verify_cache_free(cache);
	return 0;
}

static void expect_counts(uint64_t asked, uint64_t found)
{
	uint64_t a = 0, f = 0;

	slt_verify_cache_counts(cache, &a, &f);
	assert_int_equal(a, asked);
	assert_int_equal(f, found);
}

static void remembers_good_certificates(void **state)
{
	struct slt_signed s = sign(&rsa, 1), t = sign(&p256, 1);
	struct check c = {.signature = s.signature, .memory = slt_verify_cache_memory(cache)};

	(void)state;
	expect(&c, "", "");
	expect_counts(1, 0);
	expect(&c, "", "");
	expect_counts(2, 1);
	c.signature = t.signature; /* another certificate of the same member */
	expect(&c, "", "");
	expect_counts(3, 1);
	expect(&c, "", "");
	expect_counts(4, 2);
	slt_signed_fini(&s);
	slt_signed_fini(&t);
}

static void checks_the_signature_every_time(void **state)
{
	struct slt_signed s = sign(&rsa, 1);
	struct slt_id other_id = signer_id;
	struct check c = {.signature = s.signature, .memory = slt_verify_cache_memory(cache)};
	const char *at = strstr(s.signature, "<ds:SignatureValue Id=\"signature-value\">") + 45;
	SLT_AUTO_STR char *forged = slt_strdup(s.signature);

	(void)state;
	expect(&c, "", "");
	c.message = "other";
	expect(&c, "invalid_signature_value", "/message.xml");
	c.message = NULL;
	other_id.member_code = "9";
	c.signer = &other_id;
	expect(&c, "incorrect_certificate", MEMBER);
	c.signer = NULL;
	forged[at - s.signature] = *at == 'A' ? 'B' : 'A';
	c.signature = forged;
	expect(&c, "invalid_signature_value", "signature value");
	expect_counts(4, 3);
	slt_signed_fini(&s);
}

static void forgets_in_time(void **state)
{
	struct slt_signed s = sign(&rsa, 1);
	struct check c = {.signature = s.signature, .memory = slt_verify_cache_memory(cache)};

	(void)state;
	expect(&c, "", "");
	/* the response was made a minute before and is fresh for an hour */
	c.at_ms = PKI_NOW + (PKI_FRESHNESS - 61) * INT64_C(1000);
	expect(&c, "", "");
	expect_counts(2, 1);
	c.at_ms = PKI_NOW + (PKI_FRESHNESS - 59) * INT64_C(1000);
	expect(&c, "invalid_cert_path.incorrect_validation_info", "");
	expect_counts(3, 1);
	/* nothing was learnt about instants before the first */
	c.at_ms = PKI_NOW - 1;
	expect(&c, "", "");
	expect_counts(4, 1);
	slt_signed_fini(&s);
}

static void keeps_lax_apart_from_strict(void **state)
{
	struct slt_signed s = sign(&wrong_ca, 1);
	struct check c = {
		.signature = s.signature, .memory = slt_verify_cache_memory(cache), .lax = true};

	(void)state;
	expect(&c, "", "");
	c.lax = false;
	expect(&c, "malformed_signature", "for authentication certificates only");
	expect_counts(2, 0);
	c.lax = true;
	expect(&c, "", "");
	expect_counts(3, 1);
	assert_true(c.n_warnings > 0);
	slt_signed_fini(&s);
}

static void refuses_nothing_into_memory(void **state)
{
	struct slt_buf kept = rsa.ocsp;
	struct slt_signed s;
	struct check c = {.memory = slt_verify_cache_memory(cache)};

	(void)state;
	rsa.ocsp = p256.ocsp; /* vouches for another certificate */
	s = sign(&rsa, 1);
	rsa.ocsp = kept;
	c.signature = s.signature;
	expect(&c, "invalid_cert_path.cert_validation", "");
	expect(&c, "invalid_cert_path.cert_validation", "");
	expect_counts(2, 0);
	slt_signed_fini(&s);
}

static void serves_its_own_configuration_only(void **state)
{
	struct pki_gc_instance inst = {.name = "FI", .ca = {{.top = other}}};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *changed = pki_globalconf(&inst, 1);
	struct slt_globalconf *kept = gc;
	struct slt_signed s = sign(&rsa, 1);
	struct check c = {.signature = s.signature, .memory = slt_verify_cache_memory(cache)};

	(void)state;
	expect(&c, "", "");
	gc = changed; /* in which the authority is no longer approved */
	expect(&c, "internal_error", "not an approved");
	gc = kept;
	expect_counts(1, 0);
	slt_signed_fini(&s);
}

/* Members under a listed intermediate send it along with every signature. */
static void covers_certificates_brought_along(void **state)
{
	struct slt_key *k = rsa.key;
	struct slt_signed s, plain = sign(&rsa, 1);
	struct check c = {.memory = slt_verify_cache_memory(cache)};

	(void)state;
	k->chain = sk_X509_new_null();
	assert_true(sk_X509_push(k->chain, ca->x509) > 0);
	s = sign(&rsa, 1);
	sk_X509_free(k->chain);
	k->chain = NULL;

	const char *refs = strstr(s.signature, "<xades:CertRefs>");
	const char *digest = strstr(refs, "<ds:DigestValue>") + 20;
	const char *cert = strstr(s.signature, "<xades:EncapsulatedX509Certificate") + 100;
	SLT_AUTO_STR char *bad_digest = slt_strdup(s.signature);
	SLT_AUTO_STR char *bad_cert = slt_strdup(s.signature);
	SLT_AUTO_STR char *bad_uri =
		replace(s.signature, "URI=\"#encapsulated-cert-0\"", "URI=\"#elsewhere\"");

	bad_digest[digest - s.signature] = *digest == 'A' ? 'B' : 'A';
	bad_cert[cert - s.signature] = *cert == 'A' ? 'B' : 'A';
	c.signature = s.signature;
	expect(&c, "", "");
	expect(&c, "", "");
	expect_counts(2, 1);
	c.signature = plain.signature; /* it is another finding, if not another certificate */
	expect(&c, "", "");
	expect_counts(3, 1);
	c.signature = bad_digest;
	expect(&c, "malformed_signature", "its digest does not match");
	c.signature = bad_cert;
	expect(&c, "malformed_signature", "extra certificate");
	expect_counts(5, 1);
	c.signature = bad_uri; /* not even asked for */
	expect(&c, "malformed_signature", "no element with this Id");
	expect_counts(5, 1);
	slt_signed_fini(&s);
	slt_signed_fini(&plain);
}

struct job {
	struct slt_verify_input in;
	struct slt_verify_part part;
	struct slt_signed s;
};

static void *verify_often(void *arg)
{
	const struct job *j = arg;

	for (int i = 0; i < 50; i++) {
		struct slt_err err = SLT_ERR_INIT;
		struct slt_verdict v;

		if (!slt_xades_verify(&j->in, &v, &err)) {
			return arg;
		}
		slt_verdict_fini(&v);
	}
	return NULL;
}

static void serves_many_threads(void **state)
{
	struct signer *all[] = {&rsa, &rsa, &p256, &p256};
	struct job job[SLT_COUNT(all)];
	pthread_t t[SLT_COUNT(all)];
	uint64_t asked = 0, found = 0;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		struct job *j = &job[i];

		j->s = sign(all[i], 1);
		j->part = (struct slt_verify_part){.name = "/message.xml",
						   .data = SLT_STR_C(MESSAGE)};
		j->in = (struct slt_verify_input){
			.gc = gc,
			.signer = signer_id,
			.at_ms = PKI_NOW,
			.signature = slt_str(j->s.signature),
			.parts = &j->part,
			.n_parts = 1,
			.memory = slt_verify_cache_memory(cache),
		};
		assert_int_equal(pthread_create(&t[i], NULL, verify_often, j), 0);
	}
	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		void *failed = NULL;

		assert_int_equal(pthread_join(t[i], &failed), 0);
		assert_null(failed);
		slt_signed_fini(&job[i].s);
	}
	slt_verify_cache_counts(cache, &asked, &found);
	assert_int_equal(asked, 50 * SLT_COUNT(all));
	assert_true(found >= asked - SLT_COUNT(all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(remembers_good_certificates, set_up_cache,
						tear_down_cache),
		cmocka_unit_test_setup_teardown(checks_the_signature_every_time, set_up_cache,
						tear_down_cache),
		cmocka_unit_test_setup_teardown(covers_certificates_brought_along, set_up_cache,
						tear_down_cache),
		cmocka_unit_test_setup_teardown(forgets_in_time, set_up_cache, tear_down_cache),
		cmocka_unit_test_setup_teardown(keeps_lax_apart_from_strict, set_up_cache,
						tear_down_cache),
		cmocka_unit_test_setup_teardown(refuses_nothing_into_memory, set_up_cache,
						tear_down_cache),
		cmocka_unit_test_setup_teardown(serves_its_own_configuration_only, set_up_cache,
						tear_down_cache),
		cmocka_unit_test_setup_teardown(serves_many_threads, set_up_cache, tear_down_cache),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
