/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What of a side's options goes together: each bearer has its own, and neither keys nor addresses
 * may be such that anybody could speak for the security server or read along.
 */

#include "config.h"

/* A numeric address of this machine alone: 127.0.0.0/8 or ::1. */
bool slt_config_is_loopback(const char *address);
struct slt_config_options {
	const struct slt_conf_option *v;
	size_t n;
};
/* Options of a side that have a meaning only beside another one. */
struct slt_config_special {
	struct slt_config_options signing;   /* sign_key */
	struct slt_config_options bearer[2]; /* by enum slt_bearer_kind */
};
/* Adds every problem of the side to the file's list. */
void slt_config_check_bearer(struct slt_conf *file, const struct slt_conf_group *g,
			     const struct slt_config_side *s, const struct slt_config_special *o);
