/* SPDX-License-Identifier: MIT */
#pragma once

/* What the subcommands of `silta globalconf` share. */

#include "base/arena.h"
#include "command.h"

int slt_globalconf_show(int argc, char **argv);
int slt_globalconf_publish(int argc, char **argv);

/* "silta globalconf: message" on standard error; SLT_EXIT_CANNOT. */
int slt_globalconf_cannot(const struct slt_err *err);
/* A wrong command line: says what, and where help is. */
int slt_globalconf_misused(const char *command, const char *what);
/* Text that others wrote: control characters become '?', so that it cannot write lines of its own
 * or steer the terminal. */
void slt_globalconf_plain(struct slt_buf *out, const char *text);
