/* SPDX-License-Identifier: MIT */
/* silta globalconf over the vectors: what it prints and how it exits. */
#include "gc_vectors.h"

#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xml.h"
#include "command.h"
#include "tests/support/pki.h"

#define ARGS_MAX 24

static char dir[64];

static int setup(void **state)
{
	(void)state;
	slt_xml_init();
	slt_clock_set(GC_NOW);
	snprintf(dir, sizeof(dir), "/tmp/slt-gccli-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	return slt_rm_tree(dir, &err) ? 0 : -1;
}

/* Runs it with words split at blanks, "@" standing for the vectors and "~" for the scratch
 * directory; what it printed goes to *ret_out (standard output only). */
static int run(const char *line, char **ret_out)
{
	char *vectors = slt_asprintf("%s/vectors/xroad", gc_shared());
	char *file = slt_asprintf("%s/out", dir);
	char *argv[ARGS_MAX + 1] = {slt_strdup("globalconf")};
	int argc = 1;
	size_t n = 0;

	for (const char *at = line; *at && argc < ARGS_MAX; argc++) {
		size_t k = strcspn(at, " ");
		const char *from = *at == '@' ? vectors : *at == '~' ? dir : "";
		argv[argc] = slt_asprintf("%s%.*s", from, (int)(k - (*from != '\0')),
					  at + (*from != '\0'));
		at += k + strspn(at + k, " ");
	}
	fflush(stdout);
	int saved = dup(STDOUT_FILENO);
	int out = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(out, STDOUT_FILENO);
	optind = 0;
	int status = slt_cmd_globalconf(argc, argv);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(out);
	*ret_out = gc_read(file, &n);
	for (int i = 0; i < argc; i++) {
		free(argv[i]);
	}
	free(file);
	free(vectors);
	return status;
}

static void expect(const char *line, int status, const char *begins, const char *contains)
{
	char *out = NULL;
	int got = run(line, &out);

	if (got != status || strncmp(out, begins, strlen(begins)) != 0 ||
	    (contains && !strstr(out, contains))) {
		print_error("%s\nexit %d, printed:\n%s", line, got, out);
		free(out);
		fail();
	}
	free(out);
}

/* --- verify ------------------------------------------------------------------------------- */

#define ANCHOR "--anchor @/anchors/configuration_anchor_CS_internal.xml "
#define ROOT   "--root @/signed-directories "
#define SD     "@/signed-directories/"

static void verify(void **state)
{
	free(gc_vector("signed-directories/V6/internalconf"));
	(void)state;
	expect("verify " ANCHOR ROOT SD "V6/internalconf", 0, "OK ",
	       "instance=DEV version=6 expires=2035-11-11T03:07:40Z "
	       "parts=SHARED-PARAMETERS,PRIVATE-PARAMETERS\n");
	expect("verify " ANCHOR SD "V6/internalconf", 0, "OK ", "parts not looked at");
	expect("verify " ANCHOR "--shared " SD
	       "V6/20251110170000548026000/shared-params.xml " ROOT SD "V6/externalconf",
	       1, "FAIL global_conf_part_downloaded_file_integrity_failure ", NULL);
	expect("verify " ANCHOR "--shared " SD
	       "V3/20240408142911166434000/shared-params.xml " ROOT SD "V3/internalconf",
	       0, "OK ", "instance=CS version=3");
	expect("verify --shared " SD "V5/20250303143911136407000/shared-params.xml " ROOT SD
	       "V5/externalconf",
	       0, "OK ", "instance=DEV version=5");
	/* the key of internalconf is not the key of externalconf */
	expect("verify " ANCHOR SD "V6/externalconf", 1,
	       "FAIL global_conf_missing_verification_cert ", NULL);
	expect("verify --anchor @/anchors/trusted-anchor.xml " SD "V6/internalconf", 1,
	       "FAIL global_conf_missing_verification_cert ", NULL);
	expect("verify " ANCHOR "--at 2035-11-11T03:07:41Z " SD "V6/internalconf", 1,
	       "FAIL global_conf_outdated ", NULL);
	expect("verify " ANCHOR "--root ~/nowhere " SD "V6/internalconf", 1,
	       "FAIL global_conf_part_download_failure ", NULL);
	expect("verify " ANCHOR "@/INDEX.md", 1, "FAIL ", NULL);
	expect("verify " ANCHOR "@/nothing", 2, "", NULL);
	expect("verify --anchor @/INDEX.md " SD "V6/internalconf", 2, "", NULL);
	expect("verify " ANCHOR, 2, "", NULL);
	expect("verify " ANCHOR "--at noon " SD "V6/internalconf", 2, "", NULL);
	expect("verify " SD "V6/internalconf", 2, "", NULL);
	expect("verify --help", 0, "usage: silta globalconf verify", NULL);
}

/* --- show --------------------------------------------------------------------------------- */

#define TREE "--dir @/globalconf/globalconf_good_v6 "

static void show(void **state)
{
	free(gc_vector("globalconf/globalconf_good_v6/instance-identifier"));
	(void)state;
	expect("show " TREE, 0, "INSTANCE  VERSION  MEMBERS",
	       "\nEE        6        3        2           4        1/5/1            42 s    "
	       "2124-05-20T17:42:55Z (in 35607 days)\n");
	expect("show " TREE "--instance EE members", 0, "IDENTIFIER  ",
	       "\nEE/BUSINESS/foo/foosubsystem    producerServerCode     FOO Subsystem\n");
	expect("show " TREE "--instance EE servers", 0, "IDENTIFIER  ", "  maintenance  https://");
	expect("show " TREE "--instance EE cas", 0, "INSTANCE  NAME", "2024-09-26 EXPIRED");
	expect("show " TREE "tsas", 0, "INSTANCE  NAME", "Test TSP");
	expect("show " TREE "--instance bar groups", 0, "GROUP  ", "bar/Test group  4  ");
	expect("show " TREE "--instance XX members", 1, "there is no instance \"XX\"", NULL);
	expect("show " TREE "nothing", 2, "", NULL);
	expect("show --dir @/globalconf/globalconf_empty", 2, "", NULL);
	expect("show --dir @/globalconf/globalconf_missing_identifier", 2, "", NULL);
	expect("show members", 2, "", NULL);
	/* readable, and no longer or never said to be valid */
	expect("show --dir @/globalconf/globalconf_good2_v3", 1, "INSTANCE", "not said");
	expect("show --help", 0, "usage: silta globalconf show", NULL);
}

/* --- publish ------------------------------------------------------------------------------ */

#define KEY "--key ~/k.pem --cert ~/c.pem "

static char *parts(void)
{
	return slt_asprintf("SHARED-PARAMETERS=%s/vectors/xroad/signed-directories/V6/"
			    "20251110170000548026000/shared-params.xml",
			    gc_shared());
}

static void publish(void **state)
{
	char *key = slt_asprintf("%s/k.pem", dir), *cert = slt_asprintf("%s/c.pem", dir);
	char *tables = slt_asprintf("%s/tables.tar", dir), *shared = parts();
	struct pki_cert *c = pki_ca(NULL, "CN=signing", PKI_P256, 0);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	free(gc_vector("signed-directories/V6/internalconf"));
	pki_write_pem(c, cert, key);
	assert_true(slt_file_write(tables, "x", 1, 0644, &err));
	char *line = slt_asprintf("publish " KEY "--instance DEV --out ~/w --anchor ~/a.xml "
				  "--url http://cs/internalconf %s TABLES=%s",
				  shared, tables);
	expect(line, 0, "OK ", "parts=2");
	expect("verify --anchor ~/a.xml --root ~/w ~/w/V6/internalconf", 0, "OK ",
	       "instance=DEV version=6 expires=2026-11-23T16:10:00Z "
	       "parts=SHARED-PARAMETERS,TABLES\n");
	expect("verify --anchor ~/a.xml --at 2026-11-23T16:10:01Z ~/w/V6/internalconf", 1,
	       "FAIL global_conf_outdated", NULL);
	free(line);
	/* what clients would refuse is not published */
	line = slt_asprintf("publish " KEY "--instance FI --out ~/w %s", shared);
	expect(line, 1, "", NULL);
	free(line);
	line = slt_asprintf("publish " KEY "--instance DEV --out ~/w SHARED-PARAMETERS=%s", tables);
	expect(line, 1, "", NULL);
	free(line);
	line = slt_asprintf("publish " KEY "--instance DEV --out ~/w --version 9 %s", shared);
	expect(line, 2, "", NULL);
	free(line);
	line = slt_asprintf("publish " KEY "--instance DEV --out ~/w --name other %s", shared);
	expect(line, 2, "", NULL);
	free(line);
	line = slt_asprintf("publish " KEY "--instance DEV --out ~/w --anchor ~/b.xml %s", shared);
	expect(line, 2, "", NULL);
	free(line);
	expect("publish " KEY "--instance DEV --out ~/w", 2, "", NULL);
	expect("publish " KEY "--instance DEV --out ~/w nonsense", 2, "", NULL);
	/* tables are published as a set, and that must load; and nothing is published twice */
	line = slt_asprintf("publish " KEY "--instance DEV --out ~/w MAPPING-TABLES=%s", tables);
	expect(line, 2, "", NULL);
	free(line);
	line = slt_asprintf("publish " KEY "--instance DEV --out ~/w --mappings ~/none A=%s",
			    tables);
	expect(line, 1, "", NULL);
	free(line);
	line = slt_asprintf("publish " KEY "--instance DEV --out ~/w A=%s A=%s", tables,
			    shared + 18);
	expect(line, 2, "", NULL);
	free(line);
	line = slt_asprintf("publish " KEY "--instance DEV --out ~/w A=%s B=%s", tables, tables);
	expect(line, 2, "", NULL);
	free(line);
	expect("publish --key ~/none --cert ~/c.pem --instance DEV --out ~/w A=~/k", 2, "", NULL);
	expect("publish --help", 0, "usage: silta globalconf publish", NULL);
	pki_cert_free(c);
	free(shared);
	free(tables);
	free(cert);
	free(key);
}

static void misuse(void **state)
{
	(void)state;
	expect("", 2, "", NULL);
	expect("burn", 2, "", NULL);
	expect("--help", 0, "usage: silta globalconf fetch", NULL);
	expect("fetch --help", 0, "usage: silta globalconf fetch", NULL);
	expect("fetch --dir ~/c", 2, "", NULL);
	expect("fetch --anchor ~/none --dir ~/c", 2, "", NULL);
	expect("fetch --burn", 2, "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verify),
		cmocka_unit_test(show),
		cmocka_unit_test(publish),
		cmocka_unit_test(misuse),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
