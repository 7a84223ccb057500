/* SPDX-License-Identifier: MIT */
/* Configuration anchors that must not be read, or not be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "federation/globalconf_dir.h"
#include "tests/support/pki.h"

#define A_OPEN	"<a:configurationAnchor xmlns:a=\"http://x-road.eu/xsd/xroad.xsd\">"
#define A_CLOSE "</a:configurationAnchor>"
#define A_INST	"<instanceIdentifier>FI</instanceIdentifier>"
#define A_URL	"<downloadURL>http://cs/internalconf</downloadURL>"

static bool parse_anchor(const char *text, struct slt_err *err)
{
	struct slt_anchor *a = NULL;
	bool ok = slt_anchor_parse(text, strlen(text), &a, err);

	slt_anchor_free(a);
	return ok;
}

static void anchors_that_are_wrong(void **state)
{
	static const char *const bad[] = {
		"",
		"xxx",
		"<configurationAnchor/>",
		A_OPEN A_CLOSE,
		A_OPEN A_INST A_CLOSE,
		A_OPEN A_INST "<source></source>" A_CLOSE,
		A_OPEN A_INST "<source>" A_URL "</source>" A_CLOSE,
		A_OPEN A_INST "<source>" A_URL "<verificationCert/></source>" A_CLOSE,
		A_OPEN A_INST "<source>" A_URL
			      "<verificationCert>YmFy</verificationCert></source>" A_CLOSE,
		A_OPEN A_INST "<source>" A_URL
			      "<verificationCert>*</verificationCert></source>" A_CLOSE,
		A_OPEN A_INST "<source>" A_URL "<other/></source>" A_CLOSE,
		A_OPEN "<instanceIdentifier>..</instanceIdentifier><source/>" A_CLOSE,
		A_OPEN "<instanceIdentifier>a/b</instanceIdentifier><source/>" A_CLOSE,
		A_OPEN "<instanceIdentifier> </instanceIdentifier><source/>" A_CLOSE,
		A_OPEN "<generatedAt>now</generatedAt>" A_INST "<source/>" A_CLOSE,
		A_OPEN "<generatedAt>0598-11-23T16:00:00Z</generatedAt>" A_INST "<source/>" A_CLOSE,
		A_OPEN A_INST "<source><downloadURL>ftp://cs/x</downloadURL></source>" A_CLOSE,
		A_OPEN A_INST "<source><downloadURL>http:///x</downloadURL></source>" A_CLOSE,
		A_OPEN A_INST "<source><downloadURL>http://c s/x</downloadURL></source>" A_CLOSE,
		"<!DOCTYPE a [<!ENTITY e \"x\">]>" A_OPEN A_INST A_CLOSE,
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		struct slt_err err = SLT_ERR_INIT;
		if (parse_anchor(bad[i], &err)) {
			fail_msg("accepted: %s", bad[i]);
		}
		assert_int_equal(err.code, SLT_EMALFORMED_GLOBALCONF);
	}
}

static void anchors_not_written(void **state)
{
	SLT_AUTO(pki_cert_free) struct pki_cert *cert = pki_ca(NULL, "CN=signing", PKI_P256, 0);
	struct slt_anchor_source s = {
		.url = "http://cs/internalconf", .certs = &cert->x509, .n_certs = 1};
	struct slt_anchor a = {.instance = "FI", .sources = &s, .n_sources = 1};
	SLT_AUTO_BUF(out, SLT_ANCHOR_MAX);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_anchor_write(&a, &out, &err));
	assert_true(parse_anchor(out.p, &err));
	a.instance = "..";
	assert_false(slt_anchor_write(&a, &out, &err));
	a.instance = "FI";
	s.url = "internalconf";
	assert_false(slt_anchor_write(&a, &out, &err));
	s.url = "http://cs/internalconf";
	s.n_certs = 0;
	assert_false(slt_anchor_write(&a, &out, &err));
	a.n_sources = 0;
	assert_false(slt_anchor_write(&a, &out, &err));
	assert_false(slt_anchor_load("/nonexistent/anchor.xml", NULL, &err));
	assert_int_equal(err.code, SLT_EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anchors_that_are_wrong),
		cmocka_unit_test(anchors_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
