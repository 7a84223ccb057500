/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The running bridge: everything that exchanges share, started in order and stopped in reverse.
 *
 * The mapping set is replaced whole: an exchange takes a reference to the one in force when it
 * begins and keeps it to its end.
 */

#include <pthread.h>

#include "base/queue.h"
#include "client.h"
#include "config.h"
#include "mapset_trust.h"
#include "msglog.h"
#include "offer.h"
#include "side.h"
#include "sign_queue.h"

struct slt_service {
	struct slt_config *config;
	struct slt_mapset *mapset; /* in force; under the lock, see slt_service_mapset() */
	pthread_mutex_t mapset_lock;
	pthread_mutex_t reload_lock;	      /* one reload at a time */
	bool country_from_set[SLT_SIDES_MAX]; /* the configuration does not say it */
	struct slt_side *side[SLT_SIDES_MAX];
	struct slt_sign_queue
		*sign[SLT_SIDES_MAX]; /* of the side with the same index; NULL: no key */
	size_t n_sides;
	struct slt_client *client;
	struct slt_pool *pool;
	struct slt_msglog *log;
	struct slt_offers *offers;
	_Atomic bool stopping;	     /* no new exchanges */
	_Atomic bool reload_refused; /* the last one: the mapping set in force is not the one on the
					disk */
};

/* Loads, checks, and starts everything but the listeners. Takes config. */
SLT_CHECK bool slt_service_open(struct slt_config *take_config, struct slt_service **ret,
				struct slt_err *err);
void slt_service_close(struct slt_service *s);
SLT_DEFINE_AUTO(struct slt_service *, slt_service_close)
struct slt_side *slt_service_side(const struct slt_service *s, const char *name);
/* Where messages are signed for a side; NULL when it has no signing key. */
struct slt_sign_queue *slt_service_sign_queue(const struct slt_service *s,
					      const struct slt_side *side);

/* The mapping set in force, with a reference for the caller. */
struct slt_mapset *slt_service_mapset(struct slt_service *s);
/* Loads the mapping set again and puts it in force. On any problem all of them are logged, and the
 * one before stays. From any thread. */
bool slt_service_reload(struct slt_service *s);
/* What the configuration demands of mapping sets now. */
struct slt_mapset_policy slt_service_policy(const struct slt_config *c);
/* Sides and routes go together with the set; `s` needs no more than its configuration. Fills in the
 * countries of sides that do not say theirs. Every problem goes to the lint. */
void slt_service_check_mapset(struct slt_service *s, const struct slt_mapset *set,
			      struct slt_lint *lint);
