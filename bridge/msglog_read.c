/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "federation/ident.h"
#include "msglog_store.h"

#define SEALER_MAX (8 * SLT_ID_PART_MAX)

struct slt_msglog_reader {
	const struct slt_msglog_driver *driver;
	struct slt_msglog_store *store;
};

static const char *const status_names[] = {
	[SLT_MSGLOG_OPEN] = "open",
	[SLT_MSGLOG_DONE] = "done",
	[SLT_MSGLOG_FAILED] = "failed",
	[SLT_MSGLOG_UNKNOWN] = "unknown",
};

const char *slt_msglog_status_name(enum slt_msglog_status s)
{
	return status_names[s];
}

bool slt_msglog_status_find(const char *name, enum slt_msglog_status *ret)
{
	for (size_t i = 0; i < SLT_COUNT(status_names); i++) {
		if (strcmp(name, status_names[i]) == 0) {
			*ret = (enum slt_msglog_status)i;
			return true;
		}
	}
	return false;
}

bool slt_msglog_reader_open(const char *path, struct slt_msglog_reader **ret, struct slt_err *err)
{
	struct slt_msglog_store *store = NULL;
	if (!slt_msglog_sqlite.open(path, false, 0, &store, err)) {
		return false;
	}
	struct slt_msglog_reader *r = slt_calloc(1, sizeof(*r));
	r->driver = &slt_msglog_sqlite;
	r->store = store;
	*ret = r;
	return true;
}

void slt_msglog_reader_close(struct slt_msglog_reader *r)
{
	if (r) {
		r->driver->close(r->store);
		free(r);
	}
}

struct slt_msglog_store *slt_msglog_reader_store(struct slt_msglog_reader *r,
						 const struct slt_msglog_driver **ret_driver)
{
	*ret_driver = r->driver;
	return r->store;
}

bool slt_msglog_each(struct slt_msglog_reader *r, const struct slt_msglog_filter *f,
		     slt_msglog_exchange_fn each, void *arg, struct slt_err *err)
{
	return r->driver->exchanges(r->store, f, each, arg, err);
}

bool slt_msglog_messages(struct slt_msglog_reader *r, const char *exchange, struct slt_arena *a,
			 struct slt_msglog_message **ret, size_t *ret_n, struct slt_err *err)
{
	return r->driver->messages(r->store, exchange, a, ret, ret_n, err);
}

bool slt_msglog_stream_part(struct slt_msglog_reader *r, int64_t seq, const char *name,
			    bool (*piece)(void *arg, struct slt_str p, struct slt_err *err),
			    void *arg, struct slt_err *err)
{
	unsigned part;
	if (!r->driver->part(r->store, seq, name, &part, err)) {
		return false;
	}
	for (unsigned i = 0;; i++) {
		struct slt_str p;
		if (!r->driver->chunk(r->store, seq, part, i, &p, err)) {
			return false;
		}
		if (!p.p) {
			return true;
		}
		if (!piece(arg, p, err)) {
			return false;
		}
	}
}

struct collect {
	struct slt_buf *out;
	const char *name;
};

static bool collect_piece(void *arg, struct slt_str p, struct slt_err *err)
{
	struct collect *c = arg;
	slt_buf_add(c->out, p.p, p.n);
	return slt_buf_check(c->out, c->name, err);
}

bool slt_msglog_read_part(struct slt_msglog_reader *r, int64_t seq, const char *name,
			  struct slt_buf *out, struct slt_err *err)
{
	struct collect c = {.out = out, .name = name};
	return slt_msglog_stream_part(r, seq, name, collect_piece, &c, err);
}

bool slt_msglog_sealer(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
		       struct slt_arena *a, const char **ret, struct slt_err *err)
{
	SLT_AUTO_BUF(b, SEALER_MAX);
	unsigned i = 0;
	while (i < m->n_parts && strcmp(m->part[i].name, SLT_MSGLOG_SEALER) != 0) {
		i++;
	}
	if (i < m->n_parts && !slt_msglog_read_part(r, m->seq, SLT_MSGLOG_SEALER, &b, err)) {
		return false;
	}
	*ret = i < m->n_parts ? slt_arena_strdup(a, slt_buf_str(&b).p) : NULL;
	return true;
}
