/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "config_bearer.h"
#include "sign_queue.h"

#include <stdlib.h>
#include <string.h>

#include "federation/rest.h"

#define S(field) offsetof(struct slt_config_side, field)
#define R(field) offsetof(struct slt_config_route, field)
/* The options of a side end in those that go with others only, in this order. */
#define N_SIGNING   5 /* with sign_key */
#define N_TRANSPORT 7 /* with bearer transport */
#define N_MESSAGE   2 /* with bearer message */
#define H(field)    offsetof(struct slt_config_rest, field)
#define C(field)    offsetof(struct slt_config, field)
#define GIB	    (1ll << 30)

/* clang-format off */
static const struct slt_conf_option side_options[] = {
	{"name", SLT_CONF_STRING, S(name), true, 0, 0, NULL, NULL, "instance identifier of the side, e.g. \"EE\""},
	{"country", SLT_CONF_STRING, S(country), false, 0, 0, NULL, NULL, "whose mapping tables the side speaks; left out: the country that lists the instance in its country.conf"},
	{"bearer", SLT_CONF_ENUM, S(bearer), false, 0, 0, "transport", "transport|message", "how the side meets the instance: transport, as a security server of its own among the others; message, behind an ordinary security server, as an information system"},
	{"anchor", SLT_CONF_PATH, S(anchor), true, 0, 0, NULL, NULL, "configuration anchor of the instance"},
	{"globalconf", SLT_CONF_PATH, S(globalconf), true, 0, 0, NULL, NULL, "directory of the verified configuration cache"},
	{"federation", SLT_CONF_STRING, S(federation), false, 0, 0, "none", NULL, "foreign instances to fetch: none, all, or a comma separated list"},
	{"fetch_interval", SLT_CONF_INT, S(fetch_seconds), false, 1, 86400, "60", NULL, "seconds between fetches of the configuration"},
	{"fetch_tls_verify", SLT_CONF_BOOL, S(fetch_tls_verify), false, 0, 0, "true", NULL, "verify the TLS certificate of configuration sources that speak https; their content is judged by its signature either way"},
	{"mappings_part", SLT_CONF_BOOL, S(mappings_part), false, 0, 0, "false", NULL, "take the mapping tables that the instance publishes with its configuration, into the directory \"mappings\"; one side may, and silta globalconf fetch --mappings fills the directory before the first start"},
	{"subsystem", SLT_CONF_STRING, S(subsystem_text), true, 0, 0, NULL, NULL, "own subsystem, which signs and calls: INSTANCE/CLASS/CODE/SUBSYSTEM"},
	{"server", SLT_CONF_STRING, S(server_text), true, 0, 0, NULL, NULL, "own security server: INSTANCE/CLASS/CODE/SERVER; with bearer message the ordinary one that the own subsystem is a client of"},
	{"sign_key", SLT_CONF_PATH, S(sign_key), false, 0, 0, NULL, NULL, "signing key, PEM or PKCS#12, readable by nobody else; bearer transport needs it; with bearer message it seals what is logged"},
	{"auth_key", SLT_CONF_PATH, S(auth_key), false, 0, 0, NULL, NULL, "TLS authentication key, PEM; bearer message can do without on loopback addresses"},
	{"auth_cert", SLT_CONF_PATH, S(auth_cert), false, 0, 0, NULL, NULL, "TLS authentication certificate, PEM, with intermediates but without root; with bearer message it may be self-signed"},
	{"listen", SLT_CONF_STRING, S(listen), true, 0, 0, NULL, NULL, "numeric address of the listener for requests"},
	{"port", SLT_CONF_INT, S(port), false, 0, 65535, "5500", NULL, "its port"},
	{"timestamp_interval", SLT_CONF_INT, S(timestamp_seconds), false, 1, 86400, "60", NULL, "seconds between time-stamps of the message log"},
	{"faults", SLT_CONF_ENUM, S(dialect), false, 0, 0, "snake", "snake|camel", "spelling of fault codes: snake (X-Road 7.8 and later) or camel (up to 7.7)"},
	{"document_ca", SLT_CONF_PATH, S(document_ca), false, 0, 0, NULL, NULL, "authorities, PEM, that certify whoever signs documents inside themselves on this side; left out: a document that must be so signed, or is, is refused"},
	{"document_sha1", SLT_CONF_BOOL, S(document_sha1), false, 0, 0, "false", NULL, "accept such signatures made with SHA-1"},
	/* of the signing key */
	{"sign_cert", SLT_CONF_PATH, S(sign_cert), false, 0, 0, NULL, NULL, "signing certificate, PEM, with intermediates; left out: in the PKCS#12 file"},
	{"sign_pin", SLT_CONF_PATH, S(sign_pin), false, 0, 0, NULL, NULL, "file with the PIN of the PKCS#12 file, readable by nobody else"},
	{"pss", SLT_CONF_BOOL, S(pss), false, 0, 0, "false", NULL, "sign with RSA-PSS instead of PKCS#1 v1.5"},
	{"batch", SLT_CONF_INT, S(batch), false, 1, SLT_SIGN_BATCH_MAX, "32", NULL, "messages that wait for the signing key and are then signed with one operation; 1: each on its own"},
	{"ocsp_interval", SLT_CONF_INT, S(ocsp_seconds), false, 1, 86400, "1200", NULL, "seconds between fetches of OCSP responses for the own certificates"},
	/* bearer transport only */
	{"ocsp_listen", SLT_CONF_STRING, S(ocsp_listen), false, 0, 0, NULL, NULL, "numeric address of the OCSP relay; left out: as listen"},
	{"ocsp_port", SLT_CONF_INT, S(ocsp_port), false, 0, 65535, "5577", NULL, "port of the OCSP relay"},
	{"peer_port", SLT_CONF_INT, S(peer_port), false, 1, 65535, "5500", NULL, "message transport port of the instance's security servers"},
	{"peer_ocsp_port", SLT_CONF_INT, S(peer_ocsp_port), false, 1, 65535, "5577", NULL, "OCSP relay port of the instance's security servers"},
	{"fastest_period", SLT_CONF_INT, S(fastest_seconds), false, 0, 86400, "3600", NULL, "seconds for which the quickest of several security servers of a provider is asked first; then all are connected to at once again, and 0: for each message"},
	{"proxy_version", SLT_CONF_STRING, S(proxy_version), false, 0, 0, "7.8.0", NULL, "version told to peers in x-proxy-version"},
	{"min_peer_version", SLT_CONF_STRING, S(min_peer_version), false, 0, 0, NULL, NULL, "lowest x-proxy-version accepted; left out: any"},
	/* bearer message only */
	{"security_server", SLT_CONF_STRING, S(security_server), false, 0, 0, NULL, NULL, "where that security server takes the requests of information systems: https://HOST:PORT, or http:// at a loopback address; needed by routes that lead to the side; bearer message only"},
	{"security_server_certs", SLT_CONF_PATH, S(security_server_certs), false, 0, 0, NULL, NULL, "certificates that the security server presents to information systems, PEM: no other is talked to, and no other may call; bearer message only"},
};

static const struct slt_conf_option route_options[] = {
	{"name", SLT_CONF_STRING, R(name), true, 0, 0, NULL, NULL, "name of the route, for logs"},
	{"from", SLT_CONF_STRING, R(from), true, 0, 0, NULL, NULL, "side whose members call"},
	{"to", SLT_CONF_STRING, R(to), true, 0, 0, NULL, NULL, "side that has the service"},
	{"provider", SLT_CONF_STRING, R(provider_text), false, 0, 0, NULL, NULL, "what the callers address, INSTANCE/CLASS/CODE/SUBSYSTEM or a member; left out: the own subsystem of the side called from"},
	{"target", SLT_CONF_STRING, R(target_text), true, 0, 0, NULL, NULL, "provider of the real service: INSTANCE/CLASS/CODE/SUBSYSTEM, or a member"},
	{"target_server", SLT_CONF_STRING, R(server_text), false, 0, 0, NULL, NULL, "security server to send to, and no other: INSTANCE/CLASS/CODE/SERVER; messages name it; left out: any that serves the target"},
	{"flow", SLT_CONF_STRING, R(flow), true, 0, 0, NULL, NULL, "mapping flow: names of services, rules for their messages; none: a service of the same name whose messages do not differ, only their headers are rewritten"},
	{"services", SLT_CONF_STRINGS, R(services), false, 0, 0, NULL, NULL, "service codes offered; left out: all of the flow"},
	{"allow", SLT_CONF_STRINGS, R(allow), true, 0, 0, NULL, NULL, "who may call: subsystems, members (with all their subsystems), global groups as INSTANCE/GROUP"},
	{"once", SLT_CONF_STRINGS, R(once), false, 0, 0, NULL, NULL, "service codes whose messages change something: a message id that was seen before is refused"},
	{"deadline", SLT_CONF_INT, R(deadline_seconds), false, 1, 3600, "60", NULL, "seconds for the whole call to the other side"},
	{"represent", SLT_CONF_BOOL, R(represent), false, 0, 0, "true", NULL, "tell the other side the original caller in representedParty"},
	{"wsdl", SLT_CONF_PATH, R(wsdl), false, 0, 0, NULL, NULL, "WSDL 1.1 description of the route's SOAP services in the callers' words, which getWsdl hands out without addresses; left out: one made from the names of the services"},
	{"openapi", SLT_CONF_PATH, R(openapi), false, 0, 0, NULL, NULL, "OpenAPI 3 description, in JSON, of the route's one REST service in the callers' words, which getOpenAPI hands out without addresses"},
	{"rest", SLT_CONF_GROUPS, 0, false, 0, 0, NULL, NULL, "methods and paths of REST services that may be called; left out: all"},
};

static const struct slt_conf_option rest_options[] = {
	{"method", SLT_CONF_STRING, H(method), true, 0, 0, NULL, NULL, "HTTP method, or * for every one"},
	{"path", SLT_CONF_STRING, H(path), true, 0, 0, NULL, NULL, "path after the service, e.g. /prescriptions/*: a * stands for one segment, at the end for one or more"},
};

static const struct slt_conf_option options[] = {
	{"state", SLT_CONF_PATH, C(state), true, 0, 0, NULL, NULL, "directory for what the bridge must remember"},
	{"log", SLT_CONF_PATH, C(log), false, 0, 0, NULL, NULL, "message log; left out: messages.db in the state directory"},
	{"mappings", SLT_CONF_PATH, C(mappings), true, 0, 0, NULL, NULL, "directory of the mapping set"},
	{"mappings_ca", SLT_CONF_PATH, C(mappings_ca), false, 0, 0, NULL, NULL, "certificates trusted to sign mapping sets, PEM: the signers' own, or an authority that certifies nobody else"},
	{"mappings_required", SLT_CONF_BOOL, C(mappings_required), false, 0, 0, "false", NULL, "refuse a mapping set that is not signed, altered, not in force or not approved; otherwise that is a warning, given only with mappings_ca"},
	{"mappings_approvals", SLT_CONF_INT, C(mappings_approvals), false, 0, 16, "0", NULL, "how many of the approvals that a set's manifest names must have signed it"},
	{"spool", SLT_CONF_PATH, C(spool), false, 0, 0, NULL, NULL, "directory for large attachments in transit; left out: the state directory"},
	{"workers", SLT_CONF_INT, C(workers), false, 1, 256, "4", NULL, "threads that verify, map and sign"},
	{"queue", SLT_CONF_INT, C(queue), false, 1, 100000, "256", NULL, "requests that may wait for a worker; more are refused at once"},
	{"io_threads", SLT_CONF_INT, C(io_threads), false, 1, 64, "2", NULL, "threads that read and write connections, per listener"},
	{"max_connections", SLT_CONF_INT, C(max_connections), false, 1, 100000, "1000", NULL, "open connections per listener; further ones are closed at once"},
	{"max_connections_per_peer", SLT_CONF_INT, C(max_connections_per_peer), false, 0, 100000, "250", NULL, "open connections per listener from one address (IPv6: one /64), further ones are closed at once; behind a load balancer that hides its clients' addresses all of them count as one; 0: no limit of its own"},
	{"head_timeout", SLT_CONF_INT, C(head_seconds), false, 1, 3600, "30", NULL, "seconds that a peer may take for the TLS handshake and the headers of its first request"},
	{"min_rate", SLT_CONF_INT, C(min_rate), false, 0, 1 << 20, "1024", NULL, "bytes a second that a peer must on average send of a request and take of an answer, after four times head_timeout; 0: it may be as slow as it likes"},
	{"client_connections", SLT_CONF_INT, C(client_connections), false, 1, 10000, "256", NULL, "connections to peers that are kept open"},
	{"max_message", SLT_CONF_INT, C(max_message), false, 1024, 64ll << 20, "10485760", NULL, "bytes of a SOAP envelope or REST head"},
	{"max_attachments", SLT_CONF_INT, C(max_attachments), false, 0, 1024 * GIB, "2147483648", NULL, "bytes of all attachments of a message"},
	{"max_spool", SLT_CONF_INT, C(max_spool), false, 0, 1024 * GIB, "17179869184", NULL, "bytes that large messages under way may take in the spool directory, all together; more are refused until some are over"},
	{"drain", SLT_CONF_INT, C(drain_seconds), false, 0, 3600, "30", NULL, "seconds that exchanges under way get when the bridge is stopped"},
	{"admin_listen", SLT_CONF_STRING, C(admin_listen), false, 0, 0, "127.0.0.1", NULL, "numeric address of the admin listener (health, metrics, status); it asks nobody who he is, so only an address of the machine itself is taken"},
	{"admin_port", SLT_CONF_INT, C(admin_port), false, 0, 65535, "0", NULL, "its port; 0: there is no admin listener"},
	{"log_level", SLT_CONF_ENUM, C(log_level), false, 0, 0, "info", "err|warning|notice|info|debug", "least important line that is logged"},
	{"log_json", SLT_CONF_BOOL, C(log_json), false, 0, 0, "false", NULL, "log lines as JSON"},
	{"test_codes", SLT_CONF_BOOL, C(test_codes), false, 0, 0, "false", NULL, "let personal codes of test documents through; never in production"},
	{"sides", SLT_CONF_GROUPS, 0, true, 0, 0, NULL, NULL, "the instances in which the bridge is a member"},
	{"routes", SLT_CONF_GROUPS, 0, true, 0, 0, NULL, NULL, "which services of one side are offered to the other"},
};
/* clang-format on */

#define N_COMMON (SLT_COUNT(side_options) - N_SIGNING - N_TRANSPORT - N_MESSAGE)

static const struct slt_config_special special = {
	{&side_options[N_COMMON], N_SIGNING},
	{{&side_options[N_COMMON + N_SIGNING], N_TRANSPORT},
	 {&side_options[N_COMMON + N_SIGNING + N_TRANSPORT], N_MESSAGE}},
};

struct loader {
	struct slt_conf *file;
	struct slt_config *config;
};

static void read_id(struct loader *l, const struct slt_conf_group *g, const char *option,
		    enum slt_id_type type, const char *text, struct slt_id *ret)
{
	struct slt_err err = SLT_ERR_INIT;
	bool ok = true;

	if (!text) {
		return; /* already reported as missing */
	}
	ok = slt_id_parse(type, text, false, l->config->arena, ret, &err);
	if (!ok) {
		slt_conf_problem(l->file, g, option, "%s: %s", option, err.msg);
	}
}

static void check_instance(struct loader *l, const struct slt_conf_group *g, const char *option,
			   const struct slt_id *id, const struct slt_config_side *side)
{
	if (id->instance && side && side->name && strcmp(id->instance, side->name) != 0) {
		slt_conf_problem(l->file, g, option,
				 "%s belongs to instance %s, but the side is %s", option,
				 id->instance, side->name);
	}
}

static void read_side(struct loader *l, size_t i)
{
	struct slt_config *c = l->config;
	struct slt_config_side *s = &c->side[i];
	const struct slt_conf_group *g = slt_conf_group_at(slt_conf_root(l->file), "sides", i);

	slt_conf_read(l->file, g, side_options, SLT_COUNT(side_options), c->arena, s);
	if (!s->ocsp_listen) {
		s->ocsp_listen = s->listen;
	}
	slt_config_check_bearer(l->file, g, s, &special);
	read_id(l, g, "subsystem", SLT_ID_SUBSYSTEM, s->subsystem_text, &s->subsystem);
	read_id(l, g, "server", SLT_ID_SERVER, s->server_text, &s->server);
	check_instance(l, g, "subsystem", &s->subsystem, s);
	check_instance(l, g, "server", &s->server, s);
	for (size_t k = 0; k < i && s->name; k++) {
		if (c->side[k].name && strcmp(c->side[k].name, s->name) == 0) {
			slt_conf_problem(l->file, g, "name", "there is already a side %s", s->name);
		}
		if (s->mappings_part && c->side[k].mappings_part) {
			slt_conf_problem(l->file, g, "mappings_part",
					 "mappings_part: the tables of side %s are taken already",
					 c->side[k].name ? c->side[k].name : "(no name)");
		}
	}
}

static const struct slt_config_side *side_named(struct loader *l, const struct slt_conf_group *g,
						const char *option, const char *name)
{
	for (size_t i = 0; name && i < l->config->n_sides; i++) {
		const struct slt_config_side *s = &l->config->side[i];
		if (s->name && strcmp(s->name, name) == 0) {
			return s;
		}
	}
	if (name) {
		slt_conf_problem(l->file, g, option, "%s: there is no side \"%s\"", option, name);
	}
	return NULL;
}

/* A subsystem, or a member that has services of its own: as many parts as the text has. */
static void read_provider(struct loader *l, const struct slt_conf_group *g, const char *option,
			  const char *text, struct slt_id *ret)
{
	unsigned slashes = 0;

	for (const char *p = text; p && *p; p++) {
		slashes += *p == '/';
	}
	read_id(l, g, option, slashes == 2 ? SLT_ID_MEMBER : SLT_ID_SUBSYSTEM, text, ret);
}

/* "EE/apteegid" is a group, three parts a member, four a subsystem. */
static void read_allowed(struct loader *l, const struct slt_conf_group *g,
			 struct slt_config_route *r)
{
	r->allowed = slt_arena_alloc(l->config->arena, (r->allow.n + 1) * sizeof(struct slt_id));
	for (size_t i = 0; i < r->allow.n; i++) {
		unsigned slashes = 0;
		for (const char *p = r->allow.v[i]; *p; p++) {
			slashes += *p == '/';
		}
		enum slt_id_type type = slashes == 1   ? SLT_ID_GLOBALGROUP
					: slashes == 2 ? SLT_ID_MEMBER
						       : SLT_ID_SUBSYSTEM;
		struct slt_id *id = &r->allowed[r->n_allowed++];
		read_id(l, g, "allow", type, r->allow.v[i], id);
	}
	if (r->allow.n == 0) {
		slt_conf_problem(l->file, g, "allow",
				 "allow is empty: nobody could call the route");
	}
}

static void read_rest(struct loader *l, const struct slt_conf_group *g, struct slt_config_route *r)
{
	size_t n = slt_conf_group_count(g, "rest");

	if (n > SLT_REST_RULES_MAX) {
		slt_conf_problem(l->file, g, "rest", "at most %d rules about REST",
				 SLT_REST_RULES_MAX);
		return;
	}
	r->rest = slt_arena_alloc(l->config->arena, (n + 1) * sizeof(*r->rest));
	for (size_t i = 0; i < n; i++) {
		const struct slt_conf_group *rule = slt_conf_group_at(g, "rest", i);
		struct slt_config_rest *h = &r->rest[r->n_rest++];
		struct slt_err err = SLT_ERR_INIT;
		slt_conf_read(l->file, rule, rest_options, SLT_COUNT(rest_options),
			      l->config->arena, h);
		if (h->method && strcmp(h->method, "*") != 0 && !slt_rest_is_verb(h->method)) {
			slt_conf_problem(l->file, rule, "method",
					 "method: \"%s\" is no HTTP method that X-Road knows",
					 h->method);
		}
		if (h->path && !slt_rest_check_path(h->path, true, &err)) {
			slt_conf_problem(l->file, rule, "path", "path: %s", err.msg);
		}
	}
	if (n == 0 && slt_conf_has(g, "rest")) {
		slt_conf_problem(l->file, g, "rest", "rest is empty: nothing could be called");
	}
}

static void read_route(struct loader *l, size_t i)
{
	struct slt_config *c = l->config;
	struct slt_config_route *r = &c->route[i];
	const struct slt_conf_group *g = slt_conf_group_at(slt_conf_root(l->file), "routes", i);

	slt_conf_read(l->file, g, route_options, SLT_COUNT(route_options), c->arena, r);
	r->from_side = side_named(l, g, "from", r->from);
	r->to_side = side_named(l, g, "to", r->to);
	if (r->from_side && r->from_side == r->to_side) {
		slt_conf_problem(l->file, g, "to", "the route begins and ends on side %s", r->to);
	}
	if (r->provider_text) {
		read_provider(l, g, "provider", r->provider_text, &r->provider);
	} else if (r->from_side) {
		r->provider = r->from_side->subsystem;
	}
	read_provider(l, g, "target", r->target_text, &r->target);
	read_id(l, g, "target_server", SLT_ID_SERVER, r->server_text, &r->server);
	check_instance(l, g, "provider", &r->provider, r->from_side);
	check_instance(l, g, "target", &r->target, r->to_side);
	check_instance(l, g, "target_server", &r->server, r->to_side);
	if (r->to_side && r->to_side->bearer == SLT_BEARER_MESSAGE &&
	    !r->to_side->security_server) {
		slt_conf_problem(l->file, g, "to",
				 "to: side %s says no security_server to send the requests to",
				 r->to);
	}
	read_allowed(l, g, r);
	read_rest(l, g, r);
}

static void read_lists(struct loader *l)
{
	struct slt_config *c = l->config;
	const struct slt_conf_group *root = slt_conf_root(l->file);

	c->n_sides = slt_conf_group_count(root, "sides");
	c->n_routes = slt_conf_group_count(root, "routes");
	if (c->n_sides > SLT_SIDES_MAX || c->n_routes > SLT_ROUTES_MAX) {
		slt_conf_problem(l->file, root, NULL, "at most %d sides and %d routes",
				 SLT_SIDES_MAX, SLT_ROUTES_MAX);
		c->n_sides = c->n_routes = 0;
		return;
	}
	c->side = slt_arena_alloc(c->arena, (c->n_sides + 1) * sizeof(*c->side));
	c->route = slt_arena_alloc(c->arena, (c->n_routes + 1) * sizeof(*c->route));
	for (size_t i = 0; i < c->n_sides; i++) {
		read_side(l, i);
	}
	for (size_t i = 0; i < c->n_routes; i++) {
		read_route(l, i);
	}
}

bool slt_config_load(const char *path, struct slt_config **ret, struct slt_buf *problems,
		     struct slt_err *err)
{
	SLT_AUTO(slt_conf_close) struct slt_conf *file = NULL;
	SLT_AUTO(slt_config_free) struct slt_config *c = slt_calloc(1, sizeof(*c));

	c->arena = slt_arena_new();
	if (!slt_conf_open(path, &file, err)) {
		if (problems) {
			slt_buf_addf(problems, "%s\n", err->msg);
		}
		return false;
	}
	struct loader l = {file, c};
	slt_conf_read(file, slt_conf_root(file), options, SLT_COUNT(options), c->arena, c);
	if (c->state && !c->log) {
		c->log = slt_arena_printf(c->arena, "%s/messages.db", c->state);
	}
	if (!c->spool) {
		c->spool = c->state;
	}
	if (c->mappings_required && !c->mappings_ca) {
		slt_conf_problem(file, slt_conf_root(file), "mappings_required",
				 "mappings_required needs mappings_ca: whose signatures count");
	}
	if (!slt_config_is_loopback(c->admin_listen)) {
		slt_conf_problem(
			file, slt_conf_root(file), "admin_listen",
			"admin_listen: %s is not a loopback address (127.0.0.0/8 or ::1), "
			"and the admin listener asks nobody who he is: let a proxy on this "
			"machine ask those who come from elsewhere",
			c->admin_listen);
	}
	read_lists(&l);
	if (!slt_conf_finish(file, problems, err)) {
		return false;
	}
	*ret = SLT_TAKE(c);
	return true;
}

void slt_config_free(struct slt_config *c)
{
	if (c) {
		slt_arena_free(c->arena);
		free(c);
	}
}

static void print_options(const struct slt_config_options *o, const struct slt_config_side *s,
			  struct slt_buf *out)
{
	slt_conf_print(o->v, o->n, s, 2, out);
}

/* What has no meaning on this side is not accepted either. */
static void print_side(const struct slt_config_side *s, struct slt_buf *out)
{
	const struct slt_config_options common = {side_options, N_COMMON};

	print_options(&common, s, out);
	if (s->sign_key) {
		print_options(&special.signing, s, out);
	}
	print_options(&special.bearer[s->bearer], s, out);
}

static void print_rest(const struct slt_config_route *r, struct slt_buf *out)
{
	if (r->n_rest == 0) {
		return;
	}
	slt_buf_adds(out, "\t\trest = (\n");
	for (size_t i = 0; i < r->n_rest; i++) {
		slt_buf_adds(out, "\t\t\t{\n");
		slt_conf_print(rest_options, SLT_COUNT(rest_options), &r->rest[i], 4, out);
		slt_buf_adds(out, i + 1 < r->n_rest ? "\t\t\t},\n" : "\t\t\t}\n");
	}
	slt_buf_adds(out, "\t\t);\n");
}

void slt_config_print(const struct slt_config *c, struct slt_buf *out)
{
	slt_conf_print(options, SLT_COUNT(options), c, 0, out);
	slt_buf_adds(out, "sides = (\n");
	for (size_t i = 0; i < c->n_sides; i++) {
		slt_buf_adds(out, "\t{\n");
		print_side(&c->side[i], out);
		slt_buf_adds(out, i + 1 < c->n_sides ? "\t},\n" : "\t}\n");
	}
	slt_buf_adds(out, ");\nroutes = (\n");
	for (size_t i = 0; i < c->n_routes; i++) {
		slt_buf_adds(out, "\t{\n");
		slt_conf_print(route_options, SLT_COUNT(route_options), &c->route[i], 2, out);
		print_rest(&c->route[i], out);
		slt_buf_adds(out, i + 1 < c->n_routes ? "\t},\n" : "\t}\n");
	}
	slt_buf_adds(out, ");\n");
}

static void document(const char *group, const struct slt_conf_option *o, size_t n,
		     void (*each)(void *arg, const char *group, const struct slt_conf_option *o),
		     void *arg)
{
	for (size_t i = 0; i < n; i++) {
		each(arg, group, &o[i]);
	}
}

void slt_config_document(void (*each)(void *arg, const char *group,
				      const struct slt_conf_option *o),
			 void *arg)
{
	document("", options, SLT_COUNT(options), each, arg);
	document("sides", side_options, SLT_COUNT(side_options), each, arg);
	document("routes", route_options, SLT_COUNT(route_options), each, arg);
	document("rest", rest_options, SLT_COUNT(rest_options), each, arg);
}
