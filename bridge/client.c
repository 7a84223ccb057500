/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <curl/curl.h>
#include <openssl/ssl.h>

#include "base/clock.h"

/* X-Road's three suites and their modern companions. */
#define TLS_CIPHERS                                                                                \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                               \
	"ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:DHE-RSA-AES256-SHA256"
#define CONNECT_MS	     10000
#define TOTAL_MS	     60000
#define IDLE_SECONDS	     60 /* a kept connection older than this is not used again */
#define RESPONSE_HEADERS_MAX (64u << 10)
#define PEER_CHAIN_MAX	     6

struct slt_client_tls {
	struct curl_blob cert, key;
};

struct job {
	TAILQ_ENTRY(job) entry;
	struct slt_client *client;
	struct slt_call call;
	CURL *easy;
	struct curl_slist *headers;
	struct slt_err err; /* of a callback */
	size_t body_at, header_bytes;
	int status;
	bool sent;
	char curl_text[CURL_ERROR_SIZE];
};

struct slt_client {
	CURLM *multi;
	pthread_t thread;
	pthread_mutex_t lock;
	TAILQ_HEAD(jobs, job) incoming, running;
	bool stopping;
	bool race_won; /* since the losers were last looked for */
};

bool slt_client_tls_new(const char *cert_pem, const char *key_pem, struct slt_client_tls **ret,
			struct slt_err *err)
{
	if (!cert_pem || !key_pem) {
		return slt_fail(err, SLT_EINVAL, "a TLS identity needs certificate and key");
	}
	struct slt_client_tls *t = slt_calloc(1, sizeof(*t));
	t->cert = (struct curl_blob){slt_strdup(cert_pem), strlen(cert_pem), CURL_BLOB_NOCOPY};
	t->key = (struct curl_blob){slt_strdup(key_pem), strlen(key_pem), CURL_BLOB_NOCOPY};
	*ret = t;
	return true;
}

void slt_client_tls_free(struct slt_client_tls *t)
{
	if (t) {
		free(t->cert.data);
		OPENSSL_cleanse(t->key.data, t->key.len);
		free(t->key.data);
		free(t);
	}
}

/* --- callbacks of libcurl ----------------------------------------------------------------- */

static size_t on_read(char *p, size_t size, size_t count, void *arg)
{
	struct job *j = arg;
	size_t n = 0, max = size * count;

	j->sent = true;
	if (j->call.read) {
		return j->call.read(j->call.arg, p, max, &n, &j->err) ? n : CURL_READFUNC_ABORT;
	}
	n = j->call.n_body - j->body_at;
	n = n < max ? n : max;
	if (n) {
		memcpy(p, (const char *)j->call.body + j->body_at, n);
	}
	j->body_at += n;
	return n;
}

static size_t on_data(char *p, size_t size, size_t count, void *arg)
{
	struct job *j = arg;
	size_t n = size * count;

	if (j->call.data && !j->call.data(j->call.arg, p, n, &j->err)) {
		return n + 1; /* anything but n ends the transfer */
	}
	return n;
}

static bool give_header(struct job *j, struct slt_str line)
{
	const char *colon = memchr(line.p, ':', line.n);

	if (!colon || !j->call.header) {
		return true;
	}
	struct slt_str value = {colon + 1, line.n - (size_t)(colon + 1 - line.p)};
	value = slt_str_trim(value);
	SLT_AUTO_STR char *name = slt_strndup(line.p, (size_t)(colon - line.p));
	SLT_AUTO_STR char *text = slt_strndup(value.p, value.n);
	return j->call.header(j->call.arg, j->status, name, text, &j->err);
}

static size_t on_header(char *p, size_t size, size_t count, void *arg)
{
	struct job *j = arg;
	size_t n = size * count;
	long status = 0;

	j->header_bytes += n;
	if (j->header_bytes > RESPONSE_HEADERS_MAX) {
		slt_fail(&j->err, SLT_ELIMIT, "the answer's headers are longer than %u bytes",
			 RESPONSE_HEADERS_MAX);
		return n + 1;
	}
	curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
	j->status = (int)status;
	return give_header(j, slt_str_trim((struct slt_str){p, n})) ? n : n + 1;
}

/* Certificates are judged before each request, on_request(): not by the handshake. */
static int accept_handshake(X509_STORE_CTX *ctx, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static CURLcode on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
	(void)easy;
	(void)arg;
	SSL_CTX_set_cert_verify_callback(ctx, accept_handshake, NULL);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	return CURLE_OK;
}

static bool judge_connection(struct job *j)
{
	struct curl_tlssessioninfo *info = NULL;
	X509 *chain[PEER_CHAIN_MAX];

	if (curl_easy_getinfo(j->easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info ||
	    !info->internals) {
		return slt_fail(&j->err, SLT_ESSL_AUTHENTICATION_FAILED,
				"the peer's certificate is not known");
	}
	STACK_OF(X509) *sent = SSL_get_peer_cert_chain(info->internals);
	int n = sent ? sk_X509_num(sent) : 0;
	if (n < 1 || n > PEER_CHAIN_MAX) {
		return slt_fail(&j->err, SLT_ESSL_AUTHENTICATION_FAILED,
				"the peer presented %d certificates; 1 to %d are allowed", n,
				PEER_CHAIN_MAX);
	}
	for (int i = 0; i < n; i++) {
		chain[i] = sk_X509_value(sent, i);
	}
	return j->call.judge(j->call.arg, chain, (size_t)n, &j->err);
}

static bool has_lost(const struct job *j)
{
	const struct slt_race *race = j->call.race;

	return race && race->winner && race->winner != j;
}

/* From here on the request goes out: so this is where a race is won. */
static bool may_send(struct job *j)
{
	if (has_lost(j) || (j->call.judge && !judge_connection(j))) {
		return false;
	}
	if (j->call.race && j->call.judge) {
		j->call.race->winner = j;
		j->client->race_won = true;
	}
	return true;
}

static int on_request(void *arg, char *peer_ip, char *local_ip, int peer_port, int local_port)
{
	struct job *j = arg;

	(void)peer_ip;
	(void)local_ip;
	(void)peer_port;
	(void)local_port;
	if (!may_send(j)) {
		return CURL_PREREQFUNC_ABORT;
	}
	if (!j->call.read && !j->call.body) {
		j->sent = true;
	}
	return CURL_PREREQFUNC_OK;
}

/* --- a call ------------------------------------------------------------------------------- */

static void set_tls(struct job *j)
{
	CURL *e = j->easy;

	if (j->call.tls) {
		curl_easy_setopt(e, CURLOPT_SSLCERTTYPE, "PEM");
		curl_easy_setopt(e, CURLOPT_SSLKEYTYPE, "PEM");
		curl_easy_setopt(e, CURLOPT_SSLCERT_BLOB, &j->call.tls->cert);
		curl_easy_setopt(e, CURLOPT_SSLKEY_BLOB, &j->call.tls->key);
	}
	if (j->call.judge || j->call.tls_insecure) {
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, j->call.judge ? 1L : 0L);
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
		curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	}
	if (j->call.judge) {
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
		curl_easy_setopt(e, CURLOPT_SSL_CIPHER_LIST, TLS_CIPHERS);
		/* a resumed session would not show the whole chain */
		curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	}
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

/* The body always goes through on_read(), which libcurl cannot rewind: so it never sends a body
 * a second time by itself over a new connection. */
static void set_body(struct job *j)
{
	CURL *e = j->easy;

	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, j->call.method);
	if (strcmp(j->call.method, "HEAD") == 0) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	}
	if (!j->call.read && !j->call.body) {
		return;
	}
	curl_easy_setopt(e, CURLOPT_POST, 1L);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(e, CURLOPT_READDATA, j);
	j->headers = curl_slist_append(j->headers, "Expect:");
	if (j->call.read) {
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
		j->headers = curl_slist_append(j->headers, "Transfer-Encoding: chunked");
	} else {
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)j->call.n_body);
	}
}

static void set_call(struct job *j)
{
	CURL *e = j->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, j);
	curl_easy_setopt(e, CURLOPT_URL, j->call.url);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* a name server that does not answer must not hold up the thread of all calls: the lookup
	 * is left to end by itself */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)IDLE_SECONDS);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, j->curl_text);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(j->call.connect_ms ? j->call.connect_ms : CONNECT_MS));
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS,
			 (long)(j->call.total_ms ? j->call.total_ms : TOTAL_MS));
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, j);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, j);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, j);
	set_tls(j);
	set_body(j);
	for (size_t i = 0; i < j->call.n_headers; i++) {
		j->headers = curl_slist_append(j->headers, j->call.headers[i]);
	}
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, j->headers);
}

static enum slt_code code_of(CURLcode r, bool sent)
{
	switch ((int)r) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return SLT_EUNKNOWN_HOST;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return SLT_ESERVICE_MALFORMED_URL;
	case CURLE_OPERATION_TIMEDOUT:
		return sent ? SLT_EDEADLINE : SLT_ENETWORK;
	default:
		return sent ? SLT_EOUTCOME_UNKNOWN : SLT_ENETWORK;
	}
}

static void finish(struct job *j, CURLcode r)
{
	if (r != CURLE_OK && j->err.code == SLT_OK) {
		slt_fail(&j->err, code_of(r, j->sent), "%s: %s", j->call.url,
			 j->curl_text[0] ? j->curl_text : curl_easy_strerror(r));
	}
	curl_easy_cleanup(j->easy);
	curl_slist_free_all(j->headers);
	if (j->call.race && j->call.race->winner == j && !j->sent) {
		j->call.race->winner = NULL;
	}
	if (j->call.done) {
		j->call.done(j->call.arg, j->status, j->sent,
			     j->err.code == SLT_OK ? NULL : &j->err);
	}
	free(j);
}

static void lose(struct job *j)
{
	if (j->err.code == SLT_OK) {
		slt_fail(&j->err, SLT_ENETWORK, "%s: another address was quicker", j->call.url);
	}
	finish(j, CURLE_ABORTED_BY_CALLBACK);
}

static void abort_job(struct job *j)
{
	slt_fail(&j->err, j->sent ? SLT_EOUTCOME_UNKNOWN : SLT_ENETWORK,
		 "%s: the bridge is being stopped", j->call.url);
	finish(j, CURLE_ABORTED_BY_CALLBACK);
}

/* --- the thread --------------------------------------------------------------------------- */

static void take_incoming(struct slt_client *c)
{
	struct jobs fresh = TAILQ_HEAD_INITIALIZER(fresh);
	struct job *j;

	pthread_mutex_lock(&c->lock);
	TAILQ_CONCAT(&fresh, &c->incoming, entry);
	pthread_mutex_unlock(&c->lock);
	while ((j = TAILQ_FIRST(&fresh))) {
		TAILQ_REMOVE(&fresh, j, entry);
		if (has_lost(j)) {
			lose(j);
			continue;
		}
		TAILQ_INSERT_TAIL(&c->running, j, entry);
		curl_multi_add_handle(c->multi, j->easy);
	}
}

static struct job *find_loser(struct slt_client *c)
{
	struct job *j;

	TAILQ_FOREACH(j, &c->running, entry)
	{
		if (has_lost(j)) {
			return j;
		}
	}
	return NULL;
}

/* Before collect(): a loser must be over when its winner is. */
static void end_losers(struct slt_client *c)
{
	struct job *j;

	while (c->race_won && (j = find_loser(c))) {
		curl_multi_remove_handle(c->multi, j->easy);
		TAILQ_REMOVE(&c->running, j, entry);
		lose(j);
	}
	c->race_won = false;
}

static void collect(struct slt_client *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left))) {
		struct job *j = NULL;
		CURLcode r = m->data.result;
		if (m->msg != CURLMSG_DONE) {
			continue;
		}
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &j);
		curl_multi_remove_handle(c->multi, m->easy_handle);
		TAILQ_REMOVE(&c->running, j, entry);
		finish(j, r);
	}
}

static bool is_stopping(struct slt_client *c)
{
	pthread_mutex_lock(&c->lock);
	bool s = c->stopping;
	pthread_mutex_unlock(&c->lock);
	return s;
}

static void *drive(void *arg)
{
	struct slt_client *c = arg;
	struct job *j;
	int running;

	while (!is_stopping(c)) {
		take_incoming(c);
		curl_multi_perform(c->multi, &running);
		end_losers(c);
		collect(c);
		curl_multi_poll(c->multi, NULL, 0, 1000, NULL);
	}
	take_incoming(c);
	while ((j = TAILQ_FIRST(&c->running))) {
		curl_multi_remove_handle(c->multi, j->easy);
		TAILQ_REMOVE(&c->running, j, entry);
		abort_job(j);
	}
	return NULL;
}

static void init_once(void)
{
	slt_assert(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

bool slt_client_new(unsigned max_connections, struct slt_client **ret, struct slt_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct slt_client *c = slt_calloc(1, sizeof(*c));

	pthread_once(&once, init_once);
	TAILQ_INIT(&c->incoming);
	TAILQ_INIT(&c->running);
	pthread_mutex_init(&c->lock, NULL);
	c->multi = curl_multi_init();
	slt_assert(c->multi);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS,
			  (long)(max_connections ? max_connections : 256));
	int r = pthread_create(&c->thread, NULL, drive, c);
	if (r != 0) {
		curl_multi_cleanup(c->multi);
		free(c);
		return slt_fail(err, SLT_EINTERNAL, "cannot start the client thread: %s",
				strerror(r));
	}
	*ret = c;
	return true;
}

void slt_client_stop(struct slt_client *c)
{
	pthread_mutex_lock(&c->lock);
	bool running = !c->stopping;
	c->stopping = true;
	pthread_mutex_unlock(&c->lock);
	if (running) {
		curl_multi_wakeup(c->multi);
		pthread_join(c->thread, NULL);
	}
}

void slt_client_free(struct slt_client *c)
{
	if (!c) {
		return;
	}
	slt_client_stop(c);
	curl_multi_cleanup(c->multi);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct job *job_new(struct slt_client *c, const struct slt_call *call)
{
	struct job *j = slt_calloc(1, sizeof(*j));

	j->client = c;
	j->call = *call;
	j->easy = curl_easy_init();
	slt_assert(j->easy);
	set_call(j);
	return j;
}

void slt_client_start_all(struct slt_client *c, const struct slt_call *call, size_t n)
{
	struct jobs fresh = TAILQ_HEAD_INITIALIZER(fresh);
	struct job *j;

	for (size_t i = 0; i < n; i++) {
		j = job_new(c, &call[i]);
		TAILQ_INSERT_TAIL(&fresh, j, entry);
	}
	pthread_mutex_lock(&c->lock);
	bool taken = !c->stopping;
	if (taken) {
		TAILQ_CONCAT(&c->incoming, &fresh, entry);
	}
	pthread_mutex_unlock(&c->lock);
	if (taken) {
		curl_multi_wakeup(c->multi);
		return;
	}
	while ((j = TAILQ_FIRST(&fresh))) {
		TAILQ_REMOVE(&fresh, j, entry);
		abort_job(j); /* nobody would ever take it */
	}
}

void slt_client_start(struct slt_client *c, const struct slt_call *call)
{
	slt_client_start_all(c, call, 1);
}
