/* SPDX-License-Identifier: MIT */
#pragma once

/* What the subcommands of `silta log` share: cmd_log.c, cmd_log_show.c, cmd_log_verify.c. */

#include "command.h"
#include "federation/globalconf.h"
#include "msglog_verify.h"

#define SLT_LOG_SIDES_MAX 32

struct slt_log_conf { /* --conf SIDE=DIR */
	const char *side, *dir;
	struct slt_globalconf *gc; /* loaded for verification */
};

struct slt_log_args {
	const char *path; /* of the message log */
	struct slt_msglog_filter filter;
	bool json, full, chain_only, lax, test_profile, traces;
	const char *out;   /* directory */
	const char *head;  /* "SEQ:HEX" */
	unsigned max_size; /* of an archive */
	int64_t before_ms;
	struct slt_log_conf conf[SLT_LOG_SIDES_MAX];
	size_t n_conf;
	struct slt_arena *arena;
};

/* "  … message" on standard error; SLT_EXIT_CANNOT. */
int slt_log_cannot(const struct slt_err *err);
/* "key": value, for JSON objects; value NULL gives null. */
void slt_log_json_text(struct slt_buf *out, const char *key, const char *value);
void slt_log_json_time(struct slt_buf *out, const char *key, int64_t t_ms);

int slt_log_show(struct slt_log_args *a);
int slt_log_verify(struct slt_log_args *a);
