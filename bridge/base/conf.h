/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Configuration files in libconfig syntax, read by tables of options into structs.
 *
 * A table lists every option of a group: what is not in the table is an error, and all problems
 * of a file are collected, each with file and line, before the caller gives up. The same tables
 * make the manual page and `silta check --print`.
 */

#include "base/arena.h"

struct slt_conf; /* an open file, and the problems found in it */
struct slt_conf_group;

enum slt_conf_type {
	SLT_CONF_STRING,  /* const char * */
	SLT_CONF_PATH,	  /* const char *, made absolute against the file's directory */
	SLT_CONF_INT,	  /* int64_t, between min and max */
	SLT_CONF_BOOL,	  /* bool */
	SLT_CONF_ENUM,	  /* int; the words stand in `values`, separated by '|' */
	SLT_CONF_STRINGS, /* struct slt_conf_strings */
	SLT_CONF_GROUPS,  /* a list of groups or a single group: read by `each`, or by the caller */
};

struct slt_conf_strings {
	const char **v;
	size_t n;
};

struct slt_conf_option {
	const char *name;
	enum slt_conf_type type;
	size_t offset; /* into the struct */
	bool required;
	int64_t min, max;     /* INT */
	const char *fallback; /* default as text; NULL: zero, NULL or empty */
	const char *values;   /* ENUM */
	const char *doc;      /* a sentence for the manual */
};

/* Opens and parses; a syntax error or unreadable file fails with file and line. @include is
 * relative to the file. */
SLT_CHECK bool slt_conf_open(const char *path, struct slt_conf **ret, struct slt_err *err);
void slt_conf_close(struct slt_conf *c);
SLT_DEFINE_AUTO(struct slt_conf *, slt_conf_close)

const struct slt_conf_group *slt_conf_root(const struct slt_conf *c);
/* The groups of a list option (n of them, in order), or a single group. */
size_t slt_conf_group_count(const struct slt_conf_group *g, const char *name);
const struct slt_conf_group *slt_conf_group_at(const struct slt_conf_group *g, const char *name,
					       size_t i);
bool slt_conf_has(const struct slt_conf_group *g, const char *name);
int slt_conf_line(const struct slt_conf_group *g, const char *name); /* name NULL: the group's */
const char *slt_conf_file(const struct slt_conf_group *g);

/* Fills `into` (strings go to the arena) and checks every setting of the group against the table.
 * Problems are added to the file's list; false when this group had any. */
bool slt_conf_read(struct slt_conf *c, const struct slt_conf_group *g,
		   const struct slt_conf_option *options, size_t n_options, struct slt_arena *a,
		   void *into);
/* Adds a problem that a cross-check found: "file:line: text". */
void slt_conf_problem(struct slt_conf *c, const struct slt_conf_group *g, const char *name,
		      const char *fmt, ...) SLT_PRINTF(4, 5);
size_t slt_conf_problem_count(const struct slt_conf *c);
const char *slt_conf_problem_at(const struct slt_conf *c, size_t i);
/* SLT_ECONFIG with the first problem and how many more there are; all of them, a line each, go to
 * `all` when that is not NULL. True when there are none. */
SLT_CHECK bool slt_conf_finish(const struct slt_conf *c, struct slt_buf *all, struct slt_err *err);
/* Writes the values in force, as a file that reads back. */
void slt_conf_print(const struct slt_conf_option *options, size_t n, const void *from,
		    unsigned indent, struct slt_buf *out);
