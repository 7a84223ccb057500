/* SPDX-License-Identifier: MIT */
/* Linking information: each container's digest is chained to the one before it. */
#include <string.h>

#include "federation/asic.h"

#define LINKS_NAME	"linkinginfo"
#define LINKS_BYTES_MAX (32u << 20)

static bool is_container(const char *name)
{
	static const char suffix[] = ".asice";
	size_t n = strlen(name);

	return n >= sizeof(suffix) && strcmp(name + n - (sizeof(suffix) - 1), suffix) == 0;
}

bool slt_archive_is(const struct slt_archive *a)
{
	for (size_t i = 0; i < slt_archive_count(a); i++) {
		const char *name = slt_archive_name(a, i);

		if (strcmp(name, LINKS_NAME) == 0 || is_container(name)) {
			return true;
		}
	}
	return false;
}

/* Takes the next line off a text; false at its end. */
static bool next_line(struct slt_str *text, struct slt_str *ret)
{
	const char *nl = text->n > 0 ? memchr(text->p, '\n', text->n) : NULL;
	size_t n = nl != NULL ? (size_t)(nl - text->p) : text->n;

	if (text->n == 0) {
		return false;
	}
	*ret = slt_str_trim((struct slt_str){text->p, n});
	n += nl != NULL;
	*text = (struct slt_str){text->p + n, text->n - n};
	return true;
}

/* The next word of a line, empty at its end. */
static struct slt_str next_word(struct slt_str *line)
{
	const char *space = line->n > 0 ? memchr(line->p, ' ', line->n) : NULL;
	struct slt_str word = {line->p, space != NULL ? (size_t)(space - line->p) : line->n};

	*line = slt_str_trim((struct slt_str){line->p + word.n, line->n - word.n});
	return word;
}

/* --- the chain --- */

struct links {
	const struct slt_archive *a;
	enum slt_digest_alg alg;
	bool *linked;  /* per entry of the archive */
	size_t cursor; /* entries stand in the order of the links, mostly */
	struct slt_archive_links *out;
};

static bool broken(struct slt_err *err, const char *what, struct slt_str name)
{
	return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE, "linking information: %s \"%.*s\"", what,
			name.n < 120 ? (int)name.n : 120, name.n > 0 ? name.p : "");
}

static bool keep_hex(struct slt_str hex, char to[2 * SLT_DIGEST_MAX + 1])
{
	if (hex.n == 0 || hex.n > 2 * SLT_DIGEST_MAX) {
		return false;
	}
	memcpy(to, hex.p, hex.n);
	to[hex.n] = '\0';
	return true;
}

static bool read_head(struct links *l, struct slt_str line, const char *previous,
		      struct slt_err *err)
{
	struct slt_str last = next_word(&line), file = next_word(&line), alg = next_word(&line);
	struct slt_archive_links *out = l->out;

	l->alg = slt_digest_by_name(alg);
	if (l->alg == SLT_DIGEST_NONE || file.n == 0 || line.n != 0) {
		return broken(err, "the first line must name digest, file and algorithm; it says",
			      alg);
	}
	if (!slt_str_eq(last, "-") && last.n != 2 * slt_digest_size(l->alg)) {
		return broken(err, "the digest of the archive before this one is wrong:", last);
	}
	if (!keep_hex(last, out->previous) || !keep_hex(last, out->last)) {
		return broken(err, "the digest of the archive before this one is missing", last);
	}
	if (previous != NULL && !slt_strcase_eq(previous, out->previous)) {
		return broken(err, "the archive does not follow the one before it; it follows",
			      last);
	}
	return true;
}

static bool find_entry(const struct links *l, struct slt_str name, size_t *ret)
{
	size_t n = slt_archive_count(l->a);

	for (size_t k = 0; k < n; k++) {
		size_t i = (l->cursor + k) % n;

		if (slt_str_eq(name, slt_archive_name(l->a, i))) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool check_link(struct links *l, struct slt_str line, struct slt_err *err)
{
	struct slt_str want = next_word(&line), name = line;
	struct slt_archive_links *out = l->out;
	SLT_AUTO_BUF(bytes, SLT_ASIC_BYTES_MAX + 1);
	SLT_AUTO_BUF(text, 8 * SLT_DIGEST_MAX);
	SLT_AUTO_BUF(hex, 8 * SLT_DIGEST_MAX);
	struct slt_digest d;
	size_t i = 0;

	if (name.n == 0 || !find_entry(l, name, &i)) {
		return broken(err, "the archive lacks the file", name);
	}
	if (l->linked[i]) {
		return broken(err, "listed twice is the file", name);
	}
	if (!slt_archive_read(l->a, i, &bytes, err)) {
		return broken(err, "damaged is the file", name);
	}
	slt_digest_of(l->alg, bytes.p, bytes.n, &d);
	if (strcmp(out->last, "-") != 0) {
		slt_buf_adds(&text, out->last);
	}
	slt_buf_add_hex(&text, d.v, d.n);
	slt_digest_of(l->alg, text.p, text.n, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	if (!slt_str_eq(want, hex.p)) {
		return broken(err, "the digest does not match for the file", name);
	}
	(void)keep_hex(slt_buf_str(&hex), out->last);
	out->n++;
	l->linked[i] = true;
	l->cursor = i + 1;
	return true;
}

static bool check_links(struct links *l, struct slt_str text, const char *previous,
			struct slt_err *err)
{
	struct slt_str line;

	if (!next_line(&text, &line)) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"the archive's linking information is empty");
	}
	if (!read_head(l, line, previous, err)) {
		return false;
	}
	while (next_line(&text, &line)) {
		if (line.n > 0 && !check_link(l, line, err)) {
			return false;
		}
	}
	for (size_t i = 0; i < slt_archive_count(l->a); i++) {
		const char *name = slt_archive_name(l->a, i);

		if (is_container(name) && !l->linked[i]) {
			return broken(err, "no link covers the file", slt_str(name));
		}
	}
	return true;
}

bool slt_archive_verify_links(const struct slt_archive *a, const char *previous,
			      struct slt_archive_links *ret, struct slt_err *err)
{
	SLT_AUTO_BUF(text, LINKS_BYTES_MAX);
	struct slt_archive_links out = {.n = 0};
	struct links l = {.a = a, .out = &out};
	size_t i = 0;

	if (!find_entry(&l, SLT_STR_C(LINKS_NAME), &i)) {
		return slt_fail(err, SLT_EMLOG_INVALID_ARCHIVE,
				"the archive has no linking information");
	}
	if (!slt_archive_read(a, i, &text, err)) {
		return broken(err, "damaged is the file", SLT_STR_C(LINKS_NAME));
	}
	l.linked = slt_calloc(slt_archive_count(a), sizeof(*l.linked));

	bool good = check_links(&l, slt_buf_str(&text), previous, err);

	free(l.linked);
	if (good) {
		*ret = out;
	}
	return good;
}
