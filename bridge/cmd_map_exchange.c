/* SPDX-License-Identifier: MIT */
/* silta map export, silta map import: tables as ConceptMap and SSSOM. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd_map.h"
#include "command.h"
#include "mappings/interchange.h"

static const char usage[] =
	"usage: silta map export --list ID --country CC --format FORMAT [options]\n"
	"       silta map import --format FORMAT [options] FILE\n"
	"\n"
	"export writes a country's list as a map from its codes to the pivot's; import reads such\n"
	"a map and writes a table, sorted, with all its columns. Everything that is lost on the\n"
	"way, and every row that import refuses, is a line on standard error. Import writes no\n"
	"file that is there already: compare, then put it in place yourself.\n"
	"\n"
	"  --list ID         the list, as in country.conf\n"
	"  --country CC      the country\n"
	"  --format FORMAT   conceptmap-r4, conceptmap-r5 (FHIR, JSON) or sssom (TSV)\n"
	"  --out FILE        the result; default: standard output\n"
	"  --strict          a loss is a failure: nothing is written\n"
	"  --mappings DIR    the mapping set (export)\n"
	"\n"
	"Exit status: 0 good, 1 rows were refused, or with --strict something would be lost,\n"
	"2 it could not be tried.\n";

struct options {
	const char *list, *country, *format, *out, *mappings;
	bool strict, help;
	const char *file;
};

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"list", required_argument, NULL, 'l'},
					      {"country", required_argument, NULL, 'c'},
					      {"format", required_argument, NULL, 'f'},
					      {"out", required_argument, NULL, 'o'},
					      {"mappings", required_argument, NULL, 'm'},
					      {"strict", no_argument, NULL, 's'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	const char **const texts[] = {['l'] = &o->list, ['c'] = &o->country,  ['f'] = &o->format,
				      ['o'] = &o->out,	['m'] = &o->mappings, ['z'] = NULL};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 's') {
			o->strict = true;
		} else if (c == 'h') {
			o->help = true;
		} else if (c < 'c' || c > 'o' || !texts[c]) {
			return false;
		} else {
			*texts[c] = optarg;
		}
	}
	if (optind < argc) {
		o->file = argv[optind++];
	}
	return optind == argc;
}

static void print_lint(const struct slt_lint *lint, const char *kind)
{
	for (size_t i = 0; i < lint->n; i++) {
		fprintf(stderr, "%s %s\n", kind, lint->v[i]);
	}
	if (lint->total > lint->n) {
		fprintf(stderr, "%s and %zu more\n", kind, lint->total - lint->n);
	}
}

/* A new file, or standard output. */
static bool write_out(const struct options *o, const struct slt_buf *b, struct slt_err *err)
{
	struct slt_str s = slt_buf_str(b);

	if (!slt_buf_check(b, "the result", err)) {
		return false;
	}
	int fd = o->out ? open(o->out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)
			: dup(STDOUT_FILENO);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		return slt_fail_errno(err, SLT_EIO, "cannot make %s",
				      o->out ? o->out : "the output");
	}
	bool good = fwrite(s.p, 1, s.n, f) == s.n;
	if (fclose(f) != 0 || !good) {
		return slt_fail_errno(err, SLT_EIO, "cannot write %s",
				      o->out ? o->out : "the output");
	}
	return true;
}

static int finish(const struct options *o, const struct slt_interchange_report *r,
		  const struct slt_buf *b)
{
	struct slt_err err = SLT_ERR_INIT;

	print_lint(r->losses, "lost:");
	print_lint(r->refused, "refused:");
	if (o->strict && r->losses->total > 0) {
		fprintf(stderr, "silta map: nothing is written, since something would be lost\n");
		return SLT_EXIT_NO;
	}
	if (!write_out(o, b, &err)) {
		return slt_cannot("map", &err);
	}
	return r->refused->total ? SLT_EXIT_NO : SLT_EXIT_GOOD;
}

/* --- export --- */

/* Comments explain a table to those who keep it; no map has a place for them. */
static void lose_comments(const char *path, struct slt_lint *losses)
{
	SLT_AUTO_STR char *text = NULL;
	struct slt_err ignored = SLT_ERR_INIT;
	unsigned line = 1;
	size_t n;

	if (!slt_file_read(path, SLT_INTERCHANGE_MAX, &text, &n, &ignored)) {
		return;
	}
	for (const char *p = text; p && *p; line++) {
		if (*p == '#') {
			slt_lint_add(losses, path, line, "a comment");
		}
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
}

static bool find_list(const struct options *o, const struct slt_mapset *set,
		      struct slt_interchange_info *ret, struct slt_err *err)
{
	const struct slt_country *c = slt_mapset_find_country(set, o->country);
	const struct slt_list *list = c ? slt_country_list(c, o->list) : NULL;

	if (!list || !list->table) {
		return slt_fail(err, SLT_ENOTFOUND, "there is no list %.60s of %.16s with a table",
				o->list, o->country);
	}
	*ret = (struct slt_interchange_info){c, set->pivot, list,
					     slt_country_list(set->pivot, o->list)};
	return true;
}

static int export(const struct options *o, enum slt_interchange form)
{
	struct slt_map_options where = {.mappings = o->mappings};
	struct slt_interchange_info info;
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	SLT_AUTO(slt_raw_table_free) struct slt_raw_table *t = NULL;
	SLT_AUTO_LINT(losses);
	SLT_AUTO_LINT(refused);
	SLT_AUTO_BUF(out, SLT_INTERCHANGE_MAX);
	struct slt_interchange_report report = {&losses, &refused};
	struct slt_err err = SLT_ERR_INIT;

	if (!o->list || !o->country || o->file) {
		fprintf(stderr, "silta map export: --list, --country and --format are needed\n");
		return SLT_EXIT_CANNOT;
	}
	if (!slt_map_load(&where, &set)) {
		return SLT_EXIT_CANNOT;
	}
	if (!find_list(o, set, &info, &err) ||
	    !slt_raw_table_load(slt_table_path(info.list->table), &refused, &t)) {
		return slt_cannot("map", &err);
	}
	lose_comments(slt_table_path(info.list->table), &losses);
	slt_interchange_write(form, t, &info, &losses, &out);
	return finish(o, &report, &out);
}

/* --- import --- */

/* What the reader of sets will say of the table: order, codes that stand twice, conditions. */
static void check_table(const struct options *o, const struct slt_buf *b, struct slt_lint *refused)
{
	SLT_AUTO(slt_table_free) struct slt_table *t = NULL;
	const char *name = o->out ? o->out : "the table";

	if (!slt_table_load_bytes(name, slt_buf_str(b), SLT_TABLE_COUNTRY, refused, &t) &&
	    refused->total == 0) {
		slt_lint_add(refused, name, 0, "is no table");
	}
}

static int import(const struct options *o, enum slt_interchange form)
{
	SLT_AUTO_STR char *text = NULL;
	SLT_AUTO(slt_raw_table_free) struct slt_raw_table *t = NULL;
	SLT_AUTO_LINT(losses);
	SLT_AUTO_LINT(refused);
	SLT_AUTO_BUF(out, SLT_INTERCHANGE_MAX);
	struct slt_interchange_report report = {&losses, &refused};
	struct slt_err err = SLT_ERR_INIT;
	size_t n;

	if (!o->file || o->list || o->country || o->mappings) {
		fprintf(stderr, "silta map import: --format and one FILE are needed\n");
		return SLT_EXIT_CANNOT;
	}
	if (!slt_file_read(strcmp(o->file, "-") == 0 ? "/dev/stdin" : o->file, SLT_INTERCHANGE_MAX,
			   &text, &n, &err) ||
	    !slt_interchange_read(form, (struct slt_str){text, n}, o->file, &report, &t, &err)) {
		return slt_cannot("map", &err);
	}
	slt_raw_table_format(t, &out);
	check_table(o, &out, &refused);
	return finish(o, &report, &out);
}

int slt_map_exchange(int argc, char **argv)
{
	struct options o = {.list = NULL};
	enum slt_interchange form;

	if (!read_options(argc, argv, &o)) {
		fprintf(stderr, "silta map %s --help tells more\n", argv[0]);
		return SLT_EXIT_CANNOT;
	}
	if (o.help) {
		fputs(usage, stdout);
		return SLT_EXIT_GOOD;
	}
	if (!o.format || !slt_interchange_by_name(o.format, &form)) {
		fprintf(stderr, "silta map %s: --format is conceptmap-r4, conceptmap-r5 or sssom\n",
			argv[0]);
		return SLT_EXIT_CANNOT;
	}
	return strcmp(argv[0], "export") == 0 ? export(&o, form) : import(&o, form);
}
