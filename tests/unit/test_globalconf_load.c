/* SPDX-License-Identifier: MIT */
/* Loading a cache: damaged, expired, misplaced, and replaced while it is read. */
#include "globalconf_source.h"

#include <sys/wait.h>
#include <unistd.h>

static enum slt_code load(char **ret_warnings)
{
	const struct slt_gc_load_options o = {.now_ms = PKI_NOW};
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	bool ok = slt_globalconf_load(f.cache, &o, &gc, ret_warnings, &err);

	slt_globalconf_free(gc);
	return ok ? SLT_OK : err.code;
}

static void fill(void)
{
	struct conf fi = FI;
	const struct conf ee = EE;
	struct slt_gc_fetch_result r;

	fresh(NULL);
	fi.federated = "EE";
	publish(&fi);
	publish(&ee);
	assert_int_equal(fetch_as("all", PKI_NOW, &r), SLT_OK);
}

static void damaged_own(void **state)
{
	static const struct {
		const char *file, *text;
		enum slt_code code;
	} bad[] = {
		{"instance-identifier", "", SLT_EGC_MISSING_INSTANCE},
		{"instance-identifier", "../FI", SLT_EGC_MISSING_INSTANCE},
		{"instance-identifier", "LV", SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml", "xxx", SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml", "", SLT_EMALFORMED_GLOBALCONF},
		{"FI/private-params.xml", "yyy", SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "{", SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "[]", SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "{\"configurationVersion\":\"7\"}",
		 SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "{\"configurationVersion\":\"x\"}",
		 SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "{\"expirationDate\":\"tomorrow\"}",
		 SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "{\"expirationDate\":7}",
		 SLT_EMALFORMED_GLOBALCONF},
		{"FI/private-params.xml.metadata", "?", SLT_EMALFORMED_GLOBALCONF},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		fill();
		assert_int_equal(load(NULL), SLT_OK);
		put(bad[i].file, bad[i].text);
		if (load(NULL) != bad[i].code) {
			fail_msg("%s: %s", bad[i].file, bad[i].text);
		}
	}
}

static void damaged_foreign(void **state)
{
	static const struct {
		const char *file, *text;
	} bad[] = {
		{"EE/shared-params.xml", "xxx"},
		{"EE/shared-params.xml.metadata", "{"},
		{"EE/shared-params.xml.metadata", "{}"}, /* no date */
		{"EE/shared-params.xml.metadata",
		 "{\"expirationDate\":\"2026-11-23T15:59:59Z\",\"configurationVersion\":\"6\"}"},
		{"EE/shared-params.xml.metadata",
		 "{\"expirationDate\":\"2030-01-01T00:00:00Z\",\"configurationVersion\":\"9\"}"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		char *warnings = NULL;
		fill();
		put(bad[i].file, bad[i].text);
		assert_int_equal(load(&warnings), SLT_OK);
		assert_non_null(warnings);
		assert_non_null(strstr(warnings, "instance EE is left out"));
		free(warnings);
		assert_int_equal(held("EE"), 0);
		assert_int_equal(held("FI"), 100);
	}
}

/* A foreign directory cannot speak for an instance of another name. */
static void misplaced_foreign(void **state)
{
	char *from = slt_asprintf("%s/EE", f.cache), *to = slt_asprintf("%s/LV", f.cache);
	char *warnings = NULL;

	(void)state;
	fill();
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(load(&warnings), SLT_OK);
	assert_non_null(strstr(warnings, "describes instance EE, not LV"));
	assert_int_equal(held("EE"), 0);
	free(warnings);
	free(from);
	free(to);
}

static void own_expires_with_its_first_file(void **state)
{
	const struct slt_gc_load_options o = {.now_ms = PKI_NOW};
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	fill();
	put("FI/private-params.xml.metadata", "{\"expirationDate\":\"2026-11-23T16:05:00Z\"}");
	assert_true(slt_globalconf_load(f.cache, &o, &gc, NULL, &err));
	assert_true(slt_globalconf_check_valid(gc, PKI_NOW + 5 * MINUTE, &err));
	assert_false(slt_globalconf_check_valid(gc, PKI_NOW + 5 * MINUTE + 1, &err));
	assert_int_equal(err.code, SLT_EOUTDATED_GLOBALCONF);
	slt_globalconf_free(gc);
}

static void instance_names_as_directories(void **state)
{
	struct conf c = FI;
	struct slt_gc_fetch_result r;
	struct slt_anchor_source source = {
		.url = "http://cs.fi/internalconf", .certs = &f.cert[0]->x509, .n_certs = 1};
	const struct slt_anchor anchor = {
		.instance = "FI test & \xc3\x84", .sources = &source, .n_sources = 1};
	const struct slt_gc_fetch o = {
		.anchor = &anchor, .dir = f.cache, .fetch = get, .now_ms = PKI_NOW};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	c.instance = anchor.instance;
	publish(&c);
	if (!slt_globalconf_fetch(&o, &r, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_true(in_cache("FI+test+%26+%C3%84/shared-params.xml"));
	assert_int_equal(held(anchor.instance), 100);
}

/* A reader during many rounds: what it loads is always one configuration, whole. */
static void whole_or_not_at_all(void **state)
{
	const struct slt_gc_load_options o = {.now_ms = PKI_NOW};
	struct conf c = FI;
	int status = 0;
	unsigned loads = 0;

	(void)state;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		for (int i = 1; i <= 100; i++) {
			c.freshness = 100 + i;
			c.expires_ms = PKI_NOW + 10 * MINUTE + i * 1000;
			publish(&c);
			if (fetch() != SLT_OK) {
				_exit(1);
			}
		}
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		struct slt_globalconf *gc = NULL;
		struct slt_err err = SLT_ERR_INIT;
		struct slt_gc_info info;
		if (!slt_globalconf_load(f.cache, &o, &gc, NULL, &err)) {
			fail_msg("%s", err.msg);
		}
		slt_gc_instance_info(slt_globalconf_instance_at(gc, 0), &info);
		assert_int_equal(info.expires_ms,
				 PKI_NOW + 10 * MINUTE + (info.ocsp_freshness_s - 100) * 1000);
		slt_globalconf_free(gc);
		loads++;
	}
	assert_int_equal(status, 0);
	assert_true(loads > 0);
	assert_int_equal(held("FI"), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(damaged_own),
		CASE(damaged_foreign),
		CASE(misplaced_foreign),
		CASE(own_expires_with_its_first_file),
		CASE(instance_names_as_directories),
		CASE(whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
