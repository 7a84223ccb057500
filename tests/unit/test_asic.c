/* SPDX-License-Identifier: MIT */
/* Containers written, read and judged. */
#include "asic_fixture.h"
#include "zip_fixture.h"

/* --- judging --- */

/* The fault code of reading and verifying, "" when good. */
static const char *judge(struct slt_str bytes, bool strict, unsigned *ret_warnings,
			 unsigned *ret_unverified)
{
	static char code[128];
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_asic_free) struct slt_asic *a = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	struct slt_asic_verdict v;

	if (!slt_asic_open(bytes, &a, &err) || !slt_asic_verify(a, gc, strict, arena, &v, &err)) {
		slt_err_fault_code(&err, SLT_DIALECT_SNAKE, code, sizeof(code));
		assert_true(strlen(err.msg) > 10);
		return code;
	}
	assert_string_equal(slt_id_text(&v.signer, arena), MEMBER);
	assert_int_equal(v.timestamp_ms, PKI_NOW + TSA_MS);
	if (ret_warnings != NULL) {
		*ret_warnings = v.signature.n_warnings;
	}
	if (ret_unverified != NULL) {
		*ret_unverified = v.n_unverified;
	}
	slt_asic_verdict_fini(&v);
	return "";
}

static void expect(const struct slt_asic_entries *e, const char *lax, const char *strict)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);

	assert_true(slt_asic_write(e, &out, &err));
	assert_string_equal(judge(slt_buf_str(&out), false, NULL, NULL), lax);
	assert_string_equal(judge(slt_buf_str(&out), true, NULL, NULL), strict);
}

static void accepts_what_it_writes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4 * 3 * 2; i++) {
		struct made m;
		SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
		struct slt_err err = SLT_ERR_INIT;
		unsigned warnings = 9, unverified = 9;

		make(&m, i % 4, rest, i / 4 % 3, i / 12 != 0 ? BATCH : SINGLE);
		assert_true(slt_asic_write(&m.e, &out, &err));
		assert_string_equal(judge(slt_buf_str(&out), true, &warnings, &unverified), "");
		assert_int_equal(warnings, 0);
		assert_int_equal(unverified, 0);
		made_fini(&m);
	}
}

/* The checker shares no code with us. */
static void convinces_an_independent_checker(void **state)
{
	const char *root = getenv("SLT_SHARED");
	SLT_AUTO_STR char *tool =
		slt_asprintf("%s/tools/xroad_check.py", root != NULL ? root : "../shared");
	SLT_AUTO_STR char *conf = slt_path_join(dir, "conf");
	SLT_AUTO_STR char *path = slt_path_join(dir, "c.asice");
	SLT_AUTO_STR char *command =
		slt_asprintf("/usr/bin/python3 %s asice %s %s >%s/log 2>&1", tool, conf, path, dir);

	(void)state;
	if (!slt_file_exists(tool) || system("/usr/bin/python3 -c 'import lxml, cryptography, "
					     "asn1crypto' 2>/dev/null") != 0) {
		print_message("skipped: %s or what it needs is not there\n", tool);
		skip();
	}
	pki_globalconf_write(conf, &instance, 1);
	for (unsigned i = 0; i < 8; i++) {
		struct made m;
		SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
		struct slt_err err = SLT_ERR_INIT;

		make(&m, i % 4, rest, i / 4 * 2, i % 2 != 0 ? BATCH : SINGLE);
		assert_true(slt_asic_write(&m.e, &out, &err));
		assert_true(slt_file_write(path, out.p, out.n, 0600, &err));
		if (system(command) != 0) {
			fail_msg("%s failed", command);
		}
		made_fini(&m);
	}
}

static void lays_out_as_the_standard_wants(void **state)
{
	static const char comment[] = "mimetype=" SLT_ASIC_MIME_TYPE;
	struct made m;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
	SLT_AUTO_BUF(again, SLT_ASIC_BYTES_MAX);

	(void)state;
	make(&m, 2, rest, 1, SINGLE);
	assert_true(slt_asic_write(&m.e, &out, &err));
	assert_true(slt_asic_write(&m.e, &again, &err));
	assert_int_equal(out.n, again.n);
	assert_memory_equal(out.p, again.p, out.n);
	/* stored, without an extra field: the type can be read at a fixed place */
	assert_memory_equal(out.p + 8, "\0\0", 2);
	assert_memory_equal(out.p + 28, "\0\0", 2);
	assert_memory_equal(out.p + 30, "mimetype" SLT_ASIC_MIME_TYPE,
			    strlen("mimetype" SLT_ASIC_MIME_TYPE));
	assert_memory_equal(out.p + out.n - strlen(comment), comment, strlen(comment));
	made_fini(&m);
}

#define GET "GET\r\n/r1/FI/COM/1234567-8/sub/service\r\n"
#define ANSWER                                                                                     \
	"200\r\nOK\r\nx-road-id:1\r\nx-road-client:FI/COM/9/x\r\nx-road-request-hash:YQ==\r\n"

static void takes_the_signer_from_the_message(void **state)
{
	static const struct {
		const char *message, *lax;
	} rows[] = {
		{ANSWER "x-road-service:" MEMBER "/sub/service\r\n", ""},
		/* the last one counts */
		{ANSWER "x-road-service:FI/COM/9/x/y\r\nx-road-service:" MEMBER "/sub/s\r\n", ""},
		{ANSWER "x-road-service:FI/COM/9/sub/service\r\n", "incorrect_certificate"},
		{ANSWER "x-road-service:" MEMBER "/sub/service/v1\r\n", "invalid_message"},
		{ANSWER, "invalid_message"},
		{GET "x-road-client:FI/COM/9\r\n", "incorrect_certificate"},
		{GET "x-road-client:EE/COM/1234567-8\r\n", "internal_error"},
		{GET "x-road-client:FI/COM\r\n", "invalid_message"},
		{GET "x-road-service:" MEMBER "/sub/service\r\n", "invalid_message"},
		{GET "x-road-client:" MEMBER "\n", "invalid_message"},
		{GET "x-road-client:" MEMBER "\r\nx-road-client:FI/COM/9\r\n", "invalid_message"},
		{"GET\r\n/x\r\nx-road-client:" MEMBER "\r\n", "invalid_message"},
		{"x-road-client:" MEMBER "\r\n", "invalid_message"}, /* a first line is no header */
		{"<x/>", "invalid_soap"},
		{"\xEF\xBB\xBF  <x", "invalid_soap"},
		{"?", "invalid_message"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(rows); i++) {
		struct made m;
		SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
		struct slt_err err = SLT_ERR_INIT;
		const char *code;

		make(&m, 2, rows[i].message, 0, SINGLE);
		assert_true(slt_asic_write(&m.e, &out, &err));
		code = judge(slt_buf_str(&out), false, NULL, NULL);
		if (strcmp(code, rows[i].lax) != 0) {
			fail_msg("%s: got \"%s\", expected \"%s\"", rows[i].message, code,
				 rows[i].lax);
		}
		made_fini(&m);
	}
}

static void reports_attachments(void **state)
{
	struct made m;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
	SLT_AUTO_BUF(changed, SLT_ASIC_BYTES_MAX);
	unsigned warnings = 9, unverified = 9;

	(void)state;
	make(&m, 2, rest, 2, BATCH);
	m.e.attachment[1] = (struct slt_str){NULL, 0}; /* not kept */
	assert_true(slt_asic_write(&m.e, &out, &err));
	assert_string_equal(judge(slt_buf_str(&out), false, &warnings, &unverified), "");
	assert_int_equal(warnings, 0);
	assert_int_equal(unverified, 1);
	assert_string_equal(judge(slt_buf_str(&out), true, &warnings, &unverified), "");
	assert_int_equal(unverified, 1);

	m.e.attachment[0] = SLT_STR_C("two"); /* another one */
	assert_true(slt_asic_write(&m.e, &changed, &err));
	assert_string_equal(judge(slt_buf_str(&changed), false, &warnings, &unverified), "");
	assert_int_equal(warnings, 1);
	assert_int_equal(unverified, 2);
	assert_string_equal(judge(slt_buf_str(&changed), true, NULL, NULL),
			    "malformed_signature.invalid_hash_chain_ref");
	made_fini(&m);
}

static void refuses_swapped_parts(void **state)
{
	static const char other[] = "GET\r\n/r1/a/b/c/d/other\r\nx-road-client:" MEMBER "\r\n";
	struct made direct, chained, batch, foreign;
	struct slt_asic_entries e;

	(void)state;
	make(&direct, 2, rest, 0, SINGLE);
	make(&chained, 2, rest, 1, SINGLE);
	make(&batch, 2, rest, 0, BATCH);
	make(&foreign, 2, other, 0, BATCH);

	e = direct.e;
	e.message = slt_str(other);
	expect(&e, "invalid_signature_value", "invalid_signature_value");
	e = direct.e;
	e.signature = slt_str(direct.s.signature); /* without its time-stamp */
	expect(&e, "asic_timestamp_not_found", "asic_timestamp_not_found");
	e = direct.e;
	e.signature = slt_str("<x/>");
	expect(&e, "malformed_signature", "malformed_signature");
	e.signature = slt_str("x");
	expect(&e, "invalid_xml", "invalid_xml");
	e = direct.e;
	e.hash_chain = chained.e.hash_chain;
	e.hash_chain_result = chained.e.hash_chain_result;
	expect(&e, "", "malformed_signature"); /* files that nobody signed */
	e = chained.e;
	e.message = slt_str(other);
	expect(&e, "malformed_signature.invalid_hash_chain_ref",
	       "malformed_signature.invalid_hash_chain_ref");
	e = chained.e;
	e.hash_chain = e.hash_chain_result = (struct slt_str){NULL, 0};
	expect(&e, "internal_error", "malformed_signature");
	e = chained.e;
	e.hash_chain_result = e.hash_chain;
	expect(&e, "malformed_signature.malformed_hash_chain",
	       "malformed_signature.malformed_hash_chain");

	e = batch.e;
	e.timestamp = foreign.e.timestamp;
	expect(&e, "malformed_signature", "malformed_signature");
	e.ts_hash_chain = foreign.e.ts_hash_chain;
	e.ts_hash_chain_result = foreign.e.ts_hash_chain_result;
	expect(&e, "malformed_signature", "malformed_signature");
	e = batch.e;
	e.ts_hash_chain_result = SLT_STR_C("not XML");
	expect(&e, "malformed_signature", "malformed_signature");
	e = batch.e;
	e.timestamp = SLT_STR_C("not a token");
	expect(&e, "malformed_signature", "malformed_signature");
	made_fini(&direct);
	made_fini(&chained);
	made_fini(&batch);
	made_fini(&foreign);
}

static void judges_at_another_instant(void **state)
{
	struct made m;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
	SLT_AUTO(slt_asic_free) struct slt_asic *a = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	struct slt_asic_options o = {.gc = gc, .at_ms = PKI_NOW + INT64_C(86400000)};
	struct slt_asic_verdict v;
	char code[128];

	(void)state;
	make(&m, 2, rest, 0, SINGLE);
	assert_true(slt_asic_write(&m.e, &out, &err));
	assert_true(slt_asic_open(slt_buf_str(&out), &a, &err));
	assert_false(slt_asic_verify_at(a, &o, arena, &v, &err));
	slt_err_fault_code(&err, SLT_DIALECT_SNAKE, code, sizeof(code));
	assert_string_equal(code, "invalid_cert_path.incorrect_validation_info");
	made_fini(&m);
}

static void refuses_truncated_containers(void **state)
{
	struct made m;
	struct slt_err good = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);

	(void)state;
	make(&m, 2, rest, 0, SINGLE);
	assert_true(slt_asic_write(&m.e, &out, &good));
	for (size_t n = 0; n < out.n; n += 101) {
		assert_string_not_equal(judge((struct slt_str){out.p, n}, false, NULL, NULL), "");
	}
	made_fini(&m);
}

/* Entries under names of their own are passed over, unless strict. */
static void judges_unknown_entries(void **state)
{
	struct made m;
	struct zip_entry e[] = {
		{.name = "mimetype", .data = MIME},	{.name = "message.xml"},
		{.name = "META-INF/signatures.xml"},	{.name = "attachment01", .data = X},
		{.name = "META-INF/", .data = {"", 0}},
	};
	SLT_AUTO_BUF(zip, 1u << 20);
	unsigned warnings = 0;

	(void)state;
	make(&m, 2, rest, 0, SINGLE);
	e[1].data = m.e.message;
	e[2].data = m.e.signature;
	zip_build(e, SLT_COUNT(e), &zip);
	assert_string_equal(judge(slt_buf_str(&zip), false, &warnings, NULL), "");
	assert_int_equal(warnings, 1);
	assert_string_equal(judge(slt_buf_str(&zip), true, NULL, NULL), "invalid_value");
	made_fini(&m);
}

static void tells_archives_from_containers(void **state)
{
	struct made m;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
	SLT_AUTO(slt_archive_free) struct slt_archive *a = NULL;

	(void)state;
	make(&m, 2, rest, 0, SINGLE);
	assert_true(slt_asic_write(&m.e, &out, &err));
	assert_true(slt_archive_open(slt_buf_str(&out), &a, &err));
	assert_false(slt_archive_is(a));
	slt_archive_free(SLT_TAKE(a));
	assert_false(slt_archive_open(SLT_STR_C("PK"), &a, &err));
	assert_int_equal(err.code, SLT_EMLOG_INVALID_ARCHIVE);
	made_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_what_it_writes),
		cmocka_unit_test(convinces_an_independent_checker),
		cmocka_unit_test(lays_out_as_the_standard_wants),
		cmocka_unit_test(takes_the_signer_from_the_message),
		cmocka_unit_test(reports_attachments),
		cmocka_unit_test(refuses_swapped_parts),
		cmocka_unit_test(judges_at_another_instant),
		cmocka_unit_test(refuses_truncated_containers),
		cmocka_unit_test(judges_unknown_entries),
		cmocka_unit_test(tells_archives_from_containers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
