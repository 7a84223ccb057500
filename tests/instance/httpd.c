/* SPDX-License-Identifier: MIT */
#include "tests/instance/httpd.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_MAX  4096
#define IN_MEMORY (4u << 20) /* of a body; a longer one goes to a file */

struct slt_httpd {
	struct slt_httpd_options o;
	struct slt_server *server;
	pthread_mutex_t lock;
	bool closed; /* under lock */
};

struct pending {
	struct slt_httpd *h;
	struct slt_request *r;
	struct slt_buf body; /* what has not gone to the file */
	uint64_t size;
	int fd; /* of a file without a name, -1 while all fits into memory */
	void *map;
};

static bool begin(void *arg, struct slt_request *r, void **ret_state, struct slt_err *err)
{
	(void)err;
	struct slt_httpd *h = arg;
	struct pending *p = slt_calloc(1, sizeof(*p));
	p->h = h;
	p->r = r;
	p->fd = -1;
	slt_buf_init(&p->body, IN_MEMORY);
	*ret_state = p;
	return true;
}

static bool write_file(struct pending *s, const char *p, size_t n, struct slt_err *err)
{
	while (n > 0) {
		ssize_t k = write(s->fd, p, n);
		if (k < 0) {
			return slt_fail_errno(err, SLT_EIO, "cannot keep the request");
		}
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool body(void *state, struct slt_request *r, const char *p, size_t n, struct slt_err *err)
{
	(void)r;
	struct pending *s = state;
	s->size += n;
	if (s->size > s->h->o.max_body) {
		return slt_fail(err, SLT_ELIMIT, "the request is longer than %llu bytes",
				(unsigned long long)s->h->o.max_body);
	}
	if (s->size <= IN_MEMORY) {
		slt_buf_add(&s->body, p, n);
		return true;
	}
	if (s->fd < 0) {
		const char *tmp = getenv("TMPDIR");
		s->fd = open(tmp == NULL ? "/tmp" : tmp, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (s->fd < 0) {
			return slt_fail_errno(err, SLT_EIO, "cannot keep the request");
		}
	}
	if (s->body.n > 0 && !write_file(s, s->body.p, s->body.n, err)) {
		return false;
	}
	slt_buf_reset(&s->body);
	return write_file(s, p, n, err);
}

/* The whole body as memory: of a long one the file's own. */
static struct slt_str whole(struct pending *p)
{
	if (p->fd < 0) {
		return slt_buf_str(&p->body);
	}
	p->map = mmap(NULL, p->size, PROT_READ, MAP_PRIVATE, p->fd, 0);
	slt_assert(p->map != MAP_FAILED);
	return (struct slt_str){p->map, p->size};
}

static void run(void *arg)
{
	struct pending *p = arg;
	/* once answered, the request and `p` with it may be gone at any moment */
	p->h->o.fn(p->h->o.arg, p->r, whole(p));
}

static void end(void *state, struct slt_request *r)
{
	struct pending *p = state;
	pthread_mutex_lock(&p->h->lock);
	bool taken = !p->h->closed && slt_pool_submit(p->h->o.pool, run, p);
	pthread_mutex_unlock(&p->h->lock);
	if (!taken) {
		slt_httpd_text(r, 503, "too many requests");
	}
}

static void reject(void *arg, void *state, struct slt_request *r, const struct slt_err *err)
{
	(void)arg;
	(void)state;
	slt_httpd_text(r, err->code == SLT_ELIMIT ? 413 : 400, "%s", err->msg);
}

static void done(void *state)
{
	struct pending *p = state;
	slt_buf_fini(&p->body);
	if (p->map != NULL) {
		(void)munmap(p->map, p->size);
	}
	if (p->fd >= 0) {
		(void)close(p->fd);
	}
	free(p);
}

static const struct slt_server_handler handler = {
	.begin = begin, .body = body, .end = end, .reject = reject, .done = done};

bool slt_httpd_start(const struct slt_httpd_options *o, struct slt_httpd **ret, struct slt_err *err)
{
	struct slt_httpd *h = slt_calloc(1, sizeof(*h));
	h->o = *o;
	pthread_mutex_init(&h->lock, NULL);
	struct slt_server_options so = {.address = o->address,
					.port = o->port,
					.cert_pem = o->cert_pem,
					.key_pem = o->key_pem,
					.client_certificate_asked = o->cert_pem != NULL,
					.handler = &handler,
					.arg = h};
	if (!slt_server_start(&so, &h->server, err)) {
		free(h);
		return false;
	}
	*ret = h;
	return true;
}

unsigned slt_httpd_port(const struct slt_httpd *h)
{
	return slt_server_port(h->server);
}

void slt_httpd_close(struct slt_httpd *h)
{
	if (h != NULL) {
		pthread_mutex_lock(&h->lock);
		h->closed = true;
		pthread_mutex_unlock(&h->lock);
	}
}

void slt_httpd_stop(struct slt_httpd *h)
{
	if (h != NULL) {
		slt_server_stop(h->server);
		pthread_mutex_destroy(&h->lock);
		free(h);
	}
}

void slt_httpd_reply(struct slt_request *r, unsigned status, const char *content_type,
		     struct slt_str bytes)
{
	struct slt_response_header header = {"Content-Type", content_type};
	slt_respond(r, status, &header, 1, bytes.p, bytes.n);
}

void slt_httpd_text(struct slt_request *r, unsigned status, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	slt_httpd_reply(r, status, "text/plain; charset=utf-8", (struct slt_str){text, len});
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef";
	char lower = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
	const char *at = c == '\0' ? NULL : strchr(digits, lower);
	return at == NULL ? -1 : (int)(at - digits);
}

static char *decode(const char *p, size_t n)
{
	char *out = slt_calloc(n + 1, 1);
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		int hi = i + 2 < n ? hex(p[i + 1]) : -1;
		int lo = hi >= 0 ? hex(p[i + 2]) : -1;
		if (p[i] == '%' && lo >= 0) {
			out[k++] = (char)(hi * 16 + lo);
			i += 2;
		} else {
			out[k++] = (char)(p[i] == '+' ? ' ' : p[i]);
		}
	}
	return out;
}

char *slt_httpd_param(const struct slt_request *r, const char *name)
{
	size_t want = strlen(name);
	const char *p = slt_request_query(r);
	while (*p != '\0') {
		size_t n = strcspn(p, "&");
		if (n > want && p[want] == '=' && strncmp(p, name, want) == 0) {
			return decode(p + want + 1, n - want - 1);
		}
		p += n + (p[n] == '&' ? 1u : 0u);
	}
	return NULL;
}
