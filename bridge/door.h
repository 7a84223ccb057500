/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who may connect to a listener and how long a peer may take: limits in total and for each address,
 * and the end of connections whose peers send or take too slowly to be worth their place. (That a
 * connection is idle is the HTTP library's affair.)
 *
 * Knows sockets only by number: it shuts one down, whoever reads and writes it then sees its end.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/error.h"

struct slt_door_limits {
	const char *name;      /* of the listener, for the log; borrowed */
	unsigned max;	       /* connections; 0: no limit */
	unsigned max_per_peer; /* from one address (IPv6: from one /64); 0: no limit */
	/* from the connection, or from the end of the request before and then `idle_seconds`
	 * longer, until the headers of the next request are there; 0: no limit */
	unsigned head_seconds, idle_seconds;
	/* bytes a second that a request's body and its answer must average after grace_seconds; 0:
	 * no limit */
	unsigned min_rate, grace_seconds;
};

struct slt_door;

enum slt_phase { SLT_PHASE_HEAD, SLT_PHASE_BODY, SLT_PHASE_WORK, SLT_PHASE_ANSWER };

/* A connection; lives where the listener keeps what it knows of it. */
struct slt_guest {
	LIST_ENTRY(slt_guest) entry;
	struct slt_door_peer *peer;
	int fd;
	enum slt_phase phase;
	bool kept, ended;
	int64_t since_us;
	uint64_t bytes;
};

SLT_CHECK bool slt_door_new(const struct slt_door_limits *limits, struct slt_door **ret,
			    struct slt_err *err);
void slt_door_free(struct slt_door *d); /* all have left */

/* Is there room for one more from there? If not that is logged, at most once a minute. */
bool slt_door_admits(struct slt_door *d, const struct sockaddr *from);
void slt_door_enter(struct slt_door *d, struct slt_guest *g, int fd, const struct sockaddr *from);
/* Before the descriptor is closed. */
void slt_door_leave(struct slt_door *d, struct slt_guest *g);

struct slt_door_stats {	      /* since the start, but for the first */
	unsigned connections; /* now */
	uint64_t accepted, refused, slow;
	uint64_t not_used; /* closed before they asked for anything */
};
void slt_door_stats(struct slt_door *d, struct slt_door_stats *ret);

/* A new phase, whose time begins now. */
void slt_door_phase(struct slt_door *d, struct slt_guest *g, enum slt_phase phase);
/* So many bytes came or went in the phase. */
void slt_door_moved(struct slt_door *d, struct slt_guest *g, uint64_t n);
