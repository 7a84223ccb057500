/* SPDX-License-Identifier: MIT */
#include "mappings/table.h"

#include <stdlib.h>
#include <string.h>

#include "mappings/date.h"
#include "mappings/tsv.h"

/* clang-format off */
enum column {
	COL_CODE, COL_DISPLAY, COL_LANG, COL_RELATION, COL_PIVOT_CODE, COL_PIVOT_DISPLAY,
	COL_DIRECTION, COL_PREFERRED, COL_WHEN, COL_VALID_FROM, COL_VALID_TO, COL_REPLACED_BY,
	COL_STATUS, COL_JUSTIFICATION, COL_SOURCE, COL_REVIEWED, COL_NOTE, COL_COUNT
};

_Static_assert(COL_COUNT == SLT_TABLE_COLUMNS, "columns");
const char *const slt_table_columns[SLT_TABLE_COLUMNS] = {
	"code", "display", "lang", "relation", "pivot_code", "pivot_display",
	"direction", "preferred", "when", "valid_from", "valid_to", "replaced_by",
	"status", "justification", "source", "reviewed", "note",
};
/* clang-format on */

static const char *const relations[] = {"equivalent", "source-is-narrower-than-target",
					"source-is-broader-than-target", "related-to",
					"not-related-to"};
static const char *const directions[] = {"both", "to-pivot", "from-pivot"};
static const char *const statuses[] = {"active", "draft", "retired"};
static const char *const yes_no[] = {"no", "yes"};

struct index { /* heads by open addressing, the rest of each chain through `next` */
	uint32_t *slot, *next;
	uint32_t mask;
};

struct slt_table {
	enum slt_table_kind kind;
	struct slt_tsv *tsv;
	struct slt_arena *arena; /* conditions */
	struct slt_row *row;
	uint32_t n, cap;
	char **folded; /* names in lower case, NULL where there is none */
	struct index by_code, by_pivot, by_name;
	uint64_t seed;
};

static void index_fini(struct index *x)
{
	free(x->slot);
	free(x->next);
}

void slt_table_free(struct slt_table *t)
{
	if (!t) {
		return;
	}
	index_fini(&t->by_code);
	index_fini(&t->by_pivot);
	index_fini(&t->by_name);
	slt_tsv_free(t->tsv);
	slt_arena_free(t->arena);
	free(t->folded);
	free(t->row);
	free(t);
}

uint32_t slt_table_rows(const struct slt_table *t)
{
	return t->n;
}

const struct slt_row *slt_table_row(const struct slt_table *t, uint32_t i)
{
	return &t->row[i];
}

const char *slt_table_text(const struct slt_table *t, uint32_t offset)
{
	return slt_tsv_text(t->tsv) + offset;
}

const char *slt_table_path(const struct slt_table *t)
{
	return slt_tsv_path(t->tsv);
}

const char *slt_table_digest(const struct slt_table *t)
{
	return slt_tsv_digest(t->tsv);
}

/* --- names --- */

static unsigned fold_point(unsigned c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7)) {
		return c + 32;
	}
	/* Latin Extended-A: pairs, upper case even up to U+0137 and from U+014A, odd between */
	if ((c >= 0x100 && c <= 0x137 && c != 0x130) || (c >= 0x14a && c <= 0x177)) {
		return c | 1;
	}
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) {
		return c + (c & 1);
	}
	return c;
}

bool slt_fold(const char *s, char *ret, size_t n)
{
	size_t at = 0;

	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if (at + 3 > n) {
			return false;
		}
		/* only two-byte forms up to U+017F (lead bytes C3 to C5) have letters we fold */
		if (*p >= 0xc3 && *p <= 0xc5 && (p[1] & 0xc0) == 0x80) {
			unsigned c = fold_point(((*p & 0x1fu) << 6) | (p[1] & 0x3fu));
			ret[at++] = (char)(0xc0 | (c >> 6));
			ret[at++] = (char)(0x80 | (c & 0x3f));
			p++;
		} else {
			ret[at++] = (char)(*p < 0x80 ? fold_point(*p) : *p);
		}
	}
	if (at >= n) {
		return false;
	}
	ret[at] = '\0';
	return true;
}

/* --- relations --- */

static bool word(const char *const *words, size_t n, const char *s, unsigned *ret)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(words[i], s) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

const char *slt_relation_name(enum slt_relation r)
{
	return relations[r];
}

bool slt_relation_by_name(const char *name, enum slt_relation *ret)
{
	unsigned i;

	if (!word(relations, SLT_COUNT(relations), name, &i)) {
		return false;
	}
	*ret = (enum slt_relation)i;
	return true;
}

enum slt_relation slt_relation_flip(enum slt_relation r)
{
	if (r == SLT_REL_NARROWER) {
		return SLT_REL_BROADER;
	}
	return r == SLT_REL_BROADER ? SLT_REL_NARROWER : r;
}

enum slt_relation slt_relation_compose(enum slt_relation a, enum slt_relation b)
{
	if (a == SLT_REL_NOT_RELATED || b == SLT_REL_NOT_RELATED) {
		return SLT_REL_NOT_RELATED;
	}
	if (a == SLT_REL_EQUIVALENT) {
		return b;
	}
	return b == SLT_REL_EQUIVALENT || a == b ? a : SLT_REL_RELATED;
}

bool slt_row_in_force(const struct slt_row *r, uint32_t date)
{
	if (r->status == SLT_ROW_DRAFT || (r->status == SLT_ROW_RETIRED && r->valid_to == 0)) {
		return false;
	}
	if (date == 0) {
		return r->valid_to == 0;
	}
	return date >= r->valid_from && (r->valid_to == 0 || date <= r->valid_to);
}

/* --- indexes --- */

typedef const char *key_fn(const struct slt_table *t, uint32_t row);

static const char *key_code(const struct slt_table *t, uint32_t row)
{
	return slt_table_text(t, t->row[row].code);
}

static const char *key_pivot(const struct slt_table *t, uint32_t row)
{
	return slt_table_text(t, t->row[row].pivot_code);
}

static const char *key_name(const struct slt_table *t, uint32_t row)
{
	return t->folded[row] ? t->folded[row] : "";
}

static uint64_t hash(const struct slt_table *t, const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ t->seed;

	for (; *s; s++) {
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	}
	return h ^ (h >> 29);
}

static uint32_t *find_slot(const struct slt_table *t, const struct index *x, key_fn *key,
			   const char *s)
{
	uint32_t i = (uint32_t)hash(t, s) & x->mask;

	while (x->slot[i] != SLT_ROW_NONE && strcmp(key(t, x->slot[i]), s) != 0) {
		i = (i + 1) & x->mask;
	}
	return &x->slot[i];
}

static void build(const struct slt_table *t, struct index *x, key_fn *key)
{
	uint32_t size = 16;

	while (size < 2 * (uint64_t)t->n) {
		size *= 2;
	}
	x->mask = size - 1;
	x->slot = slt_calloc(size, sizeof(*x->slot));
	x->next = slt_calloc((size_t)t->n + 1, sizeof(*x->next));
	memset(x->slot, 0xff, size * sizeof(*x->slot));
	/* from the last row to the first: chains come out in the order of the file */
	for (uint32_t i = t->n; i-- > 0;) {
		const char *s = key(t, i);
		x->next[i] = SLT_ROW_NONE;
		if (*s) {
			uint32_t *slot = find_slot(t, x, key, s);
			x->next[i] = *slot;
			*slot = i;
		}
	}
}

static uint32_t look_up(const struct slt_table *t, const struct index *x, key_fn *key,
			const char *s)
{
	return *s ? *find_slot(t, x, key, s) : SLT_ROW_NONE;
}

uint32_t slt_table_by_code(const struct slt_table *t, const char *code)
{
	return look_up(t, &t->by_code, key_code, code);
}

uint32_t slt_table_by_pivot(const struct slt_table *t, const char *pivot_code)
{
	return look_up(t, &t->by_pivot, key_pivot, pivot_code);
}

uint32_t slt_table_by_name(const struct slt_table *t, const char *name)
{
	char folded[2 * SLT_CODE_MAX];

	if (!slt_fold(name, folded, sizeof(folded))) {
		return SLT_ROW_NONE;
	}
	return look_up(t, &t->by_name, key_name, folded);
}

uint32_t slt_table_next_code(const struct slt_table *t, uint32_t row)
{
	return t->by_code.next[row];
}

uint32_t slt_table_next_pivot(const struct slt_table *t, uint32_t row)
{
	return t->by_pivot.next[row];
}

uint32_t slt_table_next_name(const struct slt_table *t, uint32_t row)
{
	return t->by_name.next[row];
}

/* --- loading --- */

struct loader {
	struct slt_table *t;
	struct slt_lint *lint;
	uint32_t cell[COL_COUNT];
};

static const char *cell(const struct loader *l, enum column c)
{
	return slt_table_text(l->t, l->cell[c]);
}

static void complain(const struct loader *l, enum column c, const char *what)
{
	slt_lint_add(l->lint, slt_tsv_path(l->t->tsv), slt_tsv_line(l->t->tsv), "%s '%.60s' %s",
		     slt_table_columns[c], cell(l, c), what);
}

static unsigned read_word(const struct loader *l, enum column c, const char *const *words, size_t n)
{
	unsigned v = 0;

	if (*cell(l, c) && !word(words, n, cell(l, c), &v)) {
		complain(l, c, "is not one of the words of this column");
	}
	return v;
}

static uint32_t read_date(const struct loader *l, enum column c)
{
	uint32_t date = 0;

	if (*cell(l, c) && !slt_date_parse_iso(slt_str(cell(l, c)), &date)) {
		complain(l, c, "is not a date of the form YYYY-MM-DD");
	}
	return date;
}

static const struct slt_cond *read_when(const struct loader *l)
{
	struct slt_cond *cond = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (*cell(l, COL_WHEN) && !slt_cond_parse(cell(l, COL_WHEN), l->t->arena, &cond, &err)) {
		complain(l, COL_WHEN, err.msg);
	}
	return cond;
}

static void check_row(const struct loader *l, const struct slt_row *r)
{
	const struct slt_table *t = l->t;
	const char *code = cell(l, COL_CODE);

	if (!*code) {
		complain(l, COL_CODE, "is empty");
	}
	if (strlen(code) > SLT_CODE_MAX || strlen(cell(l, COL_PIVOT_CODE)) > SLT_CODE_MAX ||
	    strlen(cell(l, COL_DISPLAY)) > SLT_CODE_MAX) {
		complain(l, COL_CODE, "or its pivot code or name is too long");
	}
	if (t->n > 0 && strcmp(slt_table_text(t, t->row[t->n - 1].code), code) > 0) {
		complain(l, COL_CODE, "is not in the order of bytes (sort with LC_ALL=C)");
	}
	if (r->valid_to && r->valid_from > r->valid_to) {
		complain(l, COL_VALID_TO, "is before valid_from");
	}
	if (strcmp(cell(l, COL_REPLACED_BY), code) == 0 && *code) {
		complain(l, COL_REPLACED_BY, "is the code itself");
	}
	if (t->kind == SLT_TABLE_PIVOT && *cell(l, COL_PIVOT_CODE)) {
		complain(l, COL_PIVOT_CODE, "stands in a list of the pivot itself");
	}
}

static void take_row(struct loader *l)
{
	struct slt_table *t = l->t;
	struct slt_row r = {
		.code = l->cell[COL_CODE],
		.display = l->cell[COL_DISPLAY],
		.lang = l->cell[COL_LANG],
		.pivot_code = l->cell[COL_PIVOT_CODE],
		.pivot_display = l->cell[COL_PIVOT_DISPLAY],
		.replaced_by = l->cell[COL_REPLACED_BY],
		.justification = l->cell[COL_JUSTIFICATION],
		.source = l->cell[COL_SOURCE],
		.reviewed = l->cell[COL_REVIEWED],
		.note = l->cell[COL_NOTE],
		.line = slt_tsv_line(t->tsv),
		.valid_from = read_date(l, COL_VALID_FROM),
		.valid_to = read_date(l, COL_VALID_TO),
		.when = read_when(l),
	};
	r.relation = (uint8_t)read_word(l, COL_RELATION, relations, SLT_COUNT(relations));
	r.direction = (uint8_t)read_word(l, COL_DIRECTION, directions, SLT_COUNT(directions));
	r.status = (uint8_t)read_word(l, COL_STATUS, statuses, SLT_COUNT(statuses));
	r.preferred = read_word(l, COL_PREFERRED, yes_no, SLT_COUNT(yes_no)) == 1;
	check_row(l, &r);
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 256;
		t->row = slt_realloc(t->row, t->cap, sizeof(*t->row));
	}
	t->row[t->n++] = r;
}

/* Names in another language than the others' do not make a code ambiguous, so all are indexed. */
static void fold_names(struct slt_table *t)
{
	char folded[2 * SLT_CODE_MAX];

	t->folded = slt_calloc((size_t)t->n + 1, sizeof(*t->folded));
	for (uint32_t i = 0; i < t->n; i++) {
		const char *name = slt_table_text(t, t->row[i].display);
		if (*name && slt_fold(name, folded, sizeof(folded))) {
			t->folded[i] = slt_arena_strdup(t->arena, folded);
		}
	}
}

static bool same_key(const struct slt_table *t, const struct slt_row *a, const struct slt_row *b)
{
	return strcmp(slt_table_text(t, a->pivot_code), slt_table_text(t, b->pivot_code)) == 0 &&
	       strcmp(slt_table_text(t, a->lang), slt_table_text(t, b->lang)) == 0 &&
	       a->valid_from == b->valid_from && a->direction == b->direction &&
	       a->status == b->status && !a->when && !b->when;
}

static void check_whole(struct slt_table *t, struct slt_lint *lint)
{
	for (uint32_t i = 0; i < t->n; i++) {
		const struct slt_row *r = &t->row[i];
		const char *by = slt_table_text(t, r->replaced_by);

		if (*by && slt_table_by_code(t, by) == SLT_ROW_NONE) {
			slt_lint_add(lint, slt_table_path(t), r->line,
				     "replaced_by '%.60s' is no code of this table", by);
		}
		/* chains are as long as the rows of one code: bound the pairs looked at */
		unsigned seen = 0;
		for (uint32_t k = slt_table_next_code(t, i); k != SLT_ROW_NONE && seen < 64;
		     k = slt_table_next_code(t, k), seen++) {
			if (same_key(t, r, &t->row[k])) {
				slt_lint_add(lint, slt_table_path(t), t->row[k].line,
					     "the same mapping stands in line %u", r->line);
			}
		}
	}
}

static struct slt_table *fill(struct slt_tsv *tsv, enum slt_table_kind kind, struct slt_lint *lint)
{
	struct slt_table *t = slt_calloc(1, sizeof(*t));
	struct loader l = {.t = t, .lint = lint};

	t->tsv = tsv;
	t->kind = kind;
	t->arena = slt_arena_new();
	/* the file's own digest: its author cannot choose codes that collide */
	memcpy(&t->seed, slt_tsv_digest(tsv), sizeof(t->seed));
	while (slt_tsv_next(tsv, l.cell)) {
		take_row(&l);
	}
	fold_names(t);
	build(t, &t->by_code, key_code);
	build(t, &t->by_pivot, key_pivot);
	build(t, &t->by_name, key_name);
	check_whole(t, lint);
	return t;
}

bool slt_table_load(const char *path, const char *sha256, enum slt_table_kind kind,
		    struct slt_lint *lint, struct slt_table **ret)
{
	struct slt_tsv *tsv;

	if (!slt_tsv_open(path, sha256, slt_table_columns, COL_COUNT, 1, lint, &tsv)) {
		return false;
	}
	*ret = fill(tsv, kind, lint);
	return true;
}

bool slt_table_load_bytes(const char *path, struct slt_str bytes, enum slt_table_kind kind,
			  struct slt_lint *lint, struct slt_table **ret)
{
	struct slt_tsv *tsv;

	if (!slt_tsv_open_bytes(path, bytes, slt_table_columns, COL_COUNT, 1, lint, &tsv)) {
		return false;
	}
	*ret = fill(tsv, kind, lint);
	return true;
}
