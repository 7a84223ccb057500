/* SPDX-License-Identifier: MIT */
/* silta verify: judges ASiC-E containers and archives from files alone. */
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "command.h"
#include "federation/asic.h"
#include "federation/globalconf_cache.h"

#define FILE_MAX       (1024u << 20)
#define LINE_MAX_BYTES (1u << 20)

static const char usage[] =
	"usage: silta verify --conf DIR [options] FILE...\n"
	"       silta verify --structure [options] FILE...\n"
	"\n"
	"Verifies ASiC-E containers, and archives of them with their linking information, as\n"
	"X-Road's own verifier does: signer, certificate and OCSP response at the instant of the\n"
	"container's time-stamp. Prints a line for each container, \"OK NAME ...\" or\n"
	"\"FAIL NAME CODE sentence\", and for an archive one more for its linking.\n"
	"\n"
	"  --conf DIR       global configuration, as a directory that a security server keeps or\n"
	"                   that \"silta globalconf fetch\" writes\n"
	"  --structure      look at structure and linking only, trust nothing and nobody\n"
	"  --at TIME        judge certificates at this instant (2026-11-23T12:00:00Z), not at the\n"
	"                   time-stamp's\n"
	"  --signer MEMBER  who must have signed (INSTANCE/CLASS/CODE, with or without subsystem):\n"
	"                   for messages that a bridge behind a security server has sealed; left\n"
	"                   out: the client or the provider that the message names\n"
	"  --strict         refuse what X-Road accepts with less than full coverage: see the\n"
	"                   warnings without it\n"
	"  --previous HEX   the digest that the archive before this one ended with; - if this is\n"
	"                   the first\n"
	"  --json           a JSON object for each line\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 if all is good, 1 if something is not, 2 if something could not be read.\n";

struct options {
	const char *conf, *previous;
	struct slt_asic_options asic;
	struct slt_id signer;
	struct slt_arena *arena; /* of the signer */
	bool structure, json;
};

struct run {
	struct options o;
	struct slt_globalconf *gc;
	bool refused, unread;
};

/* --- output --- */

/* What a peer wrote must not be able to write a line of its own, or steer the terminal. */
static void add_plain(struct slt_buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		slt_buf_addc(b, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
	}
}

static void add_field(struct slt_buf *b, const char *name, const char *value)
{
	slt_buf_addf(b, " %s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\') {
			slt_buf_addc(b, '\\');
		}
		slt_buf_addc(b, (unsigned char)*value < 0x20 || *value == 0x7f ? '?' : *value);
	}
	slt_buf_addc(b, '"');
}

static void add_member(struct slt_buf *b, const char *name, const char *value)
{
	slt_buf_addf(b, ",\"%s\":", name);
	slt_buf_add_json(b, value);
}

static void print_line(struct slt_buf *b)
{
	slt_buf_addc(b, '\n');
	(void)fwrite(b->p, 1, b->n, stdout);
	(void)fflush(stdout);
}

static void begin_line(const struct run *r, bool good, const char *name, struct slt_buf *b)
{
	if (r->o.json) {
		slt_buf_adds(b, "{\"name\":");
		slt_buf_add_json(b, name);
		slt_buf_addf(b, ",\"ok\":%s", good ? "true" : "false");
	} else {
		slt_buf_adds(b, good ? "OK " : "FAIL ");
		add_plain(b, name);
	}
}

static void print_fail(struct run *r, const char *name, const struct slt_err *err)
{
	SLT_AUTO_BUF(b, LINE_MAX_BYTES);
	char code[128];

	r->refused = true;
	slt_err_fault_code(err, SLT_DIALECT_SNAKE, code, sizeof(code));
	begin_line(r, false, name, &b);
	if (r->o.json) {
		add_member(&b, "code", code);
		add_member(&b, "message", err->msg);
		slt_buf_addc(&b, '}');
	} else {
		slt_buf_addf(&b, " %s ", code);
		add_plain(&b, err->msg);
	}
	print_line(&b);
}

static void print_structure(const struct run *r, const char *name)
{
	SLT_AUTO_BUF(b, LINE_MAX_BYTES);

	begin_line(r, true, name, &b);
	slt_buf_adds(&b, r->o.json ? ",\"checked\":\"structure\"}"
				   : " structure only, no signature was verified");
	print_line(&b);
}

/* What the hash chain says of attachments, in X-Road's words. */
static void print_attachments(const struct run *r, const struct slt_asic_verdict *v,
			      struct slt_buf *b)
{
	for (size_t i = 0; i < v->n_attachments; i++) {
		const struct slt_asic_attachment *a = &v->attachment[i];
		SLT_AUTO_BUF(hex, 1024);

		slt_buf_add_hex(&hex, a->digest.v, a->digest.n);
		if (r->o.json) {
			slt_buf_adds(b, i == 0 ? ",\"attachments\":[{\"name\":" : ",{\"name\":");
			slt_buf_add_json(b, a->name);
			add_member(b, "digest", hex.p != NULL ? hex.p : "");
			slt_buf_addf(b, ",\"verified\":%s}%s", a->verified ? "true" : "false",
				     i + 1 == v->n_attachments ? "]" : "");
		} else {
			slt_buf_adds(b, "\n  The digest for \"");
			add_plain(b, a->name);
			slt_buf_addf(b, "\" is: %s (%s)", hex.p != NULL ? hex.p : "",
				     a->verified ? "verified" : "unverified");
		}
	}
}

static void print_good(const struct run *r, const char *name, const struct slt_asic_verdict *v,
		       struct slt_arena *arena)
{
	SLT_AUTO_BUF(b, LINE_MAX_BYTES);
	SLT_AUTO_BUF(subject, 16384);
	char time[SLT_TIME_LEN];
	void (*add)(struct slt_buf *, const char *, const char *) =
		r->o.json ? add_member : add_field;

	slt_certinfo_name(X509_get_subject_name(v->signature.cert), &subject);
	begin_line(r, true, name, &b);
	add(&b, "signer", slt_id_text(&v->signer, arena));
	add(&b, "timestamp", slt_time_format(v->timestamp_ms, false, time));
	add(&b, "certificate", subject.p != NULL ? subject.p : "");
	for (unsigned i = 0; i < v->signature.n_warnings; i++) {
		if (!r->o.json) {
			add_field(&b, "warning", v->signature.warning[i]);
			continue;
		}
		slt_buf_adds(&b, i == 0 ? ",\"warnings\":[" : ",");
		slt_buf_add_json(&b, v->signature.warning[i]);
		slt_buf_adds(&b, i + 1 == v->signature.n_warnings ? "]" : "");
	}
	print_attachments(r, v, &b);
	if (r->o.json) {
		slt_buf_addc(&b, '}');
	}
	print_line(&b);
}

/* --- judging --- */

static void verify_container(struct run *r, const char *name, struct slt_str bytes)
{
	SLT_AUTO(slt_asic_free) struct slt_asic *a = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	struct slt_err err = SLT_ERR_INIT;
	struct slt_asic_verdict v;

	if (!slt_asic_open(bytes, &a, &err)) {
		print_fail(r, name, &err);
		return;
	}
	if (r->o.structure) {
		print_structure(r, name);
		return;
	}
	if (!slt_asic_verify_at(a, &r->o.asic, arena, &v, &err)) {
		print_fail(r, name, &err);
		return;
	}
	print_good(r, name, &v, arena);
	slt_asic_verdict_fini(&v);
}

static void verify_links(struct run *r, const char *name, const struct slt_archive *a)
{
	SLT_AUTO_BUF(b, LINE_MAX_BYTES);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_archive_links links;

	if (!slt_archive_verify_links(a, r->o.previous, &links, &err)) {
		print_fail(r, name, &err);
		return;
	}
	begin_line(r, true, name, &b);
	if (r->o.json) {
		slt_buf_addf(&b, ",\"linked\":%zu", links.n);
		add_member(&b, "previous", links.previous);
		add_member(&b, "last", links.last);
		slt_buf_addc(&b, '}');
	} else {
		slt_buf_addf(&b, " linked=%zu previous=%s last=%s", links.n, links.previous,
			     links.last);
	}
	print_line(&b);
}

static void verify_archive(struct run *r, const char *name, const struct slt_archive *a)
{
	for (size_t i = 0; i < slt_archive_count(a); i++) {
		const char *member = slt_archive_name(a, i);
		SLT_AUTO_STR char *full = slt_asprintf("%s/%s", name, member);
		SLT_AUTO_BUF(bytes, SLT_ASIC_BYTES_MAX + 1);
		struct slt_err err = SLT_ERR_INIT;
		size_t n = strlen(member);

		if (n < 6 || strcmp(member + n - 6, ".asice") != 0) {
			continue;
		}
		if (!slt_archive_read(a, i, &bytes, &err)) {
			print_fail(r, full, &err);
			continue;
		}
		verify_container(r, full, slt_buf_str(&bytes));
	}
	verify_links(r, name, a);
}

static void verify_file(struct run *r, const char *path)
{
	SLT_AUTO_STR char *bytes = NULL;
	SLT_AUTO_STR char *copy = slt_strdup(path);
	SLT_AUTO(slt_archive_free) struct slt_archive *archive = NULL;
	const char *name = basename(copy);
	struct slt_err err = SLT_ERR_INIT, ignored = SLT_ERR_INIT;
	size_t n = 0;

	if (!slt_file_read(path, FILE_MAX, &bytes, &n, &err)) {
		(void)slt_cannot("verify", &err);
		r->unread = true;
		return;
	}

	struct slt_str view = {bytes, n};

	/* what is no archive is judged, and refused, as a container */
	if (slt_archive_open(view, &archive, &ignored) && slt_archive_is(archive)) {
		verify_archive(r, name, archive);
	} else {
		verify_container(r, name, view);
	}
}

/* --- arguments --- */

static bool bad_usage(struct slt_err *err, const char *why)
{
	return slt_fail(err, SLT_EINVAL, "%s; see silta verify --help", why);
}

static bool take_option(struct options *o, int option, struct slt_err *err)
{
	switch (option) {
	case 'c':
		o->conf = optarg;
		return true;
	case 'a':
		return slt_time_parse(slt_str(optarg), &o->asic.at_ms, err) ||
		       slt_wrap(err, "--at");
	case 'i':
		o->asic.signer = &o->signer;
		return slt_id_parse_client(optarg, false, o->arena, &o->signer, err) ||
		       slt_wrap(err, "--signer");
	case 's':
		o->asic.strict = true;
		return true;
	case 'j':
		o->json = true;
		return true;
	case 'p':
		o->previous = optarg;
		return true;
	case 'S':
		o->structure = true;
		return true;
	default:
		return bad_usage(err, "unknown option, or its value is missing");
	}
}

static bool read_options(int argc, char **argv, struct options *o, struct slt_err *err)
{
	static const struct option longs[] = {
		{"conf", required_argument, NULL, 'c'},
		{"at", required_argument, NULL, 'a'},
		{"signer", required_argument, NULL, 'i'},
		{"strict", no_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"previous", required_argument, NULL, 'p'},
		{"structure", no_argument, NULL, 'S'},
		{NULL, 0, NULL, 0},
	};
	int option;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (!take_option(o, option, err)) {
			return false;
		}
	}
	if (optind == argc) {
		return bad_usage(err, "no file is named");
	}
	if ((o->conf == NULL) == !o->structure) {
		return bad_usage(err, "exactly one of --conf and --structure must be given");
	}
	return true;
}

static bool load_conf(struct run *r, struct slt_err *err)
{
	/* foreign instances stay, however old: what counts is the time of the time-stamp */
	struct slt_gc_load_options lo = {.now_ms = -1};
	SLT_AUTO_STR char *warnings = NULL;

	if (r->o.conf == NULL) {
		return true;
	}
	if (!slt_globalconf_load(r->o.conf, &lo, &r->gc, &warnings, err)) {
		return slt_wrap(err, "--conf %s", r->o.conf);
	}
	if (warnings != NULL) {
		(void)fprintf(stderr, "silta verify: --conf %s: %s\n", r->o.conf, warnings);
	}
	r->o.asic.gc = r->gc;
	return true;
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			return false;
		}
		if (strcmp(argv[i], "--help") == 0) {
			return true;
		}
	}
	return false;
}

int slt_cmd_verify(int argc, char **argv)
{
	struct run r = {.o = {.asic = {.at_ms = -1}}};
	struct slt_err err = SLT_ERR_INIT;

	if (asks_help(argc, argv)) {
		(void)fputs(usage, stdout);
		return SLT_EXIT_GOOD;
	}
	slt_xml_init();
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	r.o.arena = arena;
	if (!read_options(argc, argv, &r.o, &err) || !load_conf(&r, &err)) {
		return slt_cannot("verify", &err);
	}
	for (int i = optind; i < argc; i++) {
		verify_file(&r, argv[i]);
	}
	slt_globalconf_free(r.gc);
	return r.unread ? SLT_EXIT_CANNOT : r.refused ? SLT_EXIT_NO : SLT_EXIT_GOOD;
}
