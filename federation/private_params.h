/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * private-params.xml (formats 2 and 3): of what a central server tells its own instance only,
 * Silta needs the anchors of the instances that it is federated with. Also the reader of the
 * element that an anchor file and private parameters share.
 *
 * Checks structure. Does not check who signed the file (globalconf_dir does).
 */

#include "base/xml.h"
#include "federation/globalconf_dir.h"

#define SLT_PRIVATE_PARAMS_MAX	(8u << 20) /* bytes */
#define SLT_PRIVATE_ANCHORS_MAX 256

struct slt_private_params {
	const char *instance;
	struct slt_anchor **anchor;
	size_t n_anchor;
	struct slt_arena *arena;
};

/* SLT_EMALFORMED_GLOBALCONF. */
SLT_CHECK bool slt_private_params_parse(const void *p, size_t n, struct slt_private_params **ret,
					struct slt_err *err);
void slt_private_params_free(struct slt_private_params *p);
SLT_DEFINE_AUTO(struct slt_private_params *, slt_private_params_free)

/* The content of a configurationAnchor element, whatever its own name and namespace. Unless
 * strict, certificates that cannot be read are left out, as X-Road does with those of foreign
 * instances: a source may then have none, and nothing can be fetched from it. */
SLT_CHECK bool slt_anchor_from_xml(const xmlNode *node, bool strict, struct slt_anchor **ret,
				   struct slt_err *err);
/* Adds the children of such an element, each line indented by `indent` blanks. */
SLT_CHECK bool slt_anchor_add_xml(const struct slt_anchor *a, unsigned indent, struct slt_buf *out,
				  struct slt_err *err);
