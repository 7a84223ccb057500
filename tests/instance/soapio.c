/* SPDX-License-Identifier: MIT */
#include "tests/instance/soapio.h"

#include <stdlib.h>
#include <string.h>

#include <uuid/uuid.h>

#include "federation/multipart.h"
#include "federation/soapmime.h"

#define SPOOL_THRESHOLD (256u << 10)

bool slt_soapio_read(const char *content_type, struct slt_str body, struct slt_message **ret,
		     struct slt_soap **ret_soap, struct slt_err *err)
{
	const struct slt_transport_limits limits = {
		.head = SLT_SOAPIO_MAX, .body = SLT_SOAPIO_MAX, .spool_threshold = SPOOL_THRESHOLD};
	SLT_AUTO(slt_soapmime_free) struct slt_soapmime *r = NULL;
	return slt_soapmime_new(content_type == NULL ? "" : content_type, SLT_SHA512, &limits, &r,
				err) &&
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
