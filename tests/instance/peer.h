/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What both ends of the instance's security server share: its keys, making and checking
 * signatures, its own OCSP responses, and messages as bytes with a fault in them.
 */

#include "federation/soap.h"
#include "tests/instance/box.h"

struct slt_peer;

SLT_CHECK bool slt_peer_new(const struct slt_pki *pki, struct slt_peer **ret, struct slt_err *err);
void slt_peer_free(struct slt_peer *p);
/* The security server's TLS identity, or the one that the fault asks for. */
struct slt_client_tls *slt_peer_tls(const struct slt_peer *p, enum slt_fault fault);
/* What it shows to information systems, which know it by this certificate alone. */
struct slt_client_tls *slt_peer_internal_tls(const struct slt_peer *p);
/* May the security server present itself with the certificate of this name? */
bool slt_peer_is_identity(const char *name);

/* Which member of the instance this is: "centre", "pharmacy" or "bridge". */
const char *slt_peer_role(const struct slt_box *b, const struct slt_id *client);
/* Signs as one of the members, with what the fault asks for. */
SLT_CHECK bool slt_peer_sign(struct slt_box *b, const struct slt_globalconf *gc, const char *role,
			     enum slt_fault fault, struct slt_message *m, struct slt_err *err);
/* Verifies a message against the member that must have signed it; all failures under
 * SLT_SIGNATURE_VERIFICATION. */
SLT_CHECK bool slt_peer_verify(const struct slt_globalconf *gc, const struct slt_message *m,
			       const struct slt_id *signer, struct slt_err *err);
/* Puts the OCSP responses of the own TLS chain into the message. */
SLT_CHECK bool slt_peer_add_ocsp(struct slt_box *b, const struct slt_globalconf *gc,
				 enum slt_fault fault, struct slt_message *m, struct slt_err *err);
/* Changes a byte of a signed message, if the fault is one of these. message_id is a text in its
 * head that may be changed. */
SLT_CHECK bool slt_peer_damage(struct slt_message *m, const char *message_id, enum slt_fault fault,
			       struct slt_err *err);
/* The message as it goes over the wire, damaged in form if the fault is one of these.
 * *ret_content_type is malloc'ed. */
SLT_CHECK bool slt_peer_bytes(const struct slt_message *m, enum slt_fault fault,
			      struct slt_buf *out, char **ret_content_type, struct slt_err *err);
/* A SOAP Fault for an error, with HTTP status 200, as security servers do. */
void slt_peer_fault(struct slt_request *r, const struct slt_err *err);
/* SLT_ECLIENT_PROXY_VERSION unless version (NULL: none) is at least SLT_BOX_VERSION_MIN. */
SLT_CHECK bool slt_peer_check_version(const char *version, struct slt_err *err);
