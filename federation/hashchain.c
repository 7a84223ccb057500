/* SPDX-License-Identifier: MIT */
/* Building hash chains; verifying them is in hashchain_verify.c. */
#include "federation/hashchain.h"

#include <stdlib.h>
#include <string.h>

/* --- DER of a step --- */

static void add_der(struct slt_buf *out, unsigned char tag, const void *p, size_t n)
{
	unsigned char head[6] = {tag};
	unsigned k = 2;

	slt_assert(n < 1u << 24);
	if (n < 0x80) {
		head[1] = (unsigned char)n;
	} else if (n < 0x100) {
		head[1] = 0x81;
		head[k++] = (unsigned char)n;
	} else {
		unsigned octets = n < 0x10000 ? 2 : 3;
		head[1] = (unsigned char)(0x80 | octets);
		while (octets--) {
			head[k++] = (unsigned char)(n >> (8 * octets));
		}
	}
	slt_buf_add(out, head, k);
	slt_buf_add(out, p, n);
}

/* SEQUENCE OF SEQUENCE { digest OCTET STRING, method UTF8String, transforms SEQUENCE {} } */
void slt_hashchain_step(enum slt_digest_alg alg, const struct slt_digest *values, size_t n,
			struct slt_digest *ret)
{
	SLT_AUTO_BUF(all, 1u << 24);
	SLT_AUTO_BUF(one, 1024);
	SLT_AUTO_BUF(der, (1u << 24) + 16);

	for (size_t i = 0; i < n; i++) {
		const char *uri = slt_digest_uri(values[i].alg);
		slt_buf_reset(&one);
		add_der(&one, 0x04, values[i].v, values[i].n);
		add_der(&one, 0x0c, uri, strlen(uri));
		add_der(&one, 0x30, "", 0);
		add_der(&all, 0x30, one.p, one.n);
	}
	struct slt_str s = slt_buf_str(&all);
	add_der(&der, 0x30, s.p, s.n);
	slt_assert(!one.failed && !all.failed && !der.failed);
	slt_digest_of(alg, der.p, der.n, ret);
}

/* --- the tree --- */

/* Level 0 holds the leaves; a node without a right neighbour moves up as it is. */
struct tree {
	struct slt_digest *level[SLT_HASHCHAIN_DEPTH_MAX];
	size_t n[SLT_HASHCHAIN_DEPTH_MAX];
	unsigned n_levels;
};

static void tree_fini(struct tree *t)
{
	for (unsigned i = 0; i < t->n_levels; i++) {
		free(t->level[i]);
	}
}

static bool check_input(enum slt_digest_alg alg, const struct slt_hc_input *in, struct slt_err *err)
{
	if (in->n == 0) {
		return slt_fail(err, SLT_EINVAL, "a message without parts cannot be hashed");
	}
	for (size_t i = 0; i < in->n; i++) {
		if (in->parts[i].alg != alg || in->parts[i].n == 0) {
			return slt_fail(err, SLT_EINVAL, "%s has no %s digest", in->names[i],
					slt_digest_name(alg));
		}
	}
	return true;
}

/* Is the input a step of its own? A lone input always is: a result needs one to point at. */
static bool has_step(const struct slt_hc_input *in, size_t n_inputs)
{
	return in->n > 1 || n_inputs == 1;
}

static bool plant(enum slt_digest_alg alg, const struct slt_hc_input *in, size_t n, struct tree *t,
		  struct slt_err *err)
{
	t->level[0] = slt_calloc(n, sizeof(struct slt_digest));
	t->n[0] = n;
	t->n_levels = 1;
	for (size_t i = 0; i < n; i++) {
		if (!check_input(alg, &in[i], err)) {
			return slt_wrap(err, "input %zu of the hash chain", i + 1);
		}
		if (has_step(&in[i], n)) {
			slt_hashchain_step(alg, in[i].parts, in[i].n, &t->level[0][i]);
		} else {
			t->level[0][i] = in[i].parts[0];
		}
	}
	while (n > 1) {
		const struct slt_digest *below = t->level[t->n_levels - 1];
		struct slt_digest *here = slt_calloc((n + 1) / 2, sizeof(*here));
		for (size_t i = 0; i < n; i += 2) {
			if (i + 1 < n) {
				slt_hashchain_step(alg, &below[i], 2, &here[i / 2]);
			} else {
				here[i / 2] = below[i];
			}
		}
		n = (n + 1) / 2;
		t->level[t->n_levels] = here;
		t->n[t->n_levels++] = n;
	}
	return true;
}

/* --- the documents, laid out as X-Road's own --- */

#define XML_DECL "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define NS_DECL                                                                                    \
	"xmlns=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:ns2=\"http://cyber.ee/hashchain\""

static void add_value(struct slt_buf *out, const struct slt_digest *d)
{
	slt_buf_adds(out, "            <DigestValue>");
	slt_buf_add_base64(out, d->v, d->n);
	slt_buf_adds(out, "</DigestValue>\n");
}

static void add_hash(struct slt_buf *out, const struct slt_digest *d)
{
	slt_buf_adds(out, "        <ns2:HashValue>\n");
	add_value(out, d);
	slt_buf_adds(out, "        </ns2:HashValue>\n");
}

static void add_data_ref(struct slt_buf *out, const char *uri, const struct slt_digest *d)
{
	slt_buf_adds(out, "        <ns2:DataRef URI=\"");
	slt_buf_add_xml(out, uri);
	slt_buf_adds(out, "\">\n");
	add_value(out, d);
	slt_buf_adds(out, "        </ns2:DataRef>\n");
}

static void begin_step(struct slt_buf *out, unsigned i)
{
	slt_buf_addf(out, "    <ns2:HashStep id=\"STEP%u\">\n", i);
}

static void end_step(struct slt_buf *out)
{
	slt_buf_adds(out, "    </ns2:HashStep>\n");
}

/* What stands on the own side of a step: the next step down, or the data itself. */
static void add_mine(struct slt_buf *out, const struct slt_hc_input *in, bool is_last,
		     unsigned next_step)
{
	if (is_last && in->n == 1) {
		add_data_ref(out, in->names[0], &in->parts[0]);
	} else {
		slt_buf_addf(out, "        <ns2:StepRef URI=\"#STEP%u\"/>\n", next_step);
	}
}

/* Has the node that leaf k descends from at this level a neighbour to be hashed with? */
static bool is_fork(const struct tree *t, unsigned level, size_t k)
{
	return ((k >> level) | 1) < t->n[level];
}

static char *chain_of(enum slt_digest_alg alg, const struct tree *t, const struct slt_hc_input *in,
		      size_t k)
{
	SLT_AUTO_BUF(b, SIZE_MAX / 4);
	unsigned step = 0, forks = 0;

	for (unsigned l = 0; l + 1 < t->n_levels; l++) {
		forks += is_fork(t, l, k);
	}
	slt_buf_adds(&b, XML_DECL "<ns2:HashChain " NS_DECL
				  ">\n    <ns2:DefaultDigestMethod Algorithm=\"");
	slt_buf_adds(&b, slt_digest_uri(alg));
	slt_buf_adds(&b, "\"/>\n");
	for (unsigned l = t->n_levels - 1; l-- > 0;) {
		size_t mine = k >> l;
		if (!is_fork(t, l, k)) {
			continue;
		}
		begin_step(&b, step++);
		if (mine & 1) {
			add_hash(&b, &t->level[l][mine - 1]);
		}
		add_mine(&b, in, step == forks, step);
		if (!(mine & 1)) {
			add_hash(&b, &t->level[l][mine + 1]);
		}
		end_step(&b);
	}
	if (has_step(in, t->n[0])) {
		begin_step(&b, step);
		for (size_t i = 0; i < in->n; i++) {
			add_data_ref(&b, in->names[i], &in->parts[i]);
		}
		end_step(&b);
	}
	slt_buf_adds(&b, "</ns2:HashChain>\n");
	return slt_buf_take(&b, NULL);
}

static char *result_of(enum slt_digest_alg alg, const struct slt_digest *top, const char *base)
{
	SLT_AUTO_BUF(b, SIZE_MAX / 4);

	slt_buf_adds(&b, XML_DECL "<ns2:HashChainResult URI=\"");
	slt_buf_add_xml(&b, base);
	slt_buf_adds(&b, "#STEP0\" " NS_DECL ">\n    <DigestMethod Algorithm=\"");
	slt_buf_adds(&b, slt_digest_uri(alg));
	slt_buf_adds(&b, "\"/>\n    <DigestValue>");
	slt_buf_add_base64(&b, top->v, top->n);
	slt_buf_adds(&b, "</DigestValue>\n</ns2:HashChainResult>\n");
	return slt_buf_take(&b, NULL);
}

bool slt_hashchain_build(enum slt_digest_alg alg, const struct slt_hc_input *inputs, size_t n,
			 const char *base, struct slt_hc_result *ret, struct slt_err *err)
{
	__attribute__((cleanup(tree_fini))) struct tree t = {.n_levels = 0};

	if (n == 0) {
		return slt_fail(err, SLT_EINVAL, "a hash chain needs an input");
	}
	if (n > SLT_HASHCHAIN_LEAVES_MAX) {
		return slt_fail(err, SLT_ELIMIT, "a hash chain has at most %d inputs",
				SLT_HASHCHAIN_LEAVES_MAX);
	}
	if (!plant(alg, inputs, n, &t, err)) {
		return false;
	}
	ret->result = result_of(alg, &t.level[t.n_levels - 1][0], base);
	ret->chains = slt_calloc(n, sizeof(*ret->chains));
	ret->n = n;
	for (size_t i = 0; i < n; i++) {
		ret->chains[i] = chain_of(alg, &t, &inputs[i], i);
	}
	return true;
}

void slt_hashchain_result_fini(struct slt_hc_result *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->chains[i]);
	}
	free(r->chains);
	free(r->result);
	*r = (struct slt_hc_result){.n = 0};
}
