/* SPDX-License-Identifier: MIT */
/*
 * Makes the seeds of fuzz_signature, fuzz_tsp and fuzz_asic:
 *   make build/tests/fuzz/mkseeds_sign && build/tests/fuzz/mkseeds_sign tests/fuzz/corpus
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "federation/asic.h"
#include "federation/xades_form.h"
#include "federation/xades_sign.h"
#include "tests/fuzz/sign_world.h"
#include "tests/unit/tsa_fixture.h"
#include "tests/unit/zip_fixture.h"

static const char *corpus;

static void check(bool good, const struct slt_err *err)
{
	if (!good) {
		(void)fprintf(stderr, "%s\n", err->msg);
		exit(2);
	}
}

static void keep(const char *target, const char *name, struct slt_str bytes)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *dir = slt_path_join(corpus, target);
	SLT_AUTO_STR char *path = slt_path_join(dir, name);

	check(slt_mkdir_p(dir, 0755, &err) && slt_file_write(path, bytes.p, bytes.n, 0644, &err),
	      &err);
}

static struct slt_key *load_key(const struct sign_world *w)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_key *key = NULL;

	pki_write_pem(w->cert, "/tmp/slt-seed.cert", "/tmp/slt-seed.key");
	check(slt_key_load("/tmp/slt-seed.key", "/tmp/slt-seed.cert", NULL, false, &key, &err),
	      &err);
	(void)remove("/tmp/slt-seed.cert");
	(void)remove("/tmp/slt-seed.key");
	return key;
}

static void sign(const struct sign_world *w, size_t n_parts, struct slt_signed *ret)
{
	static const char *const names[] = {"/message.xml", "/attachment1"};
	SLT_AUTO(slt_key_free) struct slt_key *key = load_key(w);
	SLT_AUTO_BUF(ocsp, SLT_OCSP_BYTES_MAX);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d[2];

	pki_ocsp_good(w->cert, w->ca, PKI_NOW - 60000, &ocsp);

	struct slt_str response = slt_buf_str(&ocsp);
	struct slt_sign_options o = {.key = key, .ocsp = &response, .n_ocsp = 1, .now_ms = PKI_NOW};
	struct slt_sign_input in = {d, names, n_parts};

	slt_digest_of(SLT_SHA512, SIGN_MESSAGE, sizeof(SIGN_MESSAGE) - 1, &d[0]);
	slt_digest_of(SLT_SHA512, SIGN_ATTACHMENT, sizeof(SIGN_ATTACHMENT) - 1, &d[1]);
	check(slt_xades_sign(&o, &in, 1, ret, &err), &err);
}

static void signature_seeds(const struct slt_signed *direct, const struct slt_signed *chained)
{
	SLT_AUTO_BUF(b, 1u << 20);

	keep("signature", "direct", slt_str(direct->signature));
	slt_buf_adds(&b, chained->signature);
	slt_buf_addc(&b, '\0');
	slt_buf_adds(&b, chained->hash_chain_result);
	slt_buf_addc(&b, '\0');
	slt_buf_adds(&b, chained->hash_chain);
	keep("signature", "chained", slt_buf_str(&b));
}

static void tsp_seeds(const struct sign_world *w)
{
	SLT_AUTO_BUF(request, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(answer, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(token, SLT_TSP_BYTES_MAX);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;

	slt_digest_of(SLT_SHA512, SIGN_MESSAGE, sizeof(SIGN_MESSAGE) - 1, &d);
	check(slt_tsp_request(&d, &request, &err), &err);
	tsa_answer(w->tsa, slt_buf_str(&request), &answer);
	keep("tsp", "answer", slt_buf_str(&answer));
	tsa_stamp(w->gc, w->tsa, SLT_STR_C(SIGN_MESSAGE), &token);
	keep("tsp", "token", slt_buf_str(&token));
}

static void asic_seeds(const struct sign_world *w, const struct slt_signed *s)
{
	static const char at[] = "<xades:UnsignedSignatureProperties>";
	const char *split = strstr(s->signature, at) + sizeof(at) - 1;
	SLT_AUTO(slt_xades_free) struct slt_xades *x = NULL;
	SLT_AUTO_BUF(value, 4096);
	SLT_AUTO_BUF(token, SLT_TSP_BYTES_MAX);
	SLT_AUTO_BUF(stamped, 1u << 20);
	SLT_AUTO_BUF(out, 1u << 20);
	SLT_AUTO_BUF(archive, 1u << 20);
	struct slt_err err = SLT_ERR_INIT;

	check(slt_xades_parse(slt_str(s->signature), &x, &err) &&
		      slt_xades_signature_value(x, &value, &err),
	      &err);
	tsa_stamp(w->gc, w->tsa, slt_buf_str(&value), &token);
	slt_buf_add(&stamped, s->signature, (size_t)(split - s->signature));
	slt_buf_adds(&stamped, "<xades:SignatureTimeStamp><xades:EncapsulatedTimeStamp>");
	slt_buf_add_base64(&stamped, token.p, token.n);
	slt_buf_adds(&stamped, "</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>");
	slt_buf_adds(&stamped, split);

	struct slt_asic_entries e = {
		.message = SLT_STR_C(SIGN_MESSAGE),
		.signature = slt_buf_str(&stamped),
		.hash_chain_result = slt_str(s->hash_chain_result),
		.hash_chain = slt_str(s->hash_chain),
		.attachment = {SLT_STR_C(SIGN_ATTACHMENT)},
		.n_attachments = 1,
	};

	check(slt_asic_write(&e, &out, &err), &err);
	keep("asic", "container", slt_buf_str(&out));

	/* stored, so that a fuzzer can change what is inside */
	struct zip_entry z[] = {
		{.name = "mimetype", .data = MIME},
		{.name = "message.xml", .data = e.message},
		{.name = "META-INF/signatures.xml", .data = e.signature},
		{.name = "sig-hashchainresult.xml", .data = e.hash_chain_result},
		{.name = "sig-hashchain.xml", .data = e.hash_chain},
	};

	slt_buf_reset(&out);
	zip_build(z, SLT_COUNT(z), &out);
	keep("asic", "stored", slt_buf_str(&out));

	struct zip_entry a[] = {
		{.name = "linkinginfo", .data = SLT_STR_C("- - SHA-256\n00 a.asice\n")},
		{.name = "a.asice", .data = X},
	};

	zip_build(a, SLT_COUNT(a), &archive);
	keep("asic", "archive", slt_buf_str(&archive));
}

int main(int argc, char **argv)
{
	struct slt_signed direct, chained;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: mkseeds_sign CORPUS\n");
		return 2;
	}
	corpus = argv[1];

	struct sign_world *w = sign_world_new();

	sign(w, 1, &direct);
	sign(w, 2, &chained);
	signature_seeds(&direct, &chained);
	tsp_seeds(w);
	asic_seeds(w, &chained);
	slt_signed_fini(&direct);
	slt_signed_fini(&chained);
	return 0;
}
