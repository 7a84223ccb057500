/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which of a provider's security servers was the quickest to connect the last time: it is asked
 * first for a while, so that not every exchange opens connections to all of them. In memory, safe
 * for threads.
 */

#include <stdint.h>

#include "base/mem.h"

#define SLT_FASTEST_MAX 1024 /* providers remembered; the oldest is forgotten */

struct slt_fastest;

/* seconds: how long an address is remembered; 0: not at all. */
struct slt_fastest *slt_fastest_new(int64_t seconds);
void slt_fastest_free(struct slt_fastest *f);

/* The address remembered for a provider; NULL when there is none. malloc'ed. */
char *slt_fastest_get(struct slt_fastest *f, const char *provider, int64_t now_ms);
/* Does not make what is remembered already live longer: the others get their chance. */
void slt_fastest_put(struct slt_fastest *f, const char *provider, const char *address,
		     int64_t now_ms);
/* Only if it is this address that is remembered. */
void slt_fastest_forget(struct slt_fastest *f, const char *provider, const char *address);
