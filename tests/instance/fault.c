/* SPDX-License-Identifier: MIT */
#include "tests/instance/fault.h"

#include <string.h>

enum { REQUEST = 1, ANSWER = 2 };

static const struct {
	const char *name;
	unsigned ends;
} faults[SLT_FAULT_COUNT] = {
	/* clang-format off */
	[SLT_FAULT_NONE] = {"none", REQUEST | ANSWER},
	[SLT_FAULT_UNSIGNED] = {"unsigned", REQUEST | ANSWER},
	[SLT_FAULT_CHANGED_BYTE] = {"changed-byte", REQUEST | ANSWER},
	[SLT_FAULT_CHANGED_ATTACHMENT] = {"changed-attachment", REQUEST | ANSWER},
	[SLT_FAULT_WRONG_MEMBER] = {"wrong-member", REQUEST | ANSWER},
	[SLT_FAULT_AUTH_KEY] = {"auth-key", REQUEST | ANSWER},
	[SLT_FAULT_EXPIRED] = {"expired", REQUEST},
	[SLT_FAULT_EARLY] = {"early", REQUEST},
	[SLT_FAULT_REVOKED] = {"revoked", REQUEST},
	[SLT_FAULT_UNKNOWN_STATUS] = {"unknown-status", REQUEST},
	[SLT_FAULT_UNKNOWN_CA] = {"unknown-ca", REQUEST},
	[SLT_FAULT_FORGED_CA] = {"forged-ca", REQUEST},
	[SLT_FAULT_STALE_OCSP] = {"stale-ocsp", REQUEST | ANSWER},
	[SLT_FAULT_NO_OCSP] = {"no-ocsp", REQUEST | ANSWER},
	[SLT_FAULT_TLS_NO_OCSP] = {"tls-no-ocsp", REQUEST},
	[SLT_FAULT_TLS_STALE_OCSP] = {"tls-stale-ocsp", REQUEST},
	[SLT_FAULT_TLS_UNREGISTERED] = {"tls-unregistered", REQUEST},
	[SLT_FAULT_TLS_EXPIRED] = {"tls-expired", REQUEST},
	[SLT_FAULT_TLS_OTHER_SERVER] = {"tls-other-server", REQUEST},
	[SLT_FAULT_CLIENT_NOT_ALLOWED] = {"client-not-allowed", REQUEST},
	[SLT_FAULT_OLD_VERSION] = {"old-version", REQUEST},
	[SLT_FAULT_BAD_VERSION] = {"bad-version", REQUEST},
	[SLT_FAULT_NO_VERSION] = {"no-version", REQUEST},
	[SLT_FAULT_NO_HASH_ALGORITHM] = {"no-hash-algorithm", REQUEST | ANSWER},
	[SLT_FAULT_EXTRA_PART] = {"extra-part", REQUEST | ANSWER},
	[SLT_FAULT_TRUNCATED] = {"truncated", REQUEST | ANSWER},
	[SLT_FAULT_TWICE] = {"twice", REQUEST},
	[SLT_FAULT_WRONG_HASH] = {"wrong-hash", ANSWER},
	[SLT_FAULT_NO_HASH] = {"no-hash", ANSWER},
	[SLT_FAULT_OTHER_ID] = {"other-id", ANSWER},
	[SLT_FAULT_HTTP_500] = {"http-500", ANSWER},
	[SLT_FAULT_HTTP_404] = {"http-404", ANSWER},
	[SLT_FAULT_HANG] = {"hang", ANSWER},
	[SLT_FAULT_SLOW] = {"slow", ANSWER},
	[SLT_FAULT_NO_ANSWER] = {"no-answer", ANSWER},
	/* clang-format on */
};

enum slt_fault slt_fault_find(const char *name, bool answer)
{
	unsigned end = answer ? ANSWER : REQUEST;
	for (unsigned i = 0; i < SLT_FAULT_COUNT; i++) {
		if (strcmp(faults[i].name, name) == 0 && (faults[i].ends & end) != 0) {
			return (enum slt_fault)i;
		}
	}
	return SLT_FAULT_COUNT;
}

const char *slt_fault_name(enum slt_fault f)
{
	return faults[f].name;
}

void slt_faults_init(struct slt_faults *f)
{
	*f = (struct slt_faults){.answer = SLT_FAULT_NONE};
	pthread_mutex_init(&f->lock, NULL);
}

void slt_faults_set(struct slt_faults *f, enum slt_fault answer, unsigned times)
{
	pthread_mutex_lock(&f->lock);
	f->answer = answer;
	f->times = times;
	pthread_mutex_unlock(&f->lock);
}

enum slt_fault slt_faults_take(struct slt_faults *f)
{
	enum slt_fault now = SLT_FAULT_NONE;
	pthread_mutex_lock(&f->lock);
	if (f->times > 0) {
		now = f->answer;
		f->times--;
	}
	pthread_mutex_unlock(&f->lock);
	return now;
}
