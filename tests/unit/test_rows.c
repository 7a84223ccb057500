/* SPDX-License-Identifier: MIT */
/*
 * Every row of every table of Finland and Estonia: the rules of mappings/README.md, written once
 * more here as plain scans over the rows, must say the same as the engine's indexes; and the engine
 * must say the same again whatever came before, and whatever the machine's language and time
 * zone. Run from the root of the repository.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <locale.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "command.h"
#include "mappings/coverage.h"

#define NOW   INT64_C(1795392000000) /* 2026-11-23 */
#define TODAY 20261123u
#define EXACT (1u << SLT_REL_EQUIVALENT)
#define CANDS 64

static struct slt_mapset *set;

static const struct slt_country *const *countries(void)
{
	return set->country;
}

/* --- the rules once more ---------------------------------------------------------------------- */

struct cand {
	const char *code;
	enum slt_relation relation;
	bool preferred;
};

struct cands {
	struct cand v[CANDS];
	size_t n;
};

static void add(struct cands *c, const char *code, enum slt_relation relation, bool preferred)
{
	assert_true(c->n < CANDS);
	c->v[c->n++] = (struct cand){code, relation, preferred};
}

static bool counts(const struct slt_row *r, enum slt_direction not_this)
{
	bool in_time = r->valid_from <= TODAY && (!r->valid_to || TODAY <= r->valid_to);

	return r->status != SLT_ROW_DRAFT && !(r->status == SLT_ROW_RETIRED && !r->valid_to) &&
	       in_time && r->direction != (uint8_t)not_this && r->relation != SLT_REL_NOT_RELATED &&
	       !r->when;
}

static const char *text(const struct slt_table *t, uint32_t offset)
{
	return slt_table_text(t, offset);
}

/* "3 mo" stands for mo. */
static const char *without_factor(const char *pivot)
{
	const char *blank = strchr(pivot, ' ');

	return blank && *pivot >= '0' && *pivot <= '9' ? blank + 1 : pivot;
}

static bool member(const struct slt_list *pivot, const char *code)
{
	for (uint32_t i = 0; pivot->table && i < slt_table_rows(pivot->table); i++) {
		if (strcmp(text(pivot->table, slt_table_row(pivot->table, i)->code), code) == 0) {
			return true;
		}
	}
	return !pivot->table;
}

static void pivot_codes(const struct slt_list *from, const char *code, struct cands *ret)
{
	const struct slt_table *t = from->table;
	const char *next = code;

	for (unsigned step = 0; next && ret->n == 0 && step <= SLT_LOOKUP_REPLACED; step++) {
		const char *this = next;
		next = NULL;
		for (uint32_t i = 0; i < slt_table_rows(t); i++) {
			const struct slt_row *r = slt_table_row(t, i);
			const char *pivot = without_factor(text(t, r->pivot_code));
			bool known = false;
			if (strcmp(text(t, r->code), this) != 0) {
				continue;
			}
			for (size_t k = 0; k < ret->n; k++) {
				known |= strcmp(ret->v[k].code, pivot) == 0;
			}
			if (counts(r, SLT_DIR_FROM_PIVOT)) {
				if (*pivot && !known) {
					add(ret, pivot, (enum slt_relation)r->relation,
					    r->preferred);
				}
			} else if (*text(t, r->replaced_by) && r->status != SLT_ROW_DRAFT) {
				next = text(t, r->replaced_by);
			}
		}
	}
}

static void keep_if(struct cands *c, bool (*wanted)(const struct cand *, unsigned), unsigned arg)
{
	struct cands kept = {.n = 0};

	for (size_t i = 0; i < c->n; i++) {
		if (wanted(&c->v[i], arg)) {
			kept.v[kept.n++] = c->v[i];
		}
	}
	if (kept.n > 0) {
		*c = kept;
	}
}

static bool is_preferred(const struct cand *c, unsigned arg)
{
	(void)arg;
	return c->preferred;
}

static bool is_good(const struct cand *c, unsigned good)
{
	return (good & (1u << c->relation)) != 0;
}

static bool one(const struct cands *c)
{
	for (size_t i = 1; i < c->n; i++) {
		if (strcmp(c->v[i].code, c->v[0].code) != 0) {
			return false;
		}
	}
	return c->n > 0;
}

static void targets(const struct slt_list *to, const struct slt_list *pivot,
		    const struct cand *step, struct cands *ret)
{
	const char *code = step->code;
	size_t before = ret->n;

	while (code && ret->n == before) {
		const char *next = NULL;
		for (uint32_t i = 0; i < slt_table_rows(to->table); i++) {
			const struct slt_row *r = slt_table_row(to->table, i);
			if (strcmp(text(to->table, r->pivot_code), code) == 0 &&
			    counts(r, SLT_DIR_TO_PIVOT)) {
				add(ret, text(to->table, r->code),
				    slt_relation_compose(
					    step->relation,
					    slt_relation_flip((enum slt_relation)r->relation)),
				    r->preferred);
			}
		}
		for (uint32_t i = 0; pivot->table && i < slt_table_rows(pivot->table); i++) {
			const struct slt_row *r = slt_table_row(pivot->table, i);
			if (strcmp(text(pivot->table, r->code), code) == 0 &&
			    *text(pivot->table, r->replaced_by)) {
				next = text(pivot->table, r->replaced_by);
			}
		}
		code = next;
	}
	if (ret->n == before && to->identity) {
		add(ret, step->code, step->relation, false);
	}
}

/* The code of the other country, NULL where there is no sure one. */
static const char *oracle(const struct slt_list *from, const struct slt_list *to, const char *code,
			  unsigned good)
{
	const struct slt_list *pivot = slt_country_list(set->pivot, from->id);
	struct cands steps = {.n = 0}, found = {.n = 0};
	bool same_codes = from->identity || !from->system ||
			  (pivot->system && strcmp(from->system->oid, pivot->system->oid) == 0);

	pivot_codes(from, code, &steps);
	if (steps.n == 0 && same_codes && pivot->table && member(pivot, code)) {
		add(&steps, code, SLT_REL_EQUIVALENT, false);
	}
	if (steps.n > 1) {
		keep_if(&steps, is_preferred, 0);
	}
	for (size_t i = 0; i < steps.n; i++) {
		if (!member(pivot, steps.v[i].code)) {
			return NULL;
		}
		targets(to, pivot, &steps.v[i], &found);
	}
	keep_if(&found, is_good, good);
	if (found.n == 0 || !is_good(&found.v[0], good)) {
		return NULL;
	}
	if (!one(&found)) {
		keep_if(&found, is_preferred, 0);
	}
	if (!one(&found)) {
		keep_if(&found, is_good, EXACT);
	}
	return one(&found) ? found.v[0].code : NULL;
}

/* --- against the engine ----------------------------------------------------------------------- */

struct comparison {
	const struct slt_list *from, *to;
	unsigned good;
	size_t n, same;
	struct slt_buf lossy; /* codes that do not come back */
};

static bool equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void compare(void *arg, const struct slt_round_trip *r)
{
	struct comparison *c = arg;
	const char *there = oracle(c->from, c->to, r->code, c->good);
	const char *back = there ? oracle(c->to, c->from, there, c->good) : NULL;
	enum slt_round expected = !there		       ? SLT_ROUND_LOST_THERE
				  : !back		       ? SLT_ROUND_LOST_BACK
				  : strcmp(back, r->code) == 0 ? SLT_ROUND_SAME
							       : SLT_ROUND_OTHER;

	if (!equal(there, r->there) || !equal(back, r->back) || expected != r->result) {
		fail_msg("%s %s: %s, back %s; the rules say %s, back %s", c->from->id, r->code,
			 r->there, r->back, there, back);
	}
	c->n++;
	c->same += expected == SLT_ROUND_SAME;
	if (expected != SLT_ROUND_SAME) {
		slt_buf_addf(&c->lossy, "%s\n", r->code);
	}
}

/* Lists of both countries, in both directions; ATC by a part, since a scan for each of its codes
 * takes a minute. */
static void each_pair(unsigned good,
		      void (*fn)(struct comparison *, const char *from, const char *to))
{
	for (size_t a = 0; a < set->n_countries; a++) {
		for (size_t b = 0; b < set->n_countries; b++) {
			const struct slt_country *from = countries()[a], *to = countries()[b];
			for (size_t i = 0; a != b && i < from->n_lists; i++) {
				const struct slt_list *l = &from->list[i];
				struct comparison c = {.from = l,
						       .to = slt_country_list(to, l->id),
						       .good = good,
						       .lossy = SLT_BUF_INIT(1 << 20)};
				if (l->table && c.to && c.to->table && strcmp(l->id, "atc") != 0) {
					fn(&c, from->code, to->code);
				}
				slt_buf_fini(&c.lossy);
			}
		}
	}
}

static size_t compared, came_back;

static void run_compare(struct comparison *c, const char *from, const char *to)
{
	slt_round_trips(set, c->from->id, from, to, TODAY, c->good, compare, c);
	compared += c->n;
	came_back += c->same;
}

static void every_code_goes_as_the_rules_say(void **state)
{
	(void)state;
	compared = came_back = 0;
	each_pair(EXACT, run_compare);
	assert_true(compared > 1400);
	assert_true(came_back > 700 && came_back < compared);
	each_pair(EXACT | 1u << SLT_REL_NARROWER, run_compare);
	each_pair(EXACT | 1u << SLT_REL_NARROWER | 1u << SLT_REL_BROADER | 1u << SLT_REL_RELATED,
		  run_compare);
}

static void atc(void *arg, const struct slt_round_trip *r)
{
	size_t *n = arg;

	/* both countries use the pivot's codes; what has no row stands for itself */
	n[r->result]++;
	if (r->result == SLT_ROUND_SAME && n[SLT_ROUND_SAME] % 50 == 0) {
		const struct slt_list *from = slt_country_list(countries()[1], "atc");
		const struct slt_list *to = slt_country_list(countries()[0], "atc");
		assert_string_equal(oracle(from, to, r->code, EXACT), r->there);
	} else if (r->result == SLT_ROUND_LOST_BACK || r->result == SLT_ROUND_SAME) {
		assert_non_null(r->there);
	}
}

static void atc_codes_stand_for_themselves(void **state)
{
	size_t n[4] = {0, 0, 0, 0};

	(void)state;
	assert_string_equal(countries()[1]->code, "FI");
	slt_round_trips(set, "atc", "FI", "EE", TODAY, EXACT, atc, n);
	assert_true(n[SLT_ROUND_SAME] > 6000);
	assert_true(n[SLT_ROUND_LOST_BACK] == 0);
}

/* --- what the command says -------------------------------------------------------------------- */

static char *command_output(const char *list, const char *from, const char *to)
{
	char path[] = "/tmp/slt-rows-XXXXXX";
	int fd = mkstemp(path), status;
	struct slt_err err = SLT_ERR_INIT;
	char *out = NULL;
	size_t n;

	assert_true(fd >= 0);
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const char *args[] = {"map",  "roundtrip",  "--from",	  from,
				      "--to", to,	    "--list",	  list,
				      "--at", "2026-11-23", "--mappings", "mappings"};
		char *plain[SLT_COUNT(args) + 1] = {NULL};
		memcpy(plain, args, sizeof(args));
		dup2(fd, 1);
		int rc = slt_cmd_map((int)SLT_COUNT(args), plain);
		fflush(NULL);
		_exit(rc);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	assert_true(slt_file_read(path, 1 << 24, &out, &n, &err));
	close(fd);
	unlink(path);
	return out;
}

static void run_command(struct comparison *c, const char *from, const char *to)
{
	SLT_AUTO_BUF(named, 1 << 20);

	slt_round_trips(set, c->from->id, from, to, TODAY, c->good, compare, c);
	SLT_AUTO_STR char *out = command_output(c->from->id, from, to);
	for (const char *line = out; *line;) {
		size_t n = strcspn(line, "\n");
		if (strncmp(line, "  ", 2) == 0) {
			slt_buf_addf(&named, "%.*s\n", (int)strcspn(line + 2, "\t"), line + 2);
		}
		line += n + (line[n] == '\n');
	}
	assert_string_equal(named.p ? named.p : "", c->lossy.p ? c->lossy.p : "");
}

static void the_command_names_what_is_lost(void **state)
{
	(void)state;
	each_pair(EXACT, run_command);
}

/* --- rows and names --------------------------------------------------------------------------- */

static void no_row_names_what_the_pivot_has_not(void **state)
{
	size_t rows = 0;

	(void)state;
	for (size_t a = 0; a < set->n_countries; a++) {
		for (size_t i = 0; i < countries()[a]->n_lists; i++) {
			const struct slt_list *l = &countries()[a]->list[i];
			const struct slt_list *pivot = slt_country_list(set->pivot, l->id);
			const struct slt_table *t = l->table, *p = pivot->table;
			for (uint32_t k = 0; t && p && k < slt_table_rows(t); k++) {
				const struct slt_row *r = slt_table_row(t, k);
				const char *code = without_factor(text(t, r->pivot_code));
				if (r->status != SLT_ROW_ACTIVE || !*code) {
					continue;
				}
				uint32_t row = slt_table_by_code(p, code);
				if (row == SLT_ROW_NONE ||
				    slt_table_row(p, row)->status == SLT_ROW_RETIRED) {
					fail_msg("%s %s line %u: %s", countries()[a]->code, l->id,
						 r->line, code);
				}
				rows++;
			}
		}
	}
	assert_true(rows > 2000);
}

static size_t names_seen;

/* The name that arrives is one of the receiver's own names of the code that arrives. */
static void run_names(struct comparison *c, const char *from, const char *to)
{
	const struct slt_table *t = c->from->table;
	struct slt_lookup l = {
		.from = c->from,
		.pivot = slt_country_list(set->pivot, c->from->id),
		.to = c->to,
		.from_language = slt_country_language(slt_mapset_find_country(set, from)),
		.to_language = slt_country_language(slt_mapset_find_country(set, to)),
		.date = TODAY,
		.good = c->good,
		.assume = true,
	};

	for (uint32_t i = 0; i < slt_table_rows(t); i++) {
		struct slt_coding coding = {.code = text(t, slt_table_row(t, i)->code),
					    .display = text(t, slt_table_row(t, i)->display)};
		struct slt_found f;
		bool own = false;
		if (slt_lookup(&l, &coding, &f) != SLT_LOOKUP_FOUND || !f.to.display) {
			continue;
		}
		for (uint32_t k = slt_table_by_code(c->to->table, f.to.code); k != SLT_ROW_NONE;
		     k = slt_table_next_code(c->to->table, k)) {
			const struct slt_row *r = slt_table_row(c->to->table, k);
			own |= strcmp(text(c->to->table, r->display), f.to.display) == 0 &&
			       (!*text(c->to->table, r->lang) ||
				strcmp(text(c->to->table, r->lang), l.to_language) == 0);
		}
		if (!own && slt_table_by_code(c->to->table, f.to.code) != SLT_ROW_NONE) {
			fail_msg("%s %s: %s is no name of %s", c->from->id, coding.code,
				 f.to.display, f.to.code);
		}
		names_seen += own;
	}
}

static void names_are_the_receivers(void **state)
{
	(void)state;
	names_seen = 0;
	each_pair(EXACT, run_names);
	assert_true(names_seen > 800);
}

/* --- the same again --------------------------------------------------------------------------- */

static const char *const documents[] = {
	"dispensation-ee-01.xml", "dispensation-fi-01.xml", "ee-01-cream.xml",
	"ee-02-tablet.xml",	  "fi-01-tablet.xml",	    "fi-02-capsule.xml",
	"fi-03-pen.xml",	  "fi-04-inhaler.xml",	    "fi-05-eye-drops.xml",
	"fi-06-combination.xml",  "fi-07-no-form.xml",	    "fi-08-narcotic.xml",
	"fi-09-old-atc.xml",
};

/* The result, the trace and the problems of one document; refused ones have no result. */
static void translate(const char *name, struct slt_buf *out)
{
	SLT_AUTO_STR char *path = slt_path_join("examples/documents", name), *bytes = NULL;
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = slt_map_result_new();
	struct slt_err err = SLT_ERR_INIT;
	bool from_ee = strstr(name, "ee-") != NULL;
	size_t n;

	assert_true(slt_file_read(path, 1 << 20, &bytes, &n, &err));
	const struct slt_map_input in = {.from = from_ee ? "EE" : "FI",
					 .to = from_ee ? "FI" : "EE",
					 .flow = "eprescription",
					 .body = {bytes, n},
					 .now_ms = NOW,
					 .test_codes = true};
	if (slt_map_apply(set, &in, r, &err)) {
		assert_true(slt_map_dump(r->doc, out, &err));
	} else {
		slt_buf_adds(out, err.msg);
	}
	slt_trace_json(r->trace, true, out);
	slt_problems_json(r->problems, out);
}

static char *translate_all(bool backwards)
{
	struct slt_buf part[SLT_COUNT(documents)];
	SLT_AUTO_BUF(all, 1 << 24);

	for (size_t i = 0; i < SLT_COUNT(documents); i++) {
		size_t k = backwards ? SLT_COUNT(documents) - 1 - i : i;
		slt_buf_init(&part[k], 1 << 22);
		translate(documents[k], &part[k]);
	}
	for (size_t i = 0; i < SLT_COUNT(documents); i++) {
		slt_buf_add(&all, part[i].p, part[i].n);
		slt_buf_fini(&part[i]);
	}
	assert_true(all.n > 100000);
	return slt_buf_take(&all, NULL);
}

static void the_same_whatever_came_before(void **state)
{
	SLT_AUTO_STR char *first = translate_all(false), *again = translate_all(false),
			  *backwards = translate_all(true);
	struct slt_mapset *old = set;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_string_equal(first, again);
	assert_string_equal(first, backwards);
	/* and by the set loaded once more */
	assert_true(slt_mapset_load("mappings", &set, &err));
	SLT_AUTO_STR char *reloaded = translate_all(false);
	slt_mapset_free(set);
	set = old;
	assert_string_equal(first, reloaded);
}

/* Makes the locales in a directory of their own: few machines have them, and the library does not
 * look for one a second time. */
static void make_locales(const char *const *names, size_t n, const char *dir)
{
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_STR char *command =
			slt_asprintf("localedef -i %.5s -f UTF-8 %s/%s >/dev/null 2>&1", names[i],
				     dir, names[i]);
		if (strlen(names[i]) > 5 && system(command) != 0) {
			print_message("localedef cannot make %s\n", names[i]);
		}
	}
	setenv("LOCPATH", dir, 1);
}

static void the_same_in_every_language_and_zone(void **state)
{
	static const char *const locales[] = {"C", "fi_FI.UTF-8", "tr_TR.UTF-8"};
	static const char *const zones[] = {"UTC", "Europe/Tallinn", "<-11>11", "<+1345>-13:45"};
	SLT_AUTO_STR char *expected = translate_all(false);
	char dir[] = "/tmp/slt-locale-XXXXXX";
	struct slt_err err = SLT_ERR_INIT;
	unsigned tried = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	make_locales(locales, SLT_COUNT(locales), dir);
	for (size_t i = 0; i < SLT_COUNT(locales); i++) {
		if (!setlocale(LC_ALL, locales[i])) {
			print_message("skipped: no locale %s\n", locales[i]);
			continue;
		}
		for (size_t k = 0; k < SLT_COUNT(zones); k++) {
			setenv("TZ", zones[k], 1);
			tzset();
			SLT_AUTO(slt_mapset_free) struct slt_mapset *here = NULL;
			struct slt_mapset *old = set;
			assert_true(slt_mapset_load("mappings", &here, &err));
			set = here;
			SLT_AUTO_STR char *got = translate_all(false);
			set = old;
			assert_string_equal(got, expected);
			assert_string_equal(slt_mapset_digest(here), slt_mapset_digest(set));
			tried++;
		}
	}
	setlocale(LC_ALL, "C");
	unsetenv("LOCPATH");
	unsetenv("TZ");
	assert_true(tried >= SLT_COUNT(zones));
	assert_true(slt_rm_tree(dir, &err));
}

static int setup(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	if (!slt_mapset_load("mappings", &set, &err)) {
		print_error("%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	slt_mapset_free(set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_goes_as_the_rules_say),
		cmocka_unit_test(atc_codes_stand_for_themselves),
		cmocka_unit_test(the_command_names_what_is_lost),
		cmocka_unit_test(no_row_names_what_the_pivot_has_not),
		cmocka_unit_test(names_are_the_receivers),
		cmocka_unit_test(the_same_whatever_came_before),
		cmocka_unit_test(the_same_in_every_language_and_zone),
	};

	slt_xml_init();
	return cmocka_run_group_tests_name("rows", tests, setup, teardown);
}
