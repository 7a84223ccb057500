/* SPDX-License-Identifier: MIT */

/* silta globalconf: fetch and verify; show and publish have files of their own. */

#include "cmd_globalconf.h"

#include <getopt.h>
#include <libgen.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "client.h"
#include "federation/globalconf_cache.h"
#include "mapset_part.h"
#include "mapset_trust.h"

static const char usage_all[] =
	"usage: silta globalconf fetch --anchor FILE --dir DIR [options]\n"
	"       silta globalconf verify --anchor FILE [options] DIRECTORY\n"
	"       silta globalconf show --dir DIR [options] [SECTION]\n"
	"       silta globalconf publish --key FILE --cert FILE --instance X --out DIR [options]\n"
	"                                PART=FILE...\n"
	"\n"
	"Global configuration: what an X-Road instance says of its members, security servers and\n"
	"authorities. Each subcommand has its own --help.\n";

static const char usage_fetch[] =
	"usage: silta globalconf fetch --anchor FILE --dir DIR [options]\n"
	"\n"
	"Downloads the configuration that the anchor names, verifies it, and keeps it in DIR as a\n"
	"security server does. What was there stays when anything is wrong.\n"
	"\n"
	"  --anchor FILE      configuration anchor of the own instance\n"
	"  --dir DIR          the cache; made when it is not there\n"
	"  --federation LIST  foreign instances to fetch too: all, none (the default), or their\n"
	"                     names with commas between\n"
	"  --mappings DIR     fetch the mapping tables too that the source publishes, and unpack\n"
	"                     them into DIR when they are a sound set: a directory of earlier\n"
	"                     tables, or a new one\n"
	"  --mappings-ca FILE ... when the set is signed, besides, by its author: certificates\n"
	"                     that are trusted to sign sets\n"
	"  --approvals N      ... and approved by so many\n"
	"  --tls-verify       refuse sources whose https certificate the system does not trust (the\n"
	"                     configuration's own signature is verified in any case)\n"
	"  --help             this text\n"
	"\n"
	"Exit status: 0 fetched, 1 what is offered was refused (of the configuration, or only of\n"
	"the mapping tables), 2 nothing could be fetched.\n";

static const char usage_verify[] =
	"usage: silta globalconf verify --anchor FILE [options] DIRECTORY\n"
	"\n"
	"Verifies a signed configuration directory offline, and its parts when --root says where\n"
	"they are. Prints \"OK ...\", or \"FAIL CODE ...\" with X-Road's fault code.\n"
	"\n"
	"  --anchor FILE  configuration anchor: whose signature counts, and for which instance\n"
	"  --shared FILE  shared parameters of the same instance, obtained earlier: their sources\n"
	"                 name keys that the anchor may not know yet\n"
	"  --root DIR     where the parts are, under the paths that the directory gives them\n"
	"  --at TIME      judge expiry at this instant (2026-11-23T12:00:00Z), not now\n"
	"  --help         this text\n"
	"\n"
	"Exit status: 0 good, 1 refused, 2 a file could not be read.\n";

int slt_globalconf_cannot(const struct slt_err *err)
{
	return slt_cannot("globalconf", err);
}

int slt_globalconf_misused(const char *command, const char *what)
{
	fprintf(stderr, "silta globalconf %s: %s; --help tells more\n", command, what);
	return SLT_EXIT_CANNOT;
}

void slt_globalconf_plain(struct slt_buf *out, const char *text)
{
	for (; *text; text++) {
		slt_buf_addc(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
	}
}

/* --- fetch -------------------------------------------------------------------------------- */

struct fetch_args {
	const char *anchor, *dir, *federation, *mappings, *mappings_ca, *approvals;
	bool tls_verify, help;
};

struct http {
	struct slt_client *client;
	bool tls_verify;
};

static bool http_get(void *arg, const char *url, size_t max, int *ret_status,
		     struct slt_buf *ret_body, struct slt_err *err)
{
	const struct http *h = arg;
	const struct slt_call call = {
		.method = "GET", .url = url, .total_ms = 120000, .tls_insecure = !h->tls_verify};

	ret_body->max = max;
	return slt_client_perform(h->client, &call, ret_status, ret_body, err);
}

static bool read_fetch_args(int argc, char **argv, struct fetch_args *a)
{
	static const struct option options[] = {
		{"anchor", required_argument, NULL, 'a'},
		{"dir", required_argument, NULL, 'd'},
		{"federation", required_argument, NULL, 'f'},
		{"mappings", required_argument, NULL, 'm'},
		{"mappings-ca", required_argument, NULL, 'c'},
		{"approvals", required_argument, NULL, 'n'},
		{"tls-verify", no_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			a->anchor = optarg;
			break;
		case 'd':
			a->dir = optarg;
			break;
		case 'f':
			a->federation = optarg;
			break;
		case 'm':
			a->mappings = optarg;
			break;
		case 'c':
			a->mappings_ca = optarg;
			break;
		case 'n':
			a->approvals = optarg;
			break;
		case 't':
			a->tls_verify = true;
			break;
		case 'h':
			a->help = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

/* Was something offered and found wanting, or was there nothing to judge? */
static bool is_refusal(enum slt_code code)
{
	switch ((int)code) {
	case SLT_EGC_DOWNLOAD:
	case SLT_ENETWORK:
	case SLT_EUNKNOWN_HOST:
	case SLT_EHTTP:
	case SLT_EDEADLINE:
	case SLT_EIO:
	case SLT_EBUSY:
	case SLT_EINTERNAL:
		return false;
	default:
		return true;
	}
}

static int report_refusal(const struct slt_err *err)
{
	SLT_AUTO_BUF(b, 4096);
	char code[128];

	slt_err_fault_code(err, SLT_DIALECT_SNAKE, code, sizeof(code));
	slt_buf_addf(&b, "FAIL %s ", code);
	slt_globalconf_plain(&b, err->msg);
	puts(slt_buf_str(&b).p);
	return SLT_EXIT_NO;
}

static int report_fetch(const struct slt_anchor *anchor, const struct slt_gc_fetch_result *r)
{
	char at[SLT_TIME_LEN];

	printf("OK %s version=%d expires=%s downloaded=%u unchanged=%u\n", anchor->instance,
	       r->version, slt_time_format(r->expires_ms, false, at), r->n_downloaded,
	       r->n_unchanged);
	if (r->warnings) {
		SLT_AUTO_STR char *rest = slt_strdup(r->warnings);
		for (char *line = rest, *end; line && *line; line = end) {
			end = strchr(line, '\n');
			if (end) {
				*end++ = '\0';
			}
			SLT_AUTO_BUF(b, 4096);
			slt_globalconf_plain(&b, line);
			fprintf(stderr, "warning: %s\n", slt_buf_str(&b).p);
		}
	}
	return SLT_EXIT_GOOD;
}

/* --- mapping tables ----------------------------------------------------------------------- */

static bool read_policy(const struct fetch_args *a, struct slt_mapset_policy *ret,
			struct slt_err *err)
{
	char *end = NULL;
	long n = a->approvals ? strtol(a->approvals, &end, 10) : 0;

	if (a->approvals && (!*a->approvals || *end || n < 0 || n > SLT_MANIFEST_SIGNERS)) {
		return slt_fail(err, SLT_EINVAL,
				"--approvals must be a number from 0 to %d, not \"%s\"",
				SLT_MANIFEST_SIGNERS, a->approvals);
	}
	*ret = (struct slt_mapset_policy){.ca = a->mappings_ca,
					  .required = a->mappings_ca != NULL,
					  .approvals = (unsigned)n,
					  .now_ms = slt_now_ms()};
	return true;
}

static bool judge_mappings(void *arg, const char *dir, struct slt_err *err)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO_LINT(warnings);
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;

	return slt_mapset_open(dir, arg, &lint, &warnings, &set, err);
}

static int renew_mappings(const struct fetch_args *a, const char *instance,
			  struct slt_mapset_policy *policy)
{
	struct slt_err err = SLT_ERR_INIT;
	bool changed = false;

	if (!slt_mapset_part_renew(a->dir, instance, a->mappings, judge_mappings, policy, &changed,
				   &err)) {
		return is_refusal(err.code) ? report_refusal(&err) : slt_globalconf_cannot(&err);
	}
	printf("OK mapping tables of %s in %s: %s\n", instance, a->mappings,
	       changed ? "new" : "unchanged");
	return SLT_EXIT_GOOD;
}

static int perform_fetch(const struct fetch_args *a, struct slt_mapset_policy *policy)
{
	SLT_AUTO(slt_anchor_free) struct slt_anchor *anchor = NULL;
	SLT_AUTO(slt_client_free) struct slt_client *client = NULL;
	struct slt_gc_fetch_result r = {.version = 0};
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_anchor_load(a->anchor, &anchor, &err) || !slt_client_new(4, &client, &err)) {
		return slt_globalconf_cannot(&err);
	}
	struct http h = {.client = client, .tls_verify = a->tls_verify};
	const struct slt_gc_fetch f = {.anchor = anchor,
				       .dir = a->dir,
				       .federation = a->federation,
				       .mappings = a->mappings != NULL,
				       .fetch = http_get,
				       .fetch_arg = &h,
				       .now_ms = slt_now_ms()};
	if (!slt_globalconf_fetch(&f, &r, &err)) {
		return is_refusal(err.code) ? report_refusal(&err) : slt_globalconf_cannot(&err);
	}
	int status = report_fetch(anchor, &r);
	free(r.warnings);
	return a->mappings ? renew_mappings(a, anchor->instance, policy) : status;
}

static int fetch(int argc, char **argv)
{
	struct fetch_args a = {.federation = "none"};
	struct slt_mapset_policy policy;
	struct slt_err err = SLT_ERR_INIT;

	if (!read_fetch_args(argc, argv, &a)) {
		return slt_globalconf_misused("fetch", "wrong options");
	}
	if (a.help) {
		fputs(usage_fetch, stdout);
		return SLT_EXIT_GOOD;
	}
	if (!a.anchor || !a.dir || optind != argc) {
		return slt_globalconf_misused("fetch",
					      "--anchor and --dir are needed, and no more");
	}
	if ((a.mappings_ca && !a.mappings) || (a.approvals && !a.mappings_ca)) {
		return slt_globalconf_misused(
			"fetch", "--approvals goes with --mappings-ca, and that with --mappings");
	}
	return read_policy(&a, &policy, &err) ? perform_fetch(&a, &policy)
					      : slt_globalconf_cannot(&err);
}

/* --- verify ------------------------------------------------------------------------------- */

struct verify_args {
	const char *anchor, *shared, *root, *at, *directory;
	bool help;
};

/* Certificates, and for which instance those from `from` on speak. */
struct trusted {
	X509 **certs;
	size_t n, n_anchor;
	struct slt_anchor *anchor;
	struct slt_globalconf *shared;
	const char *shared_instance;
};

static bool read_verify_args(int argc, char **argv, struct verify_args *a)
{
	static const struct option options[] = {
		{"anchor", required_argument, NULL, 'a'}, {"shared", required_argument, NULL, 's'},
		{"root", required_argument, NULL, 'r'},	  {"at", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},	  {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			a->anchor = optarg;
			break;
		case 's':
			a->shared = optarg;
			break;
		case 'r':
			a->root = optarg;
			break;
		case 't':
			a->at = optarg;
			break;
		case 'h':
			a->help = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

static void add_certs(struct trusted *t, X509 *const *certs, size_t n)
{
	t->certs = slt_realloc(t->certs, t->n + n + 1, sizeof(X509 *));
	for (size_t i = 0; i < n; i++) {
		t->certs[t->n++] = certs[i];
	}
}

/* internalconf and externalconf are signed with different keys; another name may be either. */
static void add_sources(struct trusted *t, const char *directory)
{
	SLT_AUTO_STR char *path = slt_strdup(directory);
	const char *name = basename(path);
	const struct slt_gc_instance *in = slt_globalconf_instance_at(t->shared, 0);
	const struct slt_gc_source *s;

	for (size_t i = 0; (s = slt_gc_instance_source_at(in, i)); i++) {
		if (strcmp(name, "externalconf") != 0) {
			add_certs(t, s->internal, s->n_internal);
		}
		if (strcmp(name, "internalconf") != 0) {
			add_certs(t, s->external, s->n_external);
		}
	}
	t->shared_instance = slt_globalconf_own(t->shared);
}

static bool load_trusted(const struct verify_args *a, struct trusted *t, struct slt_err *err)
{
	if (a->anchor) {
		size_t n = 0;
		if (!slt_anchor_load(a->anchor, &t->anchor, err)) {
			return false;
		}
		X509 **certs = slt_anchor_certs(t->anchor, &n);
		add_certs(t, certs, n);
		free(certs);
	}
	t->n_anchor = t->n;
	if (a->shared) {
		if (!slt_globalconf_load_shared(a->shared, &t->shared, err)) {
			return false;
		}
		add_sources(t, a->directory);
	}
	return true;
}

static void free_trusted(struct trusted *t)
{
	free(t->certs);
	slt_anchor_free(t->anchor);
	slt_globalconf_free(t->shared);
}

/* A certificate counts for the instance of the document that names it. */
static const char *instance_of(const struct trusted *t, const X509 *cert)
{
	for (size_t i = 0; i < t->n_anchor; i++) {
		if (t->certs[i] == cert) {
			return t->anchor->instance;
		}
	}
	return t->shared_instance;
}

static bool check_parts(const struct slt_directory *d, const char *root, struct slt_err *err)
{
	for (size_t i = 0; i < d->n_parts; i++) {
		SLT_AUTO_STR char *path = slt_asprintf("%s/%s", root, d->parts[i].location);
		SLT_AUTO_STR char *bytes = NULL;
		size_t n = 0;
		if (!slt_file_read(path, SLT_SHARED_PARAMS_MAX, &bytes, &n, err)) {
			err->code = SLT_EGC_DOWNLOAD;
			return slt_wrap(err, "part %s", d->parts[i].location);
		}
		if (!slt_directory_check_part(&d->parts[i], bytes, n, err)) {
			return false;
		}
	}
	return true;
}

static int judge(const struct verify_args *a, const struct trusted *t, int64_t now_ms)
{
	SLT_AUTO(slt_directory_free) struct slt_directory *d = NULL;
	SLT_AUTO_STR char *bytes = NULL;
	size_t n = 0;
	struct slt_err err = SLT_ERR_INIT;
	char at[SLT_TIME_LEN];

	if (!slt_file_read(a->directory, SLT_DIRECTORY_MAX + 1, &bytes, &n, &err)) {
		return slt_globalconf_cannot(&err);
	}
	if (!slt_directory_verify(bytes, n, t->certs, t->n, now_ms, &d, &err) ||
	    !slt_directory_check_instance(d, instance_of(t, d->cert), &err) ||
	    (a->root && !check_parts(d, a->root, &err))) {
		return report_refusal(&err);
	}
	printf("OK %s instance=%s version=%d expires=%s parts=", a->directory,
	       instance_of(t, d->cert), d->version ? d->version : SLT_GC_VERSION_MIN,
	       slt_time_format(d->expires_ms, false, at));
	for (size_t i = 0; i < d->n_parts; i++) {
		SLT_AUTO_BUF(id, 1024);
		slt_globalconf_plain(&id, d->parts[i].content_id);
		printf("%s%s", i ? "," : "", slt_buf_str(&id).p);
	}
	printf("%s\n", a->root ? "" : " (parts not looked at)");
	return SLT_EXIT_GOOD;
}

static int verify(int argc, char **argv)
{
	struct verify_args a = {.anchor = NULL};
	struct trusted t = {.certs = NULL};
	struct slt_err err = SLT_ERR_INIT;
	int64_t now_ms = slt_now_ms();

	if (!read_verify_args(argc, argv, &a)) {
		return slt_globalconf_misused("verify", "wrong options");
	}
	if (a.help) {
		fputs(usage_verify, stdout);
		return SLT_EXIT_GOOD;
	}
	if ((!a.anchor && !a.shared) || optind + 1 != argc) {
		return slt_globalconf_misused("verify", "--anchor and one DIRECTORY are needed");
	}
	a.directory = argv[optind];
	if (a.at && !slt_time_parse(slt_str(a.at), &now_ms, &err)) {
		return slt_globalconf_cannot(&err);
	}
	int status =
		load_trusted(&a, &t, &err) ? judge(&a, &t, now_ms) : slt_globalconf_cannot(&err);
	free_trusted(&t);
	return status;
}

int slt_cmd_globalconf(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{"fetch", fetch},
		{"verify", verify},
		{"show", slt_globalconf_show},
		{"publish", slt_globalconf_publish},
	};

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		fputs(usage_all, argc < 2 ? stderr : stdout);
		return argc < 2 ? SLT_EXIT_CANNOT : SLT_EXIT_GOOD;
	}
	for (size_t i = 0; i < SLT_COUNT(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	fprintf(stderr, "silta globalconf: there is no subcommand \"%s\"\n%s", argv[1], usage_all);
	return SLT_EXIT_CANNOT;
}
