/* SPDX-License-Identifier: MIT */
/*
 * Makes the seeds of fuzz_anchor, fuzz_directory and fuzz_sharedparams:
 *   make build/tests/fuzz/mkseeds_globalconf && build/tests/fuzz/mkseeds_globalconf
 * tests/fuzz/corpus
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "federation/globalconf_write.h"
#include "tests/support/pki.h"

static void keep(const char *corpus, const char *target, const char *name, struct slt_str bytes)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *dir = slt_path_join(corpus, target);
	SLT_AUTO_STR char *path = slt_path_join(dir, name);

	if (!slt_mkdir_p(dir, 0755, &err) || !slt_file_write(path, bytes.p, bytes.n, 0644, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		exit(2);
	}
}

static void anchors(const char *corpus, X509 *cert)
{
	X509 *certs[] = {cert, cert};
	struct slt_anchor_source s[] = {{"http://cs.fi/internalconf", certs, 1},
					{"https://cs2.fi/internalconf", certs, 2}};
	const struct slt_anchor a = {
		.instance = "FI", .generated_at_ms = PKI_NOW, .sources = s, .n_sources = 2};
	const struct slt_anchor *list[] = {&a};
	const struct slt_gcw_private p = {.instance = "EE",
					  .anchor = list,
					  .n_anchor = 1,
					  .registration_address = "https://cs:4001/",
					  .management_service = {.type = SLT_ID_MEMBER,
								 .instance = "EE",
								 .member_class = "GOV",
								 .member_code = "1"},
					  .timestamping_interval_s = 60};
	SLT_AUTO_BUF(out, SLT_ANCHOR_MAX);
	struct slt_err err = SLT_ERR_INIT;

	slt_assert(slt_anchor_write(&a, &out, &err));
	keep(corpus, "anchor", "two-sources", slt_buf_str(&out));
	slt_buf_reset(&out);
	slt_assert(slt_globalconf_write_private(&p, &out, &err));
	keep(corpus, "anchor", "private-params", slt_buf_str(&out));
}

static void shared(const char *corpus, X509 *cert, int version, const char *name)
{
	const struct slt_gcw_source source = {"cs.fi", {&cert, 1}, {&cert, 1}};
	const struct slt_gc_ocsp ocsp = {"http://ocsp", cert};
	const struct slt_gcw_approved_ca ca = {.name = "CA",
					       .profile = SLT_PROFILE_FIVRK,
					       .top = {cert, &ocsp, 1},
					       .intermediate = &(struct slt_gcw_ca){cert, NULL, 0},
					       .n_intermediate = 1};
	const struct slt_gc_tsa tsa = {"TSA", "http://tsa", cert};
	const struct slt_gcw_class class = {"COM", "Companies"};
	const struct slt_gcw_subsystem sub = {"s", "Subsystem"};
	const struct slt_gcw_member member = {"COM", "1", "One", &sub, 1};
	const struct slt_id client = {.type = SLT_ID_SUBSYSTEM,
				      .instance = "FI",
				      .member_class = "COM",
				      .member_code = "1",
				      .subsystem = "s"};
	const struct slt_gcw_server server = {.id = {.type = SLT_ID_SERVER,
						     .instance = "FI",
						     .member_class = "COM",
						     .member_code = "1",
						     .server = "ss"},
					      .address = "ss.fi",
					      .auth = {&cert, 1},
					      .client = &client,
					      .n_client = 1,
					      .maintenance = true,
					      .maintenance_message = "soon"};
	const struct slt_gcw_group group = {"g", "Group", &client, 1};
	const struct slt_gcw_shared s = {version, "FI", &source, 1, &ca,    1, &tsa, 1, &class, 1,
					 &member, 1,	&server, 1, &group, 1, 3600};
	SLT_AUTO_BUF(out, 1u << 20);
	struct slt_err err = SLT_ERR_INIT;

	slt_assert(slt_globalconf_write_shared(&s, &out, &err));
	keep(corpus, "sharedparams", name, slt_buf_str(&out));
}

/* What stands between the outer delimiters: fuzz_directory signs it itself. */
static void directories(const char *corpus)
{
	static const char head[] = "--i\nExpire-date: 2030-01-01T00:00:00Z\nVersion: 6\n\n";
	static const char part[] =
		"--i\r\nContent-type: application/octet-stream\r\n"
		"Content-transfer-encoding: base64\r\n"
		"Content-identifier: SHARED-PARAMETERS; instance='FI'\r\n"
		"Content-location: /V6/1/shared-params.xml\r\n"
		"Content-file-name: shared.xml\r\n"
		"Hash-algorithm-id: http://www.w3.org/2001/04/xmlenc#sha256\r\n\r\n"
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n";
	SLT_AUTO_BUF(out, 65536);

	slt_buf_adds(&out, head);
	keep(corpus, "directory", "head", slt_buf_str(&out));
	slt_buf_adds(&out, part);
	keep(corpus, "directory", "open", slt_buf_str(&out));
	slt_buf_adds(&out, "--i--\r\n");
	keep(corpus, "directory", "closed", slt_buf_str(&out));
	slt_buf_reset(&out);
	slt_buf_addf(
		&out,
		"Content-Type: multipart/related; charset=UTF-8; boundary=\"o\"\n\n--o\n"
		"Content-Type: multipart/mixed;\n boundary=i\n\n%s%s\n--o\n"
		"Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n"
		"Signature-Algorithm-Id: "
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512\n"
		"Verification-certificate-hash: AAAA; hash-algorithm-id=\"%s\"\n\nAAAA\n--o--\n",
		head, part, slt_digest_uri(SLT_SHA512));
	keep(corpus, "directory", "whole", slt_buf_str(&out));
}

int main(int argc, char **argv)
{
	const struct pki_spec spec = {
		.subject = "CN=signing", .use_key = pki_fixed_key(), .serial = 1};
	struct pki_cert *c = pki_issue(NULL, &spec);

	if (argc != 2) {
		fprintf(stderr, "usage: mkseeds_globalconf CORPUS\n");
		return 2;
	}
	anchors(argv[1], c->x509);
	shared(argv[1], c->x509, 2, "v2");
	shared(argv[1], c->x509, 6, "v6");
	directories(argv[1]);
	pki_cert_free(c);
	return 0;
}
