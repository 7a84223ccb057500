/* SPDX-License-Identifier: MIT */
/*
 * Signing and verifying beside the bare OpenSSL operations, and global configurations of three
 * sizes, measured in this run on this machine. CPU time of one thread.
 *
 * bench_trust [SECONDS]: about how long each row takes, 0.5 by default.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "federation/globalconf_cache.h"
#include "federation/globalconf_write.h"
#include "federation/xades_verify.h"
#include "tests/support/evidence.h"
#include "verify_cache.h"

#define MESSAGE_SIZE 5000
#define BATCH	     32
#define MEMBER	     "FI/COM/1234567-8"

static double row_seconds = 0.5;

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bench_trust: %s\n", what);
		exit(2);
	}
}

/* Microseconds of one run of a function: the best of five rounds, since what disturbs only ever
 * adds. */
static double measure(void (*run)(void *), void *arg)
{
	double best = 0, t0 = cpu_us();
	unsigned n = 0;

	run(arg);
	double once = cpu_us() - t0;
	unsigned rounds = (unsigned)(row_seconds * 2e5 / (once > 1 ? once : 1)) + 1;

	for (unsigned i = 0; i < 5; i++) {
		t0 = cpu_us();
		for (n = 0; n < rounds; n++) {
			run(arg);
		}
		double each = (cpu_us() - t0) / rounds;
		best = i == 0 || each < best ? each : best;
	}
	return best;
}

/* --- signatures --- */

struct subject { /* one kind of key, for everybody in its world */
	const char *name;
	enum pki_key kind;
	enum slt_sig_alg alg;
	struct pki_cert *ca, *cert;
	struct slt_key *key;
	struct slt_globalconf *gc;
	struct slt_verify_cache *cache;
	const struct slt_verify_memory *memory; /* of cache, when it may be used */
	struct slt_buf ocsp;
	char message[MESSAGE_SIZE];
	struct slt_digest digest[BATCH];
	struct slt_buf bare; /* a signature over digest[0] */
	struct slt_signed signed_one, signed_batch;
};

static const char *const names[] = {"/message.xml"};

static void bare_sign(void *arg)
{
	struct subject *s = arg;
	struct slt_err err = SLT_ERR_INIT;

	slt_buf_reset(&s->bare);
	must(s->key->sign(s->key, &s->digest[0], &s->bare, &err), err.msg);
}

static void bare_verify(void *arg)
{
	struct subject *s = arg;
	struct slt_err err = SLT_ERR_INIT;

	must(slt_sig_verify(X509_get0_pubkey(s->cert->x509), s->alg, &s->digest[0], s->bare.p,
			    s->bare.n, &err),
	     err.msg);
}

static void sign(struct subject *s, size_t n, struct slt_signed *ret)
{
	struct slt_sign_input in[BATCH];
	struct slt_str response = slt_buf_str(&s->ocsp);
	const struct slt_sign_options o = {
		.key = s->key, .ocsp = &response, .n_ocsp = 1, .now_ms = PKI_NOW};
	struct slt_err err = SLT_ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		slt_digest_of(SLT_SHA512, s->message, sizeof(s->message), &s->digest[i]);
		in[i] = (struct slt_sign_input){&s->digest[i], names, 1};
	}
	must(slt_xades_sign(&o, in, n, ret, &err), err.msg);
}

static void sign_one(void *arg)
{
	struct subject *s = arg;

	slt_signed_fini(&s->signed_one);
	sign(s, 1, &s->signed_one);
}

static void sign_batch(void *arg)
{
	struct subject *s = arg;
	struct slt_signed out[BATCH];

	slt_signed_fini(&s->signed_batch);
	sign(s, BATCH, out);
	for (size_t i = 1; i < BATCH; i++) {
		slt_signed_fini(&out[i]);
	}
	s->signed_batch = out[0];
}

static void verify(struct subject *s, const struct slt_signed *d)
{
	struct slt_verify_part part = {.name = names[0],
				       .digest = &s->digest[0],
				       .data = {s->message, sizeof(s->message)}};
	const struct slt_verify_input in = {
		.gc = s->gc,
		.signer = {.type = SLT_ID_MEMBER,
			   .instance = "FI",
			   .member_class = "COM",
			   .member_code = "1234567-8"},
		.at_ms = PKI_NOW,
		.signature = slt_str(d->signature),
		.hash_chain_result = slt_str(d->hash_chain_result),
		.hash_chain = slt_str(d->hash_chain),
		.parts = &part,
		.n_parts = 1,
		.memory = s->memory,
	};
	struct slt_verdict v;
	struct slt_err err = SLT_ERR_INIT;

	/* the message comes in once, and is hashed once */
	slt_digest_of(SLT_SHA512, s->message, sizeof(s->message), &s->digest[0]);
	must(slt_xades_verify(&in, &v, &err), err.msg);
	slt_verdict_fini(&v);
}

static void verify_one(void *arg)
{
	struct subject *s = arg;

	verify(s, &s->signed_one);
}

static void verify_batch(void *arg)
{
	struct subject *s = arg;

	verify(s, &s->signed_batch);
}

/* The path and OCSP alone: what a cache of verdicts would save. */
static void verify_path(void *arg)
{
	struct subject *s = arg;
	struct slt_str response = slt_buf_str(&s->ocsp);
	const struct slt_ocsp_source ocsp = {&response, 1};
	const unsigned char *der = NULL;
	unsigned char *bytes = NULL;
	struct slt_cert_path path;
	struct slt_err err = SLT_ERR_INIT;
	int n = i2d_X509(s->cert->x509, &bytes);

	der = bytes;
	X509 *cert = d2i_X509(NULL, &der, n);

	must(slt_chain_verify(s->gc, "FI", cert, NULL, 0, &ocsp, PKI_NOW, false, NULL, &path, &err),
	     err.msg);
	X509_free(cert);
	OPENSSL_free(bytes);
}

static void subject_init(struct subject *s)
{
	SLT_AUTO_STR char *name = pki_subject(SLT_PROFILE_FIVRK, MEMBER);

	s->ca = pki_ca(NULL, "C=FI;O=Test;CN=CA", s->kind, 0);
	s->cert = pki_sign_cert(s->ca, name, s->kind, 1);
	s->key = evidence_key(s->cert, s->alg);
	slt_buf_init(&s->ocsp, SLT_OCSP_BYTES_MAX);
	slt_buf_init(&s->bare, 4096);
	pki_ocsp_good(s->cert, s->ca, PKI_NOW - 60000, &s->ocsp);
	memset(s->message, 'm', sizeof(s->message));
	slt_digest_of(SLT_SHA512, s->message, sizeof(s->message), &s->digest[0]);

	struct pki_gc_instance inst = {.name = "FI", .ca[0] = {.top = s->ca}, .member = {MEMBER}};

	s->gc = pki_globalconf(&inst, 1);
	s->cache = slt_verify_cache_new(s->gc);
}

static void subject_fini(struct subject *s)
{
	slt_signed_fini(&s->signed_one);
	slt_signed_fini(&s->signed_batch);
	slt_buf_fini(&s->ocsp);
	slt_buf_fini(&s->bare);
	slt_key_free(s->key);
	slt_verify_cache_free(s->cache);
	slt_globalconf_free(s->gc);
	pki_cert_free(s->cert);
	pki_cert_free(s->ca);
}

static void row(const struct subject *s, const char *what, double us, double bare, const char *of)
{
	printf("%-9s %-34s %9.1f us %9.0f /s", s->name, what, us, 1e6 / us);
	if (of != NULL) {
		printf("  %6.2f x %s", us / bare, of);
	}
	printf("\n");
}

static void bench_signatures(struct subject *s)
{
	subject_init(s);
	sign_one(s);
	sign_batch(s);

	double one = measure(bare_sign, s), direct = measure(sign_one, s);
	double batch = measure(sign_batch, s) / BATCH;
	double check = measure(bare_verify, s);

	row(s, "bare sign", one, 0, NULL);
	row(s, "sign, direct", direct, one, "bare sign");
	row(s, "sign, batch of 32, a message", batch, one, "bare sign");
	row(s, "bare verify", check, 0, NULL);
	/* the certificate's and the OCSP response's are signatures too */
	row(s, "certificate, path and OCSP", measure(verify_path, s), 2 * check, "2 bare verify");
	row(s, "verify, direct, all of it", measure(verify_one, s), 3 * check, "3 bare verify");
	row(s, "verify, batch, all of it", measure(verify_batch, s), 3 * check, "3 bare verify");
	s->memory = slt_verify_cache_memory(s->cache);
	row(s, "verify, direct, signer remembered", measure(verify_one, s), check, "bare verify");
	row(s, "verify, batch, signer remembered", measure(verify_batch, s), check, "bare verify");
	subject_fini(s);
}

/* --- configurations --- */

#define NAME_LEN 24

struct country { /* members with a subsystem each, thirty to a server */
	size_t n;
	char (*code)[NAME_LEN], (*server_code)[NAME_LEN];
	struct slt_gcw_member *member;
	struct slt_gcw_server *server;
	struct slt_id *client;
};

#define PER_SERVER 30

static struct slt_id client_id(const struct country *c, size_t i)
{
	return (struct slt_id){.type = SLT_ID_SUBSYSTEM,
			       .instance = "FI",
			       .member_class = "COM",
			       .member_code = c->code[i],
			       .subsystem = "main"};
}

static void country_init(struct country *c, size_t n)
{
	static const struct slt_gcw_subsystem subsystem = {.code = "main", .name = "The main one"};
	size_t servers = (n + PER_SERVER - 1) / PER_SERVER;

	*c = (struct country){.n = n};
	c->code = slt_calloc(n, sizeof(*c->code));
	c->server_code = slt_calloc(servers, sizeof(*c->server_code));
	c->member = slt_calloc(n, sizeof(*c->member));
	c->server = slt_calloc(servers, sizeof(*c->server));
	c->client = slt_calloc(n, sizeof(*c->client));
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(c->code[i], NAME_LEN, "%07zu-%zu", i, i % 10);
		c->member[i] =
			(struct slt_gcw_member){"COM", c->code[i], "A company", &subsystem, 1};
		c->client[i] = client_id(c, i);
	}
	for (size_t i = 0; i < servers; i++) {
		size_t first = i * PER_SERVER;
		struct slt_id id = slt_id_member(&c->client[first]);

		(void)snprintf(c->server_code[i], NAME_LEN, "ss%zu", i);
		id.type = SLT_ID_SERVER;
		id.server = c->server_code[i];
		c->server[i] = (struct slt_gcw_server){
			.id = id,
			.address = "ss.example",
			.client = &c->client[first],
			.n_client = n - first < PER_SERVER ? n - first : PER_SERVER,
		};
	}
}

static void country_fini(struct country *c)
{
	free(c->code);
	free(c->server_code);
	free(c->member);
	free(c->server);
	free(c->client);
}

static void country_write(const struct country *c, const struct pki_cert *ca, const char *path)
{
	static const struct slt_gcw_class classes = {"COM", "Companies"};
	const struct slt_gcw_source source = {"cs.example", {&ca->x509, 1}, {&ca->x509, 1}};
	const struct slt_gcw_approved_ca approved = {
		.name = "CA", .profile = SLT_PROFILE_FIVRK, .top = {.cert = ca->x509}};
	const struct slt_gcw_shared s = {
		.version = 6,
		.instance = "FI",
		.source = &source,
		.n_source = 1,
		.ca = &approved,
		.n_ca = 1,
		.classes = &classes,
		.n_classes = 1,
		.member = c->member,
		.n_member = c->n,
		.server = c->server,
		.n_server = (c->n + PER_SERVER - 1) / PER_SERVER,
		.ocsp_freshness_s = 3600,
	};
	SLT_AUTO_BUF(out, SLT_SHARED_PARAMS_MAX);
	struct slt_err err = SLT_ERR_INIT;

	must(slt_globalconf_write_shared(&s, &out, &err) &&
		     slt_file_write(path, out.p, out.n, 0600, &err),
	     err.msg);
}

struct looking { /* a walk over clients, with a stride that leaves caches cold */
	const struct country *c;
	const struct slt_globalconf *gc;
	size_t at;
};

static void look_up(void *arg)
{
	struct looking *l = arg;
	const struct slt_id *id = &l->c->client[l->at];
	const struct slt_gc_server *s = slt_globalconf_server_of(l->gc, id, 0);

	must(slt_globalconf_client(l->gc, id) != NULL && s != NULL &&
		     slt_globalconf_serves(l->gc, s, id),
	     "a client is missing");
	l->at = (l->at + 7919) % l->c->n;
}

struct load_cost { /* of one size, from the process that was made for it */
	double us, lookup_us;
	size_t bytes, kib_peak, kib_held;
};

static size_t kib_of(const char *field)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	size_t kib = 0;

	must(f != NULL, "/proc/self/status cannot be read");
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, field, strlen(field)) == 0) {
			kib = strtoul(line + strlen(field), NULL, 10);
		}
	}
	(void)fclose(f);
	return kib;
}

static void load(size_t n, const char *path, const char *small, struct load_cost *cost)
{
	struct slt_globalconf *gc = NULL;
	struct slt_err err = SLT_ERR_INIT;
	struct country c;

	/* what the libraries take once is not the members' */
	must(slt_globalconf_load_shared(small, &gc, &err), err.msg);
	slt_globalconf_free(gc);

	size_t before = kib_of("VmRSS:");
	double t0 = cpu_us();

	must(slt_globalconf_load_shared(path, &gc, &err), err.msg);
	cost->us = cpu_us() - t0;
	cost->kib_peak = kib_of("VmHWM:") - before;
	cost->kib_held = kib_of("VmRSS:") - before;
	country_init(&c, n);

	struct looking l = {&c, gc, 0};

	cost->lookup_us = measure(look_up, &l);
	country_fini(&c);
	slt_globalconf_free(gc);
}

static void write_country(size_t n, const struct pki_cert *ca, const char *path)
{
	struct country c;

	country_init(&c, n);
	country_write(&c, ca, path);
	country_fini(&c);
}

/* Runs in a process of its own, so that memory is counted from nothing: first to write the files
 * (cost NULL), then to load them. */
static void in_child(size_t n, const struct pki_cert *ca, char *const path[2],
		     struct load_cost *cost)
{
	int fd[2], status = 0;
	struct load_cost got = {.us = 0};

	must(pipe(fd) == 0, "no pipe");

	pid_t pid = fork();

	must(pid >= 0, "no process");
	if (pid == 0) {
		if (cost != NULL) {
			load(n, path[0], path[1], &got);
		} else {
			write_country(n, ca, path[0]);
			write_country(PER_SERVER, ca, path[1]);
		}
		_exit(write(fd[1], &got, sizeof(got)) == (ssize_t)sizeof(got) ? 0 : 2);
	}
	must(read(fd[0], &got, sizeof(got)) == (ssize_t)sizeof(got) &&
		     waitpid(pid, &status, 0) == pid && status == 0,
	     "a process failed");
	(void)close(fd[0]);
	(void)close(fd[1]);
	if (cost != NULL) {
		*cost = got;
	}
}

static void bench_configuration(size_t n, const struct pki_cert *ca, struct load_cost *first)
{
	char dir[] = "/tmp/slt-bench-XXXXXX";
	struct load_cost c;
	struct slt_err err = SLT_ERR_INIT;
	struct stat st;

	must(mkdtemp(dir) != NULL, "no temporary directory");

	char *path[2] = {slt_path_join(dir, "shared-params.xml"), slt_path_join(dir, "small.xml")};

	in_child(n, ca, path, NULL);
	in_child(n, ca, path, &c);
	must(stat(path[0], &st) == 0 && slt_rm_tree(dir, &err), err.msg);
	free(path[0]);
	free(path[1]);
	if (first->us <= 0) {
		*first = c;
		first->us /= (double)n;
	}

	double members = (double)n, each = c.us / members;

	printf("%7zu members %7.1f MB %9.1f ms %7.2f us a member (%4.2f x) %6.0f B held %6.0f B at "
	       "the peak, look-up %5.2f us\n",
	       n, (double)st.st_size / 1e6, c.us / 1e3, each, each / first->us,
	       (double)c.kib_held * 1024 / members, (double)c.kib_peak * 1024 / members,
	       c.lookup_us);
}

int main(int argc, char **argv)
{
	static struct subject subjects[] = {
		{.name = "RSA-2048", .kind = PKI_RSA2048, .alg = SLT_RSA_SHA512},
		{.name = "RSA-3072", .kind = PKI_RSA3072, .alg = SLT_RSA_SHA512},
		{.name = "P-256", .kind = PKI_P256, .alg = SLT_ECDSA_SHA512},
	};
	static const size_t sizes[] = {1500, 15000, 150000};
	struct load_cost first = {.us = 0};

	if (argc > 1) {
		row_seconds = strtod(argv[1], NULL);
	}
	slt_xml_init();

	struct pki_cert *ca = pki_ca(NULL, "C=FI;CN=CA", PKI_P256, 0);

	printf("Signatures over a message of %d bytes; CPU of one thread, the best of five rounds\n",
	       MESSAGE_SIZE);
	for (size_t i = 0; i < SLT_COUNT(subjects); i++) {
		bench_signatures(&subjects[i]);
	}
	printf("\nShared parameters, a subsystem a member, a server to %d members\n", PER_SERVER);
	for (size_t i = 0; i < SLT_COUNT(sizes); i++) {
		bench_configuration(sizes[i], ca, &first);
	}
	pki_cert_free(ca);
	return 0;
}
