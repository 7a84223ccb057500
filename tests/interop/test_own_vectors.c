/* SPDX-License-Identifier: MIT */
/*
 * The vectors of tests/data/trust, one test a row of its index: containers under their
 * configuration, strictly and as X-Road would judge; signed directories with anchor and parts. What
 * other programs say of the same files is asked by tests/integration/test_judges.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "federation/asic.h"
#include "federation/globalconf_cache.h"
#include "federation/globalconf_dir.h"

#define ROOT	"tests/data/trust/"
#define ROWS	200
#define COLUMNS 6
#define NOW	INT64_C(1795449600000) /* 2026-11-23T16:00:00Z */
#define STAMPED (NOW + 60000)

struct row {
	const char *file, *conf, *strict, *lax, *judge, *note;
};

static struct slt_str load(const char *name)
{
	SLT_AUTO_STR char *path = slt_asprintf(ROOT "%s", name);
	struct slt_err err = SLT_ERR_INIT;
	char *p = NULL;
	size_t n = 0;

	if (!slt_file_read(path, 16u << 20, &p, &n, &err)) {
		fail_msg("%s", err.msg);
	}
	return (struct slt_str){p, n};
}

static void unload(struct slt_str s)
{
	free((void *)(uintptr_t)s.p);
}

static void expect(bool good, const struct slt_err *err, const char *want, const char *how)
{
	char code[128] = "OK";

	if (!good) {
		slt_err_fault_code(err, SLT_DIALECT_SNAKE, code, sizeof(code));
	}
	if (strcmp(code, want) != 0) {
		fail_msg("%s: got %s (%s), expected %s", how, code, good ? "" : err->msg, want);
	}
}

/* --- containers --- */

static void judge(const struct row *r, const struct slt_globalconf *gc, struct slt_str bytes,
		  bool strict)
{
	const char *want = strict ? r->strict : r->lax;
	bool warned = strcmp(want, "WARN") == 0;
	SLT_AUTO(slt_asic_free) struct slt_asic *a = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	struct slt_asic_verdict v = {.n_unverified = 0};
	struct slt_err err = SLT_ERR_INIT;
	bool good =
		slt_asic_open(bytes, &a, &err) && slt_asic_verify(a, gc, strict, arena, &v, &err);

	expect(good, &err, warned ? "OK" : want, strict ? "strict" : "lax");
	if (!good) {
		assert_true(strlen(err.msg) > 20);
		return;
	}
	assert_int_equal(v.timestamp_ms, STAMPED);
	assert_int_equal(v.signature.signing_time_ms, NOW);
	assert_int_equal(v.signature.n_warnings > 0, warned);
	slt_asic_verdict_fini(&v);
}

static void container(void **state)
{
	const struct row *r = *state;
	const struct slt_gc_load_options o = {.now_ms = NOW};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
	SLT_AUTO_STR char *warnings = NULL;
	SLT_AUTO_STR char *conf = slt_asprintf(ROOT "%s", r->conf);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_str bytes = load(r->file);

	if (!slt_globalconf_load(conf, &o, &gc, &warnings, &err)) {
		fail_msg("%s", err.msg);
	}
	judge(r, gc, bytes, true);
	judge(r, gc, bytes, false);
	unload(bytes);
}

/* --- directories --- */

/* "directories/V6" of "directories/V6/internalconf" */
static char *tree_of(const char *file)
{
	return slt_strndup(file, (size_t)(strrchr(file, '/') - file));
}

static bool parts_good(const struct slt_directory *d, const char *tree, struct slt_err *err)
{
	bool good = true;

	assert_true(d->n_parts > 0);
	for (size_t i = 0; i < d->n_parts && good; i++) {
		SLT_AUTO_STR char *name = slt_asprintf("%s%s", tree, d->parts[i].location);
		struct slt_str part = load(name);

		good = slt_directory_check_part(&d->parts[i], part.p, part.n, err);
		unload(part);
	}
	return good;
}

/* By hand, piece by piece. */
static bool verify(const char *file, const struct slt_anchor *anchor, struct slt_err *err)
{
	SLT_AUTO(slt_directory_free) struct slt_directory *d = NULL;
	SLT_AUTO_STR char *tree = tree_of(file);
	struct slt_str bytes = load(file);
	size_t n = 0;
	X509 **certs = slt_anchor_certs(anchor, &n);
	bool good = slt_directory_verify(bytes.p, bytes.n, certs, n, NOW, &d, err) &&
		    slt_directory_check_instance(d, anchor->instance, err) &&
		    parts_good(d, tree, err);

	free(certs);
	unload(bytes);
	return good;
}

/* The central server of a tree: it has this one version, under every name that asks for it. */
static bool get(void *arg, const char *url, size_t max, int *ret_status, struct slt_buf *ret_body,
		struct slt_err *err)
{
	static const char host[] = "http://cs.example/";
	const char *tree = arg;
	struct slt_str bytes = {NULL, 0};

	if (strncmp(url, host, sizeof(host) - 1) != 0) {
		return slt_fail(err, SLT_ENETWORK, "%s does not answer", url);
	}
	*ret_status = 404;

	size_t n = strcspn(url, "?");
	SLT_AUTO_STR char *name =
		slt_asprintf("%s/%.*s", tree, (int)(n - sizeof(host) + 1), url + sizeof(host) - 1);
	SLT_AUTO_STR char *path = slt_asprintf(ROOT "%s", name);
	const char *asked = strstr(url, "?version=");
	SLT_AUTO_STR char *version =
		slt_asprintf(ROOT "%s/V%s", tree, asked != NULL ? asked + 9 : "");

	if ((asked == NULL || access(version, R_OK) == 0) && slt_file_exists(path)) {
		bytes = load(name);
		assert_true(bytes.n <= max);
		slt_buf_add(ret_body, bytes.p, bytes.n);
		unload(bytes);
		*ret_status = 200;
	}
	return true;
}

static bool fetch(const char *file, const struct slt_anchor *anchor, const char *cache,
		  struct slt_err *err)
{
	SLT_AUTO_STR char *tree = tree_of(file);
	const struct slt_gc_fetch f = {.anchor = anchor,
				       .dir = cache,
				       .federation = "none",
				       .fetch = get,
				       .fetch_arg = tree,
				       .now_ms = NOW};
	struct slt_gc_fetch_result r = {.version = 0};

	if (!slt_globalconf_fetch(&f, &r, err)) {
		return false;
	}
	free(r.warnings);
	/* the last letter of "directories/V5"; the other trees are of version 6 */
	char last = tree[strlen(tree) - 1];

	assert_int_equal(r.version, last >= '2' && last <= '6' ? last - '0' : 6);
	return true;
}

/* As the bridge does it: into a cache, which is then loaded. */
static void fetch_all(const struct row *r, const struct slt_anchor *anchor, const char *held)
{
	char cache[] = "/tmp/slt-own-XXXXXX";
	const struct slt_gc_load_options o = {.now_ms = NOW};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
	SLT_AUTO_STR char *warnings = NULL;
	struct slt_err err = SLT_ERR_INIT;

	assert_non_null(mkdtemp(cache));
	if (held != NULL && !fetch(held, anchor, cache, &err)) {
		fail_msg("%s", err.msg);
	}
	expect(fetch(r->file, anchor, cache, &err), &err, r->strict, "fetched");
	if (strcmp(r->strict, "OK") == 0 || held != NULL) {
		slt_err_clear(&err);
		if (!slt_globalconf_load(cache, &o, &gc, &warnings, &err)) {
			fail_msg("%s", err.msg);
		}
		assert_string_equal(slt_globalconf_own(gc), "FI");
		/* what was held is held still */
		assert_int_equal(slt_globalconf_ocsp_freshness(gc),
				 strstr(r->file, "swapped") != NULL ? 7200 : 3600);
		assert_non_null(slt_globalconf_ca_at(gc, 0));
	}
	assert_true(slt_rm_tree(cache, &err));
}

static void directory(void **state)
{
	const struct row *r = *state;
	const char *comma = strchr(r->conf, ',');
	SLT_AUTO_STR char *anchor_path = slt_asprintf(
		ROOT "%.*s", comma != NULL ? (int)(comma - r->conf) : (int)strlen(r->conf),
		r->conf);
	SLT_AUTO(slt_anchor_free) struct slt_anchor *anchor = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_anchor_load(anchor_path, &anchor, &err)) {
		fail_msg("%s", err.msg);
	}
	/* that a configuration is old is seen only beside a newer one */
	expect(verify(r->file, anchor, &err), &err, comma != NULL ? "OK" : r->strict, "verified");
	if (strstr(r->file, "internalconf") != NULL) {
		fetch_all(r, anchor, comma != NULL ? comma + 1 : NULL);
	}
}

/* --- the index --- */

static size_t read_index(char *text, struct row rows[ROWS])
{
	size_t n = 0;

	for (char *line = strsep(&text, "\n"); line != NULL; line = strsep(&text, "\n")) {
		const char *column[COLUMNS];
		size_t c = 0;

		if (line[0] == '\0' || line[0] == '#') {
			continue;
		}
		while (line != NULL && c < COLUMNS) {
			column[c++] = strsep(&line, "\t");
		}
		slt_assert(c == COLUMNS && line == NULL && n < ROWS);
		rows[n++] = (struct row){column[0], column[1], column[2],
					 column[3], column[4], column[5]};
	}
	return n;
}

int main(void)
{
	static struct row rows[ROWS];
	static struct CMUnitTest tests[ROWS];
	struct slt_err err = SLT_ERR_INIT;
	char *text = NULL;
	size_t size = 0;

	slt_xml_init();
	if (!slt_file_read(ROOT "index.tsv", 1u << 20, &text, &size, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 2;
	}

	size_t n = read_index(text, rows);

	for (size_t i = 0; i < n; i++) {
		tests[i] = (struct CMUnitTest){
			.name = slt_asprintf("%s: %s", rows[i].file, rows[i].note),
			.test_func = slt_str_starts(slt_str(rows[i].file), "containers/")
					     ? container
					     : directory,
			.initial_state = &rows[i],
		};
	}

	int failed = _cmocka_run_group_tests("own vectors", tests, n, NULL, NULL);

	for (size_t i = 0; i < n; i++) {
		free((void *)(uintptr_t)tests[i].name);
	}
	free(text);
	return failed;
}
