/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "tests/instance/box.h"

#define NAME_MAX_LEN 40
#define TICK_MS	     1000

static const char usage[] =
	"usage: silta-instance DIR NAME [options]\n"
	"\n"
	"Runs a national X-Road instance in one process: certification authority, OCSP\n"
	"responder, time-stamping authority, configuration source, a security server with both\n"
	"ends, and the information systems behind it. Everything it makes lies below DIR;\n"
	"DIR/instance.json says where everything is. Prints \"ready\" when it listens and runs\n"
	"until SIGTERM or SIGINT. NAME is the instance identifier, such as EE or FI.\n"
	"\n"
	"  --country FI|EE       certificate profile, names and information systems (NAME's own\n"
	"                        when NAME is one of these)\n"
	"  --role ROLE           centre, pharmacy or both (both): which subsystems the security\n"
	"                        server has\n"
	"  --documents DIR       prescriptions of the centre\n"
	"  --federate FILE       anchor of another instance; may appear later\n"
	"  --key KIND            members' keys: rsa2048 (default), rsa3072 or p256\n"
	"  --bridge-key KIND     the bridge's keys, where they are not like the others'\n"
	"  --calls N             messages of information systems under way at once, 1 to 1000 (8)\n"
	"  --conf-version N      highest version of configuration offered, 2 to 6 (6)\n"
	"  --freshness SECONDS   how old OCSP responses may be (3600)\n"
	"  --expire SECONDS      lifetime of configuration (600)\n"
	"  --address-base 127.X.Y  the security servers listen on 127.X.Y.1 (the instance's own)\n"
	"                        and 127.X.Y.2 (the bridge's)\n"
	"  --bridge-url URL      the bridge is no security server of its own but an information\n"
	"                        system behind the instance's, at this address; the host\n"
	"                        \"bridge\" is the address and port that are kept free for it.\n"
	"                        With https both show their certificates to each other\n"
	"  --stdin-eof           also end when standard input does\n"
	"  --verbose             log every message\n"
	"  --help                this text\n";

enum {
	COUNTRY = 256,
	ROLE,
	DOCUMENTS,
	FEDERATE,
	KEY,
	BRIDGE_KEY,
	CALLS,
	CONF_VERSION,
	FRESHNESS,
	EXPIRE,
	BASE,
	BRIDGE_URL
};

static const struct option long_options[] = {
	{"country", required_argument, NULL, COUNTRY},
	{"role", required_argument, NULL, ROLE},
	{"documents", required_argument, NULL, DOCUMENTS},
	{"federate", required_argument, NULL, FEDERATE},
	{"key", required_argument, NULL, KEY},
	{"bridge-key", required_argument, NULL, BRIDGE_KEY},
	{"calls", required_argument, NULL, CALLS},
	{"conf-version", required_argument, NULL, CONF_VERSION},
	{"freshness", required_argument, NULL, FRESHNESS},
	{"expire", required_argument, NULL, EXPIRE},
	{"address-base", required_argument, NULL, BASE},
	{"bridge-url", required_argument, NULL, BRIDGE_URL},
	{"stdin-eof", no_argument, NULL, 'e'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static bool number(const char *text, const char *what, int64_t min, int64_t max, int64_t *ret,
		   struct slt_err *err)
{
	char *end = NULL;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || v < min || v > max) {
		return slt_fail(err, SLT_EINVAL, "--%s must be a number from %lld to %lld, not %s",
				what, (long long)min, (long long)max, text);
	}
	*ret = v;
	return true;
}

static bool word(const char *text, const char *what, const char *const *words, size_t n,
		 size_t *ret, struct slt_err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], text) == 0) {
			*ret = i;
			return true;
		}
	}
	return slt_fail(err, SLT_EINVAL, "--%s does not know %s; see --help", what, text);
}

static bool set_role(struct slt_box_options *o, const char *text, struct slt_err *err)
{
	static const char *const words[] = {"centre", "pharmacy", "both"};
	size_t i = 0;
	if (!word(text, "role", words, SLT_COUNT(words), &i, err)) {
		return false;
	}
	o->centre = i != 1;
	o->pharmacy = i != 0;
	return true;
}

static bool set_country(struct slt_box_options *o, const char *text, struct slt_err *err)
{
	o->country = slt_country_find(text);
	return o->country != NULL ||
	       slt_fail(err, SLT_EINVAL, "--country does not know %s; there are FI and EE", text);
}

static bool read_key(const char *text, enum slt_pki_kind *ret, struct slt_err *err)
{
	static const char *const words[] = {"rsa2048", "rsa3072", "p256"};
	static const enum slt_pki_kind kinds[] = {SLT_PKI_RSA2048, SLT_PKI_RSA3072, SLT_PKI_P256};
	size_t i = 0;
	if (!word(text, "key", words, SLT_COUNT(words), &i, err)) {
		return false;
	}
	*ret = kinds[i];
	return true;
}

static bool set_option(struct slt_box_options *o, int c, const char *arg, struct slt_err *err)
{
	int64_t n = 0;
	switch (c) {
	case COUNTRY:
		return set_country(o, arg, err);
	case ROLE:
		return set_role(o, arg, err);
	case DOCUMENTS:
		o->documents = arg;
		return true;
	case FEDERATE:
		o->federate = arg;
		return true;
	case KEY:
		return read_key(arg, &o->kind, err);
	case BRIDGE_KEY:
		return read_key(arg, &o->bridge_kind, err);
	case CALLS:
		if (!number(arg, "calls", 1, 1000, &n, err)) {
			return false;
		}
		o->calls = (unsigned)n;
		return true;
	case CONF_VERSION:
		if (!number(arg, "conf-version", 2, 6, &n, err)) {
			return false;
		}
		o->conf_version = (int)n;
		return true;
	case FRESHNESS:
		return number(arg, "freshness", 1, 30 * 86400, &o->freshness_s, err);
	case EXPIRE:
		return number(arg, "expire", 3, 10 * 365 * 86400L, &o->expire_s, err);
	case BASE:
		o->address_base = arg;
		return true;
	case BRIDGE_URL:
		o->bridge_url = arg;
		return true;
	case 'e':
		o->stdin_eof = true;
		return true;
	default:
		slt_log_init(SLT_LOG_INFO, false);
		return true;
	}
}

/* NAME becomes part of paths, URLs and certificates. */
static bool check_name(const char *name, struct slt_err *err)
{
	size_t n = strlen(name);
	size_t ok =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
	return (n > 0 && n == ok && n <= NAME_MAX_LEN) ||
	       slt_fail(err, SLT_EINVAL,
			"the instance identifier %s must be up to %d letters, digits, - and _",
			name, NAME_MAX_LEN);
}

static bool read_arguments(int argc, char **argv, struct slt_box_options *o, struct slt_err *err)
{
	int c;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'h') {
			(void)fputs(usage, stdout);
			exit(0);
		}
		if (c == '?') {
			return slt_fail(err, SLT_EINVAL, "see --help");
		}
		if (!set_option(o, c, optarg, err)) {
			return false;
		}
	}
	if (argc - optind != 2) {
		return slt_fail(err, SLT_EINVAL, "DIR and NAME are needed; see --help");
	}
	o->name = argv[optind + 1];
	if (!check_name(o->name, err) || !slt_mkdir_p(argv[optind], 0755, err)) {
		return false;
	}
	if (o->bridge_kind == 0) {
		o->bridge_kind = o->kind;
	}
	if (o->country == NULL) {
		return set_country(o, o->name, err);
	}
	return true;
}

/* Until a signal comes, or (if asked for) standard input ends. */
static void run(struct slt_box *b, int signal_fd)
{
	struct pollfd fds[2] = {{.fd = signal_fd, .events = POLLIN},
				{.fd = b->o.stdin_eof ? STDIN_FILENO : -1, .events = POLLIN}};
	for (;;) {
		int n = poll(fds, 2, TICK_MS);
		if (n > 0 && fds[0].revents != 0) {
			return;
		}
		if (n > 0 && fds[1].revents != 0) {
			char skip[256];
			if (read(STDIN_FILENO, skip, sizeof(skip)) <= 0) {
				return;
			}
		}
		slt_box_tick(b);
	}
}

static int signals(void)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* before threads, which inherit it */
	(void)signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_box_options o = {.centre = true,
				    .kind = SLT_PKI_RSA2048,
				    .pharmacy = true,
				    .calls = 8,
				    .conf_version = 6,
				    .freshness_s = 3600,
				    .expire_s = 600};
	slt_log_init(SLT_LOG_WARNING, false);
	int signal_fd = signals();
	if (!read_arguments(argc, argv, &o, &err)) {
		(void)fprintf(stderr, "silta-instance: %s\n", err.msg);
		return 2;
	}
	SLT_AUTO_STR char *dir = realpath(argv[optind], NULL);
	o.dir = dir;
	slt_xml_init();
	struct slt_box *b = NULL;
	if (dir == NULL || !slt_box_open(&o, &b, &err)) {
		(void)fprintf(stderr, "silta-instance: %s\n", err.msg);
		return 1;
	}
	(void)puts("ready");
	(void)fflush(stdout);
	run(b, signal_fd);
	slt_box_free(b);
	return 0;
}
