/* SPDX-License-Identifier: MIT */

#include "msglog_export.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "federation/asic.h"
#include "federation/ident.h"
#include "msglog_store.h"
#include "zip_store.h"

/* All attachments together. In memory: the container stays within what one entry of an archive may
 * have. In a file: within what a ZIP file may have. */
#define BODIES_MAX	(48u << 20)
#define FILE_BODIES_MAX (4000ull << 20)
#define POURED_FROM	(8u << 20) /* longer bodies are not held in memory */

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
					uint64_t left, struct slt_msglog_export_notes *notes)
{
	bool fits = e->n_attachments < SLT_COUNT(e->attachment);
	struct slt_str *to = fits ? &e->attachment[e->n_attachments++] : NULL;
	if (!fits || p->size > left) {
		notes->n_left_out++;
		return NULL;
	}
	return to;
}

/* Attachments stay where they are when there is a file to pour them into: only their place is
 * taken. */
static bool load_parts(struct slt_msglog_reader *r, const struct slt_msglog_message *m, bool pour,
		       struct slt_arena *a, struct slt_asic_entries *e,
		       struct slt_msglog_export_notes *notes, struct slt_err *err)
{
	uint64_t left = pour ? FILE_BODIES_MAX : BODIES_MAX;
	for (unsigned i = 0; i < m->n_parts; i++) {
		const struct slt_msglog_part *p = &m->part[i];
		bool attachment = strncmp(p->name, "/attachment", 11) == 0;
		struct slt_str *to =
			attachment ? attachment_place(e, p, left, notes) : place(e, p->name);
		if (!to) {
			continue;
		}
		if (attachment && pour && !p->cut) {
			*to = SLT_STR_C("");
		} else if (!load(r, m, p->name, a, to, err)) {
			return false;
		}
		left -= attachment ? p->size : 0;
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

/* Whoever verifies the container takes the signer from the message. */
static bool note_sealer(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
			struct slt_arena *a, struct slt_msglog_export_notes *notes,
			struct slt_err *err)
{
	struct slt_id own, sealer;
	const char *text = NULL;
	if (!slt_msglog_sealer(r, m, a, &text, err)) {
		return false;
	}
	if (!text) {
		return true;
	}
	if (!slt_id_parse_client(text, false, a, &sealer, err) ||
	    !(m->response ? slt_id_parse(SLT_ID_SERVICE, m->service, false, a, &own, err)
			  : slt_id_parse_client(m->client, false, a, &own, err))) {
		return slt_wrap(err, "the logged sealer");
	}
	if (!slt_id_same_member(&own, &sealer)) {
		snprintf(notes->sealer, sizeof(notes->sealer), "%s", text);
	}
	return true;
}

static bool load_all(struct slt_msglog_reader *r, const struct slt_msglog_message *m, bool pour,
		     struct slt_arena *a, struct slt_asic_entries *e,
		     struct slt_msglog_export_notes *notes, struct slt_err *err)
{
	*notes = (struct slt_msglog_export_notes){.unstamped = m->stamp_seq == 0};
	if (!m->is_signed) {
		return slt_fail(err, SLT_EMISSING_SIGNATURE,
				"the message is neither signed nor sealed: an ordinary security "
				"server signed it and has it in its own log");
	}
	return load_parts(r, m, pour, a, e, notes, err) && note_sealer(r, m, a, notes, err) &&
	       (m->stamp_seq == 0 || load_stamp(r, m, a, e, err));
}

bool slt_msglog_export(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
		       struct slt_buf *out, struct slt_msglog_export_notes *ret,
		       struct slt_err *err)
{
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_asic_entries *e = slt_arena_alloc(a, sizeof(*e));
	struct slt_msglog_export_notes notes;
	if (!load_all(r, m, false, a, e, &notes, err) || !slt_asic_write(e, out, err)) {
		return false;
	}
	*ret = notes;
	return true;
}

/* --- into a file --- */

struct pouring {
	struct slt_msglog_reader *reader;
	const struct slt_msglog_message *message;
	struct slt_zip *zip;
};

static bool piece(void *arg, struct slt_str p, struct slt_err *err)
{
	struct pouring *q = arg;
	return slt_zip_piece(q->zip, p, err);
}

static bool pour_entry(void *arg, const char *name, struct slt_str bytes, bool stored,
		       struct slt_err *err)
{
	struct pouring *q = arg;
	(void)stored; /* all are */
	if (strncmp(name, "attachment", 10) != 0) {
		return slt_zip_add(q->zip, name, bytes, err);
	}
	SLT_AUTO_STR char *part = slt_asprintf("/%s", name);
	return slt_zip_begin(q->zip, name, err) &&
	       slt_msglog_stream_part(q->reader, q->message->seq, part, piece, q, err) &&
	       slt_zip_end(q->zip, err);
}

static bool pour_file(struct pouring *q, const char *path, const struct slt_asic_entries *e,
		      struct slt_err *err)
{
	SLT_AUTO_STR char *work = slt_asprintf("%s.part", path);
	SLT_AUTO(slt_zip_free) struct slt_zip *zip = NULL;
	if (!slt_zip_create(work, &zip, err)) {
		return false;
	}
	q->zip = zip;
	slt_zip_comment(zip, SLT_ASIC_COMMENT);
	bool ok = slt_asic_each(e, pour_entry, q, err) && slt_zip_finish(zip, err);
	if (ok && rename(work, path) != 0) {
		ok = slt_fail_errno(err, SLT_EIO, "%s cannot be written", path);
	}
	if (!ok) {
		unlink(work);
	}
	return ok;
}

static uint64_t body_bytes(const struct slt_msglog_message *m)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < m->n_parts; i++) {
		n += strncmp(m->part[i].name, "/attachment", 11) == 0 ? m->part[i].size : 0;
	}
	return n;
}

bool slt_msglog_export_file(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
			    const char *path, struct slt_msglog_export_notes *ret,
			    struct slt_err *err)
{
	SLT_AUTO_BUF(bytes, SIZE_MAX / 4);
	if (body_bytes(m) <= POURED_FROM) {
		return slt_msglog_export(r, m, &bytes, ret, err) &&
		       slt_file_write(path, bytes.p, bytes.n, 0600, err);
	}
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_asic_entries *e = slt_arena_alloc(a, sizeof(*e));
	struct slt_msglog_export_notes notes;
	struct pouring q = {.reader = r, .message = m};
	if (!load_all(r, m, true, a, e, &notes, err) || !pour_file(&q, path, e, err)) {
		return false;
	}
	*ret = notes;
	return true;
}
