/* SPDX-License-Identifier: MIT */
/* silta status: asks the admin listener of the running bridge, and says it in words. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "client.h"
#include "command.h"
#include "config.h"

#define ANSWER_MAX (16u << 20)
#define ASK_MS	   10000

static void help(void)
{
	puts("usage: silta status -c FILE [--json]\n\n"
	     "Asks the running bridge how it is: what has failed and since when, what will fail and\n"
	     "when, and what it has done since it was started. The bridge must have an admin listener\n"
	     "(admin_port in its configuration).\n\n"
	     "  -c, --config FILE   the bridge's configuration, see silta.conf(5)\n"
	     "      --json          the same facts as JSON\n\n"
	     "Exit status: 0 all is well, 1 something has failed or will, 2 it could not be asked.");
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static int64_t number_of(const json_t *o, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(o, key));
}

static void print_checks(const json_t *status, const char *level, const char *word)
{
	const json_t *c;
	size_t i;

	json_array_foreach(json_object_get(status, "checks"), i, c)
	{
		if (strcmp(text_of(c, "level"), level) == 0) {
			printf("%-8s %-6s %-18s %s\n", word,
			       json_is_null(json_object_get(c, "side")) ? "" : text_of(c, "side"),
			       text_of(c, "what"), text_of(c, "text"));
		}
	}
}

static size_t count_checks(const json_t *status, const char *level)
{
	const json_t *c;
	size_t i, n = 0;

	json_array_foreach(json_object_get(status, "checks"), i, c)
	{
		n += strcmp(text_of(c, "level"), level) == 0;
	}
	return n;
}

static void print_routes(const json_t *status)
{
	const json_t *r, *refused = json_object_get(status, "refused_before_route");
	size_t i;

	printf("\n%-40s %9s %9s %9s %9s %9s\n", "exchanges since the start, by route", "done",
	       "their flt", "refused", "failed", "unknown");
	json_array_foreach(json_object_get(status, "routes"), i, r)
	{
		printf("%-32s %2s > %2s %9" PRId64 " %9" PRId64 " %9" PRId64 " %9" PRId64
		       " %9" PRId64 "\n",
		       text_of(r, "route"), text_of(r, "from"), text_of(r, "to"),
		       number_of(r, "done"), number_of(r, "provider_fault"),
		       number_of(r, "refused"), number_of(r, "failed"), number_of(r, "unknown"));
		if (number_of(r, "repeated_ids")) {
			printf("    %" PRId64 " requests with a message id that was used before\n",
			       number_of(r, "repeated_ids"));
		}
	}
	const char *side;
	const json_t *n;
	json_object_foreach((json_t *)(uintptr_t)refused, side, n)
	{
		if (json_integer_value(n)) {
			printf("    %" PRId64 " requests on side %s refused before their route was "
			       "known\n",
			       (int64_t)json_integer_value(n), side);
		}
	}
}

static void print_words(const json_t *status)
{
	size_t failed = count_checks(status, "failed"), warnings = count_checks(status, "warning");

	printf("silta %s, process %" PRId64 ", running since %s: ", text_of(status, "version"),
	       number_of(status, "pid"), text_of(status, "started"));
	if (failed) {
		printf("NOT WELL: %zu failed, %zu warnings\n\n", failed, warnings);
	} else if (warnings) {
		printf("serves, with %zu warnings\n\n", warnings);
	} else {
		printf("all is well\n\n");
	}
	print_checks(status, "failed", "FAILED");
	print_checks(status, "warning", "warning");
	print_checks(status, "good", "good");
	print_routes(status);
	printf("\n%" PRId64 " exchanges under way; %" PRId64
	       " log entries since the start; log %" PRId64 " MB; %" PRId64
	       " MB in transit on the disk\n",
	       number_of(status, "in_flight"), number_of(status, "log_entries"),
	       number_of(status, "log_bytes") >> 20, number_of(status, "spool_bytes") >> 20);
}

static bool fetch(const struct slt_config *c, struct slt_buf *out, struct slt_err *err)
{
	SLT_AUTO(slt_client_free) struct slt_client *client = NULL;
	bool v6 = strchr(c->admin_listen, ':') != NULL;
	SLT_AUTO_STR char *url =
		slt_asprintf("http://%s%s%s:%lld/status", v6 ? "[" : "", c->admin_listen,
			     v6 ? "]" : "", (long long)c->admin_port);
	struct slt_call call = {
		.method = "GET", .url = url, .connect_ms = ASK_MS, .total_ms = ASK_MS};
	int status = 0;

	if (c->admin_port == 0) {
		return slt_fail(err, SLT_ECONFIG,
				"the bridge has no admin listener: give it an admin_port");
	}
	if (!slt_client_new(1, &client, err)) {
		return false;
	}
	if (!slt_client_perform(client, &call, &status, out, err)) {
		return slt_wrap(err, "the bridge cannot be asked; does it run?");
	}
	return status == 200 ||
	       slt_fail(err, SLT_EHTTP, "%s answered with HTTP status %d", url, status);
}

static int ask(const char *path, bool as_json)
{
	SLT_AUTO(slt_config_free) struct slt_config *c = NULL;
	SLT_AUTO_BUF(text, ANSWER_MAX);
	struct slt_err err = SLT_ERR_INIT;
	json_error_t why;

	if (!slt_config_load(path, &c, NULL, &err) || !fetch(c, &text, &err)) {
		return slt_cannot("status", &err);
	}
	json_t *status = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	const char *level = status ? text_of(status, "status") : "";
	if (!*level) {
		(void)slt_fail(&err, SLT_EHTTP, "what answers is no bridge: %.80s",
			       status ? "there is no status" : why.text);
		json_decref(status);
		return slt_cannot("status", &err);
	}
	if (as_json) {
		fputs(slt_buf_str(&text).p, stdout);
	} else {
		print_words(status);
	}
	int result = strcmp(level, "good") == 0 ? SLT_EXIT_GOOD : SLT_EXIT_NO;
	json_decref(status);
	return result;
}

int slt_cmd_status(int argc, char **argv)
{
	enum { O_JSON = 256 };
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"json", no_argument, NULL, O_JSON},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	const char *path = NULL;
	bool as_json = false;
	int o;

	while ((o = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (o) {
		case 'c':
			path = optarg;
			break;
		case O_JSON:
			as_json = true;
			break;
		case 'h':
			help();
			return SLT_EXIT_GOOD;
		default:
			return SLT_EXIT_CANNOT;
		}
	}
	if (!path || optind != argc) {
		fprintf(stderr, "silta status: give the configuration with -c FILE\n");
		return SLT_EXIT_CANNOT;
	}
	return ask(path, as_json);
}
