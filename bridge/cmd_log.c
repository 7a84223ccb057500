/* SPDX-License-Identifier: MIT */

/* silta log: options, and the shorter subcommands. */

#include "cmd_log.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "config.h"
#include "msglog_archive.h"
#include "msglog_export.h"

int slt_log_cannot(const struct slt_err *err)
{
	return slt_cannot("log", err);
}

void slt_log_json_text(struct slt_buf *out, const char *key, const char *value)
{
	slt_buf_add_json(out, key);
	slt_buf_addc(out, ':');
	if (value) {
		slt_buf_add_json(out, value);
	} else {
		slt_buf_adds(out, "null");
	}
}

void slt_log_json_time(struct slt_buf *out, const char *key, int64_t t_ms)
{
	char text[SLT_TIME_LEN];
	slt_log_json_text(out, key, t_ms ? slt_time_format(t_ms, true, text) : NULL);
}

/* --- list --- */

static void list_json(const struct slt_msglog_exchange *x)
{
	SLT_AUTO_BUF(b, 1u << 16);
	slt_buf_addc(&b, '{');
	slt_log_json_text(&b, "exchange", x->exchange);
	slt_buf_addc(&b, ',');
	slt_log_json_text(&b, "route", x->route);
	slt_buf_addc(&b, ',');
	slt_log_json_time(&b, "started", x->started_ms);
	slt_buf_addc(&b, ',');
	slt_log_json_time(&b, "finished", x->finished_ms);
	slt_buf_addc(&b, ',');
	slt_log_json_text(&b, "status", slt_msglog_status_name(x->status));
	slt_buf_addc(&b, ',');
	slt_log_json_text(&b, "fault_code", x->fault_code);
	slt_buf_addf(&b, ",\"messages\":%u}", x->n_messages);
	puts(slt_buf_str(&b).p);
}

static bool list_one(void *arg, const struct slt_msglog_exchange *x, struct slt_err *err)
{
	const struct slt_log_args *a = arg;
	char t[SLT_TIME_LEN];
	(void)err;
	if (a->json) {
		list_json(x);
		return true;
	}
	printf("%s  %-36s  %-7s  %u  %s%s%s\n", slt_time_format(x->started_ms, true, t),
	       x->exchange, slt_msglog_status_name(x->status), x->n_messages, x->route,
	       x->fault_code ? "  " : "", x->fault_code ? x->fault_code : "");
	return true;
}

static int run_list(struct slt_log_args *a)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = NULL;
	if (!slt_msglog_reader_open(a->path, &r, &err) ||
	    !slt_msglog_each(r, &a->filter, list_one, a, &err)) {
		return slt_log_cannot(&err);
	}
	return SLT_EXIT_GOOD;
}

/* --- export --- */

struct export
{
	const struct slt_log_args *a;
	struct slt_msglog_reader *r;
	unsigned n_exchanges, n_written, n_skipped;
};

static void warn(const char *name, const struct slt_msglog_export_notes *n)
{
	if (n->unstamped) {
		fprintf(stderr, "silta log: %s has no time-stamp yet: verifiers will refuse it\n",
			name);
	}
	if (n->sealer[0]) {
		fprintf(stderr,
			"silta log: %s is sealed by %s and not signed by its sender: verify it with "
			"--signer %s\n",
			name, n->sealer, n->sealer);
	}
	if (n->n_left_out) {
		fprintf(stderr,
			"silta log: %s is without %u attachments that are too long for it\n", name,
			n->n_left_out);
	}
}

static bool export_message(struct export *x, const struct slt_msglog_message *m,
			   struct slt_err *err)
{
	SLT_AUTO_BUF(name, 8192);
	struct slt_msglog_export_notes notes;
	struct slt_err own = SLT_ERR_INIT;
	slt_msglog_export_name(m, &name);
	const char *file = slt_buf_str(&name).p;
	SLT_AUTO_STR char *path = slt_path_join(x->a->out, file);
	if (!slt_msglog_export_file(x->r, m, path, &notes, &own)) {
		if (own.code != SLT_EMISSING_SIGNATURE && own.code != SLT_ENOTFOUND) {
			*err = own;
			return slt_wrap(err, "%s", file);
		}
		fprintf(stderr, "silta log: %s is left out: %s\n", file, own.msg);
		x->n_skipped++;
		return true;
	}
	warn(file, &notes);
	printf("%s\n", path);
	x->n_written++;
	return true;
}

/* The trace of the mapping that made a sent message, beside its container. */
static bool export_trace(struct export *x, const struct slt_msglog_message *m, struct slt_err *err)
{
	SLT_AUTO_BUF(bytes, SIZE_MAX / 4);
	SLT_AUTO_BUF(name, 8192);
	struct slt_err own = SLT_ERR_INIT;

	if (!slt_msglog_read_part(x->r, m->seq, SLT_MSGLOG_TRACE, &bytes, &own)) {
		if (own.code == SLT_ENOTFOUND) {
			return true; /* a received one has none; a cut one no longer */
		}
		*err = own;
		return false;
	}
	slt_msglog_export_name(m, &name);
	const char *file = slt_buf_str(&name).p;
	int stem = (int)(strlen(file) - strlen(".asice"));
	SLT_AUTO_STR char *trace = slt_asprintf("%.*s.trace.json", stem, file);
	SLT_AUTO_STR char *path = slt_path_join(x->a->out, trace);
	if (!slt_file_write(path, bytes.p, bytes.n, 0600, err)) {
		return false;
	}
	printf("%s\n", path);
	return true;
}

static bool export_exchange(void *arg, const struct slt_msglog_exchange *e, struct slt_err *err)
{
	struct export *x = arg;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_message *m = NULL;
	size_t n = 0;
	x->n_exchanges++;
	if (!slt_msglog_messages(x->r, e->exchange, a, &m, &n, err)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!export_message(x, &m[i], err) ||
		    (x->a->traces && !export_trace(x, &m[i], err))) {
			return false;
		}
	}
	return true;
}

static int run_export(struct slt_log_args *a)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = NULL;
	if (!a->out) {
		(void)slt_fail(&err, SLT_EINVAL, "export: give a directory with --out DIR");
		return slt_log_cannot(&err);
	}
	struct export x = {.a = a};
	if (!slt_msglog_reader_open(a->path, &r, &err) || !slt_mkdir_p(a->out, 0700, &err)) {
		return slt_log_cannot(&err);
	}
	x.r = r;
	if (!slt_msglog_each(r, &a->filter, export_exchange, &x, &err)) {
		return slt_log_cannot(&err);
	}
	if (x.n_exchanges == 0) {
		fprintf(stderr, "silta log: the log has no such exchange\n");
	}
	return x.n_exchanges == 0 || x.n_skipped > 0 ? SLT_EXIT_NO : SLT_EXIT_GOOD;
}

/* --- cut --- */

static bool open_existing(const struct slt_log_args *a, struct slt_msglog **ret,
			  struct slt_err *err)
{
	struct slt_msglog_options o = {.path = a->path};
	if (!slt_file_exists(a->path)) {
		return slt_fail(err, SLT_ENOTFOUND, "there is no message log %s", a->path);
	}
	return slt_msglog_open(&o, ret, err);
}

static int run_cut(struct slt_log_args *a)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = NULL;
	unsigned n = 0;
	if (a->before_ms == 0) {
		(void)slt_fail(&err, SLT_EINVAL, "cut: say until when with --before TIME");
		return slt_log_cannot(&err);
	}
	if (!open_existing(a, &l, &err) ||
	    !slt_msglog_cut(l, a->before_ms, slt_now_ms(), &n, &err)) {
		return slt_log_cannot(&err);
	}
	printf("%u messages were cut off\n", n);
	return SLT_EXIT_GOOD;
}

/* --- archive --- */

static void told(void *arg, const char *file, unsigned n)
{
	const struct slt_log_args *a = arg;
	printf("%s/%s %u\n", a->out, file, n);
}

static int run_archive(struct slt_log_args *a)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_close) struct slt_msglog *l = NULL;
	if (!a->out) {
		(void)slt_fail(&err, SLT_EINVAL, "archive: give a directory with --out DIR");
		return slt_log_cannot(&err);
	}
	struct slt_msglog_archive_options o = {
		.dir = a->out, .max_bytes = a->max_size, .at_ms = slt_now_ms()};
	if (!open_existing(a, &l, &err) || !slt_mkdir_p(a->out, 0700, &err) ||
	    !slt_msglog_archive(l, &o, told, a, &err)) {
		return slt_log_cannot(&err);
	}
	return SLT_EXIT_GOOD;
}

/* --- options --- */

enum {
	LIST = 1,
	SHOW = 2,
	EXPORT = 4,
	VERIFY = 8,
	CUT = 16,
	ARCHIVE = 32,
	ALL = 63,
	SELECTS = LIST | SHOW | EXPORT, /* those that pick exchanges */
};

enum letter {
	O_CONFIG = 'c',
	O_HELP = 'h',
	O_LOG = 256,
	O_EXCHANGE,
	O_SINCE,
	O_UNTIL,
	O_ROUTE,
	O_STATUS,
	O_MESSAGE_ID,
	O_LIMIT,
	O_JSON,
	O_FULL,
	O_OUT,
	O_TRACES,
	O_CONF,
	O_CHAIN_ONLY,
	O_HEAD,
	O_LAX,
	O_TEST_PROFILE,
	O_BEFORE,
	O_MAX_SIZE,
};

/* clang-format off */
static const struct {
	const char *name;
	int letter;
	unsigned of;
	const char *value; /* NULL: takes none */
	const char *what;
} options[] = {
	{"config",       O_CONFIG,       ALL,              "FILE",   "configuration: where the log and the sides' caches are"},
	{"log",          O_LOG,          ALL,              "FILE",   "the message log itself"},
	{"exchange",     O_EXCHANGE,     SELECTS | VERIFY, "ID",     "this exchange only"},
	{"since",        O_SINCE,        SELECTS,          "TIME",   "started at or after, as 2026-11-23 or 2026-11-23T16:00:00Z"},
	{"until",        O_UNTIL,        SELECTS,          "TIME",   "started before"},
	{"route",        O_ROUTE,        SELECTS,          "NAME",   "of this route"},
	{"status",       O_STATUS,       SELECTS,          "STATUS", "open, done, failed or unknown"},
	{"message-id",   O_MESSAGE_ID,   SELECTS,          "ID",     "with a message of this X-Road id"},
	{"limit",        O_LIMIT,        SELECTS,          "N",      "the newest N"},
	{"json",         O_JSON,         LIST | SHOW | VERIFY, NULL, "a JSON object a line"},
	{"full",         O_FULL,         SHOW,             NULL,     "with the messages and traces themselves: these are personal data"},
	{"out",          O_OUT,          EXPORT | ARCHIVE, "DIR",    "where the files go"},
	{"traces",       O_TRACES,       EXPORT,           NULL,     "also why each value of a sent message became what it is, as NAME.trace.json"},
	{"conf",         O_CONF,         VERIFY,           "SIDE=DIR", "global configuration cache of a side; repeatable"},
	{"chain-only",   O_CHAIN_ONLY,   VERIFY,           NULL,     "no signatures and time-stamps"},
	{"head",         O_HEAD,         VERIFY,           "SEQ:HEX", "head of the chain that must be in the log"},
	{"lax",          O_LAX,          VERIFY,           NULL,     "X-Road's own rules for signatures"},
	{"test-profile", O_TEST_PROFILE, VERIFY,           NULL,     "accept X-Road's certificate profile for tests"},
	{"before",       O_BEFORE,       CUT,              "TIME",   "messages logged before"},
	{"max-size",     O_MAX_SIZE,     ARCHIVE,          "BYTES",  "an archive ends after the message that reaches this (32 MB)"},
	{"help",         O_HELP,         ALL,              NULL,     "this text"},
};

static const struct {
	const char *name;
	unsigned bit;
	int (*run)(struct slt_log_args *a);
	const char *what;
} subcommands[] = {
	{"list",   LIST,   run_list,       "exchanges, a line each, oldest first"},
	{"show",   SHOW,   slt_log_show,   "both legs of exchanges side by side, without personal data"},
	{"export", EXPORT, run_export,     "messages as ASiC-E containers that X-Road's verifier reads"},
	{"verify", VERIFY, slt_log_verify, "chain, signatures and time-stamps; a line each: OK, FAIL CODE or SKIP"},
	{"archive", ARCHIVE, run_archive,  "time-stamped messages not archived yet, in X-Road's archive form; a line a file"},
	{"cut",    CUT,    run_cut,        "remove the bodies of old messages of exchanges that have ended; the chain holds"},
};
/* clang-format on */

static void help(FILE *f)
{
	fputs("usage: silta log COMMAND (-c FILE | --log FILE) [OPTION]…\n\n", f);
	for (size_t i = 0; i < SLT_COUNT(subcommands); i++) {
		fprintf(f, "  %-9s%s\n", subcommands[i].name, subcommands[i].what);
	}
	fputs("\nsilta log COMMAND --help lists the options of a command.\n", f);
}

static void help_of(size_t s)
{
	printf("usage: silta log %s (-c FILE | --log FILE) [OPTION]…\n\n%s.\n\n",
	       subcommands[s].name, subcommands[s].what);
	for (size_t i = 0; i < SLT_COUNT(options); i++) {
		char left[40];
		if (options[i].of & subcommands[s].bit) {
			snprintf(left, sizeof(left), "%s --%s %s",
				 options[i].letter == O_CONFIG ? "-c," : "   ", options[i].name,
				 options[i].value ? options[i].value : "");
			printf("  %-26s%s\n", left, options[i].what);
		}
	}
	puts("\nExit status: 0 good, 1 the answer is no, 2 it could not be asked.");
}

static bool parse_time(const char *name, const char *text, int64_t *ret, struct slt_err *err)
{
	return slt_time_parse(slt_str(text), ret, err) || slt_wrap(err, "--%s", name);
}

static bool parse_number(const char *name, const char *text, unsigned *ret, struct slt_err *err)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || v == 0 || v > 1000000000) {
		return slt_fail(err, SLT_EINVAL,
				"--%s: \"%.40s\" is no number from 1 to 1000000000", name, text);
	}
	*ret = (unsigned)v;
	return true;
}

static bool add_conf(struct slt_log_args *a, const char *side, size_t n, const char *dir,
		     struct slt_err *err)
{
	if (a->n_conf == SLT_LOG_SIDES_MAX) {
		return slt_fail(err, SLT_ELIMIT, "at most %d sides", SLT_LOG_SIDES_MAX);
	}
	a->conf[a->n_conf++] = (struct slt_log_conf){
		.side = slt_arena_strndup(a->arena, side, n),
		.dir = slt_arena_strdup(a->arena, dir),
	};
	return true;
}

static bool parse_conf(struct slt_log_args *a, const char *text, struct slt_err *err)
{
	const char *eq = strchr(text, '=');
	if (!eq || eq == text || eq[1] == '\0') {
		return slt_fail(err, SLT_EINVAL,
				"--conf: \"%.200s\" is not SIDE=DIR, such as EE=/var/cache/ee",
				text);
	}
	return add_conf(a, text, (size_t)(eq - text), eq + 1, err);
}

static bool read_config(struct slt_log_args *a, const char *path, struct slt_err *err)
{
	SLT_AUTO(slt_config_free) struct slt_config *c = NULL;
	if (!slt_config_load(path, &c, NULL, err)) {
		return false;
	}
	SLT_AUTO_STR char *fallback = slt_path_join(c->state, "messages.db");
	if (!a->path) {
		a->path = slt_arena_strdup(a->arena, c->log ? c->log : fallback);
	}
	for (size_t i = 0; i < c->n_sides; i++) {
		const struct slt_config_side *s = &c->side[i];
		if (!add_conf(a, s->name, strlen(s->name), s->globalconf, err)) {
			return false;
		}
	}
	return true;
}

static bool take_filter(struct slt_log_args *a, int letter, const char *value, struct slt_err *err)
{
	struct slt_msglog_filter *f = &a->filter;
	switch (letter) {
	case O_EXCHANGE:
		f->exchange = value;
		return true;
	case O_SINCE:
		return parse_time("since", value, &f->since_ms, err);
	case O_UNTIL:
		return parse_time("until", value, &f->until_ms, err);
	case O_ROUTE:
		f->route = value;
		return true;
	case O_STATUS:
		f->by_status = true;
		return slt_msglog_status_find(value, &f->status) ||
		       slt_fail(err, SLT_EINVAL,
				"--status: \"%.40s\" is none of open, done, failed, unknown",
				value);
	case O_MESSAGE_ID:
		f->message_id = value;
		return true;
	case O_LIMIT:
		return parse_number("limit", value, &f->limit, err);
	default:
		return slt_fail(err, SLT_EINTERNAL, "an option is not read: %d", letter);
	}
}

static bool take_option(struct slt_log_args *a, int letter, const char *value, struct slt_err *err)
{
	switch (letter) {
	case O_LOG:
		a->path = value;
		return true;
	case O_JSON:
		a->json = true;
		return true;
	case O_FULL:
		a->full = true;
		return true;
	case O_TRACES:
		a->traces = true;
		return true;
	case O_OUT:
		a->out = value;
		return true;
	case O_CONF:
		return parse_conf(a, value, err);
	case O_CHAIN_ONLY:
		a->chain_only = true;
		return true;
	case O_HEAD:
		a->head = value;
		return true;
	case O_LAX:
		a->lax = true;
		return true;
	case O_TEST_PROFILE:
		a->test_profile = true;
		return true;
	case O_MAX_SIZE:
		return parse_number("max-size", value, &a->max_size, err);
	case O_BEFORE:
		return parse_time("before", value, &a->before_ms, err);
	default:
		return take_filter(a, letter, value, err);
	}
}

/* The options of one subcommand, for getopt_long; any other is refused by it. */
static void long_options(unsigned bit, struct option ret[SLT_COUNT(options) + 1])
{
	size_t n = 0;
	for (size_t i = 0; i < SLT_COUNT(options); i++) {
		if (options[i].of & bit) {
			ret[n++] = (struct option){.name = options[i].name,
						   .has_arg = options[i].value ? 1 : 0,
						   .val = options[i].letter};
		}
	}
	ret[n] = (struct option){.name = NULL};
}

/* -1: go on; otherwise the exit status. */
static int parse(struct slt_log_args *a, size_t s, int argc, char **argv)
{
	struct option longs[SLT_COUNT(options) + 1];
	struct slt_err err = SLT_ERR_INIT;
	const char *config = NULL;
	int o;
	long_options(subcommands[s].bit, longs);
	while ((o = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (o == O_HELP) {
			help_of(s);
			return SLT_EXIT_GOOD;
		}
		if (o == '?') {
			return SLT_EXIT_CANNOT;
		}
		if (o == O_CONFIG) {
			config = optarg;
		} else if (!take_option(a, o, optarg, &err)) {
			return slt_log_cannot(&err);
		}
	}
	if (optind != argc || (!config && !a->path)) {
		fprintf(stderr, "silta log %s: name the log with -c FILE or --log FILE%s\n",
			subcommands[s].name, optind != argc ? " and nothing else" : "");
		return SLT_EXIT_CANNOT;
	}
	if (config && !read_config(a, config, &err)) {
		return slt_log_cannot(&err);
	}
	return -1;
}

static int run(size_t s, int argc, char **argv)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	struct slt_log_args a = {.arena = arena, .max_size = SLT_MSGLOG_ARCHIVE_BYTES};
	int status = parse(&a, s, argc, argv);
	return status >= 0 ? status : subcommands[s].run(&a);
}

int slt_cmd_log(int argc, char **argv)
{
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		help(stdout);
		return SLT_EXIT_GOOD;
	}
	for (size_t i = 0; argc >= 2 && i < SLT_COUNT(subcommands); i++) {
		if (strcmp(argv[1], subcommands[i].name) == 0) {
			return run(i, argc - 1, argv + 1);
		}
	}
	help(stderr);
	return SLT_EXIT_CANNOT;
}
