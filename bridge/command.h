/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The subcommands. Each gets its own name as argv[0] and returns the exit status: 0 good, 1 the
 * answer is no, 2 it could not be asked.
 */

#include "base/error.h"

enum { SLT_EXIT_GOOD, SLT_EXIT_NO, SLT_EXIT_CANNOT };

int slt_cmd_serve(int argc, char **argv);
int slt_cmd_check(int argc, char **argv);
int slt_cmd_globalconf(int argc, char **argv);
int slt_cmd_verify(int argc, char **argv);
int slt_cmd_map(int argc, char **argv);
int slt_cmd_log(int argc, char **argv);
int slt_cmd_status(int argc, char **argv);

/* Prints "silta NAME: message" on standard error; returns SLT_EXIT_CANNOT. */
int slt_cannot(const char *command, const struct slt_err *err);
