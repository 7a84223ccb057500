/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Whatever was read, the queries about all of it hold together. */
static void ask(struct slt_gc_instance *in)
{
	const struct slt_globalconf gc = {.refs = 1, .instance = &in, .n_instance = 1};
	const struct slt_gc_client *c = NULL;
	const struct slt_gc_server *s = NULL;
	struct slt_gc_info info;
	size_t clients = 0, servers = 0;

	slt_gc_instance_info(in, &info);
	while ((c = slt_gc_instance_next_client(in, c))) {
		slt_assert(slt_globalconf_client(&gc, &c->id) == c);
		s = slt_globalconf_server_of(&gc, &c->id, 0);
		slt_assert(!s || slt_globalconf_serves(&gc, s, &c->id));
		clients++;
	}
	slt_assert(clients == info.n_members + info.n_subsystems);
	s = NULL;
	while ((s = slt_gc_instance_next_server(in, s))) {
		const struct slt_id owner = slt_id_member(&s->id);
		slt_assert(slt_globalconf_serves(&gc, s, &owner));
		servers++;
	}
	slt_assert(servers == info.n_servers);
	for (size_t i = 0; i < in->n_ca; i++) {
		slt_assert(
			slt_globalconf_find_ca(&gc, NULL, X509_get_subject_name(in->ca[i]->cert)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	for (int i = 0; i < 2; i++) {
		const struct gc_parse_options o = {.sources_only = i == 1};
		SLT_AUTO(slt_gc_instance_free) struct slt_gc_instance *in = NULL;
		SLT_AUTO_BUF(warnings, 4096);
		struct slt_err err = SLT_ERR_INIT;
		if (slt_gc_instance_parse(p, n, &o, &warnings, &in, &err)) {
			ask(in);
		} else {
			slt_assert(err.code == SLT_EMALFORMED_GLOBALCONF);
		}
	}
	return 0;
}
