/* SPDX-License-Identifier: MIT */
/* Configuration anchors of X-Road: what they say, and that written ones read back the same. */
#include "gc_vectors.h"

#include <string.h>

#include "federation/globalconf_dir.h"

struct vector {
	const char *file, *instance;
	size_t n_sources;
	const char *first_url;
	size_t n_first_certs;
	int64_t generated_at_ms;
};

static const struct vector vectors[] = {
	{"anchors/configuration-anchor1.xml", "EE", 3, "http://www.bar.com/conf", 2, 0},
	{"anchors/configuration-anchor2.xml", "EE", 1, "http://www.bar.com/conf2", 2, 0},
	{"anchors/trusted-anchor.xml", "CS0", 1, "http://cs0/internalconf", 1,
	 INT64_C(1676453194235)},
	{"anchors/configuration_anchor_CS_internal.xml", "DEV", 2, "http://cs/internalconf", 1,
	 INT64_C(1762380645770)},
	{"configuration-client/configuration-anchor1.xml", "EE", 3, "http://www.bar.com/conf", 2,
	 0},
};

static void same_anchor(const struct slt_anchor *a, const struct slt_anchor *b)
{
	assert_string_equal(a->instance, b->instance);
	assert_int_equal(a->generated_at_ms, b->generated_at_ms);
	assert_int_equal(a->n_sources, b->n_sources);
	for (size_t i = 0; i < a->n_sources; i++) {
		assert_string_equal(a->sources[i].url, b->sources[i].url);
		assert_int_equal(a->sources[i].n_certs, b->sources[i].n_certs);
		for (size_t k = 0; k < a->sources[i].n_certs; k++) {
			assert_int_equal(X509_cmp(a->sources[i].certs[k], b->sources[i].certs[k]),
					 0);
		}
	}
}

static void reads_and_writes(void **state)
{
	const struct vector *v = *state;
	char *path = gc_vector(v->file);
	struct slt_anchor *a = NULL, *again = NULL;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, SLT_ANCHOR_MAX);

	if (!slt_anchor_load(path, &a, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_string_equal(a->instance, v->instance);
	assert_int_equal(a->n_sources, v->n_sources);
	assert_string_equal(a->sources[0].url, v->first_url);
	assert_int_equal(a->sources[0].n_certs, v->n_first_certs);
	assert_int_equal(a->generated_at_ms, v->generated_at_ms);
	assert_true(slt_anchor_write(a, &out, &err));
	if (!slt_anchor_parse(out.p, out.n, &again, &err)) {
		fail_msg("%s", err.msg);
	}
	same_anchor(a, again);
	slt_anchor_free(again);
	slt_anchor_free(a);
	free(path);
}

/* Cut anywhere, an anchor is no anchor. */
static void truncated_is_refused(void **state)
{
	const struct vector *v = *state;
	char *path = gc_vector(v->file);
	size_t n = 0;
	char *text = gc_read(path, &n);

	while (n > 0 && text[n - 1] != '>') {
		n--;
	}
	for (size_t cut = 1; cut < n; cut += 37) {
		struct slt_anchor *a = NULL;
		struct slt_err err = SLT_ERR_INIT;
		assert_false(slt_anchor_parse(text, n - cut, &a, &err));
		assert_int_equal(err.code, SLT_EMALFORMED_GLOBALCONF);
		assert_null(a);
	}
	free(text);
	free(path);
}

static void shared_params_are_no_anchor(void **state)
{
	char *path = gc_vector("globalconf/globalconf_good_v6/EE/shared-params.xml");
	struct slt_anchor *a = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_false(slt_anchor_load(path, &a, &err));
	assert_int_equal(err.code, SLT_EMALFORMED_GLOBALCONF);
	free(path);
}

int main(void)
{
	struct CMUnitTest tests[2 * SLT_COUNT(vectors) + 1];
	const size_t n = SLT_COUNT(vectors);

	for (size_t i = 0; i < n; i++) {
		void *v = (void *)(uintptr_t)&vectors[i];
		tests[i] = (struct CMUnitTest){vectors[i].file, reads_and_writes, NULL, NULL, v};
		tests[n + i] =
			(struct CMUnitTest){"truncated", truncated_is_refused, NULL, NULL, v};
	}
	tests[2 * n] = (struct CMUnitTest)cmocka_unit_test(shared_params_are_no_anchor);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
