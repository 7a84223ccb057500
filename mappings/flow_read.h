/* SPDX-License-Identifier: MIT */
#pragma once

/* Reading the lists of a flow's files; used by ruleset.c alone. Problems go to the conf's list. */

#include "base/digest.h"
#include "mappings/ruleset.h"

struct slt_flow_reader {
	struct slt_conf *c;
	const struct slt_prefixes *prefixes;
	struct slt_arena *a;
};

/* Those of `common` (may be NULL) and then the file's own. */
void slt_flow_read_prefixes(struct slt_conf *c, const struct slt_prefixes *common,
			    struct slt_arena *a, struct slt_prefixes *ret);
void slt_flow_read_messages(const struct slt_flow_reader *r, struct slt_flow *f);
void slt_flow_read_documents(const struct slt_flow_reader *r, struct slt_flow *f);
void slt_flow_read_fields(const struct slt_flow_reader *r, struct slt_flow *f);
void slt_flow_read_guards(const struct slt_flow_reader *r, struct slt_flow *f);
void slt_flow_read_subjects(const struct slt_flow_reader *r, struct slt_flow *f);
void slt_flow_read_narratives(const struct slt_flow_reader *r, struct slt_flow *f);
void slt_flow_read_services(const struct slt_flow_reader *r, const struct slt_flow *f,
			    struct slt_flow_country *fc);
void slt_flow_read_names(const struct slt_flow_reader *r, struct slt_flow_country *fc);
void slt_flow_read_shapes(const struct slt_flow_reader *r, struct slt_flow_country *fc);
/* The files they name lie in `dir`, and their digests go to the hasher. */
void slt_flow_read_schemas(const struct slt_flow_reader *r, const char *dir,
			   struct slt_hasher *hasher, struct slt_lint *lint,
			   struct slt_schemas **ret, size_t *ret_n);
void slt_flow_read_faults(const struct slt_flow_reader *r, struct slt_flow_country *fc);
