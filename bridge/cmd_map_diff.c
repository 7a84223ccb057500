/* SPDX-License-Identifier: MIT */
/* silta map diff: what a new version of a mapping set would change. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "cmd_map.h"
#include "command.h"
#include "map_compare.h"
#include "mappings/set_diff.h"
#include "msglog.h"

static const char usage[] =
	"usage: silta map diff OLD NEW [--documents FILE…] [options]\n"
	"       silta map diff OLD NEW --log FILE [options]\n"
	"\n"
	"Prints what the mapping set in directory NEW has that the one in OLD has not: rows added\n"
	"(+), removed (-) and changed (~) by list, rules, and other files. With documents, or with\n"
	"the messages that a message log holds, also which of them would be translated otherwise,\n"
	"be refused, or no longer be refused. Patient data is not printed.\n"
	"\n"
	"  --documents           the files named after OLD and NEW are documents or messages\n"
	"  --from CC, --to CC    countries that send and receive the documents\n"
	"  --flow NAME           their flow; default: the only one of the set\n"
	"  --message KIND        request, response (default) or fault\n"
	"  --service NAME        their service, for a JSON body that is no document\n"
	"  --at DATE             today is DATE, for documents\n"
	"  --test-codes          lets made-up personal codes pass\n"
	"  --document-ca FILE    authorities for signatures inside documents (as with apply)\n"
	"  --document-sha1       such a signature may be made with SHA-1\n"
	"  --log FILE            message log; its messages are taken at their own instants\n"
	"  --json                prints JSON\n"
	"\n"
	"Exit status: 0 nothing differs, 1 something does, 2 it could not be asked.\n";

#define FILE_BYTES (64u << 20)

struct diff {
	const char *from, *to, *flow, *service, *log;
	enum slt_map_message message;
	const char *document_ca;
	struct slt_cdasig_authorities *authorities;
	bool documents, json, help, test_codes, document_sha1;
	int64_t now_ms;
	char **file;
	int n_files;
	struct slt_mapset *set[2];
	size_t n_changes;
	size_t compared, different, left_out;
	json_t *changes, *results;
};

/* --- tables and rules --- */

static const char *const marks[] = {"+", "-", "~"};
static const char *const words[] = {"added", "removed", "changed"};

/* Control characters in what a set says become '?'. */
static void put(const char *text)
{
	for (; *text; text++) {
		putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
	}
}

static void put_row(const struct slt_raw_row *r)
{
	const char *const parts[] = {
		r->cell[SLT_COL_CODE],	     " ", r->cell[SLT_COL_DISPLAY],	 " → ",
		r->cell[SLT_COL_PIVOT_CODE], " ", r->cell[SLT_COL_PIVOT_DISPLAY]};

	for (size_t i = 0; i < SLT_COUNT(parts); i++) {
		put(parts[i]);
	}
}

static void put_changed(const struct slt_raw_row *a, const struct slt_raw_row *b)
{
	const char *between = ": ";

	put(a->cell[SLT_COL_CODE]);
	for (size_t i = 0; i < SLT_TABLE_COLUMNS; i++) {
		if (strcmp(a->cell[i], b->cell[i]) != 0) {
			printf("%s%s ", between, slt_table_columns[i]);
			put(*a->cell[i] ? a->cell[i] : "(empty)");
			fputs(" → ", stdout);
			put(*b->cell[i] ? b->cell[i] : "(empty)");
			between = "; ";
		}
	}
}

static void print_change(const struct slt_set_difference *d)
{
	printf("%s %s%s%s: ", marks[d->what], d->where, d->list ? " " : "", d->list ? d->list : "");
	if (d->before && d->after) {
		put_changed(d->before, d->after);
	} else if (d->before || d->after) {
		put_row(d->before ? d->before : d->after);
	} else if (d->rule) {
		printf("rule %s %s", d->rule, words[d->what]);
	} else {
		bool files = !d->list && d->what == SLT_DIFF_CHANGED;
		printf("%s %s",
		       files	 ? "files"
		       : d->list ? "settings"
				 : "as a whole",
		       files ? "differ" : words[d->what]);
	}
	putchar('\n');
}

static json_t *row_json(const struct slt_raw_row *r)
{
	json_t *o = r ? json_object() : NULL;

	for (size_t i = 0; r && i < SLT_TABLE_COLUMNS; i++) {
		if (*r->cell[i]) {
			json_object_set_new(o, slt_table_columns[i], json_string(r->cell[i]));
		}
	}
	return o;
}

static void set_text(json_t *o, const char *name, const char *value)
{
	if (value) {
		json_object_set_new(o, name, json_string(value));
	}
}

static void keep_change(void *arg, const struct slt_set_difference *d)
{
	struct diff *x = arg;

	x->n_changes++;
	if (!x->json) {
		print_change(d);
		return;
	}
	json_t *o = json_object();
	set_text(o, "where", d->where);
	set_text(o, "list", d->list);
	set_text(o, "what", words[d->what]);
	set_text(o, "rule", d->rule);
	if (d->before) {
		json_object_set_new(o, "before", row_json(d->before));
	}
	if (d->after) {
		json_object_set_new(o, "after", row_json(d->after));
	}
	json_array_append_new(x->changes, o);
}

/* --- documents --- */

static void print_comparison(const char *name, const struct slt_map_comparison *c)
{
	printf("%s: %s\n", name, slt_map_change_name(c->change));
	for (int i = 0; i < 2; i++) {
		if (c->reason[i]) {
			printf("    %s: ", i ? "new" : "old");
			put(c->reason[i]);
			putchar('\n');
		}
	}
	for (size_t i = 0; i < c->n_places && i < SLT_MAP_PLACES; i++) {
		const struct slt_map_place *p = &c->place[i];
		printf("    %s: ", p->rule);
		put(*p->before ? p->before : "–");
		fputs(" → ", stdout);
		put(*p->after ? p->after : "–");
		printf("   at ");
		put(p->place);
		putchar('\n');
	}
	if (c->n_places > SLT_MAP_PLACES) {
		printf("    and %zu further places\n", c->n_places - SLT_MAP_PLACES);
	}
}

static json_t *comparison_json(const char *name, const struct slt_map_comparison *c)
{
	json_t *o = json_object(), *places = json_array();

	set_text(o, "name", name);
	set_text(o, "result", slt_map_change_name(c->change));
	set_text(o, "before", c->reason[0]);
	set_text(o, "after", c->reason[1]);
	for (size_t i = 0; i < c->n_places && i < SLT_MAP_PLACES; i++) {
		json_t *p = json_object();
		set_text(p, "rule", c->place[i].rule);
		set_text(p, "place", c->place[i].place);
		set_text(p, "before", c->place[i].before);
		set_text(p, "after", c->place[i].after);
		json_array_append_new(places, p);
	}
	json_object_set_new(o, "places", places);
	json_object_set_new(o, "places_total", json_integer((json_int_t)c->n_places));
	return o;
}

static void compare(struct diff *x, const char *name, const struct slt_map_input *in)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_map_comparison c;
	struct slt_seal seal = {.authorities = x->authorities,
				.now_ms = in->now_ms,
				.allow_sha1 = x->document_sha1};
	struct slt_map_input with = *in;

	with.judge = slt_seal_judge(&seal);
	slt_map_compare(x->set[0], x->set[1], &with, a, &c);
	x->compared++;
	x->different += c.change != SLT_MAP_SAME;
	if (x->json) {
		json_array_append_new(x->results, comparison_json(name, &c));
	} else if (c.change != SLT_MAP_SAME) {
		print_comparison(name, &c);
	}
}

static bool compare_files(struct diff *x, struct slt_err *err)
{
	const char *flow = x->flow;

	if (!flow && x->set[0]->n_flows == 1) {
		flow = x->set[0]->flow[0]->id;
	}
	if (!x->from || !x->to || !flow) {
		return slt_fail(err, SLT_EINVAL, "documents need --from, --to and --flow");
	}
	for (int i = 0; i < x->n_files; i++) {
		SLT_AUTO_STR char *text = NULL;
		size_t n;
		if (!slt_file_read(x->file[i], FILE_BYTES, &text, &n, err)) {
			return false;
		}
		struct slt_map_input in = {.from = x->from,
					   .to = x->to,
					   .flow = flow,
					   .message = x->message,
					   .service = x->service,
					   .body = {text, n},
					   .now_ms = x->now_ms,
					   .test_codes = x->test_codes};
		compare(x, x->file[i], &in);
	}
	return true;
}

/* --- a message log --- */

struct logged {
	struct diff *x;
	struct slt_msglog_reader *r;
};

static const char *json_text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static bool is_base64(const char *headers)
{
	const char *h = headers ? strcasestr(headers, "content-transfer-encoding:") : NULL;

	return h && strncasecmp(h + 26 + strspn(h + 26, " \t"), "base64", 6) == 0;
}

/* Attachments that the flow maps, decoded; in the arena. */
static bool read_parts(struct logged *l, const struct slt_msglog_message *m, const char *flow,
		       struct slt_arena *a, struct slt_map_part *part, size_t *ret_n)
{
	struct slt_err err = SLT_ERR_INIT;

	*ret_n = 0;
	for (unsigned i = 0; i < m->n_parts; i++) {
		const struct slt_msglog_part *p = &m->part[i];
		if (strncmp(p->name, "/attachment", 11) != 0 ||
		    slt_mapset_attachment(l->x->set[0], flow, p->content_type) != SLT_MAP_MAPPED) {
			continue;
		}
		SLT_AUTO_BUF(raw, FILE_BYTES);
		SLT_AUTO_BUF(decoded, FILE_BYTES);
		if (*ret_n == SLT_MAP_PARTS_MAX ||
		    !slt_msglog_read_part(l->r, m->seq, p->name, &raw, &err)) {
			return false;
		}
		bool encoded = is_base64(p->headers);
		if (encoded && !slt_base64_decode(slt_buf_str(&raw), &decoded, &err)) {
			return false;
		}
		struct slt_str s = slt_buf_str(encoded ? &decoded : &raw);
		part[(*ret_n)++] = (struct slt_map_part){p->content_type,
							 {slt_arena_memdup(a, s.p, s.n), s.n}};
	}
	return true;
}

/* The service's name out of INSTANCE/CLASS/CODE/SUBSYSTEM/NAME[/VERSION]. */
static const char *service_name(const char *id, struct slt_arena *a)
{
	for (int i = 0; id && i < 4; i++) {
		id = strchr(id, '/');
		id = id ? id + 1 : NULL;
	}
	return id ? slt_arena_strndup(a, id, strcspn(id, "/")) : NULL;
}

/* What was received, with the countries and the flow that the trace of what was sent names. */
static bool compare_logged(struct logged *l, const struct slt_msglog_message *received,
			   const struct slt_msglog_message *sent, struct slt_arena *a)
{
	static const char *const kinds[] = {"request", "response", "fault"};
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(trace, FILE_BYTES);
	SLT_AUTO_BUF(head, FILE_BYTES);
	struct slt_map_part part[SLT_MAP_PARTS_MAX];
	size_t n_parts = 0;

	if (received->kind != SLT_SOAP ||
	    !slt_msglog_read_part(l->r, sent->seq, SLT_MSGLOG_TRACE, &trace, &err) ||
	    !slt_msglog_read_part(l->r, received->seq, SLT_MSGLOG_HEAD, &head, &err)) {
		return false;
	}
	json_t *t = json_loadb(slt_buf_str(&trace).p, trace.n, 0, NULL);
	const char *from = json_text(t, "from"), *to = json_text(t, "to");
	const char *flow = json_text(t, "flow"), *message = json_text(t, "message");
	bool good =
		from && to && flow && message && read_parts(l, received, flow, a, part, &n_parts);
	if (good) {
		struct slt_map_input in = {.from = from,
					   .to = to,
					   .flow = flow,
					   .message = SLT_MAP_REQUEST,
					   .service = service_name(received->service, a),
					   .body = slt_buf_str(&head),
					   .parts = part,
					   .n_parts = n_parts,
					   .now_ms = received->at_ms,
					   .test_codes = l->x->test_codes};
		for (unsigned i = 0; i < SLT_COUNT(kinds); i++) {
			in.message = strcmp(kinds[i], message) == 0 ? (enum slt_map_message)i
								    : in.message;
		}
		const char *name = slt_arena_printf(a, "%s %s", received->exchange, message);
		compare(l->x, name, &in);
	}
	json_decref(t);
	return good;
}

static bool each_exchange(void *arg, const struct slt_msglog_exchange *e, struct slt_err *err)
{
	struct logged *l = arg;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_message *m = NULL;
	size_t n = 0;

	if (!slt_msglog_messages(l->r, e->exchange, a, &m, &n, err)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const struct slt_msglog_message *sent = NULL;
		if (m[i].sent) {
			continue;
		}
		for (size_t k = i + 1; k < n && !sent; k++) {
			sent = m[k].sent && m[k].response == m[i].response ? &m[k] : NULL;
		}
		l->x->left_out += !sent || !compare_logged(l, &m[i], sent, a);
	}
	return true;
}

static bool compare_log(struct diff *x, struct slt_err *err)
{
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = NULL;
	struct slt_msglog_filter all = {.limit = 0};
	struct logged l = {.x = x};

	if (!slt_msglog_reader_open(x->log, &r, err)) {
		return false;
	}
	l.r = r;
	return slt_msglog_each(r, &all, each_exchange, &l, err);
}

/* --- the command --- */

static void finish(struct diff *x)
{
	bool documents = x->documents || x->log;

	if (!x->json) {
		printf("%zu changes\n", x->n_changes);
		if (documents) {
			printf("%zu of %zu messages differ", x->different, x->compared);
			if (x->left_out) {
				printf("; %zu left out: no longer whole in the log, or without a "
				       "trace",
				       x->left_out);
			}
			putchar('\n');
		}
		return;
	}
	json_t *o = json_object();
	set_text(o, "before", slt_mapset_digest(x->set[0]));
	set_text(o, "after", slt_mapset_digest(x->set[1]));
	json_object_set(o, "changes", x->changes);
	if (documents) {
		json_object_set(o, "documents", x->results);
		json_object_set_new(o, "left_out", json_integer((json_int_t)x->left_out));
	}
	json_dumpf(o, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(o);
}

static bool load(struct diff *x, char *const *dirs, struct slt_err *err)
{
	for (int i = 0; i < 2; i++) {
		if (!slt_mapset_load(dirs[i], &x->set[i], err)) {
			return slt_wrap(err, "%s", i ? "NEW" : "OLD");
		}
	}
	return true;
}

static int run(struct diff *x, char *const *dirs)
{
	struct slt_err err = SLT_ERR_INIT;

	x->changes = json_array();
	x->results = json_array();
	bool good = load(x, dirs, &err) &&
		    slt_set_diff(x->set[0], x->set[1], keep_change, x, &err) &&
		    (!x->documents || compare_files(x, &err)) && (!x->log || compare_log(x, &err));
	if (good) {
		finish(x);
	}
	json_decref(x->changes);
	json_decref(x->results);
	slt_mapset_free(x->set[0]);
	slt_mapset_free(x->set[1]);
	if (!good) {
		return slt_cannot("map", &err);
	}
	return x->n_changes || x->different ? SLT_EXIT_NO : SLT_EXIT_GOOD;
}

static bool set_option(struct diff *x, int c)
{
	struct slt_err err = SLT_ERR_INIT;

	switch (c) {
	case 'd':
		x->documents = true;
		return true;
	case 'f':
		x->from = optarg;
		return true;
	case 't':
		x->to = optarg;
		return true;
	case 'F':
		x->flow = optarg;
		return true;
	case 's':
		x->service = optarg;
		return true;
	case 'm':
		return slt_map_read_message(optarg, &x->message);
	case 'l':
		x->log = optarg;
		return true;
	case 'j':
		x->json = true;
		return true;
	case 'c':
		x->test_codes = true;
		return true;
	case 'a':
		x->document_ca = optarg;
		return true;
	case 'S':
		x->document_sha1 = true;
		return true;
	case 'T':
		if (!slt_time_parse(slt_str(optarg), &x->now_ms, &err)) {
			fprintf(stderr, "silta map: --at: %s\n", err.msg);
			return false;
		}
		return true;
	case 'h':
		x->help = true;
		return true;
	default:
		return false;
	}
}

int slt_map_diff(int argc, char **argv)
{
	static const struct option longs[] = {{"documents", no_argument, NULL, 'd'},
					      {"from", required_argument, NULL, 'f'},
					      {"to", required_argument, NULL, 't'},
					      {"flow", required_argument, NULL, 'F'},
					      {"service", required_argument, NULL, 's'},
					      {"message", required_argument, NULL, 'm'},
					      {"log", required_argument, NULL, 'l'},
					      {"json", no_argument, NULL, 'j'},
					      {"test-codes", no_argument, NULL, 'c'},
					      {"document-ca", required_argument, NULL, 'a'},
					      {"document-sha1", no_argument, NULL, 'S'},
					      {"at", required_argument, NULL, 'T'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	struct diff x = {.message = SLT_MAP_RESPONSE, .now_ms = slt_now_ms()};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (!set_option(&x, c)) {
			return SLT_EXIT_CANNOT;
		}
	}
	if (x.help) {
		fputs(usage, stdout);
		return SLT_EXIT_GOOD;
	}
	x.n_files = argc - optind - 2;
	if (x.n_files < 0 || (x.n_files > 0) != x.documents) {
		fprintf(stderr,
			"silta map diff: give two directories, and with --documents files\n");
		return SLT_EXIT_CANNOT;
	}
	x.file = argv + optind + 2;
	if (!slt_map_load_authorities(x.document_ca, &x.authorities)) {
		return SLT_EXIT_CANNOT;
	}
	int status = run(&x, argv + optind);
	slt_cdasig_authorities_free(x.authorities);
	return status;
}
