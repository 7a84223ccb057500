/* SPDX-License-Identifier: MIT */
/* X-Road's hash chain files (HashChainVerifierTest); SHA-256. */
#include "wire_vectors.h"

#include "federation/hashchain.h"

#define FILES_MAX 3
#define PARTS_MAX 4

/* How the digest of a part is known. */
enum known { NOT, OF_MESSAGE, OF_CHAIN, ONE_BYTE };

struct vector {
	const char *name;
	const char *result;
	struct {
		const char *uri, *file;
	} files[FILES_MAX]; /* what the verifier can get */
	struct {
		const char *name;
		enum known known;
		unsigned char byte;
	} parts[PARTS_MAX];
	const char *want;
};

#define CHAIN1                                                                                     \
	{                                                                                          \
		"/hashchain.xml", "hc-verifier1-hashchain.xml"                                     \
	}
#define MESSAGE1                                                                                   \
	{                                                                                          \
		"/message.xml", "hc-verifier1-message.xml"                                         \
	}
#define RESULT1 "hc-verifier1-hashchainresult.xml"
#define CHAIN2                                                                                     \
	{                                                                                          \
		"/hashchain.xml", "hc-verifier2-hashchain.xml"                                     \
	}
#define MESSAGE3                                                                                   \
	{                                                                                          \
		"/message.xml", "hc-verifier3-message.xml"                                         \
	}
#define RESULT3 "hc-verifier3-hashchainresult.xml"

/* clang-format off */
static const struct vector vectors[] = {
	{"simple", RESULT1, {CHAIN1, MESSAGE1}, {{"/message.xml", NOT, 0}}, NULL},
	{"attached input", RESULT1, {CHAIN1}, {{"/message.xml", OF_MESSAGE, 0}}, NULL},
	{"digest mismatch", RESULT1, {CHAIN1}, {{"/message.xml", OF_CHAIN, 0}}, "invalid_hash_chain"},
	{"unused inputs", RESULT1, {CHAIN1, MESSAGE1},
	 {{"/message.xml", NOT, 0}, {"/unused1", NOT, 0}, {"/unused2", NOT, 0}},
	 "hashchain_unused_inputs"},
	{"not at hand", RESULT1, {CHAIN1}, {{"/message.xml", NOT, 0}}, "invalid_reference"},
	{"chain not at hand", RESULT1, {MESSAGE1}, {{"/message.xml", NOT, 0}}, "invalid_reference"},
	{"two chains", "hc-verifier4-hashchainresult.xml",
	 {{"/hashchain.xml", "hc-verifier4-hashchain1.xml"},
	  {"/hashchain2.xml", "hc-verifier4-hashchain2.xml"},
	  {"/message.xml", "hc-verifier4-message.xml"}},
	 {{"/message.xml", NOT, 0}}, NULL},
	{"attachments", "hc-verifier2-hashchainresult.xml", {CHAIN2},
	 {{"/message.xml", ONE_BYTE, 11}, {"/attachment1", ONE_BYTE, 12},
	  {"/attachment2", ONE_BYTE, 13}, {"/attachment3", ONE_BYTE, 14}}, NULL},
	{"attachments, one changed", "hc-verifier2-hashchainresult.xml", {CHAIN2},
	 {{"/message.xml", ONE_BYTE, 11}, {"/attachment1", ONE_BYTE, 12},
	  {"/attachment2", ONE_BYTE, 99}, {"/attachment3", ONE_BYTE, 14}}, "invalid_hash_chain"},
	{"attachments, resolver refuses", "hc-verifier2-hashchainresult.xml", {CHAIN2},
	 {{"/message.xml", ONE_BYTE, 11}}, NULL},
	{"transforms", RESULT3, {{"/hashchain.xml", "hc-verifier3-hashchain.xml"}, MESSAGE3},
	 {{"/message.xml", NOT, 0}}, NULL},
	{"transforms invalid", RESULT3,
	 {{"/hashchain.xml", "hc-verifier3-hashchain-invalid.xml"}, MESSAGE3},
	 {{"/message.xml", NOT, 0}}, "invalid_hash_chain_ref"},
	{"schema", RESULT3,
	 {{"/hashchain.xml", "hc-verifier5-hashchain-invalid-schema.xml"}, MESSAGE3},
	 {{"/message.xml", NOT, 0}}, "malformed_hash_chain"},
};
/* clang-format on */

struct resolver {
	const struct vector *v;
	char *p[FILES_MAX];
	size_t n[FILES_MAX];
};

static struct slt_str resolve(void *arg, const char *uri)
{
	const struct resolver *r = arg;

	for (size_t i = 0; i < FILES_MAX && r->v->files[i].uri; i++) {
		if (strcmp(r->v->files[i].uri, uri) == 0) {
			return (struct slt_str){r->p[i], r->n[i]};
		}
	}
	return (struct slt_str){NULL, 0};
}

static bool should_resolve(void *arg, const char *uri)
{
	(void)arg;
	return strncmp(uri, "/attachment", 11) != 0;
}

static struct slt_digest digest_of(const struct resolver *r, enum known known, unsigned char byte)
{
	struct slt_digest d = {.alg = SLT_SHA256, .n = 1, .v = {byte}};
	size_t n = 0;

	if (known == OF_MESSAGE) {
		SLT_AUTO_STR char *p = load_vector("hashchain", "hc-verifier1-message.xml", &n);
		slt_digest_of(SLT_SHA256, p, n, &d);
	} else if (known == OF_CHAIN) {
		slt_digest_of(SLT_SHA256, r->p[0], r->n[0], &d);
	}
	return d;
}

static void run(void **state)
{
	const struct vector *v = *state;
	struct resolver r = {.v = v};
	struct slt_digest digests[PARTS_MAX];
	struct slt_hc_part parts[PARTS_MAX] = {{.name = NULL}};
	struct slt_err err = SLT_ERR_INIT;
	size_t n = 0;
	SLT_AUTO_STR char *result = load_vector("hashchain", v->result, &n);
	struct slt_hc_verify hv = {.result = {result, n},
				   .parts = parts,
				   .resolve = resolve,
				   .should_resolve = should_resolve,
				   .arg = &r};

	for (size_t i = 0; i < FILES_MAX && v->files[i].uri; i++) {
		r.p[i] = load_vector("hashchain", v->files[i].file, &r.n[i]);
	}
	for (size_t i = 0; i < PARTS_MAX && v->parts[i].name; i++) {
		digests[i] = digest_of(&r, v->parts[i].known, v->parts[i].byte);
		parts[i].name = v->parts[i].name;
		parts[i].digest = v->parts[i].known == NOT ? NULL : &digests[i];
		hv.n_parts++;
	}
	bool good = slt_hashchain_verify(&hv, &err);
	for (size_t i = 0; i < FILES_MAX; i++) {
		free(r.p[i]);
	}
	expect_outcome(good, &err, v->want);
}

int main(void)
{
	return run_cases(vectors, sizeof(vectors[0]), SLT_COUNT(vectors), run);
}
