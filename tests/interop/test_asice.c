/* SPDX-License-Identifier: MIT */
/*
 * X-Road's own containers and archives (asic-verifier-cli, asic-core, messagelog-archive-verifier),
 * read at run time from SLT_SHARED. Each must yield X-Road's fault code.
 */
#include "sig_vectors.h"

#include "base/clock.h"
#include "federation/asic.h"

/* --- containers --- */

struct vector {
	const char *file;
	const char *code;		/* "" is good */
	const char *strict;		/* NULL: the same */
	const char *signer, *timestamp; /* when good */
	unsigned n_unverified;
	bool structure; /* judge the structure only */
};

#define DEV1234 "DEV/COM/1234"
#define DEV4321 "DEV/COM/4321"

/* clang-format off */
static const struct vector vectors[] = {
	{"valid-signed-message", "", NULL, DEV4321, "2024-12-05T13:16:35Z", 0, false},
	{"valid-signed-hashchain", "", NULL, DEV4321, "2024-12-05T12:37:50Z", 1, false},
	{"valid-batch-ts", "", NULL, DEV4321, "2024-12-05T07:34:14Z", 0, false},
	{"valid-non-batch-rest", "", NULL, DEV1234, "2024-07-11T12:51:12Z", 0, false},
	{"valid-non-batch-soap-attachments", "", NULL, NULL, NULL, 0, false},
	{"invalid-not-signed-hashchain", "", "malformed_signature", DEV4321, "2024-12-05T13:16:35Z", 0, false},
	{"wrong-message", "invalid_signature_value", NULL, NULL, NULL, 0, false},
	{"invalid-digest", "invalid_signature_value", NULL, NULL, NULL, 0, false},
	{"invalid-signed-hashchain", "malformed_signature.invalid_hash_chain_ref", NULL, NULL, NULL, 0, false},
	{"invalid-hashchain-modified-message", "malformed_signature.hashchain_unused_inputs", NULL, NULL, NULL, 0, false},
	{"invalid-incorrect-references", "malformed_signature", NULL, NULL, NULL, 0, false},
	{"invalid-ts-hashchainresult", "malformed_signature", NULL, NULL, NULL, 0, false},
	{"attachments", "asic_message_not_found", NULL, NULL, NULL, 0, false},
	{"asic-core-valid-signed-message", "", NULL, NULL, NULL, 0, true},
	{"asic-core-valid-signed-message-with-attachments", "", NULL, DEV4321, "2024-11-27T04:14:03Z", 0, false},
	{"asic-core-no-mimetype", "asic_mime_type_not_found", NULL, NULL, NULL, 0, false},
	{"asic-core-not-asic", "asic_mime_type_not_found", NULL, NULL, NULL, 0, false},
	{"asic-core-no-message", "asic_message_not_found", NULL, NULL, NULL, 0, false},
	{"asic-core-no-signature", "asic_signature_not_found", NULL, NULL, NULL, 0, false},
};
/* clang-format on */

static void judge(const struct vector *v, const struct slt_globalconf *gc, struct slt_str bytes,
		  bool strict)
{
	const char *want = strict && v->strict != NULL ? v->strict : v->code;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_asic_free) struct slt_asic *a = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
	struct slt_asic_verdict verdict;
	char time[SLT_TIME_LEN];

	if (!slt_asic_open(bytes, &a, &err)) {
		expect_code(&err, want);
		return;
	}
	if (v->structure) {
		assert_string_equal(want, "");
		return;
	}
	if (!slt_asic_verify(a, gc, strict, arena, &verdict, &err)) {
		expect_code(&err, want);
		return;
	}
	assert_string_equal(want, "");
	if (v->signer != NULL) {
		assert_string_equal(slt_id_text(&verdict.signer, arena), v->signer);
		assert_string_equal(slt_time_format(verdict.timestamp_ms, false, time),
				    v->timestamp);
	}
	assert_int_equal(verdict.n_unverified, v->n_unverified);
	if (v->strict == NULL) {
		assert_int_equal(verdict.signature.n_warnings, 0);
	}
	slt_asic_verdict_fini(&verdict);
}

static void container(void **state)
{
	const struct vector *v = *state;
	struct slt_str bytes = load_from("asice/", v->file, ".asice");
	SLT_AUTO(slt_globalconf_free)
	struct slt_globalconf *gc = load_conf("globalconf/globalconf_good2_v3");

	judge(v, gc, bytes, false);
	judge(v, gc, bytes, true);
	unload(bytes);
}

/* Under another instance's configuration no container of DEV is good. */
static void foreign_configuration(void **state)
{
	struct slt_str bytes = load("asice/valid-signed-message.asice");
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = load_conf("archive/globalconf");
	struct vector v = {.code = "mlog.tsp_certificate_not_found"};

	(void)state;
	judge(&v, gc, bytes, false);
	unload(bytes);
}

/* A container that is written again from its parts is still good. */
static void written_again(void **state)
{
	static const char *const files[] = {"asice/valid-signed-message.asice",
					    "asice/valid-batch-ts.asice",
					    "asice/valid-non-batch-rest.asice"};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(files); i++) {
		struct slt_str bytes = load(files[i]);
		SLT_AUTO(slt_globalconf_free)
		struct slt_globalconf *gc = load_conf("globalconf/globalconf_good2_v3");
		SLT_AUTO(slt_asic_free) struct slt_asic *a = NULL;
		SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
		struct slt_err err = SLT_ERR_INIT;
		struct vector v = {.code = ""};

		assert_true(slt_asic_open(bytes, &a, &err));
		assert_true(slt_asic_write(slt_asic_entries(a), &out, &err));
		judge(&v, gc, slt_buf_str(&out), true);
		unload(bytes);
	}
}

/* --- archives --- */

static void archived_containers(void **state)
{
	struct slt_str bytes = load("archive/message-archive-0.zip");
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = load_conf("archive/globalconf");
	SLT_AUTO(slt_archive_free) struct slt_archive *a = NULL;
	struct slt_err err = SLT_ERR_INIT;
	unsigned n = 0;

	(void)state;
	assert_true(slt_archive_open(bytes, &a, &err));
	for (size_t i = 0; i < slt_archive_count(a); i++) {
		SLT_AUTO_BUF(b, SLT_ASIC_BYTES_MAX);
		struct vector v = {.code = "",
				   .signer = "CS/GOV/0245437-2",
				   .timestamp = "2023-10-23T12:13:27Z",
				   .n_unverified = 3};

		if (strcmp(slt_archive_name(a, i), "linkinginfo") != 0) {
			assert_true(slt_archive_read(a, i, &b, &err));
			judge(&v, gc, slt_buf_str(&b), false);
			n++;
		}
	}
	assert_int_equal(n, 1);
	unload(bytes);
}

/* Twenty containers, all with batch time-stamps; pairs of messages carry request hashes. */
static void archive_of_twenty(void **state)
{
	struct slt_str bytes = load("archive/message-archive-1.zip");
	SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = load_conf("archive/globalconf");
	SLT_AUTO(slt_archive_free) struct slt_archive *a = NULL;
	struct slt_err err = SLT_ERR_INIT;
	unsigned n = 0;

	(void)state;
	assert_true(slt_archive_open(bytes, &a, &err));
	for (size_t i = 0; i < slt_archive_count(a); i++) {
		SLT_AUTO_BUF(b, SLT_ASIC_BYTES_MAX);
		SLT_AUTO(slt_asic_free) struct slt_asic *c = NULL;
		SLT_AUTO(slt_arena_free) struct slt_arena *arena = slt_arena_new();
		struct slt_asic_verdict v;

		if (strcmp(slt_archive_name(a, i), "linkinginfo") == 0) {
			continue;
		}
		assert_true(slt_archive_read(a, i, &b, &err));
		assert_true(slt_asic_open(slt_buf_str(&b), &c, &err));
		if (!slt_asic_verify(c, gc, false, arena, &v, &err)) {
			fail_msg("%s: %s", slt_archive_name(a, i), err.msg);
		}
		slt_asic_verdict_fini(&v);
		n++;
	}
	assert_int_equal(n, 20);
	unload(bytes);
}

struct linking {
	const char *file;
	const char *previous; /* NULL: what the archive says */
	bool good;
	const char *say; /* digest it ends with, or what the refusal says */
};

#define ARCHIVE0_LAST                                                                              \
	"9011ab557706b5050584d6888af7b390e5350f4edad296bd7a582aa51732aac7f49a4ec44dd361027945ade0" \
	"de8b8cf607fb7b7d11f17b0560d44b965c358eaa"
#define LEGACY_LAST "624334053a96e0e1209d342514b5d890aeaeee8f0659da69688a3eeac0304856"

/* clang-format off */
static const struct linking linkings[] = {
	{"message-archive-0", NULL, true, ARCHIVE0_LAST},
	{"message-archive-0", "-", true, ARCHIVE0_LAST},
	{"message-archive-0", ARCHIVE0_LAST, false, "does not follow"},
	{"message-archive-1", ARCHIVE0_LAST, true, ""},
	{"message-archive-1", "-", false, "does not follow"},
	{"mlog-WITH_LINKINGINFO", "-", true, LEGACY_LAST},
	{"mlog-WITH_INVALID_LINKINGINFO", NULL, false, "does not match"},
	{"mlog-NO_LINKINGINFO", NULL, false, "no linking information"},
	{"mlog-NO_ASIC_CONTAINERS", NULL, false, "lacks the file"},
	{"mlog-EXCESSIVE_FILES_IN_LINKINGINFO", NULL, false, ""},
};
/* clang-format on */

static void linking(void **state)
{
	const struct linking *l = *state;
	struct slt_str bytes = load_from("archive/", l->file, ".zip");
	SLT_AUTO(slt_archive_free) struct slt_archive *a = NULL;
	struct slt_archive_links links;
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_archive_open(bytes, &a, &err));
	assert_true(slt_archive_is(a));

	bool good = slt_archive_verify_links(a, l->previous, &links, &err);

	if (good != l->good) {
		fail_msg("good is %d: %s", good, err.msg);
	}
	if (good) {
		assert_true(l->say[0] == '\0' || strcmp(links.last, l->say) == 0);
	} else {
		expect_code(&err, "mlog.invalid_log_archive");
		assert_non_null(strstr(err.msg, l->say));
	}
	unload(bytes);
}

#define N_OTHERS 4

int main(void)
{
	struct CMUnitTest tests[SLT_COUNT(vectors) + SLT_COUNT(linkings) + N_OTHERS] = {
		cmocka_unit_test(foreign_configuration),
		cmocka_unit_test(written_again),
		cmocka_unit_test(archived_containers),
		cmocka_unit_test(archive_of_twenty),
	};
	size_t n = N_OTHERS;

	slt_xml_init();
	for (size_t i = 0; i < SLT_COUNT(vectors); i++) {
		struct vector *v = slt_calloc(1, sizeof(*v));

		*v = vectors[i];
		tests[n++] = (struct CMUnitTest){v->file, container, NULL, NULL, v};
	}
	for (size_t i = 0; i < SLT_COUNT(linkings); i++) {
		struct linking *l = slt_calloc(1, sizeof(*l));

		*l = linkings[i];
		tests[n++] = (struct CMUnitTest){l->file, linking, NULL, NULL, l};
	}

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (size_t i = N_OTHERS; i < n; i++) {
		free(tests[i].initial_state);
	}
	return failed;
}
