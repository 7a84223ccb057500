/* SPDX-License-Identifier: MIT */
#include "tests/instance/rxstore.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"

#define INDEX_MAX   (1u << 20)
#define RX_MAX	    10000
#define TEHIK_FORMS "1.3.6.1.4.1.28284.6.2.1.12"

struct slt_rxstore {
	const struct slt_country_words *words;
	struct slt_rx *rx;
	size_t n_rx;
	struct slt_rx_sale **sale; /* pointers: entries are handed out */
	size_t n_sales;
	uint64_t next; /* number of the next dispensation */
};

/* --- states ----------------------------------------------------------------------------------- */

const char *slt_rx_state_word(const struct slt_country_words *w, enum slt_rx_state s)
{
	const char *const words[] = {w->open, w->dispensed, w->reserved, w->annulled};
	return words[s];
}

bool slt_rx_state_find(const struct slt_country_words *w, const char *word, enum slt_rx_state *ret)
{
	for (enum slt_rx_state s = SLT_RX_OPEN; s <= SLT_RX_ANNULLED; s++) {
		if (strcmp(slt_rx_state_word(w, s), word) == 0) {
			*ret = s;
			return true;
		}
	}
	return false;
}

/* --- forms ------------------------------------------------------------------------------------ */

/* TEHIK's list has general forms, by which a substance is prescribed, and detailed ones, which
 * products have (groupedBy in the list, version 22). */
static bool general_covers(const char *general, const char *detailed)
{
	static const struct {
		const char *general, *detailed;
	} pairs[] = {
		{"10000", "738"}, {"10003", "746"}, {"10004", "757"},
		{"10005", "789"}, {"10014", "750"}, {"10029", "786"},
	};
	for (size_t i = 0; i < SLT_COUNT(pairs); i++) {
		if (strcmp(pairs[i].general, general) == 0 &&
		    strcmp(pairs[i].detailed, detailed) == 0) {
			return true;
		}
	}
	return false;
}

bool slt_rx_form_fits(const struct slt_rxdoc *prescribed, const struct slt_rxdoc *dispensed)
{
	if (dispensed->form[0] == '\0' ||
	    strcmp(prescribed->form_system, dispensed->form_system) != 0) {
		return false;
	}
	return strcmp(prescribed->form, dispensed->form) == 0 ||
	       (strcmp(prescribed->form_system, TEHIK_FORMS) == 0 &&
		general_covers(prescribed->form, dispensed->form));
}

/* --- loading ---------------------------------------------------------------------------------- */

/* Column `want` of a line; p NULL when it has fewer. */
static struct slt_str column(struct slt_str line, size_t want)
{
	size_t at = 0;
	for (size_t i = 0;; i++) {
		const char *tab = memchr(line.p + at, '\t', line.n - at);
		size_t end = tab == NULL ? line.n : (size_t)(tab - line.p);
		if (i == want) {
			return (struct slt_str){line.p + at, end - at};
		}
		if (tab == NULL) {
			return (struct slt_str){NULL, 0};
		}
		at = end + 1;
	}
}

static struct slt_str next_line(const char **p)
{
	size_t n = strcspn(*p, "\n");
	struct slt_str line = {*p, n > 0 && (*p)[n - 1] == '\r' ? n - 1 : n};
	*p += n + ((*p)[n] == '\n' ? 1u : 0u);
	return line;
}

static bool find_column(struct slt_str header, const char *name, size_t *ret)
{
	for (size_t i = 0;; i++) {
		struct slt_str c = column(header, i);
		if (c.p == NULL) {
			return false;
		}
		if (slt_str_eq(c, name)) {
			*ret = i;
			return true;
		}
	}
}

/* The state that index.tsv gives a file. */
static enum slt_rx_state indexed_state(const struct slt_country_words *w, const char *index,
				       const char *file)
{
	const char *p = index == NULL ? "" : index;
	struct slt_str header = next_line(&p);
	size_t file_column = 0, state_column = 0;
	enum slt_rx_state s = SLT_RX_OPEN;
	if (!find_column(header, "file", &file_column) ||
	    !find_column(header, "state", &state_column)) {
		return s;
	}
	while (*p != '\0') {
		struct slt_str line = next_line(&p);
		struct slt_str state = column(line, state_column);
		if (state.p != NULL && slt_str_eq(column(line, file_column), file)) {
			SLT_AUTO_STR char *word = slt_strndup(state.p, state.n);
			(void)slt_rx_state_find(w, word, &s);
		}
	}
	return s;
}

static bool load_file(struct slt_rxstore *s, const char *dir, const char *name, const char *index,
		      struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, name);
	SLT_AUTO_STR char *bytes = NULL;
	SLT_AUTO(slt_rxdoc_free) struct slt_rxdoc *doc = NULL;
	size_t n = 0;
	if (!slt_file_read(path, SLT_RXDOC_MAX, &bytes, &n, err) ||
	    !slt_rxdoc_read(bytes, n, s->words->no_export_list, s->words->no_export_codes, &doc,
			    err)) {
		return slt_wrap(err, "%s", path);
	}
	if (doc->dispensation || strcmp(doc->person_root, s->words->person_oid) != 0) {
		return true;
	}
	if (slt_rxstore_find(s, doc->rx_root, doc->rx_ext) != NULL) {
		return slt_fail(err, SLT_EINVAL, "%s: another file has the same prescription",
				path);
	}
	s->rx = slt_realloc(s->rx, s->n_rx + 1, sizeof(*s->rx));
	struct slt_rx *rx = &s->rx[s->n_rx++];
	*rx = (struct slt_rx){.file = slt_strdup(name),
			      .bytes = SLT_TAKE(bytes),
			      .n_bytes = n,
			      .doc = SLT_TAKE(doc)};
	rx->first = indexed_state(s->words, index, name);
	rx->state = rx->first;
	return true;
}

static int is_document(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 4 && strcmp(e->d_name + n - 4, ".xml") == 0;
}

static bool load_dir(struct slt_rxstore *s, const char *dir, struct slt_err *err)
{
	SLT_AUTO_STR char *index_path = slt_path_join(dir, "index.tsv");
	SLT_AUTO_STR char *index = NULL;
	size_t n_index = 0;
	if (slt_file_exists(index_path) &&
	    !slt_file_read(index_path, INDEX_MAX, &index, &n_index, err)) {
		return false;
	}
	struct dirent **names = NULL;
	int n = scandir(dir, &names, is_document, alphasort);
	if (n < 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot list the documents in %s", dir);
	}
	bool ok = n <= RX_MAX ||
		  slt_fail(err, SLT_ELIMIT, "%s has more than %d documents", dir, RX_MAX);
	for (int i = 0; i < n; i++) {
		ok = ok && load_file(s, dir, names[i]->d_name, index, err);
		free(names[i]);
	}
	free(names);
	return ok;
}

bool slt_rxstore_load(const struct slt_country_words *w, const char *dir, struct slt_rxstore **ret,
		      struct slt_err *err)
{
	struct slt_rxstore *s = slt_calloc(1, sizeof(*s));
	s->words = w;
	s->next = 1;
	if (dir != NULL && !load_dir(s, dir, err)) {
		slt_rxstore_free(s);
		return false;
	}
	*ret = s;
	return true;
}

static void free_sales(struct slt_rxstore *s)
{
	for (size_t i = 0; i < s->n_sales; i++) {
		struct slt_rx_sale *v = s->sale[i];
		char *strings[] = {v->root, v->ext, v->document, v->client, v->message_id};
		for (size_t k = 0; k < SLT_COUNT(strings); k++) {
			free(strings[k]);
		}
		free(v);
	}
	free(s->sale);
	s->sale = NULL;
	s->n_sales = 0;
}

void slt_rxstore_free(struct slt_rxstore *s)
{
	if (s == NULL) {
		return;
	}
	free_sales(s);
	for (size_t i = 0; i < s->n_rx; i++) {
		free(s->rx[i].file);
		free(s->rx[i].bytes);
		slt_rxdoc_free(s->rx[i].doc);
	}
	free(s->rx);
	free(s);
}

/* --- use -------------------------------------------------------------------------------------- */

struct slt_rx *slt_rxstore_at(struct slt_rxstore *s, size_t i)
{
	return i < s->n_rx ? &s->rx[i] : NULL;
}

static bool same_id(const char *root, const char *ext, const char *want_root, const char *want_ext)
{
	return strcmp(root, want_root) == 0 &&
	       strcmp(ext == NULL ? "" : ext, want_ext == NULL ? "" : want_ext) == 0;
}

struct slt_rx *slt_rxstore_find(struct slt_rxstore *s, const char *root, const char *ext)
{
	for (size_t i = 0; i < s->n_rx; i++) {
		if (same_id(s->rx[i].doc->rx_root, s->rx[i].doc->rx_ext, root, ext)) {
			return &s->rx[i];
		}
	}
	return NULL;
}

const struct slt_rx_sale *slt_rxstore_sale_at(struct slt_rxstore *s, size_t i)
{
	return i < s->n_sales ? s->sale[i] : NULL;
}

const struct slt_rx_sale *slt_rxstore_dispense(struct slt_rxstore *s, struct slt_rx *rx,
					       const struct slt_rx_facts *facts)
{
	slt_assert(rx->state == SLT_RX_OPEN);
	struct slt_rx_sale *v = slt_calloc(1, sizeof(*v));
	time_t now = (time_t)(facts->at_ms / 1000);
	struct tm tm;
	(void)gmtime_r(&now, &tm);
	unsigned long long number = s->next++;
	*v = (struct slt_rx_sale){.rx = rx,
				  .document = slt_strdup(facts->document),
				  .client = slt_strdup(facts->client),
				  .message_id = slt_strdup(facts->message_id),
				  .at_ms = facts->at_ms};
	if (s->words->sale_extension) {
		v->root = slt_strdup(s->words->sale_root);
		v->ext = slt_asprintf("M%d-%llu", tm.tm_year + 1900, number);
	} else {
		v->root =
			slt_asprintf("%s.%d.%llu", s->words->sale_root, tm.tm_year + 1900, number);
	}
	s->sale = slt_realloc(s->sale, s->n_sales + 1, sizeof(*s->sale));
	s->sale[s->n_sales++] = v;
	rx->state = SLT_RX_DISPENSED;
	return v;
}

bool slt_rxstore_cancel(struct slt_rxstore *s, struct slt_rx *rx, const char *root, const char *ext)
{
	for (size_t i = 0; i < s->n_sales; i++) {
		struct slt_rx_sale *v = s->sale[i];
		if (v->rx == rx && !v->cancelled && same_id(v->root, v->ext, root, ext)) {
			v->cancelled = true;
			rx->state = SLT_RX_OPEN;
			return true;
		}
	}
	return false;
}

void slt_rxstore_reset(struct slt_rxstore *s)
{
	free_sales(s);
	for (size_t i = 0; i < s->n_rx; i++) {
		s->rx[i].state = s->rx[i].first;
		s->rx[i].instead = NULL;
	}
}
