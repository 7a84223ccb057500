/* SPDX-License-Identifier: MIT */

#include "msglog_export.h"

#include <ctype.h>
#include <string.h>

#include "federation/asic.h"
#include "msglog_store.h"

/* all attachments together: the container stays within what one entry of an archive may have */
#define BODIES_MAX (48u << 20)

void slt_msglog_export_name(const struct slt_msglog_message *m, struct slt_buf *out)
{
	slt_buf_adds(out, m->exchange);
	slt_buf_addc(out, '-');
	for (const char *p = m->side; *p; p++) {
		unsigned char c = (unsigned char)*p;
		bool plain = c < 0x80 && (isalnum(c) || c == '-');
		slt_buf_addc(out, plain ? (char)tolower(c) : '_');
	}
	slt_buf_adds(out, m->response ? "-response.asice" : "-request.asice");
}

/* A part's bytes, in the arena. */
static bool load(struct slt_msglog_reader *r, const struct slt_msglog_message *m, const char *name,
		 struct slt_arena *a, struct slt_str *ret, struct slt_err *err)
{
	SLT_AUTO_BUF(b, SLT_ASIC_BYTES_MAX);
	if (!slt_msglog_read_part(r, m->seq, name, &b, err)) {
		return false;
	}
	*ret = (struct slt_str){slt_arena_memdup(a, slt_buf_str(&b).p, b.n), b.n};
	return true;
}

/* Where a part goes in the container; NULL: nowhere. */
static struct slt_str *place(struct slt_asic_entries *e, const char *name)
{
	if (strcmp(name, SLT_MSGLOG_HEAD) == 0) {
		return &e->message;
	}
	if (strcmp(name, SLT_MSGLOG_SIGNATURE) == 0) {
		return &e->signature;
	}
	if (strcmp(name, SLT_MSGLOG_SIG_RESULT) == 0) {
		return &e->hash_chain_result;
	}
	return strcmp(name, SLT_MSGLOG_SIG_CHAIN) == 0 ? &e->hash_chain : NULL;
}

/* The next attachment's place, or NULL: left out. Its number stays taken. */
static struct slt_str *attachment_place(struct slt_asic_entries *e, const struct slt_msglog_part *p,
					uint64_t *bodies, struct slt_msglog_export_notes *notes)
{
	bool fits = e->n_attachments < SLT_COUNT(e->attachment);
	struct slt_str *to = fits ? &e->attachment[e->n_attachments++] : NULL;
	if (!fits || p->size > SLT_ASIC_BYTES_MAX || *bodies + p->size > BODIES_MAX) {
		notes->n_left_out++;
		return NULL;
	}
	*bodies += p->size;
	return to;
}

static bool load_parts(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
		       struct slt_arena *a, struct slt_asic_entries *e,
		       struct slt_msglog_export_notes *notes, struct slt_err *err)
{
	uint64_t bodies = 0;
	for (unsigned i = 0; i < m->n_parts; i++) {
		const struct slt_msglog_part *p = &m->part[i];
		struct slt_str *to = strncmp(p->name, "/attachment", 11) == 0
					     ? attachment_place(e, p, &bodies, notes)
					     : place(e, p->name);
		if (to && !load(r, m, p->name, a, to, err)) {
			return false;
		}
	}
	return true;
}

static bool load_stamp(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
		       struct slt_arena *a, struct slt_asic_entries *e, struct slt_err *err)
{
	const struct slt_msglog_driver *driver;
	struct slt_msglog_store *s = slt_msglog_reader_store(r, &driver);
	struct slt_msglog_stamp stamp;
	if (!driver->stamp(s, m->stamp_seq, a, &stamp, err) ||
	    !driver->stamp_chain(s, m->seq, a, &e->ts_hash_chain, err)) {
		return false;
	}
	e->ts_hash_chain_result = stamp.result;
	e->timestamp = stamp.token;
	return true;
}

bool slt_msglog_export(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
		       struct slt_buf *out, struct slt_msglog_export_notes *ret,
		       struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_asic_entries *e = slt_arena_alloc(a, sizeof(*e));
	struct slt_msglog_export_notes notes = {.unstamped = m->stamp_seq == 0};
	if (!m->is_signed) {
		return slt_fail(err, SLT_EMISSING_SIGNATURE,
				"the message was logged without a signature: an ordinary security "
				"server signed it and has it in its own log");
	}
	if (!load_parts(r, m, a, e, &notes, err) ||
	    (m->stamp_seq != 0 && !load_stamp(r, m, a, e, err)) || !slt_asic_write(e, out, err)) {
		return false;
	}
	*ret = notes;
	return true;
}
