/* SPDX-License-Identifier: MIT */
#include "door.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

#define LOG_EVERY_US 60000000

struct address {
	unsigned char family, bytes[8]; /* IPv4, or the first half of IPv6 */
};

struct slt_door_peer {
	struct address address;
	unsigned n;
	UT_hash_handle hh;
};

/* Something that may happen often and is told once in a while. */
struct tally {
	unsigned n;
	int64_t told_us;
};

struct slt_door {
	struct slt_door_limits limits;
	pthread_mutex_t lock;
	pthread_cond_t ending;
	pthread_t thread;
	bool stopping;
	LIST_HEAD(guests, slt_guest) guests;
	struct slt_door_peer *peers;
	struct slt_door_stats stats;
	struct tally full, crowded, slow;
};

static void read_address(const struct sockaddr *from, struct address *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->family = (unsigned char)from->sa_family;
	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)from;
		memcpy(ret->bytes, &in->sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)from;
		memcpy(ret->bytes, &in6->sin6_addr, 8);
	}
}

static void address_text(const struct address *a, char *ret, size_t n)
{
	unsigned char full[16] = {0};
	char text[INET6_ADDRSTRLEN] = "";

	memcpy(full, a->bytes, sizeof(a->bytes));
	inet_ntop(a->family == AF_INET6 ? AF_INET6 : AF_INET, full, text, sizeof(text));
	snprintf(ret, n, "%s%s", text, a->family == AF_INET6 ? "/64" : "");
}

/* Counts one more; how many are to be told of now, 0: none. Lock is held. */
static unsigned count(struct tally *t)
{
	int64_t now = slt_mono_us();
	unsigned n = 0;

	t->n++;
	if (t->told_us == 0 || now - t->told_us >= LOG_EVERY_US) {
		n = t->n;
		t->n = 0;
		t->told_us = now;
	}
	return n;
}

static void tell(const struct slt_door *d, enum slt_level level, const char *sentence, unsigned n,
		 const struct address *a)
{
	char number[16], from[INET6_ADDRSTRLEN + 8];

	if (n > 0) {
		snprintf(number, sizeof(number), "%u", n);
		address_text(a, from, sizeof(from));
		slt_log(level, sentence, "listener", d->limits.name, "number", number, "last", from,
			NULL);
	}
}

/* --- coming and going --------------------------------------------------------------------- */

static struct slt_door_peer *find_peer(struct slt_door *d, const struct address *a)
{
	struct slt_door_peer *p = NULL;

	HASH_FIND(hh, d->peers, a, sizeof(*a), p);
	return p;
}

bool slt_door_admits(struct slt_door *d, const struct sockaddr *from)
{
	const struct slt_door_limits *l = &d->limits;
	struct address a;
	unsigned full = 0, crowded = 0;

	read_address(from, &a);
	pthread_mutex_lock(&d->lock);
	const struct slt_door_peer *p = find_peer(d, &a);
	bool is_full = l->max && d->stats.connections >= l->max;
	bool is_crowded = l->max_per_peer && p && p->n >= l->max_per_peer;
	if (is_full) {
		full = count(&d->full);
	} else if (is_crowded) {
		crowded = count(&d->crowded);
	}
	d->stats.refused += is_full || is_crowded;
	pthread_mutex_unlock(&d->lock);
	tell(d, SLT_LOG_WARNING, "connections refused: there are max_connections", full, &a);
	tell(d, SLT_LOG_WARNING, "connections refused: there are max_connections_per_peer from one",
	     crowded, &a);
	return !is_full && !is_crowded;
}

void slt_door_enter(struct slt_door *d, struct slt_guest *g, int fd, const struct sockaddr *from)
{
	struct address a;

	read_address(from, &a);
	*g = (struct slt_guest){.fd = fd, .phase = SLT_PHASE_HEAD, .since_us = slt_mono_us()};
	pthread_mutex_lock(&d->lock);
	g->peer = find_peer(d, &a);
	if (!g->peer) {
		g->peer = slt_calloc(1, sizeof(*g->peer));
		g->peer->address = a;
		HASH_ADD(hh, d->peers, address, sizeof(a), g->peer);
	}
	g->peer->n++;
	d->stats.connections++;
	d->stats.accepted++;
	LIST_INSERT_HEAD(&d->guests, g, entry);
	pthread_mutex_unlock(&d->lock);
}

void slt_door_leave(struct slt_door *d, struct slt_guest *g)
{
	pthread_mutex_lock(&d->lock);
	LIST_REMOVE(g, entry);
	d->stats.connections--;
	d->stats.not_used += !g->kept; /* it never came to its first request */
	if (--g->peer->n == 0) {
		HASH_DEL(d->peers, g->peer);
		free(g->peer);
	}
	pthread_mutex_unlock(&d->lock);
}

void slt_door_stats(struct slt_door *d, struct slt_door_stats *ret)
{
	pthread_mutex_lock(&d->lock);
	*ret = d->stats;
	pthread_mutex_unlock(&d->lock);
}

void slt_door_phase(struct slt_door *d, struct slt_guest *g, enum slt_phase phase)
{
	pthread_mutex_lock(&d->lock);
	g->phase = phase;
	g->kept = g->kept || phase != SLT_PHASE_HEAD;
	g->since_us = slt_mono_us();
	g->bytes = 0;
	pthread_mutex_unlock(&d->lock);
}

void slt_door_moved(struct slt_door *d, struct slt_guest *g, uint64_t n)
{
	pthread_mutex_lock(&d->lock);
	g->bytes += n;
	pthread_mutex_unlock(&d->lock);
}

/* --- the slow ----------------------------------------------------------------------------- */

/* Seconds that the guest's phase may take; 0: as long as it likes. */
static uint64_t allowed(const struct slt_door_limits *l, const struct slt_guest *g)
{
	switch (g->phase) {
	case SLT_PHASE_HEAD:
		return l->head_seconds ? l->head_seconds + (g->kept ? l->idle_seconds : 0) : 0;
	case SLT_PHASE_BODY:
	case SLT_PHASE_ANSWER:
		return l->min_rate ? l->grace_seconds + g->bytes / l->min_rate : 0;
	case SLT_PHASE_WORK:
		break;
	}
	return 0;
}

/* How many are to be told of; lock is held. */
static unsigned end_slow(struct slt_door *d, struct address *ret_last)
{
	int64_t now = slt_mono_us();
	struct slt_guest *g;
	unsigned n = 0;

	LIST_FOREACH(g, &d->guests, entry)
	{
		uint64_t limit = allowed(&d->limits, g);
		if (limit && !g->ended && (uint64_t)(now - g->since_us) > limit * 1000000) {
			g->ended = true;
			d->stats.slow++;
			shutdown(g->fd, SHUT_RDWR);
			*ret_last = g->peer->address;
			unsigned told = count(&d->slow);
			n = told ? told : n;
		}
	}
	return n;
}

static void *watch(void *arg)
{
	struct slt_door *d = arg;
	struct address last = {0};

	pthread_mutex_lock(&d->lock);
	while (!d->stopping) {
		int64_t until_us = slt_mono_us() + 1000000;
		struct timespec at = {until_us / 1000000, until_us % 1000000 * 1000};
		pthread_cond_timedwait(&d->ending, &d->lock, &at);
		unsigned n = end_slow(d, &last);
		pthread_mutex_unlock(&d->lock);
		tell(d, SLT_LOG_NOTICE, "connections ended: their peers were too slow", n, &last);
		pthread_mutex_lock(&d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

bool slt_door_new(const struct slt_door_limits *limits, struct slt_door **ret, struct slt_err *err)
{
	struct slt_door *d = slt_calloc(1, sizeof(*d));
	pthread_condattr_t monotonic;

	d->limits = *limits;
	LIST_INIT(&d->guests);
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&d->ending, &monotonic);
	pthread_condattr_destroy(&monotonic);
	int r = pthread_create(&d->thread, NULL, watch, d);
	if (r != 0) {
		free(d);
		return slt_fail(err, SLT_EINTERNAL, "cannot start a listener's thread: %s",
				strerror(r));
	}
	*ret = d;
	return true;
}

void slt_door_free(struct slt_door *d)
{
	if (!d) {
		return;
	}
	pthread_mutex_lock(&d->lock);
	d->stopping = true;
	pthread_cond_signal(&d->ending);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	slt_assert(LIST_EMPTY(&d->guests));
	pthread_cond_destroy(&d->ending);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
