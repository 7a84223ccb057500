/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/instance/box.h"

/* below the range from which the system takes ports for outgoing connections */
#define PORT_MIN   20000u
#define PORT_COUNT 12000u
#define TRIES	   200

static bool can_bind(const char *address, unsigned port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1;
	int fd = inet_pton(AF_INET, address, &in.sin_addr) == 1
			 ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
			 : -1;
	if (fd < 0) {
		return false;
	}
	bool ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		  bind(fd, (const struct sockaddr *)&in, sizeof(in)) == 0 && listen(fd, 1) == 0;
	(void)close(fd);
	return ok;
}

static bool both_free(const struct slt_box_ports *p, unsigned port)
{
	return can_bind(p->own, port) && can_bind(p->bridge, port);
}

static bool set_addresses(struct slt_box_ports *p, const char *base)
{
	struct in_addr in;
	int a = snprintf(p->own, sizeof(p->own), "%s.1", base);
	int b = snprintf(p->bridge, sizeof(p->bridge), "%s.2", base);
	return a > 0 && (size_t)a < sizeof(p->own) && b > 0 && (size_t)b < sizeof(p->bridge) &&
	       strncmp(base, "127.", 4) == 0 && inet_pton(AF_INET, p->own, &in) == 1;
}

/* Two instances started side by side should not even try the same addresses. */
static unsigned seed_of(const char *name)
{
	unsigned h = 2166136261u;
	for (const char *c = name; *c != '\0'; c++) {
		h = (h ^ (unsigned char)*c) * 16777619u;
	}
	return h ^ ((unsigned)getpid() * 2654435761u);
}

static bool pick(struct slt_box_ports *p, unsigned *seed)
{
	p->transport = 0;
	for (unsigned i = 0; i < TRIES; i++) {
		*seed = *seed * 1664525u + 1013904223u;
		unsigned port = PORT_MIN + (*seed >> 8) % PORT_COUNT;
		if (port == p->transport || !both_free(p, port)) {
			continue;
		}
		if (p->transport != 0) {
			p->relay = port;
			return true;
		}
		p->transport = port;
	}
	return false;
}

static unsigned port_of_url(const json_t *j, const char *key)
{
	const char *url = json_string_value(json_object_get(j, key));
	unsigned port = 0;
	return url != NULL && sscanf(url, "http://127.0.0.1:%u", &port) == 1 ? port : 0;
}

/* An instance that is started again on its directory keeps its addresses, if they are free:
 * those who hold its anchor find it again. */
static bool as_before(const struct slt_box_options *o, struct slt_box_ports *p)
{
	SLT_AUTO_STR char *path = slt_asprintf("%s/instance.json", o->dir);
	json_t *j = json_load_file(path, 0, NULL);
	const char *own = json_string_value(json_object_get(j, "server_address"));
	const char *bridge = json_string_value(json_object_get(j, "bridge_address"));
	json_int_t transport = json_integer_value(json_object_get(j, "transport_port"));
	json_int_t relay = json_integer_value(json_object_get(j, "ocsp_port"));
	bool ok = own != NULL && bridge != NULL && strlen(own) < sizeof(p->own) &&
		  strlen(bridge) < sizeof(p->bridge) && transport > 0 && transport < 65536 &&
		  relay > 0 && relay < 65536;
	if (ok) {
		(void)snprintf(p->own, sizeof(p->own), "%s", own);
		(void)snprintf(p->bridge, sizeof(p->bridge), "%s", bridge);
		p->transport = (unsigned)transport;
		p->relay = (unsigned)relay;
		p->central = port_of_url(j, "configuration");
		p->client = port_of_url(j, "client");
		p->client_tls = (unsigned)json_integer_value(json_object_get(j, "client_tls_port"));
		p->admin = port_of_url(j, "admin");
		p->infosys = port_of_url(j, "infosys");
		/* a bridge may hold its own address still: only ours must be free */
		ok = can_bind(p->own, p->transport) && can_bind(p->own, p->relay) &&
		     can_bind("127.0.0.1", p->central) && can_bind("127.0.0.1", p->client) &&
		     can_bind("127.0.0.1", p->client_tls) && can_bind("127.0.0.1", p->admin) &&
		     can_bind("127.0.0.1", p->infosys);
	}
	json_decref(j);
	return ok;
}

bool slt_ports_choose(const struct slt_box_options *o, struct slt_box_ports *ret,
		      struct slt_err *err)
{
	struct slt_box_ports p = {.transport = 0};
	unsigned seed = seed_of(o->name);
	bool kept = as_before(o, &p);
	if (kept && (o->address_base == NULL ||
		     strncmp(p.own, o->address_base, strlen(o->address_base)) == 0)) {
		*ret = p;
		return true;
	}
	p = (struct slt_box_ports){.transport = 0};
	if (o->address_base != NULL) {
		if (!set_addresses(&p, o->address_base)) {
			return slt_fail(
				err, SLT_EINVAL,
				"%s is not the beginning of a loopback address such as 127.0.5",
				o->address_base);
		}
		if (!pick(&p, &seed)) {
			return slt_fail(err, SLT_EIO, "no ports are free on both %s and %s", p.own,
					p.bridge);
		}
		*ret = p;
		return true;
	}
	for (unsigned i = 0; i < TRIES; i++) {
		char base[16];
		(void)snprintf(base, sizeof(base), "127.0.%u", 1 + (seed + i) % 250);
		if (set_addresses(&p, base) && pick(&p, &seed)) {
			*ret = p;
			return true;
		}
	}
	return slt_fail(err, SLT_EIO, "no loopback addresses with free ports were found");
}
