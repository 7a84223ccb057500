/* SPDX-License-Identifier: MIT */
/* Server and client against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "client.h"
#include "http_fixture.h"
#include "tests/support/pki.h"

static _Atomic unsigned connections_taken;

/* --- fixture ------------------------------------------------------------------------------ */

static char dir[] = "/tmp/silta-http-XXXXXX";
static struct slt_server *plain, *tls;
static struct slt_client *client;
static struct slt_client_tls *identity;
static char *cert_pem, *key_pem;

static char *path(const char *name)
{
	return slt_path_join(dir, name);
}

static int setup(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	SLT_AUTO(pki_cert_free) struct pki_cert *ca = pki_ca(NULL, "CN=Root", PKI_RSA2048, 0);
	SLT_AUTO(pki_cert_free)
	struct pki_cert *auth = pki_auth_cert(ca, "CN=auth", PKI_RSA2048, 1);
	SLT_AUTO_STR char *c = path("cert.pem");
	SLT_AUTO_STR char *k = path("key.pem");
	pki_write_pem(auth, c, k);
	assert_true(slt_file_read(c, 1 << 20, &cert_pem, &n, &err));
	assert_true(slt_file_read(k, 1 << 20, &key_pem, &n, &err));
	struct slt_server_options o = {.address = "127.0.0.1", .handler = &echo};
	assert_true(slt_server_start(&o, &plain, &err));
	o.cert_pem = cert_pem;
	o.key_pem = key_pem;
	o.client_certificate = true;
	o.threads = 2;
	assert_true(slt_server_start(&o, &tls, &err));
	assert_true(slt_client_new(8, &client, &err));
	assert_true(slt_client_tls_new(cert_pem, key_pem, &identity, &err));
	return 0;
}

static int teardown(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_client_free(client);
	slt_client_tls_free(identity);
	slt_server_stop(plain);
	slt_server_stop(tls);
	free(cert_pem);
	free(key_pem);
	assert_true(slt_rm_tree(dir, &err));
	return 0;
}

static int reset(void **state)
{
	(void)state;
	refuse_begin = refuse_body = false;
	return 0;
}

static char *url(const struct slt_server *s, const char *scheme, const char *rest)
{
	return slt_asprintf("%s://127.0.0.1:%u%s", scheme, slt_server_port(s), rest);
}

static unsigned judged;
static bool judge_yes(void *arg, X509 *const *chain, size_t n, struct slt_err *err)
{
	(void)arg;
	(void)err;
	judged++;
	return n == 1 && chain[0];
}

static bool judge_no(void *arg, X509 *const *chain, size_t n, struct slt_err *err)
{
	(void)arg;
	(void)chain;
	(void)n;
	return slt_fail(err, SLT_ESSL_AUTHENTICATION_FAILED, "not this one");
}

/* --- cases -------------------------------------------------------------------------------- */

static void path_query_and_headers_arrive_as_sent(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *u = url(plain, "http", "/a%2Fb/c?x=%20y");
	SLT_AUTO_BUF(out, 4096);
	const char *headers[] = {"x-test: hello"};
	struct slt_call call = {.method = "GET", .url = u, .headers = headers, .n_headers = 1};
	int status = 0;

	(void)state;
	assert_true(slt_client_perform(client, &call, &status, &out, &err));
	assert_int_equal(status, 200);
	assert_string_equal(out.p, "GET /a%2Fb/c?x=%20y peer=127.0.0.1 chain=0 x=hello body=");
}

struct pull {
	size_t left, total;
	bool fail;
};

static bool pull(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct pull *s = arg;
	size_t k = s->left < n ? s->left : n;

	if (s->fail && s->left < s->total / 2) {
		return slt_fail(err, SLT_EIO, "the source broke");
	}
	memset(p, 'x', k);
	s->left -= k;
	*ret_n = k;
	return true;
}

static void streamed_body_arrives_whole(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *u = url(tls, "https", "/");
	struct pull p = {.left = 5u << 20, .total = 5u << 20};
	SLT_AUTO_BUF(out, 16u << 20);
	struct slt_call call = {.method = "POST",
				.url = u,
				.read = pull,
				.arg = &p,
				.tls = identity,
				.judge = judge_yes};
	int status = 0;

	(void)state;
	assert_true(slt_client_perform(client, &call, &status, &out, &err));
	assert_int_equal(status, 200);
	assert_non_null(strstr(out.p, "chain=1"));
	assert_true(out.n > (5u << 20));
}

static void source_that_breaks_ends_the_call(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *u = url(plain, "http", "/");
	struct pull p = {.left = 1u << 20, .total = 1u << 20, .fail = true};
	SLT_AUTO_BUF(out, 4096);
	struct slt_call call = {.method = "POST", .url = u, .read = pull, .arg = &p};
	int status = 0;

	(void)state;
	assert_false(slt_client_perform(client, &call, &status, &out, &err));
	assert_int_equal(err.code, SLT_EIO);
}

static void every_request_on_a_kept_connection_is_judged(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *u = url(tls, "https", "/");
	struct slt_call call = {.method = "POST",
				.url = u,
				.body = "a",
				.n_body = 1,
				.tls = identity,
				.judge = judge_yes};
	int status = 0;

	(void)state;
	judged = 0;
	for (int i = 0; i < 3; i++) {
		SLT_AUTO_BUF(out, 4096);
		assert_true(slt_client_perform(client, &call, &status, &out, &err));
	}
	assert_int_equal(judged, 3);
	struct slt_door_stats stats;
	slt_server_stats(tls, &stats);
	assert_int_equal(stats.connections, 1);
	call.judge = judge_no;
	SLT_AUTO_BUF(out, 4096);
	unsigned before = requests_begun;
	assert_false(slt_client_perform(client, &call, &status, &out, &err));
	assert_int_equal(err.code, SLT_ESSL_AUTHENTICATION_FAILED);
	assert_string_equal(err.msg, "not this one");
	assert_int_equal(requests_begun, before); /* nothing was sent */
}

static bool was_sent;
static void note_sent(void *arg, int status, bool sent, const struct slt_err *err)
{
	(void)arg;
	(void)status;
	(void)err;
	was_sent = sent;
}

static void refused_peer_counts_as_not_sent(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *u = url(tls, "https", "/");
	SLT_AUTO_BUF(out, 4096);
	struct slt_call call = {.method = "POST",
				.url = u,
				.body = "a",
				.n_body = 1,
				.tls = identity,
				.judge = judge_no,
				.done = note_sent};
	int status = 0;

	(void)state;
	was_sent = true;
	assert_false(slt_client_perform(client, &call, &status, &out, &err));
	assert_false(was_sent);
}

static void closed_port_counts_as_not_sent(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, 4096);
	struct slt_call call = {.method = "POST",
				.url = "http://127.0.0.1:1/",
				.body = "a",
				.n_body = 1,
				.done = note_sent};
	int status = 0;

	(void)state;
	was_sent = true;
	assert_false(slt_client_perform(client, &call, &status, &out, &err));
	assert_int_equal(err.code, SLT_ENETWORK);
	assert_false(was_sent);
}

/* A server that takes the request and closes: what became of it is not known, and nobody sends it
 * a second time. */
static void *hang_up(void *arg)
{
	int fd = *(int *)arg;
	char buf[4096];

	for (int i = 0; i < 2; i++) {
		int c = accept(fd, NULL, NULL);
		if (c < 0) {
			break;
		}
		ssize_t n = recv(c, buf, sizeof(buf), 0);
		(void)n;
		close(c);
		connections_taken++;
	}
	return NULL;
}

static void broken_connection_after_sending_is_unknown_and_not_repeated(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
	SLT_AUTO_BUF(out, 4096);
	pthread_t t;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	connections_taken = 0;
	assert_int_equal(pthread_create(&t, NULL, hang_up, &fd), 0);
	SLT_AUTO_STR char *u = slt_asprintf("http://127.0.0.1:%u/", ntohs(a.sin_port));
	struct slt_call call = {
		.method = "POST", .url = u, .body = "a", .n_body = 1, .done = note_sent};
	assert_false(slt_client_perform(client, &call, &status, &out, &err));
	assert_int_equal(err.code, SLT_EOUTCOME_UNKNOWN);
	assert_true(was_sent);
	shutdown(fd, SHUT_RDWR);
	close(fd);
	pthread_join(t, NULL);
	assert_int_equal(connections_taken, 1);
}

static void refusal_at_the_start_is_answered(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *u = url(plain, "http", "/");
	struct pull p = {.left = 1u << 20, .total = 1u << 20};
	SLT_AUTO_BUF(out, 4096);
	struct slt_call call = {.method = "POST", .url = u, .read = pull, .arg = &p};
	int status = 0;

	(void)state;
	refuse_begin = true;
	assert_true(slt_client_perform(client, &call, &status, &out, &err));
	assert_int_equal(status, 403);
	assert_string_equal(out.p, "refused at the start");
}

static void refusal_in_the_body_is_answered(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *u = url(plain, "http", "/");
	struct pull p = {.left = 1u << 20, .total = 1u << 20};
	SLT_AUTO_BUF(out, 4096);
	struct slt_call call = {.method = "POST", .url = u, .read = pull, .arg = &p};
	int status = 0;

	(void)state;
	refuse_body = true;
	assert_true(slt_client_perform(client, &call, &status, &out, &err));
	assert_int_equal(status, 403);
	assert_string_equal(out.p, "refused in the body");
}

static void answer_longer_than_allowed_is_refused(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *u = url(plain, "http", "/");
	struct pull p = {.left = 1u << 20, .total = 1u << 20};
	SLT_AUTO_BUF(out, 4096);
	struct slt_call call = {.method = "POST", .url = u, .read = pull, .arg = &p};
	int status = 0;

	(void)state;
	assert_false(slt_client_perform(client, &call, &status, &out, &err));
	assert_int_equal(err.code, SLT_ELIMIT);
}

static void other_schemes_are_refused(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, 4096);
	struct slt_call call = {.method = "GET", .url = "file:///etc/passwd"};
	int status = 0;

	(void)state;
	assert_false(slt_client_perform(client, &call, &status, &out, &err));
	assert_int_equal(err.code, SLT_ESERVICE_MALFORMED_URL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(path_query_and_headers_arrive_as_sent, reset),
		cmocka_unit_test_setup(streamed_body_arrives_whole, reset),
		cmocka_unit_test_setup(source_that_breaks_ends_the_call, reset),
		cmocka_unit_test_setup(every_request_on_a_kept_connection_is_judged, reset),
		cmocka_unit_test_setup(refused_peer_counts_as_not_sent, reset),
		cmocka_unit_test_setup(closed_port_counts_as_not_sent, reset),
		cmocka_unit_test_setup(broken_connection_after_sending_is_unknown_and_not_repeated,
				       reset),
		cmocka_unit_test_setup(refusal_at_the_start_is_answered, reset),
		cmocka_unit_test_setup(refusal_in_the_body_is_answered, reset),
		cmocka_unit_test_setup(answer_longer_than_allowed_is_refused, reset),
		cmocka_unit_test_setup(other_schemes_are_refused, reset),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
