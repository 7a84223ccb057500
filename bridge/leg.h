/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is done alike on both legs of an exchange: verifying a message that came in under its
 * country's trust, signing one that goes out as the bridge's own member there.
 */

#include "federation/message.h"
#include "side.h"

/* The signature covers every part and is the signer's (member level), strictly, under a snapshot of
 * the side's configuration. Errors under SLT_SIGNATURE_VERIFICATION. */
SLT_CHECK bool slt_leg_verify(struct slt_side *side, const struct slt_globalconf *gc,
			      const struct slt_message *m, const struct slt_id *signer,
			      int64_t now_ms, struct slt_err *err);
/* Signs n messages as the side's member with one operation of its key: several as a batch. Fills in
 * their signatures and hash chains. */
SLT_CHECK bool slt_leg_sign(struct slt_side *side, struct slt_message *const *m, size_t n,
			    int64_t now_ms, struct slt_err *err);
