/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Logged messages as ASiC-E containers (xroad-wire 6.1), as X-Road's own verifier reads them: one
 * container a message, with the batch time-stamp when there is one.
 */

#include "federation/ident.h"
#include "msglog.h"

/* "<exchange>-<side>-request.asice": the side in lower case, what is no letter, digit or hyphen in
 * it as "_". */
void slt_msglog_export_name(const struct slt_msglog_message *m, struct slt_buf *out);

struct slt_msglog_export_notes {
	bool unstamped;	     /* verifiers that want a time-stamp will refuse it */
	unsigned n_left_out; /* attachments too long for a container */
	/* Who sealed it, in the text that slt_id_text() writes: verifiers must be told, unless the
	 * message names the same member. "" for one that its own sender signed. */
	char sealer[4 * SLT_ID_PART_MAX + 4];
};

/* Appends the container. SLT_EMISSING_SIGNATURE for a message logged without one, SLT_ENOTFOUND
 * when its body was cut off. */
SLT_CHECK bool slt_msglog_export(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
				 struct slt_buf *out, struct slt_msglog_export_notes *ret,
				 struct slt_err *err);
/* The same as a file, with bodies of any length up to what a ZIP file may have (4 GB), which are
 * not held in memory. The file is there whole or not at all. */
SLT_CHECK bool slt_msglog_export_file(struct slt_msglog_reader *r,
				      const struct slt_msglog_message *m, const char *path,
				      struct slt_msglog_export_notes *ret, struct slt_err *err);
