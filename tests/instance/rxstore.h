/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The centre's prescriptions and what was dispensed on them: a prescription is open, dispensed,
 * reserved or annulled; a dispensation takes it from open to dispensed, once, and its
 * cancellation back. Not for two threads at a time.
 */

#include "tests/instance/country.h"
#include "tests/instance/rxdoc.h"

enum slt_rx_state { SLT_RX_OPEN, SLT_RX_DISPENSED, SLT_RX_RESERVED, SLT_RX_ANNULLED };

struct slt_rx {
	char *file; /* name in the directory */
	char *bytes;
	size_t n_bytes;
	struct slt_rxdoc *doc;
	enum slt_rx_state state, first; /* now, and as it came */
	const struct slt_rx *instead;	/* whose document is given out; NULL: its own */
};

struct slt_rx_sale {
	char *root, *ext; /* ext NULL: none */
	struct slt_rx *rx;
	char *document, *client, *message_id; /* the dispensation's own id; who sent it */
	int64_t at_ms;
	bool cancelled;
};

struct slt_rx_facts { /* of a dispensation; borrowed */
	const char *document, *client, *message_id;
	int64_t at_ms;
};

struct slt_rxstore;

/* Documents of dir with their states from index.tsv, where there is one; those of other countries'
 * persons and dispensations are passed over. dir NULL: none. */
SLT_CHECK bool slt_rxstore_load(const struct slt_country_words *w, const char *dir,
				struct slt_rxstore **ret, struct slt_err *err);
void slt_rxstore_free(struct slt_rxstore *s);

struct slt_rx *slt_rxstore_at(struct slt_rxstore *s, size_t i); /* NULL at the end */
struct slt_rx *slt_rxstore_find(struct slt_rxstore *s, const char *root, const char *ext);
const struct slt_rx_sale *slt_rxstore_sale_at(struct slt_rxstore *s, size_t i);
/* A new dispensation of an open prescription. */
const struct slt_rx_sale *slt_rxstore_dispense(struct slt_rxstore *s, struct slt_rx *rx,
					       const struct slt_rx_facts *facts);
/* Cancels; false when there is no such dispensation (any more) of this prescription. */
bool slt_rxstore_cancel(struct slt_rxstore *s, struct slt_rx *rx, const char *root,
			const char *ext);
void slt_rxstore_reset(struct slt_rxstore *s);

const char *slt_rx_state_word(const struct slt_country_words *w, enum slt_rx_state s);
bool slt_rx_state_find(const struct slt_country_words *w, const char *word, enum slt_rx_state *ret);
/* May this form be given where that one was prescribed? */
bool slt_rx_form_fits(const struct slt_rxdoc *prescribed, const struct slt_rxdoc *dispensed);
