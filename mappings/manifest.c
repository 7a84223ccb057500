/* SPDX-License-Identifier: MIT */
#include "mappings/manifest.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/file.h"
#include "mappings/country.h"
#include "mappings/date.h"
#include "mappings/tsv.h"

#define S(field) offsetof(struct slt_manifest, field)
#define F(field) offsetof(struct slt_manifest_file, field)

/* clang-format off */
static const struct slt_conf_option options[] = {
	{.name = "set", .type = SLT_CONF_STRING, .offset = S(set), .required = true, .doc = "name of the set"},
	{.name = "version", .type = SLT_CONF_STRING, .offset = S(version), .required = true, .doc = "its version"},
	{.name = "previous", .type = SLT_CONF_STRING, .offset = S(previous), .doc = "the version before it"},
	{.name = "effective_from", .type = SLT_CONF_STRING, .offset = S(effective_from_text), .required = true, .doc = "first day in force"},
	{.name = "effective_to", .type = SLT_CONF_STRING, .offset = S(effective_to_text), .doc = "last day in force"},
	{.name = "author", .type = SLT_CONF_STRING, .offset = S(author), .required = true, .doc = "who wrote this version"},
	{.name = "approvals", .type = SLT_CONF_STRINGS, .offset = S(approvals), .doc = "who is to approve it"},
	{.name = "digest", .type = SLT_CONF_STRING, .offset = S(digest), .required = true, .doc = "SHA-256 of the set as a whole"},
	{.name = "files", .type = SLT_CONF_GROUPS, .required = true, .doc = "its files"},
};
static const struct slt_conf_option file_options[] = {
	{.name = "path", .type = SLT_CONF_STRING, .offset = F(path), .required = true, .doc = "from the set's directory"},
	{.name = "sha256", .type = SLT_CONF_STRING, .offset = F(sha256), .required = true, .doc = "digest of the file"},
};
/* clang-format on */

/* --- reading --- */

static int compare_files(const void *a, const void *b)
{
	const struct slt_manifest_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static void read_date(struct slt_conf *conf, const char *option, const char *text, uint32_t *ret)
{
	if (text && !slt_date_parse_iso(slt_str(text), ret)) {
		slt_conf_problem(conf, slt_conf_root(conf), option, "%s: \"%.40s\" is no date",
				 option, text);
	}
}

static void read_files(struct slt_conf *conf, struct slt_arena *a, struct slt_manifest *m)
{
	const struct slt_conf_group *root = slt_conf_root(conf);
	size_t n = slt_conf_group_count(root, "files");

	if (n > SLT_MANIFEST_FILES) {
		slt_conf_problem(conf, root, "files", "more than %d files", SLT_MANIFEST_FILES);
		return;
	}
	m->file = slt_arena_alloc(a, (n + 1) * sizeof(*m->file));
	for (size_t i = 0; i < n; i++) {
		const struct slt_conf_group *g = slt_conf_group_at(root, "files", i);
		if (slt_conf_read(conf, g, file_options, SLT_COUNT(file_options), a,
				  &m->file[m->n_files])) {
			m->n_files++;
		}
	}
	qsort(m->file, m->n_files, sizeof(*m->file), compare_files);
	for (size_t i = 1; i < m->n_files; i++) {
		if (compare_files(&m->file[i - 1], &m->file[i]) == 0) {
			slt_conf_problem(conf, root, "files", "%.200s is listed twice",
					 m->file[i].path);
		}
	}
}

static void check_names(struct slt_conf *conf, const struct slt_manifest *m)
{
	const struct slt_conf_group *root = slt_conf_root(conf);

	for (size_t i = 0; i < m->approvals.n; i++) {
		if (m->author && strcmp(m->approvals.v[i], m->author) == 0) {
			slt_conf_problem(conf, root, "approvals",
					 "the author %.100s cannot approve the own work",
					 m->author);
		}
		for (size_t k = 0; k < i; k++) {
			if (strcmp(m->approvals.v[i], m->approvals.v[k]) == 0) {
				slt_conf_problem(conf, root, "approvals", "%.100s stands twice",
						 m->approvals.v[i]);
			}
		}
	}
	if (m->effective_to && m->effective_to < m->effective_from) {
		slt_conf_problem(conf, root, "effective_to",
				 "effective_to is before effective_from");
	}
}

bool slt_manifest_read(const char *dir, struct slt_arena *a, struct slt_lint *lint,
		       struct slt_manifest **ret, const char **ret_digest)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, SLT_MANIFEST_NAME);
	SLT_AUTO_STR char *digest = NULL;
	SLT_AUTO(slt_conf_close) struct slt_conf *conf = NULL;
	struct slt_manifest *m = slt_arena_alloc(a, sizeof(*m));

	if (!slt_set_conf_open(path, lint, &conf, &digest)) {
		return false;
	}
	slt_conf_read(conf, slt_conf_root(conf), options, SLT_COUNT(options), a, m);
	read_date(conf, "effective_from", m->effective_from_text, &m->effective_from);
	read_date(conf, "effective_to", m->effective_to_text, &m->effective_to);
	read_files(conf, a, m);
	check_names(conf, m);
	slt_lint_add_conf(lint, conf);
	if (slt_conf_problem_count(conf) > 0) {
		return false;
	}
	*ret = m;
	*ret_digest = slt_arena_strdup(a, digest);
	return true;
}

/* --- what is there --- */

struct collector {
	const char *dir;
	struct slt_arena *a;
	struct slt_lint *lint;
	struct slt_manifest_file *file;
	size_t n, cap;
	bool good;
};

static void complain(struct collector *c, const char *path, const char *what)
{
	SLT_AUTO_STR char *full = slt_path_join(c->dir, path);

	slt_lint_add(c->lint, full, 0, "%s", what);
	c->good = false;
}

static bool plain_name(const char *name)
{
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "._-")] == '\0';
}

static void add_file(struct collector *c, const char *path)
{
	SLT_AUTO_STR char *full = slt_path_join(c->dir, path);
	SLT_AUTO_STR char *bytes = NULL;
	SLT_AUTO_BUF(hex, 2 * SLT_DIGEST_MAX + 1);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;
	size_t n;

	if (c->n == SLT_MANIFEST_FILES) {
		complain(c, path, "the set has too many files");
		return;
	}
	if (!slt_file_read(full, SLT_TSV_BYTES, &bytes, &n, &err)) {
		slt_lint_add_err(c->lint, &err);
		c->good = false;
		return;
	}
	slt_digest_of(SLT_SHA256, bytes, n, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 64;
		c->file = slt_realloc(c->file, c->cap, sizeof(*c->file));
	}
	c->file[c->n++] = (struct slt_manifest_file){slt_arena_strdup(c->a, path),
						     slt_arena_strdup(c->a, hex.p)};
}

static void walk(struct collector *c, const char *path, unsigned depth);

static void walk_directory(struct collector *c, const char *path, unsigned depth)
{
	SLT_AUTO_STR char *full = slt_path_join(c->dir, path);
	const struct dirent *e;
	DIR *d = depth < SLT_MANIFEST_DEPTH ? opendir(full) : NULL;

	if (!d) {
		complain(c, path, "cannot be opened, or lies too deep");
		return;
	}
	while (c->n < SLT_MANIFEST_FILES && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
			continue;
		}
		SLT_AUTO_STR char *sub = slt_asprintf("%s/%s", path, e->d_name);
		if (plain_name(e->d_name)) {
			walk(c, sub, depth + 1);
		} else {
			complain(c, sub, "names in a set are made of letters, digits and ._-");
		}
	}
	closedir(d);
}

/* A link could lead to another file tomorrow, without a change to anything that is listed. */
static void walk(struct collector *c, const char *path, unsigned depth)
{
	SLT_AUTO_STR char *full = slt_path_join(c->dir, path);
	struct stat st;

	if (lstat(full, &st) != 0) {
		complain(c, path, "is not there");
	} else if (S_ISREG(st.st_mode)) {
		add_file(c, path);
	} else if (S_ISDIR(st.st_mode)) {
		walk_directory(c, path, depth);
	} else {
		complain(c, path, "is neither a file nor a directory");
	}
}

bool slt_manifest_collect(const char *dir, struct slt_arena *a, struct slt_lint *lint,
			  struct slt_manifest *m)
{
	static const char *const tops[] = {"countries", "flows", "messages.tsv", "pivot"};
	struct collector c = {.dir = dir, .a = a, .lint = lint, .good = true};

	for (size_t i = 0; i < SLT_COUNT(tops); i++) {
		walk(&c, tops[i], 0);
	}
	m->file = slt_arena_alloc(a, (c.n + 1) * sizeof(*c.file));
	if (c.n > 0) {
		qsort(c.file, c.n, sizeof(*c.file), compare_files);
		memcpy(m->file, c.file, c.n * sizeof(*c.file));
	}
	m->n_files = c.n;
	free(c.file);
	return c.good;
}

bool slt_manifest_check(const struct slt_manifest *m, const char *dir, struct slt_lint *lint)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_manifest there = {.n_files = 0};
	bool good = slt_manifest_collect(dir, a, lint, &there);
	size_t i = 0, k = 0;

	while (i < m->n_files || k < there.n_files) {
		int order = i == m->n_files	 ? 1
			    : k == there.n_files ? -1
						 : compare_files(&m->file[i], &there.file[k]);
		const char *path = order > 0 ? there.file[k].path : m->file[i].path;
		SLT_AUTO_STR char *full = slt_path_join(dir, path);
		if (order < 0) {
			slt_lint_add(lint, full, 0,
				     "is listed in " SLT_MANIFEST_NAME ", but not there");
		} else if (order > 0) {
			slt_lint_add(lint, full, 0, "is not listed in " SLT_MANIFEST_NAME);
		} else if (!slt_strcase_eq(m->file[i].sha256, there.file[k].sha256)) {
			slt_lint_add(lint, full, 0,
				     "was altered: its SHA-256 is %s, " SLT_MANIFEST_NAME
				     " says %.64s",
				     there.file[k].sha256, m->file[i].sha256);
			good = false;
		}
		good = good && order == 0;
		i += order <= 0;
		k += order >= 0;
	}
	return good;
}

bool slt_manifest_in_force(const struct slt_manifest *m, const char *dir, int64_t now_ms,
			   struct slt_err *err)
{
	uint32_t today = slt_date_of_ms(now_ms);
	char day[SLT_DATE_LEN], from[SLT_DATE_LEN], to[SLT_DATE_LEN];

	if (today >= m->effective_from && (!m->effective_to || today <= m->effective_to)) {
		return true;
	}
	return slt_fail(err, SLT_FED_TRC_001,
			"%s/" SLT_MANIFEST_NAME
			": version %.60s of the mapping set %.60s is not in "
			"force on %s, but from %s to %s",
			dir, m->version, m->set, slt_date_format(today, day),
			slt_date_format(m->effective_from, from),
			m->effective_to ? slt_date_format(m->effective_to, to) : "further notice");
}

/* --- writing --- */

static void add_string(struct slt_buf *b, const char *s)
{
	slt_buf_addc(b, '"');
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			slt_buf_addf(b, "\\x%02x", (unsigned)(unsigned char)*s);
		} else {
			slt_buf_adds(b, *s == '"' || *s == '\\' ? "\\" : "");
			slt_buf_addc(b, *s);
		}
	}
	slt_buf_addc(b, '"');
}

static void add_setting(struct slt_buf *b, const char *name, const char *value)
{
	if (value) {
		slt_buf_addf(b, "%s = ", name);
		add_string(b, value);
		slt_buf_adds(b, ";\n");
	}
}

void slt_manifest_format(const struct slt_manifest *m, struct slt_buf *out)
{
	slt_buf_adds(out, "# What this mapping set consists of; signed in manifest.p7s.\n");
	add_setting(out, "set", m->set);
	add_setting(out, "version", m->version);
	add_setting(out, "previous", m->previous);
	add_setting(out, "effective_from", m->effective_from_text);
	add_setting(out, "effective_to", m->effective_to_text);
	add_setting(out, "author", m->author);
	slt_buf_adds(out, "approvals = [");
	for (size_t i = 0; i < m->approvals.n; i++) {
		slt_buf_adds(out, i ? ", " : " ");
		add_string(out, m->approvals.v[i]);
	}
	slt_buf_adds(out, m->approvals.n ? " ];\n" : "];\n");
	add_setting(out, "digest", m->digest);
	slt_buf_adds(out, "files = (");
	for (size_t i = 0; i < m->n_files; i++) {
		slt_buf_adds(out, i ? ",\n\t{ path = " : "\n\t{ path = ");
		add_string(out, m->file[i].path);
		slt_buf_adds(out, "; sha256 = ");
		add_string(out, m->file[i].sha256);
		slt_buf_adds(out, "; }");
	}
	slt_buf_adds(out, "\n);\n");
}
