/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Signatures inside documents: between the mapping, which asks whether one is good, and the
 * federation, which knows (cdasig.h says what is checked and what is not).
 */

#include "federation/cdasig.h"
#include "mappings/engine.h"

struct slt_seal {
	const struct slt_cdasig_authorities *authorities; /* NULL: none can be verified */
	int64_t now_ms;
	bool allow_sha1;
	struct slt_map_judge judge; /* filled in */
};

/* For slt_map_input, as long as the seal lives; NULL when there are no authorities. */
const struct slt_map_judge *slt_seal_judge(struct slt_seal *s);
