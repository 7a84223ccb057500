/* SPDX-License-Identifier: MIT */
#include "tests/instance/soapio.h"

#include <stdlib.h>
#include <string.h>

#include <uuid/uuid.h>

#include "federation/multipart.h"

#define SPOOL_THRESHOLD (256u << 10)
#define HEADERS_MAX	(2 * SLT_MIME_HEADERS_MAX)

struct reading {
	struct slt_message *m;
	bool in_soap; /* the first part; attachments afterwards */
	struct slt_buf head;
	char *type, *headers; /* of the part under way */
	struct slt_spool *spool;
};

static bool is_type(struct slt_str t, const char *type)
{
	SLT_AUTO_STR char *s = slt_strndup(t.n > 0 ? t.p : "", t.n);
	return slt_strcase_eq(s, type);
}

static bool is_soap_type(const char *content_type)
{
	struct slt_str t = slt_mime_type(slt_str(content_type));
	return is_type(t, "text/xml") || is_type(t, "application/xop+xml");
}

static bool part(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err)
{
	struct reading *r = arg;
	SLT_AUTO_BUF(others, HEADERS_MAX);
	free(r->type);
	free(r->headers);
	r->type = NULL;
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_STR char *name = slt_strndup(h[i].name.p, h[i].name.n);
		SLT_AUTO_STR char *value =
			slt_strndup(h[i].value.n > 0 ? h[i].value.p : "", h[i].value.n);
		if (slt_strcase_eq(name, "content-type")) {
			free(r->type);
			r->type = SLT_TAKE(value);
		} else {
			slt_buf_addf(&others, "%s: %s\r\n", name, value);
		}
	}
	r->type = r->type == NULL ? slt_strdup("") : r->type;
	r->headers = slt_strdup(slt_buf_str(&others).p);
	r->in_soap = r->m->head.p == NULL;
	if (r->in_soap && !is_soap_type(r->type)) {
		return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
				"the first part has the content type \"%.80s\" instead of text/xml",
				r->type);
	}
	if (!r->in_soap) {
		r->spool = slt_spool_new(NULL, SPOOL_THRESHOLD, SLT_SOAPIO_MAX);
	}
	return slt_buf_check(&others, "the headers of a part", err);
}

static bool part_data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	struct reading *r = arg;
	if (!r->in_soap) {
		return slt_spool_write(r->spool, p, n, err);
	}
	slt_buf_add(&r->head, p, n);
	return slt_buf_check(&r->head, "the SOAP part", err);
}

static bool part_end(void *arg, struct slt_err *err)
{
	struct reading *r = arg;
	if (r->in_soap) {
		r->m->content_type = SLT_TAKE(r->type);
		r->m->headers = SLT_TAKE(r->headers);
		slt_message_set_head(r->m, r->head.p, r->head.n);
		return true;
	}
	return slt_message_attach(r->m, r->type, r->headers, SLT_TAKE(r->spool), err);
}

static bool read_multipart(const char *content_type, struct slt_str body, struct slt_message *m,
			   struct slt_err *err)
{
	static const struct slt_multipart_ops ops = {part, part_data, part_end};
	struct slt_str boundary;
	if (!slt_mime_param(slt_str(content_type), "boundary", &boundary) || boundary.n == 0) {
		return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
				"the multipart content type has no boundary");
	}
	struct reading r = {.m = m, .head = SLT_BUF_INIT(SLT_SOAPIO_MAX)};
	SLT_AUTO(slt_multipart_free)
	struct slt_multipart *mp = slt_multipart_new(boundary, &ops, &r);
	bool ok = slt_multipart_feed(mp, body.p, body.n, err) && slt_multipart_end(mp, err);
	if (ok && m->head.p == NULL) {
		ok = slt_fail(err, SLT_EMISSING_SOAP, "the multipart message has no SOAP part");
	}
	slt_buf_fini(&r.head);
	slt_spool_free(r.spool);
	free(r.type);
	free(r.headers);
	return ok;
}

bool slt_soapio_read(const char *content_type, struct slt_str body, struct slt_message **ret,
		     struct slt_err *err)
{
	SLT_AUTO(slt_message_free) struct slt_message *m = slt_message_new(SLT_SOAP);
	const char *type = content_type == NULL ? "" : content_type;
	if (is_soap_type(type)) {
		m->content_type = slt_strdup(type);
		m->headers = slt_strdup("");
		slt_message_set_head(m, body.p, body.n);
	} else if (!is_type(slt_mime_type(slt_str(type)), "multipart/related")) {
		return slt_fail(err, SLT_EINVALID_CONTENT_TYPE,
				"the content type \"%.80s\" is not text/xml or multipart/related",
				type);
	} else if (!read_multipart(type, body, m, err)) {
		return false;
	}
	*ret = SLT_TAKE(m);
	return true;
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

static bool write_multipart(const struct slt_message *m, const char *boundary, struct slt_buf *out,
			    struct slt_err *err)
{
	slt_buf_addf(out, "--%s\r\nContent-Type: %s\r\n%s\r\n", boundary,
		     is_soap_type(m->content_type) ? m->content_type : "text/xml; charset=UTF-8",
		     m->headers == NULL ? "" : m->headers);
	slt_buf_add(out, m->head.p, m->head.n);
	for (unsigned i = 0; i < m->n_attachments; i++) {
		const struct slt_attachment *a = &m->attachment[i];
		slt_buf_addf(out, "\r\n--%s\r\n", boundary);
		if (a->content_type[0] != '\0') {
			slt_buf_addf(out, "Content-Type: %s\r\n", a->content_type);
		}
		slt_buf_addf(out, "%s\r\n", a->headers);
		if (!slt_soapio_attachment(a, out, err)) {
			return false;
		}
	}
	slt_buf_addf(out, "\r\n--%s--\r\n", boundary);
	return true;
}

bool slt_soapio_write(const struct slt_message *m, struct slt_buf *out, char **ret_content_type,
		      struct slt_err *err)
{
	uuid_t u;
	char id[37];
	uuid_generate(u);
	uuid_unparse_lower(u, id);
	if (m->n_attachments == 0) {
		slt_buf_add(out, m->head.p, m->head.n);
	} else if (!write_multipart(m, id, out, err)) {
		return false;
	}
	if (!slt_buf_check(out, "the message", err)) {
		return false;
	}
	*ret_content_type =
		m->n_attachments == 0
			? slt_strdup(is_soap_type(m->content_type) ? m->content_type
								   : "text/xml; charset=UTF-8")
			: slt_asprintf("multipart/related; type=\"text/xml\"; boundary=\"%s\"", id);
	return true;
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
