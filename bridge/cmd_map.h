/* SPDX-License-Identifier: MIT */
#pragma once

/* What the subcommands of `silta map` share. */

#include "mappings/mapset.h"
#include "seal.h"

struct slt_map_options {
	const char *from, *to, *flow, *service, *explain, *problems, *lang, *mappings, *list;
	const char *document_ca;
	enum slt_map_message message;
	bool has_message, personal, test_codes, all, help, document_sha1;
	int64_t now_ms;
	unsigned good; /* bits of enum slt_relation; 0: not given */
	int argc;      /* what stands behind the options */
	char **argv;
};

/* Where the set is when nothing says so. */
bool slt_map_find_set(const char *given, char *ret, size_t n);
/* Says on standard error why not. */
SLT_CHECK bool slt_map_load(const struct slt_map_options *o, struct slt_mapset **ret);

/* Of a PEM file; path NULL: none. Says on standard error why not. */
SLT_CHECK bool slt_map_load_authorities(const char *path, struct slt_cdasig_authorities **ret);

extern const char slt_map_coverage_usage[];
int slt_map_coverage(const struct slt_map_options *o);
int slt_map_roundtrip(const struct slt_map_options *o);
/* sign, verify: argv[0] says which. */
int slt_map_set(int argc, char **argv);
int slt_map_diff(int argc, char **argv);
/* Says on standard error when it is none. */
SLT_CHECK bool slt_map_read_message(const char *text, enum slt_map_message *ret);
/* export, import: argv[0] says which. */
int slt_map_exchange(int argc, char **argv);
