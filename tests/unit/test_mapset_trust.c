/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "mapset_fixture.h"
#include "mapset_trust.h"
#include "tests/support/pki.h"

#define AUTHOR "Anna Author"
#define FIRST  "Bert First"
#define SECOND "Cila Second"
#define USAGE  "keyUsage=critical,digitalSignature"

static char pki_dir[64];
static struct pki_cert *ca, *other_ca;

struct set {
	struct fixture f;
	struct slt_mapset_policy policy;
	struct slt_lint lint, warnings;
	struct slt_mapset *loaded;
	struct slt_err err;
};

static const char *in_pki(const char *name)
{
	static char path[4][256];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", pki_dir, name);
	return path[i];
}

static void issue(const struct pki_cert *by, const char *file, const struct pki_spec *spec)
{
	SLT_AUTO(pki_cert_free) struct pki_cert *c = pki_issue(by, spec);
	char cert[64], key[64];

	snprintf(cert, sizeof(cert), "%s.pem", file);
	snprintf(key, sizeof(key), "%s.key", file);
	pki_write_pem(c, in_pki(cert), in_pki(key));
}

static void issue_named(const struct pki_cert *by, const char *file, const char *cn, unsigned key)
{
	SLT_AUTO_STR char *subject = slt_asprintf("O=Institute;CN=%s", cn);
	struct pki_spec spec = {
		.subject = subject, .kind = PKI_P256, .key_index = key, .ext = {USAGE, NULL}};

	issue(by, file, &spec);
}

static int make_pki(void **state)
{
	(void)state;
	snprintf(pki_dir, sizeof(pki_dir), "/tmp/slt-trust-XXXXXX");
	assert_non_null(mkdtemp(pki_dir));
	ca = pki_ca(NULL, "CN=Tables CA", PKI_RSA2048, 0);
	other_ca = pki_ca(NULL, "CN=Other CA", PKI_RSA2048, 1);
	pki_write_pem(ca, in_pki("ca.pem"), NULL);
	pki_write_pem(other_ca, in_pki("other-ca.pem"), NULL);
	issue_named(ca, "0", AUTHOR, 0);
	issue_named(ca, "1", FIRST, 1);
	issue_named(ca, "2", SECOND, 2);
	return 0;
}

static int remove_pki(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	pki_cert_free(ca);
	pki_cert_free(other_ca);
	return slt_rm_tree(pki_dir, &err) ? 0 : -1;
}

/* --- a signed set --- */

static void write_manifest(struct set *s, const char *from, const char *to, const char *author)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO(slt_mapset_free) struct slt_mapset *set = NULL;
	SLT_AUTO_LINT(lint);
	SLT_AUTO_BUF(text, 1 << 20);
	const char *approvals[] = {FIRST, SECOND};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_manifest m = {.set = "demo",
				 .version = "2",
				 .previous = "1",
				 .author = author,
				 .effective_from_text = from,
				 .effective_to_text = to,
				 .approvals = {approvals, 2}};

	assert_true(slt_mapset_load(s->f.dir, &set, &err));
	m.digest = slt_mapset_digest(set);
	assert_true(slt_manifest_collect(s->f.dir, a, &lint, &m));
	slt_manifest_format(&m, &text);
	fixture_write(&s->f, SLT_MANIFEST_NAME, text.p);
}

static void sign_as(struct set *s, const char *file)
{
	char cert[64], key[64];
	bool alone;
	struct slt_err err = SLT_ERR_INIT;

	snprintf(cert, sizeof(cert), "%s.pem", file);
	snprintf(key, sizeof(key), "%s.key", file);
	if (!slt_mapset_sign(s->f.dir, in_pki(key), in_pki(cert), &alone, &err)) {
		fail_msg("%s", err.msg);
	}
}

static void begin(struct set *s)
{
	memset(s, 0, sizeof(*s));
	fixture_begin(&s->f);
	s->policy = (struct slt_mapset_policy){
		.ca = slt_strdup(in_pki("ca.pem")), .required = true, .now_ms = PKI_NOW};
	write_manifest(s, "2026-11-01", "2027-12-31", AUTHOR);
	sign_as(s, "0");
}

static void end(struct set *s)
{
	slt_mapset_free(s->loaded);
	slt_lint_fini(&s->lint);
	slt_lint_fini(&s->warnings);
	fixture_end(&s->f);
	free((void *)(uintptr_t)s->policy.ca);
}

static void trust(struct set *s, const char *file)
{
	free((void *)(uintptr_t)s->policy.ca);
	s->policy.ca = slt_strdup(in_pki(file));
}

static bool opens(struct set *s)
{
	slt_mapset_free(SLT_TAKE(s->loaded));
	slt_lint_fini(&s->lint);
	slt_lint_fini(&s->warnings);
	slt_err_clear(&s->err);
	return slt_mapset_open(s->f.dir, &s->policy, &s->lint, &s->warnings, &s->loaded, &s->err);
}

static void is_good(struct set *s)
{
	if (!opens(s)) {
		fail_msg("refused: %s", s->err.msg);
	}
	assert_int_equal(s->lint.total, 0);
	assert_non_null(s->loaded);
}

static void is_refused(struct set *s, enum slt_code code, const char *file, const char *why)
{
	bool found = false;

	if (opens(s)) {
		fail_msg("not refused (%s, %s)", file, why);
	}
	assert_null(s->loaded);
	for (size_t i = 0; i < s->lint.n; i++) {
		found = found || (strstr(s->lint.v[i], file) && strstr(s->lint.v[i], why));
	}
	if (!found || s->err.code != code) {
		fail_msg("%s: \"%s\", not \"%s\" of %s",
			 slt_code_name(s->err.code, SLT_DIALECT_CAMEL), s->err.msg, why, file);
	}
}

/* --- what is good --- */

static void a_signed_set_is_taken(void **state)
{
	struct set s;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	begin(&s);
	is_good(&s);
	assert_int_equal(s.warnings.total, 0);
	/* and is limited to the days of its manifest: the countries' are longer */
	assert_true(slt_mapset_in_force(s.loaded, "AA", "BB", PKI_NOW, &err));
	assert_false(slt_mapset_in_force(s.loaded, "AA", "BB", INT64_C(1830297600000), &err));
	assert_int_equal(err.code, SLT_FED_TRC_001);
	end(&s);
}

static void approvals_are_signatures(void **state)
{
	struct set s;

	(void)state;
	begin(&s);
	s.policy.approvals = 2;
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "0 of the approvals");
	sign_as(&s, "1");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "1 of the approvals");
	sign_as(&s, "2");
	is_good(&s);
	s.policy.approvals = 3;
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "2 of the approvals");
	end(&s);
}

/* Whoever may be left out, or added, without a new authority. */
static void a_signer_may_be_trusted_alone(void **state)
{
	struct set s;

	(void)state;
	begin(&s);
	trust(&s, "0.pem");
	is_good(&s);
	trust(&s, "1.pem");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "somebody trusted");
	end(&s);
}

static void what_nobody_reads_is_not_judged(void **state)
{
	struct set s;

	(void)state;
	begin(&s);
	fixture_write(&s.f, "README.md", "to be read by people\n");
	is_good(&s);
	end(&s);
}

static void what_is_not_required_is_a_warning(void **state)
{
	struct set s;

	(void)state;
	begin(&s);
	s.policy.required = false;
	is_good(&s);
	assert_int_equal(s.warnings.total, 0);
	fixture_write(&s.f, "pivot/extra.tsv", "x");
	is_good(&s);
	assert_int_equal(s.warnings.total, 1);
	assert_non_null(strstr(s.warnings.v[0], "pivot/extra.tsv"));
	trust(&s, "other-ca.pem");
	is_good(&s);
	assert_int_equal(s.warnings.total, 1);
	free((void *)(uintptr_t)s.policy.ca);
	s.policy.ca = NULL;
	is_good(&s);
	assert_int_equal(s.warnings.total, 0);
	end(&s);
}

/* --- altered sets --- */

static void every_file_must_be_as_listed(void **state)
{
	static const struct {
		const char *file, *text, *why;
	} c[] = {
		{"messages.tsv", "key\tlang\ttext\n", "was altered"},
		{"countries/AA/form.tsv", "code\tpivot_code\n10\tP2\n", "was altered"},
		{"countries/AA/country.conf", "country = \"AA\";\n", "was altered"},
		{"flows/demo/common.conf", "flow = \"demo\";\n", "was altered"},
		{"pivot/form.tsv", "code\nP1\n", "was altered"},
		{"pivot/more.tsv", "code\n", "is not listed"},
		{"countries/AA/.form.tsv.swp", "", "is not listed"},
		{"countries/CC/country.conf", "country = \"CC\";\n", "is not listed"},
		{"flows/other/common.conf", "flow = \"other\";\n", "is not listed"},
		{"flows/deep/a/b/c/d/e/f/g/h", "", "too deep"},
		{"pivot/a b.tsv", "code\n", "names in a set"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		struct set s;
		begin(&s);
		fixture_write(&s.f, c[i].file, c[i].text);
		const char *named = strstr(c[i].why, "deep") ? "flows/deep" : c[i].file;
		is_refused(&s, SLT_ECONFIG, named, c[i].why);
		end(&s);
	}
}

static void a_file_must_not_be_gone_or_be_a_link(void **state)
{
	struct set s;
	SLT_AUTO_STR char *path = NULL, *aside = NULL;

	(void)state;
	begin(&s);
	path = slt_path_join(s.f.dir, "countries/AA/unit.tsv");
	aside = slt_path_join(s.f.dir, "aside.tsv");
	assert_int_equal(rename(path, aside), 0);
	is_refused(&s, SLT_ECONFIG, "countries/AA/unit.tsv", "not there");
	assert_int_equal(symlink("../../aside.tsv", path), 0);
	is_refused(&s, SLT_ECONFIG, "countries/AA/unit.tsv", "neither a file nor a directory");
	end(&s);
}

/* The same files, but read into something else: by another version of the program, say. */
static void what_was_loaded_must_be_what_was_signed(void **state)
{
	struct set s;
	SLT_AUTO_STR char *path = NULL, *text = NULL;
	struct slt_err err = SLT_ERR_INIT;
	size_t n;

	(void)state;
	begin(&s);
	path = slt_path_join(s.f.dir, SLT_MANIFEST_NAME);
	assert_true(slt_file_read(path, 1 << 20, &text, &n, &err));
	char *digest = strstr(text, "digest = \"") + 10;
	digest[0] = digest[0] == '0' ? '1' : '0';
	fixture_write(&s.f, SLT_MANIFEST_NAME, text);
	sign_as(&s, "0");
	is_refused(&s, SLT_ECONFIG, s.f.dir, "the set as loaded has the digest");
	end(&s);
}

/* --- bad signatures --- */

static void an_unsigned_set_is_refused(void **state)
{
	static const char *const gone[] = {SLT_MANIFEST_NAME, SLT_MANIFEST_SIGNATURE};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(gone); i++) {
		struct set s;
		begin(&s);
		SLT_AUTO_STR char *path = slt_path_join(s.f.dir, gone[i]);
		assert_int_equal(unlink(path), 0);
		is_refused(&s, SLT_ECONFIG, gone[i], "not signed");
		end(&s);
	}
}

static void a_signature_of_anything_else_is_refused(void **state)
{
	struct set s;
	SLT_AUTO_STR char *path = NULL, *text = NULL, *sig_path = NULL, *sig = NULL, *more = NULL;
	struct slt_err err = SLT_ERR_INIT;
	size_t n, sig_n;

	(void)state;
	begin(&s);
	path = slt_path_join(s.f.dir, SLT_MANIFEST_NAME);
	sig_path = slt_path_join(s.f.dir, SLT_MANIFEST_SIGNATURE);
	assert_true(slt_file_read(path, 1 << 20, &text, &n, &err));
	assert_true(slt_file_read(sig_path, 1 << 20, &sig, &sig_n, &err));
	more = slt_asprintf("%s# one more line\n", text);
	fixture_write(&s.f, SLT_MANIFEST_NAME, more);
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "no signature over");
	fixture_write(&s.f, SLT_MANIFEST_NAME, text);
	is_good(&s);
	/* wherever a bit is flipped; CMS signs neither its own version numbers nor the name of the
	 * signature's algorithm */
	size_t passed = 0;
	for (size_t i = 0; i < sig_n; i++) {
		sig[i] ^= 1;
		assert_true(slt_file_write(sig_path, sig, sig_n, 0600, &err));
		passed += opens(&s);
		sig[i] ^= 1;
	}
	assert_true(passed <= 12);
	static const struct {
		size_t less;
		const char *why;
	} cut[] = {{1, "no CMS"}, {100, "no CMS"}};
	for (size_t i = 0; i < SLT_COUNT(cut); i++) {
		assert_true(slt_file_write(sig_path, sig, sig_n - cut[i].less, 0600, &err));
		is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, cut[i].why);
	}
	fixture_write(&s.f, SLT_MANIFEST_SIGNATURE, "");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "no CMS");
	fixture_write(&s.f, SLT_MANIFEST_SIGNATURE, "-----BEGIN PKCS7-----\n");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "no CMS");
	end(&s);
}

static void something_behind_the_signature_is_refused(void **state)
{
	struct set s;
	SLT_AUTO_STR char *path = NULL, *sig = NULL;
	struct slt_err err = SLT_ERR_INIT;
	size_t n;

	(void)state;
	begin(&s);
	path = slt_path_join(s.f.dir, SLT_MANIFEST_SIGNATURE);
	assert_true(slt_file_read(path, 1 << 20, &sig, &n, &err));
	/* the terminator that the file is read with */
	assert_true(slt_file_write(path, sig, n + 1, 0600, &err));
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "no CMS");
	end(&s);
}

static void not_everybody_may_sign(void **state)
{
	static const struct {
		const char *what;
		bool other_ca;
		struct pki_spec spec;
		const char *why;
	} c[] = {
		{"another authority",
		 true,
		 {.subject = "CN=" AUTHOR, .ext = {USAGE}},
		 "somebody trusted"},
		{"nobody named",
		 false,
		 {.subject = "CN=Somebody", .ext = {USAGE}},
		 "neither the author"},
		{"a part of the name",
		 false,
		 {.subject = "CN=Anna", .ext = {USAGE}},
		 "neither the author"},
		{"no common name",
		 false,
		 {.subject = "O=" AUTHOR, .ext = {USAGE}},
		 "without a common name"},
		{"the last name counts",
		 false,
		 {.subject = "CN=" AUTHOR ";CN=Eve", .ext = {USAGE}},
		 "neither the author"},
		{"expired",
		 false,
		 {.subject = "CN=" AUTHOR, .not_after = PKI_NOW - 1000, .ext = {USAGE}},
		 "expired"},
		{"not yet",
		 false,
		 {.subject = "CN=" AUTHOR, .not_before = PKI_NOW + 1000, .ext = {USAGE}},
		 "not yet valid"},
		{"a server",
		 false,
		 {.subject = "CN=" AUTHOR,
		  .ext = {USAGE, "extendedKeyUsage=serverAuth,clientAuth"}},
		 "other purposes"},
		{"not for signatures",
		 false,
		 {.subject = "CN=" AUTHOR, .ext = {"keyUsage=critical,keyEncipherment"}},
		 "not for signatures"},
		{"a weak key",
		 false,
		 {.subject = "CN=" AUTHOR, .kind = PKI_RSA1024, .ext = {USAGE}},
		 "too weak"},
		{"SHA-1",
		 false,
		 {.subject = "CN=" AUTHOR, .kind = PKI_P256, .digest = "SHA1", .ext = {USAGE}},
		 "too weak"},
		{"forged",
		 false,
		 {.subject = "CN=" AUTHOR, .bad_signature = true, .ext = {USAGE}},
		 "somebody trusted"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		struct set s;
		begin(&s);
		SLT_AUTO_STR char *path = slt_path_join(s.f.dir, SLT_MANIFEST_SIGNATURE);
		assert_int_equal(unlink(path), 0);
		struct pki_spec spec = c[i].spec;
		spec.kind = spec.kind == PKI_RSA2048 ? PKI_P256 : spec.kind;
		spec.key_index = spec.kind == PKI_P256 ? 5 : 0;
		issue(c[i].other_ca ? other_ca : ca, "x", &spec);
		sign_as(&s, "x");
		is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, c[i].why);
		end(&s);
	}
}

/* One bad signer among good ones spoils all: nobody needs to ask which ones counted. */
static void each_signature_must_be_good(void **state)
{
	struct set s;

	(void)state;
	begin(&s);
	issue_named(other_ca, "x", FIRST, 6);
	sign_as(&s, "x");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "somebody trusted");
	end(&s);
}

static void nobody_approves_twice(void **state)
{
	struct set s;

	(void)state;
	begin(&s);
	s.policy.approvals = 2;
	sign_as(&s, "1");
	issue_named(ca, "x", FIRST, 7); /* the same person, with another key */
	sign_as(&s, "x");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "one key or one name");
	end(&s);
	begin(&s);
	s.policy.approvals = 2;
	sign_as(&s, "1");
	issue_named(ca, "x", SECOND, 1); /* another name, with the same key */
	sign_as(&s, "x");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "one key or one name");
	end(&s);
}

static void nobody_approves_the_own_work(void **state)
{
	struct set s;

	(void)state;
	begin(&s);
	write_manifest(&s, "2026-11-01", NULL, FIRST);
	sign_as(&s, "1");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_NAME, "cannot approve the own work");
	end(&s);
}

/* --- days, and malformed manifests --- */

static void a_set_is_in_force_on_its_days_only(void **state)
{
	struct set s;

	(void)state;
	begin(&s);
	s.policy.now_ms = INT64_C(1793491200000) - 1; /* 2026-11-01 */
	is_refused(&s, SLT_FED_TRC_001, SLT_MANIFEST_NAME, "not in force on 2026-10-31");
	s.policy.now_ms++;
	is_good(&s);
	s.policy.now_ms = INT64_C(1830297600000) - 1; /* 2028-01-01 */
	is_good(&s);
	s.policy.now_ms++;
	is_refused(&s, SLT_FED_TRC_001, SLT_MANIFEST_NAME, "not in force on 2028-01-01");
	fixture_write(&s.f, "pivot/more.tsv", "code\n"); /* then the day is not all that is wrong */
	is_refused(&s, SLT_ECONFIG, "pivot/more.tsv", "is not listed");
	end(&s);
}

static void a_malformed_manifest_is_refused(void **state)
{
	static const char rest[] =
		"digest = \"0\"; files = ( { path = \"a\"; sha256 = \"b\"; } );\n";
	static const struct {
		const char *text, *why;
	} c[] = {
		{"set = ", "manifest.conf"},
		{"set = \"a\";\n", "version"},
		{"set = \"a\"; version = \"1\"; author = \"" AUTHOR
		 "\"; effective_from = \"soon\";\n",
		 "no date"},
		{"set = \"a\"; version = \"1\"; author = \"" AUTHOR
		 "\"; effective_from = \"2026-02-30\";\n",
		 "no date"},
		{"set = \"a\"; version = \"1\"; author = \"" AUTHOR
		 "\"; effective_from = \"2026-11-01\"; effective_to = \"2026-10-01\";\n",
		 "before effective_from"},
		{"set = \"a\"; version = \"1\"; author = \"" AUTHOR
		 "\"; effective_from = \"2026-01-01\"; approvals = [ \"x\", \"x\" ];\n",
		 "stands twice"},
		{"set = \"a\"; version = \"1\"; author = \"" AUTHOR
		 "\"; effective_from = \"2026-01-01\"; trusted = true;\n",
		 "trusted"},
		{"@include \"other.conf\"\n", "@include"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(c); i++) {
		struct set s;
		begin(&s);
		SLT_AUTO_STR char *text = slt_asprintf("%s%s", c[i].text, rest);
		fixture_write(&s.f, SLT_MANIFEST_NAME, text);
		sign_as(&s, "0");
		is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_NAME, c[i].why);
		end(&s);
	}
}

static void a_file_listed_twice_is_refused(void **state)
{
	struct set s;

	(void)state;
	begin(&s);
	fixture_write(&s.f, SLT_MANIFEST_NAME,
		      "set = \"a\"; version = \"1\"; author = \"" AUTHOR "\";\n"
		      "effective_from = \"2026-11-01\"; digest = \"0\";\n"
		      "files = ( { path = \"pivot/form.tsv\"; sha256 = \"0\"; },\n"
		      "          { path = \"pivot/form.tsv\"; sha256 = \"1\"; } );\n");
	sign_as(&s, "0");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_NAME, "listed twice");
	end(&s);
}

static void trusted_certificates_must_be_there(void **state)
{
	struct set s;
	SLT_AUTO_STR char *empty = slt_strdup(in_pki("empty.pem"));
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	begin(&s);
	trust(&s, "nothing.pem");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "certificates trusted");
	assert_true(slt_file_write(empty, "none\n", 5, 0600, &err));
	trust(&s, "empty.pem");
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "holds no certificate");
	free((void *)(uintptr_t)s.policy.ca);
	s.policy.ca = NULL;
	is_refused(&s, SLT_ECONFIG, s.f.dir, "no certificates are trusted");
	end(&s);
}

/* --- signing --- */

static void only_a_private_key_that_fits_signs(void **state)
{
	struct set s;
	bool alone;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	begin(&s);
	assert_false(slt_mapset_sign(s.f.dir, in_pki("1.key"), in_pki("0.pem"), &alone, &err));
	assert_non_null(strstr(err.msg, "is not the key"));
	slt_err_clear(&err);
	assert_false(slt_mapset_sign(s.f.dir, in_pki("0.pem"), in_pki("0.pem"), &alone, &err));
	slt_err_clear(&err);
	assert_false(slt_mapset_sign(s.f.dir, in_pki("0.key"), in_pki("none.pem"), &alone, &err));
	slt_err_clear(&err);
	assert_false(slt_mapset_sign(s.f.dir, in_pki("0.key"), in_pki("0.pem"), &alone, &err));
	assert_non_null(strstr(err.msg, "already"));
	slt_err_clear(&err);
	SLT_AUTO_STR char *key = slt_strdup(in_pki("1.key"));
	assert_int_equal(chmod(key, 0644), 0);
	assert_false(slt_mapset_sign(s.f.dir, key, in_pki("1.pem"), &alone, &err));
	assert_int_equal(chmod(key, 0600), 0);
	slt_err_clear(&err);
	assert_true(slt_mapset_sign(s.f.dir, key, in_pki("1.pem"), &alone, &err));
	assert_false(alone);
	is_good(&s);
	end(&s);
}

static void a_new_manifest_begins_anew(void **state)
{
	struct set s;
	bool alone;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	begin(&s);
	sign_as(&s, "1");
	sign_as(&s, "2");
	write_manifest(&s, "2026-11-02", NULL, AUTHOR);
	assert_true(slt_mapset_sign(s.f.dir, in_pki("0.key"), in_pki("0.pem"), &alone, &err));
	assert_true(alone);
	is_good(&s);
	s.policy.approvals = 1; /* the approvals were of the other manifest */
	is_refused(&s, SLT_ECONFIG, SLT_MANIFEST_SIGNATURE, "0 of the approvals");
	end(&s);
}

static void a_manifest_reads_back(void **state)
{
	struct fixture f;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	SLT_AUTO_LINT(lint);
	SLT_AUTO_BUF(text, 1 << 16);
	SLT_AUTO_BUF(again, 1 << 16);
	struct slt_manifest_file file = {"pivot/form.tsv", "00"};
	const char *approvals[] = {"O\"Hara\\ Ä", "B"};
	struct slt_manifest m = {.set = "a \"b\"\t\\",
				 .version = "1",
				 .author = "Ö",
				 .effective_from_text = "2026-01-01",
				 .digest = "1",
				 .approvals = {approvals, 2},
				 .file = &file,
				 .n_files = 1};
	struct slt_manifest *back = NULL;
	const char *digest;

	(void)state;
	fixture_begin(&f);
	slt_manifest_format(&m, &text);
	fixture_write(&f, SLT_MANIFEST_NAME, text.p);
	bool good = slt_manifest_read(f.dir, a, &lint, &back, &digest);
	fixture_end(&f);
	assert_true(good);
	slt_manifest_format(back, &again);
	assert_string_equal(text.p, again.p);
	assert_string_equal(back->set, m.set);
	assert_string_equal(back->approvals.v[0], approvals[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signed_set_is_taken),
		cmocka_unit_test(approvals_are_signatures),
		cmocka_unit_test(a_signer_may_be_trusted_alone),
		cmocka_unit_test(what_nobody_reads_is_not_judged),
		cmocka_unit_test(what_is_not_required_is_a_warning),
		cmocka_unit_test(every_file_must_be_as_listed),
		cmocka_unit_test(a_file_must_not_be_gone_or_be_a_link),
		cmocka_unit_test(what_was_loaded_must_be_what_was_signed),
		cmocka_unit_test(an_unsigned_set_is_refused),
		cmocka_unit_test(a_signature_of_anything_else_is_refused),
		cmocka_unit_test(something_behind_the_signature_is_refused),
		cmocka_unit_test(not_everybody_may_sign),
		cmocka_unit_test(each_signature_must_be_good),
		cmocka_unit_test(nobody_approves_twice),
		cmocka_unit_test(nobody_approves_the_own_work),
		cmocka_unit_test(a_set_is_in_force_on_its_days_only),
		cmocka_unit_test(a_malformed_manifest_is_refused),
		cmocka_unit_test(a_file_listed_twice_is_refused),
		cmocka_unit_test(trusted_certificates_must_be_there),
		cmocka_unit_test(only_a_private_key_that_fits_signs),
		cmocka_unit_test(a_new_manifest_begins_anew),
		cmocka_unit_test(a_manifest_reads_back),
	};

	return cmocka_run_group_tests(tests, make_pki, remove_pki);
}
