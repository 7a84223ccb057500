/* SPDX-License-Identifier: MIT */
/* Mapping sets packed into a part and unpacked from one that may be anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mapset_fixture.h"
#include "mapset_part.h"
#include "zip_fixture.h"

static struct {
	struct fixture set;
	char dir[64];
	char *target;
	unsigned judged;
	bool accept;
} w;

static int begin(void **state)
{
	(void)state;
	fixture_begin(&w.set);
	snprintf(w.dir, sizeof(w.dir), "/tmp/slt-part-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	w.target = slt_path_join(w.dir, "tables");
	w.judged = 0;
	w.accept = true;
	return 0;
}

static int end(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	fixture_end(&w.set);
	assert_true(slt_rm_tree(w.dir, &err));
	free(w.target);
	return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void make(struct slt_buf *out)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_mapset_part_make(w.set.dir, out, &err)) {
		fail_msg("%s", err.msg);
	}
}

/* What there is to judge is a whole set, beside the target. */
static bool judge(void *arg, const char *dir, struct slt_err *err)
{
	w.judged++;
	assert_ptr_equal(arg, &w);
	assert_string_not_equal(dir, w.target);
	return w.accept ? slt_mapset_loads(NULL, dir, err)
			: slt_fail(err, SLT_FED_TRC_001, "not in force");
}

static enum slt_code install(struct slt_str zip, bool *ret_changed)
{
	struct slt_err err = SLT_ERR_INIT;
	bool changed = false;

	if (!slt_mapset_part_install(zip, w.target, judge, &w, &changed, &err)) {
		assert_true(strlen(err.msg) > 20);
		return err.code;
	}
	if (ret_changed) {
		*ret_changed = changed;
	}
	return SLT_OK;
}

/* The digest of the set in the target; "" when there is none. */
static char *digest(void)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;

	if (!slt_mapset_load(w.target, &set, &err)) {
		return slt_strdup("");
	}
	return slt_strdup(slt_mapset_digest(set));
}

static void alter_set(void)
{
	SLT_AUTO_STR char *text = fixture_with("messages.tsv", "dose form", "form of dose");

	fixture_write(&w.set, "messages.tsv", text);
}

static unsigned entries(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d)) {
		n++;
	}
	closedir(d);
	return n - 2;
}

/* --- the way there and back --- */

static void there_and_back(void **state)
{
	SLT_AUTO_BUF(zip, SLT_MAPSET_PART_MAX);
	SLT_AUTO_BUF(again, SLT_MAPSET_PART_MAX);
	SLT_AUTO_BUF(other, SLT_MAPSET_PART_MAX);
	bool changed = false;

	(void)state;
	fixture_write(&w.set, "README", "nobody's business");
	make(&zip);
	make(&again);
	assert_int_equal(zip.n, again.n);
	assert_memory_equal(zip.p, again.p, zip.n);
	assert_int_equal(install(slt_buf_str(&zip), &changed), SLT_OK);
	assert_true(changed);
	SLT_AUTO_STR char *readme = slt_path_join(w.target, "README");
	assert_false(slt_file_exists(readme));
	SLT_AUTO_STR char *first = digest();
	assert_int_equal(strlen(first), 64);
	/* the same is not judged again */
	assert_int_equal(install(slt_buf_str(&zip), &changed), SLT_OK);
	assert_false(changed);
	assert_int_equal(w.judged, 1);
	alter_set();
	make(&other);
	assert_int_equal(install(slt_buf_str(&other), &changed), SLT_OK);
	assert_true(changed);
	SLT_AUTO_STR char *second = digest();
	assert_string_not_equal(first, second);
	/* the directory and its lock: nothing is left over */
	assert_int_equal(entries(w.dir), 2);
}

static void manifests_go_along(void **state)
{
	SLT_AUTO_BUF(zip, SLT_MAPSET_PART_MAX);

	(void)state;
	fixture_write(&w.set, "manifest.conf", "set = \"x\";\n");
	fixture_write(&w.set, "manifest.p7s", "signature");
	make(&zip);
	assert_int_equal(install(slt_buf_str(&zip), NULL), SLT_OK);
	SLT_AUTO_STR char *signature = slt_path_join(w.target, "manifest.p7s");
	assert_true(slt_file_exists(signature));
}

/* --- what is not published --- */

static enum slt_code make_code(void)
{
	SLT_AUTO_BUF(zip, SLT_MAPSET_PART_MAX);
	struct slt_err err = SLT_ERR_INIT;

	if (slt_mapset_part_make(w.set.dir, &zip, &err)) {
		return SLT_OK;
	}
	assert_true(strlen(err.msg) > 20);
	return err.code;
}

static void sets_not_published(void **state)
{
	SLT_AUTO_STR char *link = slt_path_join(w.set.dir, "pivot/link.tsv");
	SLT_AUTO_STR char *form = slt_path_join(w.set.dir, "pivot/form.tsv");
	SLT_AUTO_BUF(small, 1000);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_false(slt_mapset_part_make(w.set.dir, &small, &err));
	assert_int_equal(err.code, SLT_ELIMIT);
	fixture_write(&w.set, "pivot/notes.txt", "x");
	assert_int_equal(make_code(), SLT_EINVAL);
	SLT_AUTO_STR char *notes = slt_path_join(w.set.dir, "pivot/notes.txt");
	assert_int_equal(unlink(notes), 0);
	fixture_write(&w.set, "flows/demo/more.conf", "@include \"/etc/passwd\"\n");
	assert_int_not_equal(make_code(), SLT_OK);
	SLT_AUTO_STR char *more = slt_path_join(w.set.dir, "flows/demo/more.conf");
	assert_int_equal(unlink(more), 0);
	assert_int_equal(symlink(form, link), 0);
	assert_int_equal(make_code(), SLT_ECONFIG);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(make_code(), SLT_OK);
	assert_int_equal(unlink(form), 0);
	assert_int_equal(make_code(), SLT_ECONFIG);
	snprintf(w.set.dir + strlen(w.set.dir), 3, "/x");
	assert_int_equal(make_code(), SLT_ECONFIG);
	*strrchr(w.set.dir, '/') = '\0';
}

/* --- what is not unpacked --- */

#define DATA                                                                                       \
	{                                                                                          \
		"a\tb\n", 4                                                                        \
	}

static void zip_tricks(void **state)
{
	static const struct {
		const char *why;
		struct zip_entry e[2];
		enum slt_code code;
	} rows[] = {
		{"absolute", {{.name = "/etc/x.tsv", .data = DATA}}, SLT_EINVAL},
		{"up", {{.name = "../x.tsv", .data = DATA}}, SLT_EINVAL},
		{"up from within", {{.name = "pivot/../../x.tsv", .data = DATA}}, SLT_EINVAL},
		{"up and back", {{.name = "pivot/../pivot/x.tsv", .data = DATA}}, SLT_EINVAL},
		{"here", {{.name = "pivot/./x.tsv", .data = DATA}}, SLT_EINVAL},
		{"backslash", {{.name = "pivot\\x.tsv", .data = DATA}}, SLT_EINVAL},
		{"drive", {{.name = "c:/pivot/x.tsv", .data = DATA}}, SLT_EINVAL},
		{"two slashes", {{.name = "pivot//x.tsv", .data = DATA}}, SLT_EINVAL},
		{"control character", {{.name = "pivot/\nx.tsv", .data = DATA}}, SLT_EINVAL},
		{"blank", {{.name = "pivot/x y.tsv", .data = DATA}}, SLT_EINVAL},
		{"no ASCII", {{.name = "pivot/\xc3\xa4.tsv", .data = DATA}}, SLT_EINVAL},
		{"hidden", {{.name = "pivot/.x.tsv", .data = DATA}}, SLT_EINVAL},
		{"our mark", {{.name = ".part", .data = DATA}}, SLT_EINVAL},
		{"empty name", {{.name = "", .data = DATA}}, SLT_EINVAL},
		{"directory", {{.name = "pivot/", .data = {"", 0}}}, SLT_EINVAL},
		{"link", {{.name = "pivot/x.tsv", .data = DATA, .unix_mode = 0120777}}, SLT_EINVAL},
		{"device",
		 {{.name = "pivot/x.tsv", .data = DATA, .unix_mode = 0020666}},
		 SLT_EINVAL},
		{"program", {{.name = "pivot/x.sh", .data = DATA}}, SLT_EINVAL},
		{"no ending", {{.name = "pivot/x", .data = DATA}}, SLT_EINVAL},
		{"elsewhere", {{.name = "other/x.tsv", .data = DATA}}, SLT_EINVAL},
		{"at the top", {{.name = "x.tsv", .data = DATA}}, SLT_EINVAL},
		{"manifest without name", {{.name = "manifest.", .data = DATA}}, SLT_EINVAL},
		{"manifest below", {{.name = "manifest.d/x.tsv", .data = DATA}}, SLT_EINVAL},
		{"deep", {{.name = "pivot/a/b/c/d/e/f/g/x.tsv", .data = DATA}}, SLT_EINVAL},
		{"twice",
		 {{.name = "pivot/x.tsv", .data = DATA}, {.name = "pivot/x.tsv", .data = DATA}},
		 SLT_EINVAL},
		{"file and directory",
		 {{.name = "pivot/x.tsv", .data = DATA},
		  {.name = "pivot/x.tsv/y.tsv", .data = DATA}},
		 SLT_EIO},
		{"two names",
		 {{.name = "pivot/x.tsv", .data = DATA, .local_name = "pivot/y.tsv"}},
		 SLT_EINVAL},
		{"checksum", {{.name = "pivot/x.tsv", .data = DATA, .bad_crc = true}}, SLT_EINVAL},
		{"encrypted", {{.name = "pivot/x.tsv", .data = DATA, .flags = 1}}, SLT_EINVAL},
		{"unusual method",
		 {{.name = "pivot/x.tsv", .data = DATA, .method = 12}},
		 SLT_EINVAL},
		{"not as long",
		 {{.name = "pivot/x.tsv", .data = DATA, .method = 8, .claimed_size = 9}},
		 SLT_EINVAL},
		{"far too long",
		 {{.name = "pivot/x.tsv", .data = DATA, .method = 8, .claimed_size = 0x7fffffff}},
		 SLT_ELIMIT},
		{"grows suspiciously",
		 {{.name = "pivot/x.tsv", .data = DATA, .method = 8, .claimed_size = 2000000}},
		 SLT_ELIMIT},
		{"includes",
		 {{.name = "pivot/x.conf", .data = {"a = 1;\n \t@include \"y\"\n", 22}}},
		 SLT_EINVAL},
		{"no set", {{.name = "pivot/x.tsv", .data = DATA}}, SLT_ECONFIG},
		{"empty", {{.name = NULL}}, SLT_ECONFIG},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(rows); i++) {
		SLT_AUTO_BUF(zip, 65536);
		size_t n = 0;
		while (n < SLT_COUNT(rows[i].e) && rows[i].e[n].name) {
			n++;
		}
		zip_build(rows[i].e, n, &zip);
		enum slt_code code = install(slt_buf_str(&zip), NULL);
		if (code != rows[i].code) {
			fail_msg("%s: %s", rows[i].why, slt_code_name(code, SLT_DIALECT_SNAKE));
		}
		/* only the lock is there, whatever was tried */
		assert_int_equal(entries(w.dir), 1);
	}
}

static void too_many(void **state)
{
	struct zip_entry *e = slt_calloc(SLT_MAPSET_PART_FILES + 1, sizeof(*e));
	char(*names)[32] = slt_calloc(SLT_MAPSET_PART_FILES + 1, sizeof(*names));
	SLT_AUTO_BUF(zip, SLT_MAPSET_PART_MAX);

	(void)state;
	for (size_t i = 0; i <= SLT_MAPSET_PART_FILES; i++) {
		snprintf(names[i], sizeof(names[i]), "pivot/%zu.tsv", i);
		e[i] = (struct zip_entry){.name = names[i], .data = DATA};
	}
	zip_build(e, SLT_MAPSET_PART_FILES + 1, &zip);
	assert_int_equal(install(slt_buf_str(&zip), NULL), SLT_ELIMIT);
	free(names);
	free(e);
}

/* Wherever the part is cut off or altered, what is held stays; where the alteration is one of
 * unread bytes (a date, say), the set is the same. */
static void damaged(void **state)
{
	SLT_AUTO_BUF(zip, SLT_MAPSET_PART_MAX);
	SLT_AUTO_BUF(other, SLT_MAPSET_PART_MAX);

	(void)state;
	make(&zip);
	assert_int_equal(install(slt_buf_str(&zip), NULL), SLT_OK);
	SLT_AUTO_STR char *held = digest();
	alter_set();
	make(&other);
	assert_int_equal(install((struct slt_str){"", 0}, NULL), SLT_ECONFIG);
	assert_int_equal(install(SLT_STR_C("tables"), NULL), SLT_EINVAL);
	for (size_t cut = 1; cut < other.n; cut += 97) {
		assert_int_not_equal(install((struct slt_str){other.p, cut}, NULL), SLT_OK);
	}
	SLT_AUTO_STR char *after = digest();
	assert_string_equal(after, held);
	assert_int_equal(install(slt_buf_str(&other), NULL), SLT_OK);
	SLT_AUTO_STR char *new = digest();
	for (size_t i = 0; i < other.n; i += 401) {
		other.p[i] ^= 0x10;
		(void)install(slt_buf_str(&other), NULL);
		other.p[i] ^= 0x10;
		SLT_AUTO_STR char *still = digest();
		assert_string_equal(still, new);
	}
}

static void refused_by_the_judge(void **state)
{
	SLT_AUTO_BUF(zip, SLT_MAPSET_PART_MAX);
	SLT_AUTO_BUF(other, SLT_MAPSET_PART_MAX);

	(void)state;
	make(&zip);
	w.accept = false;
	assert_int_equal(install(slt_buf_str(&zip), NULL), SLT_FED_TRC_001);
	assert_false(slt_file_exists(w.target));
	w.accept = true;
	assert_int_equal(install(slt_buf_str(&zip), NULL), SLT_OK);
	SLT_AUTO_STR char *held = digest();
	alter_set();
	make(&other);
	w.accept = false;
	assert_int_equal(install(slt_buf_str(&other), NULL), SLT_FED_TRC_001);
	SLT_AUTO_STR char *still = digest();
	assert_string_equal(still, held);
	assert_int_equal(entries(w.dir), 2);
}

/* --- where it may be unpacked --- */

static enum slt_code install_at(const char *dir)
{
	SLT_AUTO_BUF(zip, SLT_MAPSET_PART_MAX);
	struct slt_err err = SLT_ERR_INIT;
	bool changed;

	make(&zip);
	return slt_mapset_part_install(slt_buf_str(&zip), dir, slt_mapset_loads, NULL, &changed,
				       &err)
		       ? SLT_OK
		       : err.code;
}

static void places(void **state)
{
	SLT_AUTO_STR char *deep = slt_path_join(w.dir, "a/b/c//");
	SLT_AUTO_STR char *link = slt_path_join(w.dir, "link");
	SLT_AUTO_STR char *file = slt_path_join(w.dir, "file");
	SLT_AUTO_STR char *empty = slt_path_join(w.dir, "empty");
	SLT_AUTO_STR char *up = slt_path_join(w.dir, "x/..");
	SLT_AUTO_STR char *mine = slt_path_join(w.set.dir, "pivot/form.tsv");
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_int_equal(install_at(deep), SLT_OK);
	assert_int_equal(install_at(deep), SLT_OK);
	assert_int_equal(mkdir(empty, 0700), 0);
	assert_int_equal(install_at(empty), SLT_OK);
	/* somebody's own tables are not written over, nor anything else */
	assert_int_equal(install_at(w.set.dir), SLT_ECONFIG);
	assert_true(slt_file_exists(mine));
	assert_int_equal(install_at(w.dir), SLT_ECONFIG);
	assert_int_equal(symlink(deep, link), 0);
	assert_int_equal(install_at(link), SLT_ECONFIG);
	assert_true(slt_file_write(file, "x", 1, 0600, &err));
	assert_int_equal(install_at(file), SLT_ECONFIG);
	assert_int_equal(install_at("/"), SLT_ECONFIG);
	assert_int_equal(install_at(""), SLT_ECONFIG);
	assert_int_equal(install_at("."), SLT_ECONFIG);
	assert_int_equal(install_at(up), SLT_ECONFIG);
}

/* What a crash left beside the target is in nobody's way. */
static void after_a_crash(void **state)
{
	SLT_AUTO_STR char *next = slt_path_join(w.dir, ".tables.next");
	SLT_AUTO_STR char *half = slt_path_join(w.dir, ".tables.next/half");
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_mkdir_p(next, 0700, &err));
	assert_true(slt_file_write(half, "x", 1, 0600, &err));
	assert_int_equal(install_at(w.target), SLT_OK);
	SLT_AUTO_STR char *there = slt_path_join(w.target, "half");
	assert_false(slt_file_exists(there));
	assert_false(slt_file_exists(next));
}

static bool judge_while_unpacking(void *arg, const char *dir, struct slt_err *err)
{
	(void)arg;
	(void)dir;
	(void)err;
	assert_int_equal(install_at(w.target), SLT_EBUSY);
	return true;
}

static void one_at_a_time(void **state)
{
	SLT_AUTO_BUF(zip, SLT_MAPSET_PART_MAX);
	struct slt_err err = SLT_ERR_INIT;
	bool changed;

	(void)state;
	make(&zip);
	assert_true(slt_mapset_part_install(slt_buf_str(&zip), w.target, judge_while_unpacking,
					    NULL, &changed, &err));
	SLT_AUTO_STR char *held = digest();
	assert_int_equal(strlen(held), 64);
}

static void not_in_the_cache(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	bool changed;

	(void)state;
	assert_false(slt_mapset_part_renew(w.dir, "EE", w.target, judge, &w, &changed, &err));
	assert_int_equal(err.code, SLT_EGC_HEADER_MISSING);
	assert_non_null(strstr(err.msg, "MAPPING-TABLES"));
	assert_false(slt_file_exists(w.target));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(there_and_back),
		CASE(manifests_go_along),
		CASE(sets_not_published),
		CASE(zip_tricks),
		CASE(too_many),
		CASE(damaged),
		CASE(refused_by_the_judge),
		CASE(places),
		CASE(after_a_crash),
		CASE(one_at_a_time),
		CASE(not_in_the_cache),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
