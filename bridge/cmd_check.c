/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "command.h"
#include "config.h"
#include "federation/globalconf_dir.h"
#include "listen.h"
#include "service.h"

int slt_cannot(const char *command, const struct slt_err *err)
{
	fprintf(stderr, "silta %s: %s\n", command, err->msg);
	return SLT_EXIT_CANNOT;
}

static void help(void)
{
	puts("usage: silta check -c FILE [--print]\n\n"
	     "Reads everything the bridge would read — configuration, keys, certificates, anchors,\n"
	     "configuration cache, mapping set — and prints every problem.\n\n"
	     "  -c, --config FILE   configuration, see silta.conf(5)\n"
	     "      --print         print the values in force\n"
	     "      --options       print every option there is, as in silta.conf(5)\n\n"
	     "Exit status: 0 no problem, 1 problems, 2 it could not be checked.");
}

/* One option as an item of a manual page's list. */
static void print_option(void *arg, const char *group, const struct slt_conf_option *o)
{
	static const char *const types[] = {
		[SLT_CONF_STRING] = "string", [SLT_CONF_PATH] = "path",
		[SLT_CONF_INT] = "number",    [SLT_CONF_BOOL] = "true or false",
		[SLT_CONF_ENUM] = "word",     [SLT_CONF_STRINGS] = "list of strings",
		[SLT_CONF_GROUPS] = "groups",
	};
	const char **last = arg;

	if (*last && strcmp(*last, group) != 0) {
		printf(".El\n.Ss Each group of\n.Va %s\n.Bl -tag -width indent\n", group);
	}
	*last = group;
	printf(".It Va %s Pq %s%s\n", o->name, types[o->type], o->required ? ", required" : "");
	printf("%c%s.\n", o->doc[0] >= 'a' && o->doc[0] <= 'z' ? o->doc[0] - 32 : o->doc[0],
	       o->doc + 1);
	if (o->fallback) {
		printf("Default: %s.\n", o->fallback);
	}
	if (o->type == SLT_CONF_INT) {
		printf("From %lld to %lld.\n", (long long)o->min, (long long)o->max);
	}
}

static int print_options(void)
{
	const char *last = NULL;

	puts(".Bl -tag -width indent");
	slt_config_document(print_option, &last);
	puts(".El");
	return SLT_EXIT_GOOD;
}

static unsigned problem(const char *where, const struct slt_err *err)
{
	printf("%s: %s\n", where, err->msg);
	return 1;
}

static unsigned check_cert(const char *what, const struct slt_config_side *c, const X509 *cert)
{
	if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0) {
		printf("side %s: the %s certificate has expired\n", c->name, what);
		return 1;
	}
	return 0;
}

static unsigned check_side(const struct slt_config_side *c)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_anchor_free) struct slt_anchor *anchor = NULL;
	SLT_AUTO(slt_side_free) struct slt_side *side = NULL;
	unsigned n = 0;
	size_t chain;

	if (!slt_anchor_load(c->anchor, &anchor, &err)) {
		n += problem(c->anchor, &err);
	}
	slt_err_clear(&err);
	if (!slt_side_open(c, &side, &err)) {
		return n + problem("keys and certificates", &err);
	}
	X509 *const *auth = slt_side_auth_chain(side, &chain);
	const struct slt_key *sign = slt_side_sign_key(side);
	n += chain ? check_cert("authentication", c, auth[0]) : 0;
	n += sign ? check_cert("signing", c, sign->cert) : 0;
	return n;
}

static unsigned check_mappings(struct slt_config *c)
{
	struct slt_service probe = {.config = c};
	struct slt_mapset_policy policy = slt_service_policy(c);
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	SLT_AUTO(slt_offers_free) struct slt_offers *offers = NULL;
	SLT_AUTO_LINT(problems);
	SLT_AUTO_LINT(warnings);

	bool described = slt_offers_load(c, &problems, &offers, &err);
	if (slt_mapset_open(c->mappings, &policy, &problems, &warnings, &set, &err)) {
		slt_service_check_mapset(&probe, set, &problems);
		if (described && problems.total == 0) {
			slt_offers_check(offers, set, &problems);
		}
	}
	for (size_t i = 0; i < warnings.n; i++) {
		fprintf(stderr, "warning: %s\n", warnings.v[i]);
	}
	for (size_t i = 0; i < problems.n; i++) {
		printf("%s\n", problems.v[i]);
	}
	if (problems.total > problems.n) {
		printf("and %zu more\n", problems.total - problems.n);
	}
	return (unsigned)problems.total;
}

static int check(const char *path, bool print)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_config_free) struct slt_config *c = NULL;
	SLT_AUTO_BUF(problems, 1u << 20);
	unsigned n = 0;

	if (!slt_config_load(path, &c, &problems, &err)) {
		fputs(slt_buf_str(&problems).p, stdout);
		return SLT_EXIT_NO;
	}
	for (size_t i = 0; i < c->n_sides; i++) {
		n += check_side(&c->side[i]);
	}
	n += check_mappings(c);
	if (!slt_listen_raise_limit(c, &err)) {
		/* the service manager may set another one for the bridge */
		fprintf(stderr, "warning: %s\n", err.msg);
	}
	if (print) {
		SLT_AUTO_BUF(out, 16u << 20);
		slt_config_print(c, &out);
		fputs(slt_buf_str(&out).p, stdout);
	} else if (n == 0) {
		printf("%s: no problem found\n", path);
	}
	return n ? SLT_EXIT_NO : SLT_EXIT_GOOD;
}

int slt_cmd_check(int argc, char **argv)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"print", no_argument, NULL, 'p'},
					      {"options", no_argument, NULL, 'o'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	const char *path = NULL;
	bool print = false;
	int o;

	while ((o = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (o == 'h') {
			help();
			return SLT_EXIT_GOOD;
		}
		if (o == 'o') {
			return print_options();
		}
		if (o == 'c') {
			path = optarg;
		} else if (o == 'p') {
			print = true;
		} else {
			return SLT_EXIT_CANNOT;
		}
	}
	if (!path || optind != argc) {
		fprintf(stderr, "silta check: give the configuration with -c FILE\n");
		return SLT_EXIT_CANNOT;
	}
	return check(path, print);
}
