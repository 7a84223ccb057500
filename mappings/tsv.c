/* SPDX-License-Identifier: MIT */
#include "mappings/tsv.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"

struct slt_tsv {
	char *path;
	char *text; /* the file; tabs and line ends become NULs as rows are given out */
	size_t n, at;
	unsigned line;
	size_t rows;
	const char *const *names;
	size_t n_names;
	int place[SLT_TSV_COLUMNS];    /* the file's column -> name */
	bool present[SLT_TSV_COLUMNS]; /* by name */
	size_t n_columns;
	char digest[2 * SLT_DIGEST_MAX + 1];
	struct slt_lint *lint;
};

void slt_tsv_free(struct slt_tsv *t)
{
	if (!t) {
		return;
	}
	free(t->text);
	free(t->path);
	free(t);
}

const char *slt_tsv_text(const struct slt_tsv *t)
{
	return t->text;
}

unsigned slt_tsv_line(const struct slt_tsv *t)
{
	return t->line;
}

const char *slt_tsv_path(const struct slt_tsv *t)
{
	return t->path;
}

const char *slt_tsv_digest(const struct slt_tsv *t)
{
	return t->digest;
}

static bool complain(struct slt_tsv *t, const char *what)
{
	slt_lint_add(t->lint, t->path, t->line, "%s", what);
	return false;
}

bool slt_tsv_is_text(const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)p[i];
		size_t more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;

		if ((c < 0x20 && c != '\t') || c == 0x7f || (c >= 0x80 && c < 0xc2) || c > 0xf4 ||
		    more > n - i - 1) {
			return false;
		}
		for (size_t k = 1; k <= more; k++) {
			if (((unsigned char)p[i + k] & 0xc0) != 0x80) {
				return false;
			}
		}
		unsigned char d = more > 0 ? (unsigned char)p[i + 1] : 0;
		/* overlong forms, surrogates, beyond U+10FFFF */
		if ((c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) || (c == 0xf0 && d < 0x90) ||
		    (c == 0xf4 && d > 0x8f)) {
			return false;
		}
		i += 1 + more;
	}
	return true;
}

/* The next line that is no comment and not empty; terminated in place. */
static bool next_line(struct slt_tsv *t, char **ret, size_t *ret_n)
{
	while (t->at < t->n) {
		char *p = t->text + t->at;
		char *end = memchr(p, '\n', t->n - t->at);
		size_t n = end ? (size_t)(end - p) : t->n - t->at;

		t->at += n + (end != NULL);
		t->line++;
		if (n == 0 || p[0] == '#') {
			continue;
		}
		if (n > SLT_TSV_LINE) {
			complain(t, "the line is too long");
			continue;
		}
		if (!slt_tsv_is_text(p, n)) {
			complain(t, "not UTF-8, or a control character (lines end in LF alone)");
			continue;
		}
		p[n] = '\0';
		*ret = p;
		*ret_n = n;
		return true;
	}
	return false;
}

static int find_name(const struct slt_tsv *t, const char *name)
{
	for (size_t i = 0; i < t->n_names; i++) {
		if (strcmp(t->names[i], name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

static bool read_header(struct slt_tsv *t, size_t required)
{
	char *line, *cell;
	size_t n;

	if (!next_line(t, &line, &n)) {
		return complain(t, "the file has no header line");
	}
	while ((cell = strsep(&line, "\t")) != NULL) {
		int name = find_name(t, cell);

		if (name < 0) {
			slt_lint_add(t->lint, t->path, t->line, "unknown column '%.40s'", cell);
			return false;
		}
		if (t->present[name]) {
			slt_lint_add(t->lint, t->path, t->line, "column '%s' stands twice", cell);
			return false;
		}
		t->present[name] = true;
		t->place[t->n_columns++] = name;
	}
	for (size_t i = 0; i < required; i++) {
		if (!t->present[i]) {
			slt_lint_add(t->lint, t->path, t->line, "column '%s' is missing",
				     t->names[i]);
			return false;
		}
	}
	return true;
}

static bool start(struct slt_tsv *t, size_t required)
{
	struct slt_digest d;
	SLT_AUTO_BUF(hex, sizeof(t->digest));

	slt_digest_of(SLT_SHA256, t->text, t->n, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	memcpy(t->digest, hex.p, hex.n + 1);
	if (t->n >= 3 && memcmp(t->text, "\xef\xbb\xbf", 3) == 0) {
		return complain(t, "begins with a byte order mark");
	}
	return read_header(t, required);
}

static struct slt_tsv *new_tsv(const char *path, const char *const *columns, size_t n,
			       struct slt_lint *lint)
{
	struct slt_tsv *t = slt_calloc(1, sizeof(*t));

	slt_assert(n <= SLT_TSV_COLUMNS);
	t->path = slt_strdup(path);
	t->names = columns;
	t->n_names = n;
	t->lint = lint;
	return t;
}

bool slt_tsv_open(const char *path, const char *sha256, const char *const *columns, size_t n,
		  size_t required, struct slt_lint *lint, struct slt_tsv **ret)
{
	SLT_AUTO(slt_tsv_free) struct slt_tsv *t = new_tsv(path, columns, n, lint);
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_file_read(path, SLT_TSV_BYTES, &t->text, &t->n, &err)) {
		slt_lint_add_err(lint, &err);
		return false;
	}
	if (!start(t, required)) {
		return false;
	}
	if (sha256 && !slt_strcase_eq(sha256, t->digest)) {
		slt_lint_add(lint, path, 0, "SHA-256 is %s, not the %s that country.conf names",
			     t->digest, sha256);
		return false;
	}
	*ret = SLT_TAKE(t);
	return true;
}

bool slt_tsv_open_bytes(const char *path, struct slt_str bytes, const char *const *columns,
			size_t n, size_t required, struct slt_lint *lint, struct slt_tsv **ret)
{
	SLT_AUTO(slt_tsv_free) struct slt_tsv *t = new_tsv(path, columns, n, lint);

	t->text = slt_strndup(bytes.n ? bytes.p : "", bytes.n);
	t->n = strlen(t->text);
	if (t->n != bytes.n) {
		t->line = 1;
		return complain(t, "a NUL byte in the file");
	}
	if (!start(t, required)) {
		return false;
	}
	*ret = SLT_TAKE(t);
	return true;
}

static bool cell_is_good(struct slt_tsv *t, const char *p, size_t n, int name)
{
	if (n > 0 && (p[0] == ' ' || p[n - 1] == ' ')) {
		slt_lint_add(t->lint, t->path, t->line, "%s begins or ends with a blank",
			     t->names[name]);
		return false;
	}
	return true;
}

/* Splits the line; false when the row cannot be used. */
static bool split(struct slt_tsv *t, char *line, uint32_t *ret)
{
	char *cell;
	size_t i = 0;
	bool good = true;

	while ((cell = strsep(&line, "\t")) != NULL) {
		if (i == t->n_columns) {
			return complain(t, "more cells than the header has columns");
		}
		good &= cell_is_good(t, cell, strlen(cell), t->place[i]);
		ret[t->place[i++]] = (uint32_t)(cell - t->text);
	}
	return good;
}

bool slt_tsv_next(struct slt_tsv *t, uint32_t *ret_cells)
{
	char *line;
	size_t n;

	while (next_line(t, &line, &n)) {
		if (t->rows == SLT_TSV_ROWS) {
			complain(t, "too many rows");
			t->at = t->n;
			return false;
		}
		for (size_t i = 0; i < t->n_names; i++) {
			/* the terminator behind the file: an empty cell */
			ret_cells[i] = (uint32_t)t->n;
		}
		t->rows++;
		if (split(t, line, ret_cells)) {
			return true;
		}
	}
	return false;
}
