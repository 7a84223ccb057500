/* SPDX-License-Identifier: MIT */
/*
 * What one exchange must cost at the least, measured on this machine now: two signatures, two
 * verifications, four parses, the TLS records of four messages. Nothing of Silta is in it.
 *
 * bench_floor FILE…: the four messages. BITS of the key: 2048, 3072, or 256 for P-256. Prints
 * microseconds of CPU, one line a part and the sum.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxml/parser.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/file.h"

#define MESSAGES 4
#define ROUNDS	 200

struct message {
	char *p;
	size_t n;
};

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void sign_and_verify(EVP_PKEY *key, const struct message *m, double *sign, double *verify)
{
	unsigned char sig[1024];
	size_t n = 0;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	double t0 = cpu_us();

	for (int i = 0; i < ROUNDS; i++) {
		n = sizeof(sig);
		slt_assert(EVP_DigestSignInit(c, NULL, EVP_sha512(), NULL, key) == 1);
		slt_assert(EVP_DigestSign(c, sig, &n, (unsigned char *)m->p, m->n) == 1);
		EVP_MD_CTX_reset(c);
	}
	double t1 = cpu_us();
	for (int i = 0; i < ROUNDS; i++) {
		slt_assert(EVP_DigestVerifyInit(c, NULL, EVP_sha512(), NULL, key) == 1);
		slt_assert(EVP_DigestVerify(c, sig, n, (unsigned char *)m->p, m->n) == 1);
		EVP_MD_CTX_reset(c);
	}
	*sign = (t1 - t0) / ROUNDS;
	*verify = (cpu_us() - t1) / ROUNDS;
	EVP_MD_CTX_free(c);
}

static double parse(const struct message *m)
{
	double t0 = cpu_us();

	for (int i = 0; i < ROUNDS; i++) {
		xmlDoc *d = xmlReadMemory(m->p, (int)m->n, NULL, NULL, XML_PARSE_NONET);
		slt_assert(d);
		xmlFreeDoc(d);
	}
	return (cpu_us() - t0) / ROUNDS;
}

static double records(const struct message *m)
{
	unsigned char key[32] = {1}, iv[12] = {2}, *out = slt_calloc(m->n + 32, 1);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	double t0 = cpu_us();
	int n;

	for (int i = 0; i < ROUNDS; i++) {
		slt_assert(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, iv) == 1);
		slt_assert(EVP_EncryptUpdate(c, out, &n, (unsigned char *)m->p, (int)m->n) == 1);
		slt_assert(EVP_EncryptFinal_ex(c, out + n, &n) == 1);
	}
	EVP_CIPHER_CTX_free(c);
	free(out);
	return (cpu_us() - t0) / ROUNDS;
}

int main(int argc, char **argv)
{
	struct message m[MESSAGES];
	struct slt_err err = SLT_ERR_INIT;
	double sign = 0, verify = 0, parsed = 0, tls = 0, s, v;
	int bits = getenv("BITS") ? (int)strtol(getenv("BITS"), NULL, 10) : 2048;
	EVP_PKEY *key = bits == 256 ? EVP_EC_gen("P-256") : EVP_RSA_gen((unsigned)bits);

	if (argc != MESSAGES + 1) {
		fprintf(stderr, "usage: bench_floor FILE FILE FILE FILE\n");
		return 2;
	}
	for (int i = 0; i < MESSAGES; i++) {
		if (!slt_file_read(argv[i + 1], 64u << 20, &m[i].p, &m[i].n, &err)) {
			fprintf(stderr, "%s\n", err.msg);
			return 2;
		}
		parsed += parse(&m[i]);
		tls += records(&m[i]);
	}
	for (int i = 0; i < 2; i++) {
		sign_and_verify(key, &m[i * 2], &s, &v);
		sign += s;
		verify += v;
	}
	printf("sign %.0f\nverify %.0f\nparse %.0f\ntls %.0f\nfloor %.0f\n", sign, verify, parsed,
	       tls, sign + verify + parsed + tls);
	for (int i = 0; i < MESSAGES; i++) {
		free(m[i].p);
	}
	EVP_PKEY_free(key);
	return 0;
}
