/* SPDX-License-Identifier: MIT */
#include "config_bearer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

bool slt_config_is_loopback(const char *address)
{
	struct in_addr in;
	struct in6_addr in6;

	if (inet_pton(AF_INET, address, &in) == 1) {
		return ntohl(in.s_addr) >> 24 == 127;
	}
	return inet_pton(AF_INET6, address, &in6) == 1 && IN6_IS_ADDR_LOOPBACK(&in6);
}

/* None of the options stands in the group. */
static void check_absent(struct slt_conf *file, const struct slt_conf_group *g,
			 const struct slt_config_options *o, const char *why)
{
	for (size_t i = 0; i < o->n; i++) {
		if (slt_conf_has(g, o->v[i].name)) {
			slt_conf_problem(file, g, o->v[i].name, "%s has no meaning %s: take it out",
					 o->v[i].name, why);
		}
	}
}

static void need(struct slt_conf *file, const struct slt_conf_group *g, const char *name,
		 const char *value)
{
	if (!value) {
		slt_conf_problem(file, g, name, "%s is missing: bearer transport needs it", name);
	}
}

/* --- message ------------------------------------------------------------------------------ */

/* Who comes from elsewhere must be known by his certificate. */
static void check_listener(struct slt_conf *file, const struct slt_conf_group *g,
			   const struct slt_config_side *s)
{
	if (!s->listen || slt_config_is_loopback(s->listen)) {
		return;
	}
	if (!s->auth_key || !s->auth_cert) {
		slt_conf_problem(file, g, "listen",
				 "listen: %s can be reached from elsewhere, where plain HTTP would "
				 "be read and changed on the way: give auth_key and auth_cert, or "
				 "a loopback address",
				 s->listen);
	}
	if (!s->security_server_certs) {
		slt_conf_problem(
			file, g, "listen",
			"listen: %s can be reached from elsewhere, and anybody could speak "
			"for the security server: give security_server_certs, or a "
			"loopback address",
			s->listen);
	}
}

/* The host of "https://host", "https://host:port", "https://[v6]:port", with or without a slash
 * behind it; NULL for anything else. malloc'ed. */
static char *host_of(const char *rest)
{
	const char *hosts = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	bool bracket = *rest == '[';
	const char *host = rest + bracket;
	size_t n = strspn(host, bracket ? "0123456789abcdefABCDEF:." : hosts);
	const char *after = host + n + (bracket && host[n] == ']');

	if (n == 0 || (bracket && host[n] != ']')) {
		return NULL;
	}
	if (*after == ':') {
		size_t digits = strspn(after + 1, "0123456789");
		long port = digits > 0 && digits < 6 ? strtol(after + 1, NULL, 10) : 0;
		if (port < 1 || port > 65535) {
			return NULL;
		}
		after += 1 + digits;
	}
	return strcmp(after, "") == 0 || strcmp(after, "/") == 0 ? slt_strndup(host, n) : NULL;
}

static void check_url(struct slt_conf *file, const struct slt_conf_group *g,
		      const struct slt_config_side *s)
{
	static const char option[] = "security_server";
	const char *url = s->security_server;
	bool https = strncmp(url, "https://", 8) == 0;
	bool http = strncmp(url, "http://", 7) == 0;
	SLT_AUTO_STR char *host = https || http ? host_of(url + (https ? 8 : 7)) : NULL;

	if (!host) {
		slt_conf_problem(file, g, option,
				 "security_server: \"%s\" is not https://HOST:PORT, without a path",
				 url);
		return;
	}
	if (http && !slt_config_is_loopback(host)) {
		slt_conf_problem(file, g, option,
				 "security_server: plain HTTP to %s would be read and changed on "
				 "the way: take https, or a numeric loopback address",
				 host);
	}
	if (https && !s->security_server_certs) {
		slt_conf_problem(file, g, option,
				 "security_server: there is nothing to know %s by: give "
				 "security_server_certs",
				 host);
	}
}

void slt_config_check_bearer(struct slt_conf *file, const struct slt_conf_group *g,
			     const struct slt_config_side *s, const struct slt_config_special *o)
{
	if (s->bearer == SLT_BEARER_TRANSPORT) {
		check_absent(file, g, &o->bearer[SLT_BEARER_MESSAGE], "with bearer transport");
		need(file, g, "sign_key", s->sign_key);
		need(file, g, "auth_key", s->auth_key);
		need(file, g, "auth_cert", s->auth_cert);
		return;
	}
	check_absent(file, g, &o->bearer[SLT_BEARER_TRANSPORT], "with bearer message");
	if (!s->sign_key) {
		check_absent(file, g, &o->signing, "without sign_key");
	}
	if (!s->auth_key != !s->auth_cert) {
		slt_conf_problem(file, g, s->auth_key ? "auth_key" : "auth_cert",
				 "auth_key and auth_cert belong together: one of them is missing");
	}
	check_listener(file, g, s);
	if (s->security_server) {
		check_url(file, g, s);
	}
}
