/* SPDX-License-Identifier: MIT */
#include "federation/part_write.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

/* A stretch of the stream: bytes of the glue (by offset, since it grows), of the message, or a
 * spool. */
struct slt_part_segment {
	enum { GLUE, MEMORY, SPOOL } kind;
	size_t glue;
	const char *p;
	const struct slt_spool *spool;
	uint64_t n;
};

void slt_part_boundary(const char *prefix, char ret[SLT_PART_BOUNDARY_LEN + 1])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned char r[SLT_PART_BOUNDARY_LEN - 4];

	slt_assert(RAND_bytes(r, sizeof(r)) == 1);
	memcpy(ret, prefix, 4);
	for (size_t i = 0; i < sizeof(r); i++) {
		ret[4 + i] = letters[r[i] % 52];
	}
	ret[SLT_PART_BOUNDARY_LEN] = '\0';
}

void slt_part_writer_init(struct slt_part_writer *w)
{
	*w = (struct slt_part_writer){0};
	slt_buf_init(&w->glue, SIZE_MAX / 4);
}

void slt_part_writer_fini(struct slt_part_writer *w)
{
	slt_buf_fini(&w->glue);
	free(w->segments);
}

static void add_segment(struct slt_part_writer *w, const struct slt_part_segment *s)
{
	if (w->n_segments == w->room) {
		w->room = w->room ? 2 * w->room : 32;
		w->segments = slt_realloc(w->segments, w->room, sizeof(*w->segments));
	}
	w->segments[w->n_segments++] = *s;
}

static void add_glue(struct slt_part_writer *w, const char *s)
{
	struct slt_part_segment *last = w->n_segments ? &w->segments[w->n_segments - 1] : NULL;
	size_t n = strlen(s);

	if (last && last->kind == GLUE) {
		last->n += n;
	} else {
		add_segment(w, &(struct slt_part_segment){.kind = GLUE, .glue = w->glue.n, .n = n});
	}
	slt_buf_adds(&w->glue, s);
}

void slt_part_write_bytes(struct slt_part_writer *w, const struct slt_bytes *b)
{
	if (b->n) {
		add_segment(w, &(struct slt_part_segment){.kind = MEMORY, .p = b->p, .n = b->n});
	}
}

void slt_part_write_spool(struct slt_part_writer *w, const struct slt_spool *s)
{
	if (slt_spool_size(s)) {
		add_segment(w, &(struct slt_part_segment){
				       .kind = SPOOL, .spool = s, .n = slt_spool_size(s)});
	}
}

void slt_part_write_head(struct slt_part_writer *w, const char *boundary, const char *content_type,
			 const char *headers)
{
	add_glue(w, w->n_segments ? "\r\n--" : "--");
	add_glue(w, boundary);
	add_glue(w, "\r\n");
	if (*content_type) {
		add_glue(w, "content-type: ");
		add_glue(w, content_type);
		add_glue(w, "\r\n");
	}
	add_glue(w, headers ? headers : "");
	add_glue(w, "\r\n");
}

void slt_part_write_attachments(struct slt_part_writer *w, const char *boundary,
				const struct slt_message *m)
{
	for (unsigned i = 0; i < m->n_attachments; i++) {
		const struct slt_attachment *a = &m->attachment[i];
		slt_part_write_head(w, boundary, a->content_type, a->headers);
		slt_part_write_spool(w, a->body);
	}
}

void slt_part_write_end(struct slt_part_writer *w, const char *boundary)
{
	add_glue(w, "\r\n--");
	add_glue(w, boundary);
	add_glue(w, "--\r\n");
}

/* One stretch of at most n bytes out of the current segment. */
static bool read_segment(struct slt_part_writer *w, char *p, size_t n, size_t *ret_n,
			 struct slt_err *err)
{
	const struct slt_part_segment *s = &w->segments[w->at];

	if (s->n - w->offset < n) {
		n = (size_t)(s->n - w->offset);
	}
	if (s->kind == SPOOL) {
		if (!slt_spool_read(s->spool, w->offset, p, n, &n, err)) {
			return false;
		}
	} else {
		const char *from = s->kind == GLUE ? w->glue.p + s->glue : s->p;
		memcpy(p, from + w->offset, n);
	}
	w->offset += n;
	if (w->offset == s->n) {
		w->at++;
		w->offset = 0;
	}
	*ret_n = n;
	return true;
}

bool slt_part_writer_read(struct slt_part_writer *w, char *p, size_t n, size_t *ret_n,
			  struct slt_err *err)
{
	size_t done = 0;

	while (done < n && w->at < w->n_segments) {
		size_t k = 0;
		if (!read_segment(w, p + done, n - done, &k, err)) {
			return false;
		}
		if (k == 0) {
			return slt_fail(err, SLT_EIO, "an attachment is shorter than it was");
		}
		done += k;
	}
	*ret_n = done;
	return true;
}

void slt_part_writer_rewind(struct slt_part_writer *w)
{
	w->at = 0;
	w->offset = 0;
}
