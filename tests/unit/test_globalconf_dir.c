/* SPDX-License-Identifier: MIT */
/* Signed configuration directories and anchors: what is written verifies, what is wrong does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "federation/globalconf_dir.h"
#include "tests/support/pki.h"

#define HASH                                                                                       \
	"z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
#define SHA512 "http://www.w3.org/2001/04/xmlenc#sha512"

static struct {
	char dir[64];
	struct pki_cert *cert[3];
	struct slt_key *key[3]; /* RSA, P-256, P-384 */
} f;

static int setup(void **state)
{
	static const enum pki_key kinds[] = {PKI_RSA2048, PKI_P256, PKI_P384};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	snprintf(f.dir, sizeof(f.dir), "/tmp/slt-gcdir-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	for (size_t i = 0; i < 3; i++) {
		char *c = slt_asprintf("%s/%zu.crt", f.dir, i);
		char *k = slt_asprintf("%s/%zu.key", f.dir, i);
		f.cert[i] = pki_ca(NULL, "CN=internalSigningKey", kinds[i], 0);
		pki_write_pem(f.cert[i], c, k);
		if (!slt_key_load(k, c, NULL, false, &f.key[i], &err)) {
			fail_msg("%s", err.msg);
		}
		free(c);
		free(k);
	}
	return 0;
}

static int teardown(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		slt_key_free(f.key[i]);
		pki_cert_free(f.cert[i]);
	}
	return slt_rm_tree(f.dir, &err) ? 0 : -1;
}

static struct slt_directory_part part(const char *id, const char *location)
{
	struct slt_directory_part p = {.content_id = id, .instance = "FI", .location = location};

	slt_digest_of(SLT_SHA512, id, strlen(id), &p.digest);
	return p;
}

static bool verify(struct slt_str doc, size_t signer, int64_t now, struct slt_directory **ret,
		   struct slt_err *err)
{
	return slt_directory_verify(doc.p, doc.n, &f.cert[signer]->x509, 1, now, ret, err);
}

/* --- writing ------------------------------------------------------------------------------ */

static void written_reads_back(void **state)
{
	struct slt_directory_part parts[3] = {
		part(SLT_PART_SHARED, "/V6/20261123/shared-params.xml"),
		part(SLT_PART_PRIVATE, "/V6/20261123/private-params.xml"),
		part("MAPPING-TABLES", "/V6/20261123/17"),
	};
	const struct slt_directory d = {
		.expires_ms = PKI_NOW + 600000, .version = 6, .parts = parts, .n_parts = 3};

	(void)state;
	parts[2].file_name = "tables.tar";
	for (size_t i = 0; i < 3; i++) {
		SLT_AUTO_BUF(out, SLT_DIRECTORY_MAX);
		struct slt_directory *again = NULL;
		struct slt_err err = SLT_ERR_INIT;
		assert_true(slt_directory_write(&d, f.key[i], &out, &err));
		if (!verify(slt_buf_str(&out), i, PKI_NOW, &again, &err)) {
			fail_msg("%s", err.msg);
		}
		assert_int_equal(again->expires_ms, d.expires_ms);
		assert_int_equal(again->version, 6);
		assert_int_equal(again->n_parts, 3);
		assert_ptr_equal(again->cert, f.cert[i]->x509);
		for (size_t k = 0; k < 3; k++) {
			assert_string_equal(again->parts[k].content_id, parts[k].content_id);
			assert_string_equal(again->parts[k].instance, "FI");
			assert_string_equal(again->parts[k].location, parts[k].location);
			assert_true(slt_digest_eq(&again->parts[k].digest, &parts[k].digest));
		}
		assert_string_equal(again->parts[0].file_name, "shared-params.xml");
		assert_string_equal(again->parts[2].file_name, "tables.tar");
		assert_true(slt_directory_check_part(&again->parts[0], SLT_PART_SHARED,
						     strlen(SLT_PART_SHARED), &err));
		assert_false(slt_directory_check_part(&again->parts[0], "x", 1, &err));
		assert_int_equal(err.code, SLT_EGC_INTEGRITY);
		slt_directory_free(again);
	}
}

static void refuses_to_write(void **state)
{
	static const struct {
		const char *id, *instance, *location, *file_name;
	} bad[] = {
		{"A\r\nB: c", "FI", "/x/a.xml", NULL},
		{"A;b", "FI", "/x/a.xml", NULL},
		{NULL, "FI", "/x/a.xml", NULL},
		{"A", "F\nI", "/x/a.xml", NULL},
		{"A", NULL, "/x/a.xml", NULL},
		{"A", "FI", "x/a.xml", NULL},
		{"A", "FI", NULL, NULL},
		{"A", "FI", "/x/\ta.xml", NULL},
		{"A", "FI", "/x/a.xml", "../a.xml"},
		{"A", "FI", "/x/a.xml", ".hidden"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_directory_part p = part("X", "/x/a.xml");
		const struct slt_directory d = {.expires_ms = PKI_NOW, .parts = &p, .n_parts = 1};
		SLT_AUTO_BUF(out, SLT_DIRECTORY_MAX);
		struct slt_err err = SLT_ERR_INIT;
		p.content_id = bad[i].id;
		p.instance = bad[i].instance;
		p.location = bad[i].location;
		p.file_name = bad[i].file_name;
		assert_false(slt_directory_write(&d, f.key[0], &out, &err));
		assert_int_equal(err.code, SLT_EINVAL);
	}
}

/* An implementation that shares no code with this one agrees. */
static void independent_check_agrees(void **state)
{
	const char *shared = getenv("SLT_SHARED") ? getenv("SLT_SHARED") : "../shared";
	char *tool = slt_asprintf("%s/tools/xroad_check.py", shared);

	(void)state;
	if (!slt_file_exists(tool) || !slt_file_exists("/usr/bin/python3")) {
		print_message("skipped: %s is not there\n", tool);
		free(tool);
		skip();
	}
	for (size_t i = 0; i < 3; i++) {
		struct slt_directory_part p = part(SLT_PART_SHARED, "/V6/1/shared-params.xml");
		const struct slt_directory d = {
			.expires_ms = PKI_NOT_AFTER, .version = 6, .parts = &p, .n_parts = 1};
		struct slt_anchor_source s = {
			.url = "http://cs/internalconf", .certs = &f.cert[i]->x509, .n_certs = 1};
		const struct slt_anchor a = {.instance = "FI", .sources = &s, .n_sources = 1};
		char *dir = slt_asprintf("%s/internalconf", f.dir);
		char *anchor = slt_asprintf("%s/anchor.xml", f.dir);
		char *cmd = slt_asprintf("/usr/bin/python3 %s conf %s %s > %s/out 2>&1", tool,
					 anchor, dir, f.dir);
		SLT_AUTO_BUF(out, SLT_DIRECTORY_MAX);
		SLT_AUTO_BUF(xml, SLT_ANCHOR_MAX);
		struct slt_err err = SLT_ERR_INIT;
		assert_true(slt_directory_write(&d, f.key[i], &out, &err));
		assert_true(slt_anchor_write(&a, &xml, &err));
		assert_true(slt_file_write(anchor, xml.p, xml.n, 0600, &err));
		assert_true(slt_file_write(dir, out.p, out.n, 0600, &err));
		assert_int_equal(system(cmd), 0);
		/* and notices what this one would */
		strstr(out.p, "Version: 6")[9] = '5';
		assert_true(slt_file_write(dir, out.p, out.n, 0600, &err));
		assert_int_not_equal(system(cmd), 0);
		free(cmd);
		free(anchor);
		free(dir);
	}
	free(tool);
}

/* --- reading what others wrote ------------------------------------------------------------ */

#define OUTER	"Content-Type: multipart/related; charset=UTF-8; boundary=o\n\n"
#define INNER	"--o\nContent-Type: multipart/mixed; charset=UTF-8; boundary=i\n\n"
#define HEAD	"--i\nExpire-date: 2030-01-01T00:00:00Z\nVersion: 6\n\n"
#define TYPES	"Content-type: application/octet-stream\nContent-transfer-encoding: base64\n"
#define SHARED	"Content-identifier: SHARED-PARAMETERS; instance=\"FI\"\n"
#define PLACE	"Content-location: /a/shared-params.xml\n"
#define DIGEST	"Hash-algorithm-id: " SHA512 "\n\n" HASH "\n"
#define PART	"--i\n" TYPES SHARED PLACE DIGEST
#define OTHER	"--i\n" TYPES "Content-identifier: X; instance='FI'\n"
#define SIG_ALG "Signature-algorithm-id: http://www.w3.org/2001/04/xmldsig-more#rsa-sha512\n"

struct made {
	const char *outer, *inner_head, *inner;
	const char *signature_head; /* NULL: a good one */
	const char *signature;	    /* NULL: the right one */
	const char *end;	    /* NULL: the closing delimiter */
};

static void add_cert_hash(struct slt_buf *b)
{
	unsigned char md[64];
	unsigned n = 0;

	assert_int_equal(X509_digest(f.cert[0]->x509, slt_digest_md(SLT_SHA512), md, &n), 1);
	slt_buf_adds(b, "Verification-certificate-hash: ");
	slt_buf_add_base64(b, md, n);
	slt_buf_adds(b, "; hash-algorithm-id=\"" SHA512 "\"\n");
}

/* The signed range of the text is right by construction here: what stands in `inner`. */
static void make(const struct made *m, struct slt_buf *out)
{
	SLT_AUTO_BUF(value, 4096);
	struct slt_digest d;
	struct slt_err err = SLT_ERR_INIT;

	slt_digest_of(slt_sig_digest(f.key[0]->alg), m->inner, strlen(m->inner), &d);
	assert_true(f.key[0]->sign(f.key[0], &d, &value, &err));
	slt_buf_adds(out, m->outer ? m->outer : OUTER);
	slt_buf_adds(out, m->inner_head ? m->inner_head : INNER);
	slt_buf_adds(out, m->inner);
	slt_buf_adds(out, "\n--o\n");
	if (m->signature_head) {
		slt_buf_adds(out, m->signature_head);
	} else {
		slt_buf_addf(out, TYPES "Signature-algorithm-id: %s\n", slt_sig_uri(f.key[0]->alg));
	}
	if (!m->signature_head || !strstr(m->signature_head, "Verification")) {
		add_cert_hash(out);
	}
	slt_buf_adds(out, "\n");
	if (m->signature) {
		slt_buf_adds(out, m->signature);
	} else {
		slt_buf_add_base64(out, value.p, value.n);
	}
	slt_buf_adds(out, m->end ? m->end : "\n--o--\n");
}

static const struct {
	const char *name;
	struct made made;
	enum slt_code code;
} made[] = {
	{"plain", {.inner = HEAD PART "--i--\n"}, SLT_OK},
	{"no closing inner delimiter", {.inner = HEAD PART}, SLT_OK},
	{"preamble", {.inner = "\n\n" HEAD PART "--i--\n"}, SLT_OK},
	{"epilogue", {.inner = HEAD PART "--i--\nmore\n", .end = "\n--o--\nmore\n"}, SLT_OK},
	{"no closing outer delimiter", {.inner = HEAD PART, .end = "\n"}, SLT_OK},
	{"no part", {.inner = HEAD "--i--\n"}, SLT_OK},
	{"no version", {.inner = "--i\nExpire-date: 2030-01-01T00:00:00Z\n\n\n" PART}, SLT_OK},
	{"folded header",
	 {.inner = HEAD "--i\n" TYPES
			"Content-identifier: SHARED-PARAMETERS;\n\tinstance='FI'\n" PLACE DIGEST},
	 SLT_OK},
	{"part of nobody",
	 {.inner = HEAD PART "--i\n" TYPES "Content-location: /a/b\n" DIGEST},
	 SLT_OK},
	{"beside the directory",
	 {.inner = HEAD OTHER "Content-location: a/b.xml\n" DIGEST},
	 SLT_OK},
	{"only a name", {.inner = HEAD OTHER "Content-location: b.xml\n" DIGEST}, SLT_OK},
	/* the envelope */
	{"no header", {.outer = "\n", .inner = HEAD}, SLT_EGC_NO_EXPIRE},
	{"header without colon", {.outer = "Content-Type\n\n", .inner = HEAD}, SLT_EGC_PARSE},
	{"continued nothing", {.outer = " x\n\n", .inner = HEAD}, SLT_EGC_PARSE},
	{"not multipart",
	 {.outer = "Content-Type: text/plain\n\n", .inner = HEAD},
	 SLT_EGC_NO_EXPIRE},
	{"no boundary",
	 {.outer = "Content-Type: multipart/related\n\n", .inner = HEAD},
	 SLT_EGC_NO_EXPIRE},
	{"empty boundary",
	 {.outer = "Content-Type: multipart/related; boundary=\n\n", .inner = HEAD},
	 SLT_EGC_PARSE},
	{"another boundary",
	 {.outer = "Content-Type: multipart/related; boundary=x\n\n", .inner = HEAD},
	 SLT_EGC_NO_SIGNED_DATA},
	{"third part", {.inner = HEAD PART, .end = "\n--o\n\nx\n--o--\n"}, SLT_EGC_PARSE},
	{"inner not multipart",
	 {.inner_head = "--o\nContent-Type: text/plain\n\n", .inner = HEAD},
	 SLT_EGC_NO_EXPIRE},
	{"inner empty", {.inner = "--i--\n"}, SLT_EGC_NO_EXPIRE},
	/* the signature */
	{"not base64", {.inner = HEAD PART, .signature = "a*b"}, SLT_EGC_SIGNATURE_DECODE},
	{"no signature", {.inner = HEAD PART, .signature = ""}, SLT_EGC_SIGNATURE},
	{"wrong signature", {.inner = HEAD PART, .signature = "SW52YWxpZA=="}, SLT_EGC_SIGNATURE},
	{"bad date, wrong signature",
	 {.inner = "--i\nExpire-date: 2016-05-20T17:42:55Z\n\n", .signature = "SW52YWxpZA=="},
	 SLT_EGC_SIGNATURE},
	{"no type",
	 {.inner = HEAD PART, .signature_head = "Content-transfer-encoding: base64\n"},
	 SLT_EGC_HEADER_MISSING},
	{"wrong type",
	 {.inner = HEAD PART,
	  .signature_head =
		  "Content-type: text/plain\nContent-transfer-encoding: base64\n" SIG_ALG},
	 SLT_EGC_HEADER_WRONG},
	{"no encoding",
	 {.inner = HEAD PART, .signature_head = "Content-type: application/octet-stream\n" SIG_ALG},
	 SLT_EGC_HEADER_MISSING},
	{"no algorithm", {.inner = HEAD PART, .signature_head = TYPES}, SLT_EGC_HEADER_MISSING},
	{"unknown algorithm",
	 {.inner = HEAD PART, .signature_head = TYPES "Signature-algorithm-id: rot13\n"},
	 SLT_EGC_HEADER_WRONG},
	{"SHA-1",
	 {.inner = HEAD PART,
	  .signature_head =
		  TYPES "Signature-algorithm-id: http://www.w3.org/2000/09/xmldsig#rsa-sha1\n"},
	 SLT_EGC_HEADER_WRONG},
	{"algorithm of another key",
	 {.inner = HEAD PART,
	  .signature_head = TYPES
	  "Signature-algorithm-id: http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512\n"},
	 SLT_EGC_SIGNATURE},
	{"hash without algorithm",
	 {.inner = HEAD PART,
	  .signature_head = TYPES SIG_ALG "Verification-certificate-hash: " HASH "\n"},
	 SLT_EGC_HEADER_PARAM},
	{"hash of unknown algorithm",
	 {.inner = HEAD PART,
	  .signature_head = TYPES SIG_ALG "Verification-certificate-hash: " HASH
					  "; hash-algorithm-id=\"x\"\n"},
	 SLT_EGC_HEADER_WRONG},
	{"hash cut short",
	 {.inner = HEAD PART,
	  .signature_head = TYPES SIG_ALG
	  "Verification-certificate-hash: AAAA; hash-algorithm-id=\"" SHA512 "\"\n"},
	 SLT_EGC_HEADER_WRONG},
	{"hash of another certificate",
	 {.inner = HEAD PART,
	  .signature_head = TYPES SIG_ALG "Verification-certificate-hash: " HASH
					  "; hash-algorithm-id=\"" SHA512 "\"\n"},
	 SLT_EGC_MISSING_CERT},
	/* until when */
	{"no date", {.inner = "--i\nVersion: 6\n\n" PART}, SLT_EGC_HEADER_MISSING},
	{"blank date", {.inner = "--i\nExpire-date: \n\n" PART}, SLT_EGC_HEADER_MISSING},
	{"part where the date is due", {.inner = PART}, SLT_EGC_HEADER_MISSING},
	{"no date in it", {.inner = "--i\nExpire-date: soon\n\n" PART}, SLT_EGC_HEADER_WRONG},
	{"date passed",
	 {.inner = "--i\nExpire-date: 2026-11-23T15:59:59Z\n\n" PART},
	 SLT_EOUTDATED_GLOBALCONF},
	{"date twice",
	 {.inner = "--i\nExpire-date: 2016-05-20T17:42:55Z\n"
		   "Expire-date: 2030-01-01T00:00:00Z\n\n"},
	 SLT_EGC_HEADER_WRONG},
	{"version of letters",
	 {.inner = "--i\nExpire-date: 2030-01-01T00:00:00Z\nVersion: vi\n\n"},
	 SLT_EGC_HEADER_WRONG},
	/* parts */
	{"part without type",
	 {.inner = HEAD "--i\nContent-transfer-encoding: base64\n" SHARED PLACE DIGEST},
	 SLT_EGC_HEADER_MISSING},
	{"part of another encoding",
	 {.inner = HEAD "--i\nContent-type: application/octet-stream\n"
			"Content-transfer-encoding: 8bit\n" SHARED PLACE DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"part without place", {.inner = HEAD "--i\n" TYPES SHARED DIGEST}, SLT_EGC_HEADER_MISSING},
	{"part without hash algorithm",
	 {.inner = HEAD "--i\n" TYPES SHARED PLACE "\n" HASH "\n"},
	 SLT_EGC_HEADER_MISSING},
	{"part of unknown hash algorithm",
	 {.inner = HEAD "--i\n" TYPES SHARED PLACE "Hash-algorithm-id: x\n\n" HASH "\n"},
	 SLT_EGC_HASH},
	{"part of SHA-1",
	 {.inner = HEAD "--i\n" TYPES SHARED PLACE
			"Hash-algorithm-id: http://www.w3.org/2000/09/xmldsig#sha1\n\n"
			"2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n"},
	 SLT_EGC_HASH},
	{"part with a short hash",
	 {.inner = HEAD "--i\n" TYPES SHARED PLACE "Hash-algorithm-id: " SHA512 "\n\nAAAA\n"},
	 SLT_EGC_HASH},
	{"part without instance",
	 {.inner = HEAD "--i\n" TYPES "Content-identifier: SHARED-PARAMETERS\n" PLACE DIGEST},
	 SLT_EGC_HEADER_PARAM},
	{"part twice", {.inner = HEAD PART PART}, SLT_EGC_HEADER_WRONG},
	{"file twice",
	 {.inner = HEAD PART OTHER "Content-location: /b/Shared-Params.xml\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	/* where to */
	{"up",
	 {.inner = HEAD OTHER "Content-location: /a/../../etc/passwd\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"up at the end",
	 {.inner = HEAD OTHER "Content-location: /a/..\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"up at once",
	 {.inner = HEAD OTHER "Content-location: ../../etc/passwd\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"here", {.inner = HEAD OTHER "Content-location: /a/./b\n" DIGEST}, SLT_EGC_HEADER_WRONG},
	{"nothing", {.inner = HEAD OTHER "Content-location: /a//b\n" DIGEST}, SLT_EGC_HEADER_WRONG},
	{"the root", {.inner = HEAD OTHER "Content-location: /\n" DIGEST}, SLT_EGC_HEADER_WRONG},
	{"another address",
	 {.inner = HEAD OTHER "Content-location: http://evil/x.xml\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"another host",
	 {.inner = HEAD OTHER "Content-location: //evil/x.xml\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"another scheme",
	 {.inner = HEAD OTHER "Content-location: file:///etc/x\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"a query",
	 {.inner = HEAD OTHER "Content-location: /a/b?c\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"a directory",
	 {.inner = HEAD OTHER "Content-location: /a/b/\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"hidden",
	 {.inner = HEAD OTHER "Content-location: /a/.source\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"metadata",
	 {.inner = HEAD OTHER "Content-location: /a/x.metadata\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"name that goes up",
	 {.inner = HEAD OTHER "Content-location: /a/b\nContent-file-name: ../../b\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
	{"absolute name",
	 {.inner = HEAD OTHER "Content-location: /a/b\nContent-file-name: /etc/passwd\n" DIGEST},
	 SLT_EGC_HEADER_WRONG},
};

static void made_by_hand(void **state)
{
	(void)state;
	for (size_t i = 0; i < SLT_COUNT(made); i++) {
		SLT_AUTO_BUF(out, SLT_DIRECTORY_MAX);
		struct slt_directory *d = NULL;
		struct slt_err err = SLT_ERR_INIT;
		make(&made[i].made, &out);
		bool ok = verify(slt_buf_str(&out), 0, PKI_NOW, &d, &err);
		if (err.code != made[i].code || ok != (made[i].code == SLT_OK)) {
			fail_msg("%s: expected %s, got %s: %s", made[i].name,
				 slt_code_name(made[i].code, SLT_DIALECT_SNAKE),
				 slt_code_name(err.code, SLT_DIALECT_SNAKE), err.msg);
		}
		slt_directory_free(d);
	}
}

static void caps(void **state)
{
	SLT_AUTO_BUF(inner, SLT_DIRECTORY_MAX);
	SLT_AUTO_BUF(out, 2 * SLT_DIRECTORY_MAX);
	struct slt_directory *d = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	/* parts: as many as allowed, and one more */
	for (unsigned extra = 0; extra < 2; extra++) {
		slt_buf_reset(&inner);
		slt_buf_reset(&out);
		slt_buf_adds(&inner, HEAD);
		for (unsigned i = 0; i < SLT_DIRECTORY_PARTS_MAX + extra; i++) {
			slt_buf_addf(&inner,
				     "--i\n" TYPES "Content-identifier: P%u; instance='FI'\n"
				     "Content-location: /a/%u\n" DIGEST,
				     i, i);
		}
		const struct made m = {.inner = inner.p};
		make(&m, &out);
		err.code = SLT_OK;
		assert_int_equal(verify(slt_buf_str(&out), 0, PKI_NOW, &d, &err), extra == 0);
		slt_directory_free(SLT_TAKE(d));
	}
	assert_int_equal(err.code, SLT_EGC_PARSE);
	/* headers, and the length of a folded one */
	slt_buf_reset(&out);
	for (unsigned i = 0; i < 40; i++) {
		slt_buf_addf(&out, "X-%u: y\n", i);
	}
	assert_false(verify(slt_buf_str(&out), 0, PKI_NOW, &d, &err));
	assert_int_equal(err.code, SLT_EGC_PARSE);
	slt_buf_reset(&out);
	slt_buf_adds(&out, "X: y\n");
	for (unsigned i = 0; i < 100000; i++) {
		slt_buf_addf(&out, " %u\n", i);
	}
	assert_false(verify(slt_buf_str(&out), 0, PKI_NOW, &d, &err));
	assert_int_equal(err.code, SLT_EGC_PARSE);
	/* the whole */
	slt_buf_reset(&out);
	while (out.n <= SLT_DIRECTORY_MAX) {
		slt_buf_adds(&out, "--o\n");
	}
	assert_false(verify(slt_buf_str(&out), 0, PKI_NOW, &d, &err));
	assert_int_equal(err.code, SLT_EGC_PARSE);
	assert_false(verify((struct slt_str){"a: b\0c\n", 8}, 0, PKI_NOW, &d, &err));
	assert_int_equal(err.code, SLT_EGC_PARSE);
	assert_false(verify((struct slt_str){"", 0}, 0, PKI_NOW, &d, &err));
	assert_int_equal(err.code, SLT_EGC_NO_EXPIRE);
}

static void instance_is_checked(void **state)
{
	SLT_AUTO_BUF(out, SLT_DIRECTORY_MAX);
	const struct made m = {.inner = HEAD PART};
	struct slt_directory *d = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	make(&m, &out);
	assert_true(verify(slt_buf_str(&out), 0, PKI_NOW, &d, &err));
	assert_true(slt_directory_check_instance(d, "FI", &err));
	assert_false(slt_directory_check_instance(d, "fi", &err));
	assert_int_equal(err.code, SLT_EGC_INSTANCE);
	slt_directory_free(d);
	d = NULL;
	/* signed by somebody, but not by one of ours */
	assert_false(verify(slt_buf_str(&out), 1, PKI_NOW, &d, &err));
	assert_int_equal(err.code, SLT_EGC_MISSING_CERT);
	assert_false(slt_directory_verify(out.p, out.n, NULL, 0, PKI_NOW, &d, &err));
	assert_int_equal(err.code, SLT_EGC_MISSING_CERT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_reads_back),
		cmocka_unit_test(refuses_to_write),
		cmocka_unit_test(independent_check_agrees),
		cmocka_unit_test(made_by_hand),
		cmocka_unit_test(caps),
		cmocka_unit_test(instance_is_checked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
