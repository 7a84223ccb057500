/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a snapshot of the global configuration is made of; for globalconf*.c only.
 *
 * One instance is one shared-params.xml, read by slt_gc_instance_parse() in one pass of constant
 * memory per member. Everything lies in the instance's arena except certificates and the buckets
 * of the hash tables. Queries cost the same in an instance of ten members and of a million: the
 * tables are keyed by values that the configuration's signer chose, never by a peer.
 */

#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

#include "federation/globalconf.h"

struct gc_server;

struct gc_link { /* one server that serves a party, in document order */
	struct gc_server *server;
	struct gc_link *next;
};

struct gc_party { /* member or subsystem; key: class\0code\0 or class\0code\0subsystem\0 */
	struct slt_gc_client client;
	struct gc_link *first, *last;
	UT_hash_handle hh;
};

struct gc_server { /* key: class\0code\0server\0 */
	struct slt_gc_server pub;
	struct gc_party *owner;
	size_t n_clients, n_certs;
	UT_hash_handle hh;
	struct gc_server *next; /* document order, duplicates included */
};

struct gc_cert_entry { /* where one certificate is registered */
	struct gc_server *server;
	struct gc_cert_entry *next; /* another server with the same certificate */
};

struct gc_cert_hash {
	struct gc_cert_entry first;
	struct gc_cert_entry *last;
	UT_hash_handle hh;
};

struct gc_group_member { /* key: instance\0class\0code\0[subsystem\0] */
	UT_hash_handle hh;
};

struct gc_group { /* key: code */
	struct slt_gc_group pub;
	struct gc_group_member *members;
	UT_hash_handle hh;
};

struct slt_gc_instance {
	struct slt_arena *arena;
	const char *name;
	int version;
	int64_t expires_ms; /* 0: not said */
	int64_t ocsp_freshness_s;
	bool verify_next_update;

	struct slt_gc_source *source;
	size_t n_source;
	struct slt_gc_ca **ca;
	size_t n_ca;
	struct slt_gc_tsa **tsa;
	size_t n_tsa;

	struct gc_party *party;
	size_t n_member, n_subsystem;
	struct gc_server *server; /* by key */
	struct gc_server *first_server, *last_server;
	size_t n_server;
	struct gc_cert_hash *cert_hash;
	struct gc_group *group;
};

struct slt_globalconf {
	int refs;			   /* atomic */
	struct slt_gc_instance **instance; /* the own one first */
	size_t n_instance;
};

#define GC_KEY_MAX (4 * (SLT_ID_PART_MAX + 1))

struct gc_key { /* parts of an identifier, each with its NUL */
	size_t n;
	char v[GC_KEY_MAX];
};
/* False when a part is too long to be anywhere. */
bool gc_key_add(struct gc_key *k, const char *part);
bool gc_key_client(struct gc_key *k, const struct slt_id *id);
bool gc_key_server(struct gc_key *k, const struct slt_id *id);
bool gc_key_with_instance(struct gc_key *k, const struct slt_id *id);

struct gc_parse_options {
	bool allow_test_profile;
	bool sources_only; /* stop after the sources: what fetching needs of a large file */
};
/* Reads shared-params.xml. SLT_EMALFORMED_GLOBALCONF. Authorities of which only an OCSP or
 * time-stamping certificate cannot be read are left out and named in warnings. */
SLT_CHECK bool slt_gc_instance_parse(const void *p, size_t n, const struct gc_parse_options *o,
				     struct slt_buf *warnings, struct slt_gc_instance **ret,
				     struct slt_err *err);
void slt_gc_instance_free(struct slt_gc_instance *in);
SLT_DEFINE_AUTO(struct slt_gc_instance *, slt_gc_instance_free)

/* verifyNextUpdate of nextupdate-params.xml. */
SLT_CHECK bool slt_gc_nextupdate_parse(const void *p, size_t n, bool *ret, struct slt_err *err);
