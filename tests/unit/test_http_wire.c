/* SPDX-License-Identifier: MIT */
/*
 * The listener against peers that do not keep to HTTP, or keep to it as slowly as they can: each is
 * refused or cut off in bounded time, and somebody else is served meanwhile.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http_fixture.h"

#define MAX	 12
#define PER_PEER 8

static struct slt_server *server;

static int setup(void **state)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_server_options o = {.address = "127.0.0.1",
				       .handler = &echo,
				       .threads = 2,
				       .limits = {.name = "test",
						  .max = MAX,
						  .max_per_peer = PER_PEER,
						  .head_seconds = 1,
						  .idle_seconds = 2,
						  .min_rate = 65536,
						  .grace_seconds = 1}};

	(void)state;
	assert_true(slt_server_start(&o, &server, &err));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	slt_server_stop(server);
	return 0;
}

static unsigned connections(void)
{
	struct slt_door_stats stats;

	slt_server_stats(server, &stats);
	return stats.connections;
}

/* --- sockets ------------------------------------------------------------------------------ */

/* From 127.0.0.<from>; reading and writing give up after 10 s. */
static int dial(unsigned from)
{
	struct sockaddr_in own = {.sin_family = AF_INET,
				  .sin_addr = {htonl(INADDR_LOOPBACK - 1 + from)}};
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr = {htonl(INADDR_LOOPBACK)},
				 .sin_port = htons((uint16_t)slt_server_port(server))};
	struct timeval limit = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void put(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
		if (k <= 0) {
			return; /* cut off: what was answered before shows */
		}
		p += k;
		n -= (size_t)k;
	}
}

/* All that comes until the connection ends; it ends before the limit. */
static size_t get_all(int fd, char *ret, size_t max)
{
	size_t n = 0;
	ssize_t k;

	while (n < max - 1 && (k = recv(fd, ret + n, max - 1 - n, 0)) > 0) {
		n += (size_t)k;
	}
	ret[n] = '\0';
	return n;
}

/* Somebody else, at another address, is served; within a second. */
static void others_are_served(void)
{
	static const char request[] = "GET /good HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	char answer[1024];
	int64_t start = slt_mono_us();
	int fd = dial(7);

	put(fd, request, sizeof(request) - 1);
	get_all(fd, answer, sizeof(answer));
	close(fd);
	assert_memory_equal(answer, "HTTP/1.1 200", 12);
	assert_true(slt_mono_us() - start < 1000000);
}

/* --- bytes that are not HTTP -------------------------------------------------------------- */

struct wire {
	const char *bytes;
	size_t n;
	const char *answer; /* how it begins; "": closed without a word; "4": any refusal */
	unsigned requests;  /* that got as far as the handler */
};

static void wire(void **state)
{
	const struct wire *w = *state;
	char answer[4096];
	unsigned before = requests_begun;
	int64_t start = slt_mono_us();
	int fd = dial(1);

	put(fd, w->bytes, w->n);
	others_are_served();
	before++; /* that one */
	shutdown(fd, SHUT_WR);
	size_t n = get_all(fd, answer, sizeof(answer));
	close(fd);
	if (strcmp(w->answer, "4") == 0) {
		/* a refusal, or the end of the connection; never success */
		assert_true(n == 0 || strncmp(answer, "HTTP/1.1 4", 10) == 0 ||
			    strncmp(answer, "HTTP/1.1 5", 10) == 0);
		assert_null(strstr(answer, "HTTP/1.1 2"));
	} else {
		assert_memory_equal(answer, w->answer, strlen(w->answer));
	}
	assert_int_equal(requests_begun - before, w->requests);
	assert_true(slt_mono_us() - start < 5000000);
}

static void long_request_line(void **state)
{
	char answer[1024];
	int fd = dial(1);

	(void)state;
	put(fd, "GET /", 5);
	for (int i = 0; i < 20000; i++) {
		put(fd, "aaaaaaaaaaaaaaaa", 16);
	}
	put(fd, " HTTP/1.1\r\nHost: x\r\n\r\n", 22);
	others_are_served();
	get_all(fd, answer, sizeof(answer));
	close(fd);
	assert_null(strstr(answer, "HTTP/1.1 2"));
}

static void headers(unsigned count, size_t length, bool good)
{
	char answer[1024], line[32];
	int fd = dial(1);

	put(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", 44);
	for (unsigned i = 0; i < count; i++) {
		int n = snprintf(line, sizeof(line), "x-%u: ", i);
		put(fd, line, (size_t)n);
		for (size_t k = 0; k < length; k += 16) {
			put(fd, "bbbbbbbbbbbbbbbb", 16);
		}
		put(fd, "\r\n", 2);
	}
	put(fd, "\r\n", 2);
	others_are_served();
	get_all(fd, answer, sizeof(answer));
	close(fd);
	assert_int_equal(strncmp(answer, "HTTP/1.1 2", 10) == 0, good);
}

static void number_of_headers(void **state)
{
	(void)state;
	headers(98, 16, true);
	headers(99, 16, false);
	headers(5000, 16, false);
}

static void length_of_headers(void **state)
{
	(void)state;
	headers(1, 16000, true);
	headers(1, 200000, false);
	headers(90, 2000, false);
}

static void pipelined(void **state)
{
	static const char two[] = "POST /one HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
				  "GET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	char answer[4096];
	int fd = dial(1);

	(void)state;
	put(fd, two, sizeof(two) - 1);
	get_all(fd, answer, sizeof(answer));
	close(fd);
	const char *one = strstr(answer, "POST /one? ");
	const char *other = strstr(answer, "GET /two? ");
	assert_non_null(one);
	assert_non_null(other);
	assert_true(one < other);
	assert_non_null(strstr(answer, "body=abc"));
}

/* --- peers that take their time ----------------------------------------------------------- */

/* Sends `head`, then a byte at a time until the connection ends; the seconds that took. */
static double dribble(int fd, const char *head)
{
	int64_t start = slt_mono_us();
	char c;

	put(fd, head, strlen(head));
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 200; i++) {
		if (send(fd, "a", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
			break;
		}
		if (recv(fd, &c, 1, 0) == 0) {
			break;
		}
		if (i % 10 == 0) {
			others_are_served();
		}
		usleep(50000);
	}
	close(fd);
	return (double)(slt_mono_us() - start) / 1e6;
}

static void dribbled_request_line(void **state)
{
	(void)state;
	assert_true(dribble(dial(1), "GET /") < 4);
}

static void dribbled_headers(void **state)
{
	(void)state;
	assert_true(dribble(dial(1), "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ") < 4);
}

static void dribbled_body(void **state)
{
	(void)state;
	assert_true(dribble(dial(1),
			    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n") < 4);
}

static void dribbled_headers_of_a_second_request(void **state)
{
	char answer[256];
	int fd = dial(1);

	(void)state;
	put(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
	assert_true(recv(fd, answer, sizeof(answer), 0) > 0);
	double s = dribble(fd, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
	assert_true(s > 1.5 && s < 6); /* idle_seconds longer than for a first one */
}

static void nothing_sent_at_all(void **state)
{
	char c;
	int64_t start = slt_mono_us();
	int fd = dial(1);

	(void)state;
	others_are_served();
	assert_true(recv(fd, &c, 1, 0) <= 0);
	close(fd);
	assert_true(slt_mono_us() - start < 4000000);
}

/* 32 MB come back; whoever does not take them is not waited for. */
static void slow_reader(void **state)
{
	static char block[1u << 20];
	unsigned before = connections();
	int small = 4096;
	int fd = dial(1);

	(void)state;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	const char head[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 33554432\r\n\r\n";
	put(fd, head, sizeof(head) - 1);
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 32; i++) {
		put(fd, block, sizeof(block));
	}
	for (int i = 0; i < 100 && connections() > before; i++) {
		others_are_served();
		usleep(50000);
	}
	assert_true(connections() <= before);
	close(fd);
}

/* --- too many ----------------------------------------------------------------------------- */

/* Is the connection ended at once? */
static bool is_turned_away(int fd)
{
	char c;
	int64_t start = slt_mono_us();
	ssize_t n = recv(fd, &c, 1, 0);

	close(fd);
	return n <= 0 && slt_mono_us() - start < 500000;
}

static void wait_until_empty(void)
{
	for (int i = 0; i < 100 && connections() > 0; i++) {
		usleep(20000);
	}
	assert_int_equal(connections(), 0);
}

static void settle(unsigned n)
{
	for (int i = 0; i < 100 && connections() < n; i++) {
		usleep(10000);
	}
	assert_int_equal(connections(), n);
}

static void too_many_from_one_address(void **state)
{
	int fd[PER_PEER];

	(void)state;
	wait_until_empty();
	for (unsigned i = 0; i < PER_PEER; i++) {
		fd[i] = dial(1);
	}
	settle(PER_PEER);
	assert_true(is_turned_away(dial(1)));
	others_are_served();
	for (unsigned i = 0; i < PER_PEER; i++) {
		close(fd[i]);
	}
	wait_until_empty();
	others_are_served();
}

static void too_many_altogether(void **state)
{
	int fd[MAX];

	(void)state;
	wait_until_empty();
	for (unsigned i = 0; i < MAX; i++) {
		fd[i] = dial(1 + i % 4);
	}
	settle(MAX);
	assert_true(is_turned_away(dial(6)));
	close(fd[0]);
	for (int i = 0; i < 100 && connections() == MAX; i++) {
		usleep(10000);
	}
	others_are_served();
	for (unsigned i = 1; i < MAX; i++) {
		close(fd[i]);
	}
	wait_until_empty();
}

/* One address that connects and goes, again and again, takes no more than its own share. */
static void flood(void **state)
{
	(void)state;
	wait_until_empty();
	for (int i = 0; i < 500; i++) {
		close(dial(1));
		if (i % 50 == 0) {
			others_are_served();
		}
	}
	wait_until_empty();
	others_are_served();
}

/* clang-format off */
#define W(text, bytes, answer, requests) \
	{.name = (text), .test_func = wire, .initial_state = &(struct wire){(bytes), sizeof(bytes) - 1, (answer), (requests)}}
#define H "Host: x\r\nConnection: close\r\n"

int main(void)
{
	const struct CMUnitTest tests[] = {
		W("a request as it should be", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 200", 1),
		W("chunks as they should be", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 200", 1),
		W("an absolute URI", "GET http://other/ HTTP/1.1\r\n" H "\r\n", "HTTP/1.1 200", 1),
		W("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.", 1),
		W("length and chunks", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", "4", 0),
		W("two lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "4", 0),
		W("the same length twice", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "4", 0),
		W("two lengths in one header", "POST / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc", "4", 0),
		W("a negative length", "POST / HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\nabc", "4", 0),
		W("a length with a sign", "POST / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", "4", 0),
		W("a length in hexadecimal", "POST / HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\nabc", "4", 0),
		W("an empty length", "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\nabc", "4", 0),
		W("a length beyond 64 bits", "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551619\r\n\r\nabc", "4", 0),
		W("chunks twice", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "4", 0),
		W("chunks and another coding", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "4", 0),
		W("chunked, almost", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "4", 0),
		W("chunks under HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "4", 0),
		W("a chunk size that is none", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n", "4", 1),
		W("a negative chunk size", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n", "4", 1),
		W("a chunk size beyond 64 bits", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n", "4", 1),
		W("a chunk longer than it says", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", "4", 1),
		W("chunks without end", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "4", 1),
		W("a body shorter than it says", "POST / HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\nabc", "4", 1),
		W("a space before the colon", "POST / HTTP/1.1\r\n" H "Content-Length : 3\r\n\r\nabc", "4", 0),
		W("a folded header is one line", "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 200", 1),
		W("a line without a colon", "GET / HTTP/1.1\r\n" H "nonsense\r\n\r\n", "4", 0),
		W("a header without a name is ignored", "GET / HTTP/1.1\r\n" H ": x\r\n\r\n", "HTTP/1.1 200", 1),
		W("a name with an odd character", "GET / HTTP/1.1\r\n" H "x(y): z\r\n\r\n", "4", 0),
		W("a zero byte in a name", "GET / HTTP/1.1\r\n" H "x\0y: a\r\n\r\n", "4", 0),
		W("no host", "GET / HTTP/1.1\r\n\r\n", "4", 0),
		W("two hosts", "GET / HTTP/1.1\r\n" H "Host: y\r\n\r\n", "4", 0),
		W("CONNECT", "CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n", "4", 0),
		W("HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", "4", 0),
		W("HTTP/0.9", "GET /\r\n\r\n", "4", 0),
		W("HTTP/2 by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "4", 0),
		W("a TLS handshake", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n", "4", 0),
		W("something else altogether", "\0\0\0\x2a\xff\xfe SSH-2.0-x\r\n\r\n", "4", 0),
		cmocka_unit_test(long_request_line),
		cmocka_unit_test(number_of_headers),
		cmocka_unit_test(length_of_headers),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(dribbled_request_line),
		cmocka_unit_test(dribbled_headers),
		cmocka_unit_test(dribbled_body),
		cmocka_unit_test(dribbled_headers_of_a_second_request),
		cmocka_unit_test(nothing_sent_at_all),
		cmocka_unit_test(slow_reader),
		cmocka_unit_test(too_many_from_one_address),
		cmocka_unit_test(too_many_altogether),
		cmocka_unit_test(flood),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, setup, teardown);
}
