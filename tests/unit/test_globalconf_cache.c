/* SPDX-License-Identifier: MIT */
/* Fetching into a cache and loading it: against a configuration source made of a table of
 * addresses, so that every answer of it can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "federation/globalconf_cache.h"
#include "federation/globalconf_write.h"
#include "tests/support/pki.h"

#define ENTRIES 64
#define MINUTE	INT64_C(60000)

/* --- the source --------------------------------------------------------------------------- */

static struct {
	char dir[64], cache[96];
	struct pki_cert *cert[3]; /* 0 and 1 of FI, 2 of EE */
	struct slt_key *key[3];
	struct {
		char *url;
		int status;
		struct slt_buf body;
	} entry[ENTRIES];
	size_t n_entries;
	char *asked[256];
	size_t n_asked;
} f;

static void forget_asked(void)
{
	for (size_t i = 0; i < f.n_asked; i++) {
		free(f.asked[i]);
	}
	f.n_asked = 0;
}

static void forget_entries(void)
{
	for (size_t i = 0; i < f.n_entries; i++) {
		free(f.entry[i].url);
		slt_buf_fini(&f.entry[i].body);
	}
	f.n_entries = 0;
}

/* Puts something at an address, in place of what was there. */
static struct slt_buf *serve(int status, const char *url)
{
	size_t i = 0;

	while (i < f.n_entries && strcmp(f.entry[i].url, url) != 0) {
		i++;
	}
	assert_true(i < ENTRIES);
	if (i == f.n_entries) {
		f.n_entries++;
		f.entry[i].url = slt_strdup(url);
		slt_buf_init(&f.entry[i].body, SLT_SHARED_PARAMS_MAX);
	}
	f.entry[i].status = status;
	slt_buf_reset(&f.entry[i].body);
	return &f.entry[i].body;
}

static struct slt_buf *at(const char *url)
{
	for (size_t i = 0; i < f.n_entries; i++) {
		if (strcmp(f.entry[i].url, url) == 0) {
			return &f.entry[i].body;
		}
	}
	fail_msg("nothing at %s", url);
	return NULL;
}

static bool get(void *arg, const char *url, size_t max, int *ret_status, struct slt_buf *ret_body,
		struct slt_err *err)
{
	(void)arg;
	assert_true(f.n_asked < SLT_COUNT(f.asked));
	f.asked[f.n_asked++] = slt_strdup(url);
	for (size_t i = 0; i < f.n_entries; i++) {
		if (strcmp(f.entry[i].url, url) != 0) {
			continue;
		}
		if (f.entry[i].status == 0) {
			return slt_fail(err, SLT_ENETWORK, "%s does not answer", url);
		}
		if (f.entry[i].body.n > max) {
			return slt_fail(err, SLT_ELIMIT, "%s is too long", url);
		}
		*ret_status = f.entry[i].status;
		slt_buf_add(ret_body, slt_buf_str(&f.entry[i].body).p, f.entry[i].body.n);
		return true;
	}
	if (strncmp(url, "https://", 8) == 0) {
		return slt_fail(err, SLT_ENETWORK, "%s does not answer", url);
	}
	*ret_status = 404;
	return true;
}

static size_t asked(const char *url)
{
	size_t n = 0;

	for (size_t i = 0; i < f.n_asked; i++) {
		n += strcmp(f.asked[i], url) == 0;
	}
	return n;
}

/* --- what it publishes -------------------------------------------------------------------- */

struct conf {
	const char *instance;
	const char *host, *leaf;
	int version;	   /* in the directory; 0: not said */
	int asked_version; /* in the address; 0: none */
	int64_t expires_ms;
	int64_t freshness; /* what tells two configurations apart */
	size_t signer;
	const char *federated; /* an instance whose anchor private parameters hold; NULL: none */
	const char *shared_instance, *private_instance, *part_instance; /* NULL: as instance */
	size_t source_internal, source_external; /* keys that shared parameters announce */
	bool no_private, no_shared, tables;
	const char *path; /* of the parts */
};

#define FI                                                                                         \
	{                                                                                          \
		.instance = "FI", .host = "cs.fi", .leaf = "internalconf", .version = 6,           \
		.asked_version = 6, .expires_ms = PKI_NOW + 10 * MINUTE, .freshness = 100,         \
		.path = "/V6/1"                                                                    \
	}
#define EE                                                                                         \
	{                                                                                          \
		.instance = "EE", .host = "cs.ee", .leaf = "externalconf", .version = 6,           \
		.asked_version = 6, .expires_ms = PKI_NOW + 10 * MINUTE, .freshness = 200,         \
		.signer = 2, .source_internal = 2, .source_external = 2, .path = "/V6/1"           \
	}

static void write_shared(const struct conf *c, struct slt_buf *out)
{
	const struct slt_gcw_source source = {c->host,
					      {&f.cert[c->source_internal]->x509, 1},
					      {&f.cert[c->source_external]->x509, 1}};
	const struct slt_gcw_shared s = {
		.version = c->version ? c->version : 2,
		.instance = c->shared_instance ? c->shared_instance : c->instance,
		.source = &source,
		.n_source = 1,
		.ocsp_freshness_s = c->freshness,
	};
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_globalconf_write_shared(&s, out, &err)) {
		fail_msg("%s", err.msg);
	}
}

static void write_private(const struct conf *c, struct slt_buf *out)
{
	struct slt_anchor_source source = {
		.url = "http://cs.ee/externalconf", .certs = &f.cert[2]->x509, .n_certs = 1};
	const struct slt_anchor anchor = {
		.instance = c->federated, .sources = &source, .n_sources = 1};
	const struct slt_anchor *anchors[] = {&anchor};
	const struct slt_gcw_private p = {
		.instance = c->private_instance ? c->private_instance : c->instance,
		.anchor = anchors,
		.n_anchor = c->federated ? 1 : 0,
		.management_service = {.type = SLT_ID_MEMBER,
				       .instance = "FI",
				       .member_class = "GOV",
				       .member_code = "1"},
		.timestamping_interval_s = 60,
	};
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_globalconf_write_private(&p, out, &err)) {
		fail_msg("%s", err.msg);
	}
}

static void add_part(const struct conf *c, const char *id, const char *name, struct slt_arena *a,
		     struct slt_directory *d)
{
	struct slt_directory_part *p = &d->parts[d->n_parts++];
	struct slt_buf *body;

	p->content_id = id;
	p->instance = c->part_instance ? c->part_instance : c->instance;
	p->location = slt_arena_printf(a, "%s/%s", c->path, name);
	body = serve(200, slt_arena_printf(a, "http://%s%s", c->host, p->location));
	if (strcmp(id, SLT_PART_SHARED) == 0) {
		write_shared(c, body);
	} else if (strcmp(id, SLT_PART_PRIVATE) == 0) {
		write_private(c, body);
	} else {
		slt_buf_addf(body, "tables %lld\n", (long long)c->freshness);
	}
	slt_digest_of(SLT_SHA512, body->p, body->n, &p->digest);
}

static void publish(const struct conf *c)
{
	struct slt_directory_part parts[3] = {{.content_id = NULL}};
	struct slt_directory d = {
		.expires_ms = c->expires_ms, .version = c->version, .parts = parts};
	struct slt_arena *a = slt_arena_new();
	struct slt_err err = SLT_ERR_INIT;
	const char *query =
		c->asked_version ? slt_arena_printf(a, "?version=%d", c->asked_version) : "";

	if (!c->no_shared) {
		add_part(c, SLT_PART_SHARED, "shared-params.xml", a, &d);
	}
	if (!c->no_private) {
		add_part(c, SLT_PART_PRIVATE, "private-params.xml", a, &d);
	}
	if (c->tables) {
		add_part(c, "MAPPING-TABLES", "tables.tar", a, &d);
	}
	if (!slt_directory_write(
		    &d, f.key[c->signer],
		    serve(200, slt_arena_printf(a, "http://%s/%s%s", c->host, c->leaf, query)),
		    &err)) {
		fail_msg("%s", err.msg);
	}
	slt_arena_free(a);
}

/* --- fetching ----------------------------------------------------------------------------- */

static enum slt_code fetch_as(const char *federation, int64_t now, struct slt_gc_fetch_result *r)
{
	struct slt_anchor_source source = {
		.url = "http://cs.fi/internalconf", .certs = &f.cert[0]->x509, .n_certs = 1};
	const struct slt_anchor anchor = {.instance = "FI", .sources = &source, .n_sources = 1};
	const struct slt_gc_fetch o = {.anchor = &anchor,
				       .dir = f.cache,
				       .federation = federation,
				       .fetch = get,
				       .now_ms = now};
	struct slt_err err = SLT_ERR_INIT;

	forget_asked();
	return slt_globalconf_fetch(&o, r, &err) ? SLT_OK : err.code;
}

static enum slt_code fetch(void)
{
	struct slt_gc_fetch_result r = {.warnings = NULL};
	enum slt_code code = fetch_as("none", PKI_NOW, &r);

	free(r.warnings);
	return code;
}

/* What the cache says, by the freshness of an instance; 0 when it is not there. */
static int64_t held(const char *instance)
{
	const struct slt_gc_load_options o = {.now_ms = PKI_NOW};
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	struct slt_gc_info info;
	int64_t v = 0;

	if (!slt_globalconf_load(f.cache, &o, &gc, NULL, &err)) {
		return 0;
	}
	if (slt_globalconf_instance(gc, instance)) {
		slt_gc_instance_info(slt_globalconf_instance(gc, instance), &info);
		v = info.ocsp_freshness_s;
	}
	slt_globalconf_free(gc);
	return v;
}

static bool in_cache(const char *name)
{
	char *path = slt_asprintf("%s/%s", f.cache, name);
	bool there = slt_file_exists(path);

	free(path);
	return there;
}

static void put(const char *name, const char *text)
{
	char *path = slt_asprintf("%s/%s", f.cache, name);
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_file_write(path, text, strlen(text), 0644, &err)) {
		fail_msg("%s", err.msg);
	}
	free(path);
}

static int setup(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	snprintf(f.dir, sizeof(f.dir), "/tmp/slt-gccache-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.cache, sizeof(f.cache), "%s/cache", f.dir);
	for (unsigned i = 0; i < 3; i++) {
		char *c = slt_asprintf("%s/%u.crt", f.dir, i);
		char *k = slt_asprintf("%s/%u.key", f.dir, i);
		f.cert[i] = pki_ca(NULL, "CN=signing", PKI_P256, i);
		pki_write_pem(f.cert[i], c, k);
		if (!slt_key_load(k, c, NULL, false, &f.key[i], &err)) {
			fail_msg("%s", err.msg);
		}
		free(c);
		free(k);
	}
	return 0;
}

static int teardown(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		slt_key_free(f.key[i]);
		pki_cert_free(f.cert[i]);
	}
	return slt_rm_tree(f.dir, &err) ? 0 : -1;
}

static int fresh(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	forget_entries();
	forget_asked();
	return slt_rm_tree(f.cache, &err) ? 0 : -1;
}

static int clean(void **state)
{
	forget_entries();
	forget_asked();
	(void)state;
	return 0;
}

/* --- good rounds -------------------------------------------------------------------------- */

static void fetches_and_loads(void **state)
{
	const struct conf c = FI;
	struct slt_gc_fetch_result r;

	(void)state;
	publish(&c);
	assert_int_equal(fetch_as("none", PKI_NOW, &r), SLT_OK);
	assert_int_equal(r.version, 6);
	assert_int_equal(r.expires_ms, c.expires_ms);
	assert_int_equal(r.n_downloaded, 2);
	assert_int_equal(r.n_unchanged, 0);
	assert_null(r.warnings);
	assert_int_equal(held("FI"), 100);
	assert_true(in_cache("instance-identifier"));
	assert_true(in_cache("FI/shared-params.xml.metadata"));
	assert_true(in_cache("FI/private-params.xml"));
	/* https first; then the newest version */
	assert_string_equal(f.asked[0], "https://cs.fi/internalconf?version=6");
	assert_string_equal(f.asked[1], "http://cs.fi/internalconf?version=6");
}

static void unchanged_parts_stay(void **state)
{
	struct conf c = FI;
	struct slt_gc_fetch_result r;

	(void)state;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	c.expires_ms += MINUTE;
	c.path = "/V6/2";
	publish(&c);
	assert_int_equal(fetch_as("none", PKI_NOW, &r), SLT_OK);
	assert_int_equal(r.n_downloaded, 0);
	assert_int_equal(r.n_unchanged, 2);
	assert_int_equal(r.expires_ms, c.expires_ms);
	/* what answered last is asked first */
	assert_int_equal(f.n_asked, 1);
	assert_string_equal(f.asked[0], "http://cs.fi/internalconf?version=6");
	c.freshness = 101;
	c.no_private = true;
	c.tables = true;
	publish(&c);
	assert_int_equal(fetch_as("none", PKI_NOW, &r), SLT_OK);
	assert_int_equal(r.n_downloaded, 2);
	assert_int_equal(held("FI"), 101);
	assert_true(in_cache("FI/tables.tar"));
	assert_true(in_cache("FI/tables.tar.metadata"));
	assert_false(in_cache("FI/private-params.xml"));
	assert_false(in_cache("FI/private-params.xml.metadata"));
}

static void older_versions(void **state)
{
	static const int asked_versions[] = {5, 4, 3, 0};

	for (size_t i = 0; i < SLT_COUNT(asked_versions); i++) {
		struct conf c = FI;
		struct slt_gc_fetch_result r;
		c.asked_version = asked_versions[i];
		c.version = asked_versions[i];
		fresh(state);
		publish(&c);
		assert_int_equal(fetch_as("none", PKI_NOW, &r), SLT_OK);
		assert_int_equal(r.version, c.asked_version ? c.asked_version : 2);
		assert_int_equal(held("FI"), 100);
		assert_int_equal(asked("http://cs.fi/internalconf"), c.asked_version == 0);
	}
}

/* The writer makes absolute locations only, so this one is made and signed by hand. */
static void parts_beside_the_directory(void **state)
{
	const struct conf c = FI;
	SLT_AUTO_BUF(inner, 65536);
	SLT_AUTO_BUF(value, 4096);
	struct slt_digest d;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	publish(&c);
	struct slt_buf *shared = at("http://cs.fi/V6/1/shared-params.xml");
	slt_digest_of(SLT_SHA512, shared->p, shared->n, &d);
	slt_buf_addf(&inner,
		     "--i\nExpire-date: 2030-01-01T00:00:00Z\nVersion: 6\n\n--i\n"
		     "Content-type: application/octet-stream\nContent-transfer-encoding: base64\n"
		     "Content-identifier: SHARED-PARAMETERS; instance='FI'\n"
		     "Content-location: x/shared-params.xml\nHash-algorithm-id: %s\n\n",
		     slt_digest_uri(SLT_SHA512));
	slt_buf_add_base64(&inner, d.v, d.n);
	slt_buf_adds(&inner, "\n--i--\n");
	slt_digest_of(slt_sig_digest(f.key[0]->alg), inner.p, inner.n, &d);
	assert_true(f.key[0]->sign(f.key[0], &d, &value, &err));
	struct slt_buf *out = serve(200, "http://cs.fi/internalconf?version=6");
	slt_buf_addf(out,
		     "Content-Type: multipart/related; boundary=o\n\n--o\n"
		     "Content-Type: multipart/mixed; boundary=i\n\n%s\n--o\n"
		     "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n"
		     "Signature-Algorithm-Id: %s\nVerification-certificate-hash: ",
		     inner.p, slt_sig_uri(f.key[0]->alg));
	unsigned char md[64];
	unsigned n = 0;
	assert_int_equal(X509_digest(f.cert[0]->x509, slt_digest_md(SLT_SHA512), md, &n), 1);
	slt_buf_add_base64(out, md, n);
	slt_buf_addf(out, "; hash-algorithm-id=\"%s\"\n\n", slt_digest_uri(SLT_SHA512));
	slt_buf_add_base64(out, value.p, value.n);
	slt_buf_adds(out, "\n--o--\n");
	struct slt_buf *to = serve(200, "http://cs.fi/x/shared-params.xml");
	slt_buf_add(to, shared->p, shared->n);
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(held("FI"), 100);
	assert_int_equal(asked("http://cs.fi/x/shared-params.xml"), 1);
}

static void rotated_key(void **state)
{
	struct conf c = FI;

	(void)state;
	/* the new key alone is unknown */
	c.signer = 1;
	publish(&c);
	assert_int_equal(fetch(), SLT_EGC_MISSING_CERT);
	/* announced with the old one, it is known next time */
	c.signer = 0;
	c.source_internal = 1;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	c.signer = 1;
	c.freshness = 101;
	c.expires_ms += MINUTE;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(held("FI"), 101);
	/* a key announced for externalconf only does not sign internalconf */
	c.signer = 2;
	c.source_external = 2;
	c.expires_ms += MINUTE;
	publish(&c);
	assert_int_equal(fetch(), SLT_EGC_MISSING_CERT);
	assert_int_equal(held("FI"), 101);
}

/* --- never back --------------------------------------------------------------------------- */

static void older_is_refused(void **state)
{
	struct conf c = FI;
	struct slt_gc_fetch_result r;

	(void)state;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	c.freshness = 99;
	c.expires_ms -= 1000;
	publish(&c);
	assert_int_equal(fetch(), SLT_EGC_ROLLBACK);
	assert_int_equal(held("FI"), 100);
	/* the same content may be offered with an earlier date; the date held stays */
	c.freshness = 100;
	publish(&c);
	assert_int_equal(fetch_as("none", PKI_NOW, &r), SLT_OK);
	assert_int_equal(r.expires_ms, PKI_NOW + 10 * MINUTE);
	/* of the same instant, the content may differ */
	c.freshness = 101;
	c.expires_ms += 1000;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(held("FI"), 101);
}

static void another_address_may_be_newer(void **state)
{
	struct conf c = FI;

	(void)state;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	c.freshness = 99;
	c.expires_ms -= 1000;
	publish(&c);
	/* the https address of the same server has the newer one */
	const struct conf newer = {.instance = "FI",
				   .host = "x",
				   .leaf = "internalconf",
				   .version = 6,
				   .asked_version = 6,
				   .expires_ms = PKI_NOW + 11 * MINUTE,
				   .freshness = 102,
				   .path = "/V6/1"};
	publish(&newer);
	struct slt_buf *from = at("http://x/internalconf?version=6");
	slt_buf_add(serve(200, "https://cs.fi/internalconf?version=6"), from->p, from->n);
	from = at("http://x/V6/1/shared-params.xml");
	slt_buf_add(serve(200, "https://cs.fi/V6/1/shared-params.xml"), from->p, from->n);
	from = at("http://x/V6/1/private-params.xml");
	slt_buf_add(serve(200, "https://cs.fi/V6/1/private-params.xml"), from->p, from->n);
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(held("FI"), 102);
}

/* --- what is refused ---------------------------------------------------------------------- */

static void refused(const struct conf *c, enum slt_code code)
{
	const struct conf good = FI;
	struct conf again = *c;

	/* with nothing held, and with a good one, which stays */
	fresh(NULL);
	publish(c);
	assert_int_equal(fetch(), code);
	assert_int_equal(held("FI"), 0);
	fresh(NULL);
	publish(&good);
	assert_int_equal(fetch(), SLT_OK);
	again.freshness = 77;
	if (again.expires_ms > PKI_NOW) {
		again.expires_ms += MINUTE;
	}
	publish(&again);
	assert_int_equal(fetch(), code);
	assert_int_equal(held("FI"), 100);
}

static void wrong_directories(void **state)
{
	struct conf c = FI;

	(void)state;
	c.expires_ms = PKI_NOW - 1;
	refused(&c, SLT_EOUTDATED_GLOBALCONF);
	c = (struct conf)FI;
	c.signer = 1;
	refused(&c, SLT_EGC_MISSING_CERT);
	c = (struct conf)FI;
	c.part_instance = "EE";
	refused(&c, SLT_EGC_INSTANCE);
	c = (struct conf)FI;
	c.shared_instance = "EE";
	refused(&c, SLT_EGC_INSTANCE);
	c = (struct conf)FI;
	c.private_instance = "EE";
	refused(&c, SLT_EGC_INSTANCE);
	c = (struct conf)FI;
	c.no_shared = true;
	refused(&c, SLT_EGC_HEADER_MISSING);
}

static void wrong_version(void **state)
{
	struct slt_directory_part p = {.content_id = "X", .instance = "FI", .location = "/a/b"};
	const struct slt_directory d = {
		.expires_ms = PKI_NOW + MINUTE, .version = 7, .parts = &p, .n_parts = 1};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_digest_of(SLT_SHA512, "", 0, &p.digest);
	assert_true(slt_directory_write(&d, f.key[0],
					serve(200, "http://cs.fi/internalconf?version=6"), &err));
	assert_int_equal(fetch(), SLT_EGC_HEADER_WRONG);
}

static void wrong_parts(void **state)
{
	const char *shared = "http://cs.fi/V6/1/shared-params.xml";
	struct conf c = FI;

	(void)state;
	publish(&c);
	at(shared)->p[100] ^= 1;
	assert_int_equal(fetch(), SLT_EGC_INTEGRITY);
	publish(&c);
	slt_buf_adds(at(shared), " ");
	assert_int_equal(fetch(), SLT_EGC_INTEGRITY);
	publish(&c);
	serve(200, shared);
	assert_int_equal(fetch(), SLT_EGC_INTEGRITY);
	serve(404, shared);
	assert_int_equal(fetch(), SLT_EGC_DOWNLOAD);
	serve(500, shared);
	assert_int_equal(fetch(), SLT_EGC_DOWNLOAD);
	serve(0, shared);
	assert_int_equal(fetch(), SLT_ENETWORK);
	assert_false(in_cache("FI"));
	assert_false(in_cache("instance-identifier"));
	assert_int_equal(held("FI"), 0);
}

/* Signed, but not what it claims to be. */
static void signed_nonsense(void **state)
{
	static const char *const texts[] = {"", "xxx", "<conf/>", "<!DOCTYPE a><a/>",
					    "<x:conf xmlns:x='http://x-road.eu/xsd/xroad.xsd'/>"};
	static const char *const ids[] = {SLT_PART_SHARED, SLT_PART_PRIVATE, SLT_PART_NEXTUPDATE};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(texts); i++) {
		for (size_t k = 0; k < SLT_COUNT(ids); k++) {
			struct conf c = FI;
			c.no_private = true;
			fresh(NULL);
			publish(&c);
			struct slt_directory_part p[2] = {{.content_id = SLT_PART_SHARED,
							   .instance = "FI",
							   .location = "/V6/1/shared-params.xml"},
							  {.content_id = ids[k],
							   .instance = "FI",
							   .location = "/V6/1/bad.xml"}};
			struct slt_directory d = {.expires_ms = PKI_NOW + MINUTE,
						  .version = 6,
						  .parts = k ? p : p + 1,
						  .n_parts = k ? 2 : 1};
			struct slt_buf *body = at("http://cs.fi/V6/1/shared-params.xml");
			struct slt_err err = SLT_ERR_INIT;
			slt_digest_of(SLT_SHA512, body->p, body->n, &p[0].digest);
			slt_digest_of(SLT_SHA512, texts[i], strlen(texts[i]), &p[1].digest);
			slt_buf_adds(serve(200, "http://cs.fi/V6/1/bad.xml"), texts[i]);
			body = serve(200, "http://cs.fi/internalconf?version=6");
			assert_true(slt_directory_write(&d, f.key[0], body, &err));
			assert_int_equal(fetch(), SLT_EMALFORMED_GLOBALCONF);
			assert_false(in_cache("FI"));
		}
	}
}

static void silent_or_broken_sources(void **state)
{
	const char *url = "http://cs.fi/internalconf?version=6";

	(void)state;
	assert_int_equal(fetch(), SLT_EGC_DOWNLOAD);
	assert_int_equal(asked("http://cs.fi/internalconf"), 1);
	serve(500, url);
	assert_int_equal(fetch(), SLT_EGC_DOWNLOAD);
	serve(0, url);
	assert_int_equal(fetch(), SLT_ENETWORK);
	slt_buf_adds(serve(200, url), "<html>Welcome</html>");
	assert_int_equal(fetch(), SLT_EGC_PARSE);
	struct slt_buf *b = serve(200, url);
	while (b->n <= SLT_DIRECTORY_MAX) {
		slt_buf_adds(b, "0123456789abcdef0123456789abcdef");
	}
	assert_int_equal(fetch(), SLT_ELIMIT);
	assert_false(in_cache("FI"));
}

static void cache_of_another(void **state)
{
	const struct conf c = FI;

	(void)state;
	assert_int_equal(fetch(), SLT_EGC_DOWNLOAD);
	publish(&c);
	put("instance-identifier", "EE\n");
	assert_int_equal(fetch(), SLT_EGC_INSTANCE);
	put("instance-identifier", "\n");
	assert_int_equal(fetch(), SLT_EGC_MISSING_INSTANCE);
	put("instance-identifier", "FI\n");
	assert_int_equal(fetch(), SLT_OK);
}

static void one_at_a_time(void **state)
{
	const struct conf c = FI;
	char *lock = slt_asprintf("%s/.lock", f.cache);

	(void)state;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	int fd = open(lock, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(fetch(), SLT_EBUSY);
	close(fd);
	assert_int_equal(fetch(), SLT_OK);
	free(lock);
}

/* --- federation --------------------------------------------------------------------------- */

static void federated(const char *filter, bool expected)
{
	struct conf fi = FI;
	const struct conf ee = EE;
	struct slt_gc_fetch_result r;

	fresh(NULL);
	fi.federated = "EE";
	publish(&fi);
	publish(&ee);
	assert_int_equal(fetch_as(filter, PKI_NOW, &r), SLT_OK);
	assert_null(r.warnings);
	assert_int_equal(held("EE"), expected ? 200 : 0);
	assert_int_equal(asked("http://cs.ee/externalconf?version=6"), expected);
	/* private parameters of others are not ours to know */
	assert_int_equal(asked("http://cs.ee/V6/1/private-params.xml"), 0);
	assert_false(in_cache("EE/private-params.xml"));
}

static void filters(void **state)
{
	(void)state;
	federated("all", true);
	federated("ALL", true);
	federated("EE", true);
	federated(" LV , ee ", true);
	federated("none", false);
	federated(NULL, false);
	federated("", false);
	federated("E", false);
	federated("EEE", false);
	federated("EE,none", false);
}

static void foreign_failure_is_a_warning(void **state)
{
	struct conf fi = FI, ee = EE;
	struct slt_gc_fetch_result r;

	(void)state;
	fi.federated = "EE";
	publish(&fi);
	assert_int_equal(fetch_as("all", PKI_NOW, &r), SLT_OK);
	assert_non_null(strstr(r.warnings, "instance EE"));
	free(r.warnings);
	assert_int_equal(held("FI"), 100);
	/* signed by our own source: not by theirs */
	ee.signer = 0;
	publish(&ee);
	assert_int_equal(fetch_as("all", PKI_NOW, &r), SLT_OK);
	assert_non_null(r.warnings);
	free(r.warnings);
	assert_int_equal(held("EE"), 0);
	/* their source speaking as us */
	ee = (struct conf)EE;
	ee.part_instance = ee.shared_instance = "FI";
	publish(&ee);
	assert_int_equal(fetch_as("all", PKI_NOW, &r), SLT_OK);
	assert_non_null(strstr(r.warnings, "not to EE"));
	free(r.warnings);
	assert_int_equal(held("FI"), 100);
	ee = (struct conf)EE;
	publish(&ee);
	assert_int_equal(fetch_as("all", PKI_NOW, &r), SLT_OK);
	assert_null(r.warnings);
	assert_int_equal(held("EE"), 200);
}

static void no_longer_wanted(void **state)
{
	struct conf fi = FI;
	const struct conf ee = EE;
	struct slt_gc_fetch_result r;
	struct slt_err err = SLT_ERR_INIT;
	char *mine = slt_asprintf("%s/LV", f.cache);

	(void)state;
	fi.federated = "EE";
	publish(&fi);
	publish(&ee);
	assert_int_equal(fetch_as("all", PKI_NOW, &r), SLT_OK);
	/* a directory that is no cached instance is nobody's to remove */
	assert_true(slt_mkdir_p(mine, 0755, &err));
	put("LV/notes.txt", "mine");
	assert_int_equal(held("EE"), 200);
	assert_int_equal(fetch_as("LV", PKI_NOW, &r), SLT_OK);
	assert_false(in_cache("EE"));
	assert_true(in_cache("LV/notes.txt"));
	assert_true(in_cache("FI/shared-params.xml"));
	free(mine);
}

/* --- loading ------------------------------------------------------------------------------ */

static enum slt_code load(char **ret_warnings)
{
	const struct slt_gc_load_options o = {.now_ms = PKI_NOW};
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	bool ok = slt_globalconf_load(f.cache, &o, &gc, ret_warnings, &err);

	slt_globalconf_free(gc);
	return ok ? SLT_OK : err.code;
}

static void fill(void)
{
	struct conf fi = FI;
	const struct conf ee = EE;
	struct slt_gc_fetch_result r;

	fresh(NULL);
	fi.federated = "EE";
	publish(&fi);
	publish(&ee);
	assert_int_equal(fetch_as("all", PKI_NOW, &r), SLT_OK);
}

static void damaged_own(void **state)
{
	static const struct {
		const char *file, *text;
		enum slt_code code;
	} bad[] = {
		{"instance-identifier", "", SLT_EGC_MISSING_INSTANCE},
		{"instance-identifier", "../FI", SLT_EGC_MISSING_INSTANCE},
		{"instance-identifier", "LV", SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml", "xxx", SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml", "", SLT_EMALFORMED_GLOBALCONF},
		{"FI/private-params.xml", "yyy", SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "{", SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "[]", SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "{\"configurationVersion\":\"7\"}",
		 SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "{\"configurationVersion\":\"x\"}",
		 SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "{\"expirationDate\":\"tomorrow\"}",
		 SLT_EMALFORMED_GLOBALCONF},
		{"FI/shared-params.xml.metadata", "{\"expirationDate\":7}",
		 SLT_EMALFORMED_GLOBALCONF},
		{"FI/private-params.xml.metadata", "?", SLT_EMALFORMED_GLOBALCONF},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		fill();
		assert_int_equal(load(NULL), SLT_OK);
		put(bad[i].file, bad[i].text);
		if (load(NULL) != bad[i].code) {
			fail_msg("%s: %s", bad[i].file, bad[i].text);
		}
	}
}

static void damaged_foreign(void **state)
{
	static const struct {
		const char *file, *text;
	} bad[] = {
		{"EE/shared-params.xml", "xxx"},
		{"EE/shared-params.xml.metadata", "{"},
		{"EE/shared-params.xml.metadata", "{}"}, /* no date */
		{"EE/shared-params.xml.metadata",
		 "{\"expirationDate\":\"2026-11-23T15:59:59Z\",\"configurationVersion\":\"6\"}"},
		{"EE/shared-params.xml.metadata",
		 "{\"expirationDate\":\"2030-01-01T00:00:00Z\",\"configurationVersion\":\"9\"}"},
	};

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(bad); i++) {
		char *warnings = NULL;
		fill();
		put(bad[i].file, bad[i].text);
		assert_int_equal(load(&warnings), SLT_OK);
		assert_non_null(warnings);
		assert_non_null(strstr(warnings, "instance EE is left out"));
		free(warnings);
		assert_int_equal(held("EE"), 0);
		assert_int_equal(held("FI"), 100);
	}
}

/* A foreign directory cannot speak for an instance of another name. */
static void misplaced_foreign(void **state)
{
	char *from = slt_asprintf("%s/EE", f.cache), *to = slt_asprintf("%s/LV", f.cache);
	char *warnings = NULL;

	(void)state;
	fill();
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(load(&warnings), SLT_OK);
	assert_non_null(strstr(warnings, "describes instance EE, not LV"));
	assert_int_equal(held("EE"), 0);
	free(warnings);
	free(from);
	free(to);
}

static void own_expires_with_its_first_file(void **state)
{
	const struct slt_gc_load_options o = {.now_ms = PKI_NOW};
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	fill();
	put("FI/private-params.xml.metadata", "{\"expirationDate\":\"2026-11-23T16:05:00Z\"}");
	assert_true(slt_globalconf_load(f.cache, &o, &gc, NULL, &err));
	assert_true(slt_globalconf_check_valid(gc, PKI_NOW + 5 * MINUTE, &err));
	assert_false(slt_globalconf_check_valid(gc, PKI_NOW + 5 * MINUTE + 1, &err));
	assert_int_equal(err.code, SLT_EOUTDATED_GLOBALCONF);
	slt_globalconf_free(gc);
}

static void instance_names_as_directories(void **state)
{
	struct conf c = FI;
	struct slt_gc_fetch_result r;
	struct slt_anchor_source source = {
		.url = "http://cs.fi/internalconf", .certs = &f.cert[0]->x509, .n_certs = 1};
	const struct slt_anchor anchor = {
		.instance = "FI test & \xc3\x84", .sources = &source, .n_sources = 1};
	const struct slt_gc_fetch o = {
		.anchor = &anchor, .dir = f.cache, .fetch = get, .now_ms = PKI_NOW};
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	c.instance = anchor.instance;
	publish(&c);
	if (!slt_globalconf_fetch(&o, &r, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_true(in_cache("FI+test+%26+%C3%84/shared-params.xml"));
	assert_int_equal(held(anchor.instance), 100);
}

/* A reader during many rounds: what it loads is always one configuration, whole. */
static void whole_or_not_at_all(void **state)
{
	const struct slt_gc_load_options o = {.now_ms = PKI_NOW};
	struct conf c = FI;
	int status = 0;
	unsigned loads = 0;

	(void)state;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		for (int i = 1; i <= 100; i++) {
			c.freshness = 100 + i;
			c.expires_ms = PKI_NOW + 10 * MINUTE + i * 1000;
			publish(&c);
			if (fetch() != SLT_OK) {
				_exit(1);
			}
		}
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		struct slt_globalconf *gc = NULL;
		struct slt_err err = SLT_ERR_INIT;
		struct slt_gc_info info;
		if (!slt_globalconf_load(f.cache, &o, &gc, NULL, &err)) {
			fail_msg("%s", err.msg);
		}
		slt_gc_instance_info(slt_globalconf_instance_at(gc, 0), &info);
		assert_int_equal(info.expires_ms,
				 PKI_NOW + 10 * MINUTE + (info.ocsp_freshness_s - 100) * 1000);
		slt_globalconf_free(gc);
		loads++;
	}
	assert_int_equal(status, 0);
	assert_true(loads > 0);
	assert_int_equal(held("FI"), 200);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(fetches_and_loads),
		CASE(unchanged_parts_stay),
		CASE(older_versions),
		CASE(parts_beside_the_directory),
		CASE(rotated_key),
		CASE(older_is_refused),
		CASE(another_address_may_be_newer),
		CASE(wrong_directories),
		CASE(wrong_version),
		CASE(wrong_parts),
		CASE(signed_nonsense),
		CASE(silent_or_broken_sources),
		CASE(cache_of_another),
		CASE(one_at_a_time),
		CASE(filters),
		CASE(foreign_failure_is_a_warning),
		CASE(no_longer_wanted),
		CASE(damaged_own),
		CASE(damaged_foreign),
		CASE(misplaced_foreign),
		CASE(own_expires_with_its_first_file),
		CASE(instance_names_as_directories),
		CASE(whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
