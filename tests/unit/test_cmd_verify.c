/* SPDX-License-Identifier: MIT */
/* silta verify: what it prints and how it ends. */
#include "asic_fixture.h"
#include "command.h"
#include "zip_fixture.h"

#include <fcntl.h>
#include <jansson.h>

static char conf[128], good[128], bad[128], archive[128], log_path[128];
static char *last; /* hex that the archive ends with */

static void write_file(char path[128], const char *name, struct slt_str bytes)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)snprintf(path, 128, "%s/%s", dir, name);
	assert_true(slt_file_write(path, bytes.p, bytes.n, 0600, &err));
}

static void write_archive(struct slt_str container)
{
	SLT_AUTO_BUF(text, 4096);
	SLT_AUTO_BUF(links, 4096);
	SLT_AUTO_BUF(hex, 4096);
	SLT_AUTO_BUF(zip, 1u << 20);
	struct slt_digest d;

	slt_digest_of(SLT_SHA512, container.p, container.n, &d);
	slt_buf_add_hex(&text, d.v, d.n);
	slt_digest_of(SLT_SHA512, text.p, text.n, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	slt_buf_addf(&links, "- - SHA-512\n%s a.asice\n", hex.p);

	struct zip_entry e[] = {
		{.name = "a.asice", .data = container},
		{.name = "linkinginfo", .data = slt_buf_str(&links)},
	};

	zip_build(e, 2, &zip);
	write_file(archive, "archive.zip", slt_buf_str(&zip));
	last = slt_buf_take(&hex, NULL);
}

static int set_up_files(void **state)
{
	struct made m;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
	SLT_AUTO_BUF(forged, SLT_ASIC_BYTES_MAX);

	assert_int_equal(set_up(state), 0);
	(void)snprintf(conf, sizeof(conf), "%s/conf", dir);
	(void)snprintf(log_path, sizeof(log_path), "%s/out", dir);
	pki_globalconf_write(conf, &instance, 1);
	make(&m, 0, rest, 1, BATCH);
	m.e.n_attachments = 0; /* not kept */
	assert_true(slt_asic_write(&m.e, &out, &err));
	write_file(good, "good.asice", slt_buf_str(&out));
	write_archive(slt_buf_str(&out));
	m.e.message = SLT_STR_C("GET\r\n/r1/a/b/c/d/other\r\nx-road-client:" MEMBER "\r\n");
	assert_true(slt_asic_write(&m.e, &forged, &err));
	write_file(bad, "bad.asice", slt_buf_str(&forged));
	made_fini(&m);
	return 0;
}

static int tear_down_files(void **state)
{
	free(last);
	return tear_down(state);
}

/* Runs the command; its standard output is malloc'ed. Arguments end with NULL. */
static char *run(int want, ...)
{
	char *argv[16] = {slt_strdup("verify")};
	int argc = 1, saved = dup(1), to = open(log_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct slt_err err = SLT_ERR_INIT;
	char *text = NULL;
	size_t n = 0;
	va_list ap;

	va_start(ap, want);
	for (const char *a = va_arg(ap, const char *); a != NULL; a = va_arg(ap, const char *)) {
		argv[argc++] = slt_strdup(a);
	}
	va_end(ap);
	assert_true(saved >= 0 && to >= 0);
	(void)fflush(stdout);
	assert_true(dup2(to, 1) == 1);

	int got = slt_cmd_verify(argc, argv);

	(void)fflush(stdout);
	assert_true(dup2(saved, 1) == 1);
	(void)close(saved);
	(void)close(to);
	for (int i = 0; i < argc; i++) {
		free(argv[i]);
	}
	assert_true(slt_file_read(log_path, 1u << 20, &text, &n, &err));
	if (got != want) {
		fail_msg("exit status %d, expected %d: %s", got, want, text);
	}
	return text;
}

static void has(const char *text, const char *what)
{
	if (strstr(text, what) == NULL) {
		fail_msg("\"%s\" is not in: %s", what, text);
	}
}

static void says_who_signed_when(void **state)
{
	SLT_AUTO_STR char *out = run(SLT_EXIT_GOOD, "--conf", conf, good, NULL);

	(void)state;
	assert_true(strncmp(out, "OK good.asice signer=\"" MEMBER "\"", 20) == 0);
	has(out, "timestamp=\"2026-11-23T16:00:00Z\"");
	has(out, "certificate=\"");
	has(out, "\n  The digest for \"/attachment1\" is: ");
	has(out, " (unverified)\n");
	assert_null(strstr(out, "warning="));
}

/* Another member's name is in the message than the one who signs for himself. */
static void judges_a_signer_it_is_told(void **state)
{
	SLT_AUTO_STR char *other = slt_asprintf("%s/other.asice", dir);
	SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
	struct slt_err err = SLT_ERR_INIT;
	struct made m;

	(void)state;
	make(&m, 0, "GET\r\n/r1/a/b/c/d/service\r\nx-road-client:FI/COM/nobody/sub\r\n", 0, BATCH);
	assert_true(slt_asic_write(&m.e, &out, &err));
	made_fini(&m);
	assert_true(slt_file_write(other, out.p, out.n, 0600, &err));

	SLT_AUTO_STR char *named = run(SLT_EXIT_NO, "--conf", conf, other, NULL);
	SLT_AUTO_STR char *told =
		run(SLT_EXIT_GOOD, "--conf", conf, "--strict", "--signer", MEMBER, other, NULL);
	SLT_AUTO_STR char *wrong =
		run(SLT_EXIT_NO, "--conf", conf, "--signer", MEMBER "0", good, NULL);
	SLT_AUTO_STR char *forged = run(SLT_EXIT_NO, "--conf", conf, "--signer", MEMBER, bad, NULL);

	has(named, "FAIL other.asice ");
	has(told, "OK other.asice signer=\"" MEMBER "\"");
	has(wrong, "FAIL good.asice ");
	has(forged, "malformed_signature.invalid_hash_chain_ref");
}

static void says_what_is_wrong(void **state)
{
	SLT_AUTO_STR char *out = run(SLT_EXIT_NO, "--conf", conf, good, bad, NULL);

	(void)state;
	has(out, "OK good.asice ");
	has(out, "\nFAIL bad.asice malformed_signature.invalid_hash_chain_ref /message.xml ");
}

static void judges_archives(void **state)
{
	SLT_AUTO_STR char *out =
		run(SLT_EXIT_GOOD, "--strict", "--conf", conf, "--previous", "-", archive, NULL);
	SLT_AUTO_STR char *want =
		slt_asprintf("\nOK archive.zip linked=1 previous=- last=%s\n", last);

	(void)state;
	has(out, "OK archive.zip/a.asice signer=");
	has(out, want);

	SLT_AUTO_STR char *other =
		run(SLT_EXIT_NO, "--conf", conf, "--previous", last, archive, NULL);

	has(other, "OK archive.zip/a.asice ");
	has(other, "\nFAIL archive.zip mlog.invalid_log_archive ");
}

static void judges_at_a_given_instant(void **state)
{
	SLT_AUTO_STR char *out =
		run(SLT_EXIT_NO, "--conf", conf, "--at", "2026-11-24T16:00:00Z", good, NULL);

	(void)state;
	has(out, "FAIL good.asice invalid_cert_path.incorrect_validation_info ");
}

static void looks_at_structure_only_when_asked(void **state)
{
	SLT_AUTO_STR char *out = run(SLT_EXIT_GOOD, "--structure", bad, archive, NULL);
	SLT_AUTO_STR char *other = run(SLT_EXIT_NO, "--structure", conf[0] ? log_path : "", NULL);

	(void)state;
	has(out, "OK bad.asice structure only, no signature was verified\n");
	has(out, "OK archive.zip linked=1 ");
	has(other, "FAIL out asic_mime_type_not_found ");
}

static void speaks_json(void **state)
{
	SLT_AUTO_STR char *out =
		run(SLT_EXIT_NO, "--json", "--conf", conf, good, bad, archive, NULL);
	static const bool ok[] = {true, false, true, true};
	char *p = out;

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(ok); i++) {
		char *nl = strchr(p, '\n');

		assert_non_null(nl);

		json_t *line = json_loadb(p, (size_t)(nl - p), 0, NULL);

		assert_non_null(line);
		assert_int_equal(json_is_true(json_object_get(line, "ok")), ok[i]);
		assert_non_null(json_string_value(json_object_get(line, "name")));
		assert_int_equal(json_object_get(line, "code") == NULL, ok[i]);
		if (i == 0) {
			json_t *a = json_array_get(json_object_get(line, "attachments"), 0);

			assert_string_equal(json_string_value(json_object_get(a, "name")),
					    "/attachment1");
			assert_true(json_is_false(json_object_get(a, "verified")));
		}
		json_decref(line);
		p = nl + 1;
	}
	assert_string_equal(p, "");
}

static void says_what_it_could_not_ask(void **state)
{
	static const char *const rows[][4] = {
		{"--conf", "/nonexistent", "x", NULL},
		{"--conf", conf, NULL, NULL},
		{"--conf", conf, "/nonexistent/file", NULL},
		{"x", NULL, NULL, NULL},
		{"--unknown", "x", NULL, NULL},
		{"--structure", "--at=yesterday", "x", NULL},
		{"--structure", "--conf=x", "x", NULL},
		{"--conf=x", "--signer=COM/1", "x", NULL},
		{"--conf", NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(rows); i++) {
		SLT_AUTO_STR char *out =
			run(SLT_EXIT_CANNOT, rows[i][0], rows[i][1], rows[i][2], NULL);

		assert_string_equal(out, "");
	}

	/* what cannot be read outweighs what is bad, and hides nothing */
	SLT_AUTO_STR char *out =
		run(SLT_EXIT_CANNOT, "--conf", conf, "/nonexistent/file", bad, good, NULL);

	has(out, "FAIL bad.asice ");
	has(out, "OK good.asice ");
}

static void helps(void **state)
{
	SLT_AUTO_STR char *out = run(SLT_EXIT_GOOD, "--help", NULL);

	(void)state;
	has(out, "usage: silta verify");
	has(out, "--strict");
	has(out, "Exit status");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_who_signed_when),
		cmocka_unit_test(judges_a_signer_it_is_told),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(judges_archives),
		cmocka_unit_test(judges_at_a_given_instant),
		cmocka_unit_test(looks_at_structure_only_when_asked),
		cmocka_unit_test(speaks_json),
		cmocka_unit_test(says_what_it_could_not_ask),
		cmocka_unit_test(helps),
	};

	return cmocka_run_group_tests(tests, set_up_files, tear_down_files);
}
