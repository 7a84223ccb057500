/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>

#define OWN_FILES 256 /* logs, tables, epoll and wake-up descriptors, what libraries open */

bool slt_listen_address(const char *text, unsigned port, struct sockaddr_storage *ret,
			struct slt_err *err)
{
	struct sockaddr_in *in = (void *)ret;
	struct sockaddr_in6 *in6 = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		return true;
	}
	return slt_fail(err, SLT_ECONFIG, "\"%s\" is not a numeric address to listen on", text);
}

void slt_listen_text(const struct sockaddr *a, char ret[SLT_LISTEN_TEXT])
{
	ret[0] = '\0';
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)a;
		inet_ntop(AF_INET, &in->sin_addr, ret, SLT_LISTEN_TEXT);
	} else if (a->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)a;
		inet_ntop(AF_INET6, &in6->sin6_addr, ret, SLT_LISTEN_TEXT);
	}
}

uint64_t slt_listen_descriptors(const struct slt_config *c)
{
	uint64_t listeners = 2 * c->n_sides;
	/* a listener may take one more for each of its threads before it notices */
	uint64_t each = (uint64_t)(c->max_connections + 3 * c->io_threads);
	/* a call to the other side, and a spool file each for request and answer */
	uint64_t under_way = 3 * (uint64_t)(c->queue + c->workers);

	return listeners * each + (uint64_t)c->client_connections + under_way + OWN_FILES;
}

bool slt_listen_raise_limit(const struct slt_config *c, struct slt_err *err)
{
	uint64_t needed = slt_listen_descriptors(c);
	struct rlimit have;

	if (getrlimit(RLIMIT_NOFILE, &have) != 0) {
		return slt_fail_errno(err, SLT_ELIMIT, "the limit of open files is not known");
	}
	uint64_t hard = have.rlim_max == RLIM_INFINITY ? UINT64_MAX : have.rlim_max;
	uint64_t wanted = needed < hard ? needed : hard;
	if (have.rlim_cur != RLIM_INFINITY && have.rlim_cur < wanted) {
		have.rlim_cur = wanted;
		if (setrlimit(RLIMIT_NOFILE, &have) != 0) {
			return slt_fail_errno(err, SLT_ELIMIT,
					      "the limit of open files cannot be raised");
		}
	}
	if (hard < needed) {
		return slt_fail(err, SLT_ELIMIT,
				"with everything full the bridge needs %llu open files, the hard "
				"limit is %llu: raise it (LimitNOFILE in the unit, ulimit -Hn) or "
				"lower max_connections",
				(unsigned long long)needed, (unsigned long long)hard);
	}
	return true;
}
