/* SPDX-License-Identifier: MIT */

/* silta globalconf publish: signs a configuration directory. */

#include "cmd_globalconf.h"

#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "federation/globalconf_cache.h"
#include "federation/globalconf_dir.h"
#include "federation/private_params.h"
#include "mapset_part.h"

#define LIFE_MAX_S    31536000
#define STAMP_LEN     23   /* "20251110170000548026000" */
#define PLACES_MAX    1024 /* earlier runs that are looked at */
#define PLACES_KEPT   2
#define MAPPINGS_FILE "mapping-tables.zip"

static const char usage[] =
	"usage: silta globalconf publish --key FILE --cert FILE --instance X --out DIR [options]\n"
	"                                PART=FILE...\n"
	"\n"
	"Signs a configuration directory of the given parts and lays everything out below DIR as a\n"
	"web server serves it: DIR/VN/NAME is the directory, DIR/VN/<time>/... are the parts. PART\n"
	"is a content identifier: SHARED-PARAMETERS, PRIVATE-PARAMETERS, NEXTUPDATE, or another;\n"
	"clients keep such a part under the file's name. Of earlier runs' parts the last stay, for\n"
	"downloads under way, and those that a directory still names.\n"
	"\n"
	"  --key FILE         private key: PEM, or PKCS#12 with its certificate\n"
	"  --cert FILE        its certificate (PEM); its dates do not matter\n"
	"  --pin-file FILE    PIN of a PKCS#12 file\n"
	"  --instance X       the instance\n"
	"  --out DIR          where to\n"
	"  --mappings DIR     publish this mapping set too, as the part MAPPING-TABLES\n"
	"  --name NAME        internalconf (the default) or externalconf\n"
	"  --version N        version of the parts, 2 to 6 (default 6)\n"
	"  --seconds N        how long the directory is valid (default 600)\n"
	"  --anchor FILE      write the anchor too that clients need\n"
	"  --url URL          ... with this download address\n"
	"  --help             this text\n"
	"\n"
	"Exit status: 0 published, 1 a part is not what it says, 2 it could not be done.\n";

struct args {
	const char *key, *cert, *pin_file, *instance, *out, *name, *anchor, *url;
	const char *version, *seconds, *mappings;
	bool help;
};

struct publish {
	const struct args *a;
	struct slt_arena *arena;
	struct slt_directory dir;
	const char *stamp; /* the time, as a path segment */
	bool refused;	   /* the mapping set is none that could be published */
};

static bool read_args(int argc, char **argv, struct args *a)
{
	static const struct option options[] = {
		{"key", required_argument, NULL, 'k'},
		{"cert", required_argument, NULL, 'c'},
		{"pin-file", required_argument, NULL, 'p'},
		{"instance", required_argument, NULL, 'i'},
		{"out", required_argument, NULL, 'o'},
		{"name", required_argument, NULL, 'n'},
		{"version", required_argument, NULL, 'v'},
		{"seconds", required_argument, NULL, 's'},
		{"anchor", required_argument, NULL, 'a'},
		{"url", required_argument, NULL, 'u'},
		{"mappings", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	static const size_t place[] = {
		['k'] = offsetof(struct args, key),	 ['c'] = offsetof(struct args, cert),
		['p'] = offsetof(struct args, pin_file), ['i'] = offsetof(struct args, instance),
		['o'] = offsetof(struct args, out),	 ['n'] = offsetof(struct args, name),
		['v'] = offsetof(struct args, version),	 ['s'] = offsetof(struct args, seconds),
		['a'] = offsetof(struct args, anchor),	 ['u'] = offsetof(struct args, url),
		['m'] = offsetof(struct args, mappings),
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?') {
			return false;
		}
		if (c == 'h') {
			a->help = true;
			continue;
		}
		memcpy((char *)a + place[c], &optarg, sizeof(optarg));
	}
	return true;
}

static bool read_number(const char *text, long min, long max, const char *what, long *ret,
			struct slt_err *err)
{
	char *end = NULL;
	long v = strtol(text, &end, 10);

	if (!*text || *end || v < min || v > max) {
		return slt_fail(err, SLT_EINVAL, "%s must be a number from %ld to %ld, not \"%s\"",
				what, min, max, text);
	}
	*ret = v;
	return true;
}

/* --- parts -------------------------------------------------------------------------------- */

static bool same_instance(const char *what, const char *of, const char *wanted, struct slt_err *err)
{
	return strcmp(of, wanted) == 0 ||
	       slt_fail(err, SLT_EGC_INSTANCE, "%s describes instance %.100s, not %.100s", what, of,
			wanted);
}

/* What clients would refuse is not published. */
static bool check_content(const char *id, const char *path, const char *bytes, size_t n,
			  const char *instance, struct slt_err *err)
{
	if (strcmp(id, SLT_PART_SHARED) == 0) {
		SLT_AUTO(slt_globalconf_free) struct slt_globalconf *gc = NULL;
		return slt_globalconf_load_shared(path, &gc, err) &&
		       same_instance(path, slt_globalconf_own(gc), instance, err);
	}
	if (strcmp(id, SLT_PART_PRIVATE) == 0) {
		SLT_AUTO(slt_private_params_free) struct slt_private_params *pp = NULL;
		return slt_private_params_parse(bytes, n, &pp, err) &&
		       same_instance(path, pp->instance, instance, err);
	}
	return true;
}

static const char *published_name(const char *id, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (strcmp(id, SLT_PART_SHARED) == 0) {
		return "shared-params.xml";
	}
	if (strcmp(id, SLT_PART_PRIVATE) == 0) {
		return "private-params.xml";
	}
	return slash ? slash + 1 : path;
}

/* Clients refuse a directory with two parts that they would keep in one file. */
static bool check_unique(const struct publish *p, const char *id, const char *name,
			 struct slt_err *err)
{
	for (size_t i = 0; i < p->dir.n_parts; i++) {
		const struct slt_directory_part *other = &p->dir.parts[i];
		if (strcmp(other->content_id, id) == 0 || slt_strcase_eq(other->file_name, name)) {
			return slt_fail(err, SLT_EINVAL,
					"part %.100s and part %.100s in %.100s: there can be one",
					other->content_id, id, name);
		}
	}
	return p->dir.n_parts < SLT_DIRECTORY_PARTS_MAX ||
	       slt_fail(err, SLT_EINVAL, "a directory has at most %d parts",
			SLT_DIRECTORY_PARTS_MAX);
}

static bool add_bytes(struct publish *p, const char *id, const char *name, struct slt_str bytes,
		      struct slt_err *err)
{
	if (!check_unique(p, id, name, err)) {
		return false;
	}
	struct slt_directory_part *part = &p->dir.parts[p->dir.n_parts++];
	part->content_id = id;
	part->instance = p->a->instance;
	part->file_name = name;
	part->location =
		slt_arena_printf(p->arena, "/V%d/%s/%s", p->dir.version, p->stamp, part->file_name);
	slt_digest_of(SLT_SHA512, bytes.p, bytes.n, &part->digest);
	SLT_AUTO_STR char *to = slt_asprintf("%s%s", p->a->out, part->location);
	return slt_file_write(to, bytes.p, bytes.n, 0644, err);
}

static bool add_part(struct publish *p, const char *arg, struct slt_err *err)
{
	const char *eq = strchr(arg, '=');
	SLT_AUTO_STR char *bytes = NULL;
	size_t n = 0;

	if (!eq || eq == arg || !eq[1]) {
		return slt_fail(err, SLT_EINVAL, "\"%s\" is not PART=FILE", arg);
	}
	if (slt_str_starts(slt_str(arg), SLT_PART_MAPPINGS "=")) {
		return slt_fail(err, SLT_EINVAL,
				"mapping tables are published as a set: --mappings DIR");
	}
	const char *path = eq + 1;
	const char *id = slt_arena_strndup(p->arena, arg, (size_t)(eq - arg));
	return slt_file_read(path, SLT_SHARED_PARAMS_MAX, &bytes, &n, err) &&
	       check_content(id, path, bytes, n, p->a->instance, err) &&
	       add_bytes(p, id, published_name(id, path), (struct slt_str){bytes, n}, err);
}

static bool add_mappings(struct publish *p, struct slt_err *err)
{
	SLT_AUTO_BUF(zip, SLT_MAPSET_PART_MAX);

	if (!slt_mapset_part_make(p->a->mappings, &zip, err)) {
		p->refused = err->code != SLT_EIO;
		return false;
	}
	return add_bytes(p, SLT_PART_MAPPINGS, MAPPINGS_FILE, slt_buf_str(&zip), err);
}

/* --- earlier runs ------------------------------------------------------------------------- */

/* What a directory says, verified or not: which parts it names. NULL when there is none. */
static char *read_directory(const struct publish *p, const char *name)
{
	SLT_AUTO_STR char *path = slt_asprintf("%s/V%d/%s", p->a->out, p->dir.version, name);
	struct slt_err ignored = SLT_ERR_INIT;
	char *text = NULL;
	size_t n = 0;

	if (!slt_file_exists(path) ||
	    !slt_file_read(path, SLT_DIRECTORY_MAX, &text, &n, &ignored)) {
		return NULL;
	}
	return text;
}

static bool is_stamp(const char *name)
{
	return strlen(name) == STAMP_LEN && strspn(name, "0123456789") == STAMP_LEN;
}

static int newest_first(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

static size_t list_places(const struct publish *p, const char *dir, const char **ret)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	size_t n = 0;

	while (d && n < PLACES_MAX && (e = readdir(d)) != NULL) {
		if (is_stamp(e->d_name)) {
			ret[n++] = slt_arena_strdup(p->arena, e->d_name);
		}
	}
	if (d) {
		closedir(d);
	}
	qsort(ret, n, sizeof(*ret), newest_first);
	return n;
}

/* Removes the parts of earlier runs, but for the last ones and those that a directory names: the
 * one that was replaced just now (downloads may be under way), or that of the other name. */
static bool prune(const struct publish *p, const char *replaced, struct slt_err *err)
{
	static const char *const names[] = {"internalconf", "externalconf"};
	SLT_AUTO_STR char *dir = slt_asprintf("%s/V%d", p->a->out, p->dir.version);
	SLT_AUTO_STR char *internal = read_directory(p, names[0]);
	SLT_AUTO_STR char *external = read_directory(p, names[1]);
	const char *const texts[] = {replaced, internal, external};
	const char *place[PLACES_MAX];
	size_t n = list_places(p, dir, place);

	for (size_t i = PLACES_KEPT; i < n; i++) {
		SLT_AUTO_STR char *path = slt_path_join(dir, place[i]);
		bool named = false;
		for (size_t k = 0; k < SLT_COUNT(texts); k++) {
			named |= texts[k] && strstr(texts[k], place[i]);
		}
		if (!named && !slt_rm_tree(path, err)) {
			return false;
		}
	}
	return true;
}

/* --- the directory ------------------------------------------------------------------------ */

/* Read back as a client would, before anybody else does. */
static bool verify_own(const struct publish *p, const struct slt_buf *out, X509 *cert,
		       struct slt_err *err)
{
	SLT_AUTO(slt_directory_free) struct slt_directory *again = NULL;

	if (!slt_directory_verify(out->p, out->n, &cert, 1, slt_now_ms(), &again, err)) {
		return slt_wrap(err, "what was signed does not verify");
	}
	return slt_directory_check_instance(again, p->a->instance, err);
}

static bool write_directory(const struct publish *p, struct slt_key *key, struct slt_err *err)
{
	SLT_AUTO_BUF(out, SLT_DIRECTORY_MAX);
	SLT_AUTO_STR char *path = slt_asprintf("%s/V%d/%s", p->a->out, p->dir.version, p->a->name);

	return slt_directory_write(&p->dir, key, &out, err) &&
	       verify_own(p, &out, key->cert, err) && slt_file_write(path, out.p, out.n, 0644, err);
}

static bool write_anchor(const struct args *a, X509 *cert, struct slt_err *err)
{
	struct slt_anchor_source source = {.url = a->url, .certs = &cert, .n_certs = 1};
	const struct slt_anchor anchor = {.instance = a->instance,
					  .generated_at_ms = slt_now_ms(),
					  .sources = &source,
					  .n_sources = 1};
	SLT_AUTO_BUF(out, SLT_ANCHOR_MAX);

	return !a->anchor || (slt_anchor_write(&anchor, &out, err) &&
			      slt_file_write(a->anchor, out.p, out.n, 0644, err));
}

static bool load_key(const struct args *a, struct slt_key **ret, struct slt_err *err)
{
	SLT_AUTO_STR char *pin = NULL;
	size_t n = 0;

	if (a->pin_file) {
		if (!slt_file_read(a->pin_file, 1024, &pin, &n, err)) {
			return false;
		}
		pin[strcspn(pin, "\r\n")] = '\0';
	}
	bool ok = slt_key_load(a->key, a->cert, pin, false, ret, err);
	if (pin) {
		explicit_bzero(pin, n);
	}
	return ok;
}

/* "20251110170000548026000": seconds, then nine digits */
static const char *stamp_of(int64_t now_ms, struct slt_arena *a)
{
	time_t s = (time_t)(now_ms / 1000);
	struct tm tm;
	char day[32];

	gmtime_r(&s, &tm);
	strftime(day, sizeof(day), "%Y%m%d%H%M%S", &tm);
	return slt_arena_printf(a, "%s%03d000000", day, (int)(now_ms % 1000));
}

static bool add_parts(struct publish *p, char **parts, size_t n, struct slt_err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!add_part(p, parts[i], err)) {
			return false;
		}
	}
	return !p->a->mappings || add_mappings(p, err);
}

static bool publish(struct publish *p, char **parts, size_t n, struct slt_err *err)
{
	const struct args *a = p->a;
	SLT_AUTO(slt_key_free) struct slt_key *key = NULL;
	int64_t now_ms = slt_now_ms();
	long version = 0, seconds = 0;

	if (!read_number(a->version, SLT_GC_VERSION_MIN, SLT_GC_VERSION_MAX, "--version", &version,
			 err) ||
	    !read_number(a->seconds, 1, LIFE_MAX_S, "--seconds", &seconds, err) ||
	    !load_key(a, &key, err)) {
		return false;
	}
	p->dir.version = (int)version;
	p->dir.expires_ms = now_ms + seconds * 1000;
	p->dir.parts = slt_arena_alloc(p->arena, (n + 2) * sizeof(*p->dir.parts));
	p->stamp = stamp_of(now_ms, p->arena);
	SLT_AUTO_STR char *place = slt_asprintf("%s/V%ld/%s", a->out, version, p->stamp);
	SLT_AUTO_STR char *replaced = read_directory(p, a->name);
	struct slt_err ignored = SLT_ERR_INIT;
	if (!slt_mkdir_p(place, 0755, err)) {
		return false;
	}
	if (!add_parts(p, parts, n, err) || !write_directory(p, key, err)) {
		if (!slt_rm_tree(place, &ignored)) {
			slt_err_clear(&ignored); /* nobody was told of it: the next run prunes */
		}
		return false;
	}
	return write_anchor(a, key->cert, err) && prune(p, replaced, err);
}

static bool complete(const struct args *a, int n_parts)
{
	return a->key && a->instance && a->out && n_parts > 0 && !a->anchor == !a->url &&
	       (strcmp(a->name, "internalconf") == 0 || strcmp(a->name, "externalconf") == 0);
}

int slt_globalconf_publish(int argc, char **argv)
{
	struct args a = {.name = "internalconf", .version = "6", .seconds = "600"};
	struct publish p = {.a = &a};
	struct slt_err err = SLT_ERR_INIT;
	char at[SLT_TIME_LEN];

	if (!read_args(argc, argv, &a)) {
		return slt_globalconf_misused("publish", "wrong options");
	}
	if (a.help) {
		fputs(usage, stdout);
		return SLT_EXIT_GOOD;
	}
	if (!complete(&a, argc - optind)) {
		return slt_globalconf_misused(
			"publish",
			"--key, --instance, --out and at least one PART=FILE are needed; --anchor "
			"goes with --url; --name is internalconf or externalconf");
	}
	p.arena = slt_arena_new();
	bool ok = publish(&p, argv + optind, (size_t)(argc - optind), &err);
	if (ok) {
		printf("OK %s/V%d/%s instance=%s parts=%zu expires=%s\n", a.out, p.dir.version,
		       a.name, a.instance, p.dir.n_parts,
		       slt_time_format(p.dir.expires_ms, false, at));
	}
	slt_arena_free(p.arena);
	if (ok) {
		return SLT_EXIT_GOOD;
	}
	slt_globalconf_cannot(&err);
	return p.refused || err.code == SLT_EGC_INSTANCE || err.code == SLT_EMALFORMED_GLOBALCONF
		       ? SLT_EXIT_NO
		       : SLT_EXIT_CANNOT;
}
