/* SPDX-License-Identifier: MIT */

/*
 * Time-stamping in batches (xroad-wire 6.2), and cutting off.
 *
 * The log's own chain digest is one more leaf of each batch's tree. So every token also says which
 * entries the log had at that instant: what was logged before it cannot be rewritten afterwards.
 * For X-Road's verifier that leaf is just a neighbour's digest.
 */

#include <inttypes.h>
#include <string.h>

#include "federation/hashchain.h"
#include "msglog_write.h"

#define TOKEN_MAX 65536
#define BATCH_MAX (SLT_HASHCHAIN_LEAVES_MAX - 1)

void slt_msglog_head_text(const struct slt_msglog_head *head, struct slt_buf *out)
{
	slt_buf_addf(out, "%" PRId64 ":", head->seq);
	slt_buf_add_hex(out, head->chain, sizeof(head->chain));
}

void slt_msglog_head_digest(const struct slt_msglog_head *head, struct slt_digest *ret)
{
	SLT_AUTO_BUF(text, 256);
	slt_msglog_head_text(head, &text);
	slt_digest_of(SLT_SHA512, text.p, text.n, ret);
}

struct leaves {
	struct slt_hc_input *input;
	struct slt_digest *digest;
	const char **name;
	size_t n;
};

static void leaf(struct leaves *l, const char *name)
{
	l->name[l->n] = name;
	l->input[l->n] =
		(struct slt_hc_input){.parts = &l->digest[l->n], .names = &l->name[l->n], .n = 1};
	l->n++;
}

static bool leaves_collect(struct slt_msglog_reader *r, const int64_t *seq, size_t n,
			   const struct slt_msglog_head *head, struct slt_arena *a,
			   struct leaves *ret, struct slt_err *err)
{
	SLT_AUTO_BUF(b, SLT_MSGLOG_DOC_MAX);
	ret->input = slt_arena_alloc(a, (n + 1) * sizeof(*ret->input));
	ret->digest = slt_arena_alloc(a, (n + 1) * sizeof(*ret->digest));
	ret->name = slt_arena_alloc(a, (n + 1) * sizeof(*ret->name));
	ret->n = 0;
	for (size_t i = 0; i < n; i++) {
		slt_buf_reset(&b);
		if (!slt_msglog_read_part(r, seq[i], SLT_MSGLOG_SIGNATURE, &b, err)) {
			return false;
		}
		slt_digest_of(SLT_SHA512, b.p, b.n, &ret->digest[i]);
		leaf(ret, SLT_MSGLOG_SIGNATURE);
	}
	slt_msglog_head_digest(head, &ret->digest[n]);
	leaf(ret, SLT_MSGLOG_HEAD_LEAF);
	return true;
}

struct request {
	struct slt_msglog *log;
	const char *side;
	int64_t at_ms;
	slt_msglog_stamp_fn stamp;
	void *arg;
};

static bool stamp_tree(const struct request *q, const int64_t *seq, unsigned n,
		       const struct slt_msglog_head *head, const struct slt_hc_result *tree,
		       struct slt_err *err)
{
	SLT_AUTO_BUF(token, TOKEN_MAX);
	struct slt_digest imprint;
	struct slt_msglog_batch batch = {.seq = seq, .chains = tree->chains, .n = n};
	slt_digest_of(SLT_SHA512, tree->result, strlen(tree->result), &imprint);
	if (!q->stamp(q->arg, &imprint, &token, &batch.stamp.time_ms, err)) {
		return slt_wrap(err, "time-stamping %u messages of %s", n, q->side);
	}
	if (!slt_buf_check(&token, "time-stamp", err)) {
		return false;
	}
	batch.stamp.side = q->side;
	batch.stamp.token = slt_buf_str(&token);
	batch.stamp.result = slt_str(tree->result);
	batch.stamp.head = *head;
	batch.stamp.head_chain = slt_str(tree->chains[n]);
	batch.stamp.n = n;
	struct slt_msglog_job *j = slt_msglog_job_new(SLT_MSGLOG_STAMP, q->at_ms);
	j->batch = &batch;
	return slt_msglog_run(q->log, j, err);
}

bool slt_msglog_timestamp(struct slt_msglog *l, const char *side, unsigned max,
			  slt_msglog_stamp_fn stamp, void *arg, int64_t at_ms, unsigned *ret_n,
			  struct slt_err *err)
{
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = NULL;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	const struct slt_msglog_driver *driver;
	struct slt_msglog_head head;
	int64_t *seq = NULL;
	size_t n = 0;
	if (!slt_msglog_reader_open(slt_msglog_path(l), &r, err)) {
		return false;
	}
	struct slt_msglog_store *s = slt_msglog_reader_store(r, &driver);
	if (!driver->unstamped(s, side, max < BATCH_MAX ? max : BATCH_MAX, a, &seq, &n, err) ||
	    !driver->head(s, &head, err)) {
		return false;
	}
	if (n == 0) { /* what has no signature is covered by the log's head alone */
		bool uncovered = false;
		if (!driver->uncovered(s, side, &uncovered, err)) {
			return false;
		}
		if (!uncovered) {
			*ret_n = 0;
			return true;
		}
	}
	struct leaves leaves;
	struct slt_hc_result tree;
	struct request q = {l, side, at_ms, stamp, arg};
	if (!leaves_collect(r, seq, n, &head, a, &leaves, err) ||
	    !slt_hashchain_build(SLT_SHA512, leaves.input, leaves.n, "/ts-hashchain.xml", &tree,
				 err)) {
		return false;
	}
	bool ok = stamp_tree(&q, seq, (unsigned)n, &head, &tree, err);
	slt_hashchain_result_fini(&tree);
	if (ok) {
		*ret_n = (unsigned)n;
	}
	return ok;
}

static bool scrub(struct slt_msglog *l, struct slt_err *err)
{
	struct slt_msglog_store *s = NULL;
	if (!slt_msglog_sqlite.open(slt_msglog_path(l), true, 0, &s, err)) {
		return false;
	}
	bool ok = slt_msglog_sqlite.scrub(s, err);
	slt_msglog_sqlite.close(s);
	return ok;
}

bool slt_msglog_cut(struct slt_msglog *l, int64_t before_ms, int64_t at_ms, unsigned *ret_n,
		    struct slt_err *err)
{
	unsigned total = 0;
	for (;;) {
		unsigned n = 0;
		struct slt_msglog_job *j = slt_msglog_job_new(SLT_MSGLOG_CUT, at_ms);
		j->before_ms = before_ms;
		j->ret_n = &n;
		if (!slt_msglog_run(l, j, err)) {
			return slt_wrap(err, "cutting off old messages (%u were)", total);
		}
		if (n == 0) {
			*ret_n = total;
			return total == 0 || scrub(l, err);
		}
		total += n;
	}
}
