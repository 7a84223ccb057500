/* SPDX-License-Identifier: MIT */
/*
 * Makes the seeds of fuzz_cdasig:
 *   make build/tests/fuzz/mkseeds_kanta && build/tests/fuzz/mkseeds_kanta tests/fuzz/corpus
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/fuzz/kanta_world.h"

/* Small, so that the fuzzer comes far: the signature's code does not look into the body. */
static const char small[] =
	"<ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:hl7fi=\"urn:hl7finland\">"
	"<hl7fi:localHeader><hl7fi:signatureCollection/></hl7fi:localHeader>"
	"<component><structuredBody><component/></structuredBody></component></ClinicalDocument>";

static void keep(const char *corpus, const char *name, char *take)
{
	SLT_AUTO_STR char *dir = slt_path_join(corpus, "cdasig");
	SLT_AUTO_STR char *path = slt_path_join(dir, name);
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_mkdir_p(dir, 0755, &err) ||
	    !slt_file_write(path, take, strlen(take), 0644, &err)) {
		(void)fprintf(stderr, "%s\n", err.msg);
		exit(2);
	}
	free(take);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: mkseeds_kanta CORPUS\n");
		return 2;
	}

	struct kanta_world *w = kanta_world_new();
	struct kanta k = {.cert = w->signer, .alg = SLT_ECDSA_SHA256};
	SLT_AUTO_STR char *whole = kanta_prescription();

	keep(argv[1], "small", kanta_sign(&k, small));
	keep(argv[1], "prescription", kanta_sign(&k, whole));
	k.transforms = KANTA_EXCLUSIVE KANTA_XPATH("true()");
	keep(argv[1], "filter", kanta_sign(&k, small));
	k.transforms = NULL;
	k.alg = SLT_ECDSA_SHA512;
	k.also[0] = w->ca;
	keep(argv[1], "chain", kanta_sign(&k, small));
	return 0;
}
