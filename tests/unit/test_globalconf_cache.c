/* SPDX-License-Identifier: MIT */
/* Fetching into a cache: what is taken, what is refused, and that what was held stays. */
#include "globalconf_source.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

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
	publish(&c);
	assert_int_equal(fetch_as("none", PKI_NOW, &r), SLT_OK);
	assert_int_equal(r.n_downloaded, 1);
	assert_int_equal(held("FI"), 101);
	assert_false(in_cache("FI/private-params.xml"));
	assert_false(in_cache("FI/private-params.xml.metadata"));
}

/* Of the tables held; 0 when there are none. */
static int64_t tables_held(void)
{
	SLT_AUTO_STR char *text = NULL;
	size_t n = 0;
	long long v = 0;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_globalconf_read_mappings(f.cache, "FI", &text, &n, &err)) {
		assert_int_equal(err.code, SLT_EGC_HEADER_MISSING);
		assert_non_null(strstr(err.msg, "MAPPING-TABLES"));
		return 0;
	}
	assert_int_equal(sscanf(text, "tables %lld\n", &v), 1);
	return v;
}

static void tables_where_asked_for(void **state)
{
	struct conf c = FI;
	struct slt_err err = SLT_ERR_INIT;
	char *text = NULL;
	size_t n;

	(void)state;
	assert_int_equal(tables_held(), 0);
	c.tables = true;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(asked("http://cs.fi/V6/1/tables.zip"), 0);
	assert_int_equal(tables_held(), 0);
	f.mappings = true;
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(asked("http://cs.fi/V6/1/tables.zip"), 1);
	assert_int_equal(tables_held(), 100);
	assert_true(in_cache("FI/mapping-tables.zip.metadata"));
	/* kept while they do not change, given up when they are not asked for or not published */
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(asked("http://cs.fi/V6/1/tables.zip"), 0);
	assert_int_equal(tables_held(), 100);
	f.mappings = false;
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(tables_held(), 0);
	f.mappings = true;
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(tables_held(), 100);
	c.tables = false;
	c.expires_ms += MINUTE;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(tables_held(), 0);
	assert_false(slt_globalconf_read_mappings(f.cache, "../FI", &text, &n, &err));
}

/* They count as everything else that is signed: one that is wrong or missing, or an older one, and
 * the whole configuration stays as it was. */
static void wrong_tables(void **state)
{
	struct conf c = FI;

	(void)state;
	f.mappings = true;
	c.tables = true;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	c.freshness = 101;
	c.expires_ms += MINUTE;
	publish(&c);
	slt_buf_adds(at("http://cs.fi/V6/1/tables.zip"), "x");
	assert_int_equal(fetch(), SLT_EGC_INTEGRITY);
	assert_int_equal(tables_held(), 100);
	assert_int_equal(held("FI"), 100);
	serve(404, "http://cs.fi/V6/1/tables.zip");
	assert_int_equal(fetch(), SLT_EGC_DOWNLOAD);
	assert_int_equal(tables_held(), 100);
	serve(0, "http://cs.fi/V6/1/tables.zip");
	assert_int_equal(fetch(), SLT_ENETWORK);
	assert_int_equal(held("FI"), 100);
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	assert_int_equal(tables_held(), 101);
	/* shared parameters as they are, and older tables */
	serve(200, "http://cs.fi/V6/1/shared-params.xml");
	c.expires_ms -= 1000;
	publish(&c);
	assert_int_equal(fetch(), SLT_OK);
	c.freshness = 99;
	publish(&c);
	assert_int_equal(fetch(), SLT_EGC_ROLLBACK);
	assert_int_equal(tables_held(), 101);
}

/* An instance's tables are a matter of its own bridge. */
static void foreign_tables(void **state)
{
	struct conf c = FI, e = EE;
	struct slt_gc_fetch_result r = {.warnings = NULL};

	(void)state;
	f.mappings = true;
	c.federated = "EE";
	e.tables = true;
	publish(&c);
	publish(&e);
	assert_int_equal(fetch_as("all", PKI_NOW, &r), SLT_OK);
	assert_null(r.warnings);
	assert_int_equal(held("EE"), 200);
	assert_int_equal(asked("http://cs.ee/V6/1/tables.zip"), 0);
	assert_false(in_cache("EE/mapping-tables.zip"));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(fetches_and_loads),
		CASE(unchanged_parts_stay),
		CASE(tables_where_asked_for),
		CASE(wrong_tables),
		CASE(foreign_tables),
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
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
