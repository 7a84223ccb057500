/* SPDX-License-Identifier: MIT */
/* Making REST heads, rules about paths, and what joins an answer to its request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/rest.h"

#define HEAD                                                                                       \
	"POST\r\n/r1/FI/GOV/2/kanta/reseptit/a%20b?c=d\r\nAccept:*/*\r\n"                          \
	"x-road-client:EE/COM/1/apteek\r\nX-A:1\r\n"

static struct slt_rest *parse(const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_rest *r = NULL;

	if (!slt_rest_parse(text, strlen(text), &r, &err)) {
		fail_msg("%s: %s", text, err.msg);
	}
	return r;
}

static void expect(const struct slt_rest *r, const char *text)
{
	SLT_AUTO_BUF(b, SLT_REST_HEAD_MAX);

	slt_rest_format(r, &b);
	assert_string_equal(slt_buf_str(&b).p, text);
}

static void add(struct slt_rest *r, const char *name, const char *value)
{
	struct slt_err err = SLT_ERR_INIT;

	assert_true(slt_rest_add(r, name, value, &err));
}

/* --- making --- */

static void test_request_from_http(void **state)
{
	(void)state;
	SLT_AUTO(slt_rest_free)
	struct slt_rest *r = slt_rest_new_request("GET", "/r1/FI/GOV/2/kanta/reseptit/x", "a=b");

	add(r, "Host", "localhost");
	add(r, "User-Agent", "curl");
	add(r, "Accept", "a");
	add(r, "X-Road-Client", "EE/COM/1/apteek");
	add(r, "X-Road-Request-Id", "forged");
	add(r, "x-road-request-hash", "forged");
	add(r, "Content-Length", "0");
	add(r, "Accept", "b");
	slt_rest_end_request(r, "uuid", "EE-uuid");
	expect(r, "GET\r\n/r1/FI/GOV/2/kanta/reseptit/x?a=b\r\nAccept:a\r\n"
		  "X-Road-Client:EE/COM/1/apteek\r\nAccept:b\r\nx-road-request-id:uuid\r\n"
		  "x-road-id:EE-uuid\r\n");
}

static void test_own_id_is_kept(void **state)
{
	(void)state;
	SLT_AUTO(slt_rest_free)
	struct slt_rest *r = slt_rest_new_request("GET", "/r1/a/b/c/d/e", NULL);

	add(r, "X-Road-Id", "mine");
	slt_rest_end_request(r, "uuid", "EE-uuid");
	expect(r, "GET\r\n/r1/a/b/c/d/e\r\nX-Road-Id:mine\r\nx-road-request-id:uuid\r\n");
}

static void test_response_from_http(void **state)
{
	(void)state;
	SLT_AUTO(slt_rest_free)
	struct slt_rest *request = parse(HEAD "x-road-request-id:r-1\r\nx-road-id:EE 1\r\n");
	SLT_AUTO(slt_rest_free) struct slt_rest *r = slt_rest_new_response(404, "Not Found");
	struct slt_digest d = {.alg = SLT_SHA512, .n = 3, .v = "abc"};

	add(r, "Server", "x");
	add(r, "Content-Type", "text/plain");
	add(r, "x-road-id", "forged");
	add(r, "X-Road-Client", "forged");
	add(r, "x-road-request-hash", "forged");
	add(r, "x-road-service", "a/b/c/d/e");
	add(r, "Transfer-Encoding", "chunked");
	slt_rest_end_response(r, request, &d);
	expect(r, "404\r\nNot Found\r\nContent-Type:text/plain\r\nx-road-id:EE 1\r\n"
		  "x-road-client:EE/COM/1/apteek\r\nx-road-service:FI/GOV/2/kanta/reseptit\r\n"
		  "x-road-request-id:r-1\r\nx-road-request-hash:YWJj\r\n");
}

static void test_too_many_headers(void **state)
{
	(void)state;
	SLT_AUTO(slt_rest_free) struct slt_rest *r = slt_rest_new_response(200, "OK");
	struct slt_err err = SLT_ERR_INIT;
	bool ok = true;

	for (size_t i = 0; i < SLT_REST_HEADERS_MAX && ok; i++) {
		ok = slt_rest_add(r, "a", "b", &err);
	}
	assert_false(ok);
	assert_int_equal(err.code, SLT_ELIMIT);
	assert_true(slt_rest_add(r, "Host", "not counted", &err));
}

/* Whoever sends as many headers as are taken is passed on, or refused: nothing else happens. */
static void test_full_head(void **state)
{
	(void)state;
	SLT_AUTO_BUF(b, SLT_REST_HEAD_MAX);
	SLT_AUTO_BUF(passed, SLT_REST_HEAD_MAX);
	struct slt_rest *back = NULL;
	struct slt_err err = SLT_ERR_INIT;

	slt_buf_adds(&b, "GET\r\n/r1/FI/GOV/2/kanta/x\r\nx-road-client:EE/COM/1/apteek\r\n");
	for (size_t i = 1; i < SLT_REST_HEADERS_MAX; i++) {
		slt_buf_adds(&b, "a:b\r\n");
	}
	SLT_AUTO(slt_rest_free) struct slt_rest *r = parse(slt_buf_str(&b).p);
	assert_int_equal(r->n_headers, SLT_REST_HEADERS_MAX);
	slt_rest_set(r, "x-road-security-server", "FI/GOV/2/server");
	slt_rest_set_party(r, "COM", "1");
	slt_rest_end_request(r, "uuid", "id");
	slt_rest_format(r, &passed);
	assert_false(slt_rest_parse(passed.p, passed.n, &back, &err));
	assert_int_equal(err.code, SLT_ELIMIT);
}

static void test_rewriting(void **state)
{
	(void)state;
	SLT_AUTO(slt_rest_free)
	struct slt_rest *r =
		parse(HEAD "x-road-id:1\r\nX-Road-Security-Server:FI/GOV/2/s\r\nx-a:2\r\n");
	struct slt_id service = {.type = SLT_ID_SERVICE,
				 .instance = "EE",
				 .member_class = "GOV",
				 .member_code = "7 / 8",
				 .subsystem = "re\xc3\xb5",
				 .service = "(x)"};

	slt_rest_set_service(r, &service);
	slt_rest_set(r, "X-ROAD-CLIENT", "FI/GOV/9/silta");
	slt_rest_set(r, "x-road-security-server", NULL);
	slt_rest_set(r, "x-a", "3");
	slt_rest_set(r, "x-road-userid", "EE1");
	slt_rest_set_party(r, "C/M", "1");
	slt_rest_end_request(r, "r-2", "unused");
	expect(r, "POST\r\n/r1/EE/GOV/7%20%2F%208/re%C3%B5/(x)/a%20b?c=d\r\nAccept:*/*\r\n"
		  "x-road-client:FI/GOV/9/silta\r\nX-A:3\r\nx-road-id:1\r\nx-road-userid:EE1\r\n"
		  "x-road-represented-party:C%2FM/1\r\nx-road-request-id:r-2\r\n");
	slt_rest_set_party(r, NULL, "2");
	assert_string_equal(slt_rest_header(r, "x-road-represented-party"), "2");
	slt_rest_set_party(r, NULL, NULL);
	assert_null(slt_rest_header(r, "x-road-represented-party"));
	assert_string_equal(r->service_path, "/a%20b");
}

/* What was read is written back byte for byte. */
static void test_canonical(void **state)
{
	(void)state;
	static const char *const texts[] = {
		HEAD "x-road-id:1\r\n",
		"GET\r\n/r1/a/b/c/d/e?\r\nx-road-client:a/b/c\r\nEmpty:\r\nx:a: b\r\n",
		"299\r\n\r\nx-road-client:a/b/c\r\nx-road-id:1\r\nx-road-request-hash:a\r\n",
	};

	for (size_t i = 0; i < SLT_COUNT(texts); i++) {
		SLT_AUTO(slt_rest_free) struct slt_rest *r = parse(texts[i]);
		expect(r, texts[i]);
	}
}

/* --- paths --- */

static bool taken(const char *path, bool strict)
{
	struct slt_err err = SLT_ERR_INIT;
	bool ok = slt_rest_check_path(path, strict, &err);

	assert_true(ok || err.code == SLT_EINVALID_REQUEST);
	return ok;
}

static void test_paths(void **state)
{
	(void)state;
	static const char *const good[] = {"",	      "/",	"/a",	  "/a/",   "/a/b%20c",
					   "/...",    "/.a",	"/a..",	  "/a;b",  "/%25",
					   "/%C3%A4", "/..a;b", "/a%2Eb", "/a=b&c"};
	static const char *const strict[] = {"//a",	"/a//b", "/a/%2Fb", "/a%2fb", "/a%5Cb",
					     "/a%5cb",	"/%09",	 "/%7F",    "/%252e", "/%252F",
					     "/a/;b/c", "/;",	 "/%1b",    "//"};
	static const char *const never[] = {
		"a",	   ".",	      "/.",    "/..", "/a/../b",   "/./a",     "/%2e",	 "/%2E%2e",
		"/.%2e/a", "/a/.%2E", "/..;a", "/.;", "/a/..;x/b", "/%2e%2e;", "/a%00b", "/%2e./"};

	for (size_t i = 0; i < SLT_COUNT(good); i++) {
		if (!taken(good[i], true) || !taken(good[i], false)) {
			fail_msg("%s was refused", good[i]);
		}
	}
	for (size_t i = 0; i < SLT_COUNT(strict); i++) {
		if (taken(strict[i], true) || !taken(strict[i], false)) {
			fail_msg("%s is for lax only", strict[i]);
		}
	}
	for (size_t i = 0; i < SLT_COUNT(never); i++) {
		if (taken(never[i], true) || taken(never[i], false)) {
			fail_msg("%s was taken", never[i]);
		}
	}
}

static void test_patterns(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path;
		bool fits;
	} cases[] = {
		{"", "", true},
		{"", "/", false},
		{"", "/a", false},
		{"/", "/", true},
		{"/", "", false},
		{"/", "/a", false},
		{"/a", "/a", true},
		{"/a", "/%61", true},
		{"/%61", "/a", true},
		{"/a", "/A", false},
		{"/a", "/ab", false},
		{"/a", "/a/", false},
		{"/a", "/a/b", false},
		{"/a/b", "/a", false},
		{"/a/*", "/a/b", true},
		{"/a/*", "/a/b/c", true},
		{"/a/*", "/a/b/", true},
		{"/a/*", "/a/%2A", true},
		{"/a/*", "/a", false},
		{"/a/*", "/a/", false},
		{"/a/*", "/ab/c", false},
		{"/a/*", "/b/a", false},
		{"/a/%2A", "/a/b", false},
		{"/*", "/a", true},
		{"/*", "", false},
		{"/*", "/", false},
		{"/a/*/c", "/a/b/c", true},
		{"/a/*/c", "/a/c", false},
		{"/a/*/c", "/a//c", false},
		{"/a/*/c", "/a/b/b/c", false},
		{"/a/*/c", "/a/b/d", false},
		{"/a/*/*", "/a/b", false},
		{"/a/*/*", "/a/b/c/d", true},
		{"/a*", "/ab", false},
	};

	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		if (slt_rest_path_fits(cases[i].path, cases[i].pattern) != cases[i].fits) {
			fail_msg("pattern \"%s\", path \"%s\"", cases[i].pattern, cases[i].path);
		}
	}
}

static void test_query_values(void **state)
{
	static const struct {
		const char *query, *value;
	} cases[] = {
		{NULL, NULL},	  {"", NULL},
		{"a", NULL},	  {"a=", ""},
		{"a=1", "1"},	  {"A=1", "1"},
		{"b=2&a=1", "1"}, {"b=2&a=1&c=3", "1"},
		{"a=1&a=2", "2"}, {"aa=1", NULL},
		{"b=a=1", NULL},  {"a=b=1", "b=1"},
		{"&&a=1&&", "1"}, {"a=%C3%A4+%2B", "ä +"},
		{"a=%", NULL},	  {"a=%4", NULL},
		{"a=%zz", NULL},  {"a=1&a=%zz", NULL},
		{"a=%00", NULL},  {"a=x%00y", NULL},
	};
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();

	(void)state;
	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		const char *v = slt_rest_query_value(cases[i].query, "a", a);
		bool same =
			v && cases[i].value ? strcmp(v, cases[i].value) == 0 : v == cases[i].value;
		if (!same) {
			fail_msg("\"%s\": %s", cases[i].query, v ? v : "none");
		}
	}
}

/* --- rules --- */

static struct slt_message *message(enum slt_digest_alg alg, const char *body)
{
	struct slt_message *m = slt_message_new(SLT_REST);
	struct slt_err err = SLT_ERR_INIT;

	m->digest_alg = alg;
	slt_message_set_head(m, "abc", 3);
	if (body) {
		struct slt_spool *s = slt_spool_new(NULL, 1000, 1000);
		assert_true(slt_spool_write(s, body, strlen(body), &err));
		assert_true(slt_message_attach(m, SLT_REST_TYPE_BODY, "", s, &err));
	}
	return m;
}

static void hash_is(enum slt_digest_alg alg, const char *body, const char *hex)
{
	SLT_AUTO(slt_message_free) struct slt_message *m = message(alg, body);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_digest d;
	SLT_AUTO_BUF(b, 256);

	assert_true(slt_rest_request_hash(m, &d, &err));
	slt_buf_add_hex(&b, d.v, d.n);
	assert_string_equal(slt_buf_str(&b).p, hex);
}

/* The expected values are those of sha512sum. */
#define HASH_ABC                                                                                   \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                         \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
#define HASH_ABC_EMPTY                                                                             \
	"7101c211afa9376986825a4aaf21922c4f4d00dba9a63f9cf5f690cc40c40deb"                         \
	"903bdd65a2c0950fe01372022a260b6e0924f2e8a33da96f323fe41a94f2fbff"
#define HASH_ABC_DEF                                                                               \
	"68130ebe7380325f1419667fd132707bead627e71d66ef6e3f4c44671b5bf6e6"                         \
	"e135236314ab2d1a29a89769a37ecba8457a802b995a434f7c777b828d6fc812"
static void test_request_hash(void **state)
{
	(void)state;
	hash_is(SLT_SHA512, NULL, HASH_ABC);
	hash_is(SLT_SHA256, NULL, HASH_ABC);
	hash_is(SLT_SHA512, "", HASH_ABC_EMPTY);
	hash_is(SLT_SHA512, "def", HASH_ABC_DEF);
	hash_is(SLT_SHA256, "def", HASH_ABC_DEF);
}

#define ANSWER(status, id, client, service, request_id, hash)                                      \
	status "\r\n\r\nx-road-id:" id "\r\nx-road-client:" client "\r\nx-road-service:" service   \
	       "\r\nx-road-request-id:" request_id "\r\nx-road-request-hash:" hash "\r\n"
#define C "EE/COM/1/apteek"
#define S "FI/GOV/2/kanta/reseptit"

static void test_check_answer(void **state)
{
	(void)state;
	static const struct {
		const char *answer, *word;
	} cases[] = {
		{ANSWER("200", "1", C, S, "r-1", "YWJj"), NULL},
		{ANSWER("500", "1", C, S, "r-1", "YWJj"), NULL},
		{ANSWER("200", "1", "EE/COM/1/%61pteek", S, "r-1", "YWJj"), NULL},
		{ANSWER("200", "2", C, S, "r-1", "YWJj"), "x-road-id"},
		{ANSWER("200", "1 1", C, S, "r-1", "YWJj"), "x-road-id"},
		{ANSWER("200", "1", "EE/COM/1", S, "r-1", "YWJj"), "x-road-client"},
		{ANSWER("200", "1", "EE/COM/1/Apteek", S, "r-1", "YWJj"), "x-road-client"},
		{ANSWER("200", "1", "EE/COM/2/apteek", S, "r-1", "YWJj"), "x-road-client"},
		{ANSWER("200", "1", C, "FI/GOV/2/kanta/Reseptit", "r-1", "YWJj"), "x-road-service"},
		{ANSWER("200", "1", C, "FI/GOV/2/kela/reseptit", "r-1", "YWJj"), "x-road-service"},
		{ANSWER("200", "1", C, S, "r-2", "YWJj"), "x-road-request-id"},
		{ANSWER("200", "1", C, S, "", "YWJj"), "x-road-request-id"},
		{ANSWER("200", "1", C, S, "r-1", "YWJk"), "x-road-request-hash"},
		{ANSWER("200", "1", C, S, "r-1", "YWI="), "x-road-request-hash"},
		{ANSWER("200", "1", C, S, "r-1", "!"), "x-road-request-hash"},
		{"200\r\n\r\nx-road-id:1\r\nx-road-client:" C "\r\nx-road-service:" S
		 "\r\nx-road-request-hash:YWJj\r\n",
		 "x-road-request-id"},
		{"200\r\n\r\nx-road-id:1\r\nx-road-client:" C "\r\nx-road-request-id:r-1\r\n"
		 "x-road-request-hash:YWJj\r\n",
		 "x-road-service"},
		{HEAD "x-road-id:1\r\nx-road-request-id:r-1\r\n", "status"},
	};
	struct slt_digest d = {.alg = SLT_SHA512, .n = 3, .v = "abc"};
	SLT_AUTO(slt_rest_free)
	struct slt_rest *request = parse(HEAD "x-road-id:1\r\nx-road-request-id:r-1\r\n");

	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		SLT_AUTO(slt_rest_free) struct slt_rest *answer = parse(cases[i].answer);
		struct slt_err err = SLT_ERR_INIT;
		bool ok = slt_rest_check_answer(request, &d, answer, &err);
		if (ok != !cases[i].word) {
			fail_msg("%s: %s", cases[i].answer, ok ? "was taken" : err.msg);
		}
		if (!ok) {
			assert_int_equal(err.code, SLT_EINCONSISTENT_RESPONSE);
			assert_int_equal(err.n_prefix, 0);
			assert_non_null(strstr(err.msg, cases[i].word));
		}
	}
}

static void test_faults(void **state)
{
	(void)state;
	assert_int_equal(slt_rest_fault_status("server.clientproxy.x", SLT_DIALECT_SNAKE), 500);
	assert_int_equal(slt_rest_fault_status("Server.ClientProxy.X", SLT_DIALECT_SNAKE), 400);
	assert_int_equal(slt_rest_fault_status("Server.ClientProxy.X", SLT_DIALECT_CAMEL), 500);
	assert_int_equal(slt_rest_fault_status("server.clientproxy.x", SLT_DIALECT_CAMEL), 400);
	assert_int_equal(slt_rest_fault_status("client.x", SLT_DIALECT_SNAKE), 400);
	assert_int_equal(slt_rest_fault_status("server", SLT_DIALECT_SNAKE), 400);
	assert_int_equal(slt_rest_fault_status("", SLT_DIALECT_SNAKE), 400);
}

static void test_accept(void **state)
{
	(void)state;
	static const char *const xml[] = {
		"text/xml",	  "application/xml",	  "text/*",
		"Text/XML;q=0.1", "a/b, application/xml", "a/b,text/* ; q=1,c/d"};
	static const char *const json[] = {"",
					   "*/*",
					   "application/json",
					   "text/html",
					   "application/xml+fhir",
					   "xtext/xml",
					   "a/b;x=text/xml"};

	assert_false(slt_rest_wants_xml(NULL));
	for (size_t i = 0; i < SLT_COUNT(xml); i++) {
		assert_true(slt_rest_wants_xml(xml[i]));
	}
	for (size_t i = 0; i < SLT_COUNT(json); i++) {
		assert_false(slt_rest_wants_xml(json[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_from_http),
		cmocka_unit_test(test_own_id_is_kept),
		cmocka_unit_test(test_response_from_http),
		cmocka_unit_test(test_too_many_headers),
		cmocka_unit_test(test_full_head),
		cmocka_unit_test(test_rewriting),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_query_values),
		cmocka_unit_test(test_request_hash),
		cmocka_unit_test(test_check_answer),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
