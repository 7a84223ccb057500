/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The configuration source of a central server: shared and private parameters in every version
 * from 2 up to the highest one offered, signed directories for the own instance (internalconf)
 * and for others (externalconf), at locations with a time-stamp that stay for a while, so that a
 * download does not race with the next generation.
 *
 * All signing keys are announced in the `source` elements; the anchors name the first one only,
 * so that a rotation to the second one is a real one.
 */

#include "federation/globalconf_write.h"
#include "tests/instance/pki.h"

struct slt_confsource;

#define SLT_MORE_SERVERS 4

struct slt_confsource_options {
	const char *instance;
	const struct slt_country *country;
	const struct slt_pki *pki;
	/* which clients the instance's own security server has; with the bridge among them it
	 * has no security server of its own */
	bool centre, pharmacy, bridge_behind;
	int version; /* the highest one served, 2 to 6 */
	int64_t freshness_s, expire_s;
	const char *address;	    /* host:port of this source */
	const char *server_address; /* of the own security server, and of the bridge's */
	const char *bridge_address;
	const char *ocsp_url, *tsa_url;
	const char *anchor_path, *external_anchor_path;
	const char *federate; /* anchor of another instance; may be NULL, may appear later */
};

/* Publishes the first generation and writes the anchors. Strings are borrowed. */
SLT_CHECK bool slt_confsource_new(const struct slt_confsource_options *o,
				  struct slt_confsource **ret, struct slt_err *err);
void slt_confsource_free(struct slt_confsource *c);
SLT_DEFINE_AUTO(struct slt_confsource *, slt_confsource_free)

/* Publishes a new generation when one is due or the federated anchor has changed; to be called
 * every second or so. *ret_new says whether it did. */
SLT_CHECK bool slt_confsource_tick(struct slt_confsource *c, bool *ret_new, struct slt_err *err);

/* What an administrator may change; each publishes at once. */
SLT_CHECK bool slt_confsource_rotate(struct slt_confsource *c, bool external, struct slt_err *err);
/* Announces the bridge's (or the own) security server as being in maintenance. */
SLT_CHECK bool slt_confsource_maintenance(struct slt_confsource *c, bool bridge, bool on,
					  struct slt_err *err);
/* Security servers beside the own one, with its clients and its certificate: addresses with commas
 * between them, at most SLT_MORE_SERVERS; "" for none. */
SLT_CHECK bool slt_confsource_more_servers(struct slt_confsource *c, const char *addresses,
					   struct slt_err *err);
/* Takes the bridge's server out of the configuration, or puts it back. */
SLT_CHECK bool slt_confsource_register_bridge(struct slt_confsource *c, bool on,
					      struct slt_err *err);
/* Directories made from now on expire so many seconds after (negative: before) their making;
 * 0: as configured. */
SLT_CHECK bool slt_confsource_expiry(struct slt_confsource *c, int64_t seconds,
				     struct slt_err *err);

/* GET of a path with its version parameter (0: none given). False: 404. */
bool slt_confsource_get(struct slt_confsource *c, const char *path, int version,
			struct slt_buf *out, const char **ret_content_type);
