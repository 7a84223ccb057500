/* SPDX-License-Identifier: MIT */
/*
 * Signed configuration directories of X-Road, with the outcome that X-Road gives. Each vector is
 * one test, named after its file.
 */
#include "gc_vectors.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "federation/gccert.h"
#include "federation/globalconf_dir.h"
#include "federation/globalconf_model.h"

#define ANCHOR	 "anchors/configuration_anchor_CS_internal.xml"
#define V3	 "signed-directories/V3/20240408142911166434000/"
#define V4	 "signed-directories/V4/20240529203822880997000/"
#define V5	 "signed-directories/V5/20250303143911136407000/"
#define V6	 "signed-directories/V6/20251110170000548026000/"
#define LONG_AGO INT64_C(1746057600000) /* 2025-05-01 */

struct vector {
	const char *directory;
	/* whose certificates: an anchor, shared parameters, or a PEM file */
	const char *certs;
	const char *instance;
	const char *root; /* of the parts; NULL: they are not looked at */
	int64_t now_ms;
	enum slt_code expected;
	int version;
	size_t n_parts;
};

static void certs_of_sources(const struct slt_gc_instance *in, struct slt_gccert_list *ret)
{
	for (size_t i = 0; i < in->n_source; i++) {
		const struct slt_gc_source *s = &in->source[i];
		for (size_t k = 0; k < s->n_internal; k++) {
			X509_up_ref(s->internal[k]);
			slt_gccert_list_add(ret, s->internal[k]);
		}
		for (size_t k = 0; k < s->n_external; k++) {
			X509_up_ref(s->external[k]);
			slt_gccert_list_add(ret, s->external[k]);
		}
	}
}

static void certs_of_anchor(const struct slt_anchor *a, struct slt_gccert_list *ret)
{
	for (size_t i = 0; i < a->n_sources; i++) {
		for (size_t k = 0; k < a->sources[i].n_certs; k++) {
			X509_up_ref(a->sources[i].certs[k]);
			slt_gccert_list_add(ret, a->sources[i].certs[k]);
		}
	}
}

static void load_certs(const char *name, struct slt_gccert_list *ret)
{
	const struct gc_parse_options o = {.sources_only = true};
	char *path = gc_vector(name);
	struct slt_err err = SLT_ERR_INIT;
	size_t n = 0;
	char *text = gc_read(path, &n);

	if (strstr(name, ".pem")) {
		BIO *bio = BIO_new_mem_buf(text, (int)n);
		slt_gccert_list_add(ret, PEM_read_bio_X509(bio, NULL, NULL, NULL));
		BIO_free(bio);
	} else if (strstr(name, "shared-params")) {
		struct slt_gc_instance *in = NULL;
		assert_true(slt_gc_instance_parse(text, n, &o, NULL, &in, &err));
		certs_of_sources(in, ret);
		slt_gc_instance_free(in);
	} else {
		struct slt_anchor *a = NULL;
		assert_true(slt_anchor_parse(text, n, &a, &err));
		certs_of_anchor(a, ret);
		slt_anchor_free(a);
	}
	assert_true(ret->n > 0);
	free(text);
	free(path);
}

static bool check_parts(const struct slt_directory *d, const char *root, struct slt_err *err)
{
	char *base = gc_vector(root);
	bool ok = true;

	for (size_t i = 0; i < d->n_parts && ok; i++) {
		char *path = slt_asprintf("%s%s", base, d->parts[i].location);
		size_t n = 0;
		char *bytes = gc_read(path, &n);
		ok = slt_directory_check_part(&d->parts[i], bytes, n, err);
		free(bytes);
		free(path);
	}
	free(base);
	return ok;
}

static void run(void **state)
{
	const struct vector *v = *state;
	char *path = gc_vector(v->directory);
	struct slt_gccert_list certs = {0};
	struct slt_directory *d = NULL;
	struct slt_err err = SLT_ERR_INIT;
	size_t n = 0;
	char *bytes = gc_read(path, &n);

	load_certs(v->certs, &certs);
	bool ok = slt_directory_verify(bytes, n, certs.v, certs.n, v->now_ms, &d, &err);
	if (ok) {
		ok = slt_directory_check_instance(d, v->instance, &err) &&
		     (!v->root || check_parts(d, v->root, &err));
		assert_int_equal(d->version, v->version);
		assert_int_equal(d->n_parts, v->n_parts);
	}
	if (err.code != v->expected) {
		fail_msg("expected %s, got %s: %s", slt_code_name(v->expected, SLT_DIALECT_SNAKE),
			 slt_code_name(err.code, SLT_DIALECT_SNAKE), err.msg);
	}
	assert_int_equal(ok, v->expected == SLT_OK);
	slt_directory_free(d);
	slt_gccert_list_fini(&certs);
	free(bytes);
	free(path);
}

#define SD  "signed-directories/"
#define CC  "configuration-client/"
#define PEM CC "consumer.pem"

/* clang-format off */
static const struct vector vectors[] = {
	{SD "V3/internalconf", V3 "shared-params.xml", "CS",  "signed-directories", GC_NOW, SLT_OK, 3, 2},
	{SD "V3/externalconf", V3 "shared-params.xml", "CS",  "signed-directories", GC_NOW, SLT_OK, 3, 1},
	{SD "V4/internalconf", V4 "shared-params.xml", "DEV", "signed-directories", GC_NOW, SLT_OK, 4, 2},
	{SD "V4/externalconf", V4 "shared-params.xml", "DEV", "signed-directories", GC_NOW, SLT_OK, 4, 1},
	{SD "V5/internalconf", V5 "shared-params.xml", "DEV", "signed-directories", GC_NOW, SLT_OK, 5, 2},
	{SD "V5/externalconf", V5 "shared-params.xml", "DEV", "signed-directories", GC_NOW, SLT_OK, 5, 1},
	{SD "V6/internalconf", ANCHOR,                 "DEV", "signed-directories", GC_NOW, SLT_OK, 6, 2},
	/* signed, and its shared parameters are not those that it vouches for */
	{SD "V6/externalconf", V6 "shared-params.xml", "DEV", "signed-directories", GC_NOW, SLT_EGC_INTEGRITY, 6, 1},
	{SD "V6/externalconf", V6 "shared-params.xml", "DEV", NULL, GC_NOW, SLT_OK, 6, 1},
	/* a key that the anchor does not name; that shared parameters of another time do not name */
	{SD "V6/externalconf", ANCHOR,                 "DEV", NULL, GC_NOW, SLT_EGC_MISSING_CERT, 0, 0},
	{SD "V6/internalconf", V6 "shared-params.xml", "DEV", NULL, GC_NOW, SLT_EGC_MISSING_CERT, 0, 0},
	{SD "V5/internalconf", ANCHOR,                 "DEV", NULL, GC_NOW, SLT_EGC_MISSING_CERT, 0, 0},
	{SD "V3/internalconf", V4 "shared-params.xml", "CS",  NULL, GC_NOW, SLT_EGC_MISSING_CERT, 0, 0},
	{SD "V3/internalconf", V3 "shared-params.xml", "DEV", NULL, GC_NOW, SLT_EGC_INSTANCE, 3, 2},
	{SD "V6/internalconf", ANCHOR,                 "dev", NULL, GC_NOW, SLT_EGC_INSTANCE, 6, 2},
	/* 2035-11-11T03:07:40Z is the last good second */
	{SD "V6/internalconf", ANCHOR,                 "DEV", NULL, INT64_C(2078363260000), SLT_OK, 6, 2},
	{SD "V6/internalconf", ANCHOR,                 "DEV", NULL, INT64_C(2078363260001), SLT_EOUTDATED_GLOBALCONF, 0, 0},

	{CC "test-conf-simple.txt",            PEM, "EE", NULL, LONG_AGO, SLT_OK, 0, 3},
	{CC "test-conf-simple.txt",            PEM, "EE", NULL, -1,       SLT_OK, 0, 3},
	{CC "test-conf-simple.txt",            PEM, "EE", NULL, GC_NOW,   SLT_EOUTDATED_GLOBALCONF, 0, 0},
	{CC "test-conf-simple.txt",            PEM, "FI", NULL, LONG_AGO, SLT_EGC_INSTANCE, 0, 3},
	{CC "test-conf-simple.txt", CC "configuration-anchor1.xml", "EE", NULL, LONG_AGO, SLT_EGC_MISSING_CERT, 0, 0},
	{CC "test-conf-invalid-signature.txt", PEM, "EE", NULL, LONG_AGO, SLT_EGC_SIGNATURE, 0, 0},
	/* its date has passed too: the signature is looked at first */
	{CC "test-conf-invalid-signature.txt", PEM, "EE", NULL, GC_NOW,   SLT_EGC_SIGNATURE, 0, 0},
	{CC "test-conf-missing-date.txt",      PEM, "EE", NULL, GC_NOW,   SLT_EGC_HEADER_MISSING, 0, 0},
};
/* clang-format on */

/* The signed range to the byte: any change in it is noticed, none outside of it matters. */
static void every_signed_byte_counts(void **state)
{
	const char *name = "signed-directories/V6/internalconf";
	char *path = gc_vector(name);
	struct slt_gccert_list certs = {0};
	size_t n = 0;
	char *bytes = gc_read(path, &n);

	(void)state;
	load_certs(ANCHOR, &certs);
	for (size_t i = 184; i < 1027; i++) {
		struct slt_directory *d = NULL;
		struct slt_err err = SLT_ERR_INIT;
		bytes[i] ^= 1;
		assert_false(slt_directory_verify(bytes, n, certs.v, certs.n, GC_NOW, &d, &err));
		bytes[i] ^= 1;
	}
	for (size_t k = 0; k < 2; k++) {
		struct slt_directory *d = NULL;
		struct slt_err err = SLT_ERR_INIT;
		/* a charset parameter of the outer header, and one of the inner */
		size_t i = 0;
		while (k == 0 && memcmp(bytes + i, "charset=UTF-8; boundary=CNo", 27) != 0) {
			i++;
		}
		i += k == 0 ? 8 : 0;
		bytes[i] ^= k ? 0x20 : 1;
		assert_true(slt_directory_verify(bytes, n, certs.v, certs.n, GC_NOW, &d, &err));
		bytes[i] ^= k ? 0x20 : 1;
		slt_directory_free(d);
	}
	slt_gccert_list_fini(&certs);
	free(bytes);
	free(path);
}

int main(void)
{
	struct CMUnitTest tests[SLT_COUNT(vectors) + 1];

	for (size_t i = 0; i < SLT_COUNT(vectors); i++) {
		const struct vector *v = &vectors[i];
		tests[i] = (struct CMUnitTest){
			.name = slt_asprintf(
				"%zu %s: %s", i + 1, v->directory,
				v->expected ? slt_code_name(v->expected, SLT_DIALECT_SNAKE) : "OK"),
			.test_func = run,
			.initial_state = (void *)(uintptr_t)v,
		};
	}
	tests[SLT_COUNT(vectors)] = (struct CMUnitTest)cmocka_unit_test(every_signed_byte_counts);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < SLT_COUNT(vectors); i++) {
		free((void *)(uintptr_t)tests[i].name);
	}
	return failed;
}
