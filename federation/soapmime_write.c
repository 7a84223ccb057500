/* SPDX-License-Identifier: MIT */
#include "federation/soapmime_write.h"

#include <stdlib.h>
#include <string.h>

#include "federation/multipart.h"
#include "federation/part_write.h"

#define BARE_TYPE "text/xml; charset=UTF-8"
#define START_MAX 256 /* characters of a Content-ID that is named in the Content-Type */

struct slt_soapmime_writer {
	struct slt_part_writer parts;
	char *content_type;
};

/* The value of a header in lines of "name: value" and CRLF; empty when there is none. */
static struct slt_str header_value(const char *headers, const char *name)
{
	const char *p = headers ? headers : "";
	size_t k = strlen(name);

	for (; *p; p += strspn(p, "\r\n")) {
		size_t n = strcspn(p, "\r\n");
		SLT_AUTO_STR char *key = slt_strndup(p, n < k ? n : k);
		if (n > k && p[k] == ':' && slt_strcase_eq(key, name)) {
			return slt_str_trim((struct slt_str){p + k + 1, n - k - 1});
		}
		p += n;
	}
	return (struct slt_str){"", 0};
}

/* Can it stand between quotation marks in a header? */
static bool is_quotable(struct slt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e || s.p[i] == '"' || s.p[i] == '\\') {
			return false;
		}
	}
	return s.n > 0 && s.n <= START_MAX;
}

static void add_param(struct slt_buf *b, const char *name, struct slt_str value)
{
	slt_buf_addf(b, "; %s=\"", name);
	slt_buf_add(b, value.p, value.n);
	slt_buf_adds(b, "\"");
}

/* The type of the root is what RFC 2387 wants as type; of an XOP root the type that it stands for
 * is start-info (SOAP's MTOM binding). Without start the first part is the root, which it is. */
static char *related_type(const struct slt_message *m, const char *root_type, const char *boundary)
{
	SLT_AUTO_BUF(b, 4096);
	struct slt_str start = header_value(m->headers, "content-id");
	struct slt_str info;

	slt_buf_adds(&b, "multipart/related");
	add_param(&b, "type", slt_mime_type(slt_str(root_type)));
	if (is_quotable(start)) {
		add_param(&b, "start", start);
	}
	if (slt_mime_is(root_type, "application/xop+xml")) {
		if (!slt_mime_param(slt_str(root_type), "type", &info) || !is_quotable(info)) {
			info = slt_str("text/xml");
		}
		add_param(&b, "start-info", info);
	}
	add_param(&b, "boundary", slt_str(boundary));
	return slt_strdup(slt_buf_str(&b).p);
}

struct slt_soapmime_writer *slt_soapmime_writer_new(const struct slt_message *m)
{
	struct slt_soapmime_writer *w = slt_calloc(1, sizeof(*w));
	const char *type = m->content_type && *m->content_type ? m->content_type : BARE_TYPE;
	char boundary[SLT_PART_BOUNDARY_LEN + 1];

	slt_assert(m->kind == SLT_SOAP);
	slt_part_writer_init(&w->parts);
	if (!m->n_attachments && !slt_mime_is(type, "application/xop+xml")) {
		w->content_type = slt_strdup(type);
		slt_part_write_bytes(&w->parts, &m->head);
		return w;
	}
	slt_part_boundary("soap", boundary);
	w->content_type = related_type(m, type, boundary);
	slt_part_write_head(&w->parts, boundary, type, m->headers);
	slt_part_write_bytes(&w->parts, &m->head);
	slt_part_write_attachments(&w->parts, boundary, m);
	slt_part_write_end(&w->parts, boundary);
	return w;
}

void slt_soapmime_writer_free(struct slt_soapmime_writer *w)
{
	if (w) {
		slt_part_writer_fini(&w->parts);
		free(w->content_type);
		free(w);
	}
}

const char *slt_soapmime_content_type(const struct slt_soapmime_writer *w)
{
	return w->content_type;
}

bool slt_soapmime_read(struct slt_soapmime_writer *w, char *p, size_t n, size_t *ret_n,
		       struct slt_err *err)
{
	return slt_part_writer_read(&w->parts, p, n, ret_n, err);
}
