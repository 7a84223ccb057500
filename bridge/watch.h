/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Looks after the running bridge from its main thread: logs what becomes bad and what is good
 * again, tells systemd in a few words how the bridge is, and answers its watchdog as long as the
 * workers work.
 */

#include "bridge.h"

/* The bridge is borrowed. */
struct slt_watch *slt_watch_new(const struct slt_bridge *b);
void slt_watch_free(struct slt_watch *w);

/* Something has happened: the next tick looks at once. */
void slt_watch_wake(struct slt_watch *w);
/* What is due; returns after how many milliseconds to call it again. */
int64_t slt_watch_tick(struct slt_watch *w);
