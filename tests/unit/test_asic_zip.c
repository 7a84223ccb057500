/* SPDX-License-Identifier: MIT */
/* Hostile ZIP files, the structure of containers, linking information of archives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "federation/asic.h"
#include "zip_fixture.h"

/* --- structure --- */

static const char *open_code(const struct zip_entry *e, size_t n)
{
	static char code[128];
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_asic_free) struct slt_asic *a = NULL;
	SLT_AUTO_BUF(zip, 256u << 20);

	zip_build(e, n, &zip);
	if (slt_asic_open(slt_buf_str(&zip), &a, &err)) {
		return "";
	}
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, code, sizeof(code));
	assert_true(strlen(err.msg) > 10);
	return code;
}

#define BASE                                                                                       \
	{.name = "mimetype", .data = MIME}, {.name = "message.xml", .data = X},                    \
	{                                                                                          \
		.name = "META-INF/signatures.xml", .data = X                                       \
	}

static void checks_the_structure(void **state)
{
	static const struct {
		struct zip_entry e[5];
		const char *code;
	} rows[] = {
		{{BASE}, ""},
		{{{.name = NULL}}, "asic_mime_type_not_found"},
		{{{.name = "mimetype", .data = {"", 0}}}, "asic_mime_type_not_found"},
		{{{.name = "mimetype", .data = {"text/plain", 10}}}, "asic_invalid_mime_type"},
		{{{.name = "mimetype", .data = MIME}}, "asic_message_not_found"},
		{{{.name = "mimetype", .data = MIME}, {.name = "message.xml", .data = {"", 0}}},
		 "asic_message_not_found"},
		{{{.name = "mimetype", .data = MIME}, {.name = "message.xml", .data = X}},
		 "asic_signature_not_found"},
		{{BASE, {.name = "sig-hashchainresult.xml", .data = X}},
		 "asic_hash_chain_not_found"},
		{{BASE, {.name = "sig-hashchain.xml", .data = X}},
		 "asic_hash_chain_result_not_found"},
		{{BASE, {.name = "ts-hashchainresult.xml", .data = X}},
		 "asic_hash_chain_not_found"},
		{{BASE, {.name = "ts-hashchain.xml", .data = X}},
		 "asic_hash_chain_result_not_found"},
		{{BASE, {.name = "attachment64", .data = X}, {.name = "note.txt", .data = X}}, ""},
		/* what no honest writer makes */
		{{BASE, {.name = "../x", .data = X}}, "invalid_value"},
		{{BASE, {.name = "META-INF/../x", .data = X}}, "invalid_value"},
		{{BASE, {.name = "META-INF/..", .data = X}}, "invalid_value"},
		{{BASE, {.name = "/message.xml", .data = X}}, "invalid_value"},
		{{BASE, {.name = "a\\b", .data = X}}, "invalid_value"},
		{{BASE, {.name = "c:x", .data = X}}, "invalid_value"},
		{{BASE, {.name = "a\nOK b", .data = X}}, "invalid_value"},
		{{BASE, {.name = "message.xml", .data = X}}, "asic_mime_type_not_found"},
		{{BASE, {.name = "x", .data = X, .flags = 1}}, "invalid_value"},
		{{BASE, {.name = "x", .data = X, .method = 12}}, "invalid_value"},
		{{BASE, {.name = "x", .data = X, .local_name = "message.xml"}},
		 "asic_mime_type_not_found"},
		{{BASE, {.name = "attachment1", .data = X, .bad_crc = true}}, "invalid_value"},
		{{BASE, {.name = "attachment1", .data = X, .method = 8, .claimed_size = 9}},
		 "invalid_value"},
		{{BASE, {.name = "x", .data = X, .method = 8, .claimed_size = 0x7fffffff}},
		 "limit_exceeded"},
		{{BASE, {.name = "x", .data = X, .method = 8, .claimed_size = 2u << 20}},
		 "limit_exceeded"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(rows); i++) {
		size_t n = 0;

		while (n < 5 && rows[i].e[n].name != NULL) {
			n++;
		}

		const char *code = open_code(rows[i].e, n);

		if (strcmp(code, rows[i].code) != 0) {
			fail_msg("row %zu: got \"%s\", expected \"%s\"", i, code, rows[i].code);
		}
	}
}

static void limits_the_number_of_entries(void **state)
{
	static char names[SLT_ASIC_ENTRIES_MAX + 1][16];
	static struct zip_entry e[SLT_ASIC_ENTRIES_MAX + 1];

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(e); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
		e[i] = (struct zip_entry){.name = names[i], .data = X};
	}
	assert_string_equal(open_code(e, SLT_COUNT(e)), "limit_exceeded");
	assert_string_equal(open_code(e, SLT_COUNT(e) - 1), "asic_mime_type_not_found");
}

/* --- archives --- */

struct link_row {
	const char *text; /* %1 and %2 stand for the digests of a.asice and b.asice */
	const char *previous;
	const char *say; /* NULL: good */
};

static void link_digests(char hex[2][65], const char *previous)
{
	for (int i = 0; i < 2; i++) {
		SLT_AUTO_BUF(text, 1024);
		SLT_AUTO_BUF(out, 1024);
		struct slt_digest d;
		const char *body = i == 0 ? "container a" : "container b";

		slt_digest_of(SLT_SHA256, body, strlen(body), &d);
		slt_buf_adds(&text, i == 0 ? previous : hex[0]);
		slt_buf_add_hex(&text, d.v, d.n);
		slt_digest_of(SLT_SHA256, text.p, text.n, &d);
		slt_buf_add_hex(&out, d.v, d.n);
		memcpy(hex[i], out.p, 65);
	}
}

static void fill(const char *text, char hex[2][65], struct slt_buf *out)
{
	for (; *text != '\0'; text++) {
		if (text[0] == '%' && (text[1] == '1' || text[1] == '2')) {
			slt_buf_adds(out, hex[text[1] - '1']);
			text++;
		} else {
			slt_buf_addc(out, *text);
		}
	}
}

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void checks_links(void **state)
{
	static const struct link_row rows[] = {
		{"- - SHA-256\n%1 a.asice\n%2 b.asice\n", NULL, NULL},
		{"- - SHA-256\r\n%1 a.asice\r\n%2 b.asice", "-", NULL},
		{"- - SHA-256\n%1 a.asice\n%2 b.asice\n", HEX64, "does not follow"},
		{"- - SHA-256\n%2 b.asice\n%1 a.asice\n", NULL, "does not match"},
		{"- - SHA-256\n%1 a.asice\n", NULL, "no link covers"},
		{"- - SHA-256\n%1 a.asice\n%1 a.asice\n%2 b.asice\n", NULL, "listed twice"},
		{"- - SHA-256\n%1 a.asice\n%2 c.asice\n", NULL, "lacks the file"},
		{"- - SHA-256\n%1 a.asice\n%1 b.asice\n", NULL, "does not match"},
		{"- - SHA-256\n%1\n", NULL, "lacks the file"},
		{"- - SHA-512\n%1 a.asice\n%2 b.asice\n", NULL, "does not match"},
		{"- - MD5\n%1 a.asice\n%2 b.asice\n", NULL, "first line"},
		{"- SHA-256\n", NULL, "first line"},
		{"- - SHA-256 x\n", NULL, "first line"},
		{"abc - SHA-256\n", NULL, "before this one is wrong"},
		{HEX64 " x.zip SHA-256\n%1 a.asice\n%2 b.asice\n", NULL, "does not match"},
		{"", NULL, "empty"},
		{"\n", NULL, "first line"},
	};
	char hex[2][65];

	(void)state;
	link_digests(hex, "");
	for (size_t i = 0; i < SLT_COUNT(rows); i++) {
		SLT_AUTO_BUF(text, 4096);
		SLT_AUTO_BUF(zip, 65536);
		SLT_AUTO(slt_archive_free) struct slt_archive *a = NULL;
		struct slt_archive_links links;
		struct slt_err err = SLT_ERR_INIT;

		fill(rows[i].text, hex, &text);

		struct zip_entry e[] = {
			{.name = "a.asice", .data = SLT_STR_C("container a")},
			{.name = "b.asice", .data = SLT_STR_C("container b")},
			{.name = "linkinginfo", .data = slt_buf_str(&text)},
		};

		zip_build(e, 3, &zip);
		assert_true(slt_archive_open(slt_buf_str(&zip), &a, &err));
		assert_true(slt_archive_is(a));

		bool good = slt_archive_verify_links(a, rows[i].previous, &links, &err);

		if (good != (rows[i].say == NULL) ||
		    (!good && strstr(err.msg, rows[i].say) == NULL)) {
			fail_msg("row %zu: good is %d: %s", i, good, err.msg);
		}
		assert_true(good || err.code == SLT_EMLOG_INVALID_ARCHIVE);
		if (good) {
			assert_int_equal(links.n, 2);
			assert_string_equal(links.last, hex[1]);
		}
	}
}

/* The chain goes on from archive to archive. */
static void follows_the_archive_before(void **state)
{
	char hex[2][65];
	SLT_AUTO_BUF(text, 4096);
	SLT_AUTO_BUF(zip, 65536);
	SLT_AUTO(slt_archive_free) struct slt_archive *a = NULL;
	struct slt_archive_links links;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	link_digests(hex, HEX64);
	fill(HEX64 " before.zip SHA-256\n%1 a.asice\n%2 b.asice\n", hex, &text);

	struct zip_entry e[] = {
		{.name = "linkinginfo", .data = slt_buf_str(&text)},
		{.name = "b.asice", .data = SLT_STR_C("container b")},
		{.name = "a.asice", .data = SLT_STR_C("container a")},
	};

	zip_build(e, 3, &zip);
	assert_true(slt_archive_open(slt_buf_str(&zip), &a, &err));
	assert_true(slt_archive_verify_links(a, HEX64, &links, &err));
	assert_string_equal(links.previous, HEX64);
	assert_false(slt_archive_verify_links(a, "-", &links, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_the_structure),
		cmocka_unit_test(limits_the_number_of_entries),
		cmocka_unit_test(checks_links),
		cmocka_unit_test(follows_the_archive_before),
	};

	slt_xml_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
