/* SPDX-License-Identifier: MIT */
/* silta map: translates documents offline, and looks after tables and rules. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "cmd_map.h"
#include "command.h"
#include "explain_html.h"

static const char usage[] =
	"usage: silta map apply --from CC --to CC --flow NAME --message request|response|fault\n"
	"                       [options] FILE\n"
	"       silta map check [--mappings DIR]\n"
	"       silta map coverage [--from CC --to CC] [--list ID] [options]\n"
	"       silta map roundtrip [--from CC --to CC] [--list ID] [options]\n"
	"       silta map diff OLD NEW [--documents FILE…|--log FILE] [options]\n"
	"       silta map export --list ID --country CC --format FORMAT [options]\n"
	"       silta map import --format FORMAT [options] FILE\n"
	"       silta map sign --key FILE --cert FILE [options]\n"
	"       silta map verify --ca FILE [options]\n"
	"\n"
	"apply      translates a CDA document or a SOAP message; the result goes to standard\n"
	"           output, everything that could not be mapped to standard error\n"
	"check      reads tables and rules and prints every problem with file and line\n"
	"coverage   counts per list what arrives, and lists the codes that do not\n"
	"roundtrip  lists the codes that do not come back as they went\n"
	"diff       tells what a new version of a set would change\n"
	"export     writes a table as FHIR ConceptMap or SSSOM\n"
	"import     reads one of these and writes a table\n"
	"sign       makes and signs the manifest of a set, or adds an approval to it\n"
	"verify     tells whether a set is as it was signed, by whom, and in force\n"
	"\n"
	"silta map SUBCOMMAND --help tells more.\n"
	"Exit status: 0 good, 1 refused or incomplete, 2 it could not be asked.\n";

static const char apply_usage[] =
	"usage: silta map apply --from CC --to CC --flow NAME --message request|response|fault\n"
	"                       [options] FILE\n"
	"\n"
	"Translates FILE, a CDA document, a SOAP envelope, a FHIR Bundle in JSON or the JSON body of\n"
	"a service (\"-\": standard input). The header of an envelope is left as it is; JSON comes out\n"
	"in the order of the source, without white space.\n"
	"\n"
	"  --from CC, --to CC    country that sends, country that receives\n"
	"  --flow NAME           directory below flows/ of the mapping set\n"
	"  --message KIND        request, response or fault; for a bare document it only names the\n"
	"                        direction in the trace\n"
	"  --service NAME        service code in either country; must fit the body when given, and is\n"
	"                        needed for a JSON body that is no document\n"
	"  --explain FILE        writes the trace: as a page for people when FILE ends in .html,\n"
	"                        else as JSON (\"-\": standard error)\n"
	"  --problems FILE       writes what could not be mapped, as JSON\n"
	"  --personal            identifiers, dates of birth and free text stand in the trace\n"
	"  --at DATE             today is DATE (2026-11-23): for documents without a date, and for\n"
	"                        the days between which tables are in force\n"
	"  --test-codes          lets made-up personal codes pass\n"
	"  --document-ca FILE    authorities (PEM) that may have certified whoever signed a document\n"
	"                        inside itself; without them such documents are refused\n"
	"  --document-sha1       such a signature may be made with SHA-1\n"
	"  --lang et|fi|en       language of the sentences on standard error\n"
	"  --mappings DIR        the mapping set; default: $SILTA_MAPPINGS, else mappings beside the\n"
	"                        program's directory, else /usr/share/silta/mappings\n"
	"\n"
	"Exit status: 0 translated, 1 refused, 2 it could not be tried.\n";

#define FILE_MAX (64u << 20)

enum {
	OPT_FROM = 256,
	OPT_TO,
	OPT_FLOW,
	OPT_MESSAGE,
	OPT_SERVICE,
	OPT_EXPLAIN,
	OPT_PROBLEMS,
	OPT_PERSONAL,
	OPT_AT,
	OPT_TEST,
	OPT_LANG,
	OPT_MAPPINGS,
	OPT_LIST,
	OPT_DOCUMENT_CA,
	OPT_GOOD,
	OPT_ALL,
	OPT_SHA1,
	OPT_HELP
};

/* clang-format off */
static const struct option long_options[] = {
	{"from", required_argument, NULL, OPT_FROM},
	{"to", required_argument, NULL, OPT_TO},
	{"flow", required_argument, NULL, OPT_FLOW},
	{"message", required_argument, NULL, OPT_MESSAGE},
	{"service", required_argument, NULL, OPT_SERVICE},
	{"explain", required_argument, NULL, OPT_EXPLAIN},
	{"problems", required_argument, NULL, OPT_PROBLEMS},
	{"personal", no_argument, NULL, OPT_PERSONAL},
	{"at", required_argument, NULL, OPT_AT},
	{"test-codes", no_argument, NULL, OPT_TEST},
	{"lang", required_argument, NULL, OPT_LANG},
	{"mappings", required_argument, NULL, OPT_MAPPINGS},
	{"list", required_argument, NULL, OPT_LIST},
	{"document-ca", required_argument, NULL, OPT_DOCUMENT_CA},
	{"document-sha1", no_argument, NULL, OPT_SHA1},
	{"good", required_argument, NULL, OPT_GOOD},
	{"all", no_argument, NULL, OPT_ALL},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};
/* clang-format on */

bool slt_map_read_message(const char *text, enum slt_map_message *ret)
{
	static const char *const words[] = {"request", "response", "fault"};

	for (unsigned i = 0; i < SLT_COUNT(words); i++) {
		if (strcmp(words[i], text) == 0) {
			*ret = (enum slt_map_message)i;
			return true;
		}
	}
	fprintf(stderr, "silta map: --message is request, response or fault, not \"%s\"\n", text);
	return false;
}

static bool read_good(const char *text, unsigned *ret)
{
	enum slt_relation r;

	if (!slt_relation_by_name(text, &r)) {
		fprintf(stderr, "silta map: --good \"%s\" is no relation\n", text);
		return false;
	}
	*ret |= 1u << r;
	return true;
}

static bool read_at(const char *text, int64_t *ret)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_time_parse(slt_str(text), ret, &err)) {
		fprintf(stderr, "silta map: --at: %s\n", err.msg);
		return false;
	}
	return true;
}

static bool set_option(int c, struct slt_map_options *o)
{
	const char **const texts[] = {
		[OPT_FROM - 256] = &o->from,	   [OPT_TO - 256] = &o->to,
		[OPT_FLOW - 256] = &o->flow,	   [OPT_SERVICE - 256] = &o->service,
		[OPT_EXPLAIN - 256] = &o->explain, [OPT_PROBLEMS - 256] = &o->problems,
		[OPT_LANG - 256] = &o->lang,	   [OPT_MAPPINGS - 256] = &o->mappings,
		[OPT_LIST - 256] = &o->list,	   [OPT_DOCUMENT_CA - 256] = &o->document_ca,
		[OPT_HELP - 256] = NULL,
	};

	switch (c) {
	case OPT_MESSAGE:
		o->has_message = true;
		return slt_map_read_message(optarg, &o->message);
	case OPT_PERSONAL:
		o->personal = true;
		return true;
	case OPT_TEST:
		o->test_codes = true;
		return true;
	case OPT_ALL:
		o->all = true;
		return true;
	case OPT_SHA1:
		o->document_sha1 = true;
		return true;
	case OPT_AT:
		return read_at(optarg, &o->now_ms);
	case OPT_GOOD:
		return read_good(optarg, &o->good);
	case OPT_HELP:
		o->help = true;
		return true;
	default:
		if (c < OPT_FROM || !texts[c - OPT_FROM]) {
			return false;
		}
		*texts[c - OPT_FROM] = optarg;
		return true;
	}
}

static bool read_options(int argc, char **argv, struct slt_map_options *o)
{
	int c;

	o->now_ms = slt_now_ms();
	o->lang = "en";
	optind = 1;
	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (!set_option(c == 'h' ? OPT_HELP : c, o)) {
			return false;
		}
	}
	o->argc = argc - optind;
	o->argv = argv + optind;
	return true;
}

/* --- the set --- */

bool slt_map_find_set(const char *given, char *ret, size_t n)
{
	static const char *const beside[] = {"../mappings", "../share/silta/mappings",
					     "../../mappings"};
	const char *named = given ? given : getenv("SILTA_MAPPINGS");
	char exe[4096];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (named && *named) {
		return snprintf(ret, n, "%s", named) < (int)n;
	}
	exe[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(exe, '/');
	for (size_t i = 0; slash && i < SLT_COUNT(beside); i++) {
		char probe[4400];
		*slash = '\0';
		snprintf(ret, n, "%s/%s", exe, beside[i]);
		snprintf(probe, sizeof(probe), "%s/pivot/pivot.conf", ret);
		if (slt_file_exists(probe)) {
			return true;
		}
	}
	return snprintf(ret, n, "/usr/share/silta/mappings") < (int)n;
}

bool slt_map_load(const struct slt_map_options *o, struct slt_mapset **ret)
{
	char dir[4200];
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_map_find_set(o->mappings, dir, sizeof(dir)) || !slt_mapset_load(dir, ret, &err)) {
		slt_cannot("map", &err);
		return false;
	}
	return true;
}

static int run_check(const struct slt_map_options *o)
{
	char dir[4200];
	SLT_AUTO_LINT(lint);
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;

	if (!slt_map_find_set(o->mappings, dir, sizeof(dir)) || !slt_file_exists(dir)) {
		fprintf(stderr, "silta map: there is no directory %s\n", dir);
		return SLT_EXIT_CANNOT;
	}
	slt_mapset_check(dir, &lint, &set);
	for (size_t i = 0; i < lint.n; i++) {
		printf("%s\n", lint.v[i]);
	}
	if (lint.total > lint.n) {
		printf("and %zu more\n", lint.total - lint.n);
	}
	if (lint.total > 0) {
		return SLT_EXIT_NO;
	}
	for (size_t i = 0; i < set->n_countries; i++) {
		printf("country %s version %s: %zu lists\n", set->country[i]->code,
		       set->country[i]->version, set->country[i]->n_lists);
	}
	for (size_t i = 0; i < set->n_flows; i++) {
		printf("flow %s version %s: %zu rules, %zu guards\n", set->flow[i]->id,
		       set->flow[i]->version, set->flow[i]->rules.n, set->flow[i]->n_guards);
	}
	printf("OK %s\n", slt_mapset_digest(set));
	return SLT_EXIT_GOOD;
}

/* --- apply --- */

static bool write_file(const char *path, const struct slt_buf *b)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_str s = slt_buf_str(b);

	if (b->failed) {
		fprintf(stderr, "silta map: %s would be too long\n", path);
		return false;
	}
	if (strcmp(path, "-") == 0) {
		return fwrite(s.p, 1, s.n, stderr) == s.n;
	}
	if (!slt_file_write(path, s.p, s.n, 0644, &err)) {
		slt_cannot("map", &err);
		return false;
	}
	return true;
}

static bool ends_in_html(const char *path)
{
	size_t n = strlen(path);

	return n > 5 && strcmp(path + n - 5, ".html") == 0;
}

static void explain(const struct slt_map_options *o, const struct slt_mapset *set,
		    const struct slt_map_result *r, bool refused, struct slt_buf *b)
{
	const char *slash = strrchr(o->argv[0], '/');
	struct slt_explain page = {.set = set,
				   .result = r,
				   .title = slash ? slash + 1 : o->argv[0],
				   .lang = o->lang,
				   .refused = refused,
				   .personal = o->personal};

	if (ends_in_html(o->explain)) {
		slt_explain_html(&page, b);
	} else {
		slt_trace_json(r->trace, o->personal, b);
	}
}

static bool write_reports(const struct slt_map_options *o, const struct slt_mapset *set,
			  const struct slt_map_result *r, bool refused)
{
	SLT_AUTO_BUF(b, SLT_EXPLAIN_MAX);
	bool good = true;

	if (o->explain) {
		explain(o, set, r, refused, &b);
		good = write_file(o->explain, &b);
	}
	if (o->problems) {
		slt_buf_reset(&b);
		slt_problems_json(r->problems, &b);
		good &= write_file(o->problems, &b);
	}
	return good;
}

static void print_problems(const struct slt_map_options *o, const struct slt_problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct slt_map_problem *m = &p->v[i];
		SLT_AUTO_BUF(text, 16384);
		slt_problem_text(p, m, o->lang, &text);
		for (size_t k = 0; k < text.n; k++) {
			if ((unsigned char)text.p[k] < 0x20 || text.p[k] == 0x7f) {
				text.p[k] = '?';
			}
		}
		fprintf(stderr, "%s %s %s\n    rule %s at %s%s%s\n",
			m->severity == SLT_SEV_ERROR ? "error" : "warning",
			slt_code_name(m->code, SLT_DIALECT_CAMEL), text.p ? text.p : "",
			m->rule ? m->rule : "-", m->place ? m->place : "/", m->detail ? ": " : "",
			m->detail ? m->detail : "");
	}
}

static bool read_input(const char *path, char **ret, size_t *ret_n)
{
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, FILE_MAX, ret, ret_n,
			   &err)) {
		slt_cannot("map", &err);
		return false;
	}
	return true;
}

/* The result's bytes, and their digest into the trace. */
static bool dump(struct slt_map_result *r, struct slt_buf *out, struct slt_err *err)
{
	struct slt_digest d;
	SLT_AUTO_BUF(hex, 2 * SLT_DIGEST_MAX + 1);

	if (!slt_map_dump(r->doc, out, err)) {
		return false;
	}
	slt_digest_of(SLT_SHA256, out->p, out->n, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	r->trace->output_digest = slt_arena_strdup(r->trace->arena, hex.p);
	return true;
}

bool slt_map_load_authorities(const char *path, struct slt_cdasig_authorities **ret)
{
	struct slt_err err = SLT_ERR_INIT;

	if (path && !slt_cdasig_authorities_load(path, ret, &err)) {
		slt_cannot("map", &err);
		return false;
	}
	return true;
}

static int apply(const struct slt_map_options *o, const struct slt_mapset *set)
{
	SLT_AUTO_STR char *text = NULL;
	size_t n;
	SLT_AUTO(slt_map_result_free) struct slt_map_result *r = slt_map_result_new();
	SLT_AUTO(slt_cdasig_authorities_free) struct slt_cdasig_authorities *ca = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (!read_input(o->argv[0], &text, &n) || !slt_map_load_authorities(o->document_ca, &ca)) {
		return SLT_EXIT_CANNOT;
	}
	struct slt_seal seal = {
		.authorities = ca, .now_ms = o->now_ms, .allow_sha1 = o->document_sha1};
	struct slt_map_input in = {.from = o->from,
				   .to = o->to,
				   .flow = o->flow,
				   .message = o->message,
				   .service = o->service,
				   .body = {text, n},
				   .now_ms = o->now_ms,
				   .test_codes = o->test_codes,
				   .judge = slt_seal_judge(&seal)};
	SLT_AUTO_BUF(out, FILE_MAX);
	bool good = slt_map_apply(set, &in, r, &err) && dump(r, &out, &err);
	print_problems(o, r->problems);
	if (!write_reports(o, set, r, !good)) {
		return SLT_EXIT_CANNOT;
	}
	if (!good) {
		bool refused = r->problems->errors > 0;
		slt_cannot("map", &err);
		return refused ? SLT_EXIT_NO : SLT_EXIT_CANNOT;
	}
	struct slt_str s = slt_buf_str(&out);
	bool written = fwrite(s.p, 1, s.n, stdout) == s.n && fflush(stdout) == 0;
	return written ? SLT_EXIT_GOOD : SLT_EXIT_CANNOT;
}

static int run_apply(const struct slt_map_options *o)
{
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;

	if (!o->from || !o->to || !o->flow || !o->has_message || o->argc != 1) {
		fprintf(stderr, "silta map apply: --from, --to, --flow, --message and one FILE "
				"are needed\n");
		return SLT_EXIT_CANNOT;
	}
	return slt_map_load(o, &set) ? apply(o, set) : SLT_EXIT_CANNOT;
}

/* --- choosing --- */

static int help(const char *text)
{
	fputs(text, stdout);
	return SLT_EXIT_GOOD;
}

/* Subcommands with options of their own. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} others[] = {
	{"diff", slt_map_diff}, {"export", slt_map_exchange}, {"import", slt_map_exchange},
	{"sign", slt_map_set},	{"verify", slt_map_set},
};

int slt_cmd_map(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct slt_map_options *o);
		const char *usage;
		bool files;
	} subs[] = {
		{"apply", run_apply, apply_usage, true},
		{"check", run_check, usage, false},
		{"coverage", slt_map_coverage, slt_map_coverage_usage, false},
		{"roundtrip", slt_map_roundtrip, slt_map_coverage_usage, false},
	};
	struct slt_map_options o = {.from = NULL};

	if (argc < 2) {
		fputs(usage, stderr);
		return SLT_EXIT_CANNOT;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		return help(usage);
	}
	for (size_t i = 0; i < SLT_COUNT(subs); i++) {
		if (strcmp(argv[1], subs[i].name) != 0) {
			continue;
		}
		if (!read_options(argc - 1, argv + 1, &o)) {
			return SLT_EXIT_CANNOT;
		}
		if (o.help) {
			return help(subs[i].usage);
		}
		if (!subs[i].files && o.argc > 0) {
			fprintf(stderr, "silta map %s takes no file\n", subs[i].name);
			return SLT_EXIT_CANNOT;
		}
		return subs[i].run(&o);
	}
	for (size_t i = 0; i < SLT_COUNT(others); i++) {
		if (strcmp(argv[1], others[i].name) == 0) {
			return others[i].run(argc - 1, argv + 1);
		}
	}
	fprintf(stderr, "silta map: there is no subcommand \"%s\"\n", argv[1]);
	fputs(usage, stderr);
	return SLT_EXIT_CANNOT;
}
