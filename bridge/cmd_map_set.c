/* SPDX-License-Identifier: MIT */
/* silta map sign, silta map verify: mapping sets as their owners release them. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cmd_map.h"
#include "command.h"
#include "mappings/date.h"
#include "mapset_trust.h"

static const char usage[] =
	"usage: silta map sign --key FILE --cert FILE [--mappings DIR]\n"
	"       silta map sign --key FILE --cert FILE [--mappings DIR] --set NAME --version V\n"
	"                      --effective-from DATE [options]\n"
	"       silta map verify --ca FILE [--approvals N] [--at DATE] [--mappings DIR]\n"
	"\n"
	"sign with --set writes the set's manifest.conf, which lists every file with its digest,\n"
	"and signs it; without, it adds a signature (an approval) to the manifest that is there,\n"
	"after checking that the files are still those of the manifest. verify tells whether the\n"
	"set is the one that was signed, by whom, and whether it is in force.\n"
	"\n"
	"  --key FILE             private key, PEM, readable by nobody else\n"
	"  --cert FILE            its certificate, PEM; its common name is the signer's name\n"
	"  --set NAME             name of the set\n"
	"  --version V            its version\n"
	"  --previous V           the version before; default: that of the manifest there is\n"
	"  --effective-from DATE  first day in force\n"
	"  --effective-to DATE    last day in force; left out: open\n"
	"  --author NAME          who wrote this version; default: the signer\n"
	"  --approval NAME        who is to approve it, by signing; may be repeated\n"
	"  --ca FILE              certificates trusted with mapping sets, PEM\n"
	"  --approvals N          how many approvals are needed; default: 0\n"
	"  --at DATE              the day asked about; default: today\n"
	"  --mappings DIR         the mapping set\n"
	"\n"
	"Exit status: 0 signed, or good; 1 the set has problems, all of which are printed; 2 it\n"
	"could not be tried.\n";

#define APPROVALS_MAX 16

struct options {
	const char *key, *cert, *mappings, *ca, *author, *previous, *set, *version, *from, *to;
	const char *approval[APPROVALS_MAX];
	size_t n_approvals;
	unsigned needed;
	int64_t now_ms;
	bool help;
};

static const struct option longs[] = {{"key", required_argument, NULL, 'k'},
				      {"cert", required_argument, NULL, 'c'},
				      {"mappings", required_argument, NULL, 'm'},
				      {"ca", required_argument, NULL, 'a'},
				      {"author", required_argument, NULL, 'u'},
				      {"previous", required_argument, NULL, 'p'},
				      {"set", required_argument, NULL, 's'},
				      {"version", required_argument, NULL, 'v'},
				      {"effective-from", required_argument, NULL, 'f'},
				      {"effective-to", required_argument, NULL, 't'},
				      {"approval", required_argument, NULL, 'A'},
				      {"approvals", required_argument, NULL, 'N'},
				      {"at", required_argument, NULL, 'T'},
				      {"help", no_argument, NULL, 'h'},
				      {NULL, 0, NULL, 0}};

static bool set_text(struct options *o, int c)
{
	const struct {
		int c;
		const char **to;
	} texts[] = {{'k', &o->key}, {'c', &o->cert},	 {'m', &o->mappings},
		     {'a', &o->ca},  {'u', &o->author},	 {'p', &o->previous},
		     {'s', &o->set}, {'v', &o->version}, {'f', &o->from},
		     {'t', &o->to}};

	for (size_t i = 0; i < SLT_COUNT(texts); i++) {
		if (texts[i].c == c) {
			*texts[i].to = optarg;
			return true;
		}
	}
	return false;
}

static bool set_option(struct options *o, int c)
{
	struct slt_err err = SLT_ERR_INIT;
	char *end;

	switch (c) {
	case 'h':
		o->help = true;
		return true;
	case 'A':
		if (o->n_approvals == APPROVALS_MAX) {
			fprintf(stderr, "silta map: at most %d --approval\n", APPROVALS_MAX);
			return false;
		}
		o->approval[o->n_approvals++] = optarg;
		return true;
	case 'N':
		o->needed = (unsigned)strtoul(optarg, &end, 10);
		if (*optarg < '0' || *optarg > '9' || *end || o->needed > APPROVALS_MAX) {
			fprintf(stderr, "silta map: --approvals is a number up to %d\n",
				APPROVALS_MAX);
			return false;
		}
		return true;
	case 'T':
		if (!slt_time_parse(slt_str(optarg), &o->now_ms, &err)) {
			fprintf(stderr, "silta map: --at: %s\n", err.msg);
			return false;
		}
		return true;
	default:
		return set_text(o, c);
	}
}

static bool read_options(int argc, char **argv, struct options *o)
{
	int c;

	o->now_ms = slt_now_ms();
	optind = 1;
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (!set_option(o, c)) {
			return false;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "silta map %s takes no file: the set is named by --mappings\n",
			argv[0]);
		return false;
	}
	return true;
}

static int print_lint(const struct slt_lint *lint, const char *kind)
{
	for (size_t i = 0; i < lint->n; i++) {
		printf("%s%s\n", kind, lint->v[i]);
	}
	if (lint->total > lint->n) {
		printf("%sand %zu more\n", kind, lint->total - lint->n);
	}
	return lint->total ? SLT_EXIT_NO : SLT_EXIT_GOOD;
}

/* --- signing --- */

static bool load_set(const char *dir, struct slt_lint *lint, struct slt_mapset **ret)
{
	if (!slt_mapset_check(dir, lint, ret) && lint->total == 0) {
		slt_lint_add(lint, dir, 0, "is not a mapping set");
	}
	return lint->total == 0;
}

/* The version of the manifest that is about to be replaced. */
static const char *version_there(const char *dir, struct slt_arena *a)
{
	SLT_AUTO_LINT(ignored);
	struct slt_manifest *m = NULL;
	const char *digest;

	return slt_manifest_read(dir, a, &ignored, &m, &digest) ? m->version : NULL;
}

static bool check_dates(const struct options *o)
{
	const char *const dates[] = {o->from, o->to};
	uint32_t date[2] = {0, UINT32_MAX};

	for (size_t i = 0; i < SLT_COUNT(dates); i++) {
		if (dates[i] && !slt_date_parse_iso(slt_str(dates[i]), &date[i])) {
			fprintf(stderr, "silta map sign: \"%s\" is no date\n", dates[i]);
			return false;
		}
	}
	if (date[1] < date[0]) {
		fprintf(stderr, "silta map sign: --effective-to is before --effective-from\n");
		return false;
	}
	return true;
}

static int write_manifest(const struct options *o, const char *dir, const char *signer,
			  struct slt_arena *a)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	SLT_AUTO_STR char *path = slt_path_join(dir, SLT_MANIFEST_NAME);
	SLT_AUTO_BUF(text, 4u << 20);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_manifest m = {
		.set = o->set,
		.version = o->version,
		.previous = o->previous ? o->previous : version_there(dir, a),
		.author = o->author ? o->author : signer,
		.effective_from_text = o->from,
		.effective_to_text = o->to,
		.approvals = {(const char **)slt_arena_memdup(a, o->approval, sizeof(o->approval)),
			      o->n_approvals}};

	if (!o->version || !o->from || !check_dates(o)) {
		fprintf(stderr, "silta map sign: --set needs --version and --effective-from\n");
		return SLT_EXIT_CANNOT;
	}
	if (!load_set(dir, &lint, &set) || !slt_manifest_collect(dir, a, &lint, &m)) {
		return print_lint(&lint, "");
	}
	m.digest = slt_mapset_digest(set);
	slt_manifest_format(&m, &text);
	struct slt_str s = slt_buf_str(&text);
	if (!slt_buf_check(&text, "the manifest", &err) ||
	    !slt_file_write(path, s.p, s.n, 0644, &err)) {
		return slt_cannot("map", &err);
	}
	return SLT_EXIT_GOOD;
}

/* Nobody signs, or adds a name to, what is not what the manifest says. */
static int check_manifest(const char *dir, const char *signer, struct slt_arena *a)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	struct slt_manifest *m = NULL;
	const char *digest;

	if (!slt_manifest_read(dir, a, &lint, &m, &digest) || !slt_manifest_check(m, dir, &lint) ||
	    !load_set(dir, &lint, &set)) {
		return print_lint(&lint, "");
	}
	bool known = strcmp(m->author, signer) == 0;
	for (size_t i = 0; i < m->approvals.n; i++) {
		known = known || strcmp(m->approvals.v[i], signer) == 0;
	}
	if (!known) {
		slt_lint_add(
			&lint, dir, 0,
			"%s is neither the author nor one of the approvals in " SLT_MANIFEST_NAME,
			signer);
	}
	if (!slt_strcase_eq(m->digest, slt_mapset_digest(set))) {
		slt_lint_add(&lint, dir, 0,
			     "the set has the digest %s, " SLT_MANIFEST_NAME " says %.64s",
			     slt_mapset_digest(set), m->digest);
	}
	return print_lint(&lint, "");
}

static int sign(const struct options *o, const char *dir)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_err err = SLT_ERR_INIT;
	bool alone = false;
	int status = SLT_EXIT_GOOD;

	if (!o->key || !o->cert) {
		fprintf(stderr, "silta map sign: --key and --cert are needed\n");
		return SLT_EXIT_CANNOT;
	}
	const char *signer = slt_mapset_signer_name(o->cert, a, &err);
	if (!signer) {
		return slt_cannot("map", &err);
	}
	if (o->set) {
		status = write_manifest(o, dir, signer, a);
	}
	status = status == SLT_EXIT_GOOD ? check_manifest(dir, signer, a) : status;
	if (status != SLT_EXIT_GOOD) {
		return status;
	}
	if (!slt_mapset_sign(dir, o->key, o->cert, &alone, &err)) {
		return slt_cannot("map", &err);
	}
	printf("%s: signed by %s%s\n", dir, signer, alone ? "" : ", beside those before");
	return SLT_EXIT_GOOD;
}

/* --- verifying --- */

static void print_release(const struct slt_mapset_release *r)
{
	const struct slt_manifest *m = r->manifest;

	printf("OK %s version %s, in force from %s to %s, %zu files\n", m->set, m->version,
	       m->effective_from_text, m->effective_to_text ? m->effective_to_text : "…",
	       m->n_files);
	for (size_t i = 0; i < r->n_signers; i++) {
		printf("signed by %s, %s\n", r->signer[i],
		       strcmp(r->signer[i], m->author) == 0 ? "the author" : "approving");
	}
	printf("digest %s\n", m->digest);
}

static int verify(const struct options *o, const char *dir)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	SLT_AUTO_LINT(lint);
	SLT_AUTO_LINT(warnings);
	struct slt_mapset_release r;
	struct slt_mapset_policy p = {
		.ca = o->ca, .required = true, .approvals = o->needed, .now_ms = o->now_ms};
	struct slt_err err = SLT_ERR_INIT;

	if (!o->ca || !slt_file_exists(dir)) {
		fprintf(stderr, "silta map verify: --ca is needed, and the directory %s\n", dir);
		return SLT_EXIT_CANNOT;
	}
	if (!slt_mapset_open(dir, &p, &lint, &warnings, &set, &err)) {
		print_lint(&lint, err.code == SLT_FED_TRC_001 ? "FAIL FED-TRC-001 " : "FAIL ");
		return SLT_EXIT_NO;
	}
	if (!slt_mapset_verify(dir, &p, a, &lint, &r)) {
		return print_lint(&lint, "FAIL ");
	}
	print_release(&r);
	return SLT_EXIT_GOOD;
}

int slt_map_set(int argc, char **argv)
{
	struct options o = {.key = NULL};
	char dir[4200];

	if (!read_options(argc, argv, &o)) {
		return SLT_EXIT_CANNOT;
	}
	if (o.help) {
		fputs(usage, stdout);
		return SLT_EXIT_GOOD;
	}
	if (!slt_map_find_set(o.mappings, dir, sizeof(dir))) {
		fprintf(stderr, "silta map: the path of the mapping set is too long\n");
		return SLT_EXIT_CANNOT;
	}
	return strcmp(argv[0], "sign") == 0 ? sign(&o, dir) : verify(&o, dir);
}
