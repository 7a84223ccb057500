/* SPDX-License-Identifier: MIT */
#pragma once

/* Addresses to listen at, and the file descriptors that the listeners' limits need. */

#include <sys/socket.h>

#include "config.h"

#define SLT_LISTEN_TEXT 46 /* of any numeric address, with its end */

SLT_CHECK bool slt_listen_address(const char *text, unsigned port, struct sockaddr_storage *ret,
				  struct slt_err *err);
/* Numeric; "" for what is no IP address. */
void slt_listen_text(const struct sockaddr *a, char ret[SLT_LISTEN_TEXT]);

/* How many descriptors the bridge needs when everything is as full as the configuration allows. */
uint64_t slt_listen_descriptors(const struct slt_config *c);
/* Raises the process's soft limit to that, as far as the hard limit goes. SLT_ELIMIT, with the
 * numbers and what to do, when that is too low; the limit is as high as it gets then. */
SLT_CHECK bool slt_listen_raise_limit(const struct slt_config *c, struct slt_err *err);
