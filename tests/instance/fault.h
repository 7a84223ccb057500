/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Faults on demand, for negative tests. At the client end one is chosen per call by the header
 * `X-Test-Fault: NAME` on the client URL; at the server end an administrator sets one for the
 * next answers.
 */

#include <pthread.h>

#include "base/error.h"

enum slt_fault {
	SLT_FAULT_NONE,
	/* requests */
	SLT_FAULT_UNSIGNED,	      /* no signature part */
	SLT_FAULT_CHANGED_BYTE,	      /* of the SOAP or REST head, after signing */
	SLT_FAULT_CHANGED_ATTACHMENT, /* a byte of the last attachment or body, after signing */
	SLT_FAULT_WRONG_MEMBER,	      /* signed with another member's certificate */
	SLT_FAULT_AUTH_KEY,	      /* signed with the authentication certificate */
	SLT_FAULT_EXPIRED,
	SLT_FAULT_EARLY, /* certificate not valid yet */
	SLT_FAULT_REVOKED,
	SLT_FAULT_UNKNOWN_STATUS, /* OCSP says unknown */
	SLT_FAULT_UNKNOWN_CA,
	SLT_FAULT_FORGED_CA,  /* an authority of the approved one's name, with another key */
	SLT_FAULT_STALE_OCSP, /* in the signature */
	SLT_FAULT_NO_OCSP,    /* in the signature */
	SLT_FAULT_TLS_NO_OCSP,
	SLT_FAULT_TLS_STALE_OCSP,
	SLT_FAULT_TLS_UNREGISTERED, /* certificate that no security server has registered */
	SLT_FAULT_TLS_EXPIRED,	    /* a registered one */
	SLT_FAULT_TLS_OTHER_SERVER, /* that of a server which does not serve the client */
	SLT_FAULT_CLIENT_NOT_ALLOWED,
	SLT_FAULT_OLD_VERSION, /* x-proxy-version */
	SLT_FAULT_BAD_VERSION,
	SLT_FAULT_NO_VERSION,
	SLT_FAULT_NO_HASH_ALGORITHM,
	SLT_FAULT_EXTRA_PART, /* after the signature */
	SLT_FAULT_TRUNCATED,
	SLT_FAULT_TWICE, /* the very same bytes are sent twice; the second answer counts */
	/* answers */
	SLT_FAULT_WRONG_HASH, /* requestHash */
	SLT_FAULT_NO_HASH,
	SLT_FAULT_OTHER_ID, /* of the message */
	SLT_FAULT_HTTP_500,
	SLT_FAULT_HTTP_404,
	SLT_FAULT_HANG,	     /* answers after 30 s */
	SLT_FAULT_SLOW,	     /* answers after 3 s */
	SLT_FAULT_NO_ANSWER, /* the service is called, then the connection ends */
	SLT_FAULT_COUNT
};

/* SLT_FAULT_COUNT when unknown, or of no use at that end. */
enum slt_fault slt_fault_find(const char *name, bool answer);
const char *slt_fault_name(enum slt_fault f);

struct slt_faults { /* of answers */
	pthread_mutex_t lock;
	enum slt_fault answer;
	unsigned times;
};
void slt_faults_init(struct slt_faults *f);
void slt_faults_set(struct slt_faults *f, enum slt_fault answer, unsigned times);
/* What the next answer shall suffer; counts down. */
enum slt_fault slt_faults_take(struct slt_faults *f);
