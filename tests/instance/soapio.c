/* SPDX-License-Identifier: MIT */
#include "tests/instance/soapio.h"

#include <stdlib.h>
#include <string.h>

#include <uuid/uuid.h>

#include "federation/multipart.h"
#include "federation/soapmime.h"

#define SPOOL_THRESHOLD (256u << 10)

const struct slt_transport_limits slt_soapio_limits = {.head = SLT_SOAPIO_HEAD_MAX,
						       .body = SLT_SOAPIO_BODY_MAX,
						       .spool_threshold = SPOOL_THRESHOLD};

bool slt_soapio_read(const char *content_type, struct slt_str body, struct slt_message **ret,
		     struct slt_soap **ret_soap, struct slt_err *err)
{
	SLT_AUTO(slt_soapmime_free) struct slt_soapmime *r = NULL;
	return slt_soapmime_new(content_type == NULL ? "" : content_type, SLT_SHA512,
				&slt_soapio_limits, &r, err) &&
	       slt_soapmime_feed(r, body.p, body.n, err) &&
	       slt_soapmime_finish(r, ret, ret_soap, err);
}

static bool is_soap_type(const char *content_type)
{
	return slt_mime_is(content_type, "text/xml") ||
	       slt_mime_is(content_type, "application/xop+xml");
}

bool slt_soapio_attachment(const struct slt_attachment *a, struct slt_buf *out, struct slt_err *err)
{
	uint64_t at = 0;
	size_t n = 1;
	while (n > 0) {
		char *room = slt_buf_room(out, 65536);
		if (room == NULL || !slt_spool_read(a->body, at, room, 65536, &n, err)) {
			return slt_buf_check(out, "an attachment", err);
		}
		out->n += n;
		at += n;
	}
	if (out->p != NULL) {
		out->p[out->n] = '\0';
	}
	return slt_buf_check(out, "an attachment", err);
}

/* The value of a header in "name: value" CRLF lines. */
static struct slt_str header_value(const char *headers, const char *name)
{
	size_t want = strlen(name);
	const char *p = headers;
	while (*p != '\0') {
		size_t n = strcspn(p, "\r\n");
		SLT_AUTO_STR char *line_name = slt_strndup(p, n < want ? n : want);
		if (n > want && p[want] == ':' && slt_strcase_eq(line_name, name)) {
			return slt_str_trim((struct slt_str){p + want + 1, n - want - 1});
		}
		p += n;
		p += strspn(p, "\r\n");
	}
	return (struct slt_str){NULL, 0};
}

/* What stands between the parts is made when its turn comes; then the part itself. */
struct slt_soapio_writer {
	const struct slt_message *m;
	char *type;
	char boundary[37]; /* empty: there is nothing but the envelope */
	struct slt_buf text;
	size_t text_at;
	unsigned part; /* the next: 0 the envelope, then the attachments, then the end */
	const struct slt_spool *spool;
	uint64_t spool_at;
};

struct slt_soapio_writer *slt_soapio_writer_new(const struct slt_message *m)
{
	struct slt_soapio_writer *w = slt_calloc(1, sizeof(*w));
	const char *own =
		is_soap_type(m->content_type) ? m->content_type : "text/xml; charset=UTF-8";
	uuid_t u;
	w->m = m;
	slt_buf_init(&w->text, SLT_SOAPIO_HEAD_MAX + 65536);
	bool xop = slt_mime_is(own, "application/xop+xml");
	if (m->n_attachments == 0 && !xop) {
		w->type = slt_strdup(own);
		return w;
	}
	uuid_generate(u);
	uuid_unparse_lower(u, w->boundary);
	struct slt_str start = header_value(m->headers == NULL ? "" : m->headers, "content-id");
	w->type = slt_asprintf("multipart/related; type=\"%s\"%s%.*s%s%s; boundary=\"%s\"",
			       xop ? "application/xop+xml" : "text/xml",
			       start.n > 0 ? "; start=\"" : "", (int)start.n,
			       start.n > 0 ? start.p : "", start.n > 0 ? "\"" : "",
			       xop ? "; start-info=\"text/xml\"" : "", w->boundary);
	slt_buf_addf(&w->text, "--%s\r\nContent-Type: %s\r\n%s\r\n", w->boundary, own,
		     m->headers == NULL ? "" : m->headers);
	return w;
}

void slt_soapio_writer_free(struct slt_soapio_writer *w)
{
	if (w != NULL) {
		slt_buf_fini(&w->text);
		free(w->type);
		free(w);
	}
}

const char *slt_soapio_type(const struct slt_soapio_writer *w)
{
	return w->type;
}

/* False when there is nothing more. */
static bool next_part(struct slt_soapio_writer *w)
{
	const struct slt_message *m = w->m;
	unsigned i = w->part++;
	w->spool = NULL;
	if (i > 0) {
		slt_buf_reset(&w->text);
		w->text_at = 0;
	}
	if (i == 0) {
		slt_buf_add(&w->text, m->head.p, m->head.n);
	} else if (i <= m->n_attachments) {
		const struct slt_attachment *a = &m->attachment[i - 1];
		slt_buf_addf(&w->text, "\r\n--%s\r\n", w->boundary);
		if (a->content_type[0] != '\0') {
			slt_buf_addf(&w->text, "Content-Type: %s\r\n", a->content_type);
		}
		slt_buf_addf(&w->text, "%s\r\n", a->headers);
		w->spool = a->body;
		w->spool_at = 0;
	} else if (i == m->n_attachments + 1 && w->boundary[0] != '\0') {
		slt_buf_addf(&w->text, "\r\n--%s--\r\n", w->boundary);
	} else {
		return false;
	}
	return true;
}

bool slt_soapio_pull(struct slt_soapio_writer *w, char *p, size_t n, size_t *ret_n,
		     struct slt_err *err)
{
	*ret_n = 0;
	while (*ret_n == 0) {
		size_t left = w->text.n - w->text_at;
		if (w->part > 0 && left > 0) {
			*ret_n = n < left ? n : left;
			memcpy(p, w->text.p + w->text_at, *ret_n);
			w->text_at += *ret_n;
			return true;
		}
		if (w->spool != NULL) {
			if (!slt_spool_read(w->spool, w->spool_at, p, n, ret_n, err)) {
				return false;
			}
			w->spool_at += *ret_n;
			w->spool = *ret_n == 0 ? NULL : w->spool;
			continue;
		}
		if (!next_part(w)) {
			return true;
		}
	}
	return true;
}

struct outgoing {
	struct slt_message *m;
	struct slt_soapio_writer *w;
};

static bool outgoing_read(void *arg, char *p, size_t n, size_t *ret_n, struct slt_err *err)
{
	struct outgoing *o = arg;
	return slt_soapio_pull(o->w, p, n, ret_n, err);
}

static void outgoing_free(void *arg)
{
	struct outgoing *o = arg;
	slt_soapio_writer_free(o->w);
	slt_message_free(o->m);
	free(o);
}

void slt_soapio_respond(struct slt_request *r, struct slt_message *take_m)
{
	struct outgoing *o = slt_calloc(1, sizeof(*o));
	o->m = take_m;
	o->w = slt_soapio_writer_new(take_m);
	struct slt_response_header h[] = {{"Content-Type", slt_soapio_type(o->w)}};
	struct slt_body_source source = {outgoing_read, outgoing_free, o};
	slt_respond_stream(r, 200, h, SLT_COUNT(h), &source);
}

struct slt_str slt_soapio_cid(const struct slt_attachment *a)
{
	struct slt_str id = header_value(a->headers, "content-id");
	if (id.n > 2 && id.p[0] == '<' && id.p[id.n - 1] == '>') {
		return (struct slt_str){id.p + 1, id.n - 2};
	}
	return id;
}

const struct slt_attachment *slt_soapio_by_cid(const struct slt_message *m, const char *href)
{
	if (strncmp(href, "cid:", 4) != 0) {
		return NULL;
	}
	SLT_AUTO_STR char *bracketed = slt_asprintf("<%s>", href + 4);
	for (unsigned i = 0; i < m->n_attachments; i++) {
		struct slt_str id = header_value(m->attachment[i].headers, "content-id");
		if (slt_str_eq(id, bracketed) || slt_str_eq(id, href + 4)) {
			return &m->attachment[i];
		}
	}
	return NULL;
}
