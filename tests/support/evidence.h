/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Making evidence for tests and benches: keys ready to sign, time-stamps of any instant, signature
 * documents changed after the fact, containers of all this.
 *
 * As with the rest of the test PKI, a function that cannot do its work ends the program.
 */

#include "federation/asic.h"
#include "federation/xades_sign.h"
#include "tests/support/pki.h"

/* A key that signs with this algorithm, whatever the algorithm is worth. slt_key_free(). */
struct slt_key *evidence_key(const struct pki_cert *cert, enum slt_sig_alg alg);

/* A time-stamp token (DER ContentInfo) over the SHA-512 of data, with the authority's certificate
 * in it, added to out. OpenSSL makes it: nothing of the program's own is involved. */
void evidence_stamp(const struct pki_cert *tsa, int64_t gen_time_ms, struct slt_str data,
		    struct slt_buf *out);

/* The text with the first occurrence of `from` replaced; malloc'ed. Ends the program when there is
 * none. */
char *evidence_replace(const char *text, const char *from, const char *to);
/* From the first occurrence of `from` up to and with the next `to`: left out. */
char *evidence_cut(const char *text, const char *from, const char *to);

/* A signature document that was changed, signed again with the key: the digest of SignedProperties
 * where they are referenced, then the signature value. What an insider could make. malloc'ed. */
char *evidence_resign(struct slt_key *key, const char *text);

/* The document with a time-stamp of its signature value put in. malloc'ed. */
char *evidence_stamp_single(const struct pki_cert *tsa, int64_t gen_time_ms, const char *text);
/* A time-stamp over several signature documents; one hash chain each. slt_buf_init'ed token. */
void evidence_stamp_batch(const struct pki_cert *tsa, int64_t gen_time_ms, const char *const *texts,
			  size_t n, struct slt_hc_result *ret, struct slt_buf *token);
