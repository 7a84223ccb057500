/* SPDX-License-Identifier: MIT */
#include "federation/part.h"

#include <stdlib.h>

void slt_part_headers(const struct slt_mime_header *h, size_t n, char **ret_type, char **ret_others)
{
	SLT_AUTO_BUF(others, 2 * SLT_MIME_HEADERS_MAX);
	char *type = NULL;

	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_STR char *name = slt_strndup(h[i].name.p, h[i].name.n);
		if (slt_strcase_eq(name, "content-type") && !type) {
			type = slt_strndup(h[i].value.n ? h[i].value.p : "", h[i].value.n);
			continue;
		}
		slt_buf_addf(&others, "%s: ", name);
		slt_buf_add(&others, h[i].value.p, h[i].value.n);
		slt_buf_adds(&others, "\r\n");
	}
	*ret_type = type ? type : slt_strdup("");
	*ret_others = slt_strdup(slt_buf_str(&others).p);
}

bool slt_part_begin(struct slt_part_reader *r, struct slt_message *m,
		    const struct slt_transport_limits *limits, const char *content_type,
		    const char *headers, struct slt_err *err)
{
	if (m->n_attachments == SLT_ATTACHMENTS_MAX) {
		return slt_fail(err, SLT_ELIMIT, "a message has at most %d attachments",
				SLT_ATTACHMENTS_MAX);
	}
	r->attachment = &m->attachment[m->n_attachments++];
	r->attachment->content_type = slt_strdup(content_type);
	r->attachment->headers = slt_strdup(headers);
	r->attachment->body =
		slt_spool_new(limits->spool_dir, limits->spool_threshold, limits->body);
	r->hasher = slt_hasher_new(m->digest_alg);
	r->max = limits->body;
	return true;
}

bool slt_part_data(struct slt_part_reader *r, const char *p, size_t n, struct slt_err *err)
{
	if (n > r->max || r->total > r->max - n) {
		return slt_fail(err, SLT_ELIMIT, "the attachments are longer than %llu bytes",
				(unsigned long long)r->max);
	}
	r->total += n;
	slt_hasher_add(r->hasher, p, n);
	return slt_spool_write(r->attachment->body, p, n, err);
}

void slt_part_end(struct slt_part_reader *r)
{
	slt_hasher_end(r->hasher, &r->attachment->digest);
	slt_part_fini(r);
}

void slt_part_fini(struct slt_part_reader *r)
{
	slt_hasher_free(SLT_TAKE(r->hasher));
	r->attachment = NULL;
}
