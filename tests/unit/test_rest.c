/* SPDX-License-Identifier: MIT */
/* Reading REST heads. What is made of them: test_rest_build.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "federation/rest.h"

#define CLIENT	"x-road-client:EE/COM/1/apteek\r\n"
#define IDS	"x-road-request-id:r-1\r\nx-road-id:EE-1\r\n"
#define LINE	"GET\r\n/r1/FI/GOV/2/kanta/reseptit"
#define REQUEST LINE "\r\n" CLIENT IDS
#define ANSWER                                                                                     \
	"200\r\nOK\r\nx-road-id:EE-1\r\nx-road-client:EE/COM/1/apteek\r\n"                         \
	"x-road-service:FI/GOV/2/kanta/reseptit\r\nx-road-request-id:r-1\r\n"
#define HASH "x-road-request-hash:YWJj\r\n"

static struct slt_rest *good(const char *text)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_rest *r = NULL;

	if (!slt_rest_parse(text, strlen(text), &r, &err)) {
		fail_msg("%s: %s", text, err.msg);
	}
	return r;
}

static void refuse_bytes(const char *p, size_t n, enum slt_code code, const char *word)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_rest *r = NULL;

	if (slt_rest_parse(p, n, &r, &err)) {
		fail_msg("%s was taken", p);
	}
	assert_null(r);
	if (err.code != code || !strstr(err.msg, word)) {
		fail_msg("%s: code %d, \"%s\" does not say %s", p, (int)err.code, err.msg, word);
	}
}

static void refuse(const char *text, enum slt_code code, const char *word)
{
	refuse_bytes(text, strlen(text), code, word);
}

/* --- requests --- */

static void test_request(void **state)
{
	(void)state;
	SLT_AUTO(slt_rest_free)
	struct slt_rest *r = good("PATCH\r\n/r1/FI/GOV/2%2F3/kanta/reseptit/a%2Fb//c?x=[1]&y=/?\r\n"
				  "Accept:text/plain\r\nX-Empty:\r\n"
				  "X-Road-Client:EE/COM/1%3A/apteek%20a\r\nX-ROAD-ID:EE-1\r\n"
				  "X-Road-Security-Server:FI/GOV/2/ss%2F1\r\n"
				  "X-Road-Represented-Party:COM/a%2Fb\r\n"
				  "x-road-userId:EE123\r\nx-road-issue:a b\r\n"
				  "accept:text/html\r\nx-road-request-id:r-1\r\n");

	assert_false(r->response);
	assert_string_equal(r->verb, "PATCH");
	assert_string_equal(r->path, "/r1/FI/GOV/2%2F3/kanta/reseptit/a%2Fb//c");
	assert_string_equal(r->query, "x=[1]&y=/?");
	assert_string_equal(r->service_path, "/a%2Fb//c");
	assert_string_equal(r->service.member_code, "2/3");
	assert_string_equal(r->service.service, "reseptit");
	assert_string_equal(r->client.member_code, "1:");
	assert_string_equal(r->client.subsystem, "apteek a");
	assert_string_equal(r->server.server, "ss/1");
	assert_string_equal(r->party_class, "COM");
	assert_string_equal(r->party_code, "a/b");
	assert_string_equal(r->id, "EE-1");
	assert_string_equal(r->request_id, "r-1");
	assert_string_equal(r->user_id, "EE123");
	assert_string_equal(r->issue, "a b");
	assert_int_equal(r->n_headers, 10);
	assert_string_equal(slt_rest_header(r, "ACCEPT"), "text/plain");
	assert_string_equal(slt_rest_header(r, "x-empty"), "");
	assert_null(slt_rest_header(r, "x-other"));
}

static void test_request_shortest(void **state)
{
	(void)state;
	static const char *const verbs[] = {"DELETE", "GET",  "HEAD", "OPTIONS",
					    "PATCH",  "POST", "PUT",  "TRACE"};

	for (size_t i = 0; i < SLT_COUNT(verbs); i++) {
		SLT_AUTO_BUF(b, 1000);
		slt_buf_addf(&b, "%s\r\n/r1/FI/GOV/2/s/x\r\nx-road-client:EE/COM/1\r\n", verbs[i]);
		SLT_AUTO(slt_rest_free) struct slt_rest *r = good(slt_buf_str(&b).p);
		assert_null(r->query);
		assert_string_equal(r->service_path, "");
		assert_int_equal(r->client.type, SLT_ID_MEMBER);
		assert_int_equal(r->server.type, SLT_ID_NONE);
		assert_null(r->id);
		assert_null(r->request_id);
		assert_null(r->party_code);
		assert_null(r->user_id);
	}
	SLT_AUTO(slt_rest_free) struct slt_rest *r = good("GET\r\n/r1/a/b/c/d/e?\r\n" CLIENT);
	assert_string_equal(r->query, "");
	SLT_AUTO(slt_rest_free) struct slt_rest *slash = good("GET\r\n/r1/a/b/c/d/e/\r\n" CLIENT);
	assert_string_equal(slash->service_path, "/");
	SLT_AUTO(slt_rest_free)
	struct slt_rest *party = good(LINE "\r\n" CLIENT "x-road-represented-party:7\r\n");
	assert_null(party->party_class);
	assert_string_equal(party->party_code, "7");
}

static void test_verbs_refused(void **state)
{
	(void)state;
	static const char *const verbs[] = {"get", "GET ", " GET", "CONNECT",
					    "G",   "GETS", "",	   "G\tT"};

	for (size_t i = 0; i < SLT_COUNT(verbs); i++) {
		SLT_AUTO_BUF(b, 1000);
		slt_buf_addf(&b, "%s\r\n/r1/FI/GOV/2/s/x\r\n" CLIENT, verbs[i]);
		refuse(slt_buf_str(&b).p, SLT_EINVALID_HTTP_METHOD, "method");
	}
}

static void test_paths_refused(void **state)
{
	(void)state;
	static const struct {
		const char *path, *word;
	} cases[] = {
		{"", "/r1/"},
		{"/", "/r1/"},
		{"r1/FI/GOV/2/s/x", "/r1/"},
		{"/r2/FI/GOV/2/s/x", "/r1/"},
		{"/r11/FI/GOV/2/s/x", "/r1/"},
		{"/R1/FI/GOV/2/s/x", "/r1/"},
		{"//r1/FI/GOV/2/s/x", "/r1/"},
		{"http://host/r1/FI/GOV/2/s/x", "/r1/"},
		{"/%72%31/FI/GOV/2/s/x", "/r1/"},
		{"/r1/", "names no service"},
		{"/r1/FI/GOV/2/s", "lacks"},
		{"/r1/FI/GOV/2//x", "SUBSYSTEM"},
		{"/r1//GOV/2/s/x", "empty"},
		{"/r1/FI/GOV/2/s/", "empty"},
		{"/r1/FI/GOV/2/s//x", "empty"},
		{"/r1/FI/GOV/%00/s/x", "NUL"},
		{"/r1/FI/GOV/%0a/s/x", "control"},
		{"/r1/FI/GOV/%ff/s/x", "UTF-8"},
		{"/r1/FI/GOV/%4/s/x", "hexadecimal"},
		{"/r1/FI/GOV/2/s/x/%", "hexadecimal"},
		{"/r1/FI/GOV/2/s/x/%zz", "hexadecimal"},
		{"/r1/FI/GOV/2/s/x?a=%1", "hexadecimal"},
		{"/r1/FI/GOV/2/s/x#part", "percent-encoded"},
		{"/r1/FI/GOV/2/s/x?a#part", "percent-encoded"},
		{"/r1/FI/GOV/2/s/x y", "percent-encoded"},
		{"/r1/FI/GOV/2/s/x\ty", "percent-encoded"},
		{"/r1/FI/GOV/2/s/x\\y", "percent-encoded"},
		{"/r1/FI/GOV/2/s/x/[1]", "percent-encoded"},
		{"/r1/FI/GOV/2/s/x/\"", "percent-encoded"},
		{"/r1/FI/GOV/2/s/x/{id}", "percent-encoded"},
		{"/r1/FI/GOV/2/s/x/\xc3\xa4", "percent-encoded"},
	};

	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		SLT_AUTO_BUF(b, 1000);
		slt_buf_addf(&b, "GET\r\n%s\r\n" CLIENT, cases[i].path);
		refuse(slt_buf_str(&b).p, SLT_EINVALID_REQUEST, cases[i].word);
	}
}

static void test_clients_refused(void **state)
{
	(void)state;
	static const char *const values[] = {"",	 "EE",	      "EE/COM",	   "EE/COM/1/a/b",
					     "EE//1",	 "EE/COM/%0", "EE/COM/1/", "EE/COM/%00",
					     "/EE/COM/1"};

	refuse(LINE "\r\n", SLT_EINVALID_CLIENT_IDENTIFIER, "missing");
	refuse(LINE "\r\nx-road-clien:EE/COM/1\r\n", SLT_EINVALID_CLIENT_IDENTIFIER, "missing");
	for (size_t i = 0; i < SLT_COUNT(values); i++) {
		SLT_AUTO_BUF(b, 1000);
		slt_buf_addf(&b, LINE "\r\nx-road-client:%s\r\n", values[i]);
		refuse(slt_buf_str(&b).p, SLT_EINVALID_CLIENT_IDENTIFIER, "x-road-client");
	}
}

static void test_other_fields_refused(void **state)
{
	(void)state;
	refuse(REQUEST "x-road-security-server:FI/GOV/2\r\n", SLT_EINVAL, "security-server");
	refuse(REQUEST "x-road-security-server:FI/GOV/2/s/1\r\n", SLT_EINVAL, "security-server");
	refuse(REQUEST "x-road-represented-party:\r\n", SLT_EINVALID_MESSAGE, "party");
	refuse(REQUEST "x-road-represented-party:a/\r\n", SLT_EINVALID_MESSAGE, "party");
	refuse(REQUEST "x-road-represented-party:/b\r\n", SLT_EINVALID_MESSAGE, "party");
	refuse(REQUEST "x-road-represented-party:a/b/c\r\n", SLT_EINVALID_MESSAGE, "party");
	refuse(REQUEST "x-road-represented-party:%00\r\n", SLT_EINVALID_MESSAGE, "party");
	refuse(REQUEST "x-road-represented-party:%a\r\n", SLT_EINVALID_MESSAGE, "party");
	refuse(LINE "\r\n" CLIENT "X-Road-Request-Id:r\r\n", SLT_EINVALID_MESSAGE, "small letters");
}

static void test_duplicates_refused(void **state)
{
	(void)state;
	static const char *const lines[] = {
		CLIENT,
		"X-Road-Client:EE/COM/1/apteek\r\n",
		"X-Road-Id:EE-2\r\n",
		"X-Road-Request-Id:r-1\r\n",
		"x-road-request-id:r-1\r\n",
		"x-road-issue:1\r\nX-Road-Issue:1\r\n",
		"x-road-userid:1\r\nx-road-userid:2\r\n",
		"x-road-represented-party:1\r\nX-Road-Represented-Party:1\r\n",
		"x-road-security-server:a/b/c/d\r\nX-road-security-server:a/b/c/d\r\n"};

	for (size_t i = 0; i < SLT_COUNT(lines); i++) {
		SLT_AUTO_BUF(b, 1000);
		slt_buf_addf(&b, REQUEST "%s", lines[i]);
		refuse(slt_buf_str(&b).p, SLT_EDUPLICATE_HEADER_FIELD, "twice");
	}
	refuse(ANSWER HASH HASH, SLT_EDUPLICATE_HEADER_FIELD, "twice");
	refuse(ANSWER HASH "X-ROAD-ID:x\r\n", SLT_EDUPLICATE_HEADER_FIELD, "twice");
	refuse(ANSWER HASH CLIENT, SLT_EDUPLICATE_HEADER_FIELD, "twice");
}

/* --- form --- */

static void test_lines_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *word;
	} cases[] = {
		{"GET", "CRLF"},
		{"GET\r\n", "CRLF"},
		{"GET\n/r1/a/b/c/d/e\n", "CRLF"},
		{"GET\r\n/r1/a/b/c/d/e", "CRLF"},
		{LINE "\n" CLIENT, "CRLF"},
		{REQUEST "a:b", "CRLF"},
		{REQUEST "a:b\n", "CRLF"},
		{REQUEST "a:b\r", "CRLF"},
		{REQUEST "a:b\rc:d\r\n", "control"},
		{REQUEST "a:b\r\r\n", "control"},
		{REQUEST "\r\n", "Name:value"},
		{REQUEST "a\r\n", "Name:value"},
		{REQUEST ":b\r\n", "Name:value"},
		{REQUEST "a b:c\r\n", "Name:value"},
		{REQUEST "a :c\r\n", "Name:value"},
		{REQUEST " a:c\r\n", "Name:value"},
		{REQUEST "a(b):c\r\n", "Name:value"},
		{REQUEST "\xc3\xa4:c\r\n", "Name:value"},
		{REQUEST "a: b\r\n", "blank"},
		{REQUEST "a:b \r\n", "blank"},
		{REQUEST "a:\tb\r\n", "blank"},
		{REQUEST "a:b\x01\r\n", "UTF-8"},
		{REQUEST "a:\x7f\r\n", "UTF-8"},
		{REQUEST "a:\xff\r\n", "UTF-8"},
		{REQUEST "a:\xed\xa0\x80\r\n", "UTF-8"},
	};

	for (size_t i = 0; i < SLT_COUNT(cases); i++) {
		refuse(cases[i].text, SLT_EINVALID_MESSAGE, cases[i].word);
	}
	refuse_bytes("", 0, SLT_EINVALID_MESSAGE, "empty");
	static const char nul[] = REQUEST "a:b\0c\r\n";
	refuse_bytes(nul, sizeof(nul) - 1, SLT_EINVALID_MESSAGE, "control");
}

static void test_connection_headers_refused(void **state)
{
	(void)state;
	static const char *const names[] = {"transfer-encoding",
					    "keep-alive",
					    "proxy-authenticate",
					    "proxy-authorization",
					    "te",
					    "trailer",
					    "upgrade",
					    "connection",
					    "user-agent",
					    "host",
					    "Content-Length",
					    "server",
					    "Expect"};

	for (size_t i = 0; i < SLT_COUNT(names); i++) {
		SLT_AUTO_BUF(b, 1000);
		slt_buf_addf(&b, REQUEST "%s:x\r\n", names[i]);
		refuse(slt_buf_str(&b).p, SLT_EINVALID_MESSAGE, "connection");
		slt_buf_reset(&b);
		slt_buf_addf(&b, ANSWER HASH "%s:x\r\n", names[i]);
		refuse(slt_buf_str(&b).p, SLT_EINVALID_MESSAGE, "connection");
	}
}

static void many(struct slt_buf *b, const char *start, size_t n, size_t length)
{
	slt_buf_adds(b, start);
	for (size_t i = 0; i < n; i++) {
		slt_buf_adds(b, "a:");
		for (size_t k = 2; k < length; k++) {
			slt_buf_addc(b, 'x');
		}
		slt_buf_adds(b, "\r\n");
	}
}

static void test_limits(void **state)
{
	(void)state;
	SLT_AUTO_BUF(b, 1u << 20);

	many(&b, REQUEST, SLT_REST_HEADERS_MAX - 3, 3);
	SLT_AUTO(slt_rest_free) struct slt_rest *full = good(slt_buf_str(&b).p);
	assert_int_equal(full->n_headers, SLT_REST_HEADERS_MAX);
	slt_buf_adds(&b, "a:b\r\n");
	refuse(slt_buf_str(&b).p, SLT_ELIMIT, "headers");
	slt_buf_reset(&b);
	many(&b, REQUEST, 1, SLT_REST_LINE_MAX);
	SLT_AUTO(slt_rest_free) struct slt_rest *longest = good(slt_buf_str(&b).p);
	assert_int_equal(longest->n_headers, 4);
	slt_buf_reset(&b);
	many(&b, REQUEST, 1, SLT_REST_LINE_MAX + 1);
	refuse(slt_buf_str(&b).p, SLT_ELIMIT, "longer");
	slt_buf_reset(&b);
	many(&b, REQUEST, 5, SLT_REST_LINE_MAX - 10);
	refuse(slt_buf_str(&b).p, SLT_ELIMIT, "longer");
}

/* --- answers --- */

static void test_answer(void **state)
{
	(void)state;
	SLT_AUTO(slt_rest_free)
	struct slt_rest *r = good("404\r\nNot Found\r\nX-Road-Service:a/b/c/d/e\r\n"
				  "X-Road-Id:EE-1\r\nX-Road-Client:EE/COM/1%2F/x\r\n"
				  "x-road-service:FI/GOV/2/kanta/reseptit\r\n"
				  "X-Road-Request-Id:r-1\r\nX-Road-Request-Hash:YWJj\r\n");

	assert_true(r->response);
	assert_int_equal(r->status, 404);
	assert_string_equal(r->reason, "Not Found");
	assert_string_equal(r->client.member_code, "1/");
	assert_string_equal(r->service.service, "reseptit"); /* the last one counts */
	assert_string_equal(r->id, "EE-1");
	assert_string_equal(r->request_id, "r-1");
	assert_string_equal(r->request_hash, "YWJj");
	SLT_AUTO(slt_rest_free)
	struct slt_rest *bare = good("204\r\n\r\nx-road-id:1\r\nx-road-request-hash:a\r\n" CLIENT);
	assert_string_equal(bare->reason, "");
	assert_int_equal(bare->service.type, SLT_ID_NONE);
	assert_null(bare->request_id);
}

static void test_answers_refused(void **state)
{
	(void)state;
	static const char *const statuses[] = {"1",   "100", "199", "20",     "2000",
					       "600", "999", "2x0", "200 OK", "20\t"};

	for (size_t i = 0; i < SLT_COUNT(statuses); i++) {
		SLT_AUTO_BUF(b, 1000);
		slt_buf_addf(&b, "%s\r\nOK\r\nx-road-id:1\r\n" CLIENT HASH, statuses[i]);
		refuse(slt_buf_str(&b).p, SLT_EINVALID_MESSAGE, "status");
	}
	refuse("000\r\nOK\r\n", SLT_EINVALID_HTTP_METHOD, "method");
	refuse("200\r\n", SLT_EINVALID_MESSAGE, "CRLF");
	refuse(ANSWER, SLT_EMISSING_HEADER_FIELD, "x-road-request-hash");
	refuse(ANSWER "x-road-request-hash:\r\n", SLT_EMISSING_HEADER_FIELD, "x-road-request-hash");
	refuse("200\r\nOK\r\n" CLIENT HASH, SLT_EMISSING_HEADER_FIELD, "x-road-id");
	refuse("200\r\nOK\r\nx-road-id:\r\n" CLIENT HASH, SLT_EMISSING_HEADER_FIELD, "x-road-id");
	refuse("200\r\nOK\r\nx-road-id:1\r\n" HASH, SLT_EINVALID_CLIENT_IDENTIFIER, "missing");
	refuse("200\r\nOK\r\nx-road-id:1\r\n" CLIENT HASH "x-road-service:a/b/c/d\r\n",
	       SLT_EINVALID_MESSAGE, "x-road-service");
	refuse("200\r\nOK\r\nx-road-id:1\r\n" CLIENT HASH "x-road-service:a/b/c/d/e/f\r\n",
	       SLT_EINVALID_MESSAGE, "x-road-service");
	refuse("200\r\nOK\r\nx-road-id:1\r\n" CLIENT HASH "x-road-service:a/b/c//e\r\n",
	       SLT_EINVALID_MESSAGE, "x-road-service");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_request_shortest),
		cmocka_unit_test(test_verbs_refused),
		cmocka_unit_test(test_paths_refused),
		cmocka_unit_test(test_clients_refused),
		cmocka_unit_test(test_other_fields_refused),
		cmocka_unit_test(test_duplicates_refused),
		cmocka_unit_test(test_lines_refused),
		cmocka_unit_test(test_connection_headers_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_answers_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
