/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/hashchain.h"
#include "federation/hashchain_xml.h"

#define BASE "/sig-hashchain.xml"

/* --- building --- */

static struct slt_digest sha256(const char *s)
{
	struct slt_digest d;

	slt_digest_of(SLT_SHA256, s, strlen(s), &d);
	return d;
}

static void assert_top(const struct slt_hc_result *r, const char *want)
{
	if (!strstr(r->result, want)) {
		fail_msg("%s does not have %s", r->result, want);
	}
}

static void test_known_tree(void **state)
{
	(void)state;
	static const char *const names[] = {"/message.xml"};
	struct slt_digest d[4] = {sha256("one"), sha256("two"), sha256("three"), sha256("four")};
	struct slt_hc_input in[4];
	struct slt_hc_result r;
	struct slt_err err = SLT_ERR_INIT;

	for (size_t i = 0; i < 4; i++) {
		in[i] = (struct slt_hc_input){&d[i], names, 1};
	}
	assert_true(slt_hashchain_build(SLT_SHA256, in, 4, BASE, &r, &err));
	assert_top(&r, ">D7oIIfhfp4ToT729xyx991PvstI5XvpW+d7oeWvXw8E=<");
	assert_int_equal(r.n, 4);
	slt_hashchain_result_fini(&r);
}

static void test_known_multipart(void **state)
{
	(void)state;
	static const char *const names[] = {"/message.xml", "/attachment1", "/attachment2",
					    "/attachment3"};
	struct slt_digest d[4];
	struct slt_hc_input in = {d, names, 4};
	struct slt_hc_result r;
	struct slt_err err = SLT_ERR_INIT;

	for (unsigned i = 0; i < 4; i++) {
		d[i] = (struct slt_digest){
			.alg = SLT_SHA256, .n = 1, .v = {(unsigned char)(11 + i)}};
	}
	assert_true(slt_hashchain_build(SLT_SHA256, &in, 1, BASE, &r, &err));
	assert_top(&r, ">v3CBVgjKmzZT5hnJ6vj6waqBazZe334tdEoNiL2oM5E=<");
	slt_hashchain_result_fini(&r);
}

static void test_layout(void **state)
{
	(void)state;
	static const char *const names[] = {"/message.xml"};
	static const char *const other[] = {"/a&b"};
	struct slt_digest d[2] = {{.alg = SLT_SHA512, .n = 3, .v = "abc"},
				  {.alg = SLT_SHA512, .n = 3, .v = "def"}};
	struct slt_hc_input in[2] = {{&d[0], names, 1}, {&d[1], other, 1}};
	struct slt_hc_result r;
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_hashchain_build(SLT_SHA512, in, 2, BASE, &r, &err));
	assert_string_equal(r.chains[1],
			    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
			    "<ns2:HashChain xmlns=\"http://www.w3.org/2000/09/xmldsig#\" "
			    "xmlns:ns2=\"http://cyber.ee/hashchain\">\n"
			    "    <ns2:DefaultDigestMethod "
			    "Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha512\"/>\n"
			    "    <ns2:HashStep id=\"STEP0\">\n"
			    "        <ns2:HashValue>\n"
			    "            <DigestValue>YWJj</DigestValue>\n"
			    "        </ns2:HashValue>\n"
			    "        <ns2:DataRef URI=\"/a&amp;b\">\n"
			    "            <DigestValue>ZGVm</DigestValue>\n"
			    "        </ns2:DataRef>\n"
			    "    </ns2:HashStep>\n"
			    "</ns2:HashChain>\n");
	assert_non_null(strstr(r.result, "<ns2:HashChainResult URI=\"/sig-hashchain.xml#STEP0\" "));
	assert_non_null(strstr(r.result, "    <DigestMethod Algorithm="));
	slt_hashchain_result_fini(&r);
}

static void test_build_refused(void **state)
{
	(void)state;
	static const char *const names[] = {"/message.xml"};
	struct slt_digest d = sha256("one");
	struct slt_hc_input in = {&d, names, 1}, none = {&d, names, 0};
	struct slt_hc_result r;
	struct slt_err err = SLT_ERR_INIT;

	assert_false(slt_hashchain_build(SLT_SHA256, &in, 0, BASE, &r, &err));
	assert_int_equal(err.code, SLT_EINVAL);
	assert_false(slt_hashchain_build(SLT_SHA512, &in, 1, BASE, &r, &err));
	assert_int_equal(err.code, SLT_EINVAL);
	assert_false(slt_hashchain_build(SLT_SHA256, &none, 1, BASE, &r, &err));
	assert_int_equal(err.code, SLT_EINVAL);
	assert_false(
		slt_hashchain_build(SLT_SHA256, &in, SLT_HASHCHAIN_LEAVES_MAX + 1, BASE, &r, &err));
	assert_int_equal(err.code, SLT_ELIMIT);
}

/* --- verifying --- */

#define DOCS_MAX 10

struct file {
	const char *uri, *text;
};

struct files {
	struct file f[DOCS_MAX];
	bool keep; /* should_resolve says no */
};

static struct slt_str resolve(void *arg, const char *uri)
{
	const struct files *files = arg;

	for (size_t i = 0; i < DOCS_MAX && files->f[i].uri; i++) {
		if (strcmp(files->f[i].uri, uri) == 0) {
			return slt_str(files->f[i].text);
		}
	}
	return (struct slt_str){NULL, 0};
}

static bool should_resolve(void *arg, const char *uri)
{
	(void)uri;
	return !((const struct files *)arg)->keep;
}

static bool verify(const char *result, struct files *files, struct slt_hc_part *parts, size_t n,
		   struct slt_err *err)
{
	struct slt_hc_verify v = {.result = slt_str(result),
				  .parts = parts,
				  .n_parts = n,
				  .resolve = resolve,
				  .should_resolve = should_resolve,
				  .arg = files};

	return slt_hashchain_verify(&v, err);
}

/* Leaf i is one of 1, 2 or 3 parts. */
static void round_trip(size_t n)
{
	static const char *const names[] = {"/message.xml", "/attachment1", "/attachment2"};
	struct slt_digest(*d)[3] = slt_calloc(n, sizeof(*d));
	struct slt_hc_input *in = slt_calloc(n, sizeof(*in));
	struct slt_hc_result r;
	struct slt_err err = SLT_ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 0; k < 3; k++) {
			unsigned char seed[2] = {(unsigned char)i, (unsigned char)k};
			slt_digest_of(SLT_SHA512, seed, 2, &d[i][k]);
		}
		in[i] = (struct slt_hc_input){d[i], names, 1 + (i + n) % 3};
	}
	assert_true(slt_hashchain_build(SLT_SHA512, in, n, BASE, &r, &err));
	for (size_t i = 0; i < n; i++) {
		struct files files = {.f = {{BASE, r.chains[i]}}};
		struct slt_hc_part parts[4] = {{.name = "/message.xml"},
					       {.name = "/attachment1"},
					       {.name = "/attachment2"},
					       {.name = "/attachment3"}};
		for (unsigned k = 0; k < 3; k++) {
			parts[k].digest = &d[i][k];
		}
		if (!verify(r.result, &files, parts, in[i].n, &err)) {
			fail_msg("leaf %zu of %zu: %s", i, n, err.msg);
		}
		assert_true(parts[in[i].n - 1].used);
		assert_false(parts[in[i].n].used);
		assert_false(verify(r.result, &files, parts, in[i].n + 1, &err));
		assert_int_equal(err.code, SLT_EHASHCHAIN_UNUSED_INPUTS);
		parts[in[i].n - 1].digest = &d[(i + 1) % n][(in[i].n) % 3];
		assert_false(verify(r.result, &files, parts, in[i].n, &err));
		assert_int_equal(err.code, SLT_EINVALID_HASH_CHAIN);
	}
	slt_hashchain_result_fini(&r);
	free(in);
	free(d);
}

static void test_round_trips(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 40; n++) {
		round_trip(n);
	}
}

static void test_large_batch(void **state)
{
	(void)state;
	static const char *const names[] = {"/message.xml"};
	enum { N = 5000 };
	struct slt_digest *d = slt_calloc(N, sizeof(*d));
	struct slt_hc_input *in = slt_calloc(N, sizeof(*in));
	struct slt_hc_result r;
	struct slt_err err = SLT_ERR_INIT;

	for (size_t i = 0; i < N; i++) {
		slt_digest_of(SLT_SHA512, &i, sizeof(i), &d[i]);
		in[i] = (struct slt_hc_input){&d[i], names, 1};
	}
	assert_true(slt_hashchain_build(SLT_SHA512, in, N, BASE, &r, &err));
	for (size_t i = 0; i < N; i += 499) {
		struct files files = {.f = {{BASE, r.chains[i]}}};
		struct slt_hc_part part = {.name = "/message.xml", .digest = &d[i]};
		assert_true(verify(r.result, &files, &part, 1, &err));
	}
	slt_hashchain_result_fini(&r);
	free(in);
	free(d);
}

/* --- documents made by hand --- */

/* clang-format off */
#define SHA256 "http://www.w3.org/2001/04/xmlenc#sha256"
#define NS "xmlns='" SLT_NS_DSIG "' xmlns:h='" SLT_NS_HASHCHAIN "'"
#define METHOD "<DigestMethod Algorithm='" SHA256 "'/>"
#define RESULT_OF(uri, value) \
	"<h:HashChainResult URI='" uri "' " NS ">" METHOD "<DigestValue>" value \
	"</DigestValue></h:HashChainResult>"
#define CHAIN(steps) \
	"<h:HashChain " NS "><h:DefaultDigestMethod Algorithm='" SHA256 "'/>" steps "</h:HashChain>"
#define STEP(id, values) "<h:HashStep id='" id "'>" values "</h:HashStep>"
#define VALUE "<h:HashValue><DigestValue>AA==</DigestValue></h:HashValue>"
#define REF(uri) "<h:StepRef URI='" uri "'/>"
#define DATA(uri) "<h:DataRef URI='" uri "'><DigestValue>AA==</DigestValue></h:DataRef>"
#define RESULT RESULT_OF("/c#S", "AA==")
/* clang-format on */

static void refuse_files(const char *result, struct files *files, enum slt_code code)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_hc_part part = {.name = "/message.xml"};

	if (verify(result, files, &part, 1, &err)) {
		fail_msg("%s with %s was taken", result, files->f[0].text);
	}
	assert_int_equal(err.n_prefix, 0);
	if (err.code != code) {
		fail_msg("%s with %s: %s (%s)", result, files->f[0].text,
			 slt_code_name(err.code, SLT_DIALECT_SNAKE), err.msg);
	}
}

static void refuse(const char *result, const char *chain, enum slt_code code)
{
	struct files files = {.f = {{"/c", chain}, {"/message.xml", "<m/>"}}};

	refuse_files(result, &files, code);
}

static void test_malformed_results(void **state)
{
	(void)state;
	static const char good[] = CHAIN(STEP("S", VALUE));
	static const char *const bad[] = {
		"",
		"x",
		"<a/>",
		CHAIN(STEP("S", VALUE)),
		"<!DOCTYPE a>" RESULT,
		"<h:HashChainResult " NS ">" METHOD "<DigestValue>AA==</DigestValue>"
		"</h:HashChainResult>",
		"<h:HashChainResult URI='/c#S' " NS "><DigestValue>AA==</DigestValue>"
		"</h:HashChainResult>",
		"<h:HashChainResult URI='/c#S' " NS ">" METHOD "</h:HashChainResult>",
		"<h:HashChainResult URI='/c#S' " NS "><DigestValue>AA==</DigestValue>" METHOD
		"</h:HashChainResult>",
		"<h:HashChainResult URI='/c#S' x='1' " NS ">" METHOD
		"<DigestValue>AA==</DigestValue></h:HashChainResult>",
		"<h:HashChainResult URI='/c#S' " NS ">" METHOD
		"<DigestValue>AA==</DigestValue><a/></h:HashChainResult>",
		"<h:HashChainResult URI='/c#S' " NS ">" METHOD "text"
		"<DigestValue>AA==</DigestValue></h:HashChainResult>",
		"<h:HashChainResult URI='/c#S' " NS "><DigestMethod Algorithm='x'/>"
		"<DigestValue>AA==</DigestValue></h:HashChainResult>",
		"<h:HashChainResult URI='/c#S' " NS
		"><DigestMethod Algorithm='http://www.w3.org/2000/09/xmldsig#sha1'/>"
		"<DigestValue>AA==</DigestValue></h:HashChainResult>",
		RESULT_OF("/c#S", ""),
		RESULT_OF("/c#S", "!"),
		RESULT_OF("/c#S", "<a/>"),
		RESULT_OF("", "AA=="),
		RESULT_OF("/c", "AA=="),
		RESULT_OF("/c#", "AA=="),
		RESULT_OF("#S", "AA=="),
		RESULT_OF("/c#T", "AA=="),
	};

	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		refuse(bad[i], good, SLT_EMALFORMED_HASH_CHAIN);
	}
	refuse(RESULT_OF("/d#S", "AA=="), good, SLT_EINVALID_REFERENCE);
	refuse(RESULT, good, SLT_EINVALID_HASH_CHAIN);
}

static void test_malformed_chains(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"<a/>",
		RESULT,
		"<!DOCTYPE a>" CHAIN(STEP("S", VALUE)),
		CHAIN(""),
		CHAIN(STEP("T", VALUE)),
		CHAIN("<h:HashStep>" VALUE "</h:HashStep>"),
		CHAIN(STEP("S", VALUE) STEP("S", VALUE)),
		CHAIN(STEP("S", VALUE) STEP("T", "") STEP("T", "")),
		CHAIN(STEP("S", VALUE) "<a/>"),
		CHAIN(STEP("S", VALUE) "text"),
		CHAIN(STEP("S", VALUE) "<![CDATA[ ]]>"),
		CHAIN("<h:HashStep id='S' x='1'>" VALUE "</h:HashStep>"),
		CHAIN("<HashStep id='S'>" VALUE "</HashStep>"),
		CHAIN(STEP("S", "<a/>")),
		CHAIN(STEP("S", VALUE "text")),
		CHAIN(STEP("S", "<h:HashValue/>")),
		CHAIN(STEP("S", "<h:HashValue><DigestValue/></h:HashValue>")),
		CHAIN(STEP("S", "<h:HashValue><DigestValue>AA==</DigestValue><a/></h:HashValue>")),
		CHAIN(STEP("S", "<h:HashValue><a/><DigestValue>AA==</DigestValue></h:HashValue>")),
		CHAIN(STEP("S", "<h:HashValue URI='a'><DigestValue>AA==</DigestValue>"
				"</h:HashValue>")),
		CHAIN(STEP("S", "<h:HashValue><Transforms><Transform Algorithm='a'/></Transforms>"
				"<DigestValue>AA==</DigestValue></h:HashValue>")),
		CHAIN(STEP("S", "<h:HashValue><DigestMethod/><DigestValue>AA==</DigestValue>"
				"</h:HashValue>")),
		CHAIN(STEP("S", "<h:HashValue><DigestMethod Algorithm='a'/><DigestValue>AA=="
				"</DigestValue></h:HashValue>")),
		CHAIN(STEP("S", "<h:HashValue><DigestValue a='1'>AA==</DigestValue>"
				"</h:HashValue>")),
		CHAIN(STEP("S", "<h:StepRef/>")),
		CHAIN(STEP("S", REF(""))),
		CHAIN(STEP("S", REF("#"))),
		CHAIN(STEP("S", REF("S"))),
		CHAIN(STEP("S", REF("#T"))),
		CHAIN(STEP("S", "<h:StepRef URI='#T'><DigestValue>AA==</DigestValue>"
				"</h:StepRef>") STEP("T", "")),
		CHAIN(STEP("S", "<h:DataRef URI='/message.xml'/>")),
		CHAIN(STEP("S", "<h:DataRef><DigestValue>AA==</DigestValue></h:DataRef>")),
		CHAIN(STEP("S", "<h:DataRef URI='/message.xml'><Transforms/><DigestValue>AA=="
				"</DigestValue></h:DataRef>")),
		CHAIN(STEP("S", "<h:DataRef URI='/message.xml'><Transforms><Transform "
				"Algorithm='http://www.w3.org/TR/1999/REC-xslt-19991116'/>"
				"</Transforms><DigestValue>AA==</DigestValue></h:DataRef>")),
		"<h:HashChain " NS ">" STEP("S", VALUE) "</h:HashChain>",
		"<h:HashChain " NS ">" STEP("S", VALUE) "<h:DefaultDigestMethod Algorithm='" SHA256
							"'/></h:HashChain>",
		/* a circle, of one step and of two */
		CHAIN(STEP("S", REF("#S"))),
		CHAIN(STEP("S", REF("#T")) STEP("T", REF("#S"))),
	};

	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		refuse(RESULT, bad[i], SLT_EMALFORMED_HASH_CHAIN);
	}
}

static void test_structure_comes_first(void **state)
{
	(void)state;
	/* the first step would fail otherwise: the document is never begun with */
	refuse(RESULT, CHAIN(STEP("S", DATA("/nowhere")) STEP("T", "<FooBar/>")),
	       SLT_EMALFORMED_HASH_CHAIN);
	refuse(RESULT, CHAIN(STEP("S", DATA("/nowhere"))), SLT_EINVALID_REFERENCE);
	refuse(RESULT, CHAIN(STEP("S", DATA("/message.xml"))), SLT_EINVALID_HASH_CHAIN_REF);
	refuse(RESULT, CHAIN(STEP("S", REF("/d#S"))), SLT_EINVALID_REFERENCE);
}

/* The hash of a step over values given as text digests, as base64 in a result. */
static char *result_over(const struct slt_digest *values, size_t n)
{
	struct slt_digest d;
	SLT_AUTO_BUF(b, 1000);
	SLT_AUTO_BUF(out, 4000);

	slt_hashchain_step(SLT_SHA256, values, n, &d);
	slt_buf_add_base64(&b, d.v, d.n);
	slt_buf_addf(&out, RESULT_OF("/c#S", "%s"), b.p);
	return slt_buf_take(&out, NULL);
}

static const struct slt_digest zero = {.alg = SLT_SHA256, .n = 1, .v = {0}};

static void test_data(void **state)
{
	(void)state;
	struct slt_digest m = sha256("<m/>");
	struct slt_err err = SLT_ERR_INIT;
	struct slt_hc_part part = {.name = "/message.xml", .digest = &m};
	struct files files = {.f = {{"/c", CHAIN(STEP("S", DATA("/message.xml")))}}};
	SLT_AUTO_STR char *over_m = result_over(&m, 1);
	SLT_AUTO_STR char *over_zero = result_over(&zero, 1);

	/* the digest at hand counts, not what the chain says about it */
	assert_true(verify(over_m, &files, &part, 1, &err));
	assert_false(verify(over_zero, &files, &part, 1, &err));
	assert_int_equal(err.code, SLT_EINVALID_HASH_CHAIN);
	/* under another algorithm it does not: X-Road goes to the data */
	m.alg = SLT_SHA512;
	assert_false(verify(over_zero, &files, &part, 1, &err));
	assert_int_equal(err.code, SLT_EINVALID_REFERENCE);
	/* not at hand, and not to be fetched */
	files.keep = true;
	part.digest = NULL;
	assert_true(verify(over_zero, &files, &part, 1, &err));
	assert_true(part.used);
	/* a step that nothing leads to does not count as a reference */
	files.f[0].text = CHAIN(STEP("S", VALUE) STEP("T", DATA("/message.xml")));
	assert_false(verify(over_zero, &files, &part, 1, &err));
	assert_int_equal(err.code, SLT_EHASHCHAIN_UNUSED_INPUTS);
	assert_false(part.used);
	assert_true(verify(over_zero, &files, &part, 0, &err));
}

static void test_transforms(void **state)
{
	(void)state;
	static const char *const algs[] = {
		"http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
		"http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
		"http://www.w3.org/2001/10/xml-exc-c14n#",
		"http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
		"http://www.w3.org/2006/12/xml-c14n11",
		"http://www.w3.org/2006/12/xml-c14n11#WithComments",
	};

	for (size_t i = 0; i < SLT_COUNT(algs); i++) {
		const char *canonical = i % 2 ? "<m b=\"2\"><!--c--></m>" : "<m b=\"2\"></m>";
		struct slt_digest m = sha256(canonical);
		struct slt_err err = SLT_ERR_INIT;
		struct slt_hc_part part = {.name = "/message.xml"};
		SLT_AUTO_BUF(value, 100);
		SLT_AUTO_STR char *result = result_over(&m, 1);
		slt_buf_add_base64(&value, m.v, m.n);
		SLT_AUTO_STR char *chain = slt_asprintf(
			CHAIN(STEP("S", "<h:DataRef URI='/message.xml'><Transforms><Transform "
					"Algorithm='%s'/></Transforms><DigestValue>%s</DigestValue>"
					"</h:DataRef>")),
			algs[i], value.p);
		struct files files = {.f = {{"/c", chain},
					    {"/message.xml", "<?xml version='1.0'?>\n<m   "
							     "b='2'><!--c--></m>"}}};
		if (!verify(result, &files, &part, 1, &err)) {
			fail_msg("%s: %s", algs[i], err.msg);
		}
		files.f[1].text = "<m b='3'/>";
		refuse_files(result, &files, SLT_EINVALID_HASH_CHAIN_REF);
		files.f[1].text = "no xml";
		refuse_files(result, &files, SLT_EINVALID_REFERENCE);
		files.f[1].uri = NULL;
		refuse_files(result, &files, SLT_EINVALID_REFERENCE);
	}
}

static void test_own_methods(void **state)
{
	(void)state;
	/* each value may have its own algorithm; a step is hashed under its reference's */
	static const char chain[] =
		CHAIN(STEP("S", "<h:StepRef URI='#T'><DigestMethod "
				"Algorithm='http://www.w3.org/2001/04/xmlenc#sha512'/></h:StepRef>")
			      STEP("T", VALUE));
	struct files files = {.f = {{"/c", chain}}};
	struct slt_digest t;
	struct slt_err err = SLT_ERR_INIT;

	slt_hashchain_step(SLT_SHA512, &zero, 1, &t);
	SLT_AUTO_STR char *good = result_over(&t, 1);
	assert_true(verify(good, &files, NULL, 0, &err));
	slt_hashchain_step(SLT_SHA256, &zero, 1, &t);
	SLT_AUTO_STR char *wrong = result_over(&t, 1);
	assert_false(verify(wrong, &files, NULL, 0, &err));
	assert_int_equal(err.code, SLT_EINVALID_HASH_CHAIN);
}

static void test_sha1(void **state)
{
	(void)state;
	static const char chain[] = "<h:HashChain " NS "><h:DefaultDigestMethod "
				    "Algorithm='http://www.w3.org/2000/09/xmldsig#sha1'/>" STEP(
					    "S", VALUE) "</h:HashChain>";
	struct files files = {.f = {{"/c", chain}}};
	struct slt_digest old = {.alg = SLT_SHA1, .n = 1, .v = {0}};
	SLT_AUTO_STR char *result = result_over(&old, 1);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_hc_verify v = {.result = slt_str(result),
				  .resolve = resolve,
				  .should_resolve = should_resolve,
				  .arg = &files};

	assert_false(slt_hashchain_verify(&v, &err));
	assert_int_equal(err.code, SLT_EMALFORMED_HASH_CHAIN);
	v.allow_sha1 = true;
	assert_true(slt_hashchain_verify(&v, &err));
}

static void test_bounded(void **state)
{
	(void)state;
	SLT_AUTO_BUF(b, 4 << 20);
	SLT_AUTO_BUF(long_uri, 4096);

	/* each step refers twice to the next: 2^60 ways down */
	for (int i = 0; i < 60; i++) {
		slt_buf_addf(&b, "<h:HashStep id='S%d'>" REF("#S%d") REF("#S%d") "</h:HashStep>", i,
			     i + 1, i + 1);
	}
	SLT_AUTO_STR char *wide = slt_asprintf(CHAIN("%s") "", b.p);
	SLT_AUTO_BUF(all, 4 << 20);
	slt_buf_add(&all, wide, strlen(wide) - strlen("</h:HashChain>"));
	slt_buf_adds(&all, STEP("S60", VALUE) "</h:HashChain>");
	refuse(RESULT_OF("/c#S0", "AA=="), all.p, SLT_EINVALID_HASH_CHAIN);
	/* too deep */
	slt_buf_reset(&b);
	for (int i = 0; i < 100; i++) {
		slt_buf_addf(&b, "<h:HashStep id='S%d'>" REF("#S%d") "</h:HashStep>", i, i + 1);
	}
	SLT_AUTO_STR char *deep = slt_asprintf(CHAIN("%s"), b.p);
	refuse(RESULT_OF("/c#S0", "AA=="), deep, SLT_EMALFORMED_HASH_CHAIN);
	/* too many values, steps; too long a reference; over the size */
	slt_buf_reset(&b);
	for (int i = 0; i <= SLT_HASHCHAIN_VALUES_MAX; i++) {
		slt_buf_adds(&b, VALUE);
	}
	SLT_AUTO_STR char *values = slt_asprintf(CHAIN(STEP("S", "%s")), b.p);
	refuse(RESULT, values, SLT_EMALFORMED_HASH_CHAIN);
	slt_buf_reset(&b);
	for (int i = 0; i <= SLT_HASHCHAIN_STEPS_MAX; i++) {
		slt_buf_addf(&b, "<h:HashStep id='S%d'/>", i);
	}
	SLT_AUTO_STR char *steps = slt_asprintf(CHAIN("%s"), b.p);
	refuse(RESULT_OF("/c#S0", "AA=="), steps, SLT_EMALFORMED_HASH_CHAIN);
	for (int i = 0; i <= SLT_HASHCHAIN_URI_MAX; i++) {
		slt_buf_addc(&long_uri, 'x');
	}
	SLT_AUTO_STR char *uri = slt_asprintf(CHAIN(STEP("S", REF("#%s"))), long_uri.p);
	refuse(RESULT, uri, SLT_EMALFORMED_HASH_CHAIN);
	slt_buf_reset(&b);
	while (b.n <= SLT_HASHCHAIN_BYTES_MAX) {
		slt_buf_adds(&b, "                                ");
	}
	SLT_AUTO_STR char *big = slt_asprintf(CHAIN(STEP("S", VALUE) "%s"), b.p);
	refuse(RESULT, big, SLT_EMALFORMED_HASH_CHAIN);
}

static void test_many_documents(void **state)
{
	(void)state;
	struct files files = {.keep = true};
	char uris[DOCS_MAX][16], texts[DOCS_MAX][600];

	for (int i = 0; i < DOCS_MAX; i++) {
		snprintf(uris[i], sizeof(uris[i]), "/%d", i);
		snprintf(texts[i], sizeof(texts[i]), CHAIN(STEP("S", REF("/%d#S"))), i + 1);
		files.f[i] = (struct file){uris[i], texts[i]};
	}
	refuse_files(RESULT_OF("/0#S", "AA=="), &files, SLT_EMALFORMED_HASH_CHAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_tree),
		cmocka_unit_test(test_known_multipart),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_build_refused),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_large_batch),
		cmocka_unit_test(test_malformed_results),
		cmocka_unit_test(test_malformed_chains),
		cmocka_unit_test(test_structure_comes_first),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_transforms),
		cmocka_unit_test(test_own_methods),
		cmocka_unit_test(test_sha1),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_many_documents),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
