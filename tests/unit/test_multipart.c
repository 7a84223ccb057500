/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/multipart.h"

/* Writes what the reader reports as text: "[name=value;…]" for a part's headers, its data, "|". */
static bool on_part(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err)
{
	struct slt_buf *b = arg;

	(void)err;
	slt_buf_addc(b, '[');
	for (size_t i = 0; i < n; i++) {
		slt_buf_add(b, h[i].name.p, h[i].name.n);
		slt_buf_addc(b, '=');
		slt_buf_add(b, h[i].value.p, h[i].value.n);
		slt_buf_addc(b, ';');
	}
	slt_buf_addc(b, ']');
	return true;
}

static bool on_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	(void)err;
	assert_true(n > 0);
	slt_buf_add(arg, p, n);
	return true;
}

static bool on_end(void *arg, struct slt_err *err)
{
	(void)err;
	slt_buf_addc(arg, '|');
	return true;
}

static const struct slt_multipart_ops ops = {on_part, on_data, on_end};

/* Feeds in two pieces, or (cut beyond n) byte by byte. */
static bool run(const char *boundary, const char *p, size_t n, size_t cut, struct slt_buf *out,
		struct slt_err *err)
{
	SLT_AUTO(slt_multipart_free)
	struct slt_multipart *m = slt_multipart_new(slt_str(boundary), &ops, out);

	assert_non_null(m);
	if (cut <= n) {
		return slt_multipart_feed(m, p, cut, err) &&
		       slt_multipart_feed(m, p + cut, n - cut, err) && slt_multipart_end(m, err);
	}
	for (size_t i = 0; i < n; i++) {
		if (!slt_multipart_feed(m, p + i, 1, err)) {
			return false;
		}
	}
	return slt_multipart_end(m, err);
}

/* Every way to cut the input in two must give the same. */
static void expect_n(const char *boundary, const char *p, size_t n, const char *want)
{
	for (size_t cut = 0; cut <= n + 1; cut++) {
		SLT_AUTO_BUF(out, 1 << 20);
		struct slt_err err = SLT_ERR_INIT;
		if (!run(boundary, p, n, cut, &out, &err)) {
			fail_msg("cut at %zu: %s", cut, err.msg);
		}
		if (!slt_str_eq(slt_buf_str(&out), want)) {
			fail_msg("cut at %zu: %s and not %s", cut, slt_buf_str(&out).p, want);
		}
	}
}

static void expect(const char *in, const char *want)
{
	expect_n("b", in, strlen(in), want);
}

static void refuse_n(const char *p, size_t n, const char *word)
{
	for (size_t cut = 0; cut <= n + 1; cut++) {
		SLT_AUTO_BUF(out, 1 << 20);
		struct slt_err err = SLT_ERR_INIT;
		if (run("b", p, n, cut, &out, &err)) {
			fail_msg("cut at %zu: %s was taken", cut, p);
		}
		assert_int_equal(err.code, SLT_EMIME_PARSING_FAILED);
		if (!strstr(err.msg, word)) {
			fail_msg("cut at %zu: \"%s\" does not say %s", cut, err.msg, word);
		}
	}
}

static void refuse(const char *in, const char *word)
{
	refuse_n(in, strlen(in), word);
}

static void test_layouts(void **state)
{
	(void)state;
	expect("--b\r\nA: 1\r\n\r\nx\r\n--b--\r\n", "[A=1;]x|");
	expect("--b\nA: 1\n\nx\n--b--\n", "[A=1;]x|");
	expect("--b\nA: 1\n\nx\n--b--", "[A=1;]x|");
	expect("--b\nA: 1\n\nx\n--b-- \t", "[A=1;]x|");
	expect("--b\nA: 1\n\nx\n--b--\r", "[A=1;]x|");
	expect("--b\n\nx\n--b\n\ny\n--b--", "[]x|[]y|");
	expect("\r\n--b\r\n\r\nx\r\n--b--\r\n", "[]x|");
	expect(" \t\r\n\n--b\n\nx\n--b--", "[]x|");
	expect("--b--", "");
	expect("--b--\n", "");
	/* transport padding */
	expect("--b \t\r\n\r\nx\r\n--b \t\n\ny\n--b--  \r\n", "[]x|[]y|");
	/* epilogue */
	expect("--b\n\nx\n--b--\nmore\n--b\n\nno part\n--b--", "[]x|");
}

static void test_line_breaks_are_content(void **state)
{
	(void)state;
	expect("--b\n\n\n--b--", "[]|");
	expect("--b\n\n--b--", "[]|"); /* no content at all */
	expect("--b\n\n\r\n\r\n--b--", "[]\r\n|");
	expect("--b\n\n\r\r\n--b--", "[]\r|");
	expect("--b\n\n\r\n\n--b--", "[]\r\n|");
	expect("--b\n\n\n\r\n--b--", "[]\n|");
	expect("--b\n\nx\r\n\r\n--b--", "[]x\r\n|");
	expect("--b\n\nx\r\r\r--b--\r\n--b--", "[]x\r\r\r--b--|");
	expect("--b\n\n \r\n\t\r\n--b--", "[] \r\n\t|");
}

static void test_not_a_delimiter(void **state)
{
	(void)state;
	expect("--b\n\n--bX\n--b--", "[]--bX|");
	expect("--b\n\nx\n--bX\n--b--", "[]x\n--bX|");
	expect("--b\n\nx\r\n--b-\r\n--b--", "[]x\r\n--b-|");
	expect("--b\n\nx\r\n--b-x\r\n--b--", "[]x\r\n--b-x|");
	expect("--b\n\nx\r\n--b--x\r\n--b--", "[]x\r\n--b--x|");
	expect("--b\n\nx\r\n--b -\r\n--b--", "[]x\r\n--b -|");
	expect("--b\n\nx\r\n--b -- x\r\n--b--", "[]x\r\n--b -- x|");
	expect("--b\n\nx\r\n--b-- x\r\n--b--", "[]x\r\n--b-- x|");
	expect("--b\n\nx\r\n--b\rx\r\n--b--", "[]x\r\n--b\rx|");
	expect("--b\n\nx\r\n--b\r\r\n--b--", "[]x\r\n--b\r|");
	expect("--b\n\nx --b\n--b--", "[]x --b|");
	expect("--b\n\nx\r--b--\n--b--", "[]x\r--b--|");
	expect("--b\n\n -b\n-b\n---b\n--B\n-\n--\n--b--", "[] -b\n-b\n---b\n--B\n-\n--|");
	/* a delimiter right after something that only began like one */
	expect("--b\n\n--\n--b--", "[]--|");
	expect("--b\n\n-\r\n--b--", "[]-|");
	expect("--b\n\n--b \r\r\n--b--", "[]--b \r|");
}

static void test_header_forms(void **state)
{
	(void)state;
	expect("--b\nA:1\nb-C:  2 \r\nD:\n\nx\n--b--", "[A=1;b-C=2;D=;]x|");
	expect("--b\nA: x:y\n\nx\n--b--", "[A=x:y;]x|");
	expect("--b\nA: \xc3\xa4\ty\n\nx\n--b--", "[A=\xc3\xa4\ty;]x|");
	/* folded */
	expect("--b\nA:\n 1\nB: 2\r\n\t3\r\n  4\n\nx\n--b--", "[A=1;B=2\t3  4;]x|");
	expect("--b\nA: 1\n \nB: 2\n\nx\n--b--", "[A=1;B=2;]x|");
	/* the same header twice is the reader's business, Content-Type is not */
	expect("--b\nA: 1\nA: 2\n\nx\n--b--", "[A=1;A=2;]x|");
}

static void test_headers_refused(void **state)
{
	(void)state;
	refuse("--b\nA\n\nx\n--b--", "name: value");
	refuse("--b\n: 1\n\nx\n--b--", "name: value");
	refuse("--b\nA : 1\n\nx\n--b--", "character that cannot");
	refuse("--b\n A: 1\n\nx\n--b--", "character that cannot");
	refuse("--b\nA\xc3: 1\n\nx\n--b--", "character that cannot");
	refuse("--b\nA: 1\rB: 2\n\nx\n--b--", "control");
	refuse("--b\nA: \x01\n\nx\n--b--", "control");
	refuse("--b\nA: \x7f\n\nx\n--b--", "control");
	refuse_n("--b\nA: \0\n\nx\n--b--", 18, "control");
	refuse("--b\nContent-Type: a/b\ncontent-TYPE: a/b\n\nx\n--b--", "two Content-Type");
	refuse("--b\nA: 1\n--b\n\nx\n--b--", "within the header");
	refuse("--b\n--b\n\nx\n--b--", "within the header");
}

static void test_unfinished(void **state)
{
	(void)state;
	refuse("", "closing");
	refuse("\n", "closing");
	refuse("--", "closing");
	refuse("--b", "closing");
	refuse("--b-", "closing");
	refuse("--b\n", "closing");
	refuse("--b\nA: 1\n", "closing");
	refuse("--b\nA: 1\n\n", "closing");
	refuse("--b\n\nx", "closing");
	refuse("--b\n\nx\n", "closing");
	refuse("--b\n\nx\n--b", "closing");
	refuse("--b\n\nx\n--b\r", "closing");
	refuse("--b\n\nx\n--b-", "closing");
	refuse("--b\n\nx\n--b--x", "closing");
	refuse("--b\n\nx\n--b\n", "closing");
	refuse("--b\n\nx\n--c--\n", "closing");
}

static void test_preamble(void **state)
{
	(void)state;
	refuse("hello\n--b\n\nx\n--b--", "before the first");
	refuse("--bb\n\nx\n--b--", "before the first");
	refuse("x--b\n\nx\n--b--", "before the first");
	refuse(" --b\n\nx\n--b--", "before the first");
}

static void limit(const char *head, char fill, size_t n, const char *tail, bool good)
{
	SLT_AUTO_BUF(in, 1 << 20);
	SLT_AUTO_BUF(out, 1 << 20);
	struct slt_err err = SLT_ERR_INIT;

	slt_buf_adds(&in, head);
	for (size_t i = 0; i < n; i++) {
		slt_buf_addc(&in, fill);
	}
	slt_buf_adds(&in, tail);
	bool r = run("b", in.p, in.n, 7, &out, &err);
	assert_int_equal(r, good);
	if (!good) {
		assert_int_equal(err.code, SLT_EMIME_PARSING_FAILED);
	}
}

static void test_limits(void **state)
{
	(void)state;
	SLT_AUTO_BUF(in, 1 << 20);
	SLT_AUTO_BUF(out, 1 << 20);
	struct slt_err err = SLT_ERR_INIT;

	limit("", '\n', SLT_MIME_MARGIN_MAX, "--b\n\nx\n--b--", true);
	limit("", '\n', SLT_MIME_MARGIN_MAX + 2, "--b\n\nx\n--b--", false);
	limit("--b\n\nx\n--b--\n", 'x', SLT_MIME_MARGIN_MAX, "", true);
	limit("--b\n\nx\n--b--\n", 'x', SLT_MIME_MARGIN_MAX + 1, "", false);
	limit("--b\nA: ", 'x', SLT_MIME_HEADERS_MAX - 6, "\n\nx\n--b--", true);
	limit("--b\nA: ", 'x', SLT_MIME_HEADERS_MAX, "\n\nx\n--b--", false);
	limit("--b\n\nx\n--b", ' ', 100, "\n\nx\n--b--", true);
	limit("--b\n\nx\n--b", ' ', 1000, "\n\nx\n--b--", false);
	for (int i = 0; i < SLT_MIME_PARTS_MAX; i++) {
		slt_buf_adds(&in, "--b\n\nx\n");
	}
	size_t n = in.n;
	slt_buf_adds(&in, "--b--");
	assert_true(run("b", in.p, in.n, 0, &out, &err));
	in.n = n;
	slt_buf_adds(&in, "--b\n\nx\n--b--");
	assert_false(run("b", in.p, in.n, 0, &out, &err));
	slt_buf_reset(&in);
	slt_buf_adds(&in, "--b\n");
	for (int i = 0; i < SLT_MIME_FIELDS_MAX; i++) {
		slt_buf_adds(&in, "A: 1\n");
	}
	n = in.n;
	slt_buf_adds(&in, "\nx\n--b--");
	assert_true(run("b", in.p, in.n, 0, &out, &err));
	in.n = n;
	slt_buf_adds(&in, "B: 1\n\nx\n--b--");
	assert_false(run("b", in.p, in.n, 0, &out, &err));
}

static void test_boundaries(void **state)
{
	(void)state;
	char longest[SLT_MIME_BOUNDARY_MAX + 2];
	static const char *const bad[] = {"", "a\nb", "a\r", "a\x80", "a ", "\t"};

	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		assert_null(slt_multipart_new(slt_str(bad[i]), &ops, NULL));
	}
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_null(slt_multipart_new(slt_str(longest), &ops, NULL));
	longest[sizeof(longest) - 2] = '\0';
	slt_multipart_free(slt_multipart_new(slt_str(longest), &ops, NULL));
	slt_multipart_free(NULL);
	/* one that is full of what a delimiter is made of */
	static const char dashes[] = "------\n\n-----\n----\n-------\n------\n\n\n--------";
	expect_n("----", dashes, strlen(dashes), "[]-----\n----\n-------|[]|");
	static const char colons[] = "--:a::\nA: 1\n\nx\n--:a::--";
	expect_n(":a::", colons, strlen(colons), "[A=1;]x|");
	expect_n("a b", "--a b\n\nx\n--a b--", 16, "[]x|");
}

static void test_random_bodies(void **state)
{
	(void)state;
	static const char alphabet[] = "-b\r\n -b\r\n-x";
	uint32_t seed = 1;

	/* with the real delimiter unguessable, whatever the body says comes out as it went in */
	for (int round = 0; round < 3000; round++) {
		SLT_AUTO_BUF(in, 4096);
		SLT_AUTO_BUF(out, 4096);
		struct slt_err err = SLT_ERR_INIT;
		char body[40];
		size_t n = 1 + (size_t)round % (sizeof(body) - 1);
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			body[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		slt_buf_adds(&in, "--bb#\n\n");
		slt_buf_add(&in, body, n);
		slt_buf_adds(&in, "\r\n--bb#--");
		assert_true(run("bb#", in.p, in.n, (size_t)round % 60, &out, &err));
		assert_int_equal(out.n, n + 3);
		assert_memory_equal(out.p + 2, body, n);
	}
}

static bool fail_part(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err)
{
	(void)arg;
	(void)h;
	(void)n;
	return slt_fail(err, SLT_EINVALID_CONTENT_TYPE, "no");
}

static void test_callback_fails(void **state)
{
	(void)state;
	static const struct slt_multipart_ops failing = {fail_part, on_data, on_end};
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_multipart_free)
	struct slt_multipart *m = slt_multipart_new(SLT_STR_C("b"), &failing, NULL);

	assert_false(slt_multipart_feed(m, "--b\n\nx\n--b--", 12, &err));
	assert_int_equal(err.code, SLT_EINVALID_CONTENT_TYPE);
	/* and stays failed */
	assert_false(slt_multipart_feed(m, "x", 1, &err));
	assert_int_equal(err.code, SLT_EMIME_PARSING_FAILED);
	assert_false(slt_multipart_end(m, &err));
}

static void param(const char *value, const char *want)
{
	struct slt_str got = SLT_STR_C("untouched");
	bool found = slt_mime_param(slt_str(value), "boundary", &got);

	assert_int_equal(found, want != NULL);
	if (!slt_str_eq(got, want ? want : "untouched")) {
		fail_msg("%s: %.*s", value, (int)got.n, got.p);
	}
}

static void test_params(void **state)
{
	(void)state;
	param("multipart/mixed; boundary=x", "x");
	param("multipart/mixed;BOUNDARY=x", "x");
	param("multipart/mixed ; charset=UTF-8 ; boundary = x ; a=b", "x");
	param("multipart/mixed; boundary=\"x;y=z\"; a=b", "x;y=z");
	param("multipart/mixed; boundary = \"x;y\"", "x;y");
	param("multipart/mixed; boundary='x'", "x");
	param("multipart/mixed; a=\"; boundary=no\"; boundary=yes", "yes");
	param("multipart/mixed; boundary=", "");
	param("multipart/mixed; boundary=\"\"", "");
	param("multipart/mixed; boundary=\"", "\"");
	param("multipart/mixed; boundary=a=b", "a=b");
	param("multipart/mixed; boundary=:gkMa5KAvuHP7ahe9IQHONLgnncvv:",
	      ":gkMa5KAvuHP7ahe9IQHONLgnncvv:");
	param("multipart/mixed", NULL);
	param("boundary=x", NULL);
	param("multipart/mixed; boundary", NULL);
	param("multipart/mixed; xboundary=x", NULL);
	param("multipart/mixed; boundaryx=x", NULL);
	param("multipart/mixed; boundary=a; boundary=b", NULL);
	param("", NULL);
	param(";;;", NULL);
	assert_true(slt_str_eq(slt_mime_type(slt_str(" text/xml ; a=b")), "text/xml"));
	assert_true(slt_str_eq(slt_mime_type(slt_str("text/xml")), "text/xml"));
	assert_int_equal(slt_mime_type(slt_str("; a=b")).n, 0);
	assert_int_equal(slt_mime_type(slt_str(NULL)).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_line_breaks_are_content),
		cmocka_unit_test(test_not_a_delimiter),
		cmocka_unit_test(test_header_forms),
		cmocka_unit_test(test_headers_refused),
		cmocka_unit_test(test_unfinished),
		cmocka_unit_test(test_preamble),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_random_bodies),
		cmocka_unit_test(test_callback_fails),
		cmocka_unit_test(test_params),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
