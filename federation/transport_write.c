/* SPDX-License-Identifier: MIT */
/* The writing half of transport.h. */
#include "federation/transport.h"

#include <stdlib.h>
#include <string.h>

#include "federation/part_write.h"

struct slt_transport_writer {
	struct slt_part_writer parts;
	char top[SLT_PART_BOUNDARY_LEN + 1], att[SLT_PART_BOUNDARY_LEN + 1];
	char content_type[128];
};

static void add_attachments(struct slt_transport_writer *w, const struct slt_message *m)
{
	char type[128] = "multipart/mixed; charset=UTF-8; boundary=";

	memcpy(type + strlen(type), w->att, sizeof(w->att));
	slt_part_write_head(&w->parts, w->top, type, NULL);
	slt_part_write_attachments(&w->parts, w->att, m);
	slt_part_write_end(&w->parts, w->att);
}

static void add_signature(struct slt_transport_writer *w, const struct slt_message *m)
{
	if (m->hash_chain_result.p) {
		slt_part_write_head(&w->parts, w->top, "application/hash-chain-result", NULL);
		slt_part_write_bytes(&w->parts, &m->hash_chain_result);
		slt_part_write_head(&w->parts, w->top, "application/hash-chain", NULL);
		slt_part_write_bytes(&w->parts, &m->hash_chain);
	}
	slt_part_write_head(&w->parts, w->top, "signature/bdoc-1.0/ts", NULL);
	slt_part_write_bytes(&w->parts, &m->signature);
}

struct slt_transport_writer *slt_transport_writer_new(const struct slt_message *m)
{
	static const char type[] = "multipart/mixed; charset=UTF-8; boundary=";
	struct slt_transport_writer *w = slt_calloc(1, sizeof(*w));

	slt_assert(m->signature.p && !m->hash_chain_result.p == !m->hash_chain.p);
	slt_assert(m->kind == SLT_SOAP || m->n_attachments <= 1);
	slt_part_writer_init(&w->parts);
	slt_part_boundary("xtop", w->top);
	slt_part_boundary("xatt", w->att);
	memcpy(w->content_type, type, sizeof(type));
	memcpy(w->content_type + sizeof(type) - 1, w->top, sizeof(w->top));
	for (unsigned i = 0; i < m->n_ocsp; i++) {
		slt_part_write_head(&w->parts, w->top, "application/ocsp-response", NULL);
		slt_part_write_bytes(&w->parts, &m->ocsp[i]);
	}
	slt_part_write_head(&w->parts, w->top,
			    m->content_type ? m->content_type : "text/xml; charset=UTF-8",
			    m->headers);
	slt_part_write_bytes(&w->parts, &m->head);
	if (m->kind == SLT_REST && m->n_attachments) {
		slt_part_write_head(&w->parts, w->top, "application/x-road-rest-body", NULL);
		slt_part_write_spool(&w->parts, m->attachment[0].body);
	} else if (m->n_attachments) {
		add_attachments(w, m);
	}
	add_signature(w, m);
	slt_part_write_end(&w->parts, w->top);
	return w;
}

void slt_transport_writer_free(struct slt_transport_writer *w)
{
	if (w) {
		slt_part_writer_fini(&w->parts);
		free(w);
	}
}

const char *slt_transport_content_type(const struct slt_transport_writer *w)
{
	return w->content_type;
}

bool slt_transport_read(struct slt_transport_writer *w, char *p, size_t n, size_t *ret_n,
			struct slt_err *err)
{
	return slt_part_writer_read(&w->parts, p, n, ret_n, err);
}

void slt_transport_rewind(struct slt_transport_writer *w)
{
	slt_part_writer_rewind(&w->parts);
}
