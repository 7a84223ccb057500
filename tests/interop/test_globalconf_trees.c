/* SPDX-License-Identifier: MIT */
/* Configuration caches of X-Road, versions 2 to 6, good and bad. */
#include "gc_vectors.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "federation/globalconf_cache.h"
#include "federation/globalconf_model.h"

static struct slt_globalconf *load(const char *tree, bool test_profile, int64_t now,
				   char **warnings)
{
	const struct slt_gc_load_options o = {.allow_test_profile = test_profile, .now_ms = now};
	char *path = gc_vector(tree);
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_globalconf_load(path, &o, &gc, warnings, &err)) {
		fail_msg("%s", err.msg);
	}
	free(path);
	return gc;
}

static struct slt_id id(enum slt_id_type type, const char *text, struct slt_arena *a)
{
	struct slt_id ret;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_id_parse(type, text, false, a, &ret, &err)) {
		fail_msg("%s", err.msg);
	}
	return ret;
}

static X509 *consumer_cert(void)
{
	char *path = gc_vector("configuration-client/consumer.pem");
	BIO *bio = BIO_new_file(path, "r");
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	assert_non_null(cert);
	BIO_free(bio);
	free(path);
	return cert;
}

/* --- the good trees ----------------------------------------------------------------------- */

struct tree {
	const char *path;
	int version; /* of EE */
	size_t n_instances, n_approved, n_ca, n_subsystems;
	const char *foreign[5]; /* and their versions */
	int foreign_version[5];
};

/* clang-format off */
static const struct tree trees[] = {
	{"globalconf/globalconf_good_v2", 2, 3, 5, 8, 1, {"bar", "foo"}, {2, 2}},
	{"globalconf/globalconf_good_v3", 3, 3, 5, 8, 1, {"bar", "foo_v2"}, {3, 2}},
	{"globalconf/globalconf_good_v4", 4, 4, 5, 8, 1, {"bar", "baz_v3", "foo_v2"}, {3, 3, 2}},
	{"globalconf/globalconf_good_v5", 5, 5, 5, 8, 2, {"bar", "baz_v3", "foo_v2", "qux_v4"},
	 {3, 3, 2, 4}},
	{"globalconf/globalconf_good_v6", 6, 6, 2, 5, 2, {"bar", "baz_v3", "foo_v2", "quux_v5", "qux_v4"},
	 {3, 3, 2, 5, 4}},
};
/* clang-format on */

static void instances(void **state)
{
	const struct tree *t = *state;
	char *warnings = NULL;
	struct slt_globalconf *gc = load(t->path, true, GC_NOW, &warnings);
	struct slt_gc_info info;

	assert_string_equal(slt_globalconf_own(gc), "EE");
	assert_int_equal(slt_globalconf_version(gc), t->version);
	assert_int_equal(slt_globalconf_ocsp_freshness(gc), 42);
	assert_true(slt_globalconf_verify_next_update(gc));
	slt_gc_instance_info(slt_globalconf_instance_at(gc, 0), &info);
	assert_int_equal(info.n_members, 3);
	assert_int_equal(info.n_subsystems, t->n_subsystems);
	assert_int_equal(info.n_servers, 4);
	assert_int_equal(info.n_groups, 1);
	assert_int_equal(info.n_cas, t->n_ca);
	assert_int_equal(info.n_tsas, 1);
	for (size_t i = 0; i < 5 && t->foreign[i]; i++) {
		const struct slt_gc_instance *in = slt_globalconf_instance(gc, t->foreign[i]);
		assert_ptr_equal(in, slt_globalconf_instance_at(gc, i + 1));
		slt_gc_instance_info(in, &info);
		assert_int_equal(info.version, t->foreign_version[i]);
	}
	assert_null(slt_globalconf_instance_at(gc, t->n_instances));
	assert_non_null(slt_globalconf_instance_at(gc, t->n_instances - 1));
	assert_null(warnings);
	slt_globalconf_free(gc);
}

static void servers_and_clients(void **state)
{
	const struct tree *t = *state;
	struct slt_globalconf *gc = load(t->path, true, GC_NOW, NULL);
	struct slt_arena *a = slt_arena_new();
	const struct slt_id producer = id(SLT_ID_MEMBER, "EE/BUSINESS/producer", a);
	const struct slt_id consumer = id(SLT_ID_MEMBER, "EE/BUSINESS/consumer", a);
	const struct slt_id foo = id(SLT_ID_MEMBER, "EE/BUSINESS/foo", a);
	const struct slt_id sub = id(SLT_ID_SUBSYSTEM, "EE/BUSINESS/foo/foosubsystem", a);
	const struct slt_id stranger = id(SLT_ID_SUBSYSTEM, "EE/BUSINESS/foo/none", a);
	const struct slt_gc_server *s = slt_globalconf_server_of(gc, &sub, 0);

	assert_non_null(s);
	assert_string_equal(s->id.server, "producerServerCode");
	assert_string_equal(s->id.member_code, "producer");
	assert_string_equal(s->address, "127.0.0.1");
	assert_null(slt_globalconf_server_of(gc, &sub, 1));
	assert_int_equal(slt_gc_server_client_count(s), 4);
	assert_true(slt_globalconf_serves(gc, s, &producer));
	assert_true(slt_globalconf_serves(gc, s, &consumer));
	assert_true(slt_globalconf_serves(gc, s, &sub));
	assert_false(slt_globalconf_serves(gc, s, &stranger));
	/* owner of two, client of one, and of one of its own again */
	assert_non_null(slt_globalconf_server_of(gc, &foo, 2));
	assert_null(slt_globalconf_server_of(gc, &foo, 3));
	s = slt_globalconf_server_of(gc, &foo, 1);
	assert_string_equal(s->id.server, "fooServerCode");
	assert_null(s->address);
	assert_false(slt_globalconf_serves(gc, s, &consumer));
	assert_string_equal(slt_globalconf_client(gc, &foo)->name, "Org with no address");
	assert_null(slt_globalconf_client(gc, &stranger));
	const struct slt_id server = id(SLT_ID_SERVER, "EE/BUSINESS/foo/FooBarServerCode", a);
	s = slt_globalconf_server(gc, &server);
	assert_string_equal(s->address, "https://foo.bar.baz");
	assert_int_equal(s->maintenance, t->version >= 5);
	slt_arena_free(a);
	slt_globalconf_free(gc);
}

static void registered_certificate(void **state)
{
	const struct tree *t = *state;
	struct slt_globalconf *gc = load(t->path, true, GC_NOW, NULL);
	X509 *cert = consumer_cert();
	const struct slt_gc_server *s = slt_globalconf_auth_cert_server(gc, cert);

	/* from version 3 on these trees hold the SHA-256 of the PEM file: nobody's certificate */
	if (t->version == 2) {
		assert_non_null(s);
		assert_string_equal(s->id.instance, "EE");
		assert_string_equal(s->id.server, "consumerServerCode");
		assert_null(slt_globalconf_auth_cert_server_at(gc, cert, 1));
	} else {
		assert_null(s);
	}
	X509_free(cert);
	slt_globalconf_free(gc);
}

static void groups(void **state)
{
	const struct tree *t = *state;
	struct slt_globalconf *gc = load(t->path, true, GC_NOW, NULL);
	struct slt_arena *a = slt_arena_new();
	const struct slt_id group = {
		.type = SLT_ID_GLOBALGROUP, .instance = "EE", .group = "Test group"};
	const struct slt_id other = {
		.type = SLT_ID_GLOBALGROUP, .instance = "EE", .group = "test group"};
	const struct slt_id elsewhere = {
		.type = SLT_ID_GLOBALGROUP, .instance = "nowhere", .group = "Test group"};
	const struct slt_id sub = id(SLT_ID_SUBSYSTEM, "EE/BUSINESS/member1/subsys", a);
	const struct slt_id parent = id(SLT_ID_MEMBER, "EE/BUSINESS/member1", a);
	const struct slt_id member = id(SLT_ID_MEMBER, "EE/BUSINESS/member4", a);
	const struct slt_id its_sub = id(SLT_ID_SUBSYSTEM, "EE/BUSINESS/member4/x", a);

	assert_true(slt_globalconf_in_group(gc, &sub, &group));
	assert_true(slt_globalconf_in_group(gc, &member, &group));
	assert_false(slt_globalconf_in_group(gc, &parent, &group));
	assert_false(slt_globalconf_in_group(gc, &its_sub, &group));
	assert_false(slt_globalconf_in_group(gc, &member, &other));
	assert_false(slt_globalconf_in_group(gc, &member, &elsewhere));
	slt_arena_free(a);
	slt_globalconf_free(gc);
}

static void authorities(void **state)
{
	const struct tree *t = *state;
	struct slt_globalconf *gc = load(t->path, true, GC_NOW, NULL);
	struct slt_globalconf *strict = load(t->path, false, GC_NOW, NULL);
	size_t n = 0;

	for (; slt_globalconf_ca_at(gc, n); n++) {
		const struct slt_gc_ca *ca = slt_globalconf_ca_at(gc, n);
		const struct slt_gc_ca *found = slt_globalconf_find_ca(
			gc, slt_globalconf_own(gc), X509_get_subject_name(ca->cert));
		assert_non_null(ca->name);
		assert_true(n >= t->n_ca || found);
		if (strstr(ca->profile_class, "TestCertificateProfileInfoProvider")) {
			assert_int_equal(ca->profile, SLT_PROFILE_TEST);
			assert_int_equal(slt_globalconf_ca_at(strict, n)->profile,
					 SLT_PROFILE_UNKNOWN);
		}
	}
	assert_true(n > t->n_ca);
	size_t tsa = 0;
	while (slt_globalconf_tsa_at(gc, NULL, tsa)) {
		tsa++;
	}
	assert_int_equal(tsa, t->n_instances);
	assert_non_null(slt_globalconf_tsa_at(gc, "bar", 0));
	assert_null(slt_globalconf_tsa_at(gc, "bar", 1));
	slt_globalconf_free(strict);
	slt_globalconf_free(gc);
}

/* 2124-05-20T17:42:55Z */
static void expiry(void **state)
{
	const struct tree *t = *state;
	const int64_t end = INT64_C(4871900575000);
	struct slt_globalconf *gc = load(t->path, true, GC_NOW, NULL);
	struct slt_err err = SLT_ERR_INIT;
	char *warnings = NULL;

	assert_true(slt_globalconf_check_valid(gc, end, &err));
	assert_false(slt_globalconf_check_valid(gc, end + 1, &err));
	assert_int_equal(err.code, SLT_EOUTDATED_GLOBALCONF);
	slt_globalconf_free(gc);
	gc = load(t->path, true, end + 1, &warnings);
	assert_null(slt_globalconf_instance_at(gc, 1));
	assert_non_null(strstr(warnings, "instance bar is left out"));
	free(warnings);
	slt_globalconf_free(gc);
}

/* --- old and bare trees ------------------------------------------------------------------- */

static void good2_v3(void **state)
{
	struct slt_globalconf *gc = load("globalconf/globalconf_good2_v3", false, GC_NOW, NULL);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_gc_info info;

	(void)state;
	slt_gc_instance_info(slt_globalconf_instance_at(gc, 0), &info);
	assert_string_equal(info.name, "DEV");
	assert_int_equal(info.version, 3);
	assert_int_equal(info.n_members, 2);
	assert_int_equal(info.n_subsystems, 3);
	assert_int_equal(info.n_cas, 1);
	/* its certificates are base64 of PEM */
	assert_int_equal(slt_globalconf_ca_at(gc, 0)->profile, SLT_PROFILE_FIVRK);
	assert_non_null(slt_globalconf_ca_at(gc, 0)->ocsp[0].cert);
	/* and until when it is valid it does not say: good for reading, not for working with */
	assert_int_equal(info.expires_ms, 0);
	assert_false(slt_globalconf_check_valid(gc, GC_NOW, &err));
	assert_int_equal(err.code, SLT_EOUTDATED_GLOBALCONF);
	slt_globalconf_free(gc);
}

static void archive(void **state)
{
	struct slt_globalconf *gc = load("archive/globalconf", false, GC_NOW, NULL);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_string_equal(slt_globalconf_own(gc), "CS");
	assert_int_equal(slt_globalconf_version(gc), 3);
	assert_true(slt_globalconf_check_valid(gc, GC_NOW, &err));
	slt_globalconf_free(gc);
}

/* --- the bad trees ------------------------------------------------------------------------ */

static void refused(const char *tree, enum slt_code code)
{
	const struct slt_gc_load_options o = {.now_ms = GC_NOW};
	char *path = gc_vector(tree);
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;

	assert_false(slt_globalconf_load(path, &o, &gc, NULL, &err));
	assert_int_equal(err.code, code);
	assert_null(gc);
	free(path);
}

static void globalconf_empty(void **state)
{
	(void)state;
	refused("globalconf/globalconf_empty", SLT_EMALFORMED_GLOBALCONF);
}

static void globalconf_malformed(void **state)
{
	(void)state;
	refused("globalconf/globalconf_malformed", SLT_EMALFORMED_GLOBALCONF);
}

static void globalconf_missing_identifier(void **state)
{
	(void)state;
	refused("globalconf/globalconf_missing_identifier", SLT_EGC_MISSING_INSTANCE);
}

static void no_such_directory(void **state)
{
	const struct slt_gc_load_options o = {.now_ms = GC_NOW};
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_false(slt_globalconf_load("/nonexistent/globalconf", &o, &gc, NULL, &err));
	assert_int_equal(err.code, SLT_EGC_MISSING_INSTANCE);
}

/* --- the optional part -------------------------------------------------------------------- */

static bool nextupdate(const char *name, bool *ret, struct slt_err *err)
{
	char *path = gc_vector(name);
	size_t n = 0;
	char *text = gc_read(path, &n);
	bool ok = slt_gc_nextupdate_parse(text, n, ret, err);

	free(text);
	free(path);
	return ok;
}

static void nextupdate_params(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	bool verify = true;

	(void)state;
	assert_true(nextupdate("globalconf/valid-nextupdate-params.xml", &verify, &err));
	assert_false(verify);
	verify = true;
	assert_false(nextupdate("globalconf/invalid-nextupdate-params.xml", &verify, &err));
	assert_int_equal(err.code, SLT_EMALFORMED_GLOBALCONF);
	assert_false(nextupdate("globalconf/empty-nextupdate-params.xml", &verify, &err));
	assert_false(nextupdate("globalconf/valid-fetchinterval-params.xml", &verify, &err));
	assert_true(verify);
}

int main(void)
{
	static const struct {
		const char *name;
		CMUnitTestFunction run;
	} each[] = {
		{"instances", instances},
		{"servers_and_clients", servers_and_clients},
		{"registered_certificate", registered_certificate},
		{"groups", groups},
		{"authorities", authorities},
		{"expiry", expiry},
	};
	const struct CMUnitTest once[] = {
		cmocka_unit_test(good2_v3),
		cmocka_unit_test(archive),
		cmocka_unit_test(globalconf_empty),
		cmocka_unit_test(globalconf_malformed),
		cmocka_unit_test(globalconf_missing_identifier),
		cmocka_unit_test(no_such_directory),
		cmocka_unit_test(nextupdate_params),
	};
	struct CMUnitTest tests[SLT_COUNT(trees) * SLT_COUNT(each) + SLT_COUNT(once)];
	struct slt_arena *a = slt_arena_new();
	size_t n = 0;

	for (size_t i = 0; i < SLT_COUNT(trees); i++) {
		for (size_t k = 0; k < SLT_COUNT(each); k++) {
			const char *name =
				slt_arena_printf(a, "%s %s", trees[i].path + 11, each[k].name);
			tests[n++] = (struct CMUnitTest){name, each[k].run, NULL, NULL,
							 (void *)(uintptr_t)&trees[i]};
		}
	}
	memcpy(&tests[n], once, sizeof(once));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	slt_arena_free(a);
	return failed;
}
