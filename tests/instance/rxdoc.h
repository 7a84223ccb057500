/* SPDX-License-Identifier: MIT */
#pragma once

/* What the prescription centre reads out of a CDA prescription or dispensation. */

#include "base/xml.h"

#define SLT_RXDOC_MAX (8u << 20)

struct slt_rxdoc { /* strings in the arena; "" where the document has nothing */
	bool dispensation;
	const char *id_root, *id_ext; /* of the document */
	const char *person_root, *person_code;
	const char *rx_root, *rx_ext;	  /* the prescription, or the one that is fulfilled */
	const char *issued, *valid_until; /* YYYY-MM-DD */
	const char *product, *atc, *atc_name;
	const char *form_system, *form, *form_name;
	const char *strength, *quantity;
	bool no_export; /* marked with a code that keeps it in its country */
	xmlDoc *doc;
	struct slt_arena *arena;
};

/* SLT_EINVALID_XML; SLT_EINVAL when it is no prescription or dispensation or lacks an identifier.
 * A code of the list no_export_list among no_export_codes (a blank around each) sets no_export. */
SLT_CHECK bool slt_rxdoc_read(const void *p, size_t n, const char *no_export_list,
			      const char *no_export_codes, struct slt_rxdoc **ret,
			      struct slt_err *err);
void slt_rxdoc_free(struct slt_rxdoc *d);
SLT_DEFINE_AUTO(struct slt_rxdoc *, slt_rxdoc_free)
