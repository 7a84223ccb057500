/* SPDX-License-Identifier: MIT */

/* silta globalconf show: what a cache says, as tables. */

#include "cmd_globalconf.h"

#include <getopt.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "federation/globalconf_cache.h"
#include "federation/trust.h"

#define COLUMNS_MAX 8
#define CELL_MAX    200 /* bytes shown of one value */

static const char usage[] =
	"usage: silta globalconf show --dir DIR [options] [SECTION]\n"
	"\n"
	"Shows a configuration cache. SECTION is members, servers, cas, tsas or groups; without\n"
	"one: what instances there are, how large, and until when their configuration is valid.\n"
	"Sections are sorted, and end with how much there is.\n"
	"\n"
	"  --dir DIR      the cache: as a security server keeps it, or `silta globalconf fetch`\n"
	"  --instance X   this instance only\n"
	"  --help         this text\n"
	"\n"
	"Exit status: 0 shown, 1 the own configuration has expired or there is no such instance,\n"
	"2 the cache cannot be read.\n";

/* --- tables ------------------------------------------------------------------------------- */

struct table {
	struct slt_arena *arena;
	const char *head[COLUMNS_MAX];
	size_t n_columns;
	const char **cell; /* row by row */
	size_t n_cells, room;
	size_t width[COLUMNS_MAX];
};

/* Characters, not bytes: names have letters beyond ASCII. */
static size_t columns_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++) {
		n += ((unsigned char)*s & 0xc0) != 0x80;
	}
	return n;
}

static void start(struct table *t, const char *const *head, size_t n)
{
	t->n_columns = n;
	for (size_t i = 0; i < n; i++) {
		t->head[i] = head[i];
		t->width[i] = columns_of(head[i]);
	}
}

static void add(struct table *t, const char *text)
{
	size_t column = t->n_cells % t->n_columns;
	SLT_AUTO_BUF(b, 4096);

	slt_globalconf_plain(&b, text && *text ? text : "-");
	size_t n = slt_buf_str(&b).n;
	if (n > CELL_MAX) {
		n = CELL_MAX;
		while (((unsigned char)b.p[n] & 0xc0) == 0x80) {
			n--;
		}
	}
	if (t->n_cells == t->room) {
		t->room = t->room ? 2 * t->room : 1024;
		t->cell = slt_realloc(t->cell, t->room, sizeof(char *));
	}
	const char *cell = slt_arena_strndup(t->arena, slt_buf_str(&b).p, n);
	t->cell[t->n_cells++] = cell;
	if (columns_of(cell) > t->width[column]) {
		t->width[column] = columns_of(cell);
	}
}

static void add_count(struct table *t, size_t n)
{
	add(t, slt_arena_printf(t->arena, "%zu", n));
}

static void print_row(const struct table *t, const char *const *cell)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		bool last = i + 1 == t->n_columns;
		size_t pad = last ? 0 : t->width[i] - columns_of(cell[i]) + 2;
		printf("%s%*s", cell[i], (int)pad, "");
	}
	putchar('\n');
}

/* By the first columns, which name what the row is about. */
static int compare_rows(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	int order = strcmp(x[0], y[0]);

	return order ? order : strcmp(x[1], y[1]);
}

static void finish(struct table *t, bool sorted)
{
	if (sorted && t->n_cells > 0) {
		qsort(t->cell, t->n_cells / t->n_columns, t->n_columns * sizeof(*t->cell),
		      compare_rows);
	}
	print_row(t, t->head);
	for (size_t i = 0; i < t->n_cells; i += t->n_columns) {
		print_row(t, t->cell + i);
	}
	free(t->cell);
	t->cell = NULL;
	t->n_cells = t->room = 0;
}

/* --- values ------------------------------------------------------------------------------- */

/* "in 9 min", "3 days ago" */
static const char *distance(int64_t t_ms, int64_t now_ms, struct slt_arena *a)
{
	static const struct {
		int64_t ms;
		const char *one, *many;
	} units[] = {
		{INT64_C(86400000), "day", "days"},
		{INT64_C(3600000), "hour", "hours"},
		{INT64_C(60000), "minute", "minutes"},
		{INT64_C(1000), "second", "seconds"},
	};
	int64_t d = t_ms > now_ms ? t_ms - now_ms : now_ms - t_ms;

	for (size_t i = 0; i < SLT_COUNT(units); i++) {
		long long n = d / units[i].ms;
		if (n > 0 || i + 1 == SLT_COUNT(units)) {
			return slt_arena_printf(a, "%s%lld %s%s", t_ms > now_ms ? "in " : "", n,
						n == 1 ? units[i].one : units[i].many,
						t_ms > now_ms ? "" : " ago");
		}
	}
	return "";
}

static const char *expiry(int64_t t_ms, int64_t now_ms, struct slt_arena *a)
{
	char at[SLT_TIME_LEN];

	if (t_ms == 0) {
		return "not said";
	}
	return slt_arena_printf(a, "%s (%s%s)", slt_time_format(t_ms, false, at),
				t_ms < now_ms ? "EXPIRED " : "", distance(t_ms, now_ms, a));
}

static const char *cert_expiry(const X509 *cert, int64_t now_ms, struct slt_arena *a)
{
	struct tm tm;
	char at[SLT_TIME_LEN];

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1) {
		return "not readable";
	}
	int64_t t_ms = (int64_t)timegm(&tm) * 1000;
	slt_time_format(t_ms, false, at);
	return slt_arena_printf(a, "%.10s%s", at, t_ms < now_ms ? " EXPIRED" : "");
}

static const char *subject_of(const X509 *cert, struct slt_arena *a)
{
	SLT_AUTO_BUF(b, 4096);

	slt_certinfo_name(X509_get_subject_name(cert), &b);
	return slt_arena_strdup(a, slt_buf_str(&b).p);
}

/* --- sections ----------------------------------------------------------------------------- */

struct show {
	const struct slt_globalconf *gc;
	struct slt_arena *arena;
	int64_t now_ms;
	struct table t;
};

static void members(struct show *s, const struct slt_gc_instance *in)
{
	const struct slt_gc_client *c = NULL;

	while ((c = slt_gc_instance_next_client(in, c))) {
		const struct slt_gc_server *server = slt_globalconf_server_of(s->gc, &c->id, 0);
		bool more = slt_globalconf_server_of(s->gc, &c->id, 1) != NULL;
		add(&s->t, slt_id_text(&c->id, s->arena));
		add(&s->t, server ? slt_arena_printf(s->arena, "%s%s", server->id.server,
						     more ? ", …" : "")
				  : NULL);
		add(&s->t, c->name);
	}
}

static void servers(struct show *s, const struct slt_gc_instance *in)
{
	const struct slt_gc_server *v = NULL;

	while ((v = slt_gc_instance_next_server(in, v))) {
		add(&s->t, slt_id_text(&v->id, s->arena));
		add_count(&s->t, slt_gc_server_cert_count(v));
		add_count(&s->t, slt_gc_server_client_count(v));
		add(&s->t, v->maintenance ? "maintenance" : v->address ? "registered" : "new");
		add(&s->t, v->address);
	}
}

static void cas(struct show *s, const struct slt_gc_instance *in)
{
	const struct slt_gc_ca *ca;

	for (size_t i = 0; (ca = slt_gc_instance_ca_at(in, i)); i++) {
		struct slt_gc_info info;
		slt_gc_instance_info(in, &info);
		add(&s->t, info.name);
		add(&s->t, ca->name);
		add(&s->t, ca->top ? "top" : "intermediate");
		add(&s->t, ca->authentication_only ? "TLS only" : "all");
		add(&s->t, slt_profile_name(ca->profile));
		add_count(&s->t, ca->n_ocsp);
		add(&s->t, cert_expiry(ca->cert, s->now_ms, s->arena));
		add(&s->t, subject_of(ca->cert, s->arena));
	}
}

static void tsas(struct show *s, const struct slt_gc_instance *in)
{
	const struct slt_gc_tsa *tsa;

	for (size_t i = 0; (tsa = slt_gc_instance_tsa_at(in, i)); i++) {
		struct slt_gc_info info;
		slt_gc_instance_info(in, &info);
		add(&s->t, info.name);
		add(&s->t, tsa->name);
		add(&s->t, tsa->url);
		add(&s->t, cert_expiry(tsa->cert, s->now_ms, s->arena));
		add(&s->t, subject_of(tsa->cert, s->arena));
	}
}

static void groups(struct show *s, const struct slt_gc_instance *in)
{
	const struct slt_gc_group *g = NULL;
	struct slt_gc_info info;

	slt_gc_instance_info(in, &info);
	while ((g = slt_gc_instance_next_group(in, g))) {
		add(&s->t, slt_arena_printf(s->arena, "%s/%s", info.name, g->code));
		add_count(&s->t, g->n_members);
		add(&s->t, g->description);
	}
}

static void overview(struct show *s, const struct slt_gc_instance *in)
{
	struct slt_gc_info i;

	slt_gc_instance_info(in, &i);
	add(&s->t, i.name);
	add_count(&s->t, (size_t)i.version);
	add_count(&s->t, i.n_members);
	add_count(&s->t, i.n_subsystems);
	add_count(&s->t, i.n_servers);
	add(&s->t, slt_arena_printf(s->arena, "%zu/%zu/%zu", i.n_groups, i.n_cas, i.n_tsas));
	add(&s->t, slt_arena_printf(s->arena, "%lld s", (long long)i.ocsp_freshness_s));
	add(&s->t, expiry(i.expires_ms, s->now_ms, s->arena));
}

static const struct section {
	const char *name, *one, *many; /* what its rows are */
	void (*fill)(struct show *s, const struct slt_gc_instance *in);
	const char *head[COLUMNS_MAX];
} sections[] = {
	{NULL,
	 NULL,
	 NULL,
	 overview,
	 {"INSTANCE", "VERSION", "MEMBERS", "SUBSYSTEMS", "SERVERS", "GROUPS/CAS/TSAS", "OCSP",
	  "VALID UNTIL"}},
	{"members",
	 "member or subsystem",
	 "members and subsystems",
	 members,
	 {"IDENTIFIER", "SERVER", "NAME"}},
	{"servers",
	 "security server",
	 "security servers",
	 servers,
	 {"IDENTIFIER", "CERTS", "CLIENTS", "STATE", "ADDRESS"}},
	{"cas",
	 "certification authority",
	 "certification authorities",
	 cas,
	 {"INSTANCE", "NAME", "KIND", "FOR", "PROFILE", "OCSP", "EXPIRES", "SUBJECT"}},
	{"tsas",
	 "time-stamping authority",
	 "time-stamping authorities",
	 tsas,
	 {"INSTANCE", "NAME", "URL", "EXPIRES", "SUBJECT"}},
	{"groups", "global group", "global groups", groups, {"GROUP", "MEMBERS", "DESCRIPTION"}},
};

static const struct section *find_section(const char *name)
{
	for (size_t i = 0; i < SLT_COUNT(sections); i++) {
		if (name ? sections[i].name && strcmp(sections[i].name, name) == 0
			 : !sections[i].name) {
			return &sections[i];
		}
	}
	return NULL;
}

/* --- the command -------------------------------------------------------------------------- */

struct args {
	const char *dir, *instance;
	const struct section *section;
	bool help;
};

static bool read_args(int argc, char **argv, struct args *a)
{
	static const struct option options[] = {
		{"dir", required_argument, NULL, 'd'},
		{"instance", required_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'd':
			a->dir = optarg;
			break;
		case 'i':
			a->instance = optarg;
			break;
		case 'h':
			a->help = true;
			break;
		default:
			return false;
		}
	}
	a->section = find_section(optind < argc ? argv[optind] : NULL);
	return a->help || (a->dir && a->section && argc - optind <= 1);
}

static void print(struct show *s, const struct args *a)
{
	const struct slt_gc_instance *in;
	size_t n = 0;

	while (n < COLUMNS_MAX && a->section->head[n]) {
		n++;
	}
	start(&s->t, a->section->head, n);
	for (size_t i = 0; (in = slt_globalconf_instance_at(s->gc, i)); i++) {
		struct slt_gc_info info;
		slt_gc_instance_info(in, &info);
		if (!a->instance || strcmp(a->instance, info.name) == 0) {
			a->section->fill(s, in);
		}
	}
	size_t rows = s->t.n_cells / n;
	finish(&s->t, a->section->name != NULL);
	if (a->section->name) {
		printf("\n%zu %s\n", rows, rows == 1 ? a->section->one : a->section->many);
	}
}

static int show(const struct args *a, const struct slt_globalconf *gc)
{
	struct show s = {.gc = gc, .now_ms = slt_now_ms()};
	struct slt_err err = SLT_ERR_INIT;

	if (a->instance && !slt_globalconf_instance(gc, a->instance)) {
		printf("there is no instance \"%s\" in %s\n", a->instance, a->dir);
		return SLT_EXIT_NO;
	}
	s.arena = s.t.arena = slt_arena_new();
	print(&s, a);
	slt_arena_free(s.arena);
	if (!slt_globalconf_check_valid(gc, s.now_ms, &err)) {
		fflush(stdout);
		fprintf(stderr, "warning: %s\n", err.msg);
		return SLT_EXIT_NO;
	}
	return SLT_EXIT_GOOD;
}

int slt_globalconf_show(int argc, char **argv)
{
	/* the report names the profile of a test instance as it is */
	const struct slt_gc_load_options o = {.allow_test_profile = true, .now_ms = -1};
	struct args a = {.dir = NULL};
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
	SLT_AUTO_STR char *warnings = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (!read_args(argc, argv, &a)) {
		return slt_globalconf_misused("show",
					      "--dir is needed, and SECTION is members, servers, "
					      "cas, tsas or groups");
	}
	if (a.help) {
		fputs(usage, stdout);
		return SLT_EXIT_GOOD;
	}
	if (!slt_globalconf_load(a.dir, &o, &gc, &warnings, &err)) {
		return slt_globalconf_cannot(&err);
	}
	int status = show(&a, gc);
	if (warnings) {
		fflush(stdout);
		fprintf(stderr, "warning: %s", warnings);
	}
	return status;
}
