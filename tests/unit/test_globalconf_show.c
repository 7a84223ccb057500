/* SPDX-License-Identifier: MIT */
/* What silta globalconf show makes of an instance as large as a real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/xml.h"
#include "command.h"
#include "federation/globalconf_write.h"
#include "tests/support/pki.h"

#define MEMBERS	   1500
#define SUBSYSTEMS 2 /* of each */
#define SERVERS	   211
#define CLIENTS	   20 /* of each */

static struct {
	char dir[64];
	struct slt_arena *arena;
	struct slt_gcw_member *member;
	struct slt_gcw_server *server;
} w;

static struct slt_id subsystem(size_t i)
{
	return (struct slt_id){.type = SLT_ID_SUBSYSTEM,
			       .instance = "EE",
			       .member_class = "COM",
			       .member_code = w.member[i].member_code,
			       .subsystem = "yks"};
}

/* Backwards, so that what is sorted has been sorted. */
static void describe(void)
{
	static const struct slt_gcw_subsystem sub[SUBSYSTEMS] = {{"kaks", NULL},
								 {"yks", "Esimene"}};

	w.member = slt_arena_alloc(w.arena, MEMBERS * sizeof(*w.member));
	for (size_t i = 0; i < MEMBERS; i++) {
		w.member[i] = (struct slt_gcw_member){
			"COM", slt_arena_printf(w.arena, "%zu", 10000000 + MEMBERS - 1 - i),
			i == 7 ? "Röntgen\x7f ja \xc3\x95unap OÜ" : "Asutus", sub, SUBSYSTEMS};
	}
	w.server = slt_arena_alloc(w.arena, SERVERS * sizeof(*w.server));
	for (size_t i = 0; i < SERVERS; i++) {
		struct slt_id *client = slt_arena_alloc(w.arena, CLIENTS * sizeof(*client));
		for (size_t k = 0; k < CLIENTS; k++) {
			client[k] = subsystem((i * 7 + k) % MEMBERS);
		}
		w.server[i] = (struct slt_gcw_server){
			.id = {.type = SLT_ID_SERVER,
			       .instance = "EE",
			       .member_class = "COM",
			       .member_code = w.member[i].member_code,
			       .server = slt_arena_printf(w.arena, "ss%zu", i)},
			.address = i == 0 ? NULL : slt_arena_printf(w.arena, "ss%zu.example", i),
			.client = client,
			.n_client = CLIENTS,
			.maintenance = i == 1,
		};
	}
}

static void write_file(const char *name, const void *p, size_t n)
{
	SLT_AUTO_STR char *path = slt_asprintf("%s/%s", w.dir, name);
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_file_write(path, p, n, 0644, &err)) {
		fail_msg("%s", err.msg);
	}
}

static int begin(void **state)
{
	static const struct slt_gcw_class class = {"COM", "Companies"};
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_ca(NULL, "CN=signing", PKI_P256, 0);
	struct slt_gcw_source source = {"cs.example", {&c->x509, 1}, {&c->x509, 1}};
	const struct slt_directory d = {.expires_ms = PKI_NOW + 600000, .version = 6};
	const struct slt_directory_part part = {
		.content_id = SLT_PART_SHARED, .instance = "EE", .file_name = "shared-params.xml"};
	SLT_AUTO_BUF(shared, SLT_SHARED_PARAMS_MAX);
	SLT_AUTO_BUF(meta, 65536);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_xml_init();
	slt_clock_set(PKI_NOW);
	snprintf(w.dir, sizeof(w.dir), "/tmp/slt-gcshow-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	w.arena = slt_arena_new();
	describe();
	const struct slt_gcw_shared s = {.version = 6,
					 .instance = "EE",
					 .source = &source,
					 .n_source = 1,
					 .classes = &class,
					 .n_classes = 1,
					 .member = w.member,
					 .n_member = MEMBERS,
					 .server = w.server,
					 .n_server = SERVERS,
					 .ocsp_freshness_s = 3600};
	if (!slt_globalconf_write_shared(&s, &shared, &err) ||
	    !slt_globalconf_write_metadata(&d, &part, &meta, &err)) {
		fail_msg("%s", err.msg);
	}
	SLT_AUTO_STR char *own = slt_asprintf("%s/EE", w.dir);
	assert_true(slt_mkdir_p(own, 0755, &err));
	write_file("EE/shared-params.xml", shared.p, shared.n);
	write_file("EE/shared-params.xml.metadata", meta.p, meta.n);
	write_file("instance-identifier", "EE", 2);
	return 0;
}

static int end(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_arena_free(w.arena);
	return slt_rm_tree(w.dir, &err) ? 0 : -1;
}

/* What is printed; the caller frees. */
static char *show(const char *section, const char *instance, int wanted)
{
	SLT_AUTO_STR char *path = slt_asprintf("%s/out", w.dir);
	const char *argv[8] = {"globalconf", "show", "--dir", w.dir};
	char *own[8];
	int argc = 4;
	char *out = NULL;
	size_t n = 0;
	struct slt_err err = SLT_ERR_INIT;

	if (instance) {
		argv[argc++] = "--instance";
		argv[argc++] = instance;
	}
	if (section) {
		argv[argc++] = section;
	}
	for (int i = 0; i < argc; i++) {
		own[i] = slt_strdup(argv[i]);
	}
	own[argc] = NULL;
	fflush(stdout);
	int saved = dup(STDOUT_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDOUT_FILENO);
	optind = 0;
	int status = slt_cmd_globalconf(argc, own);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fd);
	for (int i = 0; i < argc; i++) {
		free(own[i]);
	}
	assert_int_equal(status, wanted);
	assert_true(slt_file_read(path, 16u << 20, &out, &n, &err));
	return out ? out : slt_strdup("");
}

static size_t lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++) {
		n += *text == '\n';
	}
	return n;
}

static void has(const char *text, const char *what)
{
	if (!strstr(text, what)) {
		fail_msg("\"%s\" is missing in:\n%.600s", what, text);
	}
}

/* Every row of a table begins its second column below the second heading. */
static void aligned_and_sorted(const char *text, const char *second)
{
	size_t at = (size_t)(strstr(text, second) - text);
	SLT_AUTO_STR char *copy = slt_strdup(text);
	const char *before = NULL;

	for (char *line = strchr(copy, '\n') + 1; *line && *line != '\n';) {
		char *nl = strchr(line, '\n');
		*nl = '\0';
		assert_true(strlen(line) > at);
		assert_int_equal(line[at - 1], ' ');
		assert_int_not_equal(line[at], ' ');
		assert_true(!before || strcmp(before, line) < 0);
		before = line;
		line = nl + 1;
	}
	assert_non_null(before);
}

static void overview(void **state)
{
	SLT_AUTO_STR char *out = show(NULL, NULL, SLT_EXIT_GOOD);

	(void)state;
	assert_int_equal(lines(out), 2);
	has(out, "INSTANCE  VERSION  MEMBERS  SUBSYSTEMS  SERVERS");
	has(out, "\nEE        6        1500     3000        211 ");
	has(out, "2026-11-23T16:10:00Z (in 10 minutes)");
}

static void members(void **state)
{
	SLT_AUTO_STR char *out = show("members", NULL, SLT_EXIT_GOOD);

	(void)state;
	assert_int_equal(lines(out), 1 + MEMBERS * (1 + SUBSYSTEMS) + 2);
	aligned_and_sorted(out, "SERVER");
	has(out, "\nEE/COM/10000000       ");
	has(out, "\n\n4500 members and subsystems\n");
	/* several servers; the owner of one; a control character of a name steers no terminal */
	has(out, "EE/COM/10001492/yks   ss0, …    Esimene\n");
	has(out, "EE/COM/10001492       ss7       Röntgen? ja \xc3\x95unap OÜ\n");
}

static void servers(void **state)
{
	SLT_AUTO_STR char *out = show("servers", "EE", SLT_EXIT_GOOD);

	(void)state;
	assert_int_equal(lines(out), 1 + SERVERS + 2);
	aligned_and_sorted(out, "CERTS");
	has(out, " new          -\n");
	has(out, " maintenance  ss1.example\n");
	has(out, " registered   ss210.example\n");
	has(out, "\n\n211 security servers\n");
}

static void nothing_to_show(void **state)
{
	SLT_AUTO_STR char *groups = show("groups", NULL, SLT_EXIT_GOOD);
	SLT_AUTO_STR char *cas = show("cas", NULL, SLT_EXIT_GOOD);
	SLT_AUTO_STR char *stranger = show("members", "FI", SLT_EXIT_NO);
	SLT_AUTO_STR char *no_section = show("everything", NULL, SLT_EXIT_CANNOT);

	(void)state;
	has(groups, "GROUP  MEMBERS  DESCRIPTION\n\n0 global groups\n");
	has(cas, "\n0 certification authorities\n");
	has(stranger, "there is no instance \"FI\"");
	assert_string_equal(no_section, "");
}

static void expired(void **state)
{
	(void)state;
	slt_clock_set(PKI_NOW + 600001);
	SLT_AUTO_STR char *out = show(NULL, NULL, SLT_EXIT_NO);
	slt_clock_set(PKI_NOW);
	has(out, "EXPIRED");
}

static void not_a_cache(void **state)
{
	(void)state;
	SLT_AUTO_STR char *own = slt_asprintf("%s/EE/shared-params.xml", w.dir);
	assert_int_equal(truncate(own, 5000), 0);
	SLT_AUTO_STR char *out = show("members", NULL, SLT_EXIT_CANNOT);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overview), cmocka_unit_test(members),
		cmocka_unit_test(servers),  cmocka_unit_test(nothing_to_show),
		cmocka_unit_test(expired),  cmocka_unit_test(not_a_cache),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
