/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/xml.h"
#include "command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{"serve", slt_cmd_serve, "run the bridge"},
	{"check", slt_cmd_check, "read everything the bridge would read and print every problem"},
	{"globalconf", slt_cmd_globalconf, "fetch, verify, show or publish global configuration"},
	{"verify", slt_cmd_verify, "verify ASiC-E containers and archives"},
	{"map", slt_cmd_map, "translate documents offline; check tables and rules"},
	{"status", slt_cmd_status, "tell how the running bridge is"},
	{"log", slt_cmd_log, "list, show, export and verify the message log"},
};

static void usage(FILE *f)
{
	fprintf(f, "usage: silta COMMAND [OPTION]…\n\n");
	for (size_t i = 0; i < SLT_COUNT(commands); i++) {
		fprintf(f, "  %-12s%s\n", commands[i].name, commands[i].what);
	}
	fprintf(f, "\nsilta COMMAND --help tells more; silta --version the version.\n"
		   "Exit status: 0 good, 1 the answer is no, 2 it could not be asked.\n");
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on files is like a full disk: the write fails */
	slt_xml_init();
	if (argc < 2) {
		usage(stderr);
		return SLT_EXIT_CANNOT;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return SLT_EXIT_GOOD;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("silta %s\n", SLT_VERSION);
		return SLT_EXIT_GOOD;
	}
	for (size_t i = 0; i < SLT_COUNT(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	fprintf(stderr, "silta: there is no command \"%s\"\n", argv[1]);
	usage(stderr);
	return SLT_EXIT_CANNOT;
}
