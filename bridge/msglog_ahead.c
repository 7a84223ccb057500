/* SPDX-License-Identifier: MIT */

/*
 * Large bodies, written ahead of the record that they belong to: in transactions of their own, so
 * small that nobody waits for them. The record claims its body in its own transaction; a body that
 * nobody claimed is an orphan and goes in as small steps.
 */

#include "msglog_write.h"

#define AHEAD_MIN (1u << 20) /* bytes of attachments that are written with their record */
#define STEP	  8	     /* chunks in one transaction: 2 MB */

static uint64_t size_of(const struct slt_message *m)
{
	uint64_t size = 0;
	for (unsigned i = 0; i < m->n_attachments; i++) {
		size += slt_spool_size(m->attachment[i].body);
	}
	return size;
}

bool slt_msglog_is_ahead(const struct slt_msglog_job *j)
{
	return j->kind == SLT_MSGLOG_MESSAGE && !j->ahead.written &&
	       size_of(j->record->message) > AHEAD_MIN;
}

/* The next chunk of the next attachment that has one; written when there is none left. */
static bool put_next(const struct slt_msglog_writer *w, const struct slt_message *m,
		     struct slt_msglog_ahead *a, struct slt_err *err)
{
	size_t n = 0;
	for (; a->attachment < m->n_attachments; a->attachment++, a->chunk = 0, a->offset = 0) {
		if (!slt_spool_read(m->attachment[a->attachment].body, a->offset, w->buffer,
				    SLT_MSGLOG_CHUNK, &n, err)) {
			return slt_wrap(err, "an attachment that is being logged");
		}
		if (n > 0) {
			break;
		}
	}
	if (n == 0) {
		a->written = true;
		return true;
	}
	a->offset += n;
	return w->driver->put_chunk(w->store, -a->body, SLT_MSGLOG_PART_OF(a->attachment),
				    a->chunk++, (struct slt_str){w->buffer, n}, err);
}

static bool put_step(const struct slt_msglog_writer *w, struct slt_msglog_job *j,
		     struct slt_err *err)
{
	struct slt_msglog_ahead *a = &j->ahead;
	if (!w->driver->begin(w->store, err)) {
		return false;
	}
	const struct slt_message *m = j->record->message;
	if (a->body == 0 && (!slt_msglog_judge_repeated(w, j->record, err) ||
			     !w->driver->ahead_new(w->store, size_of(m), &a->body, err))) {
		return false;
	}
	for (unsigned n = 0; n < STEP && !a->written; n++) {
		if (!put_next(w, m, a, err)) {
			return false;
		}
	}
	return w->driver->commit(w->store, err);
}

bool slt_msglog_write_ahead(const struct slt_msglog_writer *w, struct slt_msglog_job *j)
{
	if (put_step(w, j, &j->err)) {
		return true;
	}
	w->driver->rollback(w->store);
	return false;
}

bool slt_msglog_sweep(const struct slt_msglog_writer *w, int64_t keep, bool *ret_more,
		      struct slt_err *err)
{
	if (w->driver->begin(w->store, err) &&
	    w->driver->ahead_sweep(w->store, keep, STEP, ret_more, err) &&
	    w->driver->commit(w->store, err)) {
		return true;
	}
	w->driver->rollback(w->store);
	return false;
}
