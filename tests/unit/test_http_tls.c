/* SPDX-License-Identifier: MIT */
/*
 * TLS of the listener and of the client against strangers: OpenSSL's s_client and s_server, each
 * suite and version a case of its own, with RSA and P-256 keys on either side.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "client.h"
#include "http_fixture.h"
#include "tests/support/pki.h"

enum kind { RSA2048, P256, KINDS };

static const char *const names[KINDS] = {"rsa", "ec"};
static char dir[] = "/tmp/silta-tls-XXXXXX";
static char *cert[KINDS], *key[KINDS]; /* PEM texts */
static struct slt_server *listener[KINDS];
static struct slt_client *client;
static struct slt_client_tls *identity[KINDS];

struct one {
	enum kind listening, calling;
	const char *options; /* of openssl s_client or s_server */
	bool good;
};

static void make_keys(void)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(pki_cert_free) struct pki_cert *ca = pki_ca(NULL, "CN=Root", PKI_RSA2048, 0);
	size_t n;

	for (size_t i = 0; i < KINDS; i++) {
		SLT_AUTO(pki_cert_free)
		struct pki_cert *auth =
			pki_auth_cert(ca, "CN=auth", i == P256 ? PKI_P256 : PKI_RSA2048, 1);
		SLT_AUTO_STR char *c = slt_asprintf("%s/%s.cert.pem", dir, names[i]);
		SLT_AUTO_STR char *k = slt_asprintf("%s/%s.key.pem", dir, names[i]);
		pki_write_pem(auth, c, k);
		assert_true(slt_file_read(c, 1 << 20, &cert[i], &n, &err));
		assert_true(slt_file_read(k, 1 << 20, &key[i], &n, &err));
	}
}

static int setup(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	make_keys();
	assert_true(slt_client_new(8, &client, &err));
	for (size_t i = 0; i < KINDS; i++) {
		struct slt_server_options o = {.address = "127.0.0.1",
					       .handler = &echo,
					       .cert_pem = cert[i],
					       .key_pem = key[i],
					       .client_certificate = true};
		assert_true(slt_server_start(&o, &listener[i], &err));
		assert_true(slt_client_tls_new(cert[i], key[i], &identity[i], &err));
	}
	return 0;
}

static int teardown(void **state)
{
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_client_free(client);
	for (size_t i = 0; i < KINDS; i++) {
		slt_client_tls_free(identity[i]);
		slt_server_stop(listener[i]);
		free(cert[i]);
		free(key[i]);
	}
	assert_true(slt_rm_tree(dir, &err));
	return 0;
}

/* --- strangers that call ------------------------------------------------------------------ */

static void s_client(void **state)
{
	const struct one *c = *state;
	SLT_AUTO_STR char *identify =
		c->calling == KINDS ? slt_strdup("")
				    : slt_asprintf("-cert %s/%s.cert.pem -key %s/%s.key.pem", dir,
						   names[c->calling], dir, names[c->calling]);
	SLT_AUTO_STR char *command = slt_asprintf(
		"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 10 openssl s_client -quiet %s %s "
		"-connect 127.0.0.1:%u 2>/dev/null | grep -q chain=1",
		c->options, identify, slt_server_port(listener[c->listening]));
	unsigned before = requests_begun;

	assert_int_equal(system(command) == 0, c->good);
	assert_int_equal(requests_begun - before, c->good);
}

/* --- strangers that are called ------------------------------------------------------------ */

/* Starts openssl s_server on a free port; it says which. */
static pid_t start_s_server(const struct one *c, unsigned *ret_port)
{
	int out[2];
	char line[256] = "";

	assert_int_equal(pipe(out), 0);
	SLT_AUTO_STR char *command = slt_asprintf(
		"exec openssl s_server -accept 127.0.0.1:0 -www -Verify 3 -cert %s/%s.cert.pem "
		"-key %s/%s.key.pem %s 2>/dev/null",
		dir, names[c->listening], dir, names[c->listening], c->options);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		alarm(20); /* survives exec: it ends even if the test does not end it */
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	FILE *f = fdopen(out[0], "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && strncmp(line, "ACCEPT", 6) != 0) {
	}
	const char *colon = strrchr(line, ':');
	assert_non_null(colon);
	*ret_port = (unsigned)strtoul(colon + 1, NULL, 10);
	fclose(f);
	return pid;
}

static bool judge_yes(void *arg, X509 *const *chain, size_t n, struct slt_err *err)
{
	(void)arg;
	(void)err;
	return n == 1 && chain[0];
}

static void s_server(void **state)
{
	const struct one *c = *state;
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(out, 1u << 20);
	unsigned port = 0;
	int status = 0;
	pid_t pid = start_s_server(c, &port);
	SLT_AUTO_STR char *url = slt_asprintf("https://127.0.0.1:%u/", port);
	struct slt_call call = {.method = "GET",
				.url = url,
				.tls = identity[c->calling],
				.judge = judge_yes,
				.connect_ms = 5000,
				.total_ms = 5000};

	bool good = slt_client_perform(client, &call, &status, &out, &err);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	assert_int_equal(good, c->good);
	if (good) {
		assert_int_equal(status, 200);
		assert_non_null(strstr(slt_buf_str(&out).p, "Client certificate"));
	} else {
		assert_int_equal(err.code, SLT_ENETWORK);
	}
}

/* clang-format off */
#define CASE(function, text, ...) \
	{.name = (text), .test_func = (function), .initial_state = &(struct one){__VA_ARGS__}}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(s_client, "called with ECDHE-RSA-AES256-SHA384", RSA2048, RSA2048, "-tls1_2 -cipher ECDHE-RSA-AES256-SHA384", true),
		CASE(s_client, "called with DHE-RSA-AES256-SHA256", RSA2048, RSA2048, "-tls1_2 -cipher DHE-RSA-AES256-SHA256", true),
		CASE(s_client, "called with ECDHE-ECDSA-AES256-SHA384", P256, P256, "-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA384", true),
		CASE(s_client, "called with GCM under TLS 1.2", RSA2048, RSA2048, "-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384", true),
		CASE(s_client, "called with TLS 1.3, RSA", RSA2048, RSA2048, "-tls1_3", true),
		CASE(s_client, "called with TLS 1.3, P-256", P256, P256, "-tls1_3", true),
		CASE(s_client, "an RSA peer calls a P-256 listener", P256, RSA2048, "-tls1_2", true),
		CASE(s_client, "a P-256 peer calls an RSA listener", RSA2048, P256, "-tls1_2", true),
		CASE(s_client, "called without a certificate under TLS 1.2", RSA2048, KINDS, "-tls1_2", false),
		CASE(s_client, "called without a certificate under TLS 1.3", RSA2048, KINDS, "-tls1_3", false),
		CASE(s_client, "called with TLS 1.1", RSA2048, RSA2048, "-tls1_1 -cipher ALL:@SECLEVEL=0", false),
		CASE(s_client, "called with TLS 1.0", RSA2048, RSA2048, "-tls1 -cipher ALL:@SECLEVEL=0", false),
		CASE(s_client, "called with AES128-SHA, without forward secrecy", RSA2048, RSA2048, "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0", false),
		CASE(s_client, "called with AES256-GCM-SHA384, without forward secrecy", RSA2048, RSA2048, "-tls1_2 -cipher AES256-GCM-SHA384", false),
		CASE(s_client, "called with ECDHE-RSA-AES128-SHA", RSA2048, RSA2048, "-tls1_2 -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0", false),
		CASE(s_client, "called with ECDHE-RSA-AES256-SHA", RSA2048, RSA2048, "-tls1_2 -cipher ECDHE-RSA-AES256-SHA:@SECLEVEL=0", false),
		CASE(s_client, "called without encryption", RSA2048, RSA2048, "-tls1_2 -cipher NULL-SHA256:@SECLEVEL=0", false),
		CASE(s_client, "called anonymously", RSA2048, RSA2048, "-tls1_2 -cipher ADH-AES256-SHA256:@SECLEVEL=0", false),
		CASE(s_client, "called with CAMELLIA", RSA2048, RSA2048, "-tls1_2 -cipher CAMELLIA256-SHA:@SECLEVEL=0", false),
		CASE(s_client, "called with SHA-1 signatures alone", RSA2048, RSA2048, "-tls1_2 -sigalgs RSA+SHA1 -cipher ALL:@SECLEVEL=0", false),
		CASE(s_server, "calls with ECDHE-RSA-AES256-SHA384", RSA2048, RSA2048, "-tls1_2 -cipher ECDHE-RSA-AES256-SHA384", true),
		CASE(s_server, "calls with DHE-RSA-AES256-SHA256", RSA2048, RSA2048, "-tls1_2 -cipher DHE-RSA-AES256-SHA256", true),
		CASE(s_server, "calls with ECDHE-ECDSA-AES256-SHA384", P256, P256, "-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA384", true),
		CASE(s_server, "calls with TLS 1.3, RSA", RSA2048, RSA2048, "-tls1_3", true),
		CASE(s_server, "calls with TLS 1.3, P-256", P256, P256, "-tls1_3", true),
		CASE(s_server, "calls an RSA server with a P-256 key", RSA2048, P256, "-tls1_2", true),
		CASE(s_server, "calls a P-256 server with an RSA key", P256, RSA2048, "-tls1_2", true),
		CASE(s_server, "does not call with TLS 1.1", RSA2048, RSA2048, "-tls1_1 -cipher ALL:@SECLEVEL=0", false),
		CASE(s_server, "does not call with TLS 1.0", RSA2048, RSA2048, "-tls1 -cipher ALL:@SECLEVEL=0", false),
		CASE(s_server, "does not call with AES128-SHA", RSA2048, RSA2048, "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0", false),
		CASE(s_server, "does not call with AES256-GCM-SHA384", RSA2048, RSA2048, "-tls1_2 -cipher AES256-GCM-SHA384", false),
		CASE(s_server, "does not call with ECDHE-RSA-AES128-SHA", RSA2048, RSA2048, "-tls1_2 -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0", false),
		CASE(s_server, "does not call without encryption", RSA2048, RSA2048, "-tls1_2 -cipher NULL-SHA256:@SECLEVEL=0", false),
		CASE(s_server, "does not call an anonymous server", RSA2048, RSA2048, "-tls1_2 -nocert -cipher ADH-AES256-SHA256:@SECLEVEL=0", false),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, setup, teardown);
}
