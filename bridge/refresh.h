/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What must be renewed while the bridge runs, by a thread for each side, so that an instance whose
 * services hang does not hold up another's: global configuration, and the mapping tables published
 * with it, OCSP responses of the own certificates, time-stamps of the message log. A failure is
 * logged when it begins, and again when it ends; meanwhile it is tried again after a few seconds.
 * OCSP responses are also kept in the state directory: a restart must not depend on a responder.
 */

#include "service.h"

enum slt_refresh_task {
	SLT_TASK_CONF,
	SLT_TASK_TABLES,
	SLT_TASK_OCSP,
	SLT_TASK_STAMP,
	SLT_TASK_COUNT
};

struct slt_refresh_state {
	int64_t good_ms;	   /* when it worked last; 0: not yet */
	int64_t failing_ms;	   /* since when it fails; 0: it does not */
	char why[SLT_ERR_MSG_MAX]; /* it fails */
};

struct slt_refresh;
/* Waits a moment for a first round of the sides that cannot serve with what an earlier run left on
 * the disk; what fails then is logged and tried again. */
SLT_CHECK bool slt_refresh_start(struct slt_service *s, struct slt_refresh **ret,
				 struct slt_err *err);
/* Of the service's side with this index; from any thread. */
void slt_refresh_state(struct slt_refresh *r, size_t side, enum slt_refresh_task t,
		       struct slt_refresh_state *ret);
/* Time-stamps what is left, then ends the threads; after a few seconds ends their calls, and with
 * them the service's client. */
void slt_refresh_stop(struct slt_refresh *r);
SLT_DEFINE_AUTO(struct slt_refresh *, slt_refresh_stop)
