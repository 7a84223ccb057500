/* SPDX-License-Identifier: MIT */
/*
 * What translating costs: a prescription mapped beside the same bytes only parsed and written by
 * libxml2 in the same run; one code looked up in tables of three sizes; one more rule in a flow.
 * CPU time of one thread; run from the root of the repository.
 *
 * bench_mapping [SECONDS]: about how long each row takes, 0.5 by default.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxml/parser.h>

#include "base/file.h"
#include "mappings/engine.h"
#include "mappings/lookup.h"

#define NOW	 INT64_C(1795392000000) /* 2026-11-23 */
#define DOCUMENT "examples/documents/fi-01-tablet.xml"
#define ROUNDS	 100
#define ENTRY	 "<entry typeCode=\"COMP\">"

static double row_seconds = 0.5;

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(bool ok, const struct slt_err *err)
{
	if (!ok) {
		fprintf(stderr, "bench_mapping: %s\n", err->msg);
		exit(2);
	}
}

static double once(void (*run)(void *), void *arg, unsigned rounds)
{
	double t0 = cpu_us();

	for (unsigned i = 0; i < rounds; i++) {
		run(arg);
	}
	return (cpu_us() - t0) / rounds;
}

static unsigned rounds_for(void (*run)(void *), void *arg)
{
	double t = once(run, arg, 3);

	return (unsigned)(row_seconds * 1e6 / ROUNDS / (t > 1 ? t : 1)) + 1;
}

/* Microseconds of one run of each of two functions, taken in turns, the best of many short rounds:
 * what disturbs only ever adds, and both are disturbed alike. */
static void measure_both(void (*a)(void *), void (*b)(void *), void *arg, double *ret_a,
			 double *ret_b)
{
	unsigned n_a = rounds_for(a, arg), n_b = rounds_for(b, arg);

	for (unsigned i = 0; i < ROUNDS; i++) {
		double t_a = once(a, arg, n_a), t_b = once(b, arg, n_b);
		*ret_a = i == 0 || t_a < *ret_a ? t_a : *ret_a;
		*ret_b = i == 0 || t_b < *ret_b ? t_b : *ret_b;
	}
}

static double measure(void (*run)(void *), void *arg)
{
	unsigned n = rounds_for(run, arg);
	double best = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		double t = once(run, arg, n);
		best = i == 0 || t < best ? t : best;
	}
	return best;
}

/* --- a document ------------------------------------------------------------------------------ */

struct work {
	const struct slt_mapset *set;
	struct slt_str text;
};

static void parse_and_write(void *arg)
{
	const struct work *w = arg;
	xmlDoc *doc = xmlReadMemory(w->text.p, (int)w->text.n, NULL, NULL, XML_PARSE_NONET);
	xmlChar *out = NULL;
	int n = 0;

	slt_assert(doc);
	xmlDocDumpMemoryEnc(doc, &out, &n, "UTF-8");
	slt_assert(n > 0);
	xmlFree(out);
	xmlFreeDoc(doc);
}

static void map(void *arg)
{
	const struct work *w = arg;
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = slt_map_result_new();
	SLT_AUTO_BUF(out, 1 << 22);
	struct slt_err err = SLT_ERR_INIT;
	const struct slt_map_input in = {.from = "FI",
					 .to = "EE",
					 .flow = "eprescription",
					 .message = SLT_MAP_RESPONSE,
					 .body = w->text,
					 .now_ms = NOW,
					 .test_codes = true};

	must(slt_map_apply(w->set, &in, r, &err) && slt_map_dump(r->doc, &out, &err), &err);
}

/* The example with its entry once more for every 5 KB wanted: the density of codes stays. */
static char *document_of(size_t at_least)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(b, 1 << 22);
	SLT_AUTO_STR char *text = NULL;
	size_t n;

	must(slt_file_read(DOCUMENT, 1 << 20, &text, &n, &err), &err);
	const char *entry = strstr(text, ENTRY);
	const char *end = entry ? strstr(entry, "</entry>") : NULL;
	slt_assert(end);
	end += strlen("</entry>");
	slt_buf_add(&b, text, (size_t)(end - text));
	while (b.n + strlen(end) < at_least) {
		slt_buf_add(&b, entry, (size_t)(end - entry));
	}
	slt_buf_adds(&b, end);
	return slt_buf_take(&b, NULL);
}

static void documents(const struct slt_mapset *set)
{
	static const size_t sizes[] = {0, 20000, 100000};

	printf("%-28s %12s %12s %8s\n", "prescription, bytes", "libxml2 us", "mapped us", "ratio");
	for (size_t i = 0; i < SLT_COUNT(sizes); i++) {
		SLT_AUTO_STR char *text = document_of(sizes[i]);
		struct work w = {set, slt_str(text)};
		double floor = 0, mapped = 0;
		measure_both(parse_and_write, map, &w, &floor, &mapped);
		printf("%-28zu %12.0f %12.0f %8.2f\n", w.text.n, floor, mapped, mapped / floor);
	}
}

/* --- tables ---------------------------------------------------------------------------------- */

static struct slt_table *make_table(char letter, unsigned rows)
{
	SLT_AUTO_BUF(b, (size_t)1 << 30);
	SLT_AUTO_LINT(lint);
	struct slt_table *t = NULL;

	slt_buf_adds(&b, "code\tdisplay\tpivot_code\n");
	for (unsigned i = 0; i < rows; i++) {
		slt_buf_addf(&b, "%c%07u\tname %u\tp%07u\n", letter, i, i, i);
	}
	slt_assert(
		slt_table_load_bytes("generated", slt_buf_str(&b), SLT_TABLE_COUNTRY, &lint, &t) &&
		lint.total == 0);
	return t;
}

struct asking {
	struct slt_lookup l;
	unsigned rows, at, step;
};

static void ask(void *arg)
{
	struct asking *a = arg;
	char code[16];
	struct slt_found f;

	a->at = (a->at + a->step) % a->rows;
	snprintf(code, sizeof(code), "a%07u", a->at);
	const struct slt_coding c = {.code = code};
	slt_assert(slt_lookup(&a->l, &c, &f) == SLT_LOOKUP_FOUND);
}

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void one_table(unsigned rows)
{
	size_t before = in_use();
	double t0 = cpu_us();
	struct slt_table *from = make_table('a', rows);
	double load_ms = (cpu_us() - t0) / 1e3;
	size_t bytes = in_use() - before;
	struct slt_table *to = make_table('b', rows);
	struct slt_list lists[] = {{.table = from}, {.id = "pivot"}, {.table = to}};
	struct asking a = {.l = {.from = &lists[0],
				 .pivot = &lists[1],
				 .to = &lists[2],
				 .from_language = "a",
				 .to_language = "b",
				 .date = 20261123,
				 .good = 1u << SLT_REL_EQUIVALENT},
			   .rows = rows,
			   .step = 7919};
	double spread = measure(ask, &a);

	/* the codes of a day's documents: what they touch stays in the processor's cache */
	a.step = 1;
	a.at = 0;
	a.rows = 100;
	double same = measure(ask, &a);
	printf("%-28u %12.1f %12.0f %12.3f %12.3f\n", rows, load_ms, (double)bytes / rows, spread,
	       same);
	slt_table_free(from);
	slt_table_free(to);
}

static void tables(void)
{
	printf("\n%-28s %12s %12s %12s %12s\n", "rows in each table", "load ms", "bytes a row",
	       "lookup us", "of 100 codes");
	one_table(100);
	one_table(10000);
	one_table(1000000);
}

/* --- rules ----------------------------------------------------------------------------------- */

static void run_command(const char *command)
{
	slt_assert(system(command) == 0);
}

static struct slt_mapset *set_with_rules(const char *dir, unsigned extra, bool apply)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_mapset *set = NULL;
	SLT_AUTO_STR char *path = slt_asprintf("%s/flows/eprescription/common.conf", dir);
	SLT_AUTO_STR char *text = NULL;
	SLT_AUTO_BUF(b, 1 << 24);
	size_t n;

	must(slt_file_read("mappings/flows/eprescription/common.conf", 1 << 20, &text, &n, &err),
	     &err);
	const char *rules = strstr(text, "\nrules = (\n");
	slt_assert(rules);
	rules += strlen("\nrules = (\n");
	slt_buf_add(&b, text, (size_t)(rules - text));
	for (unsigned i = 0; i < extra; i++) {
		slt_buf_addf(&b, "{ id = \"extra-%u\"; documents = [ \"eP\" ]; what = \"date\"; ",
			     i);
		if (apply) {
			slt_buf_adds(&b, "where = \"//cda:author/cda:time/@value\"; },\n");
		} else {
			slt_buf_addf(&b, "where = \"//cda:section/cda:absent%u/@value\"; },\n", i);
		}
	}
	slt_buf_adds(&b, rules);
	must(slt_file_write(path, b.p, b.n, 0600, &err), &err);
	must(slt_mapset_load(dir, &set, &err), &err);
	return set;
}

static double with_rules(const char *dir, unsigned extra, bool apply, struct slt_str text)
{
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = set_with_rules(dir, extra, apply);
	struct work w = {set, text};

	return measure(map, &w);
}

static void rules(void)
{
	static const unsigned numbers[] = {0, 10, 100};
	char dir[] = "/tmp/silta-bench-XXXXXX";
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *text = document_of(20000);
	double none[2] = {0, 0};

	slt_assert(mkdtemp(dir));
	SLT_AUTO_STR char *copy = slt_asprintf("cp -r mappings/messages.tsv mappings/pivot "
					       "mappings/countries mappings/flows %s",
					       dir);
	run_command(copy);
	printf("\n%-28s %15s %12s %15s %12s\n", "more rules, 20 KB document", "nowhere us",
	       "us a rule", "at one place us", "us a rule");
	for (size_t i = 0; i < SLT_COUNT(numbers); i++) {
		unsigned n = numbers[i];
		double t[2] = {with_rules(dir, n, false, slt_str(text)),
			       with_rules(dir, n, true, slt_str(text))};
		none[0] = n ? none[0] : t[0];
		none[1] = n ? none[1] : t[1];
		printf("%-28u %15.0f %12.2f %15.0f %12.2f\n", n, t[0], n ? (t[0] - none[0]) / n : 0,
		       t[1], n ? (t[1] - none[1]) / n : 0);
	}
	must(slt_rm_tree(dir, &err), &err);
}

int main(int argc, char **argv)
{
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (argc > 1) {
		row_seconds = strtod(argv[1], NULL);
	}
	slt_mem_keep(); /* as the bridge does, for both sides of the ratio */
	slt_xml_init();
	must(slt_mapset_load("mappings", &set, &err), &err);
	documents(set);
	tables();
	rules();
	return 0;
}
