/* SPDX-License-Identifier: MIT */
/* The writing half of transport.h. */
#include "federation/transport.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#define BOUNDARY_LEN (4 + 30)

/* A stretch of the stream: bytes of the glue (by offset, since it grows), of the message, or a
 * spool. */
struct segment {
	enum { GLUE, MEMORY, SPOOL } kind;
	size_t glue;
	const char *p;
	const struct slt_spool *spool;
	uint64_t n;
};

struct slt_transport_writer {
	char top[BOUNDARY_LEN + 1], att[BOUNDARY_LEN + 1];
	char content_type[128];
	struct slt_buf glue; /* delimiters and part headers, one after the other */
	struct segment *segments;
	size_t n_segments, room;
	size_t at;	 /* segment being read */
	uint64_t offset; /* within it */
};

static void random_boundary(const char *prefix, char ret[BOUNDARY_LEN + 1])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned char r[BOUNDARY_LEN - 4];

	slt_assert(RAND_bytes(r, sizeof(r)) == 1);
	memcpy(ret, prefix, 4);
	for (size_t i = 0; i < sizeof(r); i++) {
		ret[4 + i] = letters[r[i] % 52];
	}
	ret[BOUNDARY_LEN] = '\0';
}

static void add_segment(struct slt_transport_writer *w, const struct segment *s)
{
	if (w->n_segments == w->room) {
		w->room = w->room ? 2 * w->room : 32;
		w->segments = slt_realloc(w->segments, w->room, sizeof(*w->segments));
	}
	w->segments[w->n_segments++] = *s;
}

static void add_glue(struct slt_transport_writer *w, const char *s)
{
	struct segment *last = w->n_segments ? &w->segments[w->n_segments - 1] : NULL;
	size_t n = strlen(s);

	if (last && last->kind == GLUE) {
		last->n += n;
	} else {
		add_segment(w, &(struct segment){.kind = GLUE, .glue = w->glue.n, .n = n});
	}
	slt_buf_adds(&w->glue, s);
}

static void add_bytes(struct slt_transport_writer *w, const struct slt_bytes *b)
{
	if (b->n) {
		add_segment(w, &(struct segment){.kind = MEMORY, .p = b->p, .n = b->n});
	}
}

static void add_spool(struct slt_transport_writer *w, const struct slt_spool *s)
{
	if (slt_spool_size(s)) {
		add_segment(w,
			    &(struct segment){.kind = SPOOL, .spool = s, .n = slt_spool_size(s)});
	}
}

/* The line break before the delimiter is left out where the stream begins. */
static void begin_part(struct slt_transport_writer *w, const char *boundary,
		       const char *content_type, const char *headers)
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

static void end_parts(struct slt_transport_writer *w, const char *boundary)
{
	add_glue(w, "\r\n--");
	add_glue(w, boundary);
	add_glue(w, "--\r\n");
}

static void add_attachments(struct slt_transport_writer *w, const struct slt_message *m)
{
	char type[128] = "multipart/mixed; charset=UTF-8; boundary=";

	memcpy(type + strlen(type), w->att, sizeof(w->att));
	begin_part(w, w->top, type, NULL);
	for (unsigned i = 0; i < m->n_attachments; i++) {
		const struct slt_attachment *a = &m->attachment[i];
		begin_part(w, w->att, a->content_type, a->headers);
		add_spool(w, a->body);
	}
	end_parts(w, w->att);
}

static void add_signature(struct slt_transport_writer *w, const struct slt_message *m)
{
	if (m->hash_chain_result.p) {
		begin_part(w, w->top, "application/hash-chain-result", NULL);
		add_bytes(w, &m->hash_chain_result);
		begin_part(w, w->top, "application/hash-chain", NULL);
		add_bytes(w, &m->hash_chain);
	}
	begin_part(w, w->top, "signature/bdoc-1.0/ts", NULL);
	add_bytes(w, &m->signature);
}

struct slt_transport_writer *slt_transport_writer_new(const struct slt_message *m)
{
	static const char type[] = "multipart/mixed; charset=UTF-8; boundary=";
	struct slt_transport_writer *w = slt_calloc(1, sizeof(*w));

	slt_assert(m->signature.p && !m->hash_chain_result.p == !m->hash_chain.p);
	slt_assert(m->kind == SLT_SOAP || m->n_attachments <= 1);
	slt_buf_init(&w->glue, SIZE_MAX / 4);
	random_boundary("xtop", w->top);
	random_boundary("xatt", w->att);
	memcpy(w->content_type, type, sizeof(type));
	memcpy(w->content_type + sizeof(type) - 1, w->top, sizeof(w->top));
	for (unsigned i = 0; i < m->n_ocsp; i++) {
		begin_part(w, w->top, "application/ocsp-response", NULL);
		add_bytes(w, &m->ocsp[i]);
	}
	begin_part(w, w->top, m->content_type ? m->content_type : "text/xml; charset=UTF-8",
		   m->headers);
	add_bytes(w, &m->head);
	if (m->kind == SLT_REST && m->n_attachments) {
		begin_part(w, w->top, "application/x-road-rest-body", NULL);
		add_spool(w, m->attachment[0].body);
	} else if (m->n_attachments) {
		add_attachments(w, m);
	}
	add_signature(w, m);
	end_parts(w, w->top);
	return w;
}

void slt_transport_writer_free(struct slt_transport_writer *w)
{
	if (w) {
		slt_buf_fini(&w->glue);
		free(w->segments);
		free(w);
	}
}

const char *slt_transport_content_type(const struct slt_transport_writer *w)
{
	return w->content_type;
}

/* One stretch of at most n bytes out of the current segment. */
static bool read_segment(struct slt_transport_writer *w, char *p, size_t n, size_t *ret_n,
			 struct slt_err *err)
{
	const struct segment *s = &w->segments[w->at];

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

bool slt_transport_read(struct slt_transport_writer *w, char *p, size_t n, size_t *ret_n,
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

void slt_transport_rewind(struct slt_transport_writer *w)
{
	w->at = 0;
	w->offset = 0;
}
